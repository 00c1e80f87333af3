//! Random differentiable programs: typed expressions over scalars, vectors and matrices of `f64`, with every
//! loop, branch and transform nested in each other.
//!
//! Each operation stays on a domain where it is smooth and its results are small, because programs are
//! differentiated and compared with finite differences.

mod build;
mod generate;
mod shrink;
mod text;

pub use build::Style;
pub use generate::Limits;
pub use shrink::shrunk;

/// A named value: a parameter of the program, or of a body in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Binder {
    /// Its number, unique among the binders of a program.
    pub name: u32,
    /// The shape of its value.
    pub shape: Vec<usize>,
}

/// An operand: an expression, in which names may be bound.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// The names to which the operation gives values.
    pub binders: Vec<Binder>,
    /// The expression.
    pub body: Expr,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// The operation.
    pub kind: Kind,
    /// The shape of its value.
    pub shape: Vec<usize>,
    /// Its operands.
    pub args: Vec<Arg>,
}

/// The operation of an expression. The text of a program shows how each is written with this crate's functions.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Var(u32),
    Const(f64),
    /// A smooth function of one operand, by its index in a table.
    Unary(usize),
    /// A smooth function of two operands, by its index in a table.
    Binary(usize),
    Select,
    Sum,
    SumAxis(usize),
    Mean,
    Prod,
    Largest,
    /// A cumulative function along an axis, by its index in a table.
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
    /// An empty batch.
    Nothing,
    /// A loop whose two or three carries rotate.
    Exchange {
        carries: usize,
    },
    /// A solution of an equation that contains a function's derivative: of a linear one, or of a nonlinear one.
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
    /// Returns the number of nodes, where constants weigh less than names.
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
    /// Generates a random program. A seed always gives the same program.
    pub fn random(seed: u64, limits: &Limits) -> Program {
        generate::program(seed, limits)
    }
}
