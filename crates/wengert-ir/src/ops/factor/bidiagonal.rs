//! Singular values and vectors by way of a bidiagonal matrix.

use super::reflections::{product, squares};
use super::rotations::{Limits, Rotations, scale, sort, sweeps};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// Writes the singular values of a matrix that is not wide, from the largest to the smallest, and `[U, Vᵀ]`.
///
/// Reflections from the left and the right make the matrix bidiagonal, and sweeps of implicit QR steps diagonal: Golub
/// and Kahan's, with the shifts of Demmel and Kahan, *Accurate singular values of bidiagonal matrices* (1990), and
/// their step without a shift where the matrix is singular but for rounding.
pub(super) fn singular_values(
    d: &mut Desk,
    a: &Matrix,
    values: &Matrix,
    vectors: Option<[&Matrix; 2]>,
) {
    let (rows, columns) = (a.rows(), a.columns());
    let (zero, m, n) = (place(0), place(rows), place(columns));
    let scale = scale(d, a, false);
    let limits = Limits::new(d);
    let w = d.scratch(&[rows, columns]);
    d.each(&zero, &m, &mut |d, i| {
        d.beside(&zero, &n, &mut |d, j| {
            let x = d.get(a, &[i, j]);
            let x = d.mul(x, scale.inverse);
            d.set(&w, &[i, j], x);
        });
    });
    // Element `i` of `beside` is right of element `i - 1` of the diagonal.
    let ends = [columns, columns + 1].map(|count| d.scratch(&[count]));
    let factors = [0; 2].map(|_| d.scratch(&[columns]));
    reduce(d, &limits, &w, &ends, &factors);
    let (left, right) = (columns, columns.saturating_sub(2));
    let both = vectors.map(|_| {
        [
            product(d, &w, &factors[0], left, 0, columns),
            product(d, &square(&w).t(), &factors[1], right, 1, columns),
        ]
    });
    let turns = [0; 2].map(|_| Rotations::new(d, columns));
    let poison = sweeps(
        d,
        &limits,
        [&ends[0], &ends[1]],
        scale.poison,
        &mut |d, k, low| {
            let singular = is_singular(d, &limits, &ends, k, low);
            d.when(singular, &mut |d| {
                unshifted(d, &limits, &ends, &turns, k, low)
            });
            let regular = d.not(singular);
            d.when(regular, &mut |d| shifted(d, &limits, &ends, &turns, k, low));
            for (turns, rows) in turns.iter().zip(both.iter().flatten()) {
                turns.turn(d, rows, k);
            }
        },
    );
    // The signs of the values move to the rows of `Vᵀ`.
    let signs = d.scratch(&[columns]);
    d.each(&zero, &n, &mut |d, i| {
        let x = d.get(&ends[0], &[i]);
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let (negative, minus) = (d.lt(x, nothing), d.neg(one));
        let sign = d.select(negative, minus, one);
        d.set(&signs, &[i], sign);
        let x = d.abs(x);
        d.set(&ends[0], &[i], x);
    });
    let order = sort(d, &ends[0], true);
    d.each(&zero, &n, &mut |d, i| {
        let x = d.get(&ends[0], &[i]);
        let x = d.mul(x, scale.size);
        let x = d.add(x, poison);
        d.set(values, &[i], x);
    });
    let (Some([u, v]), Some([u_out, vt_out])) = (&both, vectors) else {
        return;
    };
    d.each(&zero, &n, &mut |d, j| {
        let from = d.get(&order, &[j]);
        let from = d.at(from);
        d.beside(&zero, &m, &mut |d, i| {
            let x = d.get(u, &[&from, i]);
            let x = d.add(x, poison);
            d.set(u_out, &[i, j], x);
        });
        let sign = d.get(&signs, &[&from]);
        d.beside(&zero, &n, &mut |d, i| {
            let x = d.get(v, &[&from, i]);
            let x = d.mul(x, sign);
            let x = d.add(x, poison);
            d.set(vt_out, &[j, i], x);
        });
    });
}

