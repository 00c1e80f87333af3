//! Estimates how long values live, in emitted instructions.
//!
//! A value that lives long is stored to the frame at its definition and loaded at each use, because
//! the register allocator is quadratic in long live ranges. So is a uniform value that is used after a call:
//! no register of floats survives one. The allocator would spill the value, and with it the parameters of loops that
//! the value flows to or from, in each of their steps.

use std::collections::{HashMap, HashSet};

use wengert_loop::loops::{Block, LoopKind, ScalarOp, Stmt, Value, ValueType, walk};

use crate::zmm::Blocks;

/// A value that lives across more instructions than this goes to the frame.
const LONG: u32 = 200;

/// The outermost block is cut into native functions of about this many instructions: compile time
/// is a little more than linear in their length.
const CUT: u32 = 6_000;

/// The number of elements up to which a copy is written out, and above which it is a call.
pub(crate) const COPIED: usize = 8;

/// The definitions and last uses of values.
#[derive(Default)]
pub(crate) struct Live {
    /// Position of the definition.
    pub def: Vec<u32>,
    /// Position of the last use.
    pub last: Vec<u32>,
    /// Whether the value must have a slot in the frame.
    pub stored: Vec<bool>,
    /// Statements of the outermost block before which a new native function begins.
    pub cuts: Vec<usize>,
    /// The bodies of loops that make calls, apart from loops in vector loops.
    pub calling: HashSet<*const Block>,
}

struct Loop {
    start: u32,
    parallel: bool,
    /// Values defined outside that the loop uses: they live until it ends.
    outer: Vec<Value>,
}

struct Walk<'a> {
    live: Live,
    pos: u32,
    loops: Vec<Loop>,
    /// Positions of the calls; a vector loop that makes calls is one, at its end.
    calls: Vec<u32>,
    /// Whether a vector loop is open.
    vector: bool,
    /// Whether the vector loop that is open makes calls.
    vector_calls: bool,
    types: &'a [ValueType],
    constants: &'a [Option<u64>],
    wide: &'a HashMap<Value, Blocks>,
}

/// Finds how long the values of a body live. `wide` has the indices of the vector loops that are functions of their own.
pub(crate) fn live(
    body: &Block,
    types: &[ValueType],
    constants: &[Option<u64>],
    wide: &HashMap<Value, Blocks>,
) -> Live {
    let values = types.len();
    let mut w = Walk {
        live: Live {
            def: vec![0; values],
            last: vec![0; values],
            stored: vec![false; values],
            cuts: Vec::new(),
            calling: HashSet::new(),
        },
        pos: 1,
        loops: Vec::new(),
        calls: Vec::new(),
        vector: false,
        vector_calls: false,
        types,
        constants,
        wide,
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
    w.mention_all(&body.results);
    let (mut live, calls) = (w.live, w.calls);
    for (v, constant) in constants.iter().enumerate() {
        let (def, last) = (live.def[v], live.last[v]);
        let cut = cuts.partition_point(|&c| c < def);
        let crosses = cuts.get(cut).is_some_and(|&c| c <= last);
        let call = calls.partition_point(|&c| c <= def);
        let survives = !types[v].lanes && calls.get(call).is_some_and(|&c| c < last);
        if constant.is_none() && (last.saturating_sub(def) > LONG || crosses || survives) {
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

    fn mention_all(&mut self, values: &[Value]) {
        values.iter().for_each(|&v| self.mention(v));
    }

    /// Whether a statement is a call, apart from the statements that it holds.
    fn is_call(&self, s: &Stmt) -> bool {
        match s {
            Stmt::For(l) => match l.kind {
                LoopKind::Parallel => !self.loops.iter().any(|l| l.parallel),
                LoopKind::Vector => self.wide.contains_key(&l.index),
                LoopKind::Serial { .. } => false,
            },
            Stmt::Op { out, op, .. } => {
                *op == ScalarOp::Rem && self.types[out.0 as usize].dtype.is_float()
            }
            Stmt::Call { .. } | Stmt::Kernel { .. } => true,
            Stmt::Copy { len, .. } => *len > COPIED,
            _ => false,
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
        block.stmts.iter().for_each(|s| self.stmt(s));
        self.mention_all(&block.results);
    }

    fn stmt(&mut self, s: &Stmt) {
        self.mention_all(&walk::uses(s));
        match self.is_call(s) {
            true if self.vector => self.vector_calls = true,
            true => {
                self.pos += 1;
                self.calls.push(self.pos);
            }
            false => {}
        }
        match (s, walk::loop_kind(s)) {
            (_, Some(kind)) => {
                self.enter(kind == LoopKind::Parallel);
                let around = self.vector;
                self.vector |= kind == LoopKind::Vector;
                let params = walk::params(s);
                params.iter().for_each(|&v| self.define(v));
                let calls = self.calls.len();
                walk::blocks(s).for_each(|b| self.block(b));
                self.vector = around;
                if !self.vector && std::mem::take(&mut self.vector_calls) {
                    self.calls.push(self.pos);
                }
                if self.calls.len() > calls {
                    self.live
                        .calling
                        .extend(walk::blocks(s).map(std::ptr::from_ref));
                }
                // Each step looks at the extent and the index, and lanes that have finished, or are
                // dead, keep the old values of the parameters.
                if let Stmt::For(l) = s {
                    self.mention(l.extent);
                }
                self.mention_all(&params);
                self.leave();
            }
            (Stmt::If(i), _) => {
                for block in [&i.then, &i.otherwise] {
                    self.block(block);
                    self.pos += 1;
                }
                self.mention(i.pred);
                if self.lanes(i.pred) {
                    self.mention_all(&i.then.results);
                    self.mention_all(&i.otherwise.results);
                }
            }
            (Stmt::Const { .. }, _) => {}
            _ => {
                self.pos += match walk::result(s) {
                    Some(v) if self.lanes(v) => 3,
                    Some(_) => 1,
                    None => 2,
                }
            }
        }
        walk::outs(s).iter().for_each(|&v| self.define(v));
    }
}
