//! Every operation on every type, on scalars and on lanes, against plain Rust.

use crate::common::single::{OPS, Operands, signatures, single};
use crate::common::*;
use wengert_jit::{Cpu, Options, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::{self, *};
use wengert_loop::types::DType;

fn floats() -> Vec<f64> {
    let mut v = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        3.7,
        -3.7,
        1e10,
        -1e10,
        1e20,
        -1e20,
        2147483647.5,
        -2147483649.0,
        4294967295.5,
        9.3e18,
        1.9e19,
        255.4,
        256.0,
        -0.9,
        4503599627370495.5,
        4503599627370497.5,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        1e-40,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        std::f64::consts::PI,
    ];
    v.push(0.1);
    v
}

/// Bits of interesting values of a type.
fn samples(d: DType) -> Vec<u64> {
    let ints: [i128; 17] = [
        0,
        1,
        -1,
        2,
        3,
        7,
        -8,
        31,
        63,
        255,
        i64::MAX as i128,
        i64::MIN as i128,
        i32::MAX as i128,
        i32::MIN as i128,
        1 << 32,
        (1 << 53) + 1,
        0x0123_4567_89ab_cdef,
    ];
    match d {
        DType::F64 => floats().iter().map(|x| x.to_bits()).collect(),
        DType::F32 => floats()
            .iter()
            .map(|&x| u64::from((x as f32).to_bits()))
            .collect(),
        DType::Bool => vec![0, 1],
        _ => {
            let mask = if d.bytes() == 8 {
                u64::MAX
            } else {
                (1 << (8 * d.bytes())) - 1
            };
            let mut v: Vec<u64> = ints.iter().map(|&x| x as u64 & mask).collect();
            v.dedup();
            v
        }
    }
}

fn data(d: DType, bits: &[u64]) -> Data {
    let mut out = Data::zeros(d, bits.len());
    for (i, &b) in bits.iter().enumerate() {
        out.set_bits(i, b);
    }
    out
}

/// A value of an integer type, exactly.
fn int(d: DType, b: u64) -> i128 {
    match d {
        DType::I32 => i128::from(b as i32),
        DType::I64 => i128::from(b as i64),
        DType::U32 => i128::from(b as u32),
        DType::U64 => i128::from(b),
        DType::U8 => i128::from(b as u8),
        _ => i128::from(b != 0),
    }
}

fn wrap(d: DType, x: i128) -> u64 {
    match d {
        DType::I32 | DType::U32 => u64::from(x as u32),
        DType::U8 => u64::from(x as u8),
        DType::Bool => u64::from(x != 0),
        _ => x as u64,
    }
}

fn range(d: DType) -> (i128, i128) {
    match d {
        DType::I32 => (i32::MIN.into(), i32::MAX.into()),
        DType::I64 => (i64::MIN.into(), i64::MAX.into()),
        DType::U32 => (0, u32::MAX.into()),
        DType::U64 => (0, u64::MAX.into()),
        _ => (0, 255),
    }
}

fn float(d: DType, b: u64) -> f64 {
    if d == DType::F64 {
        f64::from_bits(b)
    } else {
        f64::from(f32::from_bits(b as u32))
    }
}

fn of_float(d: DType, x: f64) -> u64 {
    if d == DType::F64 {
        x.to_bits()
    } else {
        u64::from((x as f32).to_bits())
    }
}

fn convert(d: DType, o: DType, b: u64) -> u64 {
    if o == DType::Bool {
        return if d.is_float() {
            u64::from(float(d, b) != 0.0)
        } else {
            u64::from(int(d, b) != 0)
        };
    }
    match (d.is_float(), o.is_float()) {
        (true, true) => of_float(o, float(d, b)),
        (true, false) => {
            let x = float(d, b);
            let (low, high) = range(o);
            if x.is_nan() {
                0
            } else {
                wrap(o, (x.trunc() as i128).clamp(low, high))
            }
        }
        (false, true) if o == DType::F64 => (int(d, b) as f64).to_bits(),
        (false, true) => u64::from((int(d, b) as f32).to_bits()),
        (false, false) => wrap(o, int(d, b)),
    }
}

fn float_min(x: f64, y: f64, sign: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (a, b) = (x * sign, y * sign);
    if a < b || (a == b && a.is_sign_negative()) {
        x
    } else {
        y
    }
}

