//! What the wheel promises, each promise by itself; all of them together against a binary heap.

use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use super::chain::{Chain, refusal};
use super::model::Model;
use super::slots::{self, LEVELS};
use super::{HORIZON, NoMemory, Progress, Token, Wheel};

/// Moments to begin at: the first, one before 32 bits overflow, one that 32 bits cannot hold.
const STARTS: [u64; 4] = [0, 1_000_003, (1 << 32) - 100, (1 << 42) - 1];

/// Budget for everything.
const ENOUGH: usize = usize::MAX;

fn token(number: u64) -> Token {
    Token::new(number << 16, 0, 0)
}

fn park(wheel: &mut Wheel, number: u64, time: u64, now: u64) {
    wheel.schedule(token(number).at(time, now), now).expect("there is memory");
}

/// The numbers of what fires at `now`.
fn fired(wheel: &mut Wheel, now: u64, budget: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    wheel.advance(now, budget, |token| numbers.push(token.hash() >> 16));
    numbers
}

fn blocks(wheel: &Wheel) -> usize {
    let opened = wheel.opened.iter().map(|slot| &slot.chain);
    wheel.slots.chains().iter().chain(opened).map(Chain::blocks).sum()
}

/// Around each power of 64, where tokens change levels.
fn distances() -> impl Iterator<Item = u64> {
    let powers = (0..=LEVELS).map(|level| 1_u64 << (6 * level));
    powers
        .flat_map(|power| [power - 1, power, power + 1])
        .filter(|ahead| (1..=HORIZON).contains(ahead))
}

#[test]
fn a_token_is_16_bytes_and_says_what_it_was_given() {
    const { assert!(size_of::<Token>() == 16) };
    let (id, group) = ((1 << Token::ID_BITS) - 1, (1 << Token::GROUP_BITS) - 1);
    for (hash, id, group) in [(u64::MAX, 0, 0), (0, id, 0), (0, 0, group), (1 << 16, 0x2_0001, 5)] {
        for token in [Token::new(hash, id, group), Token::new(hash, id, group).at(!0, 77)] {
            assert_eq!((token.hash(), token.id(), token.group()), (hash & !0xffff, id, group));
        }
    }
}

#[test]
fn a_token_fires_at_its_time_and_not_a_millisecond_before() {
    for start in STARTS {
        for ahead in distances() {
            let mut wheel = Wheel::new(start);
            park(&mut wheel, 7, start + ahead, start);
            assert_eq!(
                fired(&mut wheel, start + ahead - 1, ENOUGH),
                [],
                "{ahead} ms after {start}"
            );
            assert_eq!(fired(&mut wheel, start + ahead, ENOUGH), [7], "{ahead} ms after {start}");
            assert_eq!((wheel.len(), wheel.next_due()), (0, None));
        }
    }
}

#[test]
fn a_time_beyond_the_horizon_counts_as_the_horizon() {
    let mut wheel = Wheel::new(5);
    park(&mut wheel, 7, u64::MAX, 5);
    assert_eq!(fired(&mut wheel, HORIZON + 4, ENOUGH), []);
    assert_eq!(fired(&mut wheel, HORIZON + 5, ENOUGH), [7]);
    // Whoever parks late counts from a wheel that was left alone for long.
    let late = 5 + 4 * HORIZON;
    park(&mut wheel, 7, late + HORIZON, late);
    assert_eq!(fired(&mut wheel, 2 * HORIZON + 4, ENOUGH), []);
    assert_eq!(fired(&mut wheel, 2 * HORIZON + 5, ENOUGH), [7]);
}

#[test]
fn a_token_that_comes_too_late_fires_at_the_next_advance() {
    let mut wheel = Wheel::new(1000);
    assert_eq!(fired(&mut wheel, 2000, ENOUGH), []);
    for (number, time) in [(1, 2000), (2, 1999), (3, 0)] {
        park(&mut wheel, number, time, 2000);
        assert_eq!(wheel.next_due(), Some(2000));
        assert_eq!(fired(&mut wheel, 2000, ENOUGH), [number]);
    }
}

#[test]
fn time_never_goes_back() {
    let mut wheel = Wheel::new(0);
    assert_eq!(fired(&mut wheel, 100, ENOUGH), []);
    park(&mut wheel, 1, 90, 90);
    park(&mut wheel, 2, 101, 90);
    assert_eq!(fired(&mut wheel, 50, ENOUGH), [1]);
    assert_eq!(fired(&mut wheel, 101, ENOUGH), [2]);
}

