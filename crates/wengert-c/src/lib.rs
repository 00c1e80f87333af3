//! C for compiled functions of [Wengert](https://docs.rs/wengert): a function, its derivatives and its whole solver as one
//! source of C11 and a header, with the same bits, without heap and libraries.
//!
//! [`export`] begins with a [`Jit`](wengert::Jit) and ends with [`Files`]; [`Unit`] writes programs of the loop IR.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let area = jit(|[a, b]: [Var; 2]| a * b);
//! let files = wengert_c::export(area, [1.0, 2.0], "area")?.files()?;
//! assert!(files.source.contains("y[0] = "));
//! # Ok::<(), wengert_c::CError>(())
//! ```
#![forbid(unsafe_code)]

mod dialect;
mod emit;
mod export;
pub mod kernels;
mod live;
pub mod machine;
mod names;
mod plan;
mod prelude;
mod unit;

pub use dialect::Dialect;
pub use export::{Export, Files, Processor, elf, export};
pub use unit::{FAILURES, LISTS_FULL, Port, Unit};

pub(crate) use unit::check_name;

/// The bytes of scratch for the lists of a call, unless others are asked for.
pub const LIST_BYTES: usize = 1 << 16;

/// Why there is no C for a function.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CError {
    /// A part of the function for which there is no C.
    #[error("C: there is none for {what}; {instead}")]
    Unsupported {
        /// The part.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// A name that C, or the source itself, uses otherwise.
    #[error(
        "C: {0:?} cannot name a function: it must be letters, digits and underscores, and free in C and in the source"
    )]
    Name(String),
    /// A port that does not fit the program.
    #[error("C: no port fits {0} of the program")]
    Port(String),
    /// A function that does not fit a convention of calls.
    #[error("C: {abi}: {why}")]
    Abi {
        /// The convention.
        abi: String,
        /// Why it does not.
        why: String,
    },
    /// An object that cannot be made.
    #[error("object: {0}")]
    Object(String),
    /// An error of the function.
    #[error(transparent)]
    Function(#[from] wengert::Error),
}
