//! Transforms: closures to closures. They work inside a trace, nest to any depth, and take one argument, a
//! tree; everything else a function uses is captured.

mod batch;
mod closure;
mod custom;
mod grad;
mod implicit;
mod jacobian;
mod linear;

pub use batch::{Axes, checkpoint, map, vmap, vmap_axes};
pub use closure::closure_convert;
pub use custom::{custom_jvp, custom_vjp, stop_gradient};
pub use grad::{
    grad, grad_at, grad_aux, jvp, linearize, value_and_grad, value_and_grad_at, value_and_grad_aux,
    vjp, vjp_aux,
};
pub use implicit::{
    custom_linear_solve, custom_root, custom_root_aux, custom_root_with, fixed_point,
};
pub use jacobian::{hessian, hvp, jacfwd, jacrev, value_and_jacfwd, value_and_jacrev};
pub use linear::linear_transpose;

use wengert_ir::error::{Error, Result, raise};
use wengert_ir::ir::Type;
use wengert_ir::trace::{Closed, Kind, Var, closed, current_source, inside};

use crate::tree::{self, Tree, TreeDef};

/// A function of a tree, traced on leaves of given types.
struct Traced {
    closed: Closed,
    out: TreeDef,
}

/// Rebuilds a tree from its leaves. A mismatch is a bug of this crate, or of a hand-written `Tree`
/// implementation.
#[track_caller]
fn rebuild<T: Tree<Leaf = Var>>(def: &TreeDef, leaves: &[Var]) -> T {
    ok(tree::unflatten(def, leaves.iter().copied()))
}

#[track_caller]
fn ok<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|e| raise(e))
}

/// Traces `f` as a body of `kind` on leaves of these types.
#[track_caller]
fn traced<X, Y>(kind: Kind, types: &[Type], def: &TreeDef, f: impl FnOnce(X) -> Y) -> Traced
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let mut out = None;
    let closed = closed(kind, types, |vars| {
        let (leaves, structure) = tree::flatten(inside(|| f(rebuild(def, vars))));
        out = Some(structure);
        leaves
    });
    Traced {
        closed,
        out: out.expect("the function was traced"),
    }
}

fn types(leaves: &[Var]) -> Vec<Type> {
    leaves.iter().map(|v| v.ty()).collect()
}

/// Requires the results of a function differentiated by reverse mode to be floats.
#[track_caller]
fn expect_float_results(op: &str, types: &[Type], def: &TreeDef) {
    for (ty, path) in types.iter().zip(def.paths()) {
        if !ty.is_float() {
            raise(Error::derivative(
                op,
                format!("the result{path} is {ty}, and only floats have derivatives"),
                current_source(),
                "leave it out, or convert it to f64",
            ));
        }
    }
}

/// Requires two trees to have one structure and the same type in each leaf.
#[track_caller]
fn same_trees(op: &str, what: [&str; 2], a: (&[Var], &TreeDef), b: (&[Var], &TreeDef)) {
    if let Some(message) = unlike(what, a, b) {
        raise(Error::tree(op, message, current_source()));
    }
}

/// Describes the first difference in structure or leaf types between two trees.
#[track_caller]
pub(crate) fn unlike(
    what: [&str; 2],
    a: (&[Var], &TreeDef),
    b: (&[Var], &TreeDef),
) -> Option<String> {
    if let Some(difference) = a.1.difference(b.1) {
        return Some(format!("{} and {} differ: {difference}", what[0], what[1]));
    }
    for ((x, y), path) in a.0.iter().zip(b.0).zip(a.1.paths()) {
        let (x, y) = (x.ty(), y.ty());
        if x != y {
            return Some(format!(
                "{}{path} has {x}, and {}{path} has {y}",
                what[0], what[1]
            ));
        }
    }
    None
}

/// Requires the differentiated arguments to be floats.
#[track_caller]
fn expect_floats(op: &str, types: &[Type], def: &TreeDef) {
    for (ty, path) in types.iter().zip(def.paths()) {
        if !ty.is_float() {
            raise(Error::derivative(
                op,
                format!("the argument{path} is {ty}, and only floats have derivatives"),
                current_source(),
                "capture it, or convert it to f64",
            ));
        }
    }
}
