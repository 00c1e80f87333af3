//! Minimum cuts by Dinic's algorithm (Soviet Math. Doklady 11, 1970): flow is sent along shortest paths, all
//! paths of one length at a time.

/// The capacity of an arc that no cut may go through.
pub const UNBOUNDED: u64 = u64::MAX / 4;

/// A directed network. Arcs come in pairs: arc `a`, and arc `a ^ 1` for the flow that can be sent back.
pub struct Network {
    arcs: Vec<Arc>,
    from: Vec<Vec<u32>>,
}

struct Arc {
    to: u32,
    left: u64,
}

impl Network {
    /// Creates a network of `nodes` nodes without arcs.
    pub fn new(nodes: usize) -> Network {
        Network {
            arcs: vec![],
            from: vec![vec![]; nodes],
        }
    }

    /// Adds a node and returns its index.
    pub fn node(&mut self) -> usize {
        self.from.push(vec![]);
        self.from.len() - 1
    }

    /// Returns the number of arcs, including the reverse ones.
    pub fn arcs(&self) -> usize {
        self.arcs.len()
    }

    /// Adds an arc.
    pub fn arc(&mut self, from: usize, to: usize, capacity: u64) {
        for (from, to, left) in [(from, to, capacity), (to, from, 0)] {
            self.from[from].push(self.arcs.len() as u32);
            self.arcs.push(Arc {
                to: to as u32,
                left,
            });
        }
    }

    /// Finds a cut of minimum capacity and returns which nodes lie on the sink's side of it; of several such cuts, the
    /// one nearest to the sink. Returns `None` if the search visits more than `budget` arcs, or if every cut
    /// goes through an unbounded arc.
    pub fn cut(mut self, source: usize, sink: usize, budget: usize) -> Option<Vec<bool>> {
        let mut budget = budget;
        let mut flow = 0u64;
        while let Some(level) = self.levels(source, sink, &mut budget)? {
            flow = flow.saturating_add(self.blocking(source, sink, &level, &mut budget)?);
            if flow >= UNBOUNDED {
                return None;
            }
        }
        Some(self.reaching(sink))
    }

    /// Returns the distance of each node from the source; `Some(None)` if the sink cannot be reached.
    #[allow(clippy::option_option)]
    fn levels(&self, source: usize, sink: usize, budget: &mut usize) -> Option<Option<Vec<u32>>> {
        let mut level = vec![u32::MAX; self.from.len()];
        level[source] = 0;
        let mut queue = vec![source];
        let mut next = 0;
        while let Some(&node) = queue.get(next) {
            next += 1;
            *budget = budget.checked_sub(self.from[node].len())?;
            for &a in &self.from[node] {
                let arc = &self.arcs[a as usize];
                let to = arc.to as usize;
                if arc.left > 0 && level[to] == u32::MAX {
                    level[to] = level[node] + 1;
                    queue.push(to);
                }
            }
        }
        Some((level[sink] != u32::MAX).then_some(level))
    }

    /// Sends as much flow as possible along paths on which each arc goes up one level.
    fn blocking(
        &mut self,
        source: usize,
        sink: usize,
        level: &[u32],
        budget: &mut usize,
    ) -> Option<u64> {
        let mut tried = vec![0u32; self.from.len()];
        let mut path: Vec<u32> = vec![];
        let mut total = 0u64;
        loop {
            let node = match path.last() {
                Some(&a) => self.arcs[a as usize].to as usize,
                None => source,
            };
            if node == sink {
                let sent = path.iter().map(|&a| self.arcs[a as usize].left).min()?;
                total = total.saturating_add(sent);
                *budget = budget.checked_sub(path.len())?;
                let mut full = path.len();
                for (i, &a) in path.iter().enumerate().rev() {
                    self.arcs[a as usize].left -= sent;
                    self.arcs[(a ^ 1) as usize].left += sent;
                    if self.arcs[a as usize].left == 0 {
                        full = i;
                    }
                }
                path.truncate(full);
                continue;
            }
            let up = |a: &u32| {
                let arc = &self.arcs[*a as usize];
                arc.left > 0 && level[arc.to as usize] == level[node] + 1
            };
            let open = self.from[node][tried[node] as usize..].iter().position(up);
            match open {
                Some(skipped) => {
                    *budget = budget.checked_sub(skipped + 1)?;
                    tried[node] += skipped as u32;
                    path.push(self.from[node][tried[node] as usize]);
                }
                None => {
                    *budget = budget.checked_sub(self.from[node].len())?;
                    tried[node] = self.from[node].len() as u32;
                    let Some(a) = path.pop() else {
                        return Some(total);
                    };
                    let before = self.arcs[(a ^ 1) as usize].to as usize;
                    tried[before] += 1;
                }
            }
        }
    }

