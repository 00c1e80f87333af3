//! What users get wrong, and what they see: an `Err` that names the operation, the types and the line;
//! nothing on standard error, and a trace stack that the next call finds clean.

// Panics of the standard library are among them.
#![allow(clippy::unnecessary_literal_unwrap)]

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert::{Error, Feed, Result};
use wengert_ir::trace::depth;

/// The message, with line and column of this file's places left out.
fn message(error: &Error) -> String {
    let text = error.to_string();
    let mut out = String::new();
    let mut rest = &text[..];
    // Absolute or relative, the file ends the same.
    while let Some(i) = rest.find("mistakes.rs:") {
        let start = rest[..i].rfind(' ').map_or(0, |s| s + 1);
        out.push_str(&rest[..start]);
        out.push_str("HERE");
        let tail = &rest[i + "mistakes.rs:".len()..];
        let end = tail
            .find(|c: char| c != ':' && !c.is_ascii_digit())
            .unwrap_or(tail.len());
        rest = &tail[end..];
    }
    out + rest
}

/// A call is an `Err` with that message; the trace stack is clean afterwards, and the thread goes on.
#[track_caller]
fn mistaken<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A, want: Expect)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>>,
{
    let error = jit(f).call(args).err().expect("a mistake");
    want.assert_eq(&message(&error));
    assert_eq!(depth(), 0, "the trace stack is clean");
    let y = jit(|x: Var| x * 2.0).call(2.0).unwrap();
    assert_eq!(y.item::<f64>().unwrap(), 4.0);
}

fn line_of(error: &Error) -> u32 {
    let text = error.to_string();
    let (_, place) = text.split_once("mistakes.rs:").expect("this file is named");
    place.split(':').next().unwrap().parse().unwrap()
}

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
            "use of a Var: a Var made at HERE was used at HERE, where its trace is not open; a Var lives only inside the function that is being traced: return it or pass it as an argument"
        ],
    );
    // On another thread as well.
    let error = std::thread::spawn(move || {
        let v = kept.lock().unwrap().unwrap();
        jit(move |x: Var| x + v).call(1.0).unwrap_err()
    });
    expect!["use of a Var: a Var made at HERE was used at HERE, where its trace is not open; a Var lives only inside the function that is being traced: return it or pass it as an argument"].assert_eq(&message(&error.join().unwrap()));
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
        text.matches("mistakes.rs:").count(),
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
            "use of a Var: a Var made at HERE, in the function traced at HERE, was used at HERE, in the function traced at HERE pass it as an argument"
        ],
    );
}

