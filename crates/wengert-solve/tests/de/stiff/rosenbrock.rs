//! What methods for stiff equations promise on small problems: orders, accuracy, derivatives, lanes.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{
    Bdf, KenCarp3, KenCarp4, Kvaerno3, Kvaerno5, Method, Ode, Rodas4, Rodas5P, Ros3P, Solution,
    TrBdf2,
};

use super::*;

#[test]
fn fixed_steps_have_their_order() -> Result {
    for (found, least) in [
        (order(TrBdf2::new(), 40)?, 2.0),
        (order(Ros3P::new(), 20)?, 3.0),
        (order(Rodas4::new(), 20)?, 4.0),
        (order(Rodas5P::new(), 40)?, 5.0),
        (order(Kvaerno3::new(), 40)?, 3.0),
        (order(KenCarp3::new(), 40)?, 3.0),
        (order(KenCarp4::new(), 20)?, 4.0),
        (order(Kvaerno5::new(), 24)?, 5.0),
    ] {
        assert!((found - least).abs() < 0.4, "{found} for {least}");
    }
    Ok(())
}

#[test]
fn errors_follow_the_tolerance() -> Result {
    fn errors<M: Method + Send + Sync + 'static>(method: M, tolerance: f64) -> Result<[f64; 2]> {
        let ode = Ode::new(method).rtol(tolerance).atol(tolerance * 1e-4);
        let f = jit(move |()| {
            (
                ode.solve(hires, Array::from(HIRES_START), 0.0, 321.8122),
                ode.solve(oregonator, [1.0, 2.0, 3.0], 0.0, 360.0),
            )
        });
        let (plant, brew) = f.call(())?;
        let plant = deviation(&plant.ok()?.y.to_vec::<f64>()?, &HIRES_END, 1e-4);
        let y = brew.ok()?.y;
        let y = [
            y[0].item::<f64>()?,
            y[1].item::<f64>()?,
            y[2].item::<f64>()?,
        ];
        let end = [
            0.1000814870318523e1,
            0.1228178521549917e4,
            0.1320554942846706e3,
        ];
        Ok([plant, deviation(&y, &end, 1.0)])
    }
    for tolerance in [1e-5, 1e-7] {
        // Backward differences bound the error of a step alone, and lose more over many steps, as SciPy's do.
        for (name, all, times) in [
            ("Rodas4", errors(Rodas4::new(), tolerance)?, 30.0),
            ("Rodas5P", errors(Rodas5P::new(), tolerance)?, 30.0),
            ("Kvaerno5", errors(Kvaerno5::new(), tolerance)?, 30.0),
            ("Bdf", errors(Bdf::new(), tolerance)?, 300.0),
        ] {
            println!("{name} {tolerance} {all:?}");
            for e in all {
                assert!(e < times * tolerance, "{name}: {e} for {tolerance}");
            }
        }
    }
    // Of order 2, it takes so many steps that errors below the tolerance add up.
    let coarse = errors(TrBdf2::new(), 1e-5)?;
    println!("TrBdf2 1e-5 {coarse:?}");
    for e in coarse {
        assert!(e < 1e3 * 1e-5, "TrBdf2: {e}");
    }
    Ok(())
}

#[test]
fn times_between_steps_are_as_accurate() -> Result {
    fn worst<M: Method + Send + Sync + 'static>(method: M) -> Result<f64> {
        let times: Vec<f64> = (0..=40).map(|i| 0.05 * i as f64).collect();
        let ode = Ode::new(method).rtol(1e-7).atol(1e-7);
        let f = jit(move |(k, times): (Var, Var)| ode.sample(chased(k), [1.0, 1.0], 0.0, times));
        let s = f.call((1e3, &times))?.ok()?;
        let (y, z) = (s.y[0].to_vec::<f64>()?, s.y[1].to_vec::<f64>()?);
        let each = times
            .iter()
            .zip(y)
            .zip(z)
            .map(|((t, y), z)| (y - t.cos()).abs().max((z - 1.0 / (1.0 + t.sin())).abs()));
        Ok(each.fold(0.0, f64::max))
    }
    for (name, worst) in [
        ("Ros3P", worst(Ros3P::new())?),
        ("Rodas4", worst(Rodas4::new())?),
        ("Rodas5P", worst(Rodas5P::new())?),
        ("Kvaerno3", worst(Kvaerno3::new())?),
        ("Bdf", worst(Bdf::new())?),
    ] {
        println!("{name} {worst}");
        assert!(worst < 2e-6, "{name}: {worst}");
    }
    Ok(())
}

