//! Vectors of 512 bits as pairs of registers of 256 bits, for processors with AVX2 and fused multiply-add. (Intel,
//! "Software Developer's Manual", volume 2, chapter 2.)
//!
//! Register `r` is the pair of `ymm(2r)` and `ymm(2r + 1)`; the last two of the sixteen are for what several
//! instructions are made of. Eight elements of 32 bits take the first of a pair. A mask is a row of the frame, whose
//! words have all bits or none: there are no mask registers, and the vector registers are few.

mod convert;
mod ints;
mod masks;
mod vex;

use self::vex::Part::{self, At, General, X, Y};
use self::vex::{Vex, table};
use super::{ALL, Asm, Form, Gpr, Mask, Mem, Op, Src, Zmm, ops};

/// The number of pairs.
pub(super) const PAIRS: u8 = 7;
/// Registers for what several instructions are made of.
const FIRST: u8 = 14;
const SECOND: u8 = 15;
/// Bytes of a register.
const HALF: i32 = 32;

/// One register, or as much memory, of the second source of an instruction; or the element for all lanes.
#[derive(Clone, Copy)]
enum Source {
    Part(Part),
    Each(Mem),
}

impl Form {
    /// The number of registers of a vector.
    fn halves(self) -> u8 {
        (self.bytes() / HALF) as u8
    }

    fn is_words(self) -> bool {
        self == Form::Words
    }
}

impl Op {
    /// The elements that it works on.
    pub(super) fn form(self) -> Form {
        match (self.wide, self.length) {
            (true, _) => Form::Words,
            (false, 64) => Form::Full,
            _ => Form::Half,
        }
    }

    /// The number of registers that it works on.
    fn halves(self) -> u8 {
        self.length / HALF as u8
    }

    /// The instruction on two sources with a VEX prefix, if there is one.
    fn vex(self) -> Vex {
        let name = match self.name {
            "vpandq" | "vpandd" => "vpand",
            "vporq" | "vpord" => "vpor",
            "vpxorq" | "vpxord" => "vpxor",
            name => name,
        };
        // Where the size of the elements is not in the opcode.
        let sized = self.map == 2 && (self.code >= 0x96 || matches!(self.code, 0x45 | 0x47));
        Vex::of((self.map, self.prefix, self.code), name, sized && self.wide)
    }
}

/// Half `h` of a register.
fn half(r: Zmm, h: u8) -> Part {
    Y(2 * r.0 + h)
}

/// A place some bytes on.
fn on(m: Mem, by: i32) -> Mem {
    Mem {
        off: m.off + by,
        ..m
    }
}

impl Asm {
    /// The part of the second source for half `h`.
    fn source_half(from: Src, h: u8) -> Source {
        match from {
            Src::Reg(r) => Source::Part(half(r, h)),
            Src::Row(m) => Source::Part(At(on(m, HALF * i32::from(h)))),
            Src::Each(m) => Source::Each(m),
        }
    }

    fn spread_each(&mut self, to: u8, from: Mem, form: Form) {
        let op = match form.is_words() {
            true => table::SPREAD,
            false => table::SPREAD_HALF,
        };
        self.vex_op(op, &[Y(to), At(from)]);
    }

    /// A source as an operand: an element is spread to a register.
    fn operand(&mut self, from: Source, form: Form, to: u8) -> Part {
        match from {
            Source::Part(part) => part,
            Source::Each(m) => {
                self.spread_each(to, m, form);
                Y(to)
            }
        }
    }

    /// A source in a register.
    fn into(&mut self, to: u8, from: Source, form: Form) {
        match from {
            Source::Part(part) => self.load_part(to, part),
            Source::Each(m) => self.spread_each(to, m, form),
        }
    }

    fn load_part(&mut self, to: u8, from: Part) {
        match from {
            X(r) | Y(r) if r == to => {}
            X(r) | Y(r) => {
                let op = match to < 8 && r >= 8 {
                    true => table::MOVE_BACK,
                    false => table::MOVE,
                };
                self.vex_op(op, &[Y(to), from]);
            }
            At(_) | Part::Pool(_) => self.vex_op(table::LOAD, &[Y(to), from]),
            General(_) => panic!("a general register"),
        }
    }

    fn blend(&mut self, form: Form, to: u8, no: u8, yes: Part, mask: u8) {
        let op = match form.is_words() {
            true => table::BLEND,
            false => table::BLEND_HALF,
        };
        self.vex_op(op, &[Y(to), Y(no), yes, Y(mask)]);
    }

