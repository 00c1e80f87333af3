//! Sorting.

use std::sync::Arc;

use super::{Elements, Kernel, Region, Regions, Site, loops, same_value, sizes};
use crate::arithmetic::Arithmetic;
use crate::error::Error;
use crate::sort::{sort_keys, sort_with_places};
use crate::types::DType;
use crate::with_variants;

/// Sorts each row of contiguous `(keys)` or `(keys, places)`, in place, in the order of
/// [`crate::sort`]. `places`, of type `i64`, gets the old position of each key in its row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    /// The type of the keys.
    pub dtype: DType,
    /// The number of rows.
    pub rows: usize,
    /// The number of keys in a row.
    pub n: usize,
    /// Whether the order is descending.
    pub descending: bool,
    /// Whether places are wanted.
    pub places: bool,
}

impl Sort {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["sort", size, direction @ ..] = words else {
            return None;
        };
        let [rows, n] = sizes(size)?;
        if !matches!(direction, [] | ["descending"]) {
            return None;
        }
        Some(Arc::new(Sort {
            dtype: *regions.first()?,
            rows,
            n,
            descending: !direction.is_empty(),
            places: regions.len() > 1,
        }))
    }

    fn sort<T: Arithmetic>(&self, keys: &mut [T], places: Option<&mut [i64]>) {
        if self.n == 0 {
            return;
        }
        let keys = keys.chunks_mut(self.n);
        match places {
            None => keys.for_each(|row| sort_keys(row, self.descending)),
            Some(places) => (keys.zip(places.chunks_mut(self.n)))
                .for_each(|(row, places)| sort_with_places(row, places, self.descending)),
        }
    }
}

impl Kernel for Sort {
    fn text(&self) -> String {
        let down = if self.descending { " descending" } else { "" };
        format!("sort {}x{}{down}", self.rows, self.n)
    }

    fn description(&self) -> String {
        format!("a library's sort of {} rows of {} keys", self.rows, self.n)
    }

    fn regions(&self) -> Regions {
        let len = self.rows.saturating_mul(self.n);
        let mut regions = Regions::new();
        regions.push(Region::change(self.dtype, len));
        regions.extend(self.places.then_some(Region::write(DType::I64, len)));
        regions
    }

    fn nanoseconds(&self) -> f64 {
        let n = self.n as f64;
        50.0 + self.rows as f64 * n * (2.0 + 2.0 * n.max(2.0).log2())
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let (keys, places) = regions.split_first_mut().expect("keys to sort");
        let places = places.first_mut().map(|p| p.write().typed());
        with_variants!(SliceMut, keys.write(), v => self.sort(v, places));
        Ok(())
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::sort(site, self);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
