//! Unrolls short loops, so that the elements of small arrays are accessed at known indices and can
//! be kept in registers ([`promote`](super::promote)).

use std::collections::HashMap;

use super::replay::{Replay, Rewrite, same, stmts};
use super::{
    Block, BufferId, BufferKind, FoldOp, For, LANES, LoopKind, Program, ScalarOp, Stmt, Value, walk,
};

/// The largest number of steps of a loop that is unrolled.
const STEPS: usize = 16;
/// The largest number of statements that a loop nest is unrolled to.
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
    /// The values that an unrolled vector loop leaves in each lane, to be folded.
    copies: HashMap<Value, [Value; LANES]>,
}

impl<'p> Rewrite<'p> for Unroll<'p> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        match stmt {
            Stmt::For(l) => {
                let extent = self.r.b.known(self.r.get(l.extent));
                match extent.and_then(|n| self.steps(l.kind, n as i64, &l.body)) {
                    Some(n) if l.kind == LoopKind::Vector => self.lanes(n, l),
                    Some(n) => self.serial(n, l),
                    None => same(self, stmt),
                }
            }
            Stmt::If(i) => match self.r.b.known(self.r.get(i.pred)) {
                Some(holds) => {
                    let branch = if holds == 1 { &i.then } else { &i.otherwise };
                    stmts(self, branch);
                    for (&out, value) in i.outs.iter().zip(self.r.results(branch)) {
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
    /// The number of steps of a loop, if it is to be unrolled.
    fn steps(&self, kind: LoopKind, extent: i64, body: &Block) -> Option<usize> {
        let n = extent.max(0) as usize;
        let statements = n * self.size(body, STATEMENTS)?;
        let worth = match kind {
            LoopKind::Serial { .. } => true,
            LoopKind::Parallel => false,
            // Lanes pay off if there are many steps, or if a step is expensive.
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

    /// The approximate number of statements that a block is unrolled to; `None` if it exceeds
    /// `most`, or if a loop remains.
    fn size(&self, block: &Block, most: usize) -> Option<usize> {
        let mut sum = block.stmts.len();
        if sum > most {
            return None;
        }
        for s in &block.stmts {
            let times = match s {
                Stmt::For(l) => {
                    let known = self.known.get(&l.extent).map(|&n| n as usize);
                    known.filter(|&n| n <= STEPS)?
                }
                Stmt::While(_) => return None,
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
            let kind = |b: &BufferId| self.r.old.buffers[b.0 as usize].kind;
            all &= walk::buffers(s)
                .iter()
                .all(|b| kind(b) != BufferKind::Local);
            all &= matches!(
                s,
                Stmt::Const { .. }
                    | Stmt::Op { .. }
                    | Stmt::Load { .. }
                    | Stmt::Store { .. }
                    | Stmt::Copy { .. }
                    | Stmt::For(_)
                    | Stmt::If(_)
                    | Stmt::ListRows { .. }
                    | Stmt::Kernel { .. }
                    | Stmt::Fail { .. }
            );
        });
        all
    }

    fn serial(&mut self, n: usize, l: &'p For) {
        let reverse = l.kind == LoopKind::Serial { reverse: true };
        let mut values: Vec<Value> = l.carried.iter().map(|c| self.r.get(c.init)).collect();
        for step in 0..n {
            let i = if reverse { n - 1 - step } else { step };
            values = self.step(i, l, &values);
        }
        for (c, value) in l.carried.iter().zip(values) {
            self.r.set(c.out, value);
        }
    }

    /// Unrolls a vector loop. Step `i` updates copy `i mod LANES` of each carried value.
    fn lanes(&mut self, n: usize, l: &'p For) {
        let init: Vec<Value> = l.carried.iter().map(|c| self.r.get(c.init)).collect();
        let mut copies: [Vec<Value>; LANES] = std::array::from_fn(|_| init.clone());
        for i in 0..n {
            let i_value = self.r.b.i64(i as i64);
            let around = self.r.set_lane(Some(i_value));
            let values = std::mem::take(&mut copies[i % LANES]);
            copies[i % LANES] = self.step(i, l, &values);
            self.r.set_lane(around);
        }
        for (k, c) in l.carried.iter().enumerate() {
            let each = std::array::from_fn(|lane| copies[lane][k]);
            self.copies.insert(c.out, each);
        }
    }

    /// Writes a step of a loop. Returns the next values of the carried ones.
    fn step(&mut self, i: usize, l: &'p For, values: &[Value]) -> Vec<Value> {
        let i = self.r.b.i64(i as i64);
        self.r.set(l.index, i);
        for (c, &value) in l.carried.iter().zip(values) {
            self.r.set(c.param, value);
        }
        stmts(self, &l.body);
        self.r.results(&l.body)
    }

    /// Joins the copies pairwise, neighbours first, as the fold is defined.
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
