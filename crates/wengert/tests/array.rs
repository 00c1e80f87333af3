//! Arrays outside traced functions: operators, elements, closeness.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::prelude::*;
use wengert::{Error, Result};

/// Returns the message of a panic.
fn refused(f: impl FnOnce() -> Array) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("it is refused");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => match other.downcast::<&str>() {
            Ok(message) => message.to_string(),
            Err(e) => panic!("a panic with a message, not {:?}", e.downcast::<Error>()),
        },
    }
}

#[test]
fn operators_of_owned_and_borrowed_arrays() {
    let (a, b) = (Array::from([1.0, 2.0]), Array::from([3.0, 5.0]));
    let sum = Array::from([4.0, 7.0]);
    assert_eq!(&a + &b, sum);
    assert_eq!(a.clone() + &b, sum);
    assert_eq!(&a + b.clone(), sum);
    assert_eq!(a.clone() + b.clone(), sum);
    assert_eq!(&b - &a, Array::from([2.0, 3.0]));
    assert_eq!(&a * &b, Array::from([3.0, 10.0]));
    assert_eq!(&b / &a, Array::from([3.0, 2.5]));
    assert_eq!(&b % &a, Array::from([0.0, 1.0]));
    assert_eq!(-&a, Array::from([-1.0, -2.0]));
    assert_eq!(-a, Array::from([-1.0, -2.0]));
}

#[test]
fn operators_with_numbers_on_either_side() {
    let a = Array::from([1.0, 2.0]);
    assert_eq!(&a + 1.0, Array::from([2.0, 3.0]));
    assert_eq!(1.0 - &a, Array::from([0.0, -1.0]));
    assert_eq!(2 * &a, Array::from([2.0, 4.0]));
    assert_eq!(2.0 / a.clone(), Array::from([2.0, 1.0]));
    assert_eq!(num(3u8) * &a, Array::from([3.0, 6.0]));
    assert_eq!((2.0 * &a).shape(), [2]);
    // A number takes the element type of the array, and so do numbers in Rust's arrays.
    let single = Array::from([1f32, 2.0]);
    assert_eq!(&single * 0.5, Array::from([0.5f32, 1.0]));
    assert_eq!(&single + 2usize, Array::from([3f32, 4.0]));
    assert_eq!(&single + [1.0, 2.0], Array::from([2f32, 4.0]));
    assert_eq!(
        &single + vec![vec![1.0], vec![2.0]],
        Array::from([[2f32, 3.0], [3.0, 4.0]])
    );
    let bytes = Array::from([250u8, 3]);
    assert_eq!(&bytes + 10, Array::from([4u8, 13]));
    assert_eq!(bytes / 2, Array::from([125u8, 1]));
}

#[test]
fn every_element_type() -> Result<()> {
    macro_rules! each {
        ($($t:ty)*) => {$(
            let a = Array::from([6 as $t, 4 as $t]);
            let b = Array::from([3 as $t, 2 as $t]);
            assert_eq!(&a + &b, Array::from([9 as $t, 6 as $t]));
            assert_eq!(&a - &b, Array::from([3 as $t, 2 as $t]));
            assert_eq!(&a * &b, Array::from([18 as $t, 8 as $t]));
            assert_eq!(&a / &b, Array::from([2 as $t, 2 as $t]));
            assert_eq!(&a % &b, Array::from([0 as $t, 0 as $t]));
            assert_eq!(&a + 1, Array::from([7 as $t, 5 as $t]));
            assert_eq!(10 - &a, Array::from([4 as $t, 6 as $t]));
            assert_eq!(a.get::<$t>(1)?, 4 as $t);
            assert_eq!(a.iter::<$t>()?.rev().collect::<Vec<_>>(), [4 as $t, 6 as $t]);
            assert!(a.all_close(&Array::from([6.0, 4.0]), 0.0, 0.0));
            assert!(!a.all_close(&b, 0.0, 0.5));
            let mut c = a.clone();
            c += &b;
            c *= 2;
            c.set(0, 1 as $t)?;
            assert_eq!(c, Array::from([1 as $t, 12 as $t]));
            // A shared array stays as it was.
            assert_eq!(a, Array::from([6 as $t, 4 as $t]));
        )*};
    }
    each!(f32 f64 i32 i64 u8 u32 u64);
    let (t, f) = (Array::from([true, true]), Array::from([true, false]));
    assert_eq!(&t & &f, f);
    assert_eq!(&t | &f, t);
    assert_eq!(&t ^ &f, Array::from([false, true]));
    assert_eq!(!&f, Array::from([false, true]));
    assert_eq!(&t & false, Array::from([false, false]));
    assert_eq!(&f * Array::from([2.0, 3.0]), Array::from([2.0, 0.0]));
    assert!(f.get::<bool>(0)?);
    assert!(f.all_close(&Array::from([1, 0]), 0.0, 0.0));
    assert_eq!(Array::from([6, 5]) & 3, Array::from([2, 1]));
    Ok(())
}

