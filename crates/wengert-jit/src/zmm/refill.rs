//! Loops of unequal lanes: when a lane has finished, it takes the next element.
//!
//! A vector loop around a `while`, with lines, branches and loops of a known number of steps before and after it,
//! would run a block of lanes until all of them have finished, as long as the one with the most steps. Here the lanes
//! of a block have elements of any numbers instead. If the condition fails for a lane, its carried values are set
//! aside. When enough lane-steps have been idle, what comes after the loop runs for the finished lanes, they get the
//! next elements, and what comes before the loop runs for these. Each element takes the operations that it takes
//! anyway, in their order.
//!
//! If the condition and the body are straight lines, the carried values are in registers, and those of
//! finished lanes go on changing, because what counts has been set aside: so a step does not wait for the
//! condition of the step before.

use std::collections::HashMap;

use wengert_loop::loops::{For, LANES, Stmt, Value, While, walk};

use super::Writer;
use super::asm::{ALL, Cond, Int, Label, Machine, MaskOp, RAX, RCX, RDX, Src, Zmm, ops};
use super::liveness::Pos;
use super::ops::INT;
use super::refilled::Refilled;
use super::regs::{WORK, WORK_TOO};

/// A limit of steps from which none is reached.
const ENDLESS: u64 = 1 << 62;

/// Words of the frame that say how far the lanes are; the first four have a byte for each block.
struct Words {
    /// Lanes whose loop goes on.
    live: i32,
    /// Lanes that have just got an element.
    fresh: i32,
    /// Lanes that have finished, and whose results are not yet written.
    done: i32,
    /// The number of the next element.
    next: i32,
    /// The number of steps so far.
    count: i32,
    /// The number of steps at which lanes are looked at; 0 if it has to be found.
    stop: i32,
    /// The number of steps at which lanes are refilled.
    refill: i32,
    /// The least number of steps at which a live lane may have begun.
    oldest: i32,
}

/// A value that lanes keep from when they are filled on, and its row for each block, or its word.
struct Kept {
    value: Value,
    places: Vec<i32>,
}

/// The frame of a loop whose lanes are refilled.
struct Refill<'p> {
    extent: Value,
    /// The position of the loop.
    at: Pos,
    parts: Refilled<'p>,
    words: Words,
    /// For each block, the row of the numbers of its elements.
    elements: Vec<i32>,
    /// For each block, the row of the number of steps at which each lane began.
    begun: Vec<i32>,
    /// What the statements before the loop compute for the loop and those after it.
    kept: Vec<Kept>,
    /// The carried values, and their last values.
    params: Vec<Kept>,
    outs: Vec<Kept>,
    /// Rows for work.
    aside: i32,
    work: i32,
}

