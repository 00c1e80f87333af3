use std::sync::Arc;

use super::*;
use crate::loops::affine::Affine;
use crate::loops::prepare::prepare;
use crate::loops::{FoldOp, LANES, Stmt};

/// A sum of 20 numbers: eight interleaved partial sums, joined pairwise.
#[test]
fn the_order_of_a_sum() {
    let xs: Vec<f64> = (0..20).map(|i| 1.0 / (1.0 + f64::from(i))).collect();
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 20);
    let y = output(&mut b, DType::F64, 1);
    let (n, zero) = (b.i64(20), b.f64(0.0));
    let carry = b.carry(zero);
    let sums = b.for_(LoopKind::Vector, n, &[carry], |b, i, p| {
        let at = b.affine(i);
        let v = b.load(x, &at);
        vec![b.add(p[0], v)]
    });
    let sum = b.op(ScalarOp::Fold(FoldOp::Add), &[sums[0]]);
    b.store(y, &Affine::constant(0), sum);
    let p: Vec<f64> = (0..LANES)
        .map(|l| xs.iter().skip(l).step_by(LANES).fold(0.0, |a, x| a + x))
        .collect();
    let expected = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
    let got = result::<f64>(&checked(b), &[Data::F64(xs)]);
    assert_eq!(got, Ok(vec![expected]));
}

/// Steps of the Collatz sequence: a loop that lanes leave after different numbers of steps.
fn collatz(limit: u64) -> Program {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::I64, 11);
    let y = output(&mut b, DType::I64, 11);
    let (n, zero) = (b.i64(11), b.i64(0));
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let at = b.affine(i);
        let v = b.load(x, &at);
        let carries = [b.carry(v), b.carry(zero)];
        let outs = b.while_(
            limit,
            &carries,
            |b, p| {
                let one = b.i64(1);
                b.op(ScalarOp::Lt, &[one, p[0]])
            },
            |b, p| {
                let (one, two, three) = (b.i64(1), b.i64(2), b.i64(3));
                let odd = b.op(ScalarOp::And, &[p[0], one]);
                let odd = b.op(ScalarOp::Eq, &[odd, one]);
                let next = b.if_(
                    odd,
                    |b| {
                        let v = b.mul(p[0], three);
                        vec![b.add(v, one)]
                    },
                    |b| vec![b.op(ScalarOp::Div, &[p[0], two])],
                );
                vec![next[0], b.add(p[1], one)]
            },
        );
        b.store(y, &at, outs[1]);
        vec![]
    });
    checked(b)
}

#[test]
fn a_while_in_lanes() {
    let input = Data::I64((1..=11).collect());
    let steps = vec![0i64, 1, 7, 2, 5, 8, 16, 3, 19, 6, 14];
    assert_eq!(
        result(&collatz(19), std::slice::from_ref(&input)),
        Ok(steps)
    );
    let stopped = result::<i64>(&collatz(18), &[input]);
    assert_eq!(
        stopped,
        Err(Error::MaxSteps {
            limit: 18,
            at: None
        })
    );
}

/// Each lane pushes its own number of rows and reads them back, last first.
#[test]
fn a_list_for_each_lane() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::I64, 10);
    let y = output(&mut b, DType::I64, 10);
    let (n, zero) = (b.i64(10), b.i64(0));
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let at = b.affine(i);
        let extent = b.load(x, &at);
        let list = b.list(vec![(DType::I64, 2), (DType::Bool, 1)], None);
        b.list_begin(list);
        b.for_(LoopKind::SERIAL, extent, &[], |b, step, _| {
            b.list_push(list, step);
            let digit = b.add(step, extent);
            b.list_store(list, 0, step, &Affine::constant(1), digit);
            vec![]
        });
        let built = b.list_finish(list, extent);
        let rows = Rows::Of(list.field(built, 0));
        let carry = b.carry(zero);
        let reverse = LoopKind::Serial { reverse: true };
        let outs = b.for_(reverse, extent, &[carry], |b, step, p| {
            let digit = b.list_load(DType::I64, rows, step, &Affine::constant(1));
            let ten = b.i64(10);
            let shifted = b.mul(p[0], ten);
            vec![b.add(shifted, digit)]
        });
        b.store(y, &at, outs[0]);
        vec![]
    });
    let extents = vec![0, 1, 2, 3, 4, 0, 1, 2, 3, 4];
    let numbers = vec![0i64, 1, 32, 543, 7654, 0, 1, 32, 543, 7654];
    assert_eq!(result(&checked(b), &[Data::I64(extents)]), Ok(numbers));
}

