//! What follows plans: the part of a runtime that is the same for every interface of devices.
//!
//! A crate for devices implements [`Queue`]: memory, commands that run in the order in which they are queued, and a
//! compiler. A [`Machine`] makes a [`Device`] of it. It compiles programs by [`kernels`](crate::kernels), follows their
//! plans, uses memory again, cuts calls that need much of it, runs calls again whose lists had no room, and passes
//! failures on to calls that take the results of those that failed.
//!
//! ```
//! use std::convert::Infallible;
//! use wengert_c::Dialect;
//! use wengert_c::machine::{Argument, Facts, Machine, Queue};
//! use wengert_run::{CompileError, Device};
//!
//! /// The memory of the host, and no compiler.
//! struct Host(Facts);
//!
//! impl Queue for Host {
//!     type Memory = std::sync::Mutex<Vec<u8>>;
//!     type Program = ();
//!     type Kernel = ();
//!     type Error = Infallible;
//!     const DIALECT: Dialect = Dialect::OpenCl;
//!
//!     fn facts(&self) -> &Facts {
//!         &self.0
//!     }
//!     fn build(&self, _source: &str) -> Result<(), CompileError> {
//!         Err(CompileError::Machine("there is no compiler".into()))
//!     }
//!     fn kernel(&self, _: &(), _name: &str) -> Result<(), Infallible> {
//!         Ok(())
//!     }
//!     fn allocate(&self, bytes: usize) -> Result<Self::Memory, Infallible> {
//!         Ok(vec![0; bytes].into())
//!     }
//!     fn upload(&self, bytes: &[u8]) -> Result<Self::Memory, Infallible> {
//!         Ok(bytes.to_vec().into())
//!     }
//!     fn fill(&self, memory: &Self::Memory, word: u32, first: usize, words: usize) -> Result<(), Infallible> {
//!         let mut memory = memory.lock().unwrap();
//!         memory[4 * first..4 * (first + words)].copy_from_slice(&word.to_le_bytes().repeat(words));
//!         Ok(())
//!     }
//!     fn launch(&self, _: &mut (), _: &[Argument<'_, Self::Memory>], _: usize, _: usize) -> Result<(), Infallible> {
//!         Ok(())
//!     }
//!     fn read(&self, memory: &Self::Memory, to: &mut [u8]) -> Result<(), Infallible> {
//!         to.copy_from_slice(&memory.lock().unwrap()[..to.len()]);
//!         Ok(())
//!     }
//! }
//!
//! let machine = Machine::new(Host(Facts::of("the host")));
//! let there = wengert::Array::from([1.0, 2.0]).to_device(&machine.into())?;
//! assert_eq!(there.get::<f64>(1)?, 2.0);
//! # Ok::<(), wengert::Error>(())
//! ```

mod code;
mod memory;
mod run;

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wengert_loop::buffer::Data;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::loops::{BufferKind, Program};
use wengert_loop::target::Target;
use wengert_loop::types::DType;
use wengert_run::{CompileError, Device, DeviceCode, DeviceMemory, Options, RunError};

use crate::kernels::{Grain, Kernels, Plan};
use crate::{CError, Dialect};

use code::{Built, Code, Source};
use memory::{Memory, Pool};

/// The bytes of scratch of a launch or of rows in flight, if there is more memory.
const SCRATCH: usize = 1 << 30;

/// The code of a program, or why there is none.
pub type Compiled = Result<Box<dyn DeviceCode>, CompileError>;

