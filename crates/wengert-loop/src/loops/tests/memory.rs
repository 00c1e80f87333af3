//! Passes that leave out reads and stores of memory, and join loops.

use super::*;
use crate::loops::affine::Affine;
use crate::loops::dead_stores;
use crate::loops::forward::forward;
use crate::loops::fuse::fuse;
use crate::loops::prepare::prepare;
use crate::loops::{BufferId, Stmt, Value, walk};

fn parsed(text: &str) -> Program {
    Program::parse(text).unwrap_or_else(|e| panic!("{e}"))
}

fn count(program: &Program, is: impl Fn(&Stmt) -> bool) -> usize {
    let mut n = 0;
    walk::stmts(&program.body, &mut |s| n += usize::from(is(s)));
    n
}

/// The number of loads in the loops of a program after forwarding.
fn loads_in_loops(program: &Program) -> usize {
    let mut n = 0;
    walk::stmts(&forward(program).body, &mut |s| {
        if let Stmt::For(l) = s {
            n += (l.body.stmts.iter())
                .filter(|s| matches!(s, Stmt::Load { .. }))
                .count();
        }
    });
    n
}

/// A loop whose steps add the elements `read` and `own` to the latter.
fn running(kind: &str, read: &str, own: &str, more: &str) -> Program {
    parsed(&format!(
        "b0: f64[40] input 0  b1: f64[40] output 0  b2: i64[1] input 1
         copy 40: b1[0] = b0[0]
         n: i64 = 20  two: i64 = 2  any: i64 = b2[0]  zero: f64 = 0.0
         for {kind} k < n {{
           k2: i64 = mul k, two  far: i64 = add k, any
           a: f64 = b1[{read}]  b: f64 = b1[{own}]  c: f64 = add a, b  b1[{own}] = c
           {more}
         }}"
    ))
}

#[test]
fn what_a_step_before_stored_is_carried() {
    for (kind, read, own) in [
        ("", "k", "k + 1"),
        ("", "k", "k + 2"),
        ("", "k", "k + 4"),
        ("", "k2", "k2 + 2"),
        ("", "k + 1", "k + 1"),
        ("", "7", "7"),
        ("reverse", "k + 1", "k"),
        ("reverse", "k2 + 6", "k2"),
    ] {
        let same = read == own;
        // The element itself is read in each step, unless it is the same one in all of them.
        let left = usize::from(!same || read != "7");
        assert_eq!(
            loads_in_loops(&running(kind, read, own, "")),
            left,
            "{kind} {read} {own}"
        );
    }
}

#[test]
fn what_may_be_changed_in_between_is_read() {
    for (kind, read, own, more) in [
        ("", "k", "k + 5", ""),
        ("", "k", "far", ""),
        ("", "k", "k2", ""),
        ("", "k + 1", "k", ""),
        ("reverse", "k", "k + 1", ""),
        ("", "k", "k + 1", "b1[any] = zero"),
        ("", "k", "k + 2", "copy 1: b1[k + 1] = b0[0]"),
        ("", "k", "k + 1", "copy 1: b1[k + 1] = b0[0]"),
        (
            "",
            "k",
            "k + 1",
            "t: bool = lt k, two  if t { b1[k + 1] = zero }",
        ),
        (
            "",
            "k",
            "k + 1",
            "for j < two { jk: i64 = add j, k b1[jk + 1] = zero }",
        ),
    ] {
        assert_eq!(
            loads_in_loops(&running(kind, read, own, more)),
            2,
            "{kind} {read} {own} {more}"
        );
    }
}

/// Scratch that belongs to a step has nothing for the next one.
#[test]
fn scratch_of_a_step_is_not_carried() {
    let program = parsed(
        "b0: f64[9] call  b1: f64[9] output 0  n: i64 = 8  one: i64 = 1  x: f64 = 1.0
         for k < n { k1: i64 = add k, one  b0[k] = x  b0[k1] = x  a: f64 = b0[k]  b1[k] = a }",
    );
    assert!(
        count(
            &forward(&program),
            |s| matches!(s, Stmt::For(l) if l.carried.is_empty())
        ) == 1
    );
}

