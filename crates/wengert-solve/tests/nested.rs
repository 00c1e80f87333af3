//! Solvers inside solvers, in batches and with derivatives.

use wengert::prelude::*;
use wengert_solve::fit::{curve_fit, least_squares};
use wengert_solve::minimize::{InInterval, minimize};
use wengert_solve::quad::integrate;
use wengert_solve::root;

fn close(got: &Array, want: &[f64], tolerance: f64) {
    let got = got.to_vec::<f64>().unwrap();
    assert_eq!(got.len(), want.len());
    for (a, b) in got.iter().zip(want) {
        assert!(
            (a - b).abs() <= tolerance * (1.0 + b.abs()),
            "{got:?} and {want:?}"
        );
    }
}

/// Kepler's equation `x - e sin x = m` is solved for each residual; what is fitted is `e`.
#[test]
fn a_root_in_a_residual() {
    const TIMES: [f64; 4] = [0.3, 1.0, 2.0, 4.0];
    let anomaly =
        |m: Var, e: Var| root::brent(move |x: Var| x - e * x.sin() - m, m - 1.0, m + 1.0).x;
    let simulate = move |e: Var| vmap(move |m: Var| anomaly(m, e))(Var::from(TIMES));
    let fit = move |y: Var| least_squares(move |e: Var| simulate(e) - y, 0.1).params;
    let round = jit(vmap(move |e: Var| {
        let (found, slope) = jvp(move |e: Var| fit(simulate(e)), e, 1.0.into());
        (found, slope)
    }));
    let e = [0.2, 0.5, 0.8];
    let (found, slope) = round.call(e).unwrap();
    close(&found, &e, 1e-9);
    close(&slope, &[1.0; 3], 1e-7);
    let back = jit(vmap(move |e: Var| grad(move |e: Var| fit(simulate(e)))(e)));
    close(&back.call(e).unwrap(), &[1.0; 3], 1e-7);
}

/// The weight of a ridge regression by validation: a fit inside a minimisation, differentiated by the data.
#[test]
fn a_fit_in_a_minimisation() {
    let x = [-1.0, -0.5, 0.2, 0.9, 1.4];
    let error = move |weight: Var, y: Var| {
        let x = Var::from(x);
        let fit = least_squares(move |a: Var| (a * x - y, weight.exp() * a), 1.0);
        // Held back: one pair that wants a smaller slope.
        (fit.params * 2.0 - 3.0).square()
    };
    let best = move |y: Var| {
        let of = move |w: Var| error(w, y);
        InInterval::new().xtol(1e-10).brent(of, -3.0, 3.0).x
    };
    // The slope is xy / (xx + w²), which is to be 3/2.
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    let xx: f64 = x.iter().map(|x| x * x).sum();
    let weight = (2.0 * xx / 1.5 - xx).sqrt().ln();
    let (found, slopes) = jit(value_and_grad(best)).call(y).unwrap();
    close(&found, &[weight], 1e-6);
    // d ln w / dy = x / 3 / (w²), of w² = xy/1.5 - xx.
    let want: Vec<f64> = x.iter().map(|x| x / 3.0 / (2.0 * weight).exp()).collect();
    close(&slopes, &want, 1e-5);
}

/// A rate from its integral: quadrature in a residual, forwards and backwards, and in the second derivative.
#[test]
fn an_integral_in_a_root() {
    let mean = |a: Var| integrate(move |x: Var| (-a * x).exp(), 0.0, 1.0).value;
    let rate = move |y: Var| root::brent(move |a: Var| mean(a) - y, 0.01, 20.0).x;
    let f = jit(vmap(move |a: Var| {
        let y = (1.0 - (-a).exp()) / a;
        (rate(y), grad(rate)(y), grad(grad(rate))(y))
    }));
    let a = [0.5, 1.0, 3.0];
    let (found, slope, bend) = f.call(a).unwrap();
    close(&found, &a, 1e-10);
    // y(a) = (1 - e^-a)/a, of which the inverse has the slope 1/y' and the bend -y''/y'³.
    let slopes = a.map(|a: f64| ((-a).exp() * (a + 1.0) - 1.0) / (a * a));
    let bends = a.map(|a: f64| (2.0 - (-a).exp() * (a * a + 2.0 * a + 2.0)) / a.powi(3));
    close(&slope, &slopes.map(|s| 1.0 / s), 1e-8);
    let want: Vec<f64> = slopes
        .iter()
        .zip(bends)
        .map(|(s, b)| -b / s.powi(3))
        .collect();
    close(&bend, &want, 1e-6);
}

/// The value of a minimum has a gradient (the envelope theorem) and a Hessian.
#[test]
fn a_minimum_in_a_hessian() {
    let least = |p: Var| {
        let f = move |x: Var| (x * x).sum() * 0.5 + (p * x).sum() + 0.25 * x.at(0).powi(4);
        minimize(f, Var::from([0.1, -0.1])).value
    };
    // The second unknown is -p: its part is -p²/2. The first solves x + x³ = -p.
    let (g, h) = jit(move |p: Var| (grad(least)(p), hessian(least)(p)))
        .call([2.0, 3.0])
        .unwrap();
    close(&g, &[-1.0, -3.0], 1e-7);
    close(&h, &[-0.25, 0.0, 0.0, -1.0], 1e-6);
}

/// One element whose data are NaN, one that is not determined, and one whose function has no root do not touch others.
#[test]
fn what_fails_fails_alone() {
    let t = [0.0, 1.0, 2.0, 3.0];
    let one = move |y: Var| {
        let model = |t: Var, (a, b): (Var, Var)| a * (-b * t).exp();
        let fit = curve_fit(model, Var::from(t), y, (1.0, 0.5));
        let r = root::brent(move |x: Var| x.tanh() - y.at(0) + 1.5, -5.0, 5.0);
        (fit.params.0, fit.params.1, fit.status, r.x, r.status)
    };
    let decay = |a: f64, b: f64| t.map(|t| a * (-b * t).exp()).to_vec();
    let all = vec![
        decay(2.0, 0.3),
        decay(f64::NAN, 0.3),
        decay(3.0, 1.0),
        vec![0.0; 4],
    ];
    let (a, b, status, x, ends) = jit(vmap(one)).call(all.clone()).unwrap();
    let status = wengert_solve::statuses(&status).unwrap();
    let ends = wengert_solve::statuses(&ends).unwrap();
    assert!(status[0].is_converged() && status[2].is_converged() && !status[1].is_converged());
    assert!(ends[0].is_converged() && !ends[1].is_converged() && !ends[2].is_converged());
    for (i, data) in all.into_iter().enumerate() {
        let alone = jit(one).call(data).unwrap();
        for (together, alone) in [(&a, &alone.0), (&b, &alone.1), (&x, &alone.3)] {
            let bits = |x: f64| if x.is_nan() { 0 } else { x.to_bits() };
            let together = together.get::<f64>([i]).unwrap();
            assert_eq!(bits(together), bits(alone.item().unwrap()), "{i}");
        }
    }
}
