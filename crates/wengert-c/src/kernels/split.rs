//! Which statements become which kernels, and what the host does around them.

use std::collections::{BTreeMap, HashMap, HashSet};

use wengert_loop::loops::kernel::{Gemm, Sort, TopK};
use wengert_loop::loops::{
    Block, BufferId, BufferKind, Carried, For, Index, ListId, LoopKind, Program, ScalarOp, Stmt,
    Value, While, walk,
};
use wengert_loop::order;
use wengert_loop::types::DType;
use wengert_run::plan::constants;

use super::memory::{self, Arena, Whose};
use super::write::{Piece, Shape};
use super::{FRAME_HEAD, Grain, Plan, Rows, Step, Word};
use crate::CError;
use crate::emit::Emitter;
use crate::plan::Memory;
use crate::unit::{Port, Unit};

/// Plans a program, and writes its kernels to a source. Their names have the number of the program in them.
pub(super) fn plan(
    program: &Program,
    unit: &mut Unit,
    grain: Grain,
    number: usize,
) -> Result<Plan, CError> {
    let layout = Memory::of_device(program);
    let mut emitter = Emitter::new(program, unit, &layout, &|_| vec![]);
    emitter.functions();
    emitter.name_indices();
    let all: Vec<&Stmt> = program.body.stmts.iter().collect();
    let is_placed = |b| is_placed(program, &layout, b);
    let call = memory::plan(program, &all, Whose::Call, &is_placed);
    let mut defs = HashMap::new();
    let mut lists: HashMap<ListId, usize> = HashMap::new();
    walk::stmts(&program.body, &mut |s| {
        if let Some(v) = walk::result(s) {
            defs.insert(v, s);
        }
        lists_of(s, &mut |l| *lists.entry(l).or_default() += 1);
    });
    let mut uses = HashMap::new();
    count_block(&program.body, &mut uses);
    let mut split = Split {
        program,
        emitter,
        layout: &layout,
        grain,
        number,
        kernels: 0,
        call,
        row: Arena::default(),
        extra: BTreeMap::new(),
        known: constants(program.values.len(), &program.body),
        defs,
        uses,
        lists,
        free: HashMap::new(),
        indices: HashMap::new(),
        index_count: 0,
        slots: HashMap::new(),
        list_slots: HashMap::new(),
        words: FRAME_HEAD,
        row_words: 0,
        uses_lists: false,
    };
    let steps = split.all(&program.body.stmts, &Place::default())?;
    split.emitter.mistake()?;
    let mut lengths = split.call.lengths.clone();
    for (dtype, n) in &split.extra {
        *lengths.entry(*dtype).or_default() += n;
    }
    let (inputs, outputs) = Port::of(program);
    Ok(Plan {
        inputs,
        outputs,
        frame_words: split.words,
        memory: lengths.into_iter().collect(),
        lists: split.uses_lists,
        indices: split.index_count,
        steps,
    })
}

/// Whether a buffer has a place in the memory of calls and rows, and not in a thread's own.
fn is_placed(program: &Program, layout: &Memory, b: BufferId) -> bool {
    program.buffers[b.0 as usize].kind != BufferKind::Local || layout.gathering.contains(&b)
}

/// Where statements stand: outside of parallel loops, or in the rows of one.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// The index of the rows.
    pub row: Option<Value>,
    /// The loops of the host around them, in rows that take part for different numbers of steps: index and extent.
    pub guards: Vec<(Value, Value)>,
}

