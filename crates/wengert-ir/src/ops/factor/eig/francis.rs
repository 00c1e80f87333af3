//! The real Schur form, by Francis's steps with two shifts.
//!
//! Golub and Van Loan, *Matrix Computations* (4th edition), 7.4 and 7.5; the exceptional shifts are those of LAPACK's
//! `dlahqr`.

use super::super::complex::{Complex, Parts};
use super::steps::{Both, Padded, Scaled, get, set};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// Steps per eigenvalue, at most.
const STEPS: i64 = 40;

/// Makes a matrix triangular by similarity, writes its eigenvalues, and returns whether it did not come to an end. The
/// axes are turned with it.
pub(super) fn triangular(
    d: &mut Desk,
    h: &Both,
    z: Option<&Both>,
    n: usize,
    scaled: &Scaled,
    values: &Parts<Matrix>,
) -> Value {
    let finite = scaled.is_finite(d);
    let axes = z.map(|z| &z[0]);
    hessenberg(d, &h[0], axes, n);
    let (end, its, total) = (d.integer(n as i64 - 1), d.integer(0), d.integer(0));
    let done = d.while_(
        &[end, its, total],
        &mut |d, state| {
            let (none, bound) = (d.integer(0), d.integer(STEPS * n as i64));
            let (left, more) = (d.lt(none, state[0]), d.lt(state[2], bound));
            let go = d.and(left, more);
            d.and(go, finite)
        },
        &mut |d, state| {
            let (end, its) = (state[0], state[1]);
            let start = split(d, &h[0], n, end);
            let (one, two) = (d.integer(1), d.integer(2));
            let gap = d.sub(end, start);
            let (single, pair) = (d.lt(gap, one), d.eq(gap, one));
            let long = d.lt(one, gap);
            let nothing = d.integer(0);
            d.when(pair, &mut |d| standardised(d, &h[0], axes, n, end));
            d.when(long, &mut |d| step(d, &h[0], axes, n, start, end, its));
            let by = d.select(pair, two, nothing);
            let by = d.select(single, one, by);
            let next = d.add(its, one);
            Carries::from_slice(&[
                d.sub(end, by),
                d.select(long, next, nothing),
                d.add(state[2], one),
            ])
        },
    );
    blocks(d, &h[0], n, values);
    if let Some(z) = z {
        complex_blocks(d, h, z, n, values);
    }
    let none = d.integer(0);
    d.lt(none, done[0])
}

/// Makes what is below the first subdiagonal zero by reflections.
fn hessenberg(d: &mut Desk, h: &Padded, z: Option<&Padded>, n: usize) {
    let v = d.scratch(&[n]);
    let (zero, end) = (place(0), place(n));
    let last = place(n.saturating_sub(2));
    d.each(&zero, &last, &mut |d, k| {
        let first = d.after(k);
        let nothing = d.number(0.0);
        let largest = d.fold(&first, &end, &[nothing], &mut |d, i, most| {
            let x = h.get(d, i, k);
            let x = d.abs(x);
            Carries::from_slice(&[d.op(ScalarOp::Max, &[most[0], x])])
        })[0];
        let one = d.number(1.0);
        let none = d.eq(largest, nothing);
        let unit = d.select(none, one, largest);
        let scale = d.div(one, unit);
        let rest = d.fold(&d.after(&first), &end, &[nothing], &mut |d, i, sum| {
            let x = h.get(d, i, k);
            let x = d.mul(x, scale);
            d.set(&v, &[i], x);
            let square = d.mul(x, x);
            Carries::from_slice(&[d.add(sum[0], square)])
        })[0];
        let own = h.get(d, &first, k);
        let x = d.mul(own, scale);
        let r = reflection(d, x, rest);
        d.set(&v, &[&first], r.first);
        // From the left, from the right, and to the axes.
        d.beside(k, &end, &mut |d, j| {
            let sum = d.fold(&first, &end, &[nothing], &mut |d, i, sum| {
                let (x, y) = (d.get(&v, &[i]), h.get(d, i, j));
                let product = d.mul(x, y);
                Carries::from_slice(&[d.add(sum[0], product)])
            });
            let by = d.mul(sum[0], r.by);
            d.each(&first, &end, &mut |d, i| {
                let (x, y) = (d.get(&v, &[i]), h.get(d, i, j));
                let product = d.mul(by, x);
                let y = d.sub(y, product);
                h.set(d, i, j, y);
            });
        });
        for m in [Some(h), z].into_iter().flatten() {
            d.beside(&zero, &end, &mut |d, i| {
                let sum = d.fold(&first, &end, &[nothing], &mut |d, j, sum| {
                    let (x, y) = (d.get(&v, &[j]), m.get(d, i, j));
                    let product = d.mul(x, y);
                    Carries::from_slice(&[d.add(sum[0], product)])
                });
                let by = d.mul(sum[0], r.by);
                d.each(&first, &end, &mut |d, j| {
                    let (x, y) = (d.get(&v, &[j]), m.get(d, i, j));
                    let product = d.mul(by, x);
                    let y = d.sub(y, product);
                    m.set(d, i, j, y);
                });
            });
        }
        let left = d.mul(r.left, unit);
        h.set(d, &first, k, left);
        d.each(&d.after(&first), &end, &mut |d, i| h.set(d, i, k, nothing));
    });
}

