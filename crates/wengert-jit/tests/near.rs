//! What a straight line in lanes keeps in registers from one use to the next.

use crate::common::compare::agree;
use crate::common::*;
use wengert_jit::{Cpu, Options, Vectors, code_for};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Values from outside of a loop are in the frame; a long line that uses two of them again and again
/// loads each once a chain, and so a constant.
#[test]
fn what_is_used_again_soon_is_loaded_once() {
    let mut b = Build::new();
    let x = b.input(DType::F64, 16);
    let y = b.output(DType::F64, 16);
    b.vector(16, |b, _| {
        let u = b.load(x, row());
        let v = b.op(Mul, &[u, u]);
        let steps = b.constant(100i64);
        let serial = LoopKind::SERIAL;
        let last = b.for_loop(serial, steps, &[(u, true)], |b, _, carried| {
            let half = b.constant(0.5);
            let mut sum = carried[0];
            for _ in 0..40 {
                let t = b.op(Mul, &[sum, u]);
                let t = b.op(Add, &[t, v]);
                sum = b.op(Mul, &[t, half]);
            }
            vec![sum]
        });
        b.store(y, row(), last[0]);
    });
    let exe = b.compile_with(&Options {
        listing: true,
        vectors: Vectors::Functions,
        ..Options::default()
    });
    let functions = &exe.listing().expect("it was asked for").functions;
    let listing: String = functions.iter().map(|f| f.text.as_str()).collect();
    let loads = listing.matches("load.f64x2").count();
    // Once for each of four chains and each segment of the line; 480 if each use loaded its operand.
    assert!((4..=64).contains(&loads), "{loads} loads:\n{listing}");
}

/// Many more values than registers, used near and far, in an order that keeps changing.
#[test]
fn more_values_than_registers() {
    for n in [1, 8, 13, 24] {
        for dtype in [DType::F64, DType::F32, DType::I64, DType::I32] {
            let mut b = Build::new();
            let count = 37;
            let x = b.input(dtype, count * n as usize);
            let y = b.output(dtype, n as usize);
            b.vector(n, |b, _| {
                let values: Vec<Value> = (0..count as i64)
                    .map(|k| {
                        b.load(
                            x,
                            Index {
                                offset: k * n,
                                ..row()
                            },
                        )
                    })
                    .collect();
                let mut sum = values[0];
                for step in 0..300usize {
                    let near = values[step * step % 5];
                    let far = values[step * 7 % count];
                    let (low, high) = (b.op(Min, &[near, far]), b.op(Sub, &[far, sum]));
                    let less = b.op(Lt, &[near, sum]);
                    sum = b.op(Select, &[less, low, high]);
                }
                b.store(y, row(), sum);
            });
            let numbers = (0..count * n as usize).map(|i| (i * 7919 % 101) as f64 - 50.0);
            let data = match dtype {
                DType::F64 => Data::F64(numbers.collect()),
                DType::F32 => Data::F32(numbers.map(|x| x as f32).collect()),
                DType::I64 => Data::I64(numbers.map(|x| x as i64).collect()),
                _ => Data::I32(numbers.map(|x| x as i32).collect()),
            };
            agree(&b.finish(), &[data]);
        }
    }
}

/// A loop whose carried float comes from before a call, or is used after one, runs in registers: only a value
/// that must outlive a call within a step goes through memory.
#[test]
fn a_call_beside_a_loop_leaves_its_carries_in_registers() {
    let calls = [
        ("a parallel loop", "for parallel p < many { b1[p] = zero }"),
        ("a copy", "copy 100: b1[0] = b0[0]"),
        ("a kernel", "sort 1x100: b1[0], b2[0]"),
        ("a remainder", "r: f64 = rem x, half  b1[0] = r"),
    ];
    let before = "s: f64 = for k < many (t = x) { u: f64 = fma t, half, half  b1[k] = u  yield u }";
    let after = "a: f64 = for m < many (b = s) { c: f64 = fma b, half, x  b1[m] = c  yield c }";
    for (what, call) in calls {
        let text = format!(
            "b0: f64[100] input 0  b1: f64[100] output 0  b2: i64[100] output 1  b3: f64[2] output 2
             many: i64 = 100  zero: f64 = 0.0  half: f64 = 0.5  x: f64 = b0[0]
             {before} {call} {after} b3[0] = a  b3[1] = s"
        );
        let program = Program::parse(&text).expect("a program");
        let options = Options {
            listing: true,
            unroll: false,
            cpu: Cpu::X86_64_V3,
            ..Options::default()
        };
        let made = code_for(&program, &options).expect("it compiles");
        let functions = made.functions.expect("they were asked for");
        let main = &functions[0].assembly;
        let spills = |l: &&str| l.contains("xmm") && l.contains("%rsp");
        let spilled: Vec<&str> = main.lines().filter(spills).collect();
        assert!(
            main.contains("call ") && spilled.is_empty(),
            "{what}: {spilled:?}\n{main}"
        );
        let values: Vec<f64> = (0..100).map(|i| f64::from(i) / 8.0).collect();
        agree(&program, &[f64s(&values)]);
    }
}
