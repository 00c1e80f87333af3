//! A sweep: a function over a design, and how it is to be run.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use wengert::{Array, Tree, Var};

use crate::design::Design;
use crate::engine::{Engine, Limits, plain, traced};
use crate::error::{OnError, Result};
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::rows::{Chunks, Collected, Rows};
use crate::runner::{Runner, Watch};
use crate::shard::Shard;
use crate::store::part::Format;
use crate::store::{Settings, Store, part_bytes};
use crate::summary::Summary;

/// A function over the points of a [`Design`], and how it is to be run: see [`Sweep::new`].
#[must_use = "a sweep runs by `run`, `collect`, `iter` or `chunks`"]
pub struct Sweep<P, Y> {
    design: Design<P>,
    source: Source,
    version: String,
    limits: Limits,
    watch: Watch,
    max_steps: Option<u64>,
    settings: Settings,
    stored: bool,
    of: PhantomData<fn(P) -> Y>,
}

enum Source {
    Traced(Box<traced::Source>),
    Plain(plain::Source),
}

impl<P> Sweep<P, ()>
where
    P: Tree<Leaf = Var> + 'static,
{
    /// Makes a sweep of a traced function. The function is traced once, and compiled for batches of points, which run
    /// in vector registers and on all of rayon's threads. Results have the bits of a plain
    /// [`vmap`](wengert::vmap) over the same points, whatever the chunks are.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::grid((vec![0.1, 0.2, 0.3], vec![1.0, 2.0]))?;
    /// let decay = |(rate, x): (Var, Var)| fori(0..100, x, |_, x| x - 0.01 * rate * x);
    /// for row in Sweep::new(design, decay).iter()? {
    ///     let row = row?;
    ///     let (rate, x) = row.params;
    ///     println!("{} {rate} {x} {}", row.index, row.result?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[allow(clippy::new_ret_no_self)]
    pub fn new<Y, F>(design: Design<P>, f: F) -> Sweep<P, Y>
    where
        Y: Tree<Leaf = Var> + 'static,
        F: Fn(P) -> Y + Send + Sync + 'static,
    {
        Sweep::of(design, Source::Traced(Box::new(traced::Source::new(f))))
    }

    /// Makes a sweep of a plain Rust function, which is called for one point after the other on all of rayon's threads.
    /// It gives its results or an error, and a panic is the error of its point, too. What it gives is said by its type:
    /// see [`Outputs`].
    ///
    /// A directory cannot tell one plain function from another by its text: [`Sweep::version`] does.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let root = |x: Array| match x.item::<f64>()? {
    ///     x if x < 0.0 => Err(format!("{x} has no root").into()),
    ///     x => Ok::<_, Box<dyn std::error::Error>>((x.sqrt(), x > 1.0)),
    /// };
    /// let found = Sweep::plain(Design::grid(vec![4.0, -1.0])?, root).collect()?;
    /// assert_eq!(found.results.0.to_vec::<f64>()?[0], 2.0);
    /// assert_eq!(found.errors[0].to_string(), "point 1 (x = -1.0): -1 has no root");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plain<R, E, F>(design: Design<P>, f: F) -> Sweep<P, R::Tree>
    where
        R: Outputs,
        E: std::fmt::Display,
        F: Fn(P::With<Array>) -> Result<R, E> + Send + Sync + 'static,
    {
        Sweep::of(design, Source::Plain(plain::Source::new::<P, R, E, F>(f)))
    }
}

/// Bytes of memory, unless they are given.
const MEMORY: u64 = 1 << 30;

