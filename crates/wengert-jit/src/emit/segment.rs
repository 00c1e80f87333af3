//! Straight lines inside vector loops.
//!
//! A run of statements is cut into segments, and a segment is emitted chain by chain: all
//! operations on the first piece of the lane vectors, then all on the second, and so on. So the
//! live values of one chain stay in registers, and the processor, which looks some hundreds of
//! instructions ahead, still finds several chains to interleave. Uniform statements and lanes may
//! be emitted in any order, except for memory: see [`cut`](Emitter::cut).

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder};
use smallvec::SmallVec;
use wengert_loop::cost::{cycles, longest_path};
use wengert_loop::loops::walk::{self, result, stored};
use wengert_loop::loops::{Block, BufferId, BufferKind, Index, LANES, ListId, Stmt, Value};
use wengert_loop::types::DType;
use wengert_run::plan::is_straight;

use super::Emitter;
use super::address::{Address, Parts, Target};
use super::deferred_stores::Late;
use super::lists::Cells;
use super::next_use::{self, Near};
use super::partial_rows::Row;

/// The longest segment that is emitted.
const LONGEST: usize = 400;
/// The length of segments whose chains must be interleaved finely.
const FINE: usize = 64;

/// Memory that several statements of a segment may access.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Memory {
    Buffer(BufferId),
    List(ListId),
}

/// How a statement accesses memory.
enum Access {
    /// Eight elements side by side, in memory that the block owns or may read.
    Own(Address),
    /// Eight elements side by side that may be redirected, by their number among such rows.
    Row(usize),
    /// One element for all lanes.
    Same(Address),
    /// An element for each lane.
    Lanes(Parts, Target),
    /// An element of a list for each lane.
    Cells(Cells),
}

/// A statement on lanes within a segment.
struct Line<'p> {
    stmt: &'p Stmt,
    access: Option<Access>,
    memory: Option<Memory>,
    /// Whether it has two pieces (of four lanes) instead of four.
    narrow: bool,
    /// Whether all pieces are emitted at once.
    whole: bool,
    done: u8,
}

impl Line<'_> {
    fn pieces(&self) -> usize {
        match (self.whole, self.narrow) {
            (true, _) => 1,
            (_, true) => 2,
            (_, false) => 4,
        }
    }

    /// The chains that a piece covers, as bits.
    fn chains(&self, i: usize) -> u8 {
        match (self.whole, self.narrow) {
            (true, _) => 0b1111,
            (_, true) => 0b11 << (2 * i),
            (_, false) => 1 << i,
        }
    }

    fn finished(&self) -> bool {
        usize::from(self.done.count_ones() as u8) == self.pieces()
    }
}

