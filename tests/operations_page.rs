//! The page of the book that lists every operation: it is made of what the documentation of each method
//! says, so that the two cannot differ, and of the rows that have no method but an operator.
//!
//! `UPDATE_EXPECT=1 cargo test -p wengert-tests operations_page` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use wengert_ir::ops::rows;

/// The files that hold operations, in the order of the page.
const FILES: &[&str] = &[
    "trace/functions.rs",
    "trace/special.rs",
    "trace/tails.rs",
    "trace/activation.rs",
    "trace/array/make.rs",
    "trace/array/shape.rs",
    "num/arrange.rs",
    "num/diagonal.rs",
    "trace/array/at.rs",
    "trace/array/part.rs",
    "trace/array/along.rs",
    "trace/array/reduce.rs",
    "trace/array/cumulative.rs",
    "trace/array/order.rs",
    "num/softmax.rs",
    "num/statistics.rs",
    "num/order.rs",
    "num/nan.rs",
    "trace/array/product.rs",
    "num/einsum.rs",
    "num/norm.rs",
    "num/length.rs",
    "num/linalg/solve.rs",
    "num/linalg/spectral.rs",
    "num/linalg/functions.rs",
    "num/linalg/banded.rs",
    "../../wengert/src/linalg/exponential.rs",
    "../../wengert/src/linalg/spectra.rs",
    "../../wengert/src/linalg/functions.rs",
    "../../wengert/src/linalg/equations.rs",
    "../../wengert/src/linalg/krylov.rs",
    "../../wengert/src/linalg/lsmr.rs",
    "num/calculus.rs",
    "num/polynomial.rs",
    "num/conv.rs",
    "num/conv/transposed.rs",
    "num/choose.rs",
    "../../wengert/src/complex/mod.rs",
    "../../wengert/src/complex/functions.rs",
    "../../wengert/src/complex/inverse.rs",
    "../../wengert/src/complex/reduce.rs",
    "../../wengert/src/complex/linalg.rs",
    "../../wengert/src/fft/transform.rs",
    "../../wengert/src/fft/frequencies.rs",
    "../../wengert/src/fft/cosine.rs",
    "../../wengert/src/fft/convolve.rs",
    "../../wengert/src/fft/short_time.rs",
];

/// Types whose methods are operations, and how a value of each is written.
const RECEIVERS: &[(&str, &str)] = &[
    ("Var", "x"),
    ("Complex", "z"),
    ("Krylov", "krylov"),
    ("Lsmr", "lsmr"),
    ("Conv", "conv"),
    ("Window", "window"),
    ("ShortTime", "s"),
];

/// Rows that are written as operators: row, how, its name elsewhere, derivative.
const OPERATORS: &[[&str; 4]] = &[
    ["add", "x + y", "numpy.add", "1 and 1"],
    ["sub", "x - y", "numpy.subtract", "1 and -1"],
    ["mul", "x * y", "numpy.multiply", "`y` and `x`"],
    [
        "div",
        "x / y",
        "jax.lax.div",
        "`1/y` and `-x/y²`; none of integers",
    ],
    ["rem", "x % y", "numpy.fmod", "1 and `-trunc(x / y)`"],
    ["neg", "-x", "numpy.negative", "-1"],
    ["and", "x & y", "numpy.bitwise_and", "none"],
    ["or", "x \\| y", "numpy.bitwise_or", "none"],
    ["xor", "x ^ y", "numpy.bitwise_xor", "none"],
    ["not", "!x", "numpy.invert", "none"],
    ["shift_left", "x << n", "numpy.left_shift", "none"],
    ["shift_right", "x >> n", "numpy.right_shift", "none"],
];

/// Rows that only rules record.
const INTERNAL: &[&str] = &[
    "mul_or_zero",
    "gamma_density",
    "gamma_moment",
    "beta_density",
    "beta_moment",
    "bessel_ratio",
    "bessel_moment",
    "div_or_zero",
    "power_log",
    "polygamma_gap",
    "inverse_power",
    "sigmoid_slope",
    "tanh_slope",
    "direction",
    "inverse_part",
    "gauss",
    "erfcx_ratio",
    "erfc_hazard",
    "normal_hazard",
    "exprel_moment",
    "log1p_moment",
    "recip_expm1",
    "exponent",
];

