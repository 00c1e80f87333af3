//! Every loop, branch and transform inside every other: derivatives to third order in all modes, against
//! each other and against differences; in a batch, compiled and interpreted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::prelude::*;
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;

type Inner<'a> = &'a dyn Fn(Var) -> Var;
type Outer = (&'static str, fn(Inner<'_>, Var) -> Var);

/// What is nested: each runs the function inside at least once for some argument.
const OUTERS: &[Outer] = &[
    ("scan", |g, x| {
        let rows = (arange(3).to(DType::F64) * 2.1).sin();
        let (c, ys) = scan(x, rows, |c, r| (g(c + 0.1 * r), c * r));
        c + 0.3 * ys.sum()
    }),
    ("scan_reverse of trees", |g, x| {
        let rows = [arange(3).to(DType::F64), arange(3).to(DType::F64) * x];
        let start = (x, [x * 0.5]);
        let step =
            |(a, [b]): (Var, [Var; 1]), [r, s]: [Var; 2]| ((b + 0.1 * r, [g(a)]), vec![a * s, b]);
        let ((a, [b]), ys) = scan_reverse(start, rows, step);
        a * b + 0.1 * (ys[0] * ys[1]).sum()
    }),
    ("scan of no step", |g, x| {
        let (c, ys) = scan(x, 0..0, |c, _| (g(c), c));
        c.sin() + ys.sum()
    }),
    ("scan without a carry", |g, x| {
        let rows = wengert::stack([x, 0.5 * x]);
        scan((), rows, |(), r| ((), g(r))).1.sum()
    }),
    ("scan_checkpointed", |g, x| {
        scan_checkpointed(&[2], x, 0..3, |c: Var, i: Var| {
            (g(c) + 0.01 * i.to(DType::F64), ())
        })
        .0
    }),
    ("fori", |g, x| {
        fori(0..2, x, |i, c| g(c) + 0.1 * i.to(DType::F64))
    }),
    ("fori with traced bounds", |g, x| {
        let n = stop_gradient(x).lt(0.5).select(2i64, 3i64);
        fori(..n, x, |i, c| g(c + 0.1 * i.to(DType::F64)) * x.cos())
    }),
    ("while_loop", |g, x| {
        let step = |(t, c): (Var, Var)| (t + 1.0 + 0.1 * c.square(), g(c) * (1.0 + 0.1 * x));
        while_loop((x, x), |(t, _)| t.lt(2.0), step).1
    }),
    ("cond", |g, x| cond(x.lt(0.6), x, |x| g(x) * x, |x| x.cos())),
    ("switch", |g, x| {
        let i = (stop_gradient(x) * 2.0).floor().to(DType::I64);
        switch(i, x, &[&|x: Var| g(x), &|x| x * g(0.5 * x), &|x| x])
    }),
    ("map", |g, x| {
        wengert::map(wengert::stack([x, 0.4 * x, x.sin()]), |r| g(r * x) + r).sum()
    }),
    ("associative_scan", |g, x| {
        let all = associative_scan(wengert::stack([x, g(x), 0.3 + x]), |a: Var, b: Var| a * b);
        all.sum()
    }),
    ("checkpoint", |g, x| checkpoint(|y: Var| g(y) * y)(x)),
    ("custom_jvp", |g, x| custom_jvp(g, |y, dy| jvp(g, y, dy))(x)),
    ("select", |g, x| x.gt(0.0).select(g(x), 0.1 / x)),
    ("gradient", |g, x| grad_at(x, |x| g(x) + x * x)),
    ("tangent", |g, x| jvp(g, x, x.cos()).1),
    ("pullback in a loop", |g, x| {
        let (y, pull) = vjp(g, x);
        fori(0..2, y, |_, c| 0.5 * pull(c.sin()) + 0.1 * c)
    }),
];

fn apply(kinds: &[usize], x: Var) -> Var {
    match kinds.split_first() {
        None => (1.1 * x).sin() + 0.2 * x,
        // Bounded, however deep.
        Some((&k, inner)) => OUTERS[k].1(&|y| apply(inner, y), x).sin(),
    }
}

fn forward(f: impl Fn(Var) -> Var + Clone) -> impl Fn(Var) -> Var + Clone {
    move |x| jvp(|x: Var| f(x), x, ones_like(x)).1
}

