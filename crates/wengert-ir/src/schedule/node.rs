//! Values on their way to loops.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Lowering;
use super::draw::Draw;
use super::store::buffer_of;
use super::view::{AxisMap, PerAxis, Place, View, contiguous};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{BufferId, BufferKind, ListId, ScalarOp, Value};

/// A value; an index into the nodes of a [`Lowering`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub(super) u32);

/// The index of an element, one part for each axis.
pub type Position = PerAxis<Affine>;

/// Writes the statements that compute an element from elements of the operands.
pub type Emit = Rc<dyn Fn(&mut Builder, &[Value]) -> Value>;

/// Writes the statements that find an element.
pub type Find = Rc<dyn Fn(&mut Lowering, &[Affine]) -> Result<Value>>;

/// Lowers a row along the first axis, given rows of the operands.
pub type MakeRow = Rc<dyn Fn(&mut Lowering, &[NodeId]) -> Result<NodeId>>;

/// Arrays of so few elements live in registers, and loops over them are unrolled.
pub const FEW: usize = 4;

pub(super) struct Node {
    pub ty: Type,
    pub expr: Expr,
    /// How many equations and expressions still want it.
    pub uses: u32,
    /// Where it may be put when it is stored.
    pub place: Option<View>,
    /// The length of the longest chain of expressions it waits for.
    pub height: u32,
    /// Large arrays that are there for it alone.
    pub held: u32,
}

/// Expressions do not wait for longer chains: a nest is to stay of a size that can be compiled well.
const HIGH: u32 = 500;

/// Nor for more large arrays that only they want: a sum of many would keep all of them.
const HELD: u32 = 3;

/// An array of so many elements is large.
const LARGE: usize = 4096;

/// How the elements of a node are had.
#[derive(Clone)]
pub(super) enum Expr {
    /// All elements are this number.
    Literal(u64),
    /// All elements are this value.
    Scalar(Value),
    /// The elements, row-major.
    Few(Rc<[Value]>),
    /// In memory.
    Stored(View),
    /// A number that grows evenly along the axes, converted from `i64`.
    Count {
        offset: Affine,
        strides: PerAxis<i64>,
    },
    /// Random words that nobody has drawn yet.
    Draw(Draw),
    /// Element by element from arrays of the same lengths.
    Each {
        emit: Emit,
        inputs: SmallVec<[NodeId; 3]>,
        /// So little work that it may be done more than once.
        cheap: bool,
    },
    /// Each element from somewhere in arrays that are there.
    Find {
        find: Find,
        inputs: SmallVec<[NodeId; 3]>,
    },
    /// A value with a run-time length behind axes of known lengths: handles of lists, an `i64` array
    /// over those axes.
    Lists { handles: NodeId },
    /// A list that a loop has piled up: the rows of a field of it.
    Piled {
        built: Value,
        list: ListId,
        field: u32,
    },
    /// A value with a run-time length whose rows along the first axis are computed from the rows of
    /// others when they are read.
    Rows {
        row: MakeRow,
        inputs: SmallVec<[NodeId; 3]>,
    },
    /// Nobody wants it any more.
    Gone,
}

impl Expr {
    /// Whether it has to be computed.
    pub fn is_pending(&self) -> bool {
        matches!(self, Expr::Each { .. } | Expr::Find { .. } | Expr::Draw(_))
    }
}

impl Lowering {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(super) fn expr(&self, id: NodeId) -> &Expr {
        &self.node(id).expr
    }

