//! Derivatives by every way: through the steps, with checkpoints, by continuous adjoints.

use wengert::prelude::*;
use wengert_solve::de::{Adjoint, DormandPrince5, Event, Ode, Rk4, Tsit5, Vern7};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The prey and predators of Lotka and Volterra.
fn prey([a, b]: [Var; 2]) -> impl Fn(Var, [Var; 2]) -> [Var; 2] {
    move |_, [x, y]| [a * x - b * x * y, b * x * y - y]
}

/// The ways to a gradient that a problem is solved by.
fn ways() -> Vec<(&'static str, Ode<Tsit5>)> {
    let ode = Ode::new(Tsit5).rtol(1e-9).atol(1e-10).max_steps(400);
    vec![
        ("steps", ode),
        ("checkpoints", ode.checkpoints(20)),
        ("backsolve", ode.adjoint(Adjoint::Backsolve)),
        ("interpolating", ode.adjoint(Adjoint::Interpolating(200))),
    ]
}

#[test]
fn all_adjoints_agree_at_the_end_and_at_times() -> Result {
    let mut end = vec![];
    let mut rows = vec![];
    for (name, ode) in ways() {
        let loss = move |(p, y, t0, t1): ([Var; 2], [Var; 2], Var, Var)| {
            let s = ode.solve(prey(p), y, t0, t1);
            s.y[0] * s.y[1] + s.y[1]
        };
        let at = ([1.1, 0.9], [1.2, 0.7], 0.1, 2.0);
        let (value, (p, y, t0, t1)) = jit(value_and_grad(loss)).call(at)?;
        let all = [
            value,
            p[0].clone(),
            p[1].clone(),
            y[0].clone(),
            y[1].clone(),
            t0,
            t1,
        ];
        let all: Vec<f64> = all.iter().map(|v| v.item()).collect::<Result<_, _>>()?;
        end.push((name, all));
        let loss = move |(p, y, t): ([Var; 2], [Var; 2], Var)| {
            let s = ode.sample(prey(p), y, 0.0, t);
            (s.y[0] * s.t + s.y[1].square()).sum()
        };
        let at = ([1.1, 0.9], [1.2, 0.7], [0.0, 0.31, 0.9, 1.0, 2.2]);
        let (value, (p, y, t)) = jit(value_and_grad(loss)).call(at)?;
        let mut all = vec![
            value.item::<f64>()?,
            p[0].item()?,
            p[1].item()?,
            y[0].item()?,
            y[1].item()?,
        ];
        all.extend(t.to_vec::<f64>()?.into_iter().skip(1));
        rows.push((name, all));
    }
    for found in [end, rows] {
        let wanted = &found[0].1;
        for (name, all) in &found[1..] {
            for (a, b) in all.iter().zip(wanted) {
                assert!(
                    (a - b).abs() < 1e-6 * b.abs().max(1.0),
                    "{name}: {all:?} {wanted:?}"
                );
            }
        }
        // Recomputed steps have the same bits.
        for (a, b) in found[1].1.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-13 * b.abs().max(1.0), "{a} {b}");
        }
    }
    Ok(())
}

#[test]
fn captured_arrays_have_gradients_by_all_adjoints() -> Result {
    // A matrix, a driving force in time with weights, and an index that has no derivative.
    let mut all: Vec<(&str, Vec<f64>)> = vec![];
    for (name, ode) in ways() {
        let loss = move |(m, w): (Var, Var)| {
            let i = Var::from(1i64);
            let f = move |t: Var, y: Var| m.dot(y) + w.at(i) * (5.0 * t).sin() * ones([2]);
            ode.solve(f, Var::from([1.0, 0.5]), 0.0, 1.5)
                .y
                .square()
                .sum()
        };
        let (m, w) = jit(grad(loss)).call(([[-0.5, 1.0], [-1.0, -0.2]], [3.0, 0.7]))?;
        all.push((name, [m.to_vec::<f64>()?, w.to_vec::<f64>()?].concat()));
    }
    for (name, g) in &all[1..] {
        for (a, b) in g.iter().zip(&all[0].1) {
            assert!((a - b).abs() < 1e-6, "{name}: {g:?} {:?}", all[0].1);
        }
    }
    Ok(())
}

