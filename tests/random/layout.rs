//! The streams of a key, against a generator that others know.

use super::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

fn known(words: [u32; 8], stream: u64) -> ChaCha8Rng {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let mut rng = ChaCha8Rng::from_seed(bytes.try_into().unwrap());
    rng.set_stream(stream);
    rng
}

const WORDS: [u32; 8] = [3, 1, 4, 1, 5, 9, 2, 0xffff_ffff];

fn take<T>(n: usize, mut next: impl FnMut() -> T) -> Vec<T> {
    (0..n).map(|_| next()).collect()
}

#[test]
fn bits_are_the_words_of_chacha() {
    let key = Key::from_words(WORDS);
    let long = jit(|k: Key| k.bits([100_003])).call(key.clone()).unwrap();
    let mut rng = known(WORDS, 0);
    assert_eq!(
        long.to_vec::<u64>().unwrap(),
        take(100_003, || rng.next_u64())
    );
    let narrow = jit(|k: Key| k.bits(ShapeDtype::new([7, 501], DType::U32)));
    let narrow = narrow.call(key.clone()).unwrap();
    let mut rng = known(WORDS, 0);
    assert_eq!(
        narrow.to_vec::<u32>().unwrap(),
        take(3507, || rng.next_u32())
    );
    let (mut rng, mut own) = (known(WORDS, 0), key.clone().generator().unwrap());
    assert_eq!(take(50, || own.next_u32()), take(50, || rng.next_u32()));
    assert_eq!(take(50, || own.next_u64()), take(50, || rng.next_u64()));
    let (mut a, mut b) = ([0; 129], [0; 129]);
    own.fill_bytes(&mut a);
    rng.fill_bytes(&mut b);
    assert_eq!(a, b);
}

#[test]
fn a_seed_is_the_first_words_of_its_key() {
    let seed = 0x0123_4567_89ab_cdef;
    let key = Key::from_words([0x89ab_cdef, 0x0123_4567, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Key::from_seed(seed), key);
}

/// Child `i` is words `8 i` to `8 i + 7` of stream 1, however it is asked for; member `i` of a family
/// the first eight words of block `i` of stream 2.
#[test]
fn children_and_families() {
    let key = Key::from_words(WORDS);
    let mut rng = known(WORDS, 1);
    let children: Vec<[u32; 8]> = take(200, || std::array::from_fn(|_| rng.next_u32()));
    let bits = |words: [u32; 8]| known(words, 0).next_u64();
    let first = |k: Key| k.bits(());
    let f = jit(move |k: Key| vmap(first)(k.split_into(200)));
    let all = f.call(key.clone()).unwrap().to_vec::<u64>().unwrap();
    assert_eq!(all, children.iter().map(|&c| bits(c)).collect::<Vec<_>>());
    let f = jit(move |k: Key| k.split_n::<5>().map(first));
    let some = f
        .call(key.clone())
        .unwrap()
        .map(|b| b.item::<u64>().unwrap());
    assert_eq!(some[..], all[..5]);
    let f = jit(move |k: Key| {
        let (a, b) = k.split();
        (first(a), first(b))
    });
    let (a, b) = f.call(key.clone()).unwrap();
    assert_eq!([a, b].map(|x| x.item::<u64>().unwrap())[..], all[..2]);
    assert_eq!(key.child(7).unwrap(), Key::from_words(children[7]));

    let f = jit(move |(k, i): (Key, Var)| {
        let family = k.fold_in();
        (first(family.at(i)), first(family.at(3)))
    });
    for i in [0u64, 3, 77, u64::MAX] {
        let (member, third) = f.call((key.clone(), i as i64)).unwrap();
        let member_of = |i: u64| {
            let mut rng = known(WORDS, 2);
            rng.set_word_pos(16 * u128::from(i));
            bits(std::array::from_fn(|_| rng.next_u32()))
        };
        assert_eq!(member.item::<u64>().unwrap(), member_of(i));
        assert_eq!(third.item::<u64>().unwrap(), member_of(3));
    }
}
