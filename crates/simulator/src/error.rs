//! What can go wrong when a member starts. Once it runs, its errors are answers of its API.

/// Why a simulated member did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The options contradict themselves.
    #[error("the options of a simulated member are invalid: {0}")]
    Options(String),
    /// No port to listen on.
    #[error("a simulated member cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for; 0 for any.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No certificate.
    #[error("no certificate could be made for a simulated member")]
    Certificate(#[source] rcgen::Error),
    /// TLS refuses the certificate.
    #[error("TLS does not take the certificate of a simulated member")]
    Tls(#[source] rustls::Error),
    /// The sample objects were refused.
    #[error("an object that every cluster has was refused: {0}")]
    Seed(String),
}
