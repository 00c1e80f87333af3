//! Unknowns: which are free, within which bounds, and on which scale they are searched.

use std::fmt::{self, Debug};
use std::sync::Arc;

use wengert::prelude::*;
use wengert::solver::{inside, refuse};
use wengert::{IntoTree, Type};

use crate::State;

/// A bijection by which an unknown is searched: the search is over `u`, and the unknown is `x(u)`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Transform {
    /// `x = exp u`: positive, and steps are relative.
    Log,
    /// `x = low + (high - low) sigmoid u`: between two numbers.
    Logit(f64, f64),
    /// `x = ln(1 + exp u)`: positive, and steps are absolute where it is large.
    Softplus,
    /// Any bijection.
    Custom(Bijection),
}

type Map = Arc<dyn Fn(Var) -> Var + Send + Sync>;

/// A smooth bijection of numbers and its inverse, both applied to whole arrays: see [`Transform::Custom`].
#[derive(Clone)]
pub struct Bijection {
    forward: Map,
    inverse: Map,
}

impl Bijection {
    /// Makes it from `x(u)` and its inverse `u(x)`.
    pub fn new(
        forward: impl Fn(Var) -> Var + Send + Sync + 'static,
        inverse: impl Fn(Var) -> Var + Send + Sync + 'static,
    ) -> Bijection {
        Bijection {
            forward: Arc::new(forward),
            inverse: Arc::new(inverse),
        }
    }
}

impl Debug for Bijection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bijection")
    }
}

impl Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transform::Log => f.write_str("Log"),
            Transform::Logit(low, high) => write!(f, "Logit({low}, {high})"),
            Transform::Softplus => f.write_str("Softplus"),
            Transform::Custom(_) => f.write_str("Custom"),
        }
    }
}

impl Transform {
    fn forward(&self, u: Var) -> Var {
        match self {
            Transform::Log => u.exp(),
            &Transform::Logit(low, high) => low + (high - low) * u.sigmoid(),
            Transform::Softplus => u.softplus(),
            Transform::Custom(b) => inside(|| (b.forward)(u)),
        }
    }

    fn inverse(&self, x: Var) -> Var {
        match self {
            Transform::Log => x.ln(),
            &Transform::Logit(low, high) => ((x - low) / (high - x)).ln(),
            // ln(exp x - 1), without overflow.
            Transform::Softplus => x + (-(-x).exp_m1()).ln(),
            Transform::Custom(b) => inside(|| (b.inverse)(x)),
        }
    }
}

/// What is searched: a start, and of each of its leaves whether it is free, its bounds, and the bijection by which it is
/// searched.
///
/// Leaves are named by their paths, as [`tree::paths`] gives them; the dot in front may be left out, and the path of a
/// part of the tree means all leaves in it.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::{Parameters, Transform, least_squares};
///
/// #[derive(Tree, Clone, Copy)]
/// struct Decay<T = Var> {
///     height: T,
///     rate: T,
///     floor: T,
/// }
///
/// let fit = jit(|(t, y): (Var, Var)| {
///     let start = Parameters::new(Decay { height: 1.0, rate: 1.0, floor: 0.25 })
///         .transformed("rate", Transform::Log)
///         .fixed("floor");
///     least_squares(|p: Decay| p.height * (-p.rate * t).exp() + p.floor - y, start)
/// });
/// let t = [0.0, 1.0, 2.0, 3.0f64];
/// let found = fit.call((t, t.map(|t| 2.0 * (-0.5 * t).exp() + 0.25)))?.ok()?;
/// assert!((found.params.rate.item::<f64>()? - 0.5).abs() < 1e-12);
/// assert_eq!(found.params.floor.item::<f64>()?, 0.25);
/// assert_eq!(found.errors.floor.item::<f64>()?, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Parameters<P> {
    pub(super) start: P,
    bounds: Option<[P; 2]>,
    rules: Vec<(String, Rule)>,
}

#[derive(Clone)]
enum Rule {
    Fixed,
    Transformed(Transform),
}

impl<P: State> Parameters<P> {
    /// All unknowns are free.
    #[track_caller]
    pub fn new<I: IntoTree<Tree = P>>(start: I) -> Parameters<P> {
        Parameters {
            start: start.into_tree(),
            bounds: None,
            rules: vec![],
        }
    }

    /// The unknowns are not below `low` and not above `high`, trees like the start, of which each leaf is a number or an
    /// array of the leaf's shape. Infinities mean no bound. A start outside is moved to the nearest bound; an element of
    /// a batch with a lower bound above the upper one has the status
    /// [`Status::Infeasible`](crate::Status::Infeasible).
    #[must_use]
    #[track_caller]
    pub fn bounds<L, H>(mut self, low: L, high: H) -> Parameters<P>
    where
        L: IntoTree<Tree = P>,
        H: IntoTree<Tree = P>,
    {
        self.bounds = Some([low.into_tree(), high.into_tree()]);
        self
    }

