//! Pure values: what the words of this program mean, with no I/O behind them.
//!
//! Everything that comes from outside is parsed into one of these types at the edge and travels as
//! that type from then on.

pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod connection;
pub(crate) mod data_centre;
pub(crate) mod digest;
pub(crate) mod ids;
pub(crate) mod members;
pub(crate) mod onboarding;
pub(crate) mod organization;
pub(crate) mod person;
pub(crate) mod product;
pub(crate) mod proxy_path;
pub(crate) mod proxy_query;
pub(crate) mod return_path;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod servers;
pub(crate) mod tenant;
pub(crate) mod test_outcome;
pub(crate) mod text;
pub(crate) mod trouble;
pub(crate) mod webhook;
pub(crate) mod webhook_target;