/// The first rows of a matrix, as many as it has columns.
fn square(m: &Matrix) -> Matrix {
    let n = m.columns();
    Matrix::new(m.view.clone(), &[n, n])
}

/// Reflects columns from the left and rows from the right until a matrix is upper bidiagonal. Column `c` is left with the
/// vector of its reflection from the diagonal on, and row `c` with its own behind the diagonal.
fn reduce(d: &mut Desk, limits: &Limits, w: &Matrix, ends: &[Matrix; 2], factors: &[Matrix; 2]) {
    let (count, zero) = (w.columns(), place(0));
    let (m, n) = (place(w.rows()), place(count));
    let nothing = d.number(0.0);
    for outside in [&zero, &n] {
        d.set(&ends[1], &[outside], nothing);
    }
    let sums = d.scratch(&[w.rows()]);
    let from_left = |d: &mut Desk, c: &Affine| {
        let next = d.after(c);
        let first = d.get(w, &[c, c]);
        let rest = squares(d, w, c, &next, &m);
        let turn = limits.reflection(d, first, rest);
        d.set(w, &[c, c], turn.head);
        d.set(&factors[0], &[c], turn.factor);
        d.set(&ends[0], &[c], turn.result);
        d.beside(&next, &n, &mut |d, j| {
            let along = d.fold(c, &m, &[nothing], &mut |d, i, sum| {
                let (v, x) = (d.get(w, &[i, c]), d.get(w, &[i, j]));
                let product = d.mul(v, x);
                Carries::from_slice(&[d.add(sum[0], product)])
            });
            let along = d.mul(along[0], turn.factor);
            d.each(c, &m, &mut |d, i| {
                let v = d.get(w, &[i, c]);
                d.subtract_product(w, i, j, v, along);
            });
        });
    };
    d.each(&zero, &place(count.saturating_sub(2)), &mut |d, c| {
        from_left(d, c);
        let next = d.after(c);
        let first = d.get(w, &[c, &next]);
        let rest = squares(d, &w.t(), c, &d.after(&next), &n);
        let turn = limits.reflection(d, first, rest);
        d.set(w, &[c, &next], turn.head);
        d.set(&factors[1], &[c], turn.factor);
        d.set(&ends[1], &[&next], turn.result);
        d.beside(&next, &m, &mut |d, i| {
            let along = d.fold(&next, &n, &[nothing], &mut |d, j, sum| {
                let (v, x) = (d.get(w, &[c, j]), d.get(w, &[i, j]));
                let product = d.mul(v, x);
                Carries::from_slice(&[d.add(sum[0], product)])
            });
            let along = d.mul(along[0], turn.factor);
            d.set(&sums, &[i], along);
        });
        d.each(&next, &m, &mut |d, i| {
            let along = d.get(&sums, &[i]);
            d.beside(&next, &n, &mut |d, j| {
                let v = d.get(w, &[c, j]);
                d.subtract_product(w, i, j, v, along);
            });
        });
    });
    d.each(&place(count.saturating_sub(2)), &n, &mut |d, c| {
        from_left(d, c)
    });
    if count >= 2 {
        let last = place(count - 1);
        let x = d.get(w, &[&place(count - 2), &last]);
        d.set(&ends[1], &[&last], x);
    }
}

