//! Derivatives on grids.

use std::f64::consts::TAU;

use wengert::linalg::eigvals;
use wengert::prelude::*;
use wengert_solve::de::{End, Fourier, Grid, Ode, Tsit5, laplacian};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Kinds of ends, with what is given there: by the function, and by its derivative.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ends {
    Periodic,
    Values,
    ValueSlope,
    Slopes,
    CellValues,
    CellSlopes,
    CellSlopeValue,
}

const ALL: [Ends; 7] = [
    Ends::Periodic,
    Ends::Values,
    Ends::ValueSlope,
    Ends::Slopes,
    Ends::CellValues,
    Ends::CellSlopes,
    Ends::CellSlopeValue,
];

impl Ends {
    /// A grid on `0 .. 1` with `n` unknowns, and their places.
    fn grid(self, n: usize, f: [Var; 2], df: [Var; 2]) -> Grid {
        let (value, slope) = (f.map(End::Value), df.map(End::Slope));
        let h = self.spacing(n);
        match self {
            Ends::Periodic => Grid::periodic(h),
            Ends::Values => Grid::bounded(h, value[0], value[1]),
            Ends::ValueSlope => Grid::bounded(h, value[0], slope[1]),
            Ends::Slopes => Grid::bounded(h, slope[0], slope[1]),
            Ends::CellValues => Grid::bounded(h, value[0], value[1]).cells(),
            Ends::CellSlopes => Grid::bounded(h, slope[0], slope[1]).cells(),
            Ends::CellSlopeValue => Grid::bounded(h, slope[0], value[1]).cells(),
        }
    }

    fn spacing(self, n: usize) -> f64 {
        let n = n as f64;
        match self {
            Ends::Values => 1.0 / (n + 1.0),
            Ends::Slopes => 1.0 / (n - 1.0),
            _ => 1.0 / n,
        }
    }

    fn places(self, n: usize) -> Vec<f64> {
        let first = match self {
            Ends::Periodic | Ends::Slopes => 0.0,
            Ends::Values | Ends::ValueSlope => 1.0,
            _ => 0.5,
        };
        (0..n)
            .map(|i| (first + i as f64) * self.spacing(n))
            .collect()
    }
}

/// A periodic function that is not symmetric at the ends, its first and its second derivative.
fn wave(x: f64) -> [f64; 3] {
    let (s, c) = (TAU * x + 0.4).sin_cos();
    let e = s.exp();
    [e, TAU * c * e, TAU * TAU * (c * c - s) * e]
}

#[test]
fn polynomials_are_exact() -> Result {
    for order in [2, 4, 6] {
        let p = move |x: f64, d: i32| -> f64 {
            let factor = |k: i32| (0..d).map(|i| f64::from(k - i)).product::<f64>();
            let terms = (d..=order).map(|k| f64::from(k % 3 + 1) * factor(k) * x.powi(k - d));
            terms.sum()
        };
        for ends in &ALL[1..] {
            let n = 9;
            let x = ends.places(n);
            let u: Vec<f64> = x.iter().map(|&x| p(x, 0)).collect();
            let f = jit(move |(u, f, df): (Var, [Var; 2], [Var; 2])| {
                let grid = ends.grid(n, f, df).order(order as u32);
                (grid.first(u, 0), grid.second(u, -1))
            });
            let at = |d| [p(0.0, d), p(1.0, d)];
            let (first, second) = f.call((&u, at(0), at(1)))?;
            let (first, second) = (first.to_vec::<f64>()?, second.to_vec::<f64>()?);
            for (i, &x) in x.iter().enumerate() {
                assert!((first[i] - p(x, 1)).abs() < 1e-9, "{order} {ends:?} {i}");
                assert!((second[i] - p(x, 2)).abs() < 1e-8, "{order} {ends:?} {i}");
            }
        }
    }
    Ok(())
}

