//! Loops and branches: primitives that every transform goes through.

use std::cell::RefCell;
use std::ops::{Range, RangeTo};
use std::panic::Location;

use wengert_ir::error::{Error, raise};
use wengert_ir::ir::{DType, Type};
use wengert_ir::ops::{cond as branch, iota, scan as loops, while_loop as unbounded};
use wengert_ir::trace::{Var, asked_at, current_source, inside};

use crate::tree::{self, IntoTree, Tree, TreeDef};

#[track_caller]
fn refuse(op: &str, message: String) -> ! {
    raise(Error::Tree {
        op: op.into(),
        message,
        at: current_source(),
    })
}

#[track_caller]
fn rebuild<T: Tree<Leaf = Var>>(def: &TreeDef, leaves: &[Var]) -> T {
    let tree = tree::unflatten(def, leaves.iter().copied());
    tree.unwrap_or_else(|e| raise(e))
}

/// The leaves of what a step returns, which must be like the carry that it was given.
#[track_caller]
fn next_carry<T: Tree<Leaf = Var>>(op: &str, next: T, types: &[Type], def: &TreeDef) -> Vec<Var> {
    let (leaves, next_def) = tree::flatten(next);
    if let Some(difference) = def.difference(&next_def) {
        refuse(
            op,
            format!("the carry and what the step makes of it differ: {difference}"),
        );
    }
    for ((v, ty), path) in leaves.iter().zip(types).zip(def.paths()) {
        let next = v.ty();
        if next != *ty {
            refuse(
                op,
                format!(
                    "the carry{path} is {ty} before the step and {next} after it; convert or \
                     broadcast one of them, since a carry keeps its type"
                ),
            );
        }
    }
    leaves
}

/// What a [`scan`] goes over: a tree of arrays, row by row, or a range of numbers.
pub trait Over {
    /// What a step is given.
    type Row: Tree<Leaf = Var>;

    /// The arrays to be read row by row, their structure, and the number of rows.
    #[doc(hidden)]
    #[track_caller]
    fn rows(self) -> (Vec<Var>, TreeDef, usize);
}

impl<I: IntoTree> Over for I {
    type Row = I::Tree;

    fn rows(self) -> (Vec<Var>, TreeDef, usize) {
        let (leaves, def) = tree::flatten(self.into_tree());
        let mut length: Option<(usize, String)> = None;
        for (v, path) in leaves.iter().zip(def.paths()) {
            let ty = v.ty();
            let Some(&n) = ty.dims().first() else {
                refuse(
                    "scan",
                    format!("the scalar{path} cannot be read row by row: {ty}"),
                );
            };
            match &length {
                Some((m, first)) if *m != n => refuse(
                    "scan",
                    format!("the array{first} has {m} rows, and the array{path} has {n}"),
                ),
                Some(_) => {}
                None => length = Some((n, path)),
            }
        }
        match length {
            Some((n, _)) => (leaves, def, n),
            None => refuse(
                "scan",
                "there is no array that says how many steps; scan over a range".into(),
            ),
        }
    }
}

macro_rules! ranges {
    ($($t:ty),*) => {$(
        impl Over for Range<$t> {
            type Row = Var;

            fn rows(self) -> (Vec<Var>, TreeDef, usize) {
                let n = usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(0);
                let counted = counted(self.start as i64, n);
                (vec![counted], tree::def(&counted), n)
            }
        }

        impl Steps for Range<$t> {
            fn steps(self) -> Bounds {
                let n = usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(0);
                Bounds::Known(self.start as i64, n)
            }
        }
    )*};
}
ranges!(i32, i64, usize);

/// `start, start + 1, ..`: `n` of them, `i64`.
#[track_caller]
fn counted(start: i64, n: usize) -> Var {
    let ty = Type::new(DType::I64, &[n]);
    let counted = iota::iota(ty, 0);
    match start {
        0 => counted,
        _ => counted + Var::scalar(start),
    }
}

