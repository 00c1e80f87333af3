//! Arrays of which a part is written: padding, joining, windows, scatter.

use super::node::{Expr, FEW, NodeId};
use super::notes::Why;
use super::store::buffer_of;
use super::view::{AxisMap, View, Walk, is_spread_out};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::{BufferKind, ScalarOp, Value};

impl Lowering {
    /// The place for a result: where it is wanted, or new memory.
    pub fn place(&mut self, want: &Wanted) -> View {
        match &want.place {
            Some(place) => place.clone(),
            None => self.alloc(want.ty.dtype, &want.ty.dims()),
        }
    }

    /// Zeros with an array in them, from `low` in steps of `step` along each axis.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn pad(
        &mut self,
        x: NodeId,
        low: &[usize],
        step: &[usize],
        want: &Wanted,
    ) -> Result<NodeId> {
        let (dims, out) = (self.dims(x), want.ty.dims());
        let n = want.ty.size();
        if n > FEW && !self.in_lanes() {
            let place = self.place(want);
            if step.iter().all(|&s| s == 1) && !dims.contains(&0) {
                self.clear_borders(&place, &want.ty, low, &dims)?;
            } else {
                let zeros = self.literal(want.ty.clone(), 0);
                self.write(zeros, place.clone())?;
            }
            let walks = (0..dims.len()).map(|a| (low[a] as i64, step[a] as i64));
            let window = self.window(&place, &dims, walks);
            self.write(x, window)?;
            return Ok(self.stored(want.ty.dtype, out, place));
        }
        let empty = dims.contains(&0);
        let (low, step) = (low.to_vec(), step.to_vec());
        let dtype = want.ty.dtype;
        self.find(&want.ty, &[x], move |l, at| {
            let zero = l.b.constant(dtype, 0);
            if empty {
                return Ok(zero);
            }
            let mut inside: Option<Value> = None;
            let mut from = vec![];
            for a in 0..dims.len() {
                let (step, last) = (step[a] as i64, dims[a] as i64 - 1);
                let i = at[a].clone().plus(-(low[a] as i64));
                if let Some(i) = i.as_constant() {
                    if i < 0 || i % step != 0 || i / step > last {
                        return Ok(zero);
                    }
                    from.push(Affine::constant(i / step));
                    continue;
                }
                let i = l.b.materialize(&i);
                let near = l.b.clamp(i, 0, last * step);
                let mut here = l.b.op(ScalarOp::Eq, &[i, near]);
                let mut near = l.b.affine(near);
                if step > 1 {
                    let rest = l.b.rem(&near, step);
                    let rest = l.b.materialize(&rest);
                    let none = l.b.i64(0);
                    let even = l.b.op(ScalarOp::Eq, &[rest, none]);
                    here = l.b.op(ScalarOp::And, &[here, even]);
                    near = l.b.div(&near, step);
                }
                from.push(near);
                inside = Some(match inside {
                    Some(inside) => l.b.op(ScalarOp::And, &[inside, here]),
                    None => here,
                });
            }
            let value = l.element(x, &from)?;
            Ok(match inside {
                Some(inside) => l.b.select(inside, value, zero),
                None => value,
            })
        })
    }

    /// Writes zeros in front of and behind the window of lengths `dims` at `low`, along each axis.
    fn clear_borders(
        &mut self,
        place: &View,
        ty: &Type,
        low: &[usize],
        dims: &[usize],
    ) -> Result<()> {
        let out = ty.dims();
        for axis in 0..dims.len() {
            let behind = low[axis] + dims[axis];
            for (start, len) in [(0, low[axis]), (behind, out[axis] - behind)] {
                if len == 0 {
                    continue;
                }
                // Along the axes before, the borders are clear already.
                let mut sizes = out.clone();
                sizes[..axis].copy_from_slice(&dims[..axis]);
                sizes[axis] = len;
                let starts = (0..dims.len()).map(|a| match a.cmp(&axis) {
                    std::cmp::Ordering::Less => low[a] as i64,
                    std::cmp::Ordering::Equal => start as i64,
                    std::cmp::Ordering::Greater => 0,
                });
                let border = self.window(place, &sizes, starts.map(|s| (s, 1)));
                let zeros = self.literal(Type::new(ty.dtype, &sizes), 0);
                self.write(zeros, border)?;
            }
        }
        Ok(())
    }

    /// The part of an array in memory that starts at `walks[a].0` along axis `a` and takes steps of
    /// `walks[a].1`.
    fn window(
        &mut self,
        view: &View,
        dims: &[usize],
        walks: impl Iterator<Item = (i64, i64)>,
    ) -> View {
        let axes = walks.enumerate();
        let map = AxisMap {
            dims: dims.to_vec(),
            axes: axes
                .map(|(a, (start, step))| Walk::from(start, a, step))
                .collect(),
        };
        self.map_view(view, &map)
    }

    /// Arrays one behind the other along an axis.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn concat(&mut self, parts: &[NodeId], axis: usize, want: &Wanted) -> Result<NodeId> {
        if want.ty.size() <= FEW {
            return self.concat_few(parts, axis, &want.ty);
        }
        let place = self.place(want);
        let mut writes = vec![];
        let mut start = 0;
        for &part in parts {
            let dims = self.dims(part);
            let walks = (0..dims.len()).map(|a| (if a == axis { start } else { 0 }, 1));
            let window = self.window(&place, &dims, walks);
            start += dims[axis] as i64;
            writes.push((part, window));
        }
        self.write_all(writes, &[])?;
        Ok(self.stored(want.ty.dtype, want.ty.dims(), place))
    }

    fn concat_few(&mut self, parts: &[NodeId], axis: usize, ty: &Type) -> Result<NodeId> {
        let behind = |dims: &[usize]| dims[axis..].iter().product::<usize>();
        let front: usize = ty.dims()[..axis].iter().product();
        let mut all = vec![];
        for &part in parts {
            all.push((self.elements(part)?, behind(&self.dims(part))));
        }
        let mut elements = vec![];
        for f in 0..front {
            for (part, n) in &all {
                elements.extend(&part[f * n..(f + 1) * n]);
            }
        }
        Ok(self.of_elements(ty, &elements))
    }

    /// An index as an `i64` within `0 ..= last`.
    pub fn clamped_index(&mut self, i: Value, last: usize) -> Value {
        let i = self.whole(i, last);
        self.b.clamp(i, 0, last as i64)
    }

    /// An index as an `i64` of the same meaning as far as `0 ..= last` goes.
    pub(super) fn whole(&mut self, i: Value, last: usize) -> Value {
        match self.b.dtype(i) {
            // Numbers beyond those of an i64 are beyond the last place, too.
            DType::U64 => {
                let beyond = self.b.constant(DType::U64, last as u64 + 1);
                let i = self.b.op(ScalarOp::Min, &[i, beyond]);
                self.b.convert(i, DType::I64)
            }
            _ => self.b.convert(i, DType::I64),
        }
    }

    /// Where a window of lengths `sizes` starts, moved so that it lies inside.
    fn starts(&mut self, indices: &[NodeId], dims: &[usize], sizes: &[usize]) -> Vec<Affine> {
        let mut starts = vec![];
        for (a, &index) in indices.iter().enumerate() {
            starts.push(match dims[a] - sizes[a] {
                0 => Affine::default(),
                last => {
                    let i = self.value(index);
                    let i = self.clamped_index(i, last);
                    self.b.affine(i)
                }
            });
        }
        starts
    }

    /// The window of an array that starts at these indices.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn dynamic_slice(
        &mut self,
        x: NodeId,
        indices: &[NodeId],
        sizes: &[usize],
    ) -> Result<NodeId> {
        let starts = self.starts(indices, &self.dims(x), sizes);
        let map = window_map(starts, sizes);
        self.remap(x, &map)
    }

    /// An array with another in the place of a window of it. In place, where nothing else reads the
    /// array any more.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn dynamic_update(
        &mut self,
        x: NodeId,
        u: NodeId,
        indices: &[NodeId],
        want: &Wanted,
    ) -> Result<NodeId> {
        let (dims, sizes) = (self.dims(x), self.dims(u));
        let starts = self.starts(indices, &dims, &sizes);
        let known: Option<Vec<i64>> = starts.iter().map(Affine::as_constant).collect();
        if let (true, Some(known)) = (want.ty.size() <= FEW, known) {
            let mut elements = self.elements(x)?;
            let (new, places) = (self.elements(u)?, super::node::positions(&sizes));
            let strides = super::view::contiguous(&dims);
            for (value, at) in new.into_iter().zip(places) {
                let walked = at.iter().zip(&known).zip(&strides);
                let place: i64 = walked
                    .map(|((i, start), s)| (i.as_constant().unwrap_or(0) + start) * s)
                    .sum();
                elements[place as usize] = value;
            }
            return Ok(self.of_elements(&want.ty, &elements));
        }
        self.force(&[u], Why::Whole)?;
        let place = self.changeable(x, want)?;
        let window = self.map_view(&place, &window_map(starts, &sizes));
        self.write(u, window)?;
        Ok(self.stored(want.ty.dtype, dims, place))
    }

    /// Memory that holds an array and may be changed: its own, where nothing else reads it any more.
    pub fn changeable(&mut self, x: NodeId, want: &Wanted) -> Result<View> {
        self.force(&[x], Why::Whole)?;
        if let Expr::Stored(view) = self.expr(x).clone()
            && let Some(buffer) = buffer_of(&view)
        {
            let kind = self.b.buffer_of(buffer).kind;
            let here = match kind {
                BufferKind::Local => self.in_lanes(),
                BufferKind::Call | BufferKind::Task => !self.in_lanes(),
                _ => false,
            };
            let apart = is_spread_out(&self.dims(x), &view.strides);
            if here && apart && self.node(x).uses == 1 && !self.is_read(buffer, &[x]) {
                return Ok(view);
            }
        }
        let place = self.place(want);
        self.write(x, place.clone())?;
        Ok(place)
    }
}

fn window_map(starts: Vec<Affine>, sizes: &[usize]) -> AxisMap {
    let axes = starts.into_iter().enumerate().map(|(a, start)| Walk {
        start,
        along: Some((a, 1)),
    });
    AxisMap {
        dims: sizes.to_vec(),
        axes: axes.collect(),
    }
}
