//! Rewrites a loop so that it recomputes what an earlier loop no longer stores.

use std::collections::HashMap;
use std::sync::Arc;

use super::looped::{Line, Loop, Role};
use super::plan::{Plan, Way};
use crate::ir::{Atom, Func, Splat, Type};
use crate::ops::Op;
use crate::ops::map::Map;
use crate::ops::scan::Scan;
use crate::trace::{Kind, OpenTrace, Var, bind, open, with_source};
use crate::transform::dead::{live_params, narrowed};

/// The changes to be made to a later loop.
pub struct Reader<'a> {
    /// The equation of the earlier loop.
    pub first: &'a Line,
    pub looped: &'a Loop<'a>,
    pub plan: &'a Plan,
    /// The sources of the values of the earlier loop's body that are stored or available regardless.
    pub roles: &'a HashMap<u32, Role>,
    /// The values of the earlier loop's body that it used to stack, keyed by the stacked value outside.
    pub replaced: &'a HashMap<u32, Atom>,
}

/// A new body while it is recorded.
struct Recording<'a> {
    reader: &'a Reader<'a>,
    trace: OpenTrace,
    /// The sources of the parameters: first the existing ones, then new ones.
    roles: Vec<Role>,
    /// The parameters for rows and constants, keyed by their source.
    params: HashMap<Role, Var>,
    /// The values of the earlier loop's body that have been recorded.
    made: HashMap<u32, Var>,
    /// The carries of the earlier loop that this loop remembers for its next step.
    remembered: Vec<usize>,
}

impl Reader<'_> {
    /// Returns the loop with the same results, and the types of the carries that are added after its own.
    pub fn rewritten(&self, line: &Line) -> (Line, Vec<Type>) {
        let looped = Loop::of(line).expect("a loop");
        let (trace, params) = open(Kind::Door, looped.body.param_types());
        let known = looped.roles.iter().copied().zip(params.iter().copied());
        let mut r = Recording {
            reader: self,
            trace,
            roles: looped.roles.clone(),
            params: known.clone().collect(),
            made: HashMap::new(),
            remembered: vec![],
        };
        // A value that was read from the earlier loop is recorded when it is first needed.
        let mut env: Vec<Result<Var, Atom>> = known
            .map(|(role, v)| match role {
                Role::Row(Atom::Var(outer)) => match self.replaced.get(&outer) {
                    Some(&atom) => Err(atom),
                    None => Ok(v),
                },
                _ => Ok(v),
            })
            .collect();
        let value = |r: &mut Recording, env: &mut [Result<Var, Atom>], atom: &Atom| match atom {
            Atom::Lit(splat) => Var::literal(*splat),
            Atom::Var(v) => match env[*v as usize] {
                Ok(var) => var,
                Err(atom) => {
                    let var = r.value(atom);
                    env[*v as usize] = Ok(var);
                    var
                }
            },
        };
        for eqn in &looped.body.eqns {
            let inputs: Vec<Var> = (eqn.inputs.iter())
                .map(|a| value(&mut r, &mut env, a))
                .collect();
            let outputs = with_source(eqn.source, || bind(eqn.op.clone(), &inputs));
            env.extend(outputs.into_iter().map(Ok));
        }
        let mut results: Vec<Var> = (looped.body.results.iter())
            .map(|a| value(&mut r, &mut env, a))
            .collect();
        let carries = looped.carry;
        let remembered = r.remembered();
        let types = remembered.iter().map(|v| v.ty()).collect();
        results.splice(carries..carries, remembered);
        let func = r.trace.close(&results).func;
        (self.assembled(line, &looped, func, &r.roles), types)
    }

    /// Builds the equation for a body whose parameters have the given sources: sorts the parameters and leaves out
    /// rows that are no longer read.
    fn assembled(&self, line: &Line, looped: &Loop, func: Func, roles: &[Role]) -> Line {
        let old = looped.roles.len();
        let live = live_params(&func, &vec![true; func.results.len()]);
        let gone = |role: &Role| match role {
            Role::Row(Atom::Var(outer)) => self.replaced.contains_key(outer),
            _ => false,
        };
        let keep = |i: &usize| live[*i] || !gone(&roles[*i]);
        let sort = |i: &usize| match (&line.op, roles[*i]) {
            (Op::Map(_), _) | (_, Role::Carry(_)) => 0,
            (_, Role::Row(_)) => 1,
            (_, Role::Constant(_)) => 2,
        };
        let mut order: Vec<usize> = (0..roles.len()).filter(keep).collect();
        order.sort_by_key(sort);
        let kept = order.len();
        order.extend((0..roles.len()).filter(|i| !keep(i)));
        let params: Vec<bool> = (0..order.len()).map(|i| i < kept).collect();
        let body = narrowed(
            &func.reordered(&order),
            &params,
            &vec![true; func.results.len()],
        );
        let order = &order[..kept];
        let operand = |&i: &usize| match roles[i] {
            Role::Carry(c) if i < old => line.inputs[looped.first + c],
            // A remembered carry starts with its value at the end of the earlier loop.
            Role::Carry(c) => Atom::Var(self.first.outputs[c]),
            Role::Row(outer) | Role::Constant(outer) => outer,
        };
        let mut inputs: Vec<Atom> = line.inputs[..looped.first].to_vec();
        inputs.extend(order.iter().map(operand));
        let is_row = |i: &usize| matches!(roles[*i], Role::Row(_));
        let is_carry = |i: &usize| matches!(roles[*i], Role::Carry(_));
        let op = match &line.op {
            Op::Scan(scan) => Op::Scan(Arc::new(Scan {
                body,
                carry: order.iter().copied().filter(is_carry).count(),
                xs: order.iter().copied().filter(is_row).count(),
                length: scan.length,
                reverse: scan.reverse,
            })),
            Op::Map(map) => Op::Map(Arc::new(Map {
                body,
                extent: map.extent,
                mapped: order.iter().map(is_row).collect(),
                gather: map.gather.clone(),
            })),
            _ => unreachable!("a scan or a map"),
        };
        Line {
            op,
            inputs,
            ..line.clone()
        }
    }
}

