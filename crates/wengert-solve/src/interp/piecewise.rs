//! Piecewise polynomials.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::increase;

/// What a curve is outside of its points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Outside {
    /// The first and the last polynomial go on.
    #[default]
    Extend,
    /// The value at the nearer end.
    Clamp,
    /// The tangent at the nearer end.
    Linear,
    /// NaN.
    Nan,
    /// Zero.
    Zero,
    /// The curve is repeated.
    Periodic,
}

impl Outside {
    /// Returns the rule for the derivative of a curve.
    fn of_derivative(self) -> Outside {
        match self {
            Outside::Clamp => Outside::Zero,
            Outside::Linear => Outside::Clamp,
            other => other,
        }
    }
}

/// A polynomial between each two neighbours of increasing places.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::{Outside, Piecewise, pchip};
///
/// let make = jit(|y: Var| pchip([0.0, 1.0, 2.0], y).outside(Outside::Clamp));
/// let at = jit(|(curve, x): (Piecewise, Var)| curve.at(x));
/// let curve = make.call([1.0, 3.0, 4.0])?;
/// assert_eq!(at.call((curve, [-5.0, 1.0, 9.0]))?.to_vec::<f64>()?, [1.0, 3.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
pub struct Piecewise<T = Var> {
    places: T,
    /// `[n - 1, k]`: for each piece the factors of rising powers of the distance from its start.
    factors: T,
    #[tree(skip)]
    outside: Outside,
}

/// Returns a polynomial's value; factors are along the last axis.
fn horner(factors: Var, t: Var) -> Var {
    let k = *factors.shape().last().expect("an axis of powers");
    let factor = |j: usize| factors.slice_axis(-1, j..j + 1).squeeze_axis(-1);
    let last = factor(k - 1);
    (0..k - 1).rev().fold(last, |y, j| y * t + factor(j))
}

impl Piecewise {
    /// Makes a curve of `n` places and `[n - 1, k]` factors: on piece `i` it is the sum of
    /// `factors[i, j] · (x - places[i])^j`.
    ///
    /// # Errors
    /// If the shapes do not fit, or there are fewer than two places or no factors.
    #[track_caller]
    pub fn new(places: impl Into<Var>, factors: impl Into<Var>) -> Piecewise {
        let (places, factors) = (places.into(), factors.into());
        asked_at(Location::caller(), || {
            let (p, f) = (places.ty(), factors.ty());
            let fits = p.rank() == 1 && f.rank() == 2 && p.dims()[0] == f.dims()[0] + 1;
            if !fits || f.size() == 0 || !p.is_float() || !f.is_float() {
                let message =
                    format!("places of {p} and factors of {f}; they are f64[n] and f64[n - 1, k]");
                refuse("piecewise", message);
            }
            Piecewise::made(places, factors)
        })
    }

    /// Makes a curve of checked parts: NaN if the places do not increase.
    pub(super) fn made(places: Var, factors: Var) -> Piecewise {
        Piecewise {
            places,
            factors: increase(places).select(factors, f64::NAN),
            outside: Outside::Extend,
        }
    }

    /// Sets what the curve is outside; without it the polynomials go on.
    pub fn outside(mut self, outside: Outside) -> Piecewise {
        self.outside = outside;
        self
    }

    /// Returns the places.
    pub fn places(&self) -> Var {
        self.places
    }

    /// Returns the factors, `[n - 1, k]`.
    pub fn factors(&self) -> Var {
        self.factors
    }

    fn ends(&self) -> (Var, Var) {
        (self.places.at(0), self.places.at(-1))
    }

    /// Returns the value of the piece that holds `x`, or of the nearest.
    fn inside(&self, x: Var) -> Var {
        let pieces = self.factors.shape()[0] as i64;
        let i = self.places.searchsorted_right(x).to(DType::I64) - 1;
        let i = i.clamp(0, pieces - 1);
        let start = self.places.take(i, 0);
        horner(self.factors.take(i, 0), x - start)
    }

