//! A device of CUDA: its memory, its compiler and its stream.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::Arc;

use wengert_c::Dialect;
use wengert_c::machine::{Argument, Facts, Queue};
use wengert_run::CompileError;

use crate::CudaError;
use crate::driver::{Driver, PoolProperties, Pools};
use crate::library::Raw;
use crate::nvrtc::{Nvrtc, decimal};

/// What a device says of itself.
const MAX_BLOCKS: i32 = 5;
const MAJOR: i32 = 75;
const MINOR: i32 = 76;
const HAS_POOLS: i32 = 115;

/// A stream that does not wait for those of others.
const NON_BLOCKING: u32 = 1;

/// The bytes up to which a pool keeps what nobody uses: an attribute of it.
const KEPT: i32 = 4;

/// The size of groups: a multiple of a warp that fills a multiprocessor, whether it takes sixteen groups or more.
const GROUP: usize = 128;

/// The stream of a device.
pub struct CudaQueue {
    shared: Arc<Shared>,
    nvrtc: &'static Nvrtc,
    /// Ten times the major and once the minor number of its compute capability.
    architecture: i32,
    facts: Facts,
}

/// What memory and modules need to the end.
struct Shared {
    driver: &'static Driver,
    device: i32,
    context: Raw,
    /// All commands run in this stream, one after the other.
    stream: Raw,
    /// Arguments are copied in this one, which does not wait for calls.
    uploads: Raw,
    pool: Option<(&'static Pools, Raw)>,
}

// SAFETY: the functions of the driver may be called from any thread, on any objects.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Ok(_current) = self.enter() {
            let f = &self.driver.f;
            for stream in [self.stream, self.uploads] {
                if !stream.is_null() {
                    // SAFETY: nothing uses it any more.
                    unsafe { (f.cuStreamDestroy_v2)(stream) };
                }
            }
            if let Some((pools, pool)) = self.pool {
                // SAFETY: its memory was freed before.
                unsafe { (pools.cuMemPoolDestroy)(pool) };
            }
        }
        // SAFETY: it was retained once.
        unsafe { (self.driver.f.cuDevicePrimaryCtxRelease_v2)(self.device) };
    }
}

/// While it lives, the device's context is that of the thread.
struct Current<'a>(&'a Driver);

impl Drop for Current<'_> {
    fn drop(&mut self) {
        let mut context = null_mut();
        // SAFETY: it was pushed by this thread, and the pointer has a place.
        unsafe { (self.0.f.cuCtxPopCurrent_v2)(&mut context) };
    }
}

impl Shared {
    fn enter(&self) -> Result<Current<'_>, CudaError> {
        // SAFETY: the context is retained.
        let status = unsafe { (self.driver.f.cuCtxPushCurrent_v2)(self.context) };
        self.checked("cuCtxPushCurrent", status)?;
        Ok(Current(self.driver))
    }

    fn checked(&self, function: &'static str, status: i32) -> Result<(), CudaError> {
        self.driver.checked(function, status)
    }

    /// Waits for a stream.
    fn wait(&self, stream: Raw) -> Result<(), CudaError> {
        // SAFETY: the stream is valid.
        let status = unsafe { (self.driver.f.cuStreamSynchronize)(stream) };
        self.checked("cuStreamSynchronize", status)
    }

    /// Makes streams and a pool. What is made before an error is destroyed with this.
    fn begin(&mut self, pools: bool) -> Result<(), CudaError> {
        let (mut made, mut pool) = ([null_mut(); 2], None);
        let mut make = || {
            let _current = self.enter()?;
            for stream in &mut made {
                // SAFETY: the pointer has a place.
                let status = unsafe { (self.driver.f.cuStreamCreate)(stream, NON_BLOCKING) };
                self.checked("cuStreamCreate", status)?;
            }
            let Some(pools) = self.driver.pools.as_ref().filter(|_| pools) else {
                return Ok(());
            };
            let mut raw = null_mut();
            let properties = PoolProperties::of(self.device);
            // SAFETY: both pointers have places.
            let status = unsafe { (pools.cuMemPoolCreate)(&mut raw, &properties) };
            self.checked("cuMemPoolCreate", status)?;
            pool = Some((pools, raw));
            let mut all = u64::MAX;
            // SAFETY: the attribute is a number of 64 bits.
            let status = unsafe { (pools.cuMemPoolSetAttribute)(raw, KEPT, (&raw mut all).cast()) };
            self.checked("cuMemPoolSetAttribute", status)
        };
        let result = make();
        [self.stream, self.uploads] = made;
        self.pool = pool;
        result
    }

    /// Allocates memory that is there for what is queued in a stream from now on.
    fn allocate(self: &Arc<Self>, bytes: usize, stream: Raw) -> Result<Buffer, CudaError> {
        let mut at = 0;
        match self.pool {
            None => {
                // SAFETY: the number has a place.
                let status = unsafe { (self.driver.f.cuMemAlloc_v2)(&mut at, bytes) };
                self.checked("cuMemAlloc", status)?;
            }
            Some((pools, pool)) => {
                let mut take = || {
                    // SAFETY: the number has a place, and pool and stream are valid.
                    let status =
                        unsafe { (pools.cuMemAllocFromPoolAsync)(&mut at, bytes, pool, stream) };
                    self.checked("cuMemAllocFromPoolAsync", status)
                };
                if take().is_err() {
                    // What was freed is there when the commands that use it have run, and may be in pieces.
                    self.wait(self.stream)?;
                    // SAFETY: the pool is valid.
                    let status = unsafe { (pools.cuMemPoolTrimTo)(pool, 0) };
                    self.checked("cuMemPoolTrimTo", status)?;
                    take()?;
                }
            }
        }
        Ok(Buffer {
            shared: self.clone(),
            at,
            bytes,
        })
    }
}

