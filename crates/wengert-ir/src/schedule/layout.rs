//! Nodes read in another order or shape.

use smallvec::SmallVec;

use super::Lowering;
use super::draw::Draw;
use super::node::{Expr, FEW, NodeId, Position, positions};
use super::notes::Why;
use super::view::{AxisMap, PerAxis, View, contiguous};
use crate::error::Result;
use crate::ir::Type;
use crate::loops::Value;
use crate::loops::affine::Affine;

impl Lowering {
    /// The same elements in another order, some of them, or some more than once. An expression is
    /// computed in the new order, unless that would compute an element twice.
    ///
    /// # Errors
    /// If it has to be stored and cannot be.
    pub fn remap(&mut self, id: NodeId, map: &AxisMap) -> Result<NodeId> {
        let cheap = matches!(self.expr(id), Expr::Each { cheap: true, .. });
        if !self.moves_freely(id) || !(map.reads_once() || cheap) {
            self.force(&[id], Why::Reordered)?;
        }
        let ty = Type::new(self.ty(id).dtype, &map.dims);
        let out = match self.expr(id).clone() {
            Expr::Literal(bits) => self.push(ty, Expr::Literal(bits)),
            Expr::Scalar(value) => self.push(ty, Expr::Scalar(value)),
            Expr::Few(elements) => {
                let known = (map.axes.iter())
                    .map(|w| Some((w.start.as_constant()?, w.along)))
                    .collect::<Option<Vec<_>>>();
                let Some(walks) = known else {
                    let view = self.memory(id, Why::Reordered)?;
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
                    // Repeated.
                    let view = self.memory(id, Why::Reordered)?;
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
                    self.force(&[id], Why::Reordered)?;
                    self.remap(id, map)?
                }
            },
            Expr::Each {
                emit,
                inputs,
                cheap,
            } => {
                let mapped: Result<SmallVec<[NodeId; 3]>> =
                    inputs.iter().map(|&i| self.remap(i, map)).collect();
                self.each_of(ty, mapped?, cheap, emit)
            }
            Expr::Find { find, inputs } => {
                let map = map.clone();
                let find = move |l: &mut Lowering, at: &[Affine]| {
                    let place = l.walk(&map, at);
                    find(l, &place)
                };
                self.find(&ty, &inputs, find)?
            }
            Expr::Lists { .. } | Expr::Piled { .. } | Expr::Rows { .. } | Expr::Gone => {
                unreachable!("a layout of lists")
            }
        };
        self.note_moved(id, out);
        Ok(out)
    }

    /// Whether an expression may be computed in another order instead: nothing else wants it or what
    /// it is made of, and it is short.
    fn moves_freely(&self, id: NodeId) -> bool {
        const SHORT: usize = 32;
        let mut left = vec![id];
        let mut seen = 0;
        while let Some(id) = left.pop() {
            if let Expr::Each { inputs, cheap, .. } = self.expr(id) {
                seen += 1;
                if seen > SHORT || (!cheap && self.node(id).uses > 1) {
                    return false;
                }
                left.extend(inputs.iter().copied());
            }
        }
        true
    }

    /// The place in the operand of a place in the result.
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

    /// One row along the first axis.
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

    /// The same elements, row-major, with other lengths of the axes.
    ///
    /// # Errors
    /// As [`Lowering::remap`].
    pub fn reshape(&mut self, id: NodeId, dims: &[usize]) -> Result<NodeId> {
        let from = self.dims(id);
        if from == dims {
            return Ok(id);
        }
        if !self.moves_freely(id) || matches!(self.expr(id), Expr::Find { .. }) {
            self.force(&[id], Why::Reordered)?;
        }
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
            Expr::Each {
                emit,
                inputs,
                cheap,
            } => {
                let mapped: Result<SmallVec<[NodeId; 3]>> =
                    inputs.iter().map(|&i| self.reshape(i, dims)).collect();
                self.each_of(ty, mapped?, cheap, emit)
            }
            _ => self.reshape_memory(id, ty)?,
        };
        self.note_moved(id, out);
        Ok(out)
    }

    fn reshape_memory(&mut self, id: NodeId, ty: Type) -> Result<NodeId> {
        let (from, to) = (self.dims(id), ty.dims());
        let view = self.memory(id, Why::Reordered)?;
        let (view, strides) = match super::view::reshape(&from, &view.strides, &to) {
            Some(strides) => (view, strides),
            None => (self.copied(id, Why::Reordered)?, contiguous(&to)),
        };
        let view = View { strides, ..view };
        Ok(self.stored(ty.dtype, to, view))
    }
}
