//! Loop programs, written statement by statement: nothing is folded, shared or moved.
#![allow(dead_code)]

pub mod backend;
pub mod compare;
pub mod single;
pub mod single_floats;

use std::ops::{Deref, DerefMut};

use wengert_jit::{Executable, Options, RunError, compile};
use wengert_loop::buffer::{Data, Element};
use wengert_loop::loops::builder::{Builder, Carry};
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// A builder whose operations and accesses become the statements that they are called for.
pub struct Build {
    b: Builder,
    inputs: u32,
    outputs: u32,
}

impl Deref for Build {
    type Target = Builder;

    fn deref(&self) -> &Builder {
        &self.b
    }
}

impl DerefMut for Build {
    fn deref_mut(&mut self) -> &mut Builder {
        &mut self.b
    }
}

pub fn at(offset: i64) -> Index {
    Index {
        offset,
        ..Index::default()
    }
}

pub fn base(v: Value) -> Index {
    Index {
        base: Some(v),
        ..Index::default()
    }
}

pub fn each(v: Value) -> Index {
    Index {
        each: Some(v),
        ..Index::default()
    }
}

pub fn row() -> Index {
    stride(1)
}

pub fn stride(stride: i64) -> Index {
    Index {
        stride,
        ..Index::default()
    }
}

impl Build {
    pub fn new() -> Build {
        Build {
            b: Builder::new(),
            inputs: 0,
            outputs: 0,
        }
    }

    pub fn input(&mut self, dtype: DType, len: usize) -> BufferId {
        self.inputs += 1;
        self.b
            .buffer(dtype, len, BufferKind::Input(self.inputs - 1))
    }

    pub fn output(&mut self, dtype: DType, len: usize) -> BufferId {
        self.outputs += 1;
        self.b
            .buffer(dtype, len, BufferKind::Output(self.outputs - 1))
    }

    pub fn constant<T: Element>(&mut self, x: T) -> Value {
        let out = self.value(T::DTYPE, false);
        self.push(Stmt::Const {
            out,
            bits: x.to_bits(),
        });
        out
    }

    pub fn op_to(&mut self, op: ScalarOp, dtype: DType, args: &[Value]) -> Value {
        let lanes = args.iter().any(|&a| self.ty(a).lanes)
            && !matches!(op, ScalarOp::Any | ScalarOp::Fold(_));
        let out = self.value(dtype, lanes);
        let args = args.into();
        self.push(Stmt::Op { out, op, args });
        out
    }

    pub fn op(&mut self, op: ScalarOp, args: &[Value]) -> Value {
        use ScalarOp::*;
        let dtype = match op {
            Eq | Ne | Lt | Le | Any => DType::Bool,
            _ => self.ty(*args.last().expect("operands")).dtype,
        };
        self.op_to(op, dtype, args)
    }

    pub fn load(&mut self, buffer: BufferId, index: Index) -> Value {
        let &Buffer { dtype, kind, .. } = self.buffer_of(buffer);
        let lanes = kind == BufferKind::Local
            || index.stride != 0
            || index.each.is_some_and(|e| self.ty(e).lanes);
        let out = self.value(dtype, lanes);
        self.push(Stmt::Load { out, buffer, index });
        out
    }

    pub fn store(&mut self, buffer: BufferId, index: Index, value: Value) {
        self.push(Stmt::Store {
            buffer,
            index,
            value,
        });
    }

    pub fn copy(&mut self, to: (BufferId, Index), from: (BufferId, Index), len: usize) {
        self.push(Stmt::Copy {
            to,
            from,
            len,
            at: Origin::default(),
        });
    }

    fn block(&mut self, f: impl FnOnce(&mut Self) -> Vec<Value>) -> Block {
        self.open(None);
        let results = f(self);
        self.close(results)
    }

    /// A loop; inits become carried values, per-lane if `lanes` or in a vector loop.
    pub fn for_loop(
        &mut self,
        kind: LoopKind,
        extent: Value,
        inits: &[(Value, bool)],
        f: impl FnOnce(&mut Self, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let (open, params) = self.open_for(kind, extent, &carries(inits));
        let results = f(self, open.index, &params);
        self.close_for(open, results)
    }

    pub fn vector(&mut self, n: i64, f: impl FnOnce(&mut Self, Value)) {
        let n = self.constant(n);
        self.for_loop(LoopKind::Vector, n, &[], |b, i, _| {
            f(b, i);
            vec![]
        });
    }

    pub fn serial(&mut self, n: i64, f: impl FnOnce(&mut Self, Value)) {
        let n = self.constant(n);
        self.for_loop(LoopKind::SERIAL, n, &[], |b, i, _| {
            f(b, i);
            vec![]
        });
    }

    pub fn while_loop(
        &mut self,
        inits: &[(Value, bool)],
        limit: u64,
        cond: impl FnOnce(&mut Self, &[Value]) -> Value,
        body: impl FnOnce(&mut Self, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let carried = self.carried(&carries(inits));
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let cond = self.block(|b| vec![cond(b, &params)]);
        let body = self.block(|b| body(b, &params));
        let outs = carried.iter().map(|c| c.out).collect();
        let at = None;
        self.push(Stmt::While(While {
            marks: Marks::default(),
            carried,
            cond,
            body,
            limit,
            at,
        }));
        outs
    }

    pub fn if_else(
        &mut self,
        pred: Value,
        then: impl FnOnce(&mut Self) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        let (then, otherwise) = (self.block(then), self.block(otherwise));
        self.close_if(pred, then, otherwise)
    }

    pub fn finish(self) -> Program {
        self.b.unswept()
    }

    pub fn compile(self) -> Executable {
        self.compile_with(&Options::default())
    }

    pub fn compile_with(self, options: &Options) -> Executable {
        compile(&self.finish(), options).expect("it compiles")
    }
}

fn carries(inits: &[(Value, bool)]) -> Vec<Carry> {
    let all = inits.iter();
    all.map(|&(init, lanes)| Carry { init, lanes }).collect()
}

/// A generator of programs that has a builder.
pub trait Making: Sized {
    fn builder(&mut self) -> &mut Build;

    /// A block of the statements that `f` makes.
    fn inside(&mut self, f: impl FnOnce(&mut Self) -> Vec<Value>) -> Block {
        self.builder().open(None);
        let results = f(self);
        self.builder().close(results)
    }

    /// A loop that carries nothing.
    fn repeat(&mut self, kind: LoopKind, n: i64, f: impl FnOnce(&mut Self, Value)) {
        let b = self.builder();
        let extent = b.constant(n);
        let (open, _) = b.open_for(kind, extent, &[]);
        f(self, open.index);
        self.builder().close_for(open, vec![]);
    }
}

/// Runs with outputs of zeros.
pub fn run(exe: &Executable, inputs: &[Data], outputs: &[(DType, usize)]) -> Vec<Data> {
    try_run(exe, inputs, outputs).expect("it runs")
}

pub fn try_run(
    exe: &Executable,
    inputs: &[Data],
    outputs: &[(DType, usize)],
) -> Result<Vec<Data>, RunError> {
    let mut out: Vec<Data> = outputs.iter().map(|&(d, n)| Data::zeros(d, n)).collect();
    let ins: Vec<&Data> = inputs.iter().collect();
    let mut outs: Vec<&mut Data> = out.iter_mut().collect();
    exe.run(&ins, &mut outs)?;
    drop(outs);
    Ok(out)
}

pub fn f64s(v: &[f64]) -> Data {
    Data::F64(v.to_vec())
}

pub fn i64s(v: &[i64]) -> Data {
    Data::I64(v.to_vec())
}
