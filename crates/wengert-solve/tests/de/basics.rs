//! What all integrations promise: accuracy, derivatives, lanes, statuses, errors.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{
    BogackiShampine, DormandPrince5, Euler, Heun, Method, Ode, Rk4, Rodas5P, Solution, Tsit5,
};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// `y' = a y cos t`, whose solution is `y₀ exp(a sin t)`.
fn waves(a: Var) -> impl Fn(Var, Var) -> Var {
    move |t, y| a * y * t.cos()
}

#[test]
fn errors_follow_the_tolerance() -> Result {
    fn error<M: Method + Send + Sync + 'static>(method: M, tolerance: f64) -> Result<f64> {
        let ode = Ode::new(method).rtol(tolerance).atol(tolerance);
        let s = jit(move |a: Var| ode.solve(waves(a), 1.0, 0.0, 3.0))
            .call(2.0)?
            .ok()?;
        Ok((s.y.item::<f64>()? - (2.0 * 3f64.sin()).exp()).abs())
    }
    for tolerance in [1e-4, 1e-6, 1e-8] {
        for e in [
            error(Tsit5, tolerance)?,
            error(DormandPrince5, tolerance)?,
            error(BogackiShampine, tolerance)?,
            error(Heun, tolerance)?,
        ] {
            assert!(e < 30.0 * tolerance, "{e} for {tolerance}");
        }
    }
    Ok(())
}

#[test]
fn fixed_steps_have_their_order() -> Result {
    fn order<M: Method + Send + Sync + 'static>(method: M) -> Result<f64> {
        let error = |n: usize| -> Result<f64> {
            let ode = Ode::new(method).fixed(n);
            let s = jit(move |a: Var| ode.solve(waves(a), 1.0, 0.0, 2.0))
                .call(1.0)?
                .ok()?;
            assert_eq!(s.steps.item::<i64>()?, n as i64);
            Ok((s.y.item::<f64>()? - 2f64.sin().exp()).abs())
        };
        Ok((error(20)? / error(40)?).log2())
    }
    for (found, order) in [
        (order(Euler)?, 1.0),
        (order(Heun)?, 2.0),
        (order(BogackiShampine)?, 3.0),
        (order(Rk4)?, 4.0),
        (order(DormandPrince5)?, 5.0),
        (order(Tsit5)?, 5.0),
    ] {
        assert!(
            found > order - 0.3 && found < order + 0.7,
            "{found} for {order}"
        );
    }
    Ok(())
}

#[test]
fn times_between_steps_are_as_accurate() -> Result {
    let times: Vec<f64> = (0..=30).map(|i| 0.1 * i as f64).collect();
    let ode = Ode::new(Tsit5).rtol(1e-9).atol(1e-9);
    let f = jit(move |(a, times): (Var, Var)| ode.sample(waves(a), 1.0, 0.0, times));
    let s = f.call((2.0, &times))?.ok()?;
    for (t, y) in times.iter().zip(s.y.to_vec::<f64>()?) {
        assert!((y - (2.0 * t.sin()).exp()).abs() < 1e-7, "{t}");
    }
    // Backwards from the end, with the same values.
    let back: Vec<f64> = times.iter().rev().copied().collect();
    let f = jit(move |(y, times): (Var, Var)| ode.sample(waves(Var::from(2.0)), y, 3.0, times));
    let s = f.call(((2.0 * 3f64.sin()).exp(), &back))?.ok()?;
    for (t, y) in back.iter().zip(s.y.to_vec::<f64>()?) {
        assert!((y - (2.0 * t.sin()).exp()).abs() < 1e-7, "{t}");
    }
    Ok(())
}

