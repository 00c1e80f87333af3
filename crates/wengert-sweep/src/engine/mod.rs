//! What computes the rows of points.

pub(crate) mod plain;
pub(crate) mod traced;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wengert::tree::{self, TreeDef};
use wengert::{
    Array, DType, Executable, Jit, Result as Made, ShapeDtype, Tree, Var, arange, jit, vmap,
};

use crate::chunk::Chunk;
use crate::column::Columns;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::identity::{Identity, Text};

/// Why a chunk may end early.
pub(crate) type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// The time that a chunk is to take.
pub(crate) const TARGET: Duration = Duration::from_millis(300);

/// Sizes of batches are multiples of this: smaller batches may run in another way than in lanes, and with other bits.
pub(crate) const LANES: usize = 8;

/// How large chunks may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The points of a chunk, if they are given.
    pub chunk: Option<usize>,
    /// Bytes for all that is in memory at once.
    pub memory: u64,
}

/// A function on points. All engines know their columns before they compute anything.
pub(crate) trait Engine: Send {
    fn columns(&self) -> &Columns;

    /// The structures of a point's parameters and results.
    fn defs(&self) -> [&TreeDef; 2];

    fn identity(&self) -> &Identity;

    /// How many points the next chunk should have.
    fn want(&self) -> usize;

    /// Computes the rows of `count` points, fewer if `stop` says so.
    fn run(&mut self, first: u64, count: usize, stop: Stop<'_>) -> Result<Chunk>;
}

/// The copies of a chunk that are in memory: the one being computed, one that waits, one that is written, and its
/// bytes.
const COPIES: u64 = 4;

/// How many points fit into memory, if each has some bytes of rows and of scratch.
pub(crate) fn fitting(limits: &Limits, row: u64, scratch: f64) -> Result<usize> {
    let need = (COPIES * (row + 24)) as f64 + scratch;
    let most = (limits.memory as f64 / need).min(1e12) as usize;
    if most < LANES {
        return Err(Error::Memory {
            what: format!("a chunk of {LANES} points"),
            need: (need * LANES as f64) as u64,
            limit: limits.memory,
            hint: "",
        });
    }
    if let Some(chunk) = limits.chunk.filter(|&n| n > most) {
        return Err(Error::Memory {
            what: format!("a chunk of {chunk} points"),
            need: (need * chunk as f64) as u64,
            limit: limits.memory,
            hint: "without `chunk`, chunks are as large as fits",
        });
    }
    Ok(most)
}

/// The points of a design, compiled.
pub(crate) struct Points {
    /// The leaves of a point; the point's number, if it has none, since a batch needs an axis.
    one: Arc<dyn Fn(Var) -> Vec<Var> + Send + Sync>,
    /// Code for points behind one another, from one number to a last one, which is repeated.
    runs: Vec<(usize, Executable<[Var; 2], Vec<Var>>)>,
    /// Code for points with these numbers.
    listed: Jit<Var, Vec<Var>>,
    pub def: TreeDef,
    pub leaves: Vec<(String, ShapeDtype)>,
    pub text: Text,
    points: u64,
}

impl Points {
    pub fn new<P: Tree<Leaf = Var> + 'static>(design: &Design<P>) -> Result<Points> {
        let seen: Arc<OnceLock<TreeDef>> = Arc::default();
        let one: Arc<dyn Fn(Var) -> Vec<Var> + Send + Sync> = {
            let (seen, design) = (seen.clone(), design.clone());
            Arc::new(move |i: Var| {
                let (mut leaves, def) = tree::flatten(design.at(i));
                if leaves.is_empty() {
                    leaves.push(i);
                }
                seen.get_or_init(|| def);
                leaves
            })
        };
        let alone = one.clone();
        let (func, captured) =
            jit(move |i: Var| alone(i)).traced(&ShapeDtype::scalar(DType::I64))?;
        let def = seen.get().expect("it has been traced").clone();
        let leaves = def.paths().into_iter().zip(func.result_types()).collect();
        let element = one.clone();
        Ok(Points {
            one,
            runs: vec![],
            listed: jit(move |i: Var| {
                let element = element.clone();
                vmap(move |i: Var| element(i))(i)
            }),
            def,
            leaves,
            text: Text::of(&func, &captured),
            points: design.points(),
        })
    }

    /// The types of what a function of a point is given.
    pub fn specs(&self) -> Vec<ShapeDtype> {
        match self.leaves.is_empty() {
            true => vec![ShapeDtype::scalar(DType::I64)],
            false => self.leaves.iter().map(|(_, s)| s.clone()).collect(),
        }
    }

    /// What a function of points is given, for some that lie behind one another, padded with the last of them.
    pub fn run(&mut self, first: u64, count: usize, size: usize) -> Made<Vec<Array>> {
        debug_assert!(first + count as u64 <= self.points);
        let place = match self.runs.iter().position(|(n, _)| *n == size) {
            Some(place) => place,
            None => {
                let one = self.one.clone();
                let run = jit(move |[first, last]: [Var; 2]| {
                    let one = one.clone();
                    vmap(move |k: Var| one((first + k).minimum(last)))(arange(size))
                });
                let number = ShapeDtype::scalar(DType::I64);
                self.runs
                    .push((size, run.compile(&[number.clone(), number])?));
                self.runs.len() - 1
            }
        };
        let first = first as i64;
        self.runs[place].1.call([first, first + count as i64 - 1])
    }

    /// What a function of points is given, for those with these numbers.
    pub fn at(&self, index: &[i64]) -> Made<Vec<Array>> {
        self.listed.call(index)
    }
}

/// The next multiple of the number of lanes.
pub(crate) fn whole(n: usize) -> usize {
    n.next_multiple_of(LANES).max(LANES)
}

/// Adapts the number of points of a chunk to the time that a chunk took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub want: usize,
    /// How often it may still grow: each size is compiled.
    growths: u32,
    /// Seconds for a point.
    pub each: f64,
}

impl Pace {
    pub fn new(want: usize) -> Pace {
        Pace {
            want,
            growths: 4,
            each: 0.0,
        }
    }

    /// Takes notice of a chunk; sizes are multiples of `step`, and at most `most`.
    pub fn ran(&mut self, points: usize, time: Duration, step: usize, most: usize) {
        let seconds = time.as_secs_f64().max(1e-9);
        self.each = seconds / points as f64;
        if points < self.want {
            return;
        }
        let target = TARGET.as_secs_f64();
        let ideal = ((target / self.each) as usize / step * step).clamp(step, most.max(step));
        if ideal >= 2 * self.want && self.growths > 0 {
            self.growths -= 1;
            // A time that is short says little.
            self.want = ideal.min(self.want.saturating_mul(64));
        } else if ideal * 4 < self.want {
            self.want = ideal;
        }
        self.want = self.want.min(most / step * step).max(step.min(most));
    }
}
