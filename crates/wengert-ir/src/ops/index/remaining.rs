//! Which of several updates remain, since the last one at a place wins.

use super::Access::{Gather, Set};
use super::{Bounds, Index};
use crate::ir::{DType, Type};
use crate::ops::reduce::{self, Reducer};
use crate::ops::{elementwise, iota, layout};
use crate::trace::Var;

/// Maximum number of updates that are compared with each other.
const PAIRWISE: usize = 32;

impl Index {
    /// Returns which updates remain, that is, are in range and not overwritten by a later one: truth values in
    /// the shape of the updates.
    pub(super) fn stays(&self, x: &Type, idx: Var, u: &Type) -> Var {
        let dims = idx.shape();
        let n: usize = dims[self.batch..].iter().product();
        if n <= PAIRWISE && n * n <= x.dims()[self.axis] {
            let stays = layout::reshape(self.no_later(x, idx, n), &dims);
            return layout::broadcast(stays, &u.shape, &self.index_axes(dims.len()));
        }
        // The updates are numbered from 1 and the numbers written; an update remains if its number is read back.
        let flat = |dims: &[usize], n: usize| [&dims[..self.batch], &[n]].concat();
        let numbers = Type::new(DType::I64, &flat(&dims, n));
        let one = Var::full(&numbers, 1.0);
        let numbers = elementwise::add(iota::iota(numbers.clone(), self.batch), one);
        let numbers = layout::reshape(numbers, &dims);
        let none = Var::zeros(&Type::new(
            DType::I64,
            &flat(&x.dims(), x.dims()[self.axis]),
        ));
        let along = |access| Index {
            access,
            axis: self.batch,
            ..self.clone()
        };
        let written = along(Set).bind(none, idx, Some(numbers));
        let found = along(Gather).bind(written, idx, None);
        let stays = elementwise::eq(found, numbers);
        layout::broadcast(stays, &u.shape, &self.index_axes(dims.len()))
    }

    /// Compares each of `n` updates with those after it, so that the cost does not grow with the array: which of them
    /// are in range and not overwritten by a later one.
    fn no_later(&self, x: &Type, idx: Var, n: usize) -> Var {
        let len = x.dims()[self.axis];
        let batch = &idx.shape()[..self.batch];
        let flat = layout::reshape(idx, &[batch, &[n]].concat());
        // Numbers beyond those of an `i64` are beyond the last place, too.
        let flat = match flat.dtype() {
            DType::U64 => flat.minimum(Var::scalar(len as u64)),
            _ => flat,
        };
        let places = flat.to(DType::I64);
        let (places, inside) = match self.bounds {
            Bounds::Clamp => (places.clamp(0, len as i64 - 1), None),
            Bounds::Drop => (places, Some(places.ge(0) & places.lt(len as i64))),
        };
        let pairs = Type::new(DType::I64, &[batch, &[n, n]].concat());
        let batches: Vec<usize> = (0..self.batch).collect();
        let along = |axis: usize| [&batches[..], &[self.batch + axis]].concat();
        let [one, other] = [0, 1].map(|a| layout::broadcast(places, &pairs.shape, &along(a)));
        let [first, second] = [0, 1].map(|a| iota::iota(pairs.clone(), self.batch + a));
        let later = elementwise::eq(one, other) & first.lt(second);
        let stays = !reduce::reduce(Reducer::Any, later, &[self.batch + 1]);
        match inside {
            // An update out of range overwrites none that is in range.
            Some(inside) => stays & inside,
            None => stays,
        }
    }
}
