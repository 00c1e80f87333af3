//! Code for machines that are not at hand: there is some for all that can be asked for.

use crate::common::single::{OPS, Operands, signatures, single};
use crate::common::*;
use wengert_ir::ir::Type;
use wengert_ir::ops::random::random_bits;
use wengert_ir::schedule::lower;
use wengert_ir::trace::{Kind, Var, closed};
use wengert_jit::{Cpu, Options, Vectors, code_for};
use wengert_loop::elementary::Elementary;
use wengert_loop::elementary::chacha::Stream;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::builder::Builder;
use wengert_loop::loops::math::elementary;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Processors without AVX-512.
const NARROW: [Cpu; 3] = [Cpu::X86_64, Cpu::X86_64_V3, Cpu::ARM64];

/// A program has code for every machine, written out and not.
#[track_caller]
fn has_code(p: &Program, what: impl std::fmt::Display) {
    for cpu in NARROW.into_iter().chain([Cpu::X86_64_V4]) {
        for unroll in [false, true] {
            let options = Options {
                unroll,
                cpu,
                vectors: Vectors::AllLoops,
                ..Options::default()
            };
            match code_for(p, &options) {
                Ok(made) => assert!(made.size.bytes > 0, "{what} on {cpu}"),
                Err(e) => panic!("{what} on {cpu}: {e}"),
            }
        }
    }
}

#[test]
fn every_operation_has_code() {
    for op in OPS {
        for (ds, o) in signatures(op) {
            for operands in [Operands::Uniform, Operands::Lanes, Operands::LastUniform] {
                let p = single(op, &ds, o, 11, operands);
                has_code(&p, format!("{op:?} of {ds:?} to {o} ({operands:?})"));
            }
        }
    }
}

/// By a number that is known, rotations and shifts are written in other ways.
#[test]
fn shifts_by_constants_have_code() {
    for op in [Shl, Shr, ShrLogical, Rotl] {
        for (ds, d) in signatures(op) {
            let mut b = Build::new();
            let x = b.input(d, 11);
            let y = b.output(d, 11);
            let by = [0, 3, 8, 16].map(|bits| {
                let out = b.value(d, false);
                b.push(Stmt::Const { out, bits });
                out
            });
            b.vector(11, |b, _| {
                let mut v = b.load(x, row());
                for by in by {
                    v = b.op(op, &[v, by]);
                }
                b.store(y, row(), v);
            });
            has_code(&b.finish(), format!("{op:?} of {ds:?}"));
        }
    }
}

#[test]
fn folds_and_questions_have_code() {
    for d in [DType::F64, DType::F32, DType::I64, DType::I32, DType::U64] {
        for f in [FoldOp::Add, FoldOp::Mul, FoldOp::Min, FoldOp::Max] {
            let mut b = Build::new();
            let x = b.input(d, 11);
            let y = b.output(d, 1);
            let first = b.load(x, at(0));
            let n = b.constant(11i64);
            let out = b.for_loop(LoopKind::Vector, n, &[(first, true)], |b, _, p| {
                let v = b.load(x, row());
                vec![b.op(f.scalar(), &[p[0], v])]
            });
            let sum = b.op(Fold(f), &[out[0]]);
            b.store(y, at(0), sum);
            has_code(&b.finish(), format!("{f:?} of {d}"));
        }
    }
}

#[test]
fn elementary_functions_have_code() {
    for &f in Elementary::ALL {
        for dtype in [DType::F64, DType::F32] {
            for kind in [LoopKind::Vector, LoopKind::SERIAL] {
                let mut b = Builder::new();
                let n = 11;
                let y = b.buffer(dtype, n, BufferKind::Output(0));
                let x: Vec<BufferId> = (0..f.arity() as u32)
                    .map(|i| b.buffer(dtype, n, BufferKind::Input(i)))
                    .collect();
                let function = elementary(&mut b, f, dtype);
                let extent = b.i64(n as i64);
                b.for_(kind, extent, &[], |b, i, _| {
                    let at = b.affine(i);
                    let x: Vec<Value> = x.iter().map(|&x| b.load(x, &at)).collect();
                    let v = b.call(function, &x);
                    b.store(y, &at, v);
                    vec![]
                });
                has_code(&b.finish(), format!("{} of {dtype}", f.name()));
            }
        }
    }
}

#[test]
fn draws_have_code() {
    let key = Type::new(DType::U32, &[8]);
    let func = closed(Kind::Door, &[key], |x| {
        let start = Var::scalar(0u64);
        let ty = Type::new(DType::U64, &[1000]);
        let bits = random_bits(x[0], start, Stream::Draws, ty);
        vec![((bits >> 11).to(DType::F64) * 0.5f64.powi(53)).log()]
    });
    has_code(&lower(&func.func).expect("a program"), "a draw");
}

/// Products, sorted rows and what runs on several threads.
#[test]
fn kernels_and_threads_have_code() {
    let ty = |dims: &[usize]| Type::new(DType::F64, dims);
    let func = closed(Kind::Door, &[ty(&[64, 64]), ty(&[100_000])], |x| {
        vec![x[0].dot(x[0]), x[1].sort(0).sin(), x[1].sum()]
    });
    has_code(&lower(&func.func).expect("a program"), "kernels");
}

/// Lanes that run for different times, with a choice and a limit inside.
#[test]
fn divergent_loops_have_code() {
    for d in [DType::F64, DType::F32] {
        let mut b = Build::new();
        let x = b.input(d, 13);
        let y = b.output(d, 13);
        b.vector(13, |b, _| {
            let v = b.load(x, row());
            let (zero, one) = (b.constant(0i64), b.constant(1i64));
            let most = b.op_to(Convert, DType::I64, &[v]);
            let out = b.while_loop(
                &[(v, true), (zero, true)],
                100,
                |b, p| b.op(Lt, &[p[1], most]),
                |b, p| {
                    let up = b.op(Lt, &[p[0], v]);
                    let next = b.if_else(
                        up,
                        |b| vec![b.op(Mul, &[p[0], p[0]])],
                        |b| vec![b.op(Rem, &[p[0], v])],
                    );
                    vec![next[0], b.op(Add, &[p[1], one])]
                },
            );
            b.store(y, row(), out[0]);
        });
        has_code(&b.finish(), format!("a while of {d}"));
    }
}
