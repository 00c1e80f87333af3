//! Batching: turns a function of one element into a function of a batch.

use crate::ir::{Atom, Func, Type};
use crate::ops::Batched;
use crate::trace::{Kind, Var, bind, closed, with_source};

/// Records a function's equations on a batch of `size` elements. An equation none of whose operands is mapped is
/// recorded unchanged, once for the whole batch.
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

/// Returns the function on a batch, given which parameters are mapped, and which of its results are mapped.
pub fn batched_body(func: &Func, mapped: &[bool], size: usize) -> (Func, Vec<bool>) {
    let mut out = vec![];
    let func = on_batch(func, mapped, size, |r| {
        out.push(r.mapped);
        r.value
    });
    (func, out)
}

/// Returns the function on a batch, given which parameters are mapped. All its results are mapped.
pub fn batched(func: &Func, mapped: &[bool], size: usize) -> Func {
    on_batch(func, mapped, size, |r| r.spread(size))
}

fn on_batch(func: &Func, mapped: &[bool], size: usize, result: impl FnMut(Batched) -> Var) -> Func {
    let params = func.param_types().iter().zip(mapped);
    let params: Vec<Type> = params
        .map(|(ty, m)| if *m { ty.batched(size) } else { ty.clone() })
        .collect();
    let closed = closed(Kind::Barrier, &params, |vars| {
        let args = vars.iter().zip(mapped);
        let args: Vec<Batched> = args
            .map(|(&value, &mapped)| Batched { value, mapped })
            .collect();
        batch(func, &args, size).into_iter().map(result).collect()
    });
    closed.func
}
