//! Finds the results that may be written into the memory of arguments.
//!
//! A result may overwrite an argument if each element of the argument is read for the last time
//! before the element of the result in the same place is written. Elements are compared as sums
//! over the indices of the enclosing loops: in different steps of a common loop, a read and a write
//! must not meet, and in the same step the read must come first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use wengert_loop::loops::affine::Affine;
use wengert_loop::loops::sums::Sums;
use wengert_loop::loops::walk::{self, AccessKind};
use wengert_loop::loops::{
    Block, BufferId, BufferKind, Index, LoopKind, Program, ScalarOp, Stmt, Value,
};

/// The number of arguments kept for each result: the first may be taken by another result, or still
/// be in use.
const CHOICES: usize = 8;

/// The number of pairs of an argument and a result that are examined; after that, only a few are
/// examined for each result. There may be a hundred thousand of both.
const TRIES: usize = 1 << 22;

/// The number of pairs of accesses that are examined for a pair of buffers.
const PAIRS: usize = 10_000;

/// The number of steps assumed for a loop whose extent has no known bound.
const ENDLESS: i64 = 1 << 40;

/// The number of values of a variable up to which the equation is solved; beyond it, a solution is
/// assumed.
const FEW: i128 = 4;

/// Arguments and results that may share memory.
pub struct Reuse {
    /// For each result the arguments that it may overwrite, the best first.
    pub choices: Vec<Vec<u32>>,
    /// The choices as pairs of an argument's buffer and a result's buffer.
    pub pairs: HashSet<(BufferId, BufferId)>,
}

/// Finds the arguments and results that may share memory.
pub fn reuse(program: &Program) -> Reuse {
    let mut w = Walk::new(program);
    for (n, s) in program.body.stmts.iter().enumerate() {
        w.outermost = n;
        w.stmt(s);
    }
    let kinds = program.buffers.iter().enumerate();
    let mut outputs: Vec<(u32, BufferId)> = Vec::new();
    let mut inputs: Vec<(u32, BufferId)> = Vec::new();
    for (b, buffer) in kinds {
        match buffer.kind {
            BufferKind::Input(i) => inputs.push((i, BufferId(b as u32))),
            BufferKind::Output(i) => outputs.push((i, BufferId(b as u32))),
            _ => {}
        }
    }
    outputs.sort();
    inputs.sort();
    let mut found = Reuse {
        choices: vec![Vec::new(); outputs.last().map_or(0, |o| o.0 as usize + 1)],
        pairs: HashSet::new(),
    };
    let kind = |b: BufferId| {
        let b = &program.buffers[b.0 as usize];
        (b.dtype, b.len)
    };
    let mut all: HashMap<_, BTreeSet<(u32, BufferId)>> = HashMap::new();
    for &(i, from) in inputs.iter().filter(|(_, b)| kind(*b).1 > 0) {
        all.entry(kind(from)).or_default().insert((i, from));
    }
    // First a choice for each result, no argument twice; then further choices.
    let mut free = all.clone();
    let mut left = TRIES;
    for &(o, to) in &outputs {
        let Some(free) = free.get_mut(&kind(to)) else {
            continue;
        };
        let choice = tries(free, &mut left).find(|&(_, from)| w.may_share(from, to));
        if let Some((i, from)) = choice {
            found.choices[o as usize].push(i);
            found.pairs.insert((from, to));
            free.remove(&(i, from));
        }
    }
    for &(o, to) in &outputs {
        let Some(all) = all.get(&kind(to)) else {
            continue;
        };
        let choices = &mut found.choices[o as usize];
        for (i, from) in tries(all, &mut left) {
            if choices.len() == CHOICES {
                break;
            }
            if !choices.contains(&i) && w.may_share(from, to) {
                choices.push(i);
                found.pairs.insert((from, to));
            }
        }
    }
    found
}

/// The arguments to try for a result: all while `left` lasts, then a few.
fn tries<'a>(
    of: &'a BTreeSet<(u32, BufferId)>,
    left: &'a mut usize,
) -> impl Iterator<Item = (u32, BufferId)> + 'a {
    of.iter().enumerate().map_while(move |(n, pair)| {
        *left = left.saturating_sub(1);
        (*left > 0 || n < CHOICES).then_some(*pair)
    })
}

/// A read or write of a statement.
struct Access {
    pos: u32,
    /// The outermost statement around it.
    outermost: usize,
    /// The loops around it, from the outermost inwards.
    loops: Rc<[usize]>,
    /// The first element, if it is known.
    at: Option<Affine>,
    /// The number of elements.
    len: usize,
}

struct Loop {
    index: Option<Value>,
    /// An upper bound of the number of its steps.
    steps: i64,
}

