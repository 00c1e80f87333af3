//! Operations: rows in files, transforms as columns.
//!
//! [`Op`] is a closed enum of *families*. A family is one file here and one line of `families!`, and implements [`Primitive`], whose required methods are what the transforms
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
pub mod top_k;
pub mod trip_count;
pub mod while_loop;
pub mod work;

pub use cotangent::{Cotangent, Tangent, add_cotangents, add_tangents};
pub use fold::fold;
pub(crate) use operand::not_linear;
pub use operand::{Batched, Operand};
pub use primitive::{Folding, Mode, Primitive, Pruned};

/// The enum of families, and what is done for each of them. `values` are small, `shared` hold functions.
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
            /// The rules of its family.
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

/// What reads the operations of a family from the text form: by name, parameters and functions.
type Reader = fn(&str, &Given, &[Func]) -> Option<Op>;

families! {
    values {
        /// Element by element, a row of a table.
        Elementwise: elementwise::Elementwise,
        /// To another element type.
        Convert: convert::Convert,
        /// Counting up along an axis.
        Iota: iota::Iota,
        /// Moving and repeating elements.
        Layout: layout::Layout,
        /// Reducing axes.
        Reduce: reduce::Reduce,
        /// Running values along an axis.
        Cumulative: cumulative::Cumulative,
        /// Contraction of two arrays.
        Dot: dot::Dot,
        /// Slices at traced places.
        Dynamic: dynamic::Dynamic,
        /// Gather and scatter along an axis.
        Index: index::Index,
        /// Words of a key's stream.
        RandomBits: random::RandomBits,
        /// Affine updates along an axis, one after the other.
        AffineScatter: affine_scatter::AffineScatter,
        /// Sorting along an axis.
        Sort: sort::Sort,
        /// The largest elements of each row.
        TopK: top_k::TopK,
        /// How often a loop runs.
        TripCount: trip_count::TripCount,
        /// Something that has to hold at run time.
        Check: check::Check,
    }
    shared {
        /// A counted loop.
        Scan: scan::Scan,
        /// A loop of unknown length.
        While: while_loop::While,
        /// One of several functions.
        Cond: cond::Cond,
        /// One function, element by element along the first axes of its operands.
        Map: map::Map,
        /// A function whose values are recomputed for its derivative.
        Checkpoint: checkpoint::Checkpoint,
        /// The tangents of such a function.
        CheckpointTangent: checkpoint::CheckpointTangent,
        /// A function with a derivative of the user's own.
        CustomRule: custom_rule::CustomRule,
        /// The tangents of a function with a pullback of the user's own.
        CustomTangent: custom_rule::CustomTangent,
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

/// The operation of that name, those parameters and those functions in the text form.
pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
    READERS.iter().find_map(|read| read(name, given, bodies))
}
