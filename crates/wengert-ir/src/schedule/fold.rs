//! Reductions of terms, in the order that [`crate::order`] defines.

use super::after::After;
use super::nest::{Space, is_unrolled};
use super::node::{Expr, FEW, NodeId, Position, positions};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{PerAxis, View, contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Carry;
use crate::loops::{FoldOp, LANES, LoopKind, ScalarOp, Value};
use crate::order::{CHUNK, LANE_CHUNK, PARTIALS, SHORT, Tree};
use crate::scalar::bits_of;

/// Number of terms that one task of a long reduction takes: chunks that are a subtree.
pub(super) const TASK: usize = 16 * CHUNK;

/// Number of terms of a tree that are joined in registers at a time: they are a subtree.
const SUBTREE: usize = 8;

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
pub(super) fn nothing(op: FoldOp, dtype: DType) -> u64 {
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
    /// Whether a chunk's terms, of several axes, are computed row by row before they are reduced.
    pub by_rows: bool,
    /// The draws that a chunk of terms reads, computed before the chunk.
    pub draws: Vec<NodeId>,
    /// What is applied to each result, of which there are more than a few.
    pub after: After,
}

/// The order in which terms are combined: see [`crate::order`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// The order of reductions.
    Usual,
    /// One term after the other, however many there are.
    OneByOne,
    /// In a [tree](crate::order::Tree).
    Pairwise,
    /// The order of sums over the lanes of a map.
    Lanes,
}

