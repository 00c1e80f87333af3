//! Printing and checking while a function runs: interpreted and compiled, in loops, branches,
//! batches and derivatives.

// Quotients of a number and itself are NaN at 0, as intended.
#![allow(clippy::eq_op)]

use std::sync::{Arc, Mutex};

use wengert::prelude::*;
use wengert::{Error, Feed};

type Lines = Arc<Mutex<Vec<String>>>;

/// Returns what a function prints, compiled and interpreted; both must agree.
#[track_caller]
fn printed<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A) -> Vec<String>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    let lines: Lines = Arc::default();
    let sink = lines.clone();
    let f = jit(f).on_print(move |line| sink.lock().unwrap().push(line.into()));
    f.interpret(args.clone()).unwrap();
    let interpreted = std::mem::take(&mut *lines.lock().unwrap());
    f.call(args).unwrap();
    let compiled = std::mem::take(&mut *lines.lock().unwrap());
    assert_eq!(interpreted, compiled);
    compiled
}

/// Returns the error of a call, compiled and interpreted; both must agree.
#[track_caller]
fn error<X, Y, A>(f: &Jit<X, Y>, args: A) -> String
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
    Y::With<Array>: std::fmt::Debug,
{
    let interpreted = f.interpret(args.clone()).unwrap_err();
    let compiled = f.call(args).unwrap_err();
    assert!(matches!(compiled, Error::Check { .. }), "{compiled}");
    assert_eq!(interpreted, compiled);
    compiled.to_string()
}

#[test]
fn lines_come_in_the_order_of_the_program() {
    let lines = printed(
        |(x, v): (Var, Var)| {
            debug_print("begin", ());
            let y = x.sin();
            debug_print("sin({}) = {}, {{braces}}", (x, y));
            debug_print("v = {}", v * 2.0);
            y
        },
        (0.0, [1.0, 2.5]),
    );
    assert_eq!(lines, ["begin", "sin(0.0) = 0.0, {braces}", "v = [2. 5.]"]);
}

#[test]
fn a_loop_prints_step_after_step() {
    let lines = printed(
        |x: Var| {
            scan(x, 0..3, |c, i| {
                debug_print("{}: {}", (i, c));
                (c * 2.0, ())
            })
            .0
        },
        1.0,
    );
    assert_eq!(lines, ["0: 1.0", "1: 2.0", "2: 4.0"]);
}

#[test]
fn a_branch_prints_where_it_runs() {
    let f = |x: Var| {
        cond(
            x.gt(0.0),
            x,
            |x| {
                debug_print("positive: {}", x);
                x
            },
            |x| {
                debug_print("not: {}", x);
                -x
            },
        )
    };
    assert_eq!(printed(f, 1.0), ["positive: 1.0"]);
    assert_eq!(printed(f, -1.0), ["not: -1.0"]);
    let lines = printed(vmap(f), [1.0, -2.0, 3.0]);
    assert_eq!(lines, ["positive: 1.0", "not: -2.0", "positive: 3.0"]);
}

#[test]
fn a_batch_prints_a_line_for_each_element() {
    let f = |(x, y): (Var, Var)| {
        debug_print("{} and {}", (x, y));
        x * y
    };
    let pairs = vmap(move |x: Var| vmap(move |y: Var| f((x, y)))(arange(2).to(DType::F64) + 5.0));
    let lines = printed(pairs, [1.0, 2.0]);
    let wanted = ["1.0 and 5.0", "1.0 and 6.0", "2.0 and 5.0", "2.0 and 6.0"];
    assert_eq!(lines, wanted);
    // Among a hundred lanes, beside work that could run in lanes.
    let xs: Vec<f64> = (0..100).map(f64::from).collect();
    let lines = printed(vmap(move |x: Var| f((x, x.sin().square())) * 2.0), xs);
    assert_eq!(lines.len(), 100);
    assert!(lines[99].starts_with("99.0 and 0.998"), "{}", lines[99]);
}

#[test]
fn a_gradient_prints_what_the_function_prints() {
    let f = |x: Var| {
        let y = scan(x, 0..2, |c, _| {
            debug_print("c = {}", c);
            (c * c, ())
        })
        .0;
        debug_print("y = {}", y);
        y
    };
    let wanted = ["c = 3.0", "c = 9.0", "y = 81.0"];
    assert_eq!(printed(f, 3.0), wanted);
    assert_eq!(printed(grad(f), 3.0), wanted);
    assert_eq!(printed(grad(grad(f)), 3.0), wanted);
    assert_eq!(
        printed(move |x: Var| jvp(f, x, Var::scalar(1.0)), 3.0),
        wanted
    );
}

