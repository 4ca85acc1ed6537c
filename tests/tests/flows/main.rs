//! Stories of the whole system: real listeners, real clients, a clock in the test's hand. Each is told three times: of
//! all in one process on SQLite, on Postgres, and of four roles beside real daprds.

mod access;
mod account;
mod bulk;
mod chat;
mod completion;
mod envelope;
mod letters;
mod limits;
mod mcp;
mod model;
mod named;
mod parity;
mod push;
mod quick;
mod races;
mod reminders;
mod replay;
mod replicas;
mod reseries;
mod rest;
mod search;
mod series;
mod snapshots;
mod surface;
mod talk;
mod tokens;
mod turns;
mod undo;
mod watch;

use std::sync::Arc;

use todo_tests::{
    Postgres,
    clock::TestClock,
    distributed::Turn,
    system::{Ground, Setup},
};

/// The moment at which most stories begin: a Monday.
const MONDAY: &str = "2026-03-02T08:00:00Z";

/// Makes a test of each story on a ground, if that is there. Those of a ground are together by name, so that they run
/// together and what they share is started once.
macro_rules! on {
    ($ground:ident: $($module:ident: [$($story:ident),+],)+) => {
        mod $ground {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    let Some(ground) = crate::$ground().await else { return };
                    crate::$module::$story(ground).await;
                })+
            })+
        }
    };
}

/// Stories for all grounds, and those that only the sidecar in the process can tell.
macro_rules! on_every_ground {
    ($($module:ident: [$($story:ident),+ $(,)?] $(and embedded: [$($embedded:ident),+ $(,)?])?,)+) => {
        on! { sqlite: $($module: [$($story),+ $(, $($embedded),+)?],)+ }
        on! { postgres: $($module: [$($story),+ $(, $($embedded),+)?],)+ }
        on! { distributed: $($module: [$($story),+],)+ }
    };
}

async fn sqlite() -> Option<Ground> {
    Some(Ground::Sqlite)
}

async fn postgres() -> Option<Ground> {
    Postgres::start().map(Arc::new).map(Ground::Postgres)
}

async fn distributed() -> Option<Ground> {
    Turn::begin().await.map(Ground::Distributed)
}

