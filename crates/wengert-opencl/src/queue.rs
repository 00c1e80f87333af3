//! A device of OpenCL: its memory, its compiler and its queue.

use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};

use wengert_c::Dialect;
use wengert_c::machine::{Argument, Facts, Queue};
use wengert_run::CompileError;

use crate::OpenClError;
use crate::api::{self, Api, Raw, checked, info, number, text};

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

/// Flags of memory.
const READ_WRITE: u64 = 1;
const COPY_HOST: u64 = 1 << 5;

/// What a compiler says of itself.
const BUILD_LOG: u32 = 0x1183;

/// The queue of a device.
pub struct OpenClQueue {
    api: &'static Api,
    device: Raw,
    context: Raw,
    queue: Raw,
    facts: Facts,
    exact_division: bool,
    /// Whether it is a processor, on which threads run one after the other.
    processor: bool,
}

// SAFETY: the functions of OpenCL may be called from any thread, on any objects, except that the arguments of a kernel
// are set by one at a time.
unsafe impl Send for OpenClQueue {}
// SAFETY: as above.
unsafe impl Sync for OpenClQueue {}

impl Drop for OpenClQueue {
    fn drop(&mut self) {
        // SAFETY: nothing uses the queue and the context any more.
        unsafe {
            (self.api.clReleaseCommandQueue)(self.queue);
            (self.api.clReleaseContext)(self.context);
        }
    }
}

/// An object that is released when it is dropped; the library keeps it as long as commands need it.
pub struct Object {
    raw: Raw,
    /// The bytes of memory; none of other objects.
    bytes: usize,
    release: unsafe extern "C" fn(Raw) -> i32,
}

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Object {}
// SAFETY: as above; kernels are lent for writing to set their arguments.
unsafe impl Sync for Object {}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: it is this one's to release.
        unsafe { (self.release)(self.raw) };
    }
}

impl OpenClQueue {
    pub(crate) fn open(api: &'static Api, device: Raw) -> Result<OpenClQueue, OpenClError> {
        let ask = |what: u32| info(api.clGetDeviceInfo, device, what, "clGetDeviceInfo");
        let single = number(&ask(SINGLE_CONFIG)?);
        let mut name = format!("{} ({})", text(&ask(NAME)?), text(&ask(VERSION)?));
        if single & DENORMALS == 0 {
            name += ", without subnormal numbers in f32";
        }
        let mut facts = Facts::of(&name);
        facts.doubles = ask(DOUBLE_CONFIG).is_ok_and(|bytes| number(&bytes) != 0);
        facts.largest = number(&ask(MAX_ALLOCATION)?) as usize;
        facts.memory = number(&ask(GLOBAL_MEMORY)?) as usize;
        let processor = number(&ask(TYPE)?) & PROCESSOR != 0;
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
        Ok(OpenClQueue {
            api,
            device,
            context,
            queue,
            facts,
            exact_division: single & EXACT_DIVISION != 0,
            processor,
        })
    }

    /// Memory with what `from` points to, or with anything if it is null.
    fn buffer(&self, flags: u64, bytes: usize, from: *const c_void) -> Result<Object, OpenClError> {
        let mut status = 0;
        // SAFETY: the context is valid; `from` is null, or has as many bytes.
        let raw = unsafe {
            (self.api.clCreateBuffer)(self.context, flags, bytes, from.cast_mut(), &mut status)
        };
        checked("clCreateBuffer", status)?;
        Ok(Object {
            raw,
            bytes,
            release: self.api.clReleaseMemObject,
        })
    }

    /// What the compiler said.
    fn log(&self, program: Raw) -> String {
        let get = |size: usize, to: *mut c_void, needed: *mut usize| {
            // SAFETY: the program is valid, and there is room for so many bytes and for their number.
            unsafe {
                (self.api.clGetProgramBuildInfo)(program, self.device, BUILD_LOG, size, to, needed)
            }
        };
        let mut size = 0;
        let asked = get(0, null_mut(), &mut size);
        let mut bytes = vec![0u8; size];
        let said = get(size, bytes.as_mut_ptr().cast(), null_mut());
        match (asked, said) {
            (0, 0) => text(&bytes),
            _ => "the compiler said nothing".into(),
        }
    }
}

