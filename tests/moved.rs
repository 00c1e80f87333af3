//! Products that leave loops and batches: the sums of outer products in the gradients of networks. The numbers are whole
//! and small, so that every order of a sum gives the same bits.

use wengert::prelude::*;
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::Func;
use wengert_ir::ir::verify::verify;
use wengert_ir::ops::Op;
use wengert_ir::rewrite::{move_products, optimise};

/// The length of the vectors, of the loops, and the number of elements of the batches.
const N: usize = 9;
const STEPS: usize = 3;
const BATCH: usize = 5;

/// A matrix, a vector for each step of each element, and a vector for each element.
fn arguments() -> [Array; 3] {
    let whole = |dims: &[usize], seed: usize| {
        let n: usize = dims.iter().product();
        let data = (0..n).map(|i| ((i + seed) * 7919 % 7) as f64 - 3.0);
        Array::new(dims, data.collect::<Vec<f64>>()).unwrap()
    };
    [
        whole(&[N, N], 0),
        whole(&[BATCH, STEPS, N], 3),
        whole(&[BATCH, N], 1),
    ]
}

/// The number of products in loops and maps whose results are as large as the matrix.
fn products_inside(func: &Func, inside: bool) -> usize {
    let count = |e: &wengert_ir::ir::Eqn| {
        let large = e
            .outputs
            .clone()
            .any(|v| func.types[v as usize].size() >= N * N);
        let own = usize::from(inside && large && matches!(e.op, Op::Dot(_)));
        let looped = inside || matches!(e.op, Op::Scan(_) | Op::Map(_));
        let bodies = e.op.bodies().into_iter();
        own + bodies.map(|f| products_inside(f, looped)).sum::<usize>()
    };
    func.eqns.iter().map(count).sum()
}

/// All products leave but `left`, and the results stay the same, interpreted and compiled.
#[track_caller]
fn leave<Y>(left: usize, f: impl Fn((Var, Var, Var)) -> Y + Clone + Send + Sync + 'static)
where
    Y: Tree<Leaf = Var>,
    Y::With<Array>: PartialEq + std::fmt::Debug,
{
    let args = arguments();
    let [w, xs, ys] = &args;
    let spec = |a: &Array| ShapeDtype::from(&a.dense().ty());
    let traced = wengert::trace(f.clone(), (spec(w), spec(xs), spec(ys)));
    let plain = traced.unwrap().into_ir();
    let moved = move_products(&plain);
    verify(&moved).unwrap();
    assert_eq!(products_inside(&moved, false), left, "{moved}");
    let buffers = args.each_ref().map(|a| Buffer::Dense(a.dense().clone()));
    let want = eval(&plain, &buffers).unwrap();
    assert!(
        want.iter().any(|x| !matches!(x, Buffer::Dense(Dense { data, .. }) if (0..data.len()).all(|i| data.bits(i) == 0))),
        "nothing but zeros"
    );
    let same = |func: &Func| {
        for (x, y) in eval(func, &buffers).unwrap().iter().zip(&want) {
            let (x, y) = (x.dense(), y.dense());
            assert_eq!(x.dims, y.dims);
            for i in 0..x.data.len() {
                // A sum from zero and one from the first term differ in the sign of a zero.
                let number = |d: &Dense| f64::from_bits(d.data.bits(i));
                assert_eq!(number(x), number(y), "{moved}");
            }
        }
    };
    same(&moved);
    same(&optimise(&plain, true));
    let compiled = jit(f);
    let got = compiled.call((w, xs, ys)).unwrap();
    assert_eq!(got, compiled.interpret((w, xs, ys)).unwrap());
}

/// A network of a matrix, for the inputs of one element.
fn net(w: Var, xs: Var) -> Var {
    scan(zeros(N), xs, move |h, x| (w.dot(h) + x, ())).0
}

fn loss(y: Var) -> Var {
    (y * arange(N).to(DType::F64)).sum()
}

#[test]
fn of_a_loop() {
    leave(0, |(w, xs, _)| grad_at(w, move |w| loss(net(w, xs.at(0)))));
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| {
            loss(scan(zeros(N), xs.at(1), move |h, x| (h.dot(w) - x, ())).0)
        })
    });
}

#[test]
fn of_a_loop_that_uses_the_matrix_twice() {
    leave(0, |(w, xs, _)| {
        let step = move |w: Var| move |h: Var, x: Var| (w.dot(h) + x.dot(w), h);
        grad_at(w, move |w| {
            let (last, rows) = scan(ones(N), xs.at(0), step(w));
            loss(last) + rows.sum()
        })
    });
}

