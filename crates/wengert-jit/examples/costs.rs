//! What the numbers of `wengert_loop::cost` are on the machine at hand, each beside the one that is used.
//!
//! `cargo run --release -p wengert-jit --example costs`

use std::time::Instant;

use wengert_jit::{Options, Vectors, compile};
use wengert_loop::buffer::Data;
use wengert_loop::cost::{COPY, cycles, nanoseconds, narrow_cycles, price, scalar_cycles};
use wengert_loop::elementary::Elementary;
use wengert_loop::loops::affine::Affine;
use wengert_loop::loops::builder::{Builder, Carry};
use wengert_loop::loops::math::elementary;
use wengert_loop::loops::{BufferId, BufferKind, LoopKind, Program, ScalarOp, Stmt, Value};
use wengert_loop::types::DType;

/// Operations of a chain in one step of its loop.
const CHAIN: usize = 16;
/// Elements of arrays that lie in a cache.
const NEAR: usize = 4096;
/// Elements of arrays that do not.
const FAR: usize = 1 << 22;

/// The shortest time of a call, in nanoseconds. The inputs are 1, 1, ..; integers are zeros.
fn time(p: &Program, vectors: Vectors) -> f64 {
    let options = Options {
        vectors,
        ..Options::default()
    };
    let exe = compile(p, &options).expect("it compiles");
    let (mut inputs, mut outputs) = (vec![], vec![]);
    for b in &p.buffers {
        match b.kind {
            BufferKind::Input(_) if b.dtype == DType::F64 => {
                inputs.push(Data::F64(vec![1.0; b.len]))
            }
            BufferKind::Input(_) => inputs.push(Data::zeros(b.dtype, b.len)),
            BufferKind::Output(_) => outputs.push(Data::zeros(b.dtype, b.len)),
            _ => {}
        }
    }
    let inputs: Vec<&Data> = inputs.iter().collect();
    let mut outputs: Vec<&mut Data> = outputs.iter_mut().collect();
    let runs = (0..30).map(|_| {
        let start = Instant::now();
        exe.run(&inputs, &mut outputs).expect("it runs");
        start.elapsed().as_secs_f64() * 1e9
    });
    runs.fold(f64::INFINITY, f64::min)
}

/// The next value of a chain.
fn link(b: &mut Builder, op: ScalarOp, x: Value, k: Value) -> Value {
    match (op, op.row().arity) {
        // There and back: two.
        (ScalarOp::Convert, _) => {
            let n = b.convert(x, DType::I64);
            b.convert(n, DType::F64)
        }
        (_, 1) => b.op(op, &[x]),
        (_, 2) => b.op(op, &[x, k]),
        _ => b.op(op, &[x, k, k]),
    }
}

/// One operation after the other, in scalars or in eight lanes: `chains` of them side by side.
fn chains(op: ScalarOp, dtype: DType, lanes: bool, chains: usize, steps: i64) -> Program {
    let mut b = Builder::new();
    let x = b.buffer(dtype, 8, BufferKind::Input(0));
    let k = b.buffer(dtype, 8, BufferKind::Input(1));
    let y = b.buffer(dtype, 8, BufferKind::Output(0));
    let kind = if lanes {
        LoopKind::Vector
    } else {
        LoopKind::SERIAL
    };
    let (outer, steps) = (b.i64(if lanes { 8 } else { 1 }), b.i64(steps));
    b.for_(kind, outer, &[], |b, i, _| {
        let at = b.affine(i);
        let (x, k) = (b.load(x, &at), b.load(k, &at));
        let carries = vec![Carry { init: x, lanes }; chains];
        let ends = b.for_(LoopKind::SERIAL, steps, &carries, |b, _, x| {
            let mut x = x.to_vec();
            for _ in 0..CHAIN {
                x = x.iter().map(|&x| link(b, op, x, k)).collect();
            }
            x
        });
        let last = ends[1..].iter().fold(ends[0], |sum, &x| b.add(sum, x));
        b.store(y, &at, last);
        vec![]
    });
    b.finish()
}

