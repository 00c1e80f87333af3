//! Shrinks failing loop programs.

use std::collections::HashMap;
use std::slice::from_ref;

use super::rewrite::{each_use, mended, substitute, tidied};
use super::{difference, outputs};
use crate::buffer::Data;
use crate::loops::interp::{Trial, run_trial};
use crate::loops::verify::verify;
use crate::loops::{Block, For, LoopKind, Program, ScalarOp, Stmt, Value, While, walk};
use crate::types::DType;

/// The steps that the loops of a smaller program may take.
const STEPS: u64 = 1_000_000;

/// The smallest program found that still `fails`, with its arguments. Starting from a failing
/// program, statements are removed, loops run shorter or once, branches become one of their sides,
/// values become others or constants, and arguments become zeros, as long as the program fails.
/// Every program that is tried obeys the rules of the loop IR, ends, reads only memory that it has
/// written, and writes all of its results if the first program does. At most `tries` programs are
/// tried.
///
/// A program that stops with an error in the interpreter is not shrunk.
pub fn shrunk(
    program: &Program,
    inputs: &[Data],
    tries: usize,
    mut fails: impl FnMut(&Program, &[Data]) -> bool,
) -> (Program, Vec<Data>) {
    let mut best = (program.clone(), inputs.to_vec());
    let mut left = tries;
    let whole = writes_all(program, inputs);
    let is_sound = |p: &Program, inputs: &[Data]| {
        has_one_meaning(p, inputs) && (!whole || writes_all(p, inputs))
    };
    'again: loop {
        let mut found = None;
        candidates(&best.0, &best.1, &mut |p, inputs| {
            if left == 0 {
                return true;
            }
            if !is_sound(&p, &inputs) {
                return false;
            }
            left -= 1;
            let is_one = fails(&p, &inputs);
            if is_one {
                found = Some((p, inputs));
            }
            is_one
        });
        match found {
            Some(smaller) => best = smaller,
            None => break 'again,
        }
    }
    let (small, kept) = tidied(best.0.clone());
    let inputs: Vec<Data> = kept.iter().map(|&i| best.1[i].clone()).collect();
    match is_sound(&small, &inputs) && fails(&small, &inputs) {
        true => (small, inputs),
        false => best,
    }
}

/// Whether a program has one meaning: the verifier accepts it, it ends, and its results depend
/// neither on the initial contents of scratch nor on other lanes.
fn has_one_meaning(program: &Program, inputs: &[Data]) -> bool {
    let inputs: Vec<&Data> = inputs.iter().collect();
    let run = |p: &Program, zeros| {
        let mut results = outputs(p);
        let steps = STEPS;
        let ran = run_trial(p, &inputs, &mut results, Trial { steps, zeros });
        ran.ok().map(|()| results)
    };
    if verify(program).is_err() {
        return false;
    }
    let Some(results) = run(program, false) else {
        return false;
    };
    let same = |other: Option<Vec<Data>>| other.is_some_and(|o| difference(&o, &results).is_none());
    if !same(run(program, true)) {
        return false;
    }
    let mut other = program.clone();
    match always(&mut other) {
        true => same(run(&other, false)),
        false => true,
    }
}

/// Whether the results do not depend on the old contents of the outputs. If they do, they may
/// change when an output is written over an argument.
fn writes_all(program: &Program, inputs: &[Data]) -> bool {
    let inputs: Vec<&Data> = inputs.iter().collect();
    let run = |mut results: Vec<Data>| {
        let trial = Trial {
            steps: STEPS,
            zeros: false,
        };
        let ran = run_trial(program, &inputs, &mut results, trial);
        ran.ok().map(|()| results)
    };
    let zeros = outputs(program);
    let others = zeros.iter().map(|d| Data::splat(d.dtype(), d.len(), 1));
    match (run(others.collect()), run(zeros)) {
        (Some(a), Some(b)) => difference(&a, &b).is_none(),
        _ => false,
    }
}

/// Makes branches on the state of any lane always taken. Returns whether there are any.
fn always(program: &mut Program) -> bool {
    let mut asked = vec![];
    walk::stmts(&program.body, &mut |s| {
        if let Stmt::If(i) = s {
            asked.push(i.pred);
        }
    });
    let mut changed = false;
    walk::stmts_mut(&mut program.body, &mut |s| {
        if let &mut Stmt::Op { out, op, .. } = s
            && op == ScalarOp::Any
            && asked.contains(&out)
        {
            *s = Stmt::Const { out, bits: 1 };
            changed = true;
        }
    });
    changed
}

/// The block with this number, outer blocks first.
fn block_mut<'a>(block: &'a mut Block, number: &mut usize) -> Option<&'a mut Block> {
    if *number == 0 {
        return Some(block);
    }
    *number -= 1;
    for s in &mut block.stmts {
        for inner in walk::blocks_mut(s) {
            if let Some(found) = block_mut(inner, number) {
                return Some(found);
            }
        }
    }
    None
}

