//! Walking over statements: the values that they define and use, the memory that they access, the
//! blocks that they hold. A pass that wants no more than this does not match on statements.

use smallvec::SmallVec;

use super::{Block, BufferId, For, If, Index, ListStore, LoopKind, Rows, Stmt, Value, While};

/// An access of a statement to a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// What it does there.
    pub kind: AccessKind,
    /// The buffer.
    pub buffer: BufferId,
    /// The first element.
    pub index: Index,
}

/// What an access does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessKind {
    /// It reads.
    Read,
    /// It writes.
    Write,
    /// It is a kernel's, which reads and writes in an order of its own.
    Kernel,
}

/// Visits every statement, outer ones before the ones inside.
pub fn stmts<'a>(block: &'a Block, f: &mut dyn FnMut(&'a Stmt)) {
    for s in &block.stmts {
        f(s);
        blocks(s).for_each(|b| stmts(b, f));
    }
}

/// Visits every statement, outer ones before the ones inside, to change it.
pub fn stmts_mut(block: &mut Block, f: &mut dyn FnMut(&mut Stmt)) {
    for s in &mut block.stmts {
        f(s);
        blocks_mut(s).for_each(|b| stmts_mut(b, f));
    }
}

/// Some values of a statement.
pub type Values = SmallVec<[Value; 4]>;

/// The accesses to buffers that a statement makes itself; of a copy, the read first.
pub fn accesses(s: &Stmt) -> SmallVec<[Access; 2]> {
    let mut all = SmallVec::new();
    each_access(s, &mut |kind, &buffer, &index| {
        let access = Access {
            kind,
            buffer,
            index,
        };
        all.push(access);
    });
    all
}

/// The buffers that a statement names itself.
pub fn buffers(s: &Stmt) -> SmallVec<[BufferId; 2]> {
    let mut all = SmallVec::new();
    each_access(s, &mut |_, &buffer, _| all.push(buffer));
    all
}

/// The buffers that a statement names itself, to be changed.
pub fn buffers_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut BufferId)) {
    each_access_mut(s, &mut |_, buffer, _| f(buffer));
}

/// The values that a statement uses before it enters any block of its own.
pub fn uses(s: &Stmt) -> Values {
    let mut all = SmallVec::new();
    each_use(s, &mut |&v| all.push(v));
    all
}

/// The values that a statement defines inside of its blocks: indices and parameters of loops.
pub fn params(s: &Stmt) -> Values {
    let mut all = SmallVec::new();
    each_param(s, &mut |&v| all.push(v));
    all
}

/// The values that a statement defines for the statements after it.
pub fn outs(s: &Stmt) -> Values {
    let mut all = SmallVec::new();
    each_out(s, &mut |&v| all.push(v));
    all
}

/// The values that a statement defines, those that the statements of its blocks define aside.
pub fn definitions(s: &Stmt) -> Values {
    let mut all = params(s);
    all.extend(outs(s));
    all
}

/// The values that a statement defines, to be changed.
pub fn definitions_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut Value)) {
    each_param_mut(s, f);
    each_out_mut(s, f);
}

/// The value that a statement without blocks defines.
pub fn result(s: &Stmt) -> Option<Value> {
    each_result(s).copied()
}

/// The value that a statement without blocks defines, to be changed.
pub fn result_mut(s: &mut Stmt) -> Option<&mut Value> {
    each_result_mut(s)
}

/// The indices that a statement has, into buffers and fields of rows, to be changed.
pub fn indices_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut Index)) {
    each_index_mut(s, f);
}

/// The values that a statement uses before it enters any block of its own, to be changed.
pub fn uses_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut Value)) {
    each_use_mut(s, f);
}

/// The value that a statement without blocks writes to memory or to a list.
pub fn stored(s: &Stmt) -> Option<Value> {
    match s {
        Stmt::Store { value, .. } | Stmt::ListStore(ListStore { value, .. }) => Some(*value),
        _ => None,
    }
}

/// How the steps of a loop run; those of a [`Stmt::While`] run one after the other.
pub fn loop_kind(s: &Stmt) -> Option<LoopKind> {
    match s {
        Stmt::For(l) => Some(l.kind),
        Stmt::While(_) => Some(LoopKind::SERIAL),
        _ => None,
    }
}