/// Memory of a device.
pub struct Buffer {
    shared: Arc<Shared>,
    at: u64,
    bytes: usize,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let shared = &self.shared;
        let Ok(_current) = shared.enter() else { return };
        match shared.pool {
            // SAFETY: the memory is this one's to free, after what is queued.
            Some((pools, _)) => unsafe {
                (pools.cuMemFreeAsync)(self.at, shared.stream);
            },
            None => {
                // Commands that use it may still wait. If they failed, the memory goes with the context.
                if shared.wait(shared.stream).is_ok() {
                    // SAFETY: nothing uses it any more.
                    unsafe { (shared.driver.f.cuMemFree_v2)(self.at) };
                }
            }
        }
    }
}

/// What the compiler made of a source.
pub struct Module {
    shared: Arc<Shared>,
    raw: Raw,
}

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

impl Drop for Module {
    fn drop(&mut self) {
        let shared = &self.shared;
        let Ok(_current) = shared.enter() else { return };
        // Kernels of it may still wait.
        if shared.wait(shared.stream).is_ok() {
            // SAFETY: nothing uses it any more.
            unsafe { (shared.driver.f.cuModuleUnload)(self.raw) };
        }
    }
}

/// A kernel of a module, which outlives it.
pub struct Kernel(Raw);

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Kernel {}

impl CudaQueue {
    /// Opens the device of a number.
    pub(crate) fn open(
        driver: &'static Driver,
        nvrtc: &'static Nvrtc,
        number: i32,
    ) -> Result<CudaQueue, CudaError> {
        let f = &driver.f;
        let mut device = 0;
        // SAFETY: the number has a place.
        let status = unsafe { (f.cuDeviceGet)(&mut device, number) };
        driver.checked("cuDeviceGet", status)?;
        let ask = |what: i32| {
            let mut value = 0;
            // SAFETY: the device is valid, and the number has a place.
            let status = unsafe { (f.cuDeviceGetAttribute)(&mut value, what, device) };
            driver
                .checked("cuDeviceGetAttribute", status)
                .map(|()| value)
        };
        let architecture = 10 * ask(MAJOR)? + ask(MINOR)?;
        let mut name = [0u8; 256];
        // SAFETY: there is room for so many bytes.
        let status = unsafe {
            (f.cuDeviceGetName)(
                name.as_mut_ptr().cast::<c_char>(),
                name.len() as i32,
                device,
            )
        };
        driver.checked("cuDeviceGetName", status)?;
        let name = CStr::from_bytes_until_nul(&name).unwrap_or(c"a GPU");
        let mut memory = 0;
        // SAFETY: the number has a place.
        let status = unsafe { (f.cuDeviceTotalMem_v2)(&mut memory, device) };
        driver.checked("cuDeviceTotalMem", status)?;

        let mut context = null_mut();
        // SAFETY: the pointer has a place.
        let status = unsafe { (f.cuDevicePrimaryCtxRetain)(&mut context, device) };
        driver.checked("cuDevicePrimaryCtxRetain", status)?;
        let mut shared = Shared {
            driver,
            device,
            context,
            stream: null_mut(),
            uploads: null_mut(),
            pool: None,
        };
        // Drivers before pools do not know that they are asked for them.
        shared.begin(ask(HAS_POOLS).is_ok_and(|n| n != 0))?;

        let version = driver.version;
        let mut facts = Facts::of(&format!(
            "{} (CUDA {}.{}, compute capability {}, {:.1} GiB, device {number})",
            name.to_string_lossy().trim(),
            version / 1000,
            version % 1000 / 10,
            decimal(architecture),
            memory as f64 / (1u64 << 30) as f64,
        ));
        facts.memory = memory;
        facts.largest = memory;
        facts.group = GROUP;
        facts.groups = ask(MAX_BLOCKS)?.max(1) as usize;
        facts.pools = shared.pool.is_some();
        Ok(CudaQueue {
            shared: Arc::new(shared),
            nvrtc,
            architecture,
            facts,
        })
    }
}

