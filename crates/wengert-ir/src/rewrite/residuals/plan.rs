//! Decides which values of a loop's body are stored for later loops and which are recomputed there.
//!
//! Each value that matters has two nodes in a network: *there* means that the later loop has it, *again* means that
//! the later loop recomputes it. A value that is there without being stored is recomputed, at the cost of its
//! operation, and its operands must be there. The minimum total cost is then a minimum cut: a node holds if it lies
//! on the sink's side; the sink stands for the values that the later loops read; an arc from *again* to *there* has
//! the cost of storing the value; and an arc from the source to *again* has the cost of the operation.

use std::collections::HashMap;

use super::{cost, number};
use crate::ir::Func;
use crate::rewrite::flow::{Network, UNBOUNDED};

/// The visits per arc before the search for a cut is given up, so that the time stays linear.
const LOOKS: usize = 50;
/// The maximum number of equations recomputed for one value when no cut was found.
const CLOSE: usize = 64;

/// How a later loop obtains a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A value that is available regardless (a literal, a constant, a row that can be read), with the cost of
    /// reading it.
    There(u64),
    /// A value that the first loop stores.
    Stored,
    /// The carry with this index at the start of the next step, which a loop in the opposite direction has processed
    /// just before.
    Next(usize),
    /// A value that is recomputed by the equation of the body with this index.
    Again(usize),
}

/// The input of [`plan`].
pub struct Question<'a> {
    pub body: &'a Func,
    /// The values that the later loops need, each once.
    pub wanted: &'a [u32],
    /// The values that are available regardless, and the cost of reading each.
    pub there: &'a HashMap<u32, u64>,
    /// Which carry a value is at the start of the next step, if the later loops may use that.
    pub next: &'a HashMap<u32, usize>,
    /// The number of later loops.
    pub readers: u64,
}

/// The way in which each value that matters is obtained.
pub type Plan = HashMap<u32, Way>;

/// Returns the cheapest plan, or a reasonable one if the body is so large that finding the cheapest takes too long.
pub fn plan(q: &Question) -> Plan {
    let facts = Facts::of(q);
    cheapest(q, &facts).unwrap_or_else(|| greedy(q, &facts))
}

/// The costs of one value.
struct Fact {
    value: u32,
    /// The cost of storing and reading it; `None` if it cannot be stored.
    store: Option<u64>,
    /// The equation that recomputes it, and the cost of that, if it is cheaper than storing.
    again: Option<(usize, u64)>,
    /// The carry that it is in the next step, if it is not to be recomputed.
    next: Option<usize>,
}

struct Facts {
    all: Vec<Fact>,
    of: HashMap<u32, usize>,
}

impl Facts {
    /// Collects the values from which the needed ones can be computed.
    fn of(q: &Question) -> Facts {
        let params = q.body.params;
        let defined = |v: u32| (v >= params).then(|| super::defined_by(q.body, v));
        let mut all: Vec<Fact> = vec![];
        let mut of: HashMap<u32, usize> = HashMap::new();
        let mut left: Vec<u32> = q.wanted.to_vec();
        while let Some(value) = left.pop() {
            if of.contains_key(&value) || q.there.contains_key(&value) {
                continue;
            }
            let store = cost::store(&q.body.types[value as usize], q.readers);
            let again = defined(value).and_then(|i| {
                let cost = cost::again(q.body, &q.body.eqns[i])? * q.readers;
                // If recomputing it costs more than storing it, its operands need not be considered.
                store.is_none_or(|s| cost < s).then_some((i, cost))
            });
            let next = match again {
                None => q.next.get(&value).copied(),
                Some(_) => None,
            };
            left.extend(next.map(|i| i as u32));
            if let Some((i, _)) = again {
                left.extend(q.body.eqns[i].inputs.iter().filter_map(number));
            }
            of.insert(value, all.len());
            all.push(Fact {
                value,
                store,
                again,
                next,
            });
        }
        Facts { all, of }
    }
}

