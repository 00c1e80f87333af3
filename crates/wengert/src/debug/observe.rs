//! The operation that shows values to a function of the host and has no result.

use std::borrow::Cow;
use std::fmt::Debug;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use wengert_ir::buffer::{Buffer, Dense, Slice, SliceMut};
use wengert_ir::error::{Error, TypeError};
use wengert_ir::ir::text::{Attribute, Attributes};
use wengert_ir::ir::{BitMatrix, Type};
use wengert_ir::loops::kernel::HostFunction;
use wengert_ir::ops::custom::custom;
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent};
use wengert_ir::schedule::node::NodeId;
use wengert_ir::schedule::{Lowering, Wanted};
use wengert_ir::trace::Var;

use crate::host::rows::{self, Batches};

/// What looks at the values of one element.
pub(super) trait Observer: Debug + Send + Sync {
    /// The name of its operation.
    fn name(&self) -> &'static str;

    /// What distinguishes it in the text form.
    fn attribute(&self) -> (&'static str, Attribute);

    /// Looks at the operands.
    ///
    /// # Errors
    /// If the user's function fails.
    fn see(&self, operands: &[Dense]) -> Result<(), Error>;
}

/// Records that an observer sees these values whenever the function runs.
#[track_caller]
pub(super) fn observe(observer: Arc<dyn Observer>, values: &[Var]) {
    let batches = vec![];
    custom(Observe { observer, batches }, values);
}

#[derive(Clone, Debug)]
struct Observe {
    observer: Arc<dyn Observer>,
    batches: Batches,
}

impl Observe {
    /// Shows each element of the batches.
    fn run(&self, operands: &[Dense]) -> Result<(), Error> {
        rows::each(&self.batches, operands, &mut |x| self.observer.see(x))
    }
}

impl Primitive for Observe {
    fn name(&self) -> Cow<'static, str> {
        self.observer.name().into()
    }

    fn attributes(&self) -> Attributes {
        let mut all = vec![self.observer.attribute()];
        for (size, mapped) in &self.batches {
            all.push(("size", Attribute::Int(*size as i64)));
            all.push(("mapped", Attribute::Bools(mapped.clone())));
        }
        all
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs.iter().find(|ty| ty.shape.has_run()) {
            Some(ty) => Err(TypeError::new(format!("takes arrays, not {ty}"))),
            None => Ok(vec![]),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let operands: Vec<Dense> = inputs.iter().map(|b| b.dense().clone()).collect();
        self.run(&operands)?;
        Ok(vec![])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| false)
    }

    fn has_effect(&self) -> bool {
        true
    }

    fn runs_on_host(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn jvp(&self, x: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        custom(self.clone(), x);
        (vec![], vec![])
    }

    fn transpose(&self, inputs: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        vec![None; inputs.len()]
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], _: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let function = Observed {
            observe: self.clone(),
            dims: x.iter().map(|&x| l.dims(x)).collect(),
        };
        l.host(Arc::new(function), x, &[])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let mapped = inputs.iter().map(|b| b.mapped).collect();
        let wide = Observe {
            observer: self.observer.clone(),
            batches: [&[(size, mapped)], &self.batches[..]].concat(),
        };
        let operands: Vec<Var> = inputs.iter().map(|b| b.value).collect();
        custom(wide, &operands);
        vec![]
    }
}

/// The operation, specialised to the shapes of its operands.
#[derive(Debug)]
struct Observed {
    observe: Observe,
    dims: Vec<Vec<usize>>,
}

// A panic of the user's function is propagated to the caller, and leaves no state of ours inconsistent.
impl RefUnwindSafe for Observed {}

impl HostFunction for Observed {
    fn name(&self) -> String {
        self.observe.observer.name().into()
    }

    fn call(&self, inputs: &[Slice<'_>], _: &mut [SliceMut<'_>]) -> Result<(), Error> {
        let operands = inputs.iter().zip(&self.dims);
        let operands = operands.map(|(x, dims)| Dense::new(dims.clone(), x.to_data()));
        self.observe.run(&operands.collect::<Vec<_>>())
    }
}
