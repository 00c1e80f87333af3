//! Statistics of many solutions, none of which is kept.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse};

use crate::State;
use crate::shared::{number, vector};

/// What the members of an ensemble have in common, number by number.
#[derive(Tree, Clone, Debug)]
pub struct Summary<Y, T = Var> {
    /// The means.
    pub mean: Y,
    /// The variances, with one degree of freedom less than there are members.
    pub variance: Y,
    /// The least numbers.
    pub min: Y,
    /// The largest numbers.
    pub max: Y,
    /// For each quantile that was asked for, the numbers that this part of the members is below.
    pub quantiles: Vec<Y>,
    /// How many members count.
    pub count: T,
    /// How many do not, because a number of theirs is not finite.
    pub failed: T,
}

/// The bins of the histograms from which quantiles are read.
///
/// A quantile lies in the same bin as the member of its rank, so that its error is less than the width of a bin, and is
/// interpolated there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bins {
    /// So many bins of one width between two numbers. What lies beyond counts in the first and the last one, which then reach to the
    /// least and the largest number.
    Between {
        /// The lower end of the first bin.
        low: f64,
        /// The upper end of the last bin.
        high: f64,
        /// The number of bins.
        bins: usize,
    },
    /// Bins whose width is a part of the size of the numbers in them: `width √(x² + scale²)`, up to a size of a billion times `scale`.
    /// That is 43 bins for each unit of `1 / width`.
    Relative {
        /// The size below which errors are no longer relative.
        scale: f64,
        /// The width relative to the size: 0.01, for example.
        width: f64,
    },
}

/// The largest size of numbers in units of `scale` that bins of relative width part.
const REACH: f64 = 1e9;

impl Bins {
    /// The ends of the scale on which bins are of one width, and their number.
    fn ends(self) -> (f64, f64, usize) {
        match self {
            Bins::Between { low, high, bins } => (low, high, bins),
            Bins::Relative { width, .. } => {
                let end = REACH.asinh();
                (-end, end, (2.0 * end / width).ceil() as usize)
            }
        }
    }

    fn check(self) {
        let (low, high, bins) = self.ends();
        let is_scaled = match self {
            Bins::Between { .. } => true,
            Bins::Relative { scale, width } => scale > 0.0 && scale.is_finite() && width > 0.0,
        };
        let width = high - low;
        if !(is_scaled && width > 0.0 && width.is_finite() && (1..=1_000_000).contains(&bins)) {
            let message = format!("{self:?} must be of 1 to 1,000,000 bins of a positive width");
            refuse("ensemble", message);
        }
    }

    fn scaled(self, x: Var) -> Var {
        match self {
            Bins::Between { .. } => x,
            Bins::Relative { scale, .. } => (x / scale).asinh(),
        }
    }

    fn unscaled(self, x: Var) -> Var {
        match self {
            Bins::Between { .. } => x,
            Bins::Relative { scale, .. } => x.sinh() * scale,
        }
    }
}

/// Runs an ensemble of members, chunk by chunk, and keeps nothing but sums.
///
/// The members of a chunk run side by side, as those of a [`vmap`], and threads share them; then they are added to what is kept, and
/// forgotten. Means and variances are those of chunks, merged (Chan, Golub, LeVeque, Am. Stat. 37, 1983), so that they keep their
/// digits; quantiles are read from a histogram of each number. Memory is that of a chunk and of the histograms, however many members
/// there are. Means and variances have derivatives, in what the member captures; least and largest numbers and quantiles have
/// none.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Bins, Ensemble, Ode, Tsit5};
///
/// // Ten thousand populations y' = r y (1 - y), with normal rates of growth.
/// let f = jit(|key: Key| {
///     let keys = key.fold_in();
///     let end = |i: Var| {
///         let r = 1.0 + 0.1 * keys.at(i).normal(());
///         Ode::new(Tsit5).solve(move |_, y: Var| r * y * (1.0 - y), 0.1, 0.0, 2.0).y
///     };
///     let bins = Bins::Between { low: 0.0, high: 1.0, bins: 1000 };
///     Ensemble::new(10_000).quantiles(&[0.5, 0.975], bins).run(end)
/// });
/// let s = f.call(Key::from_seed(1))?;
/// let logistic = |r: f64| 1.0 / (1.0 + 9.0 * (-2.0 * r).exp());
/// assert_eq!(s.count.item::<i64>()?, 10_000);
/// assert!((s.mean.item::<f64>()? - logistic(1.0)).abs() < 0.003);
/// assert!((s.quantiles[0].item::<f64>()? - logistic(1.0)).abs() < 0.003);
/// assert!((s.quantiles[1].item::<f64>()? - logistic(1.196)).abs() < 0.005);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ensemble {
    members: usize,
    chunk: usize,
    quantiles: Vec<f64>,
    bins: Option<Bins>,
}

