//! What the condition of a `while` loop says of the values that it counts up.

use std::collections::HashSet;

use super::replay::Replay;
use super::{Block, ScalarOp, Stmt, Value, While, walk};
use crate::types::DType;

/// The range of a value that a loop counts up.
pub(super) struct Counter {
    /// Its number among the carried values.
    pub number: usize,
    /// The least that it may be.
    pub low: i64,
    /// The greatest that it may be where the condition holds.
    pub high: i64,
    /// The least that a step adds.
    pub step: i64,
}

impl Counter {
    /// Whether the loop surely takes no more steps than its limit.
    pub fn ends_within(&self, limit: u64) -> bool {
        let way = i128::from(self.high) - i128::from(self.low);
        self.step > 0 && way / i128::from(self.step) < i128::from(limit)
    }
}

impl Replay<'_> {
    /// Finds the carried integers of a loop that runs while they are below a bound, and whose steps add what is never
    /// negative and cannot wrap.
    pub(super) fn counters(&mut self, l: &While) -> Vec<Counter> {
        let candidates: Vec<usize> = (0..l.carried.len())
            .filter(|&n| self.old.values[l.carried[n].param.0 as usize].dtype == DType::I64)
            .filter(|&n| bound(l, n).is_some() && step(l, n).is_some())
            .collect();
        if candidates.is_empty() {
            return vec![];
        }
        let mut inside: HashSet<Value> = l.carried.iter().map(|c| c.param).collect();
        for block in [&l.cond, &l.body] {
            walk::stmts(block, &mut |s| inside.extend(walk::definitions(s)));
        }
        let counter = |n: &usize| {
            let (bound, strict) = bound(l, *n)?;
            let bound = self.range_in(bound, &l.cond, &inside)?.1;
            let high = bound.checked_sub(i64::from(strict))?;
            let step = self.range_in(step(l, *n)?, &l.body, &inside)?;
            let low = self.b.range(self.get(l.carried[*n].init))?.0;
            let holds = step.0 >= 0 && low <= high && high.checked_add(step.1).is_some();
            holds.then_some(Counter {
                number: *n,
                low,
                high,
                step: step.0,
            })
        };
        candidates.iter().filter_map(counter).collect()
    }

    /// The range of a value that is the same in all steps: it is a constant of the block, or made outside.
    fn range_in(&self, v: Value, block: &Block, inside: &HashSet<Value>) -> Option<(i64, i64)> {
        let constant = block.stmts.iter().find_map(|s| match s {
            Stmt::Const { out, bits } if *out == v => Some(*bits as i64),
            _ => None,
        });
        match constant {
            Some(n) => Some((n, n)),
            None if inside.contains(&v) => None,
            None => self.b.range(self.get(v)),
        }
    }
}

fn operation(block: &Block, v: Value) -> Option<(ScalarOp, &[Value])> {
    block.stmts.iter().find_map(|s| match s {
        Stmt::Op { out, op, args } if *out == v => Some((*op, &args[..])),
        _ => None,
    })
}

/// What a carried value is below, and whether strictly.
fn bound(l: &While, n: usize) -> Option<(Value, bool)> {
    match operation(&l.cond, l.cond.results[0])? {
        (ScalarOp::Lt, &[v, bound]) if v == l.carried[n].param => Some((bound, true)),
        (ScalarOp::Le, &[v, bound]) if v == l.carried[n].param => Some((bound, false)),
        _ => None,
    }
}

/// What a step adds to a carried value.
fn step(l: &While, n: usize) -> Option<Value> {
    let param = l.carried[n].param;
    match operation(&l.body, l.body.results[n])? {
        (ScalarOp::Add, &[v, by]) | (ScalarOp::Add, &[by, v]) if v == param => Some(by),
        _ => None,
    }
}