/// Where an operation's name elsewhere comes from.
const LIBRARIES: [&str; 5] = ["numpy.", "jax.", "scipy.", "torch.", "tfp."];

const HEAD: &str = "\
# Operations

Every operation on a `Var`: how it is written, what NumPy, SciPy or JAX call it, and its derivative. The
documentation of each says what shapes and element types it takes, and what is an error. This page is made
of it.

`x.sum_axis(1)`, `x.sum_axis([0, -1])` and `x.sum_axis(..)` reduce one axis, several, and all; negative
axes count from the end. `keep(1)` in their place leaves the axes with length 1 (`keepdims=True`):
`x / x.sum_axis(keep(1))`. Shapes broadcast as in NumPy. Element types are promoted, and never
narrowed: see [Element types](element-types.md).

## Operators

| operation | elsewhere | derivative |
|---|---|---|
";

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wengert-ir/src")
}

#[test]
fn the_page_is_current() {
    let mut missing = vec![];
    let mut page = String::from(HEAD);
    for [_, written, name, derivative] in OPERATORS {
        page += &format!("| `{written}` | `{name}` | {derivative} |\n");
    }
    for file in FILES {
        for section in sections(file) {
            page += &format!("\n## {}\n\n", section.title);
            for text in &section.intro {
                page += &format!("{text}\n\n");
            }
            page += "| operation | what | elsewhere | derivative |\n|---|---|---|---|\n";
            for entry in &section.entries {
                match entry.line(&section) {
                    Some(line) => page += &line,
                    None => missing.push(format!("{file}: `{}`", entry.name)),
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no derivative is said of\n{}",
        missing.join("\n")
    );
    expect_file!["../docs/src/operations.md"].assert_eq(&page);
}

#[test]
fn no_file_is_left_out() {
    for folder in ["num", "num/conv", "num/linalg", "trace/array"] {
        for entry in std::fs::read_dir(sources().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                continue;
            }
            let name = entry.file_name();
            let path = format!("{folder}/{}", name.to_string_lossy());
            // Pairs of arrays, for the methods of complex ones.
            let inside = ["num/linalg/complex.rs"];
            assert!(
                path.ends_with("/mod.rs")
                    || inside.contains(&&path[..])
                    || FILES.contains(&&path[..]),
                "{path} is not listed"
            );
        }
    }
}

/// Every row of the tables is reached by a method, an operator, or the derivative of another row.
#[test]
fn every_row_is_on_the_page() {
    let mut files: Vec<PathBuf> = FILES.iter().map(|file| sources().join(file)).collect();
    let tables = std::fs::read_dir(sources().join("ops/rows")).unwrap();
    files.extend(tables.map(|entry| entry.unwrap().path()));
    let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    let sources: String = files.iter().map(text).collect();
    let operators: BTreeSet<&str> = OPERATORS.iter().map(|o| o[0]).collect();
    let lost: Vec<&str> = rows::all()
        .map(|row| row.row().name)
        .filter(|name| !operators.contains(name) && !INTERNAL.contains(name))
        .filter(|name| !sources.contains(&format!("row(\"{name}\")")))
        .filter(|name| !sources.contains(&format!("elementwise::{name}(")))
        .collect();
    assert!(lost.is_empty(), "no method records {lost:?}");
}

/// An `impl` block or the free functions of a file.
struct Section {
    title: String,
    intro: Vec<String>,
    entries: Vec<Entry>,
}

/// A method or a function, and the first paragraph of its documentation.
struct Entry {
    name: String,
    call: String,
    text: String,
}

/// The sections of a file: what is public and documented.
fn sections(file: &str) -> Vec<Section> {
    let text = std::fs::read_to_string(sources().join(file)).unwrap();
    let title = text
        .lines()
        .next()
        .and_then(|l| l.strip_prefix("//! "))
        .unwrap_or(file);
    let mut sections: Vec<Section> = vec![];
    let mut doc: Vec<&str> = vec![];
    let mut lines = text.lines();
    let mut receiver = None;
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if let Some(said) = code.strip_prefix("///") {
            doc.push(said.strip_prefix(' ').unwrap_or(said));
            continue;
        }
        if code.starts_with("#[") {
            // An attribute, perhaps of several lines.
            let mut last = code;
            while !last.ends_with(']') {
                last = lines.next().expect("the end of an attribute").trim();
            }
            continue;
        }
        let said = std::mem::take(&mut doc);
        let of = code
            .strip_prefix("impl ")
            .and_then(|c| c.strip_suffix(" {"));
        if let Some(of) = of {
            receiver = RECEIVERS.iter().find(|(name, _)| *name == of);
        }
        if let (true, Some(heading)) = (of.is_some() && receiver.is_some(), heading(&said)) {
            sections.push(heading);
        } else if let Some(rest) = code.strip_prefix("pub fn ") {
            let mut signature = rest.to_string();
            while !signature.contains('{') {
                signature += lines.next().expect("a body").trim();
            }
            let method = line.starts_with(' ');
            if !method && sections.is_empty() {
                let (title, intro) = (title.trim_end_matches('.').to_string(), vec![]);
                sections.push(Section {
                    title,
                    intro,
                    entries: vec![],
                });
            }
            // What sets a parameter or says a length is no operation.
            let makes = signature.rsplit_once("->").map_or("", |(_, made)| made);
            let (Some(section), true) = (sections.last_mut(), is_value(makes)) else {
                continue;
            };
            let receiver = match (method, receiver) {
                (true, None) => continue,
                (true, Some((name, _))) if !signature.contains("self") => format!("{name}::"),
                (true, Some((_, value))) => format!("{value}."),
                (false, _) => String::new(),
            };
            section.entries.push(entry(&signature, &receiver, &said));
        }
    }
    sections.retain(|s| !s.entries.is_empty());
    sections
}

/// Whether something of this type is a value of a trace, or several.
fn is_value(made: &str) -> bool {
    let names = ["Var", "Complex", "Self", "Cho", "Lu", "Lstsq", "Tree"];
    names.iter().any(|name| made.contains(name))
}

/// A title, and the paragraphs behind it up to the example.
fn heading(doc: &[&str]) -> Option<Section> {
    let title = doc.first()?.strip_prefix("# ")?.to_string();
    let prose: Vec<&str> = doc[1..]
        .iter()
        .take_while(|l| !l.starts_with("```"))
        .copied()
        .collect();
    let paragraphs = prose.split(|l| l.is_empty()).filter(|p| !p.is_empty());
    let intro = paragraphs.map(|p| plain(&p.join(" "))).collect();
    Some(Section {
        title,
        intro,
        entries: vec![],
    })
}

fn entry(signature: &str, receiver: &str, doc: &[&str]) -> Entry {
    let head = signature
        .split(['(', '<'])
        .next()
        .unwrap_or_default()
        .to_string();
    let (mut depth, mut arguments) = (0, vec![]);
    // The names in front of the colons of the argument list.
    let from = signature
        .find("(self")
        .or(signature.find('('))
        .expect("arguments")
        + 1;
    let mut word = String::new();
    // The arrow of a function's type closes nothing, and a path is no argument.
    let text = signature[from..].replace("->", "").replace("::", ".");
    for c in text.chars() {
        match c {
            '(' | '<' | '[' => depth += 1,
            ')' if depth == 0 => break,
            ')' | '>' | ']' => depth -= 1,
            ':' if depth == 0 => arguments.push(std::mem::take(&mut word)),
            ',' if depth == 0 => word.clear(),
            c if depth == 0 && !c.is_whitespace() => word.push(c),
            _ => {}
        }
    }
    let call = format!("{receiver}{head}({})", arguments.join(", "));
    let paragraph: Vec<&str> = doc.iter().take_while(|l| !l.is_empty()).copied().collect();
    // A derivative may stand in a paragraph of its own.
    let later = doc
        .iter()
        .skip(paragraph.len())
        .skip_while(|l| !l.contains("Derivative"));
    let later: Vec<&str> = later.take_while(|l| !l.is_empty()).copied().collect();
    let text = format!("{} {}", paragraph.join(" "), later.join(" "));
    Entry {
        name: head,
        call,
        text: plain(text.trim()),
    }
}

/// Links as plain names: the page stands outside the documentation.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[`") {
        out += &rest[..at];
        let Some(end) = rest[at..].find("`]") else {
            break;
        };
        out += &rest[at + 1..at + end + 1];
        rest = &rest[at + end + 2..];
        if let Some(target) = rest.strip_prefix('(') {
            rest = &target[target.find(')').map_or(0, |i| i + 1)..];
        }
    }
    (out + rest)
        .replace("Var::", "")
        .replace("Complex::", "")
        .replace("super::", "")
        .replace("crate::trace::", "")
}

