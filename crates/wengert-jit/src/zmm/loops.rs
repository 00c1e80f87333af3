//! Loops whose steps run one after the other.
//!
//! The carried values of a loop with a straight body stay in registers from step to step; those of
//! other loops are in rows of the frame, because the statements inside need the registers.

use std::collections::HashMap;

use wengert_loop::loops::{Block, Carried, Failure, For, LANES, LoopKind, Value, While};
use wengert_loop::types::DType;
use wengert_run::library::helpers;
use wengert_run::plan::is_straight;

use super::Writer;
use super::asm::{
    ALL, Cond, Form, Int, Machine, MaskOp, Mem, RAX, RBX, RCX, RDI, RSI, Src, Zmm, ops,
};
use super::regs::{Piece, WORK, WORK_TOO};
use crate::plan::Values;

/// Whether the carried values in lanes of a counted loop stay in registers from step to step.
pub(super) fn stays_in_registers(
    values: &Values,
    (machine, interleave): (Machine, usize),
    l: &For,
) -> bool {
    let lanes = |v: Value| values.types[v.0 as usize].lanes;
    let in_lanes = || l.carried.iter().filter(|c| lanes(c.param));
    let mask = |c: &Carried| values.types[c.param.0 as usize].dtype == DType::Bool;
    !lanes(l.extent)
        && in_lanes().count() * interleave <= machine.carried()
        && !in_lanes().any(mask)
        && l.body.stmts.iter().all(is_straight)
}

