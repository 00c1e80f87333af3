//! A call: what it queues, and how it ends.

use std::sync::{Arc, OnceLock};

use wengert_loop::loops::Failure;
use wengert_loop::types::DType;
use wengert_run::RunError;

use super::code::{Built, Code, State};
use super::memory::{Block, Memory};
use super::{Argument, Link, Queue};
use crate::kernels::{Arg, FAILURES, LISTS_FULL, Launch, Rows, Step, UNIT_WORDS, Word};

/// The number of calls that may depend on each other before the first is waited for.
const AHEAD: usize = 64;

/// A queued call.
pub(super) struct Call<Q: Queue> {
    link: Arc<Link<Q>>,
    built: Arc<Built<Q>>,
    frame: Block<Q>,
    /// The calls that made its arguments, if they may still run.
    parents: Vec<Arc<Call<Q>>>,
    depth: usize,
    outcome: OnceLock<Result<(), RunError>>,
}

impl<Q: Queue> Call<Q> {
    /// The calls that arguments come from and that are not known to have run, after so many of them that none depends
    /// on many others.
    ///
    /// # Errors
    /// The error of one that failed.
    pub fn parents<'a>(
        calls: impl Iterator<Item = &'a Arc<Call<Q>>>,
    ) -> Result<Vec<Arc<Call<Q>>>, RunError> {
        let mut parents: Vec<Arc<Call<Q>>> = vec![];
        for call in calls {
            if call.depth >= AHEAD {
                call.wait()?;
            }
            match call.outcome.get() {
                Some(outcome) => outcome.clone()?,
                None if parents.iter().any(|p| Arc::ptr_eq(p, call)) => {}
                None => parents.push(call.clone()),
            }
        }
        Ok(parents)
    }

    /// Waits until it has run.
    pub fn wait(&self) -> Result<(), RunError> {
        let outcome = self.outcome.get_or_init(|| {
            self.parents.iter().try_for_each(|p| p.wait())?;
            let mut bytes = [0; 4];
            self.frame.read(&mut bytes)?;
            let status = i32::from_le_bytes(bytes);
            outcome(&self.link, &self.built.failures, status)
        });
        outcome.clone()
    }
}

/// What a status says.
fn outcome<Q: Queue>(link: &Link<Q>, failures: &[Failure], status: i32) -> Result<(), RunError> {
    match status {
        0 => Ok(()),
        s if s >= FAILURES => match failures.get((s - FAILURES) as usize) {
            Some(failure) => Err(RunError::Stopped(failure.error())),
            None => Err(link.failed(&format!("a call ended with status {s}"))),
        },
        s => Err(link.failed(&format!("a call ended with status {s}"))),
    }
}

/// The end of a call if it is known, its frame, and its results.
type Queued<Q> = (
    Option<Result<(), RunError>>,
    Block<Q>,
    Vec<Option<Block<Q>>>,
);

/// A queued call, and the memory of its results.
type QueuedCall<Q> = (Arc<Call<Q>>, Vec<Option<Block<Q>>>);

/// Memory of each type.
type Arrays<Q> = Vec<(DType, Block<Q>)>;

/// The rows in flight.
struct InFlight<Q: Queue> {
    first: usize,
    count: usize,
    frame: Option<Block<Q>>,
    memory: Arrays<Q>,
}

/// A call while it is queued.
pub(super) struct Running<'a, Q: Queue> {
    code: &'a Code<Q>,
    state: &'a mut State<Q>,
    inputs: &'a [Option<&'a Memory<Q>>],
    outputs: Vec<Option<Block<Q>>>,
    parents: &'a [Arc<Call<Q>>],
    frame: Block<Q>,
    memory: Arrays<Q>,
    lists: Option<Block<Q>>,
    rows: Option<InFlight<Q>>,
    indices: Vec<i64>,
}

/// Why a call is not queued to its end.
enum Stop {
    /// An error.
    Error(RunError),
    /// A thread has failed: its status is in the frame.
    Failed,
}

impl From<RunError> for Stop {
    fn from(e: RunError) -> Stop {
        Stop::Error(e)
    }
}

