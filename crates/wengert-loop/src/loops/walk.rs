//! Walking over statements: what they hold, use, define and touch.

use super::{Block, BufferId, Index, Stmt, Value};

/// Visits every statement, outer ones before the ones inside.
pub fn stmts<'a>(block: &'a Block, f: &mut dyn FnMut(&'a Stmt)) {
    for s in &block.stmts {
        f(s);
        for b in blocks(s) {
            stmts(b, f);
        }
    }
}

/// The blocks that a statement holds, in order.
pub fn blocks(s: &Stmt) -> impl Iterator<Item = &Block> {
    let (a, b) = match s {
        Stmt::For { body, .. } => (Some(body), None),
        Stmt::While { cond, body, .. } => (Some(cond), Some(body)),
        Stmt::If {
            then, otherwise, ..
        } => (Some(then), Some(otherwise)),
        _ => (None, None),
    };
    a.into_iter().chain(b)
}

/// The same, to be changed.
pub fn blocks_mut(s: &mut Stmt) -> impl DoubleEndedIterator<Item = &mut Block> {
    let (a, b) = match s {
        Stmt::For { body, .. } => (Some(body), None),
        Stmt::While { cond, body, .. } => (Some(cond), Some(body)),
        Stmt::If {
            then, otherwise, ..
        } => (Some(then), Some(otherwise)),
        _ => (None, None),
    };
    a.into_iter().chain(b)
}

fn index_uses(i: &Index, f: &mut dyn FnMut(Value)) {
    i.base.into_iter().chain(i.each).for_each(f);
}

/// The values a statement uses before it enters any block of its own.
pub fn uses(s: &Stmt, f: &mut dyn FnMut(Value)) {
    match s {
        Stmt::Const { .. } | Stmt::ListBegin { .. } | Stmt::Fail { .. } => {}
        Stmt::Op { args, .. } | Stmt::Call { args, .. } => args.iter().copied().for_each(f),
        Stmt::Load { index, .. } => index_uses(index, f),
        Stmt::Store { index, value, .. } => {
            index_uses(index, f);
            f(*value);
        }
        Stmt::Copy {
            to_index,
            from_index,
            ..
        } => {
            index_uses(to_index, f);
            index_uses(from_index, f);
        }
        Stmt::For {
            extent, carried, ..
        } => {
            f(*extent);
            carried.iter().for_each(|c| f(c.init));
        }
        Stmt::While { carried, .. } => carried.iter().for_each(|c| f(c.init)),
        Stmt::If { pred, .. } => f(*pred),
        Stmt::ListPush { row, .. } => f(*row),
        Stmt::ListStore {
            row,
            element,
            value,
            ..
        } => {
            f(*row);
            index_uses(element, f);
            f(*value);
        }
        Stmt::ListFinish { rows, .. } => f(*rows),
        Stmt::ListHandle { built, .. } => f(*built),
        Stmt::ListRows { handle, .. } => f(*handle),
        Stmt::ListLoad { cell, .. } => {
            f(cell.rows.value());
            f(cell.row);
            index_uses(&cell.element, f);
        }
        Stmt::Kernel { regions, .. } => regions.iter().for_each(|(_, i)| index_uses(i, f)),
    }
}

/// The buffers a statement names itself.
pub fn buffers(s: &Stmt, f: &mut dyn FnMut(BufferId)) {
    match s {
        Stmt::Load { buffer, .. } | Stmt::Store { buffer, .. } => f(*buffer),
        Stmt::Copy { to, from, .. } => {
            f(*to);
            f(*from);
        }
        Stmt::Kernel { regions, .. } => regions.iter().for_each(|(b, _)| f(*b)),
        _ => {}
    }
}

/// The value that a statement without blocks defines.
pub fn result(s: &Stmt) -> Option<Value> {
    match s {
        Stmt::Const { out, .. }
        | Stmt::Op { out, .. }
        | Stmt::Call { out, .. }
        | Stmt::Load { out, .. }
        | Stmt::ListFinish { out, .. }
        | Stmt::ListHandle { out, .. }
        | Stmt::ListRows { out, .. }
        | Stmt::ListLoad { out, .. } => Some(*out),
        _ => None,
    }
}

/// The values that a statement defines, those that its blocks define themselves aside.
pub fn definitions(s: &Stmt, f: &mut dyn FnMut(Value)) {
    match s {
        Stmt::For { index, carried, .. } => {
            f(*index);
            carried.iter().for_each(|c| {
                f(c.param);
                f(c.out);
            });
        }
        Stmt::While { carried, .. } => carried.iter().for_each(|c| {
            f(c.param);
            f(c.out);
        }),
        Stmt::If { outs, .. } => outs.iter().copied().for_each(f),
        _ => result(s).into_iter().for_each(f),
    }
}
