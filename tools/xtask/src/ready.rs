//! Asks a local HTTP server whether it serves, and whether a port is free, with nothing but a socket.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longest wait for a connection and for each part of an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// A status line is short; a longer one is none.
const LONGEST_STATUS_LINE: u64 = 1024;

/// Checks that a port of this machine is free.
///
/// # Errors
///
/// When something listens there already, or the system refuses the port.
pub(crate) fn port_is_free(port: u16, remedy: &str) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("port {port} is already used by another program: {remedy}")
        }
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be listened on")),
    }
}

/// Whether something accepts connections on a port of this machine.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), LIMIT).is_ok()
}

/// Status of `GET path` on a port of this machine, if there is an answer.
pub(crate) fn status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    stream.set_write_timeout(Some(LIMIT)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_STATUS_LINE)).read_line(&mut line).ok()?;
    parse(&line)
}

fn parse(line: &str) -> Option<u16> {
    let mut words = line.split(' ');
    if !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    words.next()?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_status_is_the_second_word() {
        assert_eq!(parse("HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(parse("HTTP/1.0 503\r\n"), Some(503));
        assert_eq!(parse("SSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn an_answer_is_read_and_silence_is_none() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(port_is_free(port, "stop it").unwrap_err().to_string().ends_with("stop it"));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 16];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n").unwrap();
            assert_eq!(&request, b"GET /x HTTP/1.1\r");
        });
        assert_eq!(status(port, "/x"), Some(404));
        server.join().unwrap();
        assert_eq!(status(port, "/x"), None);
    }
}
