//! The scope of scratch buffers: how long their contents are needed.
//!
//! A scratch buffer belongs to the innermost loop that contains every access to it. Each step of
//! that loop begins with garbage in the buffer, so a back end may let it share memory with buffers
//! that live at other times of a step.

use std::collections::HashMap;

use super::{Block, BufferId, BufferKind, LoopKind, Program, Stmt, walk};

/// A loop, identified by its address.
pub type LoopId = *const Stmt;

/// The loop that each scratch buffer belongs to. A buffer without an entry belongs to the program,
/// or is not accessed.
pub type Scopes = HashMap<BufferId, LoopId>;

/// Finds the loop that each scratch buffer belongs to. The program must not move afterwards.
pub fn scopes(program: &Program) -> Scopes {
    let mut pass = Pass {
        program,
        open: vec![],
        around: HashMap::new(),
    };
    pass.block(&program.body);
    let innermost = |(b, around): (BufferId, Vec<LoopId>)| Some((b, *around.last()?));
    pass.around.into_iter().filter_map(innermost).collect()
}

struct Pass<'p> {
    program: &'p Program,
    open: Vec<(LoopId, LoopKind)>,
    /// The loops that contain every access to a buffer so far.
    around: HashMap<BufferId, Vec<LoopId>>,
}

impl Pass<'_> {
    fn block(&mut self, block: &Block) {
        for s in &block.stmts {
            walk::buffers(s).into_iter().for_each(|b| self.touch(b));
            let opened = walk::loop_kind(s).map(|kind| self.open.push((s, kind)));
            walk::blocks(s).for_each(|b| self.block(b));
            opened.and_then(|()| self.open.pop());
        }
    }

    fn touch(&mut self, b: BufferId) {
        // Steps that run side by side share the buffers that do not belong to them.
        let shared = |kind| match self.program.buffers[b.0 as usize].kind {
            BufferKind::Call => matches!(kind, LoopKind::Parallel | LoopKind::Vector),
            BufferKind::Task => kind == LoopKind::Vector,
            BufferKind::Local => false,
            _ => true,
        };
        let own = self.open.iter().position(|&(_, kind)| shared(kind));
        let here = self.open[..own.unwrap_or(self.open.len())].iter();
        match self.around.get_mut(&b) {
            Some(around) => {
                let common = around.iter().zip(here).take_while(|(a, h)| **a == h.0);
                let common = common.count();
                around.truncate(common);
            }
            None => {
                let here = here.map(|l| l.0).collect();
                self.around.insert(b, here);
            }
        }
    }
}
