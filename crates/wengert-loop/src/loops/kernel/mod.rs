//! Kernels: Rust code that works on whole regions of memory, and is neither lowered nor emitted.
//!
//! The verifier, the interpreter, the planner and the back ends learn all they need from the trait,
//! and name no kernel. A back end may have its own code for a kernel it knows.

mod block;
mod factor;
mod fft;
mod gemm;
mod host;
mod lanes;
mod loops;
mod sort;
mod top_k;

use std::any::Any;
use std::fmt::Debug;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::buffer::{Slice, SliceMut};
use crate::error::Error;
use crate::types::DType;

pub use block::RandomBlock;
pub use factor::{Factor, Task};
pub use fft::Fft;
pub use gemm::Gemm;
pub use host::{Host, HostFunction};
pub use lanes::LaneProduct;
pub use loops::{Site, all_as_loops, as_loops};
pub use sort::Sort;
pub use top_k::{TopK, largest};

/// How a kernel accesses a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads it.
    Read,
    /// Writes every element of it; the old contents are garbage.
    Write,
    /// Reads elements, and writes some or all of them.
    Change,
}

/// Contiguous elements that a kernel works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// The type of the elements.
    pub dtype: DType,
    /// The number of elements.
    pub len: usize,
    /// The access to them.
    pub access: Access,
}

impl Region {
    /// A region that is read.
    pub fn read(dtype: DType, len: usize) -> Region {
        let access = Access::Read;
        Region { dtype, len, access }
    }

    /// A region all of whose elements are written.
    pub fn write(dtype: DType, len: usize) -> Region {
        let access = Access::Write;
        Region { dtype, len, access }
    }

    /// A region that is read and written.
    pub fn change(dtype: DType, len: usize) -> Region {
        let access = Access::Change;
        Region { dtype, len, access }
    }
}

/// The regions of a kernel, in the order of its operands.
pub type Regions = SmallVec<[Region; 3]>;

/// The elements of a region while a kernel runs.
#[derive(PartialEq, Debug)]
pub enum Elements<'a> {
    /// The elements of a region that is read.
    Read(Slice<'a>),
    /// The elements of a region that is written.
    Write(SliceMut<'a>),
}

impl Elements<'_> {
    /// The elements of a region that is read.
    ///
    /// # Panics
    /// If it is written.
    pub fn read(&self) -> Slice<'_> {
        match self {
            Elements::Read(slice) => *slice,
            Elements::Write(_) => panic!("a region that is written"),
        }
    }

    /// The elements of a region that is written.
    ///
    /// # Panics
    /// If it is only read.
    pub fn write(&mut self) -> SliceMut<'_> {
        match self {
            Elements::Write(slice) => slice.reborrow(),
            Elements::Read(_) => panic!("a region that is only read"),
        }
    }
}

/// Work on regions of memory. Two kernels that do the same are equal, and have equal texts.
pub trait Kernel: Any + Debug + Send + Sync + RefUnwindSafe {
    /// Its text before the operands in the text form of programs: its name and its parameters.
    fn text(&self) -> String;

    /// A description for people: `a library's product of 2×3 and 3×4`.
    fn description(&self) -> String;

    /// The regions it works on. A region that is written overlaps no other.
    fn regions(&self) -> Regions;

    /// Whether it may stand in a vector loop: it is then run once a lane, on [`Local`](super::BufferKind::Local) memory,
    /// except for [shared](Kernel::is_shared) regions. It runs in lanes that are not live, too, on any elements, so that
    /// it may not fail.
    fn runs_in_lanes(&self) -> bool {
        false
    }

    /// Whether a region, which is only read, is in memory that all lanes of a vector loop share.
    fn is_shared(&self, _region: usize) -> bool {
        false
    }

    /// The number of rows of equal length that each of its regions consists of, of which every row that is written
    /// depends on the rows of the same number alone. A kernel of more than one is given any number of consecutive rows,
    /// so that threads may share them; it counts them by the lengths of its regions.
    fn rows(&self) -> usize {
        1
    }

    /// Its approximate time on one thread.
    fn nanoseconds(&self) -> f64;

    /// The nanoseconds from which it uses several threads, outside of parallel loops.
    fn threads_from(&self) -> f64 {
        f64::INFINITY
    }

    /// Runs it. A back end with other code for it must produce the same bits, unless the kernel
    /// documents what may differ.
    ///
    /// # Errors
    /// Any error that it returns: it ends the call of the program.
    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error>;

    /// Writes loops that do the same, for a back end without a library, and returns whether there are any. They give
    /// the same bits, unless the kernel documents what may differ.
    fn write_loops(&self, _: &mut Site<'_>) -> bool {
        false
    }

    /// Whether another kernel does the same. By default only if it is the same object; a kernel
    /// that is a plain value compares by [`same_value`].
    fn equals(&self, other: &dyn Kernel) -> bool {
        std::ptr::addr_eq(&raw const *self, other)
    }
}

impl dyn Kernel {
    /// Whether it cannot be parsed from text.
    pub(super) fn is_foreign(&self) -> bool {
        let text = self.text().replace(['(', ')', ','], " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let dtypes: Vec<DType> = self.regions().iter().map(|r| r.dtype).collect();
        read(&words, &dtypes).is_none_or(|read| *read != *self)
    }

    /// The kernel as type `K`, if it is of that type.
    pub fn downcast_ref<K: Kernel>(&self) -> Option<&K> {
        (self as &dyn Any).downcast_ref()
    }
}

impl PartialEq for dyn Kernel {
    fn eq(&self, other: &dyn Kernel) -> bool {
        self.equals(other)
    }
}

/// Parses a kernel from the words of its text, without brackets and commas, and the types of its
/// regions.
type Reader = fn(&[&str], &[DType]) -> Option<Arc<dyn Kernel>>;

const READERS: &[Reader] = &[
    Gemm::read,
    LaneProduct::read,
    Sort::read,
    RandomBlock::read,
    TopK::read,
    Factor::read,
    Fft::read,
];

/// The kernel of this crate that has this text.
pub(crate) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
    READERS.iter().find_map(|read| read(words, regions))
}

/// Numbers separated by `x`.
fn sizes<const N: usize>(word: &str) -> Option<[usize; N]> {
    let numbers: Option<Vec<usize>> = word.split('x').map(|n| n.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Whether a kernel equals another one of any type.
pub fn same_value<K: Kernel + PartialEq>(a: &K, b: &dyn Kernel) -> bool {
    b.downcast_ref::<K>().is_some_and(|b| a == b)
}

#[cfg(test)]
pub(crate) use loops::turn;
