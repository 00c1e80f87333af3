//! Choices among many, scans that keep few carries, and scans of associative operations.

use wengert::prelude::*;
use wengert_check::{check_grads, check_vmap, floats, refusal};

fn chosen((i, x): (Var, Var)) -> Var {
    switch(
        i,
        x,
        &[
            &|x: Var| x.sin(),
            &|x| x.log(),
            &|x| x * x * x,
            &|x| x.sqrt(),
            &|_| Var::from(7.0),
        ],
    )
}

#[test]
fn a_switch_takes_the_branch_of_that_number() {
    let wanted = [2f64.sin(), 2f64.ln(), 8.0, 2f64.sqrt(), 7.0];
    for (i, want) in wanted.into_iter().enumerate() {
        let got = floats(chosen, (i as i64, 2.0))[0][0];
        assert!((got - want).abs() < 1e-15, "{i}: {got}");
    }
    // Beyond either end: the nearest.
    assert_eq!(floats(chosen, (-3i64, 0.0))[0], [0.0]);
    assert_eq!(floats(chosen, (i64::MAX, 0.0))[0], [7.0]);
    assert_eq!(floats(chosen, (u64::MAX, 0.0))[0], [7.0]);
    assert_eq!(floats(chosen, (2u8, 3.0))[0], [27.0]);
}

#[test]
fn a_switch_has_derivatives_and_batches() {
    for i in 0..5i64 {
        let f = move |x: Var| chosen((Var::scalar(i), x));
        check_grads(f, 1.3, 3).unwrap();
    }
    let numbers: Vec<i64> = (0..23).map(|i| i % 6 - 1).collect();
    let xs: Vec<f64> = (0..23).map(|i| 0.5 + 0.1 * f64::from(i)).collect();
    check_vmap(chosen, (numbers, xs)).unwrap();
    // No NaN comes out of what is not chosen: √x and log x at 0.
    let slope = |i: Var, x: Var| grad(move |x: Var| chosen((i, x)))(x);
    let slopes = floats(
        vmap(move |(i, x): (Var, Var)| slope(i, x)),
        ([0i64, 2, 4], [0.0; 3]),
    );
    assert_eq!(slopes[0], [1.0, 0.0, 0.0]);
}

#[test]
fn what_is_wrong_with_a_switch() {
    let f = |x: Var| switch(x, x, &[&|x: Var| x]);
    assert!(
        refusal(f, 1.0).starts_with("switch: the number of a branch is an integer scalar, got f64")
    );
    let f = |(i, x): (Var, Var)| switch(i, x, &[] as &[&dyn Fn(Var) -> Var]);
    assert!(refusal(f, (1i64, 1.0)).starts_with("switch: there is no branch"));
    let f = |(i, x): (Var, Var)| switch(i, x, &[&|x: Var| vec![x], &|x| vec![x, x]]);
    assert!(refusal(f, (1i64, 1.0)).starts_with("switch: the branches give different trees"));
    let f = |(i, x): (Var, Var)| switch(i, x, &[&|x: Var| x, &|x| x.to(DType::F32)]);
    let said = refusal(f, (1i64, 1.0));
    assert!(
        said.contains("f64") && said.contains("f32") && said.contains("control.rs:"),
        "{said}"
    );
}

/// A pendulum that is pushed.
fn swing((angle, speed): (Var, Var), push: Var) -> ((Var, Var), Var) {
    let speed = speed - 0.1 * angle.sin() + 0.01 * push;
    let angle = angle + 0.1 * speed;
    ((angle, speed), angle * angle)
}

#[test]
fn a_checkpointed_scan_is_a_scan() {
    let pushes: Vec<f64> = (0..23).map(|i| f64::from(i % 7)).collect();
    let plain = floats(
        |(x, p): (Var, Var)| scan((x, 0.0), p, swing),
        (1.0, pushes.clone()),
    );
    for every in [&[1][..], &[5], &[23], &[100], &[8, 3], &[12, 6, 2], &[]] {
        let f = move |(x, p): (Var, Var)| scan_checkpointed(every, (x, 0.0), p, swing);
        assert_eq!(floats(f, (1.0, pushes.clone())), plain, "{every:?}");
        let loss = move |(x, p): (Var, Var)| {
            let ((angle, _), squares) = scan_checkpointed(every, (x, 0.0), p, swing);
            angle.sin() + squares.mean()
        };
        check_grads(loss, (1.0, pushes.clone()), 2).unwrap();
        let xs: Vec<f64> = (0..9).map(f64::from).collect();
        let p = pushes.clone();
        let lane = move |x: Var| {
            let p = Array::from(p.clone());
            grad_at(x, |x| loss((x, Var::from(&p))))
        };
        check_vmap(lane, xs).unwrap();
    }
}