pub(super) struct Split<'p> {
    pub program: &'p Program,
    pub emitter: Emitter<'p>,
    pub layout: &'p Memory,
    pub grain: Grain,
    pub number: usize,
    pub kernels: usize,
    /// The memory of the call, and of the rows of the parallel loop that is open.
    pub call: Arena,
    pub row: Arena,
    /// More memory of the call, behind that of the program.
    pub extra: BTreeMap<DType, usize>,
    pub known: Vec<Option<u64>>,
    /// The statements that define values and have no blocks.
    pub defs: HashMap<Value, &'p Stmt>,
    /// How often values are used.
    pub uses: HashMap<Value, usize>,
    /// How many statements of the program build each list.
    pub lists: HashMap<ListId, usize>,
    /// Index arithmetic that kernels repeat.
    pub free: HashMap<Value, &'p Stmt>,
    /// The indices of the host's loops.
    pub indices: HashMap<Value, usize>,
    pub index_count: usize,
    /// Values that go from kernel to kernel: whether they are of rows, and their words.
    pub slots: HashMap<Value, (bool, usize)>,
    /// The same for lists in the making.
    pub list_slots: HashMap<ListId, (bool, usize)>,
    pub words: usize,
    pub row_words: usize,
    pub uses_lists: bool,
}

/// What becomes of a statement.
enum Role {
    /// It is part of one thread's work.
    Small,
    /// It is a kernel of its own.
    Kernel,
    /// The host runs it.
    Host,
}

impl<'p> Split<'p> {
    /// All steps of some statements.
    fn all(&mut self, stmts: &'p [Stmt], place: &Place) -> Result<Vec<Step>, CError> {
        let (mut steps, mut small) = (vec![], vec![]);
        self.steps(stmts, place, &mut small, &mut steps)?;
        self.flush(&mut small, place, &mut steps);
        Ok(steps)
    }

    /// Adds steps; what is small is collected until something else comes.
    fn steps(
        &mut self,
        stmts: &'p [Stmt],
        place: &Place,
        small: &mut Vec<Piece<'p>>,
        steps: &mut Vec<Step>,
    ) -> Result<(), CError> {
        for s in stmts {
            if self.is_free(s, place) {
                continue;
            }
            match self.role(s, place) {
                Role::Small => small.push(Piece::Stmt(s)),
                Role::Kernel => {
                    self.flush(small, place, steps);
                    self.own_kernel(s, place, steps)?;
                }
                Role::Host => self.host(s, place, small, steps)?,
            }
        }
        Ok(())
    }

    pub fn flush(&mut self, small: &mut Vec<Piece<'p>>, place: &Place, steps: &mut Vec<Step>) {
        let pieces = std::mem::take(small);
        if !pieces.is_empty() {
            steps.extend(self.kernel(place, Shape::One, &pieces));
        }
    }

    /// Whether kernels repeat a statement instead of passing on what it computes.
    fn is_free(&mut self, s: &'p Stmt, place: &Place) -> bool {
        match s {
            Stmt::Const { .. } => true,
            Stmt::Op { out, op, args } => {
                let small = |v: &Value| {
                    let dtype = self.program.values[v.0 as usize].dtype;
                    matches!(dtype, DType::I64 | DType::Bool)
                };
                let here = |v: &Value| {
                    self.known[v.0 as usize].is_some()
                        || self.free.contains_key(v)
                        || self.indices.contains_key(v)
                        || place.row == Some(*v)
                };
                let free = !matches!(op, ScalarOp::Fold(_) | ScalarOp::Any)
                    && small(out)
                    && args.iter().all(|v| small(v) && here(v));
                if free {
                    self.free.insert(*out, s);
                }
                free
            }
            _ => false,
        }
    }

    pub fn number_of(&self, v: Value) -> Option<u64> {
        self.known[v.0 as usize]
    }

    /// The largest that an extent can be.
    pub fn bound(&self, extent: Value) -> Option<usize> {
        if let Some(n) = self.number_of(extent) {
            return Some((n as i64).max(0) as usize);
        }
        let Some(Stmt::Op { op, args, .. }) = self.defs.get(&extent) else {
            return None;
        };
        let bounds =
            |args: &[Value]| -> Vec<usize> { args.iter().filter_map(|&a| self.bound(a)).collect() };
        match op {
            ScalarOp::Min => bounds(args).into_iter().min(),
            ScalarOp::Max => {
                let all = bounds(args);
                (all.len() == 2).then(|| all[0].max(all[1]))
            }
            ScalarOp::Select => {
                let all = bounds(&args[1..]);
                (all.len() == 2).then(|| all[0].max(all[1]))
            }
            _ => None,
        }
    }