struct Walk<'p> {
    program: &'p Program,
    /// The number of loops around a definition.
    depth: HashMap<Value, usize>,
    sums: Sums<'p>,
    loops: Vec<Loop>,
    open: Rc<[usize]>,
    /// The index of the vector loop that is open.
    lane: Option<Value>,
    pos: u32,
    outermost: usize,
    reads: HashMap<BufferId, Vec<Access>>,
    writes: HashMap<BufferId, Vec<Access>>,
}

impl<'p> Walk<'p> {
    fn new(program: &'p Program) -> Walk<'p> {
        Walk {
            program,
            depth: HashMap::new(),
            sums: Sums::default(),
            loops: Vec::new(),
            open: Rc::from([]),
            lane: None,
            pos: 0,
            outermost: 0,
            reads: HashMap::new(),
            writes: HashMap::new(),
        }
    }

    fn block(&mut self, block: &'p Block) {
        block.stmts.iter().for_each(|s| self.stmt(s));
    }

    fn stmt(&mut self, s: &'p Stmt) {
        self.pos += 1;
        if let Some(v) = walk::result(s) {
            self.sums.add(v, s);
        }
        let len = match s {
            Stmt::Copy { len, .. } => *len,
            _ => 1,
        };
        for a in walk::accesses(s) {
            match a.kind {
                AccessKind::Read => self.access(a.buffer, Some(&a.index), len, false),
                AccessKind::Write => self.access(a.buffer, Some(&a.index), len, true),
                // A kernel accesses its regions as a whole, in any order.
                AccessKind::Kernel => {
                    self.access(a.buffer, None, 1, false);
                    self.access(a.buffer, None, 1, true);
                }
            }
        }
        let (around, lane) = (self.open.clone(), self.lane);
        self.define(walk::outs(s));
        match s {
            Stmt::For(l) => {
                let steps = self.bound(l.extent).unwrap_or(ENDLESS).max(1);
                self.enter(Some(l.index), steps);
                if l.kind == LoopKind::Vector {
                    self.lane = Some(l.index);
                }
            }
            Stmt::While(_) => self.enter(None, ENDLESS),
            _ => {}
        }
        self.define(walk::params(s));
        walk::blocks(s).for_each(|b| self.block(b));
        (self.open, self.lane) = (around, lane);
    }

    fn enter(&mut self, index: Option<Value>, steps: i64) {
        self.loops.push(Loop { index, steps });
        let id = self.loops.len() - 1;
        self.open = self.open.iter().copied().chain([id]).collect();
    }

    fn define(&mut self, values: walk::Values) {
        let depth = self.open.len();
        (self.depth).extend(values.into_iter().map(|v| (v, depth)));
    }

    fn access(&mut self, b: BufferId, index: Option<&Index>, len: usize, write: bool) {
        let kind = self.program.buffers[b.0 as usize].kind;
        if !matches!(
            (kind, write),
            (BufferKind::Input(_), false) | (BufferKind::Output(_), true)
        ) {
            return;
        }
        let access = Access {
            pos: self.pos,
            outermost: self.outermost,
            loops: self.open.clone(),
            at: index.and_then(|i| self.place(i)),
            len,
        };
        let lists = if write {
            &mut self.writes
        } else {
            &mut self.reads
        };
        lists.entry(b).or_default().push(access);
    }

    fn place(&mut self, i: &Index) -> Option<Affine> {
        (i.each.is_none()).then(|| self.sums.place(i, self.lane))
    }

    /// An upper bound of an integer, if one is known.
    fn bound(&mut self, v: Value) -> Option<i64> {
        let of = match self.sums.made(v) {
            Some(Stmt::Op { op, args, .. }) if *op == ScalarOp::Min => &args[..],
            _ => &[v],
        };
        let bounds = of.iter().map(|&v| self.sums.sum(v).as_constant());
        bounds.flatten().min()
    }

    fn may_share(&self, from: BufferId, to: BufferId) -> bool {
        let none = Vec::new();
        let reads = self.reads.get(&from).unwrap_or(&none);
        let writes = self.writes.get(&to).unwrap_or(&none);
        let last_read = reads.iter().map(|r| r.outermost).max();
        let first_write = writes.iter().map(|w| w.outermost).min();
        if last_read < first_write {
            return true;
        }
        reads.len() * writes.len() <= PAIRS
            && reads
                .iter()
                .all(|r| writes.iter().all(|w| self.in_order(r, w)))
    }

    /// Whether no element is read after it is written.
    fn in_order(&self, r: &Access, w: &Access) -> bool {
        let pairs = r.loops.iter().zip(w.loops.iter());
        let common = pairs.take_while(|(a, b)| a == b).count();
        let whole = r.at.is_some() && r.at == w.at && r.len == w.len;
        let first = r.pos < w.pos || (r.pos == w.pos && whole);
        if common == 0 && first {
            return true;
        }
        let Some(distance) = self.distance(r, w, common) else {
            return false;
        };
        let steps_meet = common > 0 && distance.has_zero(distance.free);
        let same_step_meets = !first && distance.within_step().has_zero(true);
        !steps_meet && !same_step_meets
    }

    /// The distance from a written element to a read one, in any two steps of the loops that hold
    /// both accesses. `None` if it is unknown.
    fn distance(&self, r: &Access, w: &Access, common: usize) -> Option<Distance> {
        let (a, b) = (r.at.as_ref()?, w.at.as_ref()?);
        let mut d = Distance {
            offset: i128::from(a.offset) - i128::from(b.offset),
            terms: Vec::new(),
            free: false,
        };
        let mut rest = a.clone();
        rest.add_scaled(b, -1);
        let factor = |a: &Affine, v: Value| {
            let term = a.terms.iter().find(|t| t.0 == v);
            term.map_or(0, |t| t.1)
        };
        for (n, (l, of_read)) in (r.loops.iter().map(|&l| (l, true)))
            .chain(w.loops[common..].iter().map(|&l| (l, false)))
            .enumerate()
        {
            let Loop { index, steps } = self.loops[l];
            let in_both = n < common;
            let k = index.map_or(0, |v| factor(if of_read { a } else { b }, v));
            if let Some(v) = index {
                if in_both && factor(b, v) != k {
                    return None;
                }
                rest.terms.retain(|t| t.0 != v);
            }
            match (in_both, of_read) {
                (true, _) if k == 0 => d.free |= steps > 1,
                (true, _) => d.add(k, 1 - steps, steps - 1, true),
                (false, true) => d.add(k, 0, steps - 1, false),
                (false, false) => d.add(-k, 0, steps - 1, false),
            }
        }
        d.add(1, 0, r.len as i64 - 1, false);
        d.add(-1, 0, w.len as i64 - 1, false);
        // The remaining terms must be the same for both accesses, and not computed in a common
        // loop.
        let same = |v: &Value| factor(a, *v) == factor(b, *v) && self.depth.get(v) == Some(&0);
        let others = a.terms.iter().chain(&b.terms).map(|t| t.0);
        let indices: HashSet<Value> = (r.loops.iter().chain(w.loops.iter()))
            .filter_map(|&l| self.loops[l].index)
            .collect();
        let known = others.filter(|v| !indices.contains(v)).all(|v| same(&v));
        (known && rest.terms.is_empty()).then_some(d)
    }
}

/// `offset + Σ factor · d`, each `d` of a term anywhere between its ends.
struct Distance {
    offset: i128,
    terms: Vec<Term>,
    /// Whether the elements do not depend on the step of some common loop.
    free: bool,
}

#[derive(Clone, Copy)]
struct Term {
    factor: i128,
    low: i128,
    high: i128,
    /// Whether it is the distance of two steps of a common loop.
    common: bool,
}

impl Distance {
    fn add(&mut self, factor: i64, low: i64, high: i64, common: bool) {
        let (factor, low, high) = (i128::from(factor), i128::from(low), i128::from(high));
        if factor == 0 || (low, high) == (0, 0) {
            return;
        }
        let (factor, low, high) = match factor > 0 {
            true => (factor, low, high),
            false => (-factor, -high, -low),
        };
        let mut terms = self.terms.iter_mut();
        match terms.find(|t| !common && !t.common && t.factor == factor) {
            Some(t) => {
                t.low += low;
                t.high += high;
            }
            None => {
                self.terms.push(Term {
                    factor,
                    low,
                    high,
                    common,
                });
                self.terms.sort_by_key(|t| -t.factor);
            }
        }
    }

