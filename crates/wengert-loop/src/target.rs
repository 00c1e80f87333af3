//! What a machine wants programs to be like. No bit of a result depends on it but by [`Target::fused`], which is asked
//! before a program is lowered: the order of sums is [`order`](crate::order)'s alone.

/// What whoever makes a program asks of the machine it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Whether a product and a sum with one rounding are one operation: then it pays to contract them.
    pub fused: bool,
    /// The number of tasks that run at the same time.
    pub threads: usize,
    /// Elements from which on a nest outside of lanes is cut into tasks.
    pub tasks_from: usize,
    /// The elements of a task.
    pub task: usize,
    /// Arrays of so many elements are better computed one element of a batch after the other, each with all that the
    /// machine has.
    pub wide: usize,
    /// The elements that stay near while a batch is computed operation by operation.
    pub near: usize,
    /// The elements of random numbers that are drawn at a time.
    pub strip: usize,
    /// The same in lanes, for each of them.
    pub lane_strip: usize,
}

impl Default for Target {
    /// A processor with some cores, and caches of common size, which contracts products and sums.
    fn default() -> Target {
        Target {
            fused: true,
            threads: 4,
            tasks_from: 65_536,
            task: 32_768,
            wide: 16_384,
            near: 65_536,
            strip: 512,
            lane_strip: 64,
        }
    }
}

impl Target {
    /// The same with or without contracted products and sums.
    pub fn with_fused(self, fused: bool) -> Target {
        Target { fused, ..self }
    }

    /// The same with this number of tasks at a time.
    pub fn with_threads(self, threads: usize) -> Target {
        let threads = threads.max(1);
        Target { threads, ..self }
    }
}
