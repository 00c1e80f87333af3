//! Messages name the operation by the method or the function that the user wrote, and how many there are of
//! what in words that agree.

use wengert::prelude::*;
use wengert_ir::ops::{Primitive, rows};

use super::shortened;

type Unary = fn(Var) -> Var;
type Binary = fn(Var, Var) -> Var;

/// What a call of the function says that it is wrong: the operation, before the first colon.
fn named<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A) -> String
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: wengert::Feed<X::With<Array>>,
{
    let error = jit(f).call(args).err().expect("a mistake").to_string();
    assert!(shortened(&error).contains("HERE"), "{error}");
    error.split(':').next().unwrap().to_string()
}

/// A row of a table has a method on the page of operations, or is an operator.
#[test]
fn rows_are_named_by_a_method() {
    let page = include_str!("../../docs/src/operations.md");
    let operators = [
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "shift_left",
        "shift_right",
        "not",
    ];
    for op in rows::all() {
        let method = op.method();
        let written =
            page.contains(&format!(".{method}(")) || page.contains(&format!("`{method}("));
        let operator = operators.contains(&&*method);
        assert!(written || operator, "{} is said to be {method}", op.name());
    }
}

#[test]
fn methods_go_by_the_name_they_are_called_by() {
    let of_integers: [(&str, Unary); 9] = [
        ("ln", |x| x.ln()),
        ("log", |x| x.log()),
        ("exp_m1", |x| x.exp_m1()),
        ("ln_1p", |x| x.ln_1p()),
        ("recip", |x| x.recip()),
        ("powf", |x| x.powf(x)),
        ("pow", |x| x.pow(x)),
        ("mul_add", |x| x.mul_add(x, x)),
        ("powi", |x| x.powi(-1)),
    ];
    for (name, f) in of_integers {
        assert_eq!(named(f, 1i64), name);
    }
    let of_lengths: [(&str, Binary); 13] = [
        ("lt", |x, y| x.lt(y)),
        ("le", |x, y| x.le(y)),
        ("gt", |x, y| x.gt(y)),
        ("ge", |x, y| x.ge(y)),
        ("maximum", |x, y| x.maximum(y)),
        ("minimum", |x, y| x.minimum(y)),
        ("max", |x, y| x.max(y)),
        ("min", |x, y| x.min(y)),
        ("clamp", |x, y| x.clamp(y, 1.0)),
        ("clamp", |x, y| x.clamp(0.0, y)),
        ("pow", |x, y| x.pow(y)),
        ("powf", |x, y| x.powf(y)),
        ("mul_add", |x, y| x.mul_add(1.0, y)),
    ];
    for (name, f) in of_lengths {
        let f = move |(x, y): (Var, Var)| f(x, y);
        let args = ([1.0, 2.0], [1.0, 2.0, 3.0]);
        assert_eq!(named(f, args), name);
        // The operands are named in the order in which they are written.
        let error = jit(f).call(args).unwrap_err().to_string();
        assert!(
            error.contains("f64[2] and f64[3] do not broadcast"),
            "{error}"
        );
    }
    for (name, f) in [("gt", (|x: Var| x.gt(x)) as Unary), ("ge", |x| x.ge(x))] {
        let y = jit(f).call([true, false]).unwrap();
        assert_eq!(y.to_vec::<bool>().unwrap(), [name == "ge"; 2]);
    }
}

#[test]
fn a_nan_is_laid_to_the_method_that_made_it() {
    let f: [(&str, Unary); 8] = [
        ("ln", |x| x.ln()),
        ("powf", |x| x.powf(0.5)),
        ("recip", |x| (x - x).recip()),
        ("mul_add", |x| (x * 1e200).mul_add(x * 1e200, 0.0)),
        ("acosh", |x| x.acosh()),
        ("to", |x| (x * 1e300).to(DType::F32)),
        ("dot", |x| stack((x * 1e200, x)).dot(stack((x * 1e200, x)))),
        ("polygamma", |x| (x + 1.0).polygamma(1)),
    ];
    for (name, f) in f {
        let error = jit(f).debug_nans().call(-1.0).unwrap_err().to_string();
        let want = format!("check: {name} made a NaN or an infinity");
        assert!(error.starts_with(&want), "{name}: {error}");
        assert!(shortened(&error).ends_with("HERE"), "{error}");
    }
    // In a derivative, by the function that is differentiated.
    let error = jit(grad(|x: Var| x.hypot(0.0) / x)).debug_nans();
    let error = error.call(0.0).unwrap_err().to_string();
    assert!(error.contains("check: div made"), "{error}");
}

