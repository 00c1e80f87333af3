//! An operation from outside goes through every transform: no driver names an operation.

use std::borrow::Cow;

use wengert::prelude::*;
use wengert::{Error, Type};
use wengert_check::{check_grads, check_vmap};
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::error::TypeError;
use wengert_ir::ops::custom::custom;
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent, add_tangents};
use wengert_ir::schedule::node::NodeId;
use wengert_ir::schedule::{Lowering, Wanted, places};
use wengert_ir::trace::{Kind, closed};

/// The cross product of vectors along the last axis, of length 3: bilinear and antisymmetric.
#[derive(Debug)]
struct Cross;

#[track_caller]
fn cross(a: Var, b: Var) -> Var {
    custom(Cross, &[a, b])[0]
}

/// Element `i` of three: the places of the factors.
fn factors(i: usize) -> (usize, usize) {
    ((i + 1) % 3, (i + 2) % 3)
}

impl Primitive for Cross {
    fn name(&self) -> Cow<'static, str> {
        "cross".into()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs {
            [a, b] if a == b && a.dtype == DType::F64 && a.dims().last() == Some(&3) => {
                Ok(vec![a.clone()])
            }
            _ => Err(TypeError::new(
                "takes two equal arrays of f64 vectors of length 3",
            )),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let (a, b) = (inputs[0].dense(), inputs[1].dense());
        let vectors = a.slice::<f64>().chunks(3).zip(b.slice::<f64>().chunks(3));
        let product = |(a, b): (&[f64], &[f64])| {
            let element = |i: usize| {
                let (j, k) = factors(i);
                a[j] * b[k] - a[k] * b[j]
            };
            [element(0), element(1), element(2)]
        };
        let elements: Vec<f64> = vectors.flat_map(product).collect();
        Ok(vec![Buffer::Dense(Dense::of(a.dims.clone(), elements))])
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let first = dx[0].map(|d| cross(d, x[1]));
        let second = dx[1].map(|d| cross(x[0], d));
        (vec![cross(x[0], x[1])], vec![add_tangents(first, second)])
    }

    /// `c · (a × b) = a · (b × c) = b · (c × a)`.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let Some(c) = ct[0] else {
            return vec![None, None];
        };
        match inputs[0].is_linear() {
            true => vec![Some(c.map(|c| cross(inputs[1].known(), c))), None],
            false => vec![None, Some(c.map(|c| cross(c, inputs[0].known())))],
        }
    }

    /// By its definition in other operations.
    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let ty = out[0].ty.clone();
        let last = ty.rank() as isize - 1;
        let definition = closed(Kind::Door, &[ty.clone(), ty], |x| {
            let element = |v: Var, i: usize| v.slice_axis(last, i..i + 1);
            let product = |i: usize| {
                let (j, k) = factors(i);
                let (a, b) = (x[0], x[1]);
                element(a, j) * element(b, k) - element(a, k) * element(b, j)
            };
            vec![wengert::concat([product(0), product(1), product(2)], last)]
        });
        l.call(&definition.func, x, &places(out))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (a, b) = (inputs[0].spread(size), inputs[1].spread(size));
        vec![Batched::mapped(cross(a, b))]
    }
}

/// The vector that `w` turns `v` into, in some steps of length `h` about the axis `w`.
fn turned(w: Var, v: Var, steps: i64) -> Var {
    scan(v, 0..steps, |v, _| (v + cross(w, v) * 0.1, ())).0
}

const A: [f64; 3] = [0.3, -1.2, 0.5];
const B: [f64; 3] = [0.7, 0.2, -0.4];

#[test]
fn value() {
    let f = jit(|(a, b): (Var, Var)| cross(a, b));
    let want = [0.38, 0.47, 0.9];
    for y in [f.call((A, B)).unwrap(), f.interpret((A, B)).unwrap()] {
        let y = y.to_vec::<f64>().unwrap();
        assert!(
            y.iter().zip(want).all(|(y, w)| (y - w).abs() < 1e-15),
            "{y:?}"
        );
    }
}

#[test]
fn derivatives_to_third_order() {
    check_grads(|(a, b): (Var, Var)| cross(a, cross(a, b)).sin(), (A, B), 3).unwrap();
    check_grads(
        |(a, b): (Var, Var)| cross(a.sin(), b) * cross(b, a),
        (A, B),
        2,
    )
    .unwrap();
}

#[test]
fn in_loops_branches_and_batches() {
    check_grads(|(w, v): (Var, Var)| turned(w, v, 4).sin(), (A, B), 2).unwrap();
    let until = |(w, v): (Var, Var)| {
        while_loop(v, |v| v.dot(v).lt(2.0), |v| v + cross(w, v) * 0.5 + v * 0.1)
    };
    check_grads(until, (A, B), 2).unwrap();
    let either = |(w, v): (Var, Var)| {
        cond(
            v.sum().gt(0.0),
            v,
            |v| cross(w, v),
            |v| cross(v, cross(w, v)),
        )
    };
    check_grads(either, (A, B), 2).unwrap();
    let again = |(w, v): (Var, Var)| checkpoint(|(w, v)| turned(w, v, 3))((w, v));
    check_grads(again, (A, B), 2).unwrap();

    let (many, more) = ([A, B, [1.0, 2.0, 3.0]], [B, A, [0.5, 0.0, -1.0]]);
    check_vmap(|(w, v): (Var, Var)| turned(w, v, 4), (many, more)).unwrap();
    check_vmap(until, (many, more)).unwrap();
    let slope = grad(|(w, v): (Var, Var)| turned(w, v, 4).sin().sum());
    check_vmap(slope, (many, more)).unwrap();
    let rows = |(w, vs): (Var, Var)| wengert::map(vs, |v| cross(w, v));
    check_grads(rows, (A, many), 2).unwrap();
}

