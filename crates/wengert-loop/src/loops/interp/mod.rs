//! The reference interpreter of programs: slow, and as close to the definition of the IR as code
//! can be. If a compiled program gives a wrong answer, the interpreter tells whether the lowering
//! or the emission is wrong.
//!
//! A vector loop runs as a serial loop over its index, lane after lane, with [`LANES`] copies of
//! what it carries and of [`BufferKind::Local`] memory. Every access is checked, and scratch begins
//! as garbage.

mod kernels;
mod loops;
mod trial;

pub use trial::Trial;

use std::collections::HashMap;

use super::{
    Block, BufferId, BufferKind, Cell, Function, Index, LANES, ListId, Program, Rows, ScalarOp,
    Stmt, Value, scope,
};
use crate::buffer::{Data, NoMemory};
use crate::scalar;
use crate::source::SourceId;
use crate::types::DType;
use trial::{garbage, unwritten};

/// The errors of a running program.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Error {
    /// A loop with a condition reached its limit of steps.
    #[error("a loop reached max_steps = {limit}")]
    MaxSteps {
        /// The limit.
        limit: u64,
        /// The user's line, if the program has it.
        at: Option<SourceId>,
    },
    /// An element outside its buffer: a mistake in the program.
    #[error("b{} has {len} elements and none at {at}", buffer.0)]
    OutOfBounds {
        /// The region of memory.
        buffer: BufferId,
        /// The requested element.
        at: i64,
        /// The number of elements.
        len: usize,
    },
    /// A list, a row of a list, or an element of a row that does not exist.
    #[error("a list has no row {row} with element {at}")]
    NoRow {
        /// The requested row.
        row: i64,
        /// The element of the row.
        at: i64,
    },
    /// The memory for a buffer cannot be allocated.
    #[error("there is no memory for {} elements of {}", .0.len, .0.dtype)]
    NoMemory(NoMemory),
    /// The program stopped with an error; an index into [`Program::failures`].
    #[error("the program gave up: failure {0}")]
    Failed(u32),
    /// A function of the host gave an error.
    #[error("{0}")]
    Host(crate::error::Error),
    /// A list whose stated number of rows is not the number that was pushed.
    #[error("l{}: {rows} rows, and {pushed} were pushed", list.0)]
    Rows {
        /// The list.
        list: ListId,
        /// The stated number of rows.
        rows: i64,
        /// The number of rows that were pushed.
        pushed: i64,
    },
    /// A trial that took more steps of loops than it may.
    #[error("more steps of loops than a trial takes")]
    Steps,
    /// An argument or a result of the wrong type or size.
    #[error("argument or result of the wrong type or size for b{}", .0.0)]
    Argument(BufferId),
}

/// Runs a program (one that the verifier accepts). Outputs are written in place.
pub fn run(program: &Program, inputs: &[&Data], outputs: &mut [Data]) -> Result<(), Error> {
    let trial = Trial {
        steps: u64::MAX,
        zeros: false,
    };
    run_trial(program, inputs, outputs, trial)
}

