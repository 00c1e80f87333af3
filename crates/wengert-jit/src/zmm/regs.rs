//! Register allocation.
//!
//! A value in lanes is computed into a register. If there is no room, the value that is used again
//! last is stored to its row of the frame, and loaded when it is used. Outer values that a step of
//! a loop uses count as used again in the next step.

use std::collections::HashMap;

use wengert_loop::loops::Value;

use super::Writer;
use super::asm::{ALL, Form, Mask, Mem, RAX, Src, Zmm, ops};

/// A value in lanes, of one of the blocks that run side by side.
pub(super) type Piece = (Value, u8);

/// The scratch mask register.
pub(super) const WORK: Mask = Mask(7);
/// The second scratch mask register.
pub(super) const WORK_TOO: Mask = Mask(6);
/// Mask registers for values.
const MASKS: [u8; 5] = [1, 2, 3, 4, 5];

/// The register of a piece.
#[derive(Clone, Copy)]
struct Home {
    reg: u8,
    /// Whether its row holds it too.
    saved: bool,
}

/// The contents of the registers.
#[derive(Clone, Default)]
pub(super) struct Registers {
    vectors: [Option<Piece>; 32],
    masks: [Option<Piece>; 8],
    homes: HashMap<Piece, Home>,
    /// The registers that the current statement uses, as bits.
    pinned: u32,
    pinned_masks: u8,
    /// The registers in which a loop expects values at its end.
    wanted: HashMap<Piece, u8>,
    reserved: u32,
    /// Rows, and words of masks, that are free after the current statement.
    leaving: Vec<(bool, i32)>,
}

impl Writer<'_, '_> {
    fn place_of(&self, p: Piece) -> Option<u8> {
        self.regs.homes.get(&p).map(|p| p.reg)
    }

    /// The distance of the next use of a piece; `None` if there is none.
    fn next(&self, (v, block): Piece) -> Option<u32> {
        let at = self.at[usize::from(block)];
        let later = match usize::from(block) == self.block {
            true => 0,
            false => 100,
        };
        let after = self.life.after(v, at);
        let defined = self.life.defined(v);
        for &(start, end) in self.around.iter().rev() {
            if defined >= start {
                continue;
            }
            if let Some(first) = self.life.first_within(v, (start, end)) {
                let next = match after.filter(|&n| n <= end) {
                    Some(n) => n - at,
                    None => (end.max(at) - at) + (first - start),
                };
                return Some(next + later);
            }
        }
        after.map(|n| n - at + later)
    }

    /// An empty vector register for the current statement.
    pub(super) fn take(&mut self, wish: Option<u8>) -> Zmm {
        let free = |regs: &Registers, r: u8| {
            regs.vectors[usize::from(r)].is_none() && regs.pinned & (1 << r) == 0
        };
        let wished = wish.filter(|&r| free(&self.regs, r));
        let all = 0..self.machine().registers();
        let unreserved = || {
            let mut all = all.clone();
            all.find(|&r| free(&self.regs, r) && self.regs.reserved & (1 << r) == 0)
        };
        let any = || all.clone().find(|&r| free(&self.regs, r));
        let r = match wished.or_else(unreserved).or_else(any) {
            Some(r) => r,
            None => {
                let r = self.farthest(&self.regs.vectors, !self.regs.pinned);
                self.evict(self.regs.vectors[usize::from(r)].expect("it has a piece"));
                r
            }
        };
        self.regs.pinned |= 1 << r;
        Zmm(r)
    }

    /// Gives registers of the current statement back before it ends.
    pub(super) fn give_back(&mut self, all: &[Zmm]) {
        self.regs.pinned &= !all.iter().fold(0, |bits, r| bits | 1 << r.0);
    }

    /// Among the registers in the bits of `may`, the one whose piece is used again last.
    fn farthest(&self, file: &[Option<Piece>], may: u32) -> u8 {
        let pieces = (0..).zip(file).filter(|(r, _)| may & (1 << r) != 0);
        let pieces = pieces.filter_map(|(r, p)| p.map(|p| (r, p)));
        let last = pieces.max_by_key(|&(_, p)| self.next(p).unwrap_or(u32::MAX));
        last.expect("a statement works on few registers").0
    }