#[test]
fn a_mistake_names_the_operation_and_the_line() {
    let f = jit(|(a, b): (Var, Var)| cross(a, b));
    let error = f.call(([1.0, 2.0], [3.0, 4.0])).unwrap_err().to_string();
    assert!(
        error.starts_with("cross: takes two equal arrays of f64 vectors"),
        "{error}"
    );
    assert!(error.contains("custom_family.rs"), "{error}");
}

/// A product with a number, which neither `attributes` nor the name says.
#[derive(Debug)]
struct Scaled {
    by: f64,
    known: bool,
}

impl Scaled {
    fn of(by: f64, known: bool, x: Var) -> Var {
        custom(Scaled { by, known }, &[x])[0]
    }
}

impl Primitive for Scaled {
    fn name(&self) -> Cow<'static, str> {
        "scaled".into()
    }

    fn identity(&self) -> Option<String> {
        self.known.then(|| self.by.to_string())
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        Ok(inputs.to_vec())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let x = inputs[0].dense();
        let y = x.slice::<f64>().iter().map(|x| x * self.by).collect();
        Ok(vec![Buffer::Dense(Dense::of(x.dims.clone(), y))])
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let of = |x: Var| Scaled::of(self.by, self.known, x);
        (vec![of(x[0])], vec![dx[0].map(of)])
    }

    fn transpose(&self, _: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        vec![ct[0].map(|c| c.map(|c| Scaled::of(self.by, self.known, c)))]
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let definition = closed(Kind::Door, &[out[0].ty.clone()], |x| vec![x[0] * self.by]);
        l.call(&definition.func, x, &places(out))
    }

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        vec![Batched::mapped(Scaled::of(
            self.by,
            self.known,
            inputs[0].value,
        ))]
    }
}

#[test]
fn operations_that_say_nothing_of_themselves_are_not_shared() {
    for known in [false, true] {
        let both = move |x: Var| Scaled::of(2.0, known, x) + Scaled::of(3.0, known, x);
        for f in [
            jit(both),
            jit(move |x: Var| vmap(both)(x.expand_dims(0)).sum()),
        ] {
            let (y, z) = (f.call(5.0).unwrap(), f.interpret(5.0).unwrap());
            assert_eq!(
                (y.item::<f64>().unwrap(), z.item::<f64>().unwrap()),
                (25.0, 25.0)
            );
        }
        let slope = jit(grad(move |x: Var| both(both(x))));
        assert_eq!(slope.call(5.0).unwrap().item::<f64>().unwrap(), 25.0);
    }
    // What has an identity is done once.
    let count = |known: bool| {
        let twice = move |x: Var| Scaled::of(2.0, known, x) + Scaled::of(2.0, known, x);
        let func = wengert::trace(twice, ShapeDtype::scalar(DType::F64))
            .unwrap()
            .into_ir();
        func.eqns.iter().filter(|e| e.op.name() == "scaled").count()
    };
    assert_eq!((count(false), count(true)), (2, 1));
}

/// The third power, whose rule goes over its factors with their product and the tangent in one loop.
#[derive(Debug)]
struct Cube;

impl Cube {
    /// The line of the loop's step.
    const LINE: u32 = line!() + 3;

    fn tangent(x: Var, dx: Var) -> Var {
        let step = move |(y, dy, d): (Var, Var, Var), _: Var| ((y * x, dy * x + y * d, d), ());
        scan((1.0, 0.0, dx), 0..3, step).0.1
    }
}

impl Primitive for Cube {
    fn name(&self) -> Cow<'static, str> {
        "cube".into()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        Ok(inputs.to_vec())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let x = inputs[0].dense();
        let cubes: Vec<f64> = x.slice::<f64>().iter().map(|x| x * x * x).collect();
        Ok(vec![Buffer::Dense(Dense::of(x.dims.clone(), cubes))])
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let tangent = |d: Var| Cube::tangent(x[0], d);
        (vec![custom(Cube, x)[0]], vec![dx[0].map(tangent)])
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("the rule does not record it")
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let cube = closed(Kind::Door, &[out[0].ty.clone()], |x| {
            vec![x[0] * x[0] * x[0]]
        });
        l.call(&cube.func, x, &places(out))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        vec![Batched::mapped(custom(Cube, &[inputs[0].spread(size)])[0])]
    }
}

/// Forward mode takes such a rule. Reverse mode cannot transpose the loop, and says so at the line of the rule.
#[test]
fn values_and_tangents_in_one_loop() {
    let cube = |x: Var| custom(Cube, &[x])[0];
    let slope = jit(move |x: Var| jvp(cube, x, ones_like(x)).1)
        .call(2.0)
        .unwrap();
    assert_eq!(slope.item::<f64>().unwrap(), 12.0);
    let error = jit(grad(cube)).call(2.0).unwrap_err();
    assert!(matches!(error, Error::Derivative { .. }), "{error}");
    assert_eq!(error.at().unwrap().place().line, Cube::LINE, "{error}");
    let message = error.to_string();
    assert!(message.starts_with("reverse mode: "), "{message}");
    assert!(
        message.contains("is not linear in the tangents"),
        "{message}"
    );
    assert!(message.contains("`Primitive::jvp`"), "{message}");
}
