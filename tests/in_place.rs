//! Arrays that loops change are changed where they lie: the work of a step does not grow with them. What is counted is
//! the work of the lowered program, so that no clock decides.

use std::collections::HashMap;

use wengert::map;
use wengert::prelude::*;
use wengert_check::check_grads;
use wengert_ir::ir::Func;
use wengert_ir::loops::{Block, BufferKind, LoopKind, Program, Stmt, Value, walk};
use wengert_ir::rewrite::optimise;
use wengert_ir::schedule::lower;

/// The statements that a program runs, nearly: both sides of a branch count, and serial loops of a length that is not known
/// count as this number of steps.
fn work(program: &Program, steps: f64) -> f64 {
    let mut known = HashMap::new();
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::Const { out, bits } = s {
            known.insert(*out, *bits as f64);
        }
    });
    of_block(&program.body, steps, &known)
}

fn of_block(block: &Block, steps: f64, known: &HashMap<Value, f64>) -> f64 {
    block.stmts.iter().map(|s| of_stmt(s, steps, known)).sum()
}

fn of_stmt(s: &Stmt, steps: f64, known: &HashMap<Value, f64>) -> f64 {
    let inside: f64 = walk::blocks(s).map(|b| of_block(b, steps, known)).sum();
    match s {
        Stmt::For(l) => {
            let unknown = match l.kind {
                LoopKind::Serial { .. } => steps,
                LoopKind::Vector | LoopKind::Parallel => 8.0,
            };
            known.get(&l.extent).unwrap_or(&unknown) * inside
        }
        Stmt::While(_) => steps * inside,
        Stmt::Copy { len, .. } => *len as f64,
        Stmt::Kernel { kernel, .. } => {
            let regions = kernel.regions();
            regions.iter().map(|r| r.len as f64).sum()
        }
        _ => 1.0 + inside,
    }
}

/// How a step reads what it then writes over.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Read {
    Nothing,
    Element,
    Some,
    Window,
    /// A part at a fixed place.
    Part,
    /// After it has been written over.
    Late,
}

/// How a step writes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Write {
    Set,
    Add,
    Window,
    Several,
    Swap,
}

/// What stands around the write.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Around {
    Nothing,
    Branch,
    Captured,
    Branches,
    Loop,
    LoopInBranch,
    Condition,
    Checkpoint,
}

/// The loop that carries the array.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Outer {
    Fori,
    While,
    Scan,
    Twice,
}

const READS: [Read; 6] = [
    Read::Nothing,
    Read::Element,
    Read::Some,
    Read::Window,
    Read::Part,
    Read::Late,
];
const WRITES: [Write; 5] = [
    Write::Set,
    Write::Add,
    Write::Window,
    Write::Several,
    Write::Swap,
];
const AROUND: [Around; 8] = [
    Around::Nothing,
    Around::Branch,
    Around::Captured,
    Around::Branches,
    Around::Loop,
    Around::LoopInBranch,
    Around::Condition,
    Around::Checkpoint,
];
const OUTER: [Outer; 4] = [Outer::Fori, Outer::While, Outer::Scan, Outer::Twice];

#[derive(Clone, Copy, Debug)]
struct Case {
    read: Read,
    write: Write,
    around: Around,
    outer: Outer,
    /// The length of the array.
    n: usize,
    /// The steps of each loop.
    steps: usize,
}

impl Case {
    fn written(self, i: Var, h: Var, x: Var) -> Var {
        let n = self.n as i64;
        let near = (i * 7 + 3) % n;
        let v = match self.read {
            Read::Nothing | Read::Late => x,
            Read::Element => x + 0.5 * h.at(near),
            Read::Some => x + 0.1 * h.at((3 * arange(3) + i) % n).sum(),
            Read::Window => x + 0.1 * h.dynamic_slice(&[near], [6]).sum(),
            Read::Part => x + 0.1 * h.slice(2..8).sum() + 0.2 * h.at(9),
        };
        let h2 = match self.write {
            Write::Set => h.at_set(i % n, v),
            Write::Add => h.at_add(i % n, 0.5 * v),
            Write::Window => h.dynamic_update(v * (arange(5).to(DType::F64) + 1.0), &[i % n]),
            Write::Several => h.at_set((2 * arange(3) + i) % n, v),
            Write::Swap => {
                let (a, b) = (h.at(i % n), h.at(near));
                h.at_set(i % n, b + 0.1 * v).at_set(near, a)
            }
        };
        match self.read {
            // The old value is read after the new one is recorded.
            Read::Late => h2.at_add((i + 1) % n, 0.5 * h.at(near)),
            _ => h2,
        }
    }