on_every_ground! {
    access: [
        every_route_says_what_is_wrong_with_a_token,
        a_stream_ends_when_its_token_does,
        a_stream_ends_when_its_account_is_closed,
        internal_services_are_not_on_the_public_port,
        sign_in_tells_nothing_and_is_rate_limited,
        another_users_things_are_not_found_by_any_surface_or_id,
    ],
    account: [
        an_export_is_all_of_ones_own_as_it_is_shown,
        a_deleted_account_leaves_nothing_behind,
        passwords_are_not_guessed_by_deleting,
        weeks_begin_where_their_owner_says,
    ],
    bulk: [
        what_was_shown_and_confirmed_is_done_and_can_be_undone,
        what_is_not_as_it_was_shown_is_not_done,
        a_series_goes_with_what_it_made,
        what_cannot_be_done_to_all_is_refused_at_once,
    ],
    chat: [
        a_conversation_does_what_it_says,
        every_intent_comes_to_what_the_policy_says,
        what_waits_for_a_yes_is_done_as_it_was_shown_or_not_at_all,
        a_message_that_comes_again_does_nothing_twice,
    ],
    completion: [
        closing_a_task_makes_the_next_one_interval_later,
        a_series_by_completion_stands_still_and_ends,
        a_series_can_go_by_time_and_by_completion_in_turn,
    ],
    letters: [
        poison_is_kept_with_its_reason_and_can_be_published_again,
        what_was_published_once_is_published_again_as_it_was,
        a_letter_without_a_reason_says_where_to_look,
        a_replayed_outbox_changes_nothing,
        an_outgoing_row_that_is_no_event_waits_and_holds_up_nothing,
    ] and embedded: [
        // daprd hands dead letters on without a reason.
        a_reason_that_the_sidecar_gives_is_kept,
        // Chooses which of two deliveries comes first.
        a_reason_that_we_know_is_kept_when_it_is_known,
    ],
    limits: [
        the_texts_of_a_task,
        the_times_of_a_task,
        the_numbers_of_a_series,
        the_numbers_and_texts_of_a_list,
        the_texts_of_an_account,
        a_body_has_at_most_a_mebibyte,
        an_idempotency_key_has_at_most_255_characters,
        everything_wrong_is_said_at_once_and_nothing_is_half_done,
        what_is_no_value_is_said_with_what_breaks_a_rule,
    ],
    mcp: [
        every_tool_does_what_it_says,
        two_users_tools_never_see_each_others_tasks,
        a_tool_says_what_was_wrong,
        who_calls_tools_has_a_token_and_comes_from_a_known_page,
        the_same_task_by_tool_rest_and_grpc_is_equal,
    ],
    model: [
        a_model_calls_tools_and_what_it_does_is_streamed,
    ] and embedded: [
        // What they are about does not depend on the ground.
        providers_differ_and_all_are_understood,
        a_provider_that_fails_is_asked_once_more_or_replaced,
        a_provider_that_is_slow_or_away_is_replaced,
        what_was_not_done_is_never_said_to_be,
        what_a_title_tells_the_model_is_not_done,
        a_deletion_is_made_when_the_person_says_yes,
        a_model_has_the_tools_of_the_table_and_five_rounds,
        a_model_knows_what_was_said_before,
    ],
    named: [
        a_created_task_is_announced_with_its_priority,
        an_updated_task_is_announced_with_what_changed,
        a_completed_task_is_announced_and_its_reminders_are_cancelled,
        a_deleted_task_is_announced_and_its_schedules_are_removed,
        a_recurring_task_is_scheduled_and_its_slot_becomes_a_task,
        a_reminder_is_kept_and_rings_at_its_time,
        a_restarted_system_goes_on_where_it_was,
    ],
    parity: [
        the_same_scenario_through_every_surface_gives_the_same,
        the_same_intent_makes_the_same_task_by_chat_tools_rest_and_grpc,
    ],
    push: [
        a_reminder_is_pushed_to_every_browser_that_wants_it,
        a_busy_push_service_is_asked_again_when_it_says,
        what_was_committed_is_pushed_after_a_restart,
        what_was_dealt_with_or_is_old_is_not_pushed,
        a_slow_push_service_holds_up_nobody,
        a_subscription_goes_with_the_browser_and_the_session,
        what_cannot_be_pushed_to_says_which_field,
    ],
    quick: [
        what_was_read_makes_the_task_that_it_says,
        what_cannot_be_read_says_which_field_and_why,
    ],
    races: [
        what_races_with_a_firing_reminder_never_has_both_outcomes,
        sixty_four_clients_create_at_once_without_errors,
        a_client_that_goes_away_leaves_nothing_behind,
        of_two_updates_from_one_reading_one_wins,
        what_is_repeated_at_once_is_done_once,
    ],
    reminders: [
        what_was_due_while_the_system_was_down_rings_once_with_its_own_time,
        a_clock_that_steps_back_and_forth_rings_nothing_twice,
        relative_reminders_move_with_the_due_date_and_absolute_ones_stay,
        a_snoozed_notification_rings_again,
        a_snooze_dies_with_its_task,
        an_all_day_task_has_the_whole_day,
        reminders_of_many_users_at_one_instant_all_ring_once,
    ],
    replay: [
        a_replay_of_everything_changes_nothing,
        a_forged_event_does_nothing,
    ],
    reseries: [
        moving_the_due_date_withdraws_what_nobody_touched,
        a_withdrawn_slot_that_comes_back_is_made_again,
        a_paused_series_makes_nothing_and_resumes_from_now,
        a_cleared_or_deleted_series_makes_no_more,
    ],
    rest: [
        statuses_and_headers_say_what_happened,
        null_clears_and_what_is_not_sent_stays,
        completing_by_an_update_is_the_same_act,
        times_without_an_offset_are_the_users,
        a_create_with_its_own_id_can_be_repeated,
        an_idempotency_key_gives_the_same_answer_again,
        what_was_read_can_be_sent_back,
        a_revision_guards_against_lost_updates,
    ],
    search: [
        filters_combine_and_search_finds_parts_of_words,
        order_and_pages_are_stable,
        tags_and_counts_follow,
    ],
    series: [
        every_day_at_nine_stays_nine_over_both_changes_of_the_clocks,
        monthly_on_the_31st_skips_short_months,
        a_series_ends_by_time_or_by_number,
        an_open_task_makes_the_next_slot_wait_its_turn_if_asked,
        an_instance_appears_ahead_of_its_slot_for_lead_and_reminders,
        a_rule_of_the_standard_makes_its_tasks,
        a_slot_missed_for_ten_days_is_caught_up_as_asked,
        fifty_open_instances_are_enough,
        a_deleted_instance_never_comes_back,
    ],
    snapshots: [
        the_description_is_what_was_agreed_and_true_to_what_is_served,
        the_bodies_of_errors_are_what_was_agreed,
    ],
    talk: [
        a_turn_is_kept_before_its_answer_and_repeated_without_doubling,
        what_waits_for_a_yes_is_one_thing_and_ends,
        conversations_are_listed_renamed_and_deleted_by_their_owner,
        decisions_are_read_and_summed_up_by_their_owner,
        messages_are_limited_in_size_and_number,
    ],
    tokens: [
        a_personal_token_opens_what_its_scopes_say,
        a_personal_token_is_good_until_it_expires_or_is_revoked,
        a_personal_token_has_a_name_scopes_and_a_time_to_come,
    ],
    turns: [
        a_turn_is_told_as_it_goes_and_kept_when_nobody_listens,
        a_turn_that_broke_off_is_taken_up_and_does_nothing_twice,
        a_turn_that_fails_or_takes_too_long_says_so,
    ],
    undo: [
        every_change_can_be_undone_and_that_too,
        undoing_gives_back_what_time_has_not_taken,
        after_seven_days_nothing_can_be_undone,
    ],
    watch: [
        every_change_is_shown_at_once,
        grpc_and_grpc_web_watch_the_same_feed,
        a_resumed_stream_misses_and_doubles_nothing,
        three_watchers_at_once_see_the_same,
        who_was_away_too_long_has_to_start_over,
    ],
}

/// Stories that need several replicas over one database; by name beside the others on Postgres. Of replicas beside daprds
/// `faults/dapr/replicas.rs` tells.
mod postgres_replicas {
    #[tokio::test(flavor = "multi_thread")]
    async fn a_watcher_sees_at_once_what_another_replica_wrote() {
        let Some(postgres) = todo_tests::Postgres::start() else { return };
        crate::replicas::a_watcher_sees_at_once_what_another_replica_wrote(&postgres.into()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_connection_between_replicas_hurts_nobody() {
        let Some(postgres) = todo_tests::Postgres::start() else { return };
        crate::replicas::a_lost_connection_between_replicas_hurts_nobody(&postgres.into()).await;
    }
}

/// A system on a ground, with a clock that begins at a time.
fn at(time: &str, ground: Ground) -> (Setup, Arc<TestClock>) {
    let (setup, clock) = Setup::at(time);
    (setup.on(ground), clock)
}

/// The text of a JSON value that is one.
fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
