//! Devices: where compiled functions run, and where arrays are.

use std::fmt;
use std::sync::Arc;

use wengert_ir::error::{Error, Result};

use crate::array::{Array, here};
use crate::tree::{self, Tree};

/// A machine that compiled functions run on: the CPU, which is [`Device::cpu`], or one with a memory of its own, such
/// as a GPU.
///
/// Other machines than the CPU come from crates of their own, which list those that are there; what they list converts
/// to a `Device`. [`Jit::on`](crate::Jit::on) makes a function run on one, and [`Array::to_device`] and [`Device::put`]
/// move data there. So one program runs on any machine, with the same bits:
///
/// ```
/// use wengert::prelude::*;
///
/// fn simulate(device: &Device) -> wengert::Result<f64> {
///     let decay = |x: Var| fori(0..100, x, |_, x| 0.99 * x).sum();
///     let f = jit(vmap(grad(decay))).on(device);
///     let x = device.put(&Array::full([1000, 1], 1.0))?;
///     // The results stay on the device until they are read.
///     f.call(&x)?.get([0, 0])
/// }
///
/// assert!((simulate(&Device::cpu())? - 0.99f64.powi(100)).abs() < 1e-12);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// A clone is the same device. Devices are equal if they are one: the CPU is equal to the CPU, and a handle of another
/// device to what was made of the same `Arc`.
#[derive(Clone)]
pub struct Device {
    /// `None` is the CPU.
    machine: Option<Arc<dyn wengert_run::Device>>,
}

impl Device {
    /// Returns the CPU, whose memory is the host's: what functions run on unless [`Jit::on`](crate::Jit::on) says
    /// otherwise.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// assert_eq!(Device::cpu().name(), "CPU");
    /// assert_eq!(Array::from(1.0).device(), Device::cpu());
    /// ```
    pub fn cpu() -> Device {
        Device { machine: None }
    }

    /// Makes a device of a machine that implements [`backend::Device`](crate::backend::Device). Each call makes another
    /// one: clone it to use the same.
    pub fn new(machine: impl wengert_run::Device + 'static) -> Device {
        Device {
            machine: Some(Arc::new(machine)),
        }
    }

    /// Finds a device by its name among those that a crate for devices lists: the first one whose name contains `name`,
    /// in whatever case. `"cpu"` is always found if no other name fits, and `""` is the first device, or the CPU if there
    /// are none. So the name may come from an argument or the environment of a program that runs on many machines.
    ///
    /// # Errors
    /// If there is no such device. The error lists those that there are.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // In the place of the empty list, that of a crate for GPUs.
    /// let name = std::env::var("DEVICE").unwrap_or_default();
    /// let device = Device::find(&name, Vec::<Device>::new())?;
    /// assert_eq!(device, Device::cpu());
    /// let error = Device::find("radeon", Vec::<Device>::new()).unwrap_err();
    /// assert!(error.to_string().starts_with("Device::find: no device is called `radeon`: there is only the CPU"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn find(name: &str, devices: impl IntoIterator<Item: Into<Device>>) -> Result<Device> {
        let devices = devices.into_iter().map(Into::into);
        let devices: Vec<Device> = devices.chain([Device::cpu()]).collect();
        let names: Vec<String> = devices.iter().map(Device::name).collect();
        let wanted = name.to_lowercase();
        let fits = names
            .iter()
            .position(|n| n.to_lowercase().contains(&wanted));
        match fits {
            Some(i) => Ok(devices[i].clone()),
            None => {
                let there = match &names[..] {
                    [_] => "there is only the CPU. A GPU needs its driver, and an OpenCL device also a loader \
                            (`ocl-icd-libopencl1` of Debian and Ubuntu); `clinfo` or `nvidia-smi` shows what a \
                            program can see"
                        .to_string(),
                    all => format!("there are {}", all.join(", ")),
                };
                let message = format!("no device is called `{name}`: {there}");
                Err(Error::value("Device::find", message, here()))
            }
        }
    }

    /// Returns the device's name, for people; `CPU` for the CPU.
    pub fn name(&self) -> String {
        match &self.machine {
            None => "CPU".into(),
            Some(machine) => machine.name(),
        }
    }

    /// Returns whether this is the CPU.
    pub fn is_cpu(&self) -> bool {
        self.machine.is_none()
    }

    /// Copies the leaves of a tree to the device: see [`Array::to_device`]. What is there already is shared, not copied.
    /// `Device::cpu().put(&results)` reads all leaves.
    ///
    /// # Errors
    /// As [`Array::to_device`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// #[derive(Tree, Clone)]
    /// struct Model<T = Var> {
    ///     weights: T,
    ///     bias: T,
    /// }
    ///
    /// let model = Model { weights: Array::from([1.0, 2.0]), bias: Array::from(0.5) };
    /// let there = Device::cpu().put(&model)?;
    /// assert_eq!(there.weights, model.weights);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn put<T: Tree<Leaf = Array>>(&self, tree: &T) -> Result<T> {
        let (leaves, def) = tree::flatten_ref(tree);
        let mut there = vec![];
        for leaf in leaves {
            there.push(leaf.to_device(self)?);
        }
        tree::unflatten(&def, there)
    }

    /// Returns the machine, unless this is the CPU.
    pub(crate) fn machine(&self) -> Option<&Arc<dyn wengert_run::Device>> {
        self.machine.as_ref()
    }
}

/// The CPU.
impl Default for Device {
    fn default() -> Device {
        Device::cpu()
    }
}

impl PartialEq for Device {
    fn eq(&self, other: &Device) -> bool {
        match (&self.machine, &other.machine) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Device {}

impl From<Arc<dyn wengert_run::Device>> for Device {
    fn from(machine: Arc<dyn wengert_run::Device>) -> Device {
        Device {
            machine: Some(machine),
        }
    }
}

impl From<&Arc<dyn wengert_run::Device>> for Device {
    fn from(machine: &Arc<dyn wengert_run::Device>) -> Device {
        machine.clone().into()
    }
}

impl<D: wengert_run::Device + 'static> From<Arc<D>> for Device {
    fn from(machine: Arc<D>) -> Device {
        Device {
            machine: Some(machine),
        }
    }
}

impl From<&Device> for Device {
    fn from(device: &Device) -> Device {
        device.clone()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.name())
    }
}
