//! The parts that optimisers are made of.

use wengert::prelude::*;

use super::{Leaves, Schedule, Slots, Transform};

/// Applies `f` to pairs of leaves.
fn pairs(a: &[Var], b: &[Var], f: impl Fn(Var, Var) -> Var) -> Vec<Var> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

/// Moves averages with weight `decay` towards `x`.
fn moved(decay: f64, average: &[Var], x: &[Var]) -> Vec<Var> {
    pairs(average, x, |m, x| decay * m + (1.0 - decay) * x)
}

fn squared(x: &[Var]) -> Vec<Var> {
    x.iter().map(|x| x.square()).collect()
}

/// Returns `1 - decay^count`, by which an average of `count` numbers that started at zero is too small.
pub(super) fn bias(decay: f64, count: Var) -> Var {
    1.0 - Var::from(decay).powf(count.to(DType::F64))
}

/// Divides by a number in each leaf's element type.
pub(super) fn over(x: &[Var], divisor: Var) -> Vec<Var> {
    x.iter().map(|&x| x / divisor.to(x.dtype())).collect()
}

/// Multiplies updates by a number. See [`scale`].
#[derive(Clone, Copy, Debug)]
pub struct Scale(f64);

/// Multiplies updates by `factor`: a learning rate is `scale(-rate)`.
pub fn scale(factor: f64) -> Scale {
    Scale(factor)
}

impl Transform for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn init_leaves(&self, _: &Leaves) -> Vec<Var> {
        vec![]
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, _: &mut Slots) -> Vec<Var> {
        updates.into_iter().map(|u| u * self.0).collect()
    }
}

/// Multiplies updates by a schedule. See [`scale_by_schedule`] and [`scale_by_learning_rate`].
#[derive(Clone, Debug)]
pub struct ScaleBySchedule {
    schedule: Schedule,
    sign: f64,
}

/// Multiplies updates by a schedule.
pub fn scale_by_schedule(schedule: impl Into<Schedule>) -> ScaleBySchedule {
    ScaleBySchedule {
        schedule: schedule.into(),
        sign: 1.0,
    }
}

/// Multiplies updates by a learning rate and -1: what makes gradients a descent.
pub fn scale_by_learning_rate(rate: impl Into<Schedule>) -> ScaleBySchedule {
    ScaleBySchedule {
        schedule: rate.into(),
        sign: -1.0,
    }
}

impl Transform for ScaleBySchedule {
    fn name(&self) -> &'static str {
        "scale_by_schedule"
    }

    fn init_leaves(&self, _: &Leaves) -> Vec<Var> {
        vec![Var::scalar(0i64)]
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let count = state.take_one();
        let factor = self.sign * self.schedule.at(count);
        state.put([count + 1]);
        updates
            .into_iter()
            .map(|u| u * factor.to(u.dtype()))
            .collect()
    }
}

/// Replaces updates by zeros. See [`set_to_zero`].
#[derive(Clone, Copy, Debug)]
pub struct SetToZero;

/// Replaces updates by zeros: with [`masked`](super::masked) it freezes parameters.
pub fn set_to_zero() -> SetToZero {
    SetToZero
}

impl Transform for SetToZero {
    fn name(&self) -> &'static str {
        "set_to_zero"
    }

    fn init_leaves(&self, _: &Leaves) -> Vec<Var> {
        vec![]
    }

    fn update_leaves(&self, _: Vec<Var>, params: &Leaves, _: &mut Slots) -> Vec<Var> {
        params.zeros()
    }
}

/// Momentum. See [`trace`].
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    decay: f64,
    nesterov: bool,
}

/// Adds updates up with a decay: `t = g + decay · t`, the heavy ball of Polyak (1964). With Nesterov's momentum
/// (Sutskever et al., 2013) the update is `g + decay · t`.
pub fn trace(decay: f64, nesterov: bool) -> Trace {
    Trace { decay, nesterov }
}

impl Transform for Trace {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        params.zeros()
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let add = |g, t| g + self.decay * t;
        let sums = pairs(&updates, &state.take(updates.len()), add);
        state.put(sums.clone());
        match self.nesterov {
            true => pairs(&updates, &sums, add),
            false => sums,
        }
    }
}

/// A moving average of updates. See [`ema`].
#[derive(Clone, Copy, Debug)]
pub struct EmaOfUpdates {
    decay: f64,
    debias: bool,
}

/// Replaces updates by their exponential moving average, divided by `1 - decay^count` if `debias`. For an
/// average of parameters, see [`Ema`](super::Ema).
pub fn ema(decay: f64, debias: bool) -> EmaOfUpdates {
    EmaOfUpdates { decay, debias }
}

impl Transform for EmaOfUpdates {
    fn name(&self) -> &'static str {
        "ema"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        [vec![Var::scalar(0i64)], params.zeros()].concat()
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let count = state.take_one() + 1;
        let averages = moved(self.decay, &state.take(updates.len()), &updates);
        state.put([count]);
        state.put(averages.clone());
        match self.debias {
            true => over(&averages, bias(self.decay, count)),
            false => averages,
        }
    }
}

/// Adam's scaling. See [`scale_by_adam`].
#[derive(Clone, Copy, Debug)]
pub struct ScaleByAdam {
    pub(super) b1: f64,
    pub(super) b2: f64,
    pub(super) eps: f64,
    pub(super) eps_root: f64,
    pub(super) nesterov: bool,
}

