//! Reading nodes in another order or shape.

use std::collections::{BTreeMap, HashMap};

use smallvec::SmallVec;

use super::Lowering;
use super::node::{Expr, FEW, NodeId, Position, inputs_of, positions};
use super::notes::StoreReason;
use super::random::Draw;
use super::view::{AxisMap, PerAxis, View, Walk, contiguous};
use crate::error::Result;
use crate::ir::Type;
use crate::loops::Value;
use crate::loops::affine::Affine;
use crate::ops::work::FREE;

impl Lowering {
    /// Reads a node through a map, which may reorder, omit or repeat elements. A short expression is computed in the
    /// new order unless that would repeat work that is not free; otherwise it is stored first.
    ///
    /// # Errors
    /// Fails if the node must be stored and cannot be.
    pub fn remap(&mut self, id: NodeId, map: &AxisMap) -> Result<NodeId> {
        let free = matches!(self.expr(id), Expr::Each { work: FREE, .. });
        let once = map.reads_once();
        if !self.moves_freely(id, map.is_order(&self.dims(id))) || !(once || free) {
            self.force(&[id], StoreReason::Reordered)?;
        }
        match once {
            true => self.moved(id, map, &mut HashMap::new()),
            false => self.remap_one(id, map),
        }
    }

    /// Rebuilds an expression in another order, each part of it once.
    fn moved(
        &mut self,
        id: NodeId,
        map: &AxisMap,
        parts: &mut HashMap<NodeId, NodeId>,
    ) -> Result<NodeId> {
        if let Some(&part) = parts.get(&id) {
            return Ok(part);
        }
        let ty = Type::new(self.ty(id).dtype, &map.dims);
        let out = match self.expr(id).clone() {
            Expr::Each { emit, inputs, work } => {
                let mut moved = SmallVec::new();
                for input in inputs {
                    moved.push(self.moved(input, map, parts)?);
                }
                self.each_of(ty, moved, work, emit)
            }
            Expr::Padded { x, low } => {
                let (low, inside) = padded_in_order(&low, &self.dims(x), map);
                let x = self.moved(x, &inside, parts)?;
                self.push(ty, Expr::Padded { x, low })
            }
            _ => self.remap_one(id, map)?,
        };
        self.note_moved(id, out);
        parts.insert(id, out);
        Ok(out)
    }

    fn remap_one(&mut self, id: NodeId, map: &AxisMap) -> Result<NodeId> {
        let ty = Type::new(self.ty(id).dtype, &map.dims);
        let out = match self.expr(id).clone() {
            Expr::Literal(bits) => self.push(ty, Expr::Literal(bits)),
            Expr::Scalar(value) => self.push(ty, Expr::Scalar(value)),
            Expr::Few(elements) => {
                let known = (map.axes.iter())
                    .map(|w| Some((w.start.as_constant()?, w.along)))
                    .collect::<Option<Vec<_>>>();
                let Some(walks) = known else {
                    let view = self.memory(id, StoreReason::Reordered)?;
                    let view = self.map_view(&view, map);
                    return Ok(self.stored(ty.dtype, map.dims.clone(), view));
                };
                let strides = contiguous(&self.dims(id));
                let place = |at: &Position| {
                    let walked = walks.iter().zip(&strides).map(|((start, along), stride)| {
                        let i = along
                            .map_or(0, |(axis, step)| at[axis].as_constant().unwrap_or(0) * step);
                        (start + i) * stride
                    });
                    walked.sum::<i64>() as usize
                };
                if map.dims.iter().product::<usize>() > FEW {
                    // The map repeats elements, more than fit in registers.
                    let view = self.memory(id, StoreReason::Reordered)?;
                    let view = self.map_view(&view, map);
                    return Ok(self.push(ty, Expr::Stored(view)));
                }
                let picked: Vec<Value> = (positions(&map.dims).iter())
                    .map(|at| elements[place(at)])
                    .collect();
                match map.dims.is_empty() {
                    true => self.push(ty, Expr::Scalar(picked[0])),
                    false => self.push(ty, Expr::Few(picked.into())),
                }
            }
            Expr::Stored(view) => {
                let view = self.map_view(&view, map);
                self.stored(ty.dtype, map.dims.clone(), view)
            }
            Expr::Count { offset, strides } => {
                let (offset, strides) = self.map_walk(&offset, &strides, map);
                self.count(ty, offset, strides)
            }
            Expr::Draw(draw) => match self.redrawn(ty, &draw, map)? {
                Some(id) => id,
                None => {
                    self.force(&[id], StoreReason::Reordered)?;
                    self.remap(id, map)?
                }
            },
            Expr::Each { emit, inputs, work } => {
                let mapped: Result<SmallVec<[NodeId; 3]>> =
                    inputs.iter().map(|&i| self.remap(i, map)).collect();
                self.each_of(ty, mapped?, work, emit)
            }
            Expr::Find { find, inputs } => {
                let map = map.clone();
                let find = move |l: &mut Lowering, at: &[Affine]| {
                    let place = l.walk(&map, at);
                    find(l, &place)
                };
                self.find(&ty, &inputs, find)?
            }
            Expr::Padded { .. } => unreachable!("it is in memory"),
            Expr::Lists { .. } | Expr::Piled(_) | Expr::Rows { .. } | Expr::Gone => {
                unreachable!("a layout of lists")
            }
        };
        self.note_moved(id, out);
        Ok(out)
    }

