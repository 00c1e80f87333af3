//! Lists: rows in the memory that the caller gives.

use wengert_loop::loops::{List, ListId, ListStore, Rows, Stmt};

use super::{Emitter, ty};
use crate::unit::LISTS_FULL;

/// The bytes at which the fields of a row begin, and those of a row: each field is on a word.
fn layout(list: &List) -> (Vec<usize>, usize) {
    let mut at = 0;
    let mut fields = vec![];
    for &(dtype, n) in &list.fields {
        fields.push(at);
        at += (n * dtype.bytes()).next_multiple_of(8);
    }
    (fields, at.max(8))
}

impl Emitter<'_> {
    fn list_of(&self, list: ListId) -> (Vec<usize>, usize) {
        layout(&self.program.lists[list.0 as usize])
    }

    pub(super) fn list(&mut self, s: &Stmt) {
        match s {
            Stmt::ListBegin { list } => {
                self.line(&format!("l{0}.at = l{0}.rows = l{0}.room = 0;", list.0));
            }
            Stmt::ListPush { list, row } => {
                let (size, row) = (self.list_of(*list).1, self.v(*row));
                self.open(&format!(
                    "if (list_push(&lists, &l{}, {row}, {size}))",
                    list.0
                ));
                self.stop(LISTS_FULL);
                self.close();
            }
            Stmt::ListStore(ListStore {
                list,
                field,
                row,
                element,
                value,
            }) => {
                let (fields, size) = self.list_of(*list);
                let dtype = self.program.lists[list.0 as usize].fields[*field as usize].0;
                let (row, at) = (self.v(*row), self.place(element, None));
                let (t, value) = (ty(dtype), self.v(*value));
                let at = format!("{} + {} * ({at})", fields[*field as usize], dtype.bytes());
                self.open("");
                self.line(&format!("const {t} x = {value};"));
                self.line(&format!(
                    "memcpy(lists.bytes + l{}.at + {row} * {size} + {at}, &x, sizeof(x));",
                    list.0
                ));
                self.close();
            }
            Stmt::ListFinish { out, list, rows } => {
                let (size, rows) = (self.list_of(*list).1, self.v(*rows));
                let text = format!("list_finish(&lists, &l{}, {rows}, {size})", list.0);
                self.define(*out, &text);
                let out = self.name(*out);
                self.open(&format!("if (!{out})"));
                self.stop(LISTS_FULL);
                self.close();
            }
            Stmt::ListHandle { out, of } if self.is_live(*out) => {
                let at = self.list_of(of.list).0[of.field as usize];
                let text = format!("list_handle(&lists, {}, {at})", self.v(of.built));
                self.define(*out, &text);
                let out = self.name(*out);
                self.open(&format!("if ({out} < 0)"));
                self.stop(LISTS_FULL);
                self.close();
            }
            Stmt::ListRows { out, handle } if self.is_live(*out) => {
                let h = self.v(*handle);
                self.define(*out, &format!("{h} ? list_word(&lists, {h}) : 0"));
            }
            Stmt::ListLoad { out, cell } if self.is_live(*out) => {
                let (row, at) = (self.v(cell.row), self.place(&cell.element, None));
                let dtype = self.dtype(*out);
                let (first, handle) = match cell.rows {
                    Rows::Of(of) => (self.list_of(of.list).0[of.field as usize], None),
                    Rows::Handle(h) => (0, Some(self.v(h))),
                };
                let post = self.v(cell.rows.value());
                let name = self.name(*out);
                let at = format!("{first} + {} * ({at})", dtype.bytes());
                let copy = format!(
                    "memcpy(&{name}, list_row(&lists, {post}, {row}) + {at}, sizeof({name}));"
                );
                self.line(&format!("{} {name} = 0;", ty(dtype)));
                match handle {
                    Some(h) => self.line(&format!("if ({h}) {copy}")),
                    None => self.line(&copy),
                }
            }
            _ => {}
        }
    }
}