#[test]
fn stores_that_nothing_reads_are_left_out() {
    let mut program = parsed(
        "b0: f64[9] call  b1: f64[9] output 0  b2: f64[9] call  n: i64 = 9  x: f64 = 1.0  y: f64 = 2.0
         for vector k < n { b0[i] = x }
         copy 9: b2[0] = b0[0]
         b1[0] = x  b1[1] = x  b1[0] = y
         z: f64 = b1[0]  b1[1] = z  b1[0] = x",
    );
    dead_stores::remove(&mut program);
    assert_eq!(count(&program, |s| matches!(s, Stmt::Store { .. })), 3);
    assert_eq!(
        count(&program, |s| matches!(s, Stmt::For(_) | Stmt::Copy { .. })),
        0
    );
}

fn vector_loops(text: &str) -> usize {
    let program = parsed(&format!(
        "b0: f64[20] input 0  b1: f64[20] output 0  b2: f64[20] call  b3: f32[20] call  n: i64 = 9  m: i64 = 8
         one: f64 = 1.0  {text}"
    ));
    count(&fuse(&program), |s| matches!(s, Stmt::For(_)))
}

#[test]
fn loops_that_meet_in_equal_steps_are_joined() {
    let first = "for vector a < n { x: f64* = b0[i]  b2[i] = x }";
    for second in [
        "y: f64* = b2[i]  b1[i] = y",
        "y: f64* = b2[i + 9]  b1[i] = y",
        "y: f64* = b0[i + 1]  b2[i] = y",
        "y: f64* = add one, one  b2[i + 10] = y",
    ] {
        let second = second.replace("y: f64* = add one, one ", "y: f64* = b0[i] ");
        let text = format!("{first}  u: f64 = add one, one  for vector b < n {{ {second} }}");
        assert_eq!(vector_loops(&text), 1, "{text}");
    }
}

#[test]
fn loops_that_meet_otherwise_are_not_joined() {
    let first = "for vector a < n { x: f64* = b0[i]  b2[i] = x }";
    for (between, extent, second) in [
        ("", "n", "y: f64* = b2[i + 1]  b1[i] = y"),
        ("", "n", "y: f64* = b2[-1*i + 8]  b1[i] = y"),
        ("", "n", "y: f64* = b0[i]  b2[i + 1] = y"),
        // A result may lie where an argument is.
        ("", "n", "y: f64* = b0[i]  b1[i + 1] = y"),
        ("", "m", "y: f64* = b2[i]  b1[i] = y"),
        ("b2[3] = one", "n", "y: f64* = b2[i]  b1[i] = y"),
        (
            "z: f64 = b2[3]",
            "n",
            "y: f64* = b2[i]  w: f64* = add y, z  b1[i] = w",
        ),
        ("", "n", "y: f32* = b3[i]  b3[i] = y"),
    ] {
        let text = format!("{first}  {between}  for vector b < {extent} {{ {second} }}");
        assert_eq!(vector_loops(&text), 2, "{text}");
    }
    let sum =
        "s: f64* = for vector a < n (p = one) { x: f64* = b0[i]  q: f64* = add p, x  yield q }
               t: f64 = fold_add s";
    let text = format!("{sum}  for vector b < n {{ y: f64* = b0[i]  b1[i] = t }}");
    assert_eq!(vector_loops(&text), 2);
}

/// The clamps of an index that a `while` loop counts up, and what it carries for nobody.
#[test]
fn what_counts_up_below_a_bound_needs_no_clamp() {
    let left = |start: &str, by: &str, bound: &str| {
        let program = parsed(&format!(
            "b0: f64[9] output 0  b1: i64[1] input 0
             none: i64 = 0  one: i64 = 1  three: i64 = 3  eight: i64 = 8  nine: i64 = 9  any: i64 = b1[0]
             huge: i64 = 9223372036854775807  x: f64 = 1.0
             last: i64, steps: i64 = while (k = {start}, n = none) limit 9 {{
               more: bool = lt k, {bound}  yield more
             }} do {{
               a: i64 = min k, eight  b: i64 = max a, none  b0[b] = x
               next: i64 = add k, {by}  m: i64 = add n, one  yield next, m
             }}"
        ));
        let after = prepare(&program);
        let is = |op: ScalarOp| count(&after, |s| matches!(s, Stmt::Op { op: o, .. } if *o == op));
        assert_eq!(is(ScalarOp::Add), 1, "{after}");
        (is(ScalarOp::Min), is(ScalarOp::Max))
    };
    assert_eq!(left("one", "three", "nine"), (0, 0));
    assert_eq!(left("one", "three", "any"), (1, 1));
    assert_eq!(left("any", "three", "nine"), (1, 1));
    assert_eq!(left("one", "any", "nine"), (1, 1));
    assert_eq!(left("one", "huge", "nine"), (1, 1));
}

