//! Element types beside each other, all pairs; the integers' arithmetic; conversions. Machine code and
//! interpreter give the same.

use expect_test::expect;
use wengert::prelude::*;
use wengert::{Error, Result};
use wengert_ir::buffer::{Data, Dense};

/// Elements that are delicate in one type or another, converted to it.
const DELICATE: [f64; 19] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -7.5,
    7.999,
    127.0,
    128.0,
    255.0,
    256.5,
    2147483647.0,
    -2147483648.0,
    4294967296.0,
    9.3e18,
    -9.3e18,
    1.9e19,
    f64::INFINITY,
    f64::NAN,
];

fn array(dtype: DType, elements: &[f64]) -> Array {
    let n = elements.len();
    let data = match dtype {
        DType::F32 => Data::F32(elements.iter().map(|&x| x as f32).collect()),
        DType::F64 => Data::F64(elements.to_vec()),
        DType::I32 => Data::I32(elements.iter().map(|&x| x as i32).collect()),
        DType::I64 => Data::I64(elements.iter().map(|&x| x as i64).collect()),
        DType::U32 => Data::U32(elements.iter().map(|&x| x as u32).collect()),
        DType::U64 => Data::U64(elements.iter().map(|&x| x as u64).collect()),
        DType::U8 => Data::U8(elements.iter().map(|&x| x as u8).collect()),
        _ => Data::Bool(elements.iter().map(|&x| x != 0.0).collect()),
    };
    Array::from_dense(Dense::new(vec![n], data))
}

#[track_caller]
fn same(a: &Array, b: &Array) {
    assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()));
    for i in 0..a.len() {
        let bits = [a, b].map(|x| x.dense().data.bits(i));
        let nan = [a, b].map(|x| match &*x.dense().data {
            Data::F64(v) => v[i].is_nan(),
            Data::F32(v) => v[i].is_nan(),
            _ => false,
        });
        assert!(
            bits[0] == bits[1] || nan == [true, true],
            "{i}: {a:?} {b:?}"
        );
    }
}

/// The same both ways.
#[track_caller]
fn both<F: Fn(Vec<Var>) -> Var + Send + Sync + 'static>(f: F, x: Vec<Array>) -> Result<Array> {
    let f = jit(f);
    let (a, b) = (f.call(x.clone()), f.interpret(x));
    match (a, b) {
        (Ok(a), Ok(b)) => {
            same(&a, &b);
            Ok(a)
        }
        (Err(a), Err(b)) => {
            assert_eq!(a.to_string(), b.to_string());
            Err(a)
        }
        (a, b) => panic!("{a:?} and {b:?}"),
    }
}

/// The operation, the types, and the hint.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let (message, place) = text.split_once(", at ").expect("a place");
    assert!(place.contains("element_types.rs:"), "{text}");
    let hint = place.split_once("; ").map_or("", |(_, hint)| hint);
    format!("{message}; {hint}")
}

