//! The conditions of order of all methods, which are polynomial equations in their numbers, one for each rooted tree (Butcher,
//! Numerical Methods for Ordinary Differential Equations, 3.1; Hairer, Nørsett, Wanner, Solving ODEs I, II.2).

use super::tableau::{Tableau, Tabled};
use super::{
    BogackiShampine, DormandPrince5, DormandPrince8, Euler, Heun, Kutta38, Midpoint, Ralston, Rk4,
    Tsit5, Vern7,
};

/// A rooted tree: its branches, in ascending order of their number in the list of all trees.
struct Rooted {
    branches: Vec<usize>,
    size: u32,
}

/// All rooted trees with at most so many nodes, the smaller ones first.
fn trees(most: u32) -> Vec<Rooted> {
    /// Adds branches that are not before `from`, until there are `left` nodes no more.
    fn grow(
        all: &[Rooted],
        from: usize,
        left: u32,
        branches: &mut Vec<usize>,
        out: &mut Vec<Vec<usize>>,
    ) {
        if left == 0 {
            out.push(branches.clone());
        }
        for i in from..all.len() {
            if all[i].size <= left {
                branches.push(i);
                grow(all, i, left - all[i].size, branches, out);
                branches.pop();
            }
        }
    }
    let mut all: Vec<Rooted> = vec![];
    for size in 1..=most {
        let mut out = vec![];
        grow(&all, 0, size - 1, &mut vec![], &mut out);
        all.extend(out.into_iter().map(|branches| Rooted { branches, size }));
    }
    all
}

/// The weights of all stages for each tree, with the rate at the end and the extra stages, and the density of the tree.
fn weights(tableau: &Tableau, trees: &[Rooted]) -> Vec<(Vec<f64>, f64)> {
    let mut a: Vec<Vec<f64>> = tableau.a.iter().map(|a| a.to_vec()).collect();
    if !tableau.ends_in_stage() {
        a.push(tableau.b.to_vec());
    }
    a.extend(tableau.extra.iter().map(|(_, a)| a.to_vec()));
    let mut all: Vec<(Vec<f64>, f64)> = vec![];
    for tree in trees {
        let stage = |row: &Vec<f64>| {
            let sum = |b: &usize| row.iter().zip(&all[*b].0).map(|(a, w)| a * w).sum::<f64>();
            tree.branches.iter().map(sum).product()
        };
        let stages = a.iter().map(stage).collect();
        let below: f64 = tree.branches.iter().map(|b| all[*b].1).product();
        all.push((stages, below * f64::from(tree.size)));
    }
    all
}

/// The largest defect of `Σ b w = x^size / density` over the trees of each size.
fn defects(b: &[f64], x: f64, trees: &[Rooted], weights: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let mut out = vec![0f64; trees.last().map_or(0, |t| t.size as usize)];
    for (tree, (stages, density)) in trees.iter().zip(weights) {
        let sum: f64 = b.iter().zip(stages).map(|(b, w)| b * w).sum();
        let defect = (sum - x.powi(tree.size as i32) / density).abs();
        let place = &mut out[tree.size as usize - 1];
        *place = place.max(defect);
    }
    out
}

/// Whether the defects vanish up to an order, and not beyond.
fn has_order(defects: &[f64], order: u32, name: &str) {
    let (zero, rest) = defects.split_at(order as usize);
    assert!(zero.iter().all(|d| *d < 2e-13), "{name}: {defects:?}");
    assert!(rest[0] > 1e-8, "{name}: {defects:?}");
}

/// Checks a method, and the order of its solution within steps.
fn check<M: Tabled>(_: M, dense: u32) {
    let tableau = M::TABLEAU;
    let name = tableau.name;
    let trees = trees(tableau.order + 1);
    let weights = weights(tableau, &trees);
    // The rows sum to the times of the stages.
    let times: Vec<f64> = tableau.a.iter().map(|a| a.iter().sum()).collect();
    for (c, sum) in tableau.c.iter().zip(times) {
        assert!((c - sum).abs() < 1e-13, "{name}: {c} {sum}");
    }
    for (c, a) in tableau.extra {
        assert!((c - a.iter().sum::<f64>()).abs() < 1e-13, "{name}: {c}");
    }
    has_order(
        &defects(tableau.b, 1.0, &trees, &weights),
        tableau.order,
        name,
    );
    // The other solution is the solution without the estimate of the error.
    let other = |error: &[f64]| -> Vec<f64> {
        let n = error.len().max(tableau.b.len());
        let at = |w: &[f64], i: usize| w.get(i).copied().unwrap_or(0.0);
        (0..n).map(|i| at(tableau.b, i) - at(error, i)).collect()
    };
    // The two estimates of the method of order 8 are of order 5 and 3; together they fall as one of order 7 does.
    let estimates = match tableau.damping {
        [] => vec![(tableau.error, tableau.error_order)],
        damping => vec![(tableau.error, 5), (damping, 3)],
    };
    for (error, order) in estimates {
        if !error.is_empty() {
            has_order(&defects(&other(error), 1.0, &trees, &weights), order, name);
        }
    }
    if !tableau.dense.is_empty() {
        for x in [0.2, 0.45, 0.7, 1.0] {
            let mut b = vec![0.0; weights[0].0.len()];
            for (j, row) in tableau.dense.iter().enumerate() {
                for (b, w) in b.iter_mut().zip(*row) {
                    *b += w * f64::powi(x, j as i32 + 1);
                }
            }
            let defects = defects(&b, x, &trees, &weights);
            match x {
                1.0 => has_order(&defects, tableau.order, name),
                _ => has_order(&defects, dense, name),
            }
        }
    }
}

#[test]
fn there_are_as_many_trees_as_known() {
    let all = trees(8);
    let of = |size| all.iter().filter(|t| t.size == size).count();
    assert_eq!(
        (1..=8).map(of).collect::<Vec<_>>(),
        [1, 1, 2, 4, 9, 20, 48, 115]
    );
}

#[test]
fn all_methods_meet_the_conditions_of_their_order() {
    check(Euler, 1);
    check(Midpoint, 2);
    check(Heun, 2);
    check(Ralston, 2);
    check(BogackiShampine, 3);
    check(Rk4, 3);
    check(Kutta38, 3);
    check(DormandPrince5, 4);
    check(Tsit5, 4);
    check(Vern7, 6);
    check(DormandPrince8, 7);
}
