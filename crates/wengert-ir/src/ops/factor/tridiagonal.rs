//! Eigenvalues and eigenvectors by way of a tridiagonal matrix.

use super::reflections::{product, squares};
use super::rotations::{Limits, Rotations, scale, sort, sweeps};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// Writes the eigenvalues of a symmetric matrix in ascending order, and its eigenvectors as columns.
///
/// Reflections make the matrix tridiagonal, and sweeps of implicit QR steps with Wilkinson's shifts diagonal; see Golub
/// and Van Loan, *Matrix Computations* (4th ed.), 8.3, and Parlett, *The Symmetric Eigenvalue Problem*, 8.
pub(super) fn eigenvalues(d: &mut Desk, a: &Matrix, values: &Matrix, vectors: Option<&Matrix>) {
    let count = a.rows();
    let (zero, n) = (place(0), place(count));
    let scale = scale(d, a, true);
    let limits = Limits::new(d);
    let w = d.scratch(&[count, count]);
    d.each(&zero, &n, &mut |d, i| {
        d.each(&zero, &d.after(i), &mut |d, j| {
            let x = d.get(a, &[i, j]);
            let x = d.mul(x, scale.inverse);
            d.set(&w, &[i, j], x);
            if !d.in_lanes() {
                d.set(&w, &[j, i], x);
            }
        });
    });
    // Element `i` of `beside` is between those numbered `i - 1` and `i` of the diagonal.
    let [diagonal, beside, factors] = [0; 3].map(|_| d.scratch(&[count]));
    reduce(d, &limits, &w, [&diagonal, &beside, &factors]);
    let reflections = count.saturating_sub(2);
    let v = vectors.map(|_| product(d, &w, &factors, reflections, 1, count));
    let turns = Rotations::new(d, count);
    let ends = [&diagonal, &beside];
    let poison = sweeps(d, &limits, ends, scale.poison, &mut |d, k, low| {
        sweep(d, &limits, ends, &turns, k, low);
        if let Some(v) = &v {
            turns.turn(d, v, k);
        }
    });
    let order = sort(d, &diagonal, false);
    d.each(&zero, &n, &mut |d, i| {
        let x = d.get(&diagonal, &[i]);
        let x = d.mul(x, scale.size);
        let x = d.add(x, poison);
        d.set(values, &[i], x);
    });
    let (Some(v), Some(vectors)) = (v, vectors) else {
        return;
    };
    d.each(&zero, &n, &mut |d, j| {
        let from = d.get(&order, &[j]);
        let from = d.at(from);
        d.beside(&zero, &n, &mut |d, i| {
            let x = d.get(&v, &[&from, i]);
            let x = d.add(x, poison);
            d.set(vectors, &[i, j], x);
        });
    });
}

/// Reflects rows and columns until a symmetric matrix is tridiagonal. Column `c` is left with the vector of reflection
/// `c` below the diagonal. In lanes only the lower triangle is read and written; elsewhere both, so that elements side by
/// side are neighbours.
fn reduce(d: &mut Desk, limits: &Limits, w: &Matrix, out: [&Matrix; 3]) {
    let [diagonal, beside, factors] = out;
    let count = w.rows();
    let (zero, n) = (place(0), place(count));
    let [v, p] = [0; 2].map(|_| d.scratch(&[count]));
    let (lower, nothing) = (d.in_lanes(), d.number(0.0));
    d.each(&zero, &place(count.saturating_sub(2)), &mut |d, c| {
        let next = d.after(c);
        let first = d.get(w, &[&next, c]);
        let rest = squares(d, w, c, &d.after(&next), &n);
        let turn = limits.reflection(d, first, rest);
        d.set(w, &[&next, c], turn.head);
        d.set(factors, &[c], turn.factor);
        d.set(beside, &[&next], turn.result);
        d.each(&next, &n, &mut |d, i| {
            let x = d.get(w, &[i, c]);
            d.set(&v, &[i], x);
        });
        d.beside(&next, &n, &mut |d, i| {
            let add = |d: &mut Desk, j: &Affine, x: Value, sum: &[Value]| {
                let y = d.get(&v, &[j]);
                let product = d.mul(x, y);
                Carries::from_slice(&[d.add(sum[0], product)])
            };
            let sum = match lower {
                true => {
                    let left = d.fold(&next, i, &[nothing], &mut |d, j, sum| {
                        let x = d.get(w, &[i, j]);
                        add(d, j, x, sum)
                    });
                    d.fold(i, &n, &left, &mut |d, j, sum| {
                        let x = d.get(w, &[j, i]);
                        add(d, j, x, sum)
                    })
                }
                false => d.fold(&next, &n, &[nothing], &mut |d, j, sum| {
                    let x = d.get(w, &[j, i]);
                    add(d, j, x, sum)
                }),
            };
            let x = d.mul(sum[0], turn.factor);
            d.set(&p, &[i], x);
        });
        let along = d.fold(&next, &n, &[nothing], &mut |d, i, sum| {
            let (x, y) = (d.get(&p, &[i]), d.get(&v, &[i]));
            let product = d.mul(x, y);
            Carries::from_slice(&[d.add(sum[0], product)])
        });
        let half = d.number(0.5);
        let half = d.mul(half, turn.factor);
        let along = d.mul(along[0], half);
        d.beside(&next, &n, &mut |d, i| {
            let (x, y) = (d.get(&p, &[i]), d.get(&v, &[i]));
            let part = d.mul(along, y);
            let x = d.sub(x, part);
            d.set(&p, &[i], x);
        });
        d.each(&next, &n, &mut |d, i| {
            let (vi, pi) = (d.get(&v, &[i]), d.get(&p, &[i]));
            let end = if lower { d.after(i) } else { n.clone() };
            d.beside(&next, &end, &mut |d, j| {
                let (vj, pj) = (d.get(&v, &[j]), d.get(&p, &[j]));
                let (one, other) = (d.mul(vi, pj), d.mul(pi, vj));
                let both = d.add(one, other);
                let x = d.get(w, &[i, j]);
                let x = d.sub(x, both);
                d.set(w, &[i, j], x);
            });
        });
    });
    d.each(&zero, &n, &mut |d, i| {
        let x = d.get(w, &[i, i]);
        d.set(diagonal, &[i], x);
    });
    if count > 0 {
        d.set(beside, &[&zero], nothing);
    }
    if count >= 2 {
        let last = place(count - 1);
        let x = d.get(w, &[&last, &place(count - 2)]);
        d.set(beside, &[&last], x);
    }
}

