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
        wengert::stack([x, 2.0 * x]).square().sum().sqrt()
    }),
    ("a normalised vector", |x| {
        let v = wengert::stack([x, 2.0 * x, x.sin()]);
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

/// What is computed and then not chosen, read or run, at a point where it has no derivative: the value of the whole
/// is that of something else, whose derivative is this.
const UNUSED: &[(&str, f64, f64, Function)] = &[
    ("a row that is not read", 0.0, 1.0, |x| {
        stack([x.sqrt(), x]).at(1)
    }),
    ("a row at a traced place", 0.0, 1.0, |x| {
        stack([x.sqrt(), x]).at(place(x))
    }),
    ("an element of a vector", 0.0, 0.5, |x| {
        stack([x, x + 1.0]).sqrt().at(1)
    }),
    ("an element at a traced place", 0.0, 0.5, |x| {
        stack([x, x + 1.0]).sqrt().at(place(x))
    }),
    ("part of a vector", 0.0, 0.5, |x| {
        stack([x, x + 1.0]).sqrt().slice_axis(0, 1..).sum()
    }),
    ("every other element", 0.0, 1.0, |x| {
        let v = stack([x, x + 1.0, x, x + 1.0]).sqrt();
        v.at(s![1..;2]).sum()
    }),
    ("what a quotient is not read of", 0.0, -1.0, |x| {
        (1.0 / stack([x, x + 1.0])).at(1)
    }),
    ("take", 0.0, 1.0, |x| {
        stack([x.sqrt(), x]).take(place(x).expand_dims(0), 0).sum()
    }),
    ("take_along_axis", 0.0, 1.0, |x| {
        let i = place(x).expand_dims(0);
        stack([x.sqrt(), x]).take_along_axis(i, 0).sum()
    }),
    ("dynamic_slice", 0.0, 1.0, |x| {
        stack([x.sqrt(), x]).dynamic_slice(&[place(x)], [1]).sum()
    }),
    ("sort", 0.0, 1.0, |x| {
        stack([x.sqrt(), x + 1.0]).sort(0).at(-1)
    }),
    ("top_k", 0.0, 1.0, |x| {
        stack([x.sqrt(), x + 1.0]).top_k(1).0.sum()
    }),
    ("median", 0.0, 1.0, |x| {
        stack([x.sqrt(), x + 1.0, x + 2.0]).median()
    }),
    ("amax", 0.0, 1.0, |x| stack([x.sqrt(), x + 1.0]).amax()),
    ("cummax", 0.0, 1.0, |x| {
        stack([x + 1.0, x.sqrt()]).cummax(0).at(-1)
    }),
    ("an overwritten element", 0.0, 1.0, |x| {
        stack([x.sqrt(), x]).at_set(0, x * 0.0).sum()
    }),
    ("a selection in front", -1.0, 0.0, |x| {
        x.gt(0.0).select(x, 0.0).sqrt()
    }),
    ("a branch in front", -1.0, 0.0, |x| {
        cond(x.gt(0.0), x, |x| x, |_| Var::from(0.0)).sqrt()
    }),
    ("relu in front", -1.0, 0.0, |x| x.relu().sqrt()),
    ("maximum in front", -1.0, 0.0, |x| x.maximum(0.0).powf(0.5)),
    ("clamp in front of a quotient", -1.0, 0.0, |x| {
        x.gt(0.0).select(1.0 / x.clamp(0.0, 1.0), 2.0)
    }),
    ("a selection in a loop", -1.0, 1.0, |x| {
        let step = move |_, (a, b): (Var, Var)| (x.gt(0.0).select(a, 0.0).sqrt(), b);
        let (a, b) = fori(0..3, (x, x), step);
        a + b
    }),
    ("a counted loop of no steps", -1.0, 1.0, |x| {
        let s = x.sqrt();
        fori(..(x + 1.0).to(DType::I64), x, move |_, _| s)
    }),
    ("a while loop of no steps", -1.0, 1.0, |x| {
        let s = x.sqrt();
        let goes_on = |(x, n): (Var, Var)| x.gt(0.0).and(n.lt(2));
        while_loop((x, 0i64), goes_on, move |(_, n)| (s, n + 1)).0
    }),
    ("a scan over nothing", -1.0, 1.0, |x| {
        let s = x.sqrt();
        scan(x, 0..0, move |_, _| (s, ())).0
    }),
    ("a loop of no steps in a loop", -1.0, 1.0, |x| {
        let s = x.sqrt();
        let none = move |y: Var| fori(..(x + 1.0).to(DType::I64), y, move |_, _| s);
        fori(0..3, x, move |_, y| none(y))
    }),
    ("a carry that is overwritten", 0.0, 2.0, |x| {
        let step = |(_, b): (Var, Var), _| ((b, b), ());
        let (a, b) = scan((x.sqrt(), x), 0..4, step).0;
        a + b
    }),
    ("carries that are overwritten in turn", 0.0, 3.0, |x| {
        let step = |_, (_, b, c): (Var, Var, Var)| (b, c, c);
        let (a, b, c) = fori(0..5, (x.sqrt(), x.sqrt(), x), step);
        a + b + c
    }),
    ("a carry that nothing reads", -1.0, 3.0, |x| {
        let s = x.sqrt();
        let step = move |(_, b): (Var, Var), r: Var| ((s, b), r);
        scan(((x), x), stack([x, x, x]), step).1.sum()
    }),
    ("a carry that nothing reads, recomputed", -1.0, 3.0, |x| {
        let s = x.sqrt();
        let step = move |(_, b): (Var, Var), r: Var| ((s, b), r);
        scan_checkpointed(&[1], (x, x), stack([x, x, x]), step)
            .1
            .sum()
    }),
    ("an argument that nothing reads", -1.0, 1.0, |x| {
        checkpoint(|(_, b): (Var, Var)| b)((x.sqrt(), x))
    }),
    ("an argument that a rule does not read", -1.0, 3.0, |x| {
        let second = |(_, b): (Var, Var)| b;
        let rule = |(_, b): (Var, Var), (_, db): (Var, Var)| (b, db);
        let step = move |_, (a, b): (Var, Var)| (a, custom_jvp(second, rule)((a, b)));
        let (_, b) = fori(0..3, (x.sqrt(), x), step);
        3.0 * b
    }),
];

/// 1 at 0.
fn place(x: Var) -> Var {
    (x + 1.0).to(DType::I64)
}

#[test]
fn what_is_not_used_has_no_part_in_any_derivative() {
    let number = |name: &str, got: wengert::Result<Array>| -> f64 {
        let got = got.unwrap_or_else(|e| panic!("{name}: {e}"));
        got.item().unwrap()
    };
    for &(name, at, want, f) in UNUSED {
        let pushed = move |x: Var| linearize(f, x).1(Var::from(1.0));
        let modes = [
            ("grad", jit(grad(f)).call(at), jit(grad(f)).interpret(at)),
            (
                "jacfwd",
                jit(jacfwd(f)).call(at),
                jit(jacfwd(f)).interpret(at),
            ),
            ("linearize", jit(pushed).call(at), jit(pushed).interpret(at)),
        ];
        for (mode, compiled, interpreted) in modes {
            let name = format!("{mode} of {name}");
            assert_eq!(number(&name, compiled), want, "{name}, compiled");
            assert_eq!(number(&name, interpreted), want, "{name}, interpreted");
        }
        for (mode, second) in [
            ("grad of grad", jit(grad(grad(f))).call(at)),
            ("jacfwd of grad", jit(jacfwd(grad(f))).call(at)),
            ("grad of jacfwd", jit(grad(jacfwd(f))).call(at)),
        ] {
            let name = format!("{mode} of {name}");
            assert!(number(&name, second).is_finite(), "{name}");
        }
        // In a batch whose other elements are elsewhere.
        let points = [at, at + 0.25, at, at + 3.0, at + 2.0];
        let got = jit(vmap(grad(f)))
            .call(points)
            .unwrap()
            .to_vec::<f64>()
            .unwrap();
        assert_eq!((got[0], got[2]), (want, want), "{name} in a batch: {got:?}");
    }
}
