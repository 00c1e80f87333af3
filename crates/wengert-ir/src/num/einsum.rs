//! Einstein's summation convention: products and sums written by the names of axes.

use std::panic::Location;

use crate::error::{TypeError, counted};
use crate::num::diagonal::diagonal_of;
use crate::ops::{dot, layout, reduce};
use crate::trace::array::{numbers, promoted, refuse};
use crate::trace::{Var, asked_at};

/// The sum of products that a specification describes: `numpy.einsum`.
///
/// `"ij,jk->ik"` names the axes of each operand, then those of the result. Operands are multiplied
/// where names agree, and names that the result does not have are summed over. A name that occurs twice in one
/// operand takes its diagonal. `...` stands for axes without names, aligned at the right, which broadcast. Without
/// `->` the result has the axes of `...` and the names that occur once, in alphabetical order.
/// Axes of length 1 broadcast.
///
/// Operands are numbers; their element types are promoted. More than two operands are contracted two at a time,
/// starting with the pair whose product is smallest in relation to the pair. Derivative: in each operand, the same sum
/// with the tangent in its place.
///
/// # Errors
/// If the specification does not fit the operands: their number or the number of their axes differs, a name has
/// two lengths, or a name of the result is in no operand.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, b): (Var, Var)| (einsum("ij,jk->ik", &[a, b]), einsum("ij->j", &[a]), einsum("ii", &[a])));
/// let (product, sums, trace) = f.call(([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]]))?;
/// assert_eq!(product.to_vec::<f64>()?, [3.0, 2.0, 7.0, 4.0]);
/// assert_eq!(sums.to_vec::<f64>()?, [4.0, 6.0]);
/// assert_eq!(trace.item::<f64>()?, 5.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn einsum(spec: &str, operands: &[Var]) -> Var {
    let operands = promoted("einsum", operands);
    numbers("einsum", operands[0]);
    let dims: Vec<Vec<usize>> = operands.iter().map(|x| x.shape()).collect();
    let subscripts = match Subscripts::parse(spec, &dims) {
        Ok(subscripts) => subscripts,
        Err(message) => refuse("einsum", &operands, TypeError::new(message)),
    };
    asked_at(Location::caller(), || {
        let named = operands.iter().zip(&subscripts.inputs);
        let terms = named.map(|(x, names)| Term::of(*x, names, &subscripts.lengths));
        contract(terms.collect(), &subscripts.output)
    })
}

/// The name of an axis: a letter, or for an axis of `...` its position counted from the right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Name {
    Unnamed(std::cmp::Reverse<usize>),
    Letter(char),
}

/// A specification, applied to operands of known shapes.
struct Subscripts {
    inputs: Vec<Vec<Name>>,
    output: Vec<Name>,
    /// The length of each named axis, sorted by name.
    lengths: Vec<(Name, usize)>,
}

/// The names of one array, and the position of `...` among them.
struct Side {
    letters: Vec<char>,
    dots: Option<usize>,
}

impl Side {
    fn parse(text: &str) -> Result<Side, String> {
        let (mut letters, mut dots) = (vec![], None);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(behind) = rest.strip_prefix("...")
                && dots.is_none()
            {
                dots = Some(letters.len());
                rest = behind;
                continue;
            }
            if !c.is_ascii_alphabetic() {
                return Err(format!("`{c}` in `{text}` is not the name of an axis"));
            }
            letters.push(c);
            rest = &rest[1..];
        }
        Ok(Side { letters, dots })
    }

    /// Returns the names of the axes of an array of rank `rank`, if the ranks agree.
    fn names(&self, rank: usize) -> Option<Vec<Name>> {
        let unnamed = rank.checked_sub(self.letters.len())?;
        let mut names: Vec<Name> = self.letters.iter().map(|&c| Name::Letter(c)).collect();
        match self.dots {
            None if unnamed > 0 => return None,
            None => {}
            Some(at) => {
                let dots = (0..unnamed)
                    .rev()
                    .map(|i| Name::Unnamed(std::cmp::Reverse(i)));
                names.splice(at..at, dots);
            }
        }
        Some(names)
    }
}

