//! What differs on devices: a thread that fails goes on, lists are in a pool, memory is of several kinds; and the
//! pieces that kernels are written of.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use wengert_loop::loops::kernel::{Gemm, LaneProduct, RandomBlock, Sort, TopK};
use wengert_loop::loops::{
    BufferId, BufferKind, Failure, For, Index, Kernel, List, ListId, ListStore, Rows, Stmt, Value,
    walk,
};
use wengert_loop::order;
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;

use super::{Emitter, ty};
use crate::CError;
use crate::dialect::Dialect;
use crate::unit::LISTS_FULL;

/// What a kernel's text needs around it.
#[derive(Default)]
pub(crate) struct Needs {
    /// The buffers that it names.
    pub buffers: BTreeSet<BufferId>,
    /// Memory of each thread's own for keys that it sorts: elements of each type.
    pub keys: BTreeMap<DType, usize>,
    /// Whether a thread may stop.
    pub stops: bool,
    /// Whether it uses the pool of lists.
    pub lists: bool,
}

/// The words at which the fields of a row begin, and those of a row.
fn layout(list: &List) -> (Vec<usize>, usize) {
    let mut at = 0;
    let mut fields = vec![];
    for &(dtype, n) in &list.fields {
        fields.push(at);
        at += (n * dtype.bytes()).div_ceil(8);
    }
    (fields, at.max(1))
}

/// The most words in front of a field: what a handle has room for.
const FIELD: usize = 1 << 24;

impl<'p> Emitter<'p> {
    /// Begins the text of a kernel.
    pub(crate) fn begin(&mut self) {
        self.out.clear();
        self.named.clear();
        self.needs = Needs::default();
        self.depth = 1;
        self.lane = None;
        self.can_stop = true;
    }

    /// Ends the text of a kernel.
    pub(crate) fn end(&mut self) -> (String, Needs) {
        let mut needs = std::mem::take(&mut self.needs);
        needs.buffers = self.named.drain().collect();
        (std::mem::take(&mut self.out), needs)
    }

    /// The first mistake.
    pub(crate) fn mistake(&mut self) -> Result<(), CError> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Names the indices of all loops as loops name them.
    pub(crate) fn name_indices(&mut self) {
        let program = self.program;
        walk::stmts(&program.body, &mut |s| {
            if let Stmt::For(l) = s {
                self.names.insert(l.index, format!("k{}", l.index.0));
            }
        });
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.line(text);
    }

    pub(crate) fn wanted(&self, v: Value) -> bool {
        self.is_live(v)
    }

    pub(crate) fn operand(&self, v: Value) -> String {
        self.v(v)
    }

    /// Defines a value by a word of 64 bits.
    pub(crate) fn define_from_word(&mut self, v: Value, word: &str) {
        let text = from_word(self.dtype(v), word);
        self.define(v, &text);
    }

    /// Defines the copies of a value that differs by lane by words.
    pub(crate) fn copies_from_words(&mut self, v: Value, word: &dyn Fn(&str) -> String) {
        let (t, name) = (ty(self.dtype(v)), self.name(v));
        let text = from_word(self.dtype(v), &word("c"));
        self.line(&format!("{t} {name}[8];"));
        self.line(&format!("for (int c = 0; c < 8; c++) {name}[c] = {text};"));
    }

    /// A value, or an expression of its type, as a word.
    pub(crate) fn to_word(&self, v: Value, text: &str) -> String {
        match self.dtype(v) {
            DType::F64 => format!("bits_f64({text})"),
            DType::F32 => format!("(u64)bits_f32({text})"),
            _ => format!("(u64)({text})"),
        }
    }

    /// The status of a failure.
    pub(crate) fn status(&mut self, failure: &Failure) -> i32 {
        self.unit.failure(failure)
    }

    /// Adds the text of a kernel to the source.
    pub(crate) fn entry(&mut self, text: &str) {
        self.unit.add_text("", text);
    }

    pub(crate) fn statement(&mut self, s: &Stmt) {
        self.stmt(s);
    }

    /// Writes one lane of a vector loop that carries nothing, whose index is `index`.
    pub(crate) fn one_lane(&mut self, l: &For, index: &str) {
        let n = self.v(l.extent);
        let i = self.name(l.index);
        self.line(&format!("const i64 {i} = {index};"));
        self.open(&format!("if ({i} < {n})"));
        self.lane_on(l, &[], "");
        self.close();
    }

