//! Explicit, stabilised and symplectic methods: orders, tolerances, controllers.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{
    Controller, DormandPrince8, Kutta38, Method, Midpoint, Norm, Ode, Ralston, Rk4, Rkc,
    Symplectic, Tsit5, Vern7,
};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// `y' = y cos t` and `z' = y - z`, of which the first has the solution `exp(sin t)`.
fn waves(t: Var, [y, z]: [Var; 2]) -> [Var; 2] {
    [y * t.cos(), y - z]
}

/// The error at the end and at a time within a step, of so many fixed steps.
fn errors<M: Method + Send + Sync + 'static>(method: M, n: usize) -> Result<[f64; 2]> {
    let ode = Ode::new(method).fixed(n);
    // 1.21 lies within a step for all numbers used here.
    let times = [1.21f64, 2.0];
    let f = jit(move |y: Var| {
        ode.sample(waves, [y, 0.0.into()], 0.0, Array::from(times))
            .y[0]
    });
    let y = f.call(1.0)?.to_vec::<f64>()?;
    let error = |i: usize| (y[i] - times[i].sin().exp()).abs();
    Ok([error(1), error(0)])
}

#[test]
fn fixed_steps_and_times_within_them_have_their_orders() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M, n: usize, within: f64) -> Result {
        let (a, b) = (errors(method, n)?, errors(method, 2 * n)?);
        let order = f64::from(method.order());
        let found = (a[0] / b[0]).log2();
        assert!((found - order).abs() < 0.5, "{}: {found}", M::NAME);
        // Errors within a step are those of the steps, and of a polynomial whose part in them varies with the place.
        let found = (a[1] / b[1]).log2();
        assert!(found > within - 0.7, "{}: {found} within", M::NAME);
        Ok(())
    }
    check(Midpoint, 20, 2.0)?;
    check(Ralston, 20, 2.0)?;
    check(Kutta38, 20, 4.0)?;
    check(Vern7, 8, 7.0)?;
    check(DormandPrince8, 8, 8.0)?;
    check(Rkc::bounded(4.0), 20, 2.0)?;
    Ok(())
}

#[test]
fn high_orders_follow_the_tolerance() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M, most: i64) -> Result {
        let ode = Ode::new(method).rtol(1e-10).atol(1e-10);
        let times: Vec<f64> = (1..40).map(|i| 0.1 * f64::from(i)).collect();
        let f = jit(move |times: Var| ode.sample(waves, [1.0, 0.0], 0.0, times));
        let s = f.call(&times)?.ok()?;
        for (t, y) in times.iter().zip(s.y[0].to_vec::<f64>()?) {
            assert!((y - t.sin().exp()).abs() < 3e-9, "{}: {t}", M::NAME);
        }
        let count = s.evaluations.item::<i64>()?;
        assert!(count < most, "{}: {count}", M::NAME);
        Ok(())
    }
    check(Tsit5, 1200)?;
    check(Vern7, 800)?;
    check(DormandPrince8, 800)
}

#[test]
fn stages_for_times_within_steps_are_counted_where_they_are_read() -> Result {
    let ode = Ode::new(DormandPrince8).fixed(10);
    let count = move |times: &'static [f64]| -> Result<i64> {
        let f = jit(move |y: Var| ode.sample(|_, y: Var| -y, y, 0.0, Array::from(times)));
        Ok(f.call(1.0)?.ok()?.evaluations.item::<i64>()?)
    };
    assert_eq!(count(&[1.0])?, 1 + 120 + 3);
    assert_eq!(count(&[0.33, 0.35, 0.77, 1.0])?, 1 + 120 + 9);
    Ok(())
}

#[test]
fn controllers_take_about_as_many_steps() -> Result {
    let lorenz =
        |_: Var, [x, y, z]: [Var; 3]| [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z];
    for controller in [Controller::I, Controller::PI, Controller::PID] {
        let ode = Ode::new(Tsit5).rtol(1e-7).controller(controller);
        let s = jit(move |x: Var| ode.solve(lorenz, [x, 0.0.into(), 0.0.into()], 0.0, 10.0))
            .call(1.0)?
            .ok()?;
        let (steps, rejected) = (s.steps.item::<i64>()?, s.rejected.item::<i64>()?);
        assert!((350..700).contains(&steps), "{controller:?}: {steps}");
        assert!(rejected < steps / 3, "{controller:?}: {rejected}");
    }
    Ok(())
}

