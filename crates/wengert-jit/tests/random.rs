//! Random programs: compiled and interpreted, the same bits.

use crate::common::compare::{agree, wide_loops};
use crate::common::*;
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Elements of `Local` buffers: a power of two, so that any index can be masked into bounds.
const LOCAL: i64 = 8;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What a program is made of.
#[derive(Clone, Copy)]
struct How {
    /// Whether there are remainders of floats, for which there is no code in registers of 512 bits.
    remainders: bool,
    /// Whether all values in lanes have at most 32 bits, in rows of memory.
    narrow: bool,
}

impl How {
    /// The types of values in lanes.
    fn types(self) -> Vec<DType> {
        let all = DType::ALL.into_iter();
        all.filter(|d| !self.narrow || d.bytes() <= 4).collect()
    }
}

struct Generator {
    b: Build,
    r: Random,
    /// Values in scope.
    known: Vec<Value>,
    inputs: Vec<BufferId>,
    locals: Vec<BufferId>,
    written: Vec<BufferId>,
    /// Three elements of each type for each lane.
    spread: Vec<BufferId>,
    /// The number of lanes.
    lanes: i64,
    index: Option<Value>,
    in_lanes: bool,
    how: How,
    budget: usize,
}

impl Making for Generator {
    fn builder(&mut self) -> &mut Build {
        &mut self.b
    }
}

impl Generator {
    fn value(&mut self, d: DType) -> Value {
        let of: Vec<Value> = self
            .known
            .iter()
            .copied()
            .filter(|&v| self.b.ty(v).dtype == d)
            .collect();
        if !of.is_empty() && self.r.below(8) != 0 {
            // Late ones more often.
            let at = self.r.below(of.len()).max(self.r.below(of.len()));
            return of[at];
        }
        let bits = self.bits(d);
        let out = self.b.value(d, false);
        self.b.push(Stmt::Const { out, bits });
        self.known.push(out);
        out
    }

    /// A constant integer.
    fn number(&mut self, d: DType, n: u64) -> Value {
        let out = self.b.value(d, false);
        self.b.push(Stmt::Const { out, bits: n });
        out
    }

    fn bits(&mut self, d: DType) -> u64 {
        let n = self.r.below(41) as i64 - 20;
        match d {
            DType::F64 => (n as f64 * 0.37).to_bits(),
            DType::F32 => u64::from((n as f32 * 0.37).to_bits()),
            DType::Bool => (n & 1) as u64,
            DType::U8 => n as u64 & 0xff,
            DType::I32 | DType::U32 => n as u64 & 0xffff_ffff,
            _ => n as u64,
        }
    }

    fn dtype(&mut self) -> DType {
        let r = self.r.below(11);
        let some = [
            DType::F64,
            DType::F64,
            DType::F64,
            DType::F32,
            DType::F32,
            DType::I64,
            DType::I32,
            DType::U32,
            DType::U64,
            DType::U8,
            DType::Bool,
        ];
        match some[r] {
            d if !self.in_lanes || !self.how.narrow => d,
            DType::F64 => DType::F32,
            DType::I64 => DType::I32,
            DType::U64 => DType::U32,
            d => d,
        }
    }

    fn op(&mut self) {
        let d = self.dtype();
        let float = [
            Add, Sub, Mul, Div, Rem, Neg, Abs, Sqrt, Fma, Min, Max, Floor, Ceil, Round, Trunc, Eq,
            Ne, Lt, Le, Select, Convert,
        ];
        let int = [
            Add, Sub, Mul, Div, Rem, Neg, Abs, Min, Max, And, Or, Xor, Not, Shl, Shr, ShrLogical,
            Rotl, MulHigh, Eq, Ne, Lt, Le, Select, Convert,
        ];
        let bool = [And, Or, Xor, Not, Eq, Ne, Lt, Le, Select, Convert, Min, Max];
        let op = match d {
            d if d.is_float() => match self.r.pick(&float) {
                Rem if !self.how.remainders => Div,
                op => op,
            },
            DType::Bool => self.r.pick(&bool),
            _ => self.r.pick(&int),
        };
        let y = match op {
            Select => {
                let p = self.value(DType::Bool);
                let (x, y) = (self.value(d), self.value(d));
                self.b.op(Select, &[p, x, y])
            }
            Convert => {
                let x = self.value(d);
                let to = self.dtype();
                self.b.op_to(Convert, to, &[x])
            }
            Fma => {
                let a = [self.value(d), self.value(d), self.value(d)];
                self.b.op(Fma, &a)
            }
            Neg | Abs | Sqrt | Floor | Ceil | Round | Trunc | Not => {
                let x = self.value(d);
                self.b.op(op, &[x])
            }
            _ => {
                let a = [self.value(d), self.value(d)];
                self.b.op(op, &a)
            }
        };
        self.known.push(y);
    }

