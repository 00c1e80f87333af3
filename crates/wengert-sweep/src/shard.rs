//! Shares of a sweep, for job arrays.

use std::fmt;
use std::ops::Range;

use crate::error::{Error, Result};

/// A share of a sweep: the `i`-th of `n`. Shares consist of whole files, so that those of all shares together are those
/// of one run, byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shard {
    i: u64,
    n: u64,
}

impl Default for Shard {
    fn default() -> Self {
        Shard::WHOLE
    }
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Shard = Shard { i: 0, n: 1 };

    /// Makes share `i`, from 0, of `n`.
    ///
    /// ```
    /// use wengert_sweep::Shard;
    ///
    /// assert_eq!(Shard::new(2, 10)?.to_string(), "2 of 10");
    /// assert!(Shard::new(10, 10).is_err());
    /// # Ok::<(), wengert_sweep::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `i` is not below `n`.
    pub fn new(i: u64, n: u64) -> Result<Shard> {
        match i < n {
            true => Ok(Shard { i, n }),
            false => Err(Error::Option {
                option: "shard",
                message: format!("there is no share {i} of {n}: they count from 0"),
            }),
        }
    }

    /// Reads the share of a job of a Slurm array from `SLURM_ARRAY_TASK_ID`, `SLURM_ARRAY_TASK_COUNT` and
    /// `SLURM_ARRAY_TASK_MIN`: `sbatch --array=0-9` makes ten shares, and so does `--array=1-10`. Outside a job array
    /// it is the whole sweep.
    ///
    /// # Errors
    /// If the variables are not numbers that fit one another, or the numbers of the array have gaps
    /// (`--array=0-9:2`), of which the variables do not say which job is which share unless steps are equal.
    pub fn from_slurm() -> Result<Shard> {
        Shard::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Shard> {
        let wrong = |message: String| Error::Option {
            option: "shard",
            message,
        };
        let number = |name: &str| match get(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<u64>() {
                Ok(n) => Ok(Some(n)),
                Err(_) => Err(wrong(format!("{name} is `{text}`, and not a number"))),
            },
        };
        let Some(id) = number("SLURM_ARRAY_TASK_ID")? else {
            return Ok(Shard::WHOLE);
        };
        let Some(count) = number("SLURM_ARRAY_TASK_COUNT")? else {
            return Err(wrong(
                "SLURM_ARRAY_TASK_ID is set, and SLURM_ARRAY_TASK_COUNT is not".into(),
            ));
        };
        let min = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let max = number("SLURM_ARRAY_TASK_MAX")?.unwrap_or(min + count.saturating_sub(1));
        let gaps = || {
            wrong(format!(
                "job {id} of {count} jobs from {min} to {max}: number them without gaps, or in equal steps"
            ))
        };
        if id < min || max < min || count == 0 {
            return Err(gaps());
        }
        // Equal steps, as of `--array=0-8:2`.
        let step = match count {
            1 => 1,
            _ if (max - min) % (count - 1) == 0 => (max - min) / (count - 1),
            _ => return Err(gaps()),
        };
        if step == 0 || (id - min) % step != 0 {
            return Err(gaps());
        }
        Shard::new((id - min) / step, count).map_err(|_| gaps())
    }

    /// Returns the number of the share.
    pub fn index(self) -> u64 {
        self.i
    }

    /// Returns the number of shares.
    pub fn of(self) -> u64 {
        self.n
    }

    pub(crate) fn is_whole(self) -> bool {
        self.n == 1
    }

    /// Which of so many parts are its own.
    pub(crate) fn parts(self, parts: u64) -> Range<u64> {
        let bound = |i: u64| (u128::from(parts) * u128::from(i) / u128::from(self.n)) as u64;
        bound(self.i)..bound(self.i + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.i, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slurm(id: &str, count: &str, min: &str, max: &str) -> Result<(u64, u64), String> {
        let of = |name: &str| {
            let value = match name {
                "SLURM_ARRAY_TASK_ID" => id,
                "SLURM_ARRAY_TASK_COUNT" => count,
                "SLURM_ARRAY_TASK_MIN" => min,
                "SLURM_ARRAY_TASK_MAX" => max,
                _ => "",
            };
            (!value.is_empty()).then(|| value.to_string())
        };
        Shard::from_variables(of)
            .map(|s| (s.i, s.n))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn jobs_of_slurm_are_shares() {
        assert_eq!(slurm("", "", "", ""), Ok((0, 1)));
        assert_eq!(slurm("0", "10", "0", "9"), Ok((0, 10)));
        assert_eq!(slurm("10", "10", "1", "10"), Ok((9, 10)));
        assert_eq!(slurm("6", "5", "0", "8"), Ok((3, 5)));
        assert_eq!(slurm("3", "4", "1", ""), Ok((2, 4)));
        assert_eq!(slurm("7", "1", "7", "7"), Ok((0, 1)));
        for wrong in [
            ("x", "10", "0", "9"),
            ("1", "", "0", "9"),
            ("11", "10", "0", "9"),
            ("1", "3", "0", "9"),
            ("1", "0", "0", "0"),
            ("0", "3", "1", "3"),
            ("1", "5", "0", "8"),
        ] {
            assert!(
                slurm(wrong.0, wrong.1, wrong.2, wrong.3).is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn shares_are_all_parts_once() {
        for parts in [0, 1, 7, 100] {
            for n in [1, 2, 3, 8, 200] {
                let all: Vec<u64> = (0..n).flat_map(|i| Shard { i, n }.parts(parts)).collect();
                assert_eq!(all, (0..parts).collect::<Vec<_>>());
            }
        }
    }
}
