//! The ten first things that a user of JAX tries, in the order in which they are tried. Each is a function of
//! its own, and checks what it shows.
//!
//! `cargo run --example first_steps`

use wengert::Result;
use wengert::prelude::*;

/// The energy of a chain of springs, whose links want to have the length 1.
fn energy(x: Var) -> Var {
    let links = x.at(1..) - x.at(..-1);
    0.5 * (links - 1.0).square().sum()
}

/// 1. A function of an array, compiled: `jax.jit`.
fn compile_a_function() -> Result<()> {
    let f = jit(energy);
    let y = f.call([0.0, 1.0, 3.0])?;
    println!(" 1. energy: {y}");
    assert_eq!(y.item::<f64>()?, 0.5);
    // Another length is another signature: it is traced and compiled again.
    assert_eq!(f.call([0.0, 1.0, 2.0, 5.0])?.item::<f64>()?, 2.0);
    Ok(())
}

/// 2. Its gradient, and its value beside the gradient: `jax.grad`, `jax.value_and_grad`.
fn take_a_gradient() -> Result<()> {
    let x = Array::from([0.0, 1.0, 3.0]);
    let slope = jit(grad(energy)).call(&x)?;
    let (value, same) = jit(value_and_grad(energy)).call(&x)?;
    println!(" 2. value {value}, gradient {slope}");
    assert_eq!(slope.to_vec::<f64>()?, [0.0, -1.0, 1.0]);
    assert_eq!(value.item::<f64>()?, 0.5);
    assert_eq!(same, slope);
    Ok(())
}

/// 3. A function of one element, applied to a batch: `jax.vmap`.
fn run_a_batch() -> Result<()> {
    let chains = [[0.0, 1.0, 3.0], [0.0, 2.0, 2.0]];
    let energies = jit(vmap(energy)).call(chains)?;
    let slopes = jit(vmap(grad(energy))).call(chains)?;
    println!(" 3. energies {energies}, gradients {slopes}");
    assert_eq!(energies.to_vec::<f64>()?, [0.5, 1.0]);
    assert_eq!(slopes.shape(), [2, 3]);

    // One argument is the same for the whole batch: `in_axes=(0, None)`.
    let product = |(row, v): (Var, Var)| row.dot(v);
    let rows = jit(vmap_axes(product, [Some(0), None], 0));
    let y = rows.call(([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]))?;
    assert_eq!(y.to_vec::<f64>()?, [21.0, 43.0]);
    Ok(())
}

/// 4. A Jacobian and a Hessian: `jax.jacfwd`, `jax.hessian`.
fn take_second_derivatives() -> Result<()> {
    let polar = |p: Var| {
        let (r, angle) = (p.at(0), p.at(1));
        stack([r * angle.cos(), r * angle.sin()])
    };
    let jacobian = jit(jacfwd(polar)).call([2.0, 0.0])?;
    let curvature = jit(hessian(energy)).call([0.0, 1.0, 3.0])?;
    println!(" 4. Jacobian {jacobian}, Hessian {curvature}");
    assert_eq!(jacobian, Array::from([[1.0, 0.0], [0.0, 2.0]]));
    let springs = [[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]];
    assert_eq!(curvature, Array::from(springs));
    Ok(())
}

/// 5. A recurrence that collects its steps: `jax.lax.scan`.
fn scan_a_recurrence() -> Result<()> {
    // The balance of an account after each year, for a rate that differs from year to year.
    let balances = |rates: Var| {
        let (_, all) = scan(100.0, rates, |balance, rate| {
            let next = balance * (1.0 + rate);
            (next, next)
        });
        all
    };
    let grown = jit(balances).call([0.5, 0.0, 1.0])?;
    let slope = jit(grad(move |rates| balances(rates).at(-1))).call([0.5, 0.0, 1.0])?;
    println!(" 5. balances {grown}, slope of the last {slope}");
    assert_eq!(grown.to_vec::<f64>()?, [150.0, 150.0, 300.0]);
    assert_eq!(slope.to_vec::<f64>()?, [200.0, 300.0, 150.0]);
    Ok(())
}

/// 6. A loop until convergence, and its gradient: `jax.lax.while_loop`, with reverse mode through it.
fn loop_until_convergence() -> Result<()> {
    // Heron's square root.
    let root = |a: Var| {
        let (x, _) = while_loop(
            (a, f64::INFINITY),
            |(_, moved)| moved.gt(1e-12),
            |(x, _)| {
                let next = 0.5 * (x + a / x);
                (next, (next - x).abs())
            },
        );
        x
    };
    let (roots, slopes) = jit(vmap(value_and_grad(root))).call([1.0, 4.0, 9.0])?;
    println!(" 6. roots {roots}, slopes {slopes}");
    let wanted = [(1.0, 0.5), (2.0, 0.25), (3.0, 1.0 / 6.0)];
    let found = roots
        .to_vec::<f64>()?
        .into_iter()
        .zip(slopes.to_vec::<f64>()?);
    for ((x, dx), (root, slope)) in found.zip(wanted) {
        assert!((x - root).abs() < 1e-12 && (dx - slope).abs() < 1e-9);
    }
    Ok(())
}

