//! What a step of a serial loop stores and a later step reads.
//!
//! A read in each step of what the step `d` before it stored becomes the last of `d` carried values, which move up by
//! one in each step. Before the first step they are what memory holds at the places that the first steps read. This
//! needs a store that every step makes, at a known distance, and no other one that may change the element in between.

use std::collections::HashSet;

use super::Forward;
use crate::loops::affine::Affine;
use crate::loops::builder::Carry;
use crate::loops::walk::{self, AccessKind};
use crate::loops::{BufferId, BufferKind, For, LoopKind, ScalarOp, Stmt, Value};

/// The largest number of steps between a store and the read of it.
const DISTANCE: usize = 4;
/// The number of values that a loop outside vector loops may carry in addition to its own.
const UNIFORM: usize = 12;
/// The number of values that a loop in lanes may carry in addition, where each takes several registers.
const LANES: usize = 4;

/// What a store leaves for the steps after it.
pub(super) struct Chain<'p> {
    store: &'p Stmt,
    /// The reads, with the number of steps from the store to each.
    reads: Vec<(&'p Stmt, usize)>,
    /// The values before the first step, that of the step before it first.
    carries: Vec<Carry>,
    params: Vec<Value>,
    stored: Option<Value>,
}

impl Chain<'_> {
    pub(super) fn carries(&self) -> impl Iterator<Item = Carry> {
        self.carries.iter().copied()
    }

    /// Takes the parameters of the loop; returns those that are left.
    pub(super) fn set_params<'a>(&mut self, params: &'a [Value]) -> &'a [Value] {
        let (own, rest) = params.split_at(self.carries.len());
        self.params = own.to_vec();
        rest
    }

    /// The value that a statement reads, if it reads this.
    pub(super) fn read_by(&self, stmt: &Stmt) -> Option<Value> {
        let read = self.reads.iter().find(|(s, _)| std::ptr::eq(*s, stmt))?;
        Some(self.params[read.1 - 1])
    }

    /// Notes what a statement stores, if it is the store.
    pub(super) fn note(&mut self, stmt: &Stmt, value: Value) {
        if std::ptr::eq(self.store, stmt) {
            self.stored = Some(value);
        }
    }

    /// The next values.
    pub(super) fn next(&self) -> impl Iterator<Item = Value> {
        let stored = self.stored.expect("every step stores it");
        std::iter::once(stored).chain(self.params[..self.params.len() - 1].iter().copied())
    }
}

/// A write in the body of a loop.
struct Write<'p> {
    /// The number of the statement of the body that it is, or is inside of.
    at: usize,
    buffer: BufferId,
    /// The element, if it is a single one.
    place: Option<Affine>,
    /// The statement, if it is a store that every step makes.
    every_step: Option<&'p Stmt>,
}

/// The loop whose steps are compared.
struct Steps {
    index: Value,
    reverse: bool,
    /// The number of steps, if it is known.
    known: Option<i64>,
    /// The values that the body defines.
    inside: HashSet<Value>,
}

/// When a write may change the element that a read reads.
enum Meets {
    /// Never before it.
    Never,
    /// This many steps before it, in each step.
    Before(usize),
    /// It is not known.
    Perhaps,
}

