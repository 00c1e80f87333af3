//! What loops store for their gradients, and what is computed again: chosen well, and without changing a
//! bit.

use std::array::from_fn;

use wengert::prelude::*;
use wengert_check::{check_grads, check_vmap};
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::verify::verify;
use wengert_ir::rewrite::{Choice, Options, optimise_with};

/// What is chosen in the gradient of a function of one array, which is right and gives the same bits
/// as with nothing chosen.
#[track_caller]
fn choices(at: Array, f: impl Fn(Var) -> Var + Copy + Send + Sync + 'static) -> Vec<Choice> {
    check_grads(f, at.clone(), 2).unwrap();
    let traced = wengert::trace(grad(f), ShapeDtype::from(&at.dense().ty()))
        .unwrap()
        .into_ir();
    let args = [Buffer::Dense(at.dense().clone())];
    let mut found = vec![];
    for fused in [false, true] {
        let with = |chosen| optimise_with(&traced, &Options { fused, chosen });
        let (plain, none) = with(false);
        assert!(none.is_empty());
        let (func, choices) = with(true);
        verify(&func).unwrap();
        assert_eq!(eval(&func, &args).unwrap(), eval(&plain, &args).unwrap());
        found = choices;
    }
    for choice in &found {
        println!("{choice}");
        assert!(choice.after <= choice.before, "{choice}");
    }
    found
}

/// What the steps of the only pair of loops store: what they are, and how many bytes.
#[track_caller]
fn stored(at: Array, f: impl Fn(Var) -> Var + Copy + Send + Sync + 'static) -> (Vec<String>, u64) {
    let choices = choices(at, f);
    let [choice] = &choices[..] else {
        panic!("{} pairs of loops", choices.len())
    };
    let names = choice.stored.iter().map(|(name, _, _)| name.clone());
    (names.collect(), choice.after)
}

fn steps(x: Var, step: impl Fn(Var) -> Var) -> Var {
    scan(x, 0..5, |x, _| (step(x), ())).0
}

#[test]
fn of_exp_its_result() {
    let found = stored(Array::from(0.3), |x| steps(x, |x| (-x).exp()));
    assert_eq!(found, (vec!["exp".to_string()], 8));
}

#[test]
fn of_a_root_its_derivative() {
    let found = stored(Array::from(0.3), |x| steps(x, |x| (x + 1.0).sqrt()));
    assert_eq!(found, (vec!["div".to_string()], 8));
}

#[test]
fn of_sigmoid_times_its_argument_both_and_its_slope() {
    // The slope cannot be had of the result: far out, what is left of 1 is not in it.
    let found = stored(Array::from(0.3), |x| steps(x, |x| x.sigmoid() * x));
    let want = ["carry 0", "sigmoid", "sigmoid_slope"].map(String::from);
    assert_eq!(found, (want.to_vec(), 24));
}

#[test]
fn of_plain_arithmetic_its_argument() {
    let found = stored(Array::from(0.3), |x| steps(x, |x| x * x + 0.5 * x * x * x));
    assert_eq!(found, (vec!["carry 0".to_string()], 8));
}

#[test]
fn of_a_sine_its_argument_and_its_derivative() {
    // Its derivative is a cosine, which is expensive.
    let found = stored(Array::from(0.3), |x| steps(x, |x| x * x + x.sin()));
    assert_eq!(found.1, 16);
}

#[test]
fn of_many_sums_and_products_the_carry() {
    let step = |x: Var| (0..10).fold(x, |y, i| (y + 0.1 * f64::from(i)) * (0.3 + 0.1 * x));
    let found = stored(Array::from(0.3), move |x| steps(x, step));
    assert_eq!(found, (vec!["carry 0".to_string()], 8));
}

#[test]
fn of_a_recurrent_network_its_state_and_its_slope() {
    // The next step begins with the state; the slope of tanh cannot be had of it.
    let found = stored(Array::from([[0.3, -0.2], [0.5, 0.1]]), |w: Var| {
        let inputs = linspace(-1.0, 1.0, 10).reshape([5, 2]);
        scan(zeros([2]), inputs, |h: Var, x: Var| {
            ((w.dot(h) + x).tanh(), ())
        })
        .0
        .sum()
    });
    let want = ["carry 0", "tanh_slope"].map(String::from);
    assert_eq!(found, (want.to_vec(), 32));
}

#[test]
fn of_what_is_returned_nothing() {
    let choices = choices(Array::from(0.3), |x: Var| {
        let (last, all) = scan(x, 0..5, |x: Var, _| {
            let y = (-x).exp();
            (y, y)
        });
        last + all.square().sum()
    });
    assert!(choices.iter().all(|c| c.after == 0), "{choices:?}");
}

#[test]
fn of_rows_that_are_there_nothing() {
    let choices = choices(Array::from([0.3, 0.2, -0.5]), |x: Var| {
        scan(1.0, x, |sum: Var, x: Var| (sum + x * x * x, ())).0
    });
    assert!(choices.iter().all(|c| c.after == 0), "{choices:?}");
}

