//! Newton's direction for the centres of clusters.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, json};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

/// Computes the sum of the squared distances of points to their nearest centroids: `[n, d]` and `[k, d]`.
pub fn cost(points: Var, centroids: Var) -> Var {
    let nearest = centroids.at(nearest(points, stop_gradient(centroids)));
    (points - nearest).square().sum()
}

/// Returns the index of the nearest centroid for each point.
fn nearest(points: Var, centroids: Var) -> Var {
    // |p - c|² = |p|² - 2 p·c + |c|², where |p|² is the same for all centroids.
    let sizes = centroids.square().sum_axis(1);
    (sizes - 2.0 * points.dot(centroids.t())).argmin_axis(1)
}

/// Computes the gradient divided by the diagonal of the Hessian. The Hessian is diagonal, so its product with
/// ones is its diagonal.
pub fn direction(points: Var, centroids: Var) -> Var {
    let gradient = grad(move |c| cost(points, c));
    let (gradient, diagonal) = jvp(gradient, centroids, ones_like(centroids));
    gradient / diagonal
}

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let args = (
        array::<2>(input, "points")?,
        array::<2>(input, "centroids")?,
    );
    match function {
        "cost" => timed(|(points, c)| cost(points, c), args, limits, json),
        "dir" => timed(|(points, c)| direction(points, c), args, limits, json),
        _ => unknown(function),
    }
}
