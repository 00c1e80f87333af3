//! Factorisations of large matrices, by a library.

use std::sync::Arc;

use wengert_factor::Float;

use super::{Elements, Kernel, Region, Regions, same_value, sizes};
use crate::buffer::Element;
use crate::error::Error;
use crate::panics::caught;
use crate::types::DType;

/// What is computed of a matrix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// The lower Cholesky factor.
    Cholesky,
    /// Triangular factors in one matrix, the order of the rows, and its sign.
    Lu,
    /// Orthogonal and triangular factors.
    Qr,
    /// Eigenvalues of a symmetric matrix, and the eigenvectors if they are wanted.
    Eigh {
        /// Whether they are.
        vectors: bool,
    },
    /// Singular values of a matrix that is not wide, between the singular vectors if they are wanted.
    Svd {
        /// Whether they are.
        vectors: bool,
    },
    /// Eigenvalues of any square matrix, in two parts, and the eigenvectors if they are wanted.
    Eig {
        /// Whether the matrix has an imaginary part.
        complex: bool,
        /// Whether the eigenvectors are wanted.
        vectors: bool,
    },
    /// Eigenvalues of a Hermitian matrix in two parts, and the eigenvectors if they are wanted.
    Hermitian {
        /// Whether they are.
        vectors: bool,
    },
    /// The solution of a complex system.
    ComplexSolve {
        /// Whether the matrix is conjugated and transposed.
        adjoint: bool,
    },
    /// The determinant of a complex matrix.
    ComplexDet,
    /// The solution of a triangular system.
    Triangular {
        /// Whether the lower triangle is read, and not the upper one.
        lower: bool,
        /// Whether the matrix is transposed.
        transposed: bool,
        /// Whether the diagonal is taken for ones.
        unit: bool,
    },
}

/// A factorisation of one row-major matrix, or a triangular system. Its regions are the operands and the results. What
/// the library refuses gives NaN. The bits are those of the library on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factor {
    /// What is computed.
    pub task: Task,
    /// The type of the elements.
    pub dtype: DType,
    /// The number of rows.
    pub rows: usize,
    /// The number of columns; of a system, those of the right-hand sides.
    pub columns: usize,
}

