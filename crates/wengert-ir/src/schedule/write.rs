//! Arrays that are written in part: concatenation and windows.

use super::node::{FEW, NodeId};
use super::notes::StoreReason;
use super::view::{AxisMap, View, Walk};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};

impl Lowering {
    /// Returns the place for a result: the one that `want` names, or new memory.
    pub fn place(&mut self, want: &Wanted) -> View {
        match &want.place {
            Some(place) => place.clone(),
            None => self.alloc(want.ty.dtype, &want.ty.dims()),
        }
    }

    /// Returns the part of an array in memory that starts at `walks[a].0` and takes steps of `walks[a].1`
    /// along axis `a`.
    pub(super) fn window(
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

    /// Joins arrays one after the other along an axis.
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

    /// Converts an index to an `i64` and clamps it to `0 ..= last`.
    pub fn clamped_index(&mut self, i: Value, last: usize) -> Value {
        let i = self.whole(i, last);
        self.b.clamp(i, 0, last as i64)
    }

    /// Converts an index to an `i64`; an index outside of `0 ..= last` stays outside.
    pub(super) fn whole(&mut self, i: Value, last: usize) -> Value {
        match self.b.dtype(i) {
            // A `u64` beyond the range of `i64` is beyond the last index, too.
            DType::U64 => {
                let beyond = self.b.constant(DType::U64, last as u64 + 1);
                let i = self.b.op(ScalarOp::Min, &[i, beyond]);
                self.b.convert(i, DType::I64)
            }
            _ => self.b.convert(i, DType::I64),
        }
    }

    /// Returns the start of a window of lengths `sizes`, moved so that the window lies inside of the array.
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

    /// Returns the window of an array that starts at these indices.
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

    /// Replaces a window of an array by another array. This happens in place if nothing else reads the array
    /// any more.
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
        self.force(&[u], StoreReason::Whole)?;
        let place = self.changeable(x, want)?;
        let window = self.map_view(&place, &window_map(starts, &sizes));
        self.write(u, window)?;
        Ok(self.stored(want.ty.dtype, dims, place))
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
