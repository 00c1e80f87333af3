//! Factorisations of matrices, and what solves systems by their factors.
//!
//! A factorisation is one file: a type that implements `Factorisation` for one matrix, and a line of [`Factor`]. It
//! gives the types of the results, an algorithm on a [`Desk`], and the derivative. The rest follows here: batches along
//! the leading axes, lowering and interpretation.
//!
//! The interpreter runs the loops that the lowering makes of the algorithm, so that it gives the bits of compiled code.

mod banded;
mod bidiagonal;
mod cholesky;
mod complex;
mod eig;
mod eigh;
mod hermitian;
mod lu;
mod qr;
mod reflections;
mod rotations;
mod svd;
mod triangular;
mod tridiagonal;
mod vectors;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::interp;
use crate::loops::kernel::{self, Task};
use crate::ops::layout::known;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, not_linear};
use crate::schedule::desk::{Desk, Matrix};
use crate::schedule::lanes::Batch;
use crate::schedule::node::NodeId;
use crate::schedule::notes::StoreReason;
use crate::schedule::{self, Lowering, Wanted};
use crate::trace::{Kind, Var, bind, closed};

pub use banded::{Banded, solve_banded};
pub use cholesky::{Cholesky, cholesky};
pub use complex::{ComplexDet, ComplexSolve, det_complex, solve_complex};
pub use eig::{Eig, eig, eigvals};
pub use eigh::{Eigh, eigh, eigvalsh};
pub use hermitian::{Hermitian, hermitian};
pub use lu::{Lu, lu};
pub(crate) use lu::{permuted, unit};
pub use qr::{Qr, qr};
pub use svd::{Svd, svd, svdvals};
pub use triangular::{Triangular, triangular_solve};
pub use vectors::Vectors;

/// A factorisation, or a system solved by factors. Operands and results may have further axes in front, the same for
/// all of them: the elements of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Factor {
    /// The Cholesky factor of a symmetric matrix.
    Cholesky(Cholesky),
    /// Triangular factors with partial pivoting.
    Lu(Lu),
    /// The solution of a triangular system.
    Triangular(Triangular),
    /// Orthogonal and triangular factors.
    Qr(Qr),
    /// Eigenvalues and eigenvectors of a symmetric matrix.
    Eigh(Eigh),
    /// Singular values and vectors.
    Svd(Svd),
    /// The solution of a system with a band matrix.
    Banded(Banded),
    /// Eigenvalues and eigenvectors of any square matrix.
    Eig(Eig),
    /// Eigenvalues and eigenvectors of a Hermitian matrix.
    Hermitian(Hermitian),
    /// The solution of a complex system.
    ComplexSolve(ComplexSolve),
    /// The determinant of a complex matrix.
    ComplexDet(ComplexDet),
}

/// Maximum number of elements of a matrix of few rows or few columns that is worked on by loops.
const NARROW: usize = 1024;

/// The rules of a factorisation, for one matrix.
pub(crate) trait Factorisation: std::fmt::Debug {
    /// Returns the name in the text form.
    fn name(&self) -> &'static str;

    /// Returns the parameters for the text form.
    fn attributes(&self) -> Attributes {
        vec![]
    }

    /// Returns the number of axes of each operand, without those of a batch.
    fn ranks(&self) -> &'static [usize];

    /// Returns the types of the results for one matrix. The operands have the right ranks and are floats of one type.
    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError>;

    /// Writes the algorithm: reads the operands and writes every element of the results.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]);

    /// Returns the library's task for one matrix, with the numbers of rows and columns.
    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]);

    /// Returns the maximum number of rows and columns of a matrix that is worked on by loops.
    fn small(&self) -> usize {
        32
    }

    /// Returns whether a result has a derivative.
    fn is_smooth(&self, _result: usize) -> bool {
        true
    }

    /// Returns the operation on whose results the derivative depends, if some of them are not computed for the value, and
    /// which of its results are the value.
    fn with_vectors(&self) -> Option<(Factor, Range<usize>)> {
        None
    }

    /// Returns the tangents of the results, given the operands, the results of the operation [with
    /// vectors](Factorisation::with_vectors), and the tangents of the operands. All may have further axes in front.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent>;

    /// Returns the cotangents of the linear operands.
    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        not_linear("a factorisation")
    }
}

