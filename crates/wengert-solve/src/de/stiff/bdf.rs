//! Backward differences of variable order.

use wengert::prelude::*;

use super::linear::{Flat, Linear};
use super::newton::Kept;
use crate::State;
use crate::de::method::{Field, Method, Trial};

/// The largest order.
const MOST: usize = 5;
/// The number of differences that are kept.
const ROWS: usize = MOST + 3;
/// The limit of Newton's corrections in a step.
const LIMIT: i64 = 4;
/// The part of the last difference that is subtracted from each formula, by its order (Shampine and Reichelt, table 1).
const KAPPA: [f64; MOST + 1] = [0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0];

/// The sums `1 + 1/2 + .. + 1/k`.
const fn gamma() -> [f64; MOST + 1] {
    let mut sums = [0.0; MOST + 1];
    let mut k = 1;
    while k <= MOST {
        sums[k] = sums[k - 1] + 1.0 / k as f64;
        k += 1;
    }
    sums
}

const GAMMA: [f64; MOST + 1] = gamma();

/// Numerical differentiation formulas of order 1 to 5 (Shampine and Reichelt, SIAM J. Sci. Comput. 18, 1997: MATLAB's `ode15s`; SciPy's
/// `BDF`): backward differences with a term that makes their error smaller. For stiff equations with many unknowns
/// or an expensive rate, at tolerances down to about 1e-8.
///
/// The method chooses its order and its steps: both stay for one more step than the order has, and then become those that promise
/// the longest step; the controller has no part in it. The Jacobian is kept until the corrections of Newton's method do
/// not converge with it, the factors until step or order change. The derivative is that of each step's equation.
/// Within a step the solution is the polynomial through the differences.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Bdf, Ode};
///
/// let reactions = |k: [Var; 3]| {
///     let f = move |_, [a, b, c]: [Var; 3]| {
///         let (slow, fast, back) = (k[0] * a, k[1] * b * b, k[2] * b * c);
///         [back - slow, slow - back - fast, fast]
///     };
///     let ode = Ode::new(Bdf::new()).rtol(1e-7).atol(1e-11);
///     ode.solve(f, [1.0, 0.0, 0.0], 0.0, 40.0)
/// };
/// let s = jit(reactions).call([0.04, 3e7, 1e4])?.ok()?;
/// assert!((s.y[0].item::<f64>()? - 0.7158270688).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bdf {
    /// How its systems are solved.
    pub linear: Linear,
}

impl Bdf {
    /// The method with dense linear algebra.
    pub const fn new() -> Bdf {
        Bdf {
            linear: Linear::Dense,
        }
    }

    /// Sets how its systems are solved.
    pub const fn linear(mut self, linear: Linear) -> Bdf {
        self.linear = linear;
        self
    }
}

/// What is kept from step to step.
#[derive(Tree, Clone)]
pub struct Differences<T = Var> {
    /// The backward differences: row `j` is that of order `j`.
    rows: T,
    /// The length of the steps that they are differences of.
    h: T,
    order: T,
    /// The number of steps of that length and order.
    equal: T,
    kept: Kept<T>,
}

/// The number of a table that belongs to an order.
fn of(table: [f64; MOST + 1], order: Var, dtype: DType) -> Var {
    Var::from(table).to(dtype).at(order)
}

/// The number of each row, as a column.
fn numbers(rows: usize) -> Var {
    arange(rows).expand_dims(1)
}

/// The differences of steps that are `factor` times as long.
fn rescaled(rows: Var, order: Var, factor: Var) -> Var {
    let dtype = rows.dtype();
    let (i, j) = (
        numbers(MOST + 1).to(dtype),
        arange(MOST + 1).expand_dims(0).to(dtype),
    );
    let terms = (i - 1.0 - factor * j) / i.maximum(1.0);
    let products = i.eq(0.0).select(ones_like(terms), terms).cumprod(0);
    // Binomials with signs: the same for a factor of 1.
    let binomial = |i: usize, j: usize| {
        let terms = (1..=i).map(|i| (i as f64 - 1.0 - j as f64) / i as f64);
        terms.product::<f64>()
    };
    let unit: [[f64; MOST + 1]; MOST + 1] =
        std::array::from_fn(|i| std::array::from_fn(|j| binomial(i, j)));
    let both = products.matmul(Var::from(unit).to(dtype));
    let held = rows.slice_axis(0, 0..MOST + 1);
    let used = numbers(MOST + 1).le(order);
    let known = used.select(held, zeros_like(held));
    let new = used.select(both.t().matmul(known), held);
    concat([new, rows.slice_axis(0, MOST + 1..)], 0)
}

impl Method for Bdf {
    const NAME: &'static str = "Bdf";
    const VECTOR: bool = true;
    const MASS: bool = true;
    type Memory<Y: State> = Differences;

    fn order(&self) -> u32 {
        MOST as u32
    }

    fn error_order(&self) -> Option<u32> {
        Some(1)
    }

    fn linear(&self) -> Linear {
        self.linear
    }

    fn start<Y: State>(&self, field: &Field<Y>, t: Var, y: &Y) -> Differences {
        let (flat, x) = Flat::new(field, self.linear, y);
        let rate = flat.direction(t, x);
        let rest = zeros_of([ROWS - 2, flat.n], x.dtype());
        Differences {
            rows: concat([stack([x, rate]), rest], 0),
            h: ones_like(t),
            order: Var::from(1i64),
            equal: Var::from(0i64),
            kept: flat.nothing_kept(t, x),
        }
    }

