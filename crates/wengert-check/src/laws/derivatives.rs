//! Laws of derivatives.

use wengert::Result;
use wengert::prelude::*;
use wengert_ir::ir::Func;

use super::Verdict;
use super::case::{Case, dot, run};
use crate::close::{Failure, agree, fail, near};
use crate::program::Style;

/// Tolerance between forward and reverse mode, first order.
const MODES: f64 = 1e-9;
/// Tolerance between the four second derivatives.
const SECOND: f64 = 1e-8;
/// Tolerance between derivatives and finite differences.
const DIFFERENCES: f64 = 1e-5;

/// Computes the derivative along `d` in forward mode.
fn forward(f: impl Fn(Vec<Var>) -> Var, x: &[Var], d: &[Var]) -> Var {
    jvp(|x: Vec<Var>| f(x), x.to_vec(), d.to_vec()).1
}

/// Computes the derivative along `d` in reverse mode.
fn reverse(f: impl Fn(Vec<Var>) -> Var, x: &[Var], d: &[Var]) -> Var {
    dot(&grad_at(x.to_vec(), f), d)
}

/// Checks that forward mode, reverse mode and finite differences agree: `<Jv, w> = <v, Jᵀw>`.
pub fn first(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    let f = case.function(Style::Structured);
    let ahead = case.number(|(x, d, w)| {
        let (_, dy) = jvp(f, x, d);
        (dy * w).sum()
    })?;
    let back = case.number(|(x, d, w)| {
        let (_, pull) = vjp(f, x);
        dot(&pull(w), &d)
    })?;
    if ahead.is_nan() || back.is_nan() || !near(ahead, back, MODES) {
        return fail(format!(
            "forward mode gives {ahead:?}, reverse mode {back:?}"
        ));
    }
    differences(case, case.gradient()?, back)
}

/// Checks that the second derivatives in all four combinations of the modes agree with each other, and with
/// finite differences of the first derivatives.
pub fn second(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(3)? {
        return Ok(Verdict::TooLarge);
    }
    let first = case.traced(|(x, d, w)| vec![reverse(case.loss(Style::Structured, w), &x, &d)])?;
    let loss = |w| case.loss(Style::Structured, w);
    let rr = case.number(|(x, d, w)| reverse(|x| reverse(loss(w), &x, &d), &x, &d))?;
    let fr = case.number(|(x, d, w)| forward(|x| reverse(loss(w), &x, &d), &x, &d))?;
    let rf = case.number(|(x, d, w)| reverse(|x| forward(loss(w), &x, &d), &x, &d))?;
    let ff = case.number(|(x, d, w)| forward(|x| forward(loss(w), &x, &d), &x, &d))?;
    for (what, got) in [
        ("forward reverse", fr),
        ("reverse forward", rf),
        ("forward forward", ff),
    ] {
        if got.is_nan() || rr.is_nan() || !near(got, rr, SECOND) {
            return fail(format!("reverse reverse gives {rr:?}, {what} {got:?}"));
        }
    }
    differences(case, &first, rr)
}

/// Checks by central differences that `slope` is the derivative of the first result of `func` along the
/// direction. At a jump or a kink the differences do not converge as the step shrinks, and the verdict is
/// unclear.
fn differences(case: &Case, func: &Func, slope: f64) -> Result<Verdict, Failure> {
    let mut quotients = vec![];
    for h in [1e-5, 1e-4, 1e-6, 1e-3] {
        let at = |h: f64| run(func, &case.moved(h)).map(|y| y[0].slice::<f64>()[0]);
        let quotient = (at(h)? - at(-h)?) / (2.0 * h);
        if near(slope, quotient, DIFFERENCES) {
            return Ok(Verdict::Held);
        }
        quotients.push(quotient);
    }
    // The differences have converged if neighbouring steps agree.
    let settled = near(quotients[0], quotients[1], DIFFERENCES)
        && near(quotients[0], quotients[2], 10.0 * DIFFERENCES);
    match settled {
        true => fail(format!(
            "the derivative is {slope:?}, differences give {:?}",
            quotients[0]
        )),
        false => Ok(Verdict::Unclear),
    }
}

/// Checks that unrolled loops, selected branches and plain calls give the same values and gradients as loops,
/// branches and calls with recomputation or custom rules.
pub fn plain_style(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    let plain = case.traced(|(x, _, w)| {
        let (y, g) = value_and_grad(case.loss(Style::Plain, w))(x);
        std::iter::once(y).chain(g).collect()
    })?;
    let whats = ["the structured program", "the plain one"];
    agree(
        whats,
        &case.run(case.gradient()?)?,
        &case.run(&plain)?,
        MODES,
    )?;
    Ok(Verdict::Held)
}

/// Checks that recomputing the whole program changes neither its value nor its gradient.
pub fn recomputed(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    let again = case.traced(|(x, _, w)| {
        let f = checkpoint(case.function(Style::Structured));
        let (y, g) = value_and_grad(move |x: Vec<Var>| (f(x) * w).sum())(x);
        std::iter::once(y).chain(g).collect()
    })?;
    let whats = ["the program", "the checkpointed one"];
    agree(
        whats,
        &case.run(case.gradient()?)?,
        &case.run(&again)?,
        MODES,
    )?;
    Ok(Verdict::Held)
}
