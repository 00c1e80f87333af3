//! Which vector loops are written in wide code, and how many blocks at a time.
//!
//! All that such a loop holds has to have wide code: elements of 64 bits, and truth values. Others are
//! written by the emitter for vectors of 128 bits, as a whole.

use std::collections::HashMap;

use wengert_loop::cost::{cycles, longest_path};
use wengert_loop::loops::kernel::RandomBlock;
use wengert_loop::loops::walk;
use wengert_loop::loops::{
    Block, BufferId, BufferKind, Carried, Cause, Index, LoopKind, Program, ScalarOp, Stmt, Value,
};
use wengert_loop::types::DType;
use wengert_run::Vectors;
use wengert_run::library::wide::Wide;
use wengert_run::plan::is_straight;

use crate::plan::Values;

/// Blocks that are run side by side at the most.
pub(super) const MOST: usize = 4;
/// Statements up to which blocks are run side by side.
const SHORT: u32 = 600;
/// Statements up to which a straight line is run for two blocks at a time.
const LINE: usize = 48;
/// Operations from which a body without loops has wide code, whatever it reads.
const LARGE: usize = 64;
/// Operations from which one that reads and writes rows has.
const SOME: usize = 2;

/// Finds the vector loops that have wide code: by their index, how many blocks run side by side.
pub(crate) fn accepted(
    program: &Program,
    values: &Values,
    functions: &[Option<Wide>],
    vectors: Vectors,
) -> HashMap<Value, usize> {
    let mut found = HashMap::new();
    let mut homes = HashMap::new();
    locals(&program.body, None, &mut homes);
    walk::stmts(&program.body, &mut |s| {
        let Stmt::For {
            kind: LoopKind::Vector,
            extent,
            index,
            carried,
            body,
        } = s
        else {
            return;
        };
        let acceptor = Acceptor {
            program,
            values,
            functions,
        };
        let carried_words = carried.iter().all(|c| is_word(acceptor.dtype(c.param)));
        let pays = vectors == Vectors::AllLoops || is_work(carried, body);
        if !carried_words || !pays || !acceptor.block(body) {
            return;
        }
        let blocks = match values.constants[extent.0 as usize] {
            Some(n) => n.div_ceil(8) as usize,
            None => usize::MAX,
        };
        let mut own = true;
        walk::stmts(body, &mut |s| {
            walk::buffers(s, &mut |b| {
                own &= acceptor.kind(b) != BufferKind::Local || homes[&b] == Some(*index);
            });
        });
        let interleave = match carried.is_empty() && own && acceptor.parts_nowhere(body) {
            true if vectors == Vectors::AllLoops => MOST,
            true => acceptor.side_by_side(body),
            false => 1,
        };
        let interleave = (0..)
            .map(|i| 1 << i)
            .take_while(|&j| j <= interleave.min(blocks.max(1)));
        found.insert(*index, interleave.last().unwrap_or(1));
    });
    found
}

/// Whether wide code is quicker for a body: it has loops, or is a straight line that computes something and
/// reads and writes rows.
fn is_work(carried: &[Carried], body: &Block) -> bool {
    let (mut loops, mut operations, mut rows) = (false, 0, true);
    walk::stmts(body, &mut |s| match s {
        Stmt::For { .. } | Stmt::While { .. } => loops = true,
        Stmt::Op { .. } => operations += 1,
        Stmt::Load { index, .. } | Stmt::Store { index, .. } => {
            rows &= index.each.is_none() && (0..=1).contains(&index.stride);
        }
        _ => {}
    });
    let line = carried.is_empty() && body.stmts.iter().all(is_straight);
    loops || operations >= LARGE || (line && rows && operations >= SOME)
}

/// For each `Local` buffer the vector loop that alone touches it, if there is one.
fn locals(block: &Block, inside: Option<Value>, homes: &mut HashMap<BufferId, Option<Value>>) {
    for s in &block.stmts {
        walk::buffers(s, &mut |b| {
            let home = homes.entry(b).or_insert(inside);
            if *home != inside {
                *home = None;
            }
        });
        let inside = match s {
            Stmt::For {
                kind: LoopKind::Vector,
                index,
                ..
            } => Some(*index),
            _ => inside,
        };
        walk::blocks(s).for_each(|b| locals(b, inside, homes));
    }
}

/// Whether elements of the type are 64 bits wide.
fn is_word(d: DType) -> bool {
    matches!(d, DType::F64 | DType::I64 | DType::U64)
}

