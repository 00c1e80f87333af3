//! What a fit finds, its covariance, its derivatives, its batches, and what users get wrong.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::fit::{
    Derivative, Fit, LevenbergMarquardt, Loss, Method, Parameters, Transform, curve_fit,
    least_squares,
};

fn item(a: &Array) -> f64 {
    a.item::<f64>().unwrap()
}

const T: [f64; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0];

/// Readings of `2.5 exp(-1.3 t) + 0.5`, with some noise.
fn readings() -> [f64; 8] {
    let noise = [0.03, -0.02, 0.01, 0.02, -0.04, 0.01, 0.0, 0.02];
    std::array::from_fn(|i| 2.5 * (-1.3 * T[i]).exp() + 0.5 + noise[i])
}

#[derive(Tree, Clone, Copy, Debug)]
struct Decay<T = Var> {
    height: T,
    rate: T,
    floor: T,
}

impl Decay {
    fn start() -> Decay {
        Decay {
            height: Var::from(1.0),
            rate: Var::from(1.0),
            floor: Var::from(0.0),
        }
    }

    fn at(self, t: Var) -> Var {
        self.height * (-self.rate * t).exp() + self.floor
    }
}

fn decay(options: LevenbergMarquardt, y: Var) -> Fit<Decay> {
    let t = Var::from(Array::from(T));
    options.curve_fit(|t: Var, p: Decay| p.at(t), t, y, Decay::start())
}

fn found(options: LevenbergMarquardt) -> Fit<Decay<Array>, Array> {
    let fit = jit(move |y: Var| decay(options, y));
    fit.call(readings()).unwrap().ok().unwrap()
}

#[test]
fn all_methods_come_to_one_minimum() {
    let new = LevenbergMarquardt::new;
    let all = [
        new(),
        new().geodesic(true),
        new().orthogonal(true),
        new().method(Method::Damped),
        new().method(Method::Damped).geodesic(true),
        new().method(Method::Dogleg),
        new().method(Method::GaussNewton),
    ];
    let first = found(all[0]);
    assert!((item(&first.params.rate) - 1.3).abs() < 0.1);
    for options in all {
        let fit = found(options);
        for (a, b) in tree::leaves(&fit.params)
            .iter()
            .zip(tree::leaves(&first.params))
        {
            assert!(
                (item(a) / item(&b) - 1.0).abs() < 1e-10,
                "{options:?}: {a} and {b}"
            );
        }
        assert!(
            fit.covariance.all_close(&first.covariance, 1e-9, 0.0),
            "{options:?}"
        );
        assert!(item(&fit.gradient_norm) < 1e-10);
        let [count, dof, iterations, evaluations] =
            [&fit.count, &fit.dof, &fit.iterations, &fit.evaluations]
                .map(|a| a.item::<i64>().unwrap());
        assert_eq!((count, dof, evaluations), (8, 5, iterations + 1));
    }
}

#[test]
fn the_implicit_derivative_is_that_of_the_steps_and_of_differences() {
    let rate = |options: LevenbergMarquardt| move |y: Var| decay(options, y).params.rate;
    let options = LevenbergMarquardt::new();
    let value = jit(rate(options));
    let implicit = jit(grad(rate(options))).call(readings()).unwrap();
    let steps = jit(grad(rate(options.derivative(Derivative::Steps))));
    let steps = steps.call(readings()).unwrap();
    assert!(implicit.all_close(&steps, 1e-6, 1e-9), "{implicit} {steps}");
    for i in 0..8 {
        let at = |h: f64| {
            let mut y = readings();
            y[i] += h;
            item(&value.call(y).unwrap())
        };
        let h = 1e-4;
        let slope = (at(h) - at(-h)) / (2.0 * h);
        let own = implicit.get::<f64>([i]).unwrap();
        assert!((own - slope).abs() < 1e-6, "{own} and {slope}");
    }
    // Errors and cost have derivatives, too; and second ones.
    let error = |y: Var| decay(LevenbergMarquardt::new(), y).errors.rate;
    let slope = jit(grad(error))
        .call(readings())
        .unwrap()
        .get::<f64>([2])
        .unwrap();
    let at = |h: f64| {
        let mut y = readings();
        y[2] += h;
        item(&jit(error).call(y).unwrap())
    };
    assert!((slope - (at(1e-4) - at(-1e-4)) / 2e-4).abs() < 1e-6);
    let bend = jit(grad(move |y: Var| {
        grad(rate(LevenbergMarquardt::new()))(y).at(1)
    }));
    let bend = bend.call(readings()).unwrap().get::<f64>([3]).unwrap();
    let at = |h: f64| {
        let mut y = readings();
        y[3] += h;
        jit(grad(rate(options)))
            .call(y)
            .unwrap()
            .get::<f64>([1])
            .unwrap()
    };
    assert!((bend - (at(1e-4) - at(-1e-4)) / 2e-4).abs() < 1e-6);
}

