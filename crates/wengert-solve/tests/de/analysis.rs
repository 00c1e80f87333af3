//! Exponents, steady states, limit cycles, sensitivities, ensembles.

use std::f64::consts::{LN_2, TAU};

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{
    Bins, Ensemble, Lyapunov, Ode, SteadyState, Tsit5, limit_cycle, phase_response, sensitivity,
    steady_state,
};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn lorenz([x, y, z]: [Var; 3]) -> [Var; 3] {
    [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z]
}

#[test]
fn exponents_of_lorenz() -> Result {
    let f = jit(|x: Var| {
        let ode = Ode::new(Tsit5).rtol(1e-7).atol(1e-7);
        let start = [x, 1.0.into(), 20.0.into()];
        Lyapunov::new(600)
            .transient(20)
            .flow(&ode, |_, y| lorenz(y), start, 1.0)
    });
    let found = f.call(1.0)?.ok()?;
    let e = found.exponents.to_vec::<f64>()?;
    // The divergence is the same everywhere; the exponents' statistical error at this length is a few percent of the first.
    assert!((e.iter().sum::<f64>() + 41.0 / 3.0).abs() < 1e-4, "{e:?}");
    assert!((e[0] - 0.9056).abs() < 0.04, "{e:?}");
    assert!(e[1].abs() < 0.02, "{e:?}");
    let dimension = found.dimension.item::<f64>()?;
    assert!((dimension - 2.062).abs() < 0.005, "{dimension}");
    Ok(())
}

/// Sixteen orbits side by side, 160,000 units of time together.
#[test]
fn exponents_of_lorenz_to_three_digits() -> Result {
    let f = jit(vmap(|x: Var| {
        let ode = Ode::new(Tsit5).rtol(1e-8).atol(1e-8);
        let start = [x, 1.0.into(), 20.0.into()];
        Lyapunov::new(10_000)
            .transient(50)
            .flow(&ode, |_, y| lorenz(y), start, 1.0)
    }));
    let starts: Vec<f64> = (0..16).map(|i| 1.0 + 0.37 * f64::from(i)).collect();
    let e = f.call(starts)?.ok()?.exponents.to_vec::<f64>()?;
    let mean = |j: usize| e.iter().skip(j).step_by(3).sum::<f64>() / 16.0;
    assert!((mean(0) - 0.9056).abs() < 1e-3, "{}", mean(0));
    assert!(mean(1).abs() < 1e-3);
    assert!((mean(0) + mean(1) + mean(2) + 41.0 / 3.0).abs() < 1e-3);
    Ok(())
}

#[test]
fn exponents_of_maps() -> Result {
    // A shear of the torus (Arnold's cat): ±ln((3 + √5)/2), exact after a few iterations.
    let cat = jit(|x: Var| {
        let map = |[x, y]: [Var; 2]| [(2.0 * x + y).rem(1.0), (x + y).rem(1.0)];
        Lyapunov::new(200).transient(20).map(map, [x, 0.3.into()])
    });
    let e = cat.call(0.2)?.ok()?.exponents.to_vec::<f64>()?;
    let want = ((3.0 + 5f64.sqrt()) / 2.0).ln();
    assert!(
        (e[0] - want).abs() < 1e-12 && (e[1] + want).abs() < 1e-12,
        "{e:?}"
    );
    // The logistic map at r = 4 has ln 2; each lane is as alone, and one that escapes fails alone.
    let logistic = |(r, x): (Var, Var)| {
        Lyapunov::new(3000)
            .transient(100)
            .map(move |x: Var| r * x * (1.0 - x), x)
    };
    let (r, x) = ([4.0, 4.0, 4.5, 2.5], [0.3, 0.7123, 0.3, 0.3]);
    let all = jit(vmap(logistic)).call((r, x))?;
    let one = jit(logistic);
    for i in 0..4 {
        let alone = one.call((r[i], x[i]))?;
        assert_eq!(
            alone.exponents.get::<f64>(0)?.to_bits(),
            all.exponents.get::<f64>([i, 0])?.to_bits()
        );
        assert_eq!(alone.statuses()?[0], all.statuses()?[i]);
    }
    let e = all.exponents.to_vec::<f64>()?;
    assert!(
        (e[0] - LN_2).abs() < 0.01 && (e[1] - LN_2).abs() < 0.01,
        "{e:?}"
    );
    assert_eq!(all.statuses()?[2], Status::NotFinite);
    // A fixed point at 0.6, where the slope is -1/2.
    assert!((e[3] + LN_2).abs() < 1e-10, "{e:?}");
    // The largest of three alone.
    let first = jit(|x: Var| {
        let map = |[x, y, z]: [Var; 3]| [0.5 * x, 3.0 * y, 2.0 * z + x];
        Lyapunov::new(50)
            .transient(60)
            .exponents(1)
            .map(map, [x, x, x])
    });
    let e = first.call(0.0)?.ok()?.exponents.to_vec::<f64>();
    assert!(e?[0] <= 3f64.ln() + 1e-12);
    Ok(())
}

