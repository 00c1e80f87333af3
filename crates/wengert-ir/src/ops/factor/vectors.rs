//! Whether a factorisation into values and vectors gives the vectors, too.

use crate::ir::text::{Attribute, Attributes, Given};

/// Whether the vectors are computed, and not the values alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vectors(pub bool);

impl Vectors {
    const NAME: &'static str = "vectors";

    /// Reads the flag from the text form.
    pub(super) fn read(given: &Given) -> Option<Vectors> {
        given.boolean(Vectors::NAME).map(Vectors)
    }

    /// Returns the flag for the text form.
    pub(super) fn attributes(self) -> Attributes {
        vec![(Vectors::NAME, Attribute::Bool(self.0))]
    }
}
