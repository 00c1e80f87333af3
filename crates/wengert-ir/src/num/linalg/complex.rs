//! Linear algebra of complex matrices, and of real ones whose results are complex. A complex array is given and returned
//! in two parts, its real and its imaginary part, of one type.

use super::{for_each, square};
use crate::error::TypeError;
use crate::ops::factor::{self, unit};
use crate::trace::Var;
use crate::trace::array::{promoted, refuse};

/// The real and the imaginary part.
pub type Parts = [Var; 2];

/// The eigenvalues and the eigenvectors of a matrix in one part or in two.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn eig(op: &str, a: &[Var]) -> [Parts; 2] {
    square(op, a[0]);
    let operands: Vec<(Var, usize)> = a.iter().map(|&a| (a, 2)).collect();
    let all = for_each(op, &operands, |x| factor::eig(x).concat());
    [[all[0], all[1]], [all[2], all[3]]]
}

/// The eigenvalues of a matrix in one part or in two.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn eigvals(op: &str, a: &[Var]) -> Parts {
    square(op, a[0]);
    let operands: Vec<(Var, usize)> = a.iter().map(|&a| (a, 2)).collect();
    let both = for_each(op, &operands, |x| factor::eigvals(x).to_vec());
    [both[0], both[1]]
}

/// The eigenvalues of a Hermitian matrix, and the two parts of the eigenvectors if they are wanted.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn hermitian(op: &str, a: Parts, vectors: bool) -> Vec<Var> {
    square(op, a[0]);
    for_each(op, &[(a[0], 2), (a[1], 2)], |x| {
        factor::hermitian([x[0], x[1]], vectors)
    })
}

/// The solution of a complex system, in the element type that all parts promote to.
///
/// # Errors
/// If the matrix is not square or has not as many rows as `b`.
#[track_caller]
pub fn solve(op: &str, a: Parts, b: Parts) -> Parts {
    let all = promoted(op, &[a[0], a[1], b[0], b[1]]);
    let (a, b) = ([all[0], all[1]], [all[2], all[3]]);
    let n = square(op, a[0]);
    let rank = b[0].rank().min(2);
    if rank == 0 || b[0].shape()[b[0].rank() - rank] != n {
        let (a, b) = (a[0], b[0]);
        let message = format!("{} and {} differ in the number of rows", a.ty(), b.ty());
        let error = TypeError::new(message);
        let error = match rank {
            2 => error.hint("a batch of vectors is a batch of matrices of one column"),
            _ => error,
        };
        refuse(op, &[a, b], error)
    }
    let operands = [(a[0], 2), (a[1], 2), (b[0], rank), (b[1], rank)];
    let x = for_each(op, &operands, |x| {
        let columns = |b: Var| if rank == 1 { b.expand_dims(1) } else { b };
        let right = [columns(x[2]), columns(x[3])];
        let x = factor::solve_complex([x[0], x[1]], right, false);
        let back = |x: Var| if rank == 1 { x.squeeze_axis(1) } else { x };
        vec![back(x[0]), back(x[1])]
    });
    [x[0], x[1]]
}

/// The inverse of a complex matrix.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn inv(op: &str, a: Parts) -> Parts {
    let n = square(op, a[0]);
    let x = for_each(op, &[(a[0], 2), (a[1], 2)], |x| {
        let one = unit(x[0], n, 0);
        factor::solve_complex([x[0], x[1]], [one, Var::zeros(&one.ty())], false).to_vec()
    });
    [x[0], x[1]]
}

/// The determinant of a complex matrix.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn det(op: &str, a: Parts) -> Parts {
    square(op, a[0]);
    let det = for_each(op, &[(a[0], 2), (a[1], 2)], |x| {
        factor::det_complex([x[0], x[1]]).to_vec()
    });
    [det[0], det[1]]
}