type Pass = fn(&Program) -> Program;

/// A generator of small programs whose loops read and write a few elements around each other.
struct Generator {
    state: u64,
    b: Builder,
    memory: Vec<BufferId>,
    floats: Vec<Value>,
    /// The indices of the serial loops that are open, with the largest number of steps.
    open: Vec<(Value, i64)>,
    /// Whether the innermost of them runs backwards.
    reverse: bool,
    /// Numbers that the run gives, up to this one.
    given: Vec<Value>,
}

const GIVEN: i64 = 4;
const LEN: i64 = 24;

impl Generator {
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn float(&mut self) -> Value {
        let all = self.floats.clone();
        self.pick(&all[all.len().saturating_sub(6)..])
    }

    /// A place that is inside of the memory in each step.
    fn place(&mut self) -> Affine {
        let mut at = Affine::constant(self.below(8) as i64);
        for (index, _) in self.open.clone() {
            let k = self.pick(&[0, 1, 1, 1, 2, -1]);
            let part = self.b.affine(index);
            at = self.b.add_scaled(&at, &part, k);
        }
        if self.below(8) == 0 {
            let given = self.given.clone();
            let part = self.pick(&given);
            let part = self.b.affine(part);
            at = self.b.add_scaled(&at, &part, 1);
        }
        match self.is_inside(&at) {
            true => at,
            false => Affine::constant(self.below(4) as i64),
        }
    }

    /// Whether a place is inside of the memory in each step.
    fn is_inside(&self, at: &Affine) -> bool {
        let (mut low, mut high) = (at.offset, at.offset);
        for &(value, k) in &at.terms {
            let steps = self.open.iter().find(|o| o.0 == value);
            let most = k * steps.map_or(GIVEN, |o| o.1 - 1);
            low += most.min(0);
            high += most.max(0);
        }
        low >= 0 && high < LEN
    }

    fn statements(&mut self, n: usize, depth: usize) {
        for _ in 0..n {
            let floats = self.floats.len();
            match self.below(13) {
                12 => {
                    // What a step finds where the last ones have been.
                    let (memory, at, x) = (self.memory.clone(), self.place(), self.float());
                    let (of, d) = (self.pick(&memory), 1 + self.below(3) as i64);
                    let index = self.open.last().map(|o| self.b.affine(o.0));
                    let k = index.map_or(0, |i| at.coefficient(i.terms[0].0));
                    let back = if self.reverse { -d * k } else { d * k };
                    if self.is_inside(&at.clone().plus(back)) {
                        let y = self.b.load(of, &at);
                        let sum = self.b.add(x, y);
                        self.b.store(of, &at.plus(back), sum);
                        self.floats.push(sum);
                    }
                }
                0..4 => {
                    let (memory, at) = (self.memory.clone(), self.place());
                    let from = self.pick(&memory);
                    let x = self.b.load(from, &at);
                    self.floats.push(x);
                }
                4..8 => {
                    let (memory, at) = (self.memory.clone(), self.place());
                    let (to, x) = (self.pick(&memory), self.float());
                    self.b.store(to, &at, x);
                }
                8 | 9 => {
                    let (x, y) = (self.float(), self.float());
                    let sum = self.b.add(x, y);
                    self.floats.push(sum);
                }
                10 if depth > 0 => {
                    let (x, y) = (self.float(), self.float());
                    let pred = self.b.op(ScalarOp::Lt, &[x, y]);
                    let sides = [3, self.below(3)].map(|n| {
                        self.b.open(None);
                        self.statements(n, depth - 1);
                        self.floats.truncate(floats);
                        self.b.close(vec![])
                    });
                    let [then, otherwise] = sides;
                    self.b.close_if(pred, then, otherwise);
                }
                _ if depth > 0 => {
                    let given = self.given.clone();
                    let (extent, most) = match self.below(3) {
                        0 => (self.pick(&given), GIVEN),
                        n => (self.b.i64(2 + n as i64), 2 + n as i64),
                    };
                    let reverse = self.below(2) == 0;
                    let kind = LoopKind::Serial { reverse };
                    let around = std::mem::replace(&mut self.reverse, reverse);
                    let (open, _) = self.b.open_for(kind, extent, &[]);
                    self.open.push((open.index, most));
                    let n = 3 + self.below(6);
                    self.statements(n, depth - 1);
                    self.floats.truncate(floats);
                    self.open.pop();
                    self.reverse = around;
                    self.b.close_for(open, vec![]);
                }
                _ => self.rows(),
            }
        }
    }

