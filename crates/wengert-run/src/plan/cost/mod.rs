//! Estimates of how long code runs, and how many bytes it moves: for the choice of threads, and for people.
//!
//! The [costs](Costs) of a program are those of its statements in the registers they are written for. They become
//! [prices](Priced) once it is said how many threads there are, and how many steps a loop of unknown length takes.

mod build;
mod line;
mod memory;

use std::collections::HashMap;
use std::sync::Arc;

use wengert_loop::cost::nanoseconds::{CYCLE, ENTER, ENTER_WIDE, SPREAD, STEPS};
use wengert_loop::loops::{Block, Kernel, LoopKind, Marks, Value, walk};

use self::line::{Line, Registers};
use self::memory::{Access, Around, Touched, footprint};

/// What a program costs.
#[derive(Debug)]
pub struct Costs {
    body: Node,
}

/// A statement that holds others, or a kernel, or the call.
#[derive(Debug)]
struct Node {
    what: What,
    marks: Marks,
    registers: Registers,
    /// The statements of a step that hold no others.
    line: Line,
    /// What they access.
    accesses: Vec<Access>,
    /// The statements that hold others.
    inner: Vec<Node>,
}

#[derive(Debug)]
enum What {
    Call,
    For {
        kind: LoopKind,
        index: Value,
        /// The number of steps if it is known, or at least seldom smaller.
        extent: Option<u64>,
    },
    While,
    /// A side of a branch, and how often it is taken.
    Side(f64),
    Kernel {
        kernel: Arc<dyn Kernel>,
        lanes: bool,
    },
}

/// What prices depend on besides the program.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Assumed {
    /// The number of threads.
    pub threads: usize,
    /// Nanoseconds of work below which a parallel loop runs on one thread.
    pub parallel_above: f64,
    /// The number of steps of a loop of unknown length.
    pub steps: f64,
}

impl Assumed {
    /// One thread, and a number of steps for loops of unknown length that is as good as any.
    pub const ONE_THREAD: Assumed = Assumed {
        threads: 1,
        parallel_above: f64::INFINITY,
        steps: STEPS,
    };
}

/// What the time of code is spent on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Instructions.
    Arithmetic,
    /// Operations that wait for each other's results.
    Waiting,
    /// Memory, or a cache that is not the nearest.
    Memory,
}

/// The price of a part of a program, in one call.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The marks of a loop.
    pub marks: Marks,
    /// The kernel, if the part is one.
    pub kernel: Option<Arc<dyn Kernel>>,
    /// Estimated nanoseconds.
    pub nanoseconds: f64,
    /// Bytes that are read from and written to arrays.
    pub bytes: f64,
    /// What most of the time is spent on.
    pub bound: Bound,
    /// The number of threads that share the part.
    pub threads: usize,
    /// The number of steps of a loop, in the whole call.
    pub steps: f64,
    /// The index of a counted loop.
    pub index: Option<Value>,
    /// Whether the number of steps is not known beforehand.
    pub unknown: bool,
    /// The parts inside.
    pub parts: Vec<Priced>,
}

impl Costs {
    /// Returns the price of a call, with those of its parts.
    pub fn price(&self, assumed: &Assumed) -> Priced {
        let sized = Sized::of(&self.body, 0, assumed);
        let mut priced = sized.price(1.0, &[], assumed);
        priced.share(1.0, 1);
        priced
    }

    /// Returns the nanoseconds of a step of each parallel loop on one thread, by its index.
    pub fn parallel_steps(&self) -> HashMap<Value, f64> {
        let mut found = HashMap::new();
        if self.body.is_parallel() {
            self.price(&Assumed::ONE_THREAD).add_steps(&mut found);
        }
        found
    }
}

impl Node {
    fn is_parallel(&self) -> bool {
        let parallel = matches!(
            self.what,
            What::For {
                kind: LoopKind::Parallel,
                ..
            }
        );
        parallel || self.inner.iter().any(Node::is_parallel)
    }

    /// How often its line runs each time it is entered.
    fn steps(&self, assumed: &Assumed) -> f64 {
        match &self.what {
            What::For { kind, extent, .. } => {
                let n = extent.map_or(assumed.steps, |n| n as f64);
                match kind {
                    LoopKind::Vector => (n / 8.0).ceil(),
                    _ => n,
                }
            }
            What::While => assumed.steps,
            What::Side(often) => *often,
            What::Call | What::Kernel { .. } => 1.0,
        }
    }
}

/// A node with what its steps touch.
struct Sized<'n> {
    node: &'n Node,
    inner: Vec<Sized<'n>>,
    /// What each access in it touches in all its steps.
    touched: Vec<(&'n Access, Touched)>,
    /// The bytes that a step touches.
    footprint: f64,
    steps: f64,
}

