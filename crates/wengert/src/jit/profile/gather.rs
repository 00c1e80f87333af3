//! Running a function until the figures stand.

use std::collections::HashMap;
use std::panic::Location;
use std::time::{Duration, Instant};

use wengert_ir::error::{Error, Result};
use wengert_ir::loops::{BufferKind, LANES, walk};
use wengert_ir::schedule::notes::Notes;
use wengert_ir::source::SourceId;
use wengert_ir::timing::Pass;
use wengert_run::sample::{self, Activity, Recording, Refused, Settings};

use super::lines::ByLine;
use super::{Event, Memory, Method, Profile, StageTime, plan};
use crate::array::Array;
use crate::jit::compiled::Compiled;
use crate::jit::explain;
use crate::tree::{Tree, TreeDef};

/// The time between two samples.
const PERIOD: Duration = Duration::from_micros(500);

/// How long a batch of calls takes at least, whose time is one measurement.
const BATCH: Duration = Duration::from_micros(200);

/// The spans of lines that a trace shows.
const EVENTS: usize = 50_000;

/// A function that is ready to be profiled.
pub(in crate::jit) struct Subject {
    pub compiled: Compiled,
    pub def: TreeDef,
    pub notes: Notes,
    pub passes: Vec<Pass>,
}

/// Runs the function on the arguments for about `time`, and says where the time went.
pub(in crate::jit) fn profile<X, Y>(
    subject: &Subject,
    args: &X,
    mut out: Y,
    time: Duration,
    place: &'static Location<'static>,
) -> Result<Profile>
where
    X: Tree<Leaf = Array>,
    Y: Tree<Leaf = Array>,
{
    let compiled = &subject.compiled;
    let mut call = || {
        compiled
            .call_into(&subject.def, args, &mut out, place)
            .map(drop)
    };
    let before = resident();
    let begun = Instant::now();
    call()?;
    let once = begun.elapsed().max(Duration::from_nanos(20));
    let batch = (BATCH.as_nanos() / once.as_nanos()).clamp(1, 100_000) as u32;
    // The plain time is taken before and after, since the speed of a machine changes.
    let mut plain = vec![];
    let some = time / 8;
    batches(&mut call, batch, some, &mut plain)?;
    let mut profiled = vec![];
    let listing = compiled.executable().listing();
    let program = listing.map(|l| &l.program);
    let settings = Settings {
        period: PERIOD,
        most: ((time.as_nanos() / PERIOD.as_nanos()) as usize * 4).clamp(1_000, 100_000),
        pool: program.is_some_and(plan::uses_threads),
        spans: once > Duration::from_micros(20),
    };
    let recorded = match compiled.executable().lines() {
        Some(table) => sample::record(table, &settings, || {
            batches(&mut call, batch, time, &mut profiled)
        }),
        None => Err(Refused::Unsupported(format!(
            "{} makes no machine code",
            compiled.machine.backend.name()
        ))),
    };
    let (recording, method) = match recorded {
        Ok((done, recording)) => {
            done?;
            (Some(recording), Method::Sampled(PERIOD))
        }
        Err(Refused::Busy) => {
            let at = SourceId::of(place, None);
            let message = format!("{}: wait for its end", Refused::Busy);
            return Err(Error::value("profile", message, at));
        }
        Err(refused) => (None, Method::Estimated(refused.to_string())),
    };
    batches(&mut call, batch, some, &mut plain)?;
    let calls = profiled.len() as u64 * u64::from(batch);
    let nanoseconds = median(&mut plain);
    let profiled_nanoseconds = match profiled.is_empty() {
        true => nanoseconds,
        false => median(&mut profiled),
    };

    let mut lines = ByLine::default();
    let work = program.map(plan::work).unwrap_or_default();
    for (source, work) in &work {
        if let Some(source) = source {
            lines.work(*source, work);
        }
    }
    for (source, bytes) in scratch(subject) {
        lines.scratch(source, bytes);
    }
    let (mut elsewhere, mut samples) = (vec![], 0);
    match &recording {
        Some(recording) => {
            let shares = Shares::of(recording, compiled);
            for (source, share) in shares.lines {
                lines.time(source, share);
            }
            elsewhere = shares.elsewhere;
            samples = shares.samples;
        }
        None => {
            let all: f64 = work.values().map(|w| w.nanoseconds).sum();
            for (source, work) in &work {
                let share = work.nanoseconds / all.max(f64::MIN_POSITIVE);
                match source {
                    Some(source) => lines.time(*source, share),
                    None => elsewhere.push(("code that belongs to no line".to_string(), share)),
                }
            }
        }
    }
    let memory = memory(
        compiled,
        recording.as_ref(),
        program.is_some_and(plan::uses_threads),
    );
    Ok(Profile {
        lines: lines.finish(nanoseconds),
        elsewhere,
        nanoseconds,
        profiled_nanoseconds,
        calls,
        samples,
        method,
        memory: Memory {
            resident: before.zip(resident()),
            ..memory
        },
        stages: stages(&subject.passes),
        explanation: explain::explain(compiled, &subject.def)?,
        events: recording.map(|r| events(&r, compiled)).unwrap_or_default(),
    })
}

/// Calls in batches for a time, and pushes the nanoseconds of a call of each.
fn batches(
    call: &mut impl FnMut() -> Result<()>,
    batch: u32,
    time: Duration,
    into: &mut Vec<f64>,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        let from = Instant::now();
        for _ in 0..batch {
            call()?;
        }
        into.push(from.elapsed().as_nanos() as f64 / f64::from(batch));
        if begun.elapsed() >= time {
            return Ok(());
        }
    }
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Where the samples are.
struct Shares {
    lines: HashMap<SourceId, f64>,
    elsewhere: Vec<(String, f64)>,
    samples: usize,
}

