//! A device computes what every back end must compute. `cargo test` runs a part; the variables of [`Sample`] that begin
//! with `WENGERT_CUDA` run more. With `WENGERT_CUDA_REAL`, the first device of the driver that is installed whose name
//! contains `WENGERT_CUDA_DEVICE` runs it in place of the stand-in.

use std::sync::Arc;

use wengert_c::kernels::Grain;
use wengert_check::conformance::{Sample, check, ensembles};
use wengert_cuda::Cuda;
use wengert_run::{Device, Options};

use crate::standin::{self, on};

const SAMPLE: Sample = Sample("WENGERT_CUDA");

fn device(name: &str) -> Option<Arc<Cuda>> {
    if std::env::var_os("WENGERT_CUDA_REAL").is_none() {
        return standin::device(name, "");
    }
    let wanted = std::env::var("WENGERT_CUDA_DEVICE").unwrap_or_default();
    let all = wengert_cuda::machines().unwrap();
    let found = all.into_iter().find(|d| d.name().contains(&wanted));
    if found.is_none() {
        eprintln!("no device of CUDA is called {wanted:?}: this test has run nothing");
    }
    found
}

#[test]
fn files_on_a_device() {
    let Some(device) = device("files") else {
        return;
    };
    let fine = device.with_zeroed_results().with_grain(Grain::FINE);
    check(&on(&fine, 64), &SAMPLE.files(20)).unwrap();
}

#[test]
fn operations_on_a_device() {
    let Some(device) = device("operations") else {
        return;
    };
    let coarse = device.with_grain(Grain::COARSE);
    check(&on(&coarse, 4), &SAMPLE.operations(160, 80)).unwrap();
}

#[test]
fn functions_on_a_device() {
    let Some(device) = device("functions") else {
        return;
    };
    let coarse = device.with_grain(Grain::COARSE);
    check(&on(&coarse, 4), &SAMPLE.functions(12, 6)).unwrap();
}

#[test]
fn programs_on_a_device() {
    let Some(device) = device("programs") else {
        return;
    };
    let fine = device.with_grain(Grain::FINE);
    let all = SAMPLE.programs(8).unwrap();
    for (part, some) in all.chunks(4).enumerate() {
        let cut = if part % 2 == 0 { &*device } else { &fine };
        check(&on(cut, 4), some).unwrap();
    }
}

#[test]
fn ensembles_on_a_device() {
    let Some(device) = device("ensembles") else {
        return;
    };
    let all = ensembles(50, 10, 2000, &device.target(&Options::default()));
    check(&on(&device, 6), &all).unwrap();
}