#[test]
fn stiff_oscillations_of_any_stiffness() -> Result {
    fn end<M: Method + Send + Sync + 'static>(method: M) -> Result<[f64; 2]> {
        let ode = Ode::new(method).rtol(1e-8).atol(1e-8);
        let f = jit(move |mu: Var| ode.solve(van_der_pol(mu), [2.0, 0.0], 0.0, 2000.0));
        let s = f.call(1000.0)?.ok()?;
        Ok([s.y[0].item()?, s.y[1].item()?])
    }
    for y in [
        end(Rodas4::new())?,
        end(Rodas5P::new())?,
        end(Kvaerno5::new())?,
        end(Bdf::new())?,
    ] {
        assert!((y[0] - 1.706167732170483).abs() < 1e-5, "{y:?}");
        assert!((y[1] + 0.8928097010247975e-3).abs() < 1e-8, "{y:?}");
    }
    Ok(())
}

/// The amount of a substance at a time, by the logarithms of the rates.
fn amount<M: Method + Send + Sync + 'static>(
    method: M,
    tolerance: f64,
) -> impl Fn([Var; 3]) -> Var + Clone + Send + Sync {
    move |k: [Var; 3]| {
        let ode = Ode::new(method).rtol(tolerance).atol(tolerance * 1e-4);
        let rates = k.map(|k| k.exp());
        ode.solve(robertson(rates), [1.0, 0.0, 0.0], 0.0, 40.0).y[0]
    }
}

#[test]
fn derivatives_are_those_of_the_solution() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M, tolerance: f64, near: f64) -> Result {
        let f = amount(method, tolerance);
        let k = [0.04f64.ln(), 3e7f64.ln(), 1e4f64.ln()];
        let reverse = jit(grad(f.clone())).call(k)?;
        let forward = {
            let f = f.clone();
            jit(move |k: [Var; 3]| {
                let along = |i: usize| {
                    let dk = std::array::from_fn(|j| Var::from(f64::from(i == j)));
                    jvp(&f, k, dk).1
                };
                [along(0), along(1), along(2)]
            })
            .call(k)?
        };
        // Differences of a solution that is as accurate as can be.
        let exact = jit(amount(Rodas5P::new(), 1e-12));
        for i in 0..3 {
            let h = 1e-3;
            let at = |d: f64| -> Result<f64> {
                let mut k = k;
                k[i] += d;
                Ok(exact.call(k)?.item()?)
            };
            let slope = (8.0 * (at(h)? - at(-h)?) - (at(2.0 * h)? - at(-2.0 * h)?)) / (12.0 * h);
            let (r, f) = (reverse[i].item::<f64>()?, forward[i].item::<f64>()?);
            assert!((r - f).abs() < 1e-9 * f.abs().max(1e-2), "{r} {f}");
            assert!((r - slope).abs() < near, "{r} {slope}");
        }
        Ok(())
    }
    check(Rodas5P::new(), 1e-9, 1e-7)?;
    check(Kvaerno5::new(), 1e-9, 1e-6)?;
    check(Bdf::new(), 1e-9, 1e-5)
}

