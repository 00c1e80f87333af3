//! Arrays of `ndarray`, of both versions.

use wengert::{Array, Complex, DType};
use wengert_interop::ToArray;

/// The same tests for a version of the crate.
macro_rules! tests {
    ($($version:ident)*) => {$(
        mod $version {
            use wengert_interop::$version::ndarray::{
                ArcArray1, Array0, Array1, Array2, Array3, ArrayD, ArrayView2, ArrayViewD, Ix0, Ix1, Ix2,
                Ix3, IxDyn, ShapeBuilder, array, s,
            };
            use wengert_interop::$version::{AsNdarray, ToNdarray};

            use super::*;

            #[test]
            fn views_share_the_memory() {
                let a = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
                let view: ArrayView2<f64> = a.as_ndarray().unwrap();
                assert_eq!(view.as_ptr(), a.as_slice::<f64>().unwrap().as_ptr());
                assert_eq!(view, array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
                let any: ArrayViewD<f64> = a.as_ndarray().unwrap();
                assert_eq!(any.shape(), [2, 3]);

                // To write to one of two arrays with the same memory does not change the other.
                let mut b = a.clone();
                b.as_ndarray_mut::<f64, Ix2>().unwrap()[[1, 0]] = 7.0;
                assert_eq!((a.get::<f64>([1, 0]).unwrap(), b.get::<f64>([1, 0]).unwrap()), (4.0, 7.0));
                let memory = b.as_slice::<f64>().unwrap().as_ptr();
                b.as_ndarray_mut::<f64, Ix2>().unwrap().column_mut(0).fill(0.0);
                assert_eq!(b.as_slice::<f64>().unwrap().as_ptr(), memory);
                assert_eq!(b, Array::from([[0.0, 2.0, 3.0], [0.0, 5.0, 6.0]]));
            }

            #[test]
            fn memory_is_passed_on() {
                let a = Array::from(vec![[1i64, 2], [3, 4]]);
                let memory = a.as_slice::<i64>().unwrap().as_ptr();
                let owned: Array2<i64> = a.into_ndarray().unwrap();
                assert_eq!(owned.as_ptr(), memory);
                let back = owned.into_array();
                assert_eq!(back.as_slice::<i64>().unwrap().as_ptr(), memory);
                assert_eq!(back, Array::from([[1i64, 2], [3, 4]]));
                // Not while another array has it.
                let copy: Array2<i64> = back.clone().into_ndarray().unwrap();
                assert_ne!(copy.as_ptr(), memory);
            }

            #[test]
            fn every_order_becomes_row_major() {
                let a = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as i32);
                let expected = |f: &dyn Fn(i32, i32, i32) -> i32, [n, m, l]: [i32; 3]| {
                    let each = (0..n).flat_map(|i| (0..m).flat_map(move |j| (0..l).map(move |k| f(i, j, k))));
                    Array::new([n, m, l], each.collect::<Vec<_>>()).unwrap()
                };
                let plain = expected(&|i, j, k| 100 * i + 10 * j + k, [2, 3, 4]);
                assert_eq!(a.to_array(), plain);
                let fortran = Array3::from_shape_fn((2, 3, 4).f(), |(i, j, k)| (100 * i + 10 * j + k) as i32);
                assert!(!fortran.is_standard_layout());
                assert_eq!(fortran.to_array(), plain);
                assert_eq!(fortran.into_array(), plain);
                let turned = expected(&|k, j, i| 100 * i + 10 * j + k, [4, 3, 2]);
                assert_eq!(a.t().to_array(), turned);
                let some = a.slice(s![.., 1.., ..;2]);
                assert_eq!(some.to_array(), expected(&|i, j, k| 100 * i + 10 * (j + 1) + 2 * k, [2, 2, 2]));
                let back = a.slice(s![..;-1, .., ..]);
                assert_eq!(back.to_array(), expected(&|i, j, k| 100 * (1 - i) + 10 * j + k, [2, 3, 4]));
                // An owned part begins within its memory.
                let part = a.clone().slice_move(s![1.., .., ..]);
                assert_eq!(part.into_array(), expected(&|_, j, k| 100 + 10 * j + k, [1, 3, 4]));
                let whole = array![1.0, 2.0, 3.0, 4.0].slice_move(s![1..3]);
                assert_eq!(whole.into_array(), Array::from([2.0, 3.0]));
                let repeated = array![1.0, 2.0];
                let repeated = repeated.broadcast((2, 2)).unwrap();
                assert_eq!(repeated.to_array(), Array::from([[1.0, 2.0], [1.0, 2.0]]));
                let shared: ArcArray1<f64> = array![1.0, 2.0].into_shared();
                assert_eq!(shared.to_array(), Array::from([1.0, 2.0]));
            }

            #[test]
            fn scalars_and_empty_arrays() {
                let scalar: Array0<f64> = Array::from(2.0).to_ndarray().unwrap();
                assert_eq!(scalar.into_scalar(), 2.0);
                assert_eq!(Array0::from_elem((), true).to_array(), Array::from(true));
                let empty = Array::zeros([0, 3], DType::F32);
                let view = empty.as_ndarray::<f32, Ix2>().unwrap();
                assert_eq!(view.dim(), (0, 3));
                assert_eq!(Array2::<f32>::zeros((0, 3)).into_array(), empty);
                assert_eq!(Array1::<u8>::zeros(0).to_array().shape(), [0]);
            }

            #[test]
            fn every_element_type() {
                fn round<T: wengert_interop::Number<Arrays = Array> + wengert::Element>(x: T) {
                    let a = Array::new([1, 2], vec![x, T::default()]).unwrap();
                    let there: ArrayD<T> = a.to_ndarray().unwrap();
                    assert_eq!(there.shape(), [1, 2]);
                    assert_eq!(there.to_array(), a);
                }
                round(1.5f64);
                round(1.5f32);
                round(-1i64);
                round(-1i32);
                round(u64::MAX);
                round(u32::MAX);
                round(255u8);
                round(true);
            }

            #[test]
            fn complex_numbers() {
                type C = num_complex::Complex<f64>;
                let z = array![[C::new(1.0, 2.0), C::new(3.0, 4.0)], [C::new(5.0, 6.0), C::new(7.0, 8.0)]];
                let here = z.t().to_array();
                assert_eq!(here.re, Array::from([[1.0, 5.0], [3.0, 7.0]]));
                assert_eq!(here.im, Array::from([[2.0, 6.0], [4.0, 8.0]]));
                assert_eq!(here.to_ndarray::<C, Ix2>().unwrap(), z.t());
                let uneven = Complex { re: Array::from([1.0]), im: Array::from([[1.0]]) };
                let error = uneven.to_ndarray::<C, Ix1>().unwrap_err().to_string();
                assert!(error.starts_with("to_ndarray: asked for an imaginary part of the shape [1], and"), "{error}");
            }

            #[test]
            fn what_does_not_fit_is_an_error_of_the_callers_line() {
                let a = Array::from([[1.0, 2.0]]);
                // In a macro all lines are that of its call.
                let line = line!();
                let error = a.as_ndarray::<f64, Ix3>().unwrap_err();
                let start = "as_ndarray: asked for 3 axes, and the array is f64[1,2], at ";
                assert!(error.to_string().starts_with(start), "{error}");
                assert_eq!(error.at().unwrap().place().line, line);
                for error in [
                    a.as_ndarray::<i32, Ix2>().unwrap_err(),
                    a.clone().as_ndarray_mut::<i32, Ix2>().unwrap_err(),
                    a.to_ndarray::<i32, Ix2>().unwrap_err(),
                    a.clone().into_ndarray::<i32, Ix2>().unwrap_err(),
                ] {
                    assert!(error.to_string().contains("asked for i32, and the array is f64[1,2]"), "{error}");
                    assert!(error.at().unwrap().place().file.ends_with("tests/ndarray.rs"), "{error}");
                }
                let error = a.to_ndarray::<f64, Ix0>().unwrap_err();
                assert!(error.to_string().contains("asked for 0 axes"), "{error}");
                assert!(error.at().unwrap().place().file.ends_with("tests/ndarray.rs"), "{error}");
                let error = a.clone().as_ndarray_mut::<f64, Ix1>().unwrap_err().to_string();
                assert!(error.contains("asked for 1 axis, and"), "{error}");
                assert!(a.into_ndarray::<f64, IxDyn>().is_ok());
            }
        }
    )*};
}
use num_complex_0_4 as num_complex;
tests!(ndarray_0_16 ndarray_0_17);
