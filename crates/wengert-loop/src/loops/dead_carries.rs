//! Removes values that loops carry, and branches yield, for nobody but themselves.

use super::dead_code::sweep;
use super::walk::{self, Values};
use super::{Block, For, If, Program, Stmt, Value, While};

/// Removes the carried values of loops and the results of branches that nothing depends on.
pub fn remove(program: &mut Program) {
    let mut pass = Pass {
        from: vec![Values::new(); program.values.len()],
        live: vec![false; program.values.len()],
        found: vec![],
    };
    pass.block(&program.body);
    pass.spread();
    let mut removed = false;
    pass.narrow(&mut program.body, &mut removed);
    if removed {
        sweep(program);
    }
}

struct Pass {
    /// The values that each value is made from.
    from: Vec<Values>,
    live: Vec<bool>,
    /// The live values whose sources have not been visited.
    found: Vec<Value>,
}

impl Pass {
    fn mark(&mut self, v: Value) {
        if !std::mem::replace(&mut self.live[v.0 as usize], true) {
            self.found.push(v);
        }
    }

    fn make(&mut self, v: Value, from: impl IntoIterator<Item = Value>) {
        self.from[v.0 as usize].extend(from);
    }

    fn block(&mut self, block: &Block) {
        for s in &block.stmts {
            match s {
                Stmt::For(For {
                    extent,
                    carried,
                    body,
                    ..
                }) => {
                    self.mark(*extent);
                    for (c, &next) in carried.iter().zip(&body.results) {
                        self.make(c.param, [c.init, next]);
                        self.make(c.out, [c.init, next]);
                    }
                }
                Stmt::While(While {
                    carried,
                    cond,
                    body,
                    ..
                }) => {
                    cond.results.iter().for_each(|&v| self.mark(v));
                    for (c, &next) in carried.iter().zip(&body.results) {
                        self.make(c.param, [c.init, next]);
                        self.make(c.out, [c.init, next]);
                    }
                }
                Stmt::If(If {
                    pred,
                    then,
                    otherwise,
                    outs,
                }) => {
                    self.mark(*pred);
                    for (n, &out) in outs.iter().enumerate() {
                        self.make(out, [then.results[n], otherwise.results[n]]);
                    }
                }
                Stmt::ListFinish { .. } => self.keep(s),
                _ => match walk::result(s) {
                    Some(out) => self.make(out, walk::uses(s)),
                    None => self.keep(s),
                },
            }
            walk::blocks(s).for_each(|b| self.block(b));
        }
    }

    /// Marks what a statement with an effect uses.
    fn keep(&mut self, s: &Stmt) {
        walk::uses(s).into_iter().for_each(|v| self.mark(v));
    }

    fn spread(&mut self) {
        while let Some(v) = self.found.pop() {
            let from = std::mem::take(&mut self.from[v.0 as usize]);
            from.into_iter().for_each(|v| self.mark(v));
        }
    }

    fn narrow(&self, block: &mut Block, removed: &mut bool) {
        let is_live = |v: &Value| self.live[v.0 as usize];
        for s in &mut block.stmts {
            let kept: Vec<bool> = match s {
                Stmt::For(For { carried, .. }) | Stmt::While(While { carried, .. }) => {
                    let live = carried.iter().map(|c| is_live(&c.param) || is_live(&c.out));
                    live.collect()
                }
                Stmt::If(i) => i.outs.iter().map(is_live).collect(),
                _ => continue,
            };
            if kept.contains(&false) {
                *removed = true;
                match s {
                    Stmt::For(For { carried, body, .. })
                    | Stmt::While(While { carried, body, .. }) => {
                        retain(carried, &kept);
                        retain(&mut body.results, &kept);
                    }
                    Stmt::If(i) => {
                        retain(&mut i.outs, &kept);
                        retain(&mut i.then.results, &kept);
                        retain(&mut i.otherwise.results, &kept);
                    }
                    _ => {}
                }
            }
            walk::blocks_mut(s).for_each(|b| self.narrow(b, removed));
        }
    }
}

fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    all.retain(|_| *kept.next().expect("one for each"));
}
