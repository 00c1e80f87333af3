//! Designs: the points of a sweep, each made from its number when it is needed.

use std::fmt;
use std::sync::Arc;

use wengert::{Array, DType, Feed, Key, Tree, Var, tree, zeros_of};

use crate::column::with_dtype;
use crate::error::{Error, Result};

/// The points of a sweep: how many there are, and the traced function that makes a point from its number. So a design
/// of a billion points takes no memory, and point `i` is the same in any chunk, on any thread and in any share.
///
/// `P` is the tree of parameters that the swept function takes.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_sweep::{Design, Sweep};
///
/// #[derive(Tree, Clone)]
/// struct Model<T = Var> {
///     rate: T,
///     size: T,
/// }
///
/// // 3 × 2 points; a number is the same for all.
/// let grid = Design::grid(Model { rate: vec![0.1, 0.2, 0.3], size: vec![1.0, 2.0] })?;
/// assert_eq!(grid.points(), 6);
/// let found = Sweep::new(grid, |m: Model| m.rate * m.size).collect()?;
/// assert_eq!(found.params.size.to_vec::<f64>()?, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
/// assert_eq!(found.results.to_vec::<f64>()?[5], 0.3 * 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Design<P> {
    points: u64,
    point: Point<P>,
}

type Point<P> = Arc<dyn Fn(Var) -> P + Send + Sync>;

impl<P> Clone for Design<P> {
    fn clone(&self) -> Self {
        Design {
            points: self.points,
            point: self.point.clone(),
        }
    }
}

impl<P> fmt::Debug for Design<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Design({} points)", self.points)
    }
}

/// Up to here a number plus a half is an `f64`, and its quotient rounds to the right side of each integer.
const EXACT: u64 = 1 << 51;

/// The largest number of points.
const MOST: u64 = i64::MAX as u64;

