//! Linear algebra: factorisations, systems, and what is made of them.
//!
//! The last two axes are those of the matrices; axes in front are those of a batch, and broadcast.

mod solve;
mod spectral;

use std::panic::Location;

use crate::error::TypeError;
use crate::ops::{layout, map};
use crate::trace::array::{floats, refuse};
use crate::trace::{Var, asked_at};

pub use crate::ops::factor::Triangular;
pub use solve::{Cho, Lu};

/// Returns the lengths of the last two axes of floats.
#[track_caller]
pub(crate) fn matrix(op: &str, x: Var) -> (usize, usize) {
    floats(op, x);
    match x.shape()[..] {
        [.., m, n] => (m, n),
        _ => {
            let error = TypeError::new(format!("{} is not a matrix", x.ty()));
            refuse(
                op,
                &[x],
                error.hint("a matrix has two axes, as of `x.expand_dims(-1)`"),
            )
        }
    }
}

/// Returns the number of rows of square matrices of floats.
#[track_caller]
pub(crate) fn square(op: &str, x: Var) -> usize {
    match matrix(op, x) {
        (m, n) if m == n => n,
        _ => {
            let message = format!("{} is not a square matrix", x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Calls a function of matrices and vectors, given with their ranks, for each element of their batch: the axes in front,
/// which broadcast. An operand without such axes is shared by the whole batch. All that is recorded is attributed to
/// the place where the operation was called.
#[track_caller]
pub(crate) fn for_each(op: &str, x: &[(Var, usize)], f: impl Fn(&[Var]) -> Vec<Var>) -> Vec<Var> {
    let fronts: Vec<Vec<usize>> = (x.iter())
        .map(|(x, rank)| x.shape()[..x.rank() - rank].to_vec())
        .collect();
    let Some(batch) = broadcast(&fronts) else {
        let all: Vec<Var> = x.iter().map(|x| x.0).collect();
        let message = format!("batches of shapes {fronts:?} do not broadcast");
        refuse(op, &all, TypeError::new(message))
    };
    let extent: usize = batch.iter().product();
    asked_at(Location::caller(), || {
        let plain: Vec<Var> = x.iter().map(|x| x.0).collect();
        if batch.is_empty() {
            return f(&plain);
        }
        let mapped: Vec<bool> = fronts.iter().map(|front| !front.is_empty()).collect();
        let rows: Vec<Var> = (x.iter().zip(&mapped))
            .filter(|(_, mapped)| **mapped)
            .map(|(&(x, rank), _)| {
                let own = x.shape()[x.rank() - rank..].to_vec();
                let all = layout::broadcast_to(x, &[&batch[..], &own].concat());
                layout::reshape(all, &[&[extent], &own[..]].concat())
            })
            .collect();
        let results = map::map(&rows, extent, |rows| {
            let mut rows = rows.iter();
            let each = plain.iter().zip(&mapped);
            let own: Vec<Var> = each
                .map(|(&x, mapped)| match mapped {
                    true => *rows.next().expect("a row for each"),
                    false => x,
                })
                .collect();
            f(&own)
        });
        let whole = |y: Var| layout::reshape(y, &[&batch[..], &y.shape()[1..]].concat());
        results.into_iter().map(whole).collect()
    })
}

/// Returns the lengths to which all of these broadcast.
fn broadcast(all: &[Vec<usize>]) -> Option<Vec<usize>> {
    let rank = all.iter().map(Vec::len).max().unwrap_or(0);
    let mut dims = vec![1; rank];
    for own in all {
        for (to, &n) in dims[rank - own.len()..].iter_mut().zip(own) {
            match (*to, n) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *to = b,
                _ => return None,
            }
        }
    }
    Some(dims)
}
