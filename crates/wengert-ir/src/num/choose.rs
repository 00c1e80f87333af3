//! Choosing, limiting and comparing element by element.

use crate::error::TypeError;
use crate::ir::DType;
use crate::trace::array::{floats, refuse};
use crate::trace::number::aligned;
use crate::trace::{Argument, IntoVar, Var};

/// The value of the first case whose condition holds, or the default if none does: `numpy.select`. All operands
/// broadcast; the element types of the values are promoted. Derivative: that of the chosen value; values
/// that are not chosen have no influence on it.
///
/// # Errors
/// If a condition is not of `bool`, or shapes do not broadcast.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| select(&[(x.lt(0.0), -x), (x.lt(1.0), x.sqrt())], 1.0));
/// assert_eq!(f.call([-3.0, 0.25, 7.0])?.to_vec::<f64>()?, [3.0, 0.5, 1.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn select(cases: &[(Var, Var)], default: impl IntoVar) -> Var {
    let values: Vec<Argument> = cases.iter().map(|(_, value)| value.argument()).collect();
    let all = [&values[..], &[default.argument()]].concat();
    let aligned = aligned("select", None, &all);
    let mut chosen = aligned[cases.len()];
    for ((condition, _), value) in cases.iter().zip(&aligned).rev() {
        if condition.dtype() != DType::Bool {
            let error = TypeError::new(format!(
                "{} is not an array of truth values",
                condition.ty()
            ));
            refuse(
                "select",
                &[*condition],
                error.hint("compare it first, as in `x.ne(0)`"),
            );
        }
        chosen = condition.select(*value, chosen);
    }
    chosen
}

/// # Limits and closeness
///
/// Element by element; shapes broadcast.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, y): (Var, Var)| (x.clip(0.0, 1.0), x.lerp(y, 0.25), x.is_close(y, 1e-5, 1e-8)));
/// let (clipped, between, close) = f.call(([-1.0, 2.0], [3.0, 2.0]))?;
/// assert_eq!(clipped.to_vec::<f64>()?, [0.0, 1.0]);
/// assert_eq!(between.to_vec::<f64>()?, [0.0, 2.0]);
/// assert_eq!(close.to_vec::<bool>()?, [false, true]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// [`Var::clamp`] by its name in NumPy: `numpy.clip`. Derivative: 1 between the limits, half at
    /// either, 0 outside.
    #[track_caller]
    pub fn clip(self, low: impl IntoVar, high: impl IntoVar) -> Var {
        let all = aligned(
            "clip",
            None,
            &[self.argument(), low.argument(), high.argument()],
        );
        all[0].clamp(all[1], all[2])
    }

    /// The number at the fraction `t` of the way from `self` to `other`:
    /// `self + t (other - self)`, of floats: `torch.lerp`. Derivatives: `1 - t`, `t` and
    /// `other - self`.
    #[track_caller]
    pub fn lerp(self, other: impl IntoVar, t: impl IntoVar) -> Var {
        let all = aligned(
            "lerp",
            None,
            &[self.argument(), other.argument(), t.argument()],
        );
        floats("lerp", all[0]);
        all[0] + all[2] * (all[1] - all[0])
    }

    /// Whether `|self - other| ≤ absolute + relative |other|`; `bool`, true for equal infinities, false
    /// for NaN: `numpy.isclose` (whose defaults are `1e-5` and `1e-8`). Derivative: none.
    #[doc(alias = "isclose")]
    #[track_caller]
    pub fn is_close(self, other: impl IntoVar, relative: f64, absolute: f64) -> Var {
        let both = aligned("is_close", None, &[self.argument(), other.argument()]);
        let (x, y) = (both[0], both[1]);
        floats("is_close", x);
        let near = (x - y).abs().le(y.abs() * relative + absolute);
        x.eq(y).or(near.and(y.is_finite()))
    }

    /// Whether all elements are close, as by [`Var::is_close`]: `numpy.allclose`. Derivative: none.
    #[doc(alias = "allclose")]
    #[track_caller]
    pub fn all_close(self, other: impl IntoVar, relative: f64, absolute: f64) -> Var {
        self.is_close(other, relative, absolute).all()
    }
}
