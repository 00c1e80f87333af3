//! Mistakes are errors at the user's line, in the solver's name.

use wengert::prelude::*;
use wengert_solve::de::sde::{Brownian, Diagonal, General, Increment, Scheme, Sde};

/// The message of a function of a start.
fn message<A>(f: impl Fn(Var, Key) -> A + Send + Sync + 'static) -> String
where
    A: wengert::IntoTree<Tree = A> + Tree<Leaf = Var>,
{
    let f = jit(move |(x, key): (Var, Key)| f(x, key));
    let error = match f.call(([1.0, 2.0], Key::from_seed(0))) {
        Ok(_) => panic!("a mistake went through"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("mistakes.rs:"), "{error}");
    error
}

#[track_caller]
fn expect(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn schemes_say_which_noise_they_take() {
    let general = message(|x, key| {
        let sde = Sde::ito(|_, x: Var| x, General::new(2, |_, x: Var, dw: Var| x * dw));
        Scheme::Milstein.steps(3).solve(&sde, x, 0.0, 1.0, key).y
    });
    expect(
        &general,
        &["sde: Milstein is for diagonal and scalar noise"],
    );
    let multiplied = message(|x, key| {
        let sde = Sde::ito(|_, x: Var| x, Diagonal(|_, x: Var| x));
        Scheme::Sra1.steps(3).solve(&sde, x, 0.0, 1.0, key).y
    });
    expect(
        &multiplied,
        &["sde: Sra1 is for noise that does not depend on the state"],
    );
}

#[test]
fn trees_types_and_steps() {
    let drift = message(|x, key| {
        let sde = Sde::ito(|_, x: Var| x.sum(), Diagonal(|_, x: Var| x));
        Scheme::Heun.steps(3).solve(&sde, x, 0.0, 1.0, key).y
    });
    expect(
        &drift,
        &["sde: the state has f64[2], and the drift has f64,"],
    );
    let noise = message(|x, key| {
        let sde = Sde::ito(|_, x: Var| x, Diagonal(|_, x: Var| x.to(DType::F32)));
        Scheme::Heun.steps(3).solve(&sde, x, 0.0, 1.0, key).y
    });
    expect(
        &noise,
        &["sde: the state has f64[2], and the diffusion has f32[2]"],
    );
    let sde = || Sde::ito(|_, x: Var| x, Diagonal(|_, x: Var| x));
    let whole = message(move |x, key| {
        Scheme::Heun
            .steps(3)
            .solve(&sde(), x.to(DType::I64), 0.0, 1.0, key)
            .y
    });
    expect(&whole, &["sde: the start", "i64[2]", "floats"]);
    let narrow = message(move |x, key| {
        Scheme::Heun
            .steps(3)
            .solve(&sde(), x.to(DType::F32), x.at(0), 1.0, key)
            .y
    });
    expect(
        &narrow,
        &["sde: the times are f64, and the state is of f32"],
    );
    let none = message(move |x, key| Scheme::Heun.steps(0).solve(&sde(), x, 0.0, 1.0, key).y);
    expect(&none, &["sde: no step leads to the end"]);
    let times = message(move |x, key| {
        Scheme::Heun
            .adaptive()
            .sample(&sde(), x, 0.0, x.at(0), key)
            .y
    });
    expect(
        &times,
        &["sde: the times are f64, and must be a vector of f64"],
    );
    let rows = message(move |x, key| {
        let rows = Increment::draw(key, 4, 0.25, 3);
        Scheme::Heun.along(&sde(), x, 0.0, 1.0, rows).y
    });
    expect(
        &rows,
        &["sde: the increments are f64[4,3] and f64[4,3], and must be rows of 2"],
    );
}

#[test]
fn paths() {
    let odd = message(|_, key| Increment::draw(key, 3, 0.1, ()).halved());
    expect(
        &odd,
        &["Increment::halved: pairs of steps need an even number"],
    );
    let part = message(|_, key| Brownian::new(key, 0.0, 1.0, ()).tolerance(0.0).at(0.5));
    expect(
        &part,
        &["Brownian::tolerance: the tolerance is a part of the span, not 0"],
    );
    let time = message(|x, key| Brownian::new(key, 0.0, 1.0, ()).at(x));
    expect(&time, &["Brownian::at: a time is one f64, and not f64[2]"]);
}

#[test]
fn narrow_numbers_work() {
    let f = jit(|(x, key): (Var, Key)| {
        let sde = Sde::ito(|t: Var, x: Var| -x * t, Diagonal(|_, x: Var| 0.1 * x));
        let (a, b) = key.split();
        let fixed = Scheme::Sri1.steps(10).solve(&sde, x, 0.0, 1.0, a).y;
        (fixed, Scheme::Sri1.adaptive().solve(&sde, x, 0.0, 1.0, b))
    });
    let (fixed, adaptive) = f.call(([1.0f32, 2.0], Key::from_seed(0))).unwrap();
    assert_eq!(
        (fixed.dtype(), adaptive.y.dtype()),
        (DType::F32, DType::F32)
    );
    assert!(adaptive.ok().is_ok());
}
