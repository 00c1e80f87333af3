//! Repairs a changed program: constants for missing values, types that say correctly what differs
//! by lane, and no unused values.

use std::collections::{HashMap, HashSet};

use crate::loops::{
    Block, BufferId, BufferKind, Index, Program, Rows, ScalarOp, Stmt, Value, ValueType, walk,
};

/// Changes every use of a value in a block.
pub(super) fn each_use(block: &mut Block, f: &mut dyn FnMut(&mut Value)) {
    for s in &mut block.stmts {
        walk::uses_mut(s, f);
        walk::blocks_mut(s).for_each(|inner| each_use(inner, f));
    }
    block.results.iter_mut().for_each(f);
}

/// Replaces values by others, which may be replaced in turn.
pub(super) fn substitute(program: &mut Program, by: &HashMap<Value, Value>) {
    each_use(&mut program.body, &mut |v| {
        let mut left = by.len();
        while let Some(&to) = by.get(v).filter(|_| left > 0) {
            *v = to;
            left -= 1;
        }
    });
}

/// Repairs a program after statements were removed: values that are used but no longer defined
/// become zero, and the types are recomputed. The result may still break other rules of the IR.
pub(super) fn mended(mut program: Program) -> Program {
    let mut body = std::mem::take(&mut program.body);
    define(&mut program.values, &HashSet::new(), &mut body);
    while prune(&mut body) {}
    retype(&mut program, &mut body);
    program.body = body;
    program
}

/// Defines the values that a block uses without a definition, before the statement that uses them.
fn define(values: &mut Vec<ValueType>, known: &HashSet<Value>, block: &mut Block) {
    fn missing(
        values: &mut Vec<ValueType>,
        known: &HashSet<Value>,
        stmts: &mut Vec<Stmt>,
        v: &mut Value,
    ) {
        if !known.contains(v) {
            let dtype = values[v.0 as usize].dtype;
            *v = Value(values.len() as u32);
            let lanes = false;
            values.push(ValueType { dtype, lanes });
            stmts.push(Stmt::Const { out: *v, bits: 0 });
        }
    }
    let mut known = known.clone();
    let mut stmts = vec![];
    for mut s in std::mem::take(&mut block.stmts) {
        walk::uses_mut(&mut s, &mut |v| missing(values, &known, &mut stmts, v));
        let mut inside = known.clone();
        inside.extend(walk::params(&s));
        for block in walk::blocks_mut(&mut s) {
            define(values, &inside, block);
        }
        known.extend(walk::outs(&s));
        stmts.push(s);
    }
    for v in &mut block.results {
        missing(values, &known, &mut stmts, v);
    }
    block.stmts = stmts;
}

/// Removes unused values. Returns whether there were any.
fn prune(body: &mut Block) -> bool {
    let mut used = HashSet::new();
    each_use(body, &mut |v| {
        used.insert(*v);
    });
    fn go(block: &mut Block, used: &HashSet<Value>) -> bool {
        let before = block.stmts.len();
        block.stmts.retain(|s| match walk::result(s) {
            Some(out) => used.contains(&out),
            None => true,
        });
        let mut changed = block.stmts.len() < before;
        for s in &mut block.stmts {
            for inner in walk::blocks_mut(s) {
                changed |= go(inner, used);
            }
        }
        changed
    }
    go(body, &used)
}

