//! Families of array operations over shapes of every kind, all axes: derivatives to second order in
//! both modes, batches against loops, machine code against the interpreter.

use wengert::prelude::*;
use wengert_check::{Rng, check_grads, check_vmap};
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::ops::index::{Access, Bounds, scatter};

/// Shapes with empty axes, axes of one element, few elements and many.
const SHAPES: &[&[usize]] = &[
    &[1],
    &[0],
    &[4],
    &[37],
    &[3, 2],
    &[1, 9],
    &[0, 3],
    &[2, 0],
    &[7, 5],
    &[3, 33],
    &[2, 3, 4],
    &[2, 1, 3, 2],
];

/// A family: what it does with an array of floats along an axis.
type Family = (&'static str, fn(Var, isize) -> Vec<Var>);

/// Numbers without a derivative, for places.
fn places(x: Var, n: usize) -> Var {
    (x.stop_gradient() * 7.0).floor().to(DType::I64) % (n as i64 + 1)
}

fn writes(x: Var, a: isize) -> Vec<Var> {
    let axis = a as usize;
    let n = x.shape()[axis];
    let all = [
        Access::Set,
        Access::Add,
        Access::Mul,
        Access::Min,
        Access::Max,
    ];
    let i = places(x.sum(), n) + iota(3, DType::I64);
    let mut window = x.shape();
    window[axis] = 3;
    let u = (x.sum_axis(a).expand_dims(a) + 0.3)
        .cos()
        .broadcast_to(&window);
    let u = u + full(&window, 0.1).cumsum(a);
    let write = |access| scatter(access, x.sin(), i, u, axis, 0, Bounds::Drop);
    all.into_iter().map(write).collect()
}

const FAMILIES: &[Family] = &[
    ("running sums", |x, a| {
        vec![x.cumsum(a), x.sin().cumsum_reverse(a)]
    }),
    ("running products", |x, a| {
        vec![x.cumprod(a), (x + 0.5).cumprod_reverse(a)]
    }),
    ("running extremes", |x, a| {
        vec![x.cummax(a) * x, x.cummin_reverse(a)]
    }),
    ("running sums of exponentials", |x, a| {
        vec![x.cumlogsumexp(a), (x * 3.0).cumlogsumexp_reverse(a)]
    }),
    ("sorting", |x, a| {
        let mut y = x.sort_with(&[x.cos()], a);
        y.extend([x.sin().sort_descending(a), x.argsort(a)]);
        y
    }),
    ("extremes", |x, a| match x.shape()[a as usize] {
        0 => vec![],
        _ => vec![x.argmax_axis(a), x.argmin_axis(a)],
    }),
    ("the largest", |x, a| {
        let x = x.move_axis(a, -1);
        let (values, places) = x.top_k(*x.shape().last().unwrap() / 2);
        vec![values * 2.0, places]
    }),
    ("searching", |x, a| {
        let line = x.move_axis(a, -1).flatten();
        vec![
            line.sort(0).searchsorted(x),
            line.sort(0).searchsorted_right(x.cos()),
        ]
    }),
    ("reading along an axis", |x, a| {
        match x.shape()[a as usize] {
            0 => vec![],
            n => {
                let i = places(x, n);
                vec![x.sin().take_along_axis(i, a), x.take(i.flatten(), a)]
            }
        }
    }),
    ("writing along an axis", |x, a| {
        let i = places(x, x.shape()[a as usize]);
        let put = x.put_along_axis(i, x.cos(), a);
        vec![put, x.add_along_axis(i, 0.5, a), i.one_hot(4)]
    }),
    ("writing", writes),
    ("index expressions", |x, a| {
        let (x, n) = (x.move_axis(a, 0), x.shape()[a as usize]);
        if x.shape().contains(&0) {
            return vec![x.at(s![.., NewAxis]), x.at_add(s![0..0], 1.0)];
        }
        let i = places(x.sum(), n);
        let y = x.sin().at_mul(s![i], x.at(0)).at_set(s![..;2], 0.3);
        let mut all = vec![y, x.at(s![NewAxis, i, ...]), x.at_max(i, x.at(-1))];
        if x.rank() > 1 {
            let j = arange(2);
            all.push(x.at(s![j, 0]) * x.at(s![i, i]));
            all.push(x.at_add(s![j, -1], 1.5).at_mul(s![j, i], 0.5));
            all.push(x.at_min(s![.., j], 0.1).at_set(s![i, i], x.at((0, 0))));
        }
        all
    }),
];

fn array(rng: &mut Rng, dims: &[usize], f: impl Fn(&mut Rng) -> f64) -> Array {
    let n = dims.iter().product();
    let elements = (0..n).map(|_| f(rng)).collect();
    Array::from_dense(Dense::of(dims.to_vec(), elements))
}

/// Equal elements, zeros of both signs, infinities, and what is not a number.
fn delicate(rng: &mut Rng) -> f64 {
    let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    match rng.below(8) {
        0 => *rng.pick(&special),
        1..=4 => rng.below(3) as f64,
        _ => rng.uniform(-2.0, 2.0),
    }
}

fn each_case(f: impl Fn(&str, fn(Var, isize) -> Vec<Var>, &[usize], isize)) {
    for (name, family) in FAMILIES {
        for dims in SHAPES {
            for a in 0..dims.len() {
                f(
                    &format!("{name} of {dims:?} along {a}"),
                    *family,
                    dims,
                    a as isize,
                );
            }
        }
    }
}

/// Two results, one NaN being like another.
#[track_caller]
fn same(what: &str, a: &[Array], b: &[Array]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()), "{what}");
        for i in 0..a.len() {
            let [(x, nx), (y, ny)] = [a, b].map(|x| {
                let nan = matches!(&*x.dense().data, Data::F64(v) if v[i].is_nan());
                (x.dense().data.bits(i), nan)
            });
            assert!(
                x == y || (nx && ny),
                "{what}: result {k}, element {i}: {a:?} and {b:?}"
            );
        }
    }
}

