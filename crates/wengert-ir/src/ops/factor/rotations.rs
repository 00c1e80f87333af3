//! What the iterations for eigenvalues and for singular values share: the scale of a matrix, plane rotations, their
//! effect on vectors, and the order of the results.
//!
//! A batch of matrices in lanes sweeps in step. The end of the part that is swept is the same in all lanes; its
//! beginning is one for each, and above it a lane's rotations are the identity. So all lanes read and write the same
//! places.

use super::eigh::inspected;
use crate::ir::DType;
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// Maximum number of sweeps for one value. Two or three are usual.
const SWEEPS: i64 = 60;

/// The size of a matrix.
pub(super) struct Scale {
    /// A power of two that is at most the largest absolute value, and by a factor of less than two smaller; the
    /// smallest normal number if all elements are smaller still.
    pub size: Value,
    /// Its reciprocal.
    pub inverse: Value,
    /// Zero, or NaN if an element is not finite.
    pub poison: Value,
}

/// What the iterations compare with, for matrices whose largest elements are about 1.
pub(super) struct Limits {
    /// The distance of 1 to the next larger number.
    pub epsilon: Value,
    /// A size whose square is a normal number with all its digits. What is smaller is as good as zero.
    pub floor: Value,
    /// Its square.
    pub square: Value,
}

/// A rotation of two elements `(a, b)` into `(r, 0)`.
pub(super) struct Rotation {
    pub c: Value,
    pub s: Value,
    pub r: Value,
}

/// The rotations of a sweep: number `i` turns the axes `i` and `i + 1`.
pub(super) struct Rotations {
    pub c: Matrix,
    pub s: Matrix,
}

impl Limits {
    pub(super) fn new(d: &mut Desk) -> Limits {
        let (tiniest, epsilon) = match d.dtype() {
            DType::F32 => (f32::MIN_POSITIVE.into(), f32::EPSILON.into()),
            _ => (f64::MIN_POSITIVE, f64::EPSILON),
        };
        let floor = f64::sqrt(tiniest) / epsilon;
        Limits {
            epsilon: d.number(epsilon),
            floor: d.number(floor),
            square: d.number(floor * floor),
        }
    }

    /// Returns the larger of what is negligible beside two neighbours and what always is.
    pub(super) fn beside(&self, d: &mut Desk, a: Value, b: Value) -> Value {
        let (a, b) = (d.abs(a), d.abs(b));
        let sum = d.add(a, b);
        let small = d.mul(sum, self.epsilon);
        d.op(ScalarOp::Max, &[small, self.floor])
    }

    /// Returns the rotation that turns `(a, b)` into `(r, 0)`; the identity if both are negligible.
    pub(super) fn rotation(&self, d: &mut Desk, a: Value, b: Value) -> Rotation {
        let (aa, bb) = (d.mul(a, a), d.mul(b, b));
        let sum = d.add(aa, bb);
        let some = d.lt(self.square, sum);
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let root = d.sqrt(sum);
        let inverse = d.div(one, root);
        let (c, s) = (d.mul(a, inverse), d.mul(b, inverse));
        Rotation {
            c: d.select(some, c, one),
            s: d.select(some, s, nothing),
            r: d.select(some, root, a),
        }
    }
}

impl Rotations {
    pub(super) fn new(d: &mut Desk, count: usize) -> Rotations {
        let [c, s] = [0; 2].map(|_| d.scratch(&[count]));
        Rotations { c, s }
    }

    /// Notes a rotation if it is `active`, and otherwise the identity.
    pub(super) fn note(&self, d: &mut Desk, i: &Affine, active: Value, c: Value, s: Value) {
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let c = d.select(active, c, one);
        d.set(&self.c, &[i], c);
        let s = d.select(active, s, nothing);
        d.set(&self.s, &[i], s);
    }

    /// Turns the rows of a matrix from the first to number `k` in pairs.
    pub(super) fn turn(&self, d: &mut Desk, rows: &Matrix, k: &Affine) {
        let zero = place(0);
        d.beside(&zero, &place(rows.columns()), &mut |d, j| {
            let first = d.get(rows, &[&zero, j]);
            let last = d.fold(&zero, k, &[first], &mut |d, i, carried| {
                let next = d.after(i);
                let (c, s) = (d.get(&self.c, &[i]), d.get(&self.s, &[i]));
                let (x, y) = (carried[0], d.get(rows, &[&next, j]));
                let (cx, sy) = (d.mul(c, x), d.mul(s, y));
                let x_new = d.add(cx, sy);
                d.set(rows, &[i, j], x_new);
                let (sx, cy) = (d.mul(s, x), d.mul(c, y));
                Carries::from_slice(&[d.sub(cy, sx)])
            });
            d.set(rows, &[k, j], last[0]);
        });
    }
}

