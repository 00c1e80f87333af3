//! Lays out scratch: buffers that live at different times share memory.
//!
//! A buffer lives from the first statement that accesses it to the last; in a loop to whose steps
//! it does not belong ([`scope`]), it lives throughout the loop. A straight line on lanes is
//! emitted out of order and counts as one moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wengert_loop::loops::scope::{self, LoopId, Scopes};
use wengert_loop::loops::{
    Block, Buffer, BufferId, BufferKind, LANES, LoopKind, Program, Stmt, Value, walk,
};

use super::is_straight;

/// The alignment of buffers that are at least this large.
const LINE: i64 = 64;
/// The alignment of smaller buffers.
const WORD: i64 = 8;

/// The scratch of the two kinds of frames.
pub struct Scratch {
    /// The scratch of a call.
    pub call: Arena,
    /// The scratch of a task.
    pub task: Arena,
}

/// The positions of buffers in one block of memory.
#[derive(Default)]
pub struct Arena {
    places: HashMap<BufferId, i64>,
    /// Its length.
    pub bytes: i64,
}

/// The time in which a buffer is in use, and the frames that hold it.
#[derive(Clone, Copy)]
struct Life {
    first: u32,
    last: u32,
    call: bool,
    task: bool,
}

/// The bytes of a buffer if `interleave` blocks of lanes run side by side. The number saturates: a
/// buffer that is too large for memory fails at the call.
fn bytes(b: &Buffer, interleave: usize) -> i64 {
    let copies = if b.kind == BufferKind::Local {
        LANES * interleave
    } else {
        1
    };
    (b.len as i64).saturating_mul((copies * b.dtype.bytes()) as i64)
}

/// Plans the scratch of a program. `interleaves` says for some of its vector loops how many blocks
/// of lanes run side by side.
pub fn scratch(program: &Program, interleaves: &HashMap<Value, usize>) -> Scratch {
    let mut interleaved: HashMap<BufferId, usize> = HashMap::new();
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::For(l) = s
            && let Some(&interleave) = interleaves.get(&l.index)
        {
            walk::stmts(&l.body, &mut |s| {
                interleaved.extend(walk::buffers(s).into_iter().map(|b| (b, interleave)));
            });
        }
    });
    let mut w = Walk {
        program,
        scopes: scope::scopes(program),
        pos: 0,
        open: Vec::new(),
        lives: BTreeMap::new(),
    };
    w.block(&program.body);
    let lives = w.lives;
    let arena = |here: fn(&Life) -> bool| {
        let lives = lives.iter().filter(|(_, l)| here(l));
        Arena::pack(lives.map(|(&b, &life)| {
            let interleave = interleaved.get(&b).copied().unwrap_or(1);
            (b, bytes(&program.buffers[b.0 as usize], interleave), life)
        }))
    };
    Scratch {
        call: arena(|l| l.call),
        task: arena(|l| l.task),
    }
}

struct Walk<'p> {
    program: &'p Program,
    scopes: Scopes,
    pos: u32,
    open: Vec<Open>,
    lives: BTreeMap<BufferId, Life>,
}

struct Open {
    id: LoopId,
    kind: LoopKind,
    start: u32,
    /// The buffers that live until the loop ends.
    held: BTreeSet<BufferId>,
}

impl Walk<'_> {
    fn inside(&self, kind: LoopKind) -> bool {
        self.open.iter().any(|l| l.kind == kind)
    }

    fn block(&mut self, block: &Block) {
        let lanes = self.inside(LoopKind::Vector);
        let mut in_line = false;
        for s in &block.stmts {
            let straight = lanes && is_straight(s);
            if !(straight && in_line) {
                self.pos += 1;
            }
            in_line = straight;
            walk::buffers(s).into_iter().for_each(|b| self.touch(b));
            let Some(kind) = walk::loop_kind(s) else {
                walk::blocks(s).for_each(|b| self.block(b));
                continue;
            };
            self.open.push(Open {
                id: s,
                kind,
                start: self.pos,
                held: BTreeSet::new(),
            });
            walk::blocks(s).for_each(|b| self.block(b));
            self.pos += 1;
            let done = self.open.pop().expect("a loop is open");
            for b in done.held {
                let life = self.lives.get_mut(&b).expect("it was touched");
                life.last = life.last.max(self.pos);
            }
        }
    }

    fn touch(&mut self, b: BufferId) {
        let kind = self.program.buffers[b.0 as usize].kind;
        if !matches!(
            kind,
            BufferKind::Call | BufferKind::Task | BufferKind::Local
        ) {
            return;
        }
        // The outermost loop whose steps it outlives.
        let depth = match self.scopes.get(&b) {
            None => 0,
            Some(&own) => {
                let own = self.open.iter().position(|l| l.id == own);
                own.expect("a scope is around all that touches the buffer") + 1
            }
        };
        let mut first = self.pos;
        if let Some(l) = self.open.get_mut(depth) {
            first = l.start;
            l.held.insert(b);
        }
        let in_task = kind != BufferKind::Call && self.inside(LoopKind::Parallel);
        let pos = self.pos;
        let life = self.lives.entry(b).or_insert(Life {
            first,
            last: pos,
            call: false,
            task: false,
        });
        life.first = life.first.min(first);
        life.last = life.last.max(pos);
        life.call |= !in_task;
        life.task |= in_task;
    }
}

impl Arena {
    /// Large buffers first, each at the lowest place that is free while it lives.
    fn pack(buffers: impl Iterator<Item = (BufferId, i64, Life)>) -> Arena {
        let mut order: Vec<(BufferId, i64, Life)> = buffers.collect();
        order.sort_by_key(|&(b, bytes, life)| (-bytes, life.first, b));
        let mut arena = Arena::default();
        // The buffers placed so far, by position: start, end and life.
        let mut placed: Vec<(i64, i64, Life)> = Vec::new();
        for (b, bytes, life) in order {
            let align = if bytes >= LINE { LINE } else { WORD };
            let mut at = 0i64;
            for &(begin, end, other) in &placed {
                let apart = other.last < life.first || life.last < other.first;
                if apart || end <= at {
                    continue;
                }
                if at.saturating_add(bytes) <= begin {
                    break;
                }
                at = end.saturating_add(align - 1) / align * align;
            }
            arena.places.insert(b, at);
            let end = at.saturating_add(bytes);
            arena.bytes = arena.bytes.max(end);
            let i = placed.partition_point(|p| p.0 <= at);
            placed.insert(i, (at, end, life));
        }
        arena
    }

    /// The position of a buffer.
    pub fn place(&self, b: BufferId) -> i64 {
        self.places[&b]
    }
}
