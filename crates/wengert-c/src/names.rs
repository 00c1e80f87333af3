//! Names in C.

use std::collections::HashSet;

use crate::prelude;

/// The words that C and C++ keep for themselves, since a C++ program includes the header, too.
const KEYWORDS: &str = "\
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t \
    class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue \
    decltype default delete do double dynamic_cast else enum explicit export extern false float for friend \
    goto if inline int long main mutable namespace new noexcept not not_eq nullptr operator or or_eq private \
    protected public register reinterpret_cast requires restrict return short signed sizeof static \
    static_assert static_cast struct switch template this thread_local throw true try typedef typeid \
    typename typeof union unsigned using virtual void volatile wchar_t while xor xor_eq";

/// Macros of compilers and of the standard library's headers.
const MACROS: &str = "\
    EOF I INFINITY NAN NULL assert complex errno linux unix";

/// Functions of the C library that a function of this name would replace in the whole program.
const LIBRARY: &str = "\
    abort abs acos acosh asin asinh atan atan2 atanh atexit atof atoi atol bsearch calloc cbrt ceil clock \
    cos cosh ctime div erf erfc exit exp exp10 exp2 expm1 fabs fclose fdim fflush floor fma fmax fmin fmod \
    fopen fprintf fputs fread free frexp fscanf fseek ftell fwrite gamma getc getchar getenv gets hypot \
    ilogb index isalpha isdigit isspace j0 j1 jn labs ldexp lgamma log log10 log1p log2 logb longjmp lrint \
    lround malloc memchr memcmp memcpy memmove memset mktime modf nearbyint perror pow printf putc putchar \
    puts qsort raise rand read realloc remainder remove rename rewind rindex rint round scalbn scanf select \
    setjmp signal sin sincos sinh sleep snprintf sprintf sqrt srand sscanf stat stderr stdin stdout strcat \
    strchr strcmp strcpy strlen strncmp strncpy strstr strtod strtol system tan tanh tgamma time tmpfile \
    trunc ungetc vprintf wait write y0 y1 yn";

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
    !(among(KEYWORDS, name)
        || among(MACROS, name)
        || OWN.contains(&name)
        || prelude::defines(name)
        || "vkbltnmc".chars().any(numbered)
        || name.starts_with("f_")
        || name.starts_with("W_"))
}

/// Whether a word is in a list.
pub(crate) fn among(words: &str, name: &str) -> bool {
    words.split_whitespace().any(|w| w == name)
}

/// Whether the C library has a function of this name.
pub(crate) fn is_of_library(name: &str) -> bool {
    among(LIBRARY, name)
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

/// Names of another language for those of C: a name that is reserved, or there already, has underscores behind it.
/// `fold` says which names are the same.
pub(crate) fn elsewhere(
    names: &[&str],
    reserved: impl Fn(&str) -> bool,
    fold: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut taken = HashSet::new();
    let free = |name: &&str| {
        let mut name = name.to_string();
        while reserved(&fold(&name)) || !taken.insert(fold(&name)) {
            name.push('_');
        }
        name
    };
    names.iter().map(free).collect()
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