impl<'a, Q: Queue> Running<'a, Q> {
    /// Queues a call, and returns it and the memory of its results.
    pub fn all(
        code: &'a Code<Q>,
        state: &'a mut State<Q>,
        inputs: &'a [Option<&'a Memory<Q>>],
        parents: Vec<Arc<Call<Q>>>,
    ) -> Result<QueuedCall<Q>, RunError> {
        let link = &code.link;
        loop {
            let (done, frame, outputs) = Running::once(code, state, inputs, &parents)?;
            let call = Call {
                link: link.clone(),
                built: code.built.clone(),
                frame,
                depth: 1 + parents.iter().map(|p| p.depth).max().unwrap_or(0),
                parents: parents.clone(),
                outcome: OnceLock::new(),
            };
            if let Some(done) = done {
                let _ = call.outcome.set(done);
            }
            if !code.plan.lists {
                link.queue.flush().map_err(|e| link.failed(&e))?;
                return Ok((Arc::new(call), outputs));
            }
            let mut bytes = [0; 12];
            call.frame.read(&mut bytes)?;
            let word =
                |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("four"));
            if word(0) as i32 != LISTS_FULL {
                return Ok((Arc::new(call), outputs));
            }
            let most = (code.list_limit / (8 * UNIT_WORDS)).min(u32::MAX as usize / 2);
            let most = most.min(link.queue.facts().largest / (8 * UNIT_WORDS));
            if state.units as usize >= most {
                let what = format!(
                    "lists need more than {} bytes, and {} are allowed",
                    state.units as usize * 8 * UNIT_WORDS,
                    code.list_limit
                );
                return Err(link.failed(&what));
            }
            // What was asked for until threads stopped is a lower bound.
            let asked = (word(2) as usize).max(4 * state.units as usize);
            state.units = asked.min(most) as u32;
        }
    }

    fn once(
        code: &'a Code<Q>,
        state: &'a mut State<Q>,
        inputs: &'a [Option<&'a Memory<Q>>],
        parents: &'a [Arc<Call<Q>>],
    ) -> Result<Queued<Q>, RunError> {
        let (link, plan) = (&code.link, &code.plan);
        let arrays = |memory: &[(DType, usize)]| -> Result<Arrays<Q>, RunError> {
            let all = memory.iter();
            all.map(|&(dtype, n)| Ok((dtype, Block::new(link, n.saturating_mul(dtype.bytes()))?)))
                .collect()
        };
        let outputs = plan.outputs.iter().zip(&code.named);
        let outputs = outputs.map(|(port, named)| match named {
            false => Ok(None),
            true => Block::new(link, port.len.saturating_mul(port.dtype.bytes())).map(Some),
        });
        let frame = Block::new(link, 8 * plan.frame_words)?;
        frame.fill(0, 0, 2 * plan.frame_words)?;
        frame.fill(1, 2, 1)?;
        let lists = match plan.lists {
            true => {
                let pool = Block::new(link, state.units as usize * 8 * UNIT_WORDS)?;
                pool.fill(0, 0, 2 * UNIT_WORDS)?;
                Some(pool)
            }
            false => None,
        };
        let outputs = outputs.collect::<Result<Vec<_>, RunError>>()?;
        for output in outputs.iter().flatten().filter(|_| code.manner.zeroed) {
            output.zero()?;
        }
        let mut running = Running {
            code,
            state,
            inputs,
            outputs,
            parents,
            frame,
            memory: arrays(&plan.memory)?,
            lists,
            rows: None,
            indices: vec![0; plan.indices],
        };
        let done = match running.steps(&plan.steps) {
            Ok(()) | Err(Stop::Failed) => None,
            Err(Stop::Error(RunError::Stopped(e))) => Some(Err(RunError::Stopped(e))),
            Err(Stop::Error(e)) => return Err(e),
        };
        Ok((done, running.frame, running.outputs))
    }

    /// A number that the host needs: it waits for the word.
    fn word(&mut self, word: Word) -> Result<u64, Stop> {
        match word {
            Word::Known(bits) => Ok(bits),
            Word::Frame(i) => {
                // A condition that is computed from nothing might never end a loop.
                self.parents.iter().try_for_each(|p| p.wait())?;
                let mut bytes = vec![0; 8 * (i + 1)];
                self.frame.read(&mut bytes)?;
                let at = |i: usize| {
                    u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight"))
                };
                match at(0) {
                    0 => Ok(at(i)),
                    _ => Err(Stop::Failed),
                }
            }
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        for step in steps {
            match step {
                Step::Launch(l) => self.launch(l)?,
                Step::Rows(r) => self.in_rows(r)?,
                Step::For {
                    extent,
                    index,
                    reverse,
                    steps,
                } => {
                    let n = self.word(*extent)? as i64;
                    for i in 0..n {
                        self.indices[*index] = if *reverse { n - 1 - i } else { i };
                        self.steps(steps)?;
                    }
                }
                Step::While {
                    cond,
                    go,
                    steps,
                    limit,
                    status,
                } => {
                    let mut n = 0;
                    loop {
                        self.steps(cond)?;
                        if self.word(*go)? == 0 {
                            break;
                        }
                        if n == *limit {
                            let built = &self.code.built;
                            outcome(&self.code.link, &built.failures, *status)?;
                        }
                        n += 1;
                        self.steps(steps)?;
                    }
                }
                Step::If {
                    pred,
                    then,
                    otherwise,
                } => match self.word(*pred)? {
                    0 => self.steps(otherwise)?,
                    _ => self.steps(then)?,
                },
            }
        }
        Ok(())
    }

    /// Runs steps for as many rows at a time as there is memory for.
    fn in_rows(&mut self, r: &Rows) -> Result<(), Stop> {
        let link = self.code.link.clone();
        let all = (self.word(r.extent)? as i64).max(0) as usize;
        let own = r.memory.iter().map(|&(d, n)| n.saturating_mul(d.bytes()));
        let bytes = own.fold(8 * r.frame_words, usize::saturating_add);
        let most = (self.code.manner.scratch / bytes.max(1)).max(1);
        for first in (0..all).step_by(most) {
            let count = most.min(all - first);
            let memory = r.memory.iter().map(|&(d, n)| {
                let bytes = n.saturating_mul(d.bytes()).saturating_mul(count);
                Ok((d, Block::new(&link, bytes)?))
            });
            let memory = memory.collect::<Result<Arrays<Q>, RunError>>()?;
            let frame = match r.frame_words {
                0 => None,
                n => Some(Block::new(&link, 8 * n * count)?),
            };
            self.rows = Some(InFlight {
                first,
                count,
                frame,
                memory,
            });
            let done = self.steps(&r.steps);
            self.rows = None;
            done?;
        }
        Ok(())
    }

    fn launch(&mut self, l: &Launch) -> Result<(), Stop> {
        let link = self.code.link.clone();
        let rows = self.rows.as_ref().map_or(1, |r| r.count);
        let total = rows.saturating_mul(l.columns);
        let facts = link.queue.facts();
        let group = match l.group {
            Some(group) => group,
            None if total == 1 => 1,
            None => facts.group,
        };
        let own = l.memory.iter().map(|&(d, n)| n.saturating_mul(d.bytes()));
        let bytes = own.fold(0, usize::saturating_add);
        // Whole groups, so that no thread runs twice.
        let most = match bytes {
            0 => total.max(1).next_multiple_of(group),
            n => (self.code.manner.scratch / n / group)
                .max(1)
                .saturating_mul(group),
        };
        let most = most.min(facts.groups.max(1).saturating_mul(group));
        for first in (0..total).step_by(most) {
            let threads = most.min(total - first).next_multiple_of(group);
            let memory = l.memory.iter().map(|&(d, n)| {
                let bytes = n.saturating_mul(d.bytes()).saturating_mul(threads);
                Ok((d, Block::new(&link, bytes)?))
            });
            let memory = memory.collect::<Result<Arrays<Q>, RunError>>()?;
            self.queue(l, &memory, first, threads, group)?;
        }
        Ok(())
    }

    fn queue(
        &mut self,
        l: &Launch,
        memory: &Arrays<Q>,
        first: usize,
        threads: usize,
        group: usize,
    ) -> Result<(), RunError> {
        let link = &self.code.link;
        let rows = self.rows.as_ref();
        let (units, indices) = (self.state.units, &self.indices);
        let missing = |what: &str| link.failed(&format!("a plan without {what}"));
        let argument = |&arg: &Arg| {
            Ok(match arg {
                Arg::ListUnits => Argument::Units(units),
                Arg::Index(i) => Argument::Number(indices[i]),
                Arg::FirstRow => Argument::Number(rows.map_or(0, |r| r.first as i64)),
                Arg::RowCount => Argument::Number(rows.map_or(1, |r| r.count as i64)),
                Arg::First => Argument::Number(first as i64),
                arg => {
                    let block = match arg {
                        Arg::RowFrame => rows.and_then(|r| r.frame.as_ref()),
                        Arg::Lists => self.lists.as_ref(),
                        Arg::Memory(d) => held(&self.memory, d),
                        Arg::RowMemory(d) => rows.and_then(|r| held(&r.memory, d)),
                        Arg::ThreadMemory(d) => held(memory, d),
                        // Without elements, an argument or result is any memory.
                        Arg::Input(i) => {
                            let input = self.inputs.get(i).copied().flatten();
                            Some(input.map_or(&self.frame, |m| &m.block))
                        }
                        Arg::Output(i) => {
                            let output = self.outputs.get(i).and_then(Option::as_ref);
                            Some(output.unwrap_or(&self.frame))
                        }
                        _ => Some(&self.frame),
                    };
                    let block = block.ok_or_else(|| missing(&format!("{arg:?}")))?;
                    Argument::Memory(block.memory())
                }
            })
        };
        let args = l.args.iter().map(argument);
        let args = args.collect::<Result<Vec<_>, RunError>>()?;
        let kernel = self.state.kernels.get_mut(&l.kernel);
        let kernel = kernel.ok_or_else(|| missing(&l.kernel))?;
        let queued = link.queue.launch(kernel, &args, threads, group);
        queued.map_err(|e| link.failed(&e))
    }
}

/// The block that holds elements of a type.
fn held<Q: Queue>(memory: &Arrays<Q>, dtype: DType) -> Option<&Block<Q>> {
    memory.iter().find(|m| m.0 == dtype).map(|m| &m.1)
}
