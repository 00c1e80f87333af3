//! Statements one after the other, branches and loops. Where lanes disagree: see `divergent`.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_ir::loops::{Block, BufferKind, Carried, Kernel, LANES, LoopKind, Stmt, Value, walk};

use super::values::Pieces;
use super::{Bounds, Emitter, Lanes};
use crate::plan::cost;
use crate::runtime::helpers;

impl<'p> Emitter<'_, 'p> {
    /// A statement outside vector loops; inside, one that works on no lanes, or that branches.
    pub(super) fn uniform_stmt(&mut self, s: &'p Stmt) {
        match s {
            Stmt::Const { .. } => {}
            Stmt::Op { out, op, args } => self.uniform_op(*out, *op, args),
            Stmt::Call {
                out,
                function,
                args,
            } => self.call_function(*out, *function, args),
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
            Stmt::Copy {
                to,
                to_index,
                from,
                from_index,
                len,
            } => self.copy((*to, to_index), (*from, from_index), *len),
            Stmt::For {
                kind,
                extent,
                index,
                carried,
                body,
            } => match kind {
                LoopKind::Parallel if !self.parallel && self.lanes.is_none() => {
                    self.parallel_loop(s, *extent, body)
                }
                _ => {
                    self.loops = true;
                    self.counted_loop(*kind, *extent, *index, carried, body)
                }
            },
            Stmt::While {
                carried,
                cond,
                body,
                limit,
            } => {
                self.loops = true;
                if self.is_lanes(cond.results[0]) {
                    self.divergent_while(carried, cond, body, *limit)
                } else {
                    self.while_loop(carried, cond, body, *limit)
                }
            }
            Stmt::If {
                pred,
                then,
                otherwise,
                outs,
            } => {
                if self.is_lanes(*pred) {
                    self.divergent_if(*pred, then, otherwise, outs)
                } else {
                    self.branch_on(*pred, then, otherwise, outs)
                }
            }
            Stmt::ListBegin { list } => self.list_begin(*list),
            Stmt::ListPush { list, row } => self.list_push(*list, *row),
            Stmt::ListStore {
                list,
                field,
                row,
                element,
                value,
            } => {
                let at = self.list_store_address(*list, *field, *row, element);
                let x = self.scalar(*value);
                self.store_scalar(x, at);
            }
            Stmt::ListFinish { out, list, rows } => self.list_finish(*out, *list, *rows),
            Stmt::ListHandle {
                out,
                built,
                list,
                field,
            } => self.list_handle(*out, *built, *list, *field),
            Stmt::ListRows { out, handle } => self.list_rows(*out, *handle),
            Stmt::ListLoad { out, cell } => {
                let d = self.dtype(*out);
                let at = self.list_load_address(d, cell);
                let x = self.load_scalar(d, at);
                self.define(*out, &[x]);
            }
            Stmt::Kernel {
                kernel: Kernel::Host(function),
                regions,
            } => self.host(*function, regions),
            Stmt::Kernel { kernel, regions } => self.kernel(kernel, regions),
            Stmt::Fail { failure } => self.give_up(*failure),
        }
    }

    fn counted_loop(
        &mut self,
        kind: LoopKind,
        extent: Value,
        index: Value,
        carried: &[Carried],
        body: &'p Block,
    ) {
        match kind {
            LoopKind::Vector => self.vector_loop(extent, index, carried, body),
            LoopKind::Serial { reverse } if self.is_lanes(extent) => {
                self.divergent_for(extent, index, carried, body, reverse)
            }
            LoopKind::Serial { reverse } => self.serial_loop(extent, index, carried, body, reverse),
            LoopKind::Parallel => self.serial_loop(extent, index, carried, body, false),
        }
    }

    /// The registers of the values before a loop, as the parameters hold them.
    pub(super) fn inits(&mut self, carried: &[Carried]) -> Vec<ir::Value> {
        let regs: Vec<Pieces> = carried
            .iter()
            .map(|c| self.regs_like(c.init, c.param))
            .collect();
        regs.into_iter().flatten().collect()
    }

    /// The registers of what a step yields, as the parameters hold them.
    pub(super) fn results(&mut self, carried: &[Carried], body: &Block) -> Vec<ir::Value> {
        let regs: Vec<Pieces> = carried
            .iter()
            .zip(&body.results)
            .map(|(c, &r)| self.regs_like(r, c.param))
            .collect();
        regs.into_iter().flatten().collect()
    }

    pub(super) fn size(&self, body: &Block) -> usize {
        cost::instructions(body, self.lanes.is_some())
    }

    fn serial_loop(
        &mut self,
        extent: Value,
        index: Value,
        carried: &[Carried],
        body: &'p Block,
        reverse: bool,
    ) {
        let known = self.constant_of(extent).map(|n| n as i64);
        let n = self.scalar(extent);
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
        self.define_params(head, carried.iter().map(|c| c.param));
        self.define(index, &[i]);
        let step = self.hold(i, size);
        self.block(body);
        let mut results = self.results(carried, body);
        let i = self.held(step);
        let ins = results.clone();
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
        self.branch(more, (head, &results), (exit, &ins));
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    fn while_loop(&mut self, carried: &[Carried], cond: &'p Block, body: &'p Block, limit: u64) {
        let size = self.size(body) + self.size(cond);
        let head = self.b.create_block();
        let run = self.b.create_block();
        let exit = self.b.create_block();
        carried.iter().for_each(|c| self.params_for(head, c.param));
        let steps = self.b.append_block_param(head, types::I64);
        carried.iter().for_each(|c| self.params_for(exit, c.out));
        let mut args = self.inits(carried);
        args.push(self.int(0));
        self.jump(head, &args);
        self.switch(head);
        let n = self.define_params(head, carried.iter().map(|c| c.param));
        debug_assert_eq!(n + 1, self.b.block_params(head).len());
        let steps = self.hold(steps, size);
        self.block(cond);
        let go = self.scalar(cond.results[0]);
        let params: Vec<ir::Value> = carried
            .iter()
            .flat_map(|c| self.regs_like(c.param, c.param))
            .collect();
        self.branch(go, (run, &[]), (exit, &params));
        self.switch(run);
        let taken = self.limit_steps(steps, limit);
        let taken = self.hold(taken, size);
        self.block(body);
        let mut results = self.results(carried, body);
        results.push(self.held(taken));
        self.jump(head, &results);
        self.switch(exit);
        self.define_params(exit, carried.iter().map(|c| c.out));
    }

    /// Leaves with an error when a loop is about to take a step too many; else the number of steps
    /// with this one. No loop takes `u64::MAX` steps.
    pub(super) fn limit_steps(&mut self, steps: super::Held, limit: u64) -> ir::Value {
        let steps = self.held(steps);
        if limit == u64::MAX {
            return steps;
        }
        let (too_many, go) = (self.cold_block(), self.b.create_block());
        let most = self.int(i64::try_from(limit).unwrap_or(i64::MAX));
        let over = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, steps, most);
        self.branch(over, (too_many, &[]), (go, &[]));
        self.switch(too_many);
        let f = helpers::fail_max_steps as *const () as usize;
        let limit = self.int(limit as i64);
        let status = self
            .helper(f, &[self.frame, limit], Some(types::I32))
            .expect("a status");
        let fail = self.fail_block();
        self.jump(fail, &[status]);
        self.switch(go);
        self.plus(steps, 1)
    }

    fn branch_on(&mut self, pred: Value, then: &'p Block, otherwise: &'p Block, outs: &[Value]) {
        let p = self.scalar(pred);
        let (yes, no, done) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        outs.iter().for_each(|&o| self.params_for(done, o));
        self.branch(p, (yes, &[]), (no, &[]));
        for (to, block) in [(yes, then), (no, otherwise)] {
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

    /// A vector loop: blocks of eight lanes, the last one perhaps short.
    fn vector_loop(&mut self, extent: Value, index: Value, carried: &[Carried], body: &'p Block) {
        assert!(self.lanes.is_none(), "vector loops do not nest");
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
        if uses_value(body, index) {
            self.define_index(index, first, extent);
        }
        self.lane_block(body);
        let results = self.results(carried, body);
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
        self.define_params(exit, carried.iter().map(|c| c.out));
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

    /// The index of each lane; dead lanes have the last live one's.
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

    /// Spreads the uniform values that a vector loop uses in lanes, once, before it.
    fn spread_invariants(&mut self, body: &'p Block) {
        let mut inside = std::collections::HashSet::new();
        let mut wanted = Vec::new();
        walk::stmts(body, &mut |s| {
            walk::definitions(s, &mut |v| {
                inside.insert(v);
            });
            let on_lanes = match s {
                Stmt::Op { .. } | Stmt::Store { .. } | Stmt::ListStore { .. } => true,
                Stmt::For { carried, .. } | Stmt::While { carried, .. } => !carried.is_empty(),
                _ => false,
            };
            if on_lanes {
                walk::uses(s, &mut |v| wanted.push((v, s)));
            }
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
                wengert_ir::ir::types::DType::Bool => &[false, true],
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
            Stmt::Store { value, .. } | Stmt::ListStore { value, .. } => *value == v,
            Stmt::For { carried, .. } | Stmt::While { carried, .. } => carried
                .iter()
                .any(|c| c.init == v && self.is_lanes(c.param)),
            _ => false,
        }
    }
}

fn uses_value(body: &Block, v: Value) -> bool {
    let mut found = body.results.contains(&v);
    walk::stmts(body, &mut |s| {
        walk::uses(s, &mut |u| found |= u == v);
        for b in walk::blocks(s) {
            found |= b.results.contains(&v);
        }
    });
    found
}