impl Ensemble {
    /// An ensemble of so many members, in chunks of 1,024.
    pub fn new(members: usize) -> Ensemble {
        Ensemble {
            members,
            chunk: 1024,
            quantiles: vec![],
            bins: None,
        }
    }

    /// Sets how many members run at once. Results depend on it in their last bits.
    pub fn chunk(mut self, members: usize) -> Ensemble {
        self.chunk = members;
        self
    }

    /// Asks for quantiles, numbers from 0 to 1, from histograms of these bins.
    pub fn quantiles(mut self, quantiles: &[f64], bins: Bins) -> Ensemble {
        self.quantiles = quantiles.to_vec();
        self.bins = Some(bins);
        self
    }

    /// Runs the members: `member` gets the number of each, from 0 on, an `i64`, and returns a tree of floats of one type. A number may
    /// choose a row of a table, or a [key](Key::fold_in).
    ///
    /// # Errors
    /// If there are no members, or none in a chunk; if the value has leaves that are no floats, or of two types, or no numbers; if a
    /// quantile is not between 0 and 1; if bins have no width or are more than a million.
    #[track_caller]
    pub fn run<A>(&self, member: impl Fn(Var) -> A) -> Summary<A::Tree>
    where
        A: IntoTree,
        A::Tree: State,
    {
        let place = Location::caller();
        asked_at(place, || {
            if self.members == 0 || self.chunk == 0 {
                let message = format!("{} members in chunks of {}", self.members, self.chunk);
                refuse("ensemble", message);
            }
            if let Some(q) = self.quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
                refuse(
                    "ensemble",
                    format!("the quantile {q} is not between 0 and 1"),
                );
            }
            let bins = self.bins.filter(|_| !self.quantiles.is_empty());
            if let Some(bins) = bins {
                bins.check();
            }
            let vector = |i: Var| {
                asked_at(place, || {
                    let value = inside(|| member(i).into_tree());
                    expect_floats("ensemble", "the member", &value);
                    vector("ensemble", value)
                })
            };
            // The structure of the values, recorded where it never runs.
            let made = std::cell::RefCell::new(None);
            cond(
                Var::from(false),
                Var::from(0i64),
                |i: Var| {
                    let (x, tree) = vector(i);
                    *made.borrow_mut() = Some((x.ty(), tree));
                    Var::from(0i64)
                },
                |_| Var::from(0i64),
            );
            let Some((ty, tree)) = made.into_inner() else {
                refuse("ensemble", "the member was not recorded");
            };
            let (size, dtype) = (ty.size(), ty.dtype);
            let chunk = self.chunk.min(self.members);
            let chunks = self.members.div_ceil(chunk);
            let start = Sums {
                count: number(0.0, dtype),
                mean: zeros_of(size, dtype),
                squares: zeros_of(size, dtype),
                min: full(size, f64::INFINITY).to(dtype),
                max: full(size, f64::NEG_INFINITY).to(dtype),
                histogram: match bins {
                    Some(bins) => zeros_of((bins.ends().2, size), DType::I64),
                    None => zeros_of((0, size), DType::I64),
                },
            };
            let sums = fori(0..chunks, start, |i, sums: Sums| {
                asked_at(place, || {
                    let members = i * chunk as i64 + iota(chunk, DType::I64);
                    let x = vmap(|i: Var| vector(i).0)(members);
                    let counts = members.lt(self.members as i64) & x.is_finite().all_axis(1);
                    sums.and(x, counts, bins)
                })
            });
            let count = stop_gradient(sums.count).to(DType::I64);
            let quantiles = bins.map(|bins| {
                let read = |&q: &f64| tree(sums.quantile(q, bins));
                self.quantiles.iter().map(read).collect()
            });
            Summary {
                mean: tree(sums.mean),
                variance: tree(sums.squares / (sums.count - 1.0)),
                min: tree(sums.min),
                max: tree(sums.max),
                quantiles: quantiles.unwrap_or_default(),
                count,
                failed: Var::from(self.members as i64) - count,
            }
        })
    }
}

