//! Closing a trace: dead code is removed and values are renumbered.

use super::record::operand;
use super::sources::current_source;
use super::{Closed, OpenTrace, STACK, Trace, find, unseen};
use crate::error::{Error, raise};
use crate::ir::{Atom, Eqn, Func};
use crate::trace::Var;
use crate::trace::var::Repr;

impl OpenTrace {
    /// Closes the trace, which must be the innermost. Dead code and unused captures are removed, and
    /// values are renumbered.
    #[track_caller]
    pub fn close(mut self, results: &[Var]) -> Closed {
        let used = current_source();
        let found: Result<Vec<Atom>, Error> = STACK.with_borrow_mut(|s| {
            assert_eq!(self.index + 1, s.len(), "traces close innermost first");
            let mut atoms = Vec::with_capacity(results.len());
            for v in results {
                if let Repr::Traced { trace, source, .. } = v.0
                    && find(s, trace).is_none()
                {
                    return Err(unseen(s, "return", trace, source, used));
                }
                atoms.push(operand(s, self.index, *v));
            }
            Ok(atoms)
        });
        let results = found.unwrap_or_else(|e| raise(e));
        let trace = STACK
            .with_borrow_mut(|s| s.pop())
            .expect("the trace is open");
        drop(self.caught.take());
        std::mem::forget(self);
        finish(trace, results)
    }
}

fn finish(trace: Trace, results: Vec<Atom>) -> Closed {
    let mut live = vec![false; trace.types.len()];
    let mark = |live: &mut Vec<bool>, atom: &Atom| {
        if let Atom::Var(id) = atom {
            live[*id as usize] = true;
        }
    };
    results.iter().for_each(|a| mark(&mut live, a));
    let mut keep = vec![false; trace.eqns.len()];
    for (k, e) in trace.eqns.iter().enumerate().rev() {
        if e.op.has_effect() || e.outputs.clone().any(|o| live[o as usize]) {
            keep[k] = true;
            e.inputs.iter().for_each(|a| mark(&mut live, a));
        }
    }
    let mut number = vec![u32::MAX; trace.types.len()];
    let mut types = Vec::new();
    let mut put = |id: u32, number: &mut Vec<u32>| {
        number[id as usize] = types.len() as u32;
        types.push(trace.types[id as usize].clone());
    };
    trace.params.iter().for_each(|&p| put(p, &mut number));
    let alive = |id: &u32| live[*id as usize];
    let captures: Vec<_> = trace.captures.iter().filter(|c| alive(&c.1)).collect();
    captures.iter().for_each(|c| put(c.1, &mut number));
    let arrays: Vec<_> = trace.arrays.iter().filter(|a| alive(&a.1)).collect();
    arrays.iter().for_each(|a| put(a.1, &mut number));
    let params = (trace.params.len() + captures.len() + arrays.len()) as u32;
    let mut next = params;
    let mut spans = Vec::new();
    for e in trace
        .eqns
        .iter()
        .zip(&keep)
        .filter(|(_, k)| **k)
        .map(|(e, _)| e)
    {
        e.outputs.clone().for_each(|o| put(o, &mut number));
        let span = next..next + e.outputs.len() as u32;
        next = span.end;
        spans.push(span);
    }
    let atom = |a: &Atom| match a {
        Atom::Var(id) => Atom::Var(number[*id as usize]),
        lit => *lit,
    };
    let captures = captures.into_iter().map(|c| c.0).collect();
    let arrays = arrays.into_iter().map(|a| a.0.clone()).collect();
    let kept = trace
        .eqns
        .into_iter()
        .zip(keep)
        .filter(|(_, k)| *k)
        .map(|(e, _)| e);
    let eqns = kept
        .zip(spans)
        .map(|(e, outputs)| Eqn {
            inputs: e.inputs.iter().map(atom).collect(),
            outputs,
            ..e
        })
        .collect();
    let func = Func {
        params,
        types,
        eqns,
        results: results.iter().map(atom).collect(),
    };
    debug_assert_eq!(crate::ir::verify::verify(&func), Ok(()));
    Closed {
        func,
        captures,
        arrays,
    }
}