    pub(super) fn push(&mut self, ty: Type, expr: Expr) -> NodeId {
        for input in inputs_of(&expr) {
            self.retain(input, 1);
        }
        let (height, held) = match &expr {
            Expr::Each { inputs, .. } => {
                let heights = inputs.iter().map(|&i| self.height(i));
                (1 + heights.max().unwrap_or(0), self.held(inputs, 2))
            }
            _ => (0, 0),
        };
        self.nodes.push(Node {
            ty,
            expr,
            uses: 0,
            place: None,
            height,
            held,
        });
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn height(&self, id: NodeId) -> u32 {
        match self.expr(id) {
            Expr::Each { .. } => self.node(id).height,
            _ => 0,
        }
    }

    /// Large arrays that are there for one of these alone, where so many uses are its own.
    fn held(&self, inputs: &[NodeId], own: u32) -> u32 {
        let held = |id: &NodeId| match self.expr(*id) {
            Expr::Each { .. } if self.node(*id).uses <= own => self.node(*id).held,
            Expr::Stored(view) => {
                let alone = self.node(*id).uses <= own && self.ty(*id).size() >= LARGE;
                u32::from(alone && self.is_scratch(view))
            }
            _ => 0,
        };
        inputs.iter().map(held).sum()
    }

    /// Whether an array is on the way, and its memory free when nobody wants it any more.
    fn is_scratch(&self, view: &View) -> bool {
        let scratch = |b: BufferId| {
            let kind = self.b.buffer_of(b).kind;
            matches!(
                kind,
                BufferKind::Call | BufferKind::Task | BufferKind::Local
            )
        };
        buffer_of(view).is_some_and(scratch)
    }

    /// The type of a node.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.node(id).ty
    }

    /// The lengths of its axes.
    pub fn dims(&self, id: NodeId) -> Vec<usize> {
        self.node(id).ty.dims()
    }

    /// So many uses more.
    pub fn retain(&mut self, id: NodeId, n: u32) {
        self.node_mut(id).uses += n;
    }

