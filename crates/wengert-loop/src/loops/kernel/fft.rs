//! Discrete Fourier transforms.

use std::sync::{Arc, OnceLock};

use super::{Elements, Kernel, Region, Regions, Site, loops, same_value, sizes};
use crate::buffer::{Element, SliceMut};
use crate::error::Error;
use crate::fourier::{Kind, Number, Plan};
use crate::types::DType;

/// Transforms each row of contiguous parts: [`fourier`](crate::fourier). Its regions are the real and imaginary parts that are
/// read, then those that are written; real numbers have no imaginary part. Its [loops](Kernel::write_loops) round otherwise
/// than the library, with errors of the same size.
#[derive(Clone, Debug)]
pub struct Fft {
    /// The type of the numbers: a float.
    pub dtype: DType,
    /// What is computed of each row.
    pub kind: Kind,
    /// The number of rows.
    pub rows: usize,
    /// The length of the transform.
    pub n: usize,
    plan: Kept,
}

/// A plan, once it is known.
type Once<T> = OnceLock<Arc<Plan<T>>>;

/// The plan, once it is known. It is no part of the kernel's value.
#[derive(Clone, Default)]
struct Kept(Arc<(Once<f32>, Once<f64>)>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("plan")
    }
}

impl PartialEq for Fft {
    fn eq(&self, other: &Fft) -> bool {
        let value = |k: &Fft| (k.dtype, k.kind, k.rows, k.n);
        value(self) == value(other)
    }
}

impl Fft {
    /// The transform of `rows` rows to or from `n` numbers.
    pub fn new(dtype: DType, kind: Kind, rows: usize, n: usize) -> Fft {
        Fft {
            dtype,
            kind,
            rows,
            n,
            plan: Kept::default(),
        }
    }

    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["fft", kind, size] = words else {
            return None;
        };
        let [rows, n] = sizes(size)?;
        let dtype = *regions.first()?;
        Some(Arc::new(Fft::new(dtype, Kind::named(kind)?, rows, n)))
    }

    fn transform<T: Number + Element>(&self, plan: &Plan<T>, regions: &mut [Elements<'_>]) {
        let (from, to) = regions.split_at_mut(self.kind.read(self.n).0);
        let from: Vec<&[T]> = from.iter().map(|r| r.read().typed()).collect();
        let mut to: Vec<SliceMut<'_>> = to.iter_mut().map(Elements::write).collect();
        let mut to: Vec<&mut [T]> = to.iter_mut().map(|r| r.reborrow().typed()).collect();
        plan.rows(&from, &mut to);
    }
}

impl Kernel for Fft {
    fn text(&self) -> String {
        format!("fft {} {}x{}", self.kind.name(), self.rows, self.n)
    }

    fn description(&self) -> String {
        let Fft { rows, n, .. } = self;
        format!("a library's Fourier transform of {rows} rows of length {n}")
    }

    fn regions(&self) -> Regions {
        let len = |n: usize| self.rows.saturating_mul(n);
        let (parts, n) = self.kind.read(self.n);
        let read = (0..parts).map(|_| Region::read(self.dtype, len(n)));
        let (parts, n) = self.kind.written(self.n);
        read.chain((0..parts).map(|_| Region::write(self.dtype, len(n))))
            .collect()
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn nanoseconds(&self) -> f64 {
        let n = self.n as f64;
        50.0 + self.rows as f64 * (20.0 + n * (1.0 + n.max(2.0).log2() / 2.0))
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let Kept(plans) = &self.plan;
        match self.dtype {
            DType::F32 => {
                let plan = plans.0.get_or_init(|| Plan::of(self.kind, self.n));
                self.transform(plan, regions);
            }
            DType::F64 => {
                let plan = plans.1.get_or_init(|| Plan::of(self.kind, self.n));
                self.transform(plan, regions);
            }
            other => panic!("a Fourier transform of {other}"),
        }
        Ok(())
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::fourier(site, self);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