    /// All values in scope of a type, in one: no wrong one goes unseen.
    fn digest(&mut self, d: DType) -> Value {
        let of: Vec<Value> = self
            .known
            .iter()
            .copied()
            .filter(|&v| self.b.ty(v).dtype == d)
            .collect();
        let mut sum = self.value(d);
        let ints = match d {
            DType::F64 => DType::U64,
            DType::F32 => DType::U32,
            d => d,
        };
        for v in of {
            sum = if d.is_float() {
                // Bits of numbers; one NaN is as good as another.
                let zero = self.b.value(d, false);
                self.b.push(Stmt::Const { out: zero, bits: 0 });
                let pair = [sum, v].map(|x| {
                    let p = self.b.op(Eq, &[x, x]);
                    let x = self.b.op(Select, &[p, x, zero]);
                    self.b.op_to(Bitcast, ints, &[x])
                });
                let both = self.b.op(Xor, &pair);
                self.b.op_to(Bitcast, d, &[both])
            } else {
                self.b.op(Xor, &[sum, v])
            };
        }
        sum
    }

    /// An index into local memory.
    fn local_index(&mut self) -> Index {
        match self.r.below(3) {
            0 => at(self.r.below(LOCAL as usize) as i64),
            _ => {
                let i = self.value(DType::I64);
                let mask = self.b.constant(LOCAL - 1);
                let i = self.b.op(And, &[i, mask]);
                if self.b.ty(i).lanes { each(i) } else { base(i) }
            }
        }
    }

    fn stmt(&mut self, depth: usize) {
        self.budget = self.budget.saturating_sub(1);
        match self.r.below(if depth < 3 { 24 } else { 18 }) {
            0 if self.in_lanes => {
                let x = self.r.pick(&self.inputs.clone());
                let v = self.b.load(x, row());
                self.known.push(v);
            }
            1 if self.in_lanes => {
                // A gather; the inputs have more than eight elements.
                let x = self.r.pick(&self.inputs.clone());
                let i = self.value(DType::I64);
                let mask = self.b.constant(7i64);
                let i = self.b.op(And, &[i, mask]);
                let index = if self.b.ty(i).lanes { each(i) } else { base(i) };
                let v = self.b.load(x, index);
                self.known.push(v);
            }
            2 | 3 if self.in_lanes => {
                let x = self.r.pick(&self.locals.clone());
                let d = self.b.buffer_of(x).dtype;
                let index = self.local_index();
                let v = self.value(d);
                self.b.store(x, index, v);
                if !self.written.contains(&x) {
                    self.written.push(x);
                }
            }
            4 | 5 if self.in_lanes => {
                let x = self.r.pick(&self.locals.clone());
                let index = self.local_index();
                let v = self.b.load(x, index);
                self.known.push(v);
            }
            6 if self.in_lanes && !self.how.narrow => {
                // Backwards.
                let x = self.r.pick(&self.inputs.clone());
                let offset = self.lanes - 1;
                let v = self.b.load(
                    x,
                    Index {
                        offset,
                        ..stride(-1)
                    },
                );
                self.known.push(v);
            }
            7 if self.in_lanes && !self.how.narrow => {
                let x = self.r.pick(&self.spread.clone());
                let d = self.b.buffer_of(x).dtype;
                let v = self.value(d);
                let offset = self.r.below(3) as i64;
                let index = match self.r.below(2) {
                    0 => stride(3),
                    _ => {
                        let three = self.b.constant(3i64);
                        let i = self.index.expect("the lanes have numbers");
                        each(self.b.op(Mul, &[i, three]))
                    }
                };
                self.b.store(x, Index { offset, ..index }, v);
            }
            18 | 19 => self.branch(depth),
            20 | 21 => self.counted(depth),
            22 => self.conditional(depth),
            23 if self.in_lanes && !self.how.narrow => {
                let p = self.value(DType::Bool);
                if self.b.ty(p).lanes {
                    let any = self.b.op(Any, &[p]);
                    // What any lane holds depends on the block: it may guard, but not be seen.
                    let scope = self.known.len();
                    let zero = self.b.constant(0.0f64);
                    let out = self.b.if_else(
                        any,
                        |b| {
                            let one = b.constant(1.0f64);
                            vec![b.op(Add, &[one, one])]
                        },
                        |_| vec![zero],
                    );
                    self.known.truncate(scope);
                    let two = self.b.constant(2.0f64);
                    let y = self.b.op(Select, &[p, out[0], two]);
                    self.known.push(y);
                }
            }
            _ => self.op(),
        }
    }

