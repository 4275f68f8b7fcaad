//! Rules that hold on both databases. A rule is one function over a fresh database.

mod access;
mod changes;
mod clusters;
mod installation;
mod leases;
mod objects;
mod propagations;

/// Lists every rule once; each becomes a test on either database.
macro_rules! rules {
    ($($module:ident: $($rule:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test]
                async fn $rule() -> anyhow::Result<()> {
                    crate::contract::$module::$rule(crate::database::Database::sqlite()?).await
                })+
            })+
        }
        mod postgres {
            $(mod $module {
                $(#[tokio::test]
                async fn $rule() -> anyhow::Result<()> {
                    crate::contract::$module::$rule(crate::database::Database::postgres().await?).await
                })+
            })+
        }
    };
}

rules! {
    objects:
        a_created_object_is_read_back,
        a_name_is_taken_until_its_object_is_deleted,
        a_change_from_an_old_revision_conflicts_and_changes_nothing,
        another_uid_under_the_same_name_is_refused,
        a_transaction_happens_together_or_not_at_all,
        a_transaction_that_rests_on_another_object_needs_it_as_it_was,
        a_transaction_that_rests_on_a_namespace_needs_it_quiet,
        a_list_is_sorted_and_carries_the_revision_of_its_snapshot,
        a_namespace_lists_what_lives_in_it,
        names_are_told_without_the_objects,
        many_objects_come_in_pages,
        what_a_namespace_has_too_many_of_is_told_the_oldest,
        what_was_written_is_there_after_opening_again;
    changes:
        writers_that_share_a_commit_have_a_revision_each,
        whoever_conflicts_in_a_shared_commit_fails_alone,
        a_reader_never_misses_what_is_committed_later,
        changes_carry_what_was_before_and_after,
        changes_of_one_revision_come_together,
        large_changes_come_few_at_a_time,
        what_was_changed_is_told_by_name_alone,
        the_history_of_an_object_is_its_own_the_latest_first_and_bounded,
        the_history_of_a_large_object_is_its_latest_part,
        compacted_history_is_expired,
        another_replica_learns_of_a_commit;
    clusters:
        a_cluster_is_written_together_with_its_object,
        a_cluster_is_registered_once,
        there_is_one_host,
        health_changes_only_what_it_is_about,
        health_found_with_another_credential_is_refused,
        a_removed_cluster_takes_its_records_along,
        a_row_that_cannot_be_read_hides_no_other;
    propagations:
        records_are_put_replaced_and_dropped,
        only_what_is_known_to_be_there_is_counted,
        records_of_a_lost_lease_are_refused,
        many_records_come_and_go_together,
        the_last_word_about_a_record_counts,
        a_record_that_the_database_refuses_costs_nobody_else_anything,
        a_lost_lease_refuses_nobody_elses_records;
    leases:
        a_lease_has_one_holder,
        a_renewal_keeps_the_epoch_and_moves_the_row,
        a_new_holder_has_a_new_epoch_and_the_old_one_is_fenced,
        a_lease_that_was_given_back_is_free,
        a_lease_that_moved_is_not_taken_over;
    installation:
        of_twenty_that_start_at_once_one_is_first,
        another_key_file_does_not_open_it,
        a_newer_schema_is_refused;
    access:
        a_password_change_ends_the_sessions,
        a_user_who_is_shut_out_has_no_session,
        ended_sessions_are_forgotten,
        tokens_are_found_by_hash_and_revoked_by_their_owner,
        every_change_moves_the_counter;
}
