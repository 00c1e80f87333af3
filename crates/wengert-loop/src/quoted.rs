//! Strings in the text forms of both IRs.

/// Reads a string literal as Rust's `{:?}` writes it at the start of `text`. Returns the string and the length
/// of the literal with its quotes, or `None` if it does not end.
pub fn quoted(text: &str) -> Option<(String, usize)> {
    let mut chars = text.chars();
    chars.next();
    let mut out = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((out, text.len() - chars.as_str().len())),
            '\\' => out.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let (code, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    chars = rest.chars();
                    char::from_u32(u32::from_str_radix(code, 16).ok()?)?
                }
                c => c,
            }),
            c => out.push(c),
        }
    }
}
