//! The devices that there are.

use std::ptr::null_mut;
use std::sync::{Arc, OnceLock};

use wengert_c::machine::Machine;

use crate::api::{self, checked};
use crate::queue::OpenClQueue;
use crate::{OpenCl, OpenClError};

const ALL_DEVICES: u64 = 0xffff_ffff;

/// All devices, which are opened once.
pub(crate) fn all() -> Result<Vec<Arc<OpenCl>>, OpenClError> {
    static OPENED: OnceLock<Result<Vec<Arc<OpenCl>>, OpenClError>> = OnceLock::new();
    OPENED.get_or_init(open_all).clone()
}

fn open_all() -> Result<Vec<Arc<OpenCl>>, OpenClError> {
    let api = api::api()?;
    let mut n = 0;
    // SAFETY: the number has a place.
    match unsafe { (api.clGetPlatformIDs)(0, null_mut(), &mut n) } {
        // That of the loader if it finds none.
        -1001 => return Ok(vec![]),
        status => checked("clGetPlatformIDs", status)?,
    }
    let mut platforms = vec![null_mut(); n as usize];
    // SAFETY: there is room for so many.
    checked("clGetPlatformIDs", unsafe {
        (api.clGetPlatformIDs)(n, platforms.as_mut_ptr(), null_mut())
    })?;
    let mut all = vec![];
    for platform in platforms {
        let mut n = 0;
        // SAFETY: the platform is one of the library's.
        let status = unsafe { (api.clGetDeviceIDs)(platform, ALL_DEVICES, 0, null_mut(), &mut n) };
        // A platform may have none.
        if status == -1 {
            continue;
        }
        checked("clGetDeviceIDs", status)?;
        let mut devices = vec![null_mut(); n as usize];
        // SAFETY: there is room for so many.
        checked("clGetDeviceIDs", unsafe {
            (api.clGetDeviceIDs)(platform, ALL_DEVICES, n, devices.as_mut_ptr(), null_mut())
        })?;
        for device in devices {
            all.push(Arc::new(Machine::new(OpenClQueue::open(api, device)?)));
        }
    }
    Ok(all)
}
