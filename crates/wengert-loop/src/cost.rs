//! The cost model: all cycles, nanoseconds and prices that decisions are based on. Only kernels state their own
//! costs.
//!
//! `cargo run --release -p wengert-jit --example costs` prints each of them beside its measurement on the
//! current machine. They need not be exact: each decision is between alternatives whose costs are far apart.

use std::collections::HashMap;

use crate::loops::{Stmt, Value, walk};
use crate::scalar::ScalarOp;
use crate::types::DType;

/// Cycles of a statement on 64-bit lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cycles {
    /// Latency in code for vectors of 128 bits.
    pub narrow: u32,
    /// Latency in code for vectors of 512 bits.
    pub wide: u32,
    /// Quarters of a cycle for which a vector of 512 bits occupies the processor.
    pub busy: u32,
}

/// Returns the cycles of a statement. `costs` measures a chain of one operation, in each vector width, and
/// eight such chains side by side.
pub fn cycles(s: &Stmt) -> Cycles {
    use ScalarOp::*;
    let (narrow, wide, busy) = match s {
        Stmt::Op { op, .. } => match op {
            Add | Sub => (3, 4, 2),
            Mul | Fma => (4, 4, 2),
            Div => (14, 14, 32),
            Rem => (14, 5, 3),
            // Of halves in 512 bits, lane by lane in 128.
            MulHigh => (8, 14, 36),
            Sqrt => (19, 19, 48),
            // Several instructions each in vectors of 128 bits: see `emit/how.rs`.
            Min | Max | Floor | Ceil | Round | Trunc => (8, 5, 3),
            Convert => (5, 5, 3),
            // In 512 bits it is part of the fused product that uses it.
            Neg => (1, 0, 0),
            _ => (1, 5, 3),
        },
        // In 512 bits a load does not wait for what a step computes.
        Stmt::Load { .. } | Stmt::ListLoad { .. } => (5, 0, 2),
        _ => (0, 0, 2),
    };
    Cycles { narrow, wide, busy }
}

/// Returns the latency of straight-line code, in cycles. `cycles` returns the latency of a statement;
/// statements for which it returns `None` are ignored.
pub fn longest_path(stmts: &[Stmt], mut cycles: impl FnMut(&Stmt, Value) -> Option<u32>) -> u32 {
    let mut there: HashMap<Value, u32> = HashMap::new();
    let mut longest = 0;
    for s in stmts {
        let Some(out) = walk::result(s) else {
            continue;
        };
        let Some(cycles) = cycles(s, out) else {
            continue;
        };
        let uses = walk::uses(s);
        let start = uses.iter().filter_map(|v| there.get(v)).max();
        let start = start.copied().unwrap_or(0);
        longest = longest.max(start + cycles);
        there.insert(out, start + cycles);
    }
    longest
}

/// Cycles of an operation on one number: until the result is there, and for which it occupies the processor.
pub fn scalar_cycles(op: ScalarOp, float: bool) -> (f64, f64) {
    use ScalarOp::*;
    match op {
        Add | Sub if float => (2.5, 0.5),
        Mul | Fma if float => (4.0, 0.5),
        Mul | MulHigh => (3.0, 1.0),
        Div if float => (14.0, 4.0),
        Sqrt => (19.0, 6.0),
        Div | Rem if !float => (18.0, 8.0),
        Div | Rem => (40.0, 30.0),
        Min | Max if float => (8.0, 3.0),
        Floor | Ceil | Round | Trunc => (8.0, 2.0),
        Convert => (6.0, 1.5),
        Select if float => (3.0, 1.5),
        Eq | Ne | Lt | Le if float => (3.0, 1.0),
        _ => (1.0, 0.25),
    }
}

