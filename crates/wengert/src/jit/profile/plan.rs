//! What a program does in each place, by its plan.

use std::collections::HashMap;

use wengert_ir::cost::cycles;
use wengert_ir::loops::kernel::Access;
use wengert_ir::loops::{
    Block, BufferId, BufferKind, LANES, LoopKind, Program, ScalarOp, Stmt, Value, walk,
};
use wengert_ir::source::SourceId;
use wengert_run::plan::constants;

/// What a program does in one place.
#[derive(Clone, Copy, Default)]
pub(super) struct Work {
    /// How often it runs.
    pub runs: f64,
    /// Bytes.
    pub read: f64,
    pub written: f64,
    /// Bytes of results.
    pub results: f64,
    /// Nanoseconds, roughly.
    pub nanoseconds: f64,
    /// Whether it is in a loop of unknown length, of which these are one step.
    pub per_step: bool,
}

/// The clock that the estimate assumes.
const PER_NANOSECOND: f64 = 3.0;

/// What a program does in each place; without one, what has none.
pub(super) fn work(program: &Program) -> HashMap<Option<SourceId>, Work> {
    let mut walker = Walker {
        program,
        constants: constants(program.values.len(), &program.body),
        bounds: bounds(program),
        work: HashMap::new(),
        here: HashMap::new(),
    };
    walker.body(|w| w.block(&program.body, 1.0, false));
    walker.work
}

/// Upper bounds of lengths that are the smaller of a number and something else: of the last chunk of a loop.
fn bounds(program: &Program) -> HashMap<Value, u64> {
    let constants = constants(program.values.len(), &program.body);
    let mut bounds = HashMap::new();
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::Op {
            out,
            op: ScalarOp::Min,
            args,
        } = s
        {
            let known = args.iter().filter_map(|a| constants[a.0 as usize]);
            bounds.extend(known.min().map(|n| (*out, n)));
        }
    });
    bounds
}

struct Walker<'p> {
    program: &'p Program,
    constants: Vec<Option<u64>>,
    /// Upper bounds of numbers that the program computes.
    bounds: HashMap<Value, u64>,
    work: HashMap<Option<SourceId>, Work>,
    /// How often each place runs in the innermost loop, apart from those inside.
    here: HashMap<Option<SourceId>, f64>,
}

impl Walker<'_> {
    /// Walks the body of a loop. Of the statements of a place in it, the one counts that runs most often; copies of it in
    /// other loops, such as for the rest of an array, run besides.
    fn body(&mut self, walk: impl FnOnce(&mut Self)) {
        let around = std::mem::take(&mut self.here);
        walk(self);
        for (source, runs) in std::mem::replace(&mut self.here, around) {
            self.work.entry(source).or_default().runs += runs;
        }
    }

    fn block(&mut self, block: &Block, times: f64, per_step: bool) {
        block
            .stmts
            .iter()
            .for_each(|s| self.stmt(s, times, per_step));
    }

    fn stmt(&mut self, s: &Stmt, times: f64, per_step: bool) {
        match s {
            Stmt::Const { .. } => return,
            Stmt::For(l) => {
                let steps = self
                    .known(l.extent)
                    .or_else(|| self.bounds.get(&l.extent).copied());
                let inner = steps.map_or(1.0, |n| (n as i64).max(0) as f64);
                let unknown = steps.is_none() && l.kind == LoopKind::SERIAL;
                let (times, per_step) = match unknown {
                    true => (1.0, true),
                    false => (times * inner, per_step),
                };
                return self.body(|w| w.block(&l.body, times, per_step));
            }
            Stmt::While(l) => {
                return self.body(|w| {
                    w.block(&l.cond, 1.0, true);
                    w.block(&l.body, 1.0, true);
                });
            }
            Stmt::If(i) => {
                self.block(&i.then, times, per_step);
                self.block(&i.otherwise, times, per_step);
            }
            _ => {}
        }
        let bytes = |b: BufferId| self.program.buffers[b.0 as usize].dtype.bytes() as f64;
        let result = |b: BufferId| {
            matches!(
                self.program.buffers[b.0 as usize].kind,
                BufferKind::Output(_)
            )
        };
        let mut nanoseconds = f64::from(cycles(s).narrow) / PER_NANOSECOND / LANES as f64;
        let (mut read, mut written, mut results) = (0.0, 0.0, 0.0);
        match s {
            Stmt::Load { buffer, .. } => read = bytes(*buffer),
            Stmt::Store { buffer, .. } => {
                written = bytes(*buffer);
                results = f64::from(result(*buffer)) * written;
            }
            Stmt::Copy { to, from, len, .. } => {
                read = bytes(from.0) * *len as f64;
                written = bytes(to.0) * *len as f64;
                results = f64::from(result(to.0)) * written;
                nanoseconds = written / 16.0;
            }
            Stmt::ListStore(to) => written = self.bytes_of(to.value),
            Stmt::ListLoad { out, .. } => read = self.bytes_of(*out),
            Stmt::Kernel {
                kernel, regions, ..
            } => {
                nanoseconds = kernel.nanoseconds();
                for (region, (buffer, _)) in kernel.regions().iter().zip(regions) {
                    let all = (region.len * region.dtype.bytes()) as f64;
                    match region.access {
                        Access::Read => read += all,
                        Access::Write => written += all,
                        Access::Change => {
                            read += all;
                            written += all;
                        }
                    }
                    if region.access != Access::Read && result(*buffer) {
                        results += all;
                    }
                }
            }
            _ => {}
        }
        let source = self.program.source_of(s);
        let runs = self.here.entry(source).or_default();
        *runs = runs.max(times);
        let work = self.work.entry(source).or_default();
        work.read += times * read;
        work.written += times * written;
        work.results += times * results;
        work.nanoseconds += times * nanoseconds;
        work.per_step |= per_step;
    }

    fn known(&self, v: Value) -> Option<u64> {
        self.constants[v.0 as usize]
    }

    fn bytes_of(&self, v: Value) -> f64 {
        self.program.values[v.0 as usize].dtype.bytes() as f64
    }
}

/// Whether a program may use several threads.
pub(super) fn uses_threads(program: &Program) -> bool {
    let mut may = false;
    walk::stmts(&program.body, &mut |s| {
        may |= match s {
            Stmt::Kernel { .. } => true,
            s => walk::loop_kind(s) == Some(LoopKind::Parallel),
        };
    });
    may
}
