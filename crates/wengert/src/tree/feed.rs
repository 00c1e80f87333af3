//! Values that convert to a tree of data when a compiled function is called.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use wengert_ir::buffer::{Element, nested, nested_shape};
use wengert_ir::error::{Error, TypeError};

use crate::array::{Array, Nested};
use crate::tree::{Node, ShapeDtype, Sink, Tree};

/// A value that may be passed for a `T`, a tree of [`Array`]s, where a compiled function is called; or for a
/// tree of [`ShapeDtype`]s, where it is compiled for arguments like those.
///
/// - A number, a truth value, and arrays, `Vec`s and slices of them, nested to any depth, feed an `Array`. The
///   rows of a `Vec<Vec<f64>>` must have one length, or the call returns an `Err`. They also feed a
///   `ShapeDtype`, and so do an `Array` and a `ShapeDtype`.
/// - Tuples, arrays, `Vec`, `Option`, `Box` and maps feed their counterpart if their parts do, and so do
///   structs with `#[derive(Tree)]`: a `Rates<f64>` feeds a `Rates<Array>`.
/// - A `&A` feeds what an `A` feeds. A borrowed array is shared; one that is moved in gives up its memory.
///
/// ```
/// use wengert::{Array, tree};
///
/// let y = Array::from([1.0, 2.0]);
/// let (leaves, def) = tree::feed::<(Array, [Array; 2]), _>((0.5, [&y, &y]));
/// assert_eq!(leaves[0].item::<f64>()?, 0.5);
/// assert_eq!(def.paths(), [".0", ".1[0]", ".1[1]"]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed for `{T}`",
    label = "expected `{T}`, or what may stand for it",
    note = "an `Array` may be given as a number, or nested arrays, vectors and slices of numbers; a \
            struct with `#[derive(Tree)]` as the same struct of numbers",
    note = "inside of a traced function, `f.apply(x)` takes the `Var`s of that function where `f.call(x)` \
            takes data",
    note = "several arguments are one tuple: `f.call((x, y))`; none are `()`",
    note = "where a function is compiled, `ShapeDtype`s or examples may stand for the arguments"
)]
pub trait Feed<T: Tree> {
    /// Passes the structure and the leaves to `out`.
    #[doc(hidden)]
    fn feed(self, out: &mut dyn Sink<T::Leaf>)
    where
        Self: Sized,
    {
        self.feed_ref(out);
    }

    /// Passes the structure and the leaves to `out`; arrays are shared.
    #[doc(hidden)]
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>);
}

impl<T: Tree, A: Feed<T>> Feed<T> for &A {
    #[inline]
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        (**self).feed_ref(out);
    }
}

impl Feed<Array> for Array {
    #[inline]
    fn feed(self, out: &mut dyn Sink<Array>) {
        out.leaf(self);
    }
    #[inline]
    fn feed_ref(&self, out: &mut dyn Sink<Array>) {
        out.shared(self);
    }
}

impl Feed<ShapeDtype> for Array {
    fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
        out.leaf(ShapeDtype::new(self.shape(), self.dtype()));
    }
}

impl Feed<ShapeDtype> for ShapeDtype {
    fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
        out.leaf(self.clone());
    }
}

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl Feed<Array> for $t {
            fn feed_ref(&self, out: &mut dyn Sink<Array>) {
                out.leaf(Array::from(*self));
            }
        }
        impl Feed<ShapeDtype> for $t {
            fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
                out.leaf(ShapeDtype::scalar(Array::from(*self).dtype()));
            }
        }
    )*};
}
scalars!(f32 f64 i32 i64 u32 u64 u8 bool usize);

/// Passes the array of these rows to `out`, or an error if they differ in shape.
fn rows<A: Nested>(rows: Vec<A>, out: &mut dyn Sink<Array>) {
    match nested(rows) {
        Ok(dense) => out.leaf(Array::from_dense(dense)),
        Err(error) => uneven(error, out),
    }
}

fn types_of_rows<A: Nested>(rows: &[A], out: &mut dyn Sink<ShapeDtype>) {
    match nested_shape(rows) {
        Ok(shape) => out.leaf(ShapeDtype::new(shape, A::Element::DTYPE)),
        Err(error) => uneven(error, out),
    }
}

#[track_caller]
fn uneven<L>(error: TypeError, out: &mut dyn Sink<L>) {
    out.fail(Error::value("an array of numbers", error.message, None));
}

impl<A: Nested> Feed<Array> for Vec<A> {
    fn feed(self, out: &mut dyn Sink<Array>) {
        rows(self, out);
    }
    fn feed_ref(&self, out: &mut dyn Sink<Array>) {
        rows(self.clone(), out);
    }
}

