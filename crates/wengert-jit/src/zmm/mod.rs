//! Vector loops in registers of 512 bits, or in pairs of 256: wide code, for processors with AVX-512 or AVX2.
//!
//! Cranelift has vectors of 128 bits, so that eight lanes are four of its vectors. Here they are
//! one register, or one of the pairs that [`asm`] makes of registers of 256 bits; only the numbers of registers, and what
//! [`Machine`](asm::Machine) says, differ above it. If all statements of a vector loop have wide code ([`accept`]), the loop becomes
//! its own function, which the surrounding code calls; all other loops are written by
//! [`emit`](crate::emit). Each lane executes the same operations in the same order, so the bits are
//! the same.
//!
//! The function gets a frame pointer. The caller puts its inputs into the frame: uniform values in
//! words, and the start of each buffer. Uniform values stay in words of the frame; an instruction
//! reads one for all lanes. A value in lanes is in a register as long as there is room, or in a row
//! of the frame ([`regs`]). If the steps of a loop are chains of dependent operations, two or four
//! blocks of lanes run side by side: `interleave` is their number.

mod accept;
mod asm;
mod blocks;
mod bytes;
mod convert;
mod division;
mod lists;
mod liveness;
mod loops;
mod memory;
mod narrow;
mod ops;
mod refill;
mod refilled;
mod regs;
mod uniform;

pub(crate) use self::accept::accepted;
pub(crate) use self::asm::Machine;
pub(crate) use self::lists::{ListPlace, built};

use std::any::Any;
use std::collections::{HashMap, HashSet};

use wengert_loop::loops::{Block, BufferId, BufferKind, For, LANES, ListId, Stmt, Value, walk};
use wengert_loop::types::DType;
use wengert_run::call::layout::Layout;
use wengert_run::lines::LineSpan;
use wengert_run::plan::is_straight;

use self::asm::{Asm, Cond, Form, Gpr, Int, Label, Mem, RAX, RBX, RCX, RDI};
use self::liveness::{Life, Pos};
use self::memory::Pointer;
use self::refilled::Refilled;
use self::regs::{Piece, Registers};
use crate::lines::{TracedCall, source_of};
use crate::plan::{Plan, Values};

/// Rows and words of the frame that the loops of one kind of frame use, one loop after the other.
#[derive(Default)]
pub(crate) struct FrameSlots {
    rows: Vec<i32>,
    words: Vec<i32>,
    /// Memory for the arguments of a function of the runtime and its result, by the number of
    /// arguments.
    areas: HashMap<usize, i32>,
    /// Rows of masks, where these are no registers.
    masks: Option<i32>,
}

/// The inputs of a vector loop.
pub(crate) struct Needs {
    /// Uniform values.
    pub values: Vec<Value>,
    /// Buffers.
    pub buffers: Vec<BufferId>,
}

/// Finds the inputs of a vector loop.
pub(crate) fn needs(values: &Values, l: &For) -> Needs {
    let mut inside = HashSet::new();
    let mut wanted = vec![l.extent];
    wanted.extend(l.carried.iter().map(|c| c.init));
    let mut buffers = Vec::new();
    walk::stmts(&l.body, &mut |s| {
        inside.extend(walk::definitions(s));
        wanted.extend(walk::uses(s));
        wanted.extend(walk::blocks(s).flat_map(|b| &b.results));
        buffers.extend(walk::buffers(s));
    });
    wanted.extend(&l.body.results);
    let constant = |v: &Value| values.constants[v.0 as usize].is_some();
    let lanes = |v: &Value| values.types[v.0 as usize].lanes;
    wanted.retain(|v| !inside.contains(v) && !constant(v) && !lanes(v));
    wanted.sort();
    wanted.dedup();
    buffers.sort();
    buffers.dedup();
    Needs {
        values: wanted,
        buffers,
    }
}

/// Whether a body may end the call with an error.
pub(crate) fn may_fail(body: &Block) -> bool {
    let mut may = false;
    walk::stmts(body, &mut |s| {
        may |= match s {
            Stmt::While(l) => l.limit != u64::MAX,
            Stmt::Fail { .. } | Stmt::ListPush { .. } | Stmt::ListFinish { .. } => true,
            _ => false,
        };
    });
    may
}

/// The frame offsets of the inputs and results of a vector loop.
#[derive(Default)]
pub(crate) struct Places {
    /// Words of the uniform values.
    pub values: HashMap<Value, i32>,
    /// Words with the start of each buffer.
    pub buffers: HashMap<BufferId, i32>,
    /// Rows of the carried values.
    pub carried: Vec<i32>,
    /// The lists that it builds.
    pub lists: HashMap<ListId, ListPlace>,
}

