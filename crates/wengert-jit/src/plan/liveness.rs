//! How long values live, in emitted instructions, roughly.
//!
//! A value that lives long is stored to the frame where it is defined and loaded again where it is
//! used: a register allocator is quadratic in long live ranges.

use wengert_loop::loops::{Block, LoopKind, Stmt, Value, ValueType, walk};

/// Values that live across more instructions than this go to the frame.
const LONG: u32 = 200;

/// The outermost block is cut into native functions of about this many instructions: compile time
/// is a little more than linear in their length.
const CUT: u32 = 6_000;

/// Where values are defined and used last.
pub(crate) struct Live {
    /// Position of the definition.
    pub def: Vec<u32>,
    /// Position of the last use.
    pub last: Vec<u32>,
    /// Must have a place in the frame.
    pub stored: Vec<bool>,
    /// Statements of the outermost block before which a new native function begins.
    pub cuts: Vec<usize>,
}

struct Loop {
    start: u32,
    parallel: bool,
    /// Values from outside that the loop uses: they live until it ends.
    outer: Vec<Value>,
}

struct Walk<'a> {
    live: Live,
    pos: u32,
    loops: Vec<Loop>,
    types: &'a [ValueType],
    constants: &'a [Option<u64>],
}

/// Finds how long the values of a body live.
pub(crate) fn live(body: &Block, types: &[ValueType], constants: &[Option<u64>]) -> Live {
    let values = types.len();
    let mut w = Walk {
        live: Live {
            def: vec![0; values],
            last: vec![0; values],
            stored: vec![false; values],
            cuts: Vec::new(),
        },
        pos: 1,
        loops: Vec::new(),
        types,
        constants,
    };
    let mut cuts = Vec::new();
    let mut begin = w.pos;
    for (n, s) in body.stmts.iter().enumerate() {
        if w.pos - begin > CUT {
            w.live.cuts.push(n);
            cuts.push(w.pos);
            begin = w.pos;
        }
        w.stmt(s);
    }
    body.results.iter().for_each(|&v| w.mention(v));
    let mut live = w.live;
    for (v, constant) in constants.iter().enumerate() {
        let (def, last) = (live.def[v], live.last[v]);
        let cut = cuts.partition_point(|&c| c < def);
        let crosses = cuts.get(cut).is_some_and(|&c| c <= last);
        if constant.is_none() && (last.saturating_sub(def) > LONG || crosses) {
            live.stored[v] = true;
        }
    }
    live
}

impl Walk<'_> {
    fn lanes(&self, v: Value) -> bool {
        self.types[v.0 as usize].lanes
    }

    fn define(&mut self, v: Value) {
        self.live.def[v.0 as usize] = self.pos;
    }

    fn mention(&mut self, v: Value) {
        let i = v.0 as usize;
        if self.constants[i].is_some() {
            return;
        }
        self.live.last[i] = self.live.last[i].max(self.pos);
        let def = self.live.def[i];
        let mut outermost = true;
        for l in &mut self.loops {
            if l.start >= def {
                if outermost {
                    l.outer.push(v);
                    outermost = false;
                }
                if l.parallel {
                    self.live.stored[i] = true;
                }
            }
        }
    }

    fn enter(&mut self, parallel: bool) {
        let parallel = parallel && !self.loops.iter().any(|l| l.parallel);
        self.loops.push(Loop {
            start: self.pos,
            parallel,
            outer: Vec::new(),
        });
        self.pos += 1;
    }

    fn leave(&mut self) {
        let l = self.loops.pop().expect("a loop is open");
        self.pos += 1;
        for v in l.outer {
            let last = &mut self.live.last[v.0 as usize];
            *last = (*last).max(self.pos);
        }
    }

    fn block(&mut self, block: &Block) {
        for s in &block.stmts {
            self.stmt(s);
        }
        block.results.iter().for_each(|&v| self.mention(v));
    }

    fn stmt(&mut self, s: &Stmt) {
        let mut used = smallvec::SmallVec::<[Value; 8]>::new();
        walk::uses(s, &mut |v| used.push(v));
        used.iter().for_each(|&v| self.mention(v));
        match s {
            Stmt::Const { out, .. } => self.define(*out),
            Stmt::Op { out, .. }
            | Stmt::Call { out, .. }
            | Stmt::Load { out, .. }
            | Stmt::ListFinish { out, .. }
            | Stmt::ListHandle { out, .. }
            | Stmt::ListRows { out, .. }
            | Stmt::ListLoad { out, .. } => {
                self.pos += if self.lanes(*out) { 3 } else { 1 };
                self.define(*out);
            }
            Stmt::For {
                kind,
                extent,
                index,
                carried,
                body,
            } => {
                self.enter(*kind == LoopKind::Parallel);
                self.define(*index);
                carried.iter().for_each(|c| self.define(c.param));
                self.block(body);
                // Each step looks at the extent and counts on, and lanes that have finished, or are
                // dead, keep the old values.
                self.mention(*extent);
                self.mention(*index);
                carried.iter().for_each(|c| self.mention(c.param));
                self.leave();
                carried.iter().for_each(|c| self.define(c.out));
            }
            Stmt::While {
                carried,
                cond,
                body,
                ..
            } => {
                self.enter(false);
                carried.iter().for_each(|c| self.define(c.param));
                self.block(cond);
                // Where lanes have finished, the parameters are kept: they live through the body.
                self.block(body);
                carried.iter().for_each(|c| self.mention(c.param));
                self.leave();
                carried.iter().for_each(|c| self.define(c.out));
            }
            Stmt::If {
                pred,
                then,
                otherwise,
                outs,
            } => {
                self.block(then);
                self.pos += 1;
                self.block(otherwise);
                self.pos += 1;
                self.mention(*pred);
                if self.lanes(*pred) {
                    then.results
                        .iter()
                        .chain(&otherwise.results)
                        .for_each(|&v| self.mention(v));
                }
                outs.iter().for_each(|&v| self.define(v));
            }
            _ => self.pos += 2,
        }
    }
}
