//! Tests the laws on many random programs, and on the corpus: functions that once broke a law.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::laws::{Case, LAWS, Law, Subject, Verdict};
use crate::program::{Limits, Program};

macro_rules! named {
    ($name:literal) => {
        ($name, include_str!(concat!("../corpus/", $name, ".ir")))
    };
}

/// Functions that once broke a law, each in the text form of the IR.
const CORPUS: &[(&str, &str)] = &[
    named!("a_batch_of_nothing"),
    named!("a_loop_that_runs_no_step"),
    named!("a_root_whose_equation_has_a_loop"),
    named!("branches_in_a_loop"),
    named!("carries_that_change_places"),
    named!("sums_over_a_flattened_batch"),
];

/// Number of failures after which a law is no longer tested.
const ENOUGH: usize = 3;

/// Number of programs to try when shrinking one.
const TRIES: usize = 3000;

/// Time between reports of the counts so far.
const BETWEEN: Duration = Duration::from_secs(600);

/// A run of the laws on random programs.
#[derive(Clone, Debug)]
pub struct Run {
    /// The seed of the first program; the others use the following numbers.
    pub seed: u64,
    /// The number of programs.
    pub programs: u64,
    /// The time after which no further program is started.
    pub time: Duration,
    /// The size limits of programs.
    pub limits: Limits,
    /// The laws to test: every one unless [`Run::only`] selected some.
    pub laws: Vec<&'static Law>,
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of programs tested: the first ones of the run.
    pub programs: u64,
    /// Descriptions of the failures, with their seeds.
    pub broken: Vec<String>,
    failures: BTreeMap<&'static str, usize>,
    verdicts: BTreeMap<(&'static str, u8), usize>,
    times: BTreeMap<&'static str, Duration>,
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Silences panics on the test threads: they are caught, and count as failures that are shrunk before they are
/// reported.
fn silence_caught_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            hook(info);
        }
    }));
}

impl Run {
    /// Makes a run of this many programs starting at a seed.
    pub fn new(seed: u64, programs: u64) -> Run {
        Run {
            seed,
            programs,
            time: Duration::MAX,
            limits: Limits::default(),
            laws: LAWS.iter().collect(),
        }
    }

    /// Restricts the run to the laws with these names, separated by commas.
    ///
    /// # Errors
    ///
    /// A sentence with the names of all laws, if one of the names is unknown.
    pub fn only(mut self, names: &str) -> Result<Run, String> {
        let find = |name: &str| {
            let law = LAWS.iter().find(|l| l.name == name.trim());
            law.ok_or_else(|| {
                let all: Vec<_> = LAWS.iter().map(|l| l.name).collect();
                format!("no law is named {name:?}; there are {}", all.join(", "))
            })
        };
        self.laws = names.split(',').map(find).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Tests the laws, on as many threads as there are processors. `said` is called with each failure as it is
    /// found, and with the counts so far every ten minutes.
    pub fn tried(&self, said: impl Fn(&str) + Sync) -> Report {
        silence_caught_panics();
        let started = Instant::now();
        let next = AtomicU64::new(0);
        let report = Mutex::new(Report::default());
        let told = Mutex::new(started);
        let corpus = CORPUS.len() as u64;
        let work = || {
            QUIET.set(true);
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= corpus + self.programs || started.elapsed() > self.time {
                    break;
                }
                let (what, subject) = match CORPUS.get(i as usize) {
                    Some((name, text)) => {
                        let subject = Subject::parse(text).expect("the corpus can be read");
                        (format!("corpus {name}"), subject)
                    }
                    None => {
                        let seed = self.seed + i - corpus;
                        let program = Program::random(seed, &self.limits);
                        (format!("seed {seed}"), program.into())
                    }
                };
                self.hold(&what, Case::new(subject), &report, &said);
                if i >= corpus {
                    lock(&report).programs += 1;
                }
                // Otherwise an abort of the process would lose the counts.
                let mut last = lock(&told);
                if last.elapsed() > BETWEEN {
                    *last = Instant::now();
                    said(&lock(&report).to_string());
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                // Deep programs are traced by recursion.
                let builder = std::thread::Builder::new().stack_size(64 << 20);
                builder.spawn_scoped(scope, work).expect("a thread");
            }
        });
        report.into_inner().unwrap_or_else(|e| e.into_inner())
    }

    fn hold(&self, what: &str, case: Case, report: &Mutex<Report>, said: &impl Fn(&str)) {
        for law in &self.laws {
            if lock(report).failures.get(law.name) >= Some(&ENOUGH) {
                continue;
            }
            let started = Instant::now();
            let verdict = law.check(&case);
            let took = started.elapsed();
            let verdict = verdict.map_err(|failure| law.broken(&case, failure, TRIES));
            let mut report = lock(report);
            *report.times.entry(law.name).or_default() += took;
            match verdict {
                Ok(v) => *report.verdicts.entry((law.name, v as u8)).or_default() += 1,
                Err(failure) => {
                    let text = format!("{what}: {failure}");
                    said(&text);
                    let failures = report.failures.entry(law.name).or_default();
                    *failures += 1;
                    if *failures == ENOUGH {
                        said(&format!("{} is tried no more", law.name));
                    }
                    report.broken.push(text);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} programs", self.programs)?;
        for law in LAWS {
            let count = |v: Verdict| self.verdicts.get(&(law.name, v as u8)).unwrap_or(&0);
            let given_up = match self.failures.get(law.name) >= Some(&ENOUGH) {
                true => ", tried no more after its failures",
                false => "",
            };
            writeln!(
                f,
                "{:20} held {:5}, unclear {:3}, too large {:4}, {:.1?}{given_up}",
                law.name,
                count(Verdict::Held),
                count(Verdict::Unclear),
                count(Verdict::TooLarge),
                self.times.get(law.name).copied().unwrap_or_default()
            )?;
        }
        write!(f, "{} broken", self.broken.len())
    }
}
