//! Equations with masses, some of which are zero.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{Auto, Bdf, Kvaerno5, Method, Ode, Rodas4, Rodas5P, Tsit5};

use super::*;

/// Carbon dioxide in a liquid: "chemical Akzo Nobel" (the test set for IVP solvers, Bari), with a rate to differentiate by.
fn absorption(k: Var) -> impl Fn(Var, [Var; 6]) -> [Var; 6] {
    move |_, y| {
        let root = y[1].sqrt();
        let r1 = k * y[0].powi(4) * root;
        let r2 = 0.58 * y[2] * y[3];
        let r3 = 0.58 / 34.4 * y[0] * y[4];
        let r4 = 0.09 * y[0] * y[3] * y[3];
        let r5 = 0.42 * y[5] * y[5] * root;
        let inflow = 3.3 * (0.9 / 737.0 - y[1]);
        [
            -2.0 * r1 + r2 - r3 - r4,
            -0.5 * r1 - r4 - 0.5 * r5 + inflow,
            r1 - r2 + r3,
            -r2 + r3 - 2.0 * r4,
            r2 - r3 + r5,
            115.83 * y[0] * y[3] - y[5],
        ]
    }
}

const END: [f64; 6] = [
    0.1150794920661702,
    0.1203831471567715e-2,
    0.1611562887407974,
    0.3656156421249283e-3,
    0.1708010885264404e-1,
    0.4873531310307455e-2,
];

#[test]
fn systems_of_index_one() -> Result {
    fn check<M: Method + Send + Sync + 'static>(method: M) -> Result {
        let f = jit(move |k: Var| {
            let ode = Ode::new(method).rtol(1e-7).atol(1e-10);
            // The last number is found from the others.
            ode.mass([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]).solve(
                absorption(k),
                [0.444, 0.00123, 0.0, 0.007, 0.0, 0.1],
                0.0,
                180.0,
            )
        });
        let s = f.call(18.7)?.ok()?;
        let y: Vec<f64> =
            s.y.iter()
                .map(|y| y.item())
                .collect::<wengert::Result<_>>()?;
        let e = deviation(&y, &END, 1e-3);
        println!("{} {e}", M::NAME);
        assert!(e < 2e-5, "{}: {y:?} {e}", M::NAME);
        Ok(())
    }
    check(Rodas4::new())?;
    check(Rodas5P::new())?;
    check(Kvaerno5::new())?;
    check(Auto::new())?;
    check(Bdf::new())
}

#[test]
fn derivatives_of_systems_of_index_one() -> Result {
    // y' = -a z with z = y², and z(0) found: y = 1 / (1/y0 + a t).
    fn check<M: Method + Send + Sync + 'static>(method: M, near: f64) -> Result {
        let f = move |(a, y0): (Var, Var)| {
            let ode = Ode::new(method).rtol(1e-9).atol(1e-9).mass((1.0, 0.0));
            ode.solve(
                |_, (y, z): (Var, Var)| (-a * z, z - y * y),
                (y0, 3.0),
                0.0,
                2.0,
            )
            .y
        };
        let (y, z) = jit(f).call((0.5, 2.0))?;
        assert!((y.item::<f64>()? - 2.0 / 3.0).abs() < near);
        assert!((z.item::<f64>()? - 4.0 / 9.0).abs() < near);
        let (da, dy) = jit(grad(move |x| f(x).1)).call((0.5, 2.0))?;
        // z = w⁻² with w = 1/y0 + a t.
        let w = 1.5f64;
        assert!((da.item::<f64>()? + 2.0 * w.powi(-3) * 2.0).abs() < 10.0 * near);
        assert!((dy.item::<f64>()? - 2.0 * w.powi(-3) / 4.0).abs() < 10.0 * near);
        Ok(())
    }
    check(Rodas5P::new(), 1e-7)?;
    check(Kvaerno5::new(), 1e-6)
}

#[test]
fn what_has_no_start_says_so() -> Result {
    let ode = |a: Var| {
        let f = move |_: Var, [y, z]: [Var; 2]| [-y, z * z + a];
        Ode::new(Rodas4::new())
            .mass([1.0, 0.0])
            .solve(f, [1.0, 1.0], 0.0, 1.0)
    };
    let s = jit(vmap(ode)).call([1.0, -4.0])?;
    assert_eq!(s.statuses()?, [Status::Infeasible, Status::Finished]);
    assert!((s.y[1].to_vec::<f64>()?[1] - 2.0).abs() < 1e-9);
    Ok(())
}

#[test]
fn mistakes_are_errors_at_the_users_line() {
    let e = jit(|y: Var| Ode::new(Tsit5).mass(1.0).solve(|_, y| y, y, 0.0, 1.0).y).call(1.0);
    let e = e.unwrap_err().to_string();
    assert!(
        e.starts_with("ode: Tsit5 knows no masses; those for stiff equations do, such as Rodas5P"),
        "{e}"
    );
    assert!(e.contains("algebraic.rs"), "{e}");
    let ode = Ode::new(Rodas4::new());
    let e = jit(move |y: Var| ode.mass([1.0, 2.0]).solve(|_, y| y, y, 0.0, 1.0).y).call(1.0);
    let e = e.unwrap_err().to_string();
    assert!(
        e.starts_with("ode: the masses are f64[2], and the state has 1 numbers"),
        "{e}"
    );
    let e = jit(move |y: Var| ode.solve_split(|_, y: Var| y, |_, y| y, y, 0.0, 1.0).y).call(1.0);
    let e = e.unwrap_err().to_string();
    assert!(
        e.starts_with("ode: Rodas4 knows no rates in two parts; KenCarp3 and KenCarp4 do"),
        "{e}"
    );
}

#[test]
fn masses_of_what_switches() -> Result {
    // A light body between springs, first stiff and then not, whose mass is in the masses or in the rates.
    let f = jit(|m: Var| {
        let force = move |t: Var, [x, v]: [Var; 2]| {
            let drag = t.lt(1.0).select(1e3, 0.1);
            [v, -x - drag * v]
        };
        let ode = Ode::new(Auto::new()).rtol(1e-8).atol(1e-8);
        let with = ode
            .mass([Var::from(1.0), m])
            .solve(force, [1.0, 0.0], 0.0, 10.0);
        let without = ode.solve(
            move |t: Var, y: [Var; 2]| {
                let [v, a] = force(t, y);
                [v, a / m]
            },
            [1.0, 0.0],
            0.0,
            10.0,
        );
        (stack(with.y), stack(without.y), with.steps)
    });
    let (with, without, steps) = f.call(0.5)?;
    assert!(with.all_close(&without, 1e-6, 1e-6), "{with} {without}");
    // Explicit steps alone would take thousands in the first second.
    assert!(steps.item::<i64>()? < 500, "{steps}");
    Ok(())
}
