//! Jacobians and Hessians of trees.

use super::*;

#[derive(Tree, Clone, Debug)]
enum Layer<T = Var> {
    Dense { w: T, b: Option<T> },
    Scale(T),
}

#[test]
fn jacobians_of_trees_are_trees_of_trees() -> Result<()> {
    let f = |m: Model| (m.rate * m.weights, [m.weights.sum(), m.rate.square()]);
    let forward = jit(jacfwd(f)).call(model())?;
    let backward = jit(jacrev(f)).call(model())?;
    for (product, [sum, square]) in [forward, backward] {
        assert_eq!(
            (product.rate.shape(), product.weights.shape()),
            (&[2][..], &[2, 2][..])
        );
        assert_eq!(numbers(&product.rate), [1.0, 3.0]);
        assert_eq!(numbers(&product.weights), [2.0, 0.0, 0.0, 2.0]);
        assert_eq!(
            (numbers(&sum.rate), numbers(&sum.weights)),
            (vec![0.0], vec![1.0, 1.0])
        );
        assert_eq!(
            (numbers(&square.rate), numbers(&square.weights)),
            (vec![4.0], vec![0.0, 0.0])
        );
    }
    let ((product, [sum, square]), j) = jit(value_and_jacrev(f)).call(model())?;
    assert_eq!(numbers(&product), [2.0, 6.0]);
    assert_eq!((numbers(&sum), numbers(&square)), (vec![4.0], vec![4.0]));
    assert_eq!(numbers(&j.0.rate), [1.0, 3.0]);
    let (_, j) = jit(value_and_jacfwd(f)).call(model())?;
    assert_eq!(numbers(&j.0.rate), [1.0, 3.0]);
    Ok(())
}

#[test]
fn a_hessian_of_parameters_has_their_names_twice() -> Result<()> {
    let f = |m: Model| m.rate.square() * m.weights.powi(2).sum();
    let h = jit(hessian(f)).call(model())?;
    assert_eq!(numbers(&h.rate.rate), [20.0]);
    assert_eq!(numbers(&h.rate.weights), [8.0, 24.0]);
    assert_eq!(numbers(&h.weights.rate), [8.0, 24.0]);
    assert_eq!(numbers(&h.weights.weights), [8.0, 0.0, 0.0, 8.0]);
    // In a batch, and differentiated again.
    let h = jit(vmap(hessian(|[x, y]: [Var; 2]| x.powi(3) * y))).call([[1.0, 2.0], [5.0, 7.0]])?;
    assert_eq!(numbers(&h[0][0]), [30.0, 84.0]);
    assert_eq!(numbers(&h[0][1]), [3.0, 12.0]);
    let third = jit(jacrev(hessian(|[x, y]: [Var; 2]| x.powi(3) * y)));
    assert_eq!(numbers(&third.call([1.0, 5.0])?[0][0][0]), [30.0]);
    Ok(())
}

#[test]
fn jacobians_of_enums_options_maps_and_nothing() -> Result<()> {
    let layers = vec![
        Layer::Dense {
            w: Array::from([1.0, 2.0]),
            b: Some(Array::from(3.0)),
        },
        Layer::Scale(Array::from(5.0)),
    ];
    let f = |layers: Vec<Layer>| {
        let x = Var::from([1.0, 1.0]);
        layers.into_iter().fold(x, |x, l| match l {
            Layer::Dense { w, b } => w * x + b.unwrap_or(Var::from(0.0)),
            Layer::Scale(s) => s * x,
        })
    };
    let j = jit(jacrev(f)).call(layers.clone())?;
    let Layer::Dense { w, b } = &j[0] else {
        panic!("a dense layer")
    };
    assert_eq!(numbers(w), [5.0, 0.0, 0.0, 5.0]);
    assert_eq!(numbers(b.as_ref().expect("there is one")), [5.0, 5.0]);
    let Layer::Scale(s) = &j[1] else {
        panic!("a scale")
    };
    assert_eq!(numbers(s), [4.0, 5.0]);
    assert_eq!(numbers(&jit(jacfwd(|x: Var| (x, ()))).call(2.0)?.0), [1.0]);
    // An empty leaf beside another.
    let j = jit(jacfwd(|(x, e): (Var, Var)| x * 2.0 + e.sum()))
        .call((1.0, Array::zeros(0, DType::F64)))?;
    assert_eq!((numbers(&j.0), j.1.shape()), (vec![2.0], &[0][..]));
    let j = jit(jacrev(|x: Var| [x.slice_axis(0, 0..0), x])).call([1.0])?;
    assert_eq!((j[0].shape(), j[1].shape()), (&[0, 1][..], &[1, 1][..]));
    Ok(())
}

#[test]
fn jacobians_of_f32_and_f64_together() -> Result<()> {
    let f = |(x, y): (Var, Var)| (x * 2.0, x.to(DType::F64) * y);
    // Forward mode gives the element type of the result, reverse mode that of the argument, as in JAX.
    let (single, both) = jit(jacfwd(f)).call((1f32, 3.0))?;
    assert_eq!(
        (single.0.item::<f32>()?, single.1.item::<f32>()?),
        (2.0, 0.0)
    );
    assert_eq!((both.0.item::<f64>()?, both.1.item::<f64>()?), (3.0, 1.0));
    let (single, both) = jit(jacrev(f)).call((1f32, 3.0))?;
    assert_eq!(
        (single.0.item::<f32>()?, single.1.item::<f64>()?),
        (2.0, 0.0)
    );
    assert_eq!((both.0.item::<f32>()?, both.1.item::<f64>()?), (3.0, 1.0));
    Ok(())
}
