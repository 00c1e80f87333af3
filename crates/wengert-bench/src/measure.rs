//! Measurement of workloads.

use std::time::Instant;

use wengert::tree::{Feed, ShapeDtype};
use wengert::{Array, Jit, Result, Tree, Var, tree};

/// A workload: it builds its function and inputs, and measures them.
pub struct Workload {
    pub name: String,
    /// Whether peers implement it, too.
    pub compared: bool,
    lines: Box<dyn Fn(&str) -> String>,
    made: Option<Made>,
    /// The number of steps of a loop of unknown length, where the workload has one.
    steps: f64,
}

/// What a workload made of a function can say.
struct Made {
    explain: Box<dyn Fn() -> Result<String>>,
    price: Box<dyn Fn(f64) -> Result<Price>>,
}

/// The estimated and the shortest measured time of a run, in seconds.
pub struct Price {
    pub estimated: f64,
    pub measured: f64,
}

/// The times of a workload, in seconds, and a checksum.
pub struct Times {
    /// Tracing, compiling and the first run.
    first: f64,
    /// The median of later runs.
    run: f64,
    /// The sum of the results.
    check: f64,
}

impl Workload {
    /// Makes a workload that peers implement, too.
    pub fn new(name: impl Into<String>, run: impl Fn() -> Result<Times> + 'static) -> Workload {
        Workload {
            name: name.into(),
            compared: true,
            lines: Box::new(move |name| line(name, run())),
            made: None,
            steps: 1.0,
        }
    }

    /// Makes a workload that peers implement, too, of a function and its arguments.
    pub fn of<X, Y>(
        name: impl Into<String>,
        make: impl Fn() -> (Jit<X, Y>, X::With<Array>) + Clone + 'static,
    ) -> Workload
    where
        X: Tree<Leaf = Var> + 'static,
        Y: Tree<Leaf = Var> + 'static,
        X::With<Array>: Feed<X::With<Array>> + Feed<X::With<ShapeDtype>>,
    {
        let (same, also) = (make.clone(), make.clone());
        let run = move || {
            let (f, args) = make();
            times(|| f.call(&args))
        };
        let explain = move || {
            let (f, args) = same();
            Ok(f.explain(&args)?.to_string())
        };
        let price = move |steps: f64| {
            let (f, args) = also();
            let estimate = f.compile(&args)?.estimate(steps)?;
            Ok(Price {
                estimated: estimate.nanoseconds * 1e-9,
                measured: shortest(|| f.call(&args))?,
            })
        };
        Workload {
            made: Some(Made {
                explain: Box::new(explain),
                price: Box::new(price),
            }),
            ..Workload::new(name, run)
        }
    }

    /// The same workload with this measurement.
    pub fn measured_by(self, run: impl Fn() -> Result<Times> + 'static) -> Workload {
        Workload {
            lines: Box::new(move |name| line(name, run())),
            ..self
        }
    }

    /// The same workload, which no peer implements.
    pub fn without_peers(self) -> Workload {
        Workload {
            compared: false,
            ..self
        }
    }

    /// The same workload, whose loops of unknown length take so many steps on average: in lanes as many as the longest of
    /// eight.
    pub fn with_steps(self, steps: f64) -> Workload {
        Workload { steps, ..self }
    }

    /// Makes a workload with measurements of its own, which it returns as lines of JSON.
    pub fn alone(name: &str, lines: impl Fn(&str) -> String + 'static) -> Workload {
        Workload {
            name: name.into(),
            compared: false,
            lines: Box::new(lines),
            made: None,
            steps: 1.0,
        }
    }

    /// Measures the workload, and returns one or more lines of JSON.
    pub fn lines(&self) -> String {
        (self.lines)(&self.name)
    }

    /// Says what became of the workload's function, if the workload is made of one.
    pub fn explain(&self) -> String {
        match &self.made {
            None => format!("{}: there is no explanation", self.name),
            Some(made) => match (made.explain)() {
                Ok(text) => format!("{}: {text}", self.name),
                Err(e) => format!("{}: {e}", self.name),
            },
        }
    }
}

impl Workload {
    /// Returns the estimated and the measured time, if the workload is made of a function.
    pub fn price(&self) -> Option<Result<Price>> {
        self.made.as_ref().map(|made| (made.price)(self.steps))
    }
}

fn line(name: &str, times: Result<Times>) -> String {
    match times {
        Ok(Times { first, run, check }) => format!(
            "{{\"peer\": \"wengert\", \"name\": \"{name}\", \"first_ms\": {:.3}, \
             \"run_us\": {:.3}, \"peak_mb\": {:.1}, \"check\": {check:?}}}",
            first * 1e3,
            run * 1e6,
            peak_memory().unwrap_or_default() * 1e-6
        ),
        Err(e) => format!(
            "{{\"peer\": \"wengert\", \"name\": \"{name}\", \"error\": {:?}}}",
            e.to_string()
        ),
    }
}

/// Returns the most bytes that the process has had in memory.
fn peak_memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Times the first call and blocks of later ones. A block has as many calls as fill 20 ms; there are nine
/// blocks, and fewer if they would take more than 5 s.
pub fn times<Y: Tree<Leaf = Array>>(mut call: impl FnMut() -> Result<Y>) -> Result<Times> {
    let mut timed = |calls: usize| -> Result<(f64, Y)> {
        let start = Instant::now();
        let mut last = call()?;
        for _ in 1..calls {
            last = call()?;
        }
        Ok((start.elapsed().as_secs_f64() / calls as f64, last))
    };
    let (first, result) = timed(1)?;
    let (one, _) = timed(1)?;
    let calls = ((0.02 / one) as usize).max(1);
    let blocks = ((5.0 / one) as usize).clamp(1, 9);
    let mut runs = vec![];
    for _ in 0..blocks {
        runs.push(timed(calls)?.0);
    }
    Ok(Times {
        first,
        run: median(runs),
        check: check(&result),
    })
}

/// Returns the time of the shortest of some runs, or of one thread the processor time of a long run, which other programs
/// disturb less.
fn shortest<Y>(call: impl Fn() -> Result<Y>) -> Result<f64> {
    call()?;
    let begun = (Instant::now(), processor_time());
    let mut shortest = f64::INFINITY;
    let mut runs = 0;
    while runs < 3 || (runs < 100_000 && begun.0.elapsed().as_secs_f64() < 0.3) {
        let start = Instant::now();
        call()?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    let alone = std::env::var("RAYON_NUM_THREADS").is_ok_and(|n| n == "1");
    Ok(match (begun.1, processor_time()) {
        // What the system counts lags behind by milliseconds.
        (Some(before), Some(after)) if alone && after - before > 0.05 => {
            shortest.min((after - before) / f64::from(runs))
        }
        _ => shortest,
    })
}

/// Returns the seconds for which this thread has had a processor.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}

/// Returns the median; of an even number of values, the mean of the middle two.
pub fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len();
    (x[(n - 1) / 2] + x[n / 2]) / 2.0
}

/// Returns the sum of all floats that are not NaN.
fn check<Y: Tree<Leaf = Array>>(result: &Y) -> f64 {
    let floats = tree::leaves(result).into_iter().filter_map(|leaf| {
        let narrow = || {
            leaf.to_vec::<f32>()
                .map(|all| all.into_iter().map(f64::from).collect())
        };
        leaf.to_vec::<f64>().or_else(|_| narrow()).ok()
    });
    floats.flatten().filter(|x| !x.is_nan()).sum()
}
