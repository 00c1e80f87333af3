//! C computes what every back end must compute.

use wengert_c::{CError, Port, Unit};
use wengert_check::conformance::{Example, check, files, functions, generated, operations};

use wengert_check::program::Limits;

use crate::common::compiler;
use crate::common::suite::C;

/// Small programs, since a compiler of C takes long for large ones.
const LIMITS: Limits = Limits {
    depth: 3,
    nesting: 2,
};

/// Whether there is C for an example.
fn supported(example: &Example) -> Result<(), CError> {
    let (inputs, outputs) = Port::of(&example.program);
    Unit::new("one").add(&example.program, "one_program", &inputs, &outputs)
}

#[test]
fn files_in_c() {
    if compiler().is_some() {
        let (mut written, mut refused) = (vec![], vec![]);
        for example in files() {
            match supported(&example) {
                Ok(()) => written.push(example),
                Err(e) => refused.push(format!("{}: {e}", example.name)),
            }
        }
        // What a library of Rust computes has the bits of that library.
        assert!(
            refused
                .iter()
                .all(|r| r.starts_with("fft.loop") && r.contains("Fourier")),
            "{refused:?}"
        );
        assert_eq!(refused.len(), 1);
        check(&C(&["-O1"]), &written).unwrap();
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

#[test]
fn programs_in_c() {
    let n = std::env::var("WENGERT_C_PROGRAMS").map_or(300, |n| n.parse().unwrap());
    if compiler().is_some() {
        check(&C(&["-O1"]), &generated(1, n, &LIMITS).unwrap()).unwrap();
    }
}
