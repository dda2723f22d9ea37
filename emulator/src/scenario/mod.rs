//! Scenario scripts: language, runner, reports, exploration.
