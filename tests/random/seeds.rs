//! The same key gives the same bits, however the program runs.

use super::*;
use expect_test::expect;
use std::fmt::Write;
use wengert::Error;

/// Interpreted, compiled, in a batch, and as the steps of a loop.
#[test]
fn the_same_bits_however_it_runs() {
    for &(name, sampler) in SAMPLERS {
        let f = jit(move |k: Key| sampler(k, &[33]));
        let key = Key::from_seed(11);
        let compiled = f.call(key.clone()).unwrap();
        assert_eq!(
            f.interpret(key.clone()).unwrap(),
            compiled,
            "{name}, interpreted"
        );
        let batch = jit(move |k: Key| {
            let keys = k.split_into(11);
            scan((), keys, |(), k: Key| ((), sampler(k, &[33]))).1
        });
        let stepped = batch.call(key.clone()).unwrap();
        let mapped = jit(move |k: Key| vmap(move |k: Key| sampler(k, &[33]))(k.split_into(11)));
        let mapped = mapped.call(key.clone()).unwrap();
        assert_eq!(mapped, stepped, "{name}, in a batch and in a loop");
        let n = mapped.len() / 11;
        for i in [0, 5, 10] {
            let alone = f.call(key.child(i as u64).unwrap()).unwrap();
            let (all, alone) = (elements(&mapped), elements(&alone));
            assert_eq!(
                all[n * i..n * (i + 1)],
                alone,
                "{name}, element {i} of a batch"
            );
        }
    }
}

/// On any number of threads, as few or as many as there are tasks.
#[test]
fn the_same_bits_on_any_number_of_threads() {
    for &(name, sampler) in SAMPLERS {
        let f = jit(move |k: Key| sampler(k, &[70_000]));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| f.call(Key::from_seed(3))).unwrap()
        };
        let one = run(1);
        assert_eq!(run(2), one, "{name}, on two threads");
        assert_eq!(run(4), one, "{name}, on four threads");
    }
}