#[test]
fn of_a_loop_that_adds_something_else() {
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| {
            loss(scan(ones(N), xs.at(0), move |h, x| (w.dot(h) + w.sum() * x, ())).0)
        })
    });
}

#[test]
fn of_a_loop_in_a_loop() {
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| {
            let outer = move |h: Var, xs: Var| {
                let inner = move |h: Var, x: Var| (w.dot(h) - x, ());
                (scan(h, xs, inner).0, ())
            };
            loss(scan(ones(N), xs.at(s![..2]), outer).0)
        })
    });
}

#[test]
fn of_states_that_are_matrices() {
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| {
            let step = move |h: Var, x: Var| (w.dot(h) + x.expand_dims(1), ());
            scan(ones([N, 2]), xs.at(0), step).0.sum()
        })
    });
}

#[test]
fn of_a_batch() {
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| vmap(move |x: Var| loss(net(w, x)))(xs).sum())
    });
    leave(0, |(w, _, ys)| {
        grad_at(w, move |w| vmap(move |y: Var| loss(w.dot(y)))(ys).sum())
    });
}

#[test]
fn of_each_element() {
    leave(0, |(w, _, ys)| {
        vmap(move |y: Var| grad_at(w, move |w| loss(w.dot(y).square())))(ys)
    });
    leave(0, |(w, _, ys)| {
        vmap(move |y: Var| grad_at(w, move |w| loss(y.dot(w).square())))(ys)
    });
    // The factors of the few steps of an element are not much smaller than their product.
    leave(1, |(w, xs, _)| {
        vmap(move |x: Var| grad_at(w, move |w| loss(net(w, x))))(xs)
    });
}

#[test]
fn what_another_batch_reads_stays() {
    leave(1, |(_, xs, ys)| {
        let all = vmap(|y: Var| outer(y, 3.0 - y))(ys);
        vmap(|(m, x): (Var, Var)| m.dot(x.at(0)))((all + 1.0, xs))
    });
}

#[test]
fn behind_a_choice() {
    leave(0, |(w, xs, _)| {
        grad_at(w, move |w| {
            let step = move |h: Var, x: Var| {
                let next = w.dot(h) + x;
                (next.gt(0.0).select(next, 0.0), ())
            };
            vmap(move |x: Var| loss(scan(ones(N), x, step).0))(xs).sum()
        })
    });
}

/// The product of a column and a row.
fn outer(x: Var, y: Var) -> Var {
    x.expand_dims(1).dot(y.expand_dims(0))
}

#[test]
fn products_with_what_is_the_same_in_all_steps_stay() {
    leave(1, |(_, xs, ys)| {
        let y = ys.at(0);
        let step = move |(sum, h): (Var, Var), x: Var| ((sum + outer(h, y), h + x), ());
        scan((zeros([N, N]), ones(N)), xs.at(0), step).0
    });
}

#[test]
fn what_is_used_otherwise_stays() {
    leave(1, |(_, xs, _)| {
        let step = move |(sum, most): (Var, Var), x: Var| {
            let product = outer(x, x);
            ((sum + product, most.maximum(product)), ())
        };
        scan((zeros([N, N]), zeros([N, N])), xs.at(0), step).0
    });
}

#[test]
fn sums_written_by_hand() {
    let step = |sum: Var, x: Var| (outer(x, 2.0 * x) + sum, ());
    leave(0, move |(w, xs, _)| scan(w, xs.at(0), step).0);
    leave(0, move |(w, xs, _)| scan_reverse(w, xs.at(0), step).0);
    // In a batch, each element has a sum.
    leave(1, move |(w, xs, _)| {
        vmap(move |x: Var| scan(w, x, step).0)(xs)
    });
}

#[test]
fn no_steps_and_no_elements() {
    let f = jit(|(w, xs): (Var, Var)| {
        grad_at(w, move |w| vmap(move |x: Var| loss(net(w, x)))(xs).sum())
    });
    let w = &arguments()[0];
    for dims in [[0, STEPS, N], [BATCH, 0, N]] {
        let none = Array::new(dims, vec![1.0; dims.iter().product()]).unwrap();
        let grad = f.call((w, &none)).unwrap();
        assert_eq!(grad, Array::full([N, N], 0.0));
    }
}
