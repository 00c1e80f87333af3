//! What goes in and out of doors.

use wengert::prelude::*;

#[test]
fn arguments_that_are_moved_in_give_their_memory_to_results() {
    let f = jit(|x: Var| x + 1.0);
    let x = Array::from(vec![0.0; 1000]);
    let place = |x: &Array| x.as_slice::<f64>().unwrap().as_ptr();
    let first = place(&x);
    let x = f.call(x).unwrap();
    let second = place(&x);
    let x = f.call(x).unwrap();
    assert_eq!(place(&x), first);
    let x = f.call(x).unwrap();
    assert_eq!(place(&x), second);
    assert_eq!(x.as_slice::<f64>().unwrap(), [3.0; 1000]);
}

#[test]
fn arguments_that_others_hold_stay_as_they_are() {
    let f = jit(|x: Var| x + 1.0);
    let x = Array::from([1.0, 2.0]);
    let kept = x.clone();
    for _ in 0..3 {
        f.call(x.clone()).unwrap();
        f.call(&x).unwrap();
    }
    assert_eq!(kept.to_vec::<f64>().unwrap(), [1.0, 2.0]);
    assert_eq!(x.to_vec::<f64>().unwrap(), [1.0, 2.0]);
}

#[test]
fn a_refused_call_takes_nothing() {
    let f = jit(|x: Var| x + 1.0);
    let code = f.compile(&ShapeDtype::new(DType::F64, [2])).unwrap();
    let error = code.call([1.0, 2.0, 3.0]).unwrap_err().to_string();
    assert_eq!(error, "args: expected f64[2], got f64[3]");
}
