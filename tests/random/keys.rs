//! What is wrong with keys, shapes and parameters is an `Err` that says so.

use super::*;
use expect_test::{Expect, expect};

#[track_caller]
fn refused(f: impl Fn(Key) -> Var + Send + Sync + 'static, message: Expect) {
    let error = jit(f).call(Key::from_seed(0)).unwrap_err().to_string();
    let file = error.find("tests/random/keys.rs").expect("the user's line");
    let (before, rest) = error.split_at(file);
    let line = |c: char| c.is_ascii_digit() || c == ':';
    let rest = rest["tests/random/keys.rs".len()..].trim_start_matches(line);
    message.assert_eq(&format!("{before}keys.rs{rest}"));
}

#[test]
fn several_keys_are_not_one() {
    refused(
        |k| k.split_into(3).normal([2]),
        expect![
            "normal: u32[3,8] is several keys, at keys.rs; go over them, as in `vmap(|key: Key| ..)(keys)` or `scan(init, keys, ..)`"
        ],
    );
    refused(
        |k| k.split_into(3).split().0.bits(()),
        expect![
            "split: u32[3,8] is several keys, at keys.rs; go over them, as in `vmap(|key: Key| ..)(keys)` or `scan(init, keys, ..)`"
        ],
    );
    refused(
        |k| k.split_into(3).fold_in().at(0).bits(()),
        expect![
            "fold_in: u32[3,8] is several keys, at keys.rs; go over them, as in `vmap(|key: Key| ..)(keys)` or `scan(init, keys, ..)`"
        ],
    );
}

#[test]
fn what_is_not_a_key() {
    let f = jit(|k: Key| k.normal([2]));
    let error = f.call(Key::from_words([0; 8]).split_wrong()).unwrap_err();
    expect!["normal: f64[2] is not a key, which is u32[8]"]
        .assert_eq(error.to_string().split(", at").next().unwrap());
}

/// A tree of one array that is no key.
trait Wrong {
    fn split_wrong(self) -> Key<Array>;
}

impl Wrong for Key<Array> {
    fn split_wrong(self) -> Key<Array> {
        let (_, def) = tree::flatten(self);
        tree::unflatten(&def, [Array::from([1.0, 2.0])]).unwrap()
    }
}