#[test]
fn derivatives_are_those_of_the_solution() -> Result {
    let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
    let f = move |(a, y0, t0, t1): (Var, Var, Var, Var)| ode.solve(waves(a), y0, t0, t1).y;
    let (a, y0, t0, t1) = (0.7, 1.3, 0.2, 2.0);
    let y = y0 * (a * (f64::sin(t1) - f64::sin(t0))).exp();
    let want = [
        y * (t1.sin() - t0.sin()),
        y / y0,
        -y * a * t0.cos(),
        y * a * t1.cos(),
    ];
    let (da, dy, d0, d1) = jit(grad(f)).call((a, y0, t0, t1))?;
    for (got, want) in [da, dy, d0, d1].iter().zip(want) {
        assert!((got.item::<f64>()? - want).abs() < 1e-7, "{got} {want}");
    }
    let forward = move |a: Var| {
        jvp(
            |a| f((a, 1.3.into(), 0.2.into(), 2.0.into())),
            a,
            Var::from(1.0),
        )
        .1
    };
    assert!((jit(forward).call(a)?.item::<f64>()? - want[0]).abs() < 1e-7);
    let second = move |a: Var| f((a, 1.3.into(), 0.2.into(), 2.0.into()));
    let got = jit(grad(grad(second))).call(a)?.item::<f64>()?;
    assert!((got - want[0] * (t1.sin() - t0.sin())).abs() < 1e-6);
    Ok(())
}

#[test]
fn derivatives_at_times_are_those_of_the_solution() -> Result {
    let times = [0.3f64, 0.9, 1.0, 1.7, 2.0];
    let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
    let f = move |a: Var| {
        ode.sample(
            |t, (y, z): (Var, Var)| (a * y * t.cos(), -z),
            (1.0, 2.0),
            0.0,
            Array::from(times),
        )
        .y
        .0
    };
    let forward = jit(jacfwd(f)).call(0.7)?.to_vec::<f64>()?;
    let reverse = jit(jacrev(f)).call(0.7)?.to_vec::<f64>()?;
    for ((t, a), b) in times.iter().zip(forward).zip(reverse) {
        let want = t.sin() * (0.7 * t.sin()).exp();
        assert!(
            (a - want).abs() < 1e-7 && (b - want).abs() < 1e-7,
            "{t} {a} {b} {want}"
        );
    }
    Ok(())
}

#[test]
fn lanes_are_as_alone() -> Result {
    let van_der_pol = |mu: Var| {
        let f = move |_: Var, [x, v]: [Var; 2]| [v, mu * (1.0 - x * x) * v - x];
        Ode::new(Tsit5)
            .max_steps(400)
            .solve(f, [2.0, 0.0], 0.0, 10.0)
    };
    // The tenth takes too many steps, and the eleventh is NaN.
    let mut mu: Vec<f64> = (0..20).map(|i| 0.3 * i as f64).collect();
    mu[10] = 1e3;
    mu[11] = f64::NAN;
    let all = jit(vmap(van_der_pol)).call(&mu)?;
    let alone = jit(van_der_pol);
    let mut seen = vec![];
    for (i, mu) in mu.iter().enumerate() {
        let one: Solution<[Array; 2], Array> = alone.call(*mu)?;
        for (a, b) in [
            (&all.y[0], &one.y[0]),
            (&all.y[1], &one.y[1]),
            (&all.t, &one.t),
        ] {
            assert_eq!(
                a.to_vec::<f64>()?[i].to_bits(),
                b.item::<f64>()?.to_bits(),
                "{i}"
            );
        }
        assert_eq!(all.steps.to_vec::<i64>()?[i], one.steps.item::<i64>()?);
        seen.push(one.statuses()?[0]);
    }
    assert_eq!(all.statuses()?, seen);
    assert_eq!(seen.iter().filter(|s| **s == Status::Finished).count(), 18);
    assert_eq!((seen[10], seen[11]), (Status::StepLimit, Status::NotFinite));
    Ok(())
}

