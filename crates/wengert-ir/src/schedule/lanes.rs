//! Maps: one function for each element of a batch.

use super::fold::Rule;
use super::list::Piles;
use super::node::{Expr, FEW, NodeId};
use super::notes::StoreReason;
use super::view::{AxisMap, View, contiguous};
use super::way::{is_simple, size};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{Dim, Func, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Carry;
use crate::loops::{BufferKind, FoldOp, LANES, LoopKind, ScalarOp, Value};
use crate::ops::work::PLAIN;
use crate::order::LANE_CHUNK;

/// The number of lanes that may run side by side in a task, as blocks whose chains do not wait for one another.
const SIDE_BY_SIDE: usize = 32;

/// The number of tasks for each thread if there are enough elements, so that threads that finish early take over work.
const TASKS_A_THREAD: usize = 4;

/// The number of lanes of a task of a large batch without sums: several rows of lanes cost less than as many tasks,
/// and lanes that finish early go on with more elements.
const MANY_LANES: usize = 8 * LANE_CHUNK;

/// The number of such tasks for each thread.
const LARGE_TASKS_A_THREAD: usize = 16;

/// A map of a function over a batch.
pub struct Batch<'a> {
    /// The function that is run for each element.
    pub body: &'a Func,
    /// The number of elements.
    pub extent: usize,
    /// For each operand, whether it has a row for each element.
    pub mapped: &'a [bool],
    /// For each result, whether it is summed over the elements.
    pub sum: &'a [bool],
}

/// The partial sums of the lanes, for a result that is summed.
enum Sum {
    /// Sums in registers: the index of the result's first element among the values that the vector loop carries.
    Registers(usize),
    /// Sums in memory, with a copy for each lane of a block.
    Memory(View),
}

impl Lowering {
    /// Lowers a batch to lanes of vector loops.
    ///
    /// # Errors
    /// As [`Lowering::run`].
    pub fn map_lanes(
        &mut self,
        batch: &Batch<'_>,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        // Lists are summed after all lanes have run. So are all results if a task's chunk differs from `LANE_CHUNK`,
        // which sets the order of sums.
        let chunk = self.lanes_of_a_task(batch, outputs);
        let late = |want: &Wanted| want.ty.shape.has_run() || chunk != LANE_CHUNK;
        let pick = |then: bool| -> Vec<bool> {
            let all = outputs.iter().zip(batch.sum);
            all.map(|(want, &sum)| sum && late(want) == then).collect()
        };
        let (sum, later) = (pick(false), pick(true));
        let stacked = stacked_where(&later, batch.extent, outputs);
        let batch = Batch {
            sum: &sum,
            ..*batch
        };
        let results = self.lanes_of(&batch, chunk, inputs, &stacked)?;
        self.sums_of(&later, results, outputs)
    }

    /// Returns the number of lanes that a task takes. A few long-running elements are shared among all threads, with as
    /// many blocks of lanes side by side as that leaves; sums then go through memory, because they are added in the
    /// order of larger chunks.
    fn lanes_of_a_task(&self, batch: &Batch<'_>, outputs: &[Wanted]) -> usize {
        let summed = outputs.iter().zip(batch.sum).filter(|(_, sum)| **sum);
        let size: usize = summed.map(|(want, _)| size(&want.ty)).sum();
        if !self.parallel && batch.sum.iter().all(|sum| !sum) {
            let share = batch.extent / (LARGE_TASKS_A_THREAD * self.target.threads.count());
            let large = (share / LANE_CHUNK * LANE_CHUNK).min(MANY_LANES);
            if large > LANE_CHUNK {
                return large;
            }
        }
        if self.parallel || is_simple(batch.body) || size * batch.extent > self.target.near {
            return LANE_CHUNK;
        }
        let share = batch.extent.div_ceil(self.target.threads.count());
        let fine = share.div_ceil(TASKS_A_THREAD).max(share.min(SIDE_BY_SIDE));
        fine.next_multiple_of(LANES).min(LANE_CHUNK)
    }

