//! How many cases the property tests run.

use proptest::prelude::ProptestConfig;

/// `PROPTEST_CASES` cases when that is set, a few under Miri, otherwise `usual`.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match usual {
        _ if cfg!(miri) => ProptestConfig { cases: 4, ..default },
        _ if asked => default,
        cases => ProptestConfig { cases, ..default },
    }
}
