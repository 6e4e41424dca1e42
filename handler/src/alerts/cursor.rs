//! Where a page of alerts ended, as text that comes back with the question for the next one.

use wire::api::AlertView;

/// Where a page ended: the time of an opening in epoch milliseconds, and the alert, of which later ones follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(super) opened_at: i64,
    pub(super) alert_id: String,
}

impl Cursor {
    pub(super) fn at(view: &AlertView) -> Self {
        Self { opened_at: view.opened_at, alert_id: view.alert_id.clone() }
    }

    /// Whether it comes after another in the list.
    pub(super) fn is_behind(&self, earlier: &Self) -> bool {
        self.opened_at < earlier.opened_at
            || (self.opened_at == earlier.opened_at && self.alert_id > earlier.alert_id)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}~{}", self.opened_at, self.alert_id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (opened_at, alert_id) = text.split_once('~').ok_or(())?;
        Ok(Self { opened_at: opened_at.parse().map_err(|_| ())?, alert_id: alert_id.to_owned() })
    }
}
