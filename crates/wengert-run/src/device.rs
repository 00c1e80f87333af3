//! Devices: machines beside the processor, with memory of their own.
//!
//! A device compiles a program to [`DeviceCode`], which takes and returns [`DeviceMemory`]. A call is queued and
//! returns at once; whoever [downloads](DeviceMemory::download) a result waits for it, and gets the error of the call
//! that made it, if there was one. So calls whose results are arguments of other calls follow each other without
//! the host in between.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use wengert_loop::buffer::Data;
use wengert_loop::loops::Program;
use wengert_loop::target::Target;
use wengert_loop::types::DType;

use crate::backend::{CompileError, Options};
use crate::call::RunError;

/// A machine with memory of its own. Any number of threads may use it at the same time.
pub trait Device: Debug + Send + Sync {
    /// Returns the device's name, for people: its model and through what it is reached.
    fn name(&self) -> String;

    /// Returns the properties that programs for this device should have.
    fn target(&self, options: &Options) -> Target;

    /// Copies data to the device.
    ///
    /// # Errors
    /// If the device has not enough memory, or has no elements of this type.
    fn upload(&self, data: &Data) -> Result<Arc<dyn DeviceMemory>, RunError>;

    /// Compiles a program that has been [verified](wengert_loop::loops::verify).
    ///
    /// # Errors
    /// If the program needs what the device has not: functions of the host, or elements of a type.
    fn compile(
        &self,
        program: &Program,
        options: &Options,
    ) -> Result<Box<dyn DeviceCode>, CompileError>;
}

/// An array in the memory of a device. It never changes once the call that makes it has run.
pub trait DeviceMemory: Debug + Send + Sync {
    /// Returns the type of the elements.
    fn dtype(&self) -> DType;

    /// Returns the number of elements.
    fn len(&self) -> usize;

    /// Returns whether there are no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until the call that makes this has run, and copies the elements to the host.
    ///
    /// # Errors
    /// If that call failed, or one that it took an argument from.
    fn download(&self) -> Result<Data, RunError>;

    /// Returns the memory as what its device knows it as.
    fn as_any(&self) -> &dyn Any;
}

/// Code of a program for a device.
pub trait DeviceCode: Debug + Send + Sync {
    /// Queues a call and returns memory for its results, by their numbers in the program. Inputs of numbers
    /// that the program does not name are ignored, and outputs that it does not name are `None`.
    ///
    /// # Errors
    /// If an input is missing, does not match the program or is on another device, if the device has not enough
    /// memory, or if it reports an error of an earlier call. Errors of this call may appear only at the
    /// [download](DeviceMemory::download) of a result.
    fn run(
        &self,
        inputs: &[&Arc<dyn DeviceMemory>],
    ) -> Result<Vec<Option<Arc<dyn DeviceMemory>>>, RunError>;

    /// Returns the text of the code and how a call launches its kernels, for people.
    fn listing(&self) -> String;
}
