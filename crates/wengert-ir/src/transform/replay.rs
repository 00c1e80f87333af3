//! Replaying a function on `Var`s, along with its tangents.

use crate::ir::{Atom, Eqn, Func};
use crate::ops::{Mode, Tangent};
use crate::trace::{Kind, Var, bind, open, with_source};

/// Records a function's equations on the given values, in the traces that are open.
pub fn inline(func: &Func, x: &[Var]) -> Vec<Var> {
    replay(func, x, &vec![None; x.len()], Mode::Fused).0
}

/// Records a function's equations together with its tangents. An equation none of whose operands has a
/// tangent is recorded unchanged.
///
/// In [`Mode::Fused`] a tangent that is computed from masked tangents alone, or by an operation that masks, is marked
/// as masked.
pub fn replay(func: &Func, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
    assert_eq!(func.arity(), x.len(), "arguments for the parameters");
    let mut env: Vec<(Var, Tangent)> = x.iter().copied().zip(dx.iter().copied()).collect();
    env.reserve(func.types.len() - env.len());
    let get = |env: &[(Var, Tangent)], atom: &Atom| match atom {
        Atom::Var(id) => env[*id as usize],
        Atom::Lit(splat) => (Var::literal(*splat), None),
    };
    for eqn in &func.eqns {
        let (x, dx): (Vec<Var>, Vec<Tangent>) = eqn.inputs.iter().map(|a| get(&env, a)).unzip();
        let derived = !dx.iter().all(Option::is_none);
        // The value is recorded first, under its own source; what the rule adds is marked as part of the derivative.
        let apart = derived && eqn.op.is_shared();
        let mut y = vec![];
        if !derived || apart {
            y = with_source(eqn.source, || bind(eqn.op.clone(), &x));
        }
        let mut dy = vec![None; eqn.outputs.len()];
        if derived {
            let source = match apart {
                true => eqn.source.derivative(),
                false => eqn.source,
            };
            (y, dy) = with_source(source, || eqn.op.jvp(&x, &dx, mode));
            let from_masked = dx.iter().flatten().all(|d| d.is_masked());
            let mark = |d: Var| match mode {
                Mode::Fused if from_masked || eqn.op.masks() => d.masked(),
                Mode::Fused => d,
                Mode::Linear => d.unmasked(),
            };
            dy = dy.into_iter().map(|d| d.map(mark)).collect();
        }
        debug_assert_eq!(y.len(), eqn.outputs.len(), "{}", eqn.op.name());
        debug_assert_eq!(y.len(), dy.len(), "{}", eqn.op.name());
        env.extend(y.into_iter().zip(dy));
    }
    func.results.iter().map(|a| get(&env, a)).unzip()
}

/// Records a function anew, with what `record` makes of each equation and its operands.
pub fn recorded_anew(func: &Func, mut record: impl FnMut(&Eqn, &[Var]) -> Vec<Var>) -> Func {
    let (trace, mut env) = open(Kind::Door, func.param_types());
    let value = |env: &[Var], atom: &Atom| match atom {
        Atom::Var(id) => env[*id as usize],
        Atom::Lit(splat) => Var::literal(*splat),
    };
    for eqn in &func.eqns {
        let inputs: Vec<Var> = eqn.inputs.iter().map(|a| value(&env, a)).collect();
        env.extend(with_source(eqn.source, || record(eqn, &inputs)));
    }
    let results: Vec<Var> = func.results.iter().map(|a| value(&env, a)).collect();
    trace.close(&results).func
}

/// Replaces every checkpointed function by its equations, in nested functions too.
pub fn unfolded(func: &Func) -> Func {
    recorded_anew(func, |eqn, inputs| match eqn.op.unfolded() {
        Some(body) => inline(&unfolded(&body), inputs),
        None => {
            let op = eqn.op.with_bodies(&mut unfolded);
            bind(op.unwrap_or_else(|| eqn.op.clone()), inputs)
        }
    })
}
