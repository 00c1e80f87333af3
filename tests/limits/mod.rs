//! What is too large, too long or empty: an `Err` that names it, compiled and interpreted, or the value
//! that is right; never a crash.

// Ranges without a number are tried, too.
#![allow(clippy::reversed_empty_ranges)]

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
        assert!(error.contains("limits.rs:"), "{error}");
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
    assert!(error.to_string().contains("limits.rs:"), "{error}");
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
                error.contains("in 1000000000 parts") && error.contains("limits.rs:"),
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

mod traced_ranges {
    use super::*;

    fn steps(x: f64, a: i64, b: i64) -> [Result<Array>; 2] {
        let f = jit(|(x, a, b): (Var, Var, Var)| fori(a..b, x, |_, x| x + 1.0)).max_steps(1_000);
        both(&f, || (x, a, b))
    }

    #[test]
    fn an_empty_one_runs_no_step() {
        let bounds = [i64::MIN, i64::MIN + 2, -7, 0, 3, i64::MAX - 2, i64::MAX];
        for (a, b) in bounds.iter().flat_map(|&a| bounds.map(|b| (a, b))) {
            let n = (i128::from(b) - i128::from(a)).max(0);
            for result in steps(0.5, a, b) {
                match n <= 1_000 {
                    true => assert_eq!(result.unwrap(), Array::from(0.5 + n as f64), "{a}..{b}"),
                    false => assert!(
                        matches!(
                            result,
                            Err(Error::MaxSteps {
                                limit: 1_000,
                                at: Some(_)
                            })
                        ),
                        "{a}..{b}"
                    ),
                }
            }
        }
        for result in steps(0.0, 5_000_000_000_000_000_000, -5_000_000_000_000_000_000) {
            assert_eq!(result.unwrap(), Array::from(0.0));
        }
    }

    #[test]
    fn the_limit_of_steps_holds() {
        for (n, fine) in [(1_000, true), (1_001, false), (1 << 40, false)] {
            for result in steps(0.0, 0, n) {
                assert_eq!(result.is_ok(), fine, "{n}");
            }
            for result in steps(0.0, -n, 0) {
                assert_eq!(result.is_ok(), fine, "{n}");
            }
        }
        let error = steps(0.0, 0, i64::MAX).map(|r| r.unwrap_err().to_string());
        assert_eq!(error[0], error[1]);
        assert!(
            error[0].starts_with("loop: more than 1000 steps, at "),
            "{}",
            error[0]
        );
        assert!(error[0].contains("limits.rs:"), "{}", error[0]);
    }

    /// Alone, in lanes, flattened, in a loop, in a branch, and in derivatives.
    #[test]
    fn the_limit_of_steps_holds_whatever_is_made_of_the_loop() {
        let power = |(x, n): (Var, Var)| fori(..n, x, |_, x| x * 0.5);
        let powers = |(x, n): (Var, Var)| fori(..n, x, |_, x| x.sin());
        let double = |(x, n): (Var, Var)| fori(..n, x.expand_dims(0), |_, x| x * 2.0).sum();
        for body in [power, powers, double] {
            let slope = move |(x, n): (Var, Var)| grad_at(x, |x| body((x, n)));
            let slopes = move |(x, n): (Var, Var)| jacfwd(move |x: Var| body((x, n)))(x);
            for f in [jit(body), jit(slope), jit(slopes)] {
                let f = f.max_steps(100);
                for result in both(&f, || (0.25, 100i64)) {
                    assert!(result.is_ok());
                }
                for result in both(&f, || (0.25, i64::MAX)) {
                    assert!(matches!(result, Err(Error::MaxSteps { limit: 100, .. })));
                }
            }
            for f in [jit(vmap(body)), jit(vmap(slope)), jit(vmap(slopes))] {
                let f = f.max_steps(100);
                for at in [0, 3, 11] {
                    let mut n = vec![7i64; 12];
                    n[5] = i64::MIN;
                    assert!(
                        both(&f, || (vec![0.25; 12], n.clone()))
                            .iter()
                            .all(Result::is_ok)
                    );
                    n[at] = 101;
                    for result in both(&f, || (vec![0.25; 12], n.clone())) {
                        assert!(matches!(result, Err(Error::MaxSteps { limit: 100, .. })));
                    }
                }
            }
            // Where the loop is not reached, its length does not matter.
            let guarded = move |(x, n): (Var, Var)| cond(n.lt(50), x, move |x| body((x, n)), |x| x);
            for result in both(&jit(guarded).max_steps(100), || (0.25, i64::MAX)) {
                assert_eq!(result.unwrap(), Array::from(0.25));
            }
            let lanes = jit(vmap(guarded)).max_steps(100);
            for result in both(&lanes, || (vec![0.25; 3], vec![2i64, i64::MAX, 3])) {
                assert_eq!(result.unwrap().as_slice::<f64>().unwrap()[1], 0.25);
            }
        }
    }

    #[test]
    fn bounds_of_every_integer_type() {
        let f = jit(|(x, a, b): (Var, Var, Var)| fori(a..b, x, |i, x| x + i.to(DType::F64)));
        let f = f.max_steps(1_000);
        let good = |results: [Result<Array>; 2], want: f64| {
            for result in results {
                assert_eq!(result.unwrap(), Array::from(want));
            }
        };
        let bad = |results: [Result<Array>; 2]| {
            for result in results {
                assert!(matches!(result, Err(Error::MaxSteps { limit: 1_000, .. })));
            }
        };
        good(both(&f, || (0.0, 2u64, 5u64)), 9.0);
        good(both(&f, || (0.0, -2i64, 3u64)), 0.0);
        good(both(&f, || (0.0, 2u32, 5i64)), 9.0);
        good(both(&f, || (0.0, 250u8, 253u8)), 753.0);
        good(both(&f, || (0.0, -1i32, 2u64)), 0.0);
        good(both(&f, || (0.0, u64::MAX, 5i64)), 0.0);
        good(both(&f, || (0.0, u64::MAX, 5u64)), 0.0);
        good(both(&f, || (0.0, u64::MAX, u64::MAX)), 0.0);
        bad(both(&f, || (0.0, 0u64, u64::MAX)));
        bad(both(&f, || (0.0, -1i64, u64::MAX)));
        bad(both(&f, || (0.0, u64::MAX - 3, u64::MAX)));
        bad(both(&f, || (0.0, i64::MAX, u64::MAX)));
    }