impl<'p> Emitter<'_, 'p> {
    /// Statements of a block inside a vector loop.
    pub(super) fn lane_block(&mut self, block: &'p Block) {
        let mut rest = &block.stmts[..];
        while let Some(first) = rest.first() {
            if !is_straight(first) {
                self.release_before(first);
                self.comes_from(first);
                self.uniform_stmt(first);
                rest = &rest[1..];
                continue;
            }
            let run = rest
                .iter()
                .position(|s| !is_straight(s))
                .unwrap_or(rest.len());
            let limit = self.segment_length(&rest[..run]);
            let mut line = &rest[..run];
            while !line.is_empty() {
                let n = self.cut(line, limit);
                self.segment(&line[..n]);
                line = &line[n..];
            }
            rest = &rest[run..];
        }
    }

    /// Whether an index is the same in all lanes.
    fn is_uniform(&self, i: &Index) -> bool {
        i.stride == 0 && !i.base.into_iter().chain(i.each).any(|v| self.is_lanes(v))
    }

    /// Whether a statement works on lanes.
    fn on_lanes(&self, s: &Stmt) -> bool {
        match s {
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                self.kind(*buffer) == BufferKind::Local
                    || !self.is_uniform(index)
                    || self.is_lanes(*value)
            }
            Stmt::ListStore(to) => {
                self.s.plan.program.lists[to.list.0 as usize].lanes
                    || !self.is_uniform(&to.element)
                    || self.is_lanes(to.value)
            }
            _ => result(s).is_some_and(|v| self.is_lanes(v)),
        }
    }

    /// The length of the segments of a run. Long segments keep values in registers; but if a chain
    /// is slow (divisions, long dependences), the chains must be close to each other.
    fn segment_length(&self, run: &[Stmt]) -> usize {
        let mut n = 0u32;
        let longest = longest_path(run, |s, _| {
            self.on_lanes(s).then(|| {
                n += 1;
                cycles(s).narrow
            })
        });
        let n = n.max(1);
        let ways = (2 * longest).div_ceil(n);
        if ways * 3 * n <= 800 { LONGEST } else { FINE }
    }

    /// The number of statements that form a segment. Lanes are emitted chain by chain after all
    /// uniform statements, so a buffer that lanes write is accessed again only in the next segment
    /// (except by further rows), and a buffer that lanes read is not written by a uniform store.
    /// Each lane has its own copy of `Local` buffers and lists, and accesses it in order.
    fn cut(&self, line: &[Stmt], limit: usize) -> usize {
        #[derive(Clone, Copy, Default)]
        struct Seen {
            lanes: bool,
            row: bool,
            scatter: bool,
        }
        let mut seen: HashMap<BufferId, Seen> = HashMap::new();
        for (n, s) in line.iter().enumerate() {
            if n == limit {
                return n;
            }
            let (b, index, store) = match s {
                // A scattered store to a row ends its segment.
                Stmt::ListStore(to) if !self.is_uniform(&to.element) => return n + 1,
                Stmt::Load { buffer, index, .. } => (*buffer, index, false),
                Stmt::Store { buffer, index, .. } => (*buffer, index, true),
                _ => continue,
            };
            let local = self.kind(b) == BufferKind::Local;
            let lanes = self.on_lanes(s);
            let row = !local && lanes && store && self.is_row(index);
            let before = seen.entry(b).or_default();
            let clash = before.scatter
                || (before.row && !row && !local)
                || (store && !lanes && before.lanes);
            if clash {
                return n;
            }
            before.lanes |= lanes;
            if store && lanes {
                if row {
                    before.row = true;
                } else if !local || !self.is_uniform(index) {
                    before.scatter = true;
                }
            }
        }
        line.len()
    }

    /// Whether lanes access neighbouring elements.
    fn is_row(&self, i: &Index) -> bool {
        i.stride == 1 && !i.base.into_iter().chain(i.each).any(|v| self.is_lanes(v))
    }

    fn segment(&mut self, stmts: &'p [Stmt]) {
        self.release_for(stmts);
        let mut lines = Vec::new();
        for s in stmts {
            if self.on_lanes(s) {
                lines.push(s);
            } else {
                self.comes_from(s);
                self.uniform_stmt(s);
            }
        }
        if lines.is_empty() {
            return;
        }
        let mut rows: Vec<(Row, bool)> = Vec::new();
        let mut lines: Vec<Line<'p>> = lines.into_iter().map(|s| self.line(s, &mut rows)).collect();
        let mut late: Vec<Late> = Vec::new();
        for line in &mut lines {
            let Some(value) = stored(line.stmt) else {
                continue;
            };
            match line.access {
                Some(Access::Row(n)) => {
                    let row = rows[n].0;
                    let (base, off) = self.reach(row.at, 0);
                    let to = self.plus(base, i64::from(off));
                    late.push(Late::Row(row, to));
                }
                Some(Access::Lanes(..)) => {
                    if let Some(Access::Lanes(parts, target)) = line.access.take() {
                        late.push(Late::Scatter(value, parts, target));
                    }
                }
                _ => {}
            }
        }
        lines.retain(|l| l.access.is_some() || stored(l.stmt).is_none());

        // Whether all lanes are active, if that matters.
        let all = (!late.is_empty() || (self.mask.is_none() && !rows.is_empty()))
            .then(|| self.all_active())
            .flatten();
        self.redirect_rows(&mut rows, all);
        let abreast = self.abreast(&lines);
        let stmts = lines.iter().map(|l| l.stmt);
        self.near = Some(Near::new(stmts, &[], next_use::FOR_LANES, self.count()));
        self.chains(&mut lines, &rows, abreast);
        self.near = None;
        self.late(late, all);
    }

    /// Whether all lanes are active; `None` if that is certain.
    fn all_active(&mut self) -> Option<ir::Value> {
        if self.mask.is_some() {
            let bits = self.active_bits();
            let every = self.int((1 << LANES) - 1);
            return Some(self.b.ins().icmp(IntCC::Equal, bits, every));
        }
        let bounds = self.short()?;
        Some(self.held(bounds.full))
    }

    fn release_for(&mut self, stmts: &'p [Stmt]) {
        for (n, s) in stmts.iter().enumerate() {
            if let Some(out) = result(s) {
                let now = self.v.live.def[out.0 as usize].saturating_sub(3 * n as u32 + 3);
                self.s.layout(self.unit).release(now);
                return;
            }
        }
    }

    /// Determines how a statement accesses memory, and computes the uniform part of the address.
    fn line(&mut self, s: &'p Stmt, rows: &mut Vec<(Row, bool)>) -> Line<'p> {
        self.comes_from(s);
        let stores = stored(s).is_some();
        let value = stored(s)
            .or(result(s))
            .expect("a statement on lanes has a value");
        let bytes = self.dtype(value).bytes() == 1;
        let (memory, access) = match s {
            Stmt::Load { buffer, index, .. } => (
                Some(Memory::Buffer(*buffer)),
                Some(self.access(*buffer, index, true, rows)),
            ),
            Stmt::Store { buffer, index, .. } => (
                Some(Memory::Buffer(*buffer)),
                Some(self.access(*buffer, index, false, rows)),
            ),
            Stmt::ListStore(to) => {
                let access = if self.is_uniform(&to.element) {
                    Access::Own(self.list_store_address(to))
                } else {
                    let target = self.list_target(to.list, to.field, to.row);
                    Access::Lanes(self.parts(&to.element), target)
                };
                (Some(Memory::List(to.list)), Some(access))
            }
            Stmt::ListLoad { cell, .. } => {
                let here = !self.is_lanes(cell.rows.value());
                let access = if self.is_uniform(&cell.element) && here {
                    Access::Own(self.list_load_address(self.dtype(value), cell))
                } else {
                    Access::Cells(self.list_cells(cell))
                };
                (None, Some(access))
            }
            _ => (None, None),
        };
        Line {
            stmt: s,
            access,
            memory,
            narrow: self.is_narrow(value),
            whole: stores && bytes,
            done: 0,
        }
    }

    fn access(
        &mut self,
        b: BufferId,
        index: &Index,
        read: bool,
        rows: &mut Vec<(Row, bool)>,
    ) -> Access {
        let kind = self.kind(b);
        let local = kind == BufferKind::Local;
        let start = self.start_of(b);
        let parts = self.parts(index);
        let pitch = self.pitch(b);
        if parts.each.is_empty() && (local || parts.stride == 0) {
            let at = self.advance(start, parts.uniform, parts.offset, pitch);
            if local {
                return Access::Own(at);
            }
            if read {
                return Access::Same(at);
            }
        }
        if !parts.each.is_empty() || parts.stride != 1 {
            return Access::Lanes(parts, self.target(b));
        }
        let at = self.advance(start, parts.uniform, parts.offset, pitch);
        let bounded = self.mask.is_some() || self.short().is_some();
        let foreign = matches!(kind, BufferKind::Input(_) | BufferKind::Output(_));
        if !bounded || (read && !foreign) {
            // The buffer is padded on both sides.
            return Access::Own(at);
        }
        let first = match parts.uniform {
            Some(u) => self.plus(u, parts.offset),
            None => self.int(parts.offset),
        };
        let scratch = self.s.scratch(self.unit, rows.len());
        rows.push((
            Row {
                dtype: self.element(b),
                start,
                first,
                len: self.s.plan.program.buffers[b.0 as usize].len,
                at,
                scratch,
            },
            read,
        ));
        Access::Row(rows.len() - 1)
    }

    /// Redirects the rows that the block may not access as a whole.
    fn redirect_rows(&mut self, rows: &mut [(Row, bool)], all: Option<ir::Value>) {
        if rows.is_empty() {
            return;
        }
        if self.mask.is_none() {
            if let Some(full) = all {
                self.redirect(full, rows);
            }
            return;
        }
        let mut fits = None;
        for (row, _) in rows.iter().filter(|r| r.1) {
            let ok = self.in_bounds(row);
            fits = Some(match fits {
                None => ok,
                Some(f) => self.b.ins().band(f, ok),
            });
        }
        for (read, direct) in [(true, fits), (false, all)] {
            let Some(direct) = direct else { continue };
            let at: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].1 == read).collect();
            let mut part: Vec<(Row, bool)> = at.iter().map(|&i| rows[i]).collect();
            if part.is_empty() {
                continue;
            }
            self.redirect(direct, &mut part);
            for (&i, r) in at.iter().zip(part) {
                rows[i] = r;
            }
        }
    }

    /// The number of chains that are emitted side by side, operation by operation: two if many
    /// operations have a constant operand, as in polynomials, so that it is loaded once for both.
    fn abreast(&self, lines: &[Line<'p>]) -> usize {
        let with_constant = |l: &&Line<'p>| {
            let constant = |v: &Value| self.constant_of(*v).is_some();
            matches!(l.stmt, Stmt::Op { .. }) && walk::uses(l.stmt).iter().any(constant)
        };
        match lines.iter().filter(with_constant).count() * 3 > lines.len() {
            true => 2,
            false => 1,
        }
    }

    /// Emits the lines chain by chain, or some chains side by side: each pass emits, in order, all
    /// pieces of the chains so far whose operands are computed.
    fn chains(&mut self, lines: &mut [Line<'p>], rows: &[(Row, bool)], abreast: usize) {
        let of = |lines: &[Line<'p>], store: bool| -> SmallVec<[Memory; 8]> {
            let lines = lines.iter().filter(|l| stored(l.stmt).is_some() == store);
            lines.filter_map(|l| l.memory).collect()
        };
        let written = of(lines, true);
        let mut watched = of(lines, false);
        watched.retain(|r| written.iter().any(|&w| self.is_same(w, *r)));
        watched.extend(written);
        let mut pass = 0;
        loop {
            let mut waiting: SmallVec<[(Memory, u8); 8]> = SmallVec::new();
            let mut left = false;
            self.near.iter_mut().for_each(Near::clear);
            for (n, line) in lines.iter_mut().enumerate() {
                if line.finished() {
                    continue;
                }
                for i in 0..line.pieces() {
                    if line.done & (1 << i) != 0 {
                        continue;
                    }
                    let chains = line.chains(i);
                    let first = chains.trailing_zeros() as usize;
                    let blocked = line.memory.is_some_and(|m| {
                        let meets = |&(w, c): &(Memory, u8)| c & chains != 0 && self.is_same(w, m);
                        waiting.iter().any(meets)
                    });
                    if first < (pass + 1) * abreast && !blocked && self.operands_ready(line, chains)
                    {
                        self.near.iter_mut().for_each(|near| near.at(n));
                        self.emit_piece(line, i, rows);
                        line.done |= 1 << i;
                        continue;
                    }
                    left = true;
                    if let Some(m) = line.memory.filter(|m| watched.contains(m)) {
                        waiting.push((m, chains));
                    }
                }
            }
            if !left {
                return;
            }
            pass += 1;
            assert!(pass < 16, "a segment whose operands never come");
        }
    }

    /// Whether two may be the same memory, because a result may be written over an argument.
    fn is_same(&self, a: Memory, b: Memory) -> bool {
        let pairs = &self.s.plan.reuse.pairs;
        match (a, b) {
            _ if a == b => true,
            (Memory::Buffer(a), Memory::Buffer(b)) => {
                pairs.contains(&(a, b)) || pairs.contains(&(b, a))
            }
            _ => false,
        }
    }

    fn operands_ready(&self, line: &Line<'p>, chains: u8) -> bool {
        walk::uses(line.stmt).into_iter().all(|v| {
            let wanted = if self.is_narrow(v) {
                u8::from(chains & 0b11 != 0) | (u8::from(chains & 0b1100 != 0) << 1)
            } else {
                chains
            };
            self.is_ready(v, wanted)
        })
    }

    fn emit_piece(&mut self, line: &Line<'p>, i: usize, rows: &[(Row, bool)]) {
        self.comes_from(line.stmt);
        match line.stmt {
            Stmt::Op { out, op, args } => {
                let x = self.lane_op(*out, *op, args, i);
                self.define_piece(*out, i, x);
            }
            Stmt::Load { out, buffer, .. } => {
                let d = self.element(*buffer);
                let x = match line.access.as_ref().expect("a load has an address") {
                    Access::Own(at) => self.load_row(d, line.narrow, *at, i),
                    Access::Row(n) => self.load_row(d, line.narrow, rows[*n].0.at, i),
                    Access::Same(at) => {
                        let x = self.load_scalar(d, *at);
                        self.splat(d, x, line.narrow)
                    }
                    Access::Lanes(parts, target) => self.gather(parts, target, line.narrow, i),
                    Access::Cells(_) => panic!("a cell is of a list"),
                };
                self.define_piece(*out, i, x);
            }
            Stmt::ListLoad { out, .. } => {
                let d = self.dtype(*out);
                let x = match &line.access {
                    Some(Access::Own(at)) => self.load_row(d, line.narrow, *at, i),
                    Some(Access::Cells(cells)) => self.load_cells(d, cells, line.narrow, i),
                    _ => panic!("a list is read by rows or cells"),
                };
                self.define_piece(*out, i, x);
            }
            Stmt::Store { buffer, value, .. } => {
                let at = match line.access {
                    Some(Access::Own(at)) => at,
                    Some(Access::Row(n)) => rows[n].0.at,
                    _ => panic!("a scattered store comes late"),
                };
                let own = self.kind(*buffer) == BufferKind::Local;
                let some = own && (self.mask.is_some() || self.s.plan.gathers.contains(buffer));
                self.store_pieces(*value, at, i, some);
            }
            Stmt::ListStore(to) => {
                let Some(Access::Own(at)) = line.access else {
                    panic!("a list is written by rows");
                };
                self.store_pieces(to.value, at, i, self.mask.is_some());
            }
            other => panic!("{other:?} in a segment"),
        }
    }

    /// Stores piece `i` of a value (or all of it, if bytes) into a row.
    pub(super) fn store_pieces(&mut self, value: Value, at: Address, i: usize, active: bool) {
        let d = self.dtype(value);
        let p = self.stored_pieces(value, i);
        if active {
            self.store_row_active(d, at, i, &p);
        } else {
            self.store_row(d, at, i, &p);
        }
    }

    fn stored_pieces(&mut self, value: Value, i: usize) -> SmallVec<[ir::Value; 4]> {
        match self.dtype(value) {
            DType::U8 => (0..2).map(|i| self.piece(value, i)).collect(),
            DType::Bool => {
                let narrow = self.is_narrow(value);
                let n = if narrow { 2 } else { 4 };
                (0..n).map(|i| self.mask_piece(value, narrow, i)).collect()
            }
            _ => SmallVec::from_slice(&[self.piece(value, i)]),
        }
    }

    /// Piece `i` of elements that are not contiguous.
    fn gather(&mut self, parts: &Parts, t: &Target, narrow: bool, i: usize) -> ir::Value {
        let chains = if narrow { 2 * i..2 * i + 2 } else { i..i + 1 };
        let mut lanes: SmallVec<[ir::Value; 4]> = SmallVec::new();
        for c in chains {
            let n = self.lane_indices(parts, c);
            for l in 0..2 {
                let n = self.b.ins().extractlane(n, l as u8);
                let at = self.lane_address(t, n, 2 * c + l);
                lanes.push(self.load_scalar(t.dtype, at));
            }
        }
        self.build(t.dtype, narrow, &lanes)
    }
}
