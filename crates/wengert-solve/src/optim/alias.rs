//! Optimisers by their names.

use std::fmt;
use std::sync::Arc;

use wengert::prelude::*;

use super::clip::Mask;
use super::{
    AddDecayedWeights, Chain, Leaves, ScaleByAdam, ScaleByLion, ScaleByRms, ScaleByRss, Schedule,
    Slots, Transform, chain, scale_by_learning_rate, trace,
};

/// Makes a type a transformation by the chain that its method `parts` returns.
macro_rules! alias {
    ($type:ident, |$self:ident| $name:expr) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", self.name(), self.parts())
            }
        }

        impl Transform for $type {
            fn name(&$self) -> &'static str {
                $name
            }

            fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
                self.parts().init_leaves(params)
            }

            fn update_leaves(
                &self,
                updates: Vec<Var>,
                params: &Leaves,
                state: &mut Slots,
            ) -> Vec<Var> {
                self.parts().update_leaves(updates, params, state)
            }
        }
    };
}

/// Gradient descent. See [`sgd`].
#[derive(Clone)]
pub struct Sgd {
    rate: Schedule,
    momentum: Option<f64>,
    nesterov: bool,
}

/// Gradient descent with a learning rate, a number or a [`Schedule`].
pub fn sgd(rate: impl Into<Schedule>) -> Sgd {
    Sgd {
        rate: rate.into(),
        momentum: None,
        nesterov: false,
    }
}

impl Sgd {
    /// Adds momentum: see [`trace`].
    pub fn momentum(mut self, decay: f64) -> Sgd {
        self.momentum = Some(decay);
        self
    }

    /// Makes the momentum Nesterov's.
    pub fn nesterov(mut self) -> Sgd {
        self.nesterov = true;
        self
    }

    fn parts(&self) -> Chain {
        let rate = scale_by_learning_rate(self.rate.clone());
        match self.momentum {
            Some(decay) => chain((trace(decay, self.nesterov), rate)),
            None => chain((rate,)),
        }
    }
}

alias!(Sgd, |self| "sgd");

/// Adam, AdamW, and the two with Nesterov's momentum. See [`adam`].
#[derive(Clone)]
pub struct Adam {
    rate: Schedule,
    scale: ScaleByAdam,
    decay: Option<f64>,
    mask: Option<Mask>,
}

/// Adam (Kingma and Ba, 2015) with `b1` 0.9, `b2` 0.999, `eps` 1e-8: see
/// [`scale_by_adam`](super::scale_by_adam).
pub fn adam(rate: impl Into<Schedule>) -> Adam {
    Adam {
        rate: rate.into(),
        scale: ScaleByAdam {
            b1: 0.9,
            b2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            nesterov: false,
        },
        decay: None,
        mask: None,
    }
}

/// Adam with decoupled weight decay of 1e-4 (Loshchilov and Hutter, "Decoupled weight decay regularization",
/// 2019).
pub fn adamw(rate: impl Into<Schedule>) -> Adam {
    adam(rate).weight_decay(1e-4)
}

/// Adam with Nesterov's momentum (Dozat, "Incorporating Nesterov momentum into Adam", 2016).
pub fn nadam(rate: impl Into<Schedule>) -> Adam {
    adam(rate).nesterov()
}

/// [`nadam`] with decoupled weight decay of 1e-4.
pub fn nadamw(rate: impl Into<Schedule>) -> Adam {
    nadam(rate).weight_decay(1e-4)
}

impl Adam {
    /// Sets the weight of the old average of gradients.
    pub fn b1(mut self, b1: f64) -> Adam {
        self.scale.b1 = b1;
        self
    }

    /// Sets the weight of the old average of squares.
    pub fn b2(mut self, b2: f64) -> Adam {
        self.scale.b2 = b2;
        self
    }

    /// Sets what is added to the root.
    pub fn eps(mut self, eps: f64) -> Adam {
        self.scale.eps = eps;
        self
    }

    /// Sets what is added under the root.
    pub fn eps_root(mut self, eps: f64) -> Adam {
        self.scale.eps_root = eps;
        self
    }

    /// Makes the momentum Nesterov's.
    pub fn nesterov(mut self) -> Adam {
        self.scale.nesterov = true;
        self
    }

    /// Adds `decay` times the parameters to the updates, before they are multiplied by the learning rate.
    pub fn weight_decay(mut self, decay: f64) -> Adam {
        self.decay = Some(decay);
        self
    }

    /// Restricts weight decay to the parameters whose path fulfils `mask`.
    pub fn mask(mut self, mask: impl Fn(&str) -> bool + Send + Sync + 'static) -> Adam {
        self.mask = Some(Arc::new(mask));
        self
    }

    fn parts(&self) -> Chain {
        let rate = scale_by_learning_rate(self.rate.clone());
        match self.decay {
            Some(decay) => {
                let decay = AddDecayedWeights::with(decay, self.mask.clone());
                chain((self.scale, decay, rate))
            }
            None => chain((self.scale, rate)),
        }
    }
}

