//! Generation of random programs.

use super::{Arg, Binder, Expr, Kind, Place, Program, build};
use crate::rng::Rng;

/// Limits on the size of random programs.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The depth of expressions.
    pub depth: usize,
    /// The nesting depth of loops, branches and transforms.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 4,
            nesting: 3,
        }
    }
}

/// Shapes of values inside a program.
const SHAPES: [&[usize]; 9] = [&[], &[], &[1], &[2], &[3], &[4], &[2, 3], &[3, 2], &[2, 1]];

pub fn program(seed: u64, limits: &Limits) -> Program {
    let mut g = Generator {
        rng: Rng::new(seed),
        next: 0,
    };
    let mut params = vec![g.binder(&[]), g.binder(&[])];
    if g.rng.one_in(2) {
        let shape = g.shape();
        params.push(g.binder(&shape));
    }
    let shape = g.shape();
    let body = g.expr(&shape, &params, limits.depth, limits.nesting);
    Program { params, body }
}

struct Generator {
    rng: Rng,
    next: u32,
}

fn plain(body: Expr) -> Arg {
    Arg {
        binders: vec![],
        body,
    }
}

fn under(binders: &[&Binder], body: Expr) -> Arg {
    let binders = binders.iter().map(|b| (*b).clone()).collect();
    Arg { binders, body }
}

fn node(kind: Kind, shape: &[usize], args: Vec<Arg>) -> Expr {
    Expr {
        kind,
        shape: shape.to_vec(),
        args,
    }
}

impl Generator {
    fn binder(&mut self, shape: &[usize]) -> Binder {
        self.next += 1;
        Binder {
            name: self.next - 1,
            shape: shape.to_vec(),
        }
    }

    fn shape(&mut self) -> Vec<usize> {
        self.rng.pick(&SHAPES).to_vec()
    }

    fn vector(&mut self) -> Vec<usize> {
        vec![2 + self.rng.below(2)]
    }

    fn expr(&mut self, want: &[usize], scope: &[Binder], depth: usize, nesting: usize) -> Expr {
        if depth == 0 {
            return self.leaf(want, scope);
        }
        if nesting > 0 && self.rng.one_in(2) {
            return self.nested(want, scope, depth - 1, nesting - 1);
        }
        match self.rng.below(7) {
            0 | 1 => {
                let kind = Kind::Unary(self.rng.below(build::UNARY.len()));
                let x = self.expr(want, scope, depth - 1, nesting);
                node(kind, want, vec![plain(x)])
            }
            2..=4 => {
                let kind = Kind::Binary(self.rng.below(build::BINARY.len()));
                let a = self.expr(want, scope, depth - 1, nesting);
                let b = self.expr(want, scope, depth - 1, nesting);
                node(kind, want, vec![plain(a), plain(b)])
            }
            _ => self.array(want, scope, depth - 1, nesting),
        }
    }

    fn leaf(&mut self, want: &[usize], scope: &[Binder]) -> Expr {
        if self.rng.one_in(8) {
            return self.constant(want);
        }
        let fits = |shape: &[usize]| -> Vec<u32> {
            let found = scope.iter().filter(|b| b.shape == shape);
            found.map(|b| b.name).collect()
        };
        // Names bound last are used most.
        let recent = |g: &mut Generator, names: &[u32]| {
            let n = names.len();
            match g.rng.one_in(2) {
                true => names[n - 1 - g.rng.below(n.min(3))],
                false => names[g.rng.below(n)],
            }
        };
        let here = fits(want);
        if !here.is_empty() {
            return node(Kind::Var(recent(self, &here)), want, vec![]);
        }
        let scalars = fits(&[]);
        if !want.is_empty() && !scalars.is_empty() {
            let name = recent(self, &scalars);
            let scalar = node(Kind::Var(name), &[], vec![]);
            return node(Kind::Broadcast, want, vec![plain(scalar)]);
        }
        if scope.is_empty() {
            return self.constant(want);
        }
        let any = &scope[self.rng.below(scope.len())];
        let mean = vec![plain(node(Kind::Var(any.name), &any.shape, vec![]))];
        let mean = node(Kind::Mean, &[], mean);
        match want.is_empty() {
            true => mean,
            false => node(Kind::Broadcast, want, vec![plain(mean)]),
        }
    }

