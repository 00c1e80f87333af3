//! Kernels that the runtime has code of its own for.

use wengert_loop::loops::kernel::{Gemm, Kernel, RandomBlock, Sort};

/// A kernel that the runtime knows.
pub enum Native<'a> {
    /// By tiles in registers, or by a library on several threads: see [`super::product`].
    Gemm(&'a Gemm),
    /// On several threads.
    Sort(&'a Sort),
    /// For eight keys side by side.
    Block(&'a RandomBlock),
}

/// The runtime's code for a kernel, if it has some.
pub fn native(kernel: &dyn Kernel) -> Option<Native<'_>> {
    let gemm = kernel.downcast_ref().map(Native::Gemm);
    let gemm_or_sort = gemm.or_else(|| kernel.downcast_ref().map(Native::Sort));
    gemm_or_sort.or_else(|| kernel.downcast_ref().map(Native::Block))
}
