//! Losses that let outliers count less.

use wengert::prelude::*;

/// How much a residual counts: the cost is the sum of `c² ρ((r/c)²)` over the residuals `r`, where `c` is the residual
/// from which on they count less. The sum of squares has `ρ(z) = z`.
///
/// The functions are those of SciPy's `least_squares` and of Ceres; Tukey's biweight is the one of Beaton and Tukey
/// (1974). Steps take the residuals and the Jacobian scaled by Triggs' correction (*Bundle adjustment: a modern
/// synthesis*, 2000, section 4.3), in which the curvature of `ρ` is limited so that the scales stay positive.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum Loss {
    /// The sum of squares, `ρ(z) = z`.
    #[default]
    Squares,
    /// `z` up to 1, and `2√z - 1` beyond: squares within `c`, lines outside.
    Huber(f64),
    /// `2 (√(1 + z) - 1)`: a smooth form of Huber's.
    SoftL1(f64),
    /// `ln(1 + z)`.
    Cauchy(f64),
    /// `atan z`, which is bounded.
    Arctan(f64),
    /// `(1 - (1 - z)³)/3` up to 1, and 1/3 beyond, where residuals do not count at all: the biweight.
    Tukey(f64),
}

/// The least part of `ρ'` that is left of the scale of the Jacobian where `ρ` is concave.
const CURVED: f64 = 0.1;

/// Residuals as the steps take them.
pub(super) struct Weighed {
    /// The cost.
    pub(super) cost: Var,
    /// The factor of each residual.
    pub(super) residual: Option<Var>,
    /// The factor of each row of the Jacobian.
    pub(super) row: Option<Var>,
}

impl Loss {
    pub(super) fn width(self) -> Option<f64> {
        match self {
            Loss::Squares => None,
            Loss::Huber(c)
            | Loss::SoftL1(c)
            | Loss::Cauchy(c)
            | Loss::Arctan(c)
            | Loss::Tukey(c) => Some(c),
        }
    }

    /// Returns `ρ`, `ρ'` and `ρ''` of each number, which is not negative.
    fn rho(self, z: Var) -> [Var; 3] {
        let one = ones_like(z);
        let none = zeros_like(z);
        match self {
            Loss::Squares => [z, one, none],
            Loss::Huber(_) => {
                let inner = z.le(1.0);
                let far = inner.select(one, z);
                let root = far.sqrt();
                [
                    inner.select(z, 2.0 * root - 1.0),
                    inner.select(one, 1.0 / root),
                    inner.select(none, -0.5 / (far * root)),
                ]
            }
            Loss::SoftL1(_) => {
                let root = (1.0 + z).sqrt();
                [
                    2.0 * (z / (root + 1.0)),
                    1.0 / root,
                    -0.5 / ((1.0 + z) * root),
                ]
            }
            Loss::Cauchy(_) => {
                let slope = 1.0 / (1.0 + z);
                [z.log1p(), slope, -slope.square()]
            }
            Loss::Arctan(_) => {
                let slope = 1.0 / (1.0 + z.square());
                [z.atan(), slope, -2.0 * z * slope.square()]
            }
            Loss::Tukey(_) => {
                let rest = (1.0 - z).maximum(0.0);
                let square = rest.square();
                [(1.0 - square * rest) / 3.0, square, -2.0 * rest]
            }
        }
    }

    /// Returns the cost, and the factors of residuals and rows.
    pub(super) fn weigh(self, r: Var) -> Weighed {
        let Some(c) = self.width() else {
            return Weighed {
                cost: r.square().sum(),
                residual: None,
                row: None,
            };
        };
        let z = (r / c).square();
        let [value, slope, bend] = self.rho(z);
        let scale = (slope + 2.0 * z * bend).maximum(CURVED * slope);
        // Where the slope is zero, so are both factors.
        let counts = scale.gt(0.0);
        let row = counts.select(scale, 1.0).sqrt();
        Weighed {
            cost: value.sum() * (c * c),
            residual: Some(counts.select(slope / row, 0.0)),
            row: Some(counts.select(row, 0.0)),
        }
    }

    /// Returns the cost.
    pub(super) fn cost(self, r: Var) -> Var {
        match self.width() {
            None => r.square().sum(),
            Some(c) => self.rho((r / c).square())[0].sum() * (c * c),
        }
    }
}