struct Acceptor<'a> {
    program: &'a Program,
    values: &'a Values,
    functions: &'a [Option<Wide>],
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
        let mut known = true;
        let mut meets = |v: Value| {
            let d = self.dtype(v);
            known &= is_word(d) || d == DType::Bool;
        };
        walk::uses(s, &mut meets);
        walk::definitions(s, &mut meets);
        known
            && match s {
                Stmt::Const { .. } => true,
                Stmt::Op { out, op, args } => self.op(*out, *op, args),
                Stmt::Call { function, args, .. } => {
                    self.functions[*function as usize].is_some()
                        && args.iter().all(|&a| self.dtype(a) == DType::F64)
                }
                Stmt::Load { out, buffer, index } => {
                    is_word(self.dtype(*out)) || self.is_plain(*buffer, index, self.lanes(*out))
                }
                Stmt::Store {
                    buffer,
                    index,
                    value,
                } => {
                    let own = self.kind(*buffer) == BufferKind::Local;
                    let spread = !own && index.stride == 0 && index.each.is_none();
                    !spread && (is_word(self.dtype(*value)) || self.is_plain(*buffer, index, true))
                }
                Stmt::Copy { to, from, .. } => {
                    is_word(self.program.buffers[to.0 as usize].dtype)
                        && self.kind(*to) == BufferKind::Local
                        && is_word(self.program.buffers[from.0 as usize].dtype)
                }
                Stmt::For { kind, body, .. } => {
                    matches!(kind, LoopKind::Serial { .. } | LoopKind::Parallel) && self.block(body)
                }
                Stmt::While { cond, body, .. } => self.block(cond) && self.block(body),
                Stmt::If {
                    then, otherwise, ..
                } => self.block(then) && self.block(otherwise),
                // A loop that would be too long; what a user checks is left to the other emitter.
                Stmt::Fail { failure } => {
                    let cause = &self.program.failures[*failure as usize].cause;
                    matches!(cause, Cause::MaxSteps(_))
                }
                Stmt::Kernel { kernel, .. } => kernel.downcast_ref::<RandomBlock>().is_some(),
                _ => false,
            }
    }

    /// Whether truth values are read or written in a way that there is code for: one for all lanes, or a
    /// row that the block owns.
    fn is_plain(&self, b: BufferId, index: &Index, lanes: bool) -> bool {
        let own = self.kind(b) == BufferKind::Local;
        let moves = index.stride != 0 || index.each.is_some();
        let base = index.base.is_some_and(|v| self.lanes(v));
        !moves && !base && (own || !lanes)
    }

    fn op(&self, out: Value, op: ScalarOp, args: &[Value]) -> bool {
        use ScalarOp::*;
        let from = self.dtype(args[args.len() - 1]);
        let lanes = self.lanes(out);
        match op {
            Fold(_) => false,
            Rem if from == DType::F64 => false,
            Div | Rem if from != DType::F64 => {
                let by = self.values.constants[args[1].0 as usize];
                !lanes && from == DType::I64 && by.is_some_and(|n| n as i64 > 0)
            }
            Convert => {
                let narrow = |d| !is_word(d) && d != DType::Bool;
                !narrow(from) && !narrow(self.dtype(out))
            }
            Bitcast => is_word(from) && is_word(self.dtype(out)),
            _ => true,
        }
    }

    /// Whether control flow is the same in all lanes.
    fn parts_nowhere(&self, body: &Block) -> bool {
        let mut same = true;
        walk::stmts(body, &mut |s| match s {
            Stmt::For { extent, .. } => same &= !self.lanes(*extent),
            Stmt::While { cond, .. } => same &= !self.lanes(cond.results[0]),
            Stmt::If { pred, .. } => same &= !self.lanes(*pred),
            Stmt::Op {
                op: ScalarOp::Any, ..
            }
            | Stmt::Kernel { .. } => same = false,
            _ => {}
        });
        same
    }

    /// How many blocks are worth running side by side: as many as keep the processor busy while each waits
    /// for what a step of its loop has to compute one after the other.
    fn side_by_side(&self, body: &Block) -> usize {
        if body.stmts.iter().all(is_straight) {
            // Two, so that counting is not what takes time.
            return if body.stmts.len() <= LINE { 2 } else { 1 };
        }
        let mut interleave = 1;
        let mut size = 0;
        walk::stmts(body, &mut |s| {
            size += 1;
            if let Stmt::For { body, .. } = s
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

    /// Cycles that a straight line keeps the processor busy, and cycles until the last of its results is
    /// there.
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
