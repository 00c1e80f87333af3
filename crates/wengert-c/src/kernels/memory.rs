//! Where scratch lies: in one array of each type for the call, for a row, and for a thread of a launch.

use std::collections::{BTreeMap, HashMap};

use wengert_loop::loops::{Block, BufferId, BufferKind, LANES, LoopKind, Program, Stmt, walk};
use wengert_loop::types::DType;
use wengert_run::plan::scratch;

/// The type of the array that holds elements of a type.
pub(super) fn held_as(dtype: DType) -> DType {
    match dtype {
        DType::Bool => DType::U8,
        other => other,
    }
}

/// The places of buffers in arrays of their types.
#[derive(Default)]
pub(super) struct Arena {
    /// The first element of each.
    pub places: HashMap<BufferId, usize>,
    /// The elements of each array.
    pub lengths: BTreeMap<DType, usize>,
}

/// What an arena is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// What is used outside of parallel loops.
    Call,
    /// What is used in a parallel loop.
    Row,
    /// What has a copy for each thread: lanes run one after the other, or a thread each.
    Thread,
}

/// Plans the memory of the buffers that `takes` wants in these statements. Buffers that live at different times share
/// elements, but only with others of their type.
pub(super) fn plan(
    program: &Program,
    stmts: &[&Stmt],
    whose: Whose,
    takes: &dyn Fn(BufferId) -> bool,
) -> Arena {
    let mut arena = Arena::default();
    let mut types: BTreeMap<DType, Vec<BufferId>> = BTreeMap::new();
    let mut look = |s: &Stmt, in_parallel: bool| {
        for b in walk::buffers(s) {
            let buffer = &program.buffers[b.0 as usize];
            let of_row = in_parallel && buffer.kind != BufferKind::Call;
            if of_row != (whose == Whose::Row) && whose != Whose::Thread {
                continue;
            }
            let scratch = matches!(
                buffer.kind,
                BufferKind::Call | BufferKind::Task | BufferKind::Local
            );
            if scratch && takes(b) {
                let all = types.entry(held_as(buffer.dtype)).or_default();
                if !all.contains(&b) {
                    all.push(b);
                }
            }
        }
    };
    stmts.iter().for_each(|s| each(s, false, &mut look));
    if types.is_empty() {
        return arena;
    }
    let mut part = Program {
        values: program.values.clone(),
        buffers: program.buffers.clone(),
        body: Block {
            stmts: stmts.iter().map(|s| (*s).clone()).collect(),
            results: vec![],
        },
        ..Program::default()
    };
    if whose == Whose::Thread {
        // A thread runs all that is in its kernel.
        walk::stmts_mut(&mut part.body, &mut |s| {
            if let Stmt::For(l) = s
                && l.kind == LoopKind::Parallel
            {
                l.kind = LoopKind::SERIAL;
            }
        });
    }
    for (dtype, buffers) in types {
        for (b, to) in part.buffers.iter_mut().enumerate() {
            let wanted = buffers.contains(&BufferId(b as u32));
            to.len = if wanted { program.buffers[b].len } else { 0 };
        }
        let planned = scratch::scratch(&part, &HashMap::new());
        let planned = match whose {
            Whose::Row => planned.task,
            Whose::Call | Whose::Thread => planned.call,
        };
        // Eight copies are planned for a thread, of which it is one.
        let unit = dtype.bytes() * if whose == Whose::Thread { LANES } else { 1 };
        for &b in &buffers {
            arena.places.insert(b, planned.place(b) as usize / unit);
        }
        let length = (planned.bytes as usize).div_ceil(unit);
        if length > 0 {
            arena.lengths.insert(dtype, length);
        }
    }
    arena
}

/// Visits a statement and those inside, and says whether they are in a parallel loop.
fn each(s: &Stmt, in_parallel: bool, f: &mut dyn FnMut(&Stmt, bool)) {
    f(s, in_parallel);
    let inside = in_parallel || walk::loop_kind(s) == Some(LoopKind::Parallel);
    for block in walk::blocks(s) {
        block.stmts.iter().for_each(|s| each(s, inside, f));
    }
}