impl Queue for OpenClQueue {
    type Memory = Object;
    type Program = Object;
    type Kernel = Object;
    type Error = OpenClError;
    const DIALECT: Dialect = Dialect::OpenCl;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn build(&self, source: &str) -> Result<Object, CompileError> {
        let wrong = |e: OpenClError| CompileError::Internal(e.to_string());
        let (lines, lengths) = ([source.as_ptr().cast::<c_char>()], [source.len()]);
        let mut status = 0;
        // SAFETY: the text has that many bytes.
        let program = unsafe {
            (self.api.clCreateProgramWithSource)(
                self.context,
                1,
                lines.as_ptr(),
                lengths.as_ptr(),
                &mut status,
            )
        };
        checked("clCreateProgramWithSource", status).map_err(wrong)?;
        let program = Object {
            raw: program,
            bytes: 0,
            release: self.api.clReleaseProgram,
        };
        let mut flags = "-cl-std=CL1.2".to_string();
        if self.exact_division {
            flags += " -cl-fp32-correctly-rounded-divide-sqrt -DW_EXACT_DIVISION";
        }
        if self.processor {
            flags += " -DW_BY_THREAD";
        }
        let flags = CString::new(flags).expect("no zero in it");
        // SAFETY: the program is one of this context, and the flags end with a zero.
        let status = unsafe {
            (self.api.clBuildProgram)(
                program.raw,
                1,
                &self.device,
                flags.as_ptr(),
                null(),
                null_mut(),
            )
        };
        if status != 0 {
            return Err(CompileError::Codegen(format!(
                "{}: {}\n{}",
                self.facts.name,
                api::meaning(status),
                self.log(program.raw)
            )));
        }
        Ok(program)
    }

    fn kernel(&self, program: &Object, name: &str) -> Result<Object, OpenClError> {
        let name = CString::new(name).expect("no zero in it");
        let mut status = 0;
        // SAFETY: the program is built, and the name ends with a zero.
        let raw = unsafe { (self.api.clCreateKernel)(program.raw, name.as_ptr(), &mut status) };
        checked("clCreateKernel", status)?;
        Ok(Object {
            raw,
            bytes: 0,
            release: self.api.clReleaseKernel,
        })
    }

    fn allocate(&self, bytes: usize) -> Result<Object, OpenClError> {
        self.buffer(READ_WRITE, bytes, null())
    }

    fn upload(&self, bytes: &[u8]) -> Result<Object, OpenClError> {
        // The library reads the bytes before it returns.
        let flags = READ_WRITE | COPY_HOST;
        self.buffer(flags, bytes.len(), bytes.as_ptr().cast())
    }

    fn fill(
        &self,
        memory: &Object,
        word: u32,
        first: usize,
        words: usize,
    ) -> Result<(), OpenClError> {
        assert!(first + words <= memory.bytes / 4);
        let pattern = word.to_le_bytes();
        // SAFETY: the pattern is copied, and the memory has so many words.
        let status = unsafe {
            (self.api.clEnqueueFillBuffer)(
                self.queue,
                memory.raw,
                pattern.as_ptr().cast(),
                pattern.len(),
                4 * first,
                4 * words,
                0,
                null(),
                null_mut(),
            )
        };
        checked("clEnqueueFillBuffer", status)
    }

    fn launch(
        &self,
        kernel: &mut Object,
        args: &[Argument<'_, Object>],
        threads: usize,
        group: usize,
    ) -> Result<(), OpenClError> {
        for (i, arg) in args.iter().enumerate() {
            let (size, value): (usize, *const c_void) = match arg {
                Argument::Memory(m) => (size_of::<Raw>(), (&raw const m.raw).cast()),
                Argument::Number(n) => (size_of::<i64>(), (&raw const *n).cast()),
                Argument::Units(n) => (size_of::<u32>(), (&raw const *n).cast()),
            };
            // SAFETY: the value has that size, and nobody else has the kernel.
            let status = unsafe { (self.api.clSetKernelArg)(kernel.raw, i as u32, size, value) };
            checked("clSetKernelArg", status)?;
        }
        // SAFETY: all arguments are set, and the sizes are those of one dimension.
        let status = unsafe {
            (self.api.clEnqueueNDRangeKernel)(
                self.queue,
                kernel.raw,
                1,
                null(),
                &threads,
                &group,
                0,
                null(),
                null_mut(),
            )
        };
        checked("clEnqueueNDRangeKernel", status)
    }

    fn flush(&self) -> Result<(), OpenClError> {
        // SAFETY: the queue is valid.
        checked("clFlush", unsafe { (self.api.clFlush)(self.queue) })
    }

    fn read(&self, memory: &Object, to: &mut [u8]) -> Result<(), OpenClError> {
        assert!(to.len() <= memory.bytes);
        // SAFETY: both have as many bytes, and the call returns when they are copied.
        let status = unsafe {
            (self.api.clEnqueueReadBuffer)(
                self.queue,
                memory.raw,
                1,
                0,
                to.len(),
                to.as_mut_ptr().cast(),
                0,
                null(),
                null_mut(),
            )
        };
        checked("clEnqueueReadBuffer", status)
    }
}
