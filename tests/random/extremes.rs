//! Every sampler at every kind of parameter: a draw where there is a distribution, what the book says where
//! there is none, no loop that goes on for ever, and derivatives that are numbers.

use super::*;

/// What a draw must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    /// There is none.
    None,
    /// A number between two others.
    Within(f64, f64),
    /// A number that may be larger than floats are.
    Beyond(f64),
}
use Law::{Beyond, Within};

type Drawn = fn(Key, &[Var], ShapeDtype) -> Var;

struct Row {
    name: &'static str,
    params: usize,
    draw: Drawn,
    law: fn(&[f64]) -> Law,
}

fn positive(x: f64, law: Law) -> Law {
    if x > 0.0 && x.is_finite() {
        law
    } else {
        Law::None
    }
}

fn not_negative(x: f64, law: Law) -> Law {
    if x == 0.0 { law } else { positive(x, law) }
}

const ALL: Law = Within(f64::NEG_INFINITY, f64::INFINITY);

const FLOATS: &[Row] = &[
    Row {
        name: "uniform_in",
        params: 2,
        draw: |k, p, s| k.uniform_in(p[0], p[1], s),
        law: |p| match p[0].is_finite() && p[1].is_finite() {
            true => Within(p[0].min(p[1]), p[0].max(p[1])),
            false => Law::None,
        },
    },
    Row {
        name: "truncated_normal",
        params: 2,
        draw: |k, p, s| k.truncated_normal(p[0], p[1], s),
        law: |p| match p[0] <= p[1] && p[0] < f64::INFINITY && p[1] > f64::NEG_INFINITY {
            true => Within(p[0], p[1]),
            false => Law::None,
        },
    },
    Row {
        name: "weibull",
        params: 1,
        draw: |k, p, s| k.weibull(p[0], s),
        law: |p| {
            positive(
                p[0],
                if p[0] < 0.1 {
                    Beyond(0.0)
                } else {
                    Within(0.0, 1e20)
                },
            )
        },
    },
    Row {
        name: "pareto",
        params: 1,
        draw: |k, p, s| k.pareto(p[0], s),
        law: |p| {
            positive(
                p[0],
                if p[0] < 0.1 {
                    Beyond(1.0)
                } else {
                    Within(1.0, f64::MAX)
                },
            )
        },
    },
    Row {
        name: "gamma",
        params: 1,
        draw: |k, p, s| k.gamma(p[0], s),
        law: |p| not_negative(p[0], Within(0.0, f64::MAX)),
    },
    Row {
        name: "chi_square",
        params: 1,
        draw: |k, p, s| k.chi_square(p[0], s),
        law: |p| not_negative(p[0], Within(0.0, f64::MAX)),
    },
    Row {
        name: "student_t",
        params: 1,
        draw: |k, p, s| k.student_t(p[0], s),
        law: |p| match p[0] {
            f64::INFINITY => Within(-10.0, 10.0),
            nu => positive(
                nu,
                if nu < 0.1 {
                    Beyond(f64::NEG_INFINITY)
                } else {
                    ALL
                },
            ),
        },
    },
    Row {
        name: "beta",
        params: 2,
        draw: |k, p, s| k.beta(p[0], p[1], s),
        law: |p| match p[0] == 0.0 && p[1] == 0.0 {
            true => Law::None,
            false => not_negative(p[0], not_negative(p[1], Within(0.0, 1.0))),
        },
    },
    Row {
        name: "dirichlet",
        params: 2,
        draw: |k, p, s| k.dirichlet(stack_axis([p[0], p[1]], -1), s).slice((.., 0)),
        law: |p| match p[0] == 0.0 && p[1] == 0.0 {
            true => Law::None,
            false => not_negative(p[0], not_negative(p[1], Within(0.0, 1.0))),
        },
    },
    Row {
        name: "multivariate_normal",
        params: 2,
        draw: |k, p, s| {
            let one = |(m, l, k): (Var, Var, Key)| {
                k.multivariate_normal(m.expand_dims(0), l.reshape([1, 1]), ())
                    .at(0)
            };
            vmap(one)((p[0], p[1], k.split_into(s.shape[0])))
        },
        law: |p| match p[0].is_finite() && p[1].is_finite() {
            true => Beyond(f64::NEG_INFINITY),
            false => Law::None,
        },
    },
];

