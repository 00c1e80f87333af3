//! Elements of small arrays move from memory to registers.
//!
//! If all elements of a scratch array or a result are accessed at known indices, in one context,
//! the array becomes a set of values: a store gives an element its next value, a loop carries the
//! elements it stores, and a branch yields them.

use std::collections::{BTreeSet, HashMap};

use super::affine::Affine;
use super::builder::Carry;
use super::replay::{Replay, Rewrite, same};
use super::scope::{LoopId, Scopes, scopes};
use super::{Block, BufferId, BufferKind, Index, LoopKind, Program, Stmt, Value, walk};

/// The number of elements that a loop outside vector loops may carry in registers, in addition to
/// its own values.
const UNIFORM: usize = 24;
/// The number of elements that a loop in lanes may carry, where each takes several registers.
const LANES: usize = 6;

/// An element of a buffer.
type Element = (BufferId, i64);

/// The program with the elements of small arrays in registers.
pub fn promote(program: &Program) -> Program {
    let mut survey = Survey::of(program);
    if survey.arrays.is_empty() {
        return program.clone();
    }
    survey.limit(&program.body);
    let pass = Promote {
        r: Replay::new(program),
        survey,
        now: HashMap::new(),
        around: vec![],
    };
    pass.rewrite()
}

/// The loops around a statement whose steps run side by side.
#[derive(Clone, Copy, PartialEq, Default)]
struct Context {
    vector: Option<LoopId>,
    parallel: Option<LoopId>,
}

/// The arrays that may be promoted.
struct Survey<'p> {
    program: &'p Program,
    scopes: Scopes,
    /// The context of each array, and its elements that are stored.
    arrays: HashMap<BufferId, (Context, BTreeSet<i64>)>,
    lost: BTreeSet<BufferId>,
    read: BTreeSet<BufferId>,
}

impl<'p> Survey<'p> {
    fn of(program: &'p Program) -> Survey<'p> {
        let mut survey = Survey {
            program,
            scopes: scopes(program),
            arrays: HashMap::new(),
            lost: BTreeSet::new(),
            read: BTreeSet::new(),
        };
        survey.block(&program.body, Context::default());
        let Survey {
            arrays, lost, read, ..
        } = &mut survey;
        // A result that is not read back stays in memory.
        arrays.retain(|b, _| !lost.contains(b) && read.contains(b));
        survey
    }

    fn block(&mut self, block: &Block, context: Context) {
        for s in &block.stmts {
            match s {
                Stmt::Load { buffer, index, .. } => {
                    self.read.insert(*buffer);
                    self.touch(*buffer, *index, context);
                }
                Stmt::Store { buffer, index, .. } => {
                    self.touch(*buffer, *index, context);
                    if let Some((_, stored)) = self.arrays.get_mut(buffer) {
                        stored.insert(index.offset);
                    }
                }
                _ => self.lost.extend(walk::buffers(s)),
            }
            if let Stmt::While(l) = s {
                walk::stmts(&l.cond, &mut |s| {
                    // A condition yields a single truth value, and so no elements.
                    if let Stmt::Store { buffer, .. } = s {
                        self.lost.insert(*buffer);
                    }
                });
            }
            let mut inside = context;
            match walk::loop_kind(s) {
                Some(LoopKind::Vector) => inside.vector = Some(s),
                Some(LoopKind::Parallel) => inside.parallel = Some(s),
                _ => {}
            }
            walk::blocks(s).for_each(|b| self.block(b, inside));
        }
    }

    fn touch(&mut self, b: BufferId, index: Index, context: Context) {
        let kind = self.program.buffers[b.0 as usize].kind;
        let here = match kind {
            BufferKind::Local => context.vector.is_some(),
            BufferKind::Task => context.vector.is_none(),
            BufferKind::Call | BufferKind::Output(_) => context == Context::default(),
            BufferKind::Input(_) | BufferKind::Constant(_) => false,
        };
        let known = index.base.is_none() && index.each.is_none() && index.stride == 0;
        let array = self.arrays.entry(b).or_insert((context, BTreeSet::new()));
        if !here || !known || array.0 != context {
            self.lost.insert(b);
        }
    }

    /// The elements that are stored inside a statement and visible outside it, or in its next step.
    fn stored(&self, stmt: &Stmt) -> BTreeSet<Element> {
        let mut all = BTreeSet::new();
        let mut inside = BTreeSet::from([std::ptr::from_ref(stmt)]);
        for block in walk::blocks(stmt) {
            walk::stmts(block, &mut |s| {
                inside.insert(s);
                if let Stmt::Store { buffer, index, .. } = s
                    && self.arrays.contains_key(buffer)
                {
                    all.insert((*buffer, index.offset));
                }
            });
        }
        let own = |b: &BufferId| self.scopes.get(b).is_some_and(|l| inside.contains(l));
        all.retain(|(b, _)| !own(b));
        all
    }

    /// Leaves arrays in memory if a loop would carry too many of their elements.
    fn limit(&mut self, block: &Block) {
        for s in &block.stmts {
            if walk::loop_kind(s).is_some() {
                self.limit_of(s);
            }
            walk::blocks(s).for_each(|b| self.limit(b));
        }
    }

    /// The smallest arrays are carried first.
    fn limit_of(&mut self, looped: &Stmt) {
        let mut lengths: HashMap<BufferId, usize> = HashMap::new();
        for (b, _) in self.stored(looped) {
            *lengths.entry(b).or_default() += 1;
        }
        let mut lengths: Vec<(usize, BufferId)> =
            lengths.into_iter().map(|(b, n)| (n, b)).collect();
        lengths.sort_unstable();
        let (mut uniform, mut lanes) = (UNIFORM, LANES);
        for (n, b) in lengths {
            let room = match self.arrays[&b].0.vector {
                Some(_) => &mut lanes,
                None => &mut uniform,
            };
            match room.checked_sub(n) {
                Some(rest) => *room = rest,
                None => {
                    self.arrays.remove(&b);
                }
            }
        }
    }
}

struct Promote<'p> {
    r: Replay<'p>,
    survey: Survey<'p>,
    /// The current values of the elements.
    now: HashMap<Element, Value>,
    /// For each enclosing loop and branch, the elements it stores, and the values of the elements
    /// before it.
    around: Vec<(BTreeSet<Element>, HashMap<Element, Value>)>,
}

