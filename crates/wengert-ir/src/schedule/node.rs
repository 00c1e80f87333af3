//! Values that are waiting to be computed in loops, or have been.

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

/// A value: an index into the nodes of a [`Lowering`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub(super) u32);

/// The position of an element: one index for each axis.
pub type Position = PerAxis<Affine>;

/// Writes the statements that compute an element from the elements of the operands.
pub type Emit = Rc<dyn Fn(&mut Builder, &[Value]) -> Value>;

/// Writes the statements that locate and load an element.
pub type Find = Rc<dyn Fn(&mut Lowering, &[Affine]) -> Result<Value>>;

/// Lowers a row along the first axis, given the corresponding rows of the operands.
pub type MakeRow = Rc<dyn Fn(&mut Lowering, &[NodeId]) -> Result<NodeId>>;

/// Arrays of at most this many elements live in registers, and loops over them are unrolled.
pub const FEW: usize = 4;

pub(super) struct Node {
    pub ty: Type,
    pub expr: Expr,
    /// The number of equations and expressions that still use the node.
    pub uses: u32,
    /// The place where the node may be put when it is stored.
    pub place: Option<View>,
    /// The length of the longest chain of pending expressions below it.
    pub height: u32,
    /// The number of large arrays that are kept alive for this node alone.
    pub held: u32,
    /// The number of regions around the node.
    pub depth: usize,
}

/// Length of the longest chain of pending expressions: longer chains are stored, so that a nest stays small
/// enough to compile well.
const HIGH: u32 = 500;

/// Number of large arrays that an expression may keep alive on its own. Without this bound, a sum of many
/// arrays would keep all of them.
const HELD: u32 = 3;

/// Number of elements from which an array counts as large.
const LARGE: usize = 4096;

/// Where the elements of a node come from.
#[derive(Clone)]
pub(super) enum Expr {
    /// This number, for all elements.
    Literal(u64),
    /// This value, for all elements.
    Scalar(Value),
    /// Values in registers, row-major.
    Few(Rc<[Value]>),
    /// An array in memory.
    Stored(View),
    /// Numbers that grow linearly along the axes, converted from `i64`.
    Count {
        offset: Affine,
        strides: PerAxis<i64>,
    },
    /// Random words that have not been drawn yet.
    Draw(Draw),
    /// Elements computed one by one from arrays of the same lengths.
    Each {
        emit: Emit,
        inputs: SmallVec<[NodeId; 3]>,
        /// The work per element, see [`crate::ops::work`].
        work: u64,
    },
    /// Zeros with an array in them, whose first element is at `low`. Its elements are computed by nests that
    /// are cut at the borders of the array ([`super::pad`]).
    Padded { x: NodeId, low: PerAxis<i64> },
    /// Elements that are each loaded from some position of arrays that exist already.
    Find {
        find: Find,
        inputs: SmallVec<[NodeId; 3]>,
    },
    /// A value with a run-time length inside axes of known lengths: an `i64` array of list handles over those
    /// axes.
    Lists { handles: NodeId },
    /// Rows of one field of a list that a loop has built.
    Piled(ListField),
    /// A value with a run-time length whose rows along the first axis are computed, when they are read, from
    /// the rows of its inputs.
    Rows {
        row: MakeRow,
        inputs: SmallVec<[NodeId; 3]>,
    },
    /// Nothing: the node is unused.
    Gone,
}

impl Expr {
    /// Returns whether the elements have yet to be computed.
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

    /// Records the buffer that holds a node, if it is stored in one.
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

    /// Counts the large arrays among and below these inputs that nothing else keeps alive. `own` is the
    /// number of uses of an input that belong to the caller.
    fn held(&self, inputs: &[NodeId], own: u32) -> u32 {
        let held = |id: &NodeId| match self.expr(*id) {
            Expr::Each { .. } | Expr::Padded { .. } if self.node(*id).uses <= own => {
                self.node(*id).held
            }
            Expr::Stored(view) => {
                // Repeated elements exist only once.
                let axes = self.dims(*id).into_iter().zip(&view.strides);
                let size: usize = axes.filter(|a| *a.1 != 0).map(|a| a.0).product();
                let alone = self.node(*id).uses <= own && size >= LARGE;
                u32::from(alone && self.is_scratch(view))
            }
            _ => 0,
        };
        inputs.iter().map(held).sum()
    }

