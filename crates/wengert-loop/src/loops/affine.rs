//! Index expressions that stay sums for as long as possible.

use smallvec::SmallVec;

use super::Value;

/// `offset + Σ coefficient · uniform value + lane · i + each`, where `i` is the index of the
/// enclosing vector loop and `each` an `i64` that differs by lane.
///
/// Slices, transposes, reverses and broadcasts of an array change only coefficients, so that a
/// vector access stays recognisable however many layout operations lie before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Affine {
    /// The constant part.
    pub offset: i64,
    /// Uniform values with their coefficients: in order, none twice, none with 0.
    pub terms: SmallVec<[(Value, i64); 4]>,
    /// The coefficient of the vector loop's index.
    pub lane: i64,
    /// The irregular part, which differs by lane in no regular way.
    pub each: Option<Value>,
}

impl Affine {
    /// A number.
    pub fn constant(offset: i64) -> Affine {
        Affine {
            offset,
            ..Affine::default()
        }
    }

    /// A uniform value.
    pub fn uniform(value: Value) -> Affine {
        Affine {
            terms: SmallVec::from_slice(&[(value, 1)]),
            ..Affine::default()
        }
    }

    /// The value, if it is a known number.
    pub fn as_constant(&self) -> Option<i64> {
        (self.is_uniform() && self.terms.is_empty()).then_some(self.offset)
    }

    /// Whether all lanes agree.
    pub fn is_uniform(&self) -> bool {
        self.lane == 0 && self.each.is_none()
    }

    /// The coefficient of a uniform value.
    pub fn coefficient(&self, value: Value) -> i64 {
        let place = self.terms.binary_search_by_key(&value, |t| t.0);
        place.map_or(0, |i| self.terms[i].1)
    }

    /// Whether it differs from another expression, for the same values, by a known number that is not 0.
    pub fn is_apart_from(&self, other: &Affine) -> bool {
        self.offset != other.offset
            && (&self.terms, self.lane, self.each) == (&other.terms, other.lane, other.each)
    }

    /// Adds a number.
    pub fn plus(mut self, n: i64) -> Affine {
        self.offset = self.offset.wrapping_add(n);
        self
    }

    /// Adds `k` times the regular part of another (all but `each`).
    pub fn add_scaled(&mut self, other: &Affine, k: i64) {
        self.offset = self.offset.wrapping_add(other.offset.wrapping_mul(k));
        self.lane = self.lane.wrapping_add(other.lane.wrapping_mul(k));
        for &(value, c) in &other.terms {
            let c = c.wrapping_mul(k);
            match self.terms.binary_search_by_key(&value, |t| t.0) {
                Ok(i) => self.terms[i].1 = self.terms[i].1.wrapping_add(c),
                Err(i) => self.terms.insert(i, (value, c)),
            }
        }
        self.terms.retain(|t| t.1 != 0);
    }
}
