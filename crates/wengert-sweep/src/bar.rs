//! A bar in the terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::{Progress, Rate, Time};

/// A bar that follows the progress. It shows nothing where standard error is no terminal.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub fn new() -> Bar {
        Bar { bar: None }
    }

    pub fn show(&mut self, p: &Progress) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(p.total);
            let template = "{wide_bar} {percent:>3} %  {human_pos} of {human_len}  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        let mut text = format!("{} points/s", Rate(p.rate));
        if let Some(left) = p.left.filter(|_| p.done < p.total) {
            text.push_str(&format!(", {} left", Time(left)));
        }
        if p.failed > 0 {
            text.push_str(&format!(", {} failed", p.failed));
        }
        bar.set_message(text);
        bar.set_position(p.done);
        if p.done == p.total {
            bar.finish();
        }
    }
}
