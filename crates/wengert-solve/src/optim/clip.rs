//! Bounds on updates, and weight decay.

use std::fmt;
use std::sync::Arc;

use wengert::prelude::*;

use super::{Leaves, Slots, Transform, norm_of};

/// Returns an update scaled down to a norm of at most `max`.
fn shortened(update: Var, norm: Var, max: f64) -> Var {
    let norm = norm.to(update.dtype());
    // A norm that is NaN or infinite makes NaN of the updates, which is what they are.
    norm.lt(max).select(update, update / norm * max)
}

macro_rules! stateless {
    ($name:literal, $type:ty, |$self:ident, $updates:ident, $params:ident| $body:expr) => {
        impl Transform for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn init_leaves(&self, _: &Leaves) -> Vec<Var> {
                vec![]
            }

            fn update_leaves(
                &$self,
                $updates: Vec<Var>,
                $params: &Leaves,
                _: &mut Slots,
            ) -> Vec<Var> {
                $body
            }
        }
    };
}

/// Bounds numbers. See [`clip`].
#[derive(Clone, Copy, Debug)]
pub struct Clip(f64);

/// Bounds each number of the updates by `-max` and `max`.
pub fn clip(max: f64) -> Clip {
    Clip(max)
}

stateless!("clip", Clip, |self, updates, _p| {
    updates
        .into_iter()
        .map(|u| u.clamp(-self.0, self.0))
        .collect()
});

/// Bounds the norm of all updates. See [`clip_by_global_norm`].
#[derive(Clone, Copy, Debug)]
pub struct ClipByGlobalNorm(f64);

/// Scales all updates down together, so that the norm of all their numbers is at most `max` (Pascanu, Mikolov
/// and Bengio, "On the difficulty of training recurrent neural networks", 2013).
pub fn clip_by_global_norm(max: f64) -> ClipByGlobalNorm {
    ClipByGlobalNorm(max)
}

stateless!(
    "clip_by_global_norm",
    ClipByGlobalNorm,
    |self, updates, _p| {
        let norm = norm_of(&updates);
        let all = updates.into_iter();
        all.map(|u| shortened(u, norm, self.0)).collect()
    }
);

/// Bounds the norm of each update. See [`clip_by_norm`].
#[derive(Clone, Copy, Debug)]
pub struct ClipByNorm(f64);

/// Scales each leaf of the updates down to a norm of at most `max`.
pub fn clip_by_norm(max: f64) -> ClipByNorm {
    ClipByNorm(max)
}

stateless!("clip_by_norm", ClipByNorm, |self, updates, _p| {
    let all = updates.into_iter();
    all.map(|u| shortened(u, norm_of(&[u]), self.0)).collect()
});

/// Which parameters, by the path of each.
pub(super) type Mask = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Weight decay. See [`add_decayed_weights`].
#[derive(Clone)]
pub struct AddDecayedWeights {
    decay: f64,
    mask: Option<Mask>,
}

impl fmt::Debug for AddDecayedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddDecayedWeights({})", self.decay)
    }
}

/// Adds `decay` times the parameters to the updates: decoupled weight decay (Loshchilov and Hutter, 2019) if it
/// comes after the scaling and before the learning rate.
pub fn add_decayed_weights(decay: f64) -> AddDecayedWeights {
    AddDecayedWeights { decay, mask: None }
}

impl AddDecayedWeights {
    /// Restricts it to the parameters whose path fulfils `mask`, such as `|path| path.ends_with(".w")`.
    pub fn mask(mut self, mask: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.mask = Some(Arc::new(mask));
        self
    }

    pub(super) fn with(decay: f64, mask: Option<Mask>) -> Self {
        AddDecayedWeights { decay, mask }
    }
}

stateless!(
    "add_decayed_weights",
    AddDecayedWeights,
    |self, updates, params| {
        let all = updates.into_iter().zip(&params.values).zip(&params.paths);
        all.map(|((u, p), path)| match &self.mask {
            Some(mask) if !mask(path) => u,
            _ => u + self.decay * *p,
        })
        .collect()
    }
);