fn cheapest(q: &Question, facts: &Facts) -> Option<Plan> {
    const SOURCE: usize = 0;
    const SINK: usize = 1;
    let n = facts.all.len();
    let (there, again) = (|i: usize| 2 + 2 * i, |i: usize| 3 + 2 * i);
    let mut network = Network::new(2 + 2 * n);
    let mut given: HashMap<u32, usize> = HashMap::new();
    for (i, fact) in facts.all.iter().enumerate() {
        let store = fact.store.unwrap_or(UNBOUNDED);
        let mut needs = |network: &mut Network, v: u32| {
            let node = match (facts.of.get(&v), q.there.get(&v)) {
                (Some(&j), _) => there(j),
                (None, Some(&cost)) => *given.entry(v).or_insert_with(|| {
                    let node = network.node();
                    network.arc(SOURCE, node, cost);
                    node
                }),
                (None, None) => unreachable!("an operand is a fact or there"),
            };
            network.arc(node, again(i), UNBOUNDED);
        };
        match (fact.again, fact.next) {
            (Some((e, cost)), _) => {
                network.arc(SOURCE, again(i), cost);
                for v in q.body.eqns[e].inputs.iter().filter_map(number) {
                    needs(&mut network, v);
                }
            }
            (None, Some(carry)) => {
                network.arc(SOURCE, again(i), carried(fact));
                needs(&mut network, carry as u32);
            }
            (None, None) => network.arc(SOURCE, again(i), UNBOUNDED),
        }
        network.arc(again(i), there(i), store);
    }
    for v in q.wanted {
        if let Some(&i) = facts.of.get(v) {
            network.arc(there(i), SINK, UNBOUNDED);
        }
    }
    let budget = LOOKS * network.arcs();
    let behind = network.cut(SOURCE, SINK, budget)?;
    let mut plan = Plan::new();
    for (i, fact) in facts.all.iter().enumerate() {
        if behind[there(i)] || behind[again(i)] {
            plan.insert(fact.value, way(fact, behind[again(i)]));
        }
    }
    plan.extend(q.there.iter().map(|(&v, &cost)| (v, Way::There(cost))));
    Some(plan)
}

/// Returns the cost for a later loop of remembering a carry from one step to the next.
fn carried(fact: &Fact) -> u64 {
    fact.store.unwrap_or(UNBOUNDED) / 4
}

fn way(fact: &Fact, again: bool) -> Way {
    match (again, fact.again, fact.next) {
        (true, Some((e, _)), _) => Way::Again(e),
        (true, None, Some(carry)) => Way::Next(carry),
        _ => Way::Stored,
    }
}

/// Goes through the needed values in order and recomputes each from what is available by then, if that is cheaper than
/// storing it.
fn greedy(q: &Question, facts: &Facts) -> Plan {
    let mut plan: Plan = q.there.iter().map(|(&v, &c)| (v, Way::There(c))).collect();
    let mut wanted = q.wanted.to_vec();
    wanted.sort_unstable();
    for v in wanted {
        if plan.contains_key(&v) {
            continue;
        }
        let Some(store) = facts.all[facts.of[&v]].store else {
            plan.insert(v, Way::Stored);
            continue;
        };
        let mut again: Plan = HashMap::new();
        let mut total = 0;
        let mut left = vec![v];
        let fits = loop {
            let Some(v) = left.pop() else { break true };
            if plan.contains_key(&v) || again.contains_key(&v) {
                continue;
            }
            let Some((e, cost)) = facts.all[facts.of[&v]].again else {
                break false;
            };
            total += cost;
            again.insert(v, Way::Again(e));
            left.extend(q.body.eqns[e].inputs.iter().filter_map(number));
            if total >= store || again.len() > CLOSE {
                break false;
            }
        };
        match fits {
            true => plan.extend(again),
            false => {
                plan.insert(v, Way::Stored);
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{DType, Type};
    use crate::trace::{Kind, closed};

    #[test]
    fn with_and_without_a_cut_what_is_dear_is_stored() {
        let body = closed(Kind::Door, &[Type::scalar(DType::F64)], |x| {
            let square = x[0] * x[0];
            let dear = square.exp();
            vec![x[0], square, dear, square * dear]
        });
        let q = Question {
            body: &body.func,
            wanted: &[0, 1, 2, 3],
            there: &HashMap::new(),
            next: &HashMap::new(),
            readers: 1,
        };
        let want = Plan::from([
            (0, Way::Stored),
            (1, Way::Again(0)),
            (2, Way::Stored),
            (3, Way::Again(2)),
        ]);
        let facts = Facts::of(&q);
        assert_eq!(greedy(&q, &facts), want);
        assert_eq!(cheapest(&q, &facts), Some(want));
    }

    #[test]
    fn without_a_cut_many_cheap_operations_are_dear_together() {
        let body = closed(Kind::Door, &[Type::scalar(DType::F64)], |x| {
            vec![x[0], (0..20).fold(x[0], |y, _| y * y)]
        });
        let last = 20;
        let q = Question {
            body: &body.func,
            wanted: &[0, last],
            there: &HashMap::new(),
            next: &HashMap::new(),
            readers: 1,
        };
        let plan = greedy(&q, &Facts::of(&q));
        assert_eq!(plan, Plan::from([(0, Way::Stored), (last, Way::Stored)]));
    }
}
