//! How a convolution is composed of other operations.
//!
//! The way depends on the sizes of one example alone, so that a batch of them has the bits of each. Sums of few terms are
//! written out, element by element. Others are products of matrices: of the kernels and the parts of an example that
//! each of their places covers, or, if a kernel has few places, of the kernels and all examples' parts.

use super::{Axis, Dot, elementwise, layout};
use crate::ops::{dynamic, map, scan};
use crate::trace::Var;

/// The number of terms of a sum that is written out.
const TERMS: usize = 32;

/// The number of parts that are put side by side one after the other; more are a loop.
const PARTS: usize = 512;

/// The number of elements that are put side by side at a time, so that a near cache holds them.
const NEAR: usize = 1 << 17;

/// The number of examples, or of channels in the derivative by a kernel, that such elements are reckoned for.
const EXAMPLES: usize = 32;

/// Some rows of an array, along its first axis: their lengths, and how many such parts there are.
struct Block {
    dims: Vec<usize>,
    count: usize,
}

/// As many rows as leave no rest and, each of their elements being `each`, are near.
fn rows_of_block(dims: &[usize], each: usize) -> Block {
    let Some((&n, rest)) = dims.split_first() else {
        let dims = vec![];
        return Block { dims, count: 1 };
    };
    let row = each * rest.iter().product::<usize>();
    let fits = |m: &usize| n.is_multiple_of(*m) && m * row <= NEAR;
    let most = (1..=n).rev().find(fits).unwrap_or(1);
    let mut dims = dims.to_vec();
    dims[0] = most;
    Block {
        dims,
        count: n / most,
    }
}

/// The sizes of a convolution.
struct Sizes {
    batch: usize,
    examples: usize,
    channels: usize,
    kernels: usize,
    /// The elements of a kernel, and its places.
    taps: Vec<usize>,
    places: Vec<usize>,
}

/// The sum of products of a convolution.
pub(super) fn compose(x: Var, w: Var, axes: &[Axis], wins: Option<usize>) -> Var {
    let (dx, dw) = (x.ty().dims(), w.ty().dims());
    let lengths = axes.iter().zip(dx[3..].iter().zip(&dw[3..]));
    let sizes = Sizes {
        batch: dx[0],
        examples: dx[1],
        channels: dx[2],
        kernels: dw[1],
        taps: dw[3..].to_vec(),
        places: lengths.map(|(a, (&n, &k))| a.places(n, k)).collect(),
    };
    let ty = x.ty().with_dims(&sizes.result());
    if ty.size() == 0 || x.ty().size() == 0 || w.ty().size() == 0 {
        return Var::zeros(&ty);
    }
    let x = padded(x, axes);
    let taps: usize = sizes.taps.iter().product();
    let places: usize = sizes.places.iter().product();
    let with = With { axes, wins, sizes };
    match (taps, places) {
        (k, _) if with.sizes.channels * k <= TERMS => with.written_out(x, w),
        (k, t) if k <= t && k <= PARTS => with.parts(x, w),
        (k, t) if t < k && t <= PARTS => with.few_places(x, w),
        _ => with.one_by_one(x, w),
    }
}

/// The input with its zeros.
fn padded(x: Var, axes: &[Axis]) -> Var {
    let mut dims = x.ty().dims();
    let [mut low, mut high, mut between] = [vec![0; 3], vec![0; 3], vec![0; 3]];
    let (mut start, mut cut) = (vec![0; 3], false);
    for (n, a) in dims[3..].iter_mut().zip(axes) {
        let all = super::spread(*n, a.spread) + a.pad.0.max(0) + a.pad.1.max(0);
        low.push(a.pad.0.max(0) as usize);
        high.push(a.pad.1.max(0) as usize);
        between.push(a.spread - 1);
        start.push((-a.pad.0).max(0) as usize);
        *n = (all + a.pad.1.min(0)).max(0) as usize;
        cut |= a.pad.0 < 0 || a.pad.1 < 0;
    }
    let x = layout::pad(x, &low, &high, &between);
    match cut {
        true => layout::slice(x, &start, &dims, &vec![1; dims.len()]),
        false => x,
    }
}

