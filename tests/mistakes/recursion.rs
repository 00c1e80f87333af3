//! Functions that call themselves, and threads that call one function.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use expect_test::expect;
use wengert::Error;
use wengert::prelude::*;
use wengert_ir::trace::depth;

use super::message;

#[test]
fn a_function_that_calls_itself() {
    type Slot = Arc<Mutex<Option<Arc<Jit<Var, Var>>>>>;
    let me: Slot = Arc::default();
    let inner = me.clone();
    let f = Arc::new(jit(move |x: Var| {
        let me = inner.lock().unwrap().clone().unwrap();
        let y = me.call(1.0).unwrap_or_else(|e| wengert_ir::error::raise(e));
        x + y.item::<f64>().unwrap()
    }));
    me.lock().unwrap().replace(f.clone());
    let error = f.call(1.0).unwrap_err();
    expect!["jit: the function calls itself while it is being traced, at HERE; use `while_loop` or `scan` to repeat"].assert_eq(&message(&error));
    assert_eq!(depth(), 0);
    me.lock().unwrap().take();
}

#[test]
fn threads_that_race_compile_once() {
    let traces = Arc::new(AtomicUsize::new(0));
    let count = traces.clone();
    let f = jit(move |x: Var| {
        count.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(20));
        x.sin()
    });
    let start = Barrier::new(16);
    let sines: Vec<f64> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..16)
            .map(|i| {
                let (f, start) = (&f, &start);
                s.spawn(move || {
                    start.wait();
                    f.call(f64::from(i)).unwrap().item::<f64>().unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(traces.load(Ordering::Relaxed), 1, "traced once");
    for (i, y) in sines.iter().enumerate() {
        assert!((y - (i as f64).sin()).abs() < 1e-15);
    }
}

type Slot = Arc<Mutex<Option<Arc<Jit<Var, Var>>>>>;

/// A function that can call itself, since it is told of its own `Jit`.
fn knowing_itself(
    f: impl Fn(&Arc<Jit<Var, Var>>, Var) -> Var + Send + Sync + 'static,
) -> Arc<Jit<Var, Var>> {
    let slot: Slot = Arc::default();
    let inner = slot.clone();
    let made = Arc::new(jit(move |x: Var| {
        let me = inner.lock().unwrap().clone().unwrap();
        f(&me, x)
    }));
    slot.lock().unwrap().replace(made.clone());
    made
}

#[test]
fn a_function_that_waits_for_a_thread_that_calls_it() {
    // Each call waits for another thread's call of the same: an error, and no deadlock.
    let f = knowing_itself(|me, x| {
        let me = me.clone();
        let other = std::thread::spawn(move || me.call(1.0).map(|_| ()));
        other
            .join()
            .unwrap()
            .unwrap_or_else(|e| wengert_ir::error::raise(e));
        x
    });
    let error = f.call(1.0).unwrap_err();
    assert!(matches!(error, Error::Reentrant { .. }), "{error}");
    // If only the first does, the other thread compiles for itself.
    let first = std::sync::atomic::AtomicBool::new(true);
    let f = knowing_itself(move |me, x| {
        if first.swap(false, Ordering::SeqCst) {
            let me = me.clone();
            let other = std::thread::spawn(move || me.call(2.0).unwrap().item::<f64>().unwrap());
            assert_eq!(other.join().unwrap(), 6.0);
        }
        3.0 * x
    });
    assert_eq!(f.call(1.0).unwrap().item::<f64>().unwrap(), 3.0);
}

#[test]
fn a_recursion_of_any_kind_ends_with_an_error() {
    // With other shapes each time.
    let f = knowing_itself(|me, x| {
        let n = x.shape()[0];
        match me.call(vec![0.0; n + 1]) {
            Ok(_) => x,
            Err(e) => wengert_ir::error::raise(e),
        }
    });
    let error = f.call([0.0]).unwrap_err();
    assert!(matches!(error, Error::Depth { limit: 64, .. }), "{error}");
    expect!["jit: 64 calls of compiled functions inside of one another, at HERE; use `while_loop` or `scan` to repeat"].assert_eq(&message(&error));
    // By a function of the host, compiled and interpreted; so deep, and no deeper.
    let slot: Slot = Arc::default();
    let me = slot.clone();
    let deepest = Arc::new(AtomicUsize::new(0));
    let deep = deepest.clone();
    let f = Arc::new(jit(move |x: Var| {
        let (me, deep) = (me.clone(), deep.clone());
        let again = move |x: Array| {
            let n = x.item::<f64>()?;
            deep.fetch_max(n as usize, Ordering::Relaxed);
            let me = me.lock().unwrap().clone().unwrap();
            if n < 5000.0 { me.call(n + 1.0) } else { Ok(x) }
        };
        pure_callback(again, &ShapeDtype::scalar(DType::F64), x)
    }));
    slot.lock().unwrap().replace(f.clone());
    for error in [f.call(1.0).unwrap_err(), f.interpret(1.0).unwrap_err()] {
        assert!(
            error.to_string().contains("64 calls of compiled functions"),
            "{error}"
        );
    }
    assert_eq!(deepest.load(Ordering::Relaxed), 64);
    // Where it ends in time it has a value.
    assert_eq!(f.call(4950.0).unwrap().item::<f64>().unwrap(), 5000.0);
    slot.lock().unwrap().take();
}
