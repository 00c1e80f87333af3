//! Lists that end with the step of the parallel loop that builds them: their memory serves the next step, so that the
//! lists of a batch take the memory of those that are in hand.

use std::collections::HashSet;

use wengert_loop::loops::{
    Block, BufferId, BufferKind, For, If, ListId, ListStore, Program, Stmt, Value, While, walk,
};
use wengert_loop::types::DType;

/// Returns whether a parallel loop builds lists, and no handle of one leaves the step that built it.
pub fn end_with_step(program: &Program, l: &For) -> bool {
    let mut flow = Flow {
        program,
        begun: HashSet::new(),
        values: HashSet::new(),
        buffers: HashSet::new(),
        leaves: false,
    };
    walk::stmts(&l.body, &mut |s| {
        if let Stmt::ListBegin { list } = s {
            flow.begun.insert(*list);
        }
    });
    if flow.begun.is_empty() {
        return false;
    }
    // What flows around a loop is found by walking again.
    loop {
        let before = flow.found();
        flow.block(&l.body);
        if flow.leaves || flow.found() == before {
            return !flow.leaves;
        }
    }
}

/// Where the handles of lists may be.
struct Flow<'a> {
    program: &'a Program,
    /// The lists that the step begins.
    begun: HashSet<ListId>,
    /// The values that may be handles.
    values: HashSet<Value>,
    /// The memory of the step that may hold handles.
    buffers: HashSet<BufferId>,
    /// Whether a handle may be read after the step.
    leaves: bool,
}

impl Flow<'_> {
    fn found(&self) -> usize {
        self.values.len() + self.buffers.len()
    }

    fn has(&self, v: Value) -> bool {
        self.values.contains(&v)
    }

    /// A value that may be a handle: only an `i64` can be one.
    fn mark(&mut self, v: Value) {
        if self.program.values[v.0 as usize].dtype == DType::I64 {
            self.values.insert(v);
        }
    }

    /// A handle is written to memory.
    fn written(&mut self, b: BufferId) {
        match self.program.buffers[b.0 as usize].kind {
            BufferKind::Task | BufferKind::Local => {
                self.buffers.insert(b);
            }
            _ => self.leaves = true,
        }
    }

    fn block(&mut self, block: &Block) {
        for s in &block.stmts {
            self.stmt(s);
        }
    }

    fn stmt(&mut self, s: &Stmt) {
        match s {
            Stmt::ListFinish { out, .. }
            | Stmt::ListHandle { out, .. }
            | Stmt::ListLoad { out, .. } => self.mark(*out),
            Stmt::Load { out, buffer, .. } if self.buffers.contains(buffer) => self.mark(*out),
            Stmt::Store { buffer, value, .. } if self.has(*value) => self.written(*buffer),
            Stmt::Copy { to, from, .. } if self.buffers.contains(&from.0) => self.written(to.0),
            Stmt::Kernel { regions, .. } => {
                self.leaves |= regions.iter().any(|(b, _)| self.buffers.contains(b));
            }
            Stmt::ListStore(ListStore { list, value, .. }) => {
                self.leaves |= self.has(*value) && !self.begun.contains(list);
            }
            Stmt::ListPush { list, .. } => self.leaves |= !self.begun.contains(list),
            Stmt::For(For { carried, body, .. }) => {
                for (c, result) in carried.iter().zip(&body.results) {
                    self.moves(&[c.init, *result, c.param], &[c.param, c.out]);
                }
                self.block(body);
            }
            Stmt::While(While {
                carried,
                cond,
                body,
                ..
            }) => {
                for (c, result) in carried.iter().zip(&body.results) {
                    self.moves(&[c.init, *result, c.param], &[c.param, c.out]);
                }
                self.block(cond);
                self.block(body);
            }
            Stmt::If(If {
                then,
                otherwise,
                outs,
                ..
            }) => {
                self.block(then);
                self.block(otherwise);
                let sides = then.results.iter().zip(&otherwise.results);
                for ((a, b), out) in sides.zip(outs) {
                    self.moves(&[*a, *b], &[*out]);
                }
            }
            Stmt::Op { out, args, .. } | Stmt::Call { out, args, .. } => {
                self.moves(args, &[*out]);
            }
            _ => {}
        }
    }

    /// Values become other values.
    fn moves(&mut self, from: &[Value], to: &[Value]) {
        if from.iter().any(|&v| self.has(v)) {
            to.iter().for_each(|&v| self.mark(v));
        }
    }
}
