//! Where the memory of a program lies: the caller's arrays, arrays of a lane's own, and one array of each type in the
//! caller's scratch, in which buffers of that type that live at different times share memory. So no memory is accessed
//! as two types.

use std::collections::{BTreeMap, HashMap, HashSet};

use wengert_loop::loops::kernel;
use wengert_loop::loops::{Block, BufferId, BufferKind, LoopKind, Program, Stmt, walk};
use wengert_run::plan::scratch;

use crate::emit::ty;

/// The most elements of an array of a lane's own.
const OWN: usize = 32;

/// Where the buffers of a program lie.
pub(crate) struct Memory {
    /// The buffers that have a copy for each of eight lanes.
    pub gathering: HashSet<BufferId>,
    /// The buffers that are arrays of a lane's own.
    own: HashSet<BufferId>,
    /// The elements at which the others begin in the scratch of their type.
    places: HashMap<BufferId, i64>,
    /// The elements of scratch of each type.
    pub lengths: BTreeMap<&'static str, i64>,
    /// The names of arguments and results.
    ports: HashMap<BufferId, String>,
}

impl Memory {
    pub fn of(program: &Program, ports: HashMap<BufferId, String>) -> Memory {
        let gathering = lasting(program);
        let own = own(program, &gathering);
        let mut planned = program.clone();
        for (i, b) in planned.buffers.iter_mut().enumerate() {
            let id = BufferId(i as u32);
            if own.contains(&id) {
                b.len = 0;
            }
            // Lanes run one after the other.
            if b.kind == BufferKind::Local && !gathering.contains(&id) {
                b.kind = BufferKind::Task;
            }
        }
        // So do tasks.
        walk::stmts_mut(&mut planned.body, &mut |s| {
            if let Stmt::For(l) = s
                && l.kind == LoopKind::Parallel
            {
                l.kind = LoopKind::SERIAL;
            }
        });
        let (mut places, mut lengths) = (HashMap::new(), BTreeMap::new());
        for t in ["f64", "f32", "i64", "i32", "u64", "u32", "u8"] {
            let mut of_type = planned.clone();
            let mut bytes = 1;
            for (b, buffer) in of_type.buffers.iter_mut().enumerate() {
                match ty(program.buffers[b].dtype) == t {
                    true => bytes = buffer.dtype.bytes() as i64,
                    false => buffer.len = 0,
                }
            }
            let arena = scratch::scratch(&of_type, &HashMap::new()).call;
            if arena.bytes > 0 {
                lengths.insert(t, arena.bytes.saturating_add(bytes - 1) / bytes);
            }
            walk::stmts(&of_type.body, &mut |s| {
                for b in walk::buffers(s) {
                    let buffer = &planned.buffers[b.0 as usize];
                    let is_scratch = matches!(
                        buffer.kind,
                        BufferKind::Call | BufferKind::Task | BufferKind::Local
                    );
                    if is_scratch && !own.contains(&b) && ty(buffer.dtype) == t {
                        places.insert(b, arena.place(b) / bytes);
                    }
                }
            });
        }
        Memory {
            gathering,
            own,
            places,
            lengths,
            ports,
        }
    }

    /// The memory of a program for a device, where others say where scratch lies.
    pub fn of_device(program: &Program) -> Memory {
        let gathering = lasting(program);
        let own = own(program, &gathering);
        Memory {
            gathering,
            own,
            places: HashMap::new(),
            lengths: BTreeMap::new(),
            ports: HashMap::new(),
        }
    }

    /// Whether a buffer is an array of a lane's own.
    pub fn is_own(&self, b: BufferId) -> bool {
        self.own.contains(&b)
    }

    /// The name of a buffer's memory.
    pub fn name(&self, b: BufferId) -> String {
        let port = self.ports.get(&b).cloned();
        port.unwrap_or_else(|| format!("b{}", b.0))
    }

    /// Whether an argument or a result has a name.
    pub fn is_port(&self, name: &str) -> bool {
        self.ports.values().any(|p| p == name)
    }

    /// The first element of a buffer in the scratch of its type.
    pub fn place(&self, b: BufferId) -> Option<i64> {
        self.places.get(&b).copied()
    }
}

/// The buffers that are arrays of a lane's own.
fn own(program: &Program, gathering: &HashSet<BufferId>) -> HashSet<BufferId> {
    let all = program.buffers.iter().enumerate();
    let own = all.filter(|(b, buffer)| {
        let id = BufferId(*b as u32);
        buffer.kind == BufferKind::Local && buffer.len <= OWN && !gathering.contains(&id)
    });
    own.map(|(b, _)| BufferId(b as u32)).collect()
}

/// Buffers with a copy for each lane that are read where their step did not write them: what a copy holds goes on to
/// the next block of lanes, or to what follows the loop.
fn lasting(program: &Program) -> HashSet<BufferId> {
    let mut found = HashSet::new();
    Lasting { found: &mut found }.block(&program.body, false, true, &mut HashSet::new());
    found.retain(|&b| program.buffers[b.0 as usize].kind == BufferKind::Local);
    found
}

struct Lasting<'a> {
    found: &'a mut HashSet<BufferId>,
}

impl Lasting<'_> {
    /// Walks through a block. In a lane, `written` are the buffers that it has written for sure; `sure` says whether
    /// the block runs in each lane.
    fn block(&mut self, block: &Block, lane: bool, sure: bool, written: &mut HashSet<BufferId>) {
        for s in &block.stmts {
            for (buffer, reads) in touched(s) {
                if reads && !(lane && written.contains(&buffer)) {
                    self.found.insert(buffer);
                }
                if !reads && sure {
                    written.insert(buffer);
                }
            }
            match s {
                Stmt::For(l) if l.kind == LoopKind::Vector => {
                    self.block(&l.body, true, true, &mut HashSet::new());
                }
                Stmt::For(l) => self.block(&l.body, lane, sure, written),
                Stmt::While(l) => {
                    self.block(&l.cond, lane, sure, written);
                    self.block(&l.body, lane, false, written);
                }
                _ => walk::blocks(s).for_each(|b| self.block(b, lane, false, written)),
            }
        }
    }
}

/// The buffers that a statement touches itself, and whether it reads them; reads come first.
fn touched(s: &Stmt) -> Vec<(BufferId, bool)> {
    let mut all: Vec<(BufferId, bool)> = match s {
        Stmt::Kernel {
            kernel, regions, ..
        } => {
            let wanted = kernel.regions();
            let each = regions.iter().zip(&wanted);
            each.map(|(r, region)| (r.0, region.access != kernel::Access::Write))
                .collect()
        }
        _ => walk::accesses(s)
            .into_iter()
            .map(|a| (a.buffer, a.kind == walk::AccessKind::Read))
            .collect(),
    };
    all.sort_by_key(|&(_, reads)| !reads);
    all
}
