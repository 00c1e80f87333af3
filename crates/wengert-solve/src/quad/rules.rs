//! Nodes and weights.

/// A symmetric rule on [-1, 1] and the Gauss rule inside it: for each node that is not negative, in falling
/// order, the node, its weight, and its weight in the Gauss rule.
type Half = &'static [(f64, f64, f64)];

/// The rule of 15 points with that of Gauss of 7 inside (Kronrod, 1965), with the digits of QUADPACK (Piessens,
/// de Doncker-Kapenga, Überhuber and Kahaner, 1983).
#[allow(clippy::excessive_precision)]
const K15: Half = &[
    (
        0.991455371120812639206854697526329,
        0.022935322010529224963732008058970,
        0.0,
    ),
    (
        0.949107912342758524526189684047851,
        0.063092092629978553290700663189204,
        0.129484966168869693270611432679082,
    ),
    (
        0.864864423359769072789712788640926,
        0.104790010322250183839876322541518,
        0.0,
    ),
    (
        0.741531185599394439863864773280788,
        0.140653259715525918745189590510238,
        0.279705391489276667901467771423780,
    ),
    (
        0.586087235467691130294144838258730,
        0.169004726639267902826583426598550,
        0.0,
    ),
    (
        0.405845151377397166906606412076961,
        0.190350578064785409913256402421014,
        0.381830050505118944950369775488975,
    ),
    (
        0.207784955007898467600689403773245,
        0.204432940075298892414161999234649,
        0.0,
    ),
    (
        0.0,
        0.209482141084727828012999174891714,
        0.417959183673469387755102040816327,
    ),
];

/// The rule of 21 points with that of Gauss of 10 inside.
#[allow(clippy::excessive_precision)]
const K21: Half = &[
    (
        0.995657163025808080735527280689003,
        0.011694638867371874278064396062192,
        0.0,
    ),
    (
        0.973906528517171720077964012084452,
        0.032558162307964727478818972459390,
        0.066671344308688137593568809893332,
    ),
    (
        0.930157491355708226001207180059508,
        0.054755896574351996031381300244580,
        0.0,
    ),
    (
        0.865063366688984510732096688423493,
        0.075039674810919952767043140916190,
        0.149451349150580593145776339657697,
    ),
    (
        0.780817726586416897063717578345042,
        0.093125454583697605535065465083366,
        0.0,
    ),
    (
        0.679409568299024406234327365114874,
        0.109387158802297641899210590325805,
        0.219086362515982043995534934228163,
    ),
    (
        0.562757134668604683339000099272694,
        0.123491976262065851077958109831074,
        0.0,
    ),
    (
        0.433395394129247190799265943165784,
        0.134709217311473325928054001771707,
        0.269266719309996355091226921569469,
    ),
    (
        0.294392862701460198131126603103866,
        0.142775938577060080797094273138717,
        0.0,
    ),
    (
        0.148874338981631210884826001129720,
        0.147739104901338491374841515972068,
        0.295524224714752870173892994651338,
    ),
    (0.0, 0.149445554002916905664936468389821, 0.0),
];

/// Nodes, weights and Gauss weights of a pair of rules on [-1, 1].
pub(super) fn kronrod(points: usize) -> [Vec<f64>; 3] {
    let half = if points == 15 { K15 } else { K21 };
    let left = half.iter().map(|&(x, w, g)| (-x, w, g));
    let right = half.iter().rev().skip(1).copied();
    let mut all = [vec![], vec![], vec![]];
    for (x, w, g) in left.chain(right) {
        all[0].push(x + 0.0);
        all[1].push(w);
        all[2].push(g);
    }
    all
}

/// The weights of the coefficients of the two highest Legendre polynomials that nodes resolve: small where an
/// integrand is smooth.
pub(super) fn highest(nodes: &[f64], weights: &[f64]) -> [Vec<f64>; 2] {
    let n = nodes.len();
    [n - 2, n - 1].map(|degree| {
        let factor = degree as f64 + 0.5;
        let pairs = nodes.iter().zip(weights);
        pairs
            .map(|(x, w)| factor * w * legendre(degree, *x).0)
            .collect()
    })
}

