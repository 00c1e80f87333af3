//! Quantiles, histograms and interpolation, by sorting and searching.

use crate::error::TypeError;
use crate::ir::{DType, Type};
use crate::ops::index::{self, Bounds};
use crate::ops::layout;
use crate::trace::array::{Over, floats, lengths, promoted, refuse, spread};
use crate::trace::number::aligned;
use crate::trace::{Along, Argument, IntoVar, Var, ones_like};

/// # Quantiles, histograms, interpolation
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.median(), x.quantile(0.25), x.histogram(Var::from([0.0, 2.5, 5.0]))));
/// let (median, quarter, counts) = f.call([4.0, 1.0, 2.0, 3.0, 5.0])?;
/// assert_eq!((median.item::<f64>()?, quarter.item::<f64>()?), (3.0, 2.0));
/// assert_eq!(counts.to_vec::<i64>()?, [2, 3]);
///
/// let table = jit(|x: Var| x.interp(Var::from([0.0, 1.0, 2.0]), Var::from([0.0, 10.0, 0.0])));
/// assert_eq!(table.call([0.5, 1.25, 9.0])?.to_vec::<f64>()?, [5.0, 7.5, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The middle element in order, or the mean of the two in the middle, of floats; NaN if any element
    /// is NaN: `numpy.median`. An empty array is an error. Derivative: to the middle.
    #[track_caller]
    pub fn median(self) -> Var {
        quantile("median", self, 0.5.argument(), (..).into())
    }

    /// The median along the given axes: `numpy.median(x, axis)`.
    #[track_caller]
    pub fn median_axis(self, which: impl Into<Along>) -> Var {
        quantile("median", self, 0.5.argument(), which.into())
    }

    /// The number below which the fraction `q` of all elements lies, interpolated between two of them, of
    /// floats; NaN if any element is NaN: `numpy.quantile`. A vector of fractions gives a first axis of quantiles. A
    /// traced fraction is clamped to `[0, 1]`. Derivatives: to the one or two elements; to the fraction, the
    /// difference of the two.
    ///
    /// # Errors
    /// If there is no element, a known fraction is not in `[0, 1]`, or `q` has more than one axis.
    #[track_caller]
    pub fn quantile(self, q: impl IntoVar) -> Var {
        quantile("quantile", self, q.argument(), (..).into())
    }

    /// The quantile along the given axes: `numpy.quantile(x, q, axis)`.
    #[track_caller]
    pub fn quantile_axis(self, q: impl IntoVar, which: impl Into<Along>) -> Var {
        quantile("quantile", self, q.argument(), which.into())
    }

    /// [`Var::quantile`] with `q` in percent: `numpy.percentile`.
    #[track_caller]
    pub fn percentile(self, q: impl IntoVar) -> Var {
        quantile("percentile", self, hundredths(q.argument()), (..).into())
    }

    /// The percentile along the given axes: `numpy.percentile(x, q, axis)`.
    #[track_caller]
    pub fn percentile_axis(self, q: impl IntoVar, which: impl Into<Along>) -> Var {
        quantile("percentile", self, hundredths(q.argument()), which.into())
    }

    /// The bin of each element between ascending `edges`, where a bin excludes its upper edge: 0 before the first
    /// edge, 1 from the first, and so on; `i64`: `numpy.digitize`. For bins that include their upper edge, use
    /// `edges.searchsorted(x)`. Derivative: none.
    ///
    /// # Errors
    /// If the edges are not a vector.
    #[track_caller]
    pub fn digitize(self, edges: Var) -> Var {
        vector("digitize", edges, &[self, edges]);
        edges.searchsorted_right(self)
    }

    /// The number of elements in each bin between neighbours of ascending `edges`; `i64`:
    /// `numpy.histogram` with a list of edges (`linspace(low, high, bins + 1)` for equal bins). A bin
    /// includes its lower edge; the last bin also includes its upper edge. Elements outside are not counted.
    /// Derivative: none.
    ///
    /// # Errors
    /// If there are fewer than two edges.
    #[track_caller]
    pub fn histogram(self, edges: Var) -> Var {
        self.histogram_weighted(edges, ones_like(self).to(DType::I64))
    }

    /// The sum of the weights of the elements in each bin: `numpy.histogram(x, edges, weights=weights)`.
    /// Weights broadcast to the elements. Derivative: to a weight, that of its bin.
    ///
    /// # Errors
    /// If there are fewer than two edges, or the weights have another shape.
    #[track_caller]
    pub fn histogram_weighted(self, edges: Var, weights: Var) -> Var {
        let both = promoted("histogram", &[self, edges]);
        let (x, edges) = (both[0], both[1]);
        let bins = match vector("histogram", edges, &both) {
            0 | 1 => {
                let message = format!("{} are not two edges", edges.ty());
                refuse("histogram", &both, TypeError::new(message))
            }
            n => n - 1,
        };
        let (first, last) = (edges.at(0), edges.at(-1));
        let place = edges.searchsorted_right(x) - 1;
        // Elements outside are counted in an extra bin after the last one.
        let inside = x.ge(first).and(x.le(last));
        let place = inside.select(place.minimum(bins as i64 - 1), bins as i64);
        let weights = spread("histogram", weights, &x.shape());
        let sums = Var::zeros(&weights.ty().with_dims(&[bins + 1]));
        let sums = index::scatter_add(sums, place, weights, 0, 0, Bounds::Drop);
        layout::slice_axis(sums, 0, 0..bins)
    }

    /// The number of occurrences of each whole number below `length` among the elements; `i64`:
    /// `jax.numpy.bincount(x, length=length)`. Other numbers are not counted. Derivative: none.
    ///
    /// # Errors
    /// If the elements are not integers, or the counts do not fit into memory.
    #[track_caller]
    pub fn bincount(self, length: usize) -> Var {
        if !self.dtype().is_int() {
            let error = TypeError::new(format!("{} is not an array of integers", self.ty()));
            let hint = "convert it, as in `i.to(DType::I64)`";
            refuse("bincount", &[self], error.hint(hint));
        }
        let counted = vec![length.saturating_add(1)].into();
        let counted = lengths("bincount", &[self], DType::I64, &counted);
        let counts = Var::zeros(&Type::new(DType::I64, &counted));
        // Other numbers are counted in an extra place after the last one.
        let outside = self.lt(0).or(self.to(DType::I64).ge(length));
        let place = outside.select(length, self.to(DType::I64));
        let counts = counts.at_add(place, 1);
        layout::slice_axis(counts, 0, 0..length)
    }

    /// The value at `self` of the piecewise linear function through the points `(xs, ys)` with ascending `xs`,
    /// constant beyond the first and the last point; of floats: `numpy.interp`. At a point the value is that point's
    /// `y`, even next to infinite points; between a finite and an infinite `y` it is infinite, and between a finite
    /// and an infinite `x` it is the `y` of the finite point. Derivatives: the slope of the line, 0 beyond; to the
    /// coordinates of its two points.
    ///
    /// # Errors
    /// If the points are not two vectors of one length, or there is no point.
    #[track_caller]
    pub fn interp(self, xs: Var, ys: Var) -> Var {
        let all = promoted("interp", &[self, xs, ys]);
        let (x, xs, ys) = (all[0], all[1], all[2]);
        floats("interp", x);
        let n = vector("interp", xs, &all);
        if n != vector("interp", ys, &all) || n == 0 {
            let message = format!(
                "{} and {} are not the coordinates of points",
                xs.ty(),
                ys.ty()
            );
            refuse("interp", &all, TypeError::new(message));
        }
        let (first, last) = (
            ys.at(0).broadcast_to(x.shape()),
            ys.at(-1).broadcast_to(x.shape()),
        );
        if n == 1 {
            return first;
        }
        let right = xs.searchsorted_right(x).clamp(1, n as i64 - 1);
        let left = right - 1;
        let (x0, x1) = (xs.take(left, 0), xs.take(right, 0));
        let (y0, y1) = (ys.take(left, 0), ys.take(right, 0));
        let share = share_of_way(x, x0, x1);
        let inside = y0 + share * (y1 - y0);
        // If an end is infinite, or the difference of two finite numbers overflows, a share of 0 contributes 0, so that
        // the points themselves keep their values.
        let near = |y: Var, share: Var| share.eq(0.0).select(0.0, share * y);
        let apart = near(y0, 1.0 - share) + near(y1, share);
        let nowhere = !(x0.is_finite().and(x1.is_finite()));
        let nowhere = nowhere.and(x.ne(x0)).and(x.ne(x1));
        let apart = nowhere.select(f64::NAN, apart);
        let level = y0.eq(y1).and(x.eq(x)).select(y0, apart);
        let plain = (y1 - y0).is_finite().and(share.is_finite());
        let inside = plain.select(inside, level);
        let y = x.lt(xs.at(0)).select(first, inside);
        x.gt(xs.at(-1)).select(last, y)
    }
}

