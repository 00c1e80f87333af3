//! Trees: tuples, arrays, vectors, maps and structs of leaves.
//!
//! Arguments and results of a traced function are trees whose leaves are [`Var`](crate::Var)s. Outside, the
//! same tree has [`Array`](crate::Array)s for leaves: [`Tree::With`] maps one to the other, `Rates<Var>` to
//! `Rates<Array>`. Transforms work on trees as they work on one leaf.
//!
//! ```
//! use wengert::{Array, Tree, Var, tree};
//!
//! #[derive(Tree, Clone)]
//! struct Rates<T = Var> {
//!     alpha: T,
//!     decay: Vec<T>,
//! }
//!
//! let rates = Rates { alpha: Array::from(0.5), decay: vec![Array::from([1.0, 2.0])] };
//! assert_eq!(tree::leaves(&rates).len(), 2);
//! assert_eq!(tree::paths(&rates), [".alpha", ".decay[0]"]);
//! ```
//!
//! - [`Tree`] is derived for structs and enums; see [`derive@Tree`].
//! - [`Feed`] is implemented by values that may be passed to a compiled function, and [`IntoTree`] by values
//!   that stand for a tree of `Var`s inside a traced one: plain numbers, and trees of them.
//! - [`TreeDef`] is the structure of a tree, without its leaves.
//! - [`map`] and its variants work on all leaves; [`ravel`] concatenates them into one vector.
//!
//! A type without a parameter for its leaves cannot be a tree, and the derive macro says so:
//!
//! ```compile_fail
//! use wengert::{Tree, Var};
//!
//! #[derive(Tree)]
//! struct Rates { // add `<T = Var>` to `Rates`, and write `T` for its leaves
//!     alpha: Var,
//! }
//! ```

mod def;
mod feed;
mod impls;
mod into_tree;
mod known;
mod map;
mod path;
mod ravel;
mod spec;

pub use def::TreeDef;
pub(crate) use def::{Compare, Cursor, Node, Sink};
pub use feed::Feed;
pub use into_tree::{IntoTree, Vars};
pub(crate) use known::{Known, each};
pub use map::{leaves, map, map_to, map2, map3, map4, paths, zeros_like};
pub use path::Difference;
pub use ravel::ravel;
pub use spec::{ShapeDtype, specs};

/// Support for the derive macro, which may change from version to version together with the macro.
#[doc(hidden)]
pub mod plumbing {
    pub use wengert_ir::error::Result;

    pub use super::def::{Cursor, Node, Sink, Static};
    pub use super::{Feed, IntoTree, Leaf, Tree};
}

/// ```
/// use wengert::{Array, Tree, Var, tree};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// enum Activation {
///     Relu,
///     Tanh,
/// }
///
/// #[derive(Tree, Clone)]
/// struct Layer<T = Var> {
///     w: T,
///     b: Option<T>,
///     #[tree(skip)]
///     activation: Activation,
/// }
///
/// let layer = Layer { w: 0.5, b: None, activation: Activation::Tanh };
/// let (leaves, def) = tree::feed::<Layer<Array>, _>(&layer);
/// assert_eq!(leaves, [Array::from(0.5)]);
/// let other = Layer { activation: Activation::Relu, ..layer };
/// assert_ne!(tree::feed::<Layer<Array>, _>(other).1, def);
/// ```
///
pub use wengert_derive::Tree;

use std::panic::Location;

use wengert_ir::error::{Error, Result};
use wengert_ir::ir::Type;
use wengert_ir::source::SourceId;

mod sealed {
    pub trait Leaf {}
}

/// A leaf of a tree: [`Var`](crate::Var), [`Array`](crate::Array) or [`ShapeDtype`]. A leaf is itself a tree.
/// The trait is sealed: there are no other leaves.
pub trait Leaf: sealed::Leaf + Tree<Leaf = Self, With<Self> = Self> + Clone + 'static {
    /// Returns the dtype and shape.
    #[doc(hidden)]
    #[track_caller]
    fn leaf_type(&self) -> Type;

    /// Makes a leaf of zeros.
    #[doc(hidden)]
    fn leaf_zeros(ty: &Type) -> Self;
}

/// A tree of leaves of one type, in a fixed order.
///
/// It is implemented by the [derive macro](derive@Tree), which also writes the methods; to work with trees, use
/// the functions of [`tree`](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tree of leaves",
    label = "not a tree",
    note = "trees are `Var`, `Array`, and tuples, arrays, `Vec`, `Option`, `Box` and \
            `BTreeMap<String, _>` of trees",
    note = "a struct or an enum is a tree with `#[derive(Tree)]` and a leaf parameter, `<T = Var>`",
    note = "a field that is not traced is marked `#[tree(skip)]`"
)]
pub trait Tree: Sized {
    /// The type of the leaves.
    type Leaf: Leaf;

    /// This tree with leaves of another type.
    type With<M: Leaf>: Tree<Leaf = M>;

    /// This tree with a tree in place of each leaf. A Jacobian has this type: the structure of the results,
    /// with that of the arguments in each leaf.
    type Nest<T: Tree>: Tree<Leaf = T::Leaf>;

