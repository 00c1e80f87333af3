//! A trace in the JSON format of Chrome.

use std::fmt::Write;

use super::Event;

/// The events as complete ones (`"ph":"X"`), in microseconds. Lines and tasks of one thread are two rows.
pub(super) fn trace(events: &[Event]) -> String {
    let process = std::process::id();
    let mut out = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    let mut first = true;
    let mut put = |text: &str| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push('\n');
        out.push_str(text);
    };
    let mut threads: Vec<u64> = events.iter().map(|e| e.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    for thread in threads {
        for (row, what) in [(0, ""), (1, ", lines")] {
            put(&format!(
                "{{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":{process},\"tid\":{},\"args\":{{\"name\":\"thread \
                 {thread}{what}\"}}}}",
                2 * thread + row
            ));
        }
    }
    for e in events {
        let row = 2 * e.thread + u64::from(e.category == "line");
        put(&format!(
            "{{\"ph\":\"X\",\"name\":{},\"cat\":\"{}\",\"ts\":{:.3},\"dur\":{:.3},\"pid\":{process},\"tid\":{row}}}",
            quoted(&e.name),
            e.category,
            e.start,
            e.time
        ));
    }
    out.push_str("\n]}\n");
    out
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                write!(out, "\\u{:04x}", c as u32).expect("a string takes everything");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