/// Returns the fraction of the way from `x0` to `x1` at which `x` lies, for ascending numbers: 0 at `x0`, 1 at `x1`.
/// From -∞ to a finite number it is 1, from a finite number to ∞ it is 0, and from -∞ to ∞ it is NaN. If `x0` and `x1`
/// are equal, which happens at the last points, it is 1.
#[track_caller]
fn share_of_way(x: Var, x0: Var, x1: Var) -> Var {
    let (start, end) = (x.eq(x0), x.eq(x1));
    let [from, to] = [x0, x1].map(|x| x.is_finite());
    let ends = to.select(1.0, from.select(0.0, f64::NAN));
    let ends = start.select(0.0, end.select(1.0, ends)).to(x.dtype());
    let level = x1.eq(x0);
    let ends = x.is_nan().select(f64::NAN, level.select(1.0, ends));
    // The difference of two numbers can overflow; that of their halves cannot.
    let wide = (!(x1 - x0).is_finite()).and(from).and(to);
    let half = wide.select(0.5, 1.0).to(x.dtype());
    let share = (x * half - x0 * half) / (x1 * half - x0 * half);
    let share = level.select(1.0, share);
    from.and(to).select(share, ends)
}

/// Returns the length of a vector, and refuses other shapes.
#[track_caller]
fn vector(op: &str, x: Var, operands: &[Var]) -> usize {
    match x.shape()[..] {
        [n] => n,
        _ => refuse(
            op,
            operands,
            TypeError::new(format!("{} is not a vector", x.ty())),
        ),
    }
}

