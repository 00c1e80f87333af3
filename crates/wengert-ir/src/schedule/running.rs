//! Values along an axis, each made from the one before it.

mod rows;

use std::collections::HashMap;

use super::nest::Space;
use super::node::{Expr, FEW, NodeId, Position};
use super::notes::StoreReason;
use super::view::{PerAxis, View, contiguous};
use super::{Lowering, Wanted};
use crate::cost::price;
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{FoldOp, LANES, LoopKind, ScalarOp, Value};
use crate::order::CHUNK;

/// Maximum length of a line that is unrolled.
const UNROLLED: usize = 8;

/// Minimum number of elements in a row from which lines are computed row by row.
const ROW: usize = 4 * LANES;

/// Number of places of a line whose operands are computed side by side before the values run over them.
const STRIP: usize = 512;

/// Work for each place from which that is done.
const DEAR: u64 = price::DIVISION;

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
    /// The operation that joins the last value of a chunk with each value of the next one, if the values begin anew in
    /// each chunk of [`CHUNK`] places; `None` if each value is made from the one before it.
    pub join: Option<FoldOp>,
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
    /// Whether the operands are dear to compute.
    dear: bool,
    /// The place where the values are stored.
    place: View,
}

impl Lines<'_> {
    /// Returns the operation that joins chunks, if there is more than one.
    fn chunked(&self) -> Option<FoldOp> {
        self.running.join.filter(|_| self.n > CHUNK)
    }
}

