//! A rough estimate of the running time of code: enough to decide whether threads pay off.

use wengert_loop::cost::nanoseconds::{CALL, COPY, LANES, OTHER, SCALAR, STEP, STEPS};
use wengert_loop::loops::{self, Block, LoopKind, Stmt, Value, walk};

/// The estimated nanoseconds of a block.
pub fn nanoseconds(block: &Block, constants: &[Option<u64>], lanes: bool) -> f64 {
    block.stmts.iter().map(|s| stmt(s, constants, lanes)).sum()
}

fn steps(extent: Value, constants: &[Option<u64>]) -> f64 {
    constants[extent.0 as usize].map_or(STEPS, |bits| (bits as i64).max(0) as f64)
}

fn stmt(s: &Stmt, constants: &[Option<u64>], lanes: bool) -> f64 {
    let one = if lanes { LANES } else { SCALAR };
    // The blocks that it holds, each run once.
    let step = |lanes| walk::blocks(s).fold(STEP, |sum, b| sum + nanoseconds(b, constants, lanes));
    match s {
        Stmt::Const { .. } => 0.0,
        Stmt::Op { .. } | Stmt::Load { .. } | Stmt::Store { .. } => one,
        Stmt::Call { .. } => CALL * one,
        Stmt::Copy { len, .. } => COPY.0 + COPY.1 * *len as f64,
        Stmt::For(l) => {
            let n = steps(l.extent, constants);
            match l.kind {
                LoopKind::Vector => (n / loops::LANES as f64).ceil() * step(true),
                _ => n * step(lanes),
            }
        }
        Stmt::While(_) => STEPS * step(lanes),
        Stmt::If(_) => step(lanes),
        Stmt::Kernel { kernel, .. } => kernel.nanoseconds(),
        _ => OTHER,
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
