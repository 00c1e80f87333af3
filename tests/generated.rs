//! The laws of every program, on random ones and on those of the corpus. `cargo run --release -p wengert-check
//! --bin programs` tries others, for as long as one likes.

use wengert::prelude::*;
use wengert_check::laws::flattened;
use wengert_check::programs::Run;
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::verify::verify;
use wengert_ir::rewrite::optimise;

#[test]
fn random_programs_keep_the_laws() {
    let report = Run::new(1_000_000, 100).tried(|_| ());
    println!("{report}");
    assert!(report.broken.is_empty(), "{}", report.broken.join("\n\n"));
}

/// A batch gives the same flattened by the batching rules as element by element.
#[track_caller]
fn flattens(f: impl Fn(Var) -> Var + Clone + Send + Sync) {
    let x = Array::from([0.3, -0.4, 1.2]);
    let func = wengert::trace(vmap(f), ShapeDtype::new([3], DType::F64))
        .unwrap()
        .into_ir();
    let flat = flattened(&func);
    verify(&flat).unwrap();
    let args = [Buffer::Dense(x.dense().clone())];
    assert_eq!(eval(&flat, &args).unwrap(), eval(&func, &args).unwrap());
}

#[test]
fn a_batched_branch_that_gives_lists() {
    let grown = |x: Var| while_loop(x, |y| y.lt(2.0), |y| y * y + 0.5);
    let f = move |x: Var| cond(x.gt(0.0), x, grown, |x| x.sin());
    flattens(grad(f));
    flattens(grad(grad(f)));
    let counted = |x: Var| fori(..(x * 5.0).to(DType::I64), x, |_, y| y.sin());
    flattens(grad(move |x: Var| cond(x.gt(0.0), x, counted, |x| x * x)));
}

#[test]
fn a_batched_loop_that_starts_from_a_constant() {
    flattens(|x: Var| while_loop(0.5, |y| y.lt(2.0), |y| y + x.sin() + 1.5));
}

#[test]
fn a_masked_zero_keeps_its_sign() {
    let f = |x: Var| wengert_ir::ops::elementwise::mul_or_zero(x, Var::from(1.0));
    let func = wengert::trace(f, ShapeDtype::scalar(DType::F64))
        .unwrap()
        .into_ir();
    for func in [optimise(&func, false), func] {
        let y = eval(&func, &[Buffer::Dense(Dense::scalar(-0.0))]).unwrap();
        assert_eq!(
            y[0].dense().slice::<f64>()[0].to_bits(),
            (-0.0f64).to_bits()
        );
    }
}