/// An implicit QR step on the rows from `low` to `k`, with Wilkinson's shift.
fn sweep(
    d: &mut Desk,
    limits: &Limits,
    [diagonal, beside]: [&Matrix; 2],
    turns: &Rotations,
    k: &Affine,
    low: Value,
) {
    let (nothing, one) = (d.number(0.0), d.number(1.0));
    let last = d.get(diagonal, &[k]);
    let before = d.get(diagonal, &[&k.clone().plus(-1)]);
    let between = d.get(beside, &[k]);
    let (gap, twice) = (d.sub(before, last), d.add(between, between));
    let ratio = d.div(gap, twice);
    let square = d.mul(ratio, ratio);
    let square = d.add(square, one);
    let root = d.sqrt(square);
    let size = d.abs(ratio);
    let size = d.add(size, root);
    let minus = d.neg(size);
    let negative = d.lt(ratio, nothing);
    let sum = d.select(negative, minus, size);
    let part = d.div(between, sum);
    let shift = d.sub(last, part);
    let init = [one, nothing, nothing, nothing];
    let done = d.fold(&place(0), k, &init, &mut |d, i, carried| {
        let [c, s, p, g] = carried[..] else {
            unreachable!("four values");
        };
        let here = d.index(i);
        let (starts, active) = (d.eq(here, low), d.op(ScalarOp::Le, &[low, here]));
        let follows = d.lt(low, here);
        let next = d.after(i);
        let (x, y) = (d.get(diagonal, &[i]), d.get(diagonal, &[&next]));
        let (above, e) = (d.get(beside, &[i]), d.get(beside, &[&next]));
        let first = d.sub(x, shift);
        let g = d.select(starts, first, g);
        let (f, b) = (d.mul(s, e), d.mul(c, e));
        // The first rotation turns the column of the shifted matrix, whose second element is `e`.
        let f = d.select(starts, e, f);
        let b = d.select(starts, e, b);
        let turn = limits.rotation(d, g, f);
        let r = d.select(follows, turn.r, above);
        d.set(beside, &[i], r);
        let g = d.sub(x, p);
        let gap = d.sub(y, g);
        let (left, right) = (d.mul(gap, turn.s), d.mul(turn.c, b));
        let right = d.add(right, right);
        let r = d.add(left, right);
        let p_new = d.mul(turn.s, r);
        let x_new = d.add(g, p_new);
        let x_new = d.select(active, x_new, x);
        d.set(diagonal, &[i], x_new);
        let cr = d.mul(turn.c, r);
        let g = d.sub(cr, b);
        turns.note(d, i, active, turn.c, turn.s);
        Carries::from_slice(&[turn.c, turn.s, d.select(active, p_new, nothing), g])
    });
    let x = d.get(diagonal, &[k]);
    let x = d.sub(x, done[2]);
    d.set(diagonal, &[k], x);
    d.set(beside, &[k], done[3]);
}
