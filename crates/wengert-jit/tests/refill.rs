//! Vector loops around a `while` of unequal lanes, in which a lane that has finished takes the next element.

use crate::common::compare::agree;
use crate::common::single_floats::{in_singles, single_inputs};
use crate::common::*;
use wengert_check::Rng;
use wengert_jit::{Options, RunError, Vectors};
use wengert_loop::buffer::Data;

use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

const EXTENTS: [usize; 9] = [0, 1, 8, 9, 16, 17, 40, 129, 300];

/// Every third element from the second on.
fn apart() -> Index {
    Index {
        offset: 1,
        ..stride(3)
    }
}

/// Values in lanes.
#[derive(Clone, Default)]
struct Known {
    floats: Vec<Value>,
    ints: Vec<Value>,
    truths: Vec<Value>,
}

struct Shared {
    x: BufferId,
    table: BufferId,
}

impl Known {
    fn note(&mut self, b: &Build, v: Value) {
        match b.ty(v).dtype {
            DType::F64 => self.floats.push(v),
            DType::I64 => self.ints.push(v),
            _ => self.truths.push(v),
        }
    }

    fn any(rng: &mut Rng, from: &[Value]) -> Value {
        let near = from.len().min(6);
        from[from.len() - 1 - rng.below(near)]
    }

    /// A branch on which lanes disagree.
    fn branch(&mut self, rng: &mut Rng, b: &mut Build) {
        let p = Self::any(rng, &self.truths);
        let (i, f) = (Self::any(rng, &self.ints), self.floats[0]);
        let out = b.if_else(
            p,
            |b| vec![b.op(Mul, &[f, f]), b.op(Add, &[i, i])],
            |b| vec![b.op_to(Convert, DType::F64, &[i]), b.op(Neg, &[i])],
        );
        out.into_iter().for_each(|v| self.note(b, v));
    }

    /// What there may be before and after the loop, apart from a straight line.
    fn around(&mut self, rng: &mut Rng, b: &mut Build) {
        match rng.below(6) {
            0 | 1 => self.branch(rng, b),
            2 | 3 => self.steps(rng, b),
            _ => {}
        }
    }

    /// A loop of a few steps, or of none, whose number is the same in all lanes, around a branch.
    fn steps(&mut self, rng: &mut Rng, b: &mut Build) {
        let (f, i) = (Self::any(rng, &self.floats), Self::any(rng, &self.ints));
        let (p, start) = (Self::any(rng, &self.truths), b.constant(1i64));
        let steps = b.constant(*rng.pick(&[0i64, 1, 5]));
        let branches = rng.below(2) == 0;
        let kind = LoopKind::Serial {
            reverse: rng.below(2) == 0,
        };
        let inits = [(f, true), (i, true), (start, false)];
        let out = b.for_loop(kind, steps, &inits, |b, at, c| {
            let sum = b.op(Add, &[c[1], at]);
            let next = match branches {
                true => {
                    let out = b.if_else(p, |b| vec![b.op(Sub, &[f, c[0]])], |_| vec![c[0]]);
                    out[0]
                }
                false => b.op(Sub, &[f, c[0]]),
            };
            vec![next, sum, b.op(Add, &[c[2], at])]
        });
        let all = b.op(Add, &[out[1], out[2]]);
        self.note(b, out[0]);
        self.note(b, all);
    }

    /// Some operations on what is known.
    fn line(&mut self, rng: &mut Rng, b: &mut Build, shared: &Shared, n: usize) {
        for _ in 0..n {
            let (f, g) = (Self::any(rng, &self.floats), Self::any(rng, &self.floats));
            let (i, j) = (Self::any(rng, &self.ints), Self::any(rng, &self.ints));
            let p = Self::any(rng, &self.truths);
            let v = match rng.below(12) {
                0..=2 => b.op(*rng.pick(&[Add, Sub, Mul, Div, Min]), &[f, g]),
                3 => {
                    let minus = b.op(Neg, &[f]);
                    b.op(Fma, &[minus, g, f])
                }
                4 => b.op(*rng.pick(&[Add, Sub, Mul, Xor]), &[i, j]),
                5 => b.op(*rng.pick(&[Div, Rem]), &[i, j]),
                6 => b.op(*rng.pick(&[Lt, Eq]), &[i, j]),
                7 => b.op(Le, &[f, g]),
                8 => b.op(Select, &[p, f, g]),
                9 => {
                    let fifteen = b.constant(15i64);
                    let n = b.op(And, &[i, fifteen]);
                    b.load(shared.table, each(n))
                }
                10 => b.load(shared.x, apart()),
                _ => b.op_to(Convert, DType::F64, &[i]),
            };
            self.note(b, v);
        }
    }
}

/// What the body of the loop holds, apart from a straight line.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Line,
    Branch,
    Loop,
}