    /// The leaf of this path, or all leaves below it, keep their start. The derivative of what is found by such a value
    /// is that of the fit by what it is given.
    #[must_use]
    pub fn fixed(mut self, path: &str) -> Parameters<P> {
        self.rules.push((path.into(), Rule::Fixed));
        self
    }

    /// The leaf of this path, or all leaves below it, are searched through a bijection.
    #[must_use]
    pub fn transformed(mut self, path: &str, by: Transform) -> Parameters<P> {
        self.rules.push((path.into(), Rule::Transformed(by)));
        self
    }
}

impl<P: State> Parameters<P> {
    /// These unknowns at another point, beside free ones.
    pub(super) fn with_linear(self, at: P, linear: Var) -> Parameters<(P, Var)> {
        let infinite = Var::from(f64::INFINITY);
        let rules = self.rules.into_iter().map(|(path, rule)| {
            let path = path.trim_start_matches('.');
            let dot = if path.is_empty() || path.starts_with('[') {
                ""
            } else {
                "."
            };
            (format!("0{dot}{path}"), rule)
        });
        Parameters {
            start: (at, linear),
            bounds: self
                .bounds
                .map(|[low, high]| [(low, -infinite), (high, infinite)]),
            rules: rules.collect(),
        }
    }
}

/// What a fit starts from: a tree of numbers, or [`Parameters`].
pub trait Start {
    /// The tree of the unknowns.
    type Tree: State;

    /// Converts to unknowns.
    #[track_caller]
    fn parameters(self) -> Parameters<Self::Tree>;
}

impl<I: IntoTree<Tree: State>> Start for I {
    type Tree = I::Tree;
    fn parameters(self) -> Parameters<I::Tree> {
        Parameters::new(self)
    }
}

impl<P: State> Start for Parameters<P> {
    type Tree = P;
    fn parameters(self) -> Parameters<P> {
        self
    }
}

/// How a leaf is made of the vector that is searched.
#[derive(Clone)]
enum Place {
    Fixed(Var),
    Free {
        start: usize,
        through: Option<Transform>,
    },
}

/// The free numbers of a tree as a vector.
#[derive(Clone)]
pub(super) struct Space {
    def: tree::TreeDef,
    places: Vec<Place>,
    types: Vec<Type>,
    pub(super) dtype: DType,
    /// The number of free unknowns.
    pub(super) free: usize,
    /// The start in the coordinates of the search, which has no derivative.
    pub(super) start: Var,
    pub(super) bounds: Option<[Var; 2]>,
}

impl Space {
    #[track_caller]
    pub(super) fn new<P: State>(op: &str, of: Parameters<P>) -> Space {
        wengert::solver::expect_floats(op, "the start", &of.start);
        let (leaves, def) = tree::flatten(of.start);
        let paths = def.paths();
        let types: Vec<Type> = leaves.iter().map(|v| v.ty()).collect();
        let dtype = types.first().map_or(DType::F64, |ty| ty.dtype);
        if let Some(i) = types.iter().position(|ty| ty.dtype != dtype) {
            let (a, b) = (&types[0], &types[i]);
            let message = format!(
                "the start has {a} at {}, and {b} at {}; unknowns have one element type",
                named(&paths[0]),
                named(&paths[i])
            );
            refuse(op, message)
        }
        let rules = rules(op, &of.rules, &paths);
        let mut free = 0;
        let (mut places, mut starts) = (vec![], vec![]);
        for (i, rule) in rules.iter().enumerate() {
            let leaf = leaves[i];
            let through = match rule {
                Some(Rule::Fixed) => {
                    places.push(Place::Fixed(leaf));
                    continue;
                }
                Some(Rule::Transformed(by)) => Some(by.clone()),
                None => None,
            };
            let u = through.as_ref().map_or(leaf, |by| by.inverse(leaf));
            if u.ty() != types[i] {
                let message = format!(
                    "the inverse of the bijection of {} makes {} of {}",
                    named(&paths[i]),
                    u.ty(),
                    types[i]
                );
                refuse(op, message)
            }
            starts.push(u.reshape([types[i].size()]));
            places.push(Place::Free {
                start: free,
                through,
            });
            free += types[i].size();
        }
        if free == 0 {
            refuse(op, "the start has no free numbers")
        }
        let bounds = of
            .bounds
            .map(|both| both.map(|side| bound(op, side, &def, &types, &rules)));
        Space {
            def,
            places,
            types,
            dtype,
            free,
            start: concat(starts, 0).stop_gradient(),
            bounds,
        }
    }

    /// Builds the tree from the coordinates of the search.
    pub(super) fn tree<P: State>(&self, u: Var) -> P {
        self.built(u, true)
    }

    /// Builds the tree from the free numbers themselves.
    pub(super) fn plain<P: State>(&self, x: Var) -> P {
        self.built(x, false)
    }

