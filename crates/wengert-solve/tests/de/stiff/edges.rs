//! Spans of any direction, narrow floats, and equations that end early.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{Auto, Bdf, Kvaerno3, Method, Ode, Rodas4, Solution};

use super::Result;

fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
    let solve = move |f: fn(Var, Var) -> Var, y: f64, t0: f64, t1: f64| {
        let s: Solution<Array, Array> =
            jit(move |y: Var| Ode::new(method).solve(f, y, t0, t1)).call(y)?;
        Ok::<_, wengert::Error>(s)
    };
    // Backwards, and over no time at all.
    let s = solve(|t, y| -y * t, (-2f64).exp(), 2.0, 0.0)?.ok()?;
    assert!((s.y.item::<f64>()? - 1.0).abs() < 1e-4, "{}", s.y);
    let s = solve(|t, y| -y * t, 0.5, 2.0, 2.0)?.ok()?;
    assert_eq!(s.y.item::<f64>()?, 0.5);
    // It blows up at t = 1; it is not a number from t = 0.5 on; it is none from the start.
    let s = solve(|_, y| y * y, 1.0, 0.0, 2.0)?;
    let status = s.statuses()?[0];
    assert!(
        [Status::StepTooSmall, Status::NotFinite].contains(&status),
        "{status}"
    );
    assert!((s.t.item::<f64>()? - 1.0).abs() < 1e-3);
    let s = solve(|t, y| t.lt(0.5).select(y, f64::NAN), 1.0, 0.0, 2.0)?;
    assert_eq!(s.statuses()?, [Status::NotFinite]);
    assert!((s.t.item::<f64>()? - 0.5).abs() < 1e-9);
    let s = solve(|_, y| -y, f64::NAN, 0.0, 2.0)?;
    assert_eq!(s.statuses()?, [Status::StartNotFinite]);
    // Narrow floats stay narrow.
    let ode = Ode::new(method).rtol(1e-4).atol(1e-5);
    let rate = |_: Var, [x, v]: [Var; 2]| [v, 5.0 * (1.0 - x * x) * v - x];
    let s = jit(move |y: [Var; 2]| ode.solve(rate, y, 0.0, 10.0));
    let s = s.call([2f32, 0f32])?.ok()?;
    assert_eq!((s.y[0].dtype(), s.t.dtype()), (DType::F32, DType::F32));
    let x = s.y[0].item::<f32>()?;
    assert!((x + 1.1586).abs() < 5e-3, "{x}");
    Ok(())
}

#[test]
fn rosenbrock() -> Result {
    check(Rodas4::new())
}

#[test]
fn newton() -> Result {
    check(Kvaerno3::new())
}

#[test]
fn differences() -> Result {
    check(Bdf::new())
}

#[test]
fn switched() -> Result {
    check(Auto::new())
}
