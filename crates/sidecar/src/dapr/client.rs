//! The connection to daprd.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::{Error, Secret};

/// The metadata that carries daprd's token to daprd and the app's token to the app
/// (<https://docs.dapr.io/operations/security/api-token/>).
pub(super) const TOKEN: &str = "dapr-api-token";
/// daprd is beside us: what takes longer to connect is not there.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a daprd from which answers are awaited is asked whether it is there, and how long it may take to say so.
/// Sooner than every 8 s it takes for an attack (`ENHANCE_YOUR_CALM`).
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));
/// Of one answer; a batch of values is the largest.
const LARGEST: usize = 64 << 20;
/// What of daprd's message is worth keeping, in characters.
const MESSAGE: usize = 300;

#[derive(Clone)]
pub(super) struct Client {
    pub(super) channel: Channel,
    pub(super) token: Option<MetadataValue<Ascii>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Client {
    pub(super) fn new(address: &str, token: Option<&Secret>) -> Result<Self, Error> {
        let wrong = || Error::Refused("the address of daprd must be a port, host:port or an http:// URL".into());
        let url = match address.parse::<u16>() {
            Ok(port) => format!("http://127.0.0.1:{port}"),
            Err(_) if address.contains("://") => address.to_owned(),
            Err(_) => format!("http://{address}"),
        };
        // There is no TLS here: daprd is on the same machine, and speaks mTLS to other daprds itself.
        if !url.starts_with("http://") {
            return Err(wrong());
        }
        let endpoint = Endpoint::from_shared(url).map_err(|_| wrong())?.connect_timeout(CONNECT);
        let endpoint = endpoint.http2_keep_alive_interval(KEEP_ALIVE.0).keep_alive_timeout(KEEP_ALIVE.1);
        let token = match token {
            None => None,
            Some(token) => {
                let mut value: MetadataValue<Ascii> = token
                    .expose()
                    .parse()
                    .map_err(|_| Error::Refused("the token of daprd must be printable ASCII".into()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { channel: endpoint.connect_lazy(), token })
    }

    /// One call, ended after `timeout` whatever happens to the connection. daprd is told of the deadline, too.
    pub(super) async fn call<Q, A, F>(
        &self,
        timeout: Duration,
        message: Q,
        call: impl FnOnce(DaprClient<Channel>, Request<Q>) -> F,
    ) -> Result<A, Status>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        if let Some(token) = &self.token {
            request.metadata_mut().insert(TOKEN, token.clone());
        }
        todo_trace::inject(request.metadata_mut().as_mut());
        let client = DaprClient::new(self.channel.clone()).max_decoding_message_size(LARGEST);
        match tokio::time::timeout(timeout, call(client, request)).await {
            Ok(answer) => answer.map(Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("no answer in time")),
        }
    }
}

/// What a failed call means to the app. daprd's codes tell little (a broker that is away is `INTERNAL`, a component that
/// is not configured `INVALID_ARGUMENT` or `FAILED_PRECONDITION`) and all of it may be put right while the app runs: so
/// nothing that daprd says about a call is [`Error::Refused`], after which an event would never be tried again.
pub(super) fn error(status: &Status) -> Error {
    match status.code() {
        Code::DeadlineExceeded => Error::Timeout,
        // How tonic's channel ends a call whose deadline is over.
        Code::Cancelled if status.message() == "Timeout expired" => Error::Timeout,
        code => Error::Unavailable(format!("{code:?}: {}", short(status.message()))),
    }
}

/// One line, not too long.
pub(super) fn short(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_a_port_a_host_and_port_or_a_url() {
        for address in ["50001", "127.0.0.1:50001", "daprd:50001", "http://[::1]:50001"] {
            assert!(Client::new(address, None).is_ok(), "{address}");
        }
        for address in ["", "https://daprd:50001", "unix:///daprd.sock", "a b", "http://"] {
            assert!(matches!(Client::new(address, None), Err(Error::Refused(_))), "{address}");
        }
    }

    #[tokio::test]
    async fn a_token_must_fit_into_metadata_and_is_not_shown() {
        let secret = |text: &str| Secret::new(text.to_owned());
        assert!(matches!(Client::new("50001", Some(&secret("line\nfeed"))), Err(Error::Refused(_))));
        let client = Client::new("50001", Some(&secret("s3cret"))).unwrap();
        assert!(!format!("{client:?} {:?}", client.token).contains("s3cret"));
    }

    #[test]
    fn a_failure_may_always_pass() {
        assert_eq!(error(&Status::deadline_exceeded("late")), Error::Timeout);
        assert_eq!(error(&Status::cancelled("Timeout expired")), Error::Timeout);
        for code in [Code::Internal, Code::InvalidArgument, Code::PermissionDenied, Code::Unimplemented, Code::Unknown]
        {
            assert!(error(&Status::new(code, "why\nnot")).is_passing(), "{code:?}");
        }
        assert_eq!(error(&Status::internal("why\nnot")), Error::Unavailable("Internal: why not".into()));
    }
}