const COUNTS: &[Row] = &[
    Row {
        name: "poisson",
        params: 1,
        draw: |k, p, s| k.poisson(p[0].to(DType::F64), s),
        law: |p| {
            not_negative(
                p[0],
                match p[0] {
                    rate if rate < 1e-7 => Within(0.0, 0.0),
                    rate if rate >= 1e20 => Within(f64::MAX, f64::MAX),
                    rate => Within((0.9 * rate - 20.0).max(0.0), 1.1 * rate + 20.0),
                },
            )
        },
    },
    Row {
        name: "geometric",
        params: 1,
        draw: |k, p, s| k.geometric(p[0].to(DType::F64), s),
        law: |p| match p[0] {
            p if p <= 1.0 => positive(
                p,
                match p {
                    1.0 => Within(1.0, 1.0),
                    p if p < 1e-30 => Within(f64::MAX, f64::MAX),
                    _ => Within(1.0, f64::MAX),
                },
            ),
            _ => Law::None,
        },
    },
    Row {
        name: "binomial of seven",
        params: 1,
        draw: |k, p, s| k.binomial(7, p[0].to(DType::F64), s),
        law: |p| of_tries(7.0, p[0]),
    },
    Row {
        name: "binomial of the most",
        params: 1,
        draw: |k, p, s| k.binomial(i64::MAX, p[0].to(DType::F64), s),
        law: |p| of_tries(i64::MAX as f64, p[0]),
    },
    Row {
        name: "binomial of less than none",
        params: 1,
        draw: |k, p, s| k.binomial(-1, p[0].to(DType::F64), s),
        law: |_| Law::None,
    },
    Row {
        name: "bernoulli",
        params: 1,
        draw: |k, p, s| k.bernoulli(p[0].to(DType::F64), ShapeDtype::new(s.shape, DType::Bool)),
        law: |p| match p[0] {
            p if p >= 1.0 => Within(1.0, 1.0),
            p if p > 1e-10 => Within(0.0, 1.0),
            _ => Within(0.0, 0.0),
        },
    },
];

fn of_tries(n: f64, p: f64) -> Law {
    match p {
        p if !(0.0..=1.0).contains(&p) || p.is_nan() => Law::None,
        p if n * p < 1e-7 => Within(0.0, 0.0),
        1.0 => Within(n, n),
        _ => Within(0.0, n),
    }
}

/// Ordinary, tiny, huge, negative, none: for `f32` as well, in which the smallest are 0 and the largest
/// infinite.
fn values(dtype: DType) -> Vec<f64> {
    let largest = if dtype == DType::F32 {
        f32::MAX.into()
    } else {
        f64::MAX
    };
    let positive = [
        0.0,
        5e-324,
        1e-310,
        1e-308,
        1e-300,
        1e-150,
        1e-45,
        1e-40,
        1e-38,
        1e-30,
        1e-10,
        1e-3,
        0.3,
        1.0,
        2.5,
        9.9,
        10.1,
        29.9,
        30.1,
        40.0,
        1e3,
        1e6,
        1e13,
        1e17,
        1e20,
        1e30,
        1e150,
        1e300,
        largest,
        f64::INFINITY,
    ];
    let all = positive.iter().flat_map(|x| [*x, -x]).chain([f64::NAN]);
    match dtype {
        DType::F32 => all.map(|x| f64::from(x as f32)).collect(),
        _ => all.collect(),
    }
}

