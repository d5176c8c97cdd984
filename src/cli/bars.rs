//! Numbers as bars.

/// How wide a bar is, in characters.
const WIDTH: usize = 20;

/// A bar for a value in [0, 1].
pub(super) fn share(value: f32) -> String {
    let filled = (value.clamp(0.0, 1.0) * WIDTH as f32).round() as usize;
    "█".repeat(filled) + &"·".repeat(WIDTH - filled)
}

/// A bar for a value in [-1, 1], drawn from the middle.
pub(super) fn signed(value: f32) -> String {
    const HALF: usize = WIDTH / 2;
    let filled = (value.abs().min(1.0) * HALF as f32).round() as usize;
    let (bar, rest) = ("█".repeat(filled), "·".repeat(HALF - filled));
    let empty = "·".repeat(HALF);
    if value < 0.0 { format!("{rest}{bar}│{empty}") } else { format!("{empty}│{bar}{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_one_width() {
        for value in [-2.0, 0.0, 0.04, 0.5, 1.0, 3.0, f32::NAN] {
            assert_eq!(share(value).chars().count(), WIDTH, "{value}");
            assert_eq!(signed(value).chars().count(), WIDTH + 1, "{value}");
        }
    }

    #[test]
    fn the_sign_is_a_side() {
        assert!(signed(-1.0).starts_with('█') && signed(-1.0).ends_with('·'));
        assert!(signed(1.0).starts_with('·') && signed(1.0).ends_with('█'));
        assert_eq!(share(0.5).matches('█').count(), WIDTH / 2);
    }
}
