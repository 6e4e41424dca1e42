//! The whole local host with a handler whose process is a shell script and whose answers come from the test.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod batches;
mod events;
mod faults;
mod handler;
mod http;
mod services_down;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_host::faults::Standing;
use local_host::{LocalHost, Options};
use tempfile::TempDir;

/// A script root and a data folder in a temporary place.
struct Place {
    folder: TempDir,
    functions: Vec<(&'static str, &'static str)>,
    script: &'static str,
    environment: HashMap<&'static str, &'static str>,
    faults: Standing,
    instances: u16,
}

/// Notes its port and its process, then waits for its end.
const WAITING: &str = "echo $$ >> pids; env > environment; pwd > folder; echo $FUNCTIONS_CUSTOMHANDLER_PORT > port.new; mv port.new port; exec sleep 600";

impl Place {
    fn new(functions: &[(&'static str, &'static str)]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            functions: functions.to_vec(),
            script: WAITING,
            environment: HashMap::from([("HUB", "telemetry")]),
            faults: Standing::default(),
            instances: 1,
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn write(&self) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(self.root()).unwrap();
        for name in ["port", "pids"] {
            let _ = std::fs::remove_file(self.path(name));
        }
        let host = r#"{ "version": "2.0", "functionTimeout": "00:01:00",
            "customHandler": { "description": { "defaultExecutablePath": "handler" }, "enableForwardingHttpRequest": true },
            "extensions": { "http": { "routePrefix": "" }, "eventHubs": { "maxEventBatchSize": 2 } } }"#;
        std::fs::write(self.path("host.json"), host).unwrap();
        for (name, text) in &self.functions {
            std::fs::create_dir_all(self.path(name)).unwrap();
            std::fs::write(self.path(name).join("function.json"), text).unwrap();
        }
        std::fs::write(self.path("handler"), format!("#!/bin/sh\n{}\n", self.script)).unwrap();
        std::fs::set_permissions(self.path("handler"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    async fn start(&self) -> LocalHost {
        self.write();
        let options = Options {
            script_root: self.root(),
            data: self.folder.path().join("data"),
            port: 0,
            cosmos_port: 0,
            signalr_port: 0,
            partitions: 1,
            instances: self.instances,
            content_length: false,
            restart_on_exit_0: false,
            azurite: None,
            faults: self.faults,
        };
        // The shell script needs a path to find its tools.
        let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
        let own = self.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        LocalHost::start(&options, own.chain([path]).collect()).await.unwrap()
    }

    /// Starts the host and, on the port that it gave to its handler, the recording one.
    async fn start_with(&self, answers: &[handler::Answer]) -> (LocalHost, handler::Recorder) {
        let host = self.start().await;
        let port = until(|| read(&self.path("port")).and_then(|text| text.trim().parse().ok())).await;
        let recorder = handler::Recorder::listen(port, answers).await;
        host.wait_ready(Duration::from_secs(30)).await.unwrap();
        (host, recorder)
    }

    fn process_starts(&self) -> usize {
        read(&self.path("pids")).map_or(0, |text| text.lines().count())
    }
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Polls until there is a value; a minute without one is a failure.
async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6000 {
        if let Some(value) = look() {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing came for a minute");
}
