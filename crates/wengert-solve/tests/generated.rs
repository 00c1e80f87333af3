//! Generated problems: random functions, smooth or not, flat, unbounded, with walls of NaN. No solver panics or hangs, and
//! what each says of its end is true.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::minimize::{
    Bfgs, Bounded, ConjugateGradients, Lbfgs, Minimum, NelderMead, Newton,
};
use wengert_solve::root::{Method, Root, Search};

/// A generator of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn number(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// An expression of the unknowns.
#[derive(Clone, Debug)]
enum Tree {
    Unknown(usize),
    Number(f64),
    One(u64, Box<Tree>),
    Two(u64, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn random(r: &mut Random, n: usize, depth: u32) -> Tree {
        let any = |r: &mut Random| Box::new(Tree::random(r, n, depth - 1));
        match (depth, r.below(10)) {
            (0, k) if k < 7 => Tree::Unknown(r.below(n as u64) as usize),
            (0, _) => Tree::Number((r.number() * 40.0).round() / 10.0),
            (_, k) if k < 5 => Tree::One(r.below(11), any(r)),
            _ => Tree::Two(r.below(5), any(r), any(r)),
        }
    }

    fn value(&self, x: Var) -> Var {
        match self {
            Tree::Unknown(i) => x.at(*i),
            Tree::Number(c) => x.at(0) * 0.0 + *c,
            Tree::One(op, a) => {
                let a = a.value(x);
                match op {
                    0 => a.sin(),
                    1 => a.cos(),
                    2 => a.exp(),
                    3 => a.square(),
                    4 => a.tanh(),
                    5 => a.abs(),
                    6 => a.ln(),
                    7 => a.sqrt(),
                    8 => a.gt(0.3).select(a, a + 1.0),
                    9 => a.floor(),
                    _ => a * a * 0.1 + a,
                }
            }
            Tree::Two(op, a, b) => {
                let (a, b) = (a.value(x), b.value(x));
                match op {
                    0 => a + b,
                    1 => a - b,
                    2 => a * b,
                    3 => a / b,
                    _ => a.maximum(b),
                }
            }
        }
    }
}

/// Four starts for each problem.
fn starts(r: &mut Random, n: usize) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = vec![];
    for far in [1.0, 1.0, 10.0, 1e3] {
        rows.push((0..n).map(|_| far * r.number()).collect());
    }
    rows
}

fn rows(a: &Array) -> Vec<f64> {
    a.to_vec::<f64>().unwrap()
}

#[test]
fn minima() {
    let mut r = Random(7);
    let mut seen = std::collections::BTreeMap::new();
    for case in 0..30 {
        let n = 1 + r.below(3) as usize;
        let tree = Tree::random(&mut r, n, 3);
        // Half of them have a bowl below.
        let bowl = if case % 2 == 0 { 0.05 } else { 0.0 };
        let f = {
            let tree = tree.clone();
            move |x: Var| tree.value(x) + bowl * x.square().sum()
        };
        let (g, method) = (f.clone(), case % 6);
        let solve = move |x: Var| -> Minimum<Var> {
            let limit = 200;
            match method {
                0 => Bfgs::new().max_steps(limit).minimize(&g, x),
                1 => Lbfgs::new().max_steps(limit).minimize(&g, x),
                2 => ConjugateGradients::new().max_steps(limit).minimize(&g, x),
                3 => Newton::new().max_steps(limit).minimize(&g, x),
                4 => Bounded::new()
                    .max_steps(limit)
                    .minimize(&g, x, full(n, -2e3), full(n, 2e3)),
                _ => NelderMead::new().max_steps(600).minimize(&g, x),
            }
        };
        let start = Array::from(starts(&mut r, n));
        let m = jit(vmap(solve)).call(&start).unwrap();
        let look = jit(vmap(value_and_grad(f)));
        let (before, slope) = look.call(&start).unwrap();
        let (after, after_slope) = look.call(&m.x).unwrap();
        let x = rows(&m.x);
        for (i, status) in m.statuses().unwrap().into_iter().enumerate() {
            let what = format!("case {case}, element {i}: {status:?} of {tree:?}, {m:?}");
            *seen.entry(format!("{status:?}")).or_insert(0) += 1;
            let here = |a: &Array| rows(a)[i * n..(i + 1) * n].to_vec();
            let (old, new) = (rows(&before)[i], rows(&after)[i]);
            let finite =
                old.is_finite() && (method == 5 || here(&slope).iter().all(|g| g.is_finite()));
            assert_eq!(status == Status::StartNotFinite, !finite, "{what}");
            if finite {
                assert!(new <= old + 1e-12 * old.abs(), "{old} to {new}, {what}");
            }
            if status == Status::GradientConverged {
                let x = &x[i * n..(i + 1) * n];
                for (g, x) in here(&after_slope).iter().zip(x) {
                    let limit = 1.01e-8 * (new.abs() / x.abs().max(1.0)).max(1.0);
                    let held = method == 4 && x.abs() == 2e3;
                    assert!(g.abs() <= limit || held, "{g}, {what}");
                }
            }
        }
    }
    // All kinds of ends are among them.
    assert!(seen.len() >= 5, "{seen:?}");
    assert!(seen["GradientConverged"] >= 30, "{seen:?}");
}

#[test]
fn roots() {
    let mut r = Random(11);
    let mut seen = std::collections::BTreeMap::new();
    for case in 0..20 {
        let n = 1 + r.below(3) as usize;
        let trees: Vec<Tree> = (0..n).map(|_| Tree::random(&mut r, n, 3)).collect();
        let slant = if case % 2 == 0 { 1.0 } else { 0.0 };
        let f = {
            let trees = trees.clone();
            move |x: Var| stack(trees.iter().map(|t| t.value(x)).collect::<Vec<_>>()) + slant * x
        };
        let (g, method) = (f.clone(), case % 5);
        let solve = move |x: Var| -> Root<Var> {
            let methods = [
                Method::Hybrid,
                Method::LevenbergMarquardt,
                Method::Newton,
                Method::Krylov,
                Method::Broyden,
            ];
            Search::new(methods[method]).max_steps(100).root(&g, x)
        };
        let start = Array::from(starts(&mut r, n));
        let m = jit(vmap(solve)).call(&start).unwrap();
        let look = jit(vmap(f));
        let (before, after) = (look.call(&start).unwrap(), look.call(&m.x).unwrap());
        for (i, status) in m.statuses().unwrap().into_iter().enumerate() {
            let what = format!("case {case}, element {i}: {status:?} of {trees:?}, {m:?}");
            *seen.entry(format!("{status:?}")).or_insert(0) += 1;
            let size = |a: &Array| {
                let here = &rows(a)[i * n..(i + 1) * n];
                match here.iter().all(|v| v.is_finite()) {
                    true => here.iter().fold(0.0, |m: f64, v| m.max(v.abs())),
                    false => f64::INFINITY,
                }
            };
            let finite = size(&before).is_finite();
            assert_eq!(status == Status::StartNotFinite, !finite, "{what}");
            if status == Status::ResidualConverged {
                assert!(size(&after) <= 1.01e-12, "{what}");
            }
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
    assert!(seen["ResidualConverged"] >= 20, "{seen:?}");
}
