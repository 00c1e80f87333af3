//! Vector loops of generated programs, written for every width of registers: the bits are those of the
//! interpreter. Where the machine has no registers of 512 bits, the code for them is made and not run.

use crate::common::compare::agree;
use crate::common::single_floats::{in_singles, single_inputs};
use crate::common::*;
use wengert_check::Rng;
use wengert_jit::{Cpu, Options, Vectors, code_for, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Values that may be used where the code is.
#[derive(Clone, Default)]
struct Known {
    floats: Vec<Value>,
    ints: Vec<Value>,
    truths: Vec<Value>,
    /// The same in all lanes.
    even_floats: Vec<Value>,
    even_ints: Vec<Value>,
}

struct Writer<'r> {
    rng: &'r mut Rng,
    b: Build,
    known: Known,
    table: BufferId,
    floats: BufferId,
    ints: BufferId,
    truths: BufferId,
    /// Whether lanes may part.
    parts: bool,
    depth: usize,
}

/// Elements of each lane's own memory.
const OWN: i64 = 4;

impl Writer<'_> {
    /// One of the last values, most often.
    fn one(&mut self, from: fn(&Known) -> &Vec<Value>) -> Value {
        let n = from(&self.known).len();
        let near = match self.rng.below(3) {
            0 => n,
            _ => n.min(5),
        };
        let back = self.rng.below(near);
        from(&self.known)[n - 1 - back]
    }

    fn float(&mut self) -> Value {
        match self.rng.below(6) {
            0 => self.one(|k| &k.even_floats),
            _ => self.one(|k| &k.floats),
        }
    }

    fn int(&mut self) -> Value {
        match self.rng.below(6) {
            0 => self.one(|k| &k.even_ints),
            _ => self.one(|k| &k.ints),
        }
    }

    /// Whether a value differs by lane, for the list that it goes to.
    fn note(&mut self, v: Value) {
        let ty = self.b.ty(v);
        let list = match (ty.dtype, ty.lanes) {
            (DType::F64, true) => &mut self.known.floats,
            (DType::F64, false) => &mut self.known.even_floats,
            (DType::I64, true) => &mut self.known.ints,
            (DType::I64, false) => &mut self.known.even_ints,
            (_, true) => &mut self.known.truths,
            _ => return,
        };
        list.push(v);
    }

    fn scalar(&mut self) {
        let v = match self.rng.below(12) {
            0..=2 => {
                let op = *self.rng.pick(&[Add, Sub, Mul, Div, Min, Max]);
                let args = [self.float(), self.float()];
                self.b.op(op, &args)
            }
            3..=4 => {
                let mut args = [self.float(), self.float(), self.float()];
                for a in &mut args {
                    if self.rng.below(3) == 0 {
                        *a = self.b.op(Neg, &[*a]);
                    }
                }
                self.b.op(Fma, &args)
            }
            5 => {
                let op = *self.rng.pick(&[Neg, Abs, Sqrt, Floor, Ceil, Round, Trunc]);
                let x = self.float();
                self.b.op(op, &[x])
            }
            6 => {
                let op = *self
                    .rng
                    .pick(&[Add, Sub, Mul, MulHigh, Div, Rem, And, Or, Xor, Min, Max]);
                let args = [self.int(), self.int()];
                self.b.op(op, &args)
            }
            7 => {
                let op = *self.rng.pick(&[Shl, Shr, ShrLogical, Rotl, Sub]);
                let args = [self.int(), self.one(|k| &k.even_ints)];
                self.b.op(op, &args)
            }
            8 => {
                let op = *self.rng.pick(&[Eq, Ne, Lt, Le]);
                let args = match self.rng.below(3) {
                    0 => [self.int(), self.int()],
                    _ => [self.float(), self.float()],
                };
                self.b.op(op, &args)
            }
            9 => {
                let op = *self.rng.pick(&[And, Or, Xor, Eq, Lt, Le]);
                let args = [self.one(|k| &k.truths), self.one(|k| &k.truths)];
                self.b.op(op, &args)
            }
            10 => {
                let p = self.one(|k| &k.truths);
                let (x, y) = match self.rng.below(3) {
                    0 => (self.int(), self.int()),
                    _ => (self.float(), self.float()),
                };
                self.b.op(Select, &[p, x, y])
            }
            _ => match self.rng.below(3) {
                0 => {
                    let x = self.float();
                    self.b.op_to(Convert, DType::I64, &[x])
                }
                1 => {
                    let x = self.int();
                    self.b.op_to(Convert, DType::F64, &[x])
                }
                _ => {
                    let p = self.one(|k| &k.truths);
                    self.b.op_to(Convert, DType::F64, &[p])
                }
            },
        };
        self.note(v);
    }

    /// An element of memory of the lane's own: the same in all lanes, or not.
    fn place(&mut self) -> Index {
        let last = self.b.constant(OWN - 1);
        match self.rng.below(3) {
            0 => at(self.rng.below(OWN as usize) as i64),
            1 => {
                let n = self.one(|k| &k.even_ints);
                let n = self.b.op(And, &[n, last]);
                base(n)
            }
            _ => {
                let n = self.one(|k| &k.ints);
                let n = self.b.op(And, &[n, last]);
                each(n)
            }
        }
    }

    fn memory(&mut self) {
        match self.rng.below(6) {
            0 => {
                let (to, v) = (self.place(), self.float());
                self.b.store(self.floats, to, v);
            }
            1 => {
                let (to, v) = (self.place(), self.int());
                self.b.store(self.ints, to, v);
            }
            2 => {
                let (to, v) = (
                    at(self.rng.below(OWN as usize) as i64),
                    self.one(|k| &k.truths),
                );
                self.b.store(self.truths, to, v);
            }
            3 => {
                let from = self.place();
                let v = self.b.load(self.floats, from);
                self.note(v);
            }
            4 => {
                let from = at(self.rng.below(OWN as usize) as i64);
                let v = self.b.load(self.truths, from);
                self.note(v);
            }
            _ => {
                let n = self.one(|k| &k.even_ints);
                let last = self.b.constant(OWN - 1);
                let n = self.b.op(And, &[n, last]);
                let v = self.b.load(self.table, base(n));
                self.note(v);
            }
        }
    }

    /// Values to begin a loop with, and which differ by lane in it.
    fn inits(&mut self, even: bool) -> Vec<(Value, bool)> {
        let n = match self.rng.below(4) {
            0 => 8 + self.rng.below(12),
            _ => 1 + self.rng.below(4),
        };
        let mut inits = Vec::new();
        for _ in 0..n {
            inits.push(match self.rng.below(8) {
                0 => (self.int(), true),
                1 => (self.one(|k| &k.truths), true),
                2 if even => (self.one(|k| &k.even_ints), false),
                3 if even => (self.one(|k| &k.even_floats), false),
                _ => (self.float(), true),
            });
        }
        inits
    }

    /// What a step gives for each carried value: something computed, or one of the values themselves.
    fn results(&mut self, params: &[Value]) -> Vec<Value> {
        let mut results = Vec::new();
        for &p in params {
            let ty = self.b.ty(p);
            let like: Vec<Value> = params
                .iter()
                .copied()
                .filter(|&q| self.b.ty(q) == ty)
                .collect();
            results.push(match (self.rng.below(4), ty.dtype, ty.lanes) {
                (0, _, _) => *self.rng.pick(&like),
                (_, DType::F64, true) => self.float(),
                (_, DType::I64, true) => self.int(),
                (_, DType::F64, false) => self.one(|k| &k.even_floats),
                (_, DType::I64, false) => self.one(|k| &k.even_ints),
                _ => self.one(|k| &k.truths),
            });
        }
        results
    }

    /// A body, whose values nobody outside sees.
    fn within<T>(&mut self, size: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.known.clone();
        self.depth += 1;
        self.statements(size);
        let out = f(self);
        self.depth -= 1;
        self.known = before;
        out
    }

    fn control(&mut self) {
        let size = 1 + self.rng.below(12);
        match self.rng.below(if self.parts { 5 } else { 2 }) {
            0 | 1 => {
                let n = 1 + self.rng.below(3) as i64;
                let n = self.b.constant(n);
                let inits = self.inits(true);
                let reverse = self.rng.below(2) == 0;
                self.looped(LoopKind::Serial { reverse }, n, &inits, size);
            }
            2 => {
                let n = self.one(|k| &k.ints);
                let three = self.b.constant(3i64);
                let n = self.b.op(And, &[n, three]);
                let inits = self.inits(false);
                self.looped(LoopKind::SERIAL, n, &inits, size);
            }
            3 => {
                let zero = self.b.constant(0i64);
                let three = self.b.constant(3i64);
                let most = self.one(|k| &k.ints);
                let most = self.b.op(And, &[most, three]);
                let mut inits = vec![(zero, true)];
                inits.extend(self.inits(false));
                let mut b = std::mem::replace(&mut self.b, Build::new());
                let outs = b.while_loop(
                    &inits,
                    u64::MAX,
                    |b, params| b.op(Lt, &[params[0], most]),
                    |b, params| {
                        std::mem::swap(&mut self.b, b);
                        let before = self.known.clone();
                        params.iter().for_each(|&p| self.note(p));
                        let mut results = self.within(size, |w| w.results(params));
                        self.known = before;
                        let one = self.b.constant(1i64);
                        results[0] = self.b.op(Add, &[params[0], one]);
                        std::mem::swap(&mut self.b, b);
                        results
                    },
                );
                self.b = b;
                outs.into_iter().for_each(|v| self.note(v));
            }
            _ => {
                let p = self.one(|k| &k.truths);
                let mut b = std::mem::replace(&mut self.b, Build::new());
                let this = std::cell::RefCell::new(self);
                let side = |b: &mut Build| {
                    let mut w = this.borrow_mut();
                    std::mem::swap(&mut w.b, b);
                    let out = w.within(size, |w| vec![w.float(), w.int(), w.one(|k| &k.truths)]);
                    std::mem::swap(&mut w.b, b);
                    out
                };
                let outs = b.if_else(p, side, side);
                let w = this.into_inner();
                w.b = b;
                outs.into_iter().for_each(|v| w.note(v));
            }
        }
    }

    fn looped(&mut self, kind: LoopKind, n: Value, inits: &[(Value, bool)], size: usize) {
        let mut b = std::mem::replace(&mut self.b, Build::new());
        let outs = b.for_loop(kind, n, inits, |b, i, params| {
            std::mem::swap(&mut self.b, b);
            let before = self.known.clone();
            self.note(i);
            params.iter().for_each(|&p| self.note(p));
            let results = self.within(size, |w| w.results(params));
            self.known = before;
            std::mem::swap(&mut self.b, b);
            results
        });
        self.b = b;
        outs.into_iter().for_each(|v| self.note(v));
    }

    fn statements(&mut self, n: usize) {
        for _ in 0..n {
            match self.rng.below(12) {
                0 if self.depth < 3 => self.control(),
                1 | 2 => self.memory(),
                _ => self.scalar(),
            }
        }
    }
}

