//! Masks: selection, combination, and tests for any set lane.

use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{LANES, Value};

use super::{Emitter, FRAME, Kept, Mask};

impl Emitter<'_, '_> {
    /// `x` where the mask is set, else `y`. The mask is as wide as the lanes.
    pub(super) fn select_piece(&mut self, m: ir::Value, x: ir::Value, y: ir::Value) -> ir::Value {
        let ty = self.b.func.dfg.value_type(x);
        let whole = self.b.func.dfg.value_type(m);
        let compared = match self.b.func.dfg.value_def(m) {
            ir::ValueDef::Result(inst, _) => matches!(
                self.b.func.dfg.insts[inst].opcode(),
                ir::Opcode::Fcmp | ir::Opcode::Icmp
            ),
            _ => false,
        };
        if compared || !self.s.machine.blend {
            let m = self.bits(ty, m);
            return self.b.ins().bitselect(m, x, y);
        }
        let (x, y) = (self.bits(whole, x), self.bits(whole, y));
        let z = self.b.ins().blendv(m, x, y);
        self.bits(ty, z)
    }

    /// Chain `c` of the active lanes: the current mask, or the live lanes of the block. `None` if
    /// all are active.
    pub(super) fn active_piece(&mut self, c: usize) -> Option<ir::Value> {
        if let Some(m) = self.mask {
            return Some(self.held(m.pieces[c]));
        }
        let bounds = self.short()?;
        let table = self.s.constants(self.unit).live_table();
        let at = self.kept(Kept::LiveOffset, |e| {
            let live = e.held(bounds.live);
            let six = e.int(6);
            let off = e.b.ins().ishl(live, six);
            let base = e.constants_base();
            e.b.ins().iadd(base, off)
        });
        let off = table + 16 * c as i32;
        Some(self.b.ins().load(types::I64X2, FRAME, at, off))
    }

    /// Piece `i` of the active lanes, in the given width.
    pub(super) fn active_like(&mut self, narrow: bool, i: usize) -> Option<ir::Value> {
        if !narrow {
            return self.active_piece(i);
        }
        let a = self.active_piece(2 * i)?;
        let b = self.active_piece(2 * i + 1)?;
        Some(self.low_halves(a, b))
    }

    /// Chain `c` of a truth value, for the lanes that take part.
    pub(super) fn active_and(&mut self, m: ir::Value, c: usize) -> ir::Value {
        match self.active_piece(c) {
            Some(a) => self.b.ins().band(m, a),
            None => m,
        }
    }

    /// Whether any lane of four masks is set.
    pub(super) fn any_of(&mut self, m: &[ir::Value]) -> ir::Value {
        let a = self.b.ins().bor(m[0], m[1]);
        let b = self.b.ins().bor(m[2], m[3]);
        let m = self.b.ins().bor(a, b);
        self.b.ins().vany_true(m)
    }

    /// Whether a truth value holds in any lane that takes part.
    pub(super) fn any(&mut self, v: Value) -> ir::Value {
        let m = self.active_masks(v);
        self.any_of(&m)
    }

    /// A truth value as four masks, for the lanes that take part.
    pub(super) fn active_masks(&mut self, v: Value) -> Vec<ir::Value> {
        (0..4)
            .map(|c| {
                let m = self.mask_piece(v, false, c);
                self.active_and(m, c)
            })
            .collect()
    }

    /// Makes masks the current ones for a region of that many instructions.
    pub(super) fn enter_mask(&mut self, m: &[ir::Value], size: usize) -> Option<Mask> {
        let pieces = [0, 1, 2, 3].map(|c| self.hold(m[c], size));
        self.mask.replace(Mask { pieces })
    }

    /// The lanes that take part as bits of an integer.
    pub(super) fn active_bits(&mut self) -> ir::Value {
        if self.mask.is_none() {
            let one = self.int(1);
            let Some(bounds) = self.short() else {
                return self.int((1 << LANES) - 1);
            };
            let live = self.held(bounds.live);
            let x = self.b.ins().ishl(one, live);
            return self.b.ins().isub(x, one);
        }
        let mut bits = None;
        for c in (0..4).rev() {
            let m = self.active_piece(c).expect("a mask is current");
            let two = self.b.ins().vhigh_bits(types::I64, m);
            bits = Some(match bits {
                None => two,
                Some(x) => {
                    let n = self.int(2);
                    let x = self.b.ins().ishl(x, n);
                    self.b.ins().bor(x, two)
                }
            });
        }
        bits.expect("four pieces")
    }
}