#[test]
fn steady_states_with_stability() -> Result {
    // Lorenz at rho = 10 rests at (√24, √24, 9), which attracts, and at 0, which does not.
    let rest = |x: Var| {
        let f = |[x, y, z]: [Var; 3]| [10.0 * (y - x), x * (10.0 - z) - y, x * y - 8.0 / 3.0 * z];
        (
            steady_state(f, [x, x, 8.0.into()]),
            SteadyState::new().by_time().search(f, [x, x, 2.0.into()]),
            steady_state(f, [0.1 * x, 0.0.into(), 0.0.into()]),
        )
    };
    let (near, by_time, zero) = jit(rest).call(4.0)?;
    for s in [near.ok()?, by_time.ok()?] {
        let [x, y, z] = s.y.map(|a| a.item::<f64>().unwrap());
        assert!((x - 24f64.sqrt()).abs() < 1e-9 && (y - x).abs() < 1e-9);
        assert!((z - 9.0).abs() < 1e-9);
        assert!(s.stable.item::<bool>()?);
        // The trace of the Jacobian.
        let sum = s.eigenvalues.re.to_vec::<f64>()?.iter().sum::<f64>();
        assert!((sum + 41.0 / 3.0).abs() < 1e-9);
    }
    let zero = zero.ok()?;
    assert!(zero.y[0].item::<f64>()?.abs() < 1e-9);
    assert!(!zero.stable.item::<bool>()?);
    // λ² + 11 λ - 90 = 0, and -8/3.
    let largest = zero.eigenvalues.re.get::<f64>(2)?;
    assert!((largest - (481f64.sqrt() - 11.0) / 2.0).abs() < 1e-9);
    Ok(())
}

#[test]
fn pseudo_time_helps_where_roots_fail() -> Result {
    // From x = 2 the search for a root stops at the minimum of |x³ - 2x + 2| near 0.8; the flow goes to the root at -1.77.
    let f = |x: Var| -(x * x * x - 2.0 * x + 2.0);
    let s = jit(move |x: Var| steady_state(f, x)).call(2.0)?.ok()?;
    let x = s.y.item::<f64>()?;
    assert!((x + 1.769_292_354_238_631_4).abs() < 1e-9, "{x}");
    assert!(s.by_time.item::<bool>()? && s.stable.item::<bool>()?);
    // In lanes, with some that need it, one that has no steady state, and one that is NaN.
    let each = |(x, c): (Var, Var)| {
        let f = move |x: Var| c - (x * x * x - 2.0 * x + 2.0);
        let s = SteadyState::new().max_steps(100).search(f, x);
        (s.y, s.by_time, s.status)
    };
    let (x, c) = ([2.0, -2.0, 2.0, f64::NAN], [0.0, 0.0, 5.0, 0.0]);
    let (y, by_time, status) = jit(vmap(each)).call((x, c))?;
    let one = jit(each);
    for i in 0..4 {
        let (y1, t1, s1) = one.call((x[i], c[i]))?;
        assert_eq!(
            y1.item::<f64>()?.to_bits(),
            y.get::<f64>(i)?.to_bits(),
            "{i}"
        );
        assert_eq!(t1.item::<bool>()?, by_time.get::<bool>(i)?);
        assert_eq!(s1.item::<i64>()?, status.get::<i64>(i)?);
    }
    assert_eq!(by_time.to_vec::<bool>()?[..3], [true, false, false]);
    assert_eq!(status.get::<i64>(3)?, Status::StartNotFinite.code());
    // There is none.
    let s = jit(|x: Var| {
        SteadyState::new()
            .max_steps(50)
            .search(|x: Var| 1.0 + x * x, x)
    });
    assert!(s.call(0.5)?.ok().is_err());
    Ok(())
}

