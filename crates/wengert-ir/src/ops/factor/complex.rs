//! Complex systems and determinants, and complex arithmetic on a desk and on values.

use super::{Factor, Factorisation, square, t};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::loops::affine::Affine;
use crate::loops::kernel::Task;
use crate::loops::{ScalarOp, Value};
use crate::ops::cotangent::add_tangents;
use crate::ops::{Cotangent, Operand, Tangent};
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// `(a, a', b, b')`: the complex matrix `x` with `(a + i a') x = b + i b'`, as its two parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ComplexSolve {
    /// Whether the matrix is conjugated and transposed.
    pub adjoint: bool,
}

/// `(a, a')`: the determinant of the complex matrix, as its two parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ComplexDet;

/// The real and the imaginary part.
pub type Parts<T = Var> = [T; 2];

/// Records the solution of complex systems. The right-hand sides are the columns of `b`.
#[track_caller]
pub fn solve_complex(a: Parts, b: Parts, adjoint: bool) -> Parts {
    let solve = Factor::ComplexSolve(ComplexSolve { adjoint });
    let x = solve.bind(&[a[0], a[1], b[0], b[1]]);
    [x[0], x[1]]
}

/// Records the determinants of complex matrices.
#[track_caller]
pub fn det_complex(a: Parts) -> Parts {
    let det = Factor::ComplexDet(ComplexDet).bind(&a);
    [det[0], det[1]]
}

/// Products and sums of pairs of values.
#[track_caller]
pub(super) fn matmul(a: Parts, b: Parts) -> Parts {
    [
        a[0].matmul(b[0]) - a[1].matmul(b[1]),
        a[0].matmul(b[1]) + a[1].matmul(b[0]),
    ]
}