impl<P: Tree<Leaf = Var> + 'static> Design<P> {
    /// Makes `points` points, `i64::MAX` at most, by a traced function of their numbers, `i64` from 0. Other designs are made of
    /// this.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::from_fn(1_000_000_000, |i| 0.5 * i.to(DType::F64));
    /// let first = Sweep::new(design, |x: Var| x.exp()).iter()?.nth(3).unwrap()?;
    /// assert_eq!((first.index, first.params.item::<f64>()?), (3, 1.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_fn(points: u64, point: impl Fn(Var) -> P + Send + Sync + 'static) -> Design<P> {
        Design {
            points: points.min(MOST),
            point: Arc::new(point),
        }
    }

    /// Makes the product of axes: `axes` is the tree of parameters with an axis, a vector of values, for each leaf.
    /// The last leaf changes from point to point, the first one slowest. A number is an axis of one value. Rows of a
    /// matrix are values that are vectors, and so on.
    ///
    /// # Errors
    /// If there are more than `i64::MAX` points, or rows have different lengths.
    pub fn grid(axes: impl Feed<P::With<Array>>) -> Result<Design<P>> {
        let (axes, def) = leaves::<P>(axes)?;
        let lengths = axes
            .iter()
            .map(|a| a.shape().first().map_or(1, |&n| n as u64));
        let lengths: Vec<u64> = lengths.collect();
        let mut strides = vec![1u64; axes.len()];
        let mut points = 1u64;
        for (stride, &n) in strides.iter_mut().zip(&lengths).rev() {
            *stride = points;
            points = match points.checked_mul(n).filter(|&n| n <= MOST) {
                Some(points) => points,
                None => {
                    let message = format!("axes of {lengths:?} values have more points than 2^63");
                    return Err(Error::design("Design::grid", message));
                }
            };
        }
        let point = move |i: Var| {
            // A point's place along an axis, from those along this and the slower axes together.
            let mut before = None;
            let mut leaves = vec![];
            for ((axis, &n), &stride) in axes.iter().zip(&lengths).zip(&strides) {
                let values = Var::from(axis);
                if axis.shape().is_empty() {
                    leaves.push(values);
                    continue;
                }
                let all = quotient(i, stride, points);
                let place = match before {
                    None => all,
                    Some(before) => all - before * Var::scalar(n as i64),
                };
                before = Some(all);
                leaves.push(row(values, place));
            }
            rebuilt::<P>(&def, leaves)
        };
        Ok(Design::from_fn(points, point))
    }

    /// Makes a design of listed points, as columns: the tree of parameters, where each leaf has an axis in front, of one
    /// length for all. A number is the same for all points.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let pairs = Design::list((vec![1.0, 2.0, 3.0], vec![10.0, 20.0, 30.0]))?;
    /// let found = Sweep::new(pairs, |(a, b): (Var, Var)| a + b).collect()?;
    /// assert_eq!(found.results.to_vec::<f64>()?, [11.0, 22.0, 33.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If leaves have different lengths, or all are numbers.
    pub fn list(columns: impl Feed<P::With<Array>>) -> Result<Design<P>> {
        let (columns, def) = leaves::<P>(columns)?;
        let mut length = None;
        for (path, column) in def.paths().iter().zip(&columns) {
            let Some(&n) = column.shape().first() else {
                continue;
            };
            match length {
                None => length = Some((path.clone(), n)),
                Some((ref other, m)) if m != n => {
                    let message = format!("{m} values for `{other}` and {n} for `{path}`");
                    return Err(Error::design("Design::list", message));
                }
                Some(_) => {}
            }
        }
        let Some((_, points)) = length else {
            let message =
                "no leaf has an axis of points: give a vector of values for each parameter";
            return Err(Error::design("Design::list", message));
        };
        let point = move |i: Var| {
            let leaves = columns.iter().map(|column| match column.shape() {
                [] => Var::from(column),
                _ => row(Var::from(column), i),
            });
            rebuilt::<P>(&def, leaves.collect())
        };
        Ok(Design::from_fn(points as u64, point))
    }

    /// Makes a design of points one by one.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::each([(1.0, 2.0), (0.5, 8.0)])?;
    /// let found = Sweep::new(design, |(a, b): (Var, Var)| a * b).collect()?;
    /// assert_eq!(found.results.to_vec::<f64>()?, [2.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If points differ in structure, or in the shape or the element type of a leaf.
    pub fn each<A: Feed<P::With<Array>>>(points: impl IntoIterator<Item = A>) -> Result<Design<P>> {
        let op = "Design::each";
        let mut first = None;
        let mut all: Vec<Vec<Array>> = vec![];
        for (i, point) in points.into_iter().enumerate() {
            let (leaves, def) = leaves::<P>(point)?;
            let (_, known) = first.get_or_insert((i, def.clone()));
            if let Some(difference) = known.difference(&def) {
                return Err(Error::design(op, format!("point {i}: {difference}")));
            }
            for (j, leaf) in leaves.into_iter().enumerate() {
                if i == 0 {
                    all.push(vec![]);
                } else if (leaf.dtype(), leaf.shape()) != (all[j][0].dtype(), all[j][0].shape()) {
                    let [expected, got] = [&all[j][0], &leaf].map(tree::specs);
                    let message =
                        format!("point {i}: `{}` is {got}, not {expected}", def.paths()[j]);
                    return Err(Error::design(op, message));
                }
                all[j].push(leaf);
            }
        }
        let Some((_, def)) = first else {
            let message =
                "no points: their types are not known; `Design::list` takes empty columns";
            return Err(Error::design(op, message));
        };
        if all.is_empty() {
            return Err(Error::design(
                op,
                "points without parameters are equal: use `Design::from_fn`",
            ));
        }
        let columns: Vec<Array> = all.iter().map(|leaves| stacked(leaves)).collect();
        let points = columns[0].shape()[0] as u64;
        let point = move |i: Var| {
            let leaves = columns.iter().map(|column| row(Var::from(column), i));
            rebuilt::<P>(&def, leaves.collect())
        };
        Ok(Design::from_fn(points, point))
    }

    /// Draws `points` points: a traced function makes each from a key of its own, the one with the point's number.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::random(1000, Key::from_seed(1), |key: Key| {
    ///     let (a, b) = key.split();
    ///     (a.uniform(()), b.normal(()))
    /// });
    /// let found = Sweep::new(design, |(u, z): (Var, Var)| u + 0.0 * z).collect()?;
    /// assert!(found.results.iter::<f64>()?.all(|u| (0.0..1.0).contains(&u)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn random(
        points: u64,
        key: Key<Array>,
        point: impl Fn(Key) -> P + Send + Sync + 'static,
    ) -> Design<P> {
        let words = tree::leaves(&key).swap_remove(0);
        Design::from_fn(points, move |i| point(numbered(&words, i)))
    }

    /// Fills a cube of `dims` dimensions evenly with the first `points` points of Sobol's sequence; a traced function
    /// makes parameters of a point of the unit cube. With a key, the points are scrambled by Owen's method. A power of
    /// two is the best number of points. See `wengert_solve::quad::sobol`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::sobol(1024, 2, Some(Key::from_seed(0)), |u: Var| u)?;
    /// let found = Sweep::new(design, |u: Var| u.prod()).collect()?;
    /// let mean = found.results.iter::<f64>()?.sum::<f64>() / 1024.0;
    /// assert!((mean - 0.25).abs() < 1e-3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `dims` is 0 or above 64, or there are more than 2^32 points.
    #[cfg(feature = "solve")]
    pub fn sobol(
        points: u64,
        dims: usize,
        key: Option<Key<Array>>,
        point: impl Fn(Var) -> P + Send + Sync + 'static,
    ) -> Result<Design<P>> {
        use wengert_solve::quad::{Scramble, sobol_point};
        let op = "Design::sobol";
        if !(1..=64).contains(&dims) {
            return Err(Error::design(
                op,
                format!("{dims} dimensions: there are 1 to 64"),
            ));
        }
        if points > 1 << 32 {
            return Err(Error::design(
                op,
                format!("{points} points are more than 2^32"),
            ));
        }
        let words = key.map(|key| tree::leaves(&key).swap_remove(0));
        let at = move |i: Var| {
            let scramble = match &words {
                None => Scramble::None,
                Some(words) => Scramble::Owen(key_of(Var::from(words))),
            };
            point(sobol_point(i, dims, scramble))
        };
        Ok(Design::from_fn(points, at))
    }

    /// Gives each point a key of its own: that with the point's number in the family of `key`. The swept function takes
    /// both.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::grid(vec![1.0, 2.0])?.repeat(100)?.with_keys(Key::from_seed(7));
    /// let noisy = |(scale, key): (Var, Key)| scale * key.normal(());
    /// assert_eq!(Sweep::new(design, noisy).collect()?.results.shape(), [200]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_keys(self, key: Key<Array>) -> Design<(P, Key)> {
        let words = tree::leaves(&key).swap_remove(0);
        let point = self.point;
        Design::from_fn(self.points, move |i| (point(i), numbered(&words, i)))
    }

    /// Repeats each point `times` times in a row.
    ///
    /// # Errors
    /// If there are more than `i64::MAX` points.
    pub fn repeat(self, times: u64) -> Result<Design<P>> {
        let points = self.points.checked_mul(times).filter(|&n| n <= MOST);
        let Some(points) = points else {
            let message = format!("{} points {times} times are more than 2^63", self.points);
            return Err(Error::design("Design::repeat", message));
        };
        let point = self.point;
        Ok(Design::from_fn(points, move |i| {
            point(quotient(i, times.max(1), points))
        }))
    }

    /// Makes the product with another design, whose points change faster.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::Design;
    ///
    /// let pairs: Design<(Var, Var)> = Design::list((vec![1.0, 2.0], vec![3.0, 4.0]))?;
    /// let times: Design<Var> = Design::grid(vec![0.0, 0.5, 1.0])?;
    /// assert_eq!(pairs.product(times)?.points(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there are more than `i64::MAX` points.
    pub fn product<Q: Tree<Leaf = Var> + 'static>(
        self,
        other: Design<Q>,
    ) -> Result<Design<(P, Q)>> {
        let points = self.points.checked_mul(other.points).filter(|&n| n <= MOST);
        let Some(points) = points else {
            let message = format!(
                "{} × {} points are more than 2^63",
                self.points, other.points
            );
            return Err(Error::design("Design::product", message));
        };
        let (outer, inner, n) = (self.point, other.point, other.points.max(1));
        Ok(Design::from_fn(points, move |i| {
            let slow = quotient(i, n, points);
            let fast = i - slow * Var::scalar(n as i64);
            (outer(slow), inner(fast))
        }))
    }

    /// Gives each point the parameters of another design, too: those of the point with the same number.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let numbered = Design::from_fn(3, |i| i).zip(Design::grid(vec![0.1, 0.2, 0.3])?)?;
    /// let found = Sweep::new(numbered, |(i, x): (Var, Var)| i.to(DType::F64) * x).collect()?;
    /// assert_eq!(found.results.to_vec::<f64>()?, [0.0, 0.2, 0.6]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the designs have different numbers of points.
    pub fn zip<Q: Tree<Leaf = Var> + 'static>(self, other: Design<Q>) -> Result<Design<(P, Q)>> {
        if self.points != other.points {
            let message = format!("{} points and {}", self.points, other.points);
            return Err(Error::design("Design::zip", message));
        }
        let (one, two) = (self.point, other.point);
        Ok(Design::from_fn(self.points, move |i| (one(i), two(i))))
    }

    /// Makes other parameters of each point, by a traced function.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let logs: Design<Var> = Design::grid(vec![-1.0, 0.0, 1.0])?;
    /// let found = Sweep::new(logs.map(|x| x.exp()), |x: Var| x).collect()?;
    /// assert_eq!(found.params.to_vec::<f64>()?[1], 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<Q: Tree<Leaf = Var> + 'static>(
        self,
        f: impl Fn(P) -> Q + Send + Sync + 'static,
    ) -> Design<Q> {
        let point = self.point;
        Design::from_fn(self.points, move |i| f(point(i)))
    }

    pub(crate) fn at(&self, i: Var) -> P {
        (self.point)(i)
    }
}

