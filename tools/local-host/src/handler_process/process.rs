//! One process of the handler: started, its output read line by line, probed, killed.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::spec::HandlerSpec;

const PROBE_PAUSE: Duration = Duration::from_millis(25);
/// A line of output longer than this is cut into several.
const LINE_LIMIT_BYTES: usize = 64 * 1024;

pub(super) fn spawn(spec: &HandlerSpec) -> std::io::Result<Child> {
    let mut child = Command::new(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.working_directory)
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(relay(stdout, |line| tracing::info!(target: "handler", "{line}")));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(relay(stderr, |line| {
            if is_warning(line) {
                tracing::warn!(target: "handler", "{line}");
            } else {
                tracing::error!(target: "handler", "{line}");
            }
        }));
    }
    Ok(child)
}

/// Whether a stderr line is a warning; by the rules of the real host, any other is an error.
fn is_warning(line: &str) -> bool {
    line.to_lowercase().contains("warn")
}

async fn relay(stream: impl AsyncRead + Unpin, log: impl Fn(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A limited read keeps one endless line from filling the memory.
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, LINE_LIMIT_BYTES as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => log(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

/// Asks `GET /` until anything answers; only a refused connection means "not yet".
pub(super) async fn probe_until_ready(port: u16) {
    while !answers(port).await {
        tokio::time::sleep(PROBE_PAUSE).await;
    }
}

async fn answers(port: u16) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut first = [0; 1];
    matches!(stream.read(&mut first).await, Ok(count) if count > 0)
}

pub(super) async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(error = %error, "the handler could not be killed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stderr_lines_are_errors_unless_they_warn() {
        for (line, warns) in [("all is well", false), ("WARNING: low", true), ("it Failed", false)] {
            assert_eq!(is_warning(line), warns, "{line}");
        }
    }
}
