//! The memory that loops touch: how many bytes come from which cache.
//!
//! An element that is read again after few others is still in a near cache. So the bytes that an access brings from
//! beyond a cache grow with each loop around it that walks on, and with each one that does not but whose step touches
//! more than the cache holds.

use std::collections::HashMap;

use wengert_loop::cost::{FAR_BYTE, L1, L2, LINE, NEAR_BYTE, PAGE, SCATTERED};
use wengert_loop::loops::{BufferId, Value};

/// An access of a line of code to memory.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Access {
    pub buffer: BufferId,
    /// The bytes of an element: of all lanes, if each lane has a copy.
    pub element: f64,
    /// The bytes of the buffer.
    pub size: f64,
    /// By how many bytes it moves on with a step of a loop, by the loop's index.
    pub moves: Vec<(Value, f64)>,
    /// The depth of the loops, counted from outside, up to which it moves in no regular way from step to step.
    pub irregular: usize,
    pub writes: bool,
}

/// A loop around an access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// `None` for a loop without an index.
    pub index: Option<Value>,
    pub steps: f64,
    /// The bytes that a step touches.
    pub footprint: f64,
}

/// The bytes that an access touches, in a loop or in several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    /// What it touches at a stretch.
    stretch: f64,
    /// Bytes that come from beyond a cache.
    pub bytes: f64,
}

impl Access {
    pub fn once(&self) -> Touched {
        Touched {
            stretch: self.element,
            bytes: self.element,
        }
    }

    /// Returns what the access touches in all steps of the loop at a depth. `again` says whether what a step has touched is gone from
    /// the cache in the next one.
    pub fn repeated(
        &self,
        touched: Touched,
        (index, depth): (Option<Value>, usize),
        steps: f64,
        again: bool,
    ) -> Touched {
        let Touched { stretch, bytes } = touched;
        if steps <= 1.0 {
            return touched;
        }
        let moves = self.moves.iter().find(|m| Some(m.0) == index);
        let by = moves.map_or(0.0, |m| m.1);
        let all = match (depth <= self.irregular, by == 0.0) {
            (true, _) => {
                let line = stretch.max(LINE.min(self.size));
                Touched {
                    stretch: line,
                    bytes: bytes * line / stretch * steps,
                }
            }
            (false, true) if !again => touched,
            (false, true) => Touched {
                stretch,
                bytes: bytes * steps,
            },
            // Neighbours, of which those in one line come together.
            (false, false) if by <= stretch.max(LINE) => {
                let next = by.max(1.0) * (steps - 1.0) + stretch;
                let factor = match again && stretch >= LINE && by < stretch {
                    true => steps,
                    false => next / stretch,
                };
                Touched {
                    stretch: next,
                    bytes: bytes * factor,
                }
            }
            (false, false) => {
                let line = stretch.max(LINE.min(self.size));
                Touched {
                    stretch: line,
                    bytes: bytes * line / stretch * steps,
                }
            }
        };
        Touched {
            bytes: match again {
                true => all.bytes,
                false => all.bytes.min(self.size),
            },
            ..all
        }
    }

    /// Returns the nanoseconds that memory takes for the access in all steps of the loops around it, the innermost first.
    pub fn nanoseconds(&self, around: &[Around]) -> f64 {
        let beyond = |cache: f64| {
            let mut touched = self.once();
            for (i, a) in around.iter().enumerate() {
                let at = (a.index, around.len() - 1 - i);
                touched = self.repeated(touched, at, a.steps, a.footprint > cache);
            }
            // What fits is still there from the last call.
            match around.last() {
                Some(call) if call.footprint <= cache => 0.0,
                _ => touched.bytes,
            }
        };
        let (near, far) = (beyond(L1), beyond(L2));
        // A line is read before a part of it is written, and written back.
        let ways = if self.writes { 2.0 } else { 1.0 };
        // The processor fetches the next lines by itself, but not from the next page.
        let own = around.len() - 1;
        let first = around.iter().find_map(|a| {
            let moves = self
                .moves
                .iter()
                .find(|m| Some(m.0) == a.index && a.steps > 1.0);
            moves.map(|m| m.1)
        });
        let leaps = own > 0 && own <= self.irregular || first.is_some_and(|by| by >= PAGE);
        let slower = if leaps { SCATTERED } else { 1.0 };
        ways * (near * NEAR_BYTE + slower * far * FAR_BYTE)
    }
}

/// Adds up what accesses touch; those that touch the same count once, and no buffer more than it has.
pub(super) fn footprint<'a>(all: impl Iterator<Item = (&'a Access, f64)>) -> f64 {
    let mut places: HashMap<(BufferId, Vec<(Value, u64)>), f64> = HashMap::new();
    let mut sizes: HashMap<BufferId, (f64, f64)> = HashMap::new();
    for (access, bytes) in all {
        let moves = access.moves.iter().map(|m| (m.0, m.1.to_bits())).collect();
        let most = places.entry((access.buffer, moves)).or_default();
        if bytes > *most {
            let (sum, size) = sizes.entry(access.buffer).or_insert((0.0, access.size));
            *sum = (*sum + bytes - *most).min(*size);
            *most = bytes;
        }
    }
    sizes.values().map(|(sum, _)| sum).sum()
}
