//! Checks behind every equation that it made no NaN and no infinity.

use crate::ir::{Atom, Func};
use crate::ops::check::check;
use crate::rewrite::value;
use crate::trace::{Kind, Var, bind, open, with_source};

/// The same function, which gives an [`Error::Check`](crate::error::Error::Check) that names the
/// first equation to make a NaN or an infinity out of finite operands, and the user's line, in the
/// functions that operations hold too.
pub fn check_finite(func: &Func) -> Func {
    let (trace, mut env) = open(Kind::Door, func.param_types());
    for eqn in &func.eqns {
        let inputs: Vec<Var> = eqn.inputs.iter().map(|a| value(&env, a)).collect();
        let outputs = with_source(eqn.source, || {
            let op = eqn.op.with_bodies(&mut check_finite);
            let op = op.unwrap_or_else(|| eqn.op.clone());
            let outputs = bind(op, &inputs);
            if let Some(made) = all_finite(&outputs) {
                let fine = match all_finite(&inputs) {
                    Some(given) => made.or(!given),
                    None => made,
                };
                let types: Vec<String> = outputs.iter().map(|y| y.ty().to_string()).collect();
                let (name, types) = (eqn.op.name(), types.join(", "));
                check(fine, &format!("{name} made a NaN or an infinity ({types})"));
            }
            outputs
        });
        env.extend(outputs);
    }
    let value = |a: &Atom| value(&env, a);
    let results: Vec<Var> = func.results.iter().map(value).collect();
    trace.close(&results).func
}

/// Whether all floats are finite; `None` where there are none to ask.
fn all_finite(values: &[Var]) -> Option<Var> {
    let asked = |v: &&Var| v.ty().is_float() && !v.ty().shape.has_run() && v.as_literal().is_none();
    let finite = values.iter().filter(asked).map(|v| v.is_finite().all());
    finite.reduce(Var::and)
}
