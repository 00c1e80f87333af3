//! How long code takes to run, roughly: enough to say whether threads pay.

use wengert_loop::cost::nanoseconds::{CALL, COPY, LANES, OTHER, SCALAR, STEP, STEPS};
use wengert_loop::loops::{self, Block, LoopKind, Stmt, Value, walk};

/// Nanoseconds that a block takes.
pub fn nanoseconds(block: &Block, constants: &[Option<u64>], lanes: bool) -> f64 {
    block.stmts.iter().map(|s| stmt(s, constants, lanes)).sum()
}

fn steps(extent: Value, constants: &[Option<u64>]) -> f64 {
    constants[extent.0 as usize].map_or(STEPS, |bits| (bits as i64).max(0) as f64)
}

fn stmt(s: &Stmt, constants: &[Option<u64>], lanes: bool) -> f64 {
    let one = if lanes { LANES } else { SCALAR };
    match s {
        Stmt::Const { .. } => 0.0,
        Stmt::Op { .. } | Stmt::Load { .. } | Stmt::Store { .. } => one,
        Stmt::Call { .. } => CALL * one,
        Stmt::Copy { len, .. } => COPY.0 + COPY.1 * *len as f64,
        Stmt::For {
            kind, extent, body, ..
        } => {
            let vector = *kind == LoopKind::Vector;
            let n = steps(*extent, constants);
            let n = if vector {
                (n / loops::LANES as f64).ceil()
            } else {
                n
            };
            n * (STEP + nanoseconds(body, constants, lanes || vector))
        }
        Stmt::While { cond, body, .. } => {
            STEPS
                * (STEP + nanoseconds(cond, constants, lanes) + nanoseconds(body, constants, lanes))
        }
        Stmt::If {
            then, otherwise, ..
        } => STEP + nanoseconds(then, constants, lanes) + nanoseconds(otherwise, constants, lanes),
        Stmt::Kernel { kernel, .. } => kernel.nanoseconds(),
        _ => OTHER,
    }
}

/// Instructions that a block becomes, roughly.
pub fn instructions(block: &Block, lanes: bool) -> usize {
    let mut total = 0;
    for s in &block.stmts {
        let inner = lanes
            || matches!(
                s,
                Stmt::For {
                    kind: LoopKind::Vector,
                    ..
                }
            );
        total += if lanes { 4 } else { 1 };
        total += walk::blocks(s)
            .map(|b| instructions(b, inner))
            .sum::<usize>();
    }
    total
}
