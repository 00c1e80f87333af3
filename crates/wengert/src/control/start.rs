//! Carries that start as Rust floats take the element type that the loop gives them.
//!
//! In `scan(0.0, xs, |sum, x| (sum + x, ()))` over rows of `f32` the sum is an `f32`, as `0.0 + x` is. The
//! initial literal is an `f64`, so the loop is first recorded with a weak carry ([`weaken`]). If the step makes
//! it an `f32`, recording is aborted by an unwind and restarts with an `f32` carry.
//! that type.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::convert::convert;
use wengert_ir::trace::{Var, is_weak, left_at, weaken};

/// Unwind payload that aborts recording: this carry is an `f32`.
struct Narrower(usize);

thread_local! {
    /// For each loop being recorded, which carries are weak.
    static LOOPS: RefCell<Vec<Vec<bool>>> = const { RefCell::new(vec![]) };
}

/// Returns whether the initial value of a carry is weak, so that its type may give way.
fn gives_way(v: &Var) -> bool {
    v.dtype() == DType::F64 && (v.as_literal().is_some() || is_weak(*v))
}

/// Records a loop, given the initial carries. `record` marks the carries of each body with [`soften`], and may
/// be called several times.
#[track_caller]
pub(super) fn settled(init: &[Var], record: &dyn Fn(&[Var]) -> Vec<Var>) -> Vec<Var> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            LOOPS.with_borrow_mut(|l| l.pop());
        }
    }
    let mut init = init.to_vec();
    loop {
        let soft: Vec<bool> = init.iter().map(gives_way).collect();
        let some = soft.contains(&true);
        LOOPS.with_borrow_mut(|l| l.push(soft));
        let _leave = Leave;
        if !some {
            return record(&init);
        }
        match catch_unwind(AssertUnwindSafe(|| record(&init))) {
            Ok(results) => return results,
            Err(payload) => match payload.downcast::<Narrower>() {
                Ok(narrower) => {
                    // An aborted recording leaves nothing to clean up but this.
                    left_at();
                    let i = narrower.0;
                    init[i] = convert(init[i], DType::F32);
                }
                Err(panic) => resume_unwind(panic),
            },
        }
    }
}

/// Marks the weak carries of a body, which are its first parameters.
pub(super) fn soften(carry: &[Var]) {
    LOOPS.with_borrow(|l| {
        let soft = l.last().into_iter().flatten();
        carry
            .iter()
            .zip(soft)
            .filter(|(_, soft)| **soft)
            .for_each(|(v, _)| weaken(*v));
    });
}

/// Aborts recording if the step makes a weak carry an `f32`.
pub(super) fn give_way(i: usize, ty: &Type, next: &Type) {
    let soft = LOOPS.with_borrow(|l| l.last().is_some_and(|l| l.get(i) == Some(&true)));
    if soft && *next == ty.with_dtype(DType::F32) {
        resume_unwind(Box::new(Narrower(i)));
    }
}