    /// Some loops over rows beside each other.
    fn rows(&mut self) {
        for _ in 0..1 + self.below(3) {
            let extent = self.b.i64(9);
            let memory = self.memory.clone();
            let (from, to) = (self.pick(&memory), self.pick(&memory));
            let starts = [self.below(3), self.below(2)].map(|n| Affine::constant(n as i64));
            let u = self.float();
            self.b.for_(LoopKind::Vector, extent, &[], |b, i, _| {
                let i = b.affine(i);
                let to_row = b.add_scaled(&starts[1], &i, 1);
                let from_row = match from == to {
                    true => to_row.clone(),
                    false => b.add_scaled(&starts[0], &i, 1),
                };
                let x = b.load(from, &from_row);
                let y = b.add(x, u);
                b.store(to, &to_row, y);
                vec![]
            });
        }
    }
}

fn generated(seed: u64) -> Program {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, LEN as usize);
    let g = input(&mut b, 1, DType::I64, 2);
    let y = output(&mut b, DType::F64, LEN as usize);
    let scratch = b.buffer(DType::F64, LEN as usize, BufferKind::Call);
    for to in [y, scratch] {
        b.copy(
            (to, &Affine::default()),
            (x, &Affine::default()),
            LEN as usize,
        );
    }
    let given = [0, 1].map(|i| b.load(g, &Affine::constant(i)));
    let first = b.load(x, &Affine::default());
    let mut generator = Generator {
        state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        b,
        memory: vec![y, scratch],
        floats: vec![first],
        open: vec![],
        reverse: false,
        given: given.to_vec(),
    };
    generator.statements(6, 3);
    let mut b = generator.b;
    // What scratch holds counts, too.
    let mut sum = b.load(scratch, &Affine::default());
    for i in 1..LEN {
        let x = b.load(scratch, &Affine::constant(i));
        sum = b.add(sum, x);
    }
    b.store(y, &Affine::constant(LEN - 1), sum);
    checked(b)
}

#[test]
fn generated_programs_keep_their_bits() {
    let (mut carried, mut joined) = (0, 0);
    for seed in 0..3000 {
        let program = generated(seed);
        let passes: [(&str, Pass); 4] = [
            ("forward", forward),
            ("fuse", fuse),
            ("dead_stores", |p| {
                let mut p = p.clone();
                dead_stores::remove(&mut p);
                p
            }),
            ("prepare", prepare),
        ];
        let carries =
            |p: &Program| count(p, |s| matches!(s, Stmt::For(l) if !l.carried.is_empty()));
        let loops = |p: &Program| count(p, |s| matches!(s, Stmt::For(_)));
        for (name, pass) in passes {
            let after = pass(&program);
            if let Err(e) = verify(&after) {
                panic!("{name} of {seed}: {e}\n{program}\n{after}");
            }
            carried += usize::from(name == "forward" && carries(&after) > 0);
            joined += usize::from(name == "fuse" && loops(&after) < loops(&program));
            for given in [[0, 1], [2, 3], [1, 4]] {
                let x = Data::F64((0..LEN).map(|i| 0.5 + (i * i % 11) as f64).collect());
                let inputs = [x, Data::I64(given.to_vec())];
                let bits = |p: &Program| -> Vec<u64> {
                    let all = result::<f64>(p, &inputs).expect("a program that runs");
                    all.into_iter().map(f64::to_bits).collect()
                };
                assert_eq!(
                    bits(&after),
                    bits(&program),
                    "{name} of {seed}, {given:?}:\n{program}\n{after}"
                );
            }
        }
    }
    // The generator makes what the passes are for.
    assert!(carried > 200 && joined > 200, "{carried} {joined}");
}
