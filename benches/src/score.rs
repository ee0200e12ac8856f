//! From measurements to claims: medians, and how rkv stands beside its best rival.

use crate::engine::{Card, Hold, Side};
use crate::runner::Cell;

/// One of rkv's engines in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The engine's name.
    pub engine: &'static str,
    /// The best rival of its class; `None` when no rival took part.
    pub best: Option<Best>,
}

/// The best rival of a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// The rival's name.
    pub rival: &'static str,
    /// Throughput of our engine divided by the rival's.
    pub ratio: f64,
}

/// The median; of an even number the mean of the two in the middle. `None` of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        len if len % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// For each engine of a cell, the median of its rounds, in million operations per second.
pub fn throughputs(cell: &Cell) -> Vec<f64> {
    let medians = cell.rounds.iter().map(|rounds| median(rounds.iter().map(|m| m.mops)));
    medians.map(|median| median.unwrap_or(f64::NAN)).collect()
}

/// How each of rkv's engines stands; `mops` are the throughputs of `cards`.
///
/// An engine that holds nothing between calls is compared with rivals that hold nothing; a
/// session with all rivals, so that it never profits from holding a pin where a rival could too.
pub fn standings(cards: &[Card], mops: &[f64]) -> Vec<Standing> {
    let own = cards.iter().zip(mops).filter(|(card, _)| card.side == Side::Own);
    own.map(|(card, mops_own)| {
        let rivals = cards.iter().zip(mops).filter(|(rival, _)| {
            rival.side == Side::Rival && (card.hold == Hold::Session || rival.hold == card.hold)
        });
        let best = rivals.max_by(|(_, a), (_, b)| a.total_cmp(b));
        let best = best.map(|(rival, mops)| Best { rival: rival.name, ratio: mops_own / mops });
        Standing { engine: card.name, best }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_ignores_order_and_outliers() {
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([1.0, 4.0, 2.0, 900.0].into_iter()), Some(3.0));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn session_is_compared_with_all_rivals_and_a_plain_call_with_plain_calls() {
        let cards = [
            Card::own("rkv"),
            Card::own("rkv-session").session(),
            Card::rival("slow"),
            Card::rival("quick"),
            Card::rival("quick-session").session(),
        ];
        let standing =
            |engine, rival, ratio| Standing { engine, best: Some(Best { rival, ratio }) };
        assert_eq!(
            standings(&cards, &[30.0, 50.0, 10.0, 20.0, 40.0]),
            [standing("rkv", "quick", 1.5), standing("rkv-session", "quick-session", 1.25)]
        );
        assert_eq!(standings(&cards[..1], &[30.0]), [Standing { engine: "rkv", best: None }]);
    }
}
