//! What is too large, too long or empty: an `Err` that names it, compiled and interpreted, or the value
//! that is right; never a crash.

// Ranges without a number are tried, too.
#![allow(clippy::reversed_empty_ranges)]

#[cfg(target_os = "linux")]
mod little_memory;
mod texts;
mod traced_ranges;

use wengert::prelude::*;
use wengert::{Error, Feed, Result};

/// The results of a function compiled and interpreted.
fn both<X, Y, A>(f: &Jit<X, Y>, args: impl Fn() -> A) -> [Result<Y::With<Array>>; 2]
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>>,
{
    [f.call(args()), f.interpret(args())]
}

/// The function is refused for its size, both ways; the message names the operation, or one that it is made
/// of, and this file.
#[track_caller]
fn too_large<X, Y, A>(op: &str, f: impl Fn(X) -> Y + Send + Sync + 'static, args: impl Fn() -> A)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>>,
{
    for result in both(&jit(f), args) {
        let error = result.err().expect("larger than memory can be").to_string();
        let named = op
            .split('|')
            .any(|op| error.starts_with(&format!("{op}: ")));
        assert!(named, "{error}");
        assert!(
            error.contains("is larger than memory can be, at "),
            "{error}"
        );
        assert!(error.contains("limits/mod.rs:"), "{error}");
    }
}

const HUGE: usize = 1 << 32;

/// An array without an element, with long axes beside the one of length 0.
fn empty(dims: &[usize]) -> Array {
    Array::zeros(dims, DType::F64)
}

#[test]
fn a_type_of_more_elements_than_addresses_is_refused_wherever_it_is_made() {
    let one = || 1.0;
    // Piled up by loops, known to be long or run on rows of no element.
    let rows = |n: i64| move |x: Var| scan(x, 0..n, |c, _| (c, full([HUGE], c))).1;
    too_large("scan", rows(1 << 32), one);
    too_large("scan", move |x: Var| rows(1 << 32)(x).sum(), one);
    too_large(
        "scan",
        |x: Var| {
            fori(
                0..1,
                scan(x, 0..HUGE, |c, _| (c, full([HUGE, 0, 2], c))).1,
                |_, y| y,
            )
        },
        one,
    );
    // Batches.
    too_large(
        "vmap",
        |x: Var| vmap(move |r: Var| full([HUGE], r * x))(ones([HUGE])),
        one,
    );
    too_large(
        "vmap",
        |x: Var| {
            vmap(vmap(move |r: Var| (r * x).broadcast_to([4])))(ones([1usize << 30, 1usize << 28]))
                .sum()
        },
        one,
    );
    too_large(
        "vmap",
        |x: Var| vmap(move |r: Var| r + zeros([1usize << 40]))(x.broadcast_to([1usize << 40])),
        one,
    );
    // Reductions of axes of length 0.
    let wide = || empty(&[1 << 31, 1 << 31, 0]);
    too_large("argument 0", |x: Var| x.sum_axis(2), wide);
    too_large("argument 0", |x: Var| x.ge(0.0).any_axis(2), wide);
    too_large("argument 0", vmap(|x: Var| x.sum()), wide);
    too_large("argument 0", |x: Var| x, wide);
    too_large("argument 1", |(_, x): (Var, Var)| x, || (1.0, wide()));
    // Conversions to wider elements.
    too_large(
        "to",
        |x: Var| x.gt(0.0).broadcast_to([1usize << 61]).to(DType::U64),
        one,
    );
    too_large(
        "to",
        |x: Var| full([1usize << 60], x.to(DType::F32)).to(DType::F64),
        one,
    );
    too_large(
        "to",
        |x: Var| full([1usize << 62], x.to(DType::U8)).to(DType::I32),
        one,
    );
    // Made at once, and of constants.
    too_large("full", |x: Var| full([HUGE, HUGE], x), one);
    too_large("zeros", |x: Var| zeros([HUGE, HUGE, 0]) + x, one);
    too_large(
        "bincount",
        |x: Var| x.to(DType::I64).reshape([1]).bincount(1 << 61),
        one,
    );
    too_large(
        "bincount",
        |x: Var| x.to(DType::I64).reshape([1]).bincount(usize::MAX),
        one,
    );
    too_large("vander", |x: Var| x.reshape([1]).vander(1 << 62), one);
    too_large("diag", |x: Var| x.broadcast_to([HUGE]).diag(), one);
    too_large(
        "stack|concat",
        |x: Var| stack([full([1usize << 59], x); 4]),
        one,
    );
    too_large(
        "repeat",
        |x: Var| x.broadcast_to([HUGE]).repeat(HUGE, 0),
        one,
    );
    too_large(
        "outer|mul|broadcast_to|dot",
        |x: Var| x.broadcast_to([HUGE]).outer(x.broadcast_to([HUGE])),
        one,
    );
    // Captured, and in derivatives.
    let captured = empty(&[1 << 62, 4, 0]);
    too_large("use of an Array", move |x: Var| x + &captured, one);
    for mode in [
        |x: Var| jacrev(|y: Var| y.sin())(x),
        |x: Var| jacfwd(|y: Var| y.sin())(x),
    ] {
        let f = jit(move |x: Var| mode(x.broadcast_to([1usize << 31])));
        for result in both(&f, one) {
            let error = result.unwrap_err().to_string();
            assert!(
                error.contains("is larger than memory can be, at "),
                "{error}"
            );
        }
    }
}

#[test]
fn specs_of_more_elements_than_addresses_are_refused() {
    let f = jit(|x: Var| x.sum());
    for dims in [vec![HUGE, HUGE], vec![1 << 62, 4, 0], vec![usize::MAX]] {
        let spec = ShapeDtype::new(dims, DType::F64);
        let error = f.compile(&spec).err().unwrap().to_string();
        assert!(
            error.contains("is larger than memory can be, at "),
            "{error}"
        );
        assert!(f.func(&spec).is_err());
        assert!(wengert::trace(|x: Var| x, &spec).is_err());
    }
}

#[test]
fn a_batch_of_many_rows_without_an_element_takes_no_steps() {
    let rows = || empty(&[1 << 50, 0]);
    let f = jit(vmap(|x: Var| x.sin() * 2.0));
    let g = jit(|x: Var| vmap(|x: Var| scan(0.0, x, |c, x| (c + x, c * x)).1)(x));
    for f in [f, g] {
        for result in both(&f, rows) {
            assert_eq!(result.unwrap().shape(), [1 << 50, 0]);
        }
    }
}

#[test]
fn a_result_without_memory_is_an_error() {
    #[track_caller]
    fn none(f: impl Fn(Var) -> Var + Send + Sync + 'static) {
        for result in both(&jit(f), || 1.0) {
            let error = result.expect_err("no memory");
            assert!(matches!(error, Error::NoMemory { .. }), "{error}");
            assert!(
                error.to_string().contains("there is no memory for "),
                "{error}"
            );
        }
    }
    const LONG: usize = 1 << 46;
    none(|x| full([LONG], x));
    none(|x| full([LONG], x) * 2.0);
    none(|_| ones([LONG]));
    none(|x| x.broadcast_to([LONG, 2]));
    none(|x| scan(x, 0..3, |c, _| (c, full([LONG], c))).1);
    none(|x| scan(x, 0..LONG, |c, _| (c * 0.5, c)).1);
    none(|x| vmap(|r: Var| r.sin())(x.broadcast_to([LONG])));
    none(|x| x.gt(0.0).broadcast_to([LONG]));
    // On the way.
    none(|x| full([LONG], x).sort(0).at(0));
    none(|x| {
        (full([LONG], x) + arange(LONG).to(DType::F64))
            .cumsum(0)
            .at(3)
    });
    none(|x| x.gt(0.0).broadcast_to([LONG]).to(DType::F64).sort(0).at(0));
    none(|x| x.reshape([1]).vander(1 << 44));
    // The interpreter names the operation and its line.
    let error = jit(|x: Var| full([LONG], x)).interpret(1.0).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("broadcast_to: there is no memory for f64"),
        "{error}"
    );
    assert!(error.to_string().contains("limits/mod.rs:"), "{error}");
}

