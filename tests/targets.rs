//! Updates of an array that tasks share, and sums that are computed row by row: the same bits as one after the other,
//! whatever the machine.

use std::sync::Arc;

use wengert::backend::{Backend, Cranelift, Interpreter, Target};
use wengert::prelude::*;
use wengert::{Feed, trace};
use wengert_ir::loops::{BufferKind, LoopKind, Program, Stmt, walk};
use wengert_ir::schedule::lower_for;
use wengert_run::{CompileError, Executable, Options};

/// A back end for a machine of this many threads on which even little work is worth sharing.
#[derive(Clone, Debug)]
struct Eager<B>(Arc<B>, fn() -> usize);

impl<B: Backend> Eager<B> {
    fn new(back_end: B, threads: fn() -> usize) -> Eager<B> {
        Eager(Arc::new(back_end), threads)
    }
}

impl<B: Backend> Backend for Eager<B> {
    fn name(&self) -> String {
        "eager".into()
    }

    fn target(&self, options: &Options) -> Target {
        eager(self.0.target(options), self.1)
    }

    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError> {
        self.0.compile(program, options)
    }
}

fn eager(target: Target, threads: fn() -> usize) -> Target {
    let mut target = target.with_threads(threads);
    target.tasks_from = 64;
    target.task = 16;
    target.near = 16;
    target
}

/// Numbers whose sum depends on the order in which they are added.
fn numbers(shape: &[usize]) -> Array {
    let x = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 509.0 - 0.9;
    let n: usize = shape.iter().product();
    Array::new(shape.to_vec(), (0..n).map(x).collect()).unwrap()
}

/// Indices of all kinds of an axis of length `n`: in and out of range, and one of them often.
fn places(shape: &[usize], n: usize) -> Array {
    let total: usize = shape.iter().product();
    let place = |i: usize| match i % 11 {
        0 | 5 => 3,
        7 => -((i % 5) as i64),
        9 => (n + i % 3) as i64,
        _ => ((i * 2654435761) % n) as i64,
    };
    Array::new(shape.to_vec(), (0..total).map(place).collect()).unwrap()
}

type Shape = &'static [usize];
type Update = fn(Var, Var, Var) -> Var;

/// Updates of arrays: their name, the shapes of the array, of the indices and of the updates.
const UPDATES: [(&str, Shape, Shape, Shape, Update); 9] = [
    ("numbers", &[90], &[30_000], &[30_000], |x, i, u| {
        x.at_add(i, u)
    }),
    (
        "of a table of indices",
        &[90],
        &[150, 200],
        &[150, 200],
        |x, i, u| x.at_add(i, u),
    ),
    ("pairs", &[70, 2], &[20_000], &[20_000, 2], |x, i, u| {
        x.at_add(i, u)
    }),
    ("rows", &[70, 24], &[6_000], &[6_000, 24], |x, i, u| {
        x.at_add(i, u)
    }),
    (
        "rows that are replaced",
        &[70, 24],
        &[6_000],
        &[6_000, 24],
        |x, i, u| x.at_set(i, u),
    ),
    ("extremes", &[90], &[30_000], &[30_000], |x, i, u| {
        x.at_max(i, u) + x.at_min(i, u)
    }),
    ("products", &[90], &[30_000], &[30_000], |x, i, u| {
        x.at_mul(i, u)
    }),
    ("f32", &[90], &[30_000], &[30_000], |x, i, u| {
        x.to(DType::F32)
            .at_add(i.to(DType::I32), u.to(DType::F32))
            .to(DType::F64)
    }),
    ("as a gradient", &[90], &[30_000], &[30_000], |x, i, u| {
        grad_at(x, move |x| (x.at(i).sin() * u).sum())
    }),
];

#[test]
fn updates_keep_their_order() {
    for (name, x, i, u, update) in UPDATES {
        let args = (numbers(x), places(i, x[0]), numbers(u));
        let f = move |(x, i, u): (Var, Var, Var)| update(x, i, u);
        let wanted = jit(f).interpret(&args).unwrap();
        assert!(jit(f).call(&args).unwrap() == wanted, "{name}");
        for threads in [|| 2, || 5, || 16] {
            let eager = jit(f).backend(Eager::new(Cranelift, threads));
            assert!(
                eager.call(&args).unwrap() == wanted,
                "{name}, {}",
                threads()
            );
        }
        let eager = jit(f).backend(Eager::new(Interpreter, || 5));
        assert!(eager.call(&args).unwrap() == wanted, "{name}, loops");
    }
}

#[test]
fn batches_of_updates_are_shared_by_their_elements() {
    let f =
        |(x, i, u): (Var, Var, Var)| vmap(|(x, i, u): (Var, Var, Var)| x.at_add(i, u))((x, i, u));
    for n in [3, 40] {
        let args = (
            numbers(&[n, 50]),
            places(&[n, 9_000], 50),
            numbers(&[n, 9_000]),
        );
        let wanted = jit(f).interpret(&args).unwrap();
        assert!(jit(f).call(&args).unwrap() == wanted, "{n}");
        let eager = jit(f).backend(Eager::new(Cranelift, || 5));
        assert!(eager.call(&args).unwrap() == wanted, "{n}");
    }
}

