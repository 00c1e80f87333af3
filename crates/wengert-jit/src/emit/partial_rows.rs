//! Rows of eight elements of which a block may not access all.
//!
//! If the block is short, or some lanes are inactive, a row is redirected to scratch: before the
//! straight line the elements to read are gathered there, lane by lane and within bounds; after it
//! the written elements of live lanes are copied out. For a full block this costs no more than a
//! branch.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::LANES;
use wengert_loop::types::DType;

use super::address::Address;
use super::{DATA, Emitter, FRAME};

/// A row that may have to be redirected.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub dtype: DType,
    /// The start of the buffer.
    pub start: Address,
    /// The number of the first lane's element.
    pub first: ir::Value,
    /// The number of elements of the buffer.
    pub len: usize,
    /// The address of the row, or of its stand-in.
    pub at: Address,
    /// Its stand-in, in the frame.
    pub scratch: i32,
}

impl Emitter<'_, '_> {
    /// Whether all eight elements of a row lie in its buffer.
    pub(super) fn in_bounds(&mut self, row: &Row) -> ir::Value {
        match row.len.checked_sub(LANES) {
            None => self.b.ins().iconst(types::I8, 0),
            Some(most) => {
                let most = self.int(most as i64);
                self.b
                    .ins()
                    .icmp(IntCC::UnsignedLessThanOrEqual, row.first, most)
            }
        }
    }

    /// Continues with the rows in place if `direct` holds, else with their stand-ins. The flags
    /// mark the rows that are read, whose stand-ins are filled.
    pub(super) fn redirect(&mut self, direct: ir::Value, rows: &mut [(Row, bool)]) {
        let go = self.b.create_block();
        let cold = self.cold_block();
        let mut args = Vec::new();
        for (row, _) in rows.iter() {
            let (base, off) = self.reach(row.at, 0);
            args.push(self.plus(base, i64::from(off)));
            self.b.append_block_param(go, types::I64);
        }
        self.branch(direct, (go, &args), (cold, &[]));
        self.switch(cold);
        let mut stand_ins = Vec::new();
        for (row, read) in rows.iter() {
            if *read {
                self.fill(row);
            }
            stand_ins.push(self.plus(self.frame, i64::from(row.scratch)));
        }
        self.jump(go, &stand_ins);
        self.switch(go);
        for (i, (row, _)) in rows.iter_mut().enumerate() {
            row.at = Address {
                base: self.b.block_params(go)[i],
                off: 0,
            };
        }
    }

    /// Reads the elements of a row into its stand-in: dead lanes read the element of the last live
    /// one, and no lane reads out of bounds.
    fn fill(&mut self, row: &Row) {
        let size = row.dtype.bytes() as i64;
        let live = match self.lanes.and_then(|l| l.bounds) {
            Some(b) => self.held(b.live),
            None => self.int(LANES as i64),
        };
        let last_live = self.plus(live, -1);
        self.each_lane(|e, l| {
            let n = e.b.ins().umin(l, last_live);
            let n = e.b.ins().iadd(row.first, n);
            let zero = e.int(0);
            let most = e.int(row.len as i64 - 1);
            let n = e.b.ins().smin(n, most);
            let n = e.b.ins().smax(n, zero);
            let from = e.advance(row.start, Some(n), 0, size);
            let (base, off) = e.reach(from, 0);
            let ty = bytes_type(size);
            let x = e.b.ins().load(ty, DATA, base, off);
            let to = e.times(l, size);
            let to = e.b.ins().iadd(e.frame, to);
            e.b.ins().store(FRAME, x, to, row.scratch);
        });
    }

    /// Copies the lanes whose bits are set from a stand-in to `to`, the address of lane 0.
    pub(super) fn flush(&mut self, d: DType, scratch: i32, to: ir::Value, bits: ir::Value) {
        let size = d.bytes() as i64;
        self.each_set_lane(bits, |e, l| {
            let off = e.times(l, size);
            let from = e.b.ins().iadd(e.frame, off);
            let x = e.b.ins().load(bytes_type(size), FRAME, from, scratch);
            let to = e.b.ins().iadd(to, off);
            e.b.ins().store(DATA, x, to, 0);
        });
    }

    /// A loop over the lanes whose bits are set.
    pub(super) fn each_set_lane(
        &mut self,
        bits: ir::Value,
        body: impl FnOnce(&mut Self, ir::Value),
    ) {
        self.each_lane(|e, l| {
            let (set, next) = (e.cold_block(), e.cold_block());
            let one = e.int(1);
            let bit = e.b.ins().ushr(bits, l);
            let bit = e.b.ins().band(bit, one);
            e.branch(bit, (set, &[]), (next, &[]));
            e.switch(set);
            body(e, l);
            e.jump(next, &[]);
            e.switch(next);
        });
    }

    /// A loop over the lanes of a block, in general registers only.
    pub(super) fn each_lane(&mut self, body: impl FnOnce(&mut Self, ir::Value)) {
        let (head, done) = (self.cold_block(), self.cold_block());
        let l = self.b.append_block_param(head, types::I64);
        let zero = self.int(0);
        self.jump(head, &[zero]);
        self.switch(head);
        body(self, l);
        let next = self.plus(l, 1);
        let lanes = self.int(LANES as i64);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, next, lanes);
        self.branch(more, (head, &[next]), (done, &[]));
        self.switch(done);
    }
}

/// An integer of that many bytes.
fn bytes_type(size: i64) -> ir::Type {
    match size {
        1 => types::I8,
        4 => types::I32,
        _ => types::I64,
    }
}
