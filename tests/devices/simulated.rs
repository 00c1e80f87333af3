//! A device of the tests: memory of its own kind, and a queue that a thread works off.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use wengert::DType;
use wengert::backend::{Backend, Cranelift, Device, DeviceCode, DeviceMemory, Target};
use wengert_ir::buffer::Data;
use wengert_loop::loops::{BufferKind, Program, Stmt, walk};
use wengert_run::{CompileError, Executable, Options, RunError};

/// What the device has done and holds.
#[derive(Debug, Default)]
pub struct Counts {
    pub uploads: AtomicUsize,
    pub downloads: AtomicUsize,
    pub launches: AtomicUsize,
    /// Bytes that are allocated.
    pub live: AtomicUsize,
}

impl Counts {
    /// Returns uploads, downloads and launches.
    pub fn all(&self) -> [usize; 3] {
        [&self.uploads, &self.downloads, &self.launches].map(|n| n.load(Ordering::SeqCst))
    }

    pub fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// What a handle and its memory share.
struct State {
    name: String,
    counts: Counts,
    /// Bytes that may be allocated.
    limit: usize,
    /// What elements it has not.
    without: BTreeSet<&'static str>,
    /// Jobs run while nobody holds it.
    gate: Arc<Mutex<()>>,
}

pub struct Simulated {
    state: Arc<State>,
    queue: Mutex<Sender<Job>>,
}

impl Simulated {
    pub fn new(name: &str) -> Arc<Simulated> {
        Simulated::with(name, usize::MAX, &[])
    }

    /// Makes a device with so much memory and without elements of some types.
    pub fn with(name: &str, limit: usize, without: &[DType]) -> Arc<Simulated> {
        let (queue, jobs) = channel::<Job>();
        let gate: Arc<Mutex<()>> = Arc::default();
        let opens = gate.clone();
        std::thread::spawn(move || {
            for job in jobs {
                drop(opens.lock());
                job();
            }
        });
        Arc::new(Simulated {
            state: Arc::new(State {
                name: name.into(),
                counts: Counts::default(),
                limit,
                without: without.iter().map(|d| d.name()).collect(),
                gate,
            }),
            queue: Mutex::new(queue),
        })
    }

    pub fn counts(&self) -> &Counts {
        &self.state.counts
    }

    /// Stops the queue until the guard is dropped.
    pub fn pause(&self) -> MutexGuard<'_, ()> {
        self.state.gate.lock().unwrap()
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Simulated({})", self.state.name)
    }
}

impl State {
    fn error(&self, what: impl Into<String>) -> RunError {
        RunError::Device {
            device: self.name.clone(),
            what: what.into(),
        }
    }

    fn allocate(self: &Arc<State>, dtype: DType, len: usize) -> Result<Memory, RunError> {
        let bytes = dtype.bytes() * len;
        let before = self.counts.live.fetch_add(bytes, Ordering::SeqCst);
        if before + bytes > self.limit {
            self.counts.live.fetch_sub(bytes, Ordering::SeqCst);
            return Err(self.error(format!(
                "{bytes} bytes are asked for, and it has no memory for them"
            )));
        }
        Ok(Memory {
            state: self.clone(),
            dtype,
            len,
            cell: Arc::default(),
        })
    }
}

/// Words in an order of the device's own, once the call that makes them has run.
type Cell = Result<Vec<u64>, RunError>;

/// What a call fills. Calls hold this alone of what they make, so the memory is released with the last of its users.
#[derive(Default)]
struct Promise {
    cell: Mutex<Option<Cell>>,
    full: Condvar,
}

impl Promise {
    fn put(&self, cell: Cell) {
        *self.cell.lock().unwrap() = Some(cell);
        self.full.notify_all();
    }
}

struct Memory {
    state: Arc<State>,
    dtype: DType,
    len: usize,
    cell: Arc<Promise>,
}

impl Memory {
    /// Waits for the elements.
    fn get(&self) -> Result<Data, RunError> {
        let mut cell = self.cell.cell.lock().unwrap();
        while cell.is_none() {
            cell = self.cell.full.wait(cell).unwrap();
        }
        let words = cell.as_ref().expect("waited for").clone()?;
        let mut data = Data::zeros(self.dtype, self.len);
        for (i, word) in words.iter().rev().enumerate() {
            data.set_bits(i, !word);
        }
        Ok(data)
    }
}

/// Returns the elements as the device keeps them: backwards, with all bits turned.
fn words(data: &Data) -> Vec<u64> {
    (0..data.len()).rev().map(|i| !data.bits(i)).collect()
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} on {}", self.len, self.dtype, self.state.name)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let bytes = self.dtype.bytes() * self.len;
        self.state.counts.live.fetch_sub(bytes, Ordering::SeqCst);
    }
}

impl DeviceMemory for Memory {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn len(&self) -> usize {
        self.len
    }