#[test]
fn braces_and_leaves_have_to_agree() {
    for (format, message) in [
        ("x = {}, {}", "2 {} for 1 leaf, in \"x = {}, {}\", at "),
        (
            "x = {:.3}",
            "only {} stands for a leaf, and {{ and }} for braces, in ",
        ),
    ] {
        let error = jit(move |x: Var| {
            debug_print(format, x);
            x
        })
        .call(1.0)
        .unwrap_err()
        .to_string();
        assert!(error.starts_with("debug_print: "), "{error}");
        assert!(error.contains(message), "{error}");
        assert!(error.contains("debug.rs:"), "{error}");
    }
}

#[test]
fn a_check_says_where_it_is_written() {
    let line = line!() + 2;
    let f = jit(|x: Var| {
        wengert::check(x.gt(0.0), "x is positive");
        x.log()
    });
    assert_eq!(
        f.call([1.0, 1.0]).unwrap().to_vec::<f64>().unwrap(),
        [0.0; 2]
    );
    let wanted = format!("check: x is positive, at {}:{line}:9", file!());
    assert_eq!(error(&f, [1.0, -1.0]), wanted);
    // The compiled function still works.
    assert!(f.call([1.0, 2.0]).is_ok());
}

#[test]
fn a_check_in_a_branch_is_asked_where_the_branch_runs() {
    let f = |x: Var| {
        cond(
            x.gt(0.0),
            x,
            |x| {
                wengert::check(x.lt(10.0), "less than ten");
                x
            },
            |x| -x,
        )
    };
    let one = jit(f);
    assert!(one.call(5.0).is_ok());
    assert!(one.call(-50.0).is_ok());
    assert!(error(&one, 50.0).contains("less than ten"));
    // In lanes, of which some take the branch.
    let many = jit(vmap(f));
    let mut xs: Vec<f64> = (0..203).map(|i| f64::from(i) * -0.04 + 4.0).collect();
    xs[77] = -100.0;
    assert!(many.call(xs.clone()).is_ok());
    xs[77] = 100.0;
    assert!(error(&many, xs).contains("less than ten"));
}

#[test]
fn a_check_in_a_loop_is_asked_at_every_step() {
    let f = |x: Var| {
        while_loop(
            x,
            |x| x.lt(100.0),
            |x| {
                wengert::check(x.ne(8.0), "never eight");
                x * 2.0
            },
        )
    };
    let one = jit(f);
    assert!(one.call(3.0).is_ok());
    assert!(error(&one, 1.0).contains("never eight"));
    let many = jit(vmap(f));
    assert!(many.call([3.0, 5.0, 7.0, 9.0, 200.0]).is_ok());
    // One lane still runs when the others have ended.
    assert!(error(&many, [200.0, 3.0, 0.125, 9.0, 5.0]).contains("never eight"));
    assert!(error(&jit(grad(f)), 1.0).contains("never eight"));
    assert!(jit(grad(f)).call(3.0).is_ok());
    assert!(error(&jit(vmap(grad(f))), [3.0, 4.0]).contains("never eight"));
}

#[test]
fn a_check_takes_truth_values() {
    let error = jit(|x: Var| {
        wengert::check(x, "x");
        x
    })
    .call(1.0)
    .unwrap_err()
    .to_string();
    assert!(error.starts_with("all: f64 is not"), "{error}");
    assert!(error.contains("debug.rs:"), "{error}");
}

#[test]
fn the_first_nan_is_found() {
    let f = |x: Var| {
        let a = x - 1.0;
        let b = a.log();
        (b * 2.0).exp()
    };
    let line = line!() - 3;
    assert!(jit(f).call(0.5).is_ok());
    let found = error(&jit(f).debug_nans(), 0.5);
    let wanted = format!(
        "check: ln made a NaN or an infinity (f64), at {}:{line}:19",
        file!()
    );
    assert_eq!(found, wanted);
    assert!(jit(f).debug_nans().call(2.0).is_ok());
    // An input that is not finite is accepted.
    assert!(jit(f).debug_nans().call(f64::NAN).is_ok());
}

