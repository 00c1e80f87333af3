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
