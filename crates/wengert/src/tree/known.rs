//! Flattening of trees whose structure is probably known, without allocating for it.

use wengert_ir::error::{Error, Result};

use crate::tree::def::Token;
use crate::tree::{Node, Sink, TreeDef};

/// Compares the structure of a tree, part by part, with a known one. From the first difference on, it records the
/// structure.
pub(crate) struct Known<'a> {
    known: &'a TreeDef,
    /// The number of parts that matched.
    same: usize,
    other: Option<TreeDef>,
    /// The first error.
    failed: Option<Error>,
}

impl<'a> Known<'a> {
    #[inline]
    pub(crate) fn new(known: &'a TreeDef) -> Self {
        Known {
            known,
            same: 0,
            other: None,
            failed: None,
        }
    }

    #[inline]
    fn is_next(&mut self, token: impl FnOnce(&Token) -> bool) -> bool {
        let same = self.other.is_none() && self.known.tokens.get(self.same).is_some_and(token);
        self.same += usize::from(same);
        same
    }

    /// Returns the recorded structure, starting it with the parts that matched.
    #[cold]
    fn part(&mut self) -> &mut TreeDef {
        let same = &self.known.tokens[..self.same];
        self.other.get_or_insert_with(|| TreeDef::of(same.to_vec()))
    }

    /// Takes the next part of the structure, which is not a leaf.
    #[inline]
    pub(crate) fn node(&mut self, node: Node<'_>) {
        if !self.is_next(|t| t.as_node() == Some(node)) {
            self.part().push(node);
        }
    }

    /// Takes a leaf as the next part of the structure.
    #[inline]
    pub(crate) fn leaf(&mut self) {
        if !self.is_next(|t| matches!(t, Token::Leaf)) {
            self.part().push_leaf();
        }
    }

    /// Takes the error that a leaf could not be made.
    #[cold]
    pub(crate) fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }

    /// Returns the structure, if it differs from the known one.
    ///
    /// # Errors
    /// If a leaf could not be made.
    #[inline]
    pub(crate) fn finish(&mut self) -> Result<Option<TreeDef>> {
        match self.same == self.known.tokens.len() && self.other.is_none() && self.failed.is_none()
        {
            true => Ok(None),
            false => self.difference(),
        }
    }

    #[cold]
    fn difference(&mut self) -> Result<Option<TreeDef>> {
        if self.same < self.known.tokens.len() {
            self.part();
        }
        match self.failed.take() {
            None => Ok(self.other.take()),
            Some(error) => Err(error),
        }
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
