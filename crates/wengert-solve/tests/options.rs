//! Options that make no sense are errors at the user's line, in every solver.

use wengert::prelude::*;
use wengert_solve::de::{Dde, Ode, SteadyState, Tsit5};
use wengert_solve::{fit, minimize, quad, root};

/// Asserts that each function refuses NaN and -1, takes 0 and 1.
#[track_caller]
fn refuses<Y>(name: &str, f: impl Fn(f64, Var) -> Y + Clone + Send + Sync + 'static)
where
    Y: Tree<Leaf = Var> + 'static,
{
    for x in [f64::NAN, -1.0, 0.0, 1.0] {
        let f = f.clone();
        let found = jit(move |v: Var| f(x, v)).call(2.0);
        let fine = x >= 0.0;
        match found {
            Ok(_) => assert!(fine, "{name} was {x}"),
            Err(error) => {
                let error = error.to_string();
                assert!(!fine, "{name} was {x}: {error}");
                assert!(
                    error.contains(&format!("{name} is {x}, and must")),
                    "{error}"
                );
                assert!(error.contains("options.rs:"), "{error}");
            }
        }
    }
}

#[test]
fn tolerances_and_limits_are_not_negative() {
    // The setters of a solver, each with what calls it.
    macro_rules! setters {
        ($solver:expr, |$s:ident, $v:ident| $call:expr; $($name:ident)*) => {$(
            refuses(stringify!($name), move |x, $v: Var| {
                let $s = ($solver).$name(x);
                $call
            });
        )*};
    }
    let f = |v: Var| move |x: Var| (x - v).square();
    setters!(minimize::Bfgs::new(), |s, v| s.minimize(f(v), v).x; gtol ftol xtol);
    setters!(minimize::Newton::new(), |s, v| s.minimize(f(v), v).x; gtol ftol xtol);
    setters!(minimize::Bounded::new(), |s, v| s.minimize(f(v), v, 0.0, 3.0).x; gtol ftol xtol);
    setters!(minimize::NelderMead::new(), |s, v| s.minimize(f(v), v).x; ftol xtol);
    setters!(minimize::InInterval::default(), |s, v| s.brent(f(v), 0.0, 3.0).x; xtol rtol);
    setters!(root::Search::default(), |s, v| s.root(|x: Var| x - v, v).x; ftol xtol);
    setters!(root::InInterval::new(root::Rule::Brent), |s, v| s.solve(|x: Var| x - v, 0.0, 3.0).x; xtol rtol);
    setters!(root::Anderson::default(), |s, v| s.fixed_point(|x: Var| 0.5 * x, v).x; tolerance);
    setters!(quad::GaussKronrod::new(), |s, v| s.integrate(|x: Var| v * x, 0.0, 1.0).value; rtol atol);
    setters!(quad::TanhSinh::new(), |s, v| s.integrate(|x: Var| v * x, 0.0, 1.0).value; rtol atol);
    setters!(fit::LevenbergMarquardt::new(), |s, v| s.least_squares(|x: Var| x - v, v).params; ftol xtol gtol);
    setters!(SteadyState::new(), |s, v| s.search(|x: Var| v - x, v).y; ftol);
    setters!(Ode::new(Tsit5), |s, v| s.solve(|_, y: Var| -y, v, 0.0, 1.0).y; rtol atol);
    let late = |_t: Var, _y: Var, past: Vec<Var>| -past[0];
    setters!(Dde::new(Tsit5), |s, v| s.solve(late, [v], |_t| v, 0.0, 1.0).y; rtol atol);
}

#[test]
fn lengths_of_steps_are_numbers_other_than_zero() {
    let f = |_: Var, y: Var| -y;
    let late = |_t: Var, _y: Var, past: Vec<Var>| -past[0];
    for x in [0.0, f64::NAN] {
        let said = [
            jit(move |v: Var| Ode::new(Tsit5).dt0(x).solve(f, v, 0.0, 1.0).y).call(1.0),
            jit(move |v: Var| Ode::new(Tsit5).dt_max(x).solve(f, v, 0.0, 1.0).y).call(1.0),
            jit(move |v: Var| Dde::new(Tsit5).dt0(x).solve(late, [v], |_t| v, 0.0, 1.0).y)
                .call(1.0),
            jit(move |v: Var| {
                Dde::new(Tsit5)
                    .dt_max(x)
                    .solve(late, [v], |_t| v, 0.0, 1.0)
                    .y
            })
            .call(1.0),
            jit(move |v: Var| SteadyState::new().dt0(x).search(move |x: Var| v - x, v).y).call(1.0),
        ];
        for error in said {
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains("must be a number other than zero"),
                "{error}"
            );
            assert!(error.contains("options.rs:"), "{error}");
        }
    }
    let none = jit(move |v: Var| Ode::new(Tsit5).fixed(0).solve(f, v, 0.0, 1.0).y).call(1.0);
    let error = none.unwrap_err().to_string();
    assert!(
        error.starts_with("ode: no step leads to the end, at "),
        "{error}"
    );
}