#[test]
fn a_checkpointed_scan_keeps_few_carries() {
    // The bytes that live between the passes are seen in what the traced gradient stacks.
    let residuals = |every: &'static [usize]| {
        let last = move |x: Var| {
            scan_checkpointed(every, x, 0..10_000, |x: Var, _| (x.sin() + x.cos(), ())).0
        };
        let func = jit(grad(last))
            .func(ShapeDtype::scalar(DType::F64))
            .unwrap();
        largest(func.ir())
    };
    assert_eq!(residuals(&[100]), 100);
    assert_eq!(residuals(&[500, 20]), 25);
    assert!(residuals(&[]) >= 10_000);
}

/// The longest array of floats in a function.
fn largest(f: &wengert_ir::ir::Func) -> usize {
    let own = f.types.iter().filter(|t| t.is_float()).map(|t| t.size());
    let inner = f.eqns.iter().flat_map(|e| e.op.bodies()).map(largest);
    own.chain(inner).max().unwrap_or(0)
}

#[test]
fn scans_of_no_step_and_of_one() {
    let f = |x: Var| scan_checkpointed(&[4], x, 0..0, |c: Var, i| (c + 1.0, i));
    let y: (Array, Array) = jit(f).call(2.0).unwrap();
    assert_eq!((y.0.item::<f64>().unwrap(), y.1.shape()), (2.0, &[0][..]));
    let f = |x: Var| scan_checkpointed(&[4], x, 0..1, |c: Var, _| (c + 1.0, c));
    assert_eq!(floats(f, 2.0), [vec![3.0], vec![2.0]]);
    let said = refusal(
        |x: Var| scan_checkpointed(&[4, 4], x, 0..9, |c: Var, _| (c, ())).0,
        1.0,
    );
    assert!(
        said.starts_with("scan_checkpointed: numbers of steps fall"),
        "{said}"
    );
    let said = refusal(
        |x: Var| scan_checkpointed(&[0], x, 0..9, |c: Var, _| (c, ())).0,
        1.0,
    );
    assert!(
        said.starts_with("scan_checkpointed: numbers of steps fall"),
        "{said}"
    );
}

/// Composition of affine functions.
fn compose((a1, b1): (Var, Var), (a2, b2): (Var, Var)) -> (Var, Var) {
    (a1 * a2, a2 * b1 + b2)
}

#[test]
fn an_associative_scan_gives_the_running_results() {
    for n in [1usize, 2, 3, 64, 127, 128, 129, 200, 1000] {
        let a: Vec<f64> = (0..n).map(|i| 0.5 + (i % 5) as f64 * 0.1).collect();
        let b: Vec<f64> = (0..n).map(|i| (i % 3) as f64 - 1.0).collect();
        let got = floats(
            |(a, b): (Var, Var)| associative_scan((a, b), compose),
            (a.clone(), b.clone()),
        );
        let mut x = (1.0, 0.0);
        for i in 0..n {
            x = (x.0 * a[i], a[i] * x.1 + b[i]);
            let close = |got: f64, want: f64| (got - want).abs() <= 1e-13 * want.abs().max(1.0);
            assert!(close(got[0][i], x.0) && close(got[1][i], x.1), "{n}, {i}");
        }
    }
}

/// Long ones are split, in a way that depends on the work of a combination.
#[test]
fn a_long_associative_scan_gives_the_running_results() {
    let latest = |a: Var, b: Var| b.ne(0).select(b, a);
    for n in [128, 131, 1000, 4099, 140_003] {
        let x: Vec<i64> = (0..n).map(|i| i * i % 7 * (i % 3)).collect();
        let mut sum = 0;
        let sums: Vec<i64> = x
            .iter()
            .map(|x| {
                sum += x;
                sum
            })
            .collect();
        let got = jit(|x: Var| associative_scan(x, |a: Var, b: Var| a + b)).call(&x);
        assert_eq!(got.unwrap().to_vec::<i64>().unwrap(), sums, "{n}");
        let mut last = 0;
        let lasts: Vec<i64> = x
            .iter()
            .map(|&x| {
                last = if x == 0 { last } else { x };
                last
            })
            .collect();
        let got = jit(move |x: Var| associative_scan(x, latest)).call(&x);
        assert_eq!(got.unwrap().to_vec::<i64>().unwrap(), lasts, "{n}");
        // Matrices of integers, which wrap: products are exact and do not commute.
        let product = |[a, b, c, d]: [Var; 4], [e, f, g, h]: [Var; 4]| {
            [e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d]
        };
        let cells: [Vec<i64>; 4] =
            std::array::from_fn(|k| x.iter().map(|x| x + k as i64).collect());
        let one = |i: usize| [0, 1, 2, 3].map(|k: usize| cells[k][i]);
        let mut all = vec![one(0)];
        for i in 1..n as usize {
            let ([a, b, c, d], [e, f, g, h]) = (all[i - 1], one(i));
            let dot =
                |a: i64, b: i64, c: i64, d: i64| a.wrapping_mul(b).wrapping_add(c.wrapping_mul(d));
            all.push([
                dot(e, a, f, c),
                dot(e, b, f, d),
                dot(g, a, h, c),
                dot(g, b, h, d),
            ]);
        }
        let got = jit(move |x: [Var; 4]| associative_scan(x, product))
            .call(cells.clone().map(Array::from));
        for (k, got) in got.unwrap().into_iter().enumerate() {
            let want: Vec<i64> = all.iter().map(|x| x[k]).collect();
            assert_eq!(got.to_vec::<i64>().unwrap(), want, "{n}");
        }
        let x: Vec<f64> = x.iter().map(|&x| x as f64 * 0.1).collect();
        let got = floats(
            |x: Var| associative_scan(x, |a: Var, b: Var| a.logaddexp(b)),
            x.clone(),
        );
        let mut sum = 0.0;
        for (x, got) in x.iter().zip(&got[0]) {
            sum += x.exp();
            assert!((got - f64::ln(sum)).abs() < 1e-9, "{n}");
        }
    }
}

