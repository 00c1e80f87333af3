//! Trees flattened to one vector.

use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::layout::{concat, reshape, slice_axis};
use wengert_ir::trace::{Var, asked_at, current_source};

use crate::tree::{Tree, flatten, rebuilt};

/// Concatenates all numbers of a tree to one vector, and returns it with the function that turns such a vector
/// back into the tree.
///
/// Leaves follow each other in order, each row-major. A tree without leaves gives an `f64[0]`.
///
/// # Errors
/// If the leaves differ in element type: the trace ends with an error that names two of them. The returned
/// function fails on a vector of another length, with an error at the line where `ravel` was called.
///
/// ```
/// use wengert::{Var, tree};
///
/// // Newton's method on any tree, by a solver that knows vectors.
/// fn step<X: tree::Vars>(x: X, solve: impl Fn(Var) -> Var) -> X {
///     let (vector, unravel) = tree::ravel(x);
///     unravel(solve(vector))
/// }
/// ```
#[track_caller]
pub fn ravel<X: Tree<Leaf = Var>>(tree: X) -> (Var, impl Fn(Var) -> X + Clone) {
    let place = Location::caller();
    let (leaves, def) = flatten(tree);
    let mut types = vec![];
    for leaf in &leaves {
        types.push(leaf.ty());
    }
    let dtype = types.first().map_or(DType::F64, |ty| ty.dtype);
    if let Some(other) = types.iter().position(|ty| ty.dtype != dtype) {
        let paths = def.paths();
        raise(Error::tree(
            "tree::ravel",
            format!(
                "a vector has one element type, and {} is {}, {} is {}",
                paths[0], types[0], paths[other], types[other]
            ),
            current_source(),
        ));
    }
    let mut parts = vec![];
    for (leaf, ty) in leaves.iter().zip(&types) {
        parts.push(reshape(*leaf, &[ty.size()]));
    }
    let vector = match parts.is_empty() {
        true => Var::zeros(&Type::new(dtype, &[0])),
        false => concat(&parts, 0),
    };
    let n: usize = types.iter().map(Type::size).sum();
    let unravel = move |vector: Var| {
        asked_at(place, || {
            let ty = vector.ty();
            if ty.dims() != [n] {
                raise(Error::tree(
                    "unravel",
                    format!("the tree is made of a vector of {n}, and this is {ty}"),
                    current_source(),
                ));
            }
            let mut start = 0;
            rebuilt(
                &def,
                types.iter().map(|ty| {
                    let part = slice_axis(vector, 0, start..start + ty.size());
                    start += ty.size();
                    reshape(part, &ty.dims())
                }),
            )
        })
    };
    (vector, unravel)
}
