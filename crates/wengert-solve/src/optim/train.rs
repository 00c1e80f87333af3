//! The loop.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse};
use wengert::{IntoTree, Over, debug_callback};

use super::{Ema, OptState, Transform, apply, norm_of};
use crate::{State, Step};

/// The result of training.
#[derive(Tree, Clone, Debug)]
pub struct Trained<P, T = Var> {
    /// The parameters after the last step.
    pub params: P,
    /// Their moving average, if [`Train::average`] asks for it.
    pub average: Option<P>,
    /// The loss before each step.
    pub losses: T,
    /// The state after the last step, with which training may go on.
    pub state: OptState<T>,
}

/// Options of [`train`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::{Train, adam};
///
/// let f = jit(|x: Var| {
///     let log = |s: wengert_solve::Step<f64>| assert!(s.value <= 4.0);
///     Train::new(adam(0.1)).average(0.9).on_step(log).run(x, 0..200, |x, _| x.square().sum())
/// });
/// let result = f.call([1.0, -1.0])?;
/// assert_eq!(result.losses.shape(), [200]);
/// assert!(result.average.unwrap().to_vec::<f64>()?[0].abs() < 1e-2);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone)]
pub struct Train<R> {
    rule: R,
    average: Option<f64>,
    on_step: Option<OnStep>,
    state: Option<OptState>,
}

type OnStep = Arc<dyn Fn(Step<f64>) + Send + Sync>;

impl<R: fmt::Debug> fmt::Debug for Train<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Train({:?})", self.rule)
    }
}

impl<R: Transform> Train<R> {
    /// Makes a loop with this transformation.
    pub fn new(rule: R) -> Train<R> {
        Train {
            rule,
            average: None,
            on_step: None,
            state: None,
        }
    }

    /// Also returns the moving average of the parameters after each step: see [`Ema`].
    pub fn average(mut self, decay: f64) -> Train<R> {
        self.average = Some(decay);
        self
    }

    /// Calls a Rust function after each step, with the number of steps so far, the loss before it, and the norm of
    /// the update. Without it no call is recorded. A batch of loops with such calls runs one element after the other.
    pub fn on_step(mut self, f: impl Fn(Step<f64>) + Send + Sync + 'static) -> Train<R> {
        self.on_step = Some(Arc::new(f));
        self
    }

    /// Starts from a state, such as that of an earlier [`Trained`], and not from that of `init`.
    pub fn state(mut self, state: OptState) -> Train<R> {
        self.state = Some(state);
        self
    }

    /// Trains: see [`train`].
    ///
    /// # Errors
    /// Those of [`train`].
    #[track_caller]
    pub fn run<I, S>(
        &self,
        params: I,
        xs: S,
        loss: impl Fn(I::Tree, S::Row) -> Var,
    ) -> Trained<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        S: Over,
    {
        let place = Location::caller();
        asked_at(place, || {
            let params = params.into_tree();
            expect_floats("train", "the parameter", &params);
            let state = match &self.state {
                Some(state) => state.clone(),
                None => self.rule.init(&params),
            };
            let ema = self.average.map(Ema::new);
            let average = ema.map(|ema| ema.init(&params));
            let start = (params, state, average, Var::scalar(0i64));
            let ((params, state, average, _), losses) = scan(start, xs, |carry, row| {
                asked_at(place, || {
                    let (params, state, average, step): (I::Tree, OptState, Option<_>, Var) = carry;
                    let (value, slope) = value_and_grad_at(params.clone(), |p| {
                        let value = inside(|| loss(p, row));
                        asked_at(place, || expect_scalar(value));
                        value
                    });
                    let (update, state) = self.rule.update(slope, state, &params);
                    if let Some(f) = &self.on_step {
                        let done = Step {
                            iteration: step + 1,
                            value,
                            step: norm_of(&tree::leaves(&update)),
                        };
                        watch(f.clone(), done);
                    }
                    let params = apply(params, update);
                    let average =
                        (ema.zip(average)).map(|(ema, average)| ema.update(average, &params));
                    ((params, state, average, step + 1), value)
                })
            });
            Trained {
                params,
                average: (ema.zip(average)).map(|(ema, average)| ema.value(&average)),
                losses,
                state,
            }
        })
    }
}

/// Requires a loss to be a float scalar.
fn expect_scalar(loss: Var) {
    let ty = loss.ty();
    if !ty.is_float() || ty.rank() != 0 {
        let message = format!("the loss is {ty}, and must be a float scalar; take its mean");
        refuse("train", message);
    }
}

fn watch(f: OnStep, step: Step) {
    let number = |x: &Array| x.item::<f64>().unwrap_or(f64::NAN);
    let tell = move |step: Step<Array>| {
        let [iteration, value, step] = [&step.iteration, &step.value, &step.step].map(number);
        f(Step {
            iteration,
            value,
            step,
        });
    };
    debug_callback(tell, tree::map(step, |x| x.to(DType::F64)));
}

/// Trains parameters, a tree of floats: in each step the gradient of `loss(params, row)` becomes an update. The
/// loop is a [`scan`] over `xs`: a range of numbers for so many steps on all data, keys that choose minibatches
/// (`key.split_into(steps)`), or the minibatches themselves.
///
/// The result has a derivative by all that `loss` and the learning rate capture, through all steps.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::{adam, train};
///
/// // The mean of 100 numbers, from eight of them in each step.
/// let fit = jit(|(data, key): (Var, Key)| {
///     let loss = move |m: Var, key: Key| (data.take(key.randint(0, 100, [8]), 0) - m).square().mean();
///     train(adam(0.05), 0.0, key.split_into(500), loss)
/// });
/// let data: Vec<f64> = (0..100).map(|i| 5.0 + 0.01 * f64::from(i)).collect();
/// let found = fit.call((data, Key::from_seed(1)))?;
/// assert!((found.params.item::<f64>()? - 5.5).abs() < 0.1);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If a parameter is not a float, the loss is not a float scalar, or `xs` has no rows to count.
#[track_caller]
pub fn train<I, S>(
    rule: impl Transform,
    params: I,
    xs: S,
    loss: impl Fn(I::Tree, S::Row) -> Var,
) -> Trained<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
    S: Over,
{
    Train::new(rule).run(params, xs, loss)
}

/// Returns the numbers of the data of each minibatch, `[epochs · (n / size), size]`: in each epoch the data are
/// permuted anew, and the last `n % size` of them are left out.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::minibatches;
///
/// let f = jit(|key: Key| minibatches(key, 10, 3, 2));
/// assert_eq!(f.call(Key::from_seed(0))?.shape(), [6, 3]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If `size` is 0 or above `n`.
#[track_caller]
pub fn minibatches(key: Key, n: usize, size: usize, epochs: usize) -> Var {
    asked_at(Location::caller(), || {
        if size == 0 || size > n {
            let message = format!("a minibatch of {size} of {n}: it has from 1 to all of the data");
            refuse("minibatches", message);
        }
        let each = n / size;
        let epoch = |key: Key| key.permutation(n).slice_axis(0, 0..each * size);
        let rows = vmap(epoch)(key.split_into(epochs));
        rows.reshape([epochs * each, size])
    })
}
