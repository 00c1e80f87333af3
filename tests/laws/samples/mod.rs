//! What to try each operation on.

use serde_json::{Value, json};
use wengert::{Array, DType};

use crate::draw::{Draw, Sample};

/// An operation and how to draw a sample of it.
pub type Row = (&'static str, fn(&mut Draw) -> Sample);

/// Every operation, and how to draw a sample of it.
pub fn all() -> impl Iterator<Item = Row> {
    let tables = [
        NUMBERS, PAIRS, REDUCTIONS, LAYOUT, PARTS, PRODUCTS, NUMERIC, STATISTICS,
    ];
    tables.into_iter().flatten().copied()
}

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

const NUMBERS: &[Row] = &[
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

fn with_holes(d: &mut Draw, dims: &[usize]) -> Array {
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

const PAIRS: &[Row] = &[
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

/// Along some axes, which go or stay.
fn reduced(d: &mut Draw, x: Array) -> Sample {
    let axes = d.axes(x.shape().len());
    let stay = d.below(3) == 0;
    Sample::of([x]).with("axes", axes).with("keepdims", stay)
}

fn reduction(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let x = d.floats(&dims);
    reduced(d, x)
}

/// Of one element at least.
fn of_some(d: &mut Draw) -> Sample {
    let dims = d.full_shape(0, 5);
    let x = d.floats(&dims);
    reduced(d, x)
}

/// Of several elements, along all axes.
fn spread(d: &mut Draw) -> Sample {
    let dims = [&d.full_shape(0, 2)[..], &[4]].concat();
    let x = d.floats(&dims);
    let sample = Sample::of([x]).with("axes", json!([dims.len() - 1]));
    match d.below(2) {
        0 => sample,
        _ => sample.with("ddof", 1),
    }
}

fn of_bools(d: &mut Draw) -> Sample {
    let dims = d.shape(0, 5);
    let x = d.bools(&dims);
    reduced(d, x)
}

/// Where some elements are missing, but not all of a row.
fn missing(d: &mut Draw) -> Sample {
    let dims = [&d.full_shape(0, 3)[..], &[5]].concat();
    let x = with_holes(d, &dims);
    Sample::of([x]).with("axes", json!([-1])).rough()
}

/// Along one axis.
fn running(d: &mut Draw) -> Sample {
    let dims = d.shape(1, 5);
    let axis = d.axis(dims.len());
    Sample::of([d.floats(&dims)]).with("axis", axis)
}

fn running_over_some(d: &mut Draw) -> Sample {
    let dims = d.full_shape(1, 5);
    let axis = d.axis(dims.len());
    Sample::of([d.floats(&dims)]).with("axis", axis)
}

fn place(d: &mut Draw) -> Sample {
    let dims = d.full_shape(1, 5);
    let axis = d.axis(dims.len());
    Sample::of([d.floats(&dims)]).with("axes", json!([axis]))
}

const REDUCTIONS: &[Row] = &[
    ("sum", reduction),
    ("prod", reduction),
    ("mean", of_some),
    ("max", of_some),
    ("min", of_some),
    ("any", of_bools),
    ("all", of_bools),
    ("var", spread),
    ("std", spread),
    ("ptp", of_some),
    ("count_nonzero", reduction),
    ("logsumexp", reduction),
    ("nansum", missing),
    ("nanprod", missing),
    ("nanmax", missing),
    ("nanmin", missing),
    ("nanmean", missing),
    ("nanvar", missing),
    ("nanstd", missing),
    ("argmax", place),
    ("argmin", place),
    ("cumsum", running),
    ("cumprod", running),
    ("cummax", running),
    ("cummin", running),
    ("cumlogsumexp", running),
];

fn anything(d: &mut Draw, least: usize) -> (Array, usize) {
    let dims = d.shape(least, 5);
    let rank = dims.len();
    (d.anything(&dims), rank)
}

fn one(d: &mut Draw) -> Sample {
    let (x, _) = anything(d, 0);
    Sample::of([x])
}

fn diagonal(d: &mut Draw) -> Sample {
    let (x, rank) = anything(d, 2);
    let axes = &d.order(rank)[..2];
    Sample::of([x])
        .with("k", d.below(5) as i64 - 2)
        .with("axes", axes)
}

fn triangle(d: &mut Draw) -> Sample {
    let (x, _) = anything(d, 2);
    Sample::of([x]).with("k", d.below(5) as i64 - 2)
}

fn parts(d: &mut Draw) -> Sample {
    let (x, rank) = anything(d, 1);
    let axis = d.axis(rank);
    let n = x.shape()[axis.rem_euclid(rank as i64) as usize];
    Sample::of([x]).with("n", n.max(1)).with("axis", axis)
}

const LAYOUT: &[Row] = &[
    ("reshape", |d| {
        let (x, rank) = anything(d, 0);
        let order = d.order(rank);
        let dims: Vec<usize> = order.iter().map(|&a| x.shape()[a]).collect();
        Sample::of([x]).with("shape", dims)
    }),
    ("transpose", |d| {
        let (x, rank) = anything(d, 0);
        Sample::of([x]).with("perm", d.order(rank))
    }),
    ("broadcast_to", |d| {
        let dims = d.shape(0, 5);
        let narrow = d.narrower(&dims);
        Sample::of([d.anything(&narrow)]).with("shape", dims)
    }),
    ("squeeze", |d| {
        let mut dims = d.shape(1, 5);
        let axis = d.below(dims.len());
        dims[axis] = 1;
        Sample::of([d.anything(&dims)]).with("axis", axis)
    }),
    ("expand_dims", |d| {
        let (x, rank) = anything(d, 0);
        let axes = d.order(rank + 2);
        Sample::of([x]).with("axis", &axes[..2])
    }),
    ("concat", |d| {
        let mut dims = d.shape(1, 5);
        let axis = d.below(dims.len());
        let mut shapes = vec![];
        for _ in 0..3 {
            dims[axis] = d.below(4);
            shapes.push(dims.clone());
        }
        let shapes: Vec<&[usize]> = shapes.iter().map(|s| &s[..]).collect();
        Sample::of(d.alike(&shapes)).with("axis", axis)
    }),
    ("stack", |d| {
        let dims = d.shape(0, 4);
        let axis = d.axis(dims.len() + 1);
        Sample::of(d.alike(&[&dims, &dims, &dims])).with("axis", axis)
    }),
    ("slice", |d| {
        let (x, _) = anything(d, 0);
        let start: Vec<usize> = x.shape().iter().map(|n| d.below(n + 1)).collect();
        let stop = x
            .shape()
            .iter()
            .zip(&start)
            .map(|(n, s)| s + d.below(n - s + 1));
        let stop: Vec<usize> = stop.collect();
        let step: Vec<usize> = start.iter().map(|_| 1 + d.below(3)).collect();
        Sample::of([x])
            .with("start", start)
            .with("stop", stop)
            .with("step", step)
    }),
    ("flip", |d| {
        let (x, rank) = anything(d, 1);
        let n = d.below(rank + 1);
        Sample::of([x]).with("axis", &d.order(rank)[..n])
    }),
    ("roll", |d| {
        let (x, rank) = anything(d, 1);
        let axes = &d.order(rank)[..1 + d.below(rank)];
        let by: Vec<i64> = axes.iter().map(|_| d.below(19) as i64 - 9).collect();
        Sample::of([x]).with("shift", by).with("axis", axes)
    }),
    ("rot90", |d| {
        let (x, _) = anything(d, 2);
        Sample::of([x]).with("k", d.below(9) as i64 - 4)
    }),
    ("moveaxis", |d| {
        let (x, rank) = anything(d, 1);
        let n = 1 + d.below(rank);
        let (from, to) = (d.order(rank), d.order(rank));
        Sample::of([x])
            .with("from", &from[..n])
            .with("to", &to[..n])
    }),
    ("swapaxes", |d| {
        let (x, rank) = anything(d, 1);
        let axes = json!([d.axis(rank), d.axis(rank)]);
        Sample::of([x]).with("axes", axes)
    }),
    ("ravel", one),
    ("atleast_1d", one),
    ("atleast_2d", one),
    ("atleast_3d", one),
    ("pad", |d| {
        let dims = d.full_shape(0, 3);
        let widths: Vec<Value> = dims
            .iter()
            .map(|_| json!([d.below(4), d.below(4)]))
            .collect();
        let modes = ["constant", "edge", "reflect", "symmetric", "wrap"];
        let mode = *d.rng.pick(&modes);
        let sample = Sample::of([d.floats(&dims)])
            .with("pads", widths)
            .with("mode", mode);
        if mode == "constant" {
            sample.with("value", 1.5)
        } else {
            sample
        }
    }),
    ("tile", |d| {
        let dims = d.shape(0, 3);
        let times: Vec<usize> = (0..d.below(4)).map(|_| d.below(4)).collect();
        Sample::of([d.anything(&dims)]).with("reps", times)
    }),
    ("repeat", |d| {
        let dims = d.shape(1, 4);
        let axis = d.axis(dims.len());
        Sample::of([d.anything(&dims)])
            .with("n", d.below(4))
            .with("axis", axis)
    }),
    ("split", parts),
    ("array_split", |d| {
        let (x, rank) = anything(d, 1);
        let axis = d.axis(rank);
        Sample::of([x]).with("n", 1 + d.below(4)).with("axis", axis)
    }),
    ("tril", triangle),
    ("triu", triangle),
    ("diag", |d| {
        let dims = d.shape(1, 2);
        Sample::of([d.anything(&dims)]).with("k", d.below(5) as i64 - 2)
    }),
    ("diagonal", diagonal),
    ("trace", |d| {
        let dims = d.shape(2, 4);
        let axes = &d.order(dims.len())[..2];
        Sample::of([d.floats(&dims)])
            .with("k", d.below(5) as i64 - 2)
            .with("axes", axes)
    }),
    ("meshgrid", |d| {
        let (a, b) = (d.shape(1, 1), d.shape(1, 1));
        Sample::of(d.alike(&[&a, &b]))
    }),
];

/// An array and places in it, some beyond its ends.
fn written(d: &mut Draw) -> Sample {
    let dims = d.full_shape(1, 3);
    let n = d.below(4);
    let updates = [&[n], &dims[1..]].concat();
    let places = d.whole(&[n], DType::I64, 0, dims[0] as i64 + 1);
    Sample::of([
        d.f64s(&dims, -2.0, 2.0),
        places,
        d.f64s(&updates, -2.0, 2.0),
    ])
}

const PARTS: &[Row] = &[
    ("take", |d| {
        let dims = d.full_shape(1, 3);
        let axis = d.axis(dims.len());
        let places = d.shape(0, 2);
        Sample::of([d.anything(&dims), d.ints(&places, 0, 4)]).with("axis", axis)
    }),
    ("take_along_axis", |d| {
        let mut dims = d.full_shape(1, 4);
        let axis = d.below(dims.len());
        let x = d.anything(&dims);
        let n = dims[axis] as i64;
        dims[axis] = d.below(4);
        Sample::of([x, d.ints(&dims, 0, n + 1)]).with("axis", axis)
    }),
    ("one_hot", |d| {
        let dims = d.shape(0, 3);
        Sample::of([d.ints(&dims, -1, 4)]).with("n", 3)
    }),
    ("dynamic_slice", |d| {
        let dims = d.full_shape(1, 3);
        let sizes: Vec<usize> = dims.iter().map(|n| d.below(n + 1)).collect();
        let start = dims.iter().map(|_| d.whole(&[], DType::I64, -2, 4));
        let start: Vec<Array> = start.collect();
        Sample::of([&[d.floats(&dims)], &start[..]].concat()).with("sizes", sizes)
    }),
    ("dynamic_update_slice", |d| {
        let dims = d.full_shape(1, 3);
        let sizes: Vec<usize> = dims.iter().map(|n| d.below(n + 1)).collect();
        let start = dims.iter().map(|_| d.whole(&[], DType::I64, -2, 4));
        let start: Vec<Array> = start.collect();
        Sample::of([&d.alike(&[&dims, &sizes])[..], &start].concat())
    }),
    ("index_set", written),
    ("index_add", written),
    ("index_mul", written),
    ("index_min", written),
    ("index_max", written),
    ("sort", running),
    ("argsort", running),
    ("top_k", |d| {
        let dims = d.full_shape(1, 4);
        let k = d.below(dims[dims.len() - 1] + 1);
        Sample::of([d.floats(&dims)]).with("k", k)
    }),
    ("searchsorted", |d| {
        let n = d.below(6);
        let dims = d.shape(0, 3);
        let side = *d.rng.pick(&["left", "right"]);
        Sample::of([d.ascending(n), d.floats(&dims)]).with("side", side)
    }),
];

/// A name of an axis for each length.
const NAMES: [(char, usize); 5] = [('i', 2), ('j', 3), ('k', 1), ('l', 0), ('m', 4)];

const PRODUCTS: &[Row] = &[
    ("dot", |d| {
        let [m, k, n] = [d.below(4), d.below(4), d.below(4)];
        let a = if d.below(2) == 0 { vec![k] } else { vec![m, k] };
        let b = if d.below(2) == 0 { vec![k] } else { vec![k, n] };
        Sample::of(d.alike(&[&a, &b]))
    }),
    ("matmul", |d| {
        let [m, k, n] = [d.below(4), d.below(4), d.below(4)];
        let stack = d.shape(0, 3);
        let narrow = d.narrower(&stack);
        let (a, b) = (
            [&stack[..], &[m, k]].concat(),
            [&narrow[..], &[k, n]].concat(),
        );
        Sample::of(d.alike(&[&a, &b]))
    }),
    ("outer", |d| {
        let (a, b) = (d.shape(0, 2), d.shape(0, 2));
        Sample::of(d.alike(&[&a, &b]))
    }),
    ("tensordot", |d| {
        let [i, j, k, l] = [d.below(4), 1 + d.below(3), 1 + d.below(3), d.below(4)];
        Sample::of(d.alike(&[&[i, j, k], &[k, j, l]])).with("axes", json!([[1, 2], [1, 0]]))
    }),
    ("inner", |d| {
        let n = d.below(4);
        let (a, b) = (d.shape(0, 2), d.shape(0, 2));
        Sample::of(d.alike(&[&[&a[..], &[n]].concat(), &[&b[..], &[n]].concat()]))
    }),
    ("kron", |d| {
        let (a, b) = (d.shape(0, 2), d.shape(0, 2));
        Sample::of(d.alike(&[&a, &b]))
    }),
    ("cross", |d| {
        let dims = d.shape(0, 3);
        let narrow = d.narrower(&dims);
        let n = 2 + d.below(2);
        Sample::of(d.alike(&[&[&dims[..], &[n]].concat(), &[&narrow[..], &[n]].concat()]))
    }),
    ("einsum", |d| {
        // Some names in each operand, perhaps one of them twice; some of those in the result.
        let (mut sides, mut shapes) = (vec![], vec![]);
        let mut seen: Vec<char> = vec![];
        for _ in 0..1 + d.below(3) {
            let chosen: Vec<_> = (0..d.below(4)).map(|_| *d.rng.pick(&NAMES)).collect();
            sides.push(chosen.iter().map(|(name, _)| *name).collect::<String>());
            shapes.push(chosen.iter().map(|(_, n)| *n).collect::<Vec<usize>>());
            seen.extend(chosen.iter().map(|(name, _)| *name));
        }
        seen.sort_unstable();
        seen.dedup();
        let order = d.order(seen.len());
        let result: String = order[..d.below(order.len() + 1)]
            .iter()
            .map(|&i| seen[i])
            .collect();
        let shapes: Vec<&[usize]> = shapes.iter().map(|s| &s[..]).collect();
        let spec = format!("{}->{result}", sides.join(","));
        Sample::of(d.alike(&shapes)).with("spec", spec)
    }),
];

/// Samples along the last axis of one array, at equal distances or at places.
fn samples(d: &mut Draw) -> Sample {
    let n = 2 + d.below(4);
    let dims = [&d.shape(0, 3)[..], &[n]].concat();
    let y = d.f64s(&dims, -2.0, 2.0);
    match d.below(2) {
        0 => Sample::of([y]).with("dx", 0.5),
        _ => Sample::of([y, d.ascending(n)]),
    }
}

fn sequences(d: &mut Draw) -> Sample {
    let (n, m) = (1 + d.below(7), 1 + d.below(7));
    let mode = *d.rng.pick(&["full", "same", "valid"]);
    Sample::of(d.alike(&[&[n], &[m]])).with("mode", mode)
}

fn distances(d: &mut Draw) -> Sample {
    let [m, n, k] = [d.below(4), d.below(4), 1 + d.below(3)];
    let stack = d.shape(0, 2);
    Sample::of(d.alike(&[&[&stack[..], &[m, k]].concat(), &[n, k]]))
}

fn between(d: &mut Draw) -> Sample {
    Sample::of([d.f64s(&[], 0.5, 1.0), d.f64s(&[], 1.5, 2.0)]).with("n", d.below(6))
}

const NUMERIC: &[Row] = &[
    ("diff", running),
    ("gradient", samples),
    ("trapezoid", samples),
    ("cumulative_trapezoid", samples),
    ("interp", |d| {
        let n = 1 + d.below(5);
        let dims = d.shape(0, 3);
        Sample::of([
            d.f64s(&dims, -2.5, 1.0),
            d.ascending(n),
            d.f64s(&[n], -2.0, 2.0),
        ])
    }),
    ("polyval", |d| {
        let n = if d.below(4) == 0 { 40 } else { d.below(5) };
        let dims = d.shape(0, 3);
        Sample::of([d.f64s(&[n], -2.0, 2.0), d.f64s(&dims, -0.9, 0.9)])
    }),
    ("vander", |d| {
        let n = d.below(5);
        Sample::of([d.floats(&[n])]).with("n", d.below(5))
    }),
    ("convolve", sequences),
    ("correlate", |d| match d.below(4) {
        0 => Sample::of(d.alike(&[&[50], &[40]])).with("mode", "same"),
        _ => sequences(d),
    }),
    ("norm", |d| {
        let dims = d.full_shape(1, 4);
        let axis = d.axis(dims.len());
        let x = d.floats(&dims);
        let order = *d.rng.pick(&[1.0, 2.0, 2.5, 3.0]);
        Sample::of([x])
            .with("ord", order)
            .with("axis", json!([axis]))
    }),
    ("cdist", distances),
    ("cdist_squared", distances),
    ("softmax", running_over_some),
    ("log_softmax", running_over_some),
    ("linspace", between),
    ("logspace", between),
    ("geomspace", between),
];

/// Elements along the last axis that do not come near each other in size.
fn ranked(d: &mut Draw) -> Sample {
    let dims = [&d.full_shape(0, 2)[..], &[5]].concat();
    let x = d.f64s(&dims, -2.0, 2.0);
    Sample::of([x]).with("axes", json!([-1]))
}

const STATISTICS: &[Row] = &[
    ("average", |d| {
        let dims = d.full_shape(1, 4);
        let weights = d.f64s(&dims, 0.5, 2.0);
        Sample::of([d.f64s(&dims, -2.0, 2.0), weights]).with("axes", d.axes(dims.len()))
    }),
    ("cov", |d| {
        let dims = [&d.shape(0, 1)[..], &[4]].concat();
        Sample::of([d.floats(&dims)])
    }),
    ("corrcoef", |d| {
        let dims = [&d.shape(0, 1)[..], &[4]].concat();
        Sample::of([d.floats(&dims)])
    }),
    ("median", ranked),
    ("quantile", |d| ranked(d).with("q", 0.3)),
    ("percentile", |d| ranked(d).with("q", 65.0)),
    ("quantiles", |d| {
        let mut sample = ranked(d);
        let n = d.below(3);
        sample.args.push(d.f64s(&[n], 0.05, 0.2));
        sample
    }),
    ("digitize", |d| {
        let dims = d.shape(0, 3);
        Sample::of([d.floats(&dims), d.ascending(4)])
    }),
    ("histogram", |d| {
        let dims = d.shape(0, 3);
        let (x, edges) = (d.f64s(&dims, -2.5, 1.0), d.ascending(4));
        match d.below(2) {
            0 => Sample::of([x, edges]),
            _ => {
                let weights = d.f64s(&dims, -2.0, 2.0);
                Sample::of([x, edges, weights])
            }
        }
    }),
    ("bincount", |d| {
        let dims = d.shape(0, 3);
        Sample::of([d.ints(&dims, -1, 6)]).with("length", 4)
    }),
];
