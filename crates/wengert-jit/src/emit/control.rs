//! Statements and uniform branches. For branches on which lanes disagree, see `divergent`.

use cranelift_codegen::ir;
use wengert_loop::loops::{Block, BufferKind, If, LoopKind, Stmt};
use wengert_run::plan::cost;

use super::Emitter;
use super::values::Pieces;

impl<'p> Emitter<'_, 'p> {
    /// A statement outside vector loops, or a uniform statement, a branch or a loop inside one.
    pub(super) fn uniform_stmt(&mut self, s: &'p Stmt) {
        match s {
            Stmt::Const { .. } => {}
            Stmt::Op { out, op, args } => self.uniform_op(*out, *op, args),
            Stmt::Call { out, callee, args } => self.call_function(*out, *callee, args),
            Stmt::Load { out, buffer, index } => {
                let d = self.element(*buffer);
                let at = self.uniform_address(*buffer, index);
                if self.kind(*buffer) == BufferKind::Local {
                    for i in 0..self.pieces_of(*out) {
                        let x = self.load_row(d, self.is_narrow(*out), at, i);
                        self.define_piece(*out, i, x);
                    }
                } else {
                    let x = self.load_scalar(d, at);
                    self.define(*out, &[x]);
                }
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                let at = self.uniform_address(*buffer, index);
                if self.kind(*buffer) == BufferKind::Local {
                    let n = match (self.dtype(*value).bytes(), self.is_narrow(*value)) {
                        (1, _) => 1,
                        (_, true) => 2,
                        _ => 4,
                    };
                    for i in 0..n {
                        self.store_pieces(*value, at, i, false);
                    }
                } else {
                    let x = self.scalar(*value);
                    self.store_scalar(x, at);
                }
            }
            Stmt::Copy { to, from, len, .. } => self.copy(to, from, *len),
            Stmt::For(l) => match l.kind {
                LoopKind::Parallel if !self.parallel && self.lanes.is_none() => {
                    self.parallel_loop(l)
                }
                _ => {
                    self.loops = true;
                    self.counted_loop(l)
                }
            },
            Stmt::While(l) => {
                self.loops = true;
                self.while_loop(l)
            }
            Stmt::If(i) if self.is_lanes(i.pred) => self.divergent_if(i),
            Stmt::If(i) => self.branch_on(i),
            Stmt::ListBegin { list } => self.list_begin(*list),
            Stmt::ListPush { list, row } => self.list_push(*list, *row),
            Stmt::ListStore(to) => {
                let at = self.list_store_address(to);
                let x = self.scalar(to.value);
                self.store_scalar(x, at);
            }
            Stmt::ListFinish { out, list, rows } => self.list_finish(*out, *list, *rows),
            Stmt::ListHandle { out, of } => self.list_handle(*out, *of),
            Stmt::ListRows { out, handle } => self.list_rows(*out, *handle),
            Stmt::ListLoad { out, cell } => {
                let d = self.dtype(*out);
                let at = self.list_load_address(d, cell);
                let x = self.load_scalar(d, at);
                self.define(*out, &[x]);
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => self.kernel(kernel, regions),
            Stmt::Fail { failure } => self.give_up(*failure),
        }
    }

    pub(super) fn size(&self, body: &Block) -> usize {
        cost::instructions(body, self.lanes.is_some())
    }

    fn branch_on(&mut self, branch: &'p If) {
        let outs = &branch.outs;
        let p = self.scalar(branch.pred);
        let (yes, no, done) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        outs.iter().for_each(|&o| self.params_for(done, o));
        self.branch(p, (yes, &[]), (no, &[]));
        for (to, block) in [(yes, &branch.then), (no, &branch.otherwise)] {
            self.switch(to);
            self.block(block);
            let regs: Vec<Pieces> = outs
                .iter()
                .zip(&block.results)
                .map(|(&o, &r)| self.regs_like(r, o))
                .collect();
            let regs: Vec<ir::Value> = regs.into_iter().flatten().collect();
            self.jump(done, &regs);
        }
        self.switch(done);
        self.define_params(done, outs.iter().copied());
    }
}