#[test]
fn element_types_are_promoted() {
    let (single, double) = (Array::from([1f32]), Array::from([0.5]));
    assert_eq!(&single + &double, Array::from([1.5]));
    assert_eq!(
        Array::from([1i32]) + Array::from([2i64]),
        Array::from([3i64])
    );
}

#[test]
fn element_types_are_converted() {
    let all = DType::ALL;
    let one = Array::from([1u8, 0]);
    for from in all {
        for to in all {
            let x = one.to(from).to(to);
            assert_eq!(x.dtype(), to);
            assert_eq!(x.to(DType::U8), one);
        }
    }
    assert_eq!(Array::from(300).to(DType::F32), Array::from(300f32));
    assert_eq!(
        Array::zeros([0, 2], DType::F64).to(DType::Bool).shape(),
        [0, 2]
    );
}

#[test]
fn shapes_broadcast() {
    let (column, row) = (Array::from([[1.0], [2.0]]), Array::from([10.0, 20.0, 30.0]));
    let sum = &column + &row;
    assert_eq!(sum, Array::from([[11.0, 21.0, 31.0], [12.0, 22.0, 32.0]]));
    assert_eq!(Array::from(1.0) + &row, Array::from([11.0, 21.0, 31.0]));
    assert_eq!(Array::from(2.0) * Array::from(3.0), Array::from(6.0));
    let empty = Array::zeros([0, 3], DType::F64);
    assert_eq!((&empty + &row).shape(), [0, 3]);
    assert_eq!((-&empty).shape(), [0, 3]);
    assert_eq!((2.0 * &empty).shape(), [0, 3]);
}

#[test]
fn what_is_refused_names_the_line() {
    let (a, b) = (Array::from([1.0, 2.0]), Array::from([1.0, 2.0, 3.0]));
    let line = line!() + 1;
    let message = refused(|| &a + &b);
    let start = format!(
        "add: f64[2] and f64[3] do not broadcast, at {}:{line}",
        file!()
    );
    assert!(message.starts_with(&start), "{message}");
    let line = line!() + 1;
    let message = refused(|| &a * Array::from([1, 2]));
    let start = format!(
        "mul: f64[2] and i32[2] have no common element type, at {}:{line}",
        file!()
    );
    assert!(message.starts_with(&start), "{message}");
    let line = line!() + 1;
    let message = refused(|| 0.5 * Array::from([1, 2]));
    let start = format!("mul: the float 0.5 beside i32, at {}:{line}", file!());
    assert!(message.starts_with(&start), "{message}");
    let message = refused(|| Array::from([1u8]) + 256);
    assert!(
        message.starts_with("add: 256 does not fit in u8, at "),
        "{message}"
    );
    let message = refused(|| &a + vec![vec![1.0], vec![]]);
    assert!(
        message.contains("row 0 has the shape [1], and row 1 has [0]"),
        "{message}"
    );
    let line = line!() + 1;
    let message = refused(|| -Array::from([true]));
    assert!(
        message.contains(&format!("{}:{line}", file!())),
        "{message}"
    );
    // The same operation without a panic.
    let error = jit(|(a, b): (Var, Var)| a + b).call((&a, &b)).unwrap_err();
    assert!(matches!(error, Error::Type { .. }));
}

