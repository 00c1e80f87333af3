//! How much memory derivatives take: checkpoints keep what they promise, a gradient of a million steps
//! fits into little, and nothing is left behind where a limit is hit.

use wengert::Error;
use wengert::prelude::*;

use crate::alone;

const MB: usize = 1 << 20;

/// A figure of this process, in bytes.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse::<usize>().unwrap() * 1024
}

/// The bytes that a test says it took, in a process of its own.
fn bytes(test: &str) -> usize {
    let (said, _) = alone::run(module_path!(), test);
    let (_, bytes) = said.split_once("BYTES ").expect("a figure");
    bytes.split_whitespace().next().unwrap().parse().unwrap()
}

/// Runs a gradient whose peak memory is wanted. The program's own is what it takes with everything
/// compiled, this gradient for a few steps included.
fn peak(gradient: impl Fn(usize) -> f64) {
    gradient(100);
    let own = status("VmHWM");
    let slope = gradient(1_000_000);
    // The fixed point 1 - 1/r of the logistic map, by r.
    assert!((slope - 1.0 / (2.5 * 2.5)).abs() < 1e-12, "{slope}");
    println!("BYTES {}", status("VmHWM") - own);
}

/// Eight logistic maps, each drawn towards its neighbour.
fn step(r: Var, x: Var) -> Var {
    let next = r * x * (1.0 - x);
    0.9 * next + 0.1 * next.roll(1, 0)
}

fn start() -> Var {
    (arange(8).to(DType::F64) + 1.0) * 0.1
}

/// A loop of unknown length, at most `4^(levels + 1)` steps, as scans of branches inside of each other.
fn bounded(levels: usize, (i, v): (Var, Var), x: Var) -> (Var, Var) {
    let goes_on = |i: Var| i.lt(3);
    if levels == 0 {
        let step = move |(i, v): (Var, Var)| (i + 1, (v * x).sin());
        return cond(goes_on(i), (i, v), step, |s| s);
    }
    let inner = move |s: (Var, Var), _: Var| {
        let next = cond(goes_on(s.0), s, move |s| bounded(levels - 1, s, x), |s| s);
        (next, ())
    };
    scan((i, v), 0..4, inner).0
}

#[test]
fn branches_that_are_not_taken_keep_nothing() {
    let taken = bytes("bounded_loop");
    println!(
        "a gradient of 3 steps, of millions that there could be: {:.1} MB",
        taken as f64 / MB as f64
    );
    // Of some arrays a first large page each.
    assert!(taken < 24 * MB, "{taken}");
}

#[test]
#[ignore = "run by `branches_that_are_not_taken_keep_nothing`"]
fn bounded_loop() {
    let slope = |levels: usize| {
        let f = move |x: Var| bounded(levels, (Var::from(0i64), Var::from(1.0)), x).1;
        jit(grad(f))
    };
    let want = slope(2).call(1.3).unwrap();
    let slope = slope(11);
    let code = slope.compile(ShapeDtype::scalar(DType::F64)).unwrap();
    assert!(code.scratch_bytes() > 64 * MB);
    let own = status("VmHWM");
    assert_eq!(slope.call(1.3).unwrap(), want);
    println!("BYTES {}", status("VmHWM") - own);
}

#[test]
fn a_gradient_of_a_million_steps_takes_little_memory() {
    let few = bytes("million_checkpointed");
    let all = bytes("million_plain");
    let unknown = bytes("million_unknown");
    println!("a gradient of 1,000,000 steps, above the program's own:");
    println!(
        "  scan_checkpointed(&[10_000, 100]): {:.1} MB",
        few as f64 / MB as f64
    );
    println!("  scan: {:.1} MB", all as f64 / MB as f64);
    println!("  while_loop: {:.1} MB", unknown as f64 / MB as f64);
    assert!(few < 64 * MB, "{few}");
    // What is kept of each step is seen: its eight numbers, which are 61.04 MB, and no more arrays of eight. The
    // program's own first hundred steps are not counted.
    assert!((60 * MB..96 * MB).contains(&all), "{all}");
    assert!((60 * MB..96 * MB).contains(&unknown), "{unknown}");
}

#[test]
#[ignore = "run by `a_gradient_of_a_million_steps_takes_little_memory`"]
fn million_checkpointed() {
    peak(|n| {
        let every: &'static [usize] = if n > 1000 { &[10_000, 100] } else { &[10] };
        let last = move |r: Var| scan_checkpointed(every, start(), 0..n, |x, _| (step(r, x), ())).0;
        let f = jit(grad(move |r: Var| last(r).mean()));
        f.call(2.5).unwrap().item().unwrap()
    });
}

#[test]
#[ignore = "run by `a_gradient_of_a_million_steps_takes_little_memory`"]
fn million_plain() {
    peak(|n| {
        let last = move |r: Var| scan(start(), 0..n, |x, _| (step(r, x), ())).0;
        let f = jit(grad(move |r: Var| last(r).mean()));
        f.call(2.5).unwrap().item().unwrap()
    });
}

