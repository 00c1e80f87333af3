//! Functions as pictures: a graph for other programs to draw, and a page to read; and other pages like
//! it.

mod dot;
mod html;
mod outline;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Place;

pub use outline::Outline;

/// Larger files are not looked into.
const LARGE: u64 = 16 << 20;

/// The lines of the user's files, as far as they are there to be read.
#[derive(Default)]
struct Lines {
    files: HashMap<String, Vec<String>>,
}

impl Lines {
    /// The text of a line, without the space around it.
    fn of(&mut self, place: &Place) -> Option<&str> {
        let lines = match self.files.contains_key(&place.file) {
            true => &self.files[&place.file],
            false => {
                let text = read(Path::new(&place.file)).unwrap_or_default();
                let lines = text.lines().map(|l| l.trim().to_string()).collect();
                self.files.entry(place.file.clone()).or_insert(lines)
            }
        };
        let line = lines.get((place.line as usize).checked_sub(1)?)?;
        (!line.is_empty()).then_some(line)
    }
}

/// A file of Rust, and nothing else: a function may have been read from a text that names any file.
/// Compilers are given paths from the root of a workspace, and programs run below it.
fn read(file: &Path) -> Option<String> {
    if file.extension().is_none_or(|e| e != "rs") {
        return None;
    }
    let here = std::env::current_dir().ok();
    let above = here
        .iter()
        .flat_map(|d| d.ancestors())
        .map(|d| d.join(file));
    let small = |p: &PathBuf| fs::metadata(p).is_ok_and(|m| m.is_file() && m.len() <= LARGE);
    let found = std::iter::once(file.to_path_buf())
        .chain(above)
        .find(small)?;
    fs::read_to_string(found).ok()
}
