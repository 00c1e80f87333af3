//! Methods with a population: differential evolution, and the adaptation of a covariance matrix.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::random::KeyFamily;
use wengert::solver::{asked_at, same_trees};

use super::{Bounded, Found, Minimum, minimum};
use crate::shared::{RUNNING, choose, eps, largest, not_negative, number, scalar, vector};
use crate::{State, Status};

/// Minimisation within bounds by differential evolution (Storn and Price 1997), for functions with many minima:
/// `scipy.optimize.differential_evolution`.
///
/// A generation is evaluated as a batch. Mutants are made of three places of the population that differ, with a factor drawn
/// anew for each (`rand/1/bin`), and take each unknown of theirs with the probability `crossover`. It ends when the values
/// of the population differ by less than `tolerance` times their mean size, and [`Bounded`] then polishes the best place;
/// so the derivative of the result is that of the equation at the minimum.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::DifferentialEvolution;
///
/// // Rastrigin's function has a minimum near every whole place, and the least at 0.
/// let f = |x: Var| (x.square() - 10.0 * (2.0 * std::f64::consts::PI * x).cos() + 10.0).sum();
/// let find = jit(move |key: Key| DifferentialEvolution::new().minimize(key, f, full(2, -5.12), full(2, 5.12)));
/// let m = find.call(Key::from_seed(1))?.ok()?;
/// assert!(m.value.item::<f64>()? < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DifferentialEvolution {
    /// The number of places, for each unknown.
    pub population: usize,
    /// The probability of a mutant's unknown.
    pub crossover: f64,
    /// The bounds of the factor of mutation.
    pub factor: (f64, f64),
    /// The tolerance of the values.
    pub tolerance: f64,
    /// The limit of generations.
    pub max_steps: i64,
}

impl Default for DifferentialEvolution {
    fn default() -> DifferentialEvolution {
        DifferentialEvolution {
            population: 12,
            crossover: 0.7,
            factor: (0.4, 0.9),
            tolerance: 1e-6,
            max_steps: 2000,
        }
    }
}

#[derive(Tree, Clone)]
struct Herd<T = Var> {
    places: T,
    values: T,
    status: T,
    steps: T,
}

impl DifferentialEvolution {
    /// Twelve places for each unknown, and 2,000 generations.
    pub fn new() -> DifferentialEvolution {
        DifferentialEvolution::default()
    }

    /// Sets the number of places for each unknown.
    pub fn population(mut self, population: usize) -> Self {
        self.population = population;
        self
    }

    /// Sets the probability of a mutant's unknown.
    pub fn crossover(mut self, crossover: f64) -> Self {
        self.crossover = crossover;
        self
    }

    /// Sets the tolerance of the values.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the limit of generations.
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Minimises `f` between `low` and `high`, trees of finite numbers.
    ///
    /// # Errors
    /// As [`minimize`](super::minimize()), and if the bounds are different trees.
    #[track_caller]
    pub fn minimize<L, H>(
        &self,
        key: Key,
        f: impl Fn(L::Tree) -> Var,
        low: L,
        high: H,
    ) -> Minimum<L::Tree>
    where
        L: IntoTree,
        L::Tree: State,
        H: IntoTree<Tree = L::Tree>,
    {
        let (place, op) = (Location::caller(), "minimize");
        asked_at(place, || {
            not_negative(op, &[("tolerance", self.tolerance)]);
            not_negative(op, &[("max_steps", self.max_steps as f64)]);
            let (low, high) = (low.into_tree(), high.into_tree());
            same_trees(op, ["the lower bound", "the upper bound"], &low, &high);
            let (from, tree) = vector(op, low.clone());
            let to = tree::ravel(high.clone()).0;
            let dtype = from.dtype();
            let value = |x: Var| {
                asked_at(place, || {
                    scalar(op, "the value of the function", dtype, || f(tree(x)))
                })
            };
            let (from, to) = (from.stop_gradient(), to.stop_gradient());
            let herd = self.search(place, key, &value, from, to);
            let best = herd.places.at(herd.values.argmin()).stop_gradient();
            let polished = asked_at(place, || Bounded::new().minimize(&f, tree(best), low, high));
            let size = herd.values.shape()[0] as i64;
            Minimum {
                status: herd.status.gt(0).select(polished.status, herd.status),
                iterations: herd.steps + polished.iterations,
                evaluations: (herd.steps + 1) * size + polished.evaluations,
                ..polished
            }
        })
    }

