//! Problems of GradBench, as in `examples/gradbench.rs`, which compares them with other tools.

#[path = "../../../examples/gradbench/models/mod.rs"]
mod models;

use wengert::prelude::*;

use self::models::ba::{CAMERA, Scene};
use self::models::descent::{Mode, particle, saddle};
use self::models::det::determinant;
use self::models::ht::{self, Hand, Measured, Skeleton};
use crate::inputs::{array, u};
use crate::measure::Workload;

/// Cameras, points and observations of bundle adjustment.
const SCENE: [usize; 3] = [49, 7_776, 31_843];
/// Points of the skin of a hand, and measured ones.
const HAND: [usize; 2] = [10_000, 192];
const BONES: usize = 22;

pub fn workloads() -> Vec<Workload> {
    let mut all = vec![
        Workload::of("gradbench/ba", || (jit(Scene::errors), scene())),
        Workload::of("gradbench/ba_jacobian", || (jit(Scene::jacobian), scene())),
        Workload::of("gradbench/ht", || {
            let skeleton = skeleton();
            let f = move |(hand, measured, pose)| ht::differences(hand, &skeleton, measured, pose);
            (jit(f), tracked())
        }),
        Workload::of("gradbench/ht_jacobian", || {
            let skeleton = skeleton();
            let f = move |(hand, measured, pose)| ht::jacobian(hand, &skeleton, measured, pose);
            (jit(f), tracked())
        }),
        Workload::of("gradbench/det_8", || (jit(determinant), irregular())),
        Workload::of("gradbench/det_grad_8", || {
            (jit(grad(determinant)), irregular())
        }),
    ];
    for name in ["ff", "rr"] {
        let modes = Mode::of(name).expect("two modes");
        all.push(
            Workload::of(format!("gradbench/particle_{name}"), move || {
                (jit(move |w: Var| particle(modes, w)), Array::from(0.0))
            })
            .with_steps(180.0),
        );
        all.push(
            Workload::of(format!("gradbench/saddle_{name}"), move || {
                let start = Array::from(vec![1.0, 1.0]);
                (jit(move |x: Var| saddle(modes, x)), start)
            })
            .with_steps(170.0),
        );
    }
    all
}

/// Returns a matrix whose rows have nothing to do with each other.
fn irregular() -> Array {
    let all = (1..=64).map(|i| f64::from(i * i).sin());
    Array::new([8, 8], all.collect()).expect("all of them")
}

/// Returns a scene, whose points are in front of all cameras.
fn scene() -> Scene<Array> {
    let [n, m, p] = SCENE;
    let which = |of: usize| Array::from((0..p).map(|i| (i % of) as i64).collect::<Vec<_>>());
    let points = u(3 * m, 1).into_iter().enumerate();
    let points = points.map(|(i, x)| if i % 3 == 2 { 2.0 + x } else { x });
    Scene {
        cameras: Array::new(
            [n, CAMERA],
            u(CAMERA * n, 0).iter().map(|x| 0.1 + 0.2 * x).collect(),
        )
        .expect("all of them"),
        points: Array::new([m, 3], points.collect()).expect("all of them"),
        camera: which(n),
        point: which(m),
        weights: array([p], 2),
        observed: array([p, 2], 3),
    }
}

/// Returns five fingers of four bones, whose first is on the wrist.
fn skeleton() -> Skeleton {
    let parent = |b: usize| match b {
        0 => None,
        b if b % 4 == 2 => Some(0),
        b => Some(b - 1),
    };
    Skeleton {
        parents: (0..BONES).map(parent).collect(),
        is_mirrored: false,
    }
}

fn tracked() -> (Hand<Array>, Measured<Array>, Array) {
    let [n, m] = HAND;
    let matrices = |k: usize| {
        let all = u(16 * BONES, k).into_iter().enumerate();
        let all = all.map(|(i, x)| 0.1 * x + if i % 16 % 5 == 0 { 1.0 } else { 0.0 });
        Array::new([BONES, 4, 4], all.collect()).expect("all of them")
    };
    let hand = Hand {
        relatives: matrices(0),
        at_rest: matrices(5),
        skin: array([n, 4], 1),
        weights: array([n, BONES], 2),
    };
    let nearest: Vec<i64> = (0..m as i64).map(|i| i * 7).collect();
    let measured = Measured {
        points: array([m, 3], 3),
        nearest: Array::from(nearest),
    };
    (hand, measured, array([ht::POSE], 4))
}
