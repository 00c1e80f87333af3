//! Whole calls: parallel loops, functions, copies, kernels, limits.

use std::sync::Arc;

use crate::common::compare::{agree, check};
use crate::common::*;
use smallvec::SmallVec;
use wengert_jit::{Options, RunError, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::builder::Builder;
use wengert_loop::loops::kernel::Gemm;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

fn numbers(n: usize) -> Data {
    Data::F64((0..n).map(|i| (i as f64 * 0.7).sin() * 5.0).collect())
}

fn always_parallel() -> Options {
    Options {
        parallel_above: 0,
        ..Options::default()
    }
}

/// Rows of a matrix in parallel, each with scratch of its task, a value from outside, and sums.
fn rows_in_parallel(rows: i64, n: i64) -> Program {
    let mut b = Build::new();
    let x = b.input(DType::F64, (rows * n) as usize);
    let scale = b.input(DType::F64, 1);
    let y = b.output(DType::F64, (rows * n) as usize);
    let sums = b.output(DType::F64, rows as usize);
    let total = b.output(DType::F64, 1);
    let scratch = b.buffer(DType::F64, n as usize, BufferKind::Task);
    let shared = b.buffer(DType::F64, rows as usize, BufferKind::Call);
    let k = b.load(scale, at(0));
    let k2 = b.op(Mul, &[k, k]);
    let flag = b.op(Lt, &[k, k2]);
    let extent = b.constant(rows);
    let lanes = b.constant(n);
    let zero = b.constant(0.0f64);
    b.for_loop(LoopKind::Parallel, extent, &[], |b, r, _| {
        let first = b.op(Mul, &[r, lanes]);
        let here = Index {
            base: Some(first),
            ..row()
        };
        b.vector(n, |b, _| {
            let v = b.load(x, here);
            let w = b.op(Fma, &[v, k, k2]);
            let u = b.op(Select, &[flag, w, v]);
            b.store(scratch, row(), u);
        });
        let sum = b.for_loop(LoopKind::Vector, lanes, &[(zero, true)], |b, _, p| {
            let v = b.load(scratch, row());
            let q = b.op(Mul, &[v, v]);
            b.store(y, here, q);
            vec![b.op(Add, &[p[0], v])]
        });
        let s = b.op(Fold(FoldOp::Add), &[sum[0]]);
        b.store(shared, base(r), s);
        b.store(sums, base(r), s);
        vec![]
    });
    let sum = b.for_loop(LoopKind::SERIAL, extent, &[(zero, false)], |b, i, p| {
        let v = b.load(shared, base(i));
        vec![b.op(Add, &[p[0], v])]
    });
    b.store(total, at(0), sum[0]);
    b.finish()
}

#[test]
fn parallel_loops_give_the_same_bits_on_any_number_of_threads() {
    for (rows, n) in [(0, 5), (1, 9), (37, 19), (300, 100)] {
        let p = rows_in_parallel(rows, n);
        let inputs = [numbers((rows * n) as usize), f64s(&[1.7])];
        let want = agree(&p, &inputs);
        let exe = compile(&p, &always_parallel()).expect("it compiles");
        let ins: Vec<&Data> = inputs.iter().collect();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            for _ in 0..5 {
                pool.install(|| check(&exe, &ins, &want));
                check(&exe, &ins, &want);
            }
        }
        // Many calls of one executable at the same time.
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..5 {
                        check(&exe, &ins, &want);
                    }
                });
            }
        });
    }
}

/// `y = x < 0 ? -x : table[min(x, 3)] + c`, and `-y` if `negate`.
fn function(b: &mut Builder, table: BufferId) -> u32 {
    let types = [DType::F64, DType::F32, DType::Bool];
    b.function("f", &types, |b, p| {
        let &[x, c, negate] = p else {
            panic!("three parameters");
        };
        let zero = b.f64(0.0);
        let negative = b.op(Lt, &[x, zero]);
        let y = b.if_(
            negative,
            |b| vec![b.op(Neg, &[x])],
            |b| {
                let three = b.f64(3.0);
                let min = b.op(Min, &[x, three]);
                let n = b.convert(min, DType::I64);
                let entry = b.load(table, &b.affine(n));
                let c = b.convert(c, DType::F64);
                vec![b.add(entry, c)]
            },
        )[0];
        let minus = b.op(Neg, &[y]);
        b.select(negate, minus, y)
    })
}

