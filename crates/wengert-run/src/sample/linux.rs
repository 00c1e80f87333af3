//! Sampling by a POSIX timer for each thread, whose signal goes to that thread.

mod handler;
mod thread;

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self::handler::Handler;
use self::thread::{Armed, Thread};
use super::{Activity, Body, Recording, Refused, Settings};
use crate::lines::LineTable;

/// Whether a recording is running.
static ON: AtomicBool = AtomicBool::new(false);

/// The most bytes that the lists of one call have taken.
static LISTS: AtomicUsize = AtomicUsize::new(0);

/// The call that whatever threads work for that have no call of their own; 0 if there is none.
static EVERYONE: AtomicUsize = AtomicUsize::new(0);

/// Held by the recording.
static ONE: Mutex<()> = Mutex::new(());

thread_local! {
    /// What this thread records, if it is being sampled.
    static THREAD: Cell<*const Thread> = const { Cell::new(ptr::null()) };
}

/// Returns the nanoseconds of a clock.
#[inline]
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// Returns the nanoseconds of one of the system's clocks. A signal handler may call it.
fn clock(which: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists, and `time` may be written.
    unsafe { libc::clock_gettime(which, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns what this thread records, if it is being sampled.
#[inline]
fn current<'a>() -> Option<&'a Thread> {
    if !ON.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: a thread's own record outlives its timer, with which the pointer is cleared.
    THREAD
        .try_with(Cell::get)
        .ok()
        .and_then(|t| unsafe { t.as_ref() })
}

pub(super) fn record<R>(
    table: &LineTable,
    settings: &Settings,
    work: impl FnOnce() -> R,
) -> Result<(R, Recording), Refused> {
    let _one = match ONE.try_lock() {
        Ok(guard) => guard,
        Err(std::sync::TryLockError::Poisoned(e)) => e.into_inner(),
        Err(std::sync::TryLockError::WouldBlock) => return Err(Refused::Busy),
    };
    let table = Arc::new(table.clone());
    LISTS.store(0, Ordering::Relaxed);
    let handler = Handler::install()?;
    let mut session = Session::new(handler);
    session.arm(Thread::new(&table, settings, true))?;
    if settings.pool {
        session.arm_pool(&table, settings);
    }
    ON.store(true, Ordering::SeqCst);
    let start = now();
    let result = work();
    let end = now();
    let threads = session.finish();
    let recording = Recording {
        threads: threads.into_iter().map(|t| t.record()).collect(),
        list_bytes: LISTS.load(Ordering::Relaxed),
        period: settings.period.as_nanos() as u64,
        time: (start, end),
    };
    Ok((result, recording))
}

/// The timers of a recording. They end with it, also if what runs panics.
struct Session {
    /// The timer of this thread.
    own: Option<Armed>,
    /// Those of the pool's, each to be ended on its thread.
    pool: Arc<Mutex<Vec<(usize, Armed)>>>,
    has_pool: bool,
    /// Restores the handler after the timers have ended.
    _handler: Handler,
}

impl Session {
    fn new(handler: Handler) -> Session {
        Session {
            own: None,
            pool: Arc::default(),
            has_pool: false,
            _handler: handler,
        }
    }

    fn arm(&mut self, thread: Box<Thread>) -> Result<(), Refused> {
        self.own = Some(Armed::new(thread)?);
        Ok(())
    }

    /// Arms the threads of the pool. One that cannot be armed is not sampled.
    fn arm_pool(&mut self, table: &Arc<LineTable>, settings: &Settings) {
        self.has_pool = true;
        rayon::broadcast(|context| {
            let own = THREAD.with(Cell::get);
            if !own.is_null() {
                return;
            }
            if let Ok(armed) = Armed::new(Thread::new(table, settings, false)) {
                let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
                pool.push((context.index(), armed));
            }
        });
    }

    /// Ends the timers and returns what the threads recorded.
    #[expect(clippy::vec_box, reason = "the handler has the address of a thread")]
    fn finish(&mut self) -> Vec<Box<Thread>> {
        let mut all: Vec<Box<Thread>> = self.own.take().map(Armed::end).into_iter().collect();
        if std::mem::take(&mut self.has_pool) {
            let ended = Mutex::new(vec![]);
            rayon::broadcast(|context| {
                let armed = {
                    let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
                    let mine = pool.iter().position(|(i, _)| *i == context.index());
                    mine.map(|i| pool.swap_remove(i).1)
                };
                if let Some(armed) = armed {
                    let thread = armed.end();
                    ended
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(thread);
                }
            });
            all.extend(ended.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        ON.store(false, Ordering::SeqCst);
        all
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Calls the code of a call.
///
/// # Safety
/// As for the code.
#[inline]
pub unsafe fn call(code: unsafe extern "C" fn(*mut u8) -> i32, frame: *mut u8) -> i32 {
    match current() {
        // SAFETY: guaranteed by the caller.
        None => unsafe { code(frame) },
        // SAFETY: guaranteed by the caller; a function ignores the arguments that it has not got.
        Some(thread) => unsafe { thread.enter(code as usize, frame, 0, 0) },
    }
}

/// Calls the body of a parallel loop.
///
/// # Safety
/// As for the code.
#[inline]
pub(crate) unsafe fn body(code: Body, frame: *mut u8, low: i64, high: i64) -> i32 {
    match current() {
        // SAFETY: guaranteed by the caller.
        None => unsafe { code(frame, low, high) },
        Some(thread) => thread.spanned(Activity::Task, || {
            // SAFETY: guaranteed by the caller.
            unsafe { thread.enter(code as usize, frame, low, high) }
        }),
    }
}

/// Returns the address to which the innermost call in progress on this thread returns; 0 if there is none, or nothing is
/// recorded.
#[inline]
pub(crate) fn site() -> usize {
    current().map_or(0, |thread| {
        let here = 0u8;
        thread.innermost(ptr::from_ref(&here) as usize)
    })
}

/// Restores what a thread worked for.
pub(crate) struct Inherited(usize);

/// Says that this thread works for a call until the result is dropped.
#[inline]
pub(crate) fn inherit(site: usize) -> Option<Inherited> {
    let thread = current()?;
    Some(Inherited(thread.inherited.swap(site, Ordering::Relaxed)))
}

impl Drop for Inherited {
    fn drop(&mut self) {
        if let Some(thread) = current() {
            thread.inherited.store(self.0, Ordering::Relaxed);
        }
    }
}

/// Runs a library that takes threads of the pool by itself: these work for the call in progress on this one.
#[inline]
pub(crate) fn with_pool<R>(f: impl FnOnce() -> R) -> R {
    let site = site();
    if site == 0 {
        return f();
    }
    let around = EVERYONE.swap(site, Ordering::Relaxed);
    let result = f();
    EVERYONE.store(around, Ordering::Relaxed);
    result
}

/// Runs `f`, which waits for other threads: it is no work, and no samples are kept of it.
#[inline]
pub(crate) fn waiting<R>(f: impl FnOnce() -> R) -> R {
    let thread = current();
    let set = |waits| {
        if let Some(thread) = thread {
            thread.waits.store(waits, Ordering::Relaxed);
        }
    };
    set(true);
    let result = f();
    set(false);
    result
}

/// Runs `f` as a span.
#[inline]
pub(crate) fn span<R>(activity: Activity, f: impl FnOnce() -> R) -> R {
    match current() {
        None => f(),
        Some(thread) => thread.spanned(activity, f),
    }
}

/// Notes the bytes of the lists of a call.
#[inline]
pub(crate) fn lists(bytes: usize) {
    if ON.load(Ordering::Relaxed) {
        LISTS.fetch_max(bytes, Ordering::Relaxed);
    }
}