impl Lowering {
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
        if n > TASK && fold.rule == Rule::Usual && !self.in_lanes() && !self.parallel {
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
            let value = l.finished(&fold.after, value)?;
            l.store(&place, &fold.kept_at(at), value);
            Ok(())
        };
        match fold.serially || fold.across(self.in_lanes()) {
            true => self.over_serially(&kept, n, visit)?,
            false => self.over(&kept, n, visit)?,
        }
        Ok(self.stored(want.ty.dtype, dims, place))
    }

    /// Reduces subtrees of chunks in parallel, then joins their results.
    fn fold_in_tasks(
        &mut self,
        fold: &Fold,
        want: &Wanted,
        place: View,
        term: &mut Term<'_>,
    ) -> Result<NodeId> {
        let n = fold.terms();
        let (full, rest) = (n / TASK, n % TASK);
        let dims = want.ty.dims();
        let sums = [&[n.div_ceil(TASK)], &dims[..]].concat();
        let partial = self.alloc_because(fold.dtype, &sums, StoreReason::Parts);
        let kept = fold.kept_space(&place);
        let across = fold.across(false);
        let mut task = |l: &mut Lowering, c: &Affine, len: usize| {
            let visit = &mut |l: &mut Lowering, at: &[Affine]| {
                let start = l.b.scale(c, TASK as i64);
                let value = l.joined(fold, at.into(), &start, len, term)?;
                let mut to: Position = Position::new();
                to.push(c.clone());
                to.extend(fold.kept_at(at));
                l.store(&partial, &to, value);
                Ok(())
            };
            if !fold.draws.is_empty() {
                let mut at = kept.origin();
                let start = l.b.scale(c, TASK as i64);
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
        self.repeat(LoopKind::Parallel, count, |l, c| task(l, &c, TASK))?;
        if rest > 0 {
            task(self, &Affine::constant(full as i64), rest)?;
        }
        let partial = self.push(Type::new(fold.dtype, &sums), Expr::Stored(partial));
        let fold = Fold {
            dims: sums.clone(),
            kept: (1..sums.len()).collect(),
            reduced: vec![0],
            walks: self.walks(&[partial]),
            rule: Rule::Pairwise,
            serially: false,
            by_rows: false,
            draws: vec![],
            after: fold.after.clone(),
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
            Rule::Pairwise | Rule::Lanes => false,
        };
        if one_by_one {
            let space = fold.reduced_space();
            let sum = self.one_by_one(fold, &space.axes, &mut at.clone(), None, term)?;
            return Ok(sum.expect("a term"));
        }
        self.joined(fold, at, &Affine::default(), n, term)
    }

    /// Reduces `n` consecutive terms in chunks, whose results are joined in a [tree](crate::order::Tree).
    fn joined(
        &mut self,
        fold: &Fold,
        at: Position,
        start: &Affine,
        n: usize,
        term: &mut Term<'_>,
    ) -> Result<Value> {
        let size = match fold.rule {
            Rule::Pairwise => SUBTREE,
            Rule::Lanes => LANE_CHUNK,
            Rule::Usual | Rule::OneByOne => CHUNK,
        };
        if n <= size {
            return self.chunk(fold, at, start, n, term);
        }
        let op = fold.op.scalar();
        let (full, rest) = (n / size, n % size);
        let subtrees = match full {
            1 => vec![self.chunk(fold, at.clone(), start, size, term)?],
            _ => self.subtrees(fold, &at, (start, size), full, term)?,
        };
        let mut total = None;
        if rest > 0 {
            let start = start.clone().plus((full * size) as i64);
            total = Some(self.chunk(fold, at, &start, rest, term)?);
        }
        // From the right to the left.
        let there = |&(k, _): &(usize, Value)| full >> k & 1 == 1;
        for (_, left) in subtrees.into_iter().enumerate().filter(there) {
            total = Some(match total {
                Some(right) => self.b.op(op, &[left, right]),
                None => left,
            });
        }
        Ok(total.expect("a chunk"))
    }

    /// Reduces `count` chunks of `size` terms. Value `k` is the result of a complete subtree of `2^k` chunks if that bit
    /// of `count` is set.
    fn subtrees(
        &mut self,
        fold: &Fold,
        at: &Position,
        (start, size): (&Affine, usize),
        count: usize,
        term: &mut Term<'_>,
    ) -> Result<Vec<Value>> {
        let op = fold.op.scalar();
        let top = count.ilog2() as usize;
        let none = self.b.constant(fold.dtype, neutral(fold.op, fold.dtype));
        let carries = vec![self.b.carry(none); top + 1];
        let count = self.b.i64(count as i64);
        self.for_(LoopKind::SERIAL, count, &carries, |l, c, subtrees| {
            let first = l.b.affine(c);
            let first = l.b.add_scaled(start, &first, size as i64);
            let mut sum = l.chunk(fold, at.clone(), &first, size, term)?;
            let mut next = subtrees.to_vec();
            for (k, next) in next.iter_mut().enumerate() {
                // `sum` is a subtree of `2^k` chunks if the last `k` bits of `c` are set. It is kept if the next bit is
                // not, and joined with the one to its left if it is.
                let (half, whole) = (1 << k, 1 << (k + 1));
                let whole_value = l.b.i64(whole);
                let last = l.b.op(ScalarOp::Rem, &[c, whole_value]);
                let is = |l: &mut Lowering, n: i64| {
                    let n = l.b.i64(n);
                    l.b.op(ScalarOp::Eq, &[last, n])
                };
                let keep = is(l, half - 1);
                *next = l.b.select(keep, sum, subtrees[k]);
                if k < top {
                    let joined = l.b.op(op, &[subtrees[k], sum]);
                    let join = is(l, whole - 1);
                    sum = l.b.select(join, joined, sum);
                }
            }
            Ok(next)
        })
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

    /// Reduces the `len` consecutive terms of a chunk.
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
        if fold.rule == Rule::Pairwise {
            let mut tree = Tree::new();
            for i in 0..len {
                fold.set(self, &mut at, start.clone().plus(i as i64));
                let value = term(self, &at)?;
                tree.push(value, |a, b| self.b.op(op, &[a, b]));
            }
            let total = tree.total(|a, b| self.b.op(op, &[a, b]));
            return Ok(total.expect("a term"));
        }
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
        if fold.across(self.in_lanes()) && fold.by_rows {
            return self.chunk_by_rows(fold, at, start, (len, carry), term);
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

impl Lowering {
    /// Reduces the `len` consecutive terms of a chunk, which are computed row by row into memory of the chunk: a row is read
    /// as it lies, and what its elements share is read once.
    fn chunk_by_rows(
        &mut self,
        fold: &Fold,
        mut at: Position,
        start: &Affine,
        (len, carry): (usize, Carry),
        term: &mut Term<'_>,
    ) -> Result<Value> {
        let space = fold.reduced_space();
        let (row, outer) = space.split_last().expect("axes");
        let n = row.extent as i64;
        let strip = self.alloc_because(fold.dtype, &[len], StoreReason::Parts);
        let first = self.b.div(start, n);
        let last = self.b.div(&start.clone().plus(len as i64 - 1), n);
        let count = self.b.add_scaled(&last.plus(1), &first, -1);
        let count = self.at_most(&count, (len as i64 + n - 2) / n + 1);
        self.repeat(LoopKind::SERIAL, count, |l, k| {
            let number = l.b.add_scaled(&first, &k, 1);
            outer.set(&mut l.b, &mut at, number.clone());
            // The part of the row that belongs to the chunk.
            let begin = l.b.scale(&number, n);
            let ends = [start.clone(), start.clone().plus(len as i64)];
            let [from, to] = ends.map(|end| {
                let end = l.b.add_scaled(&end, &begin, -1);
                let end = l.b.materialize(&end);
                let end = l.b.clamp(end, 0, n);
                l.b.affine(end)
            });
            let steps = l.b.add_scaled(&to, &from, -1);
            let steps = l.at_most(&steps, n.min(len as i64));
            let begin = l.b.add_scaled(&begin, start, -1);
            l.repeat(LoopKind::Vector, steps, |l, i| {
                let along = l.b.add_scaled(&from, &i, 1);
                at[row.axis] = along.clone();
                let value = term(l, &at)?;
                let place = l.b.add_scaled(&begin, &along, 1);
                l.store(&strip, &[place], value);
                Ok(())
            })
        })?;
        let buffer = buffer_of(&strip).expect("memory of its own");
        let extent = self.b.i64(len as i64);
        let sums = self.for_(LoopKind::Vector, extent, &[carry], |l, i, sum| {
            let i = l.b.affine(i);
            let value = l.b.load(buffer, &i);
            Ok(vec![l.b.op(fold.op.scalar(), &[sum[0], value])])
        })?;
        Ok(self.b.op(ScalarOp::Fold(fold.op), &sums))
    }

    /// Returns a number that is at most `most`, as a number of which that is known.
    fn at_most(&mut self, number: &Affine, most: i64) -> Value {
        let (number, most) = (self.b.materialize(number), self.b.i64(most));
        self.b.op(ScalarOp::Min, &[number, most])
    }
}

impl Fold {
    fn terms(&self) -> usize {
        self.reduced.iter().map(|&a| self.dims[a]).product()
    }

    pub(super) fn reduced_space(&self) -> Space {
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
    pub(super) fn across(&self, in_lanes: bool) -> bool {
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
        self.reduced_space().set(&mut l.b, at, flat);
    }
}
