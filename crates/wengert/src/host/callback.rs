//! Rust functions as operations.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::panic::{Location, RefUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wengert_ir::buffer::{Buffer, Data, Dense};
use wengert_ir::buffer::{Slice, SliceMut};
use wengert_ir::error::{Error, TypeError, raise, said};
use wengert_ir::ir::text::{Attribute, Attributes};
use wengert_ir::ir::{BitMatrix, Type};
use wengert_ir::loops::kernel::HostFunction;
use wengert_ir::ops::custom::custom;
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent};
use wengert_ir::panics::caught;
use wengert_ir::schedule::node::NodeId;
use wengert_ir::schedule::{Lowering, Wanted};
use wengert_ir::source::SourceId;
use wengert_ir::trace::{Var, asked_at, current_source};

use super::rows::{self, Batches};
use crate::array::Array;
use crate::tree::{self, ShapeDtype, Tree};

/// Calls a Rust function on data while the traced function runs: a table, a library written in another
/// language, anything that operations on [`Var`]s cannot express.
///
/// `out` gives the structure, the shapes and the element types of the result of `f`. `f` must be pure: a call
/// whose results are unused is dropped, and a call under [`checkpoint`](crate::checkpoint) is made twice. In a
/// [`vmap`](crate::vmap) it is called for one element at a time; [`pure_callback_batched`] calls one that takes whole
/// batches. It has no derivative by itself: give it one with [`custom_jvp`](crate::custom_jvp) or [`custom_vjp`](crate::custom_vjp). (For an operation with its own
/// rules in every transform, implement `wengert_ir::ops::Primitive`.)
///
/// ```
/// use wengert::prelude::*;
///
/// // A function from elsewhere, perhaps an `extern "C"` one, and its derivative.
/// fn library(x: f64) -> f64 {
///     x.sin() / x
/// }
/// let scalar = ShapeDtype::scalar(DType::F64);
/// let raw = move |x: Var| {
///     let call = |x: Array| Ok::<_, wengert::Error>(Array::from(library(x.item()?)));
///     pure_callback(call, &scalar, x)
/// };
/// let f = custom_jvp(raw.clone(), move |x, dx| {
///     let y = raw(x);
///     (y, dx * (x.cos() - y) / x)
/// });
/// let (y, dy) = jit(value_and_grad(f)).call(2.0)?;
/// assert_eq!(y.item::<f64>()?, 2f64.sin() / 2.0);
/// assert!((dy.item::<f64>()? - (2f64.cos() - 2f64.sin() / 2.0) / 2.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// An `Err` of `f`, a panic with a message, or results that do not match `out`, make the call return an
/// [`Error::Callback`] with the line of this call.
#[track_caller]
pub fn pure_callback<X, S, F, E>(f: F, out: &S, x: X) -> S::With<Var>
where
    X: Tree<Leaf = Var>,
    S: Tree<Leaf = ShapeDtype>,
    F: Fn(X::With<Array>) -> Result<S::With<Array>, E> + Send + Sync + 'static,
    E: Display,
{
    recorded(f, out, x, false, Location::caller())
}

/// Calls a Rust function on whole batches of data: as [`pure_callback`], for a function that is given many elements at
/// once, such as one of a library that takes arrays.
///
/// `out` gives the results for one element, and a function of `Var`s sees no batch. But each argument of `f` has one more
/// axis in front, of the number of elements, and so must each of its results. All elements of a [`vmap`](crate::vmap), also
/// of nested ones, come in one call; outside of any there is one element. What is the same for all of them is
/// repeated. An empty batch makes no call. Where elements may part, in a branch or in a loop that each ends by itself, they
/// come one at a time, so that the function sees none that does not get there; so they do in [`Jit::interpret`](crate::Jit::interpret).
///
/// ```
/// use wengert::prelude::*;
///
/// // As a library would have it.
/// fn library(xs: &[f64]) -> Result<Vec<f64>, &'static str> {
///     match xs.iter().all(|x| *x > 0.0) {
///         true => Ok(xs.iter().map(|x| x.ln()).collect()),
///         false => Err("a logarithm of what is not positive"),
///     }
/// }
/// let ln = |x: Var| {
///     let call = |x: Array| library(&x.to_vec().unwrap()).map(Array::from);
///     pure_callback_batched(call, &ShapeDtype::scalar(DType::F64), x)
/// };
/// let f = jit(vmap(ln));
/// assert_eq!(f.call([1.0, 1.0, 1.0])?.to_vec::<f64>()?, [0.0, 0.0, 0.0]);
/// assert_eq!(jit(ln).call(1.0)?.shape(), []);
/// assert!(f.call([1.0, -1.0]).unwrap_err().to_string().contains("not positive"));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// As those of [`pure_callback`].
#[track_caller]
pub fn pure_callback_batched<X, S, F, E>(f: F, out: &S, x: X) -> S::With<Var>
where
    X: Tree<Leaf = Var>,
    S: Tree<Leaf = ShapeDtype>,
    F: Fn(X::With<Array>) -> Result<S::With<Array>, E> + Send + Sync + 'static,
    E: Display,
{
    recorded(f, out, x, true, Location::caller())
}

