//! Properties of the target machine that affect how programs are built. No bit of a result depends on them
//! except through [`Target::fused`], which is read before a program is lowered, and [`Target::library`]: the order of
//! sums depends on [`order`](crate::order) alone.

/// The properties of a machine for which a program is built.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Whether the machine has a fused multiply-add: then it pays to contract products and sums.
    pub fused: bool,
    /// Number of tasks that run at the same time.
    pub threads: Threads,
    /// Number of elements from which a nest outside of lanes is split into tasks.
    pub tasks_from: usize,
    /// Number of elements in a task.
    pub task: usize,
    /// Array size from which a batch is computed one element at a time, each element using the whole machine.
    pub wide: usize,
    /// Number of elements that stay in a near cache while a batch is computed operation by operation.
    pub near: usize,
    /// Number of random numbers drawn at a time.
    pub strip: usize,
    /// Number of random numbers drawn at a time in each lane of a vector loop.
    pub lane_strip: usize,
    /// Whether a library factorises large matrices. Without one loops do, as they do small matrices, with other
    /// roundings.
    pub library: bool,
}

impl Default for Target {
    /// Returns a processor with a few cores and caches of common size, which contracts products and sums.
    fn default() -> Target {
        Target {
            fused: true,
            threads: Threads(|| 4),
            tasks_from: 65_536,
            task: 32_768,
            wide: 16_384,
            near: 65_536,
            strip: 512,
            lane_strip: 64,
            library: true,
        }
    }
}

impl Target {
    /// Returns the target with or without contraction of products and sums.
    pub fn with_fused(self, fused: bool) -> Target {
        Target { fused, ..self }
    }

    /// Returns the target without a library.
    pub fn without_library(self) -> Target {
        let library = false;
        Target { library, ..self }
    }

    /// The same with this number of tasks at a time.
    pub fn with_threads(self, threads: fn() -> usize) -> Target {
        let threads = Threads(threads);
        Target { threads, ..self }
    }
}

/// A number of threads that is only asked for by who needs it, since to ask may start them.
#[derive(Clone, Copy, Debug)]
pub struct Threads(fn() -> usize);

impl Threads {
    /// Returns the number, at least 1.
    pub fn count(self) -> usize {
        (self.0)().max(1)
    }
}

impl PartialEq for Threads {
    fn eq(&self, other: &Threads) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Threads {}
