//! Lists of rows, whose memory [`ListLayout`] describes.

use std::collections::BTreeSet;

use wengert_loop::loops::{
    Block, Cell, LANES, ListField, ListId, ListStore, Rows, Stmt, Value, walk,
};
use wengert_run::call::lists::{NO_ROWS, Signpost, Slot};
use wengert_run::library::helpers;

use super::Writer;
use super::asm::{
    ALL, Cond, Gpr, Int, Label, Machine, Mask, Mem, RAX, RBX, RCX, RDI, RDX, RSI, Src, Zmm, ops,
};
use super::ops::INT;
use super::regs::{WORK, WORK_TOO};
use crate::plan::lists::ListLayout;

/// The bits of a handle that hold the lane.
const LANE: i64 = LANES as i64 - 1;
/// How integers are compared: greater.
const GREATER: u8 = 6;
/// The registers for addresses that a call may overwrite.
const CALLED: [Gpr; 6] = [RSI, RDI, Gpr(8), Gpr(9), Gpr(10), Gpr(11)];

/// Where a loop builds a list.
#[derive(Clone, Copy)]
pub(crate) struct ListPlace {
    /// The words of the list in the frame.
    pub slot: i32,
    /// The address of the user's line.
    pub line: i64,
}

/// A push that finds no room.
pub(super) struct Growth {
    enter: Label,
    back: Label,
    list: ListId,
    /// The registers that hold something, vectors and masks.
    vectors: Vec<u8>,
    masks: Vec<u8>,
}

/// Whether a statement is one of lists.
pub(super) fn is_of_list(s: &Stmt) -> bool {
    matches!(
        s,
        Stmt::ListBegin { .. }
            | Stmt::ListPush { .. }
            | Stmt::ListStore(_)
            | Stmt::ListFinish { .. }
            | Stmt::ListHandle { .. }
            | Stmt::ListRows { .. }
            | Stmt::ListLoad { .. }
    )
}

/// The lists that a body builds.
pub(crate) fn built(body: &Block) -> BTreeSet<ListId> {
    let mut found = BTreeSet::new();
    walk::stmts(body, &mut |s| match s {
        Stmt::ListBegin { list }
        | Stmt::ListPush { list, .. }
        | Stmt::ListFinish { list, .. }
        | Stmt::ListStore(ListStore { list, .. }) => {
            found.insert(*list);
        }
        _ => {}
    });
    found
}

