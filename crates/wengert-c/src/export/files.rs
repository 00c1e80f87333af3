//! The text of a header and of a source.

use super::comment;
use super::function::Function;
use super::object::Processor;
use crate::prelude;
use crate::unit::{FAILURES, LISTS_FULL, Unit};

/// A string of C.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(b as char);
            }
            // No trigraphs.
            b'?' => out += "\\?",
            b' '..=b'~' => out.push(b as char),
            // Octal, which ends after three digits.
            _ => out += &format!("\\{b:03o}"),
        }
    }
    out + "\""
}

/// What each status means.
pub(super) fn messages(unit: &Unit) -> Vec<(i32, String)> {
    let mut all = vec![
        (0, "ok".to_string()),
        (LISTS_FULL, "the scratch for lists is full".to_string()),
    ];
    let failures = unit.failures().iter().enumerate();
    all.extend(failures.map(|(i, f)| (FAILURES + i as i32, f.error().to_string())));
    all
}

/// What any other number means.
pub(super) const NO_STATUS: &str = "no status of this function";

/// The header.
pub(super) fn header(
    name: &str,
    unit: &Unit,
    functions: &[Function],
    object: Option<Processor>,
) -> String {
    let upper = name.to_ascii_uppercase();
    let mut about = vec![
        format!("{name}: written by Wengert."),
        String::new(),
        "Arrays are row-major and must not overlap. A call works in the scratch that it is given, allocates nothing,".into(),
        "and touches nothing else: any number of threads may call at the same time, each with a scratch of its own.".into(),
        format!("A call returns {upper}_OK, or a status that {name}_message explains; the results are then unspecified."),
        String::new(),
        format!("Compile {name}.c as C11, without -ffast-math; results then have the same bits everywhere. It is fastest"),
        "where the processor multiplies and adds in one instruction (x86: -mfma or -march=native). Elsewhere it does so".into(),
        "in integers, or with -DWENGERT_LIBM by the C library's fma.".into(),
    ];
    if let Some(processor) = object {
        about.push(String::new());
        about.push(format!(
            "{name}.o has the functions of {name}.c as machine code for {processor}, with the same results."
        ));
        if processor.needs_libm() {
            about.push("It takes what that processor lacks from C's library of mathematics: link with -lm.".into());
        }
    }
    if unit.has_lists() {
        about.push(String::new());
        about.push(format!(
            "What loops of unknown length keep for derivatives is in the scratch. A call returns {upper}_LISTS_FULL"
        ));
        about.push("if that is too small: export with more list_bytes.".into());
    }
    let mut text = comment(&about);
    text += &format!("#ifndef {upper}_H\n#define {upper}_H\n\n#include <stdint.h>\n\n");
    text += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
    text += "/* The memory of a call. It need not be set, and nothing in it is kept. */\n";
    text += &unit.scratch();
    text += &format!(
        "\nenum {{\n  {upper}_OK = 0,\n  {upper}_LISTS_FULL = {LISTS_FULL},\n  /* The first of the function's own errors. */\n  {upper}_STOPPED = {FAILURES}\n}};\n\n"
    );
    text += &format!("/* What a status means. */\nconst char* {name}_message(int status);\n");
    for (f, declaration) in functions.iter().zip(unit.declarations()) {
        let mut about = vec![f.said().to_string(), String::new()];
        for (leaves, arrow) in [(&f.inputs, "in"), (&f.outputs, "out")] {
            for l in leaves {
                about.push(format!(
                    "{arrow:>4}  {}: {}, {}",
                    l.port.name, l.spec, l.said
                ));
            }
        }
        text += &format!("\n{}{declaration}\n", comment(&about));
    }
    for declaration in &unit.declarations()[functions.len()..] {
        text += &format!("\n{declaration}\n");
    }
    text + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
}

/// The source.
pub(super) fn source(name: &str, unit: &Unit) -> String {
    let mut text = format!("/* {name}: written by Wengert. */\n#include \"{name}.h\"\n\n");
    text += prelude::TYPES;
    text += &unit.text();
    text += &format!("\nconst char* {name}_message(int status) {{\n  switch (status) {{\n");
    for (status, said) in messages(unit) {
        text += &format!("  case {status}: return {};\n", quoted(&said));
    }
    text + &format!("  default: return {};\n  }}\n}}\n", quoted(NO_STATUS))
}