#[test]
fn functions_inlined_and_called() {
    for calls in [1, 200] {
        for n in [1i64, 8, 21] {
            let mut b = Build::new();
            let x = b.input(DType::F64, n as usize);
            let y = b.output(DType::F64, n as usize);
            let z = b.output(DType::F64, 1);
            let table = b.table(
                DType::F64,
                [0.5f64, 1.5, 2.5, 3.5]
                    .iter()
                    .map(|x| x.to_bits())
                    .collect(),
            );
            let f = function(&mut b, table);
            let c = b.constant(0.25f32);
            let body = |b: &mut Build, v: Value| {
                let mut sum = v;
                for i in 0..calls {
                    let shift = b.constant(i as f64 * 0.01);
                    let a = b.op(Sub, &[v, shift]);
                    let p = b.op(Lt, &[sum, a]);
                    let r = b.call(f, &[a, c, p]);
                    sum = b.op(Add, &[sum, r]);
                }
                sum
            };
            b.vector(n, |b, _| {
                let v = b.load(x, row());
                let s = body(b, v);
                b.store(y, row(), s);
            });
            let v = b.load(x, at(0));
            let s = body(&mut b, v);
            b.store(z, at(0), s);
            agree(&b.finish(), &[numbers(n as usize)]);
        }
    }
}

#[test]
fn loops_end_within_their_limit() {
    for lanes in [false, true] {
        let mut b = Build::new();
        let x = b.input(DType::I64, 8);
        let y = b.output(DType::I64, 8);
        let go = |b: &mut Build, v: Value| {
            b.while_loop(
                &[(v, lanes)],
                10,
                |b, p| {
                    let zero = b.constant(0i64);
                    b.op(Lt, &[zero, p[0]])
                },
                |b, p| {
                    let one = b.constant(1i64);
                    vec![b.op(Sub, &[p[0], one])]
                },
            )[0]
        };
        if lanes {
            b.vector(8, |b, _| {
                let v = b.load(x, row());
                let r = go(b, v);
                b.store(y, row(), r);
            });
        } else {
            b.serial(8, |b, i| {
                let v = b.load(x, base(i));
                let r = go(b, v);
                b.store(y, base(i), r);
            });
        }
        let exe = b.compile();
        let ok = try_run(
            &exe,
            &[i64s(&[3, 10, 0, 1, 2, 3, 4, 5])],
            &[(DType::I64, 8)],
        );
        assert_eq!(ok, Ok(vec![i64s(&[0; 8])]));
        let over = try_run(
            &exe,
            &[i64s(&[3, 11, 0, 1, 2, 3, 4, 5])],
            &[(DType::I64, 8)],
        );
        assert_eq!(
            over,
            Err(RunError::Stopped(While::endless(10, None).error()))
        );
    }
}

#[test]
fn copies_and_products() {
    for (m, n, k) in [
        (1usize, 1, 1),
        (3, 4, 5),
        (17, 8, 9),
        (9, 70, 80),
        (0, 3, 2),
        (3, 2, 0),
    ] {
        let mut b = Build::new();
        let a = b.input(DType::F64, m * k);
        let c = b.input(DType::F64, k * n);
        let y = b.output(DType::F64, m * n);
        let z = b.output(DType::F64, m * n);
        let t = b.buffer(DType::F64, m * k, BufferKind::Call);
        b.copy((t, at(0)), (a, at(0)), m * k);
        if m * n > 0 {
            b.push(Stmt::Kernel {
                kernel: Arc::new(Gemm {
                    dtype: DType::F64,
                    m,
                    n,
                    k,
                    c: (n, 1),
                    a: (k, 1),
                    b: (n, 1),
                }),
                regions: SmallVec::from_slice(&[(y, at(0)), (t, at(0)), (c, at(0))]),
                at: Origin::default(),
            });
        }
        b.copy((z, at(0)), (y, at(0)), m * n);
        let p = b.finish();
        let inputs: Vec<Data> = [m * k, k * n]
            .iter()
            .map(|&len| Data::F64((0..len).map(|i| (i % 7) as f64 - 3.0).collect()))
            .collect();
        // Small integers: products are exact in any order.
        agree(&p, &inputs);
    }
}

/// Frames on the stack stay small, however long the program.
#[test]
fn long_programs_have_small_frames() {
    let mut b = Build::new();
    let x = b.input(DType::F64, 64);
    let y = b.output(DType::F64, 1);
    let v = b.load(x, at(0));
    let mut line = vec![v];
    for i in 0..8000 {
        let last = *line.last().unwrap();
        let w = b.load(x, at(i % 64));
        line.push(b.op(Fma, &[last, w, v]));
    }
    let mut sum = v;
    for &t in line.iter().rev() {
        sum = b.op(Fma, &[sum, v, t]);
    }
    b.store(y, at(0), sum);
    let p = b.finish();
    let inputs = [Data::F64((0..64).map(|i| 0.01 * f64::from(i)).collect())];
    let want = agree(&p, &inputs);
    let exe = compile(&p, &Options::default()).expect("it compiles");
    let ins: Vec<&Data> = inputs.iter().collect();
    std::thread::scope(|s| {
        let small = std::thread::Builder::new().stack_size(96 << 10);
        small
            .spawn_scoped(s, || check(&exe, &ins, &want))
            .expect("a thread")
            .join()
            .expect("its stack is enough");
    });
}
