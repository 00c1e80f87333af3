//! Operations, as a table: families are its rows, one file each; transforms use its columns.
//!
//! [`Op`] is a closed enum of *families*. A family is one file here and one line of `families!`, and implements
//! [`Primitive`], whose required methods are what the transforms ask: a missing rule does not compile. No transform
//! matches on an operation.

use std::sync::Arc;

use crate::ir::Func;
use crate::ir::text::Given;

pub mod affine_scatter;
pub mod check;
pub mod checkpoint;
pub mod cond;
pub mod conv;
pub mod convert;
pub mod cotangent;
pub mod cumulative;
pub mod custom;
pub mod custom_rule;
pub mod dot;
pub mod dynamic;
pub mod elementwise;
pub mod factor;
pub mod fft;
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
pub mod top_k;
pub mod trip_count;
pub mod while_loop;
pub mod work;

pub use cotangent::{Cotangent, Tangent, add_cotangents, add_tangents};
pub use fold::fold;
pub(crate) use operand::not_linear;
pub use operand::{Batched, Operand};
pub use primitive::{Folding, Mode, Primitive, Pruned};

/// Defines the enum of families and its dispatch. `values` are small families; `shared` families hold functions and are
/// stored in an `Arc`.
macro_rules! families {
    (
        values { $($(#[$value_doc:meta])* $value:ident: $value_family:ty,)* }
        shared { $($(#[$shared_doc:meta])* $shared:ident: $shared_family:ty,)* }
    ) => {
        /// An operation: a closed enum of families.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum Op {
            $($(#[$value_doc])* $value($value_family),)*
            $($(#[$shared_doc])* $shared(Arc<$shared_family>),)*
            /// An operation from outside this crate.
            Custom(custom::Custom),
        }

        impl Op {
            /// Returns the rules of the operation's family.
            pub fn primitive(&self) -> &(dyn Primitive + 'static) {
                match self {
                    $(Op::$value(p) => p,)*
                    $(Op::$shared(p) => &**p,)*
                    Op::Custom(p) => &*p.0,
                }
            }
        }

        const READERS: &[Reader] = &[
            $(<$value_family>::parse,)*
            $(<$shared_family>::parse,)*
        ];
    };
}

/// A function that parses the operations of a family: takes the name, the parameters and the functions in the text
/// form.
type Reader = fn(&str, &Given, &[Func]) -> Option<Op>;

families! {
    values {
        /// Elementwise operations, the rows of tables.
        Elementwise: elementwise::Elementwise,
        /// Conversions to another element type.
        Convert: convert::Convert,
        /// Counting up along an axis.
        Iota: iota::Iota,
        /// Moving and repeating elements.
        Layout: layout::Layout,
        /// Reductions over axes.
        Reduce: reduce::Reduce,
        /// Cumulative operations along an axis.
        Cumulative: cumulative::Cumulative,
        /// Contraction of two arrays.
        Dot: dot::Dot,
        /// Windows at traced positions.
        Dynamic: dynamic::Dynamic,
        /// Gather and scatter along an axis.
        Index: index::Index,
        /// Random words of a key's stream.
        RandomBits: random::RandomBits,
        /// Sequential affine updates along an axis.
        AffineScatter: affine_scatter::AffineScatter,
        /// Sorting along an axis.
        Sort: sort::Sort,
        /// The largest elements of each row.
        TopK: top_k::TopK,
        /// Factorisations of matrices, and triangular systems.
        Factor: factor::Factor,
        /// Fourier transforms along the last axis.
        Fft: fft::Fft,
        /// The number of steps of a loop.
        TripCount: trip_count::TripCount,
        /// A condition that must hold at run time.
        Check: check::Check,
    }
    shared {
        /// A counted loop.
        Scan: scan::Scan,
        /// A loop of unknown length.
        While: while_loop::While,
        /// One of two functions.
        Cond: cond::Cond,
        /// A function applied to each element along the first axes of its operands.
        Map: map::Map,
        /// A function whose intermediate values are recomputed for its derivative.
        Checkpoint: checkpoint::Checkpoint,
        /// The tangents of a checkpointed function.
        CheckpointTangent: checkpoint::CheckpointTangent,
        /// A function with a user-defined derivative.
        CustomRule: custom_rule::CustomRule,
        /// The tangents of a function with a user-defined pullback.
        CustomTangent: custom_rule::CustomTangent,
        /// A convolution.
        Conv: conv::Conv,
        /// The solution of a linear system.
        LinearSolve: implicit::LinearSolve,
        /// The root of a function.
        Root: implicit::Root,
    }
}

impl std::ops::Deref for Op {
    type Target = dyn Primitive + 'static;
    fn deref(&self) -> &Self::Target {
        self.primitive()
    }
}

/// Parses an operation from its name, parameters and functions in the text form.
pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
    READERS.iter().find_map(|read| read(name, given, bodies))
}