    /// Returns whether an expression may be computed in another order instead of being stored: it is short, and nothing
    /// else uses it or its parts (free parts may have other uses). `padded` says whether parts may be padded arrays.
    fn moves_freely(&self, id: NodeId, padded: bool) -> bool {
        const SHORT: usize = 32;
        let mut left = vec![id];
        // How often the expression itself uses each part.
        let mut wanted = BTreeMap::from([(id, 1)]);
        while let Some(id) = left.pop() {
            match self.expr(id) {
                Expr::Each { .. } => {}
                Expr::Padded { .. } if padded => {}
                Expr::Padded { .. } => return false,
                _ => continue,
            }
            for input in inputs_of(self.expr(id)) {
                let wanted = wanted.entry(input).or_insert(0);
                *wanted += 1;
                if *wanted == 1 {
                    left.push(input);
                }
            }
        }
        let parts = || wanted.iter().filter(|(id, _)| self.is_made(**id));
        let free = |id: NodeId| matches!(self.expr(id), Expr::Each { work: FREE, .. });
        parts().count() <= SHORT
            && parts().all(|(&id, &wanted)| free(id) || self.node(id).uses <= wanted)
    }

    /// Returns whether a node is computed from other nodes that have its shape or lie inside it.
    fn is_made(&self, id: NodeId) -> bool {
        matches!(self.expr(id), Expr::Each { .. } | Expr::Padded { .. })
    }

    /// Returns the place in the operand for a place in the result.
    fn walk(&mut self, map: &AxisMap, at: &[Affine]) -> Position {
        let walks = map.axes.iter();
        walks
            .map(|w| match w.along {
                Some((axis, step)) => self.b.add_scaled(&w.start, &at[axis], step),
                None => w.start.clone(),
            })
            .collect()
    }

    pub(super) fn map_view(&mut self, view: &View, map: &AxisMap) -> View {
        let (offset, strides) = self.map_walk(&view.offset, &view.strides, map);
        View {
            place: view.place,
            offset,
            strides,
        }
    }

    pub(super) fn map_walk(
        &mut self,
        offset: &Affine,
        from: &[i64],
        map: &AxisMap,
    ) -> (Affine, PerAxis<i64>) {
        let mut offset = offset.clone();
        let mut strides: PerAxis<i64> = map.dims.iter().map(|_| 0).collect();
        for (walk, &stride) in map.axes.iter().zip(from) {
            offset = self.b.add_scaled(&offset, &walk.start, stride);
            if let Some((axis, step)) = walk.along {
                strides[axis] += stride * step;
            }
        }
        (offset, strides)
    }