#[test]
fn tolerances_may_differ_by_leaf_and_number() -> Result {
    // A large and a small part that oscillate alike: a tolerance of its own makes the small one as accurate.
    let f = |t: Var, (x, z): (Var, Var)| (t.cos() + 0.0 * x, 1e-6 * t.cos() + 0.0 * z);
    let error = |ode: Ode<Tsit5>| -> Result<f64> {
        let s = jit(move |x: Var| ode.solve(f, (x, zeros([2])), 0.0, 3.0))
            .call(0.0)?
            .ok()?;
        Ok((s.y.1.to_vec::<f64>()?[1] - 1e-6 * 3f64.sin()).abs() / 1e-6)
    };
    let ode = Ode::new(Tsit5).rtol(0.0);
    let coarse = error(ode.atol(1e-3))?;
    let by_leaf = error(ode.atol(&[1e-3, 1e-13]).norm(Norm::LargestLeaf))?;
    let by_number = error(ode.atol(&[1e-3, 1e-13, 1e-13]))?;
    assert!(by_leaf < 1e-6 && by_number < 1e-6, "{by_leaf} {by_number}");
    assert!(coarse > 1e-5, "{coarse}");
    let e = jit(move |x: Var| {
        ode.atol(&[1e-3, 1e-3, 1e-3, 1e-3])
            .solve(f, (x, zeros([2])), 0.0, 3.0)
            .y
    })
    .call(0.0)
    .unwrap_err()
    .to_string();
    assert!(
        e.starts_with(
            "ode: there are 4 absolute tolerances, and the state has 2 leaves with 3 numbers, at "
        ),
        "{e}"
    );
    assert!(e.contains("explicit.rs"), "{e}");
    Ok(())
}

#[test]
fn steps_have_their_bounds() -> Result {
    let run = |ode: Ode<Tsit5>| {
        jit(move |y: Var| ode.solve(|t, y: Var| -y + (1.0 / t), y, 0.0, 1.0)).call(1.0)
    };
    // The rate is infinite at the start.
    let s = run(Ode::new(Tsit5))?;
    assert_eq!(s.statuses()?, [Status::NotFinite]);
    let run = |ode: Ode<Tsit5>| jit(move |y: Var| ode.solve(|_, y: Var| -y, y, 0.0, 1.0)).call(1.0);
    let s = run(Ode::new(Tsit5).dt_max(0.01))?.ok()?;
    assert!(s.steps.item::<i64>()? >= 100);
    let s = run(Ode::new(Tsit5).rtol(1e-14).atol(1e-16).dt0(1.0).dt_min(0.5))?;
    assert_eq!(s.statuses()?, [Status::StepTooSmall]);
    Ok(())
}

#[test]
fn many_stages_follow_parabolic_equations() -> Result {
    // Heat in a rod with 60 cells, whose largest eigenvalue is about -14,884.
    let n = 60usize;
    let heat = move |_: Var, u: Var| {
        let dx = 1.0 / (n as f64 + 1.0);
        let none = zeros([1]);
        let u = concat([none, u, none], 0);
        (u.slice_axis(0, 2..) - 2.0 * u.slice_axis(0, 1..n + 1) + u.slice_axis(0, ..-2)) / (dx * dx)
    };
    let u0: Vec<f64> = (1..=n)
        .map(|i| (std::f64::consts::PI * i as f64 / (n as f64 + 1.0)).sin())
        .collect();
    // The decay of the discrete equation's sine.
    let half = std::f64::consts::FRAC_PI_2 / (n as f64 + 1.0);
    let rate = 4.0 * (n as f64 + 1.0).powi(2) * half.sin().powi(2);
    for method in [Rkc::new(), Rkc::bounded(14_884.0)] {
        let ode = Ode::new(method).rtol(1e-5).atol(1e-7);
        let s = jit(move |u: Var| ode.solve(heat, u, 0.0, 0.2))
            .call(&u0)?
            .ok()?;
        let y = s.y.to_vec::<f64>()?;
        assert!(
            (y[30] - u0[30] * (-0.2 * rate).exp()).abs() < 1e-4,
            "{method:?}"
        );
        assert!(s.evaluations.item::<i64>()? < 2000, "{}", s.evaluations);
    }
    let slope = move |u: Var| {
        let ode = Ode::new(Rkc::bounded(14_884.0)).rtol(1e-6).atol(1e-8);
        ode.solve(heat, u, 0.0, 0.05).y.at(30)
    };
    let g = jit(grad(slope)).call(&u0)?.to_vec::<f64>()?;
    // The equation is linear, so that the value is the product of the gradient and the start.
    let value: f64 = g.iter().zip(&u0).map(|(g, u)| g * u).sum();
    assert!(
        (value - u0[30] * (-0.05 * rate).exp()).abs() < 1e-5,
        "{value}"
    );
    Ok(())
}

