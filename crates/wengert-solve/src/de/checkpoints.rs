//! Loops whose derivative keeps some of the carries and recomputes what lies between them.

use wengert::prelude::*;

use crate::State;

/// Runs steps while a condition holds, at most about `most` of them. With `kept` carries, the reverse pass keeps that many of each level:
/// segments of steps are computed again from their first carry, and segments of segments, until one has as many steps (compare
/// Griewank, Walther, ACM Trans. Math. Softw. 26, 2000, for levels of the best lengths).
pub(super) fn steps_while<C: State>(
    kept: Option<usize>,
    most: i64,
    start: C,
    runs: &dyn Fn(&C) -> Var,
    step: &dyn Fn(C) -> C,
) -> C {
    match kept {
        None => while_loop(start, |c: C| runs(&c), step),
        Some(kept) => {
            let kept = kept.max(2) as i64;
            let depth = levels(kept, most).saturating_sub(1);
            let segment = checkpoint(move |c: C| segment(kept, depth, c, runs, step));
            while_loop(start, |c: C| runs(&c), segment)
        }
    }
}

/// The number of levels of segments, each of so many parts, that hold a number of steps, but for the loop around them.
fn levels(kept: i64, most: i64) -> u32 {
    let (mut all, mut levels) = (kept, 0);
    while all < most && levels < 20 {
        all = all.saturating_mul(kept);
        levels += 1;
    }
    levels.max(1)
}

/// Runs a segment of `kept` steps, or of so many segments.
fn segment<C: State>(
    kept: i64,
    depth: u32,
    start: C,
    runs: &dyn Fn(&C) -> Var,
    step: &dyn Fn(C) -> C,
) -> C {
    let below = |c: C| match depth {
        0 => step(c),
        _ => checkpoint(move |c: C| segment(kept, depth - 1, c, runs, step))(c),
    };
    let goes_on = |(c, i): (C, Var)| runs(&c) & i.lt(kept);
    while_loop((start, Var::from(0i64)), goes_on, |(c, i): (C, Var)| {
        (below(c), i + 1)
    })
    .0
}

/// Runs a number of steps, and keeps carries likewise.
pub(super) fn counted_steps<C: State>(
    kept: Option<usize>,
    steps: usize,
    start: C,
    step: &dyn Fn(Var, C) -> C,
) -> C {
    let Some(kept) = kept else {
        return fori(0..steps, start, step);
    };
    let kept = kept.max(2);
    let most = i64::try_from(steps).unwrap_or(i64::MAX);
    let every: Vec<usize> = (1..=levels(kept as i64, most))
        .rev()
        .map(|level| kept.saturating_pow(level))
        .collect();
    scan_checkpointed(&every, start, 0..steps, |c: C, i: Var| (step(i, c), ())).0
}