impl<'n> Sized<'n> {
    fn of(node: &'n Node, depth: usize, assumed: &Assumed) -> Sized<'n> {
        let inner: Vec<Sized<'n>> = (node.inner.iter())
            .map(|n| Sized::of(n, depth + 1, assumed))
            .collect();
        let mut touched: Vec<(&Access, Touched)> =
            node.accesses.iter().map(|a| (a, a.once())).collect();
        touched.extend(inner.iter().flat_map(|s| s.touched.iter().copied()));
        let footprint = footprint(touched.iter().map(|(a, t)| (*a, t.bytes)));
        let steps = node.steps(assumed);
        let (index, lanes) = node.index();
        for (access, touched) in &mut touched {
            *touched = access.repeated(*touched, (index, depth), steps * lanes, false);
        }
        Sized {
            node,
            inner,
            touched,
            footprint,
            steps,
        }
    }

    /// Returns the price of all `entries` on one thread. `around` are the loops around it, the innermost first.
    fn price(&self, entries: f64, around: &[Around], assumed: &Assumed) -> Priced {
        let node = self.node;
        let steps = entries * self.steps;
        let (index, lanes) = node.index();
        let mut within = vec![Around {
            index,
            steps: self.steps * lanes,
            footprint: self.footprint,
        }];
        within.extend(around);
        let parts: Vec<Priced> = (self.inner.iter())
            .map(|s| s.price(steps, &within, assumed))
            .collect();
        let computing = match &node.what {
            What::Kernel { kernel, lanes } => {
                let lanes = if *lanes { 8.0 } else { 1.0 };
                entries * lanes * kernel.nanoseconds()
            }
            _ => steps * CYCLE * node.line.cycles(node.registers),
        };
        let waiting = (node.accesses.iter())
            .map(|a| a.nanoseconds(&within))
            .sum::<f64>();
        let bytes = node.accesses.iter().map(|a| {
            let each = a.irregular >= within.len() - 1 && lanes > 1.0
                || a.moves.iter().any(|m| Some(m.0) == index);
            steps * a.element * if each { lanes } else { 1.0 }
        });
        let entering = match node.what {
            What::For {
                kind: LoopKind::Vector,
                ..
            } if matches!(node.registers, Registers::Wide(_)) => entries * ENTER_WIDE,
            What::For { .. } | What::While => entries * ENTER,
            _ => 0.0,
        };
        let own = entering + computing.max(waiting);
        let mut priced = Priced {
            marks: node.marks.clone(),
            kernel: match &node.what {
                What::Kernel { kernel, .. } => Some(kernel.clone()),
                _ => None,
            },
            nanoseconds: own + parts.iter().map(|p| p.nanoseconds).sum::<f64>(),
            bytes: bytes.sum::<f64>() + parts.iter().map(|p| p.bytes).sum::<f64>(),
            bound: match () {
                () if waiting > computing => Bound::Memory,
                () if node.line.waits(node.registers) => Bound::Waiting,
                () => Bound::Arithmetic,
            },
            threads: 1,
            steps: steps * lanes,
            index: match node.what {
                What::For { index, .. } => Some(index),
                _ => None,
            },
            unknown: match node.what {
                What::For { extent, .. } => extent.is_none(),
                What::While => true,
                _ => false,
            },
            parts,
        };
        if let Some(most) = priced
            .parts
            .iter()
            .max_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds))
            && most.nanoseconds > own
        {
            priced.bound = most.bound;
        }
        if let What::For {
            kind: LoopKind::Parallel,
            ..
        } = node.what
        {
            priced.threads = assumed.threads.min(self.steps as usize).max(1);
            let each = priced.nanoseconds / entries.max(1.0);
            if each < assumed.parallel_above {
                priced.threads = 1;
            }
        }
        if let What::Kernel {
            kernel,
            lanes: false,
        } = &node.what
            && kernel.nanoseconds() >= kernel.threads_from()
        {
            priced.threads = assumed.threads;
        }
        priced
    }
}

impl Node {
    /// The index of a loop, and how many of its numbers a step takes.
    fn index(&self) -> (Option<Value>, f64) {
        match self.what {
            What::For {
                index,
                kind: LoopKind::Vector,
                ..
            } => (Some(index), 8.0),
            What::For { index, .. } => (Some(index), 1.0),
            _ => (None, 1.0),
        }
    }
}

impl Priced {
    /// Divides the times of parts among the threads that share them. `taken` is the number of threads that share what is
    /// around the part.
    fn share(&mut self, entries: f64, taken: usize) {
        if taken > 1 {
            self.threads = 1;
        }
        let among = self.threads.max(taken);
        let before: f64 = self.parts.iter().map(|p| p.nanoseconds).sum();
        for part in &mut self.parts {
            part.share(self.steps, among);
        }
        if taken == 1 && self.threads == 1 {
            let after: f64 = self.parts.iter().map(|p| p.nanoseconds).sum();
            self.nanoseconds += after - before;
            return;
        }
        self.nanoseconds /= among as f64;
        if taken == 1 {
            self.nanoseconds += SPREAD * entries;
        }
    }

    fn add_steps(&self, found: &mut HashMap<Value, f64>) {
        if let Some(index) = self.index {
            found.insert(index, self.nanoseconds / self.steps.max(1.0));
        }
        self.parts.iter().for_each(|p| p.add_steps(found));
    }

    /// Visits the parts, outer ones before those inside.
    pub fn visit<'p>(&'p self, f: &mut dyn FnMut(&'p Priced)) {
        f(self);
        self.parts.iter().for_each(|p| p.visit(f));
    }
}

/// The approximate number of instructions of a block.
pub fn instructions(block: &Block, lanes: bool) -> usize {
    let mut total = 0;
    for s in &block.stmts {
        let inner = lanes || walk::loop_kind(s) == Some(LoopKind::Vector);
        total += if lanes { 4 } else { 1 };
        total += walk::blocks(s)
            .map(|b| instructions(b, inner))
            .sum::<usize>();
    }
    total
}