#[test]
fn what_is_the_same_in_all_steps_is_not_stored() {
    let choices = choices(Array::from(0.3), |a: Var| {
        let step = |(x, k): (Var, Var)| (x * a.exp() * k, k);
        scan((Var::from(1.0), Var::from(0.5)), 0..4, |s, _| (step(s), ()))
            .0
            .0
    });
    assert_eq!(choices.iter().map(|c| c.after).sum::<u64>(), 8);
}

#[test]
fn of_a_loop_of_unknown_length_its_carry() {
    let found = stored(Array::from(0.7), |x| {
        while_loop(x, |y| y.lt(50.0), |y| y * y + 0.5 * y + 0.4)
    });
    assert_eq!(found, (vec!["carry 0".to_string()], 8));
}

#[test]
fn a_loop_of_unknown_length_remembers_its_next_state() {
    // The exponential is the next state.
    let found = stored(Array::from(1.0), |x| {
        while_loop(x, |y| y.lt(50.0), |y| (0.5 * y * y).exp())
    });
    assert_eq!(found, (vec!["carry 0".to_string()], 8));
}

#[test]
fn runge_kutta_stores_less_than_its_stages() {
    let choices = choices(Array::from([10.0, 28.0, 8.0 / 3.0]), |p: Var| {
        let [sigma, rho, beta] = from_fn(|i| p.at(i as i64));
        let f = |[x, y, z]: [Var; 3]| [sigma * (y - x), x * (rho - z) - y, x * y - beta * z];
        let (_, x) = scan([1.0; 3], 0..8, |s: [Var; 3], _| {
            let h = 0.01;
            let along = |a: f64, k: [Var; 3]| from_fn(|i| s[i] + a * k[i]);
            let k1 = f(s);
            let k2 = f(along(h / 2.0, k1));
            let k3 = f(along(h / 2.0, k2));
            let k4 = f(along(h, k3));
            let next: [Var; 3] =
                from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
            (next, next[0])
        });
        x.square().mean()
    });
    let [choice] = &choices[..] else {
        panic!("{choices:?}")
    };
    assert!(2 * choice.after <= choice.before, "{choice}");
}

#[test]
fn code_takes_less_memory() {
    let f = |x: Var| scan(x, 0..1000, |x: Var, _| (3.0 * x * x * (1.0 - x), ())).0;
    let scalar = ShapeDtype::scalar(DType::F64);
    let bytes = |f: Jit<Var, Var>| f.compile(&scalar).unwrap().scratch_bytes();
    let (with, without) = (bytes(jit(grad(f))), bytes(jit(grad(f)).plain_code()));
    println!("{with} bytes instead of {without}");
    assert!((8000..12_000).contains(&with) && 2 * with <= without);
}

#[test]
fn batches_choose_too() {
    choices(Array::from([0.3, 0.8, 1.2]), |x: Var| {
        let one = |x: Var| scan(x, 0..4, |x: Var, _| (x * x.sin() * x, ())).0;
        vmap(one)(x).sum()
    });
    choices(Array::from([0.3, 0.8, 1.2]), |x: Var| {
        let one = |x: Var| while_loop(x, |y| y.lt(9.0), |y| y * y.exp() + 0.1);
        vmap(one)(x).sum()
    });
}

#[test]
fn second_derivatives() {
    let f = |x: Var| steps(x, |x| x * x.sin() + (0.3 * x).tanh());
    choices(Array::from(0.3), move |x| grad(f)(x));
    let g = |x: Var| while_loop(x, |y| y.lt(9.0), |y| y * y + 0.5 * y + 0.4);
    choices(Array::from(0.7), move |x| grad(g)(x));
}

/// A body of thousands of equations.
#[test]
fn large_bodies() {
    let f = |x: Var| {
        let body =
            |x: Var| (0..5_000).fold(x, |y, i| (y * 0.99 + 0.1 * x).sin() + f64::from(i % 3));
        scan(x, 0..2, |x: Var, _| (body(x), ())).0
    };
    let traced = wengert::trace(grad(f), ShapeDtype::scalar(DType::F64))
        .unwrap()
        .into_ir();
    let options = Options {
        fused: true,
        chosen: false,
    };
    let (plain, _) = optimise_with(&traced, &options);
    let (func, choices) = wengert_ir::rewrite::choose_residuals(&plain);
    assert!(choices.iter().all(|c| c.after <= c.before), "{choices:?}");
    let args = [Buffer::Dense(Dense::scalar(0.3))];
    assert_eq!(eval(&func, &args).unwrap(), eval(&plain, &args).unwrap());
}

