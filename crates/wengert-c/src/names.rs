//! Names in C.

use std::collections::HashSet;

use crate::prelude;

/// The words that C keeps for itself, and those of C++ that a header must not use.
const KEYWORDS: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "main",
    "mutable",
    "namespace",
    "new",
    "not",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "xor",
];

/// Names of the text's own.
const OWN: &[&str] = &[
    "scratch", "status", "done", "lists", "memcpy", "memory", "size_t", "sqrt", "sqrtf", "kept",
];

/// Whether a word may name a function or a parameter.
pub(crate) fn is_free(name: &str) -> bool {
    let numbered = |first: char| {
        let rest = name.strip_prefix(first);
        rest.is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_digit()))
    };
    !(KEYWORDS.contains(&name)
        || OWN.contains(&name)
        || prelude::defines(name)
        || "vkbltnmc".chars().any(numbered)
        || name.starts_with("f_")
        || name.starts_with("W_"))
}

/// Whether a word is an identifier of C that is free in its files and in the standard library's.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Names for the leaves of a tree by their paths (`.0`, `.rates[2]`): each is free, and none is there twice. The numbers in
/// front of a field are left out if the field's name alone is clear.
pub(crate) fn of_paths(paths: &[String], alone: &str, taken: &mut HashSet<String>) -> Vec<String> {
    let plain: Vec<String> = paths.iter().map(|p| letters(p)).collect();
    let short = |name: &str| {
        let rest = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        rest.to_string()
    };
    let shorts: Vec<String> = plain.iter().map(|name| short(name)).collect();
    let name = |(name, short): (&String, &String)| {
        let clear = !short.is_empty() && shorts.iter().filter(|s| *s == short).count() == 1;
        let mut name = match (clear, name.starts_with(|c: char| c.is_ascii_alphabetic())) {
            (true, _) => short.clone(),
            (false, true) => name.clone(),
            (false, false) => format!("{alone}{name}"),
        };
        while !is_free(&name) || !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    plain.iter().zip(&shorts).map(name).collect()
}

/// The letters, digits and underscores of a path.
fn letters(path: &str) -> String {
    let mut name = String::new();
    for c in path.chars() {
        match c.is_ascii_alphanumeric() {
            true => name.push(c),
            false if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            false => {}
        }
    }
    name.trim_end_matches('_').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_names() {
        let of = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|p| p.to_string()).collect();
            of_paths(&paths, "x", &mut HashSet::new())
        };
        assert_eq!(of(&[""]), ["x"]);
        assert_eq!(of(&[".0.growth", ".1"]), ["growth", "x1"]);
        assert_eq!(of(&[".0.w", ".1.w"]), ["x0_w", "x1_w"]);
        assert_eq!(of(&["[0]", "[1]", "[\"a b\"]"]), ["x0", "x1", "a_b"]);
        assert_eq!(of(&[".int", ".status", ".v7"]), ["int_", "status_", "v7_"]);
    }
}