/// Returns whether an element of the diagonal from `low` to `k` is negligible beside the largest element there.
fn is_singular(d: &mut Desk, limits: &Limits, ends: &[Matrix; 2], k: &Affine, low: Value) -> Value {
    let first = d.get(&ends[0], &[k]);
    let first = d.abs(first);
    let found = d.fold(&place(0), k, &[first, first], &mut |d, i, found| {
        let here = d.index(i);
        let inside = d.op(ScalarOp::Le, &[low, here]);
        let (x, e) = (d.get(&ends[0], &[i]), d.get(&ends[1], &[&d.after(i)]));
        let (x, e) = (d.abs(x), d.abs(e));
        let least = d.op(ScalarOp::Min, &[found[0], x]);
        let most = d.op(ScalarOp::Max, &[found[1], x]);
        let most = d.op(ScalarOp::Max, &[most, e]);
        Carries::from_slice(&[
            d.select(inside, least, found[0]),
            d.select(inside, most, found[1]),
        ])
    });
    let small = d.mul(found[1], limits.epsilon);
    d.op(ScalarOp::Le, &[found[0], small])
}

/// A step on the rows from `low` to `k` that makes the last element before the diagonal of a singular matrix zero.
fn unshifted(
    d: &mut Desk,
    limits: &Limits,
    ends: &[Matrix; 2],
    turns: &[Rotations; 2],
    k: &Affine,
    low: Value,
) {
    let (nothing, one) = (d.number(0.0), d.number(1.0));
    let init = [one, one, nothing];
    let done = d.fold(&place(0), k, &init, &mut |d, i, carried| {
        let [c, c_old, s_old] = carried[..] else {
            unreachable!("three values");
        };
        let here = d.index(i);
        let active = d.op(ScalarOp::Le, &[low, here]);
        let follows = d.lt(low, here);
        let next = d.after(i);
        let (x, y) = (d.get(&ends[0], &[i]), d.get(&ends[0], &[&next]));
        let (above, e) = (d.get(&ends[1], &[i]), d.get(&ends[1], &[&next]));
        let first = d.mul(x, c);
        let right = limits.rotation(d, first, e);
        let r = d.mul(s_old, right.r);
        let r = d.select(follows, r, above);
        d.set(&ends[1], &[i], r);
        let (first, second) = (d.mul(c_old, right.r), d.mul(y, right.s));
        let left = limits.rotation(d, first, second);
        let x = d.select(active, left.r, x);
        d.set(&ends[0], &[i], x);
        turns[0].note(d, i, active, left.c, left.s);
        turns[1].note(d, i, active, right.c, right.s);
        Carries::from_slice(&[
            d.select(active, right.c, one),
            d.select(active, left.c, one),
            left.s,
        ])
    });
    let x = d.get(&ends[0], &[k]);
    let x = d.mul(x, done[0]);
    let e = d.mul(x, done[2]);
    let x = d.mul(x, done[1]);
    d.set(&ends[0], &[k], x);
    d.set(&ends[1], &[k], e);
}

