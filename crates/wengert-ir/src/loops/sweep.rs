//! Takes out what nobody uses.

use super::{Block, Index, Program, Stmt, Value};

/// Removes pure statements whose value is not used.
pub fn sweep(program: &mut Program) {
    let mut used = vec![false; program.values.len()];
    block(&mut program.body, &mut used);
    for f in &mut program.functions {
        block(&mut f.body, &mut vec![false; f.values.len()]);
    }
}

/// A value is used behind the place where it is defined, so one walk backwards finds every use
/// before the definition; what a loop carries counts as used.
fn block(b: &mut Block, used: &mut [bool]) {
    let mark = |used: &mut [bool], v: Value| used[v.0 as usize] = true;
    for &v in &b.results {
        mark(used, v);
    }
    let mut kept = Vec::with_capacity(b.stmts.len());
    while let Some(mut stmt) = b.stmts.pop() {
        let pure = match &stmt {
            Stmt::Const { out, .. }
            | Stmt::Op { out, .. }
            | Stmt::Call { out, .. }
            | Stmt::Load { out, .. }
            | Stmt::ListHandle { out, .. }
            | Stmt::ListRows { out, .. }
            | Stmt::ListLoad { out, .. } => Some(*out),
            _ => None,
        };
        if pure.is_some_and(|out| !used[out.0 as usize]) {
            continue;
        }
        operands(&stmt, &mut |v| mark(used, v));
        match &mut stmt {
            Stmt::For { body, .. } => block(body, used),
            Stmt::While { cond, body, .. } => {
                block(body, used);
                block(cond, used);
            }
            Stmt::If {
                then, otherwise, ..
            } => {
                block(otherwise, used);
                block(then, used);
            }
            _ => {}
        }
        kept.push(stmt);
    }
    kept.reverse();
    b.stmts = kept;
}

/// The values that a statement itself uses, those in its blocks apart.
pub fn operands(stmt: &Stmt, f: &mut impl FnMut(Value)) {
    let index = |i: &Index, f: &mut dyn FnMut(Value)| {
        i.base.into_iter().chain(i.each).for_each(f);
    };
    match stmt {
        Stmt::Const { .. } | Stmt::ListBegin { .. } | Stmt::Fail { .. } => {}
        Stmt::Op { args, .. } | Stmt::Call { args, .. } => args.iter().copied().for_each(f),
        Stmt::Load { index: i, .. } => index(i, f),
        Stmt::Store {
            index: i, value, ..
        } => {
            index(i, f);
            f(*value);
        }
        Stmt::Copy {
            to_index,
            from_index,
            ..
        } => {
            index(to_index, f);
            index(from_index, f);
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
            index(element, f);
            f(*value);
        }
        Stmt::ListFinish { rows, .. } => f(*rows),
        Stmt::ListHandle { built, .. } => f(*built),
        Stmt::ListRows { handle, .. } => f(*handle),
        Stmt::ListLoad { cell, .. } => {
            f(cell.rows.value());
            f(cell.row);
            index(&cell.element, f);
        }
        Stmt::Kernel { regions, .. } => regions.iter().for_each(|(_, i)| index(i, f)),
    }
}