#[test]
fn an_array_keeps_its_type_where_it_is_assigned_to() {
    let mut a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    let place = a.as_slice::<f64>().expect("f64").as_ptr();
    a += 1.0;
    a -= [1.0, 2.0];
    a *= Array::from([[2.0], [1.0]]);
    a /= Array::from([1f32, 2.0]);
    a %= 3.5;
    assert_eq!(a, Array::from([[2.0, 1.0], [3.0, 1.5]]));
    assert_eq!(a.as_slice::<f64>().expect("f64").as_ptr(), place);
    let mut row = Array::from([1f32, 2.0]);
    let line = line!() + 2;
    let message = refused(|| {
        row += &a;
        row.clone()
    });
    let start = format!(
        "add: the result is f64[2,2], and the array is f32[2], at {}:{line}",
        file!()
    );
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(row, Array::from([1f32, 2.0]));
    let message = refused(|| {
        row += [1.0, 2.0, 3.0];
        row.clone()
    });
    assert!(message.contains("do not broadcast"), "{message}");
    assert_eq!(row, Array::from([1f32, 2.0]));
    row += 1.0;
    assert_eq!(row, Array::from([2f32, 3.0]));
}

#[test]
fn operators_inside_of_a_function_that_is_traced() -> Result<()> {
    let w = Array::from([1.0, 2.0]);
    let given = w.clone();
    let f = jit(move |x: Var| (&w + &w) * x - w.clone() * x);
    assert_eq!(f.call(3.0)?, Array::from([3.0, 6.0]));
    // A refusal is the error of the call.
    let error = jit(move |x: Var| x + (&given + [1.0, 2.0, 3.0]))
        .call(1.0)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("add: f64[2] and f64[3] do not broadcast, at "),
        "{error}"
    );
    Ok(())
}

#[test]
fn memory_of_an_owned_operand_is_used_again() -> Result<()> {
    let a = Array::from(vec![1.0; 100]);
    let place = a.as_slice::<f64>()?.as_ptr();
    let b = 2.0 * (a + 1.0);
    assert_eq!(b.as_slice::<f64>()?.as_ptr(), place);
    assert!(b.iter::<f64>()?.all(|x| x == 4.0));
    Ok(())
}

/// Returns the message of an error, which names a line of this file.
#[track_caller]
fn said(error: Error) -> String {
    let text = error.to_string();
    let (what, at) = text.split_once(", at ").expect("a line");
    assert!(at.starts_with(file!()), "{text}");
    what.to_string()
}

#[test]
fn elements_by_their_indices() -> Result<()> {
    let a = Array::from([[1, 2, 3], [4, 5, 6]]);
    assert_eq!(a.get::<i32>([1, 2])?, 6);
    assert_eq!(a.get::<i32>((0usize, -1))?, 3);
    assert_eq!(a.get::<i32>(&[1, 0])?, 4);
    assert_eq!(Array::from(5.0).get::<f64>(())?, 5.0);
    for index in [
        vec![2, 0],
        vec![0, 3],
        vec![-3, 0],
        vec![0],
        vec![0, 0, 0],
        vec![i64::MIN, 0],
    ] {
        let error = said(a.get::<i32>(&index).unwrap_err());
        assert_eq!(
            error,
            format!("get: {index:?} is not an index into i32[2,3]")
        );
    }
    assert!(Array::zeros(0, DType::F64).get::<f64>(0).is_err());
    let error = said(a.get::<i64>([0, 0]).unwrap_err());
    assert_eq!(error, "get: asked for i64, and the array is i32[2,3]");
    let mut b = a.clone();
    assert!(b.set([0, 0], 1.0).is_err());
    b.set([0, 0], 9)?;
    b.as_mut_slice::<i32>()?[5] = 7;
    assert!(b.as_mut_slice::<f64>().is_err());
    assert_eq!(b, Array::from([[9, 2, 3], [4, 5, 7]]));
    assert_eq!(a, Array::from([[1, 2, 3], [4, 5, 6]]));
    Ok(())
}

