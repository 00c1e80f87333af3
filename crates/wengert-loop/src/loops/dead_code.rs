//! Removes unused statements.

use super::{Block, Program, Stmt, Value, walk};

/// Removes pure statements whose value is not used.
pub fn sweep(program: &mut Program) {
    block(&mut program.body, &mut vec![false; program.values.len()]);
    for f in &mut program.functions {
        block(&mut f.body, &mut vec![false; f.values.len()]);
    }
}

/// A value is used only after its definition, so one backward walk finds every use before it
/// reaches the definition. What a loop carries counts as used.
fn block(b: &mut Block, used: &mut [bool]) {
    let mark = |used: &mut [bool], v: Value| used[v.0 as usize] = true;
    for &v in &b.results {
        mark(used, v);
    }
    let mut kept = Vec::with_capacity(b.stmts.len());
    while let Some(mut stmt) = b.stmts.pop() {
        let builds = matches!(stmt, Stmt::ListFinish { .. });
        if !builds && walk::result(&stmt).is_some_and(|out| !used[out.0 as usize]) {
            continue;
        }
        walk::uses(&stmt).iter().for_each(|&v| mark(used, v));
        walk::blocks_mut(&mut stmt)
            .rev()
            .for_each(|inner| block(inner, used));
        kept.push(stmt);
    }
    kept.reverse();
    b.stmts = kept;
}
