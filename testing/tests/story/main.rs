//! What Atoll is for, told once from beginning to end: real API servers, the
//! binary as it is built, REST, kubectl and a browser. Nothing here looks inside.
//!
//! Each test brings its own clusters and its own hub, once on SQLite and once on
//! PostgreSQL. They take turns: three clusters are enough for one machine.

mod account;
mod bad_input;
mod console;
mod crashes;
mod forwarding;
mod manifests;
mod members;
mod propagation;
mod registration;
mod repair;
mod world;

use anyhow::Result;
use world::{Storage, World, turn};

#[tokio::test]
async fn the_story_on_sqlite() -> Result<()> {
    the_story(Storage::Sqlite).await
}

#[tokio::test]
async fn the_story_on_postgresql() -> Result<()> {
    the_story(Storage::Postgres).await
}

#[tokio::test]
async fn the_console_on_sqlite() -> Result<()> {
    the_console(Storage::Sqlite).await
}

#[tokio::test]
async fn the_console_on_postgresql() -> Result<()> {
    the_console(Storage::Postgres).await
}

#[tokio::test]
async fn bad_input_on_sqlite() -> Result<()> {
    bad_input(Storage::Sqlite).await
}

#[tokio::test]
async fn bad_input_on_postgresql() -> Result<()> {
    bad_input(Storage::Postgres).await
}

async fn the_story(storage: Storage) -> Result<()> {
    let _turn = turn().await;
    let mut world = World::start(storage).await?;
    world
        .tell(async |world| {
            account::the_administrator_signs_in(world).await?;
            registration::three_clusters_join(world).await?;
            registration::kubectl_lists_them(world).await?;

            forwarding::kubectl_reads_a_member_as_the_person_who_asks(world).await?;
            forwarding::pods_are_watched(world).await?;
            forwarding::logs_are_followed(world).await?;
            forwarding::commands_are_run(world).await?;
            forwarding::ports_are_forwarded(world).await?;

            propagation::objects_are_applied_on_the_hub(world).await?;
            propagation::members_hold_what_was_asked_for(world).await?;
            propagation::kubectl_shows_it(world).await?;
            propagation::an_edit_is_followed(world).await?;

            repair::what_is_deleted_by_hand_comes_back(world).await?;
            repair::what_is_scaled_by_hand_is_reverted(world).await?;

            crashes::a_dead_member_delays_nobody_and_catches_up(world).await?;
            crashes::a_killed_hub_loses_nothing_and_rewrites_nothing(world).await?;

            propagation::deletion_reaches_every_member(world).await?;
            registration::a_dead_cluster_can_be_removed(world).await
        })
        .await
}

async fn the_console(storage: Storage) -> Result<()> {
    let _turn = turn().await;
    let mut world = World::start(storage).await?;
    world
        .tell(async |world| console::a_browser_tells_the_same_story(world).await)
        .await
}

async fn bad_input(storage: Storage) -> Result<()> {
    let _turn = turn().await;
    let mut world = World::start(storage).await?;
    world
        .tell(async |world| {
            bad_input::account::wrong_passwords_are_refused_and_then_locked_out(world).await?;
            bad_input::account::tokens_that_are_none_are_refused(world).await?;
            bad_input::account::a_session_ends_when_it_is_signed_out(world).await?;

            bad_input::clusters::kubeconfigs_that_reach_further_are_refused(world).await?;
            bad_input::clusters::connections_that_fail_say_where(world).await?;
            bad_input::clusters::a_name_that_is_no_label_is_refused(world).await?;
            bad_input::clusters::members_that_answer_nonsense_are_not_registered(world).await?;
            bad_input::clusters::a_cluster_joins_once(world).await?;

            bad_input::requests::unknown_clusters_and_odd_paths_are_refused(world).await?;
            bad_input::requests::objects_that_cannot_be_meant_are_refused(world).await?;

            bad_input::account::a_session_ends_by_itself(world).await
        })
        .await
}
