//! Bundle adjustment: how far points seen by cameras are from where they were observed.

use wengert::prelude::*;

/// The parameters of a camera: rotation (axis times angle), centre, focal length, principal point, and radial
/// distortion.
pub const CAMERA: usize = 11;

/// Computes the weighted difference between where a camera, `[11]`, sees a point, `[3]`, and where it was observed.
pub fn reprojection((camera, point, weight, observed): (Var, Var, Var, Var)) -> Var {
    let seen = rotate(camera.at(..3), point - camera.at(3..6));
    let plane = seen.at(..2) / seen.at(2);
    let square = plane.square().sum();
    let distortion = 1.0 + camera.at(9) * square + camera.at(10) * square.square();
    let projected = plane * distortion * camera.at(6) + camera.at(7..9);
    weight * (projected - observed)
}

/// Computes by how much a weight differs from 1.
pub fn weight_error(weight: Var) -> Var {
    1.0 - weight * weight
}

/// Rotates a point about an axis, by an angle that is the axis' length.
fn rotate(rotation: Var, point: Var) -> Var {
    let square = rotation.square().sum();
    let is_rotated = square.ne(0.0);
    let angle = is_rotated.select(square, 1.0).sqrt();
    let axis = rotation / angle;
    let along = axis.dot(point) * (1.0 - angle.cos());
    let rotated = point * angle.cos() + cross(axis, point) * angle.sin() + axis * along;
    is_rotated.select(rotated, point + cross(rotation, point))
}

fn cross(a: Var, b: Var) -> Var {
    let part = |i: usize, j: usize| a.at(i) * b.at(j) - a.at(j) * b.at(i);
    stack([part(1, 2), part(2, 0), part(0, 1)])
}

/// Cameras, points, and for each observation the numbers of its camera and point, its weight and its place.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Scene<T = Var> {
    pub cameras: T,
    pub points: T,
    pub camera: T,
    pub point: T,
    pub weights: T,
    pub observed: T,
}

impl Scene {
    /// Computes the errors of all observations, `[p, 2]`, and of their weights, `[p]`.
    pub fn errors(self) -> (Var, Var) {
        let one = move |(c, p, w, o): (Var, Var, Var, Var)| {
            let error = reprojection((self.cameras.at(c), self.points.at(p), w, o));
            (error, weight_error(w))
        };
        vmap(one)((self.camera, self.point, self.weights, self.observed))
    }

    /// Computes for each observation the derivatives of its errors by its camera, point and weight, `[p, 2, 15]`, and
    /// that of the error of its weight, `[p]`.
    pub fn jacobian(self) -> (Var, Var) {
        let one = move |(c, p, w, o): (Var, Var, Var, Var)| {
            let error = move |x: Var| reprojection((x.at(..11), x.at(11..14), x.at(14), o));
            let x = concat([self.cameras.at(c), self.points.at(p), w.reshape([1])], 0);
            (jacrev(error)(x), grad(weight_error)(w))
        };
        vmap(one)((self.camera, self.point, self.weights, self.observed))
    }
}
