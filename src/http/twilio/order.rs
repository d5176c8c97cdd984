//! Brings the pieces of one track back into their order, within a small window.
//!
//! A piece that follows what came before is passed on at once. One that comes too early waits for those before it,
//! until the window is full; then what is missing is given up. A piece that comes after its turn is dropped: its place
//! has been passed, or it is there already.

use std::collections::BTreeMap;

use axum::body::Bytes;

/// A piece of sound with its place in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its number, where the dialect counts.
    pub(super) chunk: Option<u64>,
    /// When it begins.
    pub(super) at_ms: Option<u64>,
    /// How long it lasts.
    pub(super) duration_ms: u64,
    /// The sound.
    pub(super) bytes: Bytes,
}

/// What went wrong with the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Disorder {
    /// Pieces that came too early and were put in their place.
    pub(super) reordered: u64,
    /// Gaps that nothing came for.
    pub(super) missing: u64,
    /// Pieces that came twice or too late.
    pub(super) stale: u64,
}

/// The row of one track.
#[derive(Debug)]
pub(super) struct Order {
    window: usize,
    last: Option<Last>,
    held: BTreeMap<u64, Piece>,
    disorder: Disorder,
}

/// The piece that was passed on last.
#[derive(Debug, Clone, Copy)]
struct Last {
    place: u64,
    end_ms: Option<u64>,
    duration_ms: u64,
}

impl Order {
    /// A row in which at most this many pieces wait.
    pub(super) fn new(window: usize) -> Self {
        Self { window, last: None, held: BTreeMap::new(), disorder: Disorder::default() }
    }

    /// What went wrong since this was asked last.
    pub(super) fn disorder(&mut self) -> Disorder {
        std::mem::take(&mut self.disorder)
    }

    /// Takes a piece and hands out what is in order now.
    pub(super) fn take(&mut self, piece: Piece, ready: &mut Vec<Piece>) {
        // Without a number its time is its place; without either there is no order but that of arrival.
        let Some(place) = piece.chunk.or(piece.at_ms) else {
            ready.push(piece);
            return;
        };
        let is_past = self.last.is_some_and(|last| place <= last.place);
        let is_first = self.held.first_key_value().is_none_or(|(held, _)| place < *held);
        if is_past || self.held.contains_key(&place) {
            self.disorder.stale += 1;
        } else if is_first && self.follows(place, &piece) {
            self.pass(place, piece, ready);
            self.drain(ready);
        } else {
            self.held.insert(place, piece);
            if self.held.len() > self.window {
                self.give_up(ready);
            }
        }
    }

    /// Hands out whatever waits still.
    pub(super) fn flush(&mut self, ready: &mut Vec<Piece>) {
        while !self.held.is_empty() {
            self.give_up(ready);
        }
    }

    /// Whether nothing can be missing before a piece: by its number or, because some count all tracks in one row, by
    /// its time.
    fn follows(&self, place: u64, piece: &Piece) -> bool {
        let Some(last) = self.last else {
            // A stream begins at 1. One that was taken up again begins anywhere.
            return piece.chunk.is_none_or(|chunk| chunk <= 1 || chunk > self.window as u64);
        };
        let by_number = piece.chunk.is_some() && last.place.checked_add(1) == Some(place);
        let by_time = match (last.end_ms, piece.at_ms) {
            (Some(end), Some(at)) => end.abs_diff(at) <= last.duration_ms.min(piece.duration_ms) / 2,
            _ => false,
        };
        by_number || by_time
    }

    fn pass(&mut self, place: u64, piece: Piece, ready: &mut Vec<Piece>) {
        let end_ms = piece.at_ms.map(|at| at.saturating_add(piece.duration_ms));
        self.last = Some(Last { place, end_ms, duration_ms: piece.duration_ms });
        ready.push(piece);
    }

    /// Passes on what follows now.
    fn drain(&mut self, ready: &mut Vec<Piece>) {
        while let Some((place, piece)) = self.held.pop_first() {
            if self.follows(place, &piece) {
                self.disorder.reordered += 1;
                self.pass(place, piece, ready);
            } else {
                self.held.insert(place, piece);
                return;
            }
        }
    }

