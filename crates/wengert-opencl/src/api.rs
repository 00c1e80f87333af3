//! The library of OpenCL: the functions that are used of it, loaded at run time.

use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

use libloading::Library;

use crate::OpenClError;

/// An object of the library, or a handle of memory.
pub(crate) type Raw = *mut c_void;

type Info = unsafe extern "C" fn(Raw, u32, usize, *mut c_void, *mut usize) -> i32;

/// Declares the functions by name and type.
macro_rules! functions {
    ($($name:ident: fn($($arg:ty),*) -> $result:ty;)*) => {
        /// The functions of the library.
        #[allow(non_snake_case)]
        pub(crate) struct Api {
            $( pub $name: unsafe extern "C" fn($($arg),*) -> $result, )*
        }

        impl Api {
            fn load(library: &'static Library) -> Result<Api, libloading::Error> {
                Ok(Api {
                    // SAFETY: the types are those of the header of OpenCL 1.2, and the library is never unloaded.
                    $( $name: unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? }, )*
                })
            }
        }
    };
}

functions! {
    clGetPlatformIDs: fn(u32, *mut Raw, *mut u32) -> i32;
    clGetDeviceIDs: fn(Raw, u64, u32, *mut Raw, *mut u32) -> i32;
    clGetDeviceInfo: fn(Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clCreateContext: fn(*const isize, u32, *const Raw, *const c_void, *mut c_void, *mut i32) -> Raw;
    clReleaseContext: fn(Raw) -> i32;
    clCreateCommandQueue: fn(Raw, Raw, u64, *mut i32) -> Raw;
    clReleaseCommandQueue: fn(Raw) -> i32;
    clCreateBuffer: fn(Raw, u64, usize, *mut c_void, *mut i32) -> Raw;
    clReleaseMemObject: fn(Raw) -> i32;
    clCreateProgramWithSource: fn(Raw, u32, *const *const c_char, *const usize, *mut i32) -> Raw;
    clBuildProgram: fn(Raw, u32, *const Raw, *const c_char, *const c_void, *mut c_void) -> i32;
    clGetProgramBuildInfo: fn(Raw, Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clReleaseProgram: fn(Raw) -> i32;
    clCreateKernel: fn(Raw, *const c_char, *mut i32) -> Raw;
    clReleaseKernel: fn(Raw) -> i32;
    clSetKernelArg: fn(Raw, u32, usize, *const c_void) -> i32;
    clEnqueueNDRangeKernel: fn(Raw, Raw, u32, *const usize, *const usize, *const usize, u32, *const Raw, *mut Raw) -> i32;
    clEnqueueReadBuffer: fn(Raw, Raw, u32, usize, usize, *mut c_void, u32, *const Raw, *mut Raw) -> i32;
    clEnqueueFillBuffer: fn(Raw, Raw, *const c_void, usize, usize, usize, u32, *const Raw, *mut Raw) -> i32;
    clFlush: fn(Raw) -> i32;
}

/// The names by which systems know the library.
const NAMES: &[&str] = if cfg!(windows) {
    &["OpenCL.dll"]
} else if cfg!(target_os = "macos") {
    &["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
} else {
    &["libOpenCL.so.1", "libOpenCL.so"]
};

/// The library, which is loaded once and stays.
pub(crate) fn api() -> Result<&'static Api, OpenClError> {
    static API: OnceLock<Result<Api, String>> = OnceLock::new();
    let load = || {
        let mut why = String::new();
        for name in NAMES {
            // SAFETY: the library of OpenCL may be loaded at any time; what it runs then is the system's.
            match unsafe { Library::new(name) } {
                Ok(library) => {
                    let library: &'static Library = Box::leak(Box::new(library));
                    return Api::load(library).map_err(|e| e.to_string());
                }
                Err(e) if why.is_empty() => why = e.to_string(),
                Err(_) => {}
            }
        }
        Err(why)
    };
    let api = API.get_or_init(load).as_ref();
    api.map_err(|why| OpenClError::Library(why.clone()))
}

/// Checks the status of a function.
pub(crate) fn checked(function: &'static str, status: i32) -> Result<(), OpenClError> {
    match status {
        0 => Ok(()),
        status => Err(OpenClError::Call { function, status }),
    }
}

/// Bytes that an object says of itself.
pub(crate) fn info(
    get: Info,
    object: Raw,
    what: u32,
    name: &'static str,
) -> Result<Vec<u8>, OpenClError> {
    let mut size = 0;
    // SAFETY: the object is valid, and the size has a place.
    checked(name, unsafe {
        get(object, what, 0, std::ptr::null_mut(), &mut size)
    })?;
    let mut bytes = vec![0u8; size];
    // SAFETY: there is room for so many bytes.
    checked(name, unsafe {
        get(
            object,
            what,
            size,
            bytes.as_mut_ptr().cast(),
            std::ptr::null_mut(),
        )
    })?;
    Ok(bytes)
}

/// A text that ends with a zero, without it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let text = CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes);
    String::from_utf8_lossy(text).trim().to_string()
}

/// A number of up to eight bytes.
pub(crate) fn number(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    let n = bytes.len().min(8);
    all[..n].copy_from_slice(&bytes[..n]);
    u64::from_le_bytes(all)
}

/// What a status means, for the common ones.
pub(crate) fn meaning(status: i32) -> &'static str {
    match status {
        -1 => "no device found",
        -2 => "the device is not available",
        -3 => "no compiler is available",
        -4 => "no memory for a buffer",
        -5 => "out of resources",
        -6 => "out of the host's memory",
        -11 => "the program does not build",
        -38 => "an invalid buffer",
        -44 | -45 => "an invalid program",
        -46 => "no kernel of this name",
        -50..=-49 => "an invalid argument of a kernel",
        -51 => "an argument of a kernel of another size",
        -52 => "an argument of a kernel is missing",
        -54 => "an invalid size of groups",
        -61 => "an invalid size of a buffer",
        -1001 => "no platform is installed",
        _ => "see the header of OpenCL",
    }
}
