//! The leaves of trees under names.

use std::collections::BTreeMap;

use wengert::{Array, Leaf, ShapeDtype, Tree, tree};

use crate::error::{Error, Result};

mod sealed {
    pub trait Pattern {}
}

/// A leaf of a tree that says what is to be read: an [`Array`], or its [`ShapeDtype`]. The trait is sealed.
pub trait Pattern: sealed::Pattern + Leaf {
    /// Returns the type and shape.
    #[doc(hidden)]
    fn spec(&self) -> ShapeDtype;
}

impl sealed::Pattern for Array {}
impl Pattern for Array {
    fn spec(&self) -> ShapeDtype {
        ShapeDtype::new(self.shape(), self.dtype())
    }
}

impl sealed::Pattern for ShapeDtype {}
impl Pattern for ShapeDtype {
    fn spec(&self) -> ShapeDtype {
        self.clone()
    }
}

/// The names of leaves in files: functions from the path of a leaf, as [`tree::paths`](wengert::tree::paths) gives
/// it, to its name.
///
/// | path | [`plain`](names::plain) | [`dotted`](names::dotted) |
/// |---|---|---|
/// | `.rates.alpha` | `rates.alpha` | `rates.alpha` |
/// | `.layers[0].w` | `layers[0].w` | `layers.0.w` |
/// | `["mass"]` | `mass` | `mass` |
/// | `.by_name["mass"]` | `by_name["mass"]` | `by_name.mass` |
/// | `` (one leaf) | `arr_0` | `arr_0` |
pub mod names {
    /// The path without what only separates: the dot in front, and around a key of a map in front its brackets. A tree that
    /// is one leaf has the name that NumPy gives what has none, `arr_0`. This is what `save` and `load` use.
    ///
    /// ```
    /// use wengert_interop::names;
    ///
    /// assert_eq!(names::plain(".layers[0].w"), "layers[0].w");
    /// ```
    pub fn plain(path: &str) -> String {
        if path.is_empty() {
            return "arr_0".into();
        }
        if let Some((key, rest)) = key(path) {
            return format!("{key}{rest}");
        }
        path.strip_prefix('.').unwrap_or(path).into()
    }

    /// The path with a dot before each part: the names that PyTorch gives parameters.
    ///
    /// ```
    /// use wengert_interop::names;
    ///
    /// assert_eq!(names::dotted(".layers[0].w"), "layers.0.w");
    /// ```
    pub fn dotted(path: &str) -> String {
        if path.is_empty() {
            return "arr_0".into();
        }
        let mut name = String::new();
        let mut rest = path;
        while let Some(c) = rest.chars().next() {
            let part = match key(rest) {
                Some((key, after)) => {
                    rest = after;
                    key
                }
                None => {
                    let inside = rest.strip_prefix(['.', '[']).unwrap_or(rest);
                    let end = match c {
                        '[' => inside.find(']').unwrap_or(inside.len()),
                        _ => inside.find(['.', '[']).unwrap_or(inside.len()),
                    };
                    rest = &inside[end..];
                    rest = rest.strip_prefix(']').unwrap_or(rest);
                    &inside[..end]
                }
            };
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(part);
        }
        name
    }

    /// Splits a path that begins with a key of a map into the key and the rest. A key with what has to be escaped stays as
    /// it is.
    fn key(path: &str) -> Option<(&str, &str)> {
        let inside = path.strip_prefix("[\"")?;
        let (key, rest) = inside.split_once("\"]")?;
        (!key.contains('\\')).then_some((key, rest))
    }
}

/// Returns the leaves, each under its name.
pub(crate) fn named<'a, T: Tree<Leaf = Array>>(
    tree: &'a T,
    name: &dyn Fn(&str) -> String,
) -> Result<Vec<(String, &'a Array)>> {
    let (leaves, def) = tree::flatten_ref(tree);
    let paths = def.paths();
    distinct(&paths, name)?;
    Ok(paths.iter().map(|p| name(p)).zip(leaves).collect())
}

/// Checks that no two paths have one name.
fn distinct(paths: &[String], name: &dyn Fn(&str) -> String) -> Result<()> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for path in paths {
        if let Some(first) = seen.insert(name(path), path) {
            return Err(Error::Name {
                name: name(path),
                first: first.clone(),
                second: path.clone(),
            });
        }
    }
    Ok(())
}

/// Makes the tree that is like `like` from arrays under names.
pub(crate) fn gathered<T: Tree<Leaf: Pattern>>(
    file: &str,
    like: &T,
    mut found: BTreeMap<String, Array>,
    name: &dyn Fn(&str) -> String,
) -> Result<T::With<Array>> {
    let (leaves, def) = tree::flatten_ref(like);
    let paths = def.paths();
    distinct(&paths, name)?;
    let has: Vec<String> = found.keys().cloned().collect();
    let mut arrays = vec![];
    for (leaf, path) in leaves.into_iter().zip(&paths) {
        let Some(array) = found.remove(&name(path)) else {
            return Err(Error::Missing {
                file: file.into(),
                path: path.clone(),
                name: name(path),
                has,
            });
        };
        let (expected, got) = (leaf.spec(), array.spec());
        if expected != got {
            return Err(Error::Type {
                file: file.into(),
                path: path.clone(),
                expected,
                got,
            });
        }
        arrays.push(array);
    }
    if !found.is_empty() {
        return Err(Error::Extra {
            file: file.into(),
            names: found.into_keys().collect(),
        });
    }
    Ok(tree::unflatten(&def, arrays)?)
}
