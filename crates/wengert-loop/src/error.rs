//! Errors, worded for the user.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use crate::source::SourceId;
use crate::types::Type;
pub use crate::types::TypeError;

/// An error of this library: every mistake that can be made from outside. `Display` gives the complete message.
/// The variants exist to be matched, as in `Error::MaxSteps { .. }`, and [`Error::at`] returns the line of the
/// program. Variants and fields may be added.
///
/// `Debug` shows what `Display` shows, because that is what `main` prints of an error it returns, and what
/// `unwrap` and `expect` print: so the line of the program is seen there, where the names of the fields would
/// be of no use.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation was given types that it does not accept.
    #[error("{op}: {message}, at {at}{}", shown(hint))]
    #[non_exhaustive]
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
    /// A `Var` was used after its trace had been closed, or on another thread.
    #[error(
        "{op}: a Var made at {made} was used at {used}, where its trace is not open; a Var lives \
         only inside the function that is being traced: return it, or pass it as an argument to what uses \
         it (a compiled function takes it by `apply`)"
    )]
    #[non_exhaustive]
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
    #[non_exhaustive]
    OtherFunction {
        /// The operation.
        op: String,
        /// Where the `Var` was made.
        made: SourceId,
        /// Where its function was given to `jit` or `trace`.
        outer: SourceId,
        /// Where it was used.
        used: SourceId,
        /// Where the function that used it was given to `jit` or `trace`.
        inner: SourceId,
    },
    /// An operation was called while no function was being traced on this thread.
    #[error(
        "{op}: no trace is open on this thread, at {at}; operations on Vars are recorded inside a \
         function given to `jit` or `trace`"
    )]
    #[non_exhaustive]
    NoTrace {
        /// The operation.
        op: String,
        /// The user's line.
        at: SourceId,
    },
    /// An argument of a compiled function does not match.
    #[error(
        "{op}: {path}: expected {expected}, got {got}{}{}",
        placed(at),
        elsewhere(path)
    )]
    #[non_exhaustive]
    Argument {
        /// The function that was called, such as `call` or `call_into`.
        op: String,
        /// The leaf, as a path from the arguments.
        path: String,
        /// The expected type or structure.
        expected: String,
        /// The type or structure that was given.
        got: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// Two trees that must have one structure differ.
    #[error("{op}: {message}, at {at}")]
    #[non_exhaustive]
    Tree {
        /// The operation.
        op: String,
        /// Where and how they differ.
        message: String,
        /// The user's line.
        at: SourceId,
    },
    /// A derivative was requested that does not exist.
    #[error("{op}: {message}{}{}", placed(at), shown(hint))]
    #[non_exhaustive]
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
    /// A loop reached its limit of steps.
    #[error(
        "{op}: more than {limit} steps{}; raise the limit if the loop is meant to go on",
        placed(at)
    )]
    #[non_exhaustive]
    MaxSteps {
        /// The operation, such as `while_loop`.
        op: String,
        /// The limit.
        limit: u64,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// A condition checked at run time does not hold.
    #[error("check: {message}{}", placed(at))]
    #[non_exhaustive]
    Check {
        /// The condition.
        message: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// A host function failed.
    #[error("pure_callback: {message}, at {at}")]
    #[non_exhaustive]
    Callback {
        /// What is wrong.
        message: String,
        /// The user's line.
        at: SourceId,
    },
    /// The traced function panicked.
    #[error(
        "the function panicked: {message}, in what is written at {at}{}",
        panicked(place)
    )]
    #[non_exhaustive]
    Panic {
        /// The message of the panic.
        message: String,
        /// The innermost call around it: the branch, the loop, the transform, or the call to `jit`.
        at: SourceId,
        /// The line that panicked, unless it is in Rust's standard library.
        place: Option<SourceId>,
    },
    /// Calls of compiled functions, nested through functions being traced or through `pure_callback`, exceeded
    /// the depth that the stack allows.
    #[error(
        "{op}: {limit} calls of compiled functions inside of one another, at {at}; use `while_loop` or \
         `scan` to repeat"
    )]
    #[non_exhaustive]
    Depth {
        /// The function that was called, such as `jit`.
        op: String,
        /// The limit on nested calls.
        limit: usize,
        /// The user's line.
        at: SourceId,
    },
    /// Loops of unknown length exceeded the limit on memory for their derivatives.
    #[error(
        "residuals of a loop need {need} bytes, and the limit is {limit}{}",
        placed(at)
    )]
    #[non_exhaustive]
    Memory {
        /// Bytes that were needed.
        need: u64,
        /// Bytes that are allowed.
        limit: u64,
        /// The line of the loop that needed them.
        at: Option<SourceId>,
    },
    /// There is no memory for a value.
    #[error("{op}: there is no memory for {what}, {need} bytes{}", placed(at))]
    #[non_exhaustive]
    NoMemory {
        /// The operation; `call` for memory that the code of a whole function needs.
        op: String,
        /// What the memory was requested for, such as a type.
        what: String,
        /// Bytes that were requested.
        need: u64,
        /// The user's line, if it is known.
        at: Option<SourceId>,
    },
    /// A function was called while it was being traced.
    #[error(
        "{op}: the function calls itself while it is being traced, at {at}; use `while_loop` or `scan` to repeat"
    )]
    #[non_exhaustive]
    Reentrant {
        /// The function that was called, such as `jit`.
        op: String,
        /// The user's line.
        at: SourceId,
    },
    /// A text does not parse as a program.
    #[error("line {line}: {message}")]
    #[non_exhaustive]
    Parse {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A program breaks a rule of the IR. A user meets this error only through a custom operation or a program
    /// in text form.
    #[error("not a valid program: {message}")]
    #[non_exhaustive]
    Invalid {
        /// The rule, and where it is broken.
        message: String,
    },
    /// Values have another type than was requested.
    #[error("{op}: {message}{}", placed(at))]
    #[non_exhaustive]
    Value {
        /// The operation.
        op: String,
        /// What is wrong.
        message: String,
        /// The user's line.
        at: Option<SourceId>,
    },
    /// Machine code could not be generated.
    #[error("compile: {message}")]
    #[non_exhaustive]
    Compile {
        /// What is wrong.
        message: String,
    },
}

