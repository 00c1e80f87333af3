//! The loop over chunks.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::chunk::{Chunk, Failure, Stats, examine};
use crate::column::{Bytes, Columns, with_dtype};
use crate::engine::Engine;
use crate::error::{Error, Kind, OnError, PointError, Result};
use crate::progress::Progress;
use crate::summary::{Ended, Quantity, Summary};

type Callback = Box<dyn FnMut(&Progress) + Send>;

/// Says whether a code is that of a success.
pub(crate) type IsFine = Arc<dyn Fn(i64) -> bool + Send + Sync>;

/// What a run watches.
#[derive(Default)]
pub(crate) struct Watch {
    pub on_error: OnError,
    /// Whether results may be NaN or infinite.
    pub infinite: bool,
    pub status: Option<(String, IsFine)>,
    pub cancel: Option<Arc<AtomicBool>>,
    pub timeout: Option<Duration>,
    pub progress: Vec<Callback>,
}

/// Computes a sweep chunk by chunk.
pub(crate) struct Runner {
    pub engine: Box<dyn Engine>,
    watch: Watch,
    /// The column of the status, among the results.
    status: Option<(usize, IsFine)>,
    todo: std::collections::VecDeque<Range<u64>>,
    total: u64,
    resumed: u64,
    done: u64,
    failures: [u64; Kind::ALL.len()],
    first_error: Option<PointError>,
    stats: Vec<Stats>,
    start: Instant,
    ended: Option<Ended>,
    /// The error that ended it, if a point was to.
    stopped: Option<PointError>,
}

impl Runner {
    pub fn new(
        engine: Box<dyn Engine>,
        mut watch: Watch,
        todo: Vec<Range<u64>>,
        resumed: u64,
        start: Instant,
    ) -> Result<Runner> {
        let columns = engine.columns();
        let status = match watch.status.take() {
            None => None,
            Some((name, fine)) => Some((status_column(columns, &name)?, fine)),
        };
        let own: u64 = todo.iter().map(|r| r.end - r.start).sum();
        let mut runner = Runner {
            stats: vec![Stats::default(); columns.outputs.len()],
            status,
            engine,
            watch,
            todo: todo.into_iter().filter(|r| !r.is_empty()).collect(),
            total: resumed + own,
            resumed,
            done: resumed,
            failures: Default::default(),
            first_error: None,
            start,
            ended: None,
            stopped: None,
        };
        runner.tell();
        Ok(runner)
    }

    /// Computes the next chunk.
    pub fn next(&mut self) -> Result<Option<Chunk>> {
        let Some(range) = self.todo.front().cloned() else {
            self.ended.get_or_insert(Ended::Finished);
            return Ok(None);
        };
        // A time beyond what clocks count to is no limit.
        let deadline = self.watch.timeout.and_then(|t| self.start.checked_add(t));
        let cancel = self.watch.cancel.clone();
        let cancelled = move || cancel.as_ref().is_some_and(|c| c.load(Ordering::Relaxed));
        let late = move || deadline.is_some_and(|d| Instant::now() >= d);
        let stopped = [(Ended::Cancelled, cancelled()), (Ended::TimedOut, late())];
        if let Some((ended, _)) = stopped.into_iter().find(|(_, is)| *is) {
            self.ended = Some(ended);
            self.todo.clear();
            return Ok(None);
        }
        let n = (range.end - range.start).min(self.engine.want() as u64) as usize;
        let mut chunk = self.engine.run(range.start, n, &|| cancelled() || late())?;
        self.judge(&mut chunk);
        let end = chunk.first + chunk.count as u64;
        match self.todo.front_mut() {
            Some(front) if end < front.end => front.start = end,
            _ => {
                self.todo.pop_front();
            }
        }
        if self.stopped.is_some() {
            self.todo.clear();
        }
        self.done += chunk.count as u64;
        self.tell();
        Ok(Some(chunk))
    }

