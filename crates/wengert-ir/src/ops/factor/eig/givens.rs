//! The complex Schur form, by rotations and steps with one shift.
//!
//! Golub and Van Loan, *Matrix Computations* (4th edition), 7.4; the shift is Wilkinson's.

use super::super::complex::{Complex, Parts};
use super::steps::{Both, Scaled, get, set};
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
    let (zero, size) = (place(0), place(n));
    // What is below the first subdiagonal.
    d.each(&zero, &place(n.saturating_sub(2)), &mut |d, k| {
        let first = d.after(k);
        d.each(&d.after(&first), &size, &mut |d, i| {
            let (x, y) = (get(d, h, &first, k), get(d, h, i, k));
            let turn = rotation(d, x, y);
            turn.rows(d, h, [&first, i], [k, &size]);
            turn.columns(d, h, [&first, i], &size);
            if let Some(z) = z {
                turn.columns(d, z, [&first, i], &size);
            }
            let none = nothing(d);
            set(d, h, i, k, none);
        });
    });
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
            let start = split(d, h, n, end);
            let (none, one) = (d.integer(0), d.integer(1));
            let single = d.eq(start, end);
            let long = d.lt(start, end);
            d.when(long, &mut |d| step(d, h, z, n, start, end, its));
            let by = d.select(single, one, none);
            let next = d.add(its, one);
            Carries::from_slice(&[
                d.sub(end, by),
                d.select(long, next, none),
                d.add(state[2], one),
            ])
        },
    );
    d.each(&zero, &size, &mut |d, i| {
        let x = get(d, h, i, i);
        d.set_complex(values, &[i], x);
    });
    let none = d.integer(0);
    d.lt(none, done[0])
}

fn nothing(d: &mut Desk) -> Complex {
    let none = d.number(0.0);
    Complex { re: none, im: none }
}

/// Sets negligible elements of the subdiagonal to zero; returns where the block that ends at `end` starts.
fn split(d: &mut Desk, h: &Both, n: usize, end: Value) -> Value {
    let (none, epsilon) = (d.integer(0), d.epsilon());
    d.fold(&place(1), &place(n), &[none], &mut |d, i, start| {
        let before = i.clone().plus(-1);
        let below = get(d, h, i, &before);
        let (a, b) = (get(d, h, &before, &before), get(d, h, i, i));
        let (a, b, size) = (d.size_complex(a), d.size_complex(b), d.size_complex(below));
        let sum = d.add(a, b);
        let limit = d.mul(epsilon, sum);
        let least = d.tiniest();
        let limit = d.op(ScalarOp::Max, &[limit, least]);
        let (small, row) = (d.le(size, limit), d.index(i));
        let inside = d.le(row, end);
        let hit = d.and(small, inside);
        let zero = nothing(d);
        let left = d.select_complex(hit, zero, below);
        set(d, h, i, &before, left);
        Carries::from_slice(&[d.select(hit, row, start[0])])
    })[0]
}

/// A rotation with the rows `(c, s)` and `(-conj s, c)`.
struct Rotation {
    c: Value,
    s: Complex,
    /// What is left of the vector.
    left: Complex,
}

/// The rotation after which the second element of a vector is zero.
fn rotation(d: &mut Desk, x: Complex, y: Complex) -> Rotation {
    let (zero, one) = (d.number(0.0), d.number(1.0));
    let (sx, sy) = (d.abs_complex(x), d.abs_complex(y));
    let both = Complex { re: sx, im: sy };
    let length = d.abs_complex(both);
    let (none, flat) = (d.eq(sy, zero), d.eq(sx, zero));
    let by = d.select(none, one, length);
    let c = d.div(sx, by);
    let c = d.select(none, one, c);
    let size = d.select(flat, one, sx);
    let phase = Complex {
        re: d.div(x.re, size),
        im: d.div(x.im, size),
    };
    let unit = Complex { re: one, im: zero };
    let phase = d.select_complex(flat, unit, phase);
    let back = d.conj(y);
    let back = Complex {
        re: d.div(back.re, by),
        im: d.div(back.im, by),
    };
    Rotation {
        c,
        s: d.mul_complex(phase, back),
        left: d.scale_complex(phase, length),
    }
}

impl Rotation {
    fn rows(&self, d: &mut Desk, m: &Both, [p, q]: [&Affine; 2], [low, high]: [&Affine; 2]) {
        let back = d.conj(self.s);
        d.beside(low, high, &mut |d, j| {
            let (x, y) = (get(d, m, p, j), get(d, m, q, j));
            let (cx, sy) = (d.scale_complex(x, self.c), d.mul_complex(self.s, y));
            let (cy, sx) = (d.scale_complex(y, self.c), d.mul_complex(back, x));
            let (x, y) = (d.add_complex(cx, sy), d.sub_complex(cy, sx));
            set(d, m, p, j, x);
            set(d, m, q, j, y);
        });
    }

