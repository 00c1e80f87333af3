//! Entry points: the border between traced values and the data outside.

mod compiled;
mod entries;
mod entry;
mod executable;
mod explain;
mod machine;
mod moves;
mod options;
mod parts;
mod prices;
mod profile;
mod traced;
mod work;

use std::fmt;
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;

use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::error::{Error, Result, said};
use wengert_ir::ir::{Func, Type};
use wengert_ir::ops::while_loop;
use wengert_ir::panics::{Caught, caught};
use wengert_ir::rewrite::Choice;
use wengert_ir::source::SourceId;
use wengert_ir::timing::timed;
use wengert_ir::trace::{Kind, Var, closed};
use wengert_ir::transform::dead_code;
use wengert_ir::{eval, rewrite, schedule};
use wengert_run::perf;

use self::compiled::{Compiled, Spare};
use self::entries::Entries;
use self::entry::{Deeper, Entered, Entry, Signature};
pub use self::executable::Executable;
pub use self::explain::{Explanation, Stage};
use self::machine::{Code, OnDevice, device_code, machine_code};
use self::options::Options;
pub use self::parts::FunctionParts;
pub use self::prices::Estimate;
pub use self::profile::{Line, Memory, Method, Profile, StageTime};
use self::work::{Seen, Work};
use crate::array::{Array, Form, Remote, capturing};
use crate::debug::printing;
use crate::tree::{self, Feed, ShapeDtype, Tree, TreeDef};

/// Turns a function of `Var`s into a function of data: it is traced once for each signature (structure, element
/// types and shapes of its arguments), compiled to machine code, and run.
///
/// The function must be pure: it runs when it is traced, not when the compiled code runs. Any error in it is
/// returned as an `Err` of the call, and so is a panic with a message; a panic with another payload is
/// propagated.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, x): (Var, Var)| (a * x).sum());
/// assert_eq!(f.call((2.0, [1.0, 2.0]))?.item::<f64>()?, 6.0);
/// let error = f.call(([1.0, 2.0], [1.0, 2.0, 3.0])).unwrap_err();
/// assert!(error.to_string().starts_with("mul: f64[2] and f64[3] do not broadcast, at "));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn jit<X, Y, F>(f: F) -> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Send + Sync + 'static,
{
    Jit {
        f: Box::new(f),
        made: Location::caller(),
        options: Options::default(),
        entries: Entries::default(),
    }
}

/// A function that is traced and compiled when it is called: see [`jit`]. It is `Send` and `Sync`; a signature
/// is compiled once, even if many threads ask for it at the same time. Only if tracing takes longer than three
/// seconds does another thread compile for itself, because the traced function may be waiting for that thread.
///
/// ```
/// use wengert::prelude::*;
///
/// // Its type names the argument and the result, so that it can be a field.
/// struct Model {
///     energy: Jit<Var, Var>,
/// }
///
/// let model = Model { energy: jit(|x: Var| 0.5 * x.square().sum()) };
/// assert_eq!(model.energy.call([3.0, 4.0])?.item::<f64>()?, 12.5);
/// # Ok::<(), wengert::Error>(())
/// ```
pub struct Jit<X, Y> {
    f: Box<dyn Fn(X) -> Y + Send + Sync>,
    made: &'static Location<'static>,
    options: Options,
    entries: Entries,
}