/// Runs a program with a limit of steps.
pub fn run_trial(
    program: &Program,
    inputs: &[&Data],
    outputs: &mut [Data],
    trial: Trial,
) -> Result<(), Error> {
    let garbage = |dtype, len| unwritten(trial, dtype, len);
    let mut memory = Vec::new();
    for (i, b) in program.buffers.iter().enumerate() {
        let fits = |d: Option<&Data>| {
            d.filter(|d| d.dtype() == b.dtype && d.len() == b.len)
                .cloned()
                .ok_or(Error::Argument(BufferId(i as u32)))
        };
        memory.push(match b.kind {
            BufferKind::Input(n) => vec![fits(inputs.get(n as usize).copied())?],
            BufferKind::Output(n) => vec![fits(outputs.get(n as usize))?],
            BufferKind::Constant(n) => vec![table(b.dtype, &program.constants[n as usize])],
            BufferKind::Call | BufferKind::Task => vec![garbage(b.dtype, b.len)?],
            BufferKind::Local => {
                let lanes = (0..LANES).map(|_| garbage(b.dtype, b.len));
                lanes.collect::<Result<_, _>>()?
            }
        });
    }
    let mut owned: HashMap<scope::LoopId, Vec<BufferId>> = HashMap::new();
    for (buffer, id) in scope::scopes(program) {
        owned.entry(id).or_default().push(buffer);
    }
    let mut machine = Machine {
        program,
        owned,
        memory,
        values: vec![0; program.values.len()],
        function: None,
        copies: HashMap::new(),
        slots: vec![Vec::new(); program.lists.len()],
        finished: Vec::new(),
        handles: Vec::new(),
        lane: None,
        parallel: false,
        trial,
    };
    machine.block(&program.body)?;
    for (b, memory) in program.buffers.iter().zip(machine.memory) {
        if let BufferKind::Output(n) = b.kind {
            outputs[n as usize] = memory.into_iter().next().expect("one copy");
        }
    }
    Ok(())
}

fn table(dtype: DType, bits: &[u64]) -> Data {
    let mut data = Data::zeros(dtype, bits.len());
    for (i, &b) in bits.iter().enumerate() {
        data.set_bits(i, b);
    }
    data
}

/// The first handle; large, so that no other number passes for a handle.
const HANDLES: i64 = 1 << 40;

/// A row of a list: its fields.
type Row = Vec<Data>;

struct Machine<'p> {
    program: &'p Program,
    /// The scratch buffers that belong to each loop.
    owned: HashMap<scope::LoopId, Vec<BufferId>>,
    /// The copies of each buffer: one, or for local memory one for each lane.
    memory: Vec<Vec<Data>>,
    /// The values of the program, or of the function that runs.
    values: Vec<u64>,
    /// The function that runs; functions call none.
    function: Option<&'p Function>,
    /// The values that leave a vector loop: one for each lane of a block.
    copies: HashMap<Value, [u64; LANES]>,
    slots: Vec<Vec<Row>>,
    finished: Vec<Vec<Row>>,
    /// The list and the field of each handle; that of `HANDLES + i` is `handles[i]`.
    handles: Vec<(usize, u32)>,
    /// The index of the vector loop that runs.
    lane: Option<i64>,
    /// Whether a parallel task runs.
    parallel: bool,
    /// The remaining steps, and the initial contents of scratch.
    trial: Trial,
}

