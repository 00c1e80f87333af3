//! Fourier transforms and convolutions.

use wengert::prelude::*;
use wengert::{Conv, fft};

use crate::inputs::array;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("fft/rows_1024x4096", || rows([1024, 4096])),
        Workload::of("fft/rows_real_1024x4096", || {
            let f = jit(|x: Var| fft::rfft(x));
            (f, array([1024, 4096], 0))
        }),
        Workload::of("fft/2^20", || rows([1, 1 << 20])),
        Workload::of("fft/1000003", || rows([1, 1_000_003])),
        Workload::of("fft/rows_1e5x16", || rows([100_000, 16])),
        Workload::of("fft/spectrum_grad_1024x4096", || {
            let loss = |x: Var| (fft::rfft(x).norm_sqr() + 1.0).ln().sum();
            (jit(grad(loss)), array([1024, 4096], 0))
        }),
        Workload::of("conv/3x3_32_64x64_16", || {
            let f = jit(|(x, w): (Var, Var)| Conv::new().same().of(x, w));
            (f, images())
        }),
        Workload::of("conv/3x3_32_64x64_16_grad", || {
            let loss = |(x, w): (Var, Var)| Conv::new().same().of(x, w).square().sum();
            (jit(grad(loss)), images())
        }),
    ]
}

/// Complex numbers, row by row.
fn rows(dims: [usize; 2]) -> (Jit<Complex, Complex>, Complex<Array>) {
    let z = Complex {
        re: array(dims, 0),
        im: array(dims, 7),
    };
    (jit(|z: Complex| fft::fft(z)), z)
}

/// 16 images of 64 x 64 with 32 channels, and 32 kernels of 3 x 3.
fn images() -> (Array, Array) {
    (array([16, 32, 64, 64], 0), array([32, 32, 3, 3], 5))
}
