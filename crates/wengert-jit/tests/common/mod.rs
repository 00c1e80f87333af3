//! Building loop programs by hand.
#![allow(dead_code)]

pub mod backend;
pub mod compare;
pub mod single;

use smallvec::SmallVec;
use wengert_jit::{Executable, Options, RunError, compile};
use wengert_loop::buffer::{Data, Element};
use wengert_loop::loops::*;
use wengert_loop::types::DType;

/// A program under construction.
#[derive(Default)]
pub struct Build {
    pub p: Program,
    open: Vec<Vec<Stmt>>,
    inputs: u32,
    outputs: u32,
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
            open: vec![Vec::new()],
            ..Build::default()
        }
    }

    pub fn value(&mut self, dtype: DType, lanes: bool) -> Value {
        self.p.values.push(ValueType { dtype, lanes });
        Value(self.p.values.len() as u32 - 1)
    }

    pub fn ty(&self, v: Value) -> ValueType {
        self.p.values[v.0 as usize]
    }

    pub fn buffer(&mut self, dtype: DType, len: usize, kind: BufferKind) -> BufferId {
        self.p.buffers.push(Buffer { dtype, len, kind });
        BufferId(self.p.buffers.len() as u32 - 1)
    }

    pub fn input(&mut self, dtype: DType, len: usize) -> BufferId {
        self.inputs += 1;
        self.buffer(dtype, len, BufferKind::Input(self.inputs - 1))
    }

    pub fn output(&mut self, dtype: DType, len: usize) -> BufferId {
        self.outputs += 1;
        self.buffer(dtype, len, BufferKind::Output(self.outputs - 1))
    }

    pub fn table(&mut self, dtype: DType, bits: Vec<u64>) -> BufferId {
        let len = bits.len();
        self.p.constants.push(bits);
        let n = self.p.constants.len() as u32 - 1;
        self.buffer(dtype, len, BufferKind::Constant(n))
    }

    pub fn push(&mut self, s: Stmt) {
        self.open.last_mut().expect("a block is open").push(s);
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
        self.push(Stmt::Op {
            out,
            op,
            args: SmallVec::from_slice(args),
        });
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
        let b = &self.p.buffers[buffer.0 as usize];
        let lanes = b.kind == BufferKind::Local
            || index.stride != 0
            || index.each.is_some_and(|e| self.ty(e).lanes);
        let out = self.value(b.dtype, lanes);
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
        self.push(Stmt::Copy { to, from, len });
    }

    pub fn block(&mut self, f: impl FnOnce(&mut Self) -> Vec<Value>) -> Block {
        self.open.push(Vec::new());
        let results = f(self);
        let stmts = self.open.pop().expect("a block is open");
        Block { stmts, results }
    }

    fn carried(&mut self, inits: &[(Value, bool)], vector: bool) -> Vec<Carried> {
        let one = |&(init, lanes): &(Value, bool)| {
            let (d, lanes) = (self.ty(init).dtype, lanes || vector);
            let [param, out] = [(); 2].map(|()| self.value(d, lanes));
            Carried { init, param, out }
        };
        inits.iter().map(one).collect()
    }

    /// A loop; inits become carried values, per-lane if `lanes` or in a vector loop.
    pub fn for_loop(
        &mut self,
        kind: LoopKind,
        extent: Value,
        inits: &[(Value, bool)],
        f: impl FnOnce(&mut Self, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let vector = kind == LoopKind::Vector;
        let index = self.value(DType::I64, vector);
        let carried = self.carried(inits, vector);
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let body = self.block(|b| f(b, index, &params));
        let outs = carried.iter().map(|c| c.out).collect();
        self.push(Stmt::For(For {
            kind,
            extent,
            index,
            carried,
            body,
        }));
        outs
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
        let carried = self.carried(inits, false);
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let cond = self.block(|b| vec![cond(b, &params)]);
        let body = self.block(|b| body(b, &params));
        let outs = carried.iter().map(|c| c.out).collect();
        self.push(Stmt::While(While {
            carried,
            cond,
            body,
            limit,
            at: None,
        }));
        outs
    }

    pub fn if_else(
        &mut self,
        pred: Value,
        then: impl FnOnce(&mut Self) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        let lanes = self.ty(pred).lanes;
        let then = self.block(then);
        let otherwise = self.block(otherwise);
        let outs: Vec<Value> = then
            .results
            .iter()
            .zip(&otherwise.results)
            .map(|(&a, &b)| {
                let any = lanes || self.ty(a).lanes || self.ty(b).lanes;
                self.value(self.ty(a).dtype, any)
            })
            .collect();
        self.push(Stmt::If(If {
            pred,
            then,
            otherwise,
            outs: outs.clone(),
        }));
        outs
    }

    pub fn finish(mut self) -> Program {
        self.p.body.stmts = self.open.pop().expect("a block is open");
        self.p
    }

    pub fn compile(self) -> Executable {
        self.compile_with(&Options::default())
    }

    pub fn compile_with(self, options: &Options) -> Executable {
        compile(&self.finish(), options).expect("it compiles")
    }
}

/// What makes programs with a builder of its own.
pub trait Making: Sized {
    fn builder(&mut self) -> &mut Build;

    /// A block of what `f` makes. The builder opens and closes it; the maker works on it in between.
    fn inside(&mut self, f: impl FnOnce(&mut Self) -> Vec<Value>) -> Block {
        let mut b = std::mem::take(self.builder());
        let block = b.block(|b| {
            std::mem::swap(self.builder(), b);
            let results = f(self);
            std::mem::swap(self.builder(), b);
            results
        });
        *self.builder() = b;
        block
    }

    /// A loop that carries nothing.
    fn repeat(&mut self, kind: LoopKind, n: i64, f: impl FnOnce(&mut Self, Value)) {
        let b = self.builder();
        let extent = b.constant(n);
        let index = b.value(DType::I64, kind == LoopKind::Vector);
        let body = self.inside(|g| {
            f(g, index);
            vec![]
        });
        self.builder().push(Stmt::For(For {
            kind,
            extent,
            index,
            carried: vec![],
            body,
        }));
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
