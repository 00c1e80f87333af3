//! Buffers that live at different times share memory, and nothing is seen of it.

use crate::common::compare::{agree, check};
use crate::common::*;
use wengert_ir::eval::eval;
use wengert_ir::ir::Type;
use wengert_ir::schedule::lower;
use wengert_ir::trace::{Kind, closed};
use wengert_jit::{Options, compile};
use wengert_loop::buffer::{Buffer, Data, Dense};
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

#[test]
fn a_chain_of_arrays_needs_the_memory_of_three() {
    const N: usize = 31;
    let ty = Type::new(DType::F64, &[N, N]);
    // A product needs whole rows of what was before it, so no two steps become one.
    let func = closed(Kind::Door, &[ty.clone(), ty], |x| {
        let step =
            |y: wengert_ir::trace::Var, k: usize| (y.dot(x[1]) * (1.0 / N as f64)).sin() + k as f64;
        vec![(0..10).fold(x[0], step)]
    })
    .func;
    let program = lower(&func).expect("a program");
    let exe = compile(&program, &Options::default()).expect("it compiles");
    let one = N * N * 8;
    let scratch = exe.scratch_bytes();
    assert!(
        scratch < 3 * one + 2000,
        "{scratch} bytes for arrays of {one}"
    );

    let data = |k: f64| Data::F64((0..N * N).map(|i| (i as f64 * k).sin()).collect());
    let inputs = [data(0.7), data(1.3)];
    let buffers = inputs
        .clone()
        .map(|d| Buffer::Dense(Dense::new(vec![N, N], d)));
    let want: Vec<Data> = (eval(&func, &buffers).expect("it runs").iter())
        .map(|b| (*b.dense().data).clone())
        .collect();
    for _ in 0..2 {
        check(&exe, &inputs.each_ref(), &want);
    }
    agree(&program, &inputs);
}

#[test]
fn what_a_step_of_a_loop_leaves_is_no_longer_there() {
    let build = |reads_first: bool| {
        let mut b = Build::new();
        let out = b.output(DType::F64, 3);
        let left = b.buffer(DType::F64, 1, BufferKind::Call);
        b.serial(3, |b, i| {
            if reads_first {
                let v = b.load(left, at(0));
                b.store(out, base(i), v);
            }
            let x = b.op_to(Convert, DType::F64, &[i]);
            b.store(left, at(0), x);
            let v = b.load(left, at(0));
            if !reads_first {
                b.store(out, base(i), v);
            }
        });
        b.finish()
    };
    assert_eq!(agree(&build(false), &[])[0], f64s(&[0.0, 1.0, 2.0]));
    let mut out = [f64s(&[0.0; 3])];
    interp::run(&build(true), &[], &mut out).expect("it runs");
    assert!(matches!(&out[0], Data::F64(v) if v.iter().all(|x| x.is_nan())));
}

/// Elements of every array.
const N: i64 = 13;

/// Programs that fill arrays and read them again, in loops, branches, lanes and tasks.
struct Generator {
    b: Build,
    seed: u64,
    /// Arrays that have been written and may be read.
    full: Vec<BufferId>,
    /// From this one of them on, they may be written.
    own: usize,
    in_lanes: bool,
    in_task: bool,
    budget: usize,
}

impl Making for Generator {
    fn builder(&mut self) -> &mut Build {
        &mut self.b
    }
}