impl<'p> Writer<'_, 'p> {
    /// A counted loop. If each lane has its own extent, a lane is active while the step's number is
    /// below it.
    pub(super) fn counted_loop(&mut self, l: &'p For) {
        let (extent, carried, body) = (l.extent, &l.carried[..], &l.body);
        let reverse = l.kind == LoopKind::Serial { reverse: true };
        let start = self.at[0];
        let end = self.life.end(start);
        let parts = self.is_lanes(extent);
        let known = self.constant(extent).map(|n| n as i64);
        let in_lanes = self.in_lanes(carried);
        let straight = stays_in_registers(self.values, (self.machine(), self.interleave), l);
        // The initial values are live until all carried values have been placed.
        self.set_all_at(start - 1);
        self.save_all();
        self.carry_words(carried.iter().map(|c| (c.param, c.init)));
        if straight {
            self.begin_in_registers(&in_lanes, (start, end));
        } else {
            self.begin_in_rows(&in_lanes);
        }
        self.set_all_at(start);

        let steps = match parts {
            true => {
                let word = self.new_word();
                self.largest(extent, word);
                self.forget_all();
                Some(word)
            }
            false => None,
        };
        let count = self.word_for(l.index);
        let (head, exit) = (self.asm.label(), self.asm.label());
        if reverse || known.is_none_or(|n| n <= 0) {
            match steps {
                Some(word) => self.asm.load(RAX, self.frame(word)),
                None => {
                    self.load_word_of(RAX, extent);
                }
            }
            self.asm.int_by(Int::Compare, RAX, 0);
            self.asm.jump_if(Cond::LessOrEqual, exit);
        }
        if reverse {
            self.asm.int_by(Int::Sub, RAX, 1);
        } else {
            self.asm.constant(RAX, 0);
        }
        self.label(head);
        self.asm.store_word(count, RAX);
        let held = self.held();
        self.around.push((start, end));
        let outer = (self.active, self.parted);
        let word = parts.then(|| self.lanes_with_step(extent, count));
        if let Some(word) = word {
            (self.active, self.parted) = (Some(word), true);
        }
        let wanted = match straight {
            true => {
                let wanted = self.wishes(&in_lanes, body, carried, &held);
                Some(self.want(wanted))
            }
            false => None,
        };
        self.statements(body);
        self.set_all_at(end - 1);
        if let Some(before) = wanted {
            self.want(before);
            self.end_in_registers(carried, body, &held);
        } else {
            self.end_in_rows(carried, &body.results, word);
        }
        (self.active, self.parted) = outer;
        self.around.pop();
        self.set_all_at(end);

        self.asm.load(RAX, count);
        if reverse {
            self.asm.int_by(Int::Sub, RAX, 1);
            self.asm.jump_if(Cond::NotLess, head);
        } else {
            self.asm.int_by(Int::Add, RAX, 1);
            match (steps, known.and_then(|n| i32::try_from(n).ok())) {
                (Some(word), _) => self.asm.int_with(Int::Compare, RAX, self.frame(word)),
                (None, Some(n)) => self.asm.int_by(Int::Compare, RAX, n),
                (None, None) => {
                    let n = self.load_word_of(RCX, extent);
                    self.asm.int(Int::Compare, RAX, n);
                }
            }
            self.asm.jump_if(Cond::Less, head);
        }
        self.label(exit);
        self.leave_loop(carried);
        for word in steps.into_iter().chain(word) {
            self.free_words.push(word);
        }
    }

    /// Runs steps while a condition holds for some lane. Finished lanes keep their values.
    pub(super) fn while_loop(&mut self, l: &'p While) {
        let (carried, cond, body) = (&l.carried[..], &l.cond, &l.body);
        let start = self.at[0];
        let end = self.life.end(start);
        let parts = self.is_lanes(cond.results[0]);
        let in_lanes = self.in_lanes(carried);
        self.set_all_at(start - 1);
        self.save_all();
        self.carry_words(carried.iter().map(|c| (c.param, c.init)));
        self.begin_in_rows(&in_lanes);
        self.set_all_at(start);
        let outer = (self.active, self.parted);
        let live = self.new_word();
        if parts {
            match self.active {
                Some(word) => self.asm.load(RAX, self.frame(word)),
                None => self.asm.constant(RAX, -1),
            }
            self.asm.store_word(self.frame(live), RAX);
            (self.active, self.parted) = (Some(live), true);
        }
        let steps = self.new_word();
        self.asm.constant(RAX, 0);
        self.asm.store_word(self.frame(steps), RAX);
        let (head, exit) = (self.asm.label(), self.asm.label());
        self.label(head);
        self.around.push((start, end));
        self.statements(cond);
        if parts {
            let m = self.active_mask_of(cond.results[0]);
            self.asm.mask_store(self.frame(live), m);
            self.asm.mask_test(m);
        } else {
            self.load_word_of(RAX, cond.results[0]);
            self.asm.int_by(Int::Compare, RAX, 0);
        }
        self.set_all_at(self.at[0] + 1);
        self.done();
        self.asm.jump_if(Cond::Equal, exit);
        let here = self.registers();
        self.limit_steps(steps, l);
        self.statements(body);
        self.set_all_at(end - 1);
        self.end_in_rows(carried, &body.results, parts.then_some(live));
        self.asm.jump(head);

        self.label(exit);
        (self.active, self.parted) = outer;
        self.restore(here);
        self.around.pop();
        self.set_all_at(end);
        self.leave_loop(carried);
        self.free_words.extend([live, steps]);
    }

    fn in_lanes(&self, carried: &[Carried]) -> Vec<Carried> {
        let all = carried.iter().copied();
        all.filter(|c| self.is_lanes(c.param)).collect()
    }

    /// Leaves with an error if the loop would exceed its limit of steps.
    fn limit_steps(&mut self, steps: i32, l: &While) {
        if l.limit == u64::MAX {
            return;
        }
        let go = self.asm.label();
        let most = i64::try_from(l.limit).unwrap_or(i64::MAX);
        self.asm.constant(RCX, most);
        self.asm.load(RAX, self.frame(steps));
        self.asm.int(Int::Compare, RAX, RCX);
        self.asm.jump_if(Cond::Below, go);
        self.give_up(While::endless(l.limit, l.at));
        self.label(go);
        self.asm.int_by(Int::Add, RAX, 1);
        self.asm.store_word(self.frame(steps), RAX);
    }

    /// Leaves with the error of a failure.
    pub(super) fn give_up(&mut self, failure: Failure) {
        let failure = (self.keep)(Box::new(failure));
        self.asm.copy(RDI, RBX);
        self.asm.constant(RSI, failure);
        self.asm.constant(RAX, helpers::fail as *const () as i64);
        self.asm.clear_upper();
        self.asm.call(RAX);
        self.asm.jump(self.leave);
    }

    /// Moves uniform values to the words of others, in parallel.
    fn carry_words(&mut self, moves: impl Iterator<Item = (Value, Value)>) {
        let moves: Vec<(Value, Value)> = moves.filter(|&(to, _)| !self.is_lanes(to)).collect();
        let targets: Vec<Value> = moves.iter().map(|m| m.0).collect();
        let mut copies = HashMap::new();
        for &(to, from) in &moves {
            if from != to && targets.contains(&from) && !copies.contains_key(&from) {
                let word = self.new_word();
                self.load_word_of(RAX, from);
                self.asm.store_word(self.frame(word), RAX);
                copies.insert(from, word);
            }
        }
        for (to, from) in moves {
            if from == to {
                continue;
            }
            match copies.get(&from) {
                Some(&word) => self.asm.load(RAX, self.frame(word)),
                None => {
                    self.load_word_of(RAX, from);
                }
            }
            let word = self.word_for(to);
            self.asm.store_word(word, RAX);
        }
        self.free_words.extend(copies.into_values());
    }

    /// Stores the initial values to the rows of the carried values, and empties the registers.
    fn begin_in_rows(&mut self, carried: &[Carried]) {
        for c in carried {
            for block in 0..self.interleave {
                self.block = block;
                self.assign((c.param, block as u8), c.init, None);
                self.done();
            }
        }
        self.block = 0;
        self.forget_all();
        self.sweep();
        self.done();
    }

    /// Stores the results of a step to the rows of the carried values, in the lanes of a mask if
    /// one is given.
    pub(super) fn end_in_rows(
        &mut self,
        carried: &[Carried],
        results: &[Value],
        mask: Option<i32>,
    ) {
        self.rows_at_end(carried, results, mask);
        self.forget_all();
        self.carry_words(carried.iter().zip(results).map(|(c, &r)| (c.param, r)));
    }

    /// Stores the results of a block to the rows of the values that a vector loop carries.
    pub(super) fn carry_in_rows(&mut self, carried: &[Carried], results: &[Value]) {
        self.rows_at_end(carried, results, self.active);
        self.forget_all();
        self.pointers.clear();
    }

    fn rows_at_end(&mut self, carried: &[Carried], results: &[Value], mask: Option<i32>) {
        let moves: Vec<(Value, Value)> = (carried.iter().zip(results))
            .map(|(c, &r)| (c.param, r))
            .filter(|&(to, from)| self.is_lanes(to) && from != to)
            .collect();
        let targets: Vec<Value> = moves.iter().map(|m| m.0).collect();
        for block in 0..self.interleave {
            self.block = block;
            // Values that are about to be overwritten are set aside first.
            let mut aside: HashMap<Value, i32> = HashMap::new();
            for &(_, from) in &moves {
                if targets.contains(&from) && !aside.contains_key(&from) {
                    aside.insert(from, self.set_aside(from));
                }
            }
            for &(to, from) in &moves {
                if let Some(&kept) = aside.get(&from) {
                    self.take_back(from, kept);
                }
                self.assign((to, block as u8), from, mask);
                self.done();
                if aside.contains_key(&from) {
                    self.forget((from, block as u8));
                }
            }
            for (v, kept) in aside {
                match self.is_mask(v) {
                    true => self.free_words.push(kept),
                    false => self.free_rows.push(kept),
                }
            }
        }
        self.block = 0;
    }

    /// Loads the initial values to registers, and keeps the outer values that the loop uses; all
    /// other registers are freed.
    fn begin_in_registers(&mut self, carried: &[Carried], within: (u32, u32)) {
        let mut taken: Vec<u8> = Vec::new();
        for c in carried {
            let once = carried.iter().filter(|d| d.init == c.init).count() == 1;
            for block in 0..self.interleave {
                self.block = block;
                let to = (c.param, block as u8);
                if once && self.is_lanes(c.init) && self.is_last_in_register(c.init, within.0) {
                    self.take_over((c.init, block as u8), to);
                } else {
                    let x = self.take(None);
                    let load = if self.is_lanes(c.init) {
                        ops::LOAD
                    } else {
                        ops::SPREAD
                    };
                    let from = self.source_of(c.init);
                    let load = load.of(self.form(c.init));
                    self.asm.two(load, x, from, ALL);
                    self.put(to, x.0);
                }
                taken.extend(self.register_of(to));
                self.done();
                self.hold_registers(&taken);
            }
        }
        self.block = 0;
        self.done();
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        self.forget_but(|w, (v, _)| {
            params.contains(&v)
                || (w.life.defined(v) < within.0 && w.life.first_within(v, within).is_some())
        });
        self.set_all_at(within.0);
        self.sweep_but(&params);
        // One register stays free for moves.
        let held = self.held();
        let outside = held.iter().filter(|((v, _), _)| !params.contains(v));
        for &(p, _) in outside.skip(self.machine().held() - taken.len()) {
            self.forget(p);
        }
        self.done();
    }

    /// The preferred registers of the results of a body.
    pub(super) fn wishes(
        &self,
        in_lanes: &[Carried],
        body: &Block,
        carried: &[Carried],
        held: &[(Piece, u8)],
    ) -> HashMap<Piece, u8> {
        let mut wishes = HashMap::new();
        for (c, &r) in carried.iter().zip(&body.results) {
            if !in_lanes.iter().any(|l| l.param == c.param) || !self.is_lanes(r) {
                continue;
            }
            for &((v, block), reg) in held {
                if v == c.param {
                    wishes.entry((r, block)).or_insert(reg);
                }
            }
        }
        wishes
    }

    /// Restores the registers of the start of the step: the carried values get the results, and the
    /// outer values are reloaded if necessary.
    pub(super) fn end_in_registers(
        &mut self,
        carried: &[Carried],
        body: &Block,
        held: &[(Piece, u8)],
    ) {
        let results: HashMap<Value, Value> = (carried.iter().zip(&body.results))
            .filter(|(c, _)| self.is_lanes(c.param))
            .map(|(c, &r)| (c.param, r))
            .collect();
        // The new contents of each register.
        let mut moves: Vec<(u8, u8)> = Vec::new();
        let mut loads: Vec<(u8, Form, Src)> = Vec::new();
        for &((v, block), to) in held {
            self.block = usize::from(block);
            let from = results.get(&v).copied().unwrap_or(v);
            if !self.is_lanes(from) {
                loads.push((to, self.form(from), Src::Each(self.word_of(from))));
                continue;
            }
            match self.register_of((from, block)) {
                Some(r) if r == to => {}
                Some(r) => moves.push((to, r)),
                None => {
                    let row = self.row_with((from, block));
                    loads.push((to, self.form(from), Src::Row(row)));
                }
            }
        }
        self.block = 0;
        self.move_all(moves, held);
        for (to, form, from) in loads {
            let load = match from {
                Src::Each(_) => ops::SPREAD,
                _ => ops::LOAD,
            };
            self.asm.two(load.of(form), Zmm(to), from, ALL);
        }
        self.forget_all();
        for &(p, r) in held {
            if results.contains_key(&p.0) {
                self.put(p, r);
            } else {
                self.put_saved(p, r);
            }
        }
        self.carry_words(
            carried
                .iter()
                .zip(&body.results)
                .map(|(c, &r)| (c.param, r)),
        );
    }

    /// Moves registers in parallel: a move goes first if no other reads its target; in a cycle, one
    /// value is set aside.
    fn move_all(&mut self, mut moves: Vec<(u8, u8)>, held: &[(Piece, u8)]) {
        while !moves.is_empty() {
            let ready = moves
                .iter()
                .position(|&(to, _)| !moves.iter().any(|&(_, from)| from == to));
            if let Some(n) = ready {
                let (to, from) = moves.swap_remove(n);
                self.asm.two(ops::LOAD, Zmm(to), Src::Reg(Zmm(from)), ALL);
                continue;
            }
            let busy = |r: u8| {
                held.iter().any(|&(_, to)| to == r)
                    || moves.iter().any(|&(to, from)| to == r || from == r)
            };
            let aside = (0..self.machine().registers())
                .find(|&r| !busy(r))
                .expect("a loop does not hold all registers");
            let from = moves[0].1;
            self.asm
                .two(ops::LOAD, Zmm(aside), Src::Reg(Zmm(from)), ALL);
            for m in &mut moves {
                if m.1 == from {
                    m.1 = aside;
                }
            }
        }
    }

    /// Renames the carried values to the results of the loop.
    fn leave_loop(&mut self, carried: &[Carried]) {
        for c in carried {
            if self.is_lanes(c.param) {
                for block in 0..self.interleave as u8 {
                    self.rename((c.param, block), (c.out, block));
                }
            } else if let Some(word) = self.words.remove(&c.param) {
                self.words.insert(c.out, word);
            }
        }
        self.sweep();
        self.done();
    }

    /// The largest extent of the active lanes.
    fn largest(&mut self, extent: Value, word: i32) {
        let x = self.in_register(extent);
        let row = self.new_row();
        let to = self.frame(row);
        match self.active {
            None => self.asm.store(to, x, ALL),
            Some(active) => {
                let y = self.take(None);
                self.asm.mask_load(WORK, self.frame(active));
                self.asm.zeroing(ops::LOAD, y, Src::Reg(x), WORK);
                self.asm.store(to, y, ALL);
            }
        }
        self.asm.constant(RAX, 0);
        for l in 0..LANES as i32 {
            self.asm.load(RCX, self.frame(row + 8 * l));
            self.asm.int(Int::Compare, RCX, RAX);
            self.asm.move_if(Cond::Greater, RAX, RCX);
        }
        self.asm.store_word(self.frame(word), RAX);
        self.free_rows.push(row);
        self.done();
    }

    /// The lanes that are active in a step.
    fn lanes_with_step(&mut self, extent: Value, count: Mem) -> i32 {
        const LESS: u8 = 1;
        let word = self.new_word();
        let i = self.take(None);
        self.asm.two(ops::SPREAD, i, Src::Each(count), ALL);
        let n = self.source_of(extent);
        self.asm.compare(ops::COMPARE_INT, WORK, i, n, LESS);
        if let Some(active) = self.active {
            self.asm.mask_load(WORK_TOO, self.frame(active));
            self.asm.mask_op(MaskOp::And, WORK, WORK, WORK_TOO);
        }
        self.asm.mask_store(self.frame(word), WORK);
        self.done();
        word
    }
}
