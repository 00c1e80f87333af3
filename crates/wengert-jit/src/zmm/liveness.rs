//! Where the values of a loop's body are defined and used, in the order of the code.

use std::collections::{HashMap, HashSet};

use wengert_loop::loops::walk;
use wengert_loop::loops::{Block, Carried, ScalarOp, Stmt, Value};
use wengert_loop::types::DType;

use super::loops::stays_in_registers;
use crate::plan::Values;

/// The place of a statement in the order of the code: what stands inside of a statement comes behind its
/// place and before its end.
pub(super) type Pos = u32;

/// When values are there, and when they are wanted.
pub(super) struct Life {
    defined: HashMap<Value, Pos>,
    /// In order.
    uses: HashMap<Value, Vec<Pos>>,
    /// Values that are the negation of another, and only ever part of a fused product.
    negated: HashMap<Value, Value>,
    /// Where statements with blocks end.
    ends: HashMap<Pos, Pos>,
}

impl Life {
    /// Of the body of a vector loop, so many blocks of which run side by side.
    pub(super) fn of(
        carried: &[Carried],
        body: &Block,
        values: &Values,
        interleave: usize,
    ) -> Life {
        let mut life = Life {
            defined: HashMap::new(),
            uses: HashMap::new(),
            negated: negations(body, values),
            ends: HashMap::new(),
        };
        let mut at = 0;
        let stays = |s: &Stmt| match s {
            Stmt::For {
                extent,
                carried,
                body,
                ..
            } => stays_in_registers(values, interleave, *extent, carried, body),
            _ => false,
        };
        life.block(body, &mut at, &stays);
        at += 1;
        body.results.iter().for_each(|&v| life.mention(v, at));
        carried.iter().for_each(|c| life.mention(c.param, at));
        life
    }

    /// The value that an operand of a fused product is the negation of.
    pub(super) fn negated(&self, v: Value) -> Option<Value> {
        self.negated.get(&v).copied()
    }

    /// Whether nothing is to be computed for a value: where it is used, it is part of a product.
    pub(super) fn is_folded(&self, v: Value) -> bool {
        self.negated.contains_key(&v)
    }

    pub(super) fn defined(&self, v: Value) -> Pos {
        self.defined.get(&v).copied().unwrap_or(0)
    }

    /// The first use behind a place.
    pub(super) fn after(&self, v: Value, at: Pos) -> Option<Pos> {
        let uses = self.uses.get(&v)?;
        uses.get(uses.partition_point(|&u| u <= at)).copied()
    }

    /// The first use within a loop that a value was defined before.
    pub(super) fn first_within(&self, v: Value, (start, end): (Pos, Pos)) -> Option<Pos> {
        self.after(v, start).filter(|&u| u <= end)
    }

    /// Where the statement with blocks ends that begins at a place.
    pub(super) fn end(&self, start: Pos) -> Pos {
        self.ends[&start]
    }

    fn mention(&mut self, v: Value, at: Pos) {
        let v = self.negated.get(&v).copied().unwrap_or(v);
        self.uses.entry(v).or_default().push(at);
    }

    /// What loops carry in rows is there until the step ends; `stays` tells those that do not.
    fn block(&mut self, block: &Block, at: &mut Pos, stays: &dyn Fn(&Stmt) -> bool) {
        for s in &block.stmts {
            *at += 1;
            let here = *at;
            if !result_is(s, |v| self.is_folded(v)) {
                walk::uses(s, &mut |v| self.mention(v, here));
            }
            walk::definitions(s, &mut |v| {
                self.defined.insert(v, here);
            });
            match s {
                Stmt::For {
                    extent,
                    carried,
                    body,
                    ..
                } => {
                    self.block(body, at, stays);
                    *at += 1;
                    // Each step asks which lanes take part.
                    self.mention(*extent, *at);
                    body.results.iter().for_each(|&v| self.mention(v, *at));
                    let rows = !stays(s);
                    for c in carried {
                        if rows {
                            self.mention(c.param, *at);
                        }
                        self.defined.insert(c.out, *at);
                    }
                }
                Stmt::While {
                    carried,
                    cond,
                    body,
                    ..
                } => {
                    self.block(cond, at, stays);
                    *at += 1;
                    cond.results.iter().for_each(|&v| self.mention(v, *at));
                    self.block(body, at, stays);
                    *at += 1;
                    body.results.iter().for_each(|&v| self.mention(v, *at));
                    // Lanes that are done keep what they have.
                    carried.iter().for_each(|c| {
                        self.mention(c.param, *at);
                        self.defined.insert(c.out, *at);
                    });
                }
                Stmt::If {
                    pred,
                    then,
                    otherwise,
                    outs,
                } => {
                    for block in [then, otherwise] {
                        self.block(block, at, stays);
                        *at += 1;
                        self.mention(*pred, *at);
                        block.results.iter().for_each(|&v| self.mention(v, *at));
                    }
                    outs.iter().for_each(|&v| {
                        self.defined.insert(v, *at);
                    });
                }
                _ => {}
            }
            self.ends.insert(here, *at);
        }
    }
}

fn result_is(s: &Stmt, is: impl Fn(Value) -> bool) -> bool {
    walk::result(s).is_some_and(is)
}

/// Values in lanes that are the negation of another and nothing but operands of fused products, which
/// subtract at no cost. What is negated is there where the negation is used, for it is defined in the
/// same straight line or before.
fn negations(body: &Block, values: &Values) -> HashMap<Value, Value> {
    let mut found = HashMap::new();
    let mut otherwise = HashSet::new();
    walk::stmts(body, &mut |s| {
        let product = matches!(
            s,
            Stmt::Op {
                op: ScalarOp::Fma,
                ..
            }
        );
        if !product {
            walk::uses(s, &mut |v| {
                otherwise.insert(v);
            });
        }
        for b in walk::blocks(s) {
            otherwise.extend(b.results.iter().copied());
        }
        if let Stmt::Op {
            out,
            op: ScalarOp::Neg,
            args,
        } = s
        {
            let (to, from) = (
                values.types[out.0 as usize],
                values.types[args[0].0 as usize],
            );
            let known = values.constants[args[0].0 as usize].is_some();
            if to.dtype == DType::F64 && to.lanes && from.lanes && !known {
                found.insert(*out, args[0]);
            }
        }
    });
    otherwise.extend(body.results.iter().copied());
    found.retain(|v, _| !otherwise.contains(v));
    found
}