/// A vector loop of so many lanes.
fn program(rng: &mut Rng, lanes: usize) -> Program {
    let mut b = Build::new();
    let x = b.input(DType::F64, lanes);
    let k = b.input(DType::I64, lanes);
    let table = b.input(DType::F64, OWN as usize);
    let outputs = [DType::F64, DType::F64, DType::F64].map(|d| b.output(d, lanes));
    let whole = b.output(DType::I64, lanes);
    let own = |b: &mut Build, d| b.buffer(d, OWN as usize, BufferKind::Local);
    let (floats, ints, truths) = (
        own(&mut b, DType::F64),
        own(&mut b, DType::I64),
        own(&mut b, DType::Bool),
    );
    let n = b.constant(lanes as i64);
    let half = b.constant(0.5);
    let seven = b.constant(7i64);
    b.for_loop(LoopKind::Vector, n, &[], |b, i, _| {
        let parts = rng.below(3) > 0;
        let size = 5 + rng.below(60);
        let mut w = Writer {
            rng,
            b: Build::new(),
            known: Known::default(),
            table,
            floats,
            ints,
            truths,
            parts,
            depth: 0,
        };
        std::mem::swap(&mut w.b, b);
        let u = w.b.load(x, row());
        let c = w.b.load(k, row());
        let p = w.b.op(Lt, &[u, half]);
        for v in [half, seven, i, u, c, p] {
            w.note(v);
        }
        for e in 0..OWN {
            w.b.store(floats, at(e), u);
            w.b.store(ints, at(e), c);
            w.b.store(truths, at(e), p);
        }
        w.statements(size);
        for to in outputs {
            let v = w.one(|k| &k.floats);
            w.b.store(to, row(), v);
        }
        let v = w.one(|k| &k.ints);
        w.b.store(whole, row(), v);
        std::mem::swap(&mut w.b, b);
        vec![]
    });
    b.finish()
}

