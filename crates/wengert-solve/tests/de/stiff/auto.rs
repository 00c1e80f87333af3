//! The method that is explicit where nothing is stiff.

use wengert::prelude::*;
use wengert_solve::de::{Auto, Ode, Rodas5P, Solution, Tsit5};

use super::*;

#[test]
fn what_is_not_stiff_is_explicit() -> Result {
    let swing =
        |method: Auto| Ode::new(method).solve(van_der_pol(1.0.into()), [2.0, 0.0], 0.0, 20.0);
    let a: Solution<[Array; 2], Array> = jit(move |()| swing(Auto::new())).call(())?.ok()?;
    let explicit = |()| {
        let f = van_der_pol(1.0.into());
        let f = move |t: Var, y: Var| {
            let [x, v] = f(t, [y.at(0), y.at(1)]);
            stack([x, v])
        };
        Ode::new(Tsit5).solve(f, Var::from([2.0, 0.0]), 0.0, 20.0)
    };
    let b = jit(explicit).call(())?.ok()?;
    assert_eq!(a.steps.item::<i64>()?, b.steps.item::<i64>()?);
    let y = b.y.to_vec::<f64>()?;
    for (a, y) in a.y.iter().zip(y) {
        assert!((a.item::<f64>()? - y).abs() < 1e-12);
    }
    Ok(())
}

#[test]
fn what_is_stiff_becomes_implicit_and_explicit_again() -> Result {
    let mu = 1000.0;
    let ode = Ode::new(Auto::new()).rtol(1e-7).atol(1e-7);
    let s = jit(move |mu: Var| ode.solve(van_der_pol(mu), [2.0, 0.0], 0.0, 2000.0));
    let s = s.call(mu)?.ok()?;
    assert!((s.y[0].item::<f64>()? - 1.706167732170483).abs() < 1e-4);
    let steps = s.steps.item::<i64>()?;
    // Stability alone asks explicit steps for more than a million.
    assert!(steps < 5000, "{steps}");
    let ode = Ode::new(Rodas5P::new()).rtol(1e-7).atol(1e-7);
    let all = jit(move |mu: Var| ode.solve(van_der_pol(mu), [2.0, 0.0], 0.0, 2000.0));
    let all = all.call(mu)?.ok()?;
    // An implicit step evaluates the rate nine times here, and an explicit one six times.
    let evaluations = s.evaluations.item::<i64>()?;
    let tried = steps + s.rejected.item::<i64>()?;
    println!(
        "{steps} {tried} {evaluations} {} {}",
        all.steps, all.evaluations
    );
    assert!(evaluations > 6 * tried + 3 * tried / 10, "implicit steps");
    assert!(evaluations < 9 * tried - 3 * tried / 20, "explicit steps");
    Ok(())
}

#[test]
fn lanes_choose_for_themselves() -> Result {
    let solve = |mu: Var| {
        let ode = Ode::new(Auto::new()).max_steps(5000);
        ode.solve(van_der_pol(mu), [2.0, 0.0], 0.0, 30.0)
    };
    let mu = [0.1, 1.0, f64::NAN, 20.0, 100.0, 1000.0, 3.0, 300.0, 10.0];
    let all = jit(vmap(solve)).call(mu)?;
    let alone = jit(solve);
    for (i, mu) in mu.into_iter().enumerate() {
        let one: Solution<[Array; 2], Array> = alone.call(mu)?;
        for (a, b) in [
            (&all.y[0], &one.y[0]),
            (&all.y[1], &one.y[1]),
            (&all.t, &one.t),
        ] {
            let (a, b) = (a.to_vec::<f64>()?[i], b.item::<f64>()?);
            assert_eq!(a.to_bits(), b.to_bits(), "{i}: {a} {b}");
        }
        assert_eq!(all.statuses()?[i], one.statuses()?[0]);
        assert_eq!(one.statuses()?[0].is_converged(), i != 2);
    }
    Ok(())
}

#[test]
fn derivatives_and_times_between_are_those_of_the_solution() -> Result {
    let times = [0.5f64, 1.0, 1.7, 2.0];
    let ode = Ode::new(Auto::new()).rtol(1e-8).atol(1e-8);
    // z' = -a z² y beside y = cos t, which is stiff.
    let f = move |a: Var| {
        let rate = move |t: Var, [y, z]: [Var; 2]| [-1e4 * (y - t.cos()) - t.sin(), -a * z * z * y];
        ode.sample(rate, [1.0, 1.0], 0.0, Array::from(times)).y[1]
    };
    let z = jit(f).call(0.7)?.to_vec::<f64>()?;
    let reverse = jit(jacrev(f)).call(0.7)?.to_vec::<f64>()?;
    let forward = jit(jacfwd(f)).call(0.7)?.to_vec::<f64>()?;
    for (i, t) in times.iter().enumerate() {
        let want = 1.0 / (1.0 + 0.7 * t.sin());
        assert!((z[i] - want).abs() < 1e-6, "{t} {} {want}", z[i]);
        let want = -t.sin() * want * want;
        assert!(
            (reverse[i] - want).abs() < 1e-5,
            "{t} {} {want}",
            reverse[i]
        );
        assert!((reverse[i] - forward[i]).abs() < 1e-9);
    }
    Ok(())
}
