//! A device computes what every back end must compute. Compilers of devices are slow, so `cargo test` runs a part: so many files,
//! operations, functions and generated programs as `WENGERT_OPENCL_FILES`, `_OPERATIONS`, `_FUNCTIONS` and `_PROGRAMS` say runs
//! more, programs from the seed `WENGERT_OPENCL_SEED` on.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use wengert_c::Dialect;
use wengert_c::kernels::{Grain, Kernels, Step};
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
    let folder = std::env::var("WENGERT_CUDA_TEXTS").ok();
    let write = |name: &str, examples: &[Example], grain: Grain| {
        let mut kernels = Kernels::new(Dialect::Cuda).grain(grain);
        let mut launched = vec![];
        for e in examples {
            names(
                &kernels.add(&prepare(&e.program)).unwrap().steps,
                &mut launched,
            );
        }
        let source = kernels.source();
        assert!(!launched.is_empty(), "{name}");
        for kernel in launched {
            assert!(
                source.contains(&format!("W_KERNEL void {kernel}(")),
                "{name}: {kernel}"
            );
        }
        syntax(name, &source);
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(format!("{folder}/{name}.cu"), source).unwrap();
        }
    };
    write("files", &files(), FINE);
    let ensembles = crate::ensembles::examples(1000, 1000, 1_000_000, &Target::default());
    for e in &ensembles {
        write(&e.name, std::slice::from_ref(e), Grain::default());
    }
    if folder.is_none() {
        return;
    }
    for (name, all) in [("operations", operations()), ("functions", functions())] {
        for (i, part) in together(&all, 200).iter().enumerate() {
            write(&format!("{name}_{i}"), std::slice::from_ref(part), COARSE);
        }
    }
    for (i, part) in generated(1, 40, &LIMITS).unwrap().chunks(4).enumerate() {
        write(&format!("programs_{i}"), part, Grain::default());
    }
}

/// The names of the kernels that steps launch.
fn names(steps: &[Step], all: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Launch(l) => all.push(l.kernel.clone()),
            Step::Rows(r) => names(&r.steps, all),
            Step::For { steps, .. } => names(steps, all),
            Step::While { cond, steps, .. } => {
                names(cond, all);
                names(steps, all);
            }
            Step::If {
                then, otherwise, ..
            } => {
                names(then, all);
                names(otherwise, all);
            }
        }
    }
}

/// What a compiler of C++ must be told to read a text of CUDA.
const CUDA: &str = r#"
#define __device__
#define __global__
#define __shared__
#define __noinline__
struct Place { unsigned x, y, z; };
extern Place blockIdx, blockDim, threadIdx, gridDim;
void __syncthreads();
template <typename T> T atomicAdd(T*, T);
int atomicCAS(int*, int, int);
int __clzll(long long);
long long __double_as_longlong(double);
unsigned __float_as_uint(float);
double __longlong_as_double(long long);
float __uint_as_float(unsigned);
float __fsqrt_rn(float);
"#;

/// Checks a text of CUDA as one of C++, where there is a compiler.
fn syntax(name: &str, source: &str) {
    let compiler = Command::new("c++")
        .args(["-x", "c++", "-std=c++17", "-fsyntax-only", "-w", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut compiler) = compiler else {
        eprintln!("there is no compiler of C++: {name} is not checked");
        return;
    };
    let text = format!("#include <cmath>\n{CUDA}{source}");
    let mut input = compiler.stdin.take().unwrap();
    let written = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let out = compiler.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let said: String = said.chars().take(2000).collect();
    assert!(out.status.success(), "{name}: {said}");
}