#[test]
fn what_cannot_be_integrated_says_why() -> Result {
    let ode = Ode::new(Tsit5);
    // It blows up at t = 1.
    let s = jit(move |y: Var| ode.solve(|_, y: Var| y * y, y, 0.0, 2.0)).call(1.0)?;
    assert!(
        [Status::StepTooSmall, Status::NotFinite].contains(&s.statuses()?[0]),
        "{:?}",
        s.statuses()?
    );
    assert!((s.t.item::<f64>()? - 1.0).abs() < 1e-6);
    let s = jit(move |y: Var| ode.solve(|_, y: Var| -y, y, 0.0, 1.0)).call(f64::NAN)?;
    assert_eq!(s.statuses()?, [Status::StartNotFinite]);
    let s = jit(move |y: Var| ode.solve(|_, y: Var| -y, y, 0.0, 0.0))
        .call(2.0)?
        .ok()?;
    assert_eq!((s.y.item::<f64>()?, s.steps.item::<i64>()?), (2.0, 0));
    let s = jit(move |y: Var| ode.solve(|_, y: Var| -y, y, 0.0, f64::INFINITY)).call(2.0)?;
    assert_eq!(s.statuses()?, [Status::StartNotFinite]);
    Ok(())
}

#[test]
fn steps_are_as_short_as_time_resolves() -> Result {
    // What happens at the start is over in a part of 1e-21 of the span.
    let ode = Ode::new(Rodas5P::new()).rtol(1e-6).atol(1e-9);
    let fast = move |y: Var| ode.solve(|_, y: Var| 1e15 * (1.0 - y), y, 0.0, 1e6);
    let s = jit(fast).call(5.0)?.ok()?;
    assert!((s.y.item::<f64>()? - 1.0).abs() < 1e-6);
    // Steps of 1e-3 do not move a time whose neighbours are 2 apart.
    let ode = Ode::new(Tsit5);
    let late = move |y: Var| ode.solve(|_, y: Var| -1e3 * y, y, 1e16, 1e16 + 1000.0);
    let s = jit(late).call(1.0)?;
    assert_eq!(s.statuses()?, [Status::StepTooSmall]);
    assert!(s.steps.item::<i64>()? < 100);
    Ok(())
}

#[test]
fn mistakes_are_errors_at_the_users_line() {
    let ode = Ode::new(Tsit5);
    let message = |e: wengert::Error| e.to_string();
    let e = jit(move |y: Var| ode.solve(|_, y: Var| y.slice_axis(0, 0..1), y, 0.0, 1.0).y)
        .call([1.0, 2.0]);
    let e = message(e.unwrap_err());
    assert!(
        e.starts_with("ode: the state has f64[2], and its rate has f64[1], at "),
        "{e}"
    );
    assert!(e.contains("basics.rs"), "{e}");
    let e = message(
        jit(move |y: Var| ode.solve(|_, y| y, y, 0.0, 1.0).y)
            .call(1i64)
            .unwrap_err(),
    );
    assert!(
        e.starts_with("ode: the state is i64, and must be of floats"),
        "{e}"
    );
    let e = message(
        jit(|y: Var| Ode::new(Rk4).solve(|_, y| y, y, 0.0, 1.0).y)
            .call(1.0)
            .unwrap_err(),
    );
    assert!(
        e.starts_with("ode: Rk4 does not estimate errors; give `fixed(steps)`, at "),
        "{e}"
    );
    let e = message(
        jit(move |y: Var| ode.sample(|_, y| y, y, 0.0, 1.0).y)
            .call(1.0)
            .unwrap_err(),
    );
    assert!(
        e.starts_with("ode: the times are f64, and must be a vector"),
        "{e}"
    );
}

#[test]
fn narrow_floats_stay_narrow() -> Result {
    let ode = Ode::new(Tsit5).rtol(1e-4).atol(1e-6);
    let s = jit(move |y: Var| ode.solve(|t, y: Var| -y * t, y, 0.0, 1.0))
        .call(1f32)?
        .ok()?;
    assert_eq!((s.y.dtype(), s.t.dtype()), (DType::F32, DType::F32));
    assert!((s.y.item::<f32>()? - (-0.5f32).exp()).abs() < 1e-4);
    Ok(())
}
