//! What goes wrong around the real executable: kill -9 under load, signals, bad settings, a second process, a full disk.
//! It is the dev-profile `todo` beside the tests' own executable (`cargo build -p todo`).

mod agent;
mod backup;
mod dapr;
mod disk;
mod doctor;
mod kill;
mod ledger;
mod load;
mod metrics;
mod operator;
mod process;
mod settings;
mod traces;