#[test]
fn symplectic_methods_have_their_orders_and_keep_the_energy() -> Result {
    let kepler = |q: [Var; 2]| {
        let r = (q[0].square() + q[1].square()).sqrt();
        q.map(|q| -q / (r * r * r))
    };
    // An orbit of eccentricity 0.3, which closes after 2π.
    let energy = |[x, y, u, v]: [f64; 4]| 0.5 * (u * u + v * v) - 1.0 / x.hypot(y);
    let orbit = move |method: Symplectic, steps: usize, turns: f64| -> Result<[f64; 4]> {
        let f = jit(move |v: Var| {
            let (q, p) = ([Var::from(0.7), 0.0.into()], [Var::from(0.0), v]);
            let time = 2.0 * std::f64::consts::PI * turns;
            method.solve(|p: [Var; 2]| p, kepler, q, p, time, steps)
        });
        let s = f.call((1.3f64 / 0.7).sqrt())?.ok()?;
        let ([x, y], [u, v]) = s.y;
        Ok([x.item()?, y.item()?, u.item()?, v.item()?])
    };
    for (method, order, n) in [
        (Symplectic::verlet(), 2.0, 400),
        (Symplectic::yoshida4(), 4.0, 400),
        (Symplectic::yoshida6(), 6.0, 150),
    ] {
        let error = |n| -> Result<f64> {
            let [x, y, ..] = orbit(method, n, 1.0)?;
            Ok((x - 0.7).hypot(y))
        };
        let found = (error(n)? / error(2 * n)?).log2();
        assert!((found - order).abs() < 0.5, "{method:?}: {found}");
        // The error of the energy is that of one turn after 50 of them.
        let start = energy([0.7, 0.0, 0.0, (1.3f64 / 0.7).sqrt()]);
        let drift = |turns: usize| -> Result<f64> {
            Ok((energy(orbit(method, 200 * turns, turns as f64 + 0.25)?) - start).abs())
        };
        assert!(
            drift(50)? < 5.0 * drift(1)? + 1e-12,
            "{method:?}: {}",
            drift(50)?
        );
    }
    let g = jit(grad(move |q: Var| {
        let s =
            Symplectic::yoshida4()
                .checkpoints(8)
                .solve(|p: Var| p, |q: Var| -q, q, 0.0, 2.0, 50);
        s.y.0
    }));
    assert!((g.call(1.0)?.item::<f64>()? - 2f64.cos()).abs() < 1e-6);
    let s = jit(|q: Var| Symplectic::verlet().sample(|p: Var| p, |q: Var| -q, q, 0.0, 3.0, 3, 100))
        .call(1.0)?
        .ok()?;
    for (t, q) in s.t.to_vec::<f64>()?.iter().zip(s.y.0.to_vec::<f64>()?) {
        assert!((q - t.cos()).abs() < 1e-4, "{t}");
    }
    Ok(())
}

#[test]
fn the_energy_of_symplectic_methods_does_not_drift_over_a_million_steps() -> Result {
    // Two planets' orbits in one, of eccentricity 0.3: about 16,000 rounds. The largest error of the energy in each of 50 parts.
    const PARTS: i64 = 50;
    const STEPS: usize = 20_000;
    const H: f64 = 0.1;
    let energy = |q: Var, p: Var| 0.5 * p.dot(p) - 1.0 / q.dot(q).sqrt();
    let force = |q: Var| -q / q.dot(q).powf(1.5);
    let start = || {
        (
            Var::from([0.7, 0.0]),
            Var::from([0.0, (1.3f64 / 0.7).sqrt()]),
        )
    };
    let drift = move |step: &dyn Fn((Var, Var)) -> (Var, Var)| {
        let (q, p) = start();
        let first = energy(q, p);
        let (_, errors) = scan((q, p), 0..PARTS, |y, _| {
            let zero = zeros_like(first);
            let (y, most) = fori(0..STEPS, (y, zero), |_, (y, most): ((Var, Var), Var)| {
                let (q, p) = step(y);
                let error = ((energy(q, p) - first) / first).abs();
                ((q, p), most.maximum(error))
            });
            (y, most)
        });
        errors
    };
    let parts = |errors: Array| -> Result<[f64; 2]> {
        let all = errors.to_vec::<f64>()?;
        let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        Ok([most(&all[..10]), most(&all[40..])])
    };
    for (name, method, most) in [
        ("Verlet", Symplectic::verlet(), 2e-2),
        ("Yoshida 4", Symplectic::yoshida4(), 2e-3),
        ("Yoshida 6", Symplectic::yoshida6(), 1e-4),
    ] {
        let f = jit(move |()| drift(&move |(q, p)| method.solve(|p: Var| p, force, q, p, H, 1).y));
        let [early, late] = parts(f.call(())?)?;
        println!(
            "{name}: {early:.2e} in the first fifth of a million steps, {late:.2e} in the last"
        );
        assert!(early < most && late < 1.2 * early, "{name}: {early} {late}");
    }
    // Those of a method that is not symplectic add up.
    let f = jit(move |()| {
        drift(&move |(q, p)| {
            let rate = |_: Var, (q, p): (Var, Var)| (p, force(q));
            Ode::new(Rk4).fixed(1).solve(rate, (q, p), 0.0, H).y
        })
    });
    let [early, late] = parts(f.call(())?)?;
    println!("Rk4: {early:.2e} and {late:.2e}");
    assert!(late > 3.0 * early, "{early} {late}");
    Ok(())
}