/// Divides the moving average of gradients by the root of that of their squares (Kingma and Ba, "Adam", 2015):
/// `m / (√(v + eps_root) + eps)`, both averages without their bias. With `nesterov`, `m` is one step ahead
/// (Dozat, 2016).
pub fn scale_by_adam(b1: f64, b2: f64, eps: f64, eps_root: f64, nesterov: bool) -> ScaleByAdam {
    ScaleByAdam {
        b1,
        b2,
        eps,
        eps_root,
        nesterov,
    }
}

impl Transform for ScaleByAdam {
    fn name(&self) -> &'static str {
        "scale_by_adam"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        [vec![Var::scalar(0i64)], params.zeros(), params.zeros()].concat()
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let n = updates.len();
        let count = state.take_one() + 1;
        let m = moved(self.b1, &state.take(n), &updates);
        let v = moved(self.b2, &state.take(n), &squared(&updates));
        state.put([count]);
        state.put(m.clone());
        state.put(v.clone());
        let ahead = match self.nesterov {
            true => moved(
                self.b1,
                &over(&m, bias(self.b1, count + 1)),
                &over(&updates, bias(self.b1, count)),
            ),
            false => over(&m, bias(self.b1, count)),
        };
        pairs(&ahead, &over(&v, bias(self.b2, count)), |m, v| {
            // A derivative through all steps must pass a gradient of zero.
            let x = v + self.eps_root;
            let is_zero = x.eq(0.0);
            let root = is_zero.select(0.0, is_zero.select(1.0, x).sqrt());
            m / (root + self.eps)
        })
    }
}

/// The scaling of RMSProp. See [`scale_by_rms`].
#[derive(Clone, Copy, Debug)]
pub struct ScaleByRms {
    pub(super) decay: f64,
    pub(super) eps: f64,
    pub(super) start: f64,
    pub(super) centered: bool,
}

/// Divides gradients by the root of the moving average of their squares, which starts at `start` (Tieleman and
/// Hinton, 2012): `g / √(v + eps)`; if `centered`, by that of their variance (Graves, 2013).
pub fn scale_by_rms(decay: f64, eps: f64, start: f64, centered: bool) -> ScaleByRms {
    ScaleByRms {
        decay,
        eps,
        start,
        centered,
    }
}

impl Transform for ScaleByRms {
    fn name(&self) -> &'static str {
        "scale_by_rms"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        let squares = params.values.iter().map(|p| full_like(*p, self.start));
        match self.centered {
            true => squares.chain(params.zeros()).collect(),
            false => squares.collect(),
        }
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let n = updates.len();
        let v = moved(self.decay, &state.take(n), &squared(&updates));
        state.put(v.clone());
        let v = match self.centered {
            true => {
                let m = moved(self.decay, &state.take(n), &updates);
                state.put(m.clone());
                pairs(&v, &m, |v, m| v - m.square())
            }
            false => v,
        };
        pairs(&updates, &v, |g, v| g * (v + self.eps).rsqrt())
    }
}

/// The scaling of Adagrad. See [`scale_by_rss`].
#[derive(Clone, Copy, Debug)]
pub struct ScaleByRss {
    pub(super) start: f64,
    pub(super) eps: f64,
}

/// Divides gradients by the root of the sum of all their squares, which starts at `start` (Duchi, Hazan and
/// Singer, "Adaptive subgradient methods", 2011): `g / √(s + eps)`, and 0 where `s` is 0.
pub fn scale_by_rss(start: f64, eps: f64) -> ScaleByRss {
    ScaleByRss { start, eps }
}

impl Transform for ScaleByRss {
    fn name(&self) -> &'static str {
        "scale_by_rss"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        let sums = params.values.iter().map(|p| full_like(*p, self.start));
        sums.collect()
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let old = state.take(updates.len());
        let sums = pairs(&updates, &old, |g, s| g.square() + s);
        state.put(sums.clone());
        pairs(&updates, &sums, |g, s| {
            let any = s.gt(0.0);
            any.select(g * (any.select(s, 1.0) + self.eps).rsqrt(), 0.0)
        })
    }
}

/// The signs of Lion. See [`scale_by_lion`].
#[derive(Clone, Copy, Debug)]
pub struct ScaleByLion {
    pub(super) b1: f64,
    pub(super) b2: f64,
}

/// Replaces gradients by the sign of `b1 · m + (1 - b1) · g`, where `m` is their moving average of weight `b2`
/// (Chen et al., "Symbolic discovery of optimization algorithms", 2023).
pub fn scale_by_lion(b1: f64, b2: f64) -> ScaleByLion {
    ScaleByLion { b1, b2 }
}

impl Transform for ScaleByLion {
    fn name(&self) -> &'static str {
        "scale_by_lion"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        params.zeros()
    }

    fn update_leaves(&self, updates: Vec<Var>, _: &Leaves, state: &mut Slots) -> Vec<Var> {
        let m = state.take(updates.len());
        state.put(moved(self.b2, &m, &updates));
        let mixed = moved(self.b1, &m, &updates);
        mixed.into_iter().map(Var::sign).collect()
    }
}
