//! What to try Fourier transforms and convolutions on.

use serde_json::{Value, json};

use super::super::draw::{Draw, Sample};
use super::Row;

/// Lengths of transforms: one, two, products, primes.
const LENGTHS: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 12, 17];
const NORMS: [&str; 3] = ["backward", "ortho", "forward"];

fn length(d: &mut Draw) -> usize {
    *d.rng.pick(&LENGTHS)
}

/// Arrays with a transformed axis, as many as a number has parts.
fn lines(d: &mut Draw, parts: usize, least: usize) -> Sample {
    let mut dims: Vec<usize> = (0..d.below(3)).map(|_| d.below(4)).collect();
    let axis = d.below(dims.len() + 1);
    dims.insert(axis, length(d).max(least));
    let shapes = vec![&dims[..]; parts];
    let sample = Sample::of(d.alike(&shapes)).with("axis", axis as i64);
    sample.with("norm", *d.rng.pick(&NORMS))
}

/// Sometimes with another length.
fn cut(d: &mut Draw, sample: Sample) -> Sample {
    match d.below(2) {
        0 => sample,
        _ => sample.with("n", length(d)),
    }
}

fn complex(d: &mut Draw) -> Sample {
    let sample = lines(d, 2, 1);
    cut(d, sample)
}

fn real(d: &mut Draw) -> Sample {
    let sample = lines(d, 1, 1);
    cut(d, sample)
}

fn half(d: &mut Draw) -> Sample {
    let sample = lines(d, 2, 2);
    cut(d, sample)
}

/// Arrays with several axes to transform along.
fn several(d: &mut Draw, parts: usize) -> Sample {
    let dims: Vec<usize> = (0..3).map(|_| 2 + d.below(3)).collect();
    let shapes = vec![&dims[..]; parts];
    let axes: Value = d
        .rng
        .pick(&[json!([0, 1]), json!([-1, 0]), json!([2, 0, 1])])
        .clone();
    Sample::of(d.alike(&shapes)).with("axes", axes)
}

fn planes(d: &mut Draw, parts: usize) -> Sample {
    let dims = [d.below(3), 2 + d.below(4), 2 + d.below(4)];
    Sample::of(d.alike(&vec![&dims[..]; parts])).with("norm", *d.rng.pick(&NORMS))
}

fn moved(d: &mut Draw) -> Sample {
    let dims = d.shape(1, 3);
    let axes = json!([d.below(dims.len())]);
    Sample::of([d.floats(&dims)]).with("axes", axes)
}

fn cosine(d: &mut Draw) -> Sample {
    let sample = lines(d, 1, 2);
    sample.with("type", 1 + d.below(4))
}

fn convolved(d: &mut Draw) -> Sample {
    let dims = |d: &mut Draw, rank: usize| (0..rank).map(|_| 1 + d.below(6)).collect::<Vec<_>>();
    let rank = 1 + d.below(2);
    let (a, b) = (dims(d, rank), dims(d, rank));
    let mode = *d.rng.pick(&["full", "same"]);
    Sample::of(d.alike(&[&a, &b])).with("mode", mode)
}

/// Of few or of many terms, along one axis or two.
fn conv(d: &mut Draw) -> Sample {
    let rank = 1 + d.below(2);
    let groups = 1 + d.below(2);
    let channels = [1, 2, 20][d.below(3)];
    let (n, kernels) = (1 + d.below(2), groups * (1 + d.below(2)));
    let taps: Vec<usize> = (0..rank).map(|_| 1 + d.below(3)).collect();
    let size: Vec<usize> = taps.iter().map(|k| 2 * k - 1 + d.below(3)).collect();
    let two = |d: &mut Draw| json!((0..rank).map(|_| 1 + d.below(2)).collect::<Vec<_>>());
    let pad: Vec<[usize; 2]> = (0..rank).map(|_| [d.below(2), d.below(2)]).collect();
    let x = [&[n, groups * channels], &size[..]].concat();
    let w = [&[kernels, channels], &taps[..]].concat();
    let (stride, dilation) = (two(d), two(d));
    let spread = if d.below(3) == 0 { two(d) } else { json!([1]) };
    Sample::of(d.alike(&[&x, &w]))
        .with("stride", stride)
        .with("dilation", dilation)
        .with("input_dilation", spread)
        .with("pad", json!(pad))
        .with("groups", groups)
}

/// Distinct elements in windows.
fn windows(d: &mut Draw) -> Sample {
    let rank = 1 + d.below(2);
    let dims: Vec<usize> = (0..rank).map(|_| 3 + d.below(5)).collect();
    let window: Vec<usize> = (0..rank).map(|_| 2 + d.below(2)).collect();
    let stack = d.below(3);
    let x = d.floats(&[&[stack], &dims[..]].concat());
    let pad = [d.below(2), d.below(2)];
    Sample::of([x])
        .with("window", json!(window))
        .with("stride", json!([1 + d.below(3)]))
        .with("pad", json!([pad]))
}

fn matrices(d: &mut Draw) -> Sample {
    let dims = |d: &mut Draw| [1 + d.below(5), 1 + d.below(5)];
    let (a, b) = (dims(d), dims(d));
    let mode = *d.rng.pick(&["full", "same"]);
    Sample::of(d.alike(&[&a, &b])).with("mode", mode)
}

pub const CONVOLUTION: &[Row] = &[
    ("conv", conv),
    ("conv_transposed", |d| {
        let (n, channels) = (d.below(3), 1 + d.below(3));
        let y = [n, 2, 1 + d.below(4), 1 + d.below(4)];
        Sample::of(d.alike(&[&y, &[2, channels, 3, 2]]))
            .with("stride", json!([1 + d.below(3), 1]))
            .with("pad", json!([[d.below(2), 1], [0, 0]]))
    }),
    ("window_max", windows),
    ("window_min", windows),
    ("window_sum", windows),
    ("window_mean", windows),
    ("convolve2d", matrices),
    ("correlate2d", matrices),
];

pub const FOURIER: &[Row] = &[
    ("fft", complex),
    ("ifft", complex),
    ("fft2", |d| planes(d, 2)),
    ("ifft2", |d| planes(d, 2)),
    ("fftn", |d| several(d, 2)),
    ("ifftn", |d| several(d, 2)),
    ("rfft", real),
    ("irfft", half),
    ("rfft2", |d| planes(d, 1)),
    ("irfft2", |d| planes(d, 2)),
    ("rfftn", |d| several(d, 1)),
    ("irfftn", |d| several(d, 2)),
    ("hfft", half),
    ("ihfft", real),
    ("fftshift", moved),
    ("ifftshift", moved),
    ("dct", cosine),
    ("idct", cosine),
    ("dst", cosine),
    ("idst", cosine),
    ("fftconvolve", convolved),
    ("oaconvolve", |d| match d.below(2) {
        0 => convolved(d),
        _ => Sample::of(d.alike(&[&[2, 200], &[1, 5]])).with("mode", "same"),
    }),
    ("stft", |d| {
        let n = 6 + d.below(20);
        let sample = Sample::of(d.alike(&[&[2, n]])).with("nperseg", 6);
        sample.with("noverlap", d.below(6))
    }),
    ("istft", |d| {
        let count = 1 + d.below(4);
        let sample = Sample::of(d.alike(&[&[2, 4, count], &[2, 4, count]]));
        sample
            .with("nperseg", 6)
            .with("noverlap", d.below(5))
            .with("unpadded", true)
    }),
];
