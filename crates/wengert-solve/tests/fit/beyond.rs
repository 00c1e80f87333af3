//! Profiles, many starts, separable models.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::fit::{
    LevenbergMarquardt, Parameters, Transform, least_squares, multistart, profile, separable,
};

fn item(a: &Array) -> f64 {
    a.item::<f64>().unwrap()
}

const X: [f64; 6] = [0.0, 1.0, 2.0, 3.0, 5.0, 6.5];
const Y: [f64; 6] = [1.1, 2.9, 5.2, 6.8, 11.1, 13.9];

#[test]
fn profiles_of_a_line_are_the_usual_intervals() {
    let line =
        jit(|(x, y): (Var, Var)| profile(|(a, b): (Var, Var)| a * x + b - y, (0.0, 0.0), 0.9));
    let found = line.call((X, Y)).unwrap();
    let (low, high) = found.fit.confidence_intervals(0.9).unwrap();
    for (own, usual) in [
        (&found.low.0, &low.0),
        (&found.low.1, &low.1),
        (&found.high.0, &high.0),
        (&found.high.1, &high.1),
    ] {
        assert!((item(own) - item(usual)).abs() < 1e-8, "{own} and {usual}");
    }
}

#[test]
fn profiles_end_where_the_cost_has_risen() {
    // v = top s / (half + s): the cost with `half` held is that of a line in `top`.
    let s = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
    let v = [0.68, 1.05, 1.29, 1.65, 1.79, 1.93];
    let law = |s: Var, (top, half): (Var, Var)| top * s / (half + s);
    let fit = jit(move |(s, v): (Var, Var)| {
        let start = Parameters::new((1.0, 1.0)).transformed("1", Transform::Log);
        profile(|p: (Var, Var)| law(s, p) - v, start, 0.95)
    });
    let found = fit.call((s, v)).unwrap();
    let cost = item(&found.fit.cost);
    let t = 2.7764451051977943f64;
    let want = cost * (1.0 + t * t / 4.0);
    for half in [item(&found.low.1), item(&found.high.1)] {
        let shape = s.map(|s| s / (half + s));
        let top = shape.iter().zip(v).map(|(f, v)| f * v).sum::<f64>()
            / shape.iter().map(|f| f * f).sum::<f64>();
        let own: f64 = shape
            .iter()
            .zip(v)
            .map(|(f, v)| (top * f - v).powi(2))
            .sum();
        assert!((own / want - 1.0).abs() < 1e-7, "{own} {want}");
    }
    // In a batch as alone.
    let law = move |(s, v): (Var, Var)| {
        let start = Parameters::new((1.0, 1.0)).transformed("1", Transform::Log);
        let found = profile(|p: (Var, Var)| law(s, p) - v, start, 0.95);
        (found.low, found.high)
    };
    let (low, high) = jit(vmap(law))
        .call(([s, s], [v, v.map(|v| 1.5 * v)]))
        .unwrap();
    assert_eq!(low.1.get::<f64>([0]).unwrap(), item(&found.low.1));
    assert_eq!(high.0.get::<f64>([0]).unwrap(), item(&found.high.0));
    assert!((high.0.get::<f64>([1]).unwrap() / item(&found.high.0) - 1.5).abs() < 1e-6);
}

#[test]
fn profiles_without_an_end_are_infinite_or_the_bound() {
    // A rate that is too high to be seen: any higher one fits as well.
    let t = [1.0, 2.0, 3.0, 4.0];
    let y = [0.004, -0.003, 0.002, 0.001];
    let fit = |bounded: bool| {
        let f = jit(move |(t, y): (Var, Var)| {
            let start = Parameters::new(2.0);
            let start = if bounded {
                start.bounds(Var::from(0.0), 50.0)
            } else {
                start
            };
            let found = profile(|k: Var| (-k * t).exp() - y, start, 0.95);
            (found.low, found.high)
        });
        f.call((t, y)).unwrap()
    };
    let (low, high) = fit(false);
    assert!(item(&low) > 1.0 && item(&low) < 10.0, "{low}");
    assert_eq!(item(&high), f64::INFINITY);
    assert_eq!(item(&fit(true).1), 50.0);
}

