//! What is read from a fit: predictions in a trace, and outside intervals, criteria, a table.

use std::fmt::{self, Display};
use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside};
use wengert::{Error, IntoTree, Result, Tree};

use super::space::named;
use super::{Fit, student_t_quantile};
use crate::{State, Status};

/// Values of a function of fitted unknowns, and how far they are known: see [`Fit::predict`].
#[derive(Tree, Clone, Debug)]
pub struct Prediction<Y, T = Var> {
    /// The values.
    pub value: Y,
    /// Their standard errors, from the covariance of the unknowns: for confidence bands.
    pub error: Y,
    /// The standard errors of new observations of them, whose variance is that of the residuals: for prediction bands.
    pub spread: Y,
    /// The degrees of freedom, an `i64`.
    pub dof: T,
}

impl<P: State> Fit<P> {
    /// Evaluates a function of the unknowns, with standard errors: the linear propagation `√(g C gᵀ)`, where `g` is the
    /// gradient of a value by the unknowns and `C` the covariance.
    ///
    /// # Errors
    /// If the function gives what is not a float.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::fit::curve_fit;
    ///
    /// let line = |x: Var, (a, b): (Var, Var)| a * x + b;
    /// let band = jit(move |(x, y, at): (Var, Var, Var)| {
    ///     curve_fit(line, x, y, (0.0, 0.0)).predict(|p| line(at, p))
    /// });
    /// let data = ([0.0, 1.0, 2.0, 3.0], [1.0, 2.9, 5.1, 7.0], [1.5, 10.0]);
    /// let predicted = band.call(data)?;
    /// let (low, high) = predicted.confidence_bands(0.95)?;
    /// assert!((predicted.value.get::<f64>([0])? - 4.0).abs() < 1e-12);
    /// // In the middle of the data the line is known best.
    /// let width = |i: usize| high.get::<f64>([i]).unwrap() - low.get::<f64>([i]).unwrap();
    /// assert!(width(0) < 0.5 && width(1) > 3.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn predict<A: IntoTree>(&self, f: impl Fn(P) -> A) -> Prediction<A::Tree> {
        let place = Location::caller();
        asked_at(place, || {
            let (x, unravel) = tree::ravel(self.params.clone());
            let of = |x: Var| inside(|| f(unravel(x)).into_tree());
            let value = of(x);
            wengert::solver::expect_floats("predict", "the value", &value);
            let (leaves, def) = tree::flatten(value);
            let flat = |x: Var| {
                let leaves = tree::leaves(&of(x));
                let parts = leaves
                    .iter()
                    .map(|v| v.reshape([v.ty().size()]).to(x.dtype()));
                concat(parts.collect::<Vec<_>>(), 0)
            };
            let slopes = jacfwd(flat)(x);
            let variance = (slopes.dot(self.covariance) * slopes).sum_axis(1);
            let noise = self.cost / self.dof.to(self.cost.dtype());
            let mut start = 0;
            let (mut errors, mut spreads) = (vec![], vec![]);
            for leaf in &leaves {
                let ty = leaf.ty();
                let own = variance.slice_axis(0, start..start + ty.size());
                let own = own.reshape(ty.dims()).maximum(0.0);
                errors.push(own.sqrt().to(ty.dtype));
                spreads.push((own + noise).sqrt().to(ty.dtype));
                start += ty.size();
            }
            let tree = |leaves: Vec<Var>| tree::unflatten(&def, leaves).expect("as many leaves");
            Prediction {
                value: tree(leaves),
                error: tree(errors),
                spread: tree(spreads),
                dof: self.dof,
            }
        })
    }
}

/// The factor of a standard error for a level of confidence.
fn factor(op: &str, level: f64, dof: &Array) -> Result<f64> {
    if !(level > 0.0 && level < 1.0) {
        let message = format!("a level of confidence is between 0 and 1, not {level}");
        return Err(Error::value(op, message, None));
    }
    let dof = dof.to_vec::<i64>()?.first().copied().unwrap_or(0);
    if dof <= 0 {
        let message = "there are no degrees of freedom: as many unknowns as residuals";
        return Err(Error::value(op, message, None));
    }
    Ok(student_t_quantile(0.5 + 0.5 * level, dof as f64))
}

/// Returns the values less and plus a multiple of the errors.
fn around<P: Tree<Leaf = Array> + Clone>(value: &P, error: &P, t: f64) -> (P, P) {
    let side = |t: f64| tree::map2(value.clone(), error.clone(), |v, e| v + e * t);
    (side(-t), side(t))
}

