//! What users of JAX and NumPy write, as they write it.

mod jacobians;
mod numbers;

use std::sync::Arc;

use wengert::prelude::*;
use wengert::{Order, Result};

fn numbers(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().expect("f64")
}

#[derive(Tree, Clone, Copy, Debug)]
struct Model<T = Var> {
    rate: T,
    weights: T,
}

fn model() -> Model<Array> {
    Model {
        rate: 2.0.into(),
        weights: [1.0, 3.0].into(),
    }
}

#[test]
fn examples_stand_for_types() -> Result<()> {
    let f = jit(|(m, x): (Model, Var)| m.rate * x.dot(m.weights));
    let x = Array::from([1.0, 1.0]);
    let spec = ShapeDtype::new(2, DType::F64);
    let want = [8.0];
    assert_eq!(
        numbers(&f.compile((&model(), &x))?.call((model(), &x))?),
        want
    );
    assert_eq!(
        numbers(&f.compile((model(), [0.0, 0.0]))?.call((model(), &x))?),
        want
    );
    assert_eq!(
        numbers(
            &f.compile((tree::specs(&model()), &spec))?
                .call((model(), &x))?
        ),
        want
    );
    assert_eq!(
        numbers(
            &f.compile(&(tree::specs(&model()), spec))?
                .call((model(), &x))?
        ),
        want
    );
    assert!(
        f.explain((model(), vec![0.0; 2]))?
            .to_string()
            .contains("loops")
    );
    assert_eq!(f.func((model(), &x))?.param_types().len(), 3);
    assert_eq!(
        wengert::trace(|x: Var| x * 2.0, vec![vec![1.0, 2.0]])?.param_types()[0].to_string(),
        "f64[1,2]"
    );
    let one = jit(|()| Var::from(1.0));
    assert_eq!(numbers(&one.compile(())?.call(())?), [1.0]);
    assert!(one.explain(()).is_ok());
    let draw = jit(|key: Key| key.uniform([3]));
    let key = Key::from_seed(0);
    assert_eq!(draw.compile(&key)?.call(&key)?, draw.call(&key)?);
    Ok(())
}

#[test]
fn a_range_beside_other_rows() -> Result<()> {
    let f = jit(|xs: Var| {
        scan(0.0, (xs, 0..3), |sum, (x, i)| {
            (sum + x * i.to(DType::F64), i)
        })
    });
    let (sum, places) = f.call([1.0, 2.0, 3.0])?;
    assert_eq!(
        (numbers(&sum), places.to_vec::<i64>()?),
        (vec![8.0], vec![0, 1, 2])
    );
    let f = jit(|xs: Var| wengert::map((xs, 0..xs.shape()[0]), |(x, i)| x + i.to(DType::F64)));
    assert_eq!(numbers(&f.call([1.0, 2.0])?), [1.0, 3.0]);
    // The row of a range needs no type.
    let f = jit(|x: Var| scan(x, 2u32..5, |x, i| (x * i.to(DType::F64), ())).0);
    assert_eq!(numbers(&f.call(1.0)?), [24.0]);
    let error = jit(|xs: Var| scan(0.0, (xs, 0..4), |s, (x, _)| (s + x, ())).0)
        .call([1.0])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the array.0 has 1 row, and the array.1 has 4"),
        "{error}"
    );
    Ok(())
}

#[test]
fn norms_by_name() -> Result<()> {
    let f =
        jit(|x: Var| [Order::L1, Order::L2, Order::INF, Order::NEG_INF].map(|o| x.norm_ord(o, 0)));
    let norms = f.call([3.0, -4.0])?.map(|y| y.item::<f64>().expect("f64"));
    assert_eq!(norms, [7.0, 5.0, 4.0, 3.0]);
    let f = jit(|x: Var| [Order::Frobenius, Order::L1, Order::INF].map(|o| x.norm_ord(o, [0, 1])));
    let norms = f
        .call([[1.0, -2.0], [2.0, 4.0]])?
        .map(|y| y.item::<f64>().expect("f64"));
    assert_eq!(norms, [5.0, 6.0, 6.0]);
    Ok(())
}

