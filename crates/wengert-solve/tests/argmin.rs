//! Solvers of `argmin` on compiled functions.

use argmin::core::{CostFunction, Executor, Gradient, Hessian, Jacobian, Operator, State};
use argmin::solver::gaussnewton::GaussNewton;
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::newton::Newton;
use argmin::solver::quasinewton::BFGS;
use nalgebra::{DMatrix, DVector};
use wengert::prelude::*;
use wengert_solve::argmin::{Objective, Residuals};

use crate::mgh::problems;

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}

fn read(x: &DVector<f64>) -> Vec<f64> {
    x.as_slice().to_vec()
}

fn matrix([m, n]: [usize; 2], values: Vec<f64>) -> DMatrix<f64> {
    DMatrix::from_row_slice(m, n, &values)
}

#[test]
fn values_and_derivatives() {
    let f = Objective::new(rosenbrock);
    let x = vec![-1.2, 1.0];
    assert!((f.cost(&x).unwrap() - 24.2).abs() < 1e-12);
    assert_eq!(f.gradient(&x).unwrap().len(), 2);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let g = f.gradient(&x).unwrap();
    assert!(near(g[0], -215.6) && near(g[1], -88.0), "{g:?}");
    let h = f.hessian(&x).unwrap();
    assert!(near(h[0][0], 1330.0) && near(h[0][1], 480.0), "{h:?}");
    assert!(near(h[1][0], 480.0) && near(h[1][1], 200.0), "{h:?}");
    // Another number of unknowns is another signature.
    assert_eq!(f.gradient(&vec![1.0; 5]).unwrap(), vec![0.0; 5]);
    // More unknowns than residuals, and fewer.
    for n in [2, 7] {
        let r = Residuals::new(move |x: Var| stack([x.sum(), x.square().sum(), x.at(0) * x.at(1)]));
        let x: Vec<f64> = (0..n).map(|i| f64::from(i) + 1.0).collect();
        assert_eq!(r.apply(&x).unwrap()[0], x.iter().sum::<f64>());
        let j = r.jacobian(&x).unwrap();
        assert_eq!((j.len(), j[0].len()), (3, x.len()));
        assert_eq!(j[1], x.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
        assert_eq!(j[2][..2], [2.0, 1.0]);
    }
}

#[test]
fn solvers_run_on_them() {
    let n = 4;
    let mut unit = vec![vec![0.0; n]; n];
    (0..n).for_each(|i| unit[i][i] = 1.0);
    let method = BFGS::new(MoreThuenteLineSearch::new());
    let found = Executor::new(Objective::new(rosenbrock), method)
        .configure(|state| {
            let state = state.param(vec![-1.2, 1.0, -1.2, 1.0]);
            state.inv_hessian(unit).max_iters(200)
        })
        .run()
        .unwrap();
    let x = found.state().get_best_param().unwrap();
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-5), "{x:?}");

    let bowl = |x: Var| (x.exp() - x * [1.0, 2.0, 3.0]).sum();
    let found = Executor::new(
        Objective::with(bowl, read, DVector::from_vec, matrix),
        Newton::<f64>::new(),
    )
    .configure(|state| state.param(DVector::from_vec(vec![0.7; 3])).max_iters(10))
    .run()
    .unwrap();
    let x = found.state().get_param().unwrap();
    for (x, a) in x.iter().zip([1.0f64, 2.0, 3.0]) {
        assert!((x - a.ln()).abs() < 1e-12, "{x} {a}");
    }

    // Bard's problem: data that a ratio fits.
    let bard = problems().into_iter().find(|p| p.number == 8).unwrap();
    let problem = Residuals::with(bard.residuals, read, DVector::from_vec, matrix);
    let found = Executor::new(problem, GaussNewton::<f64>::new())
        .configure(|state| {
            let start = DVector::from_vec(bard.start_times(1.0));
            state.param(start).max_iters(30)
        })
        .run()
        .unwrap();
    let x = read(found.state().get_param().unwrap());
    let r = jit(bard.residuals).call(x).unwrap();
    let squares: f64 = r.to_vec::<f64>().unwrap().iter().map(|r| r * r).sum();
    assert!((squares - bard.minima[0]).abs() < 1e-7, "{squares}");
}

#[test]
fn mistakes_are_errors_at_the_users_line() {
    let said = |e: argmin::core::Error| e.to_string();
    let e = said(
        Objective::new(|x: Var| x)
            .cost(&vec![1.0, 2.0])
            .unwrap_err(),
    );
    let want = "argmin: the value of the function is f64[2], and must be one f64, at ";
    assert!(e.starts_with(want) && e.contains("argmin.rs:"), "{e}");
    let e = said(
        Residuals::new(|x: Var| x.sum())
            .apply(&vec![1.0])
            .unwrap_err(),
    );
    let want = "argmin: the residuals are f64, and must be a vector of f64, at ";
    assert!(e.starts_with(want) && e.contains("argmin.rs:"), "{e}");
    let e = said(
        Residuals::new(|x: Var| x.gt(0.0))
            .jacobian(&vec![1.0])
            .unwrap_err(),
    );
    assert!(e.starts_with("argmin: the residuals"), "{e}");
}