#[test]
fn elements_one_after_the_other() -> Result<()> {
    let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(a.iter::<f64>()?.len(), 4);
    assert_eq!(
        a.iter::<f64>()?.rev().collect::<Vec<_>>(),
        [4.0, 3.0, 2.0, 1.0]
    );
    assert_eq!(Array::zeros([3, 0], DType::Bool).iter::<bool>()?.count(), 0);
    let error = said(a.iter::<f32>().unwrap_err());
    assert_eq!(error, "iter: asked for f32, and the array is f64[2,2]");
    Ok(())
}

#[test]
fn other_shapes() -> Result<()> {
    let a = Array::from([1, 2, 3, 4, 5, 6]);
    let place = a.as_slice::<i32>()?.as_ptr();
    let a = a.reshape((2, -1))?.reshape([3, 2])?.reshape([-1, 1, 6])?;
    assert_eq!(a.shape(), [1, 1, 6]);
    assert_eq!(a.as_slice::<i32>()?.as_ptr(), place);
    assert_eq!(Array::from(1.0).reshape(-1)?.shape(), [1]);
    assert_eq!(Array::from([1.0]).reshape(())?.shape(), [0; 0]);
    let empty = Array::zeros([2, 0], DType::F64);
    assert_eq!(empty.clone().reshape([0, 5])?.shape(), [0, 5]);
    assert_eq!(empty.clone().reshape([2, -1])?.shape(), [2, 0]);
    assert!(empty.clone().reshape([0, -1]).is_err());
    assert!(empty.reshape(1).is_err());
    for shape in [
        vec![4],
        vec![-1, -1],
        vec![-2, 3],
        vec![4, -1],
        vec![i64::MAX, i64::MAX],
    ] {
        let error = said(a.clone().reshape(&shape).unwrap_err());
        assert_eq!(
            error,
            format!("reshape: i32[1,1,6] cannot take the shape {shape:?}")
        );
    }
    Ok(())
}

#[test]
fn close_arrays() {
    let one = Array::from([1.0, 100.0]);
    let near = Array::from([1.0 + 1e-9, 100.0 - 1e-7]);
    assert!(one.all_close(&near, 1e-8, 0.0));
    assert!(!one.all_close(&near, 0.0, 1e-8));
    assert!(one.all_close(&near, 0.0, 1e-6));
    // The tolerance is relative to the second one.
    assert!(Array::from(0.9).all_close(&Array::from(1.0), 0.1, 1e-15));
    assert!(!Array::from(1.0).all_close(&Array::from(0.9), 0.1, 1e-15));
    let (up, down) = (Array::from(f64::INFINITY), Array::from(-f64::INFINITY));
    assert!(up.all_close(&up, 0.0, 0.0));
    assert!(!up.all_close(&down, 1.0, 1.0));
    assert!(!one.all_close(&Array::from([f64::INFINITY; 2]), 1.0, 1.0));
    let nan = Array::from([1.0, f64::NAN]);
    assert!(!nan.all_close(&nan, 1.0, 1.0));
    assert_ne!(nan, nan.clone());
    assert!(!one.all_close(&Array::from([[1.0, 100.0]]), 1.0, 1.0));
    assert!(Array::zeros(0, DType::F64).all_close(&Array::zeros(0, DType::F32), 0.0, 0.0));
    assert_eq!(Array::from(0.0), Array::from(-0.0));
    assert_ne!(Array::from([1.0]), Array::from([1f32]));
}

#[test]
fn outside_of_a_trace_a_mistake_is_a_panic_with_a_message() -> Result<()> {
    // Tracing a function before must not change this.
    jit(|x: Var| x + 1.0).call(1.0)?;
    let message = refused(|| {
        let _ = Var::from(vec![vec![1.0], vec![]]);
        Array::from(0.0)
    });
    assert!(message.contains("row 0 has the shape [1]"), "{message}");
    Ok(())
}

