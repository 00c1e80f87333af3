//! Convolutions with channels, and windows, against sums written as loops.

use wengert::prelude::*;
use wengert::{Conv, Overlap, Window};
use wengert_check::{Rng, check_grads};

/// A convolution of two axes after the channels, of one stride, padding, dilation and group count.
#[derive(Clone, Copy, Debug)]
struct Case {
    n: usize,
    channels: usize,
    kernels: usize,
    size: [usize; 2],
    taps: [usize; 2],
    stride: [usize; 2],
    pad: [(usize, usize); 2],
    dilation: [usize; 2],
    spread: [usize; 2],
    groups: usize,
}

const PLAIN: Case = Case {
    n: 2,
    channels: 2,
    kernels: 3,
    size: [6, 5],
    taps: [3, 2],
    stride: [1, 1],
    pad: [(0, 0), (0, 0)],
    dilation: [1, 1],
    spread: [1, 1],
    groups: 1,
};

impl Case {
    fn all(rng: &mut Rng, count: usize) -> Vec<Case> {
        let mut pair = |low: usize, high: usize| [0, 0].map(|_: i32| low + rng.below(high - low));
        let mut cases = vec![];
        while cases.len() < count {
            let ([n, groups], [c, k]) = (pair(1, 4), pair(1, 5));
            let [before, after] = [pair(0, 3), pair(0, 3)];
            let case = Case {
                n,
                channels: c * groups,
                kernels: k * groups,
                size: pair(1, 9),
                taps: pair(1, 6),
                stride: pair(1, 4),
                pad: [(before[0], after[0]), (before[1], after[1])],
                dilation: pair(1, 3),
                spread: pair(1, 3),
                groups,
            };
            if (0..2).all(|i| case.places(i) > 0) {
                cases.push(case);
            }
        }
        cases
    }

    fn places(&self, i: usize) -> usize {
        let n = (self.size[i] - 1) * self.spread[i] + 1 + self.pad[i].0 + self.pad[i].1;
        let k = (self.taps[i] - 1) * self.dilation[i] + 1;
        if n < k {
            0
        } else {
            (n - k) / self.stride[i] + 1
        }
    }

    fn conv(&self) -> Conv {
        Conv::new()
            .stride(self.stride)
            .pad(self.pad)
            .dilation(self.dilation)
            .input_dilation(self.spread)
            .groups(self.groups)
    }

    fn operands(&self, rng: &mut Rng) -> (Array, Array) {
        let mut array = |dims: [usize; 4]| {
            let count = dims.iter().product::<usize>();
            let x: Vec<f64> = (0..count).map(|_| rng.uniform(-1.0, 1.0)).collect();
            Array::from(x).reshape(dims).unwrap()
        };
        let ([h, w], [i, j]) = (self.size, self.taps);
        let x = array([self.n, self.channels, h, w]);
        (x, array([self.kernels, self.channels / self.groups, i, j]))
    }

    fn by_loops(&self, x: &[f64], w: &[f64]) -> Vec<f64> {
        let (c, k) = (self.channels / self.groups, self.kernels / self.groups);
        let places = [self.places(0), self.places(1)];
        let at = |axis: usize, t: usize, tap: usize| -> Option<usize> {
            let i = (t * self.stride[axis] + tap * self.dilation[axis])
                .checked_sub(self.pad[axis].0)?;
            let inside = i % self.spread[axis] == 0 && i / self.spread[axis] < self.size[axis];
            inside.then_some(i / self.spread[axis])
        };
        let mut y = vec![];
        for n in 0..self.n {
            for o in 0..self.kernels {
                for p in 0..places[0] * places[1] {
                    let (s, t) = (p / places[1], p % places[1]);
                    let mut sum = 0.0;
                    for channel in 0..c {
                        for tap in 0..self.taps[0] * self.taps[1] {
                            let (i, j) = (tap / self.taps[1], tap % self.taps[1]);
                            let (Some(h), Some(v)) = (at(0, s, i), at(1, t, j)) else {
                                continue;
                            };
                            let from = (n * self.channels + o / k * c + channel) * self.size[0] + h;
                            let with = (o * c + channel) * self.taps[0] + i;
                            sum += x[from * self.size[1] + v] * w[with * self.taps[1] + j];
                        }
                    }
                    y.push(sum);
                }
            }
        }
        y
    }
}

