//! How a program says how long a key is to live.

use std::time::Duration;

use rkv::Ttl;

/// A time to live: for ever.
pub const KV_TTL_NEVER: u64 = 0;
/// A time to live: as the option default_ttl_ms says.
pub const KV_TTL_DEFAULT: u64 = u64::MAX;
/// A time to live: what the key still has; as KV_TTL_DEFAULT if it does not exist.
pub const KV_TTL_KEEP: u64 = u64::MAX - 1;

/// What a number of milliseconds means, the three constants among them.
pub(crate) fn meaning(ttl_ms: u64) -> Ttl {
    match ttl_ms {
        KV_TTL_NEVER => Ttl::Never,
        KV_TTL_DEFAULT => Ttl::Default,
        KV_TTL_KEEP => Ttl::Keep,
        ms => Ttl::After(Duration::from_millis(ms)),
    }
}
