//! What a straight line in lanes keeps in registers from one use to the next.

use crate::common::compare::agree;
use crate::common::*;
use wengert_jit::{Options, Vectors};
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