    fn search(
        &self,
        place: &'static Location<'static>,
        key: Key,
        f: &dyn Fn(Var) -> Var,
        low: Var,
        high: Var,
    ) -> Herd {
        let (n, dtype) = (low.shape()[0], low.dtype());
        let size = (self.population * n).max(8);
        let all = |x: Var| {
            let y = vmap(|x: Var| f(x))(x).stop_gradient();
            y.is_nan().select(f64::INFINITY, y)
        };
        let (first, rest) = key.split();
        let family = rest.fold_in();
        // A Latin square of the box: each unknown has one place in each of its parts.
        let [shuffle, shift] = first.split_n();
        let rows = vmap(|k: Key| k.permutation(size))(shuffle.split_into(n)).t();
        let parts = (rows.to(dtype) + shift.uniform([size, n]).to(dtype)) / size as f64;
        let places = low + parts * (high - low);
        let start = Herd {
            places,
            values: all(places),
            status: Var::from(RUNNING),
            steps: Var::from(0i64),
        };
        let goes_on = |h: Herd| h.status.eq(RUNNING) & h.steps.lt(self.max_steps);
        let end = while_loop(start, goes_on, |h: Herd| {
            asked_at(place, || {
                let [others, factors, genes, sure, outside] = family.at(h.steps).split_n();
                // Three others for each place, by draws from what is left without those before.
                let own = iota(size, DType::I64);
                let draws = others.uniform([3, size]);
                let pick = |k: usize, taken: &[Var]| {
                    let left = (size - taken.len()) as f64;
                    let mut at = (draws.at(k) * left).floor().to(DType::I64);
                    let sorted = sorted(taken);
                    for t in sorted {
                        at = at.ge(t).select(at + 1, at);
                    }
                    at
                };
                let a = pick(0, &[own]);
                let b = pick(1, &[own, a]);
                let c = pick(2, &[own, a, b]);
                let at = |i: Var| h.places.take(i, 0);
                let (least, most) = self.factor;
                let factor = factors.uniform_in(least, most, [size, 1]).to(dtype);
                let mutant = at(a) + factor * (at(b) - at(c));
                let own_gene = (sure.uniform(size) * n as f64).floor().to(DType::I64);
                let crosses = genes.uniform([size, n]).lt(self.crossover)
                    | iota(n, DType::I64).eq(own_gene.expand_dims(1));
                let mutant = crosses.select(mutant, h.places);
                let inside = mutant.ge(low) & mutant.le(high);
                let anywhere = low + outside.uniform([size, n]).to(dtype) * (high - low);
                let mutant = inside.select(mutant, anywhere);
                let values = all(mutant);
                let better = values.le(h.values);
                let places = better.expand_dims(1).select(mutant, h.places);
                let values = better.select(values, h.values);
                let spread = values.amax() - values.amin();
                let scale = values.abs().mean() + eps(dtype);
                let alike = spread.le(self.tolerance * scale);
                let narrow = (places.amax_axis(0) - places.amin_axis(0))
                    .le(1e-8 * (high - low))
                    .all();
                let status = (alike | narrow).select(Status::ValueConverged.code(), RUNNING);
                Herd {
                    places,
                    values,
                    status,
                    steps: h.steps + 1,
                }
            })
        });
        let nowhere = !end.values.amin().is_finite();
        let status = end.status.eq(RUNNING).select(0, end.status);
        Herd {
            status: nowhere.select(Status::NotFinite.code(), status),
            ..end
        }
    }
}

