//! The pages: a view struct for each, its handler below it, its words in the template of the same name.

pub(crate) mod api_docs;
pub(crate) mod api_keys;
mod at_stake;
pub(crate) mod audit;
pub(crate) mod callback;
pub(crate) mod connection;
pub(crate) mod connections;
mod console_list;
mod csv;
pub(crate) mod delete_webhook;
pub(crate) mod disconnect;
mod finishing;
pub(crate) mod import;
pub(crate) mod imported;
pub(crate) mod members;
pub(crate) mod onboarding;
pub(crate) mod onboarding_done;
pub(crate) mod onboarding_links;
pub(crate) mod operator_connection;
pub(crate) mod operator_connections;
pub(crate) mod operator_delete;
pub(crate) mod operator_health;
pub(crate) mod operator_suspend;
pub(crate) mod operator_tenant;
pub(crate) mod operator_tenants;
pub(crate) mod organization_choice;
pub(crate) mod organizations;
mod parts;
mod plot;
pub(crate) mod problem_types;
pub(crate) mod reconnect_link;
pub(crate) mod remove_member;
pub(crate) mod revoke_api_key;
mod seen_connection;
pub(crate) mod sign_in;
pub(crate) mod sign_in_again;
pub(crate) mod tenant_connection;
pub(crate) mod tenant_connections;
pub(crate) mod tenant_disconnect;
pub(crate) mod test_call;
pub(crate) mod webhook;
pub(crate) mod webhooks;
pub(crate) mod withdraw_onboarding_link;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod markup;