#[track_caller]
pub(super) fn mul(a: Parts, b: Parts) -> Parts {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

#[track_caller]
pub(super) fn each(a: Parts, f: impl Fn(Var) -> Var) -> Parts {
    [f(a[0]), f(a[1])]
}

#[track_caller]
pub(super) fn adjoint(a: Parts) -> Parts {
    [t(a[0]), -t(a[1])]
}

/// The tangents of a pair, with zeros in place of missing ones; `None` if both are missing.
#[track_caller]
pub(super) fn tangents(dx: &[Tangent], like: Var) -> Option<Parts> {
    if dx.iter().all(Option::is_none) {
        return None;
    }
    let whole = |d: Tangent| d.unwrap_or_else(|| Var::zeros(&like.ty()));
    Some([whole(dx[0]), whole(dx[1])])
}

impl ComplexSolve {
    pub(super) fn read(given: &Given) -> Option<ComplexSolve> {
        let adjoint = given.boolean("adjoint")?;
        Some(ComplexSolve { adjoint })
    }
}

/// Refuses parts of different types.
pub(super) fn same_parts(a: &Type, b: &Type) -> Result<(), TypeError> {
    match a == b {
        true => Ok(()),
        false => Err(TypeError::new(format!("the parts {a} and {b} differ"))),
    }
}

impl Factorisation for ComplexSolve {
    fn name(&self) -> &'static str {
        "solve_complex"
    }

    fn attributes(&self) -> Attributes {
        vec![("adjoint", Attribute::Bool(self.adjoint))]
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[2].dims();
        let adjoint = self.adjoint;
        (Task::ComplexSolve { adjoint }, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2, 2, 2, 2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let n = square(&inputs[0])?;
        same_parts(&inputs[0], &inputs[1])?;
        same_parts(&inputs[2], &inputs[3])?;
        if inputs[2].dims()[0] != n {
            let message = format!("{} and {} differ in rows", inputs[0], inputs[2]);
            return Err(TypeError::new(message));
        }
        Ok(vec![inputs[2].clone(), inputs[3].clone()])
    }

    /// Eliminates with partial pivoting, and substitutes back.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let x = [outputs[0].clone(), outputs[1].clone()];
        let a = [inputs[0].clone(), inputs[1].clone()];
        let (n, m) = (x[0].rows(), x[0].columns());
        if n == 0 || m == 0 {
            return;
        }
        let w = d.copied(&a, self.adjoint);
        d.copy(&inputs[2], &x[0]);
        d.copy(&inputs[3], &x[1]);
        let (zero, rows, columns) = (place(0), place(n), place(m));
        d.eliminate_complex(&w, Some(&x), &mut |_, _, _| {});
        // The diagonal holds the reciprocals of the pivots.
        let mut column = |d: &mut Desk, c: &Affine| {
            d.each_back(&zero, &rows, &mut |d, k| {
                let (value, scale) = (d.get_complex(&x, &[k, c]), d.get_complex(&w, &[k, k]));
                let value = d.mul_complex(value, scale);
                d.set_complex(&x, &[k, c], value);
                d.each(&zero, k, &mut |d, i| {
                    let factor = d.get_complex(&w, &[i, k]);
                    d.subtract_complex(&x, &[i, c], factor, value);
                });
            });
        };
        match m {
            1 => d.each(&zero, &columns, &mut column),
            _ => d.beside(&zero, &columns, &mut column),
        }
    }

    /// The tangent solves `a x' = b' - a' x`.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let moved = tangents(&dx[..2], x[0]).map(|da| {
            let da = if self.adjoint { adjoint(da) } else { da };
            each(matmul(da, [y[0], y[1]]), |x| -x)
        });
        let right = [0, 1].map(|k| add_tangents(dx[2 + k], moved.map(|m| m[k])));
        match tangents(&right, x[2]) {
            Some(b) => solve_complex([x[0], x[1]], b, self.adjoint)
                .map(Some)
                .to_vec(),
            None => vec![None, None],
        }
    }

    /// The transpose of the map of both parts is the adjoint of the complex map.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let a = [inputs[0].known(), inputs[1].known()];
        let ty = match (&ct[0], &ct[1]) {
            (Some(c), _) | (_, Some(c)) => c.value.ty(),
            _ => return vec![None; 4],
        };
        let value = |c: &Option<Cotangent>| c.as_ref().map_or_else(|| Var::zeros(&ty), |c| c.value);
        let b = solve_complex(a, [value(&ct[0]), value(&ct[1])], !self.adjoint);
        let masked = ct.iter().flatten().any(|c| c.maybe_zero || c.unread);
        let back = |x: Var| Some(Cotangent::of(x, masked));
        vec![None, None, back(b[0]), back(b[1])]
    }
}

impl Factorisation for ComplexDet {
    fn name(&self) -> &'static str {
        "det_complex"
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[0].dims();
        (Task::ComplexDet, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2, 2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        square(&inputs[0])?;
        same_parts(&inputs[0], &inputs[1])?;
        let scalar = inputs[0].with_dims(&[]);
        Ok(vec![scalar.clone(), scalar])
    }

    /// The product of the pivots.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let a = [inputs[0].clone(), inputs[1].clone()];
        let n = a[0].rows();
        let (one, nothing) = (d.number(1.0), d.number(0.0));
        let mut det = Complex {
            re: one,
            im: nothing,
        };
        if n > 0 {
            let w = d.copied(&a, false);
            let product = d.scratch(&[2]);
            let (re, im) = (place(0), place(1));
            d.set(&product, &[&re], one);
            d.set(&product, &[&im], nothing);
            d.eliminate_complex(&w, None, &mut |d, pivot, same| {
                let (x, y) = (d.get(&product, &[&re]), d.get(&product, &[&im]));
                let next = d.mul_complex(Complex { re: x, im: y }, pivot);
                for (at, x) in [(&re, next.re), (&im, next.im)] {
                    let turned = d.neg(x);
                    let x = d.select(same, x, turned);
                    d.set(&product, &[at], x);
                }
            });
            det = Complex {
                re: d.get(&product, &[&re]),
                im: d.get(&product, &[&im]),
            };
        }
        d.set(&outputs[0], &[], det.re);
        d.set(&outputs[1], &[], det.im);
    }

    /// `y tr(a⁻¹ a')`.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let Some(da) = tangents(dx, x[0]) else {
            return vec![];
        };
        let solved = solve_complex([x[0], x[1]], da, false);
        let trace = each(solved, |x| super::diagonal(x).sum_axis(-1));
        mul([y[0], y[1]], trace).map(Some).to_vec()
    }
}

