//! Drawing a function as a self-contained page of HTML.

use std::fmt::Write;

use super::Lines;
use crate::ir::text::{atom, commas, operation};
use crate::ir::{Atom, Eqn, Func};
use crate::source::{Place, SourceId};

const STYLE: &str = "\
body { font: 14px/1.5 ui-monospace, monospace; margin: 2em; color: #222; background: #fff; }
h1 { font-size: 16px; }
.fn { border-left: 2px solid #ccc; margin: 0.3em 0 0.3em 0.5em; padding-left: 1em; }
.eqn { display: flex; flex-wrap: wrap; gap: 0 2em; }
.eqn:hover, :target { background: #fff3c4; }
.call { flex: 1 1 30em; overflow-wrap: anywhere; }
.places { flex: 1 1 30em; color: #777; }
.line { color: #225; white-space: pre-wrap; }
.type { color: #777; }
.op { font-weight: bold; }
a { color: inherit; text-decoration: none; }
a[href]:hover { text-decoration: underline; }
summary { color: #777; cursor: pointer; }
";

impl Func {
    /// Returns the function as a self-contained page of HTML. Each equation has its types, the place where it is
    /// written and, if the file can be read, the line itself. The functions that an operation holds are nested
    /// within it and can be folded. Each use of a value links to its definition.
    ///
    /// ```
    /// use wengert_ir::ir::Func;
    ///
    /// let f = Func::parse("wengert 1\nfn(v0: f64) {\n  v1: f64 = sin(v0) @ model.rs:3:7\n  return v1\n}\n")?;
    /// let page = f.to_html();
    /// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("model.rs:3:7"));
    /// # Ok::<(), wengert_ir::error::Error>(())
    /// ```
    pub fn to_html(&self) -> String {
        let title = format!("A function of {} equations", self.count());
        Page::of(&title, |page| page.function(self, None))
    }
}

pub(super) struct Page {
    text: String,
    /// The number of functions so far, which is the prefix of the next function's values.
    functions: usize,
    lines: Lines,
}

impl Page {
    /// Makes a page with a title, whose content `body` writes.
    pub(super) fn of(title: &str, body: impl FnOnce(&mut Page)) -> String {
        let mut page = Page {
            text: String::new(),
            functions: 0,
            lines: Lines::default(),
        };
        let title = escaped(title);
        page.put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.put(&format!(
            "<title>{title}</title>\n<style>\n{STYLE}</style>\n"
        ));
        page.put(&format!("</head>\n<body>\n<h1>{title}</h1>\n"));
        body(&mut page);
        page.put("</body>\n</html>\n");
        page.text
    }

    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes a function under a title; the outermost function has none.
    fn function(&mut self, func: &Func, title: Option<&str>) {
        let own = self.functions;
        self.functions += 1;
        let params = commas((0..func.params).map(|id| defined(func, own, id)));
        let title = title.map_or(String::new(), |t| format!("{}: ", escaped(t)));
        self.put(&format!(
            "<details open class=\"fn\"><summary>{title}fn({params})</summary>\n"
        ));
        for eqn in &func.eqns {
            self.equation(func, own, eqn);
        }
        let results = commas(func.results.iter().map(|a| used(own, a)));
        let call = format!("<span class=\"op\">return</span> {results}");
        self.put(&format!(
            "<div class=\"eqn\"><span class=\"call\">{call}</span></div>\n"
        ));
        self.put("</details>\n");
    }

    fn equation(&mut self, func: &Func, own: usize, eqn: &Eqn) {
        let outputs = commas(eqn.outputs.clone().map(|id| defined(func, own, id)));
        let equals = if outputs.is_empty() { "" } else { " = " };
        let name = escaped(&operation(&eqn.op));
        let inputs = commas(eqn.inputs.iter().map(|a| used(own, a)));
        let places = self.places(Some(eqn.source));
        self.put(&format!(
            "<div class=\"eqn\"><span class=\"call\">{outputs}{equals}<span class=\"op\">{name}</span>\
             ({inputs})</span><span class=\"places\">{places}</span></div>\n"
        ));
        let bodies = eqn.op.bodies();
        for (i, body) in bodies.iter().enumerate() {
            let title = format!("{}, function {} of {}", eqn.op.name(), i + 1, bodies.len());
            self.function(body, Some(&title));
        }
    }

    /// Formats the places of a source, each with the calls around it and its line.
    pub(super) fn places(&mut self, source: Option<SourceId>) -> String {
        let places: Vec<Place> = source.map_or(vec![], SourceId::places);
        let places: Vec<String> = places.iter().map(|p| self.place(p)).collect();
        places.join("<br>")
    }

    /// Formats a place with the calls around it and its line.
    fn place(&mut self, place: &Place) -> String {
        let mut out = escaped(&place.to_string());
        let mut parent = place.parent;
        while let Some(around) = parent {
            write!(out, " in {}", escaped(&around.to_string())).expect("a string takes everything");
            parent = around.place().parent;
        }
        if let Some(line) = self.lines.of(place) {
            write!(out, " <code class=\"line\">{}</code>", escaped(line))
                .expect("a string takes everything");
        }
        out
    }
}

/// Formats a value where it is defined, with its type.
fn defined(func: &Func, own: usize, id: u32) -> String {
    let ty = escaped(&func.types[id as usize].to_string());
    format!("<a id=\"f{own}v{id}\">v{id}</a><span class=\"type\">: {ty}</span>")
}

/// Formats an operand; a value links to its definition.
fn used(own: usize, a: &Atom) -> String {
    match a {
        Atom::Var(id) => format!("<a href=\"#f{own}v{id}\">v{id}</a>"),
        Atom::Lit(_) => escaped(&atom(a)),
    }
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
