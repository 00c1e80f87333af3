//! Finds what the statements of a program cost.

use std::cell::RefCell;
use std::collections::HashMap;

use wengert_loop::loops::sums::{self, Sums};
use wengert_loop::loops::walk::{self, AccessKind};
use wengert_loop::loops::{
    Block, BufferId, BufferKind, Carried, Index, LANES, LoopKind, Marks, Program, ScalarOp, Stmt,
    Value,
};

use super::line::{Called, Lines, Registers, Times, functions};
use super::memory::Access;
use super::{Costs, Node, What};
use crate::plan::constants;

impl Costs {
    /// Returns what a program costs whose functions have not been inlined. `wide` are the vector loops in registers of
    /// 512 bits, by their index, with the number of blocks of lanes side by side, and `functions` says for each function
    /// whether the runtime has it for eight lanes.
    pub fn of(program: &Program, wide: &HashMap<Value, usize>, has: &[bool]) -> Costs {
        let mut builder = Builder {
            program,
            wide,
            constants: constants(program.values.len(), &program.body),
            most: HashMap::new(),
            functions: functions(&program.functions, has),
            times: RefCell::default(),
            sums: sums::of(&program.body),
            depths: HashMap::new(),
            depth: 0,
            indices: vec![],
        };
        let body = builder.node(
            What::Call,
            Marks::default(),
            &[&program.body],
            &[],
            Registers::Scalar,
        );
        Costs { body }
    }
}

struct Builder<'p> {
    program: &'p Program,
    wide: &'p HashMap<Value, usize>,
    constants: Vec<Option<u64>>,
    /// Values that are the minimum of a number and something else: that number, since a chunk is seldom short.
    most: HashMap<Value, u64>,
    functions: Vec<[Called; 2]>,
    times: RefCell<Times>,
    sums: Sums<'p>,
    /// How deep in loops and other nodes values are defined.
    depths: HashMap<Value, usize>,
    /// The number of open nodes.
    depth: usize,
    /// The indices of the open loops, and which of them is that of a vector loop.
    indices: Vec<(Value, bool)>,
}

