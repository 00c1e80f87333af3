//! The stack of open traces, and the choice of the trace that records an operation.

mod close;
mod record;
mod sources;
mod weak;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::buffer::Dense;
use crate::error::{Catches, Error, raise};
use crate::ir::{Eqn, Func, Splat, Type};
use crate::source::SourceId;
use crate::trace::Var;
use crate::trace::var::Repr;

use record::Seen;
pub(crate) use record::definition;
pub use record::{bind, bind1};
pub use sources::{asked_at, current_source, inside, place_of, source_at, with_source};
pub use weak::{is_weak, weaken};

/// The role of a trace in the placement of operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The border between traced and concrete values: a barrier through which no `Var` is visible.
    Door,
    /// The body of something that may not run, or that must not share what it computes with the outside.
    Barrier,
    /// A body that runs at least once: an operation that depends on none of its values is recorded outside.
    Plain,
    /// A trace of tangents: an operation that involves none of them is recorded outside.
    Linear,
}

struct Trace {
    id: u32,
    kind: Kind,
    source: SourceId,
    types: Vec<Type>,
    sources: Vec<SourceId>,
    params: Vec<u32>,
    eqns: Vec<Eqn>,
    /// Values of outer traces; each is a hidden parameter of this trace.
    captures: Vec<(Var, u32)>,
    captured: HashMap<(u32, u32), u32>,
    /// Arrays used in the trace; each is a hidden parameter of the surrounding function.
    arrays: Vec<(Dense, u32)>,
    seen: Seen,
    /// The weak values, whose element type adapts to others: see [`weaken`].
    weak: HashSet<u32>,
}

impl Trace {
    fn value(&mut self, ty: Type, source: SourceId) -> u32 {
        let id = self.types.len() as u32;
        self.types.push(ty);
        self.sources.push(source);
        id
    }

    fn var(&self, id: u32) -> Var {
        Var(Repr::Traced {
            trace: self.id,
            id,
            source: self.sources[id as usize],
            masked: false,
        })
    }
}

thread_local! {
    static STACK: RefCell<Vec<Trace>> = const { RefCell::new(vec![]) };
    /// The place at which the innermost trace was opened that a panic has unwound.
    static LEFT: Cell<Option<SourceId>> = const { Cell::new(None) };
}

static NEXT_TRACE: AtomicU32 = AtomicU32::new(1);

/// A trace that is being recorded. Dropping it, as when an error unwinds, closes it and all traces inside it.
#[derive(Debug)]
pub struct OpenTrace {
    index: usize,
    id: u32,
    /// Present for a [`Kind::Door`]: whoever opens one turns what is raised inside into a `Result`.
    caught: Option<Catches>,
}

impl Drop for OpenTrace {
    fn drop(&mut self) {
        // Dropping traces runs no user code, but they are dropped outside the borrow anyway.
        let dropped = STACK.with_borrow_mut(|s| s.split_off(self.index.min(s.len())));
        if std::thread::panicking() && LEFT.get().is_none() {
            LEFT.set(dropped.last().map(|t| t.source));
        }
        drop(dropped);
    }
}

/// A closed trace. The function's parameters are those that the trace was opened with, then its captures, then its
/// arrays.
#[derive(Debug)]
pub struct Closed {
    /// The recorded function.
    pub func: Func,
    /// The outer values that it uses, in the order of the parameters after its own.
    pub captures: Vec<Var>,
    /// The arrays that it uses; only a [`Kind::Door`] has any.
    pub arrays: Vec<Dense>,
}

/// Returns the place at which the innermost trace was opened that a panic has unwound since the last call.
pub fn left_at() -> Option<SourceId> {
    LEFT.take()
}

/// Returns the number of open traces on this thread.
pub fn depth() -> usize {
    STACK.with_borrow(|s| s.len())
}

/// Returns whether a [`Kind::Door`] is open on this thread.
pub fn door_open() -> bool {
    let door = |s: &RefCell<Vec<Trace>>| s.borrow().iter().any(|t| t.kind == Kind::Door);
    STACK.try_with(door).unwrap_or(false)
}

/// Raises the error for a value with more elements than memory has addresses. Every type in a trace has passed
/// this check or that of [`bind`], so that sizes and positions in memory can be computed without checking for
/// overflow.
#[track_caller]
pub(crate) fn refuse_size(op: &str, ty: &Type) -> ! {
    raise(size_error(op, ty))
}

#[track_caller]
fn size_error(op: &str, ty: &Type) -> Error {
    let error = ty
        .check_size()
        .expect_err("it has been found to be too large");
    error.error(op, vec![ty.clone()], current_source())
}