#[track_caller]
fn near(got: &Array, want: &[f64], what: &str) {
    let got = got.to_vec::<f64>().unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (a, b)) in got.iter().zip(want).enumerate() {
        assert!(
            (a - b).abs() < 1e-12 * (1.0 + b.abs()),
            "{what}: element {i} is {a:?}, not {b:?}"
        );
    }
}

#[test]
fn a_convolution_is_its_sum() {
    let mut rng = Rng::new(1);
    for case in Case::all(&mut rng, 60) {
        let (x, w) = case.operands(&mut rng);
        let conv = case.conv();
        let f = jit(move |(x, w): (Var, Var)| conv.of(x, w));
        let want = case.by_loops(&x.to_vec::<f64>().unwrap(), &w.to_vec::<f64>().unwrap());
        let got = f.call((x.clone(), w.clone())).unwrap();
        near(&got, &want, &format!("{case:?}"));
        assert_eq!(got, f.interpret((x, w)).unwrap(), "{case:?}");
    }
}

/// Kernels with many elements, inputs with many channels, and kernels as large as the input: all ways to compute.
#[test]
fn large_convolutions_are_their_sums() {
    let mut rng = Rng::new(2);
    let large = [
        Case {
            channels: 16,
            kernels: 8,
            size: [12, 12],
            taps: [3, 3],
            ..PLAIN
        },
        Case {
            channels: 40,
            kernels: 24,
            size: [20, 20],
            taps: [3, 3],
            pad: [(1, 1), (1, 1)],
            ..PLAIN
        },
        Case {
            channels: 3,
            kernels: 2,
            size: [30, 30],
            taps: [28, 29],
            ..PLAIN
        },
        Case {
            channels: 1,
            kernels: 1,
            n: 1,
            size: [60, 60],
            taps: [25, 25],
            ..PLAIN
        },
        Case {
            channels: 6,
            kernels: 6,
            groups: 6,
            size: [9, 9],
            taps: [3, 3],
            ..PLAIN
        },
    ];
    for case in large {
        let (x, w) = case.operands(&mut rng);
        let conv = case.conv();
        let f = jit(move |(x, w): (Var, Var)| conv.of(x, w));
        let want = case.by_loops(&x.to_vec::<f64>().unwrap(), &w.to_vec::<f64>().unwrap());
        near(
            &f.call((x.clone(), w.clone())).unwrap(),
            &want,
            &format!("{case:?}"),
        );
        near(&f.interpret((x, w)).unwrap(), &want, &format!("{case:?}"));
    }
}

#[test]
fn derivatives_are_those_of_the_sum() {
    let mut rng = Rng::new(3);
    for case in Case::all(&mut rng, 12) {
        let (x, w) = case.operands(&mut rng);
        let conv = case.conv();
        let f = move |(x, w): (Var, Var)| conv.of(x, w);
        check_grads(f, (x, w), 2).unwrap_or_else(|e| panic!("{case:?}: {e}"));
    }
}

