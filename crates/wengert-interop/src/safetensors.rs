//! Files of `safetensors`, in which models for PyTorch and JAX are passed on, and trees in them.
//!
//! As in [`npz`](crate::npz), [`save`] writes the leaves of a tree, each under its path, and [`load`] makes a tree of them
//! again. Names with dots, as PyTorch has them, are [`names::dotted`].
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_interop::{names, safetensors};
//!
//! #[derive(Tree, Clone, PartialEq, Debug)]
//! struct Linear<T = Var> {
//!     weight: T,
//!     bias: T,
//! }
//!
//! let layer = Linear { weight: Array::full([3, 2], 0.5f32), bias: Array::full([3], 0f32) };
//! let net = vec![layer; 2];
//! let path = std::env::temp_dir().join(format!("wengert-doc-{}.safetensors", std::process::id()));
//! safetensors::save_named(&path, &net, names::dotted)?; // `0.weight`, `0.bias`, `1.weight`, `1.bias`
//! assert_eq!(safetensors::load_named(&path, &net, names::dotted)?, net);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), wengert_interop::Error>(())
//! ```
//!
//! `F64`, `F32`, `I64`, `I32`, `U64`, `U32`, `U8` and `BOOL` are what they are here. `F16` and `BF16` are read as `f32`, `I8`
//! and `I16` as `i32`, `U16` as `u32`; others are an error.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};
use wengert::{Array, DType, Tree};

use crate::bytes::{self, Kind};
use crate::error::{Error, Result, shown};
use crate::files::{create, known};
use crate::leaves::{Pattern, gathered, named, names};

/// Each element type by its name in a file.
const KINDS: [(&str, Kind); 13] = [
    ("F64", Kind::Same(DType::F64)),
    ("F32", Kind::Same(DType::F32)),
    ("I64", Kind::Same(DType::I64)),
    ("I32", Kind::Same(DType::I32)),
    ("U64", Kind::Same(DType::U64)),
    ("U32", Kind::Same(DType::U32)),
    ("U8", Kind::Same(DType::U8)),
    ("BOOL", Kind::Same(DType::Bool)),
    ("F16", Kind::F16),
    ("BF16", Kind::Bf16),
    ("I8", Kind::I8),
    ("I16", Kind::I16),
    ("U16", Kind::U16),
];

/// The name of an entry that is no tensor.
const METADATA: &str = "__metadata__";

/// Writes the leaves of a tree, each under its path ([`names::plain`]). The file is there as a whole or not at all.
///
/// # Errors
/// If the file cannot be written, or if two leaves have one name.
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
    all(path.as_ref(), named(tree, &name)?)
}

/// Reads a tree like the one given, whose leaves are arrays or their types.
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

/// Reads all arrays of a file, by their names.
///
/// # Errors
/// If the file cannot be read, is damaged, or has elements that an [`Array`] cannot hold.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>> {
    let file = shown(path.as_ref());
    let content = fs::read(path.as_ref()).map_err(|e| Error::io(&file, e))?;
    let wrong = |message: String| Error::format(&file, message);
    let short = || {
        wrong(match known(&content) {
            Some(is) => format!("is no safetensors file: {is}"),
            None => "ends within its header".into(),
        })
    };
    let (length, rest) = content.split_first_chunk().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok();
    let (header, data) = length
        .and_then(|n| rest.split_at_checked(n))
        .ok_or_else(short)?;
    let header: Map<String, Value> = serde_json::from_slice(header).map_err(|e| {
        wrong(format!(
            "is no safetensors file: its header is no JSON, {e}"
        ))
    })?;
    let mut found = BTreeMap::new();
    for (name, entry) in &header {
        if name == METADATA {
            continue;
        }
        let place = format!("{file}: {name}");
        let (kind, shape, span) = entry_of(entry).map_err(|e| Error::format(&place, e))?;
        let n = bytes::count(&place, kind.dtype(), &shape)?;
        let part = data.get(span).filter(|part| part.len() == n * kind.bytes());
        let Some(mut part) = part else {
            let message =
                format!("its bytes are not those of {n} elements, or beyond the end of the file");
            return Err(Error::format(&place, message));
        };
        let array = bytes::read(&mut part, &place, kind, false, &shape, false)?;
        found.insert(name.clone(), array);
    }
    Ok(found)
}

type Entry = (Kind, Vec<usize>, std::ops::Range<usize>);

fn entry_of(entry: &Value) -> std::result::Result<Entry, String> {
    let dtype = entry["dtype"].as_str().ok_or("has no dtype")?;
    let kind = KINDS.iter().find(|(name, _)| *name == dtype);
    let (_, kind) = kind.ok_or_else(|| format!("has elements of the type {dtype}"))?;
    let whole = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
    let list =
        |key: &str| -> Option<Vec<usize>> { entry[key].as_array()?.iter().map(whole).collect() };
    let shape = list("shape").ok_or("has no shape")?;
    match list("data_offsets").as_deref() {
        Some(&[from, to]) => Ok((*kind, shape, from..to)),
        _ => Err("has no data_offsets".into()),
    }
}

/// Writes arrays under names. The file is there as a whole or not at all.
///
/// # Errors
/// If the file cannot be written, or if two arrays have one name.
///
/// ```
/// use wengert::Array;
/// use wengert_interop::safetensors;
///
/// let path = std::env::temp_dir().join(format!("wengert-doc-w-{}.safetensors", std::process::id()));
/// safetensors::write(&path, [("x", &Array::from([1.0, 2.0])), ("n", &Array::from(7))])?;
/// assert_eq!(safetensors::read(&path)?["x"], Array::from([1.0, 2.0]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), wengert_interop::Error>(())
/// ```
pub fn write<'a, N: Into<String>>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (N, &'a Array)>,
) -> Result<()> {
    let arrays = arrays.into_iter().map(|(name, a)| (name.into(), a));
    all(path.as_ref(), arrays.collect())
}

fn all(path: &Path, mut arrays: Vec<(String, &Array)>) -> Result<()> {
    let file = shown(path);
    // Wide elements first: so each begins at a multiple of its width.
    arrays.sort_by(|(a, x), (b, y)| (y.dtype().bytes(), a).cmp(&(x.dtype().bytes(), b)));
    let mut header = Map::new();
    let mut end = 0;
    for (name, array) in &arrays {
        let kind = Kind::Same(array.dtype());
        let (dtype, _) = KINDS
            .iter()
            .find(|(_, k)| *k == kind)
            .expect("all are in the table");
        let begin = end;
        end += array.len() * kind.bytes();
        let entry = json!({"dtype": dtype, "shape": array.shape(), "data_offsets": [begin, end]});
        if name == METADATA || header.insert(name.clone(), entry).is_some() {
            let message =
                format!("two arrays are named `{name}`, or it is a name of the format's own");
            return Err(Error::format(&file, message));
        }
    }
    let mut header = Value::Object(header).to_string();
    let padded = header.len().next_multiple_of(8);
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    create(path, |to| {
        let mut written = to.write_all(&(header.len() as u64).to_le_bytes());
        written = written.and_then(|()| to.write_all(header.as_bytes()));
        for (_, array) in &arrays {
            written = written.and_then(|()| {
                bytes::each_part(array, false, false, &mut |part| to.write_all(part))
            });
        }
        written.map_err(|e| Error::io(&file, e))
    })
}
