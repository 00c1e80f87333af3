//! Tests of the fit.

use super::*;

fn numbers(p: &Epidemic<Array>) -> Vec<f64> {
    let leaves = tree::leaves(p);
    leaves.iter().map(|x| x.item::<f64>().unwrap()).collect()
}

#[test]
fn the_unknowns_are_found_within_their_errors() {
    let all = fit().call(observed().unwrap()).unwrap();
    let found = all.fit.ok().unwrap();
    let truth = [TRUTH.before, TRUTH.after, TRUTH.threshold, TRUTH.exposed];
    let errors = numbers(&found.errors);
    for ((x, e), truth) in numbers(&found.params).iter().zip(errors).zip(truth) {
        assert!((x - truth).abs() < 3.0 * e, "{x} ± {e} and {truth}");
        assert!(e < 0.1 * truth, "{x} ± {e}");
    }
    let day = jit(|p: Epidemic| p.lockdown()).call(TRUTH).unwrap();
    let (found_day, error) = (&all.lockdown.value, &all.lockdown.error);
    let apart = (found_day.item::<f64>().unwrap() - day.item::<f64>().unwrap()).abs();
    assert!(apart < 3.0 * error.item::<f64>().unwrap(), "{apart}");
    // The noise is what was added.
    let noise = (found.rss.item::<f64>().unwrap() / (DAYS - 4) as f64).sqrt();
    assert!((noise / NOISE - 1.0).abs() < 0.2, "{noise}");
}

#[test]
fn derivatives_go_through_the_event() {
    let slope = jit(|p: Epidemic| {
        let day = value_and_grad(|p: Epidemic| p.lockdown())(p);
        let total = value_and_grad(|p: Epidemic| p.total())(p);
        [day, total]
    });
    let at = |threshold: f64| {
        let p = Epidemic { threshold, ..TRUTH };
        slope.call(p).unwrap()
    };
    let here = at(8000.0);
    let (above, below) = (at(8004.0), at(7996.0));
    for k in 0..2 {
        let value = |all: &[(Array, Epidemic<Array>); 2]| all[k].0.item::<f64>().unwrap();
        let by_differences = (value(&above) - value(&below)) / 8.0;
        let slope = here[k].1.threshold.item::<f64>().unwrap();
        assert!(
            (slope / by_differences - 1.0).abs() < 1e-4,
            "{slope} and {by_differences}"
        );
    }
}
