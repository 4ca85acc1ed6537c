use super::*;

const NEW: &str = "battery staple";

async fn change(house: &House, session: &v1::Session, current: &str, new: &str, keep: &str) -> Result<(), Error> {
    let request = v1::ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        refresh_token: keep.to_owned(),
    };
    house.service.replace_password(by(session, request)).await
}

#[tokio::test]
async fn a_new_password_keeps_only_the_session_that_set_it() {
    everywhere(Options::default(), async |house| {
        let other = house.sign_up(ANN).await.unwrap();
        let session = house.sign_in(HOME, ANN, PASSWORD).await.unwrap();
        change(&house, &session, PASSWORD, NEW, refresh_token(&session)).await.unwrap();
        assert!(house.refresh(refresh_token(&session)).await.is_ok());
        assert_eq!(refused(house.refresh(refresh_token(&other)).await), Reason::InvalidToken);
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::InvalidCredentials);
        assert!(house.sign_in(HOME, ANN, NEW).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn without_a_token_of_ones_own_no_session_is_kept() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let bob = house.sign_up("bob@example.org").await.unwrap();
        change(&house, &session, PASSWORD, NEW, refresh_token(&bob)).await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&session)).await), Reason::InvalidToken);
        assert!(house.refresh(refresh_token(&bob)).await.is_ok());

        let session = house.sign_in(HOME, ANN, NEW).await.unwrap();
        change(&house, &session, NEW, PASSWORD, "").await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&session)).await), Reason::InvalidToken);
    })
    .await;
}

#[tokio::test]
async fn the_current_password_is_asked_for_and_guesses_are_limited() {
    everywhere(Options { sign_ins_per_account: 3, ..Options::default() }, async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        for _ in 0..3 {
            let result = change(&house, &session, "wrong horse", NEW, "").await;
            assert_eq!(refused(result), Reason::InvalidCredentials);
        }
        assert_eq!(refused(change(&house, &session, PASSWORD, NEW, "").await), Reason::RateLimited);
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::RateLimited);
        house.clock.advance(TimeDelta::minutes(1));
        for _ in 0..4 {
            change(&house, &session, PASSWORD, PASSWORD, "").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_new_password_has_limits() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let error = change(&house, &session, "", "1234567", "").await.unwrap_err();
        assert_eq!(fields(&error), ["current_password", "new_password"]);
        let error = change(&house, &session, PASSWORD, &"x".repeat(129), "").await.unwrap_err();
        assert_eq!(fields(&error), ["new_password"]);
        change(&house, &session, PASSWORD, &"x".repeat(128), "").await.unwrap();
        change(&house, &session, &"x".repeat(128), &"x".repeat(8), "").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let (one, other) = tokio::join!(
            change(&house, &session, PASSWORD, NEW, ""),
            change(&house, &session, PASSWORD, "staple battery", "")
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
        let password = if one.is_ok() { NEW } else { "staple battery" };
        assert!(house.sign_in(HOME, ANN, password).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn an_operator_resets_a_forgotten_password() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let made = operator::reset_password(&*house.store, "Ann@Example.org").await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&session)).await), Reason::InvalidToken);
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::InvalidCredentials);
        assert!(house.sign_in(HOME, ANN, &made).await.is_ok());

        let error = operator::reset_password(&*house.store, "bob@example.org").await.unwrap_err();
        assert_eq!(error.to_string(), "no account has the e-mail address bob@example.org");
    })
    .await;
}
