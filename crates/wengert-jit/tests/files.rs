//! The programs in files of `wengert-loop`, by every way there is to run them.

use crate::common::backend::{Compiled, Made, Wide};
use wengert_jit::{Cpu, Options, Vectors};
use wengert_loop::backend_tests;

/// What every processor of its kind has: vectors of 128 bits, by Cranelift.
mod narrow {
    use super::*;
    backend_tests!(Compiled(Options {
        cpu: Cpu::baseline(),
        ..Options::default()
    }));
}

/// The same, with the loops as they are in the file.
mod narrow_as_written {
    use super::*;
    backend_tests!(Compiled(Options {
        cpu: Cpu::baseline(),
        unroll: false,
        ..Options::default()
    }));
}

/// Elementary functions in wide vectors, and loops in those of Cranelift.
mod wide_functions {
    use super::*;
    backend_tests!(Compiled(Options {
        vectors: Vectors::Functions,
        unroll: false,
        ..Options::default()
    }));
}

/// All that the machine has.
mod wide_loops {
    use super::*;
    backend_tests!(Compiled(Options {
        vectors: Vectors::AllLoops,
        ..Options::default()
    }));
}

/// Vector loops in registers of 512 bits, or at least the code for them.
mod zmm {
    use super::*;
    backend_tests!(Wide(Cpu::X86_64_V4));
}

/// The same in registers of 256 bits.
mod ymm {
    use super::*;
    backend_tests!(Wide(Cpu::X86_64_V3));
}

/// The register allocator that else only long functions see, and every parallel loop on many threads.
mod quick_and_parallel {
    use super::*;
    backend_tests!(Compiled(Options {
        quick_above: 0,
        parallel_above: 0,
        ..Options::default()
    }));
}

/// There is code for another architecture.
mod arm {
    use super::*;
    backend_tests!(Made(Cpu::ARM64));
}
