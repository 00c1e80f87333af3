//! Loops whose steps run one after the other.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{Block, Carried, For, LoopKind, While};
use wengert_run::plan::is_straight;

use super::Emitter;
use super::next_use::{self, Near};
use super::values::Pieces;

/// The number of statements of a body for which there are enough registers.
const FEW: usize = 24;
/// The number of statements of a body above which values are stored by how long they live.
const MANY: usize = 1000;

impl<'p> Emitter<'_, 'p> {
    pub(super) fn counted_loop(&mut self, l: &'p For) {
        match l.kind {
            LoopKind::Vector => self.vector_loop(l),
            LoopKind::Serial { reverse } => self.serial_loop(l, reverse),
            LoopKind::Parallel => self.serial_loop(l, false),
        }
    }

    /// The registers of the initial values of a loop, in the form of the parameters.
    pub(super) fn inits(&mut self, carried: &[Carried]) -> Vec<ir::Value> {
        let regs: Vec<Pieces> = carried
            .iter()
            .map(|c| self.regs_like(c.init, c.param))
            .collect();
        regs.into_iter().flatten().collect()
    }

    /// The registers of the results of a step, in the form of the parameters.
    pub(super) fn results(&mut self, carried: &[Carried], body: &Block) -> Vec<ir::Value> {
        let regs: Vec<Pieces> = carried
            .iter()
            .zip(&body.results)
            .map(|(c, &r)| self.regs_like(r, c.param))
            .collect();
        regs.into_iter().flatten().collect()
    }

    /// Runs the steps one after the other. In a vector loop each lane may have its own extent: it
    /// is active while the step's number is below it.
    fn serial_loop(&mut self, l: &'p For, reverse: bool) {
        let (extent, carried, body) = (l.extent, &l.carried[..], &l.body);
        let diverges = self.is_lanes(extent);
        let known = self.constant_of(extent).map(|n| n as i64);
        let n = match diverges {
            true => self.largest(extent),
            false => self.scalar(extent),
        };
        let size = self.size(body);
        let head = self.b.create_block();
        let exit = self.b.create_block();
        carried.iter().for_each(|c| self.params_for(head, c.param));
        let i = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        let limit = (!reverse && known.is_none()).then(|| self.hold(n, size));
        let inits = self.inits(carried);
        let first = if reverse {
            self.plus(n, -1)
        } else {
            self.int(0)
        };
        let mut args = inits.clone();
        args.push(first);
        match known {
            Some(n) if n > 0 => self.jump(head, &args),
            _ => {
                let some = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, n, 0);
                self.branch(some, (head, &args), (exit, &inits));
            }
        }

        self.switch(head);
        self.note_calls_of(body);
        self.define_params(head, carried.iter().map(|c| c.param));
        self.define(l.index, &[i]);
        let step = self.hold(i, size);
        let before = self.mask;
        if diverges {
            let wanted = self.lanes_with_step(i, extent);
            self.enter_mask(&wanted, size);
        }
        if self.is_line_of_scalars(body) {
            let line = body.stmts.iter();
            self.near = Some(Near::new(
                line,
                &body.results,
                next_use::FOR_SCALARS,
                self.count(),
            ));
        }
        self.block(body);
        let mut results = self.results(carried, body);
        if self.lanes.is_none() {
            self.near = None;
        }
        if diverges {
            results = self.keep_inactive(carried, &results);
            self.mask = before;
        }
        let outs = results.clone();
        let i = self.held(step);
        let more = if reverse {
            let more = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, i, 0);
            results.push(self.plus(i, -1));
            more
        } else {
            let next = self.plus(i, 1);
            results.push(next);
            let n = match (limit, known) {
                (Some(h), _) => self.held(h),
                (None, Some(n)) => self.int(n),
                _ => unreachable!("an extent is known or held"),
            };
            self.b.ins().icmp(IntCC::SignedLessThan, next, n)
        };
        self.branch(more, (head, &results), (exit, &outs));
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    /// Notes at the head of a loop, or behind a vector loop, whose body makes calls that no register from before the
    /// loop outlives its steps.
    pub(super) fn note_calls_of(&mut self, body: &Block) {
        if self.v.live.calling.contains(&std::ptr::from_ref(body)) {
            self.note_call();
        }
    }

    /// Whether a body is a straight line of scalars that is too long for the registers, with a
    /// frame to spill to: a pure function has none.
    fn is_line_of_scalars(&self, body: &Block) -> bool {
        let size = body.stmts.len();
        self.lanes.is_none()
            && std::ptr::eq(self.v, &self.s.plan.values)
            && (FEW..MANY).contains(&size)
            && body.stmts.iter().all(is_straight)
    }

    /// Runs steps while a condition holds: in lanes, while it holds for one of them. Finished lanes
    /// keep their values.
    pub(super) fn while_loop(&mut self, l: &'p While) {
        let (carried, cond, body) = (&l.carried[..], &l.cond, &l.body);
        let diverges = self.is_lanes(cond.results[0]);
        let size = self.size(body) + self.size(cond);
        let head = self.b.create_block();
        let run = self.b.create_block();
        let exit = self.b.create_block();
        let mut args = self.inits(carried);
        carried.iter().for_each(|c| self.params_for(head, c.param));
        let live = match diverges {
            true => self.everyone(),
            false => vec![],
        };
        for &m in &live {
            self.b.append_block_param(head, types::I64X2);
            args.push(m);
        }
        let steps = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        args.push(self.int(0));
        self.jump(head, &args);

        self.switch(head);
        self.note_calls_of(body);
        let n = self.define_params(head, carried.iter().map(|c| c.param));
        let live = self.b.block_params(head)[n..n + live.len()].to_vec();
        let steps = self.hold(steps, size);
        let before = self.mask;
        if diverges {
            self.enter_mask(&live, size);
        }
        self.block(cond);
        let wanted = match diverges {
            true => self.active_masks(cond.results[0]),
            false => vec![],
        };
        let go = match diverges {
            true => self.any_of(&wanted),
            false => self.scalar(cond.results[0]),
        };
        let params: Vec<ir::Value> = carried
            .iter()
            .flat_map(|c| self.regs_like(c.param, c.param))
            .collect();
        self.branch(go, (run, &[]), (exit, &params));

        self.switch(run);
        let taken = self.limit_steps(steps, l);
        let taken = self.hold(taken, size);
        if diverges {
            self.enter_mask(&wanted, size);
        }
        self.block(body);
        let mut results = self.results(carried, body);
        if diverges {
            results = self.keep_inactive(carried, &results);
            for c in 0..4 {
                results.push(self.active_piece(c).expect("a mask is current"));
            }
            self.mask = before;
        }
        results.push(self.held(taken));
        self.jump(head, &results);
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    /// Leaves with an error if the loop would exceed its limit of steps. Returns the number of
    /// steps, including this one. No loop takes `u64::MAX` steps.
    fn limit_steps(&mut self, steps: super::Held, l: &While) -> ir::Value {
        let steps = self.held(steps);
        if l.limit == u64::MAX {
            return steps;
        }
        let (too_many, go) = (self.cold_block(), self.b.create_block());
        let most = self.int(i64::try_from(l.limit).unwrap_or(i64::MAX));
        let over = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, steps, most);
        self.branch(over, (too_many, &[]), (go, &[]));
        self.switch(too_many);
        let status = self.fails(While::endless(l.limit, l.at));
        let fail = self.fail_block();
        self.jump(fail, &[status]);
        self.switch(go);
        self.plus(steps, 1)
    }

    /// New values for the active lanes, old ones for the others.
    pub(super) fn keep_inactive(
        &mut self,
        carried: &[Carried],
        results: &[ir::Value],
    ) -> Vec<ir::Value> {
        let mut at = 0;
        let mut out = Vec::with_capacity(results.len());
        for c in carried {
            if !self.is_lanes(c.param) {
                out.push(results[at]);
                at += 1;
                continue;
            }
            let narrow = self.is_narrow(c.param);
            let old = self.pieces_like(c.param, c.param);
            for (i, &old) in old.iter().enumerate() {
                let new = results[at];
                at += 1;
                out.push(match self.active_like(narrow, i) {
                    Some(m) => self.select_piece(m, new, old),
                    None => new,
                });
            }
        }
        out
    }
}