    /// Statements of a block, and values of the types asked for.
    fn body(&mut self, depth: usize, results: &[DType]) -> Vec<Value> {
        let n = 1 + self.r.below(12);
        for _ in 0..n {
            if self.budget > 0 {
                self.stmt(depth);
            }
        }
        results.iter().map(|&d| self.value(d)).collect()
    }

    /// A block that ends the scope of what it defines.
    fn scope(&mut self, f: impl FnOnce(&mut Self) -> Vec<Value>) -> Block {
        let known = self.known.len();
        let block = self.inside(f);
        self.known.truncate(known);
        block
    }

    fn branch(&mut self, depth: usize) {
        let p = self.value(DType::Bool);
        let types: Vec<DType> = (0..self.r.below(3)).map(|_| self.dtype()).collect();
        let then = self.scope(|g| g.body(depth + 1, &types));
        let otherwise = self.scope(|g| g.body(depth + 1, &types));
        let lanes = self.b.ty(p).lanes;
        let outs: Vec<Value> = types
            .iter()
            .enumerate()
            .map(|(i, &d)| {
                let any = lanes
                    || self.b.ty(then.results[i]).lanes
                    || self.b.ty(otherwise.results[i]).lanes;
                self.b.value(d, any)
            })
            .collect();
        self.b.push(Stmt::If(If {
            pred: p,
            then,
            otherwise,
            outs: outs.clone(),
        }));
        self.known.extend(outs);
    }

    fn carry(&mut self) -> Vec<Carried> {
        (0..self.r.below(4))
            .map(|_| {
                let d = self.dtype();
                let init = self.value(d);
                let lanes = self.in_lanes;
                Carried {
                    init,
                    param: self.b.value(d, lanes),
                    out: self.b.value(d, lanes),
                }
            })
            .collect()
    }

    fn counted(&mut self, depth: usize) {
        let some = self.value(DType::I64);
        let three = self.b.constant(3i64);
        let extent = self.b.op(And, &[some, three]);
        let carried = self.carry();
        let index = self.b.value(DType::I64, false);
        let types: Vec<DType> = carried.iter().map(|c| self.b.ty(c.init).dtype).collect();
        let reverse = self.r.below(2) == 0;
        let body = self.scope(|g| {
            g.known.push(index);
            g.known.extend(carried.iter().map(|c| c.param));
            g.body(depth + 1, &types)
        });
        self.known.extend(carried.iter().map(|c| c.out));
        self.b.push(Stmt::For(For {
            marks: Marks::default(),
            kind: LoopKind::Serial { reverse },
            extent,
            index,
            carried,
            body,
        }));
    }

    /// Counts a number of its own down to zero.
    fn conditional(&mut self, depth: usize) {
        let d = match self.how.narrow && self.in_lanes {
            true => DType::I32,
            false => DType::I64,
        };
        let some = self.value(d);
        let three = self.number(d, 3);
        let start = self.b.op(And, &[some, three]);
        let lanes = self.b.ty(start).lanes;
        let mut carried = self.carry();
        let types: Vec<DType> = carried.iter().map(|c| self.b.ty(c.init).dtype).collect();
        let counter = Carried {
            init: start,
            param: self.b.value(d, lanes),
            out: self.b.value(d, lanes),
        };
        let cond = self.scope(|g| {
            g.known.extend(carried.iter().map(|c| c.param));
            g.body(3, &[]);
            let zero = g.number(d, 0);
            vec![g.b.op(Lt, &[zero, counter.param])]
        });
        let body = self.scope(|g| {
            g.known.extend(carried.iter().map(|c| c.param));
            g.known.push(counter.param);
            let mut results = g.body(depth + 1, &types);
            let one = g.number(d, 1);
            results.push(g.b.op(Sub, &[counter.param, one]));
            results
        });
        carried.push(counter);
        self.known.extend(carried.iter().map(|c| c.out));
        self.b.push(Stmt::While(While {
            marks: Marks::default(),
            carried,
            cond,
            body,
            limit: 100,
            at: None,
        }));
    }
}

