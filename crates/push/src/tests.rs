use std::{io, net::SocketAddr, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures::future::BoxFuture;
use p256::{SecretKey, elliptic_curve::sec1::ToEncodedPoint as _};

use super::*;

fn bytes(text: &str) -> Vec<u8> {
    BASE64.decode(text.replace(char::is_whitespace, "")).unwrap()
}

/// RFC 8291, section 5 and appendix A.
#[test]
fn the_example_of_the_standard() {
    let p256dh = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
    let keys = Keys::parse(&p256dh, bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap()).unwrap();
    let key = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
    let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
    let body = keys.encrypt_by(&key, salt, b"When I grow up, I want to be a watermelon").unwrap();
    let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIg
        Dll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    assert_eq!(BASE64.encode(body), BASE64.encode(bytes(expected)));
}

#[test]
fn a_message_that_is_too_long_is_refused() {
    let keys = Keys::parse(&random_point(), [7; AUTH]).unwrap();
    assert_eq!(keys.encrypt(&[0; 3_993]).unwrap().len(), 4_096);
    keys.encrypt(&[0; 3_994]).unwrap_err();
}

#[test]
fn only_https_names_are_endpoints() {
    let long = format!("https://push.example.com/{}", "a".repeat(2_000));
    for wrong in [
        "",
        "push.example.com",
        "/path",
        "http://push.example.com/a",
        "ftp://push.example.com/a",
        "https:///a",
        "https://push.example.com:8443/a",
        "https://push.example.com:/a",
        "https://ann@push.example.com/a",
        "https://ann:secret@push.example.com/a",
        "https://localhost/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f.0x0.0x0.0x1/a",
        "https://0177.0.0.01/a",
        "https://8.8.8.8/a",
        "https://127.0.0.1./a",
        "https://[::1]/a",
        "https://[2606:4700::1111]/a",
        &long,
    ] {
        Endpoint::parse(wrong).expect_err(wrong);
    }
    for right in ["https://push.example.com/a?b=c", "https://push.example.com:443/a", "https://PUSH.example.com./a"] {
        Endpoint::parse(right).expect(right);
    }
}

#[test]
fn only_public_addresses_are_public() {
    for private in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(private.parse().unwrap()), "{private}");
    }
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.0.0.1",
        "128.0.0.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "192.169.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "203.0.112.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
    ] {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
}

#[test]
fn a_key_that_is_made_can_be_read() {
    let made = Vapid::generate().unwrap();
    let key = Vapid::parse(&format!(" {made}\n")).unwrap();
    assert_eq!(bytes(&key.public_key()).len(), 65);
    for wrong in ["", "hunter2", &BASE64.encode([0; 32]), &BASE64.encode([1; 31])] {
        assert!(Vapid::parse(wrong).unwrap_err().contains("vapid-private-key"));
    }
}

struct Answers(Vec<&'static str>);

impl Lookup for Answers {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = self.0.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(found) })
    }
}

fn pusher(addresses: &[&'static str]) -> Pusher {
    let outside = Outside::internet().expect("certificates");
    let outside = Outside { lookup: Arc::new(Answers(addresses.to_vec())), ..outside };
    Pusher::new(Vapid::parse(&Vapid::generate().unwrap()).unwrap(), outside)
}

#[tokio::test]
async fn a_host_with_one_address_that_is_not_public_is_refused_when_it_is_named_and_when_it_is_called() {
    let endpoint = Endpoint::parse("https://push.example.com/a").unwrap();
    assert_eq!(pusher(&["8.8.8.8", "2606:4700::1111"]).check(&endpoint).await, Ok(()));
    assert_eq!(pusher(&[]).check(&endpoint).await, Err(Unreachable::Unknown));
    for addresses in [["127.0.0.1", "127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1", "8.8.8.8"]] {
        let pusher = pusher(&addresses);
        assert_eq!(pusher.check(&endpoint).await, Err(Unreachable::Private));
        let keys = Keys::parse(&random_point(), [7; AUTH]).unwrap();
        let message = Message { payload: b"{}".to_vec(), topic: "a".to_owned(), ttl: Duration::from_mins(1) };
        let Outcome::Later(why, None) = pusher.push(&endpoint, &keys, &message, DateTime::UNIX_EPOCH).await else {
            panic!("it was called")
        };
        assert!(why.contains("not public"), "{why}");
    }
}

fn random_point() -> Vec<u8> {
    crate::encryption::random_key().unwrap().public_key().to_encoded_point(false).as_bytes().to_vec()
}
