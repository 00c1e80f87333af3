//! The arguments of a call on their way to the code, and its results on their way back.

use std::cell::Cell;
use std::sync::Arc;

use wengert_ir::buffer::Data;
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::Type;

use crate::array::{Array, Parted, Remote, is_own, recycle};
use crate::tree::{Feed, Known, Node, Sink, Tree, TreeDef};

/// An argument while a call is being set up.
pub(super) enum Argument {
    /// The memory of an array; the call owns it if nobody else holds it.
    Memory(Arc<Data>),
    /// An array on a device.
    Device(Arc<Remote>),
    /// An argument whose memory has become that of this result.
    InResult(usize),
}

impl Argument {
    #[inline]
    pub(super) fn of(parts: Parted) -> Argument {
        match parts {
            Parted::Host(data) => Argument::Memory(data),
            Parted::Device(remote) => Argument::Device(remote),
        }
    }

    /// Takes the memory for a result, if nobody else holds it.
    #[inline]
    pub(super) fn take(&mut self, result: usize) -> Option<Arc<Data>> {
        let Argument::Memory(data) = self else {
            return None;
        };
        if !is_own(data) {
            return None;
        }
        match std::mem::replace(self, Argument::InResult(result)) {
            Argument::Memory(data) => Some(data),
            Argument::Device(_) | Argument::InResult(_) => None,
        }
    }
}

/// Arguments and results of a call. The lists are reused by the next call on the thread.
pub(super) struct Work {
    /// `None` only during drop.
    lists: Option<Box<Lists>>,
}

#[derive(Default)]
pub(super) struct Lists {
    pub args: Vec<Argument>,
    /// The types of the arguments, if they differ from those of a signature.
    types: Vec<Type>,
    /// The structure of the arguments, if it differs from that of a signature.
    structure: Option<TreeDef>,
    pub results: Vec<Arc<Data>>,
}

thread_local! {
    /// The empty lists of an earlier call.
    static LISTS: Cell<Option<Box<Lists>>> = const { Cell::new(None) };
}

/// How the arguments of a call compare with a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// They have its structure and types.
    Same,
    /// They differ from it: see [`Work::structure`] and [`Work::types`].
    Other,
}

impl Work {
    /// Collects the arguments of a call, and compares them with a signature.
    ///
    /// # Errors
    /// If one of them cannot be converted to an array.
    #[inline]
    pub(super) fn feed<T: Tree<Leaf = Array>, A: Feed<T>>(
        args: A,
        def: &TreeDef,
        types: &[Type],
    ) -> Result<(Work, Seen)> {
        let kept = LISTS.try_with(Cell::take).ok().flatten();
        let mut work = Work {
            lists: Some(kept.unwrap_or_default()),
        };
        let lists = work.lists();
        let mut arguments = Arguments {
            structure: Known::new(def),
            types,
            fit: true,
            args: &mut lists.args,
            others: &mut lists.types,
        };
        args.feed(&mut arguments);
        let fit = arguments.fit;
        let structure = arguments.structure.finish()?;
        if fit && structure.is_none() {
            return Ok((work, Seen::Same));
        }
        if fit {
            lists.types.extend_from_slice(&types[..lists.args.len()]);
        }
        lists.structure = structure;
        Ok((work, Seen::Other))
    }

    #[inline]
    pub(super) fn lists(&mut self) -> &mut Lists {
        self.lists.as_mut().expect("taken only by `drop`")
    }

    /// Returns the structure of the arguments, if it differs from that of the signature.
    pub(super) fn structure(&self) -> Option<&TreeDef> {
        self.lists.as_ref()?.structure.as_ref()
    }

    /// Returns the types of the arguments, which were not the [same](Seen::Same) as those of the signature.
    pub(super) fn types(&self) -> &[Type] {
        self.lists.as_ref().map_or(&[], |lists| &lists.types)
    }
}

impl Drop for Work {
    #[inline]
    fn drop(&mut self) {
        let Some(mut lists) = self.lists.take() else {
            return;
        };
        lists.clear();
        // They are freed if the thread is ending.
        let _ = LISTS.try_with(|kept| kept.set(Some(lists)));
    }
}

impl Lists {
    #[inline]
    fn clear(&mut self) {
        // A call that has succeeded leaves nothing.
        if !(self.args.is_empty() && self.results.is_empty()) {
            self.recycle();
        }
        self.types.clear();
        self.structure = None;
    }

    fn recycle(&mut self) {
        for arg in self.args.drain(..) {
            if let Argument::Memory(data) = arg {
                recycle(data);
            }
        }
        self.results.drain(..).for_each(recycle);
    }
}

/// A sink that collects arguments.
struct Arguments<'a> {
    structure: Known<'a>,
    /// The types that the leaves should have.
    types: &'a [Type],
    /// Whether all leaves so far have these types.
    fit: bool,
    args: &'a mut Vec<Argument>,
    /// The types that the leaves have, if they differ.
    others: &'a mut Vec<Type>,
}

impl Arguments<'_> {
    #[inline]
    fn take(&mut self, array: &Array) {
        self.structure.leaf();
        let n = self.args.len();
        if !(self.fit && self.types.get(n).is_some_and(|ty| array.has_type(ty))) {
            self.differs(n, array);
        }
    }

    /// Records the type of leaf `n`, which or one before which differs from that of the signature.
    #[cold]
    fn differs(&mut self, n: usize, array: &Array) {
        if self.fit {
            self.others.extend_from_slice(&self.types[..n]);
            self.fit = false;
        }
        self.others.push(array.ty());
    }
}

impl Sink<Array> for Arguments<'_> {
    #[inline]
    fn node(&mut self, node: Node<'_>) {
        self.structure.node(node);
    }
    #[inline]
    fn leaf(&mut self, array: Array) {
        self.take(&array);
        self.args.push(Argument::of(array.into_parts()));
    }
    #[inline]
    fn shared(&mut self, array: &Array) {
        self.take(array);
        self.args.push(Argument::of(array.parts()));
    }
    fn fail(&mut self, error: Error) {
        self.structure.fail(error);
    }
}
