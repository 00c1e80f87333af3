//! The problems of any number of unknowns, at the numbers for which the paper gives least values.

use wengert::prelude::*;

use super::Problem;

fn numbers(n: usize) -> Var {
    arange(1..n + 1).to(DType::F64)
}

fn len(x: Var) -> usize {
    x.shape()[0]
}

fn watson(x: Var) -> Var {
    let n = len(x);
    let t = numbers(29) / 29.0;
    // Powers of t from 0 on, and the slope of the polynomial.
    let powers = stack((0..n).map(|k| t.powi(k as i32)).collect::<Vec<_>>()).t();
    let slope = powers.at((.., ..n - 1)).dot(x.at(1..) * numbers(n - 1));
    let first = slope - powers.dot(x).square() - 1.0;
    let (a, b) = (x.at(0), x.at(1));
    concat([first, stack([a, b - a * a - 1.0])], 0)
}

/// Blocks of neighbours: the columns of the unknowns in rows of `k`.
fn blocks(x: Var, k: usize) -> Vec<Var> {
    let rows = x.reshape([(len(x) / k) as i64, k as i64]);
    (0..k).map(|i| rows.at((.., i))).collect()
}

fn extended_rosenbrock(x: Var) -> Var {
    let b = blocks(x, 2);
    stack_axis([10.0 * (b[1] - b[0].square()), 1.0 - b[0]], 1).flatten()
}

fn extended_powell(x: Var) -> Var {
    let b = blocks(x, 4);
    let parts = [
        b[0] + 10.0 * b[1],
        5f64.sqrt() * (b[2] - b[3]),
        (b[1] - 2.0 * b[2]).square(),
        10f64.sqrt() * (b[0] - b[3]).square(),
    ];
    stack_axis(parts, 1).flatten()
}

fn one(x: Var) -> Var {
    x.expand_dims(0)
}

fn penalty_1(x: Var) -> Var {
    concat([1e-5f64.sqrt() * (x - 1.0), one(x.dot(x) - 0.25)], 0)
}

fn penalty_2(x: Var) -> Var {
    let n = len(x);
    let a = 1e-5f64.sqrt();
    let i = numbers(n);
    let y = (i / 10.0).exp() + ((i - 1.0) / 10.0).exp();
    let e = (x / 10.0).exp();
    concat(
        [
            one(x.at(0) - 0.2),
            a * (e.at(1..) + e.at(..-1) - y.at(1..)),
            a * (e.at(1..) - (-0.1f64).exp()),
            one(((n as f64) - i + 1.0).dot(x.square()) - 1.0),
        ],
        0,
    )
}

fn variably_dimensioned(x: Var) -> Var {
    let sum = numbers(len(x)).dot(x - 1.0);
    concat([x - 1.0, one(sum), one(sum.square())], 0)
}

fn trigonometric(x: Var) -> Var {
    let n = len(x);
    n as f64 - x.cos().sum() + numbers(n) * (1.0 - x.cos()) - x.sin()
}

fn brown_almost_linear(x: Var) -> Var {
    let n = len(x);
    let linear = x + x.sum() - (n as f64 + 1.0);
    concat([linear.at(..-1), one(x.prod() - 1.0)], 0)
}

fn discrete_boundary(x: Var) -> Var {
    let n = len(x);
    let h = 1.0 / (n as f64 + 1.0);
    let t = numbers(n) * h;
    let all = x.pad([(1, 1)]);
    2.0 * x - all.at(..-2) - all.at(2..) + h * h * (x + t + 1.0).powi(3) / 2.0
}

fn discrete_integral(x: Var) -> Var {
    let n = len(x);
    let h = 1.0 / (n as f64 + 1.0);
    let t = numbers(n) * h;
    let cube = (x + t + 1.0).powi(3);
    let before = (t * cube).cumsum(0);
    let after = ((1.0 - t) * cube).sum() - ((1.0 - t) * cube).cumsum(0);
    x + h * ((1.0 - t) * before + t * after) / 2.0
}

fn broyden_tridiagonal(x: Var) -> Var {
    let all = x.pad([(1, 1)]);
    (3.0 - 2.0 * x) * x - all.at(..-2) - 2.0 * all.at(2..) + 1.0
}

fn broyden_banded(x: Var) -> Var {
    let n = len(x);
    // Five neighbours before, and one after.
    let all = (x * (1.0 + x)).pad([(5, 1)]);
    let near = (0..7)
        .filter(|k| *k != 5)
        .map(|k| all.slice_axis(0, k..k + n))
        .reduce(|a, b| a + b);
    x * (2.0 + 5.0 * x * x) + 1.0 - near.expect("six")
}