#[test]
fn a_gradient_that_does_not_exist() {
    mistaken(
        grad(|x: Var| x * 2.0),
        [1.0, 2.0],
        expect![
            "grad: the function gives f64[2], and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    mistaken(
        grad(|x: Var| x.to(DType::I64)),
        1.0,
        expect![
            "grad: the function gives i64, and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    mistaken(
        grad(|x: Var| x.to(DType::F64)),
        1i64,
        expect![
            "grad: the argument is i64, and only floats have derivatives, at HERE; capture it, or convert it to f64"
        ],
    );
    let clipped = custom_vjp(|x: Var| x, |x| (x, ()), |(), ct: Var| ct);
    let forward = move |x: Var| jvp(&clipped, x, Var::from(1.0)).1;
    mistaken(
        forward,
        1.0,
        expect![
            "custom_vjp: forward mode through a function that has only a pullback, at HERE; use reverse mode (`grad`, `vjp`), or give the function a `custom_jvp`"
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
    expect!["args.1.w: expected f64[3,4], got f32[3]"].assert_eq(&error((x(), layer(w, b()))));
    let w = || Array::zeros([3, 4], DType::F64);
    expect!["args: expected the structure that the code was made for, got .1.b: expected a Vec of 1, got a Vec of 0"].assert_eq(&error((x(), layer(w(), vec![]))));
    expect!["args.1.b[0]: expected f64[3], got f64[4]"].assert_eq(&error((
        x(),
        layer(w(), vec![Array::zeros([4], DType::F64)]),
    )));
    // A refused call has taken nothing: the next one is served.
    assert_eq!(code.call((x(), layer(w(), b()))).unwrap().shape(), [3]);
}

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
fn a_loop_that_never_ends() {
    let f = jit(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0)).max_steps(1000);
    expect!["loop: more than 1000 steps, at HERE; raise the limit if the loop is meant to go on"]
        .assert_eq(&message(&f.call(1.0).unwrap_err()));
    assert_eq!(f.call(-1.0).unwrap().item::<f64>().unwrap(), -1.0);
    let f = jit(grad(|x: Var| {
        while_loop(x, |x| x.gt(0.0), |x| x.sin() + 2.0)
    }));
    let f = f.max_residual_bytes(1 << 16);
    let error = f.call(1.0).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
    // A batch in which one element goes on forever.
    let f = jit(vmap(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0))).max_steps(1000);
    assert!(matches!(
        f.call([-1.0, 1.0]).unwrap_err(),
        Error::MaxSteps { .. }
    ));
    assert_eq!(
        f.call([-1.0, -2.0]).unwrap().to_vec::<f64>().unwrap(),
        [-1.0, -2.0]
    );
}

#[test]
fn carries_that_change() {
    mistaken(
        |x: Var| scan(x, 0..3, |c, _| (c.broadcast_to([2]), ())).0,
        1.0,
        expect![
            "scan: the carry is f64 before the step and f64[2] after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    mistaken(
        |x: Var| fori(0..3, x, |i, _| i),
        1.0,
        expect![
            "fori: the carry is f64 before the step and i64 after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    mistaken(
        |x: Var| {
            while_loop(
                (x, 0i64),
                |(x, _)| x.lt(3.0),
                |(x, n)| (x, n.to(DType::F64)),
            )
            .0
        },
        1.0,
        expect![
            "while_loop: the carry.1 is i64 before the step and f64 after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    mistaken(
        |x: Var| while_loop(x, |x| x, |x| x + 1.0),
        1.0,
        expect![
            "while: the condition gives f64, not a bool, at HERE; reduce an array of truth values by `any()` or `all()`"
        ],
    );
    mistaken(
        |x: Var| scan(vec![x], 0..3, |c, _| (vec![c[0], c[0]], ())).0,
        1.0,
        expect![
            "scan: the carry and what the step makes of it differ: expected a Vec of 1, got a Vec of 2, at HERE"
        ],
    );
    mistaken(
        |x: Var| cond(x.gt(0.0), x, |x| x, |x| x.broadcast_to([2])),
        1.0,
        expect![
            "cond: result 0 is f64 in one branch and f64[2] in the other, at HERE; convert or broadcast one of them: the branches give one type"
        ],
    );
    mistaken(
        |x: Var| cond(x, x, |x| x, |x| x),
        1.0,
        expect![
            "cond: chooses by a bool, got f64, at HERE; compare with `lt`, `eq` ..; choose element by element with `select`"
        ],
    );
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
        expect!["dot: f64 and f64[2] have 0 and 1 axes, at HERE; multiply by a number with `*`"],
    );
    mistaken(
        grad(move |x: Var| f(x).sum()),
        [1.0, 2.0],
        expect!["dot: f64 and f64[2] have 0 and 1 axes, at HERE; multiply by a number with `*`"],
    );
}

#[test]
fn a_custom_rule_that_captures() {
    mistaken(
        |x: Var| {
            let rule = custom_jvp(move |y: Var| x * y, |y, dy| (y, dy));
            rule(x)
        },
        1.0,
        expect![
            "custom_jvp: a function of a custom rule captures a Var made at HERE, at HERE; pass it as an argument"
        ],
    );
    mistaken(
        |x: Var| {
            let rule = custom_vjp(|y: Var| y, |y| (y, y), move |_, ct: Var| ct * x);
            grad_at(x, rule)
        },
        1.0,
        expect![
            "custom_vjp: a function of a custom rule captures a Var made at HERE, at HERE; pass it as an argument"
        ],
    );
    mistaken(
        |x: Var| custom_jvp(|y: Var| y, |y, _| (y, y.broadcast_to([2])))(x),
        1.0,
        expect!["custom_jvp: the value has f64, and the tangent has f64[2], at HERE"],
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
            "scan: the scalar cannot be read row by row: f64; numbers are made an array by `Var::from([1.0, 2.0])`, at HERE"
        ],
    );
}

#[test]
fn a_panic_of_the_users_own() {
    let line = line!() + 1;
    let f = jit(|x: Var| match x.rank() {
        0 => x,
        n => panic!("{n} axes are too many"),
    });
    for _ in 0..2 {
        let error = f.call([1.0, 2.0]).unwrap_err();
        assert!(matches!(error, Error::Panic { .. }));
        expect!["the function panicked: 1 axes are too many, in what is written at HERE (the panic is at HERE)"]
            .assert_eq(&message(&error));
        let Error::Panic {
            place: Some(place), ..
        } = &error
        else {
            panic!("it has a line")
        };
        assert_eq!(place.place().line, line + 2, "the panic");
        assert_eq!(line_of(&error), line, "the call to jit");
        assert_eq!(depth(), 0);
        assert_eq!(f.call(1.0).unwrap().item::<f64>().unwrap(), 1.0);
    }
    // What carries no message is meant for somebody further out.
    struct Signal;
    let f = jit(|x: Var| match x.rank() {
        0 => x,
        _ => std::panic::resume_unwind(Box::new(Signal)),
    });
    let call = std::panic::AssertUnwindSafe(|| f.call([1.0, 2.0]).map(|_| ()));
    let passed = std::panic::catch_unwind(call).unwrap_err();
    assert!(passed.is::<Signal>());
    assert_eq!(depth(), 0);
    assert_eq!(f.call(1.0).unwrap().item::<f64>().unwrap(), 1.0);
}

/// One `Err` that names a line of this file, on which `what` stands, twice; and the same compiled function goes on.
#[track_caller]
fn recovers<X, Y, A>(f: &Jit<X, Y>, bad: A, line: u32, what: &str, good: A) -> Error
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    let mut errors = (0..2).map(|_| f.call(bad.clone()).err().expect("a mistake"));
    let (first, second) = (errors.next().unwrap(), errors.next().unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert!(first.to_string().starts_with(what), "{first}");
    assert_eq!(line_of(&first), line, "{first}");
    assert_eq!(depth(), 0, "the trace stack is clean");
    f.call(good).map(|_| ()).expect("the next call works");
    first
}

#[test]
fn a_closure_that_panics_in_a_branch() {
    let line = line!() + 3;
    let f = jit(vmap(grad(|x: Var| {
        let chosen = |x: Var| {
            cond(
                x.gt(0.0),
                x,
                |x| x * x,
                |x| match std::env::args().count() {
                    0 => x,
                    n => panic!("{n} arguments"),
                },
            )
        };
        while_loop(x, |x| x.lt(3.0), move |x| chosen(x) + 1.0)
    })));
    let error = f.call([1.0, 2.0]).unwrap_err();
    assert!(
        error.to_string().starts_with("the function panicked: "),
        "{error}"
    );
    assert_eq!(line_of(&error), line);
    assert_eq!(depth(), 0);
    let next = jit(vmap(grad(|x: Var| x * x))).call([1.0, 2.0]).unwrap();
    assert_eq!(next.to_vec::<f64>().unwrap(), [2.0, 4.0]);
}

#[test]
fn a_tape_over_its_limit() {
    let line = line!() + 2;
    let grown = |x: Var| {
        while_loop(
            x,
            |x| x.lt(1000.0),
            |x| x + x.sin().square() * 0.001 + 0.001,
        )
    };
    let f = jit(grad(grown)).max_residual_bytes(1 << 16);
    let error = recovers(&f, 0.0, line, "residuals of a loop need ", 999.9995);
    assert!(matches!(error, Error::Memory { need, limit, .. } if need > limit && limit == 1 << 16));
    let f = jit(vmap(grad(grown))).max_residual_bytes(1 << 16);
    recovers(
        &f,
        vec![0.0; 20],
        line,
        "residuals of a loop need ",
        vec![999.9995; 20],
    );
    // A loop in a loop: the line is that of the one whose list grows.
    let line = line!() + 3;
    let f = jit(grad(|x: Var| {
        fori(0..3, x, |_, x| {
            while_loop(
                x,
                |x| x.lt(1000.0),
                |x| x + x.sin().square() * 0.001 + 0.001,
            ) - 999.0
        })
    }));
    let f = f.max_residual_bytes(1 << 16);
    recovers(&f, 0.0, line, "residuals of a loop need ", 5000.0);
}

#[test]
fn a_while_that_hits_its_limit_of_steps() {
    let line = line!() + 1;
    let endless = |x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0);
    for f in [jit(endless), jit(grad(endless))] {
        let f = f.max_steps(1000);
        let error = recovers(&f, 1.0, line, "loop: more than 1000 steps, at ", -1.0);
        assert!(matches!(error, Error::MaxSteps { limit: 1000, .. }));
        assert_eq!(f.interpret(1.0).err().unwrap(), error);
    }
    for f in [jit(vmap(endless)), jit(vmap(grad(endless)))] {
        let f = f.max_steps(1000);
        let mut xs = vec![-1.0; 300];
        let good = xs.clone();
        xs[137] = 1.0;
        recovers(&f, xs, line, "loop: more than 1000 steps, at ", good);
    }
}

#[test]
fn a_check_that_fails_inside_a_mapped_scan() {
    let line = line!() + 3;
    let walk = |x: Var| {
        scan(x, 0..10, |c, _| {
            wengert::check(c.lt(100.0), "the walk stays near");
            (c * 1.5, c)
        })
        .1
        .sum()
    };
    let mut xs = vec![1.0; 300];
    let good = xs.clone();
    xs[211] = 20.0;
    let f = jit(vmap(walk));
    recovers(
        &f,
        xs.clone(),
        line,
        "check: the walk stays near, at ",
        good.clone(),
    );
    let f = jit(vmap(grad(walk)));
    recovers(&f, xs, line, "check: the walk stays near, at ", good);
}

#[test]
fn a_custom_rule_of_the_wrong_type() {
    let line = line!() + 2;
    let f = jit(vmap(grad(|x: Var| {
        let rule = custom_vjp(
            |x: Var| x.sin(),
            |x| (x.sin(), x),
            |_, ct: Var| ct.to(DType::F32),
        );
        scan(x, 0..3, |c, _| (rule(c), ())).0
    })));
    let error = f.call([1.0, 2.0]).unwrap_err();
    let said = message(&error);
    assert!(
        said.starts_with("custom_vjp: the argument has f64, and its cotangent has f32"),
        "{said}"
    );
    assert_eq!(line_of(&error), line);
    assert_eq!(depth(), 0);
    // The same function, for other types: nothing is left of the failure.
    let f = jit(|x: Var| custom_jvp(|x: Var| x * x, |x, dx| (x * x, (2.0 * x * dx).sum()))(x));
    let line = line!() - 1;
    recovers(
        &f,
        Array::from([1.0, 2.0]),
        line,
        "custom_jvp: the value has f64[2], and the tangent has f64",
        Array::from(3.0),
    );
    let f = jit(|x: Var| custom_jvp(|x: Var| x * x, |x, dx| (x * x, 2.0 * x * dx))(x));
    assert_eq!(f.call([3.0]).unwrap().to_vec::<f64>().unwrap(), [9.0]);
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

#[test]
fn nothing_is_written_to_standard_error() {
    // Errors of many kinds, in a process of their own whose standard error is read.
    let run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "errors_of_many_kinds",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(run.status.success());
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
}

#[test]
#[ignore = "run by `nothing_is_written_to_standard_error`"]
fn errors_of_many_kinds() {
    let failed = |r: Result<Array>| assert!(r.is_err());
    failed(jit(|x: Var| x + wengert::ones([5])).call([1.0, 2.0]));
    failed(jit(grad(|x: Var| x)).call([1.0, 2.0]));
    failed(jit(vmap(|x: Var| scan(x, 0..3, |c, _| (c.sin().at(0), ())).0)).call([1.0]));
    failed(jit(|x: Var| fori(0..3, x, |i, _| i)).call(1.0));
    let endless = jit(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0));
    failed(endless.max_steps(10).call(1.0));
    // Panics of the user's: in the function, in a branch of it, in a `jit` in it, of Rust's own, in what it
    // calls while it runs.
    failed(jit(|_: Var| -> Var { panic!("no") }).call(1.0));
    failed(jit(|x: Var| cond(x.gt(0.0), x, |x| x, |_| -> Var { panic!("no") })).call(1.0));
    failed(jit(|x: Var| x + [1.0, 2.0][std::env::args().count() + 2]).call(1.0));
    failed(jit(|x: Var| x + None::<f64>.unwrap()).call(1.0));
    failed(jit(|x: Var| x + "one".parse::<f64>().unwrap()).call(1.0));
    let inner = |_: Var| -> Var {
        let inner = jit(|_: Var| -> Var { panic!("inside") }).call(1.0);
        assert!(matches!(inner, Err(Error::Panic { .. })));
        panic!("outside")
    };
    failed(jit(inner).call(1.0));
    let scalar = ShapeDtype::scalar(DType::F64);
    let panics = |_: Array| -> Result<Array> { panic!("no") };
    let calls = move |x: Var| pure_callback(panics, &scalar, x);
    failed(jit(calls.clone()).call(1.0));
    failed(jit(calls.clone()).interpret(1.0));
    failed(jit(vmap(calls)).call(vec![1.0; 1000]));
    let prints = jit(|x: Var| {
        debug_print("{}", x);
        x
    });
    let prints = prints.on_print(|_| panic!("no paper"));
    failed(prints.call(1.0));
    failed(prints.interpret(1.0));
}

#[test]
fn a_panic_that_becomes_no_error_is_printed() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "panics_of_other_kinds",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(run.status.success());
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "first: before",
            "first: elsewhere",
            "first: after",
            "second: later"
        ]
    );
}

