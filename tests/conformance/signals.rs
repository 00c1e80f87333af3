//! Fourier transforms, what is made of them, and convolutions, by the names of the reference cases. Complex numbers are two arguments
//! or results, the real part and the imaginary one.

use std::sync::Arc;

use wengert::fft::{self, Norm, ShortTime, Transform};
use wengert::prelude::*;
use wengert::{Conv, Window};

use super::params::Params;
use super::table::{Operation, Row, of_one, of_two, overlap};

/// The scale of a transform.
fn norm(p: &mut Params) -> Norm {
    match &p.text_or("norm", "backward")[..] {
        "backward" => Norm::Backward,
        "ortho" => Norm::Ortho,
        "forward" => Norm::Forward,
        other => panic!("the scale `{other}`"),
    }
}

/// A transform along `axis` or `axes`, of the lengths `n` or `s`, with defaults of its own.
fn plan(p: &mut Params, axes: Option<&[i64]>) -> Transform {
    let given = p.axes("axes").or_else(|| p.axes("axis"));
    let mut plan = Transform::new().norm(norm(p));
    if let Some(axes) = given.or(axes.map(<[i64]>::to_vec)) {
        plan = plan.axes(axes);
    }
    match p.axes("n").or_else(|| p.axes("s")) {
        Some(n) => plan.n(n),
        None => plan,
    }
}

fn number(x: &[Var]) -> Complex {
    match x {
        [re] => Complex::from(*re),
        [re, im] => Complex::new(*re, *im),
        _ => panic!("{} parts", x.len()),
    }
}

fn parts(z: Complex) -> Vec<Var> {
    vec![z.re, z.im]
}

/// From complex numbers to complex numbers.
fn complex(plan: Transform, f: fn(&Transform, Complex) -> Complex) -> Operation {
    Arc::new(move |x| parts(f(&plan, number(x))))
}

fn to_half(plan: Transform, f: fn(&Transform, Var) -> Complex) -> Operation {
    Arc::new(move |x| parts(f(&plan, x[0])))
}

fn from_half(plan: Transform, f: fn(&Transform, Complex) -> Var) -> Operation {
    Arc::new(move |x| vec![f(&plan, number(x))])
}

const TWO: Option<&[i64]> = Some(&[-2, -1]);

type Cosine = fn(Var, u8, Norm, i64) -> Var;

fn cosine(p: &mut Params, f: Cosine) -> Operation {
    let (kind, axis, norm) = (p.int_or("type", 2) as u8, p.int_or("axis", -1), norm(p));
    of_one(move |x| f(x, kind, norm, axis))
}

fn short_time(p: &mut Params) -> ShortTime {
    let n = p.count("nperseg");
    let parts = ShortTime::hann(n).overlap(p.int_or("noverlap", n as i64 / 2) as usize);
    let parts = parts.n(p.int_or("nfft", n as i64) as usize);
    match p.flag("unpadded") {
        true => parts.unpadded(),
        false => parts,
    }
}

/// A convolution with channels.
fn conv(p: &mut Params) -> Conv {
    let mut conv = Conv::new().stride(p.axes("stride").unwrap_or(vec![1]));
    if p.has("pad") {
        conv = conv.pad(p.pairs("pad"));
    }
    conv = conv.dilation(p.axes("dilation").unwrap_or(vec![1]));
    conv = conv.input_dilation(p.axes("input_dilation").unwrap_or(vec![1]));
    conv.groups(p.int_or("groups", 1) as usize)
}

fn window(p: &mut Params, f: fn(&Window, Var) -> Var) -> Operation {
    let mut window = Window::new(p.ints("window"));
    window = window.stride(p.axes("stride").unwrap_or(vec![1]));
    if p.has("pad") {
        window = window.pad(p.pairs("pad"));
    }
    of_one(move |x| f(&window, x))
}

pub const CONVOLUTION: &[Row] = &[
    ("conv", |p| {
        let conv = conv(p);
        of_two(move |x, w| conv.of(x, w))
    }),
    ("conv_transposed", |p| {
        let conv = Conv::new().stride(p.ints("stride")).pad(p.pairs("pad"));
        of_two(move |y, w| conv.transposed(y, w))
    }),
    ("window_max", |p| window(p, Window::max)),
    ("window_min", |p| window(p, Window::min)),
    ("window_sum", |p| window(p, Window::sum)),
    ("window_mean", |p| window(p, Window::mean)),
    ("convolve2d", |p| {
        let part = overlap(p, "full");
        of_two(move |x, y| x.convolve2d(y, part))
    }),
    ("correlate2d", |p| {
        let part = overlap(p, "full");
        of_two(move |x, y| x.correlate2d(y, part))
    }),
];

pub const FOURIER: &[Row] = &[
    ("fft", |p| complex(plan(p, None), Transform::fft)),
    ("ifft", |p| complex(plan(p, None), Transform::ifft)),
    ("fft2", |p| complex(plan(p, TWO), Transform::fft)),
    ("ifft2", |p| complex(plan(p, TWO), Transform::ifft)),
    ("fftn", |p| match p.has("axes") {
        true => complex(plan(p, None), Transform::fft),
        false => Arc::new(|x| parts(fft::fftn(number(x)))),
    }),
    ("ifftn", |p| match p.has("axes") {
        true => complex(plan(p, None), Transform::ifft),
        false => Arc::new(|x| parts(fft::ifftn(number(x)))),
    }),
    ("rfft", |p| to_half(plan(p, None), Transform::rfft)),
    ("irfft", |p| from_half(plan(p, None), Transform::irfft)),
    ("rfft2", |p| to_half(plan(p, TWO), Transform::rfft)),
    ("irfft2", |p| from_half(plan(p, TWO), Transform::irfft)),
    ("rfftn", |p| match p.has("axes") {
        true => to_half(plan(p, None), Transform::rfft),
        false => Arc::new(|x| parts(fft::rfftn(x[0]))),
    }),
    ("irfftn", |p| match p.has("axes") {
        true => from_half(plan(p, None), Transform::irfft),
        false => Arc::new(|x| vec![fft::irfftn(number(x))]),
    }),
    ("hfft", |p| from_half(plan(p, None), Transform::hfft)),
    ("ihfft", |p| to_half(plan(p, None), Transform::ihfft)),
    ("fftshift", |p| {
        let axes = p.axes("axes");
        of_one(move |x| match &axes {
            Some(axes) => fft::fftshift(x, axes),
            None => fft::fftshift(x, ..),
        })
    }),
    ("ifftshift", |p| {
        let axes = p.axes("axes");
        of_one(move |x| match &axes {
            Some(axes) => fft::ifftshift(x, axes),
            None => fft::ifftshift(x, ..),
        })
    }),
    ("dct", |p| cosine(p, fft::dct_axis)),
    ("idct", |p| cosine(p, fft::idct_axis)),
    ("dst", |p| cosine(p, fft::dst_axis)),
    ("idst", |p| cosine(p, fft::idst_axis)),
    ("fftconvolve", |p| {
        let part = overlap(p, "full");
        of_two(move |x, y| fft::fftconvolve(x, y, part))
    }),
    ("oaconvolve", |p| {
        let part = overlap(p, "full");
        of_two(move |x, y| fft::oaconvolve(x, y, part))
    }),
    ("stft", |p| {
        let s = short_time(p);
        Arc::new(move |x| parts(s.stft(x[0])))
    }),
    ("istft", |p| {
        let s = short_time(p);
        Arc::new(move |x| vec![s.istft(number(x))])
    }),
];