/// Recomputes whether the results of statements without blocks differ by lane; the results of loops
/// and branches may differ in any case. Also moves a uniform value from an index's `each` to its
/// `base`.
fn retype(program: &mut Program, block: &mut Block) {
    walk::stmts_mut(block, &mut |s| {
        walk::indices_mut(s, &mut |index| settle(&program.values, index));
        let any = |args: &[Value]| args.iter().any(|a| program.values[a.0 as usize].lanes);
        let by_index = |i: &Index| i.stride != 0 || i.each.is_some();
        let local = |b: &BufferId| program.buffers[b.0 as usize].kind == BufferKind::Local;
        let told = match &*s {
            Stmt::Const { out, .. } => Some((*out, false)),
            Stmt::Op { out, op, args } => {
                let joins = matches!(op, ScalarOp::Fold(_) | ScalarOp::Any);
                Some((*out, !joins && any(args)))
            }
            Stmt::Call { out, args, .. } => Some((*out, any(args))),
            Stmt::Load { out, buffer, index } => Some((*out, by_index(index) || local(buffer))),
            Stmt::ListRows { out, handle } => Some((*out, any(&[*handle]))),
            Stmt::ListLoad { out, cell } => {
                let rows = match cell.rows {
                    Rows::Of(of) => program.lists[of.list.0 as usize].lanes,
                    Rows::Handle(handle) => any(&[handle]),
                };
                Some((*out, rows || by_index(&cell.element)))
            }
            _ => None,
        };
        if let Some((out, lanes)) = told {
            program.values[out.0 as usize].lanes = lanes;
        }
    });
}

fn settle(values: &[ValueType], index: &mut Index) {
    let lanes = |v: &Value| values[v.0 as usize].lanes;
    if index.base.is_none() {
        index.base = index.each.take_if(|v| !lanes(v));
    }
}

/// Removes everything that is not referenced and renumbers the rest. Also returns the old numbers
/// of the arguments that are kept.
pub(super) fn tidied(mut program: Program) -> (Program, Vec<usize>) {
    let mut named = vec![false; program.buffers.len()];
    let functions = program.functions.iter().map(|f| &f.body);
    for body in functions.chain([&program.body]) {
        walk::stmts(body, &mut |s| {
            (walk::buffers(s).iter()).for_each(|b| named[b.0 as usize] = true);
        });
    }
    let mut kept = vec![];
    let (mut inputs, mut tables) = (vec![], vec![]);
    let mut buffers = vec![];
    for (b, named) in program.buffers.iter().zip(named) {
        kept.push(BufferId(buffers.len() as u32));
        if !named {
            continue;
        }
        let mut b = b.clone();
        if let BufferKind::Input(n) = &mut b.kind {
            let old = *n as usize;
            *n = inputs.len() as u32;
            inputs.push(old);
        }
        if let BufferKind::Constant(n) = &mut b.kind {
            tables.push(program.constants[*n as usize].clone());
            *n = tables.len() as u32 - 1;
        }
        buffers.push(b);
    }
    let mut results: Vec<u32> = vec![];
    for b in &buffers {
        if let BufferKind::Output(n) = b.kind {
            results.push(n);
        }
    }
    results.sort_unstable();
    for b in &mut buffers {
        if let BufferKind::Output(n) = &mut b.kind {
            *n = results.iter().position(|r| r == n).expect("it is one") as u32;
        }
    }
    program.buffers = buffers;
    program.constants = tables;
    for f in &mut program.functions {
        rename_buffers(&mut f.body, &kept);
    }
    rename_buffers(&mut program.body, &kept);
    let mut order: HashMap<Value, Value> = HashMap::new();
    let mut values = vec![];
    walk::stmts(&program.body, &mut |s| {
        for v in walk::definitions(s) {
            order.insert(v, Value(values.len() as u32));
            values.push(program.values[v.0 as usize]);
        }
    });
    renumber(&mut program.body, &order);
    program.values = values;
    (program, inputs)
}

fn rename_buffers(block: &mut Block, to: &[BufferId]) {
    walk::stmts_mut(block, &mut |s| {
        walk::buffers_mut(s, &mut |b| *b = to[b.0 as usize]);
    });
}

fn renumber(block: &mut Block, order: &HashMap<Value, Value>) {
    walk::stmts_mut(block, &mut |s| {
        walk::definitions_mut(s, &mut |v| *v = order[v])
    });
    each_use(block, &mut |v| *v = order[v]);
}
