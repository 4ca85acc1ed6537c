use super::*;

#[tokio::test]
async fn each_refresh_gives_a_new_pair() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        house.clock.advance(TimeDelta::minutes(50));
        let second = house.refresh(refresh_token(&first)).await.unwrap();
        assert_ne!(second.refresh_token, first.refresh_token);
        assert_eq!((&second.user_id, &second.created_at), (&first.user_id, &first.created_at));
        house.clock.advance(TimeDelta::minutes(50));
        assert_eq!(refused(house.me(&first).await), Reason::TokenExpired);
        assert!(house.me(&second).await.is_ok());
        assert!(house.refresh(refresh_token(&second)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        let lost = house.refresh(refresh_token(&first)).await.unwrap();
        house.clock.advance(TimeDelta::seconds(30));
        let found = house.refresh(refresh_token(&first)).await.unwrap();
        assert_eq!(found.refresh_token, lost.refresh_token);
        assert!(house.me(&found).await.is_ok());
        // The grace counts from the first exchange, and goes on being one for its successor.
        let next = house.refresh(refresh_token(&found)).await.unwrap();
        assert_eq!(house.refresh(refresh_token(&found)).await.unwrap().refresh_token, next.refresh_token);
    })
    .await;
}

#[tokio::test]
async fn a_token_used_again_after_the_grace_ends_its_session_and_no_other() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        let elsewhere = house.sign_in(HOME, ANN, PASSWORD).await.unwrap();
        let second = house.refresh(refresh_token(&first)).await.unwrap();
        house.clock.advance(TimeDelta::seconds(30) + TimeDelta::microseconds(1));
        assert_eq!(refused(house.refresh(refresh_token(&first)).await), Reason::InvalidToken);
        assert_eq!(refused(house.refresh(refresh_token(&second)).await), Reason::InvalidToken);
        assert!(house.refresh(refresh_token(&elsewhere)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_token_used_again_once_its_successor_was_used_ends_the_session() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        let second = house.refresh(refresh_token(&first)).await.unwrap();
        let third = house.refresh(refresh_token(&second)).await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&first)).await), Reason::InvalidToken);
        for token in [&first, &second, &third] {
            assert_eq!(refused(house.refresh(refresh_token(token)).await), Reason::InvalidToken);
        }
    })
    .await;
}

#[tokio::test]
async fn tabs_that_refresh_at_once_share_the_successor() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        let tabs = futures::future::join_all((0..8).map(|_| house.refresh(refresh_token(&first)))).await;
        let tokens: Vec<_> = tabs.into_iter().map(|tab| tab.unwrap().refresh_token).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert!(house.refresh(tokens[0].as_deref().unwrap()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_revocation_beats_a_refresh_that_runs_beside_it() {
    everywhere(Options::default(), async |house| {
        for _ in 0..8 {
            let session = house.sign_in(HOME, ANN, PASSWORD).await;
            let session = match session {
                Ok(session) => session,
                Err(_) => house.sign_up(ANN).await.unwrap(),
            };
            let request = by(&session, v1::SignOutEverywhereRequest {});
            let (refreshed, ended) =
                tokio::join!(house.refresh(refresh_token(&session)), house.service.end_all(request));
            ended.unwrap();
            if let Ok(refreshed) = refreshed {
                assert_eq!(refused(house.refresh(refresh_token(&refreshed)).await), Reason::InvalidToken);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_time_which_each_refresh_renews() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        house.clock.advance(TimeDelta::days(30) - TimeDelta::microseconds(1));
        let second = house.refresh(refresh_token(&first)).await.unwrap();
        house.clock.advance(TimeDelta::days(29));
        let third = house.refresh(refresh_token(&second)).await.unwrap();
        house.clock.advance(TimeDelta::days(30));
        assert_eq!(refused(house.refresh(refresh_token(&third)).await), Reason::InvalidToken);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        for token in ["", "nonsense", &"x".repeat(100_000), &session.access_token] {
            assert_eq!(refused(house.refresh(token).await), Reason::InvalidToken);
            session::end(&house.service.core, token).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_one_session() {
    everywhere(Options::default(), async |house| {
        let one = house.sign_up(ANN).await.unwrap();
        let other = house.sign_in(HOME, ANN, PASSWORD).await.unwrap();
        let refreshed = house.refresh(refresh_token(&one)).await.unwrap();
        // A token that was exchanged names its session as well.
        session::end(&house.service.core, refresh_token(&one)).await.unwrap();
        session::end(&house.service.core, refresh_token(&one)).await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&refreshed)).await), Reason::InvalidToken);
        assert!(house.refresh(refresh_token(&other)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_the_sessions_of_one_account() {
    everywhere(Options::default(), async |house| {
        let one = house.sign_up(ANN).await.unwrap();
        let other = house.sign_in(HOME, ANN, PASSWORD).await.unwrap();
        let bob = house.sign_up("bob@example.org").await.unwrap();
        house.service.end_all(by(&one, v1::SignOutEverywhereRequest {})).await.unwrap();
        assert_eq!(refused(house.refresh(refresh_token(&one)).await), Reason::InvalidToken);
        assert_eq!(refused(house.refresh(refresh_token(&other)).await), Reason::InvalidToken);
        assert!(house.refresh(refresh_token(&bob)).await.is_ok());
        let anonymous = house.service.end_all(from(HOME, v1::SignOutEverywhereRequest {})).await;
        assert_eq!(refused(anonymous), Reason::MissingToken);
    })
    .await;
}

#[tokio::test]
async fn a_new_server_secret_ends_no_session() {
    everywhere(Options::default(), async |house| {
        let first = house.sign_up(ANN).await.unwrap();
        let second = house.refresh(refresh_token(&first)).await.unwrap();
        let old = "a secret of at least 32 bytes, no more";
        let secrets = format!("[\"another secret of at least 32 bytes\", \"{old}\"]");
        let renewed = service(&house.store, &house.clock, Options::default(), &secrets).await;
        let again = session::refresh(&renewed.core, refresh_token(&first)).await.unwrap();
        assert_ne!(again.refresh_token, second.refresh_token);
        assert!(session::refresh(&renewed.core, refresh_token(&second)).await.is_ok());
        assert!(session::refresh(&renewed.core, refresh_token(&again)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_database_holds_no_token() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let token = refresh_token(&session);
        assert_eq!(token.len(), 64);
        let mut tx = house.store.read().await.unwrap();
        assert!(tx.refresh_token(token.as_bytes()).await.unwrap().is_none());
        assert!(tx.refresh_token(&secret::hash(token)).await.unwrap().is_some());
    })
    .await;
}
