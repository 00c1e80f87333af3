//! The text of one kernel: what it takes from others and gives to others, and the parameters that this needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use wengert_loop::loops::kernel::Gemm;
use wengert_loop::loops::{BufferId, BufferKind, For, Index, Stmt, Value, walk};
use wengert_loop::types::DType;

use super::memory::{self, Whose, held_as};
use super::split::{Place, Split, count, definitions, lists_of};
use super::{Arg, Launch, Step};
use crate::emit::Emitter;
use crate::emit::device::Needs;
use crate::emit::ty;

/// Words of a list in the making.
const SLOT: usize = 29;

/// A piece of a kernel.
pub(super) enum Piece<'p> {
    /// A statement.
    Stmt(&'p Stmt),
    /// Words, whether of rows, that get values, all at once.
    Set(Vec<((bool, usize), Value)>),
}

/// How a kernel's threads share its work.
pub(super) enum Shape<'p> {
    /// One thread does all.
    One,
    /// A thread for each lane of a vector loop, of which there are so many at most.
    Lanes(&'p For, usize),
    /// Eight threads, each with every eighth lane.
    Chains(&'p For),
    /// A thread for each element of a copy.
    Copy(&'p (BufferId, Index), &'p (BufferId, Index), usize),
    /// A thread for each element of a product.
    Products(&'p Gemm, &'p [(BufferId, Index)]),
    /// A group of threads for each tile of a product.
    Tiles(&'p Gemm, &'p [(BufferId, Index)]),
    /// A thread for each of some elements, by a text that is given, which may know the number of a pass.
    Each {
        columns: usize,
        pass: Option<usize>,
        write: Given<'p>,
    },
}

/// Writes the text of a kernel.
pub(super) type Given<'p> = Box<dyn Fn(&mut Emitter<'p>) + 'p>;

