//! Rules of this repository that no compiler knows: one module a rule.
#![cfg(test)]

mod arrows;
mod ci;
mod functions;
mod repository;
mod settings;
mod tidy;
