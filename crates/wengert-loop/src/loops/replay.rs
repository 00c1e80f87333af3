//! Rewriting a program statement by statement: the part that all passes over programs share.
//!
//! The builder folds and shares index arithmetic on the way, and recomputes which values differ by
//! lane.

use super::affine::Affine;
use super::builder::{Builder, Carry};
use super::{
    Block, BufferId, Carried, Index, ListField, LoopKind, Program, Rows, ScalarOp, Stmt, Value,
    While, walk,
};
use crate::scalar;

/// The program that is being written, and the new values of the old program's values.
pub(super) struct Replay<'p> {
    /// The old program.
    pub old: &'p Program,
    /// The new one.
    pub b: Builder,
    new: Vec<Option<Value>>,
    /// The new value of the index of the enclosing vector loop.
    lane: Option<Value>,
}

/// A pass that rewrites a program. With the four methods about regions, loops carry additional
/// values and branches yield additional values.
pub(super) trait Rewrite<'p>: Sized {
    /// Both programs.
    fn replay(&mut self) -> &mut Replay<'p>;

    /// Writes the statements that replace a statement: by default the same statement.
    fn stmt(&mut self, stmt: &'p Stmt) {
        same(self, stmt);
    }

    /// The additional values that a loop carries.
    fn more(&mut self, _loop: &'p Stmt) -> Vec<Carry> {
        vec![]
    }

    /// Called at the start of a block of a loop or branch, with the additional parameters of the
    /// loop.
    fn enter(&mut self, _stmt: &'p Stmt, _more: &[Value]) {}

    /// Called at the end of a body or branch; returns the additional values that it yields.
    fn next(&mut self, _stmt: &'p Stmt) -> Vec<Value> {
        vec![]
    }

    /// Called after a loop or branch, with the additional values that it yields.
    fn left(&mut self, _stmt: &'p Stmt, _more: &[Value]) {}

    /// Called after the last statement.
    fn end(&mut self) {}

    /// The new program.
    fn rewrite(mut self) -> Program {
        let old = self.replay().old;
        stmts(&mut self, &old.body);
        self.end();
        std::mem::take(&mut self.replay().b).finish()
    }
}

/// Writes the statements of a block here.
pub(super) fn stmts<'p, R: Rewrite<'p>>(pass: &mut R, block: &'p Block) {
    for s in &block.stmts {
        pass.replay().comes_from(s);
        pass.stmt(s);
    }
}

impl<'p> Replay<'p> {
    pub(super) fn new(old: &'p Program) -> Replay<'p> {
        Replay {
            old,
            b: Builder::beside(old),
            new: vec![None; old.values.len()],
            lane: None,
        }
    }

    /// Says that what is written next comes from where this statement does.
    pub(super) fn comes_from(&mut self, stmt: &Stmt) {
        let source = self.old.source_of(stmt);
        self.b.set_source(source);
    }

    /// The new value of an old one.
    pub(super) fn get(&self, v: Value) -> Value {
        self.new[v.0 as usize].expect("defined before it is used")
    }

    /// Sets the new value of an old one.
    pub(super) fn set(&mut self, old: Value, new: Value) {
        self.new[old.0 as usize] = Some(new);
    }

    /// The new values of a block's results.
    pub(super) fn results(&self, block: &Block) -> Vec<Value> {
        block.results.iter().map(|&v| self.get(v)).collect()
    }

    /// Replaces the index of the enclosing vector loop by `lane`, because the loop is unrolled.
    /// Returns the old index.
    pub(super) fn set_lane(&mut self, lane: Option<Value>) -> Option<Value> {
        std::mem::replace(&mut self.lane, lane)
    }

    /// Translates an index.
    pub(super) fn affine(&mut self, index: &Index) -> Affine {
        let mut sum = Affine::constant(index.offset);
        let lane = self.lane.filter(|_| index.stride != 0);
        let parts = [
            (index.base.map(|v| self.get(v)), 1),
            (lane, index.stride),
            (index.each.map(|v| self.get(v)), 1),
        ];
        for (value, factor) in parts {
            if let Some(value) = value {
                let part = self.b.affine(value);
                sum = self.b.add_scaled(&sum, &part, factor);
            }
        }
        sum
    }

    /// Translates a carried value: one that differs by lane still does, unless the vector loop is
    /// gone.
    fn carry(&self, c: &Carried) -> Carry {
        Carry {
            init: self.get(c.init),
            lanes: self.old.values[c.param.0 as usize].lanes && self.b.vector_index().is_some(),
        }
    }

    fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) -> Value {
        let args: Vec<Value> = args.iter().map(|&a| self.get(a)).collect();
        let dtype = self.old.values[out.0 as usize].dtype;
        let operand = self.b.dtype(args[args.len() - 1]);
        if op == ScalarOp::Any && !self.b.lanes(args[0]) {
            return args[0];
        }
        let known: Option<Vec<u64>> = args.iter().map(|&a| self.b.known(a)).collect();
        // Floating-point arithmetic is left to the machine.
        if let Some(bits) = known.filter(|_| !operand.is_float()) {
            return self
                .b
                .constant(dtype, scalar::apply(op, operand, dtype, &bits));
        }
        self.b.op_to(op, dtype, &args)
    }
}

/// Writes the same statement.
pub(super) fn same<'p, R: Rewrite<'p>>(pass: &mut R, stmt: &'p Stmt) {
    let at = |r: &mut Replay<'p>, (buffer, index): &(BufferId, Index)| (*buffer, r.affine(index));
    let field = |r: &Replay<'p>, of: ListField| ListField {
        built: r.get(of.built),
        ..of
    };
    let r = pass.replay();
    match stmt {
        Stmt::Const { out, bits } => {
            let value = r.b.constant(r.old.values[out.0 as usize].dtype, *bits);
            r.set(*out, value);
        }
        Stmt::Op { out, op, args } => {
            let value = r.op(*out, *op, args);
            r.set(*out, value);
        }
        Stmt::Call { out, callee, args } => {
            let args: Vec<Value> = args.iter().map(|&a| r.get(a)).collect();
            let value = r.b.call(*callee, &args);
            r.set(*out, value);
        }
        Stmt::Load { out, buffer, index } => {
            let index = r.affine(index);
            let value = r.b.load(*buffer, &index);
            r.set(*out, value);
        }
        Stmt::Store {
            buffer,
            index,
            value,
        } => {
            let index = r.affine(index);
            r.b.store(*buffer, &index, r.get(*value));
        }
        Stmt::Copy { to, from, len, .. } => {
            let (to, from) = (at(r, to), at(r, from));
            r.b.copy((to.0, &to.1), (from.0, &from.1), *len);
        }
        Stmt::For(l) => {
            let carries = carries(pass, stmt, &l.carried);
            let r = pass.replay();
            let (mut open, params) = r.b.open_for(l.kind, r.get(l.extent), &carries);
            open.marks = l.marks.clone();
            let around = r.lane;
            if l.kind == LoopKind::Vector {
                r.lane = Some(open.index);
            }
            r.set(l.index, open.index);
            let results = body_of(pass, stmt, &l.body, &l.carried, &params);
            let r = pass.replay();
            r.comes_from(stmt);
            r.lane = around;
            let outs = r.b.close_for(open, results);
            leave(pass, stmt, &outs);
        }
        Stmt::While(l) => {
            // In lanes a step also runs for lanes whose condition does not hold.
            let counters = match r.b.vector_index() {
                None => r.counters(l),
                Some(_) => vec![],
            };
            let carries = carries(pass, stmt, &l.carried);
            let b = &mut pass.replay().b;
            let carried = b.carried(&carries);
            let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
            for c in &counters {
                b.note_between(params[c.number], (c.low, i64::MAX));
            }
            b.open(None);
            begin(pass, stmt, &l.carried, &params);
            stmts(pass, &l.cond);
            let r = pass.replay();
            let cond = r.b.close(r.results(&l.cond));
            for c in &counters {
                r.b.note_between(params[c.number], (c.low, c.high));
            }
            r.b.open(None);
            let results = body_of(pass, stmt, &l.body, &l.carried, &params);
            let r = pass.replay();
            r.comes_from(stmt);
            let body = r.b.close(results);
            let outs: Vec<Value> = carried.iter().map(|c| c.out).collect();
            let ends = counters.iter().any(|c| c.ends_within(l.limit));
            r.b.push(Stmt::While(While {
                marks: l.marks.clone(),
                carried,
                cond,
                body,
                limit: if ends { u64::MAX } else { l.limit },
                at: l.at,
            }));
            leave(pass, stmt, &outs);
        }
        Stmt::If(i) => {
            let pred = r.get(i.pred);
            let [then, otherwise] = [&i.then, &i.otherwise].map(|branch| {
                pass.replay().b.open(None);
                let results = body_of(pass, stmt, branch, &[], &[]);
                pass.replay().b.close(results)
            });
            pass.replay().comes_from(stmt);
            let outs = pass.replay().b.close_if(pred, then, otherwise);
            leave(pass, stmt, &outs);
        }
        Stmt::ListBegin { list } => r.b.list_begin(*list),
        Stmt::ListPush { list, row } => r.b.list_push(*list, r.get(*row)),
        Stmt::ListStore(s) => {
            let element = r.affine(&s.element);
            let (row, value) = (r.get(s.row), r.get(s.value));
            r.b.list_store(s.list, s.field, row, &element, value);
        }
        Stmt::ListFinish { out, list, rows } => {
            let built = r.b.list_finish(*list, r.get(*rows));
            r.set(*out, built);
        }
        Stmt::ListHandle { out, of } => {
            let handle = r.b.list_handle(field(r, *of));
            r.set(*out, handle);
        }
        Stmt::ListRows { out, handle } => {
            let rows = r.b.list_rows(r.get(*handle));
            r.set(*out, rows);
        }
        Stmt::ListLoad { out, cell } => {
            let rows = match cell.rows {
                Rows::Of(of) => Rows::Of(field(r, of)),
                Rows::Handle(handle) => Rows::Handle(r.get(handle)),
            };
            let element = r.affine(&cell.element);
            let dtype = r.old.values[out.0 as usize].dtype;
            let value = r.b.list_load(dtype, rows, r.get(cell.row), &element);
            r.set(*out, value);
        }
        Stmt::Kernel {
            kernel, regions, ..
        } => {
            let regions: Vec<_> = regions.iter().map(|region| at(r, region)).collect();
            r.b.kernel(kernel.clone(), &regions);
        }
        Stmt::Fail { failure } => r.b.push(Stmt::Fail { failure: *failure }),
    }
}

