//! Host functions in a trace.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wengert::prelude::*;
use wengert::{Error, Result};

fn scalar() -> ShapeDtype {
    ShapeDtype::scalar(DType::F64)
}

/// Cubes a number on the host, and counts the calls.
fn cube(calls: &Arc<AtomicUsize>) -> impl Fn(Var) -> Var + Clone + Send + Sync + 'static {
    let calls = calls.clone();
    move |x: Var| {
        let calls = calls.clone();
        let call = move |x: Array| -> Result<Array> {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(Array::from(x.item::<f64>()?.powi(3)))
        };
        pure_callback(call, &scalar(), x)
    }
}

#[test]
fn it_runs_where_it_stands() {
    let calls = Arc::default();
    let cube = cube(&calls);
    let inner = cube.clone();
    let f = jit(move |x: Var| {
        let sum = scan(x, 0..3, |c, _| (inner(c) * 0.5, ())).0;
        cond(x.gt(0.0), sum, &inner, |x| x)
    });
    let step = |x: f64| x.powi(3) * 0.5;
    let want = step(step(step(1.5))).powi(3);
    for y in [f.call(1.5).unwrap(), f.interpret(1.5).unwrap()] {
        assert_eq!(y.item::<f64>().unwrap(), want);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 8);
    f.call(-1.5).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 11);
}

#[test]
fn a_batch_calls_it_for_each_element() {
    let calls = Arc::default();
    let cube = cube(&calls);
    let f = jit(vmap(vmap(move |x: Var| cube(x) + x)));
    let x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let want = [2.0, 10.0, 30.0, 68.0, 130.0, 222.0];
    for y in [f.call(x).unwrap(), f.interpret(x).unwrap()] {
        assert_eq!(y.to_vec::<f64>().unwrap(), want);
        assert_eq!(y.shape(), [2, 3]);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 12);
}

#[test]
fn trees_go_in_and_out() {
    let call = |(a, b): (Array, Array)| -> Result<(Array, Vec<Array>)> {
        let (a, b) = (a.to_vec::<f64>()?, b.to_vec::<i64>()?);
        let sum: i64 = b.iter().sum();
        Ok((
            Array::from(sum),
            vec![Array::from(a.iter().map(|a| a * 2.0).collect::<Vec<_>>())],
        ))
    };
    let out = (
        ShapeDtype::scalar(DType::I64),
        vec![ShapeDtype::new([2], DType::F64)],
    );
    let f = jit(move |x: (Var, Var)| -> (Var, Vec<Var>) { pure_callback(call, &out, x) });
    let (n, v): (Array, Vec<Array>) = f.call(([1.0, 2.0], [3i64, 4, 5])).unwrap();
    assert_eq!(n.item::<i64>().unwrap(), 12);
    assert_eq!(v[0].to_vec::<f64>().unwrap(), [2.0, 4.0]);
}

#[test]
fn what_nobody_uses_is_not_called() {
    let calls = Arc::default();
    let cube = cube(&calls);
    let f = jit(move |x: Var| {
        cube(x);
        x
    });
    f.call(2.0).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn what_goes_wrong_is_said_and_the_door_goes_on() {
    let f = jit(|x: Var| {
        let call = |x: Array| match x.item::<f64>() {
            Ok(x) if x < 0.0 => Err("it is negative".to_string()),
            Ok(x) if x > 10.0 => Ok(Array::from([x, x])),
            Ok(x) => Ok(Array::from(x)),
            Err(e) => Err(e.to_string()),
        };
        let y: Var = pure_callback(call, &scalar(), x);
        y
    });
    let line = line!() - 3;
    for (x, message) in [
        (-1.0, "it is negative"),
        (11.0, "result 0 of the function is f64[2], not f64"),
    ] {
        for error in [f.call(x).unwrap_err(), f.interpret(x).unwrap_err()] {
            assert!(matches!(error, Error::Callback { .. }), "{error}");
            let said = error.to_string();
            assert!(
                said.starts_with(&format!("pure_callback: {message}, at ")),
                "{said}"
            );
            assert!(said.contains(&format!("callback.rs:{line}:")), "{said}");
        }
    }
    assert_eq!(f.call(3.0).unwrap().item::<f64>().unwrap(), 3.0);
    let slope = move |x: Var| grad_at(x, |x| f.apply(x));
    let error = jit(slope).call(1.0).unwrap_err().to_string();
    assert!(error.contains("custom_jvp"), "{error}");
}

#[test]
fn a_panic_of_the_function_is_an_error() {
    let line = line!() + 6;
    let f = jit(|x: Var| -> Var {
        let call = |x: Array| match x.item::<f64>() {
            Ok(x) if x < 0.0 => panic!("my own"),
            other => other.map(Array::from),
        };
        pure_callback(call, &scalar(), x)
    });
    assert!(f.call(1.0).is_ok());
    for error in [f.call(-1.0).unwrap_err(), f.interpret(-1.0).unwrap_err()] {
        let said = error.to_string();
        assert!(
            said.starts_with("pure_callback: the function panicked: my own, at "),
            "{said}"
        );
        assert!(said.contains(&format!("callback.rs:{line}:")), "{said}");
    }
    assert_eq!(f.call(2.0).unwrap().item::<f64>().unwrap(), 2.0);
}

/// The sum of a vector and a number on the host, for whole batches; notes how many elements each call has.
fn added(
    calls: &Arc<Mutex<Vec<usize>>>,
) -> impl Fn(Var, Var) -> Var + Clone + Send + Sync + 'static {
    let calls = calls.clone();
    move |a: Var, b: Var| {
        let calls = calls.clone();
        let call = move |(a, b): (Array, Array)| -> Result<Array> {
            assert_eq!(a.shape(), [b.shape()[0], 2]);
            calls.lock().unwrap().push(b.shape()[0]);
            let (a, b) = (a.as_slice::<f64>()?, b.as_slice::<f64>()?);
            let sum = a.iter().enumerate().map(|(i, x)| 100.0 * b[i / 2] + x);
            Array::from(sum.collect::<Vec<_>>()).reshape([b.len(), 2])
        };
        pure_callback_batched(call, &ShapeDtype::new([2], DType::F64), (a, b))
    }
}

