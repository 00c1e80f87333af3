//! Shrinking of failing programs.

use super::{Arg, Binder, Expr, Kind, Program};

/// Returns the smallest program found that still `fails`, starting from one that does: nodes are replaced by
/// one of their descendants or a constant, and parameters removed, as long as it fails. At most `tries`
/// programs are tested.
pub fn shrunk(program: &Program, tries: usize, mut fails: impl FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    let mut left = tries;
    'again: loop {
        for candidate in candidates(&best) {
            if left == 0 {
                return best;
            }
            left -= 1;
            if fails(&candidate) {
                best = candidate;
                continue 'again;
            }
        }
        return best;
    }
}

/// Returns simpler programs, the simplest first.
fn candidates(program: &Program) -> Vec<Program> {
    let mut found: Vec<Program> = variants(&program.body)
        .into_iter()
        .map(|body| Program {
            params: program.params.clone(),
            body,
        })
        .collect();
    found.sort_by_key(|p| p.body.weight());
    for i in 0..program.params.len() {
        if !program.body.names(program.params[i].name) && program.params.len() > 1 {
            let mut params = program.params.clone();
            params.remove(i);
            let body = program.body.clone();
            found.insert(0, Program { params, body });
        }
    }
    // A result of another shape, from inside.
    let mut inside = vec![];
    for arg in &program.body.args {
        inside.push(Program {
            params: program.params.clone(),
            body: closed(&arg.body, &arg.binders),
        });
    }
    inside.extend(found);
    inside
}

/// Returns the expression with one node simplified, in every way.
fn variants(e: &Expr) -> Vec<Expr> {
    let mut out = vec![];
    if !matches!(e.kind, Kind::Const(_)) {
        out.push(constant(&e.shape));
        descendants(e, &e.shape, &mut vec![], &mut out);
    }
    for (i, arg) in e.args.iter().enumerate() {
        for body in variants(&arg.body) {
            let mut simpler = e.clone();
            simpler.args[i].body = body;
            out.push(simpler);
        }
    }
    out
}

fn constant(shape: &[usize]) -> Expr {
    Expr {
        kind: Kind::Const(0.5),
        shape: shape.to_vec(),
        args: vec![],
    }
}

/// Collects the descendants of `e` with this shape, with constants for the names bound on the way.
fn descendants(e: &Expr, shape: &[usize], bound: &mut Vec<Binder>, out: &mut Vec<Expr>) {
    for arg in &e.args {
        let before = bound.len();
        bound.extend(arg.binders.iter().cloned());
        if arg.body.shape == shape {
            out.push(closed(&arg.body, bound));
        }
        descendants(&arg.body, shape, bound, out);
        bound.truncate(before);
    }
}

/// Returns the expression with constants for these names.
fn closed(e: &Expr, bound: &[Binder]) -> Expr {
    if let Kind::Var(name) = e.kind
        && bound.iter().any(|b| b.name == name)
    {
        return constant(&e.shape);
    }
    let args = e.args.iter().map(|a| Arg {
        binders: a.binders.clone(),
        body: closed(&a.body, bound),
    });
    Expr {
        kind: e.kind.clone(),
        shape: e.shape.clone(),
        args: args.collect(),
    }
}

impl Expr {
    fn names(&self, name: u32) -> bool {
        self.kind == Kind::Var(name) || self.args.iter().any(|a| a.body.names(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Limits;

    fn holds(e: &Expr, what: &Kind) -> bool {
        e.kind == *what || e.args.iter().any(|a| holds(&a.body, what))
    }

    #[test]
    fn what_does_not_matter_goes() {
        let limits = Limits::default();
        let grown = (0..).map(|seed| Program::random(seed, &limits));
        let found = grown.into_iter().find(|p| holds(&p.body, &Kind::While));
        let small = shrunk(&found.unwrap(), 10_000, |p| holds(&p.body, &Kind::While));
        assert_eq!(small.body.kind, Kind::While);
        assert_eq!(small.body.weight(), 5);
        assert_eq!(small.params.len(), 1);
    }
}
