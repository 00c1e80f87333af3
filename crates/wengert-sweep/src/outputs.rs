//! Results of plain Rust functions.

use std::marker::PhantomData;

use wengert::{Array, Tree, Var};

/// What a plain Rust function may give for a point: a number, a truth value, an array of numbers, or a tuple of these.
/// It may be implemented for a struct of your own.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_sweep::Outputs;
///
/// #[derive(Tree)]
/// struct Found<T = Var> {
///     loss: T,
///     steps: T,
/// }
///
/// struct Fit {
///     loss: f64,
///     steps: u32,
/// }
///
/// impl Outputs for Fit {
///     type Tree = Found;
///     fn blank() -> Fit {
///         Fit { loss: 0.0, steps: 0 }
///     }
///     fn tree(self) -> Found<Array> {
///         Found { loss: self.loss.into(), steps: self.steps.into() }
///     }
/// }
/// assert_eq!(Fit::blank().tree().steps, Array::from(0u32));
/// ```
pub trait Outputs {
    /// The tree of results.
    type Tree: Tree<Leaf = Var> + 'static;

    /// Any value: it says of what structure and types all are.
    fn blank() -> Self;

    /// Makes the tree. Leaves have the shapes and element types of those of [`blank`](Outputs::blank), or the point
    /// fails.
    fn tree(self) -> <Self::Tree as Tree>::With<Array>;
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        impl Outputs for $t {
            type Tree = Var;
            fn blank() -> Self {
                Self::default()
            }
            fn tree(self) -> Array {
                self.into()
            }
        }

        impl<const N: usize> Outputs for [$t; N] {
            type Tree = Var;
            fn blank() -> Self {
                [<$t>::default(); N]
            }
            fn tree(self) -> Array {
                self.into()
            }
        }
    )*};
}
numbers!(f32 f64 i32 i64 u32 u64 u8 bool);

impl Outputs for () {
    type Tree = ();
    fn blank() {}
    fn tree(self) -> PhantomData<Array> {
        PhantomData
    }
}

macro_rules! tuples {
    ($($t:ident)*) => {
        impl<$($t: Outputs),*> Outputs for ($($t,)*) {
            type Tree = ($($t::Tree,)*);
            fn blank() -> Self {
                ($($t::blank(),)*)
            }
            #[allow(non_snake_case)]
            fn tree(self) -> <Self::Tree as Tree>::With<Array> {
                let ($($t,)*) = self;
                ($($t.tree(),)*)
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