    /// Returns the values at numbers of any shape. A NaN gives NaN.
    #[track_caller]
    pub fn at(&self, x: impl Into<Var>) -> Var {
        let x = x.into();
        asked_at(Location::caller(), || {
            let (low, high) = self.ends();
            let near = || x.clamp(low, high);
            let out = || x.lt(low) | x.gt(high);
            match self.outside {
                Outside::Extend => self.inside(x),
                Outside::Clamp => self.inside(near()),
                Outside::Nan => out().select(f64::NAN, self.inside(near())),
                Outside::Zero => out().select(0.0, self.inside(near())),
                Outside::Linear => {
                    let y = self.inside(near());
                    y + self.derivative().inside(near()) * (x - near())
                }
                Outside::Periodic => self.inside(self.wrapped(x).0),
            }
        })
    }

    /// Returns the place of `x` in the first period, and the number of periods before it.
    fn wrapped(&self, x: Var) -> (Var, Var) {
        let (low, high) = self.ends();
        let turns = ((x - low) / (high - low)).floor().stop_gradient();
        (x - turns * (high - low), turns)
    }

    /// Returns the derivative, with the rule outside that belongs to it.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::interp::Piecewise;
    ///
    /// let f = jit(|x: Var| Piecewise::new([0.0, 1.0], [[5.0, 0.0, 3.0]]).derivative().at(x));
    /// assert_eq!(f.call(0.5)?.item::<f64>()?, 3.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn derivative(&self) -> Piecewise {
        asked_at(Location::caller(), || {
            let k = self.factors.shape()[1];
            let factors = match k {
                1 => zeros_like(self.factors),
                _ => self.factors.slice_axis(1, 1..k) * powers(k).to(self.factors.dtype()),
            };
            Piecewise {
                places: self.places,
                factors,
                outside: self.outside.of_derivative(),
            }
        })
    }

    /// Returns an antiderivative, 0 at the first place, whose polynomials go on outside. For integrals that follow
    /// the rule outside, see [`Piecewise::integral`].
    #[track_caller]
    pub fn antiderivative(&self) -> Piecewise {
        asked_at(Location::caller(), || {
            let k = self.factors.shape()[1];
            let higher = self.factors / powers(k + 1).to(self.factors.dtype());
            let none = zeros_like(higher.slice_axis(1, 0..1));
            let shifted = concat([none, higher], 1);
            let whole = horner(shifted, self.places.diff(0));
            let before = whole.cumsum(0) - whole;
            Piecewise {
                places: self.places,
                factors: concat([before.expand_dims(1), higher], 1),
                outside: Outside::Extend,
            }
        })
    }

    /// Returns the integral from `a` to `b`, arrays that broadcast; it follows the rule outside.
    #[track_caller]
    pub fn integral(&self, a: impl Into<Var>, b: impl Into<Var>) -> Var {
        let (a, b) = (a.into(), b.into());
        asked_at(Location::caller(), || {
            let whole = self.antiderivative();
            self.until(&whole, b) - self.until(&whole, a)
        })
    }

    /// Returns the integral from the first place to `x`.
    fn until(&self, whole: &Piecewise, x: Var) -> Var {
        let (low, high) = self.ends();
        let near = x.clamp(low, high);
        let beyond = x - near;
        let inner = || whole.inside(near);
        match self.outside {
            Outside::Extend => whole.inside(x),
            Outside::Clamp => inner() + beyond * self.inside(near),
            Outside::Linear => {
                let slope = self.derivative().inside(near);
                inner() + beyond * (self.inside(near) + 0.5 * beyond * slope)
            }
            Outside::Nan => beyond.ne(0.0).select(f64::NAN, inner()),
            Outside::Zero => inner(),
            Outside::Periodic => {
                let (x, turns) = self.wrapped(x);
                turns * whole.inside(high) + whole.inside(x)
            }
        }
    }
}

/// Returns `1, 2, .., k - 1`.
fn powers(k: usize) -> Var {
    Var::from((1..k).map(|j| j as f64).collect::<Vec<f64>>())
}
