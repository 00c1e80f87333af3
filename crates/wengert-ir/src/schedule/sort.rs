//! Sorting: a few elements in registers, more by a library, and in lanes step by step.

use std::sync::Arc;

use super::nest::Space;
use super::node::{Expr, FEW, NodeId, positions};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{AxisMap, PerAxis, View, contiguous, is_contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::kernel::{Kernel, Sort};
use crate::loops::{BufferId, LoopKind, ScalarOp, Value};

/// Maximum number of elements along the axis that are sorted in registers.
const SHORT: usize = 8;

impl Lowering {
    /// Sorts arrays of one shape along an axis, in the order of the first array.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn sort(
        &mut self,
        inputs: &[NodeId],
        axis: usize,
        descending: bool,
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        let dims = self.dims(inputs[0]);
        let n = dims[axis];
        if n <= 1 || dims.contains(&0) {
            return Ok(inputs.to_vec());
        }
        self.force(inputs, StoreReason::Whole)?;
        if dims.iter().product::<usize>() <= FEW {
            return self.sort_few(inputs, axis, descending, outputs);
        }
        if n > SHORT && !self.in_lanes() {
            return self.sort_by_library(inputs, axis, descending, outputs);
        }
        let places: Vec<View> = outputs.iter().map(|want| self.place(want)).collect();
        let mut walks = self.walks(inputs);
        walks.extend(places.iter().map(|p| Some(p.strides.clone())));
        let others: Vec<usize> = (0..dims.len()).filter(|&a| a != axis).collect();
        let space = Space::of_axes(&dims, &others, &walks);
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(inputs)?;
        self.in_nest(&places, |l| {
            l.note_here();
            l.over(&space, n * n, &mut |l, at| match n <= SHORT {
                true => l.sort_in_registers(inputs, &places, axis, n, descending, at),
                false => l.sort_in_memory(inputs, &places, axis, n, descending, at),
            })
        })?;
        self.spilled = spilled;
        let sorted = outputs.iter().zip(places);
        Ok(sorted
            .map(|(want, place)| self.stored(want.ty.dtype, dims.clone(), place))
            .collect())
    }

    fn sort_few(
        &mut self,
        inputs: &[NodeId],
        axis: usize,
        descending: bool,
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        let dims = self.dims(inputs[0]);
        let (n, stride) = (dims[axis], contiguous(&dims)[axis] as usize);
        let mut all = vec![];
        for &id in inputs {
            all.push(self.elements(id)?);
        }
        for first in (0..positions(&dims).len()).filter(|at| at / stride % n == 0) {
            let at = |i: usize| first + i * stride;
            let line = |v: &Vec<Value>| (0..n).map(|i| v[at(i)]).collect();
            let mut lines: Vec<Vec<Value>> = all.iter().map(line).collect();
            sort_values(&mut self.b, &mut lines, descending);
            for (v, line) in all.iter_mut().zip(lines) {
                for (i, value) in line.into_iter().enumerate() {
                    v[at(i)] = value;
                }
            }
        }
        let sorted = outputs.iter().zip(&all);
        Ok(sorted
            .map(|(want, v)| self.of_elements(&want.ty, v))
            .collect())
    }

    fn sort_in_registers(
        &mut self,
        inputs: &[NodeId],
        places: &[View],
        axis: usize,
        n: usize,
        descending: bool,
        at: &[Affine],
    ) -> Result<()> {
        let mut at: PerAxis<Affine> = at.into();
        let mut lines = vec![];
        for &id in inputs {
            let mut line = vec![];
            for i in 0..n {
                at[axis] = Affine::constant(i as i64);
                line.push(self.element(id, &at)?);
            }
            lines.push(line);
        }
        sort_values(&mut self.b, &mut lines, descending);
        for (place, line) in places.iter().zip(lines) {
            for (i, value) in line.into_iter().enumerate() {
                at[axis] = Affine::constant(i as i64);
                self.store(place, &at, value);
            }
        }
        Ok(())
    }

    /// Exchanges neighbours that are out of order, in `n` passes: pairs whose first place is even, then pairs
    /// whose first place is odd, and so on. The steps do not depend on the elements, so that lanes stay
    /// together, and equal elements never change places.
    fn sort_in_memory(
        &mut self,
        inputs: &[NodeId],
        places: &[View],
        axis: usize,
        n: usize,
        descending: bool,
        at: &[Affine],
    ) -> Result<()> {
        let mut at: PerAxis<Affine> = at.into();
        let extent = self.b.i64(n as i64);
        self.repeat(LoopKind::SERIAL, extent, |l, i| {
            at[axis] = i;
            for (&id, place) in inputs.iter().zip(places) {
                let value = l.element(id, &at)?;
                l.store(place, &at, value);
            }
            Ok(())
        })?;
        self.repeat(LoopKind::SERIAL, extent, |l, pass| {
            let start = l.b.rem(&pass, 2);
            let left = l.b.add_scaled(&Affine::constant(n as i64), &start, -1);
            let pairs = l.b.div(&left, 2);
            let pairs = l.b.materialize(&pairs);
            l.repeat(LoopKind::SERIAL, pairs, |l, j| {
                let first = l.b.add_scaled(&start, &j, 2);
                let (mut low, mut high) = (at.clone(), at.clone());
                low[axis] = first.clone();
                high[axis] = first.plus(1);
                let pair = |l: &mut Lowering, place: &View| {
                    vec![l.load(place, &low), l.load(place, &high)]
                };
                let mut lines: Vec<Vec<Value>> = places.iter().map(|p| pair(l, p)).collect();
                exchange(&mut l.b, &mut lines, 0, descending);
                for (place, line) in places.iter().zip(lines) {
                    l.store(place, &low, line[0]);
                    l.store(place, &high, line[1]);
                }
                Ok(())
            })
        })
    }

    /// Stores the keys row after row and sorts them in place. The other operands are then loaded from the
    /// places where the keys came from.
    fn sort_by_library(
        &mut self,
        inputs: &[NodeId],
        axis: usize,
        descending: bool,
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        let dims = self.dims(inputs[0]);
        let (rank, n) = (dims.len(), dims[axis]);
        let rows = dims.iter().product::<usize>() / n;
        // The sorted axis becomes the last one.
        let mut order: Vec<usize> = (0..rank).filter(|&a| a != axis).collect();
        order.push(axis);
        let row_dims: Vec<usize> = order.iter().map(|&a| dims[a]).collect();
        let fits = |place: &View| {
            buffer_of(place).is_some() && {
                let strides: Vec<i64> = order.iter().map(|&a| place.strides[a]).collect();
                is_contiguous(&row_dims, &strides)
            }
        };
        let dtype = outputs[0].ty.dtype;
        let mut back = vec![0; rank];
        for (i, &a) in order.iter().enumerate() {
            back[a] = i;
        }
        let to_order = AxisMap::transpose(&row_dims, &back);
        let place = match &outputs[0].place {
            Some(place) if fits(place) => place.clone(),
            _ => {
                let keys = self.alloc(dtype, &row_dims);
                self.map_view(&keys, &to_order)
            }
        };
        self.write(inputs[0], place.clone())?;
        let region = |view: &View| {
            let buffer = buffer_of(view).expect("in a buffer");
            (buffer, view.offset.clone())
        };
        let kernel: Arc<dyn Kernel> = Arc::new(Sort {
            dtype,
            rows,
            n,
            descending,
            places: inputs.len() > 1,
        });
        let mut regions = vec![region(&place)];
        let mut found = None;
        if inputs.len() > 1 {
            let places = self.alloc(DType::I64, &row_dims);
            regions.push(region(&places));
            let places = self.map_view(&places, &to_order);
            let ty = Type::new(DType::I64, &dims);
            found = Some(self.push(ty, Expr::Stored(places)));
        }
        let touched: Vec<BufferId> = regions.iter().map(|r| r.0).collect();
        self.note_kernel(&kernel, &touched[..1], &touched);
        self.b.kernel(kernel, &regions);
        let mut results = vec![self.stored(dtype, dims, place)];
        for (&x, want) in inputs[1..].iter().zip(&outputs[1..]) {
            let places = found.expect("the places of the keys");
            results.push(self.find(&want.ty, &[x, places], move |l, at| {
                let mut from: PerAxis<Affine> = at.into();
                let place = l.element(places, at)?;
                from[axis] = l.b.affine(place);
                l.element(x, &from)
            })?);
        }
        Ok(results)
    }
}

