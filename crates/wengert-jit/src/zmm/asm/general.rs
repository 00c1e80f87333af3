//! Instructions on general registers, jumps and calls.

use super::{Asm, Cond, Gpr, Int, Label, Mem, Shift};

impl Asm {
    fn rex(&mut self, reg: u8, base: u8) {
        self.bytes.push(0x48 | (reg >> 3) << 2 | base >> 3);
    }

    /// The prefix of an instruction on 32 bits.
    fn rex_half(&mut self, reg: u8, base: u8) {
        self.bytes.push(0x40 | (reg >> 3) << 2 | base >> 3);
    }

    fn pair(&mut self, code: &[u8], reg: u8, other: Gpr) {
        self.rex(reg, other.0);
        self.bytes.extend(code);
        self.bytes.push(0xc0 | ((reg & 7) << 3) | (other.0 & 7));
    }

    fn with(&mut self, code: &[u8], reg: u8, m: Mem) {
        self.rex(reg, m.base.0);
        self.bytes.extend(code);
        self.memory(reg, m, 1);
    }

    pub(in crate::zmm) fn copy(&mut self, to: Gpr, from: Gpr) {
        if to != from {
            self.line(|| format!("mov {to}, {from}"));
            self.pair(&[0x89], from.0, to);
        }
    }

