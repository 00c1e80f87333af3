//! Systems with a triangular matrix.

use super::{Factor, Factorisation, square, t};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::loops::kernel::Task;
use crate::ops::cotangent::add_tangents;
use crate::ops::{Cotangent, Operand, Tangent};
use crate::schedule::desk::{Desk, Matrix, place};
use crate::trace::Var;

/// `(a, b)`: the matrix `x` with `a x = b`, where only one triangle of `a` is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Triangular {
    /// Whether the lower triangle is read, and not the upper one.
    pub lower: bool,
    /// Whether the system is `aᵀ x = b`.
    pub transposed: bool,
    /// Whether the diagonal is taken for ones.
    pub unit: bool,
}

impl Triangular {
    /// A lower triangle with its own diagonal.
    pub const fn lower() -> Triangular {
        Triangular {
            lower: true,
            transposed: false,
            unit: false,
        }
    }

    /// An upper triangle with its own diagonal.
    pub const fn upper() -> Triangular {
        Triangular {
            lower: false,
            transposed: false,
            unit: false,
        }
    }
}

/// Records the solution of triangular systems. The right-hand sides are the columns of `b`.
#[track_caller]
pub fn triangular_solve(a: Var, b: Var, system: Triangular) -> Var {
    Factor::Triangular(system).bind(&[a, b])[0]
}

/// The system with a lower triangular matrix.
pub(crate) fn lower() -> Triangular {
    Triangular {
        lower: true,
        transposed: false,
        unit: false,
    }
}

/// The system with an upper triangular matrix.
pub(crate) fn upper() -> Triangular {
    Triangular {
        lower: false,
        ..lower()
    }
}

impl Triangular {
    pub(super) fn read(given: &Given) -> Option<Triangular> {
        Some(Triangular {
            lower: given.boolean("lower")?,
            transposed: given.boolean("transposed")?,
            unit: given.boolean("unit")?,
        })
    }

    /// The system with the transposed matrix.
    pub(crate) fn transposed(self) -> Triangular {
        Triangular {
            transposed: !self.transposed,
            ..self
        }
    }

    /// The same system with a diagonal of ones.
    pub(crate) fn unit(self) -> Triangular {
        Triangular { unit: true, ..self }
    }

    /// The part of a matrix that is read.
    #[track_caller]
    fn part(self, x: Var) -> Var {
        match (self.lower, self.unit) {
            (true, false) => x.tril(),
            (true, true) => x.tril_at(-1),
            (false, false) => x.triu(),
            (false, true) => x.triu_at(1),
        }
    }
}

impl Factorisation for Triangular {
    fn name(&self) -> &'static str {
        "triangular_solve"
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("lower", Attribute::Bool(self.lower)),
            ("transposed", Attribute::Bool(self.transposed)),
            ("unit", Attribute::Bool(self.unit)),
        ]
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[1].dims();
        let task = Task::Triangular {
            lower: self.lower,
            transposed: self.transposed,
            unit: self.unit,
        };
        (task, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2, 2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let n = square(&inputs[0])?;
        if inputs[1].dims()[0] != n {
            let message = format!("{} and {} differ in rows", inputs[0], inputs[1]);
            return Err(TypeError::new(message));
        }
        Ok(vec![inputs[1].clone()])
    }

    /// Divides by one pivot after the other, and subtracts what each unknown contributes to the other rows.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (mut a, b, x) = (inputs[0].clone(), &inputs[1], &outputs[0]);
        if self.transposed {
            a = a.t();
        }
        let (rows, columns) = (x.rows(), x.columns());
        let (zero, n, m) = (place(0), place(rows), place(columns));
        let downwards = self.lower != self.transposed;
        let unit = self.unit;
        let beside = columns > 1;
        let mut column = |d: &mut Desk, c: &_| {
            d.each(&zero, &n, &mut |d, i| {
                let value = d.get(b, &[i, c]);
                d.set(x, &[i, c], value);
            });
            let mut step = |d: &mut Desk, k: &_| {
                let mut known = d.get(x, &[k, c]);
                if !unit {
                    let pivot = d.get(&a, &[k, k]);
                    known = d.div(known, pivot);
                    d.set(x, &[k, c], known);
                }
                let mut rest = |d: &mut Desk, i: &_| {
                    let factor = d.get(&a, &[i, k]);
                    let product = d.mul(factor, known);
                    let value = d.get(x, &[i, c]);
                    let value = d.sub(value, product);
                    d.set(x, &[i, c], value);
                };
                match downwards {
                    true => d.each(&d.after(k), &n, &mut rest),
                    false => d.each(&zero, k, &mut rest),
                }
            };
            match downwards {
                true => d.each(&zero, &n, &mut step),
                false => d.each_back(&zero, &n, &mut step),
            }
        };
        match beside {
            true => d.beside(&zero, &m, &mut column),
            false => d.each(&zero, &m, &mut column),
        }
    }

    /// The tangent solves `a x' = b' - a' x`.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let moved = dx[0].map(|da| {
            let da = self.part(da);
            let da = if self.transposed { t(da) } else { da };
            -da.matmul(y[0])
        });
        let right = add_tangents(dx[1], moved);
        vec![right.map(|b| triangular_solve(x[0], b, *self))]
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let back = ct[0].expect("the cotangent of the one result");
        let a = inputs[0].known();
        vec![
            None,
            Some(back.map(|ct| triangular_solve(a, ct, self.transposed()))),
        ]
    }
}
