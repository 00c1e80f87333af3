//! Rewrites: passes from functions to equal functions, which run after all differentiation is done.
//!
//! Unlike transforms, rewrites name operations: each pass is a table of rules.

mod algebra;
mod contract;
mod flow;
mod fuse;
mod nan_checks;
mod products;
mod residuals;
mod unroll;

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::ir::{Atom, Func, Splat};
use crate::ops::Op;
use crate::ops::elementwise::Elementwise;
use crate::timing::timed;
use crate::trace::{Kind, Var, bind, open, with_source};
use crate::transform::dead_code;

pub use fuse::fuse_maps;
pub use nan_checks::check_finite;
pub use products::move_products;
pub use residuals::{Choice, choose_residuals};
pub use unroll::unroll_maps;

/// Facts about the values that a pass has recorded.
#[derive(Default)]
pub struct Known {
    definitions: HashMap<u32, Definition>,
}

struct Definition {
    op: Op,
    inputs: SmallVec<[Var; 3]>,
    uses: u32,
}

impl Known {
    /// Returns the operands of `v` if the operation `op` defines it.
    pub fn operands(&self, v: Var, op: Elementwise) -> Option<&[Var]> {
        let found = self.definitions.get(&v.id()?)?;
        (found.op == Op::Elementwise(op)).then_some(&found.inputs)
    }

    /// Returns whether `v` has exactly one use.
    pub fn used_once(&self, v: Var) -> bool {
        v.id()
            .and_then(|id| self.definitions.get(&id))
            .is_some_and(|d| d.uses == 1)
    }
}

/// A rule: returns the value to record instead of an operation, if the rule applies.
pub type Rule = fn(&Known, Elementwise, &[Var]) -> Option<Var>;

/// Which passes prepare a function for scheduling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether products and sums are contracted to `fma`, with one rounding instead of two: sensible only on hardware
    /// that has the instruction.
    pub fused: bool,
    /// Whether the values that loops store for their way back are chosen ([`choose_residuals`]). This changes no bit.
    pub chosen: bool,
}

/// Prepares a function for scheduling with all passes, with contraction if `fused`: see [`optimise_with`].
pub fn optimise(func: &Func, fused: bool) -> Func {
    let options = Options {
        fused,
        chosen: true,
    };
    optimise_with(func, &options).0
}

/// Prepares a function for scheduling: simplifies, removes dead code, inlines calls, contracts products and sums, moves
/// products of arrays out of loops and maps, fuses maps over the same elements, unrolls those over one element and small
/// ones in loops, and reduces what loops store. Also returns the choices of what loops store.
pub fn optimise_with(func: &Func, options: &Options) -> (Func, Vec<Choice>) {
    let func = timed("simplify", || rewrite(&dead_code(func), algebra::RULES));
    let func = match options.fused {
        true => timed("contract", || rewrite(&dead_code(&func), contract::RULES)),
        false => func,
    };
    let func = timed("move products", || move_products(&dead_code(&func)));
    let func = timed("fuse maps", || fuse_maps(&dead_code(&func)));
    let func = timed("unroll maps", || dead_code(&unroll_maps(&func)));
    if !options.chosen {
        return (func, vec![]);
    }
    timed("choose residuals", || {
        let (func, choices) = choose_residuals(&func);
        (dead_code(&func), choices)
    })
}

/// Records the function again and tries the rules on each equation, in nested functions too.
fn rewrite(func: &Func, rules: &[Rule]) -> Func {
    let uses = uses(func);
    let (trace, params) = open(Kind::Door, func.param_types());
    let mut env = params;
    let mut known = Known::default();
    record(func, rules, &uses, &mut env, &mut known);
    let value = |a: &Atom| value(&env, a);
    let results: Vec<Var> = func.results.iter().map(value).collect();
    trace.close(&results).func
}

fn record(func: &Func, rules: &[Rule], uses: &[u32], env: &mut Vec<Var>, known: &mut Known) {
    for eqn in &func.eqns {
        let inputs: SmallVec<[Var; 3]> = eqn.inputs.iter().map(|a| value(env, a)).collect();
        let outputs = with_source(eqn.source, || {
            if let Op::Elementwise(op) = eqn.op
                && let Some(y) = rules.iter().find_map(|rule| rule(known, op, &inputs))
            {
                return vec![y];
            }
            if let Some(body) = eqn.op.call() {
                let body = rewrite(body, rules);
                return crate::transform::inline(&body, &inputs);
            }
            let op = eqn.op.with_bodies(&mut |f| rewrite(f, rules));
            let op = op.unwrap_or_else(|| eqn.op.clone());
            let outputs = bind(op.clone(), &inputs);
            if let [out] = outputs[..]
                && let Some(id) = out.id()
            {
                known.definitions.insert(
                    id,
                    Definition {
                        op,
                        inputs: inputs.clone(),
                        uses: uses[eqn.outputs.start as usize],
                    },
                );
            }
            outputs
        });
        env.extend(outputs);
    }
}

fn value(env: &[Var], atom: &Atom) -> Var {
    match atom {
        Atom::Var(id) => env[*id as usize],
        Atom::Lit(splat) => Var::literal(*splat),
    }
}

fn uses(func: &Func) -> Vec<u32> {
    let mut uses = vec![0; func.types.len()];
    let inputs = func.eqns.iter().flat_map(|e| e.inputs.iter());
    for atom in inputs.chain(&func.results) {
        if let Atom::Var(id) = atom {
            uses[*id as usize] += 1;
        }
    }
    uses
}

/// Returns the value of a float literal.
fn number(v: Var) -> Option<f64> {
    let Splat { bits, .. } = v.as_literal()?;
    match v.as_literal()?.ty().dtype {
        crate::ir::DType::F64 => Some(f64::from_bits(bits)),
        crate::ir::DType::F32 => Some(f32::from_bits(bits as u32) as f64),
        _ => None,
    }
}
