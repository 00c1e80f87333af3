//! Libraries that are loaded at run time.

use std::path::PathBuf;

use libloading::Library;

/// An object of a library.
pub(crate) type Raw = *mut std::ffi::c_void;

/// Declares functions of a library by name and type.
macro_rules! functions {
    (
        $(#[$doc:meta])* $all:ident of $library:literal from $needed:literal;
        $($name:ident: fn($($arg:ty),*) -> $result:ty;)*
    ) => {
        $(#[$doc])*
        #[allow(non_snake_case)]
        pub(crate) struct $all {
            $( pub $name: unsafe extern "C" fn($($arg),*) -> $result, )*
        }

        impl $all {
            /// Finds the functions.
            pub fn of(library: &'static libloading::Library) -> Result<$all, crate::CudaError> {
                Ok($all {
                    $( $name: {
                        // SAFETY: the type is that of the library's header, and the library is never unloaded.
                        let found = unsafe { library.get(concat!(stringify!($name), "\0").as_bytes()) };
                        *found.map_err(|_| crate::CudaError::TooOld {
                            library: $library,
                            function: stringify!($name),
                            needed: $needed,
                        })?
                    }, )*
                })
            }
        }
    };
}

pub(crate) use functions;

/// Loads the first of some files that can be loaded, for good.
///
/// # Errors
/// Why the first cannot.
pub(crate) fn load(files: &[PathBuf]) -> Result<&'static Library, String> {
    let mut why = None;
    for file in files {
        // SAFETY: the driver and its compiler may be loaded at any time; what they run then is the system's.
        match unsafe { Library::new(file) } {
            Ok(library) => return Ok(Box::leak(Box::new(library))),
            Err(e) => why = why.or(Some(said(file, &e))),
        }
    }
    Err(why.unwrap_or_else(|| "no file is named".into()))
}

/// What the system said, after the name of the file.
fn said(file: &std::path::Path, e: &libloading::Error) -> String {
    let (file, said) = (file.display().to_string(), e.to_string());
    match said.starts_with(&file) {
        true => said,
        false => format!("{file}: {said}"),
    }
}

/// The file that an environment variable names, or else the files of these names.
pub(crate) fn named(variable: &str, others: Vec<PathBuf>) -> Vec<PathBuf> {
    match std::env::var_os(variable) {
        Some(file) if !file.is_empty() => vec![file.into()],
        _ => others,
    }
}
