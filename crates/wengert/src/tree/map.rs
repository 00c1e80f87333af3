//! Functions on all leaves of a tree.

use wengert_ir::error::{Error, raise};
use wengert_ir::trace::current_source;

use crate::tree::{Leaf, Tree, TreeDef, def, flatten, flatten_ref, rebuilt};

/// Returns the leaves of a tree, in order.
///
/// ```
/// use wengert::{Array, tree};
///
/// let pair = (Array::from(1.0), Array::from(2.0));
/// assert_eq!(tree::leaves(&pair), [Array::from(1.0), Array::from(2.0)]);
/// ```
pub fn leaves<T: Tree>(tree: &T) -> Vec<T::Leaf> {
    flatten_ref(tree).0.into_iter().cloned().collect()
}

/// Returns the path of each leaf of a tree, in order: see [`TreeDef::paths`].
///
/// ```
/// use wengert::prelude::*;
///
/// let x = Array::from(1.0);
/// assert_eq!(tree::paths(&(x.clone(), vec![x.clone(), x])), [".0", ".1[0]", ".1[1]"]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn paths<T: Tree>(tree: &T) -> Vec<String> {
    def(tree).paths()
}

/// Returns a tree of zeros with the shape and dtype of each leaf.
///
/// ```
/// use wengert::{Array, tree};
///
/// let pair = (Array::from([1.0, 2.0]), Array::from(3));
/// assert_eq!(tree::zeros_like(&pair), (Array::from([0.0, 0.0]), Array::from(0)));
/// ```
#[track_caller]
pub fn zeros_like<T: Tree>(tree: &T) -> T {
    let (leaves, def) = flatten_ref(tree);
    let mut zeros = vec![];
    for leaf in leaves {
        zeros.push(T::Leaf::leaf_zeros(&leaf.leaf_type()));
    }
    rebuilt(&def, zeros)
}

/// Applies `f` to each leaf.
///
/// ```
/// use wengert::{Array, tree};
///
/// let first = |a: Array| Array::from(a.as_slice::<f64>().unwrap()[0]);
/// let pair = (Array::from([1.0, 2.0]), Array::from([3.0]));
/// assert_eq!(tree::map(pair, first), (Array::from(1.0), Array::from(3.0)));
/// ```
pub fn map<T: Tree>(tree: T, f: impl FnMut(T::Leaf) -> T::Leaf) -> T {
    let (leaves, def) = flatten(tree);
    rebuilt(&def, leaves.into_iter().map(f))
}

/// Applies `f` to each leaf; the result may have leaves of another type.
///
/// ```
/// use wengert::{Array, ShapeDtype, tree};
///
/// let spec = |a: Array| ShapeDtype::new(a.shape(), a.dtype());
/// let (a, b) = tree::map_to((Array::from(1.0), Array::from([1, 2])), spec);
/// assert_eq!(b.to_string(), "i32[2]");
/// ```
pub fn map_to<T: Tree, M: Leaf>(tree: T, f: impl FnMut(T::Leaf) -> M) -> T::With<M> {
    let (leaves, def) = flatten(tree);
    rebuilt(&def, leaves.into_iter().map(f))
}

/// Applies `f` to the leaves of two trees, pair by pair.
///
/// # Errors
/// If the trees differ in structure: the trace ends with an error that says where they differ.
///
/// ```
/// use wengert::{Array, tree};
///
/// let sum = |a: Array, b: Array| {
///     Array::from(a.item::<f64>().unwrap() + b.item::<f64>().unwrap())
/// };
/// let (x, y) = ([Array::from(1.0), Array::from(2.0)], [Array::from(3.0), Array::from(4.0)]);
/// assert_eq!(tree::map2(x, y, sum), [Array::from(4.0), Array::from(6.0)]);
/// ```
#[track_caller]
pub fn map2<T: Tree>(a: T, b: T, mut f: impl FnMut(T::Leaf, T::Leaf) -> T::Leaf) -> T {
    let (a, def) = flatten(a);
    let b = matching(b, &def, "tree::map2");
    rebuilt(&def, a.into_iter().zip(b).map(|(a, b)| f(a, b)))
}

/// Applies `f` to the leaves of three trees: see [`map2`].
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, b, c): (Var, Var, Var)| tree::map3((a, b), (b, c), (c, a), |x, y, z| x * y + z));
/// let (first, second) = f.call((1.0, 2.0, 3.0))?;
/// assert_eq!((first.item::<f64>()?, second.item::<f64>()?), (5.0, 7.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn map3<T: Tree>(
    a: T,
    b: T,
    c: T,
    mut f: impl FnMut(T::Leaf, T::Leaf, T::Leaf) -> T::Leaf,
) -> T {
    let (a, def) = flatten(a);
    let b = matching(b, &def, "tree::map3");
    let c = matching(c, &def, "tree::map3");
    let rows = a.into_iter().zip(b).zip(c);
    rebuilt(&def, rows.map(|((a, b), c)| f(a, b, c)))
}

/// Applies `f` to the leaves of four trees: see [`map2`].
#[track_caller]
pub fn map4<T: Tree>(
    a: T,
    b: T,
    c: T,
    d: T,
    mut f: impl FnMut(T::Leaf, T::Leaf, T::Leaf, T::Leaf) -> T::Leaf,
) -> T {
    let (a, def) = flatten(a);
    let b = matching(b, &def, "tree::map4");
    let c = matching(c, &def, "tree::map4");
    let d = matching(d, &def, "tree::map4");
    let rows = a.into_iter().zip(b).zip(c).zip(d);
    rebuilt(&def, rows.map(|(((a, b), c), d)| f(a, b, c, d)))
}

#[track_caller]
fn matching<T: Tree>(tree: T, def: &TreeDef, op: &str) -> Vec<T::Leaf> {
    let (leaves, got) = flatten(tree);
    if let Some(difference) = def.difference(&got) {
        raise(Error::tree(
            op,
            format!("the trees differ: {difference}"),
            current_source(),
        ));
    }
    leaves
}