    fn constant(&mut self, want: &[usize]) -> Expr {
        let value = self.rng.below(9) as f64 * 0.25 - 1.0;
        node(Kind::Const(value), want, vec![])
    }

    /// Generates an expression that changes shapes, moves elements or selects among them.
    fn array(&mut self, want: &[usize], scope: &[Binder], depth: usize, nesting: usize) -> Expr {
        let e = |g: &mut Generator, shape: &[usize]| plain(g.expr(shape, scope, depth, nesting));
        if self.rng.one_in(6) {
            let args = [&[][..], &[], want, want];
            let args = args.iter().map(|s| e(self, s)).collect();
            return node(Kind::Select, want, args);
        }
        match *want {
            [] => match self.rng.below(6) {
                0 => {
                    let shape = self.shape();
                    node(Kind::Sum, want, vec![e(self, &shape)])
                }
                1 => {
                    let shape = self.shape();
                    node(Kind::Mean, want, vec![e(self, &shape)])
                }
                2 => {
                    let shape = self.shape();
                    node(Kind::Prod, want, vec![e(self, &shape)])
                }
                3 => {
                    let shape = self.vector();
                    node(Kind::Largest, want, vec![e(self, &shape)])
                }
                4 => {
                    let shape = self.vector();
                    let args = vec![e(self, &shape), e(self, &shape)];
                    node(Kind::Dot, want, args)
                }
                _ => {
                    let shape = self.vector();
                    let args = vec![e(self, &shape), e(self, &[])];
                    node(Kind::At, want, args)
                }
            },
            [1] => node(Kind::Stack, want, vec![e(self, &[])]),
            [n] => match self.rng.below(19) {
                0 => node(Kind::Broadcast, want, vec![e(self, &[])]),
                1 => node(Kind::SumAxis(0), want, vec![e(self, &[2, n])]),
                2 => node(Kind::SumAxis(1), want, vec![e(self, &[n, 2])]),
                3 => {
                    let (start, step) = (self.rng.below(2), 1 + self.rng.below(2));
                    let shape = [start + (n - 1) * step + 1 + self.rng.below(2)];
                    node(Kind::Slice { start, step }, want, vec![e(self, &shape)])
                }
                4 => {
                    let k = 1 + self.rng.below(n - 1);
                    let args = vec![e(self, &[k]), e(self, &[n - k])];
                    node(Kind::Concat(0), want, args)
                }
                5 => {
                    let args = (0..n).map(|_| e(self, &[])).collect();
                    node(Kind::Stack, want, args)
                }
                6 => node(Kind::Flip(0), want, vec![e(self, want)]),
                7 => {
                    let k = 2 + self.rng.below(2);
                    let args = vec![e(self, &[n, k]), e(self, &[k])];
                    node(Kind::Dot, want, args)
                }
                8 => node(Kind::At, want, vec![e(self, &[2, n]), e(self, &[])]),
                9 => {
                    let args = vec![e(self, want), e(self, &[]), e(self, &[])];
                    node(Kind::AtSet, want, args)
                }
                10 => {
                    let args = vec![e(self, want), e(self, &[]), e(self, &[])];
                    node(Kind::AtAdd, want, args)
                }
                11 => {
                    let k = 2 + self.rng.below(2);
                    let args = vec![e(self, &[k]), e(self, &[n])];
                    node(Kind::Take, want, args)
                }
                12 => {
                    let args = vec![e(self, &[n + 2]), e(self, &[])];
                    node(Kind::Window, want, args)
                }
                13 => {
                    let k = 1 + self.rng.below(n - 1);
                    let args = vec![e(self, want), e(self, &[k]), e(self, &[])];
                    node(Kind::Update, want, args)
                }
                14 => {
                    let k = self.rng.below(build::RUNNING.len());
                    node(Kind::Running(k, 0), want, vec![e(self, want)])
                }
                15 => node(Kind::Sort, want, vec![e(self, want)]),
                16 => {
                    let args = vec![e(self, want), e(self, &[2]), e(self, &[2])];
                    node(Kind::AtMul, want, args)
                }
                17 => {
                    let k = 2 + self.rng.below(2);
                    let args = vec![e(self, &[k]), e(self, want)];
                    node(Kind::TakeAlong, want, args)
                }
                _ => match n {
                    4 => node(Kind::Reshape, want, vec![e(self, &[2, 2])]),
                    _ => node(Kind::Flip(0), want, vec![e(self, want)]),
                },
            },
            [m, n] => match self.rng.below(14) {
                0 => node(Kind::Broadcast, want, vec![e(self, &[])]),
                1 => node(Kind::Broadcast, want, vec![e(self, &[n])]),
                2 => node(Kind::Transpose, want, vec![e(self, &[n, m])]),
                3 => node(Kind::Reshape, want, vec![e(self, &[m * n])]),
                4 => {
                    let args = (0..m).map(|_| e(self, &[n])).collect();
                    node(Kind::Stack, want, args)
                }
                5 if n > 1 => {
                    let args = vec![e(self, &[m, 1]), e(self, &[m, n - 1])];
                    node(Kind::Concat(1), want, args)
                }
                6 => {
                    let axis = self.rng.below(2);
                    node(Kind::Flip(axis), want, vec![e(self, want)])
                }
                7 => {
                    let k = 2 + self.rng.below(2);
                    let args = vec![e(self, &[m, k]), e(self, &[k, n])];
                    node(Kind::Dot, want, args)
                }
                8 => node(Kind::Outer, want, vec![e(self, &[m]), e(self, &[n])]),
                9 => {
                    let kind = match self.rng.one_in(2) {
                        true => Kind::AtSet,
                        false => Kind::AtAdd,
                    };
                    let args = vec![e(self, want), e(self, &[]), e(self, &[n])];
                    node(kind, want, args)
                }
                10 => {
                    let (k, axis) = (self.rng.below(build::RUNNING.len()), self.rng.below(2));
                    node(Kind::Running(k, axis), want, vec![e(self, want)])
                }
                11 => node(Kind::Sort, want, vec![e(self, want)]),
                12 => {
                    let args = vec![e(self, &[2, n]), e(self, want)];
                    node(Kind::TakeAlong, want, args)
                }
                _ => {
                    let args = vec![e(self, &[2, n]), e(self, &[m])];
                    node(Kind::Take, want, args)
                }
            },
            _ => unreachable!("values have at most two axes"),
        }
    }

