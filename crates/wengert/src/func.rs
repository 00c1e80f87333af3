//! What was traced, to be looked at.

use std::fmt;

use wengert_ir::error::Result;
use wengert_ir::ir;

use crate::tree::ShapeDtype;

/// A function as it was recorded, or as it is compiled: what [`trace`](crate::trace), [`Jit::func`](crate::Jit::func)
/// and [`Executable::func`](crate::Executable::func) give.
///
/// It is there to be read and compared: `Display` is its text, an equation a line, which [`Func::parse`] reads again;
/// [`Func::to_dot`] and [`Func::to_html`] draw it. What it is made of inside changes from version to version.
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
    /// Reads the text that `Display` writes. Functions of [`debug_print`](crate::debug_print) and
    /// [`pure_callback`](crate::pure_callback) are in no text, and cannot be read.
    ///
    /// # Errors
    /// If it is not such a text, with the number of the line.
    pub fn parse(text: &str) -> Result<Func> {
        ir::Func::parse(text).map(Func::from_ir)
    }

    /// The types of its parameters: the leaves of the arguments, in order, and behind them the arrays that the
    /// function uses.
    pub fn param_types(&self) -> Vec<ShapeDtype> {
        self.ir.param_types().iter().map(ShapeDtype::from).collect()
    }

    /// The types of its results: their leaves, in order.
    pub fn result_types(&self) -> Vec<ShapeDtype> {
        self.ir
            .result_types()
            .iter()
            .map(ShapeDtype::from)
            .collect()
    }

    /// The number of its equations, those of functions inside of it included.
    pub fn count(&self) -> usize {
        self.ir.count()
    }

    /// The function as a graph, in the language of Graphviz.
    pub fn to_dot(&self) -> String {
        self.ir.to_dot()
    }

    /// The function as a page of HTML that needs nothing else, with the lines of the program that it comes from.
    pub fn to_html(&self) -> String {
        self.ir.to_html()
    }

    /// What it is inside.
    #[doc(hidden)]
    pub fn ir(&self) -> &ir::Func {
        &self.ir
    }

    /// What it is inside, moved out.
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
