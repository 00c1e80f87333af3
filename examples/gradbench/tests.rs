//! Every function of every problem, at small sizes: values are compared with plain loops and closed forms,
//! derivatives with closed forms and differences of the plain loops.

use serde_json::{Value, json};

use crate::protocol::answer;

/// Returns the output of a function.
fn ask(module: &str, function: &str, mut input: Value) -> Vec<f64> {
    if let Value::Object(fields) = &mut input {
        fields.insert("min_seconds".into(), json!(0));
    }
    let message = json!({
        "id": 1, "kind": "evaluate", "module": module, "function": function, "input": input
    });
    let answer = answer(&message.to_string());
    assert_eq!(answer["success"], true, "{answer}");
    assert_eq!(answer["timings"][1]["name"], "evaluate");
    let mut numbers = vec![];
    flatten(&answer["output"], &mut numbers);
    numbers
}

/// Collects the numbers of a value. Fields are in the order of the mixture's.
fn flatten(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| flatten(v, out)),
        Value::Object(fields) => {
            for name in ["alpha", "mu", "q", "l"] {
                flatten(&fields[name], out);
            }
        }
        number => out.push(number.as_f64().expect("a number")),
    }
}

fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    let size = want.iter().fold(1.0f64, |m, x| m.max(x.abs()));
    for (i, (a, b)) in got.iter().zip(want).enumerate() {
        assert!((a - b).abs() <= 1e-9 * size, "{i}: {a} and {b}");
    }
}

/// Computes the gradient by central differences, extrapolated to a step of zero (Romberg).
fn slopes(f: &dyn Fn(&[f64]) -> f64, x: &[f64]) -> Vec<f64> {
    const LEVELS: usize = 6;
    let slope = |i: usize| {
        let at = |h: f64| {
            let mut x = x.to_vec();
            x[i] += h;
            f(&x)
        };
        let mut last: Vec<f64> = vec![];
        for level in 0..LEVELS {
            let h = 0.1 / f64::powi(2.0, level as i32);
            let mut row = vec![(at(h) - at(-h)) / (2.0 * h)];
            for (k, before) in last.iter().enumerate() {
                let factor = f64::powi(4.0, k as i32 + 1);
                row.push(row[k] + (row[k] - before) / (factor - 1.0));
            }
            last = row;
        }
        last[LEVELS - 1]
    };
    (0..x.len()).map(slope).collect()
}

/// Returns `n` irregular numbers between -1 and 1.
fn spread(n: usize, seed: f64) -> Vec<f64> {
    (1..=n)
        .map(|i| ((i as f64 * 0.618_033_988_749_894_9 + seed * 0.377) % 1.0) * 2.0 - 1.0)
        .collect()
}

fn rows(x: &[f64], width: usize) -> Vec<&[f64]> {
    x.chunks(width).collect()
}

fn logsumexp(x: &[f64]) -> f64 {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + x.iter().map(|x| (x - top).exp()).sum::<f64>().ln()
}

