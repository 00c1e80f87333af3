//! CUDA devices for [Wengert](https://docs.rs/wengert): compiled functions on GPUs of NVIDIA, with the bits of the
//! processor.
//!
//! [`devices`] lists what there is; each is a [`Device`] for whoever compiles and calls functions. The driver and its
//! run-time compiler NVRTC are loaded when they are first asked for: without one of them there is an error that says so,
//! and no device.
//!
//! ```
//! match wengert_cuda::devices() {
//!     Ok(devices) => devices.iter().for_each(|d| println!("{}", d.name())),
//!     Err(e) => println!("{e}"),
//! }
//! ```
//!
//! The driver is that of CUDA 11.0 or newer, and NVRTC 11.2 or newer. The system finds the driver; NVRTC comes with the
//! CUDA toolkit, or alone by `pip install nvidia-cuda-nvrtc-cu12`. The environment variables `WENGERT_CUDA_DRIVER`
//! and `WENGERT_NVRTC` are the files of the two libraries where the system does not find them, or finds others.
//! `CUDA_VISIBLE_DEVICES` says which GPUs the driver shows.
//!
//! A device is used through its primary context, which it shares with other libraries of the program, and leaves each
//! thread the context that it had. Calls share one stream. Memory comes from a pool of the driver's, where it has
//! pools; what has been used once stays in it. Sources are compiled to machine code of the GPU, without
//! contractions and with rounded quotients and roots, whatever the defaults are.
//!
//! A call is queued, and returns at once. It waits if the program has a loop outside of maps whose number of steps is
//! not known before, and at its end if it keeps lists, which may have to be run again with more memory. Products of
//! matrices have the order of the interpreter for all sizes. Scratch that differs by thread is bounded: a launch that
//! needs more is cut.
//!
//! This crate has not run on a GPU yet. Its tests run it on a stand-in for the driver and NVRTC that computes on the
//! processor, and NVRTC itself has compiled its sources.

mod driver;
mod library;
mod list;
mod nvrtc;
mod queue;

use std::path::Path;
use std::sync::Arc;

use wengert_c::machine::Machine;
use wengert_run::Device;

pub use queue::CudaQueue;

/// A device of CUDA. Any number of threads may use it; their calls share one stream.
pub type Cuda = Machine<CudaQueue>;

/// Why CUDA cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CudaError {
    /// There is no driver.
    #[error(
        "CUDA: its driver cannot be loaded ({0}); install that of the GPU, or name its file by WENGERT_CUDA_DRIVER"
    )]
    Driver(String),
    /// There is no run-time compiler.
    #[error(
        "CUDA: its run-time compiler NVRTC cannot be loaded ({0}); it comes with the CUDA toolkit or by `pip install \
         nvidia-cuda-nvrtc-cu12`, and WENGERT_NVRTC is its file if the system does not find it"
    )]
    Nvrtc(String),
    /// A library lacks a function.
    #[error("CUDA: the {library} is too old, it has no {function}; {needed} or newer is needed")]
    #[non_exhaustive]
    TooOld {
        /// Which library.
        library: &'static str,
        /// The function.
        function: &'static str,
        /// The version that has it.
        needed: &'static str,
    },
    /// A function of a library failed.
    #[error("CUDA: {function} failed with {status}: {meaning}")]
    #[non_exhaustive]
    Call {
        /// The function.
        function: &'static str,
        /// Its status.
        status: i32,
        /// What the library says of the status.
        meaning: String,
    },
}

/// Returns all devices; none if the driver finds none. They are opened once: each call returns the same ones, so that
/// what one part of a program keeps on a device is there for the others.
///
/// # Errors
/// If the driver or NVRTC is missing or too old, or a device cannot be opened.
pub fn devices() -> Result<Vec<Arc<dyn Device>>, CudaError> {
    let all = machines()?;
    Ok(all.into_iter().map(|d| d as Arc<dyn Device>).collect())
}

/// Returns the [devices] as what they are, to say how their programs are cut.
///
/// ```
/// # fn main() -> Result<(), wengert_cuda::CudaError> {
/// # if wengert_cuda::machines().is_err() { return Ok(()) }
/// if let Some(first) = wengert_cuda::machines()?.first() {
///     // Calls whose scratch takes more are cut.
///     let small = first.with_scratch(1 << 20);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`devices`].
pub fn machines() -> Result<Vec<Arc<Cuda>>, CudaError> {
    list::all()
}

/// Opens all devices of a driver and a compiler that are in these files. They are not the devices of other calls, even
/// if the files are the same.
///
/// ```
/// let error = wengert_cuda::from_libraries("/no/libcuda.so".as_ref(), "/no/libnvrtc.so".as_ref()).unwrap_err();
/// assert!(error.to_string().starts_with("CUDA: its driver cannot be loaded (/no/libcuda.so: "));
/// ```
///
/// # Errors
/// As [`devices`].
pub fn from_libraries(driver: &Path, nvrtc: &Path) -> Result<Vec<Arc<Cuda>>, CudaError> {
    list::open(&[driver.into()], &|_| vec![nvrtc.into()])
}
