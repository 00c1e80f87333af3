//! Addresses of elements, and reads and writes.

use wengert_loop::loops::{Block, BufferId, BufferKind, Index, LANES, Stmt, Value};
use wengert_loop::types::DType;

use super::Writer;
use super::asm::{
    ALL, Form, Gpr, Int, Machine, Mask, MaskOp, Mem, RAX, RCX, RDI, RSI, Src, Zmm, ops,
};
use super::regs::WORK;

/// The key of an address in a register: a buffer, a uniform value that is added to the index, and
/// the distance of neighbouring lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Pointer {
    buffer: BufferId,
    base: Option<Value>,
    stride: i64,
}

/// Registers for addresses.
const POINTERS: [Gpr; 10] = [
    RSI,
    RDI,
    Gpr(8),
    Gpr(9),
    Gpr(10),
    Gpr(11),
    Gpr(12),
    Gpr(13),
    Gpr(14),
    Gpr(15),
];

impl Writer<'_, '_> {
    /// Bytes from one element of a buffer to the next.
    pub(super) fn pitch(&self, b: BufferId) -> i64 {
        let buffer = &self.plan.program.buffers[b.0 as usize];
        let copies = match buffer.kind {
            BufferKind::Local => self.lanes * self.interleave,
            _ => 1,
        };
        (buffer.dtype.bytes() * copies) as i64
    }

    /// The constant part, the uniform part and the per-lane part of an index.
    pub(super) fn parts(&self, index: &Index) -> (i64, Option<Value>, Option<Value>) {
        let mut offset = index.offset;
        let (mut base, mut each) = (None, None);
        for v in index.base.into_iter().chain(index.each) {
            match self.constant(v) {
                Some(bits) => offset = offset.wrapping_add(bits as i64),
                None if self.is_lanes(v) => each = Some(v),
                None => base = Some(v),
            }
        }
        (offset, base, each)
    }

    /// The address of an element, for the first lane of the first block if it differs by lane. It
    /// is valid until the next address is computed.
    pub(super) fn address(&mut self, b: BufferId, index: &Index) -> Mem {
        let (offset, base, _) = self.parts(index);
        let pitch = self.pitch(b);
        let key = Pointer {
            buffer: b,
            base,
            stride: index.stride,
        };
        let found = self.pointers.iter().position(|(k, _)| *k == key);
        let reg = match found {
            Some(n) => {
                // The pointers are in order of their last use.
                let (_, reg) = self.pointers.remove(n);
                reg
            }
            None => self.pointer(key, pitch),
        };
        self.pointers.push((key, reg));
        let off = offset.wrapping_mul(pitch);
        match i32::try_from(off) {
            // The sum with the offset of a lane or a block fits in 31 bits, too.
            Ok(off) if off.unsigned_abs() < 1 << 30 => Mem { base: reg, off },
            _ => {
                self.asm.constant(RAX, off);
                self.asm.int(Int::Add, RAX, reg);
                Mem { base: RAX, off: 0 }
            }
        }
    }

    /// Computes an address in a free register, or in the least recently used one.
    fn pointer(&mut self, key: Pointer, pitch: i64) -> Gpr {
        let free = POINTERS[..self.machine().pointers()]
            .iter()
            .copied()
            .find(|r| !self.pointers.iter().any(|(_, used)| used == r));
        let reg = free.unwrap_or_else(|| self.pointers.remove(0).1);
        let start = self.frame(self.buffers[&key.buffer]);
        self.asm.load(reg, start);
        if let Some(v) = key.base {
            self.load_word_of(RAX, v);
            self.scale(RAX, pitch);
            self.asm.int(Int::Add, reg, RAX);
        }
        if key.stride != 0 {
            self.asm.load(RAX, self.frame(self.first));
            self.scale(RAX, key.stride.wrapping_mul(pitch));
            self.asm.int(Int::Add, reg, RAX);
        }
        reg
    }

