//! Hand tracking.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, json};
use crate::models::ht::{Hand, Measured, POSE, Skeleton, differences, jacobian};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let (data, model) = (&input["data"], &input["data"]["model"]);
    let pose = array::<1>(input, "theta")?;
    if pose.shape() != [POSE] {
        return Err(format!("a pose has {POSE} numbers"));
    }
    let parents = integers(&model["parents"])?.into_iter();
    let skeleton = Skeleton {
        parents: parents.map(|p| usize::try_from(p).ok()).collect(),
        is_mirrored: model["is_mirrored"].as_bool().unwrap_or_default(),
    };
    let hand = Hand {
        relatives: array::<3>(model, "base_relatives")?,
        at_rest: array::<3>(model, "inverse_base_absolutes")?,
        skin: array::<2>(model, "base_positions")?,
        weights: array::<2>(model, "weights")?,
    };
    let points = array::<2>(data, "points")?;
    let nearest = integers(&data["correspondences"])?;
    if input["us"].as_array().is_none_or(Vec::is_empty) {
        let nearest = Array::from(nearest);
        let args = (hand, Measured { points, nearest }, pose);
        return match function {
            "objective" => timed(
                move |(hand, measured, pose)| differences(hand, &skeleton, measured, pose),
                args,
                limits,
                json,
            ),
            "jacobian" => timed(
                move |(hand, measured, pose)| jacobian(hand, &skeleton, measured, pose),
                args,
                limits,
                json,
            ),
            _ => unknown(function),
        };
    }
    let corners = &model["triangles"];
    let triangles = nearest.iter().map(|&i| integers(&corners[i as usize]));
    let triangles: Vec<i64> = triangles.collect::<Result<Vec<_>, _>>()?.concat();
    let triangles = Array::new([nearest.len(), 3], triangles).map_err(|e| e.to_string())?;
    let args = (hand, points, triangles, (pose, array::<2>(input, "us")?));
    match function {
        "objective" => timed(
            move |(hand, points, triangles, x)| {
                differences_in_triangles(hand, &skeleton, points, triangles, x)
            },
            args,
            limits,
            json,
        ),
        "jacobian" => timed(
            move |(hand, points, triangles, x)| {
                jacobian_in_triangles(hand, &skeleton, points, triangles, x)
            },
            args,
            limits,
            json,
        ),
        _ => unknown(function),
    }
}

fn integers(list: &Value) -> Result<Vec<i64>, String> {
    let all = list.as_array().into_iter().flatten().map(Value::as_i64);
    let all: Option<Vec<i64>> = all.collect();
    all.ok_or_else(|| format!("no integers: {list}"))
}

/// Computes the differences between measured points and the skin in a pose, `[3 m]`, where a measured point is nearest to
/// one in a triangle of the skin, `[m, 3]`, with the coordinates `us`, `[m, 2]`.
fn differences_in_triangles(
    hand: Hand,
    skeleton: &Skeleton,
    points: Var,
    triangles: Var,
    (pose, us): (Var, Var),
) -> Var {
    let skin = hand.posed(skeleton, pose);
    let corner = |k: usize| skin.at(triangles.at(s![.., k]));
    let (u, v) = (us.at(s![.., 0..1]), us.at(s![.., 1..2]));
    let there = u * corner(0) + v * corner(1) + (1.0 - u - v) * corner(2);
    (points - there).reshape([-1])
}

/// Computes the derivatives by each point's own two coordinates, and by the pose: `[3 m, 28]`.
fn jacobian_in_triangles(
    hand: Hand,
    skeleton: &Skeleton,
    points: Var,
    triangles: Var,
    (pose, us): (Var, Var),
) -> Var {
    let f = |x| differences_in_triangles(hand, skeleton, points, triangles, x);
    let by_pose = jacfwd(|pose: Var| f((pose, us)))(pose);
    let by_us = |way: [f64; 2]| {
        let way = zeros_like(us) + Var::from(way);
        jvp(|us: Var| f((pose, us)), us, way).1
    };
    let own = stack_axis([by_us([1.0, 0.0]), by_us([0.0, 1.0])], 1);
    concat([own, by_pose], 1)
}