impl<'p> Builder<'p> {
    fn node(
        &mut self,
        what: What,
        marks: Marks,
        blocks: &[&'p Block],
        carried: &[Carried],
        registers: Registers,
    ) -> Node {
        let types = |v: Value| {
            let ty = self.program.values[v.0 as usize];
            (ty.dtype, ty.lanes && self.constants[v.0 as usize].is_none())
        };
        let lines = Lines {
            types: &types,
            functions: &self.functions,
            times: &self.times,
        };
        let line = lines.of(blocks, carried, registers);
        let (mut accesses, mut inner) = (vec![], vec![]);
        for s in blocks.iter().flat_map(|b| &b.stmts) {
            if let Stmt::Op {
                out,
                op: ScalarOp::Min,
                args,
            } = s
                && let Some(most) = args.iter().find_map(|&v| self.constants[v.0 as usize])
            {
                self.most.insert(*out, most);
            }
            let defined = walk::outs(s).into_iter().chain(walk::result(s));
            for v in defined {
                self.depths.insert(v, self.depth);
            }
            for v in walk::params(s) {
                self.depths.insert(v, self.depth + 1);
            }
            self.depth += 1;
            match s {
                Stmt::For(l) => inner.push(self.counted(l, registers)),
                Stmt::While(l) => {
                    let blocks = [&l.cond, &l.body];
                    let marks = l.marks.clone();
                    inner.push(self.node(What::While, marks, &blocks, &l.carried, registers));
                }
                Stmt::If(i) => {
                    // In lanes each side runs that some lane needs.
                    let often = match self.program.values[i.pred.0 as usize].lanes {
                        true => [1.0, 1.0],
                        false => {
                            let often = self.often(i.pred);
                            [often, 1.0 - often]
                        }
                    };
                    for (side, often) in [&i.then, &i.otherwise].into_iter().zip(often) {
                        let what = What::Side(often);
                        inner.push(self.node(what, Marks::default(), &[side], &[], registers));
                    }
                }
                Stmt::Kernel {
                    kernel, regions, ..
                } => {
                    let lanes = registers != Registers::Scalar;
                    let what = What::Kernel {
                        kernel: kernel.clone(),
                        lanes,
                    };
                    let mut node = self.node(what, Marks::default(), &[], &[], registers);
                    for (i, (&(buffer, index), region)) in
                        regions.iter().zip(kernel.regions()).enumerate()
                    {
                        let writes = region.access != wengert_loop::loops::kernel::Access::Read;
                        let mut access = self.access(buffer, &index, writes, region.len);
                        if lanes && kernel.is_shared(i) {
                            access.element = (region.len * region.dtype.bytes()).max(1) as f64;
                        }
                        node.accesses.push(access);
                    }
                    inner.push(node);
                }
                Stmt::Copy { to, from, len, .. } => {
                    accesses.push(self.access(from.0, &from.1, false, *len));
                    accesses.push(self.access(to.0, &to.1, true, *len));
                }
                _ => {
                    for a in walk::accesses(s) {
                        let writes = a.kind == AccessKind::Write;
                        accesses.push(self.access(a.buffer, &a.index, writes, 1));
                    }
                }
            }
            self.depth -= 1;
        }
        Node {
            what,
            marks,
            registers,
            line,
            accesses,
            inner,
        }
    }

    fn counted(&mut self, l: &'p wengert_loop::loops::For, registers: Registers) -> Node {
        let vector = l.kind == LoopKind::Vector;
        let registers = match (vector, self.wide.get(&l.index)) {
            (false, _) => registers,
            (true, Some(&blocks)) => Registers::Wide(blocks as f64),
            (true, None) => Registers::Narrow,
        };
        self.indices.push((l.index, vector));
        let known = self.constants[l.extent.0 as usize];
        let what = What::For {
            kind: l.kind,
            index: l.index,
            extent: (known.or_else(|| self.most.get(&l.extent).copied()))
                // No step runs if it is negative.
                .map(|n| (n as i64).max(0) as u64),
        };
        let node = self.node(what, l.marks.clone(), &[&l.body], &l.carried, registers);
        self.indices.pop();
        node
    }

    /// How often a condition holds: remainders are equally frequent.
    fn often(&mut self, pred: Value) -> f64 {
        let Some(Stmt::Op { op, args, .. }) = self.sums.made(pred) else {
            return 0.5;
        };
        let constant = |v: Value| self.constants[v.0 as usize];
        let (Some(&x), Some(_)) = (
            args.iter().find(|&&v| constant(v).is_none()),
            args.iter().find_map(|&v| constant(v)),
        ) else {
            return 0.5;
        };
        let values = match self.sums.made(x) {
            Some(Stmt::Op {
                op: ScalarOp::And,
                args,
                ..
            }) => {
                let mask = args.iter().find_map(|&v| constant(v));
                mask.map(|m| m as f64 + 1.0)
            }
            Some(Stmt::Op {
                op: ScalarOp::Rem,
                args,
                ..
            }) => constant(args[1]).map(|k| k as f64),
            // `x - k (x / k)`
            _ => {
                let terms = self.sums.sum(x).terms;
                let factors = terms.iter().map(|t| t.1.unsigned_abs()).filter(|&k| k > 1);
                factors.min().map(|k| k as f64)
            }
        };
        let equal = 1.0 / values.unwrap_or(2.0).clamp(2.0, 1e6);
        match op {
            ScalarOp::Eq => equal,
            ScalarOp::Ne => 1.0 - equal,
            _ => 0.5,
        }
    }

    fn access(&mut self, buffer: BufferId, index: &Index, writes: bool, len: usize) -> Access {
        let b = &self.program.buffers[buffer.0 as usize];
        let copies = match b.kind {
            BufferKind::Local => LANES,
            _ => 1,
        };
        let bytes = (b.dtype.bytes() * copies) as f64;
        let lane = self.indices.iter().find(|i| i.1).map(|i| i.0);
        let place = self.sums.place(index, lane);
        let mut moves = vec![];
        let own = self.depth - 1;
        let mut irregular = match index.each {
            Some(_) if b.kind != BufferKind::Local => own,
            _ => 0,
        };
        for &(v, by) in &place.terms {
            match self.indices.iter().any(|i| i.0 == v) {
                true => moves.push((v, (by as f64 * bytes).abs())),
                // What is defined in a loop may be any number in each of its steps.
                false => irregular = irregular.max(self.depths.get(&v).copied().unwrap_or(0)),
            }
        }
        Access {
            buffer,
            element: (bytes * len as f64).max(1.0),
            size: b.len as f64 * bytes,
            moves,
            irregular,
            writes,
        }
    }
}