impl<Y: Tree<Leaf = Array> + Clone> Prediction<Y, Array> {
    /// The interval in which the true value is with this probability: value and error times Student's quantile.
    ///
    /// # Errors
    /// If the level is not between 0 and 1, or there are no degrees of freedom.
    pub fn confidence_bands(&self, level: f64) -> Result<(Y, Y)> {
        let t = factor("confidence_bands", level, &self.dof)?;
        Ok(around(&self.value, &self.error, t))
    }

    /// The interval in which a new observation is with this probability.
    ///
    /// # Errors
    /// As [`confidence_bands`](Prediction::confidence_bands).
    pub fn prediction_bands(&self, level: f64) -> Result<(Y, Y)> {
        let t = factor("prediction_bands", level, &self.dof)?;
        Ok(around(&self.value, &self.spread, t))
    }
}

impl<P: Tree<Leaf = Array> + Clone> Fit<P, Array> {
    /// The intervals in which the true unknowns are with this probability, if the model is nearly linear over them:
    /// Student's quantile times the standard errors on either side. See [`profile`](super::profile) for models that are
    /// not.
    ///
    /// # Errors
    /// If the level is not between 0 and 1, or there are no degrees of freedom.
    pub fn confidence_intervals(&self, level: f64) -> Result<(P, P)> {
        let t = factor("confidence_intervals", level, &self.dof)?;
        Ok(around(&self.params, &self.errors, t))
    }

    /// The correlations of the unknowns: covariances divided by both standard errors; NaN for fixed unknowns.
    ///
    /// # Errors
    /// If the leaf `covariance` is no matrix.
    pub fn correlation(&self) -> Result<Array> {
        let of = jit(|c: Var| {
            let errors = c.diagonal_at(0, [-2, -1]).sqrt();
            c / errors.expand_dims(-1) / errors.expand_dims(-2)
        });
        of.call(&self.covariance)
    }

    /// The cost divided by the degrees of freedom. With residuals divided by their true standard deviations it is
    /// about 1.
    pub fn reduced_chi_square(&self) -> Array {
        &self.cost / self.dof.to(self.cost.dtype())
    }

    /// Akaike's criterion, `m ln(cost / m) + 2 k` for `m` residuals and `k` free unknowns, up to a constant of the data.
    ///
    /// # Errors
    /// If the leaves of counts are not numbers of type `i64`.
    pub fn aic(&self) -> Result<Array> {
        self.criterion(|_| 2.0)
    }

    /// The Bayesian criterion of Schwarz, `m ln(cost / m) + k ln m`.
    ///
    /// # Errors
    /// As [`aic`](Fit::aic).
    pub fn bic(&self) -> Result<Array> {
        self.criterion(f64::ln)
    }

    fn criterion(&self, price: impl Fn(f64) -> f64) -> Result<Array> {
        let [m, dof] = self.counts()?;
        let (m, k) = (m as f64, (m - dof) as f64);
        let cost = self.cost.to_vec_f64()?;
        let values: Vec<f64> = cost
            .iter()
            .map(|c| m * (c / m).ln() + price(m) * k)
            .collect();
        Array::from(values).reshape(self.cost.shape().to_vec())
    }

    fn counts(&self) -> Result<[i64; 2]> {
        let first = |a: &Array| Ok(a.to_vec::<i64>()?.first().copied().unwrap_or(0));
        Ok([first(&self.count)?, first(&self.dof)?])
    }

