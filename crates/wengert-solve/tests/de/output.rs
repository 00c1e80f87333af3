//! What an integration returns: times, steps, a function of time.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{
    Adjoint, Bdf, Dde, Dense, DormandPrince8, Event, Heun, Kvaerno5, Method, Ode, Rkc, Rodas5P,
    Tsit5, Vern7,
};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[test]
fn rows_after_a_failure_are_nan_in_its_lane_alone() -> Result {
    // It blows up at 1 / y.
    let times = [0.0, 0.4, 0.8, 1.2];
    let f = jit(vmap(move |y: Var| {
        Ode::new(Tsit5).sample(|_, y: Var| y * y, y, 0.0, Array::from(times))
    }));
    let s = f.call([0.5, 1.0, 2.0])?;
    let rows = s.y.to_vec::<f64>()?;
    let found = s.statuses()?;
    for (lane, y0) in [0.5, 1.0, 2.0].into_iter().enumerate() {
        for (i, t) in times.iter().enumerate() {
            let y = rows[lane * 4 + i];
            match y0 * t < 1.0 {
                true => assert!(
                    (y - y0 / (1.0 - y0 * t)).abs() < 1e-3 * y.abs(),
                    "{y0} {t} {y}"
                ),
                false => assert!(y.is_nan(), "{y0} {t} {y}"),
            }
        }
        assert_eq!(found[lane] == Status::Finished, y0 * 1.2 < 1.0, "{y0}");
    }
    Ok(())
}

#[test]
fn all_steps_are_rows() -> Result {
    let ode = Ode::new(Tsit5).rtol(1e-8);
    let f = move |y: Var| {
        ode.steps(
            |_, (y, z): (Var, Var)| (-y, z),
            (y, ones([2])),
            0.0,
            2.0,
            60,
        )
    };
    let s = jit(f).call(1.0)?.ok()?;
    let n = s.steps.item::<i64>()? as usize;
    let (t, y) = (s.t.to_vec::<f64>()?, s.y.0.to_vec::<f64>()?);
    assert_eq!((t.len(), t[0], t[n]), (61, 0.0, 2.0));
    assert_eq!(s.y.1.shape(), [61, 2]);
    for i in 0..=n {
        assert!((y[i] - (-t[i]).exp()).abs() < 1e-7);
        assert!(i == 0 || t[i] > t[i - 1]);
    }
    assert!(t[n + 1..].iter().chain(&y[n + 1..]).all(|x| x.is_nan()));
    // Alone, the last row is what `solve` gives.
    let end =
        jit(move |y: Var| ode.solve(|_, (y, z): (Var, Var)| (-y, z), (y, ones([2])), 0.0, 2.0));
    assert_eq!(end.call(1.0)?.y.0.item::<f64>()?.to_bits(), y[n].to_bits());
    // Its derivative, and that in lanes.
    let row = move |y: Var| f(y).y.0.at(3);
    assert!((jit(grad(row)).call(1.0)?.item::<f64>()? - y[3]).abs() < 1e-9);
    let few = jit(vmap(move |k: Var| {
        ode.steps(|_, y: Var| -k * y, 1.0, 0.0, 2.0, 12)
    }));
    let s = few.call([0.1, 50.0])?;
    assert_eq!(s.statuses()?, [Status::Finished, Status::StepLimit]);
    let fixed = jit(|y: Var| {
        Ode::new(Heun)
            .fixed(4)
            .steps(|_, y: Var| -y, y, 0.0, 2.0, 4)
    });
    assert_eq!(
        fixed.call(1.0)?.ok()?.t.to_vec::<f64>()?,
        [0.0, 0.5, 1.0, 1.5, 2.0]
    );
    Ok(())
}

