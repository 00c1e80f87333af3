//! Lists of rows, whose memory [`ListLayout`] describes.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{Cell, Index, LANES, ListField, ListId, ListStore, Rows, Value};
use wengert_loop::types::DType;
use wengert_run::call::lists::{Signpost, Slot};

use super::address::{Address, Parts, Target};
use super::outside::Helper;
use super::{DATA, Emitter, FRAME};
use crate::plan::lists::ListLayout;

/// The bits of a handle that hold the lane: signposts lie at multiples of eight.
const LANE: i64 = LANES as i64 - 1;

/// Elements of lists, one for each lane.
pub(super) struct Cells {
    from: From,
    /// The number of the element.
    parts: Parts,
}

/// The row whose elements are read.
enum From {
    /// A row of a list of known layout: its first element, the bytes from element to element, and
    /// from lane to lane.
    Row(Address, i64, i64),
    /// A row of the list that each lane's handle refers to, by its number.
    Handle(Value, ir::Value),
}

/// The row that a handle leads to: its first element, and the bytes from element to element.
struct Followed {
    start: ir::Value,
    pitch: ir::Value,
}

impl<'p> Emitter<'_, 'p> {
    fn list(&self, id: ListId) -> &'p ListLayout {
        &self.s.plan.lists[id.0 as usize]
    }

    fn slot(&mut self, id: ListId) -> i32 {
        self.s.list_slot(self.unit, id)
    }

    /// The line of the loop that builds a list, for its error.
    fn list_line(&mut self, id: ListId) -> ir::Value {
        let at = self.s.list_line(id);
        self.int(at)
    }

    pub(super) fn list_begin(&mut self, id: ListId) {
        let slot = self.slot(id);
        let (zero, head) = (self.int(0), self.list(id).head);
        for word in 0..3 {
            self.b.ins().store(FRAME, zero, self.frame, slot + 8 * word);
        }
        let head = self.int(head);
        self.b
            .ins()
            .store(FRAME, head, self.frame, slot + Slot::HEAD);
    }

    pub(super) fn list_push(&mut self, id: ListId, row: Value) {
        let slot = self.slot(id);
        let size = self.list(id).size;
        let row = self.scalar(row);
        let room = (self.b.ins()).load(types::I64, FRAME, self.frame, slot + Slot::ROOM);
        let fits = self.b.ins().icmp(IntCC::SignedLessThan, row, room);
        let (grow, go) = (self.cold_block(), self.b.create_block());
        self.branch(fits, (go, &[]), (grow, &[]));
        self.switch(grow);
        let at = self.plus(self.frame, i64::from(slot));
        let (size, line) = (self.int(size), self.list_line(id));
        let status = self
            .helper(
                Helper::ListGrow,
                &[self.frame, at, size, row, line],
                Some(types::I32),
            )
            .expect("a status");
        let fail = self.fail_block();
        self.branch(status, (fail, &[status]), (go, &[]));
        self.switch(go);
        let rows = self.plus(row, 1);
        self.b
            .ins()
            .store(FRAME, rows, self.frame, slot + Slot::ROWS);
    }

    pub(super) fn list_finish(&mut self, out: Value, id: ListId, rows: Value) {
        let slot = self.slot(id);
        let list = self.list(id);
        let size = list.size;
        let at = self.plus(self.frame, i64::from(slot));
        let (size, line) = (self.int(size), self.list_line(id));
        let status = self
            .helper(
                Helper::ListFinish,
                &[self.frame, at, size, line],
                Some(types::I32),
            )
            .expect("a status");
        self.check(status);
        let memory = self.b.ins().load(types::I64, FRAME, self.frame, slot);
        if list.lanes {
            for c in 0..4 {
                let n = self.piece(rows, c);
                self.b.ins().store(DATA, n, memory, 16 * c as i32);
            }
        } else {
            let n = self.scalar(rows);
            self.b.ins().store(DATA, n, memory, 0);
        }
        self.define(out, &[memory]);
    }

    pub(super) fn list_handle(&mut self, out: Value, of: ListField) {
        let ListField {
            built,
            list: id,
            field,
        } = of;
        let list = self.list(id);
        let off = list.post(field);
        let memory = self.scalar(built);
        let first = self.plus(memory, list.first(field));
        let (size, pitch) = (self.int(list.size), self.int(list.pitch(field)));
        let words = [
            (memory, Signpost::COUNTS),
            (first, Signpost::FIRST),
            (size, Signpost::SIZE),
            (pitch, Signpost::PITCH),
        ];
        for (word, at) in words {
            self.b.ins().store(DATA, word, memory, off as i32 + at);
        }
        let post = self.plus(memory, off);
        let none = self.int(0);
        if !list.lanes {
            let n = self.b.ins().load(types::I64, DATA, memory, 0);
            let some = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, n, 0);
            let handle = self.b.ins().select(some, post, none);
            self.define(out, &[handle]);
            return;
        }
        let post = self.b.ins().splat(types::I64X2, post);
        let none = self.b.ins().splat(types::I64X2, none);
        for c in 0..4 {
            let n = (self.b.ins()).load(types::I64X2, DATA, memory, 16 * c);
            let some = self.b.ins().icmp(IntCC::SignedGreaterThan, n, none);
            let lanes = self.longs(2 * i64::from(c), 2 * i64::from(c) + 1);
            let handle = self.b.ins().iadd(post, lanes);
            let handle = self.b.ins().band(handle, some);
            self.define_piece(out, c as usize, handle);
        }
    }

    /// The signpost that a handle points to, and the lane.
    fn signpost(&mut self, handle: ir::Value) -> (ir::Value, ir::Value) {
        let (mask, rest) = (self.int(LANE), self.int(!LANE));
        let lane = self.b.ins().band(handle, mask);
        let post = self.b.ins().band(handle, rest);
        let none = self.no_rows();
        let empty = self.b.ins().icmp_imm_u(IntCC::Equal, handle, 0);
        (self.b.ins().select(empty, none, post), lane)
    }

    pub(super) fn list_rows(&mut self, out: Value, handle: Value) {
        let rows = |e: &mut Self, h: ir::Value| {
            let (post, lane) = e.signpost(h);
            let counts = (e.b.ins()).load(types::I64, DATA, post, Signpost::COUNTS);
            let off = e.times(lane, 8);
            let at = e.b.ins().iadd(counts, off);
            e.b.ins().load(types::I64, DATA, at, 0)
        };
        if !self.is_lanes(out) {
            let h = self.scalar(handle);
            let n = rows(self, h);
            self.define(out, &[n]);
            return;
        }
        for c in 0..4 {
            let h = self.piece(handle, c);
            let h = self.active_and(h, c);
            let lanes = [0, 1].map(|l| {
                let h = self.b.ins().extractlane(h, l);
                rows(self, h)
            });
            let n = self.build(DType::I64, false, &lanes);
            self.define_piece(out, c, n);
        }
    }

    /// Follows a handle to a row of its list, whose elements have `bytes` bytes.
    fn follow(&mut self, handle: ir::Value, row: ir::Value, bytes: i64) -> Followed {
        let (post, lane) = self.signpost(handle);
        let word = |e: &mut Self, at: i32| e.b.ins().load(types::I64, DATA, post, at);
        let first = word(self, Signpost::FIRST);
        let size = word(self, Signpost::SIZE);
        let pitch = word(self, Signpost::PITCH);
        let down = self.b.ins().imul(row, size);
        let at = self.b.ins().iadd(first, down);
        let lane = self.times(lane, bytes);
        let start = self.b.ins().iadd(at, lane);
        Followed { start, pitch }
    }

    /// The address of an element of a row that has been followed; `None` is the first.
    fn followed(&mut self, row: &Followed, element: Option<ir::Value>) -> Address {
        let base = match element {
            None => row.start,
            Some(element) => {
                let off = self.b.ins().imul(element, row.pitch);
                self.b.ins().iadd(row.start, off)
            }
        };
        Address { base, off: 0 }
    }

    /// The number of an element that is the same one for all lanes; `None` is the first.
    fn number(&mut self, parts: &Parts) -> Option<ir::Value> {
        match (parts.uniform, parts.offset) {
            (None, 0) => None,
            (None, n) => Some(self.int(n)),
            (Some(u), n) => Some(self.plus(u, n)),
        }
    }

    /// The start of a field of a row in a list at `memory`, the bytes from element to element, and
    /// from lane to lane.
    fn field(
        &mut self,
        id: ListId,
        memory: ir::Value,
        field: u32,
        row: Value,
    ) -> (Address, i64, i64) {
        let list = self.list(id);
        let row = self.scalar(row);
        let start = Address {
            base: memory,
            off: list.first(field),
        };
        let start = self.advance(start, Some(row), 0, list.size);
        let pitch = list.pitch(field);
        // A list that all lanes share has one copy of each element.
        let lane = match list.lanes {
            true => pitch / LANES as i64,
            false => 0,
        };
        (start, pitch, lane)
    }

    fn uniform_parts(&mut self, element: &Index) -> Parts {
        let p = self.parts(element);
        assert!(
            p.each.is_empty(),
            "an element of a list that differs by lane"
        );
        p
    }

    pub(super) fn list_store_address(&mut self, to: &ListStore) -> Address {
        let slot = self.slot(to.list);
        let memory = self.b.ins().load(types::I64, FRAME, self.frame, slot);
        let (start, pitch, _) = self.field(to.list, memory, to.field, to.row);
        let p = self.uniform_parts(&to.element);
        self.advance(start, p.uniform, p.offset, pitch)
    }

    /// The memory of a field of a row, in which each lane writes an element of its own.
    pub(super) fn list_target(&mut self, id: ListId, field: u32, row: Value) -> Target {
        let slot = self.slot(id);
        let memory = self.b.ins().load(types::I64, FRAME, self.frame, slot);
        let (start, pitch, lane) = self.field(id, memory, field, row);
        Target {
            dtype: self.s.plan.program.lists[id.0 as usize].fields[field as usize].0,
            start,
            pitch,
            lane,
        }
    }

    /// The uniform part of a read in which each lane has its own list or element.
    pub(super) fn list_cells(&mut self, cell: &Cell) -> Cells {
        let from = match cell.rows {
            Rows::Of(of) => {
                let memory = self.scalar(of.built);
                let (start, pitch, lane) = self.field(of.list, memory, of.field, cell.row);
                From::Row(start, pitch, lane)
            }
            Rows::Handle(handle) => From::Handle(handle, self.scalar(cell.row)),
        };
        let parts = self.parts(&cell.element);
        Cells { from, parts }
    }

    /// Piece `i` of a read in which each lane has its own list or element.
    pub(super) fn load_cells(
        &mut self,
        d: DType,
        cells: &Cells,
        narrow: bool,
        i: usize,
    ) -> ir::Value {
        let chains = if narrow { 2 * i..2 * i + 2 } else { i..i + 1 };
        let mut lanes = Vec::new();
        let uniform = cells.parts.each.is_empty() && cells.parts.stride == 0;
        let same = match uniform {
            true => self.number(&cells.parts),
            false => None,
        };
        for c in chains {
            let elements = (!uniform).then(|| self.lane_indices(&cells.parts, c));
            let handles = match cells.from {
                From::Row(..) => None,
                From::Handle(handle, _) => {
                    let h = self.piece(handle, c);
                    Some(self.active_and(h, c))
                }
            };
            for l in 0..2 {
                let n = match elements {
                    Some(elements) => Some(self.b.ins().extractlane(elements, l)),
                    None => same,
                };
                let at = match (&cells.from, handles) {
                    (From::Handle(_, row), Some(h)) => {
                        let h = self.b.ins().extractlane(h, l);
                        let row = self.follow(h, *row, d.bytes() as i64);
                        self.followed(&row, n)
                    }
                    (From::Row(start, pitch, lane), _) => {
                        let mut at = self.advance(*start, n, 0, *pitch);
                        at.off += lane * (2 * c + usize::from(l)) as i64;
                        at
                    }
                    _ => unreachable!("handles are looked at where they are followed"),
                };
                lanes.push(self.load_scalar(d, at));
            }
        }
        self.build(d, narrow, &lanes)
    }

    /// The address of an element that is the same for all lanes, or contiguous over the lanes.
    pub(super) fn list_load_address(&mut self, d: DType, cell: &Cell) -> Address {
        match cell.rows {
            Rows::Of(of) => {
                let memory = self.scalar(of.built);
                let (start, pitch, _) = self.field(of.list, memory, of.field, cell.row);
                let p = self.uniform_parts(&cell.element);
                self.advance(start, p.uniform, p.offset, pitch)
            }
            Rows::Handle(handle) => {
                let (h, row) = (self.scalar(handle), self.scalar(cell.row));
                let row = self.follow(h, row, d.bytes() as i64);
                let p = self.uniform_parts(&cell.element);
                let n = self.number(&p);
                self.followed(&row, n)
            }
        }
    }
}
