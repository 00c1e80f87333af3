//! The structure of a tree.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use wengert_ir::error::{Error, Result};

use crate::tree::{Tree, misfit};

/// A consumer of the structure and the leaves of a tree, in order.
pub trait Sink<L> {
    /// Takes a part of the structure, whose children follow.
    fn node(&mut self, node: Node<'_>);
    /// Takes a leaf.
    fn leaf(&mut self, leaf: L);
    /// Takes a leaf that the caller keeps.
    fn shared(&mut self, leaf: &L)
    where
        L: Clone,
    {
        self.leaf(leaf.clone());
    }
    /// Reports that a leaf cannot be made from what is given, for example an array from rows of different
    /// lengths.
    ///
    /// # Panics
    /// Unless the sink records errors.
    #[track_caller]
    fn fail(&mut self, error: Error) {
        panic!("{error}");
    }
}

/// A part of the structure of a tree, as a [`Sink`] receives it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Node<'a> {
    /// A tuple with this many children; none for `()`.
    Tuple(usize),
    /// An array with this many children.
    Array(usize),
    /// A vector with this many children.
    Vec(usize),
    /// `None`.
    Nothing,
    /// `Some`, with one child.
    Some,
    /// A map with this many children, each preceded by a [`Node::Key`].
    Map(usize),
    /// A key of a map.
    Key(&'a str),
    /// A struct, with a child for each field.
    Struct {
        /// Its name.
        name: &'static str,
        /// The names of its fields.
        fields: &'static [&'static str],
    },
    /// A variant of an enum, with a child for each field.
    Variant {
        /// The name of the enum and of the variant.
        name: &'static str,
        /// The number of the variant.
        index: usize,
        /// The names of its fields.
        fields: &'static [&'static str],
    },
    /// The value of a field that is part of the structure, not a leaf.
    Static(&'a dyn Static),
}

/// A value that is part of the structure of a tree, held by a field with `#[tree(skip)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the structure of a tree",
    note = "a field with `#[tree(skip)]` takes part in the choice of the compiled function, so its type \
            must be `Clone + Eq + Hash + Send + Sync + 'static`"
)]
pub trait Static: Any + Send + Sync {
    #[doc(hidden)]
    fn same(&self, other: &dyn Static) -> bool;
    #[doc(hidden)]
    fn hash_value(&self, state: &mut dyn Hasher);
    #[doc(hidden)]
    fn share(&self) -> Arc<dyn Static>;
}

impl<T: Any + Clone + Eq + Hash + Send + Sync> Static for T {
    fn same(&self, other: &dyn Static) -> bool {
        (other as &dyn Any).downcast_ref::<T>() == Some(self)
    }
    fn hash_value(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }
    fn share(&self) -> Arc<dyn Static> {
        Arc::new(self.clone())
    }
}

