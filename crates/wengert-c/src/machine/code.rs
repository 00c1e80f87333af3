//! Code of a program: what the compiler of the device made of its source, and its kernels.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use wengert_loop::loops::Failure;
use wengert_loop::types::DType;
use wengert_run::{CompileError, DeviceCode, DeviceMemory, Options, RunError};

use super::memory::Memory;
use super::run::{Call, Running};
use super::{Link, Manner, Queue};
use crate::kernels::Plan;

/// Units of the pool of lists of a first call.
const UNITS: u32 = 1 << 14;

/// A built text.
pub(super) struct Source<Q: Queue> {
    pub program: Q::Program,
    pub text: String,
}

/// A built text with what its programs say when they fail, which programs may share.
pub(super) struct Built<Q: Queue> {
    pub source: Arc<Source<Q>>,
    pub failures: Vec<Failure>,
}

/// What changes from call to call: under a lock, since the arguments of a kernel may belong to it.
pub(super) struct State<Q: Queue> {
    pub kernels: HashMap<String, Q::Kernel>,
    /// Units of the pool of lists.
    pub units: u32,
}

/// Code of a program.
pub(super) struct Code<Q: Queue> {
    /// Kernels are dropped before the program that they are of.
    state: Mutex<State<Q>>,
    pub built: Arc<Built<Q>>,
    pub link: Arc<Link<Q>>,
    pub plan: Plan,
    /// The results that the program names.
    pub named: Vec<bool>,
    pub list_limit: usize,
    pub manner: Manner,
}

impl<Q: Queue> Debug for Code<Q> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.link.queue.facts().name;
        f.debug_tuple("Code").field(name).finish()
    }
}

impl<Q: Queue> Code<Q> {
    pub fn new(
        link: Arc<Link<Q>>,
        built: Arc<Built<Q>>,
        plan: Plan,
        named: Vec<bool>,
        options: &Options,
        manner: Manner,
    ) -> Result<Code<Q>, CompileError> {
        let mut kernels = HashMap::new();
        for name in plan.kernels() {
            let found = link.queue.kernel(&built.source.program, name);
            let found = found.map_err(|e| CompileError::Internal(format!("{name}: {e}")))?;
            kernels.insert(name.to_string(), found);
        }
        Ok(Code {
            state: Mutex::new(State {
                kernels,
                units: UNITS,
            }),
            built,
            link,
            plan,
            named,
            list_limit: options.list_limit,
            manner,
        })
    }

    /// Checks the arguments of a call.
    fn arguments<'a>(
        &self,
        inputs: &[&'a Arc<dyn DeviceMemory>],
    ) -> Result<Vec<Option<&'a Memory<Q>>>, RunError> {
        let mut all = vec![];
        for (i, port) in self.plan.inputs.iter().enumerate() {
            if port.dtype == DType::Bool && port.len == 0 {
                all.push(None);
                continue;
            }
            let wanted = || format!("input {i}: expected {}[{}]", port.dtype, port.len);
            let Some(given) = inputs.get(i) else {
                let what = format!("{}, and there is none", wanted());
                return Err(self.link.failed(&what));
            };
            let memory = given.as_any().downcast_ref::<Memory<Q>>();
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

impl<Q: Queue> DeviceCode for Code<Q> {
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
        format!("{}\n{}", self.plan, self.built.source.text)
    }
}