#[test]
#[ignore = "run by `a_panic_that_becomes_no_error_is_printed`"]
fn panics_of_other_kinds() {
    use std::panic::{catch_unwind, set_hook};
    let said = |info: &std::panic::PanicHookInfo<'_>| {
        info.payload()
            .downcast_ref::<&str>()
            .map_or("?", |s| *s)
            .to_string()
    };
    // The program's own hook, as it was before the first call.
    set_hook(Box::new(move |info| eprintln!("first: {}", said(info))));
    let _ = catch_unwind(|| panic!("before"));
    let f = || {
        jit(|x: Var| {
            // A thread that traces nothing.
            let other = std::thread::spawn(|| panic!("elsewhere")).join();
            assert!(other.is_err());
            if x.rank() == 0 { panic!("an error") } else { x }
        })
    };
    assert!(f().call(1.0).is_err());
    let _ = catch_unwind(|| panic!("after"));
    // And one that is set later is asked for all.
    set_hook(Box::new(move |info| eprintln!("second: {}", said(info))));
    let _ = catch_unwind(|| panic!("later"));
}

#[test]
fn the_printer_panics() {
    let f = jit(|x: Var| {
        debug_print("{}", x);
        x
    });
    let f = f.on_print(|_| panic!("no paper"));
    for _ in 0..2 {
        let errors = [f.call(1.0).unwrap_err(), f.interpret(1.0).unwrap_err()];
        for error in errors {
            assert_eq!(
                error.to_string(),
                "on_print: the printer panicked: no paper"
            );
        }
    }
    let f = jit(vmap(|x: Var| {
        debug_print("{}", x);
        x
    }));
    assert!(
        f.on_print(|_| panic!("no paper"))
            .call(vec![1.0; 300])
            .is_err()
    );
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
        assert!(text.contains("mistakes.rs:"), "{i}: {text}");
    }
}

