use super::*;
use crate::elementary::Elementary;
use crate::loops::affine::Affine;
use crate::loops::{Block, Index, Stmt, Value, ValueType};

#[track_caller]
fn rejects(b: Builder, message: &str) {
    let program = b.unswept();
    match verify(&program) {
        Ok(()) => panic!("accepted, not '{message}':\n{program}"),
        Err(e) => assert!(e.contains(message), "{e}"),
    }
}

#[test]
fn order_and_regions() {
    let mut b = Builder::new();
    let n = b.i64(3);
    let mut inner = None;
    b.repeat(n, |b, _| inner = Some(b.f64(1.0)));
    let inner = inner.unwrap();
    b.op(ScalarOp::Neg, &[inner]);
    rejects(b, "used outside its region");

    let lanes = false;
    let dtype = DType::F64;
    let program = Program {
        values: vec![ValueType { dtype, lanes }; 2],
        body: Block {
            stmts: vec![Stmt::Op {
                out: Value(0),
                op: ScalarOp::Neg,
                args: smallvec::smallvec![Value(1)],
            }],
            results: vec![],
        },
        ..Program::default()
    };
    assert!(verify(&program).unwrap_err().contains("v1 is used before"));
}

#[test]
fn types() {
    let mut b = Builder::new();
    let (x, n) = (b.f64(1.0), b.i64(2));
    b.op(ScalarOp::Add, &[n, x]);
    rejects(b, "v1 is i64, not f64");

    let mut b = Builder::new();
    let x = b.f64(1.0);
    b.op(ScalarOp::Shl, &[x, x]);
    rejects(b, "Shl is not for f64");

    let mut b = Builder::new();
    let y = output(&mut b, DType::F32, 1);
    let x = b.f64(1.0);
    b.store(y, &Affine::constant(0), x);
    rejects(b, "is f64, not f32");

    let mut b = Builder::new();
    let y = input(&mut b, 0, DType::F64, 1);
    let x = b.f64(1.0);
    b.store(y, &Affine::constant(0), x);
    rejects(b, "read-only");
}

/// A back end with its own code for a function relies on the function's parameters.
#[test]
fn what_is_called_elementary() {
    for (which, dtype) in [(Elementary::Pow, DType::F64), (Elementary::Exp, DType::I64)] {
        let mut b = Builder::new();
        let f = b.function("f", &[dtype], |_, x| x[0]);
        b.is_elementary(f, which);
        rejects(b, "it is not of the type of");
    }
}

#[test]
fn lanes() {
    let mut b = Builder::new();
    let n = b.i64(3);
    b.for_(LoopKind::Vector, n, &[], |b, _, _| {
        b.for_(LoopKind::Vector, n, &[], |_, _, _| vec![]);
        vec![]
    });
    rejects(b, "do not nest");

    let mut b = Builder::new();
    let y = output(&mut b, DType::I64, 3);
    let n = b.i64(3);
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        b.store(y, &Affine::constant(0), i);
        vec![]
    });
    rejects(b, "all lanes store to one element");

    let mut b = Builder::new();
    let y = output(&mut b, DType::I64, 3);
    let n = b.i64(3);
    let carry = b.carry(n);
    let outs = b.for_(LoopKind::Vector, n, &[carry], |_, _, p| p.to_vec());
    b.store(y, &Affine::constant(0), outs[0]);
    rejects(b, "copies that only a fold can join");

    let mut b = Builder::new();
    let y = output(&mut b, DType::I64, 3);
    let n = b.i64(3);
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let carries = [b.carry(i), b.counter()];
        let outs = b.while_(
            9,
            &carries,
            |b, p| {
                let zero = b.i64(0);
                b.op(ScalarOp::Lt, &[zero, p[0]])
            },
            |b, p| {
                let one = b.i64(1);
                vec![b.sub(p[0], one), b.add(p[1], one)]
            },
        );
        let at = b.affine(i);
        b.store(y, &at, outs[1]);
        vec![]
    });
    rejects(b, "counted a divergent loop");
}

#[test]
fn lists() {
    let mut b = Builder::new();
    let n = b.i64(3);
    let mut built = None;
    b.for_(LoopKind::Vector, n, &[], |b, _, _| {
        let list = b.list(vec![(DType::F64, 1)], None);
        b.list_begin(list);
        let none = b.i64(0);
        built = Some((b.list_finish(list, none), list));
        vec![]
    });
    let (built, list) = built.unwrap();
    let rows = Rows::Of(list.field(built, 0));
    b.list_load(DType::F64, rows, n, &Affine::constant(0));
    rejects(b, "used outside its region");

    let mut b = Builder::new();
    let n = b.i64(3);
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let list = b.list(vec![(DType::F64, 1)], None);
        b.list_begin(list);
        b.list_push(list, i);
        vec![]
    });
    rejects(b, "differs by lane");

    let mut b = Builder::new();
    let list = b.list(vec![(DType::F64, 1)], None);
    b.list_begin(list);
    let x = b.f64(1.0);
    b.list_finish(list, x);
    rejects(b, "is f64, not i64");

    let mut b = Builder::new();
    let list = b.list(vec![(DType::F64, 1)], None);
    b.list_begin(list);
    let none = b.i64(0);
    let built = b.list_finish(list, none);
    b.list_handle(list.field(built, 1));
    rejects(b, "no such field");
}

#[test]
fn strides_only_in_lanes() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 3);
    let at = Affine {
        lane: 1,
        ..Affine::default()
    };
    b.load(x, &at);
    rejects(b, "a lane's index outside a vector loop");
    let index = Index {
        stride: 1,
        ..Index::default()
    };
    assert_eq!(index.offset, 0);
}