#[test]
fn generated_loops() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let lanes = *rng.pick(&[1, 3, 8, 13, 16, 24, 40]);
        let p = program(&mut rng, lanes);
        let x = (0..lanes).map(|i| (i as f64 * 0.7 + seed as f64).sin() * 3.0);
        let k = (0..lanes).map(|i| (i as i64 * 7919 + seed as i64) % 23 - 11);
        let inputs = [
            Data::F64(x.collect()),
            Data::I64(k.collect()),
            f64s(&[0.25, -1.5, 3.0, 1e9]),
        ];
        match seed % 2 {
            0 => agree(&p, &inputs),
            _ => agree(&in_singles(&p), &single_inputs(&inputs)),
        };
    }
}

/// `n` numbers for each of so many lanes, all different.
fn numbers(n: usize) -> Data {
    Data::F64((0..n).map(|i| (i as f64 * 0.7).sin() * 3.0).collect())
}

/// More values are wanted behind a loop than there are registers, and the loop carries many.
#[test]
fn many_values_around_a_loop() {
    let (lanes, around, carried) = (11, 40, 12);
    let mut b = Build::new();
    let x = b.input(DType::F64, lanes * around);
    let y = b.output(DType::F64, lanes);
    b.vector(lanes as i64, |b, _| {
        let values: Vec<Value> = (0..around as i64)
            .map(|k| {
                let here = Index {
                    offset: k,
                    ..stride(around as i64)
                };
                b.load(x, here)
            })
            .collect();
        let half = b.constant(0.5);
        let steps = b.constant(5i64);
        let inits = vec![(half, true); carried];
        let outs = b.for_loop(LoopKind::SERIAL, steps, &inits, |b, _, params| {
            let mut next: Vec<Value> = params.to_vec();
            next.rotate_left(1);
            next[0] = b.op(Fma, &[params[0], half, values[3]]);
            next[7] = b.op(Add, &[params[2], values[4]]);
            next
        });
        let mut sum = outs[0];
        for &v in values.iter().chain(&outs) {
            let t = b.op(Mul, &[sum, half]);
            sum = b.op(Add, &[t, v]);
        }
        b.store(y, row(), sum);
    });
    agree(&b.finish(), &[numbers(lanes * around)]);
}

