//! The definitions and uses of the values of a loop's body, in code order.

use std::collections::{HashMap, HashSet};

use wengert_loop::loops::walk;
use wengert_loop::loops::{Block, For, ScalarOp, Stmt, Value, While};

use super::asm::Machine;
use super::loops::stays_in_registers;
use crate::plan::Values;

/// The position of a statement in code order: the statements inside of another come after its
/// position and before its end.
pub(super) type Pos = u32;

/// The positions at which values are defined and used.
pub(super) struct Life<'p> {
    defined: HashMap<Value, Pos>,
    /// The positions of the uses of each value, in order.
    uses: HashMap<Value, Vec<Pos>>,
    /// Values that are the negation of another, and only ever part of a fused product.
    negated: HashMap<Value, Value>,
    /// The ends of statements with blocks.
    ends: HashMap<Pos, Pos>,
    /// The loop in which lanes that have finished run on.
    run_on: Option<&'p While>,
}

impl<'p> Life<'p> {
    /// Analyses the body of a vector loop, of which some blocks run side by side on a machine. Where lanes that have
    /// finished run on, the carried values are not needed after the condition.
    pub(super) fn of(
        l: &For,
        values: &Values,
        on: (Machine, usize),
        run_on: Option<&'p While>,
    ) -> Life<'p> {
        let mut life = Life {
            defined: HashMap::new(),
            uses: HashMap::new(),
            negated: negations(&l.body, values),
            ends: HashMap::new(),
            run_on,
        };
        let mut at = 0;
        let stays = |l: &For| stays_in_registers(values, on, l);
        life.block(&l.body, &mut at, &stays);
        at += 1;
        life.mention_all(&l.body.results, at);
        l.carried.iter().for_each(|c| life.mention(c.param, at));
        life
    }

    /// The value that an operand of a fused product is the negation of.
    pub(super) fn negated(&self, v: Value) -> Option<Value> {
        self.negated.get(&v).copied()
    }

    /// Whether a value is not computed, because each use is part of a fused product.
    pub(super) fn is_folded(&self, v: Value) -> bool {
        self.negated.contains_key(&v)
    }

    pub(super) fn defined(&self, v: Value) -> Pos {
        self.defined.get(&v).copied().unwrap_or(0)
    }

    /// The first use after a position.
    pub(super) fn after(&self, v: Value, at: Pos) -> Option<Pos> {
        let uses = self.uses.get(&v)?;
        uses.get(uses.partition_point(|&u| u <= at)).copied()
    }

    /// The first use within a loop that a value was defined before.
    pub(super) fn first_within(&self, v: Value, (start, end): (Pos, Pos)) -> Option<Pos> {
        self.after(v, start).filter(|&u| u <= end)
    }

    /// The end of the statement with blocks that begins at a position.
    pub(super) fn end(&self, start: Pos) -> Pos {
        self.ends[&start]
    }

    fn mention(&mut self, v: Value, at: Pos) {
        let v = self.negated.get(&v).copied().unwrap_or(v);
        self.uses.entry(v).or_default().push(at);
    }

    fn mention_all(&mut self, values: &[Value], at: Pos) {
        values.iter().for_each(|&v| self.mention(v, at));
    }

    fn define_all(&mut self, values: walk::Values, at: Pos) {
        (self.defined).extend(values.into_iter().map(|v| (v, at)));
    }

    /// Carried values in rows live until the step ends; `stays` says which loops carry in
    /// registers.
    fn block(&mut self, block: &Block, at: &mut Pos, stays: &dyn Fn(&For) -> bool) {
        for s in &block.stmts {
            *at += 1;
            let here = *at;
            if !walk::result(s).is_some_and(|v| self.is_folded(v)) {
                self.mention_all(&walk::uses(s), here);
            }
            self.define_all(walk::params(s), here);
            for (n, inner) in walk::blocks(s).enumerate() {
                self.block(inner, at, stays);
                *at += 1;
                match s {
                    // Each step compares with the extent.
                    Stmt::For(l) => self.mention(l.extent, *at),
                    Stmt::If(i) => self.mention(i.pred, *at),
                    Stmt::While(w) if n == 0 => {
                        w.carried.iter().for_each(|c| self.mention(c.param, *at));
                    }
                    _ => {}
                }
                self.mention_all(&inner.results, *at);
            }
            match s {
                Stmt::For(l) if stays(l) => {}
                Stmt::While(w) if self.run_on.is_some_and(|r| std::ptr::eq(r, w)) => {}
                // Finished lanes keep their values.
                Stmt::For(For { carried, .. }) | Stmt::While(While { carried, .. }) => {
                    carried.iter().for_each(|c| self.mention(c.param, *at));
                }
                _ => {}
            }
            self.define_all(walk::outs(s), *at);
            self.ends.insert(here, *at);
        }
    }
}

/// Values in lanes that are the negation of another and only operands of fused products, which
/// subtract at no cost. The negated value is available at each use, because it is defined in the
/// same straight line or before.
fn negations(body: &Block, values: &Values) -> HashMap<Value, Value> {
    let mut found = HashMap::new();
    let mut otherwise = HashSet::new();
    walk::stmts(body, &mut |s| {
        let Stmt::Op { out, op, args } = s else {
            otherwise.extend(walk::uses(s));
            otherwise.extend(walk::blocks(s).flat_map(|b| &b.results));
            return;
        };
        if *op != ScalarOp::Fma {
            otherwise.extend(args);
        }
        if *op == ScalarOp::Neg {
            let (to, from) = (
                values.types[out.0 as usize],
                values.types[args[0].0 as usize],
            );
            let known = values.constants[args[0].0 as usize].is_some();
            if to.dtype.is_float() && to.lanes && from.lanes && !known {
                found.insert(*out, args[0]);
            }
        }
    });
    otherwise.extend(&body.results);
    found.retain(|v, _| !otherwise.contains(v));
    found
}
