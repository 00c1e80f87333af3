//! A call: what it queues, and how it ends.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, OnceLock};

use wengert_c::kernels::{Arg, FAILURES, LISTS_FULL, Launch, Rows, Step, UNIT_WORDS, Word};
use wengert_loop::loops::Failure;
use wengert_loop::types::DType;
use wengert_run::RunError;

use crate::api::{Raw, checked};
use crate::code::{Built, Code, State};
use crate::device::Link;
use crate::memory::{Block, Memory};

/// The size of groups of threads that may have any.
const GROUP: usize = 64;

/// The number of calls that may depend on each other before the first is waited for.
const AHEAD: usize = 64;

/// A queued call.
pub(crate) struct Call {
    built: Arc<Built>,
    frame: Block,
    /// The calls that made its arguments, if they may still run.
    parents: Vec<Arc<Call>>,
    depth: usize,
    outcome: OnceLock<Result<(), RunError>>,
}

impl Call {
    /// The calls that arguments come from and that are not known to have run, after so many of them that none depends
    /// on many others.
    ///
    /// # Errors
    /// The error of one that failed.
    pub fn parents<'a>(
        calls: impl Iterator<Item = &'a Arc<Call>>,
    ) -> Result<Vec<Arc<Call>>, RunError> {
        let mut parents: Vec<Arc<Call>> = vec![];
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
            outcome(
                &self.built.link,
                &self.built.failures,
                i32::from_le_bytes(bytes),
            )
        });
        outcome.clone()
    }
}

/// What a status says.
fn outcome(link: &Link, failures: &[Failure], status: i32) -> Result<(), RunError> {
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
type Queued = (Option<Result<(), RunError>>, Block, Vec<Option<Block>>);

/// Memory of each type.
type Arrays = Vec<(DType, Block)>;

/// The rows in flight.
struct InFlight {
    first: usize,
    count: usize,
    frame: Option<Block>,
    memory: Arrays,
}

/// A call while it is queued.
pub(crate) struct Running<'a> {
    code: &'a Code,
    state: &'a mut State,
    inputs: &'a [Option<&'a Memory>],
    outputs: Vec<Option<Block>>,
    parents: &'a [Arc<Call>],
    frame: Block,
    memory: Arrays,
    lists: Option<Block>,
    rows: Option<InFlight>,
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

impl<'a> Running<'a> {
    /// Queues a call, and returns it and the memory of its results.
    pub fn all(
        code: &'a Code,
        state: &'a mut State,
        inputs: &'a [Option<&'a Memory>],
        parents: Vec<Arc<Call>>,
    ) -> Result<(Arc<Call>, Vec<Option<Block>>), RunError> {
        let link = &code.link;
        loop {
            let (done, frame, outputs) = Running::once(code, state, inputs, &parents)?;
            let call = Call {
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
                // SAFETY: the queue is valid.
                let status = unsafe { (link.api.clFlush)(link.queue) };
                checked("clFlush", status).map_err(|e| link.failed(&e))?;
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
            let most = most.min(link.largest / (8 * UNIT_WORDS));
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
        code: &'a Code,
        state: &'a mut State,
        inputs: &'a [Option<&'a Memory>],
        parents: &'a [Arc<Call>],
    ) -> Result<Queued, RunError> {
        let (link, plan) = (&code.link, &code.plan);
        let arrays = |memory: &[(DType, usize)]| -> Result<Arrays, RunError> {
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
        frame.fill(0, 0, plan.frame_words)?;
        frame.fill(1, 1, 1)?;
        let lists = match plan.lists {
            true => {
                let pool = Block::new(link, state.units as usize * 8 * UNIT_WORDS)?;
                pool.fill(0, 0, UNIT_WORDS)?;
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
            let memory = memory.collect::<Result<Arrays, RunError>>()?;
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
        let group = match l.group {
            Some(group) => group,
            None if total == 1 => 1,
            None => GROUP,
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
        for first in (0..total).step_by(most) {
            let threads = most.min(total - first).next_multiple_of(group);
            let memory = l.memory.iter().map(|&(d, n)| {
                let bytes = n.saturating_mul(d.bytes()).saturating_mul(threads);
                Ok((d, Block::new(&link, bytes)?))
            });
            let memory = memory.collect::<Result<Arrays, RunError>>()?;
            self.queue(l, &memory, first, threads, group)?;
        }
        Ok(())
    }

    fn queue(
        &mut self,
        l: &Launch,
        memory: &Arrays,
        first: usize,
        threads: usize,
        group: usize,
    ) -> Result<(), RunError> {
        let link = &self.code.link;
        let kernel = self.state.kernels[&l.kernel];
        let mut number = 0;
        let mut set = |size: usize, value: *const c_void| {
            // SAFETY: the value has that size, and the kernel belongs to whoever holds the state.
            let status = unsafe { (link.api.clSetKernelArg)(kernel, number, size, value) };
            number += 1;
            checked("clSetKernelArg", status).map_err(|e| link.failed(&e))
        };
        let rows = self.rows.as_ref();
        let nothing = |what: &str| link.failed(&format!("a plan without {what}"));
        for &arg in &l.args {
            let array = |all: Option<&Arrays>, dtype: DType| {
                let found = all.and_then(|a| a.iter().find(|m| m.0 == dtype));
                found.map(|m| m.1.raw()).ok_or_else(|| nothing("memory"))
            };
            let number = |n: i64| Argument::Number(n);
            let argument = match arg {
                Arg::Frame => Argument::Memory(self.frame.raw()),
                Arg::RowFrame => {
                    let frame = rows.and_then(|r| r.frame.as_ref());
                    Argument::Memory(frame.ok_or_else(|| nothing("words of rows"))?.raw())
                }
                Arg::Lists => {
                    Argument::Memory(self.lists.as_ref().ok_or_else(|| nothing("lists"))?.raw())
                }
                Arg::ListUnits => Argument::Units(self.state.units),
                Arg::Input(i) => {
                    let input = self.inputs.get(i).copied().flatten();
                    // Without elements, it is any memory.
                    Argument::Memory(input.map_or(self.frame.raw(), |m| m.block.raw()))
                }
                Arg::Output(i) => {
                    let output = self.outputs.get(i).and_then(Option::as_ref);
                    Argument::Memory(output.map_or(self.frame.raw(), Block::raw))
                }
                Arg::Memory(d) => Argument::Memory(array(Some(&self.memory), d)?),
                Arg::RowMemory(d) => Argument::Memory(array(rows.map(|r| &r.memory), d)?),
                Arg::ThreadMemory(d) => Argument::Memory(array(Some(memory), d)?),
                Arg::Index(i) => number(self.indices[i]),
                Arg::FirstRow => number(rows.map_or(0, |r| r.first as i64)),
                Arg::RowCount => number(rows.map_or(1, |r| r.count as i64)),
                Arg::First => number(first as i64),
            };
            match argument {
                Argument::Memory(raw) => set(size_of::<Raw>(), (&raw const raw).cast())?,
                Argument::Number(n) => set(8, (&raw const n).cast())?,
                Argument::Units(n) => set(4, (&raw const n).cast())?,
            }
        }
        // SAFETY: all arguments are set, and the sizes are those of one dimension.
        let status = unsafe {
            (link.api.clEnqueueNDRangeKernel)(
                link.queue,
                kernel,
                1,
                null(),
                &threads,
                &group,
                0,
                null(),
                null_mut(),
            )
        };
        checked("clEnqueueNDRangeKernel", status).map_err(|e| link.failed(&e))
    }
}

/// A kernel's argument.
enum Argument {
    Memory(Raw),
    Number(i64),
    Units(u32),
}