impl Shares {
    fn of(recording: &Recording, compiled: &Compiled) -> Shares {
        let table = compiled
            .executable()
            .lines()
            .expect("it was recorded with one");
        let mut lines: HashMap<SourceId, f64> = HashMap::new();
        let (mut code, mut runtime, mut around, mut samples) = (0, 0, 0, 0);
        for thread in &recording.threads {
            for sample in &thread.samples {
                samples += 1;
                match sample.address(table) {
                    Some(at) => match table.source(at) {
                        Some(source) => *lines.entry(source).or_default() += 1.0,
                        None => code += 1,
                    },
                    None if sample.inside || sample.inherited != 0 => runtime += 1,
                    None => around += 1,
                }
            }
        }
        let all = samples.max(1) as f64;
        lines.values_mut().for_each(|n| *n /= all);
        let elsewhere = [
            ("code that belongs to no line", code),
            ("the runtime, outside of what a line calls", runtime),
            ("around the code: arguments and results", around),
        ];
        let elsewhere = elsewhere.into_iter().filter(|(_, n)| *n > 0);
        Shares {
            lines,
            elsewhere: elsewhere
                .map(|(name, n)| (name.to_string(), f64::from(n) / all))
                .collect(),
            samples,
        }
    }
}

/// The intermediate arrays that the code keeps, with the places that they are for.
fn scratch(subject: &Subject) -> Vec<(SourceId, usize)> {
    let Some(listing) = subject.compiled.executable().listing() else {
        return vec![];
    };
    let mut used = std::collections::HashSet::new();
    walk::stmts(&listing.program.body, &mut |s| {
        used.extend(walk::buffers(s));
    });
    let stored = subject
        .notes
        .stored
        .iter()
        .filter(|s| used.contains(&s.buffer));
    let each = stored.filter_map(|stored| {
        let buffer = listing.program.buffers.get(stored.buffer.0 as usize)?;
        let copies = match buffer.kind {
            BufferKind::Local => LANES,
            BufferKind::Call | BufferKind::Task => 1,
            _ => return None,
        };
        let source = subject.notes.operations[stored.operation?].source;
        Some((source, buffer.len * buffer.dtype.bytes() * copies))
    });
    each.collect()
}

fn memory(compiled: &Compiled, recording: Option<&Recording>, threads: bool) -> Memory {
    let func = compiled.func.ir();
    let bytes = |ty: &wengert_ir::ir::Type| ty.size() * ty.dtype.bytes();
    let tasks = match threads {
        true => compiled.executable().task_scratch_bytes() * wengert_run::threads(),
        false => 0,
    };
    Memory {
        arguments: func.param_types().iter().map(bytes).sum(),
        results: func.result_types().iter().map(bytes).sum(),
        scratch: compiled.executable().scratch_bytes(),
        tasks,
        lists: recording.map_or(0, |r| r.list_bytes),
        resident: None,
    }
}

/// The resident memory of this process, if the system says.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn stages(passes: &[Pass]) -> Vec<StageTime> {
    let Some(first) = passes.iter().map(|p| p.start).min() else {
        return vec![];
    };
    let mut stages: Vec<StageTime> = (passes.iter())
        .map(|p| StageTime {
            name: p.name.to_string(),
            depth: p.depth,
            time: p.end - p.start,
            start: p.start - first,
        })
        .collect();
    stages.sort_by_key(|s| (s.start, s.depth));
    stages
}

/// What each thread did: calls, tasks, and runs of samples in one line.
fn events(recording: &Recording, compiled: &Compiled) -> Vec<Event> {
    let table = compiled
        .executable()
        .lines()
        .expect("it was recorded with one");
    let micro = |t: u64| t.saturating_sub(recording.time.0) as f64 / 1e3;
    let mut events = vec![];
    let mut names: HashMap<Option<SourceId>, String> = HashMap::new();
    for thread in &recording.threads {
        for span in &thread.spans {
            let (name, category) = match span.activity {
                Activity::Task => ("steps of a parallel loop", "task"),
                _ => ("call", "call"),
            };
            events.push(Event {
                name: name.to_string(),
                category,
                start: micro(span.start),
                time: (span.end - span.start) as f64 / 1e3,
                thread: thread.id,
            });
        }
        let mut last: Option<(Option<SourceId>, u64, u64)> = None;
        let mut put = |(source, start, end): (Option<SourceId>, u64, u64)| {
            let name = names.entry(source).or_insert_with(|| match source {
                Some(source) => super::lines::said(source),
                None => "elsewhere".to_string(),
            });
            if events.len() < EVENTS {
                events.push(Event {
                    name: name.clone(),
                    category: "line",
                    start: micro(start),
                    time: (end - start) as f64 / 1e3,
                    thread: thread.id,
                });
            }
        };
        for sample in &thread.samples {
            let source = sample.address(table).and_then(|at| table.source(at));
            let end = sample.time + recording.period;
            last = Some(match last {
                // The next tick, or one that came a little late.
                Some((s, start, before))
                    if s == source && sample.time <= before + recording.period =>
                {
                    (s, start, end)
                }
                Some(run) => {
                    put((run.0, run.1, run.2.min(sample.time)));
                    (source, sample.time, end)
                }
                None => (source, sample.time, end),
            });
        }
        if let Some(run) = last {
            put(run);
        }
    }
    events
}