    /// One use less; with the last, those of its operands.
    pub fn release(&mut self, id: NodeId) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            let node = self.node_mut(id);
            debug_assert!(node.uses > 0, "released too often");
            node.uses -= 1;
            if node.uses == 0 {
                let expr = std::mem::replace(&mut node.expr, Expr::Gone);
                left.extend(inputs_of(&expr));
                // What needs nothing more than itself may be asked for again.
                if inputs_of(&expr).is_empty() {
                    self.node_mut(id).expr = expr;
                }
            }
        }
    }

    /// Forgets a node that nobody asked for.
    pub(super) fn discard(&mut self, id: NodeId) {
        if self.node(id).uses == 0 {
            self.retain(id, 1);
            self.release(id);
        }
    }

    /// Makes it something that is there.
    pub(super) fn settle(&mut self, id: NodeId, expr: Expr) {
        let old = std::mem::replace(&mut self.node_mut(id).expr, expr);
        for input in inputs_of(&old) {
            self.release(input);
        }
    }

    /// Says where it may be put, if it is not anywhere yet.
    pub(super) fn wish(&mut self, id: NodeId, place: View) {
        let node = self.node_mut(id);
        if node.expr.is_pending() && node.place.is_none() {
            node.place = Some(place);
        }
    }

    // What nodes are made of.

    /// One number, everywhere.
    pub fn literal(&mut self, ty: Type, bits: u64) -> NodeId {
        if ty.shape.has_run() {
            return self.empty_lists(ty);
        }
        self.push(ty, Expr::Literal(bits))
    }

    /// One value, everywhere.
    pub fn scalar(&mut self, dims: &[usize], value: Value) -> NodeId {
        let ty = Type::new(self.b.dtype(value), dims);
        self.push(ty, Expr::Scalar(value))
    }

    /// An array whose elements are at hand, row-major.
    pub fn few(&mut self, dtype: DType, dims: &[usize], elements: Vec<Value>) -> NodeId {
        debug_assert_eq!(elements.len(), dims.iter().product::<usize>());
        self.push(Type::new(dtype, dims), Expr::Few(elements.into()))
    }

    /// An array in memory. Few elements are read at once.
    pub fn stored(&mut self, dtype: DType, dims: Vec<usize>, view: View) -> NodeId {
        let n: usize = dims.iter().product();
        let ty = Type::new(dtype, &dims);
        if n > FEW {
            return self.push(ty, Expr::Stored(view));
        }
        let elements: Vec<Value> = (positions(&dims).iter())
            .map(|at| self.load(&view, at))
            .collect();
        match (dims.is_empty(), elements.first()) {
            (true, Some(&value)) => self.push(ty, Expr::Scalar(value)),
            _ => self.push(ty, Expr::Few(elements.into())),
        }
    }

    /// Counting along an axis.
    pub fn iota(&mut self, ty: Type, axis: usize) -> NodeId {
        let offset = Affine::default();
        let strides = (0..ty.rank()).map(|a| i64::from(a == axis)).collect();
        self.count(ty, offset, strides)
    }

    fn count(&mut self, ty: Type, offset: Affine, strides: PerAxis<i64>) -> NodeId {
        let id = self.push(ty, Expr::Count { offset, strides });
        self.few_at_once(id)
    }

    /// Element by element.
    pub fn each(
        &mut self,
        ty: &Type,
        inputs: &[NodeId],
        cheap: bool,
        emit: impl Fn(&mut Builder, &[Value]) -> Value + 'static,
    ) -> NodeId {
        self.each_of(ty.clone(), inputs.into(), cheap, Rc::new(emit))
    }

    pub(super) fn each_of(
        &mut self,
        ty: Type,
        inputs: SmallVec<[NodeId; 3]>,
        cheap: bool,
        emit: Emit,
    ) -> NodeId {
        if ty.shape.has_run() {
            let row_type = ty.row();
            let row = move |l: &mut Lowering, rows: &[NodeId]| {
                Ok(l.each_of(row_type.clone(), rows.into(), cheap, emit.clone()))
            };
            return self.rows(ty, inputs, row);
        }
        let same =
            |l: &Lowering, id: &NodeId| matches!(l.expr(*id), Expr::Literal(_) | Expr::Scalar(_));
        if inputs.iter().all(|id| same(self, id)) {
            let origin: Position = ty.dims().iter().map(|_| Affine::default()).collect();
            let args: SmallVec<[Value; 3]> = (inputs.iter())
                .map(|&id| self.element(id, &origin).expect("a scalar is there"))
                .collect();
            let value = emit(&mut self.b, &args);
            return self.push(ty, Expr::Scalar(value));
        }
        let high = inputs.iter().any(|&i| self.height(i) >= HIGH);
        if high || self.held(&inputs, 1) > HELD {
            self.force(&inputs)
                .expect("arrays of one shape can be stored");
        }
        let expr = Expr::Each {
            emit,
            inputs,
            cheap,
        };
        let id = self.push(ty, expr);
        self.few_at_once(id)
    }

    /// A value with a run-time length, row by row.
    pub fn rows(
        &mut self,
        ty: Type,
        inputs: SmallVec<[NodeId; 3]>,
        row: impl Fn(&mut Lowering, &[NodeId]) -> Result<NodeId> + 'static,
    ) -> NodeId {
        let row = Rc::new(row);
        self.push(ty, Expr::Rows { row, inputs })
    }

    /// Each element from somewhere: operands that would have to be computed are stored first.
    ///
    /// # Errors
    /// If an operand cannot be stored.
    pub fn find(
        &mut self,
        ty: &Type,
        inputs: &[NodeId],
        find: impl Fn(&mut Lowering, &[Affine]) -> Result<Value> + 'static,
    ) -> Result<NodeId> {
        self.force(inputs)?;
        let find = Rc::new(find);
        let inputs = inputs.into();
        let id = self.push(ty.clone(), Expr::Find { find, inputs });
        Ok(self.few_at_once(id))
    }

    /// Computes an expression of few elements on the spot.
    fn few_at_once(&mut self, id: NodeId) -> NodeId {
        let ty = self.ty(id).clone();
        let dims = ty.dims();
        if dims.iter().product::<usize>() > FEW {
            return id;
        }
        let memo = self.memo.take();
        let elements: Vec<Value> = (positions(&dims).iter())
            .map(|at| self.element(id, at).expect("few elements are at hand"))
            .collect();
        self.memo = memo;
        let expr = match (dims.is_empty(), elements.first()) {
            (true, Some(&value)) => Expr::Scalar(value),
            _ => Expr::Few(elements.into()),
        };
        self.settle(id, expr);
        id
    }

    // How nodes are read.

    /// Where an element of an array in memory is.
    pub(super) fn place_of(&mut self, view: &View, at: &[Affine]) -> Affine {
        let mut place = view.offset.clone();
        for (i, &stride) in at.iter().zip(&view.strides) {
            place = self.b.add_scaled(&place, i, stride);
        }
        place
    }

    /// An element of an array in memory.
    pub fn load(&mut self, view: &View, at: &[Affine]) -> Value {
        let element = self.place_of(view, at);
        match view.place {
            Place::Buffer(buffer) => match &self.nest {
                Some(nest) if !nest.written.contains(&buffer) => {
                    (self.b).load_in_nest(nest.number, nest.floor, buffer, &element)
                }
                _ => self.b.load(buffer, &element),
            },
            Place::Row { dtype, rows, row } => self.b.list_load(dtype, rows, row, &element),
            Place::NewRow { .. } => unreachable!("a row is read before its list is finished"),
        }
    }

    /// Writes an element of an array in memory.
    pub fn store(&mut self, view: &View, at: &[Affine], value: Value) {
        let element = self.place_of(view, at);
        match view.place {
            Place::Buffer(buffer) => self.b.store(buffer, &element, value),
            Place::NewRow { list, field, row } => {
                self.b.list_store(list, field, row, &element, value);
            }
            Place::Row { .. } => unreachable!("a finished list is written"),
        }
    }

    /// The statements that give an element of a node, here.
    ///
    /// # Errors
    /// If it has elements only row by row.
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
                let args: Result<SmallVec<[Value; 3]>> =
                    inputs.iter().map(|&i| self.element(i, at)).collect();
                let value = emit(&mut self.b, &args?);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Draw(draw) => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let value = self.drawn_element(id, &draw, at);
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Find { find, .. } => {
                if let Some(value) = self.remembered(id, at) {
                    return Ok(value);
                }
                let value = find(self, at)?;
                self.remember(id, at, value);
                Ok(value)
            }
            Expr::Lists { .. } | Expr::Piled { .. } | Expr::Rows { .. } | Expr::Gone => {
                unreachable!("an element of {} that is not there", self.ty(id))
            }
        }
    }

    /// One of a few elements in registers, by its number.
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

    /// A scalar's value.
    ///
    /// # Panics
    /// If it is not one.
    pub fn value(&mut self, id: NodeId) -> Value {
        assert!(self.dims(id).is_empty(), "a scalar");
        self.element(id, &[]).expect("a scalar is there")
    }

    // Layout.

    /// The same elements in another order, some of them, or some more than once. An expression is
    /// computed in the new order, unless that would compute an element twice.
    ///
    /// # Errors
    /// If it has to be stored and cannot be.
    pub fn remap(&mut self, id: NodeId, map: &AxisMap) -> Result<NodeId> {
        let cheap = matches!(self.expr(id), Expr::Each { cheap: true, .. });
        if !self.moves_freely(id) || !(map.reads_once() || cheap) {
            self.force(&[id])?;
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
                    let view = self.memory(id)?;
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
                    let view = self.memory(id)?;
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
                    self.force(&[id])?;
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
            self.force(&[id])?;
        }
        let ty = Type::new(self.ty(id).dtype, dims);
        Ok(match self.expr(id).clone() {
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
        })
    }

    fn reshape_memory(&mut self, id: NodeId, ty: Type) -> Result<NodeId> {
        let (from, to) = (self.dims(id), ty.dims());
        let view = self.memory(id)?;
        let (view, strides) = match super::view::reshape(&from, &view.strides, &to) {
            Some(strides) => (view, strides),
            None => (self.copied(id)?, contiguous(&to)),
        };
        let view = View { strides, ..view };
        Ok(self.stored(ty.dtype, to, view))
    }
}

pub(super) fn inputs_of(expr: &Expr) -> SmallVec<[NodeId; 3]> {
    match expr {
        Expr::Each { inputs, .. } | Expr::Find { inputs, .. } | Expr::Rows { inputs, .. } => {
            inputs.clone()
        }
        Expr::Lists { handles } => SmallVec::from_slice(&[*handles]),
        _ => SmallVec::new(),
    }
}

/// All positions in an array of few elements, row-major.
pub(super) fn positions(dims: &[usize]) -> Vec<Position> {
    let n: usize = dims.iter().product();
    (0..n)
        .map(|mut i| {
            let mut at: Position = dims.iter().map(|_| Affine::default()).collect();
            for (a, &len) in dims.iter().enumerate().rev() {
                at[a] = Affine::constant((i % len) as i64);
                i /= len;
            }
            at
        })
        .collect()
}
