//! The app settings that a function cannot run without.
//!
//! The host notices a missing one late: in a trigger it disables the function, in an output every call fails after the
//! handler has answered. So whoever starts the app asks first.

use super::{Binding, FunctionJson};

/// A setting that must be there, in one of several forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingName {
    /// Its names; one of them must be set. The first is the connection string's or the plain setting's, the others are those
    /// of an identity.
    pub any_of: Vec<String>,
    /// The binding that asks for it.
    pub binding: String,
}

impl SettingName {
    /// Whether one of the names is set to something.
    #[must_use]
    pub fn is_set(&self, setting: impl Fn(&str) -> Option<String>) -> bool {
        self.any_of.iter().any(|name| setting(name).is_some_and(|value| !value.is_empty()))
    }
}

/// Every setting that the function names, in the order of its bindings.
#[must_use]
pub fn required_settings(function: &FunctionJson) -> Vec<SettingName> {
    let mut required = Vec::new();
    for binding in &function.bindings {
        let needs = needs_of(binding);
        if let Some((connection, identity)) = needs.connection {
            push(&mut required, binding, connection_names(connection, identity));
        }
        for name in needs.texts.into_iter().flat_map(percent_names) {
            push(&mut required, binding, vec![name.to_owned()]);
        }
    }
    required
}

fn push(required: &mut Vec<SettingName>, binding: &Binding, any_of: Vec<String>) {
    if !required.iter().any(|known| known.any_of == any_of) {
        required.push(SettingName { any_of, binding: binding.name().to_owned() });
    }
}

struct Needs<'a> {
    /// The connection's setting, and what its identity form ends in.
    connection: Option<(&'a str, &'static str)>,
    /// Values in which `%SETTING%` is replaced.
    texts: Vec<&'a str>,
}

fn needs_of(binding: &Binding) -> Needs<'_> {
    match binding {
        Binding::EventHubTrigger(hub) => Needs {
            connection: Some((&hub.connection, "fullyQualifiedNamespace")),
            texts: [Some(&hub.event_hub_name), hub.consumer_group.as_ref()]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect(),
        },
        Binding::CosmosDb(cosmos) => Needs {
            connection: Some((&cosmos.connection, "accountEndpoint")),
            texts: vec![&cosmos.database_name, &cosmos.container_name],
        },
        Binding::SignalR(signalr) => Needs {
            connection: Some((&signalr.connection_string_setting, "serviceUri")),
            texts: vec![&signalr.hub_name],
        },
        Binding::SignalRConnectionInfo(info) => Needs {
            connection: Some((&info.connection_string_setting, "serviceUri")),
            texts: vec![&info.hub_name],
        },
        Binding::HttpTrigger(http) => {
            Needs { connection: None, texts: http.route.iter().map(String::as_str).collect() }
        }
        Binding::Http(_) => Needs { connection: None, texts: Vec::new() },
        Binding::TimerTrigger(timer) => Needs { connection: None, texts: vec![&timer.schedule] },
    }
}

fn connection_names(connection: &str, identity: &str) -> Vec<String> {
    let name = percent_names(connection).first().copied().unwrap_or(connection);
    vec![name.to_owned(), format!("{name}__{identity}")]
}

/// The names between percent signs.
fn percent_names(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('%').collect();
    let n_closed = (parts.len() - 1) / 2;
    (0..n_closed).map(|pair| parts[pair * 2 + 1]).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: &str) -> Vec<Vec<String>> {
        let function: FunctionJson = serde_json::from_str(json).unwrap();
        required_settings(&function).into_iter().map(|setting| setting.any_of).collect()
    }

    #[test]
    fn settings_and_connections_with_their_identity_forms() {
        let json = r#"{"bindings":[
            {"type":"eventHubTrigger","direction":"in","name":"events","eventHubName":"%HUB%","connection":"EventHubConnection",
             "consumerGroup":"%GROUP%","cardinality":"many","dataType":"string"},
            {"type":"cosmosDB","direction":"out","name":"documents","databaseName":"a","containerName":"%BOX%-%HUB%",
             "connection":"CosmosDBConnection"},
            {"type":"signalR","direction":"out","name":"live","hubName":"telemetry"}]}"#;
        let expected = [
            vec!["EventHubConnection", "EventHubConnection__fullyQualifiedNamespace"],
            vec!["HUB"],
            vec!["GROUP"],
            vec!["CosmosDBConnection", "CosmosDBConnection__accountEndpoint"],
            vec!["BOX"],
            vec!["AzureSignalRConnectionString", "AzureSignalRConnectionString__serviceUri"],
        ];
        assert_eq!(names(json), expected);
    }

    #[test]
    fn a_plain_http_function_needs_nothing() {
        let json = r#"{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","route":"{*path}"},
            {"type":"http","direction":"out","name":"res"}]}"#;
        assert!(names(json).is_empty());
    }

    #[test]
    fn one_form_is_enough() {
        let setting =
            SettingName { any_of: vec!["X".into(), "X__serviceUri".into()], binding: "live".into() };
        assert!(setting.is_set(|name| (name == "X__serviceUri").then(|| "https://a".to_owned())));
        assert!(!setting.is_set(|name| (name == "X").then(String::new)));
    }
}
