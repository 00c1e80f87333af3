//! NumPy's files of several arrays, `.npz`, and trees in them.
//!
//! [`save`] writes the leaves of a tree, each under its path, and [`load`] makes a tree of them again. A tree to be read
//! is like one that is given: its own former values, or their [types](wengert::tree::specs). So a file that lacks a leaf,
//! has one too many, or one of another type or shape is an error that names the leaf.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_interop::npz;
//!
//! #[derive(Tree, Clone, PartialEq, Debug)]
//! struct Model<T = Var> {
//!     rate: T,
//!     layers: Vec<(T, T)>,
//! }
//!
//! let model = Model {
//!     rate: Array::from(0.1),
//!     layers: vec![(Array::from([[1.0, 2.0]]), Array::from([0.5])); 2],
//! };
//! let path = std::env::temp_dir().join(format!("wengert-doc-{}.npz", std::process::id()));
//! npz::save(&path, &model)?; // `rate`, `layers[0].0`, `layers[0].1`, `layers[1].0`, `layers[1].1`
//! assert_eq!(npz::load(&path, &model)?, model);
//!
//! // What is read may be given as types alone.
//! assert_eq!(npz::load(&path, &tree::specs(&model))?, model);
//! let other = Model { rate: ShapeDtype::new([3], DType::F64), ..tree::specs(&model) };
//! let error = npz::load(&path, &other).unwrap_err();
//! assert!(error.to_string().ends_with(".rate: expected f64[3], got f64"));
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), wengert_interop::Error>(())
//! ```
//!
//! Complex numbers are two leaves, `z.re` and `z.im`. What NumPy has written as `complex128` under `z` is read as these.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rawzip::path::{EntryPath, ZipFilePath};
use rawzip::{CompressionMethod, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive, ZipArchiveWriter};
use wengert::{Array, Tree};

use crate::error::{Error, Result, shown};
use crate::files::{create, known};
use crate::leaves::{Pattern, gathered, named, names};
use crate::npy::{self, Content, Layout};

/// Writes the leaves of a tree, each under its path ([`names::plain`]), without compression: `numpy.savez`. The file is
/// there as a whole or not at all.
///
/// # Errors
/// If the file cannot be written, if two leaves have one name, or if an archive cannot keep a name.
pub fn save<T: Tree<Leaf = Array>>(path: impl AsRef<Path>, tree: &T) -> Result<()> {
    save_named(path, tree, names::plain)
}

/// Writes the leaves of a tree under names of your own: a function from the [path](wengert::tree::paths) of a leaf to its
/// name, such as [`names::dotted`].
///
/// # Errors
/// As [`save`].
pub fn save_named<T: Tree<Leaf = Array>>(
    path: impl AsRef<Path>,
    tree: &T,
    name: impl Fn(&str) -> String,
) -> Result<()> {
    archive(path.as_ref(), named(tree, &name)?, CompressionMethod::STORE)
}

/// As [`save`], with compression: `numpy.savez_compressed`.
///
/// # Errors
/// As [`save`].
pub fn save_compressed<T: Tree<Leaf = Array>>(path: impl AsRef<Path>, tree: &T) -> Result<()> {
    let leaves = named(tree, &names::plain)?;
    archive(path.as_ref(), leaves, CompressionMethod::DEFLATE)
}

/// Reads a tree like the one given, whose leaves are arrays or their types, from a file that [`save`] or NumPy has
/// written.
///
/// # Errors
/// If the file cannot be read or is damaged, lacks a leaf, has one that the tree has not, or one of another type or shape.
pub fn load<T: Tree<Leaf: Pattern>>(path: impl AsRef<Path>, like: &T) -> Result<T::With<Array>> {
    load_named(path, like, names::plain)
}

/// Reads a tree whose leaves have names of your own: see [`save_named`].
///
/// # Errors
/// As [`load`].
pub fn load_named<T: Tree<Leaf: Pattern>>(
    path: impl AsRef<Path>,
    like: &T,
    name: impl Fn(&str) -> String,
) -> Result<T::With<Array>> {
    let found = read(path.as_ref())?;
    gathered(&shown(path.as_ref()), like, found, &name)
}