/// An implicit QR step on the rows from `low` to `k`, shifted by the smaller singular value of the last two rows.
fn shifted(
    d: &mut Desk,
    limits: &Limits,
    ends: &[Matrix; 2],
    turns: &[Rotations; 2],
    k: &Affine,
    low: Value,
) {
    let (nothing, one) = (d.number(0.0), d.number(1.0));
    let shift = smaller(d, limits, ends, k);
    // The first element of the first column of the shifted square, divided by that of the diagonal.
    let x = d.get(&ends[0], &[&d.at(low)]);
    let size = d.abs(x);
    let (negative, minus) = (d.lt(x, nothing), d.neg(one));
    let sign = d.select(negative, minus, one);
    let (gap, share) = (d.sub(size, shift), d.div(shift, x));
    let sum = d.add(sign, share);
    let first = d.mul(gap, sum);
    let init = [nothing; 4];
    let done = d.fold(&place(0), k, &init, &mut |d, i, carried| {
        let [f, g, x, e] = carried[..] else {
            unreachable!("four values");
        };
        let here = d.index(i);
        let (starts, active) = (d.eq(here, low), d.op(ScalarOp::Le, &[low, here]));
        let follows = d.lt(low, here);
        let next = d.after(i);
        let (x_old, y) = (d.get(&ends[0], &[i]), d.get(&ends[0], &[&next]));
        let (above, e_old) = (d.get(&ends[1], &[i]), d.get(&ends[1], &[&next]));
        let (x, e) = (d.select(starts, x_old, x), d.select(starts, e_old, e));
        let (f, g) = (d.select(starts, first, f), d.select(starts, e_old, g));
        let right = Scaled::new(d, limits, f, g);
        let r = d.select(follows, right.r, above);
        d.set(&ends[1], &[i], r);
        // The rotation from the left is that of `(c x + s e, s y)`. It is found from multiples of the two, so that
        // neither root waits for the other.
        let (ax, be) = (d.mul(right.a, x), d.mul(right.b, e));
        let (first, second) = (d.add(ax, be), d.mul(right.b, y));
        let left = limits.rotation(d, first, second);
        let diagonal = d.mul(left.r, right.inverse);
        let (ce, sx) = (d.mul(right.c, e), d.mul(right.s, x));
        let (e, y) = (d.sub(ce, sx), d.mul(right.c, y));
        let x = d.select(active, diagonal, x_old);
        d.set(&ends[0], &[i], x);
        let (ce, sy) = (d.mul(left.c, e), d.mul(left.s, y));
        let (cy, se) = (d.mul(left.c, y), d.mul(left.s, e));
        let (f, y) = (d.add(ce, sy), d.sub(cy, se));
        turns[0].note(d, i, active, left.c, left.s);
        turns[1].note(d, i, active, right.c, right.s);
        // Behind the last row there is nothing: what is read there is not used.
        let beyond = d.get(&ends[1], &[&d.after(&next)]);
        let (g, e) = (d.mul(left.s, beyond), d.mul(left.c, beyond));
        Carries::from_slice(&[f, g, y, e])
    });
    d.set(&ends[0], &[k], done[2]);
    d.set(&ends[1], &[k], done[0]);
}

/// A rotation of `(f, g)` into `(r, 0)`, with a multiple of the two that is about 1.
struct Scaled {
    a: Value,
    b: Value,
    /// The reciprocal of the length of `(a, b)`.
    inverse: Value,
    c: Value,
    s: Value,
    r: Value,
}

impl Scaled {
    fn new(d: &mut Desk, limits: &Limits, f: Value, g: Value) -> Scaled {
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let (x, y) = (d.abs(f), d.abs(g));
        let size = d.add(x, y);
        let some = d.lt(limits.floor, size);
        let power = d.power_of_two(size);
        let share = d.reciprocal_power(power);
        let (a, b) = (d.mul(f, share), d.mul(g, share));
        let (a, b) = (d.select(some, a, one), d.select(some, b, nothing));
        let (aa, bb) = (d.mul(a, a), d.mul(b, b));
        let sum = d.add(aa, bb);
        let root = d.sqrt(sum);
        let inverse = d.div(one, root);
        let r = d.mul(root, power);
        Scaled {
            a,
            b,
            inverse,
            c: d.mul(a, inverse),
            s: d.mul(b, inverse),
            r: d.select(some, r, f),
        }
    }
}

/// The smaller singular value of the two rows that end at `k`: their determinant, divided by the larger one.
fn smaller(d: &mut Desk, limits: &Limits, ends: &[Matrix; 2], k: &Affine) -> Value {
    let (f, h) = (
        d.get(&ends[0], &[&k.clone().plus(-1)]),
        d.get(&ends[0], &[k]),
    );
    let (f, h, g) = (d.abs(f), d.abs(h), d.get(&ends[1], &[k]));
    let (sum, gap, square) = (d.add(f, h), d.sub(f, h), d.mul(g, g));
    let [most, least] = [sum, gap].map(|x| {
        let x = d.mul(x, x);
        let x = d.add(x, square);
        d.sqrt(x)
    });
    let most = d.add(most, least);
    let twice = d.add(f, f);
    let share = d.div(h, most);
    let value = d.mul(twice, share);
    let some = d.lt(limits.floor, most);
    let nothing = d.number(0.0);
    d.select(some, value, nothing)
}