#[test]
fn lengths_that_are_none() {
    let error = Array::new([-1, 3], vec![1.0, 2.0, 3.0]).unwrap_err();
    assert_eq!(
        said(error),
        "Array::new: 3 elements do not fill the shape [-1, 3]"
    );
    let message = refused(|| Array::zeros((2, -1), DType::F64));
    assert_eq!(message, "Array::zeros: [2, -1] holds a negative length");
    let message = refused(|| Array::full(-2, 1.0));
    assert_eq!(message, "Array::full: [-2] holds a negative length");
    let message = refused(|| Array::zeros(ShapeDtype::new([-3], DType::F64).shape, DType::F64));
    assert_eq!(message, "ShapeDtype::new: [-3] holds a negative length");
}

#[test]
fn rust_types_come_out_of_arrays() -> Result<()> {
    assert_eq!(f64::try_from(Array::from(2.5))?, 2.5);
    assert!(bool::try_from(&Array::from(true))?);
    assert_eq!(Vec::<u8>::try_from(Array::from([1u8, 2]))?, [1, 2]);
    assert_eq!(<[f32; 2]>::try_from(&Array::from([1f32, 2.0]))?, [1.0, 2.0]);
    let rows: [[i64; 3]; 2] = Array::from([[1i64, 2, 3], [4, 5, 6]]).try_into()?;
    assert_eq!(rows, [[1, 2, 3], [4, 5, 6]]);

    // Nothing is converted, and no axis is dropped or added.
    assert!(f32::try_from(Array::from(2.5)).is_err());
    assert!(f64::try_from(Array::from([2.5])).is_err());
    assert!(Vec::<f64>::try_from(Array::from(2.5)).is_err());
    assert!(Vec::<f64>::try_from(Array::from([[2.5]])).is_err());
    let line = line!() + 1;
    let error = <[f64; 3]>::try_from(Array::from([1.0, 2.0])).unwrap_err();
    let start = "try_from: asked for f64[3], and the array is f64[2]";
    assert!(error.to_string().starts_with(start), "{error}");
    assert_eq!(error.at().unwrap().place().line, line);
    // `try_into` does not say who called it: then no line is better than one of Rust's own library.
    let error = TryInto::<[[f64; 2]; 2]>::try_into(Array::from([1.0, 2.0])).unwrap_err();
    assert!(!error.to_string().contains("/core/src/"), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("try_from: asked for f64[2,2], and"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_vector_takes_the_memory_of_its_array() -> Result<()> {
    let a = Array::from(vec![1.0, 2.0]);
    let (b, memory) = (a.clone(), a.as_slice::<f64>()?.as_ptr());
    assert_eq!(b.into_vec::<f64>()?, [1.0, 2.0]);
    assert_eq!(a.as_slice::<f64>()?, [1.0, 2.0]);
    let own = a.into_vec::<f64>()?;
    assert_eq!((own.as_ptr(), &own[..]), (memory, &[1.0, 2.0][..]));
    assert!(Array::from(1).into_vec::<f64>().is_err());
    Ok(())
}

#[test]
fn a_traced_value_shows_its_type_and_line() -> Result<()> {
    let shown = std::cell::RefCell::new(vec![]);
    let escaped = std::cell::Cell::new(None);
    let line = line!() + 2;
    let f = |x: Var| {
        let y = x + 1.0;
        shown.borrow_mut().push(format!("{y:?}"));
        shown.borrow_mut().push(format!("{:?}", Var::from(2.0)));
        escaped.set(Some(y));
        y
    };
    wengert::trace(f, ShapeDtype::new(2, DType::F64))?;
    let shown = shown.into_inner();
    assert!(shown[0].starts_with("Var(f64[2], made at "), "{shown:?}");
    assert!(shown[0].contains(&format!(".rs:{line}:")), "{shown:?}");
    assert!(shown[1].starts_with("Var(2.0"), "{shown:?}");
    let escaped = format!("{:?}", escaped.get().unwrap());
    assert!(
        escaped.ends_with(", of a trace that is not open)"),
        "{escaped}"
    );
    Ok(())
}