/// Cycles of an operation on eight lanes in vectors of 128 bits: until the result is there, and for which each vector
/// occupies the processor.
pub fn narrow_cycles(op: ScalarOp, from: DType, to: DType) -> (f64, f64) {
    use ScalarOp::*;
    let float = from.is_float();
    match op {
        Add | Sub | Mul | Fma if float => (4.0, 0.5),
        Div if float => (14.0, 4.0),
        Sqrt => (19.0, 6.0),
        Div | Rem | MulHigh => (20.0, 10.0),
        Mul => (10.0, 2.0),
        Min | Max if float => (8.0, 3.0),
        Floor | Ceil | Round | Trunc => (8.0, 2.0),
        Convert if from != to => (8.0, 3.0),
        Any => (4.0, 2.0),
        _ => (1.0, 0.75),
    }
}

/// Cycles of a load or store of a register: loads take half as long as stores.
pub const ACCESS: f64 = 0.5;
/// Cycles until a load has its number.
pub const LOAD: f64 = 5.0;
/// Cycles of a call of a function of scalars, besides those of its body.
pub const CALL: f64 = 6.0;
/// Cycles of a copy, besides those of its elements.
pub const COPY: f64 = 15.0;
/// Cycles of a statement about lists. An estimate.
pub const LISTS: f64 = 10.0;
/// Steps of a loop in a function of scalars. An estimate.
pub const FEW_STEPS: f64 = 4.0;
/// The number of instructions that a processor looks ahead.
pub const OVERLAP: f64 = 700.0;

/// Instructions that begin in a cycle.
pub const AT_ONCE: f64 = 4.0;

/// Bytes of a page.
pub const PAGE: f64 = 4096.0;
/// Bytes of a line of a cache.
pub const LINE: f64 = 64.0;
/// Bytes that stay in the first cache.
pub const L1: f64 = 32_768.0;
/// Bytes that stay in the second cache.
pub const L2: f64 = 2_000_000.0;
/// Nanoseconds of a byte from the second cache.
pub const NEAR_BYTE: f64 = 0.01;
/// Nanoseconds of a byte from beyond the second cache.
pub const FAR_BYTE: f64 = 0.03;
/// How much longer an access in no order takes.
pub const SCATTERED: f64 = 2.0;

/// Approximate nanoseconds.
pub mod nanoseconds {
    /// Time of a cycle.
    pub const CYCLE: f64 = 0.33;
    /// Time to enter and leave a loop.
    pub const ENTER: f64 = 1.0;
    /// Time to enter and leave a loop over lanes in registers of 512 bits, which is a function of its own.
    pub const ENTER_WIDE: f64 = 8.0;
    /// Time to start other threads for a parallel loop, and to wait for the last of them.
    pub const SPREAD: f64 = 5_000.0;
    /// Time of a call, besides that of its statements.
    pub const CALL: f64 = 80.0;
    /// Number of steps assumed for a loop of unknown extent. An estimate.
    pub const STEPS: f64 = 32.0;
}

/// Prices per element, in eighths of a plain operation, for the choice between recomputing a value and storing
/// it. A number (`f64`) that is stored and read once costs six plain operations.
pub mod price {
    /// Price of an operation that may be repeated any number of times.
    pub const FREE: u64 = 0;
    /// Price of a plain operation: a sum, a product, an `fma`, a selection. `costs` measures the others in this
    /// unit.
    pub const PLAIN: u64 = 8;
    /// Price of reading a stored byte. `costs` measures one more array that a loop reads.
    pub const READ: u64 = 2;
    /// Price of writing a byte: stores have half the throughput of loads, and use memory. `costs` measures one
    /// more array that a loop writes.
    pub const WRITE: u64 = 4;
    /// Price of a division or square root: a 128-bit unit does one every four cycles, but two sums per cycle.
    /// `costs` measures one more division in a loop.
    pub const DIVISION: u64 = 8 * PLAIN;
    /// Price of an elementary function, which is 34 to 66 operations. `costs` measures `e^x` in a loop.
    pub const ELEMENTARY: u64 = 40 * PLAIN;
    /// Price of an indexed load of an array. `costs` measures one more array that a loop reads at indices.
    pub const LOOKUP: u64 = 2 * PLAIN;
}
