//! The port that clients see: connections enter, each is joined with one to Azurite, and cut or held with the condition of the service.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::faults::{Door, Passage, Switch};

/// Joins connections until the task is aborted.
pub(super) async fn relay(listener: TcpListener, switch: Arc<Switch>, to: SocketAddr) {
    let mut door = match Door::new(listener, &switch) {
        Ok(door) => door,
        Err(error) => {
            tracing::error!(error = %error, "blob storage has no port");
            return;
        }
    };
    loop {
        let (passage, _) = door.accept().await;
        tokio::spawn(join(passage, to));
    }
}

async fn join(mut passage: Passage, to: SocketAddr) {
    match TcpStream::connect(to).await {
        // A connection ends when either side ends it, which is no news.
        Ok(mut azurite) => drop(copy_bidirectional(&mut passage, &mut azurite).await),
        Err(error) => tracing::warn!(error = %error, "azurite does not listen"),
    }
}
