//! Regions: loops, branches and functions, with their parameters and results.

use super::{Builder, Frame};
use crate::elementary::Elementary;
use crate::loops::{
    Block, Carried, For, Function, If, LoopKind, Marks, Stmt, Value, ValueType, While,
};
use crate::types::DType;

/// A value for a loop to carry.
#[derive(Clone, Copy, Debug)]
pub struct Carry {
    /// The value before the first step.
    pub init: Value,
    /// Whether the parameter differs by lane.
    pub lanes: bool,
}

/// A counted loop whose body is open.
pub struct OpenFor {
    /// The numbers by which the loop is known.
    pub marks: Marks,
    kind: LoopKind,
    extent: Value,
    /// The number of the step.
    pub index: Value,
    carried: Vec<Carried>,
}

impl Builder {
    /// A value for a loop at this point to carry: per-lane inside a vector loop.
    pub fn carry(&self, init: Value) -> Carry {
        Carry {
            init,
            lanes: self.vector_index().is_some(),
        }
    }

    /// A counter of steps, the same in all lanes. Its value must not be used after a loop that
    /// diverges.
    pub fn counter(&mut self) -> Carry {
        Carry {
            init: self.i64(0),
            lanes: false,
        }
    }

    /// Opens a region; in the body of a vector loop `vector` is its index.
    pub fn open(&mut self, vector: Option<Value>) {
        self.frames.push(Frame {
            vector,
            ..Frame::default()
        });
    }

    /// Closes the innermost region, which yields `results`.
    pub fn close(&mut self, results: Vec<Value>) -> Block {
        let frame = self.frames.pop().expect("an open region");
        Block {
            stmts: frame.stmts,
            results,
        }
    }

    /// Builds a separate region: its statements are not in the program until the caller puts them
    /// there.
    fn region(
        &mut self,
        vector: Option<Value>,
        body: impl FnOnce(&mut Builder) -> Vec<Value>,
    ) -> Block {
        self.open(vector);
        let results = body(self);
        self.close(results)
    }

    /// The carried values of a loop: fresh parameters for its body, and fresh results of the same
    /// types.
    pub fn carried(&mut self, carries: &[Carry]) -> Vec<Carried> {
        carries
            .iter()
            .map(|c| {
                let ValueType { dtype, lanes } = self.ty(c.init);
                let lanes = lanes || c.lanes;
                // The parameter belongs to the body, one region further in.
                let param = self.value_at(dtype, lanes, self.frames.len());
                let out = self.value(dtype, lanes);
                let init = c.init;
                Carried { init, param, out }
            })
            .collect()
    }

