//! Brownian paths by keys: a tree of bisections that is evaluated anywhere, and increments of equal steps.

use std::panic::Location;

use wengert::prelude::*;
use wengert::random::KeyFamily;
use wengert::solver::{asked_at, refuse};
use wengert::{DType, IntoShape};

use crate::shared::number;

/// What a step of a scheme is told about the path `W` from `s` to `t`: the increment, and the space-time Lévy
/// area. Rows of them, one for each step, are the same tree with a first axis.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Increment<T = Var> {
    /// `W(t) - W(s)`: mean 0, variance `t - s`.
    pub w: T,
    /// `1/(t - s) ∫ (W(u) - W(s)) du - (W(t) - W(s))/2`, the mean distance of the path from its chord: mean 0,
    /// variance `(t - s)/12`, independent of `w`.
    pub h: T,
}

impl Increment {
    /// Draws the increments of `n` steps of length `dt`: rows of arrays of a shape.
    ///
    /// A scan over them generates the numbers step by step. They have the type of `dt`, and `f64` if that is a
    /// number of the program.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::Increment;
    ///
    /// let f = jit(|key: Key| Increment::draw(key, 10_000, 0.01, 3));
    /// let rows = f.call(Key::from_seed(0))?;
    /// assert_eq!(rows.h.shape(), [10_000, 3]);
    /// let variance = rows.w.to_vec::<f64>()?.iter().map(|w| w * w).sum::<f64>() / 30_000.0;
    /// assert!((variance - 0.01).abs() < 3e-4);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn draw(key: Key, n: usize, dt: impl Into<Var>, shape: impl IntoShape) -> Increment {
        asked_at(Location::caller(), || {
            let dt: Var = dt.into();
            let z = normal(
                key,
                &[&[n, 2], &lengths("Increment::draw", shape)[..]].concat(),
                dt.dtype(),
            );
            let root = dt.sqrt();
            Increment {
                w: root * z.at((.., 0)),
                h: root * (1.0 / 12f64.sqrt()) * z.at((.., 1)),
            }
        })
    }

    /// The increments of the same path for steps twice as long, from rows of an even number.
    ///
    /// # Errors
    /// If the number of rows is odd.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::Increment;
    ///
    /// let f = jit(|key: Key| {
    ///     let fine = Increment::draw(key, 8, 0.125, ());
    ///     (fine.w.sum(), fine.halved().w.sum())
    /// });
    /// let (a, b) = f.call(Key::from_seed(0))?;
    /// assert!((a.item::<f64>()? - b.item::<f64>()?).abs() < 1e-14);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn halved(self) -> Increment {
        asked_at(Location::caller(), || {
            let shape = self.w.shape();
            if shape.first().is_none_or(|n| n % 2 == 1) {
                let message = format!(
                    "pairs of steps need an even number of rows, not {}",
                    self.w.ty()
                );
                refuse("Increment::halved", message);
            }
            let pairs = |x: Var| x.reshape([&[shape[0] / 2, 2], &shape[1..]].concat());
            let (w, h) = (pairs(self.w), pairs(self.h));
            let half = |i: usize| Increment {
                w: w.at((.., i as i64)),
                h: h.at((.., i as i64)),
            };
            half(0).then(half(1))
        })
    }

    /// The increment over two steps of equal length: of this and the next.
    pub(super) fn then(self, next: Increment) -> Increment {
        Increment {
            w: self.w + next.w,
            h: 0.25 * (self.w - next.w) + 0.5 * (self.h + next.h),
        }
    }
}

/// The path at a time: its value, and its integral from the beginning.
#[derive(Tree, Clone, Copy, Debug)]
pub(super) struct Point<T = Var> {
    /// The time as a part of the span.
    pub x: T,
    pub w: T,
    pub area: T,
}

