//! Analyses of a program before code generation, common to all back ends.

pub mod cost;
pub mod lists;
pub mod reuse;
pub mod scratch;

use std::collections::HashSet;

use wengert_loop::loops::walk::{self, Access, AccessKind};
use wengert_loop::loops::{Block, BufferId, BufferKind, LoopKind, Program, ScalarOp, Stmt};

/// The bits of each of `values` values that is a constant.
pub fn constants(values: usize, body: &Block) -> Vec<Option<u64>> {
    let mut out = vec![None; values];
    walk::stmts(body, &mut |s| {
        if let Stmt::Const { out: v, bits } = s {
            out[v.0 as usize] = Some(*bits);
        }
    });
    out
}

/// Whether a statement can stand in a segment of a vector loop.
pub fn is_straight(s: &Stmt) -> bool {
    match s {
        Stmt::Op { op, .. } => !matches!(op, ScalarOp::Any | ScalarOp::Fold(_)),
        Stmt::Const { .. }
        | Stmt::Load { .. }
        | Stmt::Store { .. }
        | Stmt::ListStore(_)
        | Stmt::ListLoad { .. } => true,
        _ => false,
    }
}

/// `Local` buffers that are read outside vector loops, or that may be read in one before they are
/// written there. Dead lanes of a short block must not change their copies of these.
pub fn gathering(program: &Program) -> HashSet<BufferId> {
    let local = |b: BufferId| program.buffers[b.0 as usize].kind == BufferKind::Local;
    let mut found = HashSet::new();
    fn go(
        block: &Block,
        in_vector: bool,
        sure: bool,
        written: &mut HashSet<BufferId>,
        found: &mut HashSet<BufferId>,
    ) {
        for s in &block.stmts {
            for Access { kind, buffer, .. } in walk::accesses(s) {
                match kind {
                    AccessKind::Read if !in_vector || !written.contains(&buffer) => {
                        found.insert(buffer);
                    }
                    AccessKind::Write if sure => {
                        written.insert(buffer);
                    }
                    _ => {}
                }
            }
            match s {
                Stmt::For(l) if l.kind == LoopKind::Vector => {
                    go(&l.body, true, true, &mut HashSet::new(), found);
                }
                Stmt::For(l) => go(&l.body, in_vector, sure, written, found),
                Stmt::While(l) => {
                    go(&l.cond, in_vector, sure, written, found);
                    go(&l.body, in_vector, false, written, found);
                }
                _ => walk::blocks(s).for_each(|b| go(b, in_vector, false, written, found)),
            }
        }
    }
    go(&program.body, false, true, &mut HashSet::new(), &mut found);
    found.retain(|&b| local(b));
    found
}
