//! An operation together with its derivatives, as one function.

use wengert::prelude::*;
use wengert_ir::buffer::{Data, Dense};

use super::same::same;
use super::table::Operation;

/// Elements of a batch: the arguments themselves, and others like them.
const BATCH: usize = 3;

/// An operation, its tangents and its cotangents at a point.
pub struct Whole {
    f: Differentiated,
    pub compiled: Jit<Vec<Var>, Vec<Var>>,
    /// Arguments; a tangent for each that has a derivative; a cotangent for each result that has one.
    pub given: Vec<Array>,
}

#[derive(Clone)]
struct Differentiated {
    op: Operation,
    args: usize,
    /// Which arguments and which results have derivatives.
    smooth_args: Vec<bool>,
    smooth_results: Vec<bool>,
}

impl Whole {
    /// A tangent or a cotangent that is not there says that there is no derivative.
    pub fn new(
        op: Operation,
        args: &[Array],
        tangents: &[Option<Array>],
        cotangents: &[Option<Array>],
    ) -> Whole {
        let there = |list: &[Option<Array>]| list.iter().map(Option::is_some).collect();
        let f = Differentiated {
            op,
            args: args.len(),
            smooth_args: there(tangents),
            smooth_results: there(cotangents),
        };
        let vectors = tangents.iter().chain(cotangents).flatten();
        let function = f.clone();
        Whole {
            compiled: jit(move |x: Vec<Var>| function.call(&x)),
            given: args.iter().chain(vectors).cloned().collect(),
            f,
        }
    }

    /// In a batch it gives, to the bit, what it gives alone.
    pub fn in_a_batch(&self) -> Result<(), String> {
        if self.given.is_empty() {
            return Ok(());
        }
        let elements: Vec<Vec<Array>> = (0..BATCH)
            .map(|k| self.given.iter().map(|a| another(a, k)).collect())
            .collect();
        let stacked = (0..self.given.len()).map(|i| {
            let mut data = Data::zeros(self.given[i].dtype(), 0);
            elements
                .iter()
                .for_each(|e| data.extend(&e[i].dense().data));
            let dims = [&[BATCH], self.given[i].shape()].concat();
            Array::from_dense(Dense::new(dims, data))
        });
        let f = self.f.clone();
        let batched = jit(vmap(move |x: Vec<Var>| f.call(&x))).call(stacked.collect::<Vec<_>>());
        let batched = batched.map_err(|e| format!("in a batch: {e}"))?;
        for (k, element) in elements.into_iter().enumerate() {
            let alone = self.compiled.call(element).map_err(|e| e.to_string())?;
            for (i, (alone, batched)) in alone.iter().zip(&batched).enumerate() {
                let n = alone.len();
                let row = batched.dense().data.pick(k * n..(k + 1) * n);
                let row = Array::from_dense(Dense::new(batched.shape()[1..].to_vec(), row));
                same(&row, alone)
                    .map_err(|e| format!("result {i} of element {k} in a batch and alone: {e}"))?;
            }
        }
        Ok(())
    }
}

/// An array like this one, the `k`-th: floats are scaled a little, others turned around.
fn another(a: &Array, k: usize) -> Array {
    let data = &a.dense().data;
    let data = match &**data {
        Data::F64(v) => Data::F64(v.iter().map(|x| x * (1.0 + 0.01 * k as f64)).collect()),
        Data::F32(v) => Data::F32(v.iter().map(|x| x * (1.0 + 0.01 * k as f32)).collect()),
        data => match k % 2 {
            0 => data.clone(),
            _ => data.pick((0..data.len()).rev()),
        },
    };
    Array::from_dense(Dense::new(a.shape().to_vec(), data))
}

impl Differentiated {
    /// The values, the tangents, then the cotangents, of arguments, tangents and cotangents.
    fn call(&self, given: &[Var]) -> Vec<Var> {
        let (args, rest) = given.split_at(self.args);
        let mut all = (self.op)(args);
        if !self.smooth_args.contains(&true) {
            return all;
        }
        let count = |which: &[bool]| which.iter().filter(|s| **s).count();
        let (tangents, cotangents) = rest.split_at(count(&self.smooth_args));
        let point = args.iter().zip(&self.smooth_args).filter(|(_, s)| **s);
        let point: Vec<Var> = point.map(|(x, _)| *x).collect();
        all.extend(jvp(|x| self.smooth(args, x), point.clone(), tangents.to_vec()).1);
        all.extend(vjp(|x| self.smooth(args, x), point).1(cotangents.to_vec()));
        all
    }

    /// The results that have derivatives, of the arguments that have.
    fn smooth(&self, args: &[Var], point: Vec<Var>) -> Vec<Var> {
        let mut point = point.into_iter();
        let mut arg = |(x, smooth): (&Var, &bool)| match smooth {
            true => point.next().expect("one for each"),
            false => *x,
        };
        let args: Vec<Var> = args.iter().zip(&self.smooth_args).map(&mut arg).collect();
        let results = (self.op)(&args).into_iter().zip(&self.smooth_results);
        results.filter(|(_, s)| **s).map(|(y, _)| y).collect()
    }
}
