//! Values of types and shapes that do not fit, and values where they do not belong.

use std::sync::{Arc, Mutex};

use expect_test::expect;
use wengert::Error;
use wengert::prelude::*;

use super::{line_of, message, mistaken, shortened};

#[test]
fn shapes_that_do_not_broadcast() {
    mistaken(
        |(x, y): (Var, Var)| x + y,
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]),
        expect!["add: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    let f = jit(|(x, y): (Var, Var)| x * y);
    let error = f.call(([1.0, 2.0, 3.0], [1.0, 2.0])).unwrap_err();
    assert_eq!(line_of(&error), line!() - 2);
}

#[test]
fn element_types_that_do_not_mix() {
    mistaken(
        |(x, y): (Var, Var)| x + y,
        (1.0, 1i64),
        expect![
            "add: f64 and i64 have no common element type, at HERE; convert one of them, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |x: Var| x + 0.5,
        1i64,
        expect!["add: the float 0.5 beside i64, at HERE; convert first, as in `x.to(DType::F64)`"],
    );
    mistaken(
        |x: Var| x.sin(),
        1i64,
        expect!["sin: floats expected, got i64, at HERE; convert it, as in `x.to(DType::F64)`"],
    );
}

#[test]
fn a_var_kept_for_a_later_trace() {
    let kept: Arc<Mutex<Option<Var>>> = Arc::default();
    let keep = kept.clone();
    jit(move |x: Var| {
        keep.lock().unwrap().replace(x * 2.0);
        x
    })
    .call(1.0)
    .unwrap();
    let keep = kept.clone();
    let use_it = move |x: Var| {
        let v = keep.lock().unwrap().unwrap();
        x + v
    };
    mistaken(
        use_it,
        1.0,
        expect![
            "use of a Var: a Var made at HERE was used at HERE, where its trace is not open; a Var lives only inside the function that is being traced: return it, or pass it as an argument to what uses it (a compiled function takes it by `apply`)"
        ],
    );
    // On another thread as well.
    let error = std::thread::spawn(move || {
        let v = kept.lock().unwrap().unwrap();
        jit(move |x: Var| x + v).call(1.0).unwrap_err()
    });
    expect!["use of a Var: a Var made at HERE was used at HERE, where its trace is not open; a Var lives only inside the function that is being traced: return it, or pass it as an argument to what uses it (a compiled function takes it by `apply`)"].assert_eq(&message(&error.join().unwrap()));
}

#[test]
fn an_operation_with_no_door_open() {
    let kept: Arc<Mutex<Option<Var>>> = Arc::default();
    let keep = kept.clone();
    jit(move |x: Var| {
        keep.lock().unwrap().replace(x);
        x
    })
    .call(1.0)
    .unwrap();
    let v = kept.lock().unwrap().unwrap();
    let panic = std::thread::spawn(move || v + 1.0).join().unwrap_err();
    let text = panic.downcast_ref::<String>().expect("an ordinary panic");
    assert!(text.contains("where its trace is not open"), "{text}");
    assert_eq!(
        shortened(text).matches("HERE").count(),
        2,
        "where it was made and used: {text}"
    );
    let panic = std::thread::spawn(|| wengert::arange(3))
        .join()
        .unwrap_err();
    let text = panic.downcast_ref::<String>().expect("an ordinary panic");
    assert!(text.contains("no trace is open on this thread"), "{text}");
}

#[test]
fn a_var_of_another_door() {
    mistaken(
        |x: Var| {
            let inner = jit(move |y: Var| x + y);
            inner
                .call(1.0)
                .unwrap_or_else(|e| wengert_ir::error::raise(e));
            x
        },
        1.0,
        expect![
            "use of a Var: a Var made at HERE, in the function traced at HERE, was used at HERE, in the function traced at HERE; pass it as an argument: inside of a traced function, `f.apply(x)` takes a Var where `f.call(x)` takes data"
        ],
    );
}

#[derive(Tree, Clone, Debug)]
struct Layer<T = Var> {
    w: T,
    b: Vec<T>,
}

#[test]
fn arguments_that_do_not_fit() {
    let f = jit(|(x, l): (Var, Layer)| l.w.dot(x) + l.b[0]);
    let specs = (
        ShapeDtype::new([4], DType::F64),
        Layer {
            w: ShapeDtype::new([3, 4], DType::F64),
            b: vec![ShapeDtype::new([3], DType::F64)],
        },
    );
    let code = f.compile(&specs).unwrap();
    let layer = |w: Array, b: Vec<Array>| Layer { w, b };
    let x = || Array::zeros([4], DType::F64);
    let b = || vec![Array::zeros([3], DType::F64)];
    let error = |args| message(&code.call(args).unwrap_err());
    let w = Array::zeros([3], DType::F32);
    expect!["call: args.1.w: expected f64[3,4], got f32[3], at HERE; the code is for one signature, and `Jit::call` compiles for each"].assert_eq(&error((x(), layer(w, b()))));
    let w = || Array::zeros([3, 4], DType::F64);
    expect!["call: args: expected the structure that the code was made for, got .1.b: expected a Vec of 1, got a Vec of 0, at HERE; the code is for one signature, and `Jit::call` compiles for each"].assert_eq(&error((x(), layer(w(), vec![]))));
    expect!["call: args.1.b[0]: expected f64[3], got f64[4], at HERE; the code is for one signature, and `Jit::call` compiles for each"].assert_eq(&error((
        x(),
        layer(w(), vec![Array::zeros([4], DType::F64)]),
    )));
    // A refused call has taken nothing: the next one is served.
    assert_eq!(code.call((x(), layer(w(), b()))).unwrap().shape(), [3]);
}

#[test]
fn a_mistake_deep_inside() {
    let f = |x: Var| {
        let row = |x: Var| {
            scan(x, 0..3, |c, _| {
                let y = cond(c.gt(0.0), c, |c| c.dot(wengert::ones([2])), |c| c);
                (y, ())
            })
            .0
        };
        vmap(row)(x)
    };
    mistaken(
        f,
        [1.0, 2.0],
        expect!["dot: f64 has 0 axes, and f64[2] has 1, at HERE; multiply by a number with `*`"],
    );
    mistaken(
        grad(move |x: Var| f(x).sum()),
        [1.0, 2.0],
        expect!["dot: f64 has 0 axes, and f64[2] has 1, at HERE; multiply by a number with `*`"],
    );
}

#[test]
fn batches_that_do_not_match() {
    mistaken(
        vmap(|(x, y): (Var, Var)| x + y),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        expect![
            "vmap: the argument.0 has 2 elements to map over, and the argument.1 has 3, at HERE"
        ],
    );
    mistaken(
        vmap(|x: Var| x),
        1.0,
        expect![
            "vmap: the argument is f64, which has no axis 0 to map over; capture what is the same for all, or use `vmap_axes`, at HERE"
        ],
    );
    mistaken(
        |x: Var| scan(0.0, x, |c, x| (c + x, ())).0,
        1.0,
        expect![
            "scan: the scalar cannot be read row by row: f64; numbers are made an array by `Var::from([1.0, 2.0])`, and `0..n` counts steps, at HERE"
        ],
    );
}

#[test]
fn transforms_outside_of_every_door() {
    let one = || Var::from(1.0);
    let cases: [fn(Var) -> Var; 6] = [
        |x| grad(|x: Var| x * x)(x),
        |x| jacfwd(|x: Var| x * x)(x),
        |x| jvp(|x: Var| x.sin(), x, x).1,
        |x| vjp(|x: Var| x.sin(), x).0,
        |x| fori(0..3, x, |_, x| x * x),
        |x| cond(x.gt(0.0), x, |x| x, |x| -x),
    ];
    for (i, f) in cases.into_iter().enumerate() {
        let panic = std::thread::spawn(move || f(one())).join().unwrap_err();
        let text = panic.downcast_ref::<String>().expect("an ordinary panic");
        assert!(
            text.contains("no trace is open on this thread"),
            "{i}: {text}"
        );
        assert!(shortened(text).contains("HERE"), "{i}: {text}");
    }
}

#[test]
fn what_unravels_a_vector_names_where_it_was_made() {
    let line = line!() + 1;
    let f = jit(|x: Var| tree::ravel((x, x)).1(zeros(3)).0);
    let error = f.call(1.0).unwrap_err();
    assert_eq!(line_of(&error), line);
    expect!["unravel: the tree is made of a vector of 2, and this is f64[3], at HERE"]
        .assert_eq(&message(&error));
}

#[test]
fn texts_do_not_hold_functions_of_the_host() {
    let func = wengert::trace(
        |x: Var| {
            debug_print("{}", x);
            x
        },
        1.0,
    );
    let error = wengert::Func::parse(&func.unwrap().to_string())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`debug_print` calls a function of the program"),
        "{error}"
    );
    let same = |x: Array| Ok::<_, Error>(x);
    let func = wengert::trace(
        move |x: Var| pure_callback(same, &ShapeDtype::scalar(DType::F64), x),
        1.0,
    );
    let error = wengert::Func::parse(&func.unwrap().to_string())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`pure_callback` calls a function of the program"),
        "{error}"
    );
}