    /// The distance within one step of the common loops.
    fn within_step(&self) -> Distance {
        Distance {
            offset: self.offset,
            terms: self.terms.iter().copied().filter(|t| !t.common).collect(),
            free: false,
        }
    }

    /// Whether it may be zero. Unless `counted`, only solutions in different steps of some common
    /// loop count.
    fn has_zero(&self, counted: bool) -> bool {
        solve(&self.terms, -self.offset, counted)
    }
}

/// Whether the terms may add up to `target` in a way that counts. The largest factor comes first,
/// because the range of the other terms then limits its values.
fn solve(terms: &[Term], target: i128, counted: bool) -> bool {
    if !counted && !terms.iter().any(|t| t.common) {
        return false;
    }
    let Some((t, rest)) = terms.split_first() else {
        return counted && target == 0;
    };
    let low: i128 = rest.iter().map(|r| r.factor * r.low).sum();
    let high: i128 = rest.iter().map(|r| r.factor * r.high).sum();
    let least = (target - high + t.factor - 1)
        .div_euclid(t.factor)
        .max(t.low);
    let most = (target - low).div_euclid(t.factor).min(t.high);
    most - least >= FEW
        || (least..=most)
            .any(|d| solve(rest, target - t.factor * d, counted || (t.common && d != 0)))
}
