//! The stack of open traces, and the choice of the trace that records an operation.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::buffer::Dense;
use crate::error::{Catches, Error, raise};
use crate::ir::{Atom, Atoms, DType, Eqn, Func, Splat, Type};
use crate::ops::{Op, fold};
use crate::source::SourceId;
use crate::trace::Var;
use crate::trace::var::Repr;

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

/// The index of the first equation with each hash of an operation and its operands, so that equal equations are recorded
/// once. The table does not store the equations a second time, because a long trace has many. An equation whose hash
/// collides with that of a different one is not shared.
type Seen = HashMap<u64, u32, BuildHasherDefault<Hashed>>;

/// A hasher for keys that are already hashes: returns the key unchanged.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        unreachable!("{bytes:?} are not a hash");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
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
    /// The source of the equation that a transform is replaying, for everything that its rule records.
    static REPLAYED: Cell<Option<SourceId>> = const { Cell::new(None) };
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

/// Runs `f` and attributes everything that it records to `source`.
pub fn with_source<R>(source: SourceId, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<SourceId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            REPLAYED.set(self.0);
        }
    }
    let _restore = Restore(REPLAYED.replace(Some(source)));
    f()
}

/// Runs `f` as if no equation were being replayed, for a user's function that a rule
/// calls.
pub fn inside<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Option<SourceId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            REPLAYED.set(self.0);
        }
    }
    let _restore = Restore(REPLAYED.replace(None));
    f()
}

/// Returns the source of the operation that is being recorded: the caller's line, inside the innermost open trace.
#[track_caller]
pub fn current_source() -> SourceId {
    source_at(Location::caller())
}

/// Returns the source of an operation that was called at `location`.
pub fn source_at(location: &'static Location<'static>) -> SourceId {
    if let Some(source) = REPLAYED.get() {
        return source;
    }
    let parent = STACK.with_borrow(|s| s.iter().rfind(|t| t.kind != Kind::Door).map(|t| t.source));
    SourceId::of(location, parent)
}

/// Runs `f`, the implementation of an operation that was called at `location`, and attributes what it records to that
/// place. What a user's function records inside, called by [`inside`], is attributed to its own lines.
pub fn asked_at<R>(location: &'static Location<'static>, f: impl FnOnce() -> R) -> R {
    with_source(source_at(location), f)
}

/// Returns the place at which a `Var` was made, if it is not a literal.
pub fn place_of(var: Var) -> Option<SourceId> {
    match var.0 {
        Repr::Traced { source, .. } => Some(source),
        Repr::Literal(_) => None,
    }
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
    Error::Type {
        op: op.into(),
        types: vec![ty.clone()],
        message: error.message,
        at: current_source(),
        hint: error.hint,
    }
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
        (Some(outer), Some(inner)) => Error::OtherFunction {
            op,
            made,
            outer,
            used,
            inner,
        },
        _ => Error::Escaped { op, made, used },
    }
}

#[track_caller]
pub(crate) fn type_of(var: Var) -> Type {
    match var.0 {
        Repr::Literal(splat) => splat.ty().clone(),
        Repr::Traced {
            trace, id, source, ..
        } => {
            let ty = STACK.with_borrow(|s| {
                let trace = &s[find(s, trace)?];
                Some(trace.types[id as usize].clone())
            });
            // The error is not raised in a closure, which would not know its caller.
            match ty {
                Some(ty) => ty,
                None => {
                    let used = current_source();
                    raise(STACK.with_borrow(|s| unseen(s, "use of a Var", trace, source, used)))
                }
            }
        }
    }
}

/// Marks a value as weak: its element type is only a default, as for a loop's carry that starts as
/// `0.0`, or for a constant `[1.0, 2.0]`. Next to a value of another float type it takes that type, like Rust's
/// numbers, and a value that is computed from weak values and numbers alone is weak.
pub fn weaken(var: Var) {
    if let Repr::Traced { trace, id, .. } = var.0 {
        STACK.with_borrow_mut(|s| {
            if let Some(i) = find(s, trace) {
                s[i].weak.insert(id);
            }
        });
    }
}

/// Returns whether a value is weak, so that its element type adapts to others: see [`weaken`].
pub fn is_weak(var: Var) -> bool {
    match var.0 {
        Repr::Literal(_) => false,
        Repr::Traced { trace, id, .. } => {
            STACK.with_borrow(|s| find(s, trace).is_some_and(|i| s[i].weak.contains(&id)))
        }
    }
}

/// Returns whether a value computed from `inputs` is weak: at least one is, and all floats among them are weak or
/// literals.
fn weak_result(stack: &[Trace], inputs: &[Var]) -> bool {
    if stack.iter().all(|t| t.weak.is_empty()) {
        return false;
    }
    let mut some = false;
    for v in inputs {
        if let Repr::Traced { trace, id, .. } = v.0
            && let Some(i) = find(stack, trace)
            && stack[i].types[id as usize].is_float()
        {
            if !stack[i].weak.contains(&id) {
                return false;
            }
            some = true;
        }
    }
    some
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
    var.unwrap_or_else(|| {
        raise(Error::NoTrace {
            op: "use of an Array".into(),
            at: source,
        })
    })
}

