//! What is drawn has the distribution it says: by the tests of Kolmogorov and Smirnov and of χ², at a
//! fixed seed.

use super::fit::*;
use super::*;

#[test]
fn uniform_numbers() {
    continuous("uniform", |k, d| k.uniform(d), [0.5, 1.0 / 12.0], |x| x);
    continuous(
        "uniform f32",
        |k, d| k.uniform(f32s(d)),
        [0.5, 1.0 / 12.0],
        |x| x,
    );
    continuous(
        "uniform_open",
        |k, d| k.uniform_open(d),
        [0.5, 1.0 / 12.0],
        |x| x,
    );
    continuous(
        "uniform_in",
        |k, d| k.uniform_in(-1.0, 3.0, d),
        [1.0, 4.0 / 3.0],
        |x| (x + 1.0) / 4.0,
    );
    let bits = draw("bits", |k, d| k.bits(d), &[N])
        .to_vec::<u64>()
        .unwrap();
    let mut ones = [0.0; 64];
    for x in &bits {
        for (i, n) in ones.iter_mut().enumerate() {
            *n += (x >> i & 1) as f64;
        }
    }
    let deviation = (N as f64).sqrt() / 2.0;
    assert!(
        ones.iter()
            .all(|n| (n - N as f64 / 2.0).abs() < 4.0 * deviation)
    );
    discrete("bernoulli", |k, d| k.bernoulli(0.3, d), 1, |_| 0.7);
    discrete(
        "rademacher",
        |k, d| (k.rademacher(d) + 1.0) / 2.0,
        1,
        |_| 0.5,
    );
}

#[test]
fn normal_numbers() {
    continuous("normal", |k, d| k.normal(d), [0.0, 1.0], normal_cdf);
    continuous(
        "normal f32",
        |k, d| k.normal(f32s(d)),
        [0.0, 1.0],
        normal_cdf,
    );
    let x = elements(&draw("normal", |k, d| k.normal(d), &[N]));
    let moment = |p: i32| x.iter().map(|x| x.powi(p)).sum::<f64>() / N as f64;
    let deviation = (N as f64).sqrt().recip();
    for (p, want, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let error: f64 = (moment(p) - want) / deviation;
        assert!(
            error.abs() < 4.0 * f64::sqrt(variance),
            "moment {p}: {}",
            moment(p)
        );
    }
    let (a, b) = (normal_cdf(-0.5), normal_cdf(2.0));
    continuous(
        "truncated_normal",
        |k, d| k.truncated_normal(-0.5, 2.0, d),
        truncated(-0.5, 2.0),
        move |x| (normal_cdf(x) - a) / (b - a),
    );
    let (a, b) = (normal_cdf(-9.0), normal_cdf(-8.0));
    continuous(
        "truncated_normal in a tail",
        |k, d| k.truncated_normal(8.0, 9.0, d),
        truncated(8.0, 9.0),
        move |x| (b - normal_cdf(-x)) / (b - a),
    );
}

#[test]
fn vectors() {
    let factor = |k: Key, d: &[usize]| {
        let factor = stack([
            Var::scalar(2.0),
            Var::scalar(0.0),
            Var::scalar(1.0),
            Var::scalar(0.5),
        ]);
        k.multivariate_normal(numbers(2), factor.reshape([2, 2]), d)
    };
    let x = elements(&draw("multivariate_normal", factor, &[N]));
    let n = N as f64;
    let mean =
        |f: &dyn Fn(f64, f64) -> f64| x.chunks(2).map(|x| f(x[0], x[1] - 1.0)).sum::<f64>() / n;
    for (name, got, want) in [
        ("mean", mean(&|x, _| x), 0.0),
        ("mean", mean(&|_, y| y), 0.0),
        ("variance", mean(&|x, _| x * x), 4.0),
        ("variance", mean(&|_, y| y * y), 1.25),
        ("covariance", mean(&|x, y| x * y), 2.0),
    ] {
        assert!((got - want).abs() < 0.04, "{name}: {got} and {want}");
    }
    // Along any direction it is a normal number: along (1, 1) of variance 4 + 1.25 + 2 · 2.
    let projected = |k: Key, d: &[usize]| {
        let factor = stack([
            Var::scalar(2.0),
            Var::scalar(0.0),
            Var::scalar(1.0),
            Var::scalar(0.5),
        ]);
        let x = k.multivariate_normal(numbers(2), factor.reshape([2, 2]), d);
        x.sum_axis(-1)
    };
    continuous(
        "multivariate_normal along (1, 1)",
        projected,
        [1.0, 9.25],
        |x| normal_cdf((x - 1.0) / 9.25f64.sqrt()),
    );
    let x = elements(&draw("unit_vector", |k, d| k.unit_vector(3, d), &[N]));
    for v in x.chunks(3).take(100) {
        let length: f64 = v.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-14);
    }
    // In three dimensions each component is uniform (Archimedes).
    continuous(
        "component",
        |k, d| k.unit_vector(3, d).slice((.., ..1)).flatten(),
        [0.0, 1.0 / 3.0],
        |x| (x + 1.0) / 2.0,
    );
}