/// All of them for one parameter, all pairs for two.
fn arguments(params: usize, dtype: DType) -> Vec<Vec<f64>> {
    let values = values(dtype);
    match params {
        1 => vec![values],
        _ => {
            let first = values.iter().flat_map(|x| vec![*x; values.len()]).collect();
            vec![first, values.repeat(values.len())]
        }
    }
}

fn array(x: &[f64], dtype: DType) -> Array {
    match dtype {
        DType::F32 => x.iter().map(|x| *x as f32).collect::<Vec<f32>>().into(),
        _ => x.to_vec().into(),
    }
}

/// Numbers of a draw, with NaN for what stands for none.
fn drawn(a: &Array) -> Vec<f64> {
    let least = match a.dtype() {
        DType::I64 => i64::MIN as f64,
        DType::I32 => f64::from(i32::MIN),
        _ => f64::NAN,
    };
    let numbers = elements(a).into_iter();
    numbers
        .map(|x| if x == least { f64::NAN } else { x })
        .collect()
}

fn same(a: &Array, b: &Array) -> bool {
    let (a, b) = (elements(a), elements(b));
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(x, y)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
}

#[track_caller]
fn obeys(row: &Row, way: &str, dtype: DType, args: &[Vec<f64>], found: &[f64]) {
    assert_eq!(found.len(), args[0].len(), "{}", row.name);
    // What does not fit is the largest.
    let most = match dtype {
        DType::F32 => f64::from(f32::MAX),
        DType::I32 => f64::from(i32::MAX),
        DType::I64 => i64::MAX as f64,
        _ => f64::MAX,
    };
    for (i, &x) in found.iter().enumerate() {
        let at: Vec<f64> = args.iter().map(|a| a[i]).collect();
        let law = (row.law)(&at);
        let fine = match law {
            Law::None if dtype == DType::Bool => x == 0.0,
            Law::None => x.is_nan(),
            Within(low, high) => x.is_finite() && x >= low.min(most) && x <= high,
            Beyond(low) => x >= low,
        };
        assert!(
            fine,
            "{} of {dtype}, {way}, at {at:?}: {x}, and {law:?}",
            row.name
        );
    }
}

fn obeys_its_law(row: &Row, of: DType, result: DType) {
    let args = arguments(row.params, of);
    let given: Vec<Array> = args.iter().map(|a| array(a, of)).collect();
    let (n, draw) = (args[0].len(), row.draw);
    let shape = ShapeDtype::new([n], result);
    let f = jit(move |(p, k): (Vec<Var>, Key)| draw(k, &p, shape.clone()));
    // One after the other, each a draw of one.
    let one = ShapeDtype::new([1], result);
    let single = move |(p, k): (Vec<Var>, Key)| {
        let p: Vec<Var> = p.iter().map(|p| p.expand_dims(0)).collect();
        draw(k, &p, one.clone()).at(0)
    };
    let batch = jit(move |(p, k): (Vec<Var>, Key)| vmap(&single)((p, k.split_into(n))));
    for seed in 0..3 {
        let key = Key::from_seed(seed);
        let compiled = f.call((given.clone(), key.clone())).unwrap();
        obeys(row, "compiled", result, &args, &drawn(&compiled));
        if seed == 0 {
            let interpreted = f.interpret((given.clone(), key.clone())).unwrap();
            assert!(same(&compiled, &interpreted), "{}, interpreted", row.name);
            let stepped = batch.interpret((given.clone(), key.clone())).unwrap();
            let mapped = batch.call((given.clone(), key.clone())).unwrap();
            assert!(same(&mapped, &stepped), "{}, in a batch", row.name);
        }
        let mapped = batch.call((given.clone(), key)).unwrap();
        obeys(row, "in a batch", result, &args, &drawn(&mapped));
    }
    let none = ShapeDtype::new([0], result);
    let empty = jit(move |(p, k): (Vec<Var>, Key)| draw(k, &p, none.clone()));
    let params = vec![array(&[], of); row.params];
    assert_eq!(
        empty.call((params, Key::from_seed(0))).unwrap().shape(),
        [0],
        "{}",
        row.name
    );
}