    /// Finds the points that failed, and counts.
    fn judge(&mut self, chunk: &mut Chunk) {
        let columns = self.engine.columns();
        let (mut stats, infinite) = examine(chunk, columns);
        if let Some((place, fine)) = &self.status {
            chunk.add(bad_statuses(columns, *place, chunk, fine));
        }
        if !self.watch.infinite {
            chunk.add(infinite);
        }
        if self.watch.on_error == OnError::Stop
            && let Some(failure) = chunk.failed.first()
        {
            let error = chunk.error(columns, failure);
            let row = failure.row;
            self.count(chunk, row + 1);
            chunk.truncate(row);
            stats = examine(chunk, self.engine.columns()).0;
            self.stopped = Some(error);
        } else {
            self.count(chunk, chunk.count);
        }
        for (all, own) in self.stats.iter_mut().zip(&stats) {
            all.add(own);
        }
    }

    /// Counts the failures of the first rows.
    fn count(&mut self, chunk: &Chunk, rows: usize) {
        for failure in chunk.failed.iter().take_while(|f| f.row < rows) {
            self.failures[usize::from(failure.kind.code()) - 1] += 1;
            if self.first_error.is_none() {
                self.first_error = Some(chunk.error(self.engine.columns(), failure));
            }
        }
    }

    fn progress(&self) -> Progress {
        let failed = self.failures.iter().sum();
        Progress::new(
            self.done,
            self.resumed,
            self.total,
            failed,
            self.start.elapsed(),
        )
    }

    fn tell(&mut self) {
        let progress = self.progress();
        for callback in &mut self.watch.progress {
            callback(&progress);
        }
    }

    /// The error of the point that ended the run, if one was to.
    pub fn stopped(&mut self) -> Option<Error> {
        self.stopped.take().map(Error::Point)
    }

    pub fn summary(&self) -> Summary {
        let progress = self.progress();
        let quantities = self.engine.columns().outputs.iter().zip(&self.stats);
        let failures = Kind::ALL.into_iter().zip(self.failures);
        Summary {
            points: self.total,
            done: self.done,
            resumed: self.resumed,
            failures: failures.filter(|(_, n)| *n > 0).collect(),
            first_error: self.first_error.as_ref().map(PointError::to_string),
            elapsed: progress.elapsed,
            rate: progress.rate,
            quantities: quantities.map(|(c, s)| Quantity::of(&c.name, s)).collect(),
            ended: self.ended.unwrap_or(Ended::Finished),
        }
    }
}

/// The column of results that has the status: one of integers, a number for each point.
fn status_column(columns: &Columns, name: &str) -> Result<usize> {
    let wrong = |message: String| Error::Option {
        option: "status",
        message,
    };
    let named =
        |c: &crate::column::Column| c.name == name || c.name == name.trim_start_matches('.');
    let Some(place) = columns.outputs.iter().position(named) else {
        let names: Vec<&str> = columns.outputs.iter().map(|c| c.name.as_str()).collect();
        return Err(wrong(format!(
            "there is no result `{name}`; there are {}",
            names.join(", ")
        )));
    };
    let column = &columns.outputs[place];
    if column.width() != 1 || column.dtype.is_float() {
        return Err(wrong(format!(
            "`{name}` is {}, and not an integer",
            column.spec()
        )));
    }
    Ok(place)
}

fn bad_statuses(columns: &Columns, place: usize, chunk: &Chunk, fine: &IsFine) -> Vec<Failure> {
    let column = &columns.outputs[place];
    let mut found: Vec<Failure> = vec![];
    with_dtype!(column.dtype, T => {
        let all = chunk.outputs[place].as_slice::<T>().expect("the type of the column");
        let mut last: Option<(i64, Arc<str>)> = None;
        for (row, &x) in all[..chunk.count].iter().enumerate() {
            let code = <T as Bytes>::real(x) as i64;
            if !fine(code) {
                let message = match &last {
                    Some((c, message)) if *c == code => message.clone(),
                    _ => meaning(&column.name, code).into(),
                };
                last = Some((code, message.clone()));
                found.push(Failure::new(row, Kind::Status, message));
            }
        }
    });
    found
}

#[cfg(feature = "solve")]
fn meaning(name: &str, code: i64) -> String {
    match wengert_solve::Status::of(code) {
        Some(status) => format!("{name} is {code} ({status})"),
        None => format!("{name} is {code}"),
    }
}

#[cfg(not(feature = "solve"))]
fn meaning(name: &str, code: i64) -> String {
    format!("{name} is {code}")
}