#[test]
fn shapes_and_parameters() {
    refused(
        |k| k.normal(ShapeDtype::new([2], DType::I64)),
        expect!["normal: draws f64 or f32, and not i64, at keys.rs"],
    );
    refused(
        |k| k.normal([2, -1]),
        expect!["normal: [2, -1] holds a negative length, at keys.rs"],
    );
    refused(
        |k| k.gamma(ones([3]), [2]),
        expect![
            "gamma: a parameter of type f64[3] does not broadcast to draws of type f64[2], at keys.rs"
        ],
    );
    refused(
        |k| k.gamma(ones([3]), f32s(&[3])),
        expect![
            "gamma: a parameter of type f64[3] for draws of type f32[3], at keys.rs; convert it, or ask for its element type by a `ShapeDtype`"
        ],
    );
    refused(
        |k| k.randint(0.5, 3, [2]),
        expect!["randint: 0.5 is not an integer, at keys.rs"],
    );
    refused(
        |k| k.randint(3, 3, [2]),
        expect!["randint: no whole number in 3..3, at keys.rs"],
    );
    refused(
        |k| k.fold_in().at(0.5).bits(()),
        expect!["fold_in: 0.5 is not an integer, at keys.rs"],
    );
    refused(
        |k| k.categorical(Var::scalar(0.0), [2]),
        expect!["categorical: one logit, and not a vector of them, at keys.rs"],
    );
    refused(
        |k| k.categorical(zeros([0]), [2]),
        expect!["categorical: there is nothing to choose from, at keys.rs"],
    );
    refused(
        |k| k.choice(zeros([0, 2]), [2]),
        expect!["choice: 1 of the rows of f64[0,2], which has 0, at keys.rs"],
    );
    refused(
        |k| k.sample(ones([3]), 4),
        expect!["sample: 4 of the rows of f64[3], which has 3, at keys.rs"],
    );
    refused(
        |k| k.choice_weighted(ones([3]), ones([2]), [2]),
        expect!["choice_weighted: weights of type f64[2] for the 3 rows of f64[3], at keys.rs"],
    );
    refused(
        |k| k.multivariate_normal(ones([3]), ones([3, 2]), [2]),
        expect![
            "multivariate_normal: a mean of type f64[3] with a factor of type f64[3,2], at keys.rs; they are f64[n] and f64[n,n]"
        ],
    );
    refused(
        |k| k.unit_vector(0, [2]),
        expect!["unit_vector: no components, at keys.rs"],
    );
    let many = 1usize << 40;
    refused(
        move |k| k.normal([many, many]),
        expect![
            "normal: f64[1099511627776,1099511627776] is larger than memory can be, at keys.rs"
        ],
    );
    refused(
        move |k| k.gamma(2.0, [many, many]),
        expect!["gamma: f64[1099511627776,1099511627776] is larger than memory can be, at keys.rs"],
    );
    refused(
        move |k| k.bernoulli(0.5, [many, many]),
        expect![
            "bernoulli: bool[1099511627776,1099511627776] is larger than memory can be, at keys.rs"
        ],
    );
    refused(
        move |k| k.unit_vector(many, [many]),
        expect![
            "unit_vector: f64[1099511627776,1099511627776] is larger than memory can be, at keys.rs"
        ],
    );
    refused(
        move |k| k.orthogonal(many, [2]),
        expect![
            "orthogonal: f64[2,1099511627776,1099511627776] is larger than memory can be, at keys.rs"
        ],
    );
    refused(
        move |k| k.permutation(many << 22).sum(),
        expect!["permutation: i64[4611686018427387904] is larger than memory can be, at keys.rs"],
    );
    refused(
        move |k| vmap(|k: Key| k.normal(()))(k.split_into(many << 20)),
        expect!["split_into: u32[1152921504606846976,8] is larger than memory can be, at keys.rs"],
    );
    refused(
        |k| k.orthogonal(0, [2]),
        expect!["orthogonal: no rows, at keys.rs"],
    );
}

/// Outside a trace, too.
#[test]
fn several_keys_have_no_words() {
    let keys = jit(|k: Key| k.split_into(3))
        .call(Key::from_seed(0))
        .unwrap();
    let error = keys.child(0).unwrap_err().to_string();
    let said = "child: u32[3,8] is not one key, which is u32[8], at ";
    assert!(
        error.starts_with(said) && error.contains("keys.rs:"),
        "{error}"
    );
    let error = keys.generator().unwrap_err().to_string();
    let said = "generator: u32[3,8] is not one key, which is u32[8], at ";
    assert!(
        error.starts_with(said) && error.contains("keys.rs:"),
        "{error}"
    );
}

