//! A device computes what every back end must compute. Compilers of devices are slow, so `cargo test` runs a part; the
//! variables of [`Sample`] that begin with `WENGERT_OPENCL` run more.

use wengert_c::kernels::Grain;
use wengert_check::conformance::{Example, Sample, check};

use crate::suite::{device, on};

const SAMPLE: Sample = Sample("WENGERT_OPENCL");

#[test]
fn files_on_a_device() {
    let Some(device) = device() else { return };
    let fine = device.with_zeroed_results().with_grain(Grain::FINE);
    check(&on(&fine, 64), &SAMPLE.files(12)).unwrap();
}

#[test]
fn operations_on_a_device() {
    let Some(device) = device() else { return };
    let coarse = device.with_grain(Grain::COARSE);
    check(&on(&coarse, 4), &SAMPLE.operations(160, 80)).unwrap();
}

#[test]
fn functions_on_a_device() {
    let Some(device) = device() else { return };
    let coarse = device.with_grain(Grain::COARSE);
    check(&on(&coarse, 4), &SAMPLE.functions(12, 6)).unwrap();
}

#[test]
fn programs_on_a_device() {
    let Some(device) = device() else { return };
    let all = SAMPLE.programs(8).unwrap();
    let numbered = all.into_iter().enumerate();
    let (usual, fine): (Vec<_>, Vec<_>) = numbered.partition(|(i, _)| i / 4 % 2 == 0);
    let examples =
        |all: Vec<(usize, Example)>| -> Vec<Example> { all.into_iter().map(|(_, e)| e).collect() };
    check(&on(&device, 16), &examples(usual)).unwrap();
    let device = device.with_grain(Grain::FINE);
    check(&on(&device, 16), &examples(fine)).unwrap();
}