/// A complex number on a desk.
#[derive(Clone, Copy)]
pub(super) struct Complex {
    pub re: Value,
    pub im: Value,
}

/// What is done with a pivot, and whether its row was in its place.
type Visit<'a> = dyn FnMut(&mut Desk, Complex, Value) + 'a;

impl Desk<'_> {
    pub(super) fn get_complex(&mut self, m: &Parts<Matrix>, at: &[&Affine]) -> Complex {
        Complex {
            re: self.get(&m[0], at),
            im: self.get(&m[1], at),
        }
    }

    pub(super) fn set_complex(&mut self, m: &Parts<Matrix>, at: &[&Affine], z: Complex) {
        self.set(&m[0], at, z.re);
        self.set(&m[1], at, z.im);
    }

    pub(super) fn scratch_complex(&mut self, dims: &[usize]) -> Parts<Matrix> {
        [self.scratch(dims), self.scratch(dims)]
    }

    /// Returns new memory that holds a matrix, or its adjoint.
    pub(super) fn copied(&mut self, a: &Parts<Matrix>, adjoint: bool) -> Parts<Matrix> {
        let n = a[0].rows();
        let w = self.scratch_complex(&[n, n]);
        if !adjoint {
            self.copy(&a[0], &w[0]);
            self.copy(&a[1], &w[1]);
            return w;
        }
        self.copy(&a[0].t(), &w[0]);
        let turned = a[1].t();
        let (zero, n) = (place(0), place(n));
        self.each(&zero, &n, &mut |d, i| {
            d.beside(&zero, &n, &mut |d, j| {
                let x = d.get(&turned, &[i, j]);
                let x = d.neg(x);
                d.set(&w[1], &[i, j], x);
            });
        });
        w
    }

    pub(super) fn add_complex(&mut self, a: Complex, b: Complex) -> Complex {
        Complex {
            re: self.add(a.re, b.re),
            im: self.add(a.im, b.im),
        }
    }

    pub(super) fn sub_complex(&mut self, a: Complex, b: Complex) -> Complex {
        Complex {
            re: self.sub(a.re, b.re),
            im: self.sub(a.im, b.im),
        }
    }

    pub(super) fn mul_complex(&mut self, a: Complex, b: Complex) -> Complex {
        let (rr, ii) = (self.mul(a.re, b.re), self.mul(a.im, b.im));
        let (ri, ir) = (self.mul(a.re, b.im), self.mul(a.im, b.re));
        Complex {
            re: self.sub(rr, ii),
            im: self.add(ri, ir),
        }
    }

    pub(super) fn scale_complex(&mut self, a: Complex, by: Value) -> Complex {
        Complex {
            re: self.mul(a.re, by),
            im: self.mul(a.im, by),
        }
    }

    pub(super) fn conj(&mut self, a: Complex) -> Complex {
        Complex {
            re: a.re,
            im: self.neg(a.im),
        }
    }

    pub(super) fn select_complex(&mut self, pred: Value, a: Complex, b: Complex) -> Complex {
        Complex {
            re: self.select(pred, a.re, b.re),
            im: self.select(pred, a.im, b.im),
        }
    }

    /// `|re| + |im|`.
    pub(super) fn size_complex(&mut self, a: Complex) -> Value {
        let (re, im) = (self.abs(a.re), self.abs(a.im));
        self.add(re, im)
    }

    /// `√(re² + im²)` without overflow.
    pub(super) fn abs_complex(&mut self, a: Complex) -> Value {
        let (re, im) = (self.abs(a.re), self.abs(a.im));
        let large = self.op(ScalarOp::Max, &[re, im]);
        let small = self.op(ScalarOp::Min, &[re, im]);
        let (nothing, one) = (self.number(0.0), self.number(1.0));
        let none = self.eq(large, nothing);
        let by = self.select(none, one, large);
        let ratio = self.div(small, by);
        let square = self.mul(ratio, ratio);
        let sum = self.add(one, square);
        let root = self.sqrt(sum);
        self.mul(large, root)
    }

    /// `1 / a`, by Smith's rule.
    pub(super) fn recip_complex(&mut self, a: Complex) -> Complex {
        let (x, y) = (self.abs(a.re), self.abs(a.im));
        let tall = self.lt(x, y);
        let (large, small) = (self.select(tall, a.im, a.re), self.select(tall, a.re, a.im));
        let ratio = self.div(small, large);
        let part = self.mul(small, ratio);
        let size = self.add(large, part);
        let one = self.number(1.0);
        let first = self.div(one, size);
        let second = self.mul(ratio, first);
        let re = self.select(tall, second, first);
        let im = self.select(tall, first, second);
        Complex {
            re,
            im: self.neg(im),
        }
    }

    /// Subtracts a product from an element.
    pub(super) fn subtract_complex(
        &mut self,
        m: &Parts<Matrix>,
        at: &[&Affine],
        a: Complex,
        b: Complex,
    ) {
        let product = self.mul_complex(a, b);
        let x = self.get_complex(m, at);
        let x = self.sub_complex(x, product);
        self.set_complex(m, at, x);
    }

    /// Makes a matrix upper triangular by elimination with partial pivoting, with the reciprocals of the pivots on its
    /// diagonal, and does the same to the right-hand sides.
    fn eliminate_complex(
        &mut self,
        w: &Parts<Matrix>,
        x: Option<&Parts<Matrix>>,
        visit: &mut Visit<'_>,
    ) {
        let rows = w[0].rows();
        let (zero, n) = (place(0), place(rows));
        self.each(&zero, &n, &mut |d, k| {
            let next = d.after(k);
            let first = d.get_complex(w, &[k, k]);
            let (first, here) = (d.size_complex(first), d.index(k));
            let found = d.fold(&next, &n, &[first, here], &mut |d, i, best| {
                let z = d.get_complex(w, &[i, k]);
                let (size, row) = (d.size_complex(z), d.index(i));
                let more = d.lt(best[0], size);
                let size = d.select(more, size, best[0]);
                Carries::from_slice(&[size, d.select(more, row, best[1])])
            });
            for part in w {
                d.swap_rows(part, k, found[1], &n, &n);
            }
            for part in x.into_iter().flatten() {
                d.swap_rows(part, k, found[1], &n, &place(part.columns()));
            }
            let pivot = d.get_complex(w, &[k, k]);
            let same = d.eq(found[1], here);
            visit(d, pivot, same);
            let scale = d.recip_complex(pivot);
            d.set_complex(w, &[k, k], scale);
            d.each(&next, &n, &mut |d, i| {
                let z = d.get_complex(w, &[i, k]);
                // Below a pivot of zero is nothing to eliminate.
                let size = d.size_complex(z);
                let nothing = d.number(0.0);
                let none = d.eq(size, nothing);
                let factor = d.mul_complex(z, scale);
                let zero = Complex {
                    re: nothing,
                    im: nothing,
                };
                let factor = d.select_complex(none, zero, factor);
                d.beside(&next, &n, &mut |d, j| {
                    let z = d.get_complex(w, &[k, j]);
                    d.subtract_complex(w, &[i, j], factor, z);
                });
                if let Some(x) = x {
                    d.beside(&place(0), &place(x[0].columns()), &mut |d, c| {
                        let z = d.get_complex(x, &[k, c]);
                        d.subtract_complex(x, &[i, c], factor, z);
                    });
                }
            });
        });
    }
}