#[test]
fn loops_and_batches_go_by_their_own_names() {
    let other = |x: Var| x.broadcast_to([2]);
    let rows = [1.0, 2.0];
    let names = [
        (
            "scan",
            named(
                move |x: Var| scan(x, 0..3, move |c, _| (other(c), ())).0,
                1.0,
            ),
        ),
        (
            "scan_reverse",
            named(
                move |x: Var| scan_reverse(x, 0..3, move |c, _| (other(c), ())).0,
                1.0,
            ),
        ),
        (
            "scan_checkpointed",
            named(
                move |x: Var| scan_checkpointed(&[2], x, 0..3, move |c, _| (other(c), ())).0,
                1.0,
            ),
        ),
        (
            "associative_scan",
            named(
                move |x: Var| associative_scan(x, move |a, _| other(a)),
                rows,
            ),
        ),
        (
            "fori",
            named(move |x: Var| fori(0..3, x, move |_, c| other(c)), 1.0),
        ),
        (
            "while_loop",
            named(move |x: Var| while_loop(x, |x| x.lt(1.0), other), 1.0),
        ),
        (
            "while_loop",
            named(|x: Var| while_loop(x, |x| x, |x| x), 1.0),
        ),
        (
            "while_loop",
            named(|x: Var| while_loop(x, |x| x.lt(1.0), |x| x), rows),
        ),
        (
            "cond",
            named(move |x: Var| cond(x.gt(0.0), x, |x| x, other), 1.0),
        ),
        ("switch", named(|x: Var| switch(x, x, &[&|x: Var| x]), 1.0)),
        // What they go over.
        (
            "scan",
            named(|x: Var| scan(0.0, x, |c, x| (c + x, ())).0, 1.0),
        ),
        (
            "scan_reverse",
            named(|x: Var| scan_reverse(0.0, x, |c, x| (c + x, ())).0, 1.0),
        ),
        (
            "scan_checkpointed",
            named(
                |x: Var| scan_checkpointed(&[2], 0.0, x, |c, x| (c + x, ())).0,
                1.0,
            ),
        ),
        (
            "associative_scan",
            named(|x: Var| associative_scan(x, |a, b| a + b), 1.0),
        ),
        (
            "scan_reverse",
            named(
                |x: Var| scan_reverse(0.0, (x, [1.0; 3]), |c, _| (c, ())).0,
                rows,
            ),
        ),
        ("map", named(|x: Var| wengert::map(x, |x| x), 1.0)),
        ("vmap", named(vmap(|x: Var| x), 1.0)),
        ("vmap_axes", named(vmap_axes(|x: Var| x, 1, 0), rows)),
    ];
    for (want, found) in names {
        assert_eq!(found, want);
    }
    // The number of a branch is a number, and its branches are the switch's.
    let f = |i: Var| switch(i, 1.0, &[&|x: Var| x, &|x: Var| x.broadcast_to([2])]);
    assert_eq!(named(f, 0i64), "switch");
}

#[test]
fn what_is_counted_agrees_with_its_number() {
    let said = |f: Jit<Var, Var>, x: Array| f.call(x).unwrap_err().to_string();
    let one = Array::from(1.0);
    let vector = || Array::from([1.0, 2.0]);
    let texts = [
        said(
            jit(|x: Var| vmap_axes(|(a, b): (Var, Var)| a + b, [Some(0)], 0)((x, x))),
            vector(),
        ),
        said(
            jit(|x: Var| vmap_axes(|a: Var| a, [Some(0), None], 0)(x)),
            vector(),
        ),
        said(jit(|x: Var| einsum("i,j->ij", &[x])), vector()),
        said(jit(|x: Var| einsum("i->i", &[x, x])), vector()),
        said(
            jit(|x: Var| einsum("ij,jk->ik", &[x.expand_dims(0), x])),
            vector(),
        ),
        said(jit(|x: Var| einsum("ij->i", &[x])), one.clone()),
        said(jit(|x: Var| x.pad([(1, 1)])), Array::from([[1.0]])),
        said(jit(|x: Var| x.reshape([2])), one.clone()),
        said(jit(|x: Var| x.reshape([3])), vector()),
        said(jit(|x: Var| x.dot(x)), one.clone()),
        said(
            jit(|x: Var| vmap(|(a, b): (Var, Var)| a + b)((x, zeros(1)))),
            vector(),
        ),
        said(
            jit(|x: Var| scan(0.0, (zeros(1), x), |c, _| (c, ())).0),
            vector(),
        ),
        said(jit(|x: Var| x.transpose([0])), one.clone()),
        said(jit(|x: Var| x.tensordot(x, 1)), one),
    ];
    for text in texts {
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '.')
            .collect();
        let plural = [
            "axes",
            "leaves",
            "operands",
            "elements",
            "rows",
            "pairs",
            "arguments",
            "results",
        ];
        let single = [
            "axis", "leaf", "operand", "element", "row", "pair", "argument", "result",
        ];
        for pair in words.windows(2) {
            assert!(pair[0] != "1" || !plural.contains(&pair[1]), "{text}");
            let several = pair[0].parse::<usize>().is_ok_and(|n| n != 1);
            assert!(!several || !single.contains(&pair[1]), "{text}");
        }
        assert!(!text.contains("there are 1"), "{text}");
    }
}
