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

fn values(tree: &Model<Array>) -> Vec<f64> {
    let leaves = tree::leaves(tree);
    leaves
        .iter()
        .map(|a| a.to_vec::<f64>().unwrap()[0])
        .collect()
}

#[test]
fn the_optimum_is_found_from_nearby() {
    let [alpha, beta, gamma, delta, hares, lynx] = BEST.map(|p| Array::from([(1.1 * p).ln()]));
    let near = Model {
        alpha,
        beta,
        gamma,
        delta,
        hares,
        lynx,
    };
    let found = fits(Pelts::read()).call(near).unwrap().ok().unwrap();
    let rss = found.rss.to_vec::<f64>().unwrap()[0];
    assert!((rss - RSS).abs() < 1e-11, "{rss}");
    for (q, p) in values(&found.params).iter().zip(BEST) {
        assert!((q.exp() / p - 1.0).abs() < 1e-8, "{} and {p}", q.exp());
    }
    for (got, e) in values(&found.errors).iter().zip(ERRORS) {
        assert!((got - e).abs() < 6e-5, "{got} and {e}");
    }
}

#[test]
fn starts_fill_the_box_and_some_reach_the_optimum() {
    let found = fits(Pelts::read()).call(starts(16)).unwrap();
    let minima = found.minima(1e-3).unwrap();
    let best = &minima[0];
    assert!(
        (best.cost - RSS).abs() < 1e-10 && best.starts.len() >= 4,
        "{minima:?}"
    );
}
