//! Arrays that move between the host and devices.

use std::sync::Arc;

use wengert_ir::buffer::Data;
use wengert_ir::error::{Error, Result, counted};

use crate::array::{Array, HELD, Remote, Storage, here};
use crate::device::Device;

/// The memory of an array, wherever it is.
pub(crate) enum Parted {
    /// The host's.
    Host(Arc<Data>),
    /// A device's.
    Device(Arc<Remote>),
}

/// # Devices
///
/// An array moves when the program says so: [`to_device`](Array::to_device) copies it to a device, [`to_host`](Array::to_host)
/// back, and [`Device::put`] does so with all leaves of a tree. `Array::device` says where an array is.
///
/// ```
/// use wengert::prelude::*;
///
/// let cpu = Device::cpu();
/// let x = Array::from([1.0, 2.0]).to_device(&cpu)?;
/// assert_eq!(x.device(), cpu);
/// assert_eq!(x.to_host()?, Array::from([1.0, 2.0]));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Array {
    /// Returns the device in whose memory the elements are; [`Device::cpu`] for an array on the host.
    pub fn device(&self) -> Device {
        match &self.storage {
            Storage::Host(_) => Device::cpu(),
            Storage::Device(remote) => remote.as_ref().expect(HELD).device().clone(),
        }
    }

    /// Returns the array in the memory of a device. Nothing is copied if it is there. From one device to another it is
    /// copied through the host, which keeps its copy as long as the first array lives.
    ///
    /// # Errors
    /// If the device has not enough memory, or no elements of this type, or if the call that computes the array failed.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let device = Device::cpu();
    /// let f = jit(|x: Var| x.sin()).on(&device);
    /// // Once, for many calls.
    /// let x = Array::from([0.0, 1.0]).to_device(&device)?;
    /// for _ in 0..3 {
    ///     assert_eq!(f.call(&x)?.get::<f64>(0)?, 0.0);
    /// }
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn to_device(&self, device: &Device) -> Result<Array> {
        if let Storage::Device(Some(remote)) = &self.storage
            && remote.device() == device
        {
            return Ok(self.clone());
        }
        let dense = self.try_dense()?;
        let Some(machine) = device.machine() else {
            return Ok(Array::from_dense(dense.clone()));
        };
        let memory = machine.upload(&dense.data).map_err(|e| {
            let bytes = dense.data.dtype().bytes() * dense.data.len();
            let bytes = counted(bytes, "byte", "bytes");
            let message = format!("{e}; the array is {}, {bytes}", self.ty());
            Error::value("to_device", message, here())
        })?;
        Ok(Array::from_remote(Remote::copied(dense, device, memory)))
    }

    /// Returns the array in the memory of the host: waits for the call that computes it, and copies the elements, unless
    /// they have been read before.
    ///
    /// # Errors
    /// If the call that computes the array failed, or the device does.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let y = jit(|x: Var| 2.0 * x).on(&Device::cpu()).call([1.0, 2.0])?.to_host()?;
    /// assert_eq!(y.as_slice::<f64>()?, [2.0, 4.0]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn to_host(&self) -> Result<Array> {
        Ok(Array::from_dense(self.try_dense()?.clone()))
    }

    /// Returns what is on a device, if the array is on one.
    pub(crate) fn remote(&self) -> Option<&Arc<Remote>> {
        match &self.storage {
            Storage::Host(_) => None,
            Storage::Device(remote) => remote.as_ref(),
        }
    }

    /// Gives the memory away.
    #[inline]
    pub(crate) fn into_parts(mut self) -> Parted {
        match self.take() {
            Storage::Host(dense) => Parted::Host(dense.data),
            Storage::Device(remote) => Parted::Device(remote.expect(HELD)),
        }
    }

    /// Shares the memory.
    #[inline]
    pub(crate) fn parts(&self) -> Parted {
        match &self.storage {
            Storage::Host(dense) => Parted::Host(dense.data.clone()),
            Storage::Device(remote) => Parted::Device(remote.clone().expect(HELD)),
        }
    }
}
