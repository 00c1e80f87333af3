//! Threads are those of the caller's pool, and how many they are is not seen in any result.

use wengert::prelude::*;

use crate::alone;

fn on<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    pool.install(f)
}

/// Numbers in `-1..1` without a pattern.
fn numbers<const R: usize>(shape: [usize; R]) -> Array {
    let x = |i: usize| (i as f64 * 0.754877666).sin();
    let all = (0..shape.iter().product()).map(x).collect();
    Array::new(shape, all).expect("as many as the shape holds")
}

/// Calls on one thread, on two and on four, which leave them to each other in another order each time.
fn same(name: &str, call: impl Fn() -> wengert::Result<Vec<Array>> + Sync) {
    let bits = |threads| {
        let results = on(threads, &call).unwrap_or_else(|e| panic!("{name}: {e}"));
        let bits = |a: &Array| {
            a.to_vec::<f64>()
                .expect("f64")
                .into_iter()
                .map(f64::to_bits)
        };
        results.iter().flat_map(bits).collect::<Vec<u64>>()
    };
    let one = bits(1);
    assert!(!one.is_empty(), "{name}");
    for threads in [2, 4, 2, 4] {
        assert!(bits(threads) == one, "{name} on {threads} threads");
    }
}

/// The steps of lane `i` of `n`: few for most, many for some.
fn lengths(n: usize) -> Array {
    let steps = |i: usize| if i % 97 == 5 { 3000 } else { (i % 13) as i64 };
    Array::from((0..n).map(steps).collect::<Vec<i64>>())
}

#[test]
fn a_map_and_its_sum() {
    let f = jit(|x: Var| {
        let y = (x.sin() * 3.0).exp() + x;
        (y, y.sum(), (y * y).mean())
    });
    let x = numbers([1_000_003]);
    same("a map", || {
        let (y, sum, mean) = f.call(&x)?;
        Ok(vec![y, sum, mean])
    });
}

#[test]
fn reductions() {
    let f = jit(|x: Var| (x.sum(), x.amax(), (x.sin() * 0.1).exp().sum()));
    let x = numbers([3_000_001]);
    same("a long sum", || {
        let (a, b, c) = f.call(&x)?;
        Ok(vec![a, b, c])
    });
    let rows = jit(|x: Var| (x.sum_axis(0), x.sum_axis(1)));
    let x = numbers([1000, 1003]);
    same("sums of rows and of columns", || {
        let (a, b) = rows.call(&x)?;
        Ok(vec![a, b])
    });
}

#[test]
fn lanes_of_very_different_lengths() {
    let steps = |x: Var, n: Var| {
        let more = move |(_, i): (Var, Var)| i.lt(n);
        while_loop((x, 0i64), more, |(x, i)| (x.sin() + 0.3 * x, i + 1)).0
    };
    let value = jit(vmap(move |(x, n): (Var, Var)| steps(x, n)));
    let slope = jit(vmap(move |(x, n): (Var, Var)| grad_at(x, |x| steps(x, n))));
    let (x, n) = (numbers([5001]), lengths(5001));
    same("uneven loops", || Ok(vec![value.call((&x, &n))?]));
    same("their derivatives", || Ok(vec![slope.call((&x, &n))?]));
}

#[test]
fn an_ensemble_with_gradients() {
    let end = |x: Var| {
        let step = |x: Var, _: Var| (x + 0.1 * x.sin() * (1.0 - x), ());
        scan(x, zeros([200]), step).0
    };
    let each = jit(vmap(grad(end)));
    let whole = jit(grad(move |x: Var| vmap(end)(x).sum()));
    let shared = jit(grad(move |a: Var| {
        vmap(move |x: Var| end(a * x))(arange(5000).to(DType::F64) * 1e-3).sum()
    }));
    let x = numbers([10_001]);
    same("gradients of a batch", || Ok(vec![each.call(&x)?]));
    same("the gradient of a batch", || Ok(vec![whole.call(&x)?]));
    same("what all elements share", || Ok(vec![shared.call(0.7)?]));
}

#[test]
fn draws() {
    let f = jit(|k: Key| k.normal([300_000]));
    same("draws", || Ok(vec![f.call(Key::from_seed(7))?]));
    let f = jit(|k: Key| k.uniform([70_001]).sum());
    same("a sum of draws", || Ok(vec![f.call(Key::from_seed(7))?]));
}

#[test]
fn kernels() {
    let product = jit(|(a, b): (Var, Var)| a.dot(b));
    for (m, k, n) in [(500, 700, 300), (3, 2000, 1000), (1000, 1000, 1)] {
        let (a, b) = (numbers([m, k]), numbers([k, n]));
        same("a product", || Ok(vec![product.call((&a, &b))?]));
    }
    let sorted = jit(|x: Var| (x.sort(0), x.argsort(0).to(DType::F64)));
    let x = numbers([400_000]);
    same("a sort", || {
        let (a, b) = sorted.call(&x)?;
        Ok(vec![a, b])
    });
    let rows = jit(|x: Var| x.sort(1));
    let x = numbers([400, 1001]);
    same("sorted rows", || Ok(vec![rows.call(&x)?]));
}

#[test]
fn nobody_elses_threads_are_used() {
    alone::run(module_path!(), "in_pools_of_its_own");
}

/// The pool that belongs to nobody is made when it is first asked for. Everything in this process runs in
/// pools of its own, so that it is still to be made.
#[test]
#[ignore = "run by `nobody_elses_threads_are_used`"]
fn in_pools_of_its_own() {
    let f = jit(|x: Var| {
        (
            x.sin().sum(),
            x.sort(0),
            x.reshape([1000, 1000]).dot(zeros([1000, 40])),
        )
    });
    let x = numbers([1_000_000]);
    on(1, || f.call(&x).map(drop)).expect("it runs");
    on(3, || f.call(&x).map(drop)).expect("it runs");
    let of_nobody = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global();
    of_nobody.expect("a call has used threads of another pool");
}

/// Several threads call one function at the same time, each with signatures in an order of its own: results are
/// those of one thread, and so is the memory that threads take from one another.
#[test]
fn one_function_on_many_threads() {
    let f = jit(|x: Var| (x * 2.0, x.sum()));
    let code = f.compile(Array::from([1.0, 2.0, 3.0])).unwrap();
    let (send, receive) = std::sync::mpsc::channel::<(usize, Array)>();
    std::thread::scope(|scope| {
        for thread in 0..12 {
            let (f, code, send) = (&f, &code, send.clone());
            scope.spawn(move || {
                for call in 0..400 {
                    let n = 1 + (call * 7 + thread * 5) % 23;
                    let x = Array::from(vec![thread as f64; n]);
                    let (double, sum) = f.call(&x).unwrap();
                    assert_eq!(
                        double.to_vec::<f64>().unwrap(),
                        vec![2.0 * thread as f64; n]
                    );
                    assert_eq!(sum.item::<f64>().unwrap(), (thread * n) as f64);
                    send.send((thread, double)).unwrap();
                    let x = Array::from([call as f64, 1.0, 2.0]);
                    let mut out = (Array::from([0.0; 3]), Array::from(0.0));
                    code.call_into(&x, &mut out).unwrap();
                    assert_eq!(out.1.item::<f64>().unwrap(), call as f64 + 3.0);
                }
            });
        }
        drop(send);
        // Arrays of other threads are dropped here.
        for (thread, double) in receive {
            let all = double.to_vec::<f64>().unwrap();
            assert!(all.iter().all(|&x| x == 2.0 * thread as f64));
        }
    });
}
