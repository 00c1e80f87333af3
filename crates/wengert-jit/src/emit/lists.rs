//! Lists of rows.
//!
//! A list under construction has three words in the frame: the address of its memory, for how many
//! rows that is enough, and how many rows it has. Its memory begins with the number of rows, once it
//! is finished, and the rows follow after [`ROWS`] bytes. A handle is that address.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_ir::ir::types::DType;
use wengert_ir::loops::{Cell, Index, LANES, List, ListId, Value};

use super::address::{Address, Parts, Target};
use super::{DATA, Emitter, FRAME};
use crate::runtime::helpers;
use crate::runtime::lists::ROWS;

/// Where the fields of a row lie, and how long a row is, in bytes.
fn row_layout(list: &List) -> (Vec<i64>, i64) {
    let copies = if list.lanes { LANES } else { 1 };
    let mut at = 0i64;
    let fields = list
        .fields
        .iter()
        .map(|(d, n)| {
            let align = if list.lanes { 16 } else { 8 };
            at = (at + align - 1) / align * align;
            let begin = at;
            at += (n * copies * d.bytes()) as i64;
            begin
        })
        .collect();
    let align = if list.lanes { 64 } else { 8 };
    (fields, ((at + align - 1) / align * align).max(align))
}

/// Elements of lists, for each lane one.
pub(super) struct Cells {
    handle: Value,
    /// Bytes to the row.
    from: ir::Value,
    /// Bytes to the field.
    offset: i64,
    /// Number of the element.
    parts: Parts,
    pitch: i64,
    lane: i64,
}