/// A reflection `1 - by v vᵀ` that turns a vector to its first axis.
struct Reflection {
    /// The first element of `v`; the others are those of the vector.
    first: Value,
    by: Value,
    /// What is left of the vector.
    left: Value,
}

/// Given the first element and the sum of the squares of the others. Nothing is turned if that is zero.
fn reflection(d: &mut Desk, x: Value, rest: Value) -> Reflection {
    let (nothing, one, two) = (d.number(0.0), d.number(1.0), d.number(2.0));
    let square = d.mul(x, x);
    let sum = d.add(square, rest);
    let length = d.sqrt(sum);
    let negative = d.lt(x, nothing);
    let minus = d.neg(length);
    let left = d.select(negative, length, minus);
    let first = d.sub(x, left);
    let square = d.mul(first, first);
    let size = d.add(square, rest);
    let none = d.eq(rest, nothing);
    let size = d.select(none, one, size);
    let by = d.div(two, size);
    Reflection {
        first,
        by: d.select(none, nothing, by),
        left: d.select(none, x, left),
    }
}

/// Sets negligible elements of the subdiagonal to zero; returns where the block that ends at `end` starts.
fn split(d: &mut Desk, h: &Padded, n: usize, end: Value) -> Value {
    let (none, epsilon) = (d.integer(0), d.epsilon());
    d.fold(&place(1), &place(n), &[none], &mut |d, i, start| {
        let before = i.clone().plus(-1);
        let below = h.get(d, i, &before);
        let (a, b) = (h.get(d, &before, &before), h.get(d, i, i));
        let (a, b, size) = (d.abs(a), d.abs(b), d.abs(below));
        let sum = d.add(a, b);
        let limit = d.mul(epsilon, sum);
        let least = d.tiniest();
        let limit = d.op(ScalarOp::Max, &[limit, least]);
        let (small, row) = (d.le(size, limit), d.index(i));
        let inside = d.le(row, end);
        let hit = d.and(small, inside);
        let nothing = d.number(0.0);
        let left = d.select(hit, nothing, below);
        h.set(d, i, &before, left);
        Carries::from_slice(&[d.select(hit, row, start[0])])
    })[0]
}

/// Half the difference of the diagonal of a block of two, and the square of half the difference of its eigenvalues.
fn halves(d: &mut Desk, [a, b, c, e]: [Value; 4]) -> (Value, Value) {
    let half = d.number(0.5);
    let gap = d.sub(a, e);
    let p = d.mul(gap, half);
    let (square, product) = (d.mul(p, p), d.mul(b, c));
    (p, d.add(square, product))
}

fn block(d: &mut Desk, h: &Padded, i: &Affine) -> [Value; 4] {
    let j = d.after(i);
    [
        h.get(d, i, i),
        h.get(d, i, &j),
        h.get(d, &j, i),
        h.get(d, &j, &j),
    ]
}

/// Turns the axes of the last block of two so that it is triangular, if its eigenvalues are real.
fn standardised(d: &mut Desk, h: &Padded, z: Option<&Padded>, n: usize, end: Value) {
    // Lanes without such a block read somewhere inside.
    let one = d.integer(1);
    let inner = d.op(ScalarOp::Max, &[end, one]);
    let q = d.at(inner);
    let p = q.clone().plus(-1);
    let own = block(d, h, &p);
    let (half, square) = halves(d, own);
    let nothing = d.number(0.0);
    let real = d.le(nothing, square);
    d.when(real, &mut |d| {
        let root = d.sqrt(square);
        let minus = d.neg(root);
        let negative = d.lt(half, nothing);
        let root = d.select(negative, minus, root);
        let along = d.add(half, root);
        let vector = Complex {
            re: along,
            im: own[2],
        };
        let length = d.abs_complex(vector);
        let (c, s) = (d.div(along, length), d.div(own[2], length));
        let (zero, n) = (place(0), place(n));
        d.beside(&zero, &n, &mut |d, j| {
            let (x, y) = (h.get(d, &p, j), h.get(d, &q, j));
            let (x, y) = rotated(d, c, s, x, y);
            h.set(d, &p, j, x);
            h.set(d, &q, j, y);
        });
        for m in [Some(h), z].into_iter().flatten() {
            d.beside(&zero, &n, &mut |d, i| {
                let (x, y) = (m.get(d, i, &p), m.get(d, i, &q));
                let (x, y) = rotated(d, c, s, x, y);
                m.set(d, i, &p, x);
                m.set(d, i, &q, y);
            });
        }
        h.set(d, &q, &p, nothing);
    });
}

