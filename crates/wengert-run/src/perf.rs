//! Files by which Linux' `perf` knows compiled code.
//!
//! * `WENGERT_PERF_MAP=1` writes `/tmp/perf-<pid>.map`: a line for each native function, with its address, its size and
//!   a name. `WENGERT_PERF_MAP=lines` writes one for each piece of code that comes from one place, so that `perf report`
//!   counts samples by the user's lines.
//! * `WENGERT_JITDUMP=1` writes `jit-<pid>.dump` in the current directory: the code itself, with its lines, for
//!   `perf record -k 1`, `perf inject --jit` and `perf annotate`.
//!
//! The formats are those of the kernel's `tools/perf/Documentation`: `jit-interface.txt` and `jitdump-specification.txt`.
//! A file that cannot be written is left out.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use wengert_loop::source::SourceId;

use crate::lines::{LineTable, Native};
use crate::sample::now;

/// What the environment asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wanted {
    map: bool,
    /// Whether the map has an entry for each piece of code that comes from one place.
    by_line: bool,
    dump: bool,
}

static WANTED: LazyLock<Wanted> = LazyLock::new(|| {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    let on = |value: &str| !matches!(value, "" | "0");
    let map = value("WENGERT_PERF_MAP");
    Wanted {
        map: on(&map),
        by_line: map == "lines",
        dump: on(&value("WENGERT_JITDUMP")),
    }
});

/// Returns whether the environment asks for a file, for which [`Options::lines`](crate::Options::lines) should be set.
pub fn is_wanted() -> bool {
    let Wanted { map, dump, .. } = *WANTED;
    map || dump
}

/// The open files.
#[derive(Default)]
struct Files {
    map: Option<File>,
    dump: Option<File>,
    /// The number of functions in the dump.
    number: u64,
}

static FILES: Mutex<Option<Files>> = Mutex::new(None);

/// Writes the code of a table to the files that the environment asks for.
///
/// # Safety
/// The code of each function of the table is in memory, and nobody writes it.
pub unsafe fn publish(table: &LineTable) {
    if !is_wanted() {
        return;
    }
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files.get_or_insert_with(Files::open);
    if let Some(file) = &mut files.map {
        let _ = file.write_all(map_of(table, WANTED.by_line).as_bytes());
    }
    for f in &table.functions {
        // SAFETY: guaranteed by the caller.
        let code = unsafe { std::slice::from_raw_parts(f.address as *const u8, f.len) };
        if let Some(file) = &mut files.dump {
            let bytes = dump_of(f, code, files.number, now());
            files.number += 1;
            let _ = file.write_all(&bytes);
        }
    }
}

impl Files {
    fn open() -> Files {
        let id = std::process::id();
        let open = |path: String| {
            OpenOptions::new()
                .create(true)
                .truncate(true)
                .read(true)
                .write(true)
                .open(path)
                .ok()
        };
        let map = WANTED
            .map
            .then(|| open(format!("/tmp/perf-{id}.map")))
            .flatten();
        let mut dump = WANTED
            .dump
            .then(|| open(format!("jit-{id}.dump")))
            .flatten();
        if let Some(file) = &mut dump {
            let _ = file.write_all(&header(id, now()));
            mark(file);
        }
        Files {
            map,
            dump,
            number: 0,
        }
    }
}

/// Maps the file into memory: `perf record` notes that, and so `perf inject` finds the file.
#[cfg(target_os = "linux")]
fn mark(file: &File) {
    use std::os::fd::AsRawFd;
    let _ = file.sync_data();
    // SAFETY: a fresh private mapping of an open file, which is never accessed, and stays until the process ends.
    unsafe {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
        libc::mmap(
            std::ptr::null_mut(),
            4096,
            protection,
            flags,
            file.as_raw_fd(),
            0,
        );
    }
}

#[cfg(not(target_os = "linux"))]
fn mark(_: &File) {}