impl Generator {
    fn below(&mut self, n: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.seed >> 33) as usize % n
    }

    fn pick(&mut self) -> BufferId {
        let i = self.below(self.full.len()).max(self.below(self.full.len()));
        self.full[i]
    }

    /// An element of an array, as a number.
    fn element(&mut self, from: BufferId, at: Index) -> Value {
        let local = self.b.buffer_of(from).kind == BufferKind::Local;
        let at = match (local, self.in_lanes) {
            (true, _) | (false, false) => at,
            (false, true) => row(),
        };
        let x = self.b.load(from, at);
        match self.b.ty(x).dtype {
            DType::F64 => x,
            _ => self.b.op_to(Convert, DType::F64, &[x]),
        }
    }

    fn write(&mut self, to: BufferId, at: Index, x: Value) {
        let d = self.b.buffer_of(to).dtype;
        let x = match d {
            DType::F64 => x,
            _ => self.b.op_to(Convert, d, &[x]),
        };
        self.b.store(to, at, x);
    }

    /// Writes all of an array, made of others.
    fn fill(&mut self, to: BufferId) {
        let from = [self.pick(), self.pick()];
        let k = self.below(7) as f64 * 0.31 - 0.8;
        let make = |g: &mut Generator, at: Index| {
            let k = g.b.constant(k);
            let x = g.element(from[0], at);
            let y = g.element(from[1], at);
            let z = g.b.op(Fma, &[x, k, y]);
            g.write(to, at, z);
        };
        let unrolled = self.in_lanes && self.below(2) == 0;
        if unrolled {
            (0..N).for_each(|i| make(self, at(i)));
        } else if self.in_lanes || self.below(3) == 0 {
            self.repeat(LoopKind::SERIAL, N, |g, i| make(g, base(i)));
        } else {
            self.in_lanes = true;
            self.repeat(LoopKind::Vector, N, |g, _| make(g, row()));
            self.in_lanes = false;
        }
    }

    fn stmts(&mut self) {
        for _ in 0..1 + self.below(5) {
            self.stmt();
        }
    }

    /// A region whose arrays are its own.
    fn region(&mut self) {
        let (full, own) = (self.full.len(), self.own);
        self.stmts();
        // An array from outside keeps something of it, if it may.
        if own < full {
            let to = own + self.below(full - own);
            let to = self.full[to];
            if (self.b.buffer_of(to).kind == BufferKind::Local) == self.in_lanes {
                self.fill(to);
            }
        }
        self.full.truncate(full);
        self.own = own;
    }

    fn stmt(&mut self) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        match self.below(9) {
            5 => self.repeat(LoopKind::Serial { reverse: true }, 2, |g, _| g.region()),
            6 => {
                let from = self.pick();
                let x = self.element(from, at(3));
                let zero = self.b.constant(0.1f64);
                let pred = self.b.op(Lt, &[x, zero]);
                let [then, otherwise] = [(); 2].map(|()| {
                    self.inside(|g| {
                        g.region();
                        vec![]
                    })
                });
                self.b.push(Stmt::If(If {
                    pred,
                    then,
                    otherwise,
                    outs: vec![],
                }));
            }
            7 if !self.in_lanes => {
                let to = self.new_buffer();
                let own = std::mem::replace(&mut self.own, self.full.len());
                self.in_lanes = true;
                let full = self.full.len();
                self.repeat(LoopKind::Vector, N, |g, _| {
                    g.stmts();
                    let from = g.pick();
                    let x = g.element(from, at(1));
                    g.write(to, row(), x);
                });
                self.full.truncate(full);
                self.in_lanes = false;
                self.own = own;
                self.full.push(to);
            }
            8 if !self.in_lanes && !self.in_task => {
                let out = self.b.output(DType::F64, (3 * N) as usize);
                let own = std::mem::replace(&mut self.own, self.full.len());
                self.in_task = true;
                let n = self.b.constant(N);
                let full = self.full.len();
                self.repeat(LoopKind::Parallel, 3, |g, i| {
                    let start = g.b.op(Mul, &[i, n]);
                    g.stmts();
                    let from = g.pick();
                    g.repeat(LoopKind::SERIAL, N, |g, k| {
                        let to = g.b.op(Add, &[start, k]);
                        let x = g.element(from, base(k));
                        g.write(out, base(to), x);
                    });
                });
                self.full.truncate(full);
                self.in_task = false;
                self.own = own;
            }
            _ => {
                let to = self.new_buffer();
                self.fill(to);
                self.full.push(to);
            }
        }
    }

    fn new_buffer(&mut self) -> BufferId {
        let d = [DType::F64, DType::F64, DType::F32, DType::I32][self.below(4)];
        let kind = match (self.in_lanes, self.in_task) {
            (true, _) => BufferKind::Local,
            (false, true) => BufferKind::Task,
            (false, false) => BufferKind::Call,
        };
        self.b.buffer(d, N as usize, kind)
    }
}

fn program(seed: u64) -> Program {
    let mut g = Generator {
        b: Build::new(),
        seed,
        full: vec![],
        own: 0,
        in_lanes: false,
        in_task: false,
        budget: 40,
    };
    g.full.push(g.b.input(DType::F64, N as usize));
    g.own = 1;
    while g.budget > 0 {
        g.stmt();
    }
    // Most arrays are read for the last time somewhere before.
    let last = g.full.split_off(g.full.len().saturating_sub(2));
    for from in last {
        let out = g.b.output(DType::F64, N as usize);
        g.repeat(LoopKind::SERIAL, N, |g, i| {
            let x = g.element(from, base(i));
            g.write(out, base(i), x);
        });
    }
    g.b.finish()
}

#[test]
fn random_programs_do_not_see_that_memory_is_shared() {
    let input = Data::F64((0..N).map(|i| (i as f64 * 1.7).sin()).collect());
    for seed in 0..150 {
        let p = program(seed);
        let result = std::panic::catch_unwind(|| {
            agree(&p, std::slice::from_ref(&input));
        });
        assert!(result.is_ok(), "seed {seed}\n{p}");
    }
}
