use super::*;

const FEW: fn() -> Options = || Options { sign_ins_per_account: 3, sign_ins_per_address: 5, ..Options::default() };

#[tokio::test]
async fn who_is_refused_cannot_tell_why() {
    everywhere(Options::default(), async |house| {
        house.sign_up(ANN).await.unwrap();
        house.sign_up("closed@example.org").await.unwrap();
        operator::set_disabled(&*house.store, &*house.clock, "closed@example.org", true).await.unwrap();

        let long = "x".repeat(1_000_000);
        for (email, password) in [
            (ANN, "wrong horse"),
            (ANN, "short"),
            (ANN, long.as_str()),
            ("nobody@example.org", PASSWORD),
            ("no address", PASSWORD),
            ("closed@example.org", PASSWORD),
            ("closed@example.org", "wrong horse"),
        ] {
            let error = house.sign_in(HOME, email, password).await.unwrap_err();
            assert_eq!(error.reason, Reason::InvalidCredentials);
            assert_eq!(error.to_string(), "e-mail or password is wrong");
            assert!(error.retry_after.is_none() && error.violations.is_empty());
        }
        assert!(house.sign_in(HOME, "ANN@Example.org", PASSWORD).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_missing_field_is_named() {
    everywhere(Options::default(), async |house| {
        assert_eq!(fields(&house.sign_in(HOME, "", "").await.unwrap_err()), ["email", "password"]);
    })
    .await;
}

#[tokio::test]
async fn the_eleventh_failure_in_a_minute_has_to_wait() {
    everywhere(Options::default(), async |house| {
        house.sign_up(ANN).await.unwrap();
        for _ in 0..10 {
            assert_eq!(refused(house.sign_in(HOME, ANN, "wrong horse").await), Reason::InvalidCredentials);
            house.clock.advance(TimeDelta::seconds(1));
        }
        // Whatever the password, and before it is looked at.
        for password in ["wrong horse", PASSWORD] {
            let error = house.sign_in(HOME, ANN, password).await.unwrap_err();
            assert_eq!(error.reason, Reason::RateLimited);
            assert_eq!(error.retry_after.unwrap().as_secs(), 50);
        }
        house.clock.advance(TimeDelta::seconds(50) - TimeDelta::microseconds(1));
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::RateLimited);
        house.clock.advance(TimeDelta::microseconds(1));
        assert!(house.sign_in(HOME, ANN, PASSWORD).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn only_failures_count() {
    everywhere(FEW(), async |house| {
        house.sign_up(ANN).await.unwrap();
        for _ in 0..6 {
            house.sign_in(HOME, ANN, PASSWORD).await.unwrap();
        }
        for _ in 0..3 {
            assert_eq!(refused(house.sign_in(HOME, ANN, "wrong horse").await), Reason::InvalidCredentials);
        }
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::RateLimited);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_does_not_lock_the_owner_out() {
    everywhere(FEW(), async |house| {
        house.sign_up(ANN).await.unwrap();
        for _ in 0..3 {
            house.sign_in("198.51.100.7", ANN, "wrong horse").await.unwrap_err();
        }
        assert_eq!(refused(house.sign_in("198.51.100.7", ANN, PASSWORD).await), Reason::RateLimited);
        assert!(house.sign_in(HOME, ANN, PASSWORD).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn trying_many_accounts_from_one_network_is_limited_too() {
    everywhere(FEW(), async |house| {
        for host in 0..5 {
            let (address, email) = (format!("2001:db8:1:2::{host}"), format!("user{host}@example.org"));
            assert_eq!(refused(house.sign_in(&address, &email, PASSWORD).await), Reason::InvalidCredentials);
        }
        assert_eq!(refused(house.sign_in("2001:db8:1:2:3::", ANN, PASSWORD).await), Reason::RateLimited);
        assert_eq!(refused(house.sign_in("2001:db8:1:3::", ANN, PASSWORD).await), Reason::InvalidCredentials);
    })
    .await;
}

#[tokio::test]
async fn parallel_guesses_do_not_slip_through() {
    everywhere(FEW(), async |house| {
        house.sign_up(ANN).await.unwrap();
        let guesses = (0..8).map(|_| house.sign_in(HOME, ANN, "wrong horse"));
        let reasons: Vec<_> = futures::future::join_all(guesses).await.into_iter().map(refused).collect();
        let count = |reason| reasons.iter().filter(|other| **other == reason).count();
        assert_eq!((count(Reason::InvalidCredentials), count(Reason::RateLimited)), (3, 5));
    })
    .await;
}

#[tokio::test]
async fn a_clock_set_back_locks_nobody_out_for_longer_than_the_window() {
    everywhere(FEW(), async |house| {
        for _ in 0..3 {
            house.sign_in(HOME, ANN, PASSWORD).await.unwrap_err();
        }
        house.clock.advance(TimeDelta::hours(-1));
        let error = house.sign_in(HOME, ANN, PASSWORD).await.unwrap_err();
        assert_eq!((error.reason, error.retry_after.unwrap().as_secs()), (Reason::RateLimited, 60));
    })
    .await;
}
