//! Vector loops: short blocks, divergence, memory of all kinds, folds.

use crate::common::compare::agree;
use crate::common::*;
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

const EXTENTS: [i64; 8] = [0, 1, 7, 8, 9, 16, 17, 29];

fn numbers(n: usize) -> Data {
    Data::F64((0..n).map(|i| (i as f64 * 0.7).sin() * 5.0).collect())
}

/// `n` numbers in each of the types that a vector loop treats in its own way.
fn columns(n: usize) -> Vec<Data> {
    vec![
        numbers(n),
        Data::F32((0..n).map(|i| (i as f32 * 0.3).cos() * 9.0).collect()),
        Data::I64((0..n).map(|i| (i as i64 * 7919) % 23 - 11).collect()),
        Data::I32((0..n).map(|i| (i as i32 * 31) % 17 - 8).collect()),
        Data::U8((0..n).map(|i| (i * 37) as u8).collect()),
        Data::Bool((0..n).map(|i| i % 3 == 1).collect()),
    ]
}

#[test]
fn rows_of_every_type_and_length() {
    for n in EXTENTS {
        for data in columns(n as usize) {
            let mut b = Build::new();
            let x = b.input(data.dtype(), n as usize);
            let y = b.output(data.dtype(), n as usize);
            let z = b.output(DType::F64, n as usize);
            b.vector(n, |b, _| {
                let v = b.load(x, row());
                b.store(y, row(), v);
                let w = b.op_to(Convert, DType::F64, &[v]);
                b.store(z, row(), w);
            });
            let out = agree(&b.finish(), std::slice::from_ref(&data));
            assert_eq!(out[0], data);
        }
    }
}

/// A matrix is read by rows and written by columns, beside memory that must not change.
#[test]
fn strides_and_neighbours() {
    for n in EXTENTS {
        for data in columns(3 * n as usize) {
            let d = data.dtype();
            let mut b = Build::new();
            let x = b.input(d, 3 * n as usize);
            let y = b.output(d, 3 * n as usize);
            let back = b.output(d, n as usize);
            b.serial(3, |b, k| {
                let m = b.constant(n);
                let first = b.op(Mul, &[k, m]);
                b.vector(n, |b, _| {
                    let v = b.load(
                        x,
                        Index {
                            base: Some(first),
                            ..row()
                        },
                    );
                    b.store(
                        y,
                        Index {
                            base: Some(k),
                            ..stride(3)
                        },
                        v,
                    );
                });
            });
            b.vector(n, |b, _| {
                let v = b.load(
                    x,
                    Index {
                        offset: n - 1,
                        ..stride(-1)
                    },
                );
                b.store(back, row(), v);
            });
            agree(&b.finish(), &[data]);
        }
    }
}

#[test]
fn gather_and_scatter() {
    for n in EXTENTS {
        let m = n.max(1) as usize;
        let permutation: Vec<u64> = (0..n as u64)
            .map(|i| (i * 5 + 2) % n.max(1) as u64)
            .collect();
        let distinct = n % 5 != 0;
        for data in columns(m) {
            let d = data.dtype();
            let mut b = Build::new();
            let x = b.input(d, m);
            let table = b.table(DType::I64, permutation.clone());
            let y = b.output(d, n as usize);
            let z = b.output(d, n as usize);
            let w = b.output(DType::I64, n as usize);
            b.vector(n, |b, i| {
                let p = b.load(table, row());
                let v = b.load(x, each(p));
                b.store(y, row(), v);
                if distinct {
                    b.store(z, each(p), v);
                }
                let two = b.constant(2i64);
                let j = b.op(Mul, &[i, two]);
                b.store(w, row(), j);
            });
            agree(&b.finish(), &[data]);
        }
    }
}

#[test]
fn sums_keep_their_order() {
    for n in EXTENTS {
        for data in columns(n as usize) {
            let d = data.dtype();
            let ops: &[FoldOp] = if d == DType::Bool {
                &[FoldOp::Min, FoldOp::Max]
            } else {
                &[FoldOp::Add, FoldOp::Mul, FoldOp::Min, FoldOp::Max]
            };
            for &f in ops {
                let op = match f {
                    FoldOp::Add => Add,
                    FoldOp::Mul => Mul,
                    FoldOp::Min => Min,
                    FoldOp::Max => Max,
                };
                let mut b = Build::new();
                let x = b.input(d, n as usize);
                let y = b.output(d, 1);
                let zero = b.value(d, false);
                b.push(Stmt::Const {
                    out: zero,
                    bits: u64::from(f == FoldOp::Mul),
                });
                let extent = b.constant(n);
                let sum = b.for_loop(LoopKind::Vector, extent, &[(zero, true)], |b, _, p| {
                    let v = b.load(x, row());
                    vec![b.op(op, &[p[0], v])]
                });
                let total = b.op(Fold(f), &[sum[0]]);
                b.store(y, at(0), total);
                agree(&b.finish(), std::slice::from_ref(&data));
            }
        }
    }
}

