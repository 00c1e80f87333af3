//! Which vector loops have lanes that can be refilled, and when that pays.

use wengert_loop::loops::{BufferKind, For, LANES, Program, Stmt, Value, While, walk};
use wengert_loop::types::DType;
use wengert_run::plan::is_straight;

use super::asm::Machine;
use super::lists::is_of_list;
use crate::plan::Values;

/// The work of refilling lanes, in statements, the lines before and after the loop aside.
const REFILL: u64 = 64;
/// The number of steps assumed for a loop inside of the loop, if it is not known.
const STEPS: u64 = 32;
/// The largest number of lane-steps that may be idle.
const MOST_IDLE: u64 = 1 << 32;

/// A vector loop whose lanes are refilled.
#[derive(Clone, Copy)]
pub(super) struct Refilled<'p> {
    pub before: &'p [Stmt],
    pub looped: &'p While,
    pub after: &'p [Stmt],
    /// Whether carried values are in registers.
    pub in_registers: bool,
    /// The number of lane-steps that may be idle before lanes are refilled: they take about as long as that.
    pub idle: i64,
}

/// Finds the parts of a vector loop whose lanes can be refilled. The order of its elements must not matter: it
/// carries nothing, and its lanes have no memory of their own.
pub(super) fn refilled<'p>(
    program: &Program,
    values: &Values,
    (machine, interleave): (Machine, usize),
    l: &'p For,
) -> Option<Refilled<'p>> {
    let known = |v: Value| values.constants[v.0 as usize];
    let lanes = |v: Value| values.types[v.0 as usize].lanes && known(v).is_none();
    let bool = |v: Value| values.types[v.0 as usize].dtype == DType::Bool;
    let stmts = &l.body.stmts;
    let at = stmts.iter().position(|s| matches!(s, Stmt::While(_)))?;
    let Stmt::While(w) = &stmts[at] else {
        return None;
    };
    let (before, after) = (&stmts[..at], &stmts[at + 1..]);
    let mut own = false;
    walk::stmts(&l.body, &mut |s| {
        own |= (walk::buffers(s).iter())
            .any(|b| program.buffers[b.0 as usize].kind == BufferKind::Local);
        // The rows of a list belong to the lanes that are in the block.
        own |= is_of_list(s);
    });
    let fits = l.carried.is_empty()
        && !own
        && known(l.extent).is_none_or(|n| n > LANES as u64)
        && (before.iter().chain(after)).all(|s| is_line(s, interleave == 1, &known))
        && lanes(w.cond.results[0])
        && (w.carried.iter()).all(|c| lanes(c.param) && !bool(c.param));
    let in_registers = [&w.cond, &w.body]
        .iter()
        .all(|b| b.stmts.iter().all(is_straight))
        && w.carried.len() * interleave <= machine.carried();
    let size = |stmts: &[Stmt]| size(stmts, &known);
    let step = 1 + size(&w.cond.stmts) + size(&w.body.stmts);
    let refill = REFILL
        .saturating_add(size(before))
        .saturating_add(size(after));
    let idle = (refill.saturating_mul(LANES as u64) / step).clamp(LANES as u64 / 2, MOST_IDLE);
    (fits && (in_registers || interleave == 1)).then_some(Refilled {
        before,
        looped: w,
        after,
        in_registers,
        idle: idle as i64,
    })
}

/// Whether a statement is part of a straight line, or of one with branches and loops (`inner`) whose number of steps is
/// known: what comes before or after a loop runs for a few lanes at a time, so its cost has to be known.
fn is_line(s: &Stmt, inner: bool, known: &dyn Fn(Value) -> Option<u64>) -> bool {
    let mut stmts = walk::blocks(s).flat_map(|b| &b.stmts);
    match s {
        Stmt::If(_) => inner && stmts.all(|s| is_line(s, true, known)),
        Stmt::For(l) => {
            inner && known(l.extent).is_some() && stmts.all(|s| is_line(s, true, known))
        }
        _ => is_straight(s) || matches!(s, Stmt::Call { .. }),
    }
}

/// The number of statements, where those of loops count once for each step.
fn size(stmts: &[Stmt], known: &dyn Fn(Value) -> Option<u64>) -> u64 {
    let one = |s: &Stmt| {
        let inner: u64 =
            (walk::blocks(s).map(|b| size(&b.stmts, known))).fold(0, u64::saturating_add);
        let steps = match s {
            Stmt::For(l) => known(l.extent).map_or(STEPS, |n| (n as i64).max(0) as u64),
            Stmt::While(_) => STEPS,
            _ => 1,
        };
        steps.saturating_mul(inner).saturating_add(1)
    };
    stmts.iter().map(one).fold(0, u64::saturating_add)
}

impl<'p> Refilled<'p> {
    /// The loop, if its lanes run on when they have finished.
    pub(super) fn run_on(&self) -> Option<&'p While> {
        self.in_registers.then_some(self.looped)
    }
}