    fn built<P: State>(&self, u: Var, transformed: bool) -> P {
        let leaves = self
            .places
            .iter()
            .zip(&self.types)
            .map(|(place, ty)| match place {
                Place::Fixed(x) => *x,
                Place::Free { start, through } => {
                    let part = u
                        .slice_axis(0, *start..start + ty.size())
                        .reshape(ty.dims());
                    match through {
                        Some(by) if transformed => by.forward(part),
                        _ => part,
                    }
                }
            });
        tree::unflatten(&self.def, leaves.collect::<Vec<_>>()).expect("a leaf for each place")
    }

    /// Returns the coordinates of the search of free numbers.
    pub(super) fn searched(&self, x: Var) -> Var {
        let mut parts = vec![];
        for (place, ty) in self.places.iter().zip(&self.types) {
            if let Place::Free { start, through } = place {
                let part = x.slice_axis(0, *start..start + ty.size());
                parts.push(through.as_ref().map_or(part, |by| by.inverse(part)));
            }
        }
        concat(parts, 0)
    }

    /// Returns the free numbers of a tree.
    pub(super) fn numbers<P: State>(&self, tree: &P) -> Var {
        let leaves = tree::leaves(tree);
        let all = leaves.iter().zip(&self.places).zip(&self.types);
        let free = all.filter(|((_, place), _)| matches!(place, Place::Free { .. }));
        let parts: Vec<Var> = free.map(|((x, _), ty)| x.reshape([ty.size()])).collect();
        concat(parts, 0)
    }

    /// Spreads a number for each free unknown over the tree; fixed ones get zero.
    pub(super) fn spread<P: State>(&self, x: Var) -> P {
        let leaves = self
            .places
            .iter()
            .zip(&self.types)
            .map(|(place, ty)| match place {
                Place::Fixed(x) => zeros_like(*x),
                Place::Free { start, .. } => x
                    .slice_axis(0, *start..start + ty.size())
                    .reshape(ty.dims()),
            });
        tree::unflatten(&self.def, leaves.collect::<Vec<_>>()).expect("a leaf for each place")
    }

    /// Returns, for each number of the tree, its place among the free ones.
    pub(super) fn order(&self) -> Vec<Option<usize>> {
        let mut order = vec![];
        for (place, ty) in self.places.iter().zip(&self.types) {
            match place {
                Place::Fixed(_) => order.extend(std::iter::repeat_n(None, ty.size())),
                Place::Free { start, .. } => order.extend((*start..start + ty.size()).map(Some)),
            }
        }
        order
    }
}

/// A path as a message names it.
pub(super) fn named(path: &str) -> String {
    match path.trim_start_matches('.') {
        "" => "the unknown".into(),
        path => format!("`{path}`"),
    }
}

/// Returns the rule of each leaf.
#[track_caller]
fn rules(op: &str, rules: &[(String, Rule)], paths: &[String]) -> Vec<Option<Rule>> {
    let mut all = vec![None; paths.len()];
    for (path, rule) in rules {
        let wanted = path.trim_start_matches('.');
        let mut some = false;
        for (rules, path) in all.iter_mut().zip(paths) {
            let path = path.trim_start_matches('.');
            let rest = path.strip_prefix(wanted);
            if rest.is_some_and(|r| r.is_empty() || wanted.is_empty() || r.starts_with(['.', '[']))
            {
                *rules = Some(rule.clone());
                some = true;
            }
        }
        if !some {
            let names: Vec<String> = paths.iter().map(|p| named(p)).collect();
            refuse(
                op,
                format!(
                    "no unknown is named `{path}`; there are {}",
                    names.join(", ")
                ),
            )
        }
    }
    all
}

/// Returns the vector of one side's bounds.
#[track_caller]
fn bound<P: State>(
    op: &str,
    side: P,
    def: &tree::TreeDef,
    types: &[Type],
    rules: &[Option<Rule>],
) -> Var {
    let (leaves, own) = tree::flatten(side);
    if let Some(difference) = def.difference(&own) {
        refuse(op, format!("the start and its bounds differ: {difference}"))
    }
    let mut parts = vec![];
    for (((leaf, ty), rule), path) in leaves.iter().zip(types).zip(rules).zip(def.paths()) {
        let given = leaf.ty();
        if given.rank() != 0 && given.dims() != ty.dims() {
            let message = format!(
                "the bound of {} is {given}, and the start is {ty}",
                named(&path)
            );
            refuse(op, message)
        }
        match rule {
            Some(Rule::Fixed) => {}
            Some(Rule::Transformed(_)) => {
                // An infinite bound is none.
                if leaf
                    .as_literal()
                    .is_none_or(|x| f64::from_bits(x.bits).is_finite())
                {
                    let message = format!(
                        "{} has bounds and a bijection; `Transform::Logit` has both in one",
                        named(&path)
                    );
                    refuse(op, message)
                }
                parts.push(leaf.to(ty.dtype).broadcast_to(vec![ty.size()]));
            }
            None => parts.push(
                leaf.to(ty.dtype)
                    .broadcast_to(ty.dims())
                    .reshape([ty.size()]),
            ),
        }
    }
    concat(parts, 0)
}
