//! Tests of the fit.

use super::*;

fn numbers(p: &Epidemic<Array>) -> Vec<f64> {
    let leaves = tree::leaves(p);
    leaves.iter().map(|x| x.item::<f64>().unwrap()).collect()
}

#[test]
fn the_unknowns_are_found_within_their_errors() {
    let (found, _, _) = fit().call(observed().unwrap()).unwrap();
    let found = found.ok().unwrap();
    let truth = [TRUTH.before, TRUTH.after, TRUTH.lockdown, TRUTH.exposed];
    let errors = numbers(&found.errors);
    for ((x, e), truth) in numbers(&found.params).iter().zip(errors).zip(truth) {
        assert!((x - truth).abs() < 3.0 * e, "{x} ± {e} and {truth}");
        assert!(e < 0.1 * truth, "{x} ± {e}");
    }
    // The noise is what was added.
    let noise = (found.rss.item::<f64>().unwrap() / (DAYS - 4) as f64).sqrt();
    assert!((noise / NOISE - 1.0).abs() < 0.2, "{noise}");
}

#[test]
fn the_day_of_the_lockdown_has_a_derivative() {
    let slope = jit(value_and_grad(|p: Epidemic| p.total()));
    let total = |day: f64| {
        let p = Epidemic {
            lockdown: day,
            ..TRUTH
        };
        slope.call(p).unwrap()
    };
    let (_, slopes) = total(42.0);
    let [above, below] = [42.01, 41.99].map(|day| total(day).0.item::<f64>().unwrap());
    let by_differences = (above - below) / 0.02;
    let slope = slopes.lockdown.item::<f64>().unwrap();
    assert!(
        (slope / by_differences - 1.0).abs() < 1e-4,
        "{slope} and {by_differences}"
    );
}