    fn lanes_of(
        &mut self,
        batch: &Batch<'_>,
        chunk: usize,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        let chunks = batch.extent.div_ceil(chunk);
        let (stacked, summed): (Vec<Wanted>, Vec<Wanted>) = split(outputs, batch.sum);
        let piles = self.pile(&stacked, Dim::N(batch.extent));
        let partial: Vec<View> = (summed.iter())
            .map(|w| {
                let dims = [&[chunks], &w.ty.dims()[..]].concat();
                self.alloc_because(w.ty.dtype, &dims, StoreReason::Parts)
            })
            .collect();
        let task = |l: &mut Lowering, start: Affine, len: Value, c: Affine| {
            l.lane_chunk(batch, inputs, &piles, &summed, &partial, &start, len, &c)
        };
        if chunks == 1 {
            let len = self.b.i64(batch.extent as i64);
            task(self, Affine::default(), len, Affine::default())?;
        } else {
            let kind = match self.parallel {
                true => LoopKind::SERIAL,
                false => LoopKind::Parallel,
            };
            self.chunks(kind, batch.extent, chunk, &mut |l, start, len, c| {
                task(l, start, len, c)
            })?;
        }
        let extent = self.b.i64(batch.extent as i64);
        let stacked = self.piled(piles, extent, &stacked);
        let mut sums = vec![];
        for (partial, want) in partial.into_iter().zip(&summed) {
            let dims = [&[chunks], &want.ty.dims()[..]].concat();
            let ty = Type::new(want.ty.dtype, &dims);
            let partial = self.push(ty, Expr::Stored(partial));
            sums.push(self.sum_rows(partial, Rule::Pairwise, want)?);
        }
        Ok(join(batch.sum, stacked, sums))
    }

