//! Joins vector loops that follow each other: entering a loop costs as much as several of its steps, and what one
//! loop stores for the next is then at hand.
//!
//! Two loops are joined if they have as many steps, and if whatever one of them writes and the other one accesses is
//! accessed by both in steps of equal number. Their bodies are straight lines that a back end runs in the same kind of
//! registers.

use std::collections::HashMap;

use super::affine::Affine;
use super::sums::{self, Sums};
use super::walk::{self, AccessKind};
use super::{Block, BufferId, BufferKind, For, LoopKind, Program, ScalarOp, Stmt, Value};
use crate::types::DType;

/// The largest number of statements of a body that loops are joined to: more would not stay in registers.
const STATEMENTS: usize = 48;

/// Stands for the index of a loop in the places that its body accesses.
const INDEX: Value = Value(u32::MAX);

/// Returns the program with its neighbouring vector loops joined.
pub fn fuse(program: &Program) -> Program {
    let mut pass = Pass {
        program,
        sums: sums::of(&program.body),
        known: HashMap::new(),
    };
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::Const { out, bits } = s {
            pass.known.insert(*out, *bits);
        }
    });
    let body = pass.block(&program.body);
    Program {
        body,
        ..program.clone()
    }
}

struct Pass<'p> {
    program: &'p Program,
    sums: Sums<'p>,
    known: HashMap<Value, u64>,
}

/// A loop that others may be joined to.
struct Line {
    /// Its position among the statements that have been written.
    at: usize,
    sort: Sort,
    accesses: Vec<Access>,
}

/// What decides in which registers a loop runs, and how fast.
#[derive(Clone, Copy, PartialEq, Default)]
struct Sort {
    /// Whether it has numbers narrower than 64 bits.
    narrow: bool,
    /// Whether it accesses truth values in memory.
    truths: bool,
    /// Whether it accesses anything but rows and single elements.
    scattered: bool,
    /// Whether it carries values.
    carries: bool,
}

struct Access {
    buffer: BufferId,
    writes: bool,
    place: Affine,
}

impl<'p> Pass<'p> {
    fn block(&mut self, block: &'p Block) -> Block {
        let mut stmts: Vec<Stmt> = Vec::with_capacity(block.stmts.len());
        let mut last: Option<Line> = None;
        for s in &block.stmts {
            match s {
                Stmt::For(l) if l.kind == LoopKind::Vector => {
                    let mut line = self.line(l);
                    let mut new = l.clone();
                    if let (Some(before), Some(line)) = (&mut last, &mut line)
                        && let Stmt::For(old) = &stmts[before.at]
                        && self.may_join(old, before, l, line)
                    {
                        let Stmt::For(old) = stmts.remove(before.at) else {
                            unreachable!("it is a loop");
                        };
                        line.accesses.append(&mut before.accesses);
                        new = joined(old, new);
                    }
                    if let Some(line) = &mut line {
                        line.at = stmts.len();
                    }
                    last = line;
                    stmts.push(Stmt::For(new));
                }
                // The loop before may as well run after what neither reads memory nor what it computes.
                Stmt::Const { .. } | Stmt::Op { .. } => {
                    if let Some(line) = &last
                        && let Stmt::For(old) = &stmts[line.at]
                        && walk::uses(s).iter().any(|&v| is_out(old, v))
                    {
                        last = None;
                    }
                    stmts.push(s.clone());
                }
                _ => {
                    last = None;
                    let mut new = s.clone();
                    for (to, from) in walk::blocks_mut(&mut new).zip(walk::blocks(s)) {
                        *to = self.block(from);
                    }
                    stmts.push(new);
                }
            }
        }
        Block {
            stmts,
            results: block.results.clone(),
        }
    }