impl Machine<'_> {
    fn dtype(&self, v: Value) -> DType {
        match self.function {
            Some(function) => function.values[v.0 as usize],
            None => self.program.values[v.0 as usize].dtype,
        }
    }

    fn get(&self, v: Value) -> u64 {
        self.values[v.0 as usize]
    }

    fn int(&self, v: Value) -> i64 {
        self.get(v) as i64
    }

    fn set(&mut self, v: Value, bits: u64) {
        self.values[v.0 as usize] = bits;
    }

    fn place(&self, i: &Index) -> i64 {
        let part = |v: Option<Value>| v.map_or(0, |v| self.int(v));
        i.offset + part(i.base) + i.stride * self.lane.unwrap_or(0) + part(i.each)
    }

    fn element(&self, buffer: BufferId, index: &Index) -> Result<usize, Error> {
        let at = self.place(index);
        let len = self.program.buffers[buffer.0 as usize].len;
        usize::try_from(at)
            .ok()
            .filter(|&at| at < len)
            .ok_or(Error::OutOfBounds { buffer, at, len })
    }

    /// The copies of a buffer that the current statement sees: the copy of its own lane, or all of
    /// them.
    fn copies_seen(&self, buffer: BufferId) -> std::ops::Range<usize> {
        let n = self.memory[buffer.0 as usize].len();
        match self.lane {
            Some(lane) if n == LANES => {
                let copy = lane as usize % LANES;
                copy..copy + 1
            }
            _ => 0..n,
        }
    }

    /// Counts a step of a loop, and overwrites the scratch of the last step with garbage.
    fn begin_step(&mut self, id: scope::LoopId) -> Result<(), Error> {
        self.trial.steps = self.trial.steps.checked_sub(1).ok_or(Error::Steps)?;
        let Some(buffers) = self.owned.get(&id) else {
            return Ok(());
        };
        for &buffer in buffers {
            let b = &self.program.buffers[buffer.0 as usize];
            let seen = self.copies_seen(buffer);
            let fresh = unwritten(self.trial, b.dtype, b.len)?;
            self.memory[buffer.0 as usize][seen].fill(fresh);
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), Error> {
        block.stmts.iter().try_for_each(|s| self.stmt(s))
    }

    fn results(&self, block: &Block) -> Vec<u64> {
        block.results.iter().map(|&v| self.get(v)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Error> {
        match stmt {
            Stmt::Const { out, bits } => self.set(*out, *bits),
            Stmt::Op { out, op, args } => self.op(*out, *op, args),
            Stmt::Call { out, callee, args } => {
                let args: Vec<u64> = args.iter().map(|&a| self.get(a)).collect();
                let bits = self.call(*callee, &args)?;
                self.set(*out, bits);
            }
            Stmt::Load { out, buffer, index } => {
                let at = self.element(*buffer, index)?;
                let seen = self.copies_seen(*buffer);
                let copies = &self.memory[buffer.0 as usize][seen];
                if copies.len() == LANES {
                    let bits = std::array::from_fn(|l| copies[l].bits(at));
                    self.copies.insert(*out, bits);
                } else {
                    let bits = copies[0].bits(at);
                    self.set(*out, bits);
                }
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                let at = self.element(*buffer, index)?;
                let bits = self.get(*value);
                for copy in self.copies_seen(*buffer) {
                    self.memory[buffer.0 as usize][copy].set_bits(at, bits);
                }
            }
            Stmt::Copy { to, from, len, .. } => self.copy(*to, *from, *len)?,
            Stmt::For(l) => self.for_(stmt, l)?,
            Stmt::While(l) => self.while_(stmt, l)?,
            Stmt::If(i) => {
                let holds = self.get(i.pred) != 0;
                let branch = if holds { &i.then } else { &i.otherwise };
                self.block(branch)?;
                for (&out, bits) in i.outs.iter().zip(self.results(branch)) {
                    self.set(out, bits);
                }
            }
            Stmt::ListBegin { list } => self.slots[list.0 as usize].clear(),
            Stmt::ListPush { list, row } => {
                let (list, rows) = (*list, self.int(*row));
                let slot = &mut self.slots[list.0 as usize];
                let pushed = slot.len() as i64;
                if rows != pushed {
                    return Err(Error::Rows { list, rows, pushed });
                }
                let fields = &self.program.lists[list.0 as usize].fields;
                let fresh = |&(d, n): &(DType, usize)| unwritten(self.trial, d, n);
                let row: Result<_, _> = fields.iter().map(fresh).collect();
                slot.push(row?);
            }
            Stmt::ListStore(s) => {
                let (row, at) = (self.int(s.row), self.place(&s.element));
                let bits = self.get(s.value);
                let slot = &mut self.slots[s.list.0 as usize];
                let data = usize::try_from(row).ok().and_then(|r| slot.get_mut(r));
                let data = data.map(|r| &mut r[s.field as usize]);
                match (data, usize::try_from(at)) {
                    (Some(data), Ok(i)) if i < data.len() => data.set_bits(i, bits),
                    _ => return Err(Error::NoRow { row, at }),
                }
            }
            Stmt::ListFinish { out, list, rows } => {
                let built = std::mem::take(&mut self.slots[list.0 as usize]);
                let (list, rows, pushed) = (*list, self.int(*rows), built.len() as i64);
                if rows != pushed {
                    return Err(Error::Rows { list, rows, pushed });
                }
                self.finished.push(built);
                self.set(*out, self.finished.len() as u64);
            }
            Stmt::ListHandle { out, of } => {
                let list = self.int(of.built) as usize - 1;
                let handle = match self.finished[list].is_empty() {
                    true => 0,
                    false => {
                        self.handles.push((list, of.field));
                        HANDLES + self.handles.len() as i64 - 1
                    }
                };
                self.set(*out, handle as u64);
            }
            Stmt::ListRows { out, handle } => {
                let rows = match self.int(*handle) {
                    0 => 0,
                    h => {
                        let (list, _) = self.handle(h).ok_or(Error::NoRow { row: 0, at: 0 })?;
                        self.finished[list].len()
                    }
                };
                self.set(*out, rows as u64);
            }
            Stmt::ListLoad { out, cell } => {
                let bits = self.cell(cell, self.dtype(*out))?;
                self.set(*out, bits);
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => self.kernel(&**kernel, regions)?,
            Stmt::Fail { failure } => return Err(Error::Failed(*failure)),
        }
        Ok(())
    }

    fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        let last = args[args.len() - 1];
        let (from, to) = (self.dtype(last), self.dtype(out));
        let bits = match op {
            ScalarOp::Fold(_) => scalar::apply(op, from, to, &self.copies[&last]),
            _ => {
                let args: Vec<u64> = args.iter().map(|&a| self.get(a)).collect();
                scalar::apply(op, from, to, &args)
            }
        };
        self.set(out, bits);
    }

    /// Calls a function, whose values are its own.
    fn call(&mut self, callee: u32, args: &[u64]) -> Result<u64, Error> {
        let callee = &self.program.functions[callee as usize];
        let mut values = vec![0; callee.values.len()];
        for (&p, &bits) in callee.params.iter().zip(args) {
            values[p.0 as usize] = bits;
        }
        let values = std::mem::replace(&mut self.values, values);
        self.function = Some(callee);
        self.block(&callee.body)?;
        self.function = None;
        let own = std::mem::replace(&mut self.values, values);
        Ok(own[callee.body.results[0].0 as usize])
    }

    fn copy(
        &mut self,
        (to, to_index): (BufferId, Index),
        (from, from_index): (BufferId, Index),
        len: usize,
    ) -> Result<(), Error> {
        if len == 0 {
            return Ok(());
        }
        let end = len as i64 - 1;
        let last = |i: Index| Index {
            offset: i.offset + end,
            ..i
        };
        let (a, b) = (
            self.element(to, &to_index)?,
            self.element(from, &from_index)?,
        );
        self.element(to, &last(to_index))?;
        self.element(from, &last(from_index))?;
        for copy in self.copies_seen(to) {
            let source = match self.copies_seen(from) {
                r if r.contains(&copy) => copy,
                r => r.start,
            };
            for i in 0..len {
                let bits = self.memory[from.0 as usize][source].bits(b + i);
                self.memory[to.0 as usize][copy].set_bits(a + i, bits);
            }
        }
        Ok(())
    }

    /// The list and the field that a handle refers to.
    fn handle(&self, handle: i64) -> Option<(usize, u32)> {
        let i = usize::try_from(handle - HANDLES).ok()?;
        self.handles.get(i).copied()
    }

    fn cell(&self, cell: &Cell, dtype: DType) -> Result<u64, Error> {
        let (row, at) = (self.int(cell.row), self.place(&cell.element));
        let of = match cell.rows {
            Rows::Of(of) => Some((self.int(of.built) as usize - 1, of.field)),
            Rows::Handle(handle) if self.get(handle) == 0 => return Ok(0),
            Rows::Handle(handle) => self.handle(self.int(handle)),
        };
        let found = || {
            let (list, field) = of?;
            let data = &self.finished[list].get(usize::try_from(row).ok()?)?[field as usize];
            let i = usize::try_from(at).ok()?;
            (i < data.len() && data.dtype() == dtype).then(|| data.bits(i))
        };
        found().ok_or(Error::NoRow { row, at })
    }
}
