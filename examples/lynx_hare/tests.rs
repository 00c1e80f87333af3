//! Tests of the fit, from few starting points.

use super::*;

/// The optimum with the Runge-Kutta method at this step size.
const RSS: f64 = 2.018661195528;
const BEST: [f64; N] = [
    0.54015899981,
    0.027165357609,
    0.79638604462,
    0.023694638345,
    34.602424332,
    5.8445061866,
];
const ERRORS: [f64; N] = [0.1101, 0.1415, 0.1053, 0.1387, 0.0847, 0.0820];

fn fits(starts: Vec<[f64; N]>) -> Fit<Array> {
    let pelts = Pelts::read();
    let fits = jit(vmap(move |start| fit(start, |q| pelts.residuals(q))));
    fits.call(starts).unwrap()
}

#[test]
fn the_optimum_is_found_from_nearby() {
    let near = BEST.map(|p| (1.1 * p).ln());
    let found = fits(vec![near]);
    let rss = found.rss.to_vec::<f64>().unwrap()[0];
    assert!((rss - RSS).abs() < 1e-11, "{rss}");
    for (q, p) in found.q.to_vec::<f64>().unwrap().iter().zip(BEST) {
        assert!((q.exp() / p - 1.0).abs() < 1e-8, "{} and {p}", q.exp());
    }
    for (got, e) in found.errors.to_vec::<f64>().unwrap().iter().zip(ERRORS) {
        assert!((got - e).abs() < 6e-5, "{got} and {e}");
    }
}

#[test]
fn starts_fill_the_box_and_some_reach_the_optimum() {
    let found = fits(starts(16));
    let rss = found.rss.to_vec::<f64>().unwrap();
    let best = groups(&rss).into_iter().next().unwrap();
    assert!((best.rss - RSS).abs() < 1e-10 && best.size >= 4, "{rss:?}");
}