/// A Brownian path over a span of time that can be evaluated at any time, in any order, as often as wanted: the
/// same key gives the same path.
///
/// The path is a tree of bisections, the *virtual Brownian tree*: the increment and the area over an interval
/// decide the distribution of those over its halves, and the numbers of a node come from the key with the
/// node's number ([`Key::fold_in`]). Nothing is stored. An evaluation goes down the tree until the interval is a
/// stated part of the span ([`tolerance`](Brownian::tolerance)), and then uses the bridge of increment and area
/// at the time asked for. So each value has its exact distribution, and values at times further apart than that
/// have their exact joint distribution. Within one such interval the path is smooth.
///
/// It has no derivative in time. Times outside the span give NaN.
///
/// Sources: Li, Wong, Chen, Duvenaud, *Scalable gradients for stochastic differential equations* (2020), for the
/// tree; Jelinčič, Foster, Kidger, *Single-seed generation of Brownian paths and integrals* (2024), for the areas and
/// the bridge at the end; Foster, Lyons, Oberhauser, *An optimal polynomial approximation of Brownian motion*
/// (2020), for the distribution of areas.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::sde::Brownian;
///
/// let f = jit(|(key, s, t, u): (Key, Var, Var, Var)| {
///     let path = Brownian::new(key, 0.0, 2.0, ());
///     (path.between(s, t).w + path.between(t, u).w, path.between(s, u).w)
/// });
/// let (a, b) = f.call((Key::from_seed(1), 0.3, 0.7, 1.9))?;
/// assert!((a.item::<f64>()? - b.item::<f64>()?).abs() < 1e-14);
/// # Ok::<(), wengert::Error>(())
/// ```
pub struct Brownian {
    keys: KeyFamily,
    start: Var,
    /// The end minus the start.
    span: Var,
    shape: Vec<usize>,
    dtype: DType,
    levels: usize,
}

impl Brownian {
    /// A path from `t0` to `t1` whose values have a shape. Its numbers have the type of `t0` and `t1`.
    ///
    /// # Errors
    /// If the times are not numbers, or of two types of floats.
    #[track_caller]
    pub fn new(
        key: Key,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        shape: impl IntoShape,
    ) -> Brownian {
        let op = "Brownian::new";
        asked_at(Location::caller(), || {
            let (start, end) = crate::shared::ends(op, t0.into(), t1.into());
            let shape = lengths(op, shape);
            let tree = Brownian {
                keys: key.fold_in(),
                start,
                span: end - start,
                shape,
                dtype: start.dtype(),
                levels: 0,
            };
            tree.resolved(1e-6)
        })
    }

    /// The part of the span to which the tree is resolved: 1e-6 if not given. An evaluation draws twice for each
    /// halving.
    ///
    /// # Errors
    /// If it is not between 0 and 1. It is at least 2⁻⁵⁰, and 2⁻²² for `f32`.
    #[track_caller]
    pub fn tolerance(self, part: f64) -> Brownian {
        asked_at(Location::caller(), || {
            if !(part > 0.0 && part <= 1.0) {
                let message = format!("the tolerance is a part of the span, not {part}");
                refuse("Brownian::tolerance", message);
            }
            self.resolved(part)
        })
    }

    fn resolved(self, part: f64) -> Brownian {
        let most = if self.dtype == DType::F32 { 22.0 } else { 50.0 };
        let levels = (-part.log2()).ceil().clamp(0.0, most) as usize;
        Brownian { levels, ..self }
    }

    /// The length of the intervals to which the tree is resolved.
    pub(super) fn resolution(&self) -> Var {
        self.span.abs() * 0.5f64.powi(self.levels as i32)
    }

    /// The value of the path at a time, 0 at the beginning.
    #[track_caller]
    pub fn at(&self, t: impl Into<Var>) -> Var {
        asked_at(Location::caller(), || {
            self.point(self.time("Brownian::at", t)).w * self.span.abs().sqrt()
        })
    }

    /// The increment and the area between two times, the second not before the first; zeros if they are equal.
    ///
    /// # Errors
    /// If a time is not a number of the path's type.
    #[track_caller]
    pub fn between(&self, s: impl Into<Var>, t: impl Into<Var>) -> Increment {
        asked_at(Location::caller(), || {
            let (s, t) = (
                self.time("Brownian::between", s),
                self.time("Brownian::between", t),
            );
            self.increment(self.point(s), self.point(t))
        })
    }

