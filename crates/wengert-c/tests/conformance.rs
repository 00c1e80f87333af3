//! C computes what every back end must compute.

use std::process::Command;

use wengert_check::conformance::{check, files, functions, generated, operations};
use wengert_check::program::Limits;

use crate::common::compiler;
use crate::common::suite::{By, C};

/// Small programs, since a compiler of C takes long for large ones.
const LIMITS: Limits = Limits {
    depth: 3,
    nesting: 2,
};

#[test]
fn files_in_c() {
    if compiler().is_some() {
        check(&C(&["-O1"]), &files()).unwrap();
    }
}

#[test]
fn operations_in_c() {
    if compiler().is_some() {
        check(&C(&["-O2"]), &operations()).unwrap();
    }
}

#[test]
fn functions_in_c() {
    if compiler().is_some() {
        check(&C(&["-O2"]), &functions()).unwrap();
    }
}

/// The number of random programs, of which optimising compilers, which take long for them, get a part. The environment variable `WENGERT_C_PROGRAMS` sets another one.
fn programs() -> usize {
    std::env::var("WENGERT_C_PROGRAMS").map_or(100, |n| n.parse().unwrap())
}

/// Whether there is a compiler of this name. Says so if there is none.
fn is_there(cc: &str) -> bool {
    let found = Command::new(cc).arg("--version").output();
    let found = found.is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("there is no {cc}: this test has run nothing");
    }
    found
}

#[test]
fn programs_in_c() {
    if compiler().is_some() {
        check(&C(&["-O1"]), &generated(1, programs(), &LIMITS).unwrap()).unwrap();
    }
}

/// What Clang warns of differs from version to version.
#[test]
fn programs_by_clang() {
    if is_there("clang") {
        let clang = By("clang", &["-O2", "-Wno-error"]);
        check(&clang, &operations()).unwrap();
        check(&clang, &generated(1001, programs() / 4, &LIMITS).unwrap()).unwrap();
    }
}

/// With all instructions of the machine, among them those that a compiler would contract to if the text let it.
#[test]
fn programs_for_this_machine() {
    if is_there("gcc") {
        let gcc = By("gcc", &["-O3", "-march=native"]);
        check(&gcc, &generated(2001, programs() / 2, &LIMITS).unwrap()).unwrap();
    }
}

/// The dialect of GNU contracts products and sums unless it is told not to, and here it is told to.
#[test]
fn nothing_is_contracted() {
    if is_there("gcc") {
        let gcc = By(
            "gcc",
            &["-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast"],
        );
        check(&gcc, &generated(3001, programs() / 4, &LIMITS).unwrap()).unwrap();
    }
}