    fn download(&self) -> Result<Data, RunError> {
        self.state.counts.downloads.fetch_add(1, Ordering::SeqCst);
        self.get()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Device for Simulated {
    fn name(&self) -> String {
        self.state.name.clone()
    }

    fn target(&self, options: &Options) -> Target {
        Cranelift.target(options)
    }

    fn upload(&self, data: &Data) -> Result<Arc<dyn DeviceMemory>, RunError> {
        if self.state.without.contains(data.dtype().name()) {
            return Err(self
                .state
                .error(format!("it has no elements of {}", data.dtype())));
        }
        let memory = self.state.allocate(data.dtype(), data.len())?;
        memory.cell.put(Ok(words(data)));
        self.state.counts.uploads.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(memory))
    }

    fn compile(
        &self,
        program: &Program,
        options: &Options,
    ) -> Result<Box<dyn DeviceCode>, CompileError> {
        let mut refused = None;
        for b in &program.buffers {
            if self.state.without.contains(b.dtype.name()) {
                refused = Some(format!("no elements of {}", b.dtype));
            }
        }
        walk::stmts(&program.body, &mut |s| {
            if let Stmt::Kernel { kernel, .. } = s
                && self.state.without.contains("f32")
            {
                refused = Some(format!("no code for {}", kernel.description()));
            }
        });
        if let Some(refused) = refused {
            return Err(CompileError::Codegen(refused));
        }
        let mut inputs = vec![];
        let mut outputs = vec![];
        for b in &program.buffers {
            let (list, i) = match b.kind {
                BufferKind::Input(i) => (&mut inputs, i as usize),
                BufferKind::Output(i) => (&mut outputs, i as usize),
                _ => continue,
            };
            list.resize(list.len().max(i + 1), None);
            list[i] = Some((b.dtype, b.len));
        }
        Ok(Box::new(Code {
            state: self.state.clone(),
            queue: self.queue.lock().unwrap().clone().into(),
            code: Arc::new(Cranelift.compile(program, options)?),
            inputs,
            outputs,
        }))
    }
}

struct Code {
    state: Arc<State>,
    queue: Mutex<Sender<Job>>,
    code: Arc<Executable>,
    inputs: Vec<Option<(DType, usize)>>,
    outputs: Vec<Option<(DType, usize)>>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl DeviceCode for Code {
    fn run(
        &self,
        inputs: &[&Arc<dyn DeviceMemory>],
    ) -> Result<Vec<Option<Arc<dyn DeviceMemory>>>, RunError> {
        for (input, spec) in inputs.iter().zip(&self.inputs) {
            let mine = input.as_any().downcast_ref::<Memory>();
            assert!(mine.is_some_and(|m| Arc::ptr_eq(&m.state, &self.state)));
            if let Some(spec) = spec {
                assert_eq!((input.dtype(), input.len()), *spec);
            }
        }
        let outputs = self.outputs.iter();
        let outputs = outputs.map(|spec| {
            let Some((dtype, len)) = *spec else {
                return Ok(None);
            };
            self.state.allocate(dtype, len).map(|m| Some(Arc::new(m)))
        });
        let outputs = outputs.collect::<Result<Vec<Option<Arc<Memory>>>, _>>()?;
        self.state.counts.launches.fetch_add(1, Ordering::SeqCst);

        let code = self.code.clone();
        let to = outputs
            .iter()
            .map(|m| m.as_ref().map(|m| (m.dtype, m.len, m.cell.clone())));
        let to: Vec<Option<(DType, usize, Arc<Promise>)>> = to.collect();
        let from: Vec<Arc<dyn DeviceMemory>> = inputs.iter().map(|m| (*m).clone()).collect();
        let job = move || {
            let results = run(&code, &from, &to);
            // Whoever waits for the results finds the arguments released.
            drop(from);
            for (i, promise) in to.iter().enumerate() {
                let Some((_, _, promise)) = promise else {
                    continue;
                };
                promise.put(match &results {
                    Ok(all) => Ok(words(&all[i])),
                    Err(e) => Err(e.clone()),
                });
            }
        };
        let queued = self.queue.lock().unwrap().send(Box::new(job));
        queued.map_err(|_| self.state.error("its queue has ended"))?;
        let shared = |m: Arc<Memory>| m as Arc<dyn DeviceMemory>;
        Ok(outputs.into_iter().map(|m| m.map(shared)).collect())
    }

    fn listing(&self) -> String {
        "a program of the simulated device\n  1 launch".into()
    }
}

fn run(
    code: &Executable,
    from: &[Arc<dyn DeviceMemory>],
    to: &[Option<(DType, usize, Arc<Promise>)>],
) -> Result<Vec<Data>, RunError> {
    let of = |m: &Arc<dyn DeviceMemory>| {
        m.as_any()
            .downcast_ref::<Memory>()
            .expect("looked at")
            .get()
    };
    let inputs = from.iter().map(of).collect::<Result<Vec<Data>, _>>()?;
    let empty = || Data::zeros(DType::Bool, 0);
    let made = to
        .iter()
        .map(|m| (m.as_ref()).map_or_else(empty, |m| Data::zeros(m.0, m.1)));
    let mut results: Vec<Data> = made.collect();
    let inputs: Vec<&Data> = inputs.iter().collect();
    let mut outputs: Vec<&mut Data> = results.iter_mut().collect();
    code.run(&inputs, &mut outputs)?;
    Ok(results)
}
