//! The picture of the step in `docs/images/fusion-arc.svg`.

use std::fmt::Write;
use std::path::Path;

use heartline::emotion::{Category, FusionConfig};

use crate::arcs::{END_MS, FALL_MS, RISE_MS, step};
use crate::course::{STEP_MS, courses, mean_course};
use crate::pairs::Pools;
use crate::table::held_out;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 34.0;

fn place(at_ms: f64, value: f64) -> (f64, f64) {
    let (right, bottom) = (WIDTH - 14.0, HEIGHT - 40.0);
    (LEFT + (right - LEFT) * at_ms / END_MS as f64, bottom - (bottom - TOP) * value)
}

fn line(values: &[f64], style: &str) -> String {
    let points: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let (x, y) = place(((index as u64 + 1) * STEP_MS) as f64, *value);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    format!("<polyline fill=\"none\" {style} points=\"{}\"/>\n", points.join(" "))
}

fn draw(single: &[Vec<f64>], mean: &[f64]) -> String {
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let (rise, top) = place(RISE_MS as f64, 1.0);
    let (fall, bottom) = place(FALL_MS as f64, 0.0);
    let (width, height) = (fall - rise, bottom - top);
    let _ = writeln!(
        picture,
        "<rect x=\"{rise:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#fbe9e7\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#8d3b2f\">the customer is angry</text>",
        rise + 8.0,
        top + 16.0
    );
    for part in 0..=4 {
        let value = f64::from(part) / 4.0;
        let ((x, y), (end, _)) = (place(0.0, value), place(END_MS as f64, value));
        let _ = writeln!(
            picture,
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{end:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555555\">{value}</text>",
            x - 6.0,
            y + 4.0
        );
    }
    for at_ms in (0..=END_MS).step_by(30_000) {
        let (x, y) = place(at_ms as f64, 0.0);
        let _ = writeln!(
            picture,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555555\">{} s</text>",
            y + 18.0,
            at_ms / 1000
        );
    }
    for values in single {
        picture += &line(values, "stroke=\"#9aa7b5\" stroke-width=\"1\" opacity=\"0.7\"");
    }
    picture += &line(mean, "stroke=\"#c0392b\" stroke-width=\"3\"");
    let _ = writeln!(
        picture,
        "<text x=\"{LEFT}\" y=\"20\" fill=\"#222222\">Fused probability of anger: mean of 40 calls (red), \
         three single calls (grey)</text>\n</svg>"
    );
    picture
}

#[test]
#[ignore = "writes docs/images/fusion-arc.svg"]
fn write_the_picture() {
    let rows = held_out();
    let courses = courses(&Pools::new(&rows), &step, END_MS, 40, &FusionConfig::default());
    let single: Vec<Vec<f64>> = courses
        .iter()
        .take(3)
        .map(|course| mean_course(std::slice::from_ref(course), Category::Anger))
        .collect();
    let picture = draw(&single, &mean_course(&courses, Category::Anger));
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/fusion-arc.svg"), picture)
        .unwrap();
}
