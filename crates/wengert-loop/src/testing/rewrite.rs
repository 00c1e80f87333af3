//! What a changed program needs to be a program again: constants for what is gone, types that are
//! honest about lanes, and nothing that nobody uses.

use std::collections::{HashMap, HashSet};

use crate::loops::{
    Block, BufferId, BufferKind, Index, Program, Rows, ScalarOp, Stmt, Value, ValueType, walk,
};

fn index_values(i: &mut Index, f: &mut dyn FnMut(&mut Value)) {
    i.base.iter_mut().chain(&mut i.each).for_each(f);
}

/// The values that a statement uses before it enters any block of its own, to be changed.
pub(super) fn uses_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut Value)) {
    match s {
        Stmt::Const { .. } | Stmt::ListBegin { .. } | Stmt::Fail { .. } => {}
        Stmt::Op { args, .. } | Stmt::Call { args, .. } => args.iter_mut().for_each(f),
        Stmt::Load { index, .. } => index_values(index, f),
        Stmt::Store { index, value, .. } => {
            index_values(index, f);
            f(value);
        }
        Stmt::Copy {
            to_index,
            from_index,
            ..
        } => {
            index_values(to_index, f);
            index_values(from_index, f);
        }
        Stmt::For {
            extent, carried, ..
        } => {
            f(extent);
            carried.iter_mut().for_each(|c| f(&mut c.init));
        }
        Stmt::While { carried, .. } => carried.iter_mut().for_each(|c| f(&mut c.init)),
        Stmt::If { pred, .. } => f(pred),
        Stmt::ListPush { row, .. } => f(row),
        Stmt::ListStore {
            row,
            element,
            value,
            ..
        } => {
            f(row);
            index_values(element, f);
            f(value);
        }
        Stmt::ListFinish { rows, .. } => f(rows),
        Stmt::ListHandle { built, .. } => f(built),
        Stmt::ListRows { handle, .. } => f(handle),
        Stmt::ListLoad { cell, .. } => {
            match &mut cell.rows {
                Rows::Of { built, .. } => f(built),
                Rows::Handle(handle) => f(handle),
            }
            f(&mut cell.row);
            index_values(&mut cell.element, f);
        }
        Stmt::Kernel { regions, .. } => {
            regions.iter_mut().for_each(|(_, i)| index_values(i, f));
        }
    }
}

/// The values that a statement defines itself, to be changed.
fn definitions_mut(s: &mut Stmt, f: &mut dyn FnMut(&mut Value)) {
    match s {
        Stmt::For { index, carried, .. } => {
            f(index);
            for c in carried {
                f(&mut c.param);
                f(&mut c.out);
            }
        }
        Stmt::While { carried, .. } => {
            for c in carried {
                f(&mut c.param);
                f(&mut c.out);
            }
        }
        Stmt::If { outs, .. } => outs.iter_mut().for_each(f),
        Stmt::Const { out, .. }
        | Stmt::Op { out, .. }
        | Stmt::Call { out, .. }
        | Stmt::Load { out, .. }
        | Stmt::ListFinish { out, .. }
        | Stmt::ListHandle { out, .. }
        | Stmt::ListRows { out, .. }
        | Stmt::ListLoad { out, .. } => f(out),
        _ => {}
    }
}

/// Changes every use of a value in a block.
pub(super) fn each_use(block: &mut Block, f: &mut dyn FnMut(&mut Value)) {
    for s in &mut block.stmts {
        uses_mut(s, f);
        for inner in walk::blocks_mut(s) {
            each_use(inner, f);
        }
    }
    block.results.iter_mut().for_each(f);
}

/// Has values stand for others, which may stand for others again.
pub(super) fn substitute(program: &mut Program, by: &HashMap<Value, Value>) {
    each_use(&mut program.body, &mut |v| {
        let mut left = by.len();
        while let Some(&to) = by.get(v).filter(|_| left > 0) {
            *v = to;
            left -= 1;
        }
    });
}

/// Makes a program of what is left of one: what is used and not defined any more becomes zero, and the
/// types say what differs by lane now. It may break rules all the same.
pub(super) fn mended(mut program: Program) -> Program {
    let mut body = std::mem::take(&mut program.body);
    define(&mut program.values, &HashSet::new(), &mut body);
    while prune(&mut body) {}
    retype(&mut program, &mut body);
    program.body = body;
    program
}