/// A loop of up to 31 steps for each lane, with random lines before, in and after it.
fn program(rng: &mut Rng, lanes: usize, inside: Inside, limit: u64) -> Program {
    let mut b = Build::new();
    let shared = Shared {
        x: b.input(DType::F64, 3 * lanes),
        table: b.input(DType::F64, 16),
    };
    let k = b.input(DType::I64, lanes);
    let y = b.output(DType::F64, lanes);
    let z = b.output(DType::I64, 3 * lanes);
    let extent = b.constant(lanes as i64);
    let zero = b.constant(0i64);
    let most = b.constant(31i64);
    b.for_loop(LoopKind::Vector, extent, &[], |b, index, _| {
        let mut known = Known::default();
        let n = b.load(k, row());
        let u = b.load(shared.x, apart());
        let p = b.op(Lt, &[n, most]);
        for v in [u, n, index, p] {
            known.note(b, v);
        }
        let steps = b.op(And, &[n, most]);
        let size = rng.below(8);
        known.line(rng, b, &shared, size);
        known.around(rng, b);
        let mut inits = vec![(zero, true)];
        for _ in 0..1 + rng.below(5) {
            let from = [&known.floats, &known.ints][rng.below(2)];
            inits.push((Known::any(rng, from), true));
        }
        let outs = b.while_loop(
            &inits,
            limit,
            |b, params| b.op(Lt, &[params[0], steps]),
            |b, params| {
                let mut known = known.clone();
                params.iter().for_each(|&p| known.note(b, p));
                let size = 1 + rng.below(10);
                known.line(rng, b, &shared, size);
                match inside {
                    Inside::Line => {}
                    Inside::Branch => known.branch(rng, b),
                    Inside::Loop => {
                        let three = b.constant(3i64);
                        let n = b.op(And, &[params[0], three]);
                        let f = Known::any(rng, &known.floats);
                        let out = b.for_loop(LoopKind::SERIAL, n, &[(f, true)], |b, _, p| {
                            vec![b.op(Sub, &[p[0], f])]
                        });
                        known.note(b, out[0]);
                    }
                }
                let one = b.constant(1i64);
                let mut results = vec![b.op(Add, &[params[0], one])];
                for &p in &params[1..] {
                    let like = match b.ty(p).dtype {
                        DType::F64 => &known.floats,
                        _ => &known.ints,
                    };
                    results.push(Known::any(rng, like));
                }
                results
            },
        );
        outs.into_iter().for_each(|v| known.note(b, v));
        known.around(rng, b);
        let size = rng.below(6);
        known.line(rng, b, &shared, size);
        let v = Known::any(rng, &known.floats);
        b.store(y, row(), v);
        let v = Known::any(rng, &known.ints);
        b.store(z, apart(), v);
        vec![]
    });
    b.finish()
}

fn inputs(lanes: usize, seed: u64) -> Vec<Data> {
    let x = (0..3 * lanes).map(|i| (i as f64 * 0.7 + seed as f64).sin() * 3.0);
    let table = (0..16).map(|i| f64::from(i) - 7.5);
    // Most lanes take few steps, some many.
    let k = (0..lanes).map(|i| {
        let n = (i as i64 * 7919 + seed as i64 * 31) % 97;
        if n % 3 == 0 { n } else { n % 4 + 32 }
    });
    vec![
        Data::F64(x.collect()),
        Data::F64(table.collect()),
        Data::I64(k.collect()),
    ]
}

#[test]
fn lanes_of_generated_loops() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let lanes = *rng.pick(&EXTENTS);
        let inside = *rng.pick(&[Inside::Line, Inside::Line, Inside::Branch, Inside::Loop]);
        let limit = *rng.pick(&[u64::MAX, 1_000_000_000, 31]);
        let p = program(&mut rng, lanes, inside, limit);
        let inputs = inputs(lanes, seed);
        match seed % 2 {
            0 => agree(&p, &inputs),
            _ => agree(&in_singles(&p), &single_inputs(&inputs)),
        };
    }
}

/// The smallest divisor of each number, with as many steps as the number is large.
fn divisors(numbers: &[i64], limit: u64) -> Build {
    let n = numbers.len();
    let mut b = Build::new();
    let x = b.input(DType::I64, n);
    let y = b.output(DType::I64, n);
    let two = b.constant(2i64);
    b.vector(n as i64, |b, _| {
        let v = b.load(x, row());
        let out = b.while_loop(
            &[(two, true)],
            limit,
            |b, p| {
                let rest = b.op(Rem, &[v, p[0]]);
                let zero = b.constant(0i64);
                b.op(Ne, &[rest, zero])
            },
            |b, p| {
                let one = b.constant(1i64);
                vec![b.op(Add, &[p[0], one])]
            },
        );
        b.store(y, row(), out[0]);
    });
    b
}

fn smallest_divisor(n: i64) -> i64 {
    (2..).find(|d| n % d == 0).expect("the number itself")
}

/// The limit counts the steps of each element, however late its lane began: the longest of these takes 1019.
#[test]
fn the_limit_is_that_of_each_element() {
    let numbers: Vec<i64> = (2..=1021).collect();
    for vectors in [Vectors::AllLoops, Vectors::Functions] {
        let options = Options {
            vectors,
            ..Options::default()
        };
        let input = [Data::I64(numbers.clone())];
        let enough = divisors(&numbers, 1019).compile_with(&options);
        let got = try_run(&enough, &input, &[(DType::I64, numbers.len())]).expect("enough steps");
        let want = numbers.iter().map(|&n| smallest_divisor(n)).collect();
        assert!(got[0] == Data::I64(want));
        for limit in [0, 1, 500, 1018] {
            let few = divisors(&numbers, limit).compile_with(&options);
            let got = try_run(&few, &input, &[(DType::I64, numbers.len())]);
            let endless = While::endless(limit, None).error();
            assert_eq!(got, Err(RunError::Stopped(endless)), "{limit} steps");
        }
    }
}

/// Divisors of numbers that are exact in no float take the same path.
#[test]
fn large_numbers_among_small_ones() {
    let numbers: Vec<i64> = (0..100)
        .map(|i| match i % 5 {
            0 => (1 << 60) + 3 * i,
            1 => (1 << 40) + i,
            _ => 2 + i,
        })
        .map(|n| n * (3 + n % 2))
        .collect();
    let p = divisors(&numbers, u64::MAX).finish();
    let got = agree(&p, &[Data::I64(numbers.clone())]);
    let want = numbers.iter().map(|&n| smallest_divisor(n)).collect();
    assert!(got[0] == Data::I64(want));
}