/// Defines each walk for a statement that is looked at, or with `mut`, for one that is changed.
macro_rules! walks {
    ($($mut:ident)? => $blocks:ident, $each_result:ident, $each_access:ident, $each_index:ident, $each_use:ident,
     $each_param:ident, $each_out:ident) => {
        /// The blocks that a statement holds, in order.
        pub fn $blocks(s: &$($mut)? Stmt) -> impl DoubleEndedIterator<Item = &$($mut)? Block> {
            let (a, b) = match s {
                Stmt::For(For { body, .. }) => (Some(body), None),
                Stmt::While(While { cond, body, .. }) => (Some(cond), Some(body)),
                Stmt::If(If { then, otherwise, .. }) => (Some(then), Some(otherwise)),
                _ => (None, None),
            };
            a.into_iter().chain(b)
        }

        fn $each_result(s: &$($mut)? Stmt) -> Option<&$($mut)? Value> {
            match s {
                Stmt::Const { out, .. }
                | Stmt::Op { out, .. }
                | Stmt::Call { out, .. }
                | Stmt::Load { out, .. }
                | Stmt::ListFinish { out, .. }
                | Stmt::ListHandle { out, .. }
                | Stmt::ListRows { out, .. }
                | Stmt::ListLoad { out, .. } => Some(out),
                _ => None,
            }
        }

        fn $each_access(
            s: &$($mut)? Stmt,
            f: &mut dyn FnMut(AccessKind, &$($mut)? BufferId, &$($mut)? Index),
        ) {
            match s {
                Stmt::Load { buffer, index, .. } => f(AccessKind::Read, buffer, index),
                Stmt::Store { buffer, index, .. } => f(AccessKind::Write, buffer, index),
                Stmt::Copy { to, from, .. } => {
                    f(AccessKind::Read, &$($mut)? from.0, &$($mut)? from.1);
                    f(AccessKind::Write, &$($mut)? to.0, &$($mut)? to.1);
                }
                Stmt::Kernel { regions, .. } => {
                    for (buffer, index) in regions {
                        f(AccessKind::Kernel, buffer, index);
                    }
                }
                _ => {}
            }
        }

        fn $each_index(s: &$($mut)? Stmt, f: &mut dyn FnMut(&$($mut)? Index)) {
            match s {
                Stmt::ListStore(to) => f(&$($mut)? to.element),
                Stmt::ListLoad { cell, .. } => f(&$($mut)? cell.element),
                _ => $each_access(s, &mut |_, _, index| f(index)),
            }
        }

        fn $each_use(s: &$($mut)? Stmt, f: &mut dyn FnMut(&$($mut)? Value)) {
            $each_index(s, &mut |Index { base, each, .. }| base.into_iter().chain(each).for_each(&mut *f));
            match s {
                Stmt::Op { args, .. } | Stmt::Call { args, .. } => args.into_iter().for_each(f),
                Stmt::Store { value, .. } => f(value),
                Stmt::For(For { extent, carried, .. }) => {
                    f(extent);
                    carried.into_iter().for_each(|c| f(&$($mut)? c.init));
                }
                Stmt::While(While { carried, .. }) => {
                    carried.into_iter().for_each(|c| f(&$($mut)? c.init));
                }
                Stmt::If(If { pred, .. }) => f(pred),
                Stmt::ListPush { row, .. } => f(row),
                Stmt::ListStore(ListStore { row, value, .. }) => {
                    f(row);
                    f(value);
                }
                Stmt::ListFinish { rows, .. } => f(rows),
                Stmt::ListHandle { of, .. } => f(&$($mut)? of.built),
                Stmt::ListRows { handle, .. } => f(handle),
                Stmt::ListLoad { cell, .. } => {
                    match &$($mut)? cell.rows {
                        Rows::Of(of) => f(&$($mut)? of.built),
                        Rows::Handle(handle) => f(handle),
                    }
                    f(&$($mut)? cell.row);
                }
                Stmt::Const { .. }
                | Stmt::Load { .. }
                | Stmt::Copy { .. }
                | Stmt::Kernel { .. }
                | Stmt::ListBegin { .. }
                | Stmt::Fail { .. } => {}
            }
        }

        fn $each_param(s: &$($mut)? Stmt, f: &mut dyn FnMut(&$($mut)? Value)) {
            let carried = match s {
                Stmt::For(For { index, carried, .. }) => {
                    f(index);
                    carried
                }
                Stmt::While(While { carried, .. }) => carried,
                _ => return,
            };
            carried.into_iter().for_each(|c| f(&$($mut)? c.param));
        }

        fn $each_out(s: &$($mut)? Stmt, f: &mut dyn FnMut(&$($mut)? Value)) {
            match s {
                Stmt::For(For { carried, .. }) | Stmt::While(While { carried, .. }) => {
                    carried.into_iter().for_each(|c| f(&$($mut)? c.out));
                }
                Stmt::If(If { outs, .. }) => outs.into_iter().for_each(f),
                _ => $each_result(s).into_iter().for_each(f),
            }
        }
    };
}

walks!(=> blocks, each_result, each_access, each_index, each_use, each_param, each_out);
walks!(mut => blocks_mut, each_result_mut, each_access_mut, each_index_mut, each_use_mut, each_param_mut, each_out_mut);
