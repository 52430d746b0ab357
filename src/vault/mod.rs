//! The vault: keeps tokens sealed, gives connections their tokens, and makes sure that what is no
//! longer needed dies at Zoho.

pub(crate) mod access_token;
pub(crate) mod api_key;
pub(crate) mod choose;
pub(crate) mod client;
pub(crate) mod deposit;
pub(crate) mod disconnect;
pub(crate) mod environment;
pub(crate) mod grant;
pub(crate) mod import;
pub(crate) mod refresh;
pub(crate) mod revoke;
pub(crate) mod rewrap;
pub(crate) mod seal;
pub(crate) mod tenant;
pub(crate) mod test_call;
pub(crate) mod token_digest;
pub(crate) mod usage;
