//! Trees of standard library types.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use wengert_ir::error::Result;
use wengert_ir::ir::Type;
use wengert_ir::trace::Var;

use crate::array::Array;
use crate::tree::{Cursor, Leaf, Node, ShapeDtype, Sink, Tree};

/// A leaf is a tree by itself.
macro_rules! leaves {
    ($($t:ty)*) => {$(
        impl Tree for $t {
            type Leaf = $t;
            type With<M: Leaf> = M;
            type Nest<T: Tree> = T;
            #[inline]
            fn walk<'a>(&'a self, out: &mut dyn Sink<&'a $t>) {
                out.leaf(self);
            }
            #[inline]
            fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut $t>) {
                out.leaf(self);
            }
            #[inline]
            fn into_leaves(self, out: &mut dyn Sink<$t>) {
                out.leaf(self);
            }
            #[inline]
            fn from_leaves(
                def: &mut Cursor<'_>,
                leaves: &mut dyn Iterator<Item = $t>,
            ) -> Result<$t> {
                def.leaf(leaves)
            }
        }
    )*};
}
leaves!(Var Array ShapeDtype);

impl super::sealed::Leaf for Var {}
impl Leaf for Var {
    fn leaf_type(&self) -> Type {
        self.ty()
    }
    fn leaf_zeros(ty: &Type) -> Var {
        Var::zeros(ty)
    }
}

impl super::sealed::Leaf for Array {}
impl Leaf for Array {
    fn leaf_type(&self) -> Type {
        self.ty()
    }
    fn leaf_zeros(ty: &Type) -> Array {
        Array::zeros(ty.dims(), ty.dtype)
    }
}

impl super::sealed::Leaf for ShapeDtype {}
impl Leaf for ShapeDtype {
    fn leaf_type(&self) -> Type {
        self.into()
    }
    fn leaf_zeros(ty: &Type) -> ShapeDtype {
        ty.into()
    }
}

/// A tree without leaves. As data it is `PhantomData<Array>`, which keeps the leaf type.
impl Tree for () {
    type Leaf = Var;
    type With<M: Leaf> = PhantomData<M>;
    type Nest<T: Tree> = PhantomData<T>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a Var>) {
        out.node(Node::Tuple(0));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut Var>) {
        out.node(Node::Tuple(0));
    }
    fn into_leaves(self, out: &mut dyn Sink<Var>) {
        out.node(Node::Tuple(0));
    }
    fn from_leaves(def: &mut Cursor<'_>, _: &mut dyn Iterator<Item = Var>) -> Result<()> {
        def.tuple(0)
    }
}

/// A tree without leaves, of any leaf type.
impl<T: Tree> Tree for PhantomData<T> {
    type Leaf = T::Leaf;
    type With<M: Leaf> = PhantomData<T::With<M>>;
    type Nest<S: Tree> = PhantomData<T::Nest<S>>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        out.node(Node::Tuple(0));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        out.node(Node::Tuple(0));
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Tuple(0));
    }
    fn from_leaves(def: &mut Cursor<'_>, _: &mut dyn Iterator<Item = T::Leaf>) -> Result<Self> {
        def.tuple(0).map(|()| PhantomData)
    }
}

/// A box adds nothing to the structure: a boxed tree has the structure of its content.
impl<T: Tree> Tree for Box<T> {
    type Leaf = T::Leaf;
    type With<M: Leaf> = Box<T::With<M>>;
    type Nest<S: Tree> = Box<T::Nest<S>>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        (**self).walk(out);
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        (**self).walk_mut(out);
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        (*self).into_leaves(out);
    }
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = T::Leaf>,
    ) -> Result<Self> {
        T::from_leaves(def, leaves).map(Box::new)
    }
}

impl<T: Tree> Tree for Option<T> {
    type Leaf = T::Leaf;
    type With<M: Leaf> = Option<T::With<M>>;
    type Nest<S: Tree> = Option<T::Nest<S>>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        match self {
            None => out.node(Node::Nothing),
            Some(tree) => {
                out.node(Node::Some);
                tree.walk(out);
            }
        }
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        match self {
            None => out.node(Node::Nothing),
            Some(tree) => {
                out.node(Node::Some);
                tree.walk_mut(out);
            }
        }
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        match self {
            None => out.node(Node::Nothing),
            Some(tree) => {
                out.node(Node::Some);
                tree.into_leaves(out);
            }
        }
    }
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = T::Leaf>,
    ) -> Result<Self> {
        match def.option()? {
            false => Ok(None),
            true => T::from_leaves(def, leaves).map(Some),
        }
    }
}

