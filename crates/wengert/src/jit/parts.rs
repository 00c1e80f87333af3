//! What another crate needs to write a function in a language of its own.

use wengert_ir::buffer::Dense;
use wengert_ir::error::Result;
use wengert_ir::ir::Func;
use wengert_ir::trace::Var;

use super::{Jit, Ready, signature};
use crate::tree::{Feed, ShapeDtype, Tree, TreeDef};

/// A function as it is compiled for one signature, with the structures around it.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct FunctionParts {
    /// The function. Its parameters are the leaves of the arguments, then the arrays that it captures.
    pub func: Func,
    /// The arrays that it captures.
    pub arrays: Vec<Dense>,
    /// The structure of the arguments.
    pub args: TreeDef,
    /// The structure of the results.
    pub out: TreeDef,
}

impl<X, Y> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Traces and optimises the function for arguments like these.
    ///
    /// # Errors
    /// If the function has a mistake.
    #[doc(hidden)]
    #[track_caller]
    pub fn parts<A: Feed<X::With<ShapeDtype>>>(&self, args: A) -> Result<FunctionParts> {
        let signature = signature::<X, A>(args)?;
        let Ready {
            func, arrays, out, ..
        } = self.trace(&signature, &|| ())?;
        Ok(FunctionParts {
            func,
            arrays,
            args: signature.def,
            out,
        })
    }
}
