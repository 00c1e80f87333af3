//! Data to and from other crates and files.

mod common;
#[cfg(any(feature = "npy", feature = "safetensors"))]
mod damaged;
#[cfg(feature = "faer_0_24")]
mod faer;
#[cfg(all(feature = "nalgebra_0_34", feature = "nalgebra_0_35"))]
mod nalgebra;
#[cfg(all(feature = "ndarray_0_16", feature = "ndarray_0_17"))]
mod ndarray;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "npy")]
mod numpy;
#[cfg(feature = "serde_1")]
mod serde;
#[cfg(all(feature = "npy", feature = "safetensors"))]
mod trees;
#[cfg(all(feature = "npy", feature = "safetensors"))]
mod whole;