/// Returns the operation that defines a value as its only result, and its operands, while the value's trace is open.
pub(crate) fn definition(var: Var) -> Option<(Op, Vec<Var>)> {
    let Repr::Traced { trace, id, .. } = var.0 else {
        return None;
    };
    STACK.with_borrow(|s| {
        let trace = &s[find(s, trace)?];
        let next = trace.eqns.partition_point(|e| e.outputs.start <= id);
        let eqn = trace.eqns[..next]
            .last()
            .filter(|e| e.outputs == (id..id + 1))?;
        let operand = |atom: &Atom| match atom {
            Atom::Lit(splat) => Var::literal(*splat),
            Atom::Var(id) => {
                let outer = trace.captures.iter().find(|(_, param)| param == id);
                outer.map_or_else(|| trace.var(*id), |(outer, _)| *outer)
            }
        };
        Some((eqn.op.clone(), eqn.inputs.iter().map(operand).collect()))
    })
}

/// Returns `var` as an operand in trace `index`: a value of that trace, or a capture.
fn operand(stack: &mut [Trace], index: usize, var: Var) -> Atom {
    match var.0 {
        Repr::Literal(splat) => Atom::Lit(splat),
        Repr::Traced { trace, id, .. } if trace == stack[index].id => Atom::Var(id),
        Repr::Traced {
            trace, id, source, ..
        } => {
            let outer = find(stack, trace).expect("placement has seen every operand");
            debug_assert!(
                outer < index,
                "an operation is placed inside its operands' traces"
            );
            debug_assert!(
                !(stack[outer].kind == Kind::Linear && stack[index].kind != Kind::Linear),
                "a primal trace captures a tangent"
            );
            if let Some(&known) = stack[index].captured.get(&(trace, id)) {
                return Atom::Var(known);
            }
            let ty = stack[outer].types[id as usize].clone();
            let here = &mut stack[index];
            let param = here.value(ty, source);
            here.captures.push((var, param));
            here.captured.insert((trace, id), param);
            Atom::Var(param)
        }
    }
}

/// Returns the index of the trace in which an operation is recorded.
fn place(stack: &[Trace], op: &Op, inputs: &[Var], used: SourceId) -> Result<usize, Error> {
    if stack.is_empty() {
        let made = inputs.iter().find_map(|&v| place_of(v));
        let op = op.method().to_string();
        return Err(match made {
            Some(made) => Error::Escaped { op, made, used },
            None => Error::NoTrace { op, at: used },
        });
    }
    let floor = match op.has_effect() {
        true => stack.iter().rposition(|t| t.kind != Kind::Linear),
        false => stack
            .iter()
            .rposition(|t| matches!(t.kind, Kind::Barrier | Kind::Door)),
    };
    // A transform that is called outside of all traced functions has a trace of its own, but nothing around it.
    let Some(mut index) = floor else {
        let op = op.method().to_string();
        return Err(Error::NoTrace { op, at: used });
    };
    for v in inputs {
        if let Repr::Traced { trace, source, .. } = v.0 {
            let i = find(stack, trace)
                .ok_or_else(|| unseen(stack, &op.method(), trace, source, used))?;
            index = index.max(i);
        }
    }
    Ok(index)
}

/// Records an operation: determines its types, folds constants, and shares equal equations.
#[track_caller]
pub fn bind(op: Op, inputs: &[Var]) -> Vec<Var> {
    let source = current_source();
    bind_at(op, inputs, source).unwrap_or_else(|e| raise(e))
}

/// Records an operation with one result.
#[track_caller]
pub fn bind1(op: Op, inputs: &[Var]) -> Var {
    bind(op, inputs)[0]
}

