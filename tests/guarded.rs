//! No NaN from a branch not taken: functions that are infinite, or have infinite derivatives, at 0,
//! guarded there by `select` and by `cond`; forward and reverse, to second order, in lanes that
//! diverge and in loops.

use wengert::prelude::*;

type Function = fn(Var) -> Var;

const FUNCTIONS: &[(&str, Function)] = &[
    ("sqrt", |x| x.sqrt()),
    ("log", |x| x.log()),
    ("log of a quotient", |x| (x / (1.0 + x)).log() * x),
    ("a reciprocal", |x| 1.0 / x),
    ("sin(x)/x", |x| x.sin() / x),
    ("a division by a square", |x| (x.exp() - 1.0) / (x * x)),
    ("a norm", |x| (x * x + 4.0 * x * x).sqrt()),
    ("a norm of a vector", |x| {
        wengert::stack(&[x, 2.0 * x]).square().sum().sqrt()
    }),
    ("a normalised vector", |x| {
        let v = wengert::stack(&[x, 2.0 * x, x.sin()]);
        (v / v.square().sum().sqrt()).prod()
    }),
    ("x^0.5", |x| x.powf(0.5)),
    ("x^-1.5", |x| x.powf(-1.5)),
    ("x^x", |x| x.powf(x)),
    ("a root inside a sine", |x| x.cbrt().sin() * x.sqrt()),
];

/// What stands for it at 0: the value 0, the slope 2, the curvature 6.
fn instead(x: Var) -> Var {
    3.0 * x * x + 2.0 * x
}

type Guard = fn(Function, Var) -> Var;

const GUARDS: &[(&str, Guard)] = &[
    ("select", |f, x| x.gt(0.0).select(f(x), instead(x))),
    ("cond", |f, x| cond(x.gt(0.0), x, f, instead)),
    ("select the other way", |f, x| {
        x.le(0.0).select(instead(x), f(x))
    }),
    ("cond in a scan", |f, x| {
        let step = |c: Var, _: Var| (c + cond(x.gt(0.0), x, f, instead), ());
        scan(0.0 * x, 0..1, step).0
    }),
    ("select in a while", |f, x| {
        let step = |(c, n): (Var, Var)| (c + x.gt(0.0).select(f(x), instead(x)), n + 1.0);
        while_loop((0.0, 0.0), |(_, n)| n.lt(1.0), step).0
    }),
    ("a loop that does not run", |f, x| {
        let runs = |(_, n): (Var, Var)| n.lt(1.0) & x.gt(0.0);
        let c = while_loop((0.0, 0.0), runs, |(c, n)| (c + f(x), n + 1.0)).0;
        c + x.gt(0.0).select(0.0, instead(x))
    }),
    ("switch", |f, x| {
        let i = x.gt(0.0).select(2i64, 0i64);
        switch(i, x, &[&instead, &|x: Var| x, &|x| f(x)])
    }),
];

fn forward(f: impl Fn(Var) -> Var + Copy, x: Var) -> Var {
    jvp(f, x, ones_like(x)).1
}

/// The value, the slope in both modes, the curvature in all four combinations.
fn derivatives(f: impl Fn(Var) -> Var + Copy, x: Var) -> [Var; 7] {
    [
        f(x),
        forward(f, x),
        grad(f)(x),
        forward(|x| forward(f, x), x),
        forward(|x| grad(f)(x), x),
        grad(|x| forward(f, x))(x),
        grad(grad(f))(x),
    ]
}

#[test]
fn functions_guarded_at_zero_have_the_derivatives_of_what_is_taken() {
    // More than a block, and lanes of one block that go different ways.
    let xs: Vec<f64> = (0..19)
        .map(|i| {
            if i % 3 == 1 {
                0.0
            } else {
                0.2 + 0.1 * f64::from(i)
            }
        })
        .collect();
    let mut wrong = vec![];
    for &(name, f) in FUNCTIONS {
        let plain = jit(vmap(move |x: Var| derivatives(f, x)))
            .call(xs.clone())
            .unwrap();
        let plain = plain.map(|y| y.to_vec::<f64>().unwrap());
        for &(guard, guarded) in GUARDS {
            let f = move |x: Var| derivatives(|x| guarded(f, x), x);
            let check = |i: usize, got: &[f64]| -> Option<String> {
                let at_zero = [0.0, 2.0, 2.0, 6.0, 6.0, 6.0, 6.0];
                for k in 0..7 {
                    let want = if xs[i] == 0.0 {
                        at_zero[k]
                    } else {
                        plain[k][i]
                    };
                    let near = (got[k] - want).abs() <= 1e-9 * (1.0 + want.abs());
                    if !near || got[k].is_nan() {
                        return Some(format!(
                            "{name} by {guard}, {k} at {}: {} and {want}",
                            xs[i], got[k]
                        ));
                    }
                }
                None
            };
            let lanes = jit(vmap(f)).call(xs.clone()).unwrap();
            let lanes = lanes.map(|y| y.to_vec::<f64>().unwrap());
            for i in 0..xs.len() {
                let got: Vec<f64> = lanes.iter().map(|y| y[i]).collect();
                wrong.extend(check(i, &got));
            }
            let alone = jit(f);
            for i in [0, 1] {
                let got = alone.call(xs[i]).unwrap().map(|y| y.item::<f64>().unwrap());
                wrong.extend(check(i, &got));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
