//! Outputs that are written over inputs.

use crate::common::compare::{agree, check_in_place, same};
use crate::common::*;
use wengert_jit::{Options, Prepared, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// Elements of the arrays: tasks times a task's.
const LEN: i64 = 4 * TASK;
const TASK: i64 = 60;

/// Programs of a few nests that read one array and write another, here and there.
struct Generator {
    b: Build,
    seed: u64,
    from: BufferId,
    to: BufferId,
    /// Indices of the open loops and their number of steps: a task's, the lanes', a lane's own.
    loops: Vec<(Value, i64)>,
    /// How far neighbouring lanes are apart in what is written.
    stride: i64,
    /// How far tasks are apart in what is written; 0 only where they run one after the other.
    pitch: i64,
    /// Where what is written begins.
    shift: i64,
    values: Vec<Value>,
}

impl Making for Generator {
    fn builder(&mut self) -> &mut Build {
        &mut self.b
    }
}

impl Generator {
    fn below(&mut self, n: i64) -> i64 {
        self.seed = self
            .seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.seed >> 33) as i64 % n
    }

    /// The place that those factors of the loops' indices make.
    fn place(&mut self, offset: i64, factors: &[i64]) -> Index {
        let mut at = at(offset);
        for (n, &k) in factors.iter().enumerate() {
            let i = self.loops[n].0;
            if self.b.ty(i).lanes {
                at.stride = k;
                continue;
            }
            let k = self.b.constant(k);
            let term = self.b.op(Mul, &[i, k]);
            at.base = Some(match at.base {
                Some(sum) => self.b.op(Add, &[sum, term]),
                None => term,
            });
        }
        at
    }

    /// Factors under which no two steps of the tasks and lanes write one element.
    fn write_factors(&mut self) -> (i64, Vec<i64>) {
        let mut factors = vec![self.pitch, self.stride];
        let mut room = self.stride;
        if let Some(&(_, steps)) = self.loops.get(2) {
            let k = self.below((room - 1) / (steps - 1).max(1) + 1);
            factors.push(k);
            room -= k * (steps - 1);
        }
        (self.shift + self.below(room), factors)
    }

    fn load(&mut self) {
        let (mut offset, mut factors) = self.write_factors();
        match self.below(9) {
            // From behind.
            0 => {
                let ends = factors.iter().zip(&self.loops);
                offset += ends.map(|(k, l)| k * (l.1 - 1)).sum::<i64>();
                factors.iter_mut().for_each(|k| *k = -*k);
            }
            // All tasks, or all lanes, the same.
            1 => factors[0] = 0,
            2 => factors[1] = 0,
            // A little further.
            3 => offset += self.below(3),
            4 => offset += self.below(LEN),
            // A little before.
            5 => offset = self.below(offset + 1),
            _ => {}
        }
        let steps = factors.iter().zip(&self.loops);
        let most: i64 = steps.map(|(k, l)| k.max(&0) * (l.1 - 1)).sum();
        let offset = offset.min(LEN - 1 - most);
        let at = self.place(offset, &factors);
        let x = self.b.load(self.from, at);
        self.values.push(x);
    }

    fn store(&mut self) {
        let (offset, factors) = self.write_factors();
        let at = self.place(offset, &factors);
        let last = self.values.last().copied();
        let x = match (last, self.below(3)) {
            (Some(x), 0) => self.b.op(Add, &[x, self.values[0]]),
            (Some(x), 1) => x,
            _ => match self.b.buffer_of(BufferId(0)).dtype {
                DType::F64 => self.b.constant(0.5f64),
                DType::F32 => self.b.constant(0.5f32),
                _ => self.b.constant(3u8),
            },
        };
        self.b.store(self.to, at, x);
    }

    fn body(&mut self) {
        for _ in 0..2 + self.below(4) {
            match self.below(7) {
                0 if self.loops.len() == 2 => {
                    let n = 2 + self.below(3);
                    if n <= self.stride {
                        self.walk(LoopKind::SERIAL, n, Self::body);
                    }
                }
                1..=3 => self.store(),
                _ => self.load(),
            }
        }
    }

    /// A loop whose index places are made of.
    fn walk(&mut self, kind: LoopKind, n: i64, f: impl FnOnce(&mut Self)) {
        let known = self.values.len();
        self.repeat(kind, n, |g, i| {
            g.loops.push((i, n));
            f(g);
            g.loops.pop();
        });
        self.values.truncate(known);
    }

    fn nest(&mut self) {
        let tasks = match self.below(3) {
            0 => LoopKind::Parallel,
            _ => LoopKind::SERIAL,
        };
        self.stride = [1, 2, 3, 6][self.below(4) as usize];
        let lanes = [8, 9, 10][self.below(3) as usize];
        self.shift = self.below(TASK - self.stride * lanes + 1);
        self.pitch = match (tasks, self.below(4)) {
            (LoopKind::Serial { .. }, 0) => 0,
            _ => TASK,
        };
        self.walk(tasks, 4, |g| {
            for _ in 0..1 + g.below(2) {
                g.walk(LoopKind::Vector, lanes, Self::body);
            }
        });
    }
}