impl<X, Y> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Runs the function on data. The first call with a signature traces and compiles.
    ///
    /// An argument may be anything that [feeds](Feed) it: numbers, `Vec`s, nested arrays, references to
    /// `Array`s, structs of these. An `Array` that is moved in, and that nobody else holds, gives up its
    /// memory: a result is written over it if the function reads each element before it writes the element in
    /// the same place, as `x + 1.0` does and `x.t() + x` does not. Otherwise the memory is kept for results of
    /// later calls. So `x = f.call(x)?` in a loop allocates no memory.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x + 1.0);
    /// let x = Array::from(vec![0.5; 1000]);
    /// let place = x.as_slice::<f64>()?.as_ptr();
    /// let y = f.call(x)?;
    /// assert_eq!(y.as_slice::<f64>()?.as_ptr(), place);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the function has a mistake, or a loop exceeds a limit.
    #[track_caller]
    pub fn call<A: Feed<X::With<Array>>>(&self, args: A) -> Result<Y::With<Array>> {
        let last = self.entries.last();
        let nothing = TreeDef::default();
        let (def, types) = last.map_or((&nothing, &[][..]), |e| {
            (&e.signature.def, &e.signature.types[..])
        });
        let (work, seen) = here(Work::feed::<X::With<Array>, A>(args, def, types))?;
        let entry = match (seen, last) {
            (Seen::Same, Some(last)) => last,
            _ => self
                .entries
                .of(work.structure().unwrap_or(def), work.types()),
        };
        let compiled = self.compiled(entry)?;
        let _deeper = Deeper::new(Location::caller())?;
        here(compiled.call::<Y>(work, Location::caller()))
    }

    /// Applies the function inside another trace, which records its equations.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use wengert::prelude::*;
    ///
    /// let square = Arc::new(jit(|x: Var| x * x));
    /// let inner = square.clone();
    /// let f = jit(grad(move |x: Var| inner.apply(x) + 1.0));
    /// assert_eq!((square.call(3.0)?.item::<f64>()?, f.call(3.0)?.item::<f64>()?), (9.0, 6.0));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn apply(&self, x: X) -> Y {
        (self.f)(x)
    }

    /// Compiles one signature, to be called without a look-up. `args` are examples, such as arrays and numbers,
    /// or their types as [`ShapeDtype`]s, or a mix of both.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x + 1.0);
    /// let code = f.compile(&ShapeDtype::new([3], DType::F64))?;
    /// let (x, mut y) = (Array::from([1.0, 2.0, 3.0]), Array::zeros([3], DType::F64));
    /// code.call_into(&x, &mut y)?;
    /// assert_eq!(y.to_vec::<f64>()?, [2.0, 3.0, 4.0]);
    /// // By an example instead of its type.
    /// assert_eq!(f.compile(&x)?.call(&x)?, y);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the function has a mistake.
    #[track_caller]
    pub fn compile<A: Feed<X::With<ShapeDtype>>>(&self, args: A) -> Result<Executable<X, Y>> {
        let Signature { def, types } = signature::<X, A>(args)?;
        let entry = self.entries.of(&def, &types);
        Ok(Executable {
            compiled: self.compiled(entry)?.clone(),
            def,
            of: PhantomData,
        })
    }

    /// Describes what the compiler makes of the function for arguments like `args`: see
    /// [`Executable::explain`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(x, a): (Var, Var)| (a * x.sin()).sum());
    /// let text = f.explain((vec![0.5; 1000], 2.0))?.to_string();
    /// assert!(text.contains("sum: lanes 1000"), "{text}");
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the function has a mistake.
    #[track_caller]
    pub fn explain<A: Feed<X::With<ShapeDtype>>>(&self, args: A) -> Result<Explanation> {
        self.compile(args)?.explain()
    }

    /// Returns the function's IR for arguments like `args`, as it is compiled.
    ///
    /// # Errors
    /// If the function has a mistake.
    #[track_caller]
    pub fn func<A: Feed<X::With<ShapeDtype>>>(&self, args: A) -> Result<crate::Func> {
        let signature = signature::<X, A>(args)?;
        Ok(crate::Func::from_ir(self.trace(&signature, &|| ())?.func))
    }

    /// Computes the results with the interpreter, which is slow and simple: a reference to compare with.
    ///
    /// # Errors
    /// As [`Jit::call`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.sin().sum());
    /// assert_eq!(f.interpret([0.5, 1.0])?, f.call([0.5, 1.0])?);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn interpret<A: Feed<X::With<Array>>>(&self, args: A) -> Result<Y::With<Array>> {
        let (arrays, def) = here(tree::try_feed::<X::With<Array>, A>(args))?;
        let types = arrays.iter().map(Array::ty).collect();
        let Ready {
            func,
            arrays: constants,
            out,
            ..
        } = self.trace(&Signature { def, types }, &|| ())?;
        let mut args = vec![];
        for array in &arrays {
            args.push(Buffer::Dense(here(array.try_dense())?.clone()));
        }
        args.extend(constants.into_iter().map(Buffer::Dense));
        let printer = self.options.printer.as_ref();
        let _deeper = Deeper::new(Location::caller())?;
        let results = here(deep(&func, || {
            printing(printer, || eval::eval(&func, &args))
        }))?;
        let leaves = results.iter().map(|b| Array::from_dense(b.dense().clone()));
        tree::unflatten(&out, leaves)
    }

    /// Returns the code of an entry, compiling it on first use.
    #[track_caller]
    #[inline]
    fn compiled<'e>(&self, entry: &'e Entry) -> Result<&'e Arc<Compiled>> {
        match entry.done.get() {
            Some(compiled) => Ok(compiled),
            None => self.compile_entry(entry),
        }
    }

    #[track_caller]
    #[cold]
    fn compile_entry<'e>(&self, entry: &'e Entry) -> Result<&'e Arc<Compiled>> {
        self.refuse_recursion(&entry.signature)?;
        match entry.begin()? {
            None => Ok(entry.done.get().expect("somebody else has compiled it")),
            Some(turn) => {
                let compiled = self.compile_signature(&entry.signature, &|| turn.traced())?;
                Ok(entry.done.get_or_init(|| Arc::new(compiled)))
            }
        }
    }

    #[track_caller]
    fn refuse_recursion(&self, signature: &Signature) -> Result<()> {
        entry::refuse_recursion(self as *const _ as usize, signature, Location::caller())
    }

    #[track_caller]
    fn compile_signature(&self, signature: &Signature, traced: &dyn Fn()) -> Result<Compiled> {
        let Ready {
            func,
            mut arrays,
            remotes,
            out,
            choices,
        } = self.trace(signature, traced)?;
        let options = self.code_options();
        let machine = &self.options.machine;
        let device = &machine.device;
        machine.check(&func)?;
        let captured = arrays.len();
        let code = deep(&func, || {
            let target = machine.target(&options);
            let with_notes = || lowered(|| schedule::lower_with_notes(&func, &target));
            let program = match options.lines {
                true => with_notes()?.0,
                false => lowered(|| schedule::lower_for(&func, &target))?,
            };
            if device.is_cpu() {
                return machine_code(&program, &*machine.backend, &options).map(Code::Host);
            }
            let notes = || with_notes().map(|(_, notes)| notes);
            let code = device_code(&program, device, &options, notes)?;
            let args = &signature.def;
            OnDevice::new(device, code, args, &arrays, &remotes).map(Code::Device)
        })?;
        if let Code::Device(_) = code {
            arrays = vec![];
        }
        Ok(Compiled {
            results: func.result_types().into_iter().map(Form::of).collect(),
            func: crate::Func::from_ir(func),
            choices,
            captured,
            arrays,
            out,
            code,
            machine: machine.clone(),
            options,
            spare: Spare::default(),
            printer: self.options.printer.clone(),
        })
    }

    /// Returns the options for the back end.
    fn code_options(&self) -> wengert_run::Options {
        wengert_run::Options {
            list_limit: self.options.residual_bytes,
            unroll: !self.options.plain,
            lines: perf::is_wanted(),
            vectors: match self.options.plain {
                true => wengert_run::Vectors::Narrow,
                false => wengert_run::Vectors::Loops,
            },
            ..Default::default()
        }
    }

    /// Traces the function: its IR, the arrays that it captures, and the structure of its results; and which of these
    /// arrays are on devices.
    #[track_caller]
    fn record(&self, signature: &Signature) -> Result<Recorded> {
        self.refuse_recursion(signature)?;
        let _deeper = Deeper::new(Location::caller())?;
        let _entered = Entered::new(self as *const _ as usize, signature.clone());
        let _limit = while_loop::limited(self.options.max_steps);
        let trace = || timed("trace", || traced_at(self.made, &*self.f, signature));
        let (traced, remotes) = capturing(trace);
        let (func, arrays, out) = traced?;
        Ok(Recorded {
            func,
            arrays,
            remotes,
            out,
        })
    }

    /// Traces the function and prepares it for scheduling. `traced` is called in between.
    #[track_caller]
    fn trace(&self, signature: &Signature, traced: &dyn Fn()) -> Result<Ready> {
        let Recorded {
            func,
            arrays,
            remotes,
            out,
        } = self.record(signature)?;
        traced();
        let func = match self.options.check_finite {
            true => rewrite::check_finite(&dead_code(&func)),
            false => func,
        };
        let target = self.options.machine.target(&self.code_options());
        let options = rewrite::Options {
            fused: target.fused,
            chosen: !self.options.plain,
        };
        let optimise = || rewrite::optimise_with(&func, &options);
        let (func, choices) = deep(&func, || guarded(|| Ok(timed("optimise", optimise))))?;
        Ok(Ready {
            func,
            arrays,
            remotes,
            out,
            choices,
        })
    }
}