impl<P> Design<P> {
    /// Returns the number of points.
    pub fn points(&self) -> u64 {
        self.points
    }
}

/// `i / n` for `i` below `points`. Vectors of `f64` divide faster than those of integers.
fn quotient(i: Var, n: u64, points: u64) -> Var {
    match n {
        1 => i,
        _ if points <= EXACT => ((i.to(DType::F64) + 0.5) / n as f64).floor().to(DType::I64),
        _ => i / Var::scalar(n as i64),
    }
}

/// A row of an array, by its number.
fn row(values: Var, i: Var) -> Var {
    let ty = values.ty();
    match ty.dims().split_first() {
        // There is no point that asks for a row.
        Some((0, rest)) => zeros_of(rest, ty.dtype),
        _ => values.at(i),
    }
}

fn key_of(words: Var) -> Key {
    let def = tree::def(&Key::from_seed(0));
    rebuilt::<Key>(&def, vec![words])
}

/// The key with a number, of the family of a key.
fn numbered(words: &Array, i: Var) -> Key {
    key_of(Var::from(words)).fold_in().at(i)
}

/// Builds a tree of a structure that has been seen.
fn rebuilt<P: Tree<Leaf = Var>>(def: &tree::TreeDef, leaves: Vec<Var>) -> P {
    tree::unflatten(def, leaves).expect("the structure of a tree of this type")
}

/// The leaves of a tree of data, and its structure.
fn leaves<P: Tree<Leaf = Var>>(
    data: impl Feed<P::With<Array>>,
) -> Result<(Vec<Array>, tree::TreeDef)> {
    let (leaves, def) = tree::try_feed::<P::With<Array>, _>(data)?;
    // Arrays may be on a device, and are read here.
    let leaves = leaves
        .iter()
        .map(Array::to_host)
        .collect::<wengert::Result<_>>()?;
    Ok((leaves, def))
}

/// Puts arrays of one type behind one another along a new first axis.
fn stacked(arrays: &[Array]) -> Array {
    let shape: Vec<usize> = std::iter::once(arrays.len())
        .chain(arrays[0].shape().iter().copied())
        .collect();
    with_dtype!(arrays[0].dtype(), T => {
        let mut all: Vec<T> = vec![];
        for array in arrays {
            all.extend_from_slice(array.as_slice::<T>().expect("arrays of one type"));
        }
        Array::new(shape, all).expect("arrays of one shape")
    })
}