impl Promote<'_> {
    /// The value of an element; arbitrary if nothing has been stored.
    fn value(&mut self, (b, i): Element) -> Value {
        if let Some(&value) = self.now.get(&(b, i)) {
            return value;
        }
        let dtype = self.r.old.buffers[b.0 as usize].dtype;
        self.r.b.constant(dtype, 0)
    }
}

impl<'p> Rewrite<'p> for Promote<'p> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        match stmt {
            Stmt::Load { out, buffer, index } if self.survey.arrays.contains_key(buffer) => {
                let value = self.value((*buffer, index.offset));
                self.r.set(*out, value);
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } if self.survey.arrays.contains_key(buffer) => {
                let value = self.r.get(*value);
                self.now.insert((*buffer, index.offset), value);
            }
            Stmt::If(_) => {
                let stored = self.survey.stored(stmt);
                self.around.push((stored, self.now.clone()));
                same(self, stmt);
            }
            _ => same(self, stmt),
        }
    }

    fn more(&mut self, stmt: &'p Stmt) -> Vec<Carry> {
        let stored = self.survey.stored(stmt);
        let carries = stored
            .iter()
            .map(|&e| Carry {
                init: self.value(e),
                lanes: self.survey.arrays[&e.0].0.vector.is_some(),
            })
            .collect();
        self.around.push((stored, self.now.clone()));
        carries
    }

    fn enter(&mut self, stmt: &'p Stmt, more: &[Value]) {
        let (stored, before) = self.around.last().expect("it has been opened");
        self.now.clone_from(before);
        if walk::loop_kind(stmt).is_some() {
            for (&e, &param) in stored.iter().zip(more) {
                self.now.insert(e, param);
            }
        }
    }

    fn next(&mut self, _: &'p Stmt) -> Vec<Value> {
        let stored = self.around.last().expect("it has been opened").0.clone();
        stored.into_iter().map(|e| self.value(e)).collect()
    }

    fn left(&mut self, _: &'p Stmt, more: &[Value]) {
        let (stored, before) = self.around.pop().expect("it has been opened");
        self.now = before;
        for (e, &value) in stored.into_iter().zip(more) {
            self.now.insert(e, value);
        }
    }

    fn end(&mut self) {
        let mut all: Vec<(Element, Value)> = self.now.drain().collect();
        all.sort_unstable_by_key(|(e, _)| *e);
        for ((b, i), value) in all {
            if matches!(self.r.old.buffers[b.0 as usize].kind, BufferKind::Output(_)) {
                self.r.b.store(b, &Affine::constant(i), value);
            }
        }
    }
}
