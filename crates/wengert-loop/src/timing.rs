//! The time that the passes of the compiler take.
//!
//! Passes run inside [`timed`], which costs nothing to speak of unless somebody [collects](collected) the times on this
//! thread.

use std::cell::RefCell;
use std::time::Instant;

/// A pass, and when it ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pass {
    /// Its name.
    pub name: &'static str,
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// The number of passes around it.
    pub depth: usize,
}

/// The passes so far, and how many are running.
#[derive(Default)]
struct Collector {
    passes: Vec<Pass>,
    depth: usize,
}

thread_local! {
    static COLLECTOR: RefCell<Option<Collector>> = const { RefCell::new(None) };
}

/// Runs a pass.
pub fn timed<R>(name: &'static str, pass: impl FnOnce() -> R) -> R {
    let depth = COLLECTOR.with_borrow_mut(|c| {
        let c = c.as_mut()?;
        c.depth += 1;
        Some(c.depth - 1)
    });
    let Some(depth) = depth else {
        return pass();
    };
    let start = Instant::now();
    let result = pass();
    let end = Instant::now();
    add(Pass {
        name,
        start,
        end,
        depth,
    });
    COLLECTOR.with_borrow_mut(|c| {
        if let Some(c) = c {
            c.depth = depth;
        }
    });
    result
}

/// Adds a pass that ran elsewhere, if passes are collected on this thread.
pub fn add(pass: Pass) {
    COLLECTOR.with_borrow_mut(|c| {
        if let Some(c) = c {
            c.passes.push(pass);
        }
    });
}

/// Runs `work`, and returns the passes that it ran on this thread, in the order in which they ended.
///
/// ```
/// use wengert_loop::timing::{collected, timed};
///
/// let (sum, passes) = collected(|| timed("adding", || 1 + 2));
/// assert_eq!((sum, passes[0].name), (3, "adding"));
/// ```
pub fn collected<R>(work: impl FnOnce() -> R) -> (R, Vec<Pass>) {
    /// Restores the collector around this one.
    struct Restore(Option<Collector>);
    impl Drop for Restore {
        fn drop(&mut self) {
            COLLECTOR.with_borrow_mut(|c| *c = self.0.take());
        }
    }
    let around = COLLECTOR.with_borrow_mut(|c| c.replace(Collector::default()));
    let restore = Restore(around);
    let result = work();
    let passes = COLLECTOR.with_borrow_mut(|c| c.as_mut().map(|c| std::mem::take(&mut c.passes)));
    drop(restore);
    (result, passes.unwrap_or_default())
}
