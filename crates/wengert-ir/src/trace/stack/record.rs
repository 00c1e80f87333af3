//! Recording operations: the choice of the trace, and the sharing of equal equations.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use super::sources::{current_source, place_of};
use super::weak::weak_result;
use super::{Kind, STACK, Trace, find, unseen};
use crate::error::{Error, raise};
use crate::ir::{Atom, Atoms, DType, Eqn, Type};
use crate::ops::{Op, fold};
use crate::source::SourceId;
use crate::trace::Var;
use crate::trace::var::Repr;

/// The index of the first equation with each hash of an operation and its operands, so that equal equations are
/// recorded once. The table does not store the equations a second time, because a long trace has many. An equation
/// whose hash collides with that of a different one is not shared.
pub(super) type Seen = HashMap<u64, u32, BuildHasherDefault<Hashed>>;

/// A hasher for keys that are already hashes: returns the key unchanged.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        unreachable!("{bytes:?} are not a hash");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Returns the operation that defines a value as its only result, and its operands, while the value's trace is open.
pub(crate) fn definition(var: Var) -> Option<(Op, Vec<Var>)> {
    let Repr::Traced { trace, id, .. } = var.0 else {
        return None;
    };
    STACK.with_borrow(|s| {
        let trace = &s[find(s, trace)?];
        let next = trace.eqns.partition_point(|e| e.outputs.start <= id);
        let eqn = trace.eqns[..next]
            .last()
            .filter(|e| e.outputs == (id..id + 1))?;
        let operand = |atom: &Atom| match atom {
            Atom::Lit(splat) => Var::literal(*splat),
            Atom::Var(id) => {
                let outer = trace.captures.iter().find(|(_, param)| param == id);
                outer.map_or_else(|| trace.var(*id), |(outer, _)| *outer)
            }
        };
        Some((eqn.op.clone(), eqn.inputs.iter().map(operand).collect()))
    })
}

/// Returns `var` as an operand in trace `index`: a value of that trace, or a capture.
pub(super) fn operand(stack: &mut [Trace], index: usize, var: Var) -> Atom {
    match var.0 {
        Repr::Literal(splat) => Atom::Lit(splat),
        Repr::Traced { trace, id, .. } if trace == stack[index].id => Atom::Var(id),
        Repr::Traced {
            trace, id, source, ..
        } => {
            let outer = find(stack, trace).expect("placement has seen every operand");
            debug_assert!(
                outer < index,
                "an operation is placed inside its operands' traces"
            );
            if let Some(&known) = stack[index].captured.get(&(trace, id)) {
                return Atom::Var(known);
            }
            let ty = stack[outer].types[id as usize].clone();
            let here = &mut stack[index];
            let param = here.value(ty, source);
            here.captures.push((var, param));
            here.captured.insert((trace, id), param);
            Atom::Var(param)
        }
    }
}

/// Returns the index of the trace in which an operation is recorded.
fn place(stack: &[Trace], op: &Op, inputs: &[Var], used: SourceId) -> Result<usize, Error> {
    if stack.is_empty() {
        let made = inputs.iter().find_map(|&v| place_of(v));
        let op = op.method().to_string();
        return Err(match made {
            Some(made) => Error::escaped(op, made, used),
            None => Error::no_trace(op, used),
        });
    }
    let floor = match op.has_effect() {
        true => stack.iter().rposition(|t| t.kind != Kind::Linear),
        false => stack
            .iter()
            .rposition(|t| matches!(t.kind, Kind::Barrier | Kind::Door)),
    };
    // A transform that is called outside of all traced functions has a trace of its own, but nothing around it.
    let Some(mut index) = floor else {
        let op = op.method().to_string();
        return Err(Error::no_trace(op, used));
    };
    for v in inputs {
        if let Repr::Traced { trace, source, .. } = v.0 {
            let i = find(stack, trace)
                .ok_or_else(|| unseen(stack, &op.method(), trace, source, used))?;
            index = index.max(i);
        }
    }
    Ok(index)
}

/// Records an operation: determines its types, folds constants, and shares equal equations.
#[track_caller]
pub fn bind(op: Op, inputs: &[Var]) -> Vec<Var> {
    let source = current_source();
    bind_at(op, inputs, source).unwrap_or_else(|e| raise(e))
}

/// Records an operation with one result.
#[track_caller]
pub fn bind1(op: Op, inputs: &[Var]) -> Var {
    bind(op, inputs)[0]
}

fn bind_at(op: Op, inputs: &[Var], source: SourceId) -> Result<Vec<Var>, Error> {
    let place = STACK.with_borrow(|s| place(s, &op, inputs, source))?;
    let types: Vec<Type> = inputs
        .iter()
        .map(|v| match v.0 {
            Repr::Literal(splat) => splat.ty().clone(),
            Repr::Traced { trace, id, .. } => STACK.with_borrow(|s| {
                s[find(s, trace).expect("placement has seen every operand")].types[id as usize]
                    .clone()
            }),
        })
        .collect();
    let sized = |outputs: Vec<Type>| {
        outputs.iter().try_for_each(Type::check_size)?;
        Ok(outputs)
    };
    let outputs = op
        .types(&types)
        .and_then(sized)
        .map_err(|e| e.error(op.method(), types.clone(), source))?;
    if let Some(folded) = fold(&op, inputs, &outputs) {
        return Ok(folded);
    }
    Ok(STACK.with_borrow_mut(|s| {
        let weak = weak_result(s, inputs);
        let inputs: Atoms = inputs.iter().map(|&v| operand(s, place, v)).collect();
        let trace = &mut s[place];
        if op.is_shared() {
            let mut hasher = DefaultHasher::new();
            (&op, &inputs).hash(&mut hasher);
            let next = trace.eqns.len() as u32;
            let first = *trace.seen.entry(hasher.finish()).or_insert(next);
            if let Some(eqn) = trace.eqns.get_mut(first as usize)
                && eqn.op == op
                && eqn.inputs == inputs
            {
                eqn.source = eqn.source.union(source);
                return eqn.outputs.clone().map(|id| trace.var(id)).collect();
            }
        }
        let start = trace.types.len() as u32;
        for ty in outputs {
            let gives_way = weak && ty.dtype == DType::F64;
            let id = trace.value(ty, source);
            if gives_way {
                trace.weak.insert(id);
            }
        }
        let outputs = start..trace.types.len() as u32;
        trace.eqns.push(Eqn {
            op,
            inputs,
            outputs: outputs.clone(),
            source,
        });
        outputs.map(|id| trace.var(id)).collect()
    }))
}