    /// Computes the addresses of a straight line, if there are enough registers and all addresses
    /// advance by a constant from block to block. Returns whether that is so.
    pub(super) fn moving_pointers(&mut self, body: &Block) -> bool {
        let mut wanted: Vec<(BufferId, Index)> = Vec::new();
        let mut even = true;
        for s in &body.stmts {
            let (buffer, index) = match s {
                Stmt::Load { buffer, index, .. } | Stmt::Store { buffer, index, .. } => {
                    (buffer, index)
                }
                // It takes the registers of addresses.
                Stmt::ListLoad { .. } | Stmt::ListStore(_) => return false,
                _ => continue,
            };
            let (_, base, _) = self.parts(index);
            even &= base.is_none_or(|v| self.words.contains_key(&v));
            even &= self.step(*buffer, index.stride).is_some();
            let like = |&(b, i): &(BufferId, Index)| {
                b == *buffer && i.stride == index.stride && self.parts(&i).1 == base
            };
            if !wanted.iter().any(like) {
                wanted.push((*buffer, *index));
            }
        }
        if !even || wanted.len() > self.machine().pointers() {
            return false;
        }
        for (b, index) in wanted {
            self.address(b, &index);
        }
        true
    }

    /// Advances the addresses in registers to the next blocks.
    pub(super) fn move_pointers(&mut self) {
        for (key, reg) in self.pointers.clone() {
            let step = self.step(key.buffer, key.stride);
            let step = step.expect("an address that moves evenly");
            if step != 0 {
                self.asm.int_by(Int::Add, reg, step);
            }
        }
    }

    /// The bytes from the current blocks to the next ones, if they fit an instruction.
    fn step(&self, b: BufferId, stride: i64) -> Option<i32> {
        let lane = stride.checked_mul(self.pitch(b))?;
        let step = lane.checked_mul(self.together().into())?;
        i32::try_from(step).ok()
    }

    pub(super) fn scale(&mut self, r: Gpr, by: i64) {
        if by > 0 && by & (by - 1) == 0 {
            self.asm.shift_left(r, by.trailing_zeros() as u8);
        } else if let Ok(n) = i32::try_from(by) {
            self.asm.multiply_by(r, r, n);
        } else {
            self.asm.constant(RCX, by);
            self.asm.multiply(r, RCX);
        }
    }

    /// The constant row `offset + step * lane`.
    pub(super) fn numbers(&mut self, step: i64, offset: i64) -> Mem {
        let mut row = [0; 64];
        for (l, bytes) in row.chunks_mut(8).enumerate() {
            let n = offset.wrapping_add(step.wrapping_mul(l as i64));
            bytes.copy_from_slice(&n.to_le_bytes());
        }
        let off = self.layout.row(row);
        self.frame(off)
    }

    /// The word of the lanes that may be written in memory that the block owns; `None` if all may.
    pub(super) fn mask_for_own(&self, b: BufferId) -> Option<i32> {
        let partial = self.parted || self.plan.gathers.contains(&b);
        self.active.filter(|_| partial)
    }

    /// The active lanes of the current block, in the scratch mask register.
    fn active_here(&mut self) -> Mask {
        self.lanes_of(self.active)
    }

    /// The lanes of a word for the current block, in the scratch mask register; all if there is none.
    pub(super) fn lanes_of(&mut self, word: Option<i32>) -> Mask {
        match word {
            None => ALL,
            Some(word) => {
                let lanes = self.lanes_at(word);
                self.asm.mask_load(WORK, lanes);
                WORK
            }
        }
    }

    /// The lanes of a word for the current block.
    pub(super) fn lanes_at(&self, word: i32) -> Mem {
        self.frame(word + (self.lanes / 8 * self.block) as i32)
    }

    /// The row of the current block, from that of the first.
    pub(super) fn row_here(&self, b: BufferId, at: Mem) -> Mem {
        let row = (self.lanes * self.dtype_of(b).bytes()) as i32;
        Mem {
            off: at.off + row * self.block as i32,
            ..at
        }
    }

    pub(super) fn dtype_of(&self, b: BufferId) -> DType {
        self.plan.program.buffers[b.0 as usize].dtype
    }

    /// The number of bytes of the live lanes of the current block, if one plain move takes as many.
    fn few(&self, form: Form) -> Option<u8> {
        let bytes = self.short()? as i32 * form.element();
        [8, 16, 32].contains(&bytes).then_some(bytes as u8)
    }

