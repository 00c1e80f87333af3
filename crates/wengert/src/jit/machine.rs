//! What functions run on: code for the CPU, made by a back end, or for a device, and the calls of the latter.

use std::panic::Location;
use std::sync::Arc;

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result, counted};
use wengert_ir::ir::Func;
use wengert_ir::loops::Program;
use wengert_ir::schedule::notes::{Notes, Part, PartKind};
use wengert_ir::target::Target;
use wengert_run::{Backend, DeviceCode, DeviceMemory, Options};

use super::work::Argument;
use crate::array::{Form, Remote, recycle, run_error};
use crate::device::Device;
use crate::tree::TreeDef;

/// What a function is compiled for: a device, or the CPU by a back end.
#[derive(Clone)]
pub(super) struct Machine {
    pub device: Device,
    /// Serves the CPU.
    pub backend: Arc<dyn Backend>,
}

/// Code of a function.
#[expect(
    clippy::large_enum_variant,
    reason = "a call on the CPU should not follow one more pointer"
)]
pub(super) enum Code {
    /// For the CPU.
    Host(wengert_run::Executable),
    /// For a device.
    Device(OnDevice),
}

/// Code for a device, with what a call needs beside its arguments.
pub(super) struct OnDevice {
    device: Device,
    code: Box<dyn DeviceCode>,
    /// The structure of the arguments, which names them in errors.
    args: TreeDef,
    /// The arrays that the function captures, in the device's memory.
    captured: Vec<Arc<dyn DeviceMemory>>,
}

impl Machine {
    /// Returns the properties that programs for the machine should have.
    pub(super) fn target(&self, options: &Options) -> Target {
        match self.device.machine() {
            Some(machine) => machine.target(options),
            None => self.backend.target(options),
        }
    }

    /// Returns an error if the function calls the host and the machine cannot.
    pub(super) fn check(&self, func: &Func) -> Result<()> {
        match self.device.is_cpu() {
            true => Ok(()),
            false => refuse_host(func, &self.device),
        }
    }

    /// Returns an error if `op` looks at the code for the CPU, and the function runs on a device.
    pub(super) fn only_cpu(&self, op: &str) -> Result<()> {
        match self.device.is_cpu() {
            true => Ok(()),
            false => Err(Error::value(
                op,
                format!(
                    "the function runs on {}, and this is known of the CPU alone: leave `on` away for it",
                    self.device
                ),
                None,
            )),
        }
    }
}

/// Refuses the first operation that calls a function of the host.
fn refuse_host(func: &Func, device: &Device) -> Result<()> {
    for eqn in &func.eqns {
        if eqn.op.runs_on_host() {
            let message = format!("{device} cannot call functions of the host; the CPU can");
            let at = eqn.source.written();
            return Err(Error::value(eqn.op.method(), message, at));
        }
        for body in eqn.op.bodies() {
            refuse_host(body, device)?;
        }
    }
    Ok(())
}

/// Compiles for the CPU.
pub(super) fn machine_code(
    program: &Program,
    backend: &dyn Backend,
    options: &Options,
) -> Result<wengert_run::Executable> {
    backend.compile(program, options).map_err(|e| {
        Error::compile(format!(
            "{e}; `Jit::interpret` runs it without machine code"
        ))
    })
}

/// Compiles for a device. `notes` are computed if it refuses, to name the user's lines.
pub(super) fn device_code(
    program: &Program,
    device: &Device,
    options: &Options,
    notes: impl FnOnce() -> Result<Notes>,
) -> Result<Box<dyn DeviceCode>> {
    let machine = device.machine().expect("a device other than the CPU");
    machine.compile(program, options).map_err(|e| {
        let mut calls = vec![];
        if let Ok(notes) = notes() {
            kernels(&notes.body, &notes, &mut calls);
        }
        let calls = match calls.is_empty() {
            true => String::new(),
            false => format!("; it calls {}", calls.join(", ")),
        };
        Error::compile(format!("{device}: {e}{calls}; the CPU runs it"))
    })
}