/// A list whose rows hold lists, by handles; one of them has no row and reads as zeros.
#[test]
fn lists_in_lists() {
    let mut b = Builder::new();
    let y = output(&mut b, DType::F64, 3);
    let inner = b.list(vec![(DType::F64, 1)], None);
    let outer = b.list(vec![(DType::I64, 1)], None);
    b.list_begin(outer);
    let (three, zero) = (b.i64(3), b.i64(0));
    let first = Affine::constant(0);
    b.repeat(three, |b, i| {
        let even = b.op(ScalarOp::Eq, &[i, zero]);
        let handle = b.if_(
            even,
            |_| vec![zero],
            |b| {
                b.list_begin(inner);
                b.repeat(i, |b, j| {
                    b.list_push(inner, j);
                    let v = b.add(i, j);
                    let v = b.convert(v, DType::F64);
                    b.list_store(inner, 0, j, &Affine::constant(0), v);
                });
                let built = b.list_finish(inner, i);
                vec![b.list_handle(inner.field(built, 0))]
            },
        );
        b.list_push(outer, i);
        b.list_store(outer, 0, i, &Affine::constant(0), handle[0]);
    });
    let built = b.list_finish(outer, three);
    let lists = Rows::Of(outer.field(built, 0));
    b.repeat(three, |b, i| {
        let handle = b.list_load(DType::I64, lists, i, &first);
        let sum = b.f64(0.0);
        let carry = b.carry(sum);
        let rows = b.list_rows(handle);
        let sum = b.for_(LoopKind::SERIAL, rows, &[carry], |b, j, p| {
            let v = b.list_load(DType::F64, Rows::Handle(handle), j, &first);
            vec![b.add(p[0], v)]
        });
        let one = b.i64(1);
        let past = b.list_load(DType::F64, Rows::Handle(zero), one, &Affine::constant(7));
        let sum = b.add(sum[0], past);
        let at = b.affine(i);
        b.store(y, &at, sum);
    });
    assert_eq!(result(&checked(b), &[]), Ok(vec![0.0, 1.0, 5.0]));
}

#[test]
fn lists_have_the_rows_that_were_pushed() {
    let mut b = Builder::new();
    let list = b.list(vec![(DType::F64, 1)], None);
    b.list_begin(list);
    let (zero, two) = (b.i64(0), b.i64(2));
    b.list_push(list, zero);
    b.list_finish(list, two);
    let error = Error::Rows {
        list,
        rows: 2,
        pushed: 1,
    };
    assert_eq!(run(&checked(b), &[], &mut []), Err(error));

    let mut b = Builder::new();
    let y = output(&mut b, DType::F64, 1);
    let list = b.list(vec![(DType::F64, 1)], None);
    b.list_begin(list);
    let (zero, one, at) = (b.i64(0), b.i64(1), Affine::constant(0));
    b.list_push(list, zero);
    let built = b.list_finish(list, one);
    let handle = b.list_handle(list.field(built, 0));
    let past = b.list_load(DType::F64, Rows::Handle(handle), one, &at);
    b.store(y, &at, past);
    let error = Error::NoRow { row: 1, at: 0 };
    let got: Result<Vec<f64>, Error> = result(&checked(b), &[]);
    assert_eq!(got, Err(error));
}

/// Copies of local memory outlive a block of lanes, so that sums of arrays can be accumulated in
/// them.
#[test]
fn local_memory_gathers_sums() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 22);
    let y = output(&mut b, DType::F64, 2);
    let sums = b.buffer(DType::F64, 2, BufferKind::Local);
    let (two, n) = (b.i64(2), b.i64(11));
    b.repeat(two, |b, j| {
        let (at, zero) = (b.affine(j), b.f64(0.0));
        b.store(sums, &at, zero);
    });
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        b.repeat(two, |b, j| {
            let at = b.affine(j);
            let (from, sum) = (b.affine(i), b.load(sums, &at));
            let from = b.add_scaled(&at, &from, 2);
            let v = b.load(x, &from);
            let v = b.add(sum, v);
            b.store(sums, &at, v);
        });
        vec![]
    });
    b.repeat(two, |b, j| {
        let at = b.affine(j);
        let copies = b.load(sums, &at);
        let sum = b.op(ScalarOp::Fold(FoldOp::Add), &[copies]);
        b.store(y, &at, sum);
    });
    let xs = (0..22).map(f64::from).collect();
    assert_eq!(
        result(&checked(b), &[Data::F64(xs)]),
        Ok(vec![110.0, 121.0])
    );
}

