//! The reference interpreter of programs: slow, and as close to the words of their meaning as code
//! can be. A wrong answer is blamed on the lowering or on emission by asking it.
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
    Block, BufferId, BufferKind, Cell, Index, LANES, ListId, LoopKind, Program, Rows, ScalarOp,
    Stmt, Value, ValueType, scope,
};
use crate::buffer::{Data, NoMemory};
use crate::scalar;
use crate::types::DType;
use trial::{garbage, unwritten};

/// What goes wrong when a program runs.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Error {
    /// A loop with a condition ran as often as it may.
    #[error("a loop reached max_steps = {0}")]
    MaxSteps(u64),
    /// An element that is not there. A mistake of whoever built the program.
    #[error("b{} has {len} elements and none at {at}", buffer.0)]
    OutOfBounds {
        /// The region of memory.
        buffer: BufferId,
        /// The element that was asked for.
        at: i64,
        /// The elements there are.
        len: usize,
    },
    /// A row or an element of a list that is not there, or a list that is not there.
    #[error("a list has no row {row} with element {at}")]
    NoRow {
        /// The row that was asked for.
        row: i64,
        /// The element of the row.
        at: i64,
    },
    /// There is no memory for a region.
    #[error("there is no memory for {} elements of {}", .0.len, .0.dtype)]
    NoMemory(NoMemory),
    /// The program gave up; an index into [`Program::failures`].
    #[error("the program gave up: failure {0}")]
    Failed(u32),
    /// A function of the host gave an error.
    #[error("{0}")]
    Host(crate::error::Error),
    /// A list that has pushed another number of rows than it is said to have.
    #[error("l{}: {rows} rows, and {pushed} were pushed", list.0)]
    Rows {
        /// The list.
        list: ListId,
        /// The rows it is to have.
        rows: i64,
        /// The rows it has.
        pushed: i64,
    },
    /// A trial that took more steps of loops than it may.
    #[error("more steps of loops than a trial takes")]
    Steps,
    /// An argument of another type or size than the program has.
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

/// The same, with a limit.
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

/// Where handles begin, so that no other number passes for one.
const HANDLES: i64 = 1 << 40;

/// A row of a list: its fields.
type Row = Vec<Data>;

struct Machine<'p> {
    program: &'p Program,
    /// The scratch that belongs to a loop.
    owned: HashMap<scope::LoopId, Vec<BufferId>>,
    /// The copies of each buffer: one, or for local memory one a lane.
    memory: Vec<Vec<Data>>,
    values: Vec<u64>,
    /// What leaves a vector loop: a value for each lane of a block.
    copies: HashMap<Value, [u64; LANES]>,
    slots: Vec<Vec<Row>>,
    finished: Vec<Vec<Row>>,
    /// Handle [`HANDLES`]` + i` is of the list and the field `handles[i]`.
    handles: Vec<(usize, u32)>,
    /// The index of the vector loop that runs.
    lane: Option<i64>,
    /// Whether a parallel task runs.
    parallel: bool,
    /// The steps that are left, and what scratch begins as.
    trial: Trial,
}