    /// Passes on the first that waits, whatever is missing before it.
    fn give_up(&mut self, ready: &mut Vec<Piece>) {
        if let Some((place, piece)) = self.held.pop_first() {
            self.disorder.missing += 1;
            self.pass(place, piece, ready);
            self.drain(ready);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(chunk: Option<u64>, at_ms: Option<u64>) -> Piece {
        let bytes = Bytes::copy_from_slice(&chunk.or(at_ms).unwrap_or(0).to_le_bytes());
        Piece { chunk, at_ms, duration_ms: 20, bytes }
    }

    /// What comes out for pieces that have both a number and the time that belongs to it.
    fn out(window: usize, chunks: &[u64]) -> (Vec<u64>, Disorder) {
        let mut order = Order::new(window);
        let mut ready = Vec::new();
        for chunk in chunks {
            order.take(piece(Some(*chunk), Some(chunk * 20)), &mut ready);
        }
        order.flush(&mut ready);
        (ready.iter().map(|piece| piece.chunk.unwrap()).collect(), order.disorder())
    }

    #[test]
    fn what_comes_in_order_waits_for_nothing() {
        let mut order = Order::new(4);
        for chunk in 1..100 {
            let mut ready = Vec::new();
            order.take(piece(Some(chunk), None), &mut ready);
            assert_eq!(ready.len(), 1, "{chunk}");
        }
        assert_eq!(order.disorder(), Disorder::default());
    }

    #[test]
    fn a_shuffle_within_the_window_is_mended() {
        let (chunks, disorder) = out(4, &[2, 1, 3, 5, 6, 4, 7]);
        assert_eq!(chunks, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(disorder, Disorder { reordered: 3, missing: 0, stale: 0 });
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let (chunks, disorder) = out(2, &[1, 3, 4, 5, 2, 6]);
        assert_eq!(chunks, [1, 3, 4, 5, 6]);
        assert_eq!((disorder.missing, disorder.stale), (1, 1));
    }

    #[test]
    fn repeats_are_dropped_wherever_they_stand() {
        let (chunks, disorder) = out(4, &[1, 1, 2, 4, 4, 3, 2]);
        assert_eq!(chunks, [1, 2, 3, 4]);
        assert_eq!(disorder.stale, 3);
    }

    #[test]
    fn a_row_that_counts_both_tracks_is_no_disorder() {
        let mut order = Order::new(4);
        let mut ready = Vec::new();
        for index in 0..50 {
            order.take(piece(Some(1 + 2 * index), Some(20 * index)), &mut ready);
        }
        assert_eq!((ready.len(), order.disorder()), (50, Disorder::default()));
    }

    #[test]
    fn times_do_where_numbers_are_missing() {
        let mut order = Order::new(4);
        let mut ready = Vec::new();
        for at_ms in [0, 40, 20, 60, 60] {
            order.take(piece(None, Some(at_ms)), &mut ready);
        }
        assert_eq!(ready.iter().map(|piece| piece.at_ms.unwrap()).collect::<Vec<_>>(), [0, 20, 40, 60]);
        assert_eq!(order.disorder().stale, 1);
    }

    #[test]
    fn without_places_the_arrival_counts() {
        let mut order = Order::new(4);
        let mut ready = Vec::new();
        (0..3).for_each(|_| order.take(piece(None, None), &mut ready));
        assert_eq!((ready.len(), order.disorder()), (3, Disorder::default()));
    }

    #[test]
    fn a_stream_that_is_taken_up_again_begins_anywhere() {
        assert_eq!(out(4, &[500, 501]).0, [500, 501]);
        let (chunks, disorder) = out(0, &[3, u64::MAX, u64::MAX, 4]);
        assert_eq!((chunks, disorder.stale), (vec![3, u64::MAX], 2));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_goes_out_once_and_in_order(
            chunks in proptest::collection::vec(0_u64..40, 0..80), window in 0_usize..6,
        ) {
            let mut order = Order::new(window);
            let mut ready = Vec::new();
            for chunk in &chunks {
                order.take(piece(Some(*chunk), None), &mut ready);
                proptest::prop_assert!(order.held.len() <= window);
            }
            order.flush(&mut ready);
            let places: Vec<u64> = ready.iter().map(|piece| piece.chunk.unwrap()).collect();
            proptest::prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
            let stale = usize::try_from(order.disorder().stale).unwrap();
            proptest::prop_assert_eq!(places.len() + stale, chunks.len());
        }
    }
}