/// 7. Random numbers of a key: `jax.random.split`, `normal`, `uniform`.
fn draw_random_numbers() -> Result<()> {
    let sample = jit(|key: Key| {
        let (a, b) = key.split();
        (a.normal([1000]).mean(), b.uniform([2, 3]))
    });
    let key = Key::from_seed(0);
    let (mean, table) = sample.call(key.clone())?;
    println!(" 7. mean {mean}, table {table}");
    assert!(mean.item::<f64>()?.abs() < 0.2);
    assert_eq!(table.shape(), [2, 3]);
    // The same key gives the same numbers.
    assert_eq!(sample.call(key)?, (mean, table));
    Ok(())
}

/// The parameters of a small network: a pytree, in JAX's word.
#[derive(Tree, Clone, Debug)]
struct Network<T = Var> {
    hidden: Layer<T>,
    output: Layer<T>,
}

#[derive(Tree, Clone, Debug)]
struct Layer<T = Var> {
    weights: T,
    bias: T,
}

impl Layer {
    fn new(key: Key, inputs: usize, outputs: usize) -> Layer {
        Layer {
            weights: key.normal([inputs, outputs]) / (inputs as f64).sqrt(),
            bias: zeros(outputs),
        }
    }

    fn apply(&self, x: Var) -> Var {
        x.dot(self.weights) + self.bias
    }
}

impl Network {
    fn new(key: Key) -> Network {
        let (hidden, output) = key.split();
        Network {
            hidden: Layer::new(hidden, 1, 16),
            output: Layer::new(output, 16, 1),
        }
    }

    fn predict(&self, x: Var) -> Var {
        let h = self.hidden.apply(x.expand_dims(1)).tanh();
        self.output.apply(h).squeeze_axis(1)
    }
}

/// 8. A model in a struct, fitted by gradient descent: `jax.tree.map`.
fn fit_a_model() -> Result<()> {
    let loss = |network: &Network, x: Var, y: Var| (network.predict(x) - y).square().mean();
    let step = jit(move |(network, x, y): (Network, Var, Var)| {
        let (loss, slope) = value_and_grad_at(network.clone(), |n| loss(&n, x, y));
        (tree::map2(network, slope, |p, g| p - 0.1 * g), loss)
    });

    let (x, y) = jit(|()| {
        let x = linspace(-2.0, 2.0, 64);
        (x, x.sin())
    })
    .call(())?;
    let mut network = jit(Network::new).call(Key::from_seed(1))?;
    let mut losses = vec![];
    for _ in 0..500 {
        let (next, loss) = step.call((network, &x, &y))?;
        network = next;
        losses.push(loss.item::<f64>()?);
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    println!(" 8. loss {first:.4} before, {last:.6} after 500 steps");
    assert!(last < 1e-2 && last < 0.1 * first);
    Ok(())
}

/// 9. Indexing and updates: `x[i]`, `x.at[i].set(v)`, `x.at[i].add(v)`, `jnp.where`.
fn read_and_update() -> Result<()> {
    let f = jit(|(table, places): (Var, Var)| {
        let read = table.at(places);
        let set = table.at_set(0, -1.0);
        let counted = zeros(4).at_add(places, 1.0);
        let positive = table.gt(15.0).select(table, 0.0);
        (read, set, counted, positive)
    });
    let (read, set, counted, positive) = f.call(([10.0, 20.0, 30.0], [2i64, 0, 2]))?;
    println!(" 9. read {read}, set {set}, counted {counted}, positive {positive}");
    assert_eq!(read.to_vec::<f64>()?, [30.0, 10.0, 30.0]);
    assert_eq!(set.to_vec::<f64>()?, [-1.0, 20.0, 30.0]);
    assert_eq!(counted.to_vec::<f64>()?, [1.0, 0.0, 2.0, 0.0]);
    assert_eq!(positive.to_vec::<f64>()?, [0.0, 20.0, 30.0]);
    Ok(())
}

/// 10. A condition that is checked when the code runs, and a mistake in a shape: `Err`s that name the line.
fn meet_an_error() -> Result<()> {
    let f = jit(|x: Var| {
        wengert::check(x.gt(0.0), "the argument is positive");
        x.ln()
    });
    assert_eq!(f.call(1.0)?.item::<f64>()?, 0.0);
    let failed = f.call(-1.0).expect_err("-1 is not positive").to_string();
    println!("10. {failed}");
    assert!(failed.starts_with("check: the argument is positive, at "));

    let f = jit(|(a, b): (Var, Var)| a + b);
    let refused = f.call(([1.0, 2.0], [1.0, 2.0, 3.0]));
    let refused = refused.expect_err("2 and 3 do not broadcast").to_string();
    println!("    {refused}");
    assert!(refused.starts_with("add: f64[2] and f64[3] do not broadcast, at "));
    assert!(failed.contains(file!()) && refused.contains(file!()));
    Ok(())
}

fn main() -> Result<()> {
    compile_a_function()?;
    take_a_gradient()?;
    run_a_batch()?;
    take_second_derivatives()?;
    scan_a_recurrence()?;
    loop_until_convergence()?;
    draw_random_numbers()?;
    fit_a_model()?;
    read_and_update()?;
    meet_an_error()
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_steps_hold() {
        super::main().unwrap();
    }

    #[test]
    fn the_book_shows_this_program() {
        let page = include_str!("../docs/src/from-jax.md");
        let (program, _) = include_str!("first_steps.rs")
            .split_once("\n#[cfg(test)]")
            .unwrap();
        let (_, program) = program.split_once("\n\n").unwrap();
        assert!(
            page.contains(program),
            "copy the program to docs/src/from-jax.md"
        );
    }
}