    fn step(self, i: Var, h: Var, x: Var) -> Var {
        match self.around {
            Around::Nothing => self.written(i, h, x),
            Around::Branch => cond(
                (i % 3).eq(0),
                (h, x),
                move |(h, x)| self.written(i, h, x),
                |(h, _)| h,
            ),
            Around::Captured => cond(
                (i % 3).eq(0),
                (),
                move |()| h,
                move |()| self.written(i, h, x),
            ),
            Around::Branches => cond(
                (i % 3).eq(0),
                h,
                move |h| self.written(i, h, x),
                move |h| {
                    cond(
                        (i % 3).eq(1),
                        h,
                        move |h| h.at_add(i % self.n as i64, 2.0 * x),
                        move |h| self.written(i + 1, h, 0.5 * x),
                    )
                },
            ),
            Around::Loop => fori(0..3, h, move |k, h| self.written(i + k, h, x)),
            Around::LoopInBranch => cond(
                x.gt(0.2),
                h,
                move |h| fori(0..3, h, move |k, h| self.written(i * 2 + k, h, x)),
                |h| h,
            ),
            Around::Condition => {
                let start = (Var::from(0i64), h);
                let more = |(k, h): (Var, Var)| k.lt(2) & h.at(0).lt(9.0);
                while_loop(start, more, move |(k, h)| {
                    (k + 1, self.written(i + k, h, x))
                })
                .1
            }
            Around::Checkpoint => {
                checkpoint(move |(h, x): (Var, Var)| self.written(i, h, x))((h, x))
            }
        }
    }

    fn run(self, start: Var, x: Var) -> Var {
        let steps = self.steps;
        let next = |x: Var| 0.9 * x + 0.1;
        match self.outer {
            Outer::Fori => {
                fori(0..steps, (start, x), move |i, (h, x)| {
                    (self.step(i, h, x), next(x))
                })
                .0
            }
            Outer::While => {
                let more = move |(i, _, _): (Var, Var, Var)| i.lt(steps as i64);
                let step = move |(i, h, x)| (i + 1, self.step(i, h, x), next(x));
                while_loop((Var::from(0i64), start, x), more, step).1
            }
            Outer::Scan => {
                let step = move |(h, x): (Var, Var), i: Var| {
                    let seen = h.at(i % self.n as i64);
                    ((self.step(i, h, x), next(x)), seen)
                };
                let ((h, _), seen) = scan((start, x), arange(steps), step);
                h + seen.sum()
            }
            Outer::Twice => fori(0..steps / 4, start, move |k, h| {
                fori(0..4, h, move |i, h| self.step(4 * k + i, h, x))
            }),
        }
    }
}

/// What is made of a case: functions of a scalar and an array.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Plain,
    Forward,
    Gradient,
    Batch,
    GradientInBatch,
}

const MODES: [Mode; 5] = [
    Mode::Plain,
    Mode::Forward,
    Mode::Gradient,
    Mode::Batch,
    Mode::GradientInBatch,
];

fn of_mode(case: Case, mode: Mode) -> impl Fn((Var, Var)) -> Vec<Var> + Copy + Send + Sync {
    move |(h, x): (Var, Var)| {
        let loss = move |(h, x): (Var, Var)| case.run(h, x).square().sum();
        let batch = move || linspace(0.1, 1.1, 9) * x;
        match mode {
            Mode::Plain => vec![case.run(h, x)],
            Mode::Forward => vec![jvp(move |x: Var| case.run(h, x), x, Var::from(1.0)).1],
            Mode::Gradient => {
                let (h, x) = grad(loss)((h, x));
                vec![h, x]
            }
            Mode::Batch => vec![map(batch(), move |x: Var| case.run(h, x))],
            Mode::GradientInBatch => {
                let (h, x) = map(batch(), move |x: Var| grad(loss)((h, x)));
                vec![h, x]
            }
        }
    }
}

fn recorded(case: Case, mode: Mode) -> Func {
    let types = (
        ShapeDtype::new([case.n], DType::F64),
        ShapeDtype::scalar(DType::F64),
    );
    wengert::trace(of_mode(case, mode), types)
        .unwrap()
        .into_ir()
}

