//! Functions on a device, which counts what it does: values, moves, memory, errors.

mod errors;
mod moves;
mod simulated;
mod values;

use wengert::Feed;
use wengert::prelude::*;

pub use simulated::Simulated;

/// Asserts that two arrays have the same types and bits.
#[track_caller]
pub fn same(got: &Array, wanted: &Array) {
    assert_eq!((got.dtype(), got.shape()), (wanted.dtype(), wanted.shape()));
    let [got, wanted] = [got, wanted].map(|a| &a.dense().data);
    for i in 0..wanted.len() {
        assert_eq!(got.bits(i), wanted.bits(i), "element {i}");
    }
}

/// Asserts that a function gives the same bits on a device and on the CPU, with arguments from either, and that a call
/// moves no more than it must.
#[track_caller]
pub fn agrees<X, Y, A>(f: impl Fn(X) -> Y + Clone + Send + Sync + 'static, args: A)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Feed<X::With<ShapeDtype>> + Clone,
{
    let gpu = Simulated::new("a GPU");
    let device = Device::from(gpu.clone());
    let wanted = tree::leaves(&jit(f.clone()).call(args.clone()).unwrap());
    let (leaves, def) = tree::feed::<X::With<Array>, A>(args.clone());
    let given: X::With<Array> = tree::unflatten(&def, leaves).unwrap();

    let code = jit(f).on(&device).compile(args.clone()).unwrap();
    let kept = gpu.counts().all()[0];
    let mut results = code.call(args).unwrap();
    let n = tree::leaves(&given).len();
    assert_eq!(gpu.counts().all(), [kept + n, 0, 1]);
    let first = tree::leaves(&results);

    let there = device.put(&given).unwrap();
    code.call_into(&there, &mut results).unwrap();
    assert_eq!(gpu.counts().all(), [kept + 2 * n, 0, 2]);
    for results in [first, tree::leaves(&results)] {
        assert_eq!(results.len(), wanted.len());
        for (got, wanted) in results.iter().zip(&wanted) {
            assert_eq!(got.device(), device);
            same(got, wanted);
        }
    }
    assert_eq!(gpu.counts().all(), [kept + 2 * n, 2 * wanted.len(), 2]);
}