/// A loop over the rows of some arrays that carries values from step to step: `step(carry, row)`
/// gives the next carry and a row of results. The last carry comes back, and the rows piled up.
///
/// `xs` is a tree of arrays with one first axis, or a range of numbers (`i64`). The carry keeps its
/// structure and its types. The whole loop is one piece of machine code; in reverse mode it keeps what
/// its derivative needs, step by step.
///
/// # Errors
/// If the carry changes its structure or types, or the arrays' first axes differ.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|xs: Var| scan(0.0, xs, |sum, x| (sum + x, sum * x)));
/// let (sum, products) = f.call([1.0, 2.0, 3.0])?;
/// assert_eq!(sum.item::<f64>()?, 6.0);
/// assert_eq!(products.to_vec::<f64>()?, [0.0, 2.0, 9.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn scan<C, S, A, B>(
    init: C,
    xs: S,
    step: impl Fn(C::Tree, S::Row) -> (A, B),
) -> (C::Tree, B::Tree)
where
    C: IntoTree,
    S: Over,
    A: IntoTree<Tree = C::Tree>,
    B: IntoTree,
{
    directed(init.into_tree(), xs, false, step)
}

/// [`scan`] from the last row to the first; row `i` of the results belongs to row `i` of `xs`.
#[track_caller]
pub fn scan_reverse<C, S, A, B>(
    init: C,
    xs: S,
    step: impl Fn(C::Tree, S::Row) -> (A, B),
) -> (C::Tree, B::Tree)
where
    C: IntoTree,
    S: Over,
    A: IntoTree<Tree = C::Tree>,
    B: IntoTree,
{
    directed(init.into_tree(), xs, true, step)
}

#[track_caller]
fn directed<C, S, A, B>(
    init: C,
    xs: S,
    reverse: bool,
    step: impl Fn(C, S::Row) -> (A, B),
) -> (C, B::Tree)
where
    C: Tree<Leaf = Var>,
    S: Over,
    A: IntoTree<Tree = C>,
    B: IntoTree,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init);
        let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
        let (rows, row_def, n) = xs.rows();
        let mut out = None;
        let results = loops::scan(&carry, &rows, n, reverse, |carry, row| {
            let (next, y) = inside(|| step(rebuild(&def, carry), rebuild(&row_def, row)));
            let next = next_carry("scan", next.into_tree(), &types, &def);
            let (y, y_def) = tree::flatten(y.into_tree());
            out = Some(y_def);
            (next, y)
        });
        let (carry, ys) = results.split_at(carry.len());
        (
            rebuild(&def, carry),
            rebuild(&out.expect("the step was traced"), ys),
        )
    })
}

/// How often a [`fori`] runs: a range of numbers, or of traced `i64`s (`a..b`, or `..b` from zero).
pub trait Steps {
    #[doc(hidden)]
    #[track_caller]
    fn steps(self) -> Bounds;
}

/// First number and count.
#[doc(hidden)]
#[derive(Debug)]
pub enum Bounds {
    /// Known when traced.
    Known(i64, usize),
    /// From the first number up to the second.
    Traced(Var, Var),
}

impl Steps for Range<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(self.start, self.end)
    }
}

impl Steps for RangeTo<Var> {
    fn steps(self) -> Bounds {
        Bounds::Traced(Var::scalar(0i64), self.end)
    }
}

/// A counted loop: `body(i, carry)` gives the next carry. The bounds may be traced, in reverse mode
/// too.
///
/// # Errors
/// If the carry changes its structure or types, or a traced bound is not an integer scalar.
///
/// ```
/// use wengert::prelude::*;
///
/// let power = jit(|(x, n): (Var, Var)| fori(..n, 1.0, |_, y| y * x));
/// assert_eq!(power.call((3.0, 4i64))?.item::<f64>()?, 81.0);
/// let slope = jit(|(x, n): (Var, Var)| grad_at(x, |x| fori(..n, 1.0, |_, y| y * x)));
/// assert_eq!(slope.call((3.0, 4i64))?.item::<f64>()?, 108.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fori<C, A>(bounds: impl Steps, init: C, body: impl Fn(Var, C::Tree) -> A) -> C::Tree
where
    C: IntoTree,
    A: IntoTree<Tree = C::Tree>,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init.into_tree());
        let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
        let step = |i: Var, carry: &[Var]| {
            let next = inside(|| body(i, rebuild(&def, carry)));
            next_carry("fori", next.into_tree(), &types, &def)
        };
        let out = match bounds.steps() {
            Bounds::Known(start, n) => {
                loops::scan(&carry, &[counted(start, n)], n, false, |carry, i| {
                    (step(i[0], carry), vec![])
                })
            }
            Bounds::Traced(start, end) => {
                let bound = |v: Var| match v.ty() {
                    ty if ty.dtype.is_int() && ty.rank() == 0 => v.to(DType::I64),
                    ty => refuse("fori", format!("a bound is an integer scalar, got {ty}")),
                };
                let (start, end) = (bound(start), bound(end));
                loops::repeat(end - start, &carry, |i, carry| step(i + start, carry))
            }
        };
        rebuild(&def, &out)
    })
}

