//! Values along an axis, each made from the one before it.

use std::collections::HashMap;

use super::nest::Space;
use super::node::{Expr, FEW, NodeId};
use super::notes::StoreReason;
use super::view::{PerAxis, View, contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{LANES, LoopKind, ScalarOp, Value};

/// Maximum length of a line that is unrolled.
const UNROLLED: usize = 8;

/// Minimum number of elements in a row from which lines are computed row by row.
const ROW: usize = 4 * LANES;

/// Number of elements of a row that one task computes, if it goes row by row.
const CHUNK: usize = 512;

/// Writes the statements that compute a value. The arguments are whether it is the first, the value before
/// it, and elements of the operands.
pub type Step<'a> = dyn Fn(&mut Builder, Value, Value, &[Value]) -> Value + 'a;

/// Values along an axis, each made from the one before it.
pub struct Running<'a> {
    /// The axis.
    pub axis: usize,
    /// Whether the values run from the last place to the first.
    pub reverse: bool,
    /// The bits of the value before the first: a step from it gives the element of the last operand.
    pub start: u64,
    /// The step from one value to the next.
    pub step: &'a Step<'a>,
}

/// The reads and writes of a nest over running values.
struct Lines<'a> {
    running: &'a Running<'a>,
    inputs: &'a [NodeId],
    /// The length of a line.
    n: usize,
    /// The expressions that are computed along with the values.
    pending: Vec<NodeId>,
    /// The expressions that something else uses as well, and the places where they are stored.
    beside: Vec<(NodeId, View)>,
    /// The place where the values are stored.
    place: View,
}