/// Records a call; `whole` says whether it takes batches.
fn recorded<X, S, F, E>(
    f: F,
    out: &S,
    x: X,
    whole: bool,
    caller: &'static Location<'static>,
) -> S::With<Var>
where
    X: Tree<Leaf = Var>,
    S: Tree<Leaf = ShapeDtype>,
    F: Fn(X::With<Array>) -> Result<S::With<Array>, E> + Send + Sync + 'static,
    E: Display,
{
    asked_at(caller, || {
        let (operands, def) = tree::flatten(x);
        let (specs, out_def) = tree::flatten_ref(out);
        let types: Vec<Type> = specs.into_iter().map(Type::from).collect();
        let at = current_source();
        let wanted = out_def.clone();
        let call = move |operands: &[Dense]| -> Result<Vec<Dense>, Error> {
            let fail = |message: String| Error::callback(message, at);
            let leaves = operands.iter().map(|x| Array::from_dense(x.clone()));
            let args: X::With<Array> = tree::unflatten(&def, leaves)?;
            let given = f(args).map_err(|e| fail(e.to_string()))?;
            let (leaves, given) = tree::flatten(given);
            match wanted.difference(&given) {
                Some(difference) => Err(fail(format!("the function's results: {difference}"))),
                None => Ok(leaves.into_iter().map(Array::into_dense).collect()),
            }
        };
        let callback = Callback {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            call: Arc::new(call),
            out: types,
            batches: vec![],
            whole,
            at,
        };
        let results = custom(callback, &operands);
        tree::unflatten(&out_def, results).unwrap_or_else(|e| raise(e))
    })
}

static NEXT: AtomicI64 = AtomicI64::new(0);

type Call = Arc<dyn Fn(&[Dense]) -> Result<Vec<Dense>, Error> + Send + Sync>;

/// The callback operation.
#[derive(Clone)]
struct Callback {
    /// Identifies the function, since closures cannot be compared.
    id: i64,
    call: Call,
    /// The types of its results for one element.
    out: Vec<Type>,
    batches: Batches,
    /// Whether it takes all elements of the batches at once.
    whole: bool,
    at: SourceId,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Callback({}, {:?}, {:?})",
            self.id, self.out, self.batches
        )
    }
}

impl Callback {
    /// Returns the types of its results, batch axes included.
    fn results(&self) -> Vec<Type> {
        let sizes: Vec<usize> = self.batches.iter().map(|(size, _)| *size).collect();
        let wide = |ty: &Type| Type::new(ty.dtype, &[&sizes[..], &ty.dims()].concat());
        self.out.iter().map(wide).collect()
    }

    fn error(&self, message: String) -> Error {
        Error::callback(message, self.at)
    }

