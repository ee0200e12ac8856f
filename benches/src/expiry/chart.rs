//! The picture of lag: how late keys went from rkv and from its rival, on a logarithmic scale.

use super::Probed;
use crate::bars::{self, Bar, Group, Picture};
use crate::grid::thousands;
use plotters::style::RGBColor;

/// The name of its file.
pub const FILE: &str = "expiry-lag.svg";

/// The engines and their colours.
const COLOURS: [(&str, RGBColor); 2] = [("rkv", bars::BLUE), ("moka", bars::ORANGE)];

/// The figures of an engine: thousandths of the keys.
const FIGURES: [(&str, usize); 3] = [("p50", 500), ("p99", 990), ("max", 1000)];

/// The ends of the scale, in milliseconds.
const SCALE: (f64, f64) = (0.1, 10_000.0);

/// One group for each situation.
pub fn draw(probed: &[Probed]) -> String {
    let mut situations: Vec<&str> = Vec::new();
    for Probed { situation, .. } in probed {
        if !situations.contains(situation) {
            situations.push(situation);
        }
    }
    let group = |situation: &&str| {
        let of_it = probed.iter().filter(|probed| probed.situation == *situation);
        Group { name: (*situation).to_owned(), bars: of_it.flat_map(bars_of).collect() }
    };
    let ticks = [0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0];
    let number = |ms: f64| match ms {
        0.1 => "0.1 ms".to_owned(),
        ms => format!("{} ms", thousands(ms as u64)),
    };
    let picture = Picture {
        title: "How late 1,000 expired keys went that nobody reads".to_owned(),
        legend: COLOURS.to_vec(),
        ticks: ticks.map(|ms| (length(ms), number(ms))).to_vec(),
        mark: None,
        groups: situations.iter().map(group).collect(),
    };
    picture.draw()
}

fn bars_of(probed: &Probed) -> Vec<Bar> {
    let known = COLOURS.into_iter().find(|(engine, _)| *engine == probed.engine);
    let colour = known.map_or(bars::GREY, |(_, colour)| colour);
    let bar = |(what, permille)| {
        let ms = probed.lag.at(permille);
        let label = ms.map_or("never".to_owned(), |ms| format!("{ms:.1} ms"));
        let label = format!("{} {what} {label}", probed.engine);
        Bar { colour, length: ms.map_or(1.0, length), label }
    };
    FIGURES.map(bar).into()
}

/// From milliseconds to the length of a bar.
fn length(ms: f64) -> f64 {
    let (least, most) = SCALE;
    (ms.clamp(least, most) / least).log10() / (most / least).log10()
}

#[cfg(test)]
mod tests {
    use super::super::lag::Lag;
    use super::*;
    use std::time::{Duration, Instant};

    fn probed(engine: &'static str, situation: &'static str, late: Option<u64>) -> Probed {
        let due = Instant::now();
        let seen = late.map(|ms| (1, due + Duration::from_millis(ms)));
        Probed { engine, situation, lag: Lag::of(&[due], seen.as_slice()) }
    }

    #[test]
    fn chart_shows_each_engine_in_each_situation_and_who_never_ends_a_key() {
        let (rkv, moka) = (probed("rkv", "rest", Some(2)), probed("moka", "rest", None));
        let svg = draw(&[rkv, moka, probed("rkv", "work", Some(30))]);
        for text in ["rest", "work", "rkv p50 2.0 ms", "rkv max 30.0 ms", "moka p99 never"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn bars_grow_by_the_same_for_each_power_of_ten() {
        assert_eq!((length(0.01), length(0.1), length(1e9)), (0.0, 0.0, 1.0));
        assert!((length(10.0) - length(1.0) - 0.2).abs() < 1e-9);
        assert!((length(1_000.0) - length(100.0) - 0.2).abs() < 1e-9);
    }
}
