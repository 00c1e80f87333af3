//! Index arithmetic: sums that fold, and the indices of memory accesses made from them.

use super::Builder;
use crate::loops::affine::Affine;
use crate::loops::{BufferId, BufferKind, Index, ScalarOp, Value};

impl Builder {
    /// An `i64` as an index expression.
    pub fn affine(&self, value: Value) -> Affine {
        if let Some(bits) = self.known(value) {
            Affine::constant(bits as i64)
        } else if self.vector_index() == Some(value) {
            Affine {
                lane: 1,
                ..Affine::default()
            }
        } else if self.lanes(value) {
            Affine {
                each: Some(value),
                ..Affine::default()
            }
        } else {
            Affine::uniform(value)
        }
    }

    /// `a + k * b`.
    pub fn add_scaled(&mut self, a: &Affine, b: &Affine, k: i64) -> Affine {
        let mut sum = a.clone();
        sum.add_scaled(b, k);
        if let Some(each) = b.each.filter(|_| k != 0) {
            let factor = self.i64(k);
            let each = self.mul(each, factor);
            sum.each = Some(match sum.each {
                Some(rest) => self.add(rest, each),
                None => each,
            });
        }
        sum
    }

    /// `k * a`.
    pub fn scale(&mut self, a: &Affine, k: i64) -> Affine {
        self.add_scaled(&Affine::default(), a, k)
    }

    /// The index expression as a value.
    pub fn materialize(&mut self, a: &Affine) -> Value {
        let mut sum = self.base(a).unwrap_or_else(|| self.i64(0));
        if a.lane != 0 {
            let index = self
                .vector_index()
                .expect("a lane's index outside a vector loop");
            let stride = self.i64(a.lane);
            let lane = self.mul(index, stride);
            sum = self.add(lane, sum);
        }
        if let Some(each) = a.each {
            sum = self.add(each, sum);
        }
        let offset = self.i64(a.offset);
        self.add(sum, offset)
    }

    /// Sums the terms from the outside in, so that a part that an inner loop does not change stays
    /// outside it.
    fn base(&mut self, a: &Affine) -> Option<Value> {
        let mut terms = a.terms.clone();
        terms.sort_by_key(|t| self.depth[t.0.0 as usize]);
        terms.into_iter().fold(None, |sum, (value, coefficient)| {
            let factor = self.i64(coefficient);
            let term = self.mul(value, factor);
            Some(match sum {
                Some(sum) => self.add(sum, term),
                None => term,
            })
        })
    }

    /// The quotient by a positive number of an expression that is never negative.
    pub fn div(&mut self, a: &Affine, k: i64) -> Affine {
        if k == 1 {
            return a.clone();
        }
        if let Some(n) = a.as_constant() {
            return Affine::constant(n / k);
        }
        if self.divides(a, k) {
            let mut q = a.clone();
            q.offset /= k;
            q.lane /= k;
            q.terms.iter_mut().for_each(|t| t.1 /= k);
            return q;
        }
        let (x, k) = (self.materialize(a), self.i64(k));
        let q = self.op(ScalarOp::Div, &[x, k]);
        self.affine(q)
    }

    /// The remainder by a positive number of an expression that is never negative.
    pub fn rem(&mut self, a: &Affine, k: i64) -> Affine {
        if let Some(n) = a.as_constant() {
            return Affine::constant(n % k);
        }
        if self.divides(a, k) {
            return Affine::constant(0);
        }
        let (x, k) = (self.materialize(a), self.i64(k));
        let r = self.op(ScalarOp::Rem, &[x, k]);
        self.affine(r)
    }

    /// Quotient and remainder by a power of two of an expression that is never negative.
    pub fn div_rem(&mut self, a: &Affine, k: i64) -> (Affine, Affine) {
        debug_assert!(k > 0 && k & (k - 1) == 0);
        if self.divides(a, k) {
            return (self.div(a, k), Affine::default());
        }
        if let Some(n) = a.as_constant() {
            return (Affine::constant(n / k), Affine::constant(n % k));
        }
        let x = self.materialize(a);
        let (bits, mask) = (self.i64(k.trailing_zeros().into()), self.i64(k - 1));
        let quotient = self.op(ScalarOp::ShrLogical, &[x, bits]);
        let rest = self.op(ScalarOp::And, &[x, mask]);
        (self.affine(quotient), self.affine(rest))
    }

    fn divides(&self, a: &Affine, k: i64) -> bool {
        a.each.is_none()
            && a.offset % k == 0
            && a.lane % k == 0
            && a.terms.iter().all(|t| t.1 % k == 0)
    }

    /// The index expression in the form that memory accesses take.
    pub fn index(&mut self, a: &Affine) -> Index {
        Index {
            offset: a.offset,
            base: self.base(a),
            stride: a.lane,
            each: a.each,
        }
    }

    /// The index expression as an index without a stride, as [`BufferKind::Local`] memory, lists
    /// and copies require.
    pub(super) fn unstrided(&mut self, a: &Affine) -> Index {
        if a.lane == 0 {
            return self.index(a);
        }
        let each = self.materialize(a);
        Index {
            each: Some(each),
            ..Index::default()
        }
    }

    pub(super) fn index_into(&mut self, buffer: BufferId, a: &Affine) -> Index {
        match self.buffer_of(buffer).kind {
            BufferKind::Local => self.unstrided(a),
            _ => self.index(a),
        }
    }
}
