//! `cargo xtask`: stages the app, runs it locally, tests everything and publishes.
//!
//! What enters is the repository and the command line; what leaves is `target/app`, the folder that the local host,
//! `func start` and `func azure functionapp publish` run. It knows nothing about detection, documents or protocols:
//! it starts other programs, copies files and reads what they print.

mod azurite;
mod children;
mod command;
mod dev;
mod evaluate;
mod glibc;
mod npm;
mod publish;
mod ready;
mod stage;
mod start;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Stages, runs, tests and publishes the app.")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the handler and the dashboard and writes the script root, target/app.
    Stage(stage::Options),
    /// Runs the app under the local host with a simulated fleet.
    Dev(dev::Options),
    /// Runs the app under Azure Functions Core Tools (`func start`).
    Start(start::Options),
    /// Checks everything: lints, tests, dependencies, dashboard, end to end.
    Test(test::Options),
    /// Measures the shipped detector on labelled series: all gates in one table.
    Evaluate(evaluate::Options),
    /// Publishes the app to a function app in Azure.
    Publish(publish::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = Workspace::locate().and_then(|workspace| match arguments.task {
        Task::Stage(options) => stage::run(&workspace, &options),
        Task::Dev(options) => dev::run(&workspace, &options),
        Task::Start(options) => start::run(&workspace, &options),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Evaluate(options) => evaluate::run(&workspace, &options),
        Task::Publish(options) => publish::run(&workspace, &options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
