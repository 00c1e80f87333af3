//! What one thread records, and its timer.

use std::arch::asm;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::handler::{self, MAGIC};
use super::{EVERYONE, THREAD, clock, now};
use crate::lines::LineTable;
use crate::sample::{Activity, Refused, SITES, Sample, Settings, Span, ThreadRecord};

/// Spans that a thread may record.
const SPANS: usize = 20_000;

/// Memory that its thread alone writes, in order, and that is read when it is done.
struct Tape<T> {
    slots: Box<[UnsafeCell<T>]>,
    written: AtomicUsize,
}

impl<T: Copy> Tape<T> {
    fn new(len: usize, value: T) -> Tape<T> {
        Tape {
            slots: (0..len).map(|_| UnsafeCell::new(value)).collect(),
            written: AtomicUsize::new(0),
        }
    }

    /// Writes the next slot, if there is one. Allocates nothing and takes no lock.
    fn push(&self, value: T) {
        let n = self.written.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.slots.get(n) {
            // SAFETY: each number is given once, and nothing reads before the thread has ended its timer.
            unsafe { *slot.get() = value };
        }
    }

    fn finish(self) -> (Vec<T>, usize) {
        let written = self.written.into_inner();
        let lost = written.saturating_sub(self.slots.len());
        let slots = self.slots.into_iter().take(written);
        (slots.map(UnsafeCell::into_inner).collect(), lost)
    }
}

/// What a thread records.
pub(super) struct Thread {
    table: Arc<LineTable>,
    period: std::time::Duration,
    main: bool,
    id: u64,
    /// The slot of the stack with the address to which the code returns that runs; 0 if none runs.
    entry: AtomicUsize,
    /// The address of that code.
    root: AtomicUsize,
    /// The call of another thread that this one works for.
    pub(super) inherited: AtomicUsize,
    /// Whether it waits for other threads.
    pub(super) waits: AtomicBool,
    /// The nanoseconds that it had computed when that was asked last.
    computed: AtomicU64,
    samples: Tape<Sample>,
    spans: Tape<Span>,
}

// SAFETY: the tapes are written by the thread alone whose record this is, in code or in its signal handler, and read when
// its timer has ended.
unsafe impl Sync for Thread {}

impl Thread {
    pub(super) fn new(table: &Arc<LineTable>, settings: &Settings, main: bool) -> Box<Thread> {
        let span = Span {
            start: 0,
            end: 0,
            activity: Activity::Call,
        };
        Box::new(Thread {
            table: table.clone(),
            period: settings.period,
            main,
            id: 0,
            entry: AtomicUsize::new(0),
            root: AtomicUsize::new(0),
            inherited: AtomicUsize::new(0),
            waits: AtomicBool::new(false),
            computed: AtomicU64::new(0),
            samples: Tape::new(settings.most, Sample::default()),
            spans: Tape::new(if settings.spans { SPANS } else { 0 }, span),
        })
    }

    pub(super) fn record(self) -> ThreadRecord {
        let (samples, lost_samples) = self.samples.finish();
        let (spans, lost_spans) = self.spans.finish();
        ThreadRecord {
            id: self.id,
            main: self.main,
            lost: lost_samples + if spans.is_empty() { 0 } else { lost_spans },
            samples,
            spans,
        }
    }

    /// Runs `f` as a span.
    pub(super) fn spanned<R>(&self, activity: Activity, f: impl FnOnce() -> R) -> R {
        if self.spans.slots.is_empty() {
            return f();
        }
        let start = now();
        let result = f();
        self.spans.push(Span {
            start,
            end: now(),
            activity,
        });
        result
    }

    /// Calls code, and notes where on the stack its frame begins.
    ///
    /// # Safety
    /// `code` is a function of these arguments, or of the first alone, that may be called with them.
    pub(super) unsafe fn enter(&self, code: usize, frame: *mut u8, low: i64, high: i64) -> i32 {
        let status: i32;
        if self.table.function(code).is_none() {
            // Code of another program, called by a function of the host: its time is that of the call around it.
            type Code = unsafe extern "C" fn(*mut u8, i64, i64) -> i32;
            // SAFETY: guaranteed by the caller.
            return unsafe { std::mem::transmute::<usize, Code>(code)(frame, low, high) };
        }
        let entry = self.entry.swap(0, Ordering::Relaxed);
        let root = self.root.swap(code, Ordering::Relaxed);
        // SAFETY: a call as the compiler would make it: all registers of the convention count as overwritten, `rax` is none
        // of the inputs, the stack is aligned here, and the word that is written is the one behind `entry`.
        unsafe {
            asm!(
                "lea rax, [rsp - 8]",
                "mov [{slot}], rax",
                "call {code}",
                slot = in(reg) self.entry.as_ptr(),
                code = in(reg) code,
                inlateout("rdi") frame => _,
                inlateout("rsi") low => _,
                inlateout("rdx") high => _,
                out("rax") status,
                clobber_abi("sysv64"),
            );
        }
        self.entry.store(0, Ordering::Relaxed);
        self.root.store(root, Ordering::Relaxed);
        self.entry.store(entry, Ordering::Relaxed);
        status
    }

