//! The workloads: what is asked of a map, in which proportions, over which keys.
//!
//! A store of `n` entries is prefilled once with the keys `0..n` and serves all workloads of its
//! size. The order of [`Workload::ALL`] matters: those that draw from `0..n` and expect every key
//! come first, those that remove keys come last.

use crate::engine::Side;

/// One row of the result tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Gets that all hit, uniform.
    KvGet,
    /// 95 % get, 5 % overwrite (YCSB B), uniform.
    KvReadMostly,
    /// 50 % get, 50 % overwrite (YCSB A), uniform.
    KvUpdateHeavy,
    /// 95 % get, 5 % overwrite, true Zipf 0.99.
    KvZipf,
    /// Gets that all hit, uniform, in batches of 8.
    KvGetMany8,
    /// The same in batches of 16.
    KvGetMany16,
    /// The same in batches of 32.
    KvGetMany32,
    /// The same in batches of 64.
    KvGetMany64,
    /// 50 % get, 25 % set, 25 % delete over twice as many keys: half of them exist.
    KvChurn,
    /// Inserts into an empty, unsized store.
    KvGrow,
    /// Gets that all hit, uniform, `u64` to `u64`.
    MapGet,
    /// 50 % get, 50 % overwrite (YCSB A), uniform, `u64` to `u64`.
    MapYcsbA,
    /// 98 % get, 1 % insert, 1 % remove over twice as many keys, `u64` to `u64`.
    MapReadHeavy,
    /// 10 % get, 40 % insert, 40 % remove, 10 % update over twice as many keys, `u64` to `u64`.
    MapExchange,
    /// Inserts into an empty, unsized map, `u64` to `u64`.
    MapGrow,
}

/// Which kind of engine a workload needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// 16-byte keys and 64-byte values, copied out.
    Bytes,
    /// `u64` to `u64`, with a pin held over 64 operations where an engine has pins.
    Words,
}

/// How the threads of a workload spend their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Single operations, mixed at random.
    Mixed(Mix, Draw),
    /// Gets in batches of so many keys.
    Batches(usize),
    /// Inserts of all keys into a new engine.
    Grow,
}

/// Percentages of operations; they add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Reads.
    pub get: u32,
    /// Inserts or overwrites, whichever it turns out to be.
    pub set: u32,
    /// Removals.
    pub remove: u32,
    /// Changes of an existing value that read it.
    pub update: u32,
}

/// Which keys a workload of `n` entries draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Each of the `n` prefilled keys is as likely as any other.
    Present,
    /// Each of `2n` keys, of which the first `n` are prefilled. As many inserts as removals then
    /// keep half of them in the store.
    HalfPresent,
    /// The `n` prefilled keys by a Zipf distribution.
    Zipf,
}

/// What one operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read.
    Get,
    /// Insert or overwrite.
    Set,
    /// Remove.
    Remove,
    /// Change an existing value.
    Update,
}

impl Workload {
    /// All workloads, in the order in which they can share a prefilled store.
    pub const ALL: [Workload; 15] = [
        Workload::KvGet,
        Workload::KvReadMostly,
        Workload::KvUpdateHeavy,
        Workload::KvZipf,
        Workload::KvGetMany8,
        Workload::KvGetMany16,
        Workload::KvGetMany32,
        Workload::KvGetMany64,
        Workload::KvChurn,
        Workload::KvGrow,
        Workload::MapGet,
        Workload::MapYcsbA,
        Workload::MapReadHeavy,
        Workload::MapExchange,
        Workload::MapGrow,
    ];

