//! Updates of an array in parallel.
//!
//! Updates of one element are applied in their order, those of different elements are independent. So the
//! updates are sorted, stably, by the block of the array that their target lies in: a counting sort whose
//! chunks run in parallel. Then each block is a task, which applies its updates in their order. No bit depends
//! on how many blocks and chunks there are.

use super::Lowering;
use super::index::{Scatter, Scattered};
use super::nest::Space;
use super::node::Position;
use super::notes::StoreReason;
use super::view::{PerAxis, View};
use crate::error::Result;
use crate::ir::DType;
use crate::loops::affine::Affine;
use crate::loops::{LANES, LoopKind, ScalarOp, Value};

/// Nanoseconds of an update of one element in a near cache, and of one that is farther away.
const UPDATE: (f64, f64) = (1.5, 4.0);

/// Nanoseconds of each further element of an update.
const ELEMENT: f64 = 0.3;

/// Nanoseconds in which an update is counted and moved to its block.
const MOVE: f64 = 3.5;

/// Nanoseconds of a number in the table of where each chunk's updates of each block begin.
const ENTRY: f64 = 2.0;

/// Nanoseconds in which three parallel loops start.
const START: f64 = 15_000.0;

/// Number of blocks and of chunks for each thread: some have more updates than others.
const EACH: usize = 4;

/// Most blocks: the counts of a chunk stay in the nearest cache, and so do the ends to which it appends.
const MOST: usize = 256;

/// How updates are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sorting {
    /// The number of updates.
    updates: usize,
    /// The number of targets of a block, a power of two.
    block: usize,
    blocks: usize,
    /// The number of updates of a chunk.
    chunk: usize,
    /// Whether the updates themselves are sorted, rather than their numbers.
    moved: bool,
}

impl Sorting {
    /// Returns how `updates` of rows of `row` elements in an array of `n` rows are sorted for so many threads, if that
    /// is faster than one after the other. `near` is the number of elements that a near cache holds.
    fn of(updates: usize, n: usize, row: usize, threads: usize, near: usize) -> Option<Sorting> {
        let far = (n * row).div_ceil(near);
        let blocks = (EACH * threads).max(far).min(MOST);
        let block = n.div_ceil(blocks).next_power_of_two();
        let blocks = n.div_ceil(block);
        let chunk = updates.div_ceil(EACH * threads);
        let chunks = updates.div_ceil(chunk);
        let each = if far > 1 { UPDATE.1 } else { UPDATE.0 };
        let rest = row.saturating_sub(1) as f64 * ELEMENT;
        let count = updates as f64;
        let serial = count * (each + rest);
        let shared = threads.min(blocks) as f64;
        let parallel =
            count * (MOVE + UPDATE.0 + rest) / shared + (blocks * chunks) as f64 * ENTRY + START;
        (parallel < serial).then_some(Sorting {
            updates,
            block,
            blocks,
            chunk,
            moved: row < LANES,
        })
    }
}

impl Lowering {
    /// Returns how the updates at each of `fronts` places of the axes before the indices are sorted, if they are.
    pub(super) fn sorting(
        &self,
        s: &Scatter<'_>,
        to: &Scattered,
        fronts: usize,
    ) -> Option<Sorting> {
        let updates: usize = to.dims[s.places.axis..to.behind].iter().product();
        let row: usize = to.dims[to.behind..].iter().product();
        let in_order = to.before.is_some() || s.reverse;
        if in_order || !self.wants_tasks(updates * row) || updates < 2 || row == 0 {
            return None;
        }
        let threads = self.target.threads.count();
        // Enough that are independent anyway need no sorting.
        (fronts < threads)
            .then(|| Sorting::of(updates, to.n, row, threads, self.target.near))
            .flatten()
    }