#[test]
fn memory_that_is_shared_is_left_where_there_is_none_for_a_copy() {
    let f = jit(|x: Var| x + 1.0)
        .compile(ShapeDtype::new([3], DType::F64))
        .unwrap();
    let x = Array::from([1.0, 2.0, 3.0]);
    let (mut y, held) = (x.clone(), x.clone());
    f.call_into(&x, &mut y).unwrap();
    assert_eq!((y, held), (Array::from([2.0, 3.0, 4.0]), x));
}

#[test]
fn a_split_into_more_parts_than_can_be_recorded_is_refused() {
    let refused = |f: fn(Var) -> Vec<Var>, x: Array| {
        for result in both(&jit(f), || x.clone()) {
            let error = result.unwrap_err().to_string();
            assert!(
                error.contains("in 1000000000 parts") && error.contains("limits/mod.rs:"),
                "{error}"
            );
        }
    };
    refused(|x| x.split(1_000_000_000, 0), empty(&[0]));
    refused(|x| x.array_split(1_000_000_000, 0), empty(&[0]));
    refused(|x| x.array_split(1_000_000_000, 0), empty(&[3]));
    let parts = jit(|x: Var| x.array_split(1000, 0).len() as f64 + x.sum() * 0.0);
    assert_eq!(
        parts.call([1.0, 2.0]).unwrap().item::<f64>().unwrap(),
        1000.0
    );
}

