//! Other back ends than Cranelift: the interpreter of the loop IR, and one of a user's own.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wengert::backend::{Backend, Cranelift, Interpreter, Target};
use wengert::prelude::*;
use wengert::{Error, Feed, check};
use wengert_ir::loops::Program;
use wengert_run::{CompileError, Executable, Options};

/// Counts what it hands on to the interpreter, and wants programs as Cranelift does.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Backend for Counting {
    fn name(&self) -> String {
        "counting".into()
    }

    fn target(&self, options: &Options) -> Target {
        Cranelift.target(options)
    }

    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Interpreter.compile(program, options)
    }
}

/// Cranelift, the interpreter, and the back end of this file give the same bits.
#[track_caller]
fn agree<X, Y, A>(f: impl Fn(X) -> Y + Clone + Send + Sync + 'static, args: A)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    Y::With<Array>: PartialEq + Debug,
    A: Feed<X::With<Array>> + Clone,
{
    let counting = Counting::default();
    let mine = jit(f.clone()).backend(counting.clone());
    let wanted = jit(f).call(args.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(mine.call(args.clone()).unwrap(), wanted);
    }
    assert_eq!(counting.0.load(Ordering::Relaxed), 1);
}

#[test]
fn every_back_end_gives_the_same_bits() {
    agree(|x: Var| x.sin() * x + 0.1, [0.3, -0.4, 1.2]);
    agree(
        |x: Var| grad(|x: Var| x.square().sin().sum())(x),
        [0.3, -0.4, 1.2],
    );
    let grows = |x: Var| while_loop(x, |y| y.lt(2.0), |y| y * y + 0.5);
    agree(vmap(grad(grows)), [0.3, -0.4, 1.2]);
    agree(|x: Var| x.sort(0), [0.3, f64::INFINITY, 1.2, -0.0, 0.0]);
    let a = Array::from([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]);
    agree(|a: Var| a.dot(a), a);
    agree(
        |(k, x): (Key, Var)| x + k.normal([5]),
        (Key::from_seed(7), 0.25),
    );
    agree(
        |(n, x): (Var, Var)| fori(..n, x, |_, x| x.cos()),
        (5i64, 0.3),
    );
}

#[test]
fn errors_are_those_of_the_program() {
    let endless = jit(|x: Var| while_loop(x, |y| y.lt(2.0), |y| y)).max_steps(10);
    let compiled = endless.call(1.0).unwrap_err();
    assert!(
        matches!(compiled, Error::MaxSteps { limit: 10, .. }),
        "{compiled}"
    );
    assert!(
        compiled
            .to_string()
            .starts_with("while_loop: more than 10 steps, at ")
    );
    assert_eq!(endless.interpret(1.0).unwrap_err(), compiled);
    let error = endless.backend(Interpreter).call(1.0).unwrap_err();
    assert_eq!(error, compiled);
    let checked = jit(|x: Var| {
        check(x.gt(0.0), "only what is positive");
        x.sqrt()
    });
    let checked = checked.backend(Interpreter);
    assert_eq!(checked.call(4.0).unwrap().item::<f64>().unwrap(), 2.0);
    let error = checked.call(-1.0).unwrap_err();
    assert!(
        error.to_string().contains("only what is positive"),
        "{error}"
    );
    assert!(error.to_string().contains("backends.rs:"), "{error}");
}

#[test]
fn the_interpreter_explains_and_lists_what_it_runs() {
    let f = jit(|x: Var| (x * 2.0).sum()).backend(Interpreter);
    let code = f.compile(vec![1.0; 10]).unwrap();
    assert!(code.explain().unwrap().to_string().contains("sum"));
    assert!(
        code.dump(wengert::Stage::LoopIr)
            .unwrap()
            .contains("b0: f64[10] input 0")
    );
}