    /// Applies all updates at a place of the axes before the indices.
    pub(super) fn scatter_sorted(
        &mut self,
        s: &Scatter<'_>,
        to: &Scattered,
        at: &[Affine],
        sorting: Sorting,
    ) -> Result<()> {
        let Sorting {
            updates,
            blocks,
            chunk,
            ..
        } = sorting;
        let why = StoreReason::Targets;
        // The last block is of updates that are dropped.
        let columns = blocks + 1;
        let counts = self.alloc_because(DType::I64, &[updates.div_ceil(chunk), columns], why);
        let starts = self.alloc_because(DType::I64, &[columns], why);
        let narrow = if to.n <= i32::MAX as usize {
            DType::I32
        } else {
            DType::I64
        };
        let targets = self.alloc_because(narrow, &[updates], why);
        let row = &to.dims[to.behind..];
        let numbers = if updates <= i32::MAX as usize {
            DType::I32
        } else {
            DType::I64
        };
        let contents: Vec<View> = match sorting.moved {
            true => (s.updates.iter())
                .map(|&u| (self.ty(u).dtype, [&[updates], row].concat()))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(dtype, dims)| self.alloc_because(dtype, &dims, why))
                .collect(),
            false => vec![self.alloc_because(numbers, &[updates], why)],
        };
        let steps = self.index_space(s, to);
        let mut at: Position = at.into();

        // Each chunk counts its updates of each block.
        self.chunks(
            LoopKind::Parallel,
            updates,
            chunk,
            &mut |l, start, len, c| {
                let (columns, zero) = (l.b.i64(columns as i64), l.b.i64(0));
                l.repeat(LoopKind::Vector, columns, |l, b| {
                    l.store(&counts, &[c.clone(), b], zero);
                    Ok(())
                })?;
                l.repeat(LoopKind::SERIAL, len, |l, i| {
                    let number = l.b.add_scaled(&start, &i, 1);
                    steps.set(&mut l.b, &mut at, number);
                    let (block, _) = l.target(s, to, &at, sorting)?;
                    let here = [c.clone(), block];
                    let (count, one) = (l.load(&counts, &here), l.b.i64(1));
                    let count = l.b.add(count, one);
                    l.store(&counts, &here, count);
                    Ok(())
                })
            },
        )?;

        // Where each chunk's updates of each block begin.
        let carry = {
            let zero = self.b.i64(0);
            self.b.carry(zero)
        };
        let extent = self.b.i64(columns as i64);
        self.for_(LoopKind::SERIAL, extent, &[carry], |l, b, place| {
            let b = l.b.affine(b);
            l.store(&starts, std::slice::from_ref(&b), place[0]);
            let carry = l.b.carry(place[0]);
            let chunks = l.b.i64(updates.div_ceil(chunk) as i64);
            l.for_(LoopKind::SERIAL, chunks, &[carry], |l, c, place| {
                let here = [l.b.affine(c), b.clone()];
                let count = l.load(&counts, &here);
                l.store(&counts, &here, place[0]);
                Ok(vec![l.b.add(place[0], count)])
            })
        })?;

        // The updates in the order of their blocks.
        self.chunks(
            LoopKind::Parallel,
            updates,
            chunk,
            &mut |l, start, len, c| {
                l.repeat(LoopKind::SERIAL, len, |l, i| {
                    let number = l.b.add_scaled(&start, &i, 1);
                    steps.set(&mut l.b, &mut at, number.clone());
                    let (block, target) = l.target(s, to, &at, sorting)?;
                    let here = [c.clone(), block];
                    let (place, one) = (l.load(&counts, &here), l.b.i64(1));
                    let next = l.b.add(place, one);
                    l.store(&counts, &here, next);
                    let place = l.b.affine(place);
                    let target = l.b.convert(target, narrow);
                    l.store(&targets, std::slice::from_ref(&place), target);
                    if !sorting.moved {
                        let number = l.b.materialize(&number);
                        let number = l.b.convert(number, numbers);
                        l.store(&contents[0], &[place], number);
                        return Ok(());
                    }
                    l.over_row(to, &at, |l, at, inner| {
                        for (&u, content) in s.updates.iter().zip(&contents) {
                            let value = l.element(u, at)?;
                            l.store(content, &row_of(&place, inner), value);
                        }
                        Ok(())
                    })
                })
            },
        )?;