#[test]
fn all_pairs() {
    let few = [3.0, 1.0, 0.0];
    let mut table = String::new();
    for a in DType::ALL {
        for b in DType::ALL {
            let x = || vec![array(a, &few), array(b, &few)];
            let greater = both(|x| x[0].maximum(x[1]), x());
            let sum = both(|x| x[0] + x[1], x());
            let chosen = both(|x| x[0].gt(x[1]).select(x[0], x[1]), x());
            let joined = both(|x| wengert::concat(&x, 0), x());
            let compared = both(|x| x[0].eq(x[1]), x());
            let cell = match a.promote(b) {
                Some(dtype) => {
                    for y in [&greater, &chosen, &joined] {
                        assert_eq!(y.as_ref().unwrap().dtype(), dtype, "{a} {b}");
                    }
                    assert_eq!(compared.unwrap().dtype(), DType::Bool);
                    match dtype {
                        // Truth values are joined by `&` and `|`.
                        DType::Bool => assert!(sum.is_err()),
                        _ => assert_eq!(sum.unwrap().dtype(), dtype, "{a} {b}"),
                    }
                    dtype.name()
                }
                None => {
                    let name = |d: DType| format!("{d:?}");
                    let to = name(if a.is_float() {
                        a
                    } else if b.is_float() {
                        b
                    } else {
                        DType::I64
                    });
                    let hint = format!("convert one of them, as in `x.to(DType::{to})`");
                    let want = |op: &str| {
                        format!("{op}: {a}[3] and {b}[3] have no common element type; {hint}")
                    };
                    assert_eq!(said(&greater.unwrap_err()), want("maximum"));
                    assert_eq!(said(&sum.unwrap_err()), want("add"));
                    assert_eq!(said(&joined.unwrap_err()), want("concat"));
                    assert!(chosen.is_err() && compared.is_err());
                    "."
                }
            };
            table += &format!("{cell:<5}");
        }
        table = table.trim_end().to_string() + "\n";
    }
    expect![[r#"
        f32  f64  .    .    .    .    .    f32
        f64  f64  .    .    .    .    .    f64
        .    .    i32  i64  .    .    .    i32
        .    .    i64  i64  .    .    .    i64
        .    .    .    .    u32  u64  u32  u32
        .    .    .    .    u64  u64  u64  u64
        .    .    .    .    u32  u64  u8   u8
        f32  f64  i32  i64  u32  u64  u8   bool
    "#]]
    .assert_eq(&table);
}

/// A literal takes the type of what it stands beside.
#[test]
fn literals() {
    for dtype in DType::ALL {
        let x = || vec![array(dtype, &[3.0, 1.0])];
        let whole = both(|x| (2 + x[0]).maximum(7), x()).unwrap();
        let real = both(|x| (2.5 + x[0]).minimum(0.5), x());
        let truth = both(|x| x[0].maximum(true), x()).unwrap();
        assert_eq!(truth.dtype(), dtype);
        match dtype {
            DType::Bool => {
                assert_eq!(whole.dtype(), DType::I64);
                assert_eq!(real.unwrap().dtype(), DType::F64);
            }
            _ if dtype.is_float() => {
                assert_eq!(whole.dtype(), dtype);
                assert_eq!(real.unwrap().dtype(), dtype);
            }
            _ => {
                assert_eq!(whole.dtype(), dtype);
                let want = format!(
                    "add: the float 2.5 beside {dtype}; convert first, as in `x.to(DType::F64)`"
                );
                assert_eq!(said(&real.unwrap_err()), want);
            }
        }
    }
    let wide = both(|x| x[0] + 256, vec![array(DType::U8, &[1.0])]);
    let hint = "convert first, as in `x.to(DType::I64)`";
    assert_eq!(
        said(&wide.unwrap_err()),
        format!("add: 256 does not fit in u8; {hint}")
    );
    let negative = both(|x| x[0] * -1, vec![array(DType::U64, &[1.0])]);
    assert_eq!(
        said(&negative.unwrap_err()),
        format!("mul: -1 does not fit in u64; {hint}")
    );
}

/// What each integer type makes of its borders: `[div, rem, shl, shr, add, sub, mul, neg]`.
macro_rules! borders {
    ($($t:ident)*) => {$({
        let pairs: Vec<($t, $t)> = {
            let few = [<$t>::MIN, <$t>::MIN + 1, 0, 1, 2, 7, 40, <$t>::MAX - 1, <$t>::MAX];
            let more = [(0 as $t).wrapping_sub(1), (0 as $t).wrapping_sub(7), 33, 65];
            let all: Vec<$t> = few.into_iter().chain(more).collect();
            all.iter().flat_map(|&a| all.iter().map(move |&b| (a, b))).collect()
        };
        let (a, b): (Vec<$t>, Vec<$t>) = pairs.iter().copied().unzip();
        let of = |f: fn(Var, Var) -> Var, want: fn($t, $t) -> $t| {
            let x = vec![Array::from(a.clone()), Array::from(b.clone())];
            let got = both(move |x| f(x[0], x[1]), x).unwrap().to_vec::<$t>().unwrap();
            let want: Vec<$t> = pairs.iter().map(|&(a, b)| want(a, b)).collect();
            assert_eq!(got, want, "{}", stringify!($t));
        };
        of(|a, b| a + b, <$t>::wrapping_add);
        of(|a, b| a - b, <$t>::wrapping_sub);
        of(|a, b| a * b, <$t>::wrapping_mul);
        of(|a, b| a / b, |a, b| if b == 0 { 0 } else { a.wrapping_div(b) });
        of(|a, b| a % b, |a, b| if b == 0 { 0 } else { a.wrapping_rem(b) });
        of(|a, b| a << b, |a, b| a.wrapping_shl(b as u32));
        of(|a, b| a >> b, |a, b| a.wrapping_shr(b as u32));
        of(|a, _| -a, |a, _| a.wrapping_neg());
        of(|a, b| a.maximum(b), |a, b| a.max(b));
        of(|a, b| (a & b) ^ !(a | b), |a, b| (a & b) ^ !(a | b));
    })*};
}

#[test]
fn whole_numbers_at_their_borders() {
    borders!(i32 i64 u32 u64 u8);
    let x = || vec![array(DType::I32, &[-2147483648.0, -3.0, 0.0])];
    let abs = both(|x| x[0].abs(), x()).unwrap();
    assert_eq!(abs.to_vec::<i32>().unwrap(), [i32::MIN, 3, 0]);
    let sign = both(|x| x[0].sign(), x()).unwrap();
    assert_eq!(sign.to_vec::<i32>().unwrap(), [-1, -1, 0]);
}

/// From floats towards zero and saturating, NaN to 0; between integers the low bits; to `bool` whether
/// not zero: what Rust's `as` does.
#[test]
fn conversions() {
    for from in DType::ALL {
        for to in DType::ALL {
            let x = array(from, &DELICATE);
            let got = both(move |x| x[0].to(to), vec![x.clone()]).unwrap();
            macro_rules! converted {
                ($v:expr) => {{
                    let v = $v;
                    match to {
                        DType::F32 => Data::F32(v.iter().map(|&x| x as f32).collect()),
                        DType::F64 => Data::F64(v.iter().map(|&x| x as f64).collect()),
                        DType::I32 => Data::I32(v.iter().map(|&x| x as i32).collect()),
                        DType::I64 => Data::I64(v.iter().map(|&x| x as i64).collect()),
                        DType::U32 => Data::U32(v.iter().map(|&x| x as u32).collect()),
                        DType::U64 => Data::U64(v.iter().map(|&x| x as u64).collect()),
                        DType::U8 => Data::U8(v.iter().map(|&x| x as u8).collect()),
                        _ => Data::Bool(v.iter().map(|&x| x as f64 != 0.0).collect()),
                    }
                }};
            }
            let want = match &*x.dense().data {
                Data::F32(v) => converted!(v),
                Data::F64(v) => converted!(v),
                Data::I32(v) => converted!(v),
                Data::I64(v) => converted!(v),
                Data::U32(v) => converted!(v),
                Data::U64(v) => converted!(v),
                Data::U8(v) => converted!(v),
                Data::Bool(v) => {
                    let v: Vec<u8> = v.iter().map(|&x| u8::from(x)).collect();
                    converted!(v.as_slice())
                }
            };
            let want = Array::from_dense(Dense::new(vec![DELICATE.len()], want));
            same(&got, &want);
        }
    }
}

/// Operations on arrays take every element type that makes sense, and say so where it does not.
#[test]
fn arrays_of_every_type() {
    type Case = (&'static str, fn(Var) -> Var, fn(DType) -> bool);
    let any: fn(DType) -> bool = |_| true;
    let number: fn(DType) -> bool = |d| d != DType::Bool;
    let cases: &[Case] = &[
        ("sum", |x| x.sum(), number),
        ("prod", |x| x.prod_axis(0), number),
        ("amax", |x| x.amax(), number),
        ("cumsum", |x| x.cumsum(0), number),
        ("cumprod", |x| x.cumprod_reverse(0), number),
        ("cummin", |x| x.cummin(0), number),
        ("cumlogsumexp", |x| x.cumlogsumexp(0), DType::is_float),
        ("sort", |x| x.sort(0), any),
        ("argsort", |x| x.argsort_descending(0), any),
        ("argmax", |x| x.argmax(), any),
        ("top_k", |x| x.top_k(3).0, any),
        ("searchsorted", |x| x.sort(0).searchsorted(x), any),
        ("take", |x| x.take(arange(3), 0), any),
        ("at_set", |x| x.at_set(arange(3), x.at(0)), any),
        ("at_add", |x| x.at_add(arange(3), x.at(1)), number),
        ("one_hot", |x| x.one_hot(3), DType::is_int),
        ("matmul", |x| x.reshape([1, -1]).matmul(x), number),
        ("flip", |x| x.flip(0), any),
        ("pad", |x| x.pad([(1, 2)]), any),
    ];
    for (name, f, takes) in cases {
        for dtype in DType::ALL {
            let f = *f;
            let x = vec![array(
                dtype,
                &[3.0, 0.0, -2.5, 7.0, 3.0, 1e10, 255.0, 0.0, 2.0],
            )];
            let got = both(move |x| f(x[0]), x);
            match (takes(dtype), got) {
                (true, Ok(_)) => {}
                (false, Err(error)) => {
                    let said = said(&error);
                    assert!(said.contains(dtype.name()), "{name} of {dtype}: {said}");
                }
                (_, got) => panic!("{name} of {dtype}: {got:?}"),
            }
        }
    }
}
