//! What must hold in every run, whatever breaks.

pub mod mail;
pub mod pix;

use garoa::scenario::run::Invariants;

/// All invariants, by the names that scripts use.
pub fn all() -> Invariants {
    mail::register(pix::register(Invariants::default()))
}