#[test]
fn the_work_of_a_step_does_not_grow_with_the_array() {
    let mut failures = vec![];
    let mut count = 0;
    for outer in OUTER {
        for around in AROUND {
            for (k, write) in WRITES.into_iter().enumerate() {
                for (j, read) in READS.into_iter().enumerate() {
                    // Each pair of them, and each of them with every mode.
                    let mode = MODES[(k + j + around as usize + outer as usize) % MODES.len()];
                    let at = |n, steps| {
                        let case = Case {
                            read,
                            write,
                            around,
                            outer,
                            n,
                            steps,
                        };
                        let func = optimise(&recorded(case, mode), true);
                        work(&lower(&func).unwrap(), steps as f64)
                    };
                    // What is done once costs by the array, and what is done in each step does not.
                    let steps = |n| at(n, 20) - at(n, 12);
                    let (small, large) = (steps(1000), steps(2000));
                    count += 1;
                    if large - small > 500.0 {
                        failures.push(format!(
                            "{mode:?} of {outer:?} {around:?} {write:?} {read:?}: {small} {large}"
                        ));
                    }
                }
            }
        }
    }
    assert_eq!(count, 960);
    assert!(
        failures.is_empty(),
        "{} grow:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn changed_in_place_is_what_copies_give() {
    for outer in OUTER {
        for (i, around) in AROUND.into_iter().enumerate() {
            for j in 0..6 {
                let (read, write) = (READS[j], WRITES[(i + 2 * j) % 5]);
                let case = Case {
                    read,
                    write,
                    around,
                    outer,
                    n: 11,
                    steps: 12,
                };
                let mode = MODES[(i + j) % 5];
                let f = jit(of_mode(case, mode));
                let h: Array = (0..11)
                    .map(|i| 0.1 * f64::from(i))
                    .collect::<Vec<_>>()
                    .into();
                let fast = f.call((&h, 0.5)).unwrap();
                let plain = f.interpret((&h, 0.5)).unwrap();
                assert_eq!(fast, plain, "{mode:?} of {case:?}");
                if mode == Mode::Gradient && outer != Outer::While {
                    let loss = move |(h, x): (Var, Var)| case.run(h, x).square().sum();
                    check_grads(loss, (h.clone(), Array::from(0.5)), 1).unwrap();
                }
            }
        }
    }
}

/// The condition of a loop may change its own copy of what the loop carries.
#[test]
fn a_condition_that_writes() {
    let f = jit(|h: Var| {
        let more = |(i, h): (Var, Var)| {
            let changed = h.at_set(2, 5.0).at_add(0, i.to(DType::F64));
            changed.sum().lt(100.0)
        };
        while_loop((Var::from(0i64), h), more, |(i, h)| (i + 1, h + 1.0)).1
    });
    let h: Array = vec![1.0; 9].into();
    assert_eq!(f.call(&h).unwrap(), f.interpret(&h).unwrap());
}

/// A result of a call that another result is made of in place.
#[test]
fn results_that_are_made_of_each_other() {
    let f = jit(|x: Var| {
        let a = fori(0..9, zeros(9), move |i, h| h.at_set(i, x));
        let b = a.at_set(3, 7.0);
        let c = b.at_add(4, 1.0);
        let (d, e) = fori(0..3, (a, c), |i, (a, c)| {
            (c.at_set(i, 0.5), a.at_set(i, 0.25))
        });
        (c, a, b, d, e)
    });
    assert_eq!(f.call(2.0).unwrap(), f.interpret(2.0).unwrap());
}

/// A side of a branch that makes a result of an operand in place, and reads the operand otherwise.
#[test]
fn branches_that_read_what_they_replace() {
    let f = jit(|(x, p): (Var, Var)| {
        let side = |h: Var| {
            let sorted = h.sort(0);
            let turned = h.flip(0) + h;
            (sorted, turned, h.sum(), h.at_set(1, 5.0))
        };
        let other = |h: Var| (h.at_set(0, 9.0), h, h.at(2) + 0.0, h.at_add(3, 1.0));
        fori(
            0..4,
            (x, zeros(9), Var::from(0.0), ones(9)),
            move |i, (a, b, s, c)| {
                let (a, b, t, d) = cond(p.gt(i), a + 0.5 * b, side, other);
                (a, b, s + t, c + d)
            },
        )
    });
    let x: Array = (0..9)
        .map(|i| f64::from((i * 5) % 9))
        .collect::<Vec<_>>()
        .into();
    for p in [0i64, 2, 9] {
        assert_eq!(f.call((&x, p)).unwrap(), f.interpret((&x, p)).unwrap());
    }
}

/// Functions that start from something computed and change it in place, with the number of arrays on the way that their
/// results need.
type Started = (&'static str, usize, fn(Var) -> Vec<Var>);

/// Where something needs arrays on the way, how many does not matter here.
const ANY: usize = usize::MAX;

const STARTED: &[Started] = &[
    ("a loop", 0, |x| vec![running(2.0 * x)]),
    ("loops one after the other", 1, |x| {
        vec![running(running(2.0 * x) + 0.5)]
    }),
    ("a while", 0, |x| {
        let step = |(i, h): (Var, Var)| (i + 1, h.at_mul(i, 0.5));
        let going = |(i, _): (Var, Var)| i.lt(20);
        vec![while_loop((Var::from(0i64), 2.0 * x), going, step).1]
    }),
    ("a branch", 0, |x| {
        let write = |h: Var| h.at_set(3, 1.0);
        vec![cond(x.at(0).gt(0.0), x.exp(), write, |h| h)]
    }),
    ("a branch that reads it all", ANY, |x| {
        let turned = |h: Var| h.flip(0) + h;
        vec![cond(x.at(0).gt(0.0), x.exp(), |h| h.at_set(3, 1.0), turned)]
    }),
    ("a checkpointed loop", 0, |x| {
        vec![checkpoint(running)(x.sin())]
    }),
    ("a checkpointed function that reads it all", ANY, |x| {
        let f = |h: Var| {
            let turned = h.flip(0) * 0.5;
            running(running(h.at_set(0, turned.sum())) + turned)
        };
        vec![checkpoint(f)(x.sin())]
    }),
    ("a start that is a result as well", ANY, |x| {
        let start = 2.0 * x;
        vec![running(start), start]
    }),
    ("a start that is read again", ANY, |x| {
        let start = x.cos();
        let end = running(start);
        vec![end, end * start]
    }),
    ("a start of another shape", ANY, |x| {
        let start = x.sqrt().reshape([N / 2, 2]);
        let whole = start.reshape([N]);
        vec![running(whole), start.at(s![.., 1]) + start.at(s![.., 0])]
    }),
    ("two that change places", ANY, |x| {
        let step = |i: Var, (a, b): (Var, Var)| (b.at_set(i, 1.0), a.at_add(i, 2.0));
        let (a, b) = fori(0..7, (2.0 * x, 3.0 * x), step);
        vec![a, b]
    }),
];

const N: usize = 100;

fn running(h: Var) -> Var {
    fori(1..N, h, |i, h| h.at_set(i, h.at(i - 1) + h.at(i)))
}

#[test]
fn what_is_changed_in_place_is_computed_where_the_result_is_wanted() {
    check_started(STARTED);
}

fn check_started(all: &[Started]) {
    let x: Array = (0..N)
        .map(|i| (0.3 * i as f64).sin().abs())
        .collect::<Vec<_>>()
        .into();
    for &(name, most, f) in all {
        let func = wengert::trace(f, ShapeDtype::new([N], DType::F64)).unwrap();
        let func = optimise(&func.into_ir(), true);
        let program = lower(&func).unwrap();
        let scratch = program.buffers.iter().filter(|b| {
            let whole = matches!(b.kind, BufferKind::Call | BufferKind::Task);
            whole && b.len == N
        });
        assert!(scratch.count() <= most, "{name}:\n{program}");
        let compiled = jit(f);
        let plain = compiled.interpret(&x).unwrap();
        assert_eq!(compiled.call(&x).unwrap(), plain, "{name}");
        assert_eq!(compiled.call(x.clone()).unwrap(), plain, "{name}, moved in");
    }
}

/// What results consist of, with the number of arrays on the way that are as long as a part.
const OF_PARTS: &[Started] = &[
    ("maps", 0, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        let b = map(x, |x| fori(0..4, x, |_, y| y * y + 1.0));
        vec![concat([a, b], 0)]
    }),
    ("stacked maps", 0, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        let b = map(x, |x| fori(0..4, x, |_, y| y * y + 1.0));
        vec![stack([a, b])]
    }),
    ("a map of another shape", 0, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        vec![a.reshape([N / 2, 2])]
    }),
    ("columns", 2, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        vec![concat([a.reshape([N, 1]), x.reshape([N, 1])], 1)]
    }),
    ("loops", 3, |x| {
        let all = [running(2.0 * x), x.sin(), running(3.0 * x), x];
        vec![concat(all, 0), running(x)]
    }),
    ("rows of loops", 1, |x| {
        let ahead = scan(Var::from(0.5), x, |c, x| (c * x + 1.0, c)).1;
        let back = scan_reverse(Var::from(0.5), x, |c, x| (c - x, c * x)).1;
        vec![concat([ahead, back], 0)]
    }),
    ("kernels", 2, |x| {
        let largest = x.top_k(N).0;
        let product = stack([x, 0.5 * x])
            .reshape([N, 2])
            .dot(stack([x.at(1), x.at(2)]));
        let all = [x.sort(0), x.cumsum(0), product, largest, x.flip(0).sort(0)];
        vec![concat(all, 0)]
    }),
    ("parts that are read again", 2, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        let b = map(a, |x| fori(0..4, x, |_, y| y * y + 1.0));
        vec![concat([a, b, a.flip(0)], 0), b]
    }),
    ("a part of no elements", 0, |x| {
        let a = map(x, |x| fori(0..3, x, |_, y| y.sin()));
        vec![concat([zeros(0), a, zeros(0), x], 0)]
    }),
];

#[test]
fn parts_of_a_result_are_computed_where_it_is_wanted() {
    check_started(OF_PARTS);
}