#[test]
fn starts_say_where_they_ended() {
    let starts: Vec<f64> = (0..40).map(|i| -4.0 + 0.2 * f64::from(i)).collect();
    let residuals = |x: Var| (x.sin() * 2.0 - 1.0, 0.1 * x);
    let fit = jit(move |starts: Var| multistart(residuals, starts));
    let fits = fit.call(starts.clone()).unwrap();
    let minima = fits.minima(1e-9).unwrap();
    assert_eq!(minima.iter().map(|m| m.starts.len()).sum::<usize>(), 40);
    assert!(minima.len() >= 2 && minima.is_sorted_by(|a, b| a.cost < b.cost));
    let best = fits.element(minima[0].starts[0]).unwrap();
    let alone = jit(move |x: Var| least_squares(residuals, x));
    let alone = alone.call(starts[minima[0].starts[0]]).unwrap();
    assert_eq!(item(&best.params), item(&alone.params));
    assert_eq!(item(&best.cost), minima[0].cost);
    assert!(fits.element(40).is_err() && best.minima(0.1).is_err());
}

#[test]
fn a_separable_fit_is_the_full_one() {
    let t: Vec<f64> = (0..25).map(|i| 0.15 * f64::from(i)).collect();
    let y: Vec<f64> = t
        .iter()
        .map(|t| 2.0 * (-0.7 * t).exp() + 1.5 * (-4.0 * t).exp() + 0.01 * (40.0 * t).sin())
        .collect();
    let basis = |t: Var| move |[a, b]: [Var; 2]| stack_axis(((-a * t).exp(), (-b * t).exp()), 1);
    let one = jit(move |(t, y): (Var, Var)| separable(basis(t), y, [0.3, 2.0]));
    let one = one.call((&t, &y)).unwrap().ok().unwrap();
    let full = jit(move |(t, y): (Var, Var)| {
        least_squares(
            |(p, c): ([Var; 2], Var)| basis(t)(p).dot(c) - y,
            ([0.7, 4.0], Array::from([2.0, 1.5])),
        )
    });
    let full = full.call((&t, &y)).unwrap().ok().unwrap();
    assert!((item(&one.params.0[0]) / item(&full.params.0[0]) - 1.0).abs() < 1e-9);
    assert!(one.params.1.all_close(&full.params.1, 1e-9, 0.0));
    assert!(one.covariance.all_close(&full.covariance, 1e-6, 0.0));
    // Its derivative by a reading, with a rate held within bounds.
    let rate = move |(t, y): (Var, Var)| {
        let start = Parameters::new([0.3, 2.0]).bounds([0.0, 0.0], [1.0, 3.0]);
        separable(basis(t), y, start).params.0[0]
    };
    let slope = jit(move |(t, y): (Var, Var)| grad(|y: Var| rate((t, y)))(y));
    let slope = slope.call((&t, &y)).unwrap().get::<f64>([3]).unwrap();
    let at = |h: f64| {
        let mut y = y.clone();
        y[3] += h;
        item(&jit(rate).call((&t, &y)).unwrap())
    };
    assert!((slope - (at(1e-5) - at(-1e-5)) / 2e-5).abs() < 1e-6);
}

#[test]
fn mistakes_of_these_are_told() {
    let error = |e: wengert::Error| e.to_string().split(", at ").next().unwrap().to_string();
    let f = jit(|y: Var| profile(|a: Var| a - y, 0.0, 1.5).low);
    assert_eq!(
        error(f.call([1.0, 2.0]).unwrap_err()),
        "profile: a level of confidence is between 0 and 1, not 1.5"
    );
    let f = jit(|y: Var| profile(|a: Var| a - y, 0.0, 0.5).low);
    assert_eq!(
        error(f.call(1.0).unwrap_err()),
        "profile: there are not more residuals than unknowns"
    );
    let f = jit(|y: Var| separable(|a: Var| a * ones(3), y, 0.0).params.0);
    let said = error(f.call([1.0, 2.0]).unwrap_err());
    assert!(
        said.starts_with("separable: the basis is f64[3], and y is f64[2]; a basis has"),
        "{said}"
    );
    let f = jit(|y: Var| {
        LevenbergMarquardt::new()
            .multistart(|a: Var| a.gt(y), zeros(3))
            .status
    });
    assert!(error(f.call(1.0).unwrap_err()).starts_with("multistart: the residual is bool"));
    let f = jit(|y: Var| multistart(|a: Var| a.ln() - y, Var::from(Array::from([1.0, -1.0]))));
    assert_eq!(
        f.call(1.0).unwrap().statuses().unwrap()[1],
        Status::StartNotFinite
    );
}
