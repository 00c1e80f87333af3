//! The profile as a page of HTML.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::lines::Files;
use super::table::{bytes, time};
use super::{Line, Profile};

const STYLE: &str = "\
body { font: 13px/1.45 ui-monospace, monospace; margin: 2em; color: #222; background: #fff; }
h1 { font-size: 16px; } h2 { font-size: 14px; margin: 2em 0 0.5em; }
table { border-collapse: collapse; }
td, th { padding: 0 0.6em; text-align: right; white-space: nowrap; color: #555; font-weight: normal; }
th { color: #777; border-bottom: 1px solid #ccc; }
td.bar { width: 110px; text-align: left; }
td.bar span { display: inline-block; height: 0.9em; vertical-align: middle; background: #d9480f; }
td.bar span.d { background: #1c7ed6; }
td.text { text-align: left; white-space: pre; color: #222; }
tr:hover td { background: #fff3c4; }
.note { color: #777; }
pre { overflow-x: auto; }
";

/// Lines of the source around those that take time.
const AROUND: u32 = 3;

pub(super) fn page(profile: &Profile) -> String {
    let mut page = Page(String::new());
    page.put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.put(&format!(
        "<title>Profile</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    ));
    page.put(&format!("<h1>{}</h1>\n", escaped(&profile.headline())));
    page.put(&format!(
        "<p class=\"note\">{}<br>\n",
        escaped(&profile.said_memory())
    ));
    page.put("Bars: share of the run; blue: of derivatives of the line.</p>\n");
    let mut files: BTreeMap<&str, BTreeMap<u32, &Line>> = BTreeMap::new();
    for line in &profile.lines {
        files.entry(&line.file).or_default().insert(line.line, line);
    }
    let share = |lines: &BTreeMap<u32, &Line>| lines.values().map(|l| l.share).sum::<f64>();
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by(|a, b| share(&b.1).total_cmp(&share(&a.1)));
    let mut texts = Files::default();
    for (file, lines) in files {
        page.put(&format!(
            "<h2>{} <span class=\"note\">{:.1} %</span></h2>\n",
            escaped(file),
            100.0 * share(&lines)
        ));
        page.source(texts.lines(file), &lines);
    }
    page.elsewhere(profile);
    page.put(&format!(
        "<h2>Loops</h2>\n<pre>{}</pre>\n",
        escaped(&profile.explanation.to_string())
    ));
    page.put("</body>\n</html>\n");
    page.0
}

struct Page(String);

impl Page {
    fn put(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Writes the lines of a file that take time or memory, and those around them.
    fn source(&mut self, text: &[String], lines: &BTreeMap<u32, &Line>) {
        self.put(
            "<table>\n<tr><th></th><th>%</th><th>time</th><th>runs</th><th>read</th><th>written</th>\
             <th>memory</th><th>line</th><th></th></tr>\n",
        );
        let mut shown: Vec<u32> = lines
            .keys()
            .flat_map(|&l| l.saturating_sub(AROUND).max(1)..=l + AROUND)
            .filter(|&l| lines.contains_key(&l) || (l as usize) <= text.len())
            .collect();
        shown.sort_unstable();
        shown.dedup();
        let mut last = None;
        for n in shown {
            if last.is_some_and(|last| n > last + 1) {
                self.put("<tr><td colspan=\"9\" class=\"text note\">⋮</td></tr>\n");
            }
            last = Some(n);
            let said = (n as usize).checked_sub(1).and_then(|i| text.get(i));
            self.line(n, said.map_or("", String::as_str), lines.get(&n).copied());
        }
        self.put("</table>\n");
    }

    fn line(&mut self, n: u32, text: &str, line: Option<&Line>) {
        let mut cells = String::from(
            "<td class=\"bar\"></td><td></td><td></td><td></td><td></td><td></td><td></td>",
        );
        if let Some(l) = line {
            let width = |share: f64| (100.0 * share).clamp(0.0, 100.0);
            let step = if l.per_step { "/step" } else { "" };
            let known = |x: f64, text: String| match x > 0.0 {
                true => text + step,
                false => String::new(),
            };
            let memory = (l.scratch + l.results) as f64;
            cells.clear();
            write!(
                cells,
                "<td class=\"bar\"><span style=\"width:{:.1}px\"></span><span class=\"d\" style=\"width:{:.1}px\">\
                 </span></td><td>{:.1}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
                width(l.share - l.derivative),
                width(l.derivative),
                100.0 * l.share,
                if l.share > 0.0 { time(l.nanoseconds) } else { String::new() },
                known(l.runs, format!("{:.0}", l.runs)),
                known(l.read, bytes(l.read)),
                known(l.written, bytes(l.written)),
                if memory > 0.0 { bytes(memory) } else { String::new() },
            )
            .expect("a string takes everything");
        }
        self.put(&format!(
            "<tr>{cells}<td>{n}</td><td class=\"text\">{}</td></tr>\n",
            escaped(text)
        ));
    }

    /// Writes what is in no line, and the stages of the compiler.
    fn elsewhere(&mut self, profile: &Profile) {
        self.put("<h2>Elsewhere</h2>\n<table>\n");
        for (name, share) in &profile.elsewhere {
            let text = format!(
                "<tr><td>{:.1} %</td><td class=\"text\">{}</td></tr>\n",
                100.0 * share,
                escaped(name)
            );
            self.put(&text);
        }
        self.put("</table>\n<h2>Compiled</h2>\n<table>\n");
        for stage in &profile.stages {
            let text = format!(
                "<tr><td>{}</td><td class=\"text\">{}{}</td></tr>\n",
                time(stage.time.as_nanos() as f64),
                "    ".repeat(stage.depth),
                escaped(&stage.name)
            );
            self.put(&text);
        }
        self.put("</table>\n");
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
