//! Verifies programs: values are defined before use, statements are well typed, and types say what
//! differs by lane.

mod kernels;
mod loops;

use super::{
    Block, Buffer, BufferId, BufferKind, Function, If, Index, ListField, Program, Rows, ScalarOp,
    Stmt, Value, ValueType,
};
use crate::scalar::table::{Gives, Row};
use crate::types::DType;

/// Checks a program.
///
/// # Errors
/// Describes the first mistake, with the statement.
pub fn verify(program: &Program) -> Result<(), String> {
    for (i, b) in program.buffers.iter().enumerate() {
        if let BufferKind::Constant(n) = b.kind {
            let len = program.constants.get(n as usize).map(Vec::len);
            if len != Some(b.len) {
                return Err(format!("b{i}: a table of {len:?} elements"));
            }
        }
    }
    for function in &program.functions {
        Checker::of_function(program, function)
            .function(function)
            .map_err(|e| format!("{}: {e}", function.name))?;
    }
    let mut checker = Checker {
        program,
        types: program.values.clone(),
        state: vec![State::Undefined; program.values.len()],
        vector: false,
        parallel: false,
        in_function: false,
    };
    checker.block(&program.body)?;
    match program.body.results.is_empty() {
        true => Ok(()),
        false => Err("the outermost block yields nothing".into()),
    }
}

/// How a value may be used.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Undefined,
    Defined,
    /// Not at all: its region is closed.
    Gone,
    /// Only by [`ScalarOp::Fold`]: it is the copies that a vector loop leaves.
    Copies,
    /// Not at all: it was uniform in a divergent loop, and is undetermined after it.
    Stale,
}

struct Checker<'p> {
    program: &'p Program,
    types: Vec<ValueType>,
    state: Vec<State>,
    vector: bool,
    parallel: bool,
    in_function: bool,
}

type Check = Result<(), String>;

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(message()) }
}

impl<'p> Checker<'p> {
    fn of_function(program: &'p Program, function: &Function) -> Checker<'p> {
        let lanes = true;
        let types = function
            .values
            .iter()
            .map(|&dtype| ValueType { dtype, lanes });
        Checker {
            program,
            types: types.collect(),
            state: vec![State::Undefined; function.values.len()],
            vector: true,
            parallel: false,
            in_function: true,
        }
    }

    fn function(&mut self, function: &Function) -> Check {
        for &p in &function.params {
            self.define(p)?;
        }
        self.block(&function.body)?;
        ensure(function.body.results.len() == 1, || "one result".into())?;
        let Some(which) = function.elementary else {
            return Ok(());
        };
        let dtype = self.ty(function.body.results[0]).dtype;
        let alike = function.params.iter().all(|&p| self.ty(p).dtype == dtype);
        let operands = function.params.len() == which.arity();
        ensure(dtype.is_float() && alike && operands, || {
            format!("it is not of the type of `{}`", which.name())
        })
    }

    fn ty(&self, v: Value) -> ValueType {
        self.types[v.0 as usize]
    }

    fn lanes(&self, v: Value) -> bool {
        self.ty(v).lanes
    }

    fn define(&mut self, v: Value) -> Check {
        self.define_as(v, State::Defined)
    }

    fn define_as(&mut self, v: Value, state: State) -> Check {
        let slot = self
            .state
            .get_mut(v.0 as usize)
            .ok_or(format!("{v} has no type"))?;
        ensure(*slot == State::Undefined, || {
            format!("{v} is defined twice")
        })?;
        *slot = state;
        let copies = state == State::Copies;
        ensure(self.vector || copies || !self.lanes(v), || {
            format!("{v} differs by lane outside a vector loop")
        })
    }

    fn usable(&self, v: Value) -> Check {
        match self.state.get(v.0 as usize) {
            Some(State::Defined) => Ok(()),
            Some(State::Copies) => Err(format!("{v} has copies that only a fold can join")),
            Some(State::Stale) => Err(format!("{v} counted a divergent loop")),
            Some(State::Gone) => Err(format!("{v} is used outside its region")),
            _ => Err(format!("{v} is used before it is defined")),
        }
    }

    fn expect(&self, v: Value, dtype: DType) -> Check {
        self.usable(v)?;
        let found = self.ty(v).dtype;
        ensure(found == dtype, || format!("{v} is {found}, not {dtype}"))
    }

    fn uniform(&self, v: Value, dtype: DType) -> Check {
        self.expect(v, dtype)?;
        ensure(self.in_function || !self.lanes(v), || {
            format!("{v} differs by lane")
        })
    }

    fn block(&mut self, block: &Block) -> Check {
        for stmt in &block.stmts {
            self.stmt(stmt).map_err(|e| match e.contains('\n') {
                true => e,
                false => format!("{e}\n{}", headline(stmt)),
            })?;
        }
        block.results.iter().try_for_each(|&v| self.usable(v))
    }

    /// Checks a block whose values go out of scope after it. `inside` checks its results before
    /// that.
    fn region(
        &mut self,
        block: &Block,
        params: &[Value],
        inside: impl FnOnce(&Self, &[Value]) -> Check,
    ) -> Check {
        let before = self.state.clone();
        for &p in params {
            self.define(p)?;
        }
        self.block(block)?;
        inside(self, &block.results)?;
        for (now, before) in self.state.iter_mut().zip(before) {
            if *now != before {
                *now = State::Gone;
            }
        }
        Ok(())
    }

    fn buffer(&self, id: BufferId) -> Result<&'p Buffer, String> {
        let buffers = &self.program.buffers;
        buffers
            .get(id.0 as usize)
            .ok_or(format!("b{} is not there", id.0))
    }

