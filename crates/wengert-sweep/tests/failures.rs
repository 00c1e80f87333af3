//! Points that fail, and what a user gets wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wengert::prelude::*;
use wengert_sweep::{Design, Ended, Error, Kind, OnError, Outputs, Sweep};

fn numbers(n: u64) -> Design<Var> {
    Design::from_fn(n, |i| i.to(DType::F64))
}

#[test]
fn a_check_names_its_points() {
    let f = |x: Var| {
        let bad = x.eq(700.0) | x.eq(13.0) | x.eq(1000.0);
        wengert::check(!bad, "x is 13, 700 or 1000");
        x.sqrt()
    };
    for chunk in [64, 300, 1001] {
        let found = Sweep::new(numbers(1001), f).chunk(chunk).collect().unwrap();
        let failed: Vec<(u64, Kind)> = found.errors.iter().map(|e| (e.index, e.kind)).collect();
        assert_eq!(
            failed,
            [13, 700, 1000].map(|i| (i, Kind::Check)),
            "chunks of {chunk}"
        );
        let message = found.errors[0].to_string();
        assert!(
            message.starts_with("point 13 (x = 13.0): check: x is 13, 700 or 1000"),
            "{message}"
        );
        assert!(message.contains("failures.rs"), "{message}");
        let y = found.results.to_vec::<f64>().unwrap();
        let well = |i: usize| ![13, 700, 1000].contains(&i);
        assert!(y.iter().enumerate().all(|(i, y)| match well(i) {
            true => *y == (i as f64).sqrt(),
            false => y.is_nan(),
        }));
        assert_eq!(found.summary.failures, [(Kind::Check, 3)]);
    }
}

#[test]
fn a_loop_without_end_is_the_failure_of_its_point() {
    let f = |x: Var| {
        while_loop(
            (x, 0),
            |(x, _)| x.ne(1.0),
            |(x, n)| ((x - 2.0).abs(), n + 1),
        )
        .1
    };
    // Even numbers go to zero and two, and never come to one.
    let found = Sweep::new(numbers(20), f)
        .max_steps(1000)
        .collect()
        .unwrap();
    let failed: Vec<u64> = found.errors.iter().map(|e| e.index).collect();
    assert_eq!(failed, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    assert!(
        found
            .errors
            .iter()
            .all(|e| e.kind == Kind::Failed && e.message.contains("more than 1000 steps"))
    );
}

#[test]
fn results_that_are_not_finite_are_failures_unless_they_are_allowed() {
    let f = |x: Var| (1.0 / (x - 5.0), x);
    let found = Sweep::new(numbers(10), f).collect().unwrap();
    assert_eq!(found.errors.len(), 1);
    assert_eq!(
        found.errors[0].to_string(),
        "point 5 (x = 5.0): y.0 is not finite"
    );
    assert_eq!(found.results.0.to_vec::<f64>().unwrap()[5], f64::INFINITY);
    let q = &found.summary.quantities[0];
    assert_eq!((q.count, q.min, q.max), (9, -1.0, 1.0));
    assert!(
        Sweep::new(numbers(10), f)
            .allow_infinite()
            .collect()
            .unwrap()
            .errors
            .is_empty()
    );
}

#[test]
fn a_design_with_nan_is_a_row_with_an_error() {
    let found = Sweep::new(Design::grid(vec![1.0, f64::NAN]).unwrap(), |x: Var| x + 1.0)
        .collect()
        .unwrap();
    assert_eq!(
        found.errors[0].to_string(),
        "point 1 (x = nan): y is not finite"
    );
}

#[test]
fn a_status_is_a_failure_where_it_is_not_positive() {
    let f = |x: Var| (x, x.lt(3.0).select(1, -3));
    let found = Sweep::new(numbers(6), f).status("y.1").collect().unwrap();
    let failed: Vec<(u64, Kind)> = found.errors.iter().map(|e| (e.index, e.kind)).collect();
    assert_eq!(failed, [3, 4, 5].map(|i| (i, Kind::Status)));
    assert!(found.errors[0].message.starts_with("y.1 is -3"));
    let own = Sweep::new(numbers(6), f)
        .status_with("y.1", |code| code == -3)
        .collect()
        .unwrap();
    assert_eq!(own.errors.len(), 3);
    let wrong = |leaf: &str| {
        Sweep::new(numbers(6), f)
            .status(leaf)
            .collect()
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        wrong("status"),
        "status: there is no result `status`; there are y.0, y.1"
    );
    assert_eq!(wrong("y.0"), "status: `y.0` is f64, and not an integer");
}

#[test]
fn a_sweep_stops_at_the_first_failure_if_asked() {
    let f = |x: Var| 1.0 / (x - 50.0);
    for chunk in [8, 40, 51, 1000] {
        let stop = Sweep::new(numbers(100), f)
            .chunk(chunk)
            .on_error(OnError::Stop);
        match stop.run() {
            Err(Error::Point(e)) => assert_eq!((e.index, e.kind), (50, Kind::NotFinite)),
            other => panic!("{other:?}"),
        }
        let rows = Sweep::new(numbers(100), f)
            .chunk(chunk)
            .on_error(OnError::Stop)
            .iter()
            .unwrap();
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 51);
        assert!(rows[..50].iter().all(Result::is_ok));
        assert!(matches!(rows[50], Err(Error::Point(_))));
    }
}