impl<'p> Split<'p> {
    /// Writes a kernel; there is none if it would do nothing.
    pub fn kernel(
        &mut self,
        place: &Place,
        shape: Shape<'p>,
        pieces: &[Piece<'p>],
    ) -> Option<Step> {
        let row = place.row.is_some();
        let (mut inside, mut defined) = (HashMap::new(), HashSet::new());
        let mut stmts: Vec<&'p Stmt> = vec![];
        for piece in pieces {
            match piece {
                Piece::Stmt(s) => {
                    count(s, &mut inside);
                    definitions(s, &mut defined);
                    stmts.push(s);
                }
                Piece::Set(pairs) => {
                    for (_, v) in pairs {
                        *inside.entry(*v).or_default() += 1;
                    }
                }
            }
        }
        self.emitter.begin();
        let mut brought = Brought::default();
        let mut needed: Vec<Value> = inside.keys().copied().collect();
        needed.retain(|v| !defined.contains(v));
        needed.extend(place.guards.iter().flat_map(|&(i, n)| [i, n]));
        needed.sort();
        for v in needed {
            self.bring(v, &mut brought);
        }
        for &(index, extent) in &place.guards {
            let (i, n) = (self.emitter.operand(index), self.emitter.operand(extent));
            self.emitter.text(&format!("if ({i} >= {n}) return;"));
        }
        let (head, mut needs) = self.emitter.end();

        self.emitter.begin();
        let (slots, _) = Emitter::slots(&stmts);
        let mut own: HashMap<_, usize> = HashMap::new();
        for s in &stmts {
            lists_of(s, &mut |l| *own.entry(l).or_default() += 1);
            walk::blocks(s).for_each(|b| {
                walk::stmts(b, &mut |s| {
                    lists_of(s, &mut |l| *own.entry(l).or_default() += 1)
                });
            });
        }
        let mut crossing = vec![];
        for list in slots {
            self.emitter.text(&format!("list_slot l{};", list.0));
            if self.lists[&list] > own[&list] {
                let at = match self.list_slots.get(&list) {
                    Some(&at) => at,
                    None => {
                        let at = (row, self.take(row, SLOT));
                        self.list_slots.insert(list, at);
                        at
                    }
                };
                let (word, step) = (slot_word(at, None), if at.0 { "rows" } else { "1" });
                brought.frames(at.0);
                let l = list.0;
                self.emitter
                    .text(&format!("list_again(&{word}, {step}, &l{l});"));
                crossing.push(format!("list_keep(&{word}, {step}, &l{l});"));
            }
        }
        let (slot_text, _) = self.emitter.end();

        self.emitter.begin();
        let columns = self.body(&shape, pieces);
        for s in &stmts {
            for v in walk::outs(s) {
                let others = self.uses.get(&v).unwrap_or(&0) > inside.get(&v).unwrap_or(&0);
                if others && self.number_of(v).is_none() && self.emitter.wanted(v) {
                    self.give(v, &shape, row, &mut brought);
                }
            }
        }
        for piece in pieces {
            if let Piece::Set(pairs) = piece {
                for &(slot, v) in pairs {
                    let text = self.emitter.operand(v);
                    let text = self.emitter.to_word(v, &text);
                    brought.frames(slot.0);
                    self.emitter
                        .text(&format!("{} = {text};", slot_word(slot, None)));
                }
            }
        }
        let (text, more) = self.emitter.end();
        if text.trim().is_empty() {
            return None;
        }
        needs.buffers.extend(more.buffers);
        needs.keys = more.keys;
        needs.stops |= more.stops;
        needs.lists |= more.lists;
        self.uses_lists |= needs.lists;
        let keep: String = crossing.iter().map(|c| format!("  {c}\n")).collect();
        let body = format!("{head}{slot_text}{text}{keep}");
        Some(self.launched(place, &shape, columns, &stmts, body, &needs, &brought))
    }

    /// Writes what the threads do, and returns how many a row has.
    fn body(&mut self, shape: &Shape<'p>, pieces: &[Piece<'p>]) -> usize {
        let e = &mut self.emitter;
        match shape {
            Shape::One => {
                for piece in pieces {
                    if let Piece::Stmt(s) = piece {
                        e.statement(s);
                    }
                }
                1
            }
            Shape::Lanes(l, bound) => {
                e.one_lane(l, "column");
                *bound
            }
            Shape::Chains(l) => {
                e.chain(l, "column");
                8
            }
            Shape::Copy(to, from, len) => {
                if !e.is_unread(to.0) {
                    e.one_element(to, from, "column");
                }
                *len
            }
            Shape::Products(g, regions) => {
                e.text(&format!(
                    "const i64 i = column / {}, j = column % {};",
                    g.n, g.n
                ));
                let text = e.product(g, regions, "i", "j");
                e.text(&text);
                g.m * g.n
            }
            Shape::Tiles(g, regions) => {
                e.product_tile(g, regions);
                256 * g.m.div_ceil(64) * g.n.div_ceil(64)
            }
            Shape::Each { columns, write, .. } => {
                write(e);
                *columns
            }
        }
    }

    /// Defines a value that a kernel uses and does not compute.
    fn bring(&mut self, v: Value, brought: &mut Brought) {
        if self.number_of(v).is_some() || !brought.values.insert(v) || !self.emitter.wanted(v) {
            return;
        }
        if let Some(&index) = self.indices.get(&v) {
            brought.indices.push((v, index));
        } else if let Some(&s) = self.free.get(&v) {
            for used in walk::uses(s) {
                self.bring(used, brought);
            }
            self.emitter.statement(s);
        } else if let Some(&slot) = self.slots.get(&v) {
            brought.frames(slot.0);
            match self.program.values[v.0 as usize].lanes {
                true => self
                    .emitter
                    .copies_from_words(v, &|c| slot_word(slot, Some(c))),
                false => self.emitter.define_from_word(v, &slot_word(slot, None)),
            }
        }
    }

