//! Discrete Fourier transforms of every length.
//!
//! A length whose primes are at most 13 is transformed by passes of radix 4, 2 and those primes, each from one memory
//! to another in the order of Stockham (Van Loan, *Computational Frameworks for the Fast Fourier Transform*, 1992,
//! section 1.7). Others are convolutions with a chirp (Bluestein, "A linear filtering approach to the computation of
//! discrete Fourier transform", 1970), whose length is a power of two. A transform of an even number of real numbers
//! is one of half as many complex ones.

use super::roots::{Roots, minus, plus, times, turn};
use super::{Part, Site};
use crate::fourier::Kind;
use crate::loops::affine::Affine;
use crate::loops::kernel::Fft;
use crate::loops::{LANES, ScalarOp, Value};
use crate::types::DType;

/// The largest prime for which there is a pass.
const PRIME: usize = 13;

/// Complex numbers in memory. A part that is missing is zero, and nobody reads it.
#[derive(Clone)]
struct Numbers {
    re: Option<Part>,
    im: Option<Part>,
}

impl Numbers {
    fn swapped(&self) -> Numbers {
        Numbers {
            re: self.im.clone(),
            im: self.re.clone(),
        }
    }

    fn room(s: &mut Site<'_>, dtype: DType, n: usize) -> Numbers {
        Numbers {
            re: Some(s.scratch(dtype, n)),
            im: Some(s.scratch(dtype, n)),
        }
    }

    fn get(&self, s: &mut Site<'_>, dtype: DType, at: &Affine) -> (Value, Value) {
        let mut one = |part: &Option<Part>| match part {
            Some(part) => s.get(part, at),
            None => s.float(dtype, 0.0),
        };
        (one(&self.re), one(&self.im))
    }

    fn set(&self, s: &mut Site<'_>, at: &Affine, x: (Value, Value)) {
        if let Some(re) = &self.re {
            s.set(re, at, x.0);
        }
        if let Some(im) = &self.im {
            s.set(im, at, x.1);
        }
    }
}

/// A forward transform of complex numbers, with the memory that it works in.
struct Dft {
    dtype: DType,
    n: usize,
    way: Way,
}

enum Way {
    Passes {
        radices: Vec<usize>,
        room: [Numbers; 2],
        roots: Roots,
    },
    Chirp {
        /// The numbers `exp(-pi i k^2 / n)`, in memory.
        chirp: Numbers,
        /// The transform of their conjugates.
        spectrum: Numbers,
        room: [Numbers; 2],
        inner: Box<Dft>,
    },
}

/// The radices of the passes for a length; `None` if a prime is too large.
fn radices(mut n: usize) -> Option<Vec<usize>> {
    let mut all = vec![];
    for r in [4, 2, 3, 5, 7, 11, PRIME] {
        while n.is_multiple_of(r) {
            all.push(r);
            n /= r;
        }
    }
    (n == 1).then_some(all)
}

