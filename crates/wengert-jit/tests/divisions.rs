//! Quotients and remainders of integers: by constants, which are not divisions in the code, and by others.

use crate::common::compare::agree;
use crate::common::*;
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::{Div, Rem};
use wengert_loop::loops::Stmt;
use wengert_loop::types::DType;

fn data(d: DType, all: &[u64]) -> Data {
    let mask = u64::MAX >> (64 - 8 * d.bytes());
    let mut out = Data::zeros(d, all.len());
    for (i, &bits) in all.iter().enumerate() {
        out.set_bits(i, bits & mask);
    }
    out
}

/// Words of all sizes, and what is near the ends of the types.
fn words(n: usize, mut word: u64) -> Vec<u64> {
    let near = [0, 1 << 7, 1 << 8, 1 << 31, 1 << 32, 1 << 53, 1 << 63];
    let mut all: Vec<u64> = near
        .iter()
        .flat_map(|&x: &u64| (0..5).map(move |i| x.wrapping_add(i).wrapping_sub(2)))
        .collect();
    while all.len() < n {
        word = word
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        let some = (word ^ word >> 29) >> (word >> 58);
        all.push(if word & 64 == 0 { some } else { !some });
    }
    all
}

fn check(d: DType, divisors: &[u64], lanes: bool) {
    let x = data(d, &words(91, 7));
    let n = x.len();
    let mut b = Build::new();
    let from = b.input(d, n);
    let to: Vec<_> = divisors
        .iter()
        .map(|_| [b.output(d, n), b.output(d, n)])
        .collect();
    let by: Vec<_> = divisors
        .iter()
        .map(|&bits| {
            let out = b.value(d, false);
            let bits = bits & (u64::MAX >> (64 - 8 * d.bytes()));
            b.push(Stmt::Const { out, bits });
            out
        })
        .collect();
    let body = |b: &mut Build, at| {
        let x = b.load(from, at);
        for (&by, to) in by.iter().zip(&to) {
            for (op, &to) in [Div, Rem].into_iter().zip(to) {
                let y = b.op(op, &[x, by]);
                b.store(to, at, y);
            }
        }
    };
    match lanes {
        true => b.vector(n as i64, |b, _| body(b, row())),
        false => b.serial(n as i64, |b, i| body(b, base(i))),
    }
    agree(&b.finish(), &[x]);
}

#[test]
fn by_constants() {
    for d in [DType::I32, DType::I64, DType::U32, DType::U64, DType::U8] {
        let high = u64::MAX >> (64 - 8 * d.bytes() + u32::from(d.is_signed_int()) as usize);
        let mut divisors: Vec<u64> = (0..=70).collect();
        divisors.extend([100, 125, 641, 1000, 1_000_000_007].map(|n: u64| n & high));
        divisors.extend((7..8 * d.bytes()).map(|k| 1 << k));
        divisors.extend([high, high - 1, high / 3, high / 2 + 1]);
        if d.is_signed_int() {
            let negative = [1, 2, 3, 7, 10, 64, 1 << 20, high, high + 1];
            divisors.extend(negative.map(|n: u64| n.wrapping_neg()));
        }
        for some in divisors.chunks(40) {
            check(d, some, true);
            check(d, some, false);
        }
    }
}

/// Quotients near whole numbers, and dividends of any size.
#[test]
fn by_lanes() {
    for d in [DType::I32, DType::I64, DType::U32, DType::U64, DType::U8] {
        let (mut x, mut y) = (words(400, 1), words(400, 2));
        for i in 0..400 {
            let product = y[i].wrapping_mul(words(400, 3)[i]);
            x.extend([product.wrapping_sub(1), product, y[399 - i]]);
            y.extend([y[i], y[i], y[i]]);
        }
        let n = x.len();
        let mut b = Build::new();
        let from = [b.input(d, n), b.input(d, n)];
        let to = [b.output(d, n), b.output(d, n)];
        b.vector(n as i64, |b, _| {
            let [x, y] = from.map(|from| b.load(from, row()));
            for (op, to) in [Div, Rem].into_iter().zip(to) {
                let z = b.op(op, &[x, y]);
                b.store(to, row(), z);
            }
        });
        agree(&b.finish(), &[data(d, &x), data(d, &y)]);
    }
}
