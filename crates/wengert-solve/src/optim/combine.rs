//! Transformations made of others.

use std::fmt;
use std::sync::Arc;

use wengert::prelude::*;

use super::clip::Mask;
use super::{Leaves, Slots, Transform};

/// Several transformations in turn. See [`chain`].
#[derive(Clone)]
pub struct Chain(Vec<Arc<dyn Transform>>);

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|t| t.name()))
            .finish()
    }
}

/// Transformations that [`chain`] takes: a tuple of up to eight, or a vector or an array of one type.
pub trait Transforms {
    #[doc(hidden)]
    fn list(self) -> Vec<Arc<dyn Transform>>;
}

impl<A: Transform + 'static> Transforms for Vec<A> {
    fn list(self) -> Vec<Arc<dyn Transform>> {
        let each = self.into_iter();
        each.map(|t| Arc::new(t) as Arc<dyn Transform>).collect()
    }
}

impl<A: Transform + 'static, const N: usize> Transforms for [A; N] {
    fn list(self) -> Vec<Arc<dyn Transform>> {
        Vec::from(self).list()
    }
}

macro_rules! tuples {
    ($($t:ident)*) => {
        impl<$($t: Transform + 'static),*> Transforms for ($($t,)*) {
            #[allow(non_snake_case)]
            fn list(self) -> Vec<Arc<dyn Transform>> {
                let ($($t,)*) = self;
                vec![$(Arc::new($t)),*]
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

/// Applies transformations in turn: the updates of one are the gradients of the next.
///
/// ```
/// use wengert_solve::optim::{add_decayed_weights, chain, clip, scale_by_learning_rate, trace};
///
/// let rule = chain((
///     clip(1.0),
///     trace(0.9, false),
///     add_decayed_weights(1e-4).mask(|path| path.ends_with(".w")),
///     scale_by_learning_rate(0.1),
/// ));
/// ```
pub fn chain(transforms: impl Transforms) -> Chain {
    Chain(transforms.list())
}

impl Transform for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        self.0.iter().flat_map(|t| t.init_leaves(params)).collect()
    }

    fn update_leaves(&self, updates: Vec<Var>, params: &Leaves, state: &mut Slots) -> Vec<Var> {
        let all = self.0.iter();
        all.fold(updates, |u, t| t.update_leaves(u, params, state))
    }
}

/// A transformation of some of the parameters. See [`masked`].
#[derive(Clone)]
pub struct Masked<R> {
    inner: R,
    mask: Mask,
}

impl<R: fmt::Debug> fmt::Debug for Masked<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({:?})", self.inner)
    }
}

/// Applies a transformation to the parameters whose path fulfils `mask`, and leaves the updates of the others
/// as they are.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::{chain, masked, set_to_zero, sgd, train};
///
/// // The second parameter is frozen.
/// let rule = || chain((sgd(0.1), masked(set_to_zero(), |path| path == ".1")));
/// let f = jit(move |p: (Var, Var)| train(rule(), p, 0..10, |(a, b), _| a.square() + b.square()).params);
/// assert_eq!(f.call((1.0, 1.0))?.1.item::<f64>()?, 1.0);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn masked<R: Transform>(
    inner: R,
    mask: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Masked<R> {
    Masked {
        inner,
        mask: Arc::new(mask),
    }
}

impl<R> Masked<R> {
    /// Returns the numbers of the parameters that take part, and these.
    fn chosen(&self, params: &Leaves) -> (Vec<usize>, Leaves) {
        let all = 0..params.values.len();
        let places: Vec<usize> = all.filter(|&i| (self.mask)(&params.paths[i])).collect();
        let chosen = Leaves {
            values: places.iter().map(|&i| params.values[i]).collect(),
            paths: places.iter().map(|&i| params.paths[i].clone()).collect(),
        };
        (places, chosen)
    }
}

impl<R: Transform> Transform for Masked<R> {
    fn name(&self) -> &'static str {
        "masked"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        self.inner.init_leaves(&self.chosen(params).1)
    }

    fn update_leaves(&self, mut updates: Vec<Var>, params: &Leaves, state: &mut Slots) -> Vec<Var> {
        let (places, chosen) = self.chosen(params);
        let some = places.iter().map(|&i| updates[i]).collect();
        let new = self.inner.update_leaves(some, &chosen, state);
        for (i, u) in places.into_iter().zip(new) {
            updates[i] = u;
        }
        updates
    }
}

/// Runs a transformation in a branch: on its updates and state, or not at all.
fn in_branch(
    inner: &impl Transform,
    runs: Var,
    updates: Vec<Var>,
    params: &Leaves,
    state: Vec<Var>,
) -> (Vec<Var>, Vec<Var>) {
    cond(
        runs,
        (updates, state),
        |(updates, state)| {
            let mut slots = Slots::new(state);
            let updates = inner.update_leaves(updates, params, &mut slots);
            (updates, slots.new)
        },
        |(_, state)| (params.zeros(), state),
    )
}

/// A transformation of the mean of several gradients. See [`accumulate`].
#[derive(Clone, Copy, Debug)]
pub struct Accumulate<R> {
    inner: R,
    every: usize,
}

/// Adds up `every` gradients, and applies `inner` to their mean; the updates between are zeros. So batches may
/// be larger than memory.
pub fn accumulate<R: Transform>(inner: R, every: usize) -> Accumulate<R> {
    Accumulate {
        inner,
        every: every.max(1),
    }
}

impl<R: Transform> Transform for Accumulate<R> {
    fn name(&self) -> &'static str {
        "accumulate"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        let own = [vec![Var::scalar(0i64)], params.zeros()].concat();
        [own, self.inner.init_leaves(params)].concat()
    }

    fn update_leaves(&self, updates: Vec<Var>, params: &Leaves, state: &mut Slots) -> Vec<Var> {
        let count = state.take_one();
        let means = state.take(updates.len());
        let inner = state.take(self.inner.init_leaves(params).len());
        let all = updates.into_iter().zip(means);
        let means: Vec<Var> = all
            .map(|(g, m)| m + (g - m) / (count + 1).to(g.dtype()))
            .collect();
        let full = (count + 1).eq(self.every as i64);
        let (updates, inner) = in_branch(&self.inner, full, means.clone(), params, inner);
        state.put([full.select(0, count + 1)]);
        state.put(means.into_iter().map(|m| full.select(zeros_like(m), m)));
        state.put(inner);
        updates
    }
}

/// A transformation that skips gradients that are not finite. See [`skip_not_finite`].
#[derive(Clone, Copy, Debug)]
pub struct SkipNotFinite<R>(R);

/// Skips a step whose gradient has a NaN or an infinity: its updates are zeros, and the state of `inner` stays.
pub fn skip_not_finite<R: Transform>(inner: R) -> SkipNotFinite<R> {
    SkipNotFinite(inner)
}

impl<R: Transform> Transform for SkipNotFinite<R> {
    fn name(&self) -> &'static str {
        "skip_not_finite"
    }

    fn init_leaves(&self, params: &Leaves) -> Vec<Var> {
        self.0.init_leaves(params)
    }

    fn update_leaves(&self, updates: Vec<Var>, params: &Leaves, state: &mut Slots) -> Vec<Var> {
        let inner = state.take(self.0.init_leaves(params).len());
        let finite = updates.iter().map(|u| u.is_finite().all());
        let finite = finite.reduce(Var::and).unwrap_or(Var::from(true));
        let (updates, inner) = in_branch(&self.0, finite, updates, params, inner);
        state.put(inner);
        updates
    }
}