/// Sorts values in the order of the first line, by exchanging neighbours until all are in order.
fn sort_values(b: &mut Builder, lines: &mut [Vec<Value>], descending: bool) {
    let n = lines[0].len();
    for end in (1..n).rev() {
        for i in 0..end {
            exchange(b, lines, i, descending);
        }
    }
}

/// Exchanges neighbours `i` and `i + 1` of all lines if their keys, in the first line, are out of order.
fn exchange(b: &mut Builder, lines: &mut [Vec<Value>], i: usize, descending: bool) {
    let (first, second) = (lines[0][i], lines[0][i + 1]);
    let swap = match descending {
        false => is_below(b, second, first),
        true => is_below(b, first, second),
    };
    for line in lines {
        let (low, high) = (line[i], line[i + 1]);
        line[i] = b.select(swap, high, low);
        line[i + 1] = b.select(swap, low, high);
    }
}

/// Returns whether one key comes before another in ascending order: NaN comes last, and zeros are equal.
fn is_below(b: &mut Builder, x: Value, y: Value) -> Value {
    let less = b.op(ScalarOp::Lt, &[x, y]);
    if !b.dtype(x).is_float() {
        return less;
    }
    let number = b.op(ScalarOp::Eq, &[x, x]);
    let nan = b.op(ScalarOp::Ne, &[y, y]);
    let last = b.op(ScalarOp::And, &[number, nan]);
    b.op(ScalarOp::Or, &[less, last])
}
