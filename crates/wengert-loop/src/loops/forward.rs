//! Elements that are stored and read again stay in registers: within a step of a loop, and from step to step.
//!
//! A read of an element whose contents are known, because the same block stored or read it before, is replaced by
//! those. A read in a loop of what an earlier step stored is replaced by a carried value (`forward/chains.rs`): memory
//! would make each step wait until the store of the step before is done.
//!
//! Places are compared as sums of values ([`sums`]): those that differ by a known number are apart, and
//! those that are not known to be apart may be one.

mod chains;

use std::collections::HashMap;

use super::affine::Affine;
use super::builder::Carry;
use super::replay::{Replay, Rewrite, same};
use super::scope::{Scopes, scopes};
use super::sums::{self, Sums};
use super::walk::{self, AccessKind};
use super::{BufferId, BufferKind, LoopKind, Program, Stmt, Value};
use chains::Chain;

/// The number of statements after which the contents of an element are read again: a register would hardly hold them
/// until then.
const FAR: u32 = 64;
/// The number of elements of a buffer whose contents are known at a time.
const ELEMENTS: usize = 16;

/// Returns the program with fewer reads of memory.
pub fn forward(program: &Program) -> Program {
    if !reads_what_it_stores(program) {
        return program.clone();
    }
    let pass = Forward {
        r: Replay::new(program),
        sums: sums::of(&program.body),
        scopes: scopes(program),
        known: Known::default(),
        open: vec![],
        lane: None,
        at: 0,
    };
    pass.rewrite()
}

/// Whether some buffer is both stored to and read, by single elements.
fn reads_what_it_stores(program: &Program) -> bool {
    let mut stored = vec![false; program.buffers.len()];
    let mut read = stored.clone();
    walk::stmts(&program.body, &mut |s| match s {
        Stmt::Store { buffer, .. } => stored[buffer.0 as usize] = true,
        Stmt::Load { buffer, .. } => read[buffer.0 as usize] = true,
        _ => {}
    });
    stored.into_iter().zip(read).any(|(s, r)| s && r)
}

/// The contents of elements.
#[derive(Clone, Default)]
struct Known(HashMap<BufferId, Vec<Content>>);

#[derive(Clone)]
struct Content {
    /// The element, as a sum of values of the old program.
    place: Affine,
    /// What it holds, in the new program.
    value: Value,
    /// The number of statements before it was known.
    at: u32,
}

impl Known {
    fn note(&mut self, buffer: BufferId, content: Content) {
        let all = self.0.entry(buffer).or_default();
        all.retain(|c| c.place != content.place);
        if all.len() == ELEMENTS {
            all.remove(0);
        }
        all.push(content);
    }

    fn get(&self, buffer: BufferId, place: &Affine, now: u32) -> Option<Value> {
        let content = self.0.get(&buffer)?.iter().find(|c| c.place == *place)?;
        (now - content.at < FAR).then_some(content.value)
    }

    /// Forgets what a store to an element may change; to any element if it is not known.
    fn forget(&mut self, buffer: BufferId, place: Option<&Affine>) {
        if let Some(all) = self.0.get_mut(&buffer) {
            all.retain(|c| place.is_some_and(|p| c.place.is_apart_from(p)));
        }
    }
}

/// An enclosing loop or branch.
struct Open<'p> {
    /// What is known at the start of its blocks.
    before: Known,
    /// What it carries.
    chains: Vec<Chain<'p>>,
    /// The index of the vector loop around it.
    lane: Option<Value>,
}

struct Forward<'p> {
    r: Replay<'p>,
    sums: Sums<'p>,
    scopes: Scopes,
    known: Known,
    open: Vec<Open<'p>>,
    /// The old index of the vector loop that is open.
    lane: Option<Value>,
    /// The number of statements so far.
    at: u32,
}

impl<'p> Forward<'p> {
    /// Whether the contents of single elements of a buffer are values: `Local` memory has copies for lanes, which
    /// are values in lanes alone.
    fn has_values(&self, buffer: BufferId) -> bool {
        self.r.old.buffers[buffer.0 as usize].kind != BufferKind::Local || self.lane.is_some()
    }

    fn note(&mut self, buffer: BufferId, place: Affine, value: Value) {
        if self.has_values(buffer) {
            let at = self.at;
            self.known.note(buffer, Content { place, value, at });
        }
    }