/// What is kept of the members so far.
#[derive(Tree, Clone, Copy)]
struct Sums<T = Var> {
    count: T,
    mean: T,
    /// The sums of squares of the distances from the mean.
    squares: T,
    min: T,
    max: T,
    /// The number of members in each bin, for each number.
    histogram: T,
}

impl Sums {
    /// With the rows of a matrix that count.
    fn and(self, x: Var, counts: Var, bins: Option<Bins>) -> Sums {
        let dtype = x.dtype();
        let column = counts.expand_dims(1);
        let none = zeros_like(x);
        let own = stop_gradient(counts.to(dtype).sum());
        let x = column.select(x, none);
        let mean = x.sum_axis(0) / own.maximum(1.0);
        let apart = column.select(x - mean, none);
        let count = self.count + own;
        let part = own / count.maximum(1.0);
        let shift = mean - self.mean;
        let fixed = stop_gradient(x);
        let least = column
            .select(fixed, full_like(x, f64::INFINITY))
            .amin_axis(0);
        let most = column
            .select(fixed, full_like(x, f64::NEG_INFINITY))
            .amax_axis(0);
        let histogram = match bins {
            None => self.histogram,
            Some(bins) => {
                let (low, high, n) = bins.ends();
                let place = (bins.scaled(fixed) - low) * (n as f64 / (high - low));
                let bin = place.floor().clamp(0.0, (n - 1) as f64).to(DType::I64);
                let number = iota(x.shape()[1], DType::I64).broadcast_to(x.shape());
                let one = column.to(DType::I64).broadcast_to(x.shape());
                self.histogram.at_add((bin, number), one)
            }
        };
        Sums {
            count,
            mean: self.mean + shift * part,
            squares: self.squares + apart.square().sum_axis(0) + shift.square() * self.count * part,
            min: self.min.minimum(least),
            max: self.max.maximum(most),
            histogram,
        }
    }

    /// The number that a part of the members is below.
    fn quantile(&self, q: f64, bins: Bins) -> Var {
        let dtype = self.mean.dtype();
        let (low, high, n) = bins.ends();
        let below = self.histogram.cumsum(0);
        // The member of this rank, from 1 on, is in the first bin up to which so many are.
        let rank = (stop_gradient(self.count) * q)
            .ceil()
            .maximum(1.0)
            .to(DType::I64);
        let bin = below.lt(rank).to(DType::I64).sum_axis(0);
        let bin = bin.minimum(n as i64 - 1);
        let number = iota(below.shape()[1], DType::I64);
        let [up_to, own] = [below, self.histogram].map(|h| h.at((bin, number)));
        let within = (rank - (up_to - own)).to(dtype) - 0.5;
        let part = within / own.maximum(1).to(dtype);
        let width = (high - low) / n as f64;
        let edge = |bin: Var| bins.unscaled(low + bin.to(dtype) * width);
        // The outer bins reach to the least and to the largest number.
        let (min, max) = (stop_gradient(self.min), stop_gradient(self.max));
        let lower = bin.eq(0).select(min, edge(bin));
        let upper = bin.eq(n as i64 - 1).select(max, edge(bin + 1));
        (lower + part * (upper - lower)).maximum(min).minimum(max)
    }
}