#[test]
fn a_nan_of_the_backward_pass_is_found() {
    let f = |x: Var| (x * x).sqrt();
    let line = line!() - 1;
    assert!(jit(f).debug_nans().call(0.0).is_ok());
    let found = error(&jit(grad(f)).debug_nans(), 0.0);
    assert!(found.contains(&format!("debug.rs:{line}:")), "{found}");
    let many = jit(vmap(grad(f))).debug_nans();
    assert!(many.call(vec![1.0; 40]).is_ok());
    let mut xs = vec![1.0; 40];
    xs[33] = 0.0;
    let found = error(&many, xs);
    assert!(found.contains(&format!("debug.rs:{line}:")), "{found}");
}

type Function = fn(Var) -> Var;

/// Functions whose parts are infinite or NaN at zeros, where a guard discards that: the library's own guards,
/// and those that users write.
const GUARDED: &[(&str, Function)] = &[
    ("norm", |x| x.norm()),
    ("std", |x| x.std()),
    ("norm of order 3", |x| x.norm_ord(3.0, 0)),
    ("norm of order 1", |x| x.norm_ord(1.0, 0)),
    ("hypot", |x| x.at(0).hypot(x.at(1))),
    ("sinc", |x| x.sinc().sum()),
    ("xlogy", |x| stop_gradient(x).xlogy(x).sum()),
    ("distances", |x| {
        let points = x.expand_dims(1);
        points.cdist(points).sum()
    }),
    ("select", |x| x.gt(0.0).select(x.recip(), 0.0).sum()),
    ("select of a product", |x| {
        let y = x.log() * x;
        x.gt(0.0).select(y, x).sum()
    }),
    ("cond", |x| {
        cond(x.at(0).gt(0.0), x, |x| x.recip().sum(), |x| x.sum())
    }),
    ("cond outside", |x| {
        let y = x.recip();
        cond(x.at(0).gt(0.0), (), move |()| y.sum(), move |()| x.sum())
    }),
    ("is_nan", |x| {
        let y = x / x;
        y.is_nan().select(0.0, y).sum()
    }),
    ("nansum", |x| (x / x).nansum()),
    ("where in a batch", |x| {
        wengert::map(x, |x| x.gt(0.0).select(x.recip(), 0.0)).sum()
    }),
    ("rows that are not looked at", |x| {
        wengert::stack([x.at(0), x.at(0).recip()]).at(0)
    }),
    ("a scan's rows, chosen later", |x| {
        let step = |c: Var, x: Var| (c + 1.0, (x / x, x));
        let (_, (quotients, plain)) = scan(0.0, x, step);
        x.gt(0.0).select(quotients, plain).sum()
    }),
    ("a carry, chosen later", |x| {
        let lost = fori(0..3, x, |_, c: Var| c / c);
        x.gt(0.0).select(lost, x).sum()
    }),
    ("an extreme", |x| x.recip().abs().minimum(1.0).sum()),
    ("a literal infinity", |x| {
        x.gt(0.0).select(x, f64::INFINITY).amin() + x.sum()
    }),
];

#[test]
fn what_a_guard_takes_out_is_no_fault() {
    let zeros = [0.0, 0.0, 0.0];
    for &(name, f) in GUARDED {
        let value = jit(f).debug_nans().call(zeros);
        // The exception returns an infinity, which is written literally.
        let value = value.map(|y| y.item::<f64>().unwrap());
        assert!(value.is_ok(), "{name}: {value:?}");
        let slopes = jit(grad(f)).debug_nans().call(zeros);
        assert!(slopes.is_ok(), "gradient of {name}: {slopes:?}");
        let batch = jit(vmap(grad(f))).debug_nans().call([zeros, zeros]);
        assert!(batch.is_ok(), "gradients of {name}: {batch:?}");
        let ahead = jit(jacfwd(f)).debug_nans().interpret(zeros);
        assert!(ahead.is_ok(), "forward slopes of {name}: {ahead:?}");
    }
    let bend = |x: Var| hessian(|x: Var| x.sinc().sum())(x);
    assert!(jit(bend).debug_nans().call(zeros).is_ok());
}