/// `(c x + s y, c y - s x)`.
fn rotated(d: &mut Desk, c: Value, s: Value, x: Value, y: Value) -> (Value, Value) {
    let (cx, sy) = (d.mul(c, x), d.mul(s, y));
    let (cy, sx) = (d.mul(c, y), d.mul(s, x));
    (d.add(cx, sy), d.sub(cy, sx))
}

/// One step with two shifts on the block from `start` to `end`, which has three rows at least.
fn step(
    d: &mut Desk,
    h: &Padded,
    z: Option<&Padded>,
    n: usize,
    start: Value,
    end: Value,
    its: Value,
) {
    let two = d.integer(2);
    let inner = d.op(ScalarOp::Max, &[end, two]);
    let (last, first) = (d.at(inner), d.at(start));
    let before = last.clone().plus(-1);
    let [mut a, mut b, mut c, mut e] = block(d, h, &before);
    // Now and then, shifts that are not those of the block.
    let (ten, one) = (d.integer(10), d.integer(1));
    let next = d.add(its, one);
    let rest = d.op(ScalarOp::Rem, &[next, ten]);
    let none = d.integer(0);
    let odd = d.eq(rest, none);
    let far = h.get(d, &before, &last.clone().plus(-2));
    let (near, far) = (d.abs(c), d.abs(far));
    let size = d.add(near, far);
    let (high, low) = (d.number(0.75), d.number(-0.4375));
    let shift = d.mul(high, size);
    let shift = d.add(shift, e);
    let across = d.mul(low, size);
    a = d.select(odd, shift, a);
    b = d.select(odd, across, b);
    c = d.select(odd, size, c);
    e = d.select(odd, shift, e);
    // The first column of the product of the shifted matrices.
    let [h00, h01, h10, h11] = block(d, h, &first);
    let h21 = h.get(d, &first.clone().plus(2), &first.clone().plus(1));
    let (r, s) = (d.sub(h00, e), d.sub(h00, a));
    let (rs, bc, up) = (d.mul(r, s), d.mul(b, c), d.mul(h01, h10));
    let x = d.sub(rs, bc);
    let x = d.add(x, up);
    let (sum, shifts) = (d.add(h00, h11), d.add(a, e));
    let y = d.sub(sum, shifts);
    let y = d.mul(h10, y);
    let w = d.mul(h10, h21);
    let (zero, size) = (place(0), place(n));
    d.each(&zero, &place(n - 1), &mut |d, k| {
        let row = d.index(k);
        let (from, inside) = (d.le(start, row), d.lt(row, end));
        let active = d.and(from, inside);
        d.when(active, &mut |d| {
            let (k1, k2, left) = (k.clone().plus(1), k.clone().plus(2), k.clone().plus(-1));
            let begins = d.eq(row, start);
            let nothing = d.number(0.0);
            let value = |d: &mut Desk, i: &Affine, at_start: Value| {
                let own = h.get(d, i, &left);
                d.select(begins, at_start, own)
            };
            let (p, q, third) = (value(d, k, x), value(d, &k1, y), value(d, &k2, w));
            let one = d.integer(1);
            let next = d.add(row, one);
            let more = d.lt(next, end);
            let third = d.select(more, third, nothing);
            let (pa, qa, ta) = (d.abs(p), d.abs(q), d.abs(third));
            let all = d.op(ScalarOp::Max, &[pa, qa]);
            let all = d.op(ScalarOp::Max, &[all, ta]);
            let (none, unit) = (d.eq(all, nothing), d.number(1.0));
            let all = d.select(none, unit, all);
            let by = d.div(unit, all);
            let (p, q, third) = (d.mul(p, by), d.mul(q, by), d.mul(third, by));
            let (qq, tt) = (d.mul(q, q), d.mul(third, third));
            let others = d.add(qq, tt);
            let r = reflection(d, p, others);
            let v = [r.first, q, third];
            let apply = |d: &mut Desk, x: [Value; 3]| {
                let (a, b, c) = (d.mul(v[0], x[0]), d.mul(v[1], x[1]), d.mul(v[2], x[2]));
                let sum = d.add(a, b);
                let sum = d.add(sum, c);
                let sum = d.mul(sum, r.by);
                let mut out = x;
                for (x, v) in out.iter_mut().zip(v) {
                    let product = d.mul(sum, v);
                    *x = d.sub(*x, product);
                }
                out
            };
            d.beside(k, &size, &mut |d, j| {
                let x = [h.get(d, k, j), h.get(d, &k1, j), h.get(d, &k2, j)];
                let x = apply(d, x);
                h.set(d, k, j, x[0]);
                h.set(d, &k1, j, x[1]);
                h.set(d, &k2, j, x[2]);
            });
            // What is below the next row but two is zero.
            let reach = k.clone().plus(4);
            for (m, rows) in [(Some(h), &reach), (z, &size)] {
                let Some(m) = m else { continue };
                d.beside(&zero, rows, &mut |d, i| {
                    let x = [m.get(d, i, k), m.get(d, i, &k1), m.get(d, i, &k2)];
                    let x = apply(d, x);
                    m.set(d, i, k, x[0]);
                    m.set(d, i, &k1, x[1]);
                    m.set(d, i, &k2, x[2]);
                });
            }
            let turned = d.mul(r.left, all);
            for (i, x) in [(k, turned), (&k1, nothing), (&k2, nothing)] {
                let own = h.get(d, i, &left);
                let x = d.select(begins, own, x);
                h.set(d, i, &left, x);
            }
        });
    });
}

