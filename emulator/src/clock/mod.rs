//! Virtual and real time: the clock, its timers, and what runs under it.
