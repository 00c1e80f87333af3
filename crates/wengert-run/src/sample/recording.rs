//! What was recorded.

use super::SITES;
use crate::lines::LineTable;

/// What a thread did at a tick.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sample {
    /// Nanoseconds of the clock of [`now`](super::now).
    pub time: u64,
    /// The address of the instruction.
    pub instruction: usize,
    /// The addresses to which the calls in progress return, the outermost first; 0 where there is none.
    pub sites: [usize; SITES],
    /// The call of another thread that this one works for, 0 if there is none.
    pub inherited: usize,
    /// Whether a call of compiled code is in progress on this thread.
    pub inside: bool,
}

impl Sample {
    /// Returns an address in the code that the thread ran, or that called what it ran: the instruction, if it has a place
    /// of its own, or the last instruction of the innermost call that has one. `None` if it ran no code of the table.
    pub fn address(&self, table: &LineTable) -> Option<usize> {
        let own = |at: usize| {
            let f = &table.functions[table.function(at)?];
            (!f.pure).then_some(at)
        };
        let sites = self.sites.iter().rev().chain([&self.inherited]);
        let calls = sites.filter(|&&back| back != 0).map(|&back| back - 1);
        [self.instruction].into_iter().chain(calls).find_map(own)
    }
}

/// What a span of time was spent on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Activity {
    /// A call of compiled code.
    Call,
    /// Some steps of a parallel loop.
    Task,
}

/// A span of time on one thread, in nanoseconds of the clock of [`now`](super::now).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its beginning.
    pub start: u64,
    /// Its end.
    pub end: u64,
    /// What the thread did.
    pub activity: Activity,
}

/// What one thread did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThreadRecord {
    /// The number that the system gave it.
    pub id: u64,
    /// Whether it is the thread that made the recording.
    pub main: bool,
    /// Samples in order. Of a thread of the pool, only those in which it worked for a call.
    pub samples: Vec<Sample>,
    /// Calls and tasks, by their end.
    pub spans: Vec<Span>,
    /// Samples and spans for which there was no room.
    pub lost: usize,
}

/// What all threads did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Recording {
    /// The threads.
    pub threads: Vec<ThreadRecord>,
    /// The most bytes that the lists of one call took.
    pub list_bytes: usize,
    /// The nanoseconds between two samples of a thread.
    pub period: u64,
    /// When it began and ended.
    pub time: (u64, u64),
}
