//! Vector loops: blocks of eight lanes side by side.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{Block, For, LANES, Stmt, Value, While, walk};
use wengert_run::plan::cost;

use super::{Bounds, Emitter, FRAME, Lanes};
use crate::zmm::{self, Blocks, Places, VectorLoop};

impl<'p> Emitter<'_, 'p> {
    /// A vector loop: blocks of eight lanes, the last one perhaps short.
    pub(super) fn vector_loop(&mut self, l: &'p For) {
        assert!(self.lanes.is_none(), "vector loops do not nest");
        if let Some(&blocks) = self.s.plan.zmm.get(&l.index) {
            return self.wide_loop(l, blocks);
        }
        let (extent, carried, body) = (l.extent, &l.carried[..], &l.body);
        let size = cost::instructions(body, true);
        let always = self
            .constant_of(extent)
            .is_some_and(|n| n.is_multiple_of(LANES as u64));
        let extent = self.scalar(extent);
        self.spread_invariants(body);
        let head = self.b.create_block();
        let exit = self.b.create_block();
        carried.iter().for_each(|c| self.params_for(head, c.param));
        let first = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        let n = self.hold(extent, size);
        let inits = self.inits(carried);
        let mut args = inits.clone();
        args.push(self.int(0));
        let some = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, extent, 0);
        self.branch(some, (head, &args), (exit, &inits));

        self.switch(head);
        let extent = self.held(n);
        let left = self.b.ins().isub(extent, first);
        let lanes = self.int(LANES as i64);
        let live = self.b.ins().smin(left, lanes);
        let full = self
            .b
            .ins()
            .icmp(IntCC::SignedGreaterThanOrEqual, left, lanes);
        let bounds = Bounds {
            first: self.hold(first, size),
            live: self.hold(live, size),
            full: self.hold(full, size),
            always,
        };
        self.lanes = Some(Lanes {
            bounds: Some(bounds),
        });
        self.define_params(head, carried.iter().map(|c| c.param));
        if uses_value(body, l.index) {
            self.define_index(l.index, first, extent);
        }
        let ends = self.s.is_linked() && lists_end_with_block(body);
        let taken = ends.then(|| self.lists_taken(size));
        self.lane_block(body);
        let results = self.results(carried, body);
        if let Some(taken) = taken {
            self.free_lists(taken);
        }
        let next_block = self.b.create_block();
        if carried.is_empty() || always {
            for c in carried {
                self.params_for(next_block, c.param);
            }
            self.jump(next_block, &results);
        } else {
            // Dead lanes keep their copies.
            let cold = self.cold_block();
            for c in carried {
                self.params_for(next_block, c.param);
            }
            let full = self.held(bounds.full);
            self.branch(full, (next_block, &results), (cold, &[]));
            self.switch(cold);
            let kept = self.keep_inactive(carried, &results);
            self.jump(next_block, &kept);
        }
        self.switch(next_block);
        let mut results = self.b.block_params(next_block).to_vec();
        let outs = results.clone();
        let first = self.held(bounds.first);
        let next = self.plus(first, LANES as i64);
        results.push(next);
        let extent = self.held(n);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, extent);
        self.branch(more, (head, &results), (exit, &outs));
        self.switch(exit);
        self.lanes = None;
        self.spread.clear();
        self.note_calls_of(body);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    /// A vector loop that has wide code: a call of its function.
    fn wide_loop(&mut self, l: &'p For, blocks: Blocks) {
        let needs = zmm::needs(self.v, l);
        let mut places = Places::default();
        for v in needs.values {
            let x = self.scalar(v);
            let x = match self.b.func.dfg.value_type(x) {
                types::I8 | types::I32 => self.b.ins().uextend(types::I64, x),
                types::F32 => {
                    let bits = self.b.ins().bitcast(types::I32, ir::MemFlagsData::new(), x);
                    self.b.ins().uextend(types::I64, bits)
                }
                _ => x,
            };
            let word = self.reserve(8);
            self.b.ins().store(FRAME, x, self.frame, word);
            places.values.insert(v, word);
        }
        for b in needs.buffers {
            let start = self.start_of(b);
            let start = self.plus(start.base, start.off);
            let word = self.reserve(8);
            self.b.ins().store(FRAME, start, self.frame, word);
            places.buffers.insert(b, word);
        }
        for c in &l.carried {
            let last = self.v.live.last[c.out.0 as usize];
            places
                .carried
                .push(self.s.layout(self.unit).place(64, last));
        }
        let rows = places.carried.clone();
        let looped = VectorLoop { looped: l, blocks };
        let id = self.s.wide_loop(&looped, places, self.unit);
        let f = self.s.module.declare_func_in_func(id, self.b.func);
        let call = self.b.ins().call(f, &[self.frame]);
        self.note_call();
        let status = self.b.inst_results(call)[0];
        if zmm::may_fail(&l.body) {
            self.check(status);
        }
        for (c, row) in l.carried.iter().zip(rows) {
            self.define_in_frame(c.out, row);
        }
    }

    /// The index of each lane; dead lanes have that of the last live lane.
    fn define_index(&mut self, index: Value, first: ir::Value, extent: ir::Value) {
        let last = self.plus(extent, -1);
        let last = self.b.ins().splat(types::I64X2, last);
        let first = self.b.ins().splat(types::I64X2, first);
        for c in 0..4 {
            let lanes = self.longs(2 * c, 2 * c + 1);
            let mut i = self.b.ins().iadd(first, lanes);
            if self.short().is_some() {
                i = self.b.ins().smin(i, last);
            }
            self.define_piece(index, c as usize, i);
        }
    }

    /// Spreads the uniform values that a vector loop uses in lanes, once, before the loop.
    fn spread_invariants(&mut self, body: &'p Block) {
        let mut inside = std::collections::HashSet::new();
        let mut wanted = Vec::new();
        walk::stmts(body, &mut |s| {
            inside.extend(walk::definitions(s));
            wanted.extend(walk::uses(s).into_iter().map(|v| (v, s)));
        });
        for (v, s) in wanted {
            let d = self.dtype(v);
            if inside.contains(&v)
                || self.is_lanes(v)
                || self.constant_of(v).is_some()
                || !self.used_in_lanes(s, v)
            {
                continue;
            }
            let widths: &[bool] = match d {
                wengert_loop::types::DType::Bool => &[false, true],
                d => &[d.bytes() < 8],
            };
            for &narrow in widths {
                if self.spread.contains_key(&(v, narrow)) {
                    continue;
                }
                let x = self.scalar(v);
                let p = self.splat(d, x, narrow);
                let off = self.reserve(16);
                self.b.ins().store(super::FRAME, p, self.frame, off);
                self.spread.insert((v, narrow), off);
            }
        }
    }

    fn used_in_lanes(&self, s: &Stmt, v: Value) -> bool {
        match s {
            Stmt::Op { out, .. } => self.is_lanes(*out),
            Stmt::For(For { carried, .. }) | Stmt::While(While { carried, .. }) => carried
                .iter()
                .any(|c| c.init == v && self.is_lanes(c.param)),
            _ => walk::stored(s) == Some(v),
        }
    }
}

/// Whether a body builds lists, all of them itself, and none that has a handle.
fn lists_end_with_block(body: &Block) -> bool {
    let (mut begun, mut pushed, mut handles) = (vec![], vec![], false);
    walk::stmts(body, &mut |s| match s {
        Stmt::ListBegin { list } => begun.push(*list),
        Stmt::ListPush { list, .. } => pushed.push(*list),
        Stmt::ListHandle { .. } => handles = true,
        _ => {}
    });
    !begun.is_empty() && !handles && pushed.iter().all(|l| begun.contains(l))
}

fn uses_value(body: &Block, v: Value) -> bool {
    let mut found = body.results.contains(&v);
    walk::stmts(body, &mut |s| {
        found |= walk::uses(s).contains(&v) || walk::blocks(s).any(|b| b.results.contains(&v));
    });
    found
}
