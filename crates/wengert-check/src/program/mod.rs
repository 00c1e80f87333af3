//! Random differentiable programs: typed expressions over scalars, vectors and matrices of `f64`, with
//! every loop, branch and transform nested in each other.
//!
//! Each operation stays on a domain where it is smooth and its results are small: a program is made
//! to be differentiated and compared with finite differences.

mod build;
mod generate;
mod shrink;
mod text;

pub use build::Style;
pub use generate::Limits;
pub use shrink::shrunk;

/// A name for a value: a parameter of the program, or of a body in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Binder {
    /// Its number; no two binders of a program have one.
    pub name: u32,
    /// The lengths of the axes of its value.
    pub shape: Vec<usize>,
}

/// An operand: an expression, in which some names may be bound.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// What the operation gives values to.
    pub binders: Vec<Binder>,
    /// The expression.
    pub body: Expr,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it does.
    pub kind: Kind,
    /// The lengths of the axes of its value.
    pub shape: Vec<usize>,
    /// Its operands.
    pub args: Vec<Arg>,
}

/// What an expression does. How each is written with this crate's operations is in the text of a
/// program.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Var(u32),
    Const(f64),
    /// A smooth function of one operand, by its number in a table.
    Unary(usize),
    /// A smooth function of two operands, by its number in a table.
    Binary(usize),
    Select,
    Sum,
    SumAxis(usize),
    Mean,
    Prod,
    Largest,
    /// A running value along an axis, by its number in a table.
    Running(usize, usize),
    Sort,
    Broadcast,
    Reshape,
    Transpose,
    Flip(usize),
    Slice {
        start: usize,
        step: usize,
    },
    Concat(usize),
    Stack,
    Dot,
    Outer,
    At,
    AtSet,
    AtAdd,
    AtMul,
    Take,
    TakeAlong,
    Window,
    Update,
    Scan {
        reverse: bool,
        rows: bool,
    },
    While,
    Repeat,
    RepeatTraced,
    /// A batch of no element.
    Nothing,
    /// A loop whose carries change places, two of them or three.
    Exchange {
        carries: usize,
    },
    /// What is defined by an equation with a function's derivative in it: a linear one, or one that is not.
    Implicit {
        root: bool,
    },
    Cond,
    Map {
        columns: bool,
    },
    Grad,
    Jvp,
    Linearize,
    Pull(Place),
    Jacobian {
        reverse: bool,
    },
    Checkpoint,
    CustomRule,
    Let,
}

/// Where a pullback is applied.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Place {
    Here,
    Map,
    Scan,
    Branch,
}

/// A program: parameters with values to try it at, and one result.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The parameters.
    pub params: Vec<Binder>,
    /// The result.
    pub body: Expr,
}

impl Expr {
    /// The number of nodes, constants counted as less than names.
    pub fn weight(&self) -> usize {
        let own = match self.kind {
            Kind::Const(_) => 1,
            Kind::Var(_) => 2,
            _ => 3,
        };
        own + self.args.iter().map(|a| a.body.weight()).sum::<usize>()
    }
}

impl Program {
    /// A random program. One seed gives one program.
    pub fn random(seed: u64, limits: &Limits) -> Program {
        generate::program(seed, limits)
    }
}
