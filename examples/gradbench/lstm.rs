//! The loss of a long short-term memory network that predicts the next element of a sequence.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, json};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

/// The parameters to fit.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Network<T = Var> {
    /// For each layer a row of weights and one of biases, for the forget, input and output gates and for the
    /// change: `[2 layers, 4 b]`.
    pub main: T,
    /// The weights of the input, and the weights and biases of the output: `[3, b]`.
    pub extra: T,
}

/// The memory of a layer.
#[derive(Tree, Clone, Copy)]
struct Memory<T = Var> {
    hidden: T,
    cell: T,
}

impl Network {
    /// Returns a layer's output for an input, which is its new hidden memory, too.
    fn layer(&self, i: usize, x: Var, memory: Memory) -> Memory {
        let b = x.shape()[0];
        let Memory { hidden, cell } = memory;
        let part = |row: usize, gate: usize| self.main.at(s![row, gate * b..(gate + 1) * b]);
        let gate = |j: usize, x: Var| x * part(2 * i, j) + part(2 * i + 1, j);
        let forget = gate(0, x).sigmoid();
        let ingate = gate(1, hidden).sigmoid();
        let outgate = gate(2, x).sigmoid();
        let change = gate(3, hidden).tanh();
        let cell = cell * forget + ingate * change;
        Memory {
            hidden: outgate * cell.tanh(),
            cell,
        }
    }

    /// Returns the log probabilities of the element after `x`, and the new memory.
    fn predict(&self, x: Var, memory: &[Memory]) -> (Var, Vec<Memory>) {
        let mut x = x * self.extra.at(0);
        let mut next = vec![];
        for (i, memory) in memory.iter().enumerate() {
            let memory = self.layer(i, x, *memory);
            x = memory.hidden;
            next.push(memory);
        }
        (x * self.extra.at(1) + self.extra.at(2), next)
    }

    /// Computes the mean loss over a sequence, `[c, b]`, from memories `[2 layers, b]`.
    pub fn objective(&self, state: Var, sequence: Var) -> Var {
        let [rows, b] = state.shape()[..] else {
            unreachable!("the state is a matrix")
        };
        let start: Vec<Memory> = (0..rows / 2)
            .map(|i| Memory {
                hidden: state.at(2 * i),
                cell: state.at(2 * i + 1),
            })
            .collect();
        let pairs = (sequence.at(..-1), sequence.at(1..));
        let (_, losses) = scan(start, pairs, |memory: Vec<Memory>, (x, next)| {
            let (y, memory) = self.predict(x, &memory);
            let y = y - (2.0 + y.exp().sum()).ln();
            (memory, (next * y).sum())
        });
        -losses.sum() / (losses.shape()[0] * b) as f64
    }
}

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let network = Network {
        main: array::<2>(input, "main_params")?,
        extra: array::<2>(input, "extra_params")?,
    };
    let args = (
        network,
        array::<2>(input, "state")?,
        array::<2>(input, "sequence")?,
    );
    match function {
        "objective" => timed(
            |(network, state, sequence): (Network, Var, Var)| network.objective(state, sequence),
            args,
            limits,
            json,
        ),
        "jacobian" => timed(
            |(network, state, sequence): (Network, Var, Var)| {
                let gradient = grad(|n: Network| n.objective(state, sequence))(network);
                concat([gradient.main.ravel(), gradient.extra.ravel()], 0)
            },
            args,
            limits,
            json,
        ),
        _ => unknown(function),
    }
}