/// Nanoseconds of one operation of [`chains`].
fn link_time(op: ScalarOp, dtype: DType, lanes: bool, side: usize, vectors: Vectors) -> f64 {
    let steps = 4_000;
    let t = time(&chains(op, dtype, lanes, side, steps), vectors);
    let links = if op == ScalarOp::Convert { 2 } else { 1 };
    t / (steps as usize * CHAIN * side * links) as f64
}

/// A loop over `n` elements of which some arrays are read, something is computed, and some arrays are written.
fn loop_over(
    n: usize,
    kind: LoopKind,
    (reads, writes): (u32, u32),
    body: impl Fn(&mut Builder, Value) -> Value,
) -> Program {
    let mut b = Builder::new();
    let float = |b: &mut Builder, kind| b.buffer(DType::F64, n, kind);
    let ins: Vec<BufferId> = (0..reads)
        .map(|i| float(&mut b, BufferKind::Input(i)))
        .collect();
    let outs: Vec<BufferId> = (0..writes)
        .map(|i| float(&mut b, BufferKind::Output(i)))
        .collect();
    let extent = b.i64(n as i64);
    b.for_(kind, extent, &[], |b, i, _| {
        let at = b.affine(i);
        let x: Vec<Value> = ins.iter().map(|&x| b.load(x, &at)).collect();
        let x = x[1..].iter().fold(x[0], |sum, &x| b.add(sum, x));
        let y = body(b, x);
        outs.iter().for_each(|&out| b.store(out, &at, y));
        vec![]
    });
    b.finish()
}

/// So many plain operations, in four chains.
fn plain(b: &mut Builder, x: Value, n: usize) -> Value {
    let mut chains = [x; 4];
    for i in 0..n {
        let at = i % 4;
        chains[at] = b.op([ScalarOp::Mul, ScalarOp::Add][i / 4 % 2], &[chains[at], x]);
    }
    chains[1..].iter().fold(chains[0], |sum, &x| b.add(sum, x))
}

fn exp(b: &mut Builder, x: Value) -> Value {
    let function = elementary(b, Elementary::Exp, DType::F64);
    b.call(function, &[x])
}

/// A loop that looks its elements up.
fn lookups(n: usize) -> Program {
    let mut b = Builder::new();
    let x = b.buffer(DType::F64, n, BufferKind::Input(0));
    let places = b.buffer(DType::I64, n, BufferKind::Input(1));
    let y = b.buffer(DType::F64, n, BufferKind::Output(0));
    let extent = b.i64(n as i64);
    b.for_(LoopKind::Vector, extent, &[], |b, i, _| {
        let at = b.affine(i);
        let place = b.load(places, &at);
        let place = b.clamp(place, 0, n as i64 - 1);
        let place = b.affine(place);
        let v = b.load(x, &place);
        b.store(y, &at, v);
        vec![]
    });
    b.finish()
}

fn copies(len: usize, steps: i64) -> Program {
    let mut b = Builder::new();
    let x = b.buffer(DType::F64, len, BufferKind::Input(0));
    let y = b.buffer(DType::F64, len, BufferKind::Output(0));
    let steps = b.i64(steps);
    b.repeat(steps, |b, _| {
        b.copy((y, &Affine::constant(0)), (x, &Affine::constant(0)), len)
    });
    b.finish()
}

