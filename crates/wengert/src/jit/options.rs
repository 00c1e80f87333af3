//! What can be set of a compiled function.

use std::sync::Arc;

use wengert_ir::ops::while_loop;
use wengert_ir::trace::Var;
use wengert_jit::Cranelift;
use wengert_run::Backend;

use super::Jit;
use super::entries::Entries;
use super::machine::Machine;
use crate::debug::Printer;
use crate::device::Device;
use crate::tree::Tree;

/// How a function is traced and compiled.
#[derive(Clone)]
pub(super) struct Options {
    pub max_steps: u64,
    pub residual_bytes: usize,
    pub check_finite: bool,
    /// Whether to skip the passes that only make code faster.
    pub plain: bool,
    pub printer: Option<Printer>,
    pub machine: Machine,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            max_steps: while_loop::DEFAULT_MAX_STEPS,
            residual_bytes: wengert_run::backend::LIST_LIMIT,
            check_finite: false,
            plain: false,
            printer: None,
            machine: Machine {
                device: Device::cpu(),
                backend: Arc::new(Cranelift),
            },
        }
    }
}

impl<X, Y> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Sets the number of steps after which a `while_loop` is stopped with [`Error::MaxSteps`](crate::Error::MaxSteps). A `fori` up to
    /// a traced bound that is larger returns the same error without starting. The default is a billion.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0)).max_steps(1000);
    /// assert!(f.call(1.0).unwrap_err().to_string().contains("more than 1000 steps"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.options.max_steps = steps;
        self.entries = Entries::default();
        self
    }

    /// Makes the function run on a device: it is compiled for that, and its results stay there until somebody reads them:
    /// see [`Array`](crate::Array#devices).
    ///
    /// A call copies the arguments that are on the host to the device, each time: [`Device::put`] does it once for many
    /// calls. Arrays that the function captures are copied when it is compiled, and kept. An argument that is moved in
    /// gives up its memory after the call. An argument on another device is an `Err`. A call is queued and returns at
    /// once; calls that take results of others follow each other on the device. If one fails, whoever reads a result that
    /// depends on it gets the error.
    ///
    /// The results have the bits of the CPU's, if both contract products and sums or neither does
    /// ([`Target::fused`](crate::backend::Target)); only products of large matrices may differ, where a library does them.
    ///
    /// [`Jit::apply`] and transforms know nothing of devices: a function that is traced inside of another runs where that
    /// runs.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let device = Device::cpu();
    /// let step = jit(|x: Var| 0.5 * x + 1.0).on(&device);
    /// let mut x = device.put(&Array::zeros(1000, DType::F64))?;
    /// for _ in 0..10 {
    ///     // On a device, nothing is copied here.
    ///     x = step.call(x)?;
    /// }
    /// assert!((x.get::<f64>(0)? - 2.0).abs() < 1e-2);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn on(mut self, device: impl Into<Device>) -> Self {
        self.options.machine.device = device.into();
        self.entries = Entries::default();
        self
    }

    /// Makes code for the CPU with another back end than the default, Cranelift: the interpreter of the loop IR
    /// ([`backend::Interpreter`](crate::backend::Interpreter)), or one of your own. Results have the same bits
    /// if the back ends agree on whether products and sums are contracted
    /// ([`Target::fused`](crate::backend::Target)).
    ///
    /// ```
    /// use wengert::backend::Interpreter;
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.sin().sum()).backend(Interpreter);
    /// assert_eq!(f.call([0.0, 0.0])?.item::<f64>()?, 0.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn backend(mut self, backend: impl Backend + 'static) -> Self {
        self.options.machine = Machine {
            device: Device::cpu(),
            backend: Arc::new(backend),
        };
        self.entries = Entries::default();
        self
    }

    /// Limits the bytes that loops of unknown length may keep for their derivatives in one call; beyond the
    /// limit the call returns [`Error::Memory`](crate::Error::Memory). The default is 8 GiB.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(grad(|x: Var| while_loop(x, |x| x.lt(1e6), |x| (x * x).exp()))).max_residual_bytes(1 << 20);
    /// assert!(f.call(2.0).is_ok());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn max_residual_bytes(mut self, bytes: usize) -> Self {
        self.options.residual_bytes = bytes;
        self.entries = Entries::default();
        self
    }

    /// Follows every NaN and infinity that an operation makes from finite operands, in derivatives too. If one
    /// reaches a result, the call returns an [`Error::Check`](crate::Error::Check) that names the first such operation and the line
    /// where it, or the operation it is the derivative of, is written. Values that a `select`, a branch or one
    /// of the library's own guards discards are not reported, nor are inputs that are not finite. This is for
    /// debugging: code with these checks is much slower.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| grad(|x: Var| x.sqrt())(x)).debug_nans();
    /// assert_eq!(f.call(4.0)?.item::<f64>()?, 0.25);
    /// let error = f.call(0.0).unwrap_err().to_string();
    /// assert!(error.contains("made a NaN or an infinity"), "{error}");
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn debug_nans(mut self) -> Self {
        self.options.check_finite = true;
        self.entries = Entries::default();
        self
    }

    /// Skips the passes over loops that only make machine code faster, so that their results can be checked
    /// against it.
    #[doc(hidden)]
    pub fn plain_code(mut self) -> Self {
        self.options.plain = true;
        self.entries = Entries::default();
        self
    }

    /// Sends the lines of [`debug_print`](crate::debug_print) to `printer` instead of standard output.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use wengert::prelude::*;
    ///
    /// let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    /// let log = lines.clone();
    /// let f = jit(|x: Var| {
    ///     debug_print("x is {}", x);
    ///     x
    /// });
    /// f.on_print(move |line| log.lock().unwrap().push(line.into())).call(2.0)?;
    /// assert_eq!(*lines.lock().unwrap(), ["x is 2.0"]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn on_print(mut self, printer: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.options.printer = Some(Arc::new(printer));
        self.entries = Entries::default();
        self
    }
}