/// The lanes of a loop whose values have at most 32 bits.
const SIXTEEN: usize = 2 * LANES;

/// The lanes that run side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Blocks {
    /// The number of blocks.
    pub interleave: usize,
    /// The lanes of a block: eight, or sixteen.
    pub lanes: usize,
}

impl Blocks {
    /// The number of copies of memory that a lane owns, in blocks of eight.
    pub(crate) fn eights(self) -> usize {
        self.interleave * self.lanes / LANES
    }
}

/// A vector loop.
pub(crate) struct VectorLoop<'p> {
    /// The loop.
    pub looped: &'p For,
    /// Its lanes.
    pub blocks: Blocks,
}

/// Writes one vector loop.
pub(super) struct Writer<'e, 'p> {
    asm: Asm,
    plan: &'p Plan,
    values: &'p Values,
    life: Life<'p>,
    layout: &'e mut Layout<'p>,
    spare: &'e mut FrameSlots,
    /// For each block, the row of the numbers of its lanes' elements, if these are not in order.
    elements: Vec<i32>,
    /// Rows and words that are not for other values.
    reserved: HashSet<i32>,
    free_rows: Vec<i32>,
    free_words: Vec<i32>,
    /// The number of blocks that run side by side, and the lanes of each.
    interleave: usize,
    lanes: usize,
    /// The current position in each block.
    at: [Pos; accept::MOST],
    /// The block that is being written.
    block: usize,
    /// The starts and ends of the enclosing loops, from the outermost.
    around: Vec<(Pos, Pos)>,
    regs: Registers,
    /// The rows of values in lanes that are in the frame, or have been; masks have words.
    rows: HashMap<Piece, i32>,
    /// Words of uniform values.
    words: HashMap<Value, i32>,
    /// Words with the start of each buffer.
    buffers: HashMap<BufferId, i32>,
    /// The lists that it builds.
    lists: HashMap<ListId, ListPlace>,
    /// The word with the number of the first lane.
    first: i32,
    /// The word with the active lanes, as many bits for each block; `None` if all are active.
    active: Option<i32>,
    /// Whether some lanes are inactive here that are active elsewhere in the loop.
    parted: bool,
    /// The number of lanes of all blocks in the last round of a straight line, if that is known.
    rest: Option<usize>,
    /// Addresses that are in registers.
    pointers: Vec<(Pointer, Gpr)>,
    /// The divisions of larger numbers, which are written last.
    large: Vec<division::Large>,
    /// The pushes that find no room, which are written last, too.
    growths: Vec<lists::Growth>,
    /// Leaves with the status in rax.
    leave: Label,
    /// Keeps a value as long as the code, and returns its address.
    keep: &'e mut dyn FnMut(Box<dyn Any + Send>) -> i64,
}

/// What is wanted beside the code of a loop.
#[derive(Clone, Copy)]
pub(crate) struct About {
    /// Its text.
    pub text: bool,
    /// The places that it comes from.
    pub lines: bool,
}

/// Wide code of a loop.
pub(crate) struct Wide {
    pub bytes: Vec<u8>,
    /// Its text, if requested.
    pub text: Option<String>,
    /// The places that it comes from, and its calls; empty if they are not wanted.
    pub lines: Vec<LineSpan>,
    pub calls: Vec<TracedCall>,
}

/// Writes a vector loop as a function of a frame pointer that returns a status.
pub(crate) fn write<'p>(
    &VectorLoop {
        looped: l,
        blocks: Blocks { interleave, lanes },
    }: &VectorLoop<'p>,
    plan: &'p Plan,
    places: Places,
    layout: &mut Layout<'p>,
    spare: &mut FrameSlots,
    keep: &mut dyn FnMut(Box<dyn Any + Send>) -> i64,
    about: About,
) -> Wide {
    let machine = Machine::of(plan.cpu).expect("a processor whose vector loops are accepted");
    let mut asm = Asm::new(machine, lanes, about.text);
    if machine == Machine::Avx2 {
        let rows = *(spare.masks).get_or_insert_with(|| layout.reserve(Asm::MASKS));
        asm.keep_masks(rows);
    }
    if about.lines {
        asm.keep_lines();
        let inside = || (l.body.stmts.iter()).find_map(|s| source_of(&plan.program, s));
        asm.comes_from(plan.program.sources.of(l.index).or_else(inside));
    }
    let leave = asm.label();
    let refilled = match lanes {
        LANES => refilled::refilled(&plan.program, &plan.values, (machine, interleave), l),
        _ => None,
    };
    let run_on = refilled.as_ref().and_then(Refilled::run_on);
    let mut w = Writer {
        asm,
        plan,
        values: &plan.values,
        life: Life::of(l, &plan.values, (machine, interleave), run_on),
        elements: Vec::new(),
        reserved: HashSet::new(),
        free_rows: spare.rows.clone(),
        free_words: spare.words.clone(),
        layout,
        spare,
        interleave,
        lanes,
        at: [0; accept::MOST],
        block: 0,
        around: Vec::new(),
        regs: Registers::default(),
        rows: HashMap::new(),
        words: places.values,
        buffers: places.buffers,
        lists: places.lists,
        first: 0,
        active: None,
        parted: false,
        rest: None,
        pointers: Vec::new(),
        large: Vec::new(),
        growths: Vec::new(),
        leave,
        keep,
    };
    w.function(l, refilled, &places.carried);
    let code = w.asm.finish();
    let (lines, calls) = code.lines.map_or((vec![], vec![]), |t| (t.lines, t.calls));
    let calls = calls.into_iter().map(|(back, depth)| TracedCall {
        back,
        depth,
        callee: None,
    });
    Wide {
        bytes: code.bytes,
        text: code.text,
        lines,
        calls: calls.collect(),
    }
}

