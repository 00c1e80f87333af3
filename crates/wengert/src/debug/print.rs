//! Printing while a function runs.

use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::Arc;

use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::buffer::{Slice, SliceMut};
use wengert_ir::error::{Error, TypeError, counted, raise, said};
use wengert_ir::ir::text::{Attribute, Attributes};
use wengert_ir::ir::{BitMatrix, Type};
use wengert_ir::loops::kernel::HostFunction;
use wengert_ir::ops::custom::custom;
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent};
use wengert_ir::panics::caught;
use wengert_ir::schedule::node::NodeId;
use wengert_ir::schedule::{Lowering, Wanted};
use wengert_ir::trace::{Var, current_source};

use crate::array::Array;
use crate::host::rows::{self, Batches};
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
            let print = Print {
                format: format.into(),
                batches: vec![],
            };
            custom(print, &leaves);
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

/// The printing operation. It has no result.
#[derive(Clone, Debug)]
struct Print {
    format: String,
    batches: Batches,
}

impl Print {
    /// Prints a line for each element of the batches.
    fn print(&self, operands: &[Dense]) -> Result<(), Error> {
        rows::each(&self.batches, operands, &mut |x| print_line(&self.line(x)))
    }

    fn line(&self, operands: &[Dense]) -> String {
        let pieces = pieces(&self.format).expect("it was read when it was recorded");
        let mut line = pieces[0].clone();
        for (x, piece) in operands.iter().zip(&pieces[1..]) {
            line += &Array::from_dense(x.clone()).to_string();
            line += piece;
        }
        line
    }
}

impl Primitive for Print {
    fn name(&self) -> Cow<'static, str> {
        "debug_print".into()
    }

    fn attributes(&self) -> Attributes {
        let mut all = vec![("format", Attribute::Name(self.format.clone()))];
        for (size, mapped) in &self.batches {
            all.push(("size", Attribute::Int(*size as i64)));
            all.push(("mapped", Attribute::Bools(mapped.clone())));
        }
        all
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs.iter().find(|ty| ty.shape.has_run()) {
            Some(ty) => Err(TypeError::new(format!("takes arrays, not {ty}"))),
            None => Ok(vec![]),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let operands: Vec<Dense> = inputs.iter().map(|b| b.dense().clone()).collect();
        self.print(&operands)?;
        Ok(vec![])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| false)
    }

    fn has_effect(&self) -> bool {
        true
    }

    fn runs_on_host(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn jvp(&self, x: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        custom(self.clone(), x);
        (vec![], vec![])
    }

    fn transpose(&self, inputs: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        vec![None; inputs.len()]
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], _: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let function = Printed {
            print: self.clone(),
            dims: x.iter().map(|&x| l.dims(x)).collect(),
        };
        l.host(Arc::new(function), x, &[])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let mapped = inputs.iter().map(|b| b.mapped).collect();
        let print = Print {
            format: self.format.clone(),
            batches: [&[(size, mapped)], &self.batches[..]].concat(),
        };
        let operands: Vec<Var> = inputs.iter().map(|b| b.value).collect();
        custom(print, &operands);
        vec![]
    }
}

/// The operation, specialised to the shapes of its operands.
#[derive(Debug)]
struct Printed {
    print: Print,
    dims: Vec<Vec<usize>>,
}

impl HostFunction for Printed {
    fn name(&self) -> String {
        self.print.name().into()
    }

    fn call(&self, inputs: &[Slice<'_>], _: &mut [SliceMut<'_>]) -> Result<(), Error> {
        let operands = inputs.iter().zip(&self.dims);
        let operands = operands.map(|(x, dims)| Dense::new(dims.clone(), x.to_data()));
        self.print.print(&operands.collect::<Vec<_>>())
    }
}