#[test]
fn panics_of_plain_functions_are_errors_of_their_points() {
    let f = |x: Array| -> Result<f64, String> {
        let x = x.item::<f64>().unwrap();
        assert!(x != 3.0, "three is not to be");
        if x == 4.0 {
            Err("nor four".into())
        } else {
            Ok(x)
        }
    };
    let found = Sweep::plain(numbers(6), f).collect().unwrap();
    let failed: Vec<(u64, Kind)> = found.errors.iter().map(|e| (e.index, e.kind)).collect();
    assert_eq!(failed, [(3, Kind::Panic), (4, Kind::Failed)]);
    assert!(found.errors[0].message.contains("three is not to be"));
    assert!(found.results.to_vec::<f64>().unwrap()[3].is_nan());
}

/// What it gives is not what it announced.
struct Changing(f64);

impl Outputs for Changing {
    type Tree = Var;
    fn blank() -> Self {
        Changing(0.0)
    }
    fn tree(self) -> Array {
        match self.0 < 2.0 {
            true => Array::from(self.0),
            false => Array::from([self.0; 2]),
        }
    }
}

#[test]
fn a_result_of_another_type_is_an_error_of_its_point() {
    let f = |x: Array| x.item::<f64>().map(Changing);
    let found = Sweep::plain(numbers(3), f).collect().unwrap();
    assert_eq!(
        found.errors[0].to_string(),
        "point 2 (x = 2.0): `y` is f64[2], and not f64 as announced"
    );
}

#[test]
fn mistakes_in_the_function_are_errors_with_their_line() {
    let wrong = Sweep::new(numbers(3), |x: Var| x.reshape([2, 2]))
        .run()
        .unwrap_err()
        .to_string();
    assert!(wrong.starts_with("reshape: f64 has 1 element, "), "{wrong}");
    assert!(wrong.contains("failures.rs"), "{wrong}");
    let design = Design::from_fn(3, |i: Var| i.dot(full([2], 1.0)).reshape([5]));
    let wrong = Sweep::new(design, |x: Var| x)
        .run()
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("failures.rs"), "{wrong}");
}

#[test]
fn a_sweep_ends_when_it_is_told_to() {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let f = move |x: Array| -> Result<f64, String> {
        let x = x.item::<f64>().unwrap();
        if x == 30.0 {
            flag.store(true, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(1));
        Ok(x)
    };
    let summary = Sweep::plain(numbers(1_000_000), f)
        .chunk(100_000)
        .cancel(stop)
        .run()
        .unwrap();
    assert_eq!(summary.ended, Ended::Cancelled);
    assert!(summary.done < 100_000, "{summary}");

    let start = Instant::now();
    let slow = |_: Array| -> Result<f64, String> {
        std::thread::sleep(Duration::from_millis(5));
        Ok(0.0)
    };
    let summary = Sweep::plain(numbers(1_000_000), slow)
        .timeout(Duration::from_millis(200))
        .run()
        .unwrap();
    assert_eq!(summary.ended, Ended::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(summary.to_string().starts_with("out of time: "));
}

#[test]
fn memory_that_is_too_little_is_an_error() {
    let wide = |x: Var| x * full([1000], 1.0);
    let wrong = Sweep::new(numbers(100), wide)
        .memory(100_000)
        .run()
        .unwrap_err();
    assert!(matches!(wrong, Error::Memory { .. }), "{wrong}");
    let wrong = Sweep::new(numbers(100_000), wide)
        .memory(10_000_000)
        .chunk(50_000)
        .run()
        .unwrap_err();
    assert!(
        wrong.to_string().contains("a chunk of 50000 points"),
        "{wrong}"
    );
    let wrong = Sweep::new(numbers(100_000), wide)
        .memory(10_000_000)
        .collect()
        .err()
        .unwrap();
    assert!(wrong.to_string().contains("to collect"), "{wrong}");
    assert_eq!(
        Sweep::new(numbers(10_000), wide)
            .memory(10_000_000)
            .run()
            .unwrap()
            .done,
        10_000
    );
}

#[test]
fn progress_goes_from_nothing_to_all() {
    let seen = Arc::new(std::sync::Mutex::new(vec![]));
    let log = seen.clone();
    let sweep = Sweep::new(numbers(1000), |x: Var| 1.0 / x).chunk(300);
    sweep
        .progress(move |p| log.lock().unwrap().push((p.done, p.total, p.failed)))
        .run()
        .unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        *seen,
        [
            (0, 1000, 0),
            (300, 1000, 1),
            (600, 1000, 1),
            (900, 1000, 1),
            (1000, 1000, 1)
        ]
    );
}