#[test]
fn floats_obey_their_law_at_every_parameter() {
    for row in FLOATS {
        for dtype in [DType::F64, DType::F32] {
            obeys_its_law(row, dtype, dtype);
        }
    }
}

#[test]
fn counts_obey_their_law_at_every_parameter() {
    for row in COUNTS {
        match row.name {
            "bernoulli" => obeys_its_law(row, DType::F64, DType::Bool),
            _ => {
                obeys_its_law(row, DType::F64, DType::I64);
                obeys_its_law(row, DType::F64, DType::I32);
            }
        }
    }
}

/// Wherever a draw is a number, and NaN where there is none: forwards and backwards.
#[test]
fn derivatives_are_numbers_at_every_parameter() {
    for row in FLOATS.iter().filter(|r| r.name != "multivariate_normal") {
        for dtype in [DType::F64, DType::F32] {
            let args = arguments(row.params, dtype);
            let given: Vec<Array> = args.iter().map(|a| array(a, dtype)).collect();
            let (n, draw) = (args[0].len(), row.draw);
            let f = jit(move |(p, k): (Vec<Var>, Key)| {
                let shape = ShapeDtype::new([n], dtype);
                let (y, pullback) = vjp(|p: Vec<Var>| draw(k, &p, shape), p);
                (y, pullback(ones_like(y)))
            });
            let (y, slopes) = f.call((given, Key::from_seed(3))).unwrap();
            let y = elements(&y);
            for slopes in slopes {
                for (i, d) in elements(&slopes).into_iter().enumerate() {
                    let at: Vec<f64> = args.iter().map(|a| a[i]).collect();
                    let fine = match (row.law)(&at) {
                        Law::None => true,
                        _ => d.is_finite() || !y[i].is_finite(),
                    };
                    assert!(
                        fine,
                        "{} of {dtype} at {at:?}: {}, moving by {d}",
                        row.name, y[i]
                    );
                }
            }
        }
    }
}

/// Of a law that does not exist there is no derivative.
#[test]
fn derivatives_of_no_draw_are_nan() {
    fn slope(draw: fn(Key, Var) -> Var, x: f64) -> f64 {
        let f = jit(move |(x, k): (Var, Key)| grad_at(x, |x| draw(k, x)));
        f.call((x, Key::from_seed(0)))
            .unwrap()
            .item::<f64>()
            .unwrap()
    }
    const DRAWS: &[(&str, fn(Key, Var) -> Var)] = &[
        ("truncated_normal", |k, x| k.truncated_normal(x, -2.0, ())),
        ("weibull", |k, x| k.weibull(x, ())),
        ("pareto", |k, x| k.pareto(x, ())),
        ("gamma", |k, x| k.gamma(x, ())),
        ("chi_square", |k, x| k.chi_square(x, ())),
        ("student_t", |k, x| k.student_t(x, ())),
        ("beta", |k, x| k.beta(x, 1.0, ())),
    ];
    for &(name, draw) in DRAWS {
        assert!(slope(draw, f64::NAN).is_nan(), "{name} of NaN");
        assert!(slope(draw, -1.0).is_nan(), "{name} of -1");
    }
}

/// Of no elements, and of one without an axis.
#[test]
fn no_draws_and_scalars() {
    for &(name, sampler) in SAMPLERS {
        for dims in [&[0][..], &[2, 0], &[0, 3], &[1], &[]] {
            // Some go over what is asked for as a batch, and some give what they are asked for once.
            let f = jit(move |k: Key| sampler(k, dims));
            let drawn = f
                .call(Key::from_seed(2))
                .unwrap_or_else(|e| panic!("{name}, {dims:?}: {e}"));
            let again = f.interpret(Key::from_seed(2)).unwrap();
            assert!(same(&drawn, &again), "{name}, {dims:?}");
            assert!(
                elements(&drawn).iter().all(|x| x.is_finite()),
                "{name}, {dims:?}"
            );
        }
    }
}
