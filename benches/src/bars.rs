//! Pictures of bars: groups under each other, the bars of a group with their figures beside them.
//!
//! The background is left open, and every colour stands out on white and on black.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours of bars.
pub const BLUE: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
/// See [`BLUE`].
pub const ORANGE: RGBColor = RGBColor(0xd1, 0x70, 0x1a);
/// See [`BLUE`].
pub const GREEN: RGBColor = RGBColor(0x1f, 0x97, 0x55);
/// The colour of text and lines.
pub const GREY: RGBColor = RGBColor(0x76, 0x76, 0x76);

/// What is drawn. Lengths are shares of the longest bar that there may be, from 0 to 1.
pub struct Picture {
    /// The line above everything.
    pub title: String,
    /// What the colours stand for.
    pub legend: Vec<(&'static str, RGBColor)>,
    /// At what lengths the axis has numbers, and which.
    pub ticks: Vec<(f64, String)>,
    /// A length that a line marks through all groups, and what it is.
    pub mark: Option<(f64, &'static str)>,
    /// From top to bottom.
    pub groups: Vec<Group>,
}

/// Bars that belong together.
pub struct Group {
    /// What stands beside them on the left.
    pub name: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
pub struct Bar {
    /// Its colour.
    pub colour: RGBColor,
    /// Its length.
    pub length: f64,
    /// What stands beside it on the right.
    pub label: String,
}

// Places and sizes in pixels.
const WIDTH: i32 = 840;
/// The room for the names of the groups.
const LEFT: i32 = 150;
/// The room for the figures, right of the longest bar.
const RIGHT: i32 = 170;
const TOP: i32 = 76;
const BOTTOM: i32 = 30;
const BAR: i32 = 14;
/// Between two groups.
const GAP: i32 = 10;

impl Picture {
    /// The picture as an SVG file.
    pub fn draw(&self) -> String {
        let bars: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let height = TOP + bars as i32 * BAR + self.groups.len() as i32 * GAP + BOTTOM;
        let mut svg = String::new();
        let canvas = Canvas(
            SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area(),
        );
        self.heading(&canvas);
        self.axis(&canvas, height - BOTTOM);
        let mut top = TOP + GAP / 2;
        for group in &self.groups {
            group.draw(&canvas, top);
            top += group.bars.len() as i32 * BAR + GAP;
        }
        if let Some((length, what)) = self.mark {
            canvas.line(x(length), (TOP, height - BOTTOM), 2);
            canvas.text(what, (x(length), TOP - 6), HPos::Center, 13);
        }
        drop(canvas);
        svg
    }

    fn heading(&self, canvas: &Canvas<'_>) {
        canvas.text(&self.title, (LEFT, 16), HPos::Left, 18);
        let mut left = LEFT;
        for &(what, colour) in &self.legend {
            canvas.bar((left, 36), (left + BAR - 2, 36 + BAR - 2), colour);
            canvas.text(what, (left + BAR + 4, 42), HPos::Left, 14);
            left += 200;
        }
    }

    fn axis(&self, canvas: &Canvas<'_>, bottom: i32) {
        for (length, number) in &self.ticks {
            canvas.line(x(*length), (bottom, bottom + 5), 1);
            canvas.text(number, (x(*length), bottom + 14), HPos::Center, 13);
        }
    }
}

impl Group {
    fn draw(&self, canvas: &Canvas<'_>, mut top: i32) {
        let middle = top + self.bars.len() as i32 * BAR / 2;
        canvas.text(&self.name, (LEFT - 8, middle), HPos::Right, 15);
        for bar in &self.bars {
            canvas.bar((LEFT, top), (x(bar.length), top + BAR - 2), bar.colour);
            let place = (WIDTH - RIGHT + 10, top + BAR / 2 - 1);
            canvas.text(&bar.label, place, HPos::Left, 13);
            top += BAR;
        }
    }
}

/// Where a bar of this length ends.
fn x(length: f64) -> i32 {
    LEFT + (length * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
}

/// What can be drawn. Drawing goes to a string, which cannot fail.
struct Canvas<'s>(DrawingArea<SVGBackend<'s>, Shift>);

impl Canvas<'_> {
    fn bar(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) {
        self.0.draw(&Rectangle::new([from, to], colour.filled())).expect("drawn to a string");
    }

    fn line(&self, x: i32, (top, bottom): (i32, i32), width: u32) {
        let line = PathElement::new([(x, top), (x, bottom)], GREY.stroke_width(width));
        self.0.draw(&line).expect("drawn to a string");
    }

    fn text(&self, text: &str, at: (i32, i32), side: HPos, size: i32) {
        let style = ("sans-serif", size).into_font().color(&GREY).pos(Pos::new(side, VPos::Center));
        self.0.draw_text(text, &style, at).expect("drawn to a string");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let bar = |length| Bar { colour: BLUE, length, label: format!("{length} long") };
        Picture {
            title: "lengths".to_owned(),
            legend: vec![("ours", BLUE), ("theirs", ORANGE)],
            ticks: vec![(0.0, "none".to_owned()), (1.0, "all".to_owned())],
            mark: Some((0.5, "half")),
            groups: vec![Group { name: "some".to_owned(), bars: vec![bar(0.25), bar(1.0)] }],
        }
    }

    #[test]
    fn same_picture_is_drawn_the_same_and_names_everything() {
        let svg = picture().draw();
        assert_eq!(svg, picture().draw());
        for text in ["lengths", "ours", "theirs", "none", "all", "half", "some", "0.25 long"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn bars_begin_right_of_the_names_and_end_left_of_the_figures() {
        assert_eq!((x(0.0), x(1.0)), (LEFT, WIDTH - RIGHT));
        assert!(x(0.25) > LEFT && x(0.25) < x(0.5));
    }

    /// Contrast as the accessibility guidelines of the web define it.
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let light = |RGBColor(red, green, blue): RGBColor| {
            let linear = |part: u8| match f64::from(part) / 255.0 {
                part if part <= 0.040_45 => part / 12.92,
                part => ((part + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_and_bars_stand_out_on_a_light_and_on_a_dark_page() {
        for page in [WHITE, RGBColor(0x0d, 0x11, 0x17)] {
            assert!(contrast(GREY, page) >= 4.0);
            for colour in [BLUE, ORANGE, GREEN] {
                assert!(contrast(colour, page) >= 3.0, "{colour:?}");
            }
        }
    }
}