    /// Reads an element.
    pub(super) fn load(&mut self, out: Value, b: BufferId, index: &Index) {
        let (_, _, each) = self.parts(index);
        let own = self.kind(b) == BufferKind::Local;
        let byte = self.dtype_of(b).bytes() == 1;
        let form = self.form(out);
        if each.is_none() && !own && index.stride == 0 {
            let at = self.address(b, index);
            return self.load_same(out, at);
        }
        if each.is_none() && (own || (index.stride == 1 && self.elements.is_empty())) {
            let at = self.address(b, index);
            let row = self.row_here(b, at);
            if byte {
                let mask = if own { ALL } else { self.active_here() };
                return self.load_bytes(out, row, mask);
            }
            let x = self.take(self.wish(out));
            match self.few(form).filter(|_| !own) {
                Some(bytes) => self.asm.load_few(x, row, bytes),
                None => {
                    let mask = if own { ALL } else { self.active_here() };
                    self.asm.zeroing(ops::LOAD.of(form), x, Src::Row(row), mask);
                }
            }
            return self.define(out, x);
        }
        let (at, numbers) = self.apart(b, index);
        self.load_apart(out, at, numbers);
    }

    /// Reads an element that is the same for all lanes.
    pub(super) fn load_same(&mut self, out: Value, at: Mem) {
        let form = self.form(out);
        if self.dtype(out).bytes() == 1 {
            return self.load_byte(out, at);
        }
        if !self.is_lanes(out) {
            match form {
                Form::Words => self.asm.load(RAX, at),
                Form::Half | Form::Full => self.asm.load_half(RAX, at),
            }
            let word = self.word_for(out);
            self.asm.store_word(word, RAX);
            return;
        }
        let x = self.take(self.wish(out));
        self.asm.two(ops::SPREAD.of(form), x, Src::Each(at), ALL);
        self.define(out, x);
    }

    /// Reads an element for each active lane, by its number from an address on.
    pub(super) fn load_apart(&mut self, out: Value, at: Mem, numbers: Zmm) {
        let scale = self.dtype(out).bytes() as u8;
        self.load_scaled(out, at, (numbers, scale));
    }

    /// Reads an element for each active lane, by its distance from an address, in units of some bytes.
    pub(super) fn load_scaled(&mut self, out: Value, at: Mem, (numbers, scale): (Zmm, u8)) {
        if self.dtype(out).bytes() == 1 {
            self.lanes_apart();
            return self.gather_bytes(out, at, numbers);
        }
        // It must differ from the register of the element numbers.
        let x = self.take(None);
        self.lanes_apart();
        let gather = match self.form(out) {
            Form::Words => ops::GATHER,
            Form::Half => ops::GATHER_HALF,
            Form::Full => panic!("sixteen lanes are not apart"),
        };
        self.asm.three(ops::XOR, x, x, Src::Reg(x), ALL);
        self.asm.gather(gather, x, at, (numbers, scale), WORK);
        self.define(out, x);
    }

    /// Writes an element in each active lane, by its number from an address on.
    pub(super) fn store_apart(&mut self, value: Value, at: Mem, (x, numbers): (Zmm, Zmm)) {
        self.lanes_apart();
        let form = self.form(value);
        let bytes = self.dtype(value).bytes();
        if bytes == 1 || self.machine() == Machine::Avx2 {
            return self.scatter_one_by_one(at, numbers, (x, form), bytes);
        }
        let scatter = match form {
            Form::Words => ops::SCATTER,
            Form::Half => ops::SCATTER_HALF,
            Form::Full => panic!("sixteen lanes are not apart"),
        };
        let scale = form.element() as u8;
        self.asm.scatter(scatter, at, (numbers, scale), x, WORK);
    }

    /// Loads the active lanes into the scratch mask register.
    pub(super) fn lanes_apart(&mut self) {
        if self.active_here() == ALL {
            self.asm.mask_op(MaskOp::Xnor, WORK, WORK, WORK);
        }
    }

