//! Profiles: their structure, never their times.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wengert::prelude::*;
use wengert::profile::Method;
use wengert::{Profile, backend};

/// Tests take turns, except where they are about several profiles at once.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHORT: Duration = Duration::from_millis(150);

fn sampled(profile: &Profile) -> bool {
    matches!(profile.method, Method::Sampled(_))
}

/// What holds of every profile.
fn consistent(profile: &Profile) {
    let elsewhere: f64 = profile.elsewhere.iter().map(|e| e.1).sum();
    let all = profile.in_lines() + elsewhere;
    assert!(
        (all - 1.0).abs() < 1e-9 || profile.samples == 0,
        "{all}: {profile}"
    );
    assert!(profile.nanoseconds > 0.0 && profile.profiled_nanoseconds > 0.0);
    for line in &profile.lines {
        assert!(line.share >= 0.0 && line.derivative <= line.share + 1e-12);
        assert!(
            (line.nanoseconds - line.share * profile.nanoseconds).abs()
                <= 1e-6 * profile.nanoseconds
        );
    }
    assert!(profile.lines.is_sorted_by(|a, b| a.share >= b.share));
    let names: Vec<&str> = profile.stages.iter().map(|s| s.name.as_str()).collect();
    for stage in ["trace", "optimise", "lower", "machine code"] {
        assert!(names.contains(&stage), "{names:?}");
    }
    let trace: serde_json::Value = serde_json::from_str(&profile.to_chrome_trace()).unwrap();
    for event in trace["traceEvents"].as_array().unwrap() {
        let complete = event["ph"] == "X" && event["dur"].as_f64().unwrap() >= 0.0;
        assert!(complete || event["ph"] == "M", "{event}");
    }
    let page = profile.to_html();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(
        !page.contains("src=") && !page.contains("href="),
        "it is self-contained"
    );
}

#[test]
fn a_slow_line_is_first() {
    let _turn = turn();
    let line = line!() + 2;
    let f = jit(|x: Var| {
        let slow = x.erf_inv();
        (slow + x).sum()
    });
    let profile = f.profile_for(SHORT, vec![0.5; 20_000]).unwrap();
    consistent(&profile);
    let first = &profile.lines[0];
    assert_eq!(
        (first.file.ends_with("profiles.rs"), first.line),
        (true, line),
        "{profile}"
    );
    assert_eq!(first.text.as_deref(), Some("let slow = x.erf_inv();"));
    if sampled(&profile) {
        assert!(first.share > 0.5, "{profile}");
        assert!(
            profile.samples > 10 && profile.in_lines() > 0.9,
            "{profile}"
        );
    }
    assert_eq!(first.derivative, 0.0);
    // The steps of loops around the elements are few.
    assert!((20_000.0..20_100.0).contains(&first.runs), "{profile}");
    assert_eq!(profile.memory.arguments, 160_000);
    assert_eq!(profile.memory.results, 8);
    let text = profile.to_string();
    assert!(
        text.contains("x.erf_inv()") && text.contains("compiled:"),
        "{text}"
    );
    assert!(profile.to_html().contains("x.erf_inv()"));
}

#[test]
fn derivatives_count_for_their_line_and_say_so() {
    let _turn = turn();
    let line = line!() + 2;
    let f = jit(grad(|x: Var| {
        let y = x.erf();
        y.sum()
    }));
    let profile = f.profile_for(SHORT, vec![0.5; 20_000]).unwrap();
    consistent(&profile);
    // The value is not wanted: what is left of the line is its derivative.
    let found = profile.line("profiles.rs", line).unwrap();
    assert!(found.share > 0.0, "{profile}");
    if sampled(&profile) {
        assert_eq!(found.derivative, found.share, "{profile}");
        assert!(profile.to_string().contains(" 100 "), "{profile}");
    }
}

#[test]
fn threads_and_kernels_count_for_their_line() {
    let _turn = turn();
    let line = line!() + 2;
    let f = jit(|x: Var| {
        let y = x.dot(x);
        y.sort(1)
    });
    let x: Vec<f64> = (0..300 * 300).map(|i| (i % 17) as f64).collect();
    let x = Array::from(x).reshape([300, 300]).unwrap();
    let profile = f.profile_for(SHORT, &x).unwrap();
    consistent(&profile);
    for line in [line, line + 1] {
        let found = profile.line("profiles.rs", line).unwrap();
        assert!(found.share > 0.0, "{profile}");
        assert!(found.read > 0.0 && found.written > 0.0, "{profile}");
    }
    if sampled(&profile) {
        assert!(profile.in_lines() > 0.8, "{profile}");
    }
}

