//! Which points there are.

use std::collections::BTreeMap;

use wengert::prelude::*;
use wengert_sweep::{Design, Sweep};

fn column(a: &Array) -> Vec<f64> {
    a.to_vec().unwrap()
}

#[test]
fn a_grid_is_the_product_of_its_axes() {
    let axes = (vec![1.0, 2.0, 3.0], (5.0, vec![[0.0, 1.0], [2.0, 3.0]]));
    let design = Design::grid(axes).unwrap();
    assert_eq!(design.points(), 6);
    let f = |(a, (b, c)): (Var, (Var, Var))| a * b + c.sum();
    let found = Sweep::new(design, f).collect().unwrap();
    let (a, (b, c)) = &found.params;
    assert_eq!(column(a), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    assert_eq!(column(b), [5.0; 6]);
    assert_eq!(c.shape(), [6, 2]);
    assert_eq!(column(&found.results), [6.0, 10.0, 11.0, 15.0, 16.0, 20.0]);
}

#[test]
fn every_point_of_a_large_grid_is_the_right_one() {
    // Lengths whose products do not divide one another, and steps near integers.
    let axis = |n: usize| (0..n as i64).collect::<Vec<i64>>();
    let design: Design<[Var; 3]> = Design::grid([axis(7), axis(11), axis(1301)]).unwrap();
    let found = Sweep::new(design, |[a, b, c]: [Var; 3]| (a * 11 + b) * 1301 + c)
        .collect()
        .unwrap();
    assert_eq!(
        found.results.to_vec::<i64>().unwrap(),
        (0..7 * 11 * 1301).collect::<Vec<i64>>()
    );
}

#[test]
fn a_map_has_named_axes() {
    let axes = BTreeMap::from([
        ("rate".to_string(), vec![1.0, 2.0]),
        ("size".to_string(), vec![3.0]),
    ]);
    let f = |m: BTreeMap<String, Var>| m["rate"] * m["size"];
    let found = Sweep::new(Design::grid(axes).unwrap(), f)
        .collect()
        .unwrap();
    assert_eq!(column(&found.results), [3.0, 6.0]);
}

#[test]
fn designs_that_cannot_be_are_refused() {
    let wrong = |d: Result<Design<[Var; 2]>, wengert_sweep::Error>| d.unwrap_err().to_string();
    let message = wrong(Design::list([vec![1.0, 2.0], vec![3.0]]));
    assert_eq!(message, "Design::list: 2 values for `[0]` and 1 for `[1]`");
    assert!(wrong(Design::list([1.0, 2.0])).contains("no leaf has an axis of points"));
    assert!(wrong(Design::each(Vec::<[f64; 2]>::new())).contains("no points"));
    let many: Design<Var> = Design::from_fn(i64::MAX as u64, |i| i);
    assert!(many.clone().repeat(2).is_err());
    assert!(many.clone().product(many).is_err());
    let rows: Result<Design<Var>, _> = Design::each([vec![1.0], vec![1.0, 2.0]]);
    let message = rows.unwrap_err().to_string();
    assert_eq!(message, "Design::each: point 1: `` is f64[2], not f64[1]");
}

#[test]
fn no_points_and_one_are_designs_too() {
    let none = Sweep::new(Design::grid(Vec::<f64>::new()).unwrap(), |x: Var| {
        (x, x.gt(0.0))
    })
    .collect()
    .unwrap();
    assert_eq!(
        (none.results.0.shape(), none.results.1.dtype()),
        (&[0][..], DType::Bool)
    );
    assert_eq!(
        none.summary
            .to_string()
            .lines()
            .next()
            .unwrap()
            .split(';')
            .next(),
        Some("finished: 0 of 0 points")
    );
    let one = Sweep::new(Design::grid(2.0).unwrap(), |x: Var| x + 1.0)
        .collect()
        .unwrap();
    assert_eq!(column(&one.results), [3.0]);
    let bare = Sweep::new(Design::from_fn(3, |_| ()), |()| wengert::Var::from(1.5))
        .collect()
        .unwrap();
    assert_eq!(column(&bare.results), [1.5; 3]);
}

#[test]
fn parameters_and_results_have_any_type() {
    let design = Design::list((vec![1f32, 2.0], (vec![true, false], vec![7u8, 9]))).unwrap();
    let f = |(x, (b, n)): (Var, (Var, Var))| (x * 2.0, [!b, b], n, x.to(DType::I32));
    let found = Sweep::new(design, f).collect().unwrap();
    let (x, [b, _], n, i) = &found.results;
    assert_eq!(x.to_vec::<f32>().unwrap(), [2.0, 4.0]);
    assert_eq!(b.to_vec::<bool>().unwrap(), [false, true]);
    assert_eq!(n.to_vec::<u8>().unwrap(), [7, 9]);
    assert_eq!(i.to_vec::<i32>().unwrap(), [1, 2]);
}

#[test]
fn products_and_repetitions_are_in_order() {
    let pairs: Design<(Var, Var)> = Design::list((vec![1.0, 2.0], vec![10.0, 20.0])).unwrap();
    let design = pairs
        .product(Design::grid(vec![0.1, 0.2, 0.3]).unwrap())
        .unwrap()
        .repeat(2)
        .unwrap();
    let f = |((a, b), c): ((Var, Var), Var)| a + b + c;
    let found = Sweep::new(design, f).collect().unwrap();
    let expected: Vec<f64> = [11.0, 22.0]
        .into_iter()
        .flat_map(|ab| [0.1, 0.2, 0.3].map(|c| ab + c))
        .flat_map(|x| [x, x])
        .collect();
    assert_eq!(column(&found.results), expected);
}

#[cfg(feature = "solve")]
#[test]
fn points_of_sobol_are_those_of_the_whole_sequence() {
    use wengert_solve::quad::{Scramble, sobol};
    let found = Sweep::new(
        Design::sobol(1000, 3, None, |u: Var| u).unwrap(),
        |u: Var| u.sum(),
    );
    let found = found.chunk(96).collect().unwrap();
    let whole = jit(|()| sobol(1000, 3, Scramble::None)).call(()).unwrap();
    assert_eq!(found.params, whole);
    let found = Sweep::new(
        Design::sobol(256, 2, Some(Key::from_seed(9)), |u: Var| u).unwrap(),
        |u: Var| u.sum(),
    );
    let whole = jit(|key: Key| sobol(256, 2, Scramble::Owen(key)))
        .call(Key::from_seed(9))
        .unwrap();
    assert_eq!(found.collect().unwrap().params, whole);
}
