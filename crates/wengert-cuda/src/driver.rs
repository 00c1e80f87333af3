//! The driver of CUDA: the functions that are used of it.

use std::ffi::{CStr, c_char, c_void};
use std::path::PathBuf;

use crate::CudaError;
use crate::library::{Raw, functions, load, named};

functions! {
    /// Functions that all drivers from CUDA 11.0 on have.
    Functions of "driver" from "CUDA 11.0";
    cuInit: fn(u32) -> i32;
    cuDriverGetVersion: fn(*mut i32) -> i32;
    cuGetErrorName: fn(i32, *mut *const c_char) -> i32;
    cuGetErrorString: fn(i32, *mut *const c_char) -> i32;
    cuDeviceGetCount: fn(*mut i32) -> i32;
    cuDeviceGet: fn(*mut i32, i32) -> i32;
    cuDeviceGetName: fn(*mut c_char, i32, i32) -> i32;
    cuDeviceTotalMem_v2: fn(*mut usize, i32) -> i32;
    cuDeviceGetAttribute: fn(*mut i32, i32, i32) -> i32;
    cuDevicePrimaryCtxRetain: fn(*mut Raw, i32) -> i32;
    cuDevicePrimaryCtxRelease_v2: fn(i32) -> i32;
    cuCtxPushCurrent_v2: fn(Raw) -> i32;
    cuCtxPopCurrent_v2: fn(*mut Raw) -> i32;
    cuStreamCreate: fn(*mut Raw, u32) -> i32;
    cuStreamDestroy_v2: fn(Raw) -> i32;
    cuStreamSynchronize: fn(Raw) -> i32;
    cuMemAlloc_v2: fn(*mut u64, usize) -> i32;
    cuMemFree_v2: fn(u64) -> i32;
    cuMemcpyHtoDAsync_v2: fn(u64, *const c_void, usize, Raw) -> i32;
    cuMemcpyDtoHAsync_v2: fn(*mut c_void, u64, usize, Raw) -> i32;
    cuMemsetD32Async: fn(u64, u32, usize, Raw) -> i32;
    cuModuleLoadData: fn(*mut Raw, *const c_void) -> i32;
    cuModuleUnload: fn(Raw) -> i32;
    cuModuleGetFunction: fn(*mut Raw, Raw, *const c_char) -> i32;
    cuLaunchKernel: fn(Raw, u32, u32, u32, u32, u32, u32, u32, Raw, *mut *mut c_void, *mut *mut c_void) -> i32;
}

functions! {
    /// Functions for pools of memory.
    Pools of "driver" from "CUDA 11.2";
    cuMemPoolCreate: fn(*mut Raw, *const PoolProperties) -> i32;
    cuMemPoolDestroy: fn(Raw) -> i32;
    cuMemPoolSetAttribute: fn(Raw, i32, *mut c_void) -> i32;
    cuMemPoolTrimTo: fn(Raw, usize) -> i32;
    cuMemAllocFromPoolAsync: fn(*mut u64, usize, Raw, Raw) -> i32;
    cuMemFreeAsync: fn(u64, Raw) -> i32;
}

/// What a pool is: `CUmemPoolProps`.
#[repr(C)]
pub(crate) struct PoolProperties {
    kind: i32,
    handles: i32,
    place: i32,
    device: i32,
    security: *mut c_void,
    largest: usize,
    rest: [u8; 56],
}

impl PoolProperties {
    /// Memory of a device, which no other process sees.
    pub fn of(device: i32) -> PoolProperties {
        PoolProperties {
            kind: 1,
            handles: 0,
            place: 1,
            device,
            security: std::ptr::null_mut(),
            largest: 0,
            rest: [0; 56],
        }
    }
}

/// A driver.
pub(crate) struct Driver {
    pub f: Functions,
    /// Functions for pools, if it has them.
    pub pools: Option<Pools>,
    /// Its version, as 1000 times the major and 10 times the minor one.
    pub version: i32,
}

/// The files that may be the driver.
pub(crate) fn files() -> Vec<PathBuf> {
    let names: &[&str] = if cfg!(windows) {
        &["nvcuda.dll"]
    } else {
        // The last one is that of Linux in Windows.
        &[
            "libcuda.so.1",
            "libcuda.so",
            "/usr/lib/wsl/lib/libcuda.so.1",
        ]
    };
    named(
        "WENGERT_CUDA_DRIVER",
        names.iter().map(PathBuf::from).collect(),
    )
}

/// There is no device: a status.
const NO_DEVICE: i32 = 100;

impl Driver {
    /// Loads and starts a driver; there is none if it finds no device.
    pub fn open(files: &[PathBuf]) -> Result<Option<&'static Driver>, CudaError> {
        let library = load(files).map_err(CudaError::Driver)?;
        let mut driver = Driver {
            f: Functions::of(library)?,
            pools: Pools::of(library).ok(),
            version: 0,
        };
        // SAFETY: it may be called more than once.
        match unsafe { (driver.f.cuInit)(0) } {
            NO_DEVICE => return Ok(None),
            status => driver.checked("cuInit", status)?,
        }
        // SAFETY: the number has a place.
        let status = unsafe { (driver.f.cuDriverGetVersion)(&mut driver.version) };
        driver.checked("cuDriverGetVersion", status)?;
        Ok(Some(Box::leak(Box::new(driver))))
    }

    /// Checks the status of a function.
    pub fn checked(&self, function: &'static str, status: i32) -> Result<(), CudaError> {
        if status == 0 {
            return Ok(());
        }
        let said = |get: unsafe extern "C" fn(i32, *mut *const c_char) -> i32| {
            let mut text = std::ptr::null();
            // SAFETY: the pointer has a place; what it is set to is null, or a text that stays.
            match unsafe { get(status, &mut text) } {
                0 if !text.is_null() => {
                    // SAFETY: it is not null.
                    let text = unsafe { CStr::from_ptr(text) };
                    Some(text.to_string_lossy().into_owned())
                }
                _ => None,
            }
        };
        let said = [said(self.f.cuGetErrorName), said(self.f.cuGetErrorString)];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let meaning = match said.is_empty() {
            true => "the driver does not say what that is".into(),
            false => said.join(", "),
        };
        Err(CudaError::Call {
            function,
            status,
            meaning,
        })
    }
}