/// What an interface of devices does for a [`Machine`]: see the [module](self) for an example.
///
/// Commands run one after the other, in the order in which they are queued, as if no two ran at once. Nobody waits for
/// them but [`read`](Queue::read), so errors of earlier commands may appear in later calls. Any number of threads call.
pub trait Queue: Send + Sync + Sized + 'static {
    /// Memory of the device. It is dropped while commands that use it may still wait: it must be there until they have
    /// run.
    type Memory: Send + Sync;
    /// A built source. It is dropped while kernels of it may still wait, too.
    type Program: Send + Sync;
    /// A kernel of a program, which lives at least as long. It is used by one thread at a time.
    type Kernel: Send;
    /// Why something failed.
    type Error: std::error::Error;

    /// The dialect of the device's compiler.
    const DIALECT: Dialect;

    /// Returns what a machine must know of the device.
    fn facts(&self) -> &Facts;

    /// Compiles a source.
    ///
    /// # Errors
    /// If the compiler refuses it. The error has what it said.
    fn build(&self, source: &str) -> Result<Self::Program, CompileError>;

    /// Finds a kernel.
    ///
    /// # Errors
    /// If the program has none of this name, or the device cannot run it.
    fn kernel(&self, program: &Self::Program, name: &str) -> Result<Self::Kernel, Self::Error>;

    /// Allocates memory with any contents.
    ///
    /// # Errors
    /// If there is not enough.
    fn allocate(&self, bytes: usize) -> Result<Self::Memory, Self::Error>;

    /// Allocates memory with a copy of these bytes, which are the caller's again when this returns.
    ///
    /// # Errors
    /// If there is not enough.
    fn upload(&self, bytes: &[u8]) -> Result<Self::Memory, Self::Error>;

    /// Queues to set words of memory, from number `first` on.
    ///
    /// # Errors
    /// If it cannot be queued.
    ///
    /// # Panics
    /// If the memory has fewer words.
    fn fill(
        &self,
        memory: &Self::Memory,
        word: u32,
        first: usize,
        words: usize,
    ) -> Result<(), Self::Error>;

    /// Queues a launch of so many threads, in groups of a size that divides their number.
    ///
    /// # Errors
    /// If it cannot be queued.
    fn launch(
        &self,
        kernel: &mut Self::Kernel,
        args: &[Argument<'_, Self::Memory>],
        threads: usize,
        group: usize,
    ) -> Result<(), Self::Error>;

    /// Says that no command follows for a while, so that the device may begin with those that it has.
    ///
    /// # Errors
    /// If an earlier command failed.
    fn flush(&self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Waits for all that is queued, and copies the first bytes of memory.
    ///
    /// # Errors
    /// If an earlier command failed.
    ///
    /// # Panics
    /// If the memory has fewer bytes.
    fn read(&self, memory: &Self::Memory, to: &mut [u8]) -> Result<(), Self::Error>;
}

/// An argument of a kernel.
#[derive(Debug)]
pub enum Argument<'a, M> {
    /// A pointer to memory.
    Memory(&'a M),
    /// A number.
    Number(i64),
    /// The number of units of the pool of lists.
    Units(u32),
}

/// What a machine must know of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// Its name, for people.
    pub name: String,
    /// The bytes of all its memory.
    pub memory: usize,
    /// The most bytes of one allocation.
    pub largest: usize,
    /// Whether it has `f64`.
    pub doubles: bool,
    /// The size of groups of threads that may have any.
    pub group: usize,
    /// The most groups of a launch.
    pub groups: usize,
    /// Whether it keeps memory that is dropped for later allocations. If not, the machine does.
    pub pools: bool,
}

impl Facts {
    /// A device of this name with `f64`, and no limits that are known.
    ///
    /// ```
    /// let mut facts = wengert_c::machine::Facts::of("a device");
    /// facts.memory = 1 << 30;
    /// assert!(facts.doubles && !facts.pools);
    /// ```
    pub fn of(name: &str) -> Facts {
        Facts {
            name: name.into(),
            memory: usize::MAX,
            largest: usize::MAX,
            doubles: true,
            group: 64,
            groups: usize::MAX,
            pools: false,
        }
    }
}

/// A device that runs programs through a [`Queue`]. Any number of threads may use it; their calls share the queue.
pub struct Machine<Q: Queue> {
    link: Arc<Link<Q>>,
    manner: Manner,
}

/// How programs are cut and run.
#[derive(Clone, Copy)]
struct Manner {
    grain: Grain,
    /// The bytes of scratch of rows in flight, or of a launch.
    scratch: usize,
    /// Whether results are zero before a program writes them.
    zeroed: bool,
}

