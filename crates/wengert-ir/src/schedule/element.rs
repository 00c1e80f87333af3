//! Elements of nodes, computed where they are needed.

use smallvec::SmallVec;

use super::Lowering;
use super::node::{Expr, NodeId, Position};
use super::view::{Place, View, contiguous};
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};

impl Lowering {
    /// Returns where an element of an array lies in its memory.
    pub(super) fn place_of(&mut self, view: &View, at: &[Affine]) -> Affine {
        let mut place = view.offset.clone();
        for (i, &stride) in at.iter().zip(&view.strides) {
            place = self.b.add_scaled(&place, i, stride);
        }
        place
    }

    /// Loads an element of an array in memory.
    pub fn load(&mut self, view: &View, at: &[Affine]) -> Value {
        let element = self.place_of(view, at);
        match view.place {
            Place::Buffer(buffer) => {
                self.note_read(buffer, element.lane);
                match &self.nest {
                    Some(nest) if !nest.written.contains(&buffer) => {
                        (self.b).load_in_nest(nest.number, nest.floor, buffer, &element)
                    }
                    _ => self.b.load(buffer, &element),
                }
            }
            Place::Row { dtype, rows, row } => self.b.list_load(dtype, rows, row, &element),
            Place::NewRow { .. } => unreachable!("a row is read before its list is finished"),
        }
    }

    /// Writes an element of an array in memory.
    pub fn store(&mut self, view: &View, at: &[Affine], value: Value) {
        let element = self.place_of(view, at);
        match view.place {
            Place::Buffer(buffer) => {
                self.note_write(buffer);
                self.b.store(buffer, &element, value);
            }
            Place::NewRow { list, field, row } => {
                self.b.list_store(list, field, row, &element, value);
            }
            Place::Row { .. } => unreachable!("a finished list is written"),
        }
    }

    /// Writes the statements that compute an element of a node at the current point, and returns the element.
    ///
    /// # Errors
    /// Returns the errors of the expressions that the node is made of.
    ///
    /// # Panics
    /// Panics if the node has elements only row by row.
    pub fn element(&mut self, id: NodeId, at: &[Affine]) -> Result<Value> {
        let node = self.node(id);
        let dtype = node.ty.dtype;
        match node.expr.clone() {
            Expr::Literal(bits) => Ok(self.b.constant(dtype, bits)),
            Expr::Scalar(value) => Ok(value),
            Expr::Few(elements) => {
                let strides = contiguous(&self.dims(id));
                let known: Option<Vec<i64>> = at.iter().map(Affine::as_constant).collect();
                match (known, self.spilled.get(&id).cloned()) {
                    (Some(at), _) => {
                        let place: i64 = at.iter().zip(&strides).map(|(i, s)| i * s).sum();
                        Ok(elements[place as usize])
                    }
                    (None, Some(view)) => Ok(self.load(&view, at)),
                    (None, None) => Ok(self.chosen(&elements, at, &strides)),
                }
            }
            Expr::Stored(view) => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let value = self.load(&view, at);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Count { offset, strides } => {
                let mut sum = offset;
                for (i, &stride) in at.iter().zip(&strides) {
                    sum = self.b.add_scaled(&sum, i, stride);
                }
                let value = self.b.materialize(&sum);
                Ok(self.b.convert(value, dtype))
            }
            Expr::Each { emit, inputs, .. } => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let around = self.note_origin(id);
                let args: Result<SmallVec<[Value; 3]>> =
                    inputs.iter().map(|&i| self.element(i, at)).collect();
                let value = emit(&mut self.b, &args?);
                self.note_origin_again(around);
                self.note_computed(id);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Draw(draw) => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let around = self.note_origin(id);
                let value = self.drawn_element(id, &draw, at);
                self.note_origin_again(around);
                self.note_computed(id);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Padded { x, low } => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let around = self.note_origin(id);
                let value = self.padded_element(x, &low, at)?;
                self.note_origin_again(around);
                self.note_computed(id);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Find { find, .. } => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                // `find` may read positions other than those of the piece.
                let piece = self.piece.take();
                let around = self.note_origin(id);
                let value = find(self, at)?;
                self.note_origin_again(around);
                self.piece = piece;
                self.note_computed(id);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Lists { .. } | Expr::Piled(_) | Expr::Rows { .. } | Expr::Gone => {
                unreachable!("an element of {} that is not there", self.ty(id))
            }
        }
    }

    /// Selects one of a few elements in registers by its row-major number.
    fn chosen(&mut self, elements: &[Value], at: &[Affine], strides: &[i64]) -> Value {
        let mut place = Affine::default();
        for (i, &stride) in at.iter().zip(strides) {
            place = self.b.add_scaled(&place, i, stride);
        }
        let place = self.b.materialize(&place);
        let mut found = elements[0];
        for (k, &element) in elements.iter().enumerate().skip(1) {
            let k = self.b.i64(k as i64);
            let here = self.b.op(ScalarOp::Eq, &[place, k]);
            found = self.b.select(here, element, found);
        }
        found
    }

    fn remembered(&self, id: NodeId, at: &[Affine]) -> Option<Value> {
        let memo = self.memo.as_ref()?;
        memo.get(&(id, Position::from(at))).copied()
    }

    fn remember(&mut self, id: NodeId, at: &[Affine], value: Value) {
        if let Some(memo) = &mut self.memo {
            memo.insert((id, Position::from(at)), value);
        }
    }

    /// Returns the value of a scalar.
    ///
    /// # Panics
    /// Panics if the node is not a scalar.
    pub fn value(&mut self, id: NodeId) -> Value {
        assert!(self.dims(id).is_empty(), "a scalar");
        self.element(id, &[]).expect("a scalar is there")
    }
}
