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
    explain: Option<Box<dyn Fn() -> Result<String>>>,
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
            explain: None,
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
        let same = make.clone();
        let run = move || {
            let (f, args) = make();
            times(|| f.call(&args))
        };
        let explain = move || {
            let (f, args) = same();
            Ok(f.explain(&args)?.to_string())
        };
        Workload {
            explain: Some(Box::new(explain)),
            ..Workload::new(name, run)
        }
    }

    /// Makes a workload with measurements of its own, which it returns as lines of JSON.
    pub fn alone(name: &str, lines: impl Fn(&str) -> String + 'static) -> Workload {
        Workload {
            name: name.into(),
            compared: false,
            lines: Box::new(lines),
            explain: None,
        }
    }

    /// Measures the workload, and returns one or more lines of JSON.
    pub fn lines(&self) -> String {
        (self.lines)(&self.name)
    }

    /// Says what became of the workload's function, if the workload is made of one.
    pub fn explain(&self) -> String {
        match &self.explain {
            None => format!("{}: there is no explanation", self.name),
            Some(explain) => match explain() {
                Ok(text) => format!("{}: {text}", self.name),
                Err(e) => format!("{}: {e}", self.name),
            },
        }
    }
}

fn line(name: &str, times: Result<Times>) -> String {
    match times {
        Ok(Times { first, run, check }) => format!(
            "{{\"peer\": \"wengert\", \"name\": \"{name}\", \"first_ms\": {:.3}, \
             \"run_us\": {:.3}, \"check\": {check:?}}}",
            first * 1e3,
            run * 1e6
        ),
        Err(e) => format!(
            "{{\"peer\": \"wengert\", \"name\": \"{name}\", \"error\": {:?}}}",
            e.to_string()
        ),
    }
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

/// Returns the median; of an even number of values, the mean of the middle two.
pub fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len();
    (x[(n - 1) / 2] + x[n / 2]) / 2.0
}

/// Returns the sum of all floats that are not NaN.
fn check<Y: Tree<Leaf = Array>>(result: &Y) -> f64 {
    let floats = tree::leaves(result)
        .into_iter()
        .filter_map(|leaf| leaf.to_vec::<f64>().ok());
    floats.flatten().filter(|x| !x.is_nan()).sum()
}
