//! What is wrong outside of a traced function has a line too: that of the call.

use expect_test::expect;
use wengert::prelude::*;
use wengert::{Error, Result};

use super::{line_of, message, shortened};

/// `main` prints `Debug` of the error that it returns; so do `unwrap` and `expect`.
#[test]
fn debug_shows_the_message() {
    let line = line!() + 1;
    let f = jit(|(x, y): (Var, Var)| x + y);
    let error = f.call(([1.0, 2.0, 3.0], [1.0, 2.0])).unwrap_err();
    expect!["add: f64[3] and f64[2] do not broadcast, at HERE"]
        .assert_eq(&shortened(&format!("{error:?}")));
    assert_eq!(line_of(&error), line);
    let panic = std::panic::catch_unwind(|| Err::<(), _>(error).unwrap()).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(
        shortened(said).ends_with("do not broadcast, at HERE"),
        "{said}"
    );
    let kinds = [
        Array::from([1.0]).item::<f32>().unwrap_err(),
        jit(|x: Var| grad(|x: Var| x)(x)).call([1.0]).unwrap_err(),
        jit(|x: Var| scan(x, 0..2, |x, _| (x.sum(), ())).0)
            .call([1.0, 2.0])
            .unwrap_err(),
        jit(|_: Var| -> Var { panic!("no") }).call(1.0).unwrap_err(),
    ];
    for error in kinds {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(shortened(&error.to_string()).contains("HERE"), "{error}");
    }
}

/// Each error is of the line on which it is made.
#[test]
fn data_names_the_line_that_asks_for_it() {
    let a = Array::from([1.0, 2.0]);
    let pair = |a: &Array| tree::unflatten::<(Array, Array)>(&tree::def(a), [a.clone()]);
    let unflattened = line!() - 1;
    let errors: [(u32, Error); 6] = [
        (line!(), a.item::<f64>().unwrap_err()),
        (line!(), a.item::<f32>().unwrap_err()),
        (line!(), a.to_vec::<i64>().unwrap_err()),
        (line!(), a.as_slice::<bool>().unwrap_err()),
        (line!(), Array::new([3], vec![1.0]).unwrap_err()),
        (unflattened, pair(&a).unwrap_err()),
    ];
    for (line, error) in errors {
        assert_eq!(line_of(&error), line, "{error}");
    }
    expect!["item: asked for the only element, and the array is f64[2], at HERE"]
        .assert_eq(&message(&a.item::<f64>().unwrap_err()));
    expect!["to_vec: asked for i64, and the array is f64[2], at HERE"]
        .assert_eq(&message(&a.to_vec::<i64>().unwrap_err()));
    let keys = jit(|key: Key| key.split_into(2))
        .call(Key::from_seed(1))
        .unwrap();
    let (line, error) = (line!(), keys.generator().unwrap_err());
    assert_eq!(line_of(&error), line, "{error}");
}

#[test]
fn calls_name_the_line_of_the_call() -> Result<()> {
    let f = jit(|x: Var| x * 2.0);
    let code = f.compile(ShapeDtype::new(1, DType::F64))?;
    let two = Array::from([1.0, 2.0]);
    let (line, error) = (line!(), code.call([1.0, 2.0]).unwrap_err());
    assert_eq!(line_of(&error), line);
    expect!["call: args: expected f64[1], got f64[2], at HERE; the code is for one signature, and `Jit::call` compiles for each"].assert_eq(&message(&error));
    let mut out = Array::zeros(1, DType::F64);
    let (line, error) = (line!(), code.call_into(&two, &mut out).unwrap_err());
    assert_eq!(line_of(&error), line);
    expect!["call_into: args: expected f64[1], got f64[2], at HERE; the code is for one signature, and `Jit::call` compiles for each"].assert_eq(&message(&error));
    let one = Array::from([1.0]);
    let mut out = Array::zeros(1, DType::F32);
    let (line, error) = (line!(), code.call_into(&one, &mut out).unwrap_err());
    assert_eq!(line_of(&error), line);
    expect!["call_into: out: expected f64[1], got f32[1], at HERE"].assert_eq(&message(&error));
    // Rows of different lengths.
    let ragged = || vec![vec![1.0, 2.0], vec![3.0]];
    let g = jit(|x: Var| x.sum());
    let h = jit(move |x: Var| x + Var::from(ragged()));
    let added = line!() - 1;
    let errors = [
        (line!(), g.call(ragged()).unwrap_err()),
        (line!(), g.compile(ragged()).unwrap_err()),
        (line!(), g.interpret(ragged()).unwrap_err()),
        (line!(), g.func(ragged()).unwrap_err()),
        (line!(), g.explain(ragged()).unwrap_err()),
        (line!(), wengert::trace(|x: Var| x, ragged()).unwrap_err()),
        (added, h.call(1.0).unwrap_err()),
    ];
    for (line, error) in errors {
        assert_eq!(line_of(&error), line, "{error}");
        let said = "an array of numbers: row 0 has the shape [2], and row 1 has [1]: the rows of an array have one length, at HERE";
        assert_eq!(message(&error), said);
    }
    // A function that uses data, as text.
    let data = Array::from([1.0]);
    let line = line!() + 1;
    let error = wengert::trace(move |x: Var| x + &data, 1.0).unwrap_err();
    assert_eq!(line_of(&error), line, "{error}");
    Ok(())
}
