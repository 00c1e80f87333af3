//! How far the contents of scratch reach.
//!
//! A buffer of scratch belongs to the innermost loop around all that touches it. Each step of that
//! loop finds it as garbage; so a back end may have it share memory with others that live at other
//! times of a step.

use std::collections::HashMap;

use super::{Block, BufferId, BufferKind, LoopKind, Program, Stmt, walk};

/// A loop, by its place in memory.
pub type LoopId = *const Stmt;

/// The loops that scratch belongs to. What is not in it belongs to the program, or is not touched.
pub type Scopes = HashMap<BufferId, LoopId>;

/// Finds the loop that each buffer of scratch belongs to. The program must stay where it is.
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
    open: Vec<(LoopId, Option<LoopKind>)>,
    /// The loops around all that has touched a buffer so far.
    around: HashMap<BufferId, Vec<LoopId>>,
}

impl Pass<'_> {
    fn block(&mut self, block: &Block) {
        for s in &block.stmts {
            walk::buffers(s, &mut |b| self.touch(b));
            let kind = match s {
                Stmt::For { kind, .. } => Some(*kind),
                Stmt::While { .. } => None,
                _ => {
                    walk::blocks(s).for_each(|b| self.block(b));
                    continue;
                }
            };
            self.open.push((s, kind));
            walk::blocks(s).for_each(|b| self.block(b));
            self.open.pop();
        }
    }

    fn touch(&mut self, b: BufferId) {
        // Steps that run side by side share what is not theirs.
        let shared = |kind: Option<LoopKind>| match self.program.buffers[b.0 as usize].kind {
            BufferKind::Call => matches!(kind, Some(LoopKind::Parallel | LoopKind::Vector)),
            BufferKind::Task => kind == Some(LoopKind::Vector),
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
