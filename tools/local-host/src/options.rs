//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::faults::Standing;

/// Stands in for the Azure Functions host and its services on this machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "local-host", version)]
pub struct Options {
    /// Folder with host.json, the functions' folders and the handler.
    #[arg(long, default_value = "target/app")]
    pub script_root: PathBuf,
    /// Folder of the event log, the documents, checkpoints and timers.
    #[arg(long, default_value = "target/local-host-data")]
    pub data: PathBuf,
    /// Port of the HTTP front and of the ways into the event hub.
    #[arg(long, default_value_t = 7071)]
    pub port: u16,
    /// Port of the Cosmos DB account.
    #[arg(long, default_value_t = 8081)]
    pub cosmos_port: u16,
    /// Port of the SignalR service.
    #[arg(long, default_value_t = 8888)]
    pub signalr_port: u16,
    /// Partitions of the event hub; fixed at its first use.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub partitions: u16,
    /// Instances of the host, each with a handler of its own; they share the partitions of the event hub.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8))]
    pub instances: u16,
    /// Send bodies with a length, as under Core Tools, instead of in chunks, as in Azure.
    #[arg(long)]
    pub content_length: bool,
    /// Restart a handler that exited with code 0, as hosts of 2026 and later do.
    #[arg(long)]
    pub restart_on_exit_0: bool,
    /// Azurite's `azurite-blob`, for snapshots; without it there are none. Needs Node.js.
    #[arg(long, value_name = "PATH")]
    pub azurite: Option<PathBuf>,
    /// Lasting faults from the start on, as JSON; `PUT /local-host/faults` changes them.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub faults: Standing,
}
