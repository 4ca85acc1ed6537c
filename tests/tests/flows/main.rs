//! Stories of the whole embedded system: a real listener, real clients, both databases, and a clock in the test's hand.

mod access;
mod bulk;
mod completion;
mod envelope;
mod letters;
mod limits;
mod named;
mod parity;
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
mod tokens;
mod undo;
mod watch;

use std::sync::Arc;

use todo::database::Database;
use todo_tests::{clock::TestClock, system::Setup};

/// The moment at which most stories begin: a Monday.
const MONDAY: &str = "2026-03-02T08:00:00Z";

/// Runs stories, each on both databases. Those on Postgres are together by name, so that they run together and one
/// server does for all.
macro_rules! on_both {
    ($($module:ident: [$($story:ident),+ $(,)?],)+) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    crate::$module::$story(None).await;
                })+
            })+
        }

        mod postgres {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    let Some(postgres) = todo_tests::Postgres::start() else { return };
                    crate::$module::$story(Some(postgres.url().parse().expect("a URL"))).await;
                })+
            })+
        }
    };
}

on_both! {
    access: [
        another_users_things_are_not_found_by_any_surface_or_id,
    ],
    bulk: [
        what_was_shown_and_confirmed_is_done_and_can_be_undone,
        what_is_not_as_it_was_shown_is_not_done,
        a_series_goes_with_what_it_made,
        what_cannot_be_done_to_all_is_refused_at_once,
    ],
    completion: [
        closing_a_task_makes_the_next_one_interval_later,
        a_series_by_completion_stands_still_and_ends,
        a_series_can_go_by_time_and_by_completion_in_turn,
    ],
    letters: [
        poison_is_kept_with_its_reason_and_can_be_published_again,
        a_reason_that_we_know_is_kept_when_it_is_known,
        what_was_published_once_is_published_again_as_it_was,
        a_letter_without_a_reason_says_where_to_look,
        a_replayed_outbox_changes_nothing,
        an_outgoing_row_that_is_no_event_waits_and_holds_up_nothing,
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
        a_rule_of_the_standard_makes_its_tasks,
        a_slot_missed_for_ten_days_is_caught_up_as_asked,
        fifty_open_instances_are_enough,
        a_deleted_instance_never_comes_back,
    ],
    tokens: [
        a_personal_token_opens_what_its_scopes_say,
        a_personal_token_is_good_until_it_expires_or_is_revoked,
        a_personal_token_has_a_name_scopes_and_a_time_to_come,
    ],
    undo: [
        every_change_can_be_undone_and_that_too,
        undoing_gives_back_what_time_has_not_taken,
        after_seven_days_nothing_can_be_undone,
    ],
    watch: [
        a_resumed_stream_misses_and_doubles_nothing,
        three_watchers_at_once_see_the_same,
        who_was_away_too_long_has_to_start_over,
    ],
}

/// Stories that need several replicas over one database; by name beside the others on Postgres.
mod postgres_replicas {
    #[tokio::test(flavor = "multi_thread")]
    async fn a_watcher_sees_at_once_what_another_replica_wrote() {
        let Some(postgres) = todo_tests::Postgres::start() else { return };
        crate::replicas::a_watcher_sees_at_once_what_another_replica_wrote(&postgres).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_connection_between_replicas_hurts_nobody() {
        let Some(postgres) = todo_tests::Postgres::start() else { return };
        crate::replicas::a_lost_connection_between_replicas_hurts_nobody(&postgres).await;
    }
}

/// A system over a database, with a clock that begins at a time.
fn at(time: &str, database: Option<Database>) -> (Setup, Arc<TestClock>) {
    let (setup, clock) = Setup::at(time);
    match database {
        Some(database) => (setup.over(database), clock),
        None => (setup, clock),
    }
}

/// The text of a JSON value that is one.
fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
