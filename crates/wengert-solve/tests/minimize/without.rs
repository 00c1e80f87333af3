//! Minima without derivatives.

use std::f64::consts::{E, PI};

use wengert::prelude::*;
use wengert_check::check_vmap;
use wengert_solve::Status;
use wengert_solve::minimize::{CmaEs, DifferentialEvolution, NelderMead};

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}

fn rastrigin(x: Var) -> Var {
    (x.square() - 10.0 * (2.0 * PI * x).cos() + 10.0).sum()
}

fn ackley(x: Var) -> Var {
    let far = (x.square().mean() + 1e-300).sqrt();
    20.0 + E - 20.0 * (-0.2 * far).exp() - (2.0 * PI * x).cos().mean().exp()
}

/// It falls without end outside of its box, which is walled here.
fn schwefel(x: Var) -> Var {
    let n = x.shape()[0] as f64;
    let inside = x.clip(-500.0, 500.0);
    let outside = (x - inside).square().sum();
    let waves = inside * (inside.abs() + 1e-300).sqrt().sin();
    418.982_887_272_433_9 * n - waves.sum() + outside
}

type Case = (&'static str, fn(Var) -> Var, f64);

const CASES: [Case; 3] = [
    ("Rastrigin", rastrigin, 5.12),
    ("Ackley", ackley, 32.768),
    ("Schwefel", schwefel, 500.0),
];

/// How many of 12 keys find the least value in five dimensions.
fn successes(values: &Array) -> usize {
    values
        .to_vec::<f64>()
        .unwrap()
        .iter()
        .filter(|v| **v < 1e-4)
        .count()
}

#[test]
fn evolution_finds_the_least_of_many_minima() {
    for (name, f, far) in CASES {
        let find = move |key: Key| {
            DifferentialEvolution::new().minimize(key, f, full(5, -far), full(5, far))
        };
        let keys = jit(|k: Key| k.split_into(12))
            .call(Key::from_seed(5))
            .unwrap();
        let m = jit(vmap(find)).call(keys).unwrap();
        let n = successes(&m.value);
        println!("DE {name}: {n} of 12, {:?} evaluations", m.evaluations);
        assert!(n >= 11, "{name}: {n} of 12, {:?}", m.value);
    }
}

#[test]
fn a_larger_cloud_finds_the_least_of_many_minima() {
    // Schwefel's function has its least value in a corner, where a normal cloud seldom looks.
    for ((name, f, far), at_least) in CASES.into_iter().zip([9, 12, 0]) {
        let find = move |key: Key| {
            let (start, draws) = key.split();
            let start = start.uniform_in(-far, far, 5);
            CmaEs::new()
                .population(240)
                .minimize(draws, f, start, 0.6 * far)
        };
        let keys = jit(|k: Key| k.split_into(12))
            .call(Key::from_seed(5))
            .unwrap();
        let m = jit(vmap(find)).call(keys).unwrap();
        let n = successes(&m.value);
        println!("CMA-ES {name}: {n} of 12");
        assert!(n >= at_least, "{name}: {n} of 12, {:?}", m.value);
    }
}

#[test]
fn restarts_with_growing_clouds_find_the_least_of_many_minima() {
    for (name, f, far) in CASES {
        let find = move |key: Key| {
            let (start, draws) = key.split();
            let start = start.uniform_in(-far, far, 5);
            let method = CmaEs::new().restarts(6).max_steps(500).target(1e-8);
            method.minimize(draws, f, start, 0.6 * far)
        };
        let keys = jit(|k: Key| k.split_into(12))
            .call(Key::from_seed(5))
            .unwrap();
        let m = jit(vmap(find)).call(keys).unwrap();
        let n = successes(&m.value);
        println!("CMA-ES with restarts, {name}: {n} of 12");
        assert!(n >= 11, "{name}: {n} of 12, {:?}", m.value);
        for (value, status) in m
            .value
            .to_vec::<f64>()
            .unwrap()
            .iter()
            .zip(m.statuses().unwrap())
        {
            assert!(
                *value > 1e-8 || status == Status::ValueConverged,
                "{status:?}"
            );
        }
    }
    // A start that is low enough is not left.
    let there = |k: Key| {
        let method = CmaEs::new().restarts(2).target(1.0);
        method.minimize(k, |x: Var| x.square().sum(), zeros(3), 0.3)
    };
    let m = jit(there).call(Key::from_seed(0)).unwrap().ok().unwrap();
    assert_eq!(m.iterations.item::<i64>().unwrap(), 0);
}

#[test]
fn simplexes_and_clouds_find_minima() {
    for n in [1, 2, 5] {
        let bowl =
            |x: Var| ((x - 0.3).square() * (arange(1..x.shape()[0] + 1).to(DType::F64))).sum();
        let m = jit(move |x: Var| NelderMead::new().minimize(bowl, x))
            .call(vec![2.0; n])
            .unwrap()
            .ok()
            .unwrap();
        assert!(
            m.x.all_close(&Array::from(vec![0.3; n]), 1e-6, 0.0),
            "{n}: {m:?}"
        );
    }
    let m = jit(|x: Var| NelderMead::new().minimize(rosenbrock, x))
        .call([-1.2, 1.0, 0.5])
        .unwrap()
        .ok()
        .unwrap();
    assert!(m.x.all_close(&Array::from([1.0; 3]), 1e-6, 0.0), "{m:?}");
    let find = |key: Key| CmaEs::new().minimize(key, rosenbrock, zeros(5), 0.3);
    let m = jit(find).call(Key::from_seed(3)).unwrap().ok().unwrap();
    assert!(m.x.all_close(&Array::from([1.0; 5]), 1e-6, 0.0), "{m:?}");
}

#[test]
fn derivatives_and_lanes() {
    let simplex = |a: Var| {
        NelderMead::new().minimize(
            move |[x, y]: [Var; 2]| (x - a).square() + (y - a).square() + (x * a).sin(),
            [0.5, 0.2],
        )
    };
    let slopes = jit(vmap(grad(move |a: Var| simplex(a).x[1])))
        .call([0.3, 1.2])
        .unwrap();
    assert!(slopes.all_close(&Array::from([1.0, 1.0]), 1e-9, 0.0));
    let parts = move |a: Var| {
        let m = simplex(a);
        (m.x, m.value, m.iterations, m.evaluations, m.status)
    };
    check_vmap(parts, [0.1, 0.5, 2.0, -1.0, f64::NAN, 1e3]).unwrap();
    // A key for each, and the same draws alone.
    let cloud = |key: Key| {
        let m = CmaEs::new().minimize(key, |x: Var| rosenbrock(x), zeros(3), 0.3);
        (m.x, m.value, m.evaluations, m.status)
    };
    let keys = jit(|k: Key| k.split_into(5))
        .call(Key::from_seed(2))
        .unwrap();
    let all = jit(vmap(cloud)).call(keys.clone()).unwrap();
    let third = jit(|k: Key| tree::map(k, |w| w.at(2))).call(keys).unwrap();
    let alone = jit(cloud).call(third).unwrap();
    let row = |a: &Array| a.to_vec::<f64>().unwrap()[6..9].to_vec();
    assert_eq!(row(&all.0), alone.0.to_vec::<f64>().unwrap());
    assert_eq!(
        all.2.get::<i64>([2]).unwrap(),
        alone.2.item::<i64>().unwrap()
    );
}

#[test]
fn failures_are_named() {
    let m = jit(|x: Var| NelderMead::new().minimize(|x: Var| x.sum() * f64::NAN, x))
        .call([1.0, 2.0])
        .unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::StartNotFinite]);
    let m = jit(|x: Var| {
        NelderMead::new()
            .max_steps(500)
            .minimize(|x: Var| x.sum(), x)
    })
    .call([1.0, 2.0])
    .unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::StepLimit]);
    let m = jit(|k: Key| {
        CmaEs::new()
            .max_steps(20)
            .minimize(k, rosenbrock, zeros(3), 0.3)
    })
    .call(Key::from_seed(0))
    .unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::StepLimit]);
    let m = jit(|k: Key| {
        DifferentialEvolution::new().minimize(k, |x: Var| x.sum() * f64::NAN, zeros(2), ones(2))
    });
    assert_eq!(
        m.call(Key::from_seed(0)).unwrap().statuses().unwrap(),
        [Status::NotFinite]
    );
}