#[test]
fn custom_rules_that_are_not_linear() {
    let refused = |rule: fn(Var, Var) -> (Var, Var), why: &str| {
        let line = line!() + 1;
        let f = move |x: Var| custom_jvp(|x: Var| x * x, rule)(x);
        let batch = Array::from([2.0]);
        for (f, x) in [
            (jit(f), 2.0.into()),
            (jit(grad(f)), 2.0.into()),
            (jit(vmap(grad(f))), batch),
        ] {
            let error = f.call(x).unwrap_err();
            let want = format!("custom_jvp: the rule is not linear in the tangent: {why}");
            assert!(error.to_string().starts_with(&want), "{error}");
            assert_eq!(line_of(&error), line);
        }
    };
    refused(
        |x, d| (x * x, d * d),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, x * d.sin()),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, x * d.abs()),
        "its derivative depends on its tangent",
    );
    refused(
        |x, d| (x * x, d.floor() * x),
        "the result depends on the tangent by a step",
    );
    refused(
        |x, d| (x * x, fori(0..3, d, |_, y| y * d)),
        "its derivative depends on its tangent",
    );
    // Linear ones of every kind are taken.
    let taken = |rule: fn(Var, Var) -> (Var, Var)| {
        let f = move |x: Var| custom_jvp(|x: Var| x * x, rule)(x);
        assert_eq!(jit(grad(f)).call(3.0).unwrap().item::<f64>().unwrap(), 6.0);
        assert_eq!(
            jit(jacfwd(f)).call(3.0).unwrap().item::<f64>().unwrap(),
            6.0
        );
    };
    taken(|x, d| (x * x, 2.0 * x * d));
    taken(|x, d| (x * x, fori(0..2, 0.0, |_, y| y + x * d)));
    taken(|x, d| {
        (
            x * x,
            cond(x.gt(0.0), (x, d), |(x, d)| 2.0 * x * d, |(_, d)| d),
        )
    });
    taken(|x, d| {
        (
            x * x,
            while_loop((d * x, 0i64), |(_, n)| n.lt(1), |(y, n)| (2.0 * y, n + 1)).0,
        )
    });
    taken(|x, d| (x * x, x.gt(0.0).select(2.0 * x * d, 0.0)));
    taken(|x, d| (x * x, stack((d, x * d, d)).at(1) * 2.0));
    taken(|x, d| (x * x, jvp(|x: Var| x * x, x, d).1));
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