    /// Stores a value that other kernels use.
    fn give(&mut self, v: Value, shape: &Shape<'p>, row: bool, brought: &mut Brought) {
        let slot = self.slot_of(v, row);
        brought.frames(slot.0);
        let name = self.emitter.operand(v);
        let lanes = self.program.values[v.0 as usize].lanes;
        let text = match (lanes, shape) {
            (true, Shape::Chains(_)) => {
                let text = self.emitter.to_word(v, &name);
                format!("{} = {text};", slot_word(slot, Some("column")))
            }
            (true, _) => {
                let text = self.emitter.to_word(v, &format!("{name}[c]"));
                let to = slot_word(slot, Some("c"));
                format!("for (int c = 0; c < 8; c++) {to} = {text};")
            }
            (false, _) => {
                let text = self.emitter.to_word(v, &name);
                format!("{} = {text};", slot_word(slot, None))
            }
        };
        self.emitter.text(&text);
    }

    /// Puts the parameters around a kernel's text.
    #[allow(clippy::too_many_arguments)]
    fn launched(
        &mut self,
        place: &Place,
        shape: &Shape<'p>,
        columns: usize,
        stmts: &[&'p Stmt],
        body: String,
        needs: &Needs,
        brought: &Brought,
    ) -> Step {
        let name = format!("w{}_{}", self.number, self.kernels);
        self.kernels += 1;
        let (program, layout) = (self.program, self.layout);
        let is_thread = |b: BufferId| {
            let kind = program.buffers[b.0 as usize].kind;
            kind == BufferKind::Local && !layout.gathering.contains(&b) && !layout.is_own(b)
        };
        let thread = memory::plan(program, stmts, Whose::Thread, &is_thread);
        let mut lengths = thread.lengths;
        let mut params = vec!["W_GLOBAL u64* frame".to_string()];
        let mut args = vec![Arg::Frame];
        let mut heads = String::new();
        // Memory of threads: its type, name, and first element.
        let mut own: Vec<(DType, String, usize)> = vec![];
        if brought.row_frame {
            params.push("W_GLOBAL u64* row_frame".into());
            args.push(Arg::RowFrame);
        }
        if needs.lists {
            params.push("W_GLOBAL u64* list_words, const u32 list_units".into());
            args.extend([Arg::Lists, Arg::ListUnits]);
            heads += "  const list_memory lists = {list_words, (W_GLOBAL u32*)(frame + 1), list_units};\n";
        }
        // The memory that is named, each with its parameter.
        let mut arrays: BTreeSet<(u8, DType)> = BTreeSet::new();
        for &b in &needs.buffers {
            let buffer = &program.buffers[b.0 as usize];
            let (t, held) = (ty(buffer.dtype), held_as(buffer.dtype));
            let n = b.0;
            let place_of = |a: &memory::Arena| a.places.get(&b).copied().unwrap_or(0);
            match buffer.kind {
                BufferKind::Input(i) => {
                    params.push(format!("W_GLOBAL const {t}* restrict b{n}"));
                    args.push(Arg::Input(i as usize));
                }
                BufferKind::Output(i) => {
                    params.push(format!("W_GLOBAL {t}* b{n}"));
                    args.push(Arg::Output(i as usize));
                }
                BufferKind::Constant(_) => {}
                BufferKind::Local if layout.is_own(b) => {}
                _ if is_thread(b) => {
                    arrays.insert((2, held));
                    let at = thread.places.get(&b).copied().unwrap_or(0);
                    own.push((held, format!("b{n}"), at));
                }
                kind if place.row.is_some() && kind != BufferKind::Call => {
                    arrays.insert((1, held));
                    let (at, all) = (
                        place_of(&self.row),
                        self.row.lengths.get(&held).unwrap_or(&0),
                    );
                    heads +=
                        &format!("  W_GLOBAL {t}* const b{n} = row_{t} + row * {all} + {at};\n");
                }
                _ => {
                    arrays.insert((0, held));
                    let at = place_of(&self.call);
                    heads += &format!("  W_GLOBAL {t}* const b{n} = call_{t} + {at};\n");
                }
            }
        }
        for (&dtype, &n) in &needs.keys {
            let (t, held) = (ty(dtype), held_as(dtype));
            arrays.insert((2, held));
            let length = lengths.entry(held).or_default();
            own.push((held, format!("keys_{t}"), *length));
            *length += n;
        }
        for (held, name, at) in own {
            let (t, all) = (ty(held), lengths[&held]);
            heads += &format!("  W_GLOBAL {t}* const {name} = W_OWN(thread_{t}, {at}, {all});\n");
        }
        for (whose, dtype) in arrays {
            let t = ty(dtype);
            let (name, arg) = match whose {
                0 => ("call", Arg::Memory(dtype)),
                1 => ("row", Arg::RowMemory(dtype)),
                _ => ("thread", Arg::ThreadMemory(dtype)),
            };
            params.push(format!("W_GLOBAL {t}* {name}_{t}"));
            args.push(arg);
        }
        // Sorts name arrays of the call's memory themselves.
        for t in [
            DType::F64,
            DType::F32,
            DType::I64,
            DType::I32,
            DType::U64,
            DType::U32,
            DType::U8,
        ] {
            let word = format!("call_{}", ty(t));
            if body.contains(&word) && !args.contains(&Arg::Memory(t)) {
                params.push(format!("W_GLOBAL {}* {word}", ty(t)));
                args.push(Arg::Memory(t));
            }
        }
        for &(v, index) in &brought.indices {
            params.push(format!("const i64 k{}", v.0));
            args.push(Arg::Index(index));
        }
        if let Shape::Each {
            pass: Some(index), ..
        } = *shape
        {
            params.push("const i64 pass".into());
            args.push(Arg::Index(index));
        }
        params.push("const i64 first_row, const i64 rows, const i64 first".into());
        args.extend([Arg::FirstRow, Arg::RowCount, Arg::First]);
        let mut text = format!("\nW_KERNEL void {name}({}) {{\n", params.join(", "));
        text += "  volatile W_GLOBAL i32* const failed = (volatile W_GLOBAL i32*)frame;\n";
        text += "  const i64 id = first + W_ID, threads = W_APART;\n";
        // No thread leaves where others wait for it.
        if !matches!(shape, Shape::Tiles(..)) {
            text += &format!("  if (id >= rows * {columns} || *failed) return;\n");
        }
        text += &format!("  const i64 row = id / {columns}, column = id % {columns};\n");
        if let Some(index) = place.row {
            text += &format!("  const i64 k{} = first_row + row;\n", index.0);
        }
        if body.contains("stopped") {
            text += "  int stopped = 0;\n";
        }
        text += &heads;
        text += &body;
        text += "}\n";
        self.emitter.entry(&text);
        let group = matches!(shape, Shape::Tiles(..)).then_some(256);
        Step::Launch(Launch {
            kernel: name,
            columns,
            group,
            memory: lengths.into_iter().collect(),
            args,
        })
    }
}

/// What a kernel takes from others.
#[derive(Default)]
struct Brought {
    values: HashSet<Value>,
    indices: Vec<(Value, usize)>,
    row_frame: bool,
}

impl Brought {
    fn frames(&mut self, row: bool) {
        self.row_frame |= row;
    }
}

/// A word of the frame, or of the rows'; with a copy, the word of that copy.
pub(super) fn slot_word((row, slot): (bool, usize), copy: Option<&str>) -> String {
    match (row, copy) {
        (false, None) => format!("frame[{slot}]"),
        (false, Some(c)) => format!("frame[{slot} + {c}]"),
        (true, None) => format!("row_frame[{slot} * rows + row]"),
        (true, Some(c)) => format!("row_frame[({slot} + {c}) * rows + row]"),
    }
}
