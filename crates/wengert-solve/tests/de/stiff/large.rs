//! Systems from partial differential equations: bands and products with vectors agree with dense matrices.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use wengert::prelude::*;
use wengert::trace;
use wengert_solve::Status;
use wengert_solve::de::{
    Bdf, KenCarp4, Kvaerno3, Kvaerno5, Linear, Method, Ode, Rodas4, Rodas5P, Tsit5,
};

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
fn gradients_of_large_systems_factor_nothing_again() -> Result {
    // 80 equations: above the number up to which a matrix of its own takes less than products.
    let (_, slope) = solved(
        Rodas4::new().linear(Linear::Banded { lower: 2, upper: 2 }),
        40,
    )?;
    for (name, (_, d)) in [
        ("Kvaerno3", solved(Kvaerno3::new(), 40)?),
        ("Bdf", solved(Bdf::new(), 40)?),
    ] {
        println!("{name} {d} {slope}");
        assert!(
            (d - slope).abs() < 1e-3 * slope.abs(),
            "{name}: {d} {slope}"
        );
    }
    let points = 40;
    let value = move |d: Var| {
        let ode = Ode::new(Kvaerno3::new()).rtol(1e-6).atol(1e-6);
        let at = (iota(points, DType::F64) + 1.0) / (points as f64 + 1.0);
        let pair = [1.0 + at, 3.0 - at].map(|w| w.expand_dims(1));
        let x = concat(pair, 1).ravel();
        ode.solve(brusselator(d, points), x, 0.0, 1.0).y.at(-1)
    };
    let count = |text: String| text.matches("lu(").count() + text.matches("lu ").count();
    let d = ShapeDtype::scalar(DType::F64);
    let (plain, both) = (
        count(trace(value, &d)?.to_string()),
        count(trace(value_and_grad(value), &d)?.to_string()),
    );
    println!("factorisations: {plain} in the solution, {both} with its gradient");
    assert!(plain > 0 && both <= plain, "{plain} {both}");
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

/// The cells of a periodic square with two substances, which diffuse and react, as one tree.
const SIDE: usize = 10;

fn cells(d: Var) -> impl Fn(Var, [Var; 2]) -> [Var; 2] + Copy {
    move |_, [u, v]: [Var; 2]| {
        let spread = |w: Var| {
            let around = w.roll(1, 0) + w.roll(-1, 0) + w.roll(1, 1) + w.roll(-1, 1);
            d * (around - 4.0 * w)
        };
        let made = u * u * v;
        [1.0 + made - 4.4 * u + spread(u), 3.4 * u - made + spread(v)]
    }
}

fn cells_start() -> [Array; 2] {
    let at = |k: usize| (k * 37 % 100) as f64 / 100.0;
    let field = |f: &dyn Fn(f64) -> f64| {
        let all = (0..SIDE * SIDE).map(|k| f(at(k))).collect::<Vec<_>>();
        Array::new([SIDE, SIDE], all).expect("a square")
    };
    [field(&|x| 1.0 + x), field(&|x| 3.0 - 2.0 * x)]
}

/// The waves of a residual, each over what its diffusion makes of it: the inverse of `1 - s D` on a periodic square.
fn by_waves(d: Var, s: Var, w: Var) -> Var {
    let decay = |n: usize| {
        let k = iota(n, DType::F64) * (std::f64::consts::TAU / SIDE as f64);
        2.0 - 2.0 * k.cos()
    };
    let factor = decay(SIDE).expand_dims(1) + decay(SIDE / 2 + 1);
    let waves = wengert::fft::rfft2(w);
    wengert::fft::irfft2(waves.map(|part| part / (1.0 + s * d * factor)))
}

/// The end, and the gradient of a number of it by the diffusion.
fn cells_solved<M: Method + Send + Sync + 'static>(
    method: M,
    kind: &'static str,
) -> Result<(Vec<f64>, f64, i64, i64)> {
    let ode = Ode::new(method).rtol(1e-6).atol(1e-6).max_steps(3000);
    let f = move |d: Var| {
        let start = cells_start().map(|w| Var::from(&w));
        let rate = cells(d);
        let s = match kind {
            "waves" => ode
                .preconditioner(move |_, _: [Var; 2], s: Var, r: [Var; 2]| {
                    r.map(|w| by_waves(d, s, w))
                })
                .solve(rate, start, 0.0, 1.0),
            // The two equations of each cell: their Jacobian is kept, and its inverse applied.
            "blocks" => {
                let prepare = move |_: Var, [u, v]: [Var; 2], _: Var| {
                    let (uv, uu) = (2.0 * u * v, u * u);
                    [uv - 4.4 - 4.0 * d, uu, 3.4 - uv, -uu - 4.0 * d]
                };
                let solve = |[a, b, c, e]: [Var; 4], s: Var, [p, q]: [Var; 2]| {
                    let (a, b, c, e) = (1.0 - s * a, -s * b, -s * c, 1.0 - s * e);
                    let det = a * e - b * c;
                    [(e * p - b * q) / det, (a * q - c * p) / det]
                };
                ode.preconditioner_with(prepare, solve)
                    .solve(rate, start, 0.0, 1.0)
            }
            _ => ode.solve(rate, start, 0.0, 1.0),
        };
        let [u, v] = s.y;
        (
            u.at((2, 3)),
            (stack([u, v]), s.steps + s.rejected, s.status),
        )
    };
    let ((_, (y, steps, status)), slope) = jit(value_and_grad_aux(f)).call(500.0)?;
    let status = status.item::<i64>()?;
    Ok((y.to_vec()?, slope.item()?, steps.item()?, status))
}