    /// The name in tables, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Workload::KvGet => "kv-get",
            Workload::KvReadMostly => "kv-read-mostly",
            Workload::KvUpdateHeavy => "kv-update-heavy",
            Workload::KvZipf => "kv-zipf",
            Workload::KvGetMany8 => "kv-get-many-8",
            Workload::KvGetMany16 => "kv-get-many-16",
            Workload::KvGetMany32 => "kv-get-many-32",
            Workload::KvGetMany64 => "kv-get-many-64",
            Workload::KvChurn => "kv-churn",
            Workload::KvGrow => "kv-grow",
            Workload::MapGet => "map-u64-get",
            Workload::MapYcsbA => "map-u64-ycsb-a",
            Workload::MapReadHeavy => "map-u64-98-1-1",
            Workload::MapExchange => "map-u64-exchange",
            Workload::MapGrow => "map-u64-grow",
        }
    }

    /// Those that run when nobody chooses: of the batches, the headline of 16 and the longest.
    pub fn standard() -> Vec<Workload> {
        let between = [Workload::KvGetMany8, Workload::KvGetMany32];
        Workload::ALL.into_iter().filter(|workload| !between.contains(workload)).collect()
    }

    /// The workloads that `names` selects: each is a name, or the beginning of several. No name
    /// selects the standard ones.
    ///
    /// Errors: the name that selects nothing.
    pub fn select(names: &[String]) -> Result<Vec<Workload>, String> {
        if names.is_empty() {
            return Ok(Workload::standard());
        }
        let mut selected = Vec::new();
        for name in names {
            let exact = Workload::ALL.iter().any(|w| w.name() == name);
            let matches = |w: &&Workload| match exact {
                true => w.name() == name,
                false => w.name().starts_with(name.as_str()),
            };
            let count = selected.len();
            selected.extend(Workload::ALL.iter().filter(matches));
            if selected.len() == count {
                return Err(format!("no workload is called `{name}`"));
            }
        }
        Ok(Workload::ALL.into_iter().filter(|w| selected.contains(w)).collect())
    }

    /// The kind of engine that this workload needs.
    pub fn family(self) -> Family {
        if self.name().starts_with("kv-") { Family::Bytes } else { Family::Words }
    }

    /// How its threads spend their time.
    pub fn shape(self) -> Shape {
        let mixed =
            |get, set, remove, update, draw| Shape::Mixed(Mix { get, set, remove, update }, draw);
        match self {
            Workload::KvGet | Workload::MapGet => mixed(100, 0, 0, 0, Draw::Present),
            Workload::KvReadMostly => mixed(95, 5, 0, 0, Draw::Present),
            Workload::KvUpdateHeavy | Workload::MapYcsbA => mixed(50, 50, 0, 0, Draw::Present),
            Workload::KvZipf => mixed(95, 5, 0, 0, Draw::Zipf),
            Workload::KvGetMany8 => Shape::Batches(8),
            Workload::KvGetMany16 => Shape::Batches(16),
            Workload::KvGetMany32 => Shape::Batches(32),
            Workload::KvGetMany64 => Shape::Batches(64),
            Workload::KvChurn => mixed(50, 25, 25, 0, Draw::HalfPresent),
            Workload::KvGrow | Workload::MapGrow => Shape::Grow,
            Workload::MapReadHeavy => mixed(98, 1, 1, 0, Draw::HalfPresent),
            Workload::MapExchange => mixed(10, 40, 40, 10, Draw::HalfPresent),
        }
    }

    /// Whether so many hits among so many gets can be; if not, an engine lost or invented keys.
    ///
    /// Where every key is present, rkv must hit always. A rival may miss one get in a thousand:
    /// scc's `HashIndex` overwrites by removing and inserting, and a reader can fall in between.
    pub fn hits_plausible(self, side: Side, gets: u64, hits: u64) -> bool {
        let (gets, hits) = (gets as f64, hits as f64);
        match (self.shape(), side) {
            // Ten standard deviations of the gets, and what the random walk of the size may do.
            (Shape::Mixed(_, Draw::HalfPresent), _) => {
                (hits - 0.5 * gets).abs() <= 0.05 * gets + 10.0 * (gets / 4.0).sqrt()
            }
            (_, Side::Own) => hits == gets,
            (_, Side::Rival) => hits >= 0.999 * gets,
        }
    }
}