alias!(Adam, |self| match (self.decay, self.scale.nesterov) {
    (None, false) => "adam",
    (Some(_), false) => "adamw",
    (None, true) => "nadam",
    (Some(_), true) => "nadamw",
});

/// RMSProp. See [`rmsprop`].
#[derive(Clone)]
pub struct RmsProp {
    rate: Schedule,
    scale: ScaleByRms,
    momentum: Option<f64>,
    nesterov: bool,
}

/// RMSProp (Tieleman and Hinton, 2012) with `decay` 0.9 and `eps` 1e-8: see
/// [`scale_by_rms`](super::scale_by_rms).
pub fn rmsprop(rate: impl Into<Schedule>) -> RmsProp {
    RmsProp {
        rate: rate.into(),
        scale: ScaleByRms {
            decay: 0.9,
            eps: 1e-8,
            start: 0.0,
            centered: false,
        },
        momentum: None,
        nesterov: false,
    }
}

impl RmsProp {
    /// Sets the weight of the old average of squares.
    pub fn decay(mut self, decay: f64) -> RmsProp {
        self.scale.decay = decay;
        self
    }

    /// Sets what is added under the root.
    pub fn eps(mut self, eps: f64) -> RmsProp {
        self.scale.eps = eps;
        self
    }

    /// Sets the first average of squares.
    pub fn start(mut self, start: f64) -> RmsProp {
        self.scale.start = start;
        self
    }

    /// Divides by the root of the variance.
    pub fn centered(mut self) -> RmsProp {
        self.scale.centered = true;
        self
    }

    /// Adds momentum, after the learning rate.
    pub fn momentum(mut self, decay: f64) -> RmsProp {
        self.momentum = Some(decay);
        self
    }

    /// Makes the momentum Nesterov's.
    pub fn nesterov(mut self) -> RmsProp {
        self.nesterov = true;
        self
    }

    fn parts(&self) -> Chain {
        let rate = scale_by_learning_rate(self.rate.clone());
        match self.momentum {
            Some(decay) => chain((self.scale, rate, trace(decay, self.nesterov))),
            None => chain((self.scale, rate)),
        }
    }
}

alias!(RmsProp, |self| "rmsprop");

/// Adagrad. See [`adagrad`].
#[derive(Clone)]
pub struct Adagrad {
    rate: Schedule,
    scale: ScaleByRss,
}

/// Adagrad (Duchi, Hazan and Singer, 2011), whose sum of squares starts at 0.1, with `eps` 1e-7: see
/// [`scale_by_rss`](super::scale_by_rss).
pub fn adagrad(rate: impl Into<Schedule>) -> Adagrad {
    Adagrad {
        rate: rate.into(),
        scale: ScaleByRss {
            start: 0.1,
            eps: 1e-7,
        },
    }
}

impl Adagrad {
    /// Sets what is added under the root.
    pub fn eps(mut self, eps: f64) -> Adagrad {
        self.scale.eps = eps;
        self
    }

    /// Sets the first sum of squares.
    pub fn start(mut self, start: f64) -> Adagrad {
        self.scale.start = start;
        self
    }

    fn parts(&self) -> Chain {
        chain((self.scale, scale_by_learning_rate(self.rate.clone())))
    }
}

alias!(Adagrad, |self| "adagrad");

/// Lion. See [`lion`].
#[derive(Clone)]
pub struct Lion {
    rate: Schedule,
    scale: ScaleByLion,
    decay: f64,
    mask: Option<Mask>,
}

/// Lion (Chen et al., 2023) with `b1` 0.9, `b2` 0.99 and weight decay 1e-3: see
/// [`scale_by_lion`](super::scale_by_lion).
pub fn lion(rate: impl Into<Schedule>) -> Lion {
    Lion {
        rate: rate.into(),
        scale: ScaleByLion { b1: 0.9, b2: 0.99 },
        decay: 1e-3,
        mask: None,
    }
}

impl Lion {
    /// Sets the weight of the average in the sign.
    pub fn b1(mut self, b1: f64) -> Lion {
        self.scale.b1 = b1;
        self
    }

    /// Sets the weight of the old average.
    pub fn b2(mut self, b2: f64) -> Lion {
        self.scale.b2 = b2;
        self
    }

    /// Sets the weight decay.
    pub fn weight_decay(mut self, decay: f64) -> Lion {
        self.decay = decay;
        self
    }

    /// Restricts weight decay to the parameters whose path fulfils `mask`.
    pub fn mask(mut self, mask: impl Fn(&str) -> bool + Send + Sync + 'static) -> Lion {
        self.mask = Some(Arc::new(mask));
        self
    }

    fn parts(&self) -> Chain {
        let decay = AddDecayedWeights::with(self.decay, self.mask.clone());
        let rate = scale_by_learning_rate(self.rate.clone());
        chain((self.scale, decay, rate))
    }
}

alias!(Lion, |self| "lion");
