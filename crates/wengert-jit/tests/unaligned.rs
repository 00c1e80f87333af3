//! Elements may lie anywhere: code for any machine reads vectors that begin at each element, whatever
//! operation the load is folded into.

use crate::common::compare::agree;
use crate::common::single::{OPS, signatures};
use crate::common::*;
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::{self, *};
use wengert_loop::loops::{FoldOp, Index, Program};
use wengert_loop::types::DType;

/// Vectors of so many elements, a short last block among them.
const N: usize = 19;

fn from(offset: usize) -> Index {
    Index {
        offset: offset as i64,
        ..row()
    }
}

/// An operation on lanes whose operands begin at element `offset` of their memory, as the result does.
fn moved(op: ScalarOp, ds: &[DType], o: DType, offset: usize) -> Program {
    let mut b = Build::new();
    let ins: Vec<_> = ds.iter().map(|&d| b.input(d, N + offset)).collect();
    let out = b.output(o, N + offset);
    b.vector(offset as i64, |b, _| {
        let zero = b.load(ins[ds.len() - 1], row());
        let y = b.op_to(Convert, o, &[zero]);
        b.store(out, row(), y);
    });
    b.vector(N as i64, |b, _| {
        let args: Vec<_> = ins.iter().map(|&x| b.load(x, from(offset))).collect();
        let y = b.op_to(op, o, &args);
        b.store(out, from(offset), y);
    });
    b.finish()
}

fn numbers(d: DType, n: usize, k: usize) -> Data {
    let mut data = Data::zeros(d, n);
    for i in 0..n {
        let x = (i * 7 + k * 3) % 11;
        let bits = match d {
            DType::F64 => (x as f64 - 4.0).to_bits(),
            DType::F32 => u64::from((x as f32 - 4.0).to_bits()),
            DType::Bool => (x % 2) as u64,
            _ => x as u64 + 1,
        };
        data.set_bits(i, bits);
    }
    data
}

fn check_moved(op: ScalarOp, ds: &[DType], o: DType) {
    for offset in 1..=3 {
        let p = moved(op, ds, o, offset);
        let columns = ds.iter().enumerate();
        let inputs: Vec<Data> = columns.map(|(k, &d)| numbers(d, N + offset, k)).collect();
        agree(&p, &inputs);
    }
}

#[test]
fn every_operation_on_lanes_that_begin_anywhere() {
    for op in OPS {
        for (ds, o) in signatures(op) {
            check_moved(op, &ds, o);
        }
    }
}

/// What is compared is carried from step to step, or is both operands of several comparisons.
#[test]
fn extremes_and_their_places_of_rows_that_begin_anywhere() {
    for d in [DType::F32, DType::F64] {
        for (offset, fold) in [1, 2, 3]
            .iter()
            .flat_map(|&o| [(o, FoldOp::Min), (o, FoldOp::Max)])
        {
            let mut b = Build::new();
            let x = b.input(d, 4 * N + offset);
            let (y, places) = (b.output(d, N), b.output(DType::I64, N));
            b.vector(N as i64, |b, _| {
                let index = |r: usize| from(offset + r * N);
                let mut best = b.load(x, index(0));
                let zero = b.constant(0i64);
                let one = b.constant(1i64);
                let mut place = b.op_to(Add, DType::I64, &[zero, zero]);
                for r in 1..4 {
                    let next = b.load(x, index(r));
                    let operands = match fold {
                        FoldOp::Min => [next, best],
                        _ => [best, next],
                    };
                    let better = b.op_to(Lt, DType::Bool, &operands);
                    best = b.op_to(Select, d, &[better, next, best]);
                    let here = b.op_to(Add, DType::I64, &[place, one]);
                    place = b.op_to(Select, DType::I64, &[better, here, place]);
                    let same = b.load(x, index(r));
                    let op = fold.scalar();
                    best = b.op_to(op, d, &[same, best]);
                }
                b.store(y, row(), best);
                b.store(places, row(), place);
            });
            agree(&b.finish(), &[numbers(d, 4 * N + offset, 0)]);
        }
    }
}
