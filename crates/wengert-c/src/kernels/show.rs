//! A plan as text, for people.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Plan, Step, Word};

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let scratch: usize = self.memory.iter().map(|(d, n)| d.bytes() * n).sum();
        writeln!(
            f,
            "scratch of {scratch} bytes, a frame of {} words",
            self.frame_words
        )?;
        if self.lists {
            writeln!(f, "lists in a pool")?;
        }
        let mut text = String::new();
        write_steps(&self.steps, 0, &mut text);
        f.write_str(&text)
    }
}

impl Display for Word {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Word::Known(n) => write!(f, "{}", *n as i64),
            Word::Frame(i) => write!(f, "word {i}"),
        }
    }
}

fn write_steps(steps: &[Step], depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    for step in steps {
        let _ = match step {
            Step::Launch(l) => {
                let own: usize = l.memory.iter().map(|(d, n)| d.bytes() * n).sum();
                let own = match own {
                    0 => String::new(),
                    n => format!(", each with {n} bytes"),
                };
                let plural = if l.columns == 1 { "" } else { "s" };
                writeln!(text, "{pad}{}: {} thread{plural}{own}", l.kernel, l.columns)
            }
            Step::Rows(r) => {
                let _ = writeln!(text, "{pad}for each of {} rows", r.extent);
                write_steps(&r.steps, depth + 1, text);
                Ok(())
            }
            Step::For {
                extent,
                steps,
                reverse,
                ..
            } => {
                let how = if *reverse { ", backwards" } else { "" };
                let _ = writeln!(text, "{pad}{extent} times{how}");
                write_steps(steps, depth + 1, text);
                Ok(())
            }
            Step::While {
                cond, go, steps, ..
            } => {
                let _ = writeln!(text, "{pad}while {go}");
                write_steps(cond, depth + 2, text);
                write_steps(steps, depth + 1, text);
                Ok(())
            }
            Step::If {
                pred,
                then,
                otherwise,
            } => {
                let _ = writeln!(text, "{pad}if {pred}");
                write_steps(then, depth + 1, text);
                if !otherwise.is_empty() {
                    let _ = writeln!(text, "{pad}else");
                    write_steps(otherwise, depth + 1, text);
                }
                Ok(())
            }
        };
    }
}
