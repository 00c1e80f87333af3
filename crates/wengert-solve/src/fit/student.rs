//! Student's t distribution, in numbers.

/// The probability that a variable of Student's t distribution is at most `t`; `dof` is the number of degrees of freedom.
/// It is half the regularised incomplete beta function `I(dof/2, 1/2)` of `dof / (dof + t²)`, by the continued fraction
/// of the *Digital Library of Mathematical Functions*, 8.17.22, evaluated by the method of Lentz (1976). NaN if `dof` is
/// not positive. It has about 13 digits; the more degrees of freedom beyond 1e5, the fewer.
///
/// ```
/// use wengert_solve::fit::student_t;
///
/// // One degree of freedom is Cauchy's distribution.
/// assert!((student_t(1.0, 1.0) - 0.75).abs() < 1e-15);
/// assert_eq!(student_t(0.0, 7.0), 0.5);
/// ```
pub fn student_t(t: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || t.is_nan() {
        return f64::NAN;
    }
    let tail = tail(t.abs(), dof);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The `t` with a probability `p` of being at most `t`: the inverse of [`student_t`], by Newton's method in bisection.
/// NaN if `p` is not from 0 to 1, or `dof` not positive.
///
/// ```
/// use wengert_solve::fit::student_t_quantile;
///
/// assert!((student_t_quantile(0.975, 10.0) - 2.228138851986274).abs() < 1e-13);
/// assert!((student_t_quantile(0.975, 1e9) - 1.959963984540054).abs() < 1e-8);
/// ```
pub fn student_t_quantile(p: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let (sign, rest) = if p < 0.5 { (-1.0, p) } else { (1.0, 1.0 - p) };
    if rest == 0.5 {
        return 0.0;
    }
    if rest == 0.0 {
        return sign * f64::INFINITY;
    }
    // The tail falls from 1/2 at 0 to 0 at infinity.
    let (mut low, mut high) = (0.0, 1.0);
    while tail(high, dof) > rest && high < f64::MAX / 2.0 {
        (low, high) = (high, 2.0 * high);
    }
    let mut t = 0.5 * (low + high);
    for _ in 0..200 {
        let off = tail(t, dof) - rest;
        if off > 0.0 {
            low = t
        } else {
            high = t
        }
        let next = t + off / density(t, dof);
        let next = if next > low && next < high {
            next
        } else {
            0.5 * (low + high)
        };
        if (next - t).abs() <= 1e-15 * t {
            return sign * next;
        }
        t = next;
    }
    sign * t
}

/// The probability of more than `t`, which is not negative.
fn tail(t: f64, dof: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    let x = [dof / (dof + square), square / (dof + square)];
    // Near 1 the logarithm of the number would be rounded.
    let logs = [-(square / dof).ln_1p(), x[1].ln()];
    0.5 * incomplete_beta([0.5 * dof, 0.5], x, logs)
}

fn density(t: f64, dof: f64) -> f64 {
    let log = -0.5 * (dof + 1.0) * (t * t / dof).ln_1p() - 0.5 * dof.ln() - ln_beta(0.5 * dof, 0.5);
    log.exp()
}

/// The regularised incomplete beta function of `x`, which is given with `1 - x` and the logarithms of both.
fn incomplete_beta([a, b]: [f64; 2], [x, y]: [f64; 2], logs: [f64; 2]) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let front = (a * logs[0] + b * logs[1] - ln_beta(a, b)).exp();
    // The fraction converges quickly on one side of the mean.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, y) / b
    }
}

/// The continued fraction, whose terms are `d_2k = k (b - k) x / ((a + 2k - 1)(a + 2k))` and
/// `d_2k+1 = -(a + k)(a + b + k) x / ((a + 2k)(a + 2k + 1))`.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let kept = |x: f64| if x.abs() < 1e-300 { 1e-300 } else { x };
    let (mut c, mut d) = (1.0, 1.0 / kept(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for k in 1..10_000 {
        let k = f64::from(k);
        let even = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k));
        let odd = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0));
        let before = value;
        for term in [even, odd] {
            d = 1.0 / kept(1.0 + term * d);
            c = kept(1.0 + term / c);
            value *= c * d;
        }
        if (value - before).abs() <= 1e-16 * value.abs() {
            break;
        }
    }
    value
}

fn ln_beta(a: f64, b: f64) -> f64 {
    // For large a, the logarithms of the gamma functions would cancel.
    if a > 100.0 && b == 0.5 {
        return 0.5 * std::f64::consts::PI.ln() - ln_ratio(a);
    }
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// `ln(Γ(a + 1/2) / Γ(a))` for large `a`: the asymptotic series of Tricomi and Erdélyi (1951).
fn ln_ratio(a: f64) -> f64 {
    let x = 1.0 / a;
    let series =
        1.0 - x / 8.0 * (1.0 - x / 16.0 * (1.0 + x * 5.0 / 8.0 * (1.0 - x * 21.0 / 160.0)));
    0.5 * a.ln() + series.ln()
}

/// The logarithm of the gamma function of a positive number: Stirling's series from 15 on, reached by the recurrence.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 1.0;
    while x < 15.0 {
        shift *= x;
        x += 1.0;
    }
    // B_2k / (2k (2k - 1)).
    const TERMS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360360.0,
        1.0 / 156.0,
    ];
    let square = 1.0 / (x * x);
    let series = TERMS
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum * square + term)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_closed_forms() {
        for t in [-40.0, -3.0, -0.2, 0.1, 1.7, 250.0f64] {
            let one = 0.5 + t.atan() / std::f64::consts::PI;
            let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
            assert!((student_t(t, 1.0) - one).abs() < 1e-14, "{t}");
            assert!((student_t(t, 2.0) - two).abs() < 1e-14, "{t}");
        }
    }

    #[test]
    fn quantiles_are_inverse_and_those_of_tables() {
        for dof in [1.0, 2.5, 7.0, 30.0, 199.0, 203.0, 5e3] {
            for p in [1e-6, 0.01, 0.3, 0.5, 0.8, 0.975, 0.9999] {
                let back = student_t(student_t_quantile(p, dof), dof);
                assert!(
                    (back - p).abs() < 1e-13 + 1e-12 * p.min(1.0 - p),
                    "{p} {dof} {back}"
                );
            }
        }
        // Beyond, the fraction loses digits.
        let many = student_t(student_t_quantile(0.975, 1e6), 1e6);
        assert!((many - 0.975).abs() < 1e-11);
        // Tables of the t distribution have three decimals.
        for (p, dof, t) in [
            (0.95, 5.0, 2.015),
            (0.995, 20.0, 2.845),
            (0.9, 120.0, 1.289),
        ] {
            assert!((student_t_quantile(p, dof) - t).abs() < 5e-4);
        }
        assert!(student_t_quantile(0.5, -1.0).is_nan() && student_t_quantile(1.5, 3.0).is_nan());
        assert_eq!(student_t_quantile(1.0, 3.0), f64::INFINITY);
    }

    #[test]
    fn the_series_for_many_degrees_meets_the_gamma_functions() {
        for a in [40.0, 100.0, 400.0] {
            let exact = ln_gamma(a + 0.5) - ln_gamma(a);
            assert!((ln_ratio(a) - exact).abs() < 1e-9, "{a}");
        }
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-14);
        assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-14);
    }
}
