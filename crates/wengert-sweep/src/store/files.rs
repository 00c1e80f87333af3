//! Files that are there as a whole or not at all.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::npz;
use super::part::{Format, csv_is_whole};
use crate::error::{Error, Result};
use crate::shard::Shard;

/// The file of the points from `first` on.
pub(super) fn part_path(folder: &Path, first: u64, extension: &str) -> PathBuf {
    folder.join(format!("part-{first:012}.{extension}"))
}

/// Writes a file under another name, brings it to the disk, and renames it.
pub(super) fn atomically(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<()> {
    let (mut file, other) = beside(path).map_err(Error::io(path, "write"))?;
    let made = (|| {
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&other, path)?;
        // The name is on the disk when the directory is. Some systems cannot do that.
        if let Some(folder) = path.parent().and_then(|p| File::open(p).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    })();
    made.map_err(|e| {
        let _ = fs::remove_file(&other);
        Error::io(path, "write")(e)
    })
}

/// Creates a file beside another one, under a name that no other thread, process or machine has taken.
fn beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let other = path.with_file_name(format!(".{name}.{}-{n}.tmp", std::process::id()));
        match File::create_new(&other) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, other)),
        }
    }
}

/// Removes a file, if it is there.
pub(super) fn sweep_away(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(path, "remove")(e)),
        _ => Ok(()),
    }
}

/// What there is of the file of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Whole,
    Missing,
    Damaged,
}

pub(super) fn state(
    path: &Path,
    format: Format,
    first: u64,
    rows: usize,
    comment: &str,
) -> Result<State> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(State::Missing),
        Err(e) => return Err(Error::io(path, "read results")(e)),
    };
    let whole = match format {
        Format::Npz => {
            match npz::check(&mut file, comment).map_err(Error::io(path, "read results"))? {
                Ok(whole) => whole,
                Err(_) => {
                    return Err(Error::corrupt(
                        path,
                        "it is of another sweep: remove it, or take another directory",
                    ));
                }
            }
        }
        Format::Csv => {
            let text = fs::read(path).map_err(Error::io(path, "read results"))?;
            csv_is_whole(&text, first, rows)
        }
    };
    Ok(if whole { State::Whole } else { State::Damaged })
}

/// Tries to be the only one that has a file, or one of those that share it. On a file system without locks everyone is.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    granted(file.try_lock())
}

fn granted(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Locks a directory: a whole sweep for itself, a share with other shares.
pub(super) fn locked(folder: &Path, shard: Shard) -> Result<Vec<File>> {
    let open = |name: &str| {
        let path = folder.join(name);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        file.map_err(Error::io(&path, "open the lock"))
            .map(|f| (f, path))
    };
    let in_use = |what: String| Error::InUse {
        path: folder.to_path_buf(),
        what,
    };
    let (all, path) = open("lock")?;
    let granted = match shard.is_whole() {
        true => try_lock(&all),
        false => granted(all.try_lock_shared()),
    };
    if !granted.map_err(Error::io(&path, "lock"))? {
        return Err(in_use("it".into()));
    }
    if shard.is_whole() {
        clean(folder)?;
        return Ok(vec![all]);
    }
    let (own, path) = open(&format!("lock-{}-of-{}", shard.index(), shard.of()))?;
    match try_lock(&own).map_err(Error::io(&path, "lock"))? {
        true => Ok(vec![all, own]),
        false => Err(in_use(format!("share {shard}"))),
    }
}

/// Removes what processes have left that ended while they wrote a file.
fn clean(folder: &Path) -> Result<()> {
    for name in names(folder)? {
        if name.starts_with('.') && name.ends_with(".tmp") {
            sweep_away(&folder.join(name))?;
        }
    }
    Ok(())
}

pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder, "list the directory"))?;
    let mut names = vec![];
    for entry in entries {
        let entry = entry.map_err(Error::io(folder, "list the directory"))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Refuses a directory with results of which nobody says what they are of.
pub(super) fn expect_no_parts(folder: &Path) -> Result<()> {
    match names(folder)?.into_iter().find(|n| n.starts_with("part-")) {
        None => Ok(()),
        Some(name) => Err(Error::corrupt(
            &folder.join(name),
            "there are results, and no `sweep.txt` that says of what: take another directory, or remove them",
        )),
    }
}
