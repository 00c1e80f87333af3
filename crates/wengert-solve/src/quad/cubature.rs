//! Integrals over boxes.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::adapt::{Estimate, Limits, adapt};
use super::rules::gauss_legendre;
use super::{Integral, Integrand, Place, Tolerances, largest, weighted};
use crate::State;

/// Adaptive cubature over boxes of 1 to 10 dimensions: the rule of degree 7 with that of degree 5 inside (Genz and
/// Malik, 1980), on the box with the largest difference of the two, which is halved along the axis with the
/// largest fourth difference (van Dooren and de Ridder, 1976).
///
/// The integrand takes the point, `x[d]`, and its values are trees of floats. A rule has `2^d + 2 d² + 2 d + 1`
/// points: for many dimensions, see [`sobol`](super::sobol). Limits are finite.
///
/// The derivative, in what the integrand captures and in the limits, is that of the converged rule on the box
/// mapped to the unit cube, to any order. What ended it is as for [`GaussKronrod`](super::GaussKronrod).
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::Cubature;
///
/// // The volume below a bell, by its width.
/// let bell = |s: Var| {
///     let f = move |x: Var| (-(x * x).sum() / (s * s)).exp();
///     Cubature::new().rtol(1e-8).integrate(f, zeros(2), [1.0, 1.0]).value
/// };
/// let (volume, slope) = jit(value_and_grad(bell)).call(1.0)?;
/// let side = 0.746824132812427; // √π/2 erf(1)
/// assert!((volume.item::<f64>()? - side * side).abs() < 1e-8);
/// assert!((slope.item::<f64>()? - 2.0 * side * (side - (-1f64).exp())).abs() < 1e-7);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cubature {
    tolerances: Tolerances,
    max_boxes: usize,
}

impl Default for Cubature {
    fn default() -> Self {
        Cubature::new()
    }
}

/// The points of the rule in the cube [-1, 1]^d, and weights of the two rules for its mean.
struct Points {
    places: Vec<f64>,
    seventh: Vec<f64>,
    fifth: Vec<f64>,
    /// For each axis, the factors of the fourth difference.
    fourth: Vec<f64>,
}

impl Points {
    fn new(d: usize) -> Points {
        let n = d as f64;
        let [l2, l3, l5] = [9.0 / 70.0, 9.0 / 10.0, 9.0 / 19.0f64].map(f64::sqrt);
        let corners = 0.5f64.powi(d as i32) * 6859.0 / 19683.0;
        let weights = [
            (
                (12824.0 - 9120.0 * n + 400.0 * n * n) / 19683.0,
                (729.0 - 950.0 * n + 50.0 * n * n) / 729.0,
            ),
            (980.0 / 6561.0, 245.0 / 486.0),
            ((1820.0 - 400.0 * n) / 19683.0, (265.0 - 100.0 * n) / 1458.0),
            (200.0 / 19683.0, 25.0 / 729.0),
            (corners, 0.0),
        ];
        let mut all = Points {
            places: vec![],
            seventh: vec![],
            fifth: vec![],
            fourth: vec![],
        };
        let mut push = |at: &dyn Fn(usize) -> f64, kind: usize| {
            all.places.extend((0..d).map(at));
            all.seventh.push(weights[kind].0);
            all.fifth.push(weights[kind].1);
        };
        push(&|_| 0.0, 0);
        for (kind, l) in [(1, l2), (2, l3)] {
            for i in 0..d {
                for s in [l, -l] {
                    push(&|k| if k == i { s } else { 0.0 }, kind);
                }
            }
        }
        for i in 0..d {
            for j in i + 1..d {
                for (a, b) in [(l3, l3), (l3, -l3), (-l3, l3), (-l3, -l3)] {
                    let at = |k: usize| match k {
                        _ if k == i => a,
                        _ if k == j => b,
                        _ => 0.0,
                    };
                    push(&at, 3);
                }
            }
        }
        for corner in 0..1usize << d {
            push(&|k| if corner >> k & 1 == 0 { l5 } else { -l5 }, 4);
        }
        let count = all.seventh.len();
        for i in 0..d {
            let mut row = vec![0.0; count];
            row[0] = -2.0 + 2.0 / 7.0;
            for s in 0..2 {
                row[1 + 2 * i + s] = 1.0;
                row[1 + 2 * d + 2 * i + s] = -1.0 / 7.0;
            }
            all.fourth.extend(row);
        }
        all
    }
}

/// Requires the corners of a box to be vectors of one length and type, and returns them as floats.
fn corners(op: &str, lower: Var, upper: Var, most: usize) -> (Var, Var, usize) {
    let float = |x: Var| {
        if x.ty().is_float() {
            x
        } else {
            x.to(DType::F64)
        }
    };
    let (lower, upper) = (float(lower), float(upper));
    let [l, u] = [lower, upper].map(|x| x.ty());
    if l != u || l.rank() != 1 {
        let message = format!(
            "the corners of a box are two vectors of one length, and these are {l} and {u}"
        );
        refuse(op, message);
    }
    let d = l.dims()[0];
    if d == 0 || d > most {
        let hint = "for more, take the mean over the points of `sobol`";
        refuse(
            op,
            format!("a box of {d} dimensions; there are 1 to {most}: {hint}"),
        );
    }
    (lower, upper, d)
}

