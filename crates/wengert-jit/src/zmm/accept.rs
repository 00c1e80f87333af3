//! Chooses the vector loops that are written in wide code, and the number of blocks that run at a
//! time.
//!
//! Every statement of such a loop must have wide code.
//! The emitter for 128-bit vectors writes all other loops.

use std::collections::HashMap;

use wengert_loop::cost::{cycles, longest_path};
use wengert_loop::loops::kernel::{LaneProduct, RandomBlock};
use wengert_loop::loops::walk;
use wengert_loop::loops::{
    Block, BufferId, BufferKind, Cause, For, LANES, LoopKind, Program, ScalarOp, Stmt, Value,
};
use wengert_loop::types::DType;
use wengert_run::Vectors;
use wengert_run::library::wide::Wide;
use wengert_run::plan::is_straight;

use super::asm::Machine;
use super::lists::is_of_list;
use super::refilled::refilled;
use super::{Blocks, SIXTEEN};
use crate::plan::Values;

/// The largest number of blocks that run side by side.
pub(super) const MOST: usize = 4;
/// The number of statements up to which blocks run side by side.
const SHORT: u32 = 600;
/// The number of statements up to which a straight line runs for two blocks at a time.
const LINE: usize = 48;
/// The number of operations from which any body without loops has wide code.
const LARGE: usize = 64;
/// The number of operations from which a body that reads and writes rows, or elements that it has looked up, has
/// wide code.
const SOME: usize = 2;

/// Finds the vector loops that have wide code. Maps their index to the number of blocks that run
/// side by side.
pub(crate) fn accepted(
    program: &Program,
    values: &Values,
    functions: &[Option<Wide>],
    vectors: Vectors,
    machine: Machine,
) -> HashMap<Value, Blocks> {
    let mut found = HashMap::new();
    let mut homes = HashMap::new();
    locals(&program.body, None, &mut homes);
    walk::stmts(&program.body, &mut |s| {
        let l = match s {
            Stmt::For(l) if l.kind == LoopKind::Vector => l,
            _ => return,
        };
        let acceptor = Acceptor {
            program,
            values,
            functions,
            machine,
        };
        let numbers = (l.carried.iter()).all(|c| acceptor.dtype(c.param) != DType::Bool);
        let even = (values.constants[l.extent.0 as usize]).is_some_and(|n| n % LANES as u64 == 0);
        let pays = vectors == Vectors::AllLoops || is_work(l, even);
        if !numbers || !pays || !acceptor.block(&l.body) {
            return;
        }
        let mut own = true;
        walk::stmts(&l.body, &mut |s| {
            own &= !is_of_list(s);
            own &= (walk::buffers(s).iter())
                .all(|b| acceptor.kind(*b) != BufferKind::Local || homes[b] == Some(l.index));
        });
        let interleave = match l.carried.is_empty() && own && acceptor.parts_nowhere(&l.body) {
            true if vectors == Vectors::AllLoops => MOST,
            true => acceptor.side_by_side(&l.body),
            // Lanes that are refilled: one block works while the steps of the other wait.
            false => match refilled(program, values, (machine, 2), l) {
                Some(_) => 2,
                None => 1,
            },
        };
        let known = values.constants[l.extent.0 as usize];
        let more = known.is_none_or(|n| n > LANES as u64);
        let lanes = match own && more && acceptor.is_narrow(l) {
            true => SIXTEEN,
            false => LANES,
        };
        let blocks = known.map_or(usize::MAX, |n| n.div_ceil(lanes as u64) as usize);
        let interleave = (0..)
            .map(|i| 1 << i)
            .take_while(|&j| j <= interleave.min(blocks.max(1)))
            .last()
            .unwrap_or(1);
        found.insert(l.index, Blocks { interleave, lanes });
    });
    found
}

/// Whether wide code is faster for a body: it has loops, or is a straight line that reads and writes rows, or looks
/// elements up one by one, which is one instruction, and calls functions, which take and give whole rows, or computes
/// something, or, unless the blocks are `even`, ends with a short block, which has a mask in wide code and is written
/// lane by lane elsewhere.
fn is_work(l: &For, even: bool) -> bool {
    let (mut loops, mut calls, mut operations, mut rows) = (false, false, 0, true);
    walk::stmts(&l.body, &mut |s| match s {
        Stmt::For(_) | Stmt::While(_) => loops = true,
        Stmt::Call { .. } => calls = true,
        Stmt::Op { .. } => operations += 1,
        Stmt::Load { index, .. } | Stmt::Store { index, .. } => {
            rows &= (0..=1).contains(&index.stride);
        }
        _ => {}
    });
    let stmts = &l.body.stmts;
    let line = l.carried.is_empty()
        && (stmts.iter()).all(|s| is_straight(s) || matches!(s, Stmt::Call { .. }));
    let pays = calls || !even || operations >= SOME;
    loops || operations >= LARGE || (line && rows && pays)
}

/// For each `Local` buffer the only vector loop that accesses it, if there is one.
fn locals(block: &Block, inside: Option<Value>, homes: &mut HashMap<BufferId, Option<Value>>) {
    for s in &block.stmts {
        for b in walk::buffers(s) {
            let home = homes.entry(b).or_insert(inside);
            if *home != inside {
                *home = None;
            }
        }
        let inside = match s {
            Stmt::For(l) if l.kind == LoopKind::Vector => Some(l.index),
            _ => inside,
        };
        walk::blocks(s).for_each(|b| locals(b, inside, homes));
    }
}

struct Acceptor<'a> {
    program: &'a Program,
    values: &'a Values,
    functions: &'a [Option<Wide>],
    machine: Machine,
}

