//! The suite finds mistakes of a back end that random programs do not meet.

use wengert_check::Rng;
use wengert_check::conformance::{Each, check, generated, joined, operations};
use wengert_check::program::Limits;
use wengert_loop::buffer::Data;
use wengert_loop::loops::{Program, ScalarOp, Stmt, walk};
use wengert_loop::testing::{Interpreter, Runner, Stopped};

/// The interpreter with a mistake: this operation is done by the other one, on the operands in this order.
struct Mistaken {
    right: ScalarOp,
    wrong: fn(&mut Program, &mut Vec<Stmt>, Stmt),
}

impl Mistaken {
    /// The program as the mistaken back end reads it.
    fn read(&self, program: &Program) -> Program {
        let mut out = program.clone();
        let mut body = std::mem::take(&mut out.body);
        let blocks = |block: &mut Vec<Stmt>, out: &mut Program| {
            for s in std::mem::take(block) {
                match &s {
                    Stmt::Op { op, .. } if *op == self.right => (self.wrong)(out, block, s),
                    _ => block.push(s),
                }
            }
        };
        blocks(&mut body.stmts, &mut out);
        walk::stmts_mut(&mut body, &mut |s| {
            for b in walk::blocks_mut(s) {
                blocks(&mut b.stmts, &mut out);
            }
        });
        out.body = body;
        out
    }
}

impl Runner for Mistaken {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        Interpreter.run(&self.read(program), inputs)
    }
}

/// `a > b ? a : b`, as the instruction of x86 has it: of a NaN and a number it gives the second.
fn careless_max(program: &mut Program, block: &mut Vec<Stmt>, s: Stmt) {
    let Stmt::Op { out, ref args, .. } = s else {
        unreachable!("it is an operation");
    };
    let (a, b) = (args[0], args[1]);
    let below = wengert_loop::loops::Value(program.values.len() as u32);
    let mut ty = program.values[out.0 as usize];
    ty.dtype = wengert_loop::types::DType::Bool;
    program.values.push(ty);
    block.push(Stmt::Op {
        out: below,
        op: ScalarOp::Lt,
        args: [b, a].as_slice().into(),
    });
    block.push(Stmt::Op {
        out,
        op: ScalarOp::Select,
        args: [below, a, b].as_slice().into(),
    });
}

/// A product and a sum, each rounded.
fn two_roundings(program: &mut Program, block: &mut Vec<Stmt>, s: Stmt) {
    let Stmt::Op { out, ref args, .. } = s else {
        unreachable!("it is an operation");
    };
    let product = wengert_loop::loops::Value(program.values.len() as u32);
    program.values.push(program.values[out.0 as usize]);
    block.push(Stmt::Op {
        out: product,
        op: ScalarOp::Mul,
        args: [args[0], args[1]].as_slice().into(),
    });
    block.push(Stmt::Op {
        out,
        op: ScalarOp::Add,
        args: [product, args[2]].as_slice().into(),
    });
}

#[test]
fn a_max_that_loses_nan_is_found() {
    let mistaken = Mistaken {
        right: ScalarOp::Max,
        wrong: careless_max,
    };
    let found = check(&Each("mistaken", mistaken), &operations()).unwrap_err();
    let wrong = "max of f64, to f64, in lanes";
    assert!(
        found.to_string().contains("max of "),
        "{found} lacks {wrong}"
    );
    assert!(!found.to_string().contains("min of "), "{found}");
}

#[test]
fn a_multiply_add_of_two_roundings_is_found() {
    let mistaken = || Mistaken {
        right: ScalarOp::Fma,
        wrong: two_roundings,
    };
    assert!(check(&Each("mistaken", mistaken()), &operations()).is_err());
    let seed = Rng::new(1).below(100) as u64;
    let limits = Limits {
        depth: 3,
        nesting: 2,
    };
    let programs = generated(seed, 24, &limits).unwrap();
    assert!(check(&Each("mistaken", mistaken()), &programs).is_err());
    check(&Each("the interpreter", Interpreter), &programs).unwrap();
}

/// A joined example is the examples.
#[test]
fn examples_are_joined() {
    let all = operations();
    let few = &all[..40];
    let both = joined(few);
    wengert_loop::loops::verify::verify(&both.program).unwrap();
    let apart = few.iter().map(|e| Interpreter.run(&e.program, &e.inputs));
    let apart: Result<Vec<_>, Stopped> = apart.collect();
    let apart: Vec<_> = apart.unwrap().into_iter().flatten().collect();
    let together = Interpreter.run(&both.program, &both.inputs).unwrap();
    assert_eq!(wengert_loop::testing::difference(&together, &apart), None);
}
