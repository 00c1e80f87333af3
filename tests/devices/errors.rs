//! Errors: of calls, where their results are read; of devices, where they are asked for what they cannot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::prelude::*;
use wengert::{Error, check};

use super::Simulated;

/// The message of a panic.
#[track_caller]
fn panics<T>(f: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    wengert_ir::error::said(&*panic).expect("a message")
}

#[test]
fn a_failed_call_is_seen_by_whoever_reads() {
    let gpu = Simulated::new("a GPU");
    let device = Device::from(gpu.clone());
    let f = jit(|x: Var| {
        check(x.gt(0.0).all(), "x is positive");
        x.sqrt()
    });
    let f = f.on(&device);
    let next = jit(|x: Var| x + 1.0).on(&device);
    let y = f.call([1.0, -1.0]).unwrap();
    // What depends on it is queued, and fails for the same reason.
    let z = next.call(&y).unwrap();
    let wanted = jit(|x: Var| {
        check(x.gt(0.0).all(), "x is positive");
        x.sqrt()
    });
    let wanted = wanted.call([1.0, -1.0]).unwrap_err().to_string();
    let cause = "check: x is positive, at ";
    assert!(wanted.starts_with(cause));
    for array in [&y, &z] {
        assert!(matches!(array.to_vec::<f64>(), Err(Error::Check { .. })));
        for error in [
            array.as_slice::<f64>().unwrap_err(),
            array.get::<f64>(0).unwrap_err(),
            array.to_host().unwrap_err(),
            array.to_device(&Device::cpu()).unwrap_err(),
            Vec::<f64>::try_from(array).unwrap_err(),
            array.clone().set(0, 1.0).unwrap_err(),
            jit(|x: Var| x * 2.0).call(array).unwrap_err(),
            jit(|x: Var| x * 2.0).interpret(array).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(
                error.starts_with(cause) && error.contains("errors.rs:"),
                "{error}"
            );
        }
        // The type is looked at first.
        let error = array.as_slice::<f32>().unwrap_err().to_string();
        assert!(error.starts_with("as_slice: asked for f32"), "{error}");
        // What cannot return an error.
        let shown = array.to_string();
        assert!(shown.starts_with(&format!("<{cause}")), "{shown}");
        let shown = format!("{array:?}");
        assert!(
            shown.starts_with(&format!("Array(f64[2] <{cause}")),
            "{shown}"
        );
        for message in [
            panics(|| array + 1.0),
            panics(|| *array == Array::from([1.0, 2.0])),
            panics(|| array.all_close(&Array::from([1.0, 2.0]), 0.0, 0.0)),
        ] {
            assert!(message.starts_with(cause), "{message}");
        }
        // Other types are other arrays, and nobody reads.
        assert!(*array != Array::from([1.0]));
        // A traced function that captures it.
        let captured = array.clone();
        let error = jit(move |x: Var| x * &captured)
            .call([1.0, 2.0])
            .unwrap_err();
        assert!(error.to_string().starts_with(cause), "{error}");
    }
    // The function is as good as before.
    assert_eq!(f.call([4.0]).unwrap(), Array::from([2.0]));
}

#[test]
fn limits_hold() {
    let device = Device::from(Simulated::new("a GPU"));
    let endless = jit(|x: Var| while_loop(x, |y| y.lt(2.0), |y| y)).max_steps(10);
    let y = endless.on(&device).call(1.0).unwrap();
    let error = y.item::<f64>().unwrap_err();
    assert!(
        matches!(error, Error::MaxSteps { limit: 10, .. }),
        "{error}"
    );

    let grows = grad(|x: Var| while_loop(x, |x| x.lt(1e4), |x| x + 1.5 + x.sin()));
    let y = jit(grows)
        .max_residual_bytes(1000)
        .on(&device)
        .call(2.0)
        .unwrap();
    assert!(matches!(y.item::<f64>(), Err(Error::Memory { .. })));
}