/// Batches of inputs alone, of kernels alone, and of both.
#[test]
fn elements_of_batches_are_convolved_alone() {
    let mut rng = Rng::new(4);
    let case = Case {
        pad: [(1, 0), (0, 2)],
        stride: [2, 1],
        ..PLAIN
    };
    let pairs: Vec<(Array, Array)> = (0..3).map(|_| case.operands(&mut rng)).collect();
    let conv = case.conv();
    let f = move |(x, w): (Var, Var)| conv.of(x, w);
    let alone = jit(f.clone());
    let stacked = |arrays: Vec<Array>| {
        let dims = [&[arrays.len()], arrays[0].shape()].concat();
        let all: Vec<f64> = arrays
            .iter()
            .flat_map(|a| a.to_vec::<f64>().unwrap())
            .collect();
        Array::from(all).reshape(dims).unwrap()
    };
    let x = stacked(pairs.iter().map(|p| p.0.clone()).collect());
    let w = stacked(pairs.iter().map(|p| p.1.clone()).collect());
    let one = |i: usize, j: usize| {
        alone
            .call((pairs[i].0.clone(), pairs[j].1.clone()))
            .unwrap()
    };
    let both = jit(vmap(f.clone())).call((x.clone(), w.clone())).unwrap();
    assert_eq!(both, stacked((0..3).map(|i| one(i, i)).collect()));
    let inputs = jit(vmap_axes(f.clone(), [Some(0), None], 0));
    assert_eq!(
        inputs.call((x, pairs[1].1.clone())).unwrap(),
        stacked((0..3).map(|i| one(i, 1)).collect())
    );
    let kernels = jit(vmap_axes(f, [None, Some(0)], 0));
    assert_eq!(
        kernels.call((pairs[2].0.clone(), w)).unwrap(),
        stacked((0..3).map(|i| one(2, i)).collect())
    );
}

/// Examples whose products are large run beside each other, in parts that a near cache holds, with the bits of each alone;
/// the gradient by the kernel is the sum of theirs.
#[test]
fn large_examples_run_beside_each_other() {
    let mut rng = Rng::new(9);
    let mut draw = |dims: [usize; 4]| {
        let n = dims.iter().product();
        let data: Vec<f64> = (0..n).map(|_| rng.uniform(-1.0, 1.0)).collect();
        Array::new(dims, data).unwrap()
    };
    let (x, w) = (draw([9, 16, 40, 40]), draw([16, 16, 3, 3]));
    let f = |(x, w): (Var, Var)| Conv::new().same().of(x, w);
    let slope = move |(x, w): (Var, Var)| grad(move |w: Var| f((x, w)).square().sum())(w);
    let (all, slopes) = (jit(f), jit(slope));
    let y = all.call((x.clone(), w.clone())).unwrap();
    let plan = all.explain((x.clone(), w.clone())).unwrap().to_string();
    assert!(plan.contains("map: parallel 9 "), "{plan}");
    let g = slopes.call((x.clone(), w.clone())).unwrap();
    let plan = slopes.explain((x.clone(), w.clone())).unwrap().to_string();
    assert!(plan.contains("map: parallel 9 "), "{plan}");
    let row = jit(|(x, i): (Var, Var)| x.at(i).expand_dims(0));
    let mut sum = vec![0.0; g.to_vec::<f64>().unwrap().len()];
    for i in 0..9i64 {
        let one = row.call((x.clone(), i)).unwrap();
        let alone = all.call((one.clone(), w.clone())).unwrap();
        assert_eq!(row.call((y.clone(), i)).unwrap(), alone);
        let own = slopes
            .call((one, w.clone()))
            .unwrap()
            .to_vec::<f64>()
            .unwrap();
        for (s, own) in sum.iter_mut().zip(own) {
            *s += own;
        }
    }
    near(&g, &sum, "by the kernel");
}

/// A NaN in a kernel does no harm where a mask lets nothing through.
#[test]
fn what_is_masked_has_no_derivative() {
    let f = |(x, w): (Var, Var)| {
        let y = Conv::new().of(x, w);
        y.is_nan().select(0.0, y).sum()
    };
    let g = jit(grad(f))
        .call(([[[1.0, 2.0, 3.0]]], [[[f64::NAN]]]))
        .unwrap();
    assert_eq!(g.0.to_vec::<f64>().unwrap(), [0.0, 0.0, 0.0]);
    assert_eq!(g.1.to_vec::<f64>().unwrap(), [0.0]);
}

