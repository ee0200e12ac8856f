//! The timer wheel against a binary heap. The wheel is no part of rkv's surface, so it is compiled
//! in from its source, together with the model that its own tests use.

use arbitrary::Arbitrary;

#[path = "../../core/src/wheel/model.rs"]
mod model;
#[path = "../../core/src/wheel/mod.rs"]
mod wheel;

use self::model::Model;
use self::wheel::{HORIZON, Progress, Token, Wheel};

/// When the wheel begins, and the calls to make.
#[derive(Arbitrary, Debug)]
pub struct WheelProgram {
    /// Shifted by ten bits: deadlines of records have 42.
    start: u32,
    calls: Vec<Call>,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Park(Span),
    ParkLate(u16),
    /// The same time for this many tokens.
    ParkMany(Span, u8),
    Advance(Span, u16),
    Compact(u8, u16),
}

/// Milliseconds of up to as many bits as the first number says.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Span(u8, u32);

impl Span {
    fn get(self) -> u64 {
        u64::from(self.1) & ((1 << (self.0 % 33)) - 1)
    }
}

/// Runs a program on both and compares.
pub fn run_wheel(program: WheelProgram) {
    let mut model = Model::new(u64::from(program.start) << 10);
    for call in program.calls {
        match call {
            Call::Park(ahead) => model.park(ahead.get().cast_signed()),
            Call::ParkLate(behind) => model.park(-i64::from(behind)),
            Call::ParkMany(ahead, count) => {
                (0..count).for_each(|_| model.park(ahead.get().cast_signed()));
            }
            Call::Advance(by, budget) => model.advance(by.get(), budget.into()),
            Call::Compact(every, budget) => {
                model.compact(u32::from(every).max(1), budget.into());
            }
        }
    }
    model.finish();
}
