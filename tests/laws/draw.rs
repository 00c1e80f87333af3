//! Random shapes and arrays.

use serde_json::{Map, Value};
use wengert::{Array, DType};
use wengert_check::Rng;
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::scalar::bits_of;

/// Lengths of axes, short ones often.
const LENGTHS: [usize; 8] = [0, 1, 1, 2, 2, 3, 3, 5];

/// Arrays are no larger than this.
const LARGEST: usize = 240;

/// Arguments and parameters of an operation.
pub struct Sample {
    pub params: Map<String, Value>,
    pub args: Vec<Array>,
    /// Whether it is smooth near the arguments.
    pub smooth: bool,
}

impl Sample {
    pub fn of(args: impl Into<Vec<Array>>) -> Sample {
        Sample {
            params: Map::new(),
            args: args.into(),
            smooth: true,
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Sample {
        self.params.insert(name.into(), value.into());
        self
    }

    /// Not to be compared with differences.
    pub fn rough(self) -> Sample {
        Sample {
            smooth: false,
            ..self
        }
    }
}

/// Draws what samples are made of.
pub struct Draw {
    pub rng: Rng,
}

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw {
            rng: Rng::new(seed.wrapping_mul(0x9e37).wrapping_add(11)),
        }
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.rng.below(n)
    }

    /// A shape of some rank.
    pub fn shape(&mut self, least: usize, most: usize) -> Vec<usize> {
        let rank = least + self.below(most - least + 1);
        let mut dims: Vec<usize> = (0..rank).map(|_| *self.rng.pick(&LENGTHS)).collect();
        while dims.iter().product::<usize>() > LARGEST {
            let i = self.below(dims.len());
            dims[i] = 1;
        }
        dims
    }

    /// A shape without an axis of length 0.
    pub fn full_shape(&mut self, least: usize, most: usize) -> Vec<usize> {
        let dims = self.shape(least, most);
        dims.into_iter().map(|n| n.max(1)).collect()
    }

    /// A shape that broadcasts to another.
    pub fn narrower(&mut self, dims: &[usize]) -> Vec<usize> {
        let first = self.below(dims.len() + 1);
        let mut dims = dims[first..].to_vec();
        for n in &mut dims {
            if self.rng.one_in(3) {
                *n = 1;
            }
        }
        dims
    }

    /// Floats, sometimes `f32`.
    pub fn floats_between(&mut self, dims: &[usize], low: f64, high: f64) -> Array {
        let dtype = if self.rng.one_in(6) {
            DType::F32
        } else {
            DType::F64
        };
        self.array(dims, dtype, |rng| rng.uniform(low, high))
    }

    pub fn floats(&mut self, dims: &[usize]) -> Array {
        self.floats_between(dims, -2.0, 2.0)
    }

    /// Several arrays of floats of one element type.
    pub fn alike(&mut self, shapes: &[&[usize]]) -> Vec<Array> {
        let dtype = if self.rng.one_in(6) {
            DType::F32
        } else {
            DType::F64
        };
        let array = |dims: &&[usize]| self.array(dims, dtype, |rng| rng.uniform(-2.0, 2.0));
        shapes.iter().map(array).collect()
    }

    pub fn f64s(&mut self, dims: &[usize], low: f64, high: f64) -> Array {
        self.array(dims, DType::F64, |rng| rng.uniform(low, high))
    }

    /// Ascending floats, at some distance from each other.
    pub fn ascending(&mut self, n: usize) -> Array {
        let mut x = -2.0;
        let next = |_| {
            x += self.rng.uniform(0.2, 0.8);
            x
        };
        Array::from((0..n).map(next).collect::<Vec<f64>>())
    }

    /// Whole numbers from `low` to below `high`, of a type of theirs.
    pub fn ints(&mut self, dims: &[usize], low: i64, high: i64) -> Array {
        let dtype = *self.rng.pick(&[DType::I64, DType::I64, DType::I32]);
        self.whole(dims, dtype, low, high)
    }

    pub fn whole(&mut self, dims: &[usize], dtype: DType, low: i64, high: i64) -> Array {
        let mut data = Data::zeros(dtype, dims.iter().product());
        for i in 0..data.len() {
            let n = low + self.below((high - low) as usize) as i64;
            data.set_bits(i, bits_of(n as u64, dtype));
        }
        Array::from_dense(Dense::new(dims.to_vec(), data))
    }

    pub fn bools(&mut self, dims: &[usize]) -> Array {
        self.whole(dims, DType::Bool, 0, 2)
    }

    /// Floats, whole numbers or truth values.
    pub fn anything(&mut self, dims: &[usize]) -> Array {
        match self.below(4) {
            0 => self.ints(dims, -9, 10),
            1 => self.bools(dims),
            _ => self.floats(dims),
        }
    }

    fn array(&mut self, dims: &[usize], dtype: DType, f: impl Fn(&mut Rng) -> f64) -> Array {
        let mut data = Data::zeros(dtype, dims.iter().product());
        for i in 0..data.len() {
            data.set_bits(i, bits_of(f(&mut self.rng), dtype));
        }
        Array::from_dense(Dense::new(dims.to_vec(), data))
    }

    /// A vector for a derivative, if there is one.
    pub fn vector_like(&mut self, a: &Array) -> Option<Array> {
        let float = matches!(a.dtype(), DType::F64 | DType::F32);
        float.then(|| self.array(a.shape(), a.dtype(), |rng| rng.uniform(-1.0, 1.0)))
    }

    /// An axis, sometimes from the end.
    pub fn axis(&mut self, rank: usize) -> i64 {
        let axis = self.below(rank) as i64;
        if self.rng.one_in(3) {
            axis - rank as i64
        } else {
            axis
        }
    }

    /// Some axes, each once; all of them sometimes as null.
    pub fn axes(&mut self, rank: usize) -> Value {
        if self.rng.one_in(4) {
            return Value::Null;
        }
        let axes = (0..rank).filter(|_| self.rng.one_in(2));
        axes.collect::<Vec<usize>>().into()
    }

    /// All axes in some order.
    pub fn order(&mut self, rank: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rank).collect();
        for i in (1..rank).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}
