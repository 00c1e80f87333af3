//! Operations from outside this crate.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::Attributes;
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::{Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Pruned, Tangent};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind};

/// An operation of another crate's: it answers every column of the table of operations. Its name and
/// its attributes are its identity: two operations that agree in both are taken to be the same.
pub trait CustomPrimitive: Primitive + Send + Sync {}

impl<P: Primitive + Send + Sync> CustomPrimitive for P {}

/// A custom operation, shared.
#[derive(Clone, Debug)]
pub struct Custom(pub Arc<dyn CustomPrimitive>);

impl Custom {
    fn identity(&self) -> String {
        format!("{}{:?}", self.0.name(), self.0.attributes())
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Custom) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Custom {}

impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// Records a custom operation.
#[track_caller]
pub fn custom(op: impl CustomPrimitive + 'static, x: &[Var]) -> Vec<Var> {
    bind(Op::Custom(Custom(Arc::new(op))), x)
}

impl Custom {
    fn inner(&self) -> &dyn CustomPrimitive {
        self.0.deref()
    }
}

impl Primitive for Custom {
    fn name(&self) -> Cow<'static, str> {
        self.inner().name()
    }

    fn attributes(&self) -> Attributes {
        self.inner().attributes()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        self.inner().types(inputs)
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        self.inner().eval(inputs)
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        self.inner().deps(inputs, outputs)
    }

    fn has_effect(&self) -> bool {
        self.inner().has_effect()
    }

    fn folding(&self) -> Folding {
        self.inner().folding()
    }

    fn is_shared(&self) -> bool {
        self.inner().is_shared()
    }

    fn masks(&self) -> bool {
        self.inner().masks()
    }

    fn bodies(&self) -> Vec<&Func> {
        self.inner().bodies()
    }

    fn call(&self) -> Option<&Func> {
        self.inner().call()
    }

    fn runs_on_host(&self) -> bool {
        self.inner().runs_on_host()
    }

    fn is_large(&self, inputs: &[Type]) -> bool {
        self.inner().is_large(inputs)
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        self.inner().with_bodies(rewrite)
    }

    fn unfolded(&self) -> Option<Func> {
        self.inner().unfolded()
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        self.inner().needs(used)
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        self.inner().prune(used)
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        self.inner().jvp(x, dx, mode)
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        self.inner().transpose(inputs, ct)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        self.inner().lower(l, inputs, outputs)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        self.inner().batch(inputs, size)
    }
}