/// What is asked for as `f32` is `f32`.
#[test]
fn element_types() {
    type Typed = fn(Key, ShapeDtype) -> Var;
    const FLOATS: &[(&str, Typed)] = &[
        ("uniform", |k, s| k.uniform(s)),
        ("uniform_open", |k, s| k.uniform_open(s)),
        ("uniform_in", |k, s| k.uniform_in(-1.0, 3.0, s)),
        ("rademacher", |k, s| k.rademacher(s)),
        ("normal", |k, s| k.normal(s)),
        ("truncated_normal", |k, s| k.truncated_normal(-1, 2, s)),
        ("unit_vector", |k, s| k.unit_vector(3, s)),
        ("orthogonal", |k, s| k.orthogonal(3, s)),
        ("exponential", |k, s| k.exponential(s)),
        ("laplace", |k, s| k.laplace(s)),
        ("logistic", |k, s| k.logistic(s)),
        ("gumbel", |k, s| k.gumbel(s)),
        ("cauchy", |k, s| k.cauchy(s)),
        ("rayleigh", |k, s| k.rayleigh(s)),
        ("weibull", |k, s| k.weibull(1.5, s)),
        ("pareto", |k, s| k.pareto(3, s)),
        ("gamma", |k, s| k.gamma(2.5, s)),
        ("chi_square", |k, s| k.chi_square(5, s)),
        ("student_t", |k, s| k.student_t(4, s)),
        ("beta", |k, s| k.beta(2, 3, s)),
        ("dirichlet", |k, s| k.dirichlet(ones([3]).to(s.dtype), s)),
        ("multivariate_normal", |k, s| {
            k.multivariate_normal(zeros([2]).to(s.dtype), eye(2).to(s.dtype), [5])
        }),
    ];
    for &(name, sampler) in FLOATS {
        for dtype in [DType::F64, DType::F32] {
            let f = jit(move |k: Key| sampler(k, ShapeDtype::new([5], dtype)));
            let drawn = f.call(Key::from_seed(1)).unwrap();
            assert_eq!(drawn.dtype(), dtype, "{name}");
            assert_eq!(drawn.shape()[0], 5, "{name}");
            assert!(elements(&drawn).iter().all(|x| x.is_finite()), "{name}");
        }
    }
}

/// A key through every transform: as an operand of a branch, in the carry of a loop, beside what a
/// derivative is taken of.
#[test]
fn keys_go_through_transforms() {
    let f = jit(|(x, k): (Var, Key)| {
        let [a, b, c, d] = k.split_n();
        let branch = cond(
            x.gt(0.0),
            a,
            |k: Key| k.normal([4]),
            |k: Key| k.uniform([4]),
        )
        .sum();
        let (walk, _) = scan((0.0, b), 0..5, |(x, k): (Var, Key), _| {
            let (now, next) = k.split();
            ((x + now.normal(()), next), ())
        })
        .0;
        let slope = grad_at(x, |x| (x * c.normal([3])).sin().sum());
        let family = d.fold_in();
        let lanes = wengert::map(arange(6), |i| family.at(i).normal(()) * x);
        branch + walk + slope + lanes.sum()
    });
    let key = Key::from_seed(9);
    for x in [-1.0, 1.0] {
        let compiled = f.call((x, key.clone())).unwrap();
        assert_eq!(f.interpret((x, key.clone())).unwrap(), compiled);
    }
}

/// What is out of range gives what the distribution has there, and no loop that goes on for ever.
#[test]
fn parameters_out_of_range() {
    let f = jit(|(x, k): (Var, Key)| {
        let [a, b, c, d, e, f] = k.split_n();
        let n = ShapeDtype::new(x.shape(), DType::F64);
        let counts = ShapeDtype::new(x.shape(), DType::I64);
        (
            a.gamma(x, &n),
            b.beta(x, 1.0, &n),
            c.poisson(x, &counts),
            d.binomial(10, x, &counts),
            e.geometric(x, &counts),
            f.student_t(x, &n),
        )
    });
    let x = [f64::NAN, -1.0, 0.0, f64::INFINITY, 2.0, 1e-300, 1.0];
    let (gamma, beta, poisson, binomial, geometric, _) = f.call((x, Key::from_seed(1))).unwrap();
    let gamma = gamma.to_vec::<f64>().unwrap();
    assert!(gamma[0].is_nan() && gamma[1].is_nan());
    assert!(gamma[2] == 0.0 && gamma[3].is_nan());
    assert_eq!(beta.to_vec::<f64>().unwrap()[5], 0.0);
    let poisson = poisson.to_vec::<i64>().unwrap();
    assert_eq!(
        (poisson[1], poisson[2], poisson[3]),
        (i64::MIN, 0, i64::MIN)
    );
    let binomial = binomial.to_vec::<i64>().unwrap();
    assert_eq!((binomial[2], binomial[6]), (0, 10));
    let geometric = geometric.to_vec::<i64>().unwrap();
    assert_eq!(
        (geometric[2], geometric[5], geometric[6]),
        (i64::MIN, i64::MAX, 1)
    );
}