impl Subscripts {
    fn parse(spec: &str, dims: &[Vec<usize>]) -> Result<Subscripts, String> {
        let text: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&text[..], None),
        };
        let sides: Vec<&str> = left.split(',').collect();
        if sides.len() != dims.len() {
            let (n, m) = (sides.len(), dims.len());
            return Err(format!(
                "`{spec}` names {}, and {} given",
                counted(n, "operand", "operands"),
                counted(m, "is", "are")
            ));
        }
        let (mut inputs, mut lengths) = (vec![], Vec::<(Name, usize)>::new());
        for (i, (side, dims)) in sides.into_iter().zip(dims).enumerate() {
            let parsed = Side::parse(side)?;
            let names = parsed.names(dims.len()).ok_or_else(|| {
                let least = match parsed.dots {
                    Some(_) => "at least ",
                    None => "",
                };
                format!(
                    "`{side}` of `{spec}` names {least}{}, and operand {i} has {}, of the shape {dims:?}",
                    counted(parsed.letters.len(), "axis", "axes"),
                    dims.len()
                )
            })?;
            for (&name, &n) in names.iter().zip(dims) {
                match lengths.iter_mut().find(|(known, _)| *known == name) {
                    None => lengths.push((name, n)),
                    Some((_, known)) if *known == n || n == 1 => {}
                    Some((_, known)) if *known == 1 => *known = n,
                    Some((_, known)) => {
                        let name = match name {
                            Name::Letter(c) => format!("`{c}` of `{spec}`"),
                            Name::Unnamed(_) => format!("an axis of `...` in `{spec}`"),
                        };
                        return Err(format!(
                            "{name} has the length {known} in one operand and {n} in operand {i}"
                        ));
                    }
                }
            }
            inputs.push(names);
        }
        lengths.sort_unstable();
        let dots = |names: &[(Name, usize)]| -> Vec<Name> {
            let names = names.iter().map(|(name, _)| *name);
            names.filter(|n| matches!(n, Name::Unnamed(_))).collect()
        };
        let output = match right {
            None => {
                let times = |n: &Name| inputs.iter().flatten().filter(|m| *m == n).count();
                let names = lengths.iter().map(|(name, _)| *name);
                names
                    .filter(|n| matches!(n, Name::Unnamed(_)) || times(n) == 1)
                    .collect()
            }
            Some(right) => {
                let side = Side::parse(right)?;
                let unnamed = dots(&lengths).len();
                if side.dots.is_none() && unnamed > 0 {
                    return Err(format!(
                        "the result of `{spec}` leaves out the axes of `...`"
                    ));
                }
                let names = side.names(side.letters.len() + unnamed).expect("so many");
                for (i, name) in names.iter().enumerate() {
                    let Name::Letter(c) = name else { continue };
                    if lengths.iter().all(|(known, _)| known != name) {
                        return Err(format!("no operand of `{spec}` has an axis `{c}`"));
                    }
                    if names[..i].contains(name) {
                        return Err(format!("the result of `{spec}` names `{c}` twice"));
                    }
                }
                names
            }
        };
        Ok(Subscripts {
            inputs,
            output,
            lengths,
        })
    }
}

/// An operand or a partial product, in which each name occurs once.
#[derive(Clone)]
struct Term {
    x: Var,
    names: Vec<Name>,
    dims: Vec<usize>,
}

impl Term {
    /// Prepares an operand: takes diagonals, and removes axes that only broadcast.
    fn of(mut x: Var, names: &[Name], lengths: &[(Name, usize)]) -> Term {
        let mut names = names.to_vec();
        let mut i = 0;
        while i < names.len() {
            let long = lengths.iter().find(|(name, _)| *name == names[i]);
            if x.shape()[i] == 1 && long.is_some_and(|(_, n)| *n != 1) {
                x = x.squeeze_axis(i);
                names.remove(i);
            } else {
                i += 1;
            }
        }
        let twice = |names: &[Name]| {
            let pair = |i: usize| {
                names[..i]
                    .iter()
                    .position(|n| *n == names[i])
                    .map(|j| (j, i))
            };
            (0..names.len()).find_map(pair)
        };
        while let Some((a, b)) = twice(&names) {
            x = diagonal_of(x, 0, a, b);
            let name = names.remove(b);
            names.remove(a);
            names.push(name);
        }
        let dims = x.shape();
        Term { x, names, dims }
    }

