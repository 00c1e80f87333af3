//! The values and the memory of a program that something needs. The others are not written, so that compilers do not complain.

use wengert_loop::loops::{Block, Buffer, BufferId, BufferKind, Stmt, Value, walk};

/// What something needs.
pub(crate) struct Live {
    /// For each value, whether it reaches an effect.
    pub values: Vec<bool>,
    /// For each buffer, whether it is a result, or read.
    pub buffers: Vec<bool>,
    grew: bool,
}

impl Live {
    /// Finds what the effects of a block of `values` values need, and the values `kept`.
    pub fn of(values: usize, buffers: &[Buffer], body: &Block, kept: &[Value]) -> Live {
        let is_result = |b: &Buffer| matches!(b.kind, BufferKind::Output(_));
        let mut live = Live {
            values: vec![false; values],
            buffers: buffers.iter().map(is_result).collect(),
            grew: true,
        };
        live.all(kept);
        while std::mem::take(&mut live.grew) {
            live.block(body);
        }
        live
    }

    fn read(&mut self, b: BufferId) {
        self.grew |= !std::mem::replace(&mut self.buffers[b.0 as usize], true);
    }

    fn is(&self, v: Value) -> bool {
        self.values[v.0 as usize]
    }

    fn mark(&mut self, v: Value) {
        self.grew |= !std::mem::replace(&mut self.values[v.0 as usize], true);
    }

    fn all(&mut self, values: &[Value]) {
        values.iter().for_each(|&v| self.mark(v));
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().rev().for_each(|s| self.stmt(s));
    }

    fn stmt(&mut self, s: &Stmt) {
        match s {
            Stmt::Const { out, .. }
            | Stmt::Op { out, .. }
            | Stmt::Call { out, .. }
            | Stmt::Load { out, .. }
            | Stmt::ListHandle { out, .. }
            | Stmt::ListRows { out, .. }
            | Stmt::ListLoad { out, .. } => {
                if self.is(*out) {
                    self.all(&walk::uses(s));
                    walk::buffers(s).into_iter().for_each(|b| self.read(b));
                }
            }
            Stmt::Store { buffer, .. } => {
                if self.buffers[buffer.0 as usize] {
                    self.all(&walk::uses(s));
                }
            }
            Stmt::Copy { to, from, .. } => {
                if self.buffers[to.0.0 as usize] {
                    self.all(&walk::uses(s));
                    self.read(from.0);
                }
            }
            Stmt::For(l) => {
                self.mark(l.extent);
                self.mark(l.index);
                self.carried(&l.carried, &l.body);
                self.block(&l.body);
            }
            Stmt::While(l) => {
                self.all(&l.cond.results);
                self.carried(&l.carried, &l.body);
                self.block(&l.body);
                self.block(&l.cond);
            }
            Stmt::If(i) => {
                self.mark(i.pred);
                for (n, &out) in i.outs.iter().enumerate() {
                    if self.is(out) {
                        self.all(&[i.then.results[n], i.otherwise.results[n]]);
                    }
                }
                self.block(&i.then);
                self.block(&i.otherwise);
            }
            _ => {
                self.all(&walk::uses(s));
                walk::buffers(s).into_iter().for_each(|b| self.read(b));
            }
        }
    }

    fn carried(&mut self, carried: &[wengert_loop::loops::Carried], body: &Block) {
        for (c, &next) in carried.iter().zip(&body.results) {
            // What is carried is written to its place even if only one of its names is read.
            if self.is(c.param) || self.is(c.out) {
                self.all(&[c.init, next, c.out]);
            }
        }
    }
}