/// In three dimensions each row and each column is a unit vector in any direction, whose components are
/// uniform; rotations and reflections are as many; and the traces have the moments of Haar's measure
/// (Diaconis and Shahshahani, On the eigenvalues of random matrices, 1994).
#[test]
fn orthogonal_matrices() {
    continuous(
        "orthogonal, first",
        |k, d| k.orthogonal(3, d).slice((.., 0, 0)),
        [0.0, 1.0 / 3.0],
        |x| (x + 1.0) / 2.0,
    );
    continuous(
        "orthogonal, last",
        |k, d| k.orthogonal(3, d).slice((.., 2, 2)),
        [0.0, 1.0 / 3.0],
        |x| (x + 1.0) / 2.0,
    );
    let q = elements(&draw("orthogonal", |k, d| k.orthogonal(3, d), &[N]));
    let mut counts = [0.0; 2];
    let mut traces = vec![];
    for q in q.as_chunks::<9>().0 {
        let minor = |i: usize, j: usize| q[3 + i] * q[6 + j] - q[3 + j] * q[6 + i];
        let det = q[0] * minor(1, 2) - q[1] * minor(0, 2) + q[2] * minor(0, 1);
        assert!((det.abs() - 1.0).abs() < 1e-13, "{det}");
        counts[usize::from(det > 0.0)] += 1.0;
        traces.push(q[0] + q[4] + q[8]);
    }
    chi_square("signs", &[counts[0], counts[1], 0.0], |_| 0.5);
    check_moments("traces", &traces, [0.0, 1.0]);
    let fourth = traces.iter().map(|t| t.powi(4)).sum::<f64>() / N as f64;
    assert!((fourth - 3.0).abs() < 0.04, "{fourth}");
    // With one row it is a sign.
    discrete(
        "orthogonal of one row",
        |k, d| ((k.orthogonal(1, d).flatten() + 1.0) / 2.0).round(),
        1,
        |_| 0.5,
    );
    for n in [2, 5, 40] {
        for (dtype, rounding) in [(DType::F64, 1e-14), (DType::F32, 6e-6)] {
            let f = jit(move |k: Key| {
                let q = k.orthogonal(n, ShapeDtype::new([4], dtype));
                let square = q.matmul(q.transpose([0, 2, 1]));
                (square - eye(n).to(dtype)).abs().amax().to(DType::F64)
            });
            let off = f.call(Key::from_seed(n as u64)).unwrap();
            let off = off.item::<f64>().unwrap();
            assert!(off < rounding * n as f64, "{n} rows of {dtype}: {off}");
        }
    }
}

#[test]
fn distributions_on_the_line() {
    use std::f64::consts::PI;
    continuous(
        "exponential",
        |k, d| k.exponential(d),
        [1.0, 1.0],
        |x| -(-x).exp_m1(),
    );
    continuous(
        "laplace",
        |k, d| k.laplace(d),
        [0.0, 2.0],
        |x| match x < 0.0 {
            true => 0.5 * x.exp(),
            false => 1.0 - 0.5 * (-x).exp(),
        },
    );
    continuous(
        "logistic",
        |k, d| k.logistic(d),
        [0.0, PI * PI / 3.0],
        |x| 1.0 / (1.0 + (-x).exp()),
    );
    continuous(
        "gumbel",
        |k, d| k.gumbel(d),
        [EULER, PI * PI / 6.0],
        |x| (-(-x).exp()).exp(),
    );
    continuous(
        "gumbel f32",
        |k, d| k.gumbel(f32s(d)),
        [EULER, PI * PI / 6.0],
        |x| (-(-x).exp()).exp(),
    );
    continuous(
        "cauchy",
        |k, d| k.cauchy(d),
        [f64::NAN; 2],
        |x| 0.5 + x.atan() / PI,
    );
    continuous(
        "rayleigh",
        |k, d| k.rayleigh(d),
        [(PI / 2.0).sqrt(), 2.0 - PI / 2.0],
        |x| -(-x * x / 2.0).exp_m1(),
    );
    continuous(
        "weibull",
        |k, d| k.weibull(1.5, d),
        weibull(1.5),
        |x| -(-x.powf(1.5)).exp_m1(),
    );
    continuous(
        "pareto",
        |k, d| k.pareto(3.0, d),
        [1.5, f64::NAN],
        |x| 1.0 - x.powi(-3),
    );
}

