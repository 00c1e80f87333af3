//! Loops and branches: carries that change, and limits.

use expect_test::expect;
use wengert::Error;
use wengert::prelude::*;

use super::{message, mistaken, recovers, shortened};

#[test]
fn a_loop_that_never_ends() {
    let f = jit(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0)).max_steps(1000);
    expect![
        "while_loop: more than 1000 steps, at HERE; raise the limit if the loop is meant to go on"
    ]
    .assert_eq(&message(&f.call(1.0).unwrap_err()));
    assert_eq!(f.call(-1.0).unwrap().item::<f64>().unwrap(), -1.0);
    let f = jit(grad(|x: Var| {
        while_loop(x, |x| x.gt(0.0), |x| x.sin() + 2.0)
    }));
    let f = f.max_residual_bytes(1 << 16);
    let error = f.call(1.0).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
    // A batch in which one element goes on forever.
    let f = jit(vmap(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0))).max_steps(1000);
    assert!(matches!(
        f.call([-1.0, 1.0]).unwrap_err(),
        Error::MaxSteps { .. }
    ));
    assert_eq!(
        f.call([-1.0, -2.0]).unwrap().to_vec::<f64>().unwrap(),
        [-1.0, -2.0]
    );
}

#[test]
fn carries_that_change() {
    mistaken(
        |x: Var| scan(x, 0..3, |c, _| (c.broadcast_to([2]), ())).0,
        1.0,
        expect![
            "scan: the carry is f64 before the step and f64[2] after it, and a carry keeps its type; start from an array of that shape, such as `zeros([2])`, or make one number of it in the step, as by `sum`, at HERE"
        ],
    );
    mistaken(
        |x: Var| fori(0..3, x, |i, _| i),
        1.0,
        expect![
            "fori: the carry is f64 before the step and i64 after it, and a carry keeps its type; start from a number of that type, as in `Var::scalar(0i64)`, or convert what the step gives, as in `x.to(DType::F64)`, at HERE"
        ],
    );
    mistaken(
        |x: Var| {
            while_loop(
                (x, 0i64),
                |(x, _)| x.lt(3.0),
                |(x, n)| (x, n.to(DType::F64)),
            )
            .0
        },
        1.0,
        expect![
            "while_loop: the carry.1 is i64 before the step and f64 after it, and a carry keeps its type; start from a number of that type, as in `Var::scalar(0f64)`, or convert what the step gives, as in `x.to(DType::I64)`, at HERE"
        ],
    );
    mistaken(
        |x: Var| while_loop(x, |x| x, |x| x + 1.0),
        1.0,
        expect![
            "while_loop: the condition gives f64, not a bool, at HERE; reduce an array of truth values by `any()` or `all()`"
        ],
    );
    mistaken(
        |x: Var| scan(vec![x], 0..3, |c, _| (vec![c[0], c[0]], ())).0,
        1.0,
        expect![
            "scan: the carry and what the step makes of it differ: expected a Vec of 1, got a Vec of 2, at HERE"
        ],
    );
    mistaken(
        |x: Var| cond(x.gt(0.0), x, |x| x, |x| x.broadcast_to([2])),
        1.0,
        expect![
            "cond: result 0 is f64 in one branch and f64[2] in the other, at HERE; convert or broadcast one of them: the branches give one type"
        ],
    );
    mistaken(
        |x: Var| cond(x, x, |x| x, |x| x),
        1.0,
        expect![
            "cond: chooses by one truth value, a scalar bool, and got f64, at HERE; compare it with something, as in `x.gt(0)`"
        ],
    );
}