    /// Returns whether an array is an intermediate result, whose memory is free once the array is unused.
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

    /// Returns the type of a node.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.node(id).ty
    }

    /// Returns the lengths of a node's axes.
    pub fn dims(&self, id: NodeId) -> Vec<usize> {
        self.node(id).ty.dims()
    }

    /// Adds `n` uses.
    pub fn retain(&mut self, id: NodeId, n: u32) {
        self.node_mut(id).uses += n;
    }

    /// Removes one use. With the last use goes the node's use of its operands.
    pub fn release(&mut self, id: NodeId) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            let node = self.node_mut(id);
            debug_assert!(node.uses > 0, "released too often");
            node.uses -= 1;
            if node.uses == 0 {
                let expr = std::mem::replace(&mut node.expr, Expr::Gone);
                left.extend(inputs_of(&expr));
                // An expression without operands stays, because it may be asked for again.
                if inputs_of(&expr).is_empty() {
                    self.node_mut(id).expr = expr;
                }
            }
        }
    }

    /// Discards a node if it has no uses.
    pub(super) fn discard(&mut self, id: NodeId) {
        if self.node(id).uses == 0 {
            self.retain(id, 1);
            self.release(id);
        }
    }

    /// Replaces the expression of a node by one that needs no more computation, and releases the old
    /// operands.
    pub(super) fn settle(&mut self, id: NodeId, expr: Expr) {
        self.register(id, &expr);
        let old = std::mem::replace(&mut self.node_mut(id).expr, expr);
        for input in inputs_of(&old) {
            self.release(input);
        }
    }

    /// Proposes where a pending node may be stored, unless it has a place already.
    pub(super) fn wish(&mut self, id: NodeId, place: View) {
        let node = self.node_mut(id);
        if node.expr.is_pending() && node.place.is_none() {
            node.place = Some(place);
        }
    }

    // Constructors of nodes.

    /// Makes a node whose elements are all one number.
    pub fn literal(&mut self, ty: Type, bits: u64) -> NodeId {
        if ty.shape.has_run() {
            return self.empty_lists(ty);
        }
        self.push(ty, Expr::Literal(bits))
    }

    /// Makes a node whose elements are all one value.
    pub fn scalar(&mut self, dims: &[usize], value: Value) -> NodeId {
        let ty = Type::new(self.b.dtype(value), dims);
        self.push(ty, Expr::Scalar(value))
    }

    /// Makes an array from elements in registers, row-major.
    pub fn few(&mut self, dtype: DType, dims: &[usize], elements: Vec<Value>) -> NodeId {
        debug_assert_eq!(elements.len(), dims.iter().product::<usize>());
        self.push(Type::new(dtype, dims), Expr::Few(elements.into()))
    }

    /// Makes a node of an array in memory. Few elements are loaded at once.
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

    /// Makes an array of the indices along an axis.
    pub fn iota(&mut self, ty: Type, axis: usize) -> NodeId {
        let offset = Affine::default();
        let strides = (0..ty.rank()).map(|a| i64::from(a == axis)).collect();
        self.count(ty, offset, strides)
    }

    pub(super) fn count(&mut self, ty: Type, offset: Affine, strides: PerAxis<i64>) -> NodeId {
        let id = self.push(ty, Expr::Count { offset, strides });
        self.few_at_once(id)
    }

    /// Makes an elementwise expression; `work` is the [work](crate::ops::work) per element.
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

    /// Makes a value with a run-time length that is computed row by row.
    pub fn rows(
        &mut self,
        ty: Type,
        inputs: SmallVec<[NodeId; 3]>,
        row: impl Fn(&mut Lowering, &[NodeId]) -> Result<NodeId> + 'static,
    ) -> NodeId {
        let row = Rc::new(row);
        self.push(ty, Expr::Rows { row, inputs })
    }

    /// Makes an expression each of whose elements is located by `find`. Pending operands are stored first.
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

/// Returns all positions in an array of few elements, row-major.
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
