//! Derivatives that do not exist, and rules that are none.

use expect_test::expect;
use wengert::prelude::*;
use wengert_ir::trace::depth;

use super::{line_of, message, mistaken, recovers};

#[test]
fn a_gradient_that_does_not_exist() {
    mistaken(
        grad(|x: Var| x * 2.0),
        [1.0, 2.0],
        expect![
            "grad: the function gives f64[2], and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    mistaken(
        grad(|x: Var| x.to(DType::I64)),
        1.0,
        expect![
            "grad: the function gives i64, and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    mistaken(
        grad(|x: Var| x.to(DType::F64)),
        1i64,
        expect![
            "grad: the argument is i64, and only floats have derivatives, at HERE; capture it, or convert it to f64"
        ],
    );
    let clipped = custom_vjp(|x: Var| x, |x| (x, ()), |(), ct: Var| ct);
    let forward = move |x: Var| jvp(&clipped, x, Var::from(1.0)).1;
    mistaken(
        forward,
        1.0,
        expect![
            "custom_vjp: forward mode through a function that has only a pullback, at HERE; use reverse mode (`grad`, `vjp`), or give the function a `custom_jvp`"
        ],
    );
}

#[test]
fn a_custom_rule_that_captures() {
    mistaken(
        |x: Var| {
            let rule = custom_jvp(move |y: Var| x * y, |y, dy| (y, dy));
            rule(x)
        },
        1.0,
        expect![
            "custom_jvp: a function of a custom rule captures a Var made at HERE, at HERE; pass it as an argument"
        ],
    );
    mistaken(
        |x: Var| {
            let rule = custom_vjp(|y: Var| y, |y| (y, y), move |_, ct: Var| ct * x);
            grad_at(x, rule)
        },
        1.0,
        expect![
            "custom_vjp: a function of a custom rule captures a Var made at HERE, at HERE; pass it as an argument"
        ],
    );
    mistaken(
        |x: Var| custom_jvp(|y: Var| y, |y, _| (y, y.broadcast_to([2])))(x),
        1.0,
        expect!["custom_jvp: the value has f64, and the tangent has f64[2], at HERE"],
    );
}

#[test]
fn a_custom_rule_of_the_wrong_type() {
    let line = line!() + 2;
    let f = jit(vmap(grad(|x: Var| {
        let rule = custom_vjp(
            |x: Var| x.sin(),
            |x| (x.sin(), x),
            |_, ct: Var| ct.to(DType::F32),
        );
        scan(x, 0..3, |c, _| (rule(c), ())).0
    })));
    let error = f.call([1.0, 2.0]).unwrap_err();
    let said = message(&error);
    assert!(
        said.starts_with("custom_vjp: the argument has f64, and its cotangent has f32"),
        "{said}"
    );
    assert_eq!(line_of(&error), line);
    assert_eq!(depth(), 0);
    // The same function, for other types: nothing is left of the failure.
    let f = jit(|x: Var| custom_jvp(|x: Var| x * x, |x, dx| (x * x, (2.0 * x * dx).sum()))(x));
    let line = line!() - 1;
    recovers(
        &f,
        Array::from([1.0, 2.0]),
        line,
        "custom_jvp: the value has f64[2], and the tangent has f64",
        Array::from(3.0),
    );
    let f = jit(|x: Var| custom_jvp(|x: Var| x * x, |x, dx| (x * x, 2.0 * x * dx))(x));
    assert_eq!(f.call([3.0]).unwrap().to_vec::<f64>().unwrap(), [9.0]);
}

#[test]
fn custom_rules_that_are_not_linear() {
    let refused = |rule: fn(Var, Var) -> (Var, Var), why: &str| {
        let line = line!() + 1;
        let f = move |x: Var| custom_jvp(|x: Var| x * x, rule)(x);
        let batch = Array::from([2.0]);
        for (f, x) in [
            (jit(f), 2.0.into()),
            (jit(grad(f)), 2.0.into()),
            (jit(vmap(grad(f))), batch),
        ] {
            let error = f.call(x).unwrap_err();
            let want = format!("custom_jvp: the rule is not linear in the tangent: {why}");
            assert!(error.to_string().starts_with(&want), "{error}");
            assert_eq!(line_of(&error), line);
        }
    };
    refused(
        |x, d| (x * x, d * d),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, x * d.sin()),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, x * d.abs()),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, d.floor() * x),
        "the result depends on the tangent by a step",
    );
    refused(
        |x, d| (x * x, fori(0..3, d, |_, y| y * d)),
        "its derivative depends on its tangent",
    );
    // Linear ones of every kind are taken.
    let taken = |rule: fn(Var, Var) -> (Var, Var)| {
        let f = move |x: Var| custom_jvp(|x: Var| x * x, rule)(x);
        assert_eq!(jit(grad(f)).call(3.0).unwrap().item::<f64>().unwrap(), 6.0);
        assert_eq!(
            jit(jacfwd(f)).call(3.0).unwrap().item::<f64>().unwrap(),
            6.0
        );
    };
    taken(|x, d| (x * x, 2.0 * x * d));
    taken(|x, d| (x * x, fori(0..2, 0.0, |_, y| y + x * d)));
    taken(|x, d| {
        (
            x * x,
            cond(x.gt(0.0), (x, d), |(x, d)| 2.0 * x * d, |(_, d)| d),
        )
    });
    taken(|x, d| {
        (
            x * x,
            while_loop((d * x, 0i64), |(_, n)| n.lt(1), |(y, n)| (2.0 * y, n + 1)).0,
        )
    });
    taken(|x, d| (x * x, x.gt(0.0).select(2.0 * x * d, 0.0)));
    taken(|x, d| (x * x, stack((d, x * d, d)).at(1) * 2.0));
    taken(|x, d| (x * x, jvp(|x: Var| x * x, x, d).1));
}
