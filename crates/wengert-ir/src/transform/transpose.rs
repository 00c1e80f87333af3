//! Transposing a linear function: from cotangents of its results to cotangents of the operands that it is
//! linear in.

use crate::ir::{Atom, Func};
use crate::ops::{Cotangent, Operand, add_cotangents};
use crate::trace::{Var, bind, with_source};

/// Returns the cotangents of the linear operands, given those of the results. Known values are computed first,
/// forward; then the linear equations are walked in reverse.
pub fn transpose(
    func: &Func,
    operands: &[Operand],
    ct: &[Option<Cotangent>],
) -> Vec<Option<Cotangent>> {
    transpose_onto(func, operands, ct, &vec![None; operands.len()])
}

/// The cotangents of the linear operands, added to those that they `have` already.
pub fn transpose_onto(
    func: &Func,
    operands: &[Operand],
    ct: &[Option<Cotangent>],
    have: &[Option<Cotangent>],
) -> Vec<Option<Cotangent>> {
    assert_eq!(func.arity(), operands.len(), "operands for the parameters");
    assert_eq!(func.results.len(), ct.len(), "cotangents for the results");
    let known = evaluate_known(func, operands);
    let value = |a: &Atom| match a {
        Atom::Var(id) => known[*id as usize],
        Atom::Lit(splat) => Some(Var::literal(*splat)),
    };
    let mut cts: Vec<Option<Cotangent>> = vec![None; func.types.len()];
    let add = |cts: &mut Vec<Option<Cotangent>>, atom: &Atom, ct: Option<Cotangent>| {
        if let Atom::Var(id) = atom
            && known[*id as usize].is_none()
        {
            let slot = &mut cts[*id as usize];
            *slot = add_cotangents(slot.take(), ct);
        }
    };
    cts[..have.len()].copy_from_slice(have);
    for (result, ct) in func.results.iter().zip(ct) {
        add(&mut cts, result, *ct);
    }
    for eqn in func.eqns.iter().rev() {
        let out: Vec<Option<Cotangent>> = eqn.outputs.clone().map(|o| cts[o as usize]).collect();
        if out.iter().all(Option::is_none) {
            continue;
        }
        let operand = |a: &Atom| match value(a) {
            Some(v) => Operand::Known(v),
            None => Operand::Linear(func.type_of(*a).clone()),
        };
        let inputs: Vec<Operand> = eqn.inputs.iter().map(operand).collect();
        if !inputs.iter().any(Operand::is_linear) {
            continue;
        }
        // What an operand has so far goes along with its first place.
        let mut have: Vec<Option<Cotangent>> = vec![None; inputs.len()];
        for (i, atom) in eqn.inputs.iter().enumerate() {
            if let Atom::Var(id) = atom
                && inputs[i].is_linear()
            {
                have[i] = cts[*id as usize].take();
            }
        }
        with_source(eqn.source.derivative(), || {
            let found = eqn.op.transpose_onto(&inputs, &out, &have);
            for (atom, ct) in eqn.inputs.iter().zip(found) {
                add(&mut cts, atom, ct);
            }
        });
    }
    cts.truncate(func.arity());
    cts
}

/// Computes the values that depend on no linear operand; linear equations need them.
fn evaluate_known(func: &Func, operands: &[Operand]) -> Vec<Option<Var>> {
    let mut known: Vec<Option<Var>> = operands
        .iter()
        .map(|o| match o {
            Operand::Known(v) => Some(*v),
            Operand::Linear(_) => None,
        })
        .collect();
    for eqn in &func.eqns {
        let inputs: Option<Vec<Var>> = eqn
            .inputs
            .iter()
            .map(|a| match a {
                Atom::Var(id) => known[*id as usize],
                Atom::Lit(splat) => Some(Var::literal(*splat)),
            })
            .collect();
        match inputs {
            Some(inputs) => {
                let outputs = with_source(eqn.source, || bind(eqn.op.clone(), &inputs));
                known.extend(outputs.into_iter().map(Some));
            }
            None => known.extend(eqn.outputs.clone().map(|_| None)),
        }
    }
    known
}