/// The value, both first derivatives, all four second ones and all eight third ones.
fn derivatives(kinds: &[usize], x: Var) -> Vec<Var> {
    let f = |x: Var| apply(kinds, x);
    let (a, r) = (forward(f), grad(f));
    let second = [
        forward(a.clone())(x),
        forward(r.clone())(x),
        grad(a.clone())(x),
        grad(r.clone())(x),
    ];
    let third = [
        forward(forward(a.clone()))(x),
        forward(forward(r.clone()))(x),
        forward(grad(a.clone()))(x),
        forward(grad(r.clone()))(x),
        grad(forward(a.clone()))(x),
        grad(forward(r.clone()))(x),
        grad(grad(a.clone()))(x),
        grad(grad(r.clone()))(x),
    ];
    let mut all = vec![f(x), a(x), r(x)];
    all.extend(second);
    all.extend(third);
    all
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// What is wrong with a nesting, if anything is.
fn wrong(kinds: &[usize]) -> Option<String> {
    let spec = ShapeDtype::scalar(DType::F64);
    let func = wengert::trace(|x: Var| derivatives(kinds, x), &spec)
        .unwrap()
        .into_ir();
    let at = |x: f64| -> Vec<f64> {
        let y = eval(&func, &[Buffer::Dense(Dense::scalar(x))]).unwrap();
        y.iter().map(|y| y.dense().slice::<f64>()[0]).collect()
    };
    let x = 0.37;
    let all = at(x);
    for (order, span) in [(1, 1..3), (2, 3..7), (3, 7..15)] {
        for (i, d) in all[span.clone()].iter().enumerate() {
            if !near(*d, all[span.start], 1e-9) || d.is_nan() {
                return Some(format!("order {order}, combination {i}: {:?}", &all[span]));
            }
        }
    }
    let h = 1e-5;
    let (above, below) = (at(x + h), at(x - h));
    for (low, high) in [(0, 1), (1, 3), (3, 7)] {
        let quotient = (above[low] - below[low]) / (2.0 * h);
        if !near(all[high], quotient, 2e-6) {
            return Some(format!("{} and by differences {quotient}", all[high]));
        }
    }
    // A batch whose lanes take different ways, compiled.
    let own = kinds.to_vec();
    let batch = jit(vmap(move |x: Var| {
        let f = |x: Var| apply(&own, x);
        [f(x), grad(f)(x), forward(grad(f))(x)]
    }));
    let xs = [0.37, 0.9, 0.61, 0.12, 1.3, 0.37, 0.55, 0.83, 0.37, 1.1];
    let together = batch.call(xs).unwrap();
    let alone = xs.map(at);
    for (i, y) in together.iter().enumerate() {
        let y = y.to_vec::<f64>().unwrap();
        for (k, &x) in xs.iter().enumerate() {
            let alone = alone[k][[0, 2, 4][i]];
            if !near(y[k], alone, 1e-9) || y[k].is_nan() {
                return Some(format!(
                    "in a batch, order {}, at {x}: {} and {alone}",
                    i, y[k]
                ));
            }
        }
    }
    None
}

#[track_caller]
fn try_all(nestings: Vec<Vec<usize>>) {
    let failed = |kinds: &Vec<usize>| {
        let tried = catch_unwind(AssertUnwindSafe(|| wrong(kinds)));
        let said = tried.unwrap_or_else(|_| Some("a panic".into()))?;
        let names: Vec<&str> = kinds.iter().map(|&k| OUTERS[k].0).collect();
        Some(format!("{}: {said}", names.join(" of ")))
    };
    println!("{} nestings", nestings.len());
    let failures: Vec<String> = nestings.iter().filter_map(failed).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn one_inside_another() {
    let n = OUTERS.len();
    let mut all: Vec<Vec<usize>> = (0..n).map(|k| vec![k]).collect();
    all.extend((0..n * n).map(|k| vec![k / n, k % n]));
    try_all(all);
}

#[test]
fn one_inside_another_inside_a_third() {
    // Of all that there are, some, from all of them.
    let n = OUTERS.len();
    let some = (0..n * n * n).step_by(131);
    try_all(some.map(|k| vec![k / (n * n), k / n % n, k % n]).collect());
}