#[test]
fn parallel_loops_have_tasks() {
    let _turn = turn();
    let f = jit(vmap(|x: Var| fori(0..200, x, |_, x| (x * 1.01).sin())));
    let profile = f.profile_for(SHORT, vec![0.5; 20_000]).unwrap();
    consistent(&profile);
    if sampled(&profile) {
        let text = profile.lines[0].text.as_deref().unwrap();
        assert!(text.contains("(x * 1.01).sin()"), "{profile}");
        assert!(profile.lines[0].share > 0.5, "{profile}");
        assert!(
            profile
                .to_chrome_trace()
                .contains("steps of a parallel loop")
        );
    }
}

#[test]
fn a_loop_of_unknown_length_counts_by_its_steps() {
    let _turn = turn();
    let f = jit(|(x, n): (Var, Var)| {
        let body = |(x, n): (Var, Var)| (x.cos(), n - 1.0);
        while_loop((x, n), |(_, n)| n.gt(0.0), body).0
    });
    let profile = f.profile_for(SHORT, (0.5, 1000.0)).unwrap();
    consistent(&profile);
    assert!(profile.lines[0].per_step, "{profile}");
    assert!(profile.to_string().contains("/step"), "{profile}");
}

#[test]
fn a_function_shorter_than_a_period_is_called_often() {
    let _turn = turn();
    let f = jit(|x: Var| x * 2.0 + 1.0);
    let profile = f.profile_for(Duration::from_millis(50), 1.0).unwrap();
    consistent(&profile);
    assert!(profile.calls > 1000, "{profile}");
}

#[test]
fn a_failing_check_is_the_error_of_the_profile() {
    let _turn = turn();
    let f = jit(|x: Var| {
        wengert::check(x.gt(0.0), "x is positive");
        x.sqrt()
    });
    let error = f.profile_for(SHORT, -1.0).unwrap_err().to_string();
    assert!(error.contains("x is positive"), "{error}");
    // The next one works.
    consistent(&f.profile_for(SHORT, 1.0).unwrap());
    let error = jit(|x: Var| x.reshape([7]))
        .profile_for(SHORT, 1.0)
        .unwrap_err();
    assert!(error.to_string().contains("reshape"), "{error}");
}

#[test]
fn a_second_profile_at_once_is_refused() {
    let _turn = turn();
    if !sampled(&jit(|x: Var| x + 1.0).profile_for(SHORT, 1.0).unwrap()) {
        return;
    }
    let results: Vec<Result<Profile, wengert::Error>> = std::thread::scope(|scope| {
        let each = (0..4).map(|_| {
            scope.spawn(|| {
                let f = jit(|x: Var| x.exp().sum());
                f.profile_for(Duration::from_millis(400), vec![0.5; 1000])
            })
        });
        let threads: Vec<_> = each.collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let (done, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert!(!done.is_empty());
    for refused in refused {
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("another profile of this process is running"),
            "{error}"
        );
    }
    done.iter().flatten().for_each(consistent);
}

#[test]
fn threads_profile_one_after_the_other() {
    let _turn = turn();
    for _ in 0..3 {
        let profile = std::thread::spawn(|| {
            let f = jit(|x: Var| x.exp().sum());
            f.profile_for(Duration::from_millis(30), vec![0.5; 1000])
        });
        consistent(&profile.join().unwrap().unwrap());
    }
}

#[test]
fn without_machine_code_shares_are_estimated() {
    let _turn = turn();
    let line = line!() + 1;
    let f = jit(|x: Var| (x.erf_inv() + x).sum()).backend(backend::Interpreter);
    let profile = f
        .profile_for(Duration::from_millis(20), vec![0.5; 100])
        .unwrap();
    consistent(&profile);
    assert!(matches!(&profile.method, Method::Estimated(why) if why.contains("no machine code")));
    assert_eq!(profile.lines[0].line, line);
    assert!(
        profile.to_string().contains("estimated by the plan"),
        "{profile}"
    );
}

/// What a profile changes of the process is as before.
#[test]
fn results_are_the_same_after_a_profile() {
    let _turn = turn();
    let f = jit(|x: Var| x.sin().sum());
    let x = vec![0.3; 5000];
    let before = f.call(&x).unwrap();
    f.profile_for(Duration::from_millis(30), &x).unwrap();
    assert_eq!(f.call(&x).unwrap(), before);
}