#[test]
fn the_gamma_family() {
    continuous(
        "gamma",
        |k, d| k.gamma(2.5, d),
        [2.5, 2.5],
        |x| gamma_cdf(2.5, x),
    );
    continuous(
        "gamma 0.3",
        |k, d| k.gamma(0.3, d),
        [0.3, 0.3],
        |x| gamma_cdf(0.3, x),
    );
    continuous(
        "gamma 1",
        |k, d| k.gamma(1.0, d),
        [1.0, 1.0],
        |x| gamma_cdf(1.0, x),
    );
    continuous(
        "gamma 80",
        |k, d| k.gamma(80.0, f32s(d)),
        [80.0, 80.0],
        |x| gamma_cdf(80.0, x),
    );
    continuous(
        "chi_square",
        |k, d| k.chi_square(5.0, d),
        [5.0, 10.0],
        |x| gamma_cdf(2.5, x / 2.0),
    );
    // In closed form.
    continuous(
        "beta",
        |k, d| k.beta(3.0, 2.0, d),
        [0.6, 0.04],
        |x| x.powi(3) * (4.0 - 3.0 * x),
    );
    continuous(
        "beta 0.5",
        |k, d| k.beta(0.5, 0.5, d),
        [0.5, 0.125],
        |x| 2.0 * x.sqrt().asin() / std::f64::consts::PI,
    );
    continuous(
        "student_t",
        |k, d| k.student_t(4.0, d),
        [0.0, f64::NAN],
        |x| {
            let t = x / (4.0 + x * x).sqrt();
            0.5 + 0.75 * (t - t * t * t / 3.0)
        },
    );
    let first = |k: Key, d: &[usize]| k.dirichlet(numbers(3) + 1.0, d).slice((.., 2..)).flatten();
    // The last component of (1, 2, 3) is of the beta distribution (3, 3).
    continuous("dirichlet", first, [0.5, 1.0 / 28.0], |x| {
        x.powi(3) * (10.0 - 15.0 * x + 6.0 * x * x)
    });
    assert!((integrated(0.0, 0.4, |x| 30.0 * (x * (1.0 - x)).powi(2)) - 0.31744).abs() < 1e-9);
    let x = elements(&draw(
        "dirichlet",
        |k, d| k.dirichlet(numbers(3) + 1.0, d),
        &[100],
    ));
    assert!(
        x.chunks(3)
            .all(|x| (x.iter().sum::<f64>() - 1.0).abs() < 1e-14)
    );
}

#[test]
fn counts() {
    let poisson = |rate: f64| {
        move |k: usize| {
            let k = k as f64;
            (k * rate.ln() - rate - lgamma(k + 1.0)).exp()
        }
    };
    discrete("poisson 0.4", |k, d| k.poisson(0.4, d), 12, poisson(0.4));
    discrete("poisson 9.5", |k, d| k.poisson(9.5, d), 40, poisson(9.5));
    discrete("poisson 10", |k, d| k.poisson(10, d), 40, poisson(10.0));
    discrete(
        "poisson 200",
        |k, d| k.poisson(200.0, d),
        300,
        poisson(200.0),
    );
    let binomial = |n: f64, p: f64| {
        move |k: usize| {
            let k = k as f64;
            if k > n {
                return 0.0;
            }
            let ways = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
            (ways + k * p.ln() + (n - k) * (-p).ln_1p()).exp()
        }
    };
    discrete(
        "binomial 7",
        |k, d| k.binomial(7, 0.4, d),
        8,
        binomial(7.0, 0.4),
    );
    discrete(
        "binomial 40",
        |k, d| k.binomial(40, 0.9, d),
        41,
        binomial(40.0, 0.9),
    );
    discrete(
        "binomial 40",
        |k, d| k.binomial(40, 0.25, d),
        41,
        binomial(40.0, 0.25),
    );
    discrete(
        "binomial 1000",
        |k, d| k.binomial(1000, 0.3, d),
        400,
        binomial(1000.0, 0.3),
    );
    discrete(
        "geometric",
        |k, d| k.geometric(0.2, d) - 1i64,
        60,
        |k| 0.2 * 0.8f64.powi(k as i32),
    );
    discrete(
        "randint",
        |k, d| k.randint(-3, 10, d) + 3i64,
        13,
        |_| 1.0 / 13.0,
    );
    discrete("randint 16", |k, d| k.randint(0, 16, d), 16, |_| 1.0 / 16.0);
    // Spans beyond half of all numbers: every other draw is not taken at once.
    let wide = |k: Key, d: &[usize]| {
        let low = Var::scalar(-(3i64 << 61));
        (k.randint(low, low + Var::scalar(i64::MAX), d) - low) >> 60
    };
    discrete("randint of a wide span", wide, 8, |_| 0.125);
}