/// What differs by lane becomes what was the same in all lanes a step before.
#[test]
fn a_step_gives_what_another_began_with() {
    let lanes = 24;
    let mut b = Build::new();
    let x = b.input(DType::F64, lanes);
    let y = b.output(DType::F64, lanes);
    b.vector(lanes as i64, |b, _| {
        let v = b.load(x, row());
        let half = b.constant(0.5);
        let steps = b.constant(3i64);
        let inits = [(half, false), (v, true), (v, true)];
        let outs = b.for_loop(LoopKind::SERIAL, steps, &inits, |b, _, p| {
            let turned = b.op(Neg, &[p[0]]);
            vec![turned, p[0], p[1]]
        });
        let out = b.op(Sub, &[outs[1], outs[2]]);
        b.store(y, row(), out);
    });
    agree(&b.finish(), &[numbers(lanes)]);
}

/// Each lane has an extent of its own.
#[test]
fn lanes_leave_a_loop_one_by_one() {
    let lanes = 13;
    let mut b = Build::new();
    let x = b.input(DType::F64, lanes);
    let y = b.output(DType::F64, lanes);
    b.vector(lanes as i64, |b, i| {
        let v = b.load(x, row());
        let three = b.constant(3i64);
        let n = b.op(And, &[i, three]);
        let outs = b.for_loop(LoopKind::SERIAL, n, &[(v, true)], |b, _, p| {
            let half = b.constant(0.5);
            let q = b.op(Sqrt, &[half]);
            vec![b.op(Fma, &[p[0], q, half])]
        });
        b.store(y, row(), outs[0]);
    });
    agree(&b.finish(), &[numbers(lanes)]);
}

