//! Loops whose derivative keeps some of the carries and recomputes what lies between them.

use wengert::prelude::*;

use crate::State;

/// Runs steps while a condition holds, at most `most` of them. With `kept` carries, the reverse pass keeps that many of each level:
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
            let kept = i64::try_from(kept.max(2)).unwrap_or(i64::MAX);
            let depth = levels(kept, most);
            let whole = kept.saturating_pow(depth);
            let parts = most.max(1).saturating_add(whole - 1) / whole;
            segment(parts, kept, depth, start, runs, step)
        }
    }
}

/// The number of levels of segments, each of so many parts, below the outermost one, which hold a number of steps.
fn levels(kept: i64, most: i64) -> u32 {
    let (mut all, mut levels) = (kept, 0);
    while all < most && levels < 62 {
        all = all.saturating_mul(kept);
        levels += 1;
    }
    levels
}

/// Runs a segment of parts, which are steps or segments. Its length is known, so that what it keeps for the reverse pass lies in
/// memory that the next segment uses again; the parts after the last are skipped.
fn segment<C: State>(
    parts: i64,
    kept: i64,
    depth: u32,
    start: C,
    runs: &dyn Fn(&C) -> Var,
    step: &dyn Fn(C) -> C,
) -> C {
    let part = |c: C| match depth {
        0 => step(c),
        _ => checkpoint(move |c: C| segment(kept, kept, depth - 1, c, runs, step))(c),
    };
    fori(0..parts, start, |_, c: C| cond(runs(&c), c, part, |c: C| c))
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
    let every: Vec<usize> = (1..=levels(kept as i64, most).max(1))
        .rev()
        .map(|level| kept.saturating_pow(level))
        .collect();
    scan_checkpointed(&every, start, 0..steps, |c: C, i: Var| (step(i, c), ())).0
}
