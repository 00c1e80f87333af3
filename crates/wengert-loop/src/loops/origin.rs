//! Where statements come from in the user's program.
//!
//! Whoever builds a program may say so ([`Builder::set_source`](super::builder::Builder::set_source)); passes keep it,
//! and back ends make a table of machine code from it. It has no meaning for the code: all origins are equal, and the
//! text form leaves them out.

use super::{Program, Stmt, Value, walk};
use crate::source::SourceId;

/// The place of a statement that defines no value.
#[derive(Clone, Copy, Default, Debug)]
pub struct Origin(pub Option<SourceId>);

impl PartialEq for Origin {
    fn eq(&self, _: &Origin) -> bool {
        true
    }
}

/// The places of values, by their number; empty if they were not asked for.
#[derive(Clone, Default, Debug)]
pub struct Sources(Vec<Option<SourceId>>);

impl PartialEq for Sources {
    fn eq(&self, _: &Sources) -> bool {
        true
    }
}

impl Sources {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the operation that a value was defined for.
    pub fn of(&self, value: Value) -> Option<SourceId> {
        self.0.get(value.0 as usize).copied().flatten()
    }

    /// Sets the place of a value, if there is one.
    pub fn set(&mut self, value: Value, source: Option<SourceId>) {
        if source.is_some() {
            let at = value.0 as usize;
            if self.0.len() <= at {
                self.0.resize(at + 1, None);
            }
            self.0[at] = source;
        }
    }
}

impl Program {
    /// The place of the operation that a statement belongs to, if it is known: of a store, that of what it stores; of a
    /// branch, that of its condition.
    pub fn source_of(&self, stmt: &Stmt) -> Option<SourceId> {
        if let Stmt::Copy { at, .. } | Stmt::Kernel { at, .. } = stmt {
            return at.0;
        }
        if self.sources.is_empty() {
            return None;
        }
        let value = walk::result(stmt).or_else(|| walk::stored(stmt));
        let value = value.map(|v| self.sources.of(v));
        value.unwrap_or_else(|| match stmt {
            Stmt::For(l) => self.sources.of(l.index),
            Stmt::While(l) => {
                let carried = l.carried.first().and_then(|c| self.sources.of(c.param));
                carried.or(l.at)
            }
            Stmt::If(i) => self.sources.of(i.pred),
            Stmt::ListBegin { list } | Stmt::ListPush { list, .. } => {
                self.lists[list.0 as usize].at
            }
            Stmt::Fail { failure } => self.failures[*failure as usize].at,
            _ => None,
        })
    }
}