/// A part of the structure of a tree, as [`TreeDef`] stores it.
#[derive(Clone)]
pub(super) enum Token {
    Leaf,
    Tuple(usize),
    Array(usize),
    Vec(usize),
    Nothing,
    Some,
    Map(usize),
    Key(String),
    Struct(&'static str, &'static [&'static str]),
    Variant(&'static str, usize, &'static [&'static str]),
    Static(Arc<dyn Static>),
}

impl<'a> Node<'a> {
    /// Makes the node of a skipped field.
    #[doc(hidden)]
    pub fn fixed<T: Static>(value: &'a T) -> Node<'a> {
        Node::Static(value)
    }
}

impl Token {
    fn new(node: Node<'_>) -> Token {
        match node {
            Node::Tuple(n) => Token::Tuple(n),
            Node::Array(n) => Token::Array(n),
            Node::Vec(n) => Token::Vec(n),
            Node::Nothing => Token::Nothing,
            Node::Some => Token::Some,
            Node::Map(n) => Token::Map(n),
            Node::Key(key) => Token::Key(key.to_string()),
            Node::Struct { name, fields } => Token::Struct(name, fields),
            Node::Variant {
                name,
                index,
                fields,
            } => Token::Variant(name, index, fields),
            Node::Static(value) => Token::Static(value.share()),
        }
    }

    #[inline]
    pub(super) fn as_node(&self) -> Option<Node<'_>> {
        Some(match self {
            Token::Leaf => return None,
            Token::Tuple(n) => Node::Tuple(*n),
            Token::Array(n) => Node::Array(*n),
            Token::Vec(n) => Node::Vec(*n),
            Token::Nothing => Node::Nothing,
            Token::Some => Node::Some,
            Token::Map(n) => Node::Map(*n),
            Token::Key(key) => Node::Key(key),
            Token::Struct(name, fields) => Node::Struct { name, fields },
            Token::Variant(name, index, fields) => Node::Variant {
                name,
                index: *index,
                fields,
            },
            Token::Static(value) => Node::Static(&**value),
        })
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Node::Tuple(a), Node::Tuple(b))
            | (Node::Array(a), Node::Array(b))
            | (Node::Vec(a), Node::Vec(b))
            | (Node::Map(a), Node::Map(b)) => a == b,
            (Node::Nothing, Node::Nothing) | (Node::Some, Node::Some) => true,
            (Node::Key(a), Node::Key(b)) => a == b,
            (
                Node::Struct { name, fields },
                Node::Struct {
                    name: other_name,
                    fields: other_fields,
                },
            ) => name == other_name && fields == other_fields,
            (
                Node::Variant {
                    name,
                    index,
                    fields,
                },
                Node::Variant {
                    name: other_name,
                    index: other_index,
                    fields: other_fields,
                },
            ) => index == other_index && name == other_name && fields == other_fields,
            (Node::Static(a), Node::Static(b)) => a.same(*b),
            _ => false,
        }
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Token) -> bool {
        self.as_node() == other.as_node()
    }
}

impl Eq for Token {}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Token::Tuple(n) | Token::Array(n) | Token::Vec(n) | Token::Map(n) => n.hash(state),
            Token::Leaf | Token::Nothing | Token::Some => {}
            Token::Key(key) => key.hash(state),
            // Names rarely distinguish structures that lengths and numbers do not: they are compared, not
            // hashed.
            Token::Struct(_, fields) => fields.len().hash(state),
            Token::Variant(_, index, _) => index.hash(state),
            Token::Static(value) => value.hash_value(state),
        }
    }
}

/// The structure of a tree, without its leaves: lengths, which options are `Some`, enum variants, map keys, and
/// the values of skipped fields.
///
/// Two trees of one type can be combined if their structures are equal.
///
/// ```
/// use wengert::{Array, tree};
///
/// let two = tree::def(&vec![Array::from(1.0); 2]);
/// let three = tree::def(&vec![Array::from(1.0); 3]);
/// assert_eq!(two.len(), 2);
/// assert_eq!(two.difference(&three).unwrap().to_string(), "expected a Vec of 2, got a Vec of 3");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct TreeDef {
    pub(super) tokens: Vec<Token>,
    leaves: usize,
}

impl TreeDef {
    /// Returns the number of leaves.
    pub fn len(&self) -> usize {
        self.leaves
    }

    /// Returns whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// Returns whether a tree has this structure. Nothing is allocated.
    pub fn fits<T: Tree>(&self, tree: &T) -> bool {
        let mut compare = Compare::new(self);
        tree.walk(&mut compare);
        compare.is_equal()
    }

    /// Returns the structure with each leaf replaced by another structure.
    pub(crate) fn nested(&self, inner: &TreeDef) -> TreeDef {
        let mut tokens = vec![];
        for token in &self.tokens {
            match token {
                Token::Leaf => tokens.extend_from_slice(&inner.tokens),
                other => tokens.push(other.clone()),
            }
        }
        TreeDef::of(tokens)
    }

    pub(super) fn of(tokens: Vec<Token>) -> TreeDef {
        let leaves = tokens.iter().filter(|t| matches!(t, Token::Leaf)).count();
        TreeDef { tokens, leaves }
    }

    pub(super) fn push(&mut self, node: Node<'_>) {
        self.tokens.push(Token::new(node));
    }

    pub(super) fn push_leaf(&mut self) {
        self.tokens.push(Token::Leaf);
        self.leaves += 1;
    }

    #[inline]
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            rest: self.tokens.iter(),
        }
    }
}

impl fmt::Debug for TreeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeDef{:?}", self.paths())
    }
}

/// A sink that compares a tree with a structure.
pub(crate) struct Compare<'a> {
    rest: std::slice::Iter<'a, Token>,
    equal: bool,
}

