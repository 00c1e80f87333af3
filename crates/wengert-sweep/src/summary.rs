//! What became of a sweep.

use std::fmt;
use std::time::Duration;

use crate::chunk::Stats;
use crate::error::Kind;
use crate::progress::{Rate, Time};

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// All points are done.
    Finished,
    /// It was cancelled.
    Cancelled,
    /// It had taken as long as it might.
    TimedOut,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ended::Finished => "finished",
            Ended::Cancelled => "cancelled",
            Ended::TimedOut => "out of time",
        })
    }
}

/// The smallest and the largest value of a result, and the mean, over all points and all elements. NaN and infinities do
/// not count.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Quantity {
    /// The name of the result.
    pub name: String,
    /// The number of values that are finite.
    pub count: u64,
    /// The smallest of them; NaN if there is none.
    pub min: f64,
    /// Their mean; NaN if there is none.
    pub mean: f64,
    /// The largest of them; NaN if there is none.
    pub max: f64,
}

/// What became of a sweep, as [`Sweep::run`](crate::Sweep::run) returns it. `Display` is a table.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Points of the sweep, or of its share.
    pub points: u64,
    /// Points that are done, with those of earlier runs.
    pub done: u64,
    /// Points that earlier runs had done.
    pub resumed: u64,
    /// Points that this run has computed and that failed, by kind. No kind is listed twice, and none with no points.
    pub failures: Vec<(Kind, u64)>,
    /// The first error of this run, in words.
    pub first_error: Option<String>,
    /// The time of this run.
    pub elapsed: Duration,
    /// Points per second.
    pub rate: f64,
    /// What this run has computed, without points that failed in such a way that there are no results.
    pub quantities: Vec<Quantity>,
    /// Why it ended.
    pub ended: Ended,
}

impl Summary {
    /// Returns the number of points of this run that failed.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|(_, n)| n).sum()
    }
}

impl Quantity {
    pub(crate) fn of(name: &str, stats: &Stats) -> Quantity {
        let some = |x: f64| if stats.count > 0 { x } else { f64::NAN };
        Quantity {
            name: name.to_string(),
            count: stats.count,
            min: some(stats.min),
            mean: some(stats.sum / stats.count as f64),
            max: some(stats.max),
        }
    }
}

/// A number in ten places.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.0;
        let text = match x.abs() {
            a if a == 0.0 || (1e-3..1e6).contains(&a) => format!("{x:.5}"),
            a if a.is_finite() => format!("{x:.4e}"),
            _ => format!("{x}"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} points", self.ended, self.done, self.points)?;
        if self.resumed > 0 {
            write!(f, ", {} of them by earlier runs", self.resumed)?;
        }
        write!(f, "; {}, {} points/s", Time(self.elapsed), Rate(self.rate))?;
        for (kind, n) in &self.failures {
            write!(f, "\n{n} failed: {kind}")?;
        }
        if let Some(error) = &self.first_error {
            write!(f, "\nthe first: {error}")?;
        }
        if self.quantities.iter().any(|q| q.count > 0) {
            let names = self.quantities.iter().map(|q| q.name.chars().count());
            let w = names.max().unwrap_or(0);
            write!(
                f,
                "\n{:w$}  {:>12}  {:>12}  {:>12}",
                "", "min", "mean", "max"
            )?;
            for q in &self.quantities {
                let [min, mean, max] = [q.min, q.mean, q.max].map(Short);
                write!(f, "\n{:w$}  {min:>12}  {mean:>12}  {max:>12}", q.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_table() {
        let stats = Stats {
            count: 4,
            sum: 10.0,
            min: 1.0,
            max: 4e9,
        };
        let summary = Summary {
            points: 10,
            done: 8,
            resumed: 4,
            failures: vec![(Kind::NotFinite, 1)],
            first_error: Some("point 3: y is not finite".into()),
            elapsed: Duration::from_secs(2),
            rate: 2.0,
            quantities: vec![
                Quantity::of("y", &stats),
                Quantity::of("none", &Stats::default()),
            ],
            ended: Ended::Cancelled,
        };
        let lines = [
            "cancelled: 8 of 10 points, 4 of them by earlier runs; 2.0 s, 2.00 points/s",
            "1 failed: not finite",
            "the first: point 3: y is not finite",
            "               min          mean           max",
            "y          1.00000       2.50000      4.0000e9",
            "none           NaN           NaN           NaN",
        ];
        assert_eq!(summary.to_string(), lines.join("\n"));
    }
}