/// Defines what is used in a block and nowhere defined, in front of the statement that uses it.
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
        uses_mut(&mut s, &mut |v| missing(values, &known, &mut stmts, v));
        let (mut inside, mut outs) = (known.clone(), vec![]);
        match &s {
            Stmt::For { index, carried, .. } => {
                inside.insert(*index);
                inside.extend(carried.iter().map(|c| c.param));
                outs.extend(carried.iter().map(|c| c.out));
            }
            Stmt::While { carried, .. } => {
                inside.extend(carried.iter().map(|c| c.param));
                outs.extend(carried.iter().map(|c| c.out));
            }
            s => walk::definitions(s, &mut |v| outs.push(v)),
        }
        for block in walk::blocks_mut(&mut s) {
            define(values, &inside, block);
        }
        known.extend(outs);
        stmts.push(s);
    }
    for v in &mut block.results {
        missing(values, &known, &mut stmts, v);
    }
    block.stmts = stmts;
}

/// Takes out values that nobody uses; whether there were any.
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

/// Says anew of straight statements whether what they define differs by lane; what loops and branches
/// give may do so in any case. A value in an index goes where it belongs.
fn retype(program: &mut Program, block: &mut Block) {
    for s in &mut block.stmts {
        if let Stmt::Load { index, .. }
        | Stmt::Store { index, .. }
        | Stmt::ListStore { element: index, .. } = s
        {
            settle(&program.values, index);
        }
        if let Stmt::ListLoad { cell, .. } = s {
            settle(&program.values, &mut cell.element);
        }
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
                    Rows::Of { list, .. } => program.lists[list.0 as usize].lanes,
                    Rows::Handle(handle) => any(&[handle]),
                };
                Some((*out, rows || by_index(&cell.element)))
            }
            _ => None,
        };
        if let Some((out, lanes)) = told {
            program.values[out.0 as usize].lanes = lanes;
        }
        for inner in walk::blocks_mut(s) {
            retype(program, inner);
        }
    }
}

fn settle(values: &[ValueType], index: &mut Index) {
    let lanes = |v: &Value| values[v.0 as usize].lanes;
    if index.base.is_none() {
        index.base = index.each.take_if(|v| !lanes(v));
    }
}

/// Takes out what nothing names, and numbers what is left anew. The arguments that are kept, by their
/// old numbers.
pub(super) fn tidied(mut program: Program) -> (Program, Vec<usize>) {
    let mut named = vec![false; program.buffers.len()];
    walk::stmts(&program.body, &mut |s| {
        walk::buffers(s, &mut |b| named[b.0 as usize] = true);
    });
    for f in &program.functions {
        walk::stmts(&f.body, &mut |s| {
            walk::buffers(s, &mut |b| named[b.0 as usize] = true);
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
        walk::definitions(s, &mut |v| {
            order.insert(v, Value(values.len() as u32));
            values.push(program.values[v.0 as usize]);
        });
    });
    renumber(&mut program.body, &order);
    program.values = values;
    (program, inputs)
}

fn rename_buffers(block: &mut Block, to: &[BufferId]) {
    for s in &mut block.stmts {
        match s {
            Stmt::Load { buffer, .. } | Stmt::Store { buffer, .. } => {
                *buffer = to[buffer.0 as usize]
            }
            Stmt::Copy { to: a, from: b, .. } => {
                *a = to[a.0 as usize];
                *b = to[b.0 as usize];
            }
            Stmt::Kernel { regions, .. } => {
                for (b, _) in regions {
                    *b = to[b.0 as usize];
                }
            }
            _ => {}
        }
        for inner in walk::blocks_mut(s) {
            rename_buffers(inner, to);
        }
    }
}

fn renumber(block: &mut Block, order: &HashMap<Value, Value>) {
    for s in &mut block.stmts {
        uses_mut(s, &mut |v| *v = order[v]);
        definitions_mut(s, &mut |v| *v = order[v]);
        for inner in walk::blocks_mut(s) {
            renumber(inner, order);
        }
    }
    block.results.iter_mut().for_each(|v| *v = order[v]);
}