    /// Describes a vector loop whose body is a short straight line.
    fn line(&mut self, l: &'p For) -> Option<Line> {
        let mut sort = Sort {
            carries: !l.carried.is_empty(),
            ..Sort::default()
        };
        let mut accesses = vec![];
        for s in &l.body.stmts {
            match s {
                Stmt::Const { .. } | Stmt::Load { .. } | Stmt::Store { .. } => {}
                Stmt::Op { op, .. } if !matches!(op, ScalarOp::Any | ScalarOp::Fold(_)) => {}
                _ => return None,
            }
            let values = walk::uses(s).into_iter().chain(walk::result(s));
            for v in values {
                let dtype = self.program.values[v.0 as usize].dtype;
                sort.narrow |= dtype.bytes() < 8 && dtype != DType::Bool;
            }
            for a in walk::accesses(s) {
                let buffer = &self.program.buffers[a.buffer.0 as usize];
                if buffer.kind == BufferKind::Local {
                    return None;
                }
                sort.truths |= buffer.dtype == DType::Bool;
                sort.scattered |= a.index.each.is_some() || !(0..=1).contains(&a.index.stride);
                let mut place = self.sums.place(&a.index, Some(l.index));
                let index = place.coefficient(l.index);
                place.add_scaled(&Affine::uniform(l.index), index.wrapping_neg());
                place.add_scaled(&Affine::uniform(INDEX), index);
                accesses.push(Access {
                    buffer: a.buffer,
                    writes: a.kind != AccessKind::Read,
                    place,
                });
            }
        }
        Some(Line {
            at: 0,
            sort,
            accesses,
        })
    }

    fn may_join(&self, a: &For, of_a: &Line, b: &For, of_b: &Line) -> bool {
        let known = |l: &For| self.known.get(&l.extent).map(|&n| n as i64);
        let as_long = a.extent == b.extent || (known(a).is_some() && known(a) == known(b));
        let size = a.body.stmts.len() + b.body.stmts.len();
        let mut needed = walk::Values::new();
        needed.extend(b.carried.iter().map(|c| c.init));
        needed.extend(b.body.stmts.iter().flat_map(walk::uses));
        needed.extend(b.body.results.iter().copied());
        as_long
            && size <= STATEMENTS
            && of_a.sort == of_b.sort
            && !needed.iter().any(|&v| is_out(a, v))
            && (of_a.accesses.iter()).all(|x| {
                let mut others = of_b.accesses.iter();
                others.all(|y| !self.may_be_one(x, y) || in_step(x, y, known(a)))
            })
    }

    /// Whether accesses of two loops may be to the same memory, and their order may matter. A result may lie in the
    /// memory of an argument, if all reads come before.
    fn may_be_one(&self, x: &Access, y: &Access) -> bool {
        let [a, b] = [x, y].map(|access| &self.program.buffers[access.buffer.0 as usize]);
        let over = matches!(
            (a.kind, b.kind),
            (BufferKind::Input(_), BufferKind::Output(_))
        );
        let alike = (a.dtype, a.len) == (b.dtype, b.len);
        (x.writes || y.writes) && (x.buffer == y.buffer || (over && alike))
    }
}

/// Whether two accesses meet in steps of equal number, or never.
fn in_step(x: &Access, y: &Access, steps: Option<i64>) -> bool {
    let factor = x.place.coefficient(INDEX);
    let mut distance = y.place.clone();
    distance.add_scaled(&x.place, -1);
    let Some(n) = distance.as_constant().filter(|_| factor != 0) else {
        return false;
    };
    let (n, factor) = (i128::from(n), i128::from(factor));
    let apart = n % factor != 0 || steps.is_some_and(|s| (n / factor).abs() >= i128::from(s));
    n == 0 || apart
}

fn is_out(l: &For, v: Value) -> bool {
    l.carried.iter().any(|c| c.out == v)
}

/// One loop that does in each step what two did.
fn joined(a: For, mut b: For) -> For {
    let rename = |v: &mut Value| {
        if *v == b.index {
            *v = a.index;
        }
    };
    for s in &mut b.body.stmts {
        walk::uses_mut(s, &mut |v| rename(v));
    }
    b.body.results.iter_mut().for_each(rename);
    let mut all = a;
    all.marks.0.append(&mut b.marks.0);
    all.carried.append(&mut b.carried);
    all.body.stmts.append(&mut b.body.stmts);
    all.body.results.append(&mut b.body.results);
    all
}
