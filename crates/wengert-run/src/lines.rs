//! Where machine code comes from in the user's program.
//!
//! A back end that is asked for it ([`Options::lines`](crate::Options::lines)) makes a table of its code: the place of
//! each instruction, and of each call that leaves the code. Nothing is added to the code for this.

use std::fmt;

use wengert_loop::source::SourceId;

/// Code that comes from one place: offsets into the code of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineSpan {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// The place. `None` for code that belongs to no operation, such as the entry of a function.
    pub source: Option<SourceId>,
}

/// Returns spans that cover a whole function of `len` bytes, from spans in order that leave some of it out; neighbours
/// of one place become one.
pub fn covering(spans: impl IntoIterator<Item = LineSpan>, len: u32) -> Vec<LineSpan> {
    let mut all: Vec<LineSpan> = vec![];
    let mut put = |start: u32, end: u32, source: Option<SourceId>| match all.last_mut() {
        _ if start >= end => {}
        Some(last) if last.source == source => last.end = end,
        _ => all.push(LineSpan { start, end, source }),
    };
    let mut at = 0;
    for span in spans {
        put(at, span.start, None);
        put(span.start.max(at), span.end, span.source);
        at = at.max(span.end);
    }
    put(at, len, None);
    all
}

/// A call in the code of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// The offset of the instruction to which it returns.
    pub back: u32,
    /// The bytes from the slot of the stack with the function's own return address down to the slot with that of the
    /// call.
    pub depth: u32,
    /// The number of the function that is called, if that is one of the table.
    pub callee: Option<u32>,
}

/// A native function, and where its code comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Native {
    /// Its role.
    pub name: String,
    /// The address of its code.
    pub address: usize,
    /// The bytes of its code.
    pub len: usize,
    /// Whether it is a function of scalars, which has no place of its own: it computes for whoever calls it.
    pub pure: bool,
    /// Spans in order.
    pub lines: Vec<LineSpan>,
    /// Calls in order.
    pub calls: Vec<CallSite>,
    /// The depths of its calls, from the least.
    pub depths: Vec<u32>,
}

impl Native {
    /// Returns whether an address lies in the code.
    #[inline]
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.address) < self.len
    }

    /// Returns the place of an instruction, given by its address.
    pub fn source(&self, address: usize) -> Option<SourceId> {
        let at = address.checked_sub(self.address)? as u32;
        let after = self.lines.partition_point(|l| l.start <= at);
        let line = self.lines[..after].last()?;
        line.source.filter(|_| at < line.end)
    }

    /// Returns the call that returns to an address.
    pub fn call(&self, back: usize) -> Option<&CallSite> {
        let at = back.checked_sub(self.address)? as u32;
        let i = self.calls.binary_search_by_key(&at, |c| c.back).ok()?;
        Some(&self.calls[i])
    }
}

/// The table of the code of a program.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LineTable {
    /// The functions, by address.
    pub functions: Vec<Native>,
}

impl LineTable {
    /// Returns the number of the function whose code an address lies in.
    #[inline]
    pub fn function(&self, address: usize) -> Option<usize> {
        let after = self.functions.partition_point(|f| f.address <= address);
        let at = after.checked_sub(1)?;
        self.functions[at].contains(address).then_some(at)
    }

    /// Returns the place of an instruction, given by its address.
    pub fn source(&self, address: usize) -> Option<SourceId> {
        self.functions[self.function(address)?].source(address)
    }
}

impl fmt::Debug for LineTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.functions.iter().map(|f| &f.name);
        f.debug_list().entries(names).finish()
    }
}
