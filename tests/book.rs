//! The book: its links lead somewhere, its pages are in its table of contents and their code is run, and the names that its
//! tables give for those of other languages exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages, by their names.
fn pages() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("docs/src")).unwrap();
    let pages = files.filter_map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name()?.to_str()?.to_string();
        name.ends_with(".md").then(|| (name, read(&path)))
    });
    pages.collect()
}

/// The lines of a page that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// A paragraph without its code spans.
fn without_spans(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

/// The targets of `[..](target)` and `[..]: target`.
fn links(page: &str) -> Vec<String> {
    let text: Vec<&str> = prose(page).collect();
    let text = without_spans(&text.join("\n"));
    let inline = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let named = text.lines().filter_map(|line| {
        let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some(target)
    });
    inline
        .chain(named)
        .map(|target| target.trim().to_string())
        .collect()
}

/// The anchors of a page, as `mdbook` makes them of headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter_map(|c| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                _ => None,
            });
            kept.collect()
        })
        .collect()
}

/// What is wrong with the links of a text that lies in a folder.
fn dead(name: &str, text: &str, folder: &Path) -> Vec<String> {
    let mut dead = vec![];
    for link in links(text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let path = folder.join(file);
        if !path.exists() {
            dead.push(format!("{name}: there is no {file}"));
            continue;
        }
        let there = match file {
            _ if anchor.is_empty() => continue,
            "" => anchors(text),
            _ => anchors(&read(&path)),
        };
        if !there.contains(anchor) {
            dead.push(format!("{name}: {file} has no heading #{anchor}"));
        }
    }
    dead
}

#[test]
fn links_lead_somewhere() {
    let folder = root().join("docs/src");
    let mut wrong = vec![];
    for (name, page) in pages() {
        wrong.extend(dead(&name, &page, &folder));
    }
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        wrong.extend(dead(name, &read(&root().join(name)), &root()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_dead_link_is_found() {
    let folder = root().join("docs/src");
    let page = "# A page\n\n[one](no-such-page.md), [two](trees.md#no-such-part), [three](trees.md#structs)\n\n\
                [four](#a-page), `[five](code.md)`\n\n```\n[six](code.md)\n```\n\n[seven]: no-such.svg\n";
    let wrong = dead("page.md", page, &folder);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

#[test]
fn every_page_is_in_the_contents_and_tested() {
    let pages = pages();
    let contents = links(&pages["SUMMARY.md"]);
    let tested = include_str!("lib.rs");
    for (name, page) in &pages {
        if name == "SUMMARY.md" {
            continue;
        }
        assert!(contents.contains(name), "{name} is not in SUMMARY.md");
        let code = page.lines().any(|line| line.starts_with("```rust"));
        let listed = tested.contains(&format!("../docs/src/{name}\""));
        assert!(
            !code || listed,
            "{name} has code, and is not in tests/lib.rs"
        );
    }
}

/// The names of all public functions and methods of the crates.
fn functions() -> BTreeSet<String> {
    fn visit(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, names);
            } else if path.extension().is_some_and(|e| e == "rs") {
                for part in read(&path).split("fn ").skip(1) {
                    let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
                    names.insert(part[..end.unwrap_or(part.len())].to_string());
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    for krate in ["wengert", "wengert-ir", "wengert-solve"] {
        visit(&root().join("crates").join(krate).join("src"), &mut names);
    }
    names
}

/// Names in tables that are of Rust or of the program.
const OTHERS: [&str; 5] = ["derive", "tree", "f", "g", "step"];

/// The names in a line of code that are called.
fn called(code: &str) -> Vec<&str> {
    let before = |(i, _): (usize, &str)| {
        let start = code[..i].rfind(|c: char| !c.is_alphanumeric() && c != '_');
        &code[start.map_or(0, |start| start + 1)..i]
    };
    let names = code.match_indices('(').map(before);
    // What starts with a capital is a variant or a struct.
    names
        .filter(|name| name.starts_with(char::is_lowercase))
        .collect()
}

#[test]
fn tables_of_other_languages_name_what_exists() {
    let functions = functions();
    let mut seen = 0;
    for (name, page) in pages() {
        if !name.starts_with("from-") {
            continue;
        }
        for row in prose(&page).filter(|line| line.starts_with("| ")) {
            // A `|` of a closure is written `\|`.
            let row = row.replace("\\|", "¦");
            let Some(ours) = row.split('|').nth(2) else {
                continue;
            };
            for code in ours.split('`').skip(1).step_by(2) {
                for function in called(code) {
                    seen += 1;
                    let known = functions.contains(function) || OTHERS.contains(&function);
                    assert!(known, "{name}: there is no `{function}`, in {row}");
                }
            }
        }
    }
    assert!(seen > 300, "{seen}");
}