#[test]
fn empty_time_costs_one_wake_up_a_level_however_long_it_is() {
    for start in STARTS {
        for ahead in distances() {
            let mut wheel = Wheel::new(start);
            park(&mut wheel, 7, start + ahead, start);
            let mut wakes = 0;
            while let Some(due) = wheel.next_due() {
                assert_eq!(wheel.advance(due - 1, 1, |_| panic!("early")), Progress::Done);
                assert_eq!(wheel.advance(due, 1, |_| ()), Progress::Behind, "a slot is opened");
                assert_eq!(wheel.advance(due, 1, |_| ()), Progress::Done, "its token moves");
                wakes += 1;
            }
            assert!(wakes <= LEVELS, "{wakes} wake-ups for {ahead} ms");
        }
    }
}

#[test]
fn tokens_that_are_due_do_not_wait_for_a_full_slot_to_move() {
    let mut wheel = Wheel::new(0);
    let many = 20_000;
    let boundary = slots::width(2);
    (0..many).for_each(|n| park(&mut wheel, n, boundary + 60 + n % 4000, 0));
    // Seven probes, due while the slot is opened and worked off in slices.
    (0..7).for_each(|n| park(&mut wheel, many + n, boundary + n, boundary - 60));
    fired(&mut wheel, boundary - 1, ENOUGH);
    assert_eq!(wheel.len() as u64, many + 7);
    for n in 0..7 {
        let mut numbers = Vec::new();
        assert_eq!(
            wheel.advance(boundary + n, 64, |t| numbers.push(t.hash() >> 16)),
            Progress::Behind
        );
        assert_eq!(numbers, [many + n]);
    }
    let mut slices = 0;
    while wheel.advance(boundary + 7, 64, |_| panic!("early")) == Progress::Behind {
        slices += 1;
    }
    assert!((many / 64 - 10..many / 64 + 10).contains(&slices), "{slices} slices");
    assert_eq!(fired(&mut wheel, boundary + 4060, ENOUGH).len() as u64, many);
}

#[test]
fn a_full_slot_gets_on_while_more_tokens_are_due_than_the_budget_allows() {
    let mut wheel = Wheel::new(0);
    let boundary = slots::width(1);
    (0..1000).for_each(|n| park(&mut wheel, n, boundary + 1 + n % 50, 0));
    wheel.advance(boundary - 1, ENOUGH, |_| panic!("early"));
    (0..1000).for_each(|n| park(&mut wheel, 1000 + n, boundary, boundary - 1));
    let mut numbers = Vec::new();
    wheel.advance(boundary + 50, 1000, |token| numbers.push(token.hash() >> 16));
    let (full, others) = numbers.iter().partition::<Vec<u64>, _>(|&&number| number < 1000);
    assert!(full.len() > 450 && others.len() > 450, "{} and {}", full.len(), others.len());
}

#[test]
fn no_call_does_more_than_its_budget() {
    let mut wheel = Wheel::new(0);
    (0..1000).for_each(|n| park(&mut wheel, n, 1 + n * n, 0));
    let (mut calls, mut count) = (0, 0);
    while wheel.advance(1 << 20, 3, |_| count += 1) == Progress::Behind {
        calls += 1;
        assert!(count <= 3 * calls && calls < 5000);
    }
    assert_eq!((count, wheel.len()), (1000, 0));
    assert_eq!(wheel.advance(1 << 20, 0, |_| ()), Progress::Done);
}

#[test]
fn a_token_costs_17_bytes_and_an_empty_wheel_gives_all_blocks_back() {
    let mut wheel = Wheel::new(0);
    assert!(wheel.slots.chains().is_empty(), "a wheel that is not used costs nothing");
    let many = 50_000;
    (0..many).for_each(|n| park(&mut wheel, n, 1 + n * 977 % 3_600_000, 0));
    let most = |wheel: &Wheel| wheel.len().div_ceil(15) + LEVELS * 64;
    for now in (0..=3_600_000).step_by(60_000) {
        fired(&mut wheel, now, ENOUGH);
        assert!(blocks(&wheel) <= most(&wheel), "{} for {}", blocks(&wheel), wheel.len());
    }
    assert_eq!((wheel.len(), blocks(&wheel)), (0, 0));
}

#[test]
fn a_long_chain_is_dropped_without_recursion() {
    let drop_many = || {
        let mut wheel = Wheel::new(0);
        (0..1_000_000).for_each(|n| park(&mut wheel, n, 1000, 0));
    };
    let small = thread::Builder::new().stack_size(128 << 10);
    small.spawn(drop_many).expect("a thread starts").join().expect("the stack is large enough");
}

