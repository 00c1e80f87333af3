//! Panics that become errors, without being printed.
//!
//! The standard hook prints a panic before anything can catch it. So a hook is installed once in front of the
//! existing one: on a thread inside [`caught`] it suppresses a panic with a message and records its position;
//! it passes everything else on. A hook that is set later replaces both.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::error::said;
use crate::source::{Place, SourceId};

thread_local! {
    /// The number of active calls of [`caught`] on this thread.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// The last panic that was suppressed.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// The message and the position of a panic.
struct Panic {
    message: String,
    file: String,
    line: u32,
    column: u32,
}

/// A panic that was caught.
pub struct Caught {
    /// The payload.
    pub payload: Box<dyn Any + Send>,
    /// The line that panicked, unless it is in the standard library.
    pub at: Option<SourceId>,
}

/// Runs `f` and catches its panic. A panic with a message is not printed: the caller turns it into an error.
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
        // The standard library, whose source the user does not see.
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
    // A hook cannot be set while the thread unwinds. Without unwinding nothing catches a panic, so it must be
    // printed.
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

/// Returns whether a panic will become an error, and records it. A second panic during unwinding aborts the
/// program, so that one is printed.
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