    pub(in crate::zmm) fn load(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("mov {to}, {from}"));
        self.with(&[0x8b], to.0, from);
    }

    /// Loads a byte, zero-extended.
    pub(in crate::zmm) fn load_byte(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("movzx {to}, byte {from}"));
        self.with(&[0x0f, 0xb6], to.0, from);
    }

    /// Loads 32 bits, zero-extended.
    pub(in crate::zmm) fn load_half(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("mov {to}, dword {from}"));
        self.rex_half(to.0, from.base.0);
        self.bytes.push(0x8b);
        self.memory(to.0, from, 1);
    }

    /// Loads 32 bits, sign-extended.
    pub(in crate::zmm) fn load_half_signed(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("movsxd {to}, dword {from}"));
        self.with(&[0x63], to.0, from);
    }

    /// Clears all but the low 32 bits.
    pub(in crate::zmm) fn low_half(&mut self, r: Gpr) {
        self.line(|| format!("mov {r}, {r}  ; the low half"));
        self.rex_half(r.0, r.0);
        self.bytes
            .extend([0x89, 0xc0 | ((r.0 & 7) << 3) | (r.0 & 7)]);
    }

    /// Clears all but the low 8 bits.
    pub(in crate::zmm) fn low_byte(&mut self, r: Gpr) {
        self.line(|| format!("movzx {r}, {r}  ; the low byte"));
        self.pair(&[0x0f, 0xb6], r.0, r);
    }

    /// Stores the low 8 bits.
    pub(in crate::zmm) fn store_byte(&mut self, to: Mem, from: Gpr) {
        self.line(|| format!("mov byte {to}, {from}"));
        self.with(&[0x88], from.0, to);
    }

    /// Stores the low 32 bits.
    pub(in crate::zmm) fn store_half(&mut self, to: Mem, from: Gpr) {
        self.line(|| format!("mov dword {to}, {from}"));
        self.rex_half(from.0, to.base.0);
        self.bytes.push(0x89);
        self.memory(from.0, to, 1);
    }

    pub(in crate::zmm) fn store_word(&mut self, to: Mem, from: Gpr) {
        self.line(|| format!("mov {to}, {from}"));
        self.with(&[0x89], from.0, to);
    }

    pub(in crate::zmm) fn constant(&mut self, to: Gpr, n: i64) {
        self.line(|| format!("mov {to}, {n}"));
        if let Ok(n) = i32::try_from(n) {
            self.pair(&[0xc7], 0, to);
            self.bytes.extend(n.to_le_bytes());
            return;
        }
        self.rex(0, to.0);
        self.bytes.push(0xb8 | (to.0 & 7));
        self.bytes.extend(n.to_le_bytes());
    }

    pub(in crate::zmm) fn int(&mut self, op: Int, to: Gpr, from: Gpr) {
        self.line(|| format!("{op} {to}, {from}"));
        self.pair(&[(op as u8) << 3 | 1], from.0, to);
    }

    pub(in crate::zmm) fn int_with(&mut self, op: Int, to: Gpr, from: Mem) {
        self.line(|| format!("{op} {to}, {from}"));
        self.with(&[(op as u8) << 3 | 3], to.0, from);
    }

    pub(in crate::zmm) fn int_by(&mut self, op: Int, to: Gpr, n: i32) {
        self.line(|| format!("{op} {to}, {n}"));
        self.pair(&[0x81], op as u8, to);
        self.bytes.extend(n.to_le_bytes());
    }

    pub(in crate::zmm) fn multiply(&mut self, to: Gpr, from: Gpr) {
        self.line(|| format!("imul {to}, {from}"));
        self.pair(&[0x0f, 0xaf], to.0, from);
    }

    pub(in crate::zmm) fn multiply_by(&mut self, to: Gpr, from: Gpr, n: i32) {
        self.line(|| format!("imul {to}, {from}, {n}"));
        self.pair(&[0x69], to.0, from);
        self.bytes.extend(n.to_le_bytes());
    }

    /// Divides rax: rax has the quotient, rdx the remainder.
    pub(in crate::zmm) fn divide(&mut self, signed: bool, by: Gpr) {
        if signed {
            self.line(|| format!("cqo; idiv {by}"));
            self.bytes.extend([0x48, 0x99]);
            self.pair(&[0xf7], 7, by);
        } else {
            self.line(|| format!("xor edx, edx; div {by}"));
            self.bytes.extend([0x31, 0xd2]);
            self.pair(&[0xf7], 6, by);
        }
    }

    /// Multiplies rax: rdx has the upper half of the product.
    pub(in crate::zmm) fn multiply_high(&mut self, signed: bool, by: Gpr) {
        let (name, digit) = if signed { ("imul", 5) } else { ("mul", 4) };
        self.line(|| format!("{name} {by}"));
        self.pair(&[0xf7], digit, by);
    }

    pub(in crate::zmm) fn negate(&mut self, r: Gpr) {
        self.line(|| format!("neg {r}"));
        self.pair(&[0xf7], 3, r);
    }

    pub(in crate::zmm) fn invert(&mut self, r: Gpr) {
        self.line(|| format!("not {r}"));
        self.pair(&[0xf7], 2, r);
    }

    pub(in crate::zmm) fn shift_left(&mut self, r: Gpr, by: u8) {
        self.line(|| format!("shl {r}, {by}"));
        self.pair(&[0xc1], 4, r);
        self.bytes.push(by);
    }

    /// Shifts right; the carry flag is the last bit that is shifted out.
    pub(in crate::zmm) fn shift_right(&mut self, r: Gpr, by: u8) {
        self.line(|| format!("shr {r}, {by}"));
        self.pair(&[0xc1], 5, r);
        self.bytes.push(by);
    }

    /// Rotates right; other flags than the carry flag stay as they are.
    pub(in crate::zmm) fn rotate_right(&mut self, r: Gpr, by: u8) {
        self.line(|| format!("ror {r}, {by}"));
        self.pair(&[0xc1], 1, r);
        self.bytes.push(by);
    }

    /// Shifts or rotates by the low six bits of rcx.
    pub(in crate::zmm) fn shift_by_rcx(&mut self, r: Gpr, how: Shift) {
        self.line(|| format!("{how:?} {r}, cl").to_lowercase());
        self.pair(&[0xd3], how as u8, r);
    }

    pub(in crate::zmm) fn address(&mut self, to: Gpr, of: Mem) {
        self.line(|| format!("lea {to}, {of}"));
        self.with(&[0x8d], to.0, of);
    }

    /// Sets a register to 0 or 1 by a condition.
    pub(in crate::zmm) fn set(&mut self, cond: Cond, to: Gpr) {
        self.line(|| format!("set{cond} {to}"));
        self.rex(0, to.0);
        self.bytes
            .extend([0x0f, 0x90 | cond as u8, 0xc0 | (to.0 & 7)]);
        self.pair(&[0x0f, 0xb6], to.0, to);
    }

    pub(in crate::zmm) fn move_if(&mut self, cond: Cond, to: Gpr, from: Gpr) {
        self.line(|| format!("cmov{cond} {to}, {from}"));
        self.pair(&[0x0f, 0x40 | cond as u8], to.0, from);
    }

    /// The number of bits that are set.
    pub(in crate::zmm) fn count_bits(&mut self, to: Gpr, from: Gpr) {
        self.line(|| format!("popcnt {to}, {from}"));
        self.bytes.push(0xf3);
        self.pair(&[0x0f, 0xb8], to.0, from);
    }

    /// The low `n` bits of `from`.
    pub(in crate::zmm) fn low_bits(&mut self, to: Gpr, from: Gpr, n: Gpr) {
        self.line(|| format!("bzhi {to}, {from}, {n}"));
        self.general(2, 0, 0xf5, to, n, from);
    }

    /// Packs the bits of `from` that the mask selects into the low bits.
    pub(in crate::zmm) fn collect_bits(&mut self, to: Gpr, from: Gpr, mask: Gpr) {
        self.line(|| format!("pext {to}, {from}, {mask}"));
        self.general(2, 2, 0xf5, to, from, mask);
    }

    /// Distributes the low bits of `from` to the bits of the mask.
    pub(in crate::zmm) fn deal_bits(&mut self, to: Gpr, from: Gpr, mask: Gpr) {
        self.line(|| format!("pdep {to}, {from}, {mask}"));
        self.general(2, 3, 0xf5, to, from, mask);
    }

    fn general(&mut self, map: u8, prefix: u8, code: u8, to: Gpr, first: Gpr, second: Gpr) {
        let inverted = |r: Gpr, at: u8| if r.0 & 8 != 0 { 0 } else { 1 << at };
        self.bytes.extend([
            0xc4,
            inverted(to, 7) | 0x40 | inverted(second, 5) | map,
            0x80 | ((!first.0 & 15) << 3) | prefix,
            code,
            0xc0 | ((to.0 & 7) << 3) | (second.0 & 7),
        ]);
    }

    pub(in crate::zmm) fn jump(&mut self, to: Label) {
        self.line(|| format!("jmp label{}", to.0));
        self.bytes.push(0xe9);
        self.reach(to);
    }

    pub(in crate::zmm) fn jump_if(&mut self, cond: Cond, to: Label) {
        self.line(|| format!("j{cond} label{}", to.0));
        self.bytes.extend([0x0f, 0x80 | cond as u8]);
        self.reach(to);
    }

    fn reach(&mut self, to: Label) {
        self.jumps.push((self.bytes.len(), to));
        self.bytes.extend([0; 4]);
    }

    pub(in crate::zmm) fn call(&mut self, f: Gpr) {
        self.line(|| format!("call {f}"));
        if f.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.extend([0xff, 0xd0 | (f.0 & 7)]);
        self.note_call();
    }

    pub(in crate::zmm) fn push(&mut self, r: Gpr) {
        self.line(|| format!("push {r}"));
        if r.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x50 | (r.0 & 7));
        self.note_pushed(1);
    }

    pub(in crate::zmm) fn pop(&mut self, r: Gpr) {
        self.line(|| format!("pop {r}"));
        if r.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x58 | (r.0 & 7));
        self.note_pushed(-1);
    }

    pub(in crate::zmm) fn ret(&mut self) {
        self.line(|| "ret".into());
        self.bytes.push(0xc3);
    }
}