/// Defines functions that make errors, with an argument for each field.
macro_rules! made_of {
    ($($(#[$note:meta])* $name:ident: $variant:ident($($field:ident: $of:ty),*),)*) => {
        impl Error {$(
            $(#[$note])*
            pub fn $name($($field: impl Into<$of>),*) -> Error {
                Error::$variant { $($field: $field.into()),* }
            }
        )*}
    };
}

made_of! {
    #[doc(hidden)]
    escaped: Escaped(op: String, made: SourceId, used: SourceId),
    #[doc(hidden)]
    other_function: OtherFunction(op: String, made: SourceId, outer: SourceId, used: SourceId, inner: SourceId),
    #[doc(hidden)]
    no_trace: NoTrace(op: String, at: SourceId),
    #[doc(hidden)]
    argument: Argument(op: String, path: String, expected: String, got: String, at: Option<SourceId>),
    #[doc(hidden)]
    tree: Tree(op: String, message: String, at: SourceId),
    #[doc(hidden)]
    max_steps: MaxSteps(op: String, limit: u64, at: Option<SourceId>),
    #[doc(hidden)]
    check: Check(message: String, at: Option<SourceId>),
    #[doc(hidden)]
    callback: Callback(message: String, at: SourceId),
    #[doc(hidden)]
    panic: Panic(message: String, at: SourceId, place: Option<SourceId>),
    #[doc(hidden)]
    depth: Depth(op: String, limit: usize, at: SourceId),
    #[doc(hidden)]
    memory: Memory(need: u64, limit: u64, at: Option<SourceId>),
    #[doc(hidden)]
    no_memory: NoMemory(op: String, what: String, need: u64, at: Option<SourceId>),
    #[doc(hidden)]
    reentrant: Reentrant(op: String, at: SourceId),
    #[doc(hidden)]
    parse: Parse(line: usize, message: String),
    #[doc(hidden)]
    invalid: Invalid(message: String),
    /// Makes an [`Error::Value`], as a custom operation returns it. The line is added where it is known.
    value: Value(op: String, message: String, at: Option<SourceId>),
    #[doc(hidden)]
    compile: Compile(message: String),
}

impl Error {
    /// Makes an [`Error::Derivative`] with a suggestion.
    #[doc(hidden)]
    pub fn derivative(
        op: impl Into<String>,
        message: impl Into<String>,
        at: impl Into<Option<SourceId>>,
        hint: impl Into<String>,
    ) -> Error {
        Error::Derivative {
            op: op.into(),
            message: message.into(),
            at: at.into(),
            hint: Some(hint.into()),
        }
    }

    /// Returns the line of the program that caused the error, if it is known: `error.at().map(|at|
    /// at.place().line)`.
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

    /// Adds the user's line, unless the error has one.
    pub fn placed_at(mut self, source: SourceId) -> Error {
        if let Error::Argument { at, .. }
        | Error::Value { at, .. }
        | Error::Memory { at, .. }
        | Error::Check { at, .. }
        | Error::MaxSteps { at, .. }
        | Error::Derivative { at, .. }
        | Error::NoMemory { at, .. } = &mut self
        {
            // The user's line, also if a derivative of what is written there fails.
            at.get_or_insert(source.written());
        }
        self
    }
}

impl TypeError {
    /// Converts to the error of an operation on operands of these types.
    #[doc(hidden)]
    pub fn error(self, op: impl Into<String>, types: Vec<Type>, at: SourceId) -> Error {
        Error::Type {
            op: op.into(),
            types,
            message: self.message,
            at,
            hint: self.hint,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Formats a count with its noun: `1 axis`, `2 axes`.
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

/// Suggests what to do about an argument that a compiled function does not accept.
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

/// Returns the message of a panic, if it has one.
pub fn said(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()))
}

thread_local! {
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
}

/// A guard: while one exists, its owner catches the errors that [`raise`] raises on this thread and returns
/// them.
#[derive(Debug)]
pub struct Catches {
    /// Not `Send`: it counts for the thread that made it.
    _here: PhantomData<*const ()>,
}

impl Catches {
    /// Starts catching, until the guard is dropped.
    pub fn begin() -> Catches {
        CAUGHT.set(CAUGHT.get() + 1);
        Catches { _here: PhantomData }
    }

    /// Returns whether a guard exists on this thread.
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

/// Aborts the function that is being traced. `jit` and `trace` catch the error; where nothing catches it on
/// this thread, it is an ordinary panic.
pub fn raise(error: Error) -> ! {
    if Catches::any() {
        // If panics cannot be caught, the message would be lost, so print it first.
        if cfg!(panic = "abort") {
            eprintln!("{error}");
        }
        std::panic::resume_unwind(Box::new(error))
    } else {
        panic!("{error}")
    }
}