/// Finds the size of a matrix, of which only the lower triangle may be meant.
pub(super) fn scale(d: &mut Desk, a: &Matrix, lower: bool) -> Scale {
    let (zero, rows, columns) = (place(0), place(a.rows()), place(a.columns()));
    let nothing = d.number(0.0);
    let found = d.fold(&zero, &rows, &[nothing, nothing], &mut |d, i, found| {
        let end = if lower { d.after(i) } else { columns.clone() };
        d.fold(&zero, &end, found, &mut |d, j, found| {
            let x = d.get(a, &[i, j]);
            inspected(d, x, found)
        })
    });
    let size = d.power_of_two(found[0]);
    let tiniest = d.tiniest();
    let size = d.op(ScalarOp::Max, &[size, tiniest]);
    let one = d.number(1.0);
    Scale {
        size,
        inverse: d.div(one, size),
        poison: found[1],
    }
}

/// Sweeps over the parts that end at each place, from the last to the second, until the element before the place is
/// negligible. `sweep` is given the place and the beginning of the part. Returns `poison`, or NaN if a part has not
/// come to an end.
pub(super) fn sweeps(
    d: &mut Desk,
    limits: &Limits,
    [diagonal, beside]: [&Matrix; 2],
    poison: Value,
    sweep: &mut dyn FnMut(&mut Desk, &Affine, Value),
) -> Value {
    let n = place(diagonal.dims[0]);
    // Element `i` of `beside` is between those numbered `i - 1` and `i` of the diagonal.
    let apart = |d: &mut Desk, i: &Affine| {
        let (x, y) = (
            d.get(diagonal, &[&i.clone().plus(-1)]),
            d.get(diagonal, &[i]),
        );
        let least = limits.beside(d, x, y);
        let between = d.get(beside, &[i]);
        let between = d.abs(between);
        d.lt(least, between)
    };
    let ended = d.fold_back(&place(1), &n, &[poison], &mut |d, k, poison| {
        let (none, go) = (d.integer(0), apart(d, k));
        let state = d.while_(
            &[go, none],
            &mut |d, state| {
                let bound = d.integer(SWEEPS);
                let more = d.lt(state[1], bound);
                d.and(state[0], more)
            },
            &mut |d, state| {
                let zero = d.integer(0);
                let low = d.fold(&place(1), k, &[zero], &mut |d, i, low| {
                    let (here, joined) = (d.index(i), apart(d, i));
                    let (x, nothing) = (d.get(beside, &[i]), d.number(0.0));
                    let x = d.select(joined, x, nothing);
                    d.set(beside, &[i], x);
                    Carries::from_slice(&[d.select(joined, low[0], here)])
                });
                sweep(d, k, low[0]);
                let (one, go) = (d.integer(1), apart(d, k));
                Carries::from_slice(&[go, d.add(state[1], one)])
            },
        );
        let nan = d.number(f64::NAN);
        Carries::from_slice(&[d.select(state[0], nan, poison[0])])
    });
    ended[0]
}

/// Sorts numbers. Returns where each of them was.
pub(super) fn sort(d: &mut Desk, x: &Matrix, descending: bool) -> Matrix {
    let (zero, n) = (place(0), place(x.dims[0]));
    let order = d.integers(x.dims[0]);
    d.each(&zero, &n, &mut |d, i| {
        let here = d.index(i);
        d.set(&order, &[i], here);
    });
    d.each(&zero, &n, &mut |d, k| {
        let (best, here) = (d.get(x, &[k]), d.index(k));
        let found = d.fold(&d.after(k), &n, &[best, here], &mut |d, i, best| {
            let (x, row) = (d.get(x, &[i]), d.index(i));
            let before = match descending {
                true => d.lt(best[0], x),
                false => d.lt(x, best[0]),
            };
            let x = d.select(before, x, best[0]);
            Carries::from_slice(&[x, d.select(before, row, best[1])])
        });
        d.swap_elements(x, k, found[1], &n);
        d.swap_elements(&order, k, found[1], &n);
    });
    order
}
