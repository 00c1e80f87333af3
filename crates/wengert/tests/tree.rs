//! `#[derive(Tree)]`, and what may stand for a tree.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use wengert::tree::{self, Cursor};
use wengert::{Array, DType, Error, Feed, IntoTree, ShapeDtype, Tree, Var};

#[derive(Tree, Clone, Copy, PartialEq, Debug)]
struct Rates<T = Var> {
    alpha: T,
    beta: T,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Activation {
    Relu,
    Tanh,
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct Layer<T = Var> {
    w: T,
    b: Option<T>,
    #[tree(skip)]
    activation: Activation,
}

/// The shape of a compiled function.
struct Door<X, Y>(PhantomData<(X, Y)>);

impl<X: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Door<X, Y> {
    fn new(_: impl Fn(X) -> Y) -> Self {
        Door(PhantomData)
    }
    fn call<A: Feed<X::With<Array>>>(&self, args: A) -> X::With<Array> {
        let (leaves, def) = tree::feed(args);
        tree::unflatten(&def, leaves).unwrap()
    }
}

#[test]
fn what_feeds() {
    assert_eq!(Door::new(|x: Var| x).call(2.0), Array::from(2.0));
    let door = Door::new(|(x, y): (Var, Var)| (x, y));
    assert_eq!(door.call((1.0, vec![1.0, 2.0])).1, Array::from([1.0, 2.0]));
    let door = Door::new(|r: Rates| r.alpha);
    let rates = door.call(Rates {
        alpha: 0.5,
        beta: 0.03,
    });
    assert_eq!(rates.beta, Array::from(0.03));
    assert_eq!(door.call(&rates), rates);
    assert_eq!(
        door.call(&Rates {
            alpha: 0.5,
            beta: 0.03
        }),
        rates
    );
}

fn scan<C: IntoTree>(init: C, f: impl Fn(C::Tree) -> C::Tree) -> C::Tree {
    f(init.into_tree())
}

#[test]
fn what_stands_for_vars() {
    let y = Var::scalar(3.0);
    let (a, n, _) = scan((0.0, 1, y), |(a, n, y)| {
        assert_eq!(n.dtype(), DType::I64);
        let _ = a.dtype();
        (y, n, a)
    });
    assert_eq!((a.dtype(), n.dtype()), (DType::F64, DType::I64));
    let r = scan(
        Rates {
            alpha: 0.5,
            beta: 0.1,
        },
        |r| Rates { alpha: r.beta, ..r },
    );
    let _: Rates<Var> = r;
}