#[test]
fn preconditioners_change_the_work_and_not_the_solution() -> Result {
    let few = Linear::Residuals {
        restart: 7,
        rtol: 1e-8,
        max_steps: 7,
    };
    let (dense, slope, dense_steps, _) = cells_solved(Bdf::new(), "none")?;
    let close = |name: &str, (y, d, steps, status): &(Vec<f64>, f64, i64, i64)| {
        let e = deviation(y, &dense, 1.0);
        println!("{name} {e:.1e}: {steps} steps, slope {d} {slope}");
        *status == Status::Finished.code() && e < 2e-4 && (d - slope).abs() < 2e-3 * slope.abs()
    };
    for kind in ["waves", "blocks"] {
        let bdf = cells_solved(Bdf::new().linear(Linear::residuals()), kind)?;
        assert!(close(&format!("Bdf, {kind}"), &bdf), "{kind}");
        assert!(
            bdf.2 < dense_steps * 5 / 4,
            "{kind}: {} {dense_steps}",
            bdf.2
        );
        let products = cells_solved(Bdf::new().linear(Linear::products()), kind)?;
        assert!(
            close(&format!("Bdf by products, {kind}"), &products),
            "{kind}"
        );
    }
    for (name, found) in [
        (
            "Rodas5P",
            cells_solved(Rodas5P::new().linear(Linear::residuals()), "waves")?,
        ),
        (
            "Kvaerno5",
            cells_solved(Kvaerno5::new().linear(Linear::residuals()), "waves")?,
        ),
        (
            "KenCarp4",
            cells_solved(KenCarp4::new().linear(Linear::residuals()), "waves")?,
        ),
    ] {
        assert!(close(name, &found), "{name}");
    }
    // Seven products are enough for a system with a preconditioner, and not without.
    let with = cells_solved(Bdf::new().linear(few), "waves")?;
    assert!(close("Bdf, few products", &with));
    let without = cells_solved(Bdf::new().linear(few), "none")?;
    println!("without: {} steps, {}", without.2, without.3);
    assert!(with.2 < dense_steps * 5 / 4, "{} {dense_steps}", with.2);
    assert!(without.2 > with.2, "{} {}", without.2, with.2);
    Ok(())
}

/// How often a preconditioner is applied, once for each product, and the end: by waves, or the one that does nothing.
fn applied(waves: bool) -> Result<(usize, Vec<f64>)> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let near = move |_: Var, _: [Var; 2], s: Var, r: [Var; 2]| {
        let counter = counter.clone();
        wengert::debug_callback(
            move |_: Array| {
                counter.fetch_add(1, Relaxed);
            },
            s,
        );
        match waves {
            true => r.map(|w| by_waves(Var::from(500.0), s, w)),
            false => r,
        }
    };
    let ode = Ode::new(Bdf::new().linear(Linear::residuals())).preconditioner(near);
    let f = jit(move |()| {
        let start = cells_start().map(|w| Var::from(&w));
        stack(ode.solve(cells(Var::from(500.0)), start, 0.0, 1.0).y)
    });
    let end = f.call(())?.to_vec()?;
    Ok((count.load(Relaxed), end))
}

#[test]
fn preconditioners_save_products() -> Result {
    let ((few, near), (many, far)) = (applied(true)?, applied(false)?);
    println!("{few} products by waves, {many} without");
    assert!(deviation(&near, &far, 1.0) < 2e-4);
    assert!(0 < few && 2 * few < many, "{few} {many}");
    Ok(())
}

#[test]
fn mistakes_with_preconditioners_are_errors_at_the_users_line() {
    let decay = |_: Var, y: Var| -y;
    let same = |_: Var, _: Var, _: Var, r: Var| r;
    let e = jit(move |y: Var| {
        let ode = Ode::new(Tsit5).preconditioner(same);
        ode.solve(decay, y, 0.0, 1.0).y
    });
    let e = e.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(
        e.starts_with("ode: Tsit5 solves no systems by products"),
        "{e}"
    );
    assert!(e.contains("large.rs"), "{e}");
    let ode = Ode::new(Bdf::new().linear(Linear::residuals()));
    let e = jit(move |y: Var| {
        let ode = ode.preconditioner(|_, _: Var, _, r: Var| r.sum());
        ode.solve(decay, y, 0.0, 1.0).y
    });
    let e = e.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(e.contains("what the preconditioner returns"), "{e}");
    assert!(e.contains("large.rs"), "{e}");
    let e = jit(move |y: Var| {
        let ode = ode.preconditioner(|_, _: Var, _, r: Var| r * r);
        ode.solve(decay, y, 0.0, 1.0).y
    });
    let e = e.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(e.contains("not linear"), "{e}");
}
