use scanout::Error;

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
        log::info!("profile: puffin_viewer --url {address}");
        Ok(Self(server))
    }
}
