//! Export: a function and its derivatives as a header and a source.

mod abi;
mod diffsl;
mod elf;
mod files;
mod fortran;
mod function;
mod object;
mod python;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use wengert::prelude::*;
use wengert::{Feed, FunctionParts, Jit};

use crate::CError;
use crate::unit::{Unit, check_name};
use function::{Function, Role};
use object::Code;

pub use elf::elf;
pub use object::Processor;

/// Begins the export of a function for arguments like `args` (examples, or their types) as C under a name.
///
/// `f` is a [`Jit`] or an [`Arc`] of one. Arrays that it captures become tables of the source. The functions of the source
/// have the bits of the compiled function, on any machine whose floats are those of IEEE 754.
///
/// ```
/// use wengert::prelude::*;
///
/// let energy = jit(|[x, v]: [Var; 2]| 0.5 * v * v - x.cos());
/// let files = wengert_c::export(energy, [0.0, 0.0], "pendulum")?.derivatives().files()?;
/// assert!(files.header.contains("int pendulum(const double* x0, const double* x1, double* y, pendulum_scratch* scratch);"));
/// assert!(files.header.contains("int pendulum_vjp("));
/// // The sine is in the source: nothing is taken from a library of mathematics.
/// assert!(files.source.contains("static inline f64 f_sin(const f64"));
/// # Ok::<(), wengert_c::CError>(())
/// ```
///
/// # Errors
/// If the function has a mistake, or the name is not free in C.
#[track_caller]
pub fn export<X, Y, A>(
    f: impl Into<Arc<Jit<X, Y>>>,
    args: A,
    name: &str,
) -> Result<Export<X, Y>, CError>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<ShapeDtype>>,
{
    check_name(name)?;
    let f = f.into();
    let parts = f.parts(args)?;
    Ok(Export {
        name: name.to_string(),
        f,
        parts,
        wanted: vec![],
        abis: vec![],
        languages: vec![],
        list_bytes: crate::LIST_BYTES,
        lines: false,
        object: None,
    })
}

/// A derivative that a source may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Derivative {
    Jvp,
    Vjp,
    Jacobian,
}

/// A convention of calls that a source may have beside its own.
#[derive(Clone, PartialEq, Debug)]
enum Abi {
    Casadi,
    Scipy,
    Rhs,
    /// With the state to begin with.
    Diffsl(Vec<f64>),
}

/// A language that gets a module of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Language {
    Fortran,
    Python,
}

/// A source in the making: see [`export`].
#[derive(Debug)]
pub struct Export<X, Y> {
    name: String,
    f: Arc<Jit<X, Y>>,
    parts: FunctionParts,
    wanted: Vec<Derivative>,
    abis: Vec<Abi>,
    languages: Vec<Language>,
    list_bytes: usize,
    lines: bool,
    object: Option<Processor>,
}

/// A header and the source that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The name of the function, and of the files.
    pub name: String,
    /// `NAME.h`.
    pub header: String,
    /// `NAME.c`.
    pub source: String,
    /// `NAME.f90`, if it was [asked for](Export::fortran).
    pub fortran: Option<String>,
    /// `NAME.py`, if it was [asked for](Export::python).
    pub python: Option<String>,
    /// `NAME.o`, if it was [asked for](Export::object).
    pub object: Option<Vec<u8>>,
}

impl Files {
    /// Writes `NAME.h`, `NAME.c` and what else there is into a folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_to(&self, folder: impl AsRef<Path>) -> std::io::Result<()> {
        let folder = folder.as_ref();
        std::fs::write(folder.join(format!("{}.h", self.name)), &self.header)?;
        std::fs::write(folder.join(format!("{}.c", self.name)), &self.source)?;
        for (extension, text) in [("f90", &self.fortran), ("py", &self.python)] {
            if let Some(text) = text {
                std::fs::write(folder.join(format!("{}.{extension}", self.name)), text)?;
            }
        }
        if let Some(object) = &self.object {
            std::fs::write(folder.join(format!("{}.o", self.name)), object)?;
        }
        Ok(())
    }
}

