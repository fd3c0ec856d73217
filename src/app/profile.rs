use scanout::Error;

use super::log::TOLD;

/// Serves puffin scopes as long as it lives.
pub struct Server(#[allow(dead_code, reason = "held for its Drop")] puffin_http::Server);

impl Server {
    /// Switches scopes on and listens at `address`.
    pub fn start(address: &str) -> Result<Self, Error> {
        let server = puffin_http::Server::new(address).map_err(|e| Error::Io {
            path: address.into(),
            action: "serve profiles",
            source: std::io::Error::other(format!("{e:#}")),
        })?;
        puffin::set_scopes_on(true);
        // The default of an option without a value is to be seen, and a port that the system chose cannot be guessed.
        log::info!(target: TOLD, "scopes are served: puffin_viewer --url {address}");
        Ok(Self(server))
    }
}