impl<'p> Forward<'p> {
    /// Finds what a loop is to carry, and reads what it holds before the first step.
    pub(super) fn chains(&mut self, stmt: &'p Stmt, l: &'p For) -> Vec<Chain<'p>> {
        let LoopKind::Serial { reverse } = l.kind else {
            return vec![];
        };
        let known = self.r.b.known(self.r.get(l.extent)).map(|n| n as i64);
        let in_lanes = self.lane.is_some();
        if known.is_some_and(|n| n < 2) || (in_lanes && known.is_none()) {
            return vec![];
        }
        let stored: HashSet<BufferId> = (l.body.stmts.iter())
            .filter_map(|s| match s {
                Stmt::Store { buffer, .. } => Some(*buffer),
                _ => None,
            })
            .filter(|b| self.may_carry(stmt, *b))
            .collect();
        let is_read = |s: &Stmt| matches!(s, Stmt::Load { buffer, .. } if stored.contains(buffer));
        if !l.body.stmts.iter().any(is_read) {
            return vec![];
        }
        let mut inside: HashSet<Value> = walk::params(stmt).into_iter().collect();
        walk::stmts(&l.body, &mut |s| inside.extend(walk::definitions(s)));
        let steps = Steps {
            index: l.index,
            reverse,
            known,
            inside,
        };
        let mut writes = vec![];
        for (at, s) in l.body.stmts.iter().enumerate() {
            self.writes_of(s, at, true, &mut writes);
        }
        let mut chains: Vec<Chain<'p>> = vec![];
        for (at, s) in l.body.stmts.iter().enumerate().filter(|(_, s)| is_read(s)) {
            let Some((store, distance)) = self.source(s, at, &writes, &steps) else {
                continue;
            };
            match chains.iter_mut().find(|c| std::ptr::eq(c.store, store)) {
                Some(chain) => chain.reads.push((s, distance)),
                None => chains.push(Chain {
                    store,
                    reads: vec![(s, distance)],
                    carries: vec![],
                    params: vec![],
                    stored: None,
                }),
            }
        }
        let mut room = if in_lanes { LANES } else { UNIFORM };
        chains.retain(|c| {
            let length = c.reads.iter().map(|r| r.1).max().unwrap_or(0);
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            fits
        });
        for chain in &mut chains {
            chain.carries = self.first_values(chain, l, &steps);
        }
        chains
    }

    /// Whether a loop may carry elements of a buffer. What belongs to a step is garbage in the next one, and truth
    /// values in lanes are not held as they are in memory.
    fn may_carry(&self, looped: &'p Stmt, b: BufferId) -> bool {
        let buffer = &self.r.old.buffers[b.0 as usize];
        let own = (self.scopes.get(&b)).is_some_and(|l| std::ptr::eq(*l, looped));
        match buffer.kind {
            BufferKind::Local if self.lane.is_none() => false,
            _ => !own && (self.lane.is_none() || buffer.dtype.bytes() == 8),
        }
    }

    /// Collects the writes of a statement.
    fn writes_of(&mut self, s: &'p Stmt, at: usize, here: bool, writes: &mut Vec<Write<'p>>) {
        for a in walk::accesses(s) {
            if a.kind == AccessKind::Read {
                continue;
            }
            let single = matches!(s, Stmt::Store { .. });
            writes.push(Write {
                at,
                buffer: a.buffer,
                place: single.then(|| self.sums.place(&a.index, self.lane)),
                every_step: (single && here).then_some(s),
            });
        }
        let around = self.enter_lanes(s);
        for inner in walk::blocks(s) {
            for s in &inner.stmts {
                self.writes_of(s, at, false, writes);
            }
        }
        self.lane = around;
    }

    /// The store of an earlier step that a read always reads, and the number of steps between them.
    fn source(
        &mut self,
        read: &'p Stmt,
        at: usize,
        writes: &[Write<'p>],
        steps: &Steps,
    ) -> Option<(&'p Stmt, usize)> {
        let Stmt::Load { buffer, index, .. } = read else {
            return None;
        };
        let place = self.sums.place(index, self.lane);
        let mut last: Option<(usize, &Write<'p>)> = None;
        for w in writes.iter().filter(|w| w.buffer == *buffer) {
            let is_later = |last: &(usize, &Write)| (w.at >= last.1.at, last.0);
            match steps.meet(&place, at, w) {
                Meets::Never => {}
                Meets::Perhaps => return None,
                Meets::Before(distance) => {
                    let later = last.as_ref().is_none_or(|last| {
                        let (after, of_last) = is_later(last);
                        distance < of_last || (distance == of_last && after)
                    });
                    if later {
                        last = Some((distance, w));
                    }
                }
            }
        }
        let (distance, write) = last?;
        let near = (1..=DISTANCE).contains(&distance);
        let reached = steps.known.is_none_or(|n| n > distance as i64);
        let store = write.every_step?;
        (near && reached).then_some((store, distance))
    }

    /// What a chain holds before the first step: what memory holds where its reads will read before the store
    /// reaches them.
    fn first_values(&mut self, chain: &Chain<'p>, l: &'p For, steps: &Steps) -> Vec<Carry> {
        let length = chain.reads.iter().map(|r| r.1).max().unwrap_or(0);
        let lanes = self.lane.is_some();
        let mut carries = vec![];
        for k in 1..=length {
            let reads = chain.reads.iter().filter(|r| r.1 >= k);
            let &(read, distance) = reads.min_by_key(|r| r.1).expect("the longest is one");
            let init = self.read_in_step(read, distance - k, l, steps);
            carries.push(Carry { init, lanes });
        }
        carries
    }

    /// The value that a read would read in one of the first steps, if nothing were stored; any if there is no such
    /// step.
    fn read_in_step(&mut self, read: &'p Stmt, step: usize, l: &'p For, steps: &Steps) -> Value {
        let Stmt::Load { buffer, index, .. } = read else {
            unreachable!("a read is a load");
        };
        let mut place = self.sums.place(index, self.lane);
        let factor = place.coefficient(steps.index);
        place.add_scaled(&Affine::uniform(steps.index), factor.wrapping_neg());
        let number = match steps.reverse {
            true => {
                let mut last = self.sums.sum(l.extent).plus(-1 - step as i64);
                if let Some(n) = steps.known {
                    last = Affine::constant(n - 1 - step as i64);
                }
                last
            }
            false => Affine::constant(step as i64),
        };
        place.add_scaled(&number, factor);
        if let Some(value) = self.content(*buffer, &place) {
            return value;
        }
        let at = self.rebuilt(&place);
        let b = &mut self.r.b;
        if steps.known.is_some() {
            return b.load(*buffer, &at);
        }
        let (step, extent) = (b.i64(step as i64), self.r.get(l.extent));
        let b = &mut self.r.b;
        let there = b.op(ScalarOp::Lt, &[step, extent]);
        let dtype = b.buffer_of(*buffer).dtype;
        let values = b.if_(
            there,
            |b| vec![b.load(*buffer, &at)],
            |b| vec![b.constant(dtype, 0)],
        );
        values[0]
    }

    /// A sum of old values as one of new ones.
    fn rebuilt(&mut self, place: &Affine) -> Affine {
        let mut sum = Affine::constant(place.offset);
        for &(value, factor) in &place.terms {
            let part = self.r.b.affine(self.r.get(value));
            sum = self.r.b.add_scaled(&sum, &part, factor);
        }
        sum
    }
}

impl Steps {
    /// When a write may change the element at `place`, which the statement with the number `at` reads in each step.
    fn meet(&self, place: &Affine, at: usize, w: &Write) -> Meets {
        let Some(written) = &w.place else {
            return Meets::Perhaps;
        };
        let mut apart = written.clone();
        apart.add_scaled(place, -1);
        let varies = |t: &(Value, i64)| t.0 != self.index && self.inside.contains(&t.0);
        let Some(apart) = apart.as_constant() else {
            return Meets::Perhaps;
        };
        if place.terms.iter().any(varies) {
            return Meets::Perhaps;
        }
        let by_step = i128::from(place.coefficient(self.index));
        let by_step = if self.reverse { -by_step } else { by_step };
        let apart = i128::from(apart);
        let before = w.at < at;
        if by_step == 0 {
            return match (apart == 0, before) {
                (false, _) => Meets::Never,
                (true, true) => Meets::Before(0),
                (true, false) => Meets::Before(1),
            };
        }
        match apart / by_step {
            _ if apart % by_step != 0 => Meets::Never,
            steps if steps < 0 || (steps == 0 && !before) => Meets::Never,
            steps => Meets::Before(usize::try_from(steps).unwrap_or(usize::MAX)),
        }
    }
}
