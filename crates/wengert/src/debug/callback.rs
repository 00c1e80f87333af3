//! A Rust function that watches values while a traced function runs.

use std::fmt::{self, Debug};
use std::panic::resume_unwind;
use std::sync::Arc;

use wengert_ir::buffer::Dense;
use wengert_ir::error::{Error, said};
use wengert_ir::ir::text::Attribute;
use wengert_ir::panics::caught;
use wengert_ir::source::SourceId;
use wengert_ir::trace::{Var, current_source};

use super::observe::{Observer, observe};
use crate::array::Array;
use crate::tree::{self, Tree, TreeDef};

/// Calls a Rust function with values whenever the traced function computes them: for a progress bar, a log, a
/// plot that follows a simulation.
///
/// The calls are in program order: those of a loop step by step, those of a [`vmap`](crate::vmap) one per
/// element of the batch. A batch with such calls therefore runs one element at a time. The call has no result
/// and no derivative, and a function that is computed twice, as under [`checkpoint`](crate::checkpoint), makes
/// it twice. For a Rust function with results, see [`pure_callback`](crate::pure_callback).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use wengert::prelude::*;
///
/// let seen = Arc::new(Mutex::new(vec![]));
/// let log = seen.clone();
/// let f = jit(move |x: Var| {
///     let log = log.clone();
///     fori(0..3, x, move |i, x| {
///         let log = log.clone();
///         wengert::debug_callback(move |(i, x): (Array, Array)| {
///             log.lock().unwrap().push((i.item::<i64>().unwrap(), x.item::<f64>().unwrap()));
///         }, (i, x));
///         2.0 * x
///     })
/// });
/// assert_eq!(f.call(1.0)?.item::<f64>()?, 8.0);
/// assert_eq!(*seen.lock().unwrap(), [(0, 1.0), (1, 2.0), (2, 4.0)]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// A panic of `f` with a message makes the call return an [`Error::Callback`] with the line of this call.
#[track_caller]
pub fn debug_callback<X, F>(f: F, x: X)
where
    X: Tree<Leaf = Var>,
    F: Fn(X::With<Array>) + Send + Sync + 'static,
{
    let (leaves, def) = tree::flatten(x);
    let watch = Watch {
        at: current_source(),
        call: Box::new(move |operands| {
            let leaves = operands.iter().map(|x| Array::from_dense(x.clone()));
            f(unflattened(&def, leaves)?);
            Ok(())
        }),
    };
    observe(Arc::new(watch), &leaves);
}

fn unflattened<T: Tree<Leaf = Array>>(
    def: &TreeDef,
    leaves: impl Iterator<Item = Array>,
) -> Result<T, Error> {
    tree::unflatten(def, leaves)
}

type Call = Box<dyn Fn(&[Dense]) -> Result<(), Error> + Send + Sync>;

struct Watch {
    call: Call,
    at: SourceId,
}

impl Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({:?})", self.at)
    }
}

impl Observer for Watch {
    fn name(&self) -> &'static str {
        "debug_callback"
    }

    fn attribute(&self) -> (&'static str, Attribute) {
        // A closure has no text; its address tells it from others.
        ("function", Attribute::Int(&raw const *self as i64))
    }

    fn see(&self, operands: &[Dense]) -> Result<(), Error> {
        match caught(|| (self.call)(operands)) {
            Ok(done) => done,
            Err(panic) => match said(&*panic.payload) {
                Some(said) => {
                    let message = format!("the function panicked: {said}");
                    Err(Error::callback(message, self.at))
                }
                None => resume_unwind(panic.payload),
            },
        }
    }
}