impl Dft {
    /// Makes a transform of length `n`. There are roots of order `roots`, a multiple of `n`, if passes need some.
    fn new(s: &mut Site<'_>, dtype: DType, n: usize, roots: usize) -> Dft {
        let way = match radices(n) {
            Some(radices) => {
                let one = |s: &mut Site<'_>, wanted: bool| match wanted {
                    true => Numbers::room(s, dtype, n),
                    false => Numbers { re: None, im: None },
                };
                let room = [one(s, radices.len() > 1), one(s, radices.len() > 2)];
                let roots = Roots::new(s, dtype, roots);
                Way::Passes {
                    radices,
                    room,
                    roots,
                }
            }
            None => Dft::chirp(s, dtype, n),
        };
        Dft { dtype, n, way }
    }

    fn chirp(s: &mut Site<'_>, dtype: DType, n: usize) -> Way {
        let m = (2 * n - 1).next_power_of_two();
        let inner = Box::new(Dft::new(s, dtype, m, m));
        let room = [Numbers::room(s, dtype, m), Numbers::room(s, dtype, m)];
        let spectrum = Numbers::room(s, dtype, m);
        let chirp = Numbers::room(s, dtype, n);
        // The conjugate chirp on both sides of 0, and zeros between.
        let roots = Roots::new(s, dtype, 2 * n);
        let (gap, scale) = (m - 2 * n + 1, 1.0 / m as f64);
        s.beside(gap, |s, k| {
            let zero = s.float(dtype, 0.0);
            room[0].set(s, &k.clone().plus(n as i64), (zero, zero));
        });
        s.beside(n, |s, k| {
            // k^2 modulo 2n.
            let k_value = s.b.materialize(k);
            let square = s.b.mul(k_value, k_value);
            let square = s.b.affine(square);
            let square = s.b.rem(&square, 2 * n as i64);
            let w = roots.at(s, 2 * n, &square, 1);
            chirp.set(s, k, w);
            let scale = s.float(dtype, scale);
            let (re, im) = (s.b.mul(w.0, scale), s.b.mul(w.1, scale));
            let im = s.b.op(ScalarOp::Neg, &[im]);
            room[0].set(s, k, (re, im));
        });
        s.each(n - 1, |s, k| {
            let x = room[0].get(s, dtype, &k.clone().plus(1));
            let at = s.sum(&Affine::constant(m as i64 - 1), k, -1);
            room[0].set(s, &at, x);
        });
        inner.write(s, &room[0], &spectrum);
        Way::Chirp {
            chirp,
            spectrum,
            room,
            inner,
        }
    }

    /// Writes the transform of some numbers.
    fn write(&self, s: &mut Site<'_>, from: &Numbers, to: &Numbers) {
        match &self.way {
            Way::Passes {
                radices,
                room,
                roots,
            } => self.passes(s, from, to, radices, room, roots),
            Way::Chirp {
                chirp,
                spectrum,
                room: [a, b],
                inner,
            } => {
                let (n, m, dtype) = (self.n, inner.n, self.dtype);
                s.beside(n, |s, k| {
                    let (x, w) = (from.get(s, dtype, k), chirp.get(s, dtype, k));
                    let x = times(s, x, w);
                    a.set(s, k, x);
                });
                s.beside(m - n, |s, k| {
                    let zero = s.float(dtype, 0.0);
                    a.set(s, &k.clone().plus(n as i64), (zero, zero));
                });
                inner.write(s, a, b);
                s.beside(m, |s, k| {
                    let (x, w) = (b.get(s, dtype, k), spectrum.get(s, dtype, k));
                    let x = times(s, x, w);
                    a.set(s, k, x);
                });
                // Backward, with real and imaginary parts exchanged.
                inner.write(s, &a.swapped(), &b.swapped());
                s.beside(n, |s, k| {
                    let (x, w) = (b.get(s, dtype, k), chirp.get(s, dtype, k));
                    let x = times(s, x, w);
                    to.set(s, k, x);
                });
            }
        }
    }

    fn passes(
        &self,
        s: &mut Site<'_>,
        from: &Numbers,
        to: &Numbers,
        radices: &[usize],
        room: &[Numbers; 2],
        roots: &Roots,
    ) {
        let dtype = self.dtype;
        if radices.is_empty() {
            let zero = Affine::default();
            let x = from.get(s, dtype, &zero);
            to.set(s, &zero, x);
        }
        let (mut length, mut stride) = (self.n, 1);
        for (i, &r) in radices.iter().enumerate() {
            let m = length / r;
            let from = if i == 0 { from } else { &room[(i - 1) % 2] };
            let last = i + 1 == radices.len();
            let to = if last { to } else { &room[i % 2] };
            let twiddles = |s: &mut Site<'_>, p: &Affine| -> Vec<(Value, Value)> {
                let each = if m == 1 { 0..0 } else { 1..r };
                each.map(|k| roots.at(s, self.n, p, k * stride)).collect()
            };
            let group = |s: &mut Site<'_>, p: &Affine, q: &Affine, w: &[(Value, Value)]| {
                let mut x = vec![];
                let start = s.sum(q, p, stride as i64);
                for j in 0..r {
                    let at = start.clone().plus((stride * m * j) as i64);
                    x.push(from.get(s, dtype, &at));
                }
                let y = butterfly(s, dtype, &x);
                let start = s.sum(q, p, (stride * r) as i64);
                for (k, mut y) in y.into_iter().enumerate() {
                    if k > 0 && m > 1 {
                        y = times(s, y, w[k - 1]);
                    }
                    to.set(s, &start.clone().plus((stride * k) as i64), y);
                }
            };
            match stride < LANES {
                true => s.each(stride, |s, q| {
                    s.beside(m, |s, p| {
                        let w = twiddles(s, p);
                        group(s, p, q, &w);
                    });
                }),
                false => s.each(m, |s, p| {
                    let w = twiddles(s, p);
                    s.beside(stride, |s, q| group(s, p, q, &w));
                }),
            }
            (length, stride) = (m, stride * r);
        }
    }
}