/// Numbers of places in ascending order, element by element.
fn sorted(x: &[Var]) -> Vec<Var> {
    let mut x = x.to_vec();
    for end in (1..x.len()).rev() {
        for i in 0..end {
            (x[i], x[i + 1]) = (x[i].minimum(x[i + 1]), x[i].maximum(x[i + 1]));
        }
    }
    x
}

/// Minimisation by the adaptation of a covariance matrix, CMA-ES, for functions with noise, ill conditioning or many minima
/// in tens of unknowns: Hansen, *The CMA evolution strategy: a tutorial* (2016), whose constants it has.
///
/// It draws from a normal distribution around the best guess, evaluates the draws as a batch, and turns, stretches and moves
/// the distribution by the better half. It ends when the distribution's longest axis is shorter than `xtol` times the size
/// of the unknowns, or all values of a generation are the same within `ftol`
/// ([`StepConverged`](crate::Status::StepConverged), [`ValueConverged`](crate::Status::ValueConverged)). Larger populations
/// find better minima of functions that have many; [`restarts`](CmaEs::restarts) try them one after the other.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::CmaEs;
///
/// let f = |x: Var| (100.0 * (x.at(1..) - x.at(..-1).square()).square() + (1.0 - x.at(..-1)).square()).sum();
/// let find = jit(move |key: Key| CmaEs::new().minimize(key, f, zeros(4), 0.5));
/// let m = find.call(Key::from_seed(1))?.ok()?;
/// assert!(m.x.all_close(&Array::from([1.0; 4]), 1e-6, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CmaEs {
    /// The number of draws of a generation; 0 for Hansen's, `4 + 3 ln n`.
    pub population: usize,
    /// The tolerance of the unknowns.
    pub xtol: f64,
    /// The tolerance of the value.
    pub ftol: f64,
    /// The limit of generations.
    pub max_steps: i64,
    /// How often it starts again, each time with twice the population.
    pub restarts: usize,
    /// The value that is low enough.
    pub target: f64,
}

impl Default for CmaEs {
    fn default() -> CmaEs {
        CmaEs {
            population: 0,
            xtol: 1e-10,
            ftol: 1e-13,
            max_steps: 5000,
            restarts: 0,
            target: f64::NEG_INFINITY,
        }
    }
}

#[derive(Tree, Clone)]
struct Cloud<T = Var> {
    mean: T,
    sigma: T,
    covariance: T,
    /// The paths of the mean: in equal axes, and as it went.
    even: T,
    path: T,
    best: T,
    best_value: T,
    status: T,
    steps: T,
}

impl CmaEs {
    /// Hansen's population, and 5,000 generations.
    pub fn new() -> CmaEs {
        CmaEs::default()
    }

    /// Sets the number of draws of a generation.
    pub fn population(mut self, population: usize) -> Self {
        self.population = population;
        self
    }

    /// Sets the tolerance of the unknowns.
    pub fn xtol(mut self, xtol: f64) -> Self {
        self.xtol = xtol;
        self
    }

    /// Sets the tolerance of the value.
    pub fn ftol(mut self, ftol: f64) -> Self {
        self.ftol = ftol;
        self
    }

