//! A device computes what every back end must compute. Compilers of devices are slow, so `cargo test` runs a part: so many files,
//! operations, functions and generated programs as `WENGERT_OPENCL_FILES`, `_OPERATIONS`, `_FUNCTIONS` and `_PROGRAMS` say runs
//! more, programs from the seed `WENGERT_OPENCL_SEED` on.

use std::sync::Arc;

use wengert_c::Dialect;
use wengert_c::kernels::{Grain, Kernels};
use wengert_check::conformance::{Example, check, files, functions, generated, operations};
use wengert_check::program::Limits;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::target::Target;
use wengert_loop::testing::{Interpreter, Runner, Stopped};

use crate::suite::{OnDevice, device, joined};

/// Small programs, since compilers of devices take long for large ones.
const LIMITS: Limits = Limits {
    depth: 3,
    nesting: 2,
};

/// One thread does what it can: few kernels, which compile fast.
const COARSE: Grain = Grain {
    lanes: usize::MAX,
    chains: usize::MAX,
    row_lanes: usize::MAX,
    row_chains: usize::MAX,
    row_steps: 0,
};

/// Everything that can be a kernel is one.
const FINE: Grain = Grain {
    lanes: 1,
    chains: 1,
    row_lanes: 1,
    row_chains: 1,
    row_steps: 64,
};

/// So many of the examples, evenly, as an environment variable says; else the number given. All take minutes.
fn some(examples: Vec<Example>, variable: &str, n: usize) -> Vec<Example> {
    let n = std::env::var(variable).map_or(n, |n| n.parse().unwrap());
    let step = examples.len().div_ceil(n.max(1)).max(1);
    examples.into_iter().step_by(step).collect()
}

/// Examples with others, so many at a time.
fn together(examples: &[Example], n: usize) -> Vec<Example> {
    examples.chunks(n).map(joined).collect()
}

#[test]
fn files_on_a_device() {
    let Some(device) = device() else { return };
    let device = device.with_zeroed_results();
    // One run of each file.
    let mut seen = std::collections::HashSet::new();
    let mut first = |e: &Example| seen.insert(e.name.split(',').next().unwrap().to_string());
    let all: Vec<Example> = match std::env::var("WENGERT_OPENCL_FILES").is_ok() {
        true => files(),
        false => files().into_iter().filter(|e| first(e)).collect(),
    };
    let all = some(all, "WENGERT_OPENCL_FILES", 12);
    let fine = Arc::new(device.with_grain(FINE));
    check(&OnDevice(fine, 64), &all).unwrap();
}

#[test]
fn operations_on_a_device() {
    let Some(device) = device() else { return };
    let coarse = Arc::new(device.with_grain(COARSE));
    let all = some(operations(), "WENGERT_OPENCL_OPERATIONS", 160);
    check(&OnDevice(coarse, 4), &together(&all, 80)).unwrap();
}

#[test]
fn functions_on_a_device() {
    let Some(device) = device() else { return };
    let coarse = Arc::new(device.with_grain(COARSE));
    let all = some(functions(), "WENGERT_OPENCL_FUNCTIONS", 12);
    check(&OnDevice(coarse, 4), &together(&all, 6)).unwrap();
}

#[test]
fn programs_on_a_device() {
    let Some(device) = device() else { return };
    let n = std::env::var("WENGERT_OPENCL_PROGRAMS").map_or(8, |n| n.parse().unwrap());
    let seed = std::env::var("WENGERT_OPENCL_SEED").map_or(1, |n| n.parse().unwrap());
    let all = generated(seed, n, &LIMITS).unwrap();
    let (mut fine, mut usual) = (vec![], vec![]);
    for (i, example) in all.into_iter().enumerate() {
        match i / 4 % 2 {
            0 => usual.push(example),
            _ => fine.push(example),
        }
    }
    check(&OnDevice(device.clone(), 16), &usual).unwrap();
    let device = Arc::new(device.with_grain(FINE));
    check(&OnDevice(device, 16), &fine).unwrap();
}

/// A joined example is the examples.
#[test]
fn examples_are_joined() {
    let all = operations();
    let few = &all[..40];
    let both = joined(few);
    wengert_loop::loops::verify::verify(&both.program).unwrap();
    let apart = few.iter().map(|e| Interpreter.run(&e.program, &e.inputs));
    let apart: Result<Vec<_>, Stopped> = apart.collect();
    let apart: Vec<_> = apart.unwrap().into_iter().flatten().collect();
    let together = Interpreter.run(&both.program, &both.inputs).unwrap();
    assert_eq!(wengert_loop::testing::difference(&together, &apart), None);
}

/// The sources for CUDA of the suite and of two ensembles go to a folder, if an environment variable names one:
/// `crates/wengert-opencl/tools/nvrtc.py` compiles them.
#[test]
fn texts_for_cuda() {
    let Ok(folder) = std::env::var("WENGERT_CUDA_TEXTS") else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, examples: &[Example], grain: Grain| {
        let mut kernels = Kernels::new(Dialect::Cuda).grain(grain);
        for e in examples {
            kernels.add(&prepare(&e.program)).unwrap();
        }
        std::fs::write(format!("{folder}/{name}.cu"), kernels.source()).unwrap();
    };
    write("files", &files(), FINE);
    for (name, all) in [("operations", operations()), ("functions", functions())] {
        for (i, part) in together(&all, 200).iter().enumerate() {
            write(&format!("{name}_{i}"), std::slice::from_ref(part), COARSE);
        }
    }
    for (i, part) in generated(1, 40, &LIMITS).unwrap().chunks(4).enumerate() {
        write(&format!("programs_{i}"), part, Grain::default());
    }
    let ensembles = crate::ensembles::examples(1000, 1000, 1_000_000, &Target::default());
    for e in &ensembles {
        write(&e.name, std::slice::from_ref(e), Grain::default());
    }
}