impl Factor {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let factor = match name {
            "cholesky" => Factor::Cholesky(Cholesky),
            "lu" => Factor::Lu(Lu),
            "triangular_solve" => Factor::Triangular(Triangular::read(given)?),
            "qr" => Factor::Qr(Qr),
            "eigh" => Factor::Eigh(Eigh::read(given)?),
            "svd" => Factor::Svd(Svd::read(given)?),
            "solve_banded" => Factor::Banded(Banded::read(given)?),
            "eig" => Factor::Eig(Eig::read(given)?),
            "eigh_hermitian" => Factor::Hermitian(Hermitian::read(given)?),
            "solve_complex" => Factor::ComplexSolve(ComplexSolve::read(given)?),
            "det_complex" => Factor::ComplexDet(ComplexDet),
            _ => return None,
        };
        Some(Op::Factor(factor))
    }

    fn rules(&self) -> &dyn Factorisation {
        match self {
            Factor::Cholesky(f) => f,
            Factor::Lu(f) => f,
            Factor::Triangular(f) => f,
            Factor::Qr(f) => f,
            Factor::Eigh(f) => f,
            Factor::Svd(f) => f,
            Factor::Banded(f) => f,
            Factor::Eig(f) => f,
            Factor::Hermitian(f) => f,
            Factor::ComplexSolve(f) => f,
            Factor::ComplexDet(f) => f,
        }
    }

    /// Records the operation. Operands and results may have further axes in front.
    #[track_caller]
    pub(crate) fn bind(self, inputs: &[Var]) -> Vec<Var> {
        bind(Op::Factor(self), inputs)
    }

    /// Returns the library's kernel for a matrix that is not small. The size alone decides, so that all ways to run a
    /// function agree.
    fn library(&self, inputs: &[Type]) -> Option<kernel::Factor> {
        let dims = inputs[0].dims();
        let longest = dims.iter().copied().max().unwrap_or(0);
        let rules = self.rules();
        if longest <= rules.small() || inputs[0].size() <= NARROW {
            return None;
        }
        let (task, [rows, columns]) = rules.library(inputs);
        Some(kernel::Factor {
            task,
            dtype: inputs[0].dtype,
            rows,
            columns,
        })
    }

    /// Returns the lengths of the axes of the batch, and the types for one element of it.
    fn elements(&self, inputs: &[Type]) -> Result<(Vec<usize>, Vec<Type>), TypeError> {
        let ranks = self.rules().ranks();
        if inputs.len() != ranks.len() {
            let given = crate::error::counted(inputs.len(), "operand", "operands");
            return Err(TypeError::new(given));
        }
        let mut batch = None;
        let mut elements = vec![];
        for (ty, &rank) in inputs.iter().zip(ranks) {
            let dims = known(ty)?;
            let Some(front) = dims.len().checked_sub(rank) else {
                return Err(TypeError::new(format!("{ty} is not a matrix")));
            };
            if !ty.is_float() {
                let error = TypeError::new(format!("{ty} is not an array of floats"));
                return Err(error.hint("convert it first, as in `x.to(DType::F64)`"));
            }
            let front = dims[..front].to_vec();
            if *batch.get_or_insert_with(|| front.clone()) != front || ty.dtype != inputs[0].dtype {
                let message = format!("{} and {ty} do not fit", inputs[0]);
                return Err(TypeError::new(message));
            }
            elements.push(ty.with_dims(&dims[front.len()..]));
        }
        Ok((batch.unwrap_or_default(), elements))
    }
}

impl Primitive for Factor {
    fn name(&self) -> Cow<'static, str> {
        self.rules().name().into()
    }

    fn attributes(&self) -> Attributes {
        self.rules().attributes()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let (batch, elements) = self.elements(inputs)?;
        let results = self.rules().types(&elements)?;
        let all = results.into_iter();
        Ok(all
            .map(|ty| ty.with_dims(&[&batch[..], &ty.dims()].concat()))
            .collect())
    }

    /// Runs the loops that the operation is lowered to.
    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let inputs: Vec<&Dense> = inputs.iter().map(Buffer::dense).collect();
        let types: Vec<Type> = inputs.iter().map(|x| x.ty()).collect();
        let func = closed(Kind::Door, &types, |x| self.bind(x)).func;
        let program = schedule::lower(&func)?;
        let data: Vec<&Data> = inputs.iter().map(|x| &*x.data).collect();
        let types = func.result_types();
        let zeros = types.iter().map(|ty| Data::zeros(ty.dtype, ty.size()));
        let mut results: Vec<Data> = zeros.collect();
        interp::run(&program, &data, &mut results).expect("loops that end");
        let dense = results.into_iter().zip(types);
        Ok(dense
            .map(|(data, ty)| Buffer::Dense(Dense::new(ty.dims(), data)))
            .collect())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let rules = self.rules();
        BitMatrix::from_fn(outputs, inputs, |out, _| rules.is_smooth(out))
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let rules = self.rules();
        let (y, mut dy) = match rules.with_vectors() {
            Some((whole, value)) => {
                let all = whole.bind(x);
                (all[value].to_vec(), rules.jvp(x, &all, dx))
            }
            None => {
                let y = self.bind(x);
                let dy = rules.jvp(x, &y, dx);
                (y, dy)
            }
        };
        dy.resize(y.len(), None);
        (y, dy)
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        self.rules().transpose(inputs, ct)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let inputs: Vec<Var> = inputs.iter().map(|b| b.spread(size)).collect();
        let results = self.bind(&inputs).into_iter();
        results.map(Batched::mapped).collect()
    }

    fn is_large(&self, inputs: &[Type]) -> bool {
        let elements = self.elements(inputs);
        elements.is_ok_and(|(_, elements)| self.library(&elements).is_some())
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let types: Vec<Type> = inputs.iter().map(|&x| l.ty(x).clone()).collect();
        let (batch, elements) = self.elements(&types).expect("checked when it was recorded");
        match batch.is_empty() {
            true => self.lower_one(l, inputs, outputs, &elements),
            false => self.lower_all(l, inputs, outputs, &batch, &elements),
        }
    }
}