/// The number of statements of each block, in the same order.
fn lengths(block: &Block, out: &mut Vec<usize>) {
    out.push(block.stmts.len());
    for s in &block.stmts {
        walk::blocks(s).for_each(|b| lengths(b, out));
    }
}

type Take<'a> = dyn FnMut(Program, Vec<Data>) -> bool + 'a;

/// Offers simpler programs, the simplest first, until one is taken.
fn candidates(program: &Program, inputs: &[Data], take: &mut Take<'_>) {
    let mut all = vec![];
    lengths(&program.body, &mut all);
    let largest = all.iter().copied().max().unwrap_or(0);
    let mut offer = |n: usize, change: &mut dyn FnMut(&mut Block, &mut Changes) -> bool| {
        let mut p = program.clone();
        let mut changes = Changes {
            values: std::mem::take(&mut p.values),
            by: HashMap::new(),
        };
        let mut number = n;
        let block = block_mut(&mut p.body, &mut number).expect("it is there");
        if !change(block, &mut changes) {
            return false;
        }
        p.values = changes.values;
        substitute(&mut p, &changes.by);
        take(mended(p), inputs.to_vec())
    };
    // Statements, many at a time.
    let mut size = largest.next_power_of_two();
    while size > 0 {
        for (n, &len) in all.iter().enumerate() {
            for start in (0..len).step_by(size).rev() {
                let end = (start + size).min(len);
                // A larger part of this block has been tried already.
                if size > 1 && size / 2 >= len {
                    continue;
                }
                if offer(n, &mut |b, _| {
                    let is_constant = |s: &Stmt| matches!(s, Stmt::Const { .. });
                    let all = b.stmts[start..end].iter().all(is_constant);
                    b.stmts.drain(start..end);
                    !all
                }) {
                    return;
                }
            }
        }
        size /= 2;
    }
    // One statement, in each way it can be simpler.
    for (n, &len) in all.iter().enumerate() {
        for k in 0..len {
            for way in 0..4 {
                if offer(n, &mut |b, c| c.simplify(b, k, way)) {
                    return;
                }
            }
        }
    }
    for (i, data) in inputs.iter().enumerate() {
        let zeros = Data::zeros(data.dtype(), data.len());
        if difference(from_ref(&zeros), from_ref(data)).is_some() {
            let mut inputs = inputs.to_vec();
            inputs[i] = zeros;
            if take(program.clone(), inputs) {
                return;
            }
        }
    }
}

/// The values after a change.
struct Changes {
    values: Vec<crate::loops::ValueType>,
    /// The replacement of each replaced value.
    by: HashMap<Value, Value>,
}

impl Changes {
    /// Simplifies a statement in the given way. Returns whether it can be.
    fn simplify(&mut self, block: &mut Block, k: usize, way: usize) -> bool {
        let values = &self.values;
        match &mut block.stmts[k] {
            Stmt::Const { out, bits } => {
                let dtype = values[out.0 as usize].dtype;
                let simpler = match (way, dtype) {
                    (0, _) => 0,
                    (1, DType::F64) => 1f64.to_bits(),
                    (1, DType::F32) => 1f32.to_bits().into(),
                    (1, _) => 1,
                    (2, DType::I64) if (*bits as i64) > 3 => *bits / 2,
                    (3, DType::I64) if (*bits as i64) > 2 => *bits - 1,
                    _ => return false,
                };
                let one = [1, 1f64.to_bits(), 1f32.to_bits().into()].contains(bits);
                let changed = *bits != 0 && !(way == 1 && one) && *bits != simpler;
                *bits = simpler;
                changed
            }
            Stmt::Op { out, args, .. } => {
                let like = |a: &Value| values[a.0 as usize].dtype == values[out.0 as usize].dtype;
                let Some(&arg) = args.get(way).filter(|a| like(a)) else {
                    return false;
                };
                self.by.insert(*out, arg);
                block.stmts.remove(k);
                true
            }
            Stmt::If(i) => {
                let side = match way {
                    0 => std::mem::take(&mut i.then),
                    1 => std::mem::take(&mut i.otherwise),
                    _ => return false,
                };
                self.by.extend(i.outs.iter().copied().zip(side.results));
                block.stmts.splice(k..=k, side.stmts);
                true
            }
            Stmt::For(_) | Stmt::While(_) if way == 2 => without_unused(block, k),
            Stmt::For(For {
                kind: LoopKind::Vector,
                ..
            }) => false,
            // Run no step.
            Stmt::For(For { carried, .. }) | Stmt::While(While { carried, .. }) if way == 0 => {
                self.by.extend(carried.iter().map(|c| (c.out, c.init)));
                block.stmts.remove(k);
                true
            }
            // Run one step, whose number becomes zero.
            Stmt::For(l) if way == 1 => {
                let body = std::mem::take(&mut l.body);
                for (c, &result) in l.carried.iter().zip(&body.results) {
                    self.by.insert(c.param, c.init);
                    self.by.insert(c.out, result);
                }
                block.stmts.splice(k..=k, body.stmts);
                true
            }
            _ => false,
        }
    }
}

