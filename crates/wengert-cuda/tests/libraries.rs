//! What is said where the driver, its compiler or a device is missing, or is another one than expected.

use std::path::Path;

use wengert::prelude::*;

use crate::standin::{configured, device, library, open};

#[test]
fn missing_libraries_are_named() {
    let nowhere = Path::new("/nowhere/libcuda.so");
    let said = wengert_cuda::from_libraries(nowhere, nowhere)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("its driver cannot be loaded (/nowhere/libcuda.so"),
        "{said}"
    );
    if let Some(driver) = configured("alone", "") {
        let said = wengert_cuda::from_libraries(&driver, nowhere)
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("NVRTC cannot be loaded (/nowhere/libcuda.so"),
            "{said}"
        );
        assert!(said.contains("nvidia-cuda-nvrtc-cu12"), "{said}");
    }
    // With or without a driver.
    match wengert_cuda::devices() {
        Ok(devices) => devices
            .iter()
            .for_each(|d| assert!(d.name().contains("CUDA"))),
        Err(e) => assert!(e.to_string().starts_with("CUDA: ")),
    }
}

#[test]
fn old_libraries_are_errors() {
    let source = "extern \"C\" int cuInit(unsigned) { return 0; }\n";
    let Some(old) = library("old", source) else {
        return;
    };
    let said = wengert_cuda::from_libraries(&old, &old)
        .unwrap_err()
        .to_string();
    let expected =
        "CUDA: the driver is too old, it has no cuDriverGetVersion; CUDA 11.0 or newer is needed";
    assert_eq!(said, expected);
    let driver = configured("young", "").unwrap();
    let said = wengert_cuda::from_libraries(&driver, &old)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("NVRTC is too old, it has no nvrtcVersion"),
        "{said}"
    );
}

#[test]
fn no_device_is_an_empty_list() {
    for (name, conf) in [("none", "init=100\n"), ("zero", "devices=0\n")] {
        if let Some(all) = open(name, conf) {
            assert!(all.unwrap().is_empty());
        }
    }
    if let Some(all) = open("fails", "init=3\n") {
        let said = all.unwrap_err().to_string();
        assert!(said.starts_with("CUDA: cuInit failed with 3: "), "{said}");
    }
}

fn twice(device: wengert::Device) -> wengert::Result<f64> {
    jit(|x: Var| x + x).on(device).call(2.0)?.item()
}

/// A device that the compiler does not know gets code of an older one, and the driver compiles it further.
#[test]
fn newer_and_older_devices() {
    for (name, conf) in [("known", "capability=80\n"), ("newer", "capability=89\n")] {
        if let Some(device) = device(name, conf) {
            assert_eq!(twice(device.into()).unwrap(), 4.0);
        }
    }
    if let Some(device) = device("older", "capability=35\n") {
        let said = twice(device.into()).unwrap_err().to_string();
        let expected = "NVRTC 12.4 has no code for compute capability 3.5, only from 5.0 on";
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn what_the_compiler_says_is_in_the_error() {
    if let Some(device) = device("refuses", "accepts=0\n") {
        let said = twice(device.into()).unwrap_err().to_string();
        assert!(
            said.contains("nvrtcCompileProgram failed with 6: NVRTC_ERROR_COMPILATION"),
            "{said}"
        );
        assert!(
            said.contains("kernels.cu(7): error: it is refused"),
            "{said}"
        );
    }
}

/// What is built and still used is not built again.
#[test]
fn equal_sources_are_built_once() {
    if let Some(device) = device("equal", "accepts=1\n") {
        let device = wengert::Device::from(device);
        let [f, g] = [0, 1].map(|_| jit(|x: Var| x + x).on(&device));
        for f in [&f, &g] {
            assert_eq!(f.call(2.0).unwrap().item::<f64>().unwrap(), 4.0);
        }
        let other = jit(|x: Var| x * x * x).on(&device).call(2.0);
        let said = other.unwrap_err().to_string();
        assert!(said.contains("it is refused"), "{said}");
    }
}

/// NVRTC compiles what it is given, to machine code and to code for newer devices; the stand-in cannot run that.
#[test]
fn nvrtc_compiles() {
    let named = std::env::var_os("WENGERT_NVRTC").filter(|file| !file.is_empty());
    let Some(nvrtc) = named else {
        eprintln!("WENGERT_NVRTC names no compiler: this test has run nothing");
        return;
    };
    for capability in [80, 90, 95] {
        let conf = format!("capability={capability}\n");
        let Some(driver) = configured(&format!("nvrtc_{capability}"), &conf) else {
            return;
        };
        let device = wengert_cuda::from_libraries(&driver, nvrtc.as_ref())
            .unwrap()
            .remove(0);
        let said = twice(device.into()).unwrap_err().to_string();
        assert!(said.contains("cuModuleLoadData failed with 200"), "{said}");
    }
}
