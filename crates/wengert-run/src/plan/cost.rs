//! A rough estimate of the running time of code: enough to decide whether threads pay off.

use std::collections::HashMap;

use wengert_loop::cost::nanoseconds::{CALL, COPY, LANES, OTHER, SCALAR, STEP, STEPS};
use wengert_loop::loops::{self, Block, LoopKind, ScalarOp, Stmt, Value, walk};

/// The estimated nanoseconds of a block.
pub fn nanoseconds(block: &Block, constants: &[Option<u64>], lanes: bool) -> f64 {
    let mut estimate = Estimate {
        constants,
        most: HashMap::new(),
    };
    estimate.block(block, lanes)
}

struct Estimate<'a> {
    constants: &'a [Option<u64>],
    /// Values that are the minimum of a number and something else: that number, since a chunk is seldom short.
    most: HashMap<Value, u64>,
}

impl Estimate<'_> {
    fn block(&mut self, block: &Block, lanes: bool) -> f64 {
        block.stmts.iter().map(|s| self.stmt(s, lanes)).sum()
    }

    fn known(&self, v: Value) -> Option<u64> {
        self.constants[v.0 as usize].or_else(|| self.most.get(&v).copied())
    }

    fn steps(&self, extent: Value) -> f64 {
        (self.known(extent)).map_or(STEPS, |bits| (bits as i64).max(0) as f64)
    }

    fn stmt(&mut self, s: &Stmt, lanes: bool) -> f64 {
        let one = if lanes { LANES } else { SCALAR };
        if let Stmt::Op {
            out,
            op: ScalarOp::Min,
            args,
        } = s
            && let Some(most) = args.iter().find_map(|&v| self.constants[v.0 as usize])
        {
            self.most.insert(*out, most);
        }
        match s {
            Stmt::Const { .. } => 0.0,
            Stmt::Op { .. } | Stmt::Load { .. } | Stmt::Store { .. } => one,
            Stmt::Call { .. } => CALL * one,
            Stmt::Copy { len, .. } => COPY.0 + COPY.1 * *len as f64,
            Stmt::For(l) => {
                let n = self.steps(l.extent);
                match l.kind {
                    LoopKind::Vector => (n / loops::LANES as f64).ceil() * self.step(s, true),
                    _ => n * self.step(s, lanes),
                }
            }
            Stmt::While(_) => STEPS * self.step(s, lanes),
            Stmt::If(_) => self.step(s, lanes),
            Stmt::Kernel { kernel, .. } => kernel.nanoseconds(),
            _ => OTHER,
        }
    }

    /// The blocks that a statement holds, each run once.
    fn step(&mut self, s: &Stmt, lanes: bool) -> f64 {
        walk::blocks(s).fold(STEP, |sum, b| sum + self.block(b, lanes))
    }
}

/// The approximate number of instructions of a block.
pub fn instructions(block: &Block, lanes: bool) -> usize {
    let mut total = 0;
    for s in &block.stmts {
        let inner = lanes || walk::loop_kind(s) == Some(LoopKind::Vector);
        total += if lanes { 4 } else { 1 };
        total += walk::blocks(s)
            .map(|b| instructions(b, inner))
            .sum::<usize>();
    }
    total
}