    /// See [`Asm::three`].
    pub(super) fn pairs_three(&mut self, op: Op, to: Zmm, first: Zmm, second: Src, mask: Mask) {
        let form = op.form();
        if op == ops::BLEND.of(form) {
            return self.pairs_blend(form, to, Src::Reg(first), second, mask);
        }
        if Asm::is_made(op) {
            assert_eq!(mask, ALL, "{op} of some lanes");
            for h in 0..op.halves() {
                let (Y(to), Y(x)) = (half(to, h), half(first, h)) else {
                    continue;
                };
                self.made(op, to, x, Asm::source_half(second, h));
            }
            return;
        }
        // One element for both halves.
        let same = match second {
            Src::Each(m) => {
                self.spread_each(SECOND, m, form);
                Some(Y(SECOND))
            }
            _ => None,
        };
        for h in 0..op.halves() {
            let from = match (same, Asm::source_half(second, h)) {
                (Some(same), _) => same,
                (None, from) => self.operand(from, form, SECOND),
            };
            let (to, first) = (half(to, h), half(first, h));
            if mask == ALL {
                self.vex_op(op.vex(), &[to, first, from]);
                continue;
            }
            assert!(same.is_none(), "{op} of an element and some lanes");
            self.vex_op(op.vex(), &[Y(FIRST), first, from]);
            self.mask_half(SECOND, mask, form, h);
            let Y(to) = to else { continue };
            self.blend(form, to, to, Y(FIRST), SECOND);
        }
    }

    /// `to` has the elements of `yes` in the lanes of a mask, and those of `no` in others.
    fn pairs_blend(&mut self, form: Form, to: Zmm, no: Src, yes: Src, mask: Mask) {
        if let Src::Each(m) = yes {
            self.spread_each(FIRST, m, form);
        }
        for h in 0..form.halves() {
            let yes = match Asm::source_half(yes, h) {
                Source::Part(part) => part,
                Source::Each(_) => Y(FIRST),
            };
            let (Src::Reg(no), Y(to)) = (no, half(to, h)) else {
                continue;
            };
            let Y(no) = half(no, h) else { continue };
            self.mask_half(SECOND, mask, form, h);
            self.blend(form, to, no, yes, SECOND);
        }
    }

    /// See [`Asm::two`].
    pub(super) fn pairs_two(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        let form = op.form();
        let moves = op == ops::LOAD.of(form) || op == ops::SPREAD.of(form);
        if mask != ALL {
            assert!(moves, "{op} of some lanes");
            return self.pairs_blend(form, to, Src::Reg(to), from, mask);
        }
        if moves {
            for h in 0..form.halves() {
                let Y(to) = half(to, h) else { continue };
                self.into(to, Asm::source_half(from, h), form);
            }
            return;
        }
        if self.pairs_convert(op, to, from) {
            return;
        }
        for h in 0..form.halves() {
            let Y(to) = half(to, h) else { continue };
            let from = Asm::source_half(from, h);
            if op == ops::ABS_INT {
                self.magnitude(to, from);
                continue;
            }
            let from = self.operand(from, form, SECOND);
            self.vex_op(op.vex().of_one(), &[Y(to), from]);
        }
    }

    /// See [`Asm::zeroing`].
    pub(super) fn pairs_zeroing(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        if mask == ALL {
            return self.pairs_two(op, to, from, ALL);
        }
        let form = op.form();
        match from {
            Src::Row(m) if op == ops::LOAD.of(form) => {
                let load = match form.is_words() {
                    true => table::LOAD_MASKED,
                    false => table::LOAD_MASKED_HALF,
                };
                for h in 0..form.halves() {
                    self.mask_half(SECOND, mask, form, h);
                    let from = At(on(m, HALF * i32::from(h)));
                    self.vex_op(load, &[half(to, h), Y(SECOND), from]);
                }
                return;
            }
            // A move to the other register is part of the operation.
            Src::Reg(r) if op == ops::LOAD.of(form) => return self.within_mask(form, to, r, mask),
            _ => {}
        }
        self.pairs_two(op, to, from, ALL);
        let form = match op.name.ends_with("qq") || op.name.ends_with("pd") {
            true => Form::Words,
            false => form,
        };
        self.within_mask(form, to, to, mask);
    }

