//! Code of a program: what the compiler of the device made of its source, and its kernels.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use wengert_c::kernels::{Plan, Step};
use wengert_loop::loops::Failure;
use wengert_loop::types::DType;
use wengert_run::{CompileError, DeviceCode, DeviceMemory, Options, RunError};

use crate::api::{Raw, checked, text};
use crate::device::{Link, Manner};
use crate::memory::Memory;
use crate::run::{Call, Running};

const BUILD_LOG: u32 = 0x1183;

/// Units of the pool of lists of a first call.
const UNITS: u32 = 1 << 14;

/// A built source, which programs may share.
pub(crate) struct Built {
    pub link: Arc<Link>,
    pub program: Raw,
    pub source: String,
    pub failures: Vec<Failure>,
}

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Built {}
// SAFETY: as above.
unsafe impl Sync for Built {}

impl Drop for Built {
    fn drop(&mut self) {
        // SAFETY: its kernels hold it as long as they need it.
        unsafe { (self.link.api.clReleaseProgram)(self.program) };
    }
}

impl Built {
    /// What the compiler said.
    pub fn log(&self) -> String {
        let api = self.link.api;
        let (mut size, null) = (0, std::ptr::null_mut());
        // SAFETY: the program is valid, and the size has a place.
        let asked = unsafe {
            (api.clGetProgramBuildInfo)(
                self.program,
                self.link.device,
                BUILD_LOG,
                0,
                null,
                &mut size,
            )
        };
        let mut bytes = vec![0u8; size];
        // SAFETY: there is room for so many bytes.
        let said = unsafe {
            (api.clGetProgramBuildInfo)(
                self.program,
                self.link.device,
                BUILD_LOG,
                size,
                bytes.as_mut_ptr().cast(),
                std::ptr::null_mut(),
            )
        };
        match (asked, said) {
            (0, 0) => text(&bytes),
            _ => "the compiler said nothing".into(),
        }
    }
}

/// What changes from call to call: under a lock, since the arguments of a kernel belong to it.
pub(crate) struct State {
    pub kernels: HashMap<String, Raw>,
    /// Units of the pool of lists.
    pub units: u32,
}

// SAFETY: a handle may be used from any thread, by one at a time.
unsafe impl Send for State {}

/// Code of a program.
pub(crate) struct Code {
    pub link: Arc<Link>,
    pub built: Arc<Built>,
    pub plan: Plan,
    /// The results that the program names.
    pub named: Vec<bool>,
    pub list_limit: usize,
    pub manner: Manner,
    state: Mutex<State>,
}

impl Debug for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Code").field(&self.link.name).finish()
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for &kernel in state.kernels.values() {
            // SAFETY: the queue holds it as long as it needs it.
            unsafe { (self.link.api.clReleaseKernel)(kernel) };
        }
    }
}

impl Code {
    pub fn new(
        link: Arc<Link>,
        built: Arc<Built>,
        plan: Plan,
        named: Vec<bool>,
        options: &Options,
        manner: Manner,
    ) -> Result<Code, CompileError> {
        let mut names = vec![];
        launches(&plan.steps, &mut names);
        let code = Code {
            link,
            built,
            plan,
            named,
            list_limit: options.list_limit,
            manner,
            state: Mutex::new(State {
                kernels: HashMap::new(),
                units: UNITS,
            }),
        };
        {
            let mut state = code.state.lock().unwrap_or_else(PoisonError::into_inner);
            for name in names {
                let c = CString::new(name.as_str()).expect("no zero in it");
                let mut status = 0;
                // SAFETY: the program is built, and the name ends with a zero.
                let kernel = unsafe {
                    (code.link.api.clCreateKernel)(code.built.program, c.as_ptr(), &mut status)
                };
                let made = checked("clCreateKernel", status);
                made.map_err(|e| CompileError::Internal(format!("{name}: {e}")))?;
                state.kernels.insert(name, kernel);
            }
        }
        Ok(code)
    }

    /// Checks the arguments of a call.
    fn arguments<'a>(
        &self,
        inputs: &[&'a Arc<dyn DeviceMemory>],
    ) -> Result<Vec<Option<&'a Memory>>, RunError> {
        let mut all = vec![];
        for (i, port) in self.plan.inputs.iter().enumerate() {
            if port.dtype == DType::Bool && port.len == 0 {
                all.push(None);
                continue;
            }
            let wanted = || format!("input {i}: expected {}[{}]", port.dtype, port.len);
            let Some(given) = inputs.get(i) else {
                return Err(self
                    .link
                    .failed(&format!("{}, and there is none", wanted())));
            };
            let memory = given.as_any().downcast_ref::<Memory>();
            let memory = memory.filter(|m| Arc::ptr_eq(&m.link, &self.link));
            let Some(memory) = memory else {
                let what = format!("{}, found memory of another device", wanted());
                return Err(self.link.failed(&what));
            };
            if (memory.dtype(), memory.len()) != (port.dtype, port.len) {
                let what = format!("{}, found {}[{}]", wanted(), memory.dtype(), memory.len());
                return Err(self.link.failed(&what));
            }
            all.push(Some(memory));
        }
        Ok(all)
    }
}

/// The names of the kernels that steps launch.
fn launches(steps: &[Step], names: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Launch(l) => names.push(l.kernel.clone()),
            Step::Rows(r) => launches(&r.steps, names),
            Step::For { steps, .. } => launches(steps, names),
            Step::While { cond, steps, .. } => {
                launches(cond, names);
                launches(steps, names);
            }
            Step::If {
                then, otherwise, ..
            } => {
                launches(then, names);
                launches(otherwise, names);
            }
        }
    }
}

impl DeviceCode for Code {
    fn run(
        &self,
        inputs: &[&Arc<dyn DeviceMemory>],
    ) -> Result<Vec<Option<Arc<dyn DeviceMemory>>>, RunError> {
        let inputs = self.arguments(inputs)?;
        let parents = Call::parents(inputs.iter().flatten().filter_map(|m| m.call.as_ref()))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (call, outputs) = Running::all(self, &mut state, &inputs, parents)?;
        let results = self.plan.outputs.iter().zip(outputs);
        let results = results.map(|(port, block)| {
            let block = block?;
            let memory = Memory::new(&self.link, block, port.dtype, port.len, call.clone());
            Some(Arc::new(memory) as Arc<dyn DeviceMemory>)
        });
        Ok(results.collect())
    }

    fn listing(&self) -> String {
        format!("{}\n{}", self.plan, self.built.source)
    }
}