    fn take_mask(&mut self) -> Mask {
        let free = MASKS.into_iter().find(|&r| {
            self.regs.masks[usize::from(r)].is_none() && self.regs.pinned_masks & (1 << r) == 0
        });
        let r = match free {
            Some(r) => r,
            None => {
                let r = self.farthest(&self.regs.masks, u32::from(!self.regs.pinned_masks));
                self.evict(self.regs.masks[usize::from(r)].expect("it has a piece"));
                r
            }
        };
        self.regs.pinned_masks |= 1 << r;
        Mask(r)
    }

    /// The row of a piece, or its word, if it is a mask.
    pub(super) fn row(&mut self, p: Piece) -> Mem {
        let off = match self.rows.get(&p) {
            Some(&off) => off,
            None => {
                let off = if self.is_mask(p.0) {
                    self.new_word()
                } else {
                    self.new_row()
                };
                self.rows.insert(p, off);
                off
            }
        };
        self.frame(off)
    }

    /// The row that holds a piece.
    pub(super) fn row_with(&self, p: Piece) -> Mem {
        let row = self.rows.get(&p);
        let off = row.unwrap_or_else(|| panic!("value {} is used where it is not known", p.0.0));
        self.frame(*off)
    }

    /// Stores a piece that is used again, unless its row holds it.
    fn save(&mut self, p: Piece) {
        let place = self.regs.homes[&p];
        if place.saved || self.next(p).is_none() {
            return;
        }
        let row = self.row(p);
        if self.is_mask(p.0) {
            self.asm.mask_store(row, Mask(place.reg));
        } else {
            let form = self.form(p.0);
            self.asm.store_as(form, row, Zmm(place.reg), ALL);
        }
        self.regs.homes.get_mut(&p).expect("it has a place").saved = true;
    }

    fn evict(&mut self, p: Piece) {
        self.save(p);
        self.forget(p);
        self.retire(p);
    }

    /// Removes a piece from its register.
    pub(super) fn forget(&mut self, p: Piece) {
        if let Some(place) = self.regs.homes.remove(&p) {
            let file = match self.is_mask(p.0) {
                true => &mut self.regs.masks[..],
                false => &mut self.regs.vectors[..],
            };
            file[usize::from(place.reg)] = None;
        }
    }

    /// Frees the register and the row of a piece if it is not used again. Returns whether that is
    /// so.
    pub(super) fn retire(&mut self, p: Piece) -> bool {
        if self.next(p).is_some() {
            return false;
        }
        if let Some(place) = self.regs.homes.get(&p) {
            if self.is_mask(p.0) {
                self.regs.pinned_masks &= !(1 << place.reg);
            } else {
                self.regs.pinned &= !(1 << place.reg);
            }
        }
        self.forget(p);
        if let Some(off) = self.rows.remove(&p) {
            // The current statement may still read it.
            self.regs.leaving.push((self.is_mask(p.0), off));
        }
        true
    }

    /// Frees all pieces that are not used again.
    pub(super) fn sweep(&mut self) {
        self.sweep_but(&[]);
    }

    /// Frees all pieces that are not used again, except those of some values.
    pub(super) fn sweep_but(&mut self, kept: &[Value]) {
        let mut all: Vec<Piece> = self
            .regs
            .homes
            .keys()
            .chain(self.rows.keys())
            .copied()
            .collect();
        all.sort();
        all.dedup();
        all.retain(|p| !kept.contains(&p.0));
        for p in all {
            self.retire(p);
        }
    }

    /// Stores every piece that is used again to its row.
    pub(super) fn save_all(&mut self) {
        let mut all: Vec<Piece> = self.regs.homes.keys().copied().collect();
        all.sort();
        for p in all {
            self.save(p);
        }
    }

    /// Empties all registers.
    pub(super) fn forget_all(&mut self) {
        self.regs.vectors = [None; 32];
        self.regs.masks = [None; 8];
        self.regs.homes.clear();
    }

    /// Empties all vector registers except those for which `hold` holds.
    pub(super) fn forget_but(&mut self, hold: impl Fn(&Self, Piece) -> bool) {
        let all: Vec<Piece> = self.regs.homes.keys().copied().collect();
        for p in all {
            if self.is_mask(p.0) || !hold(self, p) {
                self.forget(p);
            }
        }
    }

    /// Pieces and their vector registers, in order.
    pub(super) fn held(&self) -> Vec<(Piece, u8)> {
        let all = self.regs.vectors.iter().enumerate();
        all.filter_map(|(r, p)| p.map(|p| (p, r as u8))).collect()
    }

