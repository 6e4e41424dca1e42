//! Rules of this repository that no compiler knows: one module a rule.

mod arrows;
mod ci;
mod functions;
mod repository;
mod settings;
mod tidy;