impl Machine<'_> {
    fn ty(&self, v: Value) -> ValueType {
        self.program.values[v.0 as usize]
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

    /// The copies of a buffer that the code at hand sees: its own lane's, or all of them.
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

    /// Counts a step of a loop, and forgets what the last one has left in its scratch.
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
            Stmt::Call {
                out,
                function,
                args,
            } => {
                let args: Vec<u64> = args.iter().map(|&a| self.get(a)).collect();
                let bits = self.call(*function, &args)?;
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
            Stmt::Copy {
                to,
                to_index,
                from,
                from_index,
                len,
            } => self.copy((*to, to_index), (*from, from_index), *len)?,
            Stmt::For {
                kind,
                extent,
                index,
                carried,
                body,
            } => {
                let extent = self.int(*extent);
                match kind {
                    LoopKind::Serial { reverse } => {
                        self.serial(stmt, *reverse, extent, *index, carried, body)?;
                    }
                    LoopKind::Vector => self.vector(stmt, extent, *index, carried, body)?,
                    LoopKind::Parallel => self.tasks(stmt, extent, *index, body)?,
                }
            }
            Stmt::While {
                carried,
                cond,
                body,
                limit,
                ..
            } => self.while_(stmt, carried, cond, body, *limit)?,
            Stmt::If {
                pred,
                then,
                otherwise,
                outs,
            } => {
                let branch = if self.get(*pred) != 0 {
                    then
                } else {
                    otherwise
                };
                self.block(branch)?;
                for (&out, bits) in outs.iter().zip(self.results(branch)) {
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
            Stmt::ListStore {
                list,
                field,
                row,
                element,
                value,
            } => {
                let (number, at) = (self.int(*row), self.place(element));
                let bits = self.get(*value);
                let slot = &mut self.slots[list.0 as usize];
                let data = usize::try_from(number).ok().and_then(|r| slot.get_mut(r));
                let data = data.map(|r| &mut r[*field as usize]);
                match (data, usize::try_from(at)) {
                    (Some(data), Ok(i)) if i < data.len() => data.set_bits(i, bits),
                    _ => return Err(Error::NoRow { row: number, at }),
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
            Stmt::ListHandle {
                out, built, field, ..
            } => {
                let list = self.int(*built) as usize - 1;
                let handle = match self.finished[list].is_empty() {
                    true => 0,
                    false => {
                        self.handles.push((list, *field));
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
                let bits = self.cell(cell, self.ty(*out).dtype)?;
                self.set(*out, bits);
            }
            Stmt::Kernel { kernel, regions } => self.kernel(&**kernel, regions)?,
            Stmt::Fail { failure } => return Err(Error::Failed(*failure)),
        }
        Ok(())
    }

    fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        let last = args[args.len() - 1];
        let (from, to) = (self.ty(last).dtype, self.ty(out).dtype);
        let bits = match op {
            ScalarOp::Fold(_) => scalar::apply(op, from, to, &self.copies[&last]),
            _ => {
                let args: Vec<u64> = args.iter().map(|&a| self.get(a)).collect();
                scalar::apply(op, from, to, &args)
            }
        };
        self.set(out, bits);
    }

    /// A function's values are its own.
    fn call(&mut self, function: u32, args: &[u64]) -> Result<u64, Error> {
        let callee = &self.program.functions[function as usize];
        let mut values = vec![0; callee.values.len()];
        for (&p, &bits) in callee.params.iter().zip(args) {
            values[p.0 as usize] = bits;
        }
        self.pure(&callee.values, &callee.body, &mut values)?;
        Ok(values[callee.body.results[0].0 as usize])
    }

    /// Runs a block of a function, whose values those are.
    fn pure(&self, types: &[DType], block: &Block, values: &mut [u64]) -> Result<(), Error> {
        let read = |values: &[u64], which: &[Value]| {
            let bits = which.iter().map(|v| values[v.0 as usize]);
            bits.collect::<Vec<u64>>()
        };
        for stmt in &block.stmts {
            match stmt {
                Stmt::Const { out, bits } => values[out.0 as usize] = *bits,
                Stmt::Op { out, op, args } => {
                    let operand = types[args[args.len() - 1].0 as usize];
                    let bits: Vec<u64> = args.iter().map(|a| values[a.0 as usize]).collect();
                    values[out.0 as usize] =
                        scalar::apply(*op, operand, types[out.0 as usize], &bits);
                }
                Stmt::While {
                    carried,
                    cond,
                    body,
                    ..
                } => {
                    let inits = carried.iter().map(|c| c.init).collect::<Vec<Value>>();
                    let mut state = read(values, &inits);
                    loop {
                        for (c, &bits) in carried.iter().zip(&state) {
                            values[c.param.0 as usize] = bits;
                        }
                        self.pure(types, cond, values)?;
                        if values[cond.results[0].0 as usize] == 0 {
                            break;
                        }
                        self.pure(types, body, values)?;
                        state = read(values, &body.results);
                    }
                    for (c, &bits) in carried.iter().zip(&state) {
                        values[c.out.0 as usize] = bits;
                    }
                }
                Stmt::If {
                    pred,
                    then,
                    otherwise,
                    outs,
                } => {
                    let branch = if values[pred.0 as usize] != 0 {
                        then
                    } else {
                        otherwise
                    };
                    self.pure(types, branch, values)?;
                    for (out, result) in outs.iter().zip(&branch.results) {
                        values[out.0 as usize] = values[result.0 as usize];
                    }
                }
                Stmt::Load { out, buffer, index } => {
                    let part = |v: Option<Value>| v.map_or(0, |v| values[v.0 as usize] as i64);
                    let at = index.offset + part(index.base) + part(index.each);
                    let data = &self.memory[buffer.0 as usize][0];
                    let i = usize::try_from(at).ok().filter(|&i| i < data.len());
                    let (buffer, len) = (*buffer, data.len());
                    let i = i.ok_or(Error::OutOfBounds { buffer, at, len })?;
                    values[out.0 as usize] = data.bits(i);
                }
                other => unreachable!("{other:?} in a function; the verifier rejects it"),
            }
        }
        Ok(())
    }

    fn copy(
        &mut self,
        (to, to_index): (BufferId, &Index),
        (from, from_index): (BufferId, &Index),
        len: usize,
    ) -> Result<(), Error> {
        if len == 0 {
            return Ok(());
        }
        let end = len as i64 - 1;
        let last = |i: &Index| Index {
            offset: i.offset + end,
            ..*i
        };
        let (a, b) = (self.element(to, to_index)?, self.element(from, from_index)?);
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

    /// The list and the field that a handle is of.
    fn handle(&self, handle: i64) -> Option<(usize, u32)> {
        let i = usize::try_from(handle - HANDLES).ok()?;
        self.handles.get(i).copied()
    }

    fn cell(&self, cell: &Cell, dtype: DType) -> Result<u64, Error> {
        let (row, at) = (self.int(cell.row), self.place(&cell.element));
        let of = match cell.rows {
            Rows::Of { built, field, .. } => Some((self.int(built) as usize - 1, field)),
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
