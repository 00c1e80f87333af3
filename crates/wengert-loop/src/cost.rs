//! What things cost: the cycles, nanoseconds and prices that decisions are made from, in one place. A kernel
//! says itself what it costs.
//!
//! `cargo run --release -p wengert-jit --example costs` prints each of them beside what it measures on the
//! machine at hand. They need not be exact: each decision stands between things whose costs are far apart.

use std::collections::HashMap;

use crate::loops::{Stmt, Value, walk};
use crate::scalar::ScalarOp;

/// Cycles of a statement on lanes of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cycles {
    /// From the operands to the result, in code for vectors of 128 bits.
    pub narrow: u32,
    /// From the operands to the result, in code for vectors of 512 bits.
    pub wide: u32,
    /// Quarters of a cycle for which a vector of 512 bits keeps the processor busy.
    pub busy: u32,
}

/// How long a statement takes. `costs` measures a chain of one operation, in each kind of vectors, and
/// eight such chains side by side.
pub fn cycles(s: &Stmt) -> Cycles {
    use ScalarOp::*;
    let (narrow, wide, busy) = match s {
        Stmt::Op { op, .. } => match op {
            Add | Sub => (3, 4, 2),
            Mul | Fma => (4, 4, 2),
            Div => (14, 14, 32),
            Rem => (14, 5, 3),
            Sqrt => (19, 19, 48),
            // Several instructions of 128 bits each: see `emit/how.rs`.
            Min | Max | Floor | Ceil | Round | Trunc => (8, 5, 3),
            Convert => (5, 5, 3),
            // Part of the fused product that uses it, in 512 bits.
            Neg => (1, 0, 0),
            _ => (1, 5, 3),
        },
        // In 512 bits a load does not wait for what a step computes.
        Stmt::Load { .. } | Stmt::ListLoad { .. } => (5, 0, 2),
        _ => (0, 0, 2),
    };
    Cycles { narrow, wide, busy }
}

/// Cycles until the last result of a straight line is there. `cycles` says how long a statement takes;
/// statements for which it says nothing take no part.
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

/// Nanoseconds, roughly: enough to say whether threads pay.
pub mod nanoseconds {
    /// An operation, a load or a store of one number. `costs` measures a long line of scalars.
    pub const SCALAR: f64 = 0.4;
    /// The same of eight lanes. `costs` measures a long line of lanes.
    pub const LANES: f64 = 1.5;
    /// A call, in operations. `costs` measures `e^x`.
    pub const CALL: f64 = 30.0;
    /// A copy of any length, and one more element of it. `costs` measures copies of two lengths.
    pub const COPY: (f64, f64) = (5.0, 0.1);
    /// A step of a loop, or a branch, but for what stands in it. `costs` measures a loop of one operation.
    pub const STEP: f64 = 1.0;
    /// Any other statement: lists, checks. An estimate.
    pub const OTHER: f64 = 5.0;
    /// Steps assumed of a loop whose extent is not known. An estimate.
    pub const STEPS: f64 = 32.0;
}

/// Prices of an element, in eighths of a plain operation: whether to compute it again or to have it in
/// memory. A number (`f64`) that is stored and read once is worth six plain operations.
pub mod price {
    /// So little that it may be done any number of times.
    pub const FREE: u64 = 0;
    /// A plain operation: a sum, a product, an `fma`, a selection. The unit that `costs` measures the others in.
    pub const PLAIN: u64 = 8;
    /// To read a byte that is there. `costs` measures one array more that a loop reads.
    pub const READ: u64 = 2;
    /// To write a byte: half as many stores as loads go through in a cycle, and it takes memory. `costs`
    /// measures one array more that a loop writes.
    pub const WRITE: u64 = 4;
    /// A division, a square root: one every four cycles of a 128-bit unit, where two sums a cycle go
    /// through. `costs` measures one division more in a loop.
    pub const DIVISION: u64 = 8 * PLAIN;
    /// An elementary function is 34 to 66 operations. `costs` measures `e^x` in a loop.
    pub const ELEMENTARY: u64 = 40 * PLAIN;
    /// To look up an element of an array. `costs` measures one array more that a loop reads at indices.
    pub const LOOKUP: u64 = 2 * PLAIN;
}
