//! Who may know whom: what `ARCHITECTURE.md` says of the layers holds of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// The sources of a crate, each by its path from `src`, without comments and unit tests.
fn sources(name: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" {
                walk(&path, root, found);
            } else if name.ends_with(".rs") {
                let text = read_to_string(&path).unwrap();
                let shipped = text.split("#[cfg(test)]").next().unwrap();
                let code = shipped.lines().map(|l| l.split("//").next().unwrap());
                let inside = path.strip_prefix(root).unwrap().display().to_string();
                found.push((inside, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    let root = crates().join(name).join("src");
    let mut found = vec![];
    walk(&root, &root, &mut found);
    assert!(!found.is_empty());
    found
}

/// The top-level module that a file belongs to.
fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

/// The paths in `code` that begin with `prefix`, each as what follows it: several where names are in braces.
fn paths<'a>(code: &'a str, prefix: &'a str) -> Vec<&'a str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = |text: &'a str| &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    let mut found = vec![];
    for (i, _) in code.match_indices(prefix) {
        let rest = &code[i + prefix.len()..];
        if code[..i].ends_with(is_part) {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(list) => found.extend(
                list[..list.find('}').unwrap()]
                    .split(',')
                    .map(|name| end(name.trim())),
            ),
            None => found.push(end(rest)),
        }
    }
    found
}

/// Which top-level modules of a crate name which others.
fn edges(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources(name);
    let modules: BTreeSet<&str> = sources.iter().map(|(path, _)| module(path)).collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, code) in &sources {
        for p in paths(code, "crate::") {
            let named = p.split("::").next().unwrap();
            if named != module(path) && modules.contains(named) {
                let to = edges.entry(module(path).to_string()).or_default();
                to.insert(named.to_string());
            }
        }
    }
    edges
}

/// The modules that can reach themselves, through others.
fn in_circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<&str> {
    let reaches_itself = |from: &&String| {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut todo: Vec<&String> = edges[*from].iter().collect();
        while let Some(next) = todo.pop() {
            if seen.insert(next) {
                todo.extend(edges.get(next).into_iter().flatten());
            }
        }
        seen.contains(from)
    };
    edges
        .keys()
        .filter(reaches_itself)
        .map(String::as_str)
        .collect()
}

/// The crates of the workspace that a crate is built from.
fn siblings(name: &str) -> Vec<String> {
    let manifest = read_to_string(crates().join(name).join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap();
    let names = section.lines().filter_map(|l| l.split(['.', ' ']).next());
    names
        .filter(|n| n.starts_with("wengert"))
        .map(String::from)
        .collect()
}

#[test]
fn a_crate_knows_those_below_it() {
    assert_eq!(siblings("wengert-factor"), [""; 0]);
    assert_eq!(siblings("wengert-fourier"), [""; 0]);
    let libraries = ["wengert-factor", "wengert-fourier"];
    assert_eq!(siblings("wengert-loop"), libraries);
    assert_eq!(siblings("wengert-run"), ["wengert-loop"]);
    assert_eq!(siblings("wengert-jit"), ["wengert-loop", "wengert-run"]);
    assert_eq!(siblings("wengert-ir"), ["wengert-loop"]);
}

#[test]
fn modules_of_the_loop_ir_know_each_other_in_one_direction() {
    assert_eq!(in_circles(&edges("wengert-loop")), [""; 0]);
}

/// Code and its frames come from a back end, and an executable is what a back end gives.
#[test]
fn a_back_end_and_what_it_gives_are_the_only_circle_of_the_runtime() {
    assert_eq!(in_circles(&edges("wengert-run")), ["backend", "executable"]);
}

/// Verifier, interpreter, printer, planner and explanation know that there are kernels, and none of them. Code of a back
/// end's own for a kernel is an exception that it makes.
#[test]
fn nobody_names_a_kernel_but_its_operation() {
    let kernels = ["Gemm", "LaneProduct", "Sort", "TopK", "RandomBlock", "Host"];
    let may = |name: &str, path: &str| match name {
        "wengert-loop" => path.starts_with("loops/kernel/"),
        "wengert-run" => path.starts_with("library/"),
        "wengert-jit" => path.starts_with("emit/calls.rs") || path.starts_with("zmm/"),
        _ => false,
    };
    for name in ["wengert-loop", "wengert-run", "wengert-jit", "wengert"] {
        for (path, code) in sources(name) {
            let uses: Vec<&str> = (code.split_inclusive(';'))
                .filter(|line| line.contains("kernel::"))
                .flat_map(|line| kernels.into_iter().filter(|k| line.contains(k)))
                .filter(|k| !code.contains(&format!("{k}Function")))
                .collect();
            assert!(
                uses.is_empty() || may(name, &path),
                "{name}: {path}: {uses:?}"
            );
        }
    }
}

/// A function holds operations, and operations hold functions; what the rules of an operation call, and
/// what runs an operation, is in the circle with them. Compositions and rewrites are not.
#[test]
fn the_table_of_operations_is_the_only_circle() {
    assert_eq!(
        in_circles(&edges("wengert-ir")),
        ["eval", "ir", "ops", "schedule", "trace", "transform"]
    );
}

/// What is in the circle with the operations knows the table, and no row of it.
#[test]
fn only_rewrites_name_operations() {
    let knows_the_table = |path: &str| {
        let may = [
            "eval.rs",
            "ir/",
            "schedule/",
            "transform/",
            "trace/stack/",
            "trace/var.rs",
        ];
        may.iter().any(|m| path.starts_with(m))
    };
    for (path, code) in sources("wengert-ir") {
        if !knows_the_table(&path) {
            continue;
        }
        // Families are modules. `work` has the prices that the lowering reckons with.
        let family = |p: &&str| p.starts_with(char::is_lowercase) && !p.starts_with("work");
        let allowed = ["parse", "fold", "add_cotangents", "add_tangents"];
        for p in paths(&code, "crate::ops::").into_iter().filter(family) {
            assert!(allowed.contains(&p), "{path} names ops::{p}");
        }
        let variant = |p: &&str| p.starts_with(char::is_uppercase);
        let named = paths(&code, "Op::").into_iter().find(variant);
        assert_eq!(named, None, "{path} names an operation");
    }
}

#[test]
fn only_the_back_end_and_its_runtime_are_unsafe() {
    for entry in std::fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        let root = ["src/lib.rs", "src/main.rs"].map(|p| folder.join(p));
        let root = root.into_iter().find(|p| p.exists()).unwrap();
        let forbids = read_to_string(root)
            .unwrap()
            .contains("#![forbid(unsafe_code)]");
        let native = [
            "wengert-cuda",
            "wengert-jit",
            "wengert-opencl",
            "wengert-run",
        ];
        let native = native.iter().any(|name| folder.ends_with(name));
        assert_eq!(forbids, !native, "{folder:?}");
    }
}