#[test]
fn every_line_is_answered() {
    let ask = |line: Value| answer(&line.to_string());
    assert_eq!(
        ask(json!({"id": 0, "kind": "start", "eval": "lse"})),
        json!({"id": 0, "tool": "wengert"})
    );
    assert_eq!(
        ask(json!({"id": 1, "kind": "define", "module": "gmm"})),
        json!({"id": 1, "success": true})
    );
    let missing = ask(json!({"id": 2, "kind": "define", "module": "sinkhorn"}));
    assert_eq!(
        (&missing["id"], &missing["success"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(
        ask(json!({"id": 3, "kind": "analysis", "of": 2, "valid": true})),
        json!({"id": 3})
    );
    assert_eq!(answer("{")["success"], false);
    for (function, input) in [
        ("tangent", json!({"x": [1.0]})),
        ("primal", json!({"x": [1.0, [2.0]]})),
        ("primal", json!({"x": [1.0], "min_seconds": -1.0})),
        ("primal", json!({})),
    ] {
        let refused = ask(json!({
            "id": 4, "kind": "evaluate", "module": "lse", "function": function, "input": input
        }));
        assert_eq!(refused["success"], false, "{input}");
        assert!(refused["error"].is_string());
    }
}

#[test]
fn so_many_runs_are_timed() {
    let message = json!({
        "id": 1, "kind": "evaluate", "module": "lse", "function": "primal",
        "input": {"x": [1.0, 2.0], "min_runs": 7, "min_seconds": 0}
    });
    let answer = answer(&message.to_string());
    let timings = answer["timings"].as_array().expect("a list");
    let runs = timings.iter().filter(|t| t["name"] == "evaluate");
    assert_eq!(runs.count(), 7);
}

#[test]
fn hello() {
    let at = |function| {
        let message = json!({
            "id": 1, "kind": "evaluate", "module": "hello", "function": function, "input": 3.5
        });
        answer(&message.to_string())["output"].clone()
    };
    assert_eq!((at("square"), at("double")), (json!(12.25), json!(7.0)));
}

#[test]
fn lse() {
    let x: Vec<f64> = spread(40, 1.0).iter().map(|x| 800.0 + 3.0 * x).collect();
    let value = logsumexp(&x);
    let softmax: Vec<f64> = x.iter().map(|x| (x - value).exp()).collect();
    assert_close(&ask("lse", "primal", json!({"x": x})), &[value]);
    assert_close(&ask("lse", "gradient", json!({"x": x})), &softmax);
}

#[test]
fn llsq() {
    for n in [16, 37] {
        let x = spread(8, 2.0);
        let points: Vec<f64> = (0..n)
            .map(|i| -1.0 + 2.0 * i as f64 / (n - 1) as f64)
            .collect();
        let residual = |t: f64| {
            let sign = if t == 0.0 { 0.0 } else { t.signum() };
            let terms = x.iter().enumerate().map(|(j, x)| x * t.powi(j as i32));
            sign - terms.sum::<f64>()
        };
        let value = 0.5 * points.iter().map(|&t| residual(t).powi(2)).sum::<f64>();
        let slope = |j: i32| points.iter().map(|&t| -residual(t) * t.powi(j)).sum();
        let slopes: Vec<f64> = (0..8).map(slope).collect();
        assert_close(&ask("llsq", "primal", json!({"x": x, "n": n})), &[value]);
        assert_close(&ask("llsq", "gradient", json!({"x": x, "n": n})), &slopes);
    }
}

#[test]
fn ode() {
    let x = spread(5, 3.0);
    // Each component is a power of t; the method is exact up to the fourth.
    let exact: Vec<f64> = (1..=4)
        .map(|i| (0..i).map(|j| x[j] * 2.0 / (j + 1) as f64).product())
        .collect();
    for steps in [1, 3, 10] {
        let last = |x: &[f64]| ode_by_loops(x, steps)[4];
        let input = || json!({"x": x, "s": steps});
        let got = ask("ode", "primal", input());
        assert_close(&got, &ode_by_loops(&x, steps));
        assert_close(&got[..4], &exact);
        assert_close(&ask("ode", "gradient", input()), &slopes(&last, &x));
    }
}

fn ode_by_loops(x: &[f64], steps: usize) -> Vec<f64> {
    let rate = |y: &[f64]| -> Vec<f64> {
        let before = |i: usize| if i == 0 { 1.0 } else { y[i - 1] };
        (0..x.len()).map(|i| x[i] * before(i)).collect()
    };
    let along = |y: &[f64], h: f64, k: &[f64]| -> Vec<f64> {
        y.iter().zip(k).map(|(y, k)| y + h * k).collect()
    };
    let h = 2.0 / steps as f64;
    let mut y = vec![0.0; x.len()];
    for _ in 0..steps {
        let k1 = rate(&y);
        let k2 = rate(&along(&y, h / 2.0, &k1));
        let k3 = rate(&along(&y, h / 2.0, &k2));
        let k4 = rate(&along(&y, h, &k3));
        for (i, y) in y.iter_mut().enumerate() {
            *y += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    y
}

#[test]
fn kmeans() {
    let (points, centroids) = (spread(30 * 3, 4.0), spread(4 * 3, 5.0));
    let (points, centroids) = (rows(&points, 3), rows(&centroids, 3));
    let distance =
        |p: &[f64], c: &[f64]| -> f64 { p.iter().zip(c).map(|(p, c)| (p - c).powi(2)).sum() };
    let mut cost = 0.0;
    let mut near = vec![vec![]; 4];
    for p in &points {
        let distances: Vec<f64> = centroids.iter().map(|c| distance(p, c)).collect();
        let order = |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]);
        let nearest = (0..4).min_by(order).expect("a centroid");
        cost += distances[nearest];
        near[nearest].push(*p);
    }
    // From the mean of the nearby points.
    let mut direction = vec![];
    for (c, near) in centroids.iter().zip(&near) {
        assert!(!near.is_empty(), "every centroid is near to some point");
        for (j, c) in c.iter().enumerate() {
            let sum: f64 = near.iter().map(|p| p[j]).sum();
            direction.push(c - sum / near.len() as f64);
        }
    }
    let input = || json!({"points": points, "centroids": centroids});
    assert_close(&ask("kmeans", "cost", input()), &[cost]);
    assert_close(&ask("kmeans", "dir", input()), &direction);
}

#[test]
fn gmm() {
    let (n, k) = (7, 3);
    for d in [1, 2, 4] {
        let below = d * (d - 1) / 2;
        let x = spread(n * d, 6.0);
        let unknowns = spread(k * (1 + d + d + below), 7.0);
        let parts = |unknowns: &[f64]| {
            let (alpha, rest) = unknowns.split_at(k);
            let (mu, rest) = rest.split_at(k * d);
            let (q, l) = rest.split_at(k * d);
            [alpha, mu, q, l].map(<[f64]>::to_vec)
        };
        let (gamma, m) = (1.3, 2);
        let by_loops = |unknowns: &[f64]| gmm_by_loops(parts(unknowns), &x, d, gamma, m);
        let [alpha, mu, q, l] = parts(&unknowns);
        let l: Vec<&[f64]> = (0..k).map(|i| &l[i * below..(i + 1) * below]).collect();
        let input = || {
            json!({
                "d": d, "k": k, "n": n, "x": rows(&x, d), "m": m, "gamma": gamma,
                "alpha": alpha, "mu": rows(&mu, d), "q": rows(&q, d), "l": l
            })
        };
        assert_close(&ask("gmm", "objective", input()), &[by_loops(&unknowns)]);
        assert_close(
            &ask("gmm", "jacobian", input()),
            &slopes(&by_loops, &unknowns),
        );
    }
}

fn gmm_by_loops(
    [alpha, mu, q, l]: [Vec<f64>; 4],
    x: &[f64],
    d: usize,
    gamma: f64,
    m: usize,
) -> f64 {
    let (k, below) = (alpha.len(), d * (d - 1) / 2);
    let mut value = 0.0;
    for x in rows(x, d) {
        let term = |i: usize| {
            let (mu, q, l) = (&mu[i * d..], &q[i * d..(i + 1) * d], &l[i * below..]);
            let mut image: Vec<f64> = (0..d).map(|r| q[r].exp() * (x[r] - mu[r])).collect();
            let mut next = 0;
            for column in 0..d {
                for image in &mut image[column + 1..] {
                    *image += l[next] * (x[column] - mu[column]);
                    next += 1;
                }
            }
            let size: f64 = image.iter().map(|y| y * y).sum();
            alpha[i] + q.iter().sum::<f64>() - 0.5 * size
        };
        let terms: Vec<f64> = (0..k).map(term).collect();
        value += logsumexp(&terms) - logsumexp(&alpha);
        value -= 0.5 * d as f64 * (2.0 * std::f64::consts::PI).ln();
    }
    let freedom = (d + m + 1) as f64;
    let normaliser = freedom * d as f64 * (gamma / 2f64.sqrt()).ln() - log_gamma(d, d + m + 1);
    let size: f64 =
        q.iter().map(|q| (2.0 * q).exp()).sum::<f64>() + l.iter().map(|l| l * l).sum::<f64>();
    value + k as f64 * normaliser - 0.5 * gamma * gamma * size + m as f64 * q.iter().sum::<f64>()
}

/// Computes the logarithm of the `d`-dimensional gamma function at half an integer.
fn log_gamma(d: usize, twice: usize) -> f64 {
    let pi = std::f64::consts::PI;
    let gamma_of_half = |n: usize| -> f64 {
        // gamma(n/2) from gamma(1) = 1 or gamma(1/2) = sqrt(pi).
        let start = if n.is_multiple_of(2) { 1.0 } else { pi.sqrt() };
        (0..)
            .map(|i| (2 - n % 2) as f64 / 2.0 + i as f64)
            .take_while(|x| *x < n as f64 / 2.0 - 0.25)
            .fold(start, |product, x| product * x)
    };
    let sum: f64 = (0..d).map(|j| gamma_of_half(twice - j).ln()).sum();
    (d * (d - 1)) as f64 / 4.0 * pi.ln() + sum
}

#[test]
fn lstm() {
    let (layers, b, c) = (2, 3, 6);
    let unknowns = spread(2 * layers * 4 * b + 3 * b, 8.0);
    let (state, sequence) = (spread(2 * layers * b, 9.0), spread(c * b, 10.0));
    let by_loops = |unknowns: &[f64]| lstm_by_loops(unknowns, &state, &sequence, layers, b);
    let (main, extra) = unknowns.split_at(2 * layers * 4 * b);
    let input = || {
        json!({
            "main_params": rows(main, 4 * b), "extra_params": rows(extra, b),
            "state": rows(&state, b), "sequence": rows(&sequence, b)
        })
    };
    assert_close(&ask("lstm", "objective", input()), &[by_loops(&unknowns)]);
    assert_close(
        &ask("lstm", "jacobian", input()),
        &slopes(&by_loops, &unknowns),
    );
}

fn lstm_by_loops(
    unknowns: &[f64],
    state: &[f64],
    sequence: &[f64],
    layers: usize,
    b: usize,
) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (main, extra) = unknowns.split_at(2 * layers * 4 * b);
    let mut state = state.to_vec();
    let sequence = rows(sequence, b);
    let mut loss = 0.0;
    for pair in sequence.windows(2) {
        let mut x: Vec<f64> = (0..b).map(|i| pair[0][i] * extra[i]).collect();
        for layer in 0..layers {
            let weights = &main[2 * layer * 4 * b..];
            let biases = &weights[4 * b..];
            let memory = &mut state[2 * layer * b..];
            for i in 0..b {
                let (hidden, cell) = (memory[i], memory[b + i]);
                let affine = |j: usize, x: f64| x * weights[j * b + i] + biases[j * b + i];
                let kept = cell * sigmoid(affine(0, x[i]));
                let cell = kept + sigmoid(affine(1, hidden)) * affine(3, hidden).tanh();
                let hidden = sigmoid(affine(2, x[i])) * cell.tanh();
                (memory[i], memory[b + i], x[i]) = (hidden, cell, hidden);
            }
        }
        let y: Vec<f64> = (0..b)
            .map(|i| x[i] * extra[b + i] + extra[2 * b + i])
            .collect();
        let all = (2.0 + y.iter().map(|y| y.exp()).sum::<f64>()).ln();
        loss -= (0..b).map(|i| pair[1][i] * (y[i] - all)).sum::<f64>();
    }
    loss / ((sequence.len() - 1) * b) as f64
}

/// Computes the errors of one observation, from 15 parameters.
fn reprojection(x: &[f64], observed: [f64; 2]) -> [f64; 2] {
    let cross = |a: [f64; 3], b: [f64; 3]| {
        let part = |i: usize, j: usize| a[i] * b[j] - a[j] * b[i];
        [part(1, 2), part(2, 0), part(0, 1)]
    };
    let point: [f64; 3] = std::array::from_fn(|i| x[11 + i] - x[3 + i]);
    let angle = (x[0] * x[0] + x[1] * x[1] + x[2] * x[2]).sqrt();
    let axis: [f64; 3] = std::array::from_fn(|i| x[i] / angle);
    let along: f64 = (0..3).map(|i| axis[i] * point[i]).sum();
    let turned = cross(axis, point);
    let seen: [f64; 3] = std::array::from_fn(|i| {
        point[i] * angle.cos() + turned[i] * angle.sin() + axis[i] * along * (1.0 - angle.cos())
    });
    let plane = [seen[0] / seen[2], seen[1] / seen[2]];
    let square = plane[0] * plane[0] + plane[1] * plane[1];
    let bent = 1.0 + x[9] * square + x[10] * square * square;
    std::array::from_fn(|i| x[14] * (plane[i] * bent * x[6] + x[7 + i] - observed[i]))
}

#[test]
fn ba() {
    let x = [
        0.3, -0.2, 0.5, 0.1, 0.2, -0.3, 1.5, 0.4, -0.6, 0.05, 0.01, 0.7, -0.4, 2.5, 0.8,
    ];
    let observed = [0.2, -0.1];
    let input = json!({
        "n": 3, "m": 2, "p": 5, "cam": x[..11], "x": x[11..14], "w": x[14], "feat": observed
    });
    let evaluate = |function: &str| {
        let message = json!({
            "id": 1, "kind": "evaluate", "module": "ba", "function": function, "input": input
        });
        answer(&message.to_string())["output"].clone()
    };
    let numbers = |value: &Value| {
        let mut out = vec![];
        flatten(value, &mut out);
        out
    };
    let errors = evaluate("objective");
    assert_close(
        &numbers(&errors["reproj_error"]["elements"]),
        &reprojection(&x, observed),
    );
    assert_close(&numbers(&errors["w_err"]["element"]), &[1.0 - 0.8 * 0.8]);
    let jacobian = evaluate("jacobian");
    let mut want = slopes(&|x| reprojection(x, observed)[0], &x);
    want.extend(slopes(&|x| reprojection(x, observed)[1], &x));
    want.push(-1.6);
    assert_close(&numbers(&jacobian["vals"]), &want);
    let (rows, columns) = (numbers(&jacobian["rows"]), numbers(&jacobian["cols"]));
    assert_eq!(rows[..3], [0.0, 15.0, 30.0]);
    // Ten rows of errors, and the first of weights.
    assert_eq!((rows[10], rows[11], rows[30]), (150.0, 151.0, 155.0));
    assert_eq!(columns[..15], columns[15..30]);
    assert_eq!(columns[10..15], [10.0, 33.0, 34.0, 35.0, 39.0]);
    assert_eq!(columns[30], 43.0);
}

/// Computes a determinant by elimination.
fn determinant(a: &[f64], n: usize) -> f64 {
    let mut a = a.to_vec();
    let mut det = 1.0;
    for i in 0..n {
        let rows = i..n;
        let most = rows.max_by(|&p, &q| a[p * n + i].abs().total_cmp(&a[q * n + i].abs()));
        let p = most.expect("there are rows");
        if p != i {
            (0..n).for_each(|j| a.swap(i * n + j, p * n + j));
            det = -det;
        }
        det *= a[i * n + i];
        for r in i + 1..n {
            let factor = a[r * n + i] / a[i * n + i];
            (i..n).for_each(|j| a[r * n + j] -= factor * a[i * n + j]);
        }
    }
    det
}

#[test]
fn det() {
    for n in [1, 2, 5] {
        let a = spread(n * n, 3.0);
        let input = json!({"A": a, "ell": n});
        assert_close(&ask("det", "primal", input.clone()), &[determinant(&a, n)]);
        let want = slopes(&|a| determinant(a, n), &a);
        assert_close(&ask("det", "gradient", input), &want);
    }
}

#[test]
fn particle_and_saddle_in_all_modes() {
    for modes in ["ff", "fr", "rf", "rr"] {
        // The result that is published with the problem.
        let w = ask("particle", modes, json!({"w": 0.0}));
        assert_close(&w, &[0.20719187464861194]);
        let point = ask("saddle", modes, json!({"start": [1.0, 1.0]}));
        assert_eq!(point.len(), 4);
        assert!(point.iter().all(|x| x.abs() < 1e-5), "{point:?}");
    }
}

#[test]
fn ht() {
    // Two bones before the fingers, and twenty in them; a small skin.
    let (bones, points) = (22, 7);
    let matrix = |seed: f64| {
        let all = spread(16, seed);
        let rows = rows(&all, 4).into_iter().enumerate();
        let rows = rows.map(|(i, row)| {
            let row = row.iter().enumerate();
            row.map(|(j, x)| 0.1 * x + if i == j { 1.0 } else { 0.0 })
                .collect::<Vec<f64>>()
        });
        rows.collect::<Vec<_>>()
    };
    let matrices = |seed: f64| {
        (0..bones)
            .map(|b| matrix(seed + b as f64))
            .collect::<Vec<_>>()
    };
    let parents: Vec<i64> = (0..bones)
        .map(|b| if b % 4 == 2 { 0 } else { b as i64 - 1 })
        .collect();
    let (skin, weights) = (spread(4 * points, 1.0), spread(bones * points, 2.0));
    let measured = spread(9, 5.0);
    let input = |pose: &[f64], us: Option<&[f64]>| {
        json!({
            "theta": pose,
            "us": us.map_or(vec![], |us| rows(us, 2)),
            "data": {
                "model": {
                    "bone_count": bones, "parents": parents, "base_relatives": matrices(0.3),
                    "inverse_base_absolutes": matrices(0.7), "base_positions": rows(&skin, 4),
                    "weights": rows(&weights, bones), "triangles": [[0, 1, 2], [2, 3, 4], [6, 5, 1]],
                    "is_mirrored": true
                },
                "correspondences": [2, 0, 1], "points": rows(&measured, 3)
            }
        })
    };
    let pose = spread(26, 4.0);
    let at = |pose: &[f64]| ask("ht", "objective", input(pose, None));
    let by_pose = ask("ht", "jacobian", input(&pose, None));
    let us = [0.2, 0.5, 0.3, 0.1, 0.6, 0.2];
    let inside = |pose: &[f64], us: &[f64]| ask("ht", "objective", input(pose, Some(us)));
    let by_both = ask("ht", "jacobian", input(&pose, Some(&us)));
    assert_eq!((by_pose.len(), by_both.len()), (9 * 26, 9 * 28));
    // Central differences along some parameters.
    let h = 1e-5;
    let slope = |f: &dyn Fn(f64) -> Vec<f64>| {
        let (up, down) = (f(h), f(-h));
        let each = up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * h));
        each.collect::<Vec<f64>>()
    };
    let moved = |x: &[f64], i: usize, by: f64| {
        let mut x = x.to_vec();
        x[i] += by;
        x
    };
    let near = |got: f64, want: f64| assert!((got - want).abs() < 1e-8, "{got} and {want}");
    for i in [0, 4, 6, 7, 13, 25] {
        let (alone, both) = (
            slope(&|by| at(&moved(&pose, i, by))),
            slope(&|by| inside(&moved(&pose, i, by), &us)),
        );
        for row in 0..9 {
            near(by_pose[26 * row + i], alone[row]);
            near(by_both[28 * row + 2 + i], both[row]);
        }
    }
    for (point, way) in [(0, 0), (1, 1), (2, 0)] {
        let by_us = slope(&|by| inside(&pose, &moved(&us, 2 * point + way, by)));
        for row in 3 * point..3 * point + 3 {
            near(by_both[28 * row + way], by_us[row]);
        }
    }
    // The first triangle has the corners 0, 1 and 2; the second point is nearest to the corner 0, or in that triangle.
    let first = inside(&pose, &[1.0, 0.0].repeat(3));
    let alone = at(&pose);
    for (first, alone) in first[3..6].iter().zip(&alone[3..6]) {
        near(*first, *alone);
    }
}