#[test]
fn a_long_associative_scan_has_derivatives() {
    let n = 300;
    let a: Vec<f64> = (0..n).map(|i| 0.5 + f64::from(i % 5) * 0.1).collect();
    let b: Vec<f64> = (0..n).map(|i| f64::from(i % 3) - 1.0).collect();
    let parts = |(a, b): (Var, Var)| {
        let (a, b) = associative_scan((a, b), compose);
        (a * 3.0 + b.square()).sum()
    };
    let steps = |(a, b): (Var, Var)| {
        let step = |before: (Var, Var), row: (Var, Var)| {
            let next = compose(before, row);
            (next, next)
        };
        let (a, b) = scan((1.0, 0.0), (a, b), step).1;
        (a * 3.0 + b.square()).sum()
    };
    let got = floats(grad(parts), (a.clone(), b.clone()));
    let want = floats(grad(steps), (a, b));
    for (got, want) in got.iter().flatten().zip(want.iter().flatten()) {
        assert!(
            (got - want).abs() < 1e-9 * want.abs().max(1.0),
            "{got} {want}"
        );
    }
}

#[test]
fn an_associative_scan_of_matrices_has_derivatives_and_batches() {
    // Not commutative: the order counts.
    let last = |x: Var| {
        let all = associative_scan(x, |a: Var, b: Var| a.matmul(b));
        all.slice_axis(0, 128..140).sum()
    };
    let cells = (0..140 * 4).map(|i| {
        if i % 4 % 3 == 0 {
            1.0
        } else {
            0.01 * f64::from(i % 7)
        }
    });
    let x = Array::new([140, 2, 2], cells.collect::<Vec<f64>>()).unwrap();
    check_grads(last, x, 1).unwrap();
    let few = |x: Var| associative_scan(x, |a: Var, b: Var| a * b).sum();
    check_grads(few, [0.5, 0.0, 2.0, -1.5], 3).unwrap();
    let rows: Vec<f64> = (0..5 * 130)
        .map(|i| 0.9 + 0.001 * f64::from(i % 97))
        .collect();
    let rows = Array::new([5, 130], rows).unwrap();
    check_vmap(|x: Var| associative_scan(x, |a: Var, b: Var| a * b), rows).unwrap();
}

#[test]
fn an_associative_scan_keeps_types() {
    let said = refusal(
        |x: Var| associative_scan(x, |a: Var, b: Var| (a + b).sum() + x),
        [1.0, 2.0],
    );
    assert!(
        said.contains("associative_scan") && said.contains("control.rs:"),
        "{said}"
    );
}

/// The values of lanes that have finished make no loop of the others longer: their loops would not end.
#[test]
fn lanes_that_have_finished_run_no_inner_loop() {
    // The last step leaves a number of steps that nobody could wait for.
    let inner = |n: Var| {
        let step = |(k, steps, s): (Var, Var, Var)| {
            let s = fori(..steps, s, |i, s| s + (i + k).to(DType::F64));
            let s = while_loop((k % 3, s), |(i, _)| i.gt(0), |(i, s)| (i - 1, 0.5 * s)).1;
            (k - 1, k.le(1).select(1i64 << 60, k % 3), s)
        };
        let (_, steps, s) = while_loop((n, n % 4, 0.0), |(k, _, _)| k.gt(0), step);
        (steps, s)
    };
    let after = move |n: Var| {
        let (steps, s) = inner(n);
        let s = fori(..steps % 7, s, |i, s| 0.5 * s + i.to(DType::F64));
        while_loop((steps % 5, s), |(k, _)| k.gt(0), |(k, s)| (k - 1, s + 1.0)).1
    };
    let starts: Vec<i64> = (0..40).map(|i| (i * 7) % 23).collect();
    for loops_after in [false, true] {
        let run = move |n: Var| match loops_after {
            true => after(n),
            false => inner(n).1,
        };
        let f = jit(vmap(run));
        let fast = f.call(&starts[..]).unwrap();
        assert_eq!(fast, f.interpret(&starts[..]).unwrap());
        let alone = jit(run);
        for (i, y) in fast.to_vec::<f64>().unwrap().into_iter().enumerate() {
            let one = alone.call(starts[i]).unwrap().item::<f64>().unwrap();
            assert_eq!(y, one, "{i}");
        }
    }
}