    /// Checks an index. Returns whether it differs by lane.
    fn index(&self, i: &Index) -> Result<bool, String> {
        if let Some(base) = i.base {
            self.uniform(base, DType::I64)?;
        }
        if let Some(each) = i.each {
            self.expect(each, DType::I64)?;
            ensure(self.lanes(each), || {
                format!("{each} does not differ by lane")
            })?;
        }
        let lanes = i.stride != 0 || i.each.is_some();
        ensure(self.vector || !lanes, || {
            "a lane's index outside a vector loop".into()
        })?;
        Ok(lanes)
    }

    /// Checks an element that is read or written. Returns its buffer, and whether the index differs
    /// by lane.
    fn element(&self, buffer: BufferId, index: &Index) -> Result<(&'p Buffer, bool), String> {
        let b = self.buffer(buffer)?;
        let lanes = self.index(index)?;
        ensure(b.kind != BufferKind::Local || index.stride == 0, || {
            "a stride in local memory".into()
        })?;
        Ok((b, lanes))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Check {
        if self.in_function {
            let pure = match stmt {
                Stmt::Const { .. } | Stmt::If(_) => true,
                Stmt::Op { op, .. } => !matches!(op, ScalarOp::Fold(_) | ScalarOp::Any),
                Stmt::Load { buffer, index, .. } => {
                    matches!(self.buffer(*buffer)?.kind, BufferKind::Constant(_))
                        && index.stride == 0
                }
                // A function cannot fail.
                Stmt::While(l) => l.limit == u64::MAX,
                _ => false,
            };
            ensure(pure, || "not for a pure function".into())?;
        }
        match stmt {
            Stmt::Const { out, .. } => {
                ensure(self.in_function || !self.lanes(*out), || {
                    "a constant is uniform".into()
                })?;
                self.define(*out)
            }
            Stmt::Op { out, op, args } => self.op(*out, *op, args),
            Stmt::Call { out, callee, args } => {
                let callee = self.program.functions.get(*callee as usize);
                let callee = callee.ok_or("no such function")?;
                ensure(callee.params.len() == args.len(), || {
                    "wrong number of arguments".into()
                })?;
                for (&a, p) in args.iter().zip(&callee.params) {
                    self.expect(a, callee.values[p.0 as usize])?;
                }
                let dtype = callee.values[callee.body.results[0].0 as usize];
                let lanes = args.iter().any(|&a| self.lanes(a));
                self.typed(*out, dtype, lanes)
            }
            Stmt::Load { out, buffer, index } => {
                let (b, lanes) = self.element(*buffer, index)?;
                let local = b.kind == BufferKind::Local;
                if local && !self.vector {
                    ensure(self.lanes(*out), || format!("{out} has copies"))?;
                    return self.define_as(*out, State::Copies);
                }
                self.typed(*out, b.dtype, lanes || local)
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                let (b, lanes) = self.element(*buffer, index)?;
                let local = b.kind == BufferKind::Local;
                self.writable(b)?;
                ensure(local || lanes || !self.vector, || {
                    "all lanes store to one element".into()
                })?;
                self.expect(*value, b.dtype)
            }
            Stmt::Copy { to, from, .. } => {
                let (a, b) = (self.buffer(to.0)?, self.buffer(from.0)?);
                self.writable(a)?;
                ensure(a.dtype == b.dtype, || "a copy between types".into())?;
                let lanes = self.index(&to.1)? || self.index(&from.1)?;
                ensure(!lanes, || "a copy to a lane's own place".into())?;
                let local = a.kind == BufferKind::Local;
                ensure(
                    local || (!self.vector && b.kind != BufferKind::Local),
                    || "all lanes copy to one place".into(),
                )
            }
            Stmt::For(l) => self.for_(l),
            Stmt::While(l) => self.while_(l),
            Stmt::If(If {
                pred,
                then,
                otherwise,
                outs,
            }) => {
                self.expect(*pred, DType::Bool)?;
                let divergent = self.lanes(*pred);
                for branch in [then, otherwise] {
                    self.region(branch, &[], |c, results| {
                        ensure(results.len() == outs.len(), || "unequal branches".into())?;
                        results.iter().zip(outs).try_for_each(|(&r, &out)| {
                            c.flows(r, out)?;
                            ensure(c.lanes(out) || !divergent, || {
                                format!("{out} comes from lanes that part")
                            })
                        })
                    })?;
                }
                outs.iter().try_for_each(|&v| self.define(v))
            }
            Stmt::ListBegin { list } => self.building(list.0),
            Stmt::ListPush { list, row } => {
                self.building(list.0)?;
                self.uniform(*row, DType::I64)
            }
            Stmt::ListStore(to) => {
                self.building(to.list.0)?;
                self.uniform(to.row, DType::I64)?;
                ensure(to.element.stride == 0, || "a stride in a list".into())?;
                self.index(&to.element)?;
                self.expect(to.value, self.field(to.list.0, to.field)?)
            }
            Stmt::ListFinish { out, list, rows } => {
                self.building(list.0)?;
                self.expect(*rows, DType::I64)?;
                self.typed(*out, DType::I64, false)
            }
            Stmt::ListHandle { out, of } => {
                let lanes = self.built(*of)?.1;
                self.typed(*out, DType::I64, lanes)
            }
            Stmt::ListRows { out, handle } => {
                self.expect(*handle, DType::I64)?;
                self.typed(*out, DType::I64, self.lanes(*handle))
            }
            Stmt::ListLoad { out, cell } => {
                self.uniform(cell.row, DType::I64)?;
                ensure(cell.element.stride == 0, || "a stride in a list".into())?;
                let each = self.index(&cell.element)?;
                let (dtype, lanes) = match cell.rows {
                    Rows::Of(of) => self.built(of)?,
                    Rows::Handle(handle) => {
                        self.expect(handle, DType::I64)?;
                        (self.ty(*out).dtype, self.lanes(handle))
                    }
                };
                self.typed(*out, dtype, lanes || each)
            }
            Stmt::Fail { failure } => {
                let known = (*failure as usize) < self.program.failures.len();
                ensure(known, || "no such failure".into())
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => self.kernel(&**kernel, regions),
        }
    }

    fn writable(&self, b: &Buffer) -> Check {
        let read_only = matches!(b.kind, BufferKind::Input(_) | BufferKind::Constant(_));
        ensure(!read_only, || "a write to read-only memory".into())
    }

    fn building(&self, list: u32) -> Check {
        let l = self
            .program
            .lists
            .get(list as usize)
            .ok_or("no such list")?;
        ensure(l.lanes == self.vector, || {
            "a list is built on one side of a vector loop's border".into()
        })
    }

    /// A field of a finished list: its type, and whether it differs by lane.
    fn built(&self, of: ListField) -> Result<(DType, bool), String> {
        self.uniform(of.built, DType::I64)?;
        let dtype = self.field(of.list.0, of.field)?;
        let lanes = self.program.lists[of.list.0 as usize].lanes;
        ensure(self.vector || !lanes, || {
            "a list of lanes outside its vector loop".into()
        })?;
        Ok((dtype, lanes))
    }

    fn field(&self, list: u32, field: u32) -> Result<DType, String> {
        let l = self
            .program
            .lists
            .get(list as usize)
            .ok_or("no such list")?;
        let field = l.fields.get(field as usize).ok_or("no such field")?;
        Ok(field.0)
    }

    /// Defines a value, which must have this type.
    fn typed(&mut self, v: Value, dtype: DType, lanes: bool) -> Check {
        let t = self
            .types
            .get(v.0 as usize)
            .ok_or(format!("{v} has no type"))?;
        ensure(t.dtype == dtype, || {
            format!("{v} is {}, not {dtype}", t.dtype)
        })?;
        ensure(self.in_function || t.lanes == lanes, || match lanes {
            true => format!("{v} differs by lane, and its type does not say so"),
            false => format!("{v} does not differ by lane"),
        })?;
        self.define(v)
    }

    /// Checks that a value may become the next value of another.
    fn flows(&self, from: Value, to: Value) -> Check {
        self.usable(from)?;
        let (a, b) = (self.ty(from), self.ty(to));
        ensure(a.dtype == b.dtype && (b.lanes || !a.lanes), || {
            format!("{from} cannot become {to}")
        })
    }

    fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) -> Check {
        let Row {
            arity,
            takes,
            gives,
            ..
        } = op.row();
        ensure(args.len() == arity, || {
            format!("{} operands, not {arity}", args.len())
        })?;
        let dtype = self.ty(args[arity - 1]).dtype;
        if let ScalarOp::Fold(_) = op {
            ensure(self.state[args[0].0 as usize] == State::Copies, || {
                format!("{} does not come out of a vector loop", args[0])
            })?;
            return self.typed(out, dtype, false);
        }
        for (i, &a) in args.iter().enumerate() {
            let pred = op == ScalarOp::Select && i == 0;
            self.expect(a, if pred { DType::Bool } else { dtype })?;
        }
        ensure(takes.includes(dtype), || {
            format!("{op:?} is not for {dtype}")
        })?;
        let said = self.ty(out).dtype;
        let result = match gives {
            Gives::Same => dtype,
            Gives::Truth => DType::Bool,
            Gives::Any => said,
            Gives::AnyOfWidth => {
                ensure(dtype.bytes() == said.bytes(), || {
                    format!("{op:?} is not for {dtype} and {said}")
                })?;
                said
            }
        };
        let lanes = op != ScalarOp::Any && args.iter().any(|&a| self.lanes(a));
        self.typed(out, result, lanes)
    }
}

/// The first line of a statement.
fn headline(stmt: &Stmt) -> String {
    let text = format!("{stmt:?}");
    text.chars().take(160).collect()
}
