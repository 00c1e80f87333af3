//! Gather and scatter.

use super::nest::{Axis, Space, UNROLLED};
use super::node::{Expr, FEW, NodeId, Position};
use super::notes::StoreReason;
use super::view::{PerAxis, View};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::Type;
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{LANES, LoopKind, Value};

/// The places of an array that indices refer to: see [`crate::ops::index::Index`].
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The axis that is indexed.
    pub axis: usize,
    /// The number of leading axes that the array and the indices share.
    pub batch: usize,
    /// Whether an index out of range refers to no place, rather than to the nearest place.
    pub drop: bool,
}

/// A function that writes the statements for the new value at a place, given the old value and the updates.
pub type Join<'a> = dyn Fn(&mut Builder, Value, &[Value]) -> Value + 'a;

/// Where the updates of an array go.
pub(super) struct Scattered {
    /// The length of the axis that is indexed.
    pub n: usize,
    /// The updated array.
    pub place: View,
    /// The values before each update, if they are needed.
    pub before: Option<View>,
    /// The number of axes of the updates up to those behind the indices.
    pub behind: usize,
    /// The lengths of the axes of the updates.
    pub dims: Vec<usize>,
}

/// Updates of an array, applied one after the other.
pub struct Scatter<'a> {
    /// The places that are updated.
    pub places: Places,
    /// The indices.
    pub idx: NodeId,
    /// The arrays from which the updates are made.
    pub updates: &'a [NodeId],
    /// The function that joins an old value with its updates.
    pub join: &'a Join<'a>,
    /// Whether the updates run from the last to the first.
    pub reverse: bool,
    /// The type and place of the values before each update, if those values are needed.
    pub before: Option<&'a Wanted>,
}