    /// Returns the nodes from which more flow could reach the sink.
    fn reaching(&self, sink: usize) -> Vec<bool> {
        let mut reaches = vec![false; self.from.len()];
        reaches[sink] = true;
        let mut left = vec![sink];
        while let Some(node) = left.pop() {
            for &a in &self.from[node] {
                let to = self.arcs[a as usize].to as usize;
                if self.arcs[(a ^ 1) as usize].left > 0 && !reaches[to] {
                    reaches[to] = true;
                    left.push(to);
                }
            }
        }
        reaches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pseudorandom generator.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
            (self.0 >> 33) % n
        }
    }

    type Arcs = [(usize, usize, u64)];

    fn network(nodes: usize, arcs: &Arcs) -> Network {
        let mut network = Network::new(nodes);
        arcs.iter().for_each(|&(a, b, c)| network.arc(a, b, c));
        network
    }

    fn capacity(arcs: &Arcs, behind: impl Fn(usize) -> bool) -> u64 {
        let through = arcs.iter().filter(|(a, b, _)| !behind(*a) && behind(*b));
        through.map(|(_, _, c)| c).sum()
    }

    #[test]
    fn cuts_are_the_least_of_all_and_nearest_to_the_sink() {
        let mut random = Numbers(7);
        for _ in 0..2000 {
            let nodes = 2 + random.below(7) as usize;
            let arcs: Vec<(usize, usize, u64)> = (0..random.below(20))
                .map(|_| {
                    let [a, b] = [(); 2].map(|()| random.below(nodes as u64) as usize);
                    (a, b, random.below(9))
                })
                .collect();
            // Node 0 is the source, node 1 the sink; a cut is the set of the other nodes on the sink's side.
            let side =
                |set: usize| move |node: usize| node == 1 || (node > 1 && set >> node & 1 == 1);
            let sets = (0..1usize << nodes).filter(|set| set & 3 == 0);
            let least = sets
                .clone()
                .map(|s| capacity(&arcs, side(s)))
                .min()
                .unwrap();
            let nearest = sets
                .filter(|&s| capacity(&arcs, side(s)) == least)
                .min_by_key(|s| s.count_ones())
                .unwrap();
            let found = network(nodes, &arcs).cut(0, 1, 10_000).unwrap();
            let want: Vec<bool> = (0..nodes).map(side(nearest)).collect();
            assert_eq!(found, want, "{nodes} nodes, {arcs:?}");
        }
    }

    #[test]
    fn a_cut_that_does_not_exist_or_is_too_dear_to_find() {
        let arcs = [(0, 2, UNBOUNDED), (2, 1, UNBOUNDED)];
        assert_eq!(network(3, &arcs).cut(0, 1, 1000), None);
        let long: Vec<(usize, usize, u64)> = (1..1000).map(|i| (i + 1, i, 2)).collect();
        assert_eq!(network(1001, &long).cut(1000, 1, 100), None);
        assert!(network(1001, &long).cut(1000, 1, 100_000).is_some());
    }

    #[test]
    fn long_paths_do_not_recurse() {
        let n = 200_000;
        let arcs: Vec<(usize, usize, u64)> = (1..n).map(|i| (i + 1, i, i as u64)).collect();
        let behind = network(n + 1, &arcs).cut(n, 1, 10 * n).unwrap();
        assert_eq!(behind.iter().filter(|b| **b).count(), 1);
    }
}