/// Returns `-i x`.
fn turned(s: &mut Site<'_>, x: (Value, Value)) -> (Value, Value) {
    (x.1, s.b.op(ScalarOp::Neg, &[x.0]))
}

/// The transform of a few numbers.
fn butterfly(s: &mut Site<'_>, dtype: DType, x: &[(Value, Value)]) -> Vec<(Value, Value)> {
    match *x {
        [a, b] => vec![plus(s, a, b), minus(s, a, b)],
        [a, b, c, d] => {
            let (ac, ca) = (plus(s, a, c), minus(s, a, c));
            let (bd, db) = (plus(s, b, d), minus(s, b, d));
            let db = turned(s, db);
            vec![
                plus(s, ac, bd),
                plus(s, ca, db),
                minus(s, ac, bd),
                minus(s, ca, db),
            ]
        }
        _ => {
            // Of an odd number: sums and differences of the numbers at equal distances from both ends.
            let r = x.len();
            let half = r / 2;
            let sums: Vec<_> = (1..=half).map(|j| plus(s, x[j], x[r - j])).collect();
            let differences: Vec<_> = (1..=half).map(|j| minus(s, x[j], x[r - j])).collect();
            let mut y = vec![x[0]; r];
            y[0] = sums.iter().fold(x[0], |y, &a| plus(s, y, a));
            for k in 1..=half {
                let (mut even, mut odd) = (x[0], None);
                for j in 1..=half {
                    let (c, sine) = turn((j * k) as u64, r as u64);
                    let (c, sine) = (s.float(dtype, c), s.float(dtype, sine));
                    let scaled = |s: &mut Site<'_>, x: (Value, Value), by: Value| {
                        (s.b.mul(x.0, by), s.b.mul(x.1, by))
                    };
                    let term = scaled(s, sums[j - 1], c);
                    even = plus(s, even, term);
                    let term = scaled(s, differences[j - 1], sine);
                    odd = Some(match odd {
                        Some(odd) => plus(s, odd, term),
                        None => term,
                    });
                }
                let odd = turned(s, odd.expect("an odd number has a half"));
                y[k] = plus(s, even, odd);
                y[r - k] = minus(s, even, odd);
            }
            y
        }
    }
}

/// Writes the transform of each row.
pub(in crate::loops::kernel) fn fourier(s: &mut Site<'_>, k: &Fft) {
    let (n, dtype) = (k.n, k.dtype);
    let (parts, read) = k.kind.read(n);
    let (_, written) = k.kind.written(n);
    if n == 0 {
        return;
    }
    let is_half = matches!(k.kind, Kind::ToHalf | Kind::FromHalf) && n % 2 == 0;
    let dft = match is_half {
        true => Dft::new(s, dtype, n / 2, n),
        false => Dft::new(s, dtype, n, n),
    };
    let room = match k.kind {
        Kind::Forward | Kind::Backward => None,
        _ => Some(Numbers::room(s, dtype, n.div_ceil(2).max(1) * 2)),
    };
    // The roots of a transform of half the length, for the step between halves.
    let roots = match (&dft.way, is_half) {
        (Way::Chirp { .. }, true) => Some(Roots::new(s, dtype, n)),
        _ => None,
    };
    let roots = match &dft.way {
        Way::Passes { roots, .. } => Some(roots),
        Way::Chirp { .. } => roots.as_ref(),
    };
    s.each(k.rows, |s, row| {
        let part = |s: &mut Site<'_>, i: usize, len: usize| {
            let at = s.b.scale(row, len as i64);
            let region = s.region(i);
            region.from(s, &at)
        };
        let re = part(s, 0, read);
        let im = (parts == 2).then(|| part(s, 1, read));
        let from = Numbers { re: Some(re), im };
        let to_re = part(s, parts, written);
        let to_im = (k.kind != Kind::FromHalf).then(|| part(s, parts + 1, written));
        let to = Numbers {
            re: Some(to_re),
            im: to_im,
        };
        match (k.kind, &room) {
            (Kind::Forward, _) => dft.write(s, &from, &to),
            (Kind::Backward, _) => dft.write(s, &from.swapped(), &to.swapped()),
            (Kind::ToHalf, Some(room)) if is_half => {
                let x = from.re.as_ref().expect("real numbers");
                let pairs = Numbers {
                    re: Some(x.each_second(0)),
                    im: Some(x.each_second(1)),
                };
                dft.write(s, &pairs, room);
                to_half(s, dtype, n, room, &to, roots.expect("they were made"));
            }
            (Kind::ToHalf, Some(room)) => {
                dft.write(s, &from, room);
                s.beside(n / 2 + 1, |s, k| {
                    let x = room.get(s, dtype, k);
                    to.set(s, k, x);
                });
            }
            (Kind::FromHalf, Some(room)) if is_half => {
                from_half(s, dtype, n, &from, room, roots.expect("they were made"));
                let x = to.re.as_ref().expect("real numbers");
                let pairs = Numbers {
                    re: Some(x.each_second(0)),
                    im: Some(x.each_second(1)),
                };
                dft.write(s, &room.swapped(), &pairs.swapped());
            }
            (_, room) => {
                let room = room.as_ref().expect("it is of this kind");
                let zero = Affine::default();
                let (first, nothing) = (from.get(s, dtype, &zero).0, s.float(dtype, 0.0));
                room.set(s, &zero, (first, nothing));
                s.beside(n / 2, |s, k| {
                    let k = k.clone().plus(1);
                    let (re, im) = from.get(s, dtype, &k);
                    room.set(s, &k, (re, im));
                    let im = s.b.op(ScalarOp::Neg, &[im]);
                    let at = s.sum(&Affine::constant(n as i64), &k, -1);
                    room.set(s, &at, (re, im));
                });
                dft.write(s, &room.swapped(), &to.swapped());
            }
        }
    });
}

