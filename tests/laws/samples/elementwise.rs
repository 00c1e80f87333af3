//! Operations on one, two or three numbers, element by element.

use wengert::{Array, DType};

use super::Row;
use crate::laws::draw::{Draw, Sample};

/// Of one number from that range, in an array of any shape.
fn number(d: &mut Draw, low: f64, high: f64) -> Sample {
    let dims = d.shape(0, 5);
    Sample::of([d.floats_between(&dims, low, high)])
}

fn any_number(d: &mut Draw) -> Sample {
    number(d, -2.0, 2.0)
}

fn positive(d: &mut Draw) -> Sample {
    number(d, 0.2, 3.0)
}

fn within_one(d: &mut Draw) -> Sample {
    number(d, -0.9, 0.9)
}

pub const NUMBERS: &[Row] = &[
    ("neg", any_number),
    ("not", |d| {
        let dims = d.shape(0, 5);
        Sample::of([d.bools(&dims)])
    }),
    ("abs", any_number),
    ("sign", any_number),
    ("floor", any_number),
    ("ceil", any_number),
    ("round", any_number),
    ("exp", any_number),
    ("exp2", any_number),
    ("expm1", any_number),
    ("log", positive),
    ("log2", positive),
    ("log10", positive),
    ("log1p", positive),
    ("sqrt", positive),
    ("rsqrt", positive),
    ("cbrt", positive),
    ("sin", any_number),
    ("cos", any_number),
    ("tan", within_one),
    ("asin", within_one),
    ("acos", within_one),
    ("atan", any_number),
    ("sinh", any_number),
    ("cosh", any_number),
    ("tanh", any_number),
    ("asinh", any_number),
    ("acosh", |d| number(d, 1.2, 4.0)),
    ("atanh", within_one),
    ("sigmoid", any_number),
    ("softplus", any_number),
    ("log_sigmoid", any_number),
    ("relu", any_number),
    ("gelu", any_number),
    ("silu", any_number),
    ("sinc", any_number),
    ("erf", any_number),
    ("erfc", any_number),
    ("erf_inv", within_one),
    ("lgamma", positive),
    ("digamma", positive),
    ("recip", positive),
    ("square", any_number),
    ("is_finite", any_number),
    ("is_nan", any_number),
    ("nan_to_num", holes),
];

/// Floats, some of which are missing.
fn holes(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    Sample::of([with_holes(d, &dims)]).rough()
}

pub fn with_holes(d: &mut Draw, dims: &[usize]) -> Array {
    let mut x = d.f64s(dims, -2.0, 2.0).to_vec::<f64>().expect("f64");
    for x in &mut x {
        if d.below(3) == 0 {
            *x = f64::NAN;
        }
    }
    Array::new(dims, x).expect("as many as before")
}

/// Two arrays that broadcast.
fn pair(d: &mut Draw, low: f64, high: f64) -> Sample {
    let dims = d.shape(0, 5);
    let narrow = d.narrower(&dims);
    let mut pair = vec![
        d.floats_between(&dims, low, high),
        d.floats_between(&narrow, low, high),
    ];
    if d.below(2) == 0 {
        pair.reverse();
    }
    Sample::of(pair)
}

fn any_pair(d: &mut Draw) -> Sample {
    pair(d, -2.0, 2.0)
}

fn positive_pair(d: &mut Draw) -> Sample {
    pair(d, 0.3, 2.5)
}

fn compared(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let narrow = d.narrower(&dims);
    match d.below(2) {
        0 => Sample::of(d.alike(&[&dims, &narrow])),
        _ => Sample::of([
            d.whole(&dims, DType::I64, 0, 4),
            d.whole(&narrow, DType::I64, 0, 4),
        ]),
    }
}

fn bits(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let narrow = d.narrower(&dims);
    match d.below(2) {
        0 => Sample::of([d.bools(&dims), d.bools(&narrow)]),
        _ => Sample::of([
            d.whole(&dims, DType::U32, 0, 99),
            d.whole(&narrow, DType::U32, 0, 99),
        ]),
    }
}

fn shift(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let narrow = d.narrower(&dims);
    Sample::of([
        d.whole(&dims, DType::U32, 0, 99),
        d.whole(&narrow, DType::U32, 0, 9),
    ])
}

/// Three arrays that broadcast.
fn three(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let (a, b) = (d.narrower(&dims), d.narrower(&dims));
    Sample::of(d.alike(&[&dims, &a, &b]))
}

pub const PAIRS: &[Row] = &[
    ("add", any_pair),
    ("sub", any_pair),
    ("mul", any_pair),
    ("div", positive_pair),
    ("rem", positive_pair),
    ("pow", positive_pair),
    ("atan2", positive_pair),
    ("hypot", any_pair),
    ("copysign", any_pair),
    ("xlogy", positive_pair),
    ("logaddexp", any_pair),
    ("lt", compared),
    ("le", compared),
    ("gt", compared),
    ("ge", compared),
    ("eq", compared),
    ("ne", compared),
    ("and", bits),
    ("or", bits),
    ("xor", bits),
    ("shift_left", shift),
    ("shift_right", shift),
    ("where", |d| {
        let dims = d.shape(0, 5);
        let (a, b) = (d.narrower(&dims), d.narrower(&dims));
        let choices = d.alike(&[&a, &b]);
        Sample::of([&[d.bools(&dims)], &choices[..]].concat())
    }),
    ("clip", |d| {
        let dims = d.shape(0, 5);
        let (low, high) = (d.f64s(&[], -1.0, -0.5), d.f64s(&[], 0.5, 1.0));
        Sample::of([d.f64s(&dims, -2.0, 2.0), low, high])
    }),
    ("lerp", three),
    ("select", |d| {
        let dims = d.shape(0, 4);
        let conditions = [d.bools(&dims), d.bools(&[])];
        let values = d.alike(&[&dims, &dims, &[]]);
        Sample::of([&conditions[..], &values].concat())
    }),
    ("isclose", any_pair),
    ("allclose", any_pair),
];