impl<'p> Writer<'_, 'p> {
    fn dtype(&self, v: Value) -> DType {
        self.values.types[v.0 as usize].dtype
    }

    /// The form of the elements of a type, of which bytes are held in 32 bits. Truth values are masks.
    fn form_of(&self, d: DType) -> Form {
        match d.bytes() {
            8 => Form::Words,
            _ if self.lanes == SIXTEEN => Form::Full,
            _ => Form::Half,
        }
    }

    fn form(&self, v: Value) -> Form {
        self.form_of(self.dtype(v))
    }

    fn is_lanes(&self, v: Value) -> bool {
        self.values.types[v.0 as usize].lanes && self.constant(v).is_none()
    }

    fn is_mask(&self, v: Value) -> bool {
        self.dtype(v) == DType::Bool
    }

    fn constant(&self, v: Value) -> Option<u64> {
        self.values.constants[v.0 as usize]
    }

    fn kind(&self, b: BufferId) -> BufferKind {
        self.plan.program.buffers[b.0 as usize].kind
    }

    /// A place in the frame.
    fn frame(&self, off: i32) -> Mem {
        Mem { base: RBX, off }
    }

    /// A word of the frame.
    fn new_word(&mut self) -> i32 {
        if let Some(off) = self.free_words.pop() {
            return off;
        }
        let off = self.layout.reserve(8);
        self.spare.words.push(off);
        off
    }

    /// Frees a row of the frame, or a word, for other values.
    fn free(&mut self, word: bool, off: i32) {
        match (self.reserved.contains(&off), word) {
            (true, _) => {}
            (false, true) => self.free_words.push(off),
            (false, false) => self.free_rows.push(off),
        }
    }

    /// A row of the frame.
    fn new_row(&mut self) -> i32 {
        if let Some(off) = self.free_rows.pop() {
            return off;
        }
        let off = self.layout.reserve(64);
        self.spare.rows.push(off);
        off
    }

    /// The function.
    fn function(&mut self, l: &'p For, refilled: Option<Refilled<'p>>, carried: &[i32]) {
        const SAVED: [Gpr; 5] = [RBX, Gpr(12), Gpr(13), Gpr(14), Gpr(15)];
        for r in SAVED {
            self.asm.push(r);
        }
        self.asm.copy(RBX, RDI);
        for (c, &row) in l.carried.iter().zip(carried) {
            let x = self.in_register(c.init);
            let form = self.form(c.param);
            self.asm.store_as(form, self.frame(row), x, asm::ALL);
            self.rows.insert((c.param, 0), row);
            self.done();
        }
        self.first = self.new_word();
        self.asm.constant(RAX, 0);
        self.asm.store_word(self.frame(self.first), RAX);
        let line = l.carried.is_empty() && l.body.stmts.iter().all(is_straight);
        match refilled {
            Some(r) => self.refilled_loop(l, r),
            None if line => self.line_of_blocks(l),
            None => self.blocks(l),
        }
        self.asm.constant(RAX, 0);
        self.asm.place(self.leave);
        self.asm.clear_upper();
        for r in SAVED.into_iter().rev() {
            self.asm.pop(r);
        }
        self.asm.ret();
        self.asm.go_back_in(SAVED.len());
        self.large_divisions();
        self.growths();
    }

    fn machine(&self) -> Machine {
        self.asm.machine()
    }

    /// The number of lanes that run side by side.
    fn together(&self) -> i32 {
        (self.lanes * self.interleave) as i32
    }

    /// Whether all lanes are live in every round.
    fn is_even(&self, extent: Value) -> bool {
        (self.constant(extent)).is_some_and(|n| n % self.together() as u64 == 0)
    }

    /// Blocks of lanes one after the other, the last one perhaps short.
    fn blocks(&mut self, l: &'p For) {
        let (head, end) = (self.asm.label(), self.asm.label());
        let extent = self.load_word_of(RAX, l.extent);
        self.asm.int_by(Int::Compare, extent, 0);
        self.asm.jump_if(Cond::LessOrEqual, end);
        self.asm.place(head);
        if !self.is_even(l.extent) {
            self.live_lanes(l.extent);
        }
        self.body(l);
        self.carry_in_rows(&l.carried, &l.body.results);
        self.go_on();
        let extent = self.load_word_of(RCX, l.extent);
        self.asm.int(Int::Compare, RAX, extent);
        self.asm.jump_if(Cond::Less, head);
        self.asm.place(end);
    }

    /// Blocks of a loop whose body is a straight line without carried values: first the blocks all
    /// of whose lanes are live, with addresses that advance, then the last one. If it is known that one, two or four
    /// lanes are live in that, plain moves of so many elements take the place of masked ones: a read waits until the
    /// masked stores before it are done that touch its elements, even those that are not stored.
    fn line_of_blocks(&mut self, l: &'p For) {
        let (head, last, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        let moving = self.moving_pointers(&l.body);
        self.load_word_of(RCX, l.extent);
        self.asm.int_by(Int::Compare, RCX, self.together());
        self.asm.jump_if(Cond::Less, last);
        self.asm.place(head);
        self.body(l);
        self.sweep();
        self.done();
        match moving {
            true => self.move_pointers(),
            false => self.pointers.clear(),
        }
        self.go_on();
        self.asm.int_by(Int::Add, RAX, self.together());
        let extent = self.load_word_of(RCX, l.extent);
        self.asm.int(Int::Compare, RAX, extent);
        self.asm.jump_if(Cond::LessOrEqual, head);
        self.asm.place(last);
        if !self.is_even(l.extent) {
            self.rest = (self.constant(l.extent)).map(|n| n as usize % self.together() as usize);
            self.load_word_of(RCX, l.extent);
            self.asm.int_with(Int::Compare, RCX, self.frame(self.first));
            self.asm.jump_if(Cond::LessOrEqual, end);
            self.live_lanes(l.extent);
            self.set_all_at(0);
            self.body(l);
        }
        self.asm.place(end);
    }

    fn body(&mut self, l: &'p For) {
        if self.life.after(l.index, 0).is_some() {
            self.lane_numbers(l.index);
        }
        self.statements(&l.body);
    }

    /// Advances the number of the first lane, which is left in rax too, to the next blocks.
    fn go_on(&mut self) {
        let first = self.frame(self.first);
        self.asm.load(RAX, first);
        self.asm.int_by(Int::Add, RAX, self.together());
        self.asm.store_word(first, RAX);
    }

    /// The number of live lanes of the current block, if it is known that it is short.
    fn short(&self) -> Option<usize> {
        let rest = self.rest?.saturating_sub(self.lanes * self.block);
        (rest < self.lanes).then_some(rest)
    }

    /// Restricts the active lanes to those within the extent, a bit for each.
    fn live_lanes(&mut self, extent: Value) {
        let word = self.new_word();
        let left = self.load_word_of(RAX, extent);
        self.asm.int_with(Int::Sub, left, self.frame(self.first));
        self.asm.constant(RCX, i64::from(self.together()));
        self.asm.int(Int::Compare, RAX, RCX);
        self.asm.move_if(Cond::Greater, RAX, RCX);
        self.asm.constant(RCX, -1);
        self.asm.low_bits(RCX, RCX, RAX);
        self.asm.store_word(self.frame(word), RCX);
        self.active = Some(word);
    }

    /// The statements of a block. What follows comes from where the code before does.
    fn statements(&mut self, block: &'p Block) {
        let around = self.asm.source();
        self.sequence(&block.stmts);
        self.asm.comes_from(around);
    }

    /// Says that the code that follows comes from where a statement does.
    fn comes_from(&mut self, s: &Stmt) {
        if self.asm.has_lines() {
            let source = source_of(&self.plan.program, s);
            self.asm.comes_from(source);
        }
    }

    fn sequence(&mut self, stmts: &'p [Stmt]) {
        let mut rest = stmts;
        while let Some(s) = rest.first() {
            if self.interleave > 1 && is_straight(s) {
                let n = self.line(rest);
                self.side_by_side(&rest[..n]);
                rest = &rest[n..];
                continue;
            }
            self.set_all_at(self.at[0] + 1);
            self.comes_from(s);
            self.stmt(s);
            rest = &rest[1..];
        }
    }

    fn set_all_at(&mut self, at: Pos) {
        self.at = [at; accept::MOST];
    }
}
