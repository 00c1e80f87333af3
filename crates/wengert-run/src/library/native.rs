//! Kernels for which the runtime has its own code.

use wengert_loop::loops::kernel::{Gemm, Kernel, LaneProduct, RandomBlock, Sort};

/// A kernel for which the runtime has its own code.
pub enum Native<'a> {
    /// A product, by tiles in registers or by a library on several threads: see [`super::product`].
    Gemm(&'a Gemm),
    /// A product for each lane, by tiles in registers: see [`super::lanes`].
    Lanes(&'a LaneProduct),
    /// A sort, on several threads.
    Sort(&'a Sort),
    /// Random words, for eight keys side by side.
    Block(&'a RandomBlock),
}

/// Returns the runtime's own variant of a kernel, if there is one.
pub fn native(kernel: &dyn Kernel) -> Option<Native<'_>> {
    let gemm = kernel.downcast_ref().map(Native::Gemm);
    gemm.or_else(|| kernel.downcast_ref().map(Native::Lanes))
        .or_else(|| kernel.downcast_ref().map(Native::Sort))
        .or_else(|| kernel.downcast_ref().map(Native::Block))
}