    /// Sets the limit of generations.
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Sets how often the search starts again when it has ended, each time with twice the population, from a place drawn
    /// from the first distribution: Auger and Hansen, *A restart CMA evolution strategy with increasing population size*
    /// (2005). The best of all searches is returned, with their iterations and evaluations together. `max_steps` is the limit
    /// of each; the function is recorded once for each, since their populations have different sizes.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::minimize::CmaEs;
    ///
    /// // Rastrigin's function has a minimum near every whole place, and the least at 0.
    /// let f = |x: Var| (x.square() - 10.0 * (2.0 * std::f64::consts::PI * x).cos() + 10.0).sum();
    /// let method = CmaEs::new().restarts(6).target(1e-9);
    /// let find = jit(move |key: Key| method.minimize(key, f, full(3, 2.5), 2.0));
    /// let m = find.call(Key::from_seed(1))?.ok()?;
    /// assert!(m.value.item::<f64>()? < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// Sets the value that is low enough: a search that finds it ends with
    /// [`ValueConverged`](crate::Status::ValueConverged), and none follows.
    pub fn target(mut self, target: f64) -> Self {
        self.target = target;
        self
    }

    /// Minimises `f` from a start, around which it draws with a standard deviation of `sigma` at first.
    ///
    /// # Errors
    /// As [`minimize`](super::minimize()).
    #[track_caller]
    pub fn minimize<I>(
        &self,
        key: Key,
        f: impl Fn(I::Tree) -> Var,
        start: I,
        sigma: f64,
    ) -> Minimum<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
    {
        let place = Location::caller();
        asked_at(place, || {
            not_negative("minimize", &[("xtol", self.xtol), ("ftol", self.ftol)]);
            not_negative("minimize", &[("max_steps", self.max_steps as f64)]);
        });
        let family = key.fold_in();
        minimum(place, "minimize", true, &f, start, |f, x| {
            let value = |x: Var| f(x).0;
            let first = number(f64::INFINITY, x.dtype());
            let mut found = self.search(place, &family, &value, x, sigma, first);
            for k in 1..=self.restarts as i64 {
                let (around, draws) = family.at(i64::MAX - k).split();
                let near = around.normal(x.shape()[0]).to(x.dtype());
                let larger = self.population(self.size(x.shape()[0]) << k);
                let (draws, start) = (draws.fold_in(), x + sigma * near);
                let next = larger.search(place, &draws, &value, start, sigma, found.value);
                let best = choose(next.value.lt(found.value), next, found);
                found = Found {
                    iterations: found.iterations + next.iterations,
                    evaluations: found.evaluations + next.evaluations,
                    ..best
                };
            }
            found
        })
    }

    /// The number of draws of a generation of `n` unknowns.
    fn size(&self, n: usize) -> usize {
        match self.population {
            0 => 4 + (3.0 * (n as f64).ln()) as usize,
            p => p.max(4),
        }
    }