/// The name of a function, with the first place in it.
fn name_of(f: &Native) -> String {
    let first = f.lines.iter().find_map(|l| l.source);
    let at = first.map_or(String::new(), |s| format!(" @ {}", s.place()));
    sanitised(&format!("wengert: {}{at}", f.name))
}

/// A name in one line.
fn sanitised(name: &str) -> String {
    name.replace(['\n', '\r', '\0'], " ")
}

/// The lines of a perf map.
pub fn map_of(table: &LineTable, by_line: bool) -> String {
    let mut text = String::new();
    let mut put = |address: usize, len: usize, name: &str| {
        writeln!(text, "{address:x} {len:x} {name}").expect("a string takes everything");
    };
    for f in &table.functions {
        if !by_line {
            put(f.address, f.len, &name_of(f));
            continue;
        }
        for span in &f.lines {
            let name = span.source.map_or_else(|| f.name.clone(), said);
            let (start, len) = (span.start as usize, (span.end - span.start) as usize);
            put(
                f.address + start,
                len,
                &sanitised(&format!("wengert: {name}")),
            );
        }
    }
    text
}

/// A place as the name of a piece of code.
fn said(source: SourceId) -> String {
    let place = source.place();
    let of = if source.is_derivative() {
        "derivative of "
    } else {
        ""
    };
    format!("{of}{}:{}", place.file, place.line)
}

/// The number of this processor in executable files.
const MACHINE: u32 = match cfg!(target_arch = "aarch64") {
    true => 183,
    false => 62,
};

/// Numbers of records.
const LOAD: u32 = 0;
const DEBUG_INFO: u32 = 2;

/// The header of a jitdump.
pub fn header(process: u32, time: u64) -> Vec<u8> {
    let mut bytes = vec![];
    // The mark, the version, the size of the header, the machine, padding, the process.
    for word in [0x4A69_5444, 1, 40, MACHINE, 0, process] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(time.to_ne_bytes());
    bytes.extend(0u64.to_ne_bytes());
    bytes
}

/// The records of a function in a jitdump: its lines, then its code. `number` is a number of its own.
pub fn dump_of(f: &Native, code: &[u8], number: u64, time: u64) -> Vec<u8> {
    let mut lines = vec![];
    let mut count = 0u64;
    for span in &f.lines {
        let Some(source) = span.source else { continue };
        let place = source.place();
        count += 1;
        lines.extend((f.address as u64 + u64::from(span.start)).to_ne_bytes());
        lines.extend(place.line.to_ne_bytes());
        lines.extend(0u32.to_ne_bytes());
        lines.extend(sanitised(&place.file).as_bytes());
        lines.push(0);
    }
    let mut bytes = vec![];
    let mut record = |id: u32, body: &[u8]| {
        bytes.extend(id.to_ne_bytes());
        bytes.extend((16 + body.len() as u32).to_ne_bytes());
        bytes.extend(time.to_ne_bytes());
        bytes.extend(body);
    };
    if count > 0 {
        let mut body = vec![];
        body.extend((f.address as u64).to_ne_bytes());
        body.extend(count.to_ne_bytes());
        body.extend(lines);
        record(DEBUG_INFO, &body);
    }
    let mut body = vec![];
    let process = std::process::id();
    body.extend(process.to_ne_bytes());
    body.extend(thread().to_ne_bytes());
    for word in [
        f.address as u64,
        f.address as u64,
        code.len() as u64,
        number,
    ] {
        body.extend(word.to_ne_bytes());
    }
    body.extend(name_of(f).as_bytes());
    body.push(0);
    body.extend(code);
    record(LOAD, &body);
    bytes
}

/// The system's number of this thread.
#[cfg(target_os = "linux")]
fn thread() -> u32 {
    // SAFETY: the function has no conditions.
    unsafe { libc::gettid() as u32 }
}

#[cfg(not(target_os = "linux"))]
fn thread() -> u32 {
    std::process::id()
}
