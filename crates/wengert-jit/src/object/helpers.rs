//! The functions of the runtime that objects have themselves.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, AbiParam, BlockArg, InstBuilder, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::{FuncId, Module};
use wengert_run::CompileError;
use wengert_run::call::layout::header;
use wengert_run::call::lists::Slot;

use super::{LISTS_FULL, Object};
use crate::emit::FRAME;
use crate::emit::outside::{Helper, words};

/// The rows that a list has room for, once it has some.
const ROWS: i64 = 4;

impl Object {
    /// Writes the functions that programs have asked for.
    pub(super) fn write_helpers(&mut self) -> Result<(), CompileError> {
        let mut at = 0;
        // One may ask for another.
        while let Some(&(helper, id)) = self.shared.helpers.get(at) {
            match helper {
                Helper::RemF64 => self.write(id, |_, b, p| remainder(b, p[0], p[1]))?,
                Helper::RemF32 => self.remainder_of_singles(id)?,
                Helper::ListGrow => self.list_grow(id)?,
                Helper::ListFinish => self.write(id, |_, b, p| list_finish(b, p))?,
                Helper::Copy | Helper::At(_) => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// That of twice the precision is exact, and has no more bits.
    fn remainder_of_singles(&mut self, id: FuncId) -> Result<(), CompileError> {
        let mut sig = self.module.make_signature();
        sig.params.extend([AbiParam::new(types::F64); 2]);
        sig.returns.push(AbiParam::new(types::F64));
        let double = self.shared.helper(&mut self.module, Helper::RemF64, &sig)?;
        self.write(id, |module, b, p| {
            let f = module.declare_func_in_func(double, b.func);
            let args = [p[0], p[1]].map(|x| b.ins().fpromote(types::F64, x));
            let call = b.ins().call(f, &args);
            let y = b.inst_results(call)[0];
            let y = b.ins().fdemote(types::F32, y);
            b.ins().return_(&[y]);
        })
    }

    /// Makes room for a row of a list: behind its rows, if the memory there is free, else elsewhere, where its rows are copied to.
    fn list_grow(&mut self, id: FuncId) -> Result<(), CompileError> {
        let mut sig = self.module.make_signature();
        sig.params.extend([AbiParam::new(types::I64); 3]);
        let copy = self.shared.helper(&mut self.module, Helper::Copy, &sig)?;
        self.write(id, |module, b, p| {
            let copy = module.declare_func_in_func(copy, b.func);
            grow(b, copy, p);
        })
    }
}

/// A word of memory that belongs to the call.
fn word(b: &mut FunctionBuilder<'_>, base: ir::Value, at: i32) -> ir::Value {
    b.ins().load(types::I64, FRAME, base, at)
}

fn branch(
    b: &mut FunctionBuilder<'_>,
    condition: ir::Value,
    yes: (ir::Block, &[ir::Value]),
    no: (ir::Block, &[ir::Value]),
) {
    let args =
        |values: &[ir::Value]| -> Vec<BlockArg> { values.iter().map(|&v| v.into()).collect() };
    b.ins()
        .brif(condition, yes.0, &args(yes.1), no.0, &args(no.1));
}

/// The bytes of a list with this many rows: a multiple of 64.
fn bytes(
    b: &mut FunctionBuilder<'_>,
    head: ir::Value,
    rows: ir::Value,
    size: ir::Value,
) -> ir::Value {
    let rows = b.ins().imul(rows, size);
    let all = b.ins().iadd(head, rows);
    let all = b.ins().iadd_imm_s(all, 63);
    b.ins().band_imm_s(all, -64)
}

fn give(b: &mut FunctionBuilder<'_>, status: i32) {
    let status = b.ins().iconst(types::I32, i64::from(status));
    b.ins().return_(&[status]);
}

/// `int grow(frame, slot, size, row, line)`. No product wraps: rows that there are lie in memory, and those that are
/// wanted are at most twice as many and a few.
fn grow(b: &mut FunctionBuilder<'_>, copy: ir::FuncRef, p: &[ir::Value]) {
    let (frame, slot, size, row) = (p[0], p[1], p[2], p[3]);
    let [little, full, enough, moves, moved] = std::array::from_fn(|_| b.create_block());
    b.append_block_param(enough, types::I64);
    let call = word(b, frame, header::CALL);
    let (top, end) = (word(b, call, words::TOP), word(b, call, words::END));
    let (memory, room) = (word(b, slot, 0), word(b, slot, Slot::ROOM));
    let head = word(b, slot, Slot::HEAD);
    let all = bytes(b, head, room, size);
    let zero = b.ins().iconst(types::I64, 0);
    let is_new = b.ins().icmp_imm_s(IntCC::Equal, memory, 0);
    let held = b.ins().select(is_new, zero, all);

    // Where it is going to begin: a new list has nothing, and begins where the free memory does.
    let its_end = b.ins().iadd(memory, held);
    let is_last = b.ins().icmp(IntCC::Equal, its_end, top);
    let begin = b.ins().select(is_last, memory, top);
    let left = b.ins().isub(end, begin);
    let least = b.ins().iadd_imm_s(row, 1);
    let some = b.ins().iadd(room, room);
    let few = b.ins().iconst(types::I64, ROWS);
    let some = b.ins().smax(some, few);
    let some = b.ins().smax(some, least);
    let need = bytes(b, head, some, size);
    let fits = b.ins().icmp(IntCC::SignedLessThanOrEqual, need, left);
    branch(b, fits, (enough, &[need]), (little, &[]));

    b.switch_to_block(little);
    let need = bytes(b, head, least, size);
    let fits = b.ins().icmp(IntCC::SignedLessThanOrEqual, need, left);
    branch(b, fits, (enough, &[need]), (full, &[]));

    b.switch_to_block(full);
    give(b, LISTS_FULL);

    b.switch_to_block(enough);
    let need = b.block_params(enough)[0];
    let is_there = b.ins().icmp(IntCC::Equal, begin, memory);
    let stays = b.ins().bor(is_there, is_new);
    branch(b, stays, (moved, &[]), (moves, &[]));

    b.switch_to_block(moves);
    b.ins().call(copy, &[begin, memory, held]);
    b.ins().jump(moved, &[]);

    b.switch_to_block(moved);
    let top = b.ins().iadd(begin, need);
    b.ins().store(FRAME, top, call, words::TOP);
    b.ins().store(FRAME, begin, slot, 0);
    let rows = b.ins().isub(need, head);
    let rows = b.ins().udiv(rows, size);
    b.ins().store(FRAME, rows, slot, Slot::ROOM);
    give(b, 0);
}

/// `int finish(frame, slot, size, line)`: gives back the memory behind the rows of a list, or takes some for its number
/// of rows if it has none.
fn list_finish(b: &mut FunctionBuilder<'_>, p: &[ir::Value]) {
    let (frame, slot, size) = (p[0], p[1], p[2]);
    let [none, takes, full, some, trims, done] = std::array::from_fn(|_| b.create_block());
    let call = word(b, frame, header::CALL);
    let top = word(b, call, words::TOP);
    let (memory, head) = (word(b, slot, 0), word(b, slot, Slot::HEAD));
    let is_new = b.ins().icmp_imm_s(IntCC::Equal, memory, 0);
    branch(b, is_new, (none, &[]), (some, &[]));

    b.switch_to_block(none);
    let end = word(b, call, words::END);
    let next = b.ins().iadd(top, head);
    let fits = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, next, end);
    branch(b, fits, (takes, &[]), (full, &[]));
    b.switch_to_block(full);
    give(b, LISTS_FULL);
    b.switch_to_block(takes);
    b.ins().store(FRAME, top, slot, 0);
    b.ins().store(FRAME, next, call, words::TOP);
    b.ins().jump(done, &[]);

    b.switch_to_block(some);
    let (room, rows) = (word(b, slot, Slot::ROOM), word(b, slot, Slot::ROWS));
    let held = bytes(b, head, room, size);
    let kept = bytes(b, head, rows, size);
    let its_end = b.ins().iadd(memory, held);
    let is_last = b.ins().icmp(IntCC::Equal, its_end, top);
    branch(b, is_last, (trims, &[]), (done, &[]));
    b.switch_to_block(trims);
    let top = b.ins().iadd(memory, kept);
    b.ins().store(FRAME, top, call, words::TOP);
    b.ins().jump(done, &[]);

    b.switch_to_block(done);
    give(b, 0);
}

/// The remainder of floats with the sign of the dividend, exactly: multiples of the divisor by powers of two are
/// subtracted, the largest first. A difference of numbers of which neither is twice the other has no rounding (Sterbenz,
/// Floating-Point Computation, 1974).
fn remainder(b: &mut FunctionBuilder<'_>, x: ir::Value, y: ir::Value) {
    let [none, up, down, done] = std::array::from_fn(|_| b.create_block());
    for (block, params) in [(up, 1), (down, 2), (done, 1)] {
        for _ in 0..params {
            b.append_block_param(block, types::F64);
        }
    }
    let (left, by) = (b.ins().fabs(x), b.ins().fabs(y));
    let zero = b.ins().f64const(0.0);
    let infinity = b.ins().f64const(f64::INFINITY);
    // Comparisons with NaN are false.
    let finite = b.ins().fcmp(FloatCC::LessThan, left, infinity);
    let positive = b.ins().fcmp(FloatCC::GreaterThan, by, zero);
    let defined = b.ins().band(finite, positive);
    branch(b, defined, (up, &[by]), (none, &[]));

    b.switch_to_block(none);
    let product = b.ins().fmul(x, y);
    let nan = b.ins().fdiv(product, product);
    b.ins().return_(&[nan]);

    // While twice the multiple is no more than what is left.
    b.switch_to_block(up);
    let multiple = b.block_params(up)[0];
    let rest = b.ins().fsub(left, multiple);
    let twice = b.ins().fadd(multiple, multiple);
    let more = b.ins().fcmp(FloatCC::LessThanOrEqual, multiple, rest);
    branch(b, more, (up, &[twice]), (down, &[left, multiple]));

    b.switch_to_block(down);
    let (left, multiple) = (b.block_params(down)[0], b.block_params(down)[1]);
    let rest = b.ins().fsub(left, multiple);
    let goes = b.ins().fcmp(FloatCC::LessThanOrEqual, multiple, left);
    let left = b.ins().select(goes, rest, left);
    let last = b.ins().fcmp(FloatCC::Equal, multiple, by);
    let half = b.ins().f64const(0.5);
    let half = b.ins().fmul(multiple, half);
    branch(b, last, (done, &[left]), (down, &[left, half]));

    b.switch_to_block(done);
    let left = b.block_params(done)[0];
    let y = b.ins().fcopysign(left, x);
    b.ins().return_(&[y]);
}
