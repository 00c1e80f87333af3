//! Adaptive steps, and what becomes of lanes.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::sde::{Brownian, Diagonal, Path, Scheme, Sde};

use super::{mean, numbers};

const A: f64 = 0.4;
const B: f64 = 0.7;

/// The mean distance of geometric Brownian motion from its solution along the tree, and the mean number of steps.
fn distance(scheme: Scheme, tolerance: f64) -> (f64, f64) {
    let path = move |(key, again): (Key, Key)| {
        let sde = Sde::ito(|_, x: Var| A * x, Diagonal(|_, x: Var| B * x));
        let solver = scheme
            .adaptive()
            .rtol(tolerance)
            .atol(tolerance)
            .tolerance(1e-7);
        let found = solver.solve(&sde, 1.0, 0.0, 1.0, key);
        let w = Brownian::new(again, 0.0, 1.0, 1)
            .tolerance(1e-7)
            .at(1.0)
            .at(0);
        let exact = ((A - 0.5 * B * B) + B * w).exp();
        ((found.y - exact).abs(), found)
    };
    let f = jit(move |(a, b): (Key, Key)| vmap(path)((a.split_into(200), b.split_into(200))));
    let key = Key::from_seed(6);
    let (distances, found) = f.call((key.clone(), key)).unwrap();
    let found = found.ok().unwrap();
    let steps: Vec<f64> = found
        .steps
        .to_vec::<i64>()
        .unwrap()
        .iter()
        .map(|&n| n as f64)
        .collect();
    (mean(&numbers(&distances)), mean(&steps))
}

#[test]
fn the_error_follows_the_tolerance() {
    for (scheme, factor) in [
        (Scheme::Sri1, 20.0),
        (Scheme::Milstein, 60.0),
        (Scheme::Heun, 60.0),
    ] {
        let (loose, few) = distance(scheme, 1e-2);
        let (tight, many) = distance(scheme, 1e-4);
        assert!(
            loose < factor * 1e-2 && tight < factor * 1e-4,
            "{scheme:?}: {loose} {tight}"
        );
        assert!(
            tight < 0.2 * loose && many > 2.0 * few,
            "{scheme:?}: {loose} {tight} {few} {many}"
        );
    }
}

fn double_well(scale: Var, at: Var, key: Key) -> Path<Var> {
    let sde = Sde::ito(
        move |_, x: Var| x - scale * x * x * x,
        Diagonal(|_, x: Var| full_like(x, 0.5)),
    );
    Scheme::Sra1.adaptive().sample(&sde, 0.1, 0.0, at, key)
}

#[test]
fn states_at_times_are_those_of_runs_that_end_there() {
    let f = jit(|(key, at): (Key, Var)| double_well(Var::from(1.0), at, key));
    let key = Key::from_seed(1);
    let path = f
        .call((key.clone(), [0.0, 0.5, 0.5, 2.0]))
        .unwrap()
        .ok()
        .unwrap();
    let y = numbers(&path.y);
    assert_eq!(y[0], 0.1);
    assert_eq!(y[1], y[2]);
    let again = f.call((key, [2.0])).unwrap().ok().unwrap();
    assert!((numbers(&again.y)[0] - y[3]).abs() < 0.05);
}

#[test]
fn a_lane_that_fails_does_so_alone() {
    let key = Key::from_seed(3);
    let many = jit(|(scale, keys): (Var, Key)| {
        vmap(|(s, key): (Var, Key)| double_well(s, Var::from([1.0, 6.0]), key))((scale, keys))
    });
    let one = jit(|(scale, key): (Var, Key)| double_well(scale, Var::from([1.0, 6.0]), key));
    let keys = jit(|key: Key| key.split_into(5)).call(key.clone()).unwrap();
    // The second has no drift, and the fourth blows up.
    let scales = [1.0, f64::NAN, 2.0, -1.0, 0.5];
    let all = many.call((scales, keys)).unwrap();
    let statuses = all.statuses().unwrap();
    assert_eq!(statuses[1], Status::NotFinite);
    assert!(!statuses[3].is_converged(), "{:?}", statuses[3]);
    let y = numbers(&all.y);
    for i in [0, 2, 4] {
        assert_eq!(statuses[i], Status::Finished);
        let alone = one.call((scales[i], key.child(i as u64).unwrap())).unwrap();
        assert_eq!(numbers(&alone.y), y[2 * i..2 * i + 2]);
    }
    assert!(y[2].is_nan() && y[3].is_nan() && y[7].is_nan());
}

#[test]
fn statuses_say_what_ended_a_path() {
    let f = jit(|(x0, key): (Var, Key)| {
        let sde = Sde::ito(|_, x: Var| -x, Diagonal(|_, x: Var| x));
        Scheme::Milstein
            .adaptive()
            .max_steps(3)
            .rtol(1e-6)
            .solve(&sde, x0, 0.0, 1.0, key)
    });
    let status = |x0: f64| f.call((x0, Key::from_seed(0))).unwrap().statuses().unwrap();
    assert_eq!(status(1.0), [Status::StepLimit]);
    assert_eq!(status(f64::INFINITY), [Status::StartNotFinite]);
    let fixed = jit(|(x0, key): (Var, Key)| {
        let sde = Sde::ito(|_, x: Var| x * x, Diagonal(|_, x: Var| x));
        Scheme::Milstein.steps(60).solve(&sde, x0, 0.0, 3.0, key)
    });
    let status = |x0: f64| {
        fixed
            .call((x0, Key::from_seed(0)))
            .unwrap()
            .statuses()
            .unwrap()
    };
    assert_eq!(status(0.01), [Status::Finished]);
    assert_eq!(status(1e9), [Status::NotFinite]);
    assert_eq!(status(f64::NAN), [Status::StartNotFinite]);
}