#[test]
fn out_of_bounds_is_an_error() {
    for (offset, at) in [(3, 3), (-1, -1)] {
        let mut b = Builder::new();
        let x = input(&mut b, 0, DType::F64, 3);
        let y = output(&mut b, DType::F64, 1);
        let v = b.load(x, &Affine::constant(offset));
        b.store(y, &Affine::constant(0), v);
        let got = result::<f64>(&checked(b), &[Data::F64(vec![1.0, 2.0, 3.0])]);
        let (buffer, len) = (x, 3);
        assert_eq!(got, Err(Error::OutOfBounds { buffer, at, len }));
    }
}

/// Scratch of a task is garbage when the next task starts.
#[test]
fn scratch_begins_as_garbage() {
    let mut b = Builder::new();
    let y = output(&mut b, DType::F64, 2);
    let scratch = b.buffer(DType::F64, 1, BufferKind::Task);
    let (two, zero) = (b.i64(2), b.i64(0));
    b.for_(LoopKind::Parallel, two, &[], |b, i, _| {
        let first = b.op(ScalarOp::Eq, &[i, zero]);
        b.if_(
            first,
            |b| {
                let one = b.f64(1.0);
                b.store(scratch, &Affine::constant(0), one);
                vec![]
            },
            |_| vec![],
        );
        let v = b.load(scratch, &Affine::constant(0));
        let at = b.affine(i);
        b.store(y, &at, v);
        vec![]
    });
    let got: Vec<f64> = result(&checked(b), &[]).unwrap();
    assert_eq!(got[0], 1.0);
    assert!(got[1].is_nan());
}

#[test]
fn a_product() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 6);
    let y = input(&mut b, 1, DType::F64, 6);
    let z = output(&mut b, DType::F64, 4);
    let kernel = crate::loops::kernel::Gemm {
        dtype: DType::F64,
        m: 2,
        n: 2,
        k: 3,
        c: (2, 1),
        a: (3, 1),
        b: (1, 3),
    };
    let start = Affine::constant(0);
    b.kernel(
        Arc::new(kernel),
        &[(z, start.clone()), (x, start.clone()), (y, start)],
    );
    let xs = Data::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let got = result(&checked(b), &[xs.clone(), xs]);
    assert_eq!(got, Ok(vec![14.0, 32.0, 32.0, 77.0]));
}

#[test]
fn a_sort() {
    let mut b = Builder::new();
    let keys = output(&mut b, DType::F64, 6);
    let places = b.buffer(DType::I64, 6, BufferKind::Call);
    let xs = [3.0, f64::NAN, 1.0, 2.0, 2.0, -1.0];
    for (i, x) in xs.into_iter().enumerate() {
        let x = b.f64(x);
        b.store(keys, &Affine::constant(i as i64), x);
    }
    let kernel = crate::loops::kernel::Sort {
        dtype: DType::F64,
        rows: 2,
        n: 3,
        descending: false,
        places: true,
    };
    let start = Affine::constant(0);
    b.kernel(Arc::new(kernel), &[(keys, start.clone()), (places, start)]);
    // The position of each key, including the NaN.
    let mut sum = b.f64(0.0);
    for i in 0..6 {
        let place = b.load(places, &Affine::constant(i));
        let place = b.convert(place, DType::F64);
        let ten = b.f64(10.0);
        let shifted = b.mul(sum, ten);
        sum = b.add(shifted, place);
    }
    b.store(keys, &Affine::constant(2), sum);
    let got: Vec<f64> = result(&checked(b), &[]).unwrap();
    assert_eq!(got, [1.0, 3.0, 201_201.0, -1.0, 2.0, 2.0]);
}

