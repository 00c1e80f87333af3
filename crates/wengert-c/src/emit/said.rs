//! What is said for whoever reads the text: the lines of the user's program that statements come from, and names that
//! say what a value is.

use wengert_loop::loops::{BufferId, BufferKind, Carried, Index, Stmt, Value};

use super::Emitter;
use crate::dialect::Dialect;

impl Emitter<'_> {
    /// Says which line of the user's a statement of the program comes from, if it is another one than that of the statement
    /// before.
    pub(super) fn say_line(&mut self, s: &Stmt) {
        // Functions have values of their own, of which no places are kept.
        if self.in_function || self.dialect != Dialect::C {
            return;
        }
        let Some(source) = self.program.source_of(s) else {
            return;
        };
        let place = source.place();
        let line = (place.file, place.line);
        if self.said.as_ref() != Some(&line) {
            let file = line.0.replace("*/", "* /");
            self.line(&format!("/* {file}:{} */", line.1));
            self.said = Some(line);
        }
    }

    /// Says nothing of the lines before: what follows is in another block.
    pub(super) fn say_again(&mut self) {
        self.said = None;
    }

    /// Gives an element of an argument that is read once the argument's name, with the element's number.
    pub(super) fn name_after_port(&mut self, out: Value, b: BufferId, i: &Index) {
        let is_known = i.base.is_none() && i.each.is_none() && i.stride == 0;
        let is_argument = matches!(self.buffer(b).kind, BufferKind::Input(_));
        if self.in_function || self.dialect != Dialect::C || !is_known || !is_argument {
            return;
        }
        let name = format!("{}_{}", self.memory.name(b), i.offset);
        if self.memory.is_port(&name) || !self.taken.insert(name.clone()) {
            return;
        }
        self.names.insert(out, name);
    }

    /// Names what a loop carries after the value that a step sees of it.
    pub(super) fn name_carried(&mut self, carried: &[(usize, Carried)]) {
        for (_, c) in carried {
            if self.dialect == Dialect::C && self.is_live(c.param) {
                self.names.insert(c.out, format!("c{}", c.param.0));
            }
        }
    }
}