#[test]
fn second_derivatives_agree() -> Result {
    // y = exp(a t), whose second derivative by a is t² exp(a t).
    for (name, ode) in ways() {
        let f = move |a: Var| ode.solve(|_, y: Var| a * y, 1.0, 0.0, 1.2).y;
        let found = jit(grad(grad(f))).call(0.4)?.item::<f64>()?;
        let want = 1.44 * f64::exp(0.48);
        assert!((found - want).abs() < 1e-5, "{name}: {found} {want}");
    }
    Ok(())
}

#[test]
fn lanes_have_their_own_adjoints() -> Result {
    for (name, ode) in ways() {
        let f = grad(move |a: Var| ode.solve(|_, y: Var| -a * y * y, 1.0, 0.0, 1.0).y);
        let all = jit(vmap(f.clone()))
            .call([0.5, 1.0, 3.0])?
            .to_vec::<f64>()?;
        let alone = jit(f);
        for (a, got) in [0.5f64, 1.0, 3.0].into_iter().zip(all) {
            let one = alone.call(a)?.item::<f64>()?;
            assert!((got - one).abs() <= 1e-13, "{name}: {got} {one}");
            assert!(
                (got + 1.0 / (1.0 + a).powi(2)).abs() < 1e-6,
                "{name}: {got}"
            );
        }
    }
    Ok(())
}

#[test]
fn backwards_in_time_and_with_fixed_steps() -> Result {
    for (name, ode) in ways() {
        let f = move |a: Var| {
            ode.sample(|_, y: Var| a * y, 1.0, 1.0, Array::from([0.5, 0.0]))
                .y
                .sum()
        };
        let got = jit(grad(f)).call(0.3)?.item::<f64>()?;
        let want = -0.5 * f64::exp(-0.15) - f64::exp(-0.3);
        assert!((got - want).abs() < 1e-6, "{name}: {got} {want}");
    }
    for adjoint in [
        Adjoint::Steps,
        Adjoint::Backsolve,
        Adjoint::Interpolating(50),
    ] {
        let ode = Ode::new(Rk4).fixed(50).adjoint(adjoint).checkpoints(4);
        let got = jit(grad(move |a: Var| {
            ode.solve(|_, y: Var| a * y, 1.0, 0.0, 1.0).y
        }))
        .call(0.3)?;
        assert!(
            (got.item::<f64>()? - f64::exp(0.3)).abs() < 1e-6,
            "{adjoint:?}: {got}"
        );
    }
    Ok(())
}

#[test]
fn checkpoints_hold_for_times_steps_and_events() -> Result {
    let ode = Ode::new(DormandPrince5).rtol(1e-8).max_steps(80);
    let loss = |ode: Ode<DormandPrince5>| {
        move |e: Var| {
            let bounce = Event::new(|_, [x, _]: [Var; 2]| x)
                .falling()
                .then(move |_, [x, v]| [x, -e * v]);
            let f = |_: Var, [_, v]: [Var; 2]| [v, Var::from(-9.81)];
            let times = Array::from([0.2, 0.9, 1.4]);
            let (s, events) = ode.events([bounce]).sample(f, [1.0, 0.0], 0.0, times);
            let d = ode.dense(f, [e, 0.0.into()], 0.0, 0.3, 40);
            s.y[0].sum() + events.times.at(1) + d.at(0.2)[0]
        }
    };
    let want = jit(grad(loss(ode))).call(0.8)?.item::<f64>()?;
    for states in [4, 9, 80] {
        let got = jit(grad(loss(ode.checkpoints(states))))
            .call(0.8)?
            .item::<f64>()?;
        assert!(
            (got - want).abs() < 1e-12 * want.abs(),
            "{states}: {got} {want}"
        );
    }
    Ok(())
}

#[test]
fn what_continuous_adjoints_cannot_do_says_why() {
    let ode = Ode::new(Vern7).adjoint(Adjoint::Backsolve);
    let e = jit(move |y: Var| ode.steps(|_, y| -y, y, 0.0, 1.0, 9).y).call(1.0);
    let e = e.unwrap_err().to_string();
    assert!(
        e.starts_with(
            "ode: a continuous adjoint is for `solve` and `sample` without events; use `Adjoint::Steps`"
        ),
        "{e}"
    );
    let forward = move |y: Var| {
        jvp(
            |y: Var| ode.solve(|_, y| -y, y, 0.0, 1.0).y,
            y,
            Var::from(1.0),
        )
        .1
    };
    let e = jit(forward).call(1.0).unwrap_err().to_string();
    assert!(e.contains("use reverse mode"), "{e}");
}
