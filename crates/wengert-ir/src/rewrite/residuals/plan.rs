//! Which values of a loop's body are stored for later loops, and which are computed there again.
//!
//! For each value that matters there are two nodes: that it is *there* in the later loop, and that it is
//! computed *again*. A value that is there without being stored is computed again, which its operation
//! costs, and its operands are there. So the least of all costs is a cut: what lies on the sink's side holds, the
//! sink is what the later loops read, an arc from *again* to *there* costs to store the value, and one from the source
//! to *again* what its operation costs.

use std::collections::HashMap;

use super::{cost, number};
use crate::ir::Func;
use crate::rewrite::flow::{Network, UNBOUNDED};

/// Looks at an arc for each arc there is, before the cut is given up: the time stays linear.
const LOOKS: usize = 50;
/// Equations that are done again for one value where there is no cut.
const CLOSE: usize = 64;

/// How a later loop comes by a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// It is there: a literal, a constant, a row that can be read, with what reading it costs.
    There(u64),
    /// It is stored.
    Stored,
    /// It is the carry of that number at the start of the next step, which the later loop has seen last.
    Next(usize),
    /// It is computed again, by that equation of the body.
    Again(usize),
}

/// What a plan is made for.
pub struct Question<'a> {
    pub body: &'a Func,
    /// The values that the later loops want, each once.
    pub wanted: &'a [u32],
    /// What is there anyway, and what reading it costs.
    pub there: &'a HashMap<u32, u64>,
    /// Which carry a value is at the start of the next step, where the later loops may use that.
    pub next: &'a HashMap<u32, usize>,
    /// The number of later loops.
    pub readers: u64,
}

/// The ways of all values that matter.
pub type Plan = HashMap<u32, Way>;

/// The cheapest plan, or one that is not bad where the body is so large that the cheapest takes too long
/// to find.
pub fn plan(q: &Question) -> Plan {
    let facts = Facts::of(q);
    cheapest(q, &facts).unwrap_or_else(|| greedy(q, &facts))
}

/// What a value costs.
struct Fact {
    value: u32,
    /// To store it and to read it; `None` where that cannot be.
    store: Option<u64>,
    /// The equation to compute it again, and what that costs, where it is worth a thought.
    again: Option<(usize, u64)>,
    /// The carry that it is in the next step, where that is better than to compute it again.
    next: Option<usize>,
}

struct Facts {
    all: Vec<Fact>,
    of: HashMap<u32, usize>,
}

impl Facts {
    /// The values that the wanted ones can be computed from, in the order of the body.
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
                // What costs more than to store it is not worth its operands.
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

/// What it costs a later loop to remember a carry from one step to the next.
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

/// Each wanted value, from the first to the last, is computed again if that is cheaper than to store it, from what
/// is there by then.
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
