//! Whole files.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result, shown};

/// Writes a file by `write`. It is there as a whole or not at all: it is written under another name beside it, and takes
/// the place of a former file, with its permissions, when it is complete. A link stays one, and the file that it names is
/// written. What is no file, such as a pipe or a device, is written as it is, because it cannot be replaced.
pub(crate) fn create(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let file = shown(path);
    let io = |e| Error::io(&file, e);
    if path.file_name().is_none() {
        return Err(Error::format(&file, "this is not the name of a file"));
    }
    let there = fs::metadata(path).ok();
    if there.as_ref().is_some_and(|m| m.is_dir()) {
        return Err(io(ErrorKind::IsADirectory.into()));
    }
    let whole = |to: File| {
        let mut to = BufWriter::new(to);
        write(&mut to)?;
        to.flush().map_err(io)
    };
    if there.as_ref().is_some_and(|m| !m.is_file()) {
        return whole(File::options().write(true).open(path).map_err(io)?);
    }
    let path = followed(path);
    let (to, beside) = beside(&path).map_err(io)?;
    let written = whole(to).and_then(|()| {
        if let Some(there) = there {
            fs::set_permissions(&beside, there.permissions()).map_err(io)?;
        }
        fs::rename(&beside, &path).map_err(io)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The file that a link names, or the path itself.
fn followed(path: &Path) -> PathBuf {
    // As many links as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(named) => path = path.with_file_name(named),
            Err(_) => break,
        }
    }
    path
}

/// Creates a file beside another one, under a name that no other thread, process or machine has taken.
fn beside(path: &Path) -> std::io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // The name of the file may be as long as names can be.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().take(40).collect();
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_file_name(format!(".{name}.{}-{n}.partial", std::process::id()));
        match File::create_new(&beside) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, beside)),
        }
    }
}

/// Says what a file is that begins so, if it is one that another function of this crate reads.
pub(crate) fn known(start: &[u8]) -> Option<&'static str> {
    if start.starts_with(b"\x93NUMPY") {
        return Some("it is one array of NumPy, which `npy::read` reads");
    }
    start
        .starts_with(b"PK")
        .then_some("it is an archive, which `npz::read` reads")
}
