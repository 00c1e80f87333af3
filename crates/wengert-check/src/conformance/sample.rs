//! Parts of the suite, for compilers that are slow.

use std::collections::HashSet;

use wengert_loop::loops::{BufferId, BufferKind, Program, Stmt, Value, walk};
use wengert_loop::testing::outputs;

use super::{Example, files, functions, generated, operations};
use crate::Failure;
use crate::program::Limits;

/// Small programs, since compilers of devices take long for large ones.
const LIMITS: Limits = Limits {
    depth: 3,
    nesting: 2,
};

/// A part of the suite. The environment variables whose names begin with the text that it has ask for more: `_FILES`,
/// `_OPERATIONS`, `_FUNCTIONS` and `_PROGRAMS` say how many, and random programs are those from the seed `_SEED` on.
///
/// ```
/// use wengert_check::conformance::Sample;
///
/// let some = Sample("WENGERT_NOTHING");
/// assert!(some.operations(10, 5).len() <= 2);
/// assert_eq!(some.programs(4)?.len(), 4);
/// # Ok::<(), wengert_check::Failure>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sample(pub &'static str);

impl Sample {
    fn asked(self, of: &str) -> Option<usize> {
        let text = std::env::var(format!("{}_{of}", self.0)).ok()?;
        text.parse().ok()
    }

    /// So many of the examples, evenly, if no variable says otherwise.
    fn some(self, examples: Vec<Example>, of: &str, n: usize) -> Vec<Example> {
        let n = self.asked(of).unwrap_or(n);
        let step = examples.len().div_ceil(n.max(1)).max(1);
        examples.into_iter().step_by(step).collect()
    }

    /// Returns programs in files: one run of each of so many, or of as many runs as are asked for.
    pub fn files(self, n: usize) -> Vec<Example> {
        let mut seen = HashSet::new();
        let mut first = |e: &Example| seen.insert(e.name.split(',').next().map(str::to_string));
        let mut all = files();
        if self.asked("FILES").is_none() {
            all.retain(|e| first(e));
        }
        self.some(all, "FILES", n)
    }

    /// Returns so many operations, with `together` of them in a program.
    pub fn operations(self, n: usize, together: usize) -> Vec<Example> {
        let some = self.some(operations(), "OPERATIONS", n);
        some.chunks(together).map(joined).collect()
    }

    /// Returns so many elementary functions, with `together` of them in a program.
    pub fn functions(self, n: usize, together: usize) -> Vec<Example> {
        let some = self.some(functions(), "FUNCTIONS", n);
        some.chunks(together).map(joined).collect()
    }

    /// Returns so many random programs.
    ///
    /// # Errors
    /// As [`generated`].
    pub fn programs(self, n: usize) -> Result<Vec<Example>, Failure> {
        let seed = self.asked("SEED").unwrap_or(1);
        generated(seed as u64, self.asked("PROGRAMS").unwrap_or(n), &LIMITS)
    }
}

/// Returns several examples as one: their statements one after the other, on arguments and results of all. A device then
/// compiles one kernel instead of hundreds.
///
/// ```
/// use wengert_check::conformance::{joined, operations};
///
/// let all = operations();
/// let few = joined(&all[..3]);
/// assert_eq!(few.inputs.len(), all[..3].iter().map(|e| e.inputs.len()).sum());
/// assert!(few.name.ends_with("and 2 more"));
/// ```
///
/// # Panics
/// If there are none, or one has lists or may fail.
pub fn joined(examples: &[Example]) -> Example {
    let mut all = Example {
        name: match examples {
            [one] => one.name.clone(),
            _ => format!("{} and {} more", examples[0].name, examples.len() - 1),
        },
        program: Program::default(),
        inputs: vec![],
    };
    let mut results = 0;
    for example in examples {
        let mut part = example.program.clone();
        let to = &mut all.program;
        let (values, buffers) = (to.values.len() as u32, to.buffers.len() as u32);
        let (functions, constants) = (to.functions.len() as u32, to.constants.len() as u32);
        assert!(
            part.lists.is_empty() && part.failures.is_empty(),
            "{}: lists and failures are not joined",
            example.name
        );
        let shift_buffer = |kind: &mut BufferKind| match kind {
            BufferKind::Input(n) => *n += all.inputs.len() as u32,
            BufferKind::Output(n) => *n += results,
            BufferKind::Constant(n) => *n += constants,
            _ => {}
        };
        part.buffers
            .iter_mut()
            .for_each(|b| shift_buffer(&mut b.kind));
        results += outputs(&example.program).len() as u32;
        let shift = |v: &mut Value| v.0 += values;
        let each = &mut |s: &mut Stmt| {
            walk::definitions_mut(s, &mut { shift });
            walk::uses_mut(s, &mut { shift });
            walk::buffers_mut(s, &mut |b: &mut BufferId| b.0 += buffers);
            walk::blocks_mut(s).for_each(|b| b.results.iter_mut().for_each(shift));
            if let Stmt::Call { callee, .. } = s {
                *callee += functions;
            }
        };
        walk::stmts_mut(&mut part.body, each);
        // Functions read tables through buffers of the program.
        for f in &mut part.functions {
            walk::stmts_mut(&mut f.body, &mut |s| {
                walk::buffers_mut(s, &mut |b: &mut BufferId| b.0 += buffers);
            });
        }
        to.values.extend(part.values);
        to.buffers.extend(part.buffers);
        to.functions.extend(part.functions);
        to.constants.extend(part.constants);
        to.body.stmts.extend(part.body.stmts);
        all.inputs.extend(example.inputs.iter().cloned());
    }
    all
}
