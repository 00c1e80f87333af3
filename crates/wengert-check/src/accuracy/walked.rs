//! Functions whose derivatives are checked: where, and against what.

use astro_float::BigFloat;
use wengert::prelude::*;

use super::derivatives::GOAL;
use super::jet::{Jet, Jets};

/// A function in Taylor arithmetic, to compute derivatives from. Its own value need not be right.
type Exact = fn(&mut Jets, &[Jet], &[f64], BigFloat) -> Jet;

/// A function whose derivatives are checked.
#[derive(Clone, Copy)]
pub struct Walked {
    /// Its title in the table.
    pub title: &'static str,
    /// The rows whose rules are used, starting with its own.
    pub rows: &'static [&'static str],
    /// The number of operands.
    pub arity: usize,
    /// The operands in which it is a step function.
    pub steps: &'static [usize],
    /// The function.
    pub apply: fn(&[Var]) -> Var,
    /// The range of moderate arguments, from which some of the points are drawn.
    pub moderate: (f64, f64),
    /// Whether it has derivatives at a point.
    pub domain: fn(&[f64]) -> bool,
    /// A further condition on points in `f32`.
    pub narrow: fn(&[f64]) -> bool,
    /// The limit for the first two orders.
    pub goal: f64,
    /// The factor by which the limit for the third order is larger.
    pub third: f64,
    /// Which results exceed the limit, and why.
    pub note: &'static str,
    /// The oracle's function whose value is passed to the formula.
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
    /// Replaces the function by another, to test that wrong derivatives are detected.
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