    fn step<Y: State>(
        &self,
        field: &Field<Y>,
        t: Var,
        y: &Y,
        h: Var,
        memory: &Differences,
    ) -> Trial<Y, Differences> {
        let (flat, x) = Flat::new(field, self.linear, y);
        let dtype = x.dtype();
        let order = memory.order;
        let is_same = stop_gradient(h).eq(memory.h);
        let rows = is_same.select(memory.rows, rescaled(memory.rows, order, h / memory.h));
        let equal = is_same.select(memory.equal, 0i64);
        let alpha: [f64; MOST + 1] = std::array::from_fn(|k| (1.0 - KAPPA[k]) * GAMMA[k]);
        let alpha = of(alpha, order, dtype);
        let constants: [f64; MOST + 1] =
            std::array::from_fn(|k| KAPPA[k] * GAMMA[k] + 1.0 / (k as f64 + 1.0));
        let number = numbers(ROWS);
        let used = number.le(order).select(rows, zeros_like(rows));
        let predicted = used.sum_axis(0);
        let weights: [f64; ROWS] = std::array::from_fn(|k| if k <= MOST { GAMMA[k] } else { 0.0 });
        let psi = Var::from(weights).to(dtype).dot(used) / alpha;
        let s = h / alpha;
        let kept = flat.renewed(&memory.kept, t + h, predicted, s, 1e-12);
        let right = -flat.massed(psi);
        // The Jacobian stays for many steps, so what a correction did earlier does not judge the first one: `ratio` is not kept.
        let (d, iteration) = flat.increment(
            &kept,
            (t + h, predicted, s),
            Some(right),
            zeros_like(predicted),
            LIMIT,
        );
        let next = predicted + d;
        let size = |d: Var| flat.norm(d, x, next);
        let error = of(constants, order, dtype) * size(d);
        let failed = iteration.finite.select(f64::INFINITY, f64::NAN).to(dtype);
        let converged = iteration.converged;
        let error = converged.select(error, failed);
        let accepted = error.le(1.0);

        // The differences at the end of the step.
        let last = rows.at(order + 1);
        let summed = number
            .eq(order + 1)
            .select(d, number.le(order).select(rows, zeros_like(rows)))
            .cumsum_reverse(0);
        let rest = number.eq(order + 2).select(d - last, rows);
        let ends = number.le(order + 1).select(summed, rest);

        // The order and the step that are next.
        let count = iteration.count.to(dtype);
        let limit = 2.0 * LIMIT as f64;
        let safety = 0.9 * (limit + 1.0) / (limit + count);
        let by = |error: Var, k: Var| error.maximum(1e-10).powf(-1.0 / k.to(dtype));
        let one = ones_like(error);
        let here = by(error, order + 1);
        let fewer = order.gt(1).select(
            by(
                of(constants, (order - 1).maximum(0), dtype) * size(ends.at(order)),
                order,
            ),
            zeros_like(here),
        );
        let more = order.lt(MOST as i64).select(
            by(
                of(constants, (order + 1).minimum(MOST as i64), dtype) * size(ends.at(order + 2)),
                order + 2,
            ),
            zeros_like(here),
        );
        let best = fewer.maximum(here).maximum(more);
        let change = fewer
            .ge(best)
            .select(-1i64, here.ge(best).select(0i64, 1i64));
        let equal = equal + 1;
        let is_due = equal.gt(order);
        let longer = (safety * best).clamp(0.2, 10.0);
        let grown = is_due.select(longer, one);
        // With an old Jacobian the same step is tried again with a new one.
        let again = !converged & !flat.is_fresh(&memory.kept);
        let shorter = again.select(
            one,
            converged.select((safety * here).maximum(0.2), 0.5 * one),
        );
        let factor = stop_gradient(accepted.select(grown, shorter));
        let renew = |renew: Var| Kept {
            renew,
            ..kept.clone()
        };
        let stages = (0..=MOST as i64).map(|j| {
            let row = ends.at(j);
            flat.tree(order.ge(j).select(row, zeros_like(row)))
        });
        Trial {
            y: flat.tree(next),
            error: Some(error),
            memory: Differences {
                rows: ends,
                h: stop_gradient(h),
                order: is_due.select(order + change, order),
                equal: is_due.select(0i64, equal),
                kept: renew(!converged),
            },
            after_rejection: Some(Differences {
                kept: renew(!converged),
                ..memory.clone()
            }),
            factor: Some(factor),
            evaluations: iteration.count,
            stages: stages.collect(),
        }
    }

    fn dense<Y: State>(
        &self,
        _: &Field<Y>,
        _: Var,
        _: &Y,
        _: Var,
        trial: &Trial<Y, Differences>,
    ) -> Vec<Y> {
        // The polynomial is the sum of D[j] Π (x - 1 + m) / (m + 1) for m < j.
        let mut powers = vec![1.0];
        let mut sums: Vec<Y> = vec![trial.stages[0].clone()];
        for (j, row) in trial.stages.iter().enumerate().skip(1) {
            let m = j as f64 - 1.0;
            let mut next = vec![0.0; j + 1];
            for (k, p) in powers.iter().enumerate() {
                next[k] += p * (m - 1.0) / (m + 1.0);
                next[k + 1] += p / (m + 1.0);
            }
            powers = next;
            sums.push(tree::map(row.clone(), zeros_like));
            for (sum, &p) in sums.iter_mut().zip(&powers) {
                if p != 0.0 {
                    *sum = tree::map2(sum.clone(), row.clone(), |s, d| s + d * p);
                }
            }
        }
        sums
    }
}