    /// Finds the calls in progress of the code that runs, with the stack as far as `stack`. Returns the addresses to which
    /// they return, the outermost first. Allocates nothing and takes no lock.
    fn sites(&self, stack: usize) -> [usize; SITES] {
        let mut sites = [0; SITES];
        let mut slot = self.entry.load(Ordering::Relaxed);
        let mut function = self.table.function(self.root.load(Ordering::Relaxed));
        for site in &mut sites {
            let Some(f) = function.map(|f| &self.table.functions[f]) else {
                break;
            };
            // A frame has one size, but for registers on the stack around some calls: of these, the slots of calls that
            // are less deep hold other values now.
            let call = f.depths.iter().find_map(|&depth| {
                let at = slot.wrapping_sub(depth as usize);
                if slot == 0 || at < stack {
                    return None;
                }
                // SAFETY: the slot lies between the top of the thread's stack and the frame that the code was called from.
                let back = unsafe { ptr::read_volatile(at as *const usize) };
                let call = f.call(back).filter(|c| c.depth == depth)?;
                Some((at, back, call.callee))
            });
            let Some((at, back, callee)) = call else {
                break;
            };
            slot = at;
            *site = back;
            function = callee.map(|f| f as usize);
        }
        sites
    }

    /// Returns the address to which the innermost call in progress returns, or the one that was inherited; 0 if there is
    /// none.
    pub(super) fn innermost(&self, stack: usize) -> usize {
        let inherited = self.inherited.load(Ordering::Relaxed);
        if self.entry.load(Ordering::Relaxed) == 0 {
            return inherited;
        }
        let sites = self.sites(stack);
        let last = sites.into_iter().rev().find(|&back| {
            let f = self.table.function(back.wrapping_sub(1));
            f.is_some_and(|f| !self.table.functions[f].pure)
        });
        last.unwrap_or(inherited)
    }

    /// Whether the thread has computed for a good part of the time since this was asked last.
    fn worked(&self) -> bool {
        let now = clock(libc::CLOCK_THREAD_CPUTIME_ID);
        let last = self.computed.swap(now, Ordering::Relaxed);
        now - last > self.period.as_nanos() as u64 / 4
    }

    /// Notes what the thread does. Called by the signal handler.
    pub(super) fn tick(&self, instruction: usize, stack: usize) {
        if self.waits.load(Ordering::Relaxed) {
            return;
        }
        let inside = self.entry.load(Ordering::Relaxed) != 0;
        let mut inherited = self.inherited.load(Ordering::Relaxed);
        if !inside && inherited == 0 && !self.main {
            inherited = EVERYONE.load(Ordering::Relaxed);
            // A thread that sleeps does not work.
            let worked = self.worked();
            if inherited == 0 || !worked {
                return;
            }
        }
        let sites = match inside {
            true => self.sites(stack),
            false => [0; SITES],
        };
        self.samples.push(Sample {
            time: now(),
            instruction,
            sites,
            inherited,
            inside,
        });
    }
}

/// A thread with a running timer.
pub(super) struct Armed {
    thread: Box<Thread>,
    timer: libc::timer_t,
    number: usize,
}

// SAFETY: a timer may be handed about; it is ended on its own thread.
unsafe impl Send for Armed {}

impl Armed {
    /// Starts the timer of this thread.
    pub(super) fn new(mut thread: Box<Thread>) -> Result<Armed, Refused> {
        // SAFETY: the function has no conditions.
        let id = unsafe { libc::gettid() };
        thread.id = id as u64;
        let number = handler::register(&thread)
            .ok_or_else(|| Refused::Unsupported("there are too many threads".to_string()))?;
        THREAD.with(|t| t.set(&raw const *thread));
        // SAFETY: all of its fields may be zero.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGPROF;
        event.sigev_notify_thread_id = id;
        event.sigev_value.sival_ptr = ptr::without_provenance_mut(MAGIC | number);
        let mut timer: libc::timer_t = ptr::null_mut();
        // SAFETY: both may be accessed.
        let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) };
        let period = thread.period.max(std::time::Duration::from_micros(20));
        let every = libc::timespec {
            tv_sec: period.as_secs() as libc::time_t,
            tv_nsec: period.subsec_nanos().into(),
        };
        let times = libc::itimerspec {
            it_interval: every,
            it_value: every,
        };
        // SAFETY: the timer was made.
        let set = || unsafe { libc::timer_settime(timer, 0, &times, ptr::null_mut()) };
        if made != 0 || set() != 0 {
            let message = format!("a timer: {}", std::io::Error::last_os_error());
            THREAD.with(|t| t.set(ptr::null()));
            handler::unregister(number);
            return Err(Refused::Unsupported(message));
        }
        Ok(Armed {
            thread,
            timer,
            number,
        })
    }

    /// Ends the timer, on its thread, and takes its signals that are still waiting.
    pub(super) fn end(self) -> Box<Thread> {
        // SAFETY: the timer was made, and is deleted once; the sets are initialised by `sigemptyset`, and all pointers
        // are valid. With the signal blocked, one that has been sent waits, and `sigtimedwait` takes it.
        unsafe {
            let (mut only, mut before) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&mut only);
            libc::sigaddset(&mut only, libc::SIGPROF);
            libc::pthread_sigmask(libc::SIG_BLOCK, &only, &mut before);
            libc::timer_delete(self.timer);
            let at_once = libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            while libc::sigtimedwait(&only, ptr::null_mut(), &at_once) == libc::SIGPROF {}
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
        }
        THREAD.with(|t| t.set(ptr::null()));
        handler::unregister(self.number);
        self.thread
    }
}
