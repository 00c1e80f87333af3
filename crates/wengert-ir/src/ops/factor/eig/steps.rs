//! Eigenvalues and eigenvectors from a triangular matrix to which a matrix is similar.

use super::super::complex::{Complex, Parts};
use super::super::eigh::inspected;
use super::{Eig, francis, givens};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// Two rows and columns of zeros behind the matrix, and one column before it, so that the steps that reach over its edges
/// read zeros there.
pub(super) struct Padded(pub Matrix);

impl Padded {
    pub(super) fn new(d: &mut Desk, n: usize) -> Padded {
        let m = d.scratch(&[n + 2, n + 3]);
        let nothing = d.number(0.0);
        let (rows, columns) = (place(n + 2), place(n + 3));
        d.each(&place(0), &rows, &mut |d, i| {
            d.beside(&place(0), &columns, &mut |d, j| d.set(&m, &[i, j], nothing));
        });
        Padded(m)
    }

    pub(super) fn get(&self, d: &mut Desk, i: &Affine, j: &Affine) -> Value {
        d.get(&self.0, &[i, &j.clone().plus(1)])
    }

    pub(super) fn set(&self, d: &mut Desk, i: &Affine, j: &Affine, x: Value) {
        d.set(&self.0, &[i, &j.clone().plus(1)], x);
    }
}

/// Two padded matrices, as a complex one.
pub(super) type Both = Parts<Padded>;

pub(super) fn get(d: &mut Desk, m: &Both, i: &Affine, j: &Affine) -> Complex {
    Complex {
        re: m[0].get(d, i, j),
        im: m[1].get(d, i, j),
    }
}

pub(super) fn set(d: &mut Desk, m: &Both, i: &Affine, j: &Affine, z: Complex) {
    m[0].set(d, i, j, z.re);
    m[1].set(d, i, j, z.im);
}

/// A matrix, scaled so that products of its elements are in the range of the element type.
pub(super) struct Scaled {
    /// What the eigenvalues are multiplied by.
    back: Value,
    /// Zero, or NaN if an element is not finite.
    poison: Value,
}

pub(super) fn eig(d: &mut Desk, form: Eig, inputs: &[Matrix], outputs: &[Matrix]) {
    let n = inputs[0].rows();
    if n == 0 {
        return;
    }
    let h = [Padded::new(d, n), Padded::new(d, n)];
    let z = form.vectors.0.then(|| {
        let z = [Padded::new(d, n), Padded::new(d, n)];
        d.each(&place(0), &place(n), &mut |d, i| {
            let one = d.number(1.0);
            z[0].set(d, i, i, one);
        });
        z
    });
    let scaled = scaled(d, inputs, &h);
    let values = [outputs[0].clone(), outputs[1].clone()];
    let failed = match form.complex {
        true => givens::triangular(d, &h, z.as_ref(), n, &scaled, &values),
        false => francis::triangular(d, &h, z.as_ref(), n, &scaled, &values),
    };
    // Without an end, NaN.
    let (nan, nothing) = (d.number(f64::NAN), d.number(0.0));
    let poison = d.select(failed, nan, nothing);
    let poison = d.add(poison, scaled.poison);
    if let Some(z) = &z {
        let v = [outputs[2].clone(), outputs[3].clone()];
        vectors(d, &h, z, &values, &v, !form.complex);
        sort(d, &values, Some(&v));
        for part in &v {
            d.each(&place(0), &place(n), &mut |d, i| {
                d.beside(&place(0), &place(n), &mut |d, j| {
                    let x = d.get(part, &[i, j]);
                    let x = d.add(x, poison);
                    d.set(part, &[i, j], x);
                });
            });
        }
    } else {
        sort(d, &values, None);
    }
    d.each(&place(0), &place(n), &mut |d, i| {
        for part in &values {
            let x = d.get(part, &[i]);
            let x = d.mul(x, scaled.back);
            let x = d.add(x, poison);
            d.set(part, &[i], x);
        }
    });
}

impl Scaled {
    /// Whether the matrix is finite.
    pub(super) fn is_finite(&self, d: &mut Desk) -> Value {
        d.eq(self.poison, self.poison)
    }
}