/// Writes the eigenvalues of the blocks of one and two rows.
fn blocks(d: &mut Desk, h: &Padded, n: usize, values: &Parts<Matrix>) {
    let (no, nothing) = (d.truth(false), d.number(0.0));
    let start = [no, nothing, nothing];
    d.fold(&place(0), &place(n), &start, &mut |d, i, before| {
        let own = block(d, h, i);
        let (half, square) = halves(d, own);
        let apart = d.eq(own[2], nothing);
        let pair = d.not(apart);
        let middle = d.add(own[3], half);
        let size = d.neg(square);
        let size = d.op(ScalarOp::Max, &[size, nothing]);
        let size = d.sqrt(size);
        let minus = d.neg(before[2]);
        let re = d.select(pair, middle, own[0]);
        let re = d.select(before[0], before[1], re);
        let im = d.select(pair, size, nothing);
        let im = d.select(before[0], minus, im);
        d.set(&values[0], &[i], re);
        d.set(&values[1], &[i], im);
        let ended = d.not(before[0]);
        let pair = d.and(pair, ended);
        Carries::from_slice(&[pair, middle, size])
    });
}

/// Turns the axes of the blocks of two rows so that the matrix is triangular, and complex.
fn complex_blocks(d: &mut Desk, h: &Both, z: &Both, n: usize, values: &Parts<Matrix>) {
    let (zero, end) = (place(0), place(n));
    d.each(&zero, &place(n - 1), &mut |d, i| {
        let j = d.after(i);
        let own = block(d, &h[0], i);
        let nothing = d.number(0.0);
        let apart = d.eq(own[2], nothing);
        let pair = d.not(apart);
        d.when(pair, &mut |d| {
            // The vector of the first eigenvalue, `(λ - e, c)`.
            let value = d.get_complex(values, &[i]);
            let re = d.sub(value.re, own[3]);
            let along = Complex { re, im: value.im };
            let c = own[2];
            let size = d.abs_complex(along);
            let both = Complex { re: size, im: c };
            let length = d.abs_complex(both);
            let one = d.number(1.0);
            let by = d.div(one, length);
            let x = d.scale_complex(along, by);
            let y = d.mul(c, by);
            let back = d.conj(x);
            // The unitary factor has the columns `(x, y)` and `(-y, conj x)`.
            d.each(&zero, &end, &mut |d, k| {
                let (p, q) = (get(d, h, i, k), get(d, h, &j, k));
                let (xp, yq) = (d.mul_complex(back, p), d.scale_complex(q, y));
                let (xq, yp) = (d.mul_complex(x, q), d.scale_complex(p, y));
                let (p, q) = (d.add_complex(xp, yq), d.sub_complex(xq, yp));
                set(d, h, i, k, p);
                set(d, h, &j, k, q);
            });
            for m in [h, z] {
                d.each(&zero, &end, &mut |d, k| {
                    let (p, q) = (get(d, m, k, i), get(d, m, k, &j));
                    let (xp, yq) = (d.mul_complex(x, p), d.scale_complex(q, y));
                    let (xq, yp) = (d.mul_complex(back, q), d.scale_complex(p, y));
                    let (p, q) = (d.add_complex(xp, yq), d.sub_complex(xq, yp));
                    set(d, m, k, i, p);
                    set(d, m, k, &j, q);
                });
            }
            let none = Complex {
                re: nothing,
                im: nothing,
            };
            set(d, h, &j, i, none);
        });
    });
}
