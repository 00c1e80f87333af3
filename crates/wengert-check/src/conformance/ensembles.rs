//! What devices are for: ensembles, and work on whole arrays.

use wengert::prelude::*;
use wengert_ir::buffer::Data;
use wengert_ir::{rewrite, schedule};
use wengert_loop::target::Target;

use super::Example;

/// The Lorenz system.
fn lorenz([a, b, c]: [Var; 3]) -> [Var; 3] {
    [10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c]
}

/// The sum of the numbers at the end of so many steps of the classical Runge-Kutta method.
fn end(x: [Var; 3], steps: usize) -> Var {
    let h = 0.01;
    let at =
        |x: [Var; 3], d: [Var; 3], h: f64| -> [Var; 3] { std::array::from_fn(|i| x[i] + h * d[i]) };
    let [a, b, c] = fori(0..steps, x, move |_, x| {
        let k1 = lorenz(x);
        let k2 = lorenz(at(x, k1, h / 2.0));
        let k3 = lorenz(at(x, k2, h / 2.0));
        let k4 = lorenz(at(x, k3, h));
        let next: [Var; 3] =
            std::array::from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
        next
    });
    a + b + c
}

fn column(k: usize, n: usize) -> Data {
    let x = (0..n).map(|i| 1.0 + 0.001 * ((i * (k + 3)) % 997) as f64);
    Data::F64(x.collect())
}

/// Returns ensembles and work on whole arrays: the ends of so many paths of so many steps of a differential equation, and
/// their gradients; a map, a sum and a sort of so many numbers, and a product of matrices.
///
/// ```
/// use wengert_check::conformance::ensembles;
///
/// let all = ensembles(10, 5, 2000, &Default::default());
/// let names: Vec<&str> = all.iter().map(|e| &*e.name).collect();
/// assert_eq!(names, ["lorenz", "lorenz_grad", "map", "sum", "matmul", "sort"]);
/// ```
pub fn ensembles(paths: usize, steps: usize, numbers: usize, target: &Target) -> Vec<Example> {
    let spec = ShapeDtype::new(vec![paths], DType::F64);
    let specs = [spec.clone(), spec.clone(), spec];
    let inputs: Vec<Data> = (0..3).map(|k| column(k, paths)).collect();
    let mut all = vec![];
    let mut add = |name: &str, traced: wengert::Func, inputs: &[Data]| {
        let func = rewrite::optimise(&traced.into_ir(), true);
        all.push(Example {
            name: name.into(),
            program: schedule::lower_for(&func, target).unwrap(),
            inputs: inputs.to_vec(),
        });
    };
    let ends = vmap(move |x: [Var; 3]| end(x, steps));
    add("lorenz", wengert::trace(ends, &specs).unwrap(), &inputs);
    let slopes = vmap(grad(move |x: [Var; 3]| end(x, steps)));
    add(
        "lorenz_grad",
        wengert::trace(slopes, &specs).unwrap(),
        &inputs,
    );
    let wide = ShapeDtype::new(vec![numbers], DType::F64);
    let map = wengert::trace(|x: Var| x.sin() * x.exp() + x.tanh(), &wide).unwrap();
    add("map", map, &[column(0, numbers)]);
    let sum = wengert::trace(|x: Var| (x * x).sum(), &wide).unwrap();
    add("sum", sum, &[column(0, numbers)]);
    let rows = ShapeDtype::new(vec![numbers / 1000, 1000], DType::F64);
    let square = ShapeDtype::new(vec![200, 200], DType::F64);
    let product = wengert::trace(|x: Var| x.matmul(x), &square).unwrap();
    add("matmul", product, &[column(1, 40_000)]);
    let sort = wengert::trace(|x: Var| x.sort(1), &rows).unwrap();
    add("sort", sort, &[column(2, numbers)]);
    all
}
