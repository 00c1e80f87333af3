//! Writes random words to the standard output until the reader closes it, for statistical test suites: the
//! streams of thousands of children of one key in turn, one block of each, because programs mostly use related
//! keys.
//!
//! ```text
//! cargo run --release -p wengert-check --bin random_stream | dieharder -a -g 200
//! ```

use std::io::{self, Write};

use wengert::prelude::*;
use wengert::{Array, Result, ShapeDtype};

/// Number of children that take turns.
const STREAMS: usize = 4096;

/// Number of `u32`s taken from each at a time: a block.
const WORDS: usize = 16;

fn main() -> Result<()> {
    let seed = std::env::args().nth(1).and_then(|s| s.parse().ok());
    // Round `i` uses the streams of the children of member `i` of a family.
    let round = jit(|(key, i): (Key, Var)| {
        let words = |key: Key| key.bits(ShapeDtype::new([WORDS], DType::U32));
        vmap(words)(key.fold_in().at(i).split_into(STREAMS))
    });
    let key = Key::from_seed(seed.unwrap_or(0));
    let mut out = io::stdout().lock();
    for i in 0i64.. {
        let words: Array = round.call((key.clone(), i))?;
        let words = words.as_slice::<u32>()?;
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        if out.write_all(&bytes).is_err() {
            break;
        }
    }
    Ok(())
}
