//! Weights and logits of any size, and such as leave nothing to choose.

use super::*;

const MAX: f64 = f64::MAX;
const INF: f64 = f64::INFINITY;

/// Weights, and the share of each; none if there is no draw.
const WEIGHTS: &[(&[f64], Option<&[f64]>)] = &[
    (&[1.0, 2.0, 1.0], Some(&[0.25, 0.5, 0.25])),
    (&[0.0, 1.0, 0.0], Some(&[0.0, 1.0, 0.0])),
    (&[INF, 1.0, 1.0], Some(&[1.0, 0.0, 0.0])),
    (&[1.0, INF, 0.0, INF], Some(&[0.0, 0.5, 0.0, 0.5])),
    (&[1e308; 6], Some(&[1.0 / 6.0; 6])),
    (&[MAX, 0.0, MAX / 2.0], Some(&[2.0 / 3.0, 0.0, 1.0 / 3.0])),
    (&[5e-324; 4], Some(&[0.25; 4])),
    (&[1e-310, 3e-310], Some(&[0.25, 0.75])),
    (&[1e-300, 1e300], Some(&[0.0, 1.0])),
    (&[INF, MAX, 1e-300], Some(&[1.0, 0.0, 0.0])),
    (&[0.0, 0.0], None),
    (&[1.0, -1.0, 3.0], None),
    (&[1.0, -1e-300], None),
    (&[1.0, f64::NAN], None),
    (&[INF, f64::NAN], None),
    (&[INF, -1.0], None),
    (&[-INF, 1.0], None),
];

const N: usize = 8_000;

/// How often each of the numbers comes; none if no draw has one.
fn shares(drawn: &[i64], n: usize) -> Option<Vec<f64>> {
    if drawn.iter().all(|x| *x == i64::MIN) {
        return None;
    }
    let mut seen = vec![0.0; n];
    for x in drawn {
        seen[usize::try_from(*x).expect("one of them")] += 1.0;
    }
    Some(
        seen.into_iter()
            .map(|n: f64| n / drawn.len() as f64)
            .collect(),
    )
}

#[track_caller]
fn near(name: &str, weights: &[f64], drawn: &[i64], want: Option<&[f64]>) {
    let found = shares(drawn, weights.len());
    let fine = match (&found, want) {
        (None, None) => true,
        (Some(found), Some(want)) => found
            .iter()
            .zip(want)
            .all(|(x, p)| (x - p).abs() <= 5.0 * (p * (1.0 - p) / drawn.len() as f64).sqrt()),
        _ => false,
    };
    assert!(fine, "{name} by {weights:?}: {found:?}, and {want:?}");
}

/// The weights as both floats, where both hold them.
fn given(weights: &[f64]) -> Vec<Array> {
    let narrow: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
    let held = narrow
        .iter()
        .zip(weights)
        .all(|(x, w)| f64::from(*x) == *w || w.is_nan());
    let mut all = vec![Array::from(weights.to_vec())];
    if held {
        all.push(narrow.into());
    }
    all
}

#[test]
fn choices_by_any_weights() {
    let f = jit(|(w, k): (Var, Key)| {
        let [a, b, c] = k.split_n();
        let x = arange(w.shape()[0]);
        let first = |k: Key| k.sample_weighted(x, w, 1).at(0);
        (
            a.choice_weighted(x, w, [N]),
            vmap(first)(b.split_into(N)),
            c.categorical(w.to(DType::F64).ln(), [N]),
        )
    });
    for (i, (weights, want)) in WEIGHTS.iter().enumerate() {
        for w in given(weights) {
            let args = (w, Key::from_seed(i as u64));
            let drawn = f.call(args.clone()).unwrap();
            if i % 4 == 0 {
                assert_eq!(f.interpret(args).unwrap(), drawn, "{weights:?}");
            }
            for (name, drawn) in [
                ("choice", drawn.0),
                ("sample", drawn.1),
                ("category", drawn.2),
            ] {
                near(name, weights, &drawn.to_vec::<i64>().unwrap(), *want);
            }
        }
    }
}

/// The largest of `f32` do not overflow either, and logits may be infinite themselves.
#[test]
fn narrow_weights_and_logits() {
    let f = jit(|(w, k): (Var, Key)| k.choice_weighted(arange(3), w, [N]));
    for w in [[f32::MAX; 3], [1e-45; 3], [f32::INFINITY; 3]] {
        let drawn = f
            .call((w, Key::from_seed(1)))
            .unwrap()
            .to_vec::<i64>()
            .unwrap();
        near("narrow", &w.map(f64::from), &drawn, Some(&[1.0 / 3.0; 3]));
    }
    let f = jit(|(l, k): (Var, Key)| k.categorical(l, [N]));
    let thirds: Option<&[f64]> = Some(&[0.5, 0.0, 0.5]);
    for (logits, want) in [
        ([MAX, 0.0, MAX], thirds),
        ([INF, MAX, INF], thirds),
        ([-1e300, -INF, -1e300], thirds),
        ([-INF; 3], None),
        ([f64::NAN, 1.0, INF], None),
    ] {
        let drawn = f
            .call((logits, Key::from_seed(2)))
            .unwrap()
            .to_vec::<i64>()
            .unwrap();
        near("category", &logits, &drawn, want);
    }
    // Row by row, of which one has no category.
    let f = jit(|(l, k): (Var, Key)| k.categorical(l, [3]));
    let rows = [[0.0, -INF], [f64::NAN, 0.0], [-INF, 0.0]];
    let drawn = f.call((rows, Key::from_seed(3))).unwrap();
    assert_eq!(drawn.to_vec::<i64>().unwrap(), [0, i64::MIN, 1]);
}

/// Rows without weight are never drawn, and what has run out is said for each row of the result.
#[test]
fn samples_run_out() {
    let f = jit(|(x, w, k): (Var, Var, Key)| k.sample_weighted(x, w, 3));
    let x = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]];
    let drawn = f
        .call((x, [0.0, 2.0, 0.0, INF], Key::from_seed(1)))
        .unwrap()
        .to_vec::<f64>()
        .unwrap();
    assert_eq!(drawn[..4], [7.0, 8.0, 3.0, 4.0]);
    assert!(drawn[4..].iter().all(|x| x.is_nan()));
}

/// What stands for no draw, by element type.
#[test]
fn no_draw_of_each_type() {
    fn none(x: impl Into<Array>) -> Array {
        let f = jit(|(x, k): (Var, Key)| k.choice_weighted(x, zeros([2]), ()));
        f.call((x.into(), Key::from_seed(0))).unwrap()
    }
    assert!(none([1.0, 2.0]).item::<f64>().unwrap().is_nan());
    assert!(none([1f32, 2.0]).item::<f32>().unwrap().is_nan());
    assert_eq!(none([1i64, 2]).item::<i64>().unwrap(), i64::MIN);
    assert_eq!(none([1i32, 2]).item::<i32>().unwrap(), i32::MIN);
    assert_eq!(none([1u8, 2]).item::<u8>().unwrap(), u8::MAX);
    assert_eq!(none([1u32, 2]).item::<u32>().unwrap(), u32::MAX);
    assert_eq!(none([1u64, 2]).item::<u64>().unwrap(), u64::MAX);
    assert!(!none([true, true]).item::<bool>().unwrap());
}
