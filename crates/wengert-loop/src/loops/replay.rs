//! Writing a program anew, statement by statement: what passes over programs have in common.
//!
//! The builder folds and shares index arithmetic on the way, and finds out anew what differs by lane.

use super::affine::Affine;
use super::builder::{Builder, Carry};
use super::{Block, BufferId, Carried, Index, LoopKind, Program, Rows, ScalarOp, Stmt, Value};
use crate::scalar;

/// The program that is being written, and what has become of the old one's values.
pub(super) struct Replay<'p> {
    /// The old program.
    pub old: &'p Program,
    /// The new one.
    pub b: Builder,
    new: Vec<Option<Value>>,
    /// What has become of the index of the vector loop around.
    lane: Option<Value>,
}

/// A pass that writes a program anew. The four methods about regions let loops carry more than they did,
/// and branches yield more.
pub(super) trait Rewrite<'p>: Sized {
    /// Both programs.
    fn replay(&mut self) -> &mut Replay<'p>;

    /// Writes what a statement becomes: by default the same statement.
    fn stmt(&mut self, stmt: &'p Stmt) {
        same(self, stmt);
    }

    /// What a loop is to carry besides.
    fn more(&mut self, _loop: &'p Stmt) -> Vec<Carry> {
        vec![]
    }

    /// At the begin of a block of a loop or branch; of a loop, with what it carries besides.
    fn enter(&mut self, _stmt: &'p Stmt, _more: &[Value]) {}

    /// At the end of a body or branch: what it yields besides.
    fn next(&mut self, _stmt: &'p Stmt) -> Vec<Value> {
        vec![]
    }

    /// Behind a loop or branch, with what it has yielded besides.
    fn left(&mut self, _stmt: &'p Stmt, _more: &[Value]) {}

    /// Behind the last statement.
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
    block.stmts.iter().for_each(|s| pass.stmt(s));
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

    /// What has become of a value.
    pub(super) fn get(&self, v: Value) -> Value {
        self.new[v.0 as usize].expect("defined before it is used")
    }

    /// Says what a value has become.
    pub(super) fn set(&mut self, old: Value, new: Value) {
        self.new[old.0 as usize] = Some(new);
    }

    /// What has become of a block's results.
    pub(super) fn results(&self, block: &Block) -> Vec<Value> {
        block.results.iter().map(|&v| self.get(v)).collect()
    }

    /// Says that the vector loop around is one no more: its index is now `lane`.
    pub(super) fn set_lane(&mut self, lane: Option<Value>) -> Option<Value> {
        std::mem::replace(&mut self.lane, lane)
    }

    /// An index expression.
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

    /// What a loop carries: a value that differs by lane still does, unless there are no lanes any more.
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
        // Arithmetic of floats is left to the machine.
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
    let at = |r: &mut Replay<'p>, (buffer, index): (BufferId, &Index)| (buffer, r.affine(index));
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
        Stmt::Call {
            out,
            function,
            args,
        } => {
            let args: Vec<Value> = args.iter().map(|&a| r.get(a)).collect();
            let value = r.b.call(*function, &args);
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
        Stmt::Copy {
            to,
            to_index,
            from,
            from_index,
            len,
        } => {
            let (to, from) = (at(r, (*to, to_index)), at(r, (*from, from_index)));
            r.b.copy((to.0, &to.1), (from.0, &from.1), *len);
        }
        Stmt::For {
            kind,
            extent,
            index,
            carried,
            body,
        } => {
            let mut carries: Vec<Carry> = carried.iter().map(|c| r.carry(c)).collect();
            let extent = r.get(*extent);
            carries.extend(pass.more(stmt));
            let r = pass.replay();
            let (open, params) = r.b.open_for(*kind, extent, &carries);
            let around = r.lane;
            if *kind == LoopKind::Vector {
                r.lane = Some(open.index);
            }
            r.set(*index, open.index);
            let results = body_of(pass, stmt, body, carried, &params);
            let r = pass.replay();
            r.lane = around;
            let outs = r.b.close_for(open, results);
            behind(pass, stmt, carried.iter().map(|c| c.out), &outs);
        }
        Stmt::While {
            carried,
            cond,
            body,
            limit,
            at,
        } => {
            let mut carries: Vec<Carry> = carried.iter().map(|c| r.carry(c)).collect();
            carries.extend(pass.more(stmt));
            let b = &mut pass.replay().b;
            let new = b.carried(&carries);
            let params: Vec<Value> = new.iter().map(|c| c.param).collect();
            b.open(None);
            begin(pass, stmt, carried, &params);
            stmts(pass, cond);
            let r = pass.replay();
            let cond = r.b.close(r.results(cond));
            r.b.open(None);
            let results = body_of(pass, stmt, body, carried, &params);
            let r = pass.replay();
            let body = r.b.close(results);
            let outs: Vec<Value> = new.iter().map(|c| c.out).collect();
            r.b.push(Stmt::While {
                carried: new,
                cond,
                body,
                limit: *limit,
                at: *at,
            });
            behind(pass, stmt, carried.iter().map(|c| c.out), &outs);
        }
        Stmt::If {
            pred,
            then,
            otherwise,
            outs,
        } => {
            let pred = r.get(*pred);
            let [then, otherwise] = [then, otherwise].map(|branch| {
                pass.replay().b.open(None);
                let results = body_of(pass, stmt, branch, &[], &[]);
                pass.replay().b.close(results)
            });
            let new = pass.replay().b.close_if(pred, then, otherwise);
            behind(pass, stmt, outs.iter().copied(), &new);
        }
        Stmt::ListBegin { list } => r.b.list_begin(*list),
        Stmt::ListPush { list, row } => r.b.list_push(*list, r.get(*row)),
        Stmt::ListStore {
            list,
            field,
            row,
            element,
            value,
        } => {
            let element = r.affine(element);
            let (row, value) = (r.get(*row), r.get(*value));
            r.b.list_store(*list, *field, row, &element, value);
        }
        Stmt::ListFinish { out, list, rows } => {
            let built = r.b.list_finish(*list, r.get(*rows));
            r.set(*out, built);
        }
        Stmt::ListHandle {
            out,
            built,
            list,
            field,
        } => {
            let handle = r.b.list_handle(r.get(*built), *list, *field);
            r.set(*out, handle);
        }
        Stmt::ListRows { out, handle } => {
            let rows = r.b.list_rows(r.get(*handle));
            r.set(*out, rows);
        }
        Stmt::ListLoad { out, cell } => {
            let rows = match cell.rows {
                Rows::Of { built, list, field } => Rows::Of {
                    built: r.get(built),
                    list,
                    field,
                },
                Rows::Handle(handle) => Rows::Handle(r.get(handle)),
            };
            let element = r.affine(&cell.element);
            let dtype = r.old.values[out.0 as usize].dtype;
            let value = r.b.list_load(dtype, rows, r.get(cell.row), &element);
            r.set(*out, value);
        }
        Stmt::Kernel { kernel, regions } => {
            let regions: Vec<_> = regions.iter().map(|(b, i)| at(r, (*b, i))).collect();
            r.b.kernel(kernel.clone(), &regions);
        }
        Stmt::Fail { failure } => r.b.push(Stmt::Fail { failure: *failure }),
    }
}

/// At the begin of a block of a loop: its parameters are the first of `params`.
fn begin<'p, R: Rewrite<'p>>(pass: &mut R, stmt: &'p Stmt, carried: &[Carried], params: &[Value]) {
    for (c, &param) in carried.iter().zip(params) {
        pass.replay().set(c.param, param);
    }
    pass.enter(stmt, &params[carried.len()..]);
}

/// Writes the body of a loop, or a branch, into the open region: what it yields.
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

/// Behind a loop or a branch that yields `new`.
fn behind<'p, R: Rewrite<'p>>(
    pass: &mut R,
    stmt: &'p Stmt,
    old: impl ExactSizeIterator<Item = Value>,
    new: &[Value],
) {
    let n = old.len();
    for (old, &new) in old.zip(new) {
        pass.replay().set(old, new);
    }
    pass.left(stmt, &new[n..]);
}