impl Recording<'_> {
    fn value(&mut self, atom: Atom) -> Var {
        let value = match atom {
            Atom::Lit(splat) => return Var::literal(splat),
            Atom::Var(v) => v,
        };
        let body = self.reader.looped.body;
        // Operands come first. A body can be deep, so the stack is explicit and not that of the program.
        let mut left = vec![value];
        while let Some(&v) = left.last() {
            if self.made.contains_key(&v) {
                left.pop();
                continue;
            }
            let ty = &body.types[v as usize];
            let var = match self.reader.plan.get(&v) {
                Some(Way::Again(e)) => {
                    let eqn = &body.eqns[*e];
                    let missing = |a: &Atom| match a {
                        Atom::Var(v) if !self.made.contains_key(v) => Some(*v),
                        _ => None,
                    };
                    let missing: Vec<u32> = eqn.inputs.iter().filter_map(missing).collect();
                    if !missing.is_empty() {
                        left.extend(missing);
                        continue;
                    }
                    let inputs: Vec<Var> = (eqn.inputs.iter())
                        .map(|a| match a {
                            Atom::Lit(splat) => Var::literal(*splat),
                            Atom::Var(v) => self.made[v],
                        })
                        .collect();
                    with_source(eqn.source, || bind(eqn.op.clone(), &inputs)[0])
                }
                Some(Way::Next(carry)) => {
                    self.remembered.push(*carry);
                    self.roles.push(Role::Carry(*carry));
                    self.trace.param(ty.clone())
                }
                _ => self.given(v, ty),
            };
            self.made.insert(v, var);
            left.pop();
        }
        self.made[&value]
    }

    /// Returns the values that this loop passes to its next step: the carries of the earlier loop that are remembered.
    /// One may itself depend on another remembered carry, even in a circle where carries swap places.
    fn remembered(&mut self) -> Vec<Var> {
        let mut values = vec![];
        while let Some(&carry) = self.remembered.get(values.len()) {
            values.push(self.value(Atom::Var(carry as u32)));
        }
        values
    }

    /// Returns a stored or available value as a parameter, reusing an existing parameter with the same source.
    fn given(&mut self, v: u32, ty: &Type) -> Var {
        let role = self.reader.roles[&v];
        match role {
            Role::Row(Atom::Lit(splat)) => {
                return Var::literal(Splat::new(&splat.ty().row(), splat.bits));
            }
            Role::Constant(Atom::Lit(splat)) => return Var::literal(splat),
            _ => {}
        }
        *self.params.entry(role).or_insert_with(|| {
            self.roles.push(role);
            self.trace.param(ty.clone())
        })
    }
}
