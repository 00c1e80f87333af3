//! How the next place in an interval is chosen: the methods' states, each of a few numbers.

use wengert::prelude::*;

use super::Rule;
use crate::shared::{choose, number};

/// A place, the value of the function there, and its first two derivatives if a method takes them, or else zeros.
#[derive(Tree, Clone, Copy)]
pub(super) struct Place<T = Var> {
    pub x: T,
    pub value: T,
    slope: T,
    bend: T,
}

impl Place {
    pub fn new(x: Var, value: Var) -> Place {
        let zero = number(0.0, x.dtype());
        Place {
            x,
            value,
            slope: zero,
            bend: zero,
        }
    }
}

/// Evaluates a function, with the derivatives that a method takes.
pub(super) fn look(rule: Rule, f: &dyn Fn(Var) -> Var, x: Var) -> Place {
    let one = ones_like(x);
    let with_slope = |x: Var| jvp(|x: Var| f(x), x, one);
    match rule {
        Rule::Newton => {
            let (value, slope) = with_slope(x);
            Place {
                slope,
                ..Place::new(x, value)
            }
        }
        Rule::Halley => {
            let ((value, slope), (_, bend)) = jvp(with_slope, x, one);
            Place {
                x,
                value,
                slope,
                bend,
            }
        }
        _ => Place::new(x, f(x)),
    }
}

/// An interval and what a method remembers of it.
#[derive(Tree, Clone, Copy)]
pub(super) struct Proposal<T = Var> {
    /// The last place, the end with the other sign, and the place that was an end before.
    a: Place<T>,
    b: Place<T>,
    c: Place<T>,
    /// The lengths of the last two steps. For ITP: the interval at the start, and how many steps it may take.
    step: T,
    before: T,
}

impl Proposal {
    /// The interval at the start; `tolerance` is that of its better end.
    pub fn start(rule: Rule, a: Place, b: Place, tolerance: impl Fn(Var) -> Var) -> Proposal {
        let nearer = a.value.abs().lt(b.value.abs());
        let (a, b) = (choose(nearer, a, b), choose(nearer, b, a));
        let width = (b.x - a.x).abs();
        let halvings = (width / (2.0 * tolerance(a.x))).log2().ceil().maximum(0.0);
        let before = match rule {
            // What bisection would take, and one more.
            Rule::Itp => halvings + 1.0,
            _ => width,
        };
        Proposal {
            a,
            b,
            c: b,
            step: width,
            before,
        }
    }

    /// The end where the function is smaller.
    pub fn best(&self) -> Place {
        choose(self.a.value.abs().le(self.b.value.abs()), self.a, self.b)
    }

    pub fn width(&self) -> Var {
        (self.b.x - self.a.x).abs()
    }

    /// The next place; `tolerance` is the least step that makes sense.
    pub fn next(&self, rule: Rule, tolerance: Var, steps: Var) -> Var {
        let (a, b, c) = (self.a, self.b, self.c);
        let middle = a.x + 0.5 * (b.x - a.x);
        let best = self.best();
        let other = choose(a.value.abs().le(b.value.abs()), b, a);
        // At least the tolerance away from the best end, towards the other.
        let way = (other.x - best.x).sign() * tolerance;
        let apart = |x: Var| {
            let close = (x - best.x).abs().lt(tolerance);
            close.select(best.x + way, x)
        };
        match rule {
            Rule::Bisection => middle,
            Rule::Brent => {
                let three = c.x.ne(a.x) & c.x.ne(b.x) & c.value.ne(a.value) & c.value.ne(b.value);
                let secant = best.x - best.value * (other.x - best.x) / (other.value - best.value);
                let x = three.select(inverse_quadratic(a, b, c), secant);
                let step = x - best.x;
                let within = step * way.sign();
                // Within three quarters of the interval, and less than half the step before the last.
                let good = within.gt(0.0)
                    & within.lt(0.75 * self.width() - 0.5 * tolerance)
                    & step.abs().lt(0.5 * self.before);
                apart(good.select(x, middle))
            }
            Rule::Chandrupatla => {
                // The place before is beyond the last one where the sign did not change, so that the three are in order.
                let (xi, phi) = (
                    (a.x - b.x) / (c.x - b.x),
                    (a.value - b.value) / (c.value - b.value),
                );
                let trusted = phi.square().lt(xi) & (1.0 - phi).square().lt(1.0 - xi);
                let x = trusted.select(inverse_quadratic(a, b, c), middle);
                let x = x.is_finite().select(x, middle);
                let low = a.x.minimum(b.x) + tolerance;
                let high = a.x.maximum(b.x) - tolerance;
                low.lt(high).select(x.maximum(low).minimum(high), middle)
            }
            Rule::Itp => {
                let width = self.width();
                let falsi = (b.value * a.x - a.value * b.x) / (b.value - a.value);
                let towards = (middle - falsi).sign();
                let most = 0.2 * width.square() / self.step;
                let off = (middle - falsi).abs();
                let truncated = most.le(off).select(falsi + towards * most, middle);
                let left = (self.before - steps.to(width.dtype())).exp2();
                let radius = (tolerance * left - 0.5 * width).maximum(0.0);
                let inside = (truncated - middle).abs().le(radius);
                inside.select(truncated, middle - towards * radius)
            }
            Rule::Newton | Rule::Halley => {
                let p = choose(a.value.abs().le(b.value.abs()), a, b);
                let newton = p.value / p.slope;
                let step = match rule {
                    Rule::Newton => newton,
                    _ => newton / (1.0 - 0.5 * newton * p.bend / p.slope).maximum(0.2),
                };
                let x = p.x - step;
                let within = -step * way.sign();
                let good =
                    within.ge(0.0) & within.lt(self.width()) & step.abs().lt(0.5 * self.before);
                apart(good.select(x, middle))
            }
        }
    }

    /// Takes in a place in the interval.
    pub fn take(self, rule: Rule, seen: Place) -> Proposal {
        let Proposal { a, b, .. } = self;
        let same = (seen.value.gt(0.0) & a.value.gt(0.0)) | (seen.value.lt(0.0) & a.value.lt(0.0));
        let (step, before) = match rule {
            Rule::Itp => (self.step, self.before),
            _ => ((seen.x - self.best().x).abs(), self.step),
        };
        // The end of the same sign is replaced, and remembered.
        Proposal {
            a: seen,
            b: choose(same, b, a),
            c: choose(same, a, b),
            step,
            before,
        }
    }
}

/// The zero of the quadratic in the value through three places.
fn inverse_quadratic(a: Place, b: Place, c: Place) -> Var {
    let (ab, ac, bc) = (a.value - b.value, a.value - c.value, b.value - c.value);
    let first = b.value / ab * (c.value / ac);
    let second = a.value / ab * (c.value / bc);
    let third = a.value / ac * (b.value / bc);
    first * a.x - second * b.x + third * c.x
}
