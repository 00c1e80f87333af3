//! Operations that other crates define.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::ops::{Op, Primitive};
use crate::trace::{Var, bind};

/// An operation of another crate: it implements every column of the table of operations.
pub trait CustomPrimitive: Primitive + Send + Sync {}

impl<P: Primitive + Send + Sync> CustomPrimitive for P {}

/// A shared custom operation. Two of them are equal if they are the same allocation, or have the same
/// name and [identity](Primitive::identity).
#[derive(Clone, Debug)]
pub struct Custom(pub Arc<dyn CustomPrimitive>);

impl Custom {
    /// Returns the name and the identity, if the operation has an identity.
    fn identity(&self) -> Option<(String, String)> {
        let identity = self.0.identity()?;
        Some((self.0.name().into_owned(), identity))
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Custom) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        let (a, b) = (self.identity(), other.identity());
        a.is_some() && a == b
    }
}

impl Eq for Custom {}

impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.identity() {
            Some(identity) => identity.hash(state),
            None => Arc::as_ptr(&self.0).cast::<()>().hash(state),
        }
    }
}

/// Records a custom operation.
#[track_caller]
pub fn custom(op: impl CustomPrimitive + 'static, x: &[Var]) -> Vec<Var> {
    bind(Op::Custom(Custom(Arc::new(op))), x)
}