#[test]
fn second_derivatives_are_those_of_the_solution() -> Result {
    // The solution of z' = -a z² y with y = cos t is 1 / (1 + a sin t).
    fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
        let ode = Ode::new(method).rtol(1e-8).atol(1e-8);
        let f = move |a: Var| {
            let rate =
                move |t: Var, [y, z]: [Var; 2]| [-50.0 * (y - t.cos()) - t.sin(), -a * z * z * y];
            ode.solve(rate, [1.0, 1.0], 0.0, 1.0).y[1]
        };
        let s = 1f64.sin();
        let got = jit(grad(grad(f))).call(0.7)?.item::<f64>()?;
        let want = 2.0 * s * s / (1.0 + 0.7 * s).powi(3);
        assert!((got - want).abs() < 1e-5, "{got} {want}");
        Ok(())
    }
    check(Rodas4::new())?;
    check(Kvaerno3::new())
}

#[test]
fn lanes_are_as_alone() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
        let solve = move |mu: Var| {
            let ode = Ode::new(method).max_steps(3000);
            ode.solve(van_der_pol(mu), [2.0, 0.0], 0.0, 20.0)
        };
        // The fourth is NaN, and ends alone.
        let mut mu: Vec<f64> = (0..11).map(|i| 1.9f64.powi(i)).collect();
        mu[3] = f64::NAN;
        let all = jit(vmap(solve)).call(&mu)?;
        let alone = jit(solve);
        for (i, mu) in mu.iter().enumerate() {
            let one: Solution<[Array; 2], Array> = alone.call(*mu)?;
            for (a, b) in [(&all.y[0], &one.y[0]), (&all.t, &one.t)] {
                let (a, b) = (a.to_vec::<f64>()?[i], b.item::<f64>()?);
                assert_eq!(a.to_bits(), b.to_bits(), "{}: {i}: {a} {b}", M::NAME);
            }
            assert_eq!(all.steps.to_vec::<i64>()?[i], one.steps.item::<i64>()?);
            let status = all.statuses()?[i];
            assert_eq!(status, one.statuses()?[0]);
            let is_finished = status == Status::Finished;
            assert_eq!(is_finished, i != 3, "{}: {i} {status:?}", M::NAME);
        }
        Ok(())
    }
    check(Rodas4::new())?;
    check(Kvaerno3::new())?;
    check(Bdf::new())
}

#[test]
fn rates_in_two_parts() -> Result {
    let exact = [2f64.cos(), 1.0 / (1.0 + 2f64.sin())];
    fn solve<M: Method + Send + Sync + 'static>(ode: Ode<M>, k: f64) -> Result<[f64; 2]> {
        let f = jit(move |k: Var| {
            let slow = |t: Var, [y, z]: [Var; 2]| [-t.sin(), -z * z * y];
            let fast = move |t: Var, [y, z]: [Var; 2]| [-k * (y - t.cos()), zeros_like(z)];
            ode.solve_split(slow, fast, [1.0, 1.0], 0.0, 2.0)
        });
        let s = f.call(k)?.ok()?;
        Ok([s.y[0].item()?, s.y[1].item()?])
    }
    let error = |n: usize| -> Result<f64> {
        Ok(deviation(
            &solve(
                Ode::new(KenCarp4::new()).rtol(1e-11).atol(1e-11).fixed(n),
                3.0,
            )?,
            &exact,
            1.0,
        ))
    };
    let order = (error(20)? / error(40)?).log2();
    assert!((order - 4.0).abs() < 0.4, "{order}");
    let error = |n: usize| -> Result<f64> {
        Ok(deviation(
            &solve(
                Ode::new(KenCarp3::new()).rtol(1e-11).atol(1e-11).fixed(n),
                3.0,
            )?,
            &exact,
            1.0,
        ))
    };
    let order = (error(20)? / error(40)?).log2();
    assert!((order - 3.0).abs() < 0.4, "{order}");
    let ode = Ode::new(KenCarp4::new()).rtol(1e-7).atol(1e-7);
    assert!(deviation(&solve(ode, 1e5)?, &exact, 1.0) < 1e-5);
    Ok(())
}
