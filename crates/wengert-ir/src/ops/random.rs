//! Random bits: numbered blocks of a key's streams.
//!
//! The bits that a key gives must never change: see [`Stream`].

use std::borrow::Cow;

use crate::buffer::{Buffer, Data, Dense};
use crate::elementary::chacha::{KEY, Stream, WORDS};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::layout::{self, known, sized};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// The words of a key's stream from a block on, as an array of unsigned numbers in row-major order. Operands: the key,
/// `u32[8]`, and the number of the first block, `u64[]`. A `u64` takes two words, the low one first.
///
/// If the key has further axes in front, there is one array for each key; the number of the
/// first block has those axes too, or none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RandomBits {
    /// The type of the result.
    pub ty: Type,
    /// The stream to read.
    pub stream: Stream,
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Draws => "draws",
        Stream::Children => "children",
        Stream::Family => "family",
    }
}

impl RandomBits {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let stream = given.name("stream")?;
        let found = Stream::ALL.into_iter().find(|s| stream_name(*s) == stream);
        match name {
            "random_bits" => Some(Op::RandomBits(RandomBits {
                ty: given.ty("ty")?,
                stream: found?,
            })),
            _ => None,
        }
    }

    fn bind(&self, key: Var, start: Var) -> Var {
        bind1(Op::RandomBits(self.clone()), &[key, start])
    }
}

impl Primitive for RandomBits {
    fn name(&self) -> Cow<'static, str> {
        "random_bits".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("ty", Attribute::Type(self.ty.clone())),
            ("stream", Attribute::Name(stream_name(self.stream).into())),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let [key, start] = inputs else {
            return Err(TypeError::new(format!("2 operands, not {}", inputs.len())));
        };
        let (keys, starts, dims) = (known(key)?, known(start)?, known(&self.ty)?);
        let Some((&KEY, batch)) = keys.split_last().filter(|_| key.dtype == DType::U32) else {
            return Err(TypeError::new(format!(
                "{key} is not a key, which is u32[8]"
            )));
        };
        if start.dtype != DType::U64 || !(starts.is_empty() || starts == batch) {
            let message = format!("{start} does not number the first blocks of {key}");
            return Err(TypeError::new(message));
        }
        if !matches!(self.ty.dtype, DType::U32 | DType::U64) || !dims.starts_with(batch) {
            let message = format!("{key} does not give {}", self.ty);
            return Err(TypeError::new(message));
        }
        Ok(vec![sized(self.ty.dtype, &dims)?])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let (keys, starts) = (inputs[0].dense(), inputs[1].dense());
        let keys = keys.slice::<u32>().as_chunks::<KEY>().0;
        let mut data = Data::zeros(self.ty.dtype, self.ty.size());
        let each = data.len().checked_div(keys.len()).unwrap_or(0);
        let width = self.ty.dtype.bytes() / 4;
        for (k, key) in keys.iter().enumerate() {
            let start = match starts.slice::<u64>() {
                [one] => *one,
                all => all[k],
            };
            let mut words = (0..).flat_map(|i: u64| self.stream.block(key, start.wrapping_add(i)));
            for i in 0..each {
                let pair = words.by_ref().take(width).map(u64::from);
                let bits = pair
                    .enumerate()
                    .fold(0, |x, (n, word)| x | word << (32 * n));
                data.set_bits(k * each + i, bits);
            }
        }
        Ok(vec![Buffer::Dense(Dense::new(self.ty.dims(), data))])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::new(outputs, inputs)
    }

    fn jvp(&self, x: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        (vec![self.bind(x[0], x[1])], vec![None])
    }

    fn transpose(&self, inputs: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        vec![None; inputs.len()]
    }

    fn is_drawn(&self) -> bool {
        true
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let (key, start) = (inputs[0], inputs[1]);
        Ok(vec![l.draw(key, start, self.stream, &outputs[0])?])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (key, start) = (inputs[0], inputs[1]);
        let keys = key.spread(size);
        let dims = keys.shape();
        let batch = &dims[..dims.len() - 1];
        let start = match (start.mapped, start.value.rank()) {
            (false, 0) => start.value,
            // One start for each element of the batch, which all keys of that element share.
            (true, 1) => {
                let ty = start.value.ty().with_dims(batch);
                layout::broadcast(start.value, &ty.shape, &[0])
            }
            _ => start.spread(size),
        };
        let op = RandomBits {
            ty: self.ty.batched(size),
            stream: self.stream,
        };
        vec![Batched::mapped(op.bind(keys, start))]
    }
}

/// Records words of a key's stream from block `start` on, a `u64`, as an array of type `ty`.
#[track_caller]
pub fn random_bits(key: Var, start: Var, stream: Stream, ty: Type) -> Var {
    bind1(Op::RandomBits(RandomBits { ty, stream }), &[key, start])
}

const _: () = assert!(WORDS == 2 * KEY, "a block is two keys");
