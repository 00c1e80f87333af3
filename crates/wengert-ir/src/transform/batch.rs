//! Batching: a function of one element becomes a function of a batch.

use crate::ir::{Atom, Func};
use crate::ops::Batched;
use crate::trace::{Var, bind, with_source};

/// Records a function's equations on a batch of `size`. An equation none of whose operands is mapped
/// is recorded as it is, once for the whole batch.
pub fn batch(func: &Func, inputs: &[Batched], size: usize) -> Vec<Batched> {
    assert_eq!(func.arity(), inputs.len(), "arguments for the parameters");
    let mut env: Vec<Batched> = inputs.to_vec();
    let get = |env: &[Batched], atom: &Atom| match atom {
        Atom::Var(id) => env[*id as usize],
        Atom::Lit(splat) => Batched::shared(Var::literal(*splat)),
    };
    for eqn in &func.eqns {
        let inputs: Vec<Batched> = eqn.inputs.iter().map(|a| get(&env, a)).collect();
        let outputs = with_source(eqn.source, || match inputs.iter().any(|b| b.mapped) {
            true => eqn.op.batch(&inputs, size),
            false => {
                let inputs: Vec<Var> = inputs.iter().map(|b| b.value).collect();
                let outputs = bind(eqn.op.clone(), &inputs);
                outputs.into_iter().map(Batched::shared).collect()
            }
        });
        debug_assert_eq!(outputs.len(), eqn.outputs.len(), "{}", eqn.op.name());
        env.extend(outputs);
    }
    func.results.iter().map(|a| get(&env, a)).collect()
}
