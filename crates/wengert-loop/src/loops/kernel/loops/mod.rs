//! Kernels as loops of the loop IR, for back ends that have no library.

mod fourier;
mod order;
mod product;
mod roots;
mod words;

use std::borrow::Cow;

use super::Kernel;
use crate::loops::affine::Affine;
use crate::loops::builder::{Builder, Carry};
use crate::loops::replay::{Replay, Rewrite, same};
use crate::loops::{BufferId, BufferKind, LANES, LoopKind, Program, Stmt, Value, walk};
use crate::types::DType;

pub(super) use fourier::fourier;
pub(super) use order::{sort, top_k};
pub(super) use product::product;
pub(super) use words::words;

/// Returns the program with loops instead of the kernels that are `wanted`, as far as there are some
/// ([`Kernel::write_loops`]).
///
/// ```
/// use wengert_loop::loops::kernel::as_loops;
/// use wengert_loop::loops::{Program, Stmt, walk};
///
/// let program = Program::parse("
/// b0: f64[3] output 0
/// b1: f64[6] input 0
/// b2: f64[2] input 1
/// gemm 3x1x2 strides (1, 1) (2, 1) (1, 1): b0[0], b1[0], b2[0]
/// ")?;
/// let loops = as_loops(&program, &|_| true);
/// let mut kernels = 0;
/// walk::stmts(&loops.body, &mut |s| kernels += usize::from(matches!(s, Stmt::Kernel { .. })));
/// assert_eq!(kernels, 0);
/// # Ok::<(), wengert_loop::error::Error>(())
/// ```
pub fn as_loops<'p>(
    program: &'p Program,
    wanted: &dyn Fn(&dyn Kernel) -> bool,
) -> Cow<'p, Program> {
    let mut found = false;
    walk::stmts(&program.body, &mut |s| {
        found |= matches!(s, Stmt::Kernel { kernel, .. } if wanted(&**kernel));
    });
    match found {
        false => Cow::Borrowed(program),
        true => {
            let (r, copies) = (Replay::new(program), false);
            Cow::Owned(Expand { r, wanted, copies }.rewrite())
        }
    }
}

/// Returns the program with loops instead of everything for which a back end calls a library: kernels, as far as there
/// are loops for them, and copies.
pub fn all_as_loops(program: &Program) -> Program {
    let (r, copies) = (Replay::new(program), true);
    let wanted = &|_: &dyn Kernel| true;
    Expand { r, wanted, copies }.rewrite()
}

struct Expand<'p, 'w> {
    r: Replay<'p>,
    wanted: &'w dyn Fn(&dyn Kernel) -> bool,
    /// Whether copies become loops, too.
    copies: bool,
}

impl<'p> Rewrite<'p> for Expand<'p, '_> {
    fn replay(&mut self) -> &mut Replay<'p> {
        &mut self.r
    }

    fn stmt(&mut self, stmt: &'p Stmt) {
        if let Stmt::Kernel {
            kernel, regions, ..
        } = stmt
            && (self.wanted)(&**kernel)
        {
            let regions = regions.iter().map(|(b, i)| (*b, self.r.affine(i)));
            let regions: Vec<(BufferId, Affine)> = regions.collect();
            let b = &mut self.r.b;
            if kernel.write_loops(&mut Site { b, regions }) {
                return;
            }
        }
        if let Stmt::Copy { to, from, len, .. } = stmt
            && self.copies
            && self.r.b.buffer_of(to.0).kind != BufferKind::Local
        {
            let (to, from) = (
                (to.0, self.r.affine(&to.1)),
                (from.0, self.r.affine(&from.1)),
            );
            let regions = vec![to, from];
            let b = &mut self.r.b;
            let mut site = Site { b, regions };
            site.beside(*len, |s, i| {
                let (to, from) = (s.region(0), s.region(1));
                let x = s.get(&from, i);
                s.set(&to, i, x);
            });
            return;
        }
        same(self, stmt);
    }
}