#[test]
fn many_powers_of_few_elements() {
    let f = jit(|x: Var| x.vander(1_000_000).sum_axis(0));
    let sums = f.call([0.5, -1.0]).unwrap();
    let sums = sums.as_slice::<f64>().unwrap();
    assert_eq!(sums[999_999], 2.0);
    assert_eq!(sums[999_998], -0.5);
    assert_eq!(sums[0], 0.0f64.powi(1) - 1.0);
    // Long rows are what short ones are, with the same derivative.
    let long = |x: Var| x.vander(40).at((.., 37..)).sum();
    let short = |x: Var| x.vander(3).sum();
    let x = [0.0, -1.5, 2.0];
    assert_eq!(jit(long).call(x).unwrap(), jit(short).call(x).unwrap());
    assert_eq!(
        jit(grad(long)).call(x).unwrap(),
        jit(grad(short)).call(x).unwrap()
    );
}

/// Reverse mode, forward mode and second derivatives of batches without an element, alone and beside others.
#[test]
fn derivatives_through_an_empty_batch() {
    #[track_caller]
    fn is(f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static, x: impl Into<Array>, slope: f64) {
        let x = x.into();
        for f in [
            jit(grad(f.clone())),
            jit(grad({
                let f = f.clone();
                move |x: Var| jvp(f.clone(), x, ones_like(x)).1 + f(x)
            })),
        ] {
            for result in both(&f, || x.clone()) {
                let result = result.unwrap();
                assert!(
                    result
                        .as_slice::<f64>()
                        .unwrap()
                        .iter()
                        .all(|d| *d == slope),
                    "{result}"
                );
            }
        }
        let batch = Array::zeros([&[3], x.shape()].concat(), DType::F64);
        let lanes = jit(vmap(grad(f)));
        for result in both(&lanes, || batch.clone()) {
            assert!(
                result
                    .unwrap()
                    .as_slice::<f64>()
                    .unwrap()
                    .iter()
                    .all(|d| *d == slope)
            );
        }
    }
    let none = || zeros([0]);
    is(
        move |x| vmap(move |r: Var| x.sin() + r)(none()).sum(),
        0.5,
        0.0,
    );
    is(
        move |x| vmap(move |r: Var| x.sin() * r)(none()).sum() + x * 3.0,
        0.5,
        3.0,
    );
    is(
        move |x| vmap(move |r: Var| x.sum() * r)(none()).sum(),
        [1.0, 2.0],
        0.0,
    );
    is(
        move |x| vmap(move |r: Var| x.sin() * r)(none()).sum(),
        [1.0, 2.0],
        0.0,
    );
    is(
        |x| vmap(move |r: Var| r.sum() * x)(zeros([0, 3])).sum(),
        0.5,
        0.0,
    );
    is(|x| vmap(move |r: Var| r * x)(zeros([3, 0])).sum(), 0.5, 0.0);
    is(
        move |x| vmap(move |r: Var| fori(0..3, r, move |_, c| c * x.sin()))(none()).sum(),
        0.5,
        0.0,
    );
    is(
        move |x| {
            let body = move |r: Var| cond(r.gt(0.0), (), move |()| x.exp(), move |()| x * r);
            vmap(body)(none()).sum()
        },
        0.5,
        0.0,
    );
    is(
        move |x| {
            let body = move |r: Var| while_loop(r, |c| c.lt(1.0), move |c| c + x * x);
            vmap(body)(none()).sum()
        },
        0.5,
        0.0,
    );
    // No product of no factor, no term of a product, no extreme of what is there.
    is(move |x| (none() * x).prod() * x, 0.5, 1.0);
    is(move |x| none().dot(none() * x) + x, 0.5, 1.0);
    is(
        |x| (zeros([2, 0]) * x).dot(zeros([0, 2])).sum() + x,
        0.5,
        1.0,
    );
    is(|x| scan(x, zeros([0]), |c, r| (c * r, c)).0, 0.5, 1.0);
    is(
        |x| x.split(1, 0)[0].sum() + x.array_split(5, 0)[4].sum(),
        [1.0, 2.0],
        1.0,
    );
    let pulled = |x: Var| {
        let (_, pull) = vjp(|x: Var| vmap(move |r: Var| x.sin() + r)(zeros([0])), x);
        pull(zeros([0]))
    };
    for result in both(&jit(pulled), || 0.5) {
        assert_eq!(result.unwrap(), Array::from(0.0));
    }
}

