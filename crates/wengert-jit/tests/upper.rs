//! Upper halves of vector registers are clear when generated code begins: with them in use, code
//! that mixes old and new vector instructions runs some hundred times slower on many processors.
#![cfg(target_arch = "x86_64")]

use crate::common::*;
use wengert_jit::{Options, compile};
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Whether some upper half is in use, if the processor says.
fn in_use() -> Option<bool> {
    if !std::arch::is_x86_feature_detected!("avx") {
        return None;
    }
    let features = std::arch::x86_64::__cpuid_count(0xd, 1).eax;
    if features & 4 == 0 {
        return None;
    }
    let low: u32;
    // SAFETY: the processor has `xgetbv` with this argument.
    unsafe {
        std::arch::asm!("xgetbv", in("ecx") 1, out("eax") low, out("edx") _, options(nomem, nostack));
    }
    Some(low & 4 != 0)
}

/// Uses an upper half; whether the processor noticed.
fn soil() -> bool {
    if !std::arch::is_x86_feature_detected!("avx2") {
        return false;
    }
    // SAFETY: the processor has AVX2.
    unsafe {
        std::arch::asm!("vpcmpeqd ymm0, ymm0, ymm0", out("xmm0") _, options(nomem, nostack));
    }
    in_use() == Some(true)
}

/// Whether clearing them can be seen at all.
fn visible() -> bool {
    if !soil() {
        return false;
    }
    // SAFETY: the processor has AVX, by `soil`.
    unsafe { std::arch::asm!("vzeroupper", options(nomem, nostack)) };
    in_use() == Some(false)
}

#[test]
fn a_call_begins_with_clear_registers() {
    if !visible() {
        return;
    }
    let mut b = Build::new();
    let x = b.input(DType::F64, 1);
    let y = b.output(DType::F64, 1);
    let v = b.load(x, at(0));
    let w = b.op(Add, &[v, v]);
    b.store(y, at(0), w);
    let exe = b.compile();
    let input = f64s(&[1.5]);
    let mut output = f64s(&[0.0]);
    soil();
    exe.run(&[&input], &mut [&mut output]).expect("it runs");
    // Nothing in the code sets them, so they are clear behind it if they were before.
    assert_eq!(in_use(), Some(false));
    assert_eq!(output, f64s(&[3.0]));
}

#[test]
fn tasks_begin_with_clear_registers() {
    if !visible() {
        return;
    }
    let mut b = Build::new();
    let n = 1000i64;
    let y = b.output(DType::F64, n as usize);
    let extent = b.constant(n);
    b.for_loop(LoopKind::Parallel, extent, &[], |b, i, _| {
        let f = b.op_to(Convert, DType::F64, &[i]);
        b.store(y, base(i), f);
        vec![]
    });
    let options = Options {
        parallel_above: 0,
        ..Options::default()
    };
    let exe = compile(&b.finish(), &options).expect("it compiles");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .expect("a pool");
    for _ in 0..20 {
        pool.broadcast(|_| soil());
        pool.install(|| {
            soil();
            let mut output = f64s(&vec![0.0; n as usize]);
            exe.run(&[], &mut [&mut output]).expect("it runs");
            assert_eq!(in_use(), Some(false));
        });
    }
}