/// What is said of the code: how many loops have registers of 512 bits, and their instructions.
#[test]
fn wide_loops_are_counted_and_listed() {
    let program = || {
        let mut b = Build::new();
        let x = b.input(DType::F64, 40);
        let y = b.output(DType::F64, 40);
        b.vector(40, |b, _| {
            let v = b.load(x, row());
            let steps = b.constant(100i64);
            let outs = b.for_loop(LoopKind::SERIAL, steps, &[(v, true)], |b, _, p| {
                vec![b.op(Mul, &[p[0], v])]
            });
            b.store(y, row(), outs[0]);
        });
        b
    };
    let options = |cpu, vectors| Options {
        cpu,
        vectors,
        listing: true,
        ..Options::default()
    };
    // It is made on any machine, and run where there are such registers.
    let made = |vectors| {
        let made = code_for(&program().finish(), &options(Cpu::X86_64_V4, vectors));
        made.expect("it compiles")
    };
    assert_eq!(made(Vectors::Functions).size.wide_loops, 0);
    let loops = made(Vectors::Loops);
    assert_eq!(loops.size.wide_loops, 1);
    let functions = loops.functions.expect("they were asked for");
    let text: String = functions.iter().map(|f| f.assembly.as_str()).collect();
    assert!(text.contains("vmulpd zmm"), "{text}");
    let exe = program().compile_with(&options(Cpu::host(), Vectors::Loops));
    let wide = usize::from(Cpu::X86_64_V4.runs_here());
    assert_eq!(exe.size().wide_loops, wide);
}

#[test]
fn no_more_is_used_than_a_processor_has() {
    let mut b = Build::new();
    let x = b.input(DType::F64, 40);
    let y = b.output(DType::F64, 40);
    b.vector(40, |b, _| {
        let v = b.load(x, row());
        let v = b.op(Fma, &[v, v, v]);
        b.store(y, row(), v);
    });
    let program = b.finish();
    let text = |cpu| {
        let options = Options {
            cpu,
            vectors: Vectors::AllLoops,
            listing: true,
            ..Options::default()
        };
        let made = code_for(&program, &options).expect("it compiles");
        let functions = made.functions.expect("they were asked for");
        let all = functions.iter().map(|f| f.assembly.as_str());
        (made.size.wide_loops, all.collect::<String>())
    };
    let (loops, plain) = text(Cpu::X86_64);
    assert_eq!(loops, 0);
    assert!(
        !plain.contains("ymm") && !plain.contains("vfmadd"),
        "{plain}"
    );
    let (loops, avx2) = text(Cpu::X86_64_V3);
    assert_eq!(loops, 1);
    assert!(avx2.contains("vfmadd") && avx2.contains("ymm"), "{avx2}");
    assert!(!avx2.contains("zmm"), "{avx2}");
    let (loops, avx512) = text(Cpu::X86_64_V4);
    assert_eq!(loops, 1);
    assert!(avx512.contains("zmm"), "{avx512}");
    let here = Options {
        cpu: Cpu::ARM64,
        ..Options::default()
    };
    if !Cpu::ARM64.runs_here() {
        let error = compile(&program, &here).expect_err("another architecture");
        assert!(error.to_string().contains("64-bit ARM"), "{error}");
    }
}
