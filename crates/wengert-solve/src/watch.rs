//! Closures of the user that follow a solver.

use wengert::Array;
use wengert::prelude::*;

/// What a solver reports after a step.
#[derive(Tree, Clone, Copy, Debug, PartialEq)]
pub struct Step<T = Var> {
    /// The number of steps so far.
    pub iteration: T,
    /// The value that is minimised, or the length of the residual of a root.
    pub value: T,
    /// The length of the step.
    pub step: T,
}

/// What watches a solver: nothing, `()`, or a closure, [`OnStep`].
pub trait Watch: Clone {
    /// Records the call, if there is one, for an element in which `moved` holds.
    fn record(&self, moved: Var, step: Step);
}

impl Watch for () {
    fn record(&self, _: Var, _: Step) {}
}

/// A closure that is called after each step, by [`wengert::debug_callback`]: the elements of a batch run one by one.
#[derive(Clone, Copy)]
pub struct OnStep<F>(pub(crate) F);

impl<F: Fn(Step<f64>) + Clone + Send + Sync + 'static> Watch for OnStep<F> {
    fn record(&self, moved: Var, step: Step) {
        let f = self.0.clone();
        let tell = move |s: Step<Array>| {
            let [iteration, value, step] =
                [&s.iteration, &s.value, &s.step].map(|a| a.item::<f64>().unwrap_or(f64::NAN));
            f(Step {
                iteration,
                value,
                step,
            });
        };
        let step = tree::map(step, |v| v.to(DType::F64));
        cond(
            moved,
            step,
            |step: Step| {
                wengert::debug_callback(tell, step);
                Var::from(0i64)
            },
            |_| Var::from(0i64),
        );
    }
}