    /// Writes every eighth lane of a vector loop, from `copy` on. What it carries is defined when it ends.
    pub(crate) fn chain(&mut self, l: &For, copy: &str) {
        let carried = self.carried(&l.carried);
        self.states(&carried);
        let (i, n) = (self.name(l.index), self.v(l.extent));
        self.open(&format!("for (i64 {i} = {copy}; {i} < {n}; {i} += 8)"));
        self.lane_on(l, &carried, "");
        self.close();
    }

    /// Writes one element of a copy.
    pub(crate) fn one_element(
        &mut self,
        to: &(BufferId, Index),
        from: &(BufferId, Index),
        at: &str,
    ) {
        let a = self.element(to.0, &to.1, Some(at));
        let b = self.element(from.0, &from.1, Some(at));
        self.line(&format!("{a} = {b};"));
    }

    /// A pointer to the first element of a region.
    pub(crate) fn pointer(&mut self, (b, i): &(BufferId, Index)) -> String {
        format!("&{}", self.element(*b, i, None))
    }

    /// Whether nobody reads what a buffer holds.
    pub(crate) fn is_unread(&self, b: BufferId) -> bool {
        !self.live.buffers[b.0 as usize]
    }

    /// Whether the elements of a buffer are apart from each other, since those of other threads lie between them.
    pub(super) fn is_spread(&self, b: BufferId) -> bool {
        self.dialect != Dialect::C
            && self.buffer(b).kind == BufferKind::Local
            && !self.memory.is_own(b)
            && !self.memory.gathering.contains(&b)
    }

    /// Records an error. The thread goes on, since others may wait for it; whatever it computes, all its accesses are
    /// within bounds.
    pub(super) fn stop_thread(&mut self, status: i32) {
        self.needs.stops = true;
        self.line(&format!("W_FAIL(failed, {status});"));
        self.line("stopped = 1;");
    }

