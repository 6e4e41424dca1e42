//! Readings of any device, by parameter: ids that no path can carry, and plain ones.

use crate::Handler;
use crate::cosmos::Cosmos;

#[tokio::test]
async fn any_id_there_is() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (escaped, id, temperature) in
        [("..", "..", 4.25), ("%2E%2E", "..", 4.25), ("a%2Fb%3Fc%23d", "a/b?c#d", -18.0), ("d2", "d2", 5.5)]
    {
        let answer = handler.get(&format!("/api/readings?deviceId={escaped}"), &[]).await.json();
        assert_eq!(answer["deviceId"], id);
        assert_eq!(answer["readings"][0]["temperature"], temperature);
    }
}

#[tokio::test]
async fn the_same_as_by_the_path() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for query in ["limit=2", "format=csv", "from=1767323056000", "from=yesterday", "limit=0"] {
        let by_path = handler.get(&format!("/api/devices/d1/readings?{query}"), &[]).await;
        let by_parameter = handler.get(&format!("/api/readings?deviceId=d1&{query}"), &[]).await;
        assert_eq!((by_path.status, by_path.text()), (by_parameter.status, by_parameter.text()), "{query}");
    }
}