/// The values that the new loop carries: those of the old one, and those that the pass adds.
fn carries<'p, R: Rewrite<'p>>(pass: &mut R, stmt: &'p Stmt, old: &[Carried]) -> Vec<Carry> {
    let r = pass.replay();
    let mut carries: Vec<Carry> = old.iter().map(|c| r.carry(c)).collect();
    carries.extend(pass.more(stmt));
    carries
}

/// Begins a block of a loop, whose parameters are the first of `params`.
fn begin<'p, R: Rewrite<'p>>(pass: &mut R, stmt: &'p Stmt, carried: &[Carried], params: &[Value]) {
    for (c, &param) in carried.iter().zip(params) {
        pass.replay().set(c.param, param);
    }
    pass.enter(stmt, &params[carried.len()..]);
}

/// Writes the body of a loop, or a branch, into the open region. Returns the values that it yields.
fn body_of<'p, R: Rewrite<'p>>(
    pass: &mut R,
    stmt: &'p Stmt,
    body: &'p Block,
    carried: &[Carried],
    params: &[Value],
) -> Vec<Value> {
    begin(pass, stmt, carried, params);
    stmts(pass, body);
    let mut results = pass.replay().results(body);
    results.extend(pass.next(stmt));
    results
}

/// Continues after a loop or a branch that yields `new`.
fn leave<'p, R: Rewrite<'p>>(pass: &mut R, stmt: &'p Stmt, new: &[Value]) {
    let old = walk::outs(stmt);
    for (&old, &new) in old.iter().zip(new) {
        pass.replay().set(old, new);
    }
    pass.left(stmt, &new[old.len()..]);
}