/// Runs `body` while `cond` holds. Its length need not be known, not even for the gradient: in
/// reverse mode it keeps what it needs of each step in lists that grow. In a batch each element stops
/// by itself.
///
/// # Errors
/// If the carry changes its structure or types, or the condition is not a scalar `bool`. A loop that
/// exceeds the door's limit of steps ([`Jit::max_steps`](crate::Jit::max_steps)) is an `Err` of the
/// call.
///
/// ```
/// use wengert::prelude::*;
///
/// // Newton's method to convergence, and its derivative: d√a/da = 1/(2√a).
/// let root = |a: Var| {
///     let next = move |x: Var| 0.5 * (x + a / x);
///     while_loop((a, next(a)), |(x, y)| (x - y).abs().gt(1e-14), |(_, y)| (y, next(y))).1
/// };
/// let (y, dy) = jit(value_and_grad(root)).call(4.0)?;
/// assert_eq!((y.item::<f64>()?, dy.item::<f64>()?), (2.0, 0.25));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn while_loop<C, A>(
    init: C,
    cond: impl Fn(C::Tree) -> Var,
    body: impl Fn(C::Tree) -> A,
) -> C::Tree
where
    C: IntoTree,
    A: IntoTree<Tree = C::Tree>,
{
    asked_at(Location::caller(), || {
        let (carry, def) = tree::flatten(init.into_tree());
        let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
        let out = unbounded::while_loop(
            &carry,
            |carry| inside(|| cond(rebuild(&def, carry))),
            |carry| {
                next_carry(
                    "while_loop",
                    inside(|| body(rebuild(&def, carry)).into_tree()),
                    &types,
                    &def,
                )
            },
        );
        rebuild(&def, &out)
    })
}

/// A predicate: a traced scalar `bool`, or one known now.
pub trait Predicate {
    #[doc(hidden)]
    fn predicate(self) -> Var;
}

impl Predicate for Var {
    fn predicate(self) -> Var {
        self
    }
}

impl Predicate for bool {
    fn predicate(self) -> Var {
        Var::scalar(self)
    }
}

/// One of two functions of the operands. The one that is not taken does not run, and leaves no trace
/// in a gradient either: no NaN from a square root of what is negative there.
///
/// In a batch a branch runs if some element of a lane block takes it.
///
/// # Errors
/// If the predicate is not a scalar `bool`, or the branches give different structures or types.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(grad(|x: Var| cond(x.gt(0.0), x, |x| x.sqrt(), |_| Var::from(0.0))));
/// assert_eq!(f.call(0.0)?.item::<f64>()?, 0.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn cond<I, A, B>(
    pred: impl Predicate,
    operands: I,
    then: impl FnOnce(I::Tree) -> A,
    otherwise: impl FnOnce(I::Tree) -> B,
) -> A::Tree
where
    I: IntoTree,
    A: IntoTree,
    B: IntoTree<Tree = A::Tree>,
{
    asked_at(Location::caller(), || {
        let (operands, def) = tree::flatten(operands.into_tree());
        let first = RefCell::new(None);
        let out = branch::cond(
            pred.predicate(),
            || {
                let (leaves, out) =
                    tree::flatten(inside(|| then(rebuild(&def, &operands)).into_tree()));
                first.replace(Some(out));
                leaves
            },
            || {
                let (leaves, out) =
                    tree::flatten(inside(|| otherwise(rebuild(&def, &operands)).into_tree()));
                if let Some(difference) = first.borrow().as_ref().and_then(|f| f.difference(&out)) {
                    refuse(
                        "cond",
                        format!("the branches give different trees: {difference}"),
                    );
                }
                leaves
            },
        );
        rebuild(&first.take().expect("the branches were traced"), &out)
    })
}
