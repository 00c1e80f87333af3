//! Straight-line code: how long it keeps the processor busy, and how long its operations wait for each other.

use std::cell::RefCell;

use wengert_loop::cost::{self, OVERLAP};
use wengert_loop::loops::{Block, Carried, Function, Stmt, Value, walk};
use wengert_loop::types::DType;

/// The registers for which code is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Registers {
    /// One number each.
    Scalar,
    /// Vectors of 128 bits, which together hold eight lanes.
    Narrow,
    /// Vectors of 512 bits: of so many blocks of lanes side by side.
    Wide(f64),
}

/// The statements of a step of a loop, or of another block, that hold no blocks themselves. All in cycles.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Line {
    /// The time for which arithmetic occupies the units for it; other units load and store meanwhile.
    arithmetic: f64,
    loads: f64,
    stores: f64,
    /// The time from the first operation to the last, where each waits for its operands.
    path: f64,
    /// The time until what a step passes to the next one is there.
    turn: f64,
    /// The number of instructions.
    instructions: f64,
}

impl Line {
    /// The cycles of each of many steps that run one after the other: processors begin a step before the last one has
    /// ended.
    pub fn cycles(&self, registers: Registers) -> f64 {
        let side = match registers {
            Registers::Wide(blocks) => blocks,
            _ => 1.0,
        };
        let waits = self
            .turn
            .max(self.path / (OVERLAP / self.instructions).max(1.0));
        self.busy().max(waits / side)
    }

    /// The time for which instructions occupy the processor.
    fn busy(&self) -> f64 {
        let begun = self.instructions / cost::AT_ONCE;
        self.arithmetic.max(self.loads).max(self.stores).max(begun)
    }

    /// Whether operations that wait for each other determine the time.
    pub fn waits(&self, registers: Registers) -> bool {
        self.cycles(registers) > 1.2 * self.busy()
    }
}

/// What the lines of a program are made of.
pub(super) struct Lines<'a> {
    pub types: &'a dyn Fn(Value) -> (DType, bool),
    /// The cycles of each function: for one number, and for eight lanes.
    pub functions: &'a [[Called; 2]],
    pub times: &'a RefCell<Times>,
}

/// When the values of a line are there, in cycles.
#[derive(Default)]
pub(super) struct Times {
    /// The number of the line.
    line: u32,
    /// By value: the line that has set it, the time since the line began, and since what is carried was there, if the
    /// value depends on that.
    values: Vec<(u32, f64, Option<f64>)>,
}

impl Times {
    fn get(&self, v: Value) -> Option<(f64, Option<f64>)> {
        let &(line, path, turn) = self.values.get(v.0 as usize)?;
        (line == self.line).then_some((path, turn))
    }

    fn set(&mut self, v: Value, path: f64, turn: Option<f64>) {
        let at = v.0 as usize;
        if self.values.len() <= at {
            self.values.resize(at + 1, (0, 0.0, None));
        }
        self.values[at] = (self.line, path, turn);
    }
}

/// The cycles of a call.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Called {
    busy: f64,
    path: f64,
}