impl<P, Y> Sweep<P, Y>
where
    P: Tree<Leaf = Var> + 'static,
    Y: Tree<Leaf = Var> + 'static,
{
    fn of(design: Design<P>, source: Source) -> Sweep<P, Y> {
        Sweep {
            design,
            source,
            version: String::new(),
            limits: Limits {
                chunk: None,
                memory: MEMORY,
            },
            watch: Watch::default(),
            max_steps: None,
            settings: Settings {
                folder: PathBuf::new(),
                format: Format::Npz,
                part: None,
                shard: Shard::WHOLE,
                save_every: Duration::from_secs(1),
            },
            stored: false,
            of: PhantomData,
        }
    }

    /// Writes results into a directory, which is made if there is none. A later run of the same sweep goes on with what
    /// is there, after a kill too; another sweep in it is an error. See [`Stored`](crate::Stored) for reading, and
    /// [`Format`] for what files are like.
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.folder = folder.into();
        self.stored = true;
        self
    }

    /// Sets what files are like.
    pub fn format(mut self, format: Format) -> Self {
        self.settings.format = format;
        self
    }

    /// Sets how many points are in a file. By default files have a power of two of points and up to 32 MiB, or an
    /// eighth of the memory; those of [shares](Sweep::shard) have fewer, so that each share has several.
    pub fn part_points(mut self, points: usize) -> Self {
        self.settings.part = Some(points);
        self
    }

    /// Sets how often rows of a file that is not yet complete are brought to the disk: after a kill, points that were
    /// finished later than that are computed again. The default is a second; zero does it after each chunk.
    pub fn save_every(mut self, time: Duration) -> Self {
        self.settings.save_every = time;
        self
    }

    /// Runs a share of the sweep only. Shares may write into one directory at the same time, or each into its own,
    /// which [`merge`](crate::merge) puts together.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.settings.shard = shard;
        self
    }

    /// Limits the bytes of rows, scratch and buffers that are in memory at once: chunks are as small as it takes. The
    /// default is 1 GiB. The program itself, compiled code and arrays that the function captures are not counted.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// Sets the number of points of a chunk. By default chunks take about 0.3 s.
    pub fn chunk(mut self, points: usize) -> Self {
        self.limits.chunk = Some(points.max(1));
        self
    }

    /// Sets what becomes of the sweep when a point fails. By default the point is a row with its error.
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.watch.on_error = on_error;
        self
    }

    /// Allows results to be NaN or infinite. By default such a point has failed.
    pub fn allow_infinite(mut self) -> Self {
        self.watch.infinite = true;
        self
    }

    /// Names the result that is the status of a solver, an integer: a point with a status of 0 or below has failed. The
    /// name is that of its leaf, as in `status` or `fit.status`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// #[derive(Tree)]
    /// struct Root<T = Var> {
    ///     x: T,
    ///     status: T,
    /// }
    ///
    /// let root = |a: Var| Root { x: a.abs().sqrt(), status: a.ge(0.0).select(1, -1) };
    /// let found = Sweep::new(Design::grid(vec![4.0, -4.0])?, root).status("status").collect()?;
    /// assert_eq!(found.errors.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(self, leaf: &str) -> Self {
        self.status_with(leaf, |code| code > 0)
    }

    /// As [`Sweep::status`], with a function that says which codes are those of a success.
    pub fn status_with(
        mut self,
        leaf: &str,
        is_fine: impl Fn(i64) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.watch.status = Some((leaf.to_string(), Arc::new(is_fine)));
        self
    }

    /// Limits the steps of each loop of unknown length: a point that needs more has failed. The default is a billion.
    /// See [`Jit::max_steps`](wengert::Jit::max_steps). A plain function is not limited.
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.max_steps = Some(steps);
        self
    }

    /// Says which version of the program this is. A directory that was written by another version is refused. A traced
    /// function is known by its text and needs none, except for what its callbacks do.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Calls a function with the progress before the first chunk and after each.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::from_fn(100, |i| i.to(DType::F64));
    /// Sweep::new(design, |x: Var| x * x).progress(|p| eprintln!("{p}")).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn progress(mut self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.watch.progress.push(Box::new(callback));
        self
    }

    /// Shows a bar in the terminal, with the rate, the time that is left, and how many points have failed.
    #[cfg(feature = "bar")]
    pub fn bar(self) -> Self {
        let mut bar = crate::bar::Bar::new();
        self.progress(move |p| bar.show(p))
    }

    /// Ends the sweep when the flag is set: after the chunk in hand, whose rows are kept; a plain function begins no
    /// more points. The directory can be resumed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Ended, Sweep};
    ///
    /// let stop = Arc::new(AtomicBool::new(false));
    /// let flag = stop.clone();
    /// let summary = Sweep::new(Design::from_fn(1 << 40, |i| i), |i: Var| i % 7)
    ///     .cancel(stop)
    ///     .progress(move |p| flag.store(p.done > 1000, Ordering::Relaxed))
    ///     .run()?;
    /// assert_eq!(summary.ended, Ended::Cancelled);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.watch.cancel = Some(flag);
        self
    }

    /// Ends the sweep after some time: after the chunk in hand, as [`Sweep::cancel`] does. There is no limit for a
    /// point; [`Sweep::max_steps`] limits loops.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.watch.timeout = Some(time);
        self
    }

    /// Runs the sweep. Results go into the [directory](Sweep::directory), if there is one; without one only the
    /// [summary](Summary) is left of them.
    ///
    /// # Errors
    /// If the function has a mistake, an option does not fit, the directory holds another sweep, is in use or cannot be
    /// written, or a point fails and [`OnError::Stop`] was asked for. What has been written is kept.
    #[track_caller]
    pub fn run(self) -> Result<Summary> {
        let (mut runner, store) = self.start()?;
        match store {
            None => while runner.next()?.is_some() {},
            Some(mut store) => {
                let written = crate::writer::written(&mut store, |send| {
                    while let Some(chunk) = runner.next()? {
                        if !send(chunk) {
                            break;
                        }
                    }
                    Ok(())
                });
                written?;
            }
        }
        match runner.stopped() {
            None => Ok(runner.summary()),
            Some(error) => Err(error),
        }
    }

    /// Runs the sweep and keeps all results in memory.
    ///
    /// # Errors
    /// As [`Sweep::run`], and if the results exceed the limit on memory.
    #[track_caller]
    pub fn collect(self) -> Result<Collected<P, Y>> {
        let memory = self.limits.memory;
        Collected::of(self.chunks()?, memory)
    }

    /// Computes the sweep piece by piece, as the iterator is asked for more: what [`Sweep::iter`] gives, as arrays with
    /// an axis of points in front. A directory is written, too, and points that it holds are not computed and not given.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_sweep::{Design, Sweep};
    ///
    /// let design = Design::from_fn(100_000, |i| 1e-5 * i.to(DType::F64));
    /// let mut sum = 0.0;
    /// for chunk in Sweep::new(design, |x: Var| 4.0 / (1.0 + x * x)).chunks()? {
    ///     sum += chunk?.results.iter::<f64>()?.sum::<f64>();
    /// }
    /// assert!((sum * 1e-5 - std::f64::consts::PI).abs() < 1e-4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Sweep::run`]. An error on the way is an item, after which there are no more.
    #[track_caller]
    pub fn chunks(self) -> Result<Chunks<P, Y>> {
        let (runner, store) = self.start()?;
        Ok(Chunks::new(runner, store))
    }

    /// Computes the sweep as the iterator is asked for more, and gives its points one by one, in order.
    ///
    /// # Errors
    /// As [`Sweep::chunks`].
    #[track_caller]
    pub fn iter(self) -> Result<Rows<P, Y>> {
        Ok(Rows::new(self.chunks()?))
    }

    /// Traces, compiles nothing yet, and looks at what there is.
    #[track_caller]
    fn start(self) -> Result<(Runner, Option<Store>)> {
        let start = Instant::now();
        let memory = self.limits.memory;
        let mut limits = self.limits;
        if self.stored {
            // The part in hand, and what is written of it.
            limits.memory -= 2 * part_bytes(memory);
        }
        let engine: Box<dyn Engine> = match self.source {
            Source::Traced(source) => {
                let source = match self.max_steps {
                    Some(steps) => source.max_steps(steps),
                    None => *source,
                };
                Box::new(source.engine(&self.design, &limits)?)
            }
            Source::Plain(source) => {
                Box::new(source.engine(&self.design, &limits, &self.version)?)
            }
        };
        if !self.stored {
            let all = share_without_files(self.settings.shard, self.design.points());
            return Ok((Runner::new(engine, self.watch, vec![all], 0, start)?, None));
        }
        let mut options = vec![("infinite", self.watch.infinite.to_string())];
        if let Some((leaf, _)) = &self.watch.status {
            options.push(("status", leaf.clone()));
        }
        if let Some(steps) = self.max_steps {
            options.push(("max_steps", steps.to_string()));
        }
        if !self.version.is_empty() {
            options.push(("version", self.version.clone()));
        }
        let store = Store::open(
            &self.settings,
            engine.identity(),
            engine.columns(),
            &options,
            memory,
        )?;
        let runner = Runner::new(engine, self.watch, store.todo.clone(), store.done, start)?;
        Ok((runner, Some(store)))
    }
}

impl<P, Y> fmt::Debug for Sweep<P, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sweep({:?})", self.design)
    }
}

fn share_without_files(shard: Shard, points: u64) -> std::ops::Range<u64> {
    shard.parts(points)
}
