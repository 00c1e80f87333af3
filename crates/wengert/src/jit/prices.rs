//! What the parts of a function cost, as estimated.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wengert_ir::loops::Kernel;
use wengert_ir::schedule::notes::{Part, PartKind};
use wengert_run::plan::cost::{Assumed, Bound, Costs, Priced};

/// An estimate of a call: see [`Executable::estimate`](super::Executable::estimate).
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Estimate {
    /// Nanoseconds.
    pub nanoseconds: f64,
    /// Bytes that loops read from arrays and write to arrays, whichever cache they are in.
    pub bytes: f64,
    /// Whether there is a loop of unknown length, for which a number of steps was assumed.
    pub assumed: bool,
}

/// The price of one part.
#[derive(Clone, Copy)]
struct Price {
    nanoseconds: f64,
    bytes: f64,
    bound: Bound,
    threads: usize,
    /// The number of steps of the innermost loop of unknown length that the part is in, or is.
    per: Option<f64>,
    /// The number of the loop in the code.
    number: usize,
}

/// The prices of the parts of a function.
pub(super) struct Prices {
    loops: HashMap<u32, Price>,
    kernels: Vec<(Arc<dyn Kernel>, Price)>,
    call: Estimate,
    /// The number of steps that is assumed.
    steps: f64,
    /// The loops that have been priced in the text.
    said: HashSet<usize>,
}

impl Prices {
    pub fn of(costs: &Costs, assumed: &Assumed) -> Prices {
        let priced = costs.price(assumed);
        let mut prices = Prices {
            loops: HashMap::new(),
            kernels: vec![],
            call: Estimate {
                nanoseconds: priced.nanoseconds + wengert_ir::cost::nanoseconds::CALL,
                bytes: priced.bytes,
                assumed: false,
            },
            steps: assumed.steps,
            said: HashSet::new(),
        };
        let mut number = 0;
        prices.add(&priced, None, priced.threads, &mut number);
        prices
    }

    fn add(&mut self, part: &Priced, per: Option<f64>, threads: usize, number: &mut usize) {
        *number += 1;
        self.call.assumed |= part.unknown;
        let per = if part.unknown { Some(part.steps) } else { per };
        let threads = threads.max(part.threads);
        let price = Price {
            nanoseconds: part.nanoseconds,
            bytes: part.bytes,
            bound: part.bound,
            threads,
            per,
            number: *number,
        };
        for &mark in &part.marks.0 {
            let all = self.loops.entry(mark).or_insert(Price {
                nanoseconds: 0.0,
                bytes: 0.0,
                ..price
            });
            all.nanoseconds += price.nanoseconds;
            all.bytes += price.bytes;
        }
        if let Some(kernel) = &part.kernel {
            let same = |(other, _): &&mut (Arc<dyn Kernel>, Price)| Arc::ptr_eq(kernel, other);
            match self.kernels.iter_mut().find(same) {
                Some((_, all)) => {
                    all.nanoseconds += price.nanoseconds;
                    all.bytes += price.bytes;
                }
                None => self.kernels.push((kernel.clone(), price)),
            }
        }
        for part in &part.parts {
            self.add(part, per, threads, number);
        }
    }

    pub fn call(&self) -> Estimate {
        self.call
    }

    /// Says what a call costs.
    pub fn total(&self) -> String {
        let Estimate {
            nanoseconds,
            bytes,
            assumed,
        } = self.call;
        let mut text = format!(" | about {} a call", time(nanoseconds));
        if bytes > 0.0 {
            text += &format!(", {}", memory(bytes));
        }
        if assumed {
            text += &format!(", with {} steps of each loop of unknown length", self.steps);
        }
        text
    }

    /// Says what a part costs; nothing of one that is no loop of the code.
    pub fn said(&mut self, part: &Part) -> String {
        let price = match &part.kind {
            PartKind::For { .. } | PartKind::While => self.loops.get(&part.mark).copied(),
            PartKind::Kernel(kernel) => {
                let found = self.kernels.iter().find(|(k, _)| Arc::ptr_eq(k, kernel));
                found.map(|(_, price)| *price)
            }
            PartKind::Nest => return self.nest(part),
            PartKind::Call | PartKind::Branch => None,
        };
        self.text(price)
    }

    /// Says what the loops of a nest cost.
    fn nest(&mut self, part: &Part) -> String {
        let loops = part.parts.iter();
        let prices = loops.filter_map(|p| match p.kind {
            PartKind::For { .. } => self.loops.get(&p.mark).copied(),
            _ => None,
        });
        let sum = prices.reduce(|a, b| Price {
            nanoseconds: a.nanoseconds + b.nanoseconds,
            bytes: a.bytes + b.bytes,
            ..a
        });
        self.text(sum)
    }

    fn text(&mut self, price: Option<Price>) -> String {
        let Some(price) = price else {
            return String::new();
        };
        if !self.said.insert(price.number) {
            return " | in the same loop as another one above".to_string();
        }
        let mut text = match price.per {
            Some(steps) => format!(" | {} a step", time(price.nanoseconds / steps)),
            None => {
                let share = 100.0 * price.nanoseconds / self.call.nanoseconds;
                format!(" | {}, {share:.0} %", time(price.nanoseconds))
            }
        };
        if price.bytes > 0.0 {
            text += &format!(", {}", memory(price.bytes / price.per.unwrap_or(1.0)));
        }
        text += match price.bound {
            Bound::Arithmetic => "",
            Bound::Waiting => ", operations wait for each other",
            Bound::Memory => ", memory is the limit",
        };
        if price.threads > 1 {
            text += &format!(", {} threads", price.threads);
        }
        text
    }
}

/// A duration with two digits.
fn time(nanoseconds: f64) -> String {
    let (x, unit) = match nanoseconds {
        t if t < 999.5 => (t, "ns"),
        t if t < 999.5e3 => (t * 1e-3, "µs"),
        t if t < 999.5e6 => (t * 1e-6, "ms"),
        t => (t * 1e-9, "s"),
    };
    format!("{} {unit}", two_digits(x))
}

/// A number of bytes with two digits.
fn memory(bytes: f64) -> String {
    let (x, unit) = match bytes {
        b if b < 999.5 => (b, "B"),
        b if b < 999.5e3 => (b * 1e-3, "kB"),
        b if b < 999.5e6 => (b * 1e-6, "MB"),
        b => (b * 1e-9, "GB"),
    };
    format!("{} {unit}", two_digits(x))
}

fn two_digits(x: f64) -> String {
    match x {
        x if x < 9.95 => format!("{x:.1}"),
        x => format!("{x:.0}"),
    }
}