impl Lines<'_> {
    /// Returns the line of blocks that run one after the other; the last one yields what is carried.
    pub fn of(&self, blocks: &[&Block], carried: &[Carried], registers: Registers) -> Line {
        let mut line = Line::default();
        let mut times = self.times.borrow_mut();
        let times = &mut *times;
        times.line += 1;
        for c in carried {
            times.set(c.param, 0.0, Some(0.0));
        }
        for s in blocks.iter().flat_map(|b| &b.stmts) {
            let (busy, latency, instructions) = self.statement(s, registers);
            match s {
                Stmt::Load { .. } => line.loads += busy,
                Stmt::Store { .. } => line.stores += busy,
                _ => line.arithmetic += busy,
            }
            line.instructions += instructions;
            let (mut path, mut turn) = (0.0f64, None);
            for v in walk::uses(s) {
                if let Some((there, turned)) = times.get(v) {
                    path = path.max(there);
                    turn = turned.into_iter().chain(turn).reduce(f64::max);
                }
            }
            let (path, turn) = (path + latency, turn.map(|t| t + latency));
            line.path = line.path.max(path);
            for v in walk::outs(s).into_iter().chain(walk::result(s)) {
                times.set(v, path, turn);
            }
        }
        if let (Some(last), false) = (blocks.last(), carried.is_empty()) {
            let ends = last.results.iter().filter_map(|&v| times.get(v)?.1);
            line.turn = ends.fold(0.0, f64::max);
        }
        line
    }

    /// The busy cycles, the latency, and the instructions of a statement without its blocks.
    fn statement(&self, s: &Stmt, registers: Registers) -> (f64, f64, f64) {
        let out = walk::result(s).or_else(|| walk::stored(s));
        let (dtype, lanes) = out.map_or((DType::I64, false), self.types);
        let operand = match s {
            Stmt::Op { args, .. } => args.last().map_or(dtype, |&v| (self.types)(v).0),
            _ => dtype,
        };
        let registers = match lanes {
            true => registers,
            false => Registers::Scalar,
        };
        // Vectors of 128 bits that hold eight lanes.
        let parts = (operand.bytes().max(4) / 2) as f64;
        match s {
            Stmt::Const { .. } => (0.0, 0.0, 0.0),
            Stmt::Call { callee, .. } => {
                let [one, eight] = self.functions[*callee as usize];
                let called = if registers == Registers::Scalar {
                    one
                } else {
                    eight
                };
                (called.busy, called.path, called.busy)
            }
            Stmt::Op { op, .. } => match registers {
                Registers::Scalar => {
                    let (latency, busy) = cost::scalar_cycles(*op, operand.is_float());
                    (busy, latency, 1.0)
                }
                Registers::Narrow => {
                    let (latency, busy) = cost::narrow_cycles(*op, operand, dtype);
                    (parts * busy, latency, parts)
                }
                Registers::Wide(_) => {
                    let cycles = cost::cycles(s);
                    (f64::from(cycles.busy) / 4.0, f64::from(cycles.wide), 1.0)
                }
            },
            Stmt::Load { index, .. } => match registers {
                Registers::Scalar => (cost::ACCESS, cost::LOAD, 1.0),
                _ if index.each.is_some() || index.stride.unsigned_abs() > 1 => {
                    (8.0 * cost::ACCESS, 2.0 * cost::LOAD, 8.0)
                }
                Registers::Narrow => (parts * cost::ACCESS, cost::LOAD, parts),
                Registers::Wide(_) => (cost::ACCESS, 0.0, 1.0),
            },
            Stmt::Store { index, .. } => match registers {
                Registers::Scalar => (cost::ACCESS, 0.0, 1.0),
                _ if index.each.is_some() || index.stride.unsigned_abs() > 1 => {
                    (16.0 * cost::ACCESS, 0.0, 8.0)
                }
                Registers::Narrow => (2.0 * parts * cost::ACCESS, 0.0, parts),
                Registers::Wide(_) => (2.0 * cost::ACCESS, 0.0, 1.0),
            },
            Stmt::Copy { len, .. } => {
                let busy = cost::COPY + *len as f64 / 8.0;
                (busy, busy, busy)
            }
            Stmt::For(_) | Stmt::While(_) | Stmt::If(_) | Stmt::Kernel { .. } => (0.0, 0.0, 0.0),
            Stmt::Fail { .. } => (0.0, 0.0, 0.0),
            _ => (cost::LISTS, cost::LISTS, cost::LISTS),
        }
    }
}

/// Returns the cycles of each of a program's functions, for one number and for eight lanes; `wide` says whether the
/// runtime has the latter.
pub(super) fn functions(all: &[Function], wide: &[bool]) -> Vec<[Called; 2]> {
    let of = |f: &Function, registers| {
        let types = |v: Value| (f.values[v.0 as usize], registers != Registers::Scalar);
        let lines = Lines {
            types: &types,
            functions: &[],
            times: &RefCell::default(),
        };
        let mut called = Called::default();
        common(&lines, &f.body, registers, &mut called);
        called.busy += cost::CALL;
        called
    };
    let each = all.iter().zip(wide).map(|(f, &wide)| {
        let one = of(f, Registers::Scalar);
        let eight = match wide {
            true => of(f, Registers::Wide(1.0)),
            false => of(f, Registers::Narrow),
        };
        [one, eight]
    });
    each.collect()
}

/// Adds the cycles of a function's body where no argument is a rare case, which functions compute in a branch of its own.
fn common(lines: &Lines<'_>, block: &Block, registers: Registers, called: &mut Called) {
    let line = lines.of(&[block], &[], registers);
    called.busy += line.busy();
    called.path += line.path;
    for s in &block.stmts {
        match s {
            Stmt::If(i) => common(lines, &i.otherwise, registers, called),
            Stmt::While(l) => {
                let line = lines.of(&[&l.cond, &l.body], &l.carried, registers);
                called.busy += cost::FEW_STEPS * line.busy();
                called.path += cost::FEW_STEPS * line.path;
            }
            _ => {}
        }
    }
}
