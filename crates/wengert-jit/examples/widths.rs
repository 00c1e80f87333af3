//! How long loops over lanes take in vectors of each width that this machine has: in code for x86-64-v3 without wide
//! loops, with those of 256 bits, and in code for x86-64-v4.
//!
//! `cargo run --release -p wengert-jit --example widths`

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::{Build, at, each, row};
use wengert_jit::{Cpu, Executable, Options, Vectors, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::{LoopKind, Program, Value};
use wengert_loop::types::DType;

/// Lanes of an ensemble, and steps of each.
const ELEMENTS: usize = 1024;
const STEPS: i64 = 200;
/// How often everything is measured, in turns.
const ROUNDS: usize = 15;

/// A right-hand side: derivatives of a state, by parameters.
type Field = fn(&mut Build, &[Value], &[Value]) -> Vec<Value>;

fn lorenz(b: &mut Build, s: &[Value], p: &[Value]) -> Vec<Value> {
    let [x, y, z] = [s[0], s[1], s[2]];
    let apart = b.op(Sub, &[y, x]);
    let turned = b.op(Neg, &[y]);
    let left = b.op(Sub, &[p[1], z]);
    let lost = b.op(Mul, &[p[2], z]);
    let lost = b.op(Neg, &[lost]);
    vec![
        b.op(Mul, &[p[0], apart]),
        b.op(Fma, &[x, left, turned]),
        b.op(Fma, &[x, y, lost]),
    ]
}

fn van_der_pol(b: &mut Build, s: &[Value], p: &[Value]) -> Vec<Value> {
    let one = b.constant(1.0);
    let turned = b.op(Neg, &[s[0]]);
    let damping = b.op(Fma, &[turned, s[0], one]);
    let damping = b.op(Mul, &[p[0], damping]);
    vec![s[1], b.op(Fma, &[damping, s[1], turned])]
}

/// A step of the classical Runge-Kutta method.
fn step(b: &mut Build, f: Field, s: &[Value], p: &[Value]) -> Vec<Value> {
    let h = 0.01;
    let [whole, half, sixth, third] = [h, h / 2.0, h / 6.0, h / 3.0].map(|h| b.constant(h));
    let ahead = |b: &mut Build, k: &[Value], h: Value| -> Vec<Value> {
        let each = s.iter().zip(k);
        each.map(|(&s, &k)| b.op(Fma, &[h, k, s])).collect()
    };
    let first = f(b, s, p);
    let state = ahead(b, &first, half);
    let second = f(b, &state, p);
    let state = ahead(b, &second, half);
    let third_slope = f(b, &state, p);
    let state = ahead(b, &third_slope, whole);
    let last = f(b, &state, p);
    let one = |i: usize, b: &mut Build| {
        let outer = b.op(Add, &[first[i], last[i]]);
        let inner = b.op(Add, &[second[i], third_slope[i]]);
        let sum = b.op(Fma, &[sixth, outer, s[i]]);
        b.op(Fma, &[third, inner, sum])
    };
    (0..s.len()).map(|i| one(i, b)).collect()
}

/// A program, its arguments, and what it returns.
type Case = (Program, Vec<Data>, Vec<(DType, usize)>);

fn floats(n: usize, f: impl Fn(f64) -> f64) -> Data {
    Data::F64((0..n).map(|i| f(i as f64)).collect())
}

fn ensemble(f: Field, numbers: usize) -> Case {
    let n = ELEMENTS;
    let mut b = Build::new();
    let starts: Vec<_> = (0..numbers).map(|_| b.input(DType::F64, n)).collect();
    let parameter = b.input(DType::F64, n);
    let ends: Vec<_> = (0..numbers).map(|_| b.output(DType::F64, n)).collect();
    b.vector(n as i64, |b, _| {
        let starts: Vec<(Value, bool)> = starts.iter().map(|&x| (b.load(x, row()), true)).collect();
        let p = [
            b.load(parameter, row()),
            b.constant(28.0),
            b.constant(8.0 / 3.0),
        ];
        let steps = b.constant(STEPS);
        let last = b.for_loop(LoopKind::SERIAL, steps, &starts, |b, _, s| {
            step(b, f, s, &p)
        });
        for (&to, &v) in ends.iter().zip(&last) {
            b.store(to, row(), v);
        }
    });
    let starts = (0..numbers).map(|k| floats(n, |i| 1.0 + k as f64 + 0.001 * i));
    let data = starts.chain([floats(n, |i| 10.0 + 0.0001 * i)]).collect();
    (b.finish(), data, vec![(DType::F64, n); numbers])
}

/// Lanes that run for different numbers of steps.
fn unequal() -> Case {
    let n = 8 * ELEMENTS;
    let mut b = Build::new();
    let (x, y) = (b.input(DType::F64, n), b.output(DType::F64, n));
    b.vector(n as i64, |b, _| {
        let v = b.load(x, row());
        let [zero, small, end] = [0.0, 1e-3, 4.0].map(|x| b.constant(x));
        let out = b.while_loop(
            &[(zero, true), (v, true), (small, true)],
            u64::MAX,
            |b, p| b.op(Lt, &[p[0], end]),
            |b, p| {
                let error = b.op(Mul, &[p[1], small]);
                let good = b.op(Lt, &[error, p[2]]);
                let longer = b.op(Add, &[p[2], small]);
                let h = b.op(Select, &[good, longer, p[2]]);
                let next = b.op(Fma, &[error, h, p[1]]);
                vec![b.op(Add, &[p[0], h]), b.op(Select, &[good, next, p[1]]), h]
            },
        );
        b.store(y, row(), out[1]);
    });
    (
        b.finish(),
        vec![floats(n, |i| 0.1 + (i % 37.0) * 0.5)],
        vec![(DType::F64, n)],
    )
}

/// Elementwise work, as gradients of sums have it.
fn map(dtype: DType, rounds: usize) -> Case {
    let n = 4 * ELEMENTS;
    let mut b = Build::new();
    let (x, z, y) = (b.input(dtype, n), b.input(dtype, n), b.output(dtype, n));
    b.vector(n as i64, |b, _| {
        let (x, z) = (b.load(x, row()), b.load(z, row()));
        let (mut v, mut least) = (x, x);
        for _ in 0..rounds {
            let up = b.op(Fma, &[v, z, least]);
            let product = b.op(Mul, &[up, z]);
            v = b.op(Sub, &[product, up]);
            least = b.op(Min, &[least, v]);
        }
        b.store(y, row(), v);
    });
    let wide = floats(n, |i| (0.1 * i).sin());
    let data = match (dtype, &wide) {
        (DType::F32, Data::F64(v)) => Data::F32(v.iter().map(|&x| x as f32).collect()),
        _ => wide,
    };
    (b.finish(), vec![data.clone(), data], vec![(dtype, n)])
}

/// Linear interpolation in a table, again and again.
fn table() -> Case {
    let (n, len) = (ELEMENTS, 1024);
    let mut b = Build::new();
    let (x, t) = (b.input(DType::F64, n), b.input(DType::F64, len));
    let y = b.output(DType::F64, n);
    b.vector(n as i64, |b, _| {
        let v = b.load(x, row());
        let scale = b.constant(1000.0);
        let [zero, one, most, steps] = [0, 1, len as i64 - 2, 20].map(|n| b.constant(n));
        let out = b.for_loop(LoopKind::SERIAL, steps, &[(v, true)], |b, _, p| {
            let at = b.op(Mul, &[p[0], scale]);
            let below = b.op(Floor, &[at]);
            let i = b.op_to(Convert, DType::I64, &[below]);
            let i = b.op(Min, &[i, most]);
            let i = b.op(Max, &[i, zero]);
            let j = b.op(Add, &[i, one]);
            let (left, right) = (b.load(t, each(i)), b.load(t, each(j)));
            let rise = b.op(Sub, &[right, left]);
            let part = b.op(Sub, &[at, below]);
            vec![b.op(Fma, &[rise, part, left])]
        });
        b.store(y, row(), out[0]);
    });
    let values = floats(len, |i| 0.5 + 0.5 * (0.7 * i).sin());
    let places = floats(n, |i| (0.37 * i).fract());
    (b.finish(), vec![places, values], vec![(DType::F64, n)])
}

/// A sum that the lanes of all blocks share.
fn sums() -> Case {
    let n = 4 * ELEMENTS;
    let mut b = Build::new();
    let (x, y) = (b.input(DType::F64, n), b.output(DType::F64, 1));
    let (zero, extent) = (b.constant(0.0), b.constant(n as i64));
    let out = b.for_loop(LoopKind::Vector, extent, &[(zero, true)], |b, _, p| {
        let v = b.load(x, row());
        let root = b.op(Fma, &[v, v, p[0]]);
        vec![root]
    });
    let sum = b.op(Fold(wengert_loop::loops::FoldOp::Add), &[out[0]]);
    b.store(y, at(0), sum);
    (
        b.finish(),
        vec![floats(n, |i| (0.1 * i).sin())],
        vec![(DType::F64, 1)],
    )
}

/// Microseconds of a run.
fn measured(exe: &Executable, inputs: &[&Data], results: &mut [Data]) -> f64 {
    let mut results: Vec<&mut Data> = results.iter_mut().collect();
    let mut run = |times: usize| {
        let start = Instant::now();
        for _ in 0..times {
            exe.run(inputs, &mut results).expect("it runs");
        }
        start.elapsed().as_secs_f64() * 1e6 / times as f64
    };
    let times = (2_000.0 / run(1)).clamp(1.0, 1_000.0);
    run(times as usize)
}

fn main() {
    let cases: [(&str, Case); 8] = [
        ("Lorenz ensemble", ensemble(lorenz, 3)),
        ("van der Pol ensemble", ensemble(van_der_pol, 2)),
        ("lanes of unequal length", unequal()),
        ("elementwise, f64", map(DType::F64, 12)),
        ("elementwise, f32", map(DType::F32, 12)),
        ("elementwise, short", map(DType::F64, 1)),
        ("tables", table()),
        ("sum of squares", sums()),
    ];
    let modes = [
        (Cpu::X86_64_V3, Vectors::Functions),
        (Cpu::X86_64_V3, Vectors::Loops),
        (Cpu::X86_64_V4, Vectors::Loops),
    ];
    let modes: Vec<_> = modes.into_iter().filter(|m| m.0.runs_here()).collect();
    println!("microseconds in 128, 256 and 512 bits, and how many times as fast as 128");
    for (name, (program, data, results)) in &cases {
        let inputs: Vec<&Data> = data.iter().collect();
        let exes: Vec<Executable> = (modes.iter())
            .map(|&(cpu, vectors)| {
                let options = Options {
                    cpu,
                    vectors,
                    ..Options::default()
                };
                compile(program, &options).expect("it compiles")
            })
            .collect();
        let mut times = vec![vec![]; exes.len()];
        for _ in 0..ROUNDS {
            for (exe, times) in exes.iter().zip(&mut times) {
                let mut results: Vec<Data> =
                    results.iter().map(|&(d, n)| Data::zeros(d, n)).collect();
                times.push(measured(exe, &inputs, &mut results));
            }
        }
        // The first quartile: other work only adds time.
        let typical: Vec<f64> = (times.iter_mut())
            .map(|t| {
                t.sort_by(f64::total_cmp);
                t[t.len() / 4]
            })
            .collect();
        let cells = typical.iter().map(|t| format!("{t:9.1}"));
        let ratios = typical.iter().map(|t| format!("{:5.2}", typical[0] / t));
        let text: Vec<String> = cells.chain(ratios).collect();
        println!("{name:24} {}", text.join(" "));
    }
}