#[test]
fn errors_fall_with_the_order() -> Result {
    for ends in ALL {
        for order in [2u32, 4, 6] {
            // The error of the first derivative, and of the solution of u'' - u = g.
            let errors = |n: usize| -> Result<[f64; 2]> {
                let f = jit(move |(u, g, f, df): (Var, Var, [Var; 2], [Var; 2])| {
                    let grid = ends.grid(n, f, df).order(order);
                    let residual = move |u: Var| grid.second(u, 0) - u - g;
                    let zero = zeros_like(u);
                    let matrix = jacfwd(residual)(zero);
                    (grid.first(u, 0), matrix.solve(-residual(zero)))
                });
                let (start, end) = (wave(0.0), wave(1.0));
                let x = ends.places(n);
                let all: Vec<[f64; 3]> = x.iter().map(|&x| wave(x)).collect();
                let u: Vec<f64> = all.iter().map(|w| w[0]).collect();
                let g: Vec<f64> = all.iter().map(|w| w[2] - w[0]).collect();
                let (first, solved) = f.call((u, g, [start[0], end[0]], [start[1], end[1]]))?;
                let (first, solved) = (first.to_vec::<f64>()?, solved.to_vec::<f64>()?);
                let worst = |got: &[f64], d: usize| {
                    let apart = got.iter().zip(&all).map(|(a, w)| (a - w[d]).abs());
                    apart.fold(0.0, f64::max)
                };
                Ok([worst(&first, 1), worst(&solved, 0)])
            };
            let (coarse, fine) = (errors(24)?, errors(192)?);
            for (i, what) in ["first derivative", "solution"].iter().enumerate() {
                let found = (coarse[i] / fine[i]).log2() / 3.0;
                assert!(
                    found > f64::from(order) - 0.4,
                    "{what}, {ends:?}, order {order}: {found}, {coarse:?}, {fine:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn diffusion_decays() -> Result {
    // What is zero at the ends decays, whatever the order: all eigenvalues are to the left.
    for ends in ALL {
        for order in [2, 4, 6] {
            let n = 24;
            let f = jit(move |u: Var| {
                let none = [Var::from(0.0); 2];
                let grid = ends.grid(n, none, none).order(order);
                eigvals(jacfwd(move |u: Var| grid.second(u, 0))(u)).re
            });
            let values = f.call(vec![0.0; n])?.to_vec::<f64>()?;
            for re in values {
                assert!(re < 1e-7, "{ends:?} {order} {re}");
            }
        }
    }
    Ok(())
}

#[test]
fn sums_are_what_enters() -> Result {
    let u: Vec<f64> = (0..20).map(|i| wave(i as f64 / 17.0)[0]).collect();
    for order in [2, 4, 6] {
        let f = jit(move |u: Var| {
            let grid = Grid::periodic(0.1).order(order);
            [grid.first(u, 0), grid.second(u, 0), grid.upwind(u, -1.5, 0)].map(Var::sum)
        });
        for sum in f.call(&u)? {
            assert!(sum.item::<f64>()?.abs() < 1e-11);
        }
    }
    let f = jit(|(u, enters, leaves): (Var, Var, Var)| {
        let grid = Grid::bounded(0.1, End::slope(enters), End::slope(leaves)).cells();
        0.1 * grid.second(u, 0).sum()
    });
    assert!((f.call((&u, 0.3, 0.8))?.item::<f64>()? - 0.5).abs() < 1e-12);
    Ok(())
}

#[test]
fn transport_leans_to_where_it_comes_from() -> Result {
    let u: Vec<f64> = (0..8).map(|i| f64::from(i * i)).collect();
    let grid = Grid::bounded(1.0, End::value(1.0), End::value(64.0));
    let f = jit(move |(u, speed): (Var, Var)| grid.upwind(u, speed, 0));
    let forward = f.call((&u, 2.0))?.to_vec::<f64>()?;
    let back = f.call((&u, -2.0))?.to_vec::<f64>()?;
    for i in 0..8 {
        let x = i as f64;
        assert_eq!(forward[i], 2.0 * (2.0 * x - 1.0));
        assert_eq!(back[i], -2.0 * (2.0 * x + 1.0));
    }
    // Of order 3 and 5.
    for (order, want) in [(4, 3.0), (6, 5.0)] {
        let worst = |n: usize| -> Result<f64> {
            let f = jit(move |u: Var| {
                Grid::periodic(1.0 / n as f64)
                    .order(order)
                    .upwind(u, 1.0, 0)
            });
            let x = Ends::Periodic.places(n);
            let u: Vec<f64> = x.iter().map(|&x| wave(x)[0]).collect();
            let got = f.call(&u)?.to_vec::<f64>()?;
            Ok(got
                .iter()
                .zip(&x)
                .map(|(a, &x)| (a - wave(x)[1]).abs())
                .fold(0.0, f64::max))
        };
        let found = (worst(64)? / worst(128)?).log2();
        assert!((found - want).abs() < 0.3, "{found}");
    }
    // A speed of its own at each point.
    let f = jit(|(u, speed): (Var, Var)| Grid::periodic(1.0).upwind(u, speed, 0));
    let got = f.call(([1.0, 2.0, 4.0], [1.0, -1.0, 0.0]))?;
    assert_eq!(got.to_vec::<f64>()?, [-3.0, -2.0, 0.0]);
    Ok(())
}

#[test]
fn axes_are_alike() -> Result {
    // Three axes, ends that vary along the others.
    let f = jit(|(u, left): (Var, Var)| {
        let grid = Grid::bounded(0.5, End::value(left), End::slope(2.0)).order(4);
        let across = Grid::bounded(0.5, End::value(left.t()), End::slope(2.0)).order(4);
        let turned = across
            .second(u.transpose([2, 0, 1]), 2)
            .transpose([1, 2, 0]);
        let rows = vmap(move |(u, left): (Var, Var)| {
            vmap(move |(u, left): (Var, Var)| {
                let grid = Grid::bounded(0.5, End::value(left), End::slope(2.0)).order(4);
                grid.second(u, 0)
            })((u.t(), left))
            .t()
        });
        (grid.second(u, 1), turned, rows((u, left)))
    });
    let u: Vec<f64> = (0..3 * 7 * 4).map(|i| (i as f64).sin()).collect();
    let left: Vec<f64> = (0..3 * 4).map(|i| (i as f64).cos()).collect();
    let (a, b, c) = f.call((Array::new([3, 7, 4], u)?, Array::new([3, 4], left)?))?;
    assert_eq!(a.shape(), [3, 7, 4]);
    assert!(a.all_close(&b, 1e-14, 1e-14) && a.all_close(&c, 1e-14, 1e-14));
    Ok(())
}

#[test]
fn derivatives_are_transposes() -> Result {
    let f = move |(u, ends, h): (Var, [Var; 2], Var)| {
        let grid = Grid::bounded(h, End::value(ends[0]), End::slope(ends[1])).order(4);
        grid.second(u, 0) + grid.upwind(u, 0.3, 0)
    };
    let point = ([0.3, -0.2, 0.9, 1.0, 0.4, 0.1, 0.5], [0.5, -0.1], 0.2);
    let forward = jit(jacfwd(f)).call(point)?;
    let reverse = jit(jacrev(f)).call(point)?;
    for (a, b) in tree::leaves(&forward).iter().zip(tree::leaves(&reverse)) {
        assert!(a.all_close(&b, 1e-12, 1e-12));
    }
    // It is linear in values and ends.
    let value = jit(f).call(point)?.to_vec::<f64>()?;
    let (matrix, ends, _) = forward;
    for (i, value) in value.iter().enumerate() {
        let mut sum = 0.0;
        for j in 0..7 {
            sum += matrix.get::<f64>([i, j])? * point.0[j];
        }
        for (slope, given) in ends.iter().zip(point.1) {
            sum += slope.get::<f64>([i])? * given;
        }
        assert!((sum - value).abs() < 1e-11);
    }
    let fourier = |u: Var| Fourier::new(1.0).derivative(3, u, 0);
    let u: Vec<f64> = (0..10).map(|i| wave(0.1 * i as f64)[0]).collect();
    let (a, b) = (
        jit(jacfwd(fourier)).call(&u)?,
        jit(jacrev(fourier)).call(&u)?,
    );
    assert!(a.all_close(&b, 1e-10, 1e-10));
    Ok(())
}

#[test]
fn lanes_are_as_alone() -> Result {
    let f = |(u, a): (Var, Var)| {
        let grid = Grid::bounded(0.1, End::value(a), End::slope(0.0)).order(6);
        let torus = Grid::periodic(a).order(4);
        grid.second(u, 0) + torus.first(u, 1) + laplacian(u, [torus, torus])
    };
    let u: Vec<f64> = (0..9 * 8 * 10).map(|i| (i as f64).sin()).collect();
    let a: Vec<f64> = (0..9).map(|i| 0.3 + i as f64).collect();
    let all = jit(vmap(f)).call((Array::new([9, 8, 10], u.clone())?, &a))?;
    let one = jit(f);
    for (i, all) in all.to_vec::<f64>()?.chunks(80).enumerate() {
        let u = Array::new([8, 10], u[80 * i..80 * (i + 1)].to_vec())?;
        let alone = one.call((u, a[i]))?.to_vec::<f64>()?;
        let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
        assert_eq!(bits(all), bits(&alone));
    }
    Ok(())
}

#[test]
fn waves_are_exact() -> Result {
    for n in [15, 16] {
        let f = jit(move |x: Var| {
            let u = (3.0 * x + 0.5).sin();
            let line = Fourier::new(TAU);
            let u2 = stack([u, 2.0 * u]);
            let [a, b] = [line.first(u2, 1), line.second(u2, -1)];
            (a.at(1), b.at(0), line.derivative(3, u2.t(), 0).at((.., 0)))
        });
        let x: Vec<f64> = (0..n).map(|i| TAU * i as f64 / n as f64).collect();
        let (first, second, third) = f.call(&x)?;
        let all = [first, second, third].map(|a| a.to_vec::<f64>().unwrap());
        for (i, x) in x.iter().enumerate() {
            let (s, c) = (3.0 * x + 0.5).sin_cos();
            for (got, want) in all.iter().zip([6.0 * c, -9.0 * s, -27.0 * c]) {
                assert!((got[i] - want).abs() < 1e-12, "{n} {i} {} {want}", got[i]);
            }
        }
    }
    // Waves 4 and 5 of 16 points have a product of waves 1 and 9, which looks like wave 7 and is left out.
    let f = jit(|x: Var| {
        let product = (4.0 * x).cos() * (5.0 * x).cos();
        let line = Fourier::new(TAU);
        let [all, kept] = [line, line.dealiased()].map(|l| l.derivative(0, product, 0));
        (all - product, kept - 0.5 * x.cos())
    });
    let x: Vec<f64> = (0..16).map(|i| TAU * i as f64 / 16.0).collect();
    for apart in tree::leaves(&f.call(&x)?) {
        assert!(apart.to_vec::<f64>()?.iter().all(|d| d.abs() < 1e-14));
    }
    // The highest wave, up and down from point to point: a second derivative, but no first one.
    let f = jit(|u: Var| {
        (
            Fourier::new(TAU).first(u, 0),
            Fourier::new(TAU).second(u, 0),
        )
    });
    let (first, second) = f.call([1.0, -1.0, 1.0, -1.0])?;
    assert!(first.to_vec::<f64>()?.iter().all(|d| d.abs() < 1e-14));
    assert_eq!(second.to_vec::<f64>()?, [-4.0, 4.0, -4.0, 4.0]);
    Ok(())
}

#[test]
fn burgers_agrees_by_both() -> Result {
    // u_t + u u_x = 0.05 u_xx, by differences of order 6 and by waves.
    let solve = |by_waves: bool| {
        jit(move |u: Var| {
            let ode = Ode::new(Tsit5).rtol(1e-8).atol(1e-8);
            let s = match by_waves {
                true => {
                    let line = Fourier::new(1.0);
                    let f = move |_: Var, u: Var| {
                        0.05 * line.second(u, 0) - 0.5 * line.dealiased().first(u * u, 0)
                    };
                    ode.solve(f, u, 0.0, 0.2)
                }
                false => {
                    let line = Grid::periodic(1.0 / 64.0).order(6);
                    let f = move |_: Var, u: Var| line.second(0.05 * u, 0) - line.upwind(u, u, 0);
                    ode.solve(f, u, 0.0, 0.2)
                }
            };
            s.y
        })
    };
    let u: Vec<f64> = (0..64)
        .map(|i| (TAU * i as f64 / 64.0).sin() + 0.2)
        .collect();
    let (a, b) = (solve(true).call(&u)?, solve(false).call(&u)?);
    assert!(a.all_close(&b, 0.0, 1e-4));
    assert!(!a.all_close(&Array::from(u), 0.0, 1e-2));
    Ok(())
}

#[test]
fn the_differences_of_a_plane_are_one_loop() -> Result {
    let f = jit(|(u, v): (Var, Var)| {
        let grid = Grid::periodic(0.1).order(4);
        let spread = |u: Var| laplacian(u, [grid, grid]);
        (
            1.0 + u * u * v - 4.4 * u + spread(u),
            3.4 * u - u * u * v + spread(v),
        )
    });
    let ty = ShapeDtype::new([64, 64], DType::F64);
    let said = f.compile((ty.clone(), ty))?.explain()?.to_string();
    assert!(
        !said.contains("f64[64,64],") && !said.contains("f64[60,64],"),
        "{said}"
    );
    Ok(())
}

#[test]
fn narrow_floats_stay_narrow() -> Result {
    let grid = Grid::bounded(0.5, End::value(1.0), End::slope(0.0)).order(4);
    let f = jit(move |u: Var| (grid.second(u, 0), Fourier::new(1.0).first(u, 0)));
    let (a, b) = f.call([1f32, 1.0, 1.0, 1.0, 1.0])?;
    assert_eq!((a.dtype(), b.dtype()), (DType::F32, DType::F32));
    assert!(a.to_vec::<f32>()?.iter().all(|d| d.abs() < 1e-5));
    Ok(())
}

#[test]
fn mistakes_are_errors_at_the_users_line() {
    let said = |f: fn(Var) -> Var| {
        let e = jit(f)
            .call(Array::zeros([3, 5], DType::F64))
            .unwrap_err()
            .to_string();
        assert!(e.contains("grid.rs"), "{e}");
        e
    };
    let starts = |f: fn(Var) -> Var, want: &str| {
        let e = said(f);
        assert!(e.starts_with(want), "{e}");
    };
    starts(
        |u| Grid::periodic(1.0).first(u, 2),
        "grid: f64[3,5] has no axis 2, at ",
    );
    starts(
        |u| Grid::periodic(1.0).second(u, -3),
        "grid: f64[3,5] has no axis -3, at ",
    );
    starts(
        |u| Fourier::new(1.0).first(u, 7),
        "grid: f64[3,5] has no axis 7, at ",
    );
    starts(
        |u| Grid::periodic(1.0).order(4).first(u, 0),
        "grid: axis 0 of f64[3,5] has 3 points, and order 4 needs 5, at ",
    );
    starts(
        |u| Grid::periodic(1.0).order(3).first(u, 0),
        "grid: the order is 3, and must be 2, 4 or 6, at ",
    );
    starts(
        |u| Grid::periodic(u).first(u, 0),
        "grid: the spacing is f64[3,5], and must be a number, at ",
    );
    starts(
        |u| Grid::bounded(1.0, End::value(u.at(0)), End::slope(0.0)).first(u, 1),
        "grid: the end is f64[5], and must be a number or of shape [3], as f64[3,5] is without axis 1, at ",
    );
    starts(
        |u| Grid::periodic(u.at((0, 0)).to(DType::F32)).first(u, 1),
        "grid: the spacing is f32, and the array has f64, at ",
    );
    starts(
        |u| Grid::periodic(1.0).first(u.to(DType::I64), 1),
        "grid: the array is i64[3,5], ",
    );
    starts(
        |u| laplacian(u, [Grid::periodic(1.0); 3]),
        "laplacian: 3 grids for f64[3,5], at ",
    );
    starts(
        |u| laplacian::<Grid>(u, []),
        "laplacian: 0 grids for f64[3,5], at ",
    );
    starts(
        |u| Grid::periodic(1.0).upwind(u, u.at(0), 1),
        "upwind: the speed is f64[5] beside f64[3,5], at ",
    );
}
