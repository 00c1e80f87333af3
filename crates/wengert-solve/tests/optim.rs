//! Optimisers: optax's figures, and what users do wrong.

use std::sync::{Arc, Mutex};

use wengert::prelude::*;
use wengert_solve::optim::*;

fn loss((a, b): (Var, Var), _: Var) -> Var {
    let m = Var::from([[3.0, 1.0], [1.0, 2.0]]);
    0.5 * a.dot(m.dot(a)) - a.at(0) + b.cos() * a.at(1) + 0.1 * b.square()
}

fn after_ten(rule: impl Transform + 'static) -> Vec<f64> {
    let f = jit(move |p: (Var, Var)| train(&rule, p, 0..10, loss).params);
    let (a, b) = f.call(([1.0, -2.0], 0.5)).unwrap();
    [a.to_vec::<f64>().unwrap(), b.to_vec().unwrap()].concat()
}

/// Ten steps from (1, -2), 0.5, as optax 0.2.8 takes them with JAX 0.10.2 in f64.
#[test]
fn steps_are_those_of_optax() {
    let first = |path: &str| path.starts_with(".0");
    let all: Vec<(&str, Box<dyn Transform>, [f64; 3])> = vec![
        (
            "sgd",
            Box::new(sgd(0.1)),
            [0.7389123810722976, -1.0279628361285311, 0.08763502921710924],
        ),
        (
            "momentum",
            Box::new(sgd(0.1).momentum(0.9)),
            [
                0.15201711570457963,
                -0.3468206181430137,
                -0.6165000937077666,
            ],
        ),
        (
            "nesterov",
            Box::new(sgd(0.1).momentum(0.9).nesterov()),
            [
                0.4608552471028602,
                -0.5853790104021118,
                -0.28808001800222943,
            ],
        ),
        (
            "adam",
            Box::new(adam(0.1)),
            [
                0.6963521687502721,
                -1.0596964969326093,
                -0.21354430891457526,
            ],
        ),
        (
            "adam_eps",
            Box::new(adam(0.1).b1(0.8).b2(0.95).eps(1e-3).eps_root(1e-2)),
            [
                0.6994734793705873,
                -1.0843529250272923,
                -0.14548126551366083,
            ],
        ),
        (
            "adamw",
            Box::new(adamw(0.1).weight_decay(0.05).mask(first)),
            [0.6764428138631763, -0.9921999236309381, -0.2140884413764411],
        ),
        (
            "nadam",
            Box::new(nadam(0.1)),
            [
                0.6796092393264754,
                -1.0325658960088522,
                -0.15811795379109236,
            ],
        ),
        (
            "nadamw",
            Box::new(nadamw(0.1).weight_decay(0.05)),
            [0.6588190262134265, -0.9720173057019792, -0.1572879519707927],
        ),
        (
            "rmsprop",
            Box::new(rmsprop(0.05)),
            [0.7664321088078552, -1.277955612514989, 0.028065475299398082],
        ),
        (
            "rmsprop_all",
            Box::new(
                rmsprop(0.05)
                    .decay(0.8)
                    .eps(1e-4)
                    .start(0.5)
                    .centered()
                    .momentum(0.5)
                    .nesterov(),
            ),
            [
                0.6436170245607595,
                -0.9018697810914228,
                0.0011897444099933287,
            ],
        ),
        (
            "adagrad",
            Box::new(adagrad(0.5)),
            [
                0.610879183036096,
                -0.8276872498857526,
                9.465343189149262e-06,
            ],
        ),
        (
            "lion",
            Box::new(lion(0.05)),
            [
                0.8495301087353012,
                -1.4991127099713146,
                -0.0001374587561868701,
            ],
        ),
        (
            "clip",
            Box::new(chain((clip(0.5), sgd(0.1)))),
            [0.8873195819499999, -1.4999999999999996, 0.09037488526752444],
        ),
        (
            "clip_global",
            Box::new(chain((clip_by_global_norm(0.7), sgd(0.1)))),
            [0.8996189414966105, -1.3716819611201336, 0.21677573644563286],
        ),
        (
            "ema",
            Box::new(chain((ema(0.8, true), sgd(0.1)))),
            [
                0.6922444495378662,
                -0.8412425705609917,
                -0.022715471168049395,
            ],
        ),
        (
            "ema_biased",
            Box::new(chain((ema(0.8, false), sgd(0.1)))),
            [0.8446804215882093, -1.046239273194628, 0.059188780898022764],
        ),
        (
            "accumulate",
            Box::new(accumulate(adam(0.1), 3)),
            [0.8843852806028742, -1.7016009668594898, 0.20590072905874654],
        ),
        (
            "masked",
            Box::new(chain((masked(trace(0.9, false), first), scale(-0.1)))),
            [0.1557512487135858, -0.41797903355057203, 0.1761404251866595],
        ),
        (
            "warmup",
            Box::new(sgd(Schedule::warmup_cosine(0.0, 0.2, 3, 8, 0.01))),
            [0.7686883291856832, -1.075114252246834, 0.09951556522343268],
        ),
    ];
    for (name, rule, expected) in all {
        let found = after_ten(rule);
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-13;
        assert!(
            found.iter().zip(&expected).all(near),
            "{name}: {found:?}, optax {expected:?}"
        );
    }
}

