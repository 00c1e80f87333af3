//! The cost model: all cycles, nanoseconds and prices that decisions are based on. Only kernels state their own
//! costs.
//!
//! `cargo run --release -p wengert-jit --example costs` prints each of them beside its measurement on the
//! current machine. They need not be exact: each decision is between alternatives whose costs are far apart.

use std::collections::HashMap;

use crate::loops::{Stmt, Value, walk};
use crate::scalar::ScalarOp;

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

/// Approximate nanoseconds: enough to decide whether threads pay.
pub mod nanoseconds {
    /// Time of a scalar operation, load or store. `costs` measures a long sequence of scalars.
    pub const SCALAR: f64 = 0.4;
    /// Time of such a statement on eight lanes. `costs` measures a long sequence of lanes.
    pub const LANES: f64 = 1.5;
    /// Time of a call, in operations. `costs` measures `e^x`.
    pub const CALL: f64 = 30.0;
    /// Time of a copy: a constant, and the time per element. `costs` measures copies of two lengths.
    pub const COPY: (f64, f64) = (5.0, 0.1);
    /// Overhead of a loop step or a branch. `costs` measures a loop of one operation.
    pub const STEP: f64 = 1.0;
    /// Time of any other statement: lists, checks. An estimate.
    pub const OTHER: f64 = 5.0;
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
