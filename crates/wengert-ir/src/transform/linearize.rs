//! Linearising a function at a point: its value there, and a linear function of the tangents.
//!
//! Tangents enter an inner, linear trace; whatever involves no tangent is recorded outside of it, in the primal
//! trace. So the two separate by themselves, and the captures of the linear trace are exactly what must be
//! kept: the residuals.

use crate::ir::{Func, Type};
use crate::ops::{Cotangent, Mode, Operand, Tangent};
use crate::trace::{Kind, Var, open};
use crate::transform::{replay, transpose};

/// A function that is linear in its first parameters; its other parameters are bound to residuals.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The function: tangents of the active inputs, then residuals, to tangents of the active results.
    pub func: Func,
    /// The values of the residuals.
    pub residuals: Vec<Var>,
    /// Which inputs have a tangent.
    pub active: Vec<bool>,
    /// Which results have a tangent.
    pub out: Vec<bool>,
    /// The types of all results.
    pub results: Vec<Type>,
}

/// Returns the results of `func` at `x`, and its linear part in the `active` inputs.
pub fn linearize(func: &Func, x: &[Var], active: &[bool]) -> (Vec<Var>, Linear) {
    let types: Vec<Type> = pick(func.param_types(), active);
    let (trace, tangents) = open(Kind::Linear, &types);
    let dx = scatter(active, tangents);
    let (y, dy) = replay(func, x, &dx, Mode::Linear);
    let closed = trace.close(&dy.iter().flatten().copied().collect::<Vec<_>>());
    let linear = Linear {
        func: closed.func,
        residuals: closed.captures,
        active: active.to_vec(),
        out: dy.iter().map(Option::is_some).collect(),
        results: func.result_types(),
    };
    (y, linear)
}

impl Linear {
    /// Pushes tangents forward: takes one for each input (those of inactive inputs are ignored), returns one for each
    /// result. A linear function is its own derivative, the same everywhere, so the function is differentiated
    /// along the tangents, which treats the tangents of values that a selection dropped as forward mode does.
    pub fn push(&self, dx: &[Tangent]) -> Vec<Tangent> {
        let n = self.func.arity() - self.residuals.len();
        let active = dx.iter().zip(&self.active).filter(|(_, a)| **a);
        let mut tangents: Vec<Tangent> = active.map(|(d, _)| *d).collect();
        debug_assert_eq!(tangents.len(), n);
        tangents.resize(self.func.arity(), None);
        let mut args: Vec<Var> = self.func.param_types()[..n]
            .iter()
            .map(Var::zeros)
            .collect();
        args.extend(&self.residuals);
        let (_, dy) = replay(&self.func, &args, &tangents, Mode::Fused);
        scatter(&self.out, dy)
            .into_iter()
            .map(Option::flatten)
            .collect()
    }

    /// Pulls cotangents back: takes one for each result, returns one for each input.
    pub fn pull(&self, ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let n = self.func.arity() - self.residuals.len();
        let linear = self.func.types[..n].iter().cloned().map(Operand::Linear);
        let known = self.residuals.iter().map(|&v| Operand::Known(v));
        let operands: Vec<Operand> = linear.chain(known).collect();
        let mut out = transpose(&self.func, &operands, &pick(ct, &self.out));
        out.truncate(n);
        let mut found = out.into_iter();
        self.active
            .iter()
            .map(|a| if *a { found.next().flatten() } else { None })
            .collect()
    }
}

/// Returns the elements where `which` is true.
pub(crate) fn pick<T: Clone>(all: &[T], which: &[bool]) -> Vec<T> {
    let chosen = all.iter().zip(which).filter(|(_, w)| **w);
    chosen.map(|(x, _)| x.clone()).collect()
}

/// Puts the values in order at the positions where `which` is true, and `None` at the others.
pub(crate) fn scatter<T>(which: &[bool], values: impl IntoIterator<Item = T>) -> Vec<Option<T>> {
    let mut values = values.into_iter();
    which
        .iter()
        .map(|w| if *w { values.next() } else { None })
        .collect()
}
