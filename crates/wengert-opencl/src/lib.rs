//! OpenCL devices for [Wengert](https://docs.rs/wengert): compiled functions on GPUs of any vendor, with the bits of the
//! processor.
//!
//! [`devices`] lists what there is; each is a [`Device`] for whoever compiles and calls functions. The library of
//! OpenCL is loaded when it is first asked for: without it there is an error, and no device.
//!
//! ```
//! match wengert_opencl::devices() {
//!     Ok(devices) => devices.iter().for_each(|d| println!("{}", d.name())),
//!     Err(e) => println!("{e}"),
//! }
//! ```
//!
//! A call is queued, and returns at once. It waits if the program has a loop outside of maps whose number of steps is
//! not known before, and at its end if it keeps lists, which may have to be run again with more memory. Products of
//! matrices have the order of the interpreter for all sizes. Scratch that differs by thread is bounded: a launch that
//! needs more is cut.

mod api;
mod list;
mod queue;

use std::sync::Arc;

use wengert_c::machine::Machine;
use wengert_run::Device;

pub use queue::OpenClQueue;

/// A device of OpenCL. Any number of threads may use it; their calls share one queue.
pub type OpenCl = Machine<OpenClQueue>;

/// Why OpenCL cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenClError {
    /// There is no library of OpenCL.
    #[error(
        "OpenCL: its library cannot be loaded ({0}); install the driver of a GPU, or PoCL for the processor"
    )]
    Library(String),
    /// A function of the library failed.
    #[error("OpenCL: {function} failed with {status}: {}", api::meaning(*status))]
    #[non_exhaustive]
    Call {
        /// The function.
        function: &'static str,
        /// Its status.
        status: i32,
    },
}

/// Returns all devices of all platforms; none if no platform is installed. They are opened once: each call returns
/// the same ones, so that what one part of a program keeps on a device is there for the others.
///
/// # Errors
/// If there is no library of OpenCL, or a device cannot be opened.
pub fn devices() -> Result<Vec<Arc<dyn Device>>, OpenClError> {
    let all = machines()?;
    Ok(all.into_iter().map(|d| d as Arc<dyn Device>).collect())
}

/// Returns the [devices] as what they are, to say how their programs are cut.
///
/// ```
/// # fn main() -> Result<(), wengert_opencl::OpenClError> {
/// # if wengert_opencl::machines().is_err() { return Ok(()) }
/// if let Some(first) = wengert_opencl::machines()?.first() {
///     // Calls whose scratch takes more are cut.
///     let small = first.with_scratch(1 << 20);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`devices`].
pub fn machines() -> Result<Vec<Arc<OpenCl>>, OpenClError> {
    list::all()
}