/// Adds the position `place` to an error that has none.
#[inline]
fn called_at<T>(place: &'static Location<'static>, result: Result<T>) -> Result<T> {
    result.map_err(|e| e.placed_at(SourceId::of(place, None)))
}

/// Adds the caller's position to an error that has none.
#[track_caller]
#[inline]
fn here<T>(result: Result<T>) -> Result<T> {
    called_at(Location::caller(), result)
}

/// A function as traced.
struct Recorded {
    func: Func,
    /// The arrays that it captures, which follow its arguments.
    arrays: Vec<Dense>,
    /// Those of them that are on devices.
    remotes: Vec<Arc<Remote>>,
    out: TreeDef,
}

/// A function that is ready for scheduling.
struct Ready {
    func: Func,
    /// The arrays that it captures, which follow its arguments.
    arrays: Vec<Dense>,
    /// Those of them that are on devices.
    remotes: Vec<Arc<Remote>>,
    out: TreeDef,
    /// Which residuals its loops store.
    choices: Vec<Choice>,
}

/// Lowers a function to loops. A panic there is a bug of this library; the caller gets an error that suggests a
/// way around it.
fn lowered<T>(lower: impl FnOnce() -> Result<T>) -> Result<T> {
    guarded(lower).map_err(|e| match e {
        Error::Compile { message, .. } => {
            Error::compile(format!("{message}; `Jit::interpret` runs it"))
        }
        other => other,
    })
}