/// optax 0.2.8 at steps 0, 3, 5, 10, 13, 25.
#[test]
fn schedules_are_those_of_optax() {
    let all = [
        (
            Schedule::linear(1.0, 0.1, 10),
            [1.0, 0.73, 0.55, 0.1, 0.1, 0.1],
        ),
        (
            Schedule::polynomial(1.0, 0.1, 2.0, 10),
            [1.0, 0.5409999999999999, 0.325, 0.1, 0.1, 0.1],
        ),
        (
            Schedule::exponential(1.0, 0.5, 10),
            [
                1.0,
                0.8122523963562356,
                0.5f64.sqrt(),
                0.5,
                0.40612619817811774,
                0.1767766952966369,
            ],
        ),
        (
            Schedule::staircase(1.0, 0.5, 10),
            [1.0, 1.0, 1.0, 0.5, 0.5, 0.25],
        ),
        (
            Schedule::cosine(1.0, 10, 0.1),
            [1.0, 0.8145033635316129, 0.55, 0.1, 0.1, 0.1],
        ),
        (
            Schedule::warmup_cosine(0.0, 1.0, 4, 20, 0.01),
            [
                0.0,
                0.75,
                0.990488713799599,
                0.6944282990207195,
                0.4084302906020166,
                0.01,
            ],
        ),
        (
            Schedule::piecewise(1.0, [(5, 0.5), (10, 0.1)]),
            [1.0, 1.0, 0.5, 0.05, 0.05, 0.05],
        ),
        (
            Schedule::one_cycle(1.0, 20),
            [
                0.04,
                0.52,
                0.9356921938165306,
                0.8117456539497631,
                0.500002,
                4e-06,
            ],
        ),
        (Schedule::from(0.25), [0.25; 6]),
    ];
    for (i, (schedule, expected)) in all.into_iter().enumerate() {
        let f = jit(vmap(move |n: Var| schedule.at(n)));
        let found = f
            .call([0i64, 3, 5, 10, 13, 25])
            .unwrap()
            .to_vec::<f64>()
            .unwrap();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-14;
        assert!(
            found.iter().zip(&expected).all(near),
            "{i}: {found:?} {expected:?}"
        );
    }
}

#[test]
fn a_learning_rate_has_a_derivative_through_all_steps() {
    for momentum in [None, Some(0.9)] {
        let last = move |rate: Var| {
            let p = match momentum {
                None => train(adam(rate), (zeros(2) + 1.0, 0.5), 0..5, loss).params,
                Some(m) => train(sgd(rate).momentum(m), (zeros(2) + 1.0, 0.5), 0..5, loss).params,
            };
            loss(p, Var::from(0))
        };
        let at = jit(last);
        let value = |x: f64| at.call(x).unwrap().item::<f64>().unwrap();
        let slope = jit(grad(last)).call(0.05).unwrap().item::<f64>().unwrap();
        let difference = (value(0.05 + 1e-6) - value(0.05 - 1e-6)) / 2e-6;
        assert!(
            (slope - difference).abs() < 1e-7 * slope.abs(),
            "{slope} {difference}"
        );
    }
}

#[test]
fn a_batch_of_trainings_equals_each_alone() {
    let f = |(x, rate): (Var, Var)| {
        let rule = chain((clip_by_global_norm(0.5), accumulate(adam(rate), 2)));
        train(rule, x, 0..20, |x, _| (x * x - 2.0).square().sum()).params
    };
    let xs: Vec<[f64; 2]> = (0..11).map(|i| [0.1 * f64::from(i), 2.0]).collect();
    let rates: Vec<f64> = (0..11).map(|i| 0.01 + 0.01 * f64::from(i)).collect();
    let (one, all) = (jit(f), jit(vmap(f)));
    let all = all
        .call((xs.clone(), rates.clone()))
        .unwrap()
        .to_vec::<f64>()
        .unwrap();
    for i in 0..11 {
        let alone = one
            .call((xs[i], rates[i]))
            .unwrap()
            .to_vec::<f64>()
            .unwrap();
        assert_eq!(all[2 * i..2 * i + 2], alone);
    }
}