#[test]
#[ignore = "run by `a_gradient_of_a_million_steps_takes_little_memory`"]
fn million_unknown() {
    let f = jit(|(r, n): (Var, Var)| {
        grad_at(r, |r| {
            let more = |(_, i): (Var, Var)| i.lt(n);
            while_loop((start(), 0i64), more, |(x, i)| (step(r, x), i + 1))
                .0
                .mean()
        })
    });
    peak(|n| f.call((2.5, n as i64)).unwrap().item().unwrap());
}

#[test]
fn nothing_is_left_where_a_tape_outgrows_its_limit() {
    for test in ["hit_limits_alone", "hit_limits_in_lanes"] {
        let left = bytes(test);
        println!("{test}: {:.1} MB after 100 calls", left as f64 / MB as f64);
        // Each tape is 32 MB, and each thread may keep one for the next call, or a few where it has taken over
        // another's work. If calls left theirs behind, it would be gigabytes.
        assert!(left < 256 * MB, "{test}: {left}");
    }
}

/// A hundred calls that run into the limit: how much more is held than after ten.
fn hit(call: impl Fn() -> Error) {
    let all = |n: usize| {
        for _ in 0..n {
            let error = call();
            let Error::Memory { need, limit, .. } = error else {
                panic!("{error}");
            };
            assert!(
                limit == 32 << 20 && (limit..100 * limit).contains(&need),
                "{error}"
            );
        }
        status("VmRSS")
    };
    let before = all(10);
    println!("BYTES {}", all(100).saturating_sub(before));
}

/// Goes on for long, and keeps two numbers of each step.
fn grown(x: Var) -> Var {
    while_loop(x, |x| x.lt(1e9), |x| x + x.sin().square() + 0.5)
}

#[test]
#[ignore = "run by `nothing_is_left_where_a_tape_outgrows_its_limit`"]
fn hit_limits_alone() {
    let f = jit(grad(grown)).max_residual_bytes(32 << 20);
    hit(|| f.call(0.0).unwrap_err());
    assert_eq!(f.call(1e9).unwrap().item::<f64>().unwrap(), 1.0);
}

#[test]
#[ignore = "run by `nothing_is_left_where_a_tape_outgrows_its_limit`"]
fn hit_limits_in_lanes() {
    let f = jit(vmap(grad(grown))).max_residual_bytes(32 << 20);
    hit(|| f.call(vec![0.0; 1000]).unwrap_err());
    let ones = f.call(vec![1e9; 1000]).unwrap();
    assert_eq!(ones.to_vec::<f64>().unwrap(), [1.0; 1000]);
}

/// Takes about a hundred steps.
fn short(x: Var) -> Var {
    while_loop(x, |x| x.lt(100.0), |x| x + x.sin().square() + 0.5)
}

type Batch = fn(Var) -> Var;

/// Loops of unknown length in a batch, whose lists end with the element.
const IN_BATCHES: [(&str, Batch); 4] = [
    ("a loop", |x| vmap(grad(short))(x)),
    ("loops in a loop", |x| {
        let run = |x: Var| fori(0..3, x, |_, x| short(0.01 * x));
        vmap(grad(run))(x)
    }),
    ("a loop in a loop of unknown length", |x| {
        let run = |x: Var| {
            let more = |(_, k): (Var, Var)| k.lt(3 + x.to(DType::I64));
            while_loop((x, 0i64), more, |(x, k)| (short(0.01 * x), k + 1)).0
        };
        vmap(grad(run))(x)
    }),
    ("a loop, and the number of its steps", |x| {
        let run = |x: Var| {
            let more = |(x, _): (Var, Var)| x.lt(100.0);
            while_loop((x, 0i64), more, |(x, k)| {
                (x + x.sin().square() + 0.5, k + 1)
            })
        };
        let (slopes, steps) = vmap(move |x| {
            let ((_, steps), pull) = vjp_aux(run, x);
            (pull(Var::from(1.0)), steps)
        })(x);
        slopes + steps.to(DType::F64)
    }),
];

#[test]
fn lists_of_a_batch_take_the_memory_of_those_in_hand() {
    let starts = |n: usize| -> Vec<f64> { (0..n).map(|i| (i % 97) as f64 / 97.0).collect() };
    for (name, f) in IN_BATCHES {
        let f = jit(f).max_residual_bytes(16 << 20);
        let few = f.call(starts(97)).unwrap();
        assert_eq!(few, f.interpret(starts(97)).unwrap(), "{name}");
        // All lists together would take from 30 MB to 100 MB.
        let all = f.call(starts(97 * 200)).unwrap();
        let (few, all) = (few.to_vec::<f64>().unwrap(), all.to_vec::<f64>().unwrap());
        assert!(all.chunks(97).all(|part| part == few), "{name}");
    }
}

