use super::*;

#[tokio::test]
async fn a_new_account_is_signed_in() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(" Ann@Example.org ").await.unwrap();
        assert_eq!((session.email.as_str(), session.display_name.as_str()), (ANN, "Ann"));
        assert_eq!((session.token_type.as_str(), session.expires_in), ("bearer", 3600));
        assert_eq!(session.created_at.unwrap().seconds, 1_800_000_000);
        let me = house.me(&session).await.unwrap();
        assert_eq!((me.id, me.time_zone.as_str()), (session.user_id.clone(), "Europe/Berlin"));
        assert!(house.refresh(refresh_token(&session)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn an_address_has_one_account_in_whatever_case() {
    everywhere(Options::default(), async |house| {
        house.sign_up(ANN).await.unwrap();
        assert_eq!(refused(house.sign_up("ANN@example.ORG").await), Reason::EmailExists);

        let request = || house.sign_up("bob@example.org");
        let (one, other) = tokio::join!(request(), request());
        assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
    })
    .await;
}

#[tokio::test]
async fn everything_wrong_is_said_at_once() {
    everywhere(Options::default(), async |house| {
        let request = v1::SignUpRequest {
            email: "ann".to_owned(),
            password: "short".to_owned(),
            display_name: " ".to_owned(),
            time_zone: Some("Mars/Base".to_owned()),
        };
        let error = house.service.open_account(from(HOME, request)).await.unwrap_err();
        assert_eq!(error.reason, Reason::ValidationError);
        assert_eq!(fields(&error), ["email", "password", "display_name", "time_zone"]);
        assert!(!error.to_string().contains("short"));
    })
    .await;
}

#[tokio::test]
async fn limits_hold_at_and_break_beyond() {
    everywhere(Options::default(), async |house| {
        let label = "d".repeat(63);
        let email = |last: usize| format!("{}@{label}.{label}.{}.com", "a".repeat(64), "d".repeat(last));
        assert_eq!(email(57).len(), 254);
        let accepted = [
            v1::SignUpRequest { email: email(57), ..sign_up("") },
            v1::SignUpRequest { password: "ü".repeat(8), ..sign_up("a@example.org") },
            v1::SignUpRequest { password: "ü".repeat(128), ..sign_up("b@example.org") },
            v1::SignUpRequest { display_name: "ü".to_owned(), ..sign_up("c@example.org") },
            v1::SignUpRequest { display_name: "ü".repeat(100), ..sign_up("d@example.org") },
            v1::SignUpRequest { time_zone: None, ..sign_up("e@example.org") },
        ];
        for request in accepted {
            let email = request.email.clone();
            let session = house.service.open_account(from(HOME, request.clone())).await.unwrap();
            assert_eq!(session.email, email);
            house.sign_in(HOME, &email, &request.password).await.unwrap();
        }
        let refused = [
            ("email", v1::SignUpRequest { email: email(58), ..sign_up("") }),
            ("email", sign_up("")),
            ("password", v1::SignUpRequest { password: "ü".repeat(7), ..sign_up("f@example.org") }),
            ("password", v1::SignUpRequest { password: "ü".repeat(129), ..sign_up("f@example.org") }),
            ("password", v1::SignUpRequest { password: String::new(), ..sign_up("f@example.org") }),
            ("display_name", v1::SignUpRequest { display_name: String::new(), ..sign_up("f@example.org") }),
            ("display_name", v1::SignUpRequest { display_name: "ü".repeat(101), ..sign_up("f@example.org") }),
            ("time_zone", v1::SignUpRequest { time_zone: Some(String::new()), ..sign_up("f@example.org") }),
        ];
        for (field, request) in refused {
            let error = house.service.open_account(from(HOME, request)).await.unwrap_err();
            assert_eq!(fields(&error), [field]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_closed_server_says_so() {
    everywhere(Options { sign_up: false, ..Options::default() }, async |house| {
        let error = house.sign_up(ANN).await.unwrap_err();
        assert_eq!(error.reason, Reason::PermissionDenied);
        assert!(error.to_string().contains("closed for sign-up"));
    })
    .await;
}

#[tokio::test]
async fn sign_ups_from_an_address_are_limited_taken_addresses_included() {
    everywhere(Options { sign_ups_per_address: 2, ..Options::default() }, async |house| {
        house.sign_up(ANN).await.unwrap();
        house.clock.advance(TimeDelta::seconds(10));
        assert_eq!(refused(house.sign_up(ANN).await), Reason::EmailExists);
        house.clock.advance(TimeDelta::seconds(10));

        let error = house.sign_up("bob@example.org").await.unwrap_err();
        assert_eq!(error.reason, Reason::RateLimited);
        assert_eq!(error.retry_after.unwrap().as_secs(), 40);
        assert!(house.service.open_account(from("192.0.2.2", sign_up("eve@example.org"))).await.is_ok());

        house.clock.advance(TimeDelta::seconds(40));
        assert!(house.sign_up("bob@example.org").await.is_ok());
        assert_eq!(refused(house.sign_up("carl@example.org").await), Reason::RateLimited);
    })
    .await;
}