impl Queue for CudaQueue {
    type Memory = Buffer;
    type Program = Module;
    type Kernel = Kernel;
    type Error = CudaError;
    const DIALECT: Dialect = Dialect::Cuda;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn build(&self, source: &str) -> Result<Module, CompileError> {
        let code = self.nvrtc.compile(source, self.architecture)?;
        let wrong = |e: CudaError| CompileError::Codegen(format!("{}: {e}", self.facts.name));
        let shared = &self.shared;
        let _current = shared.enter().map_err(wrong)?;
        let mut raw = null_mut();
        // SAFETY: the code is that of a module, and ends with a zero; the pointer has a place.
        let status = unsafe { (shared.driver.f.cuModuleLoadData)(&mut raw, code.as_ptr().cast()) };
        shared.checked("cuModuleLoadData", status).map_err(wrong)?;
        Ok(Module {
            shared: shared.clone(),
            raw,
        })
    }

    fn kernel(&self, program: &Module, name: &str) -> Result<Kernel, CudaError> {
        let shared = &self.shared;
        let _current = shared.enter()?;
        let name = CString::new(name).expect("no zero in it");
        let mut raw = null_mut();
        // SAFETY: the module is loaded, the name ends with a zero, and the pointer has a place.
        let status =
            unsafe { (shared.driver.f.cuModuleGetFunction)(&mut raw, program.raw, name.as_ptr()) };
        shared.checked("cuModuleGetFunction", status)?;
        Ok(Kernel(raw))
    }

    fn allocate(&self, bytes: usize) -> Result<Buffer, CudaError> {
        let _current = self.shared.enter()?;
        self.shared.allocate(bytes, self.shared.stream)
    }

    fn upload(&self, bytes: &[u8]) -> Result<Buffer, CudaError> {
        let shared = &self.shared;
        let _current = shared.enter()?;
        let buffer = shared.allocate(bytes.len(), shared.uploads)?;
        // SAFETY: both have as many bytes, which stay until they are copied.
        let status = unsafe {
            (shared.driver.f.cuMemcpyHtoDAsync_v2)(
                buffer.at,
                bytes.as_ptr().cast(),
                bytes.len(),
                shared.uploads,
            )
        };
        let queued = shared.checked("cuMemcpyHtoDAsync", status);
        let done = shared.wait(shared.uploads);
        queued.and(done)?;
        Ok(buffer)
    }

    fn fill(
        &self,
        memory: &Buffer,
        word: u32,
        first: usize,
        words: usize,
    ) -> Result<(), CudaError> {
        assert!(first + words <= memory.bytes / 4);
        let shared = &self.shared;
        let _current = shared.enter()?;
        let at = memory.at + 4 * first as u64;
        // SAFETY: the memory has so many words.
        let status = unsafe { (shared.driver.f.cuMemsetD32Async)(at, word, words, shared.stream) };
        shared.checked("cuMemsetD32Async", status)
    }

    fn launch(
        &self,
        kernel: &mut Kernel,
        args: &[Argument<'_, Buffer>],
        threads: usize,
        group: usize,
    ) -> Result<(), CudaError> {
        let shared = &self.shared;
        let _current = shared.enter()?;
        let value = |arg: &Argument<'_, Buffer>| match arg {
            Argument::Memory(m) => m.at,
            Argument::Number(n) => *n as u64,
            // The machines of CUDA have the low end first.
            Argument::Units(n) => u64::from(*n),
        };
        let mut values: Vec<u64> = args.iter().map(value).collect();
        let places = values.iter_mut().map(|v| (&raw mut *v).cast());
        let mut places: Vec<*mut c_void> = places.collect();
        let (blocks, size) = ((threads / group) as u32, group as u32);
        // SAFETY: each argument has a place, whose first bytes are those of its type; they are copied.
        let status = unsafe {
            (shared.driver.f.cuLaunchKernel)(
                kernel.0,
                blocks,
                1,
                1,
                size,
                1,
                1,
                0,
                shared.stream,
                places.as_mut_ptr(),
                null_mut(),
            )
        };
        shared.checked("cuLaunchKernel", status)
    }

    fn read(&self, memory: &Buffer, to: &mut [u8]) -> Result<(), CudaError> {
        assert!(to.len() <= memory.bytes);
        let shared = &self.shared;
        let _current = shared.enter()?;
        // SAFETY: both have as many bytes, which stay until they are copied.
        let status = unsafe {
            (shared.driver.f.cuMemcpyDtoHAsync_v2)(
                to.as_mut_ptr().cast(),
                memory.at,
                to.len(),
                shared.stream,
            )
        };
        let queued = shared.checked("cuMemcpyDtoHAsync", status);
        let done = shared.wait(shared.stream);
        queued.and(done)
    }
}
