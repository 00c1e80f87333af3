//! How a workload is measured.

use std::time::Instant;

use wengert::{Array, Result, Tree, tree};

/// A workload: what makes its function and its inputs, and measures it.
pub struct Workload {
    pub name: String,
    run: Box<dyn Fn() -> Result<Times>>,
}

/// What was measured, in seconds.
pub struct Times {
    /// Tracing, compiling and the first run.
    first: f64,
    /// The median of later runs.
    run: f64,
    /// The sum of the results.
    check: f64,
}

impl Workload {
    pub fn new(name: impl Into<String>, run: impl Fn() -> Result<Times> + 'static) -> Workload {
        Workload {
            name: name.into(),
            run: Box::new(run),
        }
    }

    /// Measures it: a line of JSON.
    pub fn line(&self) -> String {
        let name = &self.name;
        match (self.run)() {
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
}

/// Times the first call and blocks of later ones. A block is as many calls as fill 20 ms; there are
/// nine, and fewer where they would take more than 5 s.
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

/// The median of some numbers, the mean of the middle two where their number is even.
pub fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len();
    (x[(n - 1) / 2] + x[n / 2]) / 2.0
}

/// The sum of all floats that are not NaN.
fn check<Y: Tree<Leaf = Array>>(result: &Y) -> f64 {
    let floats = tree::leaves(result)
        .into_iter()
        .filter_map(|leaf| leaf.to_vec::<f64>().ok());
    floats.flatten().filter(|x| !x.is_nan()).sum()
}
