//! Proxies in the links between the processes.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
};

use todo_test_dapr::free_port;

use super::{Member, Role};
use crate::proxy::Proxy;

/// Where daprds listen for each other behind a proxy, and where that listens. A daprd has one port for both and tells the
/// others its host's address, unless it listens at 127.0.0.1.
const INNER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OUTER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A link between two processes, from the one that opens its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// From the backend to Postgres.
    Database,
    /// From a role's daprd to Redis.
    Redis(Role),
    /// From a role to its daprd.
    Sidecar(Role),
    /// From a daprd to its role: callbacks, and what others call.
    App(Role),
    /// From other daprds to that of a role.
    Daprd(Role),
}

/// The proxies of a cluster.
#[derive(Debug, Default)]
pub(super) struct Links(HashMap<Link, Proxy>);

impl Links {
    pub(super) fn get(&self, link: Link) -> &Proxy {
        self.0.get(&link).unwrap_or_else(|| panic!("no proxy in {link:?}"))
    }

    /// Puts a proxy before a port; answers with its own.
    pub(super) async fn add(&mut self, link: Link, target: u16) -> u16 {
        let port = free_port();
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.0.insert(link, Proxy::start(at(port), at(target)).await);
        port
    }

    /// Puts proxies into all links of a replica that does not run yet.
    pub(super) async fn surround(&mut self, member: &mut Member) {
        let (role, daprd) = (member.role, &mut member.daprd);
        member.sidecar = self.add(Link::Sidecar(role), daprd.grpc).await;
        daprd.app = self.add(Link::App(role), daprd.app_port).await;
        daprd.redis = self.add(Link::Redis(role), daprd.redis).await;
        (daprd.inner, daprd.outer) = (INNER, OUTER);
        let at = |host| SocketAddr::from((host, daprd.internal));
        self.0.insert(Link::Daprd(role), Proxy::start(at(OUTER), at(INNER)).await);
    }
}