    /// A range that the compiler knows is the range that it is.
    #[test]
    fn known_bounds() {
        let f = jit(|x: Var| fori(i64::MAX..i64::MIN, x, |_, x| x + 1.0));
        assert_eq!(f.call(1.0).unwrap(), Array::from(1.0));
        let f = jit(|x: Var| fori(usize::MAX - 2..usize::MAX, x, |_, x| x + 1.0));
        assert!(f.call(1.0).is_ok());
        let f = jit(|x: Var| fori(0..usize::MAX, x, |_, x| x + 1.0));
        assert!(f.call(1.0).is_err());
    }
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

mod texts {
    use wengert::Func;

    #[test]
    fn a_truth_value_is_zero_or_one() {
        let text = |bits: &str| {
            format!(
                "wengert 1\nfn(a: bool) {{\n b: f64 = convert{{to=f64}}({bits}:bool)\n return b\n}}"
            )
        };
        assert!(Func::parse(&text("0x1")).is_ok());
        for bits in ["0x2", "0xff", "0x100"] {
            assert!(Func::parse(&text(bits)).is_err(), "{bits}");
        }
    }

    #[test]
    fn types_of_more_elements_than_addresses() {
        let text = |ty: &str| format!("wengert 1\nfn(a: {ty}) {{\n return a\n}}");
        assert!(Func::parse(&text("f64[4611686018427387904,0]")).is_err());
        for ty in [
            "f64[4611686018427387904,4,0]",
            "f64[4294967296,4294967296]",
            "u8[9223372036854775808]",
        ] {
            let error = Func::parse(&text(ty)).unwrap_err().to_string();
            assert!(error.contains("is larger than memory can be"), "{error}");
        }
    }

    /// What a place list takes grows with its length.
    #[test]
    fn a_list_of_many_places() {
        let places: Vec<String> = (0..50_000).map(|i| format!("x{i}:1:1")).collect();
        let text = format!(
            "wengert 1\nfn(a: f64) {{\n b: f64 = sin(a) @ {}\n return b\n}}",
            places.join(" and ")
        );
        let start = std::time::Instant::now();
        let read = Func::parse(&text).unwrap();
        assert!(read.to_string().contains("x0:1:1 and x1:1:1"), "{read}");
        assert!(start.elapsed().as_secs() < 20);
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

/// A process that may have so much memory, and no more.
#[cfg(target_os = "linux")]
mod little_memory {
    use super::*;

    /// Runs an ignored test of this file in a process of its own.
    fn within(megabytes: usize, test: &str) {
        let me = std::env::current_exe().unwrap();
        let limited = format!(
            "ulimit -v {}; exec {} --exact {test} --ignored --test-threads=1",
            megabytes * 1024,
            me.display()
        );
        let run = std::process::Command::new("sh")
            .args(["-c", &limited])
            .output()
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (said(&run.stdout), said(&run.stderr));
        assert!(run.status.success(), "{:?}\n{out}{err}", run.status);
        assert!(out.contains("1 passed"), "{out}{err}");
    }

    #[test]
    fn memory_that_ends_is_an_error() {
        within(900, "little_memory::memory_ends");
    }

    #[test]
    #[ignore = "runs in a process of its own, see above"]
    fn memory_ends() {
        fn none<T>(result: Result<T>) -> String {
            match result {
                Err(e @ Error::NoMemory { .. }) => e.to_string(),
                Err(e) => panic!("{e}"),
                Ok(_) => panic!("there was memory"),
            }
        }
        // A quarter of a gigabyte.
        const LONG: usize = 1 << 25;
        let several: [fn(Var) -> Vec<Var>; 3] = [
            |x| vec![full([4, LONG], x)],
            |x| (0..4).map(|i| full([LONG], x + i as f64)).collect(),
            |x| vec![full([4, LONG], x).sort(1).at((0, 0))],
        ];
        for f in several {
            for result in both(&jit(f), || 1.0) {
                none(result);
            }
        }
        // Results that are overwritten, and are somebody else's too.
        let f = jit(|x: Var| x + 1.0);
        let f = f.compile(ShapeDtype::new([LONG], DType::F64)).unwrap();
        let x = Array::zeros([LONG], DType::F64);
        let (mut a, mut b) = (x.clone(), x.clone());
        f.call_into(&x, &mut a).unwrap();
        let mut rest = vec![];
        while let Ok(more) = f.call(&x) {
            rest.push(more);
        }
        none(f.call_into(&x, &mut b));
        assert_eq!(b.as_slice::<f64>().unwrap()[LONG - 1], 0.0);
        drop((x, a, b, rest));
        // What a loop keeps for its gradient, below the limit of the compiled function.
        let f = |x: Var| while_loop((x, 0.0), |(_, n)| n.lt(1e9), |(x, n)| (x.sin(), n + 1.0)).0;
        let said = none(jit(grad(f)).call(1.0));
        assert!(
            said.contains("there is no memory for the residuals of a loop"),
            "{said}"
        );
        // All is as it was.
        assert_eq!(jit(|x: Var| x * 2.0).call(2.0).unwrap(), Array::from(4.0));
    }
}
