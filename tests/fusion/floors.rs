//! Every bound that the fusion must keep, a little on the safe side of what was measured for the shipped models.

use heartline::emotion::Modality::{self, Face, Text, Voice};

/// Subsets with the least by which the fused accuracy and macro-F1 must exceed those of the best single modality.
pub(crate) const MARGINS: [(&[Modality], f64); 4] =
    [(&[Text, Voice], 0.11), (&[Text, Face], 0.045), (&[Voice, Face], 0.11), (&[Text, Voice, Face], 0.15)];
/// The largest calibration error of the fused probabilities, over pairs as common as the prior says.
pub(crate) const CALIBRATION_ERROR: f64 = 0.15;
/// By how much the mean confidence may exceed the accuracy: being too sure is the worse fault.
pub(crate) const OVERCONFIDENCE: f64 = 0.06;
/// By how much the accuracy may fall below the best of the others: where one of three modalities reads noise, however that
/// is rated;
pub(crate) const OUTVOTED_NOISE_LOSS: f64 = 0.0;
/// where one of two reads noise that is rated at a twentieth, as noise should be;
pub(crate) const KNOWN_NOISE_LOSS: f64 = 0.03;
/// where one of two reads noise with the quality and familiarity that the models give it, which are at times too high.
pub(crate) const RATED_NOISE_LOSS: f64 = 0.11;

/// How late the mean course may pass half of the way of a ramp, after the ramp has, in milliseconds. Somebody who is
/// angry every other moment is not yet called angry, so this is more than the lag alone.
pub(crate) const RAMP_LAG_MS: f64 = 20_000.0;
/// After a change, by when half and nine tenths of the way must be gone, in milliseconds.
pub(crate) const HALF_WAY_MS: f64 = 10_000.0;
pub(crate) const MOST_OF_THE_WAY_MS: f64 = 25_000.0;
/// The largest part of a step by which the mean course may exceed the plateau that it comes to rest at.
pub(crate) const OVERSHOOT: f64 = 0.1;
/// The largest share of a plateau with a wrong strongest category.
pub(crate) const PLATEAU_ERROR: f64 = 0.05;
/// How often a minute the strongest category may turn to anger on a plateau without any.
pub(crate) const FALSE_ALARMS_PER_MINUTE: f64 = 0.3;
/// The largest mean probability of anger after a single angry moment of 3 s.
pub(crate) const SPIKE: f64 = 0.2;
