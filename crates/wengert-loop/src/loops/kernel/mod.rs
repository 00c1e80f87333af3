//! Kernels: work on whole regions of memory that is Rust code, neither lowered nor emitted.
//!
//! A kernel says of itself what a verifier, an interpreter, a planner and a back end have to know of it, and none of
//! them names one. A back end may have code of its own for a kernel it knows.

mod block;
mod gemm;
mod host;
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
pub use gemm::Gemm;
pub use host::{Host, HostFunction};
pub use sort::Sort;
pub use top_k::{TopK, largest};

/// What a kernel does with a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads it.
    Read,
    /// Writes every element of it; what was there is garbage.
    Write,
    /// Reads elements, and writes some or all.
    Change,
}

/// Elements that a kernel works on, one behind the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Their type.
    pub dtype: DType,
    /// How many.
    pub len: usize,
    /// What is done with them.
    pub access: Access,
}

impl Region {
    /// One that is read.
    pub fn read(dtype: DType, len: usize) -> Region {
        let access = Access::Read;
        Region { dtype, len, access }
    }

    /// One that is written, every element.
    pub fn write(dtype: DType, len: usize) -> Region {
        let access = Access::Write;
        Region { dtype, len, access }
    }

    /// One that is read and written.
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
    /// Those of [`Access::Read`].
    Read(Slice<'a>),
    /// Those of the others.
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

/// Work on regions of memory. Two kernels are equal if they do the same, and their texts then are the same.
pub trait Kernel: Any + Debug + Send + Sync + RefUnwindSafe {
    /// What the text form of a program says of it before its operands: its name, and what tells it from others of
    /// that name.
    fn text(&self) -> String;

    /// What it is, for people: `a library's product of 2×3 and 3×4`.
    fn description(&self) -> String;

    /// What it works on. No region that is written overlaps another.
    fn regions(&self) -> Regions;

    /// Whether it may stand in a vector loop: it is then run once a lane, on [`Local`](super::BufferKind::Local) memory
    /// alone. It runs in lanes that are not live, too, on any elements, so that it may not fail.
    fn runs_in_lanes(&self) -> bool {
        false
    }

    /// How long it takes, roughly, on one thread.
    fn nanoseconds(&self) -> f64;

    /// Does it. A back end that does it in another way comes to the same bits, unless the kernel says what may differ.
    ///
    /// # Errors
    /// Whatever it says: it ends the call of the program.
    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error>;

    /// Whether another one does the same. By default only if it is the same one; a kernel that is a value compares by
    /// [`same_value`].
    fn equals(&self, other: &dyn Kernel) -> bool {
        std::ptr::addr_eq(&raw const *self, other)
    }
}

impl dyn Kernel {
    /// Whether it cannot be read from a text.
    pub(super) fn is_foreign(&self) -> bool {
        let text = self.text().replace(['(', ')', ','], " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let dtypes: Vec<DType> = self.regions().iter().map(|r| r.dtype).collect();
        read(&words, &dtypes).is_none_or(|read| *read != *self)
    }

    /// The kernel as that type, if it is one.
    pub fn downcast_ref<K: Kernel>(&self) -> Option<&K> {
        (self as &dyn Any).downcast_ref()
    }
}

impl PartialEq for dyn Kernel {
    fn eq(&self, other: &dyn Kernel) -> bool {
        self.equals(other)
    }
}

/// Reads the text of a kernel, its words without brackets and commas, given the types of its regions.
type Reader = fn(&[&str], &[DType]) -> Option<Arc<dyn Kernel>>;

const READERS: &[Reader] = &[Gemm::read, Sort::read, RandomBlock::read, TopK::read];

/// The kernel of this crate with those words.
pub(crate) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
    READERS.iter().find_map(|read| read(words, regions))
}

/// Numbers with an `x` between them.
fn sizes<const N: usize>(word: &str) -> Option<[usize; N]> {
    let numbers: Option<Vec<usize>> = word.split('x').map(|n| n.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Whether a kernel is equal to another one of any type.
pub fn same_value<K: Kernel + PartialEq>(a: &K, b: &dyn Kernel) -> bool {
    b.downcast_ref::<K>().is_some_and(|b| a == b)
}