#[test]
fn a_batch_equals_its_elements_to_the_bit_and_failures_stay_alone() {
    let fit = |y: Var| decay(LevenbergMarquardt::new(), y);
    let mut rows: Vec<[f64; 8]> = (0..21)
        .map(|i| {
            readings()
                .map(|y| y * (1.0 + 0.3 * f64::from(i)) + (7.0 * y * f64::from(i)).sin() * 0.02)
        })
        .collect();
    rows[4][3] = f64::NAN;
    rows[9] = [1.0; 8];
    let all = jit(vmap(fit)).call(rows.clone()).unwrap();
    let alone = jit(fit);
    for (i, row) in rows.iter().enumerate() {
        let one = alone.call(*row).unwrap();
        for (all, one) in tree::leaves(&all).iter().zip(tree::leaves(&one)) {
            let n = one.shape().iter().product::<usize>();
            if one.dtype() == DType::I64 {
                let (all, one) = (all.to_vec::<i64>().unwrap(), one.to_vec::<i64>().unwrap());
                assert_eq!(all[i * n..][..n], one);
                continue;
            }
            let bits = |a: &Array| {
                a.to_vec::<f64>()
                    .unwrap()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            assert_eq!(bits(all)[i * n..][..n], bits(&one), "element {i}");
        }
    }
    let statuses = all.statuses().unwrap();
    assert_eq!(statuses[4], Status::StartNotFinite);
    assert!(
        statuses
            .iter()
            .enumerate()
            .all(|(i, s)| i == 4 || i == 9 || s.is_converged()),
        "{statuses:?}"
    );
    let error = all.ok().unwrap_err().to_string();
    assert!(
        error
            .starts_with("the fit failed: the function is not finite at the start, for element 4;"),
        "{error}"
    );
}

#[test]
fn covariance_of_a_line_is_that_of_the_formulas() {
    let (x, y) = ([0.0, 1.0, 2.0, 3.0, 5.0], [1.1, 2.9, 5.2, 6.8, 11.1]);
    let line = |x: Var, (a, b): (Var, Var)| a * x + b;
    let fit = jit(move |(x, y): (Var, Var)| curve_fit(line, x, y, (0.0, 0.0)));
    let fit = fit.call((x, y)).unwrap().ok().unwrap();
    let n = x.len() as f64;
    let mean = |v: [f64; 5]| v.iter().sum::<f64>() / n;
    let sxx: f64 = x
        .iter()
        .map(|x| (x - mean([0.0, 1.0, 2.0, 3.0, 5.0])).powi(2))
        .sum();
    let slope = x
        .iter()
        .zip(y)
        .map(|(x, y)| (x - mean([0.0, 1.0, 2.0, 3.0, 5.0])) * y)
        .sum::<f64>()
        / sxx;
    let height = mean(y) - slope * mean(x);
    let rss: f64 = x
        .iter()
        .zip(y)
        .map(|(x, y)| (slope * x + height - y).powi(2))
        .sum();
    let variance = rss / (n - 2.0);
    assert!((item(&fit.params.0) - slope).abs() < 1e-13);
    assert!((item(&fit.rss) - rss).abs() < 1e-14);
    assert!((item(&fit.errors.0) - (variance / sxx).sqrt()).abs() < 1e-14);
    assert!((item(&fit.reduced_chi_square()) - variance).abs() < 1e-14);
    let correlation = fit.correlation().unwrap().get::<f64>([0, 1]).unwrap();
    let want = -mean(x) / (sxx / n + mean(x).powi(2)).sqrt();
    assert!((correlation - want).abs() < 1e-13);
    assert!((item(&fit.aic().unwrap()) - (n * (rss / n).ln() + 4.0)).abs() < 1e-10);
    assert!((item(&fit.bic().unwrap()) - (n * (rss / n).ln() + 2.0 * n.ln())).abs() < 1e-10);
    // Student's quantile for three degrees of freedom.
    let (low, _) = fit.confidence_intervals(0.95).unwrap();
    let half = 3.1824463052837078 * item(&fit.errors.1);
    assert!((item(&low.1) - (height - half)).abs() < 1e-12);
    assert!(fit.confidence_intervals(1.0).is_err());
}

#[test]
fn unknowns_may_be_fixed_bounded_and_transformed() {
    let t = Array::from(T);
    let fit = |start: fn() -> Parameters<Decay>| {
        let t = t.clone();
        let f = jit(move |y: Var| {
            let t = Var::from(&t);
            least_squares(|p: Decay| p.at(t) - y, start())
        });
        f.call(readings()).unwrap()
    };
    let free = fit(|| Parameters::new(Decay::start())).ok().unwrap();
    let logs = fit(|| {
        Parameters::new(Decay::start())
            .transformed("height", Transform::Log)
            .transformed(".rate", Transform::Logit(0.5, 3.0))
    });
    let logs = logs.ok().unwrap();
    let soft = fit(|| Parameters::new(Decay::start()).transformed("rate", Transform::Softplus));
    for other in [logs, soft.ok().unwrap()] {
        assert!((item(&other.params.rate) / item(&free.params.rate) - 1.0).abs() < 1e-9);
        assert!(other.covariance.all_close(&free.covariance, 1e-7, 0.0));
    }
    let held = fit(|| {
        let low = Decay {
            height: -f64::INFINITY,
            rate: 0.0,
            floor: 0.6,
        };
        let high = Decay {
            height: f64::INFINITY,
            rate: 5.0,
            floor: 2.0,
        };
        Parameters::new(Decay::start()).bounds(low, high)
    });
    let held = held.ok().unwrap();
    assert_eq!(item(&held.params.floor), 0.6);
    let fixed = fit(|| {
        Parameters::new(Decay {
            floor: Var::from(0.6),
            ..Decay::start()
        })
        .fixed("floor")
    });
    let fixed = fixed.ok().unwrap();
    assert_eq!(fixed.dof.item::<i64>().unwrap(), 6);
    assert_eq!(item(&fixed.errors.floor), 0.0);
    assert!((item(&fixed.params.rate) / item(&held.params.rate) - 1.0).abs() < 1e-9);
    assert_eq!(fixed.covariance.shape(), [3, 3]);
    assert_eq!(fixed.covariance.get::<f64>([2, 0]).unwrap(), 0.0);
}

#[test]
fn a_bound_has_the_derivative_and_passes_it_on() {
    let f = |(low, y): (Var, Var)| {
        let start = Parameters::new((0.0, 0.0)).bounds((low, -9.0), (10.0, 10.0));
        let (a, b) =
            least_squares(|(a, b): (Var, Var)| (a - y, 2.0 * b - a - y, b - y), start).params;
        a + 10.0 * b
    };
    let fit = jit(value_and_grad(f));
    let (value, (low, y)) = fit.call((3.0, 1.0)).unwrap();
    // a = 3; b minimises (2 b - 4)² + (b - 1)²: b = (2 (a + y) + y) / 5.
    assert!((item(&value) - (3.0 + 10.0 * 1.8)).abs() < 1e-12);
    assert!((item(&low) - (1.0 + 4.0)).abs() < 1e-12 && (item(&y) - 6.0).abs() < 1e-12);
}

#[test]
fn losses_leave_outliers_aside() {
    let mut y: [f64; 12] =
        std::array::from_fn(|i| 2.0 * i as f64 + 1.0 + [0.02, -0.03, 0.01][i % 3]);
    y[7] += 40.0;
    let x: [f64; 12] = std::array::from_fn(|i| i as f64);
    for loss in [
        Loss::Huber(0.1),
        Loss::SoftL1(0.1),
        Loss::Cauchy(0.1),
        Loss::Arctan(0.5),
        Loss::Tukey(1.0),
    ] {
        let options = LevenbergMarquardt::new().loss(loss);
        let fit = jit(move |(x, y): (Var, Var)| {
            options.curve_fit(|x: Var, (a, b): (Var, Var)| a * x + b, x, y, (1.9, 1.2))
        });
        let fit = fit.call((x, y)).unwrap().ok().unwrap();
        assert!(
            (item(&fit.params.0) - 2.0).abs() < 0.02,
            "{loss:?} {}",
            fit.params.0
        );
        assert!(
            item(&fit.gradient_norm) < 1e-9,
            "{loss:?} {}",
            fit.gradient_norm
        );
        assert!(item(&fit.cost) < item(&fit.rss));
    }
}

#[test]
fn more_unknowns_than_residuals_and_flat_directions() {
    let wide = jit(|y: Var| least_squares(|p: Var| p.sum() - y, Var::from(Array::from([0.0; 5]))));
    let fit = wide.call(3.0).unwrap().ok().unwrap();
    assert!((fit.params.to_vec::<f64>().unwrap().iter().sum::<f64>() - 3.0).abs() < 1e-12);
    assert_eq!(fit.dof.item::<i64>().unwrap(), -4);
    assert_eq!(fit.covariance.get::<f64>([0, 0]).unwrap(), f64::INFINITY);
    assert!(fit.confidence_intervals(0.9).is_err());
    // The product alone is determined, and one unknown has no effect.
    let flat = jit(|y: Var| least_squares(|(a, b, _): (Var, Var, Var)| a * b - y, (1.0, 1.0, 1.0)));
    let fit = flat.call([2.0, 2.1, 1.9]).unwrap().ok().unwrap();
    assert!((item(&fit.params.0) * item(&fit.params.1) - 2.0).abs() < 1e-10);
    assert_eq!(item(&fit.params.2), 1.0);
}

#[test]
fn f32_is_fitted_in_f32() {
    let fit = jit(|(x, y): (Var, Var)| {
        let start = (Var::scalar(0.5f32), Var::scalar(0.5f32));
        curve_fit(|x: Var, (a, b): (Var, Var)| a * (b * x).exp(), x, y, start)
    });
    let x = [0f32, 0.5, 1.0, 1.5];
    let fit = fit
        .call((x, x.map(|x| 2.0 * (0.7 * x).exp())))
        .unwrap()
        .ok()
        .unwrap();
    assert!((fit.params.1.item::<f32>().unwrap() - 0.7).abs() < 1e-5);
    assert_eq!(fit.covariance.dtype(), DType::F32);
}

/// What an error says before its place, and the line of this file that it names.
fn said(error: wengert::Error) -> (String, u32) {
    let text = error.to_string();
    let (before, place) = text.split_once(", at ").expect("a place");
    let place = place.split_once("basics.rs:").expect("this file").1;
    let line = place.split(':').next().expect("a line");
    (before.into(), line.parse().expect("a number"))
}

#[test]
fn mistakes_name_the_users_line() {
    let line = line!() + 1;
    let f = jit(|y: Var| least_squares(|a: Var| a.to(DType::F32) - 1.0, y).params);
    let want = "least_squares: the residual is f32, and the unknowns are f64; convert the data or the start";
    assert_eq!(said(f.call(1.0).unwrap_err()), (want.into(), line));

    let f = jit(|y: Var| least_squares(|a: Var| a.gt(1.0), y).params);
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert!(
        what.starts_with("least_squares: the residual is bool"),
        "{what}"
    );

    let f = jit(|y: Var| {
        least_squares(|(a, _): (Var, Var)| a - 1.0, (y, 1i64))
            .params
            .0
    });
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert!(
        what.starts_with("least_squares: the start.1 is i64, and must be of floats"),
        "{what}"
    );

    let f = jit(|y: Var| {
        least_squares(|(a, _): (Var, Var)| a - 1.0, (y, Var::scalar(1f32)))
            .params
            .0
    });
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert_eq!(
        what,
        "least_squares: the start has f64 at `0`, and f32 at `1`; unknowns have one element type"
    );

    let line = line!() + 1;
    let f = jit(|y: Var| curve_fit(|x: Var, a: Var| a * x.at(0), y, y, 1.0).params);
    let want = "curve_fit: y has f64[2], and the model has f64";
    assert_eq!(said(f.call([1.0, 2.0]).unwrap_err()), (want.into(), line));

    let f = jit(|y: Var| least_squares(|a: Var| a.dot(zeros(3)), y).params);
    let (what, _) = said(f.call([1.0, 2.0]).unwrap_err());
    assert!(what.starts_with("dot: f64[2] and f64[3]"), "{what}");

    let f = jit(|y: Var| {
        least_squares(
            |a: Decay| a.rate - y,
            Parameters::new(Decay::start()).fixed("rat"),
        )
        .params
    });
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert_eq!(
        what,
        "least_squares: no unknown is named `rat`; there are `height`, `rate`, `floor`"
    );

    let f = jit(|y: Var| {
        LevenbergMarquardt::new()
            .xtol(-1.0)
            .least_squares(|a: Var| a - y, 1.0)
            .params
    });
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert_eq!(what, "least_squares: xtol is -1, and must not be negative");

    let f = jit(|y: Var| least_squares(|_: Var| (), y).params);
    let (what, _) = said(f.call(1.0).unwrap_err());
    assert_eq!(what, "least_squares: there are no residuals");

    let f = jit(|y: Var| {
        let start = Parameters::new(y).bounds(Var::from(Array::from([0.0; 3])), 1.0);
        least_squares(|a: Var| a - 1.0, start).params
    });
    let (what, _) = said(f.call([1.0, 2.0]).unwrap_err());
    assert_eq!(
        what,
        "least_squares: the bound of the unknown is f64[3], and the start is f64[2]"
    );
}

#[test]
fn bounds_that_cross_are_a_status() {
    let f = jit(|(low, y): (Var, Var)| {
        least_squares(|a: Var| a - y, Parameters::new(0.0).bounds(low, 1.0))
    });
    let fit = f.call((2.0, 5.0)).unwrap();
    assert_eq!(fit.statuses().unwrap(), [Status::Infeasible]);
    let fit = f.call((0.0, 5.0)).unwrap().ok().unwrap();
    assert_eq!(item(&fit.params), 1.0);
}

#[test]
fn the_table_is_what_a_scientist_expects() {
    let fit = found(LevenbergMarquardt::new());
    expect_test::expect![[r#"
        converged: the unknowns change by less than xtol after 8 steps
        parameter             value  standard error   relative
        height           2.51590348         0.02685     1.07 %
        rate             1.33272833         0.03547     2.66 %
        floor           0.510437868         0.01628     3.19 %
        8 residuals, 5 degrees of freedom, sum of squares 0.00300105303, reduced chi-square 0.00060021
        AIC -57.1059, BIC -56.8675
        correlations
        rate       -0.0754
        floor      -0.4740   0.7353"#]].assert_eq(&fit.to_string());
    let fit = jit(vmap(|y: Var| decay(LevenbergMarquardt::new(), y)));
    let fit = fit.call([readings(), [f64::NAN; 8]]).unwrap();
    expect_test::expect![[r#"
        2 fits, 1 of them converged; 4.0 steps on average
               1 converged: the unknowns change by less than xtol
               1 failed: the function is not finite at the start"#]]
    .assert_eq(&fit.to_string());
}
