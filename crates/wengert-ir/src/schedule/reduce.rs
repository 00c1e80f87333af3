//! Reductions, in the order that [`crate::order`] defines.

use std::collections::HashMap;

use super::nest::{Space, is_unrolled};
use super::node::{Expr, FEW, NodeId, Position, positions};
use super::notes::StoreReason;
use super::view::{AxisMap, PerAxis, View, contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::{FoldOp, LANES, LoopKind, ScalarOp, Value};
use crate::order::{CHUNK, LANE_CHUNK, PARTIALS, SHORT};
use crate::scalar::bits_of;

/// Number of reads per element from which a reduction copies an array into the order in which it reads it.
const OFTEN: usize = 8;

/// Returns the neutral element, from which a reduction starts: combined with any value it gives that value,
/// bit for bit.
pub fn neutral(op: FoldOp, dtype: DType) -> u64 {
    let float = |x: f64| bits_of(x, dtype);
    let (smallest, largest) = match dtype {
        DType::F32 | DType::F64 => (float(f64::NEG_INFINITY), float(f64::INFINITY)),
        DType::I32 => (u64::from(i32::MIN as u32), i32::MAX as u64),
        DType::I64 => (i64::MIN as u64, i64::MAX as u64),
        DType::U32 => (0, u64::from(u32::MAX)),
        DType::U64 => (0, u64::MAX),
        DType::U8 => (0, u64::from(u8::MAX)),
        DType::Bool => (0, 1),
    };
    match op {
        FoldOp::Add if dtype.is_float() => float(-0.0),
        FoldOp::Add => 0,
        FoldOp::Mul if dtype.is_float() => float(1.0),
        FoldOp::Mul => 1,
        FoldOp::Min => largest,
        FoldOp::Max => smallest,
    }
}

/// Returns the reduction of no terms. An empty sum is a zero without a sign.
fn nothing(op: FoldOp, dtype: DType) -> u64 {
    match op {
        FoldOp::Add => 0,
        _ => neutral(op, dtype),
    }
}

/// Computes the term of a reduction at a point.
pub(super) type Term<'f> = dyn FnMut(&mut Lowering, &[Affine]) -> Result<Value> + 'f;

/// A reduction of terms over some axes.
pub(super) struct Fold {
    pub op: FoldOp,
    pub dtype: DType,
    /// The lengths of all axes of the terms.
    pub dims: Vec<usize>,
    /// The axes of the result.
    pub kept: Vec<usize>,
    /// The axes that are reduced.
    pub reduced: Vec<usize>,
    /// The strides of the arrays that the terms read.
    pub walks: Vec<Option<PerAxis<i64>>>,
    /// The order in which terms are combined.
    pub rule: Rule,
    /// Whether terms must be computed one at a time (no vector loop).
    pub serially: bool,
    /// The draws that a chunk of terms reads, computed before the chunk.
    pub draws: Vec<NodeId>,
}

/// The order in which terms are combined: see [`crate::order`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// The order of reductions.
    Usual,
    /// One term after the other, however many there are.
    OneByOne,
    /// The order of sums over the lanes of a map.
    Lanes,
}

