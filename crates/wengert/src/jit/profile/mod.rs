//! Where the time of compiled code goes, by the user's lines.

mod chrome;
mod gather;
mod lines;
mod method;
mod page;
mod plan;
mod table;

use std::time::Duration;

use super::explain::Explanation;

/// Where the time and memory of a compiled function go: see [`Jit::profile`](super::Jit::profile).
///
/// `Display` writes a table of lines, [`Profile::to_html`] a page with the source, and [`Profile::to_chrome_trace`] what
/// each thread did when.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The lines of the program that take time or memory, those that take the most time first.
    pub lines: Vec<Line>,
    /// What is in no line: what it is, and its share of the run.
    pub elsewhere: Vec<(String, f64)>,
    /// Nanoseconds of a call, without the profile: the median.
    pub nanoseconds: f64,
    /// Nanoseconds of a call while it was profiled: the median.
    pub profiled_nanoseconds: f64,
    /// The number of calls that were profiled.
    pub calls: u64,
    /// The number of samples; 0 if the shares are [estimated](Method::Estimated).
    pub samples: usize,
    /// How the shares were found.
    pub method: Method,
    /// What a call takes of memory.
    pub memory: Memory,
    /// What the compiler did, in order.
    pub stages: Vec<StageTime>,
    /// The loops, as [`Jit::explain`](super::Jit::explain) shows them.
    pub explanation: Explanation,
    /// What each thread did.
    pub(super) events: Vec<Event>,
}

/// One line of the user's program: see [`Profile::lines`].
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Line {
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Its text, if the file can be read.
    pub text: Option<String>,
    /// Its share of the run, from 0 to 1.
    pub share: f64,
    /// The part of that share that derivatives of the line take.
    pub derivative: f64,
    /// Nanoseconds of a call.
    pub nanoseconds: f64,
    /// How often a call runs it, by the plan; in a loop of unknown length, how often a step of that does.
    pub runs: f64,
    /// Bytes that it reads from memory, counted as `runs`.
    pub read: f64,
    /// Bytes that it writes to memory, counted as `runs`.
    pub written: f64,
    /// Whether it is in a loop of unknown length, so that these are numbers of one step of that.
    pub per_step: bool,
    /// Bytes of intermediate arrays that it keeps in memory.
    pub scratch: usize,
    /// Bytes of results that it writes.
    pub results: usize,
}

/// How the shares of a profile were found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Method {
    /// A timer interrupted each thread after this time, and its instruction was noted.
    Sampled(Duration),
    /// There is no such timer here, for this reason: the shares are those of the work of the plan, which knows nothing
    /// of caches, nor how often loops of unknown length run.
    Estimated(String),
}

/// The memory of a call, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Memory {
    /// Arguments, with arrays that the function captures.
    pub arguments: usize,
    /// Results.
    pub results: usize,
    /// Intermediate arrays, of which those with disjoint lifetimes share memory.
    pub scratch: usize,
    /// Intermediate arrays of parallel tasks, for all threads.
    pub tasks: usize,
    /// The most that the lists of loops of unknown length took. Known if the profile was sampled.
    pub lists: usize,
    /// Resident memory of the process before the profile and after it, if the system says.
    pub resident: Option<(usize, usize)>,
}

impl Memory {
    /// Returns the bytes that a call has at once beside its arguments.
    pub fn peak(&self) -> usize {
        self.results + self.scratch + self.tasks + self.lists
    }

    /// Returns all bytes of a call.
    pub fn total(&self) -> usize {
        self.arguments + self.peak()
    }
}

/// A stage of the compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StageTime {
    /// Its name.
    pub name: String,
    /// The number of stages around it.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// When it began, from the beginning of the first one.
    pub start: Duration,
}

/// Something that a thread did, in microseconds from the beginning.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Event {
    pub name: String,
    pub category: &'static str,
    pub start: f64,
    pub time: f64,
    pub thread: u64,
}

impl Profile {
    /// Returns the line with this number in a file whose name ends so, if it takes time or memory.
    pub fn line(&self, file: &str, line: u32) -> Option<&Line> {
        let mut lines = self.lines.iter();
        lines.find(|l| l.line == line && l.file.ends_with(file))
    }

    /// Returns the sum of the shares of all lines.
    pub fn in_lines(&self) -> f64 {
        self.lines.iter().map(|l| l.share).sum()
    }

    /// Returns how much longer a call takes while it is profiled, as a part of its time.
    pub fn overhead(&self) -> f64 {
        self.profiled_nanoseconds / self.nanoseconds - 1.0
    }

    /// Returns the profile as a self-contained HTML page: the source of each file with a bar beside each line, the
    /// loops, and the time of the compiler.
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// Returns what each thread did when as a trace in the JSON format of Chrome, for `chrome://tracing` and
    /// <https://ui.perfetto.dev>: calls, steps of parallel loops, and the lines in between, as far as they were sampled.
    pub fn to_chrome_trace(&self) -> String {
        chrome::trace(&self.events)
    }
}
