//! The devices that there are.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use wengert_c::machine::Machine;

use crate::driver::{self, Driver};
use crate::nvrtc::{self, Nvrtc};
use crate::queue::CudaQueue;
use crate::{Cuda, CudaError};

/// All devices, which are opened once.
pub(crate) fn all() -> Result<Vec<Arc<Cuda>>, CudaError> {
    static OPENED: OnceLock<Result<Vec<Arc<Cuda>>, CudaError>> = OnceLock::new();
    OPENED
        .get_or_init(|| open(&driver::files(), &nvrtc::files))
        .clone()
}

/// Opens all devices of the driver that is in one of the files, with the compiler in one of those that are given for its
/// version.
pub(crate) fn open(
    driver: &[PathBuf],
    nvrtc: &dyn Fn(i32) -> Vec<PathBuf>,
) -> Result<Vec<Arc<Cuda>>, CudaError> {
    let Some(driver) = Driver::open(driver)? else {
        return Ok(vec![]);
    };
    let mut n = 0;
    // SAFETY: the number has a place.
    let status = unsafe { (driver.f.cuDeviceGetCount)(&mut n) };
    driver.checked("cuDeviceGetCount", status)?;
    if n == 0 {
        return Ok(vec![]);
    }
    let nvrtc = Nvrtc::open(&nvrtc(driver.version))?;
    let device = |i| Ok(Arc::new(Machine::new(CudaQueue::open(driver, nvrtc, i)?)));
    (0..n).map(device).collect()
}
