//! Hand tracking: how far the skin of a hand in some pose is from measured points.

use wengert::prelude::*;

/// The number of parameters of a pose: rotation, translation, and four angles for each finger.
pub const POSE: usize = 26;

/// A hand: its bones, and how its skin follows them.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Hand<T = Var> {
    /// Each bone beside its parent: `[bones, 4, 4]`.
    pub relatives: T,
    /// The inverse of each bone at rest: `[bones, 4, 4]`.
    pub at_rest: T,
    /// Points of the skin at rest: `[n, 4]`.
    pub skin: T,
    /// How much each point follows each bone: `[n, bones]`.
    pub weights: T,
}

/// What does not depend on numbers: the parent of each bone, which comes before it, and whether it is a left hand.
#[derive(Clone, Debug)]
pub struct Skeleton {
    pub parents: Vec<Option<usize>>,
    pub is_mirrored: bool,
}

impl Hand {
    /// Computes where the points of the skin are in a pose, `[26]`: `[n, 3]`.
    pub fn posed(self, skeleton: &Skeleton, pose: Var) -> Var {
        let bones = skeleton.parents.len();
        let mut absolutes: Vec<Var> = vec![];
        for (i, parent) in skeleton.parents.iter().enumerate() {
            let relative = self.relatives.at(i).dot(turn(angles(pose, i)));
            absolutes.push(match parent {
                Some(parent) => absolutes[*parent].dot(relative),
                None => relative,
            });
        }
        let moves = einsum("bij,bjk->bik", &[stack(&absolutes), self.at_rest]);
        let moves = moves.at(s![.., ..3, ..]).reshape([bones as i64, 12]);
        let moves = self.weights.dot(moves).reshape([-1, 3, 4]);
        let mut skin = (moves * self.skin.expand_dims(1)).sum_axis(2);
        if skeleton.is_mirrored {
            skin *= Var::from([-1.0, 1.0, 1.0]);
        }
        skin.dot(rotation(pose.at(..3)).t()) + pose.at(3..6)
    }
}

/// Returns the three angles of a bone: the first joint of a finger has two, the others have one.
fn angles(pose: Var, bone: usize) -> [Var; 3] {
    let zero = Var::from(0.0);
    // Bones: the wrist, and a finger's three that move and one that does not.
    let (finger, joint) = match bone.checked_sub(2) {
        Some(b) if b / 4 < 5 => (b / 4, b % 4),
        _ => return [zero; 3],
    };
    let first = 6 + 4 * finger;
    match joint {
        0 => [pose.at(first), pose.at(first + 1), zero],
        1 | 2 => [pose.at(first + joint + 1), zero, zero],
        _ => [zero; 3],
    }
}

/// Returns the turn by angles about the first, the third and the second axis: `[4, 4]`.
fn turn([x, z, y]: [Var; 3]) -> Var {
    let (zero, one) = (Var::from(0.0), Var::from(1.0));
    let ([sx, cx], [sy, cy], [sz, cz]) =
        ([x.sin(), x.cos()], [y.sin(), y.cos()], [z.sin(), z.cos()]);
    stack([
        stack([
            cz * cy,
            cz * sy * sx - sz * cx,
            cz * sy * cx + sz * sx,
            zero,
        ]),
        stack([
            sz * cy,
            sz * sy * sx + cz * cx,
            sz * sy * cx - cz * sx,
            zero,
        ]),
        stack([-sy, cy * sx, cy * cx, zero]),
        stack([zero, zero, zero, one]),
    ])
}

/// Returns the rotation about an axis by an angle, which is the axis' length.
fn rotation(axis: Var) -> Var {
    let square = axis.square().sum();
    let turns = square.ge(1e-8);
    let angle = turns.select(square, 1.0).sqrt();
    let (s, c) = (angle.sin(), angle.cos());
    let [x, y, z] = [0, 1, 2].map(|i| axis.at(i) / angle);
    let off = 1.0 - c;
    let rotated = stack([
        stack([
            x * x + (1.0 - x * x) * c,
            x * y * off - z * s,
            x * z * off + y * s,
        ]),
        stack([
            x * y * off + z * s,
            y * y + (1.0 - y * y) * c,
            y * z * off - x * s,
        ]),
        stack([
            x * z * off - y * s,
            z * y * off + x * s,
            z * z + (1.0 - z * z) * c,
        ]),
    ]);
    turns.select(rotated, eye(3))
}

/// The measured points, `[m, 3]`, and for each the number of a point of the skin.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Measured<T = Var> {
    pub points: T,
    pub nearest: T,
}

/// Computes the differences between measured points and the skin in a pose: `[3 m]`.
pub fn differences(hand: Hand, skeleton: &Skeleton, measured: Measured, pose: Var) -> Var {
    let skin = hand.posed(skeleton, pose);
    (measured.points - skin.at(measured.nearest)).reshape([-1])
}

/// Computes the derivatives of the differences by the pose: `[3 m, 26]`.
pub fn jacobian(hand: Hand, skeleton: &Skeleton, measured: Measured, pose: Var) -> Var {
    jacfwd(|pose: Var| differences(hand, skeleton, measured, pose))(pose)
}
