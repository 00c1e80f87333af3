//! The stand-in for the driver and NVRTC.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use wengert_check::conformance::OnDevice;
use wengert_cuda::{Cuda, CudaError};

/// What a compiler of C++ must be told to read a text of CUDA.
pub const SHIM: &str = include_str!("shim.h");

/// The compiler of C++, if there is one. Says so if there is none.
pub fn compiler() -> Option<&'static str> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let output = Command::new("c++").arg("--version").output();
        output.is_ok_and(|o| o.status.success())
    });
    if !found {
        eprintln!("there is no compiler of C++: this test has run nothing");
    }
    found.then_some("c++")
}

/// The stand-in: one source in parts.
const STANDIN: &[&str] = &[
    include_str!("state.cpp"),
    include_str!("threads.cpp"),
    include_str!("driver.cpp"),
    include_str!("nvrtc.cpp"),
];

/// Where the libraries are. The compiler's files go there, too.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/standin"))
}

/// Compiles a shared library, if there is a compiler.
pub fn library(name: &str, source: &str) -> Option<PathBuf> {
    let cc = compiler()?;
    std::fs::create_dir_all(folder()).unwrap();
    let (cpp, so) = (
        folder().join(format!("{name}.cpp")),
        folder().join(format!("{name}.so")),
    );
    std::fs::write(&cpp, source).unwrap();
    let flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-fno-gnu-unique"];
    let mut command = Command::new(cc);
    command.args(flags).arg(&cpp).arg("-o").arg(&so).arg("-ldl");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(so)
}

/// A library of its own for one test, which is configured by lines `key=value`.
pub fn configured(name: &str, conf: &str) -> Option<PathBuf> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = library("standin", &STANDIN.concat())?;
        std::fs::write(folder().join("shim.h"), SHIM).unwrap();
        Some(made)
    });
    let made = made.as_ref().or_else(|| {
        compiler();
        None
    })?;
    let own = folder().join(format!("{name}.so"));
    // What another run has loaded stays as it is.
    let _ = std::fs::remove_file(&own);
    std::fs::copy(made, &own).unwrap();
    std::fs::write(folder().join(format!("{name}.so.conf")), conf).unwrap();
    Some(own)
}

/// The devices of a library of its own for one test.
pub fn open(name: &str, conf: &str) -> Option<Result<Vec<Arc<Cuda>>, CudaError>> {
    let own = configured(name, conf)?;
    Some(wengert_cuda::from_libraries(&own, &own))
}

/// The first device of such a library.
pub fn device(name: &str, conf: &str) -> Option<Arc<Cuda>> {
    Some(open(name, conf)?.unwrap().remove(0))
}

/// A device that compiles so many programs at once.
pub fn on(device: &Cuda, at_once: usize) -> OnDevice<'_> {
    OnDevice::new(device, at_once, |programs, options| {
        device.compile_all(programs, options)
    })
}
