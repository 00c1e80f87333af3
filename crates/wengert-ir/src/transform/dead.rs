//! Dead-code elimination: removes equations whose results are not needed, and the unneeded results, carries and
//! operands of loops, branches and maps.

use crate::ir::{Atom, Atoms, Eqn, Func};
use crate::ops::{Op, Pruned};
use crate::transform::linearize::pick;

/// Removes everything that neither reaches the results nor has an effect. The parameters stay.
pub fn dead_code(func: &Func) -> Func {
    let keep = vec![true; func.results.len()];
    narrowed(func, &vec![true; func.arity()], &keep)
}

/// Returns which parameters the `wanted` results and the effects need.
pub fn live_params(func: &Func, wanted: &[bool]) -> Vec<bool> {
    needed_params(func, wanted, is_live)
}

/// Returns which parameters the `wanted` results need, ignoring what effects read.
pub fn params_of_results(func: &Func, wanted: &[bool]) -> Vec<bool> {
    needed_params(func, wanted, is_read)
}

fn needed_params(func: &Func, wanted: &[bool], stays: fn(&Eqn, &[bool]) -> bool) -> Vec<bool> {
    let mut live = vec![false; func.types.len()];
    for atom in pick(&func.results, wanted) {
        mark(&mut live, &atom);
    }
    for eqn in func.eqns.iter().rev() {
        if !stays(eqn, &live) {
            continue;
        }
        let needs = match eqn.op.has_effect() {
            true => None,
            false => eqn.op.needs(&used(eqn, &live)),
        };
        match needs {
            None => eqn.inputs.iter().for_each(|a| mark(&mut live, a)),
            Some(needs) => pick(&eqn.inputs, &needs)
                .iter()
                .for_each(|a| mark(&mut live, a)),
        }
    }
    live.truncate(func.arity());
    live
}

/// Returns which results of an equation are live.
fn used(eqn: &Eqn, live: &[bool]) -> Vec<bool> {
    eqn.outputs.clone().map(|o| live[o as usize]).collect()
}

/// Returns which results of a loop's body are needed at some step, given which are needed at the end: the
/// least fixpoint over the carries that the needed results read.
pub fn live_results(body: &Func, carry: usize, wanted: &[bool]) -> Vec<bool> {
    let mut live = wanted.to_vec();
    loop {
        let params = live_params(body, &live);
        let next: Vec<bool> = (0..live.len())
            .map(|r| live[r] || (r < carry && params[r]))
            .collect();
        if next == live {
            return live;
        }
        live = next;
    }
}

/// Restricts a function to the chosen parameters and results, and removes dead code. A parameter that is left
/// out must not be needed.
pub fn narrowed(func: &Func, params: &[bool], results: &[bool]) -> Func {
    let results = pick(&func.results, results);
    let mut live = vec![false; func.types.len()];
    results.iter().for_each(|a| mark(&mut live, a));
    let mut kept: Vec<(&Eqn, Op, Option<Box<Pruned>>)> = vec![];
    for eqn in func.eqns.iter().rev() {
        if !is_live(eqn, &live) {
            continue;
        }
        let pruned = match eqn.op.has_effect() {
            true => None,
            false => eqn.op.prune(&used(eqn, &live)),
        };
        let op = match &pruned {
            None => {
                eqn.inputs.iter().for_each(|a| mark(&mut live, a));
                let op = eqn.op.with_bodies(&mut dead_code);
                op.unwrap_or_else(|| eqn.op.clone())
            }
            Some(p) => {
                let inputs = pick(&eqn.inputs, &p.inputs);
                inputs.iter().for_each(|a| mark(&mut live, a));
                p.op.clone()
            }
        };
        kept.push((eqn, op, pruned.map(Box::new)));
    }

    let mut number = vec![u32::MAX; func.types.len()];
    let mut types = vec![];
    let mut put = |id: u32, number: &mut Vec<u32>| {
        number[id as usize] = types.len() as u32;
        types.push(func.types[id as usize].clone());
    };
    let count = params.iter().filter(|p| **p).count() as u32;
    for id in (0..func.params).filter(|&i| params[i as usize]) {
        put(id, &mut number);
    }
    let mut eqns = Vec::with_capacity(kept.len());
    let mut next = count;
    for (eqn, op, pruned) in kept.into_iter().rev() {
        let renumber =
            |inputs: &[Atom]| -> Atoms { inputs.iter().map(|a| renumbered(a, &number)).collect() };
        let start = next;
        let (op, inputs) = match pruned {
            None => {
                let inputs = renumber(&eqn.inputs);
                eqn.outputs.clone().for_each(|o| put(o, &mut number));
                next += eqn.outputs.len() as u32;
                (op, inputs)
            }
            Some(p) => {
                let inputs = renumber(&pick(&eqn.inputs, &p.inputs));
                let outputs: Vec<u32> = eqn.outputs.clone().collect();
                let outputs = pick(&outputs, &p.outputs);
                outputs.iter().for_each(|&o| put(o, &mut number));
                next += outputs.len() as u32;
                (op, inputs)
            }
        };
        eqns.push(Eqn {
            op,
            inputs,
            outputs: start..next,
            source: eqn.source,
        });
    }
    Func {
        params: count,
        results: results.iter().map(|a| renumbered(a, &number)).collect(),
        types,
        eqns,
    }
}

fn renumbered(atom: &Atom, number: &[u32]) -> Atom {
    match atom {
        Atom::Var(id) => {
            debug_assert_ne!(
                number[*id as usize],
                u32::MAX,
                "a value that was left out is used"
            );
            Atom::Var(number[*id as usize])
        }
        lit => *lit,
    }
}

fn mark(live: &mut [bool], atom: &Atom) {
    if let Atom::Var(id) = atom {
        live[*id as usize] = true;
    }
}

fn is_live(eqn: &Eqn, live: &[bool]) -> bool {
    eqn.op.has_effect() || is_read(eqn, live)
}

fn is_read(eqn: &Eqn, live: &[bool]) -> bool {
    eqn.outputs.clone().any(|o| live[o as usize])
}