        // Each block applies its updates.
        let count = self.b.i64(blocks as i64);
        self.repeat(LoopKind::Parallel, count, |l, b| {
            let first = l.load(&starts, std::slice::from_ref(&b));
            let last = l.load(&starts, &[b.plus(1)]);
            let len = l.b.sub(last, first);
            // A loop of about as many as a block has on average, and one of the others: so much is known of the time.
            let usual = l.b.i64(updates.div_ceil(blocks) as i64);
            let some = l.b.op(ScalarOp::Min, &[len, usual]);
            let others = l.b.sub(len, some);
            for (from, len) in [(first, some), (l.b.add(first, some), others)] {
                let from = l.b.affine(from);
                l.repeat(LoopKind::SERIAL, len, |l, i| {
                    let place = l.b.add_scaled(&from, &i, 1);
                    l.apply(
                        s,
                        to,
                        &mut at,
                        (&steps, sorting),
                        &targets,
                        &contents,
                        &place,
                    )
                })?;
            }
            Ok(())
        })
    }

    /// Applies the update at a place of the sorted ones.
    #[allow(clippy::too_many_arguments)]
    fn apply(
        &mut self,
        s: &Scatter<'_>,
        to: &Scattered,
        at: &mut Position,
        (steps, sorting): (&Space, Sorting),
        targets: &View,
        contents: &[View],
        place: &Affine,
    ) -> Result<()> {
        let here = std::slice::from_ref(place);
        let whole = |l: &mut Lowering, view: &View| {
            let number = l.load(view, here);
            let number = l.b.convert(number, DType::I64);
            l.b.affine(number)
        };
        let target = whole(self, targets);
        let mut goes: PerAxis<Affine> = at[..s.places.axis].into();
        goes.push(target);
        goes.extend(at[to.behind..].iter().cloned());
        if !sorting.moved {
            let number = whole(self, &contents[0]);
            steps.set(&mut self.b, at, number);
            return self.scatter_row(s, to, at, &goes, None);
        }
        self.over_row(to, at, |l, _, inner| {
            let mut goes = goes.clone();
            goes.truncate(s.places.axis + 1);
            goes.extend(inner.iter().cloned());
            let values: PerAxis<Value> = (contents.iter())
                .map(|content| l.load(content, &row_of(place, inner)))
                .collect();
            let old = l.load(&to.place, &goes);
            let new = (s.join)(&mut l.b, old, &values);
            l.store(&to.place, &goes, new);
            Ok(())
        })
    }

    /// Visits the elements of an update, by their places among all updates and in the update.
    fn over_row(
        &mut self,
        to: &Scattered,
        at: &[Affine],
        mut visit: impl FnMut(&mut Lowering, &[Affine], &[Affine]) -> Result<()>,
    ) -> Result<()> {
        let axes: Vec<usize> = (to.behind..to.dims.len()).collect();
        let rows = Space::of_axes(&to.dims, &axes, &[None]);
        self.serial(&rows.axes, &mut at.into(), &mut |l, at| {
            visit(l, at, &at[to.behind..])
        })
    }

    /// Returns the block of an update's target, and the target.
    fn target(
        &mut self,
        s: &Scatter<'_>,
        to: &Scattered,
        at: &[Affine],
        sorting: Sorting,
    ) -> Result<(Affine, Value)> {
        let (place, inside) = self.indexed(s.idx, s.places, to.n, at)?;
        let target = self.b.materialize(&place[s.places.axis]);
        let bits = self.b.i64(sorting.block.trailing_zeros().into());
        let mut block = self.b.op(ScalarOp::ShrLogical, &[target, bits]);
        if s.places.drop {
            let none = self.b.i64(sorting.blocks as i64);
            block = self.b.select(inside, block, none);
        }
        Ok((self.b.affine(block), target))
    }

    /// Returns the space of the axes of the indices, as few as possible.
    fn index_space(&self, s: &Scatter<'_>, to: &Scattered) -> Space {
        let axes: Vec<usize> = (s.places.axis..to.behind).collect();
        let mut walks = self.walks(s.updates);
        for walk in self.walks(&[s.idx]) {
            walks.push(walk.map(|walk| {
                let mut strides: PerAxis<i64> = to.dims.iter().map(|_| 0).collect();
                for (a, &stride) in walk.iter().enumerate() {
                    let axis = match a < s.places.batch {
                        true => a,
                        false => a - s.places.batch + s.places.axis,
                    };
                    strides[axis] = stride;
                }
                strides
            }));
        }
        Space::of_axes(&to.dims, &axes, &walks)
    }
}

/// Returns the place of an element of a sorted update.
fn row_of(place: &Affine, inner: &[Affine]) -> Position {
    std::iter::once(place.clone())
        .chain(inner.iter().cloned())
        .collect()
}
