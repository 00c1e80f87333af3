//! Calls: they are queued, fail late, depend on each other, and are cut where they need much memory.

use wengert_check::conformance::{chained_calls, cut_calls, failing_calls, wrong_arguments};

use crate::suite::device;

#[test]
fn results_are_arguments_of_other_calls() {
    if let Some(device) = device() {
        chained_calls(&*device).unwrap();
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    if let Some(device) = device() {
        wrong_arguments(&*device).unwrap();
    }
}

#[test]
fn a_failed_call_fails_those_that_depend_on_it() {
    if let Some(device) = device() {
        failing_calls(&*device).unwrap();
    }
}

#[test]
fn calls_are_cut_where_they_need_much_memory() {
    if let Some(device) = device() {
        cut_calls(&|bytes| Box::new(device.with_scratch(bytes))).unwrap();
    }
}

/// An array that one part of a program has put on a device is there for a function of another part.
#[test]
fn devices_are_the_same_whenever_they_are_listed() {
    if device().is_none() {
        return;
    }
    let first = || wengert::Device::from(wengert_opencl::devices().unwrap().remove(0));
    assert_eq!(first(), first());
    let x = wengert::Array::from([1.0, 2.0])
        .to_device(&first())
        .unwrap();
    let twice = wengert::jit(|x: wengert::Var| 2.0 * x).on(first());
    let y = twice.call(&x).unwrap();
    assert_eq!(y.device(), first());
    assert_eq!(y.to_vec::<f64>().unwrap(), [2.0, 4.0]);
}
