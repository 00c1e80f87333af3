//! Loops and branches.

use std::collections::BTreeSet;

use wengert_loop::loops::{
    Block, BufferId, BufferKind, Carried, For, If, LoopKind, Stmt, While, walk,
};
use wengert_run::plan::lists::end_with_step;

use super::{Emitter, ty};
use crate::dialect::Dialect;

impl Emitter<'_> {
    /// Says which of the user's lines a loop comes from.
    fn note(&mut self, marks: &[u32]) {
        for text in (self.notes)(marks) {
            if text.starts_with('#') {
                self.out += &text;
                self.out.push('\n');
            } else {
                self.line(&format!("/* {text} */"));
            }
        }
    }

    pub(super) fn for_(&mut self, l: &For) {
        self.note(&l.marks.0);
        match l.kind {
            LoopKind::Vector => self.vector(l),
            _ => self.serial(l),
        }
    }

    fn serial(&mut self, l: &For) {
        let carried = self.carried(&l.carried);
        self.states(&carried);
        let n = self.v(l.extent);
        self.names.insert(l.index, format!("k{}", l.index.0));
        let i = self.name(l.index);
        let head = match l.kind {
            LoopKind::Serial { reverse: true } => {
                format!("for (i64 {i} = {n} > 0 ? {n} : 0; {i}-- > 0;)")
            }
            _ => format!("for (i64 {i} = 0; {i} < {n}; {i}++)"),
        };
        self.open(&head);
        let ends = self.dialect == Dialect::C
            && l.kind == LoopKind::Parallel
            && end_with_step(self.program, l);
        self.mark_lists(ends);
        self.params(&carried);
        self.block(&l.body);
        self.next(&carried, &l.body);
        self.free_lists(ends);
        self.close();
    }

    fn mark_lists(&mut self, ends: bool) {
        if ends {
            self.line("const i64 kept = lists.top;");
        }
    }

    fn free_lists(&mut self, ends: bool) {
        if ends {
            self.line("lists.top = kept;");
        }
    }

    pub(super) fn while_(&mut self, l: &While) {
        self.note(&l.marks.0);
        let carried = self.carried(&l.carried);
        self.states(&carried);
        let steps = format!("n{}", self.fresh);
        self.fresh += 1;
        if l.limit != u64::MAX {
            self.line(&format!("u64 {steps} = 0;"));
        }
        self.open("for (;;)");
        self.params(&carried);
        self.block(&l.cond);
        let goes_on = self.v(l.cond.results[0]);
        // A thread that has stopped leaves its loops, which might not end.
        let stopped = match self.dialect != Dialect::C && self.can_stop {
            true => " || stopped",
            false => "",
        };
        self.line(&format!("if (!{goes_on}{stopped}) break;"));
        if l.limit != u64::MAX {
            self.open(&format!("if ({steps}++ == UINT64_C({}))", l.limit));
            let status = self.unit.failure(&While::endless(l.limit, l.at));
            self.stop(status);
            self.close();
        }
        self.block(&l.body);
        self.next(&carried, &l.body);
        self.close();
    }

    pub(super) fn if_(&mut self, i: &If) {
        for &out in &i.outs {
            if self.is_live(out) {
                let (t, name) = (ty(self.dtype(out)), self.name(out));
                self.line(&format!("{t} {name};"));
            }
        }
        let pred = self.v(i.pred);
        self.open(&format!("if ({pred})"));
        self.block(&i.then);
        self.give(i, &i.then);
        self.depth -= 1;
        let wanted = i.outs.iter().any(|&o| self.is_live(o));
        if wanted || !i.otherwise.stmts.is_empty() {
            self.open("} else");
            self.block(&i.otherwise);
            self.give(i, &i.otherwise);
            self.depth -= 1;
        }
        self.line("}");
    }

    fn give(&mut self, i: &If, block: &Block) {
        for (&out, &r) in i.outs.iter().zip(&block.results) {
            if self.is_live(out) {
                let (name, r) = (self.name(out), self.v(r));
                self.line(&format!("{name} = {r};"));
            }
        }
    }

    /// The values that a loop carries for someone, by their numbers.
    pub(super) fn carried(&self, all: &[Carried]) -> Vec<(usize, Carried)> {
        let wanted = |c: &(usize, Carried)| self.is_live(c.1.param) || self.is_live(c.1.out);
        all.iter().copied().enumerate().filter(wanted).collect()
    }

    pub(super) fn states(&mut self, carried: &[(usize, Carried)]) {
        self.name_carried(carried);
        for (_, c) in carried {
            let (t, name, init) = (ty(self.dtype(c.out)), self.name(c.out), self.v(c.init));
            self.line(&format!("{t} {name} = {init};"));
        }
    }

    fn params(&mut self, carried: &[(usize, Carried)]) {
        for (_, c) in carried {
            if self.is_live(c.param) {
                let state = self.name(c.out);
                self.define(c.param, &state);
            }
        }
    }

    fn next(&mut self, carried: &[(usize, Carried)], body: &Block) {
        for &(i, c) in carried {
            let (name, r) = (self.name(c.out), self.v(body.results[i]));
            self.line(&format!("{name} = {r};"));
        }
    }

    fn vector(&mut self, l: &For) {
        let carried = self.carried(&l.carried);
        self.name_carried(&carried);
        for (_, c) in &carried {
            let (t, name, init) = (ty(self.dtype(c.out)), self.name(c.out), self.v(c.init));
            self.line(&format!("{t} {name}[8];"));
            self.line(&format!("for (int c = 0; c < 8; c++) {name}[c] = {init};"));
        }
        let n = self.v(l.extent);
        self.names.insert(l.index, format!("k{}", l.index.0));
        let i = self.name(l.index);
        let straight = l.body.stmts.iter().all(|s| self.is_simple(s));
        if straight && !carried.is_empty() {
            // Whole blocks, in which a compiler sees eight lanes side by side.
            let first = format!("m{}", self.fresh);
            self.fresh += 1;
            self.line(&format!("i64 {first} = 0;"));
            self.open(&format!("for (; {first} + 8 <= {n}; {first} += 8)"));
            self.independent();
            self.open("for (int c = 0; c < 8; c++)");
            self.line(&format!("const i64 {i} = {first} + c;"));
            self.lane(l, &carried, "c");
            self.close();
            self.close();
            self.open(&format!("for (int c = 0; {first} + c < {n}; c++)"));
            self.line(&format!("const i64 {i} = {first} + c;"));
            self.lane(l, &carried, "c");
            self.close();
            return;
        }
        if straight {
            self.independent();
        }
        self.open(&format!("for (i64 {i} = 0; {i} < {n}; {i}++)"));
        let mut lists = (false, false);
        walk::stmts(&l.body, &mut |s| {
            lists.0 |= matches!(s, Stmt::ListBegin { .. });
            lists.1 |= matches!(s, Stmt::ListHandle { .. });
        });
        let ends = self.dialect == Dialect::C && lists == (true, false);
        self.mark_lists(ends);
        self.lane(l, &carried, &format!("{i} & 7"));
        self.free_lists(ends);
        self.close();
    }

    /// Says that the steps of the loop that follows are independent.
    fn independent(&mut self) {
        if self.dialect == Dialect::C {
            self.line("W_INDEPENDENT");
        }
    }

    /// Whether a statement shares nothing with those of other lanes.
    fn is_simple(&self, s: &Stmt) -> bool {
        let scratch = |b: BufferId| {
            let kind = self.buffer(b).kind;
            kind == BufferKind::Local && !self.memory.is_own(b)
        };
        match s {
            Stmt::Const { .. } | Stmt::Op { .. } | Stmt::Call { .. } => true,
            Stmt::Load { buffer, .. } | Stmt::Store { buffer, .. } => !scratch(*buffer),
            _ => false,
        }
    }

    /// Writes a lane of a vector loop; its copy of what is carried is number `copy`.
    fn lane(&mut self, l: &For, carried: &[(usize, Carried)], copy: &str) {
        self.lane_on(l, carried, &format!("[{copy}]"));
    }

    /// Writes a lane of a vector loop; `copy` follows the name of what is carried.
    pub(super) fn lane_on(&mut self, l: &For, carried: &[(usize, Carried)], copy: &str) {
        self.lane = Some(l.index);
        let mut own = BTreeSet::new();
        walk::stmts(&l.body, &mut |s| own.extend(walk::buffers(s)));
        for b in own {
            if self.memory.is_own(b) && self.live.buffers[b.0 as usize] {
                let (buffer, name) = (self.buffer(b), self.memory.name(b));
                self.line(&format!(
                    "{} {name}[{}];",
                    ty(buffer.dtype),
                    buffer.len.max(1)
                ));
            }
        }
        for (_, c) in carried {
            if self.is_live(c.param) {
                let state = format!("{}{copy}", self.name(c.out));
                self.define(c.param, &state);
            }
        }
        self.block(&l.body);
        for &(i, c) in carried {
            let (name, r) = (self.name(c.out), self.v(l.body.results[i]));
            self.line(&format!("{name}{copy} = {r};"));
        }
        self.lane = None;
    }
}
