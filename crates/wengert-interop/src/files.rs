//! Whole files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result, shown};

/// Writes a file by `write`. It is there as a whole or not at all: it is written under another name beside it, and takes
/// the place of a former file when it is complete.
pub(crate) fn create(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let file = shown(path);
    let Some(name) = path.file_name() else {
        return Err(Error::format(&file, "this is not the name of a file"));
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.partial", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = || {
        let mut to = BufWriter::new(File::create(&beside).map_err(|e| Error::io(&file, e))?);
        write(&mut to)?;
        to.flush().map_err(|e| Error::io(&file, e))?;
        drop(to);
        fs::rename(&beside, path).map_err(|e| Error::io(&file, e))
    };
    let written = written();
    if written.is_err() {
        // What could not be created is not there.
        let _ = fs::remove_file(&beside);
    }
    written
}
