//! The bar that shows the time left of a run.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar for work of about `estimate`, on a terminal; silent elsewhere.
pub fn bar(estimate: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent}% {eta} left\n{msg}");
    let bar = ProgressBar::new(estimate.as_millis() as u64);
    bar.with_style(style.expect("the template is valid"))
}

/// Counts work that was estimated to take `time` as done.
pub fn advance(bar: &ProgressBar, time: Duration) {
    bar.inc(time.as_millis() as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_full_when_the_estimated_work_is_done() {
        let bar = bar(Duration::from_secs(3));
        advance(&bar, Duration::from_secs(1));
        assert_eq!(bar.position() * 3, bar.length().expect("the estimate is known"));
        advance(&bar, Duration::from_secs(2));
        assert_eq!(Some(bar.position()), bar.length());
    }
}
