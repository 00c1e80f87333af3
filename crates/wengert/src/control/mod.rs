//! Loops and branches, which are primitives for every transform.

mod associative;
mod branch;
mod checkpointed;
mod counted;
mod scan;
mod start;
mod unbounded;

use wengert_ir::error::{Error, raise};
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::iota;
use wengert_ir::trace::{Var, current_source};

use crate::tree::{self, Tree, TreeDef};

pub use associative::associative_scan;
pub use branch::{Predicate, cond, switch};
pub use checkpointed::scan_checkpointed;
pub use counted::{Steps, fori};
pub use scan::{Over, scan, scan_reverse};
pub use unbounded::while_loop;

#[track_caller]
fn refuse(op: &str, message: String) -> ! {
    raise(Error::tree(op, message, current_source()))
}

#[track_caller]
fn rebuild<T: Tree<Leaf = Var>>(def: &TreeDef, leaves: &[Var]) -> T {
    let tree = tree::unflatten(def, leaves.iter().copied());
    tree.unwrap_or_else(|e| raise(e))
}

/// Returns the leaves of a step's result, which must have the structure and types of the carry.
#[track_caller]
fn next_carry<T: Tree<Leaf = Var>>(op: &str, next: T, types: &[Type], def: &TreeDef) -> Vec<Var> {
    let (leaves, next_def) = tree::flatten(next);
    if let Some(difference) = def.difference(&next_def) {
        refuse(
            op,
            format!("the carry and what the step makes of it differ: {difference}"),
        );
    }
    for (i, ((v, ty), path)) in leaves.iter().zip(types).zip(def.paths()).enumerate() {
        let next = v.ty();
        if next != *ty {
            start::give_way(i, ty, &next);
            refuse(
                op,
                format!(
                    "the carry{path} is {ty} before the step and {next} after it, and a carry keeps its \
                     type; {}",
                    advice(ty, &next)
                ),
            );
        }
    }
    leaves
}

/// Suggests how to keep the type of a carry that changes it.
fn advice(before: &Type, after: &Type) -> String {
    let name = |ty: &Type| format!("DType::{:?}", ty.dtype);
    match (before.dtype == after.dtype, before.shape == after.shape) {
        (false, true) if before.rank() == 0 => {
            format!(
                "start from a number of that type, as in `Var::scalar({})`, or convert what the step \
                 gives, as in `x.to({})`",
                match after.dtype {
                    DType::Bool => "false".to_string(),
                    dtype => format!("0{dtype}"),
                },
                name(before)
            )
        }
        (false, _) => format!(
            "convert one of them, as in `x.to({})` for what the step gives",
            name(before)
        ),
        // A number that grows to an array, as in a sum of vectors.
        (true, _) if before.rank() < after.rank() => {
            let shape: Vec<String> = after.dims().iter().map(usize::to_string).collect();
            let zeros = match after.dtype {
                DType::F64 => format!("zeros([{}])", shape.join(", ")),
                _ => format!("zeros_of({}, [{}])", name(after), shape.join(", ")),
            };
            format!(
                "start from an array of that shape, such as `{zeros}`, or make one number of it in the \
                 step, as by `sum`"
            )
        }
        (true, _) => "broadcast what the step gives, or start from that shape".into(),
    }
}

/// Returns `start, start + 1, ..`: `n` numbers, `i64`.
#[track_caller]
fn count_from(start: i64, n: usize) -> Var {
    let ty = Type::new(DType::I64, &[n]);
    let counted = iota::iota(ty, 0);
    match start {
        0 => counted,
        _ => counted + Var::scalar(start),
    }
}

/// Returns the length of a range.
fn length(start: i64, end: i64) -> usize {
    usize::try_from(end.saturating_sub(start)).unwrap_or(0)
}

/// Splits the rows of an array into groups of `k`, which must divide their number.
#[track_caller]
fn split_rows(x: Var, k: usize) -> Var {
    let dims = x.ty().dims();
    x.reshape([&[dims[0] / k, k], &dims[1..]].concat())
}

/// Concatenates the rows of all groups.
#[track_caller]
fn join_rows(x: Var) -> Var {
    let dims = x.ty().dims();
    x.reshape([&[dims[0] * dims[1]], &dims[2..]].concat())
}