impl Lowering {
    /// Reduces an array over `axes`; the other axes stay, in order.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn reduce(
        &mut self,
        x: NodeId,
        axes: &[usize],
        op: FoldOp,
        want: &Wanted,
    ) -> Result<NodeId> {
        let dims = self.dims(x);
        let (reduced, kept): (Vec<usize>, Vec<usize>) =
            (0..dims.len()).partition(|a| axes.contains(a));
        let n: usize = reduced.iter().map(|&a| dims[a]).product();
        if n == 0 {
            return Ok(self.literal(want.ty.clone(), nothing(op, want.ty.dtype)));
        }
        self.force(&self.pads(&self.pending_below([x])), StoreReason::Whole)?;
        let mut draws = self.draws(&self.pending_below([x]));
        if self.in_lanes() || self.parallel || !kept.is_empty() || n <= CHUNK {
            self.force(&draws, StoreReason::Whole)?;
            draws.clear();
        }
        let pending = self.pending_below([x]);
        let mut beside = self.wanted_outside(&pending, &[x]);
        if pending.last() == Some(&x) && self.node(x).uses > 1 {
            beside.push(x);
        }
        let leaves = self.with_leaves(&pending, &[x]);
        let walks = self.walks(&leaves);
        let read = self.with_found(leaves.clone());
        let mut fold = Fold {
            op,
            dtype: want.ty.dtype,
            dims: dims.clone(),
            kept,
            reduced,
            walks,
            rule: Rule::Usual,
            serially: false,
            draws,
        };
        if fold.across(self.in_lanes()) && fold.reduced_space().axes.len() > 1 {
            // Make the terms contiguous.
            let perm = [&fold.kept[..], &fold.reduced].concat();
            let moved = self.remap(x, &AxisMap::transpose(&dims, &perm))?;
            let view = self.contiguous_memory(moved, StoreReason::Reordered)?;
            let k = fold.kept.len();
            let ty = self.ty(moved).clone();
            let moved = self.stored(ty.dtype, ty.dims(), view);
            let axes: Vec<usize> = (k..dims.len()).collect();
            return self.reduce(moved, &axes, op, want);
        }
        let turned = self.turn(&leaves, &fold)?;
        fold.walks = self.walks(&leaves);
        let places: Vec<View> = (beside.iter())
            .map(|&id| {
                let wish = self.node_mut(id).place.take();
                wish.unwrap_or_else(|| self.alloc_for(id, StoreReason::Shared))
            })
            .collect();
        fold.walks
            .extend(places.iter().map(|p| Some(p.strides.clone())));
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&read)?;
        let term = &mut |l: &mut Lowering, at: &[Affine]| {
            l.memo = Some(HashMap::new());
            for &id in &pending {
                l.element(id, at)?;
            }
            let value = l.element(x, at)?;
            let beside: Result<Vec<Value>> = beside.iter().map(|&id| l.element(id, at)).collect();
            l.memo = None;
            for (place, value) in places.iter().zip(beside?) {
                l.store(place, at, value);
            }
            Ok(value)
        };
        let written = places.iter().chain(&want.place);
        let result = self.in_nest(written, |l| l.fold(&fold, want, term))?;
        self.spilled = spilled;
        for (id, expr) in turned {
            self.node_mut(id).expr = expr;
        }
        for (id, place) in beside.into_iter().zip(places) {
            self.settle(id, Expr::Stored(place));
        }
        Ok(result)
    }

    /// Copies the arrays of which the reduction reads each element often, and reads elements side by side
    /// that are not neighbours in memory. The copies are laid out in the order of reading. Each stands in for
    /// its array until the caller restores the expressions that are returned, because a copy exists where the
    /// reduction is and maybe nowhere else.
    fn turn(&mut self, leaves: &[NodeId], fold: &Fold) -> Result<Vec<(NodeId, Expr)>> {
        let mut turned = vec![];
        let mut kept = fold.kept.iter().copied().rev();
        let Some(lanes) = kept.find(|&a| fold.dims[a] >= LANES) else {
            return Ok(turned);
        };
        if self.in_lanes() || fold.serially || fold.across(false) {
            return Ok(turned);
        }
        let points: usize = fold.dims.iter().product();
        for &id in leaves {
            let Expr::Stored(view) = self.expr(id).clone() else {
                continue;
            };
            let (ty, dims) = (self.ty(id).clone(), self.dims(id));
            let is_own = |&a: &usize| view.strides[a] != 0 && dims[a] > 1;
            let own: Vec<usize> = (0..dims.len()).filter(is_own).collect();
            let len: usize = own.iter().map(|&a| dims[a]).product();
            if view.strides[lanes].abs() <= 1 || len <= FEW || points / len < OFTEN {
                continue;
            }
            let mut to = View {
                strides: dims.iter().map(|_| 0).collect(),
                ..self.alloc_because(ty.dtype, &[len], StoreReason::Reordered)
            };
            let mut next = 1;
            let others = own.iter().rev().filter(|&&a| a != lanes);
            for &a in std::iter::once(&lanes).chain(others) {
                to.strides[a] = next;
                next *= dims[a] as i64;
            }
            let once = (0..dims.len()).map(|a| if own.contains(&a) { dims[a] } else { 1 });
            let from = self.stored(ty.dtype, once.collect(), view);
            self.write(from, to.clone())?;
            let before = std::mem::replace(&mut self.node_mut(id).expr, Expr::Stored(to));
            turned.push((id, before));
        }
        Ok(turned)
    }

    /// Sums over the first axis, in the order of a sum over the lanes of a map, or one row after the other.
    pub(super) fn sum_rows(&mut self, x: NodeId, rule: Rule, want: &Wanted) -> Result<NodeId> {
        self.force(&[x], StoreReason::Whole)?;
        let dims = self.dims(x);
        let fold = Fold {
            op: FoldOp::Add,
            dtype: want.ty.dtype,
            kept: (1..dims.len()).collect(),
            reduced: vec![0],
            walks: self.walks(&[x]),
            dims,
            rule,
            serially: false,
            draws: vec![],
        };
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&[x])?;
        let sum = self.fold(&fold, want, &mut |l, at| l.element(x, at));
        self.spilled = spilled;
        sum
    }

    /// Lowers a reduction of terms.
    pub(super) fn fold(
        &mut self,
        fold: &Fold,
        want: &Wanted,
        term: &mut Term<'_>,
    ) -> Result<NodeId> {
        let n = fold.terms();
        if n == 0 {
            return Ok(self.literal(want.ty.clone(), nothing(fold.op, want.ty.dtype)));
        }
        self.note_here();
        let dims = want.ty.dims();
        let few = want.ty.size() <= FEW;
        let place = match (&want.place, few) {
            (Some(place), _) => place.clone(),
            (None, true) => View {
                // A dummy: few results stay in registers, and only the strides are used.
                place: super::view::Place::Buffer(crate::loops::BufferId(u32::MAX)),
                offset: Affine::default(),
                strides: contiguous(&dims),
            },
            (None, false) => self.alloc(want.ty.dtype, &dims),
        };
        if n > CHUNK && fold.rule == Rule::Usual && !self.in_lanes() && !self.parallel {
            return self.fold_in_tasks(fold, want, place, term);
        }
        let kept = fold.kept_space(&place);
        if few {
            let mut elements = vec![];
            for at in positions(&kept.dims()) {
                elements.push(self.total(fold, at, term)?);
            }
            return Ok(match dims.is_empty() {
                true => self.scalar(&[], elements[0]),
                false => self.few(want.ty.dtype, &dims, elements),
            });
        }
        let visit = &mut |l: &mut Lowering, at: &[Affine]| {
            let value = l.total(fold, at.into(), term)?;
            l.store(&place, &fold.kept_at(at), value);
            Ok(())
        };
        match fold.serially || fold.across(self.in_lanes()) {
            true => self.over_serially(&kept, n, visit)?,
            false => self.over(&kept, n, visit)?,
        }
        Ok(self.stored(want.ty.dtype, dims, place))
    }

    /// Reduces chunks of terms in parallel, then combines their results.
    fn fold_in_tasks(
        &mut self,
        fold: &Fold,
        want: &Wanted,
        place: View,
        term: &mut Term<'_>,
    ) -> Result<NodeId> {
        let n = fold.terms();
        let (full, rest) = (n / CHUNK, n % CHUNK);
        let dims = want.ty.dims();
        let sums = [&[n.div_ceil(CHUNK)], &dims[..]].concat();
        let partial = self.alloc_because(fold.dtype, &sums, StoreReason::Parts);
        let kept = fold.kept_space(&place);
        let across = fold.across(false);
        let mut chunk = |l: &mut Lowering, c: &Affine, len: usize| {
            let visit = &mut |l: &mut Lowering, at: &[Affine]| {
                let start = l.b.scale(c, CHUNK as i64);
                let value = l.chunk(fold, at.into(), &start, len, term)?;
                let mut to: Position = Position::new();
                to.push(c.clone());
                to.extend(fold.kept_at(at));
                l.store(&partial, &to, value);
                Ok(())
            };
            if !fold.draws.is_empty() {
                let mut at = kept.origin();
                let start = l.b.scale(c, CHUNK as i64);
                fold.set(l, &mut at, start);
                l.begin_strip(&fold.draws, &at, len);
            }
            match across {
                true => l.over_serially(&kept, len, visit)?,
                false => l.over(&kept, len, visit)?,
            }
            l.end_strip(&fold.draws);
            Ok(())
        };
        let count = self.b.i64(full as i64);
        self.repeat(LoopKind::Parallel, count, |l, c| chunk(l, &c, CHUNK))?;
        if rest > 0 {
            chunk(self, &Affine::constant(full as i64), rest)?;
        }
        let partial = self.push(Type::new(fold.dtype, &sums), Expr::Stored(partial));
        let fold = Fold {
            dims: sums.clone(),
            kept: (1..sums.len()).collect(),
            reduced: vec![0],
            walks: self.walks(&[partial]),
            rule: Rule::OneByOne,
            serially: false,
            draws: vec![],
            ..*fold
        };
        let want = Wanted {
            place: Some(place),
            ty: want.ty.clone(),
        };
        self.fold(&fold, &want, &mut |l, at| l.element(partial, at))
    }

    /// Reduces all terms at a point of the kept axes.
    fn total(&mut self, fold: &Fold, at: Position, term: &mut Term<'_>) -> Result<Value> {
        let n = fold.terms();
        let one_by_one = match fold.rule {
            Rule::Usual => n < SHORT,
            Rule::OneByOne => true,
            Rule::Lanes => false,
        };
        let size = match fold.rule {
            Rule::Lanes => LANE_CHUNK,
            _ => CHUNK,
        };
        if one_by_one {
            let space = fold.reduced_space();
            let sum = self.one_by_one(fold, &space.axes, &mut at.clone(), None, term)?;
            return Ok(sum.expect("a term"));
        }
        if n <= size {
            return self.chunk(fold, at, &Affine::default(), n, term);
        }
        let (full, rest) = (n / size, n % size);
        let neutral = self.b.constant(fold.dtype, neutral(fold.op, fold.dtype));
        let (carry, count) = (self.b.carry(neutral), self.b.i64(full as i64));
        let total = self.for_(LoopKind::SERIAL, count, &[carry], |l, c, sum| {
            let c = l.b.affine(c);
            let start = l.b.scale(&c, size as i64);
            let value = l.chunk(fold, at.clone(), &start, size, term)?;
            Ok(vec![l.b.op(fold.op.scalar(), &[sum[0], value])])
        })?[0];
        if rest == 0 {
            return Ok(total);
        }
        let start = Affine::constant((full * size) as i64);
        let value = self.chunk(fold, at, &start, rest, term)?;
        Ok(self.b.op(fold.op.scalar(), &[total, value]))
    }

    /// Loops over the axes with one running value.
    fn one_by_one(
        &mut self,
        fold: &Fold,
        axes: &[super::nest::Axis],
        at: &mut Position,
        sum: Option<Value>,
        term: &mut Term<'_>,
    ) -> Result<Option<Value>> {
        let Some((first, rest)) = axes.split_first() else {
            let value = term(self, at)?;
            return Ok(Some(match sum {
                Some(sum) => self.b.op(fold.op.scalar(), &[sum, value]),
                None => value,
            }));
        };
        if is_unrolled(axes) {
            let mut sum = sum;
            for i in 0..first.extent {
                at[first.axis] = Affine::constant(i as i64);
                sum = self.one_by_one(fold, rest, at, sum, term)?;
            }
            return Ok(sum);
        }
        let neutral = neutral(fold.op, fold.dtype);
        let init = sum.unwrap_or_else(|| self.b.constant(fold.dtype, neutral));
        let (carry, extent) = (self.b.carry(init), self.b.i64(first.extent as i64));
        let sums = self.for_(LoopKind::SERIAL, extent, &[carry], |l, i, sum| {
            at[first.axis] = l.b.affine(i);
            let sum = l.one_by_one(fold, rest, at, Some(sum[0]), term)?;
            Ok(vec![sum.expect("a term")])
        })?;
        Ok(Some(sums[0]))
    }

    /// Reduces `len` consecutive terms, at most [`CHUNK`].
    fn chunk(
        &mut self,
        fold: &Fold,
        mut at: Position,
        start: &Affine,
        len: usize,
        term: &mut Term<'_>,
    ) -> Result<Value> {
        let op = fold.op.scalar();
        let start_from = match fold.rule {
            Rule::Lanes => 0,
            _ => neutral(fold.op, fold.dtype),
        };
        let init = self.b.constant(fold.dtype, start_from);
        let carry = self.b.carry(init);
        if len < SHORT && fold.rule == Rule::Usual {
            let extent = self.b.i64(len as i64);
            let sums = self.for_(LoopKind::SERIAL, extent, &[carry], |l, i, sum| {
                let i = l.b.affine(i);
                let flat = l.b.add_scaled(start, &i, 1);
                fold.set(l, &mut at, flat);
                let value = term(l, &at)?;
                Ok(vec![l.b.op(op, &[sum[0], value])])
            })?;
            return Ok(sums[0]);
        }
        if fold.across(self.in_lanes()) {
            let extent = self.b.i64(len as i64);
            let sums = self.for_(LoopKind::Vector, extent, &[carry], |l, i, sum| {
                let i = l.b.affine(i);
                let flat = l.b.add_scaled(start, &i, 1);
                fold.set(l, &mut at, flat);
                let value = term(l, &at)?;
                Ok(vec![l.b.op(op, &[sum[0], value])])
            })?;
            return Ok(self.b.op(ScalarOp::Fold(fold.op), &sums));
        }
        // Eight partial sums in one lane.
        let (blocks, rest) = (len / PARTIALS, len % PARTIALS);
        let extent = self.b.i64(blocks as i64);
        let mut partial = |l: &mut Lowering, first: &Affine, sums: &[Value], n: usize| {
            let mut sums = sums.to_vec();
            for (j, sum) in sums.iter_mut().enumerate().take(n) {
                fold.set(l, &mut at, first.clone().plus(j as i64));
                let value = term(l, &at)?;
                *sum = l.b.op(op, &[*sum, value]);
            }
            Ok(sums)
        };
        let sums = self.for_(
            LoopKind::SERIAL,
            extent,
            &[carry; PARTIALS],
            |l, i, sums| {
                let i = l.b.affine(i);
                let first = l.b.add_scaled(start, &i, PARTIALS as i64);
                partial(l, &first, sums, PARTIALS)
            },
        )?;
        let first = start.clone().plus((blocks * PARTIALS) as i64);
        let sums = partial(self, &first, &sums, rest)?;
        let mut join = |a, b| self.b.op(op, &[a, b]);
        let sums: [Value; PARTIALS] = sums.try_into().expect("eight of them");
        Ok(crate::order::join(sums, &mut join))
    }
}

