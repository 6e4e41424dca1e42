//! What must hold for any bytes that are posted as an invocation.

use wire::invocation::{EventBatchRequest, HttpRequest};

use crate::telemetry;

/// Decodes as every function does; an event that comes out is decoded further.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(request) = EventBatchRequest::parse(bytes, "events") {
        let _ = request.retry();
        let _ = request.partition();
        if let Ok(events) = request.events() {
            // Every event takes a few bytes of the request.
            assert!(events.len() <= bytes.len(), "{} events of {} bytes", events.len(), bytes.len());
            for event in &events {
                assert!(event.text.len() <= 3 * bytes.len(), "an event is longer than its request");
                telemetry::check_text(&event.text, event.device_id.as_deref(), event.enqueued_ms);
            }
        }
    }
    if let Ok(request) = HttpRequest::parse(bytes, "req") {
        let _ = request.header("x-api-key");
        let _ = request.connection_info("connectionInfo");
    }
}
