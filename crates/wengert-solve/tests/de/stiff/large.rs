//! Systems from partial differential equations: bands and products with vectors agree with dense matrices.

use wengert::prelude::*;
use wengert_solve::de::{Bdf, Kvaerno3, Linear, Method, Ode, Rodas4, Rodas5P};

use super::*;

/// The brusselator on a line (Hairer, Wanner, Solving ODEs II, IV.10), where the two substances of a point stand side by side.
fn brusselator(diffusion: Var, points: usize) -> impl Fn(Var, Var) -> Var {
    move |_, x: Var| {
        let pair = x.reshape([points, 2]);
        let (u, v) = (pair.slice_axis(1, 0..1), pair.slice_axis(1, 1..2));
        let spread = |x: Var, end: f64| {
            let end = full([1, 1], end);
            let left = concat([end, x.slice_axis(0, ..-1)], 0);
            let right = concat([x.slice_axis(0, 1..), end], 0);
            diffusion * ((points + 1) as f64).powi(2) * (left - 2.0 * x + right)
        };
        let joined = u * u * v;
        let du = 1.0 + joined - 4.0 * u + spread(u, 1.0);
        let dv = 3.0 * u - joined + spread(v, 3.0);
        concat([du, dv], 1).ravel()
    }
}

fn start(points: usize) -> Vec<f64> {
    let at = |i: usize| (i + 1) as f64 / (points + 1) as f64;
    let pair = |i: usize| [1.0 + (2.0 * std::f64::consts::PI * at(i)).sin(), 3.0];
    (0..points).flat_map(pair).collect()
}

/// The solution, and the gradient of its last number by the diffusion.
fn solved<M: Method + Send + Sync + 'static>(method: M, points: usize) -> Result<(Vec<f64>, f64)> {
    let ode = Ode::new(method).rtol(1e-6).atol(1e-6);
    let f = move |(d, x): (Var, Var)| {
        let y = ode.solve(brusselator(d, points), x, 0.0, 1.0).y;
        (y.at(-1), y)
    };
    let (y, d) = jit(move |x: (Var, Var)| {
        let ((_, y), pull) = vjp(f, x);
        (y, pull((Var::from(1.0), zeros_like(y))).0)
    })
    .call((0.02, start(points)))?;
    Ok((y.to_vec()?, d.item()?))
}

#[test]
fn bands_and_products_agree_with_dense_matrices() -> Result {
    let band = Linear::Banded { lower: 2, upper: 2 };
    let products = Linear::products();
    let residuals = Linear::Residuals {
        restart: 12,
        rtol: 1e-8,
        max_steps: 300,
    };
    let (dense, slope) = solved(Rodas4::new(), 12)?;
    for (name, (y, d)) in [
        ("band", solved(Rodas4::new().linear(band), 12)?),
        ("products", solved(Rodas4::new().linear(products), 12)?),
        ("residuals", solved(Rodas4::new().linear(residuals), 12)?),
        ("Rodas5P", solved(Rodas5P::new().linear(band), 12)?),
        ("Kvaerno3", solved(Kvaerno3::new().linear(band), 12)?),
        ("Bdf", solved(Bdf::new().linear(band), 12)?),
        ("Bdf, products", solved(Bdf::new().linear(products), 12)?),
    ] {
        let e = deviation(&y, &dense, 1.0);
        println!("{name} {e} {d} {slope}");
        assert!(e < 1e-4, "{name}: {e}");
        assert!(
            (d - slope).abs() < 1e-3 * slope.abs(),
            "{name}: {d} {slope}"
        );
    }
    Ok(())
}

#[test]
fn many_equations_by_bands() -> Result {
    // 2,000 equations: a dense matrix would have four million numbers.
    let points = 1000;
    let ode = Ode::new(Rodas4::new().linear(Linear::Banded { lower: 2, upper: 2 })).rtol(1e-4);
    let f = jit(move |x: Var| ode.solve(brusselator(0.02.into(), points), x, 0.0, 0.2));
    let s = f.call(start(points))?.ok()?;
    assert!(
        s.y.to_vec::<f64>()?
            .iter()
            .all(|y| y.is_finite() && *y > 0.0)
    );
    Ok(())
}

#[test]
fn bands_wider_than_the_matrix_are_errors() {
    let ode = Ode::new(Rodas4::new().linear(Linear::Banded { lower: 2, upper: 2 }));
    let e = jit(move |y: Var| ode.solve(|_, y| y, y, 0.0, 1.0).y).call([1.0, 2.0]);
    let e = e.unwrap_err().to_string();
    assert!(
        e.starts_with("ode: a band of 2 diagonals below and 2 above"),
        "{e}"
    );
    assert!(e.contains("large.rs"), "{e}");
}
