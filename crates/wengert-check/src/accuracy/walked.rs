//! What is walked of a function: where, and what its derivatives are compared with.

use astro_float::BigFloat;
use wengert::prelude::*;

use super::derivatives::GOAL;
use super::jet::{Jet, Jets};

/// A function, and how to know its derivatives. Its own value need not be right.
type Exact = fn(&mut Jets, &[Jet], &[f64], BigFloat) -> Jet;

/// A function whose derivatives are walked.
#[derive(Clone, Copy)]
pub struct Walked {
    /// What it is called in the table.
    pub title: &'static str,
    /// The rows whose rules are followed, first of all its own.
    pub rows: &'static [&'static str],
    /// The number of operands.
    pub arity: usize,
    /// The operands that it is a step function of.
    pub steps: &'static [usize],
    /// The function.
    pub apply: fn(&[Var]) -> Var,
    /// The range of moderate arguments, from which a part of the points comes.
    pub moderate: (f64, f64),
    /// Where it has derivatives.
    pub domain: fn(&[f64]) -> bool,
    /// Where it is looked at in `f32`, moreover.
    pub narrow: fn(&[f64]) -> bool,
    /// What an error may be in the first two orders.
    pub goal: f64,
    /// How many times as much it may be in the third.
    pub third: f64,
    /// What does not reach the goal, and why.
    pub note: &'static str,
    /// Of which function of the oracle the formula is given the value.
    pub(super) needs: &'static str,
    pub(super) exact: Exact,
}

impl std::fmt::Debug for Walked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.title)
    }
}

const BASE: Walked = Walked {
    title: "",
    rows: &[],
    arity: 1,
    steps: &[],
    apply: |x| x[0],
    moderate: (-30.0, 30.0),
    domain: |_| true,
    narrow: |_| true,
    goal: GOAL,
    third: 100.0,
    note: "",
    needs: "",
    exact: |_, x, _, _| x[0].clone(),
};

pub(super) const fn one(title: &'static str, apply: fn(&[Var]) -> Var, exact: Exact) -> Walked {
    Walked {
        title,
        apply,
        exact,
        ..BASE
    }
}

pub(super) const fn two(title: &'static str, apply: fn(&[Var]) -> Var, exact: Exact) -> Walked {
    Walked {
        arity: 2,
        ..one(title, apply, exact)
    }
}

impl Walked {
    /// Another function in its place, to see whether its derivatives are found wrong.
    pub fn instead(self, apply: fn(&[Var]) -> Var) -> Walked {
        Walked { apply, ..self }
    }

    pub(super) const fn rows(self, rows: &'static [&'static str]) -> Walked {
        Walked { rows, ..self }
    }

    pub(super) const fn on(self, domain: fn(&[f64]) -> bool) -> Walked {
        Walked { domain, ..self }
    }

    pub(super) const fn within(self, low: f64, high: f64) -> Walked {
        let moderate = (low, high);
        Walked { moderate, ..self }
    }

    pub(super) const fn needs(self, needs: &'static str) -> Walked {
        Walked { needs, ..self }
    }

    pub(super) const fn narrow(self, narrow: fn(&[f64]) -> bool) -> Walked {
        Walked { narrow, ..self }
    }

    pub(super) const fn third(self, third: f64) -> Walked {
        Walked { third, ..self }
    }

    pub(super) const fn note(self, note: &'static str) -> Walked {
        Walked { note, ..self }
    }
}
