//! Derivatives of draws in the parameters of their distributions.

use super::fit::gamma_cdf;
use super::*;
use wengert::Error;
use wengert_check::check_grads;

/// What is drawn by a formula has the derivative of the formula.
#[test]
fn reparameterised_samplers() {
    type Drawn = fn(Key, Var, Var) -> Var;
    const SAMPLERS: &[(&str, [f64; 2], Drawn)] = &[
        ("uniform_in", [-1.0, 2.0], |k, a, b| k.uniform_in(a, b, [5])),
        ("truncated_normal", [-0.5, 1.5], |k, a, b| {
            k.truncated_normal(a, b, [5])
        }),
        ("truncated_normal", [5.5, 6.5], |k, a, b| {
            k.truncated_normal(a, b, [5])
        }),
        ("truncated_normal, far out", [39.5, 40.5], |k, a, b| {
            k.truncated_normal(a, b, [5])
        }),
        (
            "truncated_normal, far out",
            [-1000.5, -1000.0],
            |k, a, b| k.truncated_normal(a, b, [5]),
        ),
        ("truncated_normal, to infinity", [45.0, 2.0], |k, a, b| {
            b * k.truncated_normal(a, f64::INFINITY, [5])
        }),
        ("weibull", [1.5, 2.0], |k, a, b| b * k.weibull(a, [5])),
        ("pareto", [2.5, 2.0], |k, a, b| b * k.pareto(a, [5])),
        ("normal", [0.5, 2.0], |k, a, b| a + b * k.normal([5])),
        ("choice", [0.5, 2.0], |k, a, b| {
            k.choice(stack([a, b, a * b]), [5])
        }),
        ("multivariate_normal", [0.5, 2.0], |k, a, b| {
            let factor = stack([a, b, b, a * b]).reshape([2, 2]);
            k.multivariate_normal(stack([a, b]), factor, [3]).flatten()
        }),
    ];
    for &(name, at, sampler) in SAMPLERS {
        let f = move |(a, b, key): (Var, Var, Key)| sampler(key, a, b);
        let args = (at[0], at[1], Key::from_seed(5));
        check_grads(f, args, 2).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

/// The tangent of a gamma number is `-(∂P/∂α) / density`, from the smallest shapes to large ones.
#[test]
fn gamma_numbers_move_with_their_quantile() -> Result<(), Error> {
    for alpha in [0.02f64, 0.3, 1.0, 2.5, 30.0, 3000.0] {
        let f = jit(|(a, k): (Var, Key)| jvp(|a: Var| k.gamma(a, [50]), a, Var::scalar(1.0)));
        let (z, dz) = f.call((alpha, Key::from_seed(8)))?;
        let (z, dz) = (z.to_vec::<f64>()?, dz.to_vec::<f64>()?);
        for (z, dz) in z.into_iter().zip(dz).filter(|(z, _)| *z > 1e-250) {
            let h = 1e-3 * alpha.min(alpha.sqrt());
            let p = |a: f64| gamma_cdf(a, z);
            let (near, far) = (
                p(alpha + h) - p(alpha - h),
                p(alpha + 2.0 * h) - p(alpha - 2.0 * h),
            );
            let slope = (8.0 * near - far) / (12.0 * h);
            let density = ((alpha - 1.0) * z.ln() - z - log_gamma(alpha)).exp();
            let want = -slope / density;
            let tolerance = 1e-7 * want.abs() + 1e-9 / (density * alpha.max(1.0));
            assert!(
                (dz - want).abs() < tolerance,
                "α = {alpha}, z = {z}: {dz} and {want}"
            );
        }
    }
    Ok(())
}

fn log_gamma(x: f64) -> f64 {
    wengert_ir::elementary::eval(wengert_ir::elementary::Elementary::Lgamma, &[x])
}

/// Means of derivatives, to second order, are derivatives of means.
#[test]
fn derivatives_of_means() -> Result<(), Error> {
    let n = 100_000;
    let f = jit(move |(a, b, key): (Var, Var, Key)| {
        let [k0, k1, k2, k3] = key.split_n();
        // E x² = α² + α.
        let square = k0.gamma_moment(a, n);
        let gamma = (square.1, square.2);
        // E x = a / (a + b).
        let beta = grad_at(a, |a| k1.beta(a, b, [n]).mean());
        // E x₀ = α₀ / Σ α.
        let dirichlet = grad_at(a, |a| {
            k2.dirichlet(stack([a, b]), [n]).slice((.., ..1)).mean()
        });
        // E x² = ν / (ν - 2).
        let student = grad_at(a + 8.0, |nu| k3.student_t(nu, [n]).square().mean());
        (gamma, beta, dirichlet, student)
    });
    let (a, b) = (1.7, 2.6);
    let ((first, second), beta, dirichlet, student) = f.call((a, b, Key::from_seed(4)))?;
    let share = b / ((a + b) * (a + b));
    let nu = a + 8.0;
    for (name, got, want, tolerance) in [
        ("gamma", first, 2.0 * a + 1.0, 0.05),
        ("gamma, second", second, 2.0, 0.05),
        ("beta", beta, share, 0.002),
        ("dirichlet", dirichlet, share, 0.002),
        ("student", student, -2.0 / ((nu - 2.0) * (nu - 2.0)), 0.005),
    ] {
        let got = got.item::<f64>()?;
        assert!((got - want).abs() < tolerance, "{name}: {got} and {want}");
    }
    Ok(())
}

/// The mean square of gamma numbers, and its first two derivatives in the shape.
trait GammaMoment {
    fn gamma_moment(self, a: Var, n: usize) -> (Var, Var, Var);
}

impl GammaMoment for Key {
    fn gamma_moment(self, a: Var, n: usize) -> (Var, Var, Var) {
        let ((y, dy), (_, ddy)) = jvp(
            |a: Var| {
                jvp(
                    |a: Var| self.gamma(a, [n]).square().mean(),
                    a,
                    Var::scalar(1.0),
                )
            },
            a,
            Var::scalar(1.0),
        );
        (y, dy, ddy)
    }
}