    /// Returns one row along the first axis.
    ///
    /// # Errors
    /// As [`Lowering::remap`].
    pub fn row(&mut self, id: NodeId, row: &Affine) -> Result<NodeId> {
        if self.ty(id).shape.has_run() {
            return self.list_row(id, row);
        }
        let map = AxisMap::row(&self.dims(id), row.clone());
        self.remap(id, &map)
    }

    /// Returns the same elements in row-major order, with other axis lengths.
    ///
    /// # Errors
    /// As [`Lowering::remap`].
    pub fn reshape(&mut self, id: NodeId, dims: &[usize]) -> Result<NodeId> {
        let from = self.dims(id);
        if from == dims {
            return Ok(id);
        }
        if !self.moves_freely(id, false) || matches!(self.expr(id), Expr::Find { .. }) {
            self.force(&[id], StoreReason::Reordered)?;
        }
        self.reshaped(id, dims, &mut HashMap::new())
    }

    fn reshaped(
        &mut self,
        id: NodeId,
        dims: &[usize],
        parts: &mut HashMap<NodeId, NodeId>,
    ) -> Result<NodeId> {
        if let Some(&part) = parts.get(&id) {
            return Ok(part);
        }
        let from = self.dims(id);
        let ty = Type::new(self.ty(id).dtype, dims);
        let out = match self.expr(id).clone() {
            Expr::Literal(bits) => self.push(ty, Expr::Literal(bits)),
            Expr::Scalar(value) => self.push(ty, Expr::Scalar(value)),
            Expr::Few(elements) if dims.is_empty() => self.push(ty, Expr::Scalar(elements[0])),
            Expr::Few(elements) => self.push(ty, Expr::Few(elements)),
            Expr::Count { offset, strides } => match super::view::reshape(&from, &strides, dims) {
                Some(strides) => self.count(ty, offset, strides),
                None => self.reshape_memory(id, ty)?,
            },
            Expr::Draw(draw) => {
                let strides = contiguous(dims);
                self.drawn(ty, Draw { strides, ..draw })?
            }
            Expr::Each { emit, inputs, work } => {
                let mut mapped = SmallVec::new();
                for input in inputs {
                    mapped.push(self.reshaped(input, dims, parts)?);
                }
                self.each_of(ty, mapped, work, emit)
            }
            _ => self.reshape_memory(id, ty)?,
        };
        self.note_moved(id, out);
        parts.insert(id, out);
        Ok(out)
    }

    fn reshape_memory(&mut self, id: NodeId, ty: Type) -> Result<NodeId> {
        let (from, to) = (self.dims(id), ty.dims());
        let view = self.memory(id, StoreReason::Reordered)?;
        let (view, strides) = match super::view::reshape(&from, &view.strides, &to) {
            Some(strides) => (view, strides),
            None => (self.copied(id, StoreReason::Reordered)?, contiguous(&to)),
        };
        let view = View { strides, ..view };
        Ok(self.stored(ty.dtype, to, view))
    }
}

/// Returns, for a padded array that is read with its axes in another order, where the inner array then begins, and the
/// map through which the inner array itself is read.
fn padded_in_order(low: &[i64], dims: &[usize], map: &AxisMap) -> (PerAxis<i64>, AxisMap) {
    let axis_of = |axis: usize| {
        let along = |w: &Walk| w.along.is_some_and(|(a, _)| a == axis);
        map.axes.iter().position(along).expect("an order of axes")
    };
    let order: PerAxis<usize> = (0..map.dims.len()).map(axis_of).collect();
    let inside = AxisMap {
        dims: order.iter().map(|&a| dims[a]).collect(),
        axes: map.axes.clone(),
    };
    (order.iter().map(|&a| low[a]).collect(), inside)
}