    /// Generates a loop, a branch or a transform.
    fn nested(&mut self, want: &[usize], scope: &[Binder], depth: usize, nesting: usize) -> Expr {
        // A body needs some depth of its own.
        let inner = depth.max(2);
        let with = |new: &[&Binder]| -> Vec<Binder> {
            scope.iter().chain(new.iter().copied()).cloned().collect()
        };
        let outer =
            |g: &mut Generator, shape: &[usize]| plain(g.expr(shape, scope, depth, nesting));
        let body = |g: &mut Generator, shape: &[usize], new: &[&Binder]| {
            under(new, g.expr(shape, &with(new), inner, nesting))
        };
        match self.rng.below(20) {
            0 | 1 => {
                // The result is the last carry, or the stacked rows.
                let reverse = self.rng.one_in(3);
                let rows = !want.is_empty() && self.rng.one_in(2);
                let n = if rows { want[0] } else { 2 + self.rng.below(2) };
                let carry = if rows { self.shape() } else { want.to_vec() };
                let row = if self.rng.one_in(3) { vec![2] } else { vec![] };
                let y = if rows { want[1..].to_vec() } else { vec![] };
                let (c, x) = (self.binder(&carry), self.binder(&row));
                let xs = [&[n], &row[..]].concat();
                let args = vec![
                    outer(self, &carry),
                    outer(self, &xs),
                    body(self, &carry, &[&c, &x]),
                    body(self, &y, &[&c, &x]),
                ];
                node(Kind::Scan { reverse, rows }, want, args)
            }
            2 | 3 => {
                let c = self.binder(want);
                let args = vec![outer(self, want), body(self, want, &[&c])];
                node(Kind::While, want, args)
            }
            4 => {
                let (i, c) = (self.binder(&[]), self.binder(want));
                let args = vec![outer(self, want), body(self, want, &[&i, &c])];
                node(Kind::Repeat, want, args)
            }
            5 => {
                let (i, c) = (self.binder(&[]), self.binder(want));
                let args = vec![
                    outer(self, &[]),
                    outer(self, &[]),
                    outer(self, want),
                    body(self, want, &[&i, &c]),
                ];
                node(Kind::RepeatTraced, want, args)
            }
            6 | 7 => {
                let args = vec![
                    outer(self, &[]),
                    outer(self, &[]),
                    body(self, want, &[]),
                    body(self, want, &[]),
                ];
                node(Kind::Cond, want, args)
            }
            8 | 9 if !want.is_empty() => {
                let n = want[0];
                let columns = self.rng.one_in(3);
                let row = if columns || self.rng.one_in(3) {
                    vec![2]
                } else {
                    vec![]
                };
                let first = match columns {
                    true => vec![2, n],
                    false => [&[n], &row[..]].concat(),
                };
                let (a, b) = (self.binder(&row), self.binder(&[]));
                let args = vec![
                    outer(self, &first),
                    outer(self, &[n]),
                    body(self, &want[1..], &[&a, &b]),
                ];
                node(Kind::Map { columns }, want, args)
            }
            8..=10 => {
                let x = self.binder(want);
                let args = vec![outer(self, want), body(self, &[], &[&x])];
                node(Kind::Grad, want, args)
            }
            11 => {
                let shape = self.shape();
                let x = self.binder(&shape);
                let args = vec![
                    outer(self, &shape),
                    outer(self, &shape),
                    body(self, want, &[&x]),
                ];
                let kind = match self.rng.one_in(2) {
                    true => Kind::Jvp,
                    false => Kind::Linearize,
                };
                node(kind, want, args)
            }
            12 => {
                let shape = self.shape();
                let x = self.binder(want);
                let args = vec![
                    outer(self, want),
                    body(self, &shape, &[&x]),
                    outer(self, &shape),
                ];
                let places = [Place::Here, Place::Map, Place::Scan, Place::Branch];
                node(Kind::Pull(*self.rng.pick(&places)), want, args)
            }
            16 => {
                let carries = 2 + self.rng.below(2);
                let (a, s) = (self.binder(want), self.binder(want));
                let args = vec![
                    outer(self, want),
                    outer(self, want),
                    body(self, want, &[&a, &s]),
                ];
                node(Kind::Exchange { carries }, want, args)
            }
            17 if want.iter().product::<usize>() < 4 => {
                let shape = self.shape();
                let x = self.binder(want);
                let args = vec![
                    outer(self, want),
                    outer(self, want),
                    body(self, &shape, &[&x]),
                ];
                let root = self.rng.one_in(2);
                node(Kind::Implicit { root }, want, args)
            }
            13 if want.len() == 2 => {
                let x = self.binder(&want[1..]);
                let args = vec![outer(self, &want[1..]), body(self, &want[..1], &[&x])];
                let reverse = self.rng.one_in(2);
                node(Kind::Jacobian { reverse }, want, args)
            }
            13 | 14 => {
                let shape = self.shape();
                let x = self.binder(&shape);
                let args = vec![outer(self, &shape), body(self, want, &[&x])];
                node(Kind::Checkpoint, want, args)
            }
            15 => {
                let shape = self.shape();
                let x = self.binder(&shape);
                // A custom rule captures nothing.
                let alone = std::slice::from_ref(&x);
                let f = under(&[&x], self.expr(want, alone, inner, nesting));
                node(Kind::CustomRule, want, vec![outer(self, &shape), f])
            }
            18 => {
                let row = self.binder(&[]);
                let args = vec![outer(self, want), body(self, want, &[&row])];
                node(Kind::Nothing, want, args)
            }
            _ => {
                let shape = self.shape();
                let x = self.binder(&shape);
                let args = vec![outer(self, &shape), body(self, want, &[&x])];
                node(Kind::Let, want, args)
            }
        }
    }
}
