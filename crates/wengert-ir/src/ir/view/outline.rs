//! An outline, lines nested in lines, as text and as a page.

use std::fmt;

use super::html::{Page, escaped};
use crate::source::SourceId;

/// A line, its place in the user's program, and the lines nested under it. As text, each line is indented by its
/// depth and followed by its places; [`Outline::to_html`] makes a page with the same content.
///
/// ```
/// use wengert_ir::ir::view::Outline;
///
/// let mut report = Outline::new("memory");
/// report.push(Outline::new("8 bytes"));
/// assert_eq!(report.to_string(), "memory\n  8 bytes\n");
/// assert!(report.to_html().contains("8 bytes"));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Outline {
    /// The text of the line.
    pub text: String,
    /// The place in the user's program that the line is about.
    pub source: Option<SourceId>,
    /// The lines nested under it.
    pub lines: Vec<Outline>,
}

impl Outline {
    /// Creates a line without a place.
    pub fn new(text: impl Into<String>) -> Outline {
        Outline {
            text: text.into(),
            source: None,
            lines: vec![],
        }
    }

    /// Creates a line with the place that it is about.
    pub fn at(text: impl Into<String>, source: Option<SourceId>) -> Outline {
        Outline {
            source,
            ..Outline::new(text)
        }
    }

    /// Appends a line under this one.
    pub fn push(&mut self, line: Outline) {
        self.lines.push(line);
    }

    /// Returns the outline as a self-contained page of HTML, like [`Func::to_html`]: nested lines can be folded, and a
    /// place is followed by the user's line if the file can be read.
    ///
    /// [`Func::to_html`]: crate::ir::Func::to_html
    pub fn to_html(&self) -> String {
        Page::of(&self.text, |page| {
            for line in &self.lines {
                line.put(page);
            }
        })
    }

    fn put(&self, page: &mut Page) {
        let places = page.places(self.source);
        let text = escaped(&self.text);
        let line =
            format!("<span class=\"call\">{text}</span> <span class=\"places\">{places}</span>");
        if self.lines.is_empty() {
            page.put(&format!("<div class=\"eqn\">{line}</div>\n"));
            return;
        }
        page.put(&format!(
            "<details open class=\"fn\"><summary>{line}</summary>\n"
        ));
        for line in &self.lines {
            line.put(page);
        }
        page.put("</details>\n");
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:1$}{2}", "", 2 * depth, self.text)?;
        if let Some(source) = self.source {
            write!(f, " @ {source}")?;
        }
        f.write_str("\n")?;
        self.lines.iter().try_for_each(|l| l.write(f, depth + 1))
    }
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}
