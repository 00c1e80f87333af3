//! Traced functions: compiled for a batch of points.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use wengert::tree::{self, TreeDef};
use wengert::{Array, Error as Mistake, Executable, Jit, ShapeDtype, Tree, Var, jit, vmap};

use super::{Engine, LANES, Limits, Pace, Points, Stop, fitting, whole};
use crate::chunk::{Chunk, Failure};
use crate::column::Columns;
use crate::design::Design;
use crate::error::{Error, Kind, Result};
use crate::identity::{Identity, Text};

/// The function, before anything of it is known.
pub(crate) struct Source {
    one: Jit<Vec<Var>, Vec<Var>>,
    many: Jit<Vec<Var>, Vec<Var>>,
    params: Arc<OnceLock<TreeDef>>,
    results: Arc<OnceLock<TreeDef>>,
}

impl Source {
    #[track_caller]
    pub fn new<P, Y, F>(f: F) -> Source
    where
        P: Tree<Leaf = Var> + 'static,
        Y: Tree<Leaf = Var> + 'static,
        F: Fn(P) -> Y + Send + Sync + 'static,
    {
        let params: Arc<OnceLock<TreeDef>> = Arc::default();
        let results: Arc<OnceLock<TreeDef>> = Arc::default();
        let f = Arc::new(f);
        let body = {
            let (params, results) = (params.clone(), results.clone());
            move |mut leaves: Vec<Var>| {
                let def = params.get().expect("the points are known first");
                leaves.truncate(def.len());
                let p = tree::unflatten(def, leaves).expect("the structure of a point");
                let (leaves, def) = tree::flatten(f(p));
                results.get_or_init(|| def);
                leaves
            }
        };
        let element = body.clone();
        Source {
            one: jit(body),
            many: jit(move |leaves: Vec<Var>| vmap(element.clone())(leaves)),
            params,
            results,
        }
    }

    pub fn max_steps(mut self, steps: u64) -> Source {
        self.one = self.one.max_steps(steps);
        self.many = self.many.max_steps(steps);
        self
    }

    pub fn engine<P: Tree<Leaf = Var> + 'static>(
        self,
        design: &Design<P>,
        limits: &Limits,
    ) -> Result<Traced> {
        let points = Points::new(design)?;
        let _ = self.params.set(points.def.clone());
        let (func, captured) = self.one.traced(&points.specs())?;
        let def = self.results.get().expect("it has been traced").clone();
        let outputs = def.paths().into_iter().zip(func.result_types()).collect();
        let columns = Columns::new(points.leaves.clone(), outputs);
        let identity = Identity {
            program: Text::of(&func, &captured),
            design: points.text.clone(),
            points: design.points(),
        };
        let row = columns.bytes() as u64;
        let most = fitting(limits, row, 0.0)?;
        let probe = (16 * rayon::current_num_threads()).next_multiple_of(64);
        let small = usize::try_from(design.points()).unwrap_or(usize::MAX);
        let start = limits.chunk.unwrap_or(probe.min(whole(small)));
        Ok(Traced {
            points,
            many: self.many,
            columns,
            def,
            identity,
            codes: vec![],
            pace: Pace::new(start.min(most / LANES * LANES).max(1)),
            most,
            limits: *limits,
            compiling: Duration::ZERO,
        })
    }
}

pub(crate) struct Traced {
    points: Points,
    many: Jit<Vec<Var>, Vec<Var>>,
    columns: Columns,
    def: TreeDef,
    identity: Identity,
    codes: Vec<(usize, Executable<Vec<Var>, Vec<Var>>)>,
    pace: Pace,
    most: usize,
    limits: Limits,
    /// How long the last compilation took.
    compiling: Duration,
}

impl Traced {
    /// The size of the batch for some points: one that is compiled, padded, or a new one, whichever takes less time.
    fn size(&self, count: usize) -> usize {
        let own = whole(count);
        let larger = self
            .codes
            .iter()
            .map(|(n, _)| *n)
            .filter(|&n| n >= own)
            .min();
        match larger {
            Some(n) if (n - own) as f64 * self.pace.each <= self.compiling.as_secs_f64() => n,
            _ => own,
        }
    }

