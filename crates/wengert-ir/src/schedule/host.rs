//! Operations that leave the loops: kernels, functions of the host, and failures.

use std::sync::Arc;

use super::node::NodeId;
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::is_contiguous;
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::Type;
use crate::loops::kernel::{Host, HostFunction, Kernel};
use crate::loops::{BufferId, Cause, Failure, ScalarOp};

impl Lowering {
    /// Lowers a call of a function of the host. Its operation answers
    /// [`runs_on_host`](crate::ops::Primitive::runs_on_host), so the call is outside of lanes.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn host(
        &mut self,
        function: Arc<dyn HostFunction>,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        let spec = |ty: &Type| (ty.dtype, ty.size());
        let host = Host {
            function,
            inputs: inputs.iter().map(|&id| spec(self.ty(id))).collect(),
            outputs: outputs.iter().map(|want| spec(&want.ty)).collect(),
        };
        self.kernel(Arc::new(host), inputs, outputs)
    }

    /// Lowers a call of a kernel on whole row-major arrays. Its regions are the inputs, which it reads, followed by the
    /// outputs, of which it writes every element. Unless the kernel [runs in lanes](Kernel::runs_in_lanes), its
    /// operation answers [`runs_on_host`](crate::ops::Primitive::runs_on_host).
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn kernel(
        &mut self,
        kernel: Arc<dyn Kernel>,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>> {
        self.force(inputs, StoreReason::Whole)?;
        let mut regions = vec![];
        for &id in inputs {
            let view = self.contiguous_memory(id, StoreReason::Whole)?;
            regions.push((buffer_of(&view).expect("in a buffer"), view.offset));
        }
        let mut written = vec![];
        for want in outputs {
            let place = match &want.place {
                Some(place) if is_contiguous(&want.ty.dims(), &place.strides) => place.clone(),
                _ => self.alloc(want.ty.dtype, &want.ty.dims()),
            };
            let buffer = buffer_of(&place).expect("in a buffer");
            regions.push((buffer, place.offset.clone()));
            written.push(place);
        }
        let touched: Vec<BufferId> = regions.iter().map(|r| r.0).collect();
        let (read, to) = touched.split_at(inputs.len());
        self.note_kernel(&kernel, read, to);
        self.b.kernel(kernel, &regions);
        // The output nodes are made after the call, so that they are read after it.
        let written = written.into_iter().zip(outputs);
        Ok(written
            .map(|(place, want)| self.stored(want.ty.dtype, want.ty.dims(), place))
            .collect())
    }

    /// Ends the call with an error unless `pred` holds.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn check(&mut self, pred: NodeId, message: &str) -> Result<()> {
        self.fail_unless(pred, Cause::Check(message.into()))
    }

    /// Ends the call with an error of this cause unless `pred` holds.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn fail_unless(&mut self, pred: NodeId, cause: Cause) -> Result<()> {
        self.ready(&[pred])?;
        let pred = self.element(pred, &[])?;
        self.note_here();
        let fails = self.b.op(ScalarOp::Not, &[pred]);
        let failure = Failure {
            cause,
            at: self.source,
        };
        let fail = |b: &mut crate::loops::builder::Builder| {
            b.fail(failure);
            vec![]
        };
        self.b.if_(fails, fail, |_| vec![]);
        Ok(())
    }
}
