//! Values that convert to a tree of `Var`s in a trace.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;

use wengert_ir::trace::{Count, Var, arange, current_source, with_source};

use crate::array::Array;
use crate::tree::Tree;

/// A value that may be passed for a tree of [`Var`]s inside a traced function: in `scan((0.0, 0.01, y), ..)`
/// the carry is a `(Var, Var, Var)`.
///
/// - `f64`, `i64` and `bool` are literals. Other numbers are written `Var::scalar(1f32)`: if several float
///   types implemented this trait, Rust could not infer the type of `0.0` before it has seen how the result is
///   used.
/// - `Array` and `&Array` are constants of the trace.
/// - A range of integers stands for the vector of its numbers.
/// - Tuples, arrays, `Vec`, `Option`, `Box`, maps and structs with `#[derive(Tree)]` whose parts are such
///   values.
///
/// ```
/// use wengert::{IntoTree, Var};
///
/// let (a, [b, c]): (Var, [Var; 2]) = (0.5, [1.0, 2.0]).into_tree();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for a tree of `Var`s",
    label = "not made of `Var`, `f64`, `i64`, `bool` and `Array`",
    note = "numbers of other types are written `Var::scalar(1f32)`",
    note = "a struct or an enum needs `#[derive(Tree)]`"
)]
pub trait IntoTree {
    /// The tree it converts to.
    type Tree: Tree<Leaf = Var>;

    /// Converts to that tree.
    #[track_caller]
    fn into_tree(self) -> Self::Tree;
}

/// A tree of [`Var`]s: the bound for a generic function over trees.
///
/// ```
/// use wengert::{Var, tree};
///
/// fn descend<X: tree::Vars>(x: X, gradient: X, step: impl Fn(Var, Var) -> Var) -> X {
///     tree::map2(x, gradient, step)
/// }
/// ```
pub trait Vars: Tree<Leaf = Var> + IntoTree<Tree = Self> {}

impl<X: Tree<Leaf = Var> + IntoTree<Tree = X>> Vars for X {}

impl IntoTree for Var {
    type Tree = Var;
    fn into_tree(self) -> Var {
        self
    }
}

impl IntoTree for f64 {
    type Tree = Var;
    fn into_tree(self) -> Var {
        Var::scalar(self)
    }
}

impl IntoTree for i64 {
    type Tree = Var;
    fn into_tree(self) -> Var {
        Var::scalar(self)
    }
}

impl IntoTree for bool {
    type Tree = Var;
    fn into_tree(self) -> Var {
        Var::scalar(self)
    }
}

impl IntoTree for Array {
    type Tree = Var;
    fn into_tree(self) -> Var {
        Var::from(self)
    }
}

impl IntoTree for &Array {
    type Tree = Var;
    fn into_tree(self) -> Var {
        Var::from(self)
    }
}

/// The numbers of the range, as a vector of `i64`: `0..n` stands for `arange(n)`.
impl<T> IntoTree for Range<T>
where
    Range<T>: Into<Count>,
{
    type Tree = Var;
    fn into_tree(self) -> Var {
        arange(self)
    }
}

impl IntoTree for () {
    type Tree = ();
    fn into_tree(self) {}
}

impl<T: IntoTree> IntoTree for PhantomData<T> {
    type Tree = PhantomData<T::Tree>;
    fn into_tree(self) -> Self::Tree {
        PhantomData
    }
}

impl<A: IntoTree> IntoTree for Box<A> {
    type Tree = Box<A::Tree>;
    fn into_tree(self) -> Self::Tree {
        Box::new((*self).into_tree())
    }
}

// A closure does not know its caller, so the position is passed on explicitly.

impl<A: IntoTree> IntoTree for Option<A> {
    type Tree = Option<A::Tree>;
    fn into_tree(self) -> Self::Tree {
        with_source(current_source(), || self.map(A::into_tree))
    }
}

impl<A: IntoTree> IntoTree for Vec<A> {
    type Tree = Vec<A::Tree>;
    fn into_tree(self) -> Self::Tree {
        with_source(current_source(), || {
            self.into_iter().map(A::into_tree).collect()
        })
    }
}

impl<A: IntoTree, const N: usize> IntoTree for [A; N] {
    type Tree = [A::Tree; N];
    fn into_tree(self) -> Self::Tree {
        with_source(current_source(), || self.map(A::into_tree))
    }
}

impl<A: IntoTree> IntoTree for BTreeMap<String, A> {
    type Tree = BTreeMap<String, A::Tree>;
    fn into_tree(self) -> Self::Tree {
        with_source(current_source(), || {
            self.into_iter().map(|(k, a)| (k, a.into_tree())).collect()
        })
    }
}

macro_rules! tuples {
    ($($t:ident)*) => {
        impl<$($t: IntoTree),*> IntoTree for ($($t,)*) {
            type Tree = ($($t::Tree,)*);
            #[allow(non_snake_case)]
            fn into_tree(self) -> Self::Tree {
                let ($($t,)*) = self;
                ($($t.into_tree(),)*)
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
