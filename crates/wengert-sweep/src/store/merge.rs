//! Shares of a sweep put together.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::files::{State, atomically, locked, part_path, state};
use super::manifest::{self, Manifest};
use super::stored::Stored;
use crate::error::{Error, Result};
use crate::shard::Shard;

/// Puts the results of shares, each in a directory of its own, into one: byte by byte those of one run. The directory
/// `into` may hold results already; what it has is kept. Shares that were written into one directory need no merging.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_sweep::{Design, Shard, Sweep, merge};
///
/// # let folder = std::env::temp_dir().join(format!("wengert-sweep-merge-{}", std::process::id()));
/// let design = Design::from_fn(1000, |i| 0.001 * i.to(DType::F64));
/// for i in 0..3 {
///     Sweep::new(design.clone(), |x: Var| x.sin())
///         .part_points(64)
///         .shard(Shard::new(i, 3)?)
///         .directory(folder.join(format!("share-{i}")))
///         .run()?;
/// }
/// let shares = (0..3).map(|i| folder.join(format!("share-{i}")));
/// let all = merge(shares, folder.join("all"))?;
/// assert_eq!(all.points(), 1000);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the directories hold different sweeps, or points are missing from all of them; what was found is then merged.
pub fn merge<D: AsRef<Path>>(
    from: impl IntoIterator<Item = D>,
    into: impl AsRef<Path>,
) -> Result<Stored> {
    let into = into.as_ref();
    fs::create_dir_all(into).map_err(Error::io(into, "make the directory"))?;
    let _locks = locked(into, Shard::WHOLE)?;
    let mut known = manifest::read(into)?;
    for folder in from {
        let folder = folder.as_ref();
        let Some(there) = manifest::read(folder)? else {
            let message = "there is no `sweep.txt`: it holds no results of a sweep";
            return Err(Error::corrupt(folder, message));
        };
        match &known {
            Some(known) => {
                if known != &there {
                    let difference = differing(known, &there);
                    let path = folder.to_path_buf();
                    return Err(Error::OtherSweep { path, difference });
                }
            }
            None => {
                for name in [manifest::PROGRAM, manifest::DESIGN, manifest::FILE] {
                    copy(&folder.join(name), &into.join(name))?;
                }
                known = Some(there.clone());
            }
        }
        let damaged = || {
            Error::corrupt(
                &folder.join(manifest::FILE),
                "it does not say what the sweep is",
            )
        };
        let (points, part) = (
            there.points().ok_or_else(damaged)?,
            there.part().ok_or_else(damaged)? as u64,
        );
        let format = there.format().ok_or_else(damaged)?;
        let comment = there.digest();
        for number in 0..points.div_ceil(part) {
            let first = number * part;
            let rows = (points - first).min(part) as usize;
            let name = |folder: &Path| part_path(folder, first, format.extension());
            if state(&name(into), format, first, rows, &comment)? != State::Whole
                && state(&name(folder), format, first, rows, &comment)? == State::Whole
            {
                copy(&name(folder), &name(into))?;
            }
        }
    }
    let stored = Stored::open(into)?;
    stored.expect_complete()?;
    Ok(stored)
}

fn differing(a: &Manifest, b: &Manifest) -> String {
    let (a, b) = (a.text(), b.text());
    let pair = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    pair.map_or("its columns differ".into(), |(a, b)| {
        format!("it has `{b}`, and the others `{a}`")
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(Error::io(from, "read"))?;
    atomically(to, |to| {
        io::copy(&mut source, to)?;
        to.flush()
    })
}
