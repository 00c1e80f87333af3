//! Roots of sums of squares, without avoidable overflow and underflow.
//!
//! The plain sum is computed first. If it is neither too large nor so small that its squares have lost digits, it
//! is the result. Otherwise the sum is computed again from distances scaled by a power of two, which is exact, so that
//! the largest is about 1. A few distances are always scaled, without a branch, by one of three powers of two, one of
//! which is 1. The derivative is given explicitly, since differentiating the steps would involve squares again: a
//! distance divided by the length is a number of moderate size.

use std::sync::Arc;

use crate::ir::{DType, Type};
use crate::ops::cond::cond;
use crate::ops::custom_rule::{CustomRule, Rule};
use crate::ops::reduce::{Reducer, reduce, sum};
use crate::ops::rows::row;
use crate::ops::{Op, elementwise};
use crate::trace::{Kind, Var, bind1, closed, current_source, with_source};

/// The maximum number of distances that are scaled without a branch, by their largest size.
const FEW: usize = 16;

/// Sums of squared distances along axes.
#[derive(Clone, Copy)]
pub(super) struct Squares<'a> {
    /// The function that computes the distances, linear in its arguments.
    pub distance: &'a dyn Fn(&[Var]) -> Var,
    /// The axes of the distances that are summed over.
    pub axes: &'a [usize],
    /// The number that the sum is divided by.
    pub count: f64,
    /// Whether the square root of the quotient is the result.
    pub root: bool,
}

impl Squares<'_> {
    /// Returns the sum or its root. The derivative of the root is 0 where all distances are 0.
    #[track_caller]
    pub fn of(self, x: &[Var]) -> Var {
        let types: Vec<Type> = x.iter().map(|v| v.ty()).collect();
        with_source(current_source(), || {
            let body = closed(Kind::Door, &types, |x| vec![self.value(x)]).func;
            let twice = [&types[..], &types].concat();
            let rule = closed(Kind::Door, &twice, |x| {
                let (x, dx) = x.split_at(types.len());
                let y = self.value(x);
                vec![y, self.tangent(x, y, dx)]
            });
            let rule = Rule::Jvp(rule.func);
            bind1(Op::CustomRule(Arc::new(CustomRule { body, rule })), x)
        })
    }

    fn value(self, x: &[Var]) -> Var {
        let distance = (self.distance)(x);
        let ty = distance.ty();
        let summed: usize = self.axes.iter().map(|&a| ty.dims()[a]).product();
        if (1..=FEW).contains(&summed) {
            return self.of_few(distance);
        }
        let plain = sum(distance.square(), self.axes);
        let y = self.finished(plain);
        if summed == 0 {
            return y;
        }
        let (least, largest) = match ty.dtype {
            DType::F32 => (
                f64::from(f32::MIN_POSITIVE / f32::EPSILON),
                f64::from(f32::MAX),
            ),
            _ => (f64::MIN_POSITIVE / f64::EPSILON, f64::MAX),
        };
        // A variance is not scaled if it is small: if its squares underflow, so does the variance itself.
        let fine = match self.root {
            true => plain.ge(least).and(plain.le(largest)),
            false => plain.le(largest),
        };
        let fine = fine.or(plain.is_nan());
        let again = || {
            let distance = (self.distance)(x);
            let top = reduce(Reducer::Max, distance.abs(), self.axes).stop_gradient();
            let n = const { row("exponent") }.apply(&[top]);
            let ldexp = |x: Var, n: Var| const { row("ldexp") }.apply(&[x, n]);
            let scaled = ldexp(distance, -self.over(n, &ty));
            let mut y = ldexp(self.finished(sum(scaled.square(), self.axes)), n);
            if !self.root {
                y = ldexp(y, n);
            }
            y
        };
        let all = reduce(Reducer::All, fine, &(0..fine.rank()).collect::<Vec<_>>());
        cond(
            all,
            || vec![y],
            || vec![elementwise::select(fine, y, again())],
        )[0]
    }

    fn of_few(self, distance: Var) -> Var {
        let ty = distance.ty();
        // Beyond these bounds squares overflow or lose digits; the factors move either end to the middle.
        let (small, up, large, down) = match ty.dtype {
            DType::F32 => (
                2f64.powi(-50),
                2f64.powi(100),
                2f64.powi(50),
                2f64.powi(-80),
            ),
            _ => (
                2f64.powi(-450),
                2f64.powi(650),
                2f64.powi(450),
                2f64.powi(-600),
            ),
        };
        let top = reduce(Reducer::Max, distance.abs(), self.axes).stop_gradient();
        let of = |x: f64| Var::full(&top.ty(), x);
        let by = |up: f64, down: f64| {
            let not_large = elementwise::select(top.lt(small), of(up), of(1.0));
            elementwise::select(top.gt(large), of(down), not_large)
        };
        let scaled = distance * self.over(by(up, down), &ty);
        let y = self.finished(sum(scaled.square(), self.axes));
        let back = by(1.0 / up, 1.0 / down);
        match self.root {
            true => y * back,
            false => y * back * back,
        }
    }

    /// Returns the result, given the sum of squares.
    fn finished(self, squares: Var) -> Var {
        let quotient = match self.count == 1.0 {
            true => squares,
            false => squares / self.count,
        };
        match self.root {
            true => super::root(quotient),
            false => quotient,
        }
    }

    /// Broadcasts a result to the shape of the distances that it was computed from.
    fn over(self, y: Var, ty: &Type) -> Var {
        let mut dims = ty.dims().to_vec();
        for &axis in self.axes {
            dims[axis] = 1;
        }
        y.reshape(dims).broadcast_to(ty.dims().to_vec())
    }

    fn tangent(self, x: &[Var], y: Var, dx: &[Var]) -> Var {
        let distance = (self.distance)(x);
        let change = (self.distance)(dx);
        if !self.root {
            let factor = distance * (2.0 / self.count);
            return sum(factor * change, self.axes);
        }
        let length = self.over(y, &distance.ty());
        let share = length.eq(0.0).select(0.0, distance / length);
        let share = match self.count == 1.0 {
            true => share,
            false => share / self.count,
        };
        sum(share * change, self.axes)
    }
}
