//! Removes unused statements.

use std::collections::HashMap;

use super::{Block, Carried, For, Program, Stmt, Value, While, walk};

/// Removes pure statements whose value is not used, and values that a loop carries for themselves alone.
pub fn sweep(program: &mut Program) {
    let counted = |body: &Block, values: usize| {
        let mut uses = vec![0; values];
        count(body, &mut uses);
        uses
    };
    let uses = counted(&program.body, program.values.len());
    let mut used = vec![false; program.values.len()];
    block(&mut program.body, &mut used, &uses);
    for f in &mut program.functions {
        let uses = counted(&f.body, f.values.len());
        block(&mut f.body, &mut vec![false; f.values.len()], &uses);
    }
}

/// Counts the uses of each value.
fn count(b: &Block, uses: &mut [u32]) {
    for s in &b.stmts {
        walk::uses(s).iter().for_each(|v| uses[v.0 as usize] += 1);
        walk::blocks(s).for_each(|inner| count(inner, uses));
    }
    b.results.iter().for_each(|v| uses[v.0 as usize] += 1);
}

/// Drops carried values that nothing reads but the one operation that makes the next of them, such as a count of
/// steps that nobody asks for.
fn drop_carried(carried: &mut Vec<Carried>, body: &mut Block, used: &[bool], uses: &[u32]) {
    let times = |v: Value| uses[v.0 as usize];
    let is_candidate = |c: &Carried, next: Value| {
        !used[c.out.0 as usize] && times(c.param) == 1 && times(next) == 1
    };
    let candidates: HashMap<Value, Value> = (carried.iter().zip(&body.results))
        .filter(|&(c, &next)| is_candidate(c, next))
        .map(|(c, &next)| (next, c.param))
        .collect();
    if candidates.is_empty() {
        return;
    }
    let makes = |s: &Stmt| match s {
        Stmt::Op { out, args, .. } => {
            let param = candidates.get(out)?;
            args.contains(param).then_some(*out)
        }
        _ => None,
    };
    let dropped: Vec<Value> = body.stmts.iter().filter_map(makes).collect();
    let stays: Vec<bool> = (body.results.iter())
        .map(|next| !dropped.contains(next))
        .collect();
    let mut each = stays.iter();
    carried.retain(|_| *each.next().expect("a result for each"));
    let mut each = stays.iter();
    body.results.retain(|_| *each.next().unwrap_or(&true));
}

/// A value is used only after its definition, so one backward walk finds every use before it
/// reaches the definition. Most values that a loop carries count as used.
fn block(b: &mut Block, used: &mut [bool], uses: &[u32]) {
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
        if let Stmt::For(For { carried, body, .. }) | Stmt::While(While { carried, body, .. }) =
            &mut stmt
        {
            drop_carried(carried, body, used, uses);
        }
        walk::uses(&stmt).iter().for_each(|&v| mark(used, v));
        walk::blocks_mut(&mut stmt)
            .rev()
            .for_each(|inner| block(inner, used, uses));
        kept.push(stmt);
    }
    kept.reverse();
    b.stmts = kept;
}