impl<A: Nested> Feed<Array> for &[A] {
    fn feed_ref(&self, out: &mut dyn Sink<Array>) {
        rows(self.to_vec(), out);
    }
}

impl<A: Nested, const N: usize> Feed<Array> for [A; N] {
    fn feed_ref(&self, out: &mut dyn Sink<Array>) {
        rows(self.to_vec(), out);
    }
}

impl<A: Nested> Feed<ShapeDtype> for Vec<A> {
    fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
        types_of_rows(self, out);
    }
}

impl<A: Nested> Feed<ShapeDtype> for &[A] {
    fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
        types_of_rows(self, out);
    }
}

impl<A: Nested, const N: usize> Feed<ShapeDtype> for [A; N] {
    fn feed_ref(&self, out: &mut dyn Sink<ShapeDtype>) {
        types_of_rows(self, out);
    }
}

impl<T: Tree> Feed<PhantomData<T>> for () {
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Tuple(0));
    }
}

impl<T: Tree, A> Feed<PhantomData<T>> for PhantomData<A> {
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Tuple(0));
    }
}

impl<T: Tree, A: Feed<T>> Feed<Box<T>> for Box<A> {
    fn feed(self, out: &mut dyn Sink<T::Leaf>) {
        (*self).feed(out);
    }
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        (**self).feed_ref(out);
    }
}

impl<T: Tree, A: Feed<T>> Feed<Option<T>> for Option<A> {
    fn feed(self, out: &mut dyn Sink<T::Leaf>) {
        match self {
            None => out.node(Node::Nothing),
            Some(a) => {
                out.node(Node::Some);
                a.feed(out);
            }
        }
    }
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        self.as_ref().feed(out);
    }
}

impl<T: Tree, A: Feed<T>> Feed<Vec<T>> for Vec<A> {
    fn feed(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Vec(self.len()));
        self.into_iter().for_each(|a| a.feed(out));
    }
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        self.as_slice().feed(out);
    }
}

impl<T: Tree, A: Feed<T>> Feed<Vec<T>> for &[A] {
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Vec(self.len()));
        self.iter().for_each(|a| a.feed_ref(out));
    }
}

impl<T: Tree, A: Feed<T>, const N: usize> Feed<[T; N]> for [A; N] {
    fn feed(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Array(N));
        self.into_iter().for_each(|a| a.feed(out));
    }
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Array(N));
        self.iter().for_each(|a| a.feed_ref(out));
    }
}

impl<T: Tree, A: Feed<T>> Feed<BTreeMap<String, T>> for BTreeMap<String, A> {
    fn feed(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Map(self.len()));
        for (key, a) in self {
            out.node(Node::Key(&key));
            a.feed(out);
        }
    }
    fn feed_ref(&self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Map(self.len()));
        for (key, a) in self {
            out.node(Node::Key(key));
            a.feed_ref(out);
        }
    }
}

macro_rules! tuples {
    ($n:literal $af:ident $tf:ident $(, $a:ident $t:ident)*) => {
        impl<$tf: Tree, $af: Feed<$tf>, $($t: Tree<Leaf = $tf::Leaf>, $a: Feed<$t>),*>
            Feed<($tf, $($t,)*)> for ($af, $($a,)*)
        {
            #[allow(non_snake_case)]
            fn feed(self, out: &mut dyn Sink<$tf::Leaf>) {
                let ($af, $($a,)*) = self;
                out.node(Node::Tuple($n));
                $af.feed(out);
                $($a.feed(out);)*
            }
            #[allow(non_snake_case)]
            fn feed_ref(&self, out: &mut dyn Sink<$tf::Leaf>) {
                let ($af, $($a,)*) = self;
                out.node(Node::Tuple($n));
                $af.feed_ref(out);
                $($a.feed_ref(out);)*
            }
        }
    };
}
tuples!(1 A TA);
tuples!(2 A TA, B TB);
tuples!(3 A TA, B TB, C TC);
tuples!(4 A TA, B TB, C TC, D TD);
tuples!(5 A TA, B TB, C TC, D TD, E TE);
tuples!(6 A TA, B TB, C TC, D TD, E TE, F TF);
tuples!(7 A TA, B TB, C TC, D TD, E TE, F TF, G TG);
tuples!(8 A TA, B TB, C TC, D TD, E TE, F TF, G TG, H TH);
tuples!(9 A TA, B TB, C TC, D TD, E TE, F TF, G TG, H TH, I TI);
tuples!(10 A TA, B TB, C TC, D TD, E TE, F TF, G TG, H TH, I TI, J TJ);
tuples!(11 A TA, B TB, C TC, D TD, E TE, F TF, G TG, H TH, I TI, J TJ, K TK);
tuples!(12 A TA, B TB, C TC, D TD, E TE, F TF, G TG, H TH, I TI, J TJ, K TK, L TL);