    fn columns(&self, d: &mut Desk, m: &Both, [p, q]: [&Affine; 2], high: &Affine) {
        let back = d.conj(self.s);
        d.beside(&place(0), high, &mut |d, i| {
            let (x, y) = (get(d, m, i, p), get(d, m, i, q));
            let (cx, sy) = (d.scale_complex(x, self.c), d.mul_complex(back, y));
            let (cy, sx) = (d.scale_complex(y, self.c), d.mul_complex(self.s, x));
            let (x, y) = (d.add_complex(cx, sy), d.sub_complex(cy, sx));
            set(d, m, i, p, x);
            set(d, m, i, q, y);
        });
    }
}

/// The root with a real part that is not negative.
fn sqrt(d: &mut Desk, z: Complex) -> Complex {
    let (zero, one, half) = (d.number(0.0), d.number(1.0), d.number(0.5));
    let size = d.abs_complex(z);
    let along = d.abs(z.re);
    let sum = d.add(size, along);
    let sum = d.mul(sum, half);
    let root = d.sqrt(sum);
    let none = d.eq(root, zero);
    let by = d.select(none, one, root);
    let other = d.mul(z.im, half);
    let other = d.div(other, by);
    let left = d.lt(z.re, zero);
    let (far, minus) = (d.abs(other), d.neg(root));
    let down = d.lt(z.im, zero);
    let turned = d.select(down, minus, root);
    Complex {
        re: d.select(left, far, root),
        im: d.select(left, turned, other),
    }
}

/// The eigenvalue of a block of two that is nearer to its last element.
fn wilkinson(d: &mut Desk, [a, b, c, e]: [Complex; 4]) -> Complex {
    let (half, zero) = (d.number(0.5), d.number(0.0));
    let gap = d.sub_complex(a, e);
    let p = d.scale_complex(gap, half);
    let (square, product) = (d.mul_complex(p, p), d.mul_complex(b, c));
    let inside = d.add_complex(square, product);
    let root = sqrt(d, inside);
    let (more, less) = (d.add_complex(p, root), d.sub_complex(p, root));
    let (large, small) = (d.size_complex(more), d.size_complex(less));
    let swap = d.lt(large, small);
    let by = d.select_complex(swap, less, more);
    let size = d.size_complex(by);
    let none = d.eq(size, zero);
    let one = d.number(1.0);
    let unit = Complex { re: one, im: zero };
    let by = d.select_complex(none, unit, by);
    let by = d.recip_complex(by);
    let change = d.mul_complex(product, by);
    let nearer = d.sub_complex(e, change);
    d.select_complex(none, e, nearer)
}

/// One step with one shift on the block from `start` to `end`, which has two rows at least.
fn step(d: &mut Desk, h: &Both, z: Option<&Both>, n: usize, start: Value, end: Value, its: Value) {
    // Lanes without a step read somewhere inside.
    let one = d.integer(1);
    let inner = d.op(ScalarOp::Max, &[end, one]);
    let (last, first) = (d.at(inner), d.at(start));
    let before = last.clone().plus(-1);
    let corner = [
        get(d, h, &before, &before),
        get(d, h, &before, &last),
        get(d, h, &last, &before),
        get(d, h, &last, &last),
    ];
    let shift = wilkinson(d, corner);
    // Now and then, a shift that is not that of the block.
    let next = d.add(its, one);
    let (ten, none) = (d.integer(10), d.integer(0));
    let rest = d.op(ScalarOp::Rem, &[next, ten]);
    let odd = d.eq(rest, none);
    let size = d.size_complex(corner[2]);
    let moved = Complex {
        re: d.add(corner[3].re, size),
        im: corner[3].im,
    };
    let shift = d.select_complex(odd, moved, shift);
    let x0 = get(d, h, &first, &first);
    let x0 = d.sub_complex(x0, shift);
    let y0 = get(d, h, &d.after(&first), &first);
    let (zero, size) = (place(0), place(n));
    d.each(&zero, &place(n - 1), &mut |d, k| {
        let row = d.index(k);
        let (from, inside) = (d.le(start, row), d.lt(row, end));
        let active = d.and(from, inside);
        d.when(active, &mut |d| {
            let (after, left) = (d.after(k), k.clone().plus(-1));
            let begins = d.eq(row, start);
            let (x, y) = (get(d, h, k, &left), get(d, h, &after, &left));
            let (p, q) = (
                d.select_complex(begins, x0, x),
                d.select_complex(begins, y0, y),
            );
            let turn = rotation(d, p, q);
            turn.rows(d, h, [k, &after], [k, &size]);
            turn.columns(d, h, [k, &after], &k.clone().plus(3));
            if let Some(z) = z {
                turn.columns(d, z, [k, &after], &size);
            }
            let own = d.select_complex(begins, x, turn.left);
            set(d, h, k, &left, own);
            let zero = nothing(d);
            let below = d.select_complex(begins, y, zero);
            set(d, h, &after, &left, below);
        });
    });
}