/// Visits a piece of a line, given by its first place and its length, with the value from the piece before it.
type PieceVisit<'f> = dyn FnMut(&mut Lowering, (&Affine, usize), Value) -> Result<Value> + 'f;

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
        let work = |&id: &NodeId| match self.expr(id) {
            Expr::Each { work, .. } => *work,
            _ => 0,
        };
        let dear = pending.iter().map(work).sum::<u64>() >= DEAR;
        let lines = Lines {
            running,
            inputs,
            n,
            dear,
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
        if self.in_lanes() || lines.n <= UNROLLED {
            return self.over(&space, lines.n, &mut |l, at| l.line(lines, at));
        }
        let few = space.size() * CHUNK < lines.n;
        match lines.chunked().filter(|_| few && self.wants_tasks(lines.n)) {
            Some(join) => {
                let mut at = space.origin();
                self.serial(&space.axes, &mut at, &mut |l, at| {
                    l.long_line(lines, at, join)
                })
            }
            // Lines side by side would read and write in strides.
            None => self.over_serially(&space, lines.n, &mut |l, at| l.line(lines, at)),
        }
    }

    /// Lowers a long line: the chunks in parallel, each as if it were the first, then what each is joined with, then
    /// the joining in parallel.
    fn long_line(&mut self, lines: &Lines<'_>, at: &[Affine], join: FoldOp) -> Result<()> {
        let (running, dtype) = (lines.running, self.dtype_of(lines));
        let start = self.b.constant(dtype, running.start);
        let (full, rest) = (lines.n / CHUNK, lines.n % CHUNK);
        // The chunks are numbered by their places; going backwards, the short one is before the others.
        let (first, short) = match running.reverse {
            true => (rest as i64, 0),
            false => (0, (full * CHUNK) as i64),
        };
        let count = self.b.i64(full as i64);
        self.repeat(LoopKind::Parallel, count, |l, c| {
            let first = l.b.add_scaled(&Affine::constant(first), &c, CHUNK as i64);
            l.run_over(lines, at, (&first, CHUNK), start, None)?;
            Ok(())
        })?;
        let lasts = self.alloc_because(dtype, &[full], StoreReason::Parts);
        let end = |c: &Affine, l: &mut Lowering| {
            let end = if running.reverse { 0 } else { CHUNK as i64 - 1 };
            let mut at: PerAxis<Affine> = at.into();
            at[running.axis] =
                l.b.add_scaled(&Affine::constant(first + end), c, CHUNK as i64);
            at
        };
        let carry = self.b.carry(start);
        let serial = LoopKind::Serial {
            reverse: running.reverse,
        };
        let last = self.for_(serial, count, &[carry], |l, c, last| {
            let c = l.b.affine(c);
            l.store(&lasts, std::slice::from_ref(&c), last[0]);
            let at = end(&c, l);
            let value = l.load(&lines.place, &at);
            Ok(vec![l.b.op(join.scalar(), &[last[0], value])])
        })?;
        self.repeat(LoopKind::Parallel, count, |l, c| {
            let last = l.load(&lasts, std::slice::from_ref(&c));
            let first = l.b.add_scaled(&Affine::constant(first), &c, CHUNK as i64);
            let extent = l.b.i64(CHUNK as i64);
            l.repeat(LoopKind::Vector, extent, |l, i| {
                let i = l.b.materialize(&i);
                let at = l.on_line(lines, at, &first, i);
                let value = l.load(&lines.place, &at);
                l.store_joined(lines, &at, value, Some((join, last)));
                Ok(())
            })
        })?;
        if rest > 0 {
            let short = (&Affine::constant(short), rest);
            self.run_over(lines, at, short, start, Some((join, last[0])))?;
        }
        Ok(())
    }

    /// Lowers one line, with the running value in a register.
    fn line(&mut self, lines: &Lines<'_>, at: &[Affine]) -> Result<()> {
        let (running, n) = (lines.running, lines.n as i64);
        let start = self.b.constant(self.dtype_of(lines), running.start);
        if lines.n <= UNROLLED {
            let mut at: PerAxis<Affine> = at.into();
            let mut value = start;
            for i in 0..n {
                let along = if running.reverse { n - 1 - i } else { i };
                at[running.axis] = Affine::constant(along);
                let first = self.b.bool(i == 0);
                value = self.place_on_line(lines, &at, (i > 0).then_some((first, value)))?;
            }
            return Ok(());
        }
        let Some(join) = lines.chunked() else {
            self.run_over(lines, at, (&Affine::default(), lines.n), start, None)?;
            return Ok(());
        };
        let whole = (&Affine::default(), lines.n);
        self.pieces(
            running.reverse,
            whole,
            CHUNK,
            start,
            &mut |l, piece, last| {
                let value = l.run_over(lines, at, piece, start, Some((join, last)))?;
                Ok(l.b.op(join.scalar(), &[last, value]))
            },
        )?;
        Ok(())
    }

    /// Lowers a piece of a line, given by its first place and its length. Returns the last value, which begins with
    /// `value`. Each value is stored after it is joined with `last`, if that is given.
    fn run_over(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        piece: (&Affine, usize),
        value: Value,
        last: Option<(FoldOp, Value)>,
    ) -> Result<Value> {
        let running = lines.running;
        let serial = LoopKind::Serial {
            reverse: running.reverse,
        };
        if self.in_lanes() || !lines.dear {
            let (carry, extent) = (self.b.carry(value), self.b.i64(piece.1 as i64));
            let values = self.for_(serial, extent, &[carry], |l, i, before| {
                let at = l.on_line(lines, at, piece.0, i);
                let first = l.is_first(lines, &at);
                let x = l.operands(lines, &at)?;
                let value = (running.step)(&mut l.b, first, before[0], &x);
                l.store_joined(lines, &at, value, last);
                Ok(vec![value])
            })?;
            return Ok(values[0]);
        }
        let dtype = self.dtype_of(lines);
        // The last operand waits in the place of the values.
        let others: Vec<View> = (1..lines.inputs.len())
            .map(|_| self.alloc_because(dtype, &[STRIP], StoreReason::Whole))
            .collect();
        self.pieces(
            running.reverse,
            piece,
            STRIP,
            value,
            &mut |l, piece, value| {
                let extent = l.b.i64(piece.1 as i64);
                l.repeat(LoopKind::Vector, extent, |l, i| {
                    let step = l.b.materialize(&i);
                    let at = l.on_line(lines, at, piece.0, step);
                    let x = l.operands(lines, &at)?;
                    let (&last, before) = x.split_last().expect("an operand");
                    for (other, &x) in others.iter().zip(before) {
                        l.store(other, std::slice::from_ref(&i), x);
                    }
                    l.store(&lines.place, &at, last);
                    Ok(())
                })?;
                let carry = l.b.carry(value);
                let values = l.for_(serial, extent, &[carry], |l, i, before| {
                    let at = l.on_line(lines, at, piece.0, i);
                    let first = l.is_first(lines, &at);
                    let i = l.b.affine(i);
                    let mut x: PerAxis<Value> = others
                        .iter()
                        .map(|o| l.load(o, std::slice::from_ref(&i)))
                        .collect();
                    x.push(l.load(&lines.place, &at));
                    let value = (running.step)(&mut l.b, first, before[0], &x);
                    l.store_joined(lines, &at, value, last);
                    Ok(vec![value])
                })?;
                Ok(values[0])
            },
        )
    }

    /// Visits a piece of a line, given by its first place and its length, in smaller pieces of `size` places, with a
    /// value that goes from each to the next. The piece that is shorter than the others comes last.
    fn pieces(
        &mut self,
        reverse: bool,
        (start, len): (&Affine, usize),
        size: usize,
        value: Value,
        visit: &mut PieceVisit<'_>,
    ) -> Result<Value> {
        let (full, rest) = (len / size, len % size);
        let (first, short) = match reverse {
            true => (start.clone().plus(rest as i64), start.clone()),
            false => (start.clone(), start.clone().plus((full * size) as i64)),
        };
        let mut value = value;
        if full == 1 {
            value = visit(self, (&first, size), value)?;
        }
        if full > 1 {
            let (carry, count) = (self.b.carry(value), self.b.i64(full as i64));
            let values = self.for_(
                LoopKind::Serial { reverse },
                count,
                &[carry],
                |l, c, value| {
                    let c = l.b.affine(c);
                    let first = l.b.add_scaled(&first, &c, size as i64);
                    Ok(vec![visit(l, (&first, size), value[0])?])
                },
            )?;
            value = values[0];
        }
        match rest {
            0 => Ok(value),
            _ => visit(self, (&short, rest), value),
        }
    }

    /// The position `i` places behind `start` on a line.
    fn on_line(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        start: &Affine,
        i: Value,
    ) -> PerAxis<Affine> {
        let mut at: PerAxis<Affine> = at.into();
        let i = self.b.affine(i);
        at[lines.running.axis] = self.b.add_scaled(start, &i, 1);
        at
    }

    fn dtype_of(&self, lines: &Lines<'_>) -> crate::ir::DType {
        self.ty(lines.inputs[0]).dtype
    }

    fn is_first(&mut self, lines: &Lines<'_>, at: &[Affine]) -> Value {
        let first = match lines.running.reverse {
            true => lines.n as i64 - 1,
            false => 0,
        };
        let first = self.b.i64(first);
        let along = self.b.materialize(&at[lines.running.axis]);
        self.b.op(ScalarOp::Eq, &[along, first])
    }

    /// Computes one place of a line and writes it. `before` holds whether the place is the first, and the
    /// value before it; it is `None` if the place is known to be the first.
    fn place_on_line(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        before: Option<(Value, Value)>,
    ) -> Result<Value> {
        let x = self.operands(lines, at)?;
        let value = match before {
            Some((first, before)) => (lines.running.step)(&mut self.b, first, before, &x),
            None => x[x.len() - 1],
        };
        self.store(&lines.place, at, value);
        Ok(value)
    }

    /// Computes the operands at a position, and stores what is computed beside them.
    fn operands(&mut self, lines: &Lines<'_>, at: &[Affine]) -> Result<PerAxis<Value>> {
        self.memo = Some(HashMap::new());
        for &id in &lines.pending {
            self.element(id, at)?;
        }
        let all = lines.inputs.iter().chain(lines.beside.iter().map(|b| &b.0));
        let values: Result<PerAxis<Value>> = all.map(|&id| self.element(id, at)).collect();
        self.memo = None;
        let mut values = values?;
        for ((_, place), value) in lines.beside.iter().zip(values.drain(lines.inputs.len()..)) {
            self.store(place, at, value);
        }
        Ok(values)
    }

    fn store_joined(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        value: Value,
        last: Option<(FoldOp, Value)>,
    ) {
        let value = match last {
            Some((join, last)) => self.b.op(join.scalar(), &[last, value]),
            None => value,
        };
        self.store(&lines.place, at, value);
    }
}