/// Runs work that recurses into the functions that operations of `func` hold. If they are deeply nested, it
/// runs on a stack of its own, since it needs more stack than tracing did.
fn deep<T: Send>(func: &Func, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    /// Nesting depth for which any thread's stack is large enough.
    const FEW: usize = 100;
    /// Upper bound on the stack per level, in a build without optimisation.
    const LEVEL: usize = 64 << 10;
    let depth = func.depth();
    if depth <= FEW {
        return work();
    }
    std::thread::scope(|scope| {
        let stack = std::thread::Builder::new().stack_size(depth.saturating_mul(LEVEL));
        match stack.spawn_scoped(scope, work) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => Err(Error::no_memory(
                "compile",
                format!("{depth} functions in one another"),
                (depth as u64).saturating_mul(LEVEL as u64),
                None,
            )),
        }
    })
}

/// Runs a part of the compiler. An operation that it records may be refused, for example a batch of arrays that
/// exceeds memory; that error belongs to the caller. Any other panic is a bug of the compiler.
fn guarded<T>(part: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(part).unwrap_or_else(|panic| match panic.payload.downcast() {
        Ok(error) => Err(*error),
        Err(panic) => {
            let text = said(&*panic).unwrap_or_default();
            let message = format!("a mistake of the compiler's own: {text}");
            Err(Error::compile(message))
        }
    })
}

/// Traces `f` and catches the errors and panics that leave it.
fn traced_at<X, Y>(
    made: &'static Location<'static>,
    f: &dyn Fn(X) -> Y,
    signature: &Signature,
) -> Result<(Func, Vec<Dense>, TreeDef)>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    let mut out = None;
    let door = || {
        let source = SourceId::of(made, None);
        let trace = || {
            closed(Kind::Door, &signature.types, |vars| {
                wengert_ir::trace::inside(|| {
                    let x = tree::unflatten(&signature.def, vars.iter().copied());
                    let x = x.unwrap_or_else(|e| wengert_ir::error::raise(e));
                    let (leaves, def) = tree::flatten(f(x));
                    out = Some(def);
                    leaves
                })
            })
        };
        wengert_ir::trace::with_source(source, trace)
    };
    wengert_ir::trace::left_at();
    match caught(door) {
        Ok(closed) => Ok((
            closed.func,
            closed.arrays,
            out.expect("the function was traced"),
        )),
        Err(Caught { payload, at: place }) => match payload.downcast::<Error>() {
            Ok(error) => Err(*error),
            Err(panic) => match (said(&*panic), wengert_ir::trace::left_at()) {
                (Some(message), Some(at)) => Err(Error::panic(message, at, place)),
                _ => resume_unwind(panic),
            },
        },
    }
}

/// Returns the IR of a function for arguments like `args`, as traced: neither simplified nor compiled. `args`
/// are examples, or their types: see [`Jit::compile`].
///
/// ```
/// use wengert::prelude::*;
///
/// let func = wengert::trace(|x: Var| x * 2.0, &ShapeDtype::scalar(DType::F64))?;
/// assert_eq!(func.count(), 1);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If the function has a mistake, or captures an `Array`: pass it as an argument instead.
#[track_caller]
pub fn trace<X, Y, F, A>(f: F, args: A) -> Result<crate::Func>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y,
    A: Feed<X::With<ShapeDtype>>,
{
    let signature = signature::<X, A>(args)?;
    let (func, arrays, _) = traced_at(Location::caller(), &f, &signature)?;
    match arrays.first() {
        None => Ok(crate::Func::from_ir(func)),
        Some(array) => Err(Error::value(
            "trace",
            format!(
                "the function uses an Array, {}: pass it as an argument",
                array.ty()
            ),
            SourceId::of(Location::caller(), None),
        )),
    }
}

/// Computes the signature of arguments like these.
#[track_caller]
fn signature<X: Tree, A: Feed<X::With<ShapeDtype>>>(args: A) -> Result<Signature> {
    let (leaves, def) = here(tree::try_feed::<X::With<ShapeDtype>, A>(args))?;
    Ok(Signature {
        types: leaves.iter().map(Type::from).collect(),
        def,
    })
}

impl<X, Y> fmt::Debug for Jit<X, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signatures = self.entries.len();
        write!(f, "Jit(made at {}, {signatures} signatures)", self.made)
    }
}
