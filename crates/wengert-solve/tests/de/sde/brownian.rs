//! The Brownian tree: one path for any order of questions, with the distribution of Brownian motion.

use wengert::prelude::*;
use wengert_solve::de::sde::{Brownian, Increment};

use super::{numbers, product};

#[test]
fn increments_add_up_and_areas_join() {
    let f = jit(|(key, s, t, u): (Key, Var, Var, Var)| {
        let path = Brownian::new(key, 0.5, 2.5, 2);
        let (a, b, all) = (path.between(s, t), path.between(t, u), path.between(s, u));
        // The mean distance from the chord, for parts of any lengths.
        let (x, y) = ((t - s) / (u - s), (u - t) / (u - s));
        let h = 0.5 * (y * a.w - x * b.w) + x * a.h + y * b.h;
        (
            (a.w + b.w - all.w).abs().amax(),
            (h - all.h).abs().amax(),
            path.at(0.5),
        )
    });
    for (s, t, u) in [
        (0.5, 1.0, 2.5),
        (0.7, 0.71, 2.3),
        (1.0, 1.0, 1.4),
        (2.0, 2.4999, 2.5),
    ] {
        let (w, h, start) = f.call((Key::from_seed(9), s, t, u)).unwrap();
        assert!(w.item::<f64>().unwrap() < 1e-13, "{s} {t} {u}");
        assert!(h.item::<f64>().unwrap() < 1e-9, "{s} {t} {u}");
        assert_eq!(numbers(&start), [0.0, 0.0]);
    }
}

#[test]
fn increments_and_areas_have_their_distribution() {
    const N: usize = 20_000;
    // Times on the tree and between its nodes.
    let times = [0.1, 0.3, 0.55, 0.55 + 3e-3, 1.7];
    let f = jit(move |key: Key| {
        let path = |key: Key| {
            let path = Brownian::new(key, 0.0, 2.0, ()).tolerance(1e-3);
            let parts: Vec<Increment> =
                times.windows(2).map(|t| path.between(t[0], t[1])).collect();
            let w: Vec<Var> = parts.iter().map(|p| p.w).collect();
            let h: Vec<Var> = parts.iter().map(|p| p.h).collect();
            stack([w, h].concat())
        };
        vmap(path)(key.split_into(N)).t()
    });
    let all = numbers(&f.call(Key::from_seed(4)).unwrap());
    let rows: Vec<&[f64]> = all.chunks(N).collect();
    let lengths: Vec<f64> = times.windows(2).map(|t| t[1] - t[0]).collect();
    let variances: Vec<f64> = (lengths.iter().copied())
        .chain(lengths.iter().map(|d| d / 12.0))
        .collect();
    for i in 0..rows.len() {
        let mean = rows[i].iter().sum::<f64>() / N as f64;
        assert!(
            mean.abs() < 4.0 * (variances[i] / N as f64).sqrt(),
            "mean of {i}: {mean}"
        );
        for j in 0..=i {
            let size = (variances[i] * variances[j]).sqrt();
            let found = product(rows[i], rows[j]) / size;
            let expected = f64::from(u8::from(i == j));
            let error = (if i == j { 2f64 } else { 1.0 } / N as f64).sqrt();
            assert!((found - expected).abs() < 4.5 * error, "{i} {j}: {found}");
        }
    }
}

/// The area of the tree is the integral of its own path.
#[test]
fn the_area_is_that_of_the_path() {
    let f = jit(|key: Key| {
        let path = Brownian::new(key, 0.0, 1.0, ());
        let part = path.between(0.2, 0.6);
        let t = linspace(0.2, 0.6, 4001);
        let w = wengert::map(t, |t| path.at(t)) - path.at(0.2);
        let mean = (w.sum() - 0.5 * (w.at(0) + w.at(-1))) / 4000.0;
        (part.h, mean - 0.5 * part.w)
    });
    for seed in 0..3 {
        let (h, by_sum) = f.call(Key::from_seed(seed)).unwrap();
        let (h, by_sum) = (h.item::<f64>().unwrap(), by_sum.item::<f64>().unwrap());
        assert!((h - by_sum).abs() < 2e-4, "{h} {by_sum}");
    }
}

#[test]
fn drawn_rows_have_the_moments_of_a_path_at_any_step() {
    let f = jit(|key: Key| {
        let rows = Increment::draw(key, 40_000, 0.5, ());
        let coarse = rows.halved();
        let moments =
            |r: Increment| stack([r.w.square().mean(), r.h.square().mean(), (r.w * r.h).mean()]);
        (moments(rows), moments(coarse))
    });
    let (fine, coarse) = f.call(Key::from_seed(8)).unwrap();
    for (found, length) in [(numbers(&fine), 0.5), (numbers(&coarse), 1.0)] {
        assert!((found[0] / length - 1.0).abs() < 0.05, "{found:?}");
        assert!((12.0 * found[1] / length - 1.0).abs() < 0.05, "{found:?}");
        assert!(found[2].abs() < 0.01 * length, "{found:?}");
    }
}

#[test]
fn times_outside_are_nan_and_the_order_does_not_matter() {
    let f = jit(|(key, t): (Key, Var)| {
        let path = Brownian::new(key, 0.0, 1.0, ());
        wengert::map(t, |t| path.at(t))
    });
    let key = Key::from_seed(0);
    let one = numbers(&f.call((key.clone(), [0.3, 0.9, -0.1, 1.1])).unwrap());
    assert!(one[2].is_nan() && one[3].is_nan());
    let two = numbers(&f.call((key, [0.9, 0.5, 0.3, 0.3])).unwrap());
    assert_eq!((one[0], one[1]), (two[2], two[0]));
    assert_eq!(two[2], two[3]);
}

#[test]
fn paths_of_f32() {
    let f = jit(|(key, t): (Key, Var)| {
        let path = Brownian::new(key, zeros_like(t), 2.0 * t, 3);
        path.at(t)
    });
    let w = f.call((Key::from_seed(0), 0.5f32)).unwrap();
    assert_eq!(w.dtype(), DType::F32);
    assert!(w.to_vec::<f32>().unwrap().iter().all(|w| w.is_finite()));
}