#[test]
fn there_is_not_enough_memory() {
    let gpu = Simulated::with("a small GPU", 1000, &[]);
    let device = Device::from(gpu.clone());
    let large = Array::zeros([100, 2], DType::F64);
    let error = large.to_device(&device).unwrap_err().to_string();
    let cause = "device a small GPU: 1600 bytes are asked for, and it has no memory for them";
    assert!(
        error.starts_with(&format!(
            "to_device: {cause}; the array is f64[100,2], 1600 bytes, at "
        )),
        "{error}"
    );
    let f = jit(|(x, y): (Var, Var)| x + y).on(&device);
    let error = f.call((1.0, &large)).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "call: {cause}; it was to take args.1, 1600 bytes, at "
        )),
        "{error}"
    );
    let error = jit(move |x: Var| x + &large)
        .on(&device)
        .call(1.0)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("array 0 that the function captures, 1600 bytes")
    );
    let wide = jit(|x: Var| x.broadcast_to([200])).on(&device);
    let error = wide.call(1.0).unwrap_err().to_string();
    assert!(error.starts_with(&format!("call: {cause}, at ")), "{error}");
    // Nothing of it is left.
    assert_eq!(gpu.counts().live(), 0);
    f.call((1.0, 2.0)).unwrap();
}

#[test]
fn programs_that_the_device_cannot_run() {
    let device = Device::from(Simulated::with("a GPU", usize::MAX, &[DType::F32]));
    let f = jit(|x: Var| {
        let y = x * 2.0;
        debug_print("y is {}", y);
        y
    });
    let line = line!() - 3;
    let error = f.on(&device).call(1.0).unwrap_err().to_string();
    assert!(
        error.starts_with("debug_print: a GPU cannot call functions of the host; the CPU can, at ")
            && error.contains(&format!("errors.rs:{line}:")),
        "{error}"
    );
    let inside = jit(vmap(|x: Var| {
        let (y, ()) = scan(x, 0..3, |c: Var, _: Var| {
            (
                pure_callback(Ok::<Array, Error>, &ShapeDtype::scalar(DType::F64), c),
                (),
            )
        });
        y
    }));
    let error = inside.on(&device).call([1.0]).unwrap_err().to_string();
    assert!(
        error.starts_with("pure_callback: a GPU cannot call"),
        "{error}"
    );

    let narrow = jit(|x: Var| x.to(DType::F32)).on(&device);
    let error = narrow.call(1.0).unwrap_err().to_string();
    assert_eq!(
        error,
        "compile: a GPU: code generation failed: no elements of f32; the CPU runs it"
    );
    let error = Array::from(1f32)
        .to_device(&device)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("device a GPU: it has no elements of f32"),
        "{error}"
    );

    let factor = jit(|a: Var| (a + a.t()).cholesky()).on(&device);
    let line = line!() - 1;
    let error = factor
        .call(Array::zeros([200, 200], DType::F64))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("; it calls cholesky at ") && error.contains(&format!("errors.rs:{line}:")),
        "{error}"
    );
}

#[test]
fn arguments_that_do_not_fit() {
    let device = Device::from(Simulated::new("a GPU"));
    let code = jit(|(x, y): (Var, Var)| x + y)
        .on(&device)
        .compile(([1.0, 2.0], 1.0))
        .unwrap();
    let x = device.put(&(Array::from([1.0]), Array::from(1.0))).unwrap();
    let mut out = Array::zeros([2], DType::F64);
    for error in [
        code.call(&x).unwrap_err().to_string(),
        code.call_into(&x, &mut out).unwrap_err().to_string(),
    ] {
        assert!(
            error.contains("args.0: expected f64[2], got f64[1]"),
            "{error}"
        );
    }
    let x = (Array::from([1.0, 2.0]), Array::from(1.0));
    let error = code
        .call_into(&x, &mut Array::from([1.0]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("out: expected f64[2], got f64[1]"),
        "{error}"
    );
    assert_eq!(out.device(), Device::cpu());
    code.call_into(&x, &mut out).unwrap();
    assert_eq!((out.device(), out), (device, Array::from([2.0, 3.0])));
}