impl Mix {
    /// The action that `dice`, uniform over all `u32`, stands for.
    #[inline]
    pub fn action(self, dice: u32) -> Action {
        let percent = ((u64::from(dice) * 100) >> 32) as u32;
        if percent < self.get {
            Action::Get
        } else if percent < self.get + self.set {
            Action::Set
        } else if percent < self.get + self.set + self.remove {
            Action::Remove
        } else {
            Action::Update
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixes() -> impl Iterator<Item = (Workload, Mix, Draw)> {
        Workload::ALL.into_iter().filter_map(|w| match w.shape() {
            Shape::Mixed(mix, draw) => Some((w, mix, draw)),
            _ => None,
        })
    }

    #[test]
    fn every_mix_adds_up_to_all_operations() {
        for (workload, mix, _) in mixes() {
            let sum = mix.get + mix.set + mix.remove + mix.update;
            assert_eq!(sum, 100, "{}", workload.name());
        }
    }

    #[test]
    fn dice_give_the_stated_shares() {
        let mix = Mix { get: 10, set: 40, remove: 40, update: 10 };
        let mut counts = [0u32; 4];
        for step in 0..100_000u32 {
            // Evenly spaced dice cover the range exactly.
            counts[mix.action(step * 42_949) as usize] += 1;
        }
        for (count, percent) in counts.into_iter().zip([10, 40, 40, 10]) {
            assert!(count.abs_diff(percent * 1_000) <= 20, "{counts:?}");
        }
    }

    #[test]
    fn mixes_that_remove_draw_from_half_present_keys_and_insert_as_often() {
        for (workload, mix, draw) in mixes() {
            assert_eq!(mix.remove > 0, draw == Draw::HalfPresent, "{}", workload.name());
            assert!(mix.remove == 0 || mix.remove == mix.set, "{}", workload.name());
        }
    }

    #[test]
    fn workloads_that_remove_come_after_those_that_expect_every_key() {
        for family in [Family::Bytes, Family::Words] {
            let removes: Vec<bool> = mixes()
                .filter(|(workload, ..)| workload.family() == family)
                .map(|(_, mix, _)| mix.remove > 0)
                .collect();
            assert!(removes.is_sorted(), "{family:?}: {removes:?}");
        }
    }

    #[test]
    fn hits_must_match_what_is_present() {
        let churn = |hits| Workload::KvChurn.hits_plausible(Side::Own, 1_000_000, hits);
        assert!(churn(500_000) && churn(540_000) && !churn(900_000) && !churn(100_000));
        let get = |side, hits| Workload::KvGet.hits_plausible(side, 1_000_000, hits);
        assert!(get(Side::Own, 1_000_000) && !get(Side::Own, 999_999));
        assert!(get(Side::Rival, 999_999) && !get(Side::Rival, 990_000));
    }

    #[test]
    fn exact_name_selects_one_and_beginning_selects_all_that_share_it() {
        let select = |name: &str| Workload::select(&[name.to_owned()]);
        assert_eq!(select("kv-get"), Ok(vec![Workload::KvGet]));
        assert_eq!(select("map-u64").map(|w| w.len()), Ok(5));
        assert_eq!(select("kv-get-many").map(|w| w.len()), Ok(4));
        assert!(select("kv-gone").is_err());
    }

    #[test]
    fn batches_of_16_and_64_run_unasked_and_the_others_by_name() {
        let of = |workloads: Vec<Workload>| {
            let sizes = workloads.into_iter().filter_map(|workload| match workload.shape() {
                Shape::Batches(keys) => Some(keys),
                _ => None,
            });
            sizes.collect::<Vec<_>>()
        };
        assert_eq!(of(Workload::standard()), [16, 64]);
        assert_eq!(Workload::select(&[]), Ok(Workload::standard()));
        let named = ["kv-get-many-8".to_owned(), "kv-get-many-32".to_owned()];
        assert_eq!(Workload::select(&named).map(of), Ok(vec![8, 32]));
    }
}
