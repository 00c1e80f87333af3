//! Printing while a function runs.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::Arc;

use wengert_ir::buffer::Dense;
use wengert_ir::error::{Error, counted, raise, said};
use wengert_ir::ir::text::Attribute;
use wengert_ir::panics::caught;
use wengert_ir::trace::current_source;

use super::observe::{Observer, observe};
use crate::array::Array;
use crate::tree::{self, IntoTree};

/// A consumer of the lines that a running function prints.
pub(crate) type Printer = Arc<dyn Fn(&str) + Send + Sync>;

thread_local! {
    /// The printer of the call running on this thread; without one, lines go to standard output.
    static PRINTER: RefCell<Option<Printer>> = const { RefCell::new(None) };
}

/// Runs `f` with its lines going to `printer`.
#[inline]
pub(crate) fn printing<R>(printer: Option<&Printer>, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Printer>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PRINTER.set(self.0.take());
        }
    }
    let Some(printer) = printer else { return f() };
    let _restore = Restore(PRINTER.replace(Some(printer.clone())));
    f()
}

/// # Errors
/// If the printer panics with a message. A panic with another payload is propagated.
fn print_line(line: &str) -> Result<(), Error> {
    let Some(printer) = PRINTER.with_borrow(Option::clone) else {
        println!("{line}");
        return Ok(());
    };
    caught(|| printer(line)).map_err(|panic| match said(&*panic.payload) {
        Some(said) => Error::value("on_print", format!("the printer panicked: {said}"), None),
        None => resume_unwind(panic.payload),
    })
}

/// Prints a line when the function runs, with the leaves of `args` in place of the `{}`, in order. Numbers and
/// arrays are formatted as [`Array`] formats them. `{{` and `}}` stand for braces.
///
/// Lines appear in program order: those of a loop step by step, those of a [`vmap`](crate::vmap) one per
/// element of the batch, in order. A batch that prints therefore runs one element at a time, and much slower
/// than one that does not. Printing has no derivative and changes none; a function that is computed twice, as
/// under [`checkpoint`](crate::checkpoint), prints twice. Lines go to standard output, or to the printer given
/// to [`Jit::on_print`](crate::Jit::on_print).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     let y = x.sin();
///     debug_print("sin({}) = {}", (x, y));
///     y
/// });
/// f.call(0.0)?; // sin(0.0) = 0.0
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If the number of `{}` differs from the number of leaves.
#[track_caller]
pub fn debug_print<I: IntoTree>(format: &str, args: I) {
    let leaves = tree::flatten(args.into_tree()).0;
    let message = match pieces(format) {
        Some(pieces) if pieces.len() == leaves.len() + 1 => {
            let format = format.into();
            observe(Arc::new(Print { format }), &leaves);
            return;
        }
        Some(pieces) => format!(
            "{} {{}} for {}",
            pieces.len() - 1,
            counted(leaves.len(), "leaf", "leaves")
        ),
        None => "only {} stands for a leaf, and {{ and }} for braces".into(),
    };
    raise(Error::tree(
        "debug_print",
        format!("{message}, in {format:?}"),
        current_source(),
    ));
}

/// Splits the format at its `{}`. Returns `None` if it has other braces.
fn pieces(format: &str) -> Option<Vec<String>> {
    let mut pieces = vec![String::new()];
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('{', Some('}')) => {
                chars.next();
                pieces.push(String::new());
                continue;
            }
            ('{', Some('{')) | ('}', Some('}')) => {
                chars.next();
            }
            ('{' | '}', _) => return None,
            _ => {}
        }
        pieces.last_mut()?.push(c);
    }
    Some(pieces)
}

/// A line with places for values.
#[derive(Debug)]
struct Print {
    format: String,
}

impl Observer for Print {
    fn name(&self) -> &'static str {
        "debug_print"
    }

    fn attribute(&self) -> (&'static str, Attribute) {
        ("format", Attribute::Name(self.format.clone()))
    }

    fn see(&self, operands: &[Dense]) -> Result<(), Error> {
        let pieces = pieces(&self.format).expect("it was read when it was recorded");
        let mut line = pieces[0].clone();
        for (x, piece) in operands.iter().zip(&pieces[1..]) {
            line += &Array::from_dense(x.clone()).to_string();
            line += piece;
        }
        print_line(&line)
    }
}
