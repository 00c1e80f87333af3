//! Taylor arithmetic in arbitrary precision: functions with all their derivatives up to an order.

use astro_float::{BigFloat, Consts, RoundingMode};

/// Bits of the coefficients: `1 + 1e-300^2` keeps its last term.
const P: usize = 2304;
const RM: RoundingMode = RoundingMode::None;

/// The argument beyond which the exponential counts as 0 or infinite.
const HUGE: f64 = 1e6;

/// The exponents of the monomials in some variables up to a degree.
#[derive(Debug)]
pub(super) struct Space {
    monomials: Vec<Vec<usize>>,
    /// The products of monomials within the degree: the indices of the factors, and of the product.
    products: Vec<[usize; 3]>,
    degree: usize,
}

impl Space {
    pub(super) fn new(variables: usize, degree: usize) -> Space {
        let mut monomials = vec![vec![]];
        for _ in 0..variables {
            let longer = |m: &Vec<usize>| {
                let left = degree - m.iter().sum::<usize>();
                let m = m.clone();
                (0..=left).map(move |k| [&m[..], &[k]].concat())
            };
            monomials = monomials.iter().flat_map(longer).collect();
        }
        let mut products = vec![];
        for (i, a) in monomials.iter().enumerate() {
            for (j, b) in monomials.iter().enumerate() {
                let sum: Vec<usize> = a.iter().zip(b).map(|(a, b)| a + b).collect();
                if let Some(k) = monomials.iter().position(|m| *m == sum) {
                    products.push([i, j, k]);
                }
            }
        }
        Space {
            monomials,
            products,
            degree,
        }
    }

    /// Returns the derivative by these variables, one after the other.
    pub(super) fn derivative(&self, jet: &Jet, by: &[usize]) -> BigFloat {
        let mut exponents = vec![0; self.monomials[0].len()];
        let mut factor = 1.0;
        for &v in by {
            exponents[v] += 1;
            factor *= exponents[v] as f64;
        }
        let at = self.monomials.iter().position(|m| *m == exponents);
        mul(&jet.0[at.expect("of no higher degree")], &big(factor))
    }
}

/// The coefficients of a Taylor polynomial.
#[derive(Clone, Debug)]
pub(super) struct Jet(Vec<BigFloat>);

/// Arithmetic on jets of one space.
#[derive(Debug)]
pub(super) struct Jets<'a> {
    pub(super) space: &'a Space,
    pub(super) consts: &'a mut Consts,
}

pub(super) fn big(x: f64) -> BigFloat {
    if x.abs() >= f64::MIN_POSITIVE || x == 0.0 {
        return BigFloat::from_f64(x, P);
    }
    let scaled = BigFloat::from_f64(x * 2f64.powi(200), P);
    mul(&scaled, &BigFloat::from_f64(2f64.powi(-200), P))
}

pub(super) fn mul(a: &BigFloat, b: &BigFloat) -> BigFloat {
    // Zeros are common, and 0 times an infinity counts as 0 here.
    match a.is_zero() || b.is_zero() {
        true => BigFloat::from_f64(0.0, P),
        false => a.mul(b, P, RM),
    }
}

fn div(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.div(b, P, RM)
}

fn add(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.add(b, P, RM)
}

/// Returns whether `x > c`.
fn above(x: &BigFloat, c: f64) -> bool {
    x.cmp(&big(c)).is_some_and(|order| order > 0)
}