#[test]
fn a_solution_is_a_function_of_time() -> Result {
    fn check<M: wengert_solve::de::Method + Send + Sync + 'static>(method: M, most: f64) -> Result {
        let ode = Ode::new(method).rtol(1e-9).atol(1e-9);
        let solve = move |(a, t0, t1): (Var, Var, Var)| {
            ode.dense(
                move |t, y: Var| a * y * t.cos(),
                (a * t0.sin()).exp(),
                t0,
                t1,
                100,
            )
        };
        let at = jit(|(d, times): (Dense<Var>, Var)| vmap(|t: Var| d.at(t))(times));
        for (t0, t1) in [(0.0, 3.0), (3.0, 0.0)] {
            let d = jit(solve).call((1.5, t0, t1))?.ok()?;
            let times: Vec<f64> = (0..=30).map(|i| 0.1 * f64::from(i)).collect();
            let y = at.call((d.clone(), &times))?.to_vec::<f64>()?;
            for (t, y) in times.iter().zip(y) {
                assert!(
                    (y - (1.5 * t.sin()).exp()).abs() < most,
                    "{} {t} {y}",
                    M::NAME
                );
            }
            let y = at.call((d, &[-0.01, 3.01][..]))?.to_vec::<f64>()?;
            assert!(y.iter().all(|y| y.is_nan()));
        }
        // Derivatives by what the solution depends on, by time, and mixed.
        let value = move |(a, t): (Var, Var)| solve((a, 0.0.into(), 3.0.into())).at(t);
        let (da, dt) = jit(grad(value)).call((1.5, 1.1))?;
        let y = f64::exp(1.5 * f64::sin(1.1));
        assert!((da.item::<f64>()? - y * f64::sin(1.1)).abs() < 100.0 * most);
        assert!((dt.item::<f64>()? - y * 1.5 * f64::cos(1.1)).abs() < 100.0 * most);
        Ok(())
    }
    check(Tsit5, 1e-7)?;
    check(Vern7, 1e-7)?;
    check(DormandPrince8, 1e-7)
}

#[test]
fn an_empty_span_has_its_state() -> Result {
    let d = jit(|y: Var| {
        let d = Ode::new(Tsit5).dense(|_, y: Var| -y, y, 1.0, 1.0, 3);
        (d.at(1.0), d.status)
    });
    let (y, status) = d.call(2.0)?;
    assert_eq!(
        (y.item::<f64>()?, status.item::<i64>()?),
        (2.0, Status::Finished.code())
    );
    let s = jit(|y: Var| Ode::new(Tsit5).steps(|_, y: Var| -y, y, 1.0, 1.0, 3))
        .call(2.0)?
        .ok()?;
    assert_eq!(s.t.to_vec::<f64>()?[0], 1.0);
    Ok(())
}

#[test]
fn nothing_is_evaluated_beyond_the_last_time() -> Result {
    // The rate is NaN after t = 1.
    let f = |t: Var, y: Var| t.gt(1.0).select(f64::NAN, -y);
    let s = jit(move |y: Var| Ode::new(DormandPrince8).sample(f, y, 0.0, Array::from([0.3, 1.0])))
        .call(1.0)?
        .ok()?;
    assert!((s.y.to_vec::<f64>()?[1] - (-1f64).exp()).abs() < 1e-6);
    Ok(())
}

#[test]
fn stiff_methods_are_functions_of_time_too() -> Result {
    use wengert_solve::de::{Auto, Bdf, Kvaerno5, Method, Rodas5P};
    fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
        let f = jit(move |y: Var| {
            let ode = Ode::new(method).rtol(1e-7);
            let d = ode.dense(|_, y: Var| -y, y, 0.0, 1.0, 200);
            (d.at(0.5), d.status)
        });
        let (y, status) = f.call(1.0)?;
        assert_eq!(
            status.item::<i64>()?,
            Status::Finished.code(),
            "{}",
            M::NAME
        );
        let error = (y.item::<f64>()? - f64::exp(-0.5)).abs();
        assert!(error < 1e-5, "{}: {error}", M::NAME);
        Ok(())
    }
    check(Auto::default())?;
    check(Bdf::default())?;
    check(Kvaerno5::default())?;
    check(Rodas5P::default())
}

