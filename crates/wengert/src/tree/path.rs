//! Paths of leaves, and differences between structures.

use std::fmt;

use crate::tree::TreeDef;
use crate::tree::def::Token;

/// The first difference between two structures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The position, as a path such as `.1.w[2]`; empty for the whole tree.
    pub path: String,
    /// Description of what was expected at that position.
    pub expected: String,
    /// Description of what was found there.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, got {}", self.expected, self.got)
    }
}

impl TreeDef {
    /// Returns the path of each leaf, in order: `.1` in a tuple, `.w` in a struct, `[2]` in a list, `["key"]`
    /// in a map; empty for a tree that is one leaf.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = vec![];
        self.each_place(|token, path| {
            if matches!(token, Token::Leaf) {
                paths.push(path.to_string());
            }
        });
        paths
    }

    /// Returns the first difference of another structure from this one.
    pub fn difference(&self, got: &TreeDef) -> Option<Difference> {
        let same = |(a, b): (&Token, &Token)| a == b;
        let n = self.tokens.len().max(got.tokens.len());
        let at = (self.tokens.iter().zip(&got.tokens))
            .position(|pair| !same(pair))
            .or((self.tokens.len() != got.tokens.len()).then_some(n))?;
        let side = |def: &TreeDef| def.tokens.get(at).map_or("nothing".into(), Token::describe);
        let (expected, got) = match (self.tokens.get(at), got.tokens.get(at)) {
            (Some(Token::Static(_)), Some(Token::Static(_))) => {
                ("the same value".into(), "another".into())
            }
            _ => (side(self), side(got)),
        };
        Some(Difference {
            path: self.path_of(at),
            expected,
            got,
        })
    }

    fn path_of(&self, at: usize) -> String {
        let mut found = String::new();
        let mut i = 0;
        self.each_place(|_, path| {
            if i == at {
                found = path.to_string();
            }
            i += 1;
        });
        found
    }

    /// Calls `f` with each token and its path.
    fn each_place(&self, mut f: impl FnMut(&Token, &str)) {
        let mut rest = self.tokens.iter();
        let mut path = String::new();
        while !rest.as_slice().is_empty() {
            each_below(&mut rest, &mut path, &mut f);
        }
    }
}

type Rest<'a> = std::slice::Iter<'a, Token>;

fn each_below(rest: &mut Rest<'_>, path: &mut String, f: &mut dyn FnMut(&Token, &str)) {
    fn child(
        label: fmt::Arguments<'_>,
        rest: &mut Rest<'_>,
        path: &mut String,
        f: &mut dyn FnMut(&Token, &str),
    ) {
        let here = path.len();
        path.push_str(&label.to_string());
        each_below(rest, path, f);
        path.truncate(here);
    }
    let Some(token) = rest.next() else { return };
    f(token, path);
    match token {
        Token::Leaf | Token::Nothing | Token::Static(_) | Token::Key(_) => {}
        Token::Some => each_below(rest, path, f),
        Token::Tuple(n) => (0..*n).for_each(|i| child(format_args!(".{i}"), rest, path, f)),
        Token::Array(n) | Token::Vec(n) => {
            (0..*n).for_each(|i| child(format_args!("[{i}]"), rest, path, f));
        }
        Token::Struct(_, fields) | Token::Variant(_, _, fields) => {
            for name in *fields {
                child(format_args!(".{name}"), rest, path, f);
            }
        }
        Token::Map(n) => {
            for _ in 0..*n {
                let Some(token @ Token::Key(key)) = rest.next() else {
                    return;
                };
                f(token, path);
                child(format_args!("[{key:?}]"), rest, path, f);
            }
        }
    }
}

impl Token {
    /// Describes the token, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Leaf => "a leaf".into(),
            Token::Tuple(n) => format!("a tuple of {n}"),
            Token::Array(n) => format!("an array of {n}"),
            Token::Vec(n) => format!("a Vec of {n}"),
            Token::Nothing => "None".into(),
            Token::Some => "Some".into(),
            Token::Map(n) => format!("a map of {n}"),
            Token::Key(key) => format!("the key {key:?}"),
            Token::Struct(name, _) => name.to_string(),
            Token::Variant(name, _, _) => name.to_string(),
            Token::Static(_) => "a skipped field".into(),
        }
    }
}
