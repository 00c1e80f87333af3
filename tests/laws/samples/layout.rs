//! Operations that move elements, and those that read or write parts of an array.

use serde_json::{Value, json};
use wengert::{Array, DType};

use super::{Row, running};
use crate::laws::draw::{Draw, Sample};

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

pub const LAYOUT: &[Row] = &[
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

pub const PARTS: &[Row] = &[
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