impl Cubature {
    /// With `rtol` 1e-6 and `atol` 1e-9 (1e-4 and 1e-6 for values of `f32`), and at most 256 boxes.
    pub fn new() -> Cubature {
        Cubature {
            tolerances: Tolerances::default(),
            max_boxes: 256,
        }
    }

    /// Sets the tolerance relative to the value.
    pub fn rtol(mut self, rtol: f64) -> Cubature {
        self.tolerances.rtol = Some(rtol);
        self
    }

    /// Sets the absolute tolerance.
    pub fn atol(mut self, atol: f64) -> Cubature {
        self.tolerances.atol = Some(atol);
        self
    }

    /// Sets the largest number of boxes. Each element of a batch keeps room for as many.
    pub fn max_boxes(mut self, n: usize) -> Cubature {
        self.max_boxes = n;
        self
    }

    /// Integrates `f` over the box from `lower` to `upper`, vectors of as many numbers as there are dimensions.
    ///
    /// # Errors
    /// If a value of the integrand is not of floats, or the corners do not fit each other.
    #[track_caller]
    pub fn integrate<A>(
        &self,
        f: impl Fn(Var) -> A,
        lower: impl Into<Var>,
        upper: impl Into<Var>,
    ) -> Integral<A::Tree>
    where
        A: IntoTree,
        A::Tree: State,
    {
        let (lower, upper) = (lower.into(), upper.into());
        let place = Location::caller();
        asked_at(place, || self.run(place, f, lower, upper))
    }

    fn run<A>(
        &self,
        place: Place,
        f: impl Fn(Var) -> A,
        lower: Var,
        upper: Var,
    ) -> Integral<A::Tree>
    where
        A: IntoTree,
        A::Tree: State,
    {
        let (lower, upper, d) = corners("cubature", lower, upper, 10);
        let f = Integrand::new("cubature", place, f, &lower.ty());
        let points = Points::new(d);
        let count = points.seventh.len();
        let eps = f.epsilon();
        let (rtol, atol) = match f.types.iter().any(|ty| ty.dtype == DType::F32) {
            true => (1e-4, 1e-6),
            false => (1e-6, 1e-9),
        };
        let limits = Limits {
            rtol: self.tolerances.rtol.unwrap_or(rtol),
            atol: self.tolerances.atol.unwrap_or(atol),
            regions: self.max_boxes,
        };
        let sides = upper - lower;
        let volume = sides.prod();
        let places = Var::from(points.places.clone()).reshape([count, d]);
        let places = places.to(lower.dtype());
        let fourth = Var::from(points.fourth.clone()).reshape([d, count]);

        // The values at the points of a part of the unit cube, and its volume in the box.
        let sampled = |low: Var, high: Var| {
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
            let nodes = middle + half * places;
            let ys = wengert::map(nodes, |u: Var| asked_at(place, || f.at(lower + sides * u)));
            (ys, (high - low).prod() * volume)
        };
        let estimate = |low: Var, high: Var| {
            let (ys, size) = sampled(low, high);
            let finite = ys.iter().map(|y| y.is_finite().all());
            let finite = finite.reduce(Var::and).unwrap_or(Var::from(true)) & size.is_finite();
            let (mut error, mut noise) = (Var::from(0.0), Var::from(0.0));
            let mut differences = zeros(d);
            let mut values = vec![];
            for y in ys {
                let y = finite.select(y, zeros_like(y));
                let size = finite.select(size, 0.0).to(y.dtype());
                let value = weighted(&points.seventh, y) * size;
                error = error.maximum(largest(value - weighted(&points.fifth, y) * size));
                let sizes = weighted(&vec![1.0 / count as f64; count], y.abs()) * size;
                noise = noise.maximum(largest(sizes));
                let rows = y.reshape([count, y.ty().size() / count]);
                let fourth = fourth.to(y.dtype()).dot(rows).abs().amax_axis(1);
                differences = differences.maximum(fourth.to(DType::F64));
                values.push(value);
            }
            let noise = 50.0 * eps * noise;
            // Among equal differences, the longest side.
            let least = 1e-6 * differences.amax() + 1e-300;
            let axis = (differences + least * (high - low).to(DType::F64)).argmax();
            Estimate {
                values,
                error: finite.select(error.maximum(noise), f64::INFINITY),
                noise,
                axis: Some(axis),
            }
        };
        let n = self.max_boxes.max(1);
        let slots = zeros_of([n, d], lower.dtype());
        let residual = |(values, low, high): (Vec<Var>, Var, Var)| {
            let used = low.ne(high).any_axis(1).to(DType::I64).sum();
            let total = fori(..used, f.zeros(), |i, sums: Vec<Var>| {
                let (ys, size) = sampled(low.at(i), high.at(i));
                let part = |y: Var| weighted(&points.seventh, y) * size.to(y.dtype());
                let all = sums.into_iter().zip(ys);
                all.map(|(s, y)| s + part(y)).collect::<Vec<Var>>()
            });
            let all = values.into_iter().zip(total);
            let values: Vec<Var> = all.map(|(v, t)| v - t).collect();
            (values, zeros_like(low), zeros_like(high))
        };
        let (found, [error, intervals, evaluated, status]) = wengert::custom_root_aux(
            residual,
            (f.zeros(), slots, slots),
            |_, _| {
                // An empty box is empty in the unit cube, and one that is not finite is NaN there.
                let flat = sides.eq(0.0).any();
                let known = sides.is_finite().all();
                let one = known
                    .select(flat.select(0.0, 1.0), f64::NAN)
                    .to(lower.dtype());
                let ends = [zeros_like(lower), zeros_like(lower) + one];
                let d = adapt(place, ends, &f.types, limits, estimate);
                let facts = [d.error, d.regions, d.evaluated, d.status];
                ((d.values, d.low, d.high), facts)
            },
            |_, (v, low, high)| (v, zeros_like(low), zeros_like(high)),
        );
        Integral {
            value: f.tree(found.0),
            error,
            intervals,
            evaluations: evaluated * count as i64,
            status,
        }
    }
}