    /// Whether the lanes of a vector loop are eight sums.
    pub fn is_chain(&self, l: &For) -> bool {
        let mut gathers = !l.carried.is_empty();
        walk::stmts(&l.body, &mut |s| {
            let all = walk::buffers(s);
            gathers |= all.iter().any(|b| self.layout.gathering.contains(b));
        });
        gathers
    }

    fn role(&self, s: &Stmt, place: &Place) -> Role {
        let rows = place.row.is_some();
        let (lanes, chains) = match rows {
            true => (self.grain.row_lanes, self.grain.row_chains),
            false => (self.grain.lanes, self.grain.chains),
        };
        let worth = |own: bool| if own { Role::Kernel } else { Role::Small };
        match s {
            Stmt::For(l) => match l.kind {
                LoopKind::Parallel if !rows => Role::Kernel,
                LoopKind::Parallel => Role::Small,
                LoopKind::Vector => {
                    let least = if self.is_chain(l) { chains } else { lanes };
                    worth(self.bound(l.extent).is_some_and(|n| n >= least))
                }
                LoopKind::Serial { .. } => {
                    let few = |n: usize| n <= self.grain.row_steps;
                    let can = !rows || self.bound(l.extent).is_some_and(few);
                    match can && self.has_kernels(&l.body, place) {
                        true => Role::Host,
                        false => Role::Small,
                    }
                }
            },
            Stmt::While(l) if !rows => {
                match self.has_kernels(&l.cond, place) || self.has_kernels(&l.body, place) {
                    true => Role::Host,
                    false => Role::Small,
                }
            }
            Stmt::If(i) if !rows => {
                match self.has_kernels(&i.then, place) || self.has_kernels(&i.otherwise, place) {
                    true => Role::Host,
                    false => Role::Small,
                }
            }
            Stmt::Copy { to, from, len, .. } => {
                let plain = |r: &(BufferId, Index)| {
                    self.program.buffers[r.0.0 as usize].kind != BufferKind::Local
                };
                worth(*len >= lanes && plain(to) && plain(from))
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => {
                if let Some(g) = kernel.downcast_ref::<Gemm>() {
                    let local = regions
                        .iter()
                        .any(|r| self.program.buffers[r.0.0 as usize].kind == BufferKind::Local);
                    return worth(!local && g.m.saturating_mul(g.n) >= lanes);
                }
                let size = kernel.downcast_ref::<Sort>().map(|s| s.rows * s.n);
                let size = size.or(kernel.downcast_ref::<TopK>().map(|k| k.rows * k.n));
                worth(!rows && size.is_some_and(|n| n >= lanes))
            }
            _ => Role::Small,
        }
    }

    fn has_kernels(&self, block: &Block, place: &Place) -> bool {
        let own = |s: &Stmt| !matches!(self.role(s, place), Role::Small);
        block.stmts.iter().any(own)
    }

    fn own_kernel(
        &mut self,
        s: &'p Stmt,
        place: &Place,
        steps: &mut Vec<Step>,
    ) -> Result<(), CError> {
        let one = [Piece::Stmt(s)];
        match s {
            Stmt::For(l) if l.kind == LoopKind::Parallel => self.rows(s, l, steps)?,
            Stmt::For(l) => {
                let shape = match self.is_chain(l) {
                    true => Shape::Chains(l),
                    false => Shape::Lanes(l, self.bound(l.extent).unwrap_or(0)),
                };
                steps.extend(self.kernel(place, shape, &one));
            }
            Stmt::Copy { to, from, len, .. } => {
                steps.extend(self.kernel(place, Shape::Copy(to, from, *len), &one));
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => {
                if let Some(g) = kernel.downcast_ref::<Gemm>() {
                    let tiles = place.row.is_none()
                        && !order::is_long(g.m, g.n, g.k)
                        && g.m.min(g.n) >= 16
                        && g.m * g.n >= 1024
                        && self.emitter.is_global(regions);
                    let shape = match tiles {
                        true => Shape::Tiles(g, regions),
                        false => Shape::Products(g, regions),
                    };
                    steps.extend(self.kernel(place, shape, &one));
                } else {
                    self.sorted(s, &**kernel, regions, steps);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The rows of a parallel loop.
    fn rows(&mut self, s: &'p Stmt, l: &'p For, steps: &mut Vec<Step>) -> Result<(), CError> {
        let extent = self.word(l.extent, &Place::default(), &mut vec![], steps);
        let (program, layout) = (self.program, self.layout);
        let is_placed = |b| is_placed(program, layout, b);
        self.row = memory::plan(program, &[s], Whose::Row, &is_placed);
        self.row_words = 0;
        let place = Place {
            row: Some(l.index),
            guards: vec![],
        };
        let inside = self.all(&l.body.stmts, &place)?;
        if !inside.is_empty() {
            steps.push(Step::Rows(Rows {
                extent,
                frame_words: self.row_words,
                memory: self.row.lengths.clone().into_iter().collect(),
                steps: inside,
            }));
        }
        Ok(())
    }

    /// A number that the host needs; what is small is written before.
    fn word(
        &mut self,
        v: Value,
        place: &Place,
        small: &mut Vec<Piece<'p>>,
        steps: &mut Vec<Step>,
    ) -> Word {
        if let Some(bits) = self.number_of(v) {
            self.flush(small, place, steps);
            return Word::Known(bits);
        }
        let repeated = self.free.contains_key(&v) || self.indices.contains_key(&v);
        if repeated && !self.slots.contains_key(&v) {
            let slot = self.slot_of(v, false);
            small.push(Piece::Set(vec![(slot, v)]));
        }
        self.flush(small, place, steps);
        Word::Frame(self.slot_of(v, false).1)
    }

    /// The words of a value.
    pub fn slot_of(&mut self, v: Value, row: bool) -> (bool, usize) {
        if let Some(&slot) = self.slots.get(&v) {
            return slot;
        }
        let copies = if self.program.values[v.0 as usize].lanes {
            8
        } else {
            1
        };
        let slot = (row, self.take(row, copies));
        self.slots.insert(v, slot);
        slot
    }

    /// Words of the frame, or of the rows'.
    pub fn take(&mut self, row: bool, n: usize) -> usize {
        let words = if row {
            &mut self.row_words
        } else {
            &mut self.words
        };
        *words += n;
        *words - n
    }

    /// What a loop carries for someone: each has one place, in which a step finds its own and leaves the next.
    fn carried(&mut self, all: &[Carried], row: bool) -> Vec<usize> {
        let mut wanted = vec![];
        for (i, c) in all.iter().enumerate() {
            if self.emitter.wanted(c.param) || self.emitter.wanted(c.out) {
                let slot = self.slot_of(c.out, row);
                self.slots.insert(c.param, slot);
                wanted.push(i);
            }
        }
        wanted
    }

    fn host(
        &mut self,
        s: &'p Stmt,
        place: &Place,
        small: &mut Vec<Piece<'p>>,
        steps: &mut Vec<Step>,
    ) -> Result<(), CError> {
        let row = place.row.is_some();
        match s {
            Stmt::For(l) => {
                let carried = self.carried(&l.carried, row);
                self.set(&carried, &l.carried, |c, _| c.init, &l.body, small);
                let reverse = l.kind == LoopKind::Serial { reverse: true };
                let index = self.index_count;
                self.index_count += 1;
                let mut inside = place.clone();
                let extent = match row && self.number_of(l.extent).is_none() {
                    true => {
                        self.flush(small, place, steps);
                        inside.guards.push((l.index, l.extent));
                        Word::Known(self.bound(l.extent).unwrap_or(0) as u64)
                    }
                    false => self.word(l.extent, place, small, steps),
                };
                self.indices.insert(l.index, index);
                let (mut body, mut rest) = (vec![], vec![]);
                self.steps(&l.body.stmts, &inside, &mut rest, &mut body)?;
                self.set(&carried, &l.carried, |_, r| r, &l.body, &mut rest);
                self.flush(&mut rest, &inside, &mut body);
                steps.push(Step::For {
                    extent,
                    index,
                    reverse,
                    steps: body,
                });
            }
            Stmt::While(l) => {
                let carried = self.carried(&l.carried, row);
                self.set(&carried, &l.carried, |c, _| c.init, &l.body, small);
                self.flush(small, place, steps);
                let (mut cond, mut rest) = (vec![], vec![]);
                self.steps(&l.cond.stmts, place, &mut rest, &mut cond)?;
                let go = self.word(l.cond.results[0], place, &mut rest, &mut cond);
                let mut body = vec![];
                self.steps(&l.body.stmts, place, &mut rest, &mut body)?;
                self.set(&carried, &l.carried, |_, r| r, &l.body, &mut rest);
                self.flush(&mut rest, place, &mut body);
                let status = match l.limit {
                    u64::MAX => 0,
                    limit => self.emitter.status(&While::endless(limit, l.at)),
                };
                steps.push(Step::While {
                    cond,
                    go,
                    steps: body,
                    limit: l.limit,
                    status,
                });
            }
            Stmt::If(i) => {
                let pred = self.word(i.pred, place, small, steps);
                let live: Vec<usize> = (0..i.outs.len())
                    .filter(|&n| self.emitter.wanted(i.outs[n]))
                    .collect();
                let mut sides = vec![];
                for side in [&i.then, &i.otherwise] {
                    let (mut all, mut rest) = (vec![], vec![]);
                    self.steps(&side.stmts, place, &mut rest, &mut all)?;
                    let pairs = live.iter().map(|&n| {
                        let slot = self.slot_of(i.outs[n], row);
                        (slot, side.results[n])
                    });
                    let pairs: Vec<_> = pairs.collect();
                    if !pairs.is_empty() {
                        rest.push(Piece::Set(pairs));
                    }
                    self.flush(&mut rest, place, &mut all);
                    sides.push(all);
                }
                let otherwise = sides.pop().unwrap_or_default();
                let then = sides.pop().unwrap_or_default();
                steps.push(Step::If {
                    pred,
                    then,
                    otherwise,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets what a loop carries.
    fn set(
        &mut self,
        wanted: &[usize],
        carried: &[Carried],
        to: impl Fn(&Carried, Value) -> Value,
        body: &Block,
        small: &mut Vec<Piece<'p>>,
    ) {
        let pairs = wanted.iter().map(|&i| {
            let slot = self.slots[&carried[i].out];
            (slot, to(&carried[i], body.results[i]))
        });
        let pairs: Vec<_> = pairs.collect();
        if !pairs.is_empty() {
            small.push(Piece::Set(pairs));
        }
    }
}

/// Visits the list that a statement builds.
pub(super) fn lists_of(s: &Stmt, f: &mut dyn FnMut(ListId)) {
    match s {
        Stmt::ListBegin { list } | Stmt::ListPush { list, .. } | Stmt::ListFinish { list, .. } => {
            f(*list);
        }
        Stmt::ListStore(s) => f(s.list),
        _ => {}
    }
}

/// Counts how often values are used.
pub(super) fn count(s: &Stmt, n: &mut HashMap<Value, usize>) {
    for v in walk::uses(s) {
        *n.entry(v).or_default() += 1;
    }
    walk::blocks(s).for_each(|b| count_block(b, n));
}

fn count_block(block: &Block, n: &mut HashMap<Value, usize>) {
    block.stmts.iter().for_each(|s| count(s, n));
    for &v in &block.results {
        *n.entry(v).or_default() += 1;
    }
}

/// The values that a statement and those inside define.
pub(super) fn definitions(s: &Stmt, all: &mut HashSet<Value>) {
    all.extend(walk::definitions(s));
    for b in walk::blocks(s) {
        b.stmts.iter().for_each(|s| definitions(s, all));
    }
}
