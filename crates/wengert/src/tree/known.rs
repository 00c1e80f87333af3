//! Flattening of trees whose structure is probably known, without allocating for it.

use wengert_ir::error::{Error, Result};

use crate::tree::def::Token;
use crate::tree::{Node, Sink, TreeDef};

/// A sink that passes leaves on and compares the structure with a known one. From the first difference on, it
/// records the structure.
pub(crate) struct Known<'a, F> {
    known: &'a TreeDef,
    /// The number of parts that matched.
    same: usize,
    other: Option<TreeDef>,
    leaf: F,
    /// The first error.
    failed: Option<Error>,
}

impl<'a, F> Known<'a, F> {
    /// Makes a sink that passes leaves to `leaf`.
    pub(crate) fn new(known: &'a TreeDef, leaf: F) -> Self {
        Known {
            known,
            same: 0,
            other: None,
            leaf,
            failed: None,
        }
    }

    fn is_next(&mut self, token: impl FnOnce(&Token) -> bool) -> bool {
        let same = self.other.is_none() && self.known.tokens.get(self.same).is_some_and(token);
        self.same += usize::from(same);
        same
    }

    /// Returns the recorded structure, starting it with the parts that matched.
    fn part(&mut self) -> &mut TreeDef {
        let same = &self.known.tokens[..self.same];
        self.other.get_or_insert_with(|| TreeDef::of(same.to_vec()))
    }

    /// Returns the structure, if it differs from the known one.
    ///
    /// # Errors
    /// If a leaf could not be made.
    pub(crate) fn finish(mut self) -> Result<Option<TreeDef>> {
        if self.same < self.known.tokens.len() {
            self.part();
        }
        match self.failed {
            None => Ok(self.other),
            Some(error) => Err(error),
        }
    }
}

impl<L, F: FnMut(L)> Sink<L> for Known<'_, F> {
    fn node(&mut self, node: Node<'_>) {
        if !self.is_next(|t| t.as_node() == Some(node)) {
            self.part().push(node);
        }
    }
    fn leaf(&mut self, leaf: L) {
        if !self.is_next(|t| matches!(t, Token::Leaf)) {
            self.part().push_leaf();
        }
        (self.leaf)(leaf);
    }
    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }
}

/// Makes a sink that passes leaves to `leaf` and ignores the structure.
pub(crate) fn each<L>(leaf: impl FnMut(L)) -> impl Sink<L> {
    Each(leaf)
}

struct Each<F>(F);

impl<L, F: FnMut(L)> Sink<L> for Each<F> {
    fn node(&mut self, _: Node<'_>) {}
    fn leaf(&mut self, leaf: L) {
        (self.0)(leaf);
    }
}
