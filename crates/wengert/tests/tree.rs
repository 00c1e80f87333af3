//! `#[derive(Tree)]`, and the values that convert to a tree.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use wengert::tree::{self, TreeDef, Vars};
use wengert::{Array, DType, Error, Feed, IntoTree, ShapeDtype, Tree, Var};
use wengert_ir::trace::{Kind, closed};

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

#[derive(Tree, Clone, PartialEq, Debug)]
struct Model<T = Var> {
    layers: Vec<Layer<T>>,
    rates: (Rates<T>, [T; 2]),
    named: BTreeMap<String, T>,
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct Pair<P, Q>(P, Q);

#[derive(Tree, Clone, Copy, PartialEq, Debug)]
struct Point<const N: usize, T = Var>([T; N]);

#[derive(Tree, Clone, PartialEq, Debug)]
struct Raw<T = Var> {
    r#type: T,
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct Marked<A, T = Var> {
    #[tree(skip)]
    marker: PhantomData<A>,
    #[tree(skip)]
    labels: Vec<A>,
    x: T,
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct Flatten<T = Var> {
    leaves: PhantomData<T>,
    #[tree(skip)]
    axis: usize,
}

#[derive(Tree, Clone, PartialEq, Debug)]
enum Shape<T = Var> {
    Nothing,
    Circle(T),
    Box { width: T, height: T },
    Union(Vec<Shape<T>>),
    Tagged(#[tree(skip)] &'static str, T),
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct List<T = Var> {
    head: T,
    tail: Option<Box<Self>>,
}

fn a(x: f64) -> Array {
    Array::from(x)
}

fn layer(x: f64, activation: Activation) -> Layer<Array> {
    Layer {
        w: a(x),
        b: Some(a(x + 1.0)),
        activation,
    }
}

fn model() -> Model<Array> {
    Model {
        layers: vec![layer(1.0, Activation::Relu), layer(3.0, Activation::Tanh)],
        rates: (
            Rates {
                alpha: a(5.0),
                beta: a(6.0),
            },
            [a(7.0), a(8.0)],
        ),
        named: BTreeMap::from([("x".to_string(), a(9.0)), ("y".to_string(), a(10.0))]),
    }
}

fn hash(def: &TreeDef) -> u64 {
    let mut hasher = DefaultHasher::new();
    def.hash(&mut hasher);
    hasher.finish()
}

/// Checks the properties of every tree.
fn check<T>(tree: T, paths: &[&str])
where
    T: Tree<Leaf = Array> + Feed<T> + Clone + PartialEq + Debug,
{
    assert_eq!(tree::paths(&tree), paths);
    let (leaves, def) = tree::flatten(tree.clone());
    assert_eq!(leaves, tree::leaves(&tree));
    assert_eq!((leaves.len(), def.len()), (paths.len(), paths.len()));
    assert_eq!(tree::unflatten::<T>(&def, leaves.clone()).unwrap(), tree);
    assert!(def.fits(&tree));
    assert_eq!(hash(&def), hash(&tree::def(&tree)));
    assert_eq!(
        tree::feed::<T, _>(tree.clone()),
        (leaves.clone(), def.clone())
    );
    assert_eq!(tree::feed::<T, _>(&tree), (leaves.clone(), def.clone()));
    let specs: T::With<ShapeDtype> = tree::specs(&tree);
    assert_eq!(tree::def(&specs), def);

    let mut written = tree.clone();
    struct Write(u8);
    impl tree::plumbing::Sink<&mut Array> for Write {
        fn node(&mut self, _: tree::plumbing::Node<'_>) {}
        fn leaf(&mut self, leaf: &mut Array) {
            *leaf = Array::from(self.0);
            self.0 += 1;
        }
    }
    written.walk_mut(&mut Write(0));
    let counted: Vec<Array> = (0..leaves.len() as u8).map(Array::from).collect();
    assert_eq!(tree::leaves(&written), counted);

    if !leaves.is_empty() {
        assert!(tree::unflatten::<T>(&def, leaves[1..].to_vec()).is_err());
        assert!(tree::unflatten::<T>(&def, [leaves.clone(), leaves].concat()).is_err());
    }
}

#[test]
fn every_tree() {
    check(a(1.0), &[""]);
    check((a(1.0),), &[".0"]);
    check(
        (a(1.0), vec![[a(2.0), a(3.0)]]),
        &[".0", ".1[0][0]", ".1[0][1]"],
    );
    check(Vec::<Array>::new(), &[]);
    check((None::<Array>, Some(Box::new(a(1.0)))), &[".1"]);
    check(
        BTreeMap::from([("a \"b\"".to_string(), a(1.0))]),
        &["[\"a \\\"b\\\"\"]"],
    );
    check(PhantomData::<Array>, &[]);
    check(
        model(),
        &[
            ".layers[0].w",
            ".layers[0].b",
            ".layers[1].w",
            ".layers[1].b",
            ".rates.0.alpha",
            ".rates.0.beta",
            ".rates.1[0]",
            ".rates.1[1]",
            ".named[\"x\"]",
            ".named[\"y\"]",
        ],
    );
    check(Pair(a(1.0), (a(2.0), a(3.0))), &[".0", ".1.0", ".1.1"]);
    check(
        Point([a(1.0), a(2.0), a(3.0)]),
        &[".0[0]", ".0[1]", ".0[2]"],
    );
    check(Raw { r#type: a(1.0) }, &[".type"]);
    check(
        Marked {
            marker: PhantomData,
            labels: vec!['a'],
            x: a(1.0),
        },
        &[".x"],
    );
    let flatten: Flatten<Array> = Flatten {
        leaves: PhantomData,
        axis: 1,
    };
    check(flatten, &[]);
    check(
        Shape::Union(vec![
            Shape::Nothing,
            Shape::Circle(a(1.0)),
            Shape::Box {
                width: a(2.0),
                height: a(3.0),
            },
            Shape::Tagged("tag", a(4.0)),
        ]),
        &[".0[1].0", ".0[2].width", ".0[2].height", ".0[3].1"],
    );
    check(
        List {
            head: a(1.0),
            tail: Some(Box::new(List {
                head: a(2.0),
                tail: None,
            })),
        },
        &[".head", ".tail.head"],
    );
    check(
        (
            a(1.),
            a(2.),
            a(3.),
            a(4.),
            a(5.),
            a(6.),
            a(7.),
            a(8.),
            a(9.),
            a(10.),
            a(11.),
            a(12.),
        ),
        &[
            ".0", ".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".9", ".10", ".11",
        ],
    );
}

fn differ<T: Tree>(a: &T, b: &T, expected: &str) {
    let (a, b) = (tree::def(a), tree::def(b));
    assert_eq!(a.difference(&a), None);
    assert_ne!(a, b);
    assert_eq!(a.difference(&b).unwrap().to_string(), expected);
}

#[test]
fn where_trees_differ() {
    let one = model();
    let mut two = model();
    two.layers.pop();
    differ(&one, &two, ".layers: expected a Vec of 2, got a Vec of 1");
    let mut two = model();
    two.layers[1].b = None;
    differ(&one, &two, ".layers[1].b: expected Some, got None");
    let mut two = model();
    two.layers[1].activation = Activation::Relu;
    differ(
        &one,
        &two,
        ".layers[1].activation: expected the same value, got another",
    );
    let mut two = model();
    two.named.clear();
    differ(&one, &two, ".named: expected a map of 2, got a map of 0");
    let x = two.named.entry("x".into());
    x.or_insert(a(1.0));
    two.named.insert("z".into(), a(1.0));
    differ(
        &one,
        &two,
        ".named: expected the key \"y\", got the key \"z\"",
    );
    differ(
        &Shape::Circle(a(1.0)),
        &Shape::Tagged("x", a(1.0)),
        "expected Shape::Circle, got Shape::Tagged",
    );
    differ(
        &Shape::Tagged("y", a(1.0)),
        &Shape::Tagged("x", a(1.0)),
        ".0: expected the same value, got another",
    );
    assert!(!tree::def(&one).fits(&two));
}

#[test]
fn a_structure_of_another_tree_is_refused() {
    let (leaves, def) = tree::flatten((a(1.0), a(2.0)));
    let error = tree::unflatten::<[Array; 2]>(&def, leaves.clone()).unwrap_err();
    let said = "unflatten: the structure has a tuple of 2 where the tree has an array, at ";
    assert!(error.to_string().starts_with(said), "{error}");
    assert!(error.to_string().contains("tree.rs:"), "{error}");
    assert!(tree::unflatten::<Model<Array>>(&def, leaves.clone()).is_err());
    assert!(tree::unflatten::<Shape<Array>>(&def, leaves.clone()).is_err());
    assert!(tree::unflatten::<Array>(&def, leaves).is_err());
}

#[test]
fn maps_of_trees_that_differ() {
    let take = |x: Array, _: Array| x;
    let at = line!() + 1;
    let run = std::panic::catch_unwind(|| tree::map2(vec![a(1.0)], vec![a(1.0), a(2.0)], take));
    let message = *run.unwrap_err().downcast::<String>().unwrap();
    let expected = format!(
        "tree::map2: the trees differ: expected a Vec of 1, got a Vec of 2, at \
         {}:{at}:",
        file!()
    );
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn maps() {
    let two = [a(1.0), a(2.0)];
    let number = |x: &Array| x.item::<f64>().unwrap();
    let sum = |x: &[Array]| a(x.iter().map(number).sum());
    let t = || two.clone();
    assert_eq!(tree::map(t(), |x| sum(&[x])), t());
    assert_eq!(tree::map2(t(), t(), |x, y| sum(&[x, y])), [a(2.0), a(4.0)]);
    assert_eq!(
        tree::map3(t(), t(), t(), |x, y, z| sum(&[x, y, z])),
        [a(3.0), a(6.0)]
    );
    assert_eq!(
        tree::map4(t(), t(), t(), t(), |x, y, z, w| sum(&[x, y, z, w])),
        [a(4.0), a(8.0)]
    );
}

/// A compiled function's signature.
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
fn what_feeds_an_array() {
    let door = Door::new(|x: Var| x);
    assert_eq!(door.call(2.0), a(2.0));
    assert_eq!(door.call(2), Array::from(2));
    assert_eq!(door.call(2usize).dtype(), DType::I64);
    assert_eq!(door.call(true), Array::from(true));
    let lent = &2.0;
    assert_eq!(door.call(lent), a(2.0));
    let array = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(door.call([[1.0, 2.0], [3.0, 4.0]]), array);
    assert_eq!(door.call(vec![[1.0, 2.0], [3.0, 4.0]]), array);
    assert_eq!(door.call(&array), array);
    assert_eq!(door.call(array.clone()), array);
    let numbers = vec![1f32, 2.0, 3.0];
    assert_eq!(door.call(&numbers[1..]), Array::from([2f32, 3.0]));
    assert_eq!(door.call(&numbers), Array::from([1f32, 2.0, 3.0]));
    assert_eq!(door.call([[[1u8; 4]; 3]; 2]).shape(), [2, 3, 4]);
}

#[test]
fn what_feeds_a_tree() {
    let door = Door::new(|(x, y): (Var, Var)| (x, y));
    assert_eq!(door.call((1.0, vec![1.0, 2.0])).1, Array::from([1.0, 2.0]));
    assert_eq!(door.call((&a(1.0), a(2.0))), (a(1.0), a(2.0)));
    let door = Door::new(|x: Vec<Var>| x);
    assert_eq!(door.call(vec![1.0, 2.0]), [a(1.0), a(2.0)]);
    assert_eq!(door.call(&[1.0, 2.0][..]), [a(1.0), a(2.0)]);
    let door = Door::new(|r: Rates| r.alpha);
    let numbers = Rates {
        alpha: 0.5,
        beta: 0.03,
    };
    let rates = door.call(numbers);
    assert_eq!(rates.beta, a(0.03));
    assert_eq!(door.call(&rates), rates);
    let lent = &numbers;
    assert_eq!(door.call(lent), rates);
    let door = Door::new(|(r, n): (Rates, Option<Var>)| (r, n));
    assert_eq!(door.call((numbers, Some(1))).1, Some(Array::from(1)));
    assert_eq!(door.call((&rates, None::<f64>)).1, None);
    let door = Door::new(|(): ()| ());
    door.call(());
    let door = Door::new(|(s, p, f): (Shape, Pair<Var, [Var; 2]>, Flatten)| (s, p, f));
    let flatten: Flatten<f64> = Flatten {
        leaves: PhantomData,
        axis: 1,
    };
    let (s, p, f) = door.call((Shape::Circle(1.0), Pair(1, [2.0, 3.0]), flatten));
    assert_eq!(s, Shape::Circle(a(1.0)));
    assert_eq!(p, Pair(Array::from(1), [a(2.0), a(3.0)]));
    assert_eq!(f.axis, 1);
}

#[test]
fn what_is_moved_in_is_not_shared() {
    let unique = |leaves: Vec<Array>| {
        let mut dense = leaves.into_iter().next().unwrap().into_dense();
        std::sync::Arc::get_mut(&mut dense.data).is_some()
    };
    let array = Array::from([1.0, 2.0]);
    assert!(!unique(tree::feed::<Array, _>(&array).0));
    assert!(unique(tree::feed::<Array, _>(array).0));
    assert!(unique(tree::feed::<Model<Array>, _>(model()).0));
}

fn scan<C: IntoTree>(init: C, f: impl Fn(C::Tree) -> C::Tree) -> C::Tree {
    f(init.into_tree())
}

fn zeros_like<X: Vars>(x: X) -> X {
    scan(x, |x| tree::zeros_like(&x))
}

#[test]
fn what_stands_for_vars() {
    let y = Var::scalar(3.0);
    let (b, n, _, _) = scan((0.0, 1, y, true), |(x, n, y, t)| {
        assert_eq!(n.dtype(), DType::I64);
        assert_eq!(t.dtype(), DType::Bool);
        let _ = x.dtype();
        (y, n, x, t)
    });
    assert_eq!((b.dtype(), n.dtype()), (DType::F64, DType::I64));
    let rates = Rates {
        alpha: 0.5,
        beta: 0.1,
    };
    let r: Rates<Var> = scan(rates, |r| Rates { alpha: r.beta, ..r });
    let r: Rates<Var> = zeros_like(r);
    assert_eq!(r.alpha.as_literal().unwrap().bits, 0);
    let m = a(2.0);
    let _: (Var, Vec<[Var; 2]>, Option<Box<Var>>) =
        scan((&m, vec![[0.0, 1.0]], Some(Box::new(m.clone()))), |c| c);
    let _: Shape<Var> = scan(Shape::Tagged("x", 1.0), |c| c);
    let _: Pair<Var, (Var, Var)> = scan(Pair(1.0, (2, false)), |c| c);
    let () = scan((), |c| c);
}

/// Runs `f` in a door, on arguments of these types, and returns the names of the operations it recorded.
fn traced(types: &[ShapeDtype], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Vec<String> {
    let types: Vec<wengert::Type> = types.iter().map(Into::into).collect();
    let closed = closed(Kind::Door, &types, f);
    assert!(closed.arrays.len() < 2);
    let name = |e: &wengert_ir::ir::Eqn| e.op.name().to_string();
    closed.func.eqns.iter().map(name).collect()
}

#[test]
fn ravel() {
    let types = [
        ShapeDtype::new([2, 3], DType::F64),
        ShapeDtype::scalar(DType::F64),
    ];
    let run = |f: fn(&[Var]) -> Vec<Var>| traced(&types, f);
    run(|x| {
        let (vector, unravel) = tree::ravel((
            x[0],
            vec![Rates {
                alpha: x[1],
                beta: x[1],
            }],
        ));
        assert_eq!(vector.shape(), [8]);
        let (w, rates) = unravel(vector);
        assert_eq!(w.shape(), [2, 3]);
        assert!(rates[0].beta.shape().is_empty());
        vec![w, rates[0].beta]
    });
    run(|x| {
        let (one, unravel) = tree::ravel(x[0]);
        let (empty, none) = tree::ravel(Vec::<Var>::new());
        assert_eq!(empty.shape(), [0]);
        assert!(none(empty).is_empty());
        vec![unravel(one)]
    });
    let refused = |f: fn(&[Var]) -> Vec<Var>| {
        let payload = std::panic::catch_unwind(|| run(f)).unwrap_err();
        payload.downcast::<Error>().unwrap().to_string()
    };
    let message = refused(|x| vec![tree::ravel((x[0], Var::scalar(1))).0]);
    let expected = format!(
        "tree::ravel: a vector has one element type, and .0 is f64[2,3], .1 is i32, at {}:",
        file!()
    );
    assert!(message.starts_with(&expected), "{message}");
    let message = refused(|x| vec![tree::ravel((x[1], x[1])).1(x[0]).0]);
    let expected = "unravel: the tree is made of a vector of 2, and this is f64[2,3], at ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn arrays_are_constants_of_a_trace() {
    let spec = ShapeDtype::new([2], DType::F64);
    let ops = traced(&[spec], |x| {
        let array = Array::from([1.0, 2.0]);
        let (y, _) = (&array, 1.0).into_tree();
        vec![x[0] * &array + &array * x[0] - y]
    });
    assert_eq!(ops, ["mul", "mul", "add", "sub"]);
}

#[test]
fn structures_are_keys() {
    fn key<T: Send + Sync + Eq + Hash + Clone + 'static>(_: T) {}
    key(tree::def(&model()));
    fn shared<T: Send + Sync>(_: T) {}
    shared(model());
    let def = tree::def(&model());
    // A tree with the same structure has the same definition, whatever its leaves.
    assert_eq!(tree::def(&tree::specs(&model())), def);
    assert_eq!(tree::def(&tree::zeros_like(&model())), def);
}

/// The library, re-exported by another crate.
mod numerics {
    pub mod inner {
        pub use ::wengert;
    }
}

/// Names that the derive macro must not pick up here.
mod elsewhere {
    use crate::tree::numerics::inner::wengert::Var;

    #[derive(crate::tree::numerics::inner::wengert::Tree, Clone)]
    #[tree(crate = "crate::tree::numerics::inner::wengert")]
    pub enum Part<T = Var> {
        Two { a: T, b: Vec<T> },
        None(#[tree(skip)] u8, T),
    }
}

#[test]
fn a_tree_through_a_crate_that_re_exports_the_library() {
    use elsewhere::Part;

    let f = wengert::jit(|p: Part| match p {
        Part::Two { a, b } => Part::Two {
            a: a + b[0],
            b: vec![a],
        },
        Part::None(n, a) => Part::None(n + 1, a * 2.0),
    });
    let Part::Two { a, b } = f
        .call(Part::Two {
            a: 1.0,
            b: vec![2.0],
        })
        .unwrap()
    else {
        panic!("two parts")
    };
    assert_eq!((a, &b[0]), (Array::from(3.0), &Array::from(1.0)));
    let Part::None(n, a) = f.call(Part::None(7, 1.5)).unwrap() else {
        panic!("no parts")
    };
    assert_eq!((n, a), (8, Array::from(3.0)));
}
