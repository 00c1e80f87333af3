//! What can go wrong, said to the user.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use crate::source::SourceId;
use crate::types::Type;
pub use crate::types::TypeError;

/// An error of this library: every mistake that can be made from outside. `Display` says all there is to say;
/// the kinds are there to be told apart, by `Error::MaxSteps { .. }`, say, and [`Error::at`] gives the line of the
/// program. Kinds and fields may be added.
///
/// `Debug` shows what `Display` shows. That is what `main` prints of an error that it returns, and what `unwrap` and
/// `expect` print: so the line of the program is seen there, where the names of the fields would be of no use.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation was given types it does not take.
    #[error("{op}: {message}, at {at}{}", shown(hint))]
    Type {
        /// The operation.
        op: String,
        /// The types of its operands.
        types: Vec<Type>,
        /// What is wrong.
        message: String,
        /// The user's line.
        at: SourceId,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A `Var` was used after the trace it belongs to had been closed, or on another thread.
    #[error(
        "{op}: a Var made at {made} was used at {used}, where its trace is not open; a Var lives \
         only inside the function that is being traced: return it, or pass it as an argument to what uses \
         it (a compiled function takes it by `apply`)"
    )]
    Escaped {
        /// The operation.
        op: String,
        /// Where the `Var` was made.
        made: SourceId,
        /// Where it was used.
        used: SourceId,
    },
    /// A `Var` of one traced function was used in another.
    #[error(
        "{op}: a Var made at {made}, in the function traced at {outer}, was used at {used}, in the \
         function traced at {inner}; pass it as an argument: inside of a traced function, `f.apply(x)` \
         takes a Var where `f.call(x)` takes data"
    )]
    OtherFunction {
        /// The operation.
        op: String,
        /// Where the `Var` was made.
        made: SourceId,
        /// Where its function is given to `jit` or `trace`.
        outer: SourceId,
        /// Where it was used.
        used: SourceId,
        /// Where the function around that is given to `jit` or `trace`.
        inner: SourceId,
    },
    /// An operation was called while no function was being traced on this thread.
    #[error(
        "{op}: no trace is open on this thread, at {at}; operations on Vars are recorded inside a \
         function given to `jit` or `trace`"
    )]
    NoTrace {
        /// The operation.
        op: String,
        /// The user's line.
        at: SourceId,
    },
    /// An argument of a compiled function does not fit.
    #[error(
        "{op}: {path}: expected {expected}, got {got}{}{}",
        placed(at),
        elsewhere(path)
    )]
    Argument {
        /// What was called: `call` or `call_into`, say.
        op: String,
        /// The leaf, as a path from the arguments.
        path: String,
        /// What fits.
        expected: String,
        /// What was given.
        got: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// Two trees should have had one structure.
    #[error("{op}: {message}, at {at}")]
    Tree {
        /// The operation.
        op: String,
        /// Where and how they differ.
        message: String,
        /// The user's line.
        at: SourceId,
    },
    /// A derivative was asked for that does not exist.
    #[error("{op}: {message}{}{}", placed(at), shown(hint))]
    Derivative {
        /// The transform or the operation.
        op: String,
        /// What is wrong.
        message: String,
        /// The user's line.
        at: Option<SourceId>,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A loop ran to its limit of steps.
    #[error(
        "loop: more than {limit} steps{}; raise the limit if the loop is meant to go on",
        placed(at)
    )]
    MaxSteps {
        /// The limit.
        limit: u64,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// What was said to hold at run time does not.
    #[error("check: {message}{}", placed(at))]
    Check {
        /// What should hold.
        message: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// A function of the host failed.
    #[error("pure_callback: {message}, at {at}")]
    Callback {
        /// What is wrong.
        message: String,
        /// The user's line.
        at: SourceId,
    },
    /// The function that was traced panicked.
    #[error(
        "the function panicked: {message}, in what is written at {at}{}",
        panicked(place)
    )]
    Panic {
        /// What it panicked with.
        message: String,
        /// The innermost call around it: the branch, the loop, the transform, or the call to `jit`.
        at: SourceId,
        /// The line that panicked, if it is not one of Rust's own.
        place: Option<SourceId>,
    },
    /// Calls of compiled functions inside of one another, through functions that are being traced or
    /// through `pure_callback`, went deeper than the stack is meant for.
    #[error(
        "{op}: {limit} calls of compiled functions inside of one another, at {at}; use `while_loop` or \
         `scan` to repeat"
    )]
    Depth {
        /// What was called: `jit`, say.
        op: String,
        /// How many may be.
        limit: usize,
        /// The user's line.
        at: SourceId,
    },
    /// What loops of unknown length piled up for the derivative outgrew its limit.
    #[error(
        "residuals of a loop need {need} bytes, and the limit is {limit}{}",
        placed(at)
    )]
    Memory {
        /// Bytes that were needed.
        need: u64,
        /// Bytes that are allowed.
        limit: u64,
        /// The line of the loop that needed them.
        at: Option<SourceId>,
    },
    /// The system has not got the memory for a value.
    #[error("{op}: there is no memory for {what}, {need} bytes{}", placed(at))]
    NoMemory {
        /// The operation; `call` for what the code of a whole function needs.
        op: String,
        /// What the memory was asked for: a type, say.
        what: String,
        /// Bytes that were asked for.
        need: u64,
        /// The user's line, where it is known.
        at: Option<SourceId>,
    },
    /// A function was called while it was being traced.
    #[error(
        "{op}: the function calls itself while it is being traced, at {at}; use `while_loop` or `scan` to repeat"
    )]
    Reentrant {
        /// What was called: `jit`, say.
        op: String,
        /// The user's line.
        at: SourceId,
    },
    /// A text that is not a program.
    #[error("line {line}: {message}")]
    Parse {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A program that breaks a rule of the IR. A user meets it only through a custom operation or
    /// a program in text form.
    #[error("not a valid program: {message}")]
    Invalid {
        /// Which rule, and where.
        message: String,
    },
    /// Values of another kind than was asked for.
    #[error("{op}: {message}{}", placed(at))]
    Value {
        /// The operation.
        op: String,
        /// What is wrong.
        message: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// No machine code could be made.
    #[error("compile: {message}")]
    Compile {
        /// What is wrong.
        message: String,
    },
}

impl Error {
    /// The line of the program that is to blame, where one is known: `error.at().map(|at| at.place().line)`.
    pub fn at(&self) -> Option<SourceId> {
        match self {
            Error::Type { at, .. }
            | Error::Escaped { used: at, .. }
            | Error::OtherFunction { used: at, .. }
            | Error::NoTrace { at, .. }
            | Error::Tree { at, .. }
            | Error::Callback { at, .. }
            | Error::Depth { at, .. }
            | Error::Reentrant { at, .. } => Some(*at),
            Error::Panic { at, place, .. } => Some(place.unwrap_or(*at)),
            Error::Derivative { at, .. }
            | Error::MaxSteps { at, .. }
            | Error::Check { at, .. }
            | Error::Memory { at, .. }
            | Error::NoMemory { at, .. }
            | Error::Argument { at, .. }
            | Error::Value { at, .. } => *at,
            Error::Parse { .. } | Error::Invalid { .. } | Error::Compile { .. } => None,
        }
    }

    /// The same error with the user's line, unless it has one.
    pub fn placed_at(mut self, source: SourceId) -> Error {
        if let Error::Argument { at, .. }
        | Error::Value { at, .. }
        | Error::Memory { at, .. }
        | Error::Check { at, .. }
        | Error::MaxSteps { at, .. }
        | Error::Derivative { at, .. }
        | Error::NoMemory { at, .. } = &mut self
        {
            // The lines are the user's, whether or not it is a derivative that fails there.
            at.get_or_insert(source.written());
        }
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// That many of something, in words: `1 axis`, `2 axes`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

fn panicked(place: &Option<SourceId>) -> String {
    match place {
        Some(at) => format!(" (the panic is at {at})"),
        None => String::new(),
    }
}

fn placed(at: &Option<SourceId>) -> String {
    match at {
        Some(at) => format!(", at {at}"),
        None => String::new(),
    }
}

/// What to do about an argument that a compiled function does not take.
fn elsewhere(path: &str) -> &'static str {
    match path.starts_with("args") {
        true => "; the code is for one signature, and `Jit::call` compiles for each",
        false => "",
    }
}

fn shown(hint: &Option<String>) -> String {
    match hint {
        Some(hint) => format!("; {hint}"),
        None => String::new(),
    }
}

/// `Result` with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a panic says, if it says anything.
pub fn said(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()))
}

thread_local! {
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
}

/// While one lives, its owner catches what [`raise`] raises on this thread, and makes a [`Result`] of it.
#[derive(Debug)]
pub struct Catches {
    /// It counts for the thread that made it.
    _here: PhantomData<*const ()>,
}

impl Catches {
    /// Until it is dropped.
    pub fn begin() -> Catches {
        CAUGHT.set(CAUGHT.get() + 1);
        Catches { _here: PhantomData }
    }

    /// Whether one lives on this thread.
    pub fn any() -> bool {
        CAUGHT.try_with(Cell::get).unwrap_or(0) > 0
    }
}

impl Drop for Catches {
    fn drop(&mut self) {
        // The thread may be ending.
        let _ = CAUGHT.try_with(|n| n.set(n.get() - 1));
    }
}

/// Leaves the function that is being traced. `jit` and `trace` catch it; where nobody does on this thread, it
/// is an ordinary panic.
pub fn raise(error: Error) -> ! {
    if Catches::any() {
        // Where a panic cannot be caught, the message would be lost: say it first.
        if cfg!(panic = "abort") {
            eprintln!("{error}");
        }
        std::panic::resume_unwind(Box::new(error))
    } else {
        panic!("{error}")
    }
}
