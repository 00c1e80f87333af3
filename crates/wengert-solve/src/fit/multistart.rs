//! Fits from many starts.

use wengert::prelude::*;
use wengert::{Error, IntoTree, Result, Tree, vmap};

use super::{Fit, LevenbergMarquardt};
use crate::State;
use crate::watch::Watch;

/// A place where fits from several starts ended: see [`Fit::minima`].
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The cost of the best of them.
    pub cost: f64,
    /// The numbers of the starts that ended here, the best first.
    pub starts: Vec<usize>,
}

/// Fits from many starts side by side, with the default options: the leaves of `starts` are those of the unknowns with an
/// axis for the starts in front. It is [`least_squares`](super::least_squares) in [`vmap`], and so is what it returns;
/// [`Fit::minima`] says which starts ended where, and [`Fit::element`] takes one of them.
///
/// # Errors
/// As [`least_squares`](super::least_squares).
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::multistart;
///
/// // x⁴ - 8 x² has two minima, of different cost beside a slope.
/// let fit = jit(|starts: Var| multistart(|x: Var| (x * x - 4.0, 0.1 * (x + 2.0)), starts));
/// let fits = fit.call([-3.0, 1.0, -0.5, 3.0])?;
/// let minima = fits.minima(1e-6)?;
/// assert_eq!(minima.len(), 2);
/// assert_eq!((minima[0].starts.len(), minima[0].cost < 1e-20), (2, true));
/// let best = fits.element(minima[0].starts[0])?.ok()?;
/// assert!((best.params.item::<f64>()? + 2.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn multistart<I: IntoTree<Tree: State>, A: IntoTree>(
    residuals: impl Fn(I::Tree) -> A,
    starts: I,
) -> Fit<I::Tree> {
    LevenbergMarquardt::new().multistart(residuals, starts)
}

impl<W: Watch> LevenbergMarquardt<W> {
    /// Is [`multistart`] with these options.
    ///
    /// # Errors
    /// As [`multistart`].
    #[track_caller]
    pub fn multistart<I: IntoTree<Tree: State>, A: IntoTree>(
        &self,
        residuals: impl Fn(I::Tree) -> A,
        starts: I,
    ) -> Fit<I::Tree> {
        let place = std::panic::Location::caller();
        wengert::solver::asked_at(place, || {
            let residuals = |p: I::Tree| wengert::solver::inside(|| residuals(p).into_tree());
            let one = |start: I::Tree| {
                self.fit(
                    "multistart",
                    place,
                    &residuals,
                    super::Parameters::new(start),
                )
            };
            vmap(one)(starts.into_tree())
        })
    }
}

impl<P: Tree<Leaf = Array> + Clone> Fit<P, Array> {
    /// Groups the fits of a batch with one axis by their cost, the smallest first: a fit belongs to a group if its cost is
    /// larger than the smallest of it by at most `tolerance`, relative to it. Fits that did not converge are in no group.
    ///
    /// # Errors
    /// If this is not a batch with one axis.
    pub fn minima(&self, tolerance: f64) -> Result<Vec<Minimum>> {
        self.expect_batch("minima")?;
        let costs = self.cost.to(DType::F64).to_vec::<f64>()?;
        let statuses = self.statuses()?;
        let mut order: Vec<usize> = (0..costs.len())
            .filter(|&i| statuses[i].is_converged())
            .collect();
        order.sort_by(|&i, &j| costs[i].total_cmp(&costs[j]));
        // Costs of zero differ by rounding.
        let floor = f64::EPSILON
            * costs
                .iter()
                .copied()
                .filter(|c| c.is_finite())
                .fold(0.0, f64::max);
        let mut minima: Vec<Minimum> = vec![];
        for i in order {
            match minima.last_mut() {
                Some(last) if costs[i] <= last.cost * (1.0 + tolerance) + floor => {
                    last.starts.push(i)
                }
                _ => minima.push(Minimum {
                    cost: costs[i],
                    starts: vec![i],
                }),
            }
        }
        Ok(minima)
    }

    /// Returns one fit of a batch with one axis.
    ///
    /// # Errors
    /// If this is not a batch with one axis, or has fewer elements.
    pub fn element(&self, i: usize) -> Result<Fit<P, Array>>
    where
        Fit<P, Array>: Tree<Leaf = Array> + Clone,
    {
        let n = self.expect_batch("element")?;
        if i >= n {
            return Err(Error::value(
                "element",
                format!("the batch has {n} elements, and {i} is asked for"),
                None,
            ));
        }
        let mut failed = None;
        let one = tree::map(self.clone(), |leaf| {
            part(&leaf, i, n).unwrap_or_else(|e| {
                failed.get_or_insert(e);
                leaf
            })
        });
        failed.map_or(Ok(one), Err)
    }

    fn expect_batch(&self, op: &str) -> Result<usize> {
        match self.status.shape() {
            &[n] => Ok(n),
            shape => {
                let message =
                    format!("a batch of fits has one axis, and this has the shape {shape:?}");
                Err(Error::value(op, message, None))
            }
        }
    }
}

/// Returns one of the parts of an array along its first axis.
fn part(leaf: &Array, i: usize, n: usize) -> Result<Array> {
    let rest = leaf.shape().get(1..).unwrap_or(&[]).to_vec();
    let size: usize = rest.iter().product();
    if leaf.shape().first() != Some(&n) {
        return Err(Error::value(
            "element",
            "a leaf has another batch than the status",
            None,
        ));
    }
    let at = i * size..(i + 1) * size;
    match leaf.dtype() {
        DType::F32 => Array::from(&leaf.to_vec::<f32>()?[at]).reshape(rest),
        DType::I64 => Array::from(&leaf.to_vec::<i64>()?[at]).reshape(rest),
        _ => Array::from(&leaf.to_vec::<f64>()?[at]).reshape(rest),
    }
}
