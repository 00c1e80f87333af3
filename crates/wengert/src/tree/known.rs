//! Trees whose structure is most likely known already: nothing is allocated to find out.

use wengert_ir::error::{Error, Result};

use crate::tree::def::Token;
use crate::tree::{Node, Sink, TreeDef};

/// Hands leaves on and compares the structure with a known one; where they part, the structure is
/// written down.
pub(crate) struct Known<'a, F> {
    known: &'a TreeDef,
    /// Parts that were as known.
    same: usize,
    other: Option<TreeDef>,
    leaf: F,
    /// The first part that is none.
    failed: Option<Error>,
}

impl<'a, F> Known<'a, F> {
    /// `leaf` takes the leaves.
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

    /// The structure, which is another one.
    fn part(&mut self) -> &mut TreeDef {
        let same = &self.known.tokens[..self.same];
        self.other.get_or_insert_with(|| TreeDef::of(same.to_vec()))
    }

    /// The structure, if it is not the one that was known.
    ///
    /// # Errors
    /// If a part was no leaf.
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

/// Hands leaves on, of whatever structure.
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
