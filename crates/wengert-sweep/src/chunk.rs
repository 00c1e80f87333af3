//! A piece of a sweep: rows that lie behind one another.

use std::fmt::Write;
use std::sync::Arc;

use wengert::Array;

use crate::column::{Bytes, Columns, with_dtype};
use crate::error::{Kind, PointError};

/// Why a row has no result. Many rows share a message.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Failure {
    pub row: usize,
    pub kind: Kind,
    pub message: Arc<str>,
}

impl Failure {
    pub fn new(row: usize, kind: Kind, message: impl Into<Arc<str>>) -> Failure {
        let message = message.into();
        Failure { row, kind, message }
    }
}

/// The rows of some points. Arrays may have more rows than there are points.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub first: u64,
    pub count: usize,
    pub params: Vec<Array>,
    pub outputs: Vec<Array>,
    /// Those that failed, in order.
    pub failed: Vec<Failure>,
}

impl Chunk {
    /// Forgets all rows from `count` on.
    pub fn truncate(&mut self, count: usize) {
        self.count = self.count.min(count);
        let end = self.count;
        self.failed.retain(|e| e.row < end);
    }

    /// The failure of a row.
    pub fn failure(&self, row: usize) -> Option<&Failure> {
        let at = self.failed.binary_search_by_key(&row, |f| f.row).ok()?;
        Some(&self.failed[at])
    }

    /// The error of a point, as it is shown.
    pub fn error(&self, columns: &Columns, failure: &Failure) -> PointError {
        PointError {
            index: self.first + failure.row as u64,
            params: self.describe(columns, failure.row),
            kind: failure.kind,
            message: failure.message.to_string(),
        }
    }

    /// Adds failures to those that are known, which count if a row has both.
    pub fn add(&mut self, failures: Vec<Failure>) {
        if !failures.is_empty() {
            self.failed.extend(failures);
            self.failed.sort_by_key(|f| f.row);
            self.failed.dedup_by_key(|f| f.row);
        }
    }

    /// Describes the parameters of a row.
    pub fn describe(&self, columns: &Columns, row: usize) -> String {
        let mut text = String::new();
        for (column, array) in columns.params.iter().zip(&self.params) {
            if !text.is_empty() {
                text.push_str(", ");
            }
            // A key has nothing to say.
            if column.name.ends_with("words") || column.width() > 4 {
                write!(text, "{} = ..", column.name).expect("a string grows");
                continue;
            }
            let value = column.row(array, row);
            write!(text, "{} = {value}", column.name).expect("a string grows");
        }
        text
    }
}

/// Blocks of rows that are looked at by one thread.
const BLOCK: usize = 1 << 14;

/// The statistics of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Stats {
    pub fn add(&mut self, other: &Stats) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn of<T: Bytes>(elements: &[T]) -> Stats {
        // Eight sums, so that none waits for another.
        let mut lanes = [(0.0f64, f64::INFINITY, f64::NEG_INFINITY); 8];
        let (whole, rest) = elements.as_chunks::<8>();
        for eight in whole {
            for (lane, x) in lanes.iter_mut().zip(eight) {
                let x = x.real();
                lane.0 += x;
                lane.1 = if x < lane.1 { x } else { lane.1 };
                lane.2 = if x > lane.2 { x } else { lane.2 };
            }
        }
        let mut all = Stats {
            count: elements.len() as u64,
            ..Stats::default()
        };
        for (sum, min, max) in lanes {
            all.sum += sum;
            all.min = all.min.min(min);
            all.max = all.max.max(max);
        }
        for x in rest {
            let x = x.real();
            all.sum += x;
            all.min = all.min.min(x);
            all.max = all.max.max(x);
        }
        all
    }

    /// The statistics of the elements that are finite.
    fn of_finite<T: Bytes>(elements: &[T]) -> Stats {
        let mut all = Stats::default();
        for x in elements.iter().map(|x| x.real()).filter(|x| x.is_finite()) {
            all.count += 1;
            all.sum += x;
            all.min = all.min.min(x);
            all.max = all.max.max(x);
        }
        all
    }
}

/// The statistics of each column of results, and the rows with results that are not finite.
pub(crate) fn examine(chunk: &Chunk, columns: &Columns) -> (Vec<Stats>, Vec<Failure>) {
    use rayon::prelude::*;
    let mut stats = vec![];
    let mut bad = vec![];
    for (column, array) in columns.outputs.iter().zip(&chunk.outputs) {
        let w = column.width();
        if w == 0 {
            stats.push(Stats::default());
            continue;
        }
        let (all, rows) = with_dtype!(column.dtype, T => {
            let elements = array.as_slice::<T>().expect("the type of the column");
            let elements = &elements[..chunk.count * w];
            let block = |(i, part): (usize, &[T])| {
                let stats = Stats::of(part);
                // A sum of finite numbers may overflow, but no number that is not finite has a finite sum.
                if stats.sum.is_finite() {
                    return (stats, vec![]);
                }
                let rows = part.iter().enumerate().filter(|(_, x)| !x.real().is_finite());
                let rows: Vec<usize> = rows.map(|(j, _)| (i * BLOCK + j) / w).collect();
                (Stats::of_finite(part), rows)
            };
            let found: Vec<(Stats, Vec<usize>)> = match elements.len() <= BLOCK {
                true => elements.chunks(BLOCK).enumerate().map(block).collect(),
                false => elements.par_chunks(BLOCK).enumerate().map(block).collect(),
            };
            let mut all = Stats::default();
            let mut rows = vec![];
            for (stats, r) in found {
                all.add(&stats);
                rows.extend(r);
            }
            (all, rows)
        });
        stats.push(all);
        let message: Arc<str> = format!("{} is not finite", column.name).into();
        let failure = |row| Failure::new(row, Kind::NotFinite, message.clone());
        bad.extend(rows.into_iter().map(failure));
    }
    (stats, bad)
}
