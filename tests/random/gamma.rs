//! The gamma family of the smallest and the largest parameters.

use super::fit::check_moments;
use super::*;
use wengert::Error;

const N: usize = 100_000;

/// So small that nearly all is at one end: which one is a draw by the parameters as weights.
#[test]
fn tiny_parameters_are_weights() -> Result<(), Error> {
    let beta = jit(|(a, b, k): (Var, Var, Key)| k.beta(a, b, ShapeDtype::new([N], a.dtype())));
    for (a, b) in [
        (1e-308, 3e-308),
        (1e-310, 3e-310),
        (5e-324, 1.5e-323),
        (1e-200, 3e-200),
    ] {
        let x = elements(&beta.call((a, b, Key::from_seed(1)))?);
        assert!(x.iter().all(|x| *x == 0.0 || *x == 1.0), "beta({a}, {b})");
        check_moments(&format!("beta({a}, {b})"), &x, [0.25, 0.1875]);
    }
    let (a, b) = (1.4e-45f32, 4.2e-45f32);
    let x = elements(&beta.call((a, b, Key::from_seed(2)))?);
    check_moments("beta of f32", &x, [0.25, 0.1875]);

    let f = jit(|(a, k): (Var, Key)| k.dirichlet(a, [N]));
    for unit in [1e-308, 1e-320, 1e-100] {
        let x = elements(&f.call(([unit, 2.0 * unit, 0.0, unit], Key::from_seed(3)))?);
        let share = |i: usize| x.chunks(4).map(|x| x[i]).collect::<Vec<_>>();
        assert!(x.chunks(4).all(|x| x.iter().sum::<f64>() == 1.0));
        assert!(share(2).iter().all(|x| *x == 0.0));
        for (i, p) in [(0, 0.25), (1, 0.5), (3, 0.25)] {
            check_moments(
                &format!("dirichlet, {unit}, {i}"),
                &share(i),
                [p, p * (1.0 - p)],
            );
        }
    }
    Ok(())
}

/// So large that the spread of the draws is next to the rounding of floats.
#[test]
fn huge_parameters_spread_as_far_as_they_should() -> Result<(), Error> {
    let gamma = jit(|(a, k): (Var, Key)| (k.gamma(a, [N]) - a) / a.sqrt());
    for a in [1e10, 1e13, 1e20, 1e28] {
        let x = elements(&gamma.call((a, Key::from_seed(1)))?);
        check_moments(&format!("gamma({a})"), &x, [0.0, 1.0]);
    }
    let ratio = jit(|(a, b, k): (Var, Var, Key)| {
        let [k0, k1] = k.split_n();
        let beta = k0.beta(a, b, [N]);
        let dirichlet = k1.dirichlet(stack([a, b]), [N]).slice((.., 0));
        let mean = a / (a + b);
        let deviation = (mean * (1.0 - mean) / (a + b)).sqrt();
        ((beta - mean) / deviation, (dirichlet - mean) / deviation)
    });
    for (a, b) in [(1e13, 1e13), (1e20, 3e20), (1e28, 1e28), (1e26, 3e26)] {
        let (x, y) = ratio.call((a, b, Key::from_seed(2)))?;
        check_moments(&format!("beta({a}, {b})"), &elements(&x), [0.0, 1.0]);
        check_moments(&format!("dirichlet({a}, {b})"), &elements(&y), [0.0, 1.0]);
    }
    Ok(())
}

/// The derivative at a fixed probability, by mpmath with 50 digits.
#[test]
fn derivatives_by_large_parameters() -> Result<(), Error> {
    let f = jit(|(a, k): (Var, Key)| value_and_grad_at(a, |a| k.gamma(a, ())));
    for (a, z, dz) in [
        (2e5, 200385.59820911224, 1.0009642107308594),
        (1e8, 100008624.06854734, 1.0000431207699527),
        (1e12, 1000000862415.3119, 1.0000004312076987),
        (1e20, 1.0000000000862416e20, 1.0000000000431208),
    ] {
        let (x, dx) = f.call((a, Key::from_seed(2026)))?;
        let (x, dx) = (x.item::<f64>()?, dx.item::<f64>()?);
        assert!((x / z - 1.0f64).abs() < 2e-14, "{a}: {x} and {z}");
        assert!((dx - dz).abs() < 2e-14, "{a}: {dx} and {dz}");
    }
    Ok(())
}

/// Infinitely many degrees of freedom are the normal distribution, and some are nearly.
#[test]
fn student_t_becomes_normal() -> Result<(), Error> {
    let normal = jit(|k: Key| k.split().0.normal([1000]));
    let x = elements(&normal.call(Key::from_seed(3))?);
    let f = jit(|(nu, k): (Var, Key)| k.student_t(nu, [1000]));
    for nu in [1e20, 1e300, f64::MAX, f64::INFINITY] {
        let y = elements(&f.call((nu, Key::from_seed(3)))?);
        assert!(
            x.iter()
                .zip(&y)
                .all(|(x, y)| (x - y).abs() < 1e-9 * x.abs()),
            "{nu}"
        );
    }
    Ok(())
}