fn program(seed: u64, d: DType) -> Program {
    let mut b = Build::new();
    let (from, to) = (b.input(d, LEN as usize), b.output(d, LEN as usize));
    let mut g = Generator {
        b,
        seed,
        from,
        to,
        loops: vec![],
        stride: 1,
        pitch: TASK,
        shift: 0,
        values: vec![],
    };
    for _ in 0..1 + g.below(2) {
        g.nest();
    }
    g.b.finish()
}

fn elements(d: DType) -> Data {
    let mut data = Data::zeros(d, LEN as usize);
    for i in 0..LEN as usize {
        let x = (i as f64 * 0.37).sin();
        let bits = match d {
            DType::F64 => x.to_bits(),
            DType::F32 => u64::from((x as f32).to_bits()),
            _ => (i * 7 % 251) as u64,
        };
        data.set_bits(i, bits);
    }
    data
}

/// What is not written stays, so outputs begin as the input in either case.
#[test]
fn random_nests_are_right_in_place() {
    let (mut shared, programs) = (0, 900);
    for seed in 0..programs {
        let d = [DType::F64, DType::F32, DType::U8][seed as usize % 3];
        let p = program(seed, d);
        verify::verify(&p).unwrap_or_else(|e| panic!("{e}\n{p}"));
        let input = elements(d);
        let mut want = [input.clone()];
        interp::run(&p, &[&input], &mut want).expect("it runs");
        let options = Options {
            parallel_above: 0,
            ..Options::default()
        };
        let exe = compile(&p, &options).expect("it compiles");
        let mut got = input.clone();
        exe.run(&[&input], &mut [&mut got]).expect("it runs");
        assert!(same(&got, &want[0]), "seed {seed}\n{p}");
        if exe.choices(0) == [0] {
            shared += 1;
            let mut got = input.clone();
            let mut call = exe.prepare().expect("memory");
            call.output(0, &mut got).expect("an output");
            call.input_in_output(0, 0).expect("an input");
            call.run().expect("it runs");
            assert!(same(&got, &want[0]), "seed {seed}, in place\n{p}");
        }
    }
    assert!((100..programs - 100).contains(&shared), "{shared}");
}

#[test]
fn a_call_says_what_it_has_not_been_given() {
    let build = |reversed: bool| {
        let mut b = Build::new();
        let (x, y) = (b.input(DType::F64, 2), b.output(DType::F64, 2));
        for i in 0..2 {
            let v = b.load(x, at(if reversed { 1 - i } else { i }));
            b.store(y, at(i), v);
        }
        b.compile()
    };
    let exe = build(false);
    assert_eq!(exe.choices(0), [0]);
    assert_eq!(exe.choices(7), [0u32; 0]);
    let nothing = |what| format!("{what} 0: expected 2 elements of f64, found nothing");
    let run = |call: Prepared| call.run().unwrap_err().to_string();
    let (x, mut y) = (f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0]));
    let mut call = exe.prepare().expect("memory");
    call.input(0, &x).expect("an input");
    assert_eq!(run(call), nothing("output"));
    let mut call = exe.prepare().expect("memory");
    call.output(0, &mut y).expect("an output");
    assert_eq!(run(call), nothing("input"));
    // The output it is said to be in has no memory.
    let mut call = exe.prepare().expect("memory");
    call.input_in_output(0, 0).expect("a choice");
    assert_eq!(run(call), nothing("input"));

    let exe = build(true);
    assert_eq!(exe.choices(0), [0u32; 0]);
    let error = exe
        .prepare()
        .expect("memory")
        .input_in_output(0, 0)
        .expect_err("no choice");
    assert_eq!(
        error.to_string(),
        "input 0: expected memory of its own, found that of output 0"
    );
}

/// Bytes are stored all at once, when the store's own operand is there: it is, at once.
#[test]
fn a_row_of_bytes_is_read_before_it_is_written_over() {
    for n in [16, 21] {
        let mut b = Build::new();
        let x = b.input(DType::U8, n);
        let (y, z) = (b.output(DType::U8, n), b.output(DType::U8, n));
        let three = b.constant(3u8);
        b.vector(n as i64, |b, _| {
            let v = b.load(x, row());
            b.store(y, row(), three);
            b.store(z, row(), v);
        });
        let p = b.finish();
        let input = Data::U8((0..n as u8).collect());
        let want = agree(&p, std::slice::from_ref(&input));
        assert_eq!(want[1], input);
        let exe = compile(&p, &Options::default()).expect("it compiles");
        assert_eq!(check_in_place(&exe, &[input], &want), 2);
    }
}