impl<'a> Compare<'a> {
    #[inline]
    pub(crate) fn new(def: &'a TreeDef) -> Compare<'a> {
        Compare {
            rest: def.tokens.iter(),
            equal: true,
        }
    }

    /// Takes the next part, which is not a leaf.
    #[inline]
    pub(crate) fn part(&mut self, node: Node<'_>) {
        self.equal = self.equal && self.rest.next().is_some_and(|t| t.as_node() == Some(node));
    }

    /// Takes a leaf as the next part.
    #[inline]
    pub(crate) fn place(&mut self) {
        self.equal = self.equal && matches!(self.rest.next(), Some(Token::Leaf));
    }

    /// Returns whether the tree had this structure.
    #[inline]
    pub(crate) fn is_equal(&self) -> bool {
        self.equal && self.rest.as_slice().is_empty()
    }
}

impl<L> Sink<L> for Compare<'_> {
    fn node(&mut self, node: Node<'_>) {
        self.part(node);
    }
    fn leaf(&mut self, _: L) {
        self.place();
    }
}

/// A position in a structure, from which a tree is built.
#[derive(Clone)]
pub struct Cursor<'a> {
    rest: std::slice::Iter<'a, Token>,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    #[inline]
    fn take<T>(&mut self, what: &str, read: impl FnOnce(&'a Token) -> Option<T>) -> Result<T> {
        let token = self.rest.next();
        match token.and_then(read) {
            Some(part) => Ok(part),
            None => Err(unlike(token, what)),
        }
    }

    /// Takes the next leaf, which the structure must have at this position.
    ///
    /// # Errors
    /// If the structure has no leaf at this position, or if there are no leaves left.
    #[inline]
    pub fn leaf<L>(&mut self, leaves: &mut dyn Iterator<Item = L>) -> Result<L> {
        self.take("a leaf", |t| matches!(t, Token::Leaf).then_some(()))?;
        leaves
            .next()
            .ok_or_else(|| misfit("fewer leaves than the tree has places for".into()))
    }

    /// Expects a tuple with `n` children.
    ///
    /// # Errors
    /// If the next part of the structure is something else; so for the methods below.
    pub fn tuple(&mut self, n: usize) -> Result<()> {
        self.take("a tuple", |t| (*t == Token::Tuple(n)).then_some(()))
    }

    /// Expects an array with `n` children.
    #[doc(hidden)]
    pub fn array(&mut self, n: usize) -> Result<()> {
        self.take("an array", |t| (*t == Token::Array(n)).then_some(()))
    }

    /// Expects a vector, and returns its length.
    #[doc(hidden)]
    pub fn vec(&mut self) -> Result<usize> {
        self.take("a Vec", |t| match t {
            Token::Vec(n) => Some(*n),
            _ => None,
        })
    }

    /// Expects an option, and returns whether it is `Some`.
    #[doc(hidden)]
    pub fn option(&mut self) -> Result<bool> {
        self.take("an Option", |t| match t {
            Token::Nothing => Some(false),
            Token::Some => Some(true),
            _ => None,
        })
    }

    /// Expects a map, and returns its size.
    #[doc(hidden)]
    pub fn map(&mut self) -> Result<usize> {
        self.take("a map", |t| match t {
            Token::Map(n) => Some(*n),
            _ => None,
        })
    }

    /// Expects a map key, and returns it.
    #[doc(hidden)]
    pub fn key(&mut self) -> Result<&'a str> {
        self.take("a key", |t| match t {
            Token::Key(key) => Some(&**key),
            _ => None,
        })
    }

    /// Expects a struct with this name.
    #[doc(hidden)]
    pub fn structure(&mut self, name: &str) -> Result<()> {
        self.take(name, |t| match t {
            Token::Struct(n, _) if *n == name => Some(()),
            _ => None,
        })
    }

    /// Expects an enum with `count` variants, and returns the number of the variant.
    #[doc(hidden)]
    pub fn variant(&mut self, name: &str, count: usize) -> Result<usize> {
        self.take(name, |t| match t {
            Token::Variant(_, index, _) if *index < count => Some(*index),
            _ => None,
        })
    }

    /// Expects a skipped field, and returns its value.
    #[doc(hidden)]
    pub fn fixed<T: Static + Clone>(&mut self) -> Result<T> {
        self.take("a skipped field", |t| match t {
            Token::Static(value) => (&**value as &dyn Any).downcast_ref::<T>().cloned(),
            _ => None,
        })
    }
}

/// Makes the error that a structure has something else than the tree at some place.
#[cold]
fn unlike(token: Option<&Token>, what: &str) -> Error {
    misfit(format!(
        "the structure has {} where the tree has {what}",
        token.map_or("an end".into(), Token::describe)
    ))
}
