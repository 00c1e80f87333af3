//! What is known about a program before any code is written, whoever writes it.

pub mod cost;
pub mod reuse;
pub mod scratch;

use std::collections::HashSet;

use wengert_loop::loops::{Block, BufferId, BufferKind, LoopKind, Program, ScalarOp, Stmt, walk};

/// The bits of those of so many values that are constants.
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
        | Stmt::ListStore { .. }
        | Stmt::ListLoad { .. } => true,
        _ => false,
    }
}

/// `Local` buffers that are read outside vector loops, or read in one before they are surely
/// written there: dead lanes of a short block must leave their copies alone.
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
            match s {
                Stmt::Load { buffer, .. } if !in_vector || !written.contains(buffer) => {
                    found.insert(*buffer);
                }
                Stmt::Store { buffer, .. } if sure => {
                    written.insert(*buffer);
                }
                Stmt::Copy { to, from, .. } => {
                    if !in_vector || !written.contains(from) {
                        found.insert(*from);
                    }
                    if sure {
                        written.insert(*to);
                    }
                }
                Stmt::For { kind, body, .. } => {
                    if *kind == LoopKind::Vector {
                        go(body, true, true, &mut HashSet::new(), found);
                    } else {
                        go(body, in_vector, sure, written, found);
                    }
                }
                Stmt::While { cond, body, .. } => {
                    go(cond, in_vector, sure, written, found);
                    go(body, in_vector, false, written, found);
                }
                Stmt::If {
                    then, otherwise, ..
                } => {
                    go(then, in_vector, false, written, found);
                    go(otherwise, in_vector, false, written, found);
                }
                _ => {}
            }
        }
    }
    go(&program.body, false, true, &mut HashSet::new(), &mut found);
    found.retain(|&b| local(b));
    found
}