    /// Passes the structure and the leaves to `out`, in order.
    #[doc(hidden)]
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a Self::Leaf>);

    /// Passes the structure and mutable leaves to `out`.
    #[doc(hidden)]
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut Self::Leaf>);

    /// Passes the structure and the owned leaves to `out`.
    #[doc(hidden)]
    fn into_leaves(self, out: &mut dyn Sink<Self::Leaf>);

    /// Builds a tree with this structure from the next leaves.
    ///
    /// # Errors
    /// If the structure is not one of a tree of this type, or if there are too few leaves.
    #[doc(hidden)]
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = Self::Leaf>,
    ) -> Result<Self>;
}

/// Splits a tree into its leaves and its structure.
///
/// ```
/// use wengert::{Array, tree};
///
/// let (leaves, def) = tree::flatten((Array::from(1.0), vec![Array::from(2.0)]));
/// assert_eq!(leaves, [Array::from(1.0), Array::from(2.0)]);
/// assert_eq!(def.paths(), [".0", ".1[0]"]);
/// let (a, b): (Array, Vec<Array>) = tree::unflatten(&def, leaves)?;
/// assert_eq!(b[0].item::<f64>()?, 2.0);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn flatten<T: Tree>(tree: T) -> (Vec<T::Leaf>, TreeDef) {
    let mut flat = Flat::new();
    tree.into_leaves(&mut flat);
    flat.into_parts()
}

/// Returns the leaves of a tree, borrowed, and its structure.
pub fn flatten_ref<T: Tree>(tree: &T) -> (Vec<&T::Leaf>, TreeDef) {
    let mut flat = Flat::new();
    tree.walk(&mut flat);
    flat.into_parts()
}

/// Returns the leaves of a tree, mutably borrowed.
pub fn leaves_mut<T: Tree>(tree: &mut T) -> Vec<&mut T::Leaf> {
    let mut flat = Flat::new();
    tree.walk_mut(&mut flat);
    flat.into_parts().0
}

/// Converts a value that may be passed for a `T` to leaves and structure: see [`Feed`].
///
/// # Panics
/// If a part does not convert to an array, for example rows of different lengths.
#[track_caller]
pub fn feed<T: Tree, A: Feed<T>>(args: A) -> (Vec<T::Leaf>, TreeDef) {
    match try_feed(args) {
        Ok(parts) => parts,
        Err(error) => panic!("{error}"),
    }
}

/// Converts a value that may be passed for a `T` to leaves and structure, as [`feed`] does.
///
/// # Errors
/// If a part does not convert to an array, for example rows of different lengths.
///
/// ```
/// use wengert::{Array, tree};
///
/// assert_eq!(tree::try_feed::<Array, _>([1.0, 2.0])?.0, [Array::from([1.0, 2.0])]);
/// assert!(tree::try_feed::<Array, _>(vec![vec![1.0], vec![]]).is_err());
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn try_feed<T: Tree, A: Feed<T>>(args: A) -> Result<(Vec<T::Leaf>, TreeDef)> {
    let mut flat = Flat::new();
    args.feed(&mut flat);
    match flat.failed {
        None => Ok((flat.leaves, flat.def)),
        Some(error) => Err(error),
    }
}

/// Returns the structure of a tree.
pub fn def<T: Tree>(tree: &T) -> TreeDef {
    flatten_ref(tree).1
}

/// Builds the tree with this structure and these leaves: the inverse of [`flatten`].
///
/// # Errors
/// If the structure is not one of a tree of this type, or if the number of leaves does not match.
#[track_caller]
#[inline]
pub fn unflatten<T: Tree>(def: &TreeDef, leaves: impl IntoIterator<Item = T::Leaf>) -> Result<T> {
    let place = Location::caller();
    built(def, leaves).map_err(|e| e.placed_at(SourceId::of(place, None)))
}

#[inline]
fn built<T: Tree>(def: &TreeDef, leaves: impl IntoIterator<Item = T::Leaf>) -> Result<T> {
    let mut cursor = def.cursor();
    let mut leaves = leaves.into_iter();
    let tree = T::from_leaves(&mut cursor, &mut leaves)?;
    let more = |what| misfit(format!("{what} than the tree has places for"));
    if !cursor.is_done() {
        return Err(more("a structure of more parts"));
    }
    if leaves.next().is_some() {
        return Err(more("more leaves"));
    }
    Ok(tree)
}

/// Builds a tree whose structure is known to be one of its type.
fn rebuilt<T: Tree>(def: &TreeDef, leaves: impl IntoIterator<Item = T::Leaf>) -> T {
    unflatten(def, leaves).expect("the structure of a tree of this type, and a leaf for each")
}

fn misfit(message: String) -> Error {
    Error::value("unflatten", message, None)
}

/// A sink that collects leaves and structure.
struct Flat<L> {
    leaves: Vec<L>,
    def: TreeDef,
    /// The first error.
    failed: Option<Error>,
}

impl<L> Flat<L> {
    fn new() -> Flat<L> {
        Flat {
            leaves: vec![],
            def: TreeDef::default(),
            failed: None,
        }
    }

    fn into_parts(self) -> (Vec<L>, TreeDef) {
        (self.leaves, self.def)
    }
}

impl<L> Sink<L> for Flat<L> {
    fn node(&mut self, node: Node<'_>) {
        self.def.push(node);
    }
    fn leaf(&mut self, leaf: L) {
        self.def.push_leaf();
        self.leaves.push(leaf);
    }
    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }
}
