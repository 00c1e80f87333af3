//! Products of matrices.

use std::sync::Arc;

use super::{Elements, Kernel, Region, Regions, Site, loops, same_value, sizes};
use crate::arithmetic::Arithmetic;
use crate::error::Error;
use crate::order;
use crate::types::DType;

/// `c[i, j] = sum_k a[i, k] * b[k, j]` on regions `(c, a, b)` of one float type. Each product is rounded before it is
/// added. A product with few rows or columns is summed like a reduction ([`order::is_long`]), and others in the order of
/// `k`; a back end may sum large products of matrices in another order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gemm {
    /// The type of the elements: a float.
    pub dtype: DType,
    /// Rows of `c`.
    pub m: usize,
    /// Columns of `c`.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
    /// Row and column stride of `c`, in elements.
    pub c: (usize, usize),
    /// Row and column stride of `a`.
    pub a: (usize, usize),
    /// Row and column stride of `b`.
    pub b: (usize, usize),
}

/// The number of elements from the first to the last of a matrix with these strides.
fn span(rows: usize, columns: usize, stride: (usize, usize)) -> usize {
    let (Some(rows), Some(columns)) = (rows.checked_sub(1), columns.checked_sub(1)) else {
        return 0;
    };
    let last = rows.saturating_mul(stride.0);
    let last = last.saturating_add(columns.saturating_mul(stride.1));
    last.saturating_add(1)
}

impl Gemm {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["gemm", size, "strides", strides @ ..] = words else {
            return None;
        };
        let [m, n, k] = sizes(size)?;
        let strides: Option<Vec<usize>> = strides.iter().map(|s| s.parse().ok()).collect();
        let &[c0, c1, a0, a1, b0, b1] = &strides?[..] else {
            return None;
        };
        Some(Arc::new(Gemm {
            dtype: *regions.first()?,
            m,
            n,
            k,
            c: (c0, c1),
            a: (a0, a1),
            b: (b0, b1),
        }))
    }

    fn product<T: Arithmetic>(&self, c: &mut [T], a: &[T], b: &[T]) {
        for i in 0..self.m {
            for j in 0..self.n {
                let term =
                    |k: usize| a[i * self.a.0 + k * self.a.1].mul(b[k * self.b.0 + j * self.b.1]);
                let sum = match order::is_long(self.m, self.n, self.k) {
                    true => order::reduce(self.k, term, T::add),
                    false => (0..self.k).map(term).reduce(T::add),
                };
                c[i * self.c.0 + j * self.c.1] = sum.unwrap_or(T::ZERO);
            }
        }
    }
}

impl Kernel for Gemm {
    fn text(&self) -> String {
        let Gemm {
            m, n, k, c, a, b, ..
        } = self;
        format!("gemm {m}x{n}x{k} strides {c:?} {a:?} {b:?}")
    }

    fn description(&self) -> String {
        let Gemm { m, n, k, .. } = self;
        format!("a library's product of {m}×{k} and {k}×{n}")
    }

    fn regions(&self) -> Regions {
        let len = span(self.m, self.n, self.c);
        // Elements between those of the matrix stay unchanged.
        let c = match len == self.m.saturating_mul(self.n) {
            true => Region::write(self.dtype, len),
            false => Region::change(self.dtype, len),
        };
        let a = Region::read(self.dtype, span(self.m, self.k, self.a));
        let b = Region::read(self.dtype, span(self.k, self.n, self.b));
        Regions::from_buf([c, a, b])
    }

    fn nanoseconds(&self) -> f64 {
        let (few, many) = (self.m.min(self.n) as f64, self.m.max(self.n) as f64);
        let rate = match self.dtype {
            DType::F32 => 2.0,
            _ => 1.0,
        };
        // A matrix and a few vectors are read once; products of matrices keep their sums in registers.
        let each = match order::is_long(self.m, self.n, self.k) {
            true => (1.0 + 0.4 * (few - 1.0)) / 11.0,
            false => few / 45.0,
        };
        60.0 + many * self.k as f64 * each / rate
    }

    fn threads_from(&self) -> f64 {
        20_000.0
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [c, a, b] = regions else {
            panic!("a product has three regions");
        };
        let (c, a, b) = (c.write(), a.read(), b.read());
        match self.dtype {
            DType::F32 => self.product::<f32>(c.typed(), a.typed(), b.typed()),
            DType::F64 => self.product::<f64>(c.typed(), a.typed(), b.typed()),
            other => panic!("a product of {other}"),
        }
        Ok(())
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::product(site, self);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
