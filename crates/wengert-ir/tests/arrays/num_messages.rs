//! What a mistake in a composed operation says: the name of the operation that was asked for, and the
//! caller's line.

use expect_test::expect;
use wengert_ir::num::{Order, Overlap, Padding, einsum, select};
use wengert_ir::trace::{
    Count, arange, eye, full_like, geomspace, keep, linspace, meshgrid, ones, zeros,
};

use crate::messages::{Mistake, check, mistakes};

#[test]
fn making() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        arange(Count::from(0..5).by(0));
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
    check(wrong, expect![[""]]);
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
        x.pad(&[(1, 1)]);
        x.pad_with(&[(1, 1)], 1.0);
        i.to(wengert_ir::ir::DType::I64).expand_dims(0).pad_with(&[(1, 1)], 0.5);
        x.pad_by(&[(0, 0), (usize::MAX, 1)], Padding::Edge);
        zeros([0, 2]).pad_by(&[(1, 0), (0, 0)], Padding::Wrap);
        x.split(3, 1)[0];
        x.split(0, 1)[0];
        x.split_at(&[3, 2], 1)[0];
        x.split_at(&[5], 1)[0];
        x.array_split(0, 0)[0];
        x.sum_axis(keep(2));
        x.mean_axis(keep([0, 0]));
    };
    check(wrong, expect![[""]]);
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
    check(wrong, expect![[""]]);
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
    check(wrong, expect![[""]]);
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
    check(wrong, expect![[""]]);
}

#[test]
fn numerics() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.norm_axis(2);
        i.norm();
        x.norm_ord(2, [0, 1]);
        x.norm_ord(Order::Nuclear, ..);
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
    check(wrong, expect![[""]]);
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
    check(wrong, expect![[""]]);
}