/// The two derivatives want the same rows.
#[test]
fn rows_that_are_wanted_twice_are_stored_once() {
    let f = |x: Var| steps(x, |x| x * x.exp() * 0.3);
    choices(Array::from(0.3), move |x| grad(f)(x));
    let g = |x: Var| while_loop(x, |x| x.lt(5.0), |x| x * x.exp() + 1.0);
    choices(Array::from(0.7), move |x| grad(g)(x));
    let traced = wengert::trace(grad(grad(f)), ShapeDtype::scalar(DType::F64))
        .unwrap()
        .into_ir();
    let options = Options {
        fused: true,
        chosen: true,
    };
    let (func, _) = optimise_with(&traced, &options);
    let mut scans = 0;
    for eqn in &func.eqns {
        let wengert_ir::ops::Op::Scan(scan) = &eqn.op else {
            continue;
        };
        let stacked = &scan.body.results[scan.carry..];
        for (i, row) in stacked.iter().enumerate() {
            assert!(!stacked[..i].contains(row), "{func}");
        }
        scans += 1;
    }
    assert!(scans >= 2, "{func}");
}

type Named = (&'static str, fn(Var) -> Var);

/// Loops whose carries only change places: what one step had is what another carry has in the next.
const CHANGING: [Named; 8] = [
    ("two of three", |x| {
        fori(0..6, (x, x * 2.0, x), |_, (a, b, s): (Var, Var, Var)| {
            (b, a, s * a)
        })
        .2
    }),
    ("three in a circle", |x| {
        let start = (x, x * 2.0, x.sin(), x);
        let step = |_, (a, b, c, s): (Var, Var, Var, Var)| (b, c, a, s * a.cos());
        fori(0..7, start, step).3
    }),
    ("two pairs", |x| {
        let start = [x, x * 2.0, x.sin(), x * x, x];
        fori(0..5, start, |_, [a, b, c, d, s]: [Var; 5]| {
            [b, a, d, c, (s * a + c).sin()]
        })[4]
    }),
    ("scan and its rows", |x| {
        let step = |(a, b): (Var, Var), _| ((b, a), a * b.sin());
        let ((a, b), rows) = scan((x, x * 0.5), 0..5, step);
        rows * a + b
    }),
    ("scan_reverse", |x| {
        let step = |(a, b, s): (Var, Var, Var), _| ((b, a, s * a + b), ());
        scan_reverse((x, x * 0.5, x), 0..5, step).0.2
    }),
    ("while_loop", |x| {
        let step = |(n, a, b, s): (Var, Var, Var, Var)| (n + 1, b, a, s * a);
        let start = (Var::from(0i64), x, x * 2.0, x);
        while_loop(start, |(n, ..)| n.lt(5), step).3
    }),
    ("a loop of traced length", |x| {
        let n = (x.abs().sum() * 4.0).to(DType::I64);
        let step = |_, (a, b, s): (Var, Var, Var)| (b, a, s * a);
        fori(..n, (x, x * 2.0, x), step).2
    }),
    ("loops in loops", |x| {
        let inner = |(a, b, s): (Var, Var, Var)| {
            let step = |_, (a, b, s): (Var, Var, Var)| (b, a, s * a);
            fori(0..3, (a, b, s), step)
        };
        let step = |_, (a, b, s): (Var, Var, Var)| {
            let (a, b, s) = inner((a, b, s));
            (b, a, s)
        };
        fori(0..2, (x, x * 0.9, x), step).2
    }),
];

#[test]
fn carries_that_change_places_are_remembered_from_step_to_step() {
    for (name, f) in CHANGING {
        println!("{name}");
        let small = |x: Var| 0.9 * x + 0.2;
        let each = move |x: Var| f(small(x)).sum();
        choices(Array::from(0.7), each);
        choices(Array::from([0.7, -0.4]), each);
        let points = [0.7, 0.3, -0.2, 0.5, 0.9];
        check_vmap(grad(each), points).unwrap_or_else(|e| panic!("{name}: {e}"));
        let slopes = jit(grad(each));
        let said = |e| panic!("{name}: {e}");
        let compiled: f64 = slopes.call(0.7).unwrap_or_else(said).item().unwrap();
        assert_eq!(
            compiled,
            slopes.interpret(0.7).unwrap().item::<f64>().unwrap()
        );
    }
    // The one that multiplies by both in turn stores nothing of them.
    let found = stored(Array::from(0.7), |x| CHANGING[0].1(x));
    assert_eq!(found, (vec!["carry 2".to_string()], 8));
    let slope = jit(grad(CHANGING[0].1)).call(1.0).unwrap();
    assert_eq!(slope.item::<f64>().unwrap(), 56.0);
}

#[test]
fn rows_of_carries_that_change_places_are_read_backwards() {
    let there_and_back = |x: Var| {
        let (_, rows) = scan((x, x * 2.0), 0..4, |(a, b), _| ((b, a), a));
        scan_reverse(Var::from(0.0), rows, |c, r| (c + r.sin(), ())).0
    };
    let want = |x: f64| 2.0 * (x.sin() + (2.0 * x).sin());
    let got = jit(there_and_back)
        .call(0.4)
        .unwrap()
        .item::<f64>()
        .unwrap();
    assert!((got - want(0.4)).abs() < 1e-15);
    check_vmap(there_and_back, [0.4, 1.0, 2.0]).unwrap();
}