#[test]
fn steps_of_f32_stay_f32() {
    let f = jit(|x: Var| {
        let rule = chain((
            clip_by_global_norm(1.0),
            adamw(Schedule::cosine(0.1, 50, 0.0)),
        ));
        Train::new(rule)
            .average(0.9)
            .run(x, 0..50, |x, _| (x - 1.0).square().sum())
    });
    let found = f.call([0f32, 2.0]).unwrap();
    let x = found.params.to_vec::<f32>().unwrap();
    assert!(x.iter().all(|x| (x - 1.0).abs() < 0.1), "{x:?}");
    assert_eq!(found.average.unwrap().dtype(), DType::F32);
    assert_eq!(found.losses.dtype(), DType::F32);
}

#[test]
fn gradients_that_are_not_finite_are_skipped() {
    let f = jit(|xs: Var| {
        let rule = skip_not_finite(sgd(0.5).momentum(0.5));
        train(rule, 0.0, xs, |m, x| 0.5 * (x - m).square()).params
    });
    let with = f
        .call([1.0, f64::NAN, 3.0, f64::INFINITY])
        .unwrap()
        .item::<f64>()
        .unwrap();
    let without = f.call([1.0, 3.0]).unwrap().item::<f64>().unwrap();
    assert_eq!(with, without);
}

#[test]
fn training_goes_on_from_its_state_and_is_watched() {
    let seen = Arc::new(Mutex::new(vec![]));
    let log = seen.clone();
    let whole = jit(|x: Var| train(adam(0.1), x, 0..6, |x, _| x.square()).params);
    let first = jit(move |x: Var| {
        let log = log.clone();
        let watched = Train::new(adam(0.1)).on_step(move |p| log.lock().unwrap().push(p));
        watched.run(x, 0..2, |x, _| x.square())
    });
    let rest = jit(|(x, state): (Var, OptState)| {
        Train::new(adam(0.1))
            .state(state)
            .run(x, 0..4, |x, _| x.square())
            .params
    });
    let half = first.call(2.0).unwrap();
    let done = rest.call((half.params, half.state)).unwrap();
    assert_eq!(done, whole.call(2.0).unwrap());
    let seen = seen.lock().unwrap();
    assert_eq!(
        (seen[0].iteration, seen[0].value, seen.len()),
        (1.0, 4.0, 2)
    );
    assert!((seen[1].step - 0.1).abs() < 1e-3);
}

#[test]
fn minibatches_are_permutations() {
    let f = jit(|key: Key| minibatches(key, 10, 5, 3));
    let rows = f.call(Key::from_seed(3)).unwrap().to_vec::<i64>().unwrap();
    for epoch in rows.chunks(10) {
        let mut sorted = epoch.to_vec();
        sorted.sort();
        assert_eq!(sorted, (0..10).collect::<Vec<i64>>());
    }
    assert_ne!(rows[..10], rows[10..20]);
}

#[test]
fn mistakes_are_errors_at_their_line() {
    let said = |f: Box<dyn Fn(Var) -> Var + Send + Sync>, x: Array| {
        let error = jit(f).call(x).unwrap_err().to_string();
        assert!(error.contains("optim.rs"), "{error}");
        error.split(", at ").next().unwrap().to_string()
    };
    let error = said(
        Box::new(|x| train(adam(0.1), x, 0..3, |x, _| x * 2.0).params),
        [1.0, 2.0].into(),
    );
    assert_eq!(
        error,
        "train: the loss is f64[2], and must be a float scalar; take its mean"
    );
    let error = said(
        Box::new(|x| train(adam(0.1), x, 0..3, |_, _| Var::from(1.0)).params),
        1i64.into(),
    );
    assert!(
        error.starts_with("train: the parameter is i64, and must be of floats"),
        "{error}"
    );
    let wrong = |x: Var| {
        let rule = adam(0.1);
        let state = sgd(0.1).init(&x);
        rule.update(x, state, &x).0
    };
    let error = said(Box::new(wrong), 1.0.into());
    assert_eq!(
        error,
        "adam: the state is not one of this transformation; `init` makes it"
    );
    let wrong = |x: Var| {
        let rule = sgd(0.1);
        let state = rule.init(&x);
        rule.update(x.sum(), state, &x).0
    };
    let error = said(Box::new(wrong), [1.0, 2.0].into());
    assert_eq!(
        error,
        "sgd: the parameters has f64[2], and the gradients has f64"
    );
    let error = said(
        Box::new(|x| train(adam(0.1), x, Var::from(3.0), |x, _| x).params),
        1.0.into(),
    );
    assert!(
        error.starts_with("scan: the scalar cannot be read row by row"),
        "{error}"
    );
}
