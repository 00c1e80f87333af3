//! Arrays in memory, and the layout operations that only change how they are read.

use smallvec::SmallVec;

use crate::ir::DType;
use crate::loops::affine::Affine;
use crate::loops::{BufferId, ListId, Rows, Value};

/// One number for each axis.
pub type PerAxis<T> = SmallVec<[T; 4]>;

/// A region of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A buffer.
    Buffer(BufferId),
    /// A field of a row of a finished list.
    Row {
        /// The type of its elements.
        dtype: DType,
        /// The list and the field.
        rows: Rows,
        /// The row.
        row: Value,
    },
    /// A field of a row of a list that is being built. Only written.
    NewRow {
        /// The list.
        list: ListId,
        /// The field.
        field: u32,
        /// The row.
        row: Value,
    },
}

/// An array in memory: element `(i, j, ..)` is at `offset + i * strides[0] + j * strides[1] + ..`.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    /// The memory that holds the elements.
    pub place: Place,
    /// The offset of the first element.
    pub offset: Affine,
    /// The distance between neighbours along each axis.
    pub strides: PerAxis<i64>,
}

impl View {
    /// Returns whether two views of an array of these lengths have the same elements in the same places.
    pub(super) fn is_same_as(&self, other: &View, dims: &[usize]) -> bool {
        let strides = self.strides.iter().zip(&other.strides);
        (&self.place, &self.offset) == (&other.place, &other.offset)
            && dims
                .iter()
                .zip(strides)
                .all(|(&n, (a, b))| n <= 1 || a == b)
    }
}

/// Where the elements of a result lie in an operand: along axis `a` of the operand at
/// `axes[a].start + axes[a].step * i`, with `i` the index along an axis of the result.
#[derive(Clone, PartialEq, Debug)]
pub struct AxisMap {
    /// The lengths of the result's axes.
    pub dims: Vec<usize>,
    /// The walk along each axis of the operand.
    pub axes: Vec<Walk>,
}

/// The indices along an axis of an operand.
#[derive(Clone, PartialEq, Debug)]
pub struct Walk {
    /// The first index.
    pub start: Affine,
    /// The axis of the result that walks along this axis, and the step; `None` for a single index.
    pub along: Option<(usize, i64)>,
}

impl Walk {
    /// Walks along axis `axis` of the result, from the first element to the last.
    pub fn whole(axis: usize) -> Walk {
        Walk::from(0, axis, 1)
    }

    /// Walks along axis `axis` of the result, from index `start` in steps of `step`.
    pub fn from(start: i64, axis: usize, step: i64) -> Walk {
        Walk {
            start: Affine::constant(start),
            along: Some((axis, step)),
        }
    }

    /// Stays at one index.
    pub fn at(start: Affine) -> Walk {
        Walk { start, along: None }
    }
}

impl AxisMap {
    /// Permutes axes: axis `i` of the result is axis `perm[i]` of the operand.
    pub fn transpose(dims: &[usize], perm: &[usize]) -> AxisMap {
        let place = |a: usize| perm.iter().position(|&p| p == a).expect("a permutation");
        AxisMap {
            dims: perm.iter().map(|&p| dims[p]).collect(),
            axes: (0..dims.len()).map(|a| Walk::whole(place(a))).collect(),
        }
    }

    /// Broadcasts to lengths `dims`: axis `i` of the operand is axis `axes[i]` of the result.
    pub fn broadcast(dims: &[usize], axes: &[usize]) -> AxisMap {
        AxisMap {
            dims: dims.to_vec(),
            axes: axes.iter().map(|&a| Walk::whole(a)).collect(),
        }
    }

    /// Selects one index of the first axis, which the result does not have.
    pub fn row(dims: &[usize], row: Affine) -> AxisMap {
        let rest = (1..dims.len()).map(|a| Walk::whole(a - 1));
        AxisMap {
            dims: dims[1..].to_vec(),
            axes: std::iter::once(Walk::at(row)).chain(rest).collect(),
        }
    }

