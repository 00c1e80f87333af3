//! How far a sweep is.

use std::fmt;
use std::time::Duration;

/// How far a sweep is, as [`Sweep::progress`](crate::Sweep::progress) is told after each chunk.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Points that are done, with those of earlier runs.
    pub done: u64,
    /// Points of the sweep, or of its share.
    pub total: u64,
    /// Points that failed, of those that this run has computed.
    pub failed: u64,
    /// The time of this run.
    pub elapsed: Duration,
    /// Points per second in this run.
    pub rate: f64,
    /// The time that is left at this rate; `None` before the first chunk.
    pub left: Option<Duration>,
}

impl Progress {
    pub(crate) fn new(
        done: u64,
        resumed: u64,
        total: u64,
        failed: u64,
        elapsed: Duration,
    ) -> Progress {
        let own = done - resumed;
        let seconds = elapsed.as_secs_f64();
        let rate = if seconds > 0.0 {
            own as f64 / seconds
        } else {
            0.0
        };
        let left = (total - done) as f64 / rate;
        Progress {
            done,
            total,
            failed,
            elapsed,
            rate,
            left: Duration::try_from_secs_f64(left).ok(),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = match self.total {
            0 => 100.0,
            total => 100.0 * self.done as f64 / total as f64,
        };
        write!(f, "{} of {} points ({share:.1} %)", self.done, self.total)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        write!(f, ", {} points/s", Rate(self.rate))?;
        match self.left {
            Some(left) if self.done < self.total => write!(f, ", {} left", Time(left)),
            _ => Ok(()),
        }
    }
}

/// A rate, with three digits.
pub(crate) struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            x if x >= 1e5 => write!(f, "{x:.2e}"),
            x if x >= 100.0 => write!(f, "{x:.0}"),
            x => write!(f, "{x:.2}"),
        }
    }
}

/// A duration in the units that one would say.
pub(crate) struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let whole = self.0.as_secs();
        match whole {
            0..60 => write!(f, "{seconds:.1} s"),
            60..3600 => write!(f, "{} min {:02} s", whole / 60, whole % 60),
            3600..172_800 => write!(f, "{} h {:02} min", whole / 3600, whole % 3600 / 60),
            _ => write!(f, "{:.1} days", seconds / 86400.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_one_wants_to_know() {
        let p = Progress::new(300, 100, 1000, 2, Duration::from_secs(4));
        assert_eq!(p.rate, 50.0);
        assert_eq!(
            p.to_string(),
            "300 of 1000 points (30.0 %), 2 failed, 50.00 points/s, 14.0 s left"
        );
        let none = Progress::new(0, 0, 0, 0, Duration::ZERO);
        assert_eq!(none.to_string(), "0 of 0 points (100.0 %), 0.00 points/s");
        assert_eq!(Time(Duration::from_secs(3725)).to_string(), "1 h 02 min");
    }
}
