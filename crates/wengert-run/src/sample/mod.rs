//! Sampling: what compiled code is doing, at the ticks of a clock.
//!
//! [`record`] runs something with a timer for each thread that may run compiled code. At each tick a signal handler
//! notes the instruction, and the calls of compiled code that are in progress, in memory that was allocated before. The
//! code is the same with and without it: the handler finds the calls from the shape of the frames, which the
//! [table](LineTable) of the code knows. A thread without code on its stack that works for a kernel has inherited the
//! call from the thread that runs it.
//!
//! It is made for Linux on x86-64; elsewhere [`record`] is refused.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod none;
mod recording;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use linux as machine;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
use none as machine;

use std::time::Duration;

use crate::lines::LineTable;

pub use machine::{call, now};
pub use recording::{Activity, Recording, Sample, Span, ThreadRecord};

pub(crate) use machine::{body, inherit, lists, site, span, waiting, with_pool};

/// The body of a parallel loop.
type Body = unsafe extern "C" fn(*mut u8, i64, i64) -> i32;

/// The calls of compiled code in progress that a sample holds at most.
pub const SITES: usize = 4;

/// The reason why nothing can be recorded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Another recording of this process has not ended.
    #[error("another profile of this process is running")]
    Busy,
    /// There is no timer that notes the instruction of a thread.
    #[error("there is no sampling on this machine: {0}")]
    Unsupported(String),
}

/// What to record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The time between two samples of a thread.
    pub period: Duration,
    /// The number of samples that a thread may take.
    pub most: usize,
    /// Whether the threads of the current pool are sampled, too.
    pub pool: bool,
    /// Whether calls and tasks are recorded with their beginning and end: an overhead of a few hundred nanoseconds each.
    pub spans: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            period: Duration::from_micros(500),
            most: 20_000,
            pool: true,
            spans: true,
        }
    }
}

/// Runs `work`, and records what the code of a table does in the meantime on this thread and those of the current pool.
///
/// # Errors
/// If another recording is running, or the machine has no timers for it. Then `work` has not run.
pub fn record<R>(
    table: &LineTable,
    settings: &Settings,
    work: impl FnOnce() -> R,
) -> Result<(R, Recording), Refused> {
    machine::record(table, settings, work)
}
