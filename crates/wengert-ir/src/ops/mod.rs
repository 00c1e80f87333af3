//! Operations: rows in files, transforms as columns.
//!
//! [`Op`] is a closed enum of *families*. A family is one file here, one variant, one arm in
//! [`Op::primitive`], and implements [`Primitive`], whose required methods are what the transforms
//! ask: a missing rule does not compile. No transform matches on an operation.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::{Attributes, Given};
use crate::ir::{BitMatrix, Func, Splat, Type};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::Var;

pub mod affine_scatter;
pub mod check;
pub mod checkpoint;
pub mod cond;
pub mod convert;
pub mod cumulative;
pub mod custom;
pub mod custom_rule;
pub mod dot;
pub mod dynamic;
pub mod elementwise;
pub mod implicit;
pub mod index;
pub mod iota;
pub mod layout;
pub mod map;
pub mod random;
pub mod reduce;
pub mod rows;
pub mod scan;
pub mod sort;
pub mod trip_count;
pub mod while_loop;
pub mod work;

/// A tangent: `None` is a symbolic zero, and always so for integers and truth values.
pub type Tangent = Option<Var>;

/// A cotangent on its way back.
#[derive(Clone, Copy, Debug)]
pub struct Cotangent {
    /// Its value.
    pub value: Var,
    /// It has come through a `select`, a mask or a dropped write, and may be zero for that reason:
    /// then a product with it is zero whatever the other factor, infinities and NaN included.
    pub maybe_zero: bool,
    /// Some elements may be zero because a slice left them out, and a product with them is zero likewise. A loop does
    /// not carry this on from step to step: its carries are read in slices all the time, and whole.
    pub unread: bool,
}

impl Cotangent {
    /// A cotangent that no branch has masked.
    pub fn new(value: Var) -> Cotangent {
        Cotangent::of(value, false)
    }

    /// A cotangent that may have been masked.
    pub fn of(value: Var, maybe_zero: bool) -> Cotangent {
        Cotangent {
            value,
            maybe_zero,
            unread: false,
        }
    }

    /// Whether a product with it is zero wherever it is.
    pub fn zero_wins(self) -> bool {
        self.maybe_zero || self.unread
    }

    /// What a linear operation makes of it.
    pub fn map(self, f: impl FnOnce(Var) -> Var) -> Cotangent {
        Cotangent {
            value: f(self.value),
            ..self
        }
    }

    /// The same, behind a mask.
    pub fn masked(self) -> Cotangent {
        Cotangent {
            maybe_zero: true,
            ..self
        }
    }

    /// The product with a known factor: zero where this is zero for having been masked.
    pub fn times(self, factor: Var) -> Cotangent {
        self.map(|v| match self.zero_wins() {
            true => elementwise::mul_or_zero(v, factor),
            false => v * factor,
        })
    }

    /// The sum of two contributions.
    pub fn plus(self, other: Cotangent) -> Cotangent {
        Cotangent {
            value: elementwise::add(self.value, other.value),
            maybe_zero: self.maybe_zero && other.maybe_zero,
            unread: self.zero_wins() && other.zero_wins(),
        }
    }
}

/// The sum of two tangents.
pub fn add_tangents(a: Tangent, b: Tangent) -> Tangent {
    match (a, b) {
        (Some(a), Some(b)) => Some(elementwise::add(a, b)),
        (one, None) | (None, one) => one,
    }
}

/// The sum of two cotangents.
pub fn add_cotangents(a: Option<Cotangent>, b: Option<Cotangent>) -> Option<Cotangent> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(b)),
        (one, None) | (None, one) => one,
    }
}

/// An operand of an equation that is being transposed.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A value that is known.
    Known(Var),
    /// What the equation is linear in.
    Linear(Type),
}

impl Operand {
    /// Whether the equation is linear in it.
    pub fn is_linear(&self) -> bool {
        matches!(self, Operand::Linear(_))
    }

    /// The known value.
    ///
    /// # Panics
    /// If it is linear: a rule asked for the value of a tangent.
    pub fn known(&self) -> Var {
        match self {
            Operand::Known(v) => *v,
            Operand::Linear(_) => panic!("the value of a tangent was asked for"),
        }
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Operand::Known(v) => v.ty(),
            Operand::Linear(t) => t.clone(),
        }
    }
}

/// How a `jvp` rule treats its tangents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Forward mode: tangents are computed beside the primals.
    Fused,
    /// The tangents live in the innermost trace, a linear one, and stay apart from the primals.
    Linear,
}

/// An operand or a result of an equation that is being batched.
#[derive(Clone, Copy, Debug)]
pub struct Batched {
    /// Its value.
    pub value: Var,
    /// Whether it has a batch axis (at [`crate::ir::Shape::batch_axis`] of its type: in front, where
    /// no axis has a run-time length). If not, it is the same for the whole batch.
    pub mapped: bool,
}

impl Batched {
    /// The same for the whole batch.
    pub fn shared(value: Var) -> Batched {
        Batched {
            value,
            mapped: false,
        }
    }

