//! Averages of parameters.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, same_trees};

use super::scale::{bias, over};
use crate::State;

/// An exponential moving average of parameters: `a = decay · a + (1 - decay) · p`, divided by
/// `1 - decay^count` where it is read, so that the first values do not count as zeros.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::Ema;
///
/// let mean = jit(|xs: Var| {
///     let ema = Ema::new(0.5);
///     let state = ema.init(&xs.at(0));
///     ema.value(&scan(state, xs, |s, x| (ema.update(s, &x), ())).0)
/// });
/// // (1/8 · 4 + 1/4 · 0 + 1/2 · 8) / (7/8)
/// assert!((mean.call([4.0, 0.0, 8.0])?.item::<f64>()? - 36.0 / 7.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ema {
    decay: f64,
}

/// The state of an [`Ema`]: the average so far, with its bias, and the number of values.
#[derive(Tree, Clone, Debug)]
pub struct EmaState<P, T = Var> {
    sum: P,
    count: T,
}

impl Ema {
    /// Makes an average of weight `decay`, a number from 0 to less than 1.
    pub fn new(decay: f64) -> Ema {
        Ema { decay }
    }

    /// Makes the state, before the first value.
    ///
    /// # Errors
    /// If a leaf is not a float.
    #[track_caller]
    pub fn init<X: State>(&self, params: &X) -> EmaState<X> {
        asked_at(Location::caller(), || {
            expect_floats("ema", "the parameter", params);
            EmaState {
                sum: tree::zeros_like(params),
                count: Var::scalar(0i64),
            }
        })
    }

    /// Adds a value.
    ///
    /// # Errors
    /// If it has not the structure and types of the state.
    #[track_caller]
    pub fn update<X: State>(&self, state: EmaState<X>, params: &X) -> EmaState<X> {
        asked_at(Location::caller(), || {
            same_trees("ema", ["the average", "the value"], &state.sum, params);
            let next = |a: Var, p: Var| self.decay * a + (1.0 - self.decay) * p;
            EmaState {
                sum: tree::map2(state.sum, params.clone(), next),
                count: state.count + 1,
            }
        })
    }

    /// Returns the average; of no values it is zero.
    #[track_caller]
    pub fn value<X: State>(&self, state: &EmaState<X>) -> X {
        asked_at(Location::caller(), || {
            let none = state.count.eq(0);
            let bias = none.select(1.0, bias(self.decay, state.count));
            tree::map(state.sum.clone(), |a| over(&[a], bias)[0])
        })
    }
}
