//! What a matcher can offer besides scores: explanations, learning, and a state that outlives the instance.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::Text;

use crate::{Candidates, Matcher, MatcherError, Request, export, raw};

/// Explains scores by their factors: the extension `heartline.explain`.
pub trait Explain: Matcher {
    /// Explains the score that [`Matcher::score`] gives one candidate for the same input. The contributions of all
    /// factors sum to an eligible candidate's score.
    ///
    /// # Errors
    /// Where no explanation can be given.
    fn explain<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError>;
}

/// Learns from how calls ended: the extension `heartline.learn`.
pub trait Learn: Matcher {
    /// Takes note of how a call ended. `candidates` has one row, the agent who took the call. The same outcomes in the
    /// same order lead to the same scores.
    ///
    /// # Errors
    /// [`MatcherError::Failed`] where the outcome cannot be used; nothing may have changed then.
    fn learn(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        outcome: &Outcome,
    ) -> Result<(), MatcherError>;
}

/// Keeps what was learned beyond the instance's life: the extension `heartline.state`.
pub trait State: Matcher {
    /// The state as bytes; equal states are equal bytes on every machine.
    ///
    /// # Errors
    /// Where the state cannot be written.
    fn save(&self) -> Result<Vec<u8>, MatcherError>;

    /// Replaces the state by one that [`Self::save`] gave, of this version or of an earlier one that is still read.
    ///
    /// # Errors
    /// [`MatcherError::State`] where the bytes cannot be read; nothing may have changed then.
    fn load(&mut self, bytes: &[u8]) -> Result<(), MatcherError>;
}

/// The extensions of a matcher, for [`Matcher::EXTENSIONS`]: `Extensions::none().explain().learn().state()`.
pub struct Extensions<M> {
    pub(crate) explain: Option<abi::ExplainFn>,
    pub(crate) learn: Option<abi::LearnFn>,
    pub(crate) state: Option<(abi::SaveFn, abi::LoadFn)>,
    matcher: std::marker::PhantomData<fn(M)>,
}

impl<M: Matcher> Extensions<M> {
    /// None of them.
    #[must_use]
    pub const fn none() -> Self {
        Self { explain: None, learn: None, state: None, matcher: std::marker::PhantomData }
    }

    /// Adds `heartline.explain`.
    #[must_use]
    pub const fn explain(mut self) -> Self
    where
        M: Explain,
    {
        self.explain = Some(export::explain::<M>);
        self
    }

    /// Adds `heartline.learn`.
    #[must_use]
    pub const fn learn(mut self) -> Self
    where
        M: Learn,
    {
        self.learn = Some(export::learn::<M>);
        self
    }

    /// Adds `heartline.state`.
    #[must_use]
    pub const fn state(mut self) -> Self
    where
        M: State,
    {
        self.state = Some((export::save::<M>, export::load::<M>));
        self
    }
}

/// One factor of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor<'call> {
    /// What kind of factor, in a few words.
    pub name: &'static str,
    /// What it is about, such as a skill's name: a text of the request or the candidates. Empty where it is about nothing
    /// in particular.
    pub subject: &'call str,
    /// What was found, in [0, 1].
    pub value: f32,
    /// How much it counts beside the other factors, in [0, 1].
    pub weight: f32,
    /// What it adds to the score, in [-1, 1].
    pub contribution: f32,
}

/// Room for the factors of one score, the weightiest first.
#[derive(Debug)]
pub struct Factors<'room, 'call> {
    room: &'room mut [std::mem::MaybeUninit<abi::Factor>],
    count: usize,
    call: std::marker::PhantomData<&'call ()>,
}

impl<'call> Factors<'_, 'call> {
    /// Adds a factor; does nothing once the host's room is full.
    pub fn push(&mut self, factor: Factor<'call>) {
        let Some(place) = self.room.get_mut(self.count) else { return };
        place.write(abi::Factor {
            name: Text::from_borrowed(factor.name),
            subject: Text::from_borrowed(factor.subject),
            value: factor.value,
            weight: factor.weight,
            contribution: factor.contribution,
            reserved: 0,
        });
        self.count += 1;
    }

    /// How many factors were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Borrows the ABI's room for factors.
    ///
    /// # Safety
    /// The pointer and all it leads to must be as the header says, and nobody else's, for as long as `'room`.
    pub(crate) unsafe fn from_abi(pointer: *mut abi::Factors) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises that the structure is as the header says.
        let factors = unsafe { raw::structure(pointer.cast_const(), "the factors are null or too short") }?;
        // Uninitialised memory is fine for what is only written to.
        let place = factors.factors.cast::<std::mem::MaybeUninit<abi::Factor>>();
        // SAFETY: as before.
        let room = unsafe { raw::column_mut(place, factors.capacity as usize, "the factors have no room") }?;
        Ok(Self { room, count: 0, call: std::marker::PhantomData })
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Whether the issue was resolved; `None` where nobody said.
    pub is_resolved: Option<bool>,
    /// Whether the call was transferred to another agent.
    pub is_transferred: bool,
    /// The customer's own rating, in [0, 1].
    pub rating: Option<f32>,
    /// How the emotion vector's valence changed from the ranking to the end, in [-2, 2].
    pub valence_change: Option<f32>,
    /// How long the call took, in ms; `None` where it is unknown.
    pub handling_ms: Option<u64>,
}

impl Outcome {
    /// Reads the ABI's outcome.
    ///
    /// # Safety
    /// The pointer must be as the header says.
    pub(crate) unsafe fn from_abi(pointer: *const abi::Outcome) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises that the structure is as the header says.
        let outcome = unsafe { raw::structure(pointer, "the outcome is null or too short") }?;
        Ok(Self {
            is_resolved: match outcome.result {
                abi::CallResult::RESOLVED => Some(true),
                abi::CallResult::UNRESOLVED => Some(false),
                _ => None,
            },
            is_transferred: outcome.transferred != 0,
            rating: (!outcome.rating.is_nan()).then_some(outcome.rating),
            valence_change: (!outcome.valence_change.is_nan()).then_some(outcome.valence_change),
            handling_ms: (outcome.handling_ms > 0).then_some(outcome.handling_ms),
        })
    }
}