/// Unsigned indices beyond `i64` are beyond every array.
#[test]
fn large_unsigned_indices_read_the_last_element_and_write_none() {
    let x = || Array::from([[1.0, 2.0], [3.0, 4.0]]);
    for i in [u64::MAX, 1 << 63, (1 << 63) + 1, i64::MAX as u64, 5] {
        let reads: [fn((Var, Var)) -> Var; 5] = [
            |(x, i)| x.at((i, i)),
            |(x, i)| x.at((stack([i, i]), stack([i, i]))).at(0),
            |(x, i)| x.at((stack([i, i]), 1)).at(1),
            |(x, i)| x.at((.., i)).at(i),
            |(x, i)| x.dynamic_slice(&[i, i], [1, 1]).sum(),
        ];
        for f in reads {
            for result in both(&jit(f), || (x(), i)) {
                assert_eq!(result.unwrap(), Array::from(4.0), "{i}");
            }
            for result in both(&jit(vmap(f)), || {
                (Array::from([[[1.0, 2.0], [3.0, 4.0]]]), [i])
            }) {
                assert_eq!(result.unwrap(), Array::from([4.0]), "{i}");
            }
        }
        let writes: [fn((Var, Var)) -> Var; 3] = [
            |(x, i)| x.at_set((i, i), 7.0),
            |(x, i)| x.at_add((stack([i, i]), stack([i, i])), 7.0),
            |(x, i)| x.at_mul((i, 0), 7.0),
        ];
        for f in writes {
            for result in both(&jit(f), || (x(), i)) {
                assert_eq!(result.unwrap(), x(), "{i}");
            }
        }
    }
}

#[test]
fn many_leaves_in_and_out() {
    let n = 10_000;
    let f = jit(|x: Vec<Var>| x.into_iter().map(|x| x * 2.0 + 1.0).collect::<Vec<Var>>());
    let x: Vec<Array> = (0..n).map(|i| Array::from(i as f64)).collect();
    let start = std::time::Instant::now();
    let y = f.call(x).unwrap();
    assert_eq!(y[n - 1].item::<f64>().unwrap(), 2.0 * n as f64 - 1.0);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn as_many_axes_as_in_numpy() {
    fn deep(x: Var, n: usize) -> Var {
        match n {
            0 => x.sin(),
            _ => vmap(move |x: Var| deep(x, n - 1))(x),
        }
    }
    let x = |n: usize| Array::from(0.5).with_axes(n);
    for n in [1, 6, 24] {
        let y = jit(move |x: Var| deep(x, n)).call(x(n)).unwrap();
        assert_eq!(y.shape(), vec![1; n]);
    }
    let error = jit(move |x: Var| x).call(x(65)).unwrap_err().to_string();
    assert!(
        error.starts_with("argument 0: an array has at most 64 axes, not 65, at "),
        "{error}"
    );
    let error = jit(|x: Var| x.reshape(vec![1; 65]))
        .call(0.5)
        .unwrap_err()
        .to_string();
    assert!(error.contains("at most 64 axes, not 65, at "), "{error}");
    let error = jit(|x: Var| (0..65).fold(x, |x, _| x.expand_dims(0)))
        .call(0.5)
        .unwrap_err();
    assert!(error.to_string().contains("at most 64 axes"), "{error}");
}

trait WithAxes {
    fn with_axes(self, n: usize) -> Array;
}

impl WithAxes for Array {
    fn with_axes(self, n: usize) -> Array {
        Array::new(vec![1; n], self.to_vec::<f64>().unwrap()).unwrap()
    }
}

/// The compiler nests no deeper than tracing did on the same stack.
#[test]
fn branches_in_branches_on_the_stack_of_a_thread() {
    fn nest(x: Var, n: usize) -> Var {
        match n {
            0 => x.sin(),
            _ => cond(
                x.gt(n as f64 * 1e-4),
                x,
                move |x| nest(x * 1.001, n - 1),
                |x| x,
            ),
        }
    }
    let run = || {
        let f = jit(|x: Var| nest(x, 300));
        for result in both(&f, || -1.0) {
            assert_eq!(result.unwrap(), Array::from(-1.0));
        }
        let [a, b] = both(&f, || 1.0);
        assert_eq!(a.unwrap(), b.unwrap());
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    thread.unwrap().join().unwrap();
}
