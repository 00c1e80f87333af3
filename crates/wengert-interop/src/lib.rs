//! Data of [Wengert](wengert) to and from other crates and files.
//!
//! Nothing is on by default. Each bridge is a feature; those to types of other crates have the version in their name, so
//! that two versions of a crate can be bridged at once and none is forced on a program.
//!
//! | feature | what it bridges |
//! |---|---|
//! | `ndarray_0_17`, `ndarray_0_16` | `Array`, `ArrayView` and their kin |
//! | `nalgebra_0_35`, `nalgebra_0_34` | `DMatrix`, `DVector`, `SMatrix`, `SVector` and views |
//! | `faer_0_24` | `Mat`, `MatRef`, `Col`, `ColRef` |
//! | `num_complex_0_4` | complex numbers, also in the matrices above |
//! | `serde_1` | `Serialize` and `Deserialize` for `Array`, `Key`, `Complex` and `ShapeDtype` |
//! | `npy` | NumPy's files, `.npy` and `.npz`, and trees in them |
//! | `safetensors` | files of `safetensors`, and trees in them |
//! | `all` | the newest version of each |
//!
//! # Arrays and matrices of other crates
//!
//! A view of an [`Array`](wengert::Array) copies nothing: the traits `AsNdarray`, `AsNalgebra` and `AsFaer` give one.
//! `ToNdarray`, `ToNalgebra` and `ToFaer` give values of their own, and [`ToArray`] the other direction for all of them. An
//! element type or a shape that does not fit is an `Err` with the line of the call; no number is converted.
//!
//! ```
//! # #[cfg(feature = "nalgebra_0_35")] {
//! use wengert::prelude::*;
//! use wengert_interop::ToArray;
//! use wengert_interop::nalgebra_0_35::{AsNalgebra, nalgebra::DMatrix};
//!
//! # fn main() -> wengert::Result<()> {
//! let gram = jit(|a: Var| a.t().dot(a));
//! let a = DMatrix::from_row_slice(2, 2, &[3.0, 1.0, 0.0, 2.0]);
//! let g = gram.call(a.to_array())?;
//! let values = g.as_dmatrix_t::<f64>()?.symmetric_eigenvalues();
//! assert!((values.product() - 36.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # serde
//!
//! With the feature `serde_1` arrays are serialised, and so are trees that derive the traits:
//!
//! ```
//! # #[cfg(feature = "serde_1")] {
//! use serde::{Deserialize, Serialize};
//! use wengert::prelude::*;
//!
//! #[derive(Tree, Serialize, Deserialize, PartialEq, Debug)]
//! struct Model<T = Var> {
//!     rate: T,
//!     levels: Vec<T>,
//! }
//!
//! let model = Model { rate: Array::from(f64::INFINITY), levels: vec![Array::from([1, 2])] };
//! let text = serde_json::to_string(&model).unwrap();
//! assert_eq!(
//!     text,
//!     r#"{"rate":{"dtype":"f64","shape":[],"data":["inf"]},"levels":[{"dtype":"i32","shape":[2],"data":[1,2]}]}"#
//! );
//! assert_eq!(serde_json::from_str::<Model<Array>>(&text).unwrap(), model);
//! # }
//! ```
//!
//! All numbers are read as what they were, bit by bit but for the payload of a NaN; of `serde_json` this needs its feature
//! `float_roundtrip`.
#![forbid(unsafe_code)]
// One source for all versions of a crate: each is another module, because `super` is.
#![allow(clippy::duplicate_mod)]
#![cfg_attr(
    not(all(feature = "npy", feature = "safetensors")),
    allow(dead_code, unused_imports)
)]

#[cfg(any(feature = "npy", feature = "safetensors"))]
mod bytes;
mod error;
#[cfg(any(feature = "npy", feature = "safetensors"))]
mod files;
mod leaves;
#[cfg(feature = "npy")]
pub mod npy;
#[cfg(feature = "npy")]
pub mod npz;
mod number;
#[cfg(feature = "safetensors")]
pub mod safetensors;

pub use error::{Error, Result};
pub use leaves::{Pattern, names};
pub use number::{Number, ToArray};

/// Makes the module of a version of a crate, of one source for all versions.
macro_rules! bridge {
    ($($feature:literal $version:ident: $of:ident, $file:literal;)*) => {$(
        #[cfg(feature = $feature)]
        #[path = "bridges"]
        pub mod $version {
            #![doc = concat!("Between [`Array`](wengert::Array) and `", stringify!($version), "`.")]
            /// The crate itself, in this version.
            pub use $version as $of;

            /// The name of the module, for examples.
            macro_rules! version {
                () => {
                    stringify!($version)
                };
            }

            #[path = $file]
            mod bridged;
            pub use bridged::*;
        }
    )*};
}
bridge! {
    "ndarray_0_16" ndarray_0_16: ndarray, "ndarray.rs";
    "ndarray_0_17" ndarray_0_17: ndarray, "ndarray.rs";
    "nalgebra_0_34" nalgebra_0_34: nalgebra, "nalgebra.rs";
    "nalgebra_0_35" nalgebra_0_35: nalgebra, "nalgebra.rs";
    "faer_0_24" faer_0_24: faer, "faer.rs";
}
