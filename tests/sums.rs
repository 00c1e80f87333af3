//! The order of long sums: the interpreter and the code give the same bits for every length around the borders of
//! chunks, tasks and trees.

use wengert::Result;
use wengert::prelude::*;

const LENGTHS: [usize; 27] = [
    0, 1, 7, 8, 9, 63, 64, 65, 71, 128, 511, 512, 513, 4_095, 4_096, 4_097, 8_191, 8_192, 8_193,
    12_289, 36_865, 61_441, 65_535, 65_536, 65_537, 139_264, 1_000_000,
];

fn numbers(shape: &[usize]) -> Array {
    let n: usize = shape.iter().product();
    let x = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 509.0 - 0.9;
    Array::new(shape.to_vec(), (0..n).map(x).collect()).expect("elements that fill the shape")
}

/// Calls the code and the interpreter.
#[track_caller]
fn agree<Y>(f: impl Fn((Var, Var)) -> Y + Send + Sync + 'static, x: &Array, y: &Array)
where
    Y: Tree<Leaf = Var>,
    Y::With<Array>: PartialEq + std::fmt::Debug,
{
    let f = jit(f);
    let (code, eval): (Result<_>, Result<_>) = (f.call((x, y)), f.interpret((x, y)));
    let (code, eval) = (code.unwrap(), eval.unwrap());
    assert!(
        code == eval,
        "{:?} and {:?}: {code:?} is not {eval:?}",
        x.shape(),
        y.shape()
    );
}

#[test]
fn sums_of_all_elements() {
    for n in LENGTHS {
        let x = numbers(&[n]);
        let each = |x: Var| (x.sum(), (x * 0.01 + 1.0).prod(), x.dot(x));
        agree(move |(x, y)| (each(x), each(y)), &x, &Array::from([0.5]));
        agree(
            move |(x, y)| (each(x.to(DType::F32)), y),
            &x,
            &Array::from(0.5),
        );
        // An array on the way, and draws.
        agree(
            move |(x, y)| ((x.sin() * y).sum(), x.square().sum()),
            &x,
            &Array::from(0.5),
        );
    }
}

#[test]
fn sums_of_rows_and_columns() {
    for n in LENGTHS {
        let k = if n > 100_000 { 2 } else { 9 };
        let (rows, columns) = (numbers(&[k, n]), numbers(&[n, k]));
        agree(
            |(x, y)| (x.sum_axis(1), y.sum_axis(0), y.t().sum_axis(1)),
            &rows,
            &columns,
        );
        // A matrix and a vector, in both layouts.
        let v = numbers(&[n]);
        agree(
            |(x, v)| (x.dot(v), x.to(DType::F32).dot(v.to(DType::F32))),
            &rows,
            &v,
        );
        agree(
            |(x, v)| (v.dot(x), v.to(DType::F32).dot(x.to(DType::F32))),
            &columns,
            &v,
        );
    }
}

/// Long sums in the elements of a batch, in lanes and one after the other.
#[test]
fn sums_in_batches() {
    for n in LENGTHS.into_iter().filter(|&n| n <= 65_537) {
        for size in [2, 9] {
            let x = numbers(&[size, n]);
            agree(
                |(x, y)| vmap_axes(|(x, y): (Var, Var)| (x * y).sum(), [Some(0), None], 0)((x, y)),
                &x,
                &Array::from(0.5),
            );
            // What is not flattened: a loop around the sum.
            let looped = |(x, y): (Var, Var)| {
                while_loop(y, |s| s.lt(1.0), |s| s + 0.6 + 1e-9 * (x * s).sum())
            };
            agree(
                move |(x, y)| vmap_axes(looped, [Some(0), None], 0)((x, y)),
                &x,
                &Array::from(0.5),
            );
        }
    }
}

/// Cotangents of what all elements of a batch read are summed over its lanes.
#[test]
fn sums_over_lanes() {
    for n in LENGTHS {
        // A body that runs in lanes.
        let steps = |w: Var, x: Var| while_loop(x, |x| x.lt(1.0), move |x| x + w * w + 0.3);
        let loss = move |w: Var, x: Var| vmap(move |x| steps(w, x))(x).sum();
        agree(
            move |(x, w)| grad_at(w, move |w| loss(w, x)),
            &numbers(&[n]),
            &Array::from(0.7),
        );
        // More results than registers hold.
        let wide = move |w: Var, x: Var| {
            let step =
                move |x| while_loop(x, |x: Var| x.lt(1.0), move |x| x + w.square().mean() + 0.3);
            vmap(step)(x).sum()
        };
        if n <= 65_537 {
            agree(
                move |(x, w)| grad_at(w, move |w| wide(w, x)),
                &numbers(&[n]),
                &numbers(&[40]),
            );
        }
    }
}

/// What runs along an axis, in both directions.
fn running(x: Var, axis: usize) -> Vec<Var> {
    let ints = (x * 1e17).to(DType::I64);
    let y = x * 0.001 + 1.0;
    let mut all = vec![
        x.cumsum(axis),
        x.cumsum_reverse(axis),
        x.to(DType::F32).cumsum(axis),
        ints.cumsum(axis),
        x.cummax(axis),
        x.cummin_reverse(axis),
        y.cumprod(axis),
        y.cumprod_reverse(axis),
    ];
    // Operands that are dear to compute, one that is wanted beside the sum, and two operands.
    let dear = x.exp();
    all.extend([dear.cumsum(axis), dear.sqrt(), x.sin().cumsum_reverse(axis)]);
    all.extend([x.cumlogsumexp(axis), x.cumlogsumexp_reverse(axis)]);
    all
}

#[test]
fn running_sums_of_lines() {
    for n in LENGTHS {
        let x = numbers(&[n]);
        agree(|(x, y)| (running(x, 0), y), &x, &Array::from(0.5));
        // Few lines and many.
        if n <= 12_289 {
            for lines in [3, 40] {
                let x = numbers(&[lines, n]);
                agree(|(x, y)| (running(x, 1), y), &x, &Array::from(0.5));
            }
        }
    }
}

#[test]
fn running_sums_of_rows() {
    for n in LENGTHS.into_iter().filter(|&n| n <= 12_289) {
        // Lines in strides, rows that are loops of their own, and rows that are cut into parts.
        for shape in [&[n, 3][..], &[2, n, 5, 9], &[n, 1100]] {
            if shape.iter().product::<usize>() > 5_000_000 {
                continue;
            }
            let axis = usize::from(shape.len() == 4);
            let x = numbers(shape);
            let some = move |x: Var| {
                let all = running(x, axis);
                [
                    all[0], all[1], all[3], all[5], all[6], all[8], all[10], all[11],
                ]
            };
            agree(move |(x, y)| (some(x), y), &x, &Array::from(0.5));
        }
    }
}

#[test]
fn running_sums_in_batches() {
    for n in LENGTHS.into_iter().filter(|&n| n <= 12_289) {
        let x = numbers(&[9, n]);
        // What is not flattened: a loop around the sum.
        let looped = |(x, y): (Var, Var)| {
            while_loop(
                y,
                |s| s.lt(1.0),
                |s| {
                    let sums = (x * s).cumsum(0) + (x + s).cumsum_reverse(0);
                    s + 0.6 + 1e-9 * sums.sum()
                },
            )
        };
        agree(
            move |(x, y)| vmap_axes(looped, [Some(0), None], 0)((x, y)),
            &x,
            &Array::from(0.5),
        );
        agree(
            |(x, y)| {
                (
                    vmap(|x: Var| grad(|x: Var| (x.cumsum(0).square() * x).sum())(x))(x),
                    y,
                )
            },
            &x,
            &Array::from(0.5),
        );
    }
}

/// A running sum begins anew in each chunk of 4,096 elements, and the last sum before the chunk is added.
#[test]
fn running_sums_are_accurate() {
    let n = 10_000;
    let x = numbers(&[n]);
    let numbers = x.to_vec::<f64>().unwrap();
    let sums = jit(|x: Var| x.cumsum(0)).call(&x).unwrap();
    let sums = sums.to_vec::<f64>().unwrap();
    let (mut last, mut sum) = (-0.0, -0.0);
    for (i, x) in numbers.iter().enumerate() {
        if i % 4096 == 0 {
            (last, sum) = (if i == 0 { -0.0 } else { sums[i - 1] }, -0.0);
        }
        sum += x;
        assert_eq!(sums[i].to_bits(), f64::to_bits(last + sum), "{i}");
    }
    // Ten million times 0.1 in `f32`: one by one, the sum is wrong by a tenth.
    let ones =
        |x: Var| (Var::full(&wengert::Type::new(DType::F32, &[10_000_000]), 0.1) * x).cumsum(0);
    let sums = jit(ones).call(1.0_f32).unwrap().to_vec::<f32>().unwrap();
    let error = |i: usize| (f64::from(sums[i]) / (f64::from(0.1_f32) * (i + 1) as f64) - 1.0).abs();
    assert!(
        error(999_999) < 1e-4 && error(9_999_999) < 1e-3,
        "{:e}",
        error(9_999_999)
    );
}

/// What alone reads the results of a reduction is applied to each of them.
#[test]
fn operations_on_results() {
    let scaled = |y: Var| (y.abs() / 3.0 + 0.5).sqrt();
    let of = move |x: Var, axis: i64| {
        let sum = x.square().sum_axis(axis);
        (
            scaled(sum),
            scaled(x.mean_axis(axis)) * 2.0,
            -x.amax_axis(axis),
            (sum, sum + 1.0),
        )
    };
    let program = move |x: Var| {
        (
            of(x, 0),
            of(x, 1),
            wengert::map(x, move |x| scaled(x.sum()) * x.amin()),
        )
    };
    for dims in [[5usize, 9], [9, 5], [70, 100], [66_000, 6]] {
        let n = dims[0] * dims[1];
        let x = (0..n).map(|i| (i * 7919 % 1009) as f64 / 509.0 - 1.0);
        let x = Array::new(dims, x.collect()).unwrap();
        let f = jit(program);
        let (got, want) = (f.call(&x).unwrap(), f.interpret(&x).unwrap());
        assert_eq!(got, want, "{dims:?}");
        let f = jit(program).backend(wengert::backend::Interpreter);
        assert_eq!(f.call(&x).unwrap(), want, "{dims:?}");
    }
}

#[test]
fn operations_on_results_take_no_pass_of_their_own() {
    let norm = jit(|x: Var| x.square().sum_axis(1).sqrt());
    let code = norm
        .compile(ShapeDtype::new([1000, 40], DType::F64))
        .unwrap();
    let text = code.explain().unwrap().to_string();
    assert!(
        text.contains("sqrt") && !text.contains("elements:"),
        "{text}"
    );
    assert_eq!(code.scratch_bytes() / 8000, 0, "{text}");
}
