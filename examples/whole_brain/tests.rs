//! Tests of the network on few sets.

use super::*;

#[test]
fn the_connectome_is_symmetric_and_without_loops() {
    let c = Connectome::of(Key::from_seed(84)).unwrap();
    for i in 0..NODES {
        assert_eq!((c.weights[i][i], c.distances[i][i]), (0.0, 0.0));
        for j in 0..i {
            assert!((c.weights[i][j] - c.weights[j][i]).abs() < 1e-12 && c.weights[i][j] > 0.0);
            assert!((c.distances[i][j] - c.distances[j][i]).abs() < 1e-12);
        }
    }
}

#[test]
fn coupling_without_delay_synchronises() {
    let options = Options {
        sets: 2,
        seconds: 0.1,
        chunk: 2,
        out: String::new(),
    };
    let seen = sweep(&options).unwrap();
    let (weak, strong) = (&seen[0], &seen[1]);
    assert!(weak.coupling < strong.coupling && weak.delay == 0.0 && strong.delay == 0.0);
    assert!(strong.synchrony > 0.9 && weak.synchrony < 0.5, "{seen:?}");
}