impl Lowering {
    /// Lowers `x[b.., i.., idx[b.., j..], k..]`. An index out of range gives zero if such indices are dropped.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn gather(&mut self, x: NodeId, idx: NodeId, p: Places, ty: &Type) -> Result<NodeId> {
        let n = self.dims(x)[p.axis];
        let dtype = ty.dtype;
        if n == 0 {
            return Ok(self.literal(ty.clone(), 0));
        }
        // Elements in registers can be read only by a number known at compile time, so `x` goes to memory.
        let x = match self.expr(x) {
            Expr::Few(_) => {
                let view = self.memory(x, StoreReason::Numbered)?;
                let ty = self.ty(x).clone();
                self.push(ty, Expr::Stored(view))
            }
            _ => x,
        };
        self.find(ty, &[x, idx], move |l, at| {
            let (from, inside) = l.indexed(idx, p, n, at)?;
            let value = l.element(x, &from)?;
            Ok(match p.drop {
                true => {
                    let zero = l.b.constant(dtype, 0);
                    l.b.select(inside, value, zero)
                }
                false => value,
            })
        })
    }

    /// Returns the place in an array that a place in the window of indexed elements refers to, clamped into the array,
    /// and whether it was inside the array before that.
    pub(super) fn indexed(
        &mut self,
        idx: NodeId,
        p: Places,
        n: usize,
        at: &[Affine],
    ) -> Result<(PerAxis<Affine>, Value)> {
        let own = self.ty(idx).rank() - p.batch;
        let behind = p.axis + own;
        let index_at: PerAxis<Affine> = at[..p.batch]
            .iter()
            .chain(&at[p.axis..behind])
            .cloned()
            .collect();
        let i = self.element(idx, &index_at)?;
        let i = self.whole(i, n - 1);
        let near = self.b.clamp(i, 0, n as i64 - 1);
        let inside = self.b.op(crate::loops::ScalarOp::Eq, &[i, near]);
        let near = self.b.affine(near);
        let mut from: PerAxis<Affine> = at[..p.axis].into();
        from.push(near);
        from.extend(at[behind..].iter().cloned());
        Ok((from, inside))
    }

    /// Lowers updates of an array, one after the other. Returns the updated array and, if needed, the values before
    /// each update.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn scatter(
        &mut self,
        x: NodeId,
        s: &Scatter<'_>,
        want: &Wanted,
    ) -> Result<(NodeId, Option<NodeId>)> {
        let dims = self.dims(x);
        let n = dims[s.places.axis];
        let read = [&[s.idx], s.updates].concat();
        self.force(&read, StoreReason::Whole)?;
        if n == 0 {
            let before = s.before.map(|w| self.literal(w.ty.clone(), 0));
            return Ok((x, before));
        }
        let place = self.changeable(x, want)?;
        let before = s.before.map(|w| self.place(w));
        let updates = self.dims(s.updates[0]);
        let spilled = std::mem::take(&mut self.spilled);
        if updates.iter().product::<usize>() > FEW {
            self.spill(&read)?;
        }
        let scattered = Scattered {
            n,
            place,
            before,
            behind: s.places.axis + self.ty(s.idx).rank() - s.places.batch,
            dims: updates,
        };
        self.scatter_all(s, &scattered)?;
        self.spilled = spilled;
        let y = self.stored(want.ty.dtype, dims, scattered.place);
        let before = s.before.zip(scattered.before);
        let before = before.map(|(w, place)| self.stored(w.ty.dtype, w.ty.dims(), place));
        Ok((y, before))
    }

    /// Writes all updates. Those at different places along the axes in front of the indices are independent, and so are
    /// updates of different elements: tasks share them where there are many.
    fn scatter_all(&mut self, s: &Scatter<'_>, to: &Scattered) -> Result<()> {
        let axis = s.places.axis;
        let front: Vec<usize> = (0..axis).filter(|&a| to.dims[a] > 1).collect();
        let inside: usize = to.dims[axis..].iter().product();
        let fronts: usize = front.iter().map(|&a| to.dims[a]).product();
        let space = Space::of_axes(&to.dims, &front, &[None]);
        let mut origin = space.origin();
        let sorting = self.sorting(s, to, fronts);
        if let Some(sorting) = sorting {
            return self.serial(&space.axes, &mut origin, &mut |l, at| {
                l.scatter_sorted(s, to, at, sorting)
            });
        }
        let steps: Vec<usize> = (axis..to.behind).collect();
        let each = &mut |l: &mut Lowering, at: &mut Position| {
            let steps = Space::of_axes(&to.dims, &steps, &[None]);
            l.serial(&steps.axes, at, &mut |l, at| {
                let mut at: PerAxis<Affine> = at.into();
                if s.reverse {
                    for step in &steps.axes {
                        let last = Affine::constant(step.extent as i64 - 1);
                        at[step.axis] = l.b.add_scaled(&last, &at[step.axis], -1);
                    }
                }
                let (place, inside) = l.indexed(s.idx, s.places, to.n, &at)?;
                let inside = s.places.drop.then_some(inside);
                l.scatter_row(s, to, &at, &place, inside)
            })
        };
        if fronts * inside <= UNROLLED {
            return self.serial(&space.axes, &mut origin, &mut |l, at| {
                each(l, &mut at.into())
            });
        }
        let tasks = fronts > 1 && self.wants_tasks(fronts * inside);
        self.outer(&space.axes, &mut origin, inside, tasks, each)
    }

    /// Writes the updates at one place of the axes before and of the indices. `place` is where the first of them goes,
    /// and `inside` whether they are written at all, if that is not known.
    pub(super) fn scatter_row(
        &mut self,
        s: &Scatter<'_>,
        to: &Scattered,
        at: &[Affine],
        place: &[Affine],
        inside: Option<Value>,
    ) -> Result<()> {
        let axes: Vec<usize> = (to.behind..to.dims.len()).collect();
        let row: usize = to.dims[to.behind..].iter().product();
        let mut walks = self.walks(s.updates);
        walks.push(Some(window_strides(
            &to.place,
            s.places.axis,
            to.behind - s.places.axis,
        )));
        walks.extend(to.before.iter().map(|b| Some(b.strides.clone())));
        let rows = Space::of_axes(&to.dims, &axes, &walks);
        // Elements along the axes after the indices are at different places, so they may be updated side by side.
        let wide = !self.in_lanes() && row >= LANES;
        let (lines, outer) = match rows.axes.split_last() {
            Some((last, outer)) if wide => (Some(*last), outer),
            _ => (None, &rows.axes[..]),
        };
        let one = |l: &mut Lowering, at: &[Affine]| {
            let mut place: PerAxis<Affine> = place.into();
            for (k, a) in (to.behind..at.len()).enumerate() {
                place[s.places.axis + 1 + k] = at[a].clone();
            }
            l.update(s, to, inside, at, &place)
        };
        self.serial(outer, &mut at.into(), &mut |l, at| match lines {
            Some(Axis { extent, axis }) => {
                let mut at: PerAxis<Affine> = at.into();
                let extent = l.b.i64(extent as i64);
                l.repeat(LoopKind::Vector, extent, |l, i| {
                    at[axis] = i;
                    one(l, &at)
                })
            }
            None => one(l, at),
        })
    }

    /// Writes one update.
    fn update(
        &mut self,
        s: &Scatter<'_>,
        to: &Scattered,
        inside: Option<Value>,
        at: &[Affine],
        place: &[Affine],
    ) -> Result<()> {
        let updates: Result<PerAxis<Value>> =
            s.updates.iter().map(|&u| self.element(u, at)).collect();
        let old = self.load(&to.place, place);
        let mut value = (s.join)(&mut self.b, old, &updates?);
        if let Some(inside) = inside {
            value = self.b.select(inside, value, old);
        }
        self.store(&to.place, place, value);
        if let Some(before) = &to.before {
            let zero = self.b.constant(self.b.dtype(old), 0);
            let old = match inside {
                Some(inside) => self.b.select(inside, old, zero),
                None => old,
            };
            self.store(before, at, old);
        }
        Ok(())
    }
}

/// Returns the strides with which updates walk over the updated array: zero along the axes of the indices.
fn window_strides(place: &View, axis: usize, own: usize) -> PerAxis<i64> {
    let mut strides: PerAxis<i64> = place.strides[..axis].into();
    strides.extend(std::iter::repeat_n(0, own));
    strides.extend(place.strides[axis + 1..].iter().copied());
    strides
}
