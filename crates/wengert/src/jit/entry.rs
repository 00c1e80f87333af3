//! Decides which thread compiles a signature and which threads wait.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use wengert_ir::error::{Error, Result};
use wengert_ir::ir::Type;
use wengert_ir::source::SourceId;
use wengert_ir::trace::door_open;

use super::compiled::Compiled;
use crate::tree::TreeDef;

/// How long a thread waits for another that traces the same signature: the function being traced there may be
/// waiting for this thread.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many threads may trace the same signature because they have stopped waiting. More suggest that each is
/// waiting for the next.
const IMPATIENT: usize = 4;

/// The same limit for threads that never wait, because they are tracing something themselves.
const UNWAITING: usize = 256;

/// Limit on the nesting of calls on a thread.
const DEPTH: usize = 64;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Signature {
    pub def: TreeDef,
    pub types: Vec<Type>,
}

/// A signature, and its code once it is compiled.
pub(super) struct Entry {
    pub signature: Signature,
    pub done: OnceLock<Arc<Compiled>>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    /// Number of threads running the user's function.
    tracing: usize,
    /// When the last of them started.
    since: Option<Instant>,
    /// Number of threads that are past tracing and compile.
    compiling: usize,
}

impl Entry {
    pub(super) fn new(signature: Signature) -> Entry {
        Entry {
            signature,
            done: OnceLock::new(),
            progress: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Returns the turn to compile, or `None` if another thread has finished compiling in the meantime.
    ///
    /// # Errors
    /// If too many threads trace the same signature already, because each waits for the next.
    #[track_caller]
    pub(super) fn begin(&self) -> Result<Option<Turn<'_>>> {
        let waits = !door_open();
        let mut p = self.progress();
        loop {
            if self.done.get().is_some() {
                return Ok(None);
            }
            if p.tracing + p.compiling == 0 {
                break;
            }
            if !waits {
                if p.tracing >= UNWAITING {
                    return Err(reentrant(Location::caller()));
                }
                break;
            }
            let wait = match (p.compiling, p.since) {
                (0, Some(since)) => Some(PATIENCE.saturating_sub(since.elapsed())),
                _ => None,
            };
            p = match wait {
                None => self.changed.wait(p).unwrap_or_else(|e| e.into_inner()),
                Some(Duration::ZERO) if p.tracing >= IMPATIENT => {
                    return Err(reentrant(Location::caller()));
                }
                Some(Duration::ZERO) => break,
                Some(wait) => {
                    let waited = self.changed.wait_timeout(p, wait);
                    waited.unwrap_or_else(|e| e.into_inner()).0
                }
            };
        }
        p.tracing += 1;
        p.since = Some(Instant::now());
        Ok(Some(Turn {
            entry: self,
            traced: Cell::new(false),
        }))
    }
}

/// The right to trace and compile, returned on drop.
pub(super) struct Turn<'a> {
    entry: &'a Entry,
    traced: Cell<bool>,
}

impl Turn<'_> {
    /// Records that the user's function has returned: the rest waits for nobody.
    pub(super) fn traced(&self) {
        if !self.traced.replace(true) {
            let mut p = self.entry.progress();
            p.tracing -= 1;
            p.compiling += 1;
            self.entry.changed.notify_all();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut p = self.entry.progress();
        match self.traced.get() {
            true => p.compiling -= 1,
            false => p.tracing -= 1,
        }
        self.entry.changed.notify_all();
    }
}

thread_local! {
    /// The `Jit`s being traced on this thread, by address and signature.
    static TRACING: RefCell<Vec<(usize, Signature)>> = const { RefCell::new(vec![]) };
    /// The number of calls and traces that are active on this thread.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Refuses to trace a signature that is already being traced on this thread.
pub(super) fn refuse_recursion(
    door: usize,
    signature: &Signature,
    at: &'static Location<'static>,
) -> Result<()> {
    let again = |(d, s): &(usize, Signature)| *d == door && s == signature;
    match TRACING.with_borrow(|t| t.iter().any(again)) {
        true => Err(reentrant(at)),
        false => Ok(()),
    }
}

fn reentrant(at: &'static Location<'static>) -> Error {
    Error::reentrant("jit", SourceId::of(at, None))
}

/// Marks a signature as being traced on this thread, until dropped.
pub(super) struct Entered;

impl Entered {
    pub(super) fn new(door: usize, signature: Signature) -> Entered {
        TRACING.with_borrow_mut(|t| t.push((door, signature)));
        Entered
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        TRACING.with_borrow_mut(|t| t.pop());
    }
}

/// One more level of calls on this thread, until dropped.
pub(super) struct Deeper;

impl Deeper {
    /// # Errors
    /// If the calls are too deeply nested for the stack.
    #[inline]
    pub(super) fn new(at: &'static Location<'static>) -> Result<Deeper> {
        let calls = CALLS.get();
        if calls >= DEPTH {
            return Err(too_deep(at));
        }
        CALLS.set(calls + 1);
        Ok(Deeper)
    }
}

#[cold]
fn too_deep(at: &'static Location<'static>) -> Error {
    Error::depth("jit", DEPTH, SourceId::of(at, None))
}

impl Drop for Deeper {
    #[inline]
    fn drop(&mut self) {
        CALLS.set(CALLS.get() - 1);
    }
}