    /// Returns whether the map does nothing but permute the axes of an array of these lengths.
    pub fn is_order(&self, dims: &[usize]) -> bool {
        let whole = |(walk, &n): (&Walk, &usize)| {
            let along = |(axis, step)| step == 1 && self.dims[axis] == n;
            walk.start.as_constant() == Some(0) && walk.along.is_some_and(along)
        };
        let along = |axis: usize| {
            let walks = |w: &Walk| w.along.is_some_and(|(a, _)| a == axis);
            self.axes.iter().filter(|w| walks(w)).count() == 1
        };
        self.axes.len() == self.dims.len()
            && self.axes.iter().zip(dims).all(whole)
            && (0..self.dims.len()).all(along)
    }

    /// Returns whether no element is read more than once.
    pub fn reads_once(&self) -> bool {
        (0..self.dims.len()).all(|i| {
            let walks = |w: &Walk| matches!(w.along, Some((axis, step)) if axis == i && step != 0);
            self.dims[i] <= 1 || self.axes.iter().any(walks)
        })
    }
}

/// Returns the strides of a contiguous array, row-major.
pub fn contiguous(dims: &[usize]) -> PerAxis<i64> {
    let mut strides: PerAxis<i64> = dims.iter().map(|_| 1).collect();
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i] * dims[i].max(1) as i64;
    }
    strides
}

/// Returns whether the elements are contiguous and row-major.
pub fn is_contiguous(dims: &[usize], strides: &[i64]) -> bool {
    let want = contiguous(dims);
    (0..dims.len()).all(|i| dims[i] <= 1 || strides[i] == want[i])
}

/// Returns whether no two elements share an address.
pub fn is_spread_out(dims: &[usize], strides: &[i64]) -> bool {
    let long = dims.iter().zip(strides).filter(|(n, _)| **n > 1);
    let mut axes: Vec<(i64, i64)> = long.map(|(&n, s)| (s.abs(), n as i64)).collect();
    axes.sort();
    let mut span = 1;
    axes.into_iter().all(|(stride, n)| {
        let apart = stride >= span;
        span += stride * (n - 1);
        apart
    })
}

/// Returns the strides with which the same elements in the same order form an array of other lengths, if such
/// strides exist.
pub fn reshape(from: &[usize], strides: &[i64], to: &[usize]) -> Option<PerAxis<i64>> {
    let n: usize = to.iter().product();
    if n <= 1 {
        return Some(to.iter().map(|_| 1).collect());
    }
    // Merge axes that are contiguous with each other into runs, from the inside out.
    let mut runs: Vec<(usize, i64)> = vec![];
    for i in (0..from.len()).rev().filter(|&i| from[i] > 1) {
        match runs.last_mut() {
            Some((len, stride)) if strides[i] == *stride * *len as i64 => *len *= from[i],
            _ => runs.push((from[i], strides[i])),
        }
    }
    let mut out: PerAxis<i64> = to.iter().map(|_| 1).collect();
    let mut runs = runs.into_iter();
    let (mut left, mut stride) = runs.next()?;
    for i in (0..to.len()).rev().filter(|&i| to[i] > 1) {
        if left == 1 {
            (left, stride) = runs.next()?;
        }
        if left % to[i] != 0 {
            return None;
        }
        out[i] = stride;
        stride *= to[i] as i64;
        left /= to[i];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strides(from: &[usize], strides: &[i64], to: &[usize]) -> Option<Vec<i64>> {
        reshape(from, strides, to).map(|s| s.to_vec())
    }

    #[test]
    fn reshapes_that_move_nothing() {
        assert_eq!(strides(&[6], &[1], &[2, 3]), Some(vec![3, 1]));
        assert_eq!(strides(&[2, 3], &[3, 1], &[6]), Some(vec![1]));
        assert_eq!(strides(&[2, 3], &[3, 1], &[3, 2]), Some(vec![2, 1]));
        assert_eq!(strides(&[2, 6], &[1, 2], &[2, 2, 3]), Some(vec![1, 6, 2]));
        assert_eq!(strides(&[4], &[-1], &[2, 2]), Some(vec![-2, -1]));
        assert_eq!(strides(&[5, 1], &[7, 0], &[5]), Some(vec![7]));
    }

    #[test]
    fn reshapes_that_move_elements() {
        assert_eq!(strides(&[2, 3], &[1, 2], &[6]), None);
        assert_eq!(strides(&[3, 4], &[0, 1], &[12]), None);
        assert_eq!(strides(&[2, 3], &[1, 2], &[3, 2]), None);
    }
}