#[test]
fn branches_on_which_lanes_disagree() {
    for n in EXTENTS {
        for data in columns(n as usize) {
            let d = data.dtype();
            if d == DType::Bool {
                continue;
            }
            let mut b = Build::new();
            let x = b.input(d, n as usize);
            let y = b.output(d, n as usize);
            let z = b.output(DType::Bool, n as usize);
            let zero = b.value(d, false);
            b.push(Stmt::Const { out: zero, bits: 0 });
            b.vector(n, |b, _| {
                let v = b.load(x, row());
                let p = b.op(Lt, &[v, zero]);
                let r = b.if_else(
                    p,
                    |b| {
                        let w = b.op(Mul, &[v, v]);
                        // Stores of some lanes only.
                        b.store(z, row(), p);
                        let q = b.op(Lt, &[v, w]);
                        b.if_else(q, |b| vec![b.op(Neg, &[w])], |_| vec![v])
                    },
                    |b| vec![b.op(Add, &[v, v])],
                );
                b.store(y, row(), r[0]);
            });
            agree(&b.finish(), &[data]);
        }
    }
}

/// The two halves of a result come from two arrays: lanes that do not want one would read and write
/// beyond its end.
#[test]
fn a_branch_guards_its_rows() {
    for n in [1i64, 5, 8, 13, 24, 31] {
        let m = n / 2;
        let mut b = Build::new();
        let x = b.input(DType::F64, m as usize);
        let y = b.input(DType::F64, (n - m) as usize);
        let z = b.output(DType::F64, n as usize);
        let lower = b.output(DType::F64, m as usize);
        b.vector(n, |b, i| {
            let edge = b.constant(m);
            let p = b.op(Lt, &[i, edge]);
            let r = b.if_else(
                p,
                |b| {
                    let v = b.load(x, row());
                    b.store(lower, row(), v);
                    vec![v]
                },
                |b| {
                    vec![b.load(
                        y,
                        Index {
                            offset: -m,
                            ..row()
                        },
                    )]
                },
            );
            b.store(z, row(), r[0]);
        });
        agree(
            &b.finish(),
            &[numbers(m as usize), numbers((n - m) as usize)],
        );
    }
}

#[test]
fn scatters_of_some_lanes() {
    for n in EXTENTS {
        for data in columns(n as usize) {
            let d = data.dtype();
            let mut b = Build::new();
            let x = b.input(d, n as usize);
            let y = b.output(d, 2 * n as usize);
            b.vector(n, |b, i| {
                let v = b.load(x, row());
                let two = b.constant(2i64);
                let three = b.constant(3i64);
                let j = b.op(Mul, &[i, two]);
                let k = b.op(Rem, &[i, three]);
                let one = b.constant(1i64);
                let p = b.op(Eq, &[k, one]);
                b.if_else(
                    p,
                    |b| {
                        b.store(y, each(j), v);
                        vec![]
                    },
                    |b| {
                        b.store(
                            y,
                            Index {
                                offset: 1,
                                ..each(j)
                            },
                            v,
                        );
                        vec![]
                    },
                );
            });
            agree(&b.finish(), &[data]);
        }
    }
}

/// Collatz: every lane has its own number of steps.
#[test]
fn while_loops_of_lanes() {
    for n in EXTENTS {
        let mut b = Build::new();
        let x = b.input(DType::I64, n as usize);
        let y = b.output(DType::I64, n as usize);
        let z = b.output(DType::F32, n as usize);
        let zero = b.constant(0i64);
        let half = b.constant(0.5f32);
        b.vector(n, |b, _| {
            let v = b.load(x, row());
            let out = b.while_loop(
                &[(v, true), (zero, true), (half, true)],
                10_000,
                |b, p| {
                    let one = b.constant(1i64);
                    b.op(Lt, &[one, p[0]])
                },
                |b, p| {
                    let one = b.constant(1i64);
                    let three = b.constant(3i64);
                    let bit = b.op(And, &[p[0], one]);
                    let odd = b.op_to(Convert, DType::Bool, &[bit]);
                    let next = b.if_else(
                        odd,
                        |b| {
                            let t = b.op(Mul, &[p[0], three]);
                            vec![b.op(Add, &[t, one])]
                        },
                        |b| vec![b.op(Shr, &[p[0], one])],
                    );
                    let count = b.op(Add, &[p[1], one]);
                    let f = b.op(Mul, &[p[2], p[2]]);
                    let f = b.op(Add, &[f, half]);
                    vec![next[0], count, f]
                },
            );
            b.store(y, row(), out[1]);
            b.store(z, row(), out[2]);
        });
        let starts = Data::I64((0..n).map(|i| 1 + (i * 13) % 40).collect());
        agree(&b.finish(), &[starts]);
    }
}

