//! A device: what it is, and its queue.

use std::ffi::{CString, c_char};
use std::fmt::{self, Debug, Formatter};
use std::ptr::{null, null_mut};
use std::sync::{Arc, OnceLock};

use wengert_c::Dialect;
use wengert_c::kernels::{Grain, Kernels, Plan};
use wengert_loop::buffer::Data;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::loops::{BufferKind, Program};
use wengert_loop::target::Target;
use wengert_loop::types::DType;
use wengert_run::{CompileError, Device, DeviceCode, DeviceMemory, Options, RunError};

use crate::OpenClError;
use crate::api::{self, Api, Raw, checked, info, number, text};
use crate::code::{Built, Code};
use crate::memory::{Memory, Pool};

const ALL_DEVICES: u64 = 0xffff_ffff;

/// What a device says of itself.
const TYPE: u32 = 0x1000;
const NAME: u32 = 0x102b;
const VERSION: u32 = 0x102f;
const MAX_ALLOCATION: u32 = 0x1010;
const SINGLE_CONFIG: u32 = 0x101b;
const GLOBAL_MEMORY: u32 = 0x101f;
const DOUBLE_CONFIG: u32 = 0x1032;

/// The bit of processors among types.
const PROCESSOR: u64 = 1 << 1;

/// Bits of the configuration of floats.
const DENORMALS: u64 = 1;
const EXACT_DIVISION: u64 = 1 << 7;

/// The bytes of scratch of a launch or of rows in flight, if there is more memory.
const SCRATCH: usize = 1 << 30;

/// The code of a program, or why there is none.
pub type Compiled = Result<Box<dyn DeviceCode>, CompileError>;

/// A device of OpenCL. Any number of threads may use it; their calls share one queue.
pub struct OpenCl {
    pub(crate) link: Arc<Link>,
    manner: Manner,
}

/// How programs are cut and run.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    grain: Grain,
    /// The bytes of scratch of rows in flight, or of a launch.
    pub scratch: usize,
    /// Whether results are zero before a program writes them.
    pub zeroed: bool,
}

/// The device as all that belongs to it knows it.
pub(crate) struct Link {
    pub api: &'static Api,
    pub device: Raw,
    pub context: Raw,
    pub queue: Raw,
    pub name: String,
    pub doubles: bool,
    pub exact_division: bool,
    /// Whether it is a processor, on which threads run one after the other.
    pub processor: bool,
    pub largest: usize,
    pub pool: Pool,
}

// SAFETY: the functions of OpenCL may be called from any thread, on any objects, except that the arguments of a kernel
// are set under its lock.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Drop for Link {
    fn drop(&mut self) {
        self.pool.clear(self.api);
        // SAFETY: nothing uses the queue and the context any more: all that does holds the link.
        unsafe {
            (self.api.clReleaseCommandQueue)(self.queue);
            (self.api.clReleaseContext)(self.context);
        }
    }
}

impl Link {
    pub fn failed(&self, e: &dyn fmt::Display) -> RunError {
        RunError::Device {
            device: self.name.clone(),
            what: e.to_string(),
        }
    }
}

impl Debug for OpenCl {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenCl").field(&self.link.name).finish()
    }
}

impl OpenCl {
    /// Returns all devices of all platforms; none if no platform is installed. They are opened once: each call returns
    /// the same ones, so that what one part of a program keeps on a device is there for the others.
    ///
    /// # Errors
    /// If there is no library of OpenCL, or a device cannot be opened.
    pub fn all() -> Result<Vec<Arc<OpenCl>>, OpenClError> {
        static OPENED: OnceLock<Result<Vec<Arc<OpenCl>>, OpenClError>> = OnceLock::new();
        OPENED.get_or_init(OpenCl::open_all).clone()
    }