/// Returns Legendre's polynomials of degrees `n` and `n - 1` at a point.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut p, mut before) = (1.0, 0.0);
    for k in 1..=n {
        let k = k as f64;
        (p, before) = (((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k, p);
    }
    (p, before)
}

/// Newton's method on a function that gives its value and slope.
fn newton(mut x: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    for _ in 0..100 {
        let (y, slope) = f(x);
        let step = y / slope;
        x -= step;
        if step.abs() <= 1e-15 * x.abs().max(1e-3) {
            break;
        }
    }
    x
}

/// Returns the nodes and weights of the Gauss-Legendre rule of `n` points on [-1, 1], which integrates
/// polynomials of degree `2 n - 1` exactly. A rule of no points is empty.
///
/// The nodes are the roots of Legendre's polynomial, by Newton's method from Tricomi's estimate; the weights
/// are `2 / ((1 - x²) P'(x)²)` (Press et al., *Numerical Recipes*, 4.6). Errors are a few units in the last
/// place.
///
/// ```
/// use wengert_solve::quad::gauss_legendre;
///
/// let (x, w) = gauss_legendre(3);
/// let fourth: f64 = x.iter().zip(&w).map(|(x, w)| w * x.powi(4)).sum();
/// assert!((fourth - 2.0 / 5.0).abs() < 1e-15);
/// ```
pub fn gauss_legendre(n: usize) -> (Vec<f64>, Vec<f64>) {
    let value = |x: f64| {
        let (p, before) = legendre(n, x);
        (p, n as f64 * (before - x * p) / (1.0 - x * x))
    };
    let count = n as f64;
    let (mut nodes, mut weights) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n.div_ceil(2) {
        let angle = std::f64::consts::PI * (i as f64 + 0.75) / (count + 0.5);
        let x = match 2 * i + 1 == n {
            true => 0.0,
            false => newton(angle.cos(), value),
        };
        let slope = value(x).1;
        let w = 2.0 / ((1.0 - x * x) * slope * slope);
        (nodes[i], nodes[n - 1 - i]) = (-x + 0.0, x);
        (weights[i], weights[n - 1 - i]) = (w, w);
    }
    (nodes, weights)
}

/// Returns the eigenvalues of the symmetric tridiagonal matrix with a diagonal and the elements beside it, and
/// the squares of the first elements of its eigenvectors: the implicit QL method (Golub and Welsch, 1969).
fn golub_welsch(mut d: Vec<f64>, beside: &[f64]) -> Vec<(f64, f64)> {
    let n = d.len();
    let mut e = [beside, &[0.0]].concat();
    let mut z = vec![0.0; n];
    if n > 0 {
        z[0] = 1.0;
    }
    for l in 0..n {
        for _ in 0..100 {
            let small = |&m: &usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs());
            let m = (l..n - 1).find(small).unwrap_or(n - 1);
            if m == l {
                break;
            }
            let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let r = g.hypot(1.0);
            let mut g = d[m] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut done = true;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    done = false;
                    break;
                }
                (s, c) = (f / r, g / r);
                let g2 = d[i + 1] - p;
                let r = (d[i] - g2) * s + 2.0 * c * b;
                p = s * r;
                d[i + 1] = g2 + p;
                g = c * r - b;
                let f = z[i + 1];
                z[i + 1] = s * z[i] + c * f;
                z[i] = c * z[i] - s * f;
            }
            if done {
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    let mut pairs: Vec<(f64, f64)> = d.into_iter().zip(z.iter().map(|z| z * z)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs
}

/// Returns the nodes and weights of the Gauss-Hermite rule of `n` points, for integrals of `exp(-x²) f(x)` over
/// the line: exact for polynomials of degree `2 n - 1`.
///
/// Nodes are eigenvalues of Jacobi's matrix (Golub and Welsch, "Calculation of Gauss quadrature rules", 1969).
/// Weights below the smallest normal number are not accurate.
///
/// ```
/// use wengert_solve::quad::gauss_hermite;
///
/// // The mean of x² for a standard normal number is 1.
/// let (x, w) = gauss_hermite(5);
/// let mean: f64 = x.iter().zip(&w).map(|(x, w)| w * (2f64.sqrt() * x).powi(2)).sum();
/// assert!((mean / std::f64::consts::PI.sqrt() - 1.0).abs() < 1e-14);
/// ```
pub fn gauss_hermite(n: usize) -> (Vec<f64>, Vec<f64>) {
    let beside: Vec<f64> = (1..n).map(|k| (k as f64 / 2.0).sqrt()).collect();
    let mut pairs = golub_welsch(vec![0.0; n], &beside);
    // The rule is symmetric, and its last digits are made so.
    for i in 0..n / 2 {
        let (a, b) = (pairs[i], pairs[n - 1 - i]);
        let (x, w) = (0.5 * (b.0 - a.0), 0.5 * (a.1 + b.1));
        (pairs[i], pairs[n - 1 - i]) = ((-x, w), (x, w));
    }
    if n % 2 == 1 {
        pairs[n / 2].0 = 0.0;
    }
    let whole = std::f64::consts::PI.sqrt();
    pairs.into_iter().map(|(x, w)| (x, w * whole)).unzip()
}

/// Returns the nodes and weights of the Gauss-Laguerre rule of `n` points, for integrals of
/// `x^alpha exp(-x) f(x)` from 0 to infinity: exact for polynomials of degree `2 n - 1`. It is as
/// [`gauss_hermite`] is; `alpha` is above -1, and a rule for another is of NaN.
///
/// ```
/// use wengert_solve::quad::gauss_laguerre;
///
/// // 4! = 24.
/// let (x, w) = gauss_laguerre(3, 0.0);
/// let factorial: f64 = x.iter().zip(&w).map(|(x, w)| w * x.powi(4)).sum();
/// assert!((factorial - 24.0).abs() < 1e-12);
/// ```
pub fn gauss_laguerre(n: usize, alpha: f64) -> (Vec<f64>, Vec<f64>) {
    if alpha.is_nan() || alpha <= -1.0 {
        return (vec![f64::NAN; n], vec![f64::NAN; n]);
    }
    let diagonal = (0..n).map(|k| 2.0 * k as f64 + 1.0 + alpha).collect();
    let beside: Vec<f64> = (1..n)
        .map(|k| (k as f64 * (k as f64 + alpha)).sqrt())
        .collect();
    let pairs = golub_welsch(diagonal, &beside);
    let whole = gamma(1.0 + alpha);
    pairs.into_iter().map(|(x, w)| (x, w * whole)).unzip()
}

/// The gamma function of a positive number: Stirling's series from 20 on, and its recurrence below.
fn gamma(x: f64) -> f64 {
    let (mut x, mut factor) = (x, 1.0);
    while x < 20.0 {
        factor *= x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x;
    let log = (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series;
    log.exp() / factor
}
