//! The fits against figures of R 4 (`nls` and `confint` of the data set `Puromycin`).

use super::*;

fn close(x: &Array, want: f64, tolerance: f64) {
    let x = x.item::<f64>().unwrap();
    assert!((x / want - 1.0).abs() < tolerance, "{x} and {want}");
}

#[test]
fn the_treated_cells() {
    let found = alone().unwrap();
    let fit = found.fit.ok().unwrap();
    close(&fit.params.top, 212.7, 1e-3);
    close(&fit.params.half, 0.06412, 1e-4);
    close(&fit.errors.top, 6.947, 1e-3);
    close(&fit.errors.half, 0.008281, 1e-3);
    close(&found.low.top, 197.302, 1e-3);
    close(&found.high.top, 229.290, 1e-3);
    close(&found.low.half, 0.046925, 1e-3);
    close(&found.high.half, 0.086160, 1e-3);
}

#[test]
fn laws_of_their_own_fit_better() {
    let (shared, curves) = together(vec![0.0, 0.5]).unwrap();
    let (shared, own) = (shared.ok().unwrap(), apart().unwrap().ok().unwrap());
    let rss = |x: &Array| x.item::<f64>().unwrap();
    assert!(rss(&own.rss) < rss(&shared.rss));
    close(&own.params[0].half, 0.06412, 1e-4);
    assert_eq!(curves.value[0].get::<f64>([0]).unwrap(), 0.0);
    let half = shared.params.half.item::<f64>().unwrap();
    let top = shared.params.treated.item::<f64>().unwrap();
    let rate = curves.value[0].get::<f64>([1]).unwrap();
    assert!((rate - top * 0.5 / (half + 0.5)).abs() < 1e-9);
}
