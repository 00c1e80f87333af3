//! Short loops become straight lines: so that elements of small arrays are reached at places that are
//! known, and can be kept in registers ([`promote`](super::promote)).

use std::collections::HashMap;

use super::replay::{Replay, Rewrite, same, stmts};
use super::{
    Block, BufferKind, Carried, FoldOp, LANES, LoopKind, Program, ScalarOp, Stmt, Value, walk,
};

/// Steps of a loop that is unrolled, at most.
const STEPS: usize = 16;
/// Statements that a loop nest may become.
const STATEMENTS: usize = 192;

/// The program with its short loops unrolled.
pub fn unroll(program: &Program) -> Program {
    let mut known = HashMap::new();
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::Const { out, bits } = s {
            known.insert(*out, *bits);
        }
    });
    let pass = Unroll {
        r: Replay::new(program),
        known,
        copies: HashMap::new(),
    };
    pass.rewrite()
}

struct Unroll<'p> {
    r: Replay<'p>,
    /// The constants of the old program.
    known: HashMap<Value, u64>,
    /// What an unrolled vector loop leaves in each lane, to be folded.
    copies: HashMap<Value, [Value; LANES]>,
}

impl<'p> Rewrite<'p> for Unroll<'p> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        match stmt {
            Stmt::For {
                kind,
                extent,
                index,
                carried,
                body,
            } => {
                let extent = self.r.b.known(self.r.get(*extent));
                match extent.and_then(|n| self.steps(*kind, n as i64, body)) {
                    Some(n) if *kind == LoopKind::Vector => self.lanes(n, *index, carried, body),
                    Some(n) => {
                        let reverse = *kind == LoopKind::Serial { reverse: true };
                        self.serial(n, reverse, *index, carried, body);
                    }
                    None => same(self, stmt),
                }
            }
            Stmt::If {
                pred,
                then,
                otherwise,
                outs,
            } => match self.r.b.known(self.r.get(*pred)) {
                Some(holds) => {
                    let branch = if holds == 1 { then } else { otherwise };
                    stmts(self, branch);
                    for (&out, value) in outs.iter().zip(self.r.results(branch)) {
                        self.r.set(out, value);
                    }
                }
                None => same(self, stmt),
            },
            Stmt::Op {
                out,
                op: ScalarOp::Fold(fold),
                args,
            } if self.copies.contains_key(&args[0]) => {
                let joined = self.joined(*fold, &self.copies[&args[0]].clone());
                self.r.set(*out, joined);
            }
            _ => same(self, stmt),
        }
    }
}

impl<'p> Unroll<'p> {
    /// How many steps a loop has, if it is to be unrolled.
    fn steps(&self, kind: LoopKind, extent: i64, body: &Block) -> Option<usize> {
        let n = extent.max(0) as usize;
        let statements = n * self.size(body, STATEMENTS)?;
        let worth = match kind {
            LoopKind::Serial { .. } => true,
            LoopKind::Parallel => false,
            // Lanes are quick at what takes long, and where there are many.
            LoopKind::Vector => {
                let simple = (body.stmts.iter())
                    .all(|s| matches!(s, Stmt::Load { .. } | Stmt::Store { .. } | Stmt::Op { .. }));
                let most = match body.stmts.len() {
                    0..=4 => STEPS,
                    _ if simple => LANES + 1,
                    _ => LANES / 2,
                };
                n <= most && self.is_unrollable(body)
            }
        };
        (worth && n <= STEPS && statements <= STATEMENTS).then_some(n)
    }

    /// About how many statements a block becomes; `None` if more than `most`, or if a loop stays in it.
    fn size(&self, block: &Block, most: usize) -> Option<usize> {
        let mut sum = block.stmts.len();
        if sum > most {
            return None;
        }
        for s in &block.stmts {
            let times = match s {
                Stmt::For { extent, .. } => {
                    let known = self.known.get(extent).map(|&n| n as usize);
                    known.filter(|&n| n <= STEPS)?
                }
                Stmt::While { .. } => return None,
                _ => 1,
            };
            let inner: Option<usize> = walk::blocks(s).map(|b| self.size(b, most)).sum();
            sum += inner? * times;
        }
        (sum <= most).then_some(sum)
    }

    /// Whether the body of a vector loop means the same for one element alone.
    fn is_unrollable(&self, body: &Block) -> bool {
        let mut all = true;
        walk::stmts(body, &mut |s| {
            walk::buffers(s, &mut |b| {
                let kind = self.r.old.buffers[b.0 as usize].kind;
                all &= kind != BufferKind::Local;
            });
            all &= !matches!(
                s,
                Stmt::ListBegin { .. }
                    | Stmt::ListPush { .. }
                    | Stmt::ListStore { .. }
                    | Stmt::ListFinish { .. }
                    | Stmt::ListHandle { .. }
                    | Stmt::ListLoad { .. }
                    | Stmt::Call { .. }
                    | Stmt::While { .. }
            );
        });
        all
    }

    fn serial(
        &mut self,
        n: usize,
        reverse: bool,
        index: Value,
        carried: &'p [Carried],
        body: &'p Block,
    ) {
        let mut values: Vec<Value> = carried.iter().map(|c| self.r.get(c.init)).collect();
        for step in 0..n {
            let i = if reverse { n - 1 - step } else { step };
            values = self.step(i, index, carried, &values, body);
        }
        for (c, value) in carried.iter().zip(values) {
            self.r.set(c.out, value);
        }
    }

    /// Step `i` works on copy `i` modulo the number of lanes of what a vector loop carries.
    fn lanes(&mut self, n: usize, index: Value, carried: &'p [Carried], body: &'p Block) {
        let init: Vec<Value> = carried.iter().map(|c| self.r.get(c.init)).collect();
        let mut copies: [Vec<Value>; LANES] = std::array::from_fn(|_| init.clone());
        for i in 0..n {
            let i_value = self.r.b.i64(i as i64);
            let around = self.r.set_lane(Some(i_value));
            let values = std::mem::take(&mut copies[i % LANES]);
            copies[i % LANES] = self.step(i, index, carried, &values, body);
            self.r.set_lane(around);
        }
        for (k, c) in carried.iter().enumerate() {
            self.copies
                .insert(c.out, std::array::from_fn(|l| copies[l][k]));
        }
    }

    /// Writes a step of a loop here: what it carries on.
    fn step(
        &mut self,
        i: usize,
        index: Value,
        carried: &'p [Carried],
        values: &[Value],
        body: &'p Block,
    ) -> Vec<Value> {
        let i = self.r.b.i64(i as i64);
        self.r.set(index, i);
        for (c, &value) in carried.iter().zip(values) {
            self.r.set(c.param, value);
        }
        stmts(self, body);
        self.r.results(body)
    }

    /// Neighbours first, as the operation says.
    fn joined(&mut self, fold: FoldOp, copies: &[Value]) -> Value {
        match copies {
            [one] => *one,
            _ => {
                let (low, high) = copies.split_at(copies.len() / 2);
                let (low, high) = (self.joined(fold, low), self.joined(fold, high));
                self.r.b.op(fold.scalar(), &[low, high])
            }
        }
    }
}