impl<'p> Writer<'_, 'p> {
    fn list(&self, id: ListId) -> &'p ListLayout {
        &self.plan.lists[id.0 as usize]
    }

    pub(super) fn list_begin(&mut self, id: ListId) {
        let slot = self.lists[&id].slot;
        self.asm.constant(RAX, 0);
        for word in 0..3 {
            self.asm.store_word(self.frame(slot + 8 * word), RAX);
        }
        self.asm.constant(RAX, self.list(id).head);
        self.asm.store_word(self.frame(slot + Slot::HEAD), RAX);
    }

    pub(super) fn list_push(&mut self, id: ListId, row: Value) {
        let slot = self.lists[&id].slot;
        let (enter, back) = (self.asm.label(), self.asm.label());
        self.load_word_of(RAX, row);
        let room = self.frame(slot + Slot::ROOM);
        self.asm.int_with(Int::Compare, RAX, room);
        self.asm.jump_if(Cond::NotLess, enter);
        self.asm.place(back);
        self.load_word_of(RAX, row);
        self.asm.int_by(Int::Add, RAX, 1);
        self.asm.store_word(self.frame(slot + Slot::ROWS), RAX);
        let (vectors, mut masks) = self.occupied();
        if self.machine() == Machine::Avx2 {
            // They are in memory.
            masks.clear();
        }
        self.growths.push(Growth {
            enter,
            back,
            list: id,
            vectors,
            masks,
        });
    }

    /// The code for all pushes that find no room. The number of the row is in rax.
    pub(super) fn growths(&mut self) {
        for g in std::mem::take(&mut self.growths) {
            self.growth(&g);
        }
    }

    fn growth(&mut self, g: &Growth) {
        let area = self.call_area(32);
        let row = |r: u8| Mem {
            base: RBX,
            off: area + 64 * i32::from(r),
        };
        let word = |m: u8| Mem {
            base: RBX,
            off: area + 64 * 32 + 8 * i32::from(m),
        };
        self.asm.place(g.enter);
        CALLED.into_iter().for_each(|r| self.asm.push(r));
        (g.vectors.iter()).for_each(|&r| self.asm.store(row(r), Zmm(r), ALL));
        (g.masks.iter()).for_each(|&m| self.asm.mask_store(word(m), Mask(m)));
        self.asm.copy(RCX, RAX);
        self.list_arguments(g.list);
        self.asm.constant(Gpr(8), self.lists[&g.list].line);
        self.asm.clear_upper();
        self.asm
            .constant(RAX, helpers::list_grow as *const () as i64);
        self.asm.call(RAX);
        (g.vectors.iter()).for_each(|&r| self.asm.two(ops::LOAD, Zmm(r), Src::Row(row(r)), ALL));
        (g.masks.iter()).for_each(|&m| self.asm.mask_load(Mask(m), word(m)));
        (CALLED.into_iter().rev()).for_each(|r| self.asm.pop(r));
        self.leave_if_failed();
        self.asm.jump(g.back);
    }

    /// The first arguments of a function on a list: the frame, the list's words, and the bytes of a row.
    fn list_arguments(&mut self, id: ListId) {
        self.asm.copy(RDI, RBX);
        let slot = self.frame(self.lists[&id].slot);
        self.asm.address(RSI, slot);
        self.asm.constant(RDX, self.list(id).size);
    }

    /// Leaves with a status that is not 0.
    fn leave_if_failed(&mut self) {
        self.asm.low_half(RAX);
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::NotEqual, self.leave);
    }

    pub(super) fn list_finish(&mut self, out: Value, id: ListId, rows: Value) {
        let here = self.at[0];
        self.set_all_at(here - 1);
        self.list_arguments(id);
        self.asm.constant(RCX, self.lists[&id].line);
        self.save_all();
        self.forget_all();
        self.pointers.clear();
        self.asm.clear_upper();
        self.asm
            .constant(RAX, helpers::list_finish as *const () as i64);
        self.asm.call(RAX);
        self.set_all_at(here);
        self.leave_if_failed();
        self.asm.load(RDX, self.frame(self.lists[&id].slot));
        let word = self.word_for(out);
        self.asm.store_word(word, RDX);
        let counts = Mem { base: RDX, off: 0 };
        match self.list(id).lanes {
            true => {
                let n = self.in_register(rows);
                self.asm.store(counts, n, ALL);
            }
            false => {
                self.load_word_of(RAX, rows);
                self.asm.store_word(counts, RAX);
            }
        }
        self.release(&[rows]);
        self.done();
    }

    pub(super) fn list_handle(&mut self, out: Value, of: ListField) {
        let list = self.list(of.list);
        let post = list.post(of.field) as i32;
        self.load_word_of(RDX, of.built);
        let at = |off: i32| Mem { base: RDX, off };
        self.asm.store_word(at(post + Signpost::COUNTS), RDX);
        self.asm.address(RAX, at(list.first(of.field) as i32));
        self.asm.store_word(at(post + Signpost::FIRST), RAX);
        self.asm.constant(RAX, list.size);
        self.asm.store_word(at(post + Signpost::SIZE), RAX);
        self.asm.constant(RAX, list.pitch(of.field));
        self.asm.store_word(at(post + Signpost::PITCH), RAX);
        if !list.lanes {
            self.asm.load(RCX, at(0));
            self.asm.address(RDX, at(post));
            self.asm.constant(RAX, 0);
            self.asm.int_by(Int::Compare, RCX, 0);
            self.asm.move_if(Cond::Greater, RAX, RDX);
            let word = self.word_for(out);
            self.asm.store_word(word, RAX);
            return;
        }
        let [x, n] = std::array::from_fn(|_| self.take(None));
        let (numbers, zero) = (self.numbers(1, 0), self.known(0));
        let asm = &mut self.asm;
        asm.two(ops::LOAD, n, Src::Row(at(0)), ALL);
        asm.compare(ops::COMPARE_INT, WORK, n, zero, GREATER);
        asm.address(RAX, at(post));
        asm.spread(x, RAX);
        asm.three(ops::ADD_INT, x, x, Src::Row(numbers), ALL);
        asm.zeroing(ops::LOAD, x, Src::Reg(x), WORK);
        self.define(out, x);
        self.done();
    }

    /// The signpost of a uniform handle in rdx, and its lane in rcx.
    fn signpost(&mut self, handle: Value) {
        self.load_word_of(RDX, handle);
        self.asm.copy(RCX, RDX);
        self.asm.int_by(Int::And, RCX, LANE as i32);
        self.asm.constant(RAX, &raw const NO_ROWS as i64);
        self.asm.int_by(Int::And, RDX, !LANE as i32);
        self.asm.int_by(Int::Compare, RDX, 0);
        self.asm.move_if(Cond::Equal, RDX, RAX);
    }

    /// The signpost of each lane's handle, and its lane.
    fn signposts(&mut self, handle: Value) -> (Zmm, Zmm) {
        let h = self.in_register(handle);
        let [post, lane] = std::array::from_fn(|_| self.take(None));
        let low = self.known(LANE as u64);
        let high = self.known(!LANE as u64);
        let none = self.known(&raw const NO_ROWS as u64);
        let zero = self.known(0);
        let asm = &mut self.asm;
        asm.three(ops::AND, lane, h, low, ALL);
        asm.three(ops::AND, post, h, high, ALL);
        asm.compare(ops::COMPARE_INT, WORK_TOO, h, zero, INT[0]);
        asm.two(ops::SPREAD, post, none, WORK_TOO);
        (post, lane)
    }

    /// A word of what each active lane's address points to.
    fn word_at(&mut self, address: Zmm, off: i32) -> Zmm {
        let x = self.take(None);
        self.read_word(x, address, off);
        x
    }

    /// The same in another register than that of the address.
    fn read_word(&mut self, x: Zmm, address: Zmm, off: i32) {
        self.lanes_apart();
        self.asm.three(ops::XOR, x, x, Src::Reg(x), ALL);
        self.asm.constant(RAX, 0);
        let at = Mem { base: RAX, off };
        self.asm.gather(ops::GATHER, x, at, (address, 1), WORK);
    }

    pub(super) fn list_rows(&mut self, out: Value, handle: Value) {
        if self.is_lanes(handle) {
            let (post, lane) = self.signposts(handle);
            let counts = self.word_at(post, Signpost::COUNTS);
            let three = self.known(3);
            self.asm.three(ops::SHL, lane, lane, three, ALL);
            self.asm
                .three(ops::ADD_INT, counts, counts, Src::Reg(lane), ALL);
            let n = self.word_at(counts, 0);
            self.release(&[handle]);
            self.define(out, n);
            self.done();
            return;
        }
        self.signpost(handle);
        let counts = Mem {
            base: RDX,
            off: Signpost::COUNTS,
        };
        self.asm.load(RDX, counts);
        self.asm.shift_left(RCX, 3);
        self.asm.int(Int::Add, RDX, RCX);
        self.asm.load(RAX, Mem { base: RDX, off: 0 });
        let word = self.word_for(out);
        self.asm.store_word(word, RAX);
        self.done();
    }

    /// The address of an element of a row, of the first lane, for a list whose memory rdx points to; the part of the
    /// element's number that differs by lane aside. It is based on rdx.
    fn list_element(&mut self, list: &ListLayout, field: u32, row: Value, element: Number) -> Mem {
        let pitch = list.pitch(field);
        let mut off = (list.first(field)).wrapping_add(element.offset.wrapping_mul(pitch));
        match self.constant(row) {
            Some(n) => off = off.wrapping_add((n as i64).wrapping_mul(list.size)),
            None => {
                self.load_word_of(RAX, row);
                self.scale(RAX, list.size);
                self.asm.int(Int::Add, RDX, RAX);
            }
        }
        if let Some(v) = element.base {
            self.load_word_of(RAX, v);
            self.scale(RAX, pitch);
            self.asm.int(Int::Add, RDX, RAX);
        }
        let off = i32::try_from(off).unwrap_or_else(|_| {
            self.asm.constant(RAX, off);
            self.asm.int(Int::Add, RDX, RAX);
            0
        });
        Mem { base: RDX, off }
    }

    /// The numbers of the elements of the lanes in a list, each of which has a copy for each lane if the list does.
    fn copies(&mut self, list: &ListLayout, each: Value) -> Zmm {
        let x = self.in_register(each);
        if !list.lanes {
            return x;
        }
        let n = self.take(None);
        let three = self.known(3);
        let numbers = self.numbers(1, 0);
        self.asm.three(ops::SHL, n, x, three, ALL);
        self.asm.three(ops::ADD_INT, n, n, Src::Row(numbers), ALL);
        n
    }

    pub(super) fn list_store(&mut self, to: &ListStore) {
        let (offset, base, each) = self.parts(&to.element);
        let list = self.list(to.list);
        let byte = self.dtype(to.value).bytes() == 1;
        let numbers = each.map(|v| self.copies(list, v));
        let slot = self.frame(self.lists[&to.list].slot);
        let x = match byte {
            true if numbers.is_some() => Some(self.bytes_of(to.value)),
            true => None,
            false => Some(self.in_register(to.value)),
        };
        self.asm.load(RDX, slot);
        let at = self.list_element(list, to.field, to.row, Number { offset, base });
        // The rows of a lane that is not live are not read.
        let lanes = self.active.filter(|_| self.parted);
        match (x, numbers) {
            (Some(x), Some(n)) => self.store_apart(to.value, at, (x, n)),
            (None, _) => self.store_bytes(at, to.value, lanes),
            (Some(x), None) => {
                let mask = self.lanes_of(lanes);
                self.asm.store_as(self.form(to.value), at, x, mask);
            }
        }
    }

    pub(super) fn list_load(&mut self, out: Value, cell: &Cell) {
        let (offset, base, each) = self.parts(&cell.element);
        let number = Number { offset, base };
        let of = match cell.rows {
            Rows::Of(of) => of,
            Rows::Handle(h) if self.is_lanes(h) => {
                return self.load_by_handles(out, h, cell.row, (number, each));
            }
            Rows::Handle(h) => return self.load_by_handle(out, h, cell.row, (number, each)),
        };
        let list = self.list(of.list);
        let numbers = each.map(|v| self.copies(list, v));
        self.load_word_of(RDX, of.built);
        let at = self.list_element(list, of.field, cell.row, number);
        match numbers {
            Some(n) => self.load_apart(out, at, n),
            None if !list.lanes => self.load_same(out, at),
            None if self.dtype(out).bytes() == 1 => self.load_bytes(out, at, ALL),
            None => {
                let x = self.take(self.wish(out));
                let load = ops::LOAD.of(self.form(out));
                self.asm.two(load, x, Src::Row(at), ALL);
                self.define(out, x);
            }
        }
    }

    /// Reads an element of the row that a uniform handle leads to.
    fn load_by_handle(
        &mut self,
        out: Value,
        handle: Value,
        row: Value,
        (number, each): (Number, Option<Value>),
    ) {
        // It takes registers of addresses.
        self.pointers.clear();
        let bytes = self.dtype(out).bytes() as i64;
        self.signpost(handle);
        let post = |off| Mem { base: RDX, off };
        self.scale(RCX, bytes);
        self.asm.load(RDI, post(Signpost::PITCH));
        self.load_word_of(RAX, row);
        self.asm.load(RSI, post(Signpost::SIZE));
        self.asm.multiply(RAX, RSI);
        self.asm.load(RDX, post(Signpost::FIRST));
        self.asm.int(Int::Add, RDX, RAX);
        self.asm.int(Int::Add, RDX, RCX);
        self.asm.constant(RAX, number.offset);
        if let Some(v) = number.base {
            self.load_word_of(RCX, v);
            self.asm.int(Int::Add, RAX, RCX);
        }
        self.asm.multiply(RAX, RDI);
        self.asm.int(Int::Add, RDX, RAX);
        let at = Mem { base: RDX, off: 0 };
        let Some(v) = each else {
            return self.load_same(out, at);
        };
        let x = self.in_register(v);
        let n = self.take(None);
        self.asm.spread(n, RDI);
        self.asm.three(ops::MUL_INT, n, n, Src::Reg(x), ALL);
        self.load_scaled(out, at, (n, 1));
    }

    /// Reads, for each active lane, an element of the row that its handle leads to.
    fn load_by_handles(
        &mut self,
        out: Value,
        handle: Value,
        row: Value,
        (number, each): (Number, Option<Value>),
    ) {
        let (post, lane) = self.signposts(handle);
        let [first, size] = [Signpost::FIRST, Signpost::SIZE].map(|off| self.word_at(post, off));
        let row = self.source_of(row);
        let shift = self.known(self.dtype(out).bytes().trailing_zeros().into());
        let asm = &mut self.asm;
        asm.three(ops::MUL_INT, size, size, row, ALL);
        asm.three(ops::ADD_INT, first, first, Src::Reg(size), ALL);
        asm.three(ops::SHL, lane, lane, shift, ALL);
        asm.three(ops::ADD_INT, first, first, Src::Reg(lane), ALL);
        // The bytes from element to element, in the register of those from row to row, and the number of the
        // element, in that of the lane.
        self.read_word(size, post, Signpost::PITCH);
        let offset = self.known(number.offset as u64);
        self.asm.two(ops::SPREAD, lane, offset, ALL);
        for v in number.base.into_iter().chain(each) {
            let n = self.source_of(v);
            self.asm.three(ops::ADD_INT, lane, lane, n, ALL);
        }
        let asm = &mut self.asm;
        asm.three(ops::MUL_INT, size, size, Src::Reg(lane), ALL);
        asm.three(ops::ADD_INT, first, first, Src::Reg(size), ALL);
        self.give_back(&[post, lane, size]);
        self.asm.constant(RAX, 0);
        self.load_scaled(out, Mem { base: RAX, off: 0 }, (first, 1));
    }
}

/// The part of an element's number that is the same for all lanes.
#[derive(Clone, Copy)]
struct Number {
    offset: i64,
    base: Option<Value>,
}
