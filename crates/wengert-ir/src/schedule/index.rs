//! Gather and scatter.

use super::nest::{Axis, Space};
use super::node::{Expr, FEW, NodeId};
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
    fn indexed(
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
        let own = self.ty(s.idx).rank() - s.places.batch;
        let behind = s.places.axis + own;
        let row: usize = updates[behind..].iter().product();
        // Elements along the axes after the indices are at different places, so they may be updated side by side.
        let wide = !self.in_lanes() && row >= LANES;
        let (serial, vector): (Vec<usize>, Vec<usize>) =
            (0..updates.len()).partition(|&a| a < behind || !wide);
        let space = Space::of_axes(&updates, &serial, &[None]);
        let mut walks = self.walks(s.updates);
        walks.push(Some(window_strides(&place, s.places.axis, own)));
        walks.extend(before.iter().map(|b| Some(b.strides.clone())));
        let rows = Space::of_axes(&updates, &vector, &walks);
        let mut origin = space.origin();
        let (lines, outer) = match rows.axes.split_last() {
            Some((last, outer)) => (Some(*last), outer),
            None => (None, &[][..]),
        };
        self.serial(&space.axes, &mut origin, &mut |l, at| {
            let mut at: PerAxis<Affine> = at.into();
            if s.reverse {
                for axis in &space.axes {
                    let last = Affine::constant(axis.extent as i64 - 1);
                    at[axis.axis] = l.b.add_scaled(&last, &at[axis.axis], -1);
                }
            }
            let (to, inside) = l.indexed(s.idx, s.places, n, &at)?;
            let one = |l: &mut Lowering, at: &[Affine]| {
                let mut to = to.clone();
                for (k, a) in (behind..at.len()).enumerate() {
                    to[s.places.axis + 1 + k] = at[a].clone();
                }
                l.update(s, &place, before.as_ref(), inside, at, &to)
            };
            l.serial(outer, &mut at, &mut |l, at| match lines {
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
        })?;
        self.spilled = spilled;
        let y = self.stored(want.ty.dtype, dims, place);
        let before = s.before.zip(before);
        let before = before.map(|(w, place)| self.stored(w.ty.dtype, w.ty.dims(), place));
        Ok((y, before))
    }

    /// Writes one update.
    fn update(
        &mut self,
        s: &Scatter<'_>,
        place: &View,
        before: Option<&View>,
        inside: Value,
        at: &[Affine],
        to: &[Affine],
    ) -> Result<()> {
        let updates: Result<PerAxis<Value>> =
            s.updates.iter().map(|&u| self.element(u, at)).collect();
        let old = self.load(place, to);
        let mut value = (s.join)(&mut self.b, old, &updates?);
        if s.places.drop {
            value = self.b.select(inside, value, old);
        }
        self.store(place, to, value);
        if let Some(before) = before {
            let zero = self.b.constant(self.b.dtype(old), 0);
            let old = match s.places.drop {
                true => self.b.select(inside, old, zero),
                false => old,
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
