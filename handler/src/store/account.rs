//! Opens the account's container: who we are, and from where we read.

use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::{AccountReference, CosmosClient, RoutingStrategy};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use secrecy::ExposeSecret;

use crate::settings::{CosmosCredential, CosmosSettings};

/// Database of all documents.
const DATABASE: &str = "AnomalyDB";
/// Container of all documents.
const CONTAINER: &str = "Results";

/// What the client or a credential may complain of.
type Complaint = Box<dyn std::error::Error + Send + Sync>;

/// Makes a client, which talks to the service.
pub(super) async fn open_container(settings: &CosmosSettings) -> Result<ContainerClient, Complaint> {
    let routing = match &settings.region {
        Some(region) => RoutingStrategy::ProximityTo(region.clone().into()),
        None => RoutingStrategy::PreferredRegions(Vec::new()),
    };
    let client = CosmosClient::builder().build(account(settings)?, routing).await?;
    Ok(client.database_client(DATABASE).container_client(CONTAINER, None).await?)
}

fn account(settings: &CosmosSettings) -> Result<AccountReference, Complaint> {
    let endpoint = settings.endpoint.clone();
    let credential: Arc<dyn TokenCredential> = match &settings.credential {
        CosmosCredential::Key(key) => {
            let key = Secret::new(key.expose_secret().to_owned());
            return Ok(AccountReference::with_authentication_key(endpoint, key));
        }
        CosmosCredential::ManagedIdentity { client_id } => {
            let user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
            ManagedIdentityCredential::new(Some(options))?
        }
        CosmosCredential::Developer => DeveloperToolsCredential::new(None)?,
    };
    Ok(AccountReference::with_credential(endpoint, credential))
}
