//! Straight lines, branches, and calls of the runtime.

use std::collections::HashSet;

use wengert_loop::elementary::chacha::Stream;
use wengert_loop::loops::kernel::{LaneProduct, RandomBlock};
use wengert_loop::loops::walk;
use wengert_loop::loops::{Block, BufferId, BufferKind, If, Index, LANES, ScalarOp, Stmt, Value};
use wengert_run::library::wide::WHOLE;
use wengert_run::library::{block, lanes};
use wengert_run::plan::is_straight;

use super::Writer;
use super::asm::{
    ALL, Cond, Form, Gpr, Int, Label, Mask, MaskOp, Mem, RAX, RBX, RCX, RDI, RDX, RSI, Src,
    convert, ops,
};
use super::regs::{Piece, WORK, WORK_TOO};

/// The number of statements of a straight line that are written for one block before the next.
const LINE: usize = 128;

impl<'p> Writer<'_, 'p> {
    /// The number of statements that form a straight line, which may be written for one block after
    /// the other: it does not read shared memory that its lanes have written.
    pub(super) fn line(&self, stmts: &[Stmt]) -> usize {
        let mut written: HashSet<BufferId> = HashSet::new();
        for (n, s) in stmts.iter().enumerate() {
            let stop = match s {
                _ if n == LINE || !is_straight(s) => true,
                Stmt::Load { buffer, .. } => written.contains(buffer),
                Stmt::Store { buffer, .. } => {
                    if self.kind(*buffer) != BufferKind::Local {
                        written.insert(*buffer);
                    }
                    false
                }
                _ => false,
            };
            if stop {
                return n;
            }
        }
        stmts.len()
    }

    /// Writes a straight line for one block after the other.
    pub(super) fn side_by_side(&mut self, stmts: &'p [Stmt]) {
        let start = self.at[0];
        for block in 0..self.interleave {
            self.block = block;
            if self.short() == Some(0) {
                continue;
            }
            for (n, s) in stmts.iter().enumerate() {
                self.at[block] = start + n as u32 + 1;
                let lanes = matches!(s, Stmt::Store { .. })
                    || walk::result(s).is_some_and(|v| self.is_lanes(v));
                if lanes || block == 0 {
                    self.comes_from(s);
                    self.straight(s);
                }
            }
        }
        self.block = 0;
        self.set_all_at(start + stmts.len() as u32);
    }

    /// A statement.
    pub(super) fn stmt(&mut self, s: &'p Stmt) {
        match s {
            _ if is_straight(s) => self.straight(s),
            Stmt::Op {
                out,
                op: ScalarOp::Any,
                args,
            } => {
                let m = self.active_mask_of(args[0]);
                self.asm.mask_test(m);
                self.asm.set(Cond::NotEqual, RAX);
                let word = self.word_for(*out);
                self.asm.store_word(word, RAX);
                self.release(args);
                self.done();
            }
            Stmt::Call { out, callee, args } => {
                let here = self.at[0];
                self.set_all_at(here - 1);
                for block in 0..self.interleave {
                    self.block = block;
                    self.at[block] = here;
                    self.call_function(*out, *callee, args);
                }
                self.block = 0;
            }
            Stmt::For(l) => self.counted_loop(l),
            Stmt::While(l) => self.while_loop(l),
            Stmt::If(i) if self.is_lanes(i.pred) => self.parting_branch(i),
            Stmt::If(i) => self.branch(i),
            Stmt::Copy { to, from, len, .. } => self.copy(to, from, *len),
            Stmt::Kernel {
                kernel, regions, ..
            } => {
                if let Some(&product) = kernel.downcast_ref::<LaneProduct>() {
                    return self.lane_product(product, regions);
                }
                let block = kernel.downcast_ref::<RandomBlock>();
                self.block_of_words(block.expect("a kernel that was accepted").0, regions);
            }
            Stmt::Fail { failure } => {
                let plan = self.plan;
                self.give_up(plan.program.failures[*failure as usize].clone());
            }
            Stmt::ListBegin { list } => self.list_begin(*list),
            Stmt::ListPush { list, row } => self.list_push(*list, *row),
            Stmt::ListFinish { out, list, rows } => self.list_finish(*out, *list, *rows),
            Stmt::ListHandle { out, of } => self.list_handle(*out, *of),
            Stmt::ListRows { out, handle } => self.list_rows(*out, *handle),
            other => panic!("{other:?} in wide code"),
        }
    }

    /// A statement of a straight line, for the current block.
    fn straight(&mut self, s: &'p Stmt) {
        let mut operands = walk::uses(s);
        // The operand of a folded negation is used here.
        (operands.iter_mut()).for_each(|v| *v = self.life.negated(*v).unwrap_or(*v));
        operands.retain(|v| self.is_lanes(*v));
        self.hold(operands.iter().copied());
        match s {
            Stmt::Const { .. } => {}
            Stmt::Op { out, op, args } => self.op(*out, *op, args),
            Stmt::Load { out, buffer, index } => self.load(*out, *buffer, index),
            Stmt::Store {
                buffer,
                index,
                value,
            } => self.store(*buffer, index, *value),
            Stmt::ListLoad { out, cell } => self.list_load(*out, cell),
            Stmt::ListStore(to) => self.list_store(to),
            other => panic!("{other:?} in a straight line"),
        }
        for v in operands {
            self.retire((v, self.block as u8));
        }
        self.done();
    }

    /// A function of the runtime, on rows of the frame: one call for eight lanes, or for sixteen if it has code for
    /// these.
    fn call_function(&mut self, out: Value, function: u32, args: &[Value]) {
        let wide = self.plan.wide[function as usize].expect("a function of the runtime");
        let sixteen = self.form(out) == Form::Full;
        let code = wide.sixteen.filter(|_| sixteen).unwrap_or(wide.eight);
        // Whether the halves are computed by calls of their own.
        let full = sixteen && wide.sixteen.is_none();
        let rows = args.len() as i32 + 1;
        let area = match full {
            true => self.call_area(2 * args.len() + 1),
            false => self.call_area(args.len()),
        };
        // The place of the upper eight lanes.
        let upper = area + 64 * rows;
        self.hold(args.iter().copied());
        for (n, &v) in args.iter().enumerate() {
            let x = self.in_register(v);
            let off = 64 * (n as i32 + 1);
            if full {
                let half = self.take(None);
                self.asm.upper_half(half, x);
                let to = self.frame(upper + off);
                self.asm.store_as(Form::Half, to, half, ALL);
                let to = self.frame(area + off);
                self.asm.store_as(Form::Half, to, x, ALL);
            } else {
                let to = self.frame(area + off);
                self.asm.store_as(self.form(v), to, x, ALL);
            }
        }
        self.release(args);
        self.done();
        for off in [Some(area), full.then_some(upper)].into_iter().flatten() {
            self.asm.address(RDI, Mem { base: RBX, off });
            self.asm.constant(RSI, (wide.how | WHOLE) as i64);
            self.call_runtime(code);
        }
        if self.life.after(out, self.at[self.block]).is_some() || !self.is_lanes(out) {
            let x = self.take(None);
            let row = Src::Row(self.frame(area));
            if full {
                self.asm.two(ops::LOAD.of(Form::Half), x, row, ALL);
                let half = Src::Row(self.frame(upper));
                self.asm.join(x, x, half);
            } else {
                let load = ops::LOAD.of(self.form(out));
                self.asm.two(load, x, row, ALL);
            }
            self.define(out, x);
            self.done();
        }
    }

    /// A call, which may overwrite all registers.
    fn call_runtime(&mut self, f: usize) {
        self.save_all();
        self.forget_all();
        self.pointers.clear();
        self.asm.constant(RAX, f as i64);
        self.asm.call(RAX);
    }

    /// A block of random words for each lane.
    fn block_of_words(&mut self, stream: Stream, regions: &[(BufferId, Index)]) {
        self.addresses(regions, &[RDI, RSI]);
        self.asm.constant(RDX, stream as i64);
        self.call_runtime(block::of_lanes(self.plan.cpu));
    }

    /// A product for each lane.
    fn lane_product(&mut self, product: LaneProduct, regions: &[(BufferId, Index)]) {
        self.addresses(regions, &[RSI, RDX, RCX]);
        let at = (self.keep)(Box::new(product));
        self.asm.constant(RDI, at);
        self.call_runtime(lanes::of_lanes(self.plan.cpu, product.gemm.dtype));
    }

    /// Loads the addresses of regions into registers.
    fn addresses(&mut self, regions: &[(BufferId, Index)], to: &[Gpr]) {
        for (b, index) in regions {
            self.pointers.clear();
            let at = self.address(*b, index);
            self.asm.address(RAX, at);
            self.asm.push(RAX);
        }
        self.pointers.clear();
        for &to in to[..regions.len()].iter().rev() {
            self.asm.pop(to);
        }
    }

    /// Copies elements, for each lane: a loop over rows.
    fn copy(&mut self, to: &(BufferId, Index), from: &(BufferId, Index), len: usize) {
        if len == 0 {
            return;
        }
        let at = self.address(from.0, &from.1);
        self.asm.address(RDX, at);
        let at = self.address(to.0, &to.1);
        self.asm.address(RAX, at);
        self.asm.constant(RCX, len as i64);
        // The register of a byte.
        self.pointers.clear();
        let pitch = self.pitch(to.0) as i32;
        let own = self.kind(from.0) == BufferKind::Local;
        let step = self.pitch(from.0) as i32;
        let dtype = self.dtype_of(to.0);
        let (form, byte) = (self.form_of(dtype), dtype.bytes() == 1);
        let (x, old) = (self.take(None), self.take(None));
        let lanes = self.mask_for_own(to.0);
        let head = self.asm.label();
        self.asm.place(head);
        for block in 0..self.interleave {
            self.block = block;
            let at = |base| Mem { base, off: 0 };
            match (own, byte) {
                (true, true) => {
                    let row = Src::Row(self.row_here(from.0, at(RDX)));
                    let bytes = convert::BYTES.with_bytes(form);
                    self.asm.zeroing(bytes, x, row, ALL);
                }
                (true, false) => {
                    let row = Src::Row(self.row_here(from.0, at(RDX)));
                    self.asm.two(ops::LOAD.of(form), x, row, ALL);
                }
                (false, true) => {
                    self.asm.load_byte(RSI, at(RDX));
                    self.asm.spread_as(form, x, RSI);
                }
                (false, false) => {
                    let each = Src::Each(at(RDX));
                    self.asm.two(ops::SPREAD.of(form), x, each, ALL);
                }
            }
            let row = self.row_here(to.0, at(RAX));
            if byte {
                self.store_some_bytes(form, row, x, lanes);
                continue;
            }
            match self.lanes_of(lanes) {
                ALL => self.asm.store_as(form, row, x, ALL),
                mask => self.merge_row(form, row, x, mask, old),
            }
        }
        self.block = 0;
        self.asm.int_by(Int::Add, RAX, pitch);
        self.asm.int_by(Int::Add, RDX, step);
        self.asm.int_by(Int::Sub, RCX, 1);
        self.asm.jump_if(Cond::NotEqual, head);
        self.done();
    }

    /// Memory for the arguments of a function and its result.
    pub(super) fn call_area(&mut self, args: usize) -> i32 {
        let layout = &mut *self.layout;
        *(self.spare.areas)
            .entry(args)
            .or_insert_with(|| layout.reserve(64 * (args as u32 + 1)))
    }

    /// A truth value, restricted to the active lanes.
    pub(super) fn active_mask_of(&mut self, v: Value) -> Mask {
        let m = self.mask_of(v);
        match self.active {
            None => m,
            Some(word) => {
                self.asm.mask_load(WORK, self.lanes_at(word));
                self.asm.mask_op(MaskOp::And, WORK, WORK, m);
                WORK
            }
        }
    }

    /// A uniform branch.
    fn branch(&mut self, branch: &'p If) {
        let outs = &branch.outs;
        self.save_all();
        self.make_rows(outs);
        let (other, end) = (self.asm.label(), self.asm.label());
        self.load_word_of(RAX, branch.pred);
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::Equal, other);
        let before = self.registers();
        self.pointers.clear();
        self.side(&branch.then, outs, None);
        self.asm.jump(end);
        self.label(other);
        self.restore(before);
        self.side(&branch.otherwise, outs, None);
        self.label(end);
        self.forget_all();
        self.sweep();
        self.done();
    }

    /// A branch on which lanes diverge: each side runs for the lanes that take it, if there are
    /// any.
    fn parting_branch(&mut self, branch: &'p If) {
        let outs = &branch.outs;
        self.save_all();
        self.make_rows(outs);
        let word = self.new_word();
        let outer = (self.active, self.parted);
        for (n, side) in [&branch.then, &branch.otherwise].into_iter().enumerate() {
            let end = self.asm.label();
            let m = self.mask_of(branch.pred);
            match (n, self.active) {
                (0, None) => self.asm.mask_copy(WORK, m),
                (0, Some(active)) => {
                    self.asm.mask_load(WORK_TOO, self.frame(active));
                    self.asm.mask_op(MaskOp::And, WORK, m, WORK_TOO);
                }
                (_, None) => self.asm.mask_not(WORK, m),
                (_, Some(active)) => {
                    self.asm.mask_load(WORK_TOO, self.frame(active));
                    self.asm.mask_op(MaskOp::AndNot, WORK, m, WORK_TOO);
                }
            }
            self.asm.mask_store(self.frame(word), WORK);
            self.done();
            if !side.stmts.is_empty() {
                self.asm.mask_test(WORK);
                self.asm.jump_if(Cond::Equal, end);
            }
            (self.active, self.parted) = (Some(word), true);
            // The first side may overwrite the results in all lanes: the second side runs later and
            // writes its own.
            self.side(side, outs, (n == 1).then_some(word));
            (self.active, self.parted) = outer;
            self.label(end);
            self.forget_all();
        }
        self.sweep();
        self.free_words.push(word);
        self.done();
    }

    /// Reserves rows or words for the results of a branch.
    fn make_rows(&mut self, outs: &[Value]) {
        for &v in outs {
            if self.is_lanes(v) {
                for block in 0..self.interleave {
                    self.row((v, block as u8));
                }
            } else {
                self.word_for(v);
            }
        }
    }

    /// One side of a branch; its results are written to those of the branch, in the lanes of a mask
    /// if one is given.
    fn side(&mut self, block: &'p Block, outs: &[Value], mask: Option<i32>) {
        self.statements(block);
        for (&to, &from) in outs.iter().zip(&block.results) {
            if !self.is_lanes(to) {
                let word = self.word_for(to);
                self.load_word_of(RAX, from);
                self.asm.store_word(word, RAX);
                continue;
            }
            for block in 0..self.interleave {
                self.block = block;
                self.assign((to, block as u8), from, mask);
                self.done();
            }
            self.block = 0;
        }
        self.set_all_at(self.at[0] + 1);
    }

    /// Writes a value to the row of a piece, in the lanes of a mask if one is given.
    pub(super) fn assign(&mut self, to: Piece, from: Value, mask: Option<i32>) {
        let row = self.row(to);
        self.merge(row, from, mask);
    }

    /// Writes a value to a place in the frame, in the lanes of a mask if one is given.
    pub(super) fn merge(&mut self, row: Mem, from: Value, mask: Option<i32>) {
        if self.is_mask(from) {
            let m = self.mask_of(from);
            let new = match mask {
                None => m,
                Some(word) => {
                    let byte = self.lanes_at(word);
                    self.asm.mask_load(WORK, byte);
                    self.asm.mask_load(WORK_TOO, row);
                    // (from and mask) or (old and not mask)
                    self.asm.mask_op(MaskOp::AndNot, WORK_TOO, WORK, WORK_TOO);
                    self.asm.mask_op(MaskOp::And, WORK, WORK, m);
                    self.asm.mask_op(MaskOp::Or, WORK, WORK, WORK_TOO);
                    WORK
                }
            };
            self.asm.mask_store(row, new);
            return;
        }
        let x = self.in_register(from);
        let form = self.form(from);
        match self.lanes_of(mask) {
            ALL => self.asm.store_as(form, row, x, ALL),
            mask => {
                let old = self.take(None);
                self.merge_row(form, row, x, mask, old);
            }
        }
    }

    /// Places a label that is reached from several places.
    pub(super) fn label(&mut self, label: Label) {
        self.asm.place(label);
        self.pointers.clear();
    }

    /// The number of each lane of the vector loop.
    pub(super) fn lane_numbers(&mut self, index: Value) {
        let numbers = self.numbers(1, 0);
        for block in 0..self.interleave {
            self.block = block;
            let x = self.take(None);
            self.asm.load(RAX, self.frame(self.first));
            if block > 0 {
                self.asm.int_by(Int::Add, RAX, (LANES * block) as i32);
            }
            self.asm.spread(x, RAX);
            self.asm.three(ops::ADD_INT, x, x, Src::Row(numbers), ALL);
            self.define(index, x);
            self.done();
        }
        self.block = 0;
    }
}