/// The last bits of draws must not change, ever, nor depend on how the library was built: the first three,
/// and a sum of the bits of a thousand. `cargo test` with `UPDATE_EXPECT=1` writes them down for a sampler
/// that is new.
#[test]
fn no_draw_ever_changes() -> Result<(), Error> {
    let mut text = String::new();
    for &(name, sampler) in SAMPLERS {
        let key = Key::from_seed(2026);
        let few = elements(&jit(move |k: Key| sampler(k, &[3])).call(key.clone())?);
        let many = jit(move |k: Key| sampler(k, &[1000])).call(key)?;
        let sum = bit_sum(&elements(&many));
        writeln!(text, "{name}: {:?} {sum:016x}", &few[..3]).unwrap();
    }
    expect![[r#"
        bits: [1.4863842466809838e19, 1.548071971895457e19, 1.30945701650585e19] aa4a6715e8bbcd0e
        bits u32: [3079730689.0, 3460758008.0, 1672221630.0] 2f55a21b40cc486c
        uniform: [0.8057705146998762, 0.8392114975464866, 0.7098580710360148] 94ab87165b71fd84
        uniform f32: [0.7170556783676147, 0.8057704567909241, 0.38934439420700073] a331d3bad140793a
        uniform_open: [0.8057705146998763, 0.8392114975464867, 0.7098580710360148] 419a42c38b0f825a
        uniform_in: [2.2230820587995046, 2.3568459901859464, 1.8394322841440593] a453d46c6148ba00
        rademacher: [-1.0, -1.0, -1.0] 7b370b5ba39c56a5
        bernoulli: [0.0, 0.0, 0.0] 2577b83330c7d585
        randint: [7.0, 7.0, 6.0] 751425d2bcc93e54
        randint of large spans: [1.0178132532708177e18, 3.8701799297386424e18, 1.6516070934544253e18] 991244ca0e9b12b5
        normal: [0.8624153972564089, 0.991222379759757, 0.5529701387715029] 03dc77ce176883e4
        normal f32: [0.5741170048713684, 0.8624154329299927, -0.2810280919075012] eecdfd1f731d6967
        truncated_normal: [1.0252026736339501, 1.1251091795874244, 0.7831428440256912] cf1c464355146e3e
        truncated_normal in a tail: [8.1992752201682, 8.221937696682602, 8.150924508703989] fbfb1bea4c35ad72
        multivariate_normal: [0.7112150391939808, 2.6380339277020637, -0.28339630154247564] bc4749789ea4b3fc
        unit_vector: [0.6049903415671024, 0.69534932702682, 0.38791236125427775] e24f9ad57b289921
        orthogonal: [0.6049903415671027, 0.795820013831323, -0.02563576010252679] 1931cf1d65efed8c
        exponential: [1.6387149050920584, 1.8276654269484398, 1.2373850655031002] 8a27d949f5a9487a
        laplace: [0.945567724532113, 1.1345182463884944, 0.5442378849431551] b30ecba1d4f65f4c
        logistic: [1.4227586068597344, 1.652372905558073, 0.8946948366243914] 3673a36bc7855003
        gumbel: [1.532679214766531, 1.7412991497427006, 1.0709283626798984] 613364fb9ec14e99
        gumbel f32: [1.1008093357086182, 1.5326792001724243, 0.05838063359260559] 4ddf1acc3d8f9fc2
        cauchy: [1.4302026778660946, 1.8083677018603848, 0.7749655966279474] 7336f5de86e5ceed
        rayleigh: [1.810367313609069, 1.9118919566484085, 1.5731402133968226] f15dd66e4be41524
        weibull: [1.3899598939778002, 1.494850626248672, 1.1525769057816155] 286b4ba95f1f23de
        pareto: [1.726745290659118, 1.8389997487202143, 1.5105316704665692] 8643977db12cd9d0
        gamma: [3.700167350784556, 1.219583244616765, 1.6103109735811987] f0779a00afb5cb4a
        gamma of small shape: [0.0018182328911861918, 1.0511797922269356e-9, 0.1185720428979265] f5a33c802d78faa9
        beta: [0.24910508107737558, 0.40063506166899243, 0.0335568077675224] 52dcd4bbc724cd7e
        dirichlet: [0.3593509207774969, 0.155711198605496, 0.48493788061700716] e64ffff06316792b
        chi_square: [7.400334701569112, 2.43916648923353, 3.2206219471623974] 63bdd60713918fd3
        student_t: [1.6789186327099062, 3.4543190141500473, -0.3836671316930223] 0a44f054b02b4e28
        poisson of small rate: [5.0, 2.0, 3.0] f3b3852e3dcdff67
        poisson of large rate: [42.0, 39.0, 42.0] 339f52979bb846b6
        binomial of few: [4.0, 2.0, 2.0] dc0623b84b3878f4
        binomial of many: [72.0, 74.0, 72.0] f19ebc497ffcf3ae
        geometric: [8.0, 9.0, 6.0] 6cf92bca1835ebd5
        categorical: [1.0, 2.0, 3.0] 6e8f888a560ae0d8
        choice: [8.0, 8.0, 6.0] 74a313ae64c394dd
        choice_weighted: [4.0, 4.0, 4.0] dbdc101103a28080
        sample: [40.0, 42.0, 36.0] 0b5deec8584ed06d
        sample_weighted: [13.0, 33.0, 38.0] 6d6c26943254345d
        permutation: [24.0, 25.0, 21.0] a6e939c0bf466c79
        shuffle: [24.0, 25.0, 21.0] a6e939c0bf466c79
        paths over draws: [-0.4850582299999335, 0.09406332875907535, -0.41878144552820656] 201d8cc00926823b
        paths that split: [-0.5711449804240588, -0.2402811770163043, 0.33461664676772884] 8c58ec37f928b586
        a mean: [0.785, 0.776, 0.802] d209d0751ebfec14
    "#]].assert_eq(&text);
    Ok(())
}

/// Fowler, Noll and Vo's sum of the bits of numbers.
fn bit_sum(x: &[f64]) -> u64 {
    let bytes = x.iter().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |s, b| {
        (s ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What has a known quantile grows with the even numbers of the same key.
#[test]
fn quantiles_go_up_and_down_together() -> Result<(), Error> {
    const QUANTILES: &[Sampler] = &[
        |k, d| k.uniform(d),
        |k, d| k.uniform_open(d),
        |k, d| k.normal(d),
        |k, d| k.truncated_normal(-1.0, 0.5, d),
        |k, d| k.truncated_normal(1.0, 2.0, d),
        |k, d| k.exponential(d),
        |k, d| k.laplace(d),
        |k, d| k.logistic(d),
        |k, d| k.gumbel(d),
        |k, d| k.cauchy(d),
        |k, d| k.rayleigh(d),
        |k, d| k.weibull(2.0, d),
        |k, d| k.pareto(2.0, d),
        |k, d| k.geometric(0.1, d).to(DType::F64),
        |k, d| k.randint(0, 1000, d).to(DType::F64),
    ];
    let sort = |a: &Array| {
        let x = elements(a);
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
        (x, order)
    };
    let key = Key::from_seed(6);
    let (_, order) = sort(&jit(|k: Key| k.uniform([1000])).call(key.clone())?);
    for (i, &sampler) in QUANTILES.iter().enumerate() {
        let (x, _) = sort(&jit(move |k: Key| sampler(k, &[1000])).call(key.clone())?);
        assert!(order.windows(2).all(|w| x[w[0]] <= x[w[1]]), "quantile {i}");
    }
    Ok(())
}
