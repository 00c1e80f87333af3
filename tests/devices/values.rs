//! What is computed on a device has the bits of the CPU.

use wengert::prelude::*;
use wengert::{Complex, cond};

use super::{Simulated, agrees, same};

#[test]
fn numbers_and_their_derivatives() {
    let x = [0.3, -0.4, 1.2];
    agrees(|x: Var| x.sin() * x + 0.1, x);
    agrees(grad(|x: Var| (x.exp() * x).sum()), x);
    agrees(|x: Var| hessian(|x: Var| x.square().sin().sum())(x), x);
    agrees(vmap(value_and_grad(|x: Var| x.tanh() * x)), x);
    agrees(|x: Var| x.sum(), vec![0.1; 10_000]);
    let a = Array::from([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]);
    agrees(|a: Var| a.dot(a), a);
}

#[test]
fn loops_and_choices() {
    let x = [0.3, -0.4, 1.2];
    let grows = |x: Var| while_loop(x, |y| y.lt(2.0), |y| y * y + 0.5);
    agrees(vmap(grad(grows)), x);
    agrees(
        |x: Var| scan(x, 0..10, |c: Var, i: Var| (c.cos() + i.to(DType::F64), c)).1,
        x,
    );
    agrees(
        |(n, x): (Var, Var)| fori(..n, x, |_, x| x.cos()),
        (5i64, 0.3),
    );
    agrees(|x: Var| cond(x.sum().gt(0.0), x, |x| x, |x| -x), x);
    agrees(|x: Var| x.sort(0), [0.3, f64::INFINITY, 1.2, -0.0, 0.0]);
}

#[test]
fn every_element_type() {
    for dtype in DType::ALL {
        let x = Array::from([0.0, 1.0, 1.75, 3.0]).to(dtype);
        agrees(|x: Var| [x, x.reshape([2, 2]).t()], x.clone());
        agrees(|x: Var| x.to(DType::F32), x);
    }
    agrees(|x: Var| x.gt(0.5), [0.3, 0.7]);
    agrees(|b: Var| !b, [true, false]);
}

#[test]
fn arrays_without_elements() {
    agrees(|x: Var| x + 1.0, Array::zeros([0], DType::F64));
    agrees(
        |(x, y): (Var, Var)| (x.sum(), y * 2.0, concat([x, y], 0)),
        (Array::zeros([0], DType::F64), Array::from([1.0, 2.0])),
    );
    agrees(|(): ()| eye(2), ());
}

#[test]
fn random_and_complex_numbers() {
    agrees(
        |(k, x): (Key, Var)| x + k.normal([5]),
        (Key::from_seed(7), 0.25),
    );
    agrees(
        |z: Complex| (z * z).exp(),
        Complex {
            re: Array::from([0.5, 1.0]),
            im: Array::from([-1.0, 0.25]),
        },
    );
    // A key that has been on a device is read where it is used outside of traces.
    let device = Device::from(Simulated::new("a GPU"));
    let key = Key::from_seed(3);
    let there = device.put(&key).unwrap();
    same(
        &tree::leaves(&there.child(5).unwrap())[0],
        &tree::leaves(&key.child(5).unwrap())[0],
    );
}

#[derive(Tree, Clone, Debug)]
struct Model<T = Var> {
    rate: T,
    weights: Vec<T>,
    offset: Option<T>,
}

#[test]
fn trees() {
    let model = Model {
        rate: Array::from(2.0),
        weights: vec![Array::from([1.0, 3.0]), Array::from([0.5, 0.25])],
        offset: Some(Array::from(1)),
    };
    let loss = |m: Model| {
        let sum = m.weights.iter().fold(m.rate, |s, w| s + w.sum());
        sum * m.offset.map_or(Var::from(0.0), |o| o.to(DType::F64)).exp()
    };
    agrees(
        move |m: Model| {
            let grad = grad(|[r, w]: [Var; 2]| {
                loss(Model {
                    rate: r,
                    weights: vec![w, m.weights[1]],
                    offset: m.offset,
                })
            });
            (grad([m.rate, m.weights[0]]), loss(m.clone()))
        },
        model,
    );
}

#[test]
fn a_function_in_another_is_traced_as_ever() {
    let gpu = Simulated::new("a GPU");
    let device = Device::from(gpu.clone());
    let square = std::sync::Arc::new(jit(|x: Var| x * x).on(&device));
    let inner = square.clone();
    let outer = jit(grad(move |x: Var| inner.apply(x).sum()));
    assert_eq!(outer.call([1.0, 2.0]).unwrap(), Array::from([2.0, 4.0]));
    assert_eq!(gpu.counts().all(), [0, 0, 0]);
    let y = square.call([1.0, 2.0]).unwrap();
    assert_eq!(square.interpret(&y).unwrap(), Array::from([1.0, 16.0]));
    assert_eq!(gpu.counts().all(), [1, 1, 1]);
}