/// Integrates `f` over the box from `lower` to `upper` by [`Cubature`] with its defaults.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::cubature;
///
/// let f = jit(|()| cubature(|x: Var| x.at(0) * x.at(1).square(), zeros(2), [1.0, 3.0]).value);
/// assert!((f.call(())?.item::<f64>()? - 4.5).abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// Those of [`Cubature::integrate`].
#[track_caller]
pub fn cubature<A>(
    f: impl Fn(Var) -> A,
    lower: impl Into<Var>,
    upper: impl Into<Var>,
) -> Integral<A::Tree>
where
    A: IntoTree,
    A::Tree: State,
{
    let (lower, upper) = (lower.into(), upper.into());
    let place = Location::caller();
    asked_at(place, || Cubature::new().run(place, f, lower, upper))
}

/// Integrates `f` over a box by the product of Gauss-Legendre rules with `n` points along each axis: exact for
/// polynomials of degree `2 n - 1` in each variable. It has no estimate of its error, and derivatives of any kind.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::tensor;
///
/// let f = jit(|a: Var| tensor(move |x: Var| (a * x.sum()).cos(), zeros(3), zeros(3) + 1.0, 8));
/// let exact = |a: f64| ((3.0 * a / 2.0).cos() * (2.0 * (a / 2.0).sin() / a).powi(3));
/// assert!((f.call(2.0)?.item::<f64>()? - exact(2.0)).abs() < 1e-13);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If a value of the integrand is not of floats, the corners do not fit each other, or there would be more than a
/// million points.
#[track_caller]
pub fn tensor<A>(
    f: impl Fn(Var) -> A,
    lower: impl Into<Var>,
    upper: impl Into<Var>,
    n: usize,
) -> A::Tree
where
    A: IntoTree,
    A::Tree: State,
{
    let (lower, upper) = (lower.into(), upper.into());
    let place = Location::caller();
    asked_at(place, || {
        let (lower, upper, d) = corners("tensor", lower, upper, 20);
        let count = n
            .checked_pow(d as u32)
            .filter(|c| (1..=1_000_000).contains(c));
        let Some(count) = count else {
            refuse(
                "tensor",
                format!("{n} points along each of {d} axes; there are 1 to a million in all"),
            );
        };
        let (x, w) = gauss_legendre(n);
        let digit = |point: usize, axis: usize| point / n.pow((d - 1 - axis) as u32) % n;
        let places = (0..count).flat_map(|p| (0..d).map(move |k| (p, k)));
        let places: Vec<f64> = places.map(|(p, k)| 0.5 + 0.5 * x[digit(p, k)]).collect();
        let weights: Vec<f64> = (0..count)
            .map(|p| (0..d).map(|k| 0.5 * w[digit(p, k)]).product())
            .collect();
        let f = Integrand::new("tensor", place, f, &lower.ty());
        let sides = upper - lower;
        let nodes = Var::from(places).reshape([count, d]).to(lower.dtype());
        let ys = wengert::map(nodes, |u: Var| asked_at(place, || f.at(lower + sides * u)));
        let volume = sides.prod();
        let sums = ys
            .into_iter()
            .map(|y| weighted(&weights, y) * volume.to(y.dtype()));
        f.tree(sums.collect())
    })
}