/// Removes the last carried value of a loop that nothing in this block uses after the loop.
fn without_unused(block: &mut Block, k: usize) -> bool {
    let mut used = vec![];
    let mut rest = Block {
        stmts: block.stmts[k + 1..].to_vec(),
        results: block.results.clone(),
    };
    each_use(&mut rest, &mut |v| used.push(*v));
    let (Stmt::For(For { carried, body, .. }) | Stmt::While(While { carried, body, .. })) =
        &mut block.stmts[k]
    else {
        return false;
    };
    let Some(unused) = carried.iter().rposition(|c| !used.contains(&c.out)) else {
        return false;
    };
    carried.remove(unused);
    body.results.remove(unused);
    true
}

#[cfg(test)]
/// How many statements a program has.
fn weight(program: &Program) -> usize {
    let mut n = 0;
    walk::stmts(&program.body, &mut |_| n += 1);
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{File, Interpreter, Run, Runner};
    use expect_test::expect;

    /// A program with a division in a loop in a branch in lanes, among other things.
    const LARGE: &str = "
b0: f64[9] input 0
b1: f64[9] output 0
b2: i64[9] input 1
b3: f64[9] output 1
b4: f64[2] local
n: i64 = 9
zero: f64 = 0.0
b4[1] = zero
sum: f64* = for vector k < n (s = zero) {
  x: f64* = b0[i]
  m: i64* = b2[i]
  y: f64* = mul x, x
  b4[0] = y
  p: bool* = lt x, y
  z: f64* = if p {
    three: i64 = 3
    w: f64* = for j < three (v = x) {
      own: f64* = b4[0]
      u: f64* = div v, own
      t: f64* = sqrt u
      yield t
    }
    yield w
  } else {
    yield y
  }
  b1[i] = z
  c: f64* = convert m
  last: f64* = add s, c
  yield last
}
total: f64 = fold_add sum
b3[0] = total
";

    /// A back end that multiplies instead of dividing.
    fn wrongly(program: &Program, inputs: &[Data]) -> bool {
        let mut wrong = program.clone();
        walk::stmts_mut(&mut wrong.body, &mut |s| {
            if let Stmt::Op { op, .. } = s
                && *op == ScalarOp::Div
            {
                *op = ScalarOp::Mul;
            }
        });
        let right = Interpreter.run(program, inputs);
        let wrong = Interpreter.run(&wrong, inputs);
        difference(&right.expect("it runs"), &wrong.expect("it runs")).is_some()
    }

    #[test]
    fn what_does_not_matter_goes() {
        let program = Program::parse(LARGE).unwrap_or_else(|e| panic!("{e}"));
        let inputs = [
            Data::F64((0..9).map(f64::from).collect()),
            Data::I64((0..9).collect()),
        ];
        let (small, inputs) = shrunk(&program, &inputs, 10_000, wrongly);
        assert!(weight(&small) < 12, "{small}");
        let file = File {
            name: "small".into(),
            program: small.clone(),
            runs: vec![Run {
                line: 0,
                expected: Interpreter.run(&small, &inputs),
                inputs,
            }],
            wide: None,
        };
        expect![[r#"
            b0: f64[9] output 0
            v0: i64 = 1
            for vector v1 < v0 {
              v2: f64 = 0.0
              v3: f64 = 0.0
              v4: f64 = div v2, v3
              b0[i] = v4
            }
            ; run: -> f64[9] NaN 0.0 * 8
        "#]]
        .assert_eq(&file.to_string());
    }

    /// A difference that depends on unwritten memory is no failure.
    #[test]
    fn a_store_that_is_read_stays() {
        let program = Program::parse(
            "b0: f64[1] output 0 b1: f64[1] call x: f64 = 2.0 b1[0] = x y: f64 = b1[0] b0[0] = y",
        );
        let program = program.unwrap_or_else(|e| panic!("{e}"));
        let (small, _) = shrunk(&program, &[], 1000, |p, _| {
            let mut reads = false;
            walk::stmts(&p.body, &mut |s| reads |= matches!(s, Stmt::Load { .. }));
            reads
        });
        assert!(has_one_meaning(&small, &[]));
        let text = small.to_string();
        assert!(text.contains("b1[0] = v"), "{text}");
    }
}
