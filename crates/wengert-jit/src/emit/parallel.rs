//! Parallel loops: the body becomes a function of its own, run by the runtime for ranges of steps.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, types};
use wengert_loop::loops::For;
use wengert_run::library::helpers;
use wengert_run::plan::lists;

use super::Emitter;
use super::outside::Helper;

impl<'p> Emitter<'_, 'p> {
    /// Calls the runtime to run the loop. Its body is written later; the outer values that it uses
    /// are in the frame of the call, as the liveness analysis requires.
    pub(super) fn parallel_loop(&mut self, l: &'p For) {
        let id = self.s.parallel_body(l);
        if self.s.is_linked() {
            let n = self.scalar(l.extent);
            return self.run_here(id, n);
        }
        let f = self.s.module.declare_func_in_func(id, self.b.func);
        let f = self.b.ins().func_addr(types::I64, f);
        let n = self.scalar(l.extent);
        let step = self.s.plan.parallel_steps[&l.index].max(1.0);
        let step = self.int(step as i64);
        let run = helpers::parallel as *const () as usize;
        let status = self
            .helper(Helper::At(run), &[self.frame, f, n, step], Some(types::I32))
            .expect("a status");
        self.note_call();
        self.check(status);
    }

    /// The body of a parallel loop, as a function of the first step and the end of the steps. There
    /// is at least one step.
    pub(super) fn parallel_body(&mut self, l: &'p For) {
        self.loops = true;
        let entry = self.b.current_block().expect("a block is open");
        let (low, high) = (self.b.block_params(entry)[1], self.b.block_params(entry)[2]);
        let size = self.size(&l.body);
        let high = self.hold(high, size);
        let head = self.b.create_block();
        let exit = self.b.create_block();
        let i = self.b.append_block_param(head, types::I64);
        self.jump(head, &[low]);
        self.switch(head);
        self.note_calls_of(&l.body);
        self.define(l.index, &[i]);
        let step = self.hold(i, size);
        let ends = lists::end_with_step(&self.s.plan.program, l);
        let taken = (ends && self.s.is_linked()).then(|| self.lists_taken(size));
        self.block(&l.body);
        if let Some(taken) = taken {
            self.free_lists(taken);
        } else if ends {
            let end = helpers::lists_end as *const () as usize;
            self.helper(Helper::At(end), &[self.frame], None);
        }
        let i = self.held(step);
        let next = self.plus(i, 1);
        let high = self.held(high);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, high);
        self.branch(more, (head, &[next]), (exit, &[]));
        self.switch(exit);
    }
}
