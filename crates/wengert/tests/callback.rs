//! Host functions in a trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