    /// See [`Asm::two_by`].
    pub(super) fn pairs_round(&mut self, op: Op, to: Zmm, from: Src, how: u8) {
        let form = op.form();
        let round = match form.is_words() {
            true => table::ROUND,
            false => table::ROUND_HALF,
        };
        for h in 0..form.halves() {
            let from = self.operand(Asm::source_half(from, h), form, SECOND);
            self.vex_by(round, &[half(to, h), from], Some(how));
        }
    }

    /// See [`Asm::spread_as`].
    pub(super) fn pairs_spread(&mut self, form: Form, to: Zmm, from: Gpr) {
        let low = 2 * to.0;
        let (enter, spread) = match form.is_words() {
            true => (table::FROM_WORD, table::SPREAD_WORD),
            false => (table::FROM_INT, table::SPREAD_INT),
        };
        self.vex_op(enter, &[X(low), General(from)]);
        self.vex_op(spread, &[Y(low), X(low)]);
        if form.halves() == 2 {
            self.load_part(low + 1, Y(low));
        }
    }

    /// See [`Asm::store_as`].
    pub(super) fn pairs_store(&mut self, form: Form, to: Mem, from: Zmm, mask: Mask) {
        let masked = match form.is_words() {
            true => table::STORE_MASKED,
            false => table::STORE_MASKED_HALF,
        };
        for h in 0..form.halves() {
            let (to, from) = (At(on(to, HALF * i32::from(h))), half(from, h));
            if mask == ALL {
                self.vex_op(table::STORE, &[to, from]);
                continue;
            }
            self.mask_half(SECOND, mask, form, h);
            self.vex_op(masked, &[to, Y(SECOND), from]);
        }
    }

    /// See [`Asm::upper_half`].
    pub(super) fn pairs_upper_half(&mut self, to: Zmm, from: Zmm) {
        self.load_part(2 * to.0, half(from, 1));
    }

    /// See [`Asm::join`].
    pub(super) fn pairs_join(&mut self, to: Zmm, lower: Zmm, upper: Src) {
        let (Y(low), Y(high)) = (half(to, 0), half(to, 1)) else {
            return;
        };
        self.into(high, Asm::source_half(upper, 0), Form::Half);
        self.load_part(low, half(lower, 0));
    }

    /// See [`Asm::load_few`].
    pub(super) fn pairs_load_few(&mut self, to: Zmm, from: Mem, bytes: u8) {
        let low = 2 * to.0;
        match bytes {
            8 => self.vex_op(table::LOAD_LOW, &[X(low), At(from)]),
            16 => self.vex_op(table::LOAD, &[X(low), At(from)]),
            _ => self.vex_op(table::LOAD, &[Y(low), At(from)]),
        }
        self.vex_op(table::XOR, &[Y(low + 1); 3]);
    }

    /// See [`Asm::store_few`].
    pub(super) fn pairs_store_few(&mut self, to: Mem, from: Zmm, bytes: u8) {
        let low = 2 * from.0;
        match bytes {
            8 => self.vex_op(table::STORE_LOW, &[At(to), X(low)]),
            16 => self.vex_op(table::STORE, &[At(to), X(low)]),
            _ => self.vex_op(table::STORE, &[At(to), Y(low)]),
        }
    }

    /// See [`Asm::move_low`].
    pub(super) fn pairs_move_low(&mut self, to: Gpr, from: Zmm) {
        self.vex_op(table::TO_INT, &[General(to), X(2 * from.0)]);
    }

    /// See [`Asm::gather`]. The registers of the elements and of the indices differ.
    pub(super) fn pairs_gather(
        &mut self,
        op: Op,
        to: Zmm,
        from: Mem,
        (index, scale): (Zmm, u8),
        mask: Mask,
    ) {
        let (low, by) = (2 * to.0, 2 * index.0);
        if op == ops::GATHER {
            for h in 0..2 {
                self.mask_half(SECOND, mask, Form::Words, h);
                let index = (by + h, scale);
                self.vex_gather(table::GATHER, Y(low + h), from, index, Y(SECOND));
            }
            return;
        }
        // The second of the pair is free until the halves are joined.
        self.mask_half(SECOND, mask, Form::Half, 0);
        self.vex_by(table::UPPER, &[X(FIRST), Y(SECOND)], Some(1));
        self.vex_op(table::XOR, &[Y(low + 1); 3]);
        for (h, mask) in [(0, SECOND), (1, FIRST)] {
            let index = (by + h, scale);
            self.vex_gather(table::GATHER_HALF, X(low + h), from, index, X(mask));
        }
        self.vex_by(table::JOIN, &[Y(low), Y(low), X(low + 1)], Some(1));
    }
}
