//! Derivatives on uniform grids, for partial differential equations by the method of lines.
//!
//! Space becomes a grid, whose values are an array; what is left is an ordinary differential equation. A [`Grid`] says how far
//! the points of an axis are apart and what happens at its ends, and differentiates along the axis by finite differences; a
//! [`Fourier`] does so for periodic functions by the Fourier transform. All derivatives are linear in the array and in what is
//! given at the ends, and so are their derivatives.

mod fourier;
mod stencil;

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, refuse};
use wengert::{Axis, IntoTree};

use stencil::{Datum, Stencil};

pub use fourier::Fourier;

/// What is known at an end of an axis.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// The function's value (Dirichlet).
    Value(Var),
    /// The function's derivative along the axis, in the direction in which its indices ascend (Neumann).
    Slope(Var),
}

impl End {
    /// The value at the end: a number, or an array of the shape that is left without the axis.
    pub fn value(x: impl IntoTree<Tree = Var>) -> End {
        End::Value(x.into_tree())
    }

    /// The derivative along the axis at the end, likewise; its sign is that of `du/dx` at both ends.
    pub fn slope(x: impl IntoTree<Tree = Var>) -> End {
        End::Slope(x.into_tree())
    }
}

/// A uniform grid along an axis, with its ends: derivatives by central finite differences of order 2, 4 or 6.
///
/// Where the ends of a grid lie:
/// - [`periodic`](Grid::periodic): the point after the last one is the first.
/// - [`bounded`](Grid::bounded): if the value at an end is given, the end is a point one spacing beyond the outermost unknown; if
///   the slope is given, it is the outermost unknown. So on an interval of length `L` with `n` unknowns the spacing is `L / (n + 1)`
///   for two values, `L / n` for a value and a slope, and `L / (n - 1)` for two slopes.
/// - [`cells`](Grid::cells): the unknowns are the middles of `n` cells, and the ends are the walls of the outermost ones, half a
///   spacing beyond; the spacing is `L / n`.
///
/// Next to an end, points that are missing are those of the polynomial through what is given and as many points as the order is
/// (Fornberg, Math. Comp. 51, 1988, on such weights). So derivatives are exact for polynomials of that degree on the whole grid.
/// The error of a first derivative has the order everywhere; that of a second derivative is one order lower at the few points
/// next to the ends, which leaves the order of the solution of a diffusion problem as it is (Gustafsson, SIAM J. Numer. Anal. 18,
/// 1981). Second derivatives of order 2 by `cells` and all on periodic grids conserve: their sum is what enters through the ends.
///
/// The differences of several axes, and what is computed with them, become one loop over the grid: no shifted copy is stored.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{End, Grid, Ode, Tsit5};
///
/// // A rod of length 1 with ends at 0 and 1, from sin πx + x: the wave fades by exp(-π²t).
/// let cool = |u: Var| {
///     let grid = Grid::bounded(1.0 / 40.0, End::value(0.0), End::value(1.0)).order(4);
///     Ode::new(Tsit5).solve(|_, u: Var| grid.second(u, 0), u, 0.0, 0.1)
/// };
/// let x: Vec<f64> = (1..40).map(|i| i as f64 / 40.0).collect();
/// let wave = |x: &f64, size: f64| size * (std::f64::consts::PI * x).sin() + x;
/// let start: Vec<f64> = x.iter().map(|x| wave(x, 1.0)).collect();
/// let end = jit(cool).call(&start)?.ok()?;
/// let size = (-std::f64::consts::PI.powi(2) * 0.1).exp();
/// for (u, x) in end.y.to_vec::<f64>()?.iter().zip(&x) {
///     assert!((u - wave(x, size)).abs() < 1e-5);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    spacing: Var,
    ends: Option<[End; 2]>,
    order: u32,
    cells: bool,
}

impl Grid {
    /// A grid whose ends meet, of order 2.
    pub fn periodic(spacing: impl IntoTree<Tree = Var>) -> Grid {
        Grid {
            spacing: spacing.into_tree(),
            ends: None,
            order: 2,
            cells: false,
        }
    }

    /// A grid with something known at its ends, of order 2.
    pub fn bounded(spacing: impl IntoTree<Tree = Var>, start: End, end: End) -> Grid {
        Grid {
            ends: Some([start, end]),
            ..Grid::periodic(spacing)
        }
    }

    /// Sets the order: 2, 4 or 6. Others are an error of the derivatives.
    pub fn order(mut self, order: u32) -> Grid {
        self.order = order;
        self
    }

    /// The unknowns are the middles of cells: both ends lie half a spacing beyond the outermost ones.
    pub fn cells(mut self) -> Grid {
        self.cells = true;
        self
    }

    /// The first derivative along an axis.
    ///
    /// # Errors
    /// If the array is not of floats, has no such axis, or fewer points along it than the order and one; if the spacing is not a
    /// number; if what is given at an end is neither a number nor an array of the shape that is left without the axis; if element
    /// types differ; if the order is not 2, 4 or 6.
    #[track_caller]
    pub fn first(&self, u: Var, axis: impl Into<Axis>) -> Var {
        self.difference(Location::caller(), u, axis.into(), 1, stencil::first)
    }

