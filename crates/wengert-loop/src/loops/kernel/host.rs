//! Functions of the host.

use std::fmt::Debug;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use super::{Elements, Kernel, Region, Regions};
use crate::buffer::{Slice, SliceMut};
use crate::error::Error;
use crate::types::DType;

/// A function that the user provides. Outputs have arbitrary contents at first, and the function
/// must write all their elements.
pub trait HostFunction: Debug + Send + Sync + RefUnwindSafe {
    /// Its name in the text form.
    fn name(&self) -> String;

    /// Runs it.
    ///
    /// # Errors
    /// Any error that it returns: it ends the call of the program.
    fn call(&self, inputs: &[Slice<'_>], outputs: &mut [SliceMut<'_>]) -> Result<(), Error>;
}

/// A function of the host, with the element type and the number of elements of each argument and result. The regions
/// are its inputs, then its outputs.
#[derive(Clone, Debug)]
pub struct Host {
    /// The function.
    pub function: Arc<dyn HostFunction>,
    /// The element types and lengths of its arguments.
    pub inputs: Vec<(DType, usize)>,
    /// The element types and lengths of its results.
    pub outputs: Vec<(DType, usize)>,
}

impl Kernel for Host {
    fn text(&self) -> String {
        format!("host {}", self.function.name())
    }

    fn description(&self) -> String {
        "a call of the host".into()
    }

    fn regions(&self) -> Regions {
        let inputs = self
            .inputs
            .iter()
            .map(|&(dtype, len)| Region::read(dtype, len));
        let outputs = self
            .outputs
            .iter()
            .map(|&(dtype, len)| Region::write(dtype, len));
        inputs.chain(outputs).collect()
    }

    fn nanoseconds(&self) -> f64 {
        1_000.0
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let (inputs, outputs) = regions.split_at_mut(self.inputs.len());
        let inputs: Vec<Slice<'_>> = inputs.iter().map(Elements::read).collect();
        let mut outputs: Vec<SliceMut<'_>> = outputs.iter_mut().map(Elements::write).collect();
        self.function.call(&inputs, &mut outputs)
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        other.downcast_ref::<Host>().is_some_and(|other| {
            Arc::ptr_eq(&self.function, &other.function)
                && self.inputs == other.inputs
                && self.outputs == other.outputs
        })
    }
}
