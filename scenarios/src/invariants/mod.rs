//! What must hold in every run, whatever breaks.

pub mod mail;
pub mod partner;
pub mod pix;
pub mod realtime;
#[cfg(test)]
mod testing;

use garoa::scenario::run::Invariants;

/// All invariants, by the names that scripts use.
pub fn all() -> Invariants {
    realtime::register(partner::register(mail::register(pix::register(Invariants::default()))))
}