#[test]
fn loops_whose_extent_differs_by_lane() {
    for n in EXTENTS {
        for reverse in [false, true] {
            let mut b = Build::new();
            let starts = b.input(DType::I64, n as usize);
            let lens = b.input(DType::I64, n as usize);
            let x = b.input(DType::F64, 64);
            let y = b.output(DType::F64, n as usize);
            let zero = b.constant(0.0f64);
            b.vector(n, |b, _| {
                let start = b.load(starts, row());
                let len = b.load(lens, row());
                let sum = b.for_loop(
                    LoopKind::Serial { reverse },
                    len,
                    &[(zero, true)],
                    |b, i, p| {
                        let v = b.load(
                            x,
                            Index {
                                base: Some(i),
                                ..each(start)
                            },
                        );
                        let half = b.constant(0.5f64);
                        vec![b.op(Fma, &[p[0], half, v])]
                    },
                );
                b.store(y, row(), sum[0]);
            });
            // The last rows end at the end of the data.
            let starts: Vec<i64> = (0..n).map(|i| 64 - (i * 11) % 20).collect();
            let lens: Vec<i64> = starts.iter().map(|s| 64 - s).collect();
            agree(&b.finish(), &[i64s(&starts), i64s(&lens), numbers(64)]);
        }
    }
}

/// A tape: written forward, read backward, with bits and numbers of both widths.
#[test]
fn local_tapes() {
    for n in EXTENTS {
        let steps = 10;
        let mut b = Build::new();
        let x = b.input(DType::F64, n as usize);
        let y = b.output(DType::F64, n as usize);
        let tape = b.buffer(DType::F64, steps, BufferKind::Local);
        let signs = b.buffer(DType::Bool, steps, BufferKind::Local);
        let floats = b.buffer(DType::F32, 2 * steps, BufferKind::Local);
        let bytes = b.buffer(DType::U8, steps, BufferKind::Local);
        let extent = b.constant(steps as i64);
        let zero = b.constant(0.0f64);
        b.vector(n, |b, _| {
            let v = b.load(x, row());
            let end = b.for_loop(LoopKind::SERIAL, extent, &[(v, true)], |b, i, p| {
                b.store(tape, base(i), p[0]);
                let s = b.op(Lt, &[p[0], zero]);
                b.store(signs, base(i), s);
                let f = b.op_to(Convert, DType::F32, &[p[0]]);
                b.store(
                    floats,
                    Index {
                        offset: 3,
                        ..base(i)
                    },
                    f,
                );
                let u = b.op_to(Convert, DType::U8, &[p[0]]);
                b.store(bytes, base(i), u);
                let q = b.op(Mul, &[p[0], p[0]]);
                let two = b.constant(2.0f64);
                vec![b.op(Sub, &[q, two])]
            });
            let back = b.for_loop(
                LoopKind::Serial { reverse: true },
                extent,
                &[(end[0], true)],
                |b, i, p| {
                    let t = b.load(tape, base(i));
                    let s = b.load(signs, base(i));
                    let f = b.load(
                        floats,
                        Index {
                            offset: 3,
                            ..base(i)
                        },
                    );
                    let u = b.load(bytes, base(i));
                    let u = b.op_to(Convert, DType::F64, &[u]);
                    let f = b.op_to(Convert, DType::F64, &[f]);
                    let a = b.op(Fma, &[t, f, u]);
                    let c = b.op(Sub, &[p[0], t]);
                    vec![b.op(Select, &[s, a, c])]
                },
            );
            b.store(y, row(), back[0]);
        });
        agree(&b.finish(), &[numbers(n as usize)]);
    }
}

