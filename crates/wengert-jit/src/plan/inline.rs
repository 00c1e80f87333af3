//! Pure functions move into their callers where they are called rarely. Those that hold a loop stay
//! apart: a call is nothing beside it, and a loop is compiled once.

use std::collections::HashMap;

use smallvec::SmallVec;
use wengert_loop::loops::{Block, Function, Program, ScalarOp, Stmt, Value, ValueType, walk};
use wengert_loop::types::DType;
use wengert_run::library::wide::Wide;

/// Statements that all inlined copies of one function may add up to.
const TOTAL: usize = 600;
/// A function called this often, or less, is always inlined.
const FEW: usize = 4;

/// A copy of the program with functions inlined that are called rarely, but for those in lanes that the
/// runtime has.
pub(crate) fn inline(program: &Program, wide: &[Option<Wide>]) -> Program {
    let mut p = program.clone();
    if p.functions.is_empty() {
        return p;
    }
    let mut calls = vec![0usize; p.functions.len()];
    walk::stmts(&p.body, &mut |s| {
        if let Stmt::Call { function, .. } = s {
            calls[*function as usize] += 1;
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
                loops |= matches!(s, Stmt::While { .. });
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
    };
    p.body = pass.block(body);
    p
}

struct Pass<'a> {
    wide: &'a [Option<Wide>],
    wanted: &'a [bool],
    functions: &'a [Function],
    values: &'a mut Vec<ValueType>,
}

impl Pass<'_> {
    fn block(&mut self, block: Block) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for mut s in block.stmts {
            match &mut s {
                Stmt::Call {
                    out,
                    function,
                    args,
                } if self.wanted[*function as usize]
                    && !(self.wide[*function as usize].is_some() && self.lanes(*out)) =>
                {
                    let f = &self.functions[*function as usize];
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
        let mut names: HashMap<Value, Value> =
            f.params.iter().copied().zip(args.iter().copied()).collect();
        let body = self.rename(f, &f.body, &mut names);
        stmts.extend(body.stmts);
        // A change of bits to the same type is a copy.
        stmts.push(Stmt::Op {
            out,
            op: ScalarOp::Bitcast,
            args: SmallVec::from_slice(&body.results),
        });
    }

    fn fresh(&mut self, dtype: DType, lanes: bool) -> Value {
        self.values.push(ValueType { dtype, lanes });
        Value(self.values.len() as u32 - 1)
    }

    fn lanes(&self, v: Value) -> bool {
        self.values[v.0 as usize].lanes
    }

    fn rename(&mut self, f: &Function, block: &Block, names: &mut HashMap<Value, Value>) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for s in &block.stmts {
            let dtype = |v: Value| f.values[v.0 as usize];
            stmts.push(match s {
                Stmt::Const { out, bits } => {
                    let new = self.fresh(dtype(*out), false);
                    names.insert(*out, new);
                    Stmt::Const {
                        out: new,
                        bits: *bits,
                    }
                }
                Stmt::Op { out, op, args } => {
                    let args: SmallVec<[Value; 3]> = args.iter().map(|a| names[a]).collect();
                    let lanes = *op != ScalarOp::Any && args.iter().any(|&a| self.lanes(a));
                    let new = self.fresh(dtype(*out), lanes);
                    names.insert(*out, new);
                    Stmt::Op {
                        out: new,
                        op: *op,
                        args,
                    }
                }
                Stmt::Load { out, buffer, index } => {
                    let mut index = *index;
                    index.base = index.base.map(|v| names[&v]);
                    index.each = index.each.map(|v| names[&v]);
                    let lanes = index.base.iter().chain(&index.each).any(|&v| self.lanes(v));
                    let new = self.fresh(dtype(*out), lanes);
                    names.insert(*out, new);
                    Stmt::Load {
                        out: new,
                        buffer: *buffer,
                        index,
                    }
                }
                Stmt::If {
                    pred,
                    then,
                    otherwise,
                    outs,
                } => {
                    let pred = names[pred];
                    let then = self.rename(f, then, names);
                    let otherwise = self.rename(f, otherwise, names);
                    let outs = outs
                        .iter()
                        .zip(then.results.iter().zip(&otherwise.results))
                        .map(|(&o, (&a, &b))| {
                            let lanes = self.lanes(pred) || self.lanes(a) || self.lanes(b);
                            let new = self.fresh(dtype(o), lanes);
                            names.insert(o, new);
                            new
                        })
                        .collect();
                    Stmt::If {
                        pred,
                        then,
                        otherwise,
                        outs,
                    }
                }
                other => panic!("a pure function holds {other:?}"),
            });
        }
        let results = block.results.iter().map(|v| names[v]).collect();
        Block { stmts, results }
    }
}