#[test]
fn padding_takes_what_the_others_take() -> Result<()> {
    let f = jit(|x: Var| {
        [
            x.pad([(1, 0)]),
            x.pad([(1, 0)]),
            x.pad(vec![(1, 0)]),
            x.pad_with([(1, 0)], 0),
        ]
    });
    for y in f.call([1.0, 2.0])? {
        assert_eq!(numbers(&y), [0.0, 1.0, 2.0]);
    }
    Ok(())
}

#[test]
fn a_callback_says_what_it_gives() -> Result<()> {
    let f = jit(|x: Var| {
        let scalar = ShapeDtype::scalar(DType::F64);
        let double = |x: Array| Ok::<_, wengert::Error>(Array::from(2.0 * x.item::<f64>()?));
        // No annotation: the result is what `out` says.
        let y = pure_callback(double, &scalar, x);
        y.sin()
    });
    assert_eq!(f.call(1.0)?.item::<f64>()?, 2f64.sin());
    Ok(())
}

#[test]
fn data_that_many_share_is_fed_by_reference() -> Result<()> {
    let x = Arc::new(vec![vec![1.0, 2.0]]);
    assert_eq!(numbers(&jit(|x: Var| x.sum()).call(&*x)?), [3.0]);
    Ok(())
}

#[test]
fn places_of_extremes_may_keep_their_axis() -> Result<()> {
    let f = jit(|x: Var| {
        [
            x.argmax_axis(1),
            x.argmax_axis(keep(1)),
            x.argmin_axis(..),
            x.argmin_axis(keep(..)),
            x.argmin_axis([0]),
        ]
    });
    let [rows, kept, all, ones, columns] = f.call([[1.0, 3.0], [0.5, 2.0]])?;
    assert_eq!(rows, Array::from([1i64, 1]));
    assert_eq!(kept, Array::from([[1i64], [1]]));
    assert_eq!(all, Array::from(2i64));
    assert_eq!(ones, Array::from([[2i64]]));
    assert_eq!(columns, Array::from([1i64, 1]));
    let error = jit(|x: Var| x.argmax_axis([0, 2]))
        .call([[[1.0]]])
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("argmax: axes [0, 2] of f64[1,1,1]: one axis, or all, at "),
        "{text}"
    );
    let place = error.at().expect("a line").place();
    assert!(place.file.ends_with("surface/mod.rs"), "{place}");
    Ok(())
}

#[test]
fn constants_of_numbers_are_made_as_arrays_are() -> Result<()> {
    let rows = vec![vec![1f32, 2.0], vec![3.0, 4.0]];
    let given = rows.clone();
    let f = jit(move |()| {
        [
            Var::from(given.clone()),
            Var::from(&given),
            Var::from(&given[..]),
            Var::from([[1f32, 2.0], [3.0, 4.0]]),
            Var::from(&[[1f32, 2.0], [3.0, 4.0]]),
            Var::from(Array::from([[1f32, 2.0], [3.0, 4.0]])),
        ]
    });
    for x in f.call(())? {
        assert_eq!(x, Array::from(&rows));
    }
    // What is traced need not go to other threads.
    let shared = std::rc::Rc::new(2.0);
    let func = wengert::trace(|x: Var| x * *shared, ShapeDtype::scalar(DType::F64))?;
    assert_eq!(func.result_types(), [ShapeDtype::scalar(DType::F64)]);
    Ok(())
}

#[test]
fn names_that_programs_have_are_their_own() -> Result<()> {
    mod mine {
        pub struct Order(pub u32);
        pub fn check(x: f64) -> bool {
            x > 0.0
        }
        pub fn map(x: f64) -> f64 {
            x + 1.0
        }
        pub fn trace(x: f64) -> f64 {
            x
        }
    }
    use mine::*;
    assert!(check(map(trace(0.0))) && Order(1).0 == 1);
    let f = jit(|xs: Var| {
        wengert::check(xs.gt(0.0).all(), "positive");
        wengert::map(xs, |x| x.ln())
    });
    assert_eq!(f.call([1.0])?, Array::from([0.0]));
    assert!(f.call([-1.0]).is_err());
    Ok(())
}