fn bind_at(op: Op, inputs: &[Var], source: SourceId) -> Result<Vec<Var>, Error> {
    let place = STACK.with_borrow(|s| place(s, &op, inputs, source))?;
    let types: Vec<Type> = inputs
        .iter()
        .map(|v| match v.0 {
            Repr::Literal(splat) => splat.ty().clone(),
            Repr::Traced { trace, id, .. } => STACK.with_borrow(|s| {
                s[find(s, trace).expect("placement has seen every operand")].types[id as usize]
                    .clone()
            }),
        })
        .collect();
    let sized = |outputs: Vec<Type>| {
        outputs.iter().try_for_each(Type::check_size)?;
        Ok(outputs)
    };
    let outputs = op.types(&types).and_then(sized).map_err(|e| Error::Type {
        op: op.method().to_string(),
        types: types.clone(),
        message: e.message,
        at: source,
        hint: e.hint,
    })?;
    if let Some(folded) = fold(&op, inputs, &outputs) {
        return Ok(folded);
    }
    Ok(STACK.with_borrow_mut(|s| {
        let weak = weak_result(s, inputs);
        let inputs: Atoms = inputs.iter().map(|&v| operand(s, place, v)).collect();
        let trace = &mut s[place];
        if op.is_shared() {
            let mut hasher = DefaultHasher::new();
            (&op, &inputs).hash(&mut hasher);
            let next = trace.eqns.len() as u32;
            let first = *trace.seen.entry(hasher.finish()).or_insert(next);
            if let Some(eqn) = trace.eqns.get_mut(first as usize)
                && eqn.op == op
                && eqn.inputs == inputs
            {
                eqn.source = eqn.source.union(source);
                return eqn.outputs.clone().map(|id| trace.var(id)).collect();
            }
        }
        let start = trace.types.len() as u32;
        for ty in outputs {
            let gives_way = weak && ty.dtype == DType::F64;
            let id = trace.value(ty, source);
            if gives_way {
                trace.weak.insert(id);
            }
        }
        let outputs = start..trace.types.len() as u32;
        trace.eqns.push(Eqn {
            op,
            inputs,
            outputs: outputs.clone(),
            source,
        });
        outputs.map(|id| trace.var(id)).collect()
    }))
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

    /// Closes the trace, which must be the innermost. Dead code and unused captures are removed, and
    /// values are renumbered.
    #[track_caller]
    pub fn close(mut self, results: &[Var]) -> Closed {
        let used = current_source();
        let found: Result<Vec<Atom>, Error> = STACK.with_borrow_mut(|s| {
            assert_eq!(self.index + 1, s.len(), "traces close innermost first");
            let mut atoms = Vec::with_capacity(results.len());
            for v in results {
                if let Repr::Traced { trace, source, .. } = v.0
                    && find(s, trace).is_none()
                {
                    return Err(unseen(s, "return", trace, source, used));
                }
                atoms.push(operand(s, self.index, *v));
            }
            Ok(atoms)
        });
        let results = found.unwrap_or_else(|e| raise(e));
        let trace = STACK
            .with_borrow_mut(|s| s.pop())
            .expect("the trace is open");
        drop(self.caught.take());
        std::mem::forget(self);
        finish(trace, results)
    }
}

fn finish(trace: Trace, results: Vec<Atom>) -> Closed {
    let mut live = vec![false; trace.types.len()];
    let mark = |live: &mut Vec<bool>, atom: &Atom| {
        if let Atom::Var(id) = atom {
            live[*id as usize] = true;
        }
    };
    results.iter().for_each(|a| mark(&mut live, a));
    let mut keep = vec![false; trace.eqns.len()];
    for (k, e) in trace.eqns.iter().enumerate().rev() {
        if e.op.has_effect() || e.outputs.clone().any(|o| live[o as usize]) {
            keep[k] = true;
            e.inputs.iter().for_each(|a| mark(&mut live, a));
        }
    }
    let mut number = vec![u32::MAX; trace.types.len()];
    let mut types = Vec::new();
    let mut put = |id: u32, number: &mut Vec<u32>| {
        number[id as usize] = types.len() as u32;
        types.push(trace.types[id as usize].clone());
    };
    trace.params.iter().for_each(|&p| put(p, &mut number));
    let alive = |id: &u32| live[*id as usize];
    let captures: Vec<_> = trace.captures.iter().filter(|c| alive(&c.1)).collect();
    captures.iter().for_each(|c| put(c.1, &mut number));
    let arrays: Vec<_> = trace.arrays.iter().filter(|a| alive(&a.1)).collect();
    arrays.iter().for_each(|a| put(a.1, &mut number));
    let params = (trace.params.len() + captures.len() + arrays.len()) as u32;
    let mut next = params;
    let mut spans = Vec::new();
    for e in trace
        .eqns
        .iter()
        .zip(&keep)
        .filter(|(_, k)| **k)
        .map(|(e, _)| e)
    {
        e.outputs.clone().for_each(|o| put(o, &mut number));
        let span = next..next + e.outputs.len() as u32;
        next = span.end;
        spans.push(span);
    }
    let atom = |a: &Atom| match a {
        Atom::Var(id) => Atom::Var(number[*id as usize]),
        lit => *lit,
    };
    let captures = captures.into_iter().map(|c| c.0).collect();
    let arrays = arrays.into_iter().map(|a| a.0.clone()).collect();
    let kept = trace
        .eqns
        .into_iter()
        .zip(keep)
        .filter(|(_, k)| *k)
        .map(|(e, _)| e);
    let eqns = kept
        .zip(spans)
        .map(|(e, outputs)| Eqn {
            inputs: e.inputs.iter().map(atom).collect(),
            outputs,
            ..e
        })
        .collect();
    let func = Func {
        params,
        types,
        eqns,
        results: results.iter().map(atom).collect(),
    };
    debug_assert_eq!(crate::ir::verify::verify(&func), Ok(()));
    Closed {
        func,
        captures,
        arrays,
    }
}
