//! Comparison of a batch with a loop.

use wengert::prelude::*;
use wengert::{Feed, Result};
use wengert_ir::buffer::Dense;

use crate::close::{Failure, agree, fail};

/// Checks that `vmap(f)` on a batch gives the same bits as `f` on each element. The leaves of `args` have the
/// elements of the batch along their first axes.
///
/// # Errors
/// If the results differ, or if `f` has a mistake.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_check::check_vmap;
///
/// check_vmap(|(x, n): (Var, Var)| fori(..n, x, |_, x| x.sin()), ([0.1, 0.2], [3i64, 5]))?;
/// # Ok::<(), wengert_check::Failure>(())
/// ```
pub fn check_vmap<X, Y, F, A>(f: F, args: A) -> Result<(), Failure>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone + Send + Sync + 'static,
    A: Feed<X::With<Array>>,
{
    let (leaves, def) = tree::feed::<X::With<Array>, A>(args);
    let Some(&size) = leaves.first().and_then(|a| a.shape().first()) else {
        return fail("check_vmap: the first leaf has no axis to go along");
    };
    // `f` as a function of lists of leaves.
    let leaves_of = move |x: Vec<Var>| -> Vec<Var> {
        let x: X = tree::unflatten(&def, x).expect("the structure of the arguments");
        tree::flatten(f(x)).0
    };
    let dense = |y: Vec<Array>| -> Vec<Dense> { y.into_iter().map(Array::into_dense).collect() };
    let batched = dense(jit(vmap(leaves_of.clone())).call(leaves.clone())?);
    let one = jit(leaves_of);
    for i in 0..size {
        let rows: Vec<Array> = leaves.iter().map(|a| row(a.dense(), i)).collect();
        let alone = dense(one.call(rows)?);
        let rows: Vec<Dense> = batched.iter().map(|a| row(a, i).into_dense()).collect();
        let whats = [
            &format!("element {i} of the batch")[..],
            "the function alone",
        ];
        agree(whats, &rows, &alone, 0.0)?;
    }
    Ok(())
}

/// Returns row `i` along the first axis.
fn row(a: &Dense, i: usize) -> Array {
    let dims = a.dims[1..].to_vec();
    let n: usize = dims.iter().product();
    Array::from_dense(Dense::new(dims, a.data.pick(i * n..(i + 1) * n)))
}