/// Collects the operations that are done by functions of a library.
fn kernels(part: &Part, notes: &Notes, found: &mut Vec<String>) {
    if let (PartKind::Kernel(_), Some(by)) = (&part.kind, part.by) {
        let operation = &notes.operations[by];
        let text = format!("{} at {}", operation.name, operation.source);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    part.parts.iter().for_each(|p| kernels(p, notes, found));
}

impl OnDevice {
    /// Copies the arrays that the function captures to the device, but for those that `there` has.
    ///
    /// # Errors
    /// If the device has no memory for them.
    pub(super) fn new(
        device: &Device,
        code: Box<dyn DeviceCode>,
        args: &TreeDef,
        arrays: &[Dense],
        there: &[Arc<Remote>],
    ) -> Result<OnDevice> {
        let captured = arrays.iter().enumerate().map(|(n, array)| {
            let same = |r: &&Arc<Remote>| {
                r.device() == device && r.read().is_ok_and(|d| Arc::ptr_eq(&d.data, &array.data))
            };
            match there.iter().find(same) {
                Some(remote) => Ok(remote.memory().clone()),
                None => upload(device, &array.data, || {
                    format!("array {n} that the function captures")
                }),
            }
        });
        let captured = captured.collect::<Result<_>>()?;
        Ok(OnDevice {
            device: device.clone(),
            code,
            args: args.clone(),
            captured,
        })
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Queues a call. Arguments on the host are copied; those that nobody else holds are given up. `place` is the line of
    /// the call, for errors that appear later.
    ///
    /// # Errors
    /// If an argument is on another device, there is no memory, or the device refuses the call.
    pub(super) fn run(
        &self,
        args: &mut Vec<Argument>,
        forms: &[Form],
        place: &'static Location<'static>,
    ) -> Result<Vec<Arc<Remote>>> {
        let mut inputs = vec![];
        for (n, arg) in args.drain(..).enumerate() {
            inputs.push(self.input(n, arg)?);
        }
        let inputs: Vec<_> = inputs.iter().chain(&self.captured).collect();
        let results = self.code.run(&inputs).map_err(run_error)?;
        let mut results = results.into_iter();
        let remotes = forms.iter().enumerate().map(|(n, form)| {
            let memory = match results.next().flatten() {
                Some(memory) => memory,
                // The program has no result without elements.
                None if form.len() == 0 => {
                    let nothing = Data::zeros(form.ty.dtype, 0);
                    upload(&self.device, &nothing, || format!("result {n}"))?
                }
                None => return Err(self.misshapen(n, form, "nothing")),
            };
            match (memory.dtype(), memory.len()) == (form.ty.dtype, form.len()) {
                true => Ok(Remote::new(form.dims(), &self.device, memory, Some(place))),
                false => {
                    let got = format!("{} elements of {}", memory.len(), memory.dtype());
                    Err(self.misshapen(n, form, &got))
                }
            }
        });
        remotes.collect()
    }

    fn input(&self, n: usize, arg: Argument) -> Result<Arc<dyn DeviceMemory>> {
        let name = || format!("args{}", self.args.paths()[n]);
        match arg {
            Argument::Memory(data) => {
                let memory = upload(&self.device, &data, name);
                recycle(data);
                memory
            }
            Argument::Device(remote) if *remote.device() == self.device => {
                Ok(remote.memory().clone())
            }
            Argument::Device(remote) => Err(Error::value(
                "call",
                format!(
                    "{} is on {}, and the function runs on {}: move it there, by `to_device`",
                    name(),
                    remote.device(),
                    self.device
                ),
                None,
            )),
            Argument::InResult(_) => unreachable!("results on a device have memory of their own"),
        }
    }

    #[cold]
    fn misshapen(&self, n: usize, form: &Form, got: &str) -> Error {
        let device = &self.device;
        let message = format!("{device} gives {got} for result {n}, which is {}", form.ty);
        Error::value("call", message, None)
    }

    /// Returns the text of the code and its launches.
    pub(super) fn listing(&self) -> String {
        self.code.listing()
    }
}

/// Copies data to a device.
fn upload(
    device: &Device,
    data: &Data,
    name: impl FnOnce() -> String,
) -> Result<Arc<dyn DeviceMemory>> {
    let machine = device.machine().expect("a device other than the CPU");
    machine.upload(data).map_err(|e| {
        let bytes = counted(data.dtype().bytes() * data.len(), "byte", "bytes");
        let message = format!("{e}; it was to take {}, {bytes}", name());
        Error::value("call", message, None)
    })
}