/// The place in a program at which a kernel is written as loops: its regions, and memory for it.
pub struct Site<'b> {
    /// Where the statements go.
    pub b: &'b mut Builder,
    regions: Vec<(BufferId, Affine)>,
}

impl Site<'_> {
    /// Returns a region.
    pub(super) fn region(&self, n: usize) -> Part {
        let (buffer, start) = self.regions[n].clone();
        Part {
            buffer,
            start,
            step: 1,
        }
    }

    /// Returns new memory: for each lane its own in a vector loop.
    pub(super) fn scratch(&mut self, dtype: DType, len: usize) -> Part {
        let kind = match self.b.vector_index() {
            Some(_) => BufferKind::Local,
            None => BufferKind::Task,
        };
        Part {
            buffer: self.b.buffer(dtype, len, kind),
            start: Affine::default(),
            step: 1,
        }
    }

    /// Returns a table of constants.
    pub(super) fn table(&mut self, dtype: DType, bits: Vec<u64>) -> Part {
        Part {
            buffer: self.b.table(dtype, bits),
            start: Affine::default(),
            step: 1,
        }
    }

    /// Reads an element of a part.
    pub(super) fn get(&mut self, part: &Part, at: &Affine) -> Value {
        let at = self.b.add_scaled(&part.start, at, part.step);
        self.b.load(part.buffer, &at)
    }

    /// Writes an element of a part.
    pub(super) fn set(&mut self, part: &Part, at: &Affine, value: Value) {
        let at = self.b.add_scaled(&part.start, at, part.step);
        self.b.store(part.buffer, &at, value);
    }

    /// Returns `a + k * b`.
    pub(super) fn sum(&mut self, a: &Affine, b: &Affine, k: i64) -> Affine {
        self.b.add_scaled(a, b, k)
    }

    /// A constant float of a type.
    pub(super) fn float(&mut self, dtype: DType, x: f64) -> Value {
        let bits = match dtype {
            DType::F32 => u64::from((x as f32).to_bits()),
            _ => x.to_bits(),
        };
        self.b.constant(dtype, bits)
    }

    /// Runs steps one after the other.
    pub(super) fn each(&mut self, extent: usize, body: impl FnOnce(&mut Self, &Affine)) {
        let extent = self.b.i64(extent as i64);
        self.steps(LoopKind::SERIAL, extent, &[], |s, i, _| {
            body(s, i);
            vec![]
        });
    }

    /// Runs independent steps: side by side outside of vector loops.
    pub(super) fn beside(&mut self, extent: usize, body: impl FnOnce(&mut Self, &Affine)) {
        let kind = match self.b.vector_index().is_none() && extent >= LANES {
            true => LoopKind::Vector,
            false => LoopKind::SERIAL,
        };
        let extent = self.b.i64(extent as i64);
        self.steps(kind, extent, &[], |s, i, _| {
            body(s, i);
            vec![]
        });
    }

    /// Runs steps that carry values.
    pub(super) fn steps(
        &mut self,
        kind: LoopKind,
        extent: Value,
        init: &[Value],
        body: impl FnOnce(&mut Self, &Affine, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let carries: Vec<Carry> = init.iter().map(|&v| self.b.carry(v)).collect();
        let (open, params) = self.b.open_for(kind, extent, &carries);
        let i = self.b.affine(open.index);
        let next = body(self, &i, &params);
        self.b.close_for(open, next)
    }
}

/// Elements in memory: those of a region, or each `step`th of them.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub buffer: BufferId,
    pub start: Affine,
    pub step: i64,
}

impl Part {
    /// Each second element, from number `first` on.
    pub(super) fn each_second(&self, first: i64) -> Part {
        Part {
            start: self.start.clone().plus(first * self.step),
            step: 2 * self.step,
            ..*self
        }
    }

    /// The part from an element on.
    pub(super) fn from(&self, s: &mut Site<'_>, at: &Affine) -> Part {
        Part {
            start: s.b.add_scaled(&self.start, at, self.step),
            ..*self
        }
    }
}

#[cfg(test)]
pub(crate) use roots::turn;
