//! What every database has to do: one suite of cases over `dyn Store`, run on SQLite and on a real Postgres. A case is
//! a function of a [`db::Db`]; what the databases do differently on purpose is listed apart at the end.

mod accounts;
mod counts;
mod db;
mod due;
mod inbox;
mod letters;
mod lists;
mod log;
mod login;
mod make;
mod outbox;
mod plans;
mod purge;
mod push;
mod schema;
mod search;
mod series;
mod share;
mod tasks;
mod tenants;
mod transactions;

/// One test for each case and database, named after both.
macro_rules! suite {
    (@case $database:ident $module:ident $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            // Without a Postgres the skip was said aloud.
            if let Some(db) = crate::db::Db::$database().await {
                crate::$module::$case(&db).await;
                db.store.close().await;
            }
        }
    };
    (@on $database:ident $($module:ident { $($case:ident,)+ })+) => {
        $(mod $module { $(suite!(@case $database $module $case);)+ })+
    };
    (both: { $($both:tt)+ } sqlite: { $($sqlite:tt)+ } postgres: { $($postgres:tt)+ }) => {
        mod sqlite {
            suite!(@on sqlite $($both)+);
            mod alone { suite!(@on sqlite $($sqlite)+); }
        }
        mod postgres {
            suite!(@on postgres $($both)+);
            mod alone { suite!(@on postgres $($postgres)+); }
        }
    };
}

suite! {
    both: {
        tasks {
            every_field_survives,
            an_update_writes_every_field_that_can_change,
            tags_keep_their_order_and_case,
            reminders_keep_their_order_and_state,
            a_recurrence_comes_with_its_task_until_it_ends,
            an_id_is_taken_once_whoever_has_it,
            several_tasks_are_found_at_once,
            times_survive_to_the_microsecond_and_before_1970,
            any_text_survives,
            a_touch_moves_the_revision_alone,
            a_deleted_task_takes_along_what_hangs_on_it,
        }
        tenants {
            another_owner_finds_nothing,
            another_owner_changes_nothing,
            a_removed_account_takes_along_all_that_is_its_own,
            every_revision_jumps,
        }
        lists {
            every_sort_key_gives_the_order_of_the_domain,
            page_tokens_visit_each_task_once_and_in_order,
            offsets_visit_each_task_once_and_in_order,
            tasks_without_a_due_date_come_last_either_way,
            filters_agree_with_the_domain,
            a_page_goes_on_though_its_last_task_is_gone,
        }
        search {
            every_part_of_a_text_is_found,
            no_character_is_special,
            case_and_composition_do_not_matter,
            no_term_matches_across_two_fields,
            what_is_not_there_any_more_is_not_found,
            search_agrees_with_the_domain,
        }
        counts {
            tasks_are_counted_by_status,
            overdue_is_what_the_domain_says,
            tags_are_counted,
        }
        log {
            writers_of_one_owner_go_one_after_the_other,
            a_writer_who_waited_sees_what_the_one_before_wrote,
            counters_of_several_owners,
            changes_come_in_pages,
            a_deletion_is_remembered,
            a_reply_is_kept_as_it_was,
        }
        outbox {
            the_oldest_are_leased_first,
            what_was_published_is_not_leased_again,
            what_failed_waits_for_its_time,
            attempts_count_how_often_publishing_was_begun,
            what_a_fast_clock_put_off_is_recalled,
            the_backlog_tells_how_many_and_since_when,
            what_was_published_is_kept_and_can_wait_again,
        }
        letters {
            a_dead_letter_is_kept_once,
            dead_letters_come_in_pages_the_oldest_first,
            a_dead_letter_is_taken_once,
        }
        purge {
            only_what_nobody_needs_goes,
            purging_is_bounded_and_comes_to_an_end,
            the_floor_rises_with_the_purge,
        }
        due {
            pages_visit_everything_due_once_and_in_order,
            only_what_is_pending_is_due,
            until_is_inclusive,
            pending_reminders_are_found_snoozes_included,
            a_snooze_rings_at_its_latest_time,
            a_snooze_is_none_of_its_tasks_reminders,
            what_fired_is_pending_no_more,
        }
        schema {
            a_schema_that_is_newer_serves,
        }
        series {
            a_series_survives,
            a_slot_survives,
            slots_are_found_by_state_and_time,
            open_instances_are_open_tasks_and_decided_slots,
            the_last_task_of_a_series_is_the_one_made_last,
            a_firing_is_added_once,
            what_had_no_effect_yet_is_handed_out_oldest_first,
            what_a_fast_clock_decided_is_handed_out_last,
        }
        inbox {
            a_notification_survives,
            the_newest_come_first_in_pages,
            unread_ones_are_counted_and_found,
            snoozed_ones_of_a_task_are_found,
        }
        push {
            a_subscription_is_served_by_one_until_nothing_more_rang,
            who_fell_out_or_ran_ahead_keeps_nobody_from_it,
            what_rang_is_found_until_it_is_dealt_with,
            a_browser_is_its_last_users,
        }
        accounts {
            an_account_survives,
            an_address_has_one_account,
            accounts_are_listed_by_address,
            a_personal_token_is_found_by_its_hash_until_it_is_removed,
            a_refresh_token_survives_and_is_stored_once,
            sessions_end_by_family_and_by_account,
            attempts_are_counted_since_a_moment,
            attempts_counted_at_the_same_time_see_each_other,
        }
        transactions {
            what_is_dropped_did_not_happen,
            a_read_sees_one_snapshot,
            a_read_cannot_write,
            a_writer_sees_what_it_wrote,
            many_readers_and_writers_at_once_find_no_error,
            a_closed_store_is_unavailable,
        }
    }
    sqlite: {
        outbox {
            a_lease_hides_nothing,
        }
        share {
            one_process_has_nobody_to_tell,
        }
        plans {
            every_list_is_read_from_an_index_in_order,
            due_and_outbox_are_read_from_their_indexes,
            search_reads_the_text_index,
            counting_reads_indexes_alone,
        }
    }
    postgres: {
        log {
            owners_do_not_wait_for_each_other,
        }
        login {
            connections_of_a_former_url_are_not_used_again,
        }
        outbox {
            a_lease_hides_from_others,
        }
        share {
            owners_told_by_one_replica_are_heard_by_the_others,
            what_is_told_while_the_connection_is_lost_is_told_again,
        }
        plans {
            postgres_can_read_every_list_from_an_index_in_order,
            postgres_can_read_due_and_outbox_from_their_indexes,
            postgres_can_search_by_its_text_index,
        }
    }
}
