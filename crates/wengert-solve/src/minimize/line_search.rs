//! A line search for the strong Wolfe conditions that takes one evaluation a turn, so that it needs no loop of
//! its own.
//!
//! The interval is kept as by Moré and Thuente, *Line search algorithms with guaranteed sufficient decrease*
//! (1994), with their choice of trial steps: cubic, quadratic and secant models by the signs of what was seen.
//! Where values differ by their rounding alone, the approximate conditions of Hager and Zhang, *A new conjugate
//! gradient method with guaranteed descent and an efficient line search* (2005), compare slopes instead.

use wengert::prelude::*;

use crate::shared::{choose, eps, number};

/// A place on the line: how far, the value there, and the slope along the line.
#[derive(Tree, Clone, Copy)]
pub(crate) struct Point<T = Var> {
    pub at: T,
    pub value: T,
    pub slope: T,
}

/// The interval that is searched, and the next place to look at.
#[derive(Tree, Clone, Copy)]
pub(crate) struct Search<T = Var> {
    pub trial: T,
    /// The best place so far that meets the condition of decrease.
    low: Point<T>,
    /// The other end of the interval, once there is one.
    high: Point<T>,
    bracketed: T,
    width: T,
    wider: T,
    tries: T,
    /// Whether the trial is a place seen before, which is taken as it is.
    settled: T,
}

/// What became of a trial.
pub(crate) struct Verdict {
    pub accepted: Var,
    /// Whether the place meets the conditions, and is not only lower.
    pub good: Var,
    pub failed: Var,
    pub next: Search,
}

/// The constants of the conditions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wolfe {
    pub decrease: f64,
    pub curvature: f64,
}

/// The most places that a search looks at.
const TRIES: i64 = 30;

impl Search {
    /// The search from a place with a slope, whose first trial is given.
    pub fn new(start: Point, trial: Var) -> Search {
        let zero = trial * 0.0;
        Search {
            trial,
            low: start,
            high: start,
            bracketed: Var::from(false),
            width: zero + f64::MAX.sqrt(),
            wider: zero + f64::MAX.sqrt(),
            tries: Var::from(0i64),
            settled: Var::from(false),
        }
    }

    /// The same, with a trial that is not farther than `most`.
    pub fn within(self, most: Var) -> Search {
        let trial = self.trial.minimum(most);
        Search { trial, ..self }
    }

    /// Judges the trial, at which `seen` was found, and chooses the next.
    pub fn look(self, w: Wolfe, start: Point, seen: Point, finite: Var) -> Verdict {
        let Search { low, high, .. } = self;
        let slack = eps(start.value.dtype()) * 8.0 * start.value.abs();
        let bound = start.value + w.decrease * seen.at * start.slope;
        let small = seen.slope.abs().le(-w.curvature * start.slope);
        let flat = seen.value.le(start.value + slack) & seen.slope.le(-0.8 * start.slope);
        let good = finite & small & (seen.value.le(bound) | flat);

        // The interval. A place that is not finite is an end at which nothing is known.
        let rises = !finite | seen.value.gt(bound + slack) | seen.value.gt(low.value + slack);
        let turns = !rises & (seen.slope * (seen.at - low.at)).ge(0.0);
        let unknown = finite.select(seen.value, f64::INFINITY);
        let end = Point {
            value: unknown,
            slope: finite.select(seen.slope, 0.0),
            ..seen
        };
        let trial = next_trial(&self, low, high, seen, rises, turns);
        let near = low.at + 0.2 * (seen.at - low.at);
        let trial = finite.select(trial, near);
        let high = choose(rises, end, choose(turns, low, high));
        let low = choose(rises, low, seen);
        let bracketed = self.bracketed | rises | turns;

        // Halving, where the models do not shrink the interval.
        let width = (high.at - low.at).abs();
        let slow = bracketed & width.ge(0.66 * self.wider) & finite;
        let middle = low.at + 0.5 * (high.at - low.at);
        let trial = slow.select(middle, trial);
        let far = low.at + 4.0 * (low.at - start.at).maximum(seen.at);
        let trial = trial
            .is_finite()
            .select(trial, bracketed.select(middle, far));

        let tries = self.tries + 1;
        let closed = bracketed & width.le(eps(width.dtype()) * low.at.abs());
        let ends = tries.ge(TRIES) | closed;
        let lower = low.at.gt(0.0) & low.value.lt(start.value);
        let settled = ends & lower & !self.settled;
        let taken = self.settled & finite & seen.value.lt(start.value);
        Verdict {
            accepted: good | taken,
            good,
            failed: !good & !taken & (self.settled | (ends & !lower)),
            next: Search {
                trial: settled.select(low.at, trial),
                low,
                high,
                bracketed,
                wider: bracketed.select(self.width, self.wider),
                width: bracketed.select(width, self.width),
                tries,
                settled,
            },
        }
    }
}

/// The place that the models of what was seen propose.
fn next_trial(s: &Search, low: Point, high: Point, seen: Point, rises: Var, turns: Var) -> Var {
    let falls = seen.slope.abs().lt(low.slope.abs());
    // The cubic through the place and the best one, or the other end where the slope grows downhill.
    let steep = !rises & !turns & !falls;
    let cubic = least_of_cubic(choose(steep, high, low), seen);
    let secant = seen.at + seen.slope / (seen.slope - low.slope) * (low.at - seen.at);
    let far = seen.at - low.at;
    let rate = (low.value - seen.value) / far + low.slope;
    let quadratic = low.at + low.slope / rate * 0.5 * far;

    let nearer = |a: Var, b: Var, from: Var| (a - from).abs().lt((b - from).abs()).select(a, b);
    let farther = |a: Var, b: Var, from: Var| (a - from).abs().gt((b - from).abs()).select(a, b);
    let shrunk = {
        let close = (cubic - low.at).abs().lt((quadratic - low.at).abs());
        close.select(cubic, cubic + 0.5 * (quadratic - cubic))
    };
    // Beyond the place: within the interval if there is one, and else up to four times as far.
    let (least, most) = (seen.at + 1.1 * far, seen.at + 4.0 * far);
    let ahead = (cubic - seen.at) * far;
    let cubic_ahead = (ahead.gt(0.0) & cubic.is_finite()).select(cubic, most);
    let limit = seen.at + 0.66 * (high.at - seen.at);
    let kept = nearer(cubic_ahead, secant, seen.at);
    let kept = far.gt(0.0).select(kept.minimum(limit), kept.maximum(limit));
    let free = farther(cubic_ahead, secant, seen.at).clip(least, most);
    let beyond = falls.select(
        s.bracketed.select(kept, free),
        s.bracketed.select(cubic, most),
    );
    rises.select(
        shrunk,
        turns.select(farther(cubic, secant, seen.at), beyond),
    )
}

/// The place of the least value of the cubic through two places (Nocedal and Wright, *Numerical Optimization*,
/// equation 3.59); NaN if it has none.
fn least_of_cubic(a: Point, b: Point) -> Var {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.at - b.at);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt().copysign(b.at - a.at);
    b.at - (b.at - a.at) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
}

/// The place 0 of a line.
pub(crate) fn origin(value: Var, slope: Var) -> Point {
    Point {
        at: number(0.0, value.dtype()),
        value,
        slope,
    }
}
