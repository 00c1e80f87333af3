//! Inlines pure functions that are called rarely. Functions with a loop are not inlined: a call
//! costs little in comparison, and the loop is compiled once.

use std::collections::HashMap;

use smallvec::SmallVec;
use wengert_loop::loops::{
    Block, Function, Program, ScalarOp, Sources, Stmt, Value, ValueType, walk,
};
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;
use wengert_run::library::wide::Wide;

/// The total number of statements of all inlined copies of one function.
const TOTAL: usize = 600;
/// A function with at most this many calls is always inlined.
const FEW: usize = 4;

/// A copy of the program in which functions that are called rarely are inlined, except calls in
/// lanes of functions that the runtime has.
pub(crate) fn inline(program: &Program, wide: &[Option<Wide>]) -> Program {
    let mut p = program.clone();
    if p.functions.is_empty() {
        return p;
    }
    let mut calls = vec![0usize; p.functions.len()];
    walk::stmts(&p.body, &mut |s| {
        if let Stmt::Call { callee, .. } = s {
            calls[*callee as usize] += 1;
        }
    });
    let wanted: Vec<bool> = p
        .functions
        .iter()
        .zip(&calls)
        .map(|(f, &n)| {
            let (mut size, mut loops) = (0, false);
            walk::stmts(&f.body, &mut |s| {
                size += 1;
                loops |= walk::loop_kind(s).is_some();
            });
            !loops && (n <= FEW || n * size <= TOTAL)
        })
        .collect();
    let body = std::mem::take(&mut p.body);
    let mut pass = Pass {
        wide,
        wanted: &wanted,
        functions: &program.functions,
        values: &mut p.values,
        sources: &mut p.sources,
        source: None,
    };
    p.body = pass.block(body);
    p
}

struct Pass<'a> {
    wide: &'a [Option<Wide>],
    wanted: &'a [bool],
    functions: &'a [Function],
    values: &'a mut Vec<ValueType>,
    sources: &'a mut Sources,
    /// The place of the call that is being replaced.
    source: Option<SourceId>,
}

impl Pass<'_> {
    fn block(&mut self, block: Block) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for mut s in block.stmts {
            match &mut s {
                Stmt::Call { out, callee, args }
                    if self.wanted[*callee as usize]
                        && !(self.wide[*callee as usize].is_some() && self.lanes(*out)) =>
                {
                    let f = &self.functions[*callee as usize];
                    self.expand(f, *out, args, &mut stmts);
                    continue;
                }
                _ => walk::blocks_mut(&mut s).for_each(|b| *b = self.block(std::mem::take(b))),
            }
            stmts.push(s);
        }
        Block {
            stmts,
            results: block.results,
        }
    }

    fn expand(&mut self, f: &Function, out: Value, args: &[Value], stmts: &mut Vec<Stmt>) {
        self.source = self.sources.of(out);
        let mut names: HashMap<Value, Value> =
            f.params.iter().copied().zip(args.iter().copied()).collect();
        let body = self.rename(f, &f.body, &mut names);
        stmts.extend(body.stmts);
        // A bitcast to the same type is a copy.
        stmts.push(Stmt::Op {
            out,
            op: ScalarOp::Bitcast,
            args: SmallVec::from_slice(&body.results),
        });
    }

    fn fresh(&mut self, dtype: DType, lanes: bool) -> Value {
        self.values.push(ValueType { dtype, lanes });
        let value = Value(self.values.len() as u32 - 1);
        self.sources.set(value, self.source);
        value
    }

    fn lanes(&self, v: Value) -> bool {
        self.values[v.0 as usize].lanes
    }

    fn rename(&mut self, f: &Function, block: &Block, names: &mut HashMap<Value, Value>) -> Block {
        let mut stmts = block.stmts.clone();
        for s in &mut stmts {
            walk::uses_mut(s, &mut |v| *v = names[v]);
            for inner in walk::blocks_mut(s) {
                *inner = self.rename(f, inner, names);
            }
            let used = walk::uses(s).iter().any(|&v| self.lanes(v));
            for (n, v) in walk::definitions(s).into_iter().enumerate() {
                let yielded = walk::blocks(s).any(|b| self.lanes(b.results[n]));
                let new = self.fresh(f.values[v.0 as usize], used || yielded);
                names.insert(v, new);
            }
            walk::definitions_mut(s, &mut |v| *v = names[v]);
        }
        let results = block.results.iter().map(|v| names[v]).collect();
        Block { stmts, results }
    }
}