impl Entry {
    /// Its line in the table, or what its documentation does not say.
    fn line(&self, section: &Section) -> Option<String> {
        let derivative = self.derivative(section)?;
        let said = self.text.split("Derivative").next().unwrap_or_default();
        let (what, mut elsewhere) = named(said);
        if elsewhere.is_empty() {
            elsewhere.extend(
                self.plain_form(section)
                    .iter()
                    .flat_map(|e| named(&e.text).1),
            );
        }
        let cell = |text: &str| {
            text.trim()
                .trim_end_matches(['.', ':', ','])
                .replace('|', "\\|")
        };
        let (what, derivative) = (cell(&what), cell(&derivative));
        let elsewhere = elsewhere.join(", ");
        Some(format!(
            "| `{}` | {what} | {elsewhere} | {derivative} |\n",
            self.call
        ))
    }

    /// What the documentation says of the derivative: its own, that of the operation this is a form of,
    /// or that of all operations of the section.
    fn derivative(&self, section: &Section) -> Option<String> {
        let said = |text: &String| {
            let at = text.find("Derivative")?;
            Some(text[at..].split_once(": ")?.1.to_string())
        };
        let whole = ["`bool`", "`i64`", "of integers", "bits", "literal"];
        said(&self.text)
            .or_else(|| self.plain_form(section)?.derivative(section))
            .or_else(|| section.intro.iter().find_map(said))
            .or_else(|| {
                let linear = section.intro.iter().any(|text| text.contains("linear"));
                linear.then(|| "linear: the same of the tangent".into())
            })
            .or_else(|| {
                whole
                    .iter()
                    .any(|kind| self.text.contains(kind))
                    .then(|| "none".into())
            })
    }

