//! Values on their way to loops.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Lowering;
use super::notes::StoreReason;
use super::random::Draw;
use super::store::buffer_of;
use super::view::{PerAxis, View};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::{BufferId, BufferKind, ListField, Value};

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
    /// The number of regions around it.
    pub depth: usize,
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
        /// How much work an element is, see [`crate::ops::work`].
        work: u64,
    },
    /// Zeros with an array in them, whose first element is at `low`. Its elements are those of nests
    /// that are cut at its borders ([`super::pad`]).
    Padded { x: NodeId, low: PerAxis<i64> },
    /// Each element from somewhere in arrays that are there.
    Find {
        find: Find,
        inputs: SmallVec<[NodeId; 3]>,
    },
    /// A value with a run-time length behind axes of known lengths: handles of lists, an `i64` array
    /// over those axes.
    Lists { handles: NodeId },
    /// A list that a loop has piled up: the rows of a field of it.
    Piled(ListField),
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
        matches!(
            self,
            Expr::Each { .. } | Expr::Padded { .. } | Expr::Find { .. } | Expr::Draw(_)
        )
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
            Expr::Padded { x, .. } => (1 + self.height(*x), self.held(&[*x], 2)),
            _ => (0, 0),
        };
        let id = NodeId(self.nodes.len() as u32);
        self.register(id, &expr);
        self.nodes.push(Node {
            ty,
            expr,
            uses: 0,
            place: None,
            height,
            held,
            depth: self.b.depth(),
        });
        self.note_node();
        id
    }

    /// Notes the buffer that a node is put into, if it is.
    fn register(&mut self, id: NodeId, expr: &Expr) {
        if let Expr::Stored(view) = expr
            && let Some(buffer) = buffer_of(view)
        {
            self.stored_in.entry(buffer).or_default().push(id);
        }
    }

    fn height(&self, id: NodeId) -> u32 {
        match self.expr(id) {
            Expr::Each { .. } | Expr::Padded { .. } => self.node(id).height,
            _ => 0,
        }
    }

    /// Large arrays that are there for one of these alone, where so many uses are its own.
    fn held(&self, inputs: &[NodeId], own: u32) -> u32 {
        let held = |id: &NodeId| match self.expr(*id) {
            Expr::Each { .. } | Expr::Padded { .. } if self.node(*id).uses <= own => {
                self.node(*id).held
            }
            Expr::Stored(view) => {
                // What is repeated is there once.
                let axes = self.dims(*id).into_iter().zip(&view.strides);
                let size: usize = axes.filter(|a| *a.1 != 0).map(|a| a.0).product();
                let alone = self.node(*id).uses <= own && size >= LARGE;
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
        self.register(id, &expr);
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

    pub(super) fn count(&mut self, ty: Type, offset: Affine, strides: PerAxis<i64>) -> NodeId {
        let id = self.push(ty, Expr::Count { offset, strides });
        self.few_at_once(id)
    }

    /// Element by element, each so much [work](crate::ops::work).
    pub fn each(
        &mut self,
        ty: &Type,
        inputs: &[NodeId],
        work: u64,
        emit: impl Fn(&mut Builder, &[Value]) -> Value + 'static,
    ) -> NodeId {
        self.each_of(ty.clone(), inputs.into(), work, Rc::new(emit))
    }

    pub(super) fn each_of(
        &mut self,
        ty: Type,
        inputs: SmallVec<[NodeId; 3]>,
        work: u64,
        emit: Emit,
    ) -> NodeId {
        if ty.shape.has_run() {
            let row_type = ty.row();
            let row = move |l: &mut Lowering, rows: &[NodeId]| {
                Ok(l.each_of(row_type.clone(), rows.into(), work, emit.clone()))
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
            self.note_here();
            return self.push(ty, Expr::Scalar(value));
        }
        let high = inputs.iter().any(|&i| self.height(i) >= HIGH);
        if high || self.held(&inputs, 1) > HELD {
            let why = if high {
                StoreReason::Long
            } else {
                StoreReason::Keeps
            };
            self.force(&inputs, why)
                .expect("arrays of one shape can be stored");
        }
        let expr = Expr::Each { emit, inputs, work };
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
        self.force(inputs, StoreReason::Elsewhere)?;
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
}

pub(super) fn inputs_of(expr: &Expr) -> SmallVec<[NodeId; 3]> {
    match expr {
        Expr::Each { inputs, .. } | Expr::Find { inputs, .. } | Expr::Rows { inputs, .. } => {
            inputs.clone()
        }
        Expr::Padded { x, .. } => SmallVec::from_slice(&[*x]),
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