impl<T: Tree> Tree for Vec<T> {
    type Leaf = T::Leaf;
    type With<M: Leaf> = Vec<T::With<M>>;
    type Nest<S: Tree> = Vec<T::Nest<S>>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        out.node(Node::Vec(self.len()));
        self.iter().for_each(|t| t.walk(out));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        out.node(Node::Vec(self.len()));
        self.iter_mut().for_each(|t| t.walk_mut(out));
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Vec(self.len()));
        self.into_iter().for_each(|t| t.into_leaves(out));
    }
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = T::Leaf>,
    ) -> Result<Self> {
        let n = def.vec()?;
        (0..n).map(|_| T::from_leaves(def, leaves)).collect()
    }
}

impl<T: Tree, const N: usize> Tree for [T; N] {
    type Leaf = T::Leaf;
    type With<M: Leaf> = [T::With<M>; N];
    type Nest<S: Tree> = [T::Nest<S>; N];
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        out.node(Node::Array(N));
        self.iter().for_each(|t| t.walk(out));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        out.node(Node::Array(N));
        self.iter_mut().for_each(|t| t.walk_mut(out));
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Array(N));
        self.into_iter().for_each(|t| t.into_leaves(out));
    }
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = T::Leaf>,
    ) -> Result<Self> {
        def.array(N)?;
        let mut trees = vec![];
        for _ in 0..N {
            trees.push(T::from_leaves(def, leaves)?);
        }
        match trees.try_into() {
            Ok(trees) => Ok(trees),
            Err(_) => unreachable!("N trees were pushed"),
        }
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    type Leaf = T::Leaf;
    type With<M: Leaf> = BTreeMap<String, T::With<M>>;
    type Nest<S: Tree> = BTreeMap<String, T::Nest<S>>;
    fn walk<'a>(&'a self, out: &mut dyn Sink<&'a T::Leaf>) {
        out.node(Node::Map(self.len()));
        for (key, tree) in self {
            out.node(Node::Key(key));
            tree.walk(out);
        }
    }
    fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut T::Leaf>) {
        out.node(Node::Map(self.len()));
        for (key, tree) in self {
            out.node(Node::Key(key));
            tree.walk_mut(out);
        }
    }
    fn into_leaves(self, out: &mut dyn Sink<T::Leaf>) {
        out.node(Node::Map(self.len()));
        for (key, tree) in self {
            out.node(Node::Key(&key));
            tree.into_leaves(out);
        }
    }
    fn from_leaves(
        def: &mut Cursor<'_>,
        leaves: &mut dyn Iterator<Item = T::Leaf>,
    ) -> Result<Self> {
        let n = def.map()?;
        let mut entry = || Ok((def.key()?.to_string(), T::from_leaves(def, leaves)?));
        (0..n).map(|_| entry()).collect()
    }
}

macro_rules! tuples {
    ($n:literal $first:ident $($t:ident)*) => {
        impl<$first: Tree, $($t: Tree<Leaf = $first::Leaf>),*> Tree for ($first, $($t,)*) {
            type Leaf = $first::Leaf;
            type With<M: Leaf> = ($first::With<M>, $($t::With<M>,)*);
            type Nest<S: Tree> = ($first::Nest<S>, $($t::Nest<S>,)*);
            #[allow(non_snake_case)]
            fn walk<'a>(&'a self, out: &mut dyn Sink<&'a $first::Leaf>) {
                let ($first, $($t,)*) = self;
                out.node(Node::Tuple($n));
                $first.walk(out);
                $($t.walk(out);)*
            }
            #[allow(non_snake_case)]
            fn walk_mut<'a>(&'a mut self, out: &mut dyn Sink<&'a mut $first::Leaf>) {
                let ($first, $($t,)*) = self;
                out.node(Node::Tuple($n));
                $first.walk_mut(out);
                $($t.walk_mut(out);)*
            }
            #[allow(non_snake_case)]
            fn into_leaves(self, out: &mut dyn Sink<$first::Leaf>) {
                let ($first, $($t,)*) = self;
                out.node(Node::Tuple($n));
                $first.into_leaves(out);
                $($t.into_leaves(out);)*
            }
            fn from_leaves(
                def: &mut Cursor<'_>,
                leaves: &mut dyn Iterator<Item = $first::Leaf>,
            ) -> Result<Self> {
                def.tuple($n)?;
                Ok(($first::from_leaves(def, leaves)?, $($t::from_leaves(def, leaves)?,)*))
            }
        }
    };
}
tuples!(1 A);
tuples!(2 A B);
tuples!(3 A B C);
tuples!(4 A B C D);
tuples!(5 A B C D E);
tuples!(6 A B C D E F);
tuples!(7 A B C D E F G);
tuples!(8 A B C D E F G H);
tuples!(9 A B C D E F G H I);
tuples!(10 A B C D E F G H I J);
tuples!(11 A B C D E F G H I J K);
tuples!(12 A B C D E F G H I J K L);