    #[allow(clippy::too_many_arguments)]
    fn lane_chunk(
        &mut self,
        batch: &Batch<'_>,
        inputs: &[NodeId],
        piles: &Piles,
        summed: &[Wanted],
        partial: &[View],
        start: &Affine,
        len: Value,
        c: &Affine,
    ) -> Result<()> {
        let mut sums = vec![];
        let mut carries = vec![];
        for want in summed {
            let (dtype, dims) = (want.ty.dtype, want.ty.dims());
            if want.ty.size() <= FEW {
                sums.push(Sum::Registers(carries.len()));
                let init = self.b.constant(dtype, 0);
                carries.extend(vec![Carry { init, lanes: true }; want.ty.size()]);
            } else {
                let view = View {
                    place: super::view::Place::Buffer(self.b.buffer(
                        dtype,
                        want.ty.size(),
                        BufferKind::Local,
                    )),
                    offset: Affine::default(),
                    strides: contiguous(&dims),
                };
                self.each_place(&want.ty, |l, at| {
                    let zero = l.b.constant(dtype, 0);
                    l.store(&view, at, zero);
                    Ok(())
                })?;
                sums.push(Sum::Memory(view));
            }
        }
        let outs = self.for_(LoopKind::Vector, len, &carries, |l, lane, params| {
            let lane = l.b.affine(lane);
            let row = l.b.add_scaled(start, &lane, 1);
            l.lane(batch, inputs, piles, summed, &sums, params, &row)
        })?;
        for ((sum, want), partial) in sums.iter().zip(summed).zip(partial) {
            let mut next = match sum {
                Sum::Registers(first) => *first,
                Sum::Memory(_) => 0,
            };
            let into = self.row_of(partial, &want.ty, c);
            self.each_place(&want.ty, |l, at| {
                let copies = match sum {
                    Sum::Registers(_) => {
                        next += 1;
                        outs[next - 1]
                    }
                    Sum::Memory(view) => l.load(view, at),
                };
                let value = l.b.op(ScalarOp::Fold(FoldOp::Add), &[copies]);
                l.store(&into, at, value);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Lowers all work for one element of the batch, and returns the next sums in registers.
    #[allow(clippy::too_many_arguments)]
    fn lane(
        &mut self,
        batch: &Batch<'_>,
        inputs: &[NodeId],
        piles: &Piles,
        summed: &[Wanted],
        sums: &[Sum],
        params: &[Value],
        row: &Affine,
    ) -> Result<Vec<Value>> {
        let args = self.rows_of(batch, inputs, row)?;
        let stacked = self.row_places(piles, row);
        let mut stacked = stacked.into_iter();
        let places: Vec<Option<View>> = (batch.sum.iter())
            .map(|&sum| if sum { None } else { stacked.next().flatten() })
            .collect();
        let results = self.run(batch.body, &args, &places)?;
        let (kept, added) = split(&results, batch.sum);
        let mut writes = self.pile_up_rows(piles, row, &kept)?;
        let mut values = vec![];
        let mut buffers = vec![];
        for ((sum, want), id) in sums.iter().zip(summed).zip(added) {
            match sum {
                Sum::Registers(first) => {
                    for (i, value) in self.elements(id)?.into_iter().enumerate() {
                        values.push(self.b.add(params[first + i], value));
                    }
                    self.release(id);
                }
                Sum::Memory(view) => {
                    let before = self.push(want.ty.clone(), Expr::Stored(view.clone()));
                    let after = self.each(&want.ty, &[before, id], PLAIN, |b, x| b.add(x[0], x[1]));
                    self.retain(after, 1);
                    self.release(id);
                    buffers.extend(super::store::buffer_of(view));
                    writes.push((after, view.clone()));
                }
            }
        }
        self.commit(writes, &buffers)?;
        Ok(values)
    }

    /// Lowers a batch with each element by itself: in tasks, or one after the other.
    ///
    /// # Errors
    /// As [`Lowering::run`].
    pub fn map_each(
        &mut self,
        batch: &Batch<'_>,
        parallel: bool,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        // Results to be summed are stacked first, because sums are added in the order of lanes.
        let all = stacked_where(batch.sum, batch.extent, outputs);
        let piles = self.pile(&all, Dim::N(batch.extent));
        let extent = self.b.i64(batch.extent as i64);
        let kind = match parallel {
            true => LoopKind::Parallel,
            false => LoopKind::SERIAL,
        };
        self.repeat(kind, extent, |l, row| {
            let args = l.rows_of(batch, inputs, &row)?;
            let places = l.row_places(&piles, &row);
            let results = l.run(batch.body, &args, &places)?;
            let writes = l.pile_up_rows(&piles, &row, &results)?;
            l.commit(writes, &[])
        })?;
        let stacked = self.piled(piles, extent, &all);
        self.sums_of(batch.sum, stacked, outputs)
    }

    /// Sums the stacked results that `sum` selects.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn sums_of(
        &mut self,
        sum: &[bool],
        stacked: Vec<NodeId>,
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        // A result may be an operand of another one, so all are held until every sum is done.
        for &id in &stacked {
            self.retain(id, 1);
        }
        let mut results = vec![];
        for ((&id, &sum), want) in stacked.iter().zip(sum).zip(outputs) {
            results.push(match sum {
                true if want.ty.shape.has_run() => self.sum_lists(id, &want.ty)?,
                true => self.sum_rows(id, Rule::Lanes, want)?,
                false => id,
            });
        }
        for (&id, &sum) in stacked.iter().zip(sum) {
            match sum {
                true => self.release(id),
                false => self.node_mut(id).uses -= 1,
            }
        }
        Ok(results)
    }

    fn rows_of(
        &mut self,
        batch: &Batch<'_>,
        inputs: &[NodeId],
        row: &Affine,
    ) -> Result<Vec<NodeId>> {
        let all = inputs.iter().zip(batch.mapped);
        all.map(|(&id, &mapped)| match mapped {
            true => self.row(id, row),
            false => Ok(id),
        })
        .collect()
    }

    fn row_of(&mut self, view: &View, row: &Type, at: &Affine) -> View {
        let dims = [&[0], &row.dims()[..]].concat();
        self.map_view(view, &AxisMap::row(&dims, at.clone()))
    }

    /// Visits the places of an array one after the other, outside of lanes.
    fn each_place(
        &mut self,
        ty: &Type,
        mut visit: impl FnMut(&mut Lowering, &[Affine]) -> Result<()>,
    ) -> Result<()> {
        let space = super::nest::Space::new(&ty.dims(), &[Some(contiguous(&ty.dims()))]);
        self.over_serially(&space, 0, &mut |l, at| visit(l, at))
    }
}

/// Returns the outputs, where each result that is summed later is stacked instead.
fn stacked_where(sum: &[bool], extent: usize, outputs: &[Wanted]) -> Vec<Wanted> {
    let all = outputs.iter().zip(sum);
    all.map(|(want, &sum)| match sum {
        true => Wanted {
            ty: want.ty.stacked(Dim::N(extent)),
            place: None,
        },
        false => want.clone(),
    })
    .collect()
}

fn split<T: Clone>(all: &[T], sum: &[bool]) -> (Vec<T>, Vec<T>) {
    let pick = |want: bool| {
        let both = all.iter().zip(sum);
        both.filter(|(_, s)| **s == want)
            .map(|(x, _)| x.clone())
            .collect()
    };
    (pick(false), pick(true))
}

fn join<T>(sum: &[bool], stacked: Vec<T>, summed: Vec<T>) -> Vec<T> {
    let (mut stacked, mut summed) = (stacked.into_iter(), summed.into_iter());
    let next = |&sum: &bool| if sum { summed.next() } else { stacked.next() };
    sum.iter()
        .map(next)
        .map(|x| x.expect("one for each result"))
        .collect()
}