/// With the same guards bypassed, each NaN is found where it is made.
#[test]
fn what_goes_past_a_guard_is_found() {
    let cases: [(&str, Function); 10] = [
        ("sqrt", |x| x.gt(9.0).select(x, (x - 1.0).sqrt()).sum()),
        ("div", |x| {
            cond(x.at(0).gt(9.0), x, |x| x.sum(), |x| (x / x).sum())
        }),
        ("ln", |x| {
            scan(0.0, x, |c, x| (c + x, (x - 1.0).log())).1.sum()
        }),
        ("ln", |x| {
            scan(x.sum(), 0..3, |c, _| ((c - 1.0).log(), ())).0
        }),
        ("sqrt", |x| {
            while_loop(
                (x.sum(), 0.0),
                |(_, n)| n.lt(2.0),
                |(c, n)| ((c - 1.0).sqrt(), n + 1.0),
            )
            .0
        }),
        ("acos", |x| wengert::map(x, |x| (x + 2.0).acos()).sum()),
        ("sqrt", |x| checkpoint(|x: Var| (x - 1.0).sqrt().sum())(x)),
        ("ln", |x| {
            let bad = (x - 1.0).log();
            x.lt(1.0).select(bad, x.recip()).sum()
        }),
        ("div", |x| {
            wengert::stack([x.at(0), x.at(0) / x.at(1)]).sum()
        }),
        ("exp", |x| ((x + 1000.0).exp() * 0.0).sum()),
    ];
    for (i, (name, f)) in cases.into_iter().enumerate() {
        let found = error(&jit(f).debug_nans(), [0.0, 0.0, 0.0]);
        let wanted = format!("check: {name} made a NaN or an infinity (f64");
        assert!(found.starts_with(&wanted), "{i}: {found}");
        assert!(!found.contains("derivative"), "{i}: {found}");
        assert!(found.contains("debug.rs:"), "{i}: {found}");
        // In a batch with one element at fault.
        let many = jit(vmap(f)).debug_nans();
        let found = error(&many, [[3.0, 3.0, 3.0], [0.0, 0.0, 0.0]]);
        assert!(found.starts_with(&wanted), "{i}, in a batch: {found}");
    }
}

#[test]
fn of_several_the_one_that_is_seen_is_blamed() {
    // The first infinity is not used, the second one is.
    let f = |x: Var| {
        let hidden = x.recip();
        let shown = (x - 2.0).sqrt();
        let both = hidden * shown;
        x.gt(0.0).select(both, 0.0).sum()
    };
    let line = line!() - 4;
    let found = error(&jit(f).debug_nans(), [0.0, 1.0, 3.0]);
    assert!(found.contains("sqrt made"), "{found}");
    assert!(found.contains(&format!("debug.rs:{line}:")), "{found}");
}

#[test]
fn a_derivative_is_named_as_such() {
    let f = |x: Var| (x * x).sqrt().sum();
    for found in [
        error(&jit(grad(f)).debug_nans(), [0.0, 1.0]),
        error(&jit(jacfwd(f)).debug_nans(), [0.0, 1.0]),
        error(&jit(vmap(grad(f))).debug_nans(), [[0.0, 1.0]]),
    ] {
        assert!(found.contains("in a derivative, at "), "{found}");
        assert!(found.contains("debug.rs:"), "{found}");
    }
    // The value is at fault here.
    let f = |x: Var| (x - 2.0).sqrt().sum();
    let found = error(&jit(grad(f)).debug_nans(), [0.0, 1.0]);
    assert!(found.starts_with("check: sqrt made"), "{found}");
    assert!(!found.contains("derivative"), "{found}");
}

#[test]
fn a_nan_in_a_loop_is_found() {
    let f = |x: Var| scan(x, 0..5, |c, _| ((c - 2.0).sqrt(), ())).0;
    let line = line!() - 1;
    let found = error(&jit(f).debug_nans(), 3.0);
    assert!(found.contains("sqrt made a NaN"), "{found}");
    assert!(found.contains(&format!("debug.rs:{line}:")), "{found}");
}

/// An operation that only moves an infinite input has not made it.
#[test]
fn what_moves_an_infinity_has_not_made_it() {
    let mut x = vec![1.0; 40];
    x[7] = f64::INFINITY;
    let f = |x: Var| {
        let (most, places) = x.top_k(2);
        let at = x.at_set(3, 2.0).take_along_axis(places, 0);
        (most, x.sort(0), x.flip(0), at)
    };
    let (most, sorted, ..) = jit(f).debug_nans().call(x).unwrap();
    assert_eq!(most.to_vec::<f64>().unwrap(), [f64::INFINITY, 1.0]);
    assert_eq!(sorted.get::<f64>(39).unwrap(), f64::INFINITY);
}