/// Opens a trace with parameters of the given types.
///
/// # Errors
/// If a type has more elements than memory has addresses.
#[track_caller]
pub fn open(kind: Kind, params: &[Type]) -> (OpenTrace, Vec<Var>) {
    let source = current_source();
    if let Some(i) = params.iter().position(|ty| ty.check_size().is_err()) {
        let error = size_error(&format!("argument {i}"), &params[i]);
        match kind {
            // Whoever opens a `Kind::Door` catches the error.
            Kind::Door => std::panic::resume_unwind(Box::new(error)),
            _ => raise(error),
        }
    }
    let id = NEXT_TRACE.fetch_add(1, Ordering::Relaxed);
    STACK.with_borrow_mut(|s| {
        let mut trace = Trace {
            id,
            kind,
            source,
            types: vec![],
            sources: vec![],
            params: vec![],
            eqns: vec![],
            captures: vec![],
            captured: HashMap::new(),
            arrays: vec![],
            seen: Seen::default(),
            weak: HashSet::new(),
        };
        for ty in params {
            let id = trace.value(ty.clone(), source);
            trace.params.push(id);
        }
        let vars = trace.params.iter().map(|&id| trace.var(id)).collect();
        s.push(trace);
        let index = s.len() - 1;
        let caught = (kind == Kind::Door).then(Catches::begin);
        let open = OpenTrace { index, id, caught };
        (open, vars)
    })
}

/// Traces `f` and closes the trace.
#[track_caller]
pub fn closed(kind: Kind, params: &[Type], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Closed {
    let (trace, vars) = open(kind, params);
    let results = f(&vars);
    trace.close(&results)
}

/// Returns the index of the open trace with this id, if it is visible: not beyond the innermost [`Kind::Door`].
fn find(stack: &[Trace], id: u32) -> Option<usize> {
    for (i, t) in stack.iter().enumerate().rev() {
        if t.id == id {
            return Some(i);
        }
        if t.kind == Kind::Door {
            return None;
        }
    }
    None
}

/// Returns the error that explains why a `Var` cannot be used here.
fn unseen(stack: &[Trace], op: &str, trace: u32, made: SourceId, used: SourceId) -> Error {
    let op = op.to_string();
    let door = |i: usize| {
        stack[..=i]
            .iter()
            .rfind(|t| t.kind == Kind::Door)
            .map(|t| t.source)
    };
    let outer = stack.iter().position(|t| t.id == trace).and_then(door);
    let inner = stack.len().checked_sub(1).and_then(door);
    match (outer, inner) {
        (Some(outer), Some(inner)) => Error::other_function(op, made, outer, used, inner),
        _ => Error::escaped(op, made, used),
    }
}

/// Returns the type of a value, unless its trace is not open here.
pub(crate) fn known_type(var: Var) -> Option<Type> {
    match var.0 {
        Repr::Literal(splat) => Some(splat.ty().clone()),
        Repr::Traced { trace, id, .. } => STACK.with_borrow(|s| {
            let trace = &s[find(s, trace)?];
            Some(trace.types[id as usize].clone())
        }),
    }
}

#[track_caller]
pub(crate) fn type_of(var: Var) -> Type {
    match (known_type(var), var.0) {
        (Some(ty), _) => ty,
        (None, Repr::Traced { trace, source, .. }) => {
            let used = current_source();
            raise(STACK.with_borrow(|s| unseen(s, "use of a Var", trace, source, used)))
        }
        (None, Repr::Literal(_)) => unreachable!("a literal has its type"),
    }
}

/// Makes an array a constant of the traced function: a hidden parameter, which is never part of the text or the code.
#[track_caller]
pub fn captured_array(array: &Dense) -> Var {
    let source = current_source();
    if array.dims.is_empty() {
        return Var::literal(Splat::new(&array.ty(), array.data.bits(0)));
    }
    if array.ty().check_size().is_err() {
        refuse_size("use of an Array", &array.ty());
    }
    let var = STACK.with_borrow_mut(|s| {
        let door = s.iter().rposition(|t| t.kind == Kind::Door)?;
        let door = &mut s[door];
        let same = |a: &Dense| std::sync::Arc::ptr_eq(&a.data, &array.data) && a.dims == array.dims;
        let id = match door.arrays.iter().find(|(a, _)| same(a)) {
            Some((_, id)) => *id,
            None => {
                let id = door.value(array.ty(), source);
                door.arrays.push((array.clone(), id));
                id
            }
        };
        Some(door.var(id))
    });
    var.unwrap_or_else(|| raise(Error::no_trace("use of an Array", source)))
}

impl OpenTrace {
    /// Returns whether a value belongs to this trace.
    pub fn owns(&self, var: Var) -> bool {
        var.trace_number() == Some(self.id)
    }

    /// Returns the index of a value of this trace.
    pub fn id_of(&self, var: Var) -> Option<usize> {
        match var.0 {
            Repr::Traced { trace, id, .. } if trace == self.id => Some(id as usize),
            _ => None,
        }
    }

    /// Adds a parameter after the existing ones.
    ///
    /// # Errors
    /// If the type has more elements than memory has addresses.
    #[track_caller]
    pub fn param(&self, ty: Type) -> Var {
        if ty.check_size().is_err() {
            refuse_size("parameter", &ty);
        }
        STACK.with_borrow_mut(|s| {
            let trace = &mut s[self.index];
            let source = trace.source;
            let id = trace.value(ty, source);
            trace.params.push(id);
            trace.var(id)
        })
    }
}
