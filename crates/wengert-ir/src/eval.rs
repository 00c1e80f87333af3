//! The interpreter: a function, equation by equation. The oracle for everything compiled.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::buffer::{Buffer, Dense, NoMemory};
use crate::error::{Error, Result};
use crate::ir::{Atom, Dim, Func, Splat, Type};

/// The results of a function at those arguments.
///
/// # Errors
/// If an argument does not have the type of its parameter, an operation fails at run time, or there is
/// no memory for a value.
pub fn eval(func: &Func, args: &[Buffer]) -> Result<Vec<Buffer>> {
    if args.len() != func.arity() {
        return Err(Error::Value {
            op: "eval".into(),
            message: format!("{} arguments for {} parameters", args.len(), func.arity()),
        });
    }
    for (i, (arg, ty)) in args.iter().zip(func.param_types()).enumerate() {
        if !arg.fits(ty) {
            return Err(Error::Value {
                op: "eval".into(),
                message: format!("argument {i} is not a {ty}"),
            });
        }
    }
    let _running = Running::begun();
    within_memory(|| "eval".into(), || run(func, args.to_vec()))
}

/// An evaluation, until it is dropped: also by a panic.
struct Running;

impl Running {
    fn begun() -> Running {
        RUNNING.set(RUNNING.get() + 1);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get() - 1);
    }
}

thread_local! {
    /// How many evaluations run on this thread, one inside the other.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// Whether a function is being evaluated on this thread.
pub(crate) fn is_running() -> bool {
    RUNNING.get() > 0
}

/// Runs `f`; that there is no memory for a value is an error of `op`.
fn within_memory<T>(
    op: impl FnOnce() -> Cow<'static, str>,
    f: impl FnOnce() -> Result<T>,
) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| match payload.downcast() {
        Ok(none) => Err(NoMemory::error(*none, &op(), None)),
        Err(other) => resume_unwind(other),
    })
}

/// The same for arguments whose types are known to fit.
pub(crate) fn run(func: &Func, args: Vec<Buffer>) -> Result<Vec<Buffer>> {
    let mut values = args;
    let get = |values: &[Buffer], atom: &Atom| match atom {
        Atom::Var(id) => values[*id as usize].clone(),
        Atom::Lit(splat) => Buffer::splat(*splat),
    };
    for eqn in &func.eqns {
        let evaluated = within_memory(
            || eqn.op.name(),
            || {
                let inputs: Vec<Buffer> = eqn.inputs.iter().map(|a| get(&values, a)).collect();
                // Before a loop has run for long whose results there is no memory for.
                let outputs = eqn.outputs.clone().map(|o| &func.types[o as usize]);
                outputs
                    .filter(|ty| !ty.shape.has_run())
                    .try_for_each(has_room)?;
                eqn.op.eval(&inputs)
            },
        );
        let outputs = evaluated.map_err(|e| e.placed_at(eqn.source))?;
        debug_assert_eq!(outputs.len(), eqn.outputs.len(), "{}", eqn.op.name());
        debug_assert!(
            eqn.outputs
                .clone()
                .zip(&outputs)
                .all(|(o, v)| v.fits(&func.types[o as usize])),
            "{} gave a value of another type than it said",
            eqn.op.name()
        );
        values.extend(outputs);
    }
    Ok(func.results.iter().map(|a| get(&values, a)).collect())
}

/// Asks the system for as much memory as a large value takes, and gives it back.
fn has_room(ty: &Type) -> Result<()> {
    const LARGE: usize = 1 << 20;
    let (len, bytes) = (ty.size(), ty.size().saturating_mul(ty.dtype.bytes()));
    if bytes < LARGE || Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    let dtype = ty.dtype;
    NoMemory { dtype, len }.raise()
}

impl Buffer {
    /// The value of a literal.
    pub fn splat(splat: Splat) -> Buffer {
        Buffer::filled(splat.ty(), splat.bits)
    }

    /// Zeros; an empty list on a run-time axis.
    pub fn zeros(ty: &Type) -> Buffer {
        Buffer::filled(ty, 0)
    }

    fn filled(ty: &Type, bits: u64) -> Buffer {
        if !ty.shape.has_run() {
            return Buffer::Dense(Dense::splat(ty.dtype, ty.dims(), bits));
        }
        Buffer::list(match ty.shape.0[0] {
            Dim::Run => vec![],
            Dim::N(n) => vec![Buffer::filled(&ty.row(), bits); n],
        })
    }

    /// A list of rows.
    pub fn list(rows: Vec<Buffer>) -> Buffer {
        Buffer::List(Arc::new(rows))
    }

    /// Whether this is a value of that type.
    pub fn fits(&self, ty: &Type) -> bool {
        match self {
            Buffer::Dense(d) => !ty.shape.has_run() && d.ty() == *ty,
            Buffer::List(rows) => {
                ty.shape.has_run()
                    && (ty.shape.0[0] == Dim::Run || ty.shape.0[0] == Dim::N(rows.len()))
                    && rows.iter().all(|r| r.fits(&ty.row()))
            }
        }
    }

    /// The array.
    ///
    /// # Panics
    /// If it is a list; the type rules tell which it is.
    pub fn dense(&self) -> &Dense {
        match self {
            Buffer::Dense(d) => d,
            Buffer::List(_) => panic!("an array, not a list of rows"),
        }
    }

    /// Row `i` along the first axis, given the type of a row: an empty list on a run-time axis reads
    /// as zeros.
    pub fn row(&self, i: usize, row: &Type) -> Buffer {
        match self {
            Buffer::List(rows) if rows.is_empty() => Buffer::zeros(row),
            Buffer::List(rows) => rows[i].clone(),
            Buffer::Dense(d) => {
                let n: usize = d.dims[1..].iter().product();
                Buffer::Dense(Dense::new(
                    d.dims[1..].to_vec(),
                    d.data.pick(i * n..(i + 1) * n),
                ))
            }
        }
    }

    /// Rows of type `row`, one after the other along a new first axis of length `n`.
    pub fn stack(rows: Vec<Buffer>, row: &Type, n: Dim) -> Buffer {
        if n == Dim::Run || row.shape.has_run() {
            return Buffer::list(rows);
        }
        let mut dims = vec![rows.len()];
        dims.extend(row.dims());
        let mut data = crate::buffer::Data::zeros(row.dtype, 0);
        for r in &rows {
            data.extend(&r.dense().data);
        }
        Buffer::Dense(Dense::new(dims, data))
    }
}
