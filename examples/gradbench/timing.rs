//! Timed runs of a function.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wengert::prelude::*;
use wengert::{Feed, Tree};

/// The number of runs and the time: a function runs until both are reached.
#[derive(Clone, Copy)]
pub struct Limits {
    pub runs: usize,
    pub time: Duration,
}

impl Limits {
    /// Reads the limits of an input; the default is one run and one second. A bare number has no fields for
    /// them: one run.
    pub fn of(input: &Value) -> Result<Limits, String> {
        if !input.is_object() {
            let time = Duration::ZERO;
            return Ok(Limits { runs: 1, time });
        }
        let runs = match &input["min_runs"] {
            Value::Null => 1,
            runs => runs.as_u64().ok_or("min_runs is a whole number")? as usize,
        };
        let seconds = match &input["min_seconds"] {
            Value::Null => 1.0,
            seconds => seconds.as_f64().ok_or("min_seconds is a number")?,
        };
        let time = Duration::try_from_secs_f64(seconds).map_err(|e| format!("min_seconds: {e}"))?;
        Ok(Limits { runs, time })
    }
}

/// The output, and the time of each run.
#[derive(Debug)]
pub struct Answer {
    pub output: Value,
    pub timings: Vec<Value>,
}

/// Compiles a function for its arguments and runs it. The times reported under `evaluate` are those of the runs
/// alone: from arrays to arrays.
pub fn timed<X, Y>(
    f: impl Fn(X) -> Y + Send + Sync + 'static,
    args: X::With<Array>,
    limits: Limits,
    show: impl Fn(&Y::With<Array>) -> Result<Value, String>,
) -> Result<Answer, String>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    X::With<Array>: Feed<X::With<Array>>,
{
    let f = jit(f);
    let run = || {
        let start = Instant::now();
        let result = f.call(&args).map_err(|e| e.to_string())?;
        Ok::<_, String>((result, start.elapsed()))
    };
    let timing = |name: &str, time: Duration| json!({"name": name, "nanoseconds": u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)});
    let (mut result, first) = run()?;
    let mut timings = vec![timing("compile", first)];
    let (mut runs, mut sum) = (0, Duration::ZERO);
    while runs < limits.runs.max(1) || sum < limits.time {
        let (next, time) = run()?;
        (result, runs, sum) = (next, runs + 1, sum + time);
        timings.push(timing("evaluate", time));
    }
    Ok(Answer {
        output: show(&result)?,
        timings,
    })
}