fn oracle(op: ScalarOp, d: DType, o: DType, a: &[u64]) -> u64 {
    let bool = |b: bool| u64::from(b);
    if d.is_float() && !matches!(op, Select | Convert | Bitcast) {
        let x = float(d, a[0]);
        let y = a.get(1).map_or(0.0, |&b| float(d, b));
        let z = a.get(2).map_or(0.0, |&b| float(d, b));
        return of_float(
            d,
            match op {
                // Twice the precision and more: one rounding to f32 is as good as none before.
                Add => x + y,
                Sub => x - y,
                Mul => x * y,
                Div => x / y,
                Rem => x % y,
                Neg => return a[0] ^ if d == DType::F64 { 1 << 63 } else { 1 << 31 },
                Abs => x.abs(),
                Sqrt => x.sqrt(),
                Fma if d == DType::F64 => x.mul_add(y, z),
                Fma => return u64::from((x as f32).mul_add(y as f32, z as f32).to_bits()),
                Min => float_min(x, y, 1.0),
                Max => float_min(x, y, -1.0),
                Floor => x.floor(),
                Ceil => x.ceil(),
                Round => x.round_ties_even(),
                Trunc => x.trunc(),
                Eq => return bool(x == y),
                Ne => return bool(x != y),
                Lt => return bool(x < y),
                Le => return bool(x <= y),
                _ => unreachable!(),
            },
        );
    }
    match op {
        Select => return if a[0] != 0 { a[1] } else { a[2] },
        Convert => return convert(d, o, a[0]),
        Bitcast => return a[0],
        _ => {}
    }
    let x = int(d, a[0]);
    let y = a.get(1).map_or(0, |&b| int(d, b));
    let bits = 8 * d.bytes() as i128;
    let unsigned = |x: i128| x & ((1i128 << bits) - 1);
    let by = unsigned(y) % bits;
    wrap(
        d,
        match op {
            Add => x + y,
            Sub => x - y,
            Mul => x.wrapping_mul(y),
            MulHigh => x.wrapping_mul(y) >> bits,
            Div => {
                if y == 0 {
                    0
                } else {
                    x / y
                }
            }
            Rem => {
                if y == 0 {
                    0
                } else {
                    x % y
                }
            }
            Neg => -x,
            Abs => x.abs(),
            Min => x.min(y),
            Max => x.max(y),
            And => x & y,
            Or => x | y,
            Xor => x ^ y,
            Not if d == DType::Bool => return bool(x == 0),
            Not => !x,
            Shl => (unsigned(x) << by) & ((1i128 << bits) - 1),
            Shr => x >> by,
            ShrLogical => unsigned(x) >> by,
            Rotl => (unsigned(x) << by | unsigned(x) >> (bits - by)) & ((1i128 << bits) - 1),
            Eq => return bool(x == y),
            Ne => return bool(x != y),
            Lt => return bool(x < y),
            Le => return bool(x <= y),
            _ => unreachable!(),
        },
    )
}

/// All combinations of the samples of the operands, some of them where there are many.
fn tuples(ds: &[DType]) -> Vec<Vec<u64>> {
    let mut out = vec![vec![]];
    for &d in ds {
        let s = samples(d);
        out = out
            .into_iter()
            .flat_map(|t: Vec<u64>| {
                s.iter().map(move |&x| {
                    let mut t = t.clone();
                    t.push(x);
                    t
                })
            })
            .collect();
    }
    let step = (out.len() / 1500).max(1) | 1;
    out.into_iter().step_by(step).collect()
}

/// Runs an operation on columns of operands.
fn computed(
    op: ScalarOp,
    ds: &[DType],
    o: DType,
    columns: &[Data],
    how: Operands,
    options: &Options,
) -> Data {
    let n = columns[0].len();
    let exe = compile(&single(op, ds, o, n, how), options).expect("it compiles");
    run(&exe, columns, &[(o, n)]).remove(0)
}

fn same(d: DType, a: u64, b: u64) -> bool {
    a == b || (d.is_float() && float(d, a).is_nan() && float(d, b).is_nan())
}

fn check(op: ScalarOp, ds: &[DType], o: DType, tuples: &[Vec<u64>], how: Operands) {
    let columns: Vec<Data> = (0..ds.len())
        .map(|k| {
            let col: Vec<u64> = tuples.iter().map(|t| t[k]).collect();
            data(ds[k], &col)
        })
        .collect();
    for cpu in [Cpu::host(), Cpu::baseline()] {
        let options = Options {
            cpu,
            ..Options::default()
        };
        let got = computed(op, ds, o, &columns, how, &options);
        compare(op, ds, o, tuples, how, &got);
    }
}

fn compare(op: ScalarOp, ds: &[DType], o: DType, tuples: &[Vec<u64>], how: Operands, got: &Data) {
    let d = ds[ds.len() - 1];
    for (i, t) in tuples.iter().enumerate() {
        let want = oracle(op, d, o, t);
        assert!(
            same(o, got.bits(i), want),
            "{op:?} {ds:?} -> {o} ({how:?}) of {t:x?}: {:x}, expected {want:x}",
            got.bits(i)
        );
    }
}

fn check_all(ops: &[ScalarOp]) {
    for &op in ops {
        for (ds, o) in signatures(op) {
            let all = tuples(&ds);
            check(op, &ds, o, &all, Operands::Uniform);
            check(op, &ds, o, &all, Operands::Lanes);
            if ds.len() > 1 {
                for last in samples(ds[ds.len() - 1]).into_iter().step_by(3) {
                    let mut some: Vec<Vec<u64>> = all.iter().step_by(7).cloned().collect();
                    some.iter_mut().for_each(|t| *t.last_mut().unwrap() = last);
                    check(op, &ds, o, &some, Operands::LastUniform);
                }
            }
        }
    }
}

#[test]
fn arithmetic() {
    check_all(&OPS[..10]);
}

#[test]
fn extremes_and_rounding() {
    check_all(&OPS[10..16]);
}

#[test]
fn bits() {
    check_all(&OPS[16..23]);
}

#[test]
fn comparisons() {
    check_all(&OPS[23..28]);
}

#[test]
fn conversions() {
    check_all(&OPS[28..]);
}

#[test]
fn arguments_are_checked() {
    let mut b = Build::new();
    let x = b.input(DType::F64, 1);
    let y = b.output(DType::F64, 1);
    let v = b.load(x, at(0));
    b.store(y, at(0), v);
    let exe = b.compile();
    assert_eq!(
        run(&exe, &[f64s(&[2.5])], &[(DType::F64, 1)])[0],
        f64s(&[2.5])
    );
    assert!(try_run(&exe, &[f64s(&[2.5, 1.0])], &[(DType::F64, 1)]).is_err());
    assert!(try_run(&exe, &[i64s(&[2])], &[(DType::F64, 1)]).is_err());
    assert!(try_run(&exe, &[], &[(DType::F64, 1)]).is_err());
    assert!(try_run(&exe, &[f64s(&[2.5])], &[(DType::F32, 1)]).is_err());
}
