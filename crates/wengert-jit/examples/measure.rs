//! Figures of the code generator: compile time of straight lines, time per element of kernels.
//!
//! `cargo run --release -p wengert-jit --example measure`

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::*;
use wengert_ir::buffer::Data;
use wengert_ir::loops::ScalarOp::*;
use wengert_ir::loops::*;
use wengert_ir::types::DType;
use wengert_jit::{Executable, Options, compile};

/// The shortest of some runs, in nanoseconds.
fn best(times: usize, mut f: impl FnMut()) -> f64 {
    (0..times)
        .map(|_| {
            let t = Instant::now();
            f();
            t.elapsed().as_secs_f64() * 1e9
        })
        .fold(f64::INFINITY, f64::min)
}

fn time(exe: &Executable, times: usize, inputs: &[Data], outputs: &[(DType, usize)]) -> f64 {
    let mut out: Vec<Data> = outputs.iter().map(|&(d, n)| Data::zeros(d, n)).collect();
    let ins: Vec<&Data> = inputs.iter().collect();
    let mut outs: Vec<&mut Data> = out.iter_mut().collect();
    best(times, || exe.run(&ins, &mut outs).expect("it runs"))
}

fn line(n: usize, lanes: bool) -> Program {
    let mut b = Build::new();
    let x = b.input(DType::F64, 8);
    let y = b.output(DType::F64, 8);
    let body = |b: &mut Build, v: Value, k: Value| {
        let mut line = vec![v];
        for i in 0..n {
            let last = *line.last().unwrap();
            let op = if i % 2 == 0 { Mul } else { Sub };
            line.push(b.op(op, &[last, k]));
        }
        let mut sum = v;
        for &t in line.iter().rev() {
            sum = b.op(Fma, &[sum, k, t]);
        }
        sum
    };
    if lanes {
        b.vector(8, |b, _| {
            let v = b.load(x, row());
            let k = b.constant(0.99f64);
            let s = body(b, v, k);
            b.store(y, row(), s);
        });
    } else {
        let v = b.load(x, at(0));
        let k = b.load(x, at(1));
        let s = body(&mut b, v, k);
        b.store(y, at(0), s);
    }
    b.finish()
}

fn lorenz(lanes: usize, steps: i64) -> Program {
    let mut b = Build::new();
    let ins: Vec<BufferId> = (0..3).map(|_| b.input(DType::F64, lanes)).collect();
    let outs: Vec<BufferId> = (0..3).map(|_| b.output(DType::F64, lanes)).collect();
    let n = b.constant(steps);
    b.vector(lanes as i64, |b, _| {
        let init: Vec<(Value, bool)> = ins.iter().map(|&i| (b.load(i, row()), true)).collect();
        let end = b.for_loop(LoopKind::SERIAL, n, &init, |b, _, p| {
            let c = |b: &mut Build, x: f64| b.constant(x);
            let field = |b: &mut Build, s: [Value; 3]| {
                let (sigma, rho, beta) = (c(b, 10.0), c(b, 28.0), c(b, -8.0 / 3.0));
                let d = b.op(Sub, &[s[1], s[0]]);
                let dx = b.op(Mul, &[sigma, d]);
                let d = b.op(Sub, &[rho, s[2]]);
                let d = b.op(Mul, &[s[0], d]);
                let dy = b.op(Sub, &[d, s[1]]);
                let d = b.op(Mul, &[s[0], s[1]]);
                let dz = b.op(Fma, &[beta, s[2], d]);
                [dx, dy, dz]
            };
            let s = [p[0], p[1], p[2]];
            let step = |b: &mut Build, k: [Value; 3], h: f64| {
                let h = c(b, h);
                [0, 1, 2].map(|i| b.op(Fma, &[k[i], h, s[i]]))
            };
            let h = 0.01;
            let k1 = field(b, s);
            let s2 = step(b, k1, h / 2.0);
            let k2 = field(b, s2);
            let s3 = step(b, k2, h / 2.0);
            let k3 = field(b, s3);
            let s4 = step(b, k3, h);
            let k4 = field(b, s4);
            let (sixth, two) = (c(b, h / 6.0), c(b, 2.0));
            (0..3)
                .map(|i| {
                    let a = b.op(Fma, &[k2[i], two, k1[i]]);
                    let a = b.op(Fma, &[k3[i], two, a]);
                    let a = b.op(Add, &[a, k4[i]]);
                    b.op(Fma, &[a, sixth, s[i]])
                })
                .collect()
        });
        for (&o, &v) in outs.iter().zip(&end) {
            b.store(o, row(), v);
        }
    });
    b.finish()
}

fn axpy(n: usize, parallel: bool) -> Program {
    let mut b = Build::new();
    let x = b.input(DType::F64, n);
    let y = b.input(DType::F64, n);
    let z = b.output(DType::F64, n);
    let k = b.constant(1.5f64);
    let body = |b: &mut Build, first: Option<Value>, n: i64| {
        let here = Index {
            base: first,
            ..row()
        };
        b.vector(n, |b, _| {
            let u = b.load(x, here);
            let v = b.load(y, here);
            let w = b.op(Fma, &[u, k, v]);
            let w = b.op(Mul, &[w, u]);
            b.store(z, here, w);
        });
    };
    if parallel {
        let chunk = 8192;
        let extent = b.constant((n / chunk) as i64);
        b.for_loop(LoopKind::Parallel, extent, &[], |b, i, _| {
            let c = b.constant(chunk as i64);
            let first = b.op(Mul, &[i, c]);
            body(b, Some(first), chunk as i64);
            vec![]
        });
    } else {
        body(&mut b, None, n as i64);
    }
    b.finish()
}

