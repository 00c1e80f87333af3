//! Roots of polynomials.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};
use wengert::{Complex, custom_root_aux};

use super::Root;
use crate::Status;
use crate::shared::{RUNNING, eps};

/// The most steps; an isolated root takes about ten.
const STEPS: i64 = 200;

/// Finds all roots of a polynomial, whose coefficients are given from that of the highest power on: `numpy.roots`. They
/// are complex and in no order; `residual` is the largest value of the polynomial, relative to the sum of the sizes of
/// its terms.
///
/// All roots are improved together: Aberth, *Iteration methods for finding all zeros of a polynomial simultaneously*
/// (1973), and Ehrlich (1967), until no root moves by more than its rounding, or the polynomial is zero there to
/// rounding. A root of multiplicity m is exact to an m-th of the digits. The derivative is that of the equation; a
/// multiple root has none.
///
/// # Errors
/// If the coefficients are not a vector of at least two floats.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root;
///
/// // x³ - 6x² + 11x - 6 = (x - 1)(x - 2)(x - 3)
/// let r = jit(root::polynomial).call([1.0, -6.0, 11.0, -6.0])?.ok()?;
/// let mut x = r.x.re.to_vec::<f64>()?;
/// x.sort_by(f64::total_cmp);
/// assert!((x[0] - 1.0).abs() < 1e-13 && (x[1] - 2.0).abs() < 1e-13 && (x[2] - 3.0).abs() < 1e-13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn polynomial(coefficients: Var) -> Root<Complex> {
    let ty = coefficients.ty();
    if !ty.is_float() || ty.rank() != 1 || ty.size() < 2 {
        refuse(
            "root::polynomial",
            format!("the coefficients are {ty}, and must be a vector of at least two floats"),
        );
    }
    let place = Location::caller();
    asked_at(place, || {
        let n = ty.size() - 1;
        let start = first(coefficients.stop_gradient(), n);
        let value = |z: Complex| asked_at(place, || horner(coefficients, z).0);
        let (x, (status, steps, residual)) = custom_root_aux(
            value,
            start,
            |_, z| asked_at(place, || iterate(place, coefficients, z)),
            |slope, b| {
                let one = Complex::new(ones_like(b.re), zeros_like(b.re));
                b / slope(one)
            },
        );
        Root {
            x,
            residual,
            iterations: steps,
            evaluations: steps + 1,
            status,
        }
    })
}

/// Points on a circle that holds about half of the roots, from a bound of Fujiwara's.
fn first(c: Var, n: usize) -> Complex {
    let k = arange(1..n + 1).to(c.dtype());
    let ratios = (c.at(1..) / c.at(0)).abs();
    let radius = ratios.powf(1.0 / k).amax();
    let radius = (radius.is_finite() & radius.gt(0.0)).select(radius, 1.0);
    let angle = arange(0..n).to(c.dtype()) * (2.0 * std::f64::consts::PI / n as f64) + 0.4;
    Complex::from_polar(ones_like(angle) * radius, angle)
}

/// The values of a polynomial, of its derivative, and the sum of the sizes of its terms.
fn horner(c: Var, z: Complex) -> (Complex, Complex, Var) {
    let size = z.abs().stop_gradient();
    let zero = z * 0.0;
    let value = zero + Complex::from(c.at(0));
    let start = (value, zero, zero.re + c.at(0).abs());
    let step = |(p, d, s): (Complex, Complex, Var), a: Var| {
        let next = (p * z + Complex::from(a), d * z + p, s * size + a.abs());
        (next, ())
    };
    scan(start, c.at(1..), step).0
}

fn iterate(place: &'static Location<'static>, c: Var, z: Complex) -> (Complex, (Var, Var, Var)) {
    let n = z.re.shape()[0];
    let dtype = c.dtype();
    // A root this much smaller than the others is zero.
    let radius = z.abs().amax();
    let own = eye(n).gt(0.5);
    let valid = c.is_finite().all() & c.at(0).ne(0.0);
    let status = valid.select(RUNNING, Status::StartNotFinite.code());
    let still = zeros(n).gt(1.0);
    let start = (
        z,
        still,
        status,
        Var::from(0i64),
        zeros_of([0usize; 0], dtype),
    );
    let (z, _, status, steps, residual) = while_loop(
        start,
        |(_, _, status, steps, _): (Complex, Var, Var, Var, Var)| {
            status.eq(RUNNING) & steps.lt(STEPS)
        },
        |(z, still, _, steps, _): (Complex, Var, Var, Var, Var)| {
            asked_at(place, || {
                let (p, d, terms) = horner(c, z);
                let newton = p / d;
                // The sum of the reciprocals of the distances to the others.
                let away = Complex::new(
                    z.re.expand_dims(1) - z.re.expand_dims(0),
                    z.im.expand_dims(1) - z.im.expand_dims(0),
                );
                let square = own.select(1.0, away.norm_sqr());
                let pull = Complex::new(
                    own.select(0.0, away.re / square).sum_axis(1),
                    own.select(0.0, -away.im / square).sum_axis(1),
                );
                let turned = newton * pull;
                let step = newton / Complex::new(1.0 - turned.re, -turned.im);
                let zero = p.abs().le(2.0 * n as f64 * eps(dtype) * terms);
                let short = step.abs().le(eps(dtype) * z.abs());
                let tiny = z.abs().le(1e-30 * radius);
                let stays = still | zero | !step.is_finite();
                let moved = |z: Var, by: Var| stays.select(z, z - by);
                let next = Complex::new(moved(z.re, step.re), moved(z.im, step.im));
                let still = still | zero | short | tiny;
                let status = still
                    .all()
                    .select(Status::ResidualConverged.code(), RUNNING);
                let residual = (p.abs() / terms.eq(0.0).select(1.0, terms)).amax();
                (next, still, status, steps + 1, residual)
            })
        },
    );
    let status = status.eq(RUNNING).select(0, status);
    (z, (status, steps, residual))
}