impl Jets<'_> {
    /// Makes a variable at a point.
    pub(super) fn variable(&self, k: usize, at: f64) -> Jet {
        let mut jet = self.number(at);
        let mut exponents = vec![0; self.space.monomials[0].len()];
        exponents[k] = 1;
        if let Some(i) = self.space.monomials.iter().position(|m| *m == exponents) {
            jet.0[i] = big(1.0);
        }
        jet
    }

    pub(super) fn number(&self, x: f64) -> Jet {
        self.constant(big(x))
    }

    pub(super) fn constant(&self, x: BigFloat) -> Jet {
        let mut coefficients = vec![big(0.0); self.space.monomials.len()];
        let constant = |m: &Vec<usize>| m.iter().all(|&k| k == 0);
        let at = self.space.monomials.iter().position(constant);
        coefficients[at.expect("the constant monomial")] = x;
        Jet(coefficients)
    }

    pub(super) fn pi(&mut self) -> BigFloat {
        self.consts.pi(P, RM)
    }

    fn at(&self) -> usize {
        let constant = |m: &Vec<usize>| m.iter().all(|&k| k == 0);
        self.space.monomials.iter().position(constant).unwrap_or(0)
    }

    /// Returns the value at the point.
    pub(super) fn value(&self, x: &Jet) -> BigFloat {
        x.0[self.at()].clone()
    }

    pub(super) fn add(&self, a: &Jet, b: &Jet) -> Jet {
        Jet(a.0.iter().zip(&b.0).map(|(a, b)| add(a, b)).collect())
    }

    pub(super) fn sub(&self, a: &Jet, b: &Jet) -> Jet {
        self.add(a, &self.neg(b))
    }

    pub(super) fn neg(&self, a: &Jet) -> Jet {
        Jet(a.0.iter().map(BigFloat::neg).collect())
    }

    pub(super) fn mul(&self, a: &Jet, b: &Jet) -> Jet {
        let mut product = vec![big(0.0); a.0.len()];
        for &[i, j, k] in &self.space.products {
            if !a.0[i].is_zero() && !b.0[j].is_zero() {
                product[k] = add(&product[k], &mul(&a.0[i], &b.0[j]));
            }
        }
        Jet(product)
    }

    pub(super) fn times(&self, a: &Jet, c: f64) -> Jet {
        self.by(a, &big(c))
    }

    pub(super) fn by(&self, a: &Jet, c: &BigFloat) -> Jet {
        Jet(a.0.iter().map(|a| mul(a, c)).collect())
    }

    pub(super) fn plus(&self, a: &Jet, c: f64) -> Jet {
        self.add(a, &self.number(c))
    }

    /// Composes a function with `x`, given its Taylor coefficients at the value of `x`.
    pub(super) fn compose(&self, x: &Jet, coefficients: &[BigFloat]) -> Jet {
        let mut rest = x.clone();
        rest.0[self.at()] = big(0.0);
        let mut sum = self.number(0.0);
        for c in coefficients.iter().take(self.space.degree + 1).rev() {
            sum = self.mul(&sum, &rest);
            let at = self.at();
            sum.0[at] = add(&sum.0[at], c);
        }
        sum
    }

    /// Computes a function of `x`, given its value and its derivative.
    pub(super) fn by_slope(
        &mut self,
        x: &Jet,
        value: BigFloat,
        slope: impl Fn(&mut Jets, &Jet) -> Jet,
    ) -> Jet {
        self.by_equation(x, value, |j, x, _| slope(j, x))
    }

    /// Computes a function `y` of `x`, given its value and its derivative as a function of `x` and `y`.
    pub(super) fn by_equation(
        &mut self,
        x: &Jet,
        value: BigFloat,
        slope: impl Fn(&mut Jets, &Jet, &Jet) -> Jet,
    ) -> Jet {
        let at = self.value(x);
        let line = Space::new(1, self.space.degree);
        let mut j = Jets {
            space: &line,
            consts: self.consts,
        };
        let mut along = j.constant(at);
        along.0[1] = big(1.0);
        let mut y = j.constant(value);
        for _ in 0..line.degree {
            let slope = slope(&mut j, &along, &y);
            for k in 1..=line.degree {
                y.0[k] = div(&slope.0[k - 1], &big(k as f64));
            }
        }
        self.compose(x, &y.0)
    }

    pub(super) fn exp(&mut self, x: &Jet) -> Jet {
        let at = self.value(x);
        if above(&at.neg(), HUGE) {
            return self.number(0.0);
        }
        let mut term = match above(&at, HUGE) {
            true => big(f64::INFINITY),
            false => at.exp(P, RM, self.consts),
        };
        let mut coefficients = vec![];
        for k in 0..=self.space.degree {
            coefficients.push(term.clone());
            term = div(&term, &big(k as f64 + 1.0));
        }
        self.compose(x, &coefficients)
    }

    pub(super) fn ln(&mut self, x: &Jet) -> Jet {
        let value = self.value(x).ln(P, RM, self.consts);
        self.by_slope(x, value, |j, x| j.recip(x))
    }

    /// Computes a power with a constant exponent, of positive numbers (or of any for integer exponents).
    pub(super) fn power(&mut self, x: &Jet, value: BigFloat, exponent: f64) -> Jet {
        let at = self.value(x);
        let mut term = value;
        let mut coefficients = vec![];
        for k in 0..=self.space.degree {
            coefficients.push(term.clone());
            let k = k as f64;
            term = div(&mul(&term, &big(exponent - k)), &mul(&at, &big(k + 1.0)));
        }
        self.compose(x, &coefficients)
    }

    pub(super) fn recip(&mut self, x: &Jet) -> Jet {
        let value = div(&big(1.0), &self.value(x));
        self.power(x, value, -1.0)
    }

    pub(super) fn div(&mut self, a: &Jet, b: &Jet) -> Jet {
        let b = self.recip(b);
        self.mul(a, &b)
    }

    pub(super) fn sqrt(&mut self, x: &Jet) -> Jet {
        let value = self.value(x).sqrt(P, RM);
        self.power(x, value, 0.5)
    }

    pub(super) fn cbrt(&mut self, x: &Jet) -> Jet {
        // By recurrence with the exact third.
        let value = self.value(x).cbrt(P, RM);
        self.by_equation(x, value, |j, x, y| {
            let share = j.div(y, x);
            let third = div(&big(1.0), &big(3.0));
            j.by(&share, &third)
        })
    }

    /// Returns whether every coefficient of a term is negligible beside those of the sum, within this many
    /// bits.
    pub(super) fn small(&self, term: &Jet, sum: &Jet, bits: i32) -> bool {
        let both = term.0.iter().zip(&sum.0);
        both.into_iter()
            .all(|(t, s)| t.is_zero() || t.exponent() < s.exponent().map(|e| e - bits))
    }

    /// Computes sine and cosine.
    pub(super) fn sin_cos(&mut self, x: &Jet) -> [Jet; 2] {
        let at = self.value(x);
        let (sine, cosine) = (at.sin(P, RM, self.consts), at.cos(P, RM, self.consts));
        let cycle = [sine.clone(), cosine.clone(), sine.neg(), cosine.neg()];
        let mut factorial = 1.0;
        let (mut sines, mut cosines) = (vec![], vec![]);
        for k in 0..=self.space.degree {
            factorial *= (k as f64).max(1.0);
            sines.push(div(&cycle[k % 4], &big(factorial)));
            cosines.push(div(&cycle[(k + 1) % 4], &big(factorial)));
        }
        [self.compose(x, &sines), self.compose(x, &cosines)]
    }
}