/// Lists that are read after all elements have been run are kept.
#[test]
fn lists_that_leave_their_element_are_kept() {
    let f = jit(grad(|x: Var| {
        let y = vmap(short)(x);
        (y - y.mean()).square().sum()
    }));
    let starts: Vec<f64> = (0..300).map(|i| i as f64 / 300.0).collect();
    assert_eq!(
        f.call(&starts[..]).unwrap(),
        f.interpret(&starts[..]).unwrap()
    );
    let few = f.max_residual_bytes(100 << 10);
    assert!(matches!(few.call(&starts[..]), Err(Error::Memory { .. })));
}

const SIDE: usize = 100;

/// A layer of a network that has one matrix for all layers.
fn layer(x: Var, w: Var) -> Var {
    x.dot(w).tanh()
}

/// Sixteen layers, in checkpoints of so many.
fn layers(together: usize) -> impl Fn(Var, Var) -> Var + Copy {
    move |x, w| {
        let part = |[x, w]: [Var; 2]| (0..together).fold(x, |x, _| layer(x, w));
        let y = (0..16 / together).fold(x, |x, _| match together {
            1 => part([x, w]),
            _ => checkpoint(part)([x, w]),
        });
        y.square().sum()
    }
}

/// The gradient by the first argument, and by both.
fn first(together: usize) -> impl Fn([Var; 2]) -> Var + Copy {
    move |[x, w]| grad_at(x, |x| layers(together)(x, w))
}

fn both(together: usize) -> impl Fn([Var; 2]) -> [Var; 2] + Copy {
    move |all| grad_at(all, |[x, w]: [Var; 2]| layers(together)(x, w))
}

#[test]
fn a_checkpoint_keeps_its_arguments_alone() {
    let square = || ShapeDtype::new([SIDE, SIDE], DType::F64);
    let specs = [square(), square()];
    let arrays = |bytes: usize| bytes as f64 / (SIDE * SIDE * 8) as f64;
    let parts = [1, 4, 8, 16];
    let one = parts.map(|n| arrays(jit(first(n)).compile(&specs).unwrap().scratch_bytes()));
    let two = parts.map(|n| arrays(jit(both(n)).compile(&specs).unwrap().scratch_bytes()));
    println!(
        "arrays, plain and in parts of 4, 8, 16: {one:.2?}, with the matrix's gradient {two:.2?}"
    );
    for [all, four, eight, whole] in [one, two] {
        // Each of the sixteen layers' products and results is kept: the derivative of `tanh` wants both.
        assert!(all >= 31.0, "{all}");
        // What goes into each part, and what is kept within the one that is computed again; a few
        // more are on their way.
        assert!(four <= 3.0 + 8.0 + 3.5, "{four}");
        assert!(eight <= 1.0 + 16.0 + 3.5, "{eight}");
        assert!(whole <= 32.0 + 3.5, "{whole}");
    }
}

#[test]
fn a_checkpoint_changes_nothing_of_a_gradient() {
    let cells = |k: usize| -> Array {
        let all = (0..SIDE * SIDE).map(|i| ((i * k) % 97) as f64 / 97.0 - 0.5);
        Array::new([SIDE, SIDE], all.collect::<Vec<f64>>()).unwrap()
    };
    let run = |together| -> Vec<f64> {
        let [dx, dw] = jit(both(together)).call([cells(31), cells(57)]).unwrap();
        [dx.to_vec::<f64>().unwrap(), dw.to_vec().unwrap()].concat()
    };
    let plain = run(1);
    let largest = plain.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    assert!(largest > 1e-3 && largest.is_finite());
    // The parts of the matrix's gradient are added in another order.
    for together in [4, 8, 16] {
        let pairs = run(together).into_iter().zip(&plain);
        let off = pairs.fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        assert!(off <= 1e-12 * largest, "{together}: {off} of {largest}");
    }
}

#[test]
fn a_checkpointed_step_of_a_loop_of_unknown_length_keeps_its_carry_alone() {
    // 10,000 steps. What is kept of a step is a number for the carry, and plainly one for each sine.
    let body = |x: Var| x + 1.0 + 0.01 * (0..6).fold(x, |y, _| (y + x).sin() * y.cos());
    let limited = |bytes: usize, kept: bool| {
        let f = move |(x, n): (Var, Var)| {
            let step = move |x: Var| if kept { body(x) } else { checkpoint(body)(x) };
            grad_at(x, |x| {
                while_loop((x, 0i64), |(_, i)| i.lt(n), move |(x, i)| (step(x), i + 1)).0
            })
        };
        let f = jit(f).max_residual_bytes(bytes);
        f.call((0.5, 10_000i64)).map(|y| y.item::<f64>().unwrap())
    };
    let carry = 10_000 * 8;
    // A list that grows is copied to a place twice as large.
    let few = limited(4 * carry, false).unwrap();
    assert!(matches!(
        limited(6 * carry, true),
        Err(Error::Memory { .. })
    ));
    let all = limited(1 << 30, true).unwrap();
    assert!((few - all).abs() <= 1e-12 * all.abs(), "{few} {all}");
    assert!(matches!(
        limited(carry / 2, false),
        Err(Error::Memory { .. })
    ));
}
