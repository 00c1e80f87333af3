//! Trees of types.

use std::fmt;

use wengert_ir::ir::{DType, Type};
use wengert_ir::trace::IntoShape;

use crate::array::known;
use crate::tree::{Leaf, Tree, flatten_ref, rebuilt};

/// A shape and an element type: a leaf without values.
///
/// ```
/// use wengert::{Array, DType, ShapeDtype, tree};
///
/// let spec = ShapeDtype::new([3, 4], DType::F32);
/// assert_eq!(spec.to_string(), "f32[3,4]");
/// assert_eq!(tree::specs(&Array::full([3, 4], 1f32)), spec);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ShapeDtype {
    /// The element type.
    pub dtype: DType,
    /// The lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
}

impl ShapeDtype {
    /// Makes a shape and an element type.
    ///
    /// # Panics
    /// If a length is negative.
    #[track_caller]
    pub fn new(shape: impl IntoShape, dtype: DType) -> ShapeDtype {
        ShapeDtype {
            shape: known("ShapeDtype::new", shape),
            dtype,
        }
    }

    /// Makes the type of a scalar.
    pub fn scalar(dtype: DType) -> ShapeDtype {
        ShapeDtype::new((), dtype)
    }
}

impl fmt::Display for ShapeDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Type::from(self).fmt(f)
    }
}

impl From<&ShapeDtype> for Type {
    fn from(spec: &ShapeDtype) -> Type {
        Type::new(spec.dtype, &spec.shape)
    }
}

impl From<&Type> for ShapeDtype {
    fn from(ty: &Type) -> ShapeDtype {
        ShapeDtype::new(ty.dims(), ty.dtype)
    }
}

/// Returns the tree of the types of the leaves.
#[track_caller]
pub fn specs<T: Tree>(tree: &T) -> T::With<ShapeDtype> {
    let (leaves, def) = flatten_ref(tree);
    let mut types = vec![];
    for leaf in leaves {
        types.push(ShapeDtype::from(&leaf.leaf_type()));
    }
    rebuilt(&def, types)
}