    /// What is known of an element.
    fn content(&self, buffer: BufferId, place: &Affine) -> Option<Value> {
        let value = self.known.get(buffer, place, self.at)?;
        self.has_values(buffer).then_some(value)
    }

    /// Forgets what a statement, or one inside it, may change.
    fn forget_changes(&mut self, s: &'p Stmt, known: &mut Known) {
        for a in walk::accesses(s) {
            match a.kind {
                AccessKind::Read => {}
                AccessKind::Write if matches!(s, Stmt::Store { .. }) => {
                    let place = self.sums.place(&a.index, self.lane);
                    known.forget(a.buffer, Some(&place));
                }
                AccessKind::Write | AccessKind::Kernel => known.forget(a.buffer, None),
            }
        }
        let around = self.enter_lanes(s);
        for inner in walk::blocks(s) {
            inner
                .stmts
                .iter()
                .for_each(|s| self.forget_changes(s, known));
        }
        self.lane = around;
    }

    /// Opens a statement, which may be a vector loop. Returns the index of the one around it.
    fn enter_lanes(&mut self, s: &Stmt) -> Option<Value> {
        let around = self.lane;
        if let Stmt::For(l) = s
            && l.kind == LoopKind::Vector
        {
            self.lane = Some(l.index);
        }
        around
    }

    /// What stays known whatever a statement changes.
    fn known_beside(&mut self, s: &'p Stmt) -> Known {
        let mut known = self.known.clone();
        if known.0.values().any(|all| !all.is_empty()) {
            self.forget_changes(s, &mut known);
        }
        known
    }
}

impl<'p> Rewrite<'p> for Forward<'p> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        self.at += 1;
        match stmt {
            Stmt::Load { out, buffer, index } => {
                let place = self.sums.place(index, self.lane);
                let chains = self.open.last().map_or(&[][..], |open| &open.chains);
                let carried = chains.iter().find_map(|c| c.read_by(stmt));
                match carried.or_else(|| self.content(*buffer, &place)) {
                    Some(value) => self.r.set(*out, value),
                    None => same(self, stmt),
                }
                let value = self.r.get(*out);
                self.note(*buffer, place, value);
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                same(self, stmt);
                let value = self.r.get(*value);
                let place = self.sums.place(index, self.lane);
                self.known.forget(*buffer, Some(&place));
                self.note(*buffer, place, value);
                if let Some(open) = self.open.last_mut() {
                    open.chains.iter_mut().for_each(|c| c.note(stmt, value));
                }
            }
            Stmt::If(_) => {
                let (before, lane) = (self.known.clone(), self.lane);
                let chains = vec![];
                self.open.push(Open {
                    before,
                    chains,
                    lane,
                });
                same(self, stmt);
            }
            Stmt::Copy { .. } | Stmt::Kernel { .. } => {
                same(self, stmt);
                self.known = self.known_beside(stmt);
            }
            _ => same(self, stmt),
        }
    }

    fn more(&mut self, stmt: &'p Stmt) -> Vec<Carry> {
        let chains = match stmt {
            Stmt::For(l) => self.chains(stmt, l),
            _ => vec![],
        };
        let carries = chains.iter().flat_map(|c| c.carries()).collect();
        let before = self.known_beside(stmt);
        let lane = self.enter_lanes(stmt);
        self.open.push(Open {
            before,
            chains,
            lane,
        });
        carries
    }

    fn enter(&mut self, _: &'p Stmt, more: &[Value]) {
        let open = self.open.last_mut().expect("it has been opened");
        self.known = open.before.clone();
        let mut more = more;
        for chain in &mut open.chains {
            more = chain.set_params(more);
        }
    }

    fn next(&mut self, _: &'p Stmt) -> Vec<Value> {
        let open = self.open.last().expect("it has been opened");
        open.chains.iter().flat_map(|c| c.next()).collect()
    }

    fn left(&mut self, stmt: &'p Stmt, _: &[Value]) {
        let open = self.open.pop().expect("it has been opened");
        self.lane = open.lane;
        self.known = open.before;
        if matches!(stmt, Stmt::If(_)) {
            self.known = self.known_beside(stmt);
        }
    }
}
