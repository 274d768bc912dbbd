//! What a user asks of the time that is shown, done by whatever plays: a capture, or the past of a running host.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::Engine;
use crate::journal::{Deck, Player, Tape};
use crate::ui::{Control, Hop};

use super::marks::Marks;

/// Does what was asked, at the moment `now`. Recordings, marks set and the way back to live are not the player's.
pub(super) fn steer<T: Tape>(
    (player, deck): (&mut Player<T::Place>, &mut Deck<T>),
    engine: &mut Engine,
    marks: &Marks,
    control: &Control,
    now: Duration,
) {
    match *control {
        Control::Pause(paused) => player.pause(engine, now, paused),
        Control::Speed(speed) => player.clock.set_speed(now, engine.now(), speed),
        Control::Restart => player.restart(deck, engine, now),
        Control::Start => player.seek(deck, engine, Timestamp::MIN, now),
        Control::End => player.to_end(deck, engine, now),
        Control::Seek(to) => player.seek(deck, engine, to, now),
        Control::SeekBy(span, forwards) => {
            // Typed twice, it is twice as far.
            if let Some(at) = player.heads_for().or(engine.now()) {
                player.seek(deck, engine, if forwards { at + span } else { at - span }, now);
            }
        }
        Control::Hop(Hop::Happening(happening), true) => player.next(deck, engine, happening),
        Control::Hop(Hop::Happening(happening), false) => player.previous(deck, engine, happening),
        Control::Hop(Hop::Finding, forwards) => player.finding(deck, engine, forwards),
        // The screen says what the mark's note is, or that there is none.
        Control::Hop(Hop::Mark, forwards) => {
            if let Some(at) = engine.now().and_then(|now| marks.beside(now, forwards)) {
                player.seek(deck, engine, at, now);
            }
        }
        Control::Mark(_) | Control::Record | Control::Save | Control::Live => {}
    }
}