impl Fold {
    fn terms(&self) -> usize {
        self.reduced.iter().map(|&a| self.dims[a]).product()
    }

    fn reduced_space(&self) -> Space {
        Space::of_axes(&self.dims, &self.reduced, &self.walks)
    }

    /// Returns the space of the results, which go to `place`.
    fn kept_space(&self, place: &View) -> Space {
        let mut stores: PerAxis<i64> = self.dims.iter().map(|_| 0).collect();
        for (&axis, &stride) in self.kept.iter().zip(&place.strides) {
            stores[axis] = stride;
        }
        let mut walks = self.walks.clone();
        walks.push(Some(stores));
        Space::of_axes(&self.dims, &self.kept, &walks)
    }

    fn kept_at(&self, at: &[Affine]) -> Position {
        self.kept.iter().map(|&a| at[a].clone()).collect()
    }

    /// Returns whether terms, rather than results, are computed side by side.
    fn across(&self, in_lanes: bool) -> bool {
        let results = self.kept.iter().map(|&a| self.dims[a]).max().unwrap_or(1);
        let innermost = (0..self.dims.len()).rev().find(|&a| self.dims[a] > 1);
        !in_lanes
            && self.rule == Rule::Usual
            && !self.serially
            && self.terms() >= SHORT
            && (results < LANES || innermost.is_none_or(|a| self.reduced.contains(&a)))
    }

    /// Sets the position to the term with the number `flat`.
    fn set(&self, l: &mut Lowering, at: &mut Position, flat: Affine) {
        let axes = self.reduced_space().axes;
        let mut flat = flat;
        for (k, axis) in axes.iter().enumerate().rev() {
            if k == 0 {
                at[axis.axis] = flat;
                return;
            }
            at[axis.axis] = l.b.rem(&flat, axis.extent as i64);
            flat = l.b.div(&flat, axis.extent as i64);
        }
    }
}