#[test]
fn times_that_go_back_are_not_met() -> Result {
    let f = |_: Var, y: Var| -y;
    let late = |_t: Var, y: Var, _past: Vec<Var>| -y;
    let all = move |times: Var| {
        let ode = |adjoint| Ode::new(Tsit5).adjoint(adjoint).sample(f, 1.0, 0.0, times);
        let events = [Event::new(|t: Var, _: Var| t - 9.0)];
        [
            ode(Adjoint::Steps).status,
            ode(Adjoint::Backsolve).status,
            Ode::new(Tsit5).fixed(4).sample(f, 1.0, 0.0, times).status,
            Ode::new(Tsit5)
                .events(events)
                .sample(f, 1.0, 0.0, times)
                .0
                .status,
            Dde::new(Tsit5)
                .sample(late, [1.0], |_| Var::from(1.0), 0.0, times)
                .status,
        ]
    };
    let all = jit(all);
    let nan = f64::NAN;
    for times in [[-1.0, 0.0, 0.0, 1.0], [0.5, 0.5, 1.0, 1.0]] {
        for status in all.call(times)? {
            assert_eq!(status.item::<i64>()?, Status::Finished.code(), "{times:?}");
        }
    }
    for times in [
        [0.5, 2.0, 1.0, 2.0],
        [0.5, nan, 1.0, 2.0],
        [-1.0, 0.5, -0.5, 2.0],
    ] {
        for status in all.call(times)? {
            assert_eq!(
                status.item::<i64>()?,
                Status::Infeasible.code(),
                "{times:?}"
            );
        }
    }
    // A row before the first time that goes back is what it is.
    let rows = jit(move |times: Var| Ode::new(Tsit5).sample(f, 1.0, 0.0, times).y);
    let rows = rows.call([0.5, 2.0, 1.0])?.to_vec::<f64>()?;
    assert!((rows[0] - f64::exp(-0.5)).abs() < 1e-6 && rows[1].is_nan());
    Ok(())
}

#[test]
fn no_steps_are_none() -> Result {
    let f = |_: Var, y: Var| -y;
    let ends = jit(move |y: Var| {
        let s = Ode::new(Tsit5).max_steps(0).solve(f, y, 0.0, 1.0);
        let all = Ode::new(Tsit5).steps(f, y, 0.0, 1.0, 0);
        let dense = Ode::new(Tsit5).dense(f, y, 0.0, 1.0, 0);
        (
            (s.t, s.y, s.steps, s.status),
            (all.t, all.y, all.steps, all.status),
            (dense.at(0.0), dense.status),
        )
    });
    let (s, all, dense) = ends.call(3.0)?;
    let limit = Array::from(Status::StepLimit.code());
    assert_eq!(
        s,
        (
            Array::from(0.0),
            Array::from(3.0),
            Array::from(0i64),
            limit.clone()
        )
    );
    assert_eq!(
        all,
        (
            Array::from([0.0]),
            Array::from([3.0]),
            Array::from(0i64),
            limit.clone()
        )
    );
    assert_eq!(dense, (Array::from(3.0), limit));
    Ok(())
}

#[test]
fn numbers_that_stay_zero_need_no_absolute_tolerance() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
        let f = jit(move |y: Var| {
            let ode = |atol: Var| Ode::new(method).atol(atol).rtol(1e-7);
            let rate = |_: Var, [x, z]: [Var; 2]| [-x, 0.0 * z];
            let solve = |atol: Var| {
                let s = ode(atol).solve(rate, [y, 0.0.into()], 0.0, 1.0);
                (s.y[0], s.status)
            };
            let plain = Ode::new(method)
                .atol(0.0)
                .solve(rate, [y, 0.0.into()], 0.0, 1.0);
            [(plain.y[0], plain.status), solve(zeros([2]))]
        });
        for (y, status) in f.call(1.0)? {
            assert_eq!(
                status.item::<i64>()?,
                Status::Finished.code(),
                "{}",
                M::NAME
            );
            assert!(
                (y.item::<f64>()? - f64::exp(-1.0)).abs() < 1e-4,
                "{}: {y}",
                M::NAME
            );
        }
        Ok(())
    }
    check(Tsit5)?;
    check(DormandPrince8)?;
    check(Rkc::new())?;
    check(Rodas5P::new())?;
    check(Kvaerno5::new())?;
    check(Bdf::new())
}