    /// Calls the function for each element, or for all.
    fn run(&self, operands: &[Dense]) -> Result<Vec<Data>, Error> {
        let mut all: Vec<Data> = self.out.iter().map(|ty| Data::zeros(ty.dtype, 0)).collect();
        let mut add = |x: &[Dense], wanted: &[Type]| {
            let results = self.given(x)?;
            for (i, (ty, y)) in wanted.iter().zip(&results).enumerate() {
                if y.ty() != *ty {
                    let got = y.ty();
                    let wrong = format!("result {i} of the function is {got}, not {ty}");
                    return Err(self.error(wrong));
                }
                all[i].extend(&y.data);
            }
            Ok(())
        };
        if self.whole {
            let n = rows::count(&self.batches);
            let wide = |ty: &Type| Type::new(ty.dtype, &[&[n], &ty.dims()[..]].concat());
            let wanted: Vec<Type> = self.out.iter().map(wide).collect();
            if n > 0 {
                add(&rows::whole(&self.batches, operands), &wanted)?;
            }
        } else {
            rows::each(&self.batches, operands, &mut |x| add(x, &self.out))?;
        }
        Ok(all)
    }

    /// Calls the function.
    fn given(&self, x: &[Dense]) -> Result<Vec<Dense>, Error> {
        match caught(|| (self.call)(x)) {
            Ok(results) => results,
            Err(panic) => match said(&*panic.payload) {
                Some(said) => Err(self.error(format!("the function panicked: {said}"))),
                None => resume_unwind(panic.payload),
            },
        }
    }
}

impl Primitive for Callback {
    fn name(&self) -> Cow<'static, str> {
        match self.whole {
            true => "pure_callback_batched".into(),
            false => "pure_callback".into(),
        }
    }

    fn attributes(&self) -> Attributes {
        let mut all = vec![("function", Attribute::Int(self.id))];
        for (size, mapped) in &self.batches {
            all.push(("size", Attribute::Int(*size as i64)));
            all.push(("mapped", Attribute::Bools(mapped.clone())));
        }
        all
    }

    /// Identifies the function and the batches, because batching records a new operation.
    fn identity(&self) -> Option<String> {
        Some(format!("{} {:?}", self.id, self.batches))
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs.iter().find(|ty| ty.shape.has_run()) {
            Some(ty) => Err(TypeError::new(format!("takes arrays, not {ty}"))),
            None => Ok(self.results()),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let operands: Vec<Dense> = inputs.iter().map(|b| b.dense().clone()).collect();
        let results = self.run(&operands)?.into_iter().zip(self.results());
        Ok(results
            .map(|(data, ty)| Buffer::Dense(Dense::new(ty.dims(), data)))
            .collect())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |r, _| self.out[r].is_float())
    }

    fn runs_on_host(&self) -> bool {
        true
    }

    fn takes_batches(&self) -> bool {
        self.whole
    }

    fn jvp(&self, x: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        if self.out.iter().any(Type::is_float) {
            raise(Error::derivative(
                self.name(),
                "the derivative of a function of the host",
                current_source(),
                "give it one with `custom_jvp` or `custom_vjp`",
            ));
        }
        (custom(self.clone(), x), vec![None; self.out.len()])
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("a function of the host has no linear part")
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let function = Called {
            callback: self.clone(),
            dims: x.iter().map(|&x| l.dims(x)).collect(),
        };
        l.host(Arc::new(function), x, out)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let mapped = inputs.iter().map(|b| b.mapped).collect();
        let callback = Callback {
            batches: [&[(size, mapped)], &self.batches[..]].concat(),
            ..self.clone()
        };
        let operands: Vec<Var> = inputs.iter().map(|b| b.value).collect();
        let results = custom(callback, &operands);
        results.into_iter().map(Batched::mapped).collect()
    }
}

/// The operation, specialised to the shapes of its operands.
#[derive(Debug)]
struct Called {
    callback: Callback,
    dims: Vec<Vec<usize>>,
}

// A panic of the function is propagated to the caller, and leaves no state of ours inconsistent.
impl RefUnwindSafe for Called {}

impl HostFunction for Called {
    fn name(&self) -> String {
        self.callback.name().into()
    }

    fn call(&self, inputs: &[Slice<'_>], outputs: &mut [SliceMut<'_>]) -> Result<(), Error> {
        let operands = inputs.iter().zip(&self.dims);
        let operands = operands.map(|(x, dims)| Dense::new(dims.clone(), x.to_data()));
        let results = self.callback.run(&operands.collect::<Vec<_>>())?;
        for (to, from) in outputs.iter_mut().zip(&results) {
            to.copy_from(from);
        }
        Ok(())
    }
}
