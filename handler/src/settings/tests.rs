//! Settings read from a map.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, Faults> {
    let mut all: HashMap<&str, &str> =
        [("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:8081/;AccountKey=a2V5;")].into();
    all.extend(variables.iter().copied());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_string_lossy().into_owned();
    Settings::read(&|name| match name {
        "FUNCTIONS_APP_ROOT_PATH" => Some(root.clone()),
        _ => all.get(name).map(|value| (*value).to_owned()),
    })
}

#[test]
fn defaults_are_harmless() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.buckets_per_partition, 16);
    assert_eq!(settings.ttl_s, 30 * 86_400);
    assert_eq!(settings.policy, Policy::Calibrated);
    assert_eq!(settings.deadline, Duration::from_secs(20));
    assert!(!settings.access.allow_anonymous);
    assert!(settings.access.api_key.is_none());
}

#[test]
fn all_faults_are_reported_in_one_go() {
    let faults = read(&[
        ("CosmosDBConnection", "AccountEndpoint=x"),
        ("DETECTION_POLICY", "magic"),
        ("FIXED_THRESHOLD", "-1"),
        ("BUCKETS_PER_PARTITION", "0"),
        ("RETENTION_DAYS", "soon"),
        ("ALLOW_ANONYMOUS", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("AzureFunctionsJobHost__functionTimeout", "1 hour"),
    ])
    .unwrap_err();
    let text = faults.to_string();
    for name in [
        "CosmosDBConnection",
        "DETECTION_POLICY",
        "FIXED_THRESHOLD",
        "BUCKETS_PER_PARTITION",
        "RETENTION_DAYS",
        "ALLOW_ANONYMOUS",
        "LOG_LEVEL",
        "functionTimeout",
    ] {
        assert!(text.contains(name), "{name} is missing in:\n{text}");
    }
}

#[test]
fn the_deadline_follows_the_hosts_timeout() {
    let settings = read(&[("AzureFunctionsJobHost__functionTimeout", "00:00:05")]).unwrap();
    assert_eq!(settings.deadline, Duration::from_secs(3));
}

#[test]
fn secrets_do_not_print() {
    let settings = read(&[("API_KEY", "hunter2")]).unwrap();
    let printed = format!("{settings:?}");
    assert!(!printed.contains("hunter2") && !printed.contains("a2V5"), "{printed}");
}

#[test]
fn a_connection_that_a_function_names_must_be_set() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("score_telemetry")).unwrap();
    let function = r#"{"bindings":[{"type":"eventHubTrigger","direction":"in","name":"events","eventHubName":"%TELEMETRY_HUB%","connection":"EventHubConnection","cardinality":"many","dataType":"string"}]}"#;
    std::fs::write(folder.path().join("score_telemetry/function.json"), function).unwrap();
    let root = folder.path().to_string_lossy().into_owned();
    let faults = Settings::read(&|name| match name {
        "FUNCTIONS_APP_ROOT_PATH" => Some(root.clone()),
        "CosmosDBConnection" => Some("AccountEndpoint=https://a;AccountKey=a2V5".to_owned()),
        _ => None,
    })
    .unwrap_err();
    assert_eq!(faults.list().len(), 2, "{faults}");
    assert!(
        faults.to_string().contains("TELEMETRY_HUB") && faults.to_string().contains("EventHubConnection")
    );
}

/// Faults of a script root with this `host.json`.
fn faults_of_host(host_json: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("host.json"), host_json).unwrap();
    let root = folder.path().to_string_lossy().into_owned();
    let settings = Settings::read(&|name| match name {
        "FUNCTIONS_APP_ROOT_PATH" => Some(root.clone()),
        "CosmosDBConnection" => Some("AccountEndpoint=https://a;AccountKey=a2V5".to_owned()),
        _ => None,
    });
    settings.map_or_else(|faults| faults.to_string(), |_| String::new())
}

#[test]
fn a_host_json_that_says_nothing_sensible_is_a_fault() {
    for text in [
        "{",
        "[]",
        "{\"functionTimeout\":5}",
        "{\"functionTimeout\":\"5 min\"}",
        "{\"functionTimeout\":\"00:00:00\"}",
        "{\"functionTimeout\":\"00:00:00.5\"}",
    ] {
        assert!(faults_of_host(text).contains("host.json"), "{text}");
    }
    for text in [
        "{}",
        "\u{feff}{\"version\":\"2.0\",\"concurrency\":{\"dynamicConcurrencyEnabled\":true}}",
        "{\"functionTimeout\":\"-1\"}",
        "{\"functionTimeout\":\"00:03:00\"}",
    ] {
        assert_eq!(faults_of_host(text), "", "{text}");
    }
}

#[test]
fn a_timeout_of_nothing_is_a_fault() {
    for text in ["00:00:00", "0", "-00:00:01"] {
        let faults = read(&[("AzureFunctionsJobHost__functionTimeout", text)]).unwrap_err().to_string();
        assert!(faults.contains("AzureFunctionsJobHost__functionTimeout"), "{text}: {faults}");
    }
}

