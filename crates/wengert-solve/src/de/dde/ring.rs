//! The past of a solution: polynomials of the last steps, in a ring.

use wengert::prelude::*;

use crate::shared::number;

/// The last steps, each with its beginning, its length, and the coefficients of its polynomial.
#[derive(Tree, Clone, Copy)]
pub(super) struct Ring<T = Var> {
    /// `[capacity]`
    pub begin: T,
    pub length: T,
    /// `[capacity, degree + 1, n]`
    pub coefficients: T,
    /// The number of steps so far.
    pub count: T,
}

impl Ring {
    /// A ring without steps.
    pub fn empty(capacity: usize, coefficients: usize, n: usize, dtype: DType) -> Ring {
        Ring {
            begin: zeros_of(capacity, dtype),
            length: ones_of(capacity, dtype),
            coefficients: zeros_of([capacity, coefficients, n], dtype),
            count: Var::scalar(0i64),
        }
    }

    fn capacity(&self) -> i64 {
        self.begin.shape()[0] as i64
    }

    /// The place of a step by its number.
    fn place(&self, step: Var) -> Var {
        step.rem(self.capacity())
    }

    /// The number of the oldest step that is kept.
    fn oldest(&self) -> Var {
        (self.count - self.capacity()).maximum(0)
    }

    /// The beginning of the time that is kept.
    pub fn reaches(&self) -> Var {
        self.begin.at(self.place(self.oldest()))
    }

    /// Keeps a step if it was accepted.
    pub fn push(self, accepted: Var, begin: Var, length: Var, coefficients: Var) -> Ring {
        let place = self.place(self.count);
        let set = |all: Var, new: Var| all.at_set(place, accepted.select(new, all.at(place)));
        Ring {
            begin: set(self.begin, begin),
            length: set(self.length, length),
            coefficients: set(self.coefficients, coefficients),
            count: self.count + accepted.to(DType::I64),
        }
    }

    /// The number of the step that holds a time, by bisection: the last that begins at it or before.
    pub fn find(&self, time: Var) -> Var {
        let time = stop_gradient(time);
        let begin = stop_gradient(self.begin);
        let halvings = usize::BITS - (self.capacity() as usize).leading_zeros();
        let (low, _) = fori(
            0..halvings as usize,
            (self.oldest(), self.count),
            |_, (low, high): (Var, Var)| {
                let middle = low + (high - low) / 2;
                let is_after = begin.at(self.place(middle)).gt(time) | middle.ge(self.count);
                (is_after.select(low, middle), is_after.select(middle, high))
            },
        );
        low
    }

    /// The solution at a time within a step.
    pub fn at(&self, step: Var, time: Var) -> Var {
        let place = self.place(step);
        let x = (time - self.begin.at(place)) / self.length.at(place);
        let c = self.coefficients.at(place);
        let n = c.shape()[0] as i64;
        (0..n - 1)
            .rev()
            .fold(c.at(n - 1), |sum, i| sum * x + c.at(i))
    }
}

/// The times up to which steps go: where the solution, or one of its first derivatives, is not smooth, because the
/// start is not, one to `levels` delays earlier; in order. Infinite beyond `most` of them.
pub(super) fn breaks(t0: Var, delays: &[Var], levels: usize, most: usize) -> Var {
    let dtype = t0.dtype();
    // Sums of one to so many delays, without order.
    let mut all = vec![];
    let mut last: Vec<(usize, Var)> = vec![(0, number(0.0, dtype))];
    for _ in 0..levels {
        let mut next = vec![];
        for (first, sum) in &last {
            for (i, delay) in delays.iter().enumerate().skip(*first) {
                next.push((i, *sum + *delay));
            }
        }
        if all.len() + next.len() > most {
            break;
        }
        all.extend(next.iter().map(|(_, sum)| t0 + *sum));
        last = next;
    }
    all.push(number(f64::INFINITY, dtype));
    stack(all).sort(0)
}
