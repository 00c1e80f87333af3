//! Where the elements of an array are: in the memory of the host, or in that of a device.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result};
use wengert_ir::ir::{Shape, Type};
use wengert_ir::source::SourceId;
use wengert_ir::types::Dims;
use wengert_run::{DeviceMemory, RunError};

use crate::device::Device;

/// Where the elements of an array are.
#[derive(Clone)]
pub(super) enum Storage {
    /// In the memory of the host.
    Host(Dense),
    /// In the memory of a device; `None` once the array has given its memory away, wherever that was.
    Device(Option<Arc<Remote>>),
}

impl Storage {
    /// What is left of an array that has given its memory away.
    pub(super) const GONE: Storage = Storage::Device(None);
}

/// An array in the memory of a device.
pub(crate) struct Remote {
    dims: Dims,
    held: Arc<Held>,
    /// The array on the host, once somebody has read it.
    dense: OnceLock<Dense>,
}

/// Memory of a device, which arrays of several shapes may share.
struct Held {
    device: Device,
    memory: Arc<dyn DeviceMemory>,
    /// The call that computes it.
    made: Option<&'static Location<'static>>,
    /// The elements on the host, once somebody has read them.
    host: Mutex<Option<Arc<Data>>>,
}

impl Remote {
    /// Makes an array of these lengths in memory that a call at line `made` computes.
    pub(crate) fn new(
        dims: Dims,
        device: &Device,
        memory: Arc<dyn DeviceMemory>,
        made: Option<&'static Location<'static>>,
    ) -> Arc<Remote> {
        let held = Held {
            device: device.clone(),
            memory,
            made,
            host: Mutex::default(),
        };
        Arc::new(Remote {
            dims,
            held: Arc::new(held),
            dense: OnceLock::new(),
        })
    }

    /// Makes an array of what has been copied to a device from the host.
    pub(super) fn copied(
        dense: &Dense,
        device: &Device,
        memory: Arc<dyn DeviceMemory>,
    ) -> Arc<Remote> {
        Remote::new(dense.dims.clone(), device, memory, None)
    }

    /// Returns the same memory with other lengths, of which the product is the same.
    pub(super) fn with_dims(&self, dims: Dims) -> Arc<Remote> {
        Arc::new(Remote {
            dims,
            held: self.held.clone(),
            dense: OnceLock::new(),
        })
    }

    pub(super) fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub(crate) fn device(&self) -> &Device {
        &self.held.device
    }

    pub(crate) fn memory(&self) -> &Arc<dyn DeviceMemory> {
        &self.held.memory
    }

    pub(super) fn ty(&self) -> Type {
        Type {
            dtype: self.held.memory.dtype(),
            shape: Shape::new(&self.dims),
        }
    }

    /// Returns the array on the host. Whoever reads first copies the elements, which stay there, too.
    ///
    /// # Errors
    /// If the call that computes them failed, or the device does.
    pub(crate) fn read(&self) -> Result<&Dense> {
        if let Some(dense) = self.dense.get() {
            return Ok(dense);
        }
        let data = self.held.read()?;
        let dims = self.dims.clone();
        Ok(self.dense.get_or_init(|| Dense { dims, data }))
    }
}

impl Held {
    fn read(&self) -> Result<Arc<Data>> {
        let mut host = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = &*host {
            return Ok(data.clone());
        }
        let memory = &self.memory;
        let data = memory.download().map_err(|e| self.failed(e))?;
        if (data.dtype(), data.len()) != (memory.dtype(), memory.len()) {
            return Err(self.failed(RunError::Device {
                device: self.device.name(),
                what: format!(
                    "it returned {} elements of {}, and has {} of {}",
                    data.len(),
                    data.dtype(),
                    memory.len(),
                    memory.dtype()
                ),
            }));
        }
        let data = Arc::new(data);
        *host = Some(data.clone());
        Ok(data)
    }

    /// Makes the error of the call that failed, or of the copy.
    #[cold]
    fn failed(&self, error: RunError) -> Error {
        let error = run_error(error);
        match self.made {
            Some(made) => error.placed_at(SourceId::of(made, None)),
            None => error,
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.ty(), self.held.device.name())
    }
}

/// Words the error of a call.
#[cold]
pub(crate) fn run_error(error: RunError) -> Error {
    match error {
        // The system has less memory than the limit allows.
        RunError::ListMemory {
            need, limit, at, ..
        } if need <= limit => Error::no_memory("call", "the residuals of a loop", need as u64, at),
        RunError::Scratch { need, .. } => {
            Error::no_memory("call", "values on the way", need as u64, None)
        }
        RunError::ListMemory {
            need, limit, at, ..
        } => Error::memory(need as u64, limit as u64, at),
        RunError::Stopped(error) => error,
        other => Error::value("call", other.to_string(), None),
    }
}