    /// The second derivative along an axis.
    ///
    /// # Errors
    /// As those of [`first`](Grid::first).
    #[track_caller]
    pub fn second(&self, u: Var, axis: impl Into<Axis>) -> Var {
        self.difference(Location::caller(), u, axis.into(), 2, stencil::second)
    }

    /// The transport `speed du/dx` along an axis, by differences that lean to where it comes from: with orders 1, 3 and 5 for a
    /// grid of order 2, 4 and 6. `speed` is a number, or an array of the shape of `u`. Steep fronts are smeared, and do not ring as
    /// they do by central differences; at a speed of zero the derivative in the speed is the mean of both sides.
    ///
    /// # Errors
    /// As those of [`first`](Grid::first); if the shapes of `speed` and `u` do not go together.
    #[track_caller]
    pub fn upwind(&self, u: Var, speed: impl IntoTree<Tree = Var>, axis: impl Into<Axis>) -> Var {
        let (place, axis) = (Location::caller(), axis.into());
        let speed = speed.into_tree();
        let behind = self.difference(place, u, axis, 1, stencil::backward);
        let ahead = self.side(place, u, axis, 1, stencil::backward, true);
        asked_at(place, || {
            if speed.ty().rank() != 0 && speed.shape() != u.shape() {
                let (speed, u) = (speed.ty(), u.ty());
                refuse("upwind", format!("the speed is {speed} beside {u}"));
            }
            speed.maximum(0.0) * behind + speed.minimum(0.0) * ahead
        })
    }

    fn difference(
        &self,
        place: &'static Location<'static>,
        u: Var,
        axis: Axis,
        power: i32,
        stencil: fn(u32) -> Option<&'static Stencil>,
    ) -> Var {
        self.side(place, u, axis, power, stencil, false)
    }

    /// A difference along an axis, by a stencil or by its mirror image, which has the other sign.
    fn side(
        &self,
        place: &'static Location<'static>,
        u: Var,
        axis: Axis,
        power: i32,
        stencil: fn(u32) -> Option<&'static Stencil>,
        mirrored: bool,
    ) -> Var {
        asked_at(place, || {
            let a = checked(u, axis);
            let Some(stencil) = stencil(self.order) else {
                let order = self.order;
                refuse(
                    "grid",
                    format!("the order is {order}, and must be 2, 4 or 6"),
                );
            };
            let mut stencil = stencil.to_vec();
            if mirrored {
                stencil.reverse();
                stencil.iter_mut().for_each(|w| *w = -*w);
            }
            let n = u.shape()[a];
            if n < stencil.len() {
                let least = stencil.len();
                let message = format!(
                    "axis {a} of {} has {n} points, and order {} needs {least}",
                    u.ty(),
                    self.order
                );
                refuse("grid", message);
            }
            let spacing = length("spacing", self.spacing, u.dtype());
            let [start, end] = match self.ends {
                None => wrapped(u, a, &stencil),
                Some(ends) => self.edges(u, a, &stencil, ends, spacing),
            };
            let (k, middle) = (stencil.len() / 2, inner(u, a, &stencil));
            let put = |x: Var, before: usize| {
                let mut widths = vec![(0, 0); u.rank()];
                widths[a] = (before, n - before - x.shape()[a]);
                x.pad(widths)
            };
            let all = put(middle, k) + put(start, 0) + put(end, n - k);
            all * spacing.recip().powi(power)
        })
    }

    /// The rows at the two ends of a bounded grid.
    fn edges(&self, u: Var, a: usize, stencil: &Stencil, ends: [End; 2], spacing: Var) -> [Var; 2] {
        let n = u.shape()[a];
        let mut mirrored = stencil.to_vec();
        mirrored.reverse();
        let sides = [(ends[0], stencil, true), (ends[1], &mirrored, false)];
        sides.map(|(end, stencil, is_start)| {
            let (given, is_slope) = match end {
                End::Value(x) => (x, false),
                End::Slope(x) => (x, true),
            };
            let mut given = beside(given, u, a);
            let gap = match (self.cells, is_slope) {
                (true, _) => 0.5,
                (false, true) => 0.0,
                (false, false) => 1.0,
            };
            let datum = match is_slope {
                true => Datum::Slope(gap),
                false => Datum::Value(gap),
            };
            if is_slope {
                // Seen from the end, the slope has the other sign.
                given *= if is_start { spacing } else { -spacing };
            }
            let point = |i: usize| {
                let i = if is_start { i } else { n - 1 - i };
                u.slice_axis(a, i..i + 1)
            };
            let rows = stencil::rows(stencil, datum);
            let row = |row: &Vec<f64>| {
                let points = row[1..].iter().enumerate();
                let points = points.filter(|(_, w)| **w != 0.0);
                let terms = points.map(|(i, &w)| point(i) * w);
                let sum = terms.reduce(|a, b| a + b);
                let sum = sum.unwrap_or_else(|| zeros_like(point(0)));
                match row[0] {
                    0.0 => sum,
                    w => sum + given * w,
                }
            };
            let mut rows: Vec<Var> = rows.iter().map(row).collect();
            if !is_start {
                rows.reverse();
            }
            match rows[..] {
                [row] => row,
                _ => concat(&rows, a),
            }
        })
    }
}

