//! Builds and reads lists.

use super::Builder;
use crate::loops::affine::Affine;
use crate::loops::{Cell, List, ListField, ListId, ListStore, Rows, Stmt, Value};
use crate::source::SourceId;
use crate::types::DType;

impl Builder {
    /// Declares a list, with a copy for each lane inside a vector loop. `at` is the user's line,
    /// for the error if it grows too large.
    pub fn list(&mut self, fields: Vec<(DType, usize)>, at: Option<SourceId>) -> ListId {
        let lanes = self.vector_index().is_some();
        self.program.lists.push(List { fields, lanes, at });
        ListId(self.program.lists.len() as u32 - 1)
    }

    /// The layout of a list.
    pub fn list_of(&self, list: ListId) -> &List {
        &self.program.lists[list.0 as usize]
    }

    /// Begins a list.
    pub fn list_begin(&mut self, list: ListId) {
        self.push(Stmt::ListBegin { list });
    }

    /// Appends row `row`.
    pub fn list_push(&mut self, list: ListId, row: Value) {
        self.push(Stmt::ListPush { list, row });
    }

    /// Writes an element of a row.
    pub fn list_store(&mut self, list: ListId, field: u32, row: Value, at: &Affine, value: Value) {
        let element = self.unstrided(at);
        self.push(Stmt::ListStore(ListStore {
            list,
            field,
            row,
            element,
            value,
        }));
    }

    /// Ends a list of `rows` rows. Returns the value that identifies it here.
    pub fn list_finish(&mut self, list: ListId, rows: Value) -> Value {
        let out = self.value(DType::I64, false);
        self.push(Stmt::ListFinish { out, list, rows });
        out
    }

    /// A handle of a field of a finished list, computed where the list was built.
    pub fn list_handle(&mut self, of: ListField) -> Value {
        let depth = self.depth[of.built.0 as usize];
        if let Some(&handle) = self.frames[depth].handles.get(&of) {
            return handle;
        }
        let out = self.value_at(DType::I64, self.list_of(of.list).lanes, depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::ListHandle { out, of });
        frame.handles.insert(of, out);
        out
    }

    /// The number of rows of a list, computed where its handle is defined.
    pub fn list_rows(&mut self, handle: Value) -> Value {
        if self.known(handle) == Some(0) {
            return self.i64(0);
        }
        let depth = self.depth[handle.0 as usize];
        if let Some(&rows) = self.frames[depth].rows.get(&handle) {
            return rows;
        }
        let out = self.value_at(DType::I64, self.lanes(handle), depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::ListRows { out, handle });
        frame.rows.insert(handle, out);
        out
    }

    /// Reads an element of a row of a finished list.
    pub fn list_load(&mut self, dtype: DType, rows: Rows, row: Value, at: &Affine) -> Value {
        let element = self.unstrided(at);
        let lanes = match rows {
            Rows::Of(of) => self.list_of(of.list).lanes,
            Rows::Handle(handle) => self.lanes(handle),
        };
        let out = self.value(dtype, lanes || element.each.is_some());
        let cell = Cell { rows, row, element };
        self.push(Stmt::ListLoad { out, cell });
        out
    }
}
