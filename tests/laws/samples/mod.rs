//! What to try each operation on.

mod elementwise;
mod layout;
mod linalg;
mod signals;

use elementwise::{NUMBERS, PAIRS, with_holes};
use layout::{LAYOUT, PARTS};
use linalg::LINALG;
use serde_json::json;
use signals::{CONVOLUTION, FOURIER};
use wengert::Array;

use super::draw::{Draw, Sample};

/// An operation and how to draw a sample of it.
pub type Row = (&'static str, fn(&mut Draw) -> Sample);

/// Every operation, and how to draw a sample of it.
pub fn all() -> impl Iterator<Item = Row> {
    let tables = [
        NUMBERS,
        PAIRS,
        REDUCTIONS,
        LAYOUT,
        PARTS,
        PRODUCTS,
        LINALG,
        NUMERIC,
        STATISTICS,
        FOURIER,
        CONVOLUTION,
    ];
    tables.into_iter().flatten().copied()
}

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
