//! Quotients and remainders by constants.

use super::*;
use crate::loops::divide::divide;
use crate::scalar;

/// Dividends of a type: what is near its ends, near zero and near multiples of a divisor, and others.
fn dividends(dtype: DType, d: i128) -> Vec<u64> {
    let bits = 8 * dtype.bytes() as u32;
    let mask = u64::MAX >> (64 - bits);
    let (low, high) = match dtype.is_signed_int() {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let mut all = vec![];
    let d = d.max(1);
    for near in [
        0,
        low,
        high,
        d,
        -d,
        high / d * d,
        low / d * d,
        high / 2 / d * d,
        1 << 31,
        1 << 53,
    ] {
        all.extend((-2..=2).map(|i| (near + i) as u64 & mask));
    }
    let mut word = 0x9e37_79b9_7f4a_7c15u64;
    for i in 0..40 {
        word = word
            .wrapping_mul(0xd134_2543_de82_ef95)
            .wrapping_add(0x2545_f491);
        all.push((word >> (i % 60)) & mask);
    }
    all
}

/// The divisors of a type, as numbers.
fn divisors(dtype: DType) -> Vec<i128> {
    let bits = 8 * dtype.bytes() as u32;
    let high = match dtype.is_signed_int() {
        true => (1i128 << (bits - 1)) - 1,
        false => (1i128 << bits) - 1,
    };
    let mut all: Vec<i128> = (0..=70).collect();
    all.extend([100, 125, 255, 641, 1000, 10007, 1_000_000_007]);
    all.extend((0..bits).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1]));
    all.extend([high, high - 1, high / 2, high / 3, high / 3 + 1]);
    all.retain(|&d| d <= high);
    if dtype.is_signed_int() {
        all.extend(all.clone().iter().map(|d| -d));
        all.push(-high - 1);
    }
    all
}

fn check<T: Element>() {
    let dtype = T::DTYPE;
    let mask = u64::MAX >> (64 - 8 * dtype.bytes());
    for op in [ScalarOp::Div, ScalarOp::Rem] {
        for d in divisors(dtype) {
            let x = dividends(dtype, d);
            let mut b = Builder::new();
            let from = input(&mut b, 0, dtype, x.len());
            let to = output(&mut b, dtype, x.len());
            let by = b.constant(dtype, d as u64 & mask);
            let n = b.i64(x.len() as i64);
            b.for_(LoopKind::Vector, n, &[], |b, i, _| {
                let i = b.affine(i);
                let v = b.load(from, &i);
                let v = b.op(op, &[v, by]);
                b.store(to, &i, v);
                vec![]
            });
            let after = divide(&checked(b));
            verify(&after).expect("a program");
            let text = after.to_string();
            assert!(!text.contains("div ") && !text.contains("rem "), "{text}");
            let mut data = Data::zeros(dtype, x.len());
            for (i, &x) in x.iter().enumerate() {
                data.set_bits(i, x);
            }
            let got: Vec<T> = result(&after, &[data]).expect("a program that runs");
            for (x, got) in x.into_iter().zip(got) {
                let want = scalar::apply(op, dtype, dtype, &[x, d as u64 & mask]);
                assert_eq!(got.to_bits(), want, "{op:?} of {x:#x} by {d} of {dtype}");
            }
        }
    }
}

#[test]
fn quotients_by_constants_are_exact() {
    check::<i32>();
    check::<i64>();
    check::<u32>();
    check::<u64>();
    check::<u8>();
}

/// What cannot be negative is divided by a power of two with one shift or mask.
#[test]
fn an_index_needs_no_sign() {
    let mut b = Builder::new();
    let y = output(&mut b, DType::I64, 100);
    let (n, by) = (b.i64(100), b.i64(8));
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let q = b.op(ScalarOp::Div, &[i, by]);
        let r = b.op(ScalarOp::Rem, &[i, by]);
        let v = b.add(q, r);
        let i = b.affine(i);
        b.store(y, &i, v);
        vec![]
    });
    let program = divide(&checked(b));
    let mut ops = 0;
    crate::loops::walk::stmts(&program.body, &mut |s| {
        ops += u32::from(matches!(s, crate::loops::Stmt::Op { .. }));
    });
    assert_eq!(ops, 3, "{program}");
    let got: Vec<i64> = result(&program, &[]).expect("a program that runs");
    assert!((0..100).zip(got).all(|(i, v)| v == i / 8 + i % 8));
}