impl<X, Y> Export<X, Y>
where
    X: Tree<Leaf = Var> + 'static,
    Y: Tree<Leaf = Var> + 'static,
{
    fn with(mut self, derivative: Derivative) -> Self {
        if !self.wanted.contains(&derivative) {
            self.wanted.push(derivative);
        }
        self
    }

    /// Adds `NAME_jvp`: the results and their tangents along a tangent of each float among the arguments.
    pub fn jvp(self) -> Self {
        self.with(Derivative::Jvp)
    }

    /// Adds `NAME_vjp`: the results, and the cotangents of the arguments for a cotangent of each float among the results.
    pub fn vjp(self) -> Self {
        self.with(Derivative::Vjp)
    }

    /// Adds `NAME_jac`: the results, and the Jacobian of each float among them by each among the arguments, whose shape is
    /// that of the result followed by that of the argument.
    pub fn jacobian(self) -> Self {
        self.with(Derivative::Jacobian)
    }

    /// Adds all three.
    pub fn derivatives(self) -> Self {
        self.jvp().vjp().jacobian()
    }

    /// Adds an external function of CasADi, `NAME_casadi`, with its Jacobian: for
    /// `casadi.external("NAME_casadi", "./NAME.so")`, for acados, and for MATLAB. Arguments and results must be `f64`, of
    /// at most two axes.
    pub fn casadi(mut self) -> Self {
        self.abis.push(Abi::Casadi);
        self.jacobian()
    }

    /// Adds `double NAME_scipy(int n, double* x, void* data)`, for SciPy's `LowLevelCallable`: the arguments, one after the
    /// other, are the `n` numbers, and the result is one number. Of a call that fails it is NaN.
    pub fn scipy(mut self) -> Self {
        self.abis.push(Abi::Scipy);
        self
    }

    /// Adds `void NAME_rhs(double t, double* u, double* du, double* p)`, the right-hand side of numbalsoda's solvers, for a
    /// function of a time, a state and, if there are any, parameters. Of a call that fails it is NaN.
    pub fn rhs(mut self) -> Self {
        self.abis.push(Abi::Rhs);
        self
    }

    /// Adds the functions of an external object of DiffSL, for diffsol and pydiffsol: `rhs`, `rhs_grad`, `rhs_rgrad` and the
    /// others of its interface (diffsl 0.12), for a function of a time, a state and, if there are any, parameters, all `f64`.
    /// The state begins at `start`; the object's inputs are the parameters, and its outputs the state. A library has one such
    /// object, because its functions have these names. Of a call that fails the results are NaN.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let logistic = jit(|(_t, u, p): (Var, Var, Var)| p.at(0) * u * (1.0 - u / p.at(1)));
    /// let files = wengert_c::export(logistic, (0.0, [0.1], [1.0, 1.0]), "logistic")?.diffsl([0.1]).files()?;
    /// assert!(files.header.contains("void rhs_grad(double time, const double* u, const double* du, "));
    /// # Ok::<(), wengert_c::CError>(())
    /// ```
    pub fn diffsl(mut self, start: impl IntoIterator<Item = f64>) -> Self {
        let start = start.into_iter().collect();
        self.abis.push(Abi::Diffsl(start));
        self.jvp().vjp()
    }

    /// Adds `NAME.f90`, a module of Fortran 2003 with an interface for each function: `use NAME_module`. The axes of an
    /// array are in reverse there, since Fortran's first index is the fastest: `f64[3,4]` is `real(c_double) :: x(4, 3)`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let spin = jit(|(m, x): (Var, Var)| m.dot(x));
    /// let types = (ShapeDtype::new([3, 4], DType::F64), ShapeDtype::new([4], DType::F64));
    /// let files = wengert_c::export(spin, types, "spin")?.fortran().files()?;
    /// let module = files.fortran.unwrap();
    /// assert!(module.contains("integer(c_int) function spin(x0, x1, y, scratch) &"));
    /// assert!(module.contains("real(c_double), intent(in) :: x0(4, 3)"));
    /// # Ok::<(), wengert_c::CError>(())
    /// ```
    pub fn fortran(self) -> Self {
        self.speaking(Language::Fortran)
    }

    /// Adds `NAME.py`, a module of Python that needs NumPy alone. Its class `Model` loads the shared library
    /// `libNAME.so` beside it by `ctypes`, and has the methods `value`, and `jvp`, `vjp` and `jacobian` if there are these
    /// functions. They take and return arrays of NumPy, refuse those of another shape or of a type that would lose
    /// something, and raise the message of a status as `Error`. Python's lock is not held while the function runs, and each
    /// thread has its own scratch.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let area = jit(|[a, b]: [Var; 2]| a * b);
    /// let files = wengert_c::export(area, [1.0, 2.0], "area")?.vjp().python().files()?;
    /// let module = files.python.unwrap();
    /// assert!(module.contains("def value(self, x0, x1, *, out=None):"));
    /// assert!(module.contains("def vjp(self, x0, x1, bar_y, *, out=None):"));
    /// # Ok::<(), wengert_c::CError>(())
    /// ```
    pub fn python(self) -> Self {
        self.speaking(Language::Python)
    }

    fn speaking(mut self, language: Language) -> Self {
        if !self.languages.contains(&language) {
            self.languages.push(language);
        }
        self
    }

    /// Adds `NAME.o`, an object for linkers: the functions of `NAME.c` as machine code, for a program whose author has our
    /// code but no compiler of C, or wants none. The header is the same one, and so are layouts, statuses and the bits of
    /// results. The code may lie anywhere, in a program or in a shared library, and takes nothing from a library but
    /// `memmove`; for [`Processor::X86_64`] also `fma`, `floor` and what else that lacks from C's library of mathematics.
    /// The conventions of [`scipy`](Export::scipy) and [`rhs`](Export::rhs) are in it, too. It has the format ELF, that of
    /// Linux and most other systems.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_c::Processor;
    ///
    /// let area = jit(|[a, b]: [Var; 2]| a * b);
    /// let files = wengert_c::export(area, [1.0, 2.0], "area")?.vjp().object(Processor::Host).files();
    /// # if cfg!(not(all(unix, not(target_vendor = "apple"), any(target_arch = "x86_64", target_arch = "aarch64")))) {
    /// #     return Ok(());
    /// # }
    /// assert_eq!(files?.object.unwrap()[..4], *b"\x7fELF");
    /// # Ok::<(), wengert_c::CError>(())
    /// ```
    pub fn object(mut self, processor: Processor) -> Self {
        self.object = Some(processor);
        self
    }

    /// Sets the bytes of scratch for what loops of unknown length keep for their derivatives. A call that needs more
    /// returns `NAME_LISTS_FULL`. The default is [`LIST_BYTES`](crate::LIST_BYTES).
    pub fn list_bytes(mut self, bytes: usize) -> Self {
        self.list_bytes = bytes;
        self
    }

    /// Puts `#line` in front of loops, so that debuggers and profilers show the lines of the Rust function.
    pub fn lines(mut self) -> Self {
        self.lines = true;
        self
    }

    /// Makes the header and the source.
    ///
    /// # Errors
    /// If there is no C for a part of the function, such as a factorisation of a large matrix or a function of the host;
    /// if it has no derivative that is asked for; if its arguments do not fit a convention of calls, or its names a
    /// language; or if there is no object for the processor, or for a convention.
    pub fn files(&self) -> Result<Files, CError> {
        let mut functions = vec![Function::plain(&self.name, self.parts.clone())];
        for &derivative in &self.wanted {
            functions.push(self.derived(derivative)?);
        }
        let mut unit = Unit::new(&self.name).list_bytes(self.list_bytes);
        for f in &functions {
            f.write(&mut unit, self.lines)?;
        }
        let code = |p| Code::of(p, &functions, &mut unit, self.list_bytes);
        let mut code = self.object.map(code).transpose()?;
        for abi in &self.abis {
            match abi {
                Abi::Casadi => abi::casadi(&mut unit, &self.name, &functions)?,
                Abi::Scipy => abi::scipy(&mut unit, &self.name, &functions[0])?,
                Abi::Rhs => abi::rhs(&mut unit, &self.name, &functions[0])?,
                Abi::Diffsl(start) => diffsl::diffsl(&mut unit, &self.name, &functions, start)?,
            }
            if let Some(code) = &mut code {
                code.convention(abi, &self.name, &functions[0])?;
            }
        }
        let object = code
            .map(|code| code.finish(&self.name, &unit))
            .transpose()?;
        let speaks = |language| self.languages.contains(&language);
        let fortran = speaks(Language::Fortran);
        let python = speaks(Language::Python);
        let fortran = fortran.then(|| fortran::module(&self.name, &unit, &functions));
        let python = python.then(|| python::module(&self.name, &unit, &functions));
        Ok(Files {
            name: self.name.clone(),
            header: files::header(&self.name, &unit, &functions, self.object),
            source: files::source(&self.name, &unit),
            fortran: fortran.transpose()?,
            python: python.transpose()?,
            object,
        })
    }

    /// The function of a derivative, on lists of leaves.
    fn derived(&self, derivative: Derivative) -> Result<Function, CError> {
        let plain = Function::plain(&self.name, self.parts.clone());
        let (args, results) = (self.parts.args.clone(), plain.outputs.clone());
        let floats = |all: &[function::Leaf]| -> Vec<usize> {
            let each = (0..all.len()).filter(|&i| all[i].port.dtype.is_float());
            each.collect()
        };
        let (of_args, of_results) = (floats(&plain.inputs), floats(&results));
        let specs = |all: &[function::Leaf]| -> Vec<ShapeDtype> {
            all.iter().map(|l| l.spec.clone()).collect()
        };
        let (x_specs, y_specs) = (specs(&plain.inputs), specs(&results));
        let pick = |all: &[ShapeDtype], which: &[usize]| -> Vec<ShapeDtype> {
            which.iter().map(|&i| all[i].clone()).collect()
        };
        let f = self.f.clone();
        // The function on leaves, of which those that are floats vary.
        let on_leaves = {
            let varying = of_args.clone();
            move |x: &[Var], floats: Vec<Var>| -> Vec<Var> {
                let mut x = x.to_vec();
                for (&i, v) in varying.iter().zip(floats) {
                    x[i] = v;
                }
                let x = tree::unflatten::<X>(&args, x).expect("the structure of the arguments");
                tree::flatten(f.apply(x)).0
            }
        };
        let (ins, outs) = (of_args.clone(), of_results.clone());
        let chosen = move |x: &[Var]| -> Vec<Var> { ins.iter().map(|&i| x[i]).collect() };
        let parts = match derivative {
            Derivative::Jvp => {
                let tangents = pick(&x_specs, &of_args);
                jit(move |(x, dx): (Vec<Var>, Vec<Var>)| {
                    let (y, dy) = jvp(|v| on_leaves(&x, v), chosen(&x), dx);
                    let dy: Vec<Var> = outs.iter().map(|&i| dy[i]).collect();
                    (y, dy)
                })
                .parts((x_specs, tangents))?
            }
            Derivative::Vjp => {
                let cotangents = pick(&y_specs, &of_results);
                jit(move |(x, dy): (Vec<Var>, Vec<Var>)| {
                    let split = |v: Vec<Var>| {
                        let y = on_leaves(&x, v);
                        let floats: Vec<Var> = outs.iter().map(|&i| y[i]).collect();
                        (floats, y)
                    };
                    let ((_, y), pull) = vjp_aux(split, chosen(&x));
                    (y, pull(dy))
                })
                .parts((x_specs, cotangents))?
            }
            Derivative::Jacobian => {
                let size = |all: &[ShapeDtype]| -> usize {
                    all.iter().map(|s| s.shape.iter().product::<usize>()).sum()
                };
                let forward = size(&pick(&x_specs, &of_args)) <= size(&pick(&y_specs, &of_results));
                jit(move |x: Vec<Var>| {
                    let y = on_leaves(&x, chosen(&x));
                    let of = |v: Vec<Var>| -> Vec<Var> {
                        let y = on_leaves(&x, v);
                        outs.iter().map(|&i| y[i]).collect()
                    };
                    let jacobian = match forward {
                        true => jacfwd(of)(chosen(&x)),
                        false => jacrev(of)(chosen(&x)),
                    };
                    (y, jacobian)
                })
                .parts(x_specs)?
            }
        };
        let role = match derivative {
            Derivative::Jvp => Role::Jvp,
            Derivative::Vjp => Role::Vjp,
            Derivative::Jacobian => Role::Jacobian,
        };
        Ok(plain.derived(role, parts, &of_args, &of_results))
    }
}

/// Text in a comment of C.
fn comment(lines: &[String]) -> String {
    let mut text = String::from("/*\n");
    for line in lines {
        let line = line.replace("*/", "* /");
        let _ = writeln!(text, "{}", format!(" * {line}").trim_end());
    }
    text + " */\n"
}
