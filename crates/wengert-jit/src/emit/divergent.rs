//! Branches and loops on which the lanes of a block disagree: each side runs if a lane wants it,
//! under the mask of those that do, and values are chosen lane by lane behind it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_ir::ir::types::DType;
use wengert_ir::loops::{Block, Carried, Value};

use super::Emitter;
use super::values::Pieces;

impl<'p> Emitter<'_, 'p> {
    pub(super) fn divergent_if(
        &mut self,
        pred: Value,
        then: &'p Block,
        otherwise: &'p Block,
        outs: &[Value],
    ) {
        let mut sides = Vec::new();
        for (block, holds) in [(then, true), (otherwise, false)] {
            if block.stmts.is_empty() {
                sides.push(None);
                continue;
            }
            let wanted: Vec<ir::Value> = (0..4)
                .map(|c| {
                    let m = self.mask_piece(pred, false, c);
                    let m = if holds { m } else { self.b.ins().bnot(m) };
                    self.active_and(m, c)
                })
                .collect();
            let any = self.any_of(&wanted);
            let (run, done) = (self.b.create_block(), self.b.create_block());
            let mut idle = Vec::new();
            for &o in outs {
                for ty in self.types_of(o) {
                    self.b.append_block_param(done, ty);
                    idle.push(self.zero(ty));
                }
            }
            self.branch(any, (run, &[]), (done, &idle));
            self.switch(run);
            let size = self.size(block);
            let before = self.enter_mask(&wanted, size);
            self.lane_block(block);
            let regs: Vec<Pieces> = outs
                .iter()
                .zip(&block.results)
                .map(|(&o, &r)| self.regs_like(r, o))
                .collect();
            self.mask = before;
            let regs: Vec<ir::Value> = regs.into_iter().flatten().collect();
            self.jump(done, &regs);
            self.switch(done);
            sides.push(Some(self.b.block_params(done).to_vec()));
        }
        let mut at = 0;
        for (n, &o) in outs.iter().enumerate() {
            let count = self.types_of(o).len();
            let mut regs = Vec::new();
            for (side, block) in sides.iter().zip([then, otherwise]) {
                regs.push(match side {
                    Some(r) => Pieces::from_slice(&r[at..at + count]),
                    None => self.regs_like(block.results[n], o),
                });
            }
            at += count;
            if !self.is_lanes(o) {
                panic!(
                    "value {} comes out of a divergent branch, but is uniform",
                    o.0
                );
            }
            let narrow = self.is_narrow(o);
            for (i, (&a, &b)) in regs[0].iter().zip(&regs[1]).enumerate() {
                let m = self.mask_piece(pred, narrow, i);
                let x = self.select_piece(m, a, b);
                self.define_piece(o, i, x);
            }
        }
    }

    fn zero(&mut self, ty: ir::Type) -> ir::Value {
        if ty.is_vector() {
            self.vector([0; 16], ty)
        } else if ty == types::F64 {
            self.b.ins().f64const(0.0)
        } else if ty == types::F32 {
            self.b.ins().f32const(0.0)
        } else {
            self.b.ins().iconst(ty, 0)
        }
    }

    /// All lanes that take part, as four masks.
    fn everyone(&mut self) -> Vec<ir::Value> {
        (0..4)
            .map(|c| match self.active_piece(c) {
                Some(m) => m,
                None => self.constant_piece(DType::Bool, 1, false),
            })
            .collect()
    }

    pub(super) fn divergent_while(
        &mut self,
        carried: &[Carried],
        cond: &'p Block,
        body: &'p Block,
        limit: u64,
    ) {
        let size = self.size(body) + self.size(cond);
        let head = self.b.create_block();
        let run = self.b.create_block();
        let exit = self.b.create_block();
        carried.iter().for_each(|c| self.params_for(head, c.param));
        for _ in 0..4 {
            self.b.append_block_param(head, types::I64X2);
        }
        let steps = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        let mut args = self.inits(carried);
        args.extend(self.everyone());
        args.push(self.int(0));
        self.jump(head, &args);

        self.switch(head);
        let n = self.define_params(head, carried.iter().map(|c| c.param));
        let live = self.b.block_params(head)[n..n + 4].to_vec();
        let steps = self.hold(steps, size);
        let before = self.enter_mask(&live, size);
        self.lane_block(cond);
        let wanted = self.active_masks(cond.results[0]);
        let any = self.any_of(&wanted);
        let params: Vec<ir::Value> = carried
            .iter()
            .flat_map(|c| self.regs_like(c.param, c.param))
            .collect();
        self.branch(any, (run, &[]), (exit, &params));

        self.switch(run);
        let taken = self.limit_steps(steps, limit);
        let taken = self.hold(taken, size);
        self.enter_mask(&wanted, size);
        self.lane_block(body);
        let results = self.results(carried, body);
        let mut results = self.keep_inactive(carried, &results);
        for c in 0..4 {
            results.push(self.active_piece(c).expect("a mask is current"));
        }
        results.push(self.held(taken));
        self.mask = before;
        self.jump(head, &results);
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    pub(super) fn divergent_for(
        &mut self,
        extent: Value,
        index: Value,
        carried: &[Carried],
        body: &'p Block,
        reverse: bool,
    ) {
        let size = self.size(body);
        // The largest extent of the lanes that take part.
        let mut most = None;
        for c in 0..4 {
            let n = self.piece(extent, c);
            let n = self.active_and(n, c);
            most = Some(match most {
                None => n,
                Some(m) => self.b.ins().smax(m, n),
            });
        }
        let most = most.expect("four pieces");
        let a = self.b.ins().extractlane(most, 0);
        let b = self.b.ins().extractlane(most, 1);
        let n = self.b.ins().smax(a, b);

        let head = self.b.create_block();
        let exit = self.b.create_block();
        carried.iter().for_each(|c| self.params_for(head, c.param));
        let i = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        let limit = self.hold(n, size);
        let inits = self.inits(carried);
        let mut args = inits.clone();
        args.push(if reverse {
            self.plus(n, -1)
        } else {
            self.int(0)
        });
        let some = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, n, 0);
        self.branch(some, (head, &args), (exit, &inits));

        self.switch(head);
        self.define_params(head, carried.iter().map(|c| c.param));
        self.define(index, &[i]);
        let step = self.hold(i, size);
        let at = self.b.ins().splat(types::I64X2, i);
        let wanted: Vec<ir::Value> = (0..4)
            .map(|c| {
                let n = self.piece(extent, c);
                let m = self.b.ins().icmp(IntCC::SignedLessThan, at, n);
                self.active_and(m, c)
            })
            .collect();
        let before = self.enter_mask(&wanted, size);
        self.lane_block(body);
        let results = self.results(carried, body);
        let mut results = self.keep_inactive(carried, &results);
        self.mask = before;
        let outs = results.clone();
        let i = self.held(step);
        let more = if reverse {
            results.push(self.plus(i, -1));
            self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, i, 0)
        } else {
            let next = self.plus(i, 1);
            results.push(next);
            let n = self.held(limit);
            self.b.ins().icmp(IntCC::SignedLessThan, next, n)
        };
        self.branch(more, (head, &results), (exit, &outs));
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }
}