impl<'p> Emitter<'_, 'p> {
    fn list(&self, id: ListId) -> &'p List {
        &self.s.plan.program.lists[id.0 as usize]
    }

    fn slot(&mut self, id: ListId) -> i32 {
        self.s.list_slot(self.unit, id)
    }

    pub(super) fn list_begin(&mut self, id: ListId) {
        let slot = self.slot(id);
        let zero = self.int(0);
        for word in 0..3 {
            self.b.ins().store(FRAME, zero, self.frame, slot + 8 * word);
        }
    }

    pub(super) fn list_push(&mut self, id: ListId, row: Value) {
        let slot = self.slot(id);
        let (_, size) = row_layout(self.list(id));
        let row = self.scalar(row);
        let room = self.b.ins().load(types::I64, FRAME, self.frame, slot + 8);
        let fits = self.b.ins().icmp(IntCC::SignedLessThan, row, room);
        let (grow, go) = (self.cold_block(), self.b.create_block());
        self.branch(fits, (go, &[]), (grow, &[]));
        self.switch(grow);
        let at = self.plus(self.frame, i64::from(slot));
        let size = self.int(size);
        let f = helpers::list_grow as *const () as usize;
        let status = self
            .helper(f, &[self.frame, at, size, row], Some(types::I32))
            .expect("a status");
        let fail = self.fail_block();
        self.branch(status, (fail, &[status]), (go, &[]));
        self.switch(go);
        let rows = self.plus(row, 1);
        self.b.ins().store(FRAME, rows, self.frame, slot + 16);
    }

    pub(super) fn list_finish(&mut self, out: Value, id: ListId) {
        let slot = self.slot(id);
        let (_, size) = row_layout(self.list(id));
        let at = self.plus(self.frame, i64::from(slot));
        let size = self.int(size);
        let f = helpers::list_finish as *const () as usize;
        let status = self
            .helper(f, &[self.frame, at, size], Some(types::I32))
            .expect("a status");
        self.check(status);
        let handle = self.b.ins().load(types::I64, FRAME, self.frame, slot);
        self.define(out, &[handle]);
    }

    pub(super) fn list_rows(&mut self, out: Value, handle: Value) {
        let h = self.scalar(handle);
        let at = self.or_zeros(h, h);
        let n = self.b.ins().load(types::I64, DATA, at, 0);
        self.define(out, &[n]);
    }

    /// An address, or that of zeros if the handle is 0.
    fn or_zeros(&mut self, handle: ir::Value, at: ir::Value) -> ir::Value {
        let off = self.s.layout(self.unit).zeros();
        let zeros = self.plus(self.frame, i64::from(off));
        let none = self.b.ins().icmp_imm_u(IntCC::Equal, handle, 0);
        self.b.ins().select(none, zeros, at)
    }

    fn cell(
        &mut self,
        id: ListId,
        memory: ir::Value,
        field: u32,
        row: Value,
        element: &Index,
    ) -> Address {
        let list = self.list(id);
        let (fields, size) = row_layout(list);
        let copies = if list.lanes { LANES } else { 1 };
        let pitch = (list.fields[field as usize].0.bytes() * copies) as i64;
        let row = self.scalar(row);
        let start = Address {
            base: memory,
            off: ROWS + fields[field as usize],
        };
        let at = self.advance(start, Some(row), 0, size);
        let p = self.parts(element);
        assert!(
            p.each.is_empty(),
            "an element of a list that differs by lane"
        );
        self.advance(at, p.uniform, p.offset, pitch)
    }

    pub(super) fn list_store_address(
        &mut self,
        id: ListId,
        field: u32,
        row: Value,
        element: &Index,
    ) -> Address {
        let slot = self.slot(id);
        let memory = self.b.ins().load(types::I64, FRAME, self.frame, slot);
        self.cell(id, memory, field, row, element)
    }

    /// The memory of a field of a row in which each lane writes an element of its choice.
    pub(super) fn list_target(&mut self, id: ListId, field: u32, row: Value) -> Target {
        let start = self.list_store_address(id, field, row, &Index::default());
        let list = self.list(id);
        let dtype = list.fields[field as usize].0;
        let bytes = dtype.bytes() as i64;
        // A list that all lanes share has one copy of each element.
        let (pitch, lane) = match list.lanes {
            true => (bytes * LANES as i64, bytes),
            false => (bytes, 0),
        };
        Target {
            dtype,
            start,
            pitch,
            lane,
        }
    }

    /// What is uniform of a read in which each lane has its list, or its element.
    pub(super) fn list_cells(&mut self, cell: &Cell) -> Cells {
        let list = self.list(cell.list);
        let (fields, size) = row_layout(list);
        let bytes = list.fields[cell.field as usize].0.bytes() as i64;
        let row = self.scalar(cell.row);
        Cells {
            handle: cell.handle,
            from: self.times(row, size),
            offset: ROWS + fields[cell.field as usize],
            parts: self.parts(&cell.element),
            pitch: if list.lanes {
                bytes * LANES as i64
            } else {
                bytes
            },
            lane: if list.lanes { bytes } else { 0 },
        }
    }

    /// Piece `i` of such a read.
    pub(super) fn load_cells(
        &mut self,
        d: DType,
        cells: &Cells,
        narrow: bool,
        i: usize,
    ) -> ir::Value {
        let chains = if narrow { 2 * i..2 * i + 2 } else { i..i + 1 };
        let mut lanes = Vec::new();
        for c in chains {
            let n = self.lane_indices(&cells.parts, c);
            let h = self.piece(cells.handle, c);
            let h = self.active_and(h, c);
            for l in 0..2 {
                let n = self.b.ins().extractlane(n, l as u8);
                let h = self.b.ins().extractlane(h, l as u8);
                let row = self.b.ins().iadd(h, cells.from);
                let off = cells.offset + cells.lane * (2 * c + l) as i64;
                let start = Address { base: row, off };
                let at = self.advance(start, Some(n), 0, cells.pitch);
                let (base, off) = self.reach(at, 0);
                let at = self.plus(base, i64::from(off));
                let base = self.or_zeros(h, at);
                lanes.push(self.load_scalar(d, Address { base, off: 0 }));
            }
        }
        self.build(d, narrow, &lanes)
    }

    pub(super) fn list_load_address(&mut self, cell: &Cell) -> Address {
        let h = self.scalar(cell.handle);
        let at = self.cell(cell.list, h, cell.field, cell.row, &cell.element);
        let (base, off) = self.reach(at, 0);
        let at = self.plus(base, i64::from(off));
        let base = self.or_zeros(h, at);
        Address { base, off: 0 }
    }
}