/// Copies a matrix, multiplied by a power of two where it is very large or very small.
fn scaled(d: &mut Desk, inputs: &[Matrix], h: &Both) -> Scaled {
    let n = place(inputs[0].rows());
    let nothing = d.number(0.0);
    let mut found = Carries::from_slice(&[nothing, nothing]);
    for part in inputs {
        found = d.fold(&place(0), &n, &found, &mut |d, i, found| {
            d.fold(&place(0), &n, found, &mut |d, j, found| {
                let x = d.get(part, &[i, j]);
                inspected(d, x, found)
            })
        });
    }
    let (largest, poison) = (found[0], found[1]);
    let [most, down, least, up] = d.far_powers().map(|k| 2f64.powi(k));
    let (one, most, least) = (d.number(1.0), d.number(most), d.number(least));
    let (large, small) = (d.lt(most, largest), d.lt(largest, least));
    let mut choice = |a: f64, b: f64| {
        let (a, b) = (d.number(a), d.number(b));
        let rest = d.select(small, b, one);
        d.select(large, a, rest)
    };
    let (by, back) = (choice(down, up), choice(down.recip(), up.recip()));
    for (part, to) in inputs.iter().zip(h) {
        d.each(&place(0), &n, &mut |d, i| {
            d.beside(&place(0), &n, &mut |d, j| {
                let x = d.get(part, &[i, j]);
                let x = d.mul(x, by);
                to.set(d, i, j, x);
            });
        });
    }
    Scaled { back, poison }
}

/// The eigenvectors of a triangular matrix `t`, by substitution, in the axes of `z`.
fn vectors(
    d: &mut Desk,
    t: &Both,
    z: &Both,
    values: &Parts<Matrix>,
    v: &Parts<Matrix>,
    real: bool,
) {
    let count = values[0].dims[0];
    let (zero, n) = (place(0), place(count));
    let nothing = d.number(0.0);
    let norm = d.fold(&zero, &n, &[nothing], &mut |d, i, most| {
        d.fold(i, &n, most, &mut |d, j, most| {
            let x = get(d, t, i, j);
            let size = d.size_complex(x);
            Carries::from_slice(&[d.op(ScalarOp::Max, &[most[0], size])])
        })
    })[0];
    let (epsilon, tiniest) = (d.epsilon(), d.tiniest());
    let least = d.mul(norm, epsilon);
    let least = d.op(ScalarOp::Max, &[least, tiniest]);
    let y = d.scratch_complex(&[count]);
    let large = d.far_powers()[0];
    d.each(&zero, &n, &mut |d, k| {
        let value = d.get_complex(values, &[k]);
        let (one, nothing) = (d.number(1.0), d.number(0.0));
        let unit = Complex {
            re: one,
            im: nothing,
        };
        d.set_complex(&y, &[k], unit);
        d.each_back(&zero, k, &mut |d, i| {
            let start = [nothing, nothing];
            let sum = d.fold(&d.after(i), &d.after(k), &start, &mut |d, j, sum| {
                let (a, b) = (get(d, t, i, j), d.get_complex(&y, &[j]));
                let product = d.mul_complex(a, b);
                let (re, im) = (d.sub(sum[0], product.re), d.sub(sum[1], product.im));
                Carries::from_slice(&[re, im])
            });
            let own = get(d, t, i, i);
            let gap = d.sub_complex(own, value);
            let size = d.size_complex(gap);
            let near = d.lt(size, least);
            let least = Complex {
                re: least,
                im: nothing,
            };
            let gap = d.select_complex(near, least, gap);
            let scale = d.recip_complex(gap);
            let found = Complex {
                re: sum[0],
                im: sum[1],
            };
            let found = d.mul_complex(found, scale);
            d.set_complex(&y, &[i], found);
            // Vectors of nearly equal eigenvalues grow.
            let size = d.size_complex(found);
            let limit = d.number(2f64.powi(large));
            let grown = d.lt(limit, size);
            d.when(grown, &mut |d| {
                let by = d.div(one, size);
                d.each(i, &d.after(k), &mut |d, j| {
                    let x = d.get_complex(&y, &[j]);
                    let x = d.scale_complex(x, by);
                    d.set_complex(&y, &[j], x);
                });
            });
        });
        let most = d.fold(&zero, &d.after(k), &[nothing], &mut |d, j, most| {
            let x = d.get_complex(&y, &[j]);
            let size = d.size_complex(x);
            Carries::from_slice(&[d.op(ScalarOp::Max, &[most[0], size])])
        });
        let by = d.div(one, most[0]);
        d.each(&zero, &n, &mut |d, i| {
            let sum = d.fold(&zero, &d.after(k), &[nothing, nothing], &mut |d, j, sum| {
                let (a, b) = (get(d, z, i, j), d.get_complex(&y, &[j]));
                let b = d.scale_complex(b, by);
                let product = d.mul_complex(a, b);
                let (re, im) = (d.add(sum[0], product.re), d.add(sum[1], product.im));
                Carries::from_slice(&[re, im])
            });
            d.set(&v[0], &[i, k], sum[0]);
            d.set(&v[1], &[i, k], sum[1]);
        });
        directed(d, v, k, &n);
        if real {
            // The vector of a real eigenvalue is real, and those of a pair are conjugate.
            let none = d.eq(value.im, nothing);
            let second = d.lt(value.im, nothing);
            let here = d.index(k);
            let first = d.integer(0);
            let before = d.index(&k.clone().plus(-1));
            let before = d.op(ScalarOp::Max, &[before, first]);
            let from = d.select(second, before, here);
            let from = d.at(from);
            d.each(&zero, &n, &mut |d, i| {
                let x = d.get_complex(v, &[i, &from]);
                let turned = d.neg(x.im);
                let im = d.select(second, turned, x.im);
                let im = d.select(none, nothing, im);
                d.set(&v[0], &[i, k], x.re);
                d.set(&v[1], &[i, k], im);
            });
            // Vectors of equal eigenvalues need not have been real.
            directed(d, v, k, &n);
        }
    });
}

