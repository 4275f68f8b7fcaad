//! Where a member's API server is, and which addresses may be dialled at all.
//!
//! Private ranges are legitimate members, so the rule is a list of what is never one: link-local and metadata
//! addresses, unspecified, multicast, broadcast, and, unless the hub was told otherwise, loopback. Names are judged by
//! what they resolve to, at each connection, because a name may answer differently the second time.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// Ports that never speak the Kubernetes API and are worth protecting from being poked.
const REFUSED_PORTS: [u16; 12] = [21, 22, 23, 25, 53, 110, 143, 465, 587, 2379, 5432, 6379];
/// Names under which clouds answer with credentials.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
];
/// Metadata services outside of link-local: Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// The metadata service of EC2 over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Why an address is not dialled. The texts tell no more than the rule, so that nobody can map a network with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// Loopback, and the hub was not started with `--allow-loopback-members`.
    #[error("the address is a loopback address")]
    Loopback,
    /// Link-local, metadata, unspecified, multicast, broadcast, or the hub's own listener.
    #[error("the address is not one that a member cluster may have")]
    Forbidden,
    /// A port that is reserved for something else.
    #[error("the port is not one that a member cluster may have")]
    Port,
}

/// Which addresses may be dialled.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Whether members may be on loopback: for single-node set-ups, demos and tests.
    pub allow_loopback: bool,
    /// Where the hub itself listens; never dialled, whatever else is allowed.
    pub own_listeners: Vec<SocketAddr>,
}

impl AddressPolicy {
    /// Judges an address.
    ///
    /// # Errors
    /// When it may not be dialled.
    pub fn judge(&self, address: IpAddr) -> Result<(), AddressRefused> {
        match unmap(address) {
            IpAddr::V4(v4) => self.judge_v4(v4),
            IpAddr::V6(v6) => self.judge_v6(v6),
        }
    }

    /// Judges an address with its port.
    ///
    /// # Errors
    /// When it may not be dialled.
    pub fn judge_socket(&self, address: SocketAddr) -> Result<(), AddressRefused> {
        judge_port(address.port())?;
        let ip = unmap(address.ip());
        self.judge(ip)?;
        let own = self.own_listeners.iter().any(|listener| {
            let listening = unmap(listener.ip());
            listener.port() == address.port() && (listening == ip || (listening.is_unspecified() && ip.is_loopback()))
        });
        if own { Err(AddressRefused::Forbidden) } else { Ok(()) }
    }

    /// Judges what can be told from an endpoint before anything is resolved.
    ///
    /// # Errors
    /// When it may not be dialled.
    pub fn judge_endpoint(&self, endpoint: &Endpoint) -> Result<(), AddressRefused> {
        match &endpoint.host {
            Host::Ipv4(v4) => self.judge_socket(SocketAddr::new(IpAddr::V4(*v4), endpoint.port)),
            Host::Ipv6(v6) => self.judge_socket(SocketAddr::new(IpAddr::V6(*v6), endpoint.port)),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                if METADATA_NAMES.contains(&name) {
                    return Err(AddressRefused::Forbidden);
                }
                if (name == "localhost" || name.ends_with(".localhost")) && !self.allow_loopback {
                    return Err(AddressRefused::Loopback);
                }
                judge_port(endpoint.port)
            }
        }
    }

    fn judge_v4(&self, address: Ipv4Addr) -> Result<(), AddressRefused> {
        let [first, ..] = address.octets();
        let forbidden = first == 0
            || address.is_link_local()
            || address.is_multicast()
            || first >= 240
            || METADATA_V4.contains(&address);
        if forbidden {
            Err(AddressRefused::Forbidden)
        } else if address.is_loopback() && !self.allow_loopback {
            Err(AddressRefused::Loopback)
        } else {
            Ok(())
        }
    }

    fn judge_v6(&self, address: Ipv6Addr) -> Result<(), AddressRefused> {
        let site_local = address.segments()[0] & 0xffc0 == 0xfec0;
        let forbidden = address.is_unspecified()
            || address.is_multicast()
            || address.is_unicast_link_local()
            || site_local
            || address == METADATA_V6;
        if forbidden {
            return Err(AddressRefused::Forbidden);
        }
        if address.is_loopback() {
            return if self.allow_loopback {
                Ok(())
            } else {
                Err(AddressRefused::Loopback)
            };
        }
        // Addresses that a translator turns into IPv4 again are judged as what they end up as.
        embedded_v4(address).map_or(Ok(()), |v4| self.judge_v4(v4))
    }
}

fn judge_port(port: u16) -> Result<(), AddressRefused> {
    if port == 0 || REFUSED_PORTS.contains(&port) {
        Err(AddressRefused::Port)
    } else {
        Ok(())
    }
}

/// IPv4 written as `::ffff:a.b.c.d` is IPv4.
pub(crate) fn unmap(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The IPv4 address inside a NAT64, 6to4 or IPv4-compatible address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] | [0, 0, 0, 0, 0, 0] => Some(v4(g, h)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No URL at all.
    #[error("is not a URL such as https://10.0.0.1:6443")]
    NotAUrl,
    /// Any scheme but https.
    #[error("must start with https://, since the credential may not travel unencrypted")]
    Scheme,
    /// `https://user:password@…`.
    #[error("must not carry a user name or password")]
    UserInfo,
    /// `?…` or `#…`.
    #[error("must not carry a query or a fragment")]
    Query,
    /// A path that could be understood in two ways.
    #[error("has a path with an empty, dot or encoded segment")]
    Path,
}

/// Where a member's API server is: https, host, port, and a path in front of its API when a gateway wants one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: Host<String>,
    port: u16,
    path: String,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is no https URL with nothing but host, port and a plain path.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::NotAUrl)?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(EndpointError::Scheme);
        }
        // `url` quietly repairs these; what is repaired is not what was meant.
        if text.len() > 2048 || rest.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(EndpointError::NotAUrl);
        }
        if rest.contains(['?', '#']) {
            return Err(EndpointError::Query);
        }
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:".contains(c);
        let clean =
            |segment: &str| !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(plain);
        if !path.is_empty() && !path.split('/').all(clean) {
            return Err(EndpointError::Path);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() || rest.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let host = url.host().ok_or(EndpointError::NotAUrl)?.to_owned();
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            host,
            port: url.port_or_known_default().unwrap_or(443),
            path,
        })
    }

    /// Host, as it stands in a URL without brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(v4) => v4.to_string(),
            Host::Ipv6(v6) => v6.to_string(),
        }
    }

    /// The address, when the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Domain(_) => None,
            Host::Ipv4(v4) => Some(IpAddr::V4(*v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(*v6)),
        }
    }

    /// Port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What stands before each path of the API: empty, or `/…` without a slash at the end.
    pub fn base_path(&self) -> &str {
        &self.path
    }

    /// Host and port, as in a `Host` header.
    pub fn authority(&self) -> String {
        if self.port == 443 {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority(), self.path)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}