fn linear_full(x: Var) -> Var {
    let (n, m) = (len(x), 20);
    let sum = 2.0 / m as f64 * x.sum();
    x.pad([(0, m - n)]) - sum - 1.0
}

fn linear_rank_1(x: Var) -> Var {
    numbers(20) * numbers(len(x)).dot(x) - 1.0
}

fn linear_rank_1_zeros(x: Var) -> Var {
    let (n, m) = (len(x), 20);
    let inner = |n: usize, i: Var| (i.gt(1.0) & i.lt(n as f64)).select(1.0, 0.0);
    let (i, j) = (numbers(m), numbers(n));
    (i - 1.0) * inner(m, i) * (j * inner(n, j)).dot(x) - 1.0
}

fn chebyquad(x: Var) -> Var {
    let n = len(x);
    let z = 2.0 * x - 1.0;
    let mut rows = vec![];
    let (mut before, mut now) = (ones_like(x), z);
    for i in 1..=n {
        let integral = if i % 2 == 0 {
            -1.0 / ((i * i) as f64 - 1.0)
        } else {
            0.0
        };
        rows.push(now.mean() - integral);
        (before, now) = (now, 2.0 * z * now - before);
    }
    stack(rows)
}

pub fn problems() -> Vec<Problem> {
    let from =
        |n: usize, f: &dyn Fn(f64) -> f64| (1..=n).map(|j| f(j as f64)).collect::<Vec<f64>>();
    let of = |number, name, m, residuals: fn(Var) -> Var, start: Vec<f64>, minima| Problem {
        number,
        name,
        n: start.len(),
        m,
        residuals,
        start,
        minima,
    };
    let turns =
        |n: usize, values: &[f64]| (0..n).map(|i| values[i % values.len()]).collect::<Vec<_>>();
    let inner = |j: f64| j / 11.0 * (j / 11.0 - 1.0);
    vec![
        of(20, "Watson", 31, watson, vec![0.0; 6], &[2.287_670e-3][..]),
        of(
            21,
            "Extended Rosenbrock",
            10,
            extended_rosenbrock,
            turns(10, &[-1.2, 1.0]),
            &[0.0],
        ),
        of(
            22,
            "Extended Powell singular",
            8,
            extended_powell,
            turns(8, &[3.0, -1.0, 0.0, 1.0]),
            &[0.0],
        ),
        of(
            23,
            "Penalty I",
            11,
            penalty_1,
            from(10, &|j| j),
            &[7.087_651e-5],
        ),
        of(
            24,
            "Penalty II",
            20,
            penalty_2,
            vec![0.5; 10],
            &[2.936_605e-4],
        ),
        of(
            25,
            "Variably dimensioned",
            12,
            variably_dimensioned,
            from(10, &|j| 1.0 - j / 10.0),
            &[0.0],
        ),
        of(
            26,
            "Trigonometric",
            10,
            trigonometric,
            vec![0.1; 10],
            &[0.0, 2.795_06e-5],
        ),
        of(
            27,
            "Brown almost-linear",
            10,
            brown_almost_linear,
            vec![0.5; 10],
            &[0.0, 1.0],
        ),
        of(
            28,
            "Discrete boundary value",
            10,
            discrete_boundary,
            from(10, &inner),
            &[0.0],
        ),
        of(
            29,
            "Discrete integral equation",
            10,
            discrete_integral,
            from(10, &inner),
            &[0.0],
        ),
        of(
            30,
            "Broyden tridiagonal",
            10,
            broyden_tridiagonal,
            vec![-1.0; 10],
            &[0.0],
        ),
        of(
            31,
            "Broyden banded",
            10,
            broyden_banded,
            vec![-1.0; 10],
            &[0.0],
        ),
        of(
            32,
            "Linear, full rank",
            20,
            linear_full,
            vec![1.0; 10],
            &[10.0],
        ),
        of(
            33,
            "Linear, rank 1",
            20,
            linear_rank_1,
            vec![1.0; 10],
            &[190.0 / 41.0],
        ),
        of(
            34,
            "Linear, rank 1 with zero columns and rows",
            20,
            linear_rank_1_zeros,
            vec![1.0; 10],
            &[454.0 / 74.0],
        ),
        of(35, "Chebyquad", 7, chebyquad, from(7, &|j| j / 8.0), &[0.0]),
    ]
}