#[track_caller]
fn hundredths(q: Argument) -> Argument {
    match q {
        Argument::Var(v) if v.ty().is_float() => Argument::Var(v / 100.0),
        Argument::Var(v) => Argument::Var(v.to(DType::F64) / 100.0),
        Argument::Int(n) => Argument::Float(n as f64 / 100.0),
        Argument::Float(x) => Argument::Float(x / 100.0),
        Argument::Bool(b) => Argument::Float(f64::from(b) / 100.0),
    }
}

#[track_caller]
fn quantile(op: &str, x: Var, q: Argument, along: Along) -> Var {
    floats(op, x);
    let over = Over::of(op, x, along);
    let ty = x.ty();
    let n = over.count;
    over.expect_elements(op, x);
    // The axes to be sorted are moved to the end and merged.
    let mut order: Vec<usize> = (0..ty.rank()).filter(|a| !over.axes.contains(a)).collect();
    let mut dims: Vec<usize> = order.iter().map(|&a| ty.dims()[a]).collect();
    order.extend(&over.axes);
    dims.push(n);
    let sorted = layout::reshape(layout::transpose(x, &order), &dims).sort(-1);
    let kept = dims.len() - 1;
    let none = layout::slice_axis(sorted, kept, n - 1..n)
        .squeeze_axis(-1)
        .is_nan();
    if let Some(q) = known(q) {
        if !(0.0..=1.0).contains(&q) {
            let message = format!("the share {q:?} is not in [0, 1]");
            refuse(op, &[x], TypeError::new(message));
        }
        let place = q * (n - 1) as f64;
        let (low, share) = (place.floor() as usize, place.fract());
        let below = layout::slice_axis(sorted, kept, low..low + 1).squeeze_axis(-1);
        let value = match share > 0.0 {
            false => below,
            true => {
                let above = layout::slice_axis(sorted, kept, low + 1..low + 2).squeeze_axis(-1);
                below * (1.0 - share) + above * share
            }
        };
        return over.kept(none.select(f64::NAN, value));
    }
    let Argument::Var(given) = q else {
        unreachable!("other numbers are known")
    };
    if given.rank() > 1 {
        let message = format!("the shares {} are not a number or a vector", given.ty());
        refuse(op, &[x, given], TypeError::new(message));
    }
    let q = aligned(op, None, &[Argument::Var(given), Argument::Float(0.0)])[0];
    let place = q.clamp(0.0, 1.0) * (n - 1) as f64;
    let low = place.floor();
    let share = place - low;
    let low = low.to(DType::I64);
    let at = |i: Var| {
        let found = index::gather(sorted, i, kept, 0, Bounds::Clamp);
        match i.rank() {
            0 => found,
            _ => layout::move_axis(found, kept, 0),
        }
    };
    let (below, above) = (at(low), at(low + 1));
    // A vector of fractions becomes a first axis.
    let share = match given.shape()[..] {
        [n] => share.reshape([&[n], &vec![1; kept][..]].concat()),
        _ => share,
    };
    // A share of 0 of an infinity contributes 0; a share of 0 of a finite number has a derivative.
    let alone = share.eq(0.0).and(!above.is_finite());
    let value = alone.select(below, below * (1.0 - share) + above * share);
    let value = none.select(f64::NAN, value);
    match given.rank() {
        0 => over.kept(value),
        _ => over.kept_rows(value),
    }
}

/// Returns a fraction that is known while tracing.
fn known(q: Argument) -> Option<f64> {
    match q {
        Argument::Float(x) => Some(x),
        Argument::Int(n) => Some(n as f64),
        Argument::Bool(b) => Some(f64::from(b)),
        Argument::Var(_) => None,
    }
}