    fn search(
        &self,
        place: &'static Location<'static>,
        family: &KeyFamily,
        f: &dyn Fn(Var) -> Var,
        x: Var,
        sigma: f64,
        // The best value of earlier searches.
        known: Var,
    ) -> Found {
        let (n, dtype) = (x.shape()[0], x.dtype());
        let (d, size) = (n as f64, self.size(n));
        let half = size / 2;
        let weights: Vec<f64> = (0..half)
            .map(|i| ((size as f64 + 1.0) / 2.0).ln() - (i as f64 + 1.0).ln())
            .collect();
        let total: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let mass = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        let for_even = (mass + 2.0) / (d + mass + 5.0);
        let for_path = (4.0 + mass / d) / (d + 4.0 + 2.0 * mass / d);
        let one = 2.0 / ((d + 1.3).powi(2) + mass);
        let many = (1.0 - one).min(2.0 * (mass - 2.0 + 1.0 / mass) / ((d + 2.0).powi(2) + mass));
        let damp = 1.0 + 2.0 * (((mass - 1.0) / (d + 1.0)).sqrt() - 1.0).max(0.0) + for_even;
        let usual = d.sqrt() * (1.0 - 1.0 / (4.0 * d) + 1.0 / (21.0 * d * d));
        let weights = Var::from(Array::from(weights)).to(dtype);

        let none = zeros_of(n, dtype);
        let first = f(x);
        let enough = known.minimum(first).le(self.target);
        let begins = enough.select(Status::ValueConverged.code(), RUNNING);
        let start = Cloud {
            mean: x,
            sigma: number(sigma, dtype),
            covariance: eye(n).to(dtype),
            even: none,
            path: none,
            best: x,
            best_value: first.is_nan().select(f64::INFINITY, first),
            status: first
                .is_finite()
                .select(begins, Status::StartNotFinite.code()),
            steps: Var::from(0i64),
        };
        let goes_on = |c: Cloud| c.status.eq(RUNNING) & c.steps.lt(self.max_steps);
        let end = while_loop(start, goes_on, |c: Cloud| {
            asked_at(place, || {
                let (w, v) = c.covariance.eigh();
                let axes = w.maximum(0.0).sqrt();
                let draws = family.at(c.steps).normal([size, n]).to(dtype);
                let ways = (draws * axes).dot(v.t());
                let values = vmap(|x: Var| f(x))(c.mean + c.sigma * ways);
                let values = values.is_nan().select(f64::INFINITY, values);
                let order = values.argsort(0);
                let better = order.at(..half);
                let chosen = ways.take(better, 0);
                let step = weights.dot(chosen);
                let whitened = v.dot(v.t().dot(step) / axes.maximum(f64::MIN_POSITIVE.sqrt()));
                let even = (1.0 - for_even) * c.even
                    + (for_even * (2.0 - for_even) * mass).sqrt() * whitened;
                let size_even = even.dot(even).sqrt();
                let run = 1.0
                    - Var::from((1.0 - for_even).powi(2))
                        .to(dtype)
                        .pow((2 * (c.steps + 1)).to(dtype) * 0.5);
                let moves = (size_even / run.sqrt()).lt((1.4 + 2.0 / (d + 1.0)) * usual);
                let on = moves.select(1.0, 0.0).to(dtype);
                let path = (1.0 - for_path) * c.path
                    + on * (for_path * (2.0 - for_path) * mass).sqrt() * step;
                let lost = (1.0 - on) * for_path * (2.0 - for_path);
                let spread = (chosen * weights.expand_dims(1)).t().dot(chosen);
                let covariance = (1.0 - one - many + one * lost) * c.covariance
                    + one * path.outer(path)
                    + many * spread;
                let grown = ((for_even / damp) * (size_even / usual - 1.0))
                    .minimum(1.0)
                    .exp();
                let sigma_now = c.sigma * grown;
                let mean = c.mean + c.sigma * step;

                let top = order.at(0);
                let value = values.at(top);
                let gains = value.lt(c.best_value);
                let best = gains.select(c.mean + c.sigma * ways.at(top), c.best);
                let best_value = gains.select(value, c.best_value);
                let range = values.at(order.at(half)) - value;
                let still = range.le(self.ftol.max(eps(dtype)) * value.abs().maximum(1.0));
                let extent = sigma_now * axes.amax();
                let narrow =
                    extent.le(self.xtol.max(4.0 * eps(dtype)) * largest(mean).maximum(1.0));
                let sound =
                    covariance.is_finite().all() & mean.is_finite().all() & sigma_now.lt(1e100);
                let status = select(
                    &[
                        (
                            best_value.le(self.target),
                            Status::ValueConverged.code().into(),
                        ),
                        (!sound, Status::NotFinite.code().into()),
                        (narrow, Status::StepConverged.code().into()),
                        (still, Status::ValueConverged.code().into()),
                    ],
                    RUNNING,
                );
                Cloud {
                    mean,
                    sigma: sigma_now,
                    covariance,
                    even,
                    path,
                    best,
                    best_value,
                    status,
                    steps: c.steps + 1,
                }
            })
        });
        Found {
            x: end.best,
            value: end.best_value,
            gradient: full(n, f64::NAN).to(dtype),
            iterations: end.steps,
            evaluations: end.steps * size as i64 + 1,
            status: end.status.eq(RUNNING).select(0, end.status),
        }
    }
}
