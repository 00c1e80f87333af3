//! Machine code for one signature, and its description.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use wengert_ir::error::{Error, Result};
use wengert_ir::rewrite::Choice;
use wengert_ir::trace::Var;

use super::called_at;
use super::compiled::Compiled;
use super::entry::Deeper;
use super::explain::{self, Explanation, Stage};
use super::machine::Code;
use super::prices::Estimate;
use super::work::{Seen, Work};
use crate::array::Array;
use crate::func::Func;
use crate::tree::{self, Feed, Tree, TreeDef};

/// Machine code for one signature: see [`Jit::compile`](super::Jit::compile).
pub struct Executable<X, Y> {
    pub(super) compiled: Arc<Compiled>,
    pub(super) def: TreeDef,
    pub(super) of: PhantomData<fn(X) -> Y>,
}

impl<X, Y> Executable<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Runs the code.
    ///
    /// # Errors
    /// If an argument does not have the structure and types that the code was compiled for, or a loop exceeds a
    /// limit.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let code = jit(|x: Var| 2.0 * x).compile(&ShapeDtype::new([2], DType::F64))?;
    /// assert_eq!(code.call([1.0, 2.0])?.to_vec::<f64>()?, [2.0, 4.0]);
    /// assert!(code.call([1.0, 2.0, 3.0]).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn call<A: Feed<X::With<Array>>>(&self, args: A) -> Result<Y::With<Array>> {
        let place = Location::caller();
        let call = || {
            let types = self.compiled.arg_types();
            let (work, seen) = Work::feed::<X::With<Array>, A>(args, &self.def, types)?;
            if seen != Seen::Same {
                return Err(self.misfit(&work));
            }
            let _deeper = Deeper::new(place)?;
            self.compiled.call::<Y>(work, place)
        };
        called_at(place, call())
    }

    /// Makes the error that the arguments of a call do not fit.
    #[cold]
    fn misfit(&self, work: &Work) -> Error {
        match work.structure().and_then(|def| self.def.difference(def)) {
            Some(difference) => another_structure("call", &difference),
            None => self.compiled.misfit(&self.def, work.types()),
        }
    }

    /// Runs the code and writes the results into existing arrays. Memory that other arrays share is replaced,
    /// not overwritten; otherwise a call on one thread allocates nothing. Code for a device replaces the arrays by its
    /// results, which are on the device; the memory that they had is released.
    ///
    /// # Errors
    /// As [`Executable::call`], and if a result does not fit its array. The arrays are then unchanged, unless a
    /// loop exceeded a limit.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let x = Array::from([1.0, 2.0]);
    /// let code = jit(|x: Var| 2.0 * x).compile(&x)?;
    /// let mut y = Array::zeros(2, DType::F64);
    /// code.call_into(&x, &mut y)?;
    /// assert_eq!(y.to_vec::<f64>()?, [2.0, 4.0]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn call_into(&self, args: &X::With<Array>, out: &mut Y::With<Array>) -> Result<()> {
        let place = Location::caller();
        let mut call = || {
            let _deeper = Deeper::new(place)?;
            if self.compiled.call_into(&self.def, args, out, place)? {
                return Ok(());
            }
            match self.def.difference(&tree::def(args)) {
                Some(difference) => Err(another_structure("call_into", &difference)),
                None => Err(self.compiled.misfit_into(&self.def, args, out)),
            }
        };
        called_at(place, call())
    }

    /// Returns the bytes of scratch that a call uses: memory for intermediate arrays, where those with disjoint
    /// lifetimes share space. Arguments, results and what loops of unknown length keep are not counted. On a device this
    /// is 0: its memory is its own affair.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // A product needs all of the array before it.
    /// let f = jit(|[x, w]: [Var; 2]| (0..10).fold(x, |y, _| y.dot(w).sin()));
    /// let square = ShapeDtype::new([100, 100], DType::F64);
    /// let code = f.compile(&[square.clone(), square])?;
    /// assert!(code.scratch_bytes() < 3 * 80_000);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn scratch_bytes(&self) -> usize {
        match &self.compiled.code {
            Code::Host(code) => code.scratch_bytes(),
            Code::Device(_) => 0,
        }
    }

    /// Returns which residuals the loops of the function store in each step for their gradients, and which are
    /// recomputed instead: one choice for each loop that stores something, or would.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // The operands of the products are recomputed from the state.
    /// let last = |x: Var| scan(x, 0..10, |x: Var, _| (x * x * (1.0 - x), ())).0;
    /// let code = jit(grad(last)).compile(&ShapeDtype::scalar(DType::F64))?;
    /// let [choice] = code.residuals() else { panic!("one loop stores") };
    /// assert_eq!(choice.after, 8);
    /// assert!(choice.to_string().contains("a step stores 8 bytes"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn residuals(&self) -> &[Choice] {
        &self.compiled.choices
    }

    /// Describes what the compiler made of the function, as text or as a page:
    ///
    /// - **loops**: each loop nest, with the operations fused into it and the lines where they are written.
    ///   `parallel` steps may go to several threads, `lanes` run 8 side by side, `serial` steps run one after
    ///   the other, and `×` is a loop in a loop;
    /// - **memory on the way**: each value that is stored between loops, and why it was not fused into its
    ///   readers;
    /// - **results**: the arguments over which each may be written;
    /// - **code**: its size, and its memory.
    ///
    /// Of a function that runs [on a device](super::Jit::on) it says also what a call moves, and shows the kernels and
    /// their launches.
    ///
    /// The function is compiled again for this, because compiled code does not keep this information.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| (x.sin() * 2.0).sum());
    /// let code = f.compile(&ShapeDtype::new([1000], DType::F64))?;
    /// let text = code.explain()?.to_string();
    /// // The three operations are one loop, and nothing is stored on the way.
    /// assert!(text.contains("sum: lanes 1000"), "{text}");
    /// assert!(text.contains("memory on the way\n    none"), "{text}");
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only those that compiling has.
    pub fn explain(&self) -> Result<Explanation> {
        explain::explain(&self.compiled, &self.def)
    }

    /// Estimates the time of a call and the memory it moves, with the prices that the compiler decides by. Loops of
    /// unknown length are assumed to take `steps` steps. The function is compiled again for this.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.sin().sum());
    /// let [short, long] = [1_000, 1_000_000].map(|n| {
    ///     let code = f.compile(&ShapeDtype::new([n], DType::F64))?;
    ///     code.estimate(1.0)
    /// });
    /// assert!(long?.nanoseconds > 10.0 * short?.nanoseconds);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those that compiling has, and if the function runs on a device.
    pub fn estimate(&self, steps: f64) -> Result<Estimate> {
        explain::estimate(&self.compiled, steps)
    }

    /// Returns the function as text at a stage closer to machine code than [`Executable::func`]. The function
    /// is compiled again for this. For a device every stage after the loop IR is the text of the device's code.
    ///
    /// ```
    /// use wengert::Stage;
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.sqrt());
    /// let code = f.compile(&ShapeDtype::new([1000], DType::F64))?;
    /// assert!(code.dump(Stage::LoopIr)?.contains("sqrt"));
    /// assert!(code.dump(Stage::Clif)?.contains("sqrt"));
    /// assert!(code.dump(Stage::MachineCode)?.contains("sqrt"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only those that compiling has.
    pub fn dump(&self, stage: Stage) -> Result<String> {
        explain::dump(&self.compiled, stage)
    }

    /// Returns the IR that was compiled.
    pub fn func(&self) -> &Func {
        &self.compiled.func
    }
}

fn another_structure(op: &str, difference: &tree::Difference) -> Error {
    Error::argument(
        op,
        "args",
        "the structure that the code was made for",
        difference.to_string(),
        None,
    )
}

impl<X, Y> fmt::Debug for Executable<X, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Executable({} equations)", self.compiled.func.count())
    }
}