    /// The registers and the mask registers that hold something.
    pub(super) fn occupied(&self) -> (Vec<u8>, Vec<u8>) {
        let full = |file: &[Option<Piece>]| {
            let full = (0..).zip(file).filter(|(_, p)| p.is_some());
            full.map(|(r, _)| r).collect()
        };
        (full(&self.regs.vectors), full(&self.regs.masks))
    }

    /// Keeps operands of the current statement in their registers until it is written.
    pub(super) fn hold(&mut self, args: impl Iterator<Item = Value>) {
        for v in args {
            if let Some(r) = self.place_of(self.piece(v)) {
                match self.is_mask(v) {
                    true => self.regs.pinned_masks |= 1 << r,
                    false => self.regs.pinned |= 1 << r,
                }
            }
        }
    }

    /// Keeps the contents of vector registers, whatever else is loaded.
    pub(super) fn hold_registers(&mut self, all: &[u8]) {
        self.regs.pinned |= all.iter().fold(0, |bits, &r| bits | 1 << r);
    }

    /// Ends the current statement and releases its registers.
    pub(super) fn done(&mut self) {
        self.regs.pinned = 0;
        self.regs.pinned_masks = 0;
        for (mask, off) in std::mem::take(&mut self.regs.leaving) {
            self.free(mask, off);
        }
    }

    /// A snapshot of the registers.
    pub(super) fn registers(&self) -> Registers {
        self.regs.clone()
    }

    /// Returns to a snapshot of the registers.
    pub(super) fn restore(&mut self, regs: Registers) {
        self.regs = regs;
    }

    /// Records that a piece is in a register, and nowhere else.
    pub(super) fn put(&mut self, p: Piece, r: u8) {
        self.regs.vectors[usize::from(r)] = Some(p);
        self.regs.homes.insert(
            p,
            Home {
                reg: r,
                saved: false,
            },
        );
    }

    /// Records that a piece is in a register and in its row.
    pub(super) fn put_saved(&mut self, p: Piece, r: u8) {
        self.put(p, r);
        self.regs.homes.get_mut(&p).expect("it was put").saved = true;
    }

    /// The vector register that holds a piece.
    pub(super) fn register_of(&self, p: Piece) -> Option<u8> {
        self.place_of(p)
    }

    /// The piece of a value in the current block.
    fn piece(&self, v: Value) -> Piece {
        (v, self.block as u8)
    }

    /// The register in which a loop expects a value at its end.
    pub(super) fn wish(&self, v: Value) -> Option<u8> {
        self.regs.wanted.get(&self.piece(v)).copied()
    }

    /// Sets the registers in which a loop expects values at its end. Returns the previous ones.
    pub(super) fn want(&mut self, wanted: HashMap<Piece, u8>) -> HashMap<Piece, u8> {
        self.regs.reserved = wanted.values().fold(0, |bits, &r| bits | 1 << r);
        std::mem::replace(&mut self.regs.wanted, wanted)
    }

    /// The register of a piece, loaded if it is in its row.
    pub(super) fn fetch(&mut self, p: Piece) -> Zmm {
        if let Some(r) = self.place_of(p) {
            self.regs.pinned |= 1 << r;
            return Zmm(r);
        }
        let r = self.take(None);
        let row = self.row_with(p);
        let load = ops::LOAD.of(self.form(p.0));
        self.asm.two(load, r, Src::Row(row), ALL);
        self.put_saved(p, r.0);
        r
    }

    /// A value in a register, in all lanes if it is uniform.
    pub(super) fn in_register(&mut self, v: Value) -> Zmm {
        if self.is_lanes(v) {
            return self.fetch(self.piece(v));
        }
        let r = self.take(None);
        let word = self.word_of(v);
        let spread = ops::SPREAD.of(self.form(v));
        self.asm.two(spread, r, Src::Each(word), ALL);
        r
    }

    /// A value as the second source of an instruction.
    pub(super) fn source_of(&mut self, v: Value) -> Src {
        if !self.is_lanes(v) {
            return Src::Each(self.word_of(v));
        }
        let p = self.piece(v);
        if self.place_of(p).is_none() && self.next(p).is_none_or(|n| n > self.machine().soon()) {
            return Src::Row(self.row_with(p));
        }
        Src::Reg(self.fetch(p))
    }

    /// Whether a value is in a register of its own.
    pub(super) fn is_at_hand(&self, v: Value) -> bool {
        self.is_lanes(v) && self.place_of(self.piece(v)).is_some()
    }

    /// Whether a value in lanes is in a register, and the current statement is its last use.
    pub(super) fn is_last_use(&self, v: Value) -> bool {
        self.is_at_hand(v) && self.next(self.piece(v)).is_none()
    }