    fn open_all() -> Result<Vec<Arc<OpenCl>>, OpenClError> {
        let api = api::api()?;
        let mut n = 0;
        // SAFETY: the number has a place.
        match unsafe { (api.clGetPlatformIDs)(0, null_mut(), &mut n) } {
            // That of the loader if it finds none.
            -1001 => return Ok(vec![]),
            status => checked("clGetPlatformIDs", status)?,
        }
        let mut platforms = vec![null_mut(); n as usize];
        // SAFETY: there is room for so many.
        checked("clGetPlatformIDs", unsafe {
            (api.clGetPlatformIDs)(n, platforms.as_mut_ptr(), null_mut())
        })?;
        let mut all = vec![];
        for platform in platforms {
            let mut n = 0;
            // SAFETY: the platform is one of the library's.
            let status =
                unsafe { (api.clGetDeviceIDs)(platform, ALL_DEVICES, 0, null_mut(), &mut n) };
            // A platform may have none.
            if status == -1 {
                continue;
            }
            checked("clGetDeviceIDs", status)?;
            let mut devices = vec![null_mut(); n as usize];
            // SAFETY: there is room for so many.
            checked("clGetDeviceIDs", unsafe {
                (api.clGetDeviceIDs)(platform, ALL_DEVICES, n, devices.as_mut_ptr(), null_mut())
            })?;
            for device in devices {
                all.push(Arc::new(OpenCl::open(api, device)?));
            }
        }
        Ok(all)
    }

    fn open(api: &'static Api, device: Raw) -> Result<OpenCl, OpenClError> {
        let ask = |what: u32| info(api.clGetDeviceInfo, device, what, "clGetDeviceInfo");
        let single = number(&ask(SINGLE_CONFIG)?);
        let doubles = ask(DOUBLE_CONFIG).is_ok_and(|bytes| number(&bytes) != 0);
        let mut name = format!("{} ({})", text(&ask(NAME)?), text(&ask(VERSION)?));
        if single & DENORMALS == 0 {
            name += ", without subnormal numbers in f32";
        }
        let (largest, all) = (
            number(&ask(MAX_ALLOCATION)?) as usize,
            number(&ask(GLOBAL_MEMORY)?) as usize,
        );
        let mut status = 0;
        // SAFETY: the device is one of the library's.
        let context =
            unsafe { (api.clCreateContext)(null(), 1, &device, null(), null_mut(), &mut status) };
        checked("clCreateContext", status)?;
        // SAFETY: the context is one of this device.
        let queue = unsafe { (api.clCreateCommandQueue)(context, device, 0, &mut status) };
        if let Err(e) = checked("clCreateCommandQueue", status) {
            // SAFETY: nothing uses it.
            unsafe { (api.clReleaseContext)(context) };
            return Err(e);
        }
        let link = Link {
            api,
            device,
            context,
            queue,
            name,
            doubles,
            processor: number(&ask(TYPE)?) & PROCESSOR != 0,
            exact_division: single & EXACT_DIVISION != 0,
            largest,
            pool: Pool::default(),
        };
        Ok(OpenCl {
            link: Arc::new(link),
            manner: Manner {
                grain: Grain::default(),
                scratch: SCRATCH.min(largest / 2).min(all / 8),
                zeroed: false,
            },
        })
    }

    /// Returns the same device for programs whose work is cut in another way. No bit depends on it.
    pub fn with_grain(&self, grain: Grain) -> OpenCl {
        self.with(Manner {
            grain,
            ..self.manner
        })
    }

    /// Returns the same device for programs whose scratch of rows, or of the threads of a launch, takes so many bytes: calls
    /// that need more are cut. One row, and one group of threads, have what they need. The default is a gibibyte, or less
    /// if the device has little memory.
    pub fn with_scratch(&self, bytes: usize) -> OpenCl {
        self.with(Manner {
            scratch: bytes,
            ..self.manner
        })
    }

    /// Returns the same device for programs that may leave elements of their results unwritten: these are zero, which takes a
    /// pass over the results. Programs that are lowered from functions write all.
    pub fn with_zeroed_results(&self) -> OpenCl {
        self.with(Manner {
            zeroed: true,
            ..self.manner
        })
    }

    fn with(&self, manner: Manner) -> OpenCl {
        OpenCl {
            link: self.link.clone(),
            manner,
        }
    }

