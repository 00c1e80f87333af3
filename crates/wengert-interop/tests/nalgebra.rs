//! Matrices and vectors of `nalgebra`, of both versions.

use wengert::prelude::*;
use wengert_interop::ToArray;

macro_rules! tests {
    ($($version:ident)*) => {$(
        mod $version {
            use wengert_interop::$version::nalgebra::{
                Complex as C, DMatrix, DVector, Matrix2x3, RowDVector, SMatrix, Vector3,
            };
            use wengert_interop::$version::{AsNalgebra, ToNalgebra};

            use super::*;

            /// Its columns, one after the other, are 1 to 6; its rows are not.
            fn rows() -> Array {
                Array::from([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]])
            }

            #[test]
            fn nothing_is_transposed() {
                let m = DMatrix::from_column_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
                assert_eq!(m.to_array(), rows());
                assert_eq!(rows().to_dmatrix::<f64>().unwrap(), m);
                assert_eq!(rows().to_smatrix::<f64, 2, 3>().unwrap(), m);
                assert_eq!(m.transpose().to_array(), Array::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
                // A product here is the product there.
                let x = Array::from([1.0, 0.5, -1.0]);
                let here = jit(|(a, x): (Var, Var)| a.dot(x)).call((rows(), &x)).unwrap();
                assert_eq!(here, (m * x.to_dvector::<f64>().unwrap()).to_array());
            }

            #[test]
            fn views_share_the_memory() {
                let a = rows();
                let view = a.as_dmatrix_t::<f64>().unwrap();
                assert_eq!(view.as_ptr(), a.as_slice::<f64>().unwrap().as_ptr());
                assert_eq!((view.shape(), view[(0, 1)], view[(1, 0)]), ((3, 2), 2.0, 3.0));
                assert_eq!(view.transpose().to_array(), a);
                let x = Array::from([1i32, 2, 3]);
                let view = x.as_dvector::<i32>().unwrap();
                assert_eq!(view.as_ptr(), x.as_slice::<i32>().unwrap().as_ptr());
                assert_eq!(view.to_array(), x);
                for shape in [[0, 3], [3, 0], [0, 0]] {
                    let empty = Array::zeros(shape, DType::F64);
                    let view = empty.as_dmatrix_t::<f64>().unwrap();
                    assert_eq!(view.shape(), (shape[1] as usize, shape[0] as usize));
                    assert_eq!(view.transpose().to_array(), empty);
                    assert_eq!(empty.to_dmatrix::<f64>().unwrap().to_array(), empty);
                }
                assert_eq!(Array::zeros(0, DType::F64).as_dvector::<f64>().unwrap().len(), 0);
            }

            #[test]
            fn vectors_have_one_axis() {
                assert_eq!(DVector::from_vec(vec![1u8, 2]).to_array(), Array::from([1u8, 2]));
                assert_eq!(Vector3::new(1.0, 2.0, 3.0).to_array(), Array::from([1.0, 2.0, 3.0]));
                assert_eq!(RowDVector::from_vec(vec![1.0, 2.0]).to_array(), Array::from([[1.0, 2.0]]));
                assert_eq!(DMatrix::from_vec(2, 1, vec![1.0, 2.0]).to_array(), Array::from([[1.0], [2.0]]));
                assert_eq!(Array::from([true, false]).to_svector::<bool, 2>().unwrap().as_slice(), [true, false]);
                let parts = Matrix2x3::new(1, 2, 3, 4, 5, 6);
                assert_eq!(parts.column(1).to_array(), Array::from([2, 5]));
                assert_eq!(parts.columns(1, 2).to_array(), Array::from([[2, 3], [5, 6]]));
            }

            #[test]
            fn complex_numbers() {
                let m = DMatrix::from_row_slice(1, 2, &[C::<f64>::new(1.0, 2.0), C::new(3.0, -4.0)]);
                let z = m.to_array();
                assert_eq!((&z.re, &z.im), (&Array::from([[1.0, 3.0]]), &Array::from([[2.0, -4.0]])));
                assert_eq!(z.to_dmatrix::<C<f64>>().unwrap(), m);
                assert!(z.to_dvector::<C<f64>>().is_err() && z.to_dmatrix::<C<f32>>().is_err());
            }

            #[test]
            fn what_does_not_fit_is_an_error_of_the_callers_line() {
                let a = rows();
                // In a macro all lines are that of its call.
                let line = line!();
                let error = a.to_smatrix::<f64, 3, 2>().unwrap_err();
                let start = "to_smatrix: asked for the shape [3, 2], and the array is f64[2,3], at ";
                assert!(error.to_string().starts_with(start), "{error}");
                assert_eq!(error.at().unwrap().place().line, line);
                let errors = [
                    (a.to_dvector::<f64>().err(), "to_dvector: asked for 1 axis, and"),
                    (a.to_svector::<f64, 2>().err(), "to_svector: asked for the shape [2], and"),
                    (a.as_dvector::<f64>().err(), "as_dvector: asked for 1 axis, and"),
                    (a.as_dmatrix_t::<f32>().err(), "as_dmatrix_t: asked for f32, and"),
                    (a.to_dmatrix::<i64>().err(), "to_dmatrix: asked for i64, and"),
                    (Array::from(1.0).as_dmatrix_t::<f64>().err(), "as_dmatrix_t: asked for 2 axes, and"),
                ];
                for (error, start) in errors {
                    let error = error.unwrap();
                    assert!(error.to_string().starts_with(start), "{error}");
                    assert!(error.at().unwrap().place().file.ends_with("tests/nalgebra.rs"), "{error}");
                }
                let _: SMatrix<f64, 2, 3> = a.to_smatrix().unwrap();
            }
        }
    )*};
}
tests!(nalgebra_0_34 nalgebra_0_35);
