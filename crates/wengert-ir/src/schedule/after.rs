//! Elementwise operations on the results of a reduction that nothing else reads: they are applied to each result before it
//! is stored, which saves a pass through memory.

use super::node::FEW;
use super::notes::OperationId;
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{Atom, Eqn, Func, Type};
use crate::loops::Value;
use crate::ops::work::{ELEMENTARY, FREE};

/// Operations on one result, in order; the operand of each that is no literal is what the one before gives.
#[derive(Clone, Default)]
pub(super) struct After(Vec<(Eqn, Option<OperationId>)>);

/// Returns the equations that follow equation `e`, each on the result of the one before, which nothing else reads.
/// `uses` counts the uses of values.
pub(super) fn following(func: &Func, uses: &[u32], e: usize) -> Vec<usize> {
    let mut found = vec![];
    let eqn = &func.eqns[e];
    let full = |ty: &Type| !ty.shape.has_run() && ty.size() > 0;
    if !eqn.op.finishes()
        || !eqn.inputs.iter().all(|&a| full(func.type_of(a)))
        || func.types[eqn.outputs.start as usize].size() <= FEW
    {
        return found;
    }
    let (mut last, mut left) = (e, ELEMENTARY);
    loop {
        let v = func.eqns[last].outputs.start;
        let reads = |eqn: &Eqn| eqn.inputs.contains(&Atom::Var(v));
        let Some(next) = func.eqns[last + 1..].iter().position(reads) else {
            return found;
        };
        let next = last + 1 + next;
        match work(func, next, v) {
            Some(work) if uses[v as usize] == 1 && work < left => left -= work,
            _ => return found,
        }
        found.push(next);
        last = next;
    }
}

/// Returns the work of an equation whose operands are `v` and literals, if it makes each element of its result of one
/// element of `v`.
fn work(func: &Func, e: usize, v: u32) -> Option<u64> {
    let eqn = &func.eqns[e];
    let types: Vec<Type> = (eqn.inputs.iter())
        .map(|&a| func.type_of(a).clone())
        .collect();
    let known = |a: &Atom| matches!(a, Atom::Lit(_)) || *a == Atom::Var(v);
    let work = eqn.op.element_work(&types).filter(|&work| work > FREE)?;
    let same = eqn.outputs.len() == 1
        && func.types[eqn.outputs.start as usize] == func.types[v as usize]
        && eqn.inputs.iter().all(known);
    same.then_some(work)
}

impl Lowering {
    /// Prepares operations for [`Lowering::finished`].
    pub(super) fn after(&mut self, func: &Func, eqns: &[usize]) -> After {
        let each = eqns.iter().map(|&e| {
            let eqn = func.eqns[e].clone();
            let operation = self.note_operation(&eqn);
            (eqn, operation)
        });
        After(each.collect())
    }

    /// Applies the operations to a result.
    pub(super) fn finished(&mut self, after: &After, result: Value) -> Result<Value> {
        let mut value = result;
        for (eqn, operation) in &after.0 {
            let source = self.source.replace(eqn.source.written());
            let around = self.note_switch(*operation);
            let dtype = self.b.dtype(value);
            let mut inputs = vec![];
            for atom in &eqn.inputs {
                inputs.push(match atom {
                    Atom::Lit(x) => self.literal(Type::scalar(x.ty().dtype), x.bits),
                    Atom::Var(_) => self.scalar(&[], value),
                });
            }
            let want = Wanted {
                ty: Type::scalar(dtype),
                place: None,
            };
            let results = eqn.op.lower(self, &inputs, &[want]);
            self.note_switch(around);
            self.source = source;
            value = self.value(results?[0]);
        }
        Ok(value)
    }
}