impl Acceptor<'_> {
    fn dtype(&self, v: Value) -> DType {
        self.values.types[v.0 as usize].dtype
    }

    fn lanes(&self, v: Value) -> bool {
        self.values.types[v.0 as usize].lanes && self.values.constants[v.0 as usize].is_none()
    }

    fn kind(&self, b: BufferId) -> BufferKind {
        self.program.buffers[b.0 as usize].kind
    }

    fn block(&self, block: &Block) -> bool {
        block.stmts.iter().all(|s| self.stmt(s))
    }

    fn stmt(&self, s: &Stmt) -> bool {
        match s {
            Stmt::Const { .. } => true,
            Stmt::Op { out, op, args } => self.op(*out, *op, args),
            Stmt::Call { callee, .. } => self.functions[*callee as usize].is_some(),
            Stmt::Load { .. } => true,
            Stmt::Store { buffer, index, .. } => {
                let own = self.kind(*buffer) == BufferKind::Local;
                own || index.stride != 0 || index.each.is_some()
            }
            Stmt::Copy { to, .. } => self.kind(to.0) == BufferKind::Local,
            Stmt::For(_) | Stmt::While(_) | Stmt::If(_) => {
                walk::loop_kind(s) != Some(LoopKind::Vector)
                    && walk::blocks(s).all(|b| self.block(b))
            }
            // Only the failure of a loop that would be too long has wide code; checks of the
            // user do not.
            Stmt::Fail { failure } => {
                let cause = &self.program.failures[*failure as usize].cause;
                matches!(cause, Cause::MaxSteps(..))
            }
            Stmt::Kernel { kernel, .. } => {
                let product = kernel.downcast_ref::<LaneProduct>();
                kernel.downcast_ref::<RandomBlock>().is_some() || product.is_some()
            }
            Stmt::ListStore(to) => self.program.lists[to.list.0 as usize].lanes,
            _ => is_of_list(s),
        }
    }

    fn op(&self, out: Value, op: ScalarOp, args: &[Value]) -> bool {
        use ScalarOp::*;
        let from = self.dtype(args[args.len() - 1]);
        match op {
            Fold(_) => false,
            Rem => !from.is_float(),
            // A truth value is a bit of a mask, not a byte.
            Bitcast => (from == DType::Bool) == (self.dtype(out) == DType::Bool),
            _ => true,
        }
    }

    /// Whether sixteen lanes may run in a block: each value in lanes has at most 32 bits, the lanes lie side by side
    /// in memory, and neither what runs nor what is carried is meant for blocks of eight.
    fn is_narrow(&self, l: &For) -> bool {
        let narrow = |v: &Value| !self.lanes(*v) || self.dtype(*v).bytes() <= 4;
        let mut fits = l.carried.is_empty()
            && refilled(self.program, self.values, (self.machine, 1), l).is_none();
        walk::stmts(&l.body, &mut |s| {
            let used = walk::uses(s);
            let results = walk::blocks(s).flat_map(|b| &b.results);
            fits &= used.iter().chain(results).all(narrow);
            fits &= walk::definitions(s).iter().all(narrow);
            fits &= match s {
                Stmt::Load { buffer, index, .. } | Stmt::Store { buffer, index, .. } => {
                    match (self.kind(*buffer), index.stride) {
                        (BufferKind::Local, _) | (_, 1) => self.is_narrow_memory(*buffer),
                        (_, stride) => stride == 0,
                    }
                }
                Stmt::Copy { to, .. } => self.is_narrow_memory(to.0),
                Stmt::Kernel { .. } => false,
                _ if is_of_list(s) => false,
                Stmt::Op { op, .. } => *op != ScalarOp::Any,
                _ => true,
            };
        });
        fits
    }

    fn is_narrow_memory(&self, b: BufferId) -> bool {
        self.program.buffers[b.0 as usize].dtype.bytes() <= 4
    }

    /// Whether control flow is the same in all lanes.
    fn parts_nowhere(&self, body: &Block) -> bool {
        let mut same = true;
        walk::stmts(body, &mut |s| match s {
            Stmt::For(l) => same &= !self.lanes(l.extent),
            Stmt::While(l) => same &= !self.lanes(l.cond.results[0]),
            Stmt::If(i) => same &= !self.lanes(i.pred),
            Stmt::Op {
                op: ScalarOp::Any, ..
            }
            | Stmt::Kernel { .. } => same = false,
            _ => {}
        });
        same
    }

    /// The number of blocks to run side by side: as many as keep the processor busy while each
    /// block waits for the dependent operations of a step.
    fn side_by_side(&self, body: &Block) -> usize {
        if body.stmts.iter().all(is_straight) {
            // Two, so that counting the steps does not dominate.
            return if body.stmts.len() <= LINE { 2 } else { 1 };
        }
        let mut interleave = 1;
        let mut size = 0;
        walk::stmts(body, &mut |s| {
            size += 1;
            if let Stmt::For(For { body, .. }) = s
                && !body.results.is_empty()
                && body.stmts.iter().all(is_straight)
            {
                let (work, depth) = self.cost(body);
                let ways = depth.div_ceil(work.max(1)) as usize;
                interleave = interleave.max(ways.min(MOST));
            }
        });
        if size > SHORT { 1 } else { interleave }
    }

    /// The cycles that a straight line keeps the processor busy, and the cycles until its last
    /// result is ready.
    fn cost(&self, body: &Block) -> (u32, u32) {
        let mut work = 0;
        let longest = longest_path(&body.stmts, |s, out| {
            self.lanes(out).then(|| {
                let cycles = cycles(s);
                work += cycles.busy;
                cycles.wide
            })
        });
        (work / 4, longest)
    }
}
