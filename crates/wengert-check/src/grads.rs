//! Comparison of derivatives with finite differences.

use std::sync::Arc;

use wengert::Feed;
use wengert::prelude::*;
use wengert_ir::buffer::{Data, Dense};

use crate::close::{Failure, fail, near};
use crate::rng::Rng;

/// Options of [`check_grads_with`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The highest order of derivatives to check.
    pub order: usize,
    /// Whether forward mode is checked; not every function supports it (`custom_vjp`).
    pub forward: bool,
    /// Whether reverse mode is checked.
    pub reverse: bool,
    /// The step of the central differences.
    pub step: f64,
    /// Tolerance between a derivative and the differences, relative to one plus its absolute value.
    pub differences: f64,
    /// Tolerance between reverse mode and forward mode, relative to one plus its absolute value.
    pub modes: f64,
    /// The seed of the random directions.
    pub seed: u64,
}

impl Default for Options {
    /// Returns options for both modes to second order, with a step of 1e-5 and tolerances of `1e-6` to the
    /// differences and `1e-10` between the modes.
    fn default() -> Options {
        Options {
            order: 2,
            forward: true,
            reverse: true,
            step: 1e-5,
            differences: 1e-6,
            modes: 1e-10,
            seed: 0,
        }
    }
}

/// Checks the derivatives of `f` at `args` up to an order, in forward mode, in reverse mode and in all their
/// combinations, against central differences along random directions. See [`Options`] for the tolerances.
///
/// The `f64` leaves of the argument are varied, the others are fixed; of the results, only `f64` leaves are
/// checked. The function should be smooth near `args`.
///
/// # Errors
/// If a derivative differs from the differences, or if `f` has a mistake.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_check::check_grads;
///
/// check_grads(|[x, y]: [Var; 2]| x.sin() * y, [0.5, 2.0], 3)?;
/// let wrong = custom_jvp(|x: Var| x.sin(), |x, dx| (x.sin(), dx * x));
/// assert!(check_grads(wrong, 0.5, 1).is_err());
/// # Ok::<(), wengert_check::Failure>(())
/// ```
pub fn check_grads<X, Y, F, A>(f: F, args: A, order: usize) -> Result<(), Failure>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Send + Sync + 'static,
    A: Feed<X::With<Array>>,
{
    let options = Options {
        order,
        ..Options::default()
    };
    check_grads_with(f, args, &options)
}

/// Does [`check_grads`] with other modes, tolerances or directions.
///
/// # Errors
/// As [`check_grads`].
pub fn check_grads_with<X, Y, F, A>(f: F, args: A, options: &Options) -> Result<(), Failure>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Send + Sync + 'static,
    A: Feed<X::With<Array>>,
{
    let (leaves, def) = tree::feed::<X::With<Array>, A>(args);
    let varied: Vec<bool> = leaves.iter().map(|a| a.dtype() == DType::F64).collect();
    if !varied.contains(&true) {
        return fail("check_grads: no leaf of the argument is f64");
    }
    // A function of the varied leaves, with the others filled in.
    let fixed = leaves.clone();
    let which = varied.clone();
    let smooth = move |x: Vec<Var>| {
        let mut x = x.into_iter();
        let leaf = |(a, varied): (&Array, &bool)| match varied {
            true => x.next().expect("one for each leaf that is varied"),
            false => Var::from(a),
        };
        let all: Vec<Var> = fixed.iter().zip(&which).map(leaf).collect();
        let x: X = tree::unflatten(&def, all).expect("the structure of the arguments");
        let (y, _) = tree::flatten(f(x));
        y.into_iter().filter(|y| y.dtype() == DType::F64).collect()
    };
    let point = leaves.into_iter().zip(varied).filter(|(_, v)| *v);
    let point: Vec<Array> = point.map(|(a, _)| a).collect();
    let mut check = Check {
        options,
        rng: Rng::new(options.seed),
    };
    check.order(&(Arc::new(smooth) as Function), &point, options.order, "f")
}

type Function = Arc<dyn Fn(Vec<Var>) -> Vec<Var> + Send + Sync>;

struct Check<'a> {
    options: &'a Options,
    rng: Rng,
}