#[test]
fn compiled_and_interpreted() {
    each_case(|what, family, dims, a| {
        let mut rng = Rng::new(1);
        let f = jit(move |x: Var| family(x, a));
        let slopes = jit(move |x: Var| {
            grad_at(x, |x| {
                let floats = family(x, a).into_iter().filter(|y| y.dtype() == DType::F64);
                floats.map(|y| (y * y).sum()).sum::<Var>() + x.sum()
            })
        });
        for _ in 0..3 {
            let x = array(&mut rng, dims, delicate);
            same(what, &f.call(&x).unwrap(), &f.interpret(&x).unwrap());
            let (g, h) = (slopes.call(&x).unwrap(), slopes.interpret(&x).unwrap());
            same(&format!("the gradient of {what}"), &[g], &[h]);
        }
    });
}

#[test]
fn derivatives() {
    each_case(|what, family, dims, a| {
        let mut rng = Rng::new(2);
        let x = array(&mut rng, dims, |rng| rng.uniform(-1.5, 1.5));
        check_grads(move |x: Var| family(x, a), x, 2).unwrap_or_else(|e| panic!("{what}: {e}"));
    });
}

#[test]
fn batches_and_loops() {
    each_case(|what, family, dims, a| {
        let mut rng = Rng::new(3);
        let x = array(&mut rng, &[&[11], dims].concat(), delicate);
        check_vmap(move |x: Var| family(x, a), x).unwrap_or_else(|e| panic!("{what}: {e}"));
    });
}

/// In the body of a loop, and of a loop in lanes.
#[test]
fn in_loops() {
    for (what, family) in FAMILIES {
        let f = move |x: Var| {
            scan(x, arange(3), move |c: Var, _: Var| {
                let y = family(c, 0);
                let floats = y.iter().filter(|y| y.dtype() == DType::F64);
                let total: Var = floats.map(|y| y.tanh().mean()).sum();
                ((c + total).sin(), y)
            })
        };
        let mut rng = Rng::new(4);
        for n in [4, 20] {
            let x = array(&mut rng, &[n], |rng| rng.uniform(-1.0, 1.0));
            let f = jit(move |x: Var| {
                let (last, rows) = f(x);
                [vec![last], rows].concat()
            });
            same(what, &f.call(&x).unwrap(), &f.interpret(&x).unwrap());
        }
        let x = array(&mut rng, &[11, 9], |rng| rng.uniform(-1.0, 1.0));
        check_vmap(move |x: Var| f(x), x).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

#[test]
fn many_rows_on_threads() {
    let f = jit(|x: Var| {
        vec![
            x.sort(-1),
            x.argsort_descending(0),
            x.cumsum(0),
            x.cummax_reverse(1),
            x.t().sort(1),
        ]
    });
    let mut rng = Rng::new(5);
    let x = array(&mut rng, &[300, 401], delicate);
    same("rows", &f.call(&x).unwrap(), &f.interpret(&x).unwrap());
}