#[test]
fn a_cosmos_connection_must_lead_somewhere() {
    for (connection, complaint) in [
        ("AccountEndpoint=x;AccountKey=a2V5;", "got `x`"),
        ("AccountEndpoint=file:///x;AccountKey=a2V5;", "expected an address"),
        (
            "AccountEndpoint=https://a.documents.azure.com:443/;AccountKey=secret!;",
            "AccountKey is not base64",
        ),
        ("AccountEndpoint=https://a.documents.azure.com:443/;AccountKey====;", "AccountKey is not base64"),
        ("AccountEndpoint=https://a.documents.azure.com:443/", "expected AccountEndpoint"),
    ] {
        let faults = read(&[("CosmosDBConnection", connection)]).unwrap_err().to_string();
        assert!(faults.contains(complaint) && !faults.contains("secret"), "{connection}: {faults}");
    }
    let identity = [("CosmosDBConnection", ""), ("CosmosDBConnection__accountEndpoint", "a.documents")];
    assert!(read(&identity).unwrap_err().to_string().contains("CosmosDBConnection__accountEndpoint"));
}

#[test]
fn an_identity_is_the_platform_s_or_the_developer_s() {
    let endpoint = "https://a.documents.azure.com:443/";
    let identity = [("CosmosDBConnection", ""), ("CosmosDBConnection__accountEndpoint", endpoint)];
    let of = |more: &[(&str, &str)]| read(&[&identity, more].concat()).unwrap().cosmos.credential;
    assert!(matches!(of(&[]), CosmosCredential::Developer));
    let managed = of(&[("IDENTITY_ENDPOINT", "http://127.0.0.1:1")]);
    assert!(matches!(managed, CosmosCredential::ManagedIdentity { client_id: None }));
    let assigned = of(&[("CosmosDBConnection__clientId", "c")]);
    assert!(matches!(assigned, CosmosCredential::ManagedIdentity { client_id: Some(_) }));
}

#[test]
fn every_variable_that_is_read_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let functions = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    for function in std::fs::read_dir(functions).unwrap().map(Result::unwrap) {
        let copy = folder.path().join(function.file_name());
        std::fs::create_dir(&copy).unwrap();
        std::fs::copy(function.path().join("function.json"), copy.join("function.json")).unwrap();
    }
    let root = folder.path().to_string_lossy().into_owned();
    let read = RefCell::new(BTreeSet::new());
    let note = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        (name == "FUNCTIONS_APP_ROOT_PATH").then(|| root.clone())
    };
    // Once without anything, once with the form of a connection that asks for more.
    Settings::read(&note).unwrap_err();
    let with_identity = |name: &str| match name {
        "CosmosDBConnection__accountEndpoint" => Some("https://a".to_owned()),
        _ => note(name),
    };
    Settings::read(&with_identity).unwrap_err();
    let listed: BTreeSet<String> = NAMES
        .iter()
        .chain(&CONNECTION_NAMES)
        .chain(&PLATFORM_NAMES)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(read.into_inner(), listed);
}

#[test]
fn mail_servers_are_told_apart() {
    let smtp = |url: &str| {
        let settings = read(&[("SMTP_URL", url), ("MAIL_FROM", "a@example.com")]);
        settings.map(|settings| match settings.mail.way {
            MailWay::Smtp(smtp) => {
                let user = smtp.credentials.map(|credentials| credentials.user);
                (smtp.host, smtp.port, smtp.security, user)
            }
            MailWay::Outbox(_) => panic!("no server"),
        })
    };
    for (url, expected) in [
        ("smtps://u%40x:p@mail.example.com", ("mail.example.com", 465, SmtpSecurity::Tls, Some("u@x"))),
        (
            "smtp://u:p@mail.example.com?tls=required",
            ("mail.example.com", 587, SmtpSecurity::StartTls, Some("u")),
        ),
        ("smtp://mail.example.com:2525", ("mail.example.com", 2525, SmtpSecurity::Plain, None)),
        ("smtp://u:p@127.0.0.1:25", ("127.0.0.1", 25, SmtpSecurity::Plain, Some("u"))),
    ] {
        let (host, port, security, user) = expected;
        let expected = (host.to_owned(), port, security, user.map(str::to_owned));
        assert_eq!(smtp(url).unwrap(), expected, "{url}");
    }
    for url in [
        "mail.example.com",
        "http://h",
        "smtp://u:secret@mail.example.com",
        "smtps://u@h",
        "smtps://",
        "smtp://h?tls=maybe",
    ] {
        let faults = smtp(url).unwrap_err().to_string();
        assert!(faults.contains("SMTP_URL: ") && !faults.contains("secret"), "{url}: {faults}");
    }
}

#[test]
fn what_belongs_to_a_way_that_is_not_set_is_a_fault() {
    for (name, other) in [("SMTP_CA_FILE", "SMTP_URL"), ("WEBHOOK_SECRET", "WEBHOOK_URL")] {
        let faults = read(&[(name, "x")]).unwrap_err().to_string();
        assert!(faults.contains(&format!("{name}: set, but {other} is not")), "{faults}");
    }
}

#[test]
fn recipients_are_addresses_each_once() {
    let settings = read(&[
        ("MAIL_TO", "anna@example.com; Berta <berta@example.com>, anna@example.com"),
        ("MAIL_TO_CRITICAL", "berta@example.com,carla@example.com"),
    ])
    .unwrap();
    let all: Vec<String> = settings.mail.everybody().iter().map(ToString::to_string).collect();
    assert_eq!(all, ["anna@example.com", "berta@example.com", "carla@example.com"]);
    let faults = read(&[("MAIL_TO", "anna"), ("MAIL_FROM", "x"), ("DASHBOARD_URL", "here")]).unwrap_err();
    assert_eq!(faults.list().len(), 3, "{faults}");
}
