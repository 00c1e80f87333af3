//! The profile as a table of lines.

use std::fmt;

use super::{Line, Method, Profile};

/// Lines that the table shows.
const SHOWN: usize = 30;

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        writeln!(
            f,
            "{:>9} {:>7} {:>5} {:>10} {:>9} {:>9} {:>9}  line",
            "time", "% time", "% d/d", "runs", "read", "written", "memory"
        )?;
        let mut names = Names;
        for line in self.lines.iter().take(SHOWN) {
            let at = format!("{}:{}", names.of(line), line.line);
            let text = line.text.as_deref().unwrap_or("");
            writeln!(f, "{}  {at:<24} {text}", Figures(line))?;
        }
        if self.lines.len() > SHOWN {
            let rest: f64 = self.lines[SHOWN..].iter().map(|l| l.share).sum();
            let n = self.lines.len() - SHOWN;
            writeln!(f, "{:>9} {:>7.1}  {n} more lines", "", 100.0 * rest)?;
        }
        for (name, share) in &self.elsewhere {
            let time = time(share * self.nanoseconds);
            writeln!(f, "{time:>9} {:>7.1}  {name}", 100.0 * share)?;
        }
        writeln!(f, "{}", self.said_memory())?;
        write!(f, "{}", self.said_stages())
    }
}

impl Profile {
    /// What was measured, in one line.
    pub(super) fn headline(&self) -> String {
        let call = time(self.nanoseconds);
        match &self.method {
            Method::Sampled(period) => format!(
                "{call} a call; {} samples, one each {} µs, in {} calls; {:+.1} % for sampling",
                self.samples,
                period.as_micros(),
                self.calls,
                100.0 * self.overhead()
            ),
            Method::Estimated(why) => {
                format!("{call} a call; the shares are estimated by the plan: {why}")
            }
        }
    }

    pub(super) fn said_memory(&self) -> String {
        let m = &self.memory;
        let mut text = format!(
            "memory: {} at most beside {} of arguments: results {}, scratch {}",
            bytes(m.peak() as f64),
            bytes(m.arguments as f64),
            bytes(m.results as f64),
            bytes(m.scratch as f64)
        );
        for (name, n) in [("tasks", m.tasks), ("lists", m.lists)] {
            if n > 0 {
                text += &format!(", {name} {}", bytes(n as f64));
            }
        }
        if let Some((before, after)) = m.resident {
            text += &format!(
                "; the process {}, {} before",
                bytes(after as f64),
                bytes(before as f64)
            );
        }
        text
    }

    /// The stages of the compiler, each with those inside.
    fn said_stages(&self) -> String {
        let mut text = String::from("compiled:");
        let top = self.stages.iter().enumerate().filter(|(_, s)| s.depth == 0);
        for (n, stage) in top {
            let after = self.stages[n + 1..].iter().take_while(|s| s.depth > 0);
            let inner: Vec<String> = (after.filter(|s| s.depth == 1))
                .map(|s| format!("{} {}", s.name, time(s.time.as_nanos() as f64)))
                .collect();
            text += &format!("\n  {} {}", stage.name, time(stage.time.as_nanos() as f64));
            if !inner.is_empty() {
                text += &format!(": {}", inner.join(", "));
            }
        }
        text
    }
}

/// The figures of a line.
struct Figures<'a>(&'a Line);

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let l = self.0;
        let step = if l.per_step { "/step" } else { "" };
        let known = |x: f64, text: String| match x {
            0.0 => String::new(),
            _ => text + step,
        };
        let part = match l.share {
            0.0 => 0.0,
            share => 100.0 * l.derivative / share,
        };
        let memory = (l.scratch + l.results) as f64;
        write!(
            f,
            "{:>9} {:>7.1} {:>5} {:>10} {:>9} {:>9} {:>9}",
            if l.share > 0.0 {
                time(l.nanoseconds)
            } else {
                String::new()
            },
            100.0 * l.share,
            if part >= 0.5 {
                format!("{part:.0}")
            } else {
                String::new()
            },
            known(l.runs, count(l.runs)),
            known(l.read, bytes(l.read)),
            known(l.written, bytes(l.written)),
            if memory > 0.0 {
                bytes(memory)
            } else {
                String::new()
            },
        )
    }
}

/// Names of files: the last part of the path.
#[derive(Default)]
struct Names;

impl Names {
    fn of<'l>(&mut self, line: &'l Line) -> &'l str {
        let name = line.file.rsplit(['/', '\\']).next();
        name.unwrap_or(&line.file)
    }
}

fn count(n: f64) -> String {
    match n < 1e7 {
        true => format!("{n:.0}"),
        false => format!("{n:.2e}"),
    }
}

/// A duration in three digits.
pub(super) fn time(nanoseconds: f64) -> String {
    scaled(nanoseconds, &["ns", "µs", "ms", "s"], 1e3)
}

/// A number of bytes in three digits.
pub(super) fn bytes(n: f64) -> String {
    scaled(n, &["B", "kB", "MB", "GB", "TB"], 1e3)
}

fn scaled(mut x: f64, units: &[&str], by: f64) -> String {
    let mut unit = 0;
    while x >= 0.9995 * by && unit + 1 < units.len() {
        x /= by;
        unit += 1;
    }
    let digits = match x {
        x if unit == 0 && x.fract() == 0.0 => 0,
        x if x < 9.995 => 2,
        x if x < 99.95 => 1,
        _ => 0,
    };
    format!("{x:.digits$} {}", units[unit])
}