/// `<conv(x), y> = <x, transposed(y)>`, for an input of any length that has the result.
#[test]
fn the_transposed_convolution_is_the_transpose() {
    let mut rng = Rng::new(5);
    let draw = |rng: &mut Rng, dims: [usize; 4]| {
        let n = dims.iter().product();
        let data: Vec<f64> = (0..n).map(|_| rng.uniform(-1.0, 1.0)).collect();
        Array::new(dims, data).unwrap()
    };
    for (groups, stride, dilation, spread, pad) in [
        (1, [2, 1], [1, 2], [1, 1], Some([(1, 1), (0, 1)])),
        (2, [1, 3], [2, 1], [1, 1], Some([(0, 0), (2, 0)])),
        (3, [2, 2], [1, 1], [1, 1], None),
        (1, [3, 2], [1, 1], [1, 1], None),
        (2, [1, 1], [1, 1], [2, 1], Some([(2, 1), (0, 0)])),
        (1, [2, 1], [2, 1], [3, 2], Some([(0, 3), (1, 1)])),
        (2, [1, 2], [1, 1], [2, 3], None),
    ] {
        let mut conv = Conv::new().stride(stride).dilation(dilation);
        conv = conv.input_dilation(spread).groups(groups);
        conv = match pad {
            Some(pad) => conv.pad(pad),
            None => conv.same(),
        };
        for size in [[7, 6], [8, 9], [9, 7]] {
            let x = draw(&mut rng, [2, 2 * groups, size[0], size[1]]);
            let w = draw(&mut rng, [3 * groups, 2, 3, 2]);
            let conv = conv.clone();
            let f = jit(move |(x, w): (Var, Var)| {
                let y = conv.of(x, w);
                let z = (y * 3.0).cos();
                let back = conv.transposed_to(z, w, size.map(|n| n as i64));
                let shortest = conv.transposed(z, w);
                (
                    (y * z).sum(),
                    (x * back).sum(),
                    conv.of(shortest, w),
                    y,
                    back,
                )
            });
            let (a, b, of_shortest, y, back) = f.call((x, w)).unwrap();
            assert_eq!(back.shape(), [2, 2 * groups, size[0], size[1]]);
            assert_eq!(of_shortest.shape(), y.shape());
            let (a, b) = (a.item::<f64>().unwrap(), b.item::<f64>().unwrap());
            assert!((a - b).abs() < 1e-12 * (1.0 + a.abs()), "{a} and {b}");
        }
    }
}

#[test]
fn windows_are_reduced() {
    let mut rng = Rng::new(6);
    for (n, size, stride, apart, pad) in [
        (1, 1, 1, 1, (0, 0)),
        (7, 2, 1, 1, (0, 0)),
        (9, 3, 2, 1, (1, 0)),
        (20, 7, 3, 2, (2, 5)),
        (40, 13, 1, 1, (0, 0)),
        (3, 5, 1, 1, (0, 0)),
    ] {
        let x: Vec<f64> = (0..n)
            .map(|_| (rng.uniform(-3.0, 3.0) * 2.0).round())
            .collect();
        let w = Window::new(size).stride(stride).dilation(apart).pad([pad]);
        let f = jit(move |x: Var| (w.max(x), w.min(x), w.sum(x), w.mean(x)));
        let got = f.call(&x[..]).unwrap();
        let all = n + pad.0 + pad.1;
        let reach = (size - 1) * apart + 1;
        let places = if all < reach {
            0
        } else {
            (all - reach) / stride + 1
        };
        let window =
            |t: usize| (0..size).filter_map(move |k| (t * stride + k * apart).checked_sub(pad.0));
        let inside = |t: usize| window(t).filter_map(|i| x.get(i).copied());
        let of = |f: &dyn Fn(usize) -> f64| (0..places).map(f).collect::<Vec<f64>>();
        near(
            &got.0,
            &of(&|t| inside(t).fold(f64::NEG_INFINITY, f64::max)),
            "max",
        );
        near(
            &got.1,
            &of(&|t| inside(t).fold(f64::INFINITY, f64::min)),
            "min",
        );
        near(&got.2, &of(&|t| inside(t).sum()), "sum");
        near(
            &got.3,
            &of(&|t| inside(t).sum::<f64>() / size as f64),
            "mean",
        );
    }
}