    fn place(&self, name: &Name) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// Sums over the names that are not needed.
    fn summed(self, needed: impl Fn(&Name) -> bool) -> Term {
        let keep: Vec<usize> = (0..self.names.len())
            .filter(|&i| needed(&self.names[i]))
            .collect();
        let gone: Vec<usize> = (0..self.names.len())
            .filter(|i| !keep.contains(i))
            .collect();
        Term {
            x: reduce::sum(self.x, &gone),
            names: keep.iter().map(|&i| self.names[i]).collect(),
            dims: keep.iter().map(|&i| self.dims[i]).collect(),
        }
    }

    /// Multiplies two terms and sums over the names that neither the result nor another term needs.
    fn times(self, other: Term, needed: impl Fn(&Name) -> bool) -> Term {
        let (a, b) = (
            self.clone()
                .summed(|n| needed(n) || other.place(n).is_some()),
            other
                .clone()
                .summed(|n| needed(n) || self.place(n).is_some()),
        );
        let (mut batch, mut contract) = (vec![], vec![]);
        let (mut names, mut dims) = (vec![], vec![]);
        for (i, name) in a.names.iter().enumerate() {
            match b.place(name) {
                Some(j) if needed(name) => {
                    batch.push((i, j));
                    names.push(*name);
                    dims.push(a.dims[i]);
                }
                Some(j) => contract.push((i, j)),
                None => {}
            }
        }
        for (one, another) in [(&a, &b), (&b, &a)] {
            for (name, n) in one.names.iter().zip(&one.dims) {
                if another.place(name).is_none() {
                    names.push(*name);
                    dims.push(*n);
                }
            }
        }
        Term {
            x: dot::dot(a.x, b.x, &batch, &contract),
            names,
            dims,
        }
    }

    /// Returns the number of elements of the product of two terms.
    fn size_with(&self, other: &Term, needed: impl Fn(&Name) -> bool) -> f64 {
        let here = self.names.iter().zip(&self.dims);
        let there = other.names.iter().zip(&other.dims);
        let there = there.filter(|(n, _)| self.place(n).is_none());
        // A name of only one of the two is either needed elsewhere or summed over beforehand.
        here.chain(there)
            .filter(|(n, _)| needed(n))
            .map(|(_, n)| *n as f64)
            .product()
    }

    fn size(&self) -> f64 {
        self.dims.iter().map(|n| *n as f64).product()
    }
}

/// Multiplies all terms and sums over the names that the result does not have.
fn contract(mut terms: Vec<Term>, output: &[Name]) -> Var {
    while terms.len() > 1 {
        let needed = |i: usize, j: usize| {
            let others = terms
                .iter()
                .enumerate()
                .filter(move |(k, _)| *k != i && *k != j);
            let others: Vec<Name> = others.flat_map(|(_, t)| t.names.clone()).collect();
            move |name: &Name| output.contains(name) || others.contains(name)
        };
        // Greedy choice: the pair whose product is smallest in relation to the pair.
        let mut best = (f64::INFINITY, 0, 1);
        for i in 0..terms.len() {
            for j in i + 1..terms.len() {
                let product = terms[i].size_with(&terms[j], needed(i, j));
                let growth = product - terms[i].size() - terms[j].size();
                if growth < best.0 {
                    best = (growth, i, j);
                }
            }
        }
        let (_, i, j) = best;
        let needed = needed(i, j);
        let b = terms.remove(j);
        let a = terms.remove(i);
        terms.insert(i, a.times(b, needed));
    }
    let last = terms.remove(0).summed(|name| output.contains(name));
    let order = output.iter().map(|name| last.place(name));
    let order: Vec<usize> = order
        .map(|i| i.expect("every name has its length"))
        .collect();
    layout::transpose(last.x, &order)
}
