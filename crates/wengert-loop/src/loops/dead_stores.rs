//! Removes stores that nothing reads.

use std::collections::HashSet;

use super::affine::Affine;
use super::dead_code::sweep;
use super::sums::{self, Sums};
use super::walk::{self, AccessKind};
use super::{Block, BufferId, BufferKind, LoopKind, Program, Stmt, Value};

/// The number of later stores that a store is compared with.
const LATER: usize = 16;

/// Removes the stores that a later store of the same block overwrites before anything reads the element, and
/// those to scratch that nothing reads at all.
pub fn remove(program: &mut Program) {
    let body = program.body.clone();
    let mut pass = Overwritten {
        sums: sums::of(&body),
        lane: None,
    };
    pass.block(&mut program.body);
    while without_unread(program) {
        sweep(program);
    }
}

/// Removes the stores to scratch that nothing reads. Returns whether there were any.
fn without_unread(program: &mut Program) -> bool {
    let mut read = HashSet::new();
    walk::stmts(&program.body, &mut |s| {
        let accesses = walk::accesses(s).into_iter();
        let reads = accesses.filter(|a| a.kind != AccessKind::Write);
        read.extend(reads.map(|a| a.buffer));
    });
    let buffers = &program.buffers;
    let is_unread = |b: BufferId| {
        let scratch = match buffers[b.0 as usize].kind {
            BufferKind::Call | BufferKind::Task | BufferKind::Local => true,
            BufferKind::Input(_) | BufferKind::Output(_) | BufferKind::Constant(_) => false,
        };
        scratch && !read.contains(&b)
    };
    drop_stores(&mut program.body, &is_unread)
}

fn drop_stores(block: &mut Block, is_unread: &dyn Fn(BufferId) -> bool) -> bool {
    let before = block.stmts.len();
    let mut found = false;
    block.stmts.retain_mut(|s| {
        for inner in walk::blocks_mut(s) {
            found |= drop_stores(inner, is_unread);
        }
        match s {
            Stmt::Store { buffer, .. } => !is_unread(*buffer),
            Stmt::Copy { to, .. } => !is_unread(to.0),
            Stmt::For(l) => !l.carried.is_empty() || !l.body.stmts.is_empty(),
            _ => true,
        }
    });
    found || block.stmts.len() < before
}

struct Overwritten<'p> {
    sums: Sums<'p>,
    /// The index of the vector loop that is open.
    lane: Option<Value>,
}

impl Overwritten<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut later: Vec<(BufferId, Affine)> = vec![];
        let mut kept = Vec::with_capacity(block.stmts.len());
        while let Some(mut s) = block.stmts.pop() {
            if let Stmt::Store { buffer, index, .. } = &s {
                let store = (*buffer, self.sums.place(index, self.lane));
                if later.contains(&store) {
                    continue;
                }
                later.push(store);
                if later.len() > LATER {
                    later.remove(0);
                }
            } else {
                self.forget(&s, true, &mut later);
            }
            let around = self.lane;
            if let Stmt::For(l) = &s
                && l.kind == LoopKind::Vector
            {
                self.lane = Some(l.index);
            }
            for inner in walk::blocks_mut(&mut s) {
                self.block(inner);
            }
            self.lane = around;
            kept.push(s);
        }
        kept.reverse();
        block.stmts = kept;
    }

    /// Forgets the elements that a statement may read.
    fn forget(&mut self, s: &Stmt, here: bool, later: &mut Vec<(BufferId, Affine)>) {
        for a in walk::accesses(s) {
            if a.kind == AccessKind::Write {
                continue;
            }
            let place = (here && matches!(s, Stmt::Load { .. }))
                .then(|| self.sums.place(&a.index, self.lane));
            later.retain(|(buffer, at)| {
                *buffer != a.buffer || place.as_ref().is_some_and(|p| p.is_apart_from(at))
            });
        }
        for inner in walk::blocks(s) {
            inner
                .stmts
                .iter()
                .for_each(|s| self.forget(s, false, later));
        }
    }
}
