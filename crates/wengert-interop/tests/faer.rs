//! Matrices and columns of `faer`.

use num_complex_0_4::Complex as C;
use wengert::prelude::*;
use wengert_interop::ToArray;
use wengert_interop::faer_0_24::faer::{Col, Mat, MatRef, c64, mat};
use wengert_interop::faer_0_24::{AsFaer, ToFaer};

#[test]
fn nothing_is_transposed() {
    let a = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let m = mat![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    assert_eq!(a.to_faer::<f64>().unwrap(), m);
    assert_eq!(m.to_array(), a);
    assert_eq!(m.as_ref().to_array(), a);
    assert_eq!(
        m.transpose().to_array(),
        Array::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    );
    let x = Array::from([1.0, 0.5, -1.0]);
    let here = jit(|(a, x): (Var, Var)| a.dot(x)).call((&a, &x)).unwrap();
    assert_eq!(
        here,
        (a.as_faer::<f64>().unwrap() * x.as_faer_col::<f64>().unwrap()).to_array()
    );
}

#[test]
fn views_share_the_memory() {
    let a = Array::from([[1i32, 2, 3], [4, 5, 6]]);
    let view: MatRef<'_, i32> = a.as_faer().unwrap();
    assert_eq!(view.as_ptr(), a.as_slice::<i32>().unwrap().as_ptr());
    assert_eq!(
        (view.row_stride(), view.col_stride(), view[(1, 2)]),
        (3, 1, 6)
    );
    let x = Array::from([1.0, 2.0]);
    let col = x.as_faer_col::<f64>().unwrap();
    assert_eq!(col.as_ptr(), x.as_slice::<f64>().unwrap().as_ptr());
    assert_eq!(col.to_array(), x);
    assert_eq!(
        Col::from_fn(2, |i| i as f64).to_array(),
        Array::from([0.0, 1.0])
    );
    assert_eq!(x.to_faer_col::<f64>().unwrap().to_array(), x);
    for shape in [[0, 3], [3, 0]] {
        let empty = Array::zeros(shape, DType::F64);
        assert_eq!(empty.as_faer::<f64>().unwrap().to_array(), empty);
        assert_eq!(empty.to_faer::<f64>().unwrap().to_array(), empty);
    }
}

#[test]
fn complex_numbers() {
    let m = Mat::from_fn(2, 2, |i, j| c64::new(i as f64, j as f64));
    let z = m.to_array();
    assert_eq!(z.re, Array::from([[0.0, 0.0], [1.0, 1.0]]));
    assert_eq!(z.im, Array::from([[0.0, 1.0], [0.0, 1.0]]));
    assert_eq!(z.to_faer::<C<f64>>().unwrap(), m);
}

#[test]
fn what_does_not_fit_is_an_error_of_the_callers_line() {
    let a = Array::from([1.0, 2.0]);
    let line = line!() + 1;
    let error = a.as_faer::<f64>().unwrap_err();
    let start = "as_faer: asked for 2 axes, and the array is f64[2], at ";
    assert!(error.to_string().starts_with(start), "{error}");
    assert_eq!(error.at().unwrap().place().line, line);
    assert!(a.to_faer::<f64>().is_err() && a.as_faer_col::<f32>().is_err());
    assert!(Array::from(1.0).to_faer_col::<f64>().is_err());
}