impl Factor {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["factor", name, size] = words else {
            return None;
        };
        let task = match *name {
            "cholesky" => Task::Cholesky,
            "lu" => Task::Lu,
            "qr" => Task::Qr,
            "eigh" | "eigvalsh" => Task::Eigh {
                vectors: *name == "eigh",
            },
            "svd" | "svdvals" => Task::Svd {
                vectors: *name == "svd",
            },
            "eig" | "eigvals" | "eig_complex" | "eigvals_complex" => Task::Eig {
                complex: name.ends_with("complex"),
                vectors: !name.starts_with("eigvals"),
            },
            "eigh_hermitian" | "eigvalsh_hermitian" => Task::Hermitian {
                vectors: name.starts_with("eigh_"),
            },
            "solve_complex" | "solve_adjoint" => Task::ComplexSolve {
                adjoint: *name == "solve_adjoint",
            },
            "det_complex" => Task::ComplexDet,
            _ => {
                let mut parts = name.split('_');
                let lower = match parts.next()? {
                    "lower" => true,
                    "upper" => false,
                    _ => return None,
                };
                let rest: Vec<&str> = parts.collect();
                Task::Triangular {
                    lower,
                    transposed: rest.contains(&"transposed"),
                    unit: rest.contains(&"unit"),
                }
            }
        };
        let [rows, columns] = sizes(size)?;
        let dtype = regions.first().copied().unwrap_or(DType::F64);
        dtype.is_float().then(|| {
            Arc::new(Factor {
                task,
                dtype,
                rows,
                columns,
            }) as Arc<dyn Kernel>
        })
    }

    fn name(&self) -> String {
        match self.task {
            Task::Cholesky => "cholesky".into(),
            Task::Lu => "lu".into(),
            Task::Qr => "qr".into(),
            Task::Eigh { vectors: true } => "eigh".into(),
            Task::Eigh { vectors: false } => "eigvalsh".into(),
            Task::Svd { vectors: true } => "svd".into(),
            Task::Svd { vectors: false } => "svdvals".into(),
            Task::Eig { complex, vectors } => {
                let name = if vectors { "eig" } else { "eigvals" };
                let parts = if complex { "_complex" } else { "" };
                format!("{name}{parts}")
            }
            Task::Hermitian { vectors: true } => "eigh_hermitian".into(),
            Task::Hermitian { vectors: false } => "eigvalsh_hermitian".into(),
            Task::ComplexSolve { adjoint: true } => "solve_adjoint".into(),
            Task::ComplexSolve { adjoint: false } => "solve_complex".into(),
            Task::ComplexDet => "det_complex".into(),
            Task::Triangular {
                lower,
                transposed,
                unit,
            } => {
                let side = if lower { "lower" } else { "upper" };
                let turned = if transposed { "_transposed" } else { "" };
                let unit = if unit { "_unit" } else { "" };
                format!("{side}{turned}{unit}")
            }
        }
    }

    /// The lengths of the operands and of the results of floats; factors with pivots have an order besides.
    fn lengths(&self) -> (Vec<usize>, Vec<usize>) {
        let (m, n) = (self.rows, self.columns);
        let k = m.min(n);
        let of = |a: usize, b: usize| a.saturating_mul(b);
        match self.task {
            Task::Cholesky => (vec![of(m, m)], vec![of(m, m)]),
            Task::Lu => (vec![of(m, n)], vec![of(m, n)]),
            Task::Qr => (vec![of(m, n)], vec![of(m, k), of(k, n)]),
            Task::Eigh { vectors: true } => (vec![of(m, m)], vec![m, of(m, m)]),
            Task::Eigh { vectors: false } => (vec![of(m, m)], vec![m]),
            Task::Svd { vectors: true } => (vec![of(m, n)], vec![of(m, n), n, of(n, n)]),
            Task::Svd { vectors: false } => (vec![of(m, n)], vec![n]),
            Task::Triangular { .. } => (vec![of(m, m), of(m, n)], vec![of(m, n)]),
            Task::Eig { complex, vectors } => {
                let own = vec![of(m, m); if complex { 2 } else { 1 }];
                let made = if vectors { vec![of(m, m); 2] } else { vec![] };
                (own, [vec![m; 2], made].concat())
            }
            Task::Hermitian { vectors } => {
                let made = if vectors { vec![of(m, m); 2] } else { vec![] };
                (vec![of(m, m); 2], [vec![m], made].concat())
            }
            Task::ComplexSolve { .. } => {
                let (a, b) = (of(m, m), of(m, n));
                (vec![a, a, b, b], vec![b; 2])
            }
            Task::ComplexDet => (vec![of(m, m); 2], vec![1; 2]),
        }
    }

    fn compute<T: Float + Element>(&self, regions: &mut [Elements<'_>]) {
        let (m, n) = (self.rows, self.columns);
        match (self.task, regions) {
            (Task::Cholesky, [a, l]) => T::cholesky(read(a), m, write(l)),
            (Task::Lu, [a, lu, order, sign]) => {
                let order = order.write().typed::<i64>();
                T::lu(read(a), [m, n], write(lu), order, write(sign));
            }
            (Task::Qr, [a, q, r]) => T::qr(read(a), [m, n], write(q), write(r)),
            (Task::Eigh { .. }, [a, values]) => {
                T::eigh(read(a), m, write(values), None);
            }
            (Task::Eigh { .. }, [a, values, vectors]) => {
                T::eigh(read(a), m, write(values), Some(write(vectors)));
            }
            (Task::Svd { .. }, [a, values]) => {
                T::svd(read(a), [m, n], write(values), None);
            }
            (Task::Svd { .. }, [a, u, values, vt]) => {
                let vectors = Some((write(u), write(vt)));
                T::svd(read(a), [m, n], write(values), vectors);
            }
            (
                Task::Triangular {
                    lower,
                    transposed,
                    unit,
                },
                [a, b, x],
            ) => {
                let form = (lower, transposed, unit);
                T::triangular(form, read(a), read(b), [m, n], write(x));
            }
            (Task::Eig { complex, .. }, regions) => {
                let (a, out) = regions.split_at_mut(if complex { 2 } else { 1 });
                let a: Vec<&[T]> = a.iter().map(|a| read::<T>(a)).collect();
                T::eig(&a, m, &mut all(out));
            }
            (Task::Hermitian { .. }, [re, im, out @ ..]) => {
                T::hermitian([read(re), read(im)], m, &mut all(out));
            }
            (Task::ComplexSolve { adjoint }, [re, im, right, other, x, y]) => {
                let (a, b) = ([read(re), read(im)], [read(right), read(other)]);
                T::solve_complex(adjoint, a, b, [m, n], [write(x), write(y)]);
            }
            (Task::ComplexDet, [re, im, x, y]) => {
                T::det_complex([read(re), read(im)], m, [write(x), write(y)]);
            }
            _ => panic!("operands and results"),
        }
    }

    /// Fills the results of floats with NaN.
    fn fail<T: Float + Element>(regions: &mut [Elements<'_>]) {
        for region in regions {
            if let Elements::Write(slice) = region
                && let Some(floats) = T::of_mut(slice.reborrow())
            {
                floats.fill(<T as Float>::NAN);
            }
        }
    }
}

fn read<'a, T: Element>(region: &'a Elements<'_>) -> &'a [T] {
    region.read().typed()
}

/// All of them, as slices to write.
fn all<'a, T: Element>(regions: &'a mut [Elements<'_>]) -> Vec<&'a mut [T]> {
    regions.iter_mut().map(write::<T>).collect()
}

fn write<'a, T: Element>(region: &'a mut Elements<'_>) -> &'a mut [T] {
    region.write().typed()
}

impl Kernel for Factor {
    fn text(&self) -> String {
        format!("factor {} {}x{}", self.name(), self.rows, self.columns)
    }

    fn description(&self) -> String {
        format!(
            "a library's {} of {}×{}",
            self.name(),
            self.rows,
            self.columns
        )
    }

    fn regions(&self) -> Regions {
        let (operands, results) = self.lengths();
        let mut regions: Regions = operands
            .into_iter()
            .map(|len| Region::read(self.dtype, len))
            .collect();
        regions.extend(results.into_iter().map(|n| Region::write(self.dtype, n)));
        if self.task == Task::Lu {
            regions.push(Region::write(DType::I64, self.rows));
            regions.push(Region::write(self.dtype, 1));
        }
        regions
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn nanoseconds(&self) -> f64 {
        let (m, n) = (self.rows as f64, self.columns as f64);
        let products = match self.task {
            Task::Cholesky => m * m * m / 6.0,
            Task::Lu => m * n * m.min(n) / 3.0,
            Task::Qr => 2.0 * m * n * m.min(n),
            Task::Eigh { vectors } => m * m * m * if vectors { 5.0 } else { 1.5 },
            Task::Svd { vectors } => m * n * n * if vectors { 8.0 } else { 2.5 },
            Task::Triangular { .. } => m * m * n / 2.0,
            Task::Eig { complex, vectors } => {
                let real = m * m * m * if vectors { 25.0 } else { 10.0 };
                real * if complex { 3.0 } else { 1.0 }
            }
            Task::Hermitian { vectors } => m * m * m * if vectors { 15.0 } else { 5.0 },
            Task::ComplexSolve { .. } => m * m * (m + 3.0 * n),
            Task::ComplexDet => m * m * m,
        };
        2000.0 + products / 4.0
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let done = caught(|| match self.dtype {
            DType::F32 => self.compute::<f32>(regions),
            _ => self.compute::<f64>(regions),
        });
        if done.is_err() {
            match self.dtype {
                DType::F32 => Factor::fail::<f32>(regions),
                _ => Factor::fail::<f64>(regions),
            }
        }
        Ok(())
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