    /// The location of elements that are not contiguous: an address, and a register of the offset
    /// of each lane in words.
    fn apart(&mut self, b: BufferId, index: &Index) -> (Mem, Zmm) {
        let (_, _, each) = self.parts(index);
        let own = self.kind(b) == BufferKind::Local;
        let block = self.block as i64;
        if !own && index.stride != 0 && !self.elements.is_empty() {
            return self.of_elements(b, index, each);
        }
        if let (false, 0, Some(v)) = (own, index.stride, each) {
            let x = self.in_register(v);
            return (self.address(b, index), x);
        }
        let numbers = match own {
            true => self.numbers(1, LANES as i64 * block),
            false => {
                let first = index.stride.wrapping_mul(LANES as i64 * block);
                self.numbers(index.stride, first)
            }
        };
        let n = self.take(None);
        match each {
            None => self.asm.two(ops::LOAD, n, Src::Row(numbers), ALL),
            Some(v) => {
                let x = self.in_register(v);
                if own {
                    let copies = (LANES * self.interleave) as u32;
                    let bits = self.layout.word(u64::from(copies.trailing_zeros()));
                    let bits = Src::Each(self.frame(bits));
                    self.asm.three(ops::SHL, n, x, bits, ALL);
                    self.asm.three(ops::ADD_INT, n, n, Src::Row(numbers), ALL);
                } else {
                    self.asm.three(ops::ADD_INT, n, x, Src::Row(numbers), ALL);
                }
            }
        }
        (self.address(b, index), n)
    }

    /// The same, if the lanes have elements of any numbers.
    fn of_elements(&mut self, b: BufferId, index: &Index, each: Option<Value>) -> (Mem, Zmm) {
        let n = self.take(None);
        let elements = Src::Row(self.frame(self.elements[self.block]));
        self.asm.two(ops::LOAD, n, elements, ALL);
        if index.stride != 1 {
            let off = self.layout.word(index.stride as u64);
            let stride = Src::Each(self.frame(off));
            self.asm.three(ops::MUL_INT, n, n, stride, ALL);
        }
        if let Some(v) = each {
            let x = self.in_register(v);
            self.asm.three(ops::ADD_INT, n, n, Src::Reg(x), ALL);
        }
        let at = Index {
            stride: 0,
            ..*index
        };
        (self.address(b, &at), n)
    }

    /// Writes an element.
    pub(super) fn store(&mut self, b: BufferId, index: &Index, value: Value) {
        let (_, _, each) = self.parts(index);
        let own = self.kind(b) == BufferKind::Local;
        let byte = self.dtype_of(b).bytes() == 1;
        let form = self.form(value);
        let in_order = own || (index.stride == 1 && self.elements.is_empty());
        if each.is_some() || !in_order {
            let x = match byte {
                true => self.bytes_of(value),
                false => self.in_register(value),
            };
            let (at, numbers) = self.apart(b, index);
            return self.store_apart(value, at, (x, numbers));
        }
        let lanes = match own {
            true => self.mask_for_own(b),
            false => self.active,
        };
        if byte {
            let at = self.address(b, index);
            let row = self.row_here(b, at);
            return self.store_bytes(row, value, lanes);
        }
        let x = self.in_register(value);
        let at = self.address(b, index);
        let row = self.row_here(b, at);
        if let Some(bytes) = self.few(form).filter(|_| !own) {
            self.asm.store_few(row, x, bytes);
            return;
        }
        let mask = self.lanes_of(lanes);
        if !own || mask == ALL {
            self.asm.store_as(form, row, x, mask);
            return;
        }
        let old = self.take(None);
        self.merge_row(form, row, x, mask, old);
    }

    /// Writes a row in the lanes of a mask, by a register for its old elements: the whole row, so that it can be
    /// read soon.
    pub(super) fn merge_row(&mut self, form: Form, row: Mem, x: Zmm, mask: Mask, old: Zmm) {
        let load = ops::LOAD.of(form);
        self.asm.two(load, old, Src::Row(row), ALL);
        self.asm.two(load, old, Src::Reg(x), mask);
        self.asm.store_as(form, row, old, ALL);
    }
}