    /// Whether a value is in a register and is not used after a position.
    pub(super) fn is_last_in_register(&mut self, v: Value, at: u32) -> bool {
        let before = self.at;
        self.set_all_at(at);
        let last = self.is_last_use(v);
        self.at = before;
        last
    }

    /// Gives the register of a piece that is not used again to a new piece.
    pub(super) fn take_over(&mut self, from: Piece, to: Piece) {
        let r = self.place_of(from).expect("it is in a register");
        self.forget(from);
        if let Some(off) = self.rows.remove(&from) {
            self.free(false, off);
        }
        self.put(to, r);
    }

    /// Gives the register of a piece to a new piece, or frees it if the new piece has no use.
    pub(super) fn take_over_or_drop(&mut self, from: Piece, to: Piece) {
        if self.next(to).is_some() {
            self.take_over(from, to);
        }
    }

    /// Stores a value elsewhere, because its row is about to be overwritten.
    pub(super) fn set_aside(&mut self, v: Value) -> i32 {
        let off = match self.is_mask(v) {
            true => {
                let m = self.mask_of(v);
                let off = self.new_word();
                self.asm.mask_store(self.frame(off), m);
                off
            }
            false => {
                let x = self.in_register(v);
                let off = self.new_row();
                self.asm.store_as(self.form(v), self.frame(off), x, ALL);
                off
            }
        };
        self.done();
        off
    }

    /// Loads a value that was set aside.
    pub(super) fn take_back(&mut self, v: Value, off: i32) {
        let p = self.piece(v);
        self.forget(p);
        if self.is_mask(v) {
            let m = self.take_mask();
            self.asm.mask_load(m, self.frame(off));
            self.put_mask(p, m, false);
        } else {
            let x = self.take(None);
            let load = ops::LOAD.of(self.form(v));
            self.asm.two(load, x, Src::Row(self.frame(off)), ALL);
            self.put(p, x.0);
        }
    }

    fn put_mask(&mut self, p: Piece, m: Mask, saved: bool) {
        self.regs.masks[usize::from(m.0)] = Some(p);
        self.regs.homes.insert(p, Home { reg: m.0, saved });
    }

    /// Frees operands that are not used again, so that the result may overwrite them.
    pub(super) fn release(&mut self, args: &[Value]) {
        for &v in args {
            if self.is_lanes(v) {
                self.retire(self.piece(v));
            }
        }
    }

    /// Defines the result of the current statement, which is in a register.
    pub(super) fn define(&mut self, out: Value, r: Zmm) {
        if !self.is_lanes(out) {
            let word = self.word_for(out);
            if self.form(out) == Form::Words {
                self.asm.store_low(word, r);
                return;
            }
            self.asm.move_low(RAX, r);
            self.asm.store_word(word, RAX);
            return;
        }
        let p = self.piece(out);
        if self.next(p).is_some() {
            self.put(p, r.0);
        }
    }

    /// Renames a piece; its register and row stay the same.
    pub(super) fn rename(&mut self, from: Piece, to: Piece) {
        if let Some(place) = self.regs.homes.remove(&from) {
            let file = match self.is_mask(from.0) {
                true => &mut self.regs.masks[..],
                false => &mut self.regs.vectors[..],
            };
            file[usize::from(place.reg)] = Some(to);
            self.regs.homes.insert(to, place);
        }
        if let Some(off) = self.rows.remove(&from) {
            self.rows.insert(to, off);
        }
    }

    /// A truth value in a mask register.
    pub(super) fn mask_of(&mut self, v: Value) -> Mask {
        if !self.is_lanes(v) {
            return self.spread_mask(v);
        }
        let p = self.piece(v);
        if let Some(r) = self.place_of(p) {
            self.regs.pinned_masks |= 1 << r;
            return Mask(r);
        }
        let r = self.take_mask();
        let row = self.row_with(p);
        self.asm.mask_load(r, row);
        self.put_mask(p, r, true);
        r
    }

    /// An empty mask register for the current statement.
    pub(super) fn new_mask(&mut self) -> Mask {
        self.take_mask()
    }

    /// Defines the result of the current statement, which is in a mask register.
    pub(super) fn define_mask(&mut self, out: Value, m: Mask) {
        if !self.is_lanes(out) {
            self.uniform_from_mask(out, m);
            return;
        }
        let p = self.piece(out);
        if self.next(p).is_some() {
            self.put_mask(p, m, false);
        }
    }
}
