//! Lines within lines, as text and as a page.

use std::fmt;

use super::html::{Page, escaped};
use crate::source::SourceId;

/// A line, where in the user's program it comes from, and the lines under it. As text each line is
/// indented by its depth, and its places stand behind it; [`Outline::to_html`] is the same as a page.
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
    /// What it says.
    pub text: String,
    /// Where that is written.
    pub source: Option<SourceId>,
    /// What there is to say about it.
    pub lines: Vec<Outline>,
}

impl Outline {
    /// A line.
    pub fn new(text: impl Into<String>) -> Outline {
        Outline {
            text: text.into(),
            source: None,
            lines: vec![],
        }
    }

    /// A line, and where what it says is written.
    pub fn at(text: impl Into<String>, source: Option<SourceId>) -> Outline {
        Outline {
            source,
            ..Outline::new(text)
        }
    }

    /// One line more under it.
    pub fn push(&mut self, line: Outline) {
        self.lines.push(line);
    }

    /// The lines as a page of HTML that needs nothing else, like [`Func::to_html`]: what is under a line
    /// can be folded away, and next to a place is the user's line, where the file can be read.
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