#[test]
fn steps_that_would_broadcast_into_a_state() {
    let state = [1.0, 2.0];
    let one = |x: Var| x.slice_axis(0, 0..1);
    let shrinks = "and f64[1] after it; convert or broadcast one of them";
    let differs = "has f64[2], and";
    let refused = |f: Jit<Var, Var>, what: &str| {
        let error = f.call(state).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert!(error.contains("mistakes.rs:"), "{error}");
    };
    refused(
        jit(move |x: Var| fori(0..3, x, move |_, x| one(x))),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan(x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan_reverse(x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| scan_checkpointed(&[2], x, 0..3, move |x, _| (one(x), ())).0),
        shrinks,
    );
    refused(
        jit(move |x: Var| while_loop(x, |x| x.at(0).lt(3.0), one)),
        shrinks,
    );
    refused(
        jit(move |x: Var| cond(x.at(0).gt(0.0), x, |x| x, one)),
        "result 0 is f64[2] in one branch",
    );
    refused(
        jit(move |x: Var| associative_scan(stack((x, x)), move |x, _| one(x))),
        shrinks,
    );
    refused(
        jit(move |x: Var| fixed_point(x, 1e-9, move |x: Var| 0.5 * one(x))),
        differs,
    );
    let newton = |f: &dyn Fn(Var) -> Var, x: Var| x - f(x);
    refused(
        jit(move |x: Var| custom_root(one, x, newton, |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_root(|x| x, x, move |_, x| one(x), |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_linear_solve(one, x, |_, b| b, |_, b| b)),
        differs,
    );
    refused(
        jit(move |x: Var| custom_linear_solve(|x| x, x, move |_, b| one(b), |_, b| b)),
        differs,
    );
    refused(jit(move |x: Var| jvp(|x: Var| x, x, one(x)).1), differs);
    refused(jit(move |x: Var| vjp(|x: Var| x, x).1(one(x))), differs);
}

/// One mistake after the other, as someone makes them who knows NumPy and JAX.
#[test]
fn what_a_newcomer_gets_wrong() {
    // An index beyond the end.
    mistaken(
        |x: Var| x.at(5),
        [1.0, 2.0],
        expect!["at: f64[2] has no place 5 along axis 0, at HERE"],
    );
    // An index that is a float.
    mistaken(
        |x: Var| x.at(x.at(0)),
        [1.0, 2.0],
        expect![
            "at: f64 is not an array of indices, at HERE; convert it, as in `i.to(DType::I64)`"
        ],
    );
    // A shape of another size.
    mistaken(
        |x: Var| x.reshape([2, 2]),
        [1.0, 2.0],
        expect!["reshape: f64[2] has 2 elements, f64[2,2] has 4, at HERE"],
    );
    // Two lengths left open.
    mistaken(
        |x: Var| x.reshape([-1, -1]),
        [1.0, 2.0],
        expect!["reshape: f64[2] cannot take the shape [-1, -1], at HERE"],
    );
    // An axis that is not there.
    mistaken(
        |x: Var| x.sum_axis(2),
        [1.0, 2.0],
        expect!["sum: f64[2] has no axis 2, at HERE"],
    );
    // Arrays that cannot be joined.
    mistaken(
        |x: Var| concat((x, x.expand_dims(0)), 0),
        [1.0, 2.0],
        expect!["concat: f64[2] and f64[1,2] do not join along axis 0, at HERE"],
    );
    // Scalars joined.
    mistaken(
        |x: Var| concat((x, 1.0), 0),
        1.0,
        expect!["concat: f64 has no axis, at HERE; use `stack` to make an axis"],
    );
    // Arrays of other shapes stacked.
    mistaken(
        |x: Var| stack((x, 1.0)),
        [1.0, 2.0],
        expect!["stack: f64[2] and f64 have different shapes, at HERE"],
    );
    // Nothing stacked.
    mistaken(
        |_: Var| stack(Vec::<Var>::new()),
        1.0,
        expect!["stack: no operand, at HERE"],
    );
    // A product of shapes that do not fit.
    mistaken(
        |x: Var| x.dot(zeros([3, 2])),
        [1.0, 2.0],
        expect!["dot: f64[2] and f64[3,2] differ in length along axes 0 and 0, at HERE"],
    );
    // A length that is negative.
    mistaken(
        |_: Var| zeros([-1]),
        1.0,
        expect!["zeros: [-1] holds a negative length, at HERE"],
    );
    // A bound that is a float.
    mistaken(
        |x: Var| fori(..x, x, |_, x| x),
        1.0,
        expect!["fori: a bound is an integer scalar, got f64, at HERE"],
    );
    // A choice among several at once.
    mistaken(
        |x: Var| cond(x.gt(0.0), x, |x| x, |x| -x),
        [1.0, 2.0],
        expect![
            "cond: chooses by a bool, got bool[2], at HERE; compare with `lt`, `eq` ..; choose element by element with `select`"
        ],
    );
    // A condition of many.
    mistaken(
        |x: Var| while_loop(x, |x| x.lt(3.0), |x| x + 1.0),
        [1.0, 2.0],
        expect![
            "while: the condition gives bool[2], not a bool, at HERE; reduce an array of truth values by `any()` or `all()`"
        ],
    );
    // A number that chooses.
    mistaken(
        |x: Var| x.select(1.0, 2.0),
        1.0,
        expect![
            "select: the condition is f64, not bool, at HERE; compare it with something, as in `x.ne(0)`"
        ],
    );
    // Floats joined bit by bit.
    mistaken(
        |x: Var| x & x,
        1.0,
        expect!["and: integers or bool expected, got f64, at HERE"],
    );
    // A branch chosen by a float.
    mistaken(
        |x: Var| switch(x, x, &[&|x: Var| x, &|x: Var| -x]),
        1.0,
        expect!["switch: the number of a branch is an integer scalar, got f64, at HERE"],
    );
    // A tangent of another type.
    mistaken(
        |x: Var| jvp(|x: Var| x * x, x, x.to(DType::F32)).1,
        1.0,
        expect!["jvp: the argument has f64, and the tangent has f32, at HERE"],
    );
    // A cotangent of another shape.
    mistaken(
        |x: Var| vjp(|x: Var| x.sum(), x).1(x),
        [1.0, 2.0],
        expect!["vjp: the result has f64, and the cotangent has f64[2], at HERE"],
    );
    // A gradient of several results.
    mistaken(
        |x: Var| grad(|x: Var| x * 2.0)(x),
        [1.0, 2.0],
        expect![
            "grad: the function gives f64[2], and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    // Widths for too few axes.
    mistaken(
        |x: Var| x.pad([(1, 1)]),
        [[1.0], [2.0]],
        expect!["pad: 1 pairs of widths for f64[2,1], at HERE"],
    );
    // Too few operands.
    mistaken(
        |x: Var| einsum("ij,jk->ik", &[x]),
        [[1.0], [2.0]],
        expect!["einsum: `ij,jk->ik` names 2 operands, and there are 1, at HERE"],
    );
    // A batch of a scalar beside one.
    mistaken(
        |x: Var| vmap(|(x, y): (Var, Var)| x + y)((x, Var::from(1.0))),
        [1.0, 2.0],
        expect![
            "vmap: the argument.1 is f64, which has no axis 0 to map over; capture what is the same for all, or use `vmap_axes`, at HERE"
        ],
    );
    // A float written into integers.
    mistaken(
        |x: Var| zeros_of(3, DType::I64).at_set(0, x),
        1.0,
        expect![
            "at_set: f64 does not go into i64[3], at HERE; convert one of them, as in `x.to(DType::F64)`"
        ],
    );
    // A float added to a count.
    mistaken(
        |n: Var| n + 0.5,
        1i64,
        expect!["add: the float 0.5 beside i64, at HERE; convert first, as in `x.to(DType::F64)`"],
    );
    // A placeholder too few.
    mistaken(
        |x: Var| {
            debug_print("{}", (x, x));
            x
        },
        1.0,
        expect![[r#"debug_print: 1 {} for 2 leaves, in "{}", at HERE"#]],
    );
    // A carry that grows.
    mistaken(
        |x: Var| fori(0..3, x, |_, x| concat((x, [1.0]), 0)),
        [1.0, 2.0],
        expect![
            "fori: the carry is f64[2] before the step and f64[3] after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    // A carry that becomes a float.
    mistaken(
        |x: Var| fori(0..3, x, |i, _| i),
        1.0,
        expect![
            "fori: the carry is f64 before the step and i64 after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    // A carry of a count that becomes a float.
    mistaken(
        |x: Var| scan(0i64, x, |n, x| (x * 2.0, n)).1,
        [1.0, 2.0],
        expect![
            "scan: the carry is i64 before the step and f64 after it; convert or broadcast one of them, since a carry keeps its type, at HERE"
        ],
    );
    // A mean of truth values.
    mistaken(
        |x: Var| x.gt(0.0).mean(),
        [1.0, 2.0],
        expect![
            "mean: bool[2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    // A gradient by an integer.
    mistaken(
        |n: Var| grad(|n: Var| n.to(DType::F64))(n),
        1i64,
        expect![
            "grad: the argument is i64, and only floats have derivatives, at HERE; capture it, or convert it to f64"
        ],
    );
    // A jacobian of counts.
    mistaken(
        |x: Var| jacrev(|x: Var| (x, x.to(DType::I64)))(x).0,
        1.0,
        expect![
            "jacrev: the result.1 is i64, and only floats have derivatives, at HERE; leave it out, or convert it to f64"
        ],
    );
    // A step of zero.
    mistaken(
        |_: Var| arange((0, 5, 0)),
        1.0,
        expect!["arange: no step leads from 0 to 5, at HERE"],
    );
    // An axis named twice.
    mistaken(
        |x: Var| x.sum_axis([0, 0]),
        [[1.0], [2.0]],
        expect!["sum: an axis of f64[2,1] is named twice in [0, 0], at HERE"],
    );
}