#[test]
fn a_batch_is_one_call_of_a_function_of_batches() {
    let calls = Arc::default();
    let f = added(&calls);
    let a = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let b = [1.0, 2.0];
    let one = jit({
        let f = f.clone();
        move |(a, b): (Var, Var)| f(a, b)
    });
    assert_eq!(
        one.call((a[0], 7.0)).unwrap().to_vec::<f64>().unwrap(),
        [701.0, 702.0]
    );
    assert_eq!(calls.lock().unwrap().split_off(0), [1]);

    // Either alone, and each with each: what is not mapped is repeated.
    let by_rows = vmap_axes(
        {
            let f = f.clone();
            move |(a, b): (Var, Var)| f(a, b)
        },
        [Some(0), None],
        0,
    );
    let y = jit(by_rows.clone()).call((a, 1.0)).unwrap();
    assert_eq!(
        y.to_vec::<f64>().unwrap(),
        [101.0, 102.0, 103.0, 104.0, 105.0, 106.0]
    );
    for axes in [[None, Some(0)], [Some(0), None]] {
        let outer = vmap_axes(by_rows.clone(), [None, Some(0)], 0);
        let inner = vmap_axes(
            {
                let f = f.clone();
                move |(a, b): (Var, Var)| f(a, b)
            },
            [None, Some(0)],
            0,
        );
        let inner = vmap_axes(inner, [Some(0), None], 0);
        let expected: Vec<f64> = match axes[0] {
            None => vec![
                101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 201.0, 202.0, 203.0, 204.0, 205.0, 206.0,
            ],
            Some(_) => vec![
                101.0, 102.0, 201.0, 202.0, 103.0, 104.0, 203.0, 204.0, 105.0, 106.0, 205.0, 206.0,
            ],
        };
        let g = move |x: (Var, Var)| {
            if axes[0].is_none() {
                outer(x)
            } else {
                inner(x)
            }
        };
        let g = jit(g);
        for y in [g.call((a, b)).unwrap(), g.interpret((a, b)).unwrap()] {
            assert_eq!(y.to_vec::<f64>().unwrap(), expected, "{axes:?}");
            assert_eq!(y.shape().len(), 3);
        }
    }
    // The interpreter has one element after the other.
    let one_by_one = [1; 6];
    let expected = [&[3, 6][..], &one_by_one, &[6], &one_by_one].concat();
    assert_eq!(calls.lock().unwrap().split_off(0), expected);

    // In a loop, once for all elements of each step. Behind a branch, where they may part, one at a time; and never for none.
    let stepped = jit(vmap_axes(
        {
            let f = f.clone();
            move |(a, b): (Var, Var)| scan(a, 0..3, |a, _| (f(a, b), ())).0
        },
        [Some(0), None],
        0,
    ));
    let y = stepped.call((a, 1.0)).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap()[..2], [301.0, 302.0]);
    assert_eq!(calls.lock().unwrap().split_off(0), [3, 3, 3]);
    let parted = jit(vmap_axes(
        move |(a, b): (Var, Var)| cond(a.at(0).gt(2.0), a, |a| f(a, b), |a| a),
        [Some(0), None],
        0,
    ));
    let y = parted.call((a, 1.0)).unwrap();
    assert_eq!(
        y.to_vec::<f64>().unwrap(),
        [1.0, 2.0, 103.0, 104.0, 105.0, 106.0]
    );
    assert_eq!(calls.lock().unwrap().split_off(0), [1, 1]);
    let none = Array::from(Vec::<f64>::new()).reshape([0, 2]).unwrap();
    assert_eq!(stepped.call((none, 1.0)).unwrap().shape(), [0, 2]);
    assert!(calls.lock().unwrap().is_empty());
}

#[test]
fn results_that_are_no_batch_are_an_error() {
    let call = |x: Array| Ok::<_, Error>(Array::from(x.as_slice::<f64>().unwrap()[0]));
    let f = jit(vmap(move |x: Var| {
        pure_callback_batched(call, &scalar(), x)
    }));
    let e = f.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(
        e.contains("result 0") && e.contains("f64[2]") && e.contains("callback.rs"),
        "{e}"
    );
    let call = |_: Array| -> Result<Array> { panic!("no luck") };
    let f = jit(vmap(move |x: Var| {
        pure_callback_batched(call, &scalar(), x)
    }));
    let e = f.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(e.contains("no luck"), "{e}");
    let call = |x: Array| Ok::<_, Error>(x);
    let f = jit(grad(move |x: Var| {
        pure_callback_batched(call, &scalar(), x)
    }));
    let e = f.call(1.0).unwrap_err().to_string();
    assert!(
        e.contains("pure_callback_batched") && e.contains("custom_jvp"),
        "{e}"
    );
}