    fn table(&self) -> Result<String> {
        use std::fmt::Write;
        let mut text = String::new();
        let statuses = self.statuses()?;
        if !self.status.shape().is_empty() {
            let good = statuses.iter().filter(|s| s.is_converged()).count();
            let steps = self.iterations.to_vec::<i64>()?;
            let mean = steps.iter().sum::<i64>() as f64 / steps.len().max(1) as f64;
            writeln!(
                text,
                "{} fits, {good} of them converged; {mean:.1} steps on average",
                statuses.len()
            )
            .ok();
            for &status in Status::ALL {
                let n = statuses.iter().filter(|s| **s == status).count();
                if n > 0 {
                    writeln!(text, "{n:>8} {status}").ok();
                }
            }
            return Ok(text);
        }
        let [m, dof] = self.counts()?;
        let number = |a: &Array| Ok::<f64, Error>(a.to_vec_f64()?[0]);
        writeln!(
            text,
            "{} after {} steps",
            statuses[0],
            self.iterations.item::<i64>()?
        )
        .ok();
        let names = names(&self.params);
        let flat = |p: &P| -> Result<Vec<f64>> {
            let mut all = vec![];
            for leaf in tree::leaves(p) {
                all.extend(leaf.to_vec_f64()?);
            }
            Ok(all)
        };
        let (values, errors) = (flat(&self.params)?, flat(&self.errors)?);
        let wide = names
            .iter()
            .map(|n| n.chars().count())
            .max()
            .unwrap_or(0)
            .max(9);
        writeln!(
            text,
            "{:<wide$}  {:>16}  {:>14}  {:>9}",
            "parameter", "value", "standard error", "relative"
        )
        .ok();
        for ((name, x), e) in names.iter().zip(&values).zip(&errors) {
            if *e == 0.0 {
                writeln!(
                    text,
                    "{name:<wide$}  {:>16}  {:>14}",
                    digits(*x, 9),
                    "fixed"
                )
                .ok();
                continue;
            }
            let part = match (e / x).abs() {
                part if part.is_finite() => format!("{} %", digits(100.0 * part, 3)),
                _ => "-".into(),
            };
            writeln!(
                text,
                "{name:<wide$}  {:>16}  {:>14}  {part:>9}",
                digits(*x, 9),
                digits(*e, 4)
            )
            .ok();
        }
        writeln!(
            text,
            "{m} residuals, {dof} degrees of freedom, sum of squares {}, reduced chi-square {}",
            digits(number(&self.rss)?, 9),
            digits(number(&self.reduced_chi_square())?, 5),
        )
        .ok();
        writeln!(
            text,
            "AIC {}, BIC {}",
            digits(number(&self.aic()?)?, 6),
            digits(number(&self.bic()?)?, 6)
        )
        .ok();
        let free: Vec<usize> = (0..errors.len()).filter(|&i| errors[i] != 0.0).collect();
        if (2..=12).contains(&free.len()) {
            let correlation = self.correlation()?.to_vec_f64()?;
            writeln!(text, "correlations").ok();
            for (row, &i) in free.iter().enumerate().skip(1) {
                write!(text, "{:<wide$}", names[i]).ok();
                for &j in &free[..row] {
                    write!(text, "  {:>7.4}", correlation[i * errors.len() + j]).ok();
                }
                writeln!(text).ok();
            }
        }
        Ok(text)
    }
}

/// Reads any floats.
trait Floats {
    fn to_vec_f64(&self) -> Result<Vec<f64>>;
}

impl Floats for Array {
    fn to_vec_f64(&self) -> Result<Vec<f64>> {
        self.to(DType::F64).to_vec::<f64>()
    }
}

/// The name of each number of a tree.
fn names<P: Tree<Leaf = Array>>(params: &P) -> Vec<String> {
    let mut names = vec![];
    for (leaf, path) in tree::leaves(params).iter().zip(tree::paths(params)) {
        let name = match path.is_empty() {
            true => "x".into(),
            false => named(&path).trim_matches('`').to_string(),
        };
        let shape = leaf.shape();
        for i in 0..shape.iter().product() {
            let mut rest: usize = i;
            let mut at = vec![];
            for n in shape.iter().rev() {
                at.push(rest % n);
                rest /= n;
            }
            let at: Vec<String> = at.iter().rev().map(usize::to_string).collect();
            names.push(match shape.is_empty() {
                true => name.clone(),
                false => format!("{name}[{}]", at.join(", ")),
            });
        }
    }
    names
}

/// Formats a number with this many significant digits.
fn digits(x: f64, n: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let exponent = x.abs().log10().floor();
    if (-4.0..n as f64 + 3.0).contains(&exponent) {
        let places = n as f64 - 1.0 - exponent;
        format!("{x:.*}", places.max(0.0) as usize)
    } else {
        format!("{x:.*e}", n - 1)
    }
}

/// The table of a fit: its unknowns by their paths, with values, standard errors and correlations; of a batch, how many
/// ended how.
impl<P: Tree<Leaf = Array> + Clone> Display for Fit<P, Array> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.table() {
            Ok(table) => f.write_str(table.trim_end()),
            Err(error) => write!(f, "no fit: {error}"),
        }
    }
}