    /// One for each element of the batch.
    pub fn mapped(value: Var) -> Batched {
        Batched {
            value,
            mapped: true,
        }
    }

    /// The value with a batch axis of `size`, repeated where it is the same for all.
    pub fn spread(self, size: usize) -> Var {
        match self.mapped {
            true => self.value,
            false => {
                let ty = self.value.ty();
                layout::insert_axis(self.value, ty.shape.batch_axis(), size)
            }
        }
    }

    /// The type of one element of the batch.
    pub fn element_type(self) -> Type {
        let ty = self.value.ty();
        match self.mapped {
            true => ty.without_axis(ty.shape.batch_axis()),
            false => ty,
        }
    }
}

/// An operation with results and operands left out.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// What is left of it.
    pub op: Op,
    /// Which operands it still takes.
    pub inputs: Vec<bool>,
    /// Which results it still gives: at least those that are used.
    pub outputs: Vec<bool>,
}

/// How an operation acts on a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folding {
    /// It is left as it is.
    Keep,
    /// Element by element: literals in, a literal out.
    Elementwise,
    /// It only moves or repeats elements of its operands: one repeated number stays that number.
    Layout,
}

/// What every family of operations answers: the columns of the table of operations.
pub trait Primitive: std::fmt::Debug {
    /// The name, in messages and in the text form.
    fn name(&self) -> Cow<'static, str>;

    /// The parameters, for the text form: none unless said.
    fn attributes(&self) -> Attributes {
        vec![]
    }

    /// The types of the results.
    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError>;

    /// The results, computed in the plainest way.
    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error>;

    /// Which result depends differentiably on which operand (rows: results): each on each unless said.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| true)
    }

    /// Whether it does something besides computing its results: then it is never shared, dropped,
    /// hoisted or reordered. By itself it does what the functions do that it holds.
    fn has_effect(&self) -> bool {
        self.bodies().into_iter().any(Func::has_effect)
    }

    /// How it acts on literals: it keeps them as operands unless said.
    fn folding(&self) -> Folding {
        Folding::Keep
    }

    /// Whether two equations of it with the same operands may be one: unless said, if it holds no
    /// functions.
    fn is_shared(&self) -> bool {
        self.bodies().is_empty()
    }

    /// Whether a cotangent may come out of it as zero because something was not chosen or not
    /// written: see [`Cotangent::maybe_zero`].
    fn masks(&self) -> bool {
        false
    }

    /// The functions it holds: none unless said.
    fn bodies(&self) -> Vec<&Func> {
        vec![]
    }

    /// The function that it computes, where it is nothing but that once all differentiation is done.
    fn call(&self) -> Option<&Func> {
        None
    }

    /// The same operation around other functions: each of [`Primitive::bodies`], rewritten. `None`
    /// where it holds none.
    fn with_bodies(&self, _rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        None
    }

    /// The function of its operands that it is, where it is an operation of its own only for the sake of what its
    /// derivative stores.
    fn unfolded(&self) -> Option<Func> {
        None
    }

    /// Which operands the results that are `used` need. `None`, as unless said: all.
    fn needs(&self, _used: &[bool]) -> Option<Vec<bool>> {
        None
    }

    /// The same operation without the results that are not `used`, and without the operands that
    /// they do not [need](Primitive::needs); the functions in it have no dead code. `None` where nothing can be left
    /// out.
    fn prune(&self, _used: &[bool]) -> Option<Pruned> {
        None
    }

    /// Its results and their tangents. At least one operand has a tangent.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>);

    /// The cotangents of its linear operands, given those of its results, of which at least one is
    /// there. Entries of known operands are `None`.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>>;

    /// The same on a batch of `size`. At least one operand is mapped.
    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched>;

    /// Its results, as nodes of the lowering to loops.
    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error>;

    /// Whether it is lowered to a call of the host ([`Lowering::host`]): a map over it runs one element
    /// after the other.
    fn runs_on_host(&self) -> bool {
        false
    }

    /// How much [work] an element is, where each is that of a few elements of the operands, in loops
    /// over nothing but the result. `None` unless said.
    fn element_work(&self, _inputs: &[Type]) -> Option<u64> {
        None
    }

    /// Whether it is work for a library on operands of these types, so that a map over it is better
    /// done as one operation on batches than lane by lane.
    fn is_large(&self, _inputs: &[Type]) -> bool {
        false
    }
}