/// Of equal elements the first has the derivative, in the order of rows; a NaN is the largest.
#[test]
fn the_first_of_equal_elements_is_the_largest() {
    let g = jit(grad(|x: Var| Window::new([2, 2]).max(x).sum()));
    let g = g.call([[1.0, 5.0, 5.0], [5.0, 5.0, 0.0]]).unwrap();
    assert_eq!(g.to_vec::<f64>().unwrap(), [0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    let y = jit(|x: Var| Window::new(2).max(x))
        .call([1.0, f64::NAN, 2.0, 3.0])
        .unwrap();
    let y = y.to_vec::<f64>().unwrap();
    assert!(y[0].is_nan() && y[1].is_nan() && y[2] == 3.0);
    check_grads(
        |x: Var| Window::new(3).stride(2).max(x).sin(),
        [0.1, 0.7, 0.3, 0.2, 0.9],
        2,
    )
    .unwrap();
}

#[test]
fn matrices_are_convolved() {
    // scipy.signal.convolve2d and correlate2d.
    let f = jit(|(x, w): (Var, Var)| {
        [Overlap::Full, Overlap::Same, Overlap::Valid]
            .map(|part| (x.convolve2d(w, part), x.correlate2d(w, part)))
    });
    let x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
    let w = [[1.0, 2.0], [0.0, -1.0]];
    let [full, same, valid] = f.call((x, w)).unwrap();
    assert_eq!(
        full.0.to_vec::<f64>().unwrap(),
        [
            1.0, 4.0, 7.0, 6.0, 4.0, 12.0, 14.0, 9.0, 7.0, 18.0, 20.0, 12.0, 0.0, -7.0, -8.0, -9.0
        ]
    );
    assert_eq!(
        same.0.to_vec::<f64>().unwrap(),
        [1.0, 4.0, 7.0, 4.0, 12.0, 14.0, 7.0, 18.0, 20.0]
    );
    assert_eq!(
        same.1.to_vec::<f64>().unwrap(),
        [0.0, 2.0, 3.0, 6.0, 8.0, 6.0, 23.0, 26.0, 9.0]
    );
    assert_eq!(valid.0.to_vec::<f64>().unwrap(), [12.0, 14.0, 18.0, 20.0]);
    assert_eq!(valid.1.to_vec::<f64>().unwrap(), [0.0, 2.0, 6.0, 8.0]);
    assert_eq!(
        full.1.to_vec::<f64>().unwrap()[..4],
        [-1.0, -2.0, -3.0, 0.0]
    );
}

#[test]
fn nothing_gives_nothing() {
    let f = jit(|(x, w): (Var, Var)| Conv::new().same().of(x, w));
    let [x, w] = [[0, 2, 5], [3, 2, 3]].map(|dims| Array::zeros(dims, DType::F64));
    assert_eq!(f.call((x, w)).unwrap().shape(), [0, 3, 5]);
    let [x, w] = [[2, 0, 5], [3, 0, 3]].map(|dims| Array::zeros(dims, DType::F64));
    assert_eq!(f.call((x, w)).unwrap(), Array::zeros([2, 3, 5], DType::F64));
    let g = jit(grad(|(x, w): (Var, Var)| Conv::new().of(x, w).sum()));
    let [x, w] = [[1, 2, 2], [3, 2, 3]].map(|dims| Array::zeros(dims, DType::F64));
    assert_eq!(g.call((x.clone(), w.clone())).unwrap(), (x, w));
}