impl Lowering {
    /// Computes values along an axis, each from the one before it. All operands have the shape of the result.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn running(
        &mut self,
        running: &Running<'_>,
        inputs: &[NodeId],
        want: &Wanted,
    ) -> Result<NodeId> {
        let dims = want.ty.dims();
        let n = dims[running.axis];
        if dims.contains(&0) {
            return Ok(self.literal(want.ty.clone(), 0));
        }
        if want.ty.size() <= FEW {
            return self.running_few(running, inputs, want);
        }
        let below = self.pending_below(inputs.iter().copied());
        self.force(
            &[self.draws(&below), self.pads(&below)].concat(),
            StoreReason::Whole,
        )?;
        let pending = self.pending_below(inputs.iter().copied());
        let mut beside = self.wanted_outside(&pending, inputs);
        for (i, &x) in inputs.iter().enumerate() {
            let own = inputs.iter().filter(|&&y| y == x).count() as u32;
            let more = pending.contains(&x) && self.node(x).uses > own;
            if more && !inputs[..i].contains(&x) {
                beside.push(x);
            }
        }
        let beside: Vec<(NodeId, View)> = (beside.into_iter())
            .map(|id| {
                let wish = self.node_mut(id).place.take();
                (
                    id,
                    wish.unwrap_or_else(|| self.alloc_for(id, StoreReason::Shared)),
                )
            })
            .collect();
        let read = self.with_leaves(&pending, inputs);
        let mut walks = self.walks(&read);
        let read = self.with_found(read);
        let place = self.place(want);
        walks.push(Some(place.strides.clone()));
        walks.extend(beside.iter().map(|b| Some(b.1.strides.clone())));
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&read)?;
        let lines = Lines {
            running,
            inputs,
            n,
            pending,
            beside,
            place,
        };
        let written: Vec<View> = (lines.beside.iter().map(|b| b.1.clone()))
            .chain([lines.place.clone()])
            .collect();
        self.in_nest(&written, |l| {
            l.note_here();
            l.lines(&lines, &dims, &walks)
        })?;
        self.spilled = spilled;
        for (id, place) in lines.beside {
            self.settle(id, Expr::Stored(place));
        }
        Ok(self.stored(want.ty.dtype, dims, lines.place))
    }

    fn running_few(
        &mut self,
        running: &Running<'_>,
        inputs: &[NodeId],
        want: &Wanted,
    ) -> Result<NodeId> {
        let dims = want.ty.dims();
        let (n, stride) = (dims[running.axis], contiguous(&dims)[running.axis] as usize);
        let mut all = vec![];
        for &id in inputs {
            all.push(self.elements(id)?);
        }
        let mut values = all[all.len() - 1].clone();
        let later = self.b.bool(false);
        let firsts = (0..values.len()).filter(|at| at / stride % n == 0);
        for first in firsts {
            for i in 1..n {
                let along = |i: usize| first + stride * if running.reverse { n - 1 - i } else { i };
                let x: PerAxis<Value> = all.iter().map(|v| v[along(i)]).collect();
                let before = values[along(i - 1)];
                values[along(i)] = (running.step)(&mut self.b, later, before, &x);
            }
        }
        Ok(self.of_elements(&want.ty, &values))
    }

    /// Lowers all lines. Neighbouring lines run side by side.
    fn lines(
        &mut self,
        lines: &Lines<'_>,
        dims: &[usize],
        walks: &[Option<PerAxis<i64>>],
    ) -> Result<()> {
        let axis = lines.running.axis;
        let inner: usize = dims[axis + 1..].iter().product();
        if !self.in_lanes() && inner >= ROW && lines.n > 1 {
            return self.row_by_row(lines, dims, walks);
        }
        let others: Vec<usize> = (0..dims.len()).filter(|&a| a != axis).collect();
        let space = Space::of_axes(dims, &others, walks);
        self.over(&space, lines.n, &mut |l, at| l.line(lines, at))
    }

    /// Lowers one line, with the running value in a register.
    fn line(&mut self, lines: &Lines<'_>, at: &[Affine]) -> Result<()> {
        let (running, n) = (lines.running, lines.n as i64);
        let mut at: PerAxis<Affine> = at.into();
        let start = self.b.constant(self.dtype_of(lines), running.start);
        if lines.n <= UNROLLED {
            let mut value = start;
            for i in 0..n {
                let along = if running.reverse { n - 1 - i } else { i };
                at[running.axis] = Affine::constant(along);
                let first = self.b.bool(i == 0);
                value = self.place_on_line(lines, &at, (i > 0).then_some((first, value)))?;
            }
            return Ok(());
        }
        let serial = LoopKind::Serial {
            reverse: running.reverse,
        };
        let (carry, extent) = (self.b.carry(start), self.b.i64(n));
        self.for_(serial, extent, &[carry], |l, i, before| {
            let first = l.is_first(lines, i);
            at[running.axis] = l.b.affine(i);
            let value = l.place_on_line(lines, &at, Some((first, before[0])))?;
            Ok(vec![value])
        })?;
        Ok(())
    }

    fn dtype_of(&self, lines: &Lines<'_>) -> crate::ir::DType {
        self.ty(lines.inputs[0]).dtype
    }

    fn is_first(&mut self, lines: &Lines<'_>, i: Value) -> Value {
        let first = match lines.running.reverse {
            true => lines.n as i64 - 1,
            false => 0,
        };
        let first = self.b.i64(first);
        self.b.op(ScalarOp::Eq, &[i, first])
    }

    /// Computes one place of a line and writes it. `before` holds whether the place is the first, and the
    /// value before it; it is `None` if the place is known to be the first.
    fn place_on_line(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        before: Option<(Value, Value)>,
    ) -> Result<Value> {
        self.memo = Some(HashMap::new());
        for &id in &lines.pending {
            self.element(id, at)?;
        }
        let all = lines.inputs.iter().chain(lines.beside.iter().map(|b| &b.0));
        let values: Result<PerAxis<Value>> = all.map(|&id| self.element(id, at)).collect();
        self.memo = None;
        let values = values?;
        let (x, beside) = values.split_at(lines.inputs.len());
        for ((_, place), &value) in lines.beside.iter().zip(beside) {
            self.store(place, at, value);
        }
        let value = match before {
            Some((first, before)) => (lines.running.step)(&mut self.b, first, before, x),
            None => x[x.len() - 1],
        };
        self.store(&lines.place, at, value);
        Ok(value)
    }

    /// Lowers many lines that lie side by side in memory: one place of all of them, then the next, so that
    /// memory is walked in order. Each step loads the values before from where they were stored.
    fn row_by_row(
        &mut self,
        lines: &Lines<'_>,
        dims: &[usize],
        walks: &[Option<PerAxis<i64>>],
    ) -> Result<()> {
        let axis = lines.running.axis;
        let (front, behind): (Vec<usize>, Vec<usize>) = (0..dims.len())
            .filter(|&a| a != axis)
            .partition(|&a| a < axis);
        let rows = Space::of_axes(dims, &behind, walks);
        let (last, outer) = rows.axes.split_last().expect("a row of some length");
        let long: usize = outer.iter().map(|a| a.extent).product();
        let serial = LoopKind::Serial {
            reverse: lines.running.reverse,
        };
        // Lowers a part of the rows, at a position of the axes before `axis`.
        let part = |l: &mut Lowering, at: &[Affine], start: &Affine, len: Value| {
            let mut at: PerAxis<Affine> = at.into();
            let extent = l.b.i64(lines.n as i64);
            l.repeat(serial, extent, |l, i| {
                at[axis] = i.clone();
                let step = l.b.materialize(&i);
                let first = l.is_first(lines, step);
                l.serial(outer, &mut at, &mut |l, at| {
                    let mut at: PerAxis<Affine> = at.into();
                    l.repeat(LoopKind::Vector, len, |l, j| {
                        at[last.axis] = l.b.add_scaled(start, &j, 1);
                        l.row_element(lines, &at, step, first)
                    })
                })
            })
        };
        let fronts = Space::of_axes(dims, &front, walks);
        let size: usize = dims.iter().product();
        let own = lines.n * long * last.extent;
        let tasks = size >= self.target.tasks_from && !self.parallel;
        if tasks && fronts.size() * 4 * CHUNK < size / lines.n && last.extent > CHUNK {
            // There are few positions before `axis`: parts of the rows become the tasks.
            let origin = fronts.origin();
            let front_axes = fronts.axes.clone();
            return self.chunks(
                LoopKind::Parallel,
                last.extent,
                CHUNK,
                &mut |l, start, len, _| {
                    let mut at = origin.clone();
                    l.serial(&front_axes, &mut at, &mut |l, at| part(l, at, &start, len))
                },
            );
        }
        let len = self.b.i64(last.extent as i64);
        self.over_serially(&fronts, own, &mut |l, at| {
            part(l, at, &Affine::default(), len)
        })
    }

    fn row_element(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        step: Value,
        first: Value,
    ) -> Result<()> {
        let axis = lines.running.axis;
        let dtype = self.dtype_of(lines);
        // The first place has none before it: load from the place itself, whose address is valid, and ignore
        // the value.
        let mut before: PerAxis<Affine> = at.into();
        let back = self.b.i64(if lines.running.reverse { 1 } else { -1 });
        let near = self.b.add(step, back);
        let near = self.b.select(first, step, near);
        before[axis] = self.b.affine(near);
        let written = self.load(&lines.place, &before);
        let start = self.b.constant(dtype, lines.running.start);
        let before = self.b.select(first, start, written);
        self.place_on_line(lines, at, Some((first, before)))?;
        Ok(())
    }
}