/// An operation: a closed enum of families.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Element by element, a row of a table.
    Elementwise(elementwise::Elementwise),
    /// To another element type.
    Convert(convert::Convert),
    /// Counting up along an axis.
    Iota(iota::Iota),
    /// Moving and repeating elements.
    Layout(layout::Layout),
    /// Reducing axes.
    Reduce(reduce::Reduce),
    /// Running values along an axis.
    Cumulative(cumulative::Cumulative),
    /// Contraction of two arrays.
    Dot(dot::Dot),
    /// Slices at traced places.
    Dynamic(dynamic::Dynamic),
    /// Gather and scatter along an axis.
    Index(index::Index),
    /// Words of a key's stream.
    RandomBits(random::RandomBits),
    /// Affine updates along an axis, one after the other.
    AffineScatter(affine_scatter::AffineScatter),
    /// Sorting along an axis.
    Sort(sort::Sort),
    /// A counted loop.
    Scan(Arc<scan::Scan>),
    /// A loop of unknown length.
    While(Arc<while_loop::While>),
    /// One of several functions.
    Cond(Arc<cond::Cond>),
    /// One function, element by element along the first axes of its operands.
    Map(Arc<map::Map>),
    /// A function whose values are recomputed for its derivative.
    Checkpoint(Arc<checkpoint::Checkpoint>),
    /// The tangents of such a function.
    CheckpointTangent(Arc<checkpoint::CheckpointTangent>),
    /// A function with a derivative of the user's own.
    CustomRule(Arc<custom_rule::CustomRule>),
    /// The tangents of a function with a pullback of the user's own.
    CustomTangent(Arc<custom_rule::CustomTangent>),
    /// The solution of a linear system.
    LinearSolve(Arc<implicit::LinearSolve>),
    /// The root of a function.
    Root(Arc<implicit::Root>),
    /// How often a loop runs.
    TripCount(trip_count::TripCount),
    /// Something that has to hold at run time.
    Check(check::Check),
    /// An operation from outside this crate.
    Custom(custom::Custom),
}

impl Op {
    /// The rules of its family.
    pub fn primitive(&self) -> &(dyn Primitive + 'static) {
        match self {
            Op::Elementwise(p) => p,
            Op::Convert(p) => p,
            Op::Iota(p) => p,
            Op::Layout(p) => p,
            Op::Reduce(p) => p,
            Op::Cumulative(p) => p,
            Op::Dot(p) => p,
            Op::Dynamic(p) => p,
            Op::Index(p) => p,
            Op::RandomBits(p) => p,
            Op::AffineScatter(p) => p,
            Op::Sort(p) => p,
            Op::Scan(p) => &**p,
            Op::While(p) => &**p,
            Op::Cond(p) => &**p,
            Op::Map(p) => &**p,
            Op::Checkpoint(p) => &**p,
            Op::CheckpointTangent(p) => &**p,
            Op::CustomRule(p) => &**p,
            Op::CustomTangent(p) => &**p,
            Op::LinearSolve(p) => &**p,
            Op::Root(p) => &**p,
            Op::TripCount(p) => p,
            Op::Check(p) => p,
            Op::Custom(p) => p,
        }
    }
}

impl std::ops::Deref for Op {
    type Target = dyn Primitive + 'static;
    fn deref(&self) -> &Self::Target {
        self.primitive()
    }
}

/// What reads the operations of a family from the text form: by name, parameters and functions.
type Reader = fn(&str, &Given, &[Func]) -> Option<Op>;

const READERS: &[Reader] = &[
    elementwise::Elementwise::parse,
    convert::Convert::parse,
    iota::Iota::parse,
    layout::Layout::parse,
    reduce::Reduce::parse,
    cumulative::Cumulative::parse,
    dot::Dot::parse,
    dynamic::Dynamic::parse,
    index::Index::parse,
    random::RandomBits::parse,
    affine_scatter::AffineScatter::parse,
    sort::Sort::parse,
    scan::Scan::parse,
    while_loop::While::parse,
    cond::Cond::parse,
    map::Map::parse,
    checkpoint::Checkpoint::parse,
    checkpoint::CheckpointTangent::parse,
    custom_rule::CustomRule::parse,
    custom_rule::CustomTangent::parse,
    implicit::LinearSolve::parse,
    implicit::Root::parse,
    trip_count::TripCount::parse,
    check::Check::parse,
];

/// The operation of that name, those parameters and those functions in the text form.
pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
    READERS.iter().find_map(|read| read(name, given, bodies))
}

/// The results of an operation where they are literals: of literals, or without an element.
pub fn fold(op: &Op, inputs: &[Var], outputs: &[Type]) -> Option<Vec<Var>> {
    if !outputs.is_empty() && outputs.iter().all(Type::is_empty) && !op.has_effect() {
        // Whatever would be computed, there is no element of it.
        return Some(outputs.iter().map(Var::zeros).collect());
    }
    let folding = op.folding();
    if folding == Folding::Keep || inputs.is_empty() {
        return None;
    }
    let literals: Option<Vec<Splat>> = inputs.iter().map(|v| v.as_literal()).collect();
    let literals = literals?;
    let [out] = outputs else { return None };
    match folding {
        Folding::Keep => None,
        Folding::Layout => {
            let first = literals[0].bits;
            let same = literals.iter().all(|l| l.bits == first);
            same.then(|| vec![Var::literal(Splat::new(out, first))])
        }
        Folding::Elementwise => {
            let scalar = |l: &Splat| crate::buffer::Dense::splat(l.ty().dtype, vec![], l.bits);
            let values: Vec<Buffer> = literals.iter().map(|l| Buffer::Dense(scalar(l))).collect();
            let result = op.eval(&values).ok()?;
            let Buffer::Dense(value) = &result[0] else {
                return None;
            };
            Some(vec![Var::literal(Splat::new(out, value.data.bits(0)))])
        }
    }
}