impl Check<'_> {
    /// Checks the first derivative of `f`, then that of its derivative along a direction, in each mode.
    fn order(
        &mut self,
        f: &Function,
        x: &[Array],
        order: usize,
        name: &str,
    ) -> Result<(), Failure> {
        if order == 0 {
            return Ok(());
        }
        let value = call(f, x)?;
        let dx: Vec<Array> = x.iter().map(|a| self.direction(a)).collect();
        let ct: Vec<Array> = value.iter().map(|a| self.direction(a)).collect();
        let slope = self.slope(f, x, &dx, &ct)?;
        let mut forward = None;
        if self.options.forward {
            let dx = dx.clone();
            let f = f.clone();
            let jvp: Function = Arc::new(move |x| tangent(&f, x, &dx));
            let name = format!("the forward derivative of {name}");
            let got = dot(&call(&jvp, x)?, &ct);
            self.compare(&name, got, "differences", slope, self.options.differences)?;
            forward = Some(got);
            self.order(&jvp, x, order - 1, &name)?;
        }
        if self.options.reverse {
            let f = f.clone();
            let pull: Function = Arc::new(move |x| cotangent(&f, x, &ct));
            let name = format!("the reverse derivative of {name}");
            let got = dot(&call(&pull, x)?, &dx);
            self.compare(&name, got, "differences", slope, self.options.differences)?;
            if let Some(forward) = forward {
                self.compare(&name, got, "forward mode", forward, self.options.modes)?;
            }
            self.order(&pull, x, order - 1, &name)?;
        }
        Ok(())
    }

    /// Computes the derivative of `<ct, f>` along `dx` by central differences.
    fn slope(&self, f: &Function, x: &[Array], dx: &[Array], ct: &[Array]) -> Result<f64, Failure> {
        let step = self.options.step;
        let at = |h: f64| {
            let moved = x.iter().zip(dx).map(|(x, dx)| moved(x, dx, h));
            call(f, &moved.collect::<Vec<_>>())
        };
        // Differences are taken element by element: large values that do not change would drown them.
        let (after, before) = (at(step)?, at(-step)?);
        let quotient = after.iter().zip(&before).map(|(a, b)| {
            let pairs = floats(a).iter().zip(floats(b));
            let slopes = pairs.map(|(a, b)| (a - b) / (2.0 * step)).collect();
            Array::from_dense(Dense::of(a.shape().to_vec(), slopes))
        });
        Ok(dot(&quotient.collect::<Vec<_>>(), ct))
    }

    fn compare(
        &self,
        name: &str,
        got: f64,
        what: &str,
        want: f64,
        tolerance: f64,
    ) -> Result<(), Failure> {
        match near(got, want, tolerance) && !got.is_nan() {
            true => Ok(()),
            false => fail(format!(
                "{name} along a random direction is {got:?}, and {what} give {want:?} (they may \
                 differ by {tolerance:e}, relative to one plus their size)"
            )),
        }
    }

    fn direction(&mut self, like: &Array) -> Array {
        let elements = (0..like.len()).map(|_| self.rng.uniform(-1.0, 1.0));
        Array::from_dense(Dense::of(
            like.shape().to_vec(),
            elements.collect::<Vec<_>>(),
        ))
    }
}

fn tangent(f: &Function, x: Vec<Var>, dx: &[Array]) -> Vec<Var> {
    jvp(|x| f(x), x, dx.iter().map(Var::from).collect()).1
}

fn cotangent(f: &Function, x: Vec<Var>, ct: &[Array]) -> Vec<Var> {
    let (_, pull) = vjp(|x| f(x), x);
    pull(ct.iter().map(Var::from).collect())
}

fn call(f: &Function, x: &[Array]) -> Result<Vec<Array>, Failure> {
    let f = f.clone();
    Ok(jit(move |x: Vec<Var>| f(x)).call(x.to_vec())?)
}

fn floats(a: &Array) -> &[f64] {
    match &*a.dense().data {
        Data::F64(v) => v,
        _ => unreachable!("only f64 leaves are varied and compared"),
    }
}

fn moved(x: &Array, dx: &Array, h: f64) -> Array {
    let elements = floats(x).iter().zip(floats(dx)).map(|(x, d)| x + h * d);
    Array::from_dense(Dense::of(x.shape().to_vec(), elements.collect()))
}

fn dot(a: &[Array], b: &[Array]) -> f64 {
    let products = a
        .iter()
        .zip(b)
        .flat_map(|(a, b)| floats(a).iter().zip(floats(b)));
    products.map(|(a, b)| a * b).sum()
}
