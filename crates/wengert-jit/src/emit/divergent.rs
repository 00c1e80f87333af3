//! Branches and loops on which the lanes of a block disagree: their statements run if some lane
//! needs them, under a mask of those lanes, and the results are selected lane by lane afterwards.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{If, Value};
use wengert_loop::types::DType;

use super::Emitter;
use super::values::Pieces;

impl<'p> Emitter<'_, 'p> {
    pub(super) fn divergent_if(&mut self, branch: &'p If) {
        let (pred, outs) = (branch.pred, &branch.outs);
        let blocks = [&branch.then, &branch.otherwise];
        let mut sides = Vec::new();
        for (block, holds) in blocks.into_iter().zip([true, false]) {
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
            for (side, block) in sides.iter().zip(blocks) {
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

    /// The active lanes, as four masks.
    pub(super) fn everyone(&mut self) -> Vec<ir::Value> {
        (0..4)
            .map(|c| match self.active_piece(c) {
                Some(m) => m,
                None => self.constant_piece(DType::Bool, 1, false),
            })
            .collect()
    }

    /// The largest extent of the active lanes.
    pub(super) fn largest(&mut self, extent: Value) -> ir::Value {
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
        self.b.ins().smax(a, b)
    }

    /// The lanes that are active in step `i`, as four masks.
    pub(super) fn lanes_with_step(&mut self, i: ir::Value, extent: Value) -> Vec<ir::Value> {
        let at = self.b.ins().splat(types::I64X2, i);
        (0..4)
            .map(|c| {
                let n = self.piece(extent, c);
                let m = self.b.ins().icmp(IntCC::SignedLessThan, at, n);
                self.active_and(m, c)
            })
            .collect()
    }
}