/// The device as all that belongs to it knows it.
struct Link<Q: Queue> {
    pool: Pool<Q::Memory>,
    /// What is built and still used.
    sources: Mutex<Vec<Weak<Source<Q>>>>,
    queue: Q,
}

impl<Q: Queue> Link<Q> {
    fn failed(&self, e: &dyn fmt::Display) -> RunError {
        RunError::Device {
            device: self.queue.facts().name.clone(),
            what: e.to_string(),
        }
    }

    /// Builds a text, unless it is built.
    fn build(&self, text: String) -> Result<Arc<Source<Q>>, CompileError> {
        let sources = || self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sources()
            .iter()
            .filter_map(Weak::upgrade)
            .find(|s| s.text == text);
        if let Some(source) = found {
            return Ok(source);
        }
        let program = self.queue.build(&text)?;
        let source = Arc::new(Source { program, text });
        let mut sources = sources();
        sources.retain(|s| s.strong_count() > 0);
        sources.push(Arc::downgrade(&source));
        Ok(source)
    }
}

impl<Q: Queue> Debug for Machine<Q> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.link.queue.facts().name;
        f.debug_tuple("Machine").field(name).finish()
    }
}

impl<Q: Queue> Machine<Q> {
    /// Makes a machine of a queue.
    pub fn new(queue: Q) -> Machine<Q> {
        let facts = queue.facts();
        let manner = Manner {
            grain: Grain::default(),
            scratch: SCRATCH.min(facts.largest / 2).min(facts.memory / 8),
            zeroed: false,
        };
        let link = Link {
            pool: Pool::default(),
            sources: Mutex::default(),
            queue,
        };
        Machine {
            link: Arc::new(link),
            manner,
        }
    }

    /// Returns the same device for programs whose work is cut in another way. No bit depends on it.
    pub fn with_grain(&self, grain: Grain) -> Machine<Q> {
        self.with(Manner {
            grain,
            ..self.manner
        })
    }

    /// Returns the same device for programs whose scratch of rows, or of the threads of a launch, takes so many bytes: calls
    /// that need more are cut. One row, and one group of threads, have what they need. The default is a gibibyte, or less
    /// if the device has little memory.
    pub fn with_scratch(&self, bytes: usize) -> Machine<Q> {
        self.with(Manner {
            scratch: bytes,
            ..self.manner
        })
    }

    /// Returns the same device for programs that may leave elements of their results unwritten: these are zero, which takes a
    /// pass over the results. Programs that are lowered from functions write all.
    pub fn with_zeroed_results(&self) -> Machine<Q> {
        self.with(Manner {
            zeroed: true,
            ..self.manner
        })
    }

    fn with(&self, manner: Manner) -> Machine<Q> {
        Machine {
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
        let facts = self.link.queue.facts();
        if !facts.doubles {
            return Err(CompileError::Machine(format!(
                "{} has no f64, in which functions of f32 are computed, too",
                facts.name
            )));
        }
        let mut kernels = Kernels::new(Q::DIALECT).grain(self.manner.grain);
        let plan = |program: &&Program| match options.unroll {
            true => kernels.add(&prepare(program)),
            false => kernels.add(program),
        };
        let plans: Vec<_> = programs.iter().map(plan).collect();
        let built = Arc::new(Built {
            source: self.link.build(kernels.source())?,
            failures: kernels.failures().to_vec(),
        });
        let code = |(plan, program): (Result<Plan, CError>, &&Program)| {
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
}

impl<Q: Queue> From<Machine<Q>> for wengert::Device {
    fn from(machine: Machine<Q>) -> wengert::Device {
        wengert::Device::new(machine)
    }
}

impl<Q: Queue> Device for Machine<Q> {
    fn name(&self) -> String {
        self.link.queue.facts().name.clone()
    }

    /// Steps of nests are tasks of their own from few elements on, since each is a row of threads.
    fn target(&self, _: &Options) -> Target {
        let mut target = Target::default().without_library();
        target.tasks_from = 256;
        target.task = 1;
        target
    }

    fn upload(&self, data: &Data) -> Result<Arc<dyn DeviceMemory>, RunError> {
        if data.dtype() == DType::F64 && !self.link.queue.facts().doubles {
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