    /// Compiles several programs at once, which is faster than one after the other: they share functions and tables.
    ///
    /// # Errors
    /// If the source of all does not build. What is wrong with one program is its own error.
    pub fn compile_all(
        &self,
        programs: &[&Program],
        options: &Options,
    ) -> Result<Vec<Compiled>, CompileError> {
        if !self.link.doubles {
            return Err(CompileError::Machine(format!(
                "{} has no f64, in which functions of f32 are computed, too",
                self.link.name
            )));
        }
        let mut kernels = Kernels::new(Dialect::OpenCl).grain(self.manner.grain);
        let plan = |program: &&Program| match options.unroll {
            true => kernels.add(&prepare(program)),
            false => kernels.add(program),
        };
        let plans: Vec<_> = programs.iter().map(plan).collect();
        let source = kernels.source();
        let built = Arc::new(self.build(source, kernels.failures().to_vec())?);
        let code = |(plan, program): (Result<Plan, wengert_c::CError>, &&Program)| {
            let plan = plan.map_err(|e| CompileError::Codegen(e.to_string()))?;
            let mut named = vec![false; plan.outputs.len()];
            for b in &program.buffers {
                if let BufferKind::Output(n) = b.kind {
                    named[n as usize] = true;
                }
            }
            let link = self.link.clone();
            let code = Code::new(link, built.clone(), plan, named, options, self.manner)?;
            Ok(Box::new(code) as Box<dyn DeviceCode>)
        };
        Ok(plans.into_iter().zip(programs).map(code).collect())
    }

    fn build(
        &self,
        source: String,
        failures: Vec<wengert_loop::loops::Failure>,
    ) -> Result<Built, CompileError> {
        let link = &self.link;
        let wrong = |e: OpenClError| CompileError::Internal(e.to_string());
        let (lines, lengths) = ([source.as_ptr().cast::<c_char>()], [source.len()]);
        let mut status = 0;
        // SAFETY: the text has that many bytes.
        let program = unsafe {
            (link.api.clCreateProgramWithSource)(
                link.context,
                1,
                lines.as_ptr(),
                lengths.as_ptr(),
                &mut status,
            )
        };
        checked("clCreateProgramWithSource", status).map_err(wrong)?;
        let built = Built {
            link: link.clone(),
            program,
            source,
            failures,
        };
        let mut flags = "-cl-std=CL1.2".to_string();
        if link.exact_division {
            flags += " -cl-fp32-correctly-rounded-divide-sqrt -DW_EXACT_DIVISION";
        }
        if link.processor {
            flags += " -DW_BY_THREAD";
        }
        let flags = CString::new(flags).expect("no zero in it");
        // SAFETY: the program is one of this context, and the flags end with a zero.
        let status = unsafe {
            (link.api.clBuildProgram)(program, 1, &link.device, flags.as_ptr(), null(), null_mut())
        };
        if status != 0 {
            return Err(CompileError::Codegen(format!(
                "{}: {}\n{}",
                link.name,
                api::meaning(status),
                built.log()
            )));
        }
        Ok(built)
    }
}

impl Device for OpenCl {
    fn name(&self) -> String {
        self.link.name.clone()
    }

    /// Steps of nests are tasks of their own from few elements on, since each is a row of threads.
    fn target(&self, _: &Options) -> Target {
        let mut target = Target::default().without_library();
        target.tasks_from = 256;
        target.task = 1;
        target
    }

    fn upload(&self, data: &Data) -> Result<Arc<dyn DeviceMemory>, RunError> {
        if data.dtype() == DType::F64 && !self.link.doubles {
            return Err(self.link.failed(&"it has no f64"));
        }
        Ok(Arc::new(Memory::upload(&self.link, data)?))
    }

    fn compile(
        &self,
        program: &Program,
        options: &Options,
    ) -> Result<Box<dyn DeviceCode>, CompileError> {
        let mut all = self.compile_all(&[program], options)?;
        all.pop().expect("one for each")
    }
}
