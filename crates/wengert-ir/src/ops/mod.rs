//! Operations: rows in files, transforms as columns.
//!
//! [`Op`] is a closed enum of *families*. A family is one file here, one variant, one arm in
//! [`Op::primitive`], and implements [`Primitive`], whose required methods are what the transforms
//! ask: a missing rule does not compile. No transform matches on an operation.

use std::sync::Arc;

use crate::ir::Func;
use crate::ir::text::Given;

pub mod affine_scatter;
pub mod check;
pub mod checkpoint;
pub mod cond;
pub mod convert;
pub mod cotangent;
pub mod cumulative;
pub mod custom;
pub mod custom_rule;
pub mod dot;
pub mod dynamic;
pub mod elementwise;
pub mod fold;
pub mod implicit;
pub mod index;
pub mod iota;
pub mod layout;
pub mod map;
pub mod operand;
pub mod primitive;
pub mod random;
pub mod reduce;
pub mod rows;
pub mod scan;
pub mod sort;
pub mod trip_count;
pub mod while_loop;
pub mod work;

pub use cotangent::{Cotangent, Tangent, add_cotangents, add_tangents};
pub use fold::fold;
pub use operand::{Batched, Operand};
pub use primitive::{Folding, Mode, Primitive, Pruned};

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
            Op::Custom(p) => &*p.0,
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
