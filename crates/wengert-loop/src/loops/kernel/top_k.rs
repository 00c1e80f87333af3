//! The largest elements of rows.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{Elements, Kernel, Region, Regions, Site, loops, same_value, sizes};
use crate::arithmetic::Arithmetic;
use crate::buffer::Slice;
use crate::error::Error;
use crate::types::DType;
use crate::with_variants;

/// The `k` largest keys of each row and their positions in it, from the largest to the smallest:
/// the first `k` in [descending order](crate::sort). Its regions are the keys, the largest keys,
/// and the positions as `i64`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopK {
    /// The type of the keys.
    pub dtype: DType,
    /// The number of rows.
    pub rows: usize,
    /// The number of keys in a row.
    pub n: usize,
    /// The number of keys to select, at most `n`.
    pub k: usize,
}

/// A key and its position. The greatest candidate is the one that comes last in descending order.
struct Candidate<T>(T, i64);

impl<T: Arithmetic> Ord for Candidate<T> {
    fn cmp(&self, other: &Candidate<T>) -> Ordering {
        match (self.0.is_below(other.0), other.0.is_below(self.0)) {
            (true, _) => Ordering::Greater,
            (_, true) => Ordering::Less,
            _ => self.1.cmp(&other.1),
        }
    }
}

impl<T: Arithmetic> PartialOrd for Candidate<T> {
    fn partial_cmp(&self, other: &Candidate<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Arithmetic> PartialEq for Candidate<T> {
    fn eq(&self, other: &Candidate<T>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Arithmetic> Eq for Candidate<T> {}

/// Selects the largest of `keys` and their positions. The length of `values` says how many, at most
/// all.
///
/// A heap holds the best keys so far, with the worst of them on top: most keys are compared with it
/// and dropped.
pub fn largest<T: Arithmetic>(keys: &[T], values: &mut [T], places: &mut [i64]) {
    let k = values.len();
    let Some((first, rest)) = keys.split_at_checked(k).filter(|_| k > 0) else {
        return;
    };
    let candidates = first.iter().zip(0..).map(|(&key, i)| Candidate(key, i));
    let mut best: BinaryHeap<Candidate<T>> = candidates.collect();
    let mut worst = best.peek().expect("there are some").0;
    for (&key, i) in rest.iter().zip(k as i64..) {
        if worst.is_below(key) {
            *best.peek_mut().expect("there are some") = Candidate(key, i);
            worst = best.peek().expect("there are some").0;
        }
    }
    let sorted = best.into_sorted_vec().into_iter();
    for (to, Candidate(key, i)) in values.iter_mut().zip(places).zip(sorted) {
        (*to.0, *to.1) = (key, i);
    }
}

impl TopK {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["top_k", k, "of", size] = words else {
            return None;
        };
        let ([rows, n], k) = (sizes(size)?, k.parse().ok()?);
        (k <= n).then(|| {
            let dtype = regions.first().copied().unwrap_or(DType::F64);
            Arc::new(TopK { dtype, rows, n, k }) as Arc<dyn Kernel>
        })
    }

    fn run<T: Arithmetic>(&self, keys: &[T], values: &mut [T], places: &mut [i64]) {
        if self.k == 0 {
            return;
        }
        let rows = keys.chunks(self.n).zip(values.chunks_mut(self.k));
        for ((keys, values), places) in rows.zip(places.chunks_mut(self.k)) {
            largest(keys, values, places);
        }
    }
}

impl Kernel for TopK {
    fn text(&self) -> String {
        format!("top_k {} of {}x{}", self.k, self.rows, self.n)
    }

    fn description(&self) -> String {
        format!(
            "the {} largest of each of {} rows of {} keys",
            self.k, self.rows, self.n
        )
    }

    fn regions(&self) -> Regions {
        let (all, wanted) = (
            self.rows.saturating_mul(self.n),
            self.rows.saturating_mul(self.k),
        );
        Regions::from_buf([
            Region::read(self.dtype, all),
            Region::write(self.dtype, wanted),
            Region::write(DType::I64, wanted),
        ])
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn nanoseconds(&self) -> f64 {
        let (rows, k) = (self.rows as f64, self.k as f64);
        50.0 + rows * (self.n as f64 + 10.0 * k * k.max(2.0).log2())
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [keys, values, places] = regions else {
            panic!("keys, the largest, and their places");
        };
        let (keys, places) = (keys.read(), places.write().typed());
        let mut values = values.write();
        with_variants!(SliceMut, &mut values, values => self.run(typed_as(keys, values), values, places));
        Ok(())
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::top_k(site, self);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}

/// The elements of a slice, given that they have type `T`.
fn typed_as<'a, T: Arithmetic>(slice: Slice<'a>, _: &[T]) -> &'a [T] {
    slice.typed()
}