    /// The kind of memory of a buffer, as functions of the prelude name it.
    fn kind_of(&self, b: BufferId) -> &'static str {
        match self.buffer(b).kind {
            BufferKind::Constant(_) => "k",
            BufferKind::Local if self.memory.is_own(b) => "p",
            _ => "g",
        }
    }

    /// The element of a product in row `i` and column `j`, and its sum.
    pub(crate) fn product(
        &mut self,
        g: &Gemm,
        regions: &[(BufferId, Index)],
        i: &str,
        j: &str,
    ) -> String {
        let apart: Vec<&str> = (regions.iter())
            .map(|r| {
                if self.is_spread(r.0) {
                    " * threads"
                } else {
                    ""
                }
            })
            .collect();
        let p: Vec<String> = regions.iter().map(|r| self.pointer(r)).collect();
        let kinds = format!(
            "{}{}",
            self.kind_of(regions[1].0),
            self.kind_of(regions[2].0)
        );
        let chains = u8::from(order::is_long(g.m, g.n, g.k));
        format!(
            "({})[({i} * {} + {j} * {}){}] = product_{}_{kinds}({}, {chains}, {} + {i} * {}{}, {}{}, {} + {j} * {}{}, {}{});",
            p[0],
            g.c.0,
            g.c.1,
            apart[0],
            ty(g.dtype),
            g.k,
            p[1],
            g.a.0,
            apart[1],
            g.a.1,
            apart[1],
            p[2],
            g.b.1,
            apart[2],
            g.b.0,
            apart[2],
        )
    }

    /// A tile of a product, by a group of threads.
    pub(crate) fn product_tile(&mut self, g: &Gemm, regions: &[(BufferId, Index)]) {
        let t = ty(g.dtype);
        let p: Vec<String> = regions.iter().map(|r| self.pointer(r)).collect();
        self.line(&format!("W_SHARED {t} x[1024];"));
        self.line(&format!("W_SHARED {t} y[1024];"));
        self.line(&format!(
            "gemm_tile_{t}({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, W_GROUP, x, y);",
            g.m, g.n, g.k, p[0], g.c.0, g.c.1, p[1], g.a.0, g.a.1, p[2], g.b.0, g.b.1
        ));
    }

    /// Whether all regions are in global memory.
    pub(crate) fn is_global(&self, regions: &[(BufferId, Index)]) -> bool {
        regions
            .iter()
            .all(|r| self.kind_of(r.0) == "g" && !self.is_spread(r.0))
    }

    pub(super) fn device_kernel(
        &mut self,
        kernel: &dyn Kernel,
        regions: &[(BufferId, Index)],
        at: Option<SourceId>,
    ) {
        let copies = regions.first().map_or("", |r| self.over_copies(r.0));
        let gemm = kernel.downcast_ref::<Gemm>();
        let product = gemm.or(kernel.downcast_ref::<LaneProduct>().map(|l| &l.gemm));
        if let Some(g) = product {
            let text = self.product(g, regions, "i", "j");
            self.line(&format!(
                "{copies}for (i64 i = 0; i < {}; i++) for (i64 j = 0; j < {}; j++) {text}",
                g.m, g.n
            ));
        } else if let Some(s) = kernel.downcast_ref::<Sort>() {
            let (t, down) = (ty(s.dtype), u8::from(s.descending));
            let p: Vec<String> = regions.iter().map(|r| self.pointer(r)).collect();
            let mut keys = |dtype: DType| {
                let most = self.needs.keys.entry(dtype).or_default();
                // Keys and places are two regions, even of one type.
                *most += s.n;
                format!("keys_{} + {} * threads", ty(dtype), *most - s.n)
            };
            let own = keys(s.dtype);
            let (places, old) = match p.get(1) {
                Some(p) => (p.clone(), keys(DType::I64)),
                None => ("0".into(), "0".into()),
            };
            self.line(&format!(
                "sort_{t}({}, {places}, {}, {}, {down}, {own}, {old}, threads);",
                p[0], s.rows, s.n
            ));
        } else if let Some(k) = kernel.downcast_ref::<TopK>() {
            self.largest(k, regions, copies);
        } else if let Some(block) = kernel.downcast_ref::<RandomBlock>() {
            let [low, high] = block.0.number();
            let from = self.element(regions[0].0, &regions[0].1, Some("e"));
            let to = self.element(regions[1].0, &regions[1].1, Some("e"));
            self.line(&format!(
                "{copies}{{ u32 key[10]; u32 word[16]; for (int e = 0; e < 10; e++) key[e] = {from}; \
                 random_block(key, {low}u, {high}u, word); for (int e = 0; e < 16; e++) {to} = word[e]; }}"
            ));
        } else {
            self.refuse_kernel(kernel, at);
        }
    }

    /// The largest keys of rows, in any kind of memory: each key finds its place among the best so far.
    fn largest(&mut self, kernel: &TopK, regions: &[(BufferId, Index)], copies: &str) {
        let (n, k, t) = (kernel.n, kernel.k, ty(kernel.dtype));
        if k == 0 {
            return;
        }
        let mut at = |r: usize, at: &str| self.element(regions[r].0, &regions[r].1, Some(at));
        let here = format!("r * {k} + j");
        let before = format!("r * {k} + j - 1");
        let key = at(0, &format!("r * {n} + i"));
        let worst = at(1, &format!("r * {k} + {}", k - 1));
        let (best, place) = (
            [at(1, &here), at(1, &before)],
            [at(2, &here), at(2, &before)],
        );
        self.open(&format!(
            "{copies}for (i64 r = 0; r < {}; r++)",
            kernel.rows
        ));
        self.open(&format!("for (i64 i = 0; i < {n}; i++)"));
        self.line(&format!("const {t} key = {key};"));
        self.line(&format!("i64 j = i < {k} ? i : {k};"));
        self.line(&format!(
            "if (j == {k} && !below_{t}({worst}, key)) continue;"
        ));
        self.line(&format!("if (j == {k}) j--;"));
        self.open(&format!(
            "for (; j > 0 && below_{t}({}, key); j--)",
            best[1]
        ));
        self.line(&format!("{} = {};", best[0], best[1]));
        self.line(&format!("{} = {};", place[0], place[1]));
        self.close();
        self.line(&format!("{} = key;", best[0]));
        self.line(&format!("{} = i;", place[0]));
        self.close();
        self.close();
    }

    fn words_of(&mut self, list: ListId) -> (Vec<usize>, usize) {
        let of = layout(&self.program.lists[list.0 as usize]);
        if of.1 >= FIELD {
            let what = format!("rows of {} bytes in a list", of.1 * 8);
            self.refuse(
                what,
                "keep fewer elements in a step of a loop of unknown length",
            );
        }
        of
    }

    pub(super) fn device_list(&mut self, s: &Stmt) {
        self.needs.lists = true;
        self.needs.stops = true;
        match s {
            Stmt::ListBegin { list } => self.line(&format!("l{}.rows = 0;", list.0)),
            Stmt::ListPush { list, row } => {
                let (size, row) = (self.words_of(*list).1, self.v(*row));
                let l = list.0;
                self.open(&format!(
                    "if (!stopped && list_push(&lists, &l{l}, {row}, {size}))"
                ));
                self.stop_thread(LISTS_FULL);
                self.close();
            }
            Stmt::ListStore(ListStore {
                list,
                field,
                row,
                element,
                value,
            }) => {
                let (fields, size) = self.words_of(*list);
                let dtype = self.program.lists[list.0 as usize].fields[*field as usize].0;
                let (row, at, value) = (self.v(*row), self.place(element, None), self.v(*value));
                self.line(&format!(
                    "if (!stopped) ((W_GLOBAL {}*)(lists.words + list_row(&l{}, {row}, {size}) + {}))[{at}] = {value};",
                    ty(dtype),
                    list.0,
                    fields[*field as usize]
                ));
            }
            Stmt::ListFinish { out, list, rows } => {
                let (size, rows) = (self.words_of(*list).1, self.v(*rows));
                let text = format!(
                    "stopped ? 0 : list_finish(&lists, &l{}, {rows}, {size})",
                    list.0
                );
                self.define(*out, &text);
                let out = self.name(*out);
                self.open(&format!("if (!{out})"));
                self.stop_thread(LISTS_FULL);
                self.close();
            }
            Stmt::ListHandle { out, of } if self.is_live(*out) => {
                let at = self.words_of(of.list).0[of.field as usize];
                let built = self.v(of.built);
                self.define(
                    *out,
                    &format!("list_rows(&lists, {built}) ? {built} << 24 | {at} : 0"),
                );
            }
            Stmt::ListRows { out, handle } if self.is_live(*out) => {
                let h = self.v(*handle);
                self.define(*out, &format!("{h} ? list_rows(&lists, {h} >> 24) : 0"));
            }
            Stmt::ListLoad { out, cell } if self.is_live(*out) => {
                let (row, at) = (self.v(cell.row), self.place(&cell.element, None));
                let t = ty(self.dtype(*out));
                let (head, field, there) = match cell.rows {
                    Rows::Of(of) => {
                        let field = self.words_of(of.list).0[of.field as usize];
                        (self.v(of.built), field.to_string(), "!stopped".into())
                    }
                    Rows::Handle(h) => {
                        let h = self.v(h);
                        let field = format!("({h} & {})", FIELD - 1);
                        (format!("({h} >> 24)"), field, format!("!stopped && {h}"))
                    }
                };
                self.define(
                    *out,
                    &format!(
                        "{there} ? ((W_GLOBAL const {t}*)(lists.words + list_at(&lists, {head}, {row}) + {field}))[{at}] : 0"
                    ),
                );
            }
            _ => {}
        }
    }

    /// The lists that statements build.
    pub(crate) fn slots(stmts: &[&'p Stmt]) -> (BTreeSet<ListId>, HashSet<ListId>) {
        let (mut named, mut begun) = (BTreeSet::new(), HashSet::new());
        let mut look = |s: &Stmt| match s {
            Stmt::ListBegin { list } => {
                named.insert(*list);
                begun.insert(*list);
            }
            Stmt::ListPush { list, .. } | Stmt::ListFinish { list, .. } => {
                named.insert(*list);
            }
            Stmt::ListStore(s) => {
                named.insert(s.list);
            }
            _ => {}
        };
        for s in stmts {
            look(s);
            walk::blocks(s).for_each(|b| walk::stmts(b, &mut look));
        }
        (named, begun)
    }
}

fn from_word(dtype: DType, word: &str) -> String {
    match dtype {
        DType::F64 => format!("f64_of({word})"),
        DType::F32 => format!("f32_of((u32){word})"),
        other => format!("({}){word}", ty(other)),
    }
}