/// Copies of `Local` memory gather partial sums from block to block; dead lanes leave theirs alone.
#[test]
fn local_sums() {
    for n in EXTENTS {
        for data in columns(n as usize) {
            let d = data.dtype();
            if d == DType::Bool {
                continue;
            }
            let mut b = Build::new();
            let x = b.input(d, n as usize);
            let y = b.output(d, 3);
            let sums = b.buffer(d, 3, BufferKind::Local);
            let zeros = b.table(d, vec![0; 3]);
            b.copy((sums, at(0)), (zeros, at(0)), 3);
            b.vector(n, |b, i| {
                let v = b.load(x, row());
                let three = b.constant(3i64);
                let which = b.op(Rem, &[i, three]);
                let old = b.load(sums, each(which));
                let new = b.op(Add, &[old, v]);
                b.store(sums, each(which), new);
                // And once more to a fixed one, by some lanes.
                let one = b.constant(1i64);
                let p = b.op(Eq, &[which, one]);
                b.if_else(
                    p,
                    |b| {
                        let old = b.load(sums, at(0));
                        let new = b.op(Add, &[old, v]);
                        b.store(sums, at(0), new);
                        vec![]
                    },
                    |_| vec![],
                );
            });
            for k in 0..3 {
                let copies = b.load(sums, at(k));
                let total = b.op(Fold(FoldOp::Add), &[copies]);
                b.store(y, at(k), total);
            }
            agree(&b.finish(), &[data]);
        }
    }
}

/// In-place updates of a matrix in local memory, with copies of regions.
#[test]
fn local_matrices() {
    for n in [3i64, 8, 11] {
        let mut b = Build::new();
        let x = b.input(DType::F64, 4 * n as usize);
        let init = b.input(DType::F64, 4);
        let y = b.output(DType::F64, 4 * n as usize);
        let m = b.buffer(DType::F64, 8, BufferKind::Local);
        let scratch = b.buffer(DType::F64, 4, BufferKind::Local);
        b.vector(n, |b, _| {
            b.copy((scratch, at(0)), (init, at(0)), 4);
            for k in 0..4 {
                let v = b.load(
                    x,
                    Index {
                        offset: k * n,
                        ..row()
                    },
                );
                let s = b.load(scratch, at(k));
                let v = b.op(Mul, &[v, s]);
                b.store(m, at(k), v);
            }
            b.copy((m, at(4)), (m, at(0)), 4);
            b.serial(4, |b, i| {
                let v = b.load(m, base(i));
                let w = b.load(
                    m,
                    Index {
                        offset: 4,
                        ..base(i)
                    },
                );
                let s = b.op(Fma, &[v, w, w]);
                b.store(m, base(i), s);
            });
            for k in 0..4 {
                let v = b.load(m, at(3 - k));
                b.store(
                    y,
                    Index {
                        offset: k * n,
                        ..row()
                    },
                    v,
                );
            }
        });
        agree(&b.finish(), &[numbers(4 * n as usize), numbers(4)]);
    }
}

#[test]
fn any_of_the_live_lanes() {
    for n in EXTENTS {
        let mut b = Build::new();
        let x = b.input(DType::F64, n as usize);
        let y = b.output(DType::I64, n as usize);
        let limit = b.constant(4.5f64);
        b.vector(n, |b, _| {
            let v = b.load(x, row());
            let p = b.op(Lt, &[limit, v]);
            let any = b.op(Any, &[p]);
            let out = b.if_else(
                any,
                |b| {
                    let one = b.constant(1i64);
                    vec![b.op(Add, &[one, one])]
                },
                |b| vec![b.constant(7i64)],
            );
            // What a block decides depends on its lanes, so only its own effect is compared.
            let seven = b.constant(7i64);
            let two = b.constant(2i64);
            let r = b.op(Select, &[p, two, seven]);
            let same = b.op(Select, &[p, out[0], r]);
            b.store(y, row(), same);
        });
        agree(&b.finish(), &[numbers(n as usize)]);
    }
}

/// A uniform value from outside, in lanes of both widths, and long straight lines whose values are
/// used again in reverse order.
#[test]
fn long_lines() {
    for (n, length) in [(13i64, 40usize), (19, 300), (5, 1500)] {
        let mut b = Build::new();
        let x = b.input(DType::F64, n as usize);
        let c = b.input(DType::F64, 1);
        let y = b.output(DType::F64, n as usize);
        let z = b.output(DType::F64, 1);
        let k = b.load(c, at(0));
        let body = |b: &mut Build, v: Value| {
            let mut line = vec![v];
            for i in 0..length {
                let last = *line.last().unwrap();
                let q = b.op(Mul, &[last, k]);
                line.push(match i % 4 {
                    0 => b.op(Sub, &[q, v]),
                    1 => b.op(Fma, &[q, k, last]),
                    2 => b.op(Min, &[q, last]),
                    _ => b.op(Div, &[q, k]),
                });
            }
            let mut sum = v;
            for &t in line.iter().rev() {
                sum = b.op(Fma, &[sum, k, t]);
            }
            sum
        };
        b.vector(n, |b, _| {
            let v = b.load(x, row());
            let sum = body(b, v);
            b.store(y, row(), sum);
        });
        let sum = body(&mut b, k);
        b.store(z, at(0), sum);
        agree(&b.finish(), &[numbers(n as usize), f64s(&[0.3])]);
    }
}
