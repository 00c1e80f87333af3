//! Sources of CUDA: they are C++, and have all kernels that their plans launch.

use std::io::Write as _;
use std::process::{Command, Stdio};

use wengert_c::Dialect;
use wengert_c::kernels::{Grain, Kernels};
use wengert_check::conformance::{
    Example, ensembles, files, functions, generated, joined, operations,
};
use wengert_check::program::Limits;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::target::Target;

use crate::standin::{SHIM, compiler};

/// Small programs, since compilers of devices take long for large ones.
const LIMITS: Limits = Limits {
    depth: 3,
    nesting: 2,
};

/// The sources for CUDA of the suite and of two ensembles go to a folder, if an environment variable names one:
/// `crates/wengert-cuda/tools/nvrtc.py` compiles them.
#[test]
fn texts() {
    let folder = std::env::var("WENGERT_CUDA_TEXTS").ok();
    let write = |name: &str, examples: &[Example], grain: Grain| {
        let mut kernels = Kernels::new(Dialect::Cuda).grain(grain);
        let mut launched = vec![];
        for e in examples {
            let plan = kernels.add(&prepare(&e.program)).unwrap();
            launched.extend(plan.kernels().into_iter().map(str::to_string));
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
    write("files", &files(), Grain::FINE);
    let ensembles = ensembles(1000, 1000, 1_000_000, &Target::default());
    for e in &ensembles {
        write(&e.name, std::slice::from_ref(e), Grain::default());
    }
    if folder.is_none() {
        return;
    }
    // A function is hundreds of operations.
    let all = [
        ("operations", operations(), 100),
        ("functions", functions(), 6),
    ];
    for (name, all, n) in all {
        for (i, part) in all.chunks(n).map(joined).enumerate() {
            write(&format!("{name}_{i}"), &[part], Grain::COARSE);
        }
    }
    for (i, part) in generated(1, 40, &LIMITS).unwrap().chunks(4).enumerate() {
        write(&format!("programs_{i}"), part, Grain::default());
    }
}

/// Checks a text of CUDA as one of C++, where there is a compiler.
fn syntax(name: &str, source: &str) {
    let Some(cc) = compiler() else { return };
    let mut compiler = Command::new(cc)
        .args(["-x", "c++", "-std=c++17", "-fsyntax-only", "-w", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("{SHIM}{source}");
    let mut input = compiler.stdin.take().unwrap();
    let written = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let out = compiler.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let said: String = said.chars().take(2000).collect();
    assert!(out.status.success(), "{name}: {said}");
}