impl Factor {
    fn lower_one(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
        types: &[Type],
    ) -> Result<Vec<NodeId>, Error> {
        if l.has_library()
            && let Some(kernel) = self.library(types)
        {
            // The regions of a kernel are the operands, then the results in the order of the operation.
            return l.kernel(Arc::new(kernel), inputs, outputs);
        }
        let mut read = vec![];
        for &x in inputs {
            let view = l.memory(x, StoreReason::Whole)?;
            read.push(Matrix::new(view, &l.dims(x)));
        }
        let written: Vec<Matrix> = (outputs.iter())
            .map(|want| {
                let dims = want.ty.dims();
                Matrix::new(l.alloc(want.ty.dtype, &dims), &dims)
            })
            .collect();
        let longest = types.iter().flat_map(|ty| ty.dims()).max().unwrap_or(0);
        let mut desk = Desk::new(l, types[0].dtype, longest);
        self.rules().steps(&mut desk, &read, &written);
        let results = outputs.iter().zip(written);
        Ok(results
            .map(|(want, m)| l.stored(want.ty.dtype, want.ty.dims(), m.view))
            .collect())
    }

    /// Lowers a batch like a map over its elements.
    fn lower_all(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
        batch: &[usize],
        elements: &[Type],
    ) -> Result<Vec<NodeId>, Error> {
        let extent: usize = batch.iter().product();
        let results = self.rules().types(elements).expect("checked before");
        if extent == 0 {
            let literal = |want: &Wanted| l.literal(want.ty.clone(), 0);
            return Ok(outputs.iter().map(literal).collect());
        }
        let body = closed(Kind::Barrier, elements, |x| self.bind(x)).func;
        let flat = |ty: &Type| [&[extent], &ty.dims()[..]].concat();
        let mut rows = vec![];
        for (&x, ty) in inputs.iter().zip(elements) {
            rows.push(l.reshape(x, &flat(ty))?);
        }
        let wanted: Vec<Wanted> = (results.iter())
            .map(|ty| Wanted {
                ty: ty.with_dims(&flat(ty)),
                place: None,
            })
            .collect();
        let map = Batch {
            body: &body,
            extent,
            mapped: &vec![true; rows.len()],
            sum: &vec![false; wanted.len()],
        };
        l.ready(&rows)?;
        rows.iter().for_each(|&x| l.retain(x, 1));
        let large = self.library(elements).is_some();
        let stacked = match (l.in_lanes(), large) {
            (true, _) => l.map_each(&map, false, &rows, &wanted)?,
            (false, false) => l.map_lanes(&map, &rows, &wanted)?,
            (false, true) => l.map_each(&map, !l.in_task(), &rows, &wanted)?,
        };
        rows.iter().for_each(|&x| l.release(x));
        let mut all = vec![];
        for (x, want) in stacked.into_iter().zip(outputs) {
            all.push(l.reshape(x, &want.ty.dims())?);
        }
        Ok(all)
    }
}

/// Returns the number of rows of a square matrix.
fn square(ty: &Type) -> Result<usize, TypeError> {
    match ty.dims()[..] {
        [m, n] if m == n => Ok(n),
        _ => Err(TypeError::new(format!("{ty} is not a square matrix"))),
    }
}

/// Returns the type of a permutation of `n` rows.
fn permutation(n: usize) -> Type {
    Type::new(DType::I64, &[n])
}

/// The transpose of the matrices in the last two axes.
#[track_caller]
pub(crate) fn t(x: Var) -> Var {
    x.swap_axes(-1, -2)
}

/// The diagonals of the matrices in the last two axes.
#[track_caller]
fn diagonal(x: Var) -> Var {
    x.diagonal_at(0, [-2, -1])
}