    /// The operation that this is a form of: `sum` for `sum_axis`, `expm1` for `exp_m1`.
    fn plain_form<'a>(&self, section: &'a Section) -> Option<&'a Entry> {
        let others = || section.entries.iter().filter(|e| e.name != self.name);
        let alias = others().find(|e| self.text.starts_with(&format!("`{}`", e.name)));
        let rest = |e: &&Entry| {
            self.name
                .strip_prefix(&e.name[..])
                .is_some_and(|r| r.starts_with('_'))
        };
        alias.or_else(|| others().find(rest))
    }
}

/// What a text says an operation is, and how other libraries write it.
fn named(text: &str) -> (String, Vec<String>) {
    let mut names = vec![];
    let mut what = None;
    for (i, piece) in text.split('`').enumerate() {
        if i % 2 == 0 {
            continue;
        }
        let at = piece.as_ptr() as usize - text.as_ptr() as usize;
        let behind = &text[at + piece.len() + 1..];
        let of = [" of NumPy", " in NumPy", " of JAX"]
            .iter()
            .find(|of| behind.starts_with(**of));
        let library = LIBRARIES.iter().any(|l| piece.starts_with(l));
        if library || of.is_some() {
            what.get_or_insert(text[..at - 1].trim_end().trim_end_matches(':').to_string());
            names.push(format!("`{piece}`"));
        }
    }
    (what.unwrap_or_else(|| text.to_string()), names)
}