#[test]
fn a_tape_over_its_limit() {
    let line = line!() + 2;
    let grown = |x: Var| {
        while_loop(
            x,
            |x| x.lt(1000.0),
            |x| x + x.sin().square() * 0.001 + 0.001,
        )
    };
    let f = jit(grad(grown)).max_residual_bytes(1 << 16);
    let error = recovers(&f, 0.0, line, "residuals of a loop need ", 999.9995);
    assert!(matches!(error, Error::Memory { need, limit, .. } if need > limit && limit == 1 << 16));
    let f = jit(vmap(grad(grown))).max_residual_bytes(1 << 16);
    recovers(
        &f,
        vec![0.0; 20],
        line,
        "residuals of a loop need ",
        vec![999.9995; 20],
    );
    // A loop in a loop: the line is that of the one whose list grows.
    let line = line!() + 3;
    let f = jit(grad(|x: Var| {
        fori(0..3, x, |_, x| {
            while_loop(
                x,
                |x| x.lt(1000.0),
                |x| x + x.sin().square() * 0.001 + 0.001,
            ) - 999.0
        })
    }));
    let f = f.max_residual_bytes(1 << 16);
    recovers(&f, 0.0, line, "residuals of a loop need ", 5000.0);
}

#[test]
fn a_while_that_hits_its_limit_of_steps() {
    let line = line!() + 1;
    let endless = |x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0);
    for f in [jit(endless), jit(grad(endless))] {
        let f = f.max_steps(1000);
        let error = recovers(&f, 1.0, line, "while_loop: more than 1000 steps, at ", -1.0);
        assert!(matches!(error, Error::MaxSteps { limit: 1000, .. }));
        assert_eq!(f.interpret(1.0).err().unwrap(), error);
    }
    for f in [jit(vmap(endless)), jit(vmap(grad(endless)))] {
        let f = f.max_steps(1000);
        let mut xs = vec![-1.0; 300];
        let good = xs.clone();
        xs[137] = 1.0;
        recovers(&f, xs, line, "while_loop: more than 1000 steps, at ", good);
    }
}

#[test]
fn a_check_that_fails_inside_a_mapped_scan() {
    let line = line!() + 3;
    let walk = |x: Var| {
        scan(x, 0..10, |c, _| {
            wengert::check(c.lt(100.0), "the walk stays near");
            (c * 1.5, c)
        })
        .1
        .sum()
    };
    let mut xs = vec![1.0; 300];
    let good = xs.clone();
    xs[211] = 20.0;
    let f = jit(vmap(walk));
    recovers(
        &f,
        xs.clone(),
        line,
        "check: the walk stays near, at ",
        good.clone(),
    );
    let f = jit(vmap(grad(walk)));
    recovers(&f, xs, line, "check: the walk stays near, at ", good);
}

#[test]
fn steps_that_would_broadcast_into_a_state() {
    let state = [1.0, 2.0];
    let one = |x: Var| x.slice_axis(0, 0..1);
    let shrinks = "and f64[1] after it, and a carry keeps its type";
    let differs = "has f64[2], and";
    let refused = |f: Jit<Var, Var>, what: &str| {
        let error = f.call(state).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert!(shortened(&error).contains("HERE"), "{error}");
    };
    refused(
        jit(move |x: Var| fori(0..3, x, move |_, x| one(x))),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan(x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan_reverse(x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan_checkpointed(&[2], x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| while_loop(x, |x| x.at(0).lt(3.0), one)),
        shrinks,
    );
    refused(
        jit(move |x: Var| cond(x.at(0).gt(0.0), x, |x| x, one)),
        "result 0 is f64[2] in one branch",
    );
    refused(
        jit(move |x: Var| associative_scan(stack((x, x)), move |x, _| one(x))),
        shrinks,
    );
    refused(
        jit(move |x: Var| fixed_point(x, 1e-9, move |x: Var| 0.5 * one(x))),
        differs,
    );
    let newton = |f: &dyn Fn(Var) -> Var, x: Var| x - f(x);
    refused(
        jit(move |x: Var| custom_root(one, x, newton, |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_root(|x| x, x, move |_, x| one(x), |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_linear_solve(one, x, |_, b| b, |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_linear_solve(|x| x, x, move |_, b| one(b), |_, b| b)),
        differs,
    );
    refused(jit(move |x: Var| jvp(|x: Var| x, x, one(x)).1), differs);
    refused(jit(move |x: Var| vjp(|x: Var| x, x).1(one(x))), differs);
}