fn program(seed: u64, budget: usize, how: How) -> (Program, Vec<Data>) {
    let mut g = Generator {
        b: Build::new(),
        r: Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1),
        known: vec![],
        inputs: vec![],
        locals: vec![],
        written: vec![],
        spread: vec![],
        lanes: 0,
        index: None,
        in_lanes: false,
        how,
        budget,
    };
    for _ in 0..4 {
        g.r.next();
    }
    let n = g.r.pick(&[8usize, 9, 13, 16, 23, 31]);
    let mut inputs = Vec::new();
    let types = how.types();
    let mut zeros = vec![];
    for &d in &types {
        g.inputs.push(g.b.input(d, n));
        let mut data = Data::zeros(d, n);
        for i in 0..n {
            data.set_bits(i, g.bits(d));
        }
        inputs.push(data);
        let local = g.b.buffer(d, LOCAL as usize, BufferKind::Local);
        g.locals.push(local);
        zeros.push(g.b.table(d, vec![0; LOCAL as usize]));
    }
    // Scratch begins as garbage; these are to begin as zeros. What is set elsewhere too is no memory of the lanes.
    let begin = |g: &mut Generator| {
        for (&local, &zeros) in g.locals.clone().iter().zip(&zeros) {
            g.b.copy((local, at(0)), (zeros, at(0)), LOCAL as usize);
        }
    };
    if !how.narrow {
        begin(&mut g);
    }
    let outputs: Vec<BufferId> = types.iter().map(|&d| g.b.output(d, n)).collect();
    g.spread = types.iter().map(|&d| g.b.output(d, 3 * n)).collect();
    g.lanes = n as i64;
    let ends: Vec<BufferId> = types.iter().map(|&d| g.b.output(d, 2)).collect();
    // Some uniform code first, whose values the lanes may use.
    for k in 0..4 {
        let v = g.b.load(g.inputs[k], at(k as i64));
        g.known.push(v);
    }
    let first = g.budget / 4;
    for _ in 0..first {
        g.stmt(1);
    }
    let uniform = g.known.len();
    let extent = g.b.constant(n as i64);
    let index = g.b.value(DType::I64, true);
    g.in_lanes = true;
    g.index = Some(index);
    let body = g.scope(|g| {
        match how.narrow {
            true => begin(g),
            false => g.known.push(index),
        }
        for &x in &g.inputs.clone() {
            let v = g.b.load(x, row());
            g.known.push(v);
        }
        while g.budget > 0 {
            g.stmt(0);
        }
        for (k, &d) in types.iter().enumerate() {
            let v = g.digest(d);
            g.b.store(outputs[k], row(), v);
        }
        vec![]
    });
    g.in_lanes = false;
    g.b.push(Stmt::For(For {
        marks: Marks::default(),
        kind: LoopKind::Vector,
        extent,
        index,
        carried: vec![],
        body,
    }));
    g.known.truncate(uniform);
    for (k, &d) in types.iter().enumerate() {
        let v = g.digest(d);
        g.b.store(ends[k], at(0), v);
        if d != DType::Bool && !how.narrow {
            let copies = g.b.load(g.locals[k], at(1));
            let fold = g.b.op(Fold(FoldOp::Max), &[copies]);
            g.b.store(ends[k], at(1), fold);
        }
    }
    (g.b.finish(), inputs)
}

fn try_seeds(seeds: std::ops::Range<u64>, budget: usize, narrow: bool) {
    let (mut sixteen, mut narrower) = (0, 0);
    for seed in seeds {
        let remainders = seed % 4 == 0;
        let how = How { remainders, narrow };
        let (p, inputs) = program(seed, budget, how);
        if !remainders {
            let (wide, of_sixteen) = wide_loops(&p);
            assert_eq!(wide, 1, "seed {seed}");
            sixteen += of_sixteen;
            // Lanes that are refilled are eight, too.
            narrower += usize::from(of_sixteen == 0 && inputs[0].len() > LANES);
        }
        let result = std::panic::catch_unwind(|| {
            agree(&p, &inputs);
        });
        assert!(result.is_ok(), "seed {seed}, budget {budget}");
    }
    match narrow {
        true => assert!(sixteen > 10 * narrower, "{sixteen} and {narrower}"),
        false => assert_eq!(sixteen, 0),
    }
}

#[test]
fn short_programs() {
    try_seeds(0..300, 12, false);
}

#[test]
fn middling_programs() {
    try_seeds(1000..1150, 60, false);
}

#[test]
fn long_programs() {
    try_seeds(2000..2025, 400, false);
}

#[test]
fn short_narrow_programs() {
    try_seeds(0..200, 12, true);
}

#[test]
fn middling_narrow_programs() {
    try_seeds(1000..1100, 60, true);
}

#[test]
fn long_narrow_programs() {
    try_seeds(2000..2025, 400, true);
}
