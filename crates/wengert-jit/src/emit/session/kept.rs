//! Data that compiled code points to.

use std::any::Any;
use std::collections::HashMap;

use wengert_loop::loops::{BufferId, BufferKind};
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;

use super::Session;

/// Free elements on both sides of a table of constants.
pub(in crate::emit) const PAD: usize = 8;

/// The data that compiled code points to, which must live as long as the code.
#[derive(Default)]
pub(crate) struct Kept {
    pub(super) tables: HashMap<u32, Box<[u64]>>,
    pub(super) values: Vec<Box<dyn Any + Send>>,
    pub(super) sources: HashMap<SourceId, Box<SourceId>>,
}

impl Session<'_> {
    /// The number of a table of constants.
    pub(in crate::emit) fn table_number(&self, b: BufferId) -> u32 {
        match self.plan.program.buffers[b.0 as usize].kind {
            BufferKind::Constant(n) => n,
            _ => panic!("not a table of constants"),
        }
    }

    /// The words of a table of constants, of which the first [`PAD`] and the last ones are free.
    pub(in crate::emit) fn table_words(&self, b: BufferId) -> Vec<u64> {
        let program = &self.plan.program;
        let buffer = &program.buffers[b.0 as usize];
        let size = buffer.dtype.bytes();
        let bits = &program.constants[self.table_number(b) as usize];
        let mut words = vec![0u64; PAD + (bits.len() * size).div_ceil(8) + PAD];
        for (i, &x) in bits.iter().enumerate() {
            let x = if buffer.dtype == DType::Bool {
                u64::from(x != 0)
            } else {
                x
            };
            let at = 8 * PAD + i * size;
            let bytes = x.to_le_bytes();
            for (k, &byte) in bytes[..size].iter().enumerate() {
                words[(at + k) / 8] |= u64::from(byte) << (8 * ((at + k) % 8));
            }
        }
        words
    }

    /// The address of a table of constants in this process.
    pub(in crate::emit) fn table(&mut self, b: BufferId) -> i64 {
        let n = self.table_number(b);
        if !self.kept.tables.contains_key(&n) {
            let words = self.table_words(b);
            self.kept.tables.insert(n, words.into_boxed_slice());
        }
        self.kept.tables[&n].as_ptr() as i64 + 8 * PAD as i64
    }

    /// Keeps a value that code points to at a fixed address.
    pub(in crate::emit) fn keep<T: Any + Send>(&mut self, value: T) -> usize {
        keep(&mut self.kept.values, Box::new(value))
    }

    /// A source line of the user, at a fixed address; 0 if it is unknown, and in an object.
    pub(in crate::emit) fn source(&mut self, at: Option<SourceId>) -> usize {
        let at = at.filter(|_| !self.is_linked());
        at.map_or(0, |id| {
            let kept = self.kept.sources.entry(id);
            &raw const **kept.or_insert_with(|| Box::new(id)) as usize
        })
    }
}

/// Keeps a value, and returns its address.
pub(super) fn keep(kept: &mut Vec<Box<dyn Any + Send>>, value: Box<dyn Any + Send>) -> usize {
    let at = (&raw const *value).cast::<()>() as usize;
    kept.push(value);
    at
}