#[test]
fn choices() {
    let tenths = |k: usize| (k as f64 + 1.0) / 10.0;
    let logits = |k: Key, d: &[usize]| k.categorical((numbers(4) + 1.0).ln(), d);
    discrete("categorical", logits, 4, tenths);
    discrete("choice", |k, d| k.choice(numbers(5), d), 5, |_| 0.2);
    let weighted = |k: Key, d: &[usize]| k.choice_weighted(numbers(6), numbers(6) * 7.0, d);
    discrete("choice_weighted", weighted, 6, |k| k as f64 / 15.0);
    // Of four things, each of the 24 orders; the first two of four, each of the 12.
    fn code(x: Var, n: usize) -> Var {
        let places = (0..n).map(|i| x.at(i) * Var::scalar(4i64.pow(i as u32)));
        places.reduce(|a, b| a + b).unwrap()
    }
    let orders = |k: Key, d: &[usize]| vmap(|k: Key| code(k.permutation(4), 4))(k.split_into(d[0]));
    of_orders("permutation", &draw("permutation", orders, &[N]), 24);
    let pairs =
        |k: Key, d: &[usize]| vmap(|k: Key| code(k.sample(arange(4), 2), 2))(k.split_into(d[0]));
    of_orders("sample", &draw("sample", pairs, &[N]), 12);
    // The first of two from weights 1, 2, 3: 2 comes first, then 1, with probability 1/3 · 1/4.
    let pair = |k: Key, d: &[usize]| {
        vmap(|k: Key| {
            let x = k.sample_weighted(arange(3), numbers(3) + 1.0, 2);
            x.at(0) * Var::scalar(3i64) + x.at(1)
        })(k.split_into(d[0]))
    };
    let p = [
        0.0,
        1.0 / 6.0 * 0.4,
        1.0 / 6.0 * 0.6,
        1.0 / 3.0 * 0.25,
        0.0,
        1.0 / 3.0 * 0.75,
        0.5 / 3.0,
    ];
    discrete("sample_weighted", pair, 7, move |k| p[k]);
    let orders =
        |k: Key, d: &[usize]| vmap(|k: Key| code(k.shuffle(arange(4)), 4))(k.split_into(d[0]));
    of_orders("shuffle", &draw("shuffle of four", orders, &[N]), 24);
    let all = elements(&draw("shuffle", |k, _| k.shuffle(numbers(1000)), &[]));
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(all != sorted && sorted.iter().enumerate().all(|(i, x)| *x == i as f64));
}

fn of_orders(name: &str, codes: &Array, orders: usize) {
    let mut counts = std::collections::BTreeMap::new();
    for &code in codes.as_slice::<i64>().unwrap() {
        *counts.entry(code).or_insert(0.0) += 1.0;
    }
    assert_eq!(counts.len(), orders, "{name}");
    let mut counts: Vec<f64> = counts.into_values().collect();
    counts.push(0.0);
    chi_square(name, &counts, |_| 1.0 / orders as f64);
}

/// Streams of related keys have nothing to do with each other: parent and child, neighbours, members of a
/// family, seeds that follow each other.
#[test]
fn related_keys_are_independent() {
    let f = jit(|(seed, next): (Key, Key)| {
        let parent = seed.split_n::<2>();
        let [a, b] = parent;
        let family = next.fold_in();
        let streams = [a, b, family.at(0), family.at(1)].map(|k| k.normal([N]));
        let mut products = vec![];
        for i in 0..4 {
            for j in 0..i {
                products.push((streams[i] * streams[j]).mean());
            }
        }
        stack(&products)
    });
    let means = f.call((Key::from_seed(0), Key::from_seed(1))).unwrap();
    let limit = 4.0 / (N as f64).sqrt();
    assert!(elements(&means).iter().all(|m| m.abs() < limit), "{means}");
    let f = jit(|(a, b): (Key, Key)| (a.normal([N]) * b.normal([N])).mean());
    let key = Key::from_seed(0);
    for other in [
        Key::from_seed(1),
        key.child(0).unwrap(),
        Key::from_seed(1 << 32),
    ] {
        let mean = f.call((key.clone(), other)).unwrap().item::<f64>().unwrap();
        assert!(mean.abs() < limit, "{mean}");
    }
}
