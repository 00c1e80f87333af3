//! Results depend on the number of a point and nothing else.

use wengert::prelude::*;
use wengert_sweep::{Collected, Design, Sweep};

use crate::common::{Model, grid, populations};

fn bits<P: Tree, Y: Tree>(found: &Collected<P, Y>) -> Vec<Vec<u64>>
where
    Y::With<Array>: Tree<Leaf = Array>,
{
    let leaves = tree::leaves(&found.results);
    leaves
        .iter()
        .map(|a| a.iter::<f64>().unwrap().map(f64::to_bits).collect())
        .collect()
}

fn pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(run)
}

#[test]
fn results_are_those_of_a_plain_vmap() {
    let found = Sweep::new(Design::grid(grid(37)).unwrap(), populations)
        .collect()
        .unwrap();
    assert_eq!(found.params.growth.shape(), [37 * 37]);
    let model = Model {
        growth: found.params.growth.clone(),
        hunger: found.params.hunger.clone(),
    };
    let plain = jit(vmap(populations)).call(&model).unwrap();
    assert_eq!(plain, found.results);
    let [growth, hunger] =
        [&found.params.growth, &found.params.hunger].map(|a| a.to_vec::<f64>().unwrap());
    assert_eq!(
        (growth[38], hunger[38]),
        (0.5 + 1.0 / 37.0, 1.0 + 1.0 / 37.0)
    );
}

#[test]
fn neither_chunks_nor_threads_change_a_bit() {
    let noisy = |(m, key): (Model, Key)| {
        let [x, y] = populations(m);
        let (a, b) = key.split();
        [x + a.normal(()), y * b.uniform(())]
    };
    let sweep = || {
        let keys = Key::from_seed(3);
        Sweep::new(Design::grid(grid(31)).unwrap().with_keys(keys), noisy)
    };
    let known = bits(&sweep().collect().unwrap());
    for chunk in [1, 7, 8, 64, 100, 500, 5000] {
        let found = sweep().chunk(chunk).collect().unwrap();
        assert!(bits(&found) == known, "chunks of {chunk}");
    }
    for threads in [1, 2, 5] {
        let found = pool(threads, || sweep().chunk(333).collect().unwrap());
        assert!(bits(&found) == known, "{threads} threads");
        let found = pool(threads, || sweep().collect().unwrap());
        assert!(bits(&found) == known, "{threads} threads");
    }
}

/// Wide elements run as whole batches, products by a library.
#[test]
fn chunks_change_no_bit_of_wide_elements() {
    let wide = |key: Key| {
        let (a, b) = key.split();
        let (a, b) = (a.normal([70, 70]), b.normal([70, 70]));
        [a.dot(b).sum(), a.sin().sum()]
    };
    let sweep = || Sweep::new(Design::random(40, Key::from_seed(0), |key| key), wide);
    let known = bits(&sweep().chunk(40).collect().unwrap());
    for chunk in [1, 3, 8, 16, 39] {
        let found = sweep().chunk(chunk).collect().unwrap();
        assert!(bits(&found) == known, "chunks of {chunk}");
    }
}

#[test]
fn a_plain_function_is_called_once_for_each_point() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let calls: &'static [AtomicUsize] = Box::leak((0..1000).map(|_| AtomicUsize::new(0)).collect());
    let f = move |i: Array| -> wengert::Result<[f64; 2]> {
        let i = i.item::<i64>()?;
        calls[i as usize].fetch_add(1, Ordering::Relaxed);
        Ok([(i as f64).sqrt(), (i as f64).ln_1p()])
    };
    let found = Sweep::plain(Design::from_fn(1000, |i| i), f)
        .collect()
        .unwrap();
    assert!(calls.iter().all(|n| n.load(Ordering::Relaxed) == 1));
    assert_eq!(found.results.shape(), [1000, 2]);
    assert_eq!(found.results.get::<f64>([9, 0]).unwrap(), 3.0);
}

#[test]
fn a_billion_points_take_no_memory_until_they_are_computed() {
    let design = Design::random(1_000_000_000, Key::from_seed(1), |key: Key| key.uniform(()));
    let sweep = |design: Design<Var>| Sweep::new(design, |x: Var| x * 2.0);
    let first: Vec<f64> = (sweep(design.clone()).iter().unwrap().take(5))
        .map(|row| row.unwrap().result.unwrap().item::<f64>().unwrap())
        .collect();
    let all = sweep(design)
        .chunk(64)
        .chunks()
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(all.results.to_vec::<f64>().unwrap()[..5], first);
}
