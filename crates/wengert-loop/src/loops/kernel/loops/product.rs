//! Products of matrices.

use super::{Part, Site};
use crate::loops::affine::Affine;
use crate::loops::kernel::Gemm;
use crate::loops::{FoldOp, LANES, LoopKind, ScalarOp, Value};
use crate::order::{self, CHUNK, PARTIALS, SHORT};
use crate::types::DType;

/// Writes a product whose sums have the order of [`Gemm`].
pub(in crate::loops::kernel) fn product(s: &mut Site<'_>, g: &Gemm) {
    let regions = [s.region(0), s.region(1), s.region(2)];
    let long = order::is_long(g.m, g.n, g.k);
    // Of a long sum the terms are side by side, else its neighbours.
    let chunks = match long && g.k > CHUNK {
        true => Some(s.scratch(g.dtype, g.k.div_ceil(CHUNK))),
        false => None,
    };
    let one = |s: &mut Site<'_>, i: &Affine, j: &Affine| {
        let [c, a, b] = regions.clone();
        let part = |s: &mut Site<'_>, of: Part, at: &Affine, by: usize, step: usize| {
            let at = s.b.scale(at, by as i64);
            let part = of.from(s, &at);
            let step = step as i64;
            Part { step, ..part }
        };
        let line = Line {
            dtype: g.dtype,
            a: part(s, a, i, g.a.0, g.a.1),
            b: part(s, b, j, g.b.1, g.b.0),
        };
        let sum = match (g.k, long) {
            (0, _) => s.float(g.dtype, 0.0),
            (_, false) => line.in_order(s, &Affine::default(), g.k),
            (_, true) => line.long(s, g.k, chunks.as_ref()),
        };
        let row = part(s, c, i, g.c.0, g.c.1);
        s.set(&row, j, sum);
    };
    match long {
        true => s.each(g.m, |s, i| s.each(g.n, |s, j| one(s, i, j))),
        false => s.each(g.m, |s, i| s.beside(g.n, |s, j| one(s, i, j))),
    }
}

/// The factors of the terms of one sum.
struct Line {
    dtype: DType,
    a: Part,
    b: Part,
}

impl Line {
    fn term(&self, s: &mut Site<'_>, k: &Affine) -> Value {
        let (a, b) = (s.get(&self.a, k), s.get(&self.b, k));
        s.b.mul(a, b)
    }

    /// What a sum begins with: nothing is changed by adding to it.
    fn nothing(&self, s: &mut Site<'_>) -> Value {
        s.float(self.dtype, -0.0)
    }

    fn in_order(&self, s: &mut Site<'_>, from: &Affine, n: usize) -> Value {
        let (init, n) = (self.nothing(s), s.b.i64(n as i64));
        let sums = s.steps(LoopKind::SERIAL, n, &[init], |s, k, sum| {
            let k = s.sum(from, k, 1);
            let term = self.term(s, &k);
            vec![s.b.add(sum[0], term)]
        });
        sums[0]
    }

    /// The sum of a chunk: of a few terms in order, of more in interleaved sums.
    fn chunk(&self, s: &mut Site<'_>, from: &Affine, n: usize) -> Value {
        if n < SHORT {
            return self.in_order(s, from, n);
        }
        let init = self.nothing(s);
        if s.b.vector_index().is_none() {
            let n = s.b.i64(n as i64);
            let sums = s.steps(LoopKind::Vector, n, &[init], |s, k, sum| {
                let k = s.sum(from, k, 1);
                let term = self.term(s, &k);
                vec![s.b.add(sum[0], term)]
            });
            return s.b.op(ScalarOp::Fold(FoldOp::Add), &sums);
        }
        let add = |s: &mut Site<'_>, at: &Affine, sums: &[Value]| -> Vec<Value> {
            let each = sums.iter().enumerate();
            each.map(|(p, &sum)| {
                let term = self.term(s, &at.clone().plus(p as i64));
                s.b.add(sum, term)
            })
            .collect()
        };
        let blocks = s.b.i64((n / PARTIALS) as i64);
        let mut sums = s.steps(LoopKind::SERIAL, blocks, &[init; PARTIALS], |s, k, sums| {
            let at = s.sum(from, k, PARTIALS as i64);
            add(s, &at, sums)
        });
        let rest = n % PARTIALS;
        let last = add(s, &from.clone().plus((n - rest) as i64), &sums[..rest]);
        sums[..rest].copy_from_slice(&last);
        let sums: [Value; PARTIALS] = sums.try_into().expect("as many as there were");
        order::join(sums, &mut |a, b| s.b.add(a, b))
    }

    /// The sum of many terms: chunks, joined pairwise.
    fn long(&self, s: &mut Site<'_>, n: usize, chunks: Option<&Part>) -> Value {
        let Some(chunks) = chunks else {
            return self.chunk(s, &Affine::default(), n);
        };
        let (whole, rest) = (n / CHUNK, n % CHUNK);
        s.each(whole, |s, c| {
            let from = s.b.scale(c, CHUNK as i64);
            let sum = self.chunk(s, &from, CHUNK);
            s.set(chunks, c, sum);
        });
        if rest > 0 {
            let from = Affine::constant((n - rest) as i64);
            let sum = self.chunk(s, &from, rest);
            s.set(chunks, &Affine::constant(whole as i64), sum);
        }
        let mut count = n.div_ceil(CHUNK);
        while count > 1 {
            s.each(count / 2, |s, i| {
                let at = s.b.scale(i, 2);
                let (a, b) = (s.get(chunks, &at), s.get(chunks, &at.clone().plus(1)));
                let sum = s.b.add(a, b);
                s.set(chunks, i, sum);
            });
            if count % 2 == 1 {
                let last = s.get(chunks, &Affine::constant(count as i64 - 1));
                s.set(chunks, &Affine::constant(count as i64 / 2), last);
            }
            count = count.div_ceil(2);
        }
        s.get(chunks, &Affine::default())
    }
}

// Interleaved sums are the lanes of a block.
const _: () = assert!(PARTIALS == LANES);
