//! Kernels: those for which there is C, and an error for the others.

use std::fmt::Write;

use wengert_loop::elementary::chacha::{self, Words};
use wengert_loop::loops::kernel::{Fft, Gemm, LaneProduct, RandomBlock, Sort, TopK};
use wengert_loop::loops::{BufferId, Index, Kernel};
use wengert_loop::order;
use wengert_loop::source::SourceId;

use super::{Emitter, ty};
use crate::dialect::Dialect;

/// Whether the prelude has no function for a kernel, so that it is written as loops if there are any.
pub(crate) fn is_without_function(kernel: &dyn Kernel) -> bool {
    kernel.downcast_ref::<Fft>().is_some()
}

impl Emitter<'_> {
    pub(super) fn kernel(
        &mut self,
        kernel: &dyn Kernel,
        regions: &[(BufferId, Index)],
        at: Option<SourceId>,
    ) {
        if self.dialect != Dialect::C {
            return self.device_kernel(kernel, regions, at);
        }
        let copies = regions.first().map_or("", |r| self.over_copies(r.0));
        let mut p = vec![];
        for (b, i) in regions {
            p.push(format!("&{}", self.element(*b, i, None)));
        }
        let gemm = kernel.downcast_ref::<Gemm>();
        let product = gemm.or(kernel.downcast_ref::<LaneProduct>().map(|l| &l.gemm));
        let text = if let Some(g) = product {
            let chains = u8::from(order::is_long(g.m, g.n, g.k));
            format!(
                "gemm_{}({}, {}, {}, {chains}, {}, {}, {}, {}, {}, {}, {}, {}, {});",
                ty(g.dtype),
                g.m,
                g.n,
                g.k,
                p[0],
                g.c.0,
                g.c.1,
                p[1],
                g.a.0,
                g.a.1,
                p[2],
                g.b.0,
                g.b.1
            )
        } else if let Some(s) = kernel.downcast_ref::<Sort>() {
            let (t, down) = (ty(s.dtype), u8::from(s.descending));
            let places = p.get(1).map_or("0", String::as_str);
            let keys = self.unit.sorted(s.dtype, s.n);
            let old = match p.len() {
                1 => "0".to_string(),
                _ => self.unit.sorted_places(s.n),
            };
            format!(
                "sort_{t}({}, {places}, {}, {}, {down}, {keys}, {old});",
                p[0], s.rows, s.n
            )
        } else if let Some(k) = kernel.downcast_ref::<TopK>() {
            let t = ty(k.dtype);
            format!(
                "top_k_{t}({}, {}, {}, {}, {}, {});",
                k.k, k.rows, k.n, p[0], p[1], p[2]
            )
        } else if let Some(block) = kernel.downcast_ref::<RandomBlock>() {
            let [low, high] = block.0.number();
            format!("random_block({}, {low}u, {high}u, {});", p[0], p[1])
        } else {
            return self.refuse_kernel(kernel, at);
        };
        self.line(&format!("{copies}{text}"));
    }
}

impl Emitter<'_> {
    /// Says that there is no text for a kernel.
    pub(super) fn refuse_kernel(&mut self, kernel: &dyn Kernel, at: Option<SourceId>) {
        let instead = match (self.dialect, kernel.is_host()) {
            (Dialect::C, true) => {
                "a function of the host cannot be in C: leave it out of what is exported"
            }
            (_, true) => {
                "a function of the host cannot run on a device: call it between two functions"
            }
            (_, false) => {
                "a library of Rust does that: lower the program for a target without a library"
            }
        };
        let place = at.map_or(String::new(), |s| format!(" at {}", s.place()));
        self.refuse(format!("{}{place}", kernel.description()), instead);
    }
}

/// What is known of a kernel.
trait Known {
    fn is_host(&self) -> bool;
}

impl Known for dyn Kernel {
    fn is_host(&self) -> bool {
        self.downcast_ref::<wengert_loop::loops::kernel::Host>()
            .is_some()
    }
}

/// The block function of the generator, recorded as text from the definition that everyone uses.
pub(crate) fn random_block() -> String {
    let mut r = Recorder::default();
    let mut word = |text: String| r.put(text);
    let key: [usize; chacha::KEY] = std::array::from_fn(|i| word(format!("key[{i}]")));
    let number = [word("key[8]".into()), word("key[9]".into())];
    let block = chacha::block(&mut r, &key, number, STREAM);
    let mut text = r.text;
    for (i, w) in block.iter().enumerate() {
        let _ = writeln!(text, "  word[{i}] = t{w};");
    }
    format!(
        "//! random_block\n/* A block of ChaCha with eight rounds: sixteen words of a key, a block number and a stream. */\n\
         static void random_block(const u32* key, u32 low, u32 high, u32* word) {{\n{text}}}\n"
    )
}

/// The words that stand for those of a stream's number, which are parameters.
const STREAM: [u32; 2] = [0xfeed_beef, 0xdead_cafe];

#[derive(Default)]
struct Recorder {
    text: String,
    next: usize,
}

impl Recorder {
    fn put(&mut self, expression: String) -> usize {
        let _ = writeln!(self.text, "  const u32 t{} = {expression};", self.next);
        self.next += 1;
        self.next - 1
    }
}

impl Words for Recorder {
    type W = usize;

    fn word(&mut self, x: u32) -> usize {
        let text = match x {
            _ if x == STREAM[0] => "low".into(),
            _ if x == STREAM[1] => "high".into(),
            _ => format!("{x}u"),
        };
        self.put(text)
    }

    fn sum(&mut self, a: usize, b: usize) -> usize {
        self.put(format!("t{a} + t{b}"))
    }

    fn xor(&mut self, a: usize, b: usize) -> usize {
        self.put(format!("t{a} ^ t{b}"))
    }

    fn rotate(&mut self, a: usize, by: u32) -> usize {
        self.put(format!("t{a} << {by} | t{a} >> {}", 32 - by))
    }
}
