use super::*;

async fn update(
    house: &House,
    session: &v1::Session,
    user: v1::User,
    mask: Option<&[&str]>,
) -> Result<v1::User, Error> {
    let update_mask = mask.map(|paths| FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    house.service.update(by(session, v1::UpdateMeRequest { user: Some(user), update_mask })).await
}

fn named(name: &str) -> v1::User {
    v1::User { display_name: name.to_owned(), ..v1::User::default() }
}

#[tokio::test]
async fn what_the_mask_names_is_changed() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let both = v1::User { time_zone: "Asia/Tokyo".to_owned(), ..named(" Anna ") };
        let me = update(&house, &session, both, Some(&["display_name"])).await.unwrap();
        assert_eq!((me.display_name.as_str(), me.time_zone.as_str()), ("Anna", "Europe/Berlin"));
        let zone = v1::User { time_zone: "Asia/Tokyo".to_owned(), ..v1::User::default() };
        update(&house, &session, zone, Some(&["time_zone"])).await.unwrap();
        let me = house.me(&session).await.unwrap();
        assert_eq!((me.display_name.as_str(), me.time_zone.as_str()), ("Anna", "Asia/Tokyo"));
        assert_eq!(update(&house, &session, named("x"), Some(&[])).await.unwrap(), me);
        assert_eq!(me.week_start(), v1::Weekday::Monday);
        let week = v1::User { week_start: v1::Weekday::Saturday.into(), ..named("x") };
        update(&house, &session, week, Some(&["week_start"])).await.unwrap();
        let me = house.me(&session).await.unwrap();
        assert_eq!((me.display_name.as_str(), me.week_start()), ("Anna", v1::Weekday::Saturday));
    })
    .await;
}

#[tokio::test]
async fn without_a_mask_what_is_set_is_changed() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let user = v1::User { email: "eve@example.org".to_owned(), id: "x".to_owned(), ..named("Anna") };
        let me = update(&house, &session, user, None).await.unwrap();
        assert_eq!((me.display_name.as_str(), me.time_zone.as_str()), ("Anna", "Europe/Berlin"));
        assert_eq!((me.email.as_str(), &me.id), (ANN, &session.user_id));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_by_name() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        for path in ["email", "id", "created_at", "password", ""] {
            let error = update(&house, &session, named("Anna"), Some(&["display_name", path])).await.unwrap_err();
            assert_eq!(fields(&error), ["update_mask"]);
        }
        let error = update(&house, &session, named(""), Some(&["display_name", "time_zone", "x"])).await.unwrap_err();
        assert_eq!(fields(&error), ["update_mask", "display_name", "time_zone"]);
        for (number, mask) in [(0, Some(&["week_start"][..])), (8, None), (-1, None)] {
            let user = v1::User { week_start: number, ..v1::User::default() };
            assert_eq!(fields(&update(&house, &session, user, mask).await.unwrap_err()), ["week_start"], "{number}");
        }
        let error = update(&house, &session, named(&"x".repeat(101)), None).await.unwrap_err();
        assert_eq!(fields(&error), ["display_name"]);
        let nobody = v1::UpdateMeRequest { user: None, update_mask: None };
        assert_eq!(fields(&house.service.update(by(&session, nobody)).await.unwrap_err()), ["user"]);
        assert_eq!(house.me(&session).await.unwrap().display_name, "Ann");
    })
    .await;
}

#[tokio::test]
async fn a_token_of_an_account_that_is_gone_is_refused() {
    everywhere(Options::default(), async |house| {
        let core = &house.service.core;
        let token = core.keys.sign(core.ids.random(), ANN, core.ids.random(), core.clock.now(), TimeDelta::hours(1));
        let session = v1::Session { access_token: token, ..v1::Session::default() };
        assert_eq!(refused(house.me(&session).await), Reason::UserNotFound);
        assert_eq!(refused(update(&house, &session, named("x"), None).await), Reason::UserNotFound);
        let all = house.service.end_all(by(&session, v1::SignOutEverywhereRequest {})).await;
        assert_eq!(refused(all), Reason::UserNotFound);
        let request = v1::ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: PASSWORD.to_owned(),
            refresh_token: String::new(),
        };
        assert_eq!(refused(house.service.replace_password(by(&session, request)).await), Reason::UserNotFound);
    })
    .await;
}

#[tokio::test]
async fn a_closed_account_is_shut_until_it_is_opened_again() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let close = async |disabled| operator::set_disabled(&*house.store, &*house.clock, ANN, disabled).await;
        close(true).await.unwrap();
        assert_eq!(refused(house.me(&session).await), Reason::UserNotFound);
        assert_eq!(refused(house.refresh(refresh_token(&session)).await), Reason::InvalidToken);
        assert_eq!(refused(house.sign_in(HOME, ANN, PASSWORD).await), Reason::InvalidCredentials);
        assert_eq!(refused(house.sign_up(ANN).await), Reason::EmailExists);

        house.clock.advance(TimeDelta::seconds(1));
        close(true).await.unwrap();
        let users = operator::list(&*house.store, "", 10).await.unwrap();
        assert_eq!(users[0].disabled_at, Some(users[0].created_at));

        close(false).await.unwrap();
        assert!(house.me(&session).await.is_ok());
        assert!(house.sign_in(HOME, ANN, PASSWORD).await.is_ok());
        let unknown = operator::set_disabled(&*house.store, &*house.clock, "bob@example.org", true).await;
        assert_eq!(refused(unknown), Reason::UserNotFound);
    })
    .await;
}

#[tokio::test]
async fn an_operator_deletes_an_account() {
    everywhere(Options::default(), async |house| {
        let session = house.sign_up(ANN).await.unwrap();
        let core = &house.service.core;
        let delete = async || operator::delete(&*house.store, &*house.clock, &*core.ids, ANN).await;
        delete().await.unwrap();
        assert_eq!(refused(house.me(&session).await), Reason::UserNotFound);
        assert_eq!(operator::list(&*house.store, "", 10).await.unwrap(), []);
        assert_eq!(refused(delete().await), Reason::UserNotFound);
        assert!(house.sign_up(ANN).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    everywhere(Options::default(), async |house| {
        for email in ["carl@example.org", ANN, "Bob@example.org"] {
            house.sign_up(email).await.unwrap();
        }
        let page = async |after: &str| {
            let users = operator::list(&*house.store, after, 2).await.unwrap();
            users.into_iter().map(|user| user.email).collect::<Vec<_>>()
        };
        assert_eq!(page("").await, [ANN, "bob@example.org"]);
        assert_eq!(page("bob@example.org").await, ["carl@example.org"]);
        assert!(page("carl@example.org").await.is_empty());
    })
    .await;
}
