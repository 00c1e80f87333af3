//! Traced functions as values to inspect.

use std::fmt;

use wengert_ir::error::Result;
use wengert_ir::ir;

use crate::tree::ShapeDtype;

/// A function as it was recorded, or as it is compiled. [`trace`](crate::trace),
/// [`Jit::func`](crate::Jit::func) and [`Executable::func`](crate::Executable::func) return one.
///
/// It can be read and compared: `Display` writes its text, one equation per line, which [`Func::parse`] reads
/// back; [`Func::to_dot`] and [`Func::to_html`] draw it. Its internal structure may change from version to
/// version.
///
/// ```
/// use wengert::Func;
/// use wengert::prelude::*;
///
/// let func = wengert::trace(|x: Var| x.sin() * x, &ShapeDtype::new([3], DType::F64))?;
/// assert_eq!(func.count(), 2);
/// assert_eq!(func.param_types(), [ShapeDtype::new([3], DType::F64)]);
/// assert!(func.to_string().contains("sin"));
/// assert_eq!(Func::parse(&func.to_string())?.to_string(), func.to_string());
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Func {
    ir: ir::Func,
}

impl Func {
    /// Reads the text that `Display` writes. A text with [`debug_print`](crate::debug_print) or
    /// [`pure_callback`](crate::pure_callback) cannot be read: their Rust functions are not in it.
    ///
    /// # Errors
    /// If the text is malformed; the error has the line number.
    pub fn parse(text: &str) -> Result<Func> {
        ir::Func::parse(text).map(Func::from_ir)
    }

    /// Returns the types of the parameters: the leaves of the arguments, in order, then the arrays that the
    /// function captures.
    pub fn param_types(&self) -> Vec<ShapeDtype> {
        self.ir.param_types().iter().map(ShapeDtype::from).collect()
    }

    /// Returns the types of the results: their leaves, in order.
    pub fn result_types(&self) -> Vec<ShapeDtype> {
        self.ir
            .result_types()
            .iter()
            .map(ShapeDtype::from)
            .collect()
    }

    /// Counts the equations, including those of nested functions.
    pub fn count(&self) -> usize {
        self.ir.count()
    }

    /// Returns the function as a graph in Graphviz's language.
    pub fn to_dot(&self) -> String {
        self.ir.to_dot()
    }

    /// Returns the function as a self-contained HTML page, with the lines of the program that it comes from.
    pub fn to_html(&self) -> String {
        self.ir.to_html()
    }

    /// Returns the underlying IR.
    #[doc(hidden)]
    pub fn ir(&self) -> &ir::Func {
        &self.ir
    }

    /// Returns the underlying IR by value.
    #[doc(hidden)]
    pub fn into_ir(self) -> ir::Func {
        self.ir
    }

    pub(crate) fn from_ir(ir: ir::Func) -> Func {
        Func { ir }
    }
}

impl fmt::Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ir.fmt(f)
    }
}

impl fmt::Debug for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Func({} equations)", self.count())
    }
}
