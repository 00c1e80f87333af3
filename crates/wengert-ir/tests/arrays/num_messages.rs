//! The messages of mistakes in composed operations: they name the operation that was called and the
//! caller's line.

use expect_test::expect;
use wengert_ir::num::{Order, Overlap, Padding, einsum, select};
use wengert_ir::trace::{arange, eye, full_like, geomspace, keep, linspace, meshgrid, ones, zeros};

use super::messages::{Mistake, check, mistakes};

#[test]
fn making() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        arange((0, 5, 0));
        linspace(v, x, 5);
        linspace(0.0, 1.0, usize::MAX);
        geomspace(true, v.t(), 1usize << 62);
        eye([1, 2, 3]);
        eye(-1);
        meshgrid([v, x])[0];
        full_like(x, 1i64 << 40).at(7);
        full_like(b, 2);
        full_like(i, 0.5);
    };
    check(
        wrong,
        expect![[r#"
            arange((0, 5, 0))
                arange: no step leads from 0 to 5
            linspace(v, x, 5)
                linspace: f64[3] and f64[3,4] do not broadcast
            linspace(0.0, 1.0, usize::MAX)
                linspace: f64[9223372036854775807] is larger than memory can be
            geomspace(true, v.t(), 1usize << 62)
                geomspace: f64[4611686018427387904,3] is larger than memory can be
            eye([1, 2, 3])
                eye: [1, 2, 3] is not the shape of a matrix
            eye(-1)
                eye: [-1] holds a negative length
            meshgrid([v, x])[0]
                meshgrid: f64[3,4] is not a vector
            full_like(x, 1i64 << 40).at(7)
                at: f64[3,4] has no place 7 along axis 0
            full_like(b, 2)
                full_like: 2 does not go into bool[2]; convert one of them, as in `x.to(DType::F64)`
            full_like(i, 0.5)
                full_like: the float 0.5 does not go into i64; convert one of them, as in `x.to(DType::F64)`
        "#]],
    );
}

#[test]
fn shapes() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.expand_dims([0, 0]);
        x.expand_dims([0, 5]);
        x.move_axis([0, 1], 0);
        x.move_axis([0, 0], [0, 1]);
        x.move_axis(0, 2);
        x.flip(2);
        x.roll([1, 2], 0);
        x.roll(1, 2);
        v.rot90(1);
        x.repeat(2, 2);
        x.repeat(usize::MAX, 0);
        x.tile(-1);
        x.tile([1i64 << 40, 1i64 << 40]);
        x.pad([(1, 1)]);
        x.pad_with([(1, 1)], 1.0);
        i.to(wengert_ir::ir::DType::I64).expand_dims(0).pad_with([(1, 1)], 0.5);
        x.pad_by([(0, 0), (usize::MAX, 1)], Padding::Edge);
        zeros([0, 2]).pad_by([(1, 0), (0, 0)], Padding::Wrap);
        x.split(3, 1)[0];
        x.split(0, 1)[0];
        x.split_at(&[3, 2], 1)[0];
        x.split_at(&[5], 1)[0];
        x.array_split(0, 0)[0];
        x.sum_axis(keep(2));
        x.mean_axis(keep([0, 0]));
    };
    check(
        wrong,
        expect![[r#"
            x.expand_dims([0, 0])
                expand_dims: an axis is named twice in [0, 0]
            x.expand_dims([0, 5])
                expand_dims: f64[3,4] has no axis 5
            x.move_axis([0, 1], 0)
                move_axis: axes [0, 1] of f64[3,4] as axes [0]
            x.move_axis([0, 0], [0, 1])
                move_axis: an axis of f64[3,4] is named twice in [0, 0]
            x.move_axis(0, 2)
                move_axis: f64[3,4] has no axis 2
            x.flip(2)
                flip: f64[3,4] has no axis 2
            x.roll([1, 2], 0)
                roll: 2 shifts for 1 axis
            x.roll(1, 2)
                roll: f64[3,4] has no axis 2
            v.rot90(1)
                rot90: f64[3] is not a matrix
            x.repeat(2, 2)
                repeat: f64[3,4] has no axis 2
            x.repeat(usize::MAX, 0)
                repeat: f64[9223372036854775807,4] is larger than memory can be
            x.tile(-1)
                tile: [-1] holds a negative length
            x.tile([1i64 << 40, 1i64 << 40])
                tile: f64[3298534883328,4398046511104] is larger than memory can be
            x.pad([(1, 1)])
                pad: 1 pair of widths for the 2 axes of f64[3,4]
            x.pad_with([(1, 1)], 1.0)
                pad: 1 pair of widths for the 2 axes of f64[3,4]
            i.to(wengert_ir::ir::DType::I64).expand_dims(0).pad_with([(1, 1)], 0.5)
                pad: the float 0.5 does not go into i64[1]; convert one of them, as in `x.to(DType::F64)`
            x.pad_by([(0, 0), (usize::MAX, 1)], Padding::Edge)
                pad: f64[3,9223372036854775807] is larger than memory can be
            zeros([0, 2]).pad_by([(1, 0), (0, 0)], Padding::Wrap)
                pad: f64[0,2] has no element along axis 0
            x.split(3, 1)[0]
                split: f64[3,4] has no 3 equal parts along axis 1; use `array_split` for parts that differ in length
            x.split(0, 1)[0]
                split: f64[3,4] has no 0 equal parts along axis 1; use `array_split` for parts that differ in length
            x.split_at(&[3, 2], 1)[0]
                split: [3, 2] are not ascending places along axis 1 of f64[3,4]
            x.split_at(&[5], 1)[0]
                split: [5] are not ascending places along axis 1 of f64[3,4]
            x.array_split(0, 0)[0]
                array_split: f64[3,4] in no parts
            x.sum_axis(keep(2))
                sum: f64[3,4] has no axis 2
            x.mean_axis(keep([0, 0]))
                mean: an axis of f64[3,4] is named twice in [0, 0]
        "#]],
    );
}

#[test]
fn diagonals() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        i.diag();
        x.expand_dims(0).diag();
        v.diag_at(isize::MAX);
        v.diagonal();
        x.diagonal_at(0, 0);
        x.diagonal_at(0, [1, 1]);
        x.diagonal_at(0, [0, 2]);
        v.trace();
        b.broadcast_to([2, 2]).trace();
        v.tril();
        i.triu_at(1);
    };
    check(
        wrong,
        expect![[r#"
            i.diag()
                diag: i64 is neither a vector nor a matrix; use `diagonal` for stacks of matrices
            x.expand_dims(0).diag()
                diag: f64[1,3,4] is neither a vector nor a matrix; use `diagonal` for stacks of matrices
            v.diag_at(isize::MAX)
                diag: f64[9223372036854775807,9223372036854775807] is larger than memory can be
            v.diagonal()
                diagonal: f64[3] is not a matrix
            x.diagonal_at(0, 0)
                diagonal: [0] are not two axes of f64[3,4]
            x.diagonal_at(0, [1, 1])
                diagonal: [1, 1] are not two axes of f64[3,4]
            x.diagonal_at(0, [0, 2])
                diagonal: f64[3,4] has no axis 2
            v.trace()
                trace: f64[3] is not a matrix
            b.broadcast_to([2, 2]).trace()
                trace: bool[2,2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
            v.tril()
                tril: f64[3] is not a matrix
            i.triu_at(1)
                triu: i64 is not a matrix
        "#]],
    );
}

#[test]
fn products() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.tensordot(v, 3);
        x.tensordot(v, [(0, 1)]);
        x.tensordot(v, 1);
        x.inner(v);
        x.inner(i);
        x.kron(b.to(wengert_ir::ir::DType::I64));
        x.cross(x);
        v.cross_axis(v, 1);
        i.cross(i);
        einsum("ij,jk->ik", &[x]);
        einsum("ij,j->i", &[x, v]);
        einsum("ijk->i", &[x]);
        einsum("ij->k", &[x]);
        einsum("ij->ii", &[x]);
        einsum("...j->j", &[x]);
        einsum("i1->i", &[x]);
        einsum("i->i", &[b]);
        einsum("i->i", &[]);
        einsum("......", &[x]);
    };
    check(
        wrong,
        expect![[r#"
            x.tensordot(v, 3)
                tensordot: f64[3,4] and f64[3] have not 3 axes each to pair
            x.tensordot(v, [(0, 1)])
                tensordot: f64[3] has no axis 1
            x.tensordot(v, 1)
                tensordot: f64[3,4] and f64[3] differ in length along axes 1 and 0
            x.inner(v)
                inner: f64[3,4] and f64[3] differ in length along axes 1 and 0
            x.inner(i)
                inner: f64[3,4] and i64 have no common element type; convert one of them, as in `x.to(DType::F64)`
            x.kron(b.to(wengert_ir::ir::DType::I64))
                kron: f64[3,4] and i64[2] have no common element type; convert one of them, as in `x.to(DType::F64)`
            x.cross(x)
                cross: f64[3,4] and f64[3,4] are not vectors of 3, or of 2
            v.cross_axis(v, 1)
                cross: f64[3] has no axis 1
            i.cross(i)
                cross: i64 has no axis -1
            einsum("ij,jk->ik", &[x])
                einsum: `ij,jk->ik` names 2 operands, and 1 is given
            einsum("ij,j->i", &[x, v])
                einsum: `j` of `ij,j->i` has the length 4 in one operand and 3 in operand 1
            einsum("ijk->i", &[x])
                einsum: `ijk` of `ijk->i` names 3 axes, and operand 0 has 2, of the shape [3, 4]
            einsum("ij->k", &[x])
                einsum: no operand of `ij->k` has an axis `k`
            einsum("ij->ii", &[x])
                einsum: the result of `ij->ii` names `i` twice
            einsum("...j->j", &[x])
                einsum: the result of `...j->j` leaves out the axes of `...`
            einsum("i1->i", &[x])
                einsum: `1` in `i1` is not the name of an axis
            einsum("i->i", &[b])
                einsum: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
            einsum("i->i", &[])
                einsum: no operand
            einsum("......", &[x])
                einsum: `.` in `......` is not the name of an axis
        "#]],
    );
}

#[test]
fn statistics() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        i.var();
        i.std_axis(0);
        x.var_axis(2);
        x.average(zeros([2, 3, 4]));
        x.average_axis(v, 1);
        zeros([0, 3]).ptp();
        x.expand_dims(0).cov();
        i.corrcoef();
        b.nanmean();
        b.nansum();
        zeros([3, 0]).nanmax_axis(1);
        i.logsumexp();
        x.softmax(2);
        b.log_softmax(0);
        x.median_axis(2);
        zeros([0]).median();
        x.quantile(1.5);
        x.quantile_axis(x, 0);
        x.percentile(-1);
        i.quantile(0.5);
        x.digitize(x);
        x.histogram(ones(1));
        x.histogram_weighted(v, zeros([4, 3]));
        x.bincount(3);
    };
    check(
        wrong,
        expect![[r#"
            i.var()
                var: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            i.std_axis(0)
                std: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.var_axis(2)
                var: f64[3,4] has no axis 2
            x.average(zeros([2, 3, 4]))
                average: weights f64[2,3,4] for f64[3,4]
            x.average_axis(v, 1)
                average: weights f64[3] for f64[3,4]
            zeros([0, 3]).ptp()
                ptp: f64[0,3] has no element along [0, 1]
            x.expand_dims(0).cov()
                cov: f64[1,3,4] is not a matrix of observations
            i.corrcoef()
                corrcoef: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            b.nanmean()
                nanmean: bool[2] is not an array of floats; convert it first, as in `x.to(DType::F64)`
            b.nansum()
                nansum: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
            zeros([3, 0]).nanmax_axis(1)
                nanmax: f64[3,0] has no element along [1]
            i.logsumexp()
                logsumexp: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.softmax(2)
                softmax: f64[3,4] has no axis 2
            b.log_softmax(0)
                log_softmax: bool[2] is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.median_axis(2)
                median: f64[3,4] has no axis 2
            zeros([0]).median()
                median: f64[0] has no element along [0]
            x.quantile(1.5)
                quantile: the share 1.5 is not in [0, 1]
            x.quantile_axis(x, 0)
                quantile: the shares f64[3,4] are not a number or a vector
            x.percentile(-1)
                percentile: the share -0.01 is not in [0, 1]
            i.quantile(0.5)
                quantile: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.digitize(x)
                digitize: f64[3,4] is not a vector
            x.histogram(ones(1))
                histogram: f64[1] are not two edges
            x.histogram_weighted(v, zeros([4, 3]))
                histogram: f64[4,3] does not broadcast to f64[3,4]
            x.bincount(3)
                bincount: f64[3,4] is not an array of integers; convert it, as in `i.to(DType::I64)`
        "#]],
    );
}

#[test]
fn numerics() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.norm_axis(2);
        i.norm();
        x.norm_ord(0, [0, 1]);
        v.norm_ord(Order::Nuclear, 0);
        x.norm_ord(3, [0, 1]);
        v.norm_ord(Order::Frobenius, 0);
        x.expand_dims(0).norm_ord(1, ..);
        x.cdist(v);
        x.cdist(zeros([5, 3]));
        x.diff(2);
        b.diff(0);
        x.gradient(v, 1);
        x.gradient(1.0, 2);
        zeros([1]).gradient(1.0, 0);
        i.trapezoid(1.0, 0);
        x.trapezoid(v, 1);
        x.cumulative_trapezoid(x.t(), 1);
        v.interp(v, x);
        v.interp(v, ones(4));
        i.interp(i, i);
        x.polyval(v);
        x.vander(2);
        v.convolve(x, Overlap::Full);
        v.convolve(zeros(0), Overlap::Same);
        v.correlate(x, Overlap::Valid);
    };
    check(
        wrong,
        expect![[r#"
            x.norm_axis(2)
                norm: f64[3,4] has no axis 2
            i.norm()
                norm: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.norm_ord(0, [0, 1])
                norm: f64[3,4] has no 0 norm along 2 axes; matrices have the norms 1, -1, 2, -2, ±∞, `Order::Frobenius` and `Order::Nuclear`
            v.norm_ord(Order::Nuclear, 0)
                norm: f64[3] has no nuclear norm along 1 axis; a vector has the norms of numbers; the plain one is `norm_axis`
            x.norm_ord(3, [0, 1])
                norm: f64[3,4] has no 3 norm along 2 axes; matrices have the norms 1, -1, 2, -2, ±∞, `Order::Frobenius` and `Order::Nuclear`
            v.norm_ord(Order::Frobenius, 0)
                norm: f64[3] has no Frobenius norm along 1 axis; a vector has the norms of numbers; the plain one is `norm_axis`
            x.expand_dims(0).norm_ord(1, ..)
                norm: f64[1,3,4] has no 1 norm along 3 axes; flatten it, or name one axis or two
            x.cdist(v)
                cdist: f64[3,4] and f64[3] are not lists of vectors of one length
            x.cdist(zeros([5, 3]))
                cdist: f64[3,4] and f64[5,3] are not lists of vectors of one length
            x.diff(2)
                diff: f64[3,4] has no axis 2
            b.diff(0)
                diff: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
            x.gradient(v, 1)
                gradient: positions f64[3] of f64[3,4] along axis 1; give a distance, a vector of positions along the axis, or one for each value
            x.gradient(1.0, 2)
                gradient: f64[3,4] has no axis 2
            zeros([1]).gradient(1.0, 0)
                gradient: f64[1] has less than two elements along axis 0
            i.trapezoid(1.0, 0)
                trapezoid: i64 has no axis 0
            x.trapezoid(v, 1)
                trapezoid: positions f64[3] of f64[3,4] along axis 1; give a distance, a vector of positions along the axis, or one for each value
            x.cumulative_trapezoid(x.t(), 1)
                cumulative_trapezoid: positions f64[4,3] of f64[3,4] along axis 1; give a distance, a vector of positions along the axis, or one for each value
            v.interp(v, x)
                interp: f64[3,4] is not a vector
            v.interp(v, ones(4))
                interp: f64[3] and f64[4] are not the coordinates of points
            i.interp(i, i)
                interp: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.polyval(v)
                polyval: f64[3,4] is not a vector
            x.vander(2)
                vander: f64[3,4] is not a vector
            v.convolve(x, Overlap::Full)
                convolve: f64[3,4] is not a vector
            v.convolve(zeros(0), Overlap::Same)
                convolve: f64[3] and f64[0]: a sequence of no element
            v.correlate(x, Overlap::Valid)
                correlate: f64[3,4] is not a vector
        "#]],
    );
}

#[test]
fn choices() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        select(&[(v, v)], 0.0);
        select(&[(v.lt(0.0), v)], b);
        select(&[(b, v)], 0.0);
        select(&[(v.lt(0.0), i)], 0.5);
        x.clip(v, 1.0);
        i.lerp(1, 2);
        x.lerp(v, 0.5);
        i.is_close(i, 0.0, 0.0);
        x.all_close(v, 1e-5, 1e-8);
    };
    check(
        wrong,
        expect![[r#"
            select(&[(v, v)], 0.0)
                select: f64[3] is not an array of truth values; compare it first, as in `x.ne(0)`
            select(&[(v.lt(0.0), v)], b)
                select: f64[3] and bool[2] do not broadcast
            select(&[(b, v)], 0.0)
                select: bool[2] and f64[3] do not broadcast
            select(&[(v.lt(0.0), i)], 0.5)
                select: the float 0.5 beside i64; convert first, as in `x.to(DType::F64)`
            x.clip(v, 1.0)
                clip: f64[3,4] and f64[3] do not broadcast
            i.lerp(1, 2)
                lerp: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.lerp(v, 0.5)
                lerp: f64[3,4] and f64[3] do not broadcast
            i.is_close(i, 0.0, 0.0)
                is_close: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.all_close(v, 1e-5, 1e-8)
                is_close: f64[3,4] and f64[3] do not broadcast
        "#]],
    );
}