#[test]
fn steady_states_depend_on_parameters() -> Result {
    let rest = |p: [Var; 2]| {
        let f = move |(x, y): (Var, Var)| (p[0] - x * y, x * y - p[1] * y);
        let s = steady_state(f, (1.0, 1.0));
        (s.y, s.eigenvalues.re.at(0))
    };
    // x = p1, y = p0 / p1.
    let p = [2.0, 0.5];
    let forward = jit(jacfwd(move |p| rest(p).0)).call(p)?;
    let reverse = jit(jacrev(move |p| rest(p).0)).call(p)?;
    for ((dx, dy), name) in [(forward, "forward"), (reverse, "reverse")] {
        let got = [&dx[0], &dx[1], &dy[0], &dy[1]].map(|a| a.item::<f64>().unwrap());
        let want = [0.0, 1.0, 2.0, -8.0];
        for (a, b) in got.iter().zip(want) {
            assert!((a - b).abs() < 1e-8, "{name} {got:?}");
        }
    }
    // The eigenvalue's derivative, against a difference.
    let value = jit(move |p| rest(p).1);
    let slope = jit(grad(move |p| rest(p).1)).call(p)?[0].item::<f64>()?;
    let at = |d: f64| value.call([2.0 + d, 0.5]).unwrap().item::<f64>().unwrap();
    assert!((slope - (at(1e-5) - at(-1e-5)) / 2e-5).abs() < 1e-5);
    Ok(())
}

/// A rotation at the rate `w + c (1 - r²)` with a radius that returns to 1: the phase is the angle plus `-c ln r`.
fn twisted(c: Var, w: Var) -> impl Fn([Var; 2]) -> [Var; 2] + Copy {
    move |[x, y]: [Var; 2]| {
        let grow = 1.0 - x * x - y * y;
        let turn = w + c * grow;
        [grow * x - turn * y, grow * y + turn * x]
    }
}

#[test]
fn limit_cycles_and_their_answers() -> Result {
    let n = 12;
    let cycle = move |(c, w): (Var, Var)| {
        let f = twisted(c, w);
        let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
        let cycle = limit_cycle(&ode, f, [1.2, 0.1], 3.0);
        let orbit = cycle.orbit(&ode, f, n);
        let response = phase_response(&ode, f, &cycle, n);
        (cycle, orbit, response)
    };
    let (c, w) = (0.7, 2.0);
    let (found, orbit, response) = jit(cycle).call((c, w))?;
    let found = found.ok()?;
    assert!((found.period.item::<f64>()? - TAU / w).abs() < 1e-8);
    assert!(found.stable.item::<bool>()?);
    // 1 along the orbit, and exp(-2 T) across.
    let multipliers = found.multipliers.re.to_vec::<f64>()?;
    assert!((multipliers[1] - 1.0).abs() < 1e-7, "{multipliers:?}");
    assert!((multipliers[0] - (-2.0 * TAU / w).exp()).abs() < 1e-7);
    let [ox, oy] = orbit.map(|a| a.to_vec::<f64>().unwrap());
    let [x, y] = response.y.map(|a| a.to_vec::<f64>().unwrap());
    let [zx, zy] = response.response.map(|a| a.to_vec::<f64>().unwrap());
    let t = response.t.to_vec::<f64>()?;
    assert_eq!(t.len(), n);
    let start = oy[0].atan2(ox[0]);
    for i in 0..n {
        let (s, c0) = (start + w * t[i]).sin_cos();
        assert!((x[i] - c0).abs() < 1e-7 && (y[i] - s).abs() < 1e-7, "{i}");
        assert!((ox[i] - c0).abs() < 1e-7 && (oy[i] - s).abs() < 1e-7, "{i}");
        let want = [(-s - c * c0) / w, (c0 - c * s) / w];
        let got = [zx[i], zy[i]];
        assert!((got[0] - want[0]).abs() < 1e-6, "{i} {got:?} {want:?}");
        assert!((got[1] - want[1]).abs() < 1e-6, "{i} {got:?} {want:?}");
    }
    // The period is 2π / w.
    let period = move |w: Var| {
        let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
        limit_cycle(&ode, twisted(0.7.into(), w), [1.2, 0.1], 3.0).period
    };
    // With a tolerance for each of the two numbers.
    let each = jit(|w: Var| {
        let ode = Ode::new(Tsit5).rtol(1e-10).atol(&[1e-10, 1e-11]);
        limit_cycle(&ode, twisted(0.7.into(), w), [1.2, 0.1], 3.0).period
    });
    assert!((each.call(w)?.item::<f64>()? - TAU / w).abs() < 1e-8);
    for slope in [
        jit(grad(period)).call(w)?,
        jit(move |w: Var| jvp(period, w, Var::from(1.0)).1).call(w)?,
    ] {
        assert!((slope.item::<f64>()? + TAU / (w * w)).abs() < 1e-6);
    }
    Ok(())
}

