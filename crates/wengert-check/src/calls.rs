//! Results of calls, checked against the interpreter, and messages of failing calls.

use wengert::Feed;
use wengert::prelude::*;

/// Returns the floats that compiled code gives for a function, leaf by leaf.
///
/// # Panics
/// If the call fails, or the interpreter gives a different result.
#[track_caller]
pub fn floats<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A) -> Vec<Vec<f64>>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    let f = jit(f);
    let numbers = |y: Y::With<Array>| -> Vec<Vec<f64>> {
        let leaves = tree::leaves(&y);
        leaves.iter().map(|a| a.to_vec::<f64>().unwrap()).collect()
    };
    let compiled = numbers(f.call(args.clone()).unwrap());
    assert_eq!(compiled, numbers(f.interpret(args).unwrap()));
    compiled
}

/// Returns the error message of a call.
///
/// # Panics
/// If the call succeeds.
#[track_caller]
pub fn refusal<X, Y>(
    f: impl Fn(X) -> Y + Send + Sync + 'static,
    args: impl Feed<X::With<Array>>,
) -> String
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    match jit(f).call(args) {
        Ok(_) => panic!("it should be refused"),
        Err(e) => e.to_string(),
    }
}
