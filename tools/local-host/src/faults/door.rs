//! The port of a service that can be down: connections enter, what they carry leaves unchanged while the service is up.
//!
//! A service that refuses has its port closed, so that a caller gets what a dead process gives it, and open connections end.
//! A silent one accepts connections and leaves them unread, as a process does that hangs.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::condition::{Condition, Switch};

/// Pause after an accept or a bind that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// A port that opens and closes with the condition of its service.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
    switch: Arc<Switch>,
    condition: watch::Receiver<Condition>,
}

impl Door {
    /// A door at a port that is bound.
    ///
    /// # Errors
    ///
    /// When the listener has no address.
    pub fn new(listener: TcpListener, switch: &Arc<Switch>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let condition = switch.subscribe();
        switch.follow(Condition::Up);
        Ok(Self { address, listener: Some(listener), switch: Arc::clone(switch), condition })
    }

    /// The listener, bound anew if it was closed.
    async fn open(&mut self) -> io::Result<&TcpListener> {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind(self.address).await?,
        };
        Ok(self.listener.insert(listener))
    }

    /// Brings the port to the present condition of the service, and waits until that is one with an open port.
    async fn follow(&mut self) -> io::Result<()> {
        let mut present = *self.condition.borrow_and_update();
        while present == Condition::Refuses {
            self.listener = None;
            self.switch.follow(present);
            // An error is impossible: the door has the switch itself.
            drop(self.condition.changed().await);
            present = *self.condition.borrow_and_update();
        }
        self.open().await?;
        self.switch.follow(present);
        Ok(())
    }

    /// The next connection; `None` when the condition has changed.
    async fn next(&mut self) -> io::Result<Option<(Passage, SocketAddr)>> {
        self.follow().await?;
        let mut condition = self.condition.clone();
        let (stream, from) = tokio::select! {
            accepted = self.open().await?.accept() => accepted?,
            Ok(()) = condition.changed() => return Ok(None),
        };
        Ok(Some((Passage::new(stream, self.condition.clone()), from)))
    }
}

impl Listener for Door {
    type Io = Passage;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Passage, SocketAddr) {
        loop {
            match self.next().await {
                Ok(Some(accepted)) => return accepted,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(address = %self.address, error = %error, "a service accepts no connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that stops or ends with the condition of its service.
pub struct Passage {
    stream: TcpStream,
    condition: Condition,
    changes: BoxStream<'static, Condition>,
}

impl std::fmt::Debug for Passage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passage").field("condition", &self.condition).finish_non_exhaustive()
    }
}

impl Passage {
    fn new(stream: TcpStream, mut condition: watch::Receiver<Condition>) -> Self {
        let present = *condition.borrow_and_update();
        let changes = futures::stream::unfold(condition, |mut condition| async {
            condition.changed().await.ok()?;
            let present = *condition.borrow_and_update();
            Some((present, condition))
        });
        Self { stream, condition: present, changes: changes.fuse().boxed() }
    }

    /// Ready when data may pass; an error when the connection has been cut.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Once cut, it stays so: the process behind it is another one by now.
        while self.condition != Condition::Refuses {
            match self.changes.poll_next_unpin(context) {
                Poll::Ready(Some(condition)) => self.condition = condition,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        match self.condition {
            Condition::Up => Poll::Ready(Ok(())),
            Condition::Silent => Poll::Pending,
            Condition::Refuses => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl AsyncRead for Passage {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_open(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Passage {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_open(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_open(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Serves routes behind a door until the task is aborted.
pub(crate) async fn serve(listener: TcpListener, switch: Arc<Switch>, routes: axum::Router) {
    let served = match Door::new(listener, &switch) {
        Ok(door) => axum::serve(door, routes).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(error = %error, "a service has ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_connects_after_a_change_meets_it() {
        let switch = Arc::<Switch>::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut door = Door::new(listener, &switch).unwrap();
        tokio::spawn(async move {
            loop {
                drop(door.accept().await);
            }
        });
        for _ in 0..50 {
            switch.set(Condition::Refuses);
            switch.settled().await;
            assert!(TcpStream::connect(address).await.is_err(), "the port is open");
            switch.set(Condition::Up);
            switch.settled().await;
            assert!(TcpStream::connect(address).await.is_ok(), "the port is closed");
        }
    }
}