#[test]
fn sensitivities_choose_their_mode() -> Result {
    // Three outputs of twelve parameters, and twelve of three.
    let wide = |p: Var| {
        let total = p.square().sum();
        stack([total, p.at(0) * p.at(1), total.sin()])
    };
    let tall = |p: Var| (p.at(0) * arange(12).to(DType::F64) + p.at(1), p.at(2).exp());
    let p: Vec<f64> = (0..12).map(|i| 0.1 * i as f64).collect();
    let (y, j) = jit(sensitivity(wide)).call(&p)?;
    assert_eq!((y.shape(), j.shape()), (&[3][..], &[3, 12][..]));
    let want = jit(jacfwd(wide)).call(&p)?;
    assert!(j.all_close(&want, 1e-14, 1e-14));
    let reverse = jit(jacrev(wide)).call(&p)?;
    assert_eq!(j.to_vec::<f64>()?, reverse.to_vec::<f64>()?);
    let (y, (a, b)) = jit(sensitivity(tall)).call([0.5, 1.0, 2.0])?;
    assert_eq!(
        (y.0.shape(), a.shape(), b.shape()),
        (&[12][..], &[12, 3][..], &[3][..])
    );
    assert!((b.get::<f64>(2)? - 2f64.exp()).abs() < 1e-14);
    // One trace of a captured Var, in lanes.
    let lanes = jit(vmap(|(s, p): (Var, Var)| {
        sensitivity(move |p: Var| (s * p).sum())(p)
    }));
    let (_, j) = lanes.call(([1.0, 2.0], [[1.0; 10]; 2]))?;
    assert_eq!(j.to_vec::<f64>()?[9..11], [1.0, 2.0]);
    Ok(())
}

#[test]
fn ensembles_keep_nothing_but_sums() -> Result {
    // A table of numbers, in chunks that do not divide it, with members that fail.
    let n = 1000;
    let x: Vec<f64> = (0..n)
        .map(|i| {
            if i % 100 == 7 {
                f64::NAN
            } else {
                (i as f64 * 0.7).sin().exp() - 5.0
            }
        })
        .collect();
    let run = |bins: Bins| {
        jit(move |x: Var| {
            Ensemble::new(n)
                .chunk(96)
                .quantiles(&[0.0, 0.1, 0.5, 0.9, 1.0], bins)
                .run(|i| (x.at(i), [2.0 * x.at(i), -x.at(i)]))
        })
    };
    let mut good: Vec<f64> = x.iter().copied().filter(|x| x.is_finite()).collect();
    good.sort_by(f64::total_cmp);
    let count = good.len() as f64;
    let mean = good.iter().sum::<f64>() / count;
    let variance = good.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let bins = [
        (
            Bins::Between {
                low: -5.0,
                high: 5.0,
                bins: 2000,
            },
            0.005,
        ),
        (
            Bins::Relative {
                scale: 1e-3,
                width: 1e-3,
            },
            0.005,
        ),
        // All beyond the bins: no worse than the bins that are left.
        (
            Bins::Between {
                low: -4.9,
                high: -2.2,
                bins: 270,
            },
            0.1,
        ),
    ];
    for (bins, width) in bins {
        let s = run(bins).call(&x)?;
        assert_eq!((s.count.item::<i64>()?, s.failed.item::<i64>()?), (990, 10));
        assert!((s.mean.0.item::<f64>()? - mean).abs() < 1e-12);
        assert!((s.variance.0.item::<f64>()? - variance).abs() < 1e-12);
        assert!((s.variance.1[0].item::<f64>()? - 4.0 * variance).abs() < 1e-11);
        assert_eq!(s.min.0.item::<f64>()?, good[0]);
        assert_eq!(s.max.1[1].item::<f64>()?, -good[0]);
        for (q, found) in [0.0, 0.1, 0.5, 0.9, 1.0].into_iter().zip(&s.quantiles) {
            let rank = ((q * count).ceil() as usize).max(1) - 1;
            let got = found.0.item::<f64>()?;
            assert!(
                (got - good[rank]).abs() <= width,
                "{bins:?} {q} {got} {}",
                good[rank]
            );
        }
    }
    // Far from zero, variances keep their digits.
    let far = jit(|x: Var| {
        Ensemble::new(1000)
            .chunk(64)
            .run(|i| x + i.to(DType::F64))
            .variance
    });
    let variance = far.call(1e9)?.item::<f64>()?;
    assert!((variance - (1e6 - 1.0) / 12.0 * 1000.0 / 999.0).abs() < 1e-4 * variance);
    Ok(())
}