/// From the transform of pairs of neighbours to the first half of that of all numbers: with `z` its number `k`, and `w`
/// the conjugate of number `n/2 - k`, `(z + w) / 2 - i r (z - w) / 2`, where `r` is root number `k`.
fn to_half(s: &mut Site<'_>, dtype: DType, n: usize, z: &Numbers, to: &Numbers, roots: &Roots) {
    let m = n / 2;
    let write = |s: &mut Site<'_>, k: &Affine, z: (Value, Value), w: (Value, Value)| {
        let half = s.float(dtype, 0.5);
        let w = (w.0, s.b.op(ScalarOp::Neg, &[w.1]));
        let (sum, difference) = (plus(s, z, w), minus(s, z, w));
        let root = roots.at(s, n, k, 1);
        let odd = times(s, difference, root);
        let odd = turned(s, odd);
        let x = plus(s, sum, odd);
        let x = (s.b.mul(x.0, half), s.b.mul(x.1, half));
        to.set(s, k, x);
    };
    let zero = Affine::default();
    // Numbers 0 and n/2 are real: the sum and the difference of the parts of the first.
    let (re, im) = z.get(s, dtype, &zero);
    let (sum, difference, nothing) = (s.b.add(re, im), s.b.sub(re, im), s.float(dtype, 0.0));
    to.set(s, &zero, (sum, nothing));
    to.set(s, &Affine::constant(m as i64), (difference, nothing));
    s.beside(m - 1, |s, k| {
        let k = k.clone().plus(1);
        let other = s.sum(&Affine::constant(m as i64), &k, -1);
        let (z, w) = (z.get(s, dtype, &k), z.get(s, dtype, &other));
        write(s, &k, z, w);
    });
}

/// The other way: `(x + w) + i r (x - w)`, where `r` is the conjugate of root number `k`.
fn from_half(s: &mut Site<'_>, dtype: DType, n: usize, x: &Numbers, to: &Numbers, roots: &Roots) {
    let m = n / 2;
    let zero = Affine::default();
    let (first, last) = (
        x.get(s, dtype, &zero).0,
        x.get(s, dtype, &Affine::constant(m as i64)).0,
    );
    let both = (s.b.add(first, last), s.b.sub(first, last));
    to.set(s, &zero, both);
    s.beside(m - 1, |s, k| {
        let k = k.clone().plus(1);
        let other = s.sum(&Affine::constant(m as i64), &k, -1);
        let (x, w) = (x.get(s, dtype, &k), x.get(s, dtype, &other));
        let w = (w.0, s.b.op(ScalarOp::Neg, &[w.1]));
        let (sum, difference) = (plus(s, x, w), minus(s, x, w));
        let root = roots.at(s, n, &k, 1);
        let root = (root.0, s.b.op(ScalarOp::Neg, &[root.1]));
        let odd = times(s, difference, root);
        let odd = turned(s, odd);
        let z = minus(s, sum, odd);
        to.set(s, &k, z);
    });
}