/// Reads all arrays of a file, by their names. Complex numbers under `z` are read as `z.re` and `z.im`.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds what an [`Array`] cannot: see [`npy`].
///
/// ```
/// use wengert::Array;
/// use wengert_interop::npz;
///
/// let path = std::env::temp_dir().join(format!("wengert-doc-read-{}.npz", std::process::id()));
/// npz::write(&path, [("x", &Array::from([1.0, 2.0])), ("n", &Array::from(7))])?;
/// let found = npz::read(&path)?;
/// assert_eq!(found["n"], Array::from(7));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), wengert_interop::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>> {
    let file = shown(path.as_ref());
    let opened = File::open(path.as_ref()).map_err(|e| Error::io(&file, e))?;
    let mut opened = BufReader::new(opened);
    let start = opened.fill_buf().map_err(|e| Error::io(&file, e))?;
    let other = known(start).filter(|_| !start.starts_with(b"PK"));
    let wrong = |e: rawzip::Error| {
        let is = other.map_or_else(|| e.to_string(), String::from);
        Error::format(&file, format!("is no .npz file: {is}"))
    };
    let mut record = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let archive = ZipArchive::from_file(opened.into_inner(), &mut record).map_err(wrong)?;
    let mut listed = vec![];
    let mut entries = archive.entries(&mut record);
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        let full = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        listed.push((full, entry.wayfinder(), entry.compression_method()));
    }
    let mut found = BTreeMap::new();
    let mut put = |name: String, array| match found.insert(name.clone(), array) {
        None => Ok(()),
        Some(_) => Err(Error::format(&file, format!("has `{name}` twice"))),
    };
    for (full, at, compression) in listed {
        let Some(name) = full.strip_suffix(".npy") else {
            return Err(Error::format(
                &file,
                format!("has `{full}`, which is no array"),
            ));
        };
        let place = format!("{file}: {name}");
        let entry = archive.get_entry(at).map_err(wrong)?;
        let content = match compression {
            CompressionMethod::STORE => verified(
                entry.verifying_reader(BufReader::new(entry.reader())),
                &place,
            )?,
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(BufReader::new(entry.reader()));
                verified(entry.verifying_reader(inflated), &place)?
            }
            other => {
                let message =
                    format!("is compressed by {other:?}, and `deflate` is the one that NumPy uses");
                return Err(Error::format(&place, message));
            }
        };
        match content {
            Content::Real(array) => put(name.into(), array)?,
            Content::Complex(z) => {
                put(format!("{name}.re"), z.re)?;
                put(format!("{name}.im"), z.im)?;
            }
        }
    }
    Ok(found)
}

/// Reads an entry to its end, where its checksum is compared.
fn verified(mut from: impl Read, place: &str) -> Result<Content> {
    let content = npy::content(&mut from, place)?;
    let mut more = [0; 1];
    match from.read(&mut more) {
        Ok(0) => Ok(content),
        Ok(_) => Err(Error::format(place, "has more bytes than its array")),
        Err(e) => Err(Error::io(place, e)),
    }
}

/// Writes arrays under names: `numpy.savez`. The file is there as a whole or not at all.
///
/// # Errors
/// If the file cannot be written, if two arrays have one name, or if an archive cannot keep a name.
pub fn write<'a, N: Into<String>>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (N, &'a Array)>,
) -> Result<()> {
    let arrays = arrays.into_iter().map(|(name, a)| (name.into(), a));
    archive(path.as_ref(), arrays.collect(), CompressionMethod::STORE)
}

/// Whether an entry keeps this name. What is not ASCII is written as a path, from which the library drops what leads out of
/// a folder.
fn fits(name: &str) -> bool {
    name.is_ascii() || ZipFilePath::from_str(name).as_str() == name
}

fn archive(
    path: &Path,
    arrays: Vec<(String, &Array)>,
    compression: CompressionMethod,
) -> Result<()> {
    let file = shown(path);
    let mut seen = BTreeSet::new();
    if let Some((name, _)) = arrays.iter().find(|(name, _)| !seen.insert(name)) {
        return Err(Error::format(
            &file,
            format!("two arrays are named `{name}`"),
        ));
    }
    if let Some((name, _)) = arrays
        .iter()
        .find(|(name, _)| !fits(&format!("{name}.npy")))
    {
        let message = format!(
            "the library for archives does not keep the name `{name}`: beside letters beyond ASCII there may be no `\\`, `:`, `..`, \
             `./`, `//` or `/` in front; give other names"
        );
        return Err(Error::format(&file, message));
    }
    create(path, |to| {
        let wrong = |e: rawzip::Error| Error::format(&file, e.to_string());
        let io = |e| Error::io(&file, e);
        let mut zip = ZipArchiveWriter::new(to);
        for (name, array) in &arrays {
            let name = format!("{name}.npy");
            // The library makes paths of file systems of names that are not taken as they are.
            let exact = match name.is_ascii() {
                true => EntryPath::verbatim(name.as_bytes()),
                false => EntryPath::conformant(&name),
            };
            let entry = zip.new_file(exact).compression_method(compression);
            let (mut entry, config) = entry.start().map_err(wrong)?;
            let checked = match compression {
                CompressionMethod::STORE => {
                    let mut to = config.wrap(&mut entry);
                    npy::written(&mut to, &file, array, Layout::default())?;
                    to.finish().map_err(wrong)?.1
                }
                _ => {
                    let mut to =
                        config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
                    npy::written(&mut to, &file, array, Layout::default())?;
                    let (deflated, checked) = to.finish().map_err(wrong)?;
                    deflated.finish().map_err(io)?;
                    checked
                }
            };
            entry.finish(checked).map_err(wrong)?;
        }
        zip.finish().map_err(wrong)?;
        Ok(())
    })
}