    /// The increments of `n` equal steps over the span, as rows: the same path, however many.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::Brownian;
    ///
    /// let f = jit(|key: Key| {
    ///     let path = Brownian::new(key, 0.0, 1.0, ());
    ///     (path.increments(4).w.sum(), path.increments(64).w.sum(), path.at(1.0))
    /// });
    /// let (a, b, c) = f.call(Key::from_seed(1))?;
    /// assert!((a.item::<f64>()? - c.item::<f64>()?).abs() < 1e-14);
    /// assert!((b.item::<f64>()? - c.item::<f64>()?).abs() < 1e-14);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn increments(&self, n: usize) -> Increment {
        let place = Location::caller();
        asked_at(place, || {
            let first = self.point(self.start);
            let (_, rows) = scan(first, 0..n, |before: Point, i: Var| {
                asked_at(place, || {
                    let last = (i + 1).to(self.dtype) / n as f64;
                    let here = self.point_at(last);
                    (here, self.increment(before, here))
                })
            });
            rows
        })
    }

    #[track_caller]
    fn time(&self, op: &str, t: impl Into<Var>) -> Var {
        let t: Var = t.into();
        let (ty, known) = (t.ty(), t.as_literal().is_some());
        if ty.rank() != 0 || !(known || ty.dtype == self.dtype) {
            let message = format!("a time is one {}, and not {ty}", self.dtype);
            refuse(op, message);
        }
        t.to(self.dtype)
    }

    /// The path at a time.
    pub(super) fn point(&self, t: Var) -> Point {
        self.point_at((t - self.start) / self.span)
    }

    /// The increment between two points.
    pub(super) fn increment(&self, a: Point, b: Point) -> Increment {
        let (dx, w) = (b.x - a.x, b.w - a.w);
        let mean = (b.area - a.area - a.w * dx) / dx;
        let root = self.span.abs().sqrt();
        Increment {
            w: root * w,
            h: dx.eq(0.0).select(zeros_like(w), root * (mean - 0.5 * w)),
        }
    }

    /// The path at a part of the span, for a span of length 1.
    fn point_at(&self, x: Var) -> Point {
        let dtype = self.dtype;
        let x = stop_gradient(x);
        let draws = |node: Var| {
            let z = normal(self.keys.at(node), &[&[2], &self.shape[..]].concat(), dtype);
            (z.at(0), z.at(1))
        };
        let (w, h) = draws(Var::scalar(0i64));
        let zero = zeros_of(&self.shape[..], dtype);
        let root = Interval {
            node: Var::scalar(1i64),
            start: number(0.0, dtype),
            width: number(1.0, dtype),
            w,
            h: h * (1.0 / 12f64.sqrt()),
            w_start: zero,
            area_start: zero,
        };
        let leaf = fori(0..self.levels, root, |_, i: Interval| {
            let (z, m) = draws(i.node);
            i.half(x, z, m)
        });
        let (z, m) = draws(leaf.node);
        leaf.bridge(x, z, m)
    }
}

/// An interval of the tree.
#[derive(Tree, Clone, Copy)]
struct Interval<T = Var> {
    /// The number of the node: the halves of node `k` are `2k` and `2k + 1`.
    node: T,
    start: T,
    width: T,
    w: T,
    h: T,
    /// The path, and its integral, at the start.
    w_start: T,
    area_start: T,
}

impl Interval {
    /// The half that holds `x`, given two normal numbers.
    fn half(self, x: Var, z: Var, m: Var) -> Interval {
        let root = self.width.sqrt();
        // Half the difference of the increments, given the area; and the mean of the areas, given that.
        let d = 1.5 * self.h + 0.25 * root * z;
        let q = self.h - 0.5 * d;
        let m = (root * (0.5 / 12f64.sqrt())) * m;
        let (left, right) = (0.5 * self.w + d, 0.5 * self.w - d);
        let half = 0.5 * self.width;
        let middle = self.start + half;
        let is_right = x.ge(middle);
        let area = self.area_start + half * (self.w_start + 0.5 * left + (q + m));
        Interval {
            node: 2 * self.node + is_right.to(DType::I64),
            start: is_right.select(middle, self.start),
            width: half,
            w: is_right.select(right, left),
            h: is_right.select(q - m, q + m),
            w_start: is_right.select(self.w_start + left, self.w_start),
            area_start: is_right.select(area, self.area_start),
        }
    }

    /// The path at `x` in the interval, given two normal numbers.
    fn bridge(self, x: Var, z: Var, m: Var) -> Point {
        let a = (x - self.start) / self.width;
        let inside = a.ge(0.0) & a.le(1.0);
        let a = inside.select(a, f64::NAN);
        let b = 1.0 - a;
        let c = 1.0 - 3.0 * a * b;
        let d = 6.0 * a * b * self.h + (self.width * a * b * c).sqrt() * z;
        let w = a * self.w + d;
        let h = a * a / c * (self.h - 0.5 * d)
            + (self.width * (1.0 / 12.0) * a * b * b * b / c).sqrt() * m;
        Point {
            x,
            w: self.w_start + w,
            area: self.area_start + a * self.width * (self.w_start + 0.5 * w + h),
        }
    }
}

/// Normal numbers of a type.
pub(super) fn normal(key: Key, shape: &[usize], dtype: DType) -> Var {
    key.normal(ShapeDtype::new(shape, dtype))
}

#[track_caller]
fn lengths(op: &str, shape: impl IntoShape) -> Vec<usize> {
    let known = |n: &i64| usize::try_from(*n).ok();
    let all = shape.lengths();
    match all.0.iter().map(known).collect::<Option<Vec<usize>>>() {
        Some(all) => all,
        None => refuse(op, format!("{:?} holds a negative length", all.0)),
    }
}
