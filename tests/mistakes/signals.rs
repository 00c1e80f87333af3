//! Transforms, convolutions and complex numbers that do not fit.

use expect_test::expect;
use wengert::fft::{self, Norm, ShortTime, Transform};
use wengert::prelude::*;
use wengert::{Conv, Overlap, Window, complex};

use super::mistaken;

#[test]
fn transforms() {
    let x = || Array::zeros([2, 4], DType::F64);
    mistaken(
        |x: Var| fft::fft(x),
        1.0,
        expect!["fft: f64 has no axis -1, at HERE"],
    );
    mistaken(
        |x: Var| fft::rfft(x),
        [1i64, 2],
        expect![
            "rfft: i64[2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |x: Var| fft::fft(x),
        Array::zeros([2, 0], DType::F64),
        expect!["fft: no number to transform along axis 1, at HERE"],
    );
    mistaken(
        |x: Var| Transform::new().axis(2).fft(x),
        x(),
        expect!["fft: f64[2,4] has no axis 2, at HERE"],
    );
    mistaken(
        |x: Var| Transform::new().axes([0, -2]).fft(x),
        x(),
        expect!["fft: an axis is named twice in [0, -2], at HERE"],
    );
    mistaken(
        |x: Var| Transform::new().axes([0, 1]).n(3).ifft(x),
        x(),
        expect!["ifft: the lengths [3] for the axes [0, 1], at HERE"],
    );
    mistaken(
        |x: Var| Transform::new().n(0).rfft(x),
        x(),
        expect!["rfft: a transform of length 0, at HERE"],
    );
    mistaken(
        |x: Var| fft::irfft(x),
        Array::zeros([1], DType::F64),
        expect!["irfft: no number to transform along axis 0, at HERE"],
    );
    mistaken(
        |x: Var| fft::hfft(x),
        Array::zeros([1], DType::F64),
        expect!["hfft: no number to transform along axis 0, at HERE"],
    );
    mistaken(
        |x: Var| fft::ihfft(x),
        [true],
        expect![
            "ihfft: bool[1] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |x: Var| fft::fft2(x),
        [1.0],
        expect!["fft2: f64[1] has no axis -2, at HERE"],
    );
    mistaken(
        |x: Var| fft::fftn(x),
        1.0,
        expect!["fftn: no axis to transform along, at HERE"],
    );
}

#[test]
fn what_is_made_of_transforms() {
    mistaken(
        |x: Var| fft::dct(x, 5, Norm::Ortho),
        [1.0, 2.0],
        expect!["dct: there is no type 5, only 1 to 4, at HERE"],
    );
    mistaken(
        |x: Var| fft::dct(x, 1, Norm::Ortho),
        [1.0],
        expect!["dct: type 1 needs 2 numbers or more, and there are 1, at HERE"],
    );
    mistaken(
        |x: Var| fft::idst_axis(x, 2, Norm::Ortho, 1),
        [1.0],
        expect!["idst: f64[1] has no axis 1, at HERE"],
    );
    mistaken(
        |_: Var| fft::fftfreq(0, 1.0),
        1.0,
        expect!["fftfreq: no sample, at HERE"],
    );
    mistaken(
        |x: Var| fft::fftshift(x, 1),
        [1.0],
        expect!["fftshift: f64[1] has no axis 1, at HERE"],
    );
    mistaken(
        |x: Var| fft::fftconvolve(x, x.expand_dims(0), Overlap::Full),
        [1.0],
        expect!["fftconvolve: f64[1] and f64[1,1] have different numbers of axes, at HERE"],
    );
    mistaken(
        |(x, y): (Var, Var)| fft::oaconvolve(x, y, Overlap::Valid),
        (
            Array::zeros([2, 3], DType::F64),
            Array::zeros([3, 2], DType::F64),
        ),
        expect!["oaconvolve: neither array lies inside the other, at HERE"],
    );
    mistaken(
        |x: Var| ShortTime::hann(4).stft(x),
        1.0,
        expect!["stft: f64 has no axis, at HERE"],
    );
    mistaken(
        |x: Var| ShortTime::hann(4).unpadded().stft(x),
        [1.0],
        expect!["stft: 1 elements have no part of length 4, at HERE"],
    );
    mistaken(
        |x: Var| ShortTime::hann(4).overlap(4).stft(x),
        [1.0],
        expect!["stft: parts of 4 elements overlap by 4, at HERE"],
    );
    mistaken(
        |x: Var| ShortTime::hann(4).istft(x),
        Array::zeros([2, 2], DType::F64),
        expect![
            "istft: the last axes of f64[2,2] are not 3 frequencies and one part or more, at HERE"
        ],
    );
}

#[test]
fn convolutions() {
    let array = |dims: &[usize]| Array::zeros(dims, DType::F64);
    let conv = |c: Conv| move |(x, w): (Var, Var)| c.of(x, w);
    let of = |x: &[usize], w: &[usize]| (array(x), array(w));
    mistaken(
        conv(Conv::new()),
        of(&[4], &[2]),
        expect![
            "conv: f64[4] and f64[2] are not an input and a kernel with channels and the same axes, at HERE"
        ],
    );
    mistaken(
        conv(Conv::new()),
        of(&[1, 1, 4], &[1, 1, 2, 2]),
        expect![
            "conv: f64[1,1,4] and f64[1,1,2,2] are not an input and a kernel with channels and the same axes, at HERE"
        ],
    );
    mistaken(
        conv(Conv::new()),
        of(&[1, 3, 4], &[1, 2, 2]),
        expect!["conv: 3 channels and 1 kernels of 2 channels do not make 1 group, at HERE"],
    );
    mistaken(
        conv(Conv::new().groups(2)),
        of(&[1, 4, 4], &[3, 2, 2]),
        expect!["conv: 4 channels and 3 kernels of 2 channels do not make 2 groups, at HERE"],
    );
    mistaken(
        conv(Conv::new().groups(0)),
        of(&[1, 4, 4], &[3, 2, 2]),
        expect!["conv: 4 channels and 3 kernels of 2 channels do not make 0 groups, at HERE"],
    );
    mistaken(
        conv(Conv::new().stride(0)),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv: the stride [0] for 1 axis, at HERE"],
    );
    mistaken(
        conv(Conv::new().dilation([1, 2])),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv: the dilation [1, 2] for 1 axis, at HERE"],
    );
    mistaken(
        conv(Conv::new()),
        of(&[1, 1, 4], &[1, 1, 0]),
        expect!["conv: f64[1,1,0] has no element, at HERE"],
    );
    mistaken(
        |(y, w): (Var, Var)| Conv::new().groups(2).transposed(y, w),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect![
            "conv_transposed: f64[1,1,4] is no result of a convolution with f64[1,1,2] in 2 groups, at HERE"
        ],
    );
    mistaken(
        |(y, w): (Var, Var)| Conv::new().transposed_to(y, w, [4, 4]),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv_transposed: the lengths [4, 4] for 1 axis, at HERE"],
    );
    mistaken(
        |(y, w): (Var, Var)| Conv::new().stride(2).transposed_to(y, w, [10]),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv_transposed: an axis of 10 has 5 results, not 4, at HERE"],
    );
    mistaken(
        |(y, w): (Var, Var)| Conv::new().transposed_to(y, w, [-1]),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv_transposed: the length -1, at HERE"],
    );
    mistaken(
        |(y, w): (Var, Var)| Conv::new().input_dilation(3).transposed(y, w),
        of(&[1, 1, 4], &[1, 1, 2]),
        expect!["conv_transposed: an axis of 3 has 6 results, not 4, at HERE"],
    );
    mistaken(
        |x: Var| Window::new([2, 2]).max(x),
        [1.0],
        expect!["max: windows along 2 axes of f64[1], at HERE"],
    );
    mistaken(
        |x: Var| Window::new(0).sum(x),
        [1.0],
        expect!["sum: the lengths [0] for 1 axis, at HERE"],
    );
    mistaken(
        |x: Var| Window::new(2).mean(x),
        [1i64, 2],
        expect![
            "mean: i64[2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |x: Var| x.convolve2d(x, Overlap::Full),
        [1.0],
        expect!["convolve2d: f64[1] and f64[1] are not matrices with elements, at HERE"],
    );
    mistaken(
        |(x, y): (Var, Var)| x.correlate2d(y, Overlap::Valid),
        of(&[2, 3], &[3, 2]),
        expect!["correlate2d: neither matrix lies inside the other, at HERE"],
    );
}

#[test]
fn complex_numbers() {
    mistaken(
        |x: Var| Complex::from(x).sqrt(),
        1i64,
        expect![
            "sqrt: i64 is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |x: Var| Complex::new(x, [1.0, 2.0, 3.0]).abs(),
        [1.0, 2.0],
        expect!["Complex: f64[2] and f64[3] do not broadcast, at HERE"],
    );
    mistaken(
        |x: Var| complex::einsum("i->i", &[]).re + x,
        1.0,
        expect!["einsum: 0 complex operands, not 1 to 8, at HERE"],
    );
    mistaken(
        |x: Var| Complex::from(x).dot(Complex::from(x)),
        [[1.0, 2.0, 3.0]],
        expect!["dot: f64[1,3] and f64[1,3] differ in length along axes 1 and 0, at HERE"],
    );
}