impl Sizes {
    fn result(&self) -> Vec<usize> {
        let front = [self.batch, self.examples, self.kernels];
        [&front, &self.places[..]].concat()
    }
}

struct With<'a> {
    axes: &'a [Axis],
    wins: Option<usize>,
    sizes: Sizes,
}

/// All positions in an array of these lengths, in order.
fn positions(dims: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let count: usize = dims.iter().product();
    let dims = dims.to_vec();
    (0..count).map(move |mut i| {
        let mut at = vec![0; dims.len()];
        for (p, n) in at.iter_mut().zip(&dims).rev() {
            (*p, i) = (i % n, i / n);
        }
        at
    })
}

impl With<'_> {
    /// The elements of the padded input, along its last axes, that element `k` of the kernel meets at so many places.
    fn met_by(&self, x: Var, k: &[usize], places: &[usize]) -> Var {
        let steps = self.axes.iter().map(|a| (a.dilation, a.stride));
        strided(x, k, places, steps)
    }

    /// The elements that a kernel of so many elements covers at place `t`.
    fn covered_at(&self, x: Var, t: &[usize], taps: &[usize]) -> Var {
        let steps = self.axes.iter().map(|a| (a.stride, a.dilation));
        strided(x, t, taps, steps)
    }

    /// The products of two values, of the input and of the kernel, summed over their axes `contract`.
    fn dot(&self, x: (Var, &[usize]), w: (Var, &[usize]), kernels_first: bool) -> Var {
        let pair = |(&a, &b): (&usize, &usize)| if kernels_first { (b, a) } else { (a, b) };
        let contract: Vec<(usize, usize)> = x.1.iter().zip(w.1).map(pair).collect();
        let op = Dot {
            batch: vec![(0, 0)],
            contract,
            zero_wins: self.wins.is_some(),
        };
        match kernels_first {
            true => op.bind(w.0, x.0),
            false => op.bind(x.0, w.0),
        }
    }

    /// The product, if the kernel's side may come first: the operand whose zeros win must.
    fn kernels_first(&self) -> bool {
        self.wins != Some(0)
    }

    /// One product after the other is added, all of an element in a register.
    fn written_out(&self, x: Var, w: Var) -> Var {
        let s = &self.sizes;
        let mut sum: Option<Var> = None;
        let ones = vec![1; s.taps.len()];
        for c in 0..s.channels {
            let channel = layout::slice_axis(x, 2, c..c + 1);
            for k in positions(&s.taps) {
                let from = [&[0, 0, c], &k[..]].concat();
                let to: Vec<usize> = from.iter().map(|i| i + 1).collect();
                let to = [&[s.batch, s.kernels], &to[2..]].concat();
                let weight = layout::slice(w, &from, &to, &vec![1; from.len()]);
                let weight =
                    layout::reshape(weight, &[&[s.batch, 1, s.kernels], &ones[..]].concat());
                let all = s.result();
                let a = layout::broadcast_to(self.met_by(channel, &k, &s.places), &all);
                let b = layout::broadcast_to(weight, &all);
                let term = match self.wins {
                    None => elementwise::mul(a, b),
                    Some(0) => elementwise::mul_or_zero(a, b),
                    Some(_) => elementwise::mul_or_zero(b, a),
                };
                sum = Some(sum.map_or(term, |sum| elementwise::add(sum, term)));
            }
        }
        sum.expect("a term")
    }

    /// For each example and some of its rows, a product of the kernels and what each element of a kernel meets.
    fn parts(&self, x: Var, w: Var) -> Var {
        let s = &self.sizes;
        let taps: usize = s.taps.iter().product();
        let w = layout::reshape(w, &[s.batch, s.kernels, s.channels * taps]);
        let block = rows_of_block(&s.places, s.channels * taps);
        let (dims, count) = (block.dims, block.count);
        let places: usize = dims.iter().product();
        // Of rows `[b, 1, c, ..]` of an example, the result `[b, 1, o, ..]`.
        let rows = |x: Var| {
            let met: Vec<Var> = positions(&s.taps)
                .map(|k| self.met_by(x, &k, &dims))
                .collect();
            let met = layout::stack(&met, 3);
            let met = layout::reshape(met, &[s.batch, s.channels * taps, places]);
            let y = self.dot((met, &[1]), (w, &[2]), self.kernels_first());
            let y = match self.kernels_first() {
                true => y,
                false => layout::transpose(y, &[0, 2, 1]),
            };
            layout::reshape(y, &[&[s.batch, 1, s.kernels], &dims[..]].concat())
        };
        let by_parts = |x: Var| match count {
            1 => rows(x),
            _ => self.over_parts(x, &dims, count, rows),
        };
        if s.examples == 1 {
            return by_parts(x);
        }
        // Examples are elements of a map, which gives each to a thread.
        let swapped = |x: Var| {
            let mut order: Vec<usize> = (0..x.rank()).collect();
            order.swap(0, 1);
            layout::transpose(x, &order)
        };
        let alone = |x: Var| {
            let mut dims = x.ty().dims();
            dims.insert(1, 1);
            layout::reshape(x, &dims)
        };
        let y = map::map(&[swapped(x)], s.examples, |x| {
            let y = by_parts(alone(x[0]));
            let mut dims = y.ty().dims();
            dims.remove(1);
            vec![layout::reshape(y, &dims)]
        });
        swapped(y[0])
    }

    /// The results `[b, 1, o, ..]` of one example, `count` parts after each other along the first axis of places, by
    /// `rows` from what each part of `dims` places reads.
    fn over_parts(&self, x: Var, dims: &[usize], count: usize, rows: impl Fn(Var) -> Var) -> Var {
        let s = &self.sizes;
        let (a, k) = (self.axes[0], s.taps[0]);
        let mut size = x.ty().dims();
        size[3] = (dims[0] - 1) * a.stride + (k - 1) * a.dilation + 1;
        let zero = Var::scalar(0i64);
        let row = dims[0] as i64;
        let step = |carry: &[Var], _: &[Var]| {
            let start = |row: i64| {
                let mut start = vec![zero; size.len()];
                start[3] = carry[1] * row;
                start
            };
            let y = rows(dynamic::slice(x, &start(row * a.stride as i64), &size));
            let all = dynamic::update(carry[0], y, &start(row));
            (vec![all, carry[1] + 1i64], vec![])
        };
        let mut whole = s.result();
        whole[1] = 1;
        let start = [Var::zeros(&x.ty().with_dims(&whole)), zero];
        scan::scan(&start, &[], count, false, step)[0]
    }

    /// For each channel and some rows of the kernels, a product of these and what they cover at each place; the sum of
    /// all.
    fn few_places(&self, x: Var, w: Var) -> Var {
        let s = &self.sizes;
        let places: usize = s.places.iter().product();
        // The same for any number of examples, so that they do not change the order of the sum.
        let block = rows_of_block(&s.taps, EXAMPLES * places);
        let (dims, count) = (block.dims, block.count);
        let taps: usize = dims.iter().product();
        // Of `[b, n, 1, ..]` and `[b, o, 1, ..]`, the product `[b, n t, o]`.
        let rows = |x: Var, w: Var| {
            let covered: Vec<Var> = positions(&s.places)
                .map(|t| self.covered_at(x, &t, &dims))
                .collect();
            let covered = layout::stack(&covered, 2);
            let covered = layout::reshape(covered, &[s.batch, s.examples * places, taps]);
            let w = layout::reshape(w, &[s.batch, s.kernels, taps]);
            let first = self.wins == Some(1);
            let y = self.dot((covered, &[2]), (w, &[2]), first);
            match first {
                true => layout::transpose(y, &[0, 2, 1]),
                false => y,
            }
        };
        let by_parts = |x: Var, w: Var| match count {
            1 => rows(x, w),
            _ => {
                let (a, t) = (self.axes[0], s.places[0]);
                let (mut size, mut of_kernel) = (x.ty().dims(), w.ty().dims());
                size[3] = (dims[0] - 1) * a.dilation + (t - 1) * a.stride + 1;
                of_kernel[3] = dims[0];
                let zero = Var::scalar(0i64);
                let row = dims[0] as i64;
                let step = |carry: &[Var], _: &[Var]| {
                    let start = |row: i64| {
                        let mut start = vec![zero; size.len()];
                        start[3] = carry[1] * row;
                        start
                    };
                    let x = dynamic::slice(x, &start(row * a.dilation as i64), &size);
                    let w = dynamic::slice(w, &start(row), &of_kernel);
                    let sum = elementwise::add(carry[0], rows(x, w));
                    (vec![sum, carry[1] + 1i64], vec![])
                };
                let ty = (x.ty()).with_dims(&[s.batch, s.examples * places, s.kernels]);
                scan::scan(&[Var::zeros(&ty), zero], &[], count, false, step)[0]
            }
        };
        let y = match s.channels {
            1 => by_parts(x, w),
            n => {
                let rows = [x, w].map(|v| layout::move_axis(v, 2, 0));
                let alone = |v: Var| {
                    let mut dims = v.ty().dims();
                    dims.insert(2, 1);
                    layout::reshape(v, &dims)
                };
                map::sum(&rows, n, |v| vec![by_parts(alone(v[0]), alone(v[1]))])[0]
            }
        };
        let y = layout::reshape(y, &[s.batch, s.examples, places, s.kernels]);
        layout::reshape(layout::transpose(y, &[0, 1, 3, 2]), &s.result())
    }

    /// A loop over the elements of the kernel, each of which adds a product over the channels to all results.
    fn one_by_one(&self, x: Var, w: Var) -> Var {
        let s = &self.sizes;
        let taps: usize = s.taps.iter().product();
        let places: usize = s.places.iter().product();
        let w = layout::reshape(w, &[s.batch, s.kernels, s.channels, taps]);
        let weights = layout::move_axis(w, 3, 0);
        let ty = x.ty().with_dims(&[s.batch, s.examples, s.kernels, places]);
        let zero = Var::scalar(0i64);
        // The places of the elements of the kernel, row-major.
        let step = |carry: &[Var], weight: &[Var]| {
            let mut rest = carry[1];
            let mut starts = vec![zero; 3];
            let mut at = vec![zero; s.taps.len()];
            for (i, &n) in s.taps.iter().enumerate().rev() {
                at[i] = (rest % n as i64) * self.axes[i].dilation as i64;
                rest /= n as i64;
            }
            starts.extend(at);
            let steps = s.places.iter().zip(self.axes);
            let mut window = x.ty().dims();
            for (size, (t, a)) in window[3..].iter_mut().zip(steps) {
                *size = (t - 1) * a.stride + 1;
            }
            let met = dynamic::slice(x, &starts, &window);
            let none = vec![0; s.taps.len()];
            let met = self.met_by(met, &none, &s.places);
            let met = layout::reshape(met, &[s.batch, s.examples, s.channels, places]);
            let first = self.kernels_first();
            let y = self.dot((met, &[2]), (weight[0], &[2]), first);
            let y = match first {
                // `[b, o, n, t]`
                true => layout::transpose(y, &[0, 2, 1, 3]),
                // `[b, n, t, o]`
                false => layout::transpose(y, &[0, 1, 3, 2]),
            };
            let sum = elementwise::add(carry[0], y);
            (vec![sum, carry[1] + 1i64], vec![])
        };
        let start = [Var::zeros(&ty), zero];
        let sum = scan::scan(&start, &[weights], taps, false, step)[0];
        layout::reshape(sum, &s.result())
    }
}

/// The elements of the last axes that start at `at`, each scaled by the first of its steps, and are the second apart.
fn strided(
    x: Var,
    at: &[usize],
    counts: &[usize],
    steps: impl Iterator<Item = (usize, usize)>,
) -> Var {
    let front = x.rank() - at.len();
    let mut limit = x.ty().dims();
    let (mut start, mut step) = (vec![0; limit.len()], vec![1; limit.len()]);
    for (i, (to_start, apart)) in steps.enumerate() {
        let a = front + i;
        start[a] = at[i] * to_start;
        limit[a] = start[a] + (counts[i] - 1) * apart + 1;
        step[a] = apart;
    }
    layout::slice(x, &start, &limit, &step)
}