    /// A counted loop; `body` gets the index and the carried values and returns the next ones.
    /// Returns the values after the last step.
    pub fn for_(
        &mut self,
        kind: LoopKind,
        extent: Value,
        carries: &[Carry],
        body: impl FnOnce(&mut Builder, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let (open, params) = self.open_for(kind, extent, carries);
        let results = body(self, open.index, &params);
        self.close_for(open, results)
    }

    /// Opens the body of a counted loop, for callers that cannot pass a closure;
    /// [`Builder::close_for`] closes it. Also returns the parameters of the carried values.
    pub fn open_for(
        &mut self,
        kind: LoopKind,
        extent: Value,
        carries: &[Carry],
    ) -> (OpenFor, Vec<Value>) {
        let vector = kind == LoopKind::Vector;
        let carries: Vec<Carry> = carries
            .iter()
            .map(|c| Carry {
                init: c.init,
                lanes: c.lanes || vector,
            })
            .collect();
        let carried = self.carried(&carries);
        let index = self.value_at(DType::I64, vector, self.frames.len());
        self.note_index(index, extent);
        let params = carried.iter().map(|c| c.param).collect();
        self.open(vector.then_some(index));
        let open = OpenFor {
            marks: Marks::default(),
            kind,
            extent,
            index,
            carried,
        };
        (open, params)
    }

    /// Closes the body of a counted loop. Returns the values after the last step.
    pub fn close_for(&mut self, open: OpenFor, results: Vec<Value>) -> Vec<Value> {
        let body = self.close(results);
        let outs = open.carried.iter().map(|c| c.out).collect();
        self.push(Stmt::For(For {
            marks: open.marks,
            kind: open.kind,
            extent: open.extent,
            index: open.index,
            carried: open.carried,
            body,
        }));
        outs
    }

    /// A counted loop, first step first, that carries nothing.
    pub fn repeat(&mut self, extent: Value, body: impl FnOnce(&mut Builder, Value)) {
        self.for_(LoopKind::SERIAL, extent, &[], |b, i, _| {
            body(b, i);
            vec![]
        });
    }

    /// Runs `body` while `cond` holds.
    pub fn while_(
        &mut self,
        limit: u64,
        carries: &[Carry],
        cond: impl FnOnce(&mut Builder, &[Value]) -> Value,
        body: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let carried = self.carried(carries);
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let cond = self.region(None, |b| vec![cond(b, &params)]);
        let body = self.region(None, |b| body(b, &params));
        let outs = carried.iter().map(|c| c.out).collect();
        self.push(Stmt::While(While {
            marks: Marks::default(),
            carried,
            cond,
            body,
            limit,
            at: None,
        }));
        outs
    }

    /// A branch of two blocks. Returns the values that it yields.
    pub fn if_(
        &mut self,
        pred: Value,
        then: impl FnOnce(&mut Builder) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Builder) -> Vec<Value>,
    ) -> Vec<Value> {
        let then = self.region(None, then);
        let otherwise = self.region(None, otherwise);
        self.close_if(pred, then, otherwise)
    }

    /// A branch of two finished blocks. Returns the values that it yields.
    pub fn close_if(&mut self, pred: Value, then: Block, otherwise: Block) -> Vec<Value> {
        let types: Vec<(DType, bool)> = then
            .results
            .iter()
            .zip(&otherwise.results)
            .map(|(&a, &b)| {
                let lanes = self.lanes(pred) || self.lanes(a) || self.lanes(b);
                (self.dtype(a), lanes)
            })
            .collect();
        let outs: Vec<Value> = types
            .into_iter()
            .map(|(dtype, lanes)| self.value(dtype, lanes))
            .collect();
        self.push(Stmt::If(If {
            pred,
            then,
            otherwise,
            outs: outs.clone(),
        }));
        outs
    }

    /// Notes which elementary function a function is.
    pub fn is_elementary(&mut self, function: u32, f: Elementary) {
        self.program.functions[function as usize].elementary = Some(f);
    }

    /// The pure function of that name, which `build` makes on the first request.
    pub fn function(
        &mut self,
        name: &str,
        params: &[DType],
        build: impl FnOnce(&mut Builder, &[Value]) -> Value,
    ) -> u32 {
        if let Some(&function) = self.functions.get(name) {
            return function;
        }
        // The function's values are its own; buffers and tables are the program's.
        let values = std::mem::take(&mut self.program.values);
        let frames = std::mem::replace(&mut self.frames, vec![Frame::default()]);
        let depth = std::mem::take(&mut self.depth);
        let known = std::mem::take(&mut self.known);
        self.in_function = true;
        let params: Vec<Value> = params.iter().map(|&d| self.value(d, true)).collect();
        let result = build(self, &params);
        let body = self.close(vec![result]);
        self.in_function = false;
        self.frames = frames;
        self.depth = depth;
        self.known = known;
        let own = std::mem::replace(&mut self.program.values, values);
        let function = self.program.functions.len() as u32;
        self.program.functions.push(Function {
            name: name.to_string(),
            elementary: None,
            values: own.into_iter().map(|t| t.dtype).collect(),
            params,
            body,
        });
        self.functions.insert(name.to_string(), function);
        function
    }

    /// Calls a pure function.
    pub fn call(&mut self, callee: u32, args: &[Value]) -> Value {
        let function = &self.program.functions[callee as usize];
        let dtype = function.values[function.body.results[0].0 as usize];
        let lanes = args.iter().any(|&a| self.lanes(a));
        let out = self.value(dtype, lanes);
        let args = args.into();
        self.push(Stmt::Call { out, callee, args });
        out
    }
}