#[test]
fn a_compaction_drops_what_is_not_kept_and_nothing_else() {
    let mut wheel = Wheel::new(0);
    let times = |n: u64| 1 + n * 7919 % HORIZON;
    (0..10_000).for_each(|n| park(&mut wheel, n, times(n), 0));
    let mut seen = 0;
    let keep = |token: Token| {
        seen += 1;
        (token.hash() >> 16).is_multiple_of(3)
    };
    assert_eq!(wheel.compact(ENOUGH, keep), Progress::Done);
    assert_eq!(seen, 10_000);
    assert_eq!((wheel.len(), wheel.next_due()), (3334, Some(1)));
    assert_eq!(wheel.compact(ENOUGH, |token| token.hash() >> 16 > 6), Progress::Done);
    // The first that is left is due at 71,272, in a slot that begins here.
    assert_eq!((wheel.len(), wheel.next_due()), (3331, Some(slots::width(2) * 17)));
    let mut numbers = fired(&mut wheel, HORIZON, ENOUGH);
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq((9..10_000).step_by(3)));
}

#[test]
fn a_sliced_compaction_lets_tokens_fire_in_time() {
    let mut wheel = Wheel::new(0);
    (0..3000).for_each(|n| park(&mut wheel, n, 10_000 + n, 0));
    let (mut rounds, mut count) = (0, 0);
    for now in (0..=13_000).step_by(10) {
        let before = wheel.len();
        let odd = |token: Token| !(token.hash() >> 16).is_multiple_of(2);
        rounds += usize::from(wheel.compact(20, odd) == Progress::Done);
        assert!(before - wheel.len() <= 20);
        wheel.advance(now, ENOUGH, |token| {
            let time = 10_000 + (token.hash() >> 16);
            assert!(time <= now && now < time + 10);
            count += 1;
        });
    }
    assert!(rounds > 1);
    assert_eq!((count, wheel.len()), (1500, 0));
}

#[test]
fn an_advance_does_not_disturb_a_compaction_of_what_is_not_due() {
    let mut wheel = Wheel::new(0);
    (0..100).for_each(|n| park(&mut wheel, n, 10_000, 0));
    assert_eq!(wheel.compact(50, |_| false), Progress::Behind);
    assert_eq!(wheel.advance(8000, ENOUGH, |_| panic!("early")), Progress::Done);
    assert_eq!(wheel.compact(52, |_| false), Progress::Done);
    assert_eq!((wheel.len(), blocks(&wheel), wheel.next_due()), (0, 0, None));
}

#[test]
fn refused_memory_loses_no_token_and_holds_up_none_that_is_due() {
    let mut wheel = Wheel::new(0);
    let boundary = slots::width(1);
    (0..100).for_each(|n| park(&mut wheel, n, boundary + 20, 0));
    wheel.advance(10, ENOUGH, |_| panic!("early"));
    park(&mut wheel, 100, boundary, 10);
    let mut count = 0;
    refusal::during(|| {
        assert_eq!(wheel.schedule(token(1).at(9000, 10), 10), Err(NoMemory));
        assert_eq!(wheel.advance(boundary, ENOUGH, |_| count += 1), Progress::NoMemory);
        assert_eq!((count, wheel.len()), (1, 100));
        assert_eq!(wheel.advance(boundary + 20, ENOUGH, |_| count += 1), Progress::Done);
    });
    assert_eq!((count, wheel.len(), blocks(&wheel)), (101, 0, 0));
    let mut unused = Wheel::new(0);
    refusal::during(|| assert_eq!(unused.schedule(token(1), 0), Err(NoMemory)));
    assert_eq!((unused.len(), unused.next_due()), (0, None));
}

#[derive(Clone, Debug)]
enum Call {
    Park(i64),
    Advance(u64, usize),
    Compact(u32, usize),
}

/// Numbers of up to `bits` bits, small ones as likely as large ones.
fn spread(bits: u32) -> impl Strategy<Value = u64> {
    (0..=bits, any::<u64>()).prop_map(|(bits, number)| number & ((1 << bits) - 1))
}

fn budget() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..40, Just(ENOUGH)]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => spread(32).prop_map(|ahead| Call::Park(ahead.cast_signed())),
        1 => spread(10).prop_map(|behind| Call::Park(-behind.cast_signed())),
        4 => (spread(31), budget()).prop_map(|(by, budget)| Call::Advance(by, budget)),
        1 => (1_u32..5, budget()).prop_map(|(every, budget)| Call::Compact(every, budget)),
    ]
}

fn start() -> impl Strategy<Value = u64> {
    prop_oneof![proptest::sample::select(&STARTS[..]), spread(42)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_calls_agree_with_a_binary_heap(
        start in start(),
        calls in vec((call(), proptest::bool::weighted(0.1)), 0..300),
    ) {
        let mut model = Model::new(start);
        let mut step = |call| match call {
            Call::Park(offset) => model.park(offset),
            Call::Advance(by, budget) => model.advance(by, budget),
            Call::Compact(every, budget) => _ = model.compact(every, budget),
        };
        for (call, refused) in calls {
            if refused { refusal::during(|| step(call)) } else { step(call) }
        }
        model.finish();
    }
}