    /// The code for a batch. Code whose scratch does not fit is thrown away, and the chunks become smaller.
    fn code(&mut self, size: usize) -> Result<Option<usize>> {
        if let Some(place) = self.codes.iter().position(|(n, _)| *n == size) {
            return Ok(Some(place));
        }
        let start = Instant::now();
        let batch = |s: &ShapeDtype| {
            let shape: Vec<usize> = std::iter::once(size)
                .chain(s.shape.iter().copied())
                .collect();
            ShapeDtype::new(shape, s.dtype)
        };
        let leaves: Vec<ShapeDtype> = self.points.specs().iter().map(batch).collect();
        let code = self.many.compile(&leaves)?;
        self.compiling = start.elapsed();
        let scratch = code.scratch_bytes() as f64 / size as f64;
        let most = fitting(&self.limits, self.columns.bytes() as u64, scratch)?;
        self.most = self.most.min(most);
        if size > self.most.max(LANES) {
            self.pace.want = self.pace.want.min(self.most / LANES * LANES);
            return Ok(None);
        }
        self.codes.push((size, code));
        Ok(Some(self.codes.len() - 1))
    }

    /// Computes points that are not all well: in small batches, and where one of them fails, point by point.
    fn sift(&mut self, first: u64, count: usize, params: Vec<Array>) -> Result<Chunk> {
        let small = 64.min(self.most / LANES * LANES);
        let all: Vec<i64> = (first as i64..).take(count).collect();
        let mut found: Vec<Vec<Array>> = vec![];
        let mut rows: Vec<Option<(usize, usize)>> = vec![];
        let mut failed = vec![];
        for (b, block) in all.chunks(small).enumerate() {
            let mut padded = block.to_vec();
            padded.resize(whole(block.len()), block[block.len() - 1]);
            if count > small
                && let Ok(outputs) = self.call(&padded)?
            {
                rows.extend((0..block.len()).map(|row| Some((found.len(), row))));
                found.push(outputs);
                continue;
            }
            for (j, &i) in block.iter().enumerate() {
                match self.call(&[i; LANES])? {
                    Ok(outputs) => {
                        rows.push(Some((found.len(), 0)));
                        found.push(outputs);
                    }
                    Err(mistake) => {
                        let kind = match mistake {
                            Mistake::Check { .. } => Kind::Check,
                            _ => Kind::Failed,
                        };
                        rows.push(None);
                        failed.push(Failure::new(b * small + j, kind, mistake.to_string()));
                    }
                }
            }
        }
        let outputs = self.columns.outputs.iter().enumerate().map(|(k, column)| {
            let at = |row: &Option<(usize, usize)>| row.map(|(b, i)| (&found[b][k], i));
            column.gather(&rows.iter().map(at).collect::<Vec<_>>())
        });
        Ok(Chunk {
            first,
            count,
            outputs: outputs.collect(),
            params,
            failed,
        })
    }

    /// Computes a batch; the inner error is that of a point.
    fn call(&mut self, index: &[i64]) -> Result<Result<Vec<Array>, Mistake>> {
        let Some(code) = self.code(index.len())? else {
            return Err(Error::Memory {
                what: format!("a batch of {} points", index.len()),
                need: 0,
                limit: self.limits.memory,
                hint: "",
            });
        };
        let params = self.points.at(index)?;
        match self.codes[code].1.call(&params) {
            Err(e) if !is_of_a_point(&e) => Err(e.into()),
            result => Ok(result),
        }
    }
}

/// Whether an error depends on the values of a point, and not on the program or the machine.
fn is_of_a_point(e: &Mistake) -> bool {
    matches!(
        e,
        Mistake::Check { .. }
            | Mistake::MaxSteps { .. }
            | Mistake::Callback { .. }
            | Mistake::Memory { .. }
    )
}

impl Engine for Traced {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn defs(&self) -> [&TreeDef; 2] {
        [&self.points.def, &self.def]
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn want(&self) -> usize {
        self.pace.want
    }

    fn run(&mut self, first: u64, count: usize, _: Stop<'_>) -> Result<Chunk> {
        let mut count = count;
        let (size, code) = loop {
            let size = self.size(count);
            match self.code(size)? {
                Some(code) => break (size, code),
                None => count = count.min(self.pace.want.max(LANES)),
            }
        };
        let start = Instant::now();
        let mut params = self.points.run(first, count, size)?;
        let result = self.codes[code].1.call(&params);
        params.truncate(self.columns.params.len());
        let chunk = match result {
            Ok(outputs) => Chunk {
                first,
                count,
                params,
                outputs,
                failed: vec![],
            },
            Err(e) if is_of_a_point(&e) => return self.sift(first, count, params),
            Err(e) => return Err(e.into()),
        };
        if self.limits.chunk.is_none() {
            // The last size that was compiled is that of the points, too.
            self.pace.ran(size, start.elapsed(), LANES, self.most);
        }
        Ok(chunk)
    }
}
