//! Reads and writes of buffers, and kernels on them.

use std::sync::Arc;

use super::Builder;
use crate::loops::affine::Affine;
use crate::loops::{Buffer, BufferId, BufferKind, Failure, Kernel, Stmt, Value};

impl Builder {
    /// Reads an element.
    pub fn load(&mut self, buffer: BufferId, at: &Affine) -> Value {
        let Buffer { dtype, kind, .. } = *self.buffer_of(buffer);
        let index = self.index_into(buffer, at);
        let lanes = kind == BufferKind::Local || !at.is_uniform();
        let out = self.value(dtype, lanes);
        self.push(Stmt::Load { out, buffer, index });
        out
    }

    /// Reads an element of a buffer that the enclosing nest does not write: once for all reads of
    /// it, and as far out as the index allows, but no farther than depth `floor`, where the nest
    /// begins.
    pub fn load_in_nest(
        &mut self,
        nest: u64,
        floor: usize,
        buffer: BufferId,
        at: &Affine,
    ) -> Value {
        let Buffer { dtype, kind, .. } = *self.buffer_of(buffer);
        let index = self.index_into(buffer, at);
        let key = (nest, buffer, index);
        if let Some(&value) = self.frames.iter().find_map(|f| f.loads.get(&key)) {
            return value;
        }
        let lanes = kind == BufferKind::Local || !at.is_uniform();
        let vector = self.frames.iter().rposition(|f| f.vector.is_some());
        let operands = index.base.into_iter().chain(index.each);
        let depth = operands
            .map(|v| self.depth[v.0 as usize])
            .chain(vector.filter(|_| lanes))
            .fold(floor, usize::max);
        let out = self.value_at(dtype, lanes, depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::Load { out, buffer, index });
        frame.loads.insert(key, out);
        out
    }

    /// The number of open regions around the innermost one.
    pub fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// Writes an element.
    pub fn store(&mut self, buffer: BufferId, at: &Affine, value: Value) {
        let index = self.index_into(buffer, at);
        self.push(Stmt::Store {
            buffer,
            index,
            value,
        });
    }

    /// Copies `len` elements; both indices are uniform.
    pub fn copy(
        &mut self,
        (to, to_index): (BufferId, &Affine),
        (from, from_index): (BufferId, &Affine),
        len: usize,
    ) {
        let to = (to, self.index(to_index));
        let from = (from, self.index(from_index));
        let at = self.origin();
        self.push(Stmt::Copy { to, from, len, at });
    }

    /// A kernel on regions, given by their first elements.
    pub fn kernel(&mut self, kernel: Arc<dyn Kernel>, regions: &[(BufferId, Affine)]) {
        let regions = regions
            .iter()
            .map(|(buffer, at)| (*buffer, self.index(at)))
            .collect();
        let at = self.origin();
        self.push(Stmt::Kernel {
            kernel,
            regions,
            at,
        });
    }

    /// Ends the call with an error.
    pub fn fail(&mut self, failure: Failure) {
        let known = self.program.failures.iter().position(|f| *f == failure);
        let index = known.unwrap_or_else(|| {
            self.program.failures.push(failure);
            self.program.failures.len() - 1
        });
        let failure = index as u32;
        self.push(Stmt::Fail { failure });
    }
}
