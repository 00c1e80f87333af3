//! The places that code comes from, noted as it is written.

use wengert_loop::source::SourceId;
use wengert_run::lines::{LineSpan, covering};

use super::Asm;

/// The size of a slot of the stack.
const SLOT: u32 = 8;

/// The places so far.
#[derive(Default)]
pub(super) struct Lines {
    /// The offset from which on the code comes from each place.
    marks: Vec<(u32, Option<SourceId>)>,
    /// The offset after each call, and the bytes from the slot of the return address down to that of the call's.
    calls: Vec<(u32, u32)>,
    /// The number of registers that are on the stack.
    pushed: u32,
}

/// The places of finished code.
pub(in crate::zmm) struct Traced {
    pub lines: Vec<LineSpan>,
    /// As above.
    pub calls: Vec<(u32, u32)>,
}

impl Lines {
    pub(super) fn finish(self, end: usize) -> Traced {
        let ends = self.marks.iter().skip(1).map(|m| m.0).chain([end as u32]);
        let spans = self.marks.iter().zip(ends);
        let lines = spans.map(|(&(start, source), end)| LineSpan { start, end, source });
        Traced {
            lines: covering(lines, end as u32),
            calls: self.calls,
        }
    }
}

impl Asm {
    /// Keeps the places that the code comes from.
    pub(in crate::zmm) fn keep_lines(&mut self) {
        self.lines = Some(Lines::default());
    }

    pub(in crate::zmm) fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// The place that the code comes from which is being written.
    pub(in crate::zmm) fn source(&self) -> Option<SourceId> {
        self.lines.as_ref()?.marks.last()?.1
    }

    /// Says that the code that follows comes from a place.
    pub(in crate::zmm) fn comes_from(&mut self, source: Option<SourceId>) {
        let at = self.bytes.len() as u32;
        if let Some(Lines { marks, .. }) = &mut self.lines
            && marks.last().is_none_or(|m| m.1 != source)
        {
            marks.push((at, source));
        }
    }

    /// Notes that a register has been put on the stack, or with -1, taken from there.
    pub(super) fn note_pushed(&mut self, by: i32) {
        if let Some(lines) = &mut self.lines {
            lines.pushed = lines.pushed.wrapping_add_signed(by);
        }
    }

    /// Says that the code that follows, behind the end of the function, runs with this many registers on the stack.
    pub(in crate::zmm) fn go_back_in(&mut self, pushed: usize) {
        if let Some(lines) = &mut self.lines {
            lines.pushed = pushed as u32;
        }
        self.comes_from(None);
    }

    /// Notes that the last instruction is a call.
    pub(super) fn note_call(&mut self) {
        let at = self.bytes.len() as u32;
        if let Some(lines) = &mut self.lines {
            lines.calls.push((at, SLOT * (lines.pushed + 1)));
        }
    }
}