/// exp by 10 coefficients, Horner, as a map.
fn exp(n: usize) -> Program {
    let mut b = Build::new();
    let x = b.input(DType::F64, n);
    let z = b.output(DType::F64, n);
    b.vector(n as i64, |b, _| {
        let v = b.load(x, row());
        let c = |b: &mut Build, x: f64| b.constant(x);
        let (l2e, magic) = (c(b, std::f64::consts::LOG2_E), c(b, 6755399441055744.0));
        let t = b.op(Fma, &[v, l2e, magic]);
        let k = b.op(Sub, &[t, magic]);
        let (hi, lo) = (c(b, -0.6931471803691238), c(b, -1.9082149292705877e-10));
        let r = b.op(Fma, &[k, hi, v]);
        let r = b.op(Fma, &[k, lo, r]);
        let mut f = 1.0;
        let mut coefficients = vec![1.0];
        for i in 1..12 {
            f /= f64::from(i);
            coefficients.push(f);
        }
        let mut p = c(b, coefficients[11]);
        for &a in coefficients[..11].iter().rev() {
            let a = c(b, a);
            p = b.op(Fma, &[p, r, a]);
        }
        let bits = b.op_to(Bitcast, DType::I64, &[t]);
        let fifty_two = b.constant(52i64);
        let e = b.op(Shl, &[bits, fifty_two]);
        let p = b.op_to(Bitcast, DType::I64, &[p]);
        let q = b.op(Add, &[p, e]);
        let q = b.op_to(Bitcast, DType::F64, &[q]);
        b.store(z, row(), q);
    });
    b.finish()
}

fn numbers(n: usize) -> Data {
    Data::F64((0..n).map(|i| (i as f64 * 0.7).sin()).collect())
}

fn main() {
    let mut options = Options::default();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(n) = std::env::var("QUICK_ABOVE")
        .ok()
        .and_then(|n| n.parse().ok())
    {
        options.quick_above = n;
    }
    if let Some(i) = wanted.iter().position(|w| w == "show") {
        options.listing = true;
        let p = match wanted[i + 1].as_str() {
            "axpy" => axpy(4096, false),
            "lorenz" => lorenz(2000, 500),
            _ => exp(4096),
        };
        let exe = compile(&p, &options).expect("it compiles");
        for f in &exe.listing().expect("it was asked for").functions {
            println!("{}\n{}\n{}", f.name, f.text, f.assembly);
        }
        return;
    }
    let mut b = Build::new();
    let (x, y) = (b.input(DType::F64, 1), b.output(DType::F64, 1));
    let v = b.load(x, at(0));
    let v = b.op(Mul, &[v, v]);
    b.store(y, at(0), v);
    let p = b.finish();
    let t = best(100, || drop(compile(&p, &options).expect("it compiles")));
    let exe = compile(&p, &options).expect("it compiles");
    let input = numbers(1);
    let mut output = numbers(1);
    let r = best(20, || {
        for _ in 0..1000 {
            exe.run(&[&input], &mut [&mut output]).expect("it runs");
        }
    });
    println!(
        "x * x: compiled in {:.1} us; a call {:.1} ns",
        t / 1e3,
        r / 1e3
    );
    let lines: &[usize] = if wanted.iter().any(|w| w == "lines") {
        &[500, 5_000, 50_000]
    } else {
        &[500]
    };
    for lanes in [false, true] {
        for &n in lines {
            let p = line(n, lanes);
            let t = best(3, || drop(compile(&p, &options).expect("it compiles")));
            let exe = compile(&p, &options).expect("it compiles");
            let r = time(&exe, 20, &[numbers(8)], &[(DType::F64, 8)]);
            println!(
                "line of {n} and its reverse, lanes {lanes}: compiled in {:.2} ms, runs in {:.1} us",
                t / 1e6,
                r / 1e3
            );
        }
    }
    let p = lorenz(1, 1);
    let t = best(5, || drop(compile(&p, &options).expect("it compiles")));
    let exe = compile(&p, &options).expect("it compiles");
    let one = [numbers(1), numbers(1), numbers(1)];
    let r = time(&exe, 1000, &one, &[(DType::F64, 1); 3]);
    println!(
        "lorenz: compiled in {:.2} ms; a call of one step {r:.0} ns",
        t / 1e6
    );
    for (lanes, steps) in [(2000, 500), (2001, 500)] {
        let exe = compile(&lorenz(lanes, steps), &options).expect("it compiles");
        let ins = [numbers(lanes), numbers(lanes), numbers(lanes)];
        let r = time(&exe, 10, &ins, &[(DType::F64, lanes); 3]);
        let per = r / (lanes as f64 * steps as f64);
        println!(
            "lorenz, {lanes} lanes, {steps} steps, one thread: {:.2} ms, {per:.2} ns a step and lane",
            r / 1e6
        );
    }
    for (name, n, p) in [
        ("axpy_mul", 4096, axpy(4096, false)),
        ("axpy_mul", 1 << 20, axpy(1 << 20, false)),
        ("axpy_mul in parallel", 1 << 23, axpy(1 << 23, true)),
    ] {
        let exe = compile(&p, &options).expect("it compiles");
        let r = time(&exe, 30, &[numbers(n), numbers(n)], &[(DType::F64, n)]);
        println!("{name} of {n}: {:.3} ns an element", r / n as f64);
    }
    let exe = compile(&exp(4096), &options).expect("it compiles");
    let r = time(&exe, 100, &[numbers(4096)], &[(DType::F64, 4096)]);
    println!("exp of 4096: {:.3} ns an element", r / 4096.0);
}