/// A way to differentiate along an axis: a [`Grid`] or a [`Fourier`].
pub trait Along: Copy {
    /// The first derivative.
    ///
    /// # Errors
    /// If the axis does not fit.
    #[track_caller]
    fn first(&self, u: Var, axis: Axis) -> Var;

    /// The second derivative.
    ///
    /// # Errors
    /// If the axis does not fit.
    #[track_caller]
    fn second(&self, u: Var, axis: Axis) -> Var;
}

impl Along for Grid {
    #[track_caller]
    fn first(&self, u: Var, axis: Axis) -> Var {
        Grid::first(self, u, axis)
    }

    #[track_caller]
    fn second(&self, u: Var, axis: Axis) -> Var {
        Grid::second(self, u, axis)
    }
}

/// The sum of second derivatives along the last axes of an array, one for each grid: in one dimension, in two, in three.
///
/// # Errors
/// If there is no grid, or are more than axes; as those of [`Grid::first`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Grid, laplacian};
///
/// // Two fields at once, on a torus.
/// let grid = Grid::periodic(0.5);
/// let f = jit(move |u: Var| laplacian(u, [grid, grid]));
/// let mut fields = Array::zeros([2, 4, 4], DType::F64);
/// fields.set([1, 2, 3], 1.0)?;
/// let l = f.call(&fields)?;
/// assert_eq!(l.get::<f64>([1, 2, 3])?, -16.0);
/// assert_eq!(l.get::<f64>([1, 2, 0])?, 4.0);
/// assert_eq!(l.get::<f64>([0, 2, 3])?, 0.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn laplacian<G: Along>(u: Var, grids: impl AsRef<[G]>) -> Var {
    let place = Location::caller();
    let grids = grids.as_ref();
    let rank = u.rank();
    let first = rank.checked_sub(grids.len());
    let Some(first) = first.filter(|_| !grids.is_empty()) else {
        let message = format!("{} grids for {}", grids.len(), u.ty());
        asked_at(place, || refuse("laplacian", message))
    };
    let parts = grids.iter().enumerate();
    let parts = parts.map(|(i, g)| asked_at(place, || g.second(u, Axis((first + i) as i64))));
    asked_at(place, || parts.reduce(|a, b| a + b).unwrap_or(u))
}

/// A stencil where all its points are there: along the axis `2k` fewer than there are points.
fn inner(u: Var, a: usize, stencil: &Stencil) -> Var {
    let n = u.shape()[a] - (stencil.len() - 1);
    let used = stencil.iter().enumerate().filter(|(_, w)| **w != 0.0);
    let terms = used.map(|(j, &w)| u.slice_axis(a, j..j + n) * w);
    let sum = terms.reduce(|a, b| a + b);
    sum.unwrap_or_else(|| zeros_like(u.slice_axis(a, 0..n)))
}

/// The rows at the two ends of a periodic axis.
fn wrapped(u: Var, a: usize, stencil: &Stencil) -> [Var; 2] {
    let (n, k) = (u.shape()[a], stencil.len() / 2);
    let part = |from: usize, to: usize| u.slice_axis(a, from..to);
    let start = concat([part(n - k, n), part(0, 2 * k)], a);
    let end = concat([part(n - 2 * k, n), part(0, k)], a);
    [start, end].map(|u| inner(u, a, stencil))
}

/// The number of an axis, counted from the start.
#[track_caller]
fn checked(u: Var, Axis(axis): Axis) -> usize {
    expect_floats("grid", "the array", &u);
    let rank = u.rank() as i64;
    let from_start = if axis < 0 { axis + rank } else { axis };
    match usize::try_from(from_start) {
        Ok(a) if from_start < rank => a,
        _ => refuse("grid", format!("{} has no axis {axis}", u.ty())),
    }
}

/// A number of an array's element type.
#[track_caller]
fn length(what: &str, x: Var, dtype: DType) -> Var {
    let ty = x.ty();
    if ty.rank() != 0 {
        refuse("grid", format!("the {what} is {ty}, and must be a number"));
    }
    same_type(what, x, dtype)
}

/// What is given at an end, as a slice of the array along the axis.
#[track_caller]
fn beside(given: Var, u: Var, a: usize) -> Var {
    let given = same_type("end", given, u.dtype());
    let mut left = u.shape();
    left.remove(a);
    if given.rank() == 0 {
        return given;
    }
    if given.shape() != left {
        let message = format!(
            "the end is {}, and must be a number or of shape {left:?}, as {} is without axis {a}",
            given.ty(),
            u.ty()
        );
        refuse("grid", message);
    }
    given.expand_dims(a)
}

#[track_caller]
fn same_type(what: &str, x: Var, dtype: DType) -> Var {
    if x.as_literal().is_none() && x.dtype() != dtype {
        let message = format!("the {what} is {}, and the array has {dtype}", x.ty());
        refuse("grid", message);
    }
    x.to(dtype)
}