/// Edge cases of the scalar operations.
#[test]
fn scalar_operations() {
    use crate::scalar::apply as eval;
    let convert = |from, to, bits| eval(ScalarOp::Convert, from, to, &[bits]);
    let f = |op, x: f64, y: f64| {
        f64::from_bits(eval(
            op,
            DType::F64,
            DType::F64,
            &[x.to_bits(), y.to_bits()],
        ))
    };
    assert!(f(ScalarOp::Min, 0.0, -0.0).is_sign_negative());
    assert!(f(ScalarOp::Min, -0.0, 0.0).is_sign_negative());
    assert!(f(ScalarOp::Max, 0.0, -0.0).is_sign_positive());
    assert!(f(ScalarOp::Max, -0.0, 0.0).is_sign_positive());
    assert!(f(ScalarOp::Min, f64::NAN, 1.0).is_nan());
    assert!(f(ScalarOp::Max, 1.0, f64::NAN).is_nan());
    assert_eq!(f(ScalarOp::Min, 2.0, f64::NEG_INFINITY), f64::NEG_INFINITY);
    assert_eq!(f(ScalarOp::Rem, -7.5, 2.0), -1.5);
    let round = eval(ScalarOp::Round, DType::F64, DType::F64, &[2.5f64.to_bits()]);
    assert_eq!(f64::from_bits(round), 2.0);

    let i = |op, x: i32, y: i32| {
        let bits = [u64::from(x as u32), u64::from(y as u32)];
        eval(op, DType::I32, DType::I32, &bits) as u32 as i32
    };
    assert_eq!(i(ScalarOp::Div, 7, 0), 0);
    assert_eq!(i(ScalarOp::Div, i32::MIN, -1), i32::MIN);
    assert_eq!(i(ScalarOp::Rem, i32::MIN, -1), 0);
    assert_eq!(i(ScalarOp::Rem, -7, 4), -3);
    assert_eq!(i(ScalarOp::Abs, i32::MIN, 0), i32::MIN);
    assert_eq!(i(ScalarOp::Shr, -8, 33), -4);
    assert_eq!(i(ScalarOp::ShrLogical, -8, 1), 0x7fff_fffc);
    assert_eq!(i(ScalarOp::Shl, 3, 32), 3);

    let from_f64 = |x: f64, to| convert(DType::F64, to, x.to_bits());
    assert_eq!(from_f64(f64::NAN, DType::I64), 0);
    assert_eq!(from_f64(-1.9, DType::I32), u64::from(-1i32 as u32));
    assert_eq!(from_f64(-5.0, DType::U8), 0);
    assert_eq!(from_f64(300.0, DType::U8), 255);
    assert_eq!(from_f64(f64::NAN, DType::Bool), 1);
    assert_eq!(convert(DType::I64, DType::U8, 0x1ff), 0xff);
    assert_eq!(convert(DType::I32, DType::I64, 0xffff_ffff), u64::MAX);
    assert_eq!(convert(DType::U32, DType::I64, 0xffff_ffff), 0xffff_ffff);
    assert_eq!(
        convert(DType::Bool, DType::F32, 1),
        u64::from(1f32.to_bits())
    );
}

/// The limit of a loop that counts to a bound is dropped if the bound comes first, and else stays and is reached.
#[test]
fn a_loop_that_counts_to_a_bound_has_no_limit() {
    let cases = [
        (9, 1, true),
        (10, 1, false),
        (4, 2, true),
        (5, 2, false),
        (0, 7, true),
        (2, 7, false),
        (100, 0, true),
        (100, -1, true),
        (100, i64::MAX, true),
    ];
    for (limit, by, stays) in cases {
        let mut b = Builder::new();
        let y = output(&mut b, DType::I64, 1);
        let (zero, ten, by) = (b.i64(0), b.i64(10), b.i64(by));
        let carries = [b.carry(zero)];
        let outs = b.while_(
            limit,
            &carries,
            |b, p| b.op(ScalarOp::Lt, &[p[0], ten]),
            |b, p| vec![b.add(p[0], by)],
        );
        b.store(y, &Affine::constant(0), outs[0]);
        let program = checked(b);
        let prepared = prepare(&program);
        let kept = prepared.body.stmts.iter().find_map(|s| match s {
            Stmt::While(w) => Some(w.limit != u64::MAX),
            _ => None,
        });
        assert_eq!(kept, Some(stays), "{limit}, {program}");
        let got = result::<i64>(&prepared, &[]);
        assert_eq!(got, result(&program, &[]), "{limit}, {program}");
    }
}