fn main() {
    use ScalarOp::*;
    let cycle = link_time(Add, DType::U64, false, 1, Vectors::Narrow);
    println!("a cycle: {cycle:.3} ns\n\ncycles: used, measured");
    println!(
        "{:<10} {:>14} {:>14} {:>14}",
        "", "narrow", "wide", "busy / 4"
    );
    for op in [Add, Mul, Fma, Div, Sqrt, Min, Floor, Convert, Abs] {
        let t = |side, vectors| link_time(op, DType::F64, true, side, vectors) / cycle;
        let used = cycles(&Stmt::Op {
            out: Value(0),
            op,
            args: Default::default(),
        });
        let columns = [
            (used.narrow, t(1, Vectors::Narrow)),
            (used.wide, t(1, Vectors::AllLoops)),
            (used.busy, t(8, Vectors::AllLoops) * 4.0),
        ];
        let columns = columns.map(|(used, measured)| format!("{used:>6} {measured:>7.1}"));
        println!("{:<10} {}", op.row().name, columns.join(" "));
    }

    let near = |kind, f: &dyn Fn(&mut Builder, Value) -> Value, vectors| {
        time(&loop_over(NEAR, kind, (1, 1), f), vectors) / NEAR as f64
    };
    let ops = |n: usize| move |b: &mut Builder, x| plain(b, x, n);
    let more =
        |kind, vectors| (near(kind, &ops(84), vectors) - near(kind, &ops(20), vectors)) / 64.0;
    let scalar = more(LoopKind::SERIAL, Vectors::Narrow);
    let lanes = more(LoopKind::Vector, Vectors::Narrow);
    let copy = |len| time(&copies(len, 1_000), Vectors::Narrow) / 1_000.0;
    let each = (copy(1_016) - copy(16)) / 1_000.0;
    let chain = link_time(Add, DType::U64, false, 1, Vectors::Narrow);
    let step = time(&chains(Add, DType::U64, false, 1, 100_000), Vectors::Narrow) / 1e5;
    println!("\nnanoseconds: used, measured");
    let add = |cycles: f64| nanoseconds::CYCLE * cycles;
    for (name, used, measured) in [
        ("cycle", nanoseconds::CYCLE, chain),
        ("scalar", add(scalar_cycles(Add, true).1), scalar),
        (
            "lanes",
            add(4.0 * narrow_cycles(Add, DType::F64, DType::F64).1),
            8.0 * lanes,
        ),
        ("copy", add(COPY), copy(16) - 16.0 * each),
        ("copy, each", add(0.125), each),
        ("step", add(1.0), step - (CHAIN as f64 - 1.0) * chain),
    ] {
        println!("{name:<12} {used:>8.2} {measured:>8.2}");
    }

    println!(
        "\nprices, in eighths of a plain operation of {lanes:.3} ns: used, in a cache, in memory"
    );
    let eighths = |t: f64| 8.0 * t / lanes;
    let row = |name, used: u64, measured: &dyn Fn(usize) -> f64| {
        let [near, far] = [NEAR, FAR].map(|n| eighths(measured(n) / n as f64));
        println!("{name:<12} {used:>6} {near:>8.1} {far:>8.1}");
    };
    let vector = |n, arrays, f: &dyn Fn(&mut Builder, Value) -> Value| {
        time(
            &loop_over(n, LoopKind::Vector, arrays, f),
            Vectors::Functions,
        )
    };
    let same = |_: &mut Builder, x| x;
    let division = |b: &mut Builder, x| (0..4).fold(x, |y, _| b.op(Div, &[y, x]));
    row("read", price::READ, &|n| {
        (vector(n, (4, 1), &same) - vector(n, (2, 1), &same)) / 16.0
    });
    row("write", price::WRITE, &|n| {
        (vector(n, (1, 3), &same) - vector(n, (1, 1), &same)) / 16.0
    });
    row("division", price::DIVISION, &|n| {
        (vector(n, (1, 1), &division) - vector(n, (1, 1), &same)) / 4.0
    });
    row("elementary", price::ELEMENTARY, &|n| {
        vector(n, (1, 1), &exp) - vector(n, (1, 1), &same)
    });
    row("look up", price::LOOKUP, &|n| {
        time(&lookups(n), Vectors::Functions) - vector(n, (1, 1), &same)
    });
}