#[test]
fn ensembles_have_derivatives() -> Result {
    let spread = |a: Var| {
        let s = Ensemble::new(50)
            .chunk(16)
            .run(|i| a * a * i.to(DType::F64));
        (s.mean, s.variance)
    };
    let (mean, variance) = jit(jacfwd(spread)).call(3.0)?;
    // 24.5 a², 212.5 a⁴.
    assert!((mean.item::<f64>()? - 24.5 * 6.0).abs() < 1e-10);
    assert!((variance.item::<f64>()? - 212.5 * 108.0).abs() < 1e-7);
    let (mean, variance) = jit(jacrev(spread)).call(3.0)?;
    assert!((mean.item::<f64>()? - 24.5 * 6.0).abs() < 1e-10);
    assert!((variance.item::<f64>()? - 212.5 * 108.0).abs() < 1e-7);
    Ok(())
}

#[test]
fn mistakes_are_errors_at_the_users_line() {
    let starts = |f: fn(Var) -> Var, want: &str| {
        let e = jit(f).call([1.0, 2.0]).unwrap_err().to_string();
        assert!(e.starts_with(want) && e.contains("analysis.rs"), "{e}");
    };
    starts(
        |x| Lyapunov::new(5).map(|x: Var| x.at(0), x).y,
        "lyapunov: the state has f64[2], and the function's value has f64, at ",
    );
    starts(
        |x| Lyapunov::new(5).exponents(3).map(|x: Var| x, x).y,
        "lyapunov: 3 exponents of 2 numbers, at ",
    );
    starts(
        |x| Lyapunov::new(0).map(|x: Var| x, x).y,
        "lyapunov: there are no intervals, at ",
    );
    starts(
        |x| {
            Lyapunov::new(5)
                .flow(&Ode::new(Tsit5), |_, x: Var| x, x, x)
                .y
        },
        "lyapunov: the interval is f64[2], and must be a number, at ",
    );
    starts(
        |x| {
            let ode = Ode::new(Tsit5).atol(&[1e-6, 1e-9]);
            Lyapunov::new(5).flow(&ode, |_, x: Var| x, x, 1.0).y
        },
        "lyapunov: `atol` must be one number, for the state and its tangents, at ",
    );
    starts(
        |x| steady_state(|x: Var| x.sum(), x).y,
        "steady_state: the state has f64[2], and the function's value has f64, at ",
    );
    starts(
        |x| steady_state(|x: Var| x, x.to(DType::I64)).y.to(DType::F64),
        "steady_state: the start is i64[2], and must be of floats",
    );
    starts(
        |x| limit_cycle(&Ode::new(Tsit5), |x: Var| x, x, x).y,
        "limit_cycle: the period is f64[2], and must be a number, at ",
    );
    starts(
        |x| Ensemble::new(0).run(|_| x).mean,
        "ensemble: 0 members in chunks of 1024, at ",
    );
    starts(
        |x| {
            let bins = Bins::Relative {
                scale: 0.0,
                width: 0.1,
            };
            Ensemble::new(9).quantiles(&[0.5], bins).run(|_| x).mean
        },
        "ensemble: Relative { scale: 0.0, width: 0.1 } must be of 1 to 1,000,000 bins",
    );
    starts(
        |x| {
            let bins = Bins::Between {
                low: 0.0,
                high: 1.0,
                bins: 10,
            };
            Ensemble::new(9).quantiles(&[1.5], bins).run(|_| x).mean
        },
        "ensemble: the quantile 1.5 is not between 0 and 1, at ",
    );
    starts(
        |x| {
            Ensemble::new(9)
                .run(|i| x.at(0).to(DType::I64) + i)
                .mean
                .to(DType::F64)
        },
        "ensemble: the member is i64, and must be of floats",
    );
}
