//! Stores at the end of a segment to memory that the block does not own as a whole: copies of rows
//! from their stand-ins, and scattered elements.

use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::Value;

use super::address::{Address, Parts, Target};
use super::partial_rows::Row;
use super::{DATA, Emitter, FRAME};

/// Rows to be copied out of their stand-ins, and scattered stores, at the end of a segment.
pub(super) enum Late {
    Row(Row, ir::Value),
    Scatter(Value, Parts, Target),
}

impl Emitter<'_, '_> {
    /// Writes the deferred stores of a segment; lane by lane if not all lanes are active.
    pub(super) fn late(&mut self, late: Vec<Late>, all: Option<ir::Value>) {
        let rows = late.iter().any(|l| matches!(l, Late::Row(..)));
        let Some(all) = all.filter(|_| !late.is_empty()) else {
            assert!(!rows, "a row is redirected only where not all take part");
            return self.late_all(&late);
        };
        let (straight, cold) = (self.b.create_block(), self.cold_block());
        let done = self.b.create_block();
        self.branch(all, (straight, &[]), (cold, &[]));
        self.switch(straight);
        self.late_all(&late);
        self.jump(done, &[]);
        self.switch(cold);
        let bits = self.active_bits();
        for l in &late {
            match l {
                Late::Row(row, to) => self.flush(row.dtype, row.scratch, *to, bits),
                Late::Scatter(value, parts, target) => {
                    self.scatter_some(*value, parts, target, bits);
                }
            }
        }
        self.jump(done, &[]);
        self.switch(done);
    }

    fn late_all(&mut self, late: &[Late]) {
        for l in late {
            if let Late::Scatter(value, parts, target) = l {
                self.scatter_all(*value, parts, target);
            }
        }
    }

    fn scatter_all(&mut self, value: Value, parts: &Parts, t: &Target) {
        for c in 0..4 {
            let n = self.lane_indices(parts, c);
            for l in 0..2 {
                let n = self.b.ins().extractlane(n, l as u8);
                let at = self.lane_address(t, n, 2 * c + l);
                let x = self.lane(value, 2 * c + l);
                self.store_scalar(x, at);
            }
        }
    }

    fn scatter_some(&mut self, value: Value, parts: &Parts, t: &Target, bits: ir::Value) {
        let d = t.dtype;
        let (numbers, elements) = self.s.scatter_scratch(self.unit);
        for c in 0..4 {
            let n = self.lane_indices(parts, c);
            self.b
                .ins()
                .store(FRAME, n, self.frame, numbers + 16 * c as i32);
        }
        let at = Address {
            base: self.frame,
            off: i64::from(elements),
        };
        let n = match (d.bytes(), self.is_narrow(value)) {
            (1, _) => 1,
            (_, true) => 2,
            _ => 4,
        };
        for i in 0..n {
            self.store_pieces(value, at, i, false);
        }
        self.each_set_lane(bits, |e, l| {
            let eight = e.times(l, 8);
            let from = e.b.ins().iadd(e.frame, eight);
            let n = e.b.ins().load(types::I64, FRAME, from, numbers);
            let size = d.bytes() as i64;
            let lane = e.times(l, size);
            let from = e.b.ins().iadd(e.frame, lane);
            let ty = super::scalar_type(d);
            let x = e.b.ins().load(ty, FRAME, from, elements);
            let mut to = e.lane_address(t, n, 0);
            if t.lane != 0 {
                to.base = e.b.ins().iadd(to.base, lane);
            }
            let (base, off) = e.reach(to, 0);
            e.b.ins().store(DATA, x, base, off);
        });
    }
}
