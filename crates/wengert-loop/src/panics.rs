//! Panics that become errors: nothing of them is printed.
//!
//! The standard hook prints a panic before anybody can catch it. So a hook is put before the one that
//! is there, once: it is silent about a panic with a message on a thread that is inside of [`caught`], notes
//! where it was, and hands everything else on. Whoever sets a hook of his own later replaces both.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::error::said;
use crate::source::{Place, SourceId};

thread_local! {
    /// How many calls of [`caught`] this thread is in.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// The last panic that was not printed.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// What a panic said, and where.
struct Panic {
    message: String,
    file: String,
    line: u32,
    column: u32,
}

/// A panic that was caught.
pub struct Caught {
    /// What it was raised with.
    pub payload: Box<dyn Any + Send>,
    /// The line that panicked, if it is one of a program and not of the standard library.
    pub at: Option<SourceId>,
}

/// Runs `f` and catches a panic of it. One with a message is not printed: the caller makes an error of
/// it.
pub fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Caught> {
    install();
    INSIDE.set(INSIDE.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(f));
    INSIDE.set(INSIDE.get() - 1);
    result.map_err(|payload| {
        let last = LAST.take();
        let at = last.filter(|p| said(&*payload).as_deref() == Some(&*p.message));
        Caught {
            at: at.and_then(Panic::place),
            payload,
        }
    })
}

impl Panic {
    fn place(self) -> Option<SourceId> {
        // Rust's own code, of which the user sees no source.
        if self.file.starts_with("/rustc/") {
            return None;
        }
        Some(SourceId::at(Place {
            file: self.file,
            line: self.line,
            column: self.column,
            parent: None,
        }))
    }
}

fn install() {
    static HOOK: Once = Once::new();
    // A hook cannot be set while the thread unwinds. Without unwinding nobody catches a panic, and what
    // is not printed would be lost.
    if cfg!(panic = "abort") || HOOK.is_completed() || std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !noted(info) {
                previous(info);
            }
        }));
    });
}

/// Whether a panic will be an error. Of two at once, the second in what the first unwinds, the program
/// dies: that one is printed.
fn noted(info: &PanicHookInfo<'_>) -> bool {
    let Some(message) = said(info.payload()) else {
        return false;
    };
    if INSIDE.try_with(Cell::get).unwrap_or(0) == 0 {
        return false;
    }
    let panic = info.location().map(|l| Panic {
        message,
        file: l.file().to_string(),
        line: l.line(),
        column: l.column(),
    });
    LAST.try_with(|last| last.replace(panic).is_none())
        .unwrap_or(false)
}
