//! The recording of a function, with what it captures.

use wengert_ir::error::Result;
use wengert_ir::trace::Var;

use super::{Jit, Recorded, signature};
use crate::array::Array;
use crate::func::Func;
use crate::tree::{Feed, ShapeDtype, Tree};

impl<X, Y> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Returns the function's IR for arguments like `args` as traced, neither simplified nor compiled, and the
    /// arrays that it captures, which are its last parameters. The two together say what the function computes, on
    /// any machine: equal ones compute the same.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let weights = Array::from([1.0, 2.0]);
    /// let f = jit(move |x: Var| (x * &weights).sum());
    /// let (func, captured) = f.traced(&ShapeDtype::new([2], DType::F64))?;
    /// assert_eq!(func.param_types().len(), 2);
    /// assert_eq!(captured, [Array::from([1.0, 2.0])]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the function has a mistake.
    #[track_caller]
    pub fn traced<A: Feed<X::With<ShapeDtype>>>(&self, args: A) -> Result<(Func, Vec<Array>)> {
        let Recorded { func, arrays, .. } = self.record(&signature::<X, A>(args)?)?;
        let arrays = arrays.into_iter().map(Array::from_dense).collect();
        Ok((Func::from_ir(func), arrays))
    }
}
