//! What every back end must compute, by Cranelift and in registers of 256 and of 512 bits.

use wengert_check::conformance::{Candidate, Each, check, functions, generated, operations};
use wengert_check::program::Limits;
use wengert_jit::{Cpu, Cranelift, Options, Vectors};
use wengert_run::testing::With;

/// Both code generators, at every width.
fn candidates() -> Vec<Box<dyn Candidate>> {
    let narrow = Options {
        cpu: Cpu::baseline(),
        ..Options::default()
    };
    let wide = |cpu: Cpu| Options {
        cpu: match cpu.runs_here() {
            true => cpu,
            false => Cpu::host(),
        },
        vectors: Vectors::AllLoops,
        unroll: false,
        ..Options::default()
    };
    vec![
        Box::new(Each("vectors of 128 bits", With(Cranelift, narrow))),
        Box::new(Each(
            "vectors of 256 bits",
            With(Cranelift, wide(Cpu::X86_64_V3)),
        )),
        Box::new(Each(
            "vectors of 512 bits",
            With(Cranelift, wide(Cpu::X86_64_V4)),
        )),
    ]
}

#[test]
fn tables() {
    let examples = [operations(), functions()].concat();
    for candidate in candidates() {
        check(&*candidate, &examples).unwrap();
    }
}

#[test]
fn programs() {
    let limits = Limits {
        depth: 3,
        nesting: 2,
    };
    let examples = generated(1, 60, &limits).unwrap();
    for candidate in candidates() {
        check(&*candidate, &examples).unwrap();
    }
}
