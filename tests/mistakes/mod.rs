//! What users get wrong, and what they see: an `Err` that names the operation, the types and the line;
//! nothing on standard error, and a trace stack that the next call finds clean.

// Panics of the standard library are among them.
#![allow(clippy::unnecessary_literal_unwrap)]

mod derivatives;
mod linalg;
mod loops;
mod names;
mod newcomers;
mod numpy;
mod outside;
mod panics;
mod recursion;
mod signals;
mod types;

use expect_test::Expect;
use wengert::prelude::*;
use wengert::{Error, Feed};
use wengert_ir::trace::depth;

/// The first place of this test in a text: where it starts, its line, and where it ends.
fn place(text: &str) -> Option<(usize, u32, usize)> {
    let mut from = 0;
    loop {
        // Absolute or relative, the file ends the same.
        let name = from + text[from..].find(".rs:")?;
        let start = text[..name].rfind(' ').map_or(0, |s| s + 1);
        let numbers = name + ".rs:".len();
        let rest = &text[numbers..];
        let is_number = |c: char| c == ':' || c.is_ascii_digit();
        let end = numbers + rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        if text[start..name].contains("mistakes") {
            let line = text[numbers..end].split(':').next()?.parse().ok()?;
            return Some((start, line, end));
        }
        from = end;
    }
}

/// A text, with the places of this test left out.
fn shortened(text: &str) -> String {
    match place(text) {
        Some((start, _, end)) => format!("{}HERE{}", &text[..start], shortened(&text[end..])),
        None => text.to_string(),
    }
}

/// The message, with the places of this test left out.
fn message(error: &Error) -> String {
    shortened(&error.to_string())
}

/// A call is an `Err` with that message; the trace stack is clean afterwards, and the thread goes on.
#[track_caller]
fn mistaken<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A, want: Expect)
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>>,
{
    let error = jit(f).call(args).err().expect("a mistake");
    want.assert_eq(&message(&error));
    assert_eq!(depth(), 0, "the trace stack is clean");
    let y = jit(|x: Var| x * 2.0).call(2.0).unwrap();
    assert_eq!(y.item::<f64>().unwrap(), 4.0);
}

fn line_of(error: &Error) -> u32 {
    let text = error.to_string();
    let (_, line, _) = place(&text).expect("this test is named");
    line
}

/// One `Err` that names a line of this file, on which `what` stands, twice; and the same compiled function goes on.
#[track_caller]
fn recovers<X, Y, A>(f: &Jit<X, Y>, bad: A, line: u32, what: &str, good: A) -> Error
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    let mut errors = (0..2).map(|_| f.call(bad.clone()).err().expect("a mistake"));
    let (first, second) = (errors.next().unwrap(), errors.next().unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert!(first.to_string().starts_with(what), "{first}");
    assert_eq!(line_of(&first), line, "{first}");
    assert_eq!(depth(), 0, "the trace stack is clean");
    f.call(good).map(|_| ()).expect("the next call works");
    first
}