impl<'p> Writer<'_, 'p> {
    /// Writes a vector loop whose lanes are refilled.
    pub(super) fn refilled_loop(&mut self, l: &'p For, parts: Refilled<'p>) {
        let r = self.refill_frame(l, parts);
        self.elements = r.elements.clone();
        let (refill, start, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.load_word_of(RAX, l.extent);
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::LessOrEqual, end);
        let w = &r.words;
        self.asm.constant(RAX, 0);
        for word in [w.live, w.done, w.next, w.count, w.oldest] {
            self.asm.store_word(self.frame(word), RAX);
        }
        self.label(refill);
        self.next_elements(&r);
        self.asm.load(RAX, self.frame(w.fresh));
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::Equal, start);
        self.set_all_at(0);
        if self.life.after(l.index, 0).is_some() {
            self.element_numbers(l.index);
        }
        self.line_of_lanes(parts.before, w.fresh);
        self.begin_lanes(&r);
        self.label(start);
        self.asm.load(RAX, self.frame(w.live));
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::Equal, end);
        self.take_places(&r);
        self.steps_of_lanes(&r);
        self.line_of_lanes(parts.after, w.done);
        self.forget_all();
        self.asm.constant(RAX, 0);
        self.asm.store_word(self.frame(w.done), RAX);
        self.asm.jump(refill);
        self.label(end);
    }

    fn refill_frame(&mut self, l: &'p For, parts: Refilled<'p>) -> Refill<'p> {
        let blocks = 0..self.interleave;
        let end = |at: Pos, _: &Stmt| self.life.end(at + 1);
        let at = parts.before.iter().fold(0, end) + 1;
        let made = parts.before.iter().flat_map(walk::outs);
        let wanted = |v: &Value| {
            self.is_lanes(*v) && !self.life.is_folded(*v) && self.life.after(*v, at).is_some()
        };
        let made: Vec<Value> = made.filter(wanted).collect();
        let index = wanted(&l.index);
        let keep = |w: &mut Self, value: Value| Kept {
            value,
            places: (blocks.clone())
                .map(|_| match w.is_mask(value) {
                    true => w.new_word(),
                    false => w.new_row(),
                })
                .collect(),
        };
        let mut kept: Vec<Kept> = made.into_iter().map(|v| keep(self, v)).collect();
        let carried = &parts.looped.carried;
        let params = carried.iter().map(|c| keep(self, c.param)).collect();
        let outs = carried.iter().map(|c| keep(self, c.out)).collect();
        let elements: Vec<i32> = blocks.clone().map(|_| self.new_row()).collect();
        if index {
            kept.push(Kept {
                value: l.index,
                places: elements.clone(),
            });
        }
        let r = Refill {
            extent: l.extent,
            at,
            parts,
            words: Words {
                live: self.new_word(),
                fresh: self.new_word(),
                done: self.new_word(),
                next: self.new_word(),
                count: self.new_word(),
                stop: self.new_word(),
                refill: self.new_word(),
                oldest: self.new_word(),
            },
            elements,
            begun: blocks.map(|_| self.new_row()).collect(),
            kept,
            params,
            outs,
            aside: self.new_row(),
            work: self.new_row(),
        };
        let all = r.kept.iter().chain(&r.params).chain(&r.outs);
        self.reserved.extend(all.flat_map(|k| &k.places));
        r
    }

    /// Gives the lanes that are not live the next elements.
    fn next_elements(&mut self, r: &Refill<'p>) {
        let w = &r.words;
        let extent = self.word_of(r.extent);
        self.asm.constant(RAX, 0);
        self.asm.store_word(self.frame(w.fresh), RAX);
        self.asm.store_word(self.frame(w.stop), RAX);
        let next = self.frame(w.next);
        let numbers = self.numbers(1, 0);
        for b in 0..self.interleave {
            let skip = self.asm.label();
            let live = self.frame(w.live + b as i32);
            let [elements, begun] = [r.elements[b], r.begun[b]].map(|off| self.frame(off));
            let count = self.frame(w.count);
            let fresh = self.frame(w.fresh + b as i32);
            let (x, y) = (self.take(None), self.take(None));
            let asm = &mut self.asm;
            asm.load(RAX, next);
            asm.int_with(Int::Compare, RAX, extent);
            asm.jump_if(Cond::NotLess, skip);
            asm.mask_load(WORK, live);
            asm.mask_not(WORK, WORK);
            asm.ranks(x, numbers, y, WORK);
            asm.spread(y, RAX);
            asm.three(ops::ADD_INT, x, x, Src::Reg(y), ALL);
            asm.store(elements, x, WORK);
            asm.two(ops::SPREAD, y, Src::Each(count), ALL);
            asm.store(begun, y, WORK);
            asm.mask_to(RCX, WORK);
            asm.count_bits(RCX, RCX);
            asm.int(Int::Add, RAX, RCX);
            asm.store_word(next, RAX);
            asm.compare(ops::COMPARE_INT, WORK_TOO, x, Src::Each(extent), INT[2]);
            asm.mask_op(MaskOp::And, WORK_TOO, WORK_TOO, WORK);
            asm.mask_store(fresh, WORK_TOO);
            asm.mask_load(WORK, live);
            asm.mask_op(MaskOp::Or, WORK, WORK, WORK_TOO);
            asm.mask_store(live, WORK);
            asm.place(skip);
            self.done();
        }
    }

    /// The numbers of the elements as a value.
    fn element_numbers(&mut self, index: Value) {
        for block in 0..self.interleave {
            self.block = block;
            let x = self.take(None);
            let row = self.frame(self.elements[block]);
            self.asm.two(ops::LOAD, x, Src::Row(row), ALL);
            self.define(index, x);
            self.done();
        }
        self.block = 0;
    }

    /// Statements for the lanes of a word.
    fn line_of_lanes(&mut self, stmts: &'p [Stmt], word: i32) {
        let outer = (self.active, self.parted);
        (self.active, self.parted) = (Some(word), true);
        self.sequence(stmts);
        (self.active, self.parted) = outer;
    }

    /// Stores what fresh lanes begin with to the rows of all lanes.
    fn begin_lanes(&mut self, r: &Refill<'p>) {
        let fresh = Some(r.words.fresh);
        let inits = r.parts.looped.carried.iter().map(|c| c.init);
        let own = |k: &&Kept| k.places != r.elements;
        let kept = r.kept.iter().filter(own).map(|k| (k, k.value));
        for (k, from) in kept.chain(r.params.iter().zip(inits)) {
            for (block, &place) in k.places.iter().enumerate() {
                self.block = block;
                self.merge(self.frame(place), from, fresh);
                self.done();
            }
        }
        self.block = 0;
        self.forget_all();
    }

    /// Makes the rows of lanes those of the values that they hold.
    fn take_places(&mut self, r: &Refill<'p>) {
        for k in r.kept.iter().chain(&r.params).chain(&r.outs) {
            for (block, &place) in k.places.iter().enumerate() {
                let before = self.rows.insert((k.value, block as u8), place);
                if let Some(row) = before {
                    self.free(self.is_mask(k.value), row);
                }
            }
        }
    }

    /// The loop itself, until lanes are to be refilled.
    fn steps_of_lanes(&mut self, r: &Refill<'p>) {
        let (w, words) = (r.parts.looped, &r.words);
        let (carried, body) = (&w.carried[..], &w.body);
        let start = r.at;
        let end = self.life.end(start);
        self.set_all_at(start);
        self.around.push((start, end));
        if r.parts.in_registers {
            self.begin_registers(r, (start, end));
        }
        let (head, go, stopped, leave) = (
            self.asm.label(),
            self.asm.label(),
            self.asm.label(),
            self.asm.label(),
        );
        self.label(head);
        let held = self.held();
        let outer = (self.active, self.parted);
        (self.active, self.parted) = (Some(words.live), true);
        if r.parts.in_registers {
            let wanted = self.wishes(carried, body, carried, &held);
            self.want(wanted);
        }
        self.statements(&w.cond);
        for block in 0..self.interleave {
            self.block = block;
            self.finished_lanes(r, end);
            self.done();
        }
        self.block = 0;
        self.set_all_at(self.at[0] + 1);
        let count = self.frame(words.count);
        self.asm.load(RAX, count);
        self.asm.int_with(Int::Compare, RAX, self.frame(words.stop));
        self.asm.jump_if(Cond::NotLess, stopped);
        self.asm.place(go);
        self.asm.int_by(Int::Add, RAX, 1);
        self.asm.store_word(count, RAX);
        let here = self.registers();
        self.statements(body);
        self.set_all_at(end - 1);
        self.want(HashMap::new());
        match r.parts.in_registers {
            true => self.end_in_registers(carried, body, &held),
            false => self.end_in_rows(carried, &body.results, Some(words.live)),
        }
        self.asm.jump(head);

        self.asm.place(stopped);
        self.stopped(r, go, leave);
        self.label(leave);
        (self.active, self.parted) = outer;
        self.restore(here);
        self.want(HashMap::new());
        for k in &r.params {
            for (block, &place) in k.places.iter().enumerate() {
                if let Some(reg) = self.register_of((k.value, block as u8)) {
                    let row = self.frame(place);
                    self.asm.store_as(self.form(k.value), row, Zmm(reg), ALL);
                }
            }
        }
        self.done();
        self.forget_all();
        self.around.pop();
        self.set_all_at(end);
        self.take_places(r);
    }

    /// Loads the carried values to registers, and what else each step uses as long as there is room.
    fn begin_registers(&mut self, r: &Refill<'p>, within: (Pos, Pos)) {
        let used = |k: &&Kept| self.life.first_within(k.value, within).is_some();
        let kept: Vec<&Kept> = r.kept.iter().filter(used).collect();
        let mut taken = vec![];
        for (k, own) in
            (r.params.iter().map(|k| (k, true))).chain(kept.into_iter().map(|k| (k, false)))
        {
            if self.is_mask(k.value)
                || (!own && taken.len() + self.interleave > self.machine().held())
            {
                continue;
            }
            for (block, &place) in k.places.iter().enumerate() {
                let x = self.take(None);
                let row = self.frame(place);
                let load = ops::LOAD.of(self.form(k.value));
                self.asm.two(load, x, Src::Row(row), ALL);
                match own {
                    true => self.put((k.value, block as u8), x.0),
                    false => self.put_saved((k.value, block as u8), x.0),
                }
                taken.push(x.0);
                self.done();
                self.hold_registers(&taken);
            }
        }
        self.done();
    }

    /// Sets the carried values of the lanes aside for which the condition does not hold any more.
    fn finished_lanes(&mut self, r: &Refill<'p>, end: Pos) {
        let (w, block) = (&r.words, self.block);
        let live = self.frame(w.live + block as i32);
        let done = self.frame(w.done + block as i32);
        let m = self.mask_of(r.parts.looped.cond.results[0]);
        let none = self.asm.label();
        if self.machine() == Machine::Avx2 {
            // In bits, of which there are fewer than masks have.
            self.asm.mask_to(RCX, m);
            self.asm.invert(RCX);
            self.asm.load_byte(RAX, live);
            self.asm.int(Int::And, RAX, RCX);
            self.asm.jump_if(Cond::Equal, none);
        }
        self.asm.mask_load(WORK, live);
        self.asm.mask_op(MaskOp::AndNot, WORK_TOO, m, WORK);
        if self.machine() == Machine::Avx512 {
            self.asm.mask_test(WORK_TOO);
            self.asm.jump_if(Cond::Equal, none);
        }
        let wanted = (r.params.iter().zip(&r.outs))
            .filter(|(_, out)| self.life.after(out.value, end).is_some());
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            wanted.partition(|(k, _)| self.register_of((k.value, block as u8)).is_some());
        for (k, out) in here {
            let reg = self.register_of((k.value, block as u8));
            let row = self.frame(out.places[block]);
            let reg = Zmm(reg.expect("it is there"));
            let form = self.form(k.value);
            self.asm.store_as(form, row, reg, WORK_TOO);
        }
        let (aside, last) = (self.frame(r.aside), self.machine().last());
        if !elsewhere.is_empty() {
            self.asm.store(aside, last, ALL);
        }
        for (k, out) in &elsewhere {
            let [from, to] = [k, out].map(|k| self.frame(k.places[block]));
            let form = self.form(k.value);
            self.asm.two(ops::LOAD.of(form), last, Src::Row(from), ALL);
            self.asm.store_as(form, to, last, WORK_TOO);
        }
        if !elsewhere.is_empty() {
            self.asm.two(ops::LOAD, last, Src::Row(aside), ALL);
        }
        self.asm.mask_op(MaskOp::And, WORK, WORK, m);
        self.asm.mask_store(live, WORK);
        self.asm.mask_load(WORK, done);
        self.asm.mask_op(MaskOp::Or, WORK, WORK, WORK_TOO);
        self.asm.mask_store(done, WORK);
        self.asm.constant(RAX, 0);
        self.asm.store_word(self.frame(w.stop), RAX);
        self.asm.place(none);
    }

    /// Decides how the loop goes on after lanes have finished, or at the step that was decided on then. Keeps all
    /// vector registers.
    fn stopped(&mut self, r: &Refill<'p>, go: Label, leave: Label) {
        let w = &r.words;
        let [live, next, count, stop, refill, oldest] =
            [w.live, w.next, w.count, w.stop, w.refill, w.oldest].map(|off| self.frame(off));
        let extent = self.word_of(r.extent);
        self.asm.load(RAX, live);
        self.asm.int_by(Int::Compare, RAX, 0);
        self.asm.jump_if(Cond::Equal, leave);
        let limit = r.parts.looped.limit;
        let limited = limit < ENDLESS;
        if limited {
            self.check_oldest(r, limit as i64);
        }
        let idle = r.parts.idle;
        let (set, finished) = (self.asm.label(), self.asm.label());
        let asm = &mut self.asm;
        asm.constant(RCX, i64::MAX);
        asm.load(RAX, next);
        asm.int_with(Int::Compare, RAX, extent);
        asm.jump_if(Cond::NotLess, set);
        asm.load(RAX, stop);
        asm.int_by(Int::Compare, RAX, 0);
        asm.jump_if(Cond::Equal, finished);
        asm.load(RCX, refill);
        asm.int_with(Int::Compare, RCX, count);
        asm.jump_if(Cond::LessOrEqual, leave);
        asm.jump(set);
        asm.place(finished);
        asm.load(RAX, live);
        asm.count_bits(RDX, RAX);
        asm.constant(RCX, (LANES * self.interleave) as i64);
        asm.int(Int::Sub, RCX, RDX);
        let all = asm.label();
        asm.constant(RAX, i64::MAX);
        asm.int_by(Int::Compare, RCX, 0);
        asm.jump_if(Cond::Equal, all);
        asm.constant(RAX, idle);
        asm.divide(true, RCX);
        asm.int_with(Int::Add, RAX, count);
        asm.place(all);
        asm.copy(RCX, RAX);
        asm.store_word(refill, RCX);
        asm.int_with(Int::Compare, RCX, count);
        asm.jump_if(Cond::LessOrEqual, leave);
        asm.place(set);
        if limited {
            asm.constant(RAX, limit as i64);
            asm.int_with(Int::Add, RAX, oldest);
            asm.int(Int::Compare, RCX, RAX);
            asm.move_if(Cond::Greater, RCX, RAX);
        }
        asm.store_word(stop, RCX);
        asm.load(RAX, count);
        asm.jump(go);
    }

    /// Leaves with an error if a live lane has taken as many steps as are allowed.
    fn check_oldest(&mut self, r: &Refill<'p>, limit: i64) {
        let w = &r.words;
        let [count, oldest, aside] = [w.count, w.oldest, r.aside].map(|off| self.frame(off));
        let (young, last) = (self.asm.label(), self.machine().last());
        let most = self.known(i64::MAX as u64);
        self.asm.load(RAX, count);
        self.asm.int_with(Int::Sub, RAX, oldest);
        self.asm.constant(RCX, limit);
        self.asm.int(Int::Compare, RAX, RCX);
        self.asm.jump_if(Cond::Less, young);
        self.asm.store(aside, last, ALL);
        self.asm.constant(RAX, i64::MAX);
        for b in 0..self.interleave {
            let [live, begun] = [w.live + b as i32, r.begun[b]].map(|off| self.frame(off));
            self.asm.mask_load(WORK, live);
            self.asm.two(ops::SPREAD, last, most, ALL);
            self.asm.two(ops::LOAD, last, Src::Row(begun), WORK);
            self.asm.store(self.frame(r.work), last, ALL);
            for l in 0..LANES as i32 {
                self.asm.load(RCX, self.frame(r.work + 8 * l));
                self.asm.int(Int::Compare, RCX, RAX);
                self.asm.move_if(Cond::Less, RAX, RCX);
            }
        }
        self.asm.two(ops::LOAD, last, Src::Row(aside), ALL);
        self.asm.store_word(oldest, RAX);
        self.asm.load(RCX, count);
        self.asm.int(Int::Sub, RCX, RAX);
        self.asm.constant(RDX, limit);
        self.asm.int(Int::Compare, RCX, RDX);
        self.asm.jump_if(Cond::Less, young);
        let looped = r.parts.looped;
        self.give_up(While::endless(looped.limit, looped.at));
        self.asm.place(young);
    }
}
