//! Products of matrices and vectors: all back ends add their terms in one order, whatever the layout.

use std::fmt::Debug;

use wengert::backend::Interpreter;
use wengert::prelude::*;

/// Irregular numbers of both signs.
fn numbers(dims: &[usize], dtype: DType) -> Array {
    let n: usize = dims.iter().product();
    let data = (0..n).map(|i| (i * 7919 % 1009) as f64 / 509.0 - 1.0);
    match dtype {
        DType::F32 => Array::new(dims, data.map(|x| x as f32).collect()),
        DType::I64 => Array::new(dims, data.map(|x| (x * 100.0) as i64).collect()),
        _ => Array::new(dims, data.collect::<Vec<f64>>()),
    }
    .unwrap()
}

/// The interpreter of the array IR, that of loops and compiled code give the same bits.
#[track_caller]
fn same<Y>(f: impl Fn((Var, Var, Var)) -> Y + Clone + Send + Sync + 'static, args: &[Array; 3])
where
    Y: Tree<Leaf = Var>,
    Y::With<Array>: PartialEq + Debug,
{
    let [a, x, y] = args;
    let compiled = jit(f.clone());
    let want = compiled.interpret((a, x, y)).unwrap();
    let shapes = [a, x, y].map(|v| v.shape().to_vec());
    assert_eq!(compiled.call((a, x, y)).unwrap(), want, "{shapes:?}");
    let loops = jit(f).backend(Interpreter);
    assert_eq!(loops.call((a, x, y)).unwrap(), want, "{shapes:?}");
}

/// Shapes of matrices: short and long sums, few and many.
const SHAPES: [(usize, usize); 17] = [
    (1, 1000),
    (9, 0),
    (0, 9),
    (9, 1),
    (9, 7),
    (9, 8),
    (300, 8),
    (40, 63),
    (40, 64),
    (5, 64),
    (65, 65),
    (600, 64),
    (64, 600),
    (130, 1000),
    (1000, 130),
    (2, 65_537),
    (9, 65_537),
];

fn each(test: impl Fn(&[Array; 3])) {
    for dtype in [DType::F64, DType::F32] {
        for (m, k) in SHAPES {
            test(&[&[m, k][..], &[k], &[m]].map(|dims| numbers(dims, dtype)));
        }
    }
}

#[test]
fn layouts() {
    each(|args| {
        same(
            |(a, x, y)| {
                (
                    (a.dot(x), y.dot(a), a.t().dot(y), x.dot(a.t())),
                    (a + 0.5).dot(x * 2.0),
                )
            },
            args,
        );
    });
}

#[test]
fn parts() {
    each(|args| {
        same(
            |(a, x, y)| {
                (
                    a.at(s![..;2, ..]).dot(x),
                    a.at(s![..;-1, ..;-1]).dot(x),
                    y.at(s![..;2]).dot(a.at(s![..;2, ..])),
                    y.dot(a.at(s![.., ..;3])),
                    a.dot(x.at(s![..;-1])),
                )
            },
            args,
        );
    });
}

#[test]
fn several_vectors() {
    for (m, k) in [(9, 8), (5, 64), (40, 64), (65, 65), (130, 1000)] {
        for dtype in [DType::F64, DType::F32, DType::I64] {
            let args = [&[m, k][..], &[k, 3], &[4, m]].map(|dims| numbers(dims, dtype));
            same(
                |(a, x, y)| {
                    let columns = x.at(s![.., 1]);
                    let stacks = stack([a, a + a]);
                    (
                        (a.dot(x), y.dot(a), x.t().dot(a.t()), a.t().dot(y.t())),
                        (a.dot(columns), columns.dot(a.t())),
                        (stacks.matmul(x), stacks.matmul(columns)),
                        a.tensordot(a, [(0, 0), (1, 1)]),
                    )
                },
                &args,
            );
        }
    }
}

#[test]
fn in_loops_and_gradients() {
    for n in [7, 8, 63, 64, 65, 130] {
        for dtype in [DType::F64, DType::F32] {
            let args = [&[n, n][..], &[n], &[n]].map(|dims| numbers(dims, dtype));
            same(
                move |(a, x, y)| {
                    let a = a / n as f64;
                    let steps = fori(0..5, (x, y), move |_, (x, y)| (a.dot(x), y.dot(a) + x));
                    let of_a = grad_at(a, move |a| a.dot(x).square().sum());
                    let of_x = grad_at(x, move |x| x.dot(a).square().sum());
                    let loops = grad_at(x, move |x| {
                        fori(0..3, x, move |_, x| a.dot(x).tanh()).square().sum()
                    });
                    (steps, of_a, of_x, loops)
                },
                &args,
            );
        }
    }
}

#[test]
fn in_lanes() {
    for (m, k) in [(9, 7), (9, 63), (70, 64), (65, 65), (20, 600)] {
        for dtype in [DType::F64, DType::F32] {
            let args = [&[m, k][..], &[11, k], &[11, m]].map(|dims| numbers(dims, dtype));
            same(
                |(a, x, y)| {
                    let steps =
                        |a: Var, x: Var| fori(0..3, x, move |_, x| a.t().dot(a.dot(x).tanh()));
                    (
                        vmap(move |x: Var| a.dot(x))(x),
                        vmap(move |y: Var| y.dot(a))(y),
                        vmap(move |x: Var| steps(a, x))(x),
                        vmap(move |(x, y): (Var, Var)| y.dot(a * x.square().sum()).dot(x))((x, y)),
                    )
                },
                &args,
            );
        }
    }
}

/// Each lane has matrices of its own, and lanes that are done wait for the others.
#[test]
fn matrices_of_lanes() {
    for (m, k, n) in [(4, 9, 8), (9, 8, 7), (7, 64, 3), (5, 70, 4), (1, 300, 5)] {
        for dtype in [DType::F64, DType::F32] {
            let args = [&[11, m, k][..], &[11, k, n], &[11, m]].map(|dims| numbers(dims, dtype));
            same(
                |(a, x, y)| {
                    let products = |(a, x): (Var, Var)| (a.dot(x), x.t().dot(a.t()), a.t().dot(a));
                    let steps = |(a, y): (Var, Var)| {
                        let many = (y.sum() * 3.0).abs() + 1.0;
                        let step = move |(y, i): (Var, Var)| {
                            let next = a.dot(a.t().dot(y)) / y.square().sum().sqrt();
                            (next, i + 1.0)
                        };
                        while_loop((y, y.sum() * 0.0), move |(_, i)| i.lt(many), step).0
                    };
                    let chosen = |(a, y): (Var, Var)| {
                        let all = stack([a, 2.0 * a, a - 1.0]);
                        let i = (y.sum() * 3.0).abs().to(DType::I64) % 3;
                        all.at(i).t().dot(a) + y.sum()
                    };
                    (
                        (vmap(products)((a, x)), vmap(steps)((a, y))),
                        vmap(chosen)((a, y)),
                    )
                },
                &args,
            );
        }
    }
}

/// The second array of a table of distances lies along the sums, and the table along the others.
#[test]
fn tables_of_distances() {
    for (m, n, k) in [
        (3, 9, 5),
        (20, 30, 7),
        (33, 40, 50),
        (9, 20, 64),
        (300, 400, 3),
    ] {
        let args = [&[m, k][..], &[n, k], &[n]].map(|dims| numbers(dims, DType::F64));
        same(
            |(x, y, _)| {
                let apart = x.expand_dims(1) - y.expand_dims(0);
                let near = (x.expand_dims(1) * y.expand_dims(0)).amax_axis(-1);
                (
                    apart.square().sum_axis(-1),
                    near,
                    apart.abs().sum_axis((0, 2)),
                )
            },
            &args,
        );
    }
}

/// Products of so few terms that they are computed where they are read.
#[test]
fn few_terms() {
    for dtype in [DType::F64, DType::F32, DType::I64] {
        for k in 1..=5 {
            for (m, n) in [(1, 9), (9, 1), (3, 3), (40, 70), (300, 2)] {
                let args = [&[m, k][..], &[k, n], &[m, n]].map(|dims| numbers(dims, dtype));
                same(
                    |(a, x, y)| {
                        let (product, turned) = (a.dot(x), x.t().dot(a.t()));
                        (
                            product,
                            (product * y, product + turned.t()),
                            product.sum_axis(0),
                            y.dot(x.t()),
                        )
                    },
                    &args,
                );
            }
        }
    }
}

/// Zeros of a mask win over infinities, in products of few terms too.
#[test]
fn masked_cotangents_of_few_terms() {
    let mut args = [&[40, 70][..], &[70, 3], &[40, 3]].map(|dims| numbers(dims, DType::F64));
    let mut x = args[1].to_vec::<f64>().unwrap();
    x[0] = f64::INFINITY;
    args[1] = Array::new([70, 3], x).unwrap();
    let gradient = |(a, x, y): (Var, Var, Var)| {
        let loss = move |a: Var| {
            let product = a.dot(x);
            product.gt(0.0).select(product * y, 0.0).sum()
        };
        grad(loss)(a)
    };
    same(gradient, &args);
    let [a, x, y] = &args;
    let slope = jit(gradient).call((a, x, y)).unwrap();
    let slope = slope.to_vec::<f64>().unwrap();
    assert!(slope.iter().all(|x| !x.is_nan()) && slope.iter().any(|x| x.is_infinite()));
}

#[test]
fn products_of_few_terms_are_fused() {
    for k in [1, 2, 4, 5] {
        let layer = jit(|(x, w, b): (Var, Var, Var)| (x.dot(w) + b).tanh());
        let types = (of(&[256, k]), of(&[k, 64]), of(&[64]));
        let text = layer
            .compile(&types)
            .unwrap()
            .explain()
            .unwrap()
            .to_string();
        assert_eq!(text.contains("of dot:"), k > 4, "{text}");
    }
}

fn of(dims: &[usize]) -> ShapeDtype {
    ShapeDtype::new(dims.to_vec(), DType::F64)
}

#[test]
fn a_cotangent_lies_as_what_it_belongs_to() {
    for (a, b, spec) in [
        ([50, 40], [40, 30], "ij,jk->ik"),
        ([50, 40], [30, 40], "ij,kj->ik"),
        ([40, 50], [40, 30], "ji,jk->ik"),
        ([40, 50], [30, 40], "ji,kj->ik"),
    ] {
        let loss = move |x: [Var; 2]| einsum(spec, &x).square().sum();
        let traced = wengert::trace(grad(loss), &[of(&a), of(&b)]).unwrap();
        let back = traced.ir().to_string();
        assert!(!back.contains("transpose"), "{back}");
        let args = [numbers(&a, DType::F64), numbers(&b, DType::F64)];
        let f = jit(grad(loss));
        let [a, b] = &args;
        let (got, want) = (f.call([a, b]).unwrap(), f.interpret([a, b]).unwrap());
        for (got, want) in got.iter().zip(&want) {
            let (got, want) = (got.to_vec::<f64>().unwrap(), want.to_vec::<f64>().unwrap());
            let far = |(x, y): (&f64, &f64)| (x - y).abs() > 1e-9;
            assert!(!got.iter().zip(&want).any(far), "{spec}");
        }
    }
}