/// Gives a column the length 1, and makes its largest element real and positive.
fn directed(d: &mut Desk, v: &Parts<Matrix>, k: &Affine, n: &Affine) {
    let zero = place(0);
    let (nothing, one, here) = (d.number(0.0), d.number(1.0), d.integer(0));
    let minus = d.number(-1.0);
    let start = [nothing, minus, here];
    let found = d.fold(&zero, n, &start, &mut |d, i, found| {
        let x = d.get_complex(v, &[i, k]);
        let (a, b) = (d.mul(x.re, x.re), d.mul(x.im, x.im));
        let square = d.add(a, b);
        let sum = d.add(found[0], square);
        let (more, row) = (d.lt(found[1], square), d.index(i));
        let most = d.select(more, square, found[1]);
        Carries::from_slice(&[sum, most, d.select(more, row, found[2])])
    });
    let length = d.sqrt(found[0]);
    let largest = d.at(found[2]);
    let top = d.get_complex(v, &[&largest, k]);
    let size = d.abs_complex(top);
    let none = d.eq(size, nothing);
    let by = d.mul(size, length);
    let by = d.select(none, one, by);
    let by = d.div(one, by);
    let back = d.conj(top);
    let turn = d.scale_complex(back, by);
    d.each(&zero, n, &mut |d, i| {
        let x = d.get_complex(v, &[i, k]);
        let x = d.mul_complex(x, turn);
        d.set_complex(v, &[i, k], x);
    });
    let x = d.get(&v[0], &[&largest, k]);
    d.set(&v[0], &[&largest, k], x);
    d.set(&v[1], &[&largest, k], nothing);
}

/// Sorts by the real part and then by the imaginary part.
fn sort(d: &mut Desk, values: &Parts<Matrix>, vectors: Option<&Parts<Matrix>>) {
    let n = place(values[0].dims[0]);
    d.each(&place(0), &n, &mut |d, k| {
        let (first, here) = (d.get_complex(values, &[k]), d.index(k));
        let start = [first.re, first.im, here];
        let found = d.fold(&d.after(k), &n, &start, &mut |d, i, best| {
            let (x, row) = (d.get_complex(values, &[i]), d.index(i));
            let less = d.lt(x.re, best[0]);
            let (same, lower) = (d.eq(x.re, best[0]), d.lt(x.im, best[1]));
            let tied = d.and(same, lower);
            let before = d.op(ScalarOp::Or, &[less, tied]);
            Carries::from_slice(&[
                d.select(before, x.re, best[0]),
                d.select(before, x.im, best[1]),
                d.select(before, row, best[2]),
            ])
        });
        for part in values {
            d.swap_elements(part, k, found[2], &n);
        }
        for part in vectors.into_iter().flatten() {
            d.swap_rows(&part.t(), k, found[2], &n, &n);
        }
    });
}