/// The parallel loops and the largest memory, in elements, of a function's program for a machine of so many threads.
fn plan<X: Tree<Leaf = Var>, A: Feed<X::With<ShapeDtype>>>(
    f: impl Fn(X) -> Var,
    types: A,
    threads: fn() -> usize,
) -> (usize, usize) {
    let traced = trace(f, types).unwrap();
    let func = wengert_ir::rewrite::optimise(traced.ir(), true);
    let program = lower_for(&func, &Target::default().with_threads(threads)).unwrap();
    let mut parallel = 0;
    walk::stmts(&program.body, &mut |s| {
        parallel += usize::from(matches!(s, Stmt::For(l) if l.kind == LoopKind::Parallel));
    });
    let own = (program.buffers.iter()).filter(|b| {
        matches!(
            b.kind,
            BufferKind::Call | BufferKind::Task | BufferKind::Local
        )
    });
    (parallel, own.map(|b| b.len).max().unwrap_or(0))
}

fn of(shape: &[usize], dtype: DType) -> ShapeDtype {
    ShapeDtype::new(shape.to_vec(), dtype)
}

#[test]
fn updates_are_sorted_where_it_pays() {
    let add = |(x, i, u): (Var, Var, Var)| x.at_add(i, u);
    let loops = |x: &[usize], updates: usize, threads| {
        let u = [&[updates], &x[1..]].concat();
        let types = (
            of(x, DType::F64),
            of(&[updates], DType::I64),
            of(&u, DType::F64),
        );
        plan(add, types, threads).0
    };
    // Counting, sorting, and updating; a large array is copied in parallel, too.
    assert_eq!(loops(&[1000], 1_000_000, || 16), 3);
    assert_eq!(loops(&[10_000_000], 1_000_000, || 2), 4);
    assert_eq!(loops(&[1000, 64], 100_000, || 2), 3);
    // One after the other is as fast.
    assert_eq!(loops(&[1000], 1_000_000, || 2), 0);
    assert_eq!(loops(&[1000], 1_000_000, || 1), 0);
    assert_eq!(loops(&[1000], 1000, || 16), 0);
    // The elements of a batch are independent: the array is copied, and each updates its own.
    let batch =
        |(x, i, u): (Var, Var, Var)| vmap(|(x, i, u): (Var, Var, Var)| x.at_add(i, u))((x, i, u));
    let types = (
        of(&[20, 9_000], DType::F64),
        of(&[20, 50_000], DType::I64),
        of(&[20, 50_000], DType::F64),
    );
    assert_eq!(plan(batch, types, || 16).0, 2);
}

type Sum = fn(Var, Var) -> Var;

/// Sums of what two vectors make of each pair.
const SUMS: [(&str, Sum); 6] = [
    ("roots", |x, y| {
        (x.exp().expand_dims(0) + y.expand_dims(1)).sqrt().sum()
    }),
    ("kernels", |x, y| {
        (-(x.expand_dims(1) - y.expand_dims(0)).square())
            .exp()
            .mean()
    }),
    ("the largest", |x, y| {
        (x.expand_dims(1) * y.expand_dims(0)).amax()
    }),
    ("products", |x, y| {
        (x.expand_dims(1) * y.expand_dims(0) * 1e-9 + 1.0).prod()
    }),
    ("a gradient", |x, y| {
        grad_at(x, move |x| {
            (x.expand_dims(0) + y.expand_dims(1)).cos().sum()
        })
        .sum()
    }),
    ("each of three", |x, y| {
        let pairs = x.expand_dims(0) + y.expand_dims(1);
        let three = Var::from([0.1, 0.2, 0.3]).expand_dims(1).expand_dims(2);
        (pairs.expand_dims(0) * three).sin().sum_axis((1, 2)).prod()
    }),
];

#[test]
fn sums_over_pairs_have_the_order_of_sums() {
    for (n, m) in [
        (64, 1),
        (70, 3),
        (64, 64),
        (100, 41),
        (4096, 3),
        (5000, 30),
        (513, 700),
    ] {
        let positive = jit(|y: Var| y + 0.95).call(numbers(&[m])).unwrap();
        let args = (numbers(&[n]), positive);
        for (name, sum) in SUMS {
            for swapped in [false, true] {
                let f = move |(x, y): (Var, Var)| {
                    if swapped {
                        sum(y + 1.0, x + 1.0)
                    } else {
                        sum(x, y)
                    }
                };
                let (code, wanted) = (jit(f).call(&args), jit(f).interpret(&args));
                assert!(code.unwrap() == wanted.unwrap(), "{name} of {n} and {m}");
            }
        }
    }
}

#[test]
fn sums_over_pairs_store_no_pairs() {
    for (name, sum) in &SUMS[..5] {
        let types = (of(&[3000], DType::F64), of(&[2000], DType::F64));
        let (_, memory) = plan(|(x, y)| sum(x, y), types, || 2);
        assert!(memory <= 4096, "{name}: {memory} elements");
    }
}
